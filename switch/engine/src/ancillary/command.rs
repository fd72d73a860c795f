//! Commands of ancillary settlement. All are the operator's.

use torap_domain::{Date, Money, ParticipantId, Position, Span};

use super::{Delivery, LiquidityRule};
use crate::{Source, participants::Direction};

/// Times of a day at which the open card session is settled in between, at most.
pub const INTERIM_MAX: usize = 24;

/// How the debits of a session are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Each as soon as its debtor has the money; the credits follow when the last one is there.
    DebitsFirst,
    /// Nothing is booked until everybody who owes has the money at one moment.
    Simultaneous,
}

/// How card sessions settle in IMTS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// None: sessions are settled elsewhere, when the operator says so.
    pub card_nets: Option<Method>,
    /// How long debtors have, from the moment at which IMTS takes a session up.
    pub within: Span,
    /// Times of day, rising, at which what the open session has come to is settled in between.
    pub interim: Vec<Span>,
    /// A member's net debit cap on the card rail is at most this part of its contribution to the guarantee fund; zero ties nothing.
    pub cap_percent: u32,
}

impl Settings {
    /// Before the first command about them.
    pub fn initial() -> Settings {
        Settings {
            card_nets: None,
            within: Span::from_secs(30 * 60),
            interim: Vec::new(),
            cap_percent: 0,
        }
    }

    /// Whether debtors have some time, and the times of day rise within one day.
    pub fn are_sound(&self) -> bool {
        let day = Span::from_secs(24 * 3600);
        let times = &self.interim;
        let rise = times.iter().zip(times.iter().skip(1));
        self.within > Span::ZERO
            && self.within <= day
            && times.len() <= INTERIM_MAX
            && times.iter().all(|time| *time < day)
            && rise.into_iter().all(|(one, next)| one < next)
    }
}

/// A movement of the guarantee fund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FundMove {
    /// Between the participant's settlement account and its contribution; `In` contributes.
    Contribute(Direction),
    /// From the settlement account of a participant that was short to those who bore it; `default` is the record of the default.
    Recover { default: Position },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    SetSettings {
        source: Source,
        settings: Settings,
    },
    /// Settles what a card session has come to: the rest of a closed one, or the open one in between.
    SettleCards {
        source: Source,
        session: Date,
    },
    Fund {
        source: Source,
        participant: ParticipantId,
        what: FundMove,
        amount: Money,
    },
    /// What a participant has to have in the guarantee fund.
    Require {
        source: Source,
        participant: ParticipantId,
        amount: Money,
    },
    /// Takes what is missing in the guarantee fund from the settlement accounts, as far as they have it.
    Call {
        source: Source,
    },
    /// When a participant's instant position is topped up and swept by itself; none takes the rule away.
    SetLiquidity {
        source: Source,
        participant: ParticipantId,
        rule: Option<LiquidityRule>,
    },
    /// The money side of a delivery whose securities the depository has blocked.
    Deliver {
        source: Source,
        delivery: Delivery,
    },
    /// The depository has moved or released the securities; `id` is the record of the delivery.
    CloseDelivery {
        source: Source,
        id: Position,
    },
}

impl Command {
    /// Who asked.
    pub(crate) fn source(&self) -> &Source {
        match self {
            Command::SetSettings { source, .. }
            | Command::SettleCards { source, .. }
            | Command::Fund { source, .. }
            | Command::Require { source, .. }
            | Command::Call { source }
            | Command::SetLiquidity { source, .. }
            | Command::Deliver { source, .. }
            | Command::CloseDelivery { source, .. } => source,
        }
    }
}
