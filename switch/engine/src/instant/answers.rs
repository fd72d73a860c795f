//! Answers of the payee's bank: to the payment itself (pacs.002) and to the question who holds the account (acmt.024).
//!
//! An answer after the decision never moves money; it gets an explicit reply with the outcome that stands.

use torap_domain::{ParticipantId, Reason, Uetr};

use super::{
    Answer, ConfirmAnswer, FinalOutcome, Verdict, asks::Ask, decision, in_flight::Slot, payment,
};
use crate::{Event, Outcome, Output, Source, Stamp, engine};

/// pacs.002 of the payee's bank.
pub(super) fn apply(
    state: &mut engine::State,
    stamp: Stamp,
    answer: &Answer,
    out: &mut Output,
) -> Outcome {
    let source = &answer.source;
    let Some(link) = source.link() else {
        return state
            .links
            .reject(out, stamp, source, Reason::UnboundSender);
    };
    match waiting(state, stamp, link, &answer.uetr, Ask::Acceptance, out) {
        Err(reason) => state.links.reject(out, stamp, source, reason),
        Ok(None) => late(state, stamp, source, link, answer, out),
        Ok(Some(slot)) => {
            let payment = state.instant.in_flight.get(slot);
            let stated = payment.map(|payment| payment.references.transaction_id);
            if stated != Some(answer.transaction_id) {
                let reason = Reason::OriginalMismatch;
                return state.links.reject(out, stamp, source, reason);
            }
            match answer.verdict {
                Verdict::Accept => decision::settle(state, stamp, slot, out),
                Verdict::Reject { agent_code } => {
                    let reason = Reason::ReceiverRejected;
                    decision::give_up(state, stamp, slot, reason, Some(agent_code), out);
                }
            }
            Outcome::Accepted
        }
    }
}

/// acmt.024 of the payee's bank to the switch's acmt.023.
pub(super) fn apply_confirmation(
    state: &mut engine::State,
    stamp: Stamp,
    answer: &ConfirmAnswer,
    out: &mut Output,
) -> Outcome {
    let source = &answer.source;
    let Some(link) = source.link() else {
        return state
            .links
            .reject(out, stamp, source, Reason::UnboundSender);
    };
    match waiting(state, stamp, link, &answer.uetr, Ask::Confirmation, out) {
        Err(reason) => state.links.reject(out, stamp, source, reason),
        // Nobody asks any more: the payment was given up without the payee's bank having heard of it.
        Ok(None) => {
            let reason = Reason::OriginalUnknown;
            state.links.reject(out, stamp, source, reason)
        }
        Ok(Some(slot)) => {
            if answer.confirmed {
                go_on(state, stamp, slot, out);
            } else {
                let reason = Reason::ConfirmationRefused;
                decision::give_up(state, stamp, slot, reason, None, out);
            }
            Outcome::Accepted
        }
    }
}

/// The payment of this UETR that waits for `ask` from the bank of this link; `None` if no payment of the UETR is under way
/// (any more). Whoever is not asked learns nothing of the payment.
fn waiting(
    state: &mut engine::State,
    stamp: Stamp,
    link: ParticipantId,
    uetr: &Uetr,
    ask: Ask,
    out: &mut Output,
) -> Result<Option<Slot>, Reason> {
    let in_flight = &state.instant.in_flight;
    let Some(slot) = in_flight.slot_of_uetr(uetr) else {
        return Ok(None);
    };
    let asked = in_flight.get(slot).is_some_and(|payment| {
        payment.ask == ask && state.participants.acts_for(link, payment.creditor_agent)
    });
    if !asked {
        return Err(Reason::OriginalUnknown);
    }
    if decision::expire_if_due(state, stamp, slot, out) {
        return Ok(None);
    }
    Ok(Some(slot))
}

/// The payment was decided before, or was never there.
fn late(
    state: &mut engine::State,
    stamp: Stamp,
    source: &Source,
    link: ParticipantId,
    answer: &Answer,
    out: &mut Output,
) -> Outcome {
    let known = state.instant.window.find_uetr(&answer.uetr);
    let asked = known.filter(|finished| {
        finished.outcome != FinalOutcome::Tombstone
            && state.participants.acts_for(link, finished.creditor_agent)
    });
    let Some(finished) = asked else {
        let reason = Reason::OriginalUnknown;
        return state.links.reject(out, stamp, source, reason);
    };
    out.event(Event::LateAnswer {
        key: finished.key,
        accepted: answer.verdict == Verdict::Accept,
        decided_at: finished.decided_at,
    });
    decision::answer_again(state, stamp, link, &finished, None, out);
    Outcome::Accepted
}

/// A favourable answer: the next ask, or the post.
fn go_on(state: &mut engine::State, stamp: Stamp, slot: Slot, out: &mut Output) {
    let Some(payment) = state.instant.in_flight.get(slot) else {
        return;
    };
    match payment.ask.next() {
        None => decision::settle(state, stamp, slot, out),
        Some(ask) => {
            let settings = &state.instant.settings;
            let deadline = ask.deadline(settings, stamp.time, payment.payment_deadline);
            let in_flight = &mut state.instant.in_flight;
            in_flight.ask(slot, ask, stamp.position, deadline);
            if let Some(payment) = in_flight.get(slot).copied() {
                payment::send_ask(state, stamp, &payment, out);
            }
        }
    }
}
