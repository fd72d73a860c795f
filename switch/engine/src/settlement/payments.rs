//! A payment from its arrival to its end, and what the operator may do to it in between.

use torap_domain::{ParticipantId, Position, Reason, Time};

use super::{
    Change, DAY_PAYMENTS_MAX, Done, End, Event, Open, Payment, Priority, QUEUE_MAX, Seen, State,
    changes::{self, Values},
    direct, in_tenge, liquidity,
    parties::RULES_PARTIES,
    told::Entrant,
};
use crate::{Output, Stamp, engine};

impl State {
    /// Refuses while there is no business day, or it is at its end.
    pub(crate) fn is_open(&self) -> Result<(), Reason> {
        self.running().map(|_| ())
    }

    pub(super) fn running(&self) -> Result<Open, Reason> {
        let open = self.open.filter(|_| self.ending.is_none());
        open.ok_or(Reason::ImtsClosed)
    }
}

/// Takes a payment in, and settles it if it can.
pub(super) fn pay(
    state: &mut engine::State,
    stamp: Stamp,
    payment: &Payment,
    entrant: Entrant,
    out: &mut Output,
) -> Result<(), Reason> {
    let names = state.names(entrant.parties, payment);
    check(state, stamp, payment, names)?;
    state.settlement.told.is_free(&entrant)?;
    let by_parties = state.rules >= RULES_PARTIES;
    let settlement = &mut state.settlement;
    let key = (names, payment.reference);
    let seen = Seen {
        to: payment.to,
        amount: payment.amount,
    };
    settlement.seen.insert(key, seen);
    settlement.told.enter(stamp, payment, &entrant);
    if by_parties {
        settlement.remember_parties(stamp.position, payment, entrant.parties);
    }
    settlement.queue.push(stamp.position, *payment);
    liquidity::credited(state, stamp, payment.from, out);
    if state.settlement.queue.get(stamp.position).is_some() {
        state.settlement.told.queued(stamp, stamp.position);
        out.settlement_event(Event::Queued { id: stamp.position });
    }
    Ok(())
}

/// The rules for taking a payment in; `names` is whose reference it has.
pub(super) fn check(
    state: &engine::State,
    stamp: Stamp,
    payment: &Payment,
    names: ParticipantId,
) -> Result<(), Reason> {
    let settlement = &state.settlement;
    settlement.is_open()?;
    let (from, to) = (direct(state, payment.from)?, direct(state, payment.to)?);
    if let Some(seen) = settlement.seen.get(&(names, payment.reference)) {
        let same = seen.to == to && seen.amount == payment.amount;
        return Err(if same {
            Reason::DuplicateReplay
        } else {
            Reason::DuplicateMismatch
        });
    }
    state.participants.may_debit(from)?;
    state.participants.may_credit(to)?;
    if from == to {
        return Err(Reason::SameParticipant);
    }
    let cut_off = settlement.open.and_then(|open| open.cut_off);
    if payment.priority == Priority::Normal && cut_off.is_some_and(|cut_off| stamp.time >= cut_off)
    {
        return Err(Reason::CutOffPassed);
    }
    in_tenge(payment.amount)?;
    if payment.amount.is_zero() {
        return Err(Reason::AmountZero);
    }
    if payment.reference.is_empty() || !times_are_sound(payment, stamp.time) {
        return Err(Reason::OperatorRefused);
    }
    let full = settlement.queue.len() >= QUEUE_MAX || settlement.seen.len() >= DAY_PAYMENTS_MAX;
    if full {
        return Err(Reason::InternalLimit);
    }
    Ok(())
}

/// The latest time lies ahead, and behind the earliest.
fn times_are_sound(payment: &Payment, now: Time) -> bool {
    let Some(latest) = payment.latest else {
        return true;
    };
    latest > now && payment.earliest.is_none_or(|earliest| earliest < latest)
}

pub(super) fn change(
    state: &mut engine::State,
    stamp: Stamp,
    id: Position,
    change: Change,
    out: &mut Output,
) -> Result<(), Reason> {
    let queue = &mut state.settlement.queue;
    let waiting = queue.get(id).copied();
    let waiting = waiting.ok_or(Reason::QueuedPaymentUnknown)?;
    let payer = waiting.payment.from;
    let moved = match change {
        Change::Times { earliest, latest } => {
            let values = Values {
                priority: None,
                earliest,
                latest,
            };
            changes::may_change(stamp, &waiting, &values)?;
            changes::set(state, stamp, id, &values, out);
            return Ok(());
        }
        Change::Priority(priority) => queue.set_priority(id, priority, stamp.position),
        Change::ToHead => queue.move_to_head(id),
        Change::ToTail => queue.move_to_tail(id, stamp.position),
        Change::Withdraw => {
            finish(state, stamp, id, End::Withdrawn, out);
            true
        }
    };
    assert!(moved, "a payment that was found is moved");
    // Another one stands at the head now.
    liquidity::credited(state, stamp, payer, out);
    Ok(())
}

/// Takes a payment out of the queue with its end.
pub(super) fn finish(
    state: &mut engine::State,
    stamp: Stamp,
    id: Position,
    end: End,
    out: &mut Output,
) {
    let Some(waiting) = state.settlement.queue.remove(id) else {
        return;
    };
    let payment = waiting.payment;
    let done = Done {
        id,
        from: payment.from,
        to: payment.to,
        amount: payment.amount,
        reference: payment.reference,
        end,
        at: stamp.time,
    };
    state.settlement.remember(done);
    let told = &mut state.settlement.told;
    told.ended(stamp, &done, payment.priority);
    out.settlement_event(Event::Finished(done));
}

/// The first time of the queue has come: a payment may settle from now on, or not any more.
pub(super) fn expire(state: &mut engine::State, stamp: Stamp, out: &mut Output) {
    let queue = &mut state.settlement.queue;
    let Some((time, id)) = queue.pop_time() else {
        return;
    };
    let Some(payment) = queue.get(id).map(|waiting| waiting.payment) else {
        return;
    };
    if payment.latest == Some(time) {
        let end = End::Rejected(Reason::LatestTimePassed);
        finish(state, stamp, id, end, out);
    }
    liquidity::credited(state, stamp, payment.from, out);
}
