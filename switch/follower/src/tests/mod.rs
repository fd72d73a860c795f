//! Core, journal, follower, index and snapshots together, on disks in memory.

mod following;
mod metering;
mod rebuilding;
mod recovering;
mod snapshots;
#[path = "../../../core/src/tests/world.rs"]
mod world;

use std::sync::Arc;

use bytes::Bytes;
use torap_core::{Core, CoreLimits, Intake, Recovered};
use torap_domain::{Position, Span, Time};
use torap_engine::{Command, Engine};
use torap_index::MemoryIndex;
use torap_journal::{Entropy, Journal, Log, MemoryMedium, Options, SteppedJournal};

use crate::{FollowerError, FollowerOptions, Recovery, SnapshotStore, recover};

/// A switch without its doors.
struct Rig {
    journal_medium: MemoryMedium,
    snapshot_medium: MemoryMedium,
    journal: SteppedJournal,
    snapshots: Arc<SnapshotStore>,
    index: Arc<MemoryIndex>,
    core: Core,
    now: Time,
    payments: u64,
    answers: u64,
    segment_bytes: u64,
}

const LIMITS: CoreLimits = CoreLimits {
    intake_commands_max: 1000,
    intake_bytes_max: 1 << 20,
    batch_records_max: 50,
    backlog_records_max: 1000,
    backlog_bytes_max: 1 << 24,
    follower_lag_max: u64::MAX,
    mark_every_records: 8,
    mark_idle_after: Span::from_secs(1),
};

const OPTIONS: FollowerOptions = FollowerOptions {
    snapshot_every_records: 0,
    index_rows_max: 20,
    engine_seed: 9,
};

impl Rig {
    fn new() -> Rig {
        Rig::with_segments(SEGMENT_BYTES)
    }

    fn with_segments(segment_bytes: u64) -> Rig {
        let (journal_medium, snapshot_medium) = (MemoryMedium::new(), MemoryMedium::new());
        let mut rig = Rig {
            journal: open_with_segments(&journal_medium, segment_bytes),
            snapshots: Arc::new(SnapshotStore::open(Arc::new(snapshot_medium.clone())).unwrap()),
            journal_medium,
            snapshot_medium,
            index: Arc::new(MemoryIndex::new()),
            core: Core::new(Engine::new(), Recovered::genesis(), LIMITS),
            now: world::MORNING,
            payments: 0,
            answers: 0,
            segment_bytes,
        };
        for command in world::opening() {
            rig.offer(command);
        }
        rig.settle();
        rig
    }

    fn offer(&mut self, command: Command) {
        let intake = Intake {
            command,
            evidence: Bytes::from_static(b"<Document/>"),
            secrets: torap_core::Secrets::NONE,
            ticket: None,
        };
        self.core.offer(intake).expect("room in the intake");
    }

    /// Everything offered becomes durable.
    fn settle(&mut self) {
        loop {
            let mut batch = self.journal.batch();
            self.core.step(self.now, &mut batch).unwrap();
            if batch.is_empty() {
                break;
            }
            self.journal.append(batch).unwrap();
        }
        while self.journal.durable_upto() < self.core.last().position.value() {
            self.journal.step().unwrap();
        }
        while self
            .core
            .release(Position(self.journal.durable_upto()))
            .is_some()
        {}
    }

    /// Payments that the payee's bank accepts, but for every fourth one, half a second apart.
    fn pay(&mut self, count: u64) {
        for _ in 0..count {
            self.payments += 1;
            self.offer(world::transfer(self.payments, self.payments, self.now));
            if !self.payments.is_multiple_of(4) {
                self.answers += 1;
                self.offer(world::accept(self.payments, self.answers));
            }
            self.now = self.now.saturating_add(Span::from_millis(500));
            self.settle();
        }
    }

    fn recover(&self) -> Result<Recovery<MemoryIndex>, FollowerError> {
        let (snapshots, index) = (Arc::clone(&self.snapshots), Arc::clone(&self.index));
        recover(&self.journal, snapshots, index, OPTIONS, &mut |_| {})
    }

    /// A recovery whose state is that of the core that wrote the log.
    fn recovered(&self) -> Recovery<MemoryIndex> {
        let recovery = self.recover().expect("recovered");
        assert_eq!(recovery.recovered, self.core.recovered());
        assert_eq!(recovery.engine.digest(), self.core.engine().digest());
        assert_eq!(
            recovery.follower.engine().digest(),
            self.core.engine().digest()
        );
        recovery
    }

    /// The journal's process ends and another opens it.
    fn reopen(&mut self) {
        // The old one gives its lock back first.
        self.journal = open_journal(&MemoryMedium::new());
        self.journal = open_with_segments(&self.journal_medium, self.segment_bytes);
    }

    fn last(&self) -> Position {
        self.core.last().position
    }
}

const SEGMENT_BYTES: u64 = 1 << 20;

fn open_journal(medium: &MemoryMedium) -> SteppedJournal {
    open_with_segments(medium, SEGMENT_BYTES)
}

fn open_with_segments(medium: &MemoryMedium, segment_bytes: u64) -> SteppedJournal {
    let options = Options {
        segment_bytes,
        batch_bytes_max: 64 << 10,
        group_bytes_max: 128 << 10,
        writer: "torap test".to_owned(),
        entropy: Entropy::Fixed([7; 32]),
        ..Options::default()
    };
    let (log, _) = Log::open(Arc::new(medium.clone()), options).expect("opened");
    SteppedJournal::new(log)
}
