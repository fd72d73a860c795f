//! pacs.004: a settled payment given back.

use std::borrow::Cow;

use crate::profile::generated::payment_return as field;

use super::fields::{Fields, OriginalSlots, Unread};
use super::original::Original;

/// The fields of pacs.004 that the switch uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Return<'a> {
    /// GrpHdr/MsgId.
    pub message_id: &'a str,
    /// GrpHdr/CreDtTm, nanoseconds since 1970 UTC.
    pub created_ns: u64,
    /// InstgAgt, a BIC.
    pub instructing_agent: &'a str,
    /// InstdAgt, a BIC.
    pub instructed_agent: Option<&'a str>,
    /// IntrBkSttlmDt, `YYYY-MM-DD`.
    pub settlement_date: Option<&'a str>,
    /// RtrId.
    pub return_id: &'a str,
    /// The payment.
    pub original: Original<'a>,
    /// OrgnlIntrBkSttlmAmt in tiyn.
    pub original_tiyn: Option<u64>,
    /// RtrdIntrBkSttlmAmt in tiyn, above zero.
    pub tiyn: u64,
    /// The first RtrRsnInf/Rsn/Cd.
    pub reason: &'a str,
    /// The first RtrRsnInf/AddtlInf, at most 105 characters.
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

pub(super) fn read<'a>(fields: &Fields<'_, 'a>) -> Result<Return<'a>, Unread> {
    Ok(Return {
        message_id: fields.required(field::MESSAGE_ID)?,
        created_ns: fields.time(field::CREATED)?,
        instructing_agent: fields
            .required_either([field::INSTRUCTING_AGENT, field::INSTRUCTING_AGENT_OR])?,
        instructed_agent: fields.either([field::INSTRUCTED_AGENT, field::INSTRUCTED_AGENT_OR]),
        settlement_date: fields.either([field::SETTLEMENT_DATE, field::SETTLEMENT_DATE_OR]),
        return_id: fields.required(field::RETURN_ID)?,
        original: fields.original(&ORIGINAL)?,
        original_tiyn: fields.optional_tiyn(field::ORIGINAL_AMOUNT)?,
        tiyn: fields.tiyn(field::AMOUNT)?,
        reason: fields.required(field::REASON)?,
        reason_text: fields.text(field::REASON_TEXT),
    })
}
