//! pacs.008 of a file of instant payments, by BizSvc: many lines in one message, each a payment of its own.
//!
//! A line goes through the translation of a single payment, when the message comes, so that what is wrong with it is said at once, and
//! again when it is handed in, with the facts of that moment.

use bytes::Bytes;
use torap_domain::{
    Bic, EndToEndId, InstructionId, MessageId, ParticipantId, Phone, Position, Reason, Text,
    TransactionId, Uetr,
};
use torap_engine::{
    Command,
    clearing::Piece,
    directory::Record,
    instant::{History, PaymentKey},
    links,
    mass::{self, Fault, Item, Line, Take},
};
use torap_iso20022::{
    MessageType, Refusal,
    profile::Direction,
    view::{Body, BusinessHeader, Lines, Reader, accepted_at},
};

use super::{
    Lookups,
    context::{Context, typed, version_number},
    keys,
    refusal::{self, Breach},
};

const DOCUMENT: &str = "/Document/FIToFICstmrCdtTrf/";
const MESSAGE_ID: &str = "/Document/FIToFICstmrCdtTrf/GrpHdr/MsgId";
const LINE: &str = "/Document/FIToFICstmrCdtTrf/CdtTrfTxInf";
const INSTRUCTING_AGENT: &str = "/Document/FIToFICstmrCdtTrf/GrpHdr/InstgAgt/FinInstnId/BICFI";
/// Room for one line as a message of its own, to begin with.
const LINE_BYTES: usize = 4096;

/// The command of a pacs.008 that is valid against its schema.
#[expect(
    clippy::result_large_err,
    reason = "a command is larger still, and a refusal becomes one"
)]
pub(super) fn piece(
    bytes: &[u8],
    version: MessageType,
    header: &BusinessHeader<'_>,
    reader: &mut Reader,
    context: &Context<'_>,
) -> Result<Command, links::Refusal> {
    let lines = Lines::of(bytes).map_err(|refused| refusal::of_parser(&refused, bytes))?;
    collect(&lines, version, header, reader, context).map_err(|breach| breach.of_message(bytes))
}

fn collect(
    lines: &Lines<'_>,
    version: MessageType,
    header: &BusinessHeader<'_>,
    reader: &mut Reader,
    context: &Context<'_>,
) -> Result<Command, Breach<'static>> {
    // What a line needs to know of the world it is told when it is handed in.
    let context = Context {
        lookups: &NothingKnown,
        ..*context
    };
    let header = alone(header, lines.message_id());
    let mut agent: Option<Bic> = None;
    let mut content = keys::Content::new();
    let mut items = Vec::with_capacity(lines.count());
    let mut one = Vec::with_capacity(LINE_BYTES);
    for place in 0..lines.count() {
        one.clear();
        lines.write(place, &header, &mut one);
        let (of, item) = item(&one, place, version, reader, &context, &mut content)?;
        if *agent.get_or_insert(of) != of {
            let text = "all lines of a message are of one instructing agent";
            let rule = "one-instructing-agent";
            return Err(Breach::of_profile(LINE, rule, text, "RC01"));
        }
        items.push(item);
    }
    let instructing_agent = agent
        .ok_or_else(|| Breach::of_profile(LINE, "mandatory", "a message has a line", "CH21"))?;
    let unbound = || Breach::of_reason(Reason::UnboundSender, INSTRUCTING_AGENT);
    let owner = context
        .network
        .owner(&instructing_agent)
        .ok_or_else(unbound)?;
    Ok(Command::Mass(mass::Command::Take(Take {
        source: context.source,
        message_id: typed(MessageId::parse(lines.message_id()), MESSAGE_ID)?,
        message_version: version_number(version)?,
        instructing_agent,
        piece: piece_of(owner.id, lines.message_id())?,
        starts: None,
        content: content.fingerprint(),
        lines: items,
    })))
}

/// `2/7/FILE` is the second of seven pieces of FILE; any other identifier is a file of one piece.
fn piece_of(owner: ParticipantId, message_id: &str) -> Result<Piece, Breach<'static>> {
    let mut parts = message_id.splitn(3, '/');
    let mut number = || parts.next().and_then(|part| part.parse::<u32>().ok());
    let numbers = number().zip(number());
    let (Some((number, of)), Some(file)) = (numbers, parts.next()) else {
        return Ok(Piece {
            file: keys::file_key(owner, message_id),
            number: 1,
            last: true,
        });
    };
    if number == 0 || number > of || file.is_empty() {
        let text =
            "a piece is written `number/pieces/file`, its number from 1 to that of the pieces";
        return Err(Breach::of_profile(MESSAGE_ID, "piece-number", text, "CH16"));
    }
    Ok(Piece {
        file: keys::file_key(owner, file),
        number,
        last: number == of,
    })
}

/// One line and its instructing agent.
fn item(
    one: &[u8],
    place: usize,
    version: MessageType,
    reader: &mut Reader,
    context: &Context<'_>,
    content: &mut keys::Content,
) -> Result<(Bic, Item), Breach<'static>> {
    let read = match reader.read(one, Direction::ToSwitch) {
        Ok(message) => {
            let sender = context.check_sender(&message);
            let sender = sender.map_err(|breach| unbound(breach.reason))?;
            match &message.body {
                Body::CreditTransfer(view) => context
                    .credit_transfer(view, sender, version)
                    .map_err(|breach| breach.of_message(b"")),
                _ => Err(not_a_line().of_message(b"")),
            }
        }
        Err(refused) => Err(refusal::of_parser(&refused, b"")),
    };
    match read {
        Ok(transfer) => {
            let line = Line {
                key: transfer.key,
                uetr: transfer.references.uetr,
            };
            content.line(&line, &transfer.fingerprint.0);
            let item = Item {
                line,
                transaction_id: transfer.references.transaction_id,
                instruction_id: transfer.references.instruction_id,
                end_to_end_id: transfer.references.end_to_end_id,
                fault: None,
            };
            Ok((transfer.instructing_agent, item))
        }
        Err(refused) => broken(one, place, &refused, reader, context, content),
    }
}

/// A line that breaks a rule: what names it must be readable, or else nobody could be told of it.
fn broken(
    one: &[u8],
    place: usize,
    refused: &links::Refusal,
    reader: &mut Reader,
    context: &Context<'_>,
    content: &mut keys::Content,
) -> Result<(Bic, Item), Breach<'static>> {
    let nameless = || {
        let text = "a line has InstgAgt, TxId and UETR by which it can be answered";
        Breach::of_profile(LINE, "line-identity", text, "CH21")
    };
    let identity = reader.identify(one).ok_or_else(nameless)?;
    let agent = identity
        .instructing_agent
        .and_then(|text| Bic::parse(text).ok());
    let agent = agent.ok_or_else(nameless)?;
    let owner = context
        .network
        .owner(&agent)
        .filter(|_| context.network.may_send(context.participant, &agent))
        .ok_or_else(|| unbound(Reason::UnboundSender))?;
    let id = identity
        .transaction_id
        .and_then(|text| TransactionId::parse(text).ok());
    let transaction_id = id.ok_or_else(nameless)?;
    let uetr = identity.uetr.and_then(|text| Uetr::parse(text).ok());
    let line = Line {
        key: keys::payment_key(owner.id, transaction_id.as_str()),
        uetr: uetr.ok_or_else(nameless)?,
    };
    let number = place.saturating_add(1);
    let path = refused.path.as_str();
    let path = path.strip_prefix(DOCUMENT).unwrap_or(path);
    let path = path.replacen("CdtTrfTxInf", &format!("CdtTrfTxInf[{number}]"), 1);
    let text = format!("{path}: {}", refused.rule);
    let fault = Fault {
        code: Text::truncated(refused.code.as_str()),
        text: Text::truncated(&text),
    };
    content.line(&line, text.as_bytes());
    let instruction_id = identity.instruction_id;
    let end_to_end_id = identity.end_to_end_id;
    let item = Item {
        line,
        transaction_id,
        instruction_id: instruction_id.and_then(|text| InstructionId::parse(text).ok()),
        end_to_end_id: end_to_end_id.and_then(|text| EndToEndId::parse(text).ok()),
        fault: Some(fault),
    };
    Ok((agent, item))
}

fn unbound(reason: Reason) -> Breach<'static> {
    Breach::of_reason(reason, INSTRUCTING_AGENT)
}

fn not_a_line() -> Breach<'static> {
    Breach::of_profile(LINE, "line", "a line is a credit transfer", "FF03")
}

/// The header of a line alone: of the instant rail, under the identifier of its Document.
fn alone<'h>(header: &BusinessHeader<'h>, message_id: &'h str) -> BusinessHeader<'h> {
    BusinessHeader {
        message_id,
        service: None,
        possible_duplicate: false,
        ..*header
    }
}

/// Every line of a piece that was taken as a message of its own, in their order.
pub(super) fn messages(bytes: &[u8], reader: &mut Reader) -> Result<Vec<Bytes>, Refusal> {
    let message = reader.read(bytes, Direction::ToSwitch)?;
    let lines = Lines::of(bytes)?;
    let Some(header) = &message.header else {
        return Ok(Vec::new());
    };
    let header = alone(header, lines.message_id());
    let one = |place| {
        let mut one = Vec::with_capacity(LINE_BYTES);
        lines.write(place, &header, &mut one);
        Bytes::from(one)
    };
    Ok((0..lines.count()).map(one).collect())
}

/// One of them as it is handed in at a time: the payment's clock begins then.
pub(super) fn handed_in(message: &[u8], at: torap_domain::Time) -> Option<Bytes> {
    accepted_at(message, at.nanos()).map(Bytes::from)
}

/// Look-ups before a line is handed in: none.
struct NothingKnown;

impl Lookups for NothingKnown {
    fn alias(&self, _: Phone) -> (Position, Option<Record>) {
        (Position::ZERO, None)
    }

    fn by_key(&self, _: &PaymentKey) -> Option<History> {
        None
    }

    fn by_uetr(&self, _: &Uetr) -> Option<History> {
        None
    }

    fn is_congested(&self, _: ParticipantId) -> bool {
        false
    }
}
