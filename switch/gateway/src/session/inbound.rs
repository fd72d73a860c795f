//! The stream that comes in: strictly contiguous sequences, reassembly, and what is acknowledged when.

use std::collections::VecDeque;
use std::fmt;

use bytes::{Bytes, BytesMut};
use torap_domain::Sequence;

use crate::wire::{ContentType, Data, DataHead, ErrorCode, TraceId, Window, WireError};

/// One whole message from the peer.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Its place in the peer's stream.
    pub sequence: Sequence,
    /// What the body is.
    pub content_type: ContentType,
    /// The body. It shares the memory of the input buffer: copy it to keep it for long.
    pub body: Bytes,
    /// The peer says that it may have sent this before.
    pub possible_duplicate: bool,
    /// Chosen by the sender of a command, repeated in its answer.
    pub correlation: Option<Bytes>,
    /// A detached signature over the body.
    pub signature: Option<Bytes>,
    /// The trace that the message belongs to.
    pub trace: Option<TraceId>,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Bodies hold personal data; only the length is shown.
        f.debug_struct("Message")
            .field("sequence", &self.sequence)
            .field("content_type", &self.content_type)
            .field("body_bytes", &self.body.len())
            .field("possible_duplicate", &self.possible_duplicate)
            .finish_non_exhaustive()
    }
}

/// What came of a frame.
#[derive(Debug)]
pub(super) enum Taken {
    /// Nothing yet, or a replay.
    Nothing,
    /// A whole message.
    Message(Message),
    /// A sequence without a message.
    Skipped(Sequence),
    /// A message that is refused as a whole; its sequence is used up.
    Refused { sequence: Sequence, code: ErrorCode },
}

/// When acknowledgements are sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct AcknowledgePolicy {
    /// At the latest after so many sequences.
    pub(super) every: u64,
    /// At the latest after this time, in nanoseconds.
    pub(super) delay_ns: u64,
}

/// What is fixed for the whole session.
#[derive(Debug, Clone, Copy)]
pub(super) struct InboundTerms {
    pub(super) accepts: fn(ContentType) -> bool,
    pub(super) window: Window,
    pub(super) message_bytes_max: usize,
    pub(super) acknowledge: AcknowledgePolicy,
}

/// The receiving half of an open link.
#[derive(Debug)]
pub(super) struct Inbound {
    terms: InboundTerms,
    /// Last sequence taken whole.
    received: Sequence,
    /// Last sequence that the driver declared safe.
    safe: Sequence,
    /// Last sequence that the peer was told.
    told: Sequence,
    /// A replay came: the peer does not know what it was told.
    tell_again: bool,
    /// When the oldest untold acknowledgement became due for telling.
    untold_since: Option<u64>,
    /// Body sizes of what was received and is not safe yet.
    unsafe_sizes: VecDeque<u32>,
    unsafe_bytes: u64,
    assembly: Option<Assembly>,
}

#[derive(Debug)]
struct Assembly {
    sequence: Sequence,
    content: Content,
}

/// What is known of a message while its frames arrive.
enum Content {
    Whole { head: DataHead, body: Bytes },
    Parts { head: DataHead, body: BytesMut },
    Refused(ErrorCode),
    Replayed,
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Content::Whole { body, .. } => write!(f, "Whole({} bytes)", body.len()),
            Content::Parts { body, .. } => write!(f, "Parts({} bytes)", body.len()),
            Content::Refused(code) => write!(f, "Refused({code})"),
            Content::Replayed => f.write_str("Replayed"),
        }
    }
}

impl Inbound {
    /// Goes on behind `held`, which is safe here already.
    pub(super) fn new(terms: InboundTerms, held: Sequence) -> Inbound {
        Inbound {
            terms,
            received: held,
            safe: held,
            told: held,
            tell_again: false,
            untold_since: None,
            unsafe_sizes: VecDeque::new(),
            unsafe_bytes: 0,
            assembly: None,
        }
    }

    /// Takes a DATA frame.
    pub(super) fn take(&mut self, data: Data) -> Result<Taken, WireError> {
        let Data { head, body } = data;
        let (sequence, more_follows) = (head.sequence, head.more_follows);
        let content = match self.assembly.take() {
            Some(begun) => {
                begun.check_continuation(sequence, head.content_type)?;
                begun.content.extend(&body, self.terms.message_bytes_max)
            }
            None => self.begin(head, body)?,
        };
        self.step(sequence, content, more_follows)
    }

    /// Takes a DATA frame that was refused before its content was looked at.
    pub(super) fn refuse(
        &mut self,
        sequence: Sequence,
        more_follows: bool,
        code: ErrorCode,
    ) -> Result<Taken, WireError> {
        let replayed = match self.assembly.take() {
            Some(begun) => {
                begun.check_continuation(sequence, None)?;
                matches!(begun.content, Content::Replayed)
            }
            None => self.is_replay(sequence)?,
        };
        let content = if replayed {
            Content::Replayed
        } else {
            Content::Refused(code)
        };
        self.step(sequence, content, more_follows)
    }

    /// Takes a SKIP.
    pub(super) fn skip(&mut self, sequence: Sequence) -> Result<Taken, WireError> {
        if self.assembly.is_some() {
            return Err(continuation("a SKIP came inside a message"));
        }
        if self.is_replay(sequence)? {
            self.replayed(sequence);
            return Ok(Taken::Nothing);
        }
        self.received(sequence, 0);
        Ok(Taken::Skipped(sequence))
    }

    /// Everything up to `upto` is safe.
    pub(super) fn acknowledge(&mut self, upto: Sequence, now: u64) {
        self.safe = self.safe.max(upto);
        self.release();
        if self.told < self.tellable() && self.untold_since.is_none() {
            self.untold_since = Some(now);
        }
    }

    /// True while no more may be taken in until something is acknowledged.
    pub(super) fn is_full(&self) -> bool {
        // A window of nothing would stop the stream for ever; the least is one message at a time.
        self.unsafe_sizes.len() >= as_usize(self.terms.window.messages.max(1))
            || self.unsafe_bytes >= u64::from(self.terms.window.bytes.max(1))
    }

    /// The sequence to acknowledge now, if it is time to.
    pub(super) fn take_due(&mut self, now: u64) -> Option<Sequence> {
        let many = self.tellable().0.saturating_sub(self.told.0) >= self.terms.acknowledge.every;
        let late = self.due_at().is_some_and(|at| now >= at);
        if self.tell_again || many || late {
            self.take_pending()
        } else {
            None
        }
    }

    /// The sequence to acknowledge on a frame that leaves anyway.
    pub(super) fn take_pending(&mut self) -> Option<Sequence> {
        if !self.tell_again && self.told >= self.tellable() {
            return None;
        }
        self.tell_again = false;
        self.untold_since = None;
        self.told = self.tellable();
        Some(self.told)
    }

    /// When an acknowledgement has to leave at the latest.
    pub(super) fn due_at(&self) -> Option<u64> {
        self.untold_since
            .map(|since| since.saturating_add(self.terms.acknowledge.delay_ns))
    }

    /// The last sequence taken whole.
    pub(super) fn last_received(&self) -> Sequence {
        self.received
    }

    fn begin(&self, head: DataHead, body: Bytes) -> Result<Content, WireError> {
        if self.is_replay(head.sequence)? {
            return Ok(Content::Replayed);
        }
        if !head.content_type.is_some_and(self.terms.accepts) {
            return Ok(Content::Refused(ErrorCode::UnknownContentType));
        }
        if body.len() > self.terms.message_bytes_max {
            return Ok(Content::Refused(ErrorCode::MessageTooLarge));
        }
        Ok(Content::Whole { head, body })
    }

    /// Something safe already is a replay, also when this link has not seen it yet.
    fn is_replay(&self, sequence: Sequence) -> Result<bool, WireError> {
        if sequence > self.received.next() {
            let rule = "sequences are contiguous, from 1";
            return Err(WireError::new(ErrorCode::SequenceGap, 0, rule).about(sequence));
        }
        Ok(sequence <= self.received || sequence <= self.safe)
    }

    fn step(
        &mut self,
        sequence: Sequence,
        content: Content,
        more_follows: bool,
    ) -> Result<Taken, WireError> {
        if more_follows {
            self.assembly = Some(Assembly { sequence, content });
            return Ok(Taken::Nothing);
        }
        let (head, body) = match content {
            Content::Whole { head, body } => (head, body),
            Content::Parts { head, body } => (head, body.freeze()),
            Content::Refused(code) => {
                self.received(sequence, 0);
                return Ok(Taken::Refused { sequence, code });
            }
            Content::Replayed => {
                self.replayed(sequence);
                return Ok(Taken::Nothing);
            }
        };
        self.received(sequence, body.len());
        Ok(Taken::Message(Message {
            sequence,
            content_type: head.content_type.unwrap_or(ContentType::Unknown(0)),
            body,
            possible_duplicate: head.possible_duplicate,
            correlation: head.correlation,
            signature: head.signature,
            trace: head.trace,
        }))
    }

    fn received(&mut self, sequence: Sequence, body_bytes: usize) {
        self.received = sequence;
        let size = u32::try_from(body_bytes).unwrap_or(u32::MAX);
        self.unsafe_sizes.push_back(size);
        self.unsafe_bytes = self.unsafe_bytes.saturating_add(u64::from(size));
    }

    fn replayed(&mut self, sequence: Sequence) {
        self.received = self.received.max(sequence);
        // A replay of what is not safe yet is acknowledged with the rest, when it is.
        self.tell_again |= sequence <= self.tellable();
    }

    fn tellable(&self) -> Sequence {
        self.safe.min(self.received)
    }

    fn release(&mut self) {
        let still_unsafe = self.received.0.saturating_sub(self.safe.0);
        while self.unsafe_sizes.len() as u64 > still_unsafe {
            let size = self.unsafe_sizes.pop_front().unwrap_or(0);
            self.unsafe_bytes = self.unsafe_bytes.saturating_sub(u64::from(size));
        }
    }
}

impl Assembly {
    fn check_continuation(
        &self,
        sequence: Sequence,
        content_type: Option<ContentType>,
    ) -> Result<(), WireError> {
        if sequence != self.sequence {
            return Err(continuation("another message began before this one ended").about(sequence));
        }
        if content_type.is_some() {
            return Err(continuation("a continuation has no content type").about(sequence));
        }
        Ok(())
    }
}

impl Content {
    fn extend(self, part: &[u8], message_bytes_max: usize) -> Content {
        let (head, mut body) = match self {
            Content::Whole { head, body } => (head, BytesMut::from(body)),
            Content::Parts { head, body } => (head, body),
            refused_or_replayed => return refused_or_replayed,
        };
        if body.len().saturating_add(part.len()) > message_bytes_max {
            return Content::Refused(ErrorCode::MessageTooLarge);
        }
        body.extend_from_slice(part);
        Content::Parts { head, body }
    }
}

fn continuation(rule: &'static str) -> WireError {
    WireError::new(ErrorCode::BadContinuation, 0, rule)
}

fn as_usize(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
