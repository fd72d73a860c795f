//! National payment codes: KNP (purpose of payment) and KBE/KOD (residency and economic sector of a party).

use crate::digits::number;
use std::fmt;

/// Purpose of a payment (KNP): three digits; leading zeros count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Knp(u16);

/// Residency and sector of a party: KOD for the sender, KBE for the beneficiary. 19 is a resident person, 17 a
/// resident company.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SectorCode(u8);

rules! {
    /// Why a national code was refused.
    CodeError {
        Knp => "knp", "a KNP is 3 digits";
        Residency => "sector-residency", "a KBE or KOD is 2 digits, the first of which is 1 (resident) or 2 (non-resident)";
        Sector => "sector", "the second digit of a KBE or KOD is a sector from 1 to 9";
    }
}

impl Knp {
    /// Reads exactly three digits.
    pub fn parse(text: &str) -> Result<Knp, CodeError> {
        if text.len() != 3 {
            return Err(CodeError::Knp);
        }
        let value = number(text.as_bytes()).ok_or(CodeError::Knp)?;
        u16::try_from(value)
            .ok()
            .and_then(Knp::from_value)
            .ok_or(CodeError::Knp)
    }

    /// The code of a number from 0 to 999.
    pub const fn from_value(value: u16) -> Option<Knp> {
        if value <= 999 { Some(Knp(value)) } else { None }
    }

    /// The code as a number from 0 to 999.
    pub const fn value(self) -> u16 {
        self.0
    }
}

impl SectorCode {
    /// Reads two digits: residency 1 or 2, sector 1 to 9.
    pub fn parse(text: &str) -> Result<SectorCode, CodeError> {
        match *text.as_bytes() {
            [residency @ (b'1' | b'2'), sector @ b'1'..=b'9'] => {
                let tens = residency.wrapping_sub(b'0').wrapping_mul(10);
                Ok(SectorCode(tens.wrapping_add(sector.wrapping_sub(b'0'))))
            }
            [b'1' | b'2', _] => Err(CodeError::Sector),
            _ => Err(CodeError::Residency),
        }
    }

    /// The code of a number of two digits.
    pub const fn from_value(value: u8) -> Option<SectorCode> {
        match value {
            11..=19 | 21..=29 => Some(SectorCode(value)),
            _ => None,
        }
    }

    /// The code as a number of two digits.
    pub const fn value(self) -> u8 {
        self.0
    }

    /// Whether the party is a resident.
    pub const fn is_resident(self) -> bool {
        self.0 < 20
    }

    /// The economic sector, from 1 to 9.
    pub const fn sector(self) -> u8 {
        self.0 % 10
    }
}

impl fmt::Display for Knp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:03}", self.0)
    }
}

impl fmt::Display for SectorCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)
    }
}

#[cfg(test)]
mod tests;
