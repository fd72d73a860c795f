//! Times and dates as the national profile reads and writes them.

/// Seconds of a day; leap seconds do not exist in this calendar.
pub(crate) const DAY_SECONDS: u64 = 86_400;

/// Local time is UTC+5.
const LOCAL_OFFSET_SECONDS: i64 = 5 * 3600;

/// Nanoseconds since 1970 UTC of a dateTime with an offset: `YYYY-MM-DDThh:mm:ss`, at most nine digits of a fraction, then `Z` or `±hh:mm`.
/// `24:00:00` is the start of the next day.
///
/// # Errors
/// The code of the rule that is broken: `date-time-form`, `date-time-offset` (no offset given) or `date-time-range` (not between 1970 and 2500).
pub(crate) fn parse(text: &str) -> Result<u64, &'static str> {
    const FORM: &str = "date-time-form";
    let bytes = text.as_bytes();
    let (moment, rest) = bytes.split_at_checked(19).ok_or(FORM)?;
    let (day, clock) = moment.split_at_checked(10).ok_or(FORM)?;
    let day = day_of(day).ok_or(FORM)?;
    let clock = clock.strip_prefix(b"T").ok_or(FORM)?;
    let (seconds, nanoseconds, rest) = clock_of(clock, rest).ok_or(FORM)?;
    let offset = offset_of(rest, FORM)?;
    day.checked_mul(DAY_SECONDS)
        .and_then(|start| start.checked_add(seconds))
        .and_then(|seconds| seconds.checked_add_signed(-offset))
        .and_then(|seconds| seconds.checked_mul(1_000_000_000))
        .and_then(|total| total.checked_add(nanoseconds))
        .ok_or("date-time-range")
}

/// Nanoseconds since midnight of UTC+5 of a time of day with an offset: `hh:mm:ss`, at most nine digits of a fraction, then `Z` or `±hh:mm`.
/// `24:00:00` is midnight.
///
/// # Errors
/// `date-time-form` or `date-time-offset`.
pub(crate) fn time_of_day(text: &str) -> Result<u64, &'static str> {
    const FORM: &str = "date-time-form";
    let (clock, rest) = text.as_bytes().split_at_checked(8).ok_or(FORM)?;
    let (seconds, nanoseconds, rest) = clock_of(clock, rest).ok_or(FORM)?;
    let offset = offset_of(rest, FORM)?;
    let local = (seconds.cast_signed() - offset + LOCAL_OFFSET_SECONDS)
        .rem_euclid(DAY_SECONDS.cast_signed());
    Ok(local.unsigned_abs() * 1_000_000_000 + nanoseconds)
}

/// Seconds and nanoseconds since midnight of `hh:mm:ss` and the fraction that may follow it, and what stands behind.
fn clock_of<'t>(clock: &[u8], rest: &'t [u8]) -> Option<(u64, u64, &'t [u8])> {
    let [h1, h2, b':', m1, m2, b':', s1, s2] = *clock else {
        return None;
    };
    let hour = number(&[h1, h2]).filter(|hour| *hour <= 24)?;
    let minute = number(&[m1, m2]).filter(|minute| *minute < 60)?;
    let second = number(&[s1, s2]).filter(|second| *second < 60)?;
    let (nanoseconds, rest) = fraction(rest)?;
    let exists = hour < 24 || (minute, second, nanoseconds) == (0, 0, 0);
    exists.then_some((hour * 3600 + minute * 60 + second, nanoseconds, rest))
}

/// Seconds of an offset from UTC.
fn offset_of(text: &[u8], form: &'static str) -> Result<i64, &'static str> {
    match *text {
        [] => Err("date-time-offset"),
        [b'Z'] => Ok(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let hours = number(&[h1, h2]).filter(|hours| *hours <= 14).ok_or(form)?;
            let minutes = number(&[m1, m2])
                .filter(|minutes| *minutes < 60)
                .ok_or(form)?;
            let offset = (hours * 3600 + minutes * 60).cast_signed();
            Ok(if sign == b'+' { offset } else { -offset })
        }
        _ => Err(form),
    }
}

/// Whether `text` is a calendar date written `YYYY-MM-DD`, without an offset.
///
/// # Errors
/// `date-form`.
pub(crate) fn check_date(text: &str) -> Result<(), &'static str> {
    day_of(text.as_bytes()).map(|_| ()).ok_or("date-form")
}

/// Year, month and day of the Gregorian calendar, of a day counted from 1970-01-01.
pub(crate) fn civil_from_day(day: u64) -> (u64, u64, u64) {
    // Years are counted from March, so that the leap day is the last day of one; 719,468 days lie between 0000-03-01 and 1970-01-01.
    let day = day + 719_468;
    let (era, day_of_era) = (day / 146_097, day % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    (
        era * 400 + year_of_era + u64::from(month <= 2),
        month,
        day_of_month,
    )
}

/// Days from 1970-01-01 to a date from then up to the year 2500; later years would not fit nanoseconds.
fn day_of(date: &[u8]) -> Option<u64> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *date else {
        return None;
    };
    let year = number(&[y1, y2, y3, y4]).filter(|year| (1970..=2500).contains(year))?;
    let month = number(&[m1, m2]).filter(|month| (1..=12).contains(month))?;
    let day = number(&[d1, d2]).filter(|day| (1..=days_in_month(year, month)).contains(day))?;
    let year_from_march = year - u64::from(month <= 2);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let days =
        365 * year_from_march + year_from_march / 4 - year_from_march / 100 + year_from_march / 400;
    (days + day_of_year).checked_sub(719_468)
}

fn days_in_month(year: u64, month: u64) -> u64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        _ => 31,
    }
}

/// Nanoseconds of a fraction, if there is one, and what follows it.
fn fraction(text: &[u8]) -> Option<(u64, &[u8])> {
    let Some(digits) = text.strip_prefix(b".") else {
        return Some((0, text));
    };
    let length = digits
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let (digits, rest) = digits.split_at_checked(length)?;
    if !(1..=9).contains(&length) {
        return None;
    }
    let missing = u32::try_from(9 - length).ok()?;
    Some((number(digits)? * 10_u64.pow(missing), rest))
}

/// A number of at most nine decimal digits.
fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |value, byte| {
        byte.is_ascii_digit()
            .then(|| value * 10 + u64::from(byte - b'0'))
    })
}
