//! head.001: who sends what to whom.

use crate::profile::generated::header as field;

use super::fields::{Fields, Unread};

/// The business application header. MsgDefIdr is not a field: it is always the definition of the Document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BusinessHeader<'a> {
    /// Fr, a BIC.
    pub from: &'a str,
    /// To, a BIC.
    pub to: &'a str,
    /// BizMsgIdr.
    pub message_id: &'a str,
    /// BizSvc.
    pub service: Option<&'a str>,
    /// CreDt, nanoseconds since 1970 UTC.
    pub created_ns: u64,
    /// PssblDplct; written only when true.
    pub possible_duplicate: bool,
}

pub(super) fn read<'a>(fields: &Fields<'_, 'a>) -> Result<BusinessHeader<'a>, Unread> {
    Ok(BusinessHeader {
        from: fields.required(field::FROM)?,
        to: fields.required(field::TO)?,
        message_id: fields.required(field::MESSAGE_ID)?,
        service: fields.optional(field::SERVICE),
        created_ns: fields.time(field::CREATED)?,
        possible_duplicate: fields.is_true(field::POSSIBLE_DUPLICATE),
    })
}
