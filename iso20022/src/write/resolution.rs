//! Writes camt.029.001.11.

use crate::message::MessageType;
use crate::view::{BusinessHeader, Resolution};

use super::xml::{
    CODE_CHARACTERS_MAX, IDENTIFIER_CHARACTERS_MAX, INFORMATION_CHARACTERS_MAX, closing, message,
    nested, optional,
};

/// Appends the answer to a recall.
pub fn resolution(
    out: &mut Vec<u8>,
    header: Option<&BusinessHeader<'_>>,
    resolution: &Resolution<'_>,
) {
    message(out, header, MessageType::CAMT_029_001_11, |xml| {
        xml.raw("<RsltnOfInvstgtn>");
        xml.case_assignment(&resolution.assignment);
        if let Some(case_id) = resolution.case_id {
            nested!(
                xml,
                [RslvdCase],
                case(case_id, resolution.assignment.assignee)
            );
        }
        nested!(xml, [Sts Conf], raw(resolution.status.as_str()));
        xml.raw("<CxlDtls><TxInfAndSts>");
        optional!(
            xml,
            [CxlStsId],
            resolution.status_id,
            IDENTIFIER_CHARACTERS_MAX
        );
        xml.original_group(&resolution.original);
        xml.original_identifiers(&resolution.original);
        nested!(xml, [OrgnlUETR], uetr(resolution.original.uetr));
        nested!(xml, [TxCxlSts], raw(resolution.status.transaction_code()));
        if resolution.reason.is_some() || resolution.reason_text.is_some() {
            xml.raw("<CxlStsRsnInf>");
            optional!(xml, [Rsn Cd], resolution.reason, CODE_CHARACTERS_MAX);
            optional!(
                xml,
                [AddtlInf],
                &resolution.reason_text,
                INFORMATION_CHARACTERS_MAX
            );
            xml.raw("</CxlStsRsnInf>");
        }
        xml.raw("</TxInfAndSts></CxlDtls></RsltnOfInvstgtn>");
    });
}
