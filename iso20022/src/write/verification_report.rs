//! Writes acmt.024.001.03.

use crate::message::MessageType;
use crate::view::{BusinessHeader, VerificationReport};

use super::xml::{
    CODE_CHARACTERS_MAX, IDENTIFIER_CHARACTERS_MAX, NAME_CHARACTERS_MAX, Xml, closing, message,
    nested, optional,
};

/// Longest account identifier that is not an IBAN (Max34Text).
const ACCOUNT_CHARACTERS_MAX: usize = 34;

/// Appends the answer to a look-up or a confirmation.
pub fn verification_report(
    out: &mut Vec<u8>,
    header: Option<&BusinessHeader<'_>>,
    report: &VerificationReport<'_>,
) {
    message(out, header, MessageType::ACMT_024_001_03, |xml| {
        xml.raw("<IdVrfctnRpt>");
        xml.verification_assignment(&report.assignment);
        optional!(xml, [OrgnlAssgnmt MsgId], report.original_message_id, IDENTIFIER_CHARACTERS_MAX);
        xml.raw("<Rpt>");
        nested!(
            xml,
            [OrgnlId],
            text(report.verification_id, IDENTIFIER_CHARACTERS_MAX)
        );
        nested!(xml, [Vrfctn], boolean(report.verified));
        optional!(xml, [Rsn Cd], report.reason, CODE_CHARACTERS_MAX);
        updated(xml, report);
        xml.raw("</Rpt></IdVrfctnRpt>");
    });
}

fn updated(xml: &mut Xml<'_>, report: &VerificationReport<'_>) {
    let has_account = report.resolution_id.is_some() || report.phone.is_some();
    if report.name.is_none() && report.agent.is_none() && !has_account {
        return;
    }
    xml.raw("<UpdtdPtyAndAcctId>");
    optional!(xml, [Pty Nm], &report.name, NAME_CHARACTERS_MAX);
    if has_account {
        xml.raw("<Acct>");
        if let Some(resolution_id) = report.resolution_id {
            xml.raw("<Id><Othr>");
            nested!(xml, [Id], text(resolution_id, ACCOUNT_CHARACTERS_MAX));
            xml.raw("<SchmeNm><Prtry>RSLV</Prtry></SchmeNm></Othr></Id>");
        }
        if let Some(phone) = report.phone {
            xml.phone_proxy(phone);
        }
        xml.raw("</Acct>");
    }
    if let Some(bic) = report.agent {
        nested!(xml, [Agt], agent(bic));
    }
    xml.raw("</UpdtdPtyAndAcctId>");
}
