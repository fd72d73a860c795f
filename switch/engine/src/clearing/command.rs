//! Commands of the clearing system.

use std::fmt;

use torap_clearing::Priority;
use torap_domain::{
    Bic, CancellationId, Date, DayOverride, EndToEndId, Iban, IinBin, InstructionId, Knp,
    MessageId, Money, SectorCode, Span, Text, TransactionId, Uetr,
};

use super::PurposeRow;
use crate::{
    References, Source,
    instant::{Fingerprint, PaymentKey},
};

/// Items of one command, at most; a file of more comes in pieces.
pub const PIECE_ITEMS_MAX: usize = 512;
/// Wrong lines of one list that are named, at most; the others are counted.
pub const REFUSED_LINES_MAX: usize = 10;
/// Single dates that differ from the calendar's rules, at most.
pub const DAYS_MAX: usize = 128;
/// The largest that [`Settings::items_max`] may be set to.
pub const ITEMS_MAX: u32 = 8_388_608;

/// Text of a message, at most `CHARACTERS` characters, without control characters and not empty. On the heap: an item holds
/// several, and none is looked at by any rule.
#[derive(Clone, PartialEq, Eq)]
pub struct Line<const CHARACTERS: usize>(Box<str>);

/// Which file of a participant: 16 bytes that the submitter chooses once for the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileKey(pub [u8; 16]);

/// One piece of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    pub file: FileKey,
    /// From 1 upwards, without gaps; of presentments, also [`PIECE_AGAIN`](crate::cards::PIECE_AGAIN).
    pub number: u32,
    /// Whether the file ends with it.
    pub last: bool,
}

/// Items to be cleared: a pacs.008, or a piece of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submit {
    pub source: Source,
    /// MsgId that statuses refer to.
    pub message_id: MessageId,
    /// Index of the message version in the gateway's table.
    pub message_version: u8,
    pub instructing_agent: Bic,
    pub piece: Option<Piece>,
    /// With `refused` 1 to [`PIECE_ITEMS_MAX`].
    pub items: Vec<Order>,
    /// Items of the message that break its usage table, in their order: told, and taken no further.
    pub refused: Vec<RefusedOrder>,
}

/// An item that the gateway refused, with its identifiers as far as it has them. What it said stands in the evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedOrder {
    /// Place in the message, from 1.
    pub number: u16,
    pub instruction_id: Option<Text<35>>,
    pub end_to_end_id: Option<Text<35>>,
    pub transaction_id: Option<Text<35>>,
    pub uetr: Option<Uetr>,
    /// ISO 20022 status reason.
    pub code: Text<4>,
    /// Place and rule in words.
    pub text: Text<105>,
    /// Wrong lines of its list of beneficiaries, at most [`REFUSED_LINES_MAX`].
    pub lines: Vec<RefusedLine>,
    /// Further wrong lines.
    pub more: u16,
}

/// A wrong line of a list of beneficiaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefusedLine {
    /// From 1.
    pub number: u16,
    pub rule: LineRule,
}

/// What is wrong with a line of a list. The number is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum LineRule {
    /// No name.
    Name = 1,
    /// No IIN, or wrong check digits.
    Number = 2,
    /// No amount, zero, or not in tenge with at most two decimals.
    Amount = 3,
    /// No month.
    Period = 4,
    /// Person and period stand in an earlier line.
    Repeated = 5,
}

/// One item as it was ordered, with everything that the creditor's bank gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Instructing participant + TxId; the same hash as on the instant rail.
    pub key: PaymentKey,
    /// Hash of the business fields: amount, value date, agents, accounts, purpose.
    pub fingerprint: Fingerprint,
    pub uetr: Uetr,
    pub transaction_id: TransactionId,
    pub instruction_id: Option<InstructionId>,
    pub end_to_end_id: EndToEndId,
    pub amount: Money,
    pub value_date: Date,
    pub priority: Priority,
    pub debtor: Party,
    pub creditor: Party,
    pub purpose: Knp,
    pub remittance: Option<Line<140>>,
    pub list: Option<Beneficiaries>,
}

/// A list of beneficiaries: where it stands in the message, which is the record's evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beneficiaries {
    pub lines: u16,
    /// Its first byte, and how many there are.
    pub start: u32,
    pub length: u32,
    /// Hash of those bytes.
    pub digest: [u8; 16],
}

/// One side of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    pub agent: Bic,
    pub account: Iban,
    pub number: IinBin,
    pub name: Line<140>,
    /// KOD of the debtor, KBE of the creditor.
    pub sector: SectorCode,
}

/// Rules of the clearing system; replaced as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The largest item.
    pub amount_max: Money,
    /// When the sessions of a date close, since local midnight; rising.
    pub closes_at: Vec<Span>,
    /// Business days that a value date may lie ahead.
    pub days_ahead: u8,
    /// Items that are known at once: those that wait, and those of the last dates.
    pub items_max: u32,
    /// Dates that are closed or worked against the rules of the calendar; rising.
    pub days: Vec<(Date, DayOverride)>,
}

/// A camt.056: an item that waits is to be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancellation {
    pub source: Source,
    /// The item's.
    pub key: PaymentKey,
    /// Those of the item, but for the identifier of the message.
    pub references: References,
    pub cancellation_id: CancellationId,
    pub instructing_agent: Bic,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    Submit(Submit),
    /// Takes an item back that has not been cleared.
    Withdraw {
        source: Source,
        uetr: Uetr,
    },
    /// The open session closes now.
    Close {
        source: Source,
    },
    SetSettings {
        source: Source,
        settings: Settings,
    },
    /// A bank takes an item back.
    Cancel(Cancellation),
    /// Where payments of which purposes must go; the whole table.
    SetPurposes {
        source: Source,
        rows: Vec<PurposeRow>,
    },
}

impl LineRule {
    /// The rule of a stored number.
    pub fn from_number(number: u8) -> Option<LineRule> {
        let all = [
            LineRule::Name,
            LineRule::Number,
            LineRule::Amount,
            LineRule::Period,
            LineRule::Repeated,
        ];
        all.into_iter().find(|rule| *rule as u8 == number)
    }
}

impl Settings {
    /// What holds as long as no command says otherwise; the values are those of docs/clearing.md.
    pub fn initial() -> Settings {
        Settings {
            amount_max: Money::kzt(500_000_000),
            closes_at: vec![Span::from_secs(15 * 3600)],
            days_ahead: 3,
            items_max: 2_097_152,
            days: Vec::new(),
        }
    }
}

impl<const CHARACTERS: usize> Line<CHARACTERS> {
    /// The text, if it keeps the rules of the type.
    pub fn parse(text: &str) -> Option<Line<CHARACTERS>> {
        let sound = !text.is_empty()
            && text.chars().count() <= CHARACTERS
            && !text.chars().any(char::is_control);
        sound.then(|| Line(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const CHARACTERS: usize> fmt::Debug for Line<CHARACTERS> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl Command {
    /// Who asked.
    pub(crate) fn source(&self) -> &Source {
        match self {
            Command::Submit(submit) => &submit.source,
            Command::Cancel(cancellation) => &cancellation.source,
            Command::Withdraw { source, .. }
            | Command::Close { source }
            | Command::SetSettings { source, .. }
            | Command::SetPurposes { source, .. } => source,
        }
    }
}
