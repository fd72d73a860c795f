//! Walks a usage table over a parsed message.

use std::borrow::Cow;

use crate::capture::SlotId;
use crate::refusal::{Refusal, Rule};
use crate::view::{amount, time};

use super::facts::{Breach, Facts};
use super::table::{Format, Row, RuleEntry, Table};

/// Checks every row, then every rule; the first breach is the refusal.
///
/// `start` is the byte offset named when a field is missing: that of the message itself.
pub(crate) fn walk(table: &Table, facts: &Facts<'_, '_, '_>, start: usize) -> Result<(), Refusal> {
    for row in table.rows {
        check_row(table, row, facts, start)?;
    }
    for rule in table.rules {
        (rule.check)(facts).map_err(|breach| rule_refusal(table, rule, &breach, start))?;
    }
    Ok(())
}

/// As [`walk`], for one item of a batch: the totals of the group header are those of all items.
pub(crate) fn walk_batch_item(
    table: &Table,
    facts: &Facts<'_, '_, '_>,
    start: usize,
) -> Result<(), Refusal> {
    for row in table.rows {
        check_row(table, row, facts, start)?;
    }
    let of_item = |rule: &&RuleEntry| rule.code != "total-equals-amount";
    for rule in table.rules.iter().filter(of_item) {
        (rule.check)(facts).map_err(|breach| rule_refusal(table, rule, &breach, start))?;
    }
    Ok(())
}

fn check_row(
    table: &Table,
    row: &Row,
    facts: &Facts<'_, '_, '_>,
    start: usize,
) -> Result<(), Refusal> {
    let Some(slot) = place(table, row, facts)? else {
        return if row.is_mandatory {
            Err(missing(table, row.slot, start, row.missing))
        } else {
            Ok(())
        };
    };
    if !row.may_repeat && facts.slots.count(slot) > 1 {
        return Err(refusal(
            table,
            slot,
            facts,
            "once",
            "the element may occur only once",
            row.wrong,
        ));
    }
    if matches!(row.format, Format::Element | Format::Text) {
        return Ok(());
    }
    let Some(text) = facts.plain(slot) else {
        let rule =
            "identifiers, codes, numbers and times are written without references and comments";
        return Err(refusal(table, slot, facts, "plain-text", rule, row.wrong));
    };
    check_format(row, text, facts).map_err(|code| {
        let reason = if code == "amount-zero" {
            "AM01"
        } else {
            row.wrong
        };
        refusal(table, slot, facts, code, describe(row.format), reason)
    })
}

/// The place where the field stands, if it stands anywhere.
fn place(table: &Table, row: &Row, facts: &Facts<'_, '_, '_>) -> Result<Option<SlotId>, Refusal> {
    let first = facts.slots.is_present(row.slot).then_some(row.slot);
    let Some(other) = row.other.filter(|other| facts.slots.is_present(*other)) else {
        return Ok(first);
    };
    match first {
        None => Ok(Some(other)),
        Some(_) => {
            let rule = "the field stands in the group header or in the transaction, not in both";
            Err(refusal(table, other, facts, "one-place", rule, row.wrong))
        }
    }
}

fn check_format(row: &Row, text: &str, facts: &Facts<'_, '_, '_>) -> Result<(), &'static str> {
    let formats = facts.formats;
    match row.format {
        Format::Amount => amount::parse(text).map(|_| ()),
        Format::Bic => (formats.bic)(text),
        Format::Code if row.values.contains(&text) => Ok(()),
        Format::Code => Err("fixed-value"),
        Format::Date => time::check_date(text),
        Format::DateTime => time::parse(text).map(|_| ()),
        Format::Iban => (formats.iban)(text),
        Format::Identifier => (formats.identifier)(text),
        Format::Knp => (formats.knp)(text),
        Format::Phone => (formats.phone)(text),
        Format::Time => time::time_of_day(text).map(|_| ()),
        Format::Reason => {
            let is_code = text
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
            if is_code { Ok(()) } else { Err("reason-code") }
        }
        // The schema has checked the first two; the others have no text of their own.
        Format::Uetr | Format::Boolean | Format::Element | Format::Text => Ok(()),
    }
}

fn describe(format: Format) -> &'static str {
    match format {
        Format::Amount => "an amount is above zero, in tenge with at most two decimals",
        Format::Bic => "not a BIC",
        Format::Code => "the profile allows other values here",
        Format::Date => "a date is written YYYY-MM-DD",
        Format::DateTime => "a time has an offset, as in 2026-11-21T09:15:27.123+05:00",
        Format::Iban => "not an IBAN",
        Format::Identifier => "a character that identifiers may not have",
        Format::Knp => "not a KNP",
        Format::Phone => "not a phone of the national numbering",
        Format::Reason => "a reason code is written in capital letters and digits",
        Format::Time => "a time of day has an offset, as in 15:30:00+05:00",
        Format::Boolean | Format::Element | Format::Text | Format::Uetr => "not valid",
    }
}

fn rule_refusal(table: &Table, rule: &RuleEntry, breach: &Breach, start: usize) -> Refusal {
    let (slot, offset, code, reason) = match *breach {
        Breach::Missing(slot) => (slot, start, rule.code, rule.missing),
        Breach::Wrong(slot, offset) => (slot, offset, rule.code, rule.wrong),
        Breach::Format(slot, offset, code) => (slot, offset, code, rule.wrong),
    };
    profile_refusal(table, slot, offset, code, rule.text, reason)
}

pub(crate) fn missing(table: &Table, slot: SlotId, start: usize, reason: &'static str) -> Refusal {
    profile_refusal(
        table,
        slot,
        start,
        "mandatory",
        "the profile demands this element",
        reason,
    )
}

fn refusal(
    table: &Table,
    slot: SlotId,
    facts: &Facts<'_, '_, '_>,
    code: &'static str,
    text: &'static str,
    reason: &'static str,
) -> Refusal {
    profile_refusal(table, slot, facts.offset(slot), code, text, reason)
}

fn profile_refusal(
    table: &Table,
    slot: SlotId,
    offset: usize,
    code: &'static str,
    text: &'static str,
    reason: &'static str,
) -> Refusal {
    let path = format!(
        "/{}/{}",
        table.fields.kind.root_element(),
        table.fields.path(slot)
    );
    Refusal::new(
        path,
        Rule::Profile {
            code,
            text: Cow::Borrowed(text),
            reason,
        },
        offset,
    )
}
