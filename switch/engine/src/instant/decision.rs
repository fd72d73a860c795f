//! The end of a payment: posted, or given up with a reason. Only the switch decides, by its own clock, and only once.

use torap_domain::{Date, ParticipantId, Reason, Uetr};

use super::{FinalOutcome, Finished, Found, PaymentKey, in_flight::InFlight, payments::Slot};
use crate::{
    Event, Message, Output, References, Stamp, Status, engine, links::Letter, participants::watch,
};

/// Posts what was held: the payment is settled.
pub(super) fn settle(state: &mut engine::State, stamp: Stamp, slot: Slot, out: &mut Output) {
    let outcome = FinalOutcome::Settled;
    let Some((payment, finished)) = state.instant.payments.decide(slot, stamp, outcome) else {
        return;
    };
    if let Some((debit, credit)) = payment.hold {
        let posted = state.ledger.post(debit, credit, payment.amount);
        // The hold was made with these accounts and this amount, so the ledger cannot refuse; if it does, its sums are wrong
        // and no further decision may be built on them.
        assert!(posted.is_ok(), "posting a hold: {posted:?}");
        #[cfg(feature = "mutants")]
        if crate::mutants::is_on(&crate::mutants::POST_TWICE) {
            let _ = state.ledger.transfer(debit, credit, payment.amount);
        }
    }
    if let Some(code) = &payment.qr {
        state.qr.pay(payment.creditor_agent, code, stamp.time);
    }
    out.event(Event::PaymentFinished(finished));
    tell(state, stamp, &payment, Status::Settled, true, out);
    watch(state, stamp, payment.creditor_agent, out);
}

/// Releases what was held: the payment is rejected. The payee's bank is told if it has been sent the payment.
pub(super) fn give_up(
    state: &mut engine::State,
    stamp: Stamp,
    slot: Slot,
    reason: Reason,
    agent_code: Option<[u8; 4]>,
    out: &mut Output,
) {
    let outcome = FinalOutcome::Rejected { reason, agent_code };
    let Some((payment, finished)) = state.instant.payments.decide(slot, stamp, outcome) else {
        return;
    };
    #[cfg(feature = "mutants")]
    let payment = InFlight {
        hold: payment
            .hold
            .filter(|_| !crate::mutants::is_on(&crate::mutants::FORGET_HOLD)),
        ..payment
    };
    if let Some((debit, credit)) = payment.hold {
        let voided = state.ledger.void(debit, credit, payment.amount);
        assert!(voided.is_ok(), "voiding a hold: {voided:?}");
    }
    if let Some(code) = &payment.qr {
        state.qr.release(payment.creditor_agent, code, stamp.time);
    }
    let today = Date::from_time(stamp.time);
    state.instant.limits.give_back(&payment.usage, today);
    out.event(Event::PaymentFinished(finished));
    let status = Status::Rejected { reason, agent_code };
    tell(state, stamp, &payment, status, payment.ask.forwarded(), out);
    watch(state, stamp, payment.debtor_agent, out);
}

/// Decides the payment whose deadline comes first, which has passed.
pub(crate) fn expire_first(state: &mut engine::State, stamp: Stamp, out: &mut Output) {
    if let Some((_, _, slot)) = state.instant.payments.first_due() {
        expire(state, stamp, slot, out);
    }
}

/// Decides a payment whose deadline has passed, though no Tick has come yet: whoever comes after the deadline is late.
/// True if it was decided.
pub(super) fn expire_if_due(
    state: &mut engine::State,
    stamp: Stamp,
    slot: Slot,
    out: &mut Output,
) -> bool {
    let payment = state.instant.payments.get(slot);
    let due = payment.is_some_and(|payment| payment.deadline <= stamp.time);
    if due {
        expire(state, stamp, slot, out);
    }
    due
}

/// The payment that has one of two identifiers, the key before the UETR; one whose deadline has passed is decided first.
pub(super) fn find(
    state: &mut engine::State,
    stamp: Stamp,
    key: &PaymentKey,
    uetr: &Uetr,
    out: &mut Output,
) -> Option<Found> {
    let payments = &state.instant.payments;
    let found = payments
        .find_key(key)
        .or_else(|| payments.find_uetr(uetr))?;
    if let Found::UnderWay(slot) = found
        && expire_if_due(state, stamp, slot, out)
    {
        let payments = &state.instant.payments;
        return payments.find_key(key).or_else(|| payments.find_uetr(uetr));
    }
    Some(found)
}

/// Answers with the outcome of a payment decided before. `original` is the message that is answered or, without references at
/// hand, the payment itself.
pub(crate) fn answer_again(
    state: &mut engine::State,
    stamp: Stamp,
    to: ParticipantId,
    finished: &Finished,
    references: Option<&References>,
    out: &mut Output,
) {
    let status = match finished.outcome {
        FinalOutcome::Settled => Status::Settled,
        FinalOutcome::Rejected { reason, agent_code } => Status::Rejected { reason, agent_code },
        FinalOutcome::Tombstone => Status::Rejected {
            reason: Reason::Tombstoned,
            agent_code: None,
        },
    };
    let original = match references {
        Some(_) => stamp.position,
        None => finished.submitted,
    };
    let message = Message::Status {
        original,
        status,
        decided: finished.decided,
        decided_at: finished.decided_at,
        repeat: true,
    };
    let mut letter = Letter::new(message).amount(finished.amount);
    if let Some(references) = references {
        letter = letter.references(references);
    }
    state.links.send(out, stamp, to, letter);
}

/// Remembers the outcome of a payment that was never under way.
pub(super) fn remember(state: &mut engine::State, finished: &Finished, out: &mut Output) {
    state.instant.payments.remember(finished);
    out.event(Event::PaymentFinished(*finished));
}

fn expire(state: &mut engine::State, stamp: Stamp, slot: Slot, out: &mut Output) {
    if let Some(payment) = state.instant.payments.get(slot) {
        let reason = payment
            .ask
            .silence(payment.deadline, payment.payment_deadline);
        give_up(state, stamp, slot, reason, None, out);
    }
}

/// Tells the payer's bank the outcome and, if it knows of the payment, the payee's bank.
fn tell(
    state: &mut engine::State,
    stamp: Stamp,
    payment: &InFlight,
    status: Status,
    forwarded: bool,
    out: &mut Output,
) {
    let message = Message::Status {
        original: payment.submitted,
        status,
        decided: stamp.position,
        decided_at: stamp.time,
        repeat: false,
    };
    let letter = Letter::new(message)
        .references(&payment.references)
        .amount(payment.amount);
    state.links.send(out, stamp, payment.reply_to, letter);
    if forwarded {
        state.links.send(out, stamp, payment.creditor_agent, letter);
    }
}
