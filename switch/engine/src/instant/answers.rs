//! Answers of the payee's bank: to the payment itself (pacs.002) and to the question who holds the account (acmt.024).
//!
//! An answer after the decision never moves money; it gets an explicit reply with the outcome that stands.

use torap_domain::{ParticipantId, Reason, Uetr};

use super::{
    Answer, ConfirmAnswer, FinalOutcome, Finished, Found, Verdict, asks::Ask, decision, payment,
    payments::Slot,
};
use crate::{Event, Outcome, Output, Stamp, engine};

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
    let reason = match waiting(state, stamp, link, &answer.uetr, Ask::Acceptance, out) {
        Waiting::Over(finished) => return late(state, stamp, link, answer, &finished, out),
        Waiting::Nothing => Reason::OriginalUnknown,
        Waiting::For(slot) => {
            let payment = state.instant.payments.get(slot);
            let stated = payment.map(|payment| payment.references.transaction_id);
            if stated == Some(answer.transaction_id) {
                decide(state, stamp, slot, answer.verdict, out);
                return Outcome::Accepted;
            }
            Reason::OriginalMismatch
        }
    };
    state.links.reject(out, stamp, source, reason)
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
        // Nobody asks any more: the payment was given up without the payee's bank having heard of it.
        Waiting::Over(_) | Waiting::Nothing => {
            let reason = Reason::OriginalUnknown;
            state.links.reject(out, stamp, source, reason)
        }
        Waiting::For(slot) => {
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

/// What an answer finds.
enum Waiting {
    For(Slot),
    /// The payment has been decided.
    Over(Finished),
    /// No payment waits for this bank's answer, as far as this bank may know.
    Nothing,
}

/// The payment of this UETR, if it waits for `ask` from the bank of this link; one whose deadline has passed is decided first.
/// Whoever is not asked learns nothing of a payment under way.
fn waiting(
    state: &mut engine::State,
    stamp: Stamp,
    link: ParticipantId,
    uetr: &Uetr,
    ask: Ask,
    out: &mut Output,
) -> Waiting {
    let payments = &state.instant.payments;
    let slot = match payments.find_uetr(uetr) {
        None => return Waiting::Nothing,
        Some(Found::Finished(finished)) => return Waiting::Over(finished),
        Some(Found::UnderWay(slot)) => slot,
    };
    let asked = payments.get(slot).is_some_and(|payment| {
        payment.ask == ask && state.participants.acts_for(link, payment.creditor_agent)
    });
    if !asked {
        return Waiting::Nothing;
    }
    if !decision::expire_if_due(state, stamp, slot, out) {
        return Waiting::For(slot);
    }
    match state.instant.payments.find_uetr(uetr) {
        Some(Found::Finished(finished)) => Waiting::Over(finished),
        Some(Found::UnderWay(_)) | None => Waiting::Nothing,
    }
}

fn decide(state: &mut engine::State, stamp: Stamp, slot: Slot, verdict: Verdict, out: &mut Output) {
    match verdict {
        Verdict::Accept => decision::settle(state, stamp, slot, out),
        Verdict::Reject { agent_code } => {
            let reason = Reason::ReceiverRejected;
            decision::give_up(state, stamp, slot, reason, Some(agent_code), out);
        }
    }
}

/// The payment was decided before.
fn late(
    state: &mut engine::State,
    stamp: Stamp,
    link: ParticipantId,
    answer: &Answer,
    finished: &Finished,
    out: &mut Output,
) -> Outcome {
    let asked = finished.outcome != FinalOutcome::Tombstone
        && state.participants.acts_for(link, finished.creditor_agent);
    if !asked {
        let reason = Reason::OriginalUnknown;
        return state.links.reject(out, stamp, &answer.source, reason);
    }
    out.event(Event::LateAnswer {
        key: finished.key,
        accepted: answer.verdict == Verdict::Accept,
        decided_at: finished.decided_at,
    });
    #[cfg(feature = "mutants")]
    if crate::mutants::is_on(&crate::mutants::LATE_ACCEPTANCE_PAYS)
        && answer.verdict == Verdict::Accept
        && finished.outcome != FinalOutcome::Settled
        && let Some(debit) = state.participants.account(finished.debtor_agent)
        && let Some(credit) = state.participants.account(finished.creditor_agent)
    {
        let _ = state.ledger.transfer(debit, credit, finished.amount);
    }
    decision::answer_again(state, stamp, link, finished, None, out);
    Outcome::Accepted
}

/// A favourable answer: the next ask, or the post.
fn go_on(state: &mut engine::State, stamp: Stamp, slot: Slot, out: &mut Output) {
    let Some(payment) = state.instant.payments.get(slot) else {
        return;
    };
    match payment.ask.next() {
        None => decision::settle(state, stamp, slot, out),
        Some(ask) => {
            let settings = &state.instant.settings;
            let deadline = ask.deadline(settings, stamp.time, payment.payment_deadline);
            let payments = &mut state.instant.payments;
            payments.ask(slot, ask, stamp.position, deadline);
            if let Some(payment) = payments.get(slot).copied() {
                payment::send_ask(state, stamp, &payment, out);
            }
        }
    }
}

#[cfg(test)]
mod tests;
