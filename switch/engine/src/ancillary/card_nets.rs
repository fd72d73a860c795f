//! The nets of card sessions, from the moment at which they are known until everybody has been paid.
//!
//! ```text
//!   nets known       IMTS open, nothing before it        every debtor has paid, or time is over and cover is found
//!  ────────────► waits ────────────────────────► due ──────────────────────────────────────────────────────► settled
//! ```
//!
//! One settlement is due at a time, in the order in which they came. All that leaves it is booked with its last record: the card
//! accounts and the creditors' settlement accounts, or none of them.

use std::collections::BTreeMap;

use torap_domain::{Date, Money, ParticipantId, Position, Reason, Time};
use torap_settlement::cover::{self, Party, Share};

use super::{
    CARD_TECHNICAL, Cause, Event, Method, PENDING_MAX, REPORTS_MAX, fund, put_due, take_due,
};
use crate::{
    Output, Stamp,
    cards::{self, SessionStage},
    codec::{FactsError, Reader, Writer},
    engine,
    participants::Direction,
    settlement,
};

/// What a participant owes and is owed, in minor units. Of a net, one of the two is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Net {
    pub participant: ParticipantId,
    pub owes: u64,
    pub owed: u64,
}

/// What a settlement came to for one participant, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Of whoever settles itself; the switch for the operator's fees.
    pub participant: ParticipantId,
    pub owes: u64,
    pub owed: u64,
    /// Taken from its settlement account.
    pub paid: u64,
    /// Taken from its own contribution to the guarantee fund for what it owes.
    pub own_contribution: u64,
    /// What it owes and did not cover.
    pub short: u64,
    /// Taken from its contribution for the debts of others.
    pub fund: u64,
    /// What it was owed and did not get.
    pub lost: u64,
    /// What it was paid.
    pub received: u64,
}

/// A settlement that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub session: Date,
    pub cycle: u16,
    pub at: Time,
    pub rows: Vec<Row>,
}

/// One side of a settlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Side {
    pub(super) net: Net,
    /// Its debit is on the technical account.
    pub(super) paid: bool,
}

/// A settlement that is not over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CardSettlement {
    pub(super) session: Date,
    pub(super) cycle: u16,
    /// Whether the session is closed: nothing of it is left afterwards.
    pub(super) whole: bool,
    /// By card member, the operator's fees under the switch.
    pub(super) members: Vec<Net>,
    /// By whoever settles for them, in the order of identifiers.
    pub(super) sides: Vec<Side>,
    /// Until when debtors have time, and the record that set it; none while it waits.
    pub(super) until: Option<(Time, Position)>,
}

impl Net {
    fn of(participant: ParticipantId, balance: i128) -> Net {
        // Nets are far inside 64 bits: they are sums of amounts of days.
        let amount = u64::try_from(balance.unsigned_abs()).unwrap_or(u64::MAX);
        let (owes, owed) = if balance < 0 {
            (amount, 0)
        } else {
            (0, amount)
        };
        Net {
            participant,
            owes,
            owed,
        }
    }

    /// What it is owed; below zero, what it owes.
    pub fn balance(&self) -> i128 {
        i128::from(self.owed).saturating_sub(i128::from(self.owes))
    }

    fn add(&mut self, other: &Net) {
        self.owes = self.owes.saturating_add(other.owes);
        self.owed = self.owed.saturating_add(other.owed);
    }
}

impl CardSettlement {
    pub(super) fn due(&self) -> Option<(Time, Position)> {
        self.until
    }

    /// What a participant still has to pay, once the settlement is due.
    pub(super) fn owes(&self, participant: ParticipantId) -> u64 {
        let side = |side: &&Side| side.net.participant == participant && !side.paid;
        let open = self.sides.iter().find(side);
        open.filter(|_| self.until.is_some())
            .map_or(0, |side| side.net.owes)
    }

    /// What is on the technical account for it.
    pub(super) fn paid(&self) -> u64 {
        let paid = self.sides.iter().filter(|side| side.paid);
        paid.fold(0, |sum, side| sum.saturating_add(side.net.owes))
    }
}

/// A card session has closed: its nets are final.
pub(crate) fn session_closed(
    state: &mut engine::State,
    stamp: Stamp,
    session: Date,
    out: &mut Output,
) {
    if state.ancillary.settings.card_nets.is_some() {
        // Refused only when too many wait; the operator settles the session then.
        let _ = queue(state, stamp, session, true, out);
    }
}

/// The operator has a session settled: one that closed before the settings said how, or the open one in between.
pub(super) fn settle_by_operator(
    state: &mut engine::State,
    stamp: Stamp,
    session: Date,
    out: &mut Output,
) -> Result<(), Reason> {
    if state.ancillary.settings.card_nets.is_none() {
        return Err(Reason::OperatorRefused);
    }
    let whole = match cards::session_stage(state, session) {
        Some(SessionStage::Open) => false,
        Some(SessionStage::Closed) => true,
        // What closes settles when it is closed.
        Some(SessionStage::Closing | SessionStage::Settled) | None => {
            return Err(Reason::OperatorRefused);
        }
    };
    let mut pending = state.ancillary.pending.iter();
    if whole && pending.any(|one| one.whole && one.session == session) {
        return Err(Reason::OperatorRefused);
    }
    queue(state, stamp, session, whole, out)
}

/// The time has come at which the open session is settled in between.
pub(super) fn interim(state: &mut engine::State, stamp: Stamp, out: &mut Output) {
    let session = cards::open_session(state);
    if let Some(session) = session.filter(|_| state.ancillary.settings.card_nets.is_some()) {
        let _ = queue(state, stamp, session, false, out);
    }
    plan_interim(state, stamp);
}

/// The first time of day of the settings that is still to come.
pub(super) fn plan_interim(state: &mut engine::State, stamp: Stamp) {
    let times = &state.ancillary.settings.interim;
    let today = Date::from_time(stamp.time);
    let days = [today, today.add_days(1)];
    let mut all = days.into_iter().filter_map(Date::start).flat_map(|start| {
        let times = times.iter();
        times.map(move |time| start.saturating_add(*time))
    });
    let next = all.find(|time| *time > stamp.time);
    state.ancillary.interim = next.map(|time| (time, stamp.position));
}

/// Queues what a session has come to and no settlement has taken yet. In between, nothing is queued if that is nothing.
fn queue(
    state: &mut engine::State,
    stamp: Stamp,
    session: Date,
    whole: bool,
    out: &mut Output,
) -> Result<(), Reason> {
    let members = remainder(state, session);
    if members.is_empty() && !whole {
        return Ok(());
    }
    if state.ancillary.pending.len() >= PENDING_MAX {
        return Err(Reason::InternalLimit);
    }
    let mut sums: BTreeMap<ParticipantId, i128> = BTreeMap::new();
    for net in &members {
        let settling = if net.participant == ParticipantId::SWITCH {
            ParticipantId::SWITCH
        } else {
            state.participants.settles_through(net.participant)
        };
        let sum = sums.entry(settling).or_default();
        *sum = sum.saturating_add(net.balance());
    }
    let sides = sums.into_iter().filter(|(_, sum)| *sum != 0);
    let sides = sides.map(|(participant, sum)| Side {
        net: Net::of(participant, sum),
        paid: false,
    });
    let cycle = state.ancillary.cycles.entry(session).or_default();
    *cycle = cycle.saturating_add(1);
    let settlement = CardSettlement {
        session,
        cycle: *cycle,
        whole,
        members,
        sides: sides.collect(),
        until: None,
    };
    let cycle = settlement.cycle;
    out.ancillary_event(Event::CardNetsReady { session, cycle });
    state.ancillary.pending.push_back(settlement);
    if start(state, stamp, out) {
        settlement::run_queues(state, stamp, out);
    }
    Ok(())
}

/// Whether something of a session is on its way through IMTS.
pub(crate) fn is_settling(state: &engine::State, session: Date) -> bool {
    let mut pending = state.ancillary.pending.iter();
    pending.any(|one| one.session == session)
}

/// A session is settled whole: nothing of it is left to be remembered.
pub(crate) fn forget_session(state: &mut engine::State, session: Date) {
    state
        .ancillary
        .taken
        .retain(|(date, _), _| *date != session);
    state.ancillary.cycles.remove(&session);
}

/// What every member is owed by a session, or owes, whatever of it has been settled.
pub(super) fn nets(state: &engine::State, session: Date) -> Vec<Net> {
    let nets = cards::session_nets(state, session);
    let nets = nets.map(|(participant, net)| Net::of(participant, net));
    nets.filter(|net| net.balance() != 0).collect()
}

/// The part of it that is on the card accounts.
pub(super) fn not_settled(state: &engine::State, session: Date) -> Vec<Net> {
    let nets = cards::session_nets(state, session).map(|(participant, net)| {
        let taken = state.ancillary.taken.get(&(session, participant));
        Net::of(
            participant,
            net.saturating_sub(taken.map_or(0, Net::balance)),
        )
    });
    nets.filter(|net| net.balance() != 0).collect()
}

/// What of a session no settlement has taken yet, by member.
pub(crate) fn remainder(state: &engine::State, session: Date) -> Vec<Net> {
    let ancillary = &state.ancillary;
    let pending = ancillary.pending.iter();
    let pending = pending.filter(|one| one.session == session);
    let pending: Vec<&Net> = pending.flat_map(|one| &one.members).collect();
    let rest = cards::session_nets(state, session).map(|(participant, net)| {
        let taken = ancillary.taken.get(&(session, participant));
        let waiting = pending.iter().filter(|net| net.participant == participant);
        let gone = waiting.copied().chain(taken);
        let gone = gone.fold(0_i128, |sum, net| sum.saturating_add(net.balance()));
        Net::of(participant, net.saturating_sub(gone))
    });
    rest.filter(|net| net.balance() != 0).collect()
}

/// IMTS has opened: the first settlement that waits is due.
pub(super) fn imts_opened(state: &mut engine::State, stamp: Stamp, out: &mut Output) {
    if start(state, stamp, out) {
        settlement::run_queues(state, stamp, out);
    }
}

/// IMTS ends its day: what is due is settled now, with the cover that it needs. What waits goes on waiting.
pub(crate) fn day_ends(state: &mut engine::State, stamp: Stamp, out: &mut Output) {
    let first = state.ancillary.pending.front();
    if first.is_some_and(|first| first.until.is_some()) {
        cover_first(state, stamp, out);
    }
}

/// Takes up the first settlement, and settles as many as can. One whose debtors would not have their whole time before the day
/// ends settles at once or goes on waiting. Says whether anybody was paid.
fn start(state: &mut engine::State, stamp: Stamp, out: &mut Output) -> bool {
    let mut paid = false;
    loop {
        let Some(day_ends) = state.settlement.open_until() else {
            return paid;
        };
        let within = state.ancillary.settings.within;
        let Some(first) = state.ancillary.pending.front_mut() else {
            return paid;
        };
        if first.until.is_some() {
            return paid;
        }
        let until = stamp.time.saturating_add(within);
        if until <= day_ends {
            first.until = Some((until, stamp.position));
            let (session, cycle) = (first.session, first.cycle);
            out.ancillary_event(Event::CardNetsDue {
                session,
                cycle,
                until,
            });
        }
        if !try_first(state, stamp, out) {
            return paid;
        }
        paid = true;
    }
}

/// A participant may have more money: takes what it owes, and settles what can settle. Its queue is tried afterwards, by the caller,
/// like those of whoever is paid.
pub(crate) fn collect(
    state: &mut engine::State,
    stamp: Stamp,
    participant: ParticipantId,
    out: &mut Output,
) {
    if state.ancillary.owes(participant) > 0 && try_first(state, stamp, out) {
        start(state, stamp, out);
    }
}

/// Takes the debits that can be taken; if they are all there, settles. Says whether it did.
fn try_first(state: &mut engine::State, stamp: Stamp, out: &mut Output) -> bool {
    let Some(first) = state.ancillary.pending.front() else {
        return false;
    };
    let owing: Vec<Net> = first
        .sides
        .iter()
        .filter(|side| side.net.owes > 0 && !side.paid)
        .map(|side| side.net)
        .collect();
    let able = |state: &engine::State, net: &Net| {
        net.participant == ParticipantId::SWITCH || funds(state, net.participant) >= net.owes
    };
    let all = owing.iter().all(|net| able(state, net));
    if !all {
        let debits_first = state.ancillary.settings.card_nets == Some(Method::DebitsFirst);
        let takes = debits_first && first.until.is_some();
        for net in owing.iter().filter(|_| takes) {
            if able(state, net) {
                take(state, net.participant, net.owes, out);
                paid(state, net.participant);
            }
        }
        return false;
    }
    let shares = |net: &Net| Share {
        pays: net.owes,
        receives: net.owed,
        ..Share::default()
    };
    let sides: Vec<Side> = first.sides.clone();
    for net in &owing {
        take(state, net.participant, net.owes, out);
    }
    let outcome = sides.iter().map(|side| (side.net, shares(&side.net)));
    finish(state, stamp, outcome.collect(), out);
    true
}

/// What can be taken from a settlement account, in minor units.
fn funds(state: &engine::State, participant: ParticipantId) -> u64 {
    let account = state.settlement_account(participant);
    let available = account.map_or(0, |account| state.ledger.available(account));
    u64::try_from(available.max(0)).unwrap_or(u64::MAX)
}

fn paid(state: &mut engine::State, participant: ParticipantId) {
    let first = state.ancillary.pending.front_mut();
    let sides = first.into_iter().flat_map(|first| &mut first.sides);
    for side in sides.filter(|side| side.net.participant == participant) {
        side.paid = true;
    }
}

/// Time is over: what is missing is covered in the order of loss, and everybody is paid.
pub(super) fn default(state: &mut engine::State, stamp: Stamp, out: &mut Output) {
    cover_first(state, stamp, out);
    start(state, stamp, out);
    settlement::run_queues(state, stamp, out);
}

fn cover_first(state: &mut engine::State, stamp: Stamp, out: &mut Output) {
    let Some(first) = state.ancillary.pending.front() else {
        return;
    };
    let already = first.paid();
    let mut nets: BTreeMap<ParticipantId, (Net, bool)> = BTreeMap::new();
    for side in &first.sides {
        nets.insert(side.net.participant, (side.net, side.paid));
    }
    #[cfg(feature = "mutants")]
    if crate::mutants::is_on(&crate::mutants::RECOMPUTE_NETS) {
        recompute(state, &mut nets);
    }
    for participant in state.participants.ids() {
        if state.contribution(participant) > 0 {
            let none = (Net::of(participant, 0), false);
            nets.entry(participant).or_insert(none);
        }
    }
    let parties: Vec<Party> = nets
        .values()
        .map(|(net, paid)| Party {
            net: if *paid { 0 } else { net.balance() },
            available: if net.participant == ParticipantId::SWITCH {
                u64::MAX
            } else {
                funds(state, net.participant)
            },
            contribution: state.contribution(net.participant),
        })
        .collect();
    let covered = cover::cover(&parties, already);
    // The sides of a settlement balance: they are sums of obligations between two members each.
    assert!(covered.is_ok(), "the nets of a card session: {covered:?}");
    let shares = covered.unwrap_or_default();
    let mut outcome: Vec<(Net, Share)> = Vec::with_capacity(shares.len());
    for ((net, paid), share) in nets.into_values().zip(shares) {
        if share.pays > 0 {
            take(state, net.participant, share.pays, out);
        }
        fund::use_contribution(state, net.participant, &share, out);
        // What was paid before counts in the report.
        let pays = if paid { net.owes } else { share.pays };
        outcome.push((net, Share { pays, ..share }));
    }
    let is_party = |(net, share): &(Net, Share)| net.balance() != 0 || share.fund > 0;
    outcome.retain(is_party);
    finish(state, stamp, outcome, out);
}

/// The nets as if those who are short had owed nothing.
#[cfg(feature = "mutants")]
fn recompute(state: &engine::State, nets: &mut BTreeMap<ParticipantId, (Net, bool)>) {
    let mut missing = 0_u64;
    for (participant, (net, paid)) in nets.iter_mut() {
        let is_switch = *participant == ParticipantId::SWITCH;
        if !*paid && !is_switch && funds(state, *participant) < net.owes {
            missing = missing.saturating_add(net.owes);
            net.owes = 0;
        }
    }
    for (net, _) in nets.values_mut() {
        let less = missing.min(net.owed);
        net.owed = net.owed.saturating_sub(less);
        missing = missing.saturating_sub(less);
    }
}

/// Takes a debit to the technical account.
fn take(state: &mut engine::State, participant: ParticipantId, amount: u64, out: &mut Output) {
    let technical = state.ledger.open(CARD_TECHNICAL);
    let Some(account) = state.net_account(participant) else {
        return;
    };
    let amount = Money::kzt(amount);
    let moved = state.ledger.transfer(account, technical, amount);
    assert!(moved.is_ok(), "a debit that the account has: {moved:?}");
    out.ancillary_event(Event::Moved {
        participant,
        cause: Cause::CardNet,
        direction: Direction::Out,
        amount,
    });
}

/// All debits and covers are on the technical account: pays the creditors, empties the card accounts, and reports.
fn finish(state: &mut engine::State, stamp: Stamp, outcome: Vec<(Net, Share)>, out: &mut Output) {
    let Some(done) = state.ancillary.pending.pop_front() else {
        return;
    };
    let technical = state.ledger.open(CARD_TECHNICAL);
    for (net, share) in outcome.iter().filter(|(_, share)| share.receives > 0) {
        let Some(account) = state.net_account(net.participant) else {
            continue;
        };
        let amount = Money::kzt(share.receives);
        let moved = state.ledger.transfer(technical, account, amount);
        assert!(moved.is_ok(), "a credit that debits have paid: {moved:?}");
        out.ancillary_event(Event::Moved {
            participant: net.participant,
            cause: Cause::CardNet,
            direction: Direction::In,
            amount,
        });
        state.settlement.try_again(net.participant);
    }
    let (session, cycle) = (done.session, done.cycle);
    cards::leave_accounts(state, &done.members);
    if done.whole {
        forget_session(state, session);
    } else {
        for net in &done.members {
            let taken = state.ancillary.taken.entry((session, net.participant));
            taken.or_insert(Net::of(net.participant, 0)).add(net);
        }
    }
    tell(&outcome, session, cycle, out);
    fund::remember(state, stamp, session, cycle, &outcome);
    report(state, stamp, session, cycle, &outcome);
    out.ancillary_event(Event::CardNetsSettled { session, cycle });
    cards::session_paid(state, stamp, session, done.whole, out);
    fund::call_out(state, &outcome, out);
}

/// Who was short and who bears it.
fn tell(outcome: &[(Net, Share)], session: Date, cycle: u16, out: &mut Output) {
    for (net, share) in outcome {
        let participant = net.participant;
        if share.short > 0 {
            out.ancillary_event(Event::Defaulted {
                session,
                cycle,
                participant,
                amount: Money::kzt(share.short),
            });
        }
        if share.loses > 0 {
            out.ancillary_event(Event::Lost {
                participant,
                amount: Money::kzt(share.loses),
            });
        }
    }
}

fn report(
    state: &mut engine::State,
    stamp: Stamp,
    session: Date,
    cycle: u16,
    outcome: &[(Net, Share)],
) {
    let reports = &mut state.ancillary.reports;
    if reports.len() >= REPORTS_MAX {
        reports.pop_front();
    }
    let rows = outcome.iter().map(|(net, share)| Row {
        participant: net.participant,
        owes: net.owes,
        owed: net.owed,
        paid: share.pays,
        own_contribution: share.own_contribution,
        short: share.short,
        fund: share.fund,
        lost: share.loses,
        received: share.receives,
    });
    reports.push_back(Report {
        session,
        cycle,
        at: stamp.time,
        rows: rows.collect(),
    });
}

/// Snapshot.
impl CardSettlement {
    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        writer.put(&self.session);
        writer.u16(self.cycle);
        writer.put(&self.whole);
        writer.list(&self.members);
        writer.count(self.sides.len());
        for side in &self.sides {
            writer.put(&side.net);
            writer.put(&side.paid);
        }
        put_due(self.until, writer);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<CardSettlement, FactsError> {
        let mut settlement = CardSettlement {
            session: reader.field("session")?,
            cycle: reader.u16("cycle")?,
            whole: reader.field("whole")?,
            members: reader.list("members")?,
            sides: Vec::new(),
            until: None,
        };
        for _ in 0..reader.count("sides")? {
            settlement.sides.push(Side {
                net: reader.field("net")?,
                paid: reader.field("paid")?,
            });
        }
        settlement.until = take_due(reader)?;
        Ok(settlement)
    }
}
