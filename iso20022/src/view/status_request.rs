//! pacs.028: a bank asks what became of its payment.

use crate::profile::generated::status_request as field;

use super::fields::{Fields, OriginalSlots, Unread};
use super::original::Original;

/// The fields of pacs.028 that the switch uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusRequest<'a> {
    /// GrpHdr/MsgId.
    pub message_id: &'a str,
    /// GrpHdr/CreDtTm, nanoseconds since 1970 UTC.
    pub created_ns: u64,
    /// InstgAgt, a BIC.
    pub instructing_agent: &'a str,
    /// InstdAgt, a BIC.
    pub instructed_agent: Option<&'a str>,
    /// StsReqId.
    pub request_id: Option<&'a str>,
    /// The payment.
    pub original: Original<'a>,
    /// AccptncDtTm, nanoseconds since 1970 UTC.
    pub accepted_ns: Option<u64>,
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

pub(super) fn read<'a>(fields: &Fields<'_, 'a>) -> Result<StatusRequest<'a>, Unread> {
    Ok(StatusRequest {
        message_id: fields.required(field::MESSAGE_ID)?,
        created_ns: fields.time(field::CREATED)?,
        instructing_agent: fields
            .required_either([field::INSTRUCTING_AGENT, field::INSTRUCTING_AGENT_OR])?,
        instructed_agent: fields.either([field::INSTRUCTED_AGENT, field::INSTRUCTED_AGENT_OR]),
        request_id: fields.optional(field::REQUEST_ID),
        original: fields.original(&ORIGINAL)?,
        accepted_ns: fields.optional_time(field::ACCEPTED)?,
    })
}
