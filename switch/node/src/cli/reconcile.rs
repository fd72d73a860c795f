//! `torap reconcile` and `torap drill`: a day proved, and a default tried, from the log alone, without the switch or beside it.

use std::path::PathBuf;

use clap::Args;
use serde_json::Value;
use torap_domain::{Date, Span};
use torap_follower::Until;

use super::{Ending, Failure, ctl, print_line};
use crate::{config::Config, drill, folder::Folder, reconcile::Log};

#[derive(Debug, Args)]
pub(super) struct Reconcile {
    /// The day, as 2026-12-01, from midnight to midnight or the end of the log, UTC+5
    #[arg(long)]
    day: String,
    /// Folder of older segments [default: journal.archive_dir of DIR/torap.toml]
    #[arg(long, value_name = "PATH")]
    archive: Option<PathBuf>,
    /// Print one JSON line
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Drill {
    /// Code of the participant that cannot pay
    #[arg(long, value_name = "CODE")]
    default: String,
    /// The day whose card session it is, as 2026-12-01 [default: the session that is open at the end of the log]
    #[arg(long)]
    day: Option<String>,
    /// Folder of older segments [default: journal.archive_dir of DIR/torap.toml]
    #[arg(long, value_name = "PATH")]
    archive: Option<PathBuf>,
    /// Print one JSON line
    #[arg(long)]
    json: bool,
}

pub(super) fn run(folder: &Folder, arguments: Reconcile) -> Result<Ending, Failure> {
    let date = date(&arguments.day)?;
    let value = log(folder, arguments.archive)?.reconcile(date)?;
    print(&value, arguments.json)?;
    Ok(if value["agrees"] == true {
        Ending::Done
    } else {
        tracing::error!(day = %date, "the day does not reconcile");
        Ending::Refused
    })
}

pub(super) fn run_drill(folder: &Folder, arguments: Drill) -> Result<Ending, Failure> {
    let log = log(folder, arguments.archive)?;
    let until = match &arguments.day {
        None => Until::End,
        Some(day) => before_cut_over(&log, date(day)?)?,
    };
    let engine = log.state(until)?.engine;
    let views = engine.participant_views();
    let debtor = views
        .filter(|view| view.code.as_str() == arguments.default)
        .map(|view| view.id)
        .next();
    let debtor = debtor.ok_or_else(|| {
        Failure::Usage(format!("--default: no participant {}", arguments.default))
    })?;
    let value = drill::run(engine, debtor)?;
    print(&value, arguments.json)?;
    Ok(Ending::Done)
}

/// The last moment at which the card session of a date is open.
fn before_cut_over(log: &Log, date: Date) -> Result<Until, Failure> {
    let moment = |date: Date, at: Span| {
        let end = date.start().map(|start| start.saturating_add(at));
        end.map(|end| Until::Time(end.saturating_sub(Span::from_nanos(1))))
    };
    let wrong = || Failure::Usage(format!("--day: {date} is before 1970"));
    let day = Span::from_secs(24 * 3600);
    let end = moment(date, day).ok_or_else(wrong)?;
    let cut_over = log.state(end)?.engine.card_settings().cut_over_at;
    moment(date, cut_over.unwrap_or(day)).ok_or_else(wrong)
}

fn log(folder: &Folder, archive: Option<PathBuf>) -> Result<Log, Failure> {
    let config = Config::read(&folder.configuration()).map_err(Failure::Usage)?;
    let archive = archive.or_else(|| {
        let path = config.journal.archive_dir;
        path.map(|path| folder.root().join(path))
    });
    Log::open(folder, archive).map_err(Failure::Usage)
}

fn date(text: &str) -> Result<Date, Failure> {
    Date::parse(text).map_err(|error| Failure::Usage(format!("--day: {error}")))
}

fn print(value: &Value, json: bool) -> Result<(), Failure> {
    let text = if json {
        value.to_string()
    } else {
        ctl::render(value)
    };
    print_line(text.trim_end()).map_err(Failure::Failed)
}
