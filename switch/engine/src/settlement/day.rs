//! The business day: from its opening to its end, when what waits is rejected and credit is repaid; and the calendar, by which
//! days begin and end by themselves.

use torap_domain::{Calendar, Date, DayOverride, Money, ParticipantId, Position, Reason, Time};

use super::{End, Event, Hours, Open, State, doors, payments, told, transfer};
use crate::{
    DayEvent, Output, Stamp, ancillary,
    codec::{FactsError, LayoutRule, Reader, Writer},
    engine,
    participants::Direction,
};

/// Single dates that differ from the calendar's rules, at most.
pub const DATES_MAX: usize = 4096;

/// Opens the day, or gives the open one another end.
pub(super) fn open(
    state: &mut engine::State,
    stamp: Stamp,
    cut_off: Option<Time>,
    until: Time,
    out: &mut Output,
) -> Result<(), Reason> {
    if until <= stamp.time || cut_off.is_some_and(|cut_off| cut_off > until) {
        return Err(Reason::OperatorRefused);
    }
    let settlement = &mut state.settlement;
    let begins = settlement.open.is_none();
    let date = match settlement.open {
        Some(open) => open.date,
        None => {
            settlement.seen.clear();
            settlement.paid.clear();
            settlement.told.day_began(stamp);
            Date::from_time(stamp.time)
        }
    };
    settlement.opens = None;
    settlement.open = Some(Open {
        date,
        cut_off,
        until,
        set: stamp.position,
    });
    settlement.told.set_cut_off(stamp, cut_off);
    out.settlement_event(Event::Opened { until });
    let event = if begins {
        DayEvent::Opened { until, cut_off }
    } else {
        DayEvent::Extended { until, cut_off }
    };
    told::announce(state, stamp, event);
    // What is owed for card sessions comes before what banks wanted moved.
    ancillary::imts_opened(state, stamp, out);
    if begins {
        doors::move_waiting(state, stamp, out);
    }
    Ok(())
}

/// The calendar's time to open has come. A day whose end has passed too, while the switch stood still, is skipped.
pub(super) fn open_by_calendar(state: &mut engine::State, stamp: Stamp, out: &mut Output) {
    let settlement = &mut state.settlement;
    let due = settlement.opens.take();
    let today = due.map(|(time, _)| Date::from_time(time));
    let times = settlement.hours.zip(today.and_then(Date::start));
    let opened = times.is_some_and(|(hours, midnight)| {
        let cut_off = midnight.saturating_add(hours.cut_off);
        let until = midnight.saturating_add(hours.closes);
        open(state, stamp, Some(cut_off), until, out).is_ok()
    });
    if !opened {
        state.settlement.last_day = today;
        state.settlement.plan(stamp);
    }
}

/// Ends the day: what waits is rejected, and intraday credit is repaid from the instant position as far as that goes. What is
/// still owed then stays on the account, within its line, and is told.
pub(super) fn close(state: &mut engine::State, stamp: Stamp, out: &mut Output) {
    ancillary::day_ends(state, stamp, out);
    let open = state.settlement.open.take();
    state.settlement.last_day = open.map(|open| open.date);
    state.settlement.again.clear();
    state.settlement.again_since = None;
    let queue = state.settlement.queue.all();
    let waiting: Vec<Position> = queue.map(|waiting| waiting.id).collect();
    for id in waiting {
        let end = End::Rejected(Reason::InsufficientFunds);
        payments::finish(state, stamp, id, end, out);
    }
    for participant in state.participants.ids() {
        repay(state, stamp, participant, out);
    }
    ancillary::imts_closed(state, stamp, out);
    state.settlement.told.set_cut_off(stamp, None);
    told::announce(state, stamp, DayEvent::Closed);
    out.settlement_event(Event::Closed);
    state.settlement.plan(stamp);
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

/// Sets the hours of business days; an open day keeps its end.
pub(super) fn set_hours(
    state: &mut engine::State,
    stamp: Stamp,
    hours: Option<Hours>,
) -> Result<(), Reason> {
    if hours.is_some_and(|hours| !hours.are_sound()) {
        return Err(Reason::OperatorRefused);
    }
    state.settlement.hours = hours;
    state.settlement.plan(stamp);
    Ok(())
}

/// Changes one date of the calendar; an open day keeps its end.
pub(super) fn set_day(
    state: &mut engine::State,
    stamp: Stamp,
    date: Date,
    day: Option<DayOverride>,
) -> Result<(), Reason> {
    let calendar = &mut state.settlement.calendar;
    if day.is_some() && calendar.overrides().count() >= DATES_MAX {
        return Err(Reason::InternalLimit);
    }
    calendar.set(date, day);
    state.settlement.plan(stamp);
    Ok(())
}

impl State {
    /// Finds the next opening while no day is open: of the first business day that is not over, later than the last.
    fn plan(&mut self, stamp: Stamp) {
        self.opens = None;
        let Some(hours) = self.hours.filter(|_| self.open.is_none()) else {
            return;
        };
        let today = Date::from_time(stamp.time);
        let ends = today
            .start()
            .map(|start| start.saturating_add(hours.closes));
        let over = ends.is_none_or(|ends| ends <= stamp.time);
        let before = today.add_days(if over { 0 } else { -1 });
        let before = self.last_day.map_or(before, |last| last.max(before));
        let next = self.calendar.next_business_day(before);
        let opens = next.start().map(|start| start.saturating_add(hours.opens));
        self.opens = opens.map(|opens| (opens, stamp.position));
    }
}

/// The single dates of a calendar; its rules are those of every binary.
pub(super) fn put_calendar(calendar: &Calendar, writer: &mut Writer<'_>) {
    writer.count(calendar.overrides().count());
    for (date, day) in calendar.overrides() {
        writer.put(&date);
        writer.put(&day);
    }
}

pub(super) fn take_calendar(reader: &mut Reader<'_>) -> Result<Calendar, FactsError> {
    let mut calendar = Calendar::kazakhstan();
    let mut last = None;
    for _ in 0..reader.count("dates")? {
        let offset = reader.offset();
        let date: Date = reader.field("date")?;
        if last >= Some(date) {
            return Err(reader.error("date", offset, LayoutRule::Value));
        }
        last = Some(date);
        calendar.set(date, Some(reader.field("day")?));
    }
    Ok(calendar)
}

impl engine::State {
    /// How far below zero a settlement account stands, in minor units.
    pub(super) fn intraday_credit(&self, participant: ParticipantId) -> u64 {
        let account = self.settlement_account(participant);
        let balance = account.map_or(0, |account| self.ledger.balance(account));
        u64::try_from(balance.min(0).unsigned_abs()).unwrap_or(u64::MAX)
    }
}
