//! The card number that binds a PIN block to its card.

use std::fmt;

use crate::limits::{PAN_DIGITS_MAX, PAN_DIGITS_MIN};

/// A primary account number of 8 to 19 ASCII digits, borrowed from the message. Its check digit is not looked at.
///
/// `Debug` shows the number of digits alone.
///
/// ```
/// use torap_hsm::Pan;
///
/// let pan = Pan::parse(b"9999500000000004").unwrap();
/// assert_eq!(format!("{pan:?}"), "Pan(16 digits)");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Pan<'a>(&'a [u8]);

/// Why bytes are no PAN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PanError {
    /// Fewer than 8 or more than 19 bytes.
    Length,
    /// A byte that is no ASCII digit.
    NotADigit,
}

impl<'a> Pan<'a> {
    /// Reads ASCII digits.
    ///
    /// # Errors
    /// [`PanError`] names the broken rule.
    pub fn parse(digits: &'a [u8]) -> Result<Pan<'a>, PanError> {
        if !(PAN_DIGITS_MIN..=PAN_DIGITS_MAX).contains(&digits.len()) {
            return Err(PanError::Length);
        }
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(PanError::NotADigit);
        }
        Ok(Pan(digits))
    }

    /// The ASCII digits, check digit included.
    pub fn digits(self) -> &'a [u8] {
        self.0
    }
}

impl fmt::Debug for Pan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pan({} digits)", self.0.len())
    }
}

impl fmt::Display for PanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PanError::Length => "a PAN has 8 to 19 digits",
            PanError::NotADigit => "a PAN has digits only",
        })
    }
}

impl std::error::Error for PanError {}
