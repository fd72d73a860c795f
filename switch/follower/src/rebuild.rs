//! Any moment of the past, from the log alone: beside a running switch or without one, and without its index.

use torap_core::{Recovered, Replay};
use torap_domain::{Position, Time};
use torap_engine::{Engine, Event, Stamp};
use torap_journal::{Depth, JournalError, Reader, RecordStream};

use crate::{FollowerError, Snapshot, SnapshotError, SnapshotInfo, SnapshotStore};

/// Records between two calls of the progress function.
const PROGRESS_EVERY_RECORDS: u64 = 65_536;

/// The moment that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// After the last record of this time or before.
    Time(Time),
    /// After this record.
    Position(Position),
    /// After the last durable record.
    End,
}

/// The state at a moment.
#[derive(Debug)]
pub struct Rebuilt {
    pub engine: Engine,
    /// Its place in the log.
    pub recovered: Recovered,
    /// The snapshot it began with; `None` if with the first record.
    pub snapshot: Option<SnapshotInfo>,
    /// Newer snapshots that could not be used, and why.
    pub skipped: Vec<SnapshotError>,
    /// Records replayed.
    pub replayed: u64,
}

/// One record that was applied.
#[derive(Debug)]
pub struct Seen<'a> {
    pub stamp: Stamp,
    /// Kind of its command.
    pub kind: u16,
    /// What happened.
    pub events: &'a [Event],
    /// The state after it.
    pub engine: &'a Engine,
}

impl Until {
    fn includes(&self, position: Position, time: Time) -> bool {
        match self {
            Until::Time(until) => time <= *until,
            Until::Position(until) => position <= *until,
            Until::End => true,
        }
    }
}

/// Rebuilds the state at a moment, from the newest usable snapshot before it or, without `snapshots`, from the first record.
/// Both give the same state; marks in the log are compared on the way. `progress` is called with the position now and then.
pub fn rebuild(
    log: &Reader,
    snapshots: Option<&SnapshotStore>,
    until: Until,
    progress: &mut dyn FnMut(Position),
) -> Result<Rebuilt, FollowerError> {
    let mut skipped = Vec::new();
    let snapshot = match snapshots {
        Some(snapshots) => choose(log, snapshots, until, &mut skipped)?,
        None => None,
    };
    let (info, engine, recovered) = match snapshot {
        Some(Snapshot {
            info,
            engine,
            recovered,
        }) => (Some(info), engine, recovered),
        None => (None, Engine::new(), Recovered::genesis()),
    };
    let mut replay = Replay::new(engine, recovered);
    let mut replayed: u64 = 0;
    let stands = replay.position();
    let mut records = match log.read_from(stands.next().value(), Depth::Facts) {
        Err(JournalError::Expired { first, .. }) => {
            return Err(FollowerError::Expired {
                what: "state",
                stands,
                first: Position(first),
            });
        }
        opened => opened?,
    };
    while let Some(record) = records.next()? {
        let time = Time::from_nanos(record.meta.time);
        if !until.includes(Position(record.meta.sequence), time) {
            break;
        }
        replay.apply(&record.meta, record.facts)?;
        replayed += 1;
        if replayed.is_multiple_of(PROGRESS_EVERY_RECORDS) {
            progress(replay.position());
        }
    }
    let (engine, recovered) = replay.into_parts();
    Ok(Rebuilt {
        engine,
        recovered,
        snapshot: info,
        skipped,
        replayed,
    })
}

/// Goes on from a state that was rebuilt to a later moment, and shows every record on the way.
pub fn follow(
    log: &Reader,
    from: Rebuilt,
    until: Until,
    each: &mut dyn FnMut(Seen<'_>),
) -> Result<Rebuilt, FollowerError> {
    let Rebuilt {
        engine,
        recovered,
        snapshot,
        skipped,
        mut replayed,
    } = from;
    let mut replay = Replay::new(engine, recovered);
    let next = replay.position().next();
    let mut records = log.read_from(next.value(), Depth::Facts)?;
    while let Some(record) = records.next()? {
        let time = Time::from_nanos(record.meta.time);
        if !until.includes(Position(record.meta.sequence), time) {
            break;
        }
        let kind = record.meta.kind;
        let applied = replay.apply(&record.meta, record.facts)?;
        let stamp = applied.stamp;
        let events = std::mem::take(applied.events);
        each(Seen {
            stamp,
            kind,
            events: &events,
            engine: replay.engine(),
        });
        replayed += 1;
    }
    let (engine, recovered) = replay.into_parts();
    Ok(Rebuilt {
        engine,
        recovered,
        snapshot,
        skipped,
        replayed,
    })
}

/// The newest sound snapshot of this log that is not after the moment.
fn choose(
    log: &Reader,
    snapshots: &SnapshotStore,
    until: Until,
    skipped: &mut Vec<SnapshotError>,
) -> Result<Option<Snapshot>, FollowerError> {
    for position in snapshots.positions()? {
        let loaded = snapshots.info(position).and_then(|info| {
            let wanted = until.includes(position, info.time);
            wanted.then(|| snapshots.load(position, 0)).transpose()
        });
        match loaded {
            Ok(None) => {}
            Ok(Some(snapshot)) if is_of_log(log, &snapshot.recovered)? => {
                return Ok(Some(snapshot));
            }
            Ok(Some(snapshot)) => skipped.push(SnapshotError::OtherLog {
                file: snapshot.info.file,
                position,
            }),
            Err(error) => skipped.push(error),
        }
    }
    Ok(None)
}

/// Whether the log has the record that the snapshot ends with; one that has expired cannot be asked.
fn is_of_log(log: &Reader, recovered: &Recovered) -> Result<bool, FollowerError> {
    match log.read_record(recovered.last.position.value()) {
        Ok(record) => {
            Ok(record.is_some_and(|record| record.meta.time == recovered.last.time.nanos()))
        }
        Err(JournalError::Expired { .. }) => Ok(true),
        Err(error) => Err(error.into()),
    }
}
