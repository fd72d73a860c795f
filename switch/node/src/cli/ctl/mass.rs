//! `torap ctl mass`: files of instant payments, streamed piece by piece.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::{Value, json};

use super::super::{Ending, Failure, print_line};
use super::pieces::{Pieces, line_of};
use crate::control::{By, Client, MassLine, Request};

/// The heading of a file, which names its fields.
const HEADING: &str = "transaction_id,uetr,end_to_end_id,amount,debtor_account,debtor,debtor_name,kod,creditor_account,\
                       creditor,creditor_name,kbe,purpose,remittance";
const FIELDS: usize = 14;

#[derive(Debug, Subcommand)]
pub(super) enum Mass {
    /// Pay the lines of a CSV file for a participant; one that was broken off goes on where it was
    Submit {
        code: String,
        file: PathBuf,
        /// What tells the file from others of the participant, 1 to 35 characters [default: the file's name]
        #[arg(long)]
        file_id: Option<String>,
        /// Hand no line in before this time, as 2026-12-01T09:00:00+05:00, at most 7 days ahead
        #[arg(long, value_name = "TIME")]
        starts: Option<String>,
    },
    /// How far a file has come, and what became of its lines
    File {
        code: String,
        /// The identifier that it was submitted under
        file_id: String,
        /// Print every line
        #[arg(long)]
        lines: bool,
    },
}

impl Mass {
    /// Whether a paper must order it.
    pub(super) fn moves_money(&self) -> bool {
        matches!(self, Mass::Submit { .. })
    }
}

pub(super) fn run(
    client: &mut Client,
    by: &By,
    command: &Mass,
    as_json: bool,
) -> Result<Ending, Failure> {
    match command {
        Mass::Submit {
            code,
            file,
            file_id,
            starts,
        } => {
            let starts = starts.as_deref();
            submit(
                client,
                by,
                (code, file, file_id.as_deref(), starts),
                as_json,
            )
        }
        Mass::File {
            code,
            file_id,
            lines,
        } => show(client, (code, file_id), *lines, as_json),
    }
}

fn submit(
    client: &mut Client,
    by: &By,
    (code, file, file_id, starts): (&str, &Path, Option<&str>, Option<&str>),
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
    let known = client.must(&question(code, &file_id, None))?;
    // Its answer may have been lost: the last piece is submitted once more.
    let next = known["next_piece"].as_u64().unwrap_or(1);
    let first = next.saturating_sub(1).max(1);
    let mut pieces = Pieces::open(&name, file, HEADING, line)?;
    let mut number: u64 = 0;
    let mut refused = 0;
    while let Some(piece) = pieces.next()? {
        number += 1;
        if number < first {
            continue;
        }
        let request = Request::MassSubmit {
            by: by.clone(),
            code: code.to_string(),
            file: file_id.clone(),
            number: u32::try_from(number)
                .map_err(|_| Failure::Failed(format!("{name}: too many pieces")))?,
            last: piece.is_last,
            starts: starts.map(String::from),
            lines: piece.items,
        };
        let answer = client.ask(&request)?;
        let answer = answer.map_err(|refusal| {
            let line = line_of(&refusal.place, &piece.lines);
            let text = format!(
                "{name}:{line}: {} ({}: {})",
                refusal.text, refusal.place, refusal.rule
            );
            Failure::Failed(format!(
                "{text}; submit it again when it is put right: it goes on with piece {number}"
            ))
        })?;
        refused += print_refusals(&name, &answer, &piece.lines, as_json)?;
    }
    let file = client.must(&question(code, &file_id, None))?;
    print_value(&file, as_json)?;
    Ok(if refused == 0 {
        Ending::Done
    } else {
        Ending::Refused
    })
}

fn question(code: &str, file: &str, after: Option<usize>) -> Request {
    Request::MassShow {
        code: code.to_string(),
        file: file.to_string(),
        after,
    }
}

/// Prints what was refused at once; how many lines that are.
fn print_refusals(
    name: &str,
    answer: &Value,
    lines: &[u64],
    as_json: bool,
) -> Result<usize, Failure> {
    let refusals = answer["refusals"].as_array().map_or(&[][..], Vec::as_slice);
    for refusal in refusals {
        let place = refusal["line"]
            .as_u64()
            .and_then(|place| usize::try_from(place).ok());
        let line = place.and_then(|place| lines.get(place)).copied();
        let line = line.unwrap_or(0);
        let (rule, text) = (&refusal["rule"], &refusal["text"]);
        print_line(&if as_json {
            json!({ "line": line, "rule": rule, "text": text }).to_string()
        } else {
            let (rule, text) = (rule.as_str().unwrap_or(""), text.as_str().unwrap_or(""));
            format!("{name}:{line}: refused: {text} ({rule})")
        })?;
    }
    Ok(refusals.len())
}

fn show(
    client: &mut Client,
    (code, file): (&str, &str),
    with_lines: bool,
    as_json: bool,
) -> Result<Ending, Failure> {
    let mut value = client.must(&question(code, file, None))?;
    if value.is_null() {
        print_line("no such file is known")?;
        return Ok(Ending::Refused);
    }
    if with_lines {
        let mut all = Vec::new();
        let mut after = Some(0);
        while let Some(from) = after {
            let page = client.must(&question(code, file, Some(from)))?;
            all.extend(page["shown"].as_array().cloned().unwrap_or_default());
            let next = page["next"].as_u64();
            after = next.and_then(|next| usize::try_from(next).ok());
        }
        value["shown"] = all.into();
    }
    print_value(&value, as_json)?;
    Ok(Ending::Done)
}

fn print_value(value: &Value, as_json: bool) -> Result<(), Failure> {
    print_line(&if as_json {
        value.to_string()
    } else {
        super::render(value).trim_end().to_string()
    })
    .map_err(Failure::Failed)
}

/// One line, its fields as in [`HEADING`]; only the last may hold commas.
fn line(text: &str) -> Result<MassLine, String> {
    let fields: Vec<String> = text
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
    Ok(MassLine {
        transaction_id,
        uetr,
        end_to_end_id,
        amount,
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
