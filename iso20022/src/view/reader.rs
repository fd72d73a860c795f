//! Parse, validate, profile and view in one call.

use std::sync::LazyLock;

use crate::capture::{CaptureSet, SlotId};
use crate::message::{MessageKind, MessageLabel, MessageType};
use crate::parse::{Mode, Parsed, Parser, Part};
use crate::profile::generated::{self as field, FIELDS};
use crate::profile::{self, Direction, Facts, Formats, Table};
use crate::refusal::{Refusal, Rule};

use super::fields::{Fields, Unread};
use super::{
    Body, BusinessHeader, Message, account, cancellation_request, credit_transfer, event, header,
    liquidity, payment, payment_return, reject, resolution, settlement_transfer, status_report,
    status_request, verification_report, verification_request,
};

/// BizSvc of messages of the clearing system. The tables of the instant rail do not hold for them: they are about many payments,
/// and only their schema and header are checked.
pub const CLEARING_SERVICE: &str = "torap.ics.1";

/// BizSvc of files of instant payments: a pacs.008 has many lines, and so have the pacs.002 about them. What else has this service is about
/// one payment, as on the instant rail.
pub const MASS_SERVICE: &str = "torap.mass.1";

/// BizSvc of messages of IMTS: a pacs.008 has a table of its own, and a pacs.009 has this service alone.
pub const SETTLEMENT_SERVICE: &str = "torap.imts.1";

static CAPTURES: LazyLock<CaptureSet> = LazyLock::new(|| CaptureSet::compile(FIELDS));

/// Reads messages under the national profile. One per connection or thread: its buffers are reused.
#[derive(Debug)]
pub struct Reader {
    pub(super) parser: Parser,
    pub(super) formats: Formats,
}

/// The identifiers of a message that was refused, as far as it has them; none has been checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity<'a> {
    /// Definition and version.
    pub message_type: MessageType,
    /// MsgId or Assgnmt/Id.
    pub message_id: Option<&'a str>,
    /// InstgAgt or Assgnr.
    pub instructing_agent: Option<&'a str>,
    /// InstrId, or OrgnlInstrId of the payment it is about.
    pub instruction_id: Option<&'a str>,
    /// EndToEndId, or OrgnlEndToEndId.
    pub end_to_end_id: Option<&'a str>,
    /// TxId, RtrId of a return, or OrgnlTxId.
    pub transaction_id: Option<&'a str>,
    /// UETR, or OrgnlUETR.
    pub uetr: Option<&'a str>,
}

impl Reader {
    /// A reader with the checks of national identifiers.
    pub fn new(formats: Formats) -> Reader {
        Reader {
            parser: Parser::with_captures(&CAPTURES),
            formats,
        }
    }

    /// Parses and validates one message: a Document, or an Envelope of AppHdr and Document.
    ///
    /// # Errors
    /// The first breach of XML, schema or profile, with its place, rule and code; a breach of the profile also has a status reason.
    pub fn read<'a>(
        &mut self,
        bytes: &'a [u8],
        direction: Direction,
    ) -> Result<Message<'a>, Refusal> {
        let parsed = self.parser.parse(bytes, Mode::National)?;
        read_parsed(&parsed, direction, &self.formats)
    }

    /// The identifiers of a message that the profile refused, so that the refusal can be answered; `None` if it is not even
    /// valid against its schema.
    pub fn identify<'a>(&mut self, bytes: &'a [u8]) -> Option<Identity<'a>> {
        let parsed = self.parser.parse(bytes, Mode::SchemaOnly).ok()?;
        parsed.document().map(identity)
    }
}

/// Checks one file or message against schema and national profile, for either direction.
///
/// # Errors
/// As [`Reader::read`].
pub fn check(bytes: &[u8], formats: &Formats) -> Result<MessageLabel, Refusal> {
    let mut parser = Parser::with_captures(&CAPTURES);
    let parsed = parser.parse(bytes, Mode::National)?;
    read_parsed(&parsed, Direction::Either, formats)?;
    Ok(parsed.label())
}

fn read_parsed<'a>(
    parsed: &Parsed<'_, 'a>,
    direction: Direction,
    formats: &Formats,
) -> Result<Message<'a>, Refusal> {
    let Some(document) = parsed.document() else {
        return Err(profile_refusal(
            "/",
            "no-document",
            "a message has a Document",
            0,
        ));
    };
    let range = document.range();
    if !document.is_self_contained() {
        let text = "the Document declares every namespace that it uses, so that it can be forwarded as it is";
        return Err(profile_refusal(
            "/Document",
            "self-contained",
            text,
            range.start,
        ));
    }
    let fields = Fields(document.slots());
    let document_type = document.message();
    let facts = Facts {
        slots: document.slots(),
        formats,
        direction,
        document: document_type,
        document_id: identifier(document_type.kind()).and_then(|slot| fields.optional(slot)),
    };
    let header = parsed
        .header()
        .map(|part| read_header(part, &facts))
        .transpose()?;
    // What is about one payment, or none, is as on the instant rail.
    let is_many = match header.as_ref().and_then(|header| header.service) {
        Some(CLEARING_SERVICE) => !matches!(
            document_type.kind(),
            MessageKind::Camt056
                | MessageKind::Camt029
                | MessageKind::Admi002
                | MessageKind::Admi011
        ),
        Some(MASS_SERVICE) => matches!(
            document_type.kind(),
            MessageKind::Pacs008 | MessageKind::Pacs002
        ),
        _ => false,
    };
    if is_many {
        return Ok(Message {
            header,
            message_type: document_type,
            document: range,
            splice: None,
            body: Body::Clearing,
        });
    }
    let settles = header.as_ref().and_then(|header| header.service) == Some(SETTLEMENT_SERVICE);
    let (service, table) = match document_type.kind() {
        MessageKind::Pacs008 if settles => (None, Some(&field::IMTS_CUSTOMER)),
        MessageKind::Pacs008 => {
            let (service, table) = credit_transfer::service(&fields)
                .map_err(|Unread(slot)| wrong_service(&fields, slot, range.start))?;
            (Some(service), Some(table))
        }
        kind => (None, profile::table_of(kind)),
    };
    if let Some(table) = table {
        profile::walk(table, &facts, range.start)?;
    }
    let body = body(document_type.kind(), &fields, service)
        .map_err(|Unread(slot)| unread(table, slot, range.start))?;
    let splice = service.and_then(|_| credit_transfer::splice(&fields));
    Ok(Message {
        header,
        message_type: document_type,
        document: range,
        splice,
        body,
    })
}

/// `document` are the facts of the Document that the header stands before.
fn read_header<'p, 'a>(
    part: &Part<'p, 'a>,
    document: &Facts<'_, 'p, 'a>,
) -> Result<BusinessHeader<'a>, Refusal> {
    let start = part.range().start;
    profile::walk(
        &field::HEADER,
        &Facts {
            slots: part.slots(),
            ..*document
        },
        start,
    )?;
    header::read(&Fields(part.slots()))
        .map_err(|Unread(slot)| unread(Some(&field::HEADER), slot, start))
}

fn body<'a>(
    kind: MessageKind,
    fields: &Fields<'_, 'a>,
    service: Option<credit_transfer::TransferService>,
) -> Result<Body<'a>, Unread> {
    if let Some(service) = service {
        return credit_transfer::read(fields, service).map(Body::CreditTransfer);
    }
    match kind {
        // Without a service of the instant rail it is one of IMTS.
        MessageKind::Pacs008 => {
            settlement_transfer::read_customer(fields).map(Body::SettlementTransfer)
        }
        MessageKind::Pacs009 => {
            settlement_transfer::read_bank(fields).map(Body::SettlementTransfer)
        }
        MessageKind::Camt050 => liquidity::read_transfer(fields).map(Body::LiquidityTransfer),
        MessageKind::Camt025 => liquidity::read_receipt(fields).map(Body::Receipt),
        MessageKind::Camt060 => account::read_request(fields).map(Body::AccountRequest),
        MessageKind::Camt003 => account::read_query(fields).map(Body::AccountQuery),
        MessageKind::Camt005 => payment::read_query(fields).map(Body::PaymentQuery),
        MessageKind::Camt007 => payment::read_change(fields).map(Body::PaymentChange),
        MessageKind::Pacs002 => status_report::read(fields).map(Body::StatusReport),
        MessageKind::Pacs004 => payment_return::read(fields).map(Body::Return),
        MessageKind::Pacs028 => status_request::read(fields).map(Body::StatusRequest),
        MessageKind::Camt056 => cancellation_request::read(fields).map(Body::CancellationRequest),
        MessageKind::Camt029 => resolution::read(fields).map(Body::Resolution),
        MessageKind::Acmt023 => verification_request::read(fields).map(Body::VerificationRequest),
        MessageKind::Acmt024 => verification_report::read(fields).map(Body::VerificationReport),
        MessageKind::Admi002 => reject::read(fields).map(Body::Reject),
        MessageKind::Admi004 => event::read_notice(fields).map(Body::EventNotice),
        MessageKind::Admi011 => event::read_acknowledgement(fields).map(Body::EventAcknowledgement),
        _ => Ok(Body::Other),
    }
}

/// The field that BizMsgIdr repeats.
fn identifier(kind: MessageKind) -> Option<SlotId> {
    match kind {
        MessageKind::Pacs008 => Some(field::credit_transfer::MESSAGE_ID),
        MessageKind::Pacs009 => Some(field::bank_transfer::MESSAGE_ID),
        MessageKind::Camt050 => Some(field::liquidity_transfer::MESSAGE_ID),
        MessageKind::Camt025 => Some(field::receipt::MESSAGE_ID),
        MessageKind::Camt060 => Some(field::account_request::MESSAGE_ID),
        MessageKind::Camt003 => Some(field::account_query::MESSAGE_ID),
        MessageKind::Camt005 => Some(field::payment_query::MESSAGE_ID),
        MessageKind::Camt007 => Some(field::payment_change::MESSAGE_ID),
        MessageKind::Pacs002 => Some(field::status_report::MESSAGE_ID),
        MessageKind::Pacs004 => Some(field::payment_return::MESSAGE_ID),
        MessageKind::Pacs028 => Some(field::status_request::MESSAGE_ID),
        MessageKind::Camt056 => Some(field::recall::ASSIGNMENT_ID),
        MessageKind::Camt029 => Some(field::recall_answer::ASSIGNMENT_ID),
        MessageKind::Acmt023 => Some(field::look_up::MESSAGE_ID),
        MessageKind::Acmt024 => Some(field::look_up_answer::MESSAGE_ID),
        MessageKind::Admi011 => Some(field::event_acknowledgement::MESSAGE_ID),
        _ => None,
    }
}

fn identity<'a>(document: &Part<'_, 'a>) -> Identity<'a> {
    let fields = Fields(document.slots());
    let message_type = document.message();
    let kind = message_type.kind();
    let mut identity = Identity {
        message_type,
        message_id: identifier(kind).and_then(|slot| fields.optional(slot)),
        instructing_agent: None,
        instruction_id: None,
        end_to_end_id: None,
        transaction_id: None,
        uetr: None,
    };
    // Instructing agent in its two places, then InstrId, EndToEndId, TxId and UETR.
    let slots = match kind {
        MessageKind::Pacs008 => {
            use field::credit_transfer as f;
            [
                f::INSTRUCTING_AGENT,
                f::INSTRUCTING_AGENT_OR,
                f::INSTRUCTION_ID,
                f::END_TO_END_ID,
                f::TRANSACTION_ID,
                f::UETR,
            ]
        }
        MessageKind::Pacs009 => {
            use field::bank_transfer as f;
            [
                f::INSTRUCTING_AGENT,
                f::INSTRUCTING_AGENT_OR,
                f::INSTRUCTION_ID,
                f::END_TO_END_ID,
                f::TRANSACTION_ID,
                f::UETR,
            ]
        }
        MessageKind::Pacs002 => {
            use field::status_report as f;
            [
                f::INSTRUCTING_AGENT,
                f::INSTRUCTING_AGENT_OR,
                f::ORIGINAL_INSTRUCTION_ID,
                f::ORIGINAL_END_TO_END_ID,
                f::ORIGINAL_TRANSACTION_ID,
                f::ORIGINAL_UETR,
            ]
        }
        MessageKind::Pacs004 => {
            use field::payment_return as f;
            [
                f::INSTRUCTING_AGENT,
                f::INSTRUCTING_AGENT_OR,
                f::ORIGINAL_INSTRUCTION_ID,
                f::ORIGINAL_END_TO_END_ID,
                f::RETURN_ID,
                f::ORIGINAL_UETR,
            ]
        }
        MessageKind::Pacs028 => {
            use field::status_request as f;
            [
                f::INSTRUCTING_AGENT,
                f::INSTRUCTING_AGENT_OR,
                f::ORIGINAL_INSTRUCTION_ID,
                f::ORIGINAL_END_TO_END_ID,
                f::ORIGINAL_TRANSACTION_ID,
                f::ORIGINAL_UETR,
            ]
        }
        MessageKind::Camt056 => {
            use field::recall as f;
            [
                f::ASSIGNER,
                f::ASSIGNER,
                f::ORIGINAL_INSTRUCTION_ID,
                f::ORIGINAL_END_TO_END_ID,
                f::ORIGINAL_TRANSACTION_ID,
                f::ORIGINAL_UETR,
            ]
        }
        _ => return identity,
    };
    let [
        agent,
        agent_or,
        instruction_id,
        end_to_end_id,
        transaction_id,
        uetr,
    ] = slots;
    identity.instructing_agent = fields.either([agent, agent_or]);
    identity.instruction_id = fields.optional(instruction_id);
    identity.end_to_end_id = fields.optional(end_to_end_id);
    identity.transaction_id = fields.optional(transaction_id);
    identity.uetr = fields.optional(uetr);
    identity
}

fn wrong_service(fields: &Fields<'_, '_>, slot: SlotId, start: usize) -> Refusal {
    let offset = fields
        .0
        .content_range(slot)
        .map_or(start, |range| range.start);
    let path = format!("/Document/{}", field::credit_transfer::TABLE.path(slot));
    let rule = Rule::Profile {
        code: "service-code",
        text: "LclInstrm/Prtry is one of C2C2, M2M2 and C2B2".into(),
        reason: "FF05",
    };
    Refusal::new(path, rule, offset)
}

/// A field of a message that the profile has accepted cannot be missing; should it be, the message is refused rather than guessed at.
fn unread(table: Option<&Table>, slot: SlotId, start: usize) -> Refusal {
    match table {
        Some(table) => profile::missing(table, slot, start, "CH21"),
        None => profile_refusal(
            "/Document",
            "mandatory",
            "the profile demands an element that is not there",
            start,
        ),
    }
}

fn profile_refusal(path: &str, code: &'static str, text: &'static str, offset: usize) -> Refusal {
    Refusal::new(
        path,
        Rule::Profile {
            code,
            text: text.into(),
            reason: "CH21",
        },
        offset,
    )
}
