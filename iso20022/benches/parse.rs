//! Parse, validation and captures of one pacs.008 of 84 elements, beside the bare events of quick-xml over the same bytes.
//!
//! SPECIFICATION.md promises a ratio; both sides run in one group so that they share the machine's mood.

use std::hint::black_box;
use std::sync::LazyLock;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use quick_xml::events::Event;
use quick_xml::reader::Reader;
use torap_iso20022::{CaptureSet, Mode, Parser, captures};

const DOCUMENT: &[u8] = include_bytes!("data/pacs008-84.xml");

captures! {
    /// About what a switch reads of a payment.
    mod pacs_008 for MessageKind::Pacs008 {
        MESSAGE_ID = "FIToFICstmrCdtTrf/GrpHdr/MsgId",
        CREATION_TIME = "FIToFICstmrCdtTrf/GrpHdr/CreDtTm",
        TRANSACTIONS = "FIToFICstmrCdtTrf/GrpHdr/NbOfTxs",
        SETTLEMENT_METHOD = "FIToFICstmrCdtTrf/GrpHdr/SttlmInf/SttlmMtd",
        INSTRUCTING_AGENT = "FIToFICstmrCdtTrf/GrpHdr/InstgAgt/FinInstnId/BICFI",
        INSTRUCTED_AGENT = "FIToFICstmrCdtTrf/GrpHdr/InstdAgt/FinInstnId/BICFI",
        SERVICE = "FIToFICstmrCdtTrf/GrpHdr/PmtTpInf/LclInstrm/Prtry",
        INSTRUCTION_ID = "FIToFICstmrCdtTrf/CdtTrfTxInf/PmtId/InstrId",
        END_TO_END_ID = "FIToFICstmrCdtTrf/CdtTrfTxInf/PmtId/EndToEndId",
        TRANSACTION_ID = "FIToFICstmrCdtTrf/CdtTrfTxInf/PmtId/TxId",
        UETR = "FIToFICstmrCdtTrf/CdtTrfTxInf/PmtId/UETR",
        AMOUNT = "FIToFICstmrCdtTrf/CdtTrfTxInf/IntrBkSttlmAmt",
        CURRENCY = "FIToFICstmrCdtTrf/CdtTrfTxInf/IntrBkSttlmAmt/@Ccy",
        ACCEPTANCE_TIME = "FIToFICstmrCdtTrf/CdtTrfTxInf/AccptncDtTm",
        DEBTOR = "FIToFICstmrCdtTrf/CdtTrfTxInf/Dbtr/Nm",
        DEBTOR_IIN = "FIToFICstmrCdtTrf/CdtTrfTxInf/Dbtr/Id/PrvtId/Othr/Id",
        DEBTOR_IBAN = "FIToFICstmrCdtTrf/CdtTrfTxInf/DbtrAcct/Id/IBAN",
        DEBTOR_AGENT = "FIToFICstmrCdtTrf/CdtTrfTxInf/DbtrAgt/FinInstnId/BICFI",
        CREDITOR_AGENT = "FIToFICstmrCdtTrf/CdtTrfTxInf/CdtrAgt",
        CREDITOR_AGENT_BIC = "FIToFICstmrCdtTrf/CdtTrfTxInf/CdtrAgt/FinInstnId/BICFI",
        CREDITOR = "FIToFICstmrCdtTrf/CdtTrfTxInf/Cdtr/Nm",
        CREDITOR_IIN = "FIToFICstmrCdtTrf/CdtTrfTxInf/Cdtr/Id/PrvtId/Othr/Id",
        CREDITOR_ACCOUNT = "FIToFICstmrCdtTrf/CdtTrfTxInf/CdtrAcct",
        CREDITOR_IBAN = "FIToFICstmrCdtTrf/CdtTrfTxInf/CdtrAcct/Id/IBAN",
        CREDITOR_PROXY = "FIToFICstmrCdtTrf/CdtTrfTxInf/CdtrAcct/Prxy/Id",
        PURPOSE = "FIToFICstmrCdtTrf/CdtTrfTxInf/Purp/Prtry",
        REMITTANCE = "FIToFICstmrCdtTrf/CdtTrfTxInf/RmtInf/Ustrd",
    }
}

static CAPTURES: LazyLock<CaptureSet> = LazyLock::new(|| CaptureSet::compile(&[&pacs_008::TABLE]));

/// The bare events: no namespaces, no validation, nothing kept.
fn events(bytes: &[u8]) -> usize {
    let mut reader = Reader::from_reader(bytes);
    let mut count = 0;
    loop {
        match reader.read_event() {
            Ok(Event::Eof) => return count,
            Ok(event) => {
                black_box(&event);
                count += 1;
            }
            Err(error) => panic!("{error}"),
        }
    }
}

fn parse(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("pacs008-84");
    group.throughput(Throughput::Bytes(DOCUMENT.len() as u64));
    group.bench_function("quick-xml events", |bencher| {
        bencher.iter(|| events(black_box(DOCUMENT)))
    });
    let mut parser = Parser::new();
    group.bench_function("validate", |bencher| {
        bencher.iter(|| {
            parser
                .parse(black_box(DOCUMENT), Mode::National)
                .map(|parsed| parsed.label())
        });
    });
    let mut parser = Parser::with_captures(&CAPTURES);
    group.bench_function("validate and capture", |bencher| {
        bencher.iter(|| {
            let parsed = parser.parse(black_box(DOCUMENT), Mode::National).unwrap();
            black_box(
                parsed
                    .document()
                    .unwrap()
                    .slots()
                    .raw(pacs_008::TRANSACTION_ID)
                    .is_some(),
            )
        });
    });
    group.finish();
}

criterion_group!(benches, parse);
criterion_main!(benches);
