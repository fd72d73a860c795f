//! admi.004 and admi.011: the switch tells a bank about an event, the bank acknowledges it.

use std::borrow::Cow;

use crate::capture::SlotId;
use crate::profile::generated::{event_acknowledgement, event_notice};

use super::fields::{Fields, Unread};
use super::parameters::Parameters;

/// The fields of admi.004.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventNotice<'a> {
    /// EvtCd, one to four letters or digits.
    pub code: &'a str,
    /// EvtParam.
    pub parameters: Parameters<'a>,
    /// EvtDesc, at most 1,000 characters.
    pub description: Option<Cow<'a, str>>,
    /// EvtTm, nanoseconds since 1970 UTC.
    pub time_ns: Option<u64>,
}

/// The fields of admi.011.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventAcknowledgement<'a> {
    /// MsgId.
    pub message_id: &'a str,
    /// OrgtrRef: BizMsgIdr of the notice.
    pub originator_reference: Option<&'a str>,
    /// AckDtls/EvtCd. Without it no AckDtls is written.
    pub code: Option<&'a str>,
    /// AckDtls/EvtParam.
    pub parameters: Parameters<'a>,
}

pub(super) fn read_notice<'a>(fields: &Fields<'_, 'a>) -> Result<EventNotice<'a>, Unread> {
    Ok(EventNotice {
        code: fields.required(event_notice::CODE)?,
        parameters: parameters(fields, event_notice::PARAMETER)?,
        description: fields.text(event_notice::DESCRIPTION),
        time_ns: fields.optional_time(event_notice::TIME)?,
    })
}

pub(super) fn read_acknowledgement<'a>(
    fields: &Fields<'_, 'a>,
) -> Result<EventAcknowledgement<'a>, Unread> {
    Ok(EventAcknowledgement {
        message_id: fields.required(event_acknowledgement::MESSAGE_ID)?,
        originator_reference: fields.optional(event_acknowledgement::ORIGINATOR_REFERENCE),
        code: fields.optional(event_acknowledgement::CODE),
        parameters: parameters(fields, event_acknowledgement::PARAMETER)?,
    })
}

fn parameters<'a>(fields: &Fields<'_, 'a>, slot: SlotId) -> Result<Parameters<'a>, Unread> {
    let mut parameters = Parameters::default();
    for found in fields.0.occurrences(slot) {
        parameters.push(found.text()).ok_or(Unread(slot))?;
    }
    Ok(parameters)
}
