//! Writes pacs.004.001.11.

use crate::message::MessageType;
use crate::view::{BusinessHeader, Return};

use super::xml::{
    CODE_CHARACTERS_MAX, IDENTIFIER_CHARACTERS_MAX, INFORMATION_CHARACTERS_MAX, Xml, closing,
    message, nested, optional,
};

/// Appends a return.
pub fn payment_return(
    out: &mut Vec<u8>,
    header: Option<&BusinessHeader<'_>>,
    payment_return: &Return<'_>,
) {
    message(out, header, MessageType::PACS_004_001_11, |xml| {
        xml.raw("<PmtRtr><GrpHdr>");
        nested!(
            xml,
            [MsgId],
            text(payment_return.message_id, IDENTIFIER_CHARACTERS_MAX)
        );
        nested!(xml, [CreDtTm], time(payment_return.created_ns));
        xml.raw("<NbOfTxs>1</NbOfTxs>");
        optional!(
            xml,
            [IntrBkSttlmDt],
            payment_return.settlement_date,
            IDENTIFIER_CHARACTERS_MAX
        );
        xml.raw("<SttlmInf><SttlmMtd>CLRG</SttlmMtd></SttlmInf>");
        nested!(xml, [InstgAgt], agent(payment_return.instructing_agent));
        if let Some(bic) = payment_return.instructed_agent {
            nested!(xml, [InstdAgt], agent(bic));
        }
        xml.raw("</GrpHdr><TxInf>");
        transaction(xml, payment_return);
        xml.raw("</TxInf></PmtRtr>");
    });
}

fn transaction(xml: &mut Xml<'_>, payment_return: &Return<'_>) {
    nested!(
        xml,
        [RtrId],
        text(payment_return.return_id, IDENTIFIER_CHARACTERS_MAX)
    );
    xml.original_group(&payment_return.original);
    xml.original_identifiers(&payment_return.original);
    nested!(xml, [OrgnlUETR], uetr(payment_return.original.uetr));
    if let Some(tiyn) = payment_return.original_tiyn {
        xml.tenge(
            "<OrgnlIntrBkSttlmAmt Ccy=\"KZT\">",
            tiyn,
            "</OrgnlIntrBkSttlmAmt>",
        );
    }
    xml.tenge(
        "<RtrdIntrBkSttlmAmt Ccy=\"KZT\">",
        payment_return.tiyn,
        "</RtrdIntrBkSttlmAmt>",
    );
    xml.raw("<ChrgBr>SLEV</ChrgBr><RtrRsnInf>");
    nested!(xml, [Rsn Cd], text(payment_return.reason, CODE_CHARACTERS_MAX));
    optional!(
        xml,
        [AddtlInf],
        &payment_return.reason_text,
        INFORMATION_CHARACTERS_MAX
    );
    xml.raw("</RtrRsnInf>");
}
