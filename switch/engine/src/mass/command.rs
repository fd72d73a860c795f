//! Commands about batches on the instant rail.

use torap_domain::{
    Bic, EndToEndId, InstructionId, MessageId, ParticipantId, Reason, Text, Time, TransactionId,
    Uetr,
};

use crate::{
    Source,
    clearing::{FileKey, Piece},
    instant::{Fingerprint, PaymentKey},
};

/// Lines of one piece, at most.
pub const PIECE_LINES_MAX: usize = 512;

/// A line of a file: the payment that it becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Instructing participant + TxId.
    pub key: PaymentKey,
    pub uetr: Uetr,
}

/// One piece of a participant's file, handed in line by line by its submitter: how files were taken before [`Take`]. Only logs from
/// then hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submit {
    pub source: Source,
    pub participant: ParticipantId,
    pub piece: Piece,
    /// 1 to [`PIECE_LINES_MAX`], in the order of the file.
    pub lines: Vec<Line>,
}

/// One piece of a participant's file: a pacs.008 with many transactions, which is the evidence of the record. The switch hands the lines
/// in from there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Take {
    pub source: Source,
    /// MsgId that statuses refer to.
    pub message_id: MessageId,
    /// Index of the message version in the gateway's table.
    pub message_version: u8,
    pub instructing_agent: Bic,
    pub piece: Piece,
    /// No line is handed in before.
    pub starts: Option<Time>,
    /// Hash of what the lines say: two messages of one piece are the same if it is.
    pub content: Fingerprint,
    /// 1 to [`PIECE_LINES_MAX`], in the order of the message.
    pub lines: Vec<Item>,
}

/// A line as its message has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    pub line: Line,
    pub transaction_id: TransactionId,
    pub instruction_id: Option<InstructionId>,
    pub end_to_end_id: Option<EndToEndId>,
    /// It breaks a rule of messages and is refused alone.
    pub fault: Option<Fault>,
}

/// Why a line can be no payment: the code of the rule, its place and its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    pub code: Text<4>,
    pub text: Text<105>,
}

/// A line that could not be handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Miss {
    pub source: Source,
    pub participant: ParticipantId,
    pub file: FileKey,
    pub piece: u32,
    /// Place of the line in its message, from 0.
    pub place: u16,
    pub reason: Reason,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    Submit(Submit),
    Take(Take),
    Miss(Miss),
}

impl Command {
    /// Who asked.
    pub(crate) fn source(&self) -> &Source {
        match self {
            Command::Submit(submit) => &submit.source,
            Command::Take(take) => &take.source,
            Command::Miss(miss) => &miss.source,
        }
    }
}
