//! Points in time, spans and dates. Business time is UTC+5 the whole year.
//!
//! This module never reads a clock: the core stamps each command once, everything else is told the time.

use crate::digits::{digit, number, write_padded};
use std::fmt;

/// A point in time: nanoseconds since 1970-01-01T00:00:00Z, up to the year 2554.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

/// A length of time in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(u64);

/// A calendar date: days since 1970-01-01, in the proleptic Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(i32);

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weekday {
    /// Monday.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}

rules! {
    /// Why a time or date was refused.
    TimeError {
        Shape => "time-shape", "the time is not written YYYY-MM-DDThh:mm:ss with an optional fraction and an offset";
        OffsetMissing => "time-offset-missing", "the time has no offset from UTC; write Z or +05:00";
        Offset => "time-offset", "the offset from UTC is not Z or between -14:00 and +14:00";
        NoSuchDate => "time-no-such-date", "there is no such date";
        NoSuchTime => "time-no-such-time", "there is no such time of day";
        Fraction => "time-fraction", "the fraction of a second has no digit or more than 9";
        OutOfRange => "time-out-of-range", "the time is before 1970 or after the year 2554";
        DateShape => "date-shape", "the date is not written YYYY-MM-DD";
    }
}

/// Nanoseconds in a second.
const NANOS_PER_SECOND: u64 = 1_000_000_000;
const SECONDS_PER_DAY: i64 = 86_400;
const SECONDS_PER_DAY_UNSIGNED: u64 = SECONDS_PER_DAY.unsigned_abs();
/// Business time is UTC+5, without summer time.
const LOCAL_OFFSET: Span = Span::from_secs(5 * 3600);

impl Time {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Time = Time(0);
    /// The last point in time that can be held.
    pub const MAX: Time = Time(u64::MAX);

    /// The time `nanos` nanoseconds after 1970-01-01T00:00:00Z.
    pub const fn from_nanos(nanos: u64) -> Time {
        Time(nanos)
    }

    /// Nanoseconds since 1970-01-01T00:00:00Z.
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// The time `span` later; none beyond the range.
    pub const fn checked_add(self, span: Span) -> Option<Time> {
        match self.0.checked_add(span.0) {
            Some(nanos) => Some(Time(nanos)),
            None => None,
        }
    }

    /// The time `span` later, or the last possible time.
    pub const fn saturating_add(self, span: Span) -> Time {
        Time(self.0.saturating_add(span.0))
    }

    /// The time `span` earlier, or the first possible time.
    pub const fn saturating_sub(self, span: Span) -> Time {
        Time(self.0.saturating_sub(span.0))
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub const fn saturating_since(self, earlier: Time) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// Reads an XSD `dateTime` with its offset: `2026-11-21T09:15:27.123+05:00`. The fraction has up to 9 digits;
    /// `24:00:00` is the midnight that ends the day (XSD 1.1, 3.3.7); a missing offset has its own error.
    pub fn parse(text: &str) -> Result<Time, TimeError> {
        let (date, rest) = text.split_once('T').ok_or(TimeError::Shape)?;
        let date = Date::parse(date).map_err(|error| match error {
            TimeError::DateShape => TimeError::Shape,
            other => other,
        })?;
        let (seconds, rest) = parse_time_of_day(rest)?;
        let (fraction_nanos, rest) = parse_fraction(rest)?;
        if seconds == SECONDS_PER_DAY && fraction_nanos != 0 {
            return Err(TimeError::NoSuchTime);
        }
        let offset_seconds = parse_offset(rest)?;
        let utc_seconds = i64::from(date.0)
            .saturating_mul(SECONDS_PER_DAY)
            .saturating_add(seconds)
            .saturating_sub(offset_seconds);
        u64::try_from(utc_seconds)
            .ok()
            .and_then(|seconds| seconds.checked_mul(NANOS_PER_SECOND))
            .and_then(|nanos| nanos.checked_add(fraction_nanos))
            .map(Time)
            .ok_or(TimeError::OutOfRange)
    }

    /// Appends the time in UTC+5 with milliseconds, cut off and not rounded: `2026-11-21T09:15:27.123+05:00`.
    pub fn write_local(&self, out: &mut Vec<u8>) {
        // Beyond the range by less than five hours at its very end: wide enough in whole milliseconds.
        let millis = (self.0 / 1_000_000).saturating_add(LOCAL_OFFSET.millis());
        let seconds = millis / 1000;
        Date::from_seconds(seconds).write(out);
        let of_day = seconds % SECONDS_PER_DAY_UNSIGNED;
        for (mark, value) in [
            (b'T', of_day / 3600),
            (b':', (of_day / 60) % 60),
            (b':', of_day % 60),
        ] {
            out.push(mark);
            write_padded(value, 2, out);
        }
        out.push(b'.');
        write_padded(millis % 1000, 3, out);
        out.extend_from_slice(b"+05:00");
    }
}

impl Span {
    /// No time.
    pub const ZERO: Span = Span(0);

    /// `nanos` nanoseconds.
    pub const fn from_nanos(nanos: u64) -> Span {
        Span(nanos)
    }

    /// `millis` milliseconds, or the longest span.
    pub const fn from_millis(millis: u64) -> Span {
        Span(millis.saturating_mul(1_000_000))
    }

    /// `seconds` seconds, or the longest span.
    pub const fn from_secs(seconds: u64) -> Span {
        Span(seconds.saturating_mul(NANOS_PER_SECOND))
    }

    /// Length in nanoseconds.
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// Length in whole seconds.
    pub const fn secs(self) -> u64 {
        self.0 / NANOS_PER_SECOND
    }

    /// Length in whole milliseconds.
    pub const fn millis(self) -> u64 {
        self.0 / 1_000_000
    }
}

impl Date {
    /// The date `days` days after 1970-01-01.
    pub const fn from_days(days: i32) -> Date {
        Date(days)
    }

    /// Days since 1970-01-01.
    pub const fn days(self) -> i32 {
        self.0
    }

    /// The date of a year, month (1 to 12) and day (1 to 31); none if there is no such date. Years 1 to 9999.
    pub fn from_ymd(year: i32, month: u8, day: u8) -> Option<Date> {
        if !(1..=9999).contains(&year) || day == 0 || day > days_in_month(year, month)? {
            return None;
        }
        Some(Date(days_from_civil(year, month, day)))
    }

    /// Year, month (1 to 12) and day (1 to 31).
    pub fn ymd(self) -> (i32, u8, u8) {
        civil_from_days(self.0)
    }

    /// The business date (UTC+5) of a point in time.
    pub fn from_time(time: Time) -> Date {
        Date::from_seconds(
            (time.0 / NANOS_PER_SECOND).saturating_add(LOCAL_OFFSET.0 / NANOS_PER_SECOND),
        )
    }

    /// The moment the date begins in UTC+5; none outside the range of [`Time`].
    pub fn start(self) -> Option<Time> {
        let local_seconds = i64::from(self.0).checked_mul(SECONDS_PER_DAY)?;
        let nanos = u64::try_from(local_seconds)
            .ok()?
            .checked_mul(NANOS_PER_SECOND)?;
        nanos.checked_sub(LOCAL_OFFSET.0).map(Time)
    }

    /// Reads `YYYY-MM-DD`.
    pub fn parse(text: &str) -> Result<Date, TimeError> {
        let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text.as_bytes() else {
            return Err(TimeError::DateShape);
        };
        let year = number(&[y1, y2, y3, y4]).and_then(|year| i32::try_from(year).ok());
        let month = two_digits(m1, m2);
        let day = two_digits(d1, d2);
        let (Some(year), Some(month), Some(day)) = (year, month, day) else {
            return Err(TimeError::DateShape);
        };
        Date::from_ymd(year, month, day).ok_or(TimeError::NoSuchDate)
    }

    /// The date `days` days later, or earlier if negative; stays at the ends of the range.
    pub const fn add_days(self, days: i32) -> Date {
        Date(self.0.saturating_add(days))
    }

    /// Its day of the week.
    pub const fn weekday(self) -> Weekday {
        // 1970-01-01 was a Thursday, the fourth day from Monday.
        match self.0.rem_euclid(7) {
            0 => Weekday::Thursday,
            1 => Weekday::Friday,
            2 => Weekday::Saturday,
            3 => Weekday::Sunday,
            4 => Weekday::Monday,
            5 => Weekday::Tuesday,
            _ => Weekday::Wednesday,
        }
    }

    /// Appends `YYYY-MM-DD`.
    pub fn write(&self, out: &mut Vec<u8>) {
        let (year, month, day) = self.ymd();
        if year < 0 {
            out.push(b'-');
        }
        write_padded(u64::from(year.unsigned_abs()), 4, out);
        out.push(b'-');
        write_padded(u64::from(month), 2, out);
        out.push(b'-');
        write_padded(u64::from(day), 2, out);
    }

    fn from_seconds(seconds: u64) -> Date {
        Date(i32::try_from(seconds / SECONDS_PER_DAY_UNSIGNED).unwrap_or(i32::MAX))
    }
}

/// As [`Time::write_local`].
impl fmt::Display for Time {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(32);
        self.write_local(&mut text);
        formatter.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Display for Date {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(10);
        self.write(&mut text);
        formatter.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

fn two_digits(tens: u8, ones: u8) -> Option<u8> {
    Some(digit(tens)?.saturating_mul(10).saturating_add(digit(ones)?))
}

/// Reads `hh:mm:ss`; gives the seconds of the day and what follows.
fn parse_time_of_day(text: &str) -> Result<(i64, &[u8]), TimeError> {
    let &[h1, h2, b':', m1, m2, b':', s1, s2, ref rest @ ..] = text.as_bytes() else {
        return Err(TimeError::Shape);
    };
    let (Some(hour), Some(minute), Some(second)) =
        (two_digits(h1, h2), two_digits(m1, m2), two_digits(s1, s2))
    else {
        return Err(TimeError::Shape);
    };
    let end_of_day = hour == 24 && minute == 0 && second == 0;
    if (hour > 23 && !end_of_day) || minute > 59 || second > 59 {
        return Err(TimeError::NoSuchTime);
    }
    Ok((
        clock_seconds(hour, minute).saturating_add(i64::from(second)),
        rest,
    ))
}

/// Reads an optional `.` and 1 to 9 digits; gives nanoseconds and what follows.
fn parse_fraction(rest: &[u8]) -> Result<(u64, &[u8]), TimeError> {
    let [b'.', digits_on @ ..] = rest else {
        return Ok((0, rest));
    };
    let count = digits_on
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let (written, rest) = digits_on
        .split_at_checked(count)
        .ok_or(TimeError::Fraction)?;
    if !(1..=9).contains(&count) {
        return Err(TimeError::Fraction);
    }
    let missing = 9_u32.saturating_sub(u32::try_from(count).unwrap_or(9));
    let value = number(written).ok_or(TimeError::Fraction)?;
    Ok((value.saturating_mul(10_u64.saturating_pow(missing)), rest))
}

/// Reads `Z` or `±hh:mm`; gives the offset in seconds.
fn parse_offset(rest: &[u8]) -> Result<i64, TimeError> {
    match *rest {
        [] => Err(TimeError::OffsetMissing),
        [b'Z'] => Ok(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (Some(hour), Some(minute)) = (two_digits(h1, h2), two_digits(m1, m2)) else {
                return Err(TimeError::Offset);
            };
            let seconds = clock_seconds(hour, minute);
            if minute > 59 || seconds > 14 * 3600 {
                return Err(TimeError::Offset);
            }
            Ok(if sign == b'-' {
                seconds.saturating_neg()
            } else {
                seconds
            })
        }
        _ => Err(TimeError::Offset),
    }
}

fn clock_seconds(hour: u8, minute: u8) -> i64 {
    i64::from(hour)
        .saturating_mul(3600)
        .saturating_add(i64::from(minute).saturating_mul(60))
}

fn days_in_month(year: i32, month: u8) -> Option<u8> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        4 | 6 | 9 | 11 => Some(30),
        2 => Some(if leap { 29 } else { 28 }),
        _ => None,
    }
}

// Both conversions count in years that begin on 1 March, so that the leap day is the last day of a year, and in
// eras of 400 years, which all have 146,097 days. 719,468 is the number of days from 0000-03-01 to 1970-01-01.
const DAYS_PER_ERA: i64 = 146_097;
const DAYS_TO_1970: i64 = 719_468;

#[expect(
    clippy::arithmetic_side_effects,
    reason = "the caller bounds the year to 1..=9999, so no step can overflow"
)]
fn days_from_civil(year: i32, month: u8, day: u8) -> i32 {
    let (month, day) = (i64::from(month), i64::from(day));
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    // Four-digit years are within a few million days of 1970.
    (era * DAYS_PER_ERA + day_of_era - DAYS_TO_1970) as i32
}

#[expect(
    clippy::arithmetic_side_effects,
    reason = "an i32 of days is far inside i64, so no step can overflow"
)]
fn civil_from_days(days: i32) -> (i32, u8, u8) {
    let days = i64::from(days) + DAYS_TO_1970;
    let era = days.div_euclid(DAYS_PER_ERA);
    let day_of_era = days.rem_euclid(DAYS_PER_ERA);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    // By construction day is 1..=31, month is 1..=12, and the year is within six million of 1970.
    (year as i32, month as u8, day as u8)
}

#[cfg(test)]
mod tests;
