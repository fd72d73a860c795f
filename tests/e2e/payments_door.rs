//! Banks ask over their links which of their payments in IMTS fit, and change those that wait, also over a crash.

use torap_bank::{Request as BankRequest, Seen, WaitFor};
use torap_domain::{Span, Time};
use torap_node::demo::Day;

use crate::program::{lab, now, stderr, stdout, torap, within_one_day};

const CREATED: &str = "2026-11-23T10:00:00.000+05:00";

/// A message of a bank's host.
fn message(from: &str, definition: &str, id: &str, document: &str) -> String {
    format!(
        "<Envelope xmlns=\"urn:torap:envelope:1\"><AppHdr xmlns=\"urn:iso:std:iso:20022:tech:xsd:head.001.001.03\">\
         <Fr><FIId><FinInstnId><BICFI>{from}</BICFI></FinInstnId></FIId></Fr>\
         <To><FIId><FinInstnId><BICFI>TORPKZKA</BICFI></FinInstnId></FIId></To>\
         <BizMsgIdr>{id}</BizMsgIdr><MsgDefIdr>{definition}</MsgDefIdr><BizSvc>torap.imts.1</BizSvc>\
         <CreDt>{CREATED}</CreDt></AppHdr>\
         <Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:{definition}\">{document}</Document></Envelope>"
    )
}

/// pacs.009 from HSBK to CASP; `number` makes its UETR.
fn payment(number: u8, tenge: &str) -> String {
    let document = format!(
        "<FICdtTrf><GrpHdr><MsgId>RTGS-{number}</MsgId><CreDtTm>{CREATED}</CreDtTm><NbOfTxs>1</NbOfTxs>\
         <SttlmInf><SttlmMtd>CLRG</SttlmMtd></SttlmInf>\
         <InstgAgt><FinInstnId><BICFI>HSBKKZKX</BICFI></FinInstnId></InstgAgt></GrpHdr><CdtTrfTxInf><PmtId>\
         <EndToEndId>E2E-{number}</EndToEndId><TxId>TX-{number}</TxId><UETR>{}</UETR></PmtId>\
         <IntrBkSttlmAmt Ccy=\"KZT\">{tenge}</IntrBkSttlmAmt>\
         <Dbtr><FinInstnId><BICFI>HSBKKZKX</BICFI></FinInstnId></Dbtr>\
         <Cdtr><FinInstnId><BICFI>CASPKZKA</BICFI></FinInstnId></Cdtr></CdtTrfTxInf></FICdtTrf>",
        uetr(number)
    );
    message(
        "HSBKKZKX",
        "pacs.009.001.10",
        &format!("RTGS-{number}"),
        &document,
    )
}

fn uetr(number: u8) -> String {
    format!("0b7d2bf0-5d12-4f6e-9d53-0b1b8f0f6c{number:02}")
}

/// camt.005; `criteria` is what PmtSch holds.
fn question(from: &str, id: &str, criteria: &str) -> String {
    let search = if criteria.is_empty() {
        String::new()
    } else {
        format!("<SchCrit><PmtSch>{criteria}</PmtSch></SchCrit>")
    };
    let document = format!(
        "<GetTx><MsgHdr><MsgId>{id}</MsgId><CreDtTm>{CREATED}</CreDtTm></MsgHdr><TxQryDef><TxCrit><NewCrit>\
         {search}</NewCrit></TxCrit></TxQryDef></GetTx>"
    );
    message(from, "camt.005.001.08", id, &document)
}

/// camt.007.
fn change(from: &str, id: &str, number: u8, values: &str) -> String {
    let document = format!(
        "<ModfyTx><MsgHdr><MsgId>{id}</MsgId><CreDtTm>{CREATED}</CreDtTm></MsgHdr><Mod><PmtId><UETR>{}</UETR>\
         </PmtId><NewPmtValSet>{values}</NewPmtValSet></Mod></ModfyTx>",
        uetr(number)
    );
    message(from, "camt.007.001.10", id, &document)
}

struct Bed {
    day: Day,
    dir: tempfile::TempDir,
    /// Messages of each bank up to here have been looked at.
    seen: std::collections::BTreeMap<&'static str, u64>,
}

impl Bed {
    fn rtgs(&self, words: &[&str]) -> String {
        let dir = self.day.lab.folder().root().to_string_lossy().into_owned();
        let fixed = ["--dir", &dir, "ctl", "--json", "rtgs"];
        let output = torap(&[&fixed, words, &["--reference", "T-1"]].concat());
        let text = format!("{}{}", stdout(&output), stderr(&output));
        assert_eq!(output.status.code(), Some(0), "{words:?}: {text}");
        text
    }

    fn send(&self, bank: &str, text: String) {
        let sent = self.day.ask(bank, &BankRequest::Raw { text });
        sent.expect("sent");
    }

    /// The bank's next message of a kind, valid against its schema.
    fn gets(&mut self, bank: &'static str, kind: &str) -> Seen {
        let since = self.seen.get(bank).copied().unwrap_or(0);
        let filter = WaitFor {
            kind: Some(kind.into()),
            since,
            ..WaitFor::default()
        };
        let seen = self.day.wait(bank, filter).expect("a message");
        self.seen.insert(bank, seen.number + 1);
        if let Some(text) = seen.text.as_ref().filter(|text| text.starts_with("<?xml")) {
            let path = self.dir.path().join("got.xml");
            std::fs::write(&path, text).expect("written");
            let checked = torap(&["check", &path.to_string_lossy()]);
            assert!(checked.status.success(), "{}\n{text}", stdout(&checked));
        }
        seen
    }

    /// The only page that a question gets.
    fn asks(&mut self, bank: &'static str, text: String) -> String {
        self.send(bank, text);
        let answer = self.gets(bank, "camt.006");
        let text = answer.text.expect("a text");
        assert!(text.contains("<LastPgInd>true</LastPgInd>"), "{text}");
        text
    }

    /// What the switch says of a change.
    fn changed(&mut self, bank: &'static str, text: String) -> (String, String) {
        self.send(bank, text);
        let receipt = self.gets(bank, "camt.025");
        (
            receipt.status.unwrap_or_default(),
            receipt.text.unwrap_or_default(),
        )
    }
}

fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn banks_enquire_and_change_their_payments_also_over_a_crash() {
    within_one_day();
    let (dir, lab) = lab();
    let mut bed = Bed {
        day: Day::new(lab),
        dir,
        seen: std::collections::BTreeMap::new(),
    };
    let end: Time = now().saturating_add(Span::from_secs(8 * 3600));
    bed.rtgs(&["open", "--until", &end.to_string()]);
    bed.rtgs(&["limit", "HSBK", "--amount", "900.00"]);
    bed.rtgs(&["limit", "HSBK", "--towards", "CASP", "--amount", "500.00"]);
    bed.rtgs(&["fund", "HSBK", "150.00"]);
    bed.send("HSBK", payment(1, "50.00"));
    bed.send("HSBK", payment(2, "700.00"));
    bed.send("HSBK", payment(3, "80.00"));
    for _ in 0..3 {
        bed.gets("HSBK", "pacs.002");
    }

    // What has settled, what waits; and after a crash the same. CASP sees what it got and nothing that waits.
    let all = bed.asks("HSBK", question("HSBKKZKX", "Q-1", ""));
    has(
        &all,
        &[
            "<NbOfNtries>3</NbOfNtries><Sum>830.00</Sum>",
            "<MsgId>Q-1</MsgId><MsgNmId>camt.005.001.08</MsgNmId>",
            "<Fnl>STLD</Fnl>",
            "<Pdg>PSTL</Pdg>",
        ],
    );
    let waits = "<Sts><PmtInstrSts><PdgAndFnlSts>PDNG</PdgAndFnlSts></PmtInstrSts></Sts>";
    bed.send("HSBK", question("HSBKKZKX", "Q-2", waits));
    bed.day.lab.kill_switch().expect("killed");
    bed.day.lab.start_switch().expect("started");
    bed.day.lab.wait_for_links().expect("signed on");
    let waiting = bed.gets("HSBK", "camt.006").text.expect("a text");
    has(
        &waiting,
        &[
            "<MsgId>Q-2</MsgId>",
            "<NbOfNtries>2</NbOfNtries>",
            "<TxId>TX-2</TxId>",
        ],
    );
    let of_payee = bed.asks("CASP", question("CASPKZKA", "Q-3", ""));
    has(
        &of_payee,
        &["<NbOfNtries>1</NbOfNtries>", "<CdtDbtInd>CRDT</CdtDbtInd>"],
    );
    let by_name = "<EndToEndId>E2E-3</EndToEndId>";
    let named = bed.asks("HSBK", question("HSBKKZKX", "Q-4", by_name));
    has(&named, &["<NbOfNtries>1</NbOfNtries>", &uetr(3)]);
    let of_another = format!("<PmtId><PrtryId>{}</PrtryId></PmtId>", uetr(3));
    let nothing = bed.asks("CASP", question("CASPKZKA", "Q-5", &of_another));
    has(&nothing, &["<Prtry>NONE</Prtry>"]);
    bed.send("HSBK", question("HSBKKZKX", "Q-6", "<MsgId>RTGS-3</MsgId>"));
    let refused = bed.gets("HSBK", "admi.002");
    assert!(
        format!("{refused:?}").contains("PmtSch/MsgId"),
        "{refused:?}"
    );

    // Another bank's, an unknown one, and then its own: the third overtakes the second and settles.
    let high = "<Prty><Cd>HIGH</Cd></Prty>";
    let (status, text) = bed.changed("CASP", change("CASPKZKA", "M-1", 3, high));
    assert_eq!((status.as_str(), &text[..4]), ("RJCT", "NOOR"));
    let (status, text) = bed.changed("HSBK", change("HSBKKZKX", "M-2", 9, high));
    assert_eq!((status.as_str(), &text[..4]), ("RJCT", "NOOR"));
    let (status, _) = bed.changed("HSBK", change("HSBKKZKX", "M-3", 3, high));
    assert_eq!(status, "ACSC");
    let settled = bed.gets("HSBK", "pacs.002");
    assert_eq!(settled.status.as_deref(), Some("ACSC"));
    assert_eq!(settled.transaction_id.as_deref(), Some("TX-3"));
    let (status, text) = bed.changed("HSBK", change("HSBKKZKX", "M-4", 3, high));
    assert_eq!((status.as_str(), &text[..4]), ("RJCT", "PTNA"));
    let passed = format!("<PrcgVldtyTm><ToDtTm>{CREATED}</ToDtTm></PrcgVldtyTm>");
    let past = passed.replace("2026-11-23", "2020-11-23");
    let (status, text) = bed.changed("HSBK", change("HSBKKZKX", "M-5", 2, &past));
    assert_eq!((status.as_str(), &text[..4]), ("RJCT", "TM01"));
    let later = now().saturating_add(Span::from_secs(3600));
    let times = format!("<PrcgVldtyTm><FrDtTm>{later}</FrDtTm></PrcgVldtyTm>");
    let (status, _) = bed.changed("HSBK", change("HSBKKZKX", "M-6", 2, &times));
    assert_eq!(status, "ACSC");
    let waiting = bed.asks("HSBK", question("HSBKKZKX", "Q-7", waits));
    has(
        &waiting,
        &["<NbOfNtries>1</NbOfNtries>", "<PrcgVldtyTm><FrDtTm>"],
    );

    // What limits the account.
    let document = format!(
        "<GetAcct><MsgHdr><MsgId>Q-8</MsgId><CreDtTm>{CREATED}</CreDtTm></MsgHdr><AcctQryDef><AcctCrit><NewCrit>\
         <SchCrit><AcctOwnr><Id><OrgId><AnyBIC>HSBKKZKX</AnyBIC></OrgId></Id></AcctOwnr></SchCrit></NewCrit>\
         </AcctCrit></AcctQryDef></GetAcct>"
    );
    let question = message("HSBKKZKX", "camt.003.001.07", "Q-8", &document);
    bed.send("HSBK", question);
    let limits = bed.gets("HSBK", "camt.004").text.expect("a text");
    has(
        &limits,
        &[
            "<CurMulLmt><Amt><AmtWthCcy Ccy=\"KZT\">900.00</AmtWthCcy></Amt>",
            "<Amt>770.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Tp><Prtry>LIMITLEFT</Prtry></Tp>",
            "<CurBilLmt><CtrPtyId><FinInstnId><BICFI>CASPKZKA</BICFI>",
            "<BilBal><Amt>370.00</Amt>",
        ],
    );
}
