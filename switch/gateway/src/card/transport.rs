//! The stream under a card link: frames in and out, keep-alives, silence and slow readers. Both ends are the same.
//!
//! What it never does: it never looks into a message, and it never holds more than the named limits. `now` is nanoseconds of any
//! clock that never goes back.

use bytes::{Bytes, BytesMut};

use super::framing::{Frame, Framing, FramingError, Tpdu};
use super::limits::{
    INPUT_BYTES_MAX, KEEP_ALIVE_NS, KEEP_ALIVES_IN_A_ROW_MAX, OUTPUT_BYTES_MAX, PROGRESS_NS_MAX,
};

/// How a stream is cut and kept alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransportConfig {
    /// What its frames look like.
    pub framing: Framing,
    /// A keep-alive goes out after this time without a sent frame, in nanoseconds; `None` sends none.
    pub keep_alive_ns: Option<u64>,
}

impl TransportConfig {
    /// The named limits as they stand.
    pub const fn new(framing: Framing) -> TransportConfig {
        TransportConfig {
            framing,
            keep_alive_ns: Some(KEEP_ALIVE_NS),
        }
    }
}

/// A message as it came in.
#[derive(Clone, PartialEq, Eq)]
pub struct Framed {
    /// The TPDU in front of it, where the framing has one.
    pub tpdu: Option<Tpdu>,
    /// The message, sharing the memory of the buffer it was read into: copy what is to be kept.
    pub message: Bytes,
}

/// Why a stream is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// The bytes cannot be framed.
    Unframeable(FramingError),
    /// The peer sends keep-alives and nothing else, and too many of them.
    Flooded,
    /// What is to be sent has not moved for [`PROGRESS_NS_MAX`].
    SlowReader,
    /// The stream ended.
    Ended,
}

/// One end of a stream of frames. A driver reads into [`Transport::input`], asks for frames until there is none, writes what
/// [`Transport::poll_output`] gives, and calls [`Transport::handle_timeout`] when [`Transport::poll_timeout`] has come.
pub struct Transport {
    config: TransportConfig,
    input: BytesMut,
    output: Vec<u8>,
    now: u64,
    heard_at: u64,
    sent_at: u64,
    /// Since when output waits to be taken.
    waits_since: Option<u64>,
    keep_alives_in_a_row: u32,
    /// The peer's last TPDU, for what is sent unasked.
    tpdu: Option<Tpdu>,
    ended: bool,
    broken: Option<Broken>,
}

impl Transport {
    /// A stream that begins at `now`.
    pub fn new(config: TransportConfig, now: u64) -> Transport {
        Transport {
            config,
            input: BytesMut::new(),
            output: Vec::new(),
            now,
            heard_at: now,
            sent_at: now,
            waits_since: None,
            keep_alives_in_a_row: 0,
            tpdu: None,
            ended: false,
            broken: None,
        }
    }

    /// The buffer into which the socket is read; then [`Transport::handle_input`]. Read only while
    /// [`Transport::wants_input`].
    pub fn input(&mut self) -> &mut BytesMut {
        &mut self.input
    }

    /// Bytes were read into [`Transport::input`].
    pub fn handle_input(&mut self, now: u64) {
        self.now = now;
        self.heard_at = now;
        if self.broken.is_some() {
            self.input.clear();
        }
    }

    /// Copies bytes from the stream; returns how many were taken: fewer than offered only when [`INPUT_BYTES_MAX`] wait.
    #[must_use = "bytes that were not taken have to be offered again"]
    pub fn handle_bytes(&mut self, bytes: &[u8], now: u64) -> usize {
        let room = INPUT_BYTES_MAX.saturating_sub(self.input.len());
        let taken = bytes.get(..room).unwrap_or(bytes);
        self.input.extend_from_slice(taken);
        self.handle_input(now);
        taken.len()
    }

    /// The stream ended or broke. What was read before still comes out as frames.
    pub fn handle_end(&mut self, now: u64) {
        self.now = now;
        self.ended = true;
    }

    /// Whether the socket should be read now.
    pub fn wants_input(&self) -> bool {
        self.broken.is_none() && !self.ended && self.input.len() < INPUT_BYTES_MAX
    }

    /// The next message, or why there will be none; `None` while more bytes have to come. Keep-alives are taken silently.
    pub fn next_message(&mut self) -> Option<Result<Framed, Broken>> {
        if let Some(broken) = self.broken {
            return Some(Err(broken));
        }
        loop {
            match self.config.framing.next(&mut self.input) {
                Ok(Some(Frame::Message { tpdu, message })) => {
                    self.keep_alives_in_a_row = 0;
                    self.tpdu = tpdu;
                    return Some(Ok(Framed { tpdu, message }));
                }
                Ok(Some(Frame::KeepAlive)) => {
                    self.keep_alives_in_a_row = self.keep_alives_in_a_row.saturating_add(1);
                    if self.keep_alives_in_a_row > KEEP_ALIVES_IN_A_ROW_MAX {
                        return Some(Err(self.break_off(Broken::Flooded)));
                    }
                }
                Ok(None) if self.ended => return Some(Err(self.break_off(Broken::Ended))),
                Ok(None) => return None,
                Err(error) => return Some(Err(self.break_off(Broken::Unframeable(error)))),
            }
        }
    }

    /// Whether there is room for another message.
    pub fn has_room(&self) -> bool {
        self.broken.is_none() && self.output.len() < OUTPUT_BYTES_MAX
    }

    /// Sends what `write` appends to the buffer it is given: one message. In answer to a message that came with a TPDU, `to` is
    /// that TPDU; without it the peer's last one is taken. False, and nothing sent, if nothing or too much was written.
    pub fn send_with(
        &mut self,
        to: Option<Tpdu>,
        write: impl FnOnce(&mut Vec<u8>) -> bool,
    ) -> bool {
        let tpdu = to.or(self.tpdu).map(Tpdu::swapped);
        let framing = self.config.framing;
        let start = framing.begin(tpdu, &mut self.output);
        if !write(&mut self.output) {
            self.output.truncate(start);
            return false;
        }
        let sent = framing.end(start, &mut self.output);
        self.note_output();
        sent
    }

    /// As [`Transport::send_with`], for a message that is written already.
    pub fn send(&mut self, to: Option<Tpdu>, message: &[u8]) -> bool {
        self.send_with(to, |out| {
            out.extend_from_slice(message);
            true
        })
    }

    /// Moves all pending output to the end of `out`: a swap without a copy when `out` is empty. Call it when the last output is
    /// written; reuse one buffer per link. True if there is something.
    pub fn poll_output(&mut self, out: &mut Vec<u8>, now: u64) -> bool {
        self.now = now;
        if self.output.is_empty() {
            return false;
        }
        if out.is_empty() {
            std::mem::swap(out, &mut self.output);
        } else {
            out.extend_from_slice(&self.output);
        }
        self.output.clear();
        self.waits_since = None;
        self.sent_at = now;
        true
    }

    /// When [`Transport::handle_timeout`] wants to be called next.
    pub fn poll_timeout(&self) -> Option<u64> {
        if self.broken.is_some() {
            return None;
        }
        let slow = self
            .waits_since
            .map(|since| since.saturating_add(PROGRESS_NS_MAX));
        [self.keep_alive_at(), slow].into_iter().flatten().min()
    }

    /// Sends a keep-alive if it is time, and gives up a peer that reads nothing.
    pub fn handle_timeout(&mut self, now: u64) {
        self.now = now;
        if self.broken.is_some() {
            return;
        }
        let is_slow = self
            .waits_since
            .is_some_and(|since| now >= since.saturating_add(PROGRESS_NS_MAX));
        if is_slow {
            self.break_off(Broken::SlowReader);
        } else if self.keep_alive_at().is_some_and(|at| now >= at) {
            self.config.framing.write_keep_alive(&mut self.output);
            self.note_output();
        }
    }

    /// When anything was last received.
    pub fn heard_at(&self) -> u64 {
        self.heard_at
    }

    /// Time has passed in which the driver did not read: the peer's silence does not count.
    pub fn forgive(&mut self, now: u64) {
        self.heard_at = now;
    }

    /// What the frames look like.
    pub fn framing(&self) -> Framing {
        self.config.framing
    }

    fn keep_alive_at(&self) -> Option<u64> {
        // While output waits there is nothing to keep alive.
        let every = self.config.keep_alive_ns?;
        self.output
            .is_empty()
            .then(|| self.sent_at.saturating_add(every))
    }

    fn note_output(&mut self) {
        if !self.output.is_empty() {
            self.waits_since.get_or_insert(self.now);
        }
    }

    fn break_off(&mut self, broken: Broken) -> Broken {
        self.input.clear();
        *self.broken.get_or_insert(broken)
    }
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transport")
            .field("config", &self.config)
            .field("input", &self.input.len())
            .field("output", &self.output.len())
            .field("broken", &self.broken)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Framed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A message holds cardholder data.
        f.debug_struct("Framed")
            .field("tpdu", &self.tpdu)
            .field("bytes", &self.message.len())
            .finish()
    }
}

#[cfg(test)]
mod tests;
