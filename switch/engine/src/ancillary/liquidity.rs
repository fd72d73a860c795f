//! Liquidity by rule: a position on the instant rail that falls below its floor is topped up from the settlement account while IMTS is
//! open, and what it has too much is swept back before the day ends. Both are liquidity transfers like those of the operator.

use torap_domain::{Money, ParticipantId, Position, Reason, Span, Time};

use super::State;
use crate::{Output, Stamp, engine, participants::Direction, settlement};

/// The rule of one participant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiquidityRule {
    /// Below this the position is topped up, …
    pub floor: Money,
    /// … to this, as far as the settlement account has it beside its reservation.
    pub target: Money,
    /// What is above this is swept; none sweeps nothing.
    pub keep: Option<Money>,
    /// How long before the end of the day it is swept.
    pub sweep_before: Span,
}

impl LiquidityRule {
    /// A top-up ends above the floor, and a sweep leaves no position below it.
    pub fn is_sound(&self) -> bool {
        let kzt = |money: Money| money.asset() == torap_domain::Asset::Kzt;
        kzt(self.floor)
            && kzt(self.target)
            && self.floor.minor() <= self.target.minor()
            && self
                .keep
                .is_none_or(|keep| kzt(keep) && self.floor.minor() <= keep.minor())
            && self.sweep_before <= Span::from_secs(24 * 3600)
    }
}

impl State {
    /// When the first position is swept: its time before the end of the open day, once a day.
    fn first_sweep(&self, until: Time) -> Option<Time> {
        let rules = self.rules.iter();
        let due = rules.filter(|(id, rule)| rule.keep.is_some() && !self.swept.contains(id));
        due.map(|(_, rule)| until.saturating_sub(rule.sweep_before))
            .min()
    }
}

pub(super) fn set(
    state: &mut engine::State,
    stamp: Stamp,
    participant: ParticipantId,
    rule: Option<LiquidityRule>,
    out: &mut Output,
) -> Result<(), Reason> {
    let participant = settlement::direct(state, participant)?;
    if rule.is_some_and(|rule| !rule.is_sound()) {
        return Err(Reason::OperatorRefused);
    }
    let rules = &mut state.ancillary.rules;
    match rule {
        Some(rule) => rules.insert(participant, rule),
        None => rules.remove(&participant),
    };
    plan(state, stamp);
    top_up(state, stamp, participant, out);
    Ok(())
}

/// The business day of IMTS has begun or has another end: positions are topped up, and swept before it.
pub(super) fn day_opened(state: &mut engine::State, stamp: Stamp, out: &mut Output) {
    state.ancillary.swept.clear();
    plan(state, stamp);
    let ids: Vec<ParticipantId> = state.ancillary.rules.keys().copied().collect();
    for participant in ids {
        top_up(state, stamp, participant, out);
    }
}

/// It is over.
pub(super) fn day_closed(state: &mut engine::State) {
    state.ancillary.sweep = None;
}

fn plan(state: &mut engine::State, stamp: Stamp) {
    let until = state.settlement.open_until();
    let due = until.and_then(|until| state.ancillary.first_sweep(until));
    state.ancillary.sweep = due.map(|due| (due.max(stamp.time), stamp.position));
}

/// Tops the position up on which a participant settles, if it has fallen below its floor.
pub(crate) fn top_up(
    state: &mut engine::State,
    stamp: Stamp,
    participant: ParticipantId,
    out: &mut Output,
) {
    if state.ancillary.rules.is_empty() || state.settlement.open_until().is_none() {
        return;
    }
    let settling = state.participants.settles_through(participant);
    let Some(rule) = state.ancillary.rules.get(&settling).copied() else {
        return;
    };
    let account = state.participants.account(settling);
    let available = account.map_or(0, |account| state.ledger.available(account));
    if available >= i128::from(rule.floor.minor()) {
        return;
    }
    let missing = i128::from(rule.target.minor()).saturating_sub(available);
    let missing = u64::try_from(missing.max(0)).unwrap_or(u64::MAX);
    let amount = missing.min(state.imts_funds(settling, true));
    if amount > 0 {
        let amount = Money::kzt(amount);
        // Refused only when a sum of the ledger is full: then nothing has moved.
        let _ = settlement::transfer(state, stamp, settling, Direction::In, amount, out);
    }
}

/// Sweeps every position whose time has come.
pub(super) fn sweep(state: &mut engine::State, stamp: Stamp, out: &mut Output) {
    let Some(until) = state.settlement.open_until() else {
        state.ancillary.sweep = None;
        return;
    };
    let rules = &state.ancillary.rules;
    let due: Vec<(ParticipantId, Money)> = rules
        .iter()
        .filter(|(id, rule)| {
            let time = until.saturating_sub(rule.sweep_before);
            time <= stamp.time && !state.ancillary.swept.contains(id)
        })
        .filter_map(|(id, rule)| rule.keep.map(|keep| (*id, keep)))
        .collect();
    for (participant, keep) in due {
        state.ancillary.swept.insert(participant);
        let account = state.participants.account(participant);
        let account = account.and_then(|account| state.ledger.account(account));
        let own = account.map_or(0, |account| {
            let line = i128::from(account.credit_line());
            account.available().saturating_sub(line)
        });
        let excess = own.saturating_sub(i128::from(keep.minor()));
        let Some(excess) = u64::try_from(excess).ok().filter(|excess| *excess > 0) else {
            continue;
        };
        let amount = Money::kzt(excess);
        if settlement::transfer(state, stamp, participant, Direction::Out, amount, out).is_ok() {
            state.settlement.try_again(participant);
        }
    }
    plan(state, stamp);
    settlement::run_queues(state, stamp, out);
}

/// When positions are swept next, and the record that set it.
pub(super) fn due(state: &State) -> Option<(Time, Position)> {
    state.sweep
}
