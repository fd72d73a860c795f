//! What commands, effects and events of the card rail are made of.
//!
//! No value here holds a whole card number, a PIN, a track or a cryptogram: what needs them reads the original message.

use torap_domain::{
    Asset, CardReason, CardService, Money, ParticipantId, Position, Text,
    card::{
        ApprovalCode, CardHash, Channel, EntryMode, InstitutionId, Mcc, ResponseCode, Stan,
        Transmission, TruncatedPan,
    },
};

/// A TCP connection of a participant; numbers are the node's, rise within an epoch and are never used twice in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkNumber(pub u32);

/// Whose message, and the connection it came on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    pub participant: ParticipantId,
    pub link: LinkNumber,
}

/// Class of a message that moves a transaction: second digit of its type. The number is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Class {
    /// 01xx: approves, moves no money between banks.
    Authorisation = 1,
    /// 02xx: approves and moves.
    Financial = 2,
}

/// Identity of a card message, hashed to 128 bits by the gateway: class, participant, DE7, DE11, DE32, DE41, DE37 (blake3,
/// truncated). A repeat (0101, 0201, 0401 …) and a request and an advice of one class have the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CardKey(pub [u8; 16]);

/// Hash of what a repeat may not change: function, card, service, amounts, merchant, original data elements; never PIN block, chip
/// data, MAC or repeat mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 16]);

/// DE7 and DE11: with the participant they name one message on its way and its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Trace {
    pub transmitted: Transmission,
    pub stan: Stan,
}

/// What an answer to the acquirer repeats whatever else is at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct References {
    pub trace: Trace,
    /// DE32
    pub acquirer: InstitutionId,
    /// DE37, without blanks at the end.
    pub retrieval: Text<12>,
    /// DE41, without blanks at the end.
    pub terminal: Text<8>,
}

/// What is kept of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Card {
    pub hash: CardHash,
    pub pan: TruncatedPan,
}

/// The row of a BIN table that the gateway found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    pub version: u32,
    /// Place of the row in [`BinTable::ranges`](super::BinTable).
    pub range: u32,
}

/// The verdict on a message's MAC. The number is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum MacFact {
    /// None is agreed with this participant.
    NotRequired = 1,
    Good = 2,
    Bad = 3,
    Missing = 4,
    /// The HSM did not answer in time.
    Unavailable = 5,
}

/// What became of the PIN block of a request. The number is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum PinFact {
    Absent = 1,
    /// Translated for the issuer; it stands in the secrets of the command.
    Translated = 2,
    /// Verified here, by delegation; also translated.
    Verified = 3,
    /// Verified here, by delegation, and wrong.
    Wrong = 4,
    /// The HSM refused the block: wrong key, wrong format, or a format that may not become another.
    Refused = 5,
    /// The HSM did not answer in time.
    Unavailable = 6,
}

/// What is known of the chip's cryptogram. The number is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ChipFact {
    /// No chip data.
    Absent = 1,
    /// Carried to the issuer unread.
    Unchecked = 2,
    /// Verified here, by delegation.
    Verified = 3,
    /// Verified here, by delegation, and wrong.
    Wrong = 4,
}

/// What a request and an advice have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transaction {
    pub class: Class,
    pub key: CardKey,
    pub fingerprint: Fingerprint,
    pub references: References,
    pub card: Card,
    /// None: no row of the table holds the card number.
    pub route: Option<Route>,
    pub service: CardService,
    pub channel: Channel,
    pub entry: EntryMode,
    pub mcc: Mcc,
    /// DE4, cash back included; zero where the service has none.
    pub amount: Money,
    /// The part of the amount that is cash, for a purchase with cash back.
    pub cash_back: Money,
    pub mac: MacFact,
}

/// The transaction that a reversal or completion names in DE90 (1993: DE56).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Original {
    /// From its class, DE7, DE11 and DE32, and the DE41 and DE37 of the message at hand, which are the original's.
    pub key: CardKey,
    pub class: Class,
    pub trace: Trace,
}

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Approved {
        /// DE38; an issuer may leave it out.
        approval: Option<ApprovalCode>,
        /// Less than asked for if the issuer approved a part.
        amount: Money,
        by: Decider,
    },
    Declined {
        reason: CardReason,
        /// The issuer's or scheme's own code, with [`CardReason::IssuerDeclined`] and [`CardReason::SchemeDeclined`].
        code: Option<ResponseCode>,
    },
}

/// Who approved. The number is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Decider {
    Issuer = 1,
    /// The switch, for the issuer.
    StandIn = 2,
    /// The acquirer or the terminal; the switch was advised.
    Acquirer = 3,
}

/// A participant's side of a transaction. The number is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Side {
    Acquirer = 1,
    Issuer = 2,
}

/// What a transaction costs, each in tenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fees {
    pub interchange: Money,
    /// Who receives the interchange; the other side pays it.
    pub interchange_to: Side,
    /// What the acquirer and the issuer pay to the operator.
    pub switch_acquirer: Money,
    pub switch_issuer: Money,
}

/// Number and amount of transactions of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sum {
    pub count: u64,
    pub amount: Money,
}

/// What one side of a participant did in a session: DE74 to DE77, DE86 to DE89, and the fees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totals {
    /// The cardholder paid.
    pub debits: Sum,
    pub debit_reversals: Sum,
    /// The cardholder was credited.
    pub credits: Sum,
    pub credit_reversals: Sum,
    /// Interchange and switch fees paid, or given back; and received, or got back.
    pub fees_paid: Money,
    pub fees_received: Money,
}

/// How the record of an enrichment stands towards a request that is sent to its issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enrichment {
    /// Nobody was asked.
    NotAsked,
    /// The scheme's answer is this record.
    Answered(Position),
    /// The scheme was asked or should have been, and the transaction goes on without its data.
    Missing,
}

impl Class {
    /// The stored number.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The class of a stored number.
    pub const fn from_number(number: u8) -> Option<Class> {
        match number {
            1 => Some(Class::Authorisation),
            2 => Some(Class::Financial),
            _ => None,
        }
    }
}

impl Side {
    /// The one of a stored number.
    pub const fn from_number(number: u8) -> Option<Side> {
        match number {
            1 => Some(Side::Acquirer),
            2 => Some(Side::Issuer),
            _ => None,
        }
    }

    /// The other one.
    pub const fn other(self) -> Side {
        match self {
            Side::Acquirer => Side::Issuer,
            Side::Issuer => Side::Acquirer,
        }
    }
}

impl Sum {
    /// Nothing.
    pub const ZERO: Sum = Sum {
        count: 0,
        amount: Money::zero(Asset::Kzt),
    };
}

impl Totals {
    /// Nothing.
    pub const ZERO: Totals = Totals {
        debits: Sum::ZERO,
        debit_reversals: Sum::ZERO,
        credits: Sum::ZERO,
        credit_reversals: Sum::ZERO,
        fees_paid: Money::zero(Asset::Kzt),
        fees_received: Money::zero(Asset::Kzt),
    };
}

impl MacFact {
    /// The one of a stored number.
    pub const fn from_number(number: u8) -> Option<MacFact> {
        match number {
            1 => Some(MacFact::NotRequired),
            2 => Some(MacFact::Good),
            3 => Some(MacFact::Bad),
            4 => Some(MacFact::Missing),
            5 => Some(MacFact::Unavailable),
            _ => None,
        }
    }
}

impl PinFact {
    /// The one of a stored number.
    pub const fn from_number(number: u8) -> Option<PinFact> {
        match number {
            1 => Some(PinFact::Absent),
            2 => Some(PinFact::Translated),
            3 => Some(PinFact::Verified),
            4 => Some(PinFact::Wrong),
            5 => Some(PinFact::Refused),
            6 => Some(PinFact::Unavailable),
            _ => None,
        }
    }
}

impl ChipFact {
    /// The one of a stored number.
    pub const fn from_number(number: u8) -> Option<ChipFact> {
        match number {
            1 => Some(ChipFact::Absent),
            2 => Some(ChipFact::Unchecked),
            3 => Some(ChipFact::Verified),
            4 => Some(ChipFact::Wrong),
            _ => None,
        }
    }
}

impl Decider {
    /// The one of a stored number.
    pub const fn from_number(number: u8) -> Option<Decider> {
        match number {
            1 => Some(Decider::Issuer),
            2 => Some(Decider::StandIn),
            3 => Some(Decider::Acquirer),
            _ => None,
        }
    }
}
