//! Writes camt.056.001.10.

use crate::message::MessageType;
use crate::view::{BusinessHeader, CancellationRequest};

use super::xml::{
    CODE_CHARACTERS_MAX, IDENTIFIER_CHARACTERS_MAX, INFORMATION_CHARACTERS_MAX, closing, message,
    nested, optional,
};

/// Appends a recall.
pub fn cancellation_request(
    out: &mut Vec<u8>,
    header: Option<&BusinessHeader<'_>>,
    request: &CancellationRequest<'_>,
) {
    message(out, header, MessageType::CAMT_056_001_10, |xml| {
        xml.raw("<FIToFIPmtCxlReq>");
        xml.case_assignment(&request.assignment);
        xml.raw("<Undrlyg><TxInf>");
        nested!(
            xml,
            [CxlId],
            text(request.cancellation_id, IDENTIFIER_CHARACTERS_MAX)
        );
        if let Some(case_id) = request.case_id {
            nested!(xml, [Case], case(case_id, request.assignment.assigner));
        }
        xml.original_group(&request.original);
        xml.original_identifiers(&request.original);
        nested!(xml, [OrgnlUETR], uetr(request.original.uetr));
        if let Some(tiyn) = request.original_tiyn {
            xml.tenge(
                "<OrgnlIntrBkSttlmAmt Ccy=\"KZT\">",
                tiyn,
                "</OrgnlIntrBkSttlmAmt>",
            );
        }
        xml.raw("<CxlRsnInf>");
        nested!(xml, [Rsn Cd], text(request.reason, CODE_CHARACTERS_MAX));
        optional!(
            xml,
            [AddtlInf],
            &request.reason_text,
            INFORMATION_CHARACTERS_MAX
        );
        xml.raw("</CxlRsnInf></TxInf></Undrlyg></FIToFIPmtCxlReq>");
    });
}
