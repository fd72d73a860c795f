//! `torap ctl tariff`: set tables, try them, and read from the log what a day or month comes to.
//!
//! A period is read from the log itself, beside the running switch or without one, from the newest snapshot before it: the switch
//! is not asked, nothing is written, and the same log gives the same bytes.

mod cards;
mod period;

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use serde::de::DeserializeOwned;

use super::super::{Ending, Failure};
use crate::{
    control::{By, Request, TariffForm, UsageForm},
    folder::Folder,
    serve::{CardFile, CardTables},
};

/// Longest file of a table.
const FILE_BYTES_MAX: u64 = 1 << 20;

#[derive(Debug, Subcommand)]
pub(super) enum Tariff {
    /// The table in force
    Show,
    /// Set the table from a file with [[charge]] and [[minimum]]; all of it or nothing. `--effective` for later
    Set { file: PathBuf },
    /// What something would be charged, or a past day or month would have come to; nothing is written
    Try {
        /// A table that is not set [default: the one in force]; with [[card.fee]] instead, the fees of card transactions
        file: Option<PathBuf>,
        #[command(flatten)]
        usage: UsageArguments,
        #[command(flatten)]
        period: PeriodArguments,
    },
    /// What every participant owes for a month or day
    Invoice {
        #[command(flatten)]
        period: PeriodArguments,
        /// Only this participant
        #[arg(long, value_name = "CODE")]
        participant: Option<String>,
        /// Print CSV
        #[arg(long)]
        csv: bool,
    },
    /// Every single charge of a month or day: CSV, or with --json one object a line
    Export {
        #[command(flatten)]
        period: PeriodArguments,
        #[arg(long, value_name = "CODE")]
        participant: Option<String>,
    },
    /// Note a service to be charged: duplicate, statement, archive
    Note {
        code: String,
        item: String,
        #[arg(long, default_value_t = 1)]
        count: u32,
    },
}

#[derive(Debug, Args)]
pub(super) struct UsageArguments {
    /// What is done, e.g. c2c-phone
    #[arg(long, requires = "sender", conflicts_with_all = ["month", "day"])]
    item: Option<String>,
    #[arg(long)]
    amount: Option<String>,
    #[arg(long, value_name = "CODE")]
    sender: Option<String>,
    #[arg(long, value_name = "CODE")]
    receiver: Option<String>,
    /// RFC 3339 with an offset [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Size of the message
    #[arg(long, default_value_t = 0)]
    bytes: u32,
}

#[derive(Debug, Args)]
pub(super) struct PeriodArguments {
    /// As 2026-11; it begins and ends at midnight in UTC+5
    #[arg(long, value_name = "MONTH", conflicts_with = "day")]
    month: Option<String>,
    /// As 2026-11-28
    #[arg(long, value_name = "DATE")]
    day: Option<String>,
    /// Use no snapshot: read the log from its first record
    #[arg(long)]
    from_genesis: bool,
    /// Folder of older segments [default: journal.archive_dir of DIR/torap.toml]
    #[arg(long, value_name = "PATH")]
    archive: Option<PathBuf>,
}

/// What is read from the log without asking the switch; none if it is for the switch.
pub(super) fn from_log(
    folder: &Folder,
    command: &Tariff,
    as_json: bool,
) -> Option<Result<Ending, Failure>> {
    match command {
        Tariff::Invoice {
            period,
            participant,
            csv,
        } => {
            let form = if *csv {
                period::Form::Csv
            } else if as_json {
                period::Form::Json
            } else {
                period::Form::Text
            };
            Some(period::invoice(
                folder,
                period,
                participant.as_deref(),
                form,
            ))
        }
        Tariff::Export {
            period,
            participant,
        } => Some(period::export(
            folder,
            period,
            participant.as_deref(),
            as_json,
        )),
        Tariff::Try {
            file,
            usage,
            period,
        } if usage.item.is_none() => {
            let tried = file.as_deref().map(tried).transpose();
            Some(tried.and_then(|tried| match tried {
                Some(Tried::Tariff(tried)) => period::attempt(folder, period, &tried, as_json),
                Some(Tried::Card(tried)) => cards::attempt(folder, period, &tried, as_json),
                None => Err(Failure::Usage(
                    "tariff try: a FILE with --day or --month, or --item with --sender".into(),
                )),
            }))
        }
        Tariff::Show | Tariff::Set { .. } | Tariff::Try { .. } | Tariff::Note { .. } => None,
    }
}

pub(super) fn request(command: Tariff, by: By) -> Result<Request, Failure> {
    Ok(match command {
        Tariff::Show => Request::Tariff,
        Tariff::Set { file } => Request::TariffSet {
            by,
            tariff: table(&file)?,
        },
        Tariff::Note { code, item, count } => Request::TariffNote {
            by,
            code,
            item,
            count,
        },
        Tariff::Try { file, usage, .. } => Request::TariffTry {
            tariff: file.as_deref().map(table).transpose()?,
            usage: UsageForm {
                item: usage.item.unwrap_or_default(),
                amount: usage.amount,
                sender: usage.sender.unwrap_or_default(),
                receiver: usage.receiver,
                at: usage.at,
                bytes: usage.bytes,
                count: 1,
            },
        },
        Tariff::Invoice { .. } | Tariff::Export { .. } => {
            let text = "an invoice has no effective time";
            return Err(Failure::Usage(text.into()));
        }
    })
}

/// What is tried for a period.
enum Tried {
    Tariff(TariffForm),
    Card(Box<CardTables>),
}

fn tried(path: &Path) -> Result<Tried, Failure> {
    let is_card = |file: &toml::Table| file.contains_key("card");
    if read::<toml::Table>(path).is_ok_and(|file| is_card(&file)) {
        let file: CardFile = read(path)?;
        return Ok(Tried::Card(Box::new(file.card)));
    }
    table(path).map(Tried::Tariff)
}

fn table(path: &Path) -> Result<TariffForm, Failure> {
    read(path)
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    let at = |error: String| Failure::Usage(format!("{}: {error}", path.display()));
    let file = std::fs::File::open(path).map_err(|error| at(error.to_string()))?;
    let mut text = String::new();
    let read = file
        .take(FILE_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(|error| at(error.to_string()))?;
    if read as u64 > FILE_BYTES_MAX {
        return Err(at(format!("is longer than {FILE_BYTES_MAX} bytes")));
    }
    toml::from_str(&text).map_err(|error| at(error.to_string().trim_end().to_string()))
}
