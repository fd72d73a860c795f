//! What leaves the card rail for a participant.
//!
//! There is no stream: a request, an enquiry and an answer go out at most once, and only with the record that caused them; whoever
//! missed an answer repeats its message. What must arrive waits in the participant's queue and is sent until it is acknowledged.
//! An effect names the records its text is made of: the gateway has them in memory or reads them from the log.

use torap_domain::{CardReason, Date, Money, ParticipantId, Position, Time, card::ApprovalCode};

use super::{
    Class, Decision, Enrichment, Fees, KeyUse, LinkNumber, References, Side, Totals, Trace,
};

/// One message to a participant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effect {
    pub to: ParticipantId,
    /// The connection it should go on, if it is still there; any other of the participant serves as well.
    pub link: Option<LinkNumber>,
    /// The record that caused it.
    pub cause: Position,
    /// Time of that record.
    pub time: Time,
    pub message: Message,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// 0100 or 0200 to the issuer, made of the secrets of `original`. Without them (the process that took them is gone) nothing is
    /// sent. Never sent at or after `expires`.
    Request {
        original: Position,
        class: Class,
        trace: Trace,
        session: Date,
        expires: Time,
        enrichment: Enrichment,
    },
    /// An enquiry to a scheme about the request at `original`, made of its secrets.
    Enquiry {
        original: Position,
        trace: Trace,
        expires: Time,
    },
    /// 0110 or 0210 to the acquirer, about the request at `original`.
    Answer {
        original: Position,
        class: Class,
        references: References,
        decision: Decision,
        /// The issuer's or scheme's answer: fields that the acquirer gets from there (DE54, DE55 …).
        answer: Option<Position>,
        session: Date,
        /// What the transaction costs, if it moved money.
        fees: Option<Fees>,
        /// It was given before.
        again: bool,
    },
    /// 0130, 0230, 0410, 0430, 0312, 0610, 0630 or 0810 to the message at `original`, whose type says which.
    Reply {
        original: Position,
        trace: Trace,
        refusal: Option<CardReason>,
        /// DE15
        session: Date,
        again: bool,
    },
    /// 0510 or 0530 to the message at `original`, with the switch's own totals.
    Reconciled {
        original: Position,
        trace: Trace,
        session: Date,
        totals: Totals,
        in_balance: bool,
    },
    /// The first of the participant's queue; it is sent again until it is acknowledged, from the second time on with the type that
    /// marks a repeat.
    Queued {
        letter: Letter,
        trace: Trace,
        repeat: bool,
    },
    /// 0520 from the queue: the totals of a session that has been closed.
    ClosingTotals {
        participant: ParticipantId,
        session: Date,
        side: Side,
        totals: Totals,
        trace: Trace,
        repeat: bool,
    },
}

/// What waits in a participant's queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Letter {
    /// 0120 or 0220: the request or advice at `original` was approved by `by`, not by the issuer.
    Advice {
        original: Position,
        class: Class,
        /// The authorisation that it completes, as the issuer knows it.
        about: Option<Trace>,
        amount: Money,
        approval: Option<ApprovalCode>,
        by: AdvisedBy,
        session: Date,
    },
    /// 0420: what the issuer knows as `about` does not stand, or only `stands` of it.
    Reversal {
        original: Position,
        class: Class,
        about: Trace,
        /// The acquirer's reversal, if there was one.
        reversal: Option<Position>,
        amount: Money,
        stands: Money,
        cause: ReversalCause,
        session: Date,
    },
    /// 0620: a message of another participant, at `original`.
    Administrative {
        original: Position,
        to: ParticipantId,
    },
    /// 0620: the switch tells something.
    Notice(Notice),
    /// 0800, cut-over: the session that begins.
    CutOver { session: Date },
    /// 0520; sent as [`Message::ClosingTotals`].
    Totals {
        participant: ParticipantId,
        session: Date,
        side: Side,
    },
    /// 0800, key change: a new key of this set, which an HSM has made.
    KeyHandedOver { set: u16, of: KeyUse },
    /// 0800, key change: the set is in use from now on.
    KeyInUse { set: u16 },
}

/// Who approved what an issuer is advised of. The number is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum AdvisedBy {
    /// The switch stood in: the issuer was signed off or had no link.
    StandInUnavailable = 1,
    /// The switch stood in: the issuer was silent.
    StandInSilent = 2,
    /// Approved offline, by terminal or acquirer.
    Offline = 3,
    /// It completes an authorisation.
    Completion = 4,
    /// A line of a presentment file collects for an authorisation.
    Presentment = 5,
    /// A line of a presentment file gives back for a purchase.
    Refund = 6,
}

/// Why a transaction is reversed towards the issuer. The number is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ReversalCause {
    /// The issuer did not answer in time.
    Silent = 1,
    /// It answered too late.
    TooLate = 2,
    /// Its answer could not be verified.
    Unverifiable = 3,
    /// It approved a part that the acquirer cannot use.
    PartialUnusable = 4,
    /// The acquirer reversed it after it was approved.
    Acquirer = 5,
    /// The switch started again while the issuer was being asked.
    Restarted = 6,
    /// The acquirer reversed it before it was decided.
    Cancelled = 7,
}

/// What the switch tells a participant unasked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The net debit came near the cap, or reached it.
    NetDebit {
        participant: ParticipantId,
        net_debit: Money,
        cap: Money,
    },
    /// What was reconciled for a session does not agree.
    OutOfBalance {
        participant: ParticipantId,
        session: Date,
        side: Side,
    },
}

impl Letter {
    /// Whether it hands a key over, or puts one into use.
    pub const fn is_about_keys(&self) -> bool {
        matches!(self, Letter::KeyHandedOver { .. } | Letter::KeyInUse { .. })
    }
}

impl AdvisedBy {
    /// The one of a stored number.
    pub const fn from_number(number: u8) -> Option<AdvisedBy> {
        match number {
            1 => Some(AdvisedBy::StandInUnavailable),
            2 => Some(AdvisedBy::StandInSilent),
            3 => Some(AdvisedBy::Offline),
            4 => Some(AdvisedBy::Completion),
            5 => Some(AdvisedBy::Presentment),
            6 => Some(AdvisedBy::Refund),
            _ => None,
        }
    }
}

impl ReversalCause {
    /// The one of a stored number.
    pub const fn from_number(number: u8) -> Option<ReversalCause> {
        match number {
            1 => Some(ReversalCause::Silent),
            2 => Some(ReversalCause::TooLate),
            3 => Some(ReversalCause::Unverifiable),
            4 => Some(ReversalCause::PartialUnusable),
            5 => Some(ReversalCause::Acquirer),
            6 => Some(ReversalCause::Restarted),
            7 => Some(ReversalCause::Cancelled),
            _ => None,
        }
    }
}
