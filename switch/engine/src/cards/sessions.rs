//! Sessions: what every member did until a cut-over, by the date that DE15 states.
//!
//! ```text
//!          cut-over            nothing under way       IMTS, the operator
//!   open ───────────► closing ────────────────► closed ───────────────► settled
//! ```
//!
//! A request belongs to the session in which it came, whenever it is decided; a reversal to its own. The sum of a member's nets
//! over all sessions that are not settled is the balance of its card account, and the same holds for the operator's fees.
//!
//! Memory: about 260 bytes for each member and session, [`SESSIONS_MAX`] sessions.

use std::collections::VecDeque;

use torap_domain::{
    Asset, Date, Money, ParticipantId, Position, Reason, Span, Time, card::MonthDay,
};
use torap_ledger::{AccountId, Ledger};

use super::{
    Event, Fees, Letter, SESSIONS_MAX, SessionTotals, Side, Sum, Totals,
    members::{self, FEES, SETTLEMENT},
    queue,
};
use crate::{
    Event as Any, Outcome, Output, Source, Stamp, ancillary,
    codec::{FactsError, LayoutRule, Reader, Writer},
    engine,
};

/// Where a session is in its life. The number is written to snapshots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Stage {
    Open = 1,
    Closing = 2,
    Closed = 3,
    Settled = 4,
}

/// Where a session is in its life, for those who settle it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SessionStage {
    Open,
    Closing,
    Closed,
    Settled,
}

/// Both sides of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Both {
    acquirer: Totals,
    issuer: Totals,
}

const NOTHING: Both = Both {
    acquirer: Totals::ZERO,
    issuer: Totals::ZERO,
};

#[derive(Clone, Debug, PartialEq, Eq)]
struct Session {
    date: Date,
    /// The record that opened it.
    opened: Position,
    stage: Stage,
    /// How often its end was put off by a day.
    held_days: u16,
    /// Requests of it that are under way.
    under_way: u32,
    /// By participant.
    members: Vec<Both>,
    /// Switch fees taken, and given back, in minor units.
    fees_taken: u64,
    fees_returned: u64,
}

/// The sessions that are kept, oldest first; the last one is open. None before the first member.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sessions {
    list: VecDeque<Session>,
}

/// One movement of money, as it counts for both sides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Count {
    pub(super) session: Date,
    pub(super) acquirer: ParticipantId,
    pub(super) issuer: ParticipantId,
    /// Whether the cardholder was debited by the transaction.
    pub(super) debit: bool,
    pub(super) reversal: bool,
    pub(super) amount: u64,
    /// Charged, or given back if it is a reversal.
    pub(super) fees: Fees,
}

impl Sessions {
    pub(super) fn new() -> Sessions {
        Sessions::default()
    }

    /// The date of the session that is open; the date of `now` before the first member.
    #[inline]
    pub(super) fn current(&self, now: Time) -> Date {
        self.list
            .back()
            .map_or_else(|| Date::from_time(now), |session| session.date)
    }

    /// When the open session ends by itself.
    pub(super) fn next_deadline(&self, cut_over_at: Option<Span>) -> Option<(Time, Position)> {
        let session = self.list.back()?;
        let day = session.date.add_days(i32::from(session.held_days));
        let end = day.start()?.checked_add(cut_over_at?)?;
        Some((end, session.opened))
    }

    /// A request of the session is under way.
    pub(super) fn enter(&mut self, date: Date) {
        if let Some(session) = self.get_mut(date) {
            session.under_way = session.under_way.saturating_add(1);
        }
    }

    /// The request is decided.
    fn leave(&mut self, date: Date) -> bool {
        let Some(session) = self.get_mut(date) else {
            return false;
        };
        session.under_way = session.under_way.saturating_sub(1);
        session.stage == Stage::Closing && session.under_way == 0
    }

    /// Counts a movement on both sides.
    pub(super) fn count(&mut self, count: &Count) {
        let Some(session) = self.get_mut(count.session) else {
            return;
        };
        for (id, side) in [
            (count.acquirer, Side::Acquirer),
            (count.issuer, Side::Issuer),
        ] {
            let Some(totals) = session.side_mut(id, side) else {
                continue;
            };
            let sum = match (count.debit, count.reversal) {
                (true, false) => &mut totals.debits,
                (true, true) => &mut totals.debit_reversals,
                (false, false) => &mut totals.credits,
                (false, true) => &mut totals.credit_reversals,
            };
            sum.count = sum.count.saturating_add(1);
            add(&mut sum.amount, count.amount);
            let switch = match side {
                Side::Acquirer => count.fees.switch_acquirer,
                Side::Issuer => count.fees.switch_issuer,
            };
            let receives = (count.fees.interchange_to == side) != count.reversal;
            let interchange = count.fees.interchange.minor();
            if receives {
                add(&mut totals.fees_received, interchange);
            } else {
                add(&mut totals.fees_paid, interchange);
            }
            if count.reversal {
                add(&mut totals.fees_received, switch.minor());
            } else {
                add(&mut totals.fees_paid, switch.minor());
            }
        }
        let fees = count.fees;
        let switch = fees
            .switch_acquirer
            .minor()
            .saturating_add(fees.switch_issuer.minor());
        let taken = if count.reversal {
            &mut session.fees_returned
        } else {
            &mut session.fees_taken
        };
        *taken = taken.saturating_add(switch);
    }

    /// Totals of one side of a member; nothing for a session that is not kept.
    pub(super) fn totals(&self, date: Date, id: ParticipantId, side: Side) -> Totals {
        let session = self.get(date);
        let both = session.and_then(|session| session.members.get(id.index()));
        both.map_or(Totals::ZERO, |both| match side {
            Side::Acquirer => both.acquirer,
            Side::Issuer => both.issuer,
        })
    }

    /// The session of a date without a year, and whether its totals are final.
    pub(super) fn find(&self, wanted: MonthDay) -> Option<(Date, bool)> {
        let mut newest_first = self.list.iter().rev();
        let session = newest_first.find(|session| MonthDay::of(session.date) == wanted)?;
        let closed = matches!(session.stage, Stage::Closed | Stage::Settled);
        Some((session.date, closed))
    }

    /// Every session that is kept with what each member did in it.
    pub(super) fn report(&self) -> impl Iterator<Item = SessionTotals> + '_ {
        self.list.iter().flat_map(|session| {
            let members = (0_u16..).zip(&session.members);
            let moved = members.filter(|(_, both)| **both != NOTHING);
            moved.map(|(id, both)| SessionTotals {
                session: session.date,
                participant: ParticipantId(id),
                acquirer: both.acquirer,
                issuer: both.issuer,
            })
        })
    }

    /// Whether the nets of what is not settled are the balances of the accounts; `taken` is what of a member's nets has been
    /// settled in between.
    pub(super) fn agree(
        &self,
        ledger: &Ledger,
        accounts: &[(ParticipantId, AccountId)],
        taken: &dyn Fn(ParticipantId) -> i128,
    ) -> bool {
        let unsettled = || {
            self.list
                .iter()
                .filter(|session| session.stage != Stage::Settled)
        };
        let members = accounts.iter().all(|(id, account)| {
            let nets = unsettled().map(|session| session.net(*id));
            let net = nets.fold(0_i128, i128::saturating_add);
            net.saturating_sub(taken(*id)) == ledger.balance(*account)
        });
        let fees = unsettled()
            .map(Session::fees_net)
            .fold(0_i128, i128::saturating_add)
            .saturating_sub(taken(ParticipantId::SWITCH));
        let account = ledger.find(FEES);
        members && account.map_or(0, |account| ledger.balance(account)) == fees
    }

    /// Counts again what is under way: it is not written.
    pub(super) fn recount(&mut self, dates: impl Iterator<Item = Date>) {
        for date in dates {
            self.enter(date);
        }
    }

    #[cfg(test)]
    fn oldest(&self) -> Date {
        self.list
            .front()
            .map_or(Date::from_days(0), |session| session.date)
    }

    fn get(&self, date: Date) -> Option<&Session> {
        self.list.iter().rev().find(|session| session.date == date)
    }

    fn get_mut(&mut self, date: Date) -> Option<&mut Session> {
        self.list
            .iter_mut()
            .rev()
            .find(|session| session.date == date)
    }
}

impl Session {
    fn new(date: Date, opened: Position) -> Session {
        Session {
            date,
            opened,
            stage: Stage::Open,
            held_days: 0,
            under_way: 0,
            members: Vec::new(),
            fees_taken: 0,
            fees_returned: 0,
        }
    }

    fn side_mut(&mut self, id: ParticipantId, side: Side) -> Option<&mut Totals> {
        let slots = id.index().saturating_add(1);
        if self.members.len() < slots {
            self.members.resize(slots, NOTHING);
        }
        let both = self.members.get_mut(id.index())?;
        Some(match side {
            Side::Acquirer => &mut both.acquirer,
            Side::Issuer => &mut both.issuer,
        })
    }

    /// What a member is owed by the others; below zero, what it owes.
    fn net(&self, id: ParticipantId) -> i128 {
        let Some(both) = self.members.get(id.index()) else {
            return 0;
        };
        let (acquirer, issuer) = (&both.acquirer, &both.issuer);
        movements(acquirer)
            .saturating_sub(movements(issuer))
            .saturating_add(fees(acquirer))
            .saturating_add(fees(issuer))
    }

    fn fees_net(&self) -> i128 {
        i128::from(self.fees_taken).saturating_sub(i128::from(self.fees_returned))
    }
}

/// What the transactions of a side bring to an acquirer.
fn movements(totals: &Totals) -> i128 {
    let minor = |sum: &Sum| i128::from(sum.amount.minor());
    minor(&totals.debits)
        .saturating_sub(minor(&totals.debit_reversals))
        .saturating_sub(minor(&totals.credits))
        .saturating_add(minor(&totals.credit_reversals))
}

fn fees(totals: &Totals) -> i128 {
    i128::from(totals.fees_received.minor()).saturating_sub(i128::from(totals.fees_paid.minor()))
}

/// Amounts of a session stay far below 2⁶⁴ minor units.
fn add(sum: &mut Money, minor: u64) {
    *sum = Money::from_minor(sum.minor().saturating_add(minor), sum.asset());
}

/// The first session begins with the first member.
pub(super) fn begin(state: &mut engine::State, stamp: Stamp) {
    let sessions = &mut state.cards.sessions;
    if sessions.list.is_empty() {
        let today = Date::from_time(stamp.time);
        let ended = state.cards.settings.cut_over_at.is_some_and(|at| {
            let end = today.start().and_then(|start| start.checked_add(at));
            end.is_some_and(|end| end <= stamp.time)
        });
        let date = if ended { today.add_days(1) } else { today };
        sessions.list.push_back(Session::new(date, stamp.position));
    }
}

/// A request is decided; if it was the last of a session that is closing, its totals are final.
pub(super) fn leave(state: &mut engine::State, stamp: Stamp, date: Date, out: &mut Output) {
    if state.cards.sessions.leave(date) {
        close(state, stamp, date, out);
    }
}

/// The open session ends at its time.
pub(super) fn expire(state: &mut engine::State, stamp: Stamp, out: &mut Output) {
    cut_over(state, stamp, out);
}

/// The operator ends the open session. A session is never more than a day ahead.
pub(super) fn apply_cut_over(
    state: &mut engine::State,
    stamp: Stamp,
    source: &Source,
    out: &mut Output,
) -> Outcome {
    let today = Date::from_time(stamp.time);
    let current = state.cards.sessions.list.back().map(|session| session.date);
    let sound = current.is_some_and(|current| current <= today);
    let outcome = state.configure(source, sound, out, |_| ());
    if outcome == Outcome::Accepted {
        cut_over(state, stamp, out);
    }
    outcome
}

fn cut_over(state: &mut engine::State, stamp: Stamp, out: &mut Output) {
    let sessions = &mut state.cards.sessions;
    let Some(closed) = sessions.list.back().map(|session| session.date) else {
        return;
    };
    if sessions.list.len() >= SESSIONS_MAX {
        let settled = sessions
            .list
            .front()
            .is_some_and(|oldest| oldest.stage == Stage::Settled);
        if !settled {
            if let Some(session) = sessions.list.back_mut() {
                session.held_days = session.held_days.saturating_add(1);
            }
            out.card_event(Event::CutOverHeld { session: closed });
            return;
        }
        sessions.list.pop_front();
    }
    let opened = closed.add_days(1);
    let mut idle = false;
    if let Some(session) = sessions.list.back_mut() {
        session.stage = Stage::Closing;
        idle = session.under_way == 0;
    }
    sessions
        .list
        .push_back(Session::new(opened, stamp.position));
    out.card_event(Event::CutOver { closed, opened });
    let hosts: Vec<ParticipantId> = state.cards.hosts().collect();
    for host in hosts {
        queue::push(state, stamp, host, Letter::CutOver { session: opened }, out);
    }
    if idle {
        close(state, stamp, closed, out);
    }
}

/// Nothing of the session is under way: every member is told its totals.
fn close(state: &mut engine::State, stamp: Stamp, date: Date, out: &mut Output) {
    let Some(session) = state.cards.sessions.get_mut(date) else {
        return;
    };
    session.stage = Stage::Closed;
    out.card_event(Event::SessionClosed { session: date });
    let moved = (0_u16..)
        .zip(&session.members)
        .map(|(id, both)| (ParticipantId(id), *both));
    let moved: Vec<(ParticipantId, Both)> = moved.filter(|(_, both)| *both != NOTHING).collect();
    for (participant, both) in moved {
        for (side, totals) in [(Side::Acquirer, both.acquirer), (Side::Issuer, both.issuer)] {
            if totals != Totals::ZERO {
                let letter = Letter::Totals {
                    participant,
                    session: date,
                    side,
                };
                queue::push(state, stamp, participant, letter, out);
            }
        }
    }
    ancillary::session_closed(state, stamp, date, out);
}

/// Where a session that is kept is in its life.
pub(crate) fn session_stage(state: &engine::State, date: Date) -> Option<SessionStage> {
    let session = state.cards.sessions.get(date)?;
    Some(match session.stage {
        Stage::Open => SessionStage::Open,
        Stage::Closing => SessionStage::Closing,
        Stage::Closed => SessionStage::Closed,
        Stage::Settled => SessionStage::Settled,
    })
}

/// The date of the session that is open; none before the first member.
pub(crate) fn open_session(state: &engine::State) -> Option<Date> {
    state.cards.sessions.list.back().map(|session| session.date)
}

/// The dates of the sessions that are kept, oldest first.
pub(crate) fn session_dates(state: &engine::State) -> impl Iterator<Item = Date> + '_ {
    state.cards.sessions.list.iter().map(|session| session.date)
}

/// What every member is owed by a session so far (below zero: owes), and the operator's fees under the switch.
pub(crate) fn session_nets(
    state: &engine::State,
    date: Date,
) -> impl Iterator<Item = (ParticipantId, i128)> + '_ {
    let session = state.cards.sessions.get(date);
    session.into_iter().flat_map(|session| {
        let members = state.cards.members.ids();
        let members = members.map(|id| (id, session.net(id)));
        members.chain([(ParticipantId::SWITCH, session.fees_net())])
    })
}

/// Nets leave the card accounts: they are settled on other accounts.
pub(crate) fn leave_accounts(state: &mut engine::State, nets: &[ancillary::Net]) {
    let accounts = state.ledger.find(FEES).zip(state.ledger.find(SETTLEMENT));
    let Some((fees, settlement)) = accounts else {
        return;
    };
    for net in nets {
        let account = if net.participant == ParticipantId::SWITCH {
            Some(fees)
        } else {
            let member = state.cards.members.get(net.participant);
            member.map(|member| member.account)
        };
        let Some(account) = account else {
            continue;
        };
        let balance = net.balance();
        // Nets are far inside 64 bits.
        let amount = Money::from_minor(
            u64::try_from(balance.unsigned_abs()).unwrap_or(u64::MAX),
            Asset::Kzt,
        );
        let moved = match balance {
            0 => Ok(()),
            1.. => state.ledger.transfer(account, settlement, amount),
            _ => state.ledger.transfer(settlement, account, amount),
        };
        // Accounts of these books have no line that could refuse.
        assert!(moved.is_ok(), "settling a net: {moved:?}");
    }
}

/// A session's nets have been paid: all of them, or those that were taken in between.
pub(crate) fn session_paid(
    state: &mut engine::State,
    stamp: Stamp,
    date: Date,
    whole: bool,
    out: &mut Output,
) {
    if whole {
        if let Some(session) = state.cards.sessions.get_mut(date) {
            session.stage = Stage::Settled;
        }
        out.card_event(Event::SessionSettled { session: date });
    }
    let ids: Vec<ParticipantId> = state.cards.members.ids().collect();
    for id in ids {
        members::watch_cap(state, stamp, id, out);
    }
}

/// The nets of a closed session leave the card accounts: the operator says that they have been settled elsewhere.
pub(super) fn settle(
    state: &mut engine::State,
    stamp: Stamp,
    source: &Source,
    date: Date,
    out: &mut Output,
) -> Outcome {
    let reason = Reason::OperatorRefused;
    let closed = session_stage(state, date) == Some(SessionStage::Closed);
    let free = closed && !ancillary::is_settling(state, date);
    if source.by_operator().is_err() || !free {
        out.event(Any::Refused { reason });
        return Outcome::Refused(reason);
    }
    let rest = ancillary::remainder(state, date);
    leave_accounts(state, &rest);
    ancillary::forget_session(state, date);
    session_paid(state, stamp, date, true, out);
    Outcome::Accepted
}

/// Snapshot.
impl Sessions {
    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        writer.u32(u32::try_from(self.list.len()).unwrap_or(u32::MAX));
        for session in &self.list {
            writer.put(&session.date);
            writer.put(&session.opened);
            writer.u8(session.stage as u8);
            writer.u16(session.held_days);
            writer.u64(session.fees_taken);
            writer.u64(session.fees_returned);
            let moved = (0_u16..).zip(&session.members);
            let moved: Vec<_> = moved.filter(|(_, both)| **both != NOTHING).collect();
            writer.u32(u32::try_from(moved.len()).unwrap_or(u32::MAX));
            for (id, both) in moved {
                writer.u16(id);
                writer.put(&both.acquirer);
                writer.put(&both.issuer);
            }
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Sessions, FactsError> {
        let mut sessions = Sessions::new();
        for _ in 0..reader.u32("sessions")? {
            let offset = reader.offset();
            let mut session = Session::new(reader.field("session date")?, reader.field("opened")?);
            session.stage = reader.tag("session stage", |tag| {
                let stages = [Stage::Open, Stage::Closing, Stage::Closed, Stage::Settled];
                stages.into_iter().find(|stage| *stage as u8 == tag)
            })?;
            session.held_days = reader.u16("held days")?;
            session.fees_taken = reader.u64("fees taken")?;
            session.fees_returned = reader.u64("fees returned")?;
            for _ in 0..reader.u32("session members")? {
                let id: ParticipantId = reader.field("session member")?;
                for side in [Side::Acquirer, Side::Issuer] {
                    let read = reader.field("totals")?;
                    if let Some(totals) = session.side_mut(id, side) {
                        *totals = read;
                    }
                }
            }
            let last = sessions.list.back();
            if last.is_some_and(|last| last.date >= session.date) {
                return Err(reader.error("session date", offset, LayoutRule::Value));
            }
            sessions.list.push_back(session);
        }
        let open = sessions
            .list
            .back()
            .is_none_or(|last| last.stage == Stage::Open);
        let bounded = sessions.list.len() <= SESSIONS_MAX;
        if open && bounded {
            Ok(sessions)
        } else {
            Err(reader.error("sessions", reader.offset(), LayoutRule::Value))
        }
    }
}

#[cfg(test)]
mod tests;
