//! The stream that goes out: contiguous sequences within the window, and who is waited for.

use std::collections::VecDeque;
use std::fmt;

use bytes::BytesMut;
use torap_domain::Sequence;

use crate::wire::limits::{CORRELATION_BYTES_MAX, FRAME_BODY_BYTES_MAX, SIGNATURE_BYTES_MAX};
use crate::wire::{
    ContentType, ErrorCode, Flags, FrameType, FrameWriter, Tag, TraceId, Window, WireError,
};

/// A message to send.
#[derive(Clone, Copy)]
pub struct Outgoing<'a> {
    /// What the body is.
    pub content_type: ContentType,
    /// The body; it is copied into the output buffer.
    pub body: &'a [u8],
    /// It may have been sent before.
    pub possible_duplicate: bool,
    /// The correlation of the command that this answers, or of this command: 1 to 64 bytes.
    pub correlation: Option<&'a [u8]>,
    /// A detached signature over the body, 1 to 4096 bytes.
    pub signature: Option<&'a [u8]>,
    /// The trace that the message belongs to.
    pub trace: Option<TraceId>,
}

impl<'a> Outgoing<'a> {
    /// A message without any of the optional parts.
    pub fn new(content_type: ContentType, body: &'a [u8]) -> Outgoing<'a> {
        Outgoing {
            content_type,
            body,
            possible_duplicate: false,
            correlation: None,
            signature: None,
            trace: None,
        }
    }
}

impl fmt::Debug for Outgoing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Bodies hold personal data; only the length is shown.
        f.debug_struct("Outgoing")
            .field("content_type", &self.content_type)
            .field("body_bytes", &self.body.len())
            .field("possible_duplicate", &self.possible_duplicate)
            .finish_non_exhaustive()
    }
}

/// What a session can take for sending right now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wants {
    /// The sequence that has to come next.
    pub next: Sequence,
    /// How many messages fit.
    pub messages: u32,
    /// How many bytes of bodies fit; at least one message of any allowed size when nothing is under way.
    pub bytes: usize,
}

/// Why a message was not taken for sending. Nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendError {
    /// The session is not open, or is being signed off.
    NotOpen,
    /// The stream has to go on with another sequence.
    WrongSequence {
        /// The sequence that has to come next.
        expected: Sequence,
    },
    /// The peer has to acknowledge, or the socket to drain, first.
    WindowFull,
    /// The message is above the limit of the rail.
    TooLarge,
    /// The correlation or the signature is empty or too long.
    BadHeader,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SendError::NotOpen => f.write_str("the session is not open"),
            SendError::WrongSequence { expected } => write!(f, "the next sequence is {expected}"),
            SendError::WindowFull => f.write_str("the window is full"),
            SendError::TooLarge => f.write_str("the message is above the size limit"),
            SendError::BadHeader => {
                f.write_str("the correlation or the signature is empty or too long")
            }
        }
    }
}

impl std::error::Error for SendError {}

/// The sending half of an open link.
#[derive(Debug)]
pub(super) struct Outbound {
    window: Window,
    message_bytes_max: usize,
    acknowledged: Sequence,
    last: Sequence,
    sizes: VecDeque<u32>,
    bytes: u64,
    waiting_since: Option<u64>,
}

impl Outbound {
    /// Goes on behind `held`, which the peer holds already.
    pub(super) fn new(window: Window, message_bytes_max: usize, held: Sequence) -> Outbound {
        Outbound {
            window,
            message_bytes_max,
            acknowledged: held,
            last: held,
            sizes: VecDeque::new(),
            bytes: 0,
            waiting_since: None,
        }
    }

    /// What fits now.
    pub(super) fn wants(&self) -> Option<Wants> {
        let under_way = u32::try_from(self.sizes.len()).unwrap_or(u32::MAX);
        let messages = self.window.messages.saturating_sub(under_way);
        let left = u64::from(self.window.bytes).saturating_sub(self.bytes);
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        let bytes = if self.sizes.is_empty() {
            left.max(self.message_bytes_max)
        } else {
            left
        };
        (messages > 0 && bytes > 0).then_some(Wants {
            next: self.last.next(),
            messages,
            bytes,
        })
    }

    /// Checks that a message may leave now.
    pub(super) fn check(
        &self,
        sequence: Sequence,
        message: &Outgoing<'_>,
    ) -> Result<(), SendError> {
        let expected = self.last.next();
        if sequence != expected {
            return Err(SendError::WrongSequence { expected });
        }
        if message.body.len() > self.message_bytes_max {
            return Err(SendError::TooLarge);
        }
        let fits = |value: Option<&[u8]>, max: usize| {
            value.is_none_or(|value| (1..=max).contains(&value.len()))
        };
        if !fits(message.correlation, CORRELATION_BYTES_MAX)
            || !fits(message.signature, SIGNATURE_BYTES_MAX)
        {
            return Err(SendError::BadHeader);
        }
        match self.wants() {
            Some(wants) if message.body.len() <= wants.bytes => Ok(()),
            _ => Err(SendError::WindowFull),
        }
    }

    /// The next sequence left.
    pub(super) fn sent(&mut self, body_bytes: usize, now: u64) {
        let size = u32::try_from(body_bytes).unwrap_or(u32::MAX);
        self.last = self.last.next();
        self.sizes.push_back(size);
        self.bytes = self.bytes.saturating_add(u64::from(size));
        self.waiting_since.get_or_insert(now);
    }

    /// The peer holds everything up to `upto`. True if that is news.
    pub(super) fn acknowledge(&mut self, upto: Sequence, now: u64) -> Result<bool, WireError> {
        if upto > self.last {
            let rule = "only what was sent can be acknowledged";
            return Err(WireError::new(ErrorCode::AcknowledgedAhead, 0, rule).about(upto));
        }
        if upto <= self.acknowledged {
            return Ok(false);
        }
        for _ in self.acknowledged.0..upto.0 {
            let size = self.sizes.pop_front().unwrap_or(0);
            self.bytes = self.bytes.saturating_sub(u64::from(size));
        }
        self.acknowledged = upto;
        self.waiting_since = (!self.sizes.is_empty()).then_some(now);
        Ok(true)
    }

    /// Since when the peer owes an acknowledgement.
    pub(super) fn waiting_since(&self) -> Option<u64> {
        self.waiting_since
    }

    /// The time until now does not count against the peer.
    pub(super) fn excuse(&mut self, now: u64) {
        if self.waiting_since.is_some() {
            self.waiting_since = Some(now);
        }
    }
}

/// Writes a message, split over as many frames as it needs.
pub(super) fn write_data(
    out: &mut BytesMut,
    version: u8,
    sequence: Sequence,
    acknowledged: Option<Sequence>,
    message: &Outgoing<'_>,
) {
    let duplicate = if message.possible_duplicate {
        Flags::POSSIBLE_DUPLICATE
    } else {
        Flags::NONE
    };
    let mut rest = message.body;
    let mut first = true;
    while first || !rest.is_empty() {
        let (part, after) = rest.split_at(rest.len().min(FRAME_BODY_BYTES_MAX));
        let more = if after.is_empty() {
            Flags::NONE
        } else {
            Flags::MORE_FOLLOWS
        };
        let mut writer = FrameWriter::begin(out, version, FrameType::Data, duplicate.with(more));
        writer.u64(Tag::Sequence, sequence.0);
        if first {
            writer.u16(Tag::ContentType, message.content_type.number());
            if let Some(upto) = acknowledged {
                writer.u64(Tag::Acknowledged, upto.0);
            }
            if let Some(correlation) = message.correlation {
                writer.value(Tag::Correlation, correlation);
            }
            if let Some(signature) = message.signature {
                writer.value(Tag::Signature, signature);
            }
            if let Some(trace) = message.trace {
                writer.value(Tag::Trace, &trace.0);
            }
        }
        writer.finish(part);
        rest = after;
        first = false;
    }
}
