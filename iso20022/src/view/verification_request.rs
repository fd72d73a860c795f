//! acmt.023: a look-up by phone, or a request to confirm that an account belongs to a person.

use crate::profile::generated::look_up as field;

use super::assignment::Assignment;
use super::fields::{Fields, Unread};
use super::party::{NumberSlots, Party, number};

/// The fields of acmt.023 that the switch uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerificationRequest<'a> {
    /// Assgnmt; its `id` is MsgId.
    pub assignment: Assignment<'a>,
    /// Vrfctn/Id.
    pub verification_id: &'a str,
    /// Pty: name, IIN or BIN. Its contact phone is neither read nor written; the phone to look up is `phone`.
    pub party: Party<'a>,
    /// Acct/Id/IBAN, to confirm.
    pub iban: Option<&'a str>,
    /// Acct/Prxy/Id with the type `TELE`, to look up.
    pub phone: Option<&'a str>,
    /// Agt, a BIC: the chosen bank.
    pub agent: Option<&'a str>,
}

pub(crate) const PARTY_NUMBER: NumberSlots = NumberSlots {
    person: field::PARTY_PERSON,
    iin: field::PARTY_IIN,
    iin_scheme: field::PARTY_IIN_SCHEME,
    company: field::PARTY_COMPANY,
    bin: field::PARTY_BIN,
    bin_scheme: field::PARTY_BIN_SCHEME,
    bin_proprietary: field::PARTY_BIN_PROPRIETARY,
};

pub(super) fn read<'a>(fields: &Fields<'_, 'a>) -> Result<VerificationRequest<'a>, Unread> {
    let number = number(&fields.0, &PARTY_NUMBER).map_err(|_| Unread(field::PARTY_IIN))?;
    let iban = fields.optional(field::IBAN);
    Ok(VerificationRequest {
        assignment: Assignment {
            id: fields.required(field::MESSAGE_ID)?,
            assigner: fields.required(field::ASSIGNER)?,
            assignee: fields.required(field::ASSIGNEE)?,
            created_ns: fields.time(field::CREATED)?,
        },
        verification_id: fields.required(field::VERIFICATION_ID)?,
        party: Party {
            name: fields.text(field::PARTY_NAME),
            number: number.map(|found| found.number),
            phone: None,
        },
        iban,
        phone: if iban.is_none() {
            fields.optional(field::PROXY)
        } else {
            None
        },
        agent: fields.optional(field::AGENT),
    })
}
