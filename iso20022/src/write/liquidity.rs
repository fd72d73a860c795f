//! Writes camt.050.001.06 and camt.025.001.05.

use crate::message::MessageType;
use crate::view::{BusinessHeader, LiquidityTransfer, Receipt};

use super::xml::{
    CODE_CHARACTERS_MAX, IDENTIFIER_CHARACTERS_MAX, NAME_CHARACTERS_MAX, closing, message, nested,
    optional,
};

/// Appends a transfer of a bank's own money.
pub fn liquidity_transfer(
    out: &mut Vec<u8>,
    header: Option<&BusinessHeader<'_>>,
    transfer: &LiquidityTransfer<'_>,
) {
    message(out, header, MessageType::CAMT_050_001_06, |xml| {
        let (to, from) = if transfer.to_position {
            ("INST", "IMTS")
        } else {
            ("IMTS", "INST")
        };
        xml.raw("<LqdtyCdtTrf><MsgHdr>");
        nested!(
            xml,
            [MsgId],
            text(transfer.message_id, IDENTIFIER_CHARACTERS_MAX)
        );
        nested!(xml, [CreDtTm], time(transfer.created_ns));
        xml.raw("</MsgHdr><LqdtyCdtTrf>");
        nested!(xml, [CdtrAcct Id Othr Id], raw(to));
        xml.raw("<TrfdAmt>");
        xml.tenge("<AmtWthCcy Ccy=\"KZT\">", transfer.tiyn, "</AmtWthCcy>");
        xml.raw("</TrfdAmt>");
        nested!(xml, [Dbtr], agent(transfer.agent));
        nested!(xml, [DbtrAcct Id Othr Id], raw(from));
        xml.raw("</LqdtyCdtTrf></LqdtyCdtTrf>");
    });
}

/// Appends a receipt.
pub fn receipt(out: &mut Vec<u8>, header: Option<&BusinessHeader<'_>>, receipt: &Receipt<'_>) {
    message(out, header, MessageType::CAMT_025_001_05, |xml| {
        xml.raw("<Rct><MsgHdr>");
        nested!(
            xml,
            [MsgId],
            text(receipt.message_id, IDENTIFIER_CHARACTERS_MAX)
        );
        nested!(xml, [CreDtTm], time(receipt.created_ns));
        xml.raw("</MsgHdr><RctDtls><OrgnlMsgId>");
        nested!(
            xml,
            [MsgId],
            text(receipt.original_message_id, IDENTIFIER_CHARACTERS_MAX)
        );
        nested!(
            xml,
            [MsgNmId],
            text(receipt.original_message_name, IDENTIFIER_CHARACTERS_MAX)
        );
        xml.raw("</OrgnlMsgId><ReqHdlg>");
        nested!(xml, [StsCd], text(receipt.status, CODE_CHARACTERS_MAX));
        optional!(xml, [Desc], &receipt.description, NAME_CHARACTERS_MAX);
        xml.raw("</ReqHdlg></RctDtls></Rct>");
    });
}
