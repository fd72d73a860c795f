//! admi.002: a message that could not be processed at all.

use std::borrow::Cow;

use crate::profile::generated::reject as field;

use super::fields::{Fields, Unread};

/// The fields of admi.002.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject<'a> {
    /// RltdRef/Ref, at most 35 characters: BizMsgIdr or MsgId of the message refused, or `UNKNOWN`.
    pub related: Cow<'a, str>,
    /// Rsn/RjctgPtyRsn, at most 35 characters: the code of the refusal.
    pub reason: Cow<'a, str>,
    /// Rsn/RjctnDtTm, nanoseconds since 1970 UTC.
    pub rejected_ns: Option<u64>,
    /// Rsn/ErrLctn, at most 350 characters: path of the element at fault.
    pub location: Option<Cow<'a, str>>,
    /// Rsn/RsnDesc, at most 350 characters: the rule that is broken.
    pub description: Option<Cow<'a, str>>,
    /// Rsn/AddtlData, at most 20,000 characters.
    pub additional: Option<Cow<'a, str>>,
}

pub(super) fn read<'a>(fields: &Fields<'_, 'a>) -> Result<Reject<'a>, Unread> {
    Ok(Reject {
        related: fields.text(field::RELATED).ok_or(Unread(field::RELATED))?,
        reason: fields.text(field::REASON).ok_or(Unread(field::REASON))?,
        rejected_ns: fields.optional_time(field::REJECTED)?,
        location: fields.text(field::LOCATION),
        description: fields.text(field::DESCRIPTION),
        additional: fields.text(field::ADDITIONAL),
    })
}
