//! The banks' own door to IMTS, over the wire: payments, withdrawal, return, liquidity and the business day, also after a crash.

use torap_bank::{Request as BankRequest, Seen, WaitFor};
use torap_domain::{Date, Span, Time};
use torap_node::demo::Day;

use crate::program::{lab, stderr, stdout, torap};

const BICS: [(&str, &str); 2] = [("HSBK", "HSBKKZKX"), ("CASP", "CASPKZKA")];
const CREATED: &str = "2026-11-23T10:00:00.000+05:00";

fn bic(code: &str) -> &'static str {
    let found = BICS.iter().find(|(known, _)| *known == code);
    found.expect("a bank of the laboratory").1
}

/// A message of IMTS from a bank, as its host writes it.
fn message(from: &str, definition: &str, id: &str, document: &str) -> String {
    let from = bic(from);
    format!(
        "<Envelope xmlns=\"urn:torap:envelope:1\"><AppHdr xmlns=\"urn:iso:std:iso:20022:tech:xsd:head.001.001.03\">\
         <Fr><FIId><FinInstnId><BICFI>{from}</BICFI></FinInstnId></FIId></Fr>\
         <To><FIId><FinInstnId><BICFI>TORPKZKA</BICFI></FinInstnId></FIId></To>\
         <BizMsgIdr>{id}</BizMsgIdr><MsgDefIdr>{definition}</MsgDefIdr><BizSvc>torap.imts.1</BizSvc>\
         <CreDt>{CREATED}</CreDt></AppHdr>\
         <Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:{definition}\">{document}</Document></Envelope>"
    )
}

fn agent(element: &str, code: &str) -> String {
    let bic = bic(code);
    format!("<{element}><FinInstnId><BICFI>{bic}</BICFI></FinInstnId></{element}>")
}

fn uetr(number: u32) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

/// pacs.009 from one bank to the other.
fn bank_payment(from: &str, to: &str, number: u32, amount: &str) -> String {
    let (id, uetr) = (format!("{from}-{number}"), uetr(number));
    let agents = agent("InstgAgt", from) + &agent("InstdAgt", to);
    let sides = agent("Dbtr", from) + &agent("Cdtr", to);
    let document = format!(
        "<FICdtTrf><GrpHdr><MsgId>{id}</MsgId><CreDtTm>{CREATED}</CreDtTm><NbOfTxs>1</NbOfTxs>\
         <SttlmInf><SttlmMtd>CLRG</SttlmMtd></SttlmInf>{agents}</GrpHdr><CdtTrfTxInf><PmtId>\
         <EndToEndId>NOTPROVIDED</EndToEndId><TxId>TX-{number}</TxId><UETR>{uetr}</UETR></PmtId>\
         <IntrBkSttlmAmt Ccy=\"KZT\">{amount}</IntrBkSttlmAmt><SttlmPrty>HIGH</SttlmPrty>{sides}</CdtTrfTxInf></FICdtTrf>"
    );
    message(from, "pacs.009.001.10", &id, &document)
}

/// pacs.008 of a customer of HSBK to one of CASP.
fn customer_payment(number: u32, amount: &str) -> String {
    let (id, uetr) = (format!("HSBK-{number}"), uetr(number));
    let agents = agent("InstgAgt", "HSBK") + &agent("InstdAgt", "CASP");
    let (payer, payee) = (agent("DbtrAgt", "HSBK"), agent("CdtrAgt", "CASP"));
    let person = |iin: &str| {
        format!(
            "<Nm>Ертай</Nm><Id><PrvtId><Othr><Id>{iin}</Id><SchmeNm><Cd>NIDN</Cd></SchmeNm></Othr></PrvtId></Id>"
        )
    };
    let (debtor, creditor) = (person("850712400122"), person("790305300457"));
    let document = format!(
        "<FIToFICstmrCdtTrf><GrpHdr><MsgId>{id}</MsgId><CreDtTm>{CREATED}</CreDtTm><NbOfTxs>1</NbOfTxs>\
         <SttlmInf><SttlmMtd>CLRG</SttlmMtd></SttlmInf>{agents}</GrpHdr><CdtTrfTxInf><PmtId>\
         <EndToEndId>E2E</EndToEndId><TxId>TX-{number}</TxId><UETR>{uetr}</UETR></PmtId>\
         <IntrBkSttlmAmt Ccy=\"KZT\">{amount}</IntrBkSttlmAmt><ChrgBr>SLEV</ChrgBr><Dbtr>{debtor}</Dbtr>\
         <DbtrAcct><Id><IBAN>KZ146010002011451923</IBAN></Id></DbtrAcct>{payer}{payee}<Cdtr>{creditor}</Cdtr>\
         <CdtrAcct><Id><IBAN>KZ45722S000054326792</IBAN></Id></CdtrAcct><Purp><Prtry>119</Prtry></Purp>\
         </CdtTrfTxInf></FIToFICstmrCdtTrf>"
    );
    message("HSBK", "pacs.008.001.10", &id, &document)
}

/// camt.056 of a payment that HSBK sent.
fn withdrawal(number: u32) -> String {
    let (id, uetr) = (format!("HSBK-CXL-{number}"), uetr(number));
    let assigner = agent("Agt", "HSBK");
    let document = format!(
        "<FIToFIPmtCxlReq><Assgnmt><Id>{id}</Id><Assgnr>{assigner}</Assgnr>\
         <Assgne><Agt><FinInstnId><BICFI>TORPKZKA</BICFI></FinInstnId></Agt></Assgne><CreDtTm>{CREATED}</CreDtTm></Assgnmt>\
         <Undrlyg><TxInf><CxlId>{id}</CxlId><OrgnlTxId>TX-{number}</OrgnlTxId><OrgnlUETR>{uetr}</OrgnlUETR>\
         <CxlRsnInf><Rsn><Cd>CUST</Cd></Rsn></CxlRsnInf></TxInf></Undrlyg></FIToFIPmtCxlReq>"
    );
    message("HSBK", "camt.056.001.10", &id, &document)
}

/// pacs.004 of a payment that CASP received.
fn back(number: u32, amount: &str) -> String {
    let (id, uetr) = (format!("CASP-RTR-{number}"), uetr(number));
    let instructing = agent("InstgAgt", "CASP");
    let document = format!(
        "<PmtRtr><GrpHdr><MsgId>{id}</MsgId><CreDtTm>{CREATED}</CreDtTm><NbOfTxs>1</NbOfTxs>\
         <SttlmInf><SttlmMtd>CLRG</SttlmMtd></SttlmInf>{instructing}</GrpHdr><TxInf><RtrId>{id}</RtrId>\
         <OrgnlTxId>TX-{number}</OrgnlTxId><OrgnlUETR>{uetr}</OrgnlUETR>\
         <RtrdIntrBkSttlmAmt Ccy=\"KZT\">{amount}</RtrdIntrBkSttlmAmt>\
         <RtrRsnInf><Rsn><Cd>AC04</Cd></Rsn></RtrRsnInf></TxInf></PmtRtr>"
    );
    message("CASP", "pacs.004.001.11", &id, &document)
}

/// camt.050 of HSBK, from its settlement account to its position.
fn top_up(id: &str, amount: &str) -> String {
    let owner = agent("Dbtr", "HSBK");
    let document = format!(
        "<LqdtyCdtTrf><MsgHdr><MsgId>{id}</MsgId><CreDtTm>{CREATED}</CreDtTm></MsgHdr><LqdtyCdtTrf>\
         <CdtrAcct><Id><Othr><Id>INST</Id></Othr></Id></CdtrAcct><TrfdAmt><AmtWthCcy Ccy=\"KZT\">{amount}</AmtWthCcy></TrfdAmt>\
         {owner}<DbtrAcct><Id><Othr><Id>IMTS</Id></Othr></Id></DbtrAcct></LqdtyCdtTrf></LqdtyCdtTrf>"
    );
    message("HSBK", "camt.050.001.06", id, &document)
}

struct Bed {
    day: Day,
    dir: String,
}

impl Bed {
    fn rtgs(&self, words: &[&str]) -> String {
        let mut arguments = vec!["--dir", &self.dir, "ctl", "--json", "rtgs"];
        arguments.extend_from_slice(words);
        arguments.extend_from_slice(&["--reference", "T-1"]);
        let output = torap(&arguments);
        let text = format!("{}{}", stdout(&output), stderr(&output));
        assert_eq!(output.status.code(), Some(0), "{words:?}: {text}");
        text
    }

    fn send(&self, from: &str, text: String) {
        let sent = self.day.ask(from, &BankRequest::Raw { text });
        sent.expect("sent");
    }

    /// The first message of a kind and status that the bank got, about a payment or a message.
    fn sees(&self, bank: &str, what: &str, status: &str, uetr: Option<String>) -> Seen {
        let filter = WaitFor {
            kind: Some(what.into()),
            status: Some(status.into()),
            uetr,
            ..WaitFor::default()
        };
        self.day.wait(bank, filter).expect("a message")
    }

    fn receipt(&self, status: &str, id: &str) -> Seen {
        let filter = WaitFor {
            kind: Some("camt.025".into()),
            status: Some(status.into()),
            reference: Some(id.into()),
            ..WaitFor::default()
        };
        self.day.wait("HSBK", filter).expect("a receipt")
    }

    fn restart(&mut self) {
        self.day.lab.kill_switch().expect("killed");
        self.day.lab.start_switch().expect("started");
        self.day.lab.wait_for_links().expect("signed on");
    }
}

fn in_hours(hours: u64) -> String {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("a clock after 1970");
    let now = u64::try_from(now.as_nanos()).expect("before 2554");
    Time::from_nanos(now)
        .saturating_add(Span::from_secs(hours * 3600))
        .to_string()
}

#[test]
fn banks_pay_withdraw_return_and_move_liquidity_over_their_links() {
    let (_dir, lab) = lab();
    let dir = lab.folder().root().to_string_lossy().into_owned();
    let mut bed = Bed {
        day: Day::new(lab),
        dir,
    };
    // No business day yet.
    bed.send("HSBK", bank_payment("HSBK", "CASP", 1, "300.00"));
    let refused = bed.sees("HSBK", "pacs.002", "RJCT", Some(uetr(1)));
    assert_eq!(refused.reason.as_deref(), Some("TM01"));
    bed.send("HSBK", top_up("LIQ-1", "1.00"));
    let refused = bed.receipt("RJCT", "LIQ-1");
    assert!(refused.text.expect("a reason").starts_with("TM01 "));

    bed.rtgs(&["open", "--until", &in_hours(8)]);
    bed.sees("CASP", "admi.004", "OPEN", None);
    bed.rtgs(&["fund", "HSBK", "1000.00"]);

    // Settled at once; the payee's bank gets it then.
    bed.send("HSBK", bank_payment("HSBK", "CASP", 1, "300.00"));
    bed.sees("HSBK", "pacs.002", "ACSC", Some(uetr(1)));
    let received = bed.sees("CASP", "pacs.009", "received", Some(uetr(1)));
    assert_eq!(received.amount.as_deref(), Some("300.00"));

    // Queued, over a crash of the switch, and settled by money that comes.
    bed.send("HSBK", customer_payment(2, "5000.00"));
    bed.sees("HSBK", "pacs.002", "PDNG", Some(uetr(2)));
    bed.send("HSBK", bank_payment("HSBK", "CASP", 3, "9000.00"));
    bed.sees("HSBK", "pacs.002", "PDNG", Some(uetr(3)));
    bed.restart();
    bed.send("HSBK", withdrawal(3));
    let withdrawn = bed.sees("HSBK", "pacs.002", "RJCT", Some(uetr(3)));
    assert_eq!(withdrawn.reason.as_deref(), Some("DS02"));
    bed.sees("HSBK", "camt.029", "CNCL", Some(uetr(3)));
    bed.rtgs(&["fund", "HSBK", "4300.00"]);
    bed.sees("HSBK", "pacs.002", "ACSC", Some(uetr(2)));
    let received = bed.sees("CASP", "pacs.008", "received", Some(uetr(2)));
    assert_eq!(received.amount.as_deref(), Some("5000.00"));
    bed.send("HSBK", withdrawal(2));
    let late = bed.sees("HSBK", "camt.029", "RJCR", Some(uetr(2)));
    assert_eq!(late.reason.as_deref(), Some("PTNA"));

    // CASP gives the first one back.
    bed.send("CASP", back(1, "300.00"));
    let returned = bed.sees("CASP", "pacs.002", "ACSC", Some(uetr(1)));
    assert_eq!(returned.transaction_id.as_deref(), Some("CASP-RTR-1"));
    let returned = bed.sees("HSBK", "pacs.004", "received", Some(uetr(1)));
    assert_eq!(returned.amount.as_deref(), Some("300.00"));

    // HSBK moves 100 of its 300 to the instant rail.
    bed.send("HSBK", top_up("LIQ-2", "100.00"));
    bed.receipt("ACSC", "LIQ-2");
    // What the operator enters is told in the same way.
    bed.rtgs(&["pay", "HSBK", "CASP", "50.00", "--id", "PAPER-7"]);
    let filter = WaitFor {
        kind: Some("pacs.009".into()),
        reference: Some("PAPER-7".into()),
        ..WaitFor::default()
    };
    let received = bed.day.wait("CASP", filter).expect("a pacs.009");
    assert_eq!(received.amount.as_deref(), Some("50.00"));
    let status = bed.rtgs(&["status"]);
    let status: serde_json::Value = serde_json::from_str(&status).expect("JSON");
    assert_eq!(status["conserved"], true, "{status}");
    let accounts = status["accounts"].as_array().expect("accounts");
    let balance = |code: &str| {
        let row = accounts.iter().find(|row| row["participant"] == code);
        row.expect("an account")["balance"].clone()
    };
    assert_eq!(balance("HSBK"), "150.00");
    assert_eq!(balance("CASP"), "5050.00");

    bed.rtgs(&["close"]);
    bed.sees("HSBK", "admi.004", "CLSD", None);
    bed.restart();
    let again: serde_json::Value = serde_json::from_str(&bed.rtgs(&["status"])).expect("JSON");
    assert_eq!(again["accounts"], status["accounts"], "replay");
}

#[test]
fn a_transfer_outside_the_business_day_waits_for_it() {
    let (_dir, lab) = lab();
    let dir = lab.folder().root().to_string_lossy().into_owned();
    let mut bed = Bed {
        day: Day::new(lab),
        dir,
    };
    bed.rtgs(&["liquidity", "wait"]);
    bed.rtgs(&["fund", "HSBK", "1000.00"]);
    // Today is closed whatever day it is, so that IMTS opens on a later one.
    let today = Date::from_time(Time::parse(&in_hours(0)).expect("a time"));
    bed.rtgs(&["day", &today.to_string(), "closed"]);
    bed.rtgs(&["hours"]);
    bed.send("HSBK", top_up("LIQ-1", "400.00"));
    let waits = bed.receipt("PDNG", "LIQ-1");
    let text = waits.text.expect("the time");
    assert!(text.contains("T09:00:00"), "{text}");
    bed.restart();
    bed.rtgs(&["open", "--until", &in_hours(1)]);
    bed.receipt("ACSC", "LIQ-1");
    let status: serde_json::Value = serde_json::from_str(&bed.rtgs(&["status"])).expect("JSON");
    let accounts = status["accounts"].as_array().expect("accounts");
    let row = accounts.iter().find(|row| row["participant"] == "HSBK");
    assert_eq!(row.expect("an account")["balance"], "600.00");
}
