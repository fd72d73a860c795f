//! Follows the log while the switch runs.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use torap_core::{Recovered, Replay};
use torap_domain::Position;
use torap_engine::Engine;
use torap_index::{Changes, Index};
use torap_journal::RecordStream;

use crate::{FollowerError, Pace, SnapshotInfo, SnapshotStore};

/// How a follower works. None of it changes what the index or a snapshot holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FollowerOptions {
    /// Records between snapshots; 0 takes none by itself.
    pub snapshot_every_records: u64,
    /// Rows collected before they go to the index in one write.
    pub index_rows_max: usize,
    /// Secret seed of the engine's tables (`torap_engine::Engine::seeded`); changes nothing but their layout in memory.
    pub engine_seed: u64,
}

impl Default for FollowerOptions {
    fn default() -> FollowerOptions {
        FollowerOptions {
            snapshot_every_records: 1_000_000,
            index_rows_max: 8192,
            engine_seed: 0,
        }
    }
}

/// What one [`Follower::step`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Records applied.
    pub records: usize,
    /// Everything up to here is in the index.
    pub applied_upto: Position,
    /// There was no further durable record.
    pub caught_up: bool,
    /// The snapshot that was taken.
    pub snapshot: Option<SnapshotInfo>,
}

/// An engine behind the log, with the index it fills.
pub struct Follower<I: Index> {
    tail: Tail<I>,
    records: Box<dyn RecordStream>,
    snapshots: Arc<SnapshotStore>,
    snapshot_every_records: u64,
    last_snapshot: Position,
    applied: Arc<AtomicU64>,
    pace: Box<Pace>,
}

impl<I: Index> Follower<I> {
    /// Goes on behind the record where `engine` and `recovered` stand; `records` begins with the next one.
    pub fn new(
        engine: Engine,
        recovered: Recovered,
        records: Box<dyn RecordStream>,
        index: Arc<I>,
        snapshots: Arc<SnapshotStore>,
        options: FollowerOptions,
    ) -> Result<Follower<I>, FollowerError> {
        let applied = Arc::new(AtomicU64::new(recovered.last.position.value()));
        let last_snapshot = snapshots.newest()?;
        let tail = Tail::new(
            Replay::new(engine, recovered),
            index,
            options.index_rows_max,
        );
        Ok(Follower {
            tail,
            records,
            snapshots,
            snapshot_every_records: options.snapshot_every_records,
            last_snapshot,
            applied,
            pace: Box::new(|_, _| {}),
        })
    }

    /// How snapshots are paced from now on; without this they are written as fast as the disk takes them.
    pub fn set_pace(&mut self, pace: Box<Pace>) {
        self.pace = pace;
    }

    /// Applies up to `records_max` durable records, brings the index up to them, and takes a snapshot when one is due. Call it
    /// again at once unless it has caught up.
    pub fn step(&mut self, records_max: usize) -> Result<Progress, FollowerError> {
        let mut records = 0;
        let mut caught_up = false;
        while records < records_max {
            let Some(record) = self.records.next()? else {
                caught_up = true;
                break;
            };
            self.tail.apply(&record.meta, record.facts)?;
            records += 1;
        }
        if records > 0 {
            self.tail.write()?;
            self.applied
                .store(self.applied_upto().value(), Ordering::Release);
        }
        let snapshot = if self.is_snapshot_due() {
            Some(self.snapshot_now()?)
        } else {
            None
        };
        Ok(Progress {
            records,
            applied_upto: self.applied_upto(),
            caught_up,
            snapshot,
        })
    }

    /// Writes a snapshot of the state as it stands. The index is made durable first, so that the two can start together.
    pub fn snapshot_now(&mut self) -> Result<SnapshotInfo, FollowerError> {
        self.tail.write()?;
        self.tail.index.flush()?;
        let info = self.snapshots.write(
            self.tail.replay.engine(),
            &self.tail.replay.recovered(),
            &mut *self.pace,
        )?;
        self.last_snapshot = info.position;
        Ok(info)
    }

    /// Position up to which engine and index have applied.
    pub fn applied_upto(&self) -> Position {
        self.tail.replay.position()
    }

    /// The same, for other threads: the core takes no more commands when it falls too far behind.
    pub fn applied(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.applied)
    }

    /// Durable records not applied yet.
    pub fn lag(&self, durable: Position) -> u64 {
        durable.value().saturating_sub(self.applied_upto().value())
    }

    /// The state at the applied position. It is made of durable records only, so it may be shown outside.
    pub fn engine(&self) -> &Engine {
        self.tail.replay.engine()
    }

    /// The end of the log as far as it has been applied.
    pub fn recovered(&self) -> Recovered {
        self.tail.replay.recovered()
    }

    /// The index that the follower fills.
    pub fn index(&self) -> &Arc<I> {
        &self.tail.index
    }

    fn is_snapshot_due(&self) -> bool {
        let since = self
            .applied_upto()
            .value()
            .saturating_sub(self.last_snapshot.value());
        self.snapshot_every_records > 0 && since >= self.snapshot_every_records
    }
}

impl<I: Index> fmt::Debug for Follower<I> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Follower")
            .field("applied", &self.applied)
            .field("last_snapshot", &self.last_snapshot)
            .finish()
    }
}

/// A replay whose events and effects go to the index, in writes of bounded size.
pub(crate) struct Tail<I: Index> {
    pub(crate) replay: Replay,
    pub(crate) index: Arc<I>,
    changes: Changes,
    rows_max: usize,
}

impl<I: Index> Tail<I> {
    pub(crate) fn new(replay: Replay, index: Arc<I>, rows_max: usize) -> Tail<I> {
        Tail {
            replay,
            index,
            changes: Changes::new(),
            rows_max,
        }
    }

    pub(crate) fn apply(
        &mut self,
        meta: &torap_journal::RecordMeta,
        facts: &[u8],
    ) -> Result<(), FollowerError> {
        self.gather(meta, facts)?;
        if self.is_full() {
            self.write()?;
        }
        Ok(())
    }

    /// Applies a record and keeps what it brings for the index.
    pub(crate) fn gather(
        &mut self,
        meta: &torap_journal::RecordMeta,
        facts: &[u8],
    ) -> Result<(), FollowerError> {
        #[cfg(feature = "mutants")]
        let again = crate::mutants::looked_up_again(&*self.index, meta.kind, facts);
        #[cfg(feature = "mutants")]
        let facts = again.as_deref().unwrap_or(facts);
        let applied = self.replay.apply(meta, facts)?;
        self.changes.push_with_cards(
            applied.stamp,
            &applied.command,
            applied.events,
            applied.effects,
            applied.cards,
        );
        Ok(())
    }

    /// Enough has been gathered for a write.
    pub(crate) fn is_full(&self) -> bool {
        self.changes.rows() >= self.rows_max
    }

    /// Hands out what has been gathered, and gathers in `empty` from now on.
    pub(crate) fn exchange(&mut self, empty: Changes) -> Changes {
        std::mem::replace(&mut self.changes, empty)
    }

    /// Brings the index up to the last record applied.
    pub(crate) fn write(&mut self) -> Result<(), FollowerError> {
        self.index.apply(&self.changes, self.replay.position())?;
        self.changes.clear();
        Ok(())
    }
}
