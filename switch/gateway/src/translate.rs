//! What a bank sends, as a command of the engine.
//!
//! Why it exists: a message is read, checked, typed and completed with facts once, before it is queued, so that the engine
//! decides by typed values alone and replay never looks anything up. docs/messages.md has the messages, docs/wire.md the JSON
//! commands, docs/outcomes.md what becomes of each.
//!
//! Translation never fails: what it cannot take is itself a command, a refusal with place, rule and code, because every
//! message uses up its sequence on the link and must be answered. It decides nothing about money: states, limits, times and
//! duplicates are the engine's, and what is checked here against the picture of the participants is checked there again.

mod clearing;
mod context;
mod exceptions;
mod json;
mod keys;
mod look_up;
mod mass;
mod payment;
mod refusal;
pub(crate) mod resolution_id;
mod settlement;

pub use json::{JSON_COMMAND_BYTES_MAX, command_from_json};
pub use keys::{
    file_key, item_fingerprint, payment_key, presentment_key, return_key, submission_version,
};

use bytes::Bytes;
use torap_domain::{Bic, ParticipantId, Phone, Position, Reason, Sequence, Time, Uetr};
use torap_engine::{
    Command, Source,
    directory::Record,
    instant::{self, CreditTransfer, History, PaymentKey},
    links,
};
use torap_iso20022::{
    MessageKind,
    profile::Direction,
    view::{Body, CLEARING_SERVICE, MASS_SERVICE, Message, Reader, SETTLEMENT_SERVICE},
};

pub use crate::network::Network;
use crate::{
    evidence,
    formats::formats,
    wire::{ContentType, ErrorCode},
};
use context::Context;
use refusal::Breach;

/// How much of a message that was refused goes into the journal, in bytes.
pub const REFUSED_EVIDENCE_BYTES_MAX: usize = 4096;

/// What lives outside the engine and is looked up before queueing.
pub trait Lookups {
    /// What the directory holds of a number, and the log position up to which it had followed.
    fn alias(&self, phone: Phone) -> (Position, Option<Record>);

    /// The payment or return of a key, for identifiers that the engine may have forgotten; none while it has forgotten
    /// nothing.
    fn by_key(&self, key: &PaymentKey) -> Option<History>;

    /// As [`Lookups::by_key`], of a payment by its UETR.
    fn by_uetr(&self, uetr: &Uetr) -> Option<History>;

    /// Whether so many payments wait for the answers of this participant that a further one would wait too long.
    fn is_congested(&self, payee: ParticipantId) -> bool;
}

/// One message from a bank's link.
#[derive(Debug, Clone, Copy)]
pub struct Inbound<'a> {
    /// Whose link.
    pub participant: ParticipantId,
    /// The message's place in the link's stream.
    pub sequence: Sequence,
    /// What the body is.
    pub content_type: ContentType,
    /// The message.
    pub body: &'a Bytes,
}

/// A message as the core takes it.
#[derive(Debug, Clone)]
pub struct Translated {
    /// What is asked, or why it is refused.
    pub command: Command,
    /// What the journal keeps of the original: all of it, of a refused message at most [`REFUSED_EVIDENCE_BYTES_MAX`]. Shares
    /// the body's memory.
    pub evidence: Bytes,
}

/// Turns messages into commands. One per connection: its buffers are reused.
#[derive(Debug)]
pub struct Translator {
    reader: Reader,
    /// BICs that the session speaks for; none: every one that its participant may speak for.
    bound: Option<Vec<Bic>>,
}

impl Translator {
    /// A translator for the national profile.
    pub fn new() -> Translator {
        Translator {
            reader: Reader::new(*formats()),
            bound: None,
        }
    }

    /// From now on only what speaks for one of these BICs is taken: those that the session's HELLO listed.
    pub fn bind(&mut self, bics: Vec<Bic>) {
        self.bound = Some(bics);
    }

    /// Translates one message. With `overloaded`, credit transfers are refused without being parsed, so that answers and
    /// everything else still get through.
    pub fn translate(
        &mut self,
        inbound: Inbound<'_>,
        network: &Network,
        lookups: &dyn Lookups,
        overloaded: bool,
    ) -> Translated {
        let source = Source::Link {
            participant: inbound.participant,
            sequence: inbound.sequence,
        };
        let bound = self.bound.take();
        let context = Context {
            source,
            participant: inbound.participant,
            network,
            lookups,
            bound: bound.as_deref(),
        };
        let body = inbound.body;
        let translated = match inbound.content_type {
            ContentType::Iso20022Xml => self.message(body, &context, overloaded),
            ContentType::CommandJson => {
                json::command_of_session(source, body, network, lookups, context.bound)
            }
            ContentType::AnswerJson | ContentType::Unknown(_) => {
                Err(Breach::of_reason(Reason::MalformedMessage, "/").of_message(b""))
            }
        };
        self.bound = bound;
        match translated {
            Ok(command) => Translated {
                command,
                evidence: body.clone(),
            },
            Err(refusal) => Translated {
                command: refused(source, refusal),
                evidence: body.slice(..body.len().min(REFUSED_EVIDENCE_BYTES_MAX)),
            },
        }
    }

    #[expect(
        clippy::result_large_err,
        reason = "a command is larger still, and a refusal becomes one"
    )]
    fn message(
        &mut self,
        bytes: &[u8],
        context: &Context<'_>,
        overloaded: bool,
    ) -> Result<Command, links::Refusal> {
        if overloaded && evidence::is_credit_transfer(bytes) {
            return Err(Breach::of_reason(Reason::Overloaded, "/").of_message(bytes));
        }
        let message = self
            .reader
            .read(bytes, Direction::ToSwitch)
            .map_err(|refused| refusal::of_parser(&refused, bytes))?;
        let service = message.header.as_ref().and_then(|header| header.service);
        let is_batch = message.message_type.kind() == MessageKind::Pacs008;
        if service == Some(CLEARING_SERVICE) && is_batch {
            let sender = context.check_sender(&message);
            sender.map_err(|breach| breach.of_message(bytes))?;
            let version = message.message_type;
            return clearing::submission(bytes, version, &mut self.reader, context);
        }
        if let (Some(header), true) = (&message.header, service == Some(MASS_SERVICE) && is_batch) {
            let sender = context.check_sender(&message);
            sender.map_err(|breach| breach.of_message(bytes))?;
            let version = message.message_type;
            return mass::piece(bytes, version, header, &mut self.reader, context);
        }
        command(&message, context).map_err(|breach| breach.of_message(bytes))
    }

    /// Every line of a piece of a file, from the evidence of its record, as a message of its own; in their order.
    ///
    /// # Errors
    /// The bytes are no such message.
    pub fn lines(&mut self, evidence: &[u8]) -> Result<Vec<Bytes>, torap_iso20022::Refusal> {
        mass::messages(evidence, &mut self.reader)
    }

    /// One line as the payment that it becomes when it is handed in at `at`, with the message that it is written in; its source is the
    /// switch. `owner` is the bank whose line it is.
    ///
    /// # Errors
    /// The line can be no payment any more, perhaps because participants have changed.
    #[expect(
        clippy::result_large_err,
        reason = "an error is as rare as a change of participants"
    )]
    pub fn line(
        &mut self,
        line: &[u8],
        (owner, at): (ParticipantId, Time),
        network: &Network,
        lookups: &dyn Lookups,
    ) -> Result<(CreditTransfer, Bytes), links::Refusal> {
        let body = mass::handed_in(line, at);
        let body = body.ok_or_else(|| Breach::of_reason(Reason::MalformedMessage, "/"));
        let body = body.map_err(|breach| breach.of_message(line))?;
        let inbound = Inbound {
            participant: owner,
            sequence: Sequence::ZERO,
            content_type: ContentType::Iso20022Xml,
            body: &body,
        };
        match self.translate(inbound, network, lookups, false).command {
            Command::Instant(instant::Command::CreditTransfer(transfer)) => {
                let source = Source::Switch;
                Ok((CreditTransfer { source, ..transfer }, body))
            }
            Command::Links(links::Command::Refused { refusal, .. }) => Err(refusal),
            _ => {
                let breach = Breach::of_reason(Reason::MalformedMessage, "/");
                Err(breach.of_message(line))
            }
        }
    }
}

impl Default for Translator {
    fn default() -> Translator {
        Translator::new()
    }
}

/// A message that the session itself refused. Its sequence counts, so the log says what became of it.
pub fn refused_by_session(source: Source, code: ErrorCode) -> Command {
    let breach = Breach {
        reason: Reason::MalformedMessage,
        path: "/",
        rule: code.name(),
        text: code.text(),
        code: None,
    };
    refused(source, breach.of_message(b""))
}

fn refused(source: Source, refusal: links::Refusal) -> Command {
    Command::Links(links::Command::Refused { source, refusal })
}

/// The command of a message that the national profile has accepted.
fn command<'a>(message: &Message<'a>, context: &Context<'_>) -> Result<Command, Breach<'a>> {
    let sender = context.check_sender(message)?;
    let service = message.header.as_ref().and_then(|header| header.service);
    if service == Some(SETTLEMENT_SERVICE) {
        return settlement::command(message, sender, context);
    }
    // What else a bank sends under the clearing system's service asks nothing, or is not of it.
    if let (Some(CLEARING_SERVICE), Body::CancellationRequest(view)) = (service, &message.body) {
        return clearing::cancellation(view, sender, message.message_type, context);
    }
    let of_clearing = matches!(
        message.body,
        Body::Reject(_) | Body::EventAcknowledgement(_) | Body::Clearing
    );
    if service == Some(CLEARING_SERVICE) && !of_clearing {
        return Err(not_on_rail(
            "this message is not one that a bank sends to the clearing system",
        ));
    }
    let version = message.message_type;
    let instant = match &message.body {
        Body::CreditTransfer(view) => {
            instant::Command::CreditTransfer(context.credit_transfer(view, sender, version)?)
        }
        Body::StatusReport(view) => instant::Command::Answer(context.answer(view, version)?),
        Body::Return(view) => {
            instant::Command::Return(context.payment_return(view, sender, version)?)
        }
        Body::StatusRequest(view) => {
            instant::Command::StatusRequest(context.status_request(view, sender, version)?)
        }
        Body::CancellationRequest(view) => {
            instant::Command::Recall(context.recall(view, sender, version)?)
        }
        Body::Resolution(view) => {
            instant::Command::Resolution(context.resolution(view, sender, version)?)
        }
        Body::VerificationReport(view) => {
            instant::Command::ConfirmAnswer(context.confirm_answer(view, version)?)
        }
        Body::VerificationRequest(view) => return context.look_up(view, sender, version),
        // Answering these would have two hosts refuse each other's refusals for ever.
        Body::Reject(_) | Body::EventAcknowledgement(_) => {
            return Ok(Command::Links(links::Command::Noted {
                source: context.source,
            }));
        }
        Body::SettlementTransfer(_)
        | Body::LiquidityTransfer(_)
        | Body::Receipt(_)
        | Body::AccountRequest(_)
        | Body::AccountQuery(_)
        | Body::PaymentQuery(_)
        | Body::PaymentChange(_)
        | Body::EventNotice(_)
        | Body::Other
        | Body::Clearing => {
            return Err(not_on_rail(
                "this message is not one that a bank sends on the instant rail",
            ));
        }
    };
    Ok(Command::Instant(instant))
}

fn not_on_rail(text: &'static str) -> Breach<'static> {
    Breach::of_profile("/Document", "message-not-on-rail", text, "FF03")
}

#[cfg(test)]
mod tests;
