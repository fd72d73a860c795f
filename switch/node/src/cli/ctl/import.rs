//! `torap ctl directory import`: a bank's customers from a CSV file, many at a time.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::super::{Ending, Failure, print_line};
use crate::control::{By, Client, ImportRow, Request};

/// Rows in one command of the log.
const ROWS: usize = 4096;
/// Longest line of the file.
const LINE_BYTES_MAX: usize = 1024;
/// Held rows that are named; the others are counted.
const HELD_NAMED_MAX: usize = 20;

/// What became of the rows until now.
#[derive(Debug, Default)]
struct Taken {
    imported: u64,
    /// Were there already, as the file has them.
    there: u64,
    held: u64,
    /// Line and reason of the first that were held.
    named: Vec<(u64, String)>,
    /// Wait for another operator's approval.
    proposed: u64,
}

pub(super) fn run(
    client: &mut Client,
    by: &By,
    code: &str,
    file: &Path,
    as_json: bool,
) -> Result<Ending, Failure> {
    let name = file.display().to_string();
    let open = File::open(file).map_err(|error| Failure::Usage(format!("{name}: {error}")))?;
    let bytes = open
        .metadata()
        .map_err(|error| Failure::Usage(format!("{name}: {error}")))?
        .len();
    let bar = ProgressBar::new(bytes);
    if let Ok(style) =
        ProgressStyle::with_template("{bar:40} {percent:>3} % {msg} {elapsed} (still {eta})")
    {
        bar.set_style(style);
    }
    let mut lines = BufReader::with_capacity(1 << 20, open);
    let (mut line, mut number, mut taken) = (String::new(), 0_u64, Taken::default());
    let mut rows = Vec::with_capacity(ROWS);
    // The line of each row.
    let mut places = Vec::with_capacity(ROWS);
    loop {
        line.clear();
        // One byte more than may be, so that a longer line is seen without being read whole.
        let read = (&mut lines)
            .take(LINE_BYTES_MAX as u64 + 1)
            .read_line(&mut line)
            .map_err(|error| Failure::Usage(format!("{name}:{}: {error}", number + 1)))?;
        if read > 0 {
            number += 1;
            bar.inc(read as u64);
            match row(line.trim_end()) {
                Ok(Some(row)) => {
                    rows.push(row);
                    places.push(number);
                }
                Ok(None) => {}
                Err(error) => {
                    bar.abandon();
                    let until_now = taken.words();
                    return Err(Failure::Failed(format!(
                        "{name}:{number}: {error}; of the rows sent before: {until_now}"
                    )));
                }
            }
        }
        if rows.len() == ROWS || (read == 0 && !rows.is_empty()) {
            if let Err(error) = send(client, by, code, &mut rows, &places, &mut taken) {
                bar.abandon();
                let until_now = taken.words();
                return Err(Failure::Failed(format!(
                    "{name}:{error}; of the rows before: {until_now}"
                )));
            }
            places.clear();
            bar.set_message(taken.words());
        }
        if read == 0 {
            break;
        }
    }
    bar.finish();
    print_line(&taken.told(&name, as_json))?;
    Ok(if taken.held == 0 {
        Ending::Done
    } else {
        Ending::Refused
    })
}

/// Imports the rows, all in one command, and adds what became of them; an error begins with the line it is about.
fn send(
    client: &mut Client,
    by: &By,
    code: &str,
    rows: &mut Vec<ImportRow>,
    places: &[u64],
    taken: &mut Taken,
) -> Result<(), String> {
    let count = rows.len() as u64;
    let rows = std::mem::replace(rows, Vec::with_capacity(ROWS));
    let answer = client.ask(&Request::DirectoryImport {
        by: by.clone(),
        code: code.to_string(),
        rows,
    });
    let first = places.first().copied().unwrap_or(0);
    match answer {
        Ok(Ok(result)) => {
            taken.add(&result, count, places);
            Ok(())
        }
        Ok(Err(refusal)) => {
            let row = refusal.place.strip_prefix("rows[");
            let row = row.and_then(|rest| rest.strip_suffix(']')?.parse::<usize>().ok());
            let line = row.and_then(|row| places.get(row)).copied();
            let line = line.unwrap_or(first);
            Err(format!("{line}: {} ({})", refusal.text, refusal.rule))
        }
        Err(error) => Err(format!("{first}: {error}")),
    }
}

impl Taken {
    /// The answer to one request of `count` rows, whose lines are `places`.
    fn add(&mut self, result: &Value, count: u64, places: &[u64]) {
        if result.get("proposal").is_some() {
            self.proposed += count;
            return;
        }
        let number = |key: &str| result[key].as_u64().unwrap_or_default();
        self.imported += number("imported");
        self.there += number("there");
        self.held += number("held");
        let held = result["held_rows"].as_array().into_iter().flatten();
        for held in held.take(HELD_NAMED_MAX.saturating_sub(self.named.len())) {
            let row = held["row"]
                .as_u64()
                .and_then(|row| usize::try_from(row).ok());
            let line = row.and_then(|row| places.get(row)).copied();
            let why = held["why"].as_str().unwrap_or_default().to_string();
            self.named.push((line.unwrap_or_default(), why));
        }
    }

    /// `12 rows imported, 3 there already, 1 held`
    fn words(&self) -> String {
        let mut words = format!("{} rows imported", self.imported);
        for (count, what) in [
            (self.there, "there already"),
            (self.held, "held"),
            (self.proposed, "waiting for another operator's approval"),
        ] {
            if count > 0 {
                words.push_str(&format!(", {count} {what}"));
            }
        }
        words
    }

    /// The whole outcome; held rows by `FILE:LINE`.
    fn told(&self, name: &str, as_json: bool) -> String {
        if as_json {
            let named = self.named.iter();
            let named: Vec<Value> = named
                .map(|(line, why)| json!({ "line": line, "why": why }))
                .collect();
            return json!({
                "imported": self.imported, "there": self.there, "held": self.held, "held_rows": named, "proposed": self.proposed,
            })
            .to_string();
        }
        let mut text = self.words();
        for (line, why) in &self.named {
            text.push_str(&format!("\n{name}:{line}: held: {why}"));
        }
        let more = self.held.saturating_sub(self.named.len() as u64);
        if more > 0 {
            text.push_str(&format!("\nand {more} more are held"));
        }
        text
    }
}

/// One line `phone,person,iban,name`; empty lines and a heading are passed over.
fn row(line: &str) -> Result<Option<ImportRow>, String> {
    if line.len() > LINE_BYTES_MAX {
        return Err(format!("longer than {LINE_BYTES_MAX} bytes"));
    }
    if line.is_empty() || line.starts_with("phone,") {
        return Ok(None);
    }
    let mut fields = line.splitn(4, ',');
    match (fields.next(), fields.next(), fields.next(), fields.next()) {
        (Some(phone), Some(person), Some(iban), Some(name)) => Ok(Some(ImportRow {
            phone: phone.trim().to_string(),
            person: person.trim().to_string(),
            iban: iban.trim().to_string(),
            name: name.trim().trim_matches('"').to_string(),
        })),
        _ => Err("four fields are needed: phone,person,iban,name".into()),
    }
}
