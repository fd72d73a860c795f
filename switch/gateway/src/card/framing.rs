//! The frame of a card link: a length, perhaps a TPDU, and a message. Which length header and whether there is a TPDU is agreed
//! with each participant and configured; nothing on the wire tells.
//!
//! ```text
//! length header   TPDU (optional)                    message
//! 2 or 4 bytes    60 | destination 2 | source 2      ISO 8583
//!                 └────────── the length counts from here on ──────────
//! ```
//! A length of zero is a keep-alive and has neither TPDU nor message.

use std::fmt;

use bytes::{Buf, Bytes, BytesMut};

use super::limits::{MESSAGE_BYTES_MAX, TPDU_BYTES};

/// How the length is written. It never counts itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LengthHeader {
    /// Two bytes, most significant first: 258 is `01 02`.
    Binary2,
    /// Four bytes, most significant first: 258 is `00 00 01 02`.
    Binary4,
    /// Four ASCII digits: 258 is `30 32 35 38`.
    Ascii4,
    /// Four decimal digits in two bytes: 258 is `02 58`.
    Bcd2,
}

/// The transport protocol data unit in front of a message: an identifier and two network addresses of two bytes each.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tpdu(pub [u8; TPDU_BYTES]);

/// What a link's frames look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Framing {
    /// The length header.
    pub header: LengthHeader,
    /// Whether a TPDU stands in front of every message.
    pub tpdu: bool,
}

/// One frame that came in.
#[derive(Clone, PartialEq, Eq)]
pub enum Frame {
    /// A length of zero: the peer is alive.
    KeepAlive,
    /// A message, sharing the memory of the buffer it was read into.
    Message {
        /// The TPDU, where the framing has one.
        tpdu: Option<Tpdu>,
        /// The message.
        message: Bytes,
    },
}

/// The bytes cannot be framed. Nothing after this point of the stream can be read; the link has to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FramingError {
    /// The rule that is broken, for the log of both sides.
    pub rule: FramingRule,
    /// The length that the header told; 0 where it told none.
    pub length: usize,
}

/// The rules of the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FramingRule {
    /// The length header has a character or half-byte that is no decimal digit.
    LengthNotDecimal,
    /// The length is above [`MESSAGE_BYTES_MAX`] and a TPDU.
    TooLong,
    /// The length leaves no room for TPDU and a message.
    TooShort,
}

impl LengthHeader {
    /// All of them.
    pub const ALL: [LengthHeader; 4] = [
        LengthHeader::Binary2,
        LengthHeader::Binary4,
        LengthHeader::Ascii4,
        LengthHeader::Bcd2,
    ];

    /// Its name in configuration: `binary-2`, `binary-4`, `ascii-4`, `bcd-2`.
    pub const fn name(self) -> &'static str {
        match self {
            LengthHeader::Binary2 => "binary-2",
            LengthHeader::Binary4 => "binary-4",
            LengthHeader::Ascii4 => "ascii-4",
            LengthHeader::Bcd2 => "bcd-2",
        }
    }

    /// The header of that name.
    pub fn from_name(name: &str) -> Option<LengthHeader> {
        LengthHeader::ALL
            .into_iter()
            .find(|header| header.name() == name)
    }

    /// Bytes that it takes.
    pub const fn bytes(self) -> usize {
        match self {
            LengthHeader::Binary2 | LengthHeader::Bcd2 => 2,
            LengthHeader::Binary4 | LengthHeader::Ascii4 => 4,
        }
    }

    /// The length at the front of `stream`; `None` if it is not complete.
    fn read(self, stream: &[u8]) -> Result<Option<usize>, FramingRule> {
        let Some(header) = stream.get(..self.bytes()) else {
            return Ok(None);
        };
        let decimal = |length: usize, digit: u8| match digit {
            0..=9 => Ok(length * 10 + usize::from(digit)),
            _ => Err(FramingRule::LengthNotDecimal),
        };
        let length = match self {
            LengthHeader::Binary2 | LengthHeader::Binary4 => header
                .iter()
                .fold(0, |length, byte| length << 8 | usize::from(*byte)),
            LengthHeader::Ascii4 => header
                .iter()
                .try_fold(0, |length, byte| decimal(length, byte.wrapping_sub(b'0')))?,
            LengthHeader::Bcd2 => header.iter().try_fold(0, |length, byte| {
                decimal(decimal(length, byte >> 4)?, byte & 0x0f)
            })?,
        };
        Ok(Some(length))
    }

    /// Writes `length` over the first [`LengthHeader::bytes`] of `header`. A frame's length is below 10,000.
    fn write(self, length: usize, header: &mut [u8]) {
        let digit = |place: u32| u8::try_from(length / 10_usize.pow(place) % 10).unwrap_or(0);
        let bytes = match self {
            LengthHeader::Binary2 | LengthHeader::Binary4 => {
                u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes()
            }
            LengthHeader::Ascii4 => [3, 2, 1, 0].map(|place| b'0' + digit(place)),
            LengthHeader::Bcd2 => [0, 0, digit(3) << 4 | digit(2), digit(1) << 4 | digit(0)],
        };
        let width = self.bytes();
        if let (Some(to), Some(from)) = (header.get_mut(..width), bytes.get(4 - width..)) {
            to.copy_from_slice(from);
        }
    }
}

impl Tpdu {
    /// Addresses unknown: what is sent before the peer has sent anything.
    pub const UNKNOWN: Tpdu = Tpdu([0x60, 0, 0, 0, 0]);

    /// The TPDU of an answer: destination and source change places.
    pub const fn swapped(self) -> Tpdu {
        let [id, d0, d1, s0, s1] = self.0;
        Tpdu([id, s0, s1, d0, d1])
    }
}

impl Framing {
    /// Two-byte binary length, no TPDU: what a door speaks unless it is configured otherwise.
    pub const PLAIN: Framing = Framing {
        header: LengthHeader::Binary2,
        tpdu: false,
    };

    /// Bytes in front of a message.
    pub const fn prefix_bytes(self) -> usize {
        self.header.bytes() + if self.tpdu { TPDU_BYTES } else { 0 }
    }

    /// Takes the next whole frame off the front of `stream`; `None` if it is not complete yet. The buffer never needs to hold
    /// more than one frame of the largest size.
    ///
    /// # Errors
    /// The bytes cannot be framed; the link has to be closed.
    pub fn next(self, stream: &mut BytesMut) -> Result<Option<Frame>, FramingError> {
        let refuse = |rule, length| FramingError { rule, length };
        let header = self.header.bytes();
        let Some(length) = self.header.read(stream).map_err(|rule| refuse(rule, 0))? else {
            return Ok(None);
        };
        if length == 0 {
            stream.advance(header);
            return Ok(Some(Frame::KeepAlive));
        }
        let tpdu_bytes = self.prefix_bytes() - header;
        if length > MESSAGE_BYTES_MAX + tpdu_bytes {
            return Err(refuse(FramingRule::TooLong, length));
        }
        if length <= tpdu_bytes {
            return Err(refuse(FramingRule::TooShort, length));
        }
        let total = header + length;
        if stream.len() < total {
            // Make room for exactly this frame.
            stream.reserve(total - stream.len());
            return Ok(None);
        }
        stream.advance(header);
        let mut frame = stream.split_to(length).freeze();
        let tpdu = self
            .tpdu
            .then(|| frame.split_to(TPDU_BYTES))
            .and_then(|bytes| bytes.first_chunk().copied().map(Tpdu));
        Ok(Some(Frame::Message {
            tpdu,
            message: frame,
        }))
    }

    /// Begins a frame at the end of `out`: the message is written behind it, then comes [`Framing::end`] with the place that is
    /// returned here.
    pub fn begin(self, tpdu: Option<Tpdu>, out: &mut Vec<u8>) -> usize {
        let start = out.len();
        out.resize(start + self.header.bytes(), 0);
        if self.tpdu {
            out.extend_from_slice(&tpdu.unwrap_or(Tpdu::UNKNOWN).0);
        }
        start
    }

    /// Ends the frame that [`Framing::begin`] began at `start`. A frame without a message, or with one that is too long, is
    /// taken back; `false` says so.
    pub fn end(self, start: usize, out: &mut Vec<u8>) -> bool {
        let message = out.len().saturating_sub(start + self.prefix_bytes());
        if message == 0 || message > MESSAGE_BYTES_MAX {
            out.truncate(start);
            return false;
        }
        let length = out.len() - start - self.header.bytes();
        if let Some(header) = out.get_mut(start..) {
            self.header.write(length, header);
        }
        true
    }

    /// Writes a whole frame; `false`, and nothing written, if the message is empty or too long.
    pub fn write(self, tpdu: Option<Tpdu>, message: &[u8], out: &mut Vec<u8>) -> bool {
        let start = self.begin(tpdu, out);
        out.extend_from_slice(message);
        self.end(start, out)
    }

    /// Writes a keep-alive.
    pub fn write_keep_alive(self, out: &mut Vec<u8>) {
        let start = out.len();
        out.resize(start + self.header.bytes(), 0);
        if let Some(header) = out.get_mut(start..) {
            self.header.write(0, header);
        }
    }
}

impl FramingRule {
    /// Stable kebab-case name, for logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            FramingRule::LengthNotDecimal => "length-not-decimal",
            FramingRule::TooLong => "frame-too-long",
            FramingRule::TooShort => "frame-too-short",
        }
    }
}

impl fmt::Display for FramingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rule {
            FramingRule::LengthNotDecimal => f.write_str("the length header is not decimal"),
            FramingRule::TooLong => write!(
                f,
                "a frame of {} bytes is above the limit of {MESSAGE_BYTES_MAX} and a TPDU",
                self.length
            ),
            FramingRule::TooShort => write!(
                f,
                "a frame of {} bytes has no room for TPDU and message",
                self.length
            ),
        }
    }
}

impl std::error::Error for FramingError {}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Frame::KeepAlive => f.write_str("KeepAlive"),
            // A message holds cardholder data; a frame shows its outline only.
            Frame::Message { tpdu, message } => f
                .debug_struct("Message")
                .field("tpdu", tpdu)
                .field("bytes", &message.len())
                .finish(),
        }
    }
}

impl fmt::Debug for Tpdu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests;
