//! MACs over the bytes of a message.

use std::fmt;

use crate::key::KeyUsage;
use crate::limits::{MAC_BYTES_MAX, MAC_BYTES_MIN};

/// How the text is filled up to whole blocks (ISO/IEC 9797-1, clause 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Padding {
    /// Method 1: zeros, none if the text already fills its last block. An empty text becomes one block of zeros. Texts
    /// that differ in zeros at their end alone have the same MAC, so their length must be known otherwise.
    Method1,
    /// Method 2: one byte `80`, then zeros, always. To be preferred.
    Method2,
}

/// How a MAC is made. The key's usage must agree: M3 with Triple DES, or M6 with AES.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MacMethod {
    /// ISO/IEC 9797-1 algorithm 3 ("retail MAC"): CBC with DES under the key's first half, the last block under Triple
    /// DES. 8 bytes.
    Algorithm3(Padding),
    /// AES-CMAC (ISO/IEC 9797-1 algorithm 5, NIST SP 800-38B). 16 bytes.
    AesCmac,
}

impl MacMethod {
    /// The usage that a key for this method has.
    pub fn usage(self) -> KeyUsage {
        match self {
            MacMethod::Algorithm3(_) => KeyUsage::MacAlgorithm3,
            MacMethod::AesCmac => KeyUsage::MacCmac,
        }
    }

    /// Bytes of a whole MAC. A message field of 8 bytes takes the first 8.
    pub fn bytes(self) -> usize {
        match self {
            MacMethod::Algorithm3(_) => 8,
            MacMethod::AesCmac => 16,
        }
    }

    /// The number on the wire.
    pub fn number(self) -> u8 {
        match self {
            MacMethod::Algorithm3(Padding::Method1) => 1,
            MacMethod::Algorithm3(Padding::Method2) => 2,
            MacMethod::AesCmac => 3,
        }
    }

    /// The method with this number.
    pub fn from_number(number: u8) -> Option<MacMethod> {
        Some(match number {
            1 => MacMethod::Algorithm3(Padding::Method1),
            2 => MacMethod::Algorithm3(Padding::Method2),
            3 => MacMethod::AesCmac,
            _ => return None,
        })
    }
}

/// A MAC of 8 to 16 bytes. `Debug` shows its length alone; it cannot be compared here: to verify one is the HSM's
/// business, in constant time.
#[derive(Clone, Copy)]
pub struct Mac {
    bytes: [u8; MAC_BYTES_MAX],
    length: u8,
}

impl Mac {
    /// Takes 8 to 16 bytes; `None` for any other number.
    pub fn from_bytes(bytes: &[u8]) -> Option<Mac> {
        if !(MAC_BYTES_MIN..=MAC_BYTES_MAX).contains(&bytes.len()) {
            return None;
        }
        let mut own = [0; MAC_BYTES_MAX];
        own.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(Mac {
            bytes: own,
            length: u8::try_from(bytes.len()).ok()?,
        })
    }

    /// The bytes as they were made or came.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes
            .get(..usize::from(self.length))
            .unwrap_or_default()
    }

    /// The first 8 bytes, as a message field of 64 bits carries them.
    pub fn first_8(&self) -> [u8; 8] {
        self.bytes.first_chunk().copied().unwrap_or_default()
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mac({} bytes)", self.length)
    }
}
