//! A new request (0100, 0200): repeat or new, admitted or declined, and who is asked about it.
//!
//! What was seen before is answered before anything is checked, so that a repeat gets the first answer even if a member or a limit
//! has changed since. Then the rules follow in the order of [`CardReason`], and the first that is broken is the answer. What
//! anybody could have sent (a wrong MAC, somebody else's institution), and what may be gone in a moment, is not remembered.

use torap_domain::{
    CardReason, Date, Money, ParticipantId, Position, Time,
    card::{Stan, Transmission},
};

use super::{
    BinRange, CardKey, Decision, Effect, Enrichment, Event, Fingerprint, LinkNumber, Message,
    Origin, Request, Trace, Without, decision,
    in_flight::{InFlight, Stage},
    rules,
    transactions::{Found, Slot},
    window::{Decided, Entry, What, declined},
};
use crate::{Outcome, Output, Stamp, engine};

pub(super) fn apply(
    state: &mut engine::State,
    stamp: Stamp,
    request: &Request,
    out: &mut Output,
) -> Outcome {
    let transaction = &request.transaction;
    let origin = &request.origin;
    let prepared = sender(state, stamp, request);
    let (acquirer, transmitted) = match prepared {
        Ok(prepared) => prepared,
        Err(reason) => return refuse(state, stamp, request, reason, out),
    };
    match seen_before(
        state,
        stamp,
        &transaction.key,
        &transaction.fingerprint,
        out,
    ) {
        Seen::Never => {}
        Seen::UnderWay(slot) => {
            state.cards.transactions.answer_to(slot, origin.link);
            return Outcome::Accepted;
        }
        Seen::Decided(decided) if !decided.advice => {
            answer_again(state, stamp, request, &decided, out);
            return Outcome::Accepted;
        }
        Seen::Blocked => return refuse(state, stamp, request, CardReason::Blocked, out),
        Seen::Decided(_) | Seen::Reversal(..) | Seen::Other => {
            return refuse(state, stamp, request, CardReason::DuplicateMismatch, out);
        }
    }
    if state
        .cards
        .transactions
        .may_have_dropped(origin.participant, transmitted)
    {
        return refuse(state, stamp, request, CardReason::TransmissionTime, out);
    }
    let mut pending = pending(state, stamp, request, acquirer, transmitted);
    match rules::admit(state, stamp, request, acquirer) {
        Ok(range) => {
            route(&mut pending, &range);
            start(state, stamp, pending, request.token, out);
        }
        Err((reason, _)) if rules::is_transient(reason) => {
            return refuse(state, stamp, request, reason, out);
        }
        Err((reason, range)) => {
            if let Some(range) = range {
                route(&mut pending, &range);
            }
            decision::decline(
                state,
                stamp,
                &pending,
                None,
                declined(reason, None),
                None,
                out,
            );
        }
    }
    Outcome::Accepted
}

/// Who sends, and when: what must be right before a message may use up its identity.
fn sender(
    state: &engine::State,
    stamp: Stamp,
    request: &Request,
) -> Result<(ParticipantId, Time), CardReason> {
    let transaction = &request.transaction;
    let members = &state.cards.members;
    members.signed_on(&request.origin, transaction.mac)?;
    let acquirer = members.acquirer(&request.origin, transaction.references.acquirer)?;
    rules::check_role(state, acquirer)?;
    let settings = &state.cards.settings;
    let transmitted = rules::transmitted(state, stamp, transaction.references.trace.transmitted)?;
    if transmitted < stamp.time.saturating_sub(settings.transmission_age_max) {
        return Err(CardReason::TransmissionTime);
    }
    Ok((acquirer, transmitted))
}

/// What is known of a key.
pub(super) enum Seen {
    Never,
    UnderWay(Slot),
    Decided(Decided),
    /// How it was answered, and in which session it counts.
    Reversal(Option<CardReason>, Date),
    Blocked,
    /// The same key with other content.
    Other,
}

/// One whose deadline has passed is decided first.
pub(super) fn seen_before(
    state: &mut engine::State,
    stamp: Stamp,
    key: &CardKey,
    fingerprint: &Fingerprint,
    out: &mut Output,
) -> Seen {
    match decision::find(state, stamp, key, out) {
        None => Seen::Never,
        Some(Found::UnderWay(slot)) => {
            let request = state.cards.transactions.get(slot);
            let same =
                request.is_some_and(|request| request.transaction.fingerprint == *fingerprint);
            if same {
                Seen::UnderWay(slot)
            } else {
                Seen::Other
            }
        }
        Some(Found::Decided(_, entry)) => seen(&entry, fingerprint),
    }
}

fn seen(entry: &Entry, fingerprint: &Fingerprint) -> Seen {
    let same = entry.fingerprint == *fingerprint;
    match entry.what {
        What::Blocked => Seen::Blocked,
        What::Transaction(decided) if same => Seen::Decided(decided),
        What::Reversal { refusal, session } if same => Seen::Reversal(refusal, session),
        What::Transaction(_) | What::Reversal { .. } => Seen::Other,
    }
}

/// A request with what is known before its route.
fn pending(
    state: &engine::State,
    stamp: Stamp,
    request: &Request,
    acquirer: ParticipantId,
    transmitted: Time,
) -> InFlight {
    let whole = stamp.time.saturating_add(state.cards.settings.whole_within);
    InFlight {
        transaction: request.transaction,
        submitted: stamp.position,
        transmitted,
        sender: request.origin.participant,
        link: request.origin.link,
        acquirer,
        issuer: ParticipantId::SWITCH,
        product: 0,
        stand_in: 0,
        scheme: 0,
        session: state.cards.sessions.current(stamp.time),
        pin: request.pin,
        chip: request.chip,
        partial_supported: request.partial_supported,
        stage: Stage::New,
        asked_of: ParticipantId::SWITCH,
        trace: NO_TRACE,
        deadline: whole,
        whole,
        enrichment: Enrichment::NotAsked,
        restarted: false,
    }
}

/// Of a request that nobody was asked about.
const NO_TRACE: Trace = Trace {
    transmitted: Transmission::FIRST,
    stan: Stan::MIN,
};

fn route(pending: &mut InFlight, range: &BinRange) {
    pending.issuer = range.issuer;
    pending.product = range.product;
    pending.stand_in = range.stand_in;
    pending.scheme = range.scheme;
}

/// Asks the scheme, or the issuer; or stands in.
fn start(
    state: &mut engine::State,
    stamp: Stamp,
    mut pending: InFlight,
    token: bool,
    out: &mut Output,
) {
    let number = usize::from(pending.scheme);
    let scheme = state.cards.schemes.get(number).copied().flatten();
    let channel = pending.transaction.channel;
    let wanted = scheme.filter(|scheme| token || scheme.channels.has(channel));
    let issuer_reachable = state.cards.members.is_reachable(pending.issuer);
    let Some(scheme) = wanted.filter(|_| issuer_reachable) else {
        if token && pending.scheme != 0 {
            pending.enrichment = Enrichment::Missing;
        }
        ask_issuer(state, stamp, pending, None, out);
        return;
    };
    if !state.cards.members.is_reachable(scheme.host) {
        without_scheme(state, stamp, pending, None, scheme.without, out);
        return;
    }
    let host = state.cards.members.reach(scheme.host);
    pending.stage = Stage::Scheme;
    pending.asked_of = host;
    pending.trace = state.cards.members.next_trace(host, stamp);
    pending.deadline = stamp.time.saturating_add(scheme.within).min(pending.whole);
    let trace = pending.trace;
    let message = Message::Enquiry {
        original: stamp.position,
        trace,
        expires: pending.deadline,
    };
    admit_under_way(state, pending);
    out.cards.push(effect(stamp, host, None, message));
}

/// The scheme's data cannot be had.
pub(super) fn without_scheme(
    state: &mut engine::State,
    stamp: Stamp,
    mut request: InFlight,
    slot: Option<Slot>,
    policy: Without,
    out: &mut Output,
) {
    match policy {
        Without::CarryOn => {
            request.enrichment = Enrichment::Missing;
            ask_issuer(state, stamp, request, slot, out);
        }
        Without::Decline => {
            let decline = declined(CardReason::SchemeUnavailable, None);
            decision::decline(state, stamp, &request, slot, decline, None, out);
        }
    }
}

/// Sends the request to the issuer, or stands in for one that cannot be reached.
pub(super) fn ask_issuer(
    state: &mut engine::State,
    stamp: Stamp,
    mut request: InFlight,
    slot: Option<Slot>,
    out: &mut Output,
) {
    if !state.cards.members.is_reachable(request.issuer) {
        let otherwise = CardReason::IssuerUnavailable;
        decision::stand_in(state, stamp, &request, slot, otherwise, out);
        return;
    }
    let issuer_within = state.cards.settings.issuer_within;
    let reach = state.cards.members.reach(request.issuer);
    let trace = state.cards.members.next_trace(reach, stamp);
    request.stage = Stage::Issuer;
    request.asked_of = reach;
    request.trace = trace;
    request.deadline = stamp.time.saturating_add(issuer_within).min(request.whole);
    let message = Message::Request {
        original: request.submitted,
        class: request.transaction.class,
        trace,
        session: request.session,
        expires: request.deadline,
        enrichment: request.enrichment,
    };
    if let Some(member) = state.cards.members.get_mut(reach) {
        member.asked = member.asked.saturating_add(1);
    }
    match slot {
        None => admit_under_way(state, request),
        Some(slot) => {
            state.cards.transactions.ask(slot, |there| *there = request);
        }
    }
    out.cards.push(effect(stamp, reach, None, message));
}

fn admit_under_way(state: &mut engine::State, request: InFlight) {
    state.cards.sessions.enter(request.session);
    state.cards.transactions.admit(request);
}

/// Declines without remembering.
fn refuse(
    state: &mut engine::State,
    stamp: Stamp,
    request: &Request,
    reason: CardReason,
    out: &mut Output,
) -> Outcome {
    let transaction = &request.transaction;
    out.card_event(Event::Refused {
        participant: request.origin.participant,
        reason,
    });
    let message = Message::Answer {
        original: stamp.position,
        class: transaction.class,
        references: transaction.references,
        decision: declined(reason, None),
        answer: None,
        session: state.cards.sessions.current(stamp.time),
        fees: None,
        again: false,
    };
    out.cards.push(reply(stamp, &request.origin, message));
    Outcome::Accepted
}

/// The answer that was given before, to this repeat.
fn answer_again(
    state: &engine::State,
    stamp: Stamp,
    request: &Request,
    decided: &Decided,
    out: &mut Output,
) {
    let amount = match decided.decision {
        Decision::Approved { amount, .. } => amount,
        Decision::Declined { .. } => Money::zero(request.transaction.amount.asset()),
    };
    let fees = decided
        .tariff
        .map(|tariff| state.cards.fees.fees(Some(tariff), amount.minor()));
    let message = Message::Answer {
        original: stamp.position,
        class: decided.class,
        references: request.transaction.references,
        decision: decided.decision,
        answer: decided.answer,
        session: decided.session,
        fees,
        again: true,
    };
    out.cards.push(reply(stamp, &request.origin, message));
}

pub(super) fn reply(stamp: Stamp, origin: &Origin, message: Message) -> Effect {
    effect(stamp, origin.participant, Some(origin.link), message)
}

pub(super) fn effect(
    stamp: Stamp,
    to: ParticipantId,
    link: Option<LinkNumber>,
    message: Message,
) -> Effect {
    let Stamp { position, time } = stamp;
    let cause: Position = position;
    Effect {
        to,
        link,
        cause,
        time,
        message,
    }
}

#[cfg(test)]
mod tests;
