//! Commands of IMTS: the operator's, and those of the banks' own door; a resolution may also come from the switch's own solver.

use torap_domain::{Date, DayOverride, Money, ParticipantId, Position, Span, Text, Time};

use super::{Cancellation, Instruction, Liquidity, Modification, Return};
use crate::{Source, participants::Direction};

/// Payments that one resolution settles, at most.
pub const RESOLUTION_MAX: usize = 65_536;

/// In the order in which payments of one bank settle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Operations of the central bank and nets of other systems.
    CentralBank,
    High,
    Normal,
}

/// A payment between two settlement accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payment {
    pub from: ParticipantId,
    pub to: ParticipantId,
    pub amount: Money,
    pub priority: Priority,
    /// The payer's own identifier, once a day.
    pub reference: Text<35>,
    /// Waits until then, whatever the funds.
    pub earliest: Option<Time>,
    /// Rejected if it has not settled by then.
    pub latest: Option<Time>,
}

/// What may be done to a payment that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Takes its place at the end of the new priority.
    Priority(Priority),
    /// Before or behind all others of its payer with its priority.
    ToHead,
    ToTail,
    Withdraw,
    /// Other times; none: as it is.
    Times {
        earliest: Option<Time>,
        latest: Option<Time>,
    },
}

/// Times of a business day, since local midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    pub opens: Span,
    /// The end for payments of normal priority.
    pub cut_off: Span,
    pub closes: Span,
}

impl Hours {
    /// Whether the times follow each other within one day.
    pub fn are_sound(&self) -> bool {
        let day = Span::from_secs(24 * 3600);
        self.opens < self.cut_off && self.cut_off <= self.closes && self.closes <= day
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Between the central bank's account and a settlement account; `In` credits the participant.
    Fund {
        source: Source,
        participant: ParticipantId,
        direction: Direction,
        amount: Money,
    },
    /// Between a settlement account and the participant's instant position; `In` credits the position.
    Transfer {
        source: Source,
        participant: ParticipantId,
        direction: Direction,
        amount: Money,
    },
    Pay {
        source: Source,
        payment: Payment,
    },
    /// `id` is the record of the payment.
    Change {
        source: Source,
        id: Position,
        change: Change,
    },
    /// Intraday credit: how far below zero the settlement account may go, against collateral.
    SetCreditLine {
        source: Source,
        participant: ParticipantId,
        amount: Money,
    },
    /// The most that a participant pays net in a day, towards one other or towards all; none takes the limit away.
    SetLimit {
        source: Source,
        participant: ParticipantId,
        towards: Option<ParticipantId>,
        amount: Option<Money>,
    },
    /// What payments of normal priority must leave on the account.
    Reserve {
        source: Source,
        participant: ParticipantId,
        amount: Money,
    },
    /// Payments that settle all at once, as a solver found; `payments` rises.
    Resolve {
        source: Source,
        payments: Vec<Position>,
    },
    /// Begins a business day, or gives the open one another end. From the cut-off on no payment of normal priority is taken.
    Open {
        source: Source,
        cut_off: Option<Time>,
        until: Time,
    },
    /// Ends the business day now.
    Close {
        source: Source,
    },
    /// When business days begin and end by themselves; none: only when the operator says.
    SetHours {
        source: Source,
        hours: Option<Hours>,
    },
    /// Closes or opens one date of the calendar, or gives it back to the rules.
    SetDay {
        source: Source,
        date: Date,
        day: Option<DayOverride>,
    },
    /// A bank's own payment.
    Instruct(Instruction),
    /// A bank withdraws what waits.
    Cancel(Cancellation),
    /// A bank gives a settled payment back.
    Return(Return),
    /// A bank moves its own money between its accounts.
    MoveLiquidity(Liquidity),
    /// Whether banks' liquidity transfers outside business days wait for the next one, or are refused.
    KeepLiquidity {
        source: Source,
        keeps: bool,
    },
    /// A bank changes a payment of its own that waits.
    Modify(Modification),
}

impl Command {
    /// Who asked.
    pub(crate) fn source(&self) -> &Source {
        match self {
            Command::Fund { source, .. }
            | Command::Transfer { source, .. }
            | Command::Pay { source, .. }
            | Command::Change { source, .. }
            | Command::SetCreditLine { source, .. }
            | Command::SetLimit { source, .. }
            | Command::Reserve { source, .. }
            | Command::Resolve { source, .. }
            | Command::Open { source, .. }
            | Command::Close { source }
            | Command::SetHours { source, .. }
            | Command::SetDay { source, .. }
            | Command::KeepLiquidity { source, .. } => source,
            Command::Instruct(instruction) => &instruction.source,
            Command::Cancel(cancellation) => &cancellation.source,
            Command::Return(back) => &back.source,
            Command::MoveLiquidity(order) => &order.source,
            Command::Modify(modification) => &modification.source,
        }
    }
}
