//! `torap ctl directory import`: a bank's customers from a CSV file, many at a time.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::super::{Ending, Failure, print_line};
use crate::control::{By, Client, ImportRow, Request};

/// Rows in one command of the log.
const ROWS: usize = 4096;
/// Longest line of the file.
const LINE_BYTES_MAX: usize = 1024;

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
    let (mut line, mut number, mut taken) = (String::new(), 0_u64, 0_u64);
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
                    return Err(Failure::Failed(format!(
                        "{name}:{number}: {error}; {taken} rows before are imported"
                    )));
                }
            }
        }
        if rows.len() == ROWS || (read == 0 && !rows.is_empty()) {
            taken += send(client, by, code, &mut rows, &places).map_err(|error| {
                bar.abandon();
                Failure::Failed(format!("{name}:{error}; {taken} rows before are imported"))
            })?;
            places.clear();
            bar.set_message(format!("{taken} rows"));
        }
        if read == 0 {
            break;
        }
    }
    bar.finish();
    print_line(&if as_json {
        json!({ "imported": taken }).to_string()
    } else {
        format!("{taken} rows imported")
    })?;
    Ok(Ending::Done)
}

/// Imports the rows, all or none; an error begins with the line it is about.
fn send(
    client: &mut Client,
    by: &By,
    code: &str,
    rows: &mut Vec<ImportRow>,
    places: &[u64],
) -> Result<u64, String> {
    let count = rows.len() as u64;
    let rows = std::mem::replace(rows, Vec::with_capacity(ROWS));
    let answer = client.ask(&Request::DirectoryImport {
        by: by.clone(),
        code: code.to_string(),
        rows,
    });
    let first = places.first().copied().unwrap_or(0);
    match answer {
        Ok(Ok(_)) => Ok(count),
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
