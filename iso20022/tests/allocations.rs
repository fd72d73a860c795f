//! A warm parser allocates nothing, however many elements a document has.

use std::sync::LazyLock;

use allocation_counter::measure;
use torap_iso20022::{CaptureSet, Mode, Parser, captures};

captures! {
    mod pacs_008 for MessageKind::Pacs008 {
        TRANSACTION_ID = "FIToFICstmrCdtTrf/CdtTrfTxInf/PmtId/TxId",
        AMOUNT_CCY = "FIToFICstmrCdtTrf/CdtTrfTxInf/IntrBkSttlmAmt/@Ccy",
        CREDITOR_ACCOUNT = "FIToFICstmrCdtTrf/CdtTrfTxInf/CdtrAcct",
        REMITTANCE = "FIToFICstmrCdtTrf/CdtTrfTxInf/RmtInf/Ustrd",
    }
}

static CAPTURES: LazyLock<CaptureSet> = LazyLock::new(|| CaptureSet::compile(&[&pacs_008::TABLE]));

/// The bench document with its transaction `times` over.
fn document(times: usize) -> String {
    let text = include_str!("../benches/data/pacs008-84.xml");
    let start = text.find("<CdtTrfTxInf>").unwrap();
    let end = text.find("</CdtTrfTxInf>").unwrap() + "</CdtTrfTxInf>".len();
    let (before, transaction, after) = (&text[..start], &text[start..end], &text[end..]);
    format!("{before}{}{after}", transaction.repeat(times))
}

#[test]
fn a_warm_parser_allocates_nothing() {
    let mut parser = Parser::with_captures(&CAPTURES);
    for times in [1, 200] {
        let text = document(times);
        let parsed = parser.parse(text.as_bytes(), Mode::National).unwrap();
        let slots = parsed.document().unwrap().slots();
        assert_eq!(slots.count(pacs_008::TRANSACTION_ID) as usize, times);

        let allocations = measure(|| {
            let parsed = parser.parse(text.as_bytes(), Mode::National).unwrap();
            let slots = parsed.document().unwrap().slots();
            assert!(slots.raw(pacs_008::TRANSACTION_ID).is_some());
            assert!(slots.text(pacs_008::AMOUNT_CCY).is_some());
            assert!(slots.element_range(pacs_008::CREDITOR_ACCOUNT).is_some());
        });
        assert_eq!(allocations.count_total, 0, "{times} transactions");
    }
}

#[test]
fn the_counter_counts() {
    // Text with a reference has to be put together anew.
    let text = document(1);
    let mut parser = Parser::with_captures(&CAPTURES);
    let parsed = parser.parse(text.as_bytes(), Mode::National).unwrap();
    let slots = parsed.document().unwrap().slots();
    assert!(slots.has_escapes(pacs_008::REMITTANCE));
    assert!(measure(|| assert!(slots.text(pacs_008::REMITTANCE).is_some())).count_total > 0);
}
