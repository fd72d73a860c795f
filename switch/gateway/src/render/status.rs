//! pacs.002: what became of a payment, a return, or an identifier that was asked about.

use std::borrow::Cow;

use torap_domain::{Date, Position, Reason, Text, Time};
use torap_engine::Status;
use torap_iso20022::{
    view::{self, StatusReport, TransactionStatus},
    write,
};

use super::{
    RenderError,
    entry::{Entry, Original, hyphenated},
};
use crate::codes;

/// The part of a report that the outcome decides.
struct Outcome<'a> {
    status: TransactionStatus,
    reason: Option<&'a str>,
    text: Option<&'static str>,
    /// Of a final outcome: the record that decided, and when.
    decided: Option<(Position, Time)>,
}

/// The status of the payment or return at `original`.
pub(super) fn report(
    entry: &Entry<'_>,
    original: Position,
    status: Status,
    decided: Position,
    decided_at: Time,
    out: &mut Vec<u8>,
) -> Result<(), RenderError> {
    let code;
    let outcome = match status {
        Status::Pending => Outcome {
            status: TransactionStatus::Pdng,
            reason: None,
            text: None,
            decided: None,
        },
        Status::Settled => Outcome {
            status: TransactionStatus::Acsc,
            reason: None,
            text: None,
            decided: Some((decided, decided_at)),
        },
        Status::Rejected { reason, agent_code } => {
            code = rejection_code(reason, agent_code);
            Outcome {
                status: TransactionStatus::Rjct,
                reason: Some(code.as_str()),
                text: Some(reason.text()),
                decided: Some((decided, decided_at)),
            }
        }
    };
    write_report(entry, &entry.original(original)?, &outcome, out);
    Ok(())
}

/// The payment that the pacs.028 at `original` asks about was never received, and never will be.
pub(super) fn not_received(
    entry: &Entry<'_>,
    original: Position,
    out: &mut Vec<u8>,
) -> Result<(), RenderError> {
    let outbound = &entry.effect.outbound;
    let outcome = Outcome {
        status: TransactionStatus::Rjct,
        reason: Some(codes::status(Reason::NotReceived)),
        text: Some(Reason::NotReceived.text()),
        decided: Some((outbound.cause, outbound.time)),
    };
    write_report(entry, &entry.original(original)?, &outcome, out);
    Ok(())
}

fn write_report(entry: &Entry<'_>, original: &Original, outcome: &Outcome<'_>, out: &mut Vec<u8>) {
    let references = &original.references;
    let uetr = hyphenated(references.uetr);
    let settled = outcome
        .decided
        .filter(|_| outcome.status == TransactionStatus::Acsc);
    let date = settled.map(|(_, time)| date_text(time));
    let clearing_reference = outcome.decided.map(|(position, _)| position_text(position));
    let report = StatusReport {
        message_id: entry.id(),
        created_ns: entry.created_ns(),
        instructing_agent: Some(entry.switch.as_str()),
        instructed_agent: Some(entry.receiver.as_str()),
        status_id: None,
        original: view::Original {
            message_id: Some(references.message_id.as_str()),
            message_name: Some(original.version.as_str()),
            instruction_id: references.instruction_id.as_ref().map(|id| id.as_str()),
            end_to_end_id: references.end_to_end_id.as_ref().map(|id| id.as_str()),
            transaction_id: references.transaction_id.as_str(),
            uetr: uetr.as_str(),
        },
        status: outcome.status,
        reason: outcome.reason,
        reason_text: outcome.text.map(Cow::Borrowed),
        accepted_ns: None,
        settlement_date: date.as_ref().map(Text::as_str),
        clearing_reference: clearing_reference.as_ref().map(Text::as_str),
    };
    write::status_report(out, Some(&entry.header(entry.id())), &report);
}

/// The code of a rejection: the payee's bank's own where it gave one.
fn rejection_code(reason: Reason, agent_code: Option<[u8; 4]>) -> Text<4> {
    let own = agent_code.and_then(|code| {
        let text = std::str::from_utf8(&code).ok()?;
        Text::try_from(text.trim_end()).ok()
    });
    own.unwrap_or_else(|| Text::truncated(codes::status(reason)))
}

fn date_text(time: Time) -> Text<10> {
    Text::format(format_args!("{}", Date::from_time(time))).unwrap_or(Text::EMPTY)
}

fn position_text(position: Position) -> Text<20> {
    Text::format(format_args!("{position}")).unwrap_or(Text::EMPTY)
}
