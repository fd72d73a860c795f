//! `torap ctl clearing`: sessions of the clearing system, and files of items, streamed piece by piece.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use clap::Subcommand;
use serde_json::{Value, json};

use super::super::{Ending, Failure, print_line};
use super::pieces::{Pieces, line_of};
use crate::control::{
    By, ClearingItem, ClearingSettings, ClearingShow, Client, PurposeForm, Request,
};

/// The heading of a file, which names its fields.
const HEADING: &str = "transaction_id,uetr,end_to_end_id,amount,value_date,priority,debtor_account,debtor,debtor_name,kod,\
                       creditor_account,creditor,creditor_name,kbe,purpose,remittance";
const FIELDS: usize = 16;

#[derive(Debug, Subcommand)]
pub(super) enum Clearing {
    /// The open session, what waits, and what would come of it now
    Session,
    /// When sessions close, and the other rules
    Timetable,
    /// The last sessions, or one of them with every participant
    Report {
        /// As 2026-12-01/1
        session: Option<String>,
    },
    /// How an item stands
    Item { uetr: String },
    /// How far a file has come
    File {
        code: String,
        /// The identifier that it was submitted under
        file_id: String,
    },
    /// Submit a CSV file of items for a participant; one that was broken off goes on where it was
    Submit {
        code: String,
        file: PathBuf,
        /// What tells the file from others of the participant, 1 to 35 characters [default: the file's name]
        #[arg(long)]
        file_id: Option<String>,
    },
    /// Take back an item that has not been cleared
    Withdraw { uetr: String },
    /// Close the open session now
    Close,
    /// Where payments of which purposes (KNP) must go: taxes to the Treasury's accounts, contributions to their fund's
    Purposes,
    /// Set that table from a TOML file: `[[purpose]]` with `knp = ["901", "999"]` and `accounts = ["KZ…"]`; an empty file takes it away
    SetPurposes { file: PathBuf },
    /// Set the rules; what is left out is as in a new switch
    Set {
        /// When a session closes, as 15:00; once for each session
        #[arg(long = "closes-at", default_value = "15:00")]
        closes_at: Vec<String>,
        /// Business days that a value date may lie ahead
        #[arg(long, default_value_t = 3)]
        days_ahead: u8,
        /// The largest item, in tenge
        #[arg(long, default_value = "5000000.00")]
        amount_max: String,
        /// Items that are known at once
        #[arg(long, default_value_t = 2_097_152)]
        items_max: u32,
        /// A date that is closed against the calendar
        #[arg(long)]
        closed: Vec<String>,
        /// A date that is worked against the calendar
        #[arg(long)]
        worked: Vec<String>,
    },
}

impl Clearing {
    /// Whether a paper must order it.
    pub(super) fn moves_money(&self) -> bool {
        matches!(
            self,
            Clearing::Close | Clearing::Submit { .. } | Clearing::Withdraw { .. }
        )
    }
}

pub(super) fn request(command: Clearing, by: By) -> Result<Request, Failure> {
    let show = |what| Request::Clearing { what };
    Ok(match command {
        Clearing::Session => show(ClearingShow::Session),
        Clearing::Timetable => show(ClearingShow::Timetable),
        Clearing::Purposes => show(ClearingShow::Purposes),
        Clearing::SetPurposes { file } => Request::ClearingPurposes {
            by,
            rows: purposes(&file)?,
        },
        Clearing::Report { session } => show(ClearingShow::Report { session }),
        Clearing::Item { uetr } => show(ClearingShow::Item { uetr }),
        Clearing::File { code, file_id } => show(ClearingShow::File {
            code,
            file: file_id,
        }),
        Clearing::Withdraw { uetr } => Request::ClearingWithdraw { by, uetr },
        Clearing::Close => Request::ClearingClose { by },
        Clearing::Set {
            closes_at,
            days_ahead,
            amount_max,
            items_max,
            closed,
            worked,
        } => Request::ClearingSet {
            by,
            settings: ClearingSettings {
                closes_at,
                days_ahead,
                amount_max,
                items_max,
                closed,
                worked,
            },
        },
        Clearing::Submit { .. } => {
            return Err(Failure::Usage(
                "a file is submitted at once, without --effective".into(),
            ));
        }
    })
}

/// A file of purposes.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct PurposeFile {
    #[serde(default)]
    purpose: Vec<PurposeForm>,
}

/// Longest file of purposes.
const PURPOSES_BYTES_MAX: u64 = 1 << 20;

fn purposes(path: &Path) -> Result<Vec<PurposeForm>, Failure> {
    let at = |error: String| Failure::Usage(format!("{}: {error}", path.display()));
    let file = std::fs::File::open(path).map_err(|error| at(error.to_string()))?;
    let mut text = String::new();
    let read = file
        .take(PURPOSES_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(|error| at(error.to_string()))?;
    if read as u64 > PURPOSES_BYTES_MAX {
        return Err(at(format!("is longer than {PURPOSES_BYTES_MAX} bytes")));
    }
    let file: PurposeFile =
        toml::from_str(&text).map_err(|error| at(error.to_string().trim_end().to_string()))?;
    Ok(file.purpose)
}

/// Submits a file; what is refused is printed line by line, and the rest goes on.
pub(super) fn submit(
    client: &mut Client,
    by: &By,
    (code, file, file_id): (&str, &Path, Option<&str>),
    as_json: bool,
) -> Result<Ending, Failure> {
    let name = file.display().to_string();
    let file_id = match file_id {
        Some(file_id) => file_id.to_string(),
        None => {
            let stem = file.file_name().map(|name| name.to_string_lossy());
            stem.map(|stem| stem.into_owned()).unwrap_or_default()
        }
    };
    let known = client.must(&Request::Clearing {
        what: ClearingShow::File {
            code: code.to_string(),
            file: file_id.clone(),
        },
    })?;
    let next = known["next_piece"].as_u64().unwrap_or(1);
    let mut pieces = Pieces::open(&name, file, HEADING, item)?;
    let mut last = known;
    let mut number: u64 = 0;
    while let Some(piece) = pieces.next()? {
        number += 1;
        if number < next {
            continue;
        }
        let request = Request::ClearingSubmit {
            by: by.clone(),
            code: code.to_string(),
            file: file_id.clone(),
            number: u32::try_from(number)
                .map_err(|_| Failure::Failed(format!("{name}: too many pieces")))?,
            last: piece.is_last,
            items: piece.items,
        };
        let answer = client.ask(&request)?;
        last = answer.map_err(|refusal| {
            let line = line_of(&refusal.place, &piece.lines);
            let text = format!(
                "{name}:{line}: {} ({}: {})",
                refusal.text, refusal.place, refusal.rule
            );
            Failure::Failed(format!(
                "{text}; submit it again when it is put right: it goes on with piece {number}"
            ))
        })?;
        print_refusals(&name, &last, &piece.lines, as_json)?;
    }
    let summary = json!({
        "file": file_id,
        "accepted": last["accepted"],
        "refused": last["refused"],
        "complete": last["complete"],
    });
    print_line(&if as_json {
        summary.to_string()
    } else {
        super::render(&summary).trim_end().to_string()
    })?;
    let refused = last["refused"].as_u64().unwrap_or(0);
    Ok(if refused == 0 {
        Ending::Done
    } else {
        Ending::Refused
    })
}

fn print_refusals(name: &str, answer: &Value, lines: &[u64], as_json: bool) -> Result<(), Failure> {
    for refusal in answer["refusals"].as_array().into_iter().flatten() {
        let place = refusal["item"]
            .as_u64()
            .and_then(|item| usize::try_from(item).ok());
        let line = place
            .and_then(|place| lines.get(place))
            .copied()
            .unwrap_or(0);
        let (rule, text) = (&refusal["rule"], &refusal["text"]);
        print_line(&if as_json {
            json!({ "line": line, "rule": rule, "text": text }).to_string()
        } else {
            let (rule, text) = (rule.as_str().unwrap_or(""), text.as_str().unwrap_or(""));
            format!("{name}:{line}: refused: {text} ({rule})")
        })?;
    }
    Ok(())
}

/// One line, its fields as in [`HEADING`]; only the last may hold commas.
fn item(line: &str) -> Result<ClearingItem, String> {
    let fields: Vec<String> = line
        .splitn(FIELDS, ',')
        .map(|field| field.trim().to_string())
        .collect();
    let fields: [String; FIELDS] = fields
        .try_into()
        .map_err(|_| format!("{FIELDS} fields are needed: {HEADING}"))?;
    let [
        transaction_id,
        uetr,
        end_to_end_id,
        amount,
        value_date,
        priority,
        debtor_account,
        debtor,
        debtor_name,
        kod,
        creditor_account,
        creditor,
        creditor_name,
        kbe,
        purpose,
        remittance,
    ] = fields;
    Ok(ClearingItem {
        transaction_id,
        uetr,
        end_to_end_id,
        amount,
        value_date,
        priority,
        debtor_account,
        debtor,
        debtor_name,
        kod,
        creditor_account,
        creditor,
        creditor_name,
        kbe,
        purpose,
        remittance,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::super::pieces::{LINE_BYTES_MAX, LINES as ITEMS, Piece};
    use super::*;

    fn line(number: usize) -> String {
        format!("TX-{number},u,e,1.00,2026-11-23,,a,d,n,19,b,c,m,17,911,text, with a comma")
    }

    fn pieces(text: &str) -> Result<Vec<Piece<ClearingItem>>, Failure> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let mut pieces = Pieces::open("items.csv", file.path(), HEADING, item)?;
        let mut all = Vec::new();
        while let Some(piece) = pieces.next()? {
            all.push(piece);
        }
        Ok(all)
    }

    #[test]
    fn a_file_comes_in_pieces_of_which_the_last_is_known() {
        let lines: Vec<String> = (0..ITEMS * 2).map(line).collect();
        let text = format!("{HEADING}\n\n{}\n", lines.join("\n"));
        let pieces = pieces(&text).unwrap();
        let shape: Vec<(usize, u64, bool)> = pieces
            .iter()
            .map(|piece| (piece.items.len(), piece.lines[0], piece.is_last))
            .collect();
        assert_eq!(shape, [(ITEMS, 3, false), (ITEMS, ITEMS as u64 + 3, true)]);
        assert_eq!(pieces[1].items[0].transaction_id, format!("TX-{ITEMS}"));
        assert_eq!(pieces[0].items[0].remittance, "text, with a comma");
    }

    #[test]
    fn a_wrong_line_is_named() {
        let text = format!("{}\nTX,too,few\n", line(1));
        let Err(Failure::Usage(error)) = pieces(&text) else {
            panic!("it has too few fields");
        };
        assert!(
            error.starts_with("items.csv:2: 16 fields are needed"),
            "{error}"
        );
        let long = format!("{}{}", line(1), "x".repeat(LINE_BYTES_MAX));
        assert!(
            matches!(pieces(&long), Err(Failure::Usage(error)) if error.contains("longer than"))
        );
    }

    #[test]
    fn a_refusal_leads_to_its_line() {
        assert_eq!(line_of("items[2].amount", &[10, 11, 12]), 12);
        assert_eq!(line_of("log position 7", &[10, 11, 12]), 10);
    }
}
