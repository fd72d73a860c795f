//! pacs.008 of a file of instant payments: many payments in one message, each of which stands for itself.
//!
//! A line is read, checked and passed on as the message that it would have been alone: the Document as it came, with this one
//! CdtTrfTxInf, NbOfTxs 1 and without the sums. So every rule and every field of a single payment holds for it.

use std::ops::Range;
use std::sync::LazyLock;

use crate::capture::{CaptureSet, SlotId};
use crate::message::MessageType;
use crate::parse::{Mode, Parser};
use crate::refusal::{Refusal, Rule};
use crate::write;

use super::BusinessHeader;
use super::amount;
use super::batch::BATCH_ITEMS_MAX;

crate::captures! {
    /// What is read of the message as a whole.
    pub(crate) mod whole for MessageKind::Pacs008 {
        MESSAGE_ID = "FIToFICstmrCdtTrf/GrpHdr/MsgId",
        NUMBER_OF_TRANSACTIONS = "FIToFICstmrCdtTrf/GrpHdr/NbOfTxs",
        CONTROL_SUM = "FIToFICstmrCdtTrf/GrpHdr/CtrlSum",
        TOTAL = "FIToFICstmrCdtTrf/GrpHdr/TtlIntrBkSttlmAmt",
        LINE = "FIToFICstmrCdtTrf/CdtTrfTxInf",
    }
}

crate::captures! {
    /// What is replaced in one line, or summed up.
    pub(crate) mod single for MessageKind::Pacs008 {
        AMOUNT = "FIToFICstmrCdtTrf/CdtTrfTxInf/IntrBkSttlmAmt",
        ACCEPTED = "FIToFICstmrCdtTrf/CdtTrfTxInf/AccptncDtTm",
    }
}

crate::captures! {
    /// What a report says of each line.
    pub(crate) mod told for MessageKind::Pacs002 {
        TRANSACTION = "FIToFIPmtStsRpt/TxInfAndSts",
        TRANSACTION_ID = "FIToFIPmtStsRpt/TxInfAndSts/OrgnlTxId",
        UETR = "FIToFIPmtStsRpt/TxInfAndSts/OrgnlUETR",
        STATUS = "FIToFIPmtStsRpt/TxInfAndSts/TxSts",
        REASON = "FIToFIPmtStsRpt/TxInfAndSts/StsRsnInf/Rsn/Cd",
    }
}

static WHOLE: LazyLock<CaptureSet> = LazyLock::new(|| CaptureSet::compile(&[&whole::TABLE]));
static SINGLE: LazyLock<CaptureSet> = LazyLock::new(|| CaptureSet::compile(&[&single::TABLE]));

static TOLD: LazyLock<CaptureSet> = LazyLock::new(|| CaptureSet::compile(&[&told::TABLE]));

/// What a pacs.002 about many lines says of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineStatus<'a> {
    /// OrgnlTxId.
    pub transaction_id: &'a str,
    /// OrgnlUETR.
    pub uetr: &'a str,
    /// TxSts.
    pub status: &'a str,
    /// The first StsRsnInf/Rsn/Cd.
    pub reason: Option<&'a str>,
}

/// What a pacs.002 says of each line, up to about a hundred of them; nothing if it is none. A line without one of the identifiers or the
/// status is left out.
pub fn line_statuses(bytes: &[u8]) -> Vec<LineStatus<'_>> {
    let mut parser = Parser::with_captures(&TOLD);
    let Ok(parsed) = parser.parse(bytes, Mode::National) else {
        return Vec::new();
    };
    let Some(document) = parsed.document() else {
        return Vec::new();
    };
    let slots = document.slots();
    let inside = |slot: SlotId, line: &Range<usize>| {
        let mut found = slots.occurrences(slot);
        let found = found.find(|found| line.contains(&found.element.start));
        found.and_then(|found| found.plain())
    };
    let lines = slots
        .occurrences(told::TRANSACTION)
        .map(|line| line.element);
    let told = lines.filter_map(|line| {
        Some(LineStatus {
            transaction_id: inside(told::TRANSACTION_ID, &line)?,
            uetr: inside(told::UETR, &line)?,
            status: inside(told::STATUS, &line)?,
            reason: inside(told::REASON, &line),
        })
    });
    told.collect()
}

/// Bytes of a Document outside its lines, from its start to the first and from the last to its end: each line carries a copy of them, so all
/// lines together are 4 MiB larger than their message at most.
pub const OUTSIDE_LINES_BYTES_MAX: usize = 8 * 1024;

const _: () = assert!(OUTSIDE_LINES_BYTES_MAX * BATCH_ITEMS_MAX <= 4 * 1024 * 1024);

/// The lines of one message.
#[derive(Debug)]
pub struct Lines<'a> {
    bytes: &'a [u8],
    message_type: MessageType,
    message_id: &'a str,
    document: Range<usize>,
    lines: Vec<Range<usize>>,
    /// What stands otherwise in the group header of a line alone, in the order of the places.
    edits: Vec<(Range<usize>, &'static str)>,
    /// CtrlSum and TtlIntrBkSttlmAmt, as stated.
    sums: Vec<(SlotId, Range<usize>)>,
}

impl<'a> Lines<'a> {
    /// Finds the lines of a pacs.008 that [`Reader::read`](super::Reader::read) has accepted.
    ///
    /// # Errors
    /// There are none or more than [`BATCH_ITEMS_MAX`], there are more than [`OUTSIDE_LINES_BYTES_MAX`] beside them, NbOfTxs is not their number, or a sum of the group header is not theirs.
    pub fn of(bytes: &'a [u8]) -> Result<Lines<'a>, Refusal> {
        let mut parser = Parser::with_captures(&WHOLE);
        let parsed = parser.parse(bytes, Mode::National)?;
        let missing = || refused(whole::LINE, 0, "mandatory", "a message has a line", "CH21");
        let document = parsed.document().ok_or_else(missing)?;
        let slots = document.slots();
        let at = |slot: SlotId| slots.content_range(slot).map_or(0, |range| range.start);
        let count = slots.count(whole::LINE) as usize;
        if count == 0 {
            return Err(missing());
        }
        if count > BATCH_ITEMS_MAX {
            let text = "a message has at most 512 lines; send more in further messages";
            return Err(refused(
                whole::LINE,
                at(whole::LINE),
                "lines-at-most",
                text,
                "AM18",
            ));
        }
        let slot = whole::NUMBER_OF_TRANSACTIONS;
        let stated = slots.plain(slot);
        if stated.and_then(|text| text.parse().ok()) != Some(count) {
            let text = "NbOfTxs is the number of the lines";
            return Err(refused(slot, at(slot), "number-of-lines", text, "AM18"));
        }
        let mut edits: Vec<(Range<usize>, &'static str)> = Vec::new();
        edits.extend(slots.content_range(slot).map(|range| (range, "1")));
        let mut sums = Vec::new();
        for slot in [whole::CONTROL_SUM, whole::TOTAL] {
            edits.extend(slots.element_range(slot).map(|range| (range, "")));
            sums.extend(slots.content_range(slot).map(|range| (slot, range)));
        }
        edits.sort_by_key(|(range, _)| range.start);
        let lines = Lines {
            bytes,
            message_type: document.message(),
            message_id: slots.plain(whole::MESSAGE_ID).unwrap_or_default(),
            document: document.range(),
            lines: slots
                .occurrences(whole::LINE)
                .map(|found| found.element)
                .collect(),
            edits,
            sums,
        };
        lines.check_outside()?;
        lines.check_sums()?;
        Ok(lines)
    }

    /// How many there are, at least one.
    pub fn count(&self) -> usize {
        self.lines.len()
    }

    /// Definition and version of the Document.
    pub fn message_type(&self) -> MessageType {
        self.message_type
    }

    /// GrpHdr/MsgId.
    pub fn message_id(&self) -> &'a str {
        self.message_id
    }

    /// Appends one line, counted from 0, as a message of its own; nothing for a line that is not there.
    pub fn write(&self, place: usize, header: &BusinessHeader<'_>, out: &mut Vec<u8>) {
        if let Some(parts) = self.parts(place) {
            write::forward_parts(out, header, self.message_type, &parts);
        }
    }

    /// The Document with one line alone, in parts.
    fn parts(&self, place: usize) -> Option<Vec<&'a [u8]>> {
        let bytes = self.bytes;
        let copied = |range: Range<usize>| bytes.get(range).unwrap_or_default();
        let (first, last) = (self.lines.first()?, self.lines.last()?);
        let line = self.lines.get(place)?;
        let mut parts = Vec::new();
        let mut from = self.document.start;
        for (range, instead) in &self.edits {
            parts.push(copied(from..range.start));
            parts.push(instead.as_bytes());
            from = range.end;
        }
        parts.push(copied(from..first.start));
        parts.push(copied(line.clone()));
        parts.push(copied(last.end..self.document.end));
        Some(parts)
    }

    /// What every line carries along is small.
    fn check_outside(&self) -> Result<(), Refusal> {
        let (Some(first), Some(last)) = (self.lines.first(), self.lines.last()) else {
            return Ok(());
        };
        let before = first.start.saturating_sub(self.document.start);
        let behind = self.document.end.saturating_sub(last.end);
        if before.saturating_add(behind) <= OUTSIDE_LINES_BYTES_MAX {
            return Ok(());
        }
        let text = "group header and everything else outside the lines are at most 8,192 bytes";
        let code = "bytes-outside-lines";
        Err(refused(whole::LINE, first.start, code, text, "CH16"))
    }

    /// The sums are those of the lines. A line whose amount is no amount of the rail is refused for that, and proves nothing of a sum.
    fn check_sums(&self) -> Result<(), Refusal> {
        if self.sums.is_empty() {
            return Ok(());
        }
        let mut sum: u128 = 0;
        let mut parser = Parser::with_captures(&SINGLE);
        for place in 0..self.lines.len() {
            let document = self.parts(place).unwrap_or_default().concat();
            let parsed = parser.parse(&document, Mode::National)?;
            let slots = parsed.document().map(|document| document.slots());
            let stated = slots.and_then(|slots| slots.plain(single::AMOUNT));
            match stated.map(amount::parse) {
                Some(Ok(tiyn)) => sum = sum.saturating_add(u128::from(tiyn)),
                _ => return Ok(()),
            }
        }
        for (slot, range) in &self.sums {
            let stated = self.bytes.get(range.clone()).unwrap_or_default();
            let stated = std::str::from_utf8(stated).unwrap_or_default();
            if amount::parse(stated).map(u128::from) != Ok(sum) {
                let text = "CtrlSum and TtlIntrBkSttlmAmt, when given, are the sum of the lines";
                return Err(refused(*slot, range.start, "sum-of-lines", text, "AM10"));
            }
        }
        Ok(())
    }
}

/// A message of one line with another acceptance time, in nanoseconds since 1970 UTC; none if it has no such element.
pub fn accepted_at(message: &[u8], nanoseconds: u64) -> Option<Vec<u8>> {
    let mut parser = Parser::with_captures(&SINGLE);
    let parsed = parser.parse(message, Mode::National).ok()?;
    let range = parsed.document()?.slots().content_range(single::ACCEPTED)?;
    let mut out = Vec::with_capacity(message.len().saturating_add(16));
    out.extend_from_slice(message.get(..range.start)?);
    write::time(&mut out, nanoseconds);
    out.extend_from_slice(message.get(range.end..)?);
    Some(out)
}

fn refused(
    slot: SlotId,
    at: usize,
    code: &'static str,
    text: &'static str,
    reason: &'static str,
) -> Refusal {
    let path = format!("/Document/{}", whole::TABLE.path(slot));
    let text = text.into();
    Refusal::new(path, Rule::Profile { code, text, reason }, at)
}
