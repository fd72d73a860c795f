//! What a bank changes of its own payment that waits, by camt.007; the operator's change of the same kind goes the same way.

use torap_domain::{Bic, MessageId, ParticipantId, Position, Reason, Time, TransactionId, Uetr};

use super::{Priority, doors, liquidity, queue::Waiting, told::Told};
use crate::{Event as Any, Message, Outcome, Output, Receipt, Source, Stamp, Withdrawal, engine};

/// A camt.007.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Modification {
    pub source: Source,
    pub message_id: MessageId,
    /// Number of the message's version.
    pub message_version: u8,
    /// Whose payment.
    pub agent: Bic,
    pub uetr: Uetr,
    /// Has to agree, if it is given.
    pub transaction_id: Option<TransactionId>,
    /// None: as it is. So with the times.
    pub priority: Option<Priority>,
    pub earliest: Option<Time>,
    pub latest: Option<Time>,
}

/// New values of a payment that waits; none: as it is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Values {
    pub(super) priority: Option<Priority>,
    pub(super) earliest: Option<Time>,
    pub(super) latest: Option<Time>,
}

/// A bank's change; answered in every case, before what comes of the payment.
pub(super) fn modify(
    state: &mut engine::State,
    stamp: Stamp,
    modification: &Modification,
    out: &mut Output,
) -> Outcome {
    let sender = doors::sender(state, &modification.source, &modification.agent);
    let (link, sender) = match sender {
        Ok(found) => found,
        Err(reason) => return state.links.reject(out, stamp, &modification.source, reason),
    };
    let values = Values {
        priority: modification.priority,
        earliest: modification.earliest,
        latest: modification.latest,
    };
    let found = own(state, (link, sender), modification).and_then(|waiting| {
        let checked = may_change(stamp, &waiting, &values);
        checked.map_err(|reason| Receipt::Refused { reason })?;
        Ok(waiting.id)
    });
    let receipt = found.err().unwrap_or(Receipt::Done);
    let message = Message::ImtsReceipt {
        original: stamp.position,
        receipt,
    };
    // Behind what the payment was told before, and before what it is told now.
    let letter = Told { to: link, message };
    state.settlement.told.push(stamp, letter);
    match (found, receipt) {
        (Ok(id), _) => {
            set(state, stamp, id, &values, out);
            Outcome::Accepted
        }
        (Err(_), Receipt::Refused { reason }) => refused(reason, out),
        (Err(_), _) => refused(Reason::QueuedPaymentUnknown, out),
    }
}

fn refused(reason: Reason, out: &mut Output) -> Outcome {
    out.event(Any::Refused { reason });
    Outcome::Refused(reason)
}

/// The payment that waits and that the sender has given, or why there is none.
fn own(
    state: &engine::State,
    (link, sender): (ParticipantId, ParticipantId),
    modification: &Modification,
) -> Result<Waiting, Receipt> {
    let unchanged = |withdrawal| Receipt::Unchanged { withdrawal };
    let settlement = &state.settlement;
    let known = settlement.told.by_uetr(&modification.uetr);
    let is_named = |reference: &str| {
        let id = modification.transaction_id.as_ref();
        id.is_none_or(|id| id.as_str() == reference)
    };
    let own = known.filter(|(_, known)| {
        doors::gave(state, (link, sender), known) && is_named(known.reference.as_str())
    });
    let (id, known) = own.ok_or(unchanged(Withdrawal::Unknown))?;
    let waiting = settlement.queue.get(id).copied();
    let waiting = waiting.ok_or(unchanged(if known.settled {
        Withdrawal::Settled
    } else {
        Withdrawal::Ended
    }))?;
    // What the central bank has entered is not the bank's to change.
    if waiting.payment.priority == Priority::CentralBank {
        return Err(Receipt::Refused {
            reason: Reason::OperatorRefused,
        });
    }
    Ok(waiting)
}

/// The latest time lies ahead, and behind the earliest.
pub(super) fn may_change(stamp: Stamp, waiting: &Waiting, values: &Values) -> Result<(), Reason> {
    let earliest = values.earliest.or(waiting.payment.earliest);
    let Some(latest) = values.latest.or(waiting.payment.latest) else {
        return Ok(());
    };
    if latest <= stamp.time {
        return Err(Reason::LatestTimePassed);
    }
    if earliest.is_some_and(|earliest| earliest >= latest) {
        return Err(Reason::OperatorRefused);
    }
    Ok(())
}

/// Gives a payment that waits its new values, and tries its payer's queue.
pub(super) fn set(
    state: &mut engine::State,
    stamp: Stamp,
    id: Position,
    values: &Values,
    out: &mut Output,
) {
    let queue = &mut state.settlement.queue;
    let Some(payment) = queue.get(id).map(|waiting| waiting.payment) else {
        return;
    };
    if values.earliest.is_some() || values.latest.is_some() {
        queue.set_times(id, values.earliest, values.latest);
    }
    // The priority that it has already leaves it in its place.
    let other = values.priority.filter(|new| *new != payment.priority);
    if let Some(priority) = other {
        queue.set_priority(id, priority, stamp.position);
    }
    // Another one may stand at the head now, or this one may be due.
    liquidity::credited(state, stamp, payment.from, out);
}

#[cfg(test)]
mod tests;
