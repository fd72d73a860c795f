//! Whether a line is taken, and what then follows: obligation, letter to the issuer, and what is left of its original.

use std::collections::BTreeMap;

use torap_domain::{CardReason, CardService, Date, Money, ParticipantId, Time, card::Direction};

use super::{Known, Line, LineKind, LineVerdict, has_room};
use crate::{
    Output, Stamp,
    cards::{
        AMOUNT_MAX, AdvisedBy, BinRange, CardKey, Class, Decider, Event, Fees, Fingerprint,
        Finished, Letter, advice, authorisations,
        fees::Charged,
        postings::{self, Movement},
        queue, rules,
        transactions::{Found, Place},
        window::{Decided, Entry, What, approved},
    },
    engine,
};

/// A line whose original was found and that may be taken.
pub(super) struct Match {
    pub(super) known: Known,
    range: BinRange,
    service: CardService,
    /// Where the purchase of a refund is remembered, and what will stand of it.
    pub(super) refunded: Option<(Option<Place>, u64)>,
}

pub(super) fn judge(
    state: &engine::State,
    stamp: Stamp,
    acquirer: ParticipantId,
    line: &Line,
    given_back: &BTreeMap<CardKey, u64>,
) -> Result<Match, LineVerdict> {
    let taken = line.presented || state.cards.transactions.find(&line.key).is_some();
    #[cfg(feature = "mutants")]
    let taken = taken && !crate::mutants::is_on(&crate::mutants::PRESENTED_TWICE);
    if taken {
        return Err(LineVerdict::Duplicate);
    }
    if !(1..=AMOUNT_MAX).contains(&line.amount.minor()) {
        return Err(LineVerdict::AmountNotAllowed);
    }
    let known = line.known.as_ref().ok_or(LineVerdict::Unmatched)?;
    let known = &held(state, known);
    let transaction = &known.transaction;
    let same = known.acquirer == acquirer
        && transaction.card.pan == line.card
        && transaction.references.terminal == line.terminal
        && transaction.references.retrieval == line.retrieval
        && (line.kind == LineKind::Refund || known.approval == line.approval);
    if !same {
        return Err(LineVerdict::Mismatch);
    }
    if known.approved.is_zero() {
        return Err(LineVerdict::NotApproved);
    }
    let today = Date::from_time(stamp.time);
    if line.date > today || line.date < Date::from_time(known.at).add_days(-1) {
        return Err(LineVerdict::WrongDate);
    }
    let (service, refunded) = match line.kind {
        LineKind::Purchase => {
            let service = authorised(state, stamp, line, known)?;
            (service, None)
        }
        LineKind::Refund => {
            let refunded = purchased(state, line, known, given_back)?;
            (CardService::Refund, Some(refunded))
        }
    };
    for id in [acquirer, known.issuer] {
        let standing = advice::check_standing(state, id, CardReason::IssuerNotActive);
        standing.map_err(|_| LineVerdict::NotActive)?;
    }
    rules::check_pair(state, acquirer, known.issuer, service)
        .map_err(|_| LineVerdict::NotAllowed)?;
    rules::check_queue(state, known.issuer).map_err(|_| LineVerdict::QueueFull)?;
    if !has_room(state, known.issuer) {
        return Err(LineVerdict::QueueFull);
    }
    let range = range(state, known).ok_or(LineVerdict::NotActive)?;
    Ok(Match {
        known: *known,
        range,
        service,
        refunded,
    })
}

/// What is known of an original, as the engine itself holds it where it does.
fn held(state: &engine::State, known: &Known) -> Known {
    let key = &known.transaction.key;
    if let Some(open) = state.cards.authorisations.get(key) {
        return Known {
            issuer: open.issuer,
            acquirer: open.acquirer,
            asked: open.asked,
            ..*known
        };
    }
    match state.cards.transactions.find(key) {
        Some(Found::Decided(_, entry)) => match &entry.what {
            What::Transaction(decided) => Known {
                issuer: decided.issuer,
                acquirer: decided.acquirer,
                ..*known
            },
            What::Reversal { .. } | What::Blocked => *known,
        },
        Some(Found::UnderWay(_)) | None => *known,
    }
}

/// Whether an authorisation may be collected from, and as what.
fn authorised(
    state: &engine::State,
    stamp: Stamp,
    line: &Line,
    known: &Known,
) -> Result<CardService, LineVerdict> {
    let transaction = &known.transaction;
    if transaction.class != Class::Authorisation {
        return Err(LineVerdict::WrongKind);
    }
    let authorisations = &state.cards.authorisations;
    let (key, card) = (&transaction.key, transaction.card.hash);
    let amount = line.amount.minor();
    match authorisations.get(key) {
        Some(open) if open.expires <= stamp.time => return Err(LineVerdict::Late),
        Some(_) => {}
        None if known.stands.is_zero() => return Err(LineVerdict::NotApproved),
        None => {
            let within = authorisations.lifetime(transaction.mcc);
            let over = known.at.saturating_add(within) <= stamp.time;
            return Err(if over {
                LineVerdict::Late
            } else {
                LineVerdict::Completed
            });
        }
    }
    match authorisations.may_complete(key, card, amount) {
        Ok(()) => Ok(match transaction.service {
            CardService::PreAuthorisation => CardService::Purchase,
            service => service,
        }),
        Err(CardReason::CompletionExceeds) => Err(LineVerdict::OverTolerance),
        Err(_) => Err(LineVerdict::Mismatch),
    }
}

/// Whether so much of a purchase may be given back: where it is remembered, and what will stand of it.
fn purchased(
    state: &engine::State,
    line: &Line,
    known: &Known,
    given_back: &BTreeMap<CardKey, u64>,
) -> Result<(Option<Place>, u64), LineVerdict> {
    let transaction = &known.transaction;
    let debits = transaction.service.direction() == Direction::Debit;
    if transaction.class != Class::Financial || !debits {
        return Err(LineVerdict::WrongKind);
    }
    let key = &transaction.key;
    if state.disputes.is_open(key) {
        return Err(LineVerdict::Disputed);
    }
    let (place, stands) = match state.cards.transactions.find(key) {
        Some(Found::Decided(place, entry)) => match &entry.what {
            What::Transaction(decided) => (Some(place), decided.stands),
            What::Reversal { .. } | What::Blocked => return Err(LineVerdict::NotApproved),
        },
        Some(Found::UnderWay(_)) => return Err(LineVerdict::NotApproved),
        None => {
            let stands = given_back.get(key).copied();
            (None, stands.unwrap_or(known.stands.minor()))
        }
    };
    let rest = stands.checked_sub(line.amount.minor());
    Ok((place, rest.ok_or(LineVerdict::RefundExceeds)?))
}

/// The row by which the original was routed; if the table has changed since, a row of the same issuer that held then and fits what is
/// kept of the card number.
pub(in crate::cards) fn range(state: &engine::State, known: &Known) -> Option<BinRange> {
    let bins = &state.cards.bins;
    let routed = known.transaction.route.and_then(|route| bins.range(route));
    let routed = routed.filter(|range| range.issuer == known.issuer);
    if let Some(range) = routed {
        return Some(*range);
    }
    let first = known.transaction.card.pan.first();
    let mut ranges = bins.current().ranges().iter();
    let found = ranges.find(|range| {
        range.issuer == known.issuer && range.prefix.first() == first && range.holds(known.at)
    });
    found.copied()
}

/// Books it, remembers it, and puts it into the issuer's queue.
pub(super) fn take(
    state: &mut engine::State,
    stamp: Stamp,
    acquirer: ParticipantId,
    (line, matched): (&Line, &Match),
    out: &mut Output,
) {
    let known = &matched.known;
    let transaction = &known.transaction;
    let session = state.cards.sessions.current(stamp.time);
    let amount = line.amount.minor();
    let tariff = state.cards.fees.tariff(&Charged {
        product: matched.range.product,
        service: matched.service,
        channel: transaction.channel,
        mcc: line.mcc,
        amount,
        at: stamp.time,
    });
    let fees = state.cards.fees.fees(tariff, amount);
    let (about, by) = match line.kind {
        LineKind::Purchase => (known.asked, AdvisedBy::Presentment),
        LineKind::Refund => (None, AdvisedBy::Refund),
    };
    let letter = Letter::Advice {
        original: known.submitted,
        class: Class::Financial,
        about,
        amount: line.amount,
        approval: line.approval,
        by,
        session,
    };
    let asked = queue::push(state, stamp, known.issuer, letter, out);
    let decided = Decided {
        decision: approved(line.approval, line.amount, Decider::Acquirer),
        submitted: known.submitted,
        answer: None,
        stands: amount,
        card: transaction.card.hash,
        class: Class::Financial,
        service: matched.service,
        acquirer,
        issuer: known.issuer,
        session,
        tariff,
        asked: Some(asked),
        silent: None,
        completes: (line.kind == LineKind::Purchase).then_some(transaction.key),
        advice: true,
    };
    remember(
        state,
        stamp,
        (line, matched),
        (acquirer, &decided, fees),
        out,
    );
    let movement = Movement {
        key: line.key,
        session,
        direction: matched.service.direction(),
        acquirer,
        issuer: known.issuer,
        amount,
        fees,
        reversal: false,
    };
    postings::post(state, stamp, &movement, out);
    match matched.refunded {
        None => authorisations::complete(state, &transaction.key, amount, out),
        Some((place, stands)) => {
            if let Some(place) = place {
                let transactions = &mut state.cards.transactions;
                transactions.change(place, |there| there.stands = stands);
            }
            out.card_event(Event::Reduced {
                original: transaction.key,
                stands: Money::kzt(stands),
                case: None,
            });
        }
    }
}

fn remember(
    state: &mut engine::State,
    stamp: Stamp,
    (line, matched): (&Line, &Match),
    (acquirer, decided, fees): (ParticipantId, &Decided, Fees),
    out: &mut Output,
) {
    let transaction = &matched.known.transaction;
    let fingerprint = Fingerprint(line.key.0);
    state.cards.transactions.remember(Entry {
        key: line.key,
        fingerprint,
        sender: acquirer,
        // What is dropped of it says nothing about messages: the index tells whether a line was taken.
        transmitted: Time::EPOCH,
        what: What::Transaction(*decided),
    });
    out.card_event(Event::Decided(Finished {
        key: line.key,
        fingerprint,
        class: Class::Financial,
        decision: decided.decision,
        submitted: stamp.position,
        decided: stamp.position,
        decided_at: stamp.time,
        references: transaction.references,
        card: transaction.card,
        service: matched.service,
        channel: transaction.channel,
        mcc: line.mcc,
        product: matched.range.product,
        amount: line.amount,
        acquirer,
        issuer: matched.known.issuer,
        asked: decided.asked,
        session: decided.session,
        fees: Some(fees),
    }));
}
