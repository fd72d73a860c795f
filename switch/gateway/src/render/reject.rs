//! admi.002: a message that the switch did not carry out, with place, rule and code.

use std::{borrow::Cow, fmt::Write};

use torap_domain::{MessageId, Position, Reason};
use torap_engine::{Command, clearing, directory, instant, links, mass, qr, reports, settlement};
use torap_iso20022::{view::Reject, write};

use super::{RenderError, entry::Entry};
use crate::codes;

/// RltdRef of a message whose identification could not be read.
const UNKNOWN: &str = "UNKNOWN";

/// The message at `original` is refused.
pub(super) fn reject(
    entry: &Entry<'_>,
    original: Position,
    reason: Reason,
    sentence: &mut String,
    out: &mut Vec<u8>,
) -> Result<(), RenderError> {
    let command = entry.records.facts(original)?;
    let reference = message_id(&command);
    let refusal = match &command {
        Command::Links(links::Command::Refused { refusal, .. }) => Some(refusal),
        _ => None,
    };
    sentence.clear();
    // Writing to a string cannot fail.
    let _ = write!(
        sentence,
        "{}; {} must act: {}",
        reason.name(),
        reason.actor(),
        reason.text()
    );
    let reject = Reject {
        related: Cow::Borrowed(reference.as_ref().map_or(UNKNOWN, MessageId::as_str)),
        reason: Cow::Borrowed(
            refusal.map_or(codes::status(reason), |refusal| refusal.code.as_str()),
        ),
        rejected_ns: Some(entry.created_ns()),
        location: refusal.map(|refusal| Cow::Borrowed(refusal.path.as_str())),
        description: Some(Cow::Borrowed(
            refusal.map_or(reason.text(), |refusal| refusal.rule.as_str()),
        )),
        additional: Some(Cow::Borrowed(sentence)),
    };
    write::reject(out, Some(&entry.header(entry.id())), &reject);
    Ok(())
}

/// The sender's own identification of the message that became this command.
pub(super) fn message_id(command: &Command) -> Option<MessageId> {
    match command {
        Command::Instant(command) => instant_message_id(command),
        Command::Directory(directory::Command::Change(change)) => Some(change.reference),
        Command::Directory(directory::Command::LookUp(look_up)) => Some(look_up.message_id),
        Command::Qr(qr::Command::Register(register)) => Some(register.reference),
        Command::Qr(qr::Command::Cancel { reference, .. }) => Some(*reference),
        Command::Reports(reports::Command::Request(request)) => Some(request.message_id),
        Command::Mass(mass::Command::Take(take)) => Some(take.message_id),
        Command::Settlement(command) => settlement_message_id(command),
        Command::Clearing(clearing::Command::Submit(submit)) => Some(submit.message_id),
        Command::Clearing(clearing::Command::Cancel(cancellation)) => {
            Some(cancellation.references.message_id)
        }
        Command::Links(links::Command::Refused { refusal, .. }) => refusal.reference,
        Command::Links(
            links::Command::Up { .. } | links::Command::Down { .. } | links::Command::Noted { .. },
        )
        | Command::Directory(directory::Command::Import { .. })
        | Command::Participants(_)
        | Command::Schedule(_)
        | Command::Approval(_)
        | Command::Cards(_)
        | Command::Clearing(
            clearing::Command::Withdraw { .. }
            | clearing::Command::Close { .. }
            | clearing::Command::SetSettings { .. }
            | clearing::Command::SetPurposes { .. },
        )
        | Command::Ancillary(_)
        | Command::Tariffs(_)
        | Command::Mass(mass::Command::Submit(_) | mass::Command::Miss(_))
        | Command::Disputes(_)
        | Command::Reports(reports::Command::Answer(_) | reports::Command::SetWants { .. })
        | Command::Tick
        | Command::Start { .. }
        | Command::Rules { .. }
        | Command::Mark { .. }
        | Command::Bounds { .. } => None,
    }
}

fn settlement_message_id(command: &settlement::Command) -> Option<MessageId> {
    match command {
        settlement::Command::Instruct(instruction) => Some(instruction.references.message_id),
        settlement::Command::Cancel(cancellation) => Some(cancellation.references.message_id),
        settlement::Command::Return(back) => Some(back.references.message_id),
        settlement::Command::MoveLiquidity(order) => Some(order.message_id),
        settlement::Command::Modify(modification) => Some(modification.message_id),
        // The operator's.
        _ => None,
    }
}

fn instant_message_id(command: &instant::Command) -> Option<MessageId> {
    match command {
        instant::Command::CreditTransfer(transfer) => Some(transfer.references.message_id),
        instant::Command::Answer(answer) => Some(answer.message_id),
        instant::Command::ConfirmAnswer(answer) => Some(answer.message_id),
        instant::Command::Return(payment_return) => Some(payment_return.references.message_id),
        instant::Command::Recall(recall) => Some(recall.references.message_id),
        instant::Command::Resolution(resolution) => Some(resolution.references.message_id),
        instant::Command::StatusRequest(request) => Some(request.references.message_id),
        instant::Command::SetSettings { .. }
        | instant::Command::SetLimits { .. }
        | instant::Command::SetRecallRule { .. } => None,
    }
}
