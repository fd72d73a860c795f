//! The end of a request: approved by the issuer or by the switch, or declined with a reason. Only the switch decides when silence
//! counts, by its own clock, and only once.

use torap_domain::{CardReason, Money, card::ApprovalCode};

use super::{
    AdvisedBy, CardKey, Class, Decider, Decision, Event, Fees, Letter, Message, ReversalCause,
    Trace,
    fees::Charged,
    in_flight::{InFlight, Stage},
    postings::{self, Movement},
    queue, request, sessions, stand_in as standing_in,
    transactions::{Found, Slot},
    window::{Decided, Entry, What, approved, declined},
};
use crate::{Output, Stamp, engine};

/// The transaction of a key; one whose deadline has passed is decided first.
pub(super) fn find(
    state: &mut engine::State,
    stamp: Stamp,
    key: &CardKey,
    out: &mut Output,
) -> Option<Found> {
    let found = state.cards.transactions.find(key)?;
    if let Found::UnderWay(slot) = found
        && expire_if_due(state, stamp, slot, out)
    {
        return state.cards.transactions.find(key);
    }
    Some(found)
}

/// Decides a request whose deadline has passed, though no Tick has come yet. True if it moved on.
pub(super) fn expire_if_due(
    state: &mut engine::State,
    stamp: Stamp,
    slot: Slot,
    out: &mut Output,
) -> bool {
    let request = state.cards.transactions.get(slot);
    let due = request.is_some_and(|request| request.deadline <= stamp.time);
    if due {
        expire(state, stamp, slot, out);
    }
    due
}

/// Decides the request whose deadline comes first, which has passed.
pub(super) fn expire_first(state: &mut engine::State, stamp: Stamp, out: &mut Output) {
    if let Some((_, _, slot)) = state.cards.transactions.first_due() {
        expire(state, stamp, slot, out);
    }
}

fn expire(state: &mut engine::State, stamp: Stamp, slot: Slot, out: &mut Output) {
    let Some(request) = state.cards.transactions.get(slot).copied() else {
        return;
    };
    match request.stage {
        Stage::New => {}
        Stage::Scheme if request.whole <= stamp.time => {
            let decline = declined(CardReason::SchemeUnavailable, None);
            self::decline(state, stamp, &request, Some(slot), decline, None, out);
        }
        Stage::Scheme => {
            let scheme = state.cards.schemes.get(usize::from(request.scheme));
            let policy = scheme
                .copied()
                .flatten()
                .map_or(super::Without::CarryOn, |scheme| scheme.without);
            request::without_scheme(state, stamp, request, Some(slot), policy, out);
        }
        Stage::Issuer => {
            let (cause, reason) = if request.restarted {
                (ReversalCause::Restarted, CardReason::Restarted)
            } else {
                (ReversalCause::Silent, CardReason::IssuerSilent)
            };
            reverse(state, stamp, &request, cause, out);
            stand_in(state, stamp, &request, Some(slot), reason, out);
        }
    }
}

/// Tells the issuer, by its queue, that what it was asked about does not stand.
pub(super) fn reverse(
    state: &mut engine::State,
    stamp: Stamp,
    request: &InFlight,
    cause: ReversalCause,
    out: &mut Output,
) {
    let Some(about) = request.asked() else {
        return;
    };
    #[cfg(feature = "mutants")]
    if crate::mutants::is_on(&crate::mutants::FORGET_CARD_REVERSAL) {
        return;
    }
    let transaction = &request.transaction;
    let reversal = (cause == ReversalCause::Cancelled).then_some(stamp.position);
    let letter = Letter::Reversal {
        original: request.submitted,
        class: transaction.class,
        about,
        reversal,
        amount: transaction.amount,
        stands: Money::zero(transaction.amount.asset()),
        cause,
        session: state.cards.sessions.current(stamp.time),
    };
    queue::push(state, stamp, request.issuer, letter, out);
}

/// Approves for the issuer by the rule of the range, or declines.
pub(super) fn stand_in(
    state: &mut engine::State,
    stamp: Stamp,
    request: &InFlight,
    slot: Option<Slot>,
    otherwise: CardReason,
    out: &mut Output,
) {
    match standing_in::decide(state, stamp, request, otherwise) {
        Ok(code) => approve_for_issuer(state, stamp, request, slot, code, out),
        Err(reason) => decline(
            state,
            stamp,
            request,
            slot,
            declined(reason, None),
            None,
            out,
        ),
    }
}

fn approve_for_issuer(
    state: &mut engine::State,
    stamp: Stamp,
    request: &InFlight,
    slot: Option<Slot>,
    code: ApprovalCode,
    out: &mut Output,
) {
    let transaction = &request.transaction;
    let silent = request.stage == Stage::Issuer;
    let letter = Letter::Advice {
        original: request.submitted,
        class: transaction.class,
        about: None,
        amount: transaction.amount,
        approval: Some(code),
        by: if silent {
            AdvisedBy::StandInSilent
        } else {
            AdvisedBy::StandInUnavailable
        },
        session: request.session,
    };
    let asked = queue::push(state, stamp, request.issuer, letter, out);
    let decision = approved(Some(code), transaction.amount, Decider::StandIn);
    let end = End {
        decision,
        asked: Some(asked),
        answer: None,
        tell: true,
    };
    finish(state, stamp, request, slot, &end, out);
}

/// The issuer approved `amount`.
pub(super) fn approve(
    state: &mut engine::State,
    stamp: Stamp,
    request: &InFlight,
    slot: Slot,
    approval: Option<ApprovalCode>,
    amount: Money,
    out: &mut Output,
) {
    let end = End {
        decision: approved(approval, amount, Decider::Issuer),
        asked: request.asked(),
        answer: Some(stamp.position),
        tell: true,
    };
    finish(state, stamp, request, Some(slot), &end, out);
}

/// Declines; `answer` is the record that brought the decline, if one did.
pub(super) fn decline(
    state: &mut engine::State,
    stamp: Stamp,
    request: &InFlight,
    slot: Option<Slot>,
    decision: Decision,
    answer: Option<torap_domain::Position>,
    out: &mut Output,
) {
    let end = End {
        decision,
        asked: request.asked(),
        answer,
        tell: true,
    };
    finish(state, stamp, request, slot, &end, out);
}

/// The acquirer reversed the request before it was decided: it gets no answer.
pub(super) fn cancel(
    state: &mut engine::State,
    stamp: Stamp,
    request: &InFlight,
    slot: Slot,
    out: &mut Output,
) {
    reverse(state, stamp, request, ReversalCause::Cancelled, out);
    let end = End {
        decision: declined(CardReason::Reversed, None),
        asked: request.asked(),
        answer: None,
        tell: false,
    };
    finish(state, stamp, request, Some(slot), &end, out);
}

/// How a request ends.
struct End {
    decision: Decision,
    /// How the issuer knows it from now on.
    asked: Option<Trace>,
    answer: Option<torap_domain::Position>,
    /// Whether the acquirer is answered.
    tell: bool,
}

/// Remembers the outcome, moves the money of an approval, and answers the acquirer.
fn finish(
    state: &mut engine::State,
    stamp: Stamp,
    request: &InFlight,
    slot: Option<Slot>,
    end: &End,
    out: &mut Output,
) {
    let transaction = &request.transaction;
    if let Some(slot) = slot {
        state.cards.transactions.take(slot);
        if request.stage == Stage::Issuer
            && let Some(member) = state.cards.members.get_mut(request.asked_of)
        {
            member.asked = member.asked.saturating_sub(1);
        }
    }
    let amount = match end.decision {
        Decision::Approved { amount, .. } => Some(amount.minor()),
        Decision::Declined { .. } => None,
    };
    let moved = amount.filter(|_| transaction.class == Class::Financial && moves(request));
    let tariff = moved.and_then(|amount| {
        state.cards.fees.tariff(&Charged {
            product: request.product,
            service: transaction.service,
            channel: transaction.channel,
            mcc: transaction.mcc,
            amount,
            at: stamp.time,
        })
    });
    let fees = moved.map(|amount| state.cards.fees.fees(tariff, amount));
    state.cards.transactions.remember(Entry {
        key: transaction.key,
        fingerprint: transaction.fingerprint,
        sender: request.sender,
        transmitted: request.transmitted,
        what: What::Transaction(Decided {
            decision: end.decision,
            submitted: request.submitted,
            answer: end.answer,
            stands: amount.unwrap_or(0),
            card: transaction.card.hash,
            class: transaction.class,
            service: transaction.service,
            acquirer: request.acquirer,
            issuer: request.issuer,
            session: request.session,
            tariff,
            asked: end.asked,
            silent: silent(request, end),
            completes: None,
            advice: false,
        }),
    });
    out.card_event(Event::Decided(request.finished(
        stamp,
        end.decision,
        end.asked,
        fees,
    )));
    if let Some(amount) = amount {
        carry_out(state, stamp, request, amount, end.asked, fees, out);
    }
    if end.tell {
        tell(request, stamp, end, fees, out);
    }
    if slot.is_some() {
        sessions::leave(state, stamp, request.session, out);
    }
}

fn moves(request: &InFlight) -> bool {
    request.transaction.service.direction() != torap_domain::card::Direction::None
}

/// The ask whose answer would be late from now on.
fn silent(request: &InFlight, end: &End) -> Option<(torap_domain::ParticipantId, Trace)> {
    let asked = (request.stage == Stage::Issuer).then_some((request.asked_of, request.trace));
    asked.filter(|_| end.answer.is_none())
}

/// Remembers an authorisation, or moves the money.
fn carry_out(
    state: &mut engine::State,
    stamp: Stamp,
    request: &InFlight,
    amount: u64,
    asked: Option<Trace>,
    fees: Option<Fees>,
    out: &mut Output,
) {
    let transaction = &request.transaction;
    if request.authorises() && amount > 0 {
        state.cards.authorisations.insert(
            stamp.time,
            transaction.key,
            request.submitted,
            transaction.card.hash,
            (transaction.service, transaction.mcc),
            (request.acquirer, request.issuer),
            asked,
            amount,
        );
    }
    if let Some(fees) = fees {
        let movement = Movement {
            key: transaction.key,
            session: request.session,
            direction: transaction.service.direction(),
            acquirer: request.acquirer,
            issuer: request.issuer,
            amount,
            fees,
            reversal: false,
        };
        postings::post(state, stamp, &movement, out);
    }
}

fn tell(request: &InFlight, stamp: Stamp, end: &End, fees: Option<Fees>, out: &mut Output) {
    let message = Message::Answer {
        original: request.submitted,
        class: request.transaction.class,
        references: request.transaction.references,
        decision: end.decision,
        answer: end.answer,
        session: request.session,
        fees,
        again: false,
    };
    let link = Some(request.link);
    out.cards
        .push(request::effect(stamp, request.sender, link, message));
}

#[cfg(test)]
mod tests;
