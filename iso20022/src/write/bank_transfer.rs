//! Writes pacs.009.001.10.

use crate::message::MessageType;
use crate::view::{BusinessHeader, SettlementTransfer};

use super::xml::{IDENTIFIER_CHARACTERS_MAX, closing, message, nested, optional};

/// Appends a payment from one bank to another. The accounts, which a pacs.009 has not, are not written; neither is a second time
/// by which it is rejected.
pub fn bank_transfer(
    out: &mut Vec<u8>,
    header: Option<&BusinessHeader<'_>>,
    transfer: &SettlementTransfer<'_>,
) {
    message(out, header, MessageType::PACS_009_001_10, |xml| {
        xml.raw("<FICdtTrf><GrpHdr>");
        nested!(
            xml,
            [MsgId],
            text(transfer.message_id, IDENTIFIER_CHARACTERS_MAX)
        );
        nested!(xml, [CreDtTm], time(transfer.created_ns));
        xml.raw("<NbOfTxs>1</NbOfTxs>");
        optional!(
            xml,
            [IntrBkSttlmDt],
            transfer.settlement_date,
            IDENTIFIER_CHARACTERS_MAX
        );
        xml.raw("<SttlmInf><SttlmMtd>CLRG</SttlmMtd></SttlmInf>");
        nested!(xml, [InstgAgt], agent(transfer.instructing_agent));
        if let Some(bic) = transfer.instructed_agent {
            nested!(xml, [InstdAgt], agent(bic));
        }
        xml.raw("</GrpHdr><CdtTrfTxInf><PmtId>");
        optional!(
            xml,
            [InstrId],
            transfer.instruction_id,
            IDENTIFIER_CHARACTERS_MAX
        );
        nested!(
            xml,
            [EndToEndId],
            text(transfer.end_to_end_id, IDENTIFIER_CHARACTERS_MAX)
        );
        nested!(
            xml,
            [TxId],
            text(transfer.transaction_id, IDENTIFIER_CHARACTERS_MAX)
        );
        nested!(xml, [UETR], uetr(transfer.uetr));
        xml.raw("</PmtId>");
        xml.tenge(
            "<IntrBkSttlmAmt Ccy=\"KZT\">",
            transfer.tiyn,
            "</IntrBkSttlmAmt>",
        );
        let priority = if transfer.is_high { "HIGH" } else { "NORM" };
        nested!(xml, [SttlmPrty], raw(priority));
        if transfer.from_ns.is_some() || transfer.till_ns.is_some() {
            xml.raw("<SttlmTmReq>");
            if let Some(from) = transfer.from_ns {
                nested!(xml, [FrTm], time_of_day(from));
            }
            if let Some(till) = transfer.till_ns {
                nested!(xml, [RjctTm], time_of_day(till));
            }
            xml.raw("</SttlmTmReq>");
        }
        nested!(xml, [Dbtr], agent(transfer.debtor_agent));
        nested!(xml, [Cdtr], agent(transfer.creditor_agent));
        xml.raw("</CdtTrfTxInf></FICdtTrf>");
    });
}
