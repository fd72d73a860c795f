//! Headers: tag, length, value. Readers step over what they do not know, unless it is marked critical.
//!
//! ```text
//! 0        2          4
//! +--------+----------+---------...
//! | tag    | length   | value
//! +--------+----------+---------...
//!  u16, bit 15 = critical: a reader that does not know the tag must refuse the frame
//! ```

use bytes::{BufMut, BytesMut};

use super::error::{ErrorCode, WireError};
use super::frame::{Flags, FrameType, MAGIC};
use super::limits::{
    FRAME_BYTES_MAX, HEADER_PREFIX_BYTES, HEADERS_BYTES_MAX, HEADERS_MAX, PREFIX_BYTES,
};

/// The bit of a tag that forbids stepping over it.
const CRITICAL: u16 = 0x8000;

macro_rules! tags {
    ($($number:literal $variant:ident $text:literal)*) => {
        /// The name of a header. Numbers are below 0x8000; bit 15 on the wire says "critical".
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u16)]
        pub enum Tag {
            $(#[doc = $text] $variant = $number,)*
        }

        impl Tag {
            /// Every tag, by rising number.
            pub const ALL: &'static [Tag] = &[$(Tag::$variant,)*];

            /// The tag with this number, critical bit removed.
            pub fn from_number(number: u16) -> Option<Tag> {
                match number {
                    $($number => Some(Tag::$variant),)*
                    _ => None,
                }
            }

            /// The number on the wire, without the critical bit.
            pub fn number(self) -> u16 {
                self as u16
            }
        }
    };
}

tags! {
    1 ContentType "u16: what the body is."
    2 Sequence "u64: the message's place in its stream, or the message that an ERROR is about."
    3 Acknowledged "u64: every sequence up to this one is held safely."
    4 Correlation "1 to 64 bytes: chosen by the sender of a command, repeated in its answer."
    5 Signature "1 to 4096 bytes: a detached signature over the body."
    6 Trace "16 bytes: the trace that the message belongs to."
    7 Code "u16: the error's number."
    8 Text "up to 256 bytes of UTF-8: the error in words."
    9 Address "1 to 128 bytes of ASCII, up to 8 times: where the service went."
    16 Versions "u8 lowest, u8 highest version spoken; both the same once agreed."
    17 Name "1 to 35 visible ASCII characters: the participant or the switch."
    18 Mode "u8: 1 TEST, 2 LIVE."
    19 Bic "8 or 11 characters, up to 16 times: whom the session speaks for."
    20 Nonce "32 random bytes."
    21 Held "u64: the last sequence of the other side's stream that the sender holds."
    22 HeartbeatMs "u32: milliseconds of idleness after which a HEARTBEAT is sent."
    23 WindowMessages "u32: messages that the sender of this header will hold unacknowledged."
    24 WindowBytes "u32: bytes of bodies that the sender of this header will hold unacknowledged."
    25 MessageBytesMax "u32: the largest message on this rail, in bytes."
    26 Mac "32 bytes: HMAC-SHA-256, always the last header of a frame without a body."
}

/// One header as it was read.
#[derive(Debug, Clone, Copy)]
pub struct Header<'a> {
    /// The tag, if it is a known one.
    pub tag: Option<Tag>,
    /// True if a reader that does not know the tag must refuse the frame.
    pub critical: bool,
    /// The value.
    pub value: &'a [u8],
    /// Where the header begins, in bytes from the start of the frame.
    pub offset: usize,
}

impl<'a> Header<'a> {
    /// The value as exactly `N` bytes.
    ///
    /// # Errors
    /// `BadHeaders` if it has another length; likewise for the numbers below.
    pub fn array<const N: usize>(&self) -> Result<[u8; N], WireError> {
        <[u8; N]>::try_from(self.value)
            .map_err(|_| self.malformed("the value has the wrong length"))
    }

    /// The value as an unsigned number of one byte.
    pub fn u8(&self) -> Result<u8, WireError> {
        self.array().map(u8::from_be_bytes)
    }

    /// The value as a big-endian unsigned number of two bytes.
    pub fn u16(&self) -> Result<u16, WireError> {
        self.array().map(u16::from_be_bytes)
    }

    /// The value as a big-endian unsigned number of four bytes.
    pub fn u32(&self) -> Result<u32, WireError> {
        self.array().map(u32::from_be_bytes)
    }

    /// The value as a big-endian unsigned number of eight bytes.
    pub fn u64(&self) -> Result<u64, WireError> {
        self.array().map(u64::from_be_bytes)
    }

    /// The value as text of at most `bytes_max` bytes of UTF-8.
    pub fn text(&self, bytes_max: usize) -> Result<&'a str, WireError> {
        if self.value.len() > bytes_max {
            return Err(self.malformed("the text is too long"));
        }
        std::str::from_utf8(self.value).map_err(|_| self.malformed("the text is not UTF-8"))
    }

    /// The value as 1 to `bytes_max` bytes.
    pub fn some_bytes(&self, bytes_max: usize) -> Result<&'a [u8], WireError> {
        if self.value.is_empty() || self.value.len() > bytes_max {
            return Err(self.malformed("the value has the wrong length"));
        }
        Ok(self.value)
    }

    /// A `BadHeaders` error at this header.
    pub fn malformed(&self, rule: &'static str) -> WireError {
        WireError::new(ErrorCode::BadHeaders, self.offset, rule)
    }
}

/// The headers of a frame, read one by one; ends after the first malformed one.
#[derive(Debug, Clone)]
pub struct Headers<'a> {
    rest: &'a [u8],
    offset: usize,
    count: usize,
}

impl<'a> Headers<'a> {
    /// Reads a header block that begins `offset` bytes into its frame.
    pub(super) fn new(block: &'a [u8], offset: usize) -> Headers<'a> {
        Headers {
            rest: block,
            offset,
            count: 0,
        }
    }

    fn fail(&mut self, rule: &'static str) -> WireError {
        self.rest = &[];
        WireError::new(ErrorCode::BadHeaders, self.offset, rule)
    }
}

impl<'a> Iterator for Headers<'a> {
    type Item = Result<Header<'a>, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        if self.count == HEADERS_MAX {
            return Some(Err(self.fail("too many headers")));
        }
        let Some((&[t0, t1, l0, l1], rest)) = self.rest.split_first_chunk::<HEADER_PREFIX_BYTES>()
        else {
            return Some(Err(self.fail("the header block ends inside a header")));
        };
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        let Some((value, rest)) = rest.split_at_checked(length) else {
            return Some(Err(self.fail("a header runs past the header block")));
        };
        let tag = u16::from_be_bytes([t0, t1]);
        let header = Header {
            tag: Tag::from_number(tag & !CRITICAL),
            critical: tag & CRITICAL != 0,
            value,
            offset: self.offset,
        };
        self.rest = rest;
        self.offset += HEADER_PREFIX_BYTES + length;
        self.count += 1;
        Some(Ok(header))
    }
}

/// Writes one frame at the end of a reusable buffer; nothing is allocated unless the buffer has to grow.
///
/// # Panics
/// A frame above the named limits is a programming error of ours and panics; callers check sizes first.
#[derive(Debug)]
#[must_use = "a frame is whole only after `finish`"]
pub struct FrameWriter<'a> {
    out: &'a mut BytesMut,
    start: usize,
}

impl<'a> FrameWriter<'a> {
    /// Begins a frame.
    pub fn begin(
        out: &'a mut BytesMut,
        version: u8,
        frame_type: FrameType,
        flags: Flags,
    ) -> FrameWriter<'a> {
        let start = out.len();
        out.put_slice(&MAGIC);
        out.put_slice(&[version, frame_type.number(), flags.0, 0]);
        out.put_slice(&[0; 6]);
        FrameWriter { out, start }
    }

    /// Adds a header of one byte.
    pub fn u8(&mut self, tag: Tag, value: u8) {
        self.value(tag, &[value]);
    }

    /// Adds a header of two bytes.
    pub fn u16(&mut self, tag: Tag, value: u16) {
        self.value(tag, &value.to_be_bytes());
    }

    /// Adds a header of four bytes.
    pub fn u32(&mut self, tag: Tag, value: u32) {
        self.value(tag, &value.to_be_bytes());
    }

    /// Adds a header of eight bytes.
    pub fn u64(&mut self, tag: Tag, value: u64) {
        self.value(tag, &value.to_be_bytes());
    }

    /// Adds a header with any value.
    pub fn value(&mut self, tag: Tag, value: &[u8]) {
        let length = u16::try_from(value.len()).expect("a header value is below its limit");
        self.out.put_u16(tag.number());
        self.out.put_u16(length);
        self.out.put_slice(value);
    }

    /// Adds the body and closes the frame. Returns where the frame begins in the buffer.
    pub fn finish(self, body: &[u8]) -> usize {
        let headers_bytes = self.out.len() - self.start - PREFIX_BYTES;
        assert!(
            headers_bytes <= HEADERS_BYTES_MAX,
            "the header block is below its limit"
        );
        self.out.put_slice(body);
        let length = self.out.len() - self.start - PREFIX_BYTES;
        assert!(
            length + PREFIX_BYTES <= FRAME_BYTES_MAX,
            "the frame is below its limit"
        );
        let headers_bytes = u16::try_from(headers_bytes).expect("checked above");
        let length = u32::try_from(length).expect("checked above");
        let prefix = &mut self.out[self.start..self.start + PREFIX_BYTES];
        prefix[6..8].copy_from_slice(&headers_bytes.to_be_bytes());
        prefix[8..12].copy_from_slice(&length.to_be_bytes());
        self.start
    }
}

/// What a parser does with headers it has no use for.
#[derive(Default)]
pub(super) struct Scan {
    unknown_critical_at: Option<usize>,
}

impl Scan {
    /// Known tags without a meaning in this frame and unknown ones are stepped over; a critical unknown
    /// one refuses the frame, but only once the rest is read, so that the refusal can name the message.
    pub(super) fn step_over(&mut self, header: &Header<'_>) {
        if header.tag.is_none() && header.critical && self.unknown_critical_at.is_none() {
            self.unknown_critical_at = Some(header.offset);
        }
    }

    pub(super) fn finish(self) -> Result<(), WireError> {
        match self.unknown_critical_at {
            Some(offset) => Err(WireError::new(
                ErrorCode::UnknownCriticalHeader,
                offset,
                "a critical header is unknown",
            )),
            None => Ok(()),
        }
    }
}

/// Puts a header's value in its place; a header given twice is refused.
pub(super) fn once<T>(
    place: &mut Option<T>,
    header: &Header<'_>,
    value: T,
) -> Result<(), WireError> {
    if place.is_some() {
        return Err(header.malformed("the header is given twice"));
    }
    *place = Some(value);
    Ok(())
}

/// A frame lacks what it needs; the place is where the frame states its headers.
pub(super) fn missing(rule: &'static str) -> WireError {
    WireError::new(ErrorCode::BadHeaders, 6, rule)
}
