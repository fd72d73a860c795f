//! Files of lines, read piece by piece; never more than two pieces are held.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
};

use super::super::Failure;

/// Lines in one command of the log.
pub(in crate::cli) const LINES: usize = 256;
/// Longest line of a file, in bytes.
pub(super) const LINE_BYTES_MAX: usize = 2048;

/// How a line is read.
type Parse<T> = fn(&str) -> Result<T, String>;

pub(super) struct Pieces<T> {
    name: String,
    lines: BufReader<File>,
    heading: &'static str,
    parse: Parse<T>,
    number: u64,
    /// Read ahead, so that the last piece is known as the last.
    ahead: Option<(u64, T)>,
}

pub(super) struct Piece<T> {
    pub(super) items: Vec<T>,
    /// The line of each.
    pub(super) lines: Vec<u64>,
    pub(super) is_last: bool,
}

impl<T> Pieces<T> {
    /// Opens a file whose lines `parse` reads; empty ones and the heading are passed over.
    pub(super) fn open(
        name: &str,
        file: &Path,
        heading: &'static str,
        parse: Parse<T>,
    ) -> Result<Pieces<T>, Failure> {
        let open = File::open(file).map_err(|error| Failure::Usage(format!("{name}: {error}")))?;
        let mut pieces = Pieces {
            name: name.to_string(),
            lines: BufReader::with_capacity(1 << 20, open),
            heading,
            parse,
            number: 0,
            ahead: None,
        };
        pieces.ahead = pieces.read()?;
        Ok(pieces)
    }

    pub(super) fn next(&mut self) -> Result<Option<Piece<T>>, Failure> {
        let mut piece = Piece {
            items: Vec::with_capacity(LINES),
            lines: Vec::with_capacity(LINES),
            is_last: false,
        };
        while piece.items.len() < LINES {
            let Some((line, item)) = self.ahead.take() else {
                break;
            };
            piece.lines.push(line);
            piece.items.push(item);
            self.ahead = self.read()?;
        }
        piece.is_last = self.ahead.is_none();
        Ok((!piece.items.is_empty()).then_some(piece))
    }

    fn read(&mut self) -> Result<Option<(u64, T)>, Failure> {
        let mut line = String::new();
        loop {
            line.clear();
            // One byte more than may be, so that a longer line is seen without being read whole.
            let read = (&mut self.lines)
                .take(LINE_BYTES_MAX as u64 + 1)
                .read_line(&mut line)
                .map_err(|error| self.wrong(self.number + 1, &error.to_string()))?;
            if read == 0 {
                return Ok(None);
            }
            self.number += 1;
            let text = line.trim_end();
            if text.is_empty() || text == self.heading {
                continue;
            }
            if text.len() > LINE_BYTES_MAX {
                let text = format!("longer than {LINE_BYTES_MAX} bytes");
                return Err(self.wrong(self.number, &text));
            }
            let item = (self.parse)(text).map_err(|error| self.wrong(self.number, &error))?;
            return Ok(Some((self.number, item)));
        }
    }

    fn wrong(&self, line: u64, text: &str) -> Failure {
        Failure::Usage(format!("{}:{line}: {text}", self.name))
    }
}

/// The line of an item that a refusal names as `items[2]…` or `lines[2]…`, or the first of the piece.
pub(super) fn line_of(place: &str, lines: &[u64]) -> u64 {
    let item = place
        .strip_prefix("items[")
        .or_else(|| place.strip_prefix("lines["));
    let item = item.and_then(|rest| rest.split_once(']')?.0.parse::<usize>().ok());
    let line = lines.get(item.unwrap_or(0));
    line.copied().unwrap_or(0)
}
