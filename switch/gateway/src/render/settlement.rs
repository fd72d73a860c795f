//! What IMTS says: pacs.002 about payments and returns, the settled ones to their payees, camt.029, camt.025, and admi.004 about the
//! business day.

use std::{borrow::Cow, fmt};

use torap_domain::{Bic, Date, ParticipantId, Position, Text, Time, TransactionId};
use torap_engine::{
    Command, DayEvent, Receipt, References, Status, Withdrawal, clearing, reports,
    settlement::{self, Payment, Priority, uetr_of_record},
};
use torap_iso20022::{
    MessageType,
    view::{
        self, BusinessHeader, CLEARING_SERVICE, CancellationStatus, EventNotice, Parameters,
        Resolution, SETTLEMENT_SERVICE, SettlementTransfer, StatusReport, TransactionStatus,
    },
    write,
};

use super::{
    RenderError,
    entry::{Entry, hyphenated},
    forward,
};
use crate::{codes, versions};

/// EndToEndId of a payment that has none.
const NOT_PROVIDED: &str = "NOTPROVIDED";

/// When, and in which record, the status was decided.
pub(super) type Decided = (Position, Time);

/// pacs.002.
pub(super) fn status(
    entry: &Entry<'_>,
    original: Position,
    status: Status,
    (decided, decided_at): Decided,
    out: &mut Vec<u8>,
) -> Result<(), RenderError> {
    let about = About::of(entry, original)?;
    let uetr = about.uetr();
    let (status, reason) = match status {
        Status::Pending => (TransactionStatus::Pdng, None),
        Status::Settled => (TransactionStatus::Acsc, None),
        Status::Rejected { reason, .. } => (TransactionStatus::Rjct, Some(reason)),
    };
    let settled = status == TransactionStatus::Acsc;
    let date = settled.then(|| date_text(decided_at));
    let reference: Text<20> = short(format_args!("{decided}"));
    let references = about.references();
    let report = StatusReport {
        message_id: entry.id(),
        created_ns: entry.created_ns(),
        instructing_agent: Some(entry.switch.as_str()),
        instructed_agent: Some(entry.receiver.as_str()),
        status_id: None,
        original: view::Original {
            message_id: references.map(|references| references.message_id.as_str()),
            message_name: about.version()?.map(MessageType::as_str),
            instruction_id: references
                .and_then(|references| references.instruction_id.as_ref())
                .map(|id| id.as_str()),
            end_to_end_id: references
                .and_then(|references| references.end_to_end_id.as_ref())
                .map(|id| id.as_str()),
            transaction_id: about.transaction_id.as_str(),
            uetr: uetr.as_str(),
        },
        status,
        reason: reason.map(codes::status),
        reason_text: reason.map(|reason| Cow::Borrowed(reason.text())),
        accepted_ns: None,
        settlement_date: date.as_ref().map(Text::as_str),
        clearing_reference: Some(reference.as_str()),
    };
    write::status_report(out, Some(&header(entry, entry.id())), &report);
    Ok(())
}

/// The settled payment to its payee: the Document as it came, or a pacs.009 for one that the operator entered.
pub(super) fn forward(
    entry: &Entry<'_>,
    original: Position,
    settled_at: Time,
    out: &mut Vec<u8>,
) -> Result<(), RenderError> {
    let about = About::of(entry, original)?;
    let payment = match &about.entered {
        Entered::ByBank(references) => {
            let header = header(entry, references.message_id.as_str());
            let version = about.version()?.ok_or(unexpected(original))?;
            return forward::document(entry, original, &header, version, out);
        }
        Entered::ByOperator(payment) => payment,
    };
    let uetr = about.uetr();
    let payer = primary(entry, payment.from)?;
    let payee = primary(entry, payment.to)?;
    let date = date_text(settled_at);
    let transfer = SettlementTransfer {
        message_id: entry.id(),
        created_ns: entry.created_ns(),
        settlement_date: Some(date.as_str()),
        instructing_agent: payer.as_str(),
        instructed_agent: Some(payee.as_str()),
        instruction_id: None,
        end_to_end_id: NOT_PROVIDED,
        transaction_id: about.transaction_id.as_str(),
        uetr: uetr.as_str(),
        tiyn: payment.amount.minor(),
        is_high: payment.priority != Priority::Normal,
        from_ns: None,
        till_ns: None,
        debtor_agent: payer.as_str(),
        creditor_agent: payee.as_str(),
        accounts: None,
    };
    write::bank_transfer(out, Some(&header(entry, entry.id())), &transfer);
    Ok(())
}

/// camt.029: whether the payment was withdrawn.
pub(super) fn resolution(
    entry: &Entry<'_>,
    original: Position,
    withdrawal: Withdrawal,
    out: &mut Vec<u8>,
) -> Result<(), RenderError> {
    let (references, cancellation_id, service) = match entry.records.facts(original)? {
        Command::Settlement(settlement::Command::Cancel(cancellation)) => (
            cancellation.references,
            cancellation.cancellation_id,
            SETTLEMENT_SERVICE,
        ),
        Command::Clearing(clearing::Command::Cancel(cancellation)) => (
            cancellation.references,
            cancellation.cancellation_id,
            CLEARING_SERVICE,
        ),
        _ => {
            return Err(RenderError::Facts {
                position: original,
                expected: "a withdrawal of a payment or an item",
            });
        }
    };
    let (reason, text) = why_not(withdrawal).unzip();
    let status = match reason {
        None => CancellationStatus::Cancelled,
        Some(_) => CancellationStatus::Refused,
    };
    let uetr = hyphenated(references.uetr);
    let resolution = Resolution {
        assignment: entry.assignment(),
        case_id: None,
        status_id: Some(cancellation_id.as_str()),
        original: view::Original {
            message_id: None,
            message_name: None,
            instruction_id: references.instruction_id.as_ref().map(|id| id.as_str()),
            end_to_end_id: references.end_to_end_id.as_ref().map(|id| id.as_str()),
            transaction_id: references.transaction_id.as_str(),
            uetr: uetr.as_str(),
        },
        status,
        reason,
        reason_text: text.map(Cow::Borrowed),
    };
    let header = BusinessHeader {
        service: Some(service),
        ..entry.header(entry.id())
    };
    write::resolution(out, Some(&header), &resolution);
    Ok(())
}

/// Code and words for a payment that does not wait any more.
fn why_not(withdrawal: Withdrawal) -> Option<(&'static str, &'static str)> {
    match withdrawal {
        Withdrawal::Done => None,
        Withdrawal::Settled => Some(("PTNA", "The payment has settled.")),
        Withdrawal::Ended => Some((
            "ARDT",
            "The payment was rejected, left out or withdrawn before.",
        )),
        Withdrawal::Unknown => Some((
            "NOOR",
            "No payment of the bank with these identifiers is known.",
        )),
    }
}

/// camt.025: what came of a liquidity transfer or a change of a payment, or why a question is refused.
pub(super) fn receipt(
    entry: &Entry<'_>,
    original: Position,
    receipt: Receipt,
    out: &mut Vec<u8>,
) -> Result<(), RenderError> {
    let wrong = RenderError::Facts {
        position: original,
        expected: "a liquidity transfer, a change of a payment or a question",
    };
    let (message_id, version) = match entry.records.facts(original)? {
        Command::Settlement(settlement::Command::MoveLiquidity(order)) => {
            (order.message_id, Some(MessageType::CAMT_050_001_06))
        }
        Command::Settlement(settlement::Command::Modify(modification)) => (
            modification.message_id,
            versions::message(modification.message_version),
        ),
        Command::Reports(reports::Command::Request(request)) => (
            request.message_id,
            versions::message(request.message_version),
        ),
        _ => return Err(wrong),
    };
    let version = version.ok_or(wrong)?;
    let (status, description) = match receipt {
        Receipt::Done => ("ACSC", None),
        Receipt::Waits { opens } => ("PDNG", Some(format!("Kept until IMTS opens: {opens}"))),
        Receipt::Refused { reason } => (
            "RJCT",
            Some(format!("{} {}", codes::status(reason), reason.text())),
        ),
        Receipt::Unchanged { withdrawal } => (
            "RJCT",
            why_not(withdrawal).map(|(code, text)| format!("{code} {text}")),
        ),
    };
    let receipt = view::Receipt {
        message_id: entry.id(),
        created_ns: entry.created_ns(),
        original_message_id: message_id.as_str(),
        original_message_name: version.as_str(),
        status,
        description: description.map(Cow::Owned),
    };
    write::receipt(out, Some(&header(entry, entry.id())), &receipt);
    Ok(())
}

/// admi.004: the business day.
pub(super) fn day(entry: &Entry<'_>, event: DayEvent, out: &mut Vec<u8>) {
    let (code, text, times) = match event {
        DayEvent::Opened { until, cut_off } => (
            "OPEN",
            "IMTS has opened its business day. Parameters: its end, the cut-off of normal priority.",
            [Some(until), cut_off],
        ),
        DayEvent::Extended { until, cut_off } => (
            "EXTD",
            "The business day of IMTS has another end or cut-off. Parameters: its end, the cut-off of normal priority.",
            [Some(until), cut_off],
        ),
        DayEvent::CutOff => (
            "CUTO",
            "IMTS takes no more payments of normal priority on this business day.",
            [None, None],
        ),
        DayEvent::Closed => (
            "CLSD",
            "IMTS has closed its business day; what waited was rejected.",
            [None, None],
        ),
    };
    let texts = times.map(|time| time.map(|time| short::<35>(format_args!("{time}"))));
    let mut parameters = Parameters::default();
    for text in texts.iter().flatten() {
        // Two always fit.
        let _ = parameters.push(Cow::Borrowed(text.as_str()));
    }
    let notice = EventNotice {
        code,
        parameters,
        description: Some(Cow::Borrowed(text)),
        time_ns: Some(entry.created_ns()),
    };
    write::event_notice(out, Some(&header(entry, entry.id())), &notice);
}

/// A payment or return of IMTS as its record has it.
struct About {
    entered: Entered,
    transaction_id: TransactionId,
    original: Position,
}

enum Entered {
    ByBank(References),
    ByOperator(Payment),
}

impl About {
    fn of(entry: &Entry<'_>, original: Position) -> Result<About, RenderError> {
        let Command::Settlement(command) = entry.ordered(original)? else {
            return Err(unexpected(original));
        };
        let (entered, name) = match command {
            settlement::Command::Instruct(instruction) => {
                let references = instruction.references;
                (Entered::ByBank(references), Some(references.transaction_id))
            }
            // An answer to a return names the return where an answer to a payment names the payment.
            settlement::Command::Return(back) => {
                let name = TransactionId::parse(back.return_id.as_str()).ok();
                (Entered::ByBank(back.references), name)
            }
            settlement::Command::Pay { payment, .. } => {
                let name = TransactionId::parse(payment.reference.as_str()).ok();
                (Entered::ByOperator(payment), name)
            }
            _ => return Err(unexpected(original)),
        };
        // The operator's reference may be any text; one that is no identifier gives way to the record.
        let transaction_id = name
            .or_else(|| TransactionId::format(format_args!("{original}")).ok())
            .ok_or(unexpected(original))?;
        Ok(About {
            entered,
            transaction_id,
            original,
        })
    }

    fn references(&self) -> Option<&References> {
        match &self.entered {
            Entered::ByBank(references) => Some(references),
            Entered::ByOperator(_) => None,
        }
    }

    /// The version of the bank's message.
    fn version(&self) -> Result<Option<MessageType>, RenderError> {
        let number = self.references().map(|found| found.message_version);
        number
            .map(|number| versions::message(number).ok_or(unexpected(self.original)))
            .transpose()
    }

    fn uetr(&self) -> Text<36> {
        let own = self.references().map(|references| references.uetr);
        hyphenated(own.unwrap_or_else(|| uetr_of_record(self.original)))
    }
}

fn unexpected(position: Position) -> RenderError {
    RenderError::Facts {
        position,
        expected: "a payment of IMTS",
    }
}

pub(super) fn primary(entry: &Entry<'_>, participant: ParticipantId) -> Result<Bic, RenderError> {
    let view = entry.network.by_id(participant);
    let bic = view.and_then(|view| view.bics.first()).copied();
    bic.ok_or(RenderError::Receiver(participant))
}

pub(super) fn header<'h>(entry: &'h Entry<'_>, message_id: &'h str) -> BusinessHeader<'h> {
    BusinessHeader {
        service: Some(SETTLEMENT_SERVICE),
        ..entry.header(message_id)
    }
}

fn date_text(time: Time) -> Text<10> {
    short(format_args!("{}", Date::from_time(time)))
}

fn short<const N: usize>(arguments: fmt::Arguments<'_>) -> Text<N> {
    Text::format(arguments).unwrap_or(Text::EMPTY)
}
