//! When sessions close, and which session an item is for.
//!
//! A session is named by its business date and its number on that date. An item is for the first session of its value date that
//! closes after it came. Intake never stops: after the last session of a date, the next business date is the current one.

use std::fmt;

use torap_domain::{Calendar, Date, Span, Time};

/// Sessions of one date, at most.
pub const SESSIONS_MAX: usize = 24;
/// Business days that a value date may lie ahead, at most.
pub const DAYS_AHEAD_MAX: u8 = 10;
/// A session closes within the date it belongs to.
const DAY: Span = Span::from_secs(24 * 3600);

/// The closing times of a date and how far ahead a value date may lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timetable {
    closes_at: Vec<Span>,
    days_ahead: u8,
}

/// One session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId {
    /// The business date (UTC+5).
    pub date: Date,
    /// From 1 upwards within the date.
    pub number: u8,
}

/// Why a timetable or a value date is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimetableError {
    /// No session, or more than [`SESSIONS_MAX`].
    Sessions,
    /// The closing times do not rise, or one is not within its day.
    ClosingTimes,
    /// More days ahead than [`DAYS_AHEAD_MAX`].
    DaysAhead,
    /// Every session of the value date has closed.
    ValueDatePassed,
    /// The value date is no business day.
    ValueDateClosed,
    /// The value date lies too far ahead.
    ValueDateTooFar,
}

impl Timetable {
    /// `closes_at` since local midnight, rising; `days_ahead` in business days.
    pub fn new(closes_at: Vec<Span>, days_ahead: u8) -> Result<Timetable, TimetableError> {
        if closes_at.is_empty() || closes_at.len() > SESSIONS_MAX {
            return Err(TimetableError::Sessions);
        }
        let rising = closes_at.iter().zip(closes_at.iter().skip(1));
        let within = closes_at.iter().all(|at| *at < DAY);
        if !within || rising.into_iter().any(|(one, next)| one >= next) {
            return Err(TimetableError::ClosingTimes);
        }
        if days_ahead > DAYS_AHEAD_MAX {
            return Err(TimetableError::DaysAhead);
        }
        Ok(Timetable {
            closes_at,
            days_ahead,
        })
    }

    /// Closing times since local midnight.
    pub fn closes_at(&self) -> &[Span] {
        &self.closes_at
    }

    /// How many business days a value date may lie ahead of the current date.
    pub const fn days_ahead(&self) -> u8 {
        self.days_ahead
    }

    /// When a session closes; none for a number that the timetable does not have.
    pub fn close_of(&self, session: SessionId) -> Option<Time> {
        let place = usize::from(session.number).checked_sub(1)?;
        let at = self.closes_at.get(place)?;
        session.date.start()?.checked_add(*at)
    }

    /// The first session that closes after `time`.
    pub fn first_after(&self, calendar: &Calendar, time: Time) -> SessionId {
        let today = Date::from_time(time);
        let numbers = (1_u8..).take(self.closes_at.len());
        let mut sessions = numbers.map(|number| SessionId {
            date: today,
            number,
        });
        let open = sessions.find(|session| self.close_of(*session).is_some_and(|at| at > time));
        match open.filter(|_| calendar.is_business_day(today)) {
            Some(session) => session,
            None => first_of(calendar.next_business_day(today)),
        }
    }

    /// The session after `session`.
    pub fn after(&self, calendar: &Calendar, session: SessionId) -> SessionId {
        if usize::from(session.number) < self.closes_at.len() {
            return SessionId {
                date: session.date,
                number: session.number.saturating_add(1),
            };
        }
        first_of(calendar.next_business_day(session.date))
    }

    /// Whether an item of `value_date` may come while `current` is the next session to close.
    pub fn admit(
        &self,
        calendar: &Calendar,
        current: SessionId,
        value_date: Date,
    ) -> Result<(), TimetableError> {
        if value_date < current.date {
            return Err(TimetableError::ValueDatePassed);
        }
        if value_date > calendar.add_business_days(current.date, u32::from(self.days_ahead)) {
            return Err(TimetableError::ValueDateTooFar);
        }
        if !calendar.is_business_day(value_date) {
            return Err(TimetableError::ValueDateClosed);
        }
        Ok(())
    }
}

/// One session at 15:00, value dates up to three business days ahead: the facts of docs/clearing.md.
impl Default for Timetable {
    fn default() -> Timetable {
        Timetable {
            closes_at: vec![Span::from_secs(15 * 3600)],
            days_ahead: 3,
        }
    }
}

const fn first_of(date: Date) -> SessionId {
    SessionId { date, number: 1 }
}

impl fmt::Display for SessionId {
    /// `2026-11-23/1`
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.date.ymd();
        write!(formatter, "{year:04}-{month:02}-{day:02}/{}", self.number)
    }
}

impl fmt::Display for TimetableError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TimetableError::Sessions => {
                write!(formatter, "a date has 1 to {SESSIONS_MAX} sessions")
            }
            TimetableError::ClosingTimes => {
                formatter.write_str("closing times rise and lie within a day")
            }
            TimetableError::DaysAhead => {
                write!(formatter, "at most {DAYS_AHEAD_MAX} business days ahead")
            }
            TimetableError::ValueDatePassed => {
                formatter.write_str("the last session of the value date has closed")
            }
            TimetableError::ValueDateClosed => {
                formatter.write_str("the value date is no business day")
            }
            TimetableError::ValueDateTooFar => {
                formatter.write_str("the value date lies too far ahead")
            }
        }
    }
}

impl std::error::Error for TimetableError {}

#[cfg(test)]
mod tests;
