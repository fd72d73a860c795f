//! pacs.008 of the clearing system: many items in one message.
//!
//! Each item is read as a message of its own: the group header with this one item. So the usage table and the view are those of one
//! payment, and what is wrong with an item is named as in one.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use crate::capture::{CaptureSet, SlotId};
use crate::parse::{Mode, Parser};
use crate::profile::generated::{self, credit_transfer as field};
use crate::profile::{self, Breach, Direction, Facts};
use crate::refusal::{Refusal, Rule};

use super::amount;
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
    /// The first breach, in the message as a whole or in an item, whose place in the path has its number; or what `take` gives.
    pub fn read_batch<E: From<Refusal>>(
        &mut self,
        bytes: &[u8],
        mut take: impl FnMut(&Item<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let ranges = items(bytes)?;
        let (Some(first), Some(last)) = (ranges.first(), ranges.last()) else {
            return Ok(());
        };
        let before = bytes.get(..first.start).unwrap_or_default();
        let behind = bytes.get(last.end..).unwrap_or_default();
        let mut one = Vec::new();
        for (number, range) in (1_usize..).zip(&ranges) {
            one.clear();
            one.extend_from_slice(before);
            one.extend_from_slice(bytes.get(range.clone()).unwrap_or_default());
            one.extend_from_slice(behind);
            self.read_item(&one, &mut take)
                .map_err(|failed| match failed {
                    Failed::Refused(refusal) => E::from(of_item(refusal, number)),
                    Failed::Taken(error) => error,
                })?;
        }
        Ok(())
    }

    fn read_item<E>(
        &mut self,
        bytes: &[u8],
        take: impl FnOnce(&Item<'_>) -> Result<(), E>,
    ) -> Result<(), Failed<E>> {
        let parsed = self
            .parser
            .parse(bytes, Mode::National)
            .map_err(Failed::Refused)?;
        let Some(document) = parsed.document() else {
            return Ok(());
        };
        let start = document.range().start;
        let table = &generated::ICS_ITEMS;
        let fields = Fields(document.slots());
        let facts = Facts {
            slots: document.slots(),
            formats: &self.formats,
            direction: Direction::ToSwitch,
            document: document.message(),
            document_id: fields.optional(field::MESSAGE_ID),
        };
        profile::walk_batch_item(table, &facts, start).map_err(Failed::Refused)?;
        let item = read(&fields).map_err(|Unread(slot)| {
            Failed::Refused(profile::missing(table, slot, start, "CH21"))
        })?;
        take(&item).map_err(Failed::Taken)
    }
}

enum Failed<E> {
    Refused(Refusal),
    Taken(E),
}

/// Where the items stand; their number and sum are those of the group header.
fn items(bytes: &[u8]) -> Result<Vec<Range<usize>>, Refusal> {
    let mut parser = Parser::with_captures(&WHOLE);
    let parsed = parser.parse(bytes, Mode::National)?;
    let Some(document) = parsed.document() else {
        return Ok(Vec::new());
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
    Ok(slots
        .occurrences(whole::ITEM)
        .map(|found| found.element)
        .collect())
}

/// The sums that the group header states, CtrlSum and TtlIntrBkSttlmAmt, in tiyn.
///
/// # Errors
/// One of them is not the sum.
pub fn check_sum(bytes: &[u8], sum: u128) -> Result<(), Refusal> {
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
        if amount::parse(stated).map(u128::from) != Ok(sum) {
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
    })
}
