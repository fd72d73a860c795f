//! Writes camt.060.001.05, camt.003.001.07 and camt.004.001.09.

use crate::message::MessageType;
use crate::view::{AccountQuery, AccountRequest, BusinessHeader};

use super::xml::{BIC_CHARACTERS_MAX, IDENTIFIER_CHARACTERS_MAX, Xml, closing, message, nested};

/// Longest identifier of an account (Max34Text).
const ACCOUNT_CHARACTERS_MAX: usize = 34;
/// Longest date.
const DATE_CHARACTERS_MAX: usize = 10;

/// What stands on an account, in tiyn, at most 18 digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountFigures<'a> {
    /// Id/Othr/Id.
    pub account: &'a str,
    /// Code, amount (below zero is `DBIT`) and, for payments that wait, their number.
    pub balances: &'a [(&'static str, i64, Option<u64>)],
    /// CurMulLmt: what the account pays net in a business day, at most.
    pub multilateral_limit: Option<u64>,
    /// CurBilLmt: the same towards one bank, with what is left of it.
    pub bilateral_limits: &'a [BilateralLimit<'a>],
}

/// A bilateral limit, in tiyn, at most 18 digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BilateralLimit<'a> {
    /// CtrPtyId, a BIC.
    pub towards: &'a str,
    pub tiyn: u64,
    /// What may still be paid net on this day.
    pub left: u64,
}

/// An answer about accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountAnswer<'a> {
    /// MsgHdr/MsgId.
    pub message_id: &'a str,
    /// MsgHdr/CreDtTm, nanoseconds since 1970 UTC.
    pub created_ns: u64,
    /// MsgId of the question.
    pub query: Option<&'a str>,
    /// When the balances stood so.
    pub at_ns: u64,
    /// At least one.
    pub accounts: &'a [AccountFigures<'a>],
    /// Acct/Ownr, a BIC.
    pub owner: &'a str,
}

/// Appends a request for a statement or report.
pub fn account_request(
    out: &mut Vec<u8>,
    header: Option<&BusinessHeader<'_>>,
    request: &AccountRequest<'_>,
) {
    message(out, header, MessageType::CAMT_060_001_05, |xml| {
        xml.raw("<AcctRptgReq><GrpHdr>");
        nested!(
            xml,
            [MsgId],
            text(request.message_id, IDENTIFIER_CHARACTERS_MAX)
        );
        nested!(xml, [CreDtTm], time(request.created_ns));
        xml.raw("</GrpHdr><RptgReq>");
        let wanted = if request.is_statement {
            "camt.053.001.10"
        } else {
            "camt.052.001.10"
        };
        nested!(xml, [ReqdMsgNmId], raw(wanted));
        nested!(
            xml,
            [Acct Id Othr Id],
            text(request.account, ACCOUNT_CHARACTERS_MAX)
        );
        nested!(xml, [AcctOwnr Agt], agent(request.owner));
        if let Some(date) = request.date {
            xml.raw("<RptgPrd>");
            nested!(xml, [FrToDt FrDt], text(date, DATE_CHARACTERS_MAX));
            nested!(xml, [Tp], raw("ALLL"));
            xml.raw("</RptgPrd>");
        }
        if let Some(number) = request.from_sequence {
            nested!(xml, [RptgSeq FrSeq], count(number));
        }
        xml.raw("</RptgReq></AcctRptgReq>");
    });
}

/// Appends a question about the accounts of a bank.
pub fn account_query(
    out: &mut Vec<u8>,
    header: Option<&BusinessHeader<'_>>,
    query: &AccountQuery<'_>,
) {
    message(out, header, MessageType::CAMT_003_001_07, |xml| {
        xml.raw("<GetAcct><MsgHdr>");
        nested!(
            xml,
            [MsgId],
            text(query.message_id, IDENTIFIER_CHARACTERS_MAX)
        );
        nested!(xml, [CreDtTm], time(query.created_ns));
        xml.raw("</MsgHdr>");
        nested!(
            xml,
            [AcctQryDef AcctCrit NewCrit SchCrit AcctOwnr Id OrgId AnyBIC],
            text(query.owner, BIC_CHARACTERS_MAX)
        );
        xml.raw("</GetAcct>");
    });
}

/// Appends what stands on accounts.
pub fn account_answer(
    out: &mut Vec<u8>,
    header: Option<&BusinessHeader<'_>>,
    answer: &AccountAnswer<'_>,
) {
    message(out, header, MessageType::CAMT_004_001_09, |xml| {
        xml.raw("<RtrAcct><MsgHdr>");
        nested!(
            xml,
            [MsgId],
            text(answer.message_id, IDENTIFIER_CHARACTERS_MAX)
        );
        nested!(xml, [CreDtTm], time(answer.created_ns));
        if let Some(query) = answer.query {
            nested!(
                xml,
                [OrgnlBizQry MsgId],
                text(query, IDENTIFIER_CHARACTERS_MAX)
            );
        }
        xml.raw("</MsgHdr><RptOrErr>");
        for figures in answer.accounts {
            account(xml, answer, figures);
        }
        xml.raw("</RptOrErr></RtrAcct>");
    });
}

fn account(xml: &mut Xml<'_>, answer: &AccountAnswer<'_>, figures: &AccountFigures<'_>) {
    xml.raw("<AcctRpt>");
    nested!(
        xml,
        [AcctId Othr Id],
        text(figures.account, ACCOUNT_CHARACTERS_MAX)
    );
    xml.raw("<AcctOrErr><Acct>");
    nested!(xml, [Ccy], raw("KZT"));
    if let Some(tiyn) = figures.multilateral_limit {
        xml.raw("<CurMulLmt>");
        limit(xml, "<Amt>", tiyn, "</Amt>");
        xml.raw("</CurMulLmt>");
    }
    nested!(xml, [Ownr Id OrgId AnyBIC], text(answer.owner, BIC_CHARACTERS_MAX));
    for (code, tiyn, payments) in figures.balances {
        xml.raw("<MulBal>");
        nested!(xml, [Amt], amount(tiyn.unsigned_abs()));
        let side = if *tiyn < 0 { "DBIT" } else { "CRDT" };
        nested!(xml, [CdtDbtInd], raw(side));
        nested!(xml, [Tp Prtry], raw(code));
        nested!(xml, [ValDt DtTm], time(answer.at_ns));
        if let Some(payments) = payments {
            nested!(xml, [NbOfPmts], count(*payments));
        }
        xml.raw("</MulBal>");
    }
    for bilateral in figures.bilateral_limits {
        xml.raw("<CurBilLmt>");
        nested!(xml, [CtrPtyId], agent(bilateral.towards));
        limit(xml, "<LmtAmt>", bilateral.tiyn, "</LmtAmt>");
        xml.raw("<BilBal>");
        nested!(xml, [Amt], amount(bilateral.left));
        nested!(xml, [CdtDbtInd], raw("DBIT"));
        nested!(xml, [Tp Prtry], raw("LEFT"));
        nested!(xml, [ValDt DtTm], time(answer.at_ns));
        xml.raw("</BilBal></CurBilLmt>");
    }
    xml.raw("</Acct></AcctOrErr></AcctRpt>");
}

/// The amount of a limit on what is paid.
fn limit(xml: &mut Xml<'_>, opening: &str, tiyn: u64, closing: &str) {
    xml.raw(opening);
    xml.tenge("<AmtWthCcy Ccy=\"KZT\">", tiyn, "</AmtWthCcy>");
    xml.raw(closing);
    nested!(xml, [CdtDbtInd], raw("DBIT"));
}
