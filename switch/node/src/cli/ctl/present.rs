//! `torap ctl card present` and `presentments`: presentment files of dual messages, checked whole, then streamed piece by piece.

use std::{
    collections::{BTreeSet, VecDeque},
    fs::File,
    io::{self, BufRead, BufReader, Read, Write},
    path::Path,
    thread,
    time::Duration,
};

use serde_json::Value;

use super::{
    super::{Ending, Failure, print_line},
    card::Card,
};
use crate::{
    control::{By, Client, Request},
    presentment::{Checker, FileHeader, FileLine, LINE_BYTES_MAX, Row},
};

/// Lines in one command of the log.
const PIECE_LINES: usize = 256;
/// Wrong lines that are told of one file.
const WRONG_MAX: usize = 100;
/// How often lines that were put off are tried in vain, and how long between; then the operator goes on with them later.
const TRIES_MAX: u32 = 30;
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// Digits of a card that tell banks apart well enough here.
const FIRST_DIGITS: usize = 6;

/// A file that is read line by line.
struct Lines {
    name: String,
    reader: BufReader<File>,
    number: u64,
}

impl Lines {
    fn open(file: &Path) -> Result<Lines, Failure> {
        let name = file.display().to_string();
        let open = File::open(file).map_err(|error| Failure::Usage(format!("{name}: {error}")))?;
        Ok(Lines {
            name,
            reader: BufReader::with_capacity(1 << 20, open),
            number: 0,
        })
    }

    /// The next line without its end, and its number.
    fn next(&mut self) -> Result<Option<(u64, String)>, Failure> {
        let mut line = String::new();
        // Two bytes more than may be, for the end of the line; a longer one is seen without being read whole.
        let read = (&mut self.reader)
            .take(LINE_BYTES_MAX as u64 + 2)
            .read_line(&mut line)
            .map_err(|error| Failure::Failed(format!("{}: {error}", self.name)))?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        let text = line.strip_suffix('\n').unwrap_or(&line);
        let text = text.strip_suffix('\r').unwrap_or(text);
        Ok(Some((self.number, text.to_owned())))
    }
}

/// Reads the whole file once; each wrong line is told with its number, field and rule.
fn check(file: &Path) -> Result<FileHeader, Failure> {
    let mut lines = Lines::open(file)?;
    let mut checker = Checker::new();
    let mut wrong = Vec::new();
    while let Some((number, text)) = lines.next()? {
        if let Err(error) = checker.line(&text) {
            wrong.push(format!("{}:{number}: {error}", lines.name));
            if wrong.len() == WRONG_MAX || text.len() > LINE_BYTES_MAX {
                break;
            }
        }
    }
    if wrong.is_empty() {
        match checker.finish() {
            Ok(header) => return Ok(header),
            Err(error) => wrong.push(format!("{}: {error}", lines.name)),
        }
    }
    wrong.push("nothing of the file was presented".to_owned());
    Err(Failure::Usage(wrong.join("\n")))
}

/// Whether the file that the switch knows is this one.
fn is_of(known: &Value, header: &FileHeader) -> bool {
    let decimal = |minor: u64| format!("{}.{:02}", minor / 100, minor % 100);
    known["date"] == header.date.as_str()
        && known["lines"] == header.lines
        && known["purchases"] == decimal(header.purchases).as_str()
        && known["refunds"] == decimal(header.refunds).as_str()
}

/// Presents a file; one that was broken off goes on where it was.
pub(super) fn present(
    client: &mut Client,
    by: &By,
    file: &Path,
    as_json: bool,
) -> Result<Ending, Failure> {
    let header = check(file)?;
    let known = client.must(&question(&header, None))?;
    if !known.is_null() && !is_of(&known, &header) {
        return Err(Failure::Failed(format!(
            "{}: another file `{}` of {} is known, with date {}, {} lines, purchases {} and refunds {}: nothing was presented; \
             give this file an id of its own",
            file.display(),
            header.file_id,
            header.acquirer,
            known["date"],
            known["lines"],
            known["purchases"],
            known["refunds"],
        )));
    }
    let next = known["next_piece"].as_u64().unwrap_or(1);
    let complete = known["complete"].as_bool().unwrap_or(false);
    let mut lines = Lines::open(file)?;
    let (mut number, mut first) = (0_u32, 1_u32);
    let mut seen = 0_u32;
    let mut piece: Vec<FileLine> = Vec::with_capacity(PIECE_LINES);
    while !complete && let Some((at, text)) = lines.next()? {
        let row = Row::parse(&text);
        let row = row.map_err(|error| Failure::Usage(format!("{}:{at}: {error}", lines.name)))?;
        let Row::Line(line) = row else {
            continue;
        };
        piece.push(line);
        seen = seen.saturating_add(1);
        let last = seen == header.lines;
        if piece.len() < PIECE_LINES && !last {
            continue;
        }
        number = number.saturating_add(1);
        if u64::from(number) >= next {
            let request = Request::CardPresent {
                by: by.clone(),
                header: header.clone(),
                number,
                last,
                first,
                numbers: Vec::new(),
                lines: std::mem::take(&mut piece),
            };
            let answer = client.ask(&request)?;
            answer.map_err(|refusal| {
                Failure::Failed(format!(
                    "{}: piece {number}, lines {first} to {seen}: {} ({}: {}); the pieces before it are presented, \
                     and the same command goes on with this one",
                    lines.name, refusal.text, refusal.place, refusal.rule
                ))
            })?;
        }
        piece.clear();
        first = seen.saturating_add(1);
    }
    present_put_off(client, by, file, &header)?;
    let told = client.must(&question(&header, None))?;
    print(&told, as_json)?;
    Ok(if told["refused"] == 0 {
        Ending::Done
    } else {
        Ending::Refused
    })
}

/// Presents lines that were put off, as their issuers' queues have room, until there are none or nothing moves any more.
fn present_put_off(
    client: &mut Client,
    by: &By,
    file: &Path,
    header: &FileHeader,
) -> Result<(), Failure> {
    let mut tries = 0;
    loop {
        let pass = pass(client, by, file, header)?;
        if pass.left == 0 {
            break;
        }
        tries = if pass.decided { 0 } else { tries + 1 };
        if tries == TRIES_MAX {
            let text = "lines are put off (`queue-full`): too much waits for their issuers. The same command goes on with them later";
            let _ = writeln!(io::stderr(), "{}: {text}", file.display());
            break;
        }
        thread::sleep(TRY_AGAIN_AFTER);
    }
    Ok(())
}

/// What became of lines that were put off.
#[derive(Clone, Copy, Debug, Default)]
struct Pass {
    /// At least one has its verdict.
    decided: bool,
    /// Those that are still put off.
    left: usize,
}

/// Tries each line once that is put off. Lines of cards whose bank is seen to have no room are passed over, so that those of other banks go on.
fn pass(client: &mut Client, by: &By, file: &Path, header: &FileHeader) -> Result<Pass, Failure> {
    let mut put_off = PutOff::default();
    let mut lines = Lines::open(file)?;
    let mut full: BTreeSet<String> = BTreeSet::new();
    let mut piece: Vec<(u32, FileLine)> = Vec::with_capacity(PIECE_LINES);
    let (mut seen, mut pass) = (0_u32, Pass::default());
    while let Some(number) = put_off.next(client, header)? {
        let line = loop {
            let (at, text) = lines
                .next()?
                .ok_or_else(|| Failure::Failed(format!("{}: it has become shorter", lines.name)))?;
            let row = Row::parse(&text);
            let row =
                row.map_err(|error| Failure::Usage(format!("{}:{at}: {error}", lines.name)))?;
            if let Row::Line(line) = row {
                seen = seen.saturating_add(1);
                if seen == number {
                    break line;
                }
            }
        };
        if full.contains(first_digits(&line)) {
            pass.left += 1;
            continue;
        }
        piece.push((number, line));
        if piece.len() == PIECE_LINES {
            again(client, (by, header), &mut piece, (&mut full, &mut pass))?;
        }
    }
    if !piece.is_empty() {
        again(client, (by, header), &mut piece, (&mut full, &mut pass))?;
    }
    Ok(pass)
}

/// Presents lines again.
fn again(
    client: &mut Client,
    (by, header): (&By, &FileHeader),
    piece: &mut Vec<(u32, FileLine)>,
    (full, pass): (&mut BTreeSet<String>, &mut Pass),
) -> Result<(), Failure> {
    let numbers: Vec<u32> = piece.iter().map(|(number, _)| *number).collect();
    let answer = client.must(&Request::CardPresent {
        by: by.clone(),
        header: header.clone(),
        number: 0,
        last: false,
        first: 0,
        numbers,
        lines: piece.iter().map(|(_, line)| line.clone()).collect(),
    })?;
    let still = answer["put_off"].as_array();
    let still: BTreeSet<u64> = still
        .into_iter()
        .flatten()
        .filter_map(Value::as_u64)
        .collect();
    pass.decided |= still.len() < piece.len();
    pass.left += still.len();
    for (number, line) in piece.drain(..) {
        if still.contains(&u64::from(number)) {
            full.insert(first_digits(&line).to_owned());
        }
    }
    Ok(())
}

fn first_digits(line: &FileLine) -> &str {
    line.card.get(..FIRST_DIGITS).unwrap_or(&line.card)
}

/// Numbers of the lines that were put off, asked for as they are needed.
#[derive(Default)]
struct PutOff {
    numbers: VecDeque<u64>,
    after: u64,
}

impl PutOff {
    fn next(&mut self, client: &mut Client, header: &FileHeader) -> Result<Option<u32>, Failure> {
        if self.numbers.is_empty() {
            let answer = client.must(&Request::CardPutOff {
                code: header.acquirer.clone(),
                file: header.file_id.clone(),
                after: u32::try_from(self.after).unwrap_or(u32::MAX),
            })?;
            let numbers = answer["numbers"].as_array();
            self.numbers
                .extend(numbers.into_iter().flatten().filter_map(Value::as_u64));
        }
        let Some(number) = self.numbers.pop_front() else {
            return Ok(None);
        };
        self.after = number;
        Ok(u32::try_from(number).ok())
    }
}

/// Shows files, or what became of one.
pub(super) fn show(client: &mut Client, card: &Card, as_json: bool) -> Result<Ending, Failure> {
    let Card::Presentments {
        file,
        participant,
        lines,
        only,
        csv,
    } = card
    else {
        return Err(Failure::Usage("it shows no presentments".into()));
    };
    let ask = |client: &mut Client, after| {
        client.must(&Request::CardPresentments {
            code: participant.clone(),
            file: file.clone(),
            after,
        })
    };
    let mut value = ask(client, None)?;
    if value.is_null() {
        print_line("no such file is known")?;
        return Ok(Ending::Refused);
    }
    if file.is_none() || !(*lines || *csv || only.is_some()) {
        print(&value, as_json)?;
        return Ok(Ending::Done);
    }
    let mut shown: Vec<Value> = Vec::new();
    let mut after = Some(0);
    if *csv {
        print_line(&COLUMNS.join(","))?;
    }
    while let Some(from) = after {
        let page = ask(client, Some(from))?;
        let rows = page["shown"].as_array().cloned().unwrap_or_default();
        let wanted = rows.into_iter().filter(|row| {
            only.as_deref().is_none_or(|verdict| {
                row["verdict"] == verdict || (verdict == "refused" && row["verdict"] != "taken")
            })
        });
        if *csv {
            for row in wanted {
                print_line(&csv_line(&row))?;
            }
        } else {
            shown.extend(wanted);
        }
        let next = page["next"].as_u64();
        after = next.and_then(|next| usize::try_from(next).ok());
    }
    if !csv {
        value["shown"] = shown.into();
        print(&value, as_json)?;
    }
    Ok(Ending::Done)
}

/// The columns of a listing as CSV. None of them can hold a comma or a quote.
const COLUMNS: [&str; 10] = [
    "line",
    "kind",
    "verdict",
    "amount",
    "reference",
    "retrieval",
    "terminal",
    "card",
    "date",
    "position",
];

fn csv_line(row: &Value) -> String {
    let cells = COLUMNS.map(|column| match &row[column] {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    });
    cells.join(",")
}

fn question(header: &FileHeader, after: Option<usize>) -> Request {
    Request::CardPresentments {
        code: Some(header.acquirer.clone()),
        file: Some(header.file_id.clone()),
        after,
    }
}

fn print(value: &Value, as_json: bool) -> Result<(), Failure> {
    print_line(&if as_json {
        value.to_string()
    } else {
        super::render(value).trim_end().to_string()
    })
    .map_err(Failure::Failed)
}
