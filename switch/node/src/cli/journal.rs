//! `torap journal verify|stat|dump`: the log of a switch that is not running (stat and dump also of one that is).

use std::{ops::ControlFlow, path::PathBuf, sync::Arc};

use clap::{Args, Subcommand};
use torap_journal::{Evidence, EvidenceKey, FileMedium, Medium, Record};

use super::{Ending, Failure, print_line};
use crate::folder::{Folder, read_secret};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Folder of the segments [default: DIR/data/journal]
    #[arg(long, value_name = "PATH")]
    journal: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check the whole chain: headers, hashes, checksums
    Verify,
    /// Segments, sequences, times and sizes
    Stat,
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
    let path = arguments.journal.unwrap_or_else(|| folder.journal());
    if !path.is_dir() {
        return Err(Failure::Usage(format!(
            "{}: no journal there",
            path.display()
        )));
    }
    let name =
        |error: &dyn std::fmt::Display| Failure::Failed(format!("{}: {error}", path.display()));
    let medium: Arc<dyn Medium> = Arc::new(FileMedium::open(&path).map_err(|error| name(&error))?);
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
