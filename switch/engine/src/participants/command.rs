//! Commands about participants: who they are, what they may do, and the funding of their positions.

use torap_domain::{BankCode, Bic, Money, ParticipantId, Service, Text};

use crate::Source;

/// BICs or bank codes of one participant, at most.
pub const CODES_MAX: usize = 8;

/// Everything about a participant that the operator sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Short code, the name at sign-on, e.g. `HSBK`; unique.
    pub code: Text<35>,
    pub name: Text<96>,
    /// The first is the primary one.
    pub bics: Vec<Bic>,
    pub bank_codes: Vec<BankCode>,
    /// Settles and is reached through this direct participant.
    pub sponsor: Option<ParticipantId>,
    /// Others that may send for this participant.
    pub technical_senders: Vec<ParticipantId>,
    /// Services it may send and receive.
    pub services: Vec<Service>,
    /// Notices to the bank's host when the available position passes these.
    pub floor: Option<Money>,
    pub ceiling: Option<Money>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// May sign on and exchange test traffic only with the switch; no payments.
    Certifying,
    Active,
    /// New debits and/or credits are refused; what was reserved before still finishes.
    Suspended {
        debits: bool,
        credits: bool,
    },
    /// No new payments in either direction; returns and answers still pass.
    Closing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PositionMode {
    /// Never below zero.
    Prefunded,
    /// Down to minus the cap.
    NetDebitCap(Money),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the central bank's mirror account to the position.
    In,
    Out,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// The new participant gets the next free `ParticipantId`.
    Add {
        source: Source,
        profile: Profile,
        mode: PositionMode,
    },
    Update {
        source: Source,
        participant: ParticipantId,
        profile: Profile,
    },
    SetState {
        source: Source,
        participant: ParticipantId,
        state: State,
    },
    SetPositionMode {
        source: Source,
        participant: ParticipantId,
        mode: PositionMode,
    },
    /// After a merger: the codes of `participant` lead to `successor`.
    SetSuccessor {
        source: Source,
        participant: ParticipantId,
        successor: ParticipantId,
    },
    Fund {
        source: Source,
        participant: ParticipantId,
        direction: Direction,
        amount: Money,
    },
}

impl Command {
    /// Who asked.
    pub(crate) fn source(&self) -> &Source {
        match self {
            Command::Add { source, .. }
            | Command::Update { source, .. }
            | Command::SetState { source, .. }
            | Command::SetPositionMode { source, .. }
            | Command::SetSuccessor { source, .. }
            | Command::Fund { source, .. } => source,
        }
    }
}
