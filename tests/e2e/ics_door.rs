//! The banks' own door to the clearing system, over the wire: items in one message, refused one by one, cleared in a session.

use serde_json::Value;
use torap_bank::{Request as BankRequest, WaitFor};
use torap_domain::{Date, Time};
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

/// The first message of a kind that has a text, from those that the bank got.
fn told(day: &Day, bank: &str, kind: &str, part: &str) -> String {
    let mut since = 0;
    loop {
        let filter = WaitFor {
            kind: Some(kind.into()),
            since,
            ..WaitFor::default()
        };
        let seen = day.wait(bank, filter).expect("a message");
        since = seen.number + 1;
        if let Some(text) = seen.text.filter(|text| text.contains(part)) {
            return text;
        }
    }
}

/// The date of now, UTC+5.
fn today() -> String {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("a clock after 1970");
    let now = u64::try_from(now.as_nanos()).expect("a clock before 2554");
    Date::from_time(Time::from_nanos(now)).to_string()
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
    // Today's session, whatever day it is, which does not close by itself meanwhile.
    let today = today();
    ctl(&[
        "clearing",
        "set",
        "--closes-at",
        "23:59",
        "--worked",
        &today,
    ]);
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
    // An item with a wrong account is refused alone, with its place.
    let wrong = item(302, "1.00").replace("KZ45722S000054326792", "KZ45722S000054326793");
    send(&day, message(date, &[item(301, "1.00"), wrong]));
    let said = told(&day, "HSBK", "pacs.002", "CdtTrfTxInf[2]/CdtrAcct");
    for part in ["<OrgnlTxId>TX-302</OrgnlTxId>", "<Cd>AC03</Cd>"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("TX-301"), "{said}");
    assert_eq!(ctl(&["clearing", "session"])["items_known"], 300);
    // A wrong number of items refuses the message.
    let items = [item(303, "1.00")];
    let miscounted = message(date, &items).replace("<NbOfTxs>1<", "<NbOfTxs>2<");
    send(&day, miscounted);
    let reject = WaitFor {
        kind: Some("admi.002".into()),
        ..WaitFor::default()
    };
    day.wait("HSBK", reject).expect("a reject");
    assert_eq!(ctl(&["clearing", "session"])["items_known"], 300);

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
    assert_eq!(payer.expect("the payer")["net"], "-299.00");
}

/// A line of a list of beneficiaries.
fn line(iin: &str, tenge: &str) -> String {
    format!(
        "<Strd><!-- {iin} --><RfrdDocAmt><RmtdAmt Ccy=\"KZT\">{tenge}</RmtdAmt></RfrdDocAmt><Invcee><Nm>Айгерим &amp; Ко</Nm><Id>\
         <PrvtId><Othr><Id>{iin}</Id><SchmeNm><Cd>NIDN</Cd></SchmeNm></Othr></PrvtId></Id></Invcee>\
         <TaxRmt><Rcrd><Prd><Yr>2026</Yr><Tp>MM10</Tp></Prd></Rcrd></TaxRmt></Strd>"
    )
}

#[test]
fn a_list_of_beneficiaries_reaches_the_receiver_as_it_was_sent() {
    let (dir, lab) = lab();
    let root = lab.folder().root().to_string_lossy().into_owned();
    let mut day = Day::new(lab);
    let ctl = |words: &[&str]| -> Value {
        let start = ["--dir", &root, "ctl", "--json", "--reference", "T-1"];
        let output = torap(&[&start, words].concat());
        let text = format!("{}{}", stdout(&output), stderr(&output));
        assert_eq!(output.status.code(), Some(0), "{words:?}: {text}");
        serde_json::from_str(&text).expect("JSON")
    };
    let today = today();
    ctl(&[
        "clearing",
        "set",
        "--closes-at",
        "23:59",
        "--worked",
        &today,
    ]);
    let table = dir.path().join("purposes.toml");
    let purposes = "[[purpose]]\nknp = [\"010\"]\naccounts = [\"KZ45722S000054326792\"]\nlist = \"required\"\n";
    std::fs::write(&table, purposes).expect("written");
    ctl(&["clearing", "set-purposes", &table.to_string_lossy()]);
    let rows = ctl(&["clearing", "purposes"]);
    assert_eq!(rows["purposes"][0]["list"], "required");
    let session = ctl(&["clearing", "session"])["session"].clone();
    let date = session
        .as_str()
        .and_then(|session| session.split('/').next());
    let date = date.expect("a date").to_owned();
    ctl(&["rtgs", "fund", "HSBK", "400.00"]);

    let contribution = |number: u32, lines: &str| {
        let item = item(number, "3.00").replace("911", "010");
        let close = "</Purp></CdtTrfTxInf>";
        let list = format!("</Purp><RmtInf><Ustrd>взносы</Ustrd>{lines}</RmtInf></CdtTrfTxInf>");
        if lines.is_empty() {
            item
        } else {
            item.replace(close, &list)
        }
    };
    let list = line("850712400122", "1.00") + "\n" + &line("790305300457", "2.00");
    let wrong = line("850712400122", "1.00") + &line("850712400122", "1.00") + "<Strd/>";
    let items = [
        contribution(1, &list),
        contribution(2, &wrong),
        contribution(3, ""),
    ];
    let text = message(&date, &items);
    day.ask("HSBK", &BankRequest::Raw { text }).expect("sent");
    let said = told(&day, "HSBK", "pacs.002", "line 2: ");
    for part in [
        "<OrgnlTxId>TX-2</OrgnlTxId>",
        "<AddtlInf>CdtTrfTxInf[2]/RmtInf/Strd list-lines: 2 of 3 lines are wrong",
        "<Cd>AM05</Cd></Rsn><AddtlInf>line 2: ",
        "<Cd>BE22</Cd></Rsn><AddtlInf>line 3: ",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let demanded = told(&day, "HSBK", "pacs.002", "<OrgnlTxId>TX-3</OrgnlTxId>");
    assert!(demanded.contains("<Cd>RR07</Cd>"), "{demanded}");
    assert_eq!(ctl(&["clearing", "session"])["items_known"], 1);

    // Over a crash, from the log.
    day.lab.kill_switch().expect("killed");
    day.lab.start_switch().expect("started");
    day.lab.wait_for_links().expect("signed on");
    ctl(&["clearing", "close"]);
    let got = told(&day, "CASP", "pacs.008", "<TxId>TX-1</TxId>");
    let whole = format!("<RmtInf><Ustrd>взносы</Ustrd>{list}</RmtInf>");
    assert!(got.contains(&whole), "{got}");
    let path = dir.path().join("got.xml");
    std::fs::write(&path, &got).expect("written");
    let checked = torap(&["check", &path.to_string_lossy()]);
    assert!(checked.status.success(), "{}\n{got}", stdout(&checked));
}
