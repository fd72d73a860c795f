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
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Walk<'a> {
    /// Begins a walk.
    pub fn new(bytes: &'a [u8]) -> Walk<'a> {
        Walk { bytes, at: 0 }
    }

    /// The value of the first data object of that tag.
    ///
    /// # Errors
    /// Place and rule, if something malformed stands before it.
    pub fn find(self, tag: u32) -> Result<Option<&'a [u8]>, (usize, Rule)> {
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
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let at = self.at;
        let (tag, after_tag) = tag(rest).ok_or((at, Rule::TlvTag))?;
        let wrong_length = (at + after_tag, Rule::TlvLength);
        let first = *rest.get(after_tag).ok_or(wrong_length)?;
        let (length, start) = match first {
            0..=0x7F => (usize::from(first), after_tag + 1),
            0x81 => (
                usize::from(*rest.get(after_tag + 1).ok_or(wrong_length)?),
                after_tag + 2,
            ),
            0x82 => match rest.get(after_tag + 1..after_tag + 3) {
                Some(&[high, low]) => (usize::from(high) << 8 | usize::from(low), after_tag + 3),
                _ => return Err(wrong_length),
            },
            _ => return Err(wrong_length),
        };
        let value = rest.get(start..start + length).ok_or(wrong_length)?;
        self.at = at + start + length;
        Ok(DataObject {
            tag,
            value,
            offset: at + start,
        })
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Result<DataObject<'a>, (usize, Rule)>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.bytes.len() {
            return None;
        }
        let object = self.object();
        if object.is_err() {
            self.at = self.bytes.len();
        }
        Some(object)
    }
}

/// A tag and how many bytes it takes. Fillers (00) and tags in a longer form than needed are none.
#[inline]
fn tag(bytes: &[u8]) -> Option<(u32, usize)> {
    let first = *bytes.first()?;
    if first & 0x1F != 0x1F {
        return (first != 0).then_some((u32::from(first), 1));
    }
    let second = *bytes.get(1)?;
    // The bytes behind the first hold the number seven bits at a time, without leading zeros.
    if second & 0x7F == 0 {
        return None;
    }
    let mut tag = u32::from(first) << 8 | u32::from(second);
    let mut length = 2;
    let mut last = second;
    while last & 0x80 != 0 {
        if length == TAG_BYTES_MAX {
            return None;
        }
        last = *bytes.get(length)?;
        tag = tag << 8 | u32::from(last);
        length += 1;
    }
    Some((tag, length))
}

/// Appends one data object with the shortest length. Only tags that a walk accepts can be read again.
///
/// # Errors
/// The tag is malformed, or the value is longer than 65,535 bytes; nothing has been appended.
pub fn write(out: &mut Vec<u8>, number: u32, value: &[u8]) -> Result<(), Rule> {
    let bytes = number.to_be_bytes();
    let skip = bytes.iter().take_while(|byte| **byte == 0).count();
    let own = &bytes[skip..];
    if tag(own) != Some((number, own.len())) {
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
