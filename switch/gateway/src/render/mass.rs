//! What is said about lines of a file that are no payments, or not yet: pacs.002 about many of them.

use std::borrow::Cow;

use torap_domain::{Position, Text};
use torap_engine::{
    Command, Standing,
    mass::{self, Item, Take},
};
use torap_iso20022::{
    view::{self, BusinessHeader, MASS_SERVICE, StatusReport, TransactionStatus},
    write,
};

use super::{
    RenderError,
    entry::{Entry, hyphenated},
};
use crate::{codes, versions};

/// Lines of a piece: bit n of `mask` is the line of place `first` + n.
#[derive(Clone, Copy)]
pub(super) struct Lines {
    pub(super) original: Position,
    pub(super) first: u16,
    pub(super) mask: u64,
}

/// pacs.002: all the lines stand alike.
pub(super) fn statuses(
    entry: &Entry<'_>,
    lines: Lines,
    standing: Standing,
    out: &mut Vec<u8>,
) -> Result<(), RenderError> {
    let position = lines.original;
    let expected = |expected| RenderError::Facts { position, expected };
    let Command::Mass(mass::Command::Take(take)) = entry.records.facts(position)? else {
        return Err(expected("a piece of a file"));
    };
    let version = versions::message(take.message_version);
    let version = version.ok_or_else(|| expected("of a known message version"))?;
    let items = chosen(&take, lines).ok_or_else(|| expected("a piece with as many lines"))?;
    let uetrs: Vec<Text<36>> = items
        .iter()
        .map(|item| hyphenated(item.line.uetr))
        .collect();
    let reports: Vec<StatusReport<'_>> = items
        .iter()
        .zip(&uetrs)
        .map(|(item, uetr)| {
            let (status, reason, text) = said(standing, item);
            StatusReport {
                message_id: entry.id(),
                created_ns: entry.created_ns(),
                instructing_agent: Some(entry.switch.as_str()),
                instructed_agent: Some(entry.receiver.as_str()),
                status_id: None,
                original: view::Original {
                    message_id: Some(take.message_id.as_str()),
                    message_name: Some(version.as_str()),
                    instruction_id: item.instruction_id.as_ref().map(|id| id.as_str()),
                    end_to_end_id: item.end_to_end_id.as_ref().map(|id| id.as_str()),
                    transaction_id: item.transaction_id.as_str(),
                    uetr: uetr.as_str(),
                },
                status,
                reason,
                reason_text: text.map(Cow::Borrowed),
                accepted_ns: None,
                settlement_date: None,
                clearing_reference: None,
            }
        })
        .collect();
    let header = BusinessHeader {
        service: Some(MASS_SERVICE),
        ..entry.header(entry.id())
    };
    write::status_reports(out, Some(&header), &reports);
    Ok(())
}

fn said(standing: Standing, item: &Item) -> (TransactionStatus, Option<&str>, Option<&str>) {
    match standing {
        Standing::Accepted => (TransactionStatus::Actc, None, None),
        Standing::Pending => (TransactionStatus::Pdng, None, None),
        Standing::Refused { reason } => {
            let code = codes::status(reason);
            (TransactionStatus::Rjct, Some(code), Some(reason.text()))
        }
        Standing::Broken => {
            let fault = item.fault.as_ref();
            let code = fault.map_or("NARR", |fault| fault.code.as_str());
            let text = fault.map(|fault| fault.text.as_str());
            (TransactionStatus::Rjct, Some(code), text)
        }
    }
}

fn chosen(take: &Take, lines: Lines) -> Option<Vec<&Item>> {
    let places = (0..u64::BITS).filter(|place| lines.mask >> place & 1 == 1);
    places
        .map(|place| {
            let place = usize::from(lines.first).saturating_add(place as usize);
            take.lines.get(place)
        })
        .collect()
}
