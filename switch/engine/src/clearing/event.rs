//! What happened in the clearing system, and what it tells of itself.

use torap_clearing::SessionId;
use torap_domain::{Date, Money, ParticipantId, Position, Reason, Time};

use super::FileKey;
use crate::instant::PaymentKey;

/// What happened, for everyone who follows the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Nets are booked; outcomes follow in the records after.
    SessionClosed {
        session: SessionId,
        settled: u32,
        left_out: u32,
        /// What the settled items come to.
        amount: Money,
    },
    /// What a session came to for one participant.
    Net { session: SessionId, row: Row },
    /// Every outcome of the session has been told.
    SessionReported { session: SessionId },
    /// The nets could not be booked; the session stays open and is tried again.
    SessionHeld { session: SessionId },
    /// An item was taken back.
    Withdrawn { key: PaymentKey },
}

/// What a session came to for a participant that settles; amounts in minor units of KZT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    pub participant: ParticipantId,
    /// Items that it paid, and what they come to.
    pub sent: u32,
    pub debits: u64,
    /// Items that it was paid, and what they come to.
    pub received: u32,
    pub credits: u64,
    /// Items that it could not pay.
    pub left_out: u32,
    pub left_out_amount: u64,
}

/// A closed session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub session: SessionId,
    /// The record that closed it.
    pub closed: Position,
    pub closed_at: Time,
    /// Those that had items in it, in the order of identifiers.
    pub rows: Vec<Row>,
}

/// The session that is open, and what waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// None before the first item or setting.
    pub open: Option<(SessionId, Time)>,
    /// Whether outcomes of the last session are still being told.
    pub telling: bool,
    /// By value date: items that wait, and what they come to in minor units of KZT.
    pub waiting: Vec<(Date, u32, u64)>,
    /// Items that are known.
    pub items: usize,
    /// Memory of the items and their tables, in bytes.
    pub bytes: usize,
}

/// An item as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ItemView {
    pub key: PaymentKey,
    pub debtor_agent: ParticipantId,
    pub creditor_agent: ParticipantId,
    pub amount: Money,
    pub value_date: Date,
    pub status: crate::Status,
    /// The session that decided it.
    pub session: Option<SessionId>,
    /// The record that it came with, and its place in it.
    pub submitted: Position,
    pub index: u16,
}

/// How far a file has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileView {
    pub participant: ParticipantId,
    pub file: FileKey,
    /// The piece that comes next.
    pub next: u32,
    pub accepted: u32,
    pub refused: u32,
    pub complete: bool,
    /// Of the last piece: places in it that were refused, and why.
    pub refusals: Vec<(u16, Reason)>,
}

impl Row {
    /// What the participant is paid; below zero, what it pays.
    pub fn net(&self) -> i128 {
        i128::from(self.credits).saturating_sub(i128::from(self.debits))
    }
}
