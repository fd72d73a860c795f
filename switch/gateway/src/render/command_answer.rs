//! Answers to JSON commands (content type 3). docs/wire.md shows them.

use serde::Serialize;
use torap_domain::{MessageId, Position, Reason};
use torap_engine::{Command, links};

use super::{RenderError, entry::Entry, reject::message_id};
use crate::codes;

/// One answer; keys that do not apply are left out.
#[derive(Debug, Default, Serialize)]
struct Answer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    accepted: bool,
    /// Log position of the command.
    position: u64,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    refusal: Option<Refusal<'a>>,
}

#[derive(Debug, Serialize)]
struct Refusal<'a> {
    reason: &'static str,
    code: &'a str,
    text: &'static str,
    actor: &'static str,
    /// Key of the command that is at fault, and the rule it breaks.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a str>,
}

/// What became of the JSON command at `original`.
pub(super) fn answer(
    entry: &Entry<'_>,
    original: Position,
    refusal: Option<Reason>,
    out: &mut Vec<u8>,
) -> Result<(), RenderError> {
    let command = entry.records.facts(original)?;
    let refused = match &command {
        Command::Links(links::Command::Refused { refusal, .. }) => Some(refusal),
        _ => None,
    };
    let reference = message_id(&command);
    let answer = Answer {
        reference: reference.as_ref().map(MessageId::as_str),
        accepted: refusal.is_none(),
        position: original.value(),
        refusal: refusal.map(|reason| Refusal {
            reason: reason.name(),
            code: refused.map_or(codes::status(reason), |refused| refused.code.as_str()),
            text: reason.text(),
            actor: reason.actor().name(),
            path: refused.map(|refused| refused.path.as_str()),
            rule: refused.map(|refused| refused.rule.as_str()),
        }),
    };
    serde_json::to_writer(out, &answer).map_err(|_| RenderError::Facts {
        position: original,
        expected: "writable as JSON",
    })
}
