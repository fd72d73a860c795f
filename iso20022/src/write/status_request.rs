//! Writes pacs.028.001.05.

use crate::message::MessageType;
use crate::view::{BusinessHeader, StatusRequest};

use super::xml::{IDENTIFIER_CHARACTERS_MAX, closing, message, nested, optional};

/// Appends a status request.
pub fn status_request(
    out: &mut Vec<u8>,
    header: Option<&BusinessHeader<'_>>,
    request: &StatusRequest<'_>,
) {
    message(out, header, MessageType::PACS_028_001_05, |xml| {
        xml.raw("<FIToFIPmtStsReq><GrpHdr>");
        nested!(
            xml,
            [MsgId],
            text(request.message_id, IDENTIFIER_CHARACTERS_MAX)
        );
        nested!(xml, [CreDtTm], time(request.created_ns));
        nested!(xml, [InstgAgt], agent(request.instructing_agent));
        if let Some(bic) = request.instructed_agent {
            nested!(xml, [InstdAgt], agent(bic));
        }
        xml.raw("</GrpHdr><TxInf>");
        optional!(
            xml,
            [StsReqId],
            request.request_id,
            IDENTIFIER_CHARACTERS_MAX
        );
        xml.original_group(&request.original);
        xml.original_identifiers(&request.original);
        nested!(xml, [OrgnlUETR], uetr(request.original.uetr));
        if let Some(accepted) = request.accepted_ns {
            nested!(xml, [AccptncDtTm], time(accepted));
        }
        xml.raw("</TxInf></FIToFIPmtStsReq>");
    });
}
