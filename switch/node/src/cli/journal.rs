//! `torap journal verify|stat|dump|archive`: the log on the disk. All but `archive` also work beside a running switch.

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::{Args, Subcommand};
use torap_domain::Span;
use torap_journal::{Bound, Evidence, EvidenceKey, FileMedium, Folders, Medium, Record};

use super::{Ending, Failure, print_line};
use crate::{
    config::Config,
    folder::{Folder, read_secret},
};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Folder of the segments [default: DIR/data/journal]
    #[arg(long, value_name = "PATH")]
    journal: Option<PathBuf>,
    /// Folder of older segments, which are read as one with the others [default: journal.archive_dir of DIR/torap.toml, unless
    /// --journal is given]
    #[arg(long, value_name = "PATH")]
    archive: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check the whole chain: headers, hashes, checksums
    Verify,
    /// Segments, sequences, times and sizes
    Stat,
    /// Move sealed segments to the archive, each verified there first; only while no switch runs (`torap ctl journal archive`
    /// does it while one runs)
    Archive {
        /// Age in days of the newest record of a segment that is moved
        #[arg(long, default_value_t = 0)]
        older_than_days: u64,
    },
    /// Print records as JSON lines: header and decoded facts
    Dump {
        /// First sequence
        #[arg(long, default_value_t = 1)]
        from: u64,
        /// Last sequence
        #[arg(long, default_value_t = u64::MAX)]
        to: u64,
        /// Also print the original message (needs evidence.key)
        #[arg(long)]
        evidence: bool,
    },
}

pub(super) fn run(folder: &Folder, arguments: Arguments) -> Result<Ending, Failure> {
    let archive = match (arguments.archive, &arguments.journal) {
        (Some(path), _) => Some(path),
        (None, Some(_)) => None,
        (None, None) => {
            let config = Config::read(&folder.configuration()).map_err(Failure::Usage)?;
            let path = config.journal.archive_dir;
            path.map(|path| folder.root().join(path))
        }
    };
    let path = arguments.journal.unwrap_or_else(|| folder.journal());
    if !path.is_dir() {
        return Err(Failure::Usage(format!(
            "{}: no journal there",
            path.display()
        )));
    }
    let name =
        |error: &dyn std::fmt::Display| Failure::Failed(format!("{}: {error}", path.display()));
    let store = Folders {
        journal: Arc::new(FileMedium::open_existing(&path).map_err(|error| name(&error))?),
        archive: archive.as_deref().map(open_archive).transpose()?,
    };
    let medium = store.joined();
    let key = match folder.evidence_key() {
        file if file.exists() => Some(EvidenceKey::new(read_secret(&file)?)),
        _ => None,
    };
    match arguments.command {
        Command::Verify => {
            let report = torap_journal::verify(&*medium, key.as_ref(), &mut |_| {})
                .map_err(|error| name(&error))?;
            print_line(&report.to_string())?;
            Ok(if report.damage.is_some() {
                Ending::Refused
            } else {
                Ending::Done
            })
        }
        Command::Stat => {
            let report = torap_journal::stat(&*medium).map_err(|error| name(&error))?;
            print_line(&report.to_string())?;
            Ok(Ending::Done)
        }
        Command::Archive { older_than_days } => {
            if store.archive.is_none() {
                let text = "where to? --archive PATH, or journal.archive_dir in torap.toml";
                return Err(Failure::Usage(text.into()));
            }
            let _lock = store.lock().map_err(|error| name(&error))?;
            let mut told = Ok(());
            let days = Span::from_secs(older_than_days.saturating_mul(86_400));
            let bound = Bound {
                sequence: u64::MAX,
                time: crate::serve::wall_clock().saturating_sub(days).nanos(),
            };
            let moved = store.archive(&bound, &mut |sealed| {
                if told.is_ok() {
                    told = print_line(&format!("moved {}", sealed.name));
                }
            });
            moved.map_err(|error| name(&error))?;
            told?;
            Ok(Ending::Done)
        }
        Command::Dump { from, to, evidence } => {
            let key = key.filter(|_| evidence);
            let mut broken = None;
            let mut sink = |record: &Record<'_>| match print_line(&line(record, evidence)) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    broken = Some(error);
                    ControlFlow::Break(())
                }
            };
            torap_journal::dump(&medium, key.as_ref(), from..=to, &mut sink)
                .map_err(|error| name(&error))?;
            broken.map_or(Ok(Ending::Done), |error| Err(Failure::Failed(error)))
        }
    }
}

fn open_archive(path: &Path) -> Result<Arc<dyn Medium>, Failure> {
    let opened = FileMedium::open(path)
        .map_err(|error| Failure::Failed(format!("{}: {error}", path.display())))?;
    Ok(Arc::new(opened))
}

fn line(record: &Record<'_>, evidence: bool) -> String {
    let facts = match torap_engine::codec::decode(record.meta.kind, record.facts) {
        Ok(command) => format!("{command:?}"),
        Err(error) => format!("cannot be decoded: {error}"),
    };
    let mut value = serde_json::json!({
        "sequence": record.meta.sequence,
        "epoch": record.epoch,
        "time": torap_domain::Time::from_nanos(record.meta.time).to_string(),
        "kind": record.meta.kind,
        "rules": record.meta.rules_version,
        "facts": facts,
    });
    if evidence && let Evidence::Bytes(bytes) = &record.evidence {
        value["evidence"] = String::from_utf8_lossy(bytes).into();
    }
    value.to_string()
}
