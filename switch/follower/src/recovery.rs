//! From whatever the process before left behind to a core and a follower at the end of the log.

use std::{
    fmt,
    sync::{Arc, mpsc},
    thread,
};

use torap_core::{Recovered, Replay};
use torap_domain::Position;
use torap_engine::Engine;
use torap_index::{Changes, Index, IndexError};
use torap_journal::{Depth, Journal, JournalError};

use crate::{
    Follower, FollowerError, FollowerOptions, Snapshot, SnapshotError, SnapshotInfo, SnapshotStore,
    follower::Tail,
};

/// Records between two calls of the progress function.
const PROGRESS_EVERY_RECORDS: u64 = 65_536;

/// Everything a switch starts with.
#[derive(Debug)]
pub struct Recovery<I: Index> {
    /// For the core.
    pub engine: Engine,
    /// For the core.
    pub recovered: Recovered,
    /// At the same position, with an engine of its own.
    pub follower: Follower<I>,
    /// For the log of the operator.
    pub report: RecoveryReport,
}

/// What a recovery found and did.
#[derive(Debug)]
pub struct RecoveryReport {
    /// The snapshot it began with; `None` if with the first record.
    pub snapshot: Option<SnapshotInfo>,
    /// Newer snapshots that could not be used, and why.
    pub skipped: Vec<SnapshotError>,
    /// Records replayed.
    pub replayed: u64,
    /// Where the index stood.
    pub index_from: Position,
}

/// Brings state and index to the end of the log.
///
/// It begins with the newest sound snapshot at or before the index' applied position, so that one pass over the log serves
/// core, follower and index; an index that was deleted therefore means a pass over the whole log. `progress` is called with
/// the position where the replay begins, and then now and again.
pub fn recover<I: Index>(
    journal: &dyn Journal,
    snapshots: Arc<SnapshotStore>,
    index: Arc<I>,
    options: FollowerOptions,
    progress: &mut dyn FnMut(Position),
) -> Result<Recovery<I>, FollowerError> {
    let log = Position(journal.durable_upto());
    let index_from = index.applied_upto();
    for (what, position) in [
        ("index", index_from),
        ("newest snapshot", snapshots.newest()?),
    ] {
        if position > log {
            return Err(FollowerError::Ahead {
                what,
                position,
                log,
            });
        }
    }
    let mut skipped = Vec::new();
    let snapshot = choose(
        journal,
        &snapshots,
        index_from,
        options.engine_seed,
        &mut skipped,
    )?;
    let info = snapshot.as_ref().map(|snapshot| snapshot.info.clone());
    let (engine, recovered) = match snapshot {
        Some(Snapshot {
            engine, recovered, ..
        }) => (engine, recovered),
        None => (Engine::seeded(options.engine_seed), Recovered::genesis()),
    };
    let mut tail = Tail::new(
        Replay::new(engine, recovered),
        Arc::clone(&index),
        options.index_rows_max,
    );
    let replayed = replay_rest(journal, &mut tail, progress)?;
    let (engine, recovered) = tail.replay.into_parts();
    let records = journal.read_from(recovered.last.position.next().value(), Depth::Facts)?;
    let follower = Follower::new(
        engine.clone(),
        recovered,
        records,
        index,
        snapshots,
        options,
    )?;
    Ok(Recovery {
        engine,
        recovered,
        follower,
        report: RecoveryReport {
            snapshot: info,
            skipped,
            replayed,
            index_from,
        },
    })
}

/// The newest snapshot that is sound, of this log, and not ahead of the index.
fn choose(
    journal: &dyn Journal,
    snapshots: &SnapshotStore,
    index: Position,
    seed: u64,
    skipped: &mut Vec<SnapshotError>,
) -> Result<Option<Snapshot>, FollowerError> {
    for position in snapshots
        .positions()?
        .into_iter()
        .filter(|position| *position <= index)
    {
        match snapshots.load(position, seed) {
            Ok(snapshot) if is_of_log(journal, &snapshot.recovered)? => return Ok(Some(snapshot)),
            Ok(snapshot) => skipped.push(SnapshotError::OtherLog {
                file: snapshot.info.file,
                position,
            }),
            Err(error) => skipped.push(error),
        }
    }
    Ok(None)
}

/// Whether the log has the record that the snapshot ends with. Its time, to the nanosecond, tells; the marks that follow
/// prove the rest. A record that has been moved to the archive cannot be asked.
fn is_of_log(journal: &dyn Journal, recovered: &Recovered) -> Result<bool, FollowerError> {
    match journal.read_record(recovered.last.position.value()) {
        Ok(record) => {
            Ok(record.is_some_and(|record| record.meta.time == recovered.last.time.nanos()))
        }
        Err(JournalError::Expired { .. }) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

fn replay_rest<I: Index>(
    journal: &dyn Journal,
    tail: &mut Tail<I>,
    progress: &mut dyn FnMut(Position),
) -> Result<u64, FollowerError> {
    let mut replayed: u64 = 0;
    let begins = tail.replay.position();
    let mut records = match journal.read_from(begins.next().value(), Depth::Facts) {
        Err(JournalError::Expired { first, .. }) => {
            let (stands, first) = (tail.index.applied_upto(), Position(first));
            let what = if stands < first { "index" } else { "state" };
            let stands = if what == "index" { stands } else { begins };
            return Err(FollowerError::Expired {
                what,
                stands,
                first,
            });
        }
        opened => opened?,
    };
    let index = Arc::clone(&tail.index);
    progress(begins);
    // One batch is written while the next is replayed.
    let (full, waiting) = mpsc::sync_channel::<(Changes, Position)>(1);
    let (give_back, spent) = mpsc::channel();
    let (outcome, written) = thread::scope(|scope| {
        let writer = scope.spawn(move || {
            while let Ok((mut changes, upto)) = waiting.recv() {
                index.apply(&changes, upto)?;
                changes.clear();
                // Nobody takes it after the last record.
                let _ = give_back.send(changes);
            }
            Ok::<(), IndexError>(())
        });
        let mut replay = || -> Result<(), FollowerError> {
            while let Some(record) = records.next()? {
                tail.gather(&record.meta, record.facts)?;
                replayed += 1;
                if tail.is_full() {
                    let changes = tail.exchange(spent.try_recv().unwrap_or_default());
                    if full.send((changes, tail.replay.position())).is_err() {
                        // The writer has ended with an error, which it gives below.
                        return Ok(());
                    }
                }
                if replayed.is_multiple_of(PROGRESS_EVERY_RECORDS) {
                    progress(tail.replay.position());
                }
            }
            Ok(())
        };
        let outcome = replay();
        drop(full);
        (outcome, writer.join())
    });
    match written {
        Ok(written) => written?,
        Err(panic) => std::panic::resume_unwind(panic),
    }
    outcome?;
    tail.write()?;
    tail.index.caught_up()?;
    progress(tail.replay.position());
    Ok(replayed)
}

impl fmt::Display for RecoveryReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.snapshot {
            Some(info) => write!(formatter, "snapshot at {}, ", info.position)?,
            None => formatter.write_str("no snapshot, ")?,
        }
        write!(
            formatter,
            "{} records replayed, index from {}",
            self.replayed, self.index_from
        )?;
        self.skipped
            .iter()
            .try_for_each(|error| write!(formatter, "; skipped: {error}"))
    }
}
