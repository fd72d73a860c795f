//! The date and time types: `xs:date`, `xs:dateTime`, `xs:time` and the truncated dates.
//!
//! libxml2: no blank may stand before a date (one may before a time), and after it only behind the time zone of a dateTime;
//! 24:00:00 is a time of day; a year may have more than four digits; seconds are summed in binary floating point, so that a
//! fraction close enough to a whole minute is refused. That sum never leaves this file and never meets money.

use super::is_blank;

pub(super) fn is_date(text: &[u8]) -> bool {
    let mut cursor = Cursor(text);
    cursor.date().is_some() && cursor.zone().is_some() && cursor.is_at_end()
}

pub(super) fn is_date_time(text: &[u8]) -> bool {
    let mut cursor = Cursor(text);
    let parsed = cursor.date().is_some()
        && cursor.accept(b'T').is_some()
        && cursor.time_of_day().is_some()
        && cursor.zone().is_some();
    cursor.skip_blanks();
    parsed && cursor.is_at_end()
}

pub(super) fn is_time(text: &[u8]) -> bool {
    let mut cursor = Cursor(text);
    cursor.skip_blanks();
    cursor.time_of_day().is_some() && cursor.zone().is_some() && cursor.is_at_end()
}

pub(super) fn is_year(text: &[u8]) -> bool {
    let mut cursor = Cursor(text);
    cursor.year().is_some() && cursor.zone().is_some() && cursor.is_at_end()
}

pub(super) fn is_year_month(text: &[u8]) -> bool {
    let mut cursor = Cursor(text);
    cursor.year().is_some()
        && cursor.accept(b'-').is_some()
        && cursor.month().is_some()
        && cursor.zone().is_some()
        && cursor.is_at_end()
}

/// `xs:gMonth`, `xs:gDay` and `xs:gMonthDay`: only reachable through `xsi:type` under a lax wildcard.
pub(super) fn is_month(text: &[u8]) -> bool {
    let mut cursor = Cursor(text);
    cursor.skip_blanks();
    cursor.dashes().is_some()
        && cursor.month().is_some()
        && cursor.zone().is_some()
        && cursor.is_at_end()
}

pub(super) fn is_day(text: &[u8]) -> bool {
    let mut cursor = Cursor(text);
    cursor.skip_blanks();
    cursor.dashes().is_some()
        && cursor.accept(b'-').is_some()
        && cursor
            .two_digits()
            .is_some_and(|day| (1..=31).contains(&day))
        && cursor.zone().is_some()
        && cursor.is_at_end()
}

pub(super) fn is_month_day(text: &[u8]) -> bool {
    let mut cursor = Cursor(text);
    cursor.skip_blanks();
    let parse = |cursor: &mut Cursor<'_>| {
        cursor.dashes()?;
        let month = cursor.month()?;
        cursor.accept(b'-')?;
        let day = cursor.two_digits()?;
        // Without a year February may have 29 days.
        (day >= 1 && day <= days_in_month(0, month)).then_some(())
    };
    parse(&mut cursor).is_some() && cursor.zone().is_some() && cursor.is_at_end()
}

/// `xs:duration`: only reachable through `xsi:type` under a lax wildcard.
pub(super) fn is_duration(text: &[u8]) -> bool {
    let mut cursor = Cursor(text);
    cursor.skip_blanks();
    let _ = cursor.accept(b'-');
    cursor.accept(b'P').is_some() && !cursor.is_at_end() && cursor.duration_items().is_some()
}

/// What is still unread.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }

    fn skip_blanks(&mut self) {
        while let [first, rest @ ..] = self.0
            && is_blank(*first)
        {
            self.0 = rest;
        }
    }

    fn accept(&mut self, wanted: u8) -> Option<()> {
        let (first, rest) = self.0.split_first()?;
        (*first == wanted).then(|| self.0 = rest)
    }

    fn dashes(&mut self) -> Option<()> {
        self.accept(b'-')?;
        self.accept(b'-')
    }

    fn digit(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        first.is_ascii_digit().then(|| {
            self.0 = rest;
            first - b'0'
        })
    }

    fn two_digits(&mut self) -> Option<u32> {
        let [tens @ b'0'..=b'9', ones @ b'0'..=b'9', rest @ ..] = self.0 else {
            return None;
        };
        let value = u32::from(tens - b'0') * 10 + u32::from(ones - b'0');
        self.0 = rest;
        Some(value)
    }

    fn date(&mut self) -> Option<()> {
        let year = self.year()?;
        self.accept(b'-')?;
        let month = self.month()?;
        self.accept(b'-')?;
        let day = self.two_digits()?;
        (day >= 1 && day <= days_in_month(year, month)).then_some(())
    }

    /// A year of at least four digits, not zero, of more than four only without a zero in front.
    fn year(&mut self) -> Option<i64> {
        let is_negative = self.accept(b'-').is_some();
        let first = *self.0.first()?;
        let mut year = 0i64;
        let mut count = 0usize;
        while let Some(digit) = self.digit() {
            year = year.checked_mul(10)?.checked_add(i64::from(digit))?;
            count += 1;
        }
        if count < 4 || (count > 4 && first == b'0') || year == 0 {
            return None;
        }
        Some(if is_negative { -year } else { year })
    }

    fn month(&mut self) -> Option<u32> {
        self.two_digits().filter(|month| (1..=12).contains(month))
    }

    fn time_of_day(&mut self) -> Option<()> {
        let hour = self.two_digits().filter(|hour| *hour <= 24)?;
        self.accept(b':')?;
        let minute = self.two_digits().filter(|minute| *minute <= 59)?;
        self.accept(b':')?;
        let second = self.seconds()?;
        let is_end_of_day = hour == 24 && minute == 0 && second == 0.0;
        ((hour <= 23 && second < 60.0) || is_end_of_day).then_some(())
    }

    fn seconds(&mut self) -> Option<f64> {
        let mut second = f64::from(self.two_digits()?);
        if self.accept(b'.').is_some() {
            let mut weight = 1.0f64;
            let mut digit = self.digit()?;
            loop {
                weight /= 10.0;
                second += f64::from(digit) * weight;
                match self.digit() {
                    Some(next) => digit = next,
                    None => break,
                }
            }
        }
        Some(second)
    }

    /// An optional time zone: `Z` or an offset of at most fourteen hours.
    fn zone(&mut self) -> Option<()> {
        match self.0 {
            [] => Some(()),
            [b'Z', rest @ ..] => {
                self.0 = rest;
                Some(())
            }
            [b'+' | b'-', rest @ ..] => {
                self.0 = rest;
                let hours = self.two_digits().filter(|hours| *hours <= 23)?;
                self.accept(b':')?;
                let minutes = self.two_digits().filter(|minutes| *minutes <= 59)?;
                (hours * 60 + minutes <= 14 * 60).then_some(())
            }
            _ => None,
        }
    }

    fn duration_items(&mut self) -> Option<()> {
        const DESIGNATORS: [u8; 6] = *b"YMDHMS";
        let mut next = 0usize;
        while !self.is_at_end() {
            if next >= DESIGNATORS.len() {
                return None;
            }
            if self.accept(b'T').is_some() {
                if next > 3 {
                    return None;
                }
                next = 3;
            } else if next == 3 {
                return None;
            }
            let mut number = 0i64;
            let mut has_digits = false;
            while let Some(digit) = self.digit() {
                number = number.checked_mul(10)?.checked_add(i64::from(digit))?;
                has_digits = true;
            }
            let has_fraction = self.accept(b'.').is_some();
            if has_fraction {
                while self.digit().is_some() {
                    has_digits = true;
                }
            }
            loop {
                if self.accept(*DESIGNATORS.get(next)?).is_some() {
                    break;
                }
                next += 1;
                if next == 3 {
                    return None;
                }
            }
            if !has_digits || (has_fraction && next != 5) || (next == 0 && number > i64::MAX / 12) {
                return None;
            }
            next += 1;
        }
        Some(())
    }
}

fn days_in_month(year: i64, month: u32) -> u32 {
    let is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
