//! Lists of beneficiaries: one payment of the clearing system for many persons, a line of RmtInf/Strd for each.
//!
//! A line is read as a message of its own, as an item is: the group header, its item without the other lines, and the line. The list itself is
//! not kept: it is named by its place in the message, and passed on as it stands there.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::LazyLock;

use crate::capture::{CaptureSet, Slots};
use crate::message::MessageType;
use crate::parse::{Mode, Parser};
use crate::profile::generated::{self, credit_transfer as field};
use crate::profile::{Direction, Facts};
use crate::refusal::Refusal;

use super::amount;
use super::fields::inside;
use super::reader::Reader;

/// Lines of one list, at most.
pub const LINES_MAX: usize = 512;
/// Lines of all lists of one message, at most.
pub const BATCH_LINES_MAX: usize = 2_048;
/// Bytes of all lists of one message, at most: a message to a receiver has them with items of its own around them.
pub const LISTS_BYTES_MAX: usize = 786_432;
/// Bytes of all documents that the items and lines of one message are read as, at most: each has what stands around it in the message again.
pub const PARTS_BYTES_MAX: usize = 64 << 20;
/// Wrong lines of one list that are named, at most; the others are counted.
pub const WRONG_LINES_MAX: usize = 10;

crate::captures! {
    /// Where the lines stand.
    pub(crate) mod place for MessageKind::Pacs008 {
        LINE = "FIToFICstmrCdtTrf/CdtTrfTxInf/RmtInf/Strd",
    }
}

static PLACE: LazyLock<CaptureSet> = LazyLock::new(|| CaptureSet::compile(&[&place::TABLE]));

/// A list whose lines are right and sum up to their item's amount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beneficiaries {
    /// Lines.
    pub lines: usize,
    /// Its bytes in the message, from the first `<Strd>` to past the last `</Strd>`: without prefixes and namespaces of their own.
    pub range: Range<usize>,
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineRule {
    Name,
    Number,
    Amount,
    Period,
    /// Person and period stand in an earlier line.
    Repeated,
}

/// A wrong line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrongLine {
    /// From 1.
    pub number: usize,
    pub rule: LineRule,
}

/// Why a list is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WrongList {
    pub(super) code: &'static str,
    pub(super) text: String,
    pub(super) reason: &'static str,
    pub(super) lines: Vec<WrongLine>,
    /// Wrong lines beyond those.
    pub(super) more: usize,
}

impl WrongList {
    fn whole(code: &'static str, text: &str, reason: &'static str) -> WrongList {
        WrongList {
            code,
            text: text.into(),
            reason,
            lines: Vec::new(),
            more: 0,
        }
    }
}

/// A line that is right.
struct Line {
    person: String,
    tiyn: u64,
    period: String,
}

/// Where the lines of the only item of a message stand, and their number: that of all of them, of which the first few hundred are named.
pub(super) fn lines(bytes: &[u8]) -> Result<(Vec<Range<usize>>, usize), Refusal> {
    let mut parser = Parser::with_captures(&PLACE);
    let parsed = parser.parse(bytes, Mode::National)?;
    let Some(document) = parsed.document() else {
        return Ok((Vec::new(), 0));
    };
    let slots = document.slots();
    let lines = slots.occurrences(place::LINE).map(|found| found.element);
    let count = slots.count(place::LINE) as usize;
    Ok((lines.collect(), count))
}

/// The IIN of a line's person.
pub(crate) fn person<'a>(slots: &Slots<'_, 'a>) -> Option<&'a str> {
    slots.occurrences(field::LIST_PERSON).find_map(|other| {
        let scheme = inside(slots, field::LIST_IIN_SCHEME, &other.element)?;
        let number = inside(slots, field::LIST_IIN, &other.element)?;
        number.plain().filter(|_| scheme.plain() == Some("NIDN"))
    })
}

impl Reader {
    /// Checks the lines of the only item of a message, whose amount is `tiyn`.
    pub(super) fn check_list(
        &mut self,
        bytes: &[u8],
        (lines, count): (&[Range<usize>], usize),
        message: MessageType,
        tiyn: u64,
    ) -> Result<Result<(), WrongList>, Refusal> {
        if message != MessageType::PACS_008_001_10 {
            let text = "a list comes in pacs.008.001.10, in which it is passed on";
            return Ok(Err(WrongList::whole("list-version", text, "RR07")));
        }
        if count > LINES_MAX {
            let text = "a list has at most 512 lines";
            return Ok(Err(WrongList::whole("list-at-most", text, "RR07")));
        }
        let (Some(first), Some(last)) = (lines.first(), lines.last()) else {
            return Ok(Ok(()));
        };
        if !is_plain(bytes.get(first.start..last.end).unwrap_or_default()) {
            let text =
                "a list has no prefixes and namespaces of its own, so that it can be passed on";
            return Ok(Err(WrongList::whole("list-plain", text, "RR07")));
        }
        let before = bytes.get(..first.start).unwrap_or_default();
        let behind = bytes.get(last.end..).unwrap_or_default();
        let mut wrong = Vec::new();
        let mut seen = BTreeSet::new();
        let mut sum = 0_u128;
        let mut one = Vec::new();
        for (number, range) in (1_usize..).zip(lines) {
            one.clear();
            one.extend_from_slice(before);
            one.extend_from_slice(bytes.get(range.clone()).unwrap_or_default());
            one.extend_from_slice(behind);
            let rule = match self.line(&one)? {
                Err(rule) => Some(rule),
                Ok(line) => {
                    sum = sum.saturating_add(u128::from(line.tiyn));
                    let is_new = seen.insert((line.person, line.period));
                    (!is_new).then_some(LineRule::Repeated)
                }
            };
            wrong.extend(rule.map(|rule| WrongLine { number, rule }));
        }
        if !wrong.is_empty() {
            let text = format!("{} of {count} lines are wrong", wrong.len());
            let more = wrong.len().saturating_sub(WRONG_LINES_MAX);
            wrong.truncate(WRONG_LINES_MAX);
            return Ok(Err(WrongList {
                code: "list-lines",
                text,
                reason: "RR07",
                lines: wrong,
                more,
            }));
        }
        if sum != u128::from(tiyn) {
            let text = "the lines sum up to the item's amount";
            return Ok(Err(WrongList::whole("list-sum", text, "AM10")));
        }
        Ok(Ok(()))
    }

    /// The only line of a message, or the first rule that it breaks.
    fn line(&mut self, bytes: &[u8]) -> Result<Result<Line, LineRule>, Refusal> {
        let parsed = self.parser.parse(bytes, Mode::National)?;
        let Some(document) = parsed.document() else {
            return Ok(Err(LineRule::Name));
        };
        let slots = document.slots();
        let facts = Facts {
            slots,
            formats: &self.formats,
            direction: Direction::ToSwitch,
            document: document.message(),
            document_id: None,
        };
        for rule in generated::ICS_ITEMS.rules {
            if let Some(broken) = of_code(rule.code).filter(|_| (rule.check)(&facts).is_err()) {
                return Ok(Err(broken));
            }
        }
        let year = slots.plain(field::LIST_YEAR).unwrap_or_default();
        let month = slots.plain(field::LIST_MONTH).unwrap_or_default();
        let amount = slots.plain(field::LIST_AMOUNT).unwrap_or_default();
        let Ok(tiyn) = amount::parse(amount) else {
            return Ok(Err(LineRule::Amount));
        };
        Ok(Ok(Line {
            person: person(&slots).unwrap_or_default().to_owned(),
            tiyn,
            period: format!("{year}-{month}"),
        }))
    }
}

fn of_code(code: &str) -> Option<LineRule> {
    match code {
        "list-name" => Some(LineRule::Name),
        "list-number" => Some(LineRule::Number),
        "list-amount" => Some(LineRule::Amount),
        "list-period" => Some(LineRule::Period),
        _ => None,
    }
}

/// Whether no element and no attribute has a prefix and none declares a namespace: what stands in another document has that document's. Text
/// cannot hold `<`; what a comment holds behind a `<` of its own is taken for a tag.
fn is_plain(list: &[u8]) -> bool {
    let tags = list.split(|byte| *byte == b'<').skip(1);
    let mut tags = tags.filter_map(|rest| rest.split(|byte| *byte == b'>').next());
    !tags.any(|tag| {
        let is_comment = tag.starts_with(b"!--");
        !is_comment && (tag.contains(&b':') || tag.windows(5).any(|part| part == b"xmlns"))
    })
}
