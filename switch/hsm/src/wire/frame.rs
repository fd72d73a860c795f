//! The frame: a fixed prefix and a row of fields.

use std::fmt;

use bytes::{BufMut, BytesMut};

use super::field::Field;
use crate::limits::{FRAME_BYTES_MAX, PREFIX_BYTES};
use crate::request::Command;
use crate::status::Status;

/// The protocol version that is spoken here. The prefix of all versions is the same.
pub const VERSION: u8 = 1;

/// Bytes of the length in front, which it does not count.
const LENGTH_BYTES: usize = 4;

open_enum! {
    /// Which way a frame goes.
    Kind(u8) {
        1 Request "Switch to HSM."
        2 Response "HSM to switch; correlation and command are those of the request."
    }
}

/// One whole frame, borrowed from the input. `Debug` shows the prefix alone.
#[derive(Clone, Copy)]
pub struct Frame<'a> {
    /// The protocol version.
    pub version: u8,
    /// Request or response.
    pub kind: Kind,
    /// What is asked or answered.
    pub command: Command,
    /// How it went; in a request it means nothing.
    pub status: Status,
    /// Chosen by who asks, repeated in the answer.
    pub correlation: u64,
    /// The fields behind the prefix, not looked at yet.
    pub fields: &'a [u8],
}

/// Bytes that begin no frame: nothing behind them can be read, the connection has to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameError {
    /// Byte offset from the start of the frame.
    pub offset: usize,
    /// The broken rule.
    pub rule: &'static str,
}

impl<'a> Frame<'a> {
    /// The frame at the start of `input` and its length; `None` if it is not complete yet.
    ///
    /// # Errors
    /// [`FrameError`]: the length is impossible or above its limit.
    pub fn first(input: &'a [u8]) -> Result<Option<(Frame<'a>, usize)>, FrameError> {
        let Some(length) = input.first_chunk::<LENGTH_BYTES>() else {
            return Ok(None);
        };
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let total = length.saturating_add(LENGTH_BYTES);
        if total < PREFIX_BYTES {
            return Err(FrameError {
                offset: 0,
                rule: "the frame is shorter than its prefix",
            });
        }
        if total > FRAME_BYTES_MAX {
            return Err(FrameError {
                offset: 0,
                rule: "the frame is above its limit",
            });
        }
        let Some((prefix, fields)) = input
            .get(..total)
            .and_then(<[u8]>::split_first_chunk::<PREFIX_BYTES>)
        else {
            return Ok(None);
        };
        let [
            _,
            _,
            _,
            _,
            version,
            kind,
            m0,
            m1,
            s0,
            s1,
            _,
            _,
            correlation @ ..,
        ] = *prefix;
        let frame = Frame {
            version,
            kind: Kind::from_code(kind),
            command: Command::from_code(u16::from_be_bytes([m0, m1])),
            status: Status::from_code(u16::from_be_bytes([s0, s1])),
            correlation: u64::from_be_bytes(correlation),
            fields,
        };
        Ok(Some((frame, total)))
    }
}

impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame")
            .field("version", &self.version)
            .field("kind", &self.kind)
            .field("command", &self.command)
            .field("status", &self.status)
            .field("correlation", &self.correlation)
            .field("fields_bytes", &self.fields.len())
            .finish()
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {} of a frame: {}", self.offset, self.rule)
    }
}

impl std::error::Error for FrameError {}

/// Writes one frame at the end of a buffer.
#[must_use = "a frame is whole only after `finish`"]
pub(super) struct FrameWriter<'a> {
    out: &'a mut BytesMut,
    start: usize,
}

impl<'a> FrameWriter<'a> {
    pub(super) fn begin(
        out: &'a mut BytesMut,
        kind: Kind,
        command: Command,
        status: Status,
        correlation: u64,
    ) -> FrameWriter<'a> {
        let start = out.len();
        out.put_u32(0);
        out.put_u8(VERSION);
        out.put_u8(kind.code());
        out.put_u16(command.code());
        out.put_u16(status.code());
        out.put_u16(0);
        out.put_u64(correlation);
        FrameWriter { out, start }
    }

    /// The value must be shorter than 65,536 bytes; the limits of what is written see to that.
    pub(super) fn field(&mut self, field: Field, value: &[u8]) {
        let length = u16::try_from(value.len());
        debug_assert!(length.is_ok(), "{field:?} is above its limit");
        self.out.put_u16(field.code());
        self.out.put_u16(length.unwrap_or(u16::MAX));
        self.out.put_slice(value);
    }

    pub(super) fn finish(self) {
        let counted = self
            .out
            .len()
            .saturating_sub(self.start.saturating_add(LENGTH_BYTES));
        let counted = u32::try_from(counted).unwrap_or(u32::MAX);
        let end = self.start.saturating_add(LENGTH_BYTES);
        if let Some(length) = self.out.get_mut(self.start..end) {
            length.copy_from_slice(&counted.to_be_bytes());
        }
    }
}
