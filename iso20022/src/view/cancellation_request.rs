//! camt.056: the payer's bank recalls a settled payment.

use std::borrow::Cow;

use crate::profile::generated::recall as field;

use super::assignment::Assignment;
use super::fields::{Fields, OriginalSlots, Unread};
use super::original::Original;

/// The fields of camt.056 that the switch uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancellationRequest<'a> {
    /// Assgnmt.
    pub assignment: Assignment<'a>,
    /// Case/Id.
    pub case_id: Option<&'a str>,
    /// CxlId.
    pub cancellation_id: &'a str,
    /// The payment.
    pub original: Original<'a>,
    /// OrgnlIntrBkSttlmAmt in tiyn.
    pub original_tiyn: Option<u64>,
    /// The first CxlRsnInf/Rsn/Cd.
    pub reason: &'a str,
    /// The first CxlRsnInf/AddtlInf, at most 105 characters.
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

pub(super) fn read<'a>(fields: &Fields<'_, 'a>) -> Result<CancellationRequest<'a>, Unread> {
    Ok(CancellationRequest {
        assignment: Assignment {
            id: fields.required(field::ASSIGNMENT_ID)?,
            assigner: fields.required(field::ASSIGNER)?,
            assignee: fields.required(field::ASSIGNEE)?,
            created_ns: fields.time(field::CREATED)?,
        },
        case_id: fields.either([field::CASE_ID, field::CASE_ID_OR]),
        cancellation_id: fields.required(field::CANCELLATION_ID)?,
        original: fields.original(&ORIGINAL)?,
        original_tiyn: fields.optional_tiyn(field::ORIGINAL_AMOUNT)?,
        reason: fields.required(field::REASON)?,
        reason_text: fields.text(field::REASON_TEXT),
    })
}
