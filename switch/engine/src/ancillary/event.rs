//! What happened in ancillary settlement.

use torap_domain::{Date, Money, ParticipantId, Position, Time};

use crate::participants::Direction;

/// Why money moved on a settlement account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Cause {
    /// The net of a card session.
    CardNet = 1,
    /// A contribution to the guarantee fund, or what came back of one.
    GuaranteeFund = 2,
    /// What a default had cost, paid back.
    Recovery = 3,
    /// Securities were delivered against it.
    Delivery = 4,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A card session's nets are final, or taken in between, and wait for IMTS.
    CardNetsReady { session: Date, cycle: u16 },
    /// Debtors have until then.
    CardNetsDue {
        session: Date,
        cycle: u16,
        until: Time,
    },
    /// Everybody has been paid.
    CardNetsSettled { session: Date, cycle: u16 },
    /// The participant owed this much more than it could pay: the others bear it.
    Defaulted {
        session: Date,
        cycle: u16,
        participant: ParticipantId,
        amount: Money,
    },
    /// Taken from a contribution to the guarantee fund, for the participant itself or for others.
    FundUsed {
        participant: ParticipantId,
        amount: Money,
        own: bool,
    },
    /// A creditor of the session was paid this much less.
    Lost {
        participant: ParticipantId,
        amount: Money,
    },
    /// A settlement account; `In` credited it. The operator's own account has the switch's number.
    Moved {
        participant: ParticipantId,
        cause: Cause,
        direction: Direction,
        amount: Money,
    },
    /// The participant has this much less in the guarantee fund than it has to have.
    TopUpCalled {
        participant: ParticipantId,
        missing: Money,
    },
    /// The money of a delivery has moved: the securities are the buyer's.
    DeliverySettled { id: Position },
    /// No money moves for it any more: the block is to be released.
    DeliveryEnded { id: Position },
}
