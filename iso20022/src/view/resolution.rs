//! camt.029: the answer to a recall that does not give the money back.

use std::borrow::Cow;

use crate::profile::generated::recall_answer as field;

use super::assignment::Assignment;
use super::fields::{Fields, OriginalSlots, Unread};
use super::original::Original;

/// Sts/Conf and TxCxlSts under the national profile; they always mean the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CancellationStatus {
    /// `RJCR`: the recall is refused.
    Refused,
    /// `PDCR`: not decided yet.
    Pending,
    /// `CNCL`, in TxCxlSts `ACCR`: the payment, which had not settled, is withdrawn.
    Cancelled,
}

impl CancellationStatus {
    /// The code as written.
    pub fn as_str(self) -> &'static str {
        match self {
            CancellationStatus::Refused => "RJCR",
            CancellationStatus::Pending => "PDCR",
            CancellationStatus::Cancelled => "CNCL",
        }
    }

    /// The code as TxCxlSts has it, whose list in the schema has no `CNCL`.
    pub fn transaction_code(self) -> &'static str {
        match self {
            CancellationStatus::Cancelled => "ACCR",
            CancellationStatus::Refused | CancellationStatus::Pending => self.as_str(),
        }
    }

    /// The status of a code of either place; `None` for any other code.
    pub fn from_code(code: &str) -> Option<CancellationStatus> {
        match code {
            "RJCR" => Some(CancellationStatus::Refused),
            "PDCR" => Some(CancellationStatus::Pending),
            "CNCL" | "ACCR" => Some(CancellationStatus::Cancelled),
            _ => None,
        }
    }
}

/// The fields of camt.029 that the switch uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution<'a> {
    /// Assgnmt.
    pub assignment: Assignment<'a>,
    /// RslvdCase/Id.
    pub case_id: Option<&'a str>,
    /// CxlStsId: the CxlId of the recall.
    pub status_id: Option<&'a str>,
    /// The payment.
    pub original: Original<'a>,
    /// Sts/Conf and TxCxlSts.
    pub status: CancellationStatus,
    /// The first CxlStsRsnInf/Rsn/Cd; there when the recall is refused.
    pub reason: Option<&'a str>,
    /// The first CxlStsRsnInf/AddtlInf, at most 105 characters.
    pub reason_text: Option<Cow<'a, str>>,
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

pub(super) fn read<'a>(fields: &Fields<'_, 'a>) -> Result<Resolution<'a>, Unread> {
    Ok(Resolution {
        assignment: Assignment {
            id: fields.required(field::ASSIGNMENT_ID)?,
            assigner: fields.required(field::ASSIGNER)?,
            assignee: fields.required(field::ASSIGNEE)?,
            created_ns: fields.time(field::CREATED)?,
        },
        case_id: fields.either([field::CASE_ID, field::CASE_ID_OR]),
        status_id: fields.optional(field::STATUS_ID),
        original: fields.original(&ORIGINAL)?,
        status: CancellationStatus::from_code(fields.required(field::STATUS)?)
            .ok_or(Unread(field::STATUS))?,
        reason: fields.optional(field::REASON),
        reason_text: fields.text(field::REASON_TEXT),
    })
}
