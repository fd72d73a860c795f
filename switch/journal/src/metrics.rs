//! Counters of a running journal. Whoever drives the journal publishes them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Counters since the journal was opened; all only grow, except the longest sync, which is a maximum.
#[derive(Debug, Default)]
pub struct Metrics {
    records: AtomicU64,
    groups: AtomicU64,
    bytes: AtomicU64,
    witnesses: AtomicU64,
    segments_begun: AtomicU64,
    segments_late: AtomicU64,
    sync_nanos: AtomicU64,
    sync_nanos_max: AtomicU64,
}

/// The counters at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MetricsSnapshot {
    /// Records written, without the journal's own.
    pub records: u64,
    /// Groups written and synced, without witnesses: records divided by this is the mean group.
    pub groups: u64,
    /// Bytes written, with headers, padding and witnesses.
    pub bytes: u64,
    /// Witnesses written.
    pub witnesses: u64,
    /// Segments begun.
    pub segments_begun: u64,
    /// Segments that were not ready when needed and had to be filled while commands waited.
    pub segments_late: u64,
    /// Time spent in syncs by the journal's thread, ns.
    pub sync_nanos: u64,
    /// Longest of these syncs, ns.
    pub sync_nanos_max: u64,
}

impl Metrics {
    /// Reads all counters.
    pub fn snapshot(&self) -> MetricsSnapshot {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        MetricsSnapshot {
            records: read(&self.records),
            groups: read(&self.groups),
            bytes: read(&self.bytes),
            witnesses: read(&self.witnesses),
            segments_begun: read(&self.segments_begun),
            segments_late: read(&self.segments_late),
            sync_nanos: read(&self.sync_nanos),
            sync_nanos_max: read(&self.sync_nanos_max),
        }
    }

    pub(crate) fn group_written(&self, records: u64, bytes: u64) {
        self.groups.fetch_add(1, Ordering::Relaxed);
        self.records.fetch_add(records, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn witness_written(&self, bytes: u64) {
        self.witnesses.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn segment_begun(&self, late: bool) {
        self.segments_begun.fetch_add(1, Ordering::Relaxed);
        self.segments_late
            .fetch_add(u64::from(late), Ordering::Relaxed);
    }

    pub(crate) fn synced(&self, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.sync_nanos.fetch_add(nanos, Ordering::Relaxed);
        self.sync_nanos_max.fetch_max(nanos, Ordering::Relaxed);
    }
}
