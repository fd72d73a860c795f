//! The newest part of every participant's outbound stream, in memory. What is older is rebuilt from the log.
//!
//! The core thread publishes what has become durable; connections pull in order of sequence, as fast as their bank reads. A slow
//! bank therefore holds nobody up: its entries leave the memory, and later come from the log.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;
use torap_domain::{ParticipantId, Sequence};
use torap_engine::Effect;

/// An outbound entry with what its text needs.
#[derive(Clone, Debug)]
pub struct Kept {
    pub effect: Effect,
    /// The original message, for entries that forward it.
    pub evidence: Option<Bytes>,
}

/// Bounds of each participant's stream.
#[derive(Clone, Copy, Debug)]
pub struct KeepLimits {
    pub entries_max: usize,
    pub bytes_max: usize,
}

#[derive(Debug)]
pub struct Stream {
    ring: Mutex<Ring>,
    /// The wake-up of the connection that serves the stream now. One of its own, so that no other connection can take it.
    listener: Mutex<Option<Arc<Notify>>>,
    /// Last link sequence of the participant whose command is durable.
    inbound_durable: AtomicU64,
    /// One more than the last sequence that the bank is known to hold; zero until it has signed on once.
    held_next: AtomicU64,
}

#[derive(Debug)]
struct Ring {
    kept: VecDeque<Kept>,
    /// Sequence of the last entry ever published.
    last: u64,
    bytes: usize,
    limits: KeepLimits,
}

/// Where an entry is to be had.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "the large one is the common case and lives for a moment"
)]
pub enum Fetched {
    Kept(Kept),
    /// Published before what memory keeps: ask index and log.
    Older,
    /// Not yet published.
    Future,
}

impl Stream {
    fn new(limits: KeepLimits) -> Stream {
        let ring = Ring {
            kept: VecDeque::new(),
            last: 0,
            bytes: 0,
            limits,
        };
        Stream {
            ring: Mutex::new(ring),
            listener: Mutex::new(None),
            inbound_durable: AtomicU64::new(0),
            held_next: AtomicU64::new(0),
        }
    }

    /// Where the stream stands when the process starts.
    pub fn start_at(&self, outbound_last: Sequence, inbound_last: Sequence) {
        self.ring.lock().last = outbound_last.value();
        self.inbound_durable
            .store(inbound_last.value(), Ordering::Release);
    }

    /// Adds a durable entry; returns nothing and wakes nobody (see `announce`).
    pub fn publish(&self, kept: Kept) {
        let mut ring = self.ring.lock();
        ring.last = kept.effect.outbound.sequence.value();
        ring.bytes += kept.evidence.as_ref().map_or(0, Bytes::len);
        ring.kept.push_back(kept);
        while ring.kept.len() > ring.limits.entries_max || ring.bytes > ring.limits.bytes_max {
            let Some(oldest) = ring.kept.pop_front() else {
                break;
            };
            ring.bytes -= oldest.evidence.as_ref().map_or(0, Bytes::len);
        }
    }

    /// A command of this participant's link is durable.
    pub fn inbound_is_durable(&self, sequence: Sequence) {
        self.inbound_durable
            .store(sequence.value(), Ordering::Release);
    }

    pub fn inbound_durable(&self) -> Sequence {
        Sequence::new(self.inbound_durable.load(Ordering::Acquire))
    }

    /// The bank holds everything up to this sequence: it said so at sign-on, or acknowledged it.
    pub fn bank_holds(&self, sequence: Sequence) {
        self.held_next
            .store(sequence.value().saturating_add(1), Ordering::Release);
    }

    /// What the bank is known to hold; `None` until it has signed on once since the start.
    pub fn held_by_bank(&self) -> Option<Sequence> {
        let next = self.held_next.load(Ordering::Acquire);
        next.checked_sub(1).map(Sequence::new)
    }

    /// From now on `wake` is notified of everything new; whoever listened before is not any more.
    pub fn listen(&self, wake: Arc<Notify>) {
        *self.listener.lock() = Some(wake);
    }

    /// Wakes the connection; what it is to see stands in the stream already.
    pub fn announce(&self) {
        if let Some(wake) = &*self.listener.lock() {
            wake.notify_one();
        }
    }

    pub fn last(&self) -> Sequence {
        Sequence::new(self.ring.lock().last)
    }

    pub fn fetch(&self, sequence: Sequence) -> Fetched {
        let ring = self.ring.lock();
        if sequence.value() > ring.last {
            return Fetched::Future;
        }
        let first = ring.last + 1 - ring.kept.len() as u64;
        let place = sequence
            .value()
            .checked_sub(first)
            .and_then(|place| usize::try_from(place).ok());
        match place.and_then(|place| ring.kept.get(place)) {
            Some(kept) => Fetched::Kept(kept.clone()),
            None => Fetched::Older,
        }
    }
}

/// All streams, by participant.
#[derive(Debug)]
pub struct Outbox {
    streams: RwLock<Vec<Arc<Stream>>>,
    limits: KeepLimits,
}

impl Outbox {
    pub fn new(limits: KeepLimits) -> Outbox {
        Outbox {
            streams: RwLock::new(Vec::new()),
            limits,
        }
    }

    /// The participant's stream; made at first use (participant numbers are dense and given by the engine).
    pub fn stream(&self, participant: ParticipantId) -> Arc<Stream> {
        if let Some(stream) = self.streams.read().get(participant.index()) {
            return Arc::clone(stream);
        }
        let mut streams = self.streams.write();
        while streams.len() <= participant.index() {
            streams.push(Arc::new(Stream::new(self.limits)));
        }
        Arc::clone(&streams[participant.index()])
    }
}

#[cfg(test)]
mod tests;
