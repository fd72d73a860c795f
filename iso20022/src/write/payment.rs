//! Writes camt.005.001.08, camt.006.001.08 and camt.007.001.10.

use crate::message::MessageType;
use crate::view::{BusinessHeader, PaymentChange, PaymentQuery};

use super::xml::{
    CODE_CHARACTERS_MAX, IDENTIFIER_CHARACTERS_MAX, NAME_CHARACTERS_MAX, Xml, closing, message,
    nested, optional,
};

/// Longest date.
const DATE_CHARACTERS_MAX: usize = 10;

/// A page of payments that fit a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentAnswer<'a> {
    /// MsgHdr/MsgId.
    pub message_id: &'a str,
    /// MsgHdr/CreDtTm, nanoseconds since 1970 UTC.
    pub created_ns: u64,
    /// From 1, at most [`REPORT_PAGES_MAX`](super::REPORT_PAGES_MAX), and whether it is the last.
    pub page: (u32, bool),
    /// MsgId and name of the question.
    pub query: (&'a str, &'a str),
    /// None: OprlErr says that no payment fits.
    pub payments: &'a [PaymentLine<'a>],
    /// Of the page, in tiyn; none if it has more than 18 digits.
    pub sum: Option<u64>,
}

/// One payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentLine<'a> {
    /// TxId.
    pub transaction_id: &'a str,
    /// UETR; none of a return.
    pub uetr: Option<&'a str>,
    /// IntrBkSttlmAmt, at most 18 digits.
    pub tiyn: u64,
    /// IntrBkSttlmDt, `YYYY-MM-DD`; none if it is not known.
    pub date: Option<&'a str>,
    /// InstgAgt and InstdAgt, BICs.
    pub payer: &'a str,
    pub payee: &'a str,
    /// The bank that asks gets it.
    pub is_credit: bool,
    /// Sts/Cd/Fnl; none: Pdg is `PSTL`.
    pub end: Option<&'a str>,
    /// When it has had this status, nanoseconds since 1970 UTC.
    pub since_ns: Option<u64>,
    /// Status reason and its words, of a payment that was rejected.
    pub reason: Option<(&'a str, &'a str)>,
    /// Prty/Cd.
    pub priority: Option<&'a str>,
    /// PrcgVldtyTm, nanoseconds since 1970 UTC.
    pub from_ns: Option<u64>,
    pub till_ns: Option<u64>,
}

/// Appends a question about payments.
pub fn payment_query(
    out: &mut Vec<u8>,
    header: Option<&BusinessHeader<'_>>,
    query: &PaymentQuery<'_>,
) {
    message(out, header, MessageType::CAMT_005_001_08, |xml| {
        xml.raw("<GetTx><MsgHdr>");
        nested!(
            xml,
            [MsgId],
            text(query.message_id, IDENTIFIER_CHARACTERS_MAX)
        );
        nested!(xml, [CreDtTm], time(query.created_ns));
        xml.raw("</MsgHdr><TxQryDef><TxCrit><NewCrit><SchCrit><PmtSch>");
        if let Some(uetr) = query.uetr {
            nested!(xml, [PmtId PrtryId], uetr(uetr));
        }
        if let Some(status) = query.status {
            xml.raw("<Sts><PmtInstrSts>");
            match status {
                "PSTL" => nested!(xml, [PdgSts], raw("PSTL")),
                "PDNG" | "FINL" => nested!(xml, [PdgAndFnlSts], raw(status)),
                _ => nested!(xml, [FnlSts], text(status, CODE_CHARACTERS_MAX)),
            }
            xml.raw("</PmtInstrSts></Sts>");
        }
        if let Some(is_credit) = query.is_credit {
            nested!(xml, [CdtDbtInd], raw(side(is_credit)));
        }
        if let Some((least, most)) = query.tiyn {
            xml.raw("<IntrBkSttlmAmt><ImpldCcyAndAmtRg><Amt><FrToAmt>");
            xml.raw("<FrAmt>");
            nested!(xml, [BdryAmt], amount(least));
            xml.raw("<Incl>true</Incl></FrAmt><ToAmt>");
            nested!(xml, [BdryAmt], amount(most));
            xml.raw(
                "<Incl>true</Incl></ToAmt></FrToAmt></Amt></ImpldCcyAndAmtRg></IntrBkSttlmAmt>",
            );
        }
        optional!(xml, [Prty Cd], query.priority, CODE_CHARACTERS_MAX);
        optional!(xml, [TxId], query.transaction_id, IDENTIFIER_CHARACTERS_MAX);
        optional!(xml, [IntrBkSttlmDt], query.date, DATE_CHARACTERS_MAX);
        optional!(
            xml,
            [EndToEndId],
            query.end_to_end_id,
            IDENTIFIER_CHARACTERS_MAX
        );
        xml.raw("</PmtSch></SchCrit></NewCrit></TxCrit></TxQryDef></GetTx>");
    });
}

/// Appends a change of a payment that waits. The payment is named by its UETR alone.
pub fn payment_change(
    out: &mut Vec<u8>,
    header: Option<&BusinessHeader<'_>>,
    change: &PaymentChange<'_>,
) {
    message(out, header, MessageType::CAMT_007_001_10, |xml| {
        xml.raw("<ModfyTx><MsgHdr>");
        nested!(
            xml,
            [MsgId],
            text(change.message_id, IDENTIFIER_CHARACTERS_MAX)
        );
        nested!(xml, [CreDtTm], time(change.created_ns));
        xml.raw("</MsgHdr><Mod>");
        nested!(xml, [PmtId UETR], uetr(change.uetr));
        xml.raw("<NewPmtValSet>");
        if let Some(is_high) = change.is_high {
            let code = if is_high { "HIGH" } else { "NORM" };
            nested!(xml, [Prty Cd], raw(code));
        }
        validity(xml, change.from_ns, change.till_ns);
        xml.raw("</NewPmtValSet></Mod></ModfyTx>");
    });
}

/// Appends a page of payments.
pub fn payment_answer(
    out: &mut Vec<u8>,
    header: Option<&BusinessHeader<'_>>,
    answer: &PaymentAnswer<'_>,
) {
    message(out, header, MessageType::CAMT_006_001_08, |xml| {
        xml.raw("<RtrTx><MsgHdr>");
        nested!(
            xml,
            [MsgId],
            text(answer.message_id, IDENTIFIER_CHARACTERS_MAX)
        );
        nested!(xml, [CreDtTm], time(answer.created_ns));
        let (page, is_last) = answer.page;
        xml.raw("<MsgPgntn>");
        nested!(xml, [PgNb], count(u64::from(page)));
        nested!(xml, [LastPgInd], boolean(is_last));
        xml.raw("</MsgPgntn><OrgnlBizQry>");
        let (id, name) = answer.query;
        nested!(xml, [MsgId], text(id, IDENTIFIER_CHARACTERS_MAX));
        nested!(xml, [MsgNmId], text(name, IDENTIFIER_CHARACTERS_MAX));
        xml.raw("</OrgnlBizQry></MsgHdr><RptOrErr>");
        if answer.payments.is_empty() {
            xml.raw(
                "<OprlErr><Err><Prtry>NONE</Prtry></Err><Desc>No payment fits.</Desc></OprlErr>",
            );
        } else {
            xml.raw("<BizRpt><TxsSummry>");
            nested!(xml, [NbOfNtries], count(answer.payments.len() as u64));
            if let Some(sum) = answer.sum {
                nested!(xml, [Sum], amount(sum));
            }
            xml.raw("</TxsSummry>");
            for line in answer.payments {
                payment(xml, line);
            }
            xml.raw("</BizRpt>");
        }
        xml.raw("</RptOrErr></RtrTx>");
    });
}

fn payment(xml: &mut Xml<'_>, line: &PaymentLine<'_>) {
    xml.raw("<TxRpt><PmtId>");
    if let Some(date) = line.date {
        xml.raw("<LngBizId>");
        nested!(
            xml,
            [TxId],
            text(line.transaction_id, IDENTIFIER_CHARACTERS_MAX)
        );
        if let Some(id) = line.uetr {
            nested!(xml, [UETR], uetr(id));
        }
        nested!(xml, [IntrBkSttlmAmt], amount(line.tiyn));
        nested!(xml, [IntrBkSttlmDt], text(date, DATE_CHARACTERS_MAX));
        nested!(xml, [InstgAgt], agent(line.payer));
        nested!(xml, [InstdAgt], agent(line.payee));
        xml.raw("</LngBizId>");
    } else if let Some(id) = line.uetr {
        nested!(xml, [PrtryId], uetr(id));
    } else {
        nested!(
            xml,
            [TxId],
            text(line.transaction_id, IDENTIFIER_CHARACTERS_MAX)
        );
    }
    xml.raw("</PmtId><TxOrErr><Tx>");
    nested!(xml, [CdtDbtInd], raw(side(line.is_credit)));
    xml.raw("<Pmt><Sts>");
    match line.end {
        Some(code) => nested!(xml, [Cd Fnl], text(code, CODE_CHARACTERS_MAX)),
        None => nested!(xml, [Cd Pdg], raw("PSTL")),
    }
    if let Some(since) = line.since_ns {
        nested!(xml, [DtTm DtTm], time(since));
    }
    if let Some((code, words)) = line.reason {
        xml.raw("<Rsn><PrtryRjctn>");
        nested!(xml, [PrtryStsRsn], text(code, CODE_CHARACTERS_MAX));
        nested!(xml, [Rsn], text(words, NAME_CHARACTERS_MAX));
        xml.raw("</PrtryRjctn></Rsn>");
    }
    xml.raw("</Sts><IntrBkSttlmAmt>");
    xml.tenge("<AmtWthCcy Ccy=\"KZT\">", line.tiyn, "</AmtWthCcy>");
    xml.raw("</IntrBkSttlmAmt>");
    optional!(xml, [Prty Cd], line.priority, CODE_CHARACTERS_MAX);
    validity(xml, line.from_ns, line.till_ns);
    nested!(
        xml,
        [TxId],
        text(line.transaction_id, IDENTIFIER_CHARACTERS_MAX)
    );
    optional!(xml, [IntrBkSttlmDt], line.date, DATE_CHARACTERS_MAX);
    xml.raw("<Pties>");
    nested!(xml, [InstgAgt], agent(line.payer));
    nested!(xml, [InstdAgt], agent(line.payee));
    xml.raw("</Pties></Pmt></Tx></TxOrErr></TxRpt>");
}

/// PrcgVldtyTm, if there is a time.
fn validity(xml: &mut Xml<'_>, from_ns: Option<u64>, till_ns: Option<u64>) {
    match (from_ns, till_ns) {
        (None, None) => {}
        (Some(from), None) => nested!(xml, [PrcgVldtyTm FrDtTm], time(from)),
        (None, Some(till)) => nested!(xml, [PrcgVldtyTm ToDtTm], time(till)),
        (Some(from), Some(till)) => {
            xml.raw("<PrcgVldtyTm><DtTmRg>");
            nested!(xml, [FrDtTm], time(from));
            nested!(xml, [ToDtTm], time(till));
            xml.raw("</DtTmRg></PrcgVldtyTm>");
        }
    }
}

fn side(is_credit: bool) -> &'static str {
    if is_credit { "CRDT" } else { "DBIT" }
}
