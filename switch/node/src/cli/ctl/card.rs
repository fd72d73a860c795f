//! `torap ctl card`: the card side of a running switch.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use clap::{Subcommand, ValueEnum};

use crate::{
    cli::Failure,
    control::{AncillaryChange, AncillaryShow, By, CardNets, CardNumber, CardShow, Request},
    serve::CardFile,
};

/// Longest file of tables; a whole BIN table has its place in it.
const FILE_BYTES_MAX: u64 = 16 << 20;

#[derive(Debug, Subcommand)]
pub(super) enum Card {
    /// Members, links, HSMs, keys and what waits
    Status,
    /// The BIN table, at most 1,000 rows of it
    Bins {
        /// Only prefixes that begin so
        prefix: Option<String>,
    },
    /// Fees, lifetimes, stand-in rules, schemes and clocks
    Rules,
    /// What every member did in each session
    Sessions,
    /// A card transaction's whole history: by the log position of one of its messages, CODE:DE37, or CODE:MMDD/DE11 (the day of DE7)
    Transaction {
        id: String,
        /// Also print the messages that came, as the log keeps them
        #[arg(long)]
        messages: bool,
    },
    /// Set tables from a file with `[card]` as in network.toml, all of them or none; what it leaves out stays as it is
    Set { file: PathBuf },
    /// Put a card on the stop list; its number is read from standard input
    Stop {
        #[arg(value_enum)]
        cause: Cause,
    },
    /// Take a card off the stop list; its number is read from standard input
    Release,
    /// End the session now
    CutOver,
    /// Card sessions with their nets, and how they settle in IMTS
    Session {
        /// Only this one, as 2026-12-01
        session: Option<String>,
    },
    /// How card sessions settle in IMTS; what is left out is the default
    Settlement {
        #[arg(value_enum)]
        card_nets: CardNets,
        /// How long debtors have, from the moment at which IMTS takes a session up
        #[arg(long, default_value_t = 30, value_name = "MINUTES")]
        within: u32,
        /// Settle what the open session has come to at this time of day, UTC+5, rising; once for each
        #[arg(long, value_name = "HH:MM")]
        interim: Vec<String>,
        /// A member's net debit cap is at most this part of its contribution to the guarantee fund; 0 ties nothing
        #[arg(long, default_value_t = 0, value_name = "PERCENT")]
        cap_percent: u32,
    },
    /// Present an acquirer's file of dual messages; one that was broken off goes on where it was. docs/presentment.md has its lines
    Present { file: PathBuf },
    /// Presentment files, and what became of the lines of one
    Presentments {
        /// Identifier of the file, as its header has it
        #[arg(long, value_name = "ID")]
        file: Option<String>,
        #[arg(long, value_name = "CODE")]
        participant: Option<String>,
        /// Every line
        #[arg(long, requires = "file")]
        lines: bool,
        /// Only lines with this verdict: taken, refused (whatever is not taken), duplicate, unmatched, late, over-tolerance, …
        #[arg(long, value_name = "VERDICT", requires = "file")]
        only: Option<String>,
        /// The lines as CSV
        #[arg(long, requires = "file")]
        csv: bool,
    },
    /// Change a member's zone keys: an HSM makes them, the host is handed them and told to use them; `card status` shows how far it is
    KeyChange {
        /// Code of the member
        code: String,
        /// Only the key of PIN blocks
        #[arg(long)]
        pin: bool,
        /// Only the key of MACs
        #[arg(long)]
        mac: bool,
        /// How long messages under the keys before are taken [default: 24; at most 720]
        #[arg(long)]
        overlap_hours: Option<u64>,
        /// Length of the new keys: 128, or 256 for AES [default: as before]
        #[arg(long, value_name = "BITS")]
        bits: Option<u16>,
        /// Take the change back, as long as the host has not been told to use the new keys
        #[arg(long, conflicts_with_all = ["pin", "mac", "overlap_hours", "bits"])]
        cancel: bool,
    },
    /// A closed session has been settled elsewhere: its nets leave the card accounts
    Settle {
        /// The session's date, as 2026-12-01
        session: String,
        /// Not elsewhere: in IMTS, a closed session, or the open one in between
        #[arg(long)]
        in_imts: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Cause {
    Lost,
    Stolen,
    Restricted,
}

impl Card {
    /// Whether a paper must order it.
    pub(super) fn moves_money(&self) -> bool {
        matches!(self, Card::Present { .. })
    }
}

pub(super) fn request(command: Card, by: By) -> Result<Request, Failure> {
    let show = |what| Request::Card { what };
    Ok(match command {
        Card::Status => show(CardShow::Status),
        Card::Bins { prefix } => show(CardShow::Bins { prefix }),
        Card::Rules => show(CardShow::Rules),
        Card::Sessions => show(CardShow::Sessions),
        Card::Transaction { id, .. } => Request::CardTransaction { id },
        Card::Set { file } => Request::CardSet {
            by,
            tables: Box::new(tables(&file)?.card),
        },
        Card::Stop { cause } => Request::CardStop {
            by,
            pan: pan()?,
            cause: Some(
                match cause {
                    Cause::Lost => "lost",
                    Cause::Stolen => "stolen",
                    Cause::Restricted => "restricted",
                }
                .into(),
            ),
        },
        Card::Release => Request::CardStop {
            by,
            pan: pan()?,
            cause: None,
        },
        Card::CutOver => Request::CardCutOver { by },
        Card::Session { session } => Request::Ancillary {
            what: AncillaryShow::Sessions { session },
        },
        Card::Settlement {
            card_nets,
            within,
            interim,
            cap_percent,
        } => Request::AncillaryChange {
            by,
            change: AncillaryChange::Set {
                card_nets,
                within_minutes: within,
                interim,
                cap_percent,
            },
        },
        Card::Settle {
            session,
            in_imts: true,
        } => Request::AncillaryChange {
            by,
            change: AncillaryChange::SettleCards { session },
        },
        Card::Settle { session, .. } => Request::CardSettle { by, session },
        Card::Present { .. } | Card::Presentments { .. } => {
            let text = "a file is presented and shown by itself";
            return Err(Failure::Usage(text.into()));
        }
        Card::KeyChange {
            code, cancel: true, ..
        } => Request::CardKeyCancel { by, code },
        Card::KeyChange {
            code,
            pin,
            mac,
            overlap_hours,
            bits,
            ..
        } => Request::CardKeyChange {
            by,
            code,
            pin,
            mac,
            overlap_hours,
            bits,
        },
    })
}

fn tables(path: &Path) -> Result<CardFile, Failure> {
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

/// A card number from standard input: an argument would be seen by every user of the machine.
fn pan() -> Result<CardNumber, Failure> {
    let mut text = String::new();
    std::io::stdin()
        .take(64)
        .read_to_string(&mut text)
        .map_err(|error| Failure::Usage(format!("standard input: {error}")))?;
    Ok(CardNumber(text.trim().to_string()))
}
