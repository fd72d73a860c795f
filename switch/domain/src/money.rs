//! Amounts: an integer in minor units together with its asset.
//!
//! Why it exists: an amount without its asset is a number nobody can check, and a float is an amount nobody can
//! trust. There is no default amount, no arithmetic operator and no float; adding across assets is refused.

use crate::digits::{digit, write_padded};
use std::fmt;

/// What an amount is of. The number is written to the journal and never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
pub enum Asset {
    /// The Kazakhstani tenge; its minor unit is the tiyn.
    Kzt = 1,
}

impl Asset {
    /// Every asset, in the order of their numbers.
    pub const ALL: [Asset; 1] = [Asset::Kzt];

    /// The ISO 4217 alphabetic code.
    pub const fn code(self) -> &'static str {
        match self {
            Asset::Kzt => "KZT",
        }
    }

    /// The ISO 4217 numeric code.
    pub const fn numeric(self) -> u16 {
        match self {
            Asset::Kzt => 398,
        }
    }

    /// How many decimals the minor unit has (ISO 4217).
    pub const fn decimals(self) -> u8 {
        match self {
            Asset::Kzt => 2,
        }
    }

    /// The asset of an ISO 4217 alphabetic code, upper case.
    pub fn from_code(code: &str) -> Option<Asset> {
        Asset::ALL.into_iter().find(|asset| asset.code() == code)
    }

    /// Our own stable number, as stored in the journal.
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// The asset of a stored number.
    pub fn from_number(number: u16) -> Option<Asset> {
        Asset::ALL
            .into_iter()
            .find(|asset| asset.number() == number)
    }

    /// Minor units in one major unit.
    const fn minor_per_major(self) -> u64 {
        match self {
            Asset::Kzt => 100,
        }
    }
}

/// An amount of one asset, in minor units (KZT: tiyn). Ordered by asset, then amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money {
    asset: Asset,
    minor: u64,
}

rules! {
    /// Why an amount was refused.
    MoneyError {
        AssetMismatch => "asset-mismatch", "the two amounts are of different assets";
        Overflow => "amount-overflow", "the amount is larger than the switch can hold";
        Underflow => "amount-underflow", "the amount would fall below zero";
        NotDecimal => "amount-not-decimal", "the amount is not a plain decimal: digits, then at most one point followed by digits";
        TooManyDecimals => "amount-too-many-decimals", "the amount is written with more decimals than its currency has";
    }
}

impl Money {
    /// `minor` minor units of `asset`.
    pub const fn from_minor(minor: u64, asset: Asset) -> Money {
        Money { asset, minor }
    }

    /// An amount of tenge, given in tiyn.
    pub const fn kzt(tiyn: u64) -> Money {
        Money::from_minor(tiyn, Asset::Kzt)
    }

    /// Nothing of `asset`.
    pub const fn zero(asset: Asset) -> Money {
        Money::from_minor(0, asset)
    }

    /// The amount in minor units.
    pub const fn minor(self) -> u64 {
        self.minor
    }

    /// What the amount is of.
    pub const fn asset(self) -> Asset {
        self.asset
    }

    /// Whether the amount is nothing.
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// The sum; [`MoneyError::AssetMismatch`] or [`MoneyError::Overflow`].
    pub fn checked_add(self, other: Money) -> Result<Money, MoneyError> {
        if self.asset != other.asset {
            return Err(MoneyError::AssetMismatch);
        }
        let minor = self
            .minor
            .checked_add(other.minor)
            .ok_or(MoneyError::Overflow)?;
        Ok(Money::from_minor(minor, self.asset))
    }

    /// The difference; [`MoneyError::AssetMismatch`] or [`MoneyError::Underflow`].
    pub fn checked_sub(self, other: Money) -> Result<Money, MoneyError> {
        if self.asset != other.asset {
            return Err(MoneyError::AssetMismatch);
        }
        let minor = self
            .minor
            .checked_sub(other.minor)
            .ok_or(MoneyError::Underflow)?;
        Ok(Money::from_minor(minor, self.asset))
    }

    /// Reads a plain decimal of major units: `15250`, `15250.5`, `15250.00`. No sign, no blanks, no grouping, no
    /// exponent; digits are needed on both sides of a point. More decimals than the asset has are refused even
    /// when they are zeros: ISO 20022 allows five, the national usage allows two.
    pub fn parse(text: &str, asset: Asset) -> Result<Money, MoneyError> {
        let (whole, fraction) = match text.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return Err(MoneyError::NotDecimal),
            None => (text, ""),
        };
        let all_digits = whole
            .bytes()
            .chain(fraction.bytes())
            .all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !all_digits {
            return Err(MoneyError::NotDecimal);
        }
        let decimals = usize::from(asset.decimals());
        if fraction.len() > decimals {
            return Err(MoneyError::TooManyDecimals);
        }
        let padding = decimals.saturating_sub(fraction.len());
        let mut minor: u64 = 0;
        for byte in whole
            .bytes()
            .chain(fraction.bytes())
            .chain(std::iter::repeat_n(b'0', padding))
        {
            let value = u64::from(digit(byte).ok_or(MoneyError::NotDecimal)?);
            minor = minor
                .checked_mul(10)
                .and_then(|m| m.checked_add(value))
                .ok_or(MoneyError::Overflow)?;
        }
        Ok(Money::from_minor(minor, asset))
    }

    /// Appends the amount as a decimal with all its decimals and without the asset: `15250.00`.
    pub fn write_decimal(&self, out: &mut Vec<u8>) {
        let unit = self.asset.minor_per_major();
        write_padded(self.minor.checked_div(unit).unwrap_or(0), 1, out);
        out.push(b'.');
        write_padded(
            self.minor.checked_rem(unit).unwrap_or(0),
            usize::from(self.asset.decimals()),
            out,
        );
    }
}

impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = self.asset.minor_per_major();
        let whole = self.minor.checked_div(unit).unwrap_or(0);
        let fraction = self.minor.checked_rem(unit).unwrap_or(0);
        let width = usize::from(self.asset.decimals());
        write!(
            formatter,
            "{whole}.{fraction:0width$} {}",
            self.asset.code()
        )
    }
}

impl fmt::Display for Asset {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

#[cfg(test)]
mod tests;
