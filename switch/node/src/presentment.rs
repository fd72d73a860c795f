//! The presentment file of docs/presentment.md: what is written on its lines, and what may not be.
//!
//! ```text
//! H,1,ACQB,FILE-1,2026-11-28,2,350000.00,1200.00      version, acquirer, file, date, lines, sum of purchases, sum of refunds
//! P,ARN0001,632500000001,TERM0001,999999******0013,A10042,350000.00,2026-11-27,5411
//! R,ARN0002,632500000077,TERM0001,999999******0013,,1200.00,2026-11-28,5411
//! T,2,350000.00,1200.00
//! ```
//!
//! A file is read line by line and never held; [`Checker`] reads every line of it before anything is submitted.

use std::fmt;

use serde::{Deserialize, Serialize};
use torap_domain::{
    Asset, Date, Money, Text,
    card::{ApprovalCode, Mcc, TruncatedPan},
};
use torap_engine::cards::LineKind;

/// Longest line, in bytes.
pub const LINE_BYTES_MAX: usize = 256;
/// The version of the format, second field of the header.
const VERSION: &str = "1";
/// Characters of a reference.
const REFERENCE_MAX: usize = 23;

/// What the first line states.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileHeader {
    /// Code of the acquirer.
    pub acquirer: String,
    pub file_id: String,
    /// As 2026-11-28.
    pub date: String,
    pub lines: u32,
    /// Control sums, in minor units of KZT.
    pub purchases: u64,
    pub refunds: u64,
}

/// One line as it is written, its fields already known to be sound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileLine {
    /// `P` or `R`.
    pub kind: char,
    pub reference: String,
    pub retrieval: String,
    pub terminal: String,
    pub card: String,
    /// Empty for none.
    pub approval: String,
    pub amount: String,
    pub date: String,
    pub mcc: String,
}

/// The fields of a line, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fields {
    pub kind: LineKind,
    pub reference: Text<23>,
    pub retrieval: Text<12>,
    pub terminal: Text<8>,
    pub card: TruncatedPan,
    pub approval: Option<ApprovalCode>,
    pub amount: Money,
    pub date: Date,
    pub mcc: Mcc,
}

/// What is wrong with a line: its field and the rule that it breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    pub field: &'static str,
    pub rule: String,
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    Header(FileHeader),
    Line(FileLine),
    Trailer(u32, u64, u64),
}

impl fmt::Display for Wrong {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.field, self.rule)
    }
}

fn wrong(field: &'static str, rule: impl fmt::Display) -> Wrong {
    Wrong {
        field,
        rule: rule.to_string(),
    }
}

impl Row {
    /// Reads one line without its end.
    pub fn parse(text: &str) -> Result<Row, Wrong> {
        if text.len() > LINE_BYTES_MAX {
            let rule = format!("at most {LINE_BYTES_MAX} bytes");
            return Err(wrong("line", rule));
        }
        let fields: Vec<&str> = text.split(',').collect();
        match fields.as_slice() {
            [
                "H",
                version,
                acquirer,
                file_id,
                date,
                lines,
                purchases,
                refunds,
            ] => {
                if *version != VERSION {
                    return Err(wrong("version", format!("must be {VERSION}")));
                }
                let printable = |byte: u8| byte.is_ascii_graphic();
                if !(1..=35).contains(&file_id.len()) || !file_id.bytes().all(printable) {
                    return Err(wrong("file id", "1 to 35 printable characters"));
                }
                Date::parse(date).map_err(|error| wrong("file date", error))?;
                Ok(Row::Header(FileHeader {
                    acquirer: (*acquirer).to_string(),
                    file_id: (*file_id).to_string(),
                    date: (*date).to_string(),
                    lines: count("lines", lines)?,
                    purchases: sum("sum of purchases", purchases)?,
                    refunds: sum("sum of refunds", refunds)?,
                }))
            }
            [
                kind @ ("P" | "R"),
                reference,
                retrieval,
                terminal,
                card,
                approval,
                amount,
                date,
                mcc,
            ] => {
                let line = FileLine {
                    kind: if *kind == "P" { 'P' } else { 'R' },
                    reference: (*reference).to_string(),
                    retrieval: (*retrieval).to_string(),
                    terminal: (*terminal).to_string(),
                    card: (*card).to_string(),
                    approval: (*approval).to_string(),
                    amount: (*amount).to_string(),
                    date: (*date).to_string(),
                    mcc: (*mcc).to_string(),
                };
                line.fields()?;
                Ok(Row::Line(line))
            }
            ["T", lines, purchases, refunds] => Ok(Row::Trailer(
                count("lines", lines)?,
                sum("sum of purchases", purchases)?,
                sum("sum of refunds", refunds)?,
            )),
            ["H" | "T" | "P" | "R", ..] => Err(wrong(
                "line",
                "a header has 8 fields, a line 9, a trailer 4",
            )),
            _ => Err(wrong("line", "begins with H, P, R or T")),
        }
    }
}

impl FileLine {
    /// The fields of the line.
    pub fn fields(&self) -> Result<Fields, Wrong> {
        let kind = match self.kind {
            'P' => LineKind::Purchase,
            'R' => LineKind::Refund,
            _ => return Err(wrong("kind", "P or R")),
        };
        let approval = match self.approval.as_str() {
            "" => None,
            code => {
                let code = format!("{code:6}");
                let code = ApprovalCode::parse(code.as_bytes());
                Some(code.map_err(|error| wrong("approval", error))?)
            }
        };
        if kind == LineKind::Refund && approval.is_some() {
            return Err(wrong("approval", "must be empty on a refund"));
        }
        let amount = Money::parse(&self.amount, Asset::Kzt);
        let amount = amount.map_err(|error| wrong("amount", error))?;
        if amount.is_zero() {
            return Err(wrong("amount", "must be above zero"));
        }
        let mcc = (self.mcc.len() == 4 && self.mcc.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| self.mcc.parse().ok())
            .flatten();
        Ok(Fields {
            kind,
            reference: text("reference", &self.reference, REFERENCE_MAX)?,
            retrieval: text("retrieval", &self.retrieval, 12)?,
            terminal: text("terminal", &self.terminal, 8)?,
            card: card(&self.card)?,
            approval,
            amount,
            date: Date::parse(&self.date).map_err(|error| wrong("date", error))?,
            mcc: mcc
                .and_then(Mcc::new)
                .ok_or_else(|| wrong("mcc", "four digits"))?,
        })
    }
}

fn text<const N: usize>(field: &'static str, text: &str, most: usize) -> Result<Text<N>, Wrong> {
    let printable = text.bytes().all(|byte| byte.is_ascii_graphic());
    let sound = (1..=most).contains(&text.len()) && printable;
    let read = sound.then(|| Text::try_from(text).ok()).flatten();
    read.ok_or_else(|| {
        wrong(
            field,
            format!("1 to {most} printable characters, no blanks"),
        )
    })
}

/// The first six and the last four digits with stars between: as many as the number has. A whole number is refused.
fn card(text: &str) -> Result<TruncatedPan, Wrong> {
    let rule = "the first six and the last four digits with stars between, 12 to 19 in all; a whole card number must not be in the file";
    let refused = || wrong("card", rule);
    let (first, rest) = text.split_at_checked(6).ok_or_else(refused)?;
    let at = rest.len().checked_sub(4).ok_or_else(refused)?;
    let (stars, last) = rest.split_at_checked(at).ok_or_else(refused)?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let hidden = !stars.is_empty() && stars.bytes().all(|byte| byte == b'*');
    if !digits(first) || !digits(last) || !hidden {
        return Err(refused());
    }
    let length = u8::try_from(text.len()).map_err(|_| refused())?;
    let (first, last) = (first.parse().ok(), last.parse().ok());
    let (first, last) = first.zip(last).ok_or_else(refused)?;
    TruncatedPan::from_parts(first, last, length).ok_or_else(refused)
}

fn count(field: &'static str, text: &str) -> Result<u32, Wrong> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|number| digits && *number > 0);
    number.ok_or_else(|| wrong(field, "a number of lines above zero"))
}

fn sum(field: &'static str, text: &str) -> Result<u64, Wrong> {
    let sum = Money::parse(text, Asset::Kzt).map(Money::minor);
    sum.map_err(|error| wrong(field, error))
}

/// Reads a whole file once, so that nothing of a wrong one is taken.
#[derive(Debug, Default)]
pub struct Checker {
    header: Option<FileHeader>,
    seen: (u32, u64, u64),
    ended: bool,
}

impl Checker {
    /// Nothing read yet.
    pub fn new() -> Checker {
        Checker::default()
    }

    /// Reads the next line; a line that is wrong does not count.
    pub fn line(&mut self, text: &str) -> Result<(), Wrong> {
        if self.ended {
            return Err(wrong("line", "nothing follows the trailer"));
        }
        match (Row::parse(text)?, &self.header) {
            (Row::Header(header), None) => self.header = Some(header),
            (Row::Header(_), Some(_)) => {
                return Err(wrong("line", "the header stands on the first line alone"));
            }
            (_, None) => return Err(wrong("line", "the first line is the header")),
            (Row::Line(line), Some(_)) => {
                let fields = line.fields()?;
                self.seen.0 = self.seen.0.saturating_add(1);
                let sum = match fields.kind {
                    LineKind::Purchase => &mut self.seen.1,
                    LineKind::Refund => &mut self.seen.2,
                };
                *sum = sum.saturating_add(fields.amount.minor());
            }
            (Row::Trailer(lines, purchases, refunds), Some(header)) => {
                let stated = (header.lines, header.purchases, header.refunds);
                if (lines, purchases, refunds) != stated {
                    return Err(wrong("trailer", "does not state what the header does"));
                }
                self.ended = true;
            }
        }
        Ok(())
    }

    /// The header, once every line was read and they come to what it states.
    pub fn finish(self) -> Result<FileHeader, Wrong> {
        let header = self
            .header
            .ok_or_else(|| wrong("line", "the first line is the header"))?;
        if !self.ended {
            return Err(wrong("trailer", "is missing: the file is cut off"));
        }
        let money = |minor: u64| Money::kzt(minor);
        let checks = [
            ("lines", u64::from(header.lines), u64::from(self.seen.0)),
            ("sum of purchases", header.purchases, self.seen.1),
            ("sum of refunds", header.refunds, self.seen.2),
        ];
        for (field, stated, found) in checks {
            if stated != found {
                let rule = if field == "lines" {
                    format!("{stated} stated, {found} found")
                } else {
                    format!("{} stated, {} found", money(stated), money(found))
                };
                return Err(wrong(field, rule));
            }
        }
        Ok(header)
    }
}

/// A whole small file, for those who write one: demo, load and tests.
pub fn write(acquirer: &str, file_id: &str, date: Date, lines: &[FileLine]) -> String {
    let sum = |kind| {
        let lines = lines.iter().filter(|line| line.kind == kind);
        let minor = lines.map(|line| sum("amount", &line.amount).unwrap_or_default());
        plain(minor.fold(0, u64::saturating_add))
    };
    let (purchases, refunds) = (sum('P'), sum('R'));
    let count = lines.len();
    let mut text =
        format!("H,{VERSION},{acquirer},{file_id},{date},{count},{purchases},{refunds}\n");
    for line in lines {
        let FileLine {
            kind,
            reference,
            retrieval,
            terminal,
            card,
            approval,
            amount,
            date,
            mcc,
        } = line;
        text.push_str(&format!(
            "{kind},{reference},{retrieval},{terminal},{card},{approval},{amount},{date},{mcc}\n"
        ));
    }
    text.push_str(&format!("T,{count},{purchases},{refunds}\n"));
    text
}

/// Minor units of KZT as a plain decimal.
fn plain(minor: u64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}

#[cfg(test)]
mod tests;
