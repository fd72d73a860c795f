//! Writes what the clearing system says of many payments at once: pacs.002.001.12 and pacs.008.001.10.

use std::borrow::Cow;

use crate::message::MessageType;
use crate::view::{BusinessHeader, PersonNumber, StatusReport};

use super::status_report;
use super::xml::{
    CODE_CHARACTERS_MAX, IDENTIFIER_CHARACTERS_MAX, INFORMATION_CHARACTERS_MAX,
    NAME_CHARACTERS_MAX, Xml, closing, message, nested, optional,
};

/// What the group header of a batch says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batch<'a> {
    /// GrpHdr/MsgId.
    pub message_id: &'a str,
    /// GrpHdr/CreDtTm, nanoseconds since 1970 UTC.
    pub created_ns: u64,
    /// IntrBkSttlmDt, `YYYY-MM-DD`.
    pub settlement_date: &'a str,
    /// InstgAgt, a BIC.
    pub instructing_agent: &'a str,
    /// InstdAgt, a BIC.
    pub instructed_agent: &'a str,
}

/// One payment of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchItem<'a> {
    /// PmtTpInf/InstrPrty: HIGH, or else NORM.
    pub is_high: bool,
    /// PmtId/InstrId.
    pub instruction_id: Option<&'a str>,
    /// PmtId/EndToEndId.
    pub end_to_end_id: &'a str,
    /// PmtId/TxId.
    pub transaction_id: &'a str,
    /// PmtId/UETR.
    pub uetr: &'a str,
    /// PmtId/ClrSysRef: the session that settled it.
    pub clearing_reference: &'a str,
    /// IntrBkSttlmAmt in tiyn.
    pub tiyn: u64,
    /// Dbtr, DbtrAcct, DbtrAgt.
    pub debtor: BatchParty<'a>,
    /// Cdtr, CdtrAcct, CdtrAgt.
    pub creditor: BatchParty<'a>,
    /// Purp/Prtry.
    pub knp: &'a str,
    /// RmtInf/Ustrd.
    pub remittance: Option<&'a str>,
    /// RmtInf/Strd: the lines of a list of beneficiaries as they were received.
    pub list: Option<&'a [u8]>,
}

/// One side of a payment of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchParty<'a> {
    /// Nm.
    pub name: &'a str,
    /// IIN or BIN.
    pub number: PersonNumber<'a>,
    /// IBAN of the account.
    pub iban: &'a str,
    /// BIC of the bank.
    pub agent: &'a str,
    /// KOD or KBE.
    pub sector: &'a str,
}

/// An item that was refused at intake, with its identifiers as far as it has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemRefusal<'a> {
    /// OrgnlInstrId.
    pub instruction_id: Option<&'a str>,
    /// OrgnlEndToEndId.
    pub end_to_end_id: Option<&'a str>,
    /// OrgnlTxId.
    pub transaction_id: Option<&'a str>,
    /// OrgnlUETR.
    pub uetr: Option<&'a str>,
    /// StsRsnInf: code and words of each, at least one.
    pub reasons: &'a [(&'a str, Cow<'a, str>)],
}

/// Appends one report of items that were refused at intake: `original` is MsgId and name of their message. A settlement date in `batch` is not
/// written.
pub fn item_refusals(
    out: &mut Vec<u8>,
    header: Option<&BusinessHeader<'_>>,
    batch: &Batch<'_>,
    original: (&str, &str),
    items: &[ItemRefusal<'_>],
) {
    message(out, header, MessageType::PACS_002_001_12, |xml| {
        xml.raw("<FIToFIPmtStsRpt><GrpHdr>");
        nested!(
            xml,
            [MsgId],
            text(batch.message_id, IDENTIFIER_CHARACTERS_MAX)
        );
        nested!(xml, [CreDtTm], time(batch.created_ns));
        nested!(xml, [InstgAgt], agent(batch.instructing_agent));
        nested!(xml, [InstdAgt], agent(batch.instructed_agent));
        xml.raw("</GrpHdr>");
        for item in items {
            item_refusal(xml, original, item);
        }
        xml.raw("</FIToFIPmtStsRpt>");
    });
}

fn item_refusal(xml: &mut Xml<'_>, (id, name): (&str, &str), item: &ItemRefusal<'_>) {
    xml.raw("<TxInfAndSts><OrgnlGrpInf>");
    nested!(xml, [OrgnlMsgId], text(id, IDENTIFIER_CHARACTERS_MAX));
    nested!(xml, [OrgnlMsgNmId], text(name, IDENTIFIER_CHARACTERS_MAX));
    xml.raw("</OrgnlGrpInf>");
    optional!(
        xml,
        [OrgnlInstrId],
        item.instruction_id,
        IDENTIFIER_CHARACTERS_MAX
    );
    optional!(
        xml,
        [OrgnlEndToEndId],
        item.end_to_end_id,
        IDENTIFIER_CHARACTERS_MAX
    );
    optional!(
        xml,
        [OrgnlTxId],
        item.transaction_id,
        IDENTIFIER_CHARACTERS_MAX
    );
    if let Some(uetr) = item.uetr {
        nested!(xml, [OrgnlUETR], uetr(uetr));
    }
    nested!(xml, [TxSts], raw("RJCT"));
    for (code, words) in item.reasons {
        xml.raw("<StsRsnInf>");
        nested!(xml, [Rsn Cd], text(code, CODE_CHARACTERS_MAX));
        nested!(xml, [AddtlInf], text(words, INFORMATION_CHARACTERS_MAX));
        xml.raw("</StsRsnInf>");
    }
    xml.raw("</TxInfAndSts>");
}

/// Appends one report of the status of many payments; the group header is that of the first. Without any, nothing is written.
pub fn status_reports(
    out: &mut Vec<u8>,
    header: Option<&BusinessHeader<'_>>,
    reports: &[StatusReport<'_>],
) {
    let Some(first) = reports.first() else {
        return;
    };
    message(out, header, MessageType::PACS_002_001_12, |xml| {
        xml.raw("<FIToFIPmtStsRpt>");
        status_report::group_header(xml, first);
        for report in reports {
            xml.raw("<TxInfAndSts>");
            status_report::transaction(xml, report);
            xml.raw("</TxInfAndSts>");
        }
        xml.raw("</FIToFIPmtStsRpt>");
    });
}

/// Appends a batch of settled payments, with their number and sum in the group header.
pub fn batch(
    out: &mut Vec<u8>,
    header: Option<&BusinessHeader<'_>>,
    batch: &Batch<'_>,
    items: &[BatchItem<'_>],
) {
    let total = items
        .iter()
        .map(|item| item.tiyn)
        .fold(0, u64::saturating_add);
    message(out, header, MessageType::PACS_008_001_10, |xml| {
        xml.raw("<FIToFICstmrCdtTrf><GrpHdr>");
        nested!(
            xml,
            [MsgId],
            text(batch.message_id, IDENTIFIER_CHARACTERS_MAX)
        );
        nested!(xml, [CreDtTm], time(batch.created_ns));
        nested!(xml, [NbOfTxs], raw(&items.len().to_string()));
        nested!(xml, [CtrlSum], amount(total));
        xml.tenge(
            "<TtlIntrBkSttlmAmt Ccy=\"KZT\">",
            total,
            "</TtlIntrBkSttlmAmt>",
        );
        nested!(xml, [IntrBkSttlmDt], raw(batch.settlement_date));
        xml.raw("<SttlmInf><SttlmMtd>CLRG</SttlmMtd></SttlmInf>");
        nested!(xml, [InstgAgt], agent(batch.instructing_agent));
        nested!(xml, [InstdAgt], agent(batch.instructed_agent));
        xml.raw("</GrpHdr>");
        for item in items {
            transfer(xml, item);
        }
        xml.raw("</FIToFICstmrCdtTrf>");
    });
}

fn transfer(xml: &mut Xml<'_>, item: &BatchItem<'_>) {
    xml.raw("<CdtTrfTxInf><PmtId>");
    optional!(
        xml,
        [InstrId],
        item.instruction_id,
        IDENTIFIER_CHARACTERS_MAX
    );
    nested!(
        xml,
        [EndToEndId],
        text(item.end_to_end_id, IDENTIFIER_CHARACTERS_MAX)
    );
    nested!(
        xml,
        [TxId],
        text(item.transaction_id, IDENTIFIER_CHARACTERS_MAX)
    );
    nested!(xml, [UETR], uetr(item.uetr));
    nested!(
        xml,
        [ClrSysRef],
        text(item.clearing_reference, IDENTIFIER_CHARACTERS_MAX)
    );
    xml.raw("</PmtId><PmtTpInf>");
    let priority = if item.is_high { "HIGH" } else { "NORM" };
    nested!(xml, [InstrPrty], raw(priority));
    xml.raw("<LclInstrm><Prtry>ICS</Prtry></LclInstrm></PmtTpInf>");
    xml.tenge(
        "<IntrBkSttlmAmt Ccy=\"KZT\">",
        item.tiyn,
        "</IntrBkSttlmAmt>",
    );
    xml.raw("<ChrgBr>SLEV</ChrgBr><Dbtr>");
    person(xml, &item.debtor);
    xml.raw("</Dbtr>");
    nested!(xml, [DbtrAcct Id IBAN], text(item.debtor.iban, IDENTIFIER_CHARACTERS_MAX));
    nested!(xml, [DbtrAgt], agent(item.debtor.agent));
    nested!(xml, [CdtrAgt], agent(item.creditor.agent));
    xml.raw("<Cdtr>");
    person(xml, &item.creditor);
    xml.raw("</Cdtr>");
    nested!(xml, [CdtrAcct Id IBAN], text(item.creditor.iban, IDENTIFIER_CHARACTERS_MAX));
    nested!(xml, [Purp Prtry], text(item.knp, IDENTIFIER_CHARACTERS_MAX));
    for (side, party) in [("DEBT", &item.debtor), ("CRED", &item.creditor)] {
        xml.raw("<RgltryRptg>");
        nested!(xml, [DbtCdtRptgInd], raw(side));
        nested!(xml, [Dtls Cd], text(party.sector, 2));
        xml.raw("</RgltryRptg>");
    }
    if item.remittance.is_some() || item.list.is_some() {
        xml.raw("<RmtInf>");
        optional!(xml, [Ustrd], item.remittance, NAME_CHARACTERS_MAX);
        xml.copy(item.list.unwrap_or_default());
        xml.raw("</RmtInf>");
    }
    xml.raw("</CdtTrfTxInf>");
}

fn person(xml: &mut Xml<'_>, party: &BatchParty<'_>) {
    nested!(xml, [Nm], text(party.name, NAME_CHARACTERS_MAX));
    xml.number(party.number);
}
