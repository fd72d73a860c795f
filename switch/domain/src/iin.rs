//! Individual and business identification numbers of Kazakhstan (IIN, BIN): 12 digits, the last one a check digit.

use crate::digits::number;
use std::fmt;

/// A checked IIN or BIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IinBin(u64);

/// Whom a number identifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PartyKind {
    /// A person (IIN).
    Individual,
    /// A company or an entrepreneur's business (BIN): the fifth digit is 4, 5 or 6.
    Business,
}

rules! {
    /// Why an IIN or BIN was refused.
    IinBinError {
        Length => "iin-length", "an IIN or BIN has 12 digits";
        Characters => "iin-characters", "an IIN or BIN has digits only";
        CheckDigit => "iin-check-digit", "the check digit of the IIN or BIN is wrong";
        NeverIssued => "iin-never-issued", "both passes of the check-digit rule give 10, so this number was never issued";
    }
}

/// First pass: the place of the digit, from 1.
const WEIGHTS_FIRST: [u32; 11] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
/// Second pass, used when the first gives 10.
const WEIGHTS_SECOND: [u32; 11] = [3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2];

/// One more than the largest number of 11 digits.
const PREFIX_END: u64 = 100_000_000_000;

impl IinBin {
    /// Reads 12 digits and checks the last one: Σ digit × (1..11) mod 11; if that is 10, weights 3..11, 1, 2; if
    /// that is 10 again the number was never issued.
    pub fn parse(text: &str) -> Result<IinBin, IinBinError> {
        if text.len() != 12 {
            return Err(IinBinError::Length);
        }
        let value = number(text.as_bytes()).ok_or(IinBinError::Characters)?;
        IinBin::from_value(value)
    }

    /// Checks a number given as an integer; leading zeros are implied.
    pub fn from_value(value: u64) -> Result<IinBin, IinBinError> {
        let prefix = value / 10;
        if prefix >= PREFIX_END {
            return Err(IinBinError::Length);
        }
        match check_digit(prefix) {
            None => Err(IinBinError::NeverIssued),
            Some(check) if check == value % 10 => Ok(IinBin(value)),
            Some(_) => Err(IinBinError::CheckDigit),
        }
    }

    /// Completes 11 digits, given as an integer, with their check digit. None if the prefix has more than 11
    /// digits or if no number with this prefix can be issued.
    pub fn with_check(prefix: u64) -> Option<IinBin> {
        if prefix >= PREFIX_END {
            return None;
        }
        let check = check_digit(prefix)?;
        prefix.checked_mul(10)?.checked_add(check).map(IinBin)
    }

    /// The number as an integer; write it with 12 digits.
    pub const fn value(self) -> u64 {
        self.0
    }

    /// Person or business, by the fifth digit.
    pub const fn kind(self) -> PartyKind {
        match (self.0 / 10_000_000) % 10 {
            4..=6 => PartyKind::Business,
            _ => PartyKind::Individual,
        }
    }
}

impl fmt::Display for IinBin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:012}", self.0)
    }
}

/// The check digit of an 11-digit prefix; none if both passes give 10.
fn check_digit(prefix: u64) -> Option<u64> {
    let mut digits = [0_u32; 11];
    let mut rest = prefix;
    for slot in digits.iter_mut().rev() {
        // A remainder of ten always fits.
        *slot = (rest % 10) as u32;
        rest /= 10;
    }
    [WEIGHTS_FIRST, WEIGHTS_SECOND]
        .iter()
        .map(|weights| weighted_mod_11(&digits, weights))
        .find(|sum| *sum < 10)
}

fn weighted_mod_11(digits: &[u32; 11], weights: &[u32; 11]) -> u64 {
    let sum: u32 = digits.iter().zip(weights).fold(0, |sum, (digit, weight)| {
        sum.saturating_add(digit.saturating_mul(*weight))
    });
    u64::from(sum % 11)
}

#[cfg(test)]
mod tests;
