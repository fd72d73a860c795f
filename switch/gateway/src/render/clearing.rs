//! What the clearing system says: pacs.002 about items, pacs.008 with settled items, and the report of a session as admi.004.
//!
//! Everything that the texts repeat stands in the facts of the submission, so the original message is not needed.

use std::borrow::Cow;

use bytes::Bytes;
use torap_domain::{Money, PartyKind, Position, Text};
use torap_engine::{
    Command, Status,
    clearing::{self, LineRule, Order, Party, Priority, RefusedOrder, SessionId, Submit},
};
use torap_iso20022::{
    view::{
        self, BusinessHeader, EventNotice, Parameters, PersonNumber, StatusReport,
        TransactionStatus,
    },
    write::{self, Batch, BatchItem, BatchParty, ItemRefusal},
};

use super::{
    RenderError,
    entry::{Entry, hyphenated},
};
use crate::{codes, versions};

/// BizSvc of the clearing system.
const SERVICE: &str = "torap.ics.1";

/// Items of a submission: bit n of `mask` is the item of index `first` + n.
#[derive(Clone, Copy)]
pub(super) struct Items {
    pub(super) original: Position,
    pub(super) first: u16,
    pub(super) mask: u64,
}

/// pacs.002: all the items have the same status.
pub(super) fn statuses(
    entry: &Entry<'_>,
    items: Items,
    status: Status,
    session: Option<SessionId>,
    out: &mut Vec<u8>,
) -> Result<(), RenderError> {
    let submit = submission(entry, items.original)?;
    let version = versions::message(submit.message_version);
    let version = version.ok_or(RenderError::Facts {
        position: items.original,
        expected: "of a known message version",
    })?;
    let (status, reason) = match status {
        Status::Pending => (TransactionStatus::Pdng, None),
        Status::Settled => (TransactionStatus::Acsc, None),
        Status::Rejected { reason, .. } => (TransactionStatus::Rjct, Some(reason)),
    };
    let orders = chosen(&submit.items, items)?;
    let uetrs: Vec<Text<36>> = orders.iter().map(|order| hyphenated(order.uetr)).collect();
    let settled = status == TransactionStatus::Acsc;
    let date = session.filter(|_| settled).map(date_text);
    let reference = session.map(session_text);
    let reports: Vec<StatusReport<'_>> = orders
        .iter()
        .zip(&uetrs)
        .map(|(order, uetr)| StatusReport {
            message_id: entry.id(),
            created_ns: entry.created_ns(),
            instructing_agent: Some(entry.switch.as_str()),
            instructed_agent: Some(entry.receiver.as_str()),
            status_id: None,
            original: view::Original {
                message_id: Some(submit.message_id.as_str()),
                message_name: Some(version.as_str()),
                instruction_id: order.instruction_id.as_ref().map(|id| id.as_str()),
                end_to_end_id: Some(order.end_to_end_id.as_str()),
                transaction_id: order.transaction_id.as_str(),
                uetr: uetr.as_str(),
            },
            status,
            reason: reason.map(codes::status),
            reason_text: reason.map(|reason| Cow::Borrowed(reason.text())),
            accepted_ns: None,
            settlement_date: date.as_ref().map(Text::as_str),
            clearing_reference: reference.as_ref().map(Text::as_str),
        })
        .collect();
    write::status_reports(out, Some(&header(entry)), &reports);
    Ok(())
}

/// pacs.002 RJCT: items that broke the usage table, each with its place and rule.
pub(super) fn refusals(
    entry: &Entry<'_>,
    items: Items,
    out: &mut Vec<u8>,
) -> Result<(), RenderError> {
    let submit = submission(entry, items.original)?;
    let version = versions::message(submit.message_version);
    let version = version.ok_or(RenderError::Facts {
        position: items.original,
        expected: "of a known message version",
    })?;
    let orders = chosen(&submit.refused, items)?;
    let uetrs: Vec<Option<Text<36>>> = orders
        .iter()
        .map(|order| order.uetr.map(hyphenated))
        .collect();
    let reasons: Vec<Vec<(&str, Cow<'_, str>)>> =
        orders.iter().map(|order| reasons(order)).collect();
    let batch = Batch {
        message_id: entry.id(),
        created_ns: entry.created_ns(),
        settlement_date: "",
        instructing_agent: entry.switch.as_str(),
        instructed_agent: entry.receiver.as_str(),
    };
    let written: Vec<ItemRefusal<'_>> = orders
        .iter()
        .zip(&uetrs)
        .zip(&reasons)
        .map(|((order, uetr), reasons)| ItemRefusal {
            instruction_id: order.instruction_id.as_ref().map(Text::as_str),
            end_to_end_id: order.end_to_end_id.as_ref().map(Text::as_str),
            transaction_id: order.transaction_id.as_ref().map(Text::as_str),
            uetr: uetr.as_ref().map(Text::as_str),
            reasons,
        })
        .collect();
    let original = (submit.message_id.as_str(), version.as_str());
    write::item_refusals(out, Some(&header(entry)), &batch, original, &written);
    Ok(())
}

/// Codes and words: of the item, then of each wrong line of its list, then how many more there are.
fn reasons(order: &RefusedOrder) -> Vec<(&str, Cow<'_, str>)> {
    let mut reasons = vec![(order.code.as_str(), Cow::Borrowed(order.text.as_str()))];
    for line in &order.lines {
        let (code, words) = line_rule(line.rule);
        reasons.push((code, format!("line {}: {words}", line.number).into()));
    }
    if order.more > 0 {
        let words = format!("{} more lines are wrong", order.more);
        reasons.push((order.code.as_str(), words.into()));
    }
    reasons
}

/// Code and words for a wrong line of a list of beneficiaries.
fn line_rule(rule: LineRule) -> (&'static str, &'static str) {
    match rule {
        LineRule::Name => ("BE22", "the person has a name"),
        LineRule::Number => ("BE17", "the person has an IIN with right check digits"),
        LineRule::Amount => (
            "AM12",
            "an amount is above zero, in tenge with at most two decimals",
        ),
        LineRule::Period => ("RR06", "the period is a year and a month"),
        LineRule::Repeated => ("AM05", "person and period stand in an earlier line"),
    }
}

/// pacs.008 with the items, which the session has settled.
pub(super) fn forward(
    entry: &Entry<'_>,
    items: Items,
    session: SessionId,
    out: &mut Vec<u8>,
) -> Result<(), RenderError> {
    let submit = submission(entry, items.original)?;
    let orders = chosen(&submit.items, items)?;
    let texts: Vec<Texts> = orders.iter().map(|order| Texts::of(order)).collect();
    let lists = lists(entry, items.original, &orders)?;
    let (date, reference) = (date_text(session), session_text(session));
    let batch = Batch {
        message_id: entry.id(),
        created_ns: entry.created_ns(),
        settlement_date: date.as_str(),
        instructing_agent: entry.switch.as_str(),
        instructed_agent: entry.receiver.as_str(),
    };
    let written: Vec<BatchItem<'_>> = orders
        .iter()
        .zip(&texts)
        .zip(&lists)
        .map(|((order, texts), list)| BatchItem {
            is_high: order.priority == Priority::High,
            instruction_id: order.instruction_id.as_ref().map(|id| id.as_str()),
            end_to_end_id: order.end_to_end_id.as_str(),
            transaction_id: order.transaction_id.as_str(),
            uetr: texts.uetr.as_str(),
            clearing_reference: reference.as_str(),
            tiyn: order.amount.minor(),
            debtor: party(&order.debtor, &texts.debtor),
            creditor: party(&order.creditor, &texts.creditor),
            knp: texts.purpose.as_str(),
            remittance: order.remittance.as_ref().map(|line| line.as_str()),
            list: list.as_deref(),
        })
        .collect();
    write::batch(out, Some(&header(entry)), &batch, &written);
    Ok(())
}

/// The lists of beneficiaries of items, as they were sent.
fn lists(
    entry: &Entry<'_>,
    original: Position,
    orders: &[&Order],
) -> Result<Vec<Option<Bytes>>, RenderError> {
    if orders.iter().all(|order| order.list.is_none()) {
        return Ok(vec![None; orders.len()]);
    }
    let message = entry.records.evidence(original)?;
    let lists = orders.iter().map(|order| {
        let Some(list) = &order.list else {
            return Ok(None);
        };
        let (start, length) = (list.start as usize, list.length as usize);
        let end = start.saturating_add(length);
        if end > message.len() {
            return Err(RenderError::Facts {
                position: original,
                expected: "a message that holds its lists of beneficiaries",
            });
        }
        Ok(Some(message.slice(start..end)))
    });
    lists.collect()
}

/// What a session came to for the receiver.
pub(super) struct Report {
    pub(super) session: SessionId,
    pub(super) sent: (u32, Money),
    pub(super) received: (u32, Money),
    pub(super) left_out: (u32, Money),
}

/// admi.004, event ICSR. Parameters: session, items paid and their sum, items received and theirs, items left out and theirs, net.
pub(super) fn report(entry: &Entry<'_>, report: &Report, out: &mut Vec<u8>) {
    let (credit, debit) = (report.received.1.minor(), report.sent.1.minor());
    let (sign, net) = if credit >= debit {
        ("", credit.saturating_sub(debit))
    } else {
        ("-", debit.saturating_sub(credit))
    };
    let mut texts = vec![session_text(report.session).as_str().to_owned()];
    for (items, amount) in [report.sent, report.received, report.left_out] {
        texts.push(items.to_string());
        texts.push(decimal(amount));
    }
    texts.push(format!("{sign}{}", decimal(Money::kzt(net))));
    let mut parameters = Parameters::default();
    for text in texts {
        // Eight fit.
        let _ = parameters.push(Cow::Owned(text));
    }
    let notice = EventNotice {
        code: "ICSR",
        parameters,
        description: Some(Cow::Borrowed(
            "A clearing session has been settled. Parameters: session, items paid, their sum, items received, their sum, items \
             left out for want of funds, their sum, net position.",
        )),
        time_ns: Some(entry.created_ns()),
    };
    write::event_notice(out, Some(&header(entry)), &notice);
}

fn header<'h>(entry: &'h Entry<'_>) -> BusinessHeader<'h> {
    BusinessHeader {
        service: Some(SERVICE),
        ..entry.header(entry.id())
    }
}

fn submission(entry: &Entry<'_>, position: Position) -> Result<Submit, RenderError> {
    match entry.records.facts(position)? {
        Command::Clearing(clearing::Command::Submit(submit)) => Ok(submit),
        _ => Err(RenderError::Facts {
            position,
            expected: "a submission of items",
        }),
    }
}

/// The items or refused items that a mask chooses.
fn chosen<T>(all: &[T], items: Items) -> Result<Vec<&T>, RenderError> {
    let places = (0..u64::BITS).filter(|place| items.mask >> place & 1 == 1);
    let orders = places.map(|place| {
        let index = usize::from(items.first).saturating_add(place as usize);
        all.get(index).ok_or(RenderError::Facts {
            position: items.original,
            expected: "a submission with as many items",
        })
    });
    orders.collect()
}

/// Texts that an item's facts hold as numbers.
struct Texts {
    uetr: Text<36>,
    purpose: Text<3>,
    debtor: PartyTexts,
    creditor: PartyTexts,
}

struct PartyTexts {
    number: Text<12>,
    sector: Text<2>,
}

impl Texts {
    fn of(order: &Order) -> Texts {
        let party = |party: &Party| PartyTexts {
            number: Text::format(format_args!("{}", party.number)).unwrap_or(Text::EMPTY),
            sector: Text::format(format_args!("{}", party.sector)).unwrap_or(Text::EMPTY),
        };
        Texts {
            uetr: hyphenated(order.uetr),
            purpose: Text::format(format_args!("{}", order.purpose)).unwrap_or(Text::EMPTY),
            debtor: party(&order.debtor),
            creditor: party(&order.creditor),
        }
    }
}

fn party<'a>(party: &'a Party, texts: &'a PartyTexts) -> BatchParty<'a> {
    let digits = texts.number.as_str();
    BatchParty {
        name: party.name.as_str(),
        number: match party.number.kind() {
            PartyKind::Individual => PersonNumber::Iin(digits),
            PartyKind::Business => PersonNumber::Bin(digits),
        },
        iban: party.account.as_str(),
        agent: party.agent.as_str(),
        sector: texts.sector.as_str(),
    }
}

fn session_text(session: SessionId) -> Text<35> {
    Text::format(format_args!("{session}")).unwrap_or(Text::EMPTY)
}

fn date_text(session: SessionId) -> Text<10> {
    Text::format(format_args!("{}", session.date)).unwrap_or(Text::EMPTY)
}

fn decimal(money: Money) -> String {
    let mut text = Vec::new();
    money.write_decimal(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}
