//! Field types: which characters a field may hold, checked eight at a time.

use std::fmt;

/// The type of a field or subfield (ISO 8583: attributes of data elements).
///
/// Blanks count as letters, since fields of fixed length are filled with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Class {
    /// `n`: digits.
    Numeric,
    /// `a`: letters and blanks.
    Alpha,
    /// `s`: special characters and blanks.
    Special,
    /// `an`: letters, digits and blanks.
    AlphaNumeric,
    /// `as`: letters, special characters and blanks.
    AlphaSpecial,
    /// `ns`: digits, special characters and blanks.
    NumericSpecial,
    /// `ans`: every printable ASCII character.
    Printable,
    /// `x+n`: `C` or `D`, then digits.
    SignedAmount,
    /// `z`: tracks 2 and 3 as of ISO/IEC 7813 and 4909: digits and the separators `=` and `D`.
    Track,
    /// `track1`: track 1 as of ISO/IEC 7813: characters 20 to 5F.
    Track1,
    /// `b`: bytes.
    Binary,
}

const ALL: [(Class, &str); 11] = [
    (Class::Numeric, "n"),
    (Class::Alpha, "a"),
    (Class::Special, "s"),
    (Class::AlphaNumeric, "an"),
    (Class::AlphaSpecial, "as"),
    (Class::NumericSpecial, "ns"),
    (Class::Printable, "ans"),
    (Class::SignedAmount, "x+n"),
    (Class::Track, "z"),
    (Class::Track1, "track1"),
    (Class::Binary, "b"),
];

impl Class {
    /// The type of that name, such as `an`.
    pub fn named(name: &str) -> Option<Class> {
        ALL.iter()
            .find(|(_, known)| *known == name)
            .map(|(class, _)| *class)
    }

    /// Its name in tables, such as `an`.
    pub fn name(self) -> &'static str {
        ALL.iter()
            .find(|(class, _)| *class == self)
            .map_or("", |(_, name)| name)
    }

    /// May a field of this type hold that character at that place?
    pub fn allows(self, place: usize, byte: u8) -> bool {
        let special = byte.is_ascii_punctuation() || byte == b' ';
        let letter = byte.is_ascii_alphabetic() || byte == b' ';
        match self {
            Self::Numeric => byte.is_ascii_digit(),
            Self::Alpha => letter,
            Self::Special => special,
            Self::AlphaNumeric => letter || byte.is_ascii_digit(),
            Self::AlphaSpecial => letter || special,
            Self::NumericSpecial => special || byte.is_ascii_digit(),
            Self::Printable => (0x20..=0x7E).contains(&byte),
            Self::SignedAmount if place == 0 => matches!(byte, b'C' | b'D'),
            Self::SignedAmount => byte.is_ascii_digit(),
            Self::Track => byte.is_ascii_digit() || matches!(byte, b'=' | b'D'),
            Self::Track1 => (0x20..=0x5F).contains(&byte),
            Self::Binary => true,
        }
    }

    /// Where the first character stands that the type does not allow; `None` if there is none.
    pub fn first_wrong(self, text: &[u8]) -> Option<usize> {
        text.iter()
            .enumerate()
            .position(|(place, &byte)| !self.allows(place, byte))
    }

    /// Are all characters of ASCII text allowed?
    #[inline(always)]
    pub(crate) fn holds(self, text: &[u8]) -> bool {
        match self {
            Self::Numeric => all(text, digits),
            Self::Printable => all(text, printable),
            Self::AlphaNumeric => all(text, alphanumeric),
            Self::Binary => true,
            Self::Track => all(text, track),
            Self::SignedAmount => match text.split_first() {
                Some((sign, amount)) => matches!(sign, b'C' | b'D') && all(amount, digits),
                None => true,
            },
            Self::Track1 => all(text, track1),
            Self::Alpha => all(text, alpha),
            Self::Special | Self::AlphaSpecial | Self::NumericSpecial => {
                text.iter().all(|&byte| self.allows(0, byte))
            }
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The top bit of each of eight bytes: where a check leaves its verdict.
const TOPS: u64 = 0x8080_8080_8080_8080;

const fn each(byte: u8) -> u64 {
    0x0101_0101_0101_0101 * byte as u64
}

/// Checks eight characters at a time; what is left over is read again together with characters before it.
#[inline(always)]
fn all(text: &[u8], wrong: impl Fn(u64) -> u64) -> bool {
    let length = text.len();
    if let Some(last) = text.last_chunk::<8>() {
        let mut found = wrong(u64::from_le_bytes(*last));
        for word in text[..length & !7].as_chunks::<8>().0 {
            found |= wrong(u64::from_le_bytes(*word));
        }
        return found & TOPS == 0;
    }
    if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        let low = u64::from(u32::from_le_bytes(*first));
        let high = u64::from(u32::from_le_bytes(*last));
        return wrong(low | high << 32) & TOPS == 0;
    }
    match (text.first(), text.get(length / 2), text.last()) {
        // Three characters at most, and each of them is one of these.
        (Some(&a), Some(&b), Some(&c)) => {
            wrong(u64::from_le_bytes([a, b, c, a, a, a, a, a])) & TOPS == 0
        }
        _ => true,
    }
}

// The checks below set the top bit of each byte that is wrong. A byte above 7F is wrong for all of them, so sums that carry out of such a
// byte change nothing: the verdict over the whole word stays the same.

#[inline(always)]
const fn digits(word: u64) -> u64 {
    word | word.wrapping_add(each(0x7F - b'9')) | !word.wrapping_add(each(0x80 - b'0'))
}

#[inline(always)]
const fn printable(word: u64) -> u64 {
    word | word.wrapping_add(each(0x7F - b'~')) | !word.wrapping_add(each(0x80 - b' '))
}

#[inline(always)]
const fn track1(word: u64) -> u64 {
    word | word.wrapping_add(each(0x7F - b'_')) | !word.wrapping_add(each(0x80 - b' '))
}

#[inline(always)]
const fn alpha(word: u64) -> u64 {
    word | !(letters(word) | equal(word, b' '))
}

#[inline(always)]
const fn alphanumeric(word: u64) -> u64 {
    word | (digits(word) & !(letters(word) | equal(word, b' ')))
}

#[inline(always)]
const fn track(word: u64) -> u64 {
    word | (digits(word) & !(equal(word, b'=') | equal(word, b'D')))
}

/// Top bits of the bytes that are letters, if all are below 80.
#[inline(always)]
const fn letters(word: u64) -> u64 {
    let lower = word | each(0x20);
    !lower.wrapping_add(each(0x7F - b'z')) & lower.wrapping_add(each(0x80 - b'a'))
}

/// Top bits of the bytes that are `byte`, if all are below 80.
#[inline(always)]
const fn equal(word: u64, byte: u8) -> u64 {
    !(word ^ each(byte)).wrapping_add(each(0x7F))
}

#[cfg(test)]
mod tests;
