//! Key blocks: the outline that stands in clear in front of every TR-31 / X9.143 block, and the reference by which the
//! switch names a key.

use std::fmt;
use std::sync::Arc;

use crate::key::{KeyAlgorithm, KeyExport, KeyMode, KeyUsage};
use crate::limits::{KEY_BLOCK_CHARS_MAX, OPTIONAL_BLOCKS_MAX};

/// Characters of the fixed part of the header.
const HEADER_CHARS: usize = 16;

/// A key block as text, borrowed; its outline has been checked, its MAC has not (only the HSM can).
///
/// ```text
/// 0   1      5       7     8      9         11     12         14         16
/// +---+------+-------+-----+------+---------+------+----------+----------+-----...-+-----...-+-----...-+
/// | v | size | usage | alg | mode | version | exp. | optional | reserved | blocks  | hex key | hex MAC |
/// +---+------+-------+-----+------+---------+------+----------+----------+-----...-+-----...-+-----...-+
/// ```
///
/// Versions B (Triple DES derivation, MAC of 8 bytes) and D (AES derivation, MAC of 16 bytes) are read. A and C, which
/// bind by variants, are refused: they are withdrawn.
///
/// `Debug` shows the fixed header alone.
///
/// ```
/// use torap_hsm::{KeyBlock, KeyUsage};
///
/// let text = format!("D0112P0AE00E0000{}", "0".repeat(96));
/// let block = KeyBlock::parse(&text).unwrap();
/// assert_eq!(block.usage(), KeyUsage::PinEncryption);
/// assert_eq!(format!("{block:?}"), "KeyBlock(D0112P0AE00E0000…)");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyBlock<'a> {
    text: &'a str,
    header_chars: usize,
}

/// Which rule a key block breaks, and at which character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyBlockError {
    /// Characters from the start of the block.
    pub offset: usize,
    /// The rule, for a human.
    pub rule: &'static str,
}

/// How the switch names a key: the whole key block under the HSM's master key, shared cheaply. It may be stored and
/// logged: without the master key it tells nothing. `Debug` shows the fixed header alone.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct KeyRef {
    text: Arc<str>,
    header_chars: usize,
}

impl<'a> KeyBlock<'a> {
    /// Checks the outline: version, lengths, characters, optional blocks.
    ///
    /// # Errors
    /// [`KeyBlockError`] names the character and the rule.
    pub fn parse(text: &'a str) -> Result<KeyBlock<'a>, KeyBlockError> {
        let bytes = text.as_bytes();
        let Some(fixed) = bytes.first_chunk::<HEADER_CHARS>() else {
            return Err(error(
                bytes.len(),
                "a key block has a header of 16 characters",
            ));
        };
        if bytes.len() > KEY_BLOCK_CHARS_MAX {
            return Err(error(1, "the key block is above its limit"));
        }
        // A block of the cipher: as header characters, and as hexadecimal digits of the payload. A MAC fills one.
        let (block_chars, block_digits): (usize, usize) = match fixed[0] {
            b'B' => (8, 16),
            b'D' => (16, 32),
            _ => return Err(error(0, "the version must be B or D")),
        };
        if decimal(&fixed[1..5]) != Some(bytes.len()) {
            return Err(error(1, "the length must be that of the block"));
        }
        if let Some(at) = fixed.iter().position(|byte| !byte.is_ascii_alphanumeric()) {
            return Err(error(at, "the header has letters and digits only"));
        }
        let header_chars = optional_blocks(bytes, &fixed[12..14])?;
        if !header_chars.is_multiple_of(block_chars) {
            return Err(error(
                header_chars,
                "the header must fill whole blocks of the cipher",
            ));
        }
        let payload = bytes.get(header_chars..).unwrap_or_default();
        let is_hex = |byte: &u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(byte);
        if let Some(at) = payload.iter().position(|byte| !is_hex(byte)) {
            let at = header_chars.saturating_add(at);
            return Err(error(at, "key and MAC are upper-case hexadecimal"));
        }
        let blocks_min = 2; // one of key, one of MAC
        if payload.len() < block_digits.saturating_mul(blocks_min)
            || !payload.len().is_multiple_of(block_digits)
        {
            return Err(error(
                header_chars,
                "key and MAC must fill whole blocks of the cipher",
            ));
        }
        Ok(KeyBlock { text, header_chars })
    }

    /// The whole block.
    pub fn as_str(self) -> &'a str {
        self.text
    }

    /// The header, optional blocks included.
    pub fn header(self) -> &'a str {
        self.text.get(..self.header_chars).unwrap_or_default()
    }

    /// The hexadecimal text behind the header: encrypted key, then MAC.
    pub fn payload(self) -> &'a str {
        self.text.get(self.header_chars..).unwrap_or_default()
    }

    /// `B` or `D`.
    pub fn version(self) -> u8 {
        self.byte(0)
    }

    /// What the key may be used for.
    pub fn usage(self) -> KeyUsage {
        KeyUsage::from_code([self.byte(5), self.byte(6)])
    }

    /// With which cipher the key is used.
    pub fn algorithm(self) -> KeyAlgorithm {
        KeyAlgorithm::from_code(self.byte(7))
    }

    /// What may be done with the key.
    pub fn mode(self) -> KeyMode {
        KeyMode::from_code(self.byte(8))
    }

    /// The key's version as the two characters stand, `00` if it has none.
    pub fn key_version(self) -> [u8; 2] {
        [self.byte(9), self.byte(10)]
    }

    /// Whether the key may leave under another key.
    pub fn export(self) -> KeyExport {
        KeyExport::from_code(self.byte(11))
    }

    /// A reference of its own.
    pub fn to_ref(self) -> KeyRef {
        KeyRef {
            text: Arc::from(self.text),
            header_chars: self.header_chars,
        }
    }

    fn byte(self, index: usize) -> u8 {
        self.text.as_bytes().get(index).copied().unwrap_or_default()
    }
}

impl KeyRef {
    /// Checks the outline and keeps the block.
    ///
    /// # Errors
    /// As [`KeyBlock::parse`].
    pub fn parse(text: &str) -> Result<KeyRef, KeyBlockError> {
        KeyBlock::parse(text).map(KeyBlock::to_ref)
    }

    /// The whole block.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The block for a request.
    pub fn block(&self) -> KeyBlock<'_> {
        KeyBlock {
            text: &self.text,
            header_chars: self.header_chars,
        }
    }
}

/// Steps over the optional blocks: two characters of name, two of hexadecimal length in characters (`00`: a longer
/// length follows), then data. Returns the length of the whole header.
fn optional_blocks(bytes: &[u8], count: &[u8]) -> Result<usize, KeyBlockError> {
    let count = decimal(count).ok_or(error(12, "the number of optional blocks is two digits"))?;
    if count > usize::from(OPTIONAL_BLOCKS_MAX) {
        return Err(error(12, "too many optional blocks"));
    }
    let mut offset = HEADER_CHARS;
    for _ in 0..count {
        let at = |from: usize, length: usize| {
            let start = offset.saturating_add(from);
            bytes.get(start..start.saturating_add(length))
        };
        let short = hexadecimal(at(2, 2));
        // `00`, two digits of the length of the length, then the length.
        let length = match short {
            Some(0) => {
                let digits = hexadecimal(at(4, 2)).filter(|digits| (1..=4).contains(digits));
                digits.and_then(|digits| hexadecimal(at(6, digits)))
            }
            other => other,
        };
        let prefix = if short == Some(0) { 8 } else { 4 };
        match length.and_then(|length| at(0, length)) {
            Some(block) if block.len() >= prefix && block.iter().all(is_printable) => {
                offset = offset.saturating_add(block.len());
            }
            _ => return Err(error(offset, "an optional block is malformed")),
        }
    }
    Ok(offset)
}

fn is_printable(byte: &u8) -> bool {
    (b' '..=b'~').contains(byte)
}

fn decimal(digits: &[u8]) -> Option<usize> {
    let all = digits.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(digits).ok()?;
    all.then(|| text.parse().ok()).flatten()
}

fn hexadecimal(digits: Option<&[u8]>) -> Option<usize> {
    let digits = digits?;
    let all = digits.iter().all(u8::is_ascii_hexdigit);
    let text = std::str::from_utf8(digits).ok()?;
    all.then(|| usize::from_str_radix(text, 16).ok()).flatten()
}

fn error(offset: usize, rule: &'static str) -> KeyBlockError {
    KeyBlockError { offset, rule }
}

impl fmt::Debug for KeyBlock<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fixed = self.text.get(..HEADER_CHARS).unwrap_or_default();
        write!(f, "KeyBlock({fixed}…)")
    }
}

impl fmt::Debug for KeyRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fixed = self.text.get(..HEADER_CHARS).unwrap_or_default();
        write!(f, "KeyRef({fixed}…)")
    }
}

impl fmt::Display for KeyBlockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key block, character {}: {}", self.offset, self.rule)
    }
}

impl std::error::Error for KeyBlockError {}

#[cfg(test)]
mod tests;
