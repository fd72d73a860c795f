//! PIN blocks: formats, which translations are allowed, and the encrypted block as it travels.

use std::fmt;

use zeroize::Zeroize;

use crate::key::KeyAlgorithm;

open_enum! {
    /// A PIN block format of ISO 9564-1.
    PinFormat(u8) {
        0 Iso0 "ISO format 0: 8 bytes, bound to the PAN."
        1 Iso1 "ISO format 1: 8 bytes, not bound to a PAN; taken in only."
        3 Iso3 "ISO format 3: 8 bytes, bound to the PAN, random fill."
        4 Iso4 "ISO format 4: 16 bytes under AES, bound to the PAN, random fill."
    }
}

impl PinFormat {
    /// Bytes of an encrypted block in this format; `None` for a format that is not known.
    pub fn bytes(self) -> Option<usize> {
        match self {
            PinFormat::Iso0 | PinFormat::Iso1 | PinFormat::Iso3 => Some(8),
            PinFormat::Iso4 => Some(16),
            PinFormat::Other(_) => None,
        }
    }

    /// What the key of a block in this format must be for: the 64-bit formats go with Triple DES, format 4 with AES.
    pub fn algorithm(self) -> Option<KeyAlgorithm> {
        match self {
            PinFormat::Iso0 | PinFormat::Iso1 | PinFormat::Iso3 => Some(KeyAlgorithm::Tdes),
            PinFormat::Iso4 => Some(KeyAlgorithm::Aes),
            PinFormat::Other(_) => None,
        }
    }
}

/// Whether a block in format `from` may be translated to format `to` for the same PAN (ISO 9564-1, clause on
/// translation between formats): 0, 3, 4 and 1 to 0, 3, 4. Never to 1, which is not bound to a PAN, and never from or
/// to anything else. The HSM enforces it; the switch may ask here before it sends.
pub fn may_translate(from: PinFormat, to: PinFormat) -> bool {
    matches!(
        from,
        PinFormat::Iso0 | PinFormat::Iso1 | PinFormat::Iso3 | PinFormat::Iso4
    ) && matches!(to, PinFormat::Iso0 | PinFormat::Iso3 | PinFormat::Iso4)
}

/// An encrypted PIN block of 8 or 16 bytes; wiped when dropped, never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct PinBlock {
    bytes: [u8; 16],
    wide: bool,
}

impl PinBlock {
    /// Takes 8 or 16 bytes; `None` for any other number.
    pub fn from_bytes(bytes: &[u8]) -> Option<PinBlock> {
        let mut block = PinBlock {
            bytes: [0; 16],
            wide: bytes.len() == 16,
        };
        let length = if block.wide { 16 } else { 8 };
        let own = block.bytes.get_mut(..length)?;
        if own.len() != bytes.len() {
            return None;
        }
        own.copy_from_slice(bytes);
        Some(block)
    }

    /// The 8 or 16 encrypted bytes.
    pub fn as_bytes(&self) -> &[u8] {
        if self.wide {
            &self.bytes
        } else {
            self.bytes.first_chunk::<8>().map_or(&[], |chunk| chunk)
        }
    }
}

impl Drop for PinBlock {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl fmt::Debug for PinBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PinBlock({} bytes)", self.as_bytes().len())
    }
}

/// A PIN verification value after the Visa method: four digits made from the PAN's eleven rightmost digits before the
/// check digit, a key index, and the PIN's first four digits, under a Triple DES key of usage V2. It stands on the
/// issuer's file or on the card; with it and the key a PIN can be tried, so it is never shown and wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Pvv {
    index: u8,
    digits: [u8; 4],
}

impl Pvv {
    /// Takes a key index 0 to 9 and four ASCII digits; `None` for anything else.
    pub fn new(index: u8, digits: [u8; 4]) -> Option<Pvv> {
        (index <= 9 && digits.iter().all(u8::is_ascii_digit)).then_some(Pvv { index, digits })
    }

    /// Which of the issuer's PIN verification keys it was made with (PVKI), 0 to 9.
    pub fn index(&self) -> u8 {
        self.index
    }

    /// The four ASCII digits.
    pub fn digits(&self) -> &[u8; 4] {
        &self.digits
    }
}

impl Drop for Pvv {
    fn drop(&mut self) {
        self.digits.zeroize();
    }
}

impl fmt::Debug for Pvv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pvv(index {})", self.index)
    }
}

#[cfg(test)]
mod tests;
