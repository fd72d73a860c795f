//! The past: a payment's whole history by any identifier, any moment rebuilt from the log, and an index that was deleted.

use std::{
    fs,
    time::{Duration, Instant},
};

use serde_json::Value;
use torap_bank::{Payee, Request as BankRequest, SentPayment, WaitFor};
use torap_node::{
    control::Request,
    demo::{Day, Lab, customer_of},
};

use crate::program::{lab, stderr, stdout, torap};

const WITHIN: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);

fn pay(day: &Day, number: u32, amount: &str) -> SentPayment {
    let customer = customer_of("HSBK", number).expect("customer");
    let payee = Payee::Account {
        bank: "HSBKKZKX".into(),
        iban: customer.iban.as_str().into(),
        name: customer.name,
        person: None,
    };
    let sent = day.pay("CASP", number, payee, amount).expect("payment");
    assert_eq!(day.outcome("CASP", &sent).expect("outcome"), "ACSC");
    sent
}

fn wait(day: &Day, code: &str, kind: &str, uetr: &str) {
    let filter = WaitFor {
        kind: Some(kind.into()),
        uetr: Some(uetr.into()),
        ..WaitFor::default()
    };
    day.wait(code, filter).expect(kind);
}

fn on(lab: &Lab, arguments: &[&str]) -> std::process::Output {
    let root = lab.folder().root().to_string_lossy().into_owned();
    let mut all = vec!["--dir", &root];
    all.extend(arguments);
    torap(&all)
}

fn json(lab: &Lab, arguments: &[&str]) -> Value {
    let output = on(lab, arguments);
    assert!(
        output.status.success(),
        "{arguments:?}: {}{}",
        stdout(&output),
        stderr(&output)
    );
    serde_json::from_str(&stdout(&output)).expect("one JSON line")
}

fn whats(payment: &Value) -> Vec<&str> {
    let steps = payment["steps"].as_array().expect("steps");
    steps
        .iter()
        .map(|step| step["what"].as_str().expect("what"))
        .collect()
}

/// Asks until every message of the payment has been acknowledged by its bank, and the read side has all `wanted` steps.
fn complete(lab: &Lab, uetr: &str, wanted: &[&str]) -> Value {
    let end = Instant::now() + WITHIN;
    loop {
        let output = on(lab, &["ctl", "payment", uetr, "--json"]);
        let value: Value = serde_json::from_str(&stdout(&output)).expect("one JSON line");
        let is_complete = value["steps"].as_array().is_some_and(|steps| {
            whats(&value) == wanted
                && steps.iter().all(|step| {
                    let detail = step["detail"].as_str().unwrap_or_default();
                    !detail.ends_with("yet") && !detail.contains("unknown")
                })
        });
        if is_complete {
            return value;
        }
        assert!(Instant::now() < end, "{value:#}");
        std::thread::sleep(POLL);
    }
}

#[test]
fn a_payment_is_found_by_every_identifier_with_its_whole_history() {
    let (_dir, lab) = lab();
    let day = Day::new(lab);
    let sent = pay(&day, 3, "150.00");
    let uetr = sent.uetr.as_str();
    let recall = BankRequest::Recall {
        uetr: uetr.into(),
        reason: "DUPL".into(),
    };
    day.ask("CASP", &recall).expect("recall");
    wait(&day, "HSBK", "camt.056", uetr);
    let refuse = BankRequest::RefuseRecall {
        uetr: uetr.into(),
        reason: "CUST".into(),
    };
    day.ask("HSBK", &refuse).expect("refusal");
    wait(&day, "CASP", "camt.029", uetr);
    let give_back = BankRequest::Return {
        uetr: uetr.into(),
        amount: None,
        reason: "CUST".into(),
    };
    day.ask("HSBK", &give_back).expect("return");
    wait(&day, "CASP", "pacs.004", uetr);

    let wanted = [
        "received",
        "reserved",
        "forwarded",
        "answered",
        "posted",
        "status",
        "status",
        "recall",
        "recall-forwarded",
        "recall-refused",
        "refusal-forwarded",
        "return",
        "return-forwarded",
        "status",
    ];
    let payment = complete(&day.lab, uetr, &wanted);
    assert_eq!(
        (
            &payment["outcome"],
            &payment["amount"],
            &payment["returned"]
        ),
        (&"settled".into(), &"150.00".into(), &"150.00".into())
    );
    assert_eq!(payment["returns"].as_array().map(Vec::len), Some(1));
    let times: Vec<&str> = payment["steps"]
        .as_array()
        .expect("steps")
        .iter()
        .map(|step| step["time"].as_str().expect("time"))
        .collect();
    assert!(times.is_sorted(), "{times:?}");

    // Every identifier of every message leads there.
    let named = |key: &str| payment["identifiers"][key].as_str().map(String::from);
    let mut identifiers: Vec<String> = [
        "message_id",
        "instruction_id",
        "end_to_end_id",
        "transaction_id",
    ]
    .into_iter()
    .filter_map(named)
    .collect();
    assert!(identifiers.contains(&sent.message_id) && identifiers.contains(&sent.transaction_id));
    identifiers.push(format!("CASP:{}", sent.transaction_id));
    for what in ["recall", "recall-refused", "return"] {
        let steps = payment["steps"].as_array().expect("steps");
        let step = steps.iter().find(|step| step["what"] == what);
        let detail = step.and_then(|step| step["detail"].as_str()).expect(what);
        identifiers.push(detail.split(' ').nth(1).expect("identifier").to_owned());
    }
    for identifier in &identifiers {
        let found = json(&day.lab, &["ctl", "payment", identifier, "--json"]);
        assert_eq!(found["uetr"], *uetr, "{identifier}");
    }

    // The originals, as they came and indented.
    let raw = json(
        &day.lab,
        &["ctl", "payment", uetr, "--json", "--originals", "raw"],
    );
    let texts: Vec<&str> = raw["originals"]
        .as_array()
        .expect("originals")
        .iter()
        .map(|original| original["text"].as_str().expect("text"))
        .collect();
    for (text, kind) in texts
        .iter()
        .zip(["pacs.008", "pacs.002", "camt.056", "camt.029", "pacs.004"])
    {
        assert!(text.contains(kind) && text.contains(uetr), "{kind}: {text}");
    }
    assert_eq!(texts.len(), 5);
    assert!(payment.get("originals").is_none(), "only when asked for");
    let shown = stdout(&on(&day.lab, &["ctl", "payment", uetr, "--originals"]));
    assert!(
        shown.contains("posted") && shown.contains("\n  <"),
        "{shown}"
    );

    let unknown = on(&day.lab, &["ctl", "payment", "NOBODY-KNOWS"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(stdout(&unknown).contains("NOBODY-KNOWS"));
}

#[test]
fn a_participants_payments_are_listed_by_time() {
    let (_dir, lab) = lab();
    let day = Day::new(lab);
    let mut sent = Vec::new();
    let mut decided = Vec::new();
    for number in 0..4 {
        let one = pay(&day, number, "10.00");
        let steps = [
            "received",
            "reserved",
            "forwarded",
            "answered",
            "posted",
            "status",
            "status",
        ];
        let payment = complete(&day.lab, &one.uetr, &steps);
        decided.push(payment["decided_at"].as_str().expect("time").to_owned());
        sent.push(one.uetr);
    }
    let listed = |arguments: &[&str]| {
        let mut all = vec!["ctl", "--json", "payments"];
        all.extend(arguments);
        let value = json(&day.lab, &all);
        let rows = value["payments"].as_array().expect("rows").clone();
        let uetrs: Vec<String> = rows
            .iter()
            .map(|row| row["uetr"].as_str().expect("uetr").to_owned())
            .collect();
        (uetrs, value["more"] == true)
    };
    for code in ["CASP", "HSBK"] {
        assert_eq!(listed(&["--participant", code]), (sent.clone(), false));
        assert_eq!(listed(&[code, "--limit", "3"]), (sent[..3].to_vec(), true));
        // From inclusive, until exclusive.
        let range = [
            "--from",
            &decided[1],
            "--until",
            &decided[3],
            "--participant",
            code,
        ];
        assert_eq!(listed(&range), (sent[1..3].to_vec(), false));
    }
    assert_eq!(listed(&["TSES"]), (vec![], false));
    let refused = on(
        &day.lab,
        &["ctl", "payments", "CASP", "--from", "yesterday"],
    );
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        stdout(&refused).contains("yesterday"),
        "{}",
        stdout(&refused)
    );
}

/// What a replay prints on standard output.
fn replay(lab: &Lab, arguments: &[&str]) -> String {
    let mut all = vec!["replay", "--json"];
    all.extend(arguments);
    let output = on(lab, &all);
    assert!(output.status.success(), "{}", stderr(&output));
    stdout(&output)
}

#[test]
fn any_moment_is_rebuilt_and_two_replays_agree_byte_for_byte() {
    let (_dir, lab) = lab();
    let day = Day::new(lab);
    for number in 0..3 {
        pay(&day, number, "100.00");
    }
    let early = day.ctl(&Request::Snapshot).expect("snapshot")["position"].to_string();
    let before = replay(&day.lab, &["--until", &early]);
    for number in 3..6 {
        pay(&day, number, "1000.00");
    }
    day.ctl(&Request::Snapshot).expect("snapshot");
    pay(&day, 6, "0.50");

    // The end, beside the running switch: what `ctl positions` shows once nothing is under way.
    let end = replay(&day.lab, &[]);
    let state: Value = serde_json::from_str(&end).expect("JSON");
    assert_eq!(state["conserved"], true);
    let positions = day.ctl(&Request::Positions).expect("positions");
    let balances = |value: &Value| -> Vec<(Value, Value)> {
        let rows = value["positions"].as_array().expect("positions");
        rows.iter()
            .map(|row| (row["participant"].clone(), row["balance"].clone()))
            .collect()
    };
    assert_eq!(balances(&state), balances(&positions));

    let time = serde_json::from_str::<Value>(&before).expect("JSON")["time"]
        .as_str()
        .expect("time")
        .to_owned();
    for moment in [vec!["--until", &early], vec!["--until", &time]] {
        let again = replay(&day.lab, &moment);
        assert_eq!(again, before, "{moment:?}");
        let mut whole = moment.clone();
        whole.push("--from-genesis");
        assert_eq!(replay(&day.lab, &whole), before, "{whole:?}");
    }
    assert_ne!(before, end);
    let last = state["position"].to_string();
    for arguments in [vec![], vec!["--from-genesis"]] {
        let mut all = vec!["--until", &last];
        all.extend(arguments);
        assert_eq!(replay(&day.lab, &all), end);
    }
    let text = stdout(&on(&day.lab, &["replay", "--until", &early]));
    assert!(text.contains("CASP") && text.contains("reserved"), "{text}");
    let wrong = on(&day.lab, &["replay", "--until", "noon"]);
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn a_deleted_index_is_rebuilt_from_the_log_at_the_next_start() {
    let (_dir, lab) = lab();
    let mut day = Day::new(lab);
    let sent: Vec<SentPayment> = (0..5).map(|number| pay(&day, number, "7.00")).collect();
    let steps = [
        "received",
        "reserved",
        "forwarded",
        "answered",
        "posted",
        "status",
        "status",
    ];
    let before: Vec<Value> = sent
        .iter()
        .map(|one| complete(&day.lab, &one.uetr, &steps))
        .collect();
    day.ctl(&Request::Stop).expect("stop");
    let (status, story) = day.lab.wait_for_end().expect("ended");
    assert!(status.success(), "{story}");
    fs::remove_dir_all(day.lab.folder().index()).expect("removed");
    day.lab.start_switch().expect("restart");
    day.lab.wait_for_links().expect("links");
    for (one, before) in sent.iter().zip(&before) {
        assert_eq!(complete(&day.lab, &one.uetr, &steps), *before);
        let found = json(&day.lab, &["ctl", "payment", &one.message_id, "--json"]);
        assert_eq!(found["uetr"], one.uetr.as_str());
    }
    let log = fs::read_to_string(day.lab.folder().root().join("switch.log")).expect("log");
    assert!(log.contains("the index is empty"), "{log}");
    assert_eq!(day.differences().expect("books"), Vec::<String>::new());
}
