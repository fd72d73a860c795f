//! Ancillary settlement: what other systems owe comes to IMTS and settles on the settlement accounts.
//!
//! The nets of card sessions go through a technical account that holds what debtors have paid until creditors are paid, and is
//! zero otherwise. Who is short is covered in the order of loss of [`torap_settlement::cover`]; nets are never computed again.
//! The guarantee fund is the participants' contributions, one account each. docs/settlement.md holds the rules.

mod card_nets;
mod command;
mod delivery;
mod event;
mod fund;
mod liquidity;
mod view;

pub use card_nets::{Net, Report, Row};
pub use command::{Command, FundMove, INTERIM_MAX, Method, Settings};
pub use delivery::{
    DELIVERIES_MAX, Delivery, DeliveryState, Known as KnownDelivery, LEGS_MAX, Leg,
};
pub use event::{Cause, Event};
pub use fund::DefaultCase;
pub use liquidity::LiquidityRule;
pub use view::{CardSessionView, CardSettlementView, ContributionView};

pub(crate) use card_nets::{
    collect, day_ends, forget_session, is_settling, remainder, session_closed,
};
pub(crate) use delivery::try_deliveries;
pub(crate) use liquidity::top_up;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use torap_domain::{Asset, Date, Money, ParticipantId, Position, Reason, Time};
use torap_ledger::{AccountId, AccountKey, Book};

use crate::{
    Event as Any, Outcome, Output, Stamp,
    codec::{FactsError, Reader, Writer},
    engine,
};
use card_nets::CardSettlement;

/// Settlements of card sessions whose reports are remembered.
pub const REPORTS_MAX: usize = 64;
/// Defaults that are not recovered and are remembered; the oldest is forgotten for the next.
pub const DEFAULTS_MAX: usize = 256;
/// Settlements of card sessions that wait or are under way, at most: 24 a day and the longest row of holidays have their place.
pub const PENDING_MAX: usize = 1024;

/// What an interim settlement has taken out of a session that is not settled whole: both sums only grow.
pub(crate) type Taken = BTreeMap<(Date, ParticipantId), Net>;

/// The state beside the accounts, which the ledger keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    settings: Settings,
    /// When the open card session is settled in between next, and the record that set it.
    interim: Option<(Time, Position)>,
    /// Oldest first; only the first may be collecting.
    pending: VecDeque<CardSettlement>,
    taken: Taken,
    /// The last settlement in between of each session that is not settled whole.
    cycles: BTreeMap<Date, u16>,
    reports: VecDeque<Report>,
    /// What a participant has to have in the guarantee fund, in minor units.
    required: BTreeMap<ParticipantId, u64>,
    defaults: VecDeque<DefaultCase>,
    rules: BTreeMap<ParticipantId, LiquidityRule>,
    /// Positions that have been swept in the open business day.
    swept: BTreeSet<ParticipantId>,
    /// When positions are swept next, and the record that set it.
    sweep: Option<(Time, Position)>,
    deliveries: delivery::Deliveries,
}

impl State {
    /// What a settlement that is remembered came to, by participant.
    pub(crate) fn rows_of(&self, session: Date, cycle: u16) -> Vec<Row> {
        let mut reports = self.reports.iter().rev();
        let report = reports.find(|report| (report.session, report.cycle) == (session, cycle));
        report.map_or_else(Vec::new, |report| report.rows.clone())
    }

    /// What a participant has to have in the guarantee fund, in minor units.
    pub(crate) fn required(&self, participant: ParticipantId) -> u64 {
        self.required.get(&participant).copied().unwrap_or(0)
    }

    pub(crate) fn new() -> State {
        State {
            settings: Settings::initial(),
            interim: None,
            pending: VecDeque::new(),
            taken: Taken::new(),
            cycles: BTreeMap::new(),
            reports: VecDeque::new(),
            required: BTreeMap::new(),
            defaults: VecDeque::new(),
            rules: BTreeMap::new(),
            swept: BTreeSet::new(),
            sweep: None,
            deliveries: delivery::Deliveries::default(),
        }
    }

    /// When something is decided without being asked, with the record that set the time.
    pub(crate) fn next_deadline(&self) -> Option<(Time, Position)> {
        let collecting = self.pending.front().and_then(CardSettlement::due);
        let times = [
            collecting,
            self.interim,
            liquidity::due(self),
            self.deliveries.due(),
        ];
        times.into_iter().flatten().min()
    }

    /// What interim settlements have taken out of a member's sessions that are not settled whole.
    pub(crate) fn taken(&self, participant: ParticipantId) -> i128 {
        let of = self.taken.iter().filter(|((_, id), _)| *id == participant);
        of.fold(0, |sum, (_, net)| sum.saturating_add(net.balance()))
    }

    /// What a participant has to pay in the settlement that is under way; nothing else may use that money.
    pub(crate) fn owes(&self, participant: ParticipantId) -> u64 {
        let front = self.pending.front();
        front.map_or(0, |first| first.owes(participant))
    }

    /// See [`Settings::cap_percent`].
    pub(crate) fn cap_percent(&self) -> u32 {
        self.settings.cap_percent
    }
}

pub(crate) fn apply(
    state: &mut engine::State,
    stamp: Stamp,
    command: &Command,
    out: &mut Output,
) -> Outcome {
    let done = command
        .source()
        .by_operator()
        .and_then(|()| change(state, stamp, command, out));
    match done {
        Ok(()) => Outcome::Accepted,
        Err(reason) => {
            out.event(Any::Refused { reason });
            Outcome::Refused(reason)
        }
    }
}

fn change(
    state: &mut engine::State,
    stamp: Stamp,
    command: &Command,
    out: &mut Output,
) -> Result<(), Reason> {
    match command {
        Command::SetSettings { settings, .. } => {
            if !settings.are_sound() {
                return Err(Reason::OperatorRefused);
            }
            state.ancillary.settings = settings.clone();
            card_nets::plan_interim(state, stamp);
            Ok(())
        }
        Command::SettleCards { session, .. } => {
            card_nets::settle_by_operator(state, stamp, *session, out)
        }
        Command::Fund {
            participant,
            what,
            amount,
            ..
        } => fund::change(state, stamp, *participant, *what, *amount, out),
        Command::Require {
            participant,
            amount,
            ..
        } => fund::require(state, *participant, *amount, out),
        Command::Call { .. } => fund::call(state, out),
        Command::SetLiquidity {
            participant, rule, ..
        } => liquidity::set(state, stamp, *participant, *rule, out),
        Command::Deliver { delivery, .. } => delivery::deliver(state, stamp, delivery, out),
        Command::CloseDelivery { id, .. } => delivery::close(state, stamp, *id),
    }
}

/// Decides the first thing that is due.
pub(crate) fn expire_first(state: &mut engine::State, stamp: Stamp, out: &mut Output) {
    let due = state.ancillary.next_deadline();
    let is = |other: Option<(Time, Position)>| due.is_some() && due == other;
    if is(state.ancillary.interim) {
        card_nets::interim(state, stamp, out);
    } else if is(liquidity::due(&state.ancillary)) {
        liquidity::sweep(state, stamp, out);
    } else if is(state.ancillary.deliveries.due()) {
        delivery::expire(state, stamp, out);
    } else {
        card_nets::default(state, stamp, out);
    }
}

/// IMTS has opened, or its day has another end.
pub(crate) fn imts_opened(state: &mut engine::State, stamp: Stamp, out: &mut Output) {
    card_nets::imts_opened(state, stamp, out);
    liquidity::day_opened(state, stamp, out);
}

/// The business day of IMTS is over.
pub(crate) fn imts_closed(state: &mut engine::State, stamp: Stamp, out: &mut Output) {
    liquidity::day_closed(state);
    delivery::day_closed(state, stamp, out);
}

/// What debtors of a card session have paid, until its creditors are paid.
const CARD_TECHNICAL: AccountKey = AccountKey {
    owner: ParticipantId::SWITCH,
    book: Book::CardTechnical,
    asset: Asset::Kzt,
};
/// The operator's own account in IMTS: what the card rail's fees have come to.
const OPERATOR: AccountKey = AccountKey {
    owner: ParticipantId::SWITCH,
    book: Book::OperatorSettlement,
    asset: Asset::Kzt,
};

impl engine::State {
    /// The account on which a participant's net settles; the operator's own for the switch.
    fn net_account(&mut self, participant: ParticipantId) -> Option<AccountId> {
        if participant == ParticipantId::SWITCH {
            Some(self.ledger.open(OPERATOR))
        } else {
            self.settlement_account(participant)
        }
    }

    /// A participant's contribution to the guarantee fund, if it has ever made one.
    fn contribution_account(&self, participant: ParticipantId) -> Option<AccountId> {
        self.ledger.find(contribution_key(participant))
    }

    /// What a participant has in the guarantee fund, in minor units.
    pub(crate) fn contribution(&self, participant: ParticipantId) -> u64 {
        let account = self.contribution_account(participant);
        let available = account.map_or(0, |account| self.ledger.available(account));
        u64::try_from(available.max(0)).unwrap_or(u64::MAX)
    }

    /// What is available on a settlement account beside what it owes a card session that is being settled.
    pub(crate) fn imts_available(&self, participant: ParticipantId) -> i128 {
        let account = self.settlement_account(participant);
        let available = account.map_or(0, |account| self.ledger.available(account));
        available.saturating_sub(i128::from(self.ancillary.owes(participant)))
    }

    /// Whether the technical account holds what debtors have paid and creditors have not been given.
    pub(crate) fn card_technical_agrees(&self) -> bool {
        let paid = self
            .ancillary
            .pending
            .front()
            .map_or(0, |first| first.paid());
        let account = self.ledger.find(CARD_TECHNICAL);
        account.map_or(0, |account| self.ledger.balance(account)) == i128::from(paid)
    }
}

const fn contribution_key(participant: ParticipantId) -> AccountKey {
    AccountKey {
        owner: participant,
        book: Book::GuaranteeFund,
        asset: Asset::Kzt,
    }
}

fn in_tenge(amount: Money) -> Result<(), Reason> {
    if amount.asset() != Asset::Kzt {
        Err(Reason::OperatorRefused)
    } else if amount.is_zero() {
        Err(Reason::AmountZero)
    } else {
        Ok(())
    }
}

/// Snapshot.
impl State {
    pub(crate) fn write(&self, writer: &mut Writer<'_>) {
        writer.put(&self.settings);
        put_due(self.interim, writer);
        writer.count(self.pending.len());
        for settlement in &self.pending {
            settlement.write(writer);
        }
        writer.count(self.taken.len());
        for ((date, _), net) in &self.taken {
            writer.put(date);
            writer.put(net);
        }
        writer.count(self.cycles.len());
        for (date, cycle) in &self.cycles {
            writer.put(date);
            writer.u16(*cycle);
        }
        writer.count(self.reports.len());
        for report in &self.reports {
            writer.put(report);
        }
        writer.count(self.required.len());
        for (participant, amount) in &self.required {
            writer.put(participant);
            writer.u64(*amount);
        }
        writer.count(self.defaults.len());
        for default in &self.defaults {
            writer.put(default);
        }
        writer.count(self.rules.len());
        for (participant, rule) in &self.rules {
            writer.put(participant);
            writer.put(rule);
        }
        writer.count(self.swept.len());
        for participant in &self.swept {
            writer.put(participant);
        }
        put_due(self.sweep, writer);
        self.deliveries.write(writer);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<State, FactsError> {
        let mut state = State::new();
        state.settings = reader.field("settings")?;
        state.interim = take_due(reader)?;
        for _ in 0..reader.count("settlements")? {
            state.pending.push_back(CardSettlement::read(reader)?);
        }
        for _ in 0..reader.count("taken")? {
            let date = reader.field("session")?;
            let net: Net = reader.field("taken")?;
            state.taken.insert((date, net.participant), net);
        }
        for _ in 0..reader.count("cycles")? {
            let date = reader.field("session")?;
            state.cycles.insert(date, reader.u16("cycle")?);
        }
        for _ in 0..reader.count("reports")? {
            state.reports.push_back(reader.field("report")?);
        }
        for _ in 0..reader.count("required")? {
            let participant = reader.field("participant")?;
            state.required.insert(participant, reader.u64("required")?);
        }
        for _ in 0..reader.count("defaults")? {
            state.defaults.push_back(reader.field("default")?);
        }
        for _ in 0..reader.count("liquidity rules")? {
            let participant = reader.field("participant")?;
            state.rules.insert(participant, reader.field("rule")?);
        }
        for _ in 0..reader.count("swept")? {
            state.swept.insert(reader.field("participant")?);
        }
        state.sweep = take_due(reader)?;
        state.deliveries = delivery::Deliveries::read(reader)?;
        Ok(state)
    }
}

fn put_due(due: Option<(Time, Position)>, writer: &mut Writer<'_>) {
    writer.put(&due.is_some());
    if let Some((time, position)) = due {
        writer.put(&time);
        writer.put(&position);
    }
}

fn take_due(reader: &mut Reader<'_>) -> Result<Option<(Time, Position)>, FactsError> {
    let there: bool = reader.field("due")?;
    if there {
        Ok(Some((reader.field("due")?, reader.field("record")?)))
    } else {
        Ok(None)
    }
}

#[cfg(test)]
mod tests;
