//! Layouts of everything that is stored: commands in the journal, outbound entries, finished payments and directory records
//! in the index, and the snapshot of the engine.
//!
//! Why it exists: what is written today is read by a later binary, so every layout is written by hand, has a version as its
//! first byte, and is held by golden files (`golden/`); docs/facts.md has the byte tables. No layout is ever derived from a
//! type. Numbers are little-endian, texts carry their length, optional fields a flag.
//!
//! Reading accepts exactly what writing produces: a value has one written form, trailing bytes are refused, and no bytes,
//! however damaged, panic or make memory grow beyond what is really there.

#[macro_use]
mod fields;

mod ancillary;
mod approval;
mod block;
mod cards;
mod clearing;
mod directory;
mod disputes;
mod error;
mod instant;
mod kind;
mod layout;
mod links;
mod mass;
mod outbound;
mod participants;
mod qr;
mod reader;
mod reports;
mod schedule;
mod settlement;
mod source;
mod stored;
mod tariffs;
mod writer;

pub use error::{FactsError, LayoutRule};
pub use kind::Kind;
pub use layout::Layout;
pub use reader::{Flags, Reader};
pub use stored::Stored;
pub use writer::Writer;

pub(crate) use ancillary::put_event as put_ancillary_event;
pub(crate) use approval::take_proposed;
pub(crate) use schedule::{put_nested, take_nested};

use crate::Command;

/// Appends the facts of `command` to `out` and gives the kind to store beside them.
///
/// ```
/// use torap_engine::{Command, codec};
///
/// let mut facts = Vec::new();
/// let kind = codec::encode(&Command::Tick, &mut facts);
/// assert_eq!(codec::decode(kind, &facts), Ok(Command::Tick));
/// ```
pub fn encode(command: &Command, out: &mut Vec<u8>) -> u16 {
    let kind = Kind::of(command);
    let mut writer = Writer::new(out);
    writer.u8(kind.version());
    match command {
        Command::Instant(command) => instant::put(command, &mut writer),
        Command::Directory(command) => directory::put(command, &mut writer),
        Command::Qr(command) => qr::put(command, &mut writer),
        Command::Links(command) => links::put(command, &mut writer),
        Command::Participants(command) => participants::put(command, &mut writer),
        Command::Schedule(command) => schedule::put(command, &mut writer),
        Command::Cards(command) => cards::put(command, &mut writer),
        Command::Settlement(command) => settlement::put(command, &mut writer),
        Command::Clearing(command) => clearing::put(command, &mut writer),
        Command::Ancillary(command) => ancillary::put(command, &mut writer),
        Command::Tariffs(command) => tariffs::put(command, &mut writer),
        Command::Mass(command) => mass::put(command, &mut writer),
        Command::Disputes(command) => disputes::put(command, &mut writer),
        Command::Reports(command) => reports::put(command, &mut writer),
        Command::Approval(command) => approval::put(command, &mut writer),
        Command::Tick => {}
        Command::Start { epoch, binary } => {
            writer.put(epoch);
            writer.put(binary);
        }
        Command::Rules { source, version } => {
            writer.put(source);
            writer.put(version);
        }
        Command::Mark { upto, digest } => {
            writer.put(upto);
            writer.put(digest);
        }
        Command::Bounds { source, bounds } => {
            writer.put(source);
            writer.put(bounds);
        }
    }
    kind.number()
}

/// Reads the facts of a command of `kind`.
pub fn decode(kind: u16, facts: &[u8]) -> Result<Command, FactsError> {
    let Some(kind) = Kind::from_number(kind) else {
        let rule = LayoutRule::UnknownKind(kind);
        return Err(Reader::new("command", facts).error("kind", 0, rule));
    };
    let mut reader = Reader::new(kind.name(), facts);
    reader.version(kind.version())?;
    let command = take(kind, &mut reader)?;
    // Two kinds may hold the same command, one with a part that the other leaves out: without the part only the plain one is written.
    if Kind::of(&command) != kind {
        return Err(reader.error("kind", 0, LayoutRule::NotShortest));
    }
    reader.finish()?;
    Ok(command)
}

fn take(kind: Kind, reader: &mut Reader<'_>) -> Result<Command, FactsError> {
    use crate::{directory, instant, qr};
    Ok(match kind {
        Kind::CreditTransfer => {
            Command::Instant(instant::Command::CreditTransfer(reader.field("payment")?))
        }
        Kind::Answer => Command::Instant(instant::Command::Answer(reader.field("answer")?)),
        Kind::ConfirmAnswer => {
            Command::Instant(instant::Command::ConfirmAnswer(reader.field("answer")?))
        }
        Kind::Return => Command::Instant(instant::Command::Return(reader.field("return")?)),
        Kind::Recall => Command::Instant(instant::Command::Recall(reader.field("recall")?)),
        Kind::Resolution => {
            Command::Instant(instant::Command::Resolution(reader.field("resolution")?))
        }
        Kind::StatusRequest => {
            Command::Instant(instant::Command::StatusRequest(reader.field("request")?))
        }
        Kind::SetSettings => Command::Instant(self::instant::take_settings(reader)?),
        Kind::SetLimits => Command::Instant(self::instant::take_limits(reader)?),
        Kind::SetRecallRule => Command::Instant(self::instant::take_recall_rule(reader)?),
        Kind::DirectoryChange => {
            Command::Directory(directory::Command::Change(reader.field("change")?))
        }
        Kind::DirectoryLookUp => {
            Command::Directory(directory::Command::LookUp(reader.field("look-up")?))
        }
        Kind::DirectoryImport => Command::Directory(self::directory::take_import(reader)?),
        Kind::QrRegister => Command::Qr(qr::Command::Register(reader.field("register")?)),
        Kind::QrCancel => Command::Qr(self::qr::take_cancel(reader)?),
        Kind::LinkUp => Command::Links(links::take_up(reader)?),
        Kind::LinkDown => Command::Links(links::take_down(reader)?),
        Kind::LinkRefused => Command::Links(links::take_refused(reader)?),
        Kind::LinkNoted => Command::Links(links::take_noted(reader)?),
        Kind::ParticipantAdd => Command::Participants(participants::take_add(reader)?),
        Kind::ParticipantUpdate => Command::Participants(participants::take_update(reader)?),
        Kind::ParticipantState => Command::Participants(participants::take_state(reader)?),
        Kind::ParticipantPositionMode => {
            Command::Participants(participants::take_position_mode(reader)?)
        }
        Kind::ParticipantSuccessor => Command::Participants(participants::take_successor(reader)?),
        Kind::ParticipantFund => Command::Participants(participants::take_fund(reader)?),
        Kind::ScheduleOrder => Command::Schedule(schedule::take_order(reader)?),
        Kind::ScheduleWithdraw => Command::Schedule(schedule::take_withdraw(reader)?),
        Kind::Tick => Command::Tick,
        Kind::Start => Command::Start {
            epoch: reader.field("epoch")?,
            binary: reader.field("binary")?,
        },
        Kind::Rules => Command::Rules {
            source: reader.field("source")?,
            version: reader.field("version")?,
        },
        Kind::Mark => Command::Mark {
            upto: reader.field("upto")?,
            digest: reader.field("digest")?,
        },
        Kind::Bounds => Command::Bounds {
            source: reader.field("source")?,
            bounds: reader.field("bounds")?,
        },
        Kind::CardRequest
        | Kind::CardAdvice
        | Kind::CardReversal
        | Kind::CardAnswer
        | Kind::CardSchemeAnswer
        | Kind::CardAcknowledged
        | Kind::CardFileUpdate
        | Kind::CardReconciliation
        | Kind::CardAdministrative
        | Kind::CardNetwork
        | Kind::CardMalformed
        | Kind::CardLinkUp
        | Kind::CardLinkDown
        | Kind::CardSetSettings
        | Kind::CardSetBins
        | Kind::CardSetFees
        | Kind::CardSetLifetimes
        | Kind::CardSetStandIn
        | Kind::CardSetScheme
        | Kind::CardSetMember
        | Kind::CardStopList
        | Kind::CardCutOver
        | Kind::CardSettleSession
        | Kind::CardKeyOrder
        | Kind::CardKeysMade
        | Kind::CardKeyAnswer
        | Kind::CardKeyCancel
        | Kind::CardPresent
        | Kind::CardSetTables => Command::Cards(cards::take(kind, reader)?),
        Kind::SettlementFund
        | Kind::SettlementTransfer
        | Kind::SettlementPay
        | Kind::SettlementChange
        | Kind::SettlementCreditLine
        | Kind::SettlementLimit
        | Kind::SettlementReserve
        | Kind::SettlementResolve
        | Kind::SettlementOpen
        | Kind::SettlementClose
        | Kind::SettlementHours
        | Kind::SettlementDay
        | Kind::SettlementInstruct
        | Kind::SettlementCancel
        | Kind::SettlementReturn
        | Kind::SettlementLiquidity
        | Kind::SettlementKeepLiquidity
        | Kind::SettlementModify => Command::Settlement(settlement::take(kind, reader)?),
        Kind::ClearingSubmit
        | Kind::ClearingWithdraw
        | Kind::ClearingClose
        | Kind::ClearingSetSettings
        | Kind::ClearingCancel
        | Kind::ClearingSetPurposes
        | Kind::ClearingSubmitPart
        | Kind::ClearingSetLists => Command::Clearing(clearing::take(kind, reader)?),
        Kind::AncillarySetSettings
        | Kind::AncillarySettleCards
        | Kind::GuaranteeFund
        | Kind::GuaranteeRequire
        | Kind::GuaranteeCall
        | Kind::LiquidityRule
        | Kind::Deliver
        | Kind::DeliveryClose => Command::Ancillary(ancillary::take(kind, reader)?),
        Kind::DisputeOpen | Kind::DisputeOpenCard | Kind::DisputeAct | Kind::DisputeAttach => {
            Command::Disputes(disputes::take(kind, reader)?)
        }
        Kind::ReportRequest | Kind::ReportAnswer | Kind::ReportWants => {
            Command::Reports(reports::take(kind, reader)?)
        }
        Kind::ApprovalSetSettings | Kind::ApprovalPropose | Kind::ApprovalDecide => {
            Command::Approval(approval::take(kind, reader)?)
        }
        Kind::MassSubmit => Command::Mass(mass::take_submit(reader)?),
        Kind::MassTake => Command::Mass(mass::take_piece(reader)?),
        Kind::MassMiss => Command::Mass(mass::take_miss(reader)?),
        Kind::TariffSet | Kind::TariffNote => Command::Tariffs(tariffs::take(kind, reader)?),
    })
}

#[cfg(test)]
mod arbitrary;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
