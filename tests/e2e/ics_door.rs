//! The banks' own door to the clearing system, over the wire: items in one message, refused one by one, cleared in a session.

use serde_json::Value;
use torap_bank::{Request as BankRequest, WaitFor};
use torap_node::demo::Day;

use crate::program::{lab, stderr, stdout, torap};

const CREATED: &str = "2026-11-23T10:00:00.000+05:00";

fn uetr(number: u32) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

fn item(number: u32, amount: &str) -> String {
    let uetr = uetr(number);
    let person = |iin: &str| {
        format!(
            "<Nm>Ертай</Nm><Id><PrvtId><Othr><Id>{iin}</Id><SchmeNm><Cd>NIDN</Cd></SchmeNm></Othr></PrvtId></Id>"
        )
    };
    let (debtor, creditor) = (person("850712400122"), person("790305300457"));
    format!(
        "<CdtTrfTxInf><PmtId><EndToEndId>E2E</EndToEndId><TxId>TX-{number}</TxId><UETR>{uetr}</UETR></PmtId>\
         <IntrBkSttlmAmt Ccy=\"KZT\">{amount}</IntrBkSttlmAmt><ChrgBr>SLEV</ChrgBr><Dbtr>{debtor}</Dbtr>\
         <DbtrAcct><Id><IBAN>KZ146010002011451923</IBAN></Id></DbtrAcct>\
         <DbtrAgt><FinInstnId><BICFI>HSBKKZKX</BICFI></FinInstnId></DbtrAgt>\
         <CdtrAgt><FinInstnId><BICFI>CASPKZKA</BICFI></FinInstnId></CdtrAgt><Cdtr>{creditor}</Cdtr>\
         <CdtrAcct><Id><IBAN>KZ45722S000054326792</IBAN></Id></CdtrAcct><Purp><Prtry>911</Prtry></Purp></CdtTrfTxInf>"
    )
}

/// pacs.008 of HSBK with these items.
fn message(date: &str, items: &[String]) -> String {
    let (count, items) = (items.len(), items.concat());
    format!(
        "<Envelope xmlns=\"urn:torap:envelope:1\"><AppHdr xmlns=\"urn:iso:std:iso:20022:tech:xsd:head.001.001.03\">\
         <Fr><FIId><FinInstnId><BICFI>HSBKKZKX</BICFI></FinInstnId></FIId></Fr>\
         <To><FIId><FinInstnId><BICFI>TORPKZKA</BICFI></FinInstnId></FIId></To><BizMsgIdr>HSBK-ICS</BizMsgIdr>\
         <MsgDefIdr>pacs.008.001.10</MsgDefIdr><BizSvc>torap.ics.1</BizSvc><CreDt>{CREATED}</CreDt></AppHdr>\
         <Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pacs.008.001.10\"><FIToFICstmrCdtTrf><GrpHdr><MsgId>HSBK-ICS</MsgId>\
         <CreDtTm>{CREATED}</CreDtTm><NbOfTxs>{count}</NbOfTxs><IntrBkSttlmDt>{date}</IntrBkSttlmDt>\
         <SttlmInf><SttlmMtd>CLRG</SttlmMtd></SttlmInf><InstgAgt><FinInstnId><BICFI>HSBKKZKX</BICFI></FinInstnId></InstgAgt>\
         </GrpHdr>{items}</FIToFICstmrCdtTrf></Document></Envelope>"
    )
}

/// camt.056 of an item that HSBK submitted.
fn withdrawal(number: u32) -> String {
    let uetr = uetr(number);
    format!(
        "<Envelope xmlns=\"urn:torap:envelope:1\"><AppHdr xmlns=\"urn:iso:std:iso:20022:tech:xsd:head.001.001.03\">\
         <Fr><FIId><FinInstnId><BICFI>HSBKKZKX</BICFI></FinInstnId></FIId></Fr>\
         <To><FIId><FinInstnId><BICFI>TORPKZKA</BICFI></FinInstnId></FIId></To><BizMsgIdr>HSBK-CXL</BizMsgIdr>\
         <MsgDefIdr>camt.056.001.10</MsgDefIdr><BizSvc>torap.ics.1</BizSvc><CreDt>{CREATED}</CreDt></AppHdr>\
         <Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.056.001.10\"><FIToFIPmtCxlReq><Assgnmt><Id>HSBK-CXL</Id>\
         <Assgnr><Agt><FinInstnId><BICFI>HSBKKZKX</BICFI></FinInstnId></Agt></Assgnr>\
         <Assgne><Agt><FinInstnId><BICFI>TORPKZKA</BICFI></FinInstnId></Agt></Assgne><CreDtTm>{CREATED}</CreDtTm></Assgnmt>\
         <Undrlyg><TxInf><CxlId>HSBK-CXL</CxlId><OrgnlTxId>TX-{number}</OrgnlTxId><OrgnlUETR>{uetr}</OrgnlUETR>\
         <CxlRsnInf><Rsn><Cd>CUST</Cd></Rsn></CxlRsnInf></TxInf></Undrlyg></FIToFIPmtCxlReq></Document></Envelope>"
    )
}

#[test]
fn a_bank_submits_items_that_a_session_clears() {
    let (_dir, lab) = lab();
    let dir = lab.folder().root().to_string_lossy().into_owned();
    let mut day = Day::new(lab);
    let ctl = |words: &[&str]| -> Value {
        let start = ["--dir", &dir, "ctl", "--json", "--reference", "T-1"];
        let output = torap(&[&start, words].concat());
        let text = format!("{}{}", stdout(&output), stderr(&output));
        assert_eq!(output.status.code(), Some(0), "{words:?}: {text}");
        serde_json::from_str(&text).expect("JSON")
    };
    // A session that does not close by itself meanwhile.
    ctl(&["clearing", "set", "--closes-at", "23:59"]);
    let session = ctl(&["clearing", "session"])["session"].clone();
    let session = session.as_str().expect("an open session").to_owned();
    let date = session.split('/').next().expect("a date");
    ctl(&["rtgs", "fund", "HSBK", "400.00"]);

    // 300 items of one tenge; the last but one is above what an item may be, and is refused alone.
    let items: Vec<String> = (1..=300)
        .map(|number| item(number, if number == 299 { "5000000.01" } else { "1.00" }))
        .collect();
    let text = message(date, &items);
    let send = |day: &Day, text: String| {
        day.ask("HSBK", &BankRequest::Raw { text }).expect("sent");
    };
    send(&day, text.clone());
    let cleared = |kind: &str| WaitFor {
        kind: Some(kind.into()),
        status: Some("clearing".into()),
        ..WaitFor::default()
    };
    day.wait("HSBK", cleared("pacs.002")).expect("statuses");
    assert_eq!(ctl(&["clearing", "session"])["items_known"], 299);

    // A crash, and the whole message again: no item is taken twice.
    day.lab.kill_switch().expect("killed");
    day.lab.start_switch().expect("started");
    day.lab.wait_for_links().expect("signed on");
    send(&day, text);
    // A message with a wrong account is refused as a whole, with the item.
    let wrong = item(302, "1.00").replace("KZ45722S000054326792", "KZ45722S000054326793");
    send(&day, message(date, &[item(301, "1.00"), wrong]));
    let reject = WaitFor {
        kind: Some("admi.002".into()),
        ..WaitFor::default()
    };
    let reject = day.wait("HSBK", reject).expect("a reject");
    let place = reject.text.expect("a place");
    assert!(place.contains("CdtTrfTxInf[2]/CdtrAcct"), "{place}");
    assert_eq!(ctl(&["clearing", "session"])["items_known"], 299);

    // One is taken back.
    send(&day, withdrawal(7));
    let answer = WaitFor {
        kind: Some("camt.029".into()),
        status: Some("CNCL".into()),
        uetr: Some(uetr(7)),
        ..WaitFor::default()
    };
    day.wait("HSBK", answer).expect("an answer");

    ctl(&["clearing", "close"]);
    day.wait("CASP", cleared("pacs.008")).expect("items");
    assert_eq!(ctl(&["clearing", "item", &uetr(300)])["status"], "ACSC");
    let report = ctl(&["clearing", "report", &session]);
    let rows = report["participants"].as_array().expect("rows");
    let payer = rows.iter().find(|row| row["participant"] == "HSBK");
    assert_eq!(payer.expect("the payer")["net"], "-298.00");
}
