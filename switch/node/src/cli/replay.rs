//! `torap replay`: any moment of the past from the log alone, without the switch or beside it.
//!
//! Standard output holds the state and nothing else, so that two replays of one moment print the same bytes, whatever snapshot
//! each began with.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use clap::Args;
use serde_json::{Value, json};
use torap_domain::{Position, Time};
use torap_follower::{Rebuilt, SnapshotStore, Until, rebuild};
use torap_journal::{FileMedium, Folders, Medium, Reader};

use super::{Ending, Failure, ctl, print_line};
use crate::{config::Config, folder::Folder};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The moment: a time as 2026-11-21T09:00:00+05:00 (everything stamped until then), or a record's position [default: the
    /// end of the log]
    #[arg(long, value_name = "TIME|POSITION")]
    until: Option<String>,
    /// Use no snapshot: apply the log from its first record
    #[arg(long)]
    from_genesis: bool,
    /// Folder of older segments [default: journal.archive_dir of DIR/torap.toml]
    #[arg(long, value_name = "PATH")]
    archive: Option<PathBuf>,
    /// Print one JSON line
    #[arg(long)]
    json: bool,
}

/// Between two lines about how far it is.
const TELL_EVERY: Duration = Duration::from_secs(2);

pub(super) fn run(folder: &Folder, arguments: Arguments) -> Result<Ending, Failure> {
    let until = match &arguments.until {
        None => Until::End,
        Some(text) => parse_until(text)?,
    };
    let log = open(folder, arguments.archive, arguments.from_genesis)?;
    let rebuilt = rebuild(&log.reader, log.snapshots.as_ref(), until, &mut progress());
    let rebuilt = rebuilt.map_err(|error| log.failed(&error))?;
    for error in &rebuilt.skipped {
        tracing::warn!(%error, "a snapshot is passed over");
    }
    let began = rebuilt.snapshot.as_ref().map(|info| info.position.value());
    tracing::info!(snapshot = ?began, replayed = rebuilt.replayed, "rebuilt");
    let value = state(&rebuilt);
    let text = if arguments.json {
        value.to_string()
    } else {
        ctl::render(&value)
    };
    print_line(text.trim_end())?;
    Ok(if rebuilt.engine.conservation().is_ok() {
        Ending::Done
    } else {
        Ending::Refused
    })
}

/// A log that is only read, and the snapshots beside it.
pub(super) struct Log {
    pub(super) reader: Reader,
    pub(super) snapshots: Option<SnapshotStore>,
    place: PathBuf,
}

impl Log {
    /// An error with the place of the log.
    pub(super) fn failed(&self, error: &dyn std::fmt::Display) -> Failure {
        Failure::Failed(format!("{}: {error}", self.place.display()))
    }
}

/// Opens the log of a folder, and its snapshots unless it is to be read from its first record.
pub(super) fn open(
    folder: &Folder,
    archive: Option<PathBuf>,
    from_genesis: bool,
) -> Result<Log, Failure> {
    let config = Config::read(&folder.configuration()).map_err(Failure::Usage)?;
    let archive = archive.or_else(|| {
        config
            .journal
            .archive_dir
            .map(|path| folder.root().join(path))
    });
    let store = Folders {
        journal: existing(folder.journal())?,
        archive: archive.map(existing).transpose()?,
    };
    let place = folder.journal();
    let named =
        |error: &dyn std::fmt::Display| Failure::Failed(format!("{}: {error}", place.display()));
    let reader = Reader::open(store.joined(), None)
        .map_err(|error| named(&error))?
        .ok_or_else(|| named(&"no journal there"))?;
    let snapshots = match (from_genesis, folder.snapshots()) {
        (false, path) if path.is_dir() => Some(SnapshotStore::view(existing(path)?)),
        _ => None,
    };
    Ok(Log {
        reader,
        snapshots,
        place,
    })
}

/// Tells now and then how far a replay is.
pub(super) fn progress() -> impl FnMut(Position) {
    let mut told = Instant::now();
    move |position: Position| {
        if told.elapsed() > TELL_EVERY {
            told = Instant::now();
            tracing::info!(position = position.value(), "replaying");
        }
    }
}

/// What is printed of a state; a function of the state alone.
fn state(rebuilt: &Rebuilt) -> Value {
    let engine = &rebuilt.engine;
    let last = rebuilt.recovered.last;
    let stats = engine.stats();
    let positions: Vec<Value> = engine
        .positions()
        .map(|position| {
            let view = engine.participant_view(position.participant);
            json!({
                "participant": view.map(|view| view.code.as_str().to_owned()),
                "balance": tenge(position.posted),
                "reserved": tenge(i128::from(position.held)),
                "credit_line": tenge(i128::from(position.credit_line)),
                "available": tenge(position.available),
            })
        })
        .collect();
    let conservation = engine.conservation();
    json!({
        "position": last.position.value(),
        "time": exactly(last.time),
        "rules_version": engine.rules_version(),
        "digest": format!("{:016x}", engine.digest()),
        "running_digest": format!("{:016x}", rebuilt.recovered.running),
        "conserved": conservation.is_ok(),
        "difference": conservation.err().map(|error| error.to_string()),
        "funded": tenge(engine.funded()),
        "under_way": stats.in_flight,
        "remembered": stats.window_entries,
        "open_recalls": stats.open_recalls,
        "positions": positions,
    })
}

/// A time to the nanosecond, so that it names its record when it is given to `--until`.
fn exactly(time: Time) -> String {
    let text = time.to_string();
    let nanos = time.nanos() % 1_000_000_000;
    match (text.split_once('.'), text.rfind('+')) {
        (Some((seconds, _)), Some(offset)) => {
            format!(
                "{seconds}.{nanos:09}{}",
                text.get(offset..).unwrap_or_default()
            )
        }
        _ => text,
    }
}

fn parse_until(text: &str) -> Result<Until, Failure> {
    if let Ok(position) = text.parse() {
        return Ok(Until::Position(Position(position)));
    }
    let time = Time::parse(text).map_err(|error| {
        Failure::Usage(format!(
            "--until: `{text}` is no position, and no time: {error}; as 2026-11-21T09:00:00+05:00"
        ))
    })?;
    Ok(Until::Time(time))
}

fn existing(path: PathBuf) -> Result<Arc<dyn Medium>, Failure> {
    let opened = FileMedium::open_existing(&path)
        .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
    Ok(Arc::new(opened))
}

fn tenge(tiyn: i128) -> String {
    let sign = if tiyn < 0 { "-" } else { "" };
    let size = tiyn.unsigned_abs();
    format!("{sign}{}.{:02}", size / 100, size % 100)
}
