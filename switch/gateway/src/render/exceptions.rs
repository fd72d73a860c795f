//! camt.029 of the switch's own: a recall that goes no further.

use std::borrow::Cow;

use torap_domain::{Position, Reason};
use torap_engine::{Command, instant};
use torap_iso20022::{
    view::{self, CancellationStatus, Resolution},
    write,
};

use super::{
    RenderError,
    entry::{Entry, hyphenated},
};
use crate::codes;

/// The camt.056 at `original` is refused, was not answered in time, or repeats one that still waits for its answer (PDCR).
pub(super) fn resolution(
    entry: &Entry<'_>,
    original: Position,
    reason: Reason,
    out: &mut Vec<u8>,
) -> Result<(), RenderError> {
    let Command::Instant(instant::Command::Recall(recall)) = entry.records.facts(original)? else {
        return Err(RenderError::Facts {
            position: original,
            expected: "a recall",
        });
    };
    let references = &recall.references;
    let uetr = hyphenated(references.uetr);
    let waits = reason == Reason::RecallInProgress;
    let status = if waits {
        CancellationStatus::Pending
    } else {
        CancellationStatus::Refused
    };
    let resolution = Resolution {
        assignment: entry.assignment(),
        case_id: None,
        status_id: Some(recall.cancellation_id.as_str()),
        original: view::Original {
            message_id: None,
            message_name: None,
            instruction_id: references.instruction_id.as_ref().map(|id| id.as_str()),
            end_to_end_id: references.end_to_end_id.as_ref().map(|id| id.as_str()),
            transaction_id: references.transaction_id.as_str(),
            uetr: uetr.as_str(),
        },
        status,
        reason: Some(codes::cancellation(reason)),
        reason_text: Some(Cow::Borrowed(reason.text())),
    };
    write::resolution(out, Some(&entry.header(entry.id())), &resolution);
    Ok(())
}
