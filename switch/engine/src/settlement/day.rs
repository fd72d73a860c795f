//! The business day: from its opening to its end, when what waits is rejected and credit is repaid; and the calendar, by which
//! days begin and end by themselves.

use torap_domain::{
    Calendar, Date, DayOverride, Money, ParticipantId, Position, Reason, Span, Time,
};

use super::{End, Event, Hours, Open, State, doors, payments, told, transfer};
use crate::{
    DayEvent, Engine, Output, Stamp, ancillary,
    codec::{FactsError, LayoutRule, Reader, Writer},
    engine,
    participants::Direction,
};

/// Single dates that differ from the calendar's rules, at most.
pub const DATES_MAX: usize = 4096;

/// From this version of the rules on the end of a day rejects what waits in bounded pieces, and references and what limits have used are
/// forgotten when the date changes; before, in one record, and with every opening. An extension without a cut-off moves the one there is
/// (before, it was dropped), and no day lasts into the one after the next.
const RULES_DAY: u32 = 2;
/// Payments that one record rejects at the end of a day, at most.
const ENDED_EACH: usize = 256;
/// Between two of these records.
const ENDED_EVERY: Span = Span::from_millis(2);

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
    if state.settlement.ending.is_some() {
        return Err(Reason::RetryLater);
    }
    let cut_off = if state.rules >= RULES_DAY {
        let today = Date::from_time(stamp.time);
        if state
            .settlement
            .ends_by(today)
            .is_some_and(|end| until > end)
        {
            return Err(Reason::OperatorRefused);
        }
        cut_off.or_else(|| state.settlement.moved_cut_off(until))
    } else {
        cut_off
    };
    let settlement = &mut state.settlement;
    let begins = settlement.open.is_none();
    let date = match settlement.open {
        Some(open) => open.date,
        None => {
            let date = Date::from_time(stamp.time);
            // A day that begins again on its date is the same one: nothing of it may be paid twice.
            if state.rules < RULES_DAY || settlement.ended != Some(date) {
                settlement.seen.clear();
                settlement.paid.clear();
                settlement.orders.retain(|_, order| order.waits.is_some());
                settlement.told.day_began(stamp);
                let told = &settlement.told;
                settlement.parties.retain(|id, _| told.get(*id).is_some());
            }
            date
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
    if state.settlement.ending.is_none() {
        ancillary::day_ends(state, stamp, out);
    }
    state.settlement.again.clear();
    state.settlement.again_since = None;
    if reject_waiting(state, stamp, out) {
        // Nothing is taken or settled meanwhile.
        let next = stamp.time.saturating_add(ENDED_EVERY);
        state.settlement.ending = Some((next, stamp.position));
        return;
    }
    let settlement = &mut state.settlement;
    settlement.ending = None;
    let date = settlement.open.take().map(|open| open.date);
    settlement.last_day = date;
    if state.rules >= RULES_DAY {
        settlement.ended = date;
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

/// Rejects what waits, or a piece of it; whether there is more.
fn reject_waiting(state: &mut engine::State, stamp: Stamp, out: &mut Output) -> bool {
    let most = if state.rules >= RULES_DAY {
        ENDED_EACH
    } else {
        usize::MAX
    };
    let queue = state.settlement.queue.all();
    let waiting: Vec<Position> = queue.take(most).map(|waiting| waiting.id).collect();
    for id in waiting {
        let end = End::Rejected(Reason::InsufficientFunds);
        payments::finish(state, stamp, id, end, out);
    }
    state.settlement.queue.len() > 0
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
    /// The latest end of the open day, or of one that is opened `today`: when the calendar opens the next one, or, without hours, the end of
    /// the next business day.
    fn ends_by(&self, today: Date) -> Option<Time> {
        let date = self.open.map_or(today, |open| open.date);
        let next = self.calendar.next_business_day(date);
        match self.hours {
            Some(hours) => next.start().map(|start| start.saturating_add(hours.opens)),
            None => next.add_days(1).start(),
        }
    }

    /// The cut-off of the open day, if it has one, as long before the new end as it was before the old one.
    fn moved_cut_off(&self, until: Time) -> Option<Time> {
        let open = self.open?;
        let before = open.until.saturating_since(open.cut_off?);
        Some(until.saturating_sub(before))
    }

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

/// Snapshot, in a part of its own that came later: how the last day ended, and what would be a repetition.
impl State {
    pub(crate) fn has_day(&self) -> bool {
        self.ending.is_some() || self.ended.is_some() || !self.orders.is_empty()
    }

    pub(crate) fn write_day(&self, writer: &mut Writer<'_>) {
        writer.put(&self.ended);
        writer.put(&self.ending.is_some());
        if let Some((time, position)) = self.ending {
            writer.put(&time);
            writer.put(&position);
        }
        self.write_orders(writer);
    }

    pub(crate) fn read_day(&mut self, reader: &mut Reader<'_>) -> Result<(), FactsError> {
        let offset = reader.offset();
        self.ended = reader.field("ended")?;
        if reader.field("ending")? {
            self.ending = Some((reader.field("time")?, reader.field("record")?));
        }
        self.read_orders(reader)?;
        if !self.has_day() || (self.ending.is_some() && self.open.is_none()) {
            return Err(reader.error("ended", offset, LayoutRule::Value));
        }
        Ok(())
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

impl Engine {
    /// The latest end of the business day that is open, or would be opened `now`. None by version 1 of the rules.
    pub fn imts_ends_by(&self, now: Time) -> Option<Time> {
        let today = Date::from_time(now);
        let end = self.state.settlement.ends_by(today);
        end.filter(|_| self.state.rules >= RULES_DAY)
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
