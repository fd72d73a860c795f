//! acmt.024: the answer to a look-up or to a confirmation.

use std::borrow::Cow;

use crate::profile::generated::look_up_answer as field;

use super::assignment::Assignment;
use super::fields::{Fields, Unread};

/// The fields of acmt.024 that the switch uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerificationReport<'a> {
    /// Assgnmt; its `id` is MsgId.
    pub assignment: Assignment<'a>,
    /// OrgnlAssgnmt/MsgId.
    pub original_message_id: Option<&'a str>,
    /// Rpt/OrgnlId: Vrfctn/Id of the question.
    pub verification_id: &'a str,
    /// Rpt/Vrfctn.
    pub verified: bool,
    /// Rpt/Rsn/Cd; there when not verified.
    pub reason: Option<&'a str>,
    /// Masked name of the payee, at most 140 characters.
    pub name: Option<Cow<'a, str>>,
    /// Acct/Id/Othr/Id with the scheme `RSLV`, at most 34 characters.
    pub resolution_id: Option<&'a str>,
    /// Acct/Prxy/Id: the phone asked about.
    pub phone: Option<&'a str>,
    /// Agt, a BIC: the payee's bank.
    pub agent: Option<&'a str>,
}

pub(super) fn read<'a>(fields: &Fields<'_, 'a>) -> Result<VerificationReport<'a>, Unread> {
    Ok(VerificationReport {
        assignment: Assignment {
            id: fields.required(field::MESSAGE_ID)?,
            assigner: fields.required(field::ASSIGNER)?,
            assignee: fields.required(field::ASSIGNEE)?,
            created_ns: fields.time(field::CREATED)?,
        },
        original_message_id: fields.optional(field::ORIGINAL_MESSAGE_ID),
        verification_id: fields.required(field::VERIFICATION_ID)?,
        verified: fields.is_true(field::VERIFIED),
        reason: fields.optional(field::REASON),
        name: fields.text(field::NAME),
        resolution_id: fields.optional(field::RESOLUTION_ID),
        phone: fields.optional(field::PROXY),
        agent: fields.optional(field::AGENT),
    })
}
