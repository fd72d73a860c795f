//! The guarantee fund: contributions, what a default takes of them, and how it comes back.

use torap_domain::{Date, Money, ParticipantId, Position, Reason};
use torap_settlement::cover::{Share, apportion};

use super::{
    CARD_TECHNICAL, Cause, DEFAULTS_MAX, Event, FundMove, card_nets::Net, contribution_key,
    in_tenge,
};
use crate::{Output, Stamp, engine, participants::Direction, settlement};

/// What a participant that was short still owes to those who bore it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultCase {
    /// The record that covered it.
    pub id: Position,
    pub session: Date,
    pub cycle: u16,
    pub debtor: ParticipantId,
    /// What it was short by, in minor units.
    pub short: u64,
    /// `owed` is what each creditor of the session is still owed, `owes` is zero.
    pub losses: Vec<Net>,
    /// The same for those whose contributions were used.
    pub fund: Vec<Net>,
}

impl DefaultCase {
    /// What has not been paid back, in minor units.
    pub fn left(&self) -> u64 {
        let all = self.losses.iter().chain(&self.fund);
        all.fold(0, |sum, net| sum.saturating_add(net.owed))
    }
}

/// A contribution covers its owner's debt and those of others, on the way to the creditors.
pub(super) fn use_contribution(
    state: &mut engine::State,
    participant: ParticipantId,
    share: &Share,
    out: &mut Output,
) {
    let Some(account) = state.contribution_account(participant) else {
        return;
    };
    let technical = state.ledger.open(CARD_TECHNICAL);
    for (amount, own) in [(share.own_contribution, true), (share.fund, false)] {
        if amount == 0 {
            continue;
        }
        let amount = Money::kzt(amount);
        let moved = state.ledger.transfer(account, technical, amount);
        assert!(moved.is_ok(), "a contribution that is there: {moved:?}");
        out.ancillary_event(Event::FundUsed {
            participant,
            amount,
            own,
        });
    }
}

/// Remembers who bore what for whom. With several debtors, each owes every bearer in proportion to what it was short by.
pub(super) fn remember(
    state: &mut engine::State,
    stamp: Stamp,
    session: Date,
    cycle: u16,
    outcome: &[(Net, Share)],
) {
    let shorts: Vec<u64> = outcome.iter().map(|(_, share)| share.short).collect();
    let debtors: Vec<(ParticipantId, u64)> = outcome
        .iter()
        .filter(|(_, share)| share.short > 0)
        .map(|(net, share)| (net.participant, share.short))
        .collect();
    for (debtor, short) in debtors {
        let place = outcome
            .iter()
            .position(|(net, _)| net.participant == debtor);
        let bears = |amount: fn(&Share) -> u64| {
            let nets = outcome.iter().filter_map(|(net, share)| {
                let parts = apportion(u128::from(amount(share)), &shorts);
                let owed = place.and_then(|place| parts.get(place).copied());
                owed.filter(|owed| *owed > 0).map(|owed| Net {
                    participant: net.participant,
                    owes: 0,
                    owed,
                })
            });
            nets.collect()
        };
        let default = DefaultCase {
            id: stamp.position,
            session,
            cycle,
            debtor,
            short,
            losses: bears(|share| share.loses),
            fund: bears(|share| share.fund),
        };
        let defaults = &mut state.ancillary.defaults;
        if defaults.len() >= DEFAULTS_MAX {
            defaults.pop_front();
        }
        defaults.push_back(default);
    }
}

/// Calls on everybody whose contribution was used for what is missing now.
pub(super) fn call_out(state: &engine::State, outcome: &[(Net, Share)], out: &mut Output) {
    for (net, share) in outcome {
        if share.own_contribution > 0 || share.fund > 0 {
            tell_missing(state, net.participant, out);
        }
    }
}

fn tell_missing(state: &engine::State, participant: ParticipantId, out: &mut Output) {
    let missing = state.missing_contribution(participant);
    if missing > 0 {
        out.ancillary_event(Event::TopUpCalled {
            participant,
            missing: Money::kzt(missing),
        });
    }
}

pub(super) fn change(
    state: &mut engine::State,
    stamp: Stamp,
    participant: ParticipantId,
    what: FundMove,
    amount: Money,
    out: &mut Output,
) -> Result<(), Reason> {
    let participant = settlement::direct(state, participant)?;
    in_tenge(amount)?;
    state.settlement.is_open()?;
    match what {
        FundMove::Contribute(Direction::In) => contribute(state, participant, amount, out),
        FundMove::Contribute(Direction::Out) => {
            take_back(state, participant, amount, out)?;
            settlement::credited(state, stamp, participant, out);
            Ok(())
        }
        FundMove::Recover { default } => recover(state, stamp, participant, default, amount, out),
    }
}

fn contribute(
    state: &mut engine::State,
    participant: ParticipantId,
    amount: Money,
    out: &mut Output,
) -> Result<(), Reason> {
    let account = state.settlement_account(participant);
    let account = account.ok_or(Reason::UnknownParticipant)?;
    if state.imts_available(participant) < i128::from(amount.minor()) {
        return Err(Reason::InsufficientFunds);
    }
    let fund = state.ledger.open(contribution_key(participant));
    let moved = state.ledger.transfer(account, fund, amount);
    moved.map_err(engine::refused_by_ledger)?;
    moved_event(
        participant,
        Cause::GuaranteeFund,
        Direction::Out,
        amount,
        out,
    );
    Ok(())
}

/// Only what is above the requirement comes back.
fn take_back(
    state: &mut engine::State,
    participant: ParticipantId,
    amount: Money,
    out: &mut Output,
) -> Result<(), Reason> {
    let account = state.settlement_account(participant);
    let accounts = account.zip(state.contribution_account(participant));
    let (account, fund) = accounts.ok_or(Reason::InsufficientFunds)?;
    let required = state.ancillary.required.get(&participant).copied();
    let free = state
        .contribution(participant)
        .saturating_sub(required.unwrap_or(0));
    if amount.minor() > free {
        return Err(Reason::InsufficientFunds);
    }
    let moved = state.ledger.transfer(fund, account, amount);
    moved.map_err(engine::refused_by_ledger)?;
    moved_event(
        participant,
        Cause::GuaranteeFund,
        Direction::In,
        amount,
        out,
    );
    Ok(())
}

fn moved_event(
    participant: ParticipantId,
    cause: Cause,
    direction: Direction,
    amount: Money,
    out: &mut Output,
) {
    out.ancillary_event(Event::Moved {
        participant,
        cause,
        direction,
        amount,
    });
}

/// A debtor pays back: first those who lost, then the contributions that were used, each in proportion to what it is still owed.
fn recover(
    state: &mut engine::State,
    stamp: Stamp,
    debtor: ParticipantId,
    id: Position,
    amount: Money,
    out: &mut Output,
) -> Result<(), Reason> {
    let defaults = &state.ancillary.defaults;
    let place = defaults
        .iter()
        .position(|default| default.id == id && default.debtor == debtor)
        .ok_or(Reason::OperatorRefused)?;
    let mut default = defaults
        .get(place)
        .cloned()
        .ok_or(Reason::OperatorRefused)?;
    if amount.minor() > default.left() {
        return Err(Reason::OperatorRefused);
    }
    if state.imts_available(debtor) < i128::from(amount.minor()) {
        return Err(Reason::InsufficientFunds);
    }
    let mut rest = amount.minor();
    rest = pay_back(state, debtor, &mut default.losses, rest, false, out)?;
    pay_back(state, debtor, &mut default.fund, rest, true, out)?;
    moved_event(debtor, Cause::Recovery, Direction::Out, amount, out);
    if default.left() == 0 {
        state.ancillary.defaults.remove(place);
    } else if let Some(kept) = state.ancillary.defaults.get_mut(place) {
        *kept = default;
    }
    settlement::run_queues(state, stamp, out);
    Ok(())
}

/// Pays those of one layer, to their settlement accounts or their contributions, and gives what is left.
fn pay_back(
    state: &mut engine::State,
    debtor: ParticipantId,
    owed: &mut Vec<Net>,
    rest: u64,
    to_fund: bool,
    out: &mut Output,
) -> Result<u64, Reason> {
    let weights: Vec<u64> = owed.iter().map(|net| net.owed).collect();
    let sum = weights.iter().copied().fold(0_u64, u64::saturating_add);
    let pays = rest.min(sum);
    let account = state.settlement_account(debtor);
    let account = account.ok_or(Reason::UnknownParticipant)?;
    for (net, part) in owed.iter_mut().zip(apportion(u128::from(pays), &weights)) {
        let participant = net.participant;
        // Own contributions are not owed to oneself, and nobody bears its own debt.
        if part == 0 || participant == debtor {
            continue;
        }
        let to = if to_fund {
            Some(state.ledger.open(contribution_key(participant)))
        } else {
            state.net_account(participant)
        };
        let to = to.ok_or(Reason::InternalLimit)?;
        let amount = Money::kzt(part);
        // The debtor has it, and sums of the ledger are far from full: refused by neither.
        let moved = state.ledger.transfer(account, to, amount);
        assert!(moved.is_ok(), "what a debtor pays back: {moved:?}");
        net.owed = net.owed.saturating_sub(part);
        if !to_fund {
            moved_event(participant, Cause::Recovery, Direction::In, amount, out);
            state.settlement.try_again(participant);
        }
    }
    owed.retain(|net| net.owed > 0);
    Ok(rest.saturating_sub(pays))
}

/// Sets what a participant has to have in the fund; zero asks for nothing.
pub(super) fn require(
    state: &mut engine::State,
    participant: ParticipantId,
    amount: Money,
    out: &mut Output,
) -> Result<(), Reason> {
    let participant = settlement::direct(state, participant)?;
    if amount.asset() != torap_domain::Asset::Kzt {
        return Err(Reason::OperatorRefused);
    }
    let required = &mut state.ancillary.required;
    if amount.is_zero() {
        required.remove(&participant);
    } else {
        required.insert(participant, amount.minor());
    }
    tell_missing(state, participant, out);
    Ok(())
}

/// Takes what is missing from the settlement accounts, as far as they have it; what is still missing is told.
pub(super) fn call(state: &mut engine::State, out: &mut Output) -> Result<(), Reason> {
    state.settlement.is_open()?;
    let owing: Vec<ParticipantId> = state.ancillary.required.keys().copied().collect();
    for participant in owing {
        let available = state.imts_available(participant).max(0);
        let available = u64::try_from(available).unwrap_or(u64::MAX);
        let takes = state.missing_contribution(participant).min(available);
        if takes > 0 {
            contribute(state, participant, Money::kzt(takes), out)?;
        }
        tell_missing(state, participant, out);
    }
    Ok(())
}

impl engine::State {
    /// How much less a participant has in the fund than it has to have, in minor units.
    pub(super) fn missing_contribution(&self, participant: ParticipantId) -> u64 {
        let required = self.ancillary.required.get(&participant).copied();
        required
            .unwrap_or(0)
            .saturating_sub(self.contribution(participant))
    }
}
