//! Statements of accounts, from the log of a switch that was killed in the middle of its day.

use std::collections::BTreeMap;

use serde_json::Value;
use torap_bank::Payee;
use torap_domain::{Date, Span};
use torap_node::demo::{Day, Lab, customer_of};

use crate::program::{lab, now, stderr, stdout, torap, within_one_day};

const BANKS: [&str; 4] = ["CASP", "HSBK", "IRTY", "TSES"];

fn run(lab: &Lab, words: &[&str]) -> (Option<i32>, String, String) {
    let dir = lab.folder().root().to_string_lossy().into_owned();
    let output = torap(&[&["--dir", &dir, "ctl"], words].concat());
    (output.status.code(), stdout(&output), stderr(&output))
}

fn ok(lab: &Lab, words: &[&str]) -> String {
    let (code, text, complaint) = run(lab, words);
    assert_eq!(code, Some(0), "{words:?}: {text}{complaint}");
    text
}

fn rtgs(lab: &Lab, words: &[&str]) -> Value {
    let words = [&["--json", "--reference", "T-1", "rtgs"], words].concat();
    serde_json::from_str(&ok(lab, &words)).expect("JSON")
}

fn statement(lab: &Lab, code: &str, words: &[&str]) -> String {
    let day = Date::from_time(now()).to_string();
    let fixed = ["statement", "--participant", code, "--day", &day];
    ok(lab, &[&fixed, words].concat())
}

/// Balances as the switch itself shows them, by participant and account.
fn balances(lab: &Lab) -> BTreeMap<(String, &'static str), String> {
    let mut all = BTreeMap::new();
    let positions: Value = serde_json::from_str(&ok(lab, &["--json", "positions"])).expect("JSON");
    let settlement = rtgs(lab, &["status"]);
    for (rows, account) in [
        (&positions["positions"], "INST"),
        (&settlement["accounts"], "IMTS"),
    ] {
        for row in rows.as_array().expect("rows") {
            let code = row["participant"].as_str().expect("a code").to_owned();
            let balance = row["balance"].as_str().expect("a balance").to_owned();
            all.insert((code, account), balance);
        }
    }
    all
}

/// The closing lines of a statement in JSON, and its entries.
fn of(lab: &Lab, code: &str, words: &[&str]) -> (BTreeMap<String, Value>, Vec<Value>) {
    let text = statement(lab, code, &[&["--format", "json"], words].concat());
    let lines = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    let (closing, entries): (Vec<Value>, Vec<Value>) =
        lines.partition(|line: &Value| line.get("closing").is_some());
    let closing = closing.into_iter().map(|mut line| {
        // Links come and go meanwhile, each with a record: how far the log was read says nothing of the account.
        assert!(line["upto"].take().is_u64(), "{line}");
        line
    });
    let by_account =
        closing.map(|line| (line["account"].as_str().expect("a code").to_owned(), line));
    (by_account.collect(), entries)
}

fn pay(lab: &Lab, from: &str, to: &str, amount: &str, id: &str) {
    rtgs(lab, &["pay", from, to, amount, "--id", id]);
}

#[test]
fn closing_balances_are_the_switchs_own_also_after_a_crash() {
    within_one_day();
    let (_dir, lab) = lab();
    let mut day = Day::new(lab);
    let until = now().saturating_add(Span::from_secs(8 * 3600)).to_string();
    rtgs(&day.lab, &["open", "--until", &until]);
    rtgs(&day.lab, &["fund", "HSBK", "1000.00"]);
    pay(&day.lab, "CASP", "TSES", "40.00", "WAITS");
    pay(&day.lab, "HSBK", "CASP", "300.00", "RELEASES, \"both\"");
    rtgs(&day.lab, &["top-up", "HSBK", "100.50"]);
    let customer = customer_of("HSBK", 1).expect("customer");
    let payee = Payee::Account {
        bank: "HSBKKZKX".into(),
        iban: customer.iban.as_str().into(),
        name: customer.name,
        person: None,
    };
    let sent = day.pay("CASP", 1, payee, "1500.00").expect("payment");
    assert_eq!(day.outcome("CASP", &sent).expect("outcome"), "ACSC");
    let before = of(&day.lab, "CASP", &[]).1;
    day.lab.kill_switch().expect("killed");
    day.lab.start_switch().expect("started");
    rtgs(&day.lab, &["sweep", "HSBK", "0.50"]);
    pay(&day.lab, "TSES", "HSBK", "1.00", "AFTER");

    let stands = balances(&day.lab);
    for code in BANKS {
        let (closing, entries) = of(&day.lab, code, &[]);
        for account in ["IMTS", "INST"] {
            let line = &closing[account];
            let key = (code.to_owned(), account);
            assert_eq!(line["closing"], stands[&key].as_str(), "{line}");
            let own: Vec<&Value> = entries
                .iter()
                .filter(|entry| entry["account"] == account)
                .collect();
            assert_eq!(line["no_entries"], own.is_empty());
            let count = line["debits"].as_u64().unwrap() + line["credits"].as_u64().unwrap();
            assert_eq!(count, own.len() as u64);
            let last = own
                .last()
                .map_or(&line["opening"], |entry| &entry["balance"]);
            assert_eq!(last, &line["closing"]);
            assert!(own.iter().all(|entry| entry["kind"] != "OTHR"), "{own:?}");
        }
        let from_genesis = of(&day.lab, code, &["--from-genesis"]);
        assert_eq!((closing, entries), from_genesis);
    }
    let after = of(&day.lab, "CASP", &[]).1;
    assert_eq!(after.get(..before.len()), Some(before.as_slice()));

    // An account that did not move says so in every form.
    let text = statement(&day.lab, "IRTY", &["--account", "imts"]);
    assert!(text.contains("no entries"), "{text}");
    let text = statement(&day.lab, "IRTY", &["--account", "IMTS", "--format", "csv"]);
    assert!(text.contains("IMTS,no-entries"), "{text}");
    let csv = statement(&day.lab, "CASP", &["--account", "IMTS", "--format", "csv"]);
    assert!(csv.contains(",\"RELEASES, \"\"both\"\"\","), "{csv}");
}

#[test]
fn a_statement_in_xml_is_a_valid_camt_053() {
    within_one_day();
    let (dir, lab) = lab();
    let until = now().saturating_add(Span::from_secs(8 * 3600)).to_string();
    rtgs(&lab, &["open", "--until", &until]);
    rtgs(&lab, &["fund", "HSBK", "1000.00"]);
    pay(&lab, "HSBK", "CASP", "300.00", "A<B");
    for code in BANKS {
        let text = statement(&lab, code, &["--format", "xml"]);
        let path = dir.path().join("statement.xml");
        std::fs::write(&path, &text).expect("written");
        let path = path.to_string_lossy();
        let checked = torap(&["check", "--profile", "none", &path]);
        let printed = stdout(&checked);
        assert!(printed.contains("ok camt.053.001.10"), "{printed}\n{text}");
    }
    let (code, _, complaint) = run(
        &lab,
        &["statement", "--participant", "NOPE", "--day", "2026-11-21"],
    );
    assert_eq!(code, Some(2));
    assert!(complaint.contains("no such participant"), "{complaint}");
    let wrong = [
        "statement",
        "--participant",
        "CASP",
        "--day",
        "2026-11-21",
        "--account",
        "X",
    ];
    let (code, _, complaint) = run(&lab, &wrong);
    assert_eq!(code, Some(2));
    assert!(
        complaint.contains("--account: `X`: one of IMTS, INST, CARD, FUND"),
        "{complaint}"
    );
}
