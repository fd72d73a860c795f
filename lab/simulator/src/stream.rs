//! The newest part of a participant's outbound stream, as the gateway keeps it in memory. What is older is rebuilt from the log.

use std::collections::VecDeque;

use bytes::Bytes;
use torap_domain::Sequence;
use torap_engine::Effect;

/// An entry with what its text needs.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) effect: Effect,
    /// The original message, for entries that forward it.
    pub(crate) evidence: Option<Bytes>,
}

/// Where an entry is to be had.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "the large one is the common case and lives for a moment"
)]
pub(crate) enum Fetched {
    Kept(Kept),
    Older,
    Future,
}

#[derive(Debug)]
pub(crate) struct Stream {
    kept: VecDeque<Kept>,
    last: u64,
    entries_max: usize,
    /// Last link sequence of the participant whose command is durable.
    inbound_durable: Sequence,
}

impl Stream {
    pub(crate) fn new(entries_max: usize) -> Stream {
        Stream {
            kept: VecDeque::new(),
            last: 0,
            entries_max,
            inbound_durable: Sequence::ZERO,
        }
    }

    /// Where the stream stands when the process starts.
    pub(crate) fn start_at(&mut self, outbound_last: Sequence, inbound_last: Sequence) {
        self.last = outbound_last.value();
        self.inbound_durable = inbound_last;
    }

    pub(crate) fn publish(&mut self, kept: Kept) {
        self.last = kept.effect.outbound.sequence.value();
        self.kept.push_back(kept);
        if self.kept.len() > self.entries_max {
            self.kept.pop_front();
        }
    }

    pub(crate) fn inbound_is_durable(&mut self, sequence: Sequence) {
        self.inbound_durable = sequence;
    }

    pub(crate) fn inbound_durable(&self) -> Sequence {
        self.inbound_durable
    }

    pub(crate) fn last(&self) -> Sequence {
        Sequence::new(self.last)
    }

    pub(crate) fn fetch(&self, sequence: Sequence) -> Fetched {
        if sequence.value() > self.last {
            return Fetched::Future;
        }
        let first = self.last + 1 - self.kept.len() as u64;
        let place = sequence.value().checked_sub(first);
        match place.and_then(|place| self.kept.get(place as usize)) {
            Some(kept) => Fetched::Kept(kept.clone()),
            None => Fetched::Older,
        }
    }
}
