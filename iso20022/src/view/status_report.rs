//! pacs.002: what became of a payment or return.

use std::borrow::Cow;

use crate::profile::generated::status_report as field;

use super::fields::{Fields, OriginalSlots, Unread};
use super::original::Original;

/// TxSts under the national profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransactionStatus {
    /// Accepted by the payee's bank, which credits its customer once told that the payment has settled.
    Acsp,
    /// Settled: final.
    Acsc,
    /// Refused: no money moved.
    Rjct,
    /// Still in flight.
    Pdng,
    /// A line of a file that is well formed and will be handed in as a payment.
    Actc,
}

impl TransactionStatus {
    /// The code as written.
    pub fn as_str(self) -> &'static str {
        match self {
            TransactionStatus::Acsp => "ACSP",
            TransactionStatus::Acsc => "ACSC",
            TransactionStatus::Rjct => "RJCT",
            TransactionStatus::Pdng => "PDNG",
            TransactionStatus::Actc => "ACTC",
        }
    }

    /// The status of a code; `None` for any other code.
    pub fn from_code(code: &str) -> Option<TransactionStatus> {
        match code {
            "ACSP" => Some(TransactionStatus::Acsp),
            "ACSC" => Some(TransactionStatus::Acsc),
            "RJCT" => Some(TransactionStatus::Rjct),
            "PDNG" => Some(TransactionStatus::Pdng),
            _ => None,
        }
    }
}

/// The fields of pacs.002 that the switch uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusReport<'a> {
    /// GrpHdr/MsgId.
    pub message_id: &'a str,
    /// GrpHdr/CreDtTm, nanoseconds since 1970 UTC.
    pub created_ns: u64,
    /// InstgAgt, a BIC.
    pub instructing_agent: Option<&'a str>,
    /// InstdAgt, a BIC.
    pub instructed_agent: Option<&'a str>,
    /// StsId.
    pub status_id: Option<&'a str>,
    /// The payment.
    pub original: Original<'a>,
    /// TxSts.
    pub status: TransactionStatus,
    /// The first StsRsnInf/Rsn/Cd; there when the status is `RJCT`.
    pub reason: Option<&'a str>,
    /// The first StsRsnInf/AddtlInf, at most 105 characters.
    pub reason_text: Option<Cow<'a, str>>,
    /// AccptncDtTm, nanoseconds since 1970 UTC.
    pub accepted_ns: Option<u64>,
    /// FctvIntrBkSttlmDt/Dt, `YYYY-MM-DD`.
    pub settlement_date: Option<&'a str>,
    /// ClrSysRef: the switch's own reference.
    pub clearing_reference: Option<&'a str>,
}

const ORIGINAL: OriginalSlots = OriginalSlots {
    message_id: [field::ORIGINAL_MESSAGE_ID, field::ORIGINAL_MESSAGE_ID_OR],
    message_name: [
        field::ORIGINAL_MESSAGE_NAME,
        field::ORIGINAL_MESSAGE_NAME_OR,
    ],
    instruction_id: field::ORIGINAL_INSTRUCTION_ID,
    end_to_end_id: field::ORIGINAL_END_TO_END_ID,
    transaction_id: field::ORIGINAL_TRANSACTION_ID,
    uetr: field::ORIGINAL_UETR,
};

pub(super) fn read<'a>(fields: &Fields<'_, 'a>) -> Result<StatusReport<'a>, Unread> {
    Ok(StatusReport {
        message_id: fields.required(field::MESSAGE_ID)?,
        created_ns: fields.time(field::CREATED)?,
        instructing_agent: fields.either([field::INSTRUCTING_AGENT, field::INSTRUCTING_AGENT_OR]),
        instructed_agent: fields.either([field::INSTRUCTED_AGENT, field::INSTRUCTED_AGENT_OR]),
        status_id: fields.optional(field::STATUS_ID),
        original: fields.original(&ORIGINAL)?,
        status: TransactionStatus::from_code(fields.required(field::STATUS)?)
            .ok_or(Unread(field::STATUS))?,
        reason: fields.optional(field::REASON),
        reason_text: fields.text(field::REASON_TEXT),
        accepted_ns: fields.optional_time(field::ACCEPTED)?,
        settlement_date: fields.optional(field::SETTLEMENT_DATE),
        clearing_reference: fields.optional(field::CLEARING_REFERENCE),
    })
}
