//! Banks ask about their accounts over their links, and get what they are sent without asking, also over a crash.

use torap_bank::{Request as BankRequest, Seen, WaitFor};
use torap_domain::{Date, Span};
use torap_node::demo::Day;

use crate::program::{lab, now, stderr, stdout, torap, within_one_day};

const CREATED: &str = "2026-11-23T10:00:00.000+05:00";

/// A message of HSBK's host.
fn message(definition: &str, id: &str, document: &str) -> String {
    format!(
        "<Envelope xmlns=\"urn:torap:envelope:1\"><AppHdr xmlns=\"urn:iso:std:iso:20022:tech:xsd:head.001.001.03\">\
         <Fr><FIId><FinInstnId><BICFI>HSBKKZKX</BICFI></FinInstnId></FIId></Fr>\
         <To><FIId><FinInstnId><BICFI>TORPKZKA</BICFI></FinInstnId></FIId></To>\
         <BizMsgIdr>{id}</BizMsgIdr><MsgDefIdr>{definition}</MsgDefIdr><BizSvc>torap.imts.1</BizSvc>\
         <CreDt>{CREATED}</CreDt></AppHdr>\
         <Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:{definition}\">{document}</Document></Envelope>"
    )
}

/// camt.060; `rest` is what follows the owner.
fn request(id: &str, wanted: &str, account: &str, rest: &str) -> String {
    let document = format!(
        "<AcctRptgReq><GrpHdr><MsgId>{id}</MsgId><CreDtTm>{CREATED}</CreDtTm></GrpHdr><RptgReq>\
         <ReqdMsgNmId>{wanted}</ReqdMsgNmId><Acct><Id><Othr><Id>{account}</Id></Othr></Id></Acct>\
         <AcctOwnr><Agt><FinInstnId><BICFI>HSBKKZKX</BICFI></FinInstnId></Agt></AcctOwnr>{rest}</RptgReq></AcctRptgReq>"
    );
    message("camt.060.001.05", id, &document)
}

fn of_day(date: Date) -> String {
    format!("<RptgPrd><FrToDt><FrDt>{date}</FrDt></FrToDt><Tp>ALLL</Tp></RptgPrd>")
}

/// camt.003.
fn query(id: &str) -> String {
    let document = format!(
        "<GetAcct><MsgHdr><MsgId>{id}</MsgId><CreDtTm>{CREATED}</CreDtTm></MsgHdr><AcctQryDef><AcctCrit><NewCrit>\
         <SchCrit><AcctOwnr><Id><OrgId><AnyBIC>HSBKKZKX</AnyBIC></OrgId></Id></AcctOwnr></SchCrit></NewCrit></AcctCrit>\
         </AcctQryDef></GetAcct>"
    );
    message("camt.003.001.07", id, &document)
}

struct Bed {
    day: Day,
    dir: tempfile::TempDir,
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

    fn send(&self, text: String) {
        let sent = self.day.ask("HSBK", &BankRequest::Raw { text });
        sent.expect("sent");
    }

    /// The next message of a kind that HSBK got from `since` on, valid against its schema.
    fn gets(&self, kind: &str, since: u64) -> Seen {
        let filter = WaitFor {
            kind: Some(kind.into()),
            since,
            ..WaitFor::default()
        };
        let seen = self.day.wait("HSBK", filter).expect("a message");
        if let Some(text) = seen.text.as_ref().filter(|text| text.starts_with("<?xml")) {
            let path = self.dir.path().join("got.xml");
            std::fs::write(&path, text).expect("written");
            let checked = torap(&["check", &path.to_string_lossy()]);
            assert!(checked.status.success(), "{}\n{text}", stdout(&checked));
        }
        seen
    }
}

fn text(seen: &Seen) -> &str {
    seen.text.as_deref().expect("a text")
}

#[test]
fn banks_ask_about_their_accounts_also_over_a_crash() {
    within_one_day();
    let (dir, lab) = lab();
    let mut bed = Bed {
        day: Day::new(lab),
        dir,
    };
    bed.rtgs(&["reports", "HSBK", "--notices"]);
    let until = now().saturating_add(Span::from_secs(8 * 3600)).to_string();
    bed.rtgs(&["open", "--until", &until]);
    bed.rtgs(&["fund", "HSBK", "1000.00"]);
    let funded = bed.gets("camt.054", 0);
    assert!(
        text(&funded).contains("<Amt Ccy=\"KZT\">1000.00</Amt><CdtDbtInd>CRDT"),
        "{funded:?}"
    );
    bed.rtgs(&["pay", "HSBK", "CASP", "300.00", "--id", "PAPER-7"]);
    let paid = bed.gets("camt.054", funded.number + 1);
    for part in [
        "<Amt Ccy=\"KZT\">300.00</Amt><CdtDbtInd>DBIT",
        "<TxId>PAPER-7</TxId>",
        "CASPKZKA",
    ] {
        assert!(text(&paid).contains(part), "{part}: {paid:?}");
    }

    // The day so far; the switch is killed before it can answer, or after.
    bed.send(request("RQ-1", "camt.052.001.10", "IMTS", ""));
    bed.day.lab.kill_switch().expect("killed");
    bed.day.lab.start_switch().expect("started");
    bed.day.lab.wait_for_links().expect("signed on");
    let report = bed.gets("camt.052", 0);
    for part in [
        "<MsgId>RQ-1</MsgId>",
        "<Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy=\"KZT\">0.00</Amt>",
        "<Cd>ITBD</Cd></CdOrPrtry></Tp><Amt Ccy=\"KZT\">700.00</Amt>",
        "<NtryRef>1</NtryRef>",
        "<NtryRef>2</NtryRef>",
        "<LastPgInd>true</LastPgInd>",
    ] {
        assert!(text(&report).contains(part), "{part}: {report:?}");
    }
    let since = "<RptgSeq><FrSeq>2</FrSeq></RptgSeq>";
    bed.send(request("RQ-2", "camt.052.001.10", "IMTS", since));
    let rest = bed.gets("camt.052", report.number + 1);
    assert!(!text(&rest).contains("<NtryRef>1</NtryRef>"), "{rest:?}");
    assert!(text(&rest).contains("<NtryRef>2</NtryRef>"), "{rest:?}");

    // A day that is over, on which nothing was; one that is not over; an account that is none.
    let today = Date::from_time(now());
    let yesterday = of_day(today.add_days(-1));
    bed.send(request("RQ-3", "camt.053.001.10", "INST", &yesterday));
    let statement = bed.gets("camt.053", 0);
    assert!(text(&statement).contains("No entries."), "{statement:?}");
    assert!(text(&statement).contains("<Cd>CLBD</Cd>"), "{statement:?}");
    bed.send(request("RQ-4", "camt.053.001.10", "INST", &of_day(today)));
    let refused = bed.gets("camt.025", 0);
    assert_eq!(refused.status.as_deref(), Some("RJCT"));
    assert!(text(&refused).starts_with("DT01 "), "{refused:?}");
    bed.send(request("RQ-5", "camt.052.001.10", "SAVINGS", ""));
    bed.gets("admi.002", 0);

    bed.send(query("Q-1"));
    let balances = bed.gets("camt.004", 0);
    for part in [
        "<Id>IMTS</Id>",
        "<Amt>700.00</Amt>",
        "<Prtry>QUEUED</Prtry>",
        "<Id>INST</Id>",
    ] {
        assert!(text(&balances).contains(part), "{part}: {balances:?}");
    }
}
