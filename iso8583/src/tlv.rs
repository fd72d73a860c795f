//! BER-TLV as EMV writes it (EMV Book 3, annex B; ISO/IEC 8825-1): a walk over the data objects in their order, known or not.

use crate::refusal::Rule;

/// Most bytes of a tag.
pub const TAG_BYTES_MAX: usize = 4;
/// Deepest nesting of templates that anything here follows.
pub const DEPTH_MAX: usize = 4;

/// One data object.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DataObject<'a> {
    /// Its tag as a number: `9F26` is 0x9F26.
    pub tag: u32,
    /// Its value.
    pub value: &'a [u8],
    /// Offset of the value in what is walked.
    pub offset: usize,
}

impl DataObject<'_> {
    /// Is it a template that holds further data objects?
    pub fn is_constructed(&self) -> bool {
        let bytes = self.tag.to_be_bytes();
        let first = bytes.iter().find(|byte| **byte != 0);
        first.is_some_and(|first| first & 0x20 != 0)
    }
}

impl std::fmt::Debug for DataObject<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A value may be a card number: only its length is shown.
        write!(f, "{:02X}({} bytes)", self.tag, self.value.len())
    }
}

/// The data objects of one level, in their order. After an error there is nothing more.
#[derive(Clone, Debug)]
pub struct Walk<'a> {
    /// What is still to come.
    rest: &'a [u8],
    /// Length of all.
    length: usize,
}

impl<'a> Walk<'a> {
    /// Begins a walk.
    pub fn new(bytes: &'a [u8]) -> Walk<'a> {
        Walk {
            rest: bytes,
            length: bytes.len(),
        }
    }

    /// The value of the first data object of that tag.
    ///
    /// # Errors
    /// Place and rule, if something malformed stands before it.
    pub fn first_of(self, tag: u32) -> Result<Option<&'a [u8]>, (usize, Rule)> {
        for object in self {
            let object = object?;
            if object.tag == tag {
                return Ok(Some(object.value));
            }
        }
        Ok(None)
    }

    #[inline]
    fn object(&mut self) -> Result<DataObject<'a>, (usize, Rule)> {
        let place = |rest: &[u8]| self.length.saturating_sub(rest.len());
        let (tag, rest) = tag(self.rest).ok_or((place(self.rest), Rule::TlvTag))?;
        let wrong_length = (place(rest), Rule::TlvLength);
        let (length, rest) = length(rest).ok_or(wrong_length)?;
        let (value, behind) = rest.split_at_checked(length).ok_or(wrong_length)?;
        let offset = place(rest);
        self.rest = behind;
        Ok(DataObject { tag, value, offset })
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Result<DataObject<'a>, (usize, Rule)>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let object = self.object();
        if object.is_err() {
            self.rest = &[];
        }
        Some(object)
    }
}

/// A tag and what stands behind it. Fillers (00) and tags in a longer form than needed are none.
#[inline]
fn tag(bytes: &[u8]) -> Option<(u32, &[u8])> {
    match *bytes {
        [first, ref rest @ ..] if first & 0x1F != 0x1F => {
            (first != 0).then_some((u32::from(first), rest))
        }
        [first, second @ 1..=0x7F, ref rest @ ..] => {
            Some((u32::from(first) << 8 | u32::from(second), rest))
        }
        _ => long_tag(bytes),
    }
}

/// A tag of three or four bytes.
fn long_tag(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let number = |bytes: &[u8]| {
        let push = |tag, byte: &u8| tag << 8 | u32::from(*byte);
        bytes.iter().fold(0, push)
    };
    match *bytes {
        // The bytes behind the first hold the number seven bits at a time, without leading zeros.
        [_, 0 | 0x80, ..] => None,
        [_, _, 0..=0x7F, ref rest @ ..] => Some((number(&bytes[..3]), rest)),
        [_, _, _, 0..=0x7F, ref rest @ ..] => Some((number(&bytes[..TAG_BYTES_MAX]), rest)),
        _ => None,
    }
}

/// A length of one byte, or of one or two behind 81 or 82; and what stands behind it.
#[inline]
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    match *bytes {
        [short @ 0..=0x7F, ref rest @ ..] => Some((usize::from(short), rest)),
        [0x81, length, ref rest @ ..] => Some((usize::from(length), rest)),
        [0x82, high, low, ref rest @ ..] => Some((usize::from(high) << 8 | usize::from(low), rest)),
        _ => None,
    }
}

/// Appends one data object with the shortest length. Only tags that a walk accepts can be read again.
///
/// # Errors
/// The tag is malformed, or the value is longer than 65,535 bytes; nothing has been appended.
pub fn write(out: &mut Vec<u8>, number: u32, value: &[u8]) -> Result<(), Rule> {
    let bytes = number.to_be_bytes();
    let skip = bytes.iter().take_while(|byte| **byte == 0).count();
    let own = &bytes[skip..];
    if tag(own) != Some((number, &[][..])) {
        return Err(Rule::TlvTag);
    }
    let length = u16::try_from(value.len()).map_err(|_| Rule::TlvLength)?;
    out.extend_from_slice(own);
    match length {
        0..=0x7F => out.push(length as u8),
        0x80..=0xFF => out.extend_from_slice(&[0x81, length as u8]),
        _ => {
            out.push(0x82);
            out.extend_from_slice(&length.to_be_bytes());
        }
    }
    out.extend_from_slice(value);
    Ok(())
}

#[cfg(test)]
mod tests;
