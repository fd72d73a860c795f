//! What leaves the engine for a participant. The outbound stream of a participant is a function of the log: each entry has a
//! contiguous sequence, and its text is derived from the entry and the log record(s) it names, so a resend is byte-identical.

use torap_clearing::SessionId;
use torap_domain::{
    Bic, EndToEndId, Iban, InstructionId, MessageId, Money, ParticipantId, Position, Reason,
    Sequence, Time, TransactionId, Uetr,
};

use crate::{
    notices::{CardCycle, CaseNotice},
    participants::Direction,
    reports::Entry,
};

/// One entry of a participant's outbound stream: what the index keeps (no strings).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outbound {
    /// Whose stream.
    pub to: ParticipantId,
    /// Contiguous from 1 within the stream.
    pub sequence: Sequence,
    /// The record that caused it.
    pub cause: Position,
    /// Time of that record: the creation time in the message.
    pub time: Time,
    /// A forward is never delivered at or after this time; a SKIP goes out in its place.
    pub expires: Option<Time>,
    pub message: Message,
}

/// Kinds of outbound messages. `original` is the record whose facts (and, for forwards, evidence) the text is derived from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// pacs.008 to the payee's bank: evidence of `original`, by phone with the resolved agent and account of its facts.
    Forward { original: Position },
    /// acmt.023 to the payee's bank: is the account's holder the person named? (Me2Me)
    Confirm { original: Position },
    /// pacs.002 about the pacs.008 or pacs.004 at `original`.
    Status {
        original: Position,
        status: Status,
        decided: Position,
        decided_at: Time,
        repeat: bool,
    },
    /// pacs.004 of `original`, settled, to the payer's bank.
    ForwardReturn { original: Position },
    /// camt.056 of `original` to the payee's bank.
    ForwardRecall { original: Position },
    /// camt.029 of `original` to the bank that recalled.
    ForwardResolution { original: Position },
    /// camt.029 by the switch about the camt.056 at `original`.
    Resolution { original: Position, reason: Reason },
    /// acmt.024 about the acmt.023 at `original`.
    LookUpAnswer {
        original: Position,
        refusal: Option<Reason>,
    },
    /// admi.002: the message at `original` was not understood; path and rule stand in its facts.
    Reject { original: Position, reason: Reason },
    /// JSON answer to the JSON command at `original`.
    CommandAnswer {
        original: Position,
        refusal: Option<Reason>,
    },
    /// admi.004: a notice of the switch.
    Notice { notice: Notice },
    /// pacs.002 RJCT/AG09 about the pacs.028 at `original`: never received, and never will be.
    NotReceived { original: Position },
    /// pacs.002 about items of the submission at `original`: bit n of `items` is the item of index `first` + n. `session`
    /// decided them.
    ClearingStatus {
        original: Position,
        first: u16,
        items: u64,
        status: Status,
        session: Option<SessionId>,
    },
    /// pacs.002 RJCT about items of the submission at `original` that broke the usage table: bit n of `items` is the refused item
    /// of index `first` + n.
    ClearingRefused {
        original: Position,
        first: u16,
        items: u64,
    },
    /// pacs.008 to the creditor's bank: settled items of the submission at `original`, named as above.
    ClearingForward {
        original: Position,
        first: u16,
        items: u64,
        session: SessionId,
    },
    /// admi.004: what a session came to for the participant.
    ClearingReport {
        session: SessionId,
        sent: u32,
        debits: Money,
        received: u32,
        credits: Money,
        left_out: u32,
        left_out_amount: Money,
    },
    /// pacs.002 about the payment or return of IMTS at `original`, whoever entered it.
    ImtsStatus {
        original: Position,
        status: Status,
        decided: Position,
        decided_at: Time,
    },
    /// The settled payment or return of IMTS at `original` to the payee: the evidence of `original`, or a pacs.009 of a payment that
    /// the operator entered.
    ImtsForward {
        original: Position,
        settled_at: Time,
    },
    /// camt.029 about the camt.056 of IMTS or of the clearing system at `original`.
    WithdrawalAnswer {
        original: Position,
        withdrawal: Withdrawal,
    },
    /// camt.025 about the camt.050, camt.007 or question at `original`.
    ImtsReceipt {
        original: Position,
        receipt: Receipt,
    },
    /// admi.004: the business day of IMTS.
    ImtsDay { event: DayEvent },
    /// camt.053, camt.052 or camt.004: the answer of the read side at `original`.
    Report { original: Position },
    /// camt.054: an entry of the settlement account.
    ImtsNotice { entry: Entry },
    /// pacs.002 about lines of the piece at `original`: bit n of `lines` is the line of place `first` + n.
    MassStatus {
        original: Position,
        first: u16,
        lines: u64,
        standing: Standing,
    },
}

/// How lines of a file stand that are no payments, or not yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// ACTC: they will be handed in.
    Accepted,
    /// PDNG: they have become payments, which are in flight.
    Pending,
    /// RJCT with the switch's reason.
    Refused { reason: Reason },
    /// RJCT: what is wrong with each stands in the facts of its piece.
    Broken,
}

/// What came of the withdrawal of a payment of IMTS or an item of the clearing system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withdrawal {
    /// It waited and is withdrawn.
    Done,
    /// It has settled.
    Settled,
    /// It was rejected, left out or withdrawn before.
    Ended,
    /// The bank has no payment with these identifiers.
    Unknown,
}

/// What came of a liquidity transfer or of a change of a payment that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    Done,
    /// Waits for the next business day.
    Waits {
        opens: Time,
    },
    Refused {
        reason: Reason,
    },
    /// The payment does not wait.
    Unchanged {
        withdrawal: Withdrawal,
    },
}

/// What the business day of IMTS has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayEvent {
    /// Event code OPEN.
    Opened { until: Time, cut_off: Option<Time> },
    /// The open day has another end or cut-off. Event code EXTD.
    Extended { until: Time, cut_off: Option<Time> },
    /// Payments of normal priority are not taken any more. Event code CUTO.
    CutOff,
    /// Event code CLSD.
    Closed,
}

/// Status of a payment or return as participants see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// PDNG: in flight.
    Pending,
    /// ACSC: settled, final.
    Settled,
    /// RJCT with the switch's reason and, for `Reason::ReceiverRejected`, the payee's bank's own ISO code.
    Rejected {
        reason: Reason,
        agent_code: Option<[u8; 4]>,
    },
}

/// Why the switch tells a participant something unasked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Available position fell below the agreed floor. Event code FLOR.
    Floor { available: Money },
    /// Available position rose above the agreed ceiling. Event code CEIL.
    Ceiling { available: Money },
    /// The default of an alias moved away by a claim at `claim` (record position). Event code CLAM.
    AliasClaimed { claim: Position },
    /// A contested claim was reverted. Event code CLRV.
    ClaimContested { claim: Position },
    /// A number was claimed under another person and is suspended. Event code SUSP.
    AliasSuspended { claim: Position },
    /// The suspension was lifted. Event code RLSD.
    AliasReleased { release: Position },
    /// The participant's state changed. Event code PART.
    StateChanged { change: Position },
    /// The operator changed the position (funding or defunding). Event code FUND.
    Funded { funding: Position },
    /// The net of a card session has been settled on the settlement account; a default may have made `moved` less. Event code CNET.
    CardNet {
        of: CardCycle,
        direction: Direction,
        net: Money,
        moved: Money,
    },
    /// The participant was short of its net: what its own contribution covered, and what others bear. Event code DFLT.
    Defaulted {
        of: CardCycle,
        contribution: Money,
        short: Money,
    },
    /// The contribution to the guarantee fund was used for the debts of others. Event code GFUS.
    FundUsed { of: CardCycle, amount: Money },
    /// The participant was paid this much less than its net. Event code LOSS.
    NetLost { of: CardCycle, amount: Money },
    /// This much of what is required is missing in the guarantee fund. Event code GCAL.
    TopUpCalled { missing: Money, required: Money },
    /// A case of the participant. Event codes DSPO, DSPS, DSPX, DSPE.
    Case(CaseNotice),
}

/// Strings that an answer repeats from the original message. Kept in flight and in the facts of the original record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct References {
    pub message_id: MessageId,
    pub instruction_id: Option<InstructionId>,
    pub end_to_end_id: Option<EndToEndId>,
    pub transaction_id: TransactionId,
    pub uetr: Uetr,
    /// Index of the message version in the gateway's table (for OrgnlMsgNmId).
    pub message_version: u8,
}

/// One outbound entry plus what a gateway needs to write it at once without reading the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effect {
    pub outbound: Outbound,
    /// References of `original`; `None` where the message needs none (notices) or must read the record.
    pub references: Option<References>,
    /// Settled or rejected amount, for messages that repeat it.
    pub amount: Option<Money>,
    /// For a forward by phone: the resolved agent and account.
    pub resolved: Option<(Bic, Iban)>,
}

/// The result of one command for whoever submitted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Accepted,
    Refused(Reason),
    /// A link sequence that was applied before; nothing happened.
    AlreadyApplied,
}

/// An entry read back from the index: what its text needs beside it is read from the records it names.
impl From<Outbound> for Effect {
    fn from(outbound: Outbound) -> Effect {
        Effect {
            outbound,
            references: None,
            amount: None,
            resolved: None,
        }
    }
}
