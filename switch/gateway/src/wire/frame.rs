//! The frame: a fixed prefix, a block of headers, a body; and the decoder that cuts a stream into frames.
//!
//! ```text
//! 0      2    3    4    5    6              8            12
//! +------+----+----+----+----+--------------+------------+---------...---+------...
//! | "TP" | v  |type|flag| 0  | header bytes | length     | headers (TLV) | body
//! +------+----+----+----+----+--------------+------------+---------...---+------...
//!  u8 u8   u8   u8   u8   u8   u16            u32 = headers + body
//! ```

use std::fmt;

use bytes::{Buf, Bytes, BytesMut};

use super::error::{ErrorCode, WireError};
use super::header::Headers;
use super::limits::{FRAME_BYTES_MAX, HEADERS_BYTES_MAX, PREFIX_BYTES, SIGN_ON_FRAME_BYTES_MAX};
use super::terms::WIRE_VERSION;

/// The first two bytes of every frame.
pub const MAGIC: [u8; 2] = *b"TP";

/// What a frame is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum FrameType {
    /// Bank → switch: who it is and what it holds.
    Hello = 1,
    /// Switch → bank: the version agreed and the switch's nonce.
    Challenge = 2,
    /// Bank → switch: the bank's proof.
    SignOn = 3,
    /// Switch → bank: the switch's proof and the terms of the session.
    SignedOn = 4,
    /// A message or a part of one.
    Data = 5,
    /// Everything up to a sequence is held safely.
    Acknowledge = 6,
    /// Switch → bank: this sequence has no message any more.
    Skip = 7,
    /// The sender is alive.
    Heartbeat = 8,
    /// The sender ends the session in good order.
    SignOff = 9,
    /// Something was refused.
    Error = 10,
}

impl FrameType {
    /// The type with this number.
    pub fn from_number(number: u8) -> Option<FrameType> {
        Some(match number {
            1 => FrameType::Hello,
            2 => FrameType::Challenge,
            3 => FrameType::SignOn,
            4 => FrameType::SignedOn,
            5 => FrameType::Data,
            6 => FrameType::Acknowledge,
            7 => FrameType::Skip,
            8 => FrameType::Heartbeat,
            9 => FrameType::SignOff,
            10 => FrameType::Error,
            _ => return None,
        })
    }

    /// The number on the wire.
    pub fn number(self) -> u8 {
        self as u8
    }
}

/// The flag bits of a frame. Bits without a meaning are written as zero and ignored when read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Flags(pub u8);

impl Flags {
    /// No flag.
    pub const NONE: Flags = Flags(0);
    /// On DATA: the message goes on in the next DATA frame.
    pub const MORE_FOLLOWS: Flags = Flags(0x01);
    /// On DATA: the message may have been delivered before.
    pub const POSSIBLE_DUPLICATE: Flags = Flags(0x02);
    /// On ERROR: the sender closes the link after this frame.
    pub const CLOSES: Flags = Flags(0x04);

    /// True if every bit of `other` is set.
    pub fn contains(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets of bits.
    pub fn with(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

/// One whole frame, sharing the memory of the buffer it was read into.
#[derive(Clone)]
pub struct Frame {
    number: u8,
    flags: Flags,
    headers_bytes: usize,
    bytes: Bytes,
}

impl Frame {
    /// The type as it stands on the wire.
    pub fn number(&self) -> u8 {
        self.number
    }

    /// The flags.
    pub fn flags(&self) -> Flags {
        self.flags
    }

    /// Every byte of the frame, prefix included.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The headers in the order in which they stand.
    pub fn headers(&self) -> Headers<'_> {
        let end = PREFIX_BYTES.saturating_add(self.headers_bytes);
        Headers::new(
            self.bytes.get(PREFIX_BYTES..end).unwrap_or_default(),
            PREFIX_BYTES,
        )
    }

    /// The body, without copying.
    pub fn body(&self) -> Bytes {
        self.bytes.slice(PREFIX_BYTES + self.headers_bytes..)
    }

    /// A part of this frame, such as a header's value, without copying.
    pub(super) fn share(&self, part: &[u8]) -> Bytes {
        self.bytes.slice_ref(part)
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Bodies hold personal data; a frame shows its outline only.
        f.debug_struct("Frame")
            .field("number", &self.number)
            .field("flags", &self.flags)
            .field("headers_bytes", &self.headers_bytes)
            .field("bytes", &self.bytes.len())
            .finish()
    }
}

/// Cuts a stream of bytes into frames. It holds no bytes itself: the caller's buffer does, and it never
/// needs to hold more than one frame of [`FrameDecoder::frame_bytes_max`] bytes.
///
/// ```
/// use bytes::BytesMut;
/// use torap_gateway::wire::{Flags, FrameDecoder, FrameType, FrameWriter};
///
/// let mut stream = BytesMut::new();
/// FrameWriter::begin(&mut stream, 1, FrameType::Heartbeat, Flags::NONE).finish(b"");
/// let frame = FrameDecoder::new().next(&mut stream).unwrap().unwrap();
/// assert_eq!(frame.number(), FrameType::Heartbeat.number());
/// assert!(stream.is_empty());
/// ```
#[derive(Debug, Clone)]
pub struct FrameDecoder {
    version: u8,
    frame_bytes_max: usize,
}

impl FrameDecoder {
    /// A decoder for the start of a connection: version 1 of the prefix and the small limit of sign-on.
    pub fn new() -> FrameDecoder {
        FrameDecoder {
            version: WIRE_VERSION,
            frame_bytes_max: SIGN_ON_FRAME_BYTES_MAX,
        }
    }

    /// From here on frames carry the version agreed.
    pub fn expect_version(&mut self, version: u8) {
        self.version = version;
    }

    /// From here on frames may be as large as [`FRAME_BYTES_MAX`].
    pub fn lift_sign_on_limit(&mut self) {
        self.frame_bytes_max = FRAME_BYTES_MAX;
    }

    /// The largest frame that is taken now, in bytes.
    pub fn frame_bytes_max(&self) -> usize {
        self.frame_bytes_max
    }

    /// Takes the next whole frame off the front of `stream`; `None` if it is not complete yet.
    ///
    /// # Errors
    /// The bytes cannot be framed: wrong magic, version or lengths. Nothing after this point of the
    /// stream can be read; the link has to be closed.
    pub fn next(&self, stream: &mut BytesMut) -> Result<Option<Frame>, WireError> {
        let Some(prefix) = stream.first_chunk::<PREFIX_BYTES>() else {
            return Ok(None);
        };
        let [
            magic_0,
            magic_1,
            version,
            number,
            flags,
            _reserved,
            h0,
            h1,
            l0,
            l1,
            l2,
            l3,
        ] = *prefix;
        if [magic_0, magic_1] != MAGIC {
            return Err(WireError::new(
                ErrorCode::BadMagic,
                0,
                "a frame begins with 54 50",
            ));
        }
        if version != self.version {
            return Err(WireError::new(
                ErrorCode::UnsupportedVersion,
                2,
                "the version must be the one agreed",
            ));
        }
        let headers_bytes = usize::from(u16::from_be_bytes([h0, h1]));
        let length = usize::try_from(u32::from_be_bytes([l0, l1, l2, l3])).unwrap_or(usize::MAX);
        if headers_bytes > HEADERS_BYTES_MAX {
            return Err(WireError::new(
                ErrorCode::BadLength,
                6,
                "the header block is above its limit",
            ));
        }
        if length < headers_bytes {
            return Err(WireError::new(
                ErrorCode::BadLength,
                8,
                "length counts headers and body",
            ));
        }
        let total = length.saturating_add(PREFIX_BYTES);
        if total > self.frame_bytes_max {
            return Err(WireError::new(
                ErrorCode::BadLength,
                8,
                "the frame is above its limit",
            ));
        }
        if stream.remaining() < total {
            // Make room for exactly this frame: the buffer never grows beyond the largest frame.
            stream.reserve(total - stream.remaining());
            return Ok(None);
        }
        let bytes = stream.split_to(total).freeze();
        Ok(Some(Frame {
            number,
            flags: Flags(flags),
            headers_bytes,
            bytes,
        }))
    }
}

impl Default for FrameDecoder {
    fn default() -> Self {
        FrameDecoder::new()
    }
}
