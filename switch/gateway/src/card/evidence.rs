//! The original message as the log keeps it: redacted, with what its later messages need.
//!
//! ```text
//! version 1 | dialect | flags | TPDU, 5 bytes (flag 1) | sealed card number, 60 bytes (flag 2) | redacted message
//! ```
//! The redacted message is the original with tracks, PIN blocks, verification values, MACs and keys zeroed, and the card number
//! truncated; it still parses under its dialect. The journal encrypts the whole.

use std::fmt;

use torap_iso8583::{Dialect, Message};

use super::framing::Tpdu;
use super::vault::SEALED_BYTES;

const VERSION: u8 = 1;
const HAS_TPDU: u8 = 1;
const HAS_CARD: u8 = 2;

/// Dialects by the number that evidence carries; a number is never used again.
const DIALECTS: [(u8, &str); 3] = [(1, "national"), (2, "iso87-ascii"), (3, "iso93-bcd")];

/// What the log keeps of one message.
#[derive(Clone, Copy)]
pub struct Evidence<'a> {
    /// The dialect of the redacted message: the national one, whatever the link speaks.
    pub dialect: &'static Dialect,
    /// The TPDU it came with.
    pub tpdu: Option<Tpdu>,
    /// The card number, where a later message needs it.
    pub sealed: Option<&'a [u8; SEALED_BYTES]>,
    /// The redacted message.
    pub image: &'a [u8],
}

/// Why evidence cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvidenceError {
    /// None is kept: the message could not be read, or its evidence has expired.
    Absent,
    /// It is not in a layout that this program knows.
    Layout,
    /// The image does not parse under its dialect.
    Image(torap_iso8583::Refusal),
}

/// The number of a dialect in evidence; `None` for one that the switch does not speak.
pub fn dialect_number(dialect: &Dialect) -> Option<u8> {
    let found = DIALECTS.iter().find(|(_, name)| *name == dialect.name());
    found.map(|(number, _)| *number)
}

/// Appends the head of evidence; the sealed card number, if `with_card`, and then the redacted message come behind it.
pub fn write_head(dialect: &Dialect, tpdu: Option<Tpdu>, with_card: bool, out: &mut Vec<u8>) {
    let flags = u8::from(tpdu.is_some()) * HAS_TPDU + u8::from(with_card) * HAS_CARD;
    out.extend_from_slice(&[VERSION, dialect_number(dialect).unwrap_or(0), flags]);
    if let Some(tpdu) = tpdu {
        out.extend_from_slice(&tpdu.0);
    }
}

impl<'a> Evidence<'a> {
    /// Takes evidence apart.
    ///
    /// # Errors
    /// There is none, or it is of a layout that this program does not know.
    pub fn read(bytes: &'a [u8]) -> Result<Evidence<'a>, EvidenceError> {
        if bytes.is_empty() {
            return Err(EvidenceError::Absent);
        }
        let [VERSION, dialect, flags, rest @ ..] = bytes else {
            return Err(EvidenceError::Layout);
        };
        let dialect = DIALECTS
            .iter()
            .find(|(number, _)| number == dialect)
            .and_then(|(_, name)| Dialect::built_in(name))
            .ok_or(EvidenceError::Layout)?;
        if flags & !(HAS_TPDU | HAS_CARD) != 0 {
            return Err(EvidenceError::Layout);
        }
        let (tpdu, rest) = match flags & HAS_TPDU {
            0 => (None, rest),
            _ => {
                let (tpdu, rest) = rest.split_first_chunk().ok_or(EvidenceError::Layout)?;
                (Some(Tpdu(*tpdu)), rest)
            }
        };
        let (sealed, image) = match flags & HAS_CARD {
            0 => (None, rest),
            _ => {
                let (sealed, rest) = rest.split_first_chunk().ok_or(EvidenceError::Layout)?;
                (Some(sealed), rest)
            }
        };
        Ok(Evidence {
            dialect,
            tpdu,
            sealed,
            image,
        })
    }

    /// The redacted message.
    ///
    /// # Errors
    /// It does not parse, which only damage or another dialect table can bring about.
    pub fn message(&self) -> Result<Message<'a>, EvidenceError> {
        Message::parse(self.dialect, self.image).map_err(EvidenceError::Image)
    }
}

impl fmt::Debug for Evidence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evidence")
            .field("dialect", &self.dialect.name())
            .field("tpdu", &self.tpdu)
            .field("sealed", &self.sealed.is_some())
            .field("image", &self.image.len())
            .finish()
    }
}

impl fmt::Display for EvidenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EvidenceError::Absent => f.write_str("the original message is not kept"),
            EvidenceError::Layout => {
                f.write_str("the evidence has a layout unknown to this program")
            }
            EvidenceError::Image(refusal) => {
                write!(f, "the kept message cannot be read: {refusal}")
            }
        }
    }
}

impl std::error::Error for EvidenceError {}

#[cfg(test)]
mod tests;
