//! Fields that name a card message, and what may be kept of a card number.

use std::fmt;

use crate::{
    digits::number,
    time::{Date, Time},
};

rules! {
    /// Why a field of a card message was refused.
    CardIdError {
        Digits => "card-digits", "the field has a character that is not a digit";
        Length => "card-length", "the field is longer or shorter than its kind";
        Range => "card-range", "the field is a number outside its range";
        Characters => "card-characters", "the field has a character that is not printable ASCII";
    }
}

/// Keyed hash of a card number: the same card gives the same value, and without the key nobody finds the card. The key never
/// stands in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CardHash(pub [u8; 16]);

/// What may be shown of a card number: its first six digits, its last four, and how many it has (12 to 19).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TruncatedPan {
    first: u32,
    last: u16,
    length: u8,
}

/// The first 6 to 11 digits of card numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    /// As a number; a prefix has no leading zero that is lost, because `length` says how many digits it has.
    digits: u64,
    length: u8,
}

/// System trace audit number (DE11): 0 to 999999, given by whoever sends the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stan(u32);

/// Transmission date and time (DE7): `MMDDhhmmss` in UTC, without a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Transmission(u32);

/// A date without a year (DE15): `MMDD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MonthDay(u16);

/// Merchant category code (DE18; in 1993 DE26): four digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mcc(u16);

/// Approval code (DE38): six characters, letters and digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApprovalCode([u8; 6]);

/// Response code as in DE39 of the national dialect: two characters, letters and digits. Dialects with three digits are translated at
/// the edge.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResponseCode([u8; 2]);

/// Identifier of an institution (DE32, DE33, DE100): 1 to 11 digits; leading zeros count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstitutionId(Prefix);

impl TruncatedPan {
    /// From the whole card number; only what may be kept is kept.
    pub fn from_pan(digits: &[u8]) -> Result<TruncatedPan, CardIdError> {
        if !(12..=19).contains(&digits.len()) {
            return Err(CardIdError::Length);
        }
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(CardIdError::Digits);
        }
        let first = digits.get(..6).and_then(number);
        let last = digits
            .get(digits.len().saturating_sub(4)..)
            .and_then(number);
        let length = u8::try_from(digits.len()).map_err(|_| CardIdError::Length)?;
        match (first, last) {
            (Some(first), Some(last)) => {
                TruncatedPan::from_parts(first as u32, last as u16, length)
                    .ok_or(CardIdError::Range)
            }
            _ => Err(CardIdError::Digits),
        }
    }

    /// From its three parts.
    pub const fn from_parts(first: u32, last: u16, length: u8) -> Option<TruncatedPan> {
        if first <= 999_999 && last <= 9_999 && length >= 12 && length <= 19 {
            Some(TruncatedPan {
                first,
                last,
                length,
            })
        } else {
            None
        }
    }

    /// The first six digits, as a number.
    pub const fn first(self) -> u32 {
        self.first
    }

    /// The last four digits, as a number.
    pub const fn last(self) -> u16 {
        self.last
    }

    /// How many digits the card number has.
    pub const fn length(self) -> u8 {
        self.length
    }
}

impl fmt::Display for TruncatedPan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = usize::from(self.length.saturating_sub(10));
        write!(
            formatter,
            "{:06}{:*<hidden$}{:04}",
            self.first, "", self.last
        )
    }
}

impl Prefix {
    /// Digits of the longest prefix.
    pub const DIGITS_MAX: u8 = 11;
    /// Digits of the shortest prefix that may stand in a table.
    pub const DIGITS_MIN: u8 = 6;

    /// Reads 6 to 11 digits.
    pub fn parse(text: &str) -> Result<Prefix, CardIdError> {
        Prefix::read(text.as_bytes(), Prefix::DIGITS_MIN)
    }

    /// A number of `length` digits, 6 to 11.
    pub const fn from_parts(digits: u64, length: u8) -> Option<Prefix> {
        let fits = length >= Prefix::DIGITS_MIN && length <= Prefix::DIGITS_MAX;
        if fits && digits < power(length) {
            Some(Prefix { digits, length })
        } else {
            None
        }
    }

    fn read(text: &[u8], least: u8) -> Result<Prefix, CardIdError> {
        let length = u8::try_from(text.len()).map_err(|_| CardIdError::Length)?;
        if length < least || length > Prefix::DIGITS_MAX {
            return Err(CardIdError::Length);
        }
        let digits = number(text).ok_or(CardIdError::Digits)?;
        Ok(Prefix { digits, length })
    }

    /// The digits as a number of [`Prefix::length`] digits.
    pub const fn digits(self) -> u64 {
        self.digits
    }

    /// How many digits.
    pub const fn length(self) -> u8 {
        self.length
    }

    /// The first `length` digits of a card number; none if it has fewer or one is no digit.
    pub fn of(card: &[u8], length: u8) -> Option<Prefix> {
        Prefix::read(card.get(..usize::from(length))?, Prefix::DIGITS_MIN).ok()
    }

    /// Its first six digits.
    pub const fn first(self) -> u32 {
        match self
            .digits
            .checked_div(power(self.length.saturating_sub(6)))
        {
            Some(first) => first as u32,
            None => 0,
        }
    }

    /// Of eleven-digit numbers, the first that begins with the prefix and the last.
    pub const fn span(self) -> (u64, u64) {
        let unit = power(Prefix::DIGITS_MAX.saturating_sub(self.length));
        let first = self.digits.saturating_mul(unit);
        (first, first.saturating_add(unit).saturating_sub(1))
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = usize::from(self.length);
        write!(formatter, "{:0width$}", self.digits)
    }
}

const fn power(exponent: u8) -> u64 {
    10_u64.saturating_pow(exponent as u32)
}

impl Stan {
    /// The largest.
    pub const MAX: u32 = 999_999;

    /// The number, if it has six digits at most.
    pub const fn new(value: u32) -> Option<Stan> {
        if value <= Stan::MAX {
            Some(Stan(value))
        } else {
            None
        }
    }

    /// The number.
    pub const fn value(self) -> u32 {
        self.0
    }

    /// The next one; 1 follows the largest, and 0 is never given.
    pub const fn next(self) -> Stan {
        if self.0 >= Stan::MAX {
            Stan(1)
        } else {
            Stan(self.0.saturating_add(1))
        }
    }
}

impl fmt::Display for Stan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:06}", self.0)
    }
}

impl Transmission {
    /// Reads `MMDDhhmmss`. 29 February is accepted: there is no year to say otherwise.
    pub fn parse(text: &[u8]) -> Result<Transmission, CardIdError> {
        if text.len() != 10 {
            return Err(CardIdError::Length);
        }
        let value = number(text).ok_or(CardIdError::Digits)?;
        let value = u32::try_from(value).map_err(|_| CardIdError::Range)?;
        Transmission::from_value(value).ok_or(CardIdError::Range)
    }

    /// From the ten digits as a number.
    pub fn from_value(value: u32) -> Option<Transmission> {
        let (time, day) = (value % 1_000_000, value / 1_000_000);
        let (hour, minute, second) = (time / 10_000, time / 100 % 100, time % 100);
        let sound = hour < 24 && minute < 60 && second < 60;
        MonthDay::from_value(u16::try_from(day).ok()?)?;
        sound.then_some(Transmission(value))
    }

    /// The ten digits as a number.
    pub const fn value(self) -> u32 {
        self.0
    }

    /// What a message sent at `time` states.
    pub fn at(time: Time) -> Transmission {
        let seconds = time.nanos() / 1_000_000_000;
        let days = i32::try_from(seconds / 86_400).unwrap_or(i32::MAX);
        let (_, month, day) = Date::from_days(days).ymd();
        // Each part has two digits.
        let of_day = (seconds % 86_400) as u32;
        let parts = [
            u32::from(month),
            u32::from(day),
            of_day / 3600,
            of_day / 60 % 60,
            of_day % 60,
        ];
        let value = parts.into_iter().fold(0_u32, |value, part| {
            value.saturating_mul(100).saturating_add(part)
        });
        Transmission(value)
    }

    /// The point in time that is nearest to `near`; none if there is none within the range of [`Time`].
    pub fn resolve(self, near: Time) -> Option<Time> {
        let (day, time) = (self.0 / 1_000_000, self.0 % 1_000_000);
        let of_day = u64::from(time / 10_000)
            .saturating_mul(3600)
            .saturating_add(u64::from(time / 100 % 100).saturating_mul(60))
            .saturating_add(u64::from(time % 100));
        let near_seconds = near.nanos() / 1_000_000_000;
        let days = i32::try_from(near_seconds / 86_400).unwrap_or(i32::MAX);
        let date = MonthDay(u16::try_from(day).ok()?).nearest(Date::from_days(days))?;
        let days = u64::try_from(date.days()).ok()?;
        let seconds = days.checked_mul(86_400)?.checked_add(of_day)?;
        Some(Time::from_nanos(seconds.checked_mul(1_000_000_000)?))
    }
}

impl fmt::Display for Transmission {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:010}", self.0)
    }
}

impl MonthDay {
    /// Reads `MMDD`.
    pub fn parse(text: &[u8]) -> Result<MonthDay, CardIdError> {
        if text.len() != 4 {
            return Err(CardIdError::Length);
        }
        let value = number(text).ok_or(CardIdError::Digits)?;
        let value = u16::try_from(value).map_err(|_| CardIdError::Range)?;
        MonthDay::from_value(value).ok_or(CardIdError::Range)
    }

    /// From the four digits as a number.
    pub fn from_value(value: u16) -> Option<MonthDay> {
        // 2000 was a leap year.
        Date::from_ymd(2000, u8::try_from(value / 100).ok()?, (value % 100) as u8)?;
        Some(MonthDay(value))
    }

    /// Month and day of a date.
    pub fn of(date: Date) -> MonthDay {
        let (_, month, day) = date.ymd();
        MonthDay(
            u16::from(month)
                .saturating_mul(100)
                .saturating_add(u16::from(day)),
        )
    }

    /// The four digits as a number.
    pub const fn value(self) -> u16 {
        self.0
    }

    /// The date of this month and day that is nearest to `near`; the earlier of two that are equally near.
    pub fn nearest(self, near: Date) -> Option<Date> {
        let (year, _, _) = near.ymd();
        let years = [year.saturating_sub(1), year, year.saturating_add(1)];
        let (month, day) = (u8::try_from(self.0 / 100).ok()?, (self.0 % 100) as u8);
        let dates = years
            .into_iter()
            .filter_map(|year| Date::from_ymd(year, month, day));
        dates.min_by_key(|date| date.days().abs_diff(near.days()))
    }
}

impl fmt::Display for MonthDay {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04}", self.0)
    }
}

impl Mcc {
    /// The code of a number with four digits at most.
    pub const fn new(value: u16) -> Option<Mcc> {
        if value <= 9999 {
            Some(Mcc(value))
        } else {
            None
        }
    }

    /// The code as a number.
    pub const fn value(self) -> u16 {
        self.0
    }
}

impl fmt::Display for Mcc {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04}", self.0)
    }
}

impl InstitutionId {
    /// Reads 1 to 11 digits.
    pub fn parse(text: &str) -> Result<InstitutionId, CardIdError> {
        Prefix::read(text.as_bytes(), 1).map(InstitutionId)
    }

    /// A number of `length` digits, 1 to 11.
    pub const fn from_parts(digits: u64, length: u8) -> Option<InstitutionId> {
        if length >= 1 && length <= Prefix::DIGITS_MAX && digits < power(length) {
            Some(InstitutionId(Prefix { digits, length }))
        } else {
            None
        }
    }

    /// The digits as a number, and how many they are.
    pub const fn parts(self) -> (u64, u8) {
        (self.0.digits, self.0.length)
    }
}

impl fmt::Display for InstitutionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

macro_rules! codes {
    ($($name:ident[$length:literal];)+) => {$(
        impl $name {
            /// Reads the code; letters and digits, and blanks at the end.
            pub fn parse(text: &[u8]) -> Result<$name, CardIdError> {
                let bytes: [u8; $length] = text.try_into().map_err(|_| CardIdError::Length)?;
                let sound = bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b' ');
                if sound { Ok($name(bytes)) } else { Err(CardIdError::Characters) }
            }

            /// The characters.
            pub const fn bytes(self) -> [u8; $length] {
                self.0
            }

            /// The characters as text.
            pub fn as_str(&self) -> &str {
                std::str::from_utf8(&self.0).unwrap_or_default()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, concat!(stringify!($name), "({:?})"), self.as_str())
            }
        }
    )+};
}

codes! {
    ApprovalCode[6];
    ResponseCode[2];
}

impl ApprovalCode {
    /// Six digits; of a larger number the lowest six.
    pub fn from_number(number: u64) -> ApprovalCode {
        let mut rest = number;
        let mut bytes = [b'0'; 6];
        for place in bytes.iter_mut().rev() {
            // A remainder of ten always fits a byte.
            *place = b'0'.wrapping_add((rest % 10) as u8);
            rest /= 10;
        }
        ApprovalCode(bytes)
    }
}

impl ResponseCode {
    /// Approved.
    pub const APPROVED: ResponseCode = ResponseCode(*b"00");

    /// Whether it is one of the two that acknowledge: `00`, or `08` (honour with identification).
    pub const fn is_approval(self) -> bool {
        matches!(self.0, [b'0', b'0' | b'8'])
    }

    /// A code of two digits.
    pub const fn digits(tens: u8, ones: u8) -> Option<ResponseCode> {
        if tens < 10 && ones < 10 {
            Some(ResponseCode([
                b'0'.wrapping_add(tens),
                b'0'.wrapping_add(ones),
            ]))
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests;
