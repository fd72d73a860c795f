//! What happened in IMTS.

use torap_domain::{Money, ParticipantId, Position, Reason, Text, Time};

use crate::participants::Direction;

/// How a payment ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Final.
    Settled,
    Rejected(Reason),
    Withdrawn,
}

/// A payment that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// Record of the payment: its identifier.
    pub id: Position,
    pub from: ParticipantId,
    pub to: ParticipantId,
    pub amount: Money,
    pub reference: Text<35>,
    pub end: End,
    pub at: Time,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The central bank's account and a settlement account.
    Funded {
        participant: ParticipantId,
        direction: Direction,
        amount: Money,
    },
    /// A settlement account and its participant's instant position; `In` credited the position.
    Transferred {
        participant: ParticipantId,
        direction: Direction,
        amount: Money,
    },
    Queued {
        id: Position,
    },
    Finished(Done),
    /// The business day is open until then.
    Opened {
        until: Time,
    },
    /// The participant's intraday credit was not repaid when the day ended.
    Overnight {
        participant: ParticipantId,
        amount: Money,
    },
    Closed,
}
