//! Writes acmt.023.001.03.

use crate::message::MessageType;
use crate::view::{BusinessHeader, VerificationRequest};

use super::xml::{
    IDENTIFIER_CHARACTERS_MAX, NAME_CHARACTERS_MAX, Xml, closing, message, nested, optional,
};

/// Appends a look-up or a request to confirm an account.
pub fn verification_request(
    out: &mut Vec<u8>,
    header: Option<&BusinessHeader<'_>>,
    request: &VerificationRequest<'_>,
) {
    message(out, header, MessageType::ACMT_023_001_03, |xml| {
        xml.raw("<IdVrfctnReq>");
        xml.verification_assignment(&request.assignment);
        xml.raw("<Vrfctn>");
        nested!(
            xml,
            [Id],
            text(request.verification_id, IDENTIFIER_CHARACTERS_MAX)
        );
        xml.raw("<PtyAndAcctId>");
        party_and_account(xml, request);
        xml.raw("</PtyAndAcctId></Vrfctn></IdVrfctnReq>");
    });
}

fn party_and_account(xml: &mut Xml<'_>, request: &VerificationRequest<'_>) {
    if request.party.name.is_some() || request.party.number.is_some() {
        xml.raw("<Pty>");
        optional!(xml, [Nm], &request.party.name, NAME_CHARACTERS_MAX);
        if let Some(number) = request.party.number {
            xml.number(number);
        }
        xml.raw("</Pty>");
    }
    if request.iban.is_some() || request.phone.is_some() {
        xml.raw("<Acct>");
        optional!(xml, [Id IBAN], request.iban, IDENTIFIER_CHARACTERS_MAX);
        if let Some(phone) = request.phone {
            xml.phone_proxy(phone);
        }
        xml.raw("</Acct>");
    }
    if let Some(bic) = request.agent {
        nested!(xml, [Agt], agent(bic));
    }
}
