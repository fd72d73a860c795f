//! What a key is for, and the value that identifies it without telling it.

use std::fmt;

open_enum! {
    /// What a key may be used for: bytes 5 and 6 of a key block.
    KeyUsage([u8; 2]) {
        [b'K', b'0'] KeyEncryption "K0: encrypts or wraps other keys."
        [b'K', b'1'] KeyBlockProtection "K1: protects TR-31 key blocks."
        [b'M', b'3'] MacAlgorithm3 "M3: MAC after ISO/IEC 9797-1 algorithm 3."
        [b'M', b'6'] MacCmac "M6: CMAC (ISO/IEC 9797-1 algorithm 5)."
        [b'P', b'0'] PinEncryption "P0: encrypts PIN blocks."
        [b'V', b'2'] PinVerification "V2: makes and verifies Visa PVVs."
    }
}

impl KeyUsage {
    /// The two characters as text; `??` if they are not printable.
    pub fn as_text(&self) -> String {
        let code = self.code();
        if code.iter().all(u8::is_ascii_graphic) {
            code.iter().copied().map(char::from).collect()
        } else {
            "??".into()
        }
    }

    /// True for the two usages that protect other keys.
    pub fn protects_keys(self) -> bool {
        matches!(self, KeyUsage::KeyEncryption | KeyUsage::KeyBlockProtection)
    }
}

open_enum! {
    /// With which cipher a key is used: byte 7 of a key block.
    KeyAlgorithm(u8) {
        b'A' Aes "A: AES."
        b'T' Tdes "T: Triple DES."
    }
}

open_enum! {
    /// What may be done with a key: byte 8 of a key block.
    KeyMode(u8) {
        b'B' EncryptAndDecrypt "B: encrypt and decrypt, wrap and unwrap."
        b'C' GenerateAndVerify "C: generate and verify."
        b'D' DecryptOnly "D: decrypt or unwrap only."
        b'E' EncryptOnly "E: encrypt or wrap only."
        b'G' GenerateOnly "G: generate only."
        b'N' Any "N: no restriction."
        b'V' VerifyOnly "V: verify only."
    }
}

open_enum! {
    /// Whether a key may leave under another key: byte 11 of a key block.
    KeyExport(u8) {
        b'E' Trusted "E: under a key that is itself in a key block."
        b'N' Never "N: not at all."
        b'S' Sensitive "S: under a key that need not be in a key block."
    }
}

impl KeyMode {
    /// May it encrypt PIN blocks or wrap keys?
    pub fn encrypts(self) -> bool {
        matches!(
            self,
            KeyMode::EncryptAndDecrypt | KeyMode::EncryptOnly | KeyMode::Any
        )
    }

    /// May it decrypt PIN blocks or unwrap keys?
    pub fn decrypts(self) -> bool {
        matches!(
            self,
            KeyMode::EncryptAndDecrypt | KeyMode::DecryptOnly | KeyMode::Any
        )
    }

    /// May it make MACs?
    pub fn generates(self) -> bool {
        matches!(
            self,
            KeyMode::GenerateAndVerify | KeyMode::GenerateOnly | KeyMode::Any
        )
    }

    /// May it verify MACs or PINs?
    pub fn verifies(self) -> bool {
        matches!(
            self,
            KeyMode::GenerateAndVerify | KeyMode::VerifyOnly | KeyMode::Any
        )
    }
}

/// Identifies a key without telling it. Triple DES: the first 3 bytes of a block of zeros encrypted (ISO 11568, ANSI
/// X9.24-1). AES: the first 5 bytes of the CMAC of a block of zeros (X9.24-1:2017 annex A).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CheckValue {
    bytes: [u8; 5],
    length: u8,
}

impl CheckValue {
    /// Takes 3 to 5 bytes; `None` for any other number.
    pub fn from_bytes(bytes: &[u8]) -> Option<CheckValue> {
        if !(3..=5).contains(&bytes.len()) {
            return None;
        }
        let mut own = [0; 5];
        own.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(CheckValue {
            bytes: own,
            length: u8::try_from(bytes.len()).ok()?,
        })
    }

    /// The 3 to 5 bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes
            .get(..usize::from(self.length))
            .unwrap_or_default()
    }
}

impl fmt::Display for CheckValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes()
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl fmt::Debug for CheckValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CheckValue({self})")
    }
}

#[cfg(test)]
mod tests;
