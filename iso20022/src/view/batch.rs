//! pacs.008 of the clearing system: many items in one message.
//!
//! Each item is read as a message of its own: the group header with this one item. So the usage table and the view are those of one
//! payment, and what is wrong with an item is named as in one. An item that breaks the table is handed out as refused, and the others
//! stand; what breaks the schema, the group header or its sums refuses the message.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use crate::capture::{CaptureSet, SlotId};
use crate::message::MessageType;
use crate::parse::{Mode, Parser};
use crate::profile::generated::{self, credit_transfer as field};
use crate::profile::{self, Breach, Direction, Facts};
use crate::refusal::{Refusal, Rule};

use super::beneficiaries::{
    self, BATCH_LINES_MAX, Beneficiaries, LISTS_BYTES_MAX, PARTS_BYTES_MAX, WrongLine,
};
use super::credit_transfer::{CREDITOR_NUMBER, DEBTOR_NUMBER, SectorSide, sector_code};
use super::fields::{Fields, Unread};
use super::party::{self, PersonNumber};
use super::reader::Reader;

/// Items of one message, at most.
pub const BATCH_ITEMS_MAX: usize = 512;

/// Sector of a party whose message names none: a resident person.
const SECTOR_DEFAULT: &str = "19";

crate::captures! {
    /// What is read of the message as a whole.
    pub(crate) mod whole for MessageKind::Pacs008 {
        NUMBER_OF_TRANSACTIONS = "FIToFICstmrCdtTrf/GrpHdr/NbOfTxs",
        CONTROL_SUM = "FIToFICstmrCdtTrf/GrpHdr/CtrlSum",
        TOTAL = "FIToFICstmrCdtTrf/GrpHdr/TtlIntrBkSttlmAmt",
        ITEM = "FIToFICstmrCdtTrf/CdtTrfTxInf",
    }
}

static WHOLE: LazyLock<CaptureSet> = LazyLock::new(|| CaptureSet::compile(&[&whole::TABLE]));

/// One item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item<'a> {
    /// GrpHdr/MsgId.
    pub message_id: &'a str,
    /// InstgAgt, a BIC.
    pub instructing_agent: &'a str,
    /// IntrBkSttlmDt, `YYYY-MM-DD`.
    pub value_date: &'a str,
    /// PmtTpInf/InstrPrty is `HIGH`.
    pub is_high: bool,
    /// PmtId/InstrId.
    pub instruction_id: Option<&'a str>,
    /// PmtId/EndToEndId.
    pub end_to_end_id: &'a str,
    /// PmtId/TxId.
    pub transaction_id: &'a str,
    /// PmtId/UETR.
    pub uetr: &'a str,
    /// IntrBkSttlmAmt in tiyn, above zero.
    pub tiyn: u64,
    /// Dbtr, DbtrAcct and DbtrAgt.
    pub debtor: ItemParty<'a>,
    /// Cdtr, CdtrAcct and CdtrAgt.
    pub creditor: ItemParty<'a>,
    /// Purp/Prtry, three digits.
    pub knp: &'a str,
    /// The first RmtInf/Ustrd, at most 140 characters.
    pub remittance: Option<Cow<'a, str>>,
    /// Its list of beneficiaries, in RmtInf/Strd.
    pub list: Option<Beneficiaries>,
}

/// An item that breaks the usage table, with its identifiers as far as it has them; none has been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedItem<'a> {
    /// Place in the message, from 1.
    pub number: usize,
    /// GrpHdr/MsgId, which has been checked.
    pub message_id: &'a str,
    /// InstgAgt, a BIC that has been checked.
    pub instructing_agent: &'a str,
    /// PmtId/InstrId.
    pub instruction_id: Option<&'a str>,
    /// PmtId/EndToEndId.
    pub end_to_end_id: Option<&'a str>,
    /// PmtId/TxId.
    pub transaction_id: Option<&'a str>,
    /// PmtId/UETR.
    pub uetr: Option<&'a str>,
    /// Place, with the item's number in the path, rule and code.
    pub refusal: Refusal,
    /// Wrong lines of its list of beneficiaries, the first few, and the number of the others.
    pub lines: Vec<WrongLine>,
    pub more: usize,
}

/// What an item of a message is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchEntry<'a> {
    Item(Item<'a>),
    Refused(RefusedItem<'a>),
}

/// One side of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemParty<'a> {
    /// Nm, at most 140 characters.
    pub name: Cow<'a, str>,
    /// IIN or BIN.
    pub number: PersonNumber<'a>,
    /// IBAN of the account.
    pub iban: &'a str,
    /// BIC of the bank.
    pub agent: &'a str,
    /// KOD or KBE; `19` where the message names none.
    pub sector: &'a str,
}

impl Reader {
    /// Reads the items of a pacs.008 of the clearing system, which [`Reader::read`] has accepted, in their order.
    ///
    /// # Errors
    /// The first breach of the message as a whole: its schema, group header, number or sum; or what `take` gives.
    pub fn read_batch<E: From<Refusal>>(
        &mut self,
        bytes: &[u8],
        mut take: impl FnMut(&BatchEntry<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let (message, ranges) = items(bytes)?;
        let (Some(first), Some(last)) = (ranges.first(), ranges.last()) else {
            return Ok(());
        };
        let before = bytes.get(..first.start).unwrap_or_default();
        let behind = bytes.get(last.end..).unwrap_or_default();
        let (mut one, mut bare) = (Vec::new(), Vec::new());
        let mut sum = Some(0_u128);
        let mut parts = Parts::default();
        parts.add(ranges.len(), before.len().saturating_add(behind.len()))?;
        let mut lists = Lists::default();
        for (number, range) in (1_usize..).zip(&ranges) {
            let item = bytes.get(range.clone()).unwrap_or_default();
            one.clear();
            one.extend_from_slice(before);
            one.extend_from_slice(item);
            one.extend_from_slice(behind);
            let (lines, count) = if item.windows(4).any(|part| part == b"Strd") {
                beneficiaries::lines(&one)?
            } else {
                (Vec::new(), 0)
            };
            let named = |refusal| of_item(refusal, number);
            let amount = match (lines.first(), lines.last()) {
                (Some(first), Some(last)) => {
                    let list = last.end.saturating_sub(first.start);
                    lists.add(count, list)?;
                    parts.add(count, one.len().saturating_sub(list))?;
                    // The item without its list, and then the list line by line.
                    bare.clear();
                    bare.extend_from_slice(one.get(..first.start).unwrap_or_default());
                    bare.extend_from_slice(one.get(last.end..).unwrap_or_default());
                    let (entry, amount) = self.read_item(&bare, number).map_err(named)?;
                    let entry = self.with_list(&one, (&lines, count), (message, number), entry)?;
                    let at = range.start.saturating_sub(before.len());
                    take(&moved(entry, at))?;
                    amount
                }
                _ => {
                    let (entry, amount) = self.read_item(&one, number).map_err(named)?;
                    take(&entry)?;
                    amount
                }
            };
            sum = sum
                .zip(amount)
                .map(|(sum, amount)| sum.saturating_add(amount));
        }
        check_sum(bytes, sum)?;
        Ok(())
    }

    /// One item, and its amount as it was sent, whatever else is wrong with it.
    fn read_item<'a>(
        &mut self,
        bytes: &'a [u8],
        number: usize,
    ) -> Result<(BatchEntry<'a>, Option<u128>), Refusal> {
        let parsed = self.parser.parse(bytes, Mode::National)?;
        let table = &generated::ICS_ITEMS;
        let Some(document) = parsed.document() else {
            return Err(profile::missing(table, field::TRANSACTION, 0, "CH21"));
        };
        let start = document.range().start;
        let fields = Fields(document.slots());
        let facts = Facts {
            slots: document.slots(),
            formats: &self.formats,
            direction: Direction::ToSwitch,
            document: document.message(),
            document_id: fields.optional(field::MESSAGE_ID),
        };
        let walked = profile::walk_batch_item(table, &facts, start);
        let read = walked.and_then(|()| {
            read(&fields).map_err(|Unread(slot)| profile::missing(table, slot, start, "CH21"))
        });
        let entry = match read {
            Ok(item) => BatchEntry::Item(item),
            Err(refusal) if is_of_item(&refusal) => {
                let refused = refused(&fields, number, of_item(refusal, number));
                BatchEntry::Refused(
                    refused.map_err(|Unread(slot)| profile::missing(table, slot, start, "CH21"))?,
                )
            }
            Err(refusal) => return Err(refusal),
        };
        let amount = fields.optional(field::AMOUNT).and_then(decimal);
        Ok((entry, amount))
    }

    /// An item that is right with its list, or refused for it.
    fn with_list<'a>(
        &mut self,
        one: &[u8],
        (lines, count): (&[Range<usize>], usize),
        (message, number): (MessageType, usize),
        entry: BatchEntry<'a>,
    ) -> Result<BatchEntry<'a>, Refusal> {
        let BatchEntry::Item(mut item) = entry else {
            return Ok(entry);
        };
        let range = lines.first().zip(lines.last());
        let range = range.map_or(0..0, |(first, last)| first.start..last.end);
        let checked = self.check_list(one, (lines, count), message, item.tiyn)?;
        let Err(wrong) = checked else {
            item.list = Some(Beneficiaries {
                lines: count,
                range,
            });
            return Ok(BatchEntry::Item(item));
        };
        let rule = Rule::Profile {
            code: wrong.code,
            text: wrong.text.into(),
            reason: wrong.reason,
        };
        let path = "/Document/FIToFICstmrCdtTrf/CdtTrfTxInf/RmtInf/Strd".to_owned();
        Ok(BatchEntry::Refused(RefusedItem {
            number,
            message_id: item.message_id,
            instructing_agent: item.instructing_agent,
            instruction_id: item.instruction_id,
            end_to_end_id: Some(item.end_to_end_id),
            transaction_id: Some(item.transaction_id),
            uetr: Some(item.uetr),
            refusal: of_item(Refusal::new(path, rule, range.start), number),
            lines: wrong.lines,
            more: wrong.more,
        }))
    }
}

/// Lists of a message so far.
#[derive(Debug, Default)]
struct Lists {
    lines: usize,
    bytes: usize,
}

impl Lists {
    fn add(&mut self, lines: usize, bytes: usize) -> Result<(), Refusal> {
        self.lines = self.lines.saturating_add(lines);
        self.bytes = self.bytes.saturating_add(bytes);
        if self.lines <= BATCH_LINES_MAX && self.bytes <= LISTS_BYTES_MAX {
            return Ok(());
        }
        let path = format!("/Document/{}", whole::TABLE.path(whole::ITEM));
        let rule = Rule::Profile {
            code: "lists-at-most",
            text: "the lists of a message have at most 2,048 lines and 768 KiB; send more in further messages".into(),
            reason: "AM18",
        };
        Err(Refusal::new(path, rule, 0))
    }
}

/// Documents that the items and lines of a message are read as, so far: bytes of what stands around each.
#[derive(Debug, Default)]
struct Parts {
    bytes: usize,
}

impl Parts {
    fn add(&mut self, parts: usize, around: usize) -> Result<(), Refusal> {
        self.bytes = self.bytes.saturating_add(parts.saturating_mul(around));
        if self.bytes <= PARTS_BYTES_MAX {
            return Ok(());
        }
        let path = format!("/Document/{}", whole::TABLE.path(whole::ITEM));
        let rule = Rule::Profile {
            code: "parts-at-most",
            text: "items and lines of lists, each with what stands around it, have at most 64 MiB; shorten that, or send fewer in a message".into(),
            reason: "AM18",
        };
        Err(Refusal::new(path, rule, 0))
    }
}

/// An entry whose list is named by its place in the message: `at` bytes behind that in the item read alone.
fn moved(entry: BatchEntry<'_>, at: usize) -> BatchEntry<'_> {
    match entry {
        BatchEntry::Item(mut item) => {
            if let Some(list) = &mut item.list {
                list.range = list.range.start.saturating_add(at)..list.range.end.saturating_add(at);
            }
            BatchEntry::Item(item)
        }
        BatchEntry::Refused(refused) => BatchEntry::Refused(refused),
    }
}

/// Whether a breach is one of a single item: the sender and the group header are those of all.
fn is_of_item(refusal: &Refusal) -> bool {
    let path = &refusal.path;
    // The date may stand in either place; where it is missing, it is the item that lacks it.
    let lacks_date = path.ends_with("GrpHdr/IntrBkSttlmDt") && refusal.code() == "mandatory";
    !path.contains("/InstgAgt") && (path.contains("/CdtTrfTxInf") || lacks_date)
}

fn refused<'a>(
    fields: &Fields<'_, 'a>,
    number: usize,
    refusal: Refusal,
) -> Result<RefusedItem<'a>, Unread> {
    Ok(RefusedItem {
        number,
        message_id: fields.required(field::MESSAGE_ID)?,
        instructing_agent: fields
            .required_either([field::INSTRUCTING_AGENT, field::INSTRUCTING_AGENT_OR])?,
        instruction_id: fields.optional(field::INSTRUCTION_ID),
        end_to_end_id: fields.optional(field::END_TO_END_ID),
        transaction_id: fields.optional(field::TRANSACTION_ID),
        uetr: fields.optional(field::UETR),
        refusal,
        lines: Vec::new(),
        more: 0,
    })
}

/// A decimal number in units of 10⁻¹⁷, the finest that the schema has.
fn decimal(text: &str) -> Option<u128> {
    const DECIMALS: usize = 17;
    let text = text.trim().trim_start_matches('+');
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = decimals.trim_end_matches('0');
    if digits.len() > DECIMALS {
        return None;
    }
    let zeros = "0".repeat(DECIMALS - digits.len());
    let whole = if whole.is_empty() { "0" } else { whole };
    format!("{whole}{digits}{zeros}").parse().ok()
}

/// The message's version and where its items stand; their number is that of the group header.
fn items(bytes: &[u8]) -> Result<(MessageType, Vec<Range<usize>>), Refusal> {
    let mut parser = Parser::with_captures(&WHOLE);
    let parsed = parser.parse(bytes, Mode::National)?;
    let Some(document) = parsed.document() else {
        return Ok((MessageType::PACS_008_001_10, Vec::new()));
    };
    let slots = document.slots();
    let count = slots.count(whole::ITEM) as usize;
    let refused = |slot: SlotId, code: &'static str, text: &'static str, reason: &'static str| {
        let path = format!("/Document/{}", whole::TABLE.path(slot));
        let at = slots.content_range(slot).map_or(0, |range| range.start);
        let text = text.into();
        Refusal::new(path, Rule::Profile { code, text, reason }, at)
    };
    if count > BATCH_ITEMS_MAX {
        let text = "a message has at most 512 items; send more in further messages";
        return Err(refused(whole::ITEM, "items-at-most", text, "AM18"));
    }
    let stated = slots.plain(whole::NUMBER_OF_TRANSACTIONS);
    if stated.and_then(|text| text.parse().ok()) != Some(count) {
        let text = "NbOfTxs is the number of the items";
        let slot = whole::NUMBER_OF_TRANSACTIONS;
        return Err(refused(slot, "number-of-items", text, "AM18"));
    }
    let items = slots.occurrences(whole::ITEM).map(|found| found.element);
    Ok((document.message(), items.collect()))
}

/// Checks the sums that the group header states, CtrlSum and TtlIntrBkSttlmAmt, against that of the items as they were sent.
fn check_sum(bytes: &[u8], sum: Option<u128>) -> Result<(), Refusal> {
    let mut parser = Parser::with_captures(&WHOLE);
    let parsed = parser.parse(bytes, Mode::National)?;
    let Some(document) = parsed.document() else {
        return Ok(());
    };
    let slots = document.slots();
    for slot in [whole::CONTROL_SUM, whole::TOTAL] {
        let Some(stated) = slots.plain(slot) else {
            continue;
        };
        let stated = decimal(stated);
        if stated.is_none() || stated != sum {
            let path = format!("/Document/{}", whole::TABLE.path(slot));
            let at = slots.content_range(slot).map_or(0, |range| range.start);
            let rule = Rule::Profile {
                code: "sum-of-items",
                text: "CtrlSum and TtlIntrBkSttlmAmt, when given, are the sum of the items".into(),
                reason: "AM10",
            };
            return Err(Refusal::new(path, rule, at));
        }
    }
    Ok(())
}

/// The refusal with the item's number in its path.
fn of_item(mut refusal: Refusal, number: usize) -> Refusal {
    let place = refusal.path.find("CdtTrfTxInf");
    if let Some(at) = place.map(|start| start + "CdtTrfTxInf".len()) {
        refusal.path.insert_str(at, &format!("[{number}]"));
    }
    refusal
}

fn read<'a>(fields: &Fields<'_, 'a>) -> Result<Item<'a>, Unread> {
    let slots = &fields.0;
    let number = |places, slot| {
        party::number(slots, places)
            .ok()
            .flatten()
            .map(|found| found.number)
            .ok_or(Unread(slot))
    };
    let sector = |side| match sector_code(slots, side) {
        Ok(found) => Ok(found.map_or(SECTOR_DEFAULT, |(code, _)| code)),
        Err(Breach::Missing(slot) | Breach::Wrong(slot, _) | Breach::Format(slot, _, _)) => {
            Err(Unread(slot))
        }
    };
    let name = |slot| fields.text(slot).ok_or(Unread(slot));
    Ok(Item {
        message_id: fields.required(field::MESSAGE_ID)?,
        instructing_agent: fields
            .required_either([field::INSTRUCTING_AGENT, field::INSTRUCTING_AGENT_OR])?,
        value_date: fields.required_either([field::SETTLEMENT_DATE, field::SETTLEMENT_DATE_OR])?,
        is_high: fields.either([field::INSTRUCTION_PRIORITY, field::INSTRUCTION_PRIORITY_OR])
            == Some("HIGH"),
        instruction_id: fields.optional(field::INSTRUCTION_ID),
        end_to_end_id: fields.required(field::END_TO_END_ID)?,
        transaction_id: fields.required(field::TRANSACTION_ID)?,
        uetr: fields.required(field::UETR)?,
        tiyn: fields.tiyn(field::AMOUNT)?,
        debtor: ItemParty {
            name: name(field::DEBTOR_NAME)?,
            number: number(&DEBTOR_NUMBER, field::DEBTOR_IIN)?,
            iban: fields.required(field::DEBTOR_IBAN)?,
            agent: fields.required(field::DEBTOR_AGENT)?,
            sector: sector(SectorSide::Debtor)?,
        },
        creditor: ItemParty {
            name: name(field::CREDITOR_NAME)?,
            number: number(&CREDITOR_NUMBER, field::CREDITOR_IIN)?,
            iban: fields.required(field::CREDITOR_IBAN)?,
            agent: fields.required(field::CREDITOR_AGENT)?,
            sector: sector(SectorSide::Creditor)?,
        },
        knp: fields.required(field::PURPOSE)?,
        remittance: fields.text(field::REMITTANCE),
        list: None,
    })
}
