//! Writes camt.053.001.10, camt.052.001.10 and camt.054.001.10: what stands and what moved on an account.
//!
//! The three have one shape under other names. A Document holds any number of pages, written one after the other, so that a
//! statement of millions of entries needs the memory of one page.

use crate::message::MessageType;
use crate::view::BusinessHeader;

use super::xml::{
    BIC_CHARACTERS_MAX, CODE_CHARACTERS_MAX, IDENTIFIER_CHARACTERS_MAX, TEXT_CHARACTERS_MAX, Xml,
    closing, nested, optional,
};

/// The largest amount, balance or sum that the schemas can hold: 18 digits, two of them tiyn.
pub const REPORT_TIYN_MAX: u64 = 999_999_999_999_999_999;
/// The last page that the schemas can number.
pub const REPORT_PAGES_MAX: u32 = 99_999;
/// Longest identifier of an account (Max34Text).
const ACCOUNT_CHARACTERS_MAX: usize = 34;
/// Of proprietary codes.
const ISSUER: &str = "TORAP";

/// Which of the three.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountReport {
    /// camt.053: a day that is over.
    Statement,
    /// camt.052: a day so far.
    Intraday,
    /// camt.054: single entries, without balances.
    Notification,
}

/// A balance, in tiyn, at most [`REPORT_TIYN_MAX`] in size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportBalance {
    /// BalanceType code, such as `OPBD`.
    pub code: &'static str,
    /// Below zero is `DBIT`.
    pub tiyn: i64,
    /// Nanoseconds since 1970 UTC.
    pub at_ns: u64,
}

/// How many entries of a page, and what they come to in tiyn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReportSums {
    /// Debits.
    pub debits: u64,
    /// Their sum.
    pub debited: u64,
    /// Credits.
    pub credits: u64,
    /// Their sum.
    pub credited: u64,
}

/// One page of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportPage<'a> {
    /// Stmt/Id, at most 35 characters.
    pub id: &'a str,
    /// Number from 1 and whether it is the last, where pages are numbered.
    pub page: Option<(u32, bool)>,
    /// ElctrncSeqNb.
    pub sequence: Option<u64>,
    /// CreDtTm, nanoseconds since 1970 UTC, as all times here.
    pub created_ns: u64,
    /// FrToDt.
    pub period_ns: Option<(u64, u64)>,
    /// Acct/Id/Othr/Id.
    pub account: &'a str,
    /// Acct/Ownr, a BIC.
    pub owner: &'a str,
    /// Acct/Svcr, a BIC.
    pub servicer: &'a str,
    /// Before the first entry of the page and after its last; a notification has none.
    pub balances: &'a [ReportBalance],
    /// Of the page.
    pub sums: Option<ReportSums>,
    /// AddtlStmtInf, at most 500 characters.
    pub information: Option<&'a str>,
}

/// One entry of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportEntry<'a> {
    /// NtryRef: its number on the account and day.
    pub number: Option<u64>,
    /// In tiyn.
    pub tiyn: u64,
    /// Whether it is a credit.
    pub is_credit: bool,
    /// BookgDt and ValDt.
    pub booked_ns: u64,
    /// AcctSvcrRef.
    pub reference: &'a str,
    /// BkTxCd/Prtry/Cd.
    pub code: &'a str,
    /// Of the payment.
    pub uetr: Option<&'a str>,
    /// Refs/TxId: the payer's own identifier.
    pub transaction_id: Option<&'a str>,
    /// The other side, a BIC: payee's of a debit, payer's of a credit.
    pub counterparty: Option<&'a str>,
    /// After the entry, in tiyn.
    pub balance: Option<i64>,
}

/// The names that differ.
struct Names {
    message: MessageType,
    opening: &'static str,
    closing: &'static str,
    page: &'static str,
    page_end: &'static str,
    paging: &'static str,
    paging_end: &'static str,
    information: &'static str,
    information_end: &'static str,
}

const STATEMENT: Names = Names {
    message: MessageType::CAMT_053_001_10,
    opening: "<BkToCstmrStmt>",
    closing: "</BkToCstmrStmt>",
    page: "<Stmt>",
    page_end: "</Stmt>",
    paging: "<StmtPgntn>",
    paging_end: "</StmtPgntn>",
    information: "<AddtlStmtInf>",
    information_end: "</AddtlStmtInf>",
};

const INTRADAY: Names = Names {
    message: MessageType::CAMT_052_001_10,
    opening: "<BkToCstmrAcctRpt>",
    closing: "</BkToCstmrAcctRpt>",
    page: "<Rpt>",
    page_end: "</Rpt>",
    paging: "<RptPgntn>",
    paging_end: "</RptPgntn>",
    information: "<AddtlRptInf>",
    information_end: "</AddtlRptInf>",
};

const NOTIFICATION: Names = Names {
    message: MessageType::CAMT_054_001_10,
    opening: "<BkToCstmrDbtCdtNtfctn>",
    closing: "</BkToCstmrDbtCdtNtfctn>",
    page: "<Ntfctn>",
    page_end: "</Ntfctn>",
    paging: "<NtfctnPgntn>",
    paging_end: "</NtfctnPgntn>",
    information: "<AddtlNtfctnInf>",
    information_end: "</AddtlNtfctnInf>",
};

impl AccountReport {
    /// The version that is written.
    pub fn message_type(self) -> MessageType {
        self.names().message
    }

    const fn names(self) -> &'static Names {
        match self {
            AccountReport::Statement => &STATEMENT,
            AccountReport::Intraday => &INTRADAY,
            AccountReport::Notification => &NOTIFICATION,
        }
    }
}

/// Appends everything before the first page. `query` is the MsgId and name of the message that asked.
pub fn report_begin(
    out: &mut Vec<u8>,
    header: Option<&BusinessHeader<'_>>,
    report: AccountReport,
    message_id: &str,
    created_ns: u64,
    query: Option<(&str, &str)>,
) {
    let names = report.names();
    let mut xml = Xml::new(out);
    xml.open_document(header, names.message);
    xml.raw(names.opening);
    xml.raw("<GrpHdr>");
    nested!(xml, [MsgId], text(message_id, IDENTIFIER_CHARACTERS_MAX));
    nested!(xml, [CreDtTm], time(created_ns));
    if let Some((id, name)) = query {
        xml.raw("<OrgnlBizQry>");
        nested!(xml, [MsgId], text(id, IDENTIFIER_CHARACTERS_MAX));
        nested!(xml, [MsgNmId], text(name, IDENTIFIER_CHARACTERS_MAX));
        xml.raw("</OrgnlBizQry>");
    }
    xml.raw("</GrpHdr>");
}

/// Appends one page. The schemas want at least one.
pub fn report_page<'a>(
    out: &mut Vec<u8>,
    report: AccountReport,
    page: &ReportPage<'_>,
    entries: impl Iterator<Item = ReportEntry<'a>>,
) {
    let names = report.names();
    let mut xml = Xml::new(out);
    xml.raw(names.page);
    nested!(xml, [Id], text(page.id, IDENTIFIER_CHARACTERS_MAX));
    if let Some((number, is_last)) = page.page {
        xml.raw(names.paging);
        nested!(xml, [PgNb], count(u64::from(number)));
        nested!(xml, [LastPgInd], boolean(is_last));
        xml.raw(names.paging_end);
    }
    if let Some(sequence) = page.sequence {
        nested!(xml, [ElctrncSeqNb], count(sequence));
    }
    nested!(xml, [CreDtTm], time(page.created_ns));
    if let Some((from, to)) = page.period_ns {
        xml.raw("<FrToDt>");
        nested!(xml, [FrDtTm], time(from));
        nested!(xml, [ToDtTm], time(to));
        xml.raw("</FrToDt>");
    }
    xml.raw("<Acct>");
    nested!(xml, [Id Othr Id], text(page.account, ACCOUNT_CHARACTERS_MAX));
    nested!(xml, [Ccy], raw("KZT"));
    nested!(xml, [Ownr Id OrgId AnyBIC], text(page.owner, BIC_CHARACTERS_MAX));
    nested!(xml, [Svcr], agent(page.servicer));
    xml.raw("</Acct>");
    for balance in page.balances {
        xml.raw("<Bal>");
        nested!(xml, [Tp CdOrPrtry Cd], raw(balance.code));
        signed(&mut xml, balance.tiyn);
        nested!(xml, [Dt DtTm], time(balance.at_ns));
        xml.raw("</Bal>");
    }
    if let Some(sums) = &page.sums {
        summary(&mut xml, sums);
    }
    for item in entries {
        entry(&mut xml, &item);
    }
    if let Some(information) = page.information {
        xml.raw(names.information);
        xml.text(information, TEXT_CHARACTERS_MAX);
        xml.raw(names.information_end);
    }
    xml.raw(names.page_end);
}

/// Appends everything after the last page.
pub fn report_end(out: &mut Vec<u8>, header: Option<&BusinessHeader<'_>>, report: AccountReport) {
    let mut xml = Xml::new(out);
    xml.raw(report.names().closing);
    xml.close_document(header);
}

/// Amt and CdtDbtInd of a signed amount.
fn signed(xml: &mut Xml<'_>, tiyn: i64) {
    xml.tenge("<Amt Ccy=\"KZT\">", tiyn.unsigned_abs(), "</Amt>");
    nested!(xml, [CdtDbtInd], raw(side(tiyn >= 0)));
}

const fn side(is_credit: bool) -> &'static str {
    if is_credit { "CRDT" } else { "DBIT" }
}

fn summary(xml: &mut Xml<'_>, sums: &ReportSums) {
    let of = |xml: &mut Xml<'_>, entries: u64, sum: u64| {
        nested!(xml, [NbOfNtries], count(entries));
        nested!(xml, [Sum], amount(sum));
    };
    let net = sums.credited.abs_diff(sums.debited);
    xml.raw("<TxsSummry><TtlNtries>");
    of(
        xml,
        sums.credits.saturating_add(sums.debits),
        sums.credited.saturating_add(sums.debited),
    );
    xml.raw("<TtlNetNtry>");
    nested!(xml, [Amt], amount(net));
    nested!(xml, [CdtDbtInd], raw(side(sums.credited >= sums.debited)));
    xml.raw("</TtlNetNtry></TtlNtries><TtlCdtNtries>");
    of(xml, sums.credits, sums.credited);
    xml.raw("</TtlCdtNtries><TtlDbtNtries>");
    of(xml, sums.debits, sums.debited);
    xml.raw("</TtlDbtNtries></TxsSummry>");
}

fn entry(xml: &mut Xml<'_>, entry: &ReportEntry<'_>) {
    xml.raw("<Ntry>");
    if let Some(number) = entry.number {
        nested!(xml, [NtryRef], count(number));
    }
    xml.tenge("<Amt Ccy=\"KZT\">", entry.tiyn, "</Amt>");
    nested!(xml, [CdtDbtInd], raw(side(entry.is_credit)));
    nested!(xml, [Sts Cd], raw("BOOK"));
    nested!(xml, [BookgDt DtTm], time(entry.booked_ns));
    nested!(
        xml,
        [AcctSvcrRef],
        text(entry.reference, IDENTIFIER_CHARACTERS_MAX)
    );
    xml.raw("<BkTxCd><Prtry>");
    nested!(xml, [Cd], text(entry.code, CODE_CHARACTERS_MAX));
    nested!(xml, [Issr], raw(ISSUER));
    xml.raw("</Prtry></BkTxCd>");
    let named = entry.uetr.is_some() || entry.transaction_id.is_some();
    if named || entry.counterparty.is_some() {
        xml.raw("<NtryDtls><TxDtls>");
        if named {
            xml.raw("<Refs>");
            if let Some(uetr) = entry.uetr {
                nested!(xml, [UETR], uetr(uetr));
            }
            optional!(xml, [TxId], entry.transaction_id, IDENTIFIER_CHARACTERS_MAX);
            xml.raw("</Refs>");
        }
        match entry.counterparty {
            Some(bic) if entry.is_credit => nested!(xml, [RltdAgts DbtrAgt], agent(bic)),
            Some(bic) => nested!(xml, [RltdAgts CdtrAgt], agent(bic)),
            None => {}
        }
        xml.raw("</TxDtls></NtryDtls>");
    }
    if let Some(balance) = entry.balance {
        xml.raw("<AddtlNtryInf>Balance ");
        if balance < 0 {
            xml.raw("-");
        }
        xml.amount(balance.unsigned_abs());
        xml.raw("</AddtlNtryInf>");
    }
    xml.raw("</Ntry>");
}
