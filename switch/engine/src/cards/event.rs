//! What happened on the card rail, for everyone who follows the log: index, statements, console, clearing.

use std::sync::Arc;

use torap_domain::{
    CardReason, CardService, Date, Money, ParticipantId, Position, Time,
    card::{Channel, Mcc, ResponseCode},
};

use super::{
    BinTable, Card, CardKey, Class, Decision, Fees, Fingerprint, KeyState, LinkNumber, Profile,
    References, Side, Totals, Trace,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A request or advice has its outcome. The index stores it.
    Decided(Finished),
    /// A reversal came before its original, which will be declined when it comes.
    Blocked {
        original: CardKey,
        reversal: CardKey,
        participant: ParticipantId,
    },
    /// Money moved between two members.
    Posted(Posting),
    /// A transaction does not stand, or only `stands` of it; the index updates it.
    Reversed {
        original: CardKey,
        reversal: CardKey,
        stands: Money,
        fees: Fees,
        session: Date,
    },
    /// Only `stands` of a transaction stands: a line of a presentment file gave the rest back, or a case claims it. The index updates
    /// it.
    Reduced {
        original: CardKey,
        stands: Money,
        case: Option<Position>,
    },
    /// An authorisation can no longer be completed.
    AuthorisationEnded { key: CardKey, completed: Money },
    /// An issuer's answer that came after the decision; nothing followed from it.
    LateAnswer {
        key: CardKey,
        issuer: ParticipantId,
        approved: bool,
    },
    /// An answer or acknowledgement that belongs to nothing.
    Unmatched {
        participant: ParticipantId,
        trace: Trace,
    },
    /// A letter of the queue was acknowledged, with a code other than an approval if the other side has a complaint.
    Acknowledged {
        participant: ParticipantId,
        trace: Trace,
        code: ResponseCode,
    },
    /// A message that changed nothing.
    Refused {
        participant: ParticipantId,
        reason: CardReason,
    },
    /// A session ended and the next began.
    CutOver { closed: Date, opened: Date },
    /// The session should have ended, and did not because too many are not settled yet.
    CutOverHeld { session: Date },
    /// Nothing of the session is under way any more: its totals are final.
    SessionClosed { session: Date },
    /// The nets of the session left the card accounts.
    SessionSettled { session: Date },
    Reconciled {
        participant: ParticipantId,
        session: Date,
        side: Side,
        in_balance: bool,
    },
    /// The net debit of a member reached the alert or the cap, or came back below the alert.
    NetDebit {
        participant: ParticipantId,
        net_debit: Money,
        cap: Money,
        near: bool,
    },
    /// The stop list changed.
    StopList { card: Card, stopped: bool },
    /// Gateways take the table from here.
    BinsChanged(Arc<BinTable>),
    /// The gateway's view of the member changes.
    MemberChanged(Box<MemberView>),
}

/// A transaction that has its outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finished {
    pub key: CardKey,
    pub fingerprint: Fingerprint,
    pub class: Class,
    pub decision: Decision,
    /// Record of the request or advice.
    pub submitted: Position,
    pub decided: Position,
    pub decided_at: Time,
    pub references: References,
    pub card: Card,
    pub service: CardService,
    pub channel: Channel,
    pub mcc: Mcc,
    pub product: u8,
    /// As asked for.
    pub amount: Money,
    pub acquirer: ParticipantId,
    /// The switch, if no issuer was found.
    pub issuer: ParticipantId,
    /// How the issuer knows it, if it was told.
    pub asked: Option<Trace>,
    pub session: Date,
    /// If it moved money.
    pub fees: Option<Fees>,
}

/// One obligation between two members, its fees included; a reversal is one the other way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posting {
    /// The transaction.
    pub key: CardKey,
    pub session: Date,
    pub debit: ParticipantId,
    pub credit: ParticipantId,
    pub amount: Money,
    pub acquirer: ParticipantId,
    /// What is charged, or given back if `reversal`.
    pub fees: Fees,
    pub reversal: bool,
}

/// A member as gateways and reports see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberView {
    pub participant: ParticipantId,
    pub profile: Profile,
    pub signed_on: bool,
    pub links: Vec<LinkNumber>,
    /// Letters that wait for it.
    pub queued: usize,
    /// Its zone keys beside the set in use.
    pub keys: KeyState,
}

/// A session and what a member did in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionTotals {
    pub session: Date,
    pub participant: ParticipantId,
    pub acquirer: Totals,
    pub issuer: Totals,
}
