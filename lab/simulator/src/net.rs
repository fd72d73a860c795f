//! The network as TCP shows it: bytes arrive in order, late or never; a connection breaks anywhere, also inside a frame.

use std::collections::VecDeque;

/// Bytes that one direction of a connection holds before the writer has to wait.
pub(crate) const PIPE_BYTES_MAX: usize = 64 << 10;

/// One direction of a connection.
#[derive(Debug, Default)]
pub(crate) struct Pipe {
    chunks: VecDeque<(u64, Vec<u8>)>,
    bytes: usize,
    /// Nothing arrives before this time: a partition of this direction.
    blocked_until: u64,
    last_at: u64,
    /// The end of the stream, seen after everything before it.
    end_at: Option<u64>,
    ended: bool,
}

/// What a reader gets.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Arrived {
    Bytes(Vec<u8>),
    End,
}

impl Pipe {
    /// Bytes that may be written now.
    pub(crate) fn room(&self) -> usize {
        if self.end_at.is_some() {
            return 0;
        }
        PIPE_BYTES_MAX.saturating_sub(self.bytes)
    }

    pub(crate) fn push(&mut self, now: u64, bytes: Vec<u8>, latency: u64) {
        let at = (now + latency).max(self.last_at);
        self.last_at = at;
        self.bytes += bytes.len();
        self.chunks.push_back((at, bytes));
    }

    /// When something will arrive.
    pub(crate) fn next_at(&self) -> Option<u64> {
        let next = match self.chunks.front() {
            Some((at, _)) => Some(*at),
            None if self.ended => None,
            None => self.end_at,
        };
        next.map(|at| at.max(self.blocked_until))
    }

    pub(crate) fn take(&mut self, now: u64) -> Option<Arrived> {
        if self.next_at().is_none_or(|at| at > now) {
            return None;
        }
        match self.chunks.pop_front() {
            Some((_, bytes)) => {
                self.bytes -= bytes.len();
                Some(Arrived::Bytes(bytes))
            }
            None => {
                self.ended = true;
                Some(Arrived::End)
            }
        }
    }

    /// Bytes under way.
    pub(crate) fn under_way(&self) -> usize {
        self.bytes
    }

    /// The writer closes: what is under way still arrives.
    pub(crate) fn close(&mut self, now: u64, latency: u64) {
        self.end_at.get_or_insert((now + latency).max(self.last_at));
    }

    /// The connection breaks: only the first `keep` bytes under way still arrive, then the end.
    pub(crate) fn cut(&mut self, now: u64, keep: usize) {
        let mut left = keep;
        let mut kept = VecDeque::new();
        for (at, mut bytes) in self.chunks.drain(..) {
            bytes.truncate(left);
            left -= bytes.len();
            if !bytes.is_empty() {
                kept.push_back((at, bytes));
            }
        }
        self.chunks = kept;
        self.bytes = keep - left;
        self.last_at = self.chunks.back().map_or(now, |(at, _)| *at);
        self.end_at = Some(self.last_at.max(now));
    }

    /// Everything under way arrives later: lost segments that were sent again.
    pub(crate) fn delay(&mut self, by: u64) {
        for (at, _) in &mut self.chunks {
            *at += by;
        }
        self.last_at += by;
        if let Some(end) = &mut self.end_at {
            *end += by;
        }
    }

    /// Nothing arrives until then.
    pub(crate) fn block(&mut self, until: u64) {
        self.blocked_until = self.blocked_until.max(until);
    }

    pub(crate) fn heal(&mut self) {
        self.blocked_until = 0;
    }
}
