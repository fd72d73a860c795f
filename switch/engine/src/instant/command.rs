//! Commands of the instant rail: one per ISO 20022 message a participant may send, plus the configuration.

use torap_domain::{
    Bic, CancellationId, Iban, IinBin, MessageId, Money, Position, QrId, Reason, ReturnId, Service,
    Span, Time, TransactionId, Uetr,
};

use crate::{Source, outbound::References};

/// Instructing participant + TxId (or RtrId, CxlId), hashed to 128 bits by the gateway (blake3, truncated).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PaymentKey(pub [u8; 16]);

/// Hash of the business fields: service, amount, agents, accounts or proxy, QR id; never message ids, times or signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 16]);

/// What the index knew of an identifier when the gateway looked, for identifiers older than the engine's window.
/// `as_of` is the log position up to which the index had followed; a fact with an `as_of` older than what the window
/// has dropped is refused with `RetryLater`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum History {
    Unknown {
        as_of: Position,
    },
    /// As of `as_of`, `returned` included.
    Known {
        as_of: Position,
        finished: Finished,
    },
}

/// A payment that has its final outcome, as window and index remember it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finished {
    pub key: PaymentKey,
    pub uetr: Uetr,
    pub fingerprint: Fingerprint,
    /// Record of the pacs.008 (for a tombstone: of the pacs.028).
    pub submitted: Position,
    pub decided: Position,
    pub decided_at: Time,
    pub outcome: FinalOutcome,
    pub service: Service,
    pub amount: Money,
    /// Minor units returned so far.
    pub returned: Money,
    pub debtor_agent: torap_domain::ParticipantId,
    pub creditor_agent: torap_domain::ParticipantId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinalOutcome {
    Settled,
    Rejected {
        reason: Reason,
        agent_code: Option<[u8; 4]>,
    },
    /// A status query declared it never received; a later pacs.008 with the identifier is refused.
    Tombstone,
}

/// The alias directory's answer, looked up by the gateway for a payment by phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AliasFact {
    /// Hash of the phone number; equal to `directory::AliasKey` of its record.
    pub alias: crate::directory::AliasKey,
    /// Index position of the look-up; older than the alias' last change is refused with `RetryLater`.
    pub as_of: Position,
    /// Log position of the record's last change (`Position(0)` if unknown).
    pub changed_at: Position,
    /// `changed_at` inside the resolution id that the payer carries; a difference is `AliasChanged`.
    pub expected: Option<Position>,
    pub resolution: AliasResolution,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AliasResolution {
    Found {
        agent: Bic,
        iban: Iban,
        person: IinBin,
    },
    Unknown,
    Suspended,
}

/// Me2Me: does the directory know the creditor account as the same person's?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayeeFact {
    Matched,
    /// The directory knows the account under another person.
    Mismatch,
    /// The directory does not know the account: the payee's bank is asked first (acmt.023).
    Unknown,
}

/// pacs.008 of the services C2C2, M2M2 and C2B2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreditTransfer {
    pub source: Source,
    pub service: Service,
    pub references: References,
    pub key: PaymentKey,
    pub fingerprint: Fingerprint,
    pub amount: Money,
    /// AccptncDtTm: start of the payment's clock.
    pub accepted: Time,
    pub instructing_agent: Bic,
    pub debtor_agent: Bic,
    pub debtor_account: Iban,
    pub debtor: IinBin,
    /// Stated agent; for a payment by phone the switch's own BIC, and `alias` holds the resolution.
    pub creditor_agent: Bic,
    /// Stated account; `None` by phone.
    pub creditor_account: Option<Iban>,
    pub creditor: Option<IinBin>,
    pub alias: Option<AliasFact>,
    /// Only for Me2Me.
    pub payee: Option<PayeeFact>,
    /// Only for QR.
    pub qr: Option<QrFact>,
    /// `None` while the window has never dropped anything.
    pub history: Option<History>,
}

/// The QR code a payment names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QrFact {
    pub id: QrId,
    /// A dynamic code must be registered; a static one carries everything itself.
    pub dynamic: bool,
}

/// pacs.002 of the payee's bank about a forwarded pacs.008. Matched by UETR; the TxId must agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    pub source: Source,
    pub message_id: MessageId,
    pub message_version: u8,
    pub uetr: Uetr,
    pub transaction_id: TransactionId,
    pub verdict: Verdict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// ACSP
    Accept,
    /// RJCT with the bank's ISO code.
    Reject { agent_code: [u8; 4] },
}

/// acmt.024 of the payee's bank to the switch's acmt.023 (Me2Me). `uetr` stands in the identification the switch gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConfirmAnswer {
    pub source: Source,
    pub message_id: MessageId,
    pub message_version: u8,
    pub uetr: Uetr,
    pub confirmed: bool,
}

/// pacs.004.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Return {
    pub source: Source,
    /// `transaction_id` and `uetr` are the original's; `message_id` the return's.
    pub references: References,
    pub return_id: ReturnId,
    /// Key of the return itself: returning participant + RtrId.
    pub key: PaymentKey,
    pub fingerprint: Fingerprint,
    pub instructing_agent: Bic,
    pub amount: Money,
    pub reason_code: [u8; 4],
    /// The return's own identifier beyond the window.
    pub history: Option<History>,
    /// The original beyond the window.
    pub original: Option<History>,
}

/// camt.056.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recall {
    pub source: Source,
    pub references: References,
    pub cancellation_id: CancellationId,
    pub instructing_agent: Bic,
    pub reason_code: [u8; 4],
    pub original: Option<History>,
}

/// camt.029 of the payee's bank: the recall is refused. Acceptance is a pacs.004.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resolution {
    pub source: Source,
    pub references: References,
    pub instructing_agent: Bic,
    pub reason_code: [u8; 4],
}

/// pacs.028 of the payer's bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusRequest {
    pub source: Source,
    pub references: References,
    /// Instructing participant + original TxId.
    pub key: PaymentKey,
    pub instructing_agent: Bic,
    pub original: Option<History>,
}

/// Amounts and counts that a payment may not pass. `None` = no limit. Amounts in minor units of KZT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub payment_max: Option<Money>,
    pub customer_day_amount_max: Option<Money>,
    pub customer_day_count_max: Option<u32>,
    pub participant_day_amount_max: Option<Money>,
}

/// What may be recalled for a reason, and how long the answer may take (SEPA values as default).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecallRule {
    pub reason_code: [u8; 4],
    /// After the settlement.
    pub window: Span,
    pub answer_within: Span,
}

/// Clocks and bounds of the rail; engine state, changed by command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    pub switch_bic: Bic,
    /// Whole payment, from AccptncDtTm. 10 s.
    pub payment_within: Span,
    /// Payee's bank, from the forward. 7 s.
    pub receiver_within: Span,
    /// Payee confirmation (Me2Me). 3 s.
    pub confirm_within: Span,
    /// How far AccptncDtTm may lie ahead of the switch's clock. 2 s.
    pub clock_skew_max: Span,
    /// Both sides in one bank are refused unless set.
    pub same_participant_allowed: bool,
    /// How long after settlement a return is accepted.
    pub return_window: Span,
    /// How long after a claim the losing bank may contest. 24 h.
    pub contest_window: Span,
    /// Look-up guard: bucket size, refill per second, price of a hit and of a miss.
    pub lookup_capacity: u32,
    pub lookup_refill_per_s: u32,
    pub lookup_hit_cost: u32,
    pub lookup_miss_cost: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    CreditTransfer(CreditTransfer),
    Answer(Answer),
    ConfirmAnswer(ConfirmAnswer),
    Return(Return),
    Recall(Recall),
    Resolution(Resolution),
    StatusRequest(StatusRequest),
    SetSettings {
        source: Source,
        settings: Settings,
    },
    /// `participant: None` sets the rail's default for the service.
    SetLimits {
        source: Source,
        service: Service,
        participant: Option<torap_domain::ParticipantId>,
        limits: Limits,
    },
    SetRecallRule {
        source: Source,
        rule: RecallRule,
    },
}

impl Command {
    /// Who asked.
    pub(crate) fn source(&self) -> &Source {
        match self {
            Command::CreditTransfer(transfer) => &transfer.source,
            Command::Answer(answer) => &answer.source,
            Command::ConfirmAnswer(answer) => &answer.source,
            Command::Return(payment_return) => &payment_return.source,
            Command::Recall(recall) => &recall.source,
            Command::Resolution(resolution) => &resolution.source,
            Command::StatusRequest(request) => &request.source,
            Command::SetSettings { source, .. }
            | Command::SetLimits { source, .. }
            | Command::SetRecallRule { source, .. } => source,
        }
    }
}
