//! The business day: from its opening to its end, when what waits is rejected and credit is repaid.

use torap_domain::{Money, ParticipantId, Position, Reason, Time};

use super::{End, Event, Open, payments, transfer};
use crate::{Output, Stamp, engine, participants::Direction};

/// Opens the day, or gives the open one another end.
pub(super) fn open(
    state: &mut engine::State,
    stamp: Stamp,
    until: Time,
    out: &mut Output,
) -> Result<(), Reason> {
    if until <= stamp.time {
        return Err(Reason::OperatorRefused);
    }
    let settlement = &mut state.settlement;
    if settlement.open.is_none() {
        settlement.seen.clear();
        settlement.paid.clear();
    }
    let set = stamp.position;
    settlement.open = Some(Open { until, set });
    out.settlement_event(Event::Opened { until });
    Ok(())
}

/// Ends the day: what waits is rejected, and intraday credit is repaid from the instant position as far as that goes. What is
/// still owed then stays on the account, within its line, and is told.
pub(super) fn close(state: &mut engine::State, stamp: Stamp, out: &mut Output) {
    state.settlement.open = None;
    state.settlement.again.clear();
    state.settlement.again_since = None;
    let waiting: Vec<Position> = state
        .settlement
        .queue
        .all()
        .map(|waiting| waiting.id)
        .collect();
    for id in waiting {
        let end = End::Rejected(Reason::InsufficientFunds);
        payments::finish(state, stamp, id, end, out);
    }
    for participant in state.participants.ids() {
        repay(state, stamp, participant, out);
    }
    out.settlement_event(Event::Closed);
}

fn repay(state: &mut engine::State, stamp: Stamp, participant: ParticipantId, out: &mut Output) {
    let owed = state.intraday_credit(participant);
    if owed == 0 {
        return;
    }
    let position = state.participants.account(participant);
    let available = position.map_or(0, |position| state.ledger.available(position));
    let back = owed.min(u64::try_from(available.max(0)).unwrap_or(u64::MAX));
    let amount = Money::kzt(back);
    if back > 0 {
        // Refused only when a sum of the ledger is full; then all of it stays owed, which is told below.
        let _ = transfer(state, stamp, participant, Direction::Out, amount, out);
    }
    let owed = state.intraday_credit(participant);
    if owed > 0 {
        let amount = Money::kzt(owed);
        out.settlement_event(Event::Overnight {
            participant,
            amount,
        });
    }
}

impl engine::State {
    /// How far below zero a settlement account stands, in minor units.
    pub(super) fn intraday_credit(&self, participant: ParticipantId) -> u64 {
        let account = self.settlement_account(participant);
        let balance = account.map_or(0, |account| self.ledger.balance(account));
        u64::try_from(balance.min(0).unsigned_abs()).unwrap_or(u64::MAX)
    }
}
