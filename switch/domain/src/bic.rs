//! Business identifier codes (ISO 9362), as the ISO 20022 type `BICFIDec2014Identifier` writes them.

use crate::text::Text;
use std::fmt;

/// A BIC of 8 or 11 upper-case characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bic(Text<11>);

rules! {
    /// Why a BIC was refused.
    BicError {
        Length => "bic-length", "a BIC has 8 or 11 characters";
        Characters => "bic-characters", "a BIC is 4 letters or digits, 2 letters of a country, 2 letters or digits, and optionally 3 letters or digits, all upper case";
    }
}

impl Bic {
    /// Reads a BIC: `[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?` (`BICFIDec2014Identifier`).
    pub fn parse(text: &str) -> Result<Bic, BicError> {
        if text.len() != 8 && text.len() != 11 {
            return Err(BicError::Length);
        }
        let right = text.bytes().enumerate().all(|(place, byte)| match place {
            4 | 5 => byte.is_ascii_uppercase(),
            _ => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
        });
        if !right {
            return Err(BicError::Characters);
        }
        Text::try_from(text).map(Bic).map_err(|_| BicError::Length)
    }

    /// The code as written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The code as bytes, all ASCII.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The first eight characters: the institution without its branch.
    pub fn institution(&self) -> &str {
        self.as_str().get(..8).unwrap_or_default()
    }

    /// The two letters of the country.
    pub fn country(&self) -> &str {
        self.as_str().get(4..6).unwrap_or_default()
    }

    /// Whether both are of one institution: the branch, the last three characters, is not compared.
    pub fn same_institution(&self, other: &Bic) -> bool {
        self.as_bytes().get(..8) == other.as_bytes().get(..8)
    }
}

impl fmt::Display for Bic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests;
