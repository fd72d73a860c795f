#![expect(unreachable_pub, reason = "captures! declares for users of the crate")]

use std::sync::LazyLock;

use super::{Mode, Parser};
use crate::capture::{CaptureSet, Slots};
use crate::limits::{ATTRIBUTES_MAX, DEPTH_MAX, Limits, NAMESPACES_MAX};
use crate::message::MessageType;

mod documents;
mod refusals;
mod robustness;

crate::captures! {
    mod pacs_008 for MessageKind::Pacs008 {
        MSG_ID = "FIToFICstmrCdtTrf/GrpHdr/MsgId",
        TRANSACTION = "FIToFICstmrCdtTrf/CdtTrfTxInf",
        TX_ID = "FIToFICstmrCdtTrf/CdtTrfTxInf/PmtId/TxId",
        AMOUNT = "FIToFICstmrCdtTrf/CdtTrfTxInf/IntrBkSttlmAmt",
        AMOUNT_CCY = "FIToFICstmrCdtTrf/CdtTrfTxInf/IntrBkSttlmAmt/@Ccy",
        CREDITOR_AGENT = "FIToFICstmrCdtTrf/CdtTrfTxInf/CdtrAgt",
        DEBTOR = "FIToFICstmrCdtTrf/CdtTrfTxInf/Dbtr/Nm",
        ULTIMATE_DEBTOR = "FIToFICstmrCdtTrf/CdtTrfTxInf/UltmtDbtr",
        REMITTANCE = "FIToFICstmrCdtTrf/CdtTrfTxInf/RmtInf/Ustrd",
        OWN_DATA = "FIToFICstmrCdtTrf/CdtTrfTxInf/SplmtryData/Envlp/Own/Value",
        OWN_MARK = "FIToFICstmrCdtTrf/CdtTrfTxInf/SplmtryData/Envlp/Own/Mark",
    }
}

crate::captures! {
    mod head_001 for MessageKind::Head001 {
        MESSAGE = "MsgDefIdr",
        IDENTIFIER = "BizMsgIdr",
    }
}

static CAPTURES: LazyLock<CaptureSet> =
    LazyLock::new(|| CaptureSet::compile(&[&pacs_008::TABLE, &head_001::TABLE]));

const BENCH: &str = include_str!("../../benches/data/pacs008-84.xml");

const HEADER: &str = "<AppHdr xmlns=\"urn:iso:std:iso:20022:tech:xsd:head.001.001.03\">\
    <Fr><FIId><FinInstnId><BICFI>HSBKKZKX</BICFI></FinInstnId></FIId></Fr>\
    <To><FIId><FinInstnId><BICFI>CASPKZKA</BICFI></FinInstnId></FIId></To>\
    <BizMsgIdr>B1</BizMsgIdr><MsgDefIdr>pacs.008.001.10</MsgDefIdr><CreDt>2026-11-21T09:15:27+05:00</CreDt></AppHdr>";

/// The bench document without its XML declaration.
fn bare() -> &'static str {
    &BENCH[BENCH.find("<Document").unwrap()..]
}

/// The bench document with `from` replaced, which it must hold.
fn with(from: &str, to: &str) -> String {
    assert!(BENCH.contains(from), "{from}");
    BENCH.replacen(from, to, 1)
}

fn envelope(inner: &str) -> String {
    format!("<Envelope xmlns=\"urn:torap:envelope:1\">{inner}</Envelope>")
}

/// What the parser says: the label of what it accepted, or path, rule and code.
fn verdict(text: impl AsRef<[u8]>, mode: Mode) -> String {
    match Parser::new().parse(text.as_ref(), mode) {
        Ok(parsed) => parsed.label().to_string(),
        Err(refusal) => refusal.to_string(),
    }
}

#[track_caller]
fn check(text: impl AsRef<[u8]>, expected: &str) {
    assert_eq!(verdict(text, Mode::SchemaOnly), expected);
}
