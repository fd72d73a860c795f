//! Unique end-to-end transaction references: lower-case UUIDs of version 4 (`UUIDv4Identifier`).

use std::fmt;

/// A UETR as its 16 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uetr([u8; 16]);

rules! {
    /// Why a UETR was refused.
    UetrError {
        Length => "uetr-length", "a UETR has 36 characters";
        Characters => "uetr-characters", "a UETR is lower-case hexadecimal digits in groups of 8-4-4-4-12";
        Version => "uetr-version", "a UETR is a UUID of version 4: its third group begins with 4, its fourth with 8, 9, a or b";
    }
}

impl Uetr {
    /// Reads `[a-f0-9]{8}-[a-f0-9]{4}-4[a-f0-9]{3}-[89ab][a-f0-9]{3}-[a-f0-9]{12}` (`UUIDv4Identifier`).
    pub fn parse(text: &str) -> Result<Uetr, UetrError> {
        if text.len() != 36 {
            return Err(UetrError::Length);
        }
        let mut value: u128 = 0;
        for (place, byte) in text.bytes().enumerate() {
            match (place, byte) {
                (8 | 13 | 18 | 23, b'-') => {}
                (8 | 13 | 18 | 23, _) => return Err(UetrError::Characters),
                (_, byte) => {
                    value = (value << 4) | u128::from(hex_value(byte).ok_or(UetrError::Characters)?)
                }
            }
        }
        Uetr::from_bytes(value.to_be_bytes()).ok_or(UetrError::Version)
    }

    /// The UETR of 16 bytes that already carry version 4 and its variant, as [`Uetr::bytes`] gives them.
    pub fn from_bytes(bytes: [u8; 16]) -> Option<Uetr> {
        let [_, _, _, _, _, _, version, _, variant, ..] = bytes;
        (version >> 4 == 4 && variant >> 6 == 0b10).then_some(Uetr(bytes))
    }

    /// A UETR made of 16 random bytes: 6 bits are replaced by version and variant (RFC 9562, section 5.4).
    pub const fn from_random(random: [u8; 16]) -> Uetr {
        let value = u128::from_be_bytes(random);
        let version = (value & !(0xf << 76)) | (0x4 << 76);
        Uetr(((version & !(0b11 << 62)) | (0b10 << 62)).to_be_bytes())
    }

    /// The 16 bytes.
    pub const fn bytes(self) -> [u8; 16] {
        self.0
    }
}

impl fmt::Display for Uetr {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, byte) in self.0.iter().enumerate() {
            if matches!(place, 4 | 6 | 8 | 10) {
                formatter.write_str("-")?;
            }
            write!(formatter, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Uetr {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Uetr({self})")
    }
}

const fn hex_value(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(byte.wrapping_sub(b'a').wrapping_add(10)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
