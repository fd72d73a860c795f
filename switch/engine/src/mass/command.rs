//! Commands about batches on the instant rail.

use torap_domain::{ParticipantId, Uetr};

use crate::{Source, clearing::Piece, instant::PaymentKey};

/// Lines of one piece, at most.
pub const PIECE_LINES_MAX: usize = 512;

/// A line of a file: the payment that it becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Instructing participant + TxId.
    pub key: PaymentKey,
    pub uetr: Uetr,
}

/// One piece of a participant's file; its lines follow as payments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submit {
    pub source: Source,
    pub participant: ParticipantId,
    pub piece: Piece,
    /// 1 to [`PIECE_LINES_MAX`], in the order of the file.
    pub lines: Vec<Line>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    Submit(Submit),
}

impl Command {
    /// Who asked.
    pub(crate) fn source(&self) -> &Source {
        let Command::Submit(submit) = self;
        &submit.source
    }
}
