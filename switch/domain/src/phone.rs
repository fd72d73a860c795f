//! Mobile numbers of Kazakhstan: all usual spellings to one form.
//!
//! A number is portable and recycled, so it never identifies a customer alone; the directory keys on phone and IIN.

use crate::digits::digit;
use std::fmt;

/// A mobile number as the integer 77XXXXXXXXX: country code 7, then ten national digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phone(u64);

rules! {
    /// Why a phone number was refused.
    PhoneError {
        Characters => "phone-characters", "a phone number has digits, blanks, hyphens, points and brackets, with at most one plus at the start";
        Length => "phone-length", "the phone number has too few or too many digits";
        Country => "phone-country", "the phone number does not begin with +7, 007, 7 or 8";
        NotMobile => "phone-not-mobile", "the phone number is not in a mobile range of Kazakhstan";
    }
}

/// Longest spelling read, in bytes; more is not a phone number.
pub const PHONE_TEXT_BYTES_MAX: usize = 40;

/// International form: country code and ten national digits.
const DIGITS_INTERNATIONAL: usize = 11;
const DIGITS_NATIONAL: usize = 10;
/// International form behind the dialled prefix 00.
const DIGITS_DIALLED: usize = 13;

impl Phone {
    /// Reads a spelling: `+7 701 123-45-67`, `8(701)1234567`, `77011234567`, `+7-7011234567`, `007 701 1234567`,
    /// `701 123 45 67`. Blanks (no-break ones too), hyphens, points and brackets are skipped; letters, and a plus
    /// anywhere but first, are refused. The national number must be in a mobile range of the national plan:
    /// `7(0[0-25-8]|47|6[0-4]|7[15-8]|85)` and 7 more digits.
    pub fn parse(text: &str) -> Result<Phone, PhoneError> {
        if text.len() > PHONE_TEXT_BYTES_MAX {
            return Err(PhoneError::Length);
        }
        let trimmed = text.trim_matches([' ', '\u{a0}']);
        let (international, rest) = match trimmed.strip_prefix('+') {
            Some(rest) => (true, rest),
            None => (false, trimmed),
        };
        let mut digits = [0_u8; DIGITS_DIALLED];
        let mut count: usize = 0;
        for character in rest.chars() {
            if is_separator(character) {
                continue;
            }
            let value = u8::try_from(character)
                .ok()
                .and_then(digit)
                .ok_or(PhoneError::Characters)?;
            *digits.get_mut(count).ok_or(PhoneError::Length)? = value;
            count = count.saturating_add(1);
        }
        let national = national_digits(&digits, count, international)?;
        let number = national.iter().fold(0_u64, |sum, value| {
            sum.saturating_mul(10).saturating_add(u64::from(*value))
        });
        Phone::from_value(number.saturating_add(70_000_000_000)).ok_or(PhoneError::NotMobile)
    }

    /// The number of an integer of 11 digits (`77011234567`); none outside the mobile ranges.
    pub const fn from_value(value: u64) -> Option<Phone> {
        if value / 10_000_000_000 == 7 && is_mobile_prefix((value / 10_000_000) % 1000) {
            Some(Phone(value))
        } else {
            None
        }
    }

    /// The number as an integer of 11 digits.
    pub const fn value(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "+{}", self.0)
    }
}

fn is_separator(character: char) -> bool {
    // The last ones are the no-break blank, the hyphens and dashes that word processors put into numbers.
    matches!(
        character,
        ' ' | '-' | '.' | '(' | ')' | '\u{a0}' | '\u{202f}' | '\u{2010}'..='\u{2013}'
    )
}

/// The ten national digits behind whatever prefix the spelling uses.
fn national_digits(
    digits: &[u8; DIGITS_DIALLED],
    count: usize,
    international: bool,
) -> Result<&[u8], PhoneError> {
    let written = digits.get(..count).unwrap_or_default();
    match (written, international) {
        ([7, rest @ ..], true) if rest.len() == DIGITS_NATIONAL => Ok(rest),
        ([7 | 8, rest @ ..], false) if rest.len() == DIGITS_NATIONAL => Ok(rest),
        ([0, 0, 7, rest @ ..], false) if rest.len() == DIGITS_NATIONAL => Ok(rest),
        (_, false) if count == DIGITS_NATIONAL => Ok(written),
        _ if count == DIGITS_INTERNATIONAL || count == DIGITS_DIALLED => Err(PhoneError::Country),
        _ => Err(PhoneError::Length),
    }
}

/// Whether three digits open a mobile range of the national numbering plan.
const fn is_mobile_prefix(prefix: u64) -> bool {
    matches!(prefix, 700..=702 | 705..=708 | 747 | 760..=764 | 771 | 775..=778 | 785)
}

#[cfg(test)]
mod tests;
