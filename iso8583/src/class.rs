//! Field types: which characters a field may hold, checked eight at a time.

mod words;

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
    #[inline]
    pub(crate) fn holds(self, text: &[u8]) -> bool {
        match self {
            Self::Numeric => words::numeric(text),
            Self::Printable => words::printable(text),
            Self::AlphaNumeric => words::alphanumeric(text),
            Self::Binary => true,
            Self::Track => words::track(text),
            Self::Track1 => words::track1(text),
            Self::Alpha => words::alpha(text),
            Self::SignedAmount => match text.split_first() {
                Some((sign, amount)) => matches!(sign, b'C' | b'D') && words::numeric(amount),
                None => true,
            },
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

#[cfg(test)]
mod tests;
