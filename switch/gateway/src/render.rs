//! What the switch says to a bank: an entry of its outbound stream as text.
//!
//! Why it exists: the stream is kept without texts. A text is derived from the entry and from the records that it names, so a
//! resend, after whatever restart, has the same bytes; only PssblDplct tells it apart. What the engine had at hand when it
//! made the entry saves reading the records; with or without it the text is the same.
//!
//! Messages of the switch's own have the identifier `T`, the receiver's participant number (4 digits), `-` and the sequence in
//! its stream; their creation time is the time of the record that caused them. A forward keeps the identifier of the Document
//! that it carries. The receiver is named by its primary BIC as it is now: after the operator has changed that, a resend has
//! the new one.
//!
//! It never decides anything, and never changes a Document beyond what docs/messages.md says of a payment by phone.

mod clearing;
mod command_answer;
mod entry;
mod error;
mod exceptions;
mod forward;
mod look_up;
mod mass;
mod notice;
mod reject;
mod report;
mod settlement;
mod settlement_notice;
mod statement;
mod status;

pub use error::{RecordError, RenderError};
pub use statement::{Statements, TooLarge};

use bytes::Bytes;
use torap_domain::Position;
use torap_engine::{Command, Effect, Message};

use crate::{network::Network, wire::ContentType};
use clearing::Items;
use entry::Entry;

/// The log, for texts that need more than the entry.
pub trait Records {
    /// The command of a record.
    ///
    /// # Errors
    /// The record is not there or cannot be read.
    fn facts(&self, position: Position) -> Result<Command, RecordError>;

    /// The original bytes of a record.
    ///
    /// # Errors
    /// As above, or the original is no longer kept.
    fn evidence(&self, position: Position) -> Result<Bytes, RecordError>;
}

/// Writes entries of outbound streams. One per connection: its buffers are reused.
#[derive(Debug, Default)]
pub struct Renderer {
    /// Room for a sentence put together from parts.
    sentence: String,
}

impl Renderer {
    /// A renderer.
    pub fn new() -> Renderer {
        Renderer::default()
    }

    /// Appends the text of an entry to `out`; with an error `out` is as it was. `evidence` is the original message of the
    /// record that the entry forwards, if it is at hand; `records` are read only for what neither it nor the effect has.
    ///
    /// # Errors
    /// A record cannot be read or is not what the entry says, or the receiver is unknown.
    pub fn render(
        &mut self,
        effect: &Effect,
        evidence: Option<&[u8]>,
        records: &dyn Records,
        network: &Network,
        possible_duplicate: bool,
        out: &mut Vec<u8>,
    ) -> Result<ContentType, RenderError> {
        let length = out.len();
        let entry = Entry::new(effect, evidence, records, network, possible_duplicate)?;
        let written = self.write(&entry, out);
        if written.is_err() {
            out.truncate(length);
        }
        written
    }

    fn write(&mut self, entry: &Entry<'_>, out: &mut Vec<u8>) -> Result<ContentType, RenderError> {
        match entry.effect.outbound.message {
            Message::Forward { original } => forward::payment(entry, original, out)?,
            Message::ForwardReturn { original }
            | Message::ForwardRecall { original }
            | Message::ForwardResolution { original } => forward::unaltered(entry, original, out)?,
            Message::Confirm { original } => look_up::confirmation(entry, original, out)?,
            Message::LookUpAnswer { original, refusal } => {
                look_up::answer(entry, original, refusal, out)?;
            }
            Message::Status {
                original,
                status,
                decided,
                decided_at,
                repeat: _,
            } => {
                status::report(entry, original, status, decided, decided_at, out)?;
            }
            Message::NotReceived { original } => status::not_received(entry, original, out)?,
            Message::Resolution { original, reason } => {
                exceptions::resolution(entry, original, reason, out)?;
            }
            Message::Reject { original, reason } => {
                reject::reject(entry, original, reason, &mut self.sentence, out)?;
            }
            Message::Notice { notice } => notice::notice(entry, notice, out)?,
            Message::ClearingStatus {
                original,
                first,
                items: mask,
                status,
                session,
            } => {
                let items = Items {
                    original,
                    first,
                    mask,
                };
                clearing::statuses(entry, items, status, session, out)?;
            }
            Message::ClearingRefused {
                original,
                first,
                items: mask,
            } => {
                let items = Items {
                    original,
                    first,
                    mask,
                };
                clearing::refusals(entry, items, out)?;
            }
            Message::ClearingForward {
                original,
                first,
                items: mask,
                session,
            } => {
                let items = Items {
                    original,
                    first,
                    mask,
                };
                clearing::forward(entry, items, session, out)?;
            }
            Message::ClearingReport {
                session,
                sent,
                debits,
                received,
                credits,
                left_out,
                left_out_amount,
            } => {
                let report = clearing::Report {
                    session,
                    sent: (sent, debits),
                    received: (received, credits),
                    left_out: (left_out, left_out_amount),
                };
                clearing::report(entry, &report, out);
            }
            Message::MassStatus {
                original,
                first,
                lines: mask,
                standing,
            } => {
                let lines = mass::Lines {
                    original,
                    first,
                    mask,
                };
                mass::statuses(entry, lines, standing, out)?;
            }
            Message::ImtsStatus {
                original,
                status,
                decided,
                decided_at,
            } => settlement::status(entry, original, status, (decided, decided_at), out)?,
            Message::ImtsForward {
                original,
                settled_at,
            } => settlement::forward(entry, original, settled_at, out)?,
            Message::WithdrawalAnswer {
                original,
                withdrawal,
            } => settlement::resolution(entry, original, withdrawal, out)?,
            Message::ImtsReceipt { original, receipt } => {
                settlement::receipt(entry, original, receipt, out)?;
            }
            Message::ImtsDay { event } => settlement::day(entry, event, out),
            Message::Report { original } => report::answer(entry, original, out)?,
            Message::ImtsNotice { entry: moved } => report::notice(entry, moved, out)?,
            Message::CommandAnswer { original, refusal } => {
                command_answer::answer(entry, original, refusal, out)?;
                return Ok(ContentType::AnswerJson);
            }
        }
        Ok(ContentType::Iso20022Xml)
    }
}

#[cfg(test)]
mod tests;
