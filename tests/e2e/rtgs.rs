//! IMTS and `torap lsm` as the operator uses them.

use std::{
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use torap_domain::{Span, Time};

use crate::program::{lab, program, stderr, stdout, torap};

/// `torap ctl --json rtgs` in a folder.
struct Operator {
    dir: String,
}

impl Operator {
    fn run(&self, words: &[&str]) -> (Option<i32>, String) {
        let mut arguments = vec!["--dir", &self.dir, "ctl", "--json", "rtgs"];
        arguments.extend_from_slice(words);
        let output = torap(&arguments);
        let text = format!("{}{}", stdout(&output), stderr(&output));
        (output.status.code(), text)
    }

    /// What must succeed.
    fn ok(&self, words: &[&str]) -> Value {
        let with_reference = [words, &["--reference", "T-1"]].concat();
        let (code, text) = self.run(&with_reference);
        assert_eq!(code, Some(0), "{words:?}: {text}");
        serde_json::from_str(&text).expect("JSON")
    }

    /// What the switch must refuse, with the rule.
    fn refused(&self, words: &[&str]) -> String {
        let with_reference = [words, &["--reference", "T-1"]].concat();
        let (code, text) = self.run(&with_reference);
        assert_eq!(code, Some(1), "{words:?}: {text}");
        let answer: Value = serde_json::from_str(&text).expect("JSON");
        answer["refused"]["rule"]
            .as_str()
            .expect("a rule")
            .to_owned()
    }

    fn pay(&self, from: &str, to: &str, amount: &str, id: &str) -> String {
        self.ok(&["pay", from, to, amount, "--id", id])["position"].to_string()
    }

    fn queue(&self) -> Vec<String> {
        let queue = self.ok(&["queue"]);
        let rows = queue["payments"].as_array().expect("payments").clone();
        rows.iter().map(|row| row["id"].to_string()).collect()
    }

    fn end_of(&self, id: &str) -> (String, Value) {
        let done = self.ok(&["done"]);
        let rows = done["payments"].as_array().expect("payments").clone();
        let row = rows
            .iter()
            .find(|row| row["id"].as_u64() == id.parse().ok());
        let row = row.unwrap_or_else(|| panic!("{id} has not ended: {done}"));
        (
            row["status"].as_str().expect("status").to_owned(),
            row["reason"].clone(),
        )
    }

    fn account(&self, code: &str) -> Value {
        let status = self.ok(&["status"]);
        assert_eq!(status["conserved"], true, "{status}");
        let rows = status["accounts"].as_array().expect("accounts");
        let row = rows.iter().find(|row| row["participant"] == code);
        row.expect("an account").clone()
    }
}

fn in_hours(hours: u64) -> String {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("a clock after 1970");
    let now = Time::from_nanos(u64::try_from(now.as_nanos()).expect("a clock before 2554"));
    now.saturating_add(Span::from_secs(hours * 3600))
        .to_string()
}

#[test]
fn a_business_day_of_imts_also_after_a_crash() {
    let (_dir, mut lab) = lab();
    let operator = Operator {
        dir: lab.folder().root().to_string_lossy().into_owned(),
    };
    let pay = ["pay", "HSBK", "CASP", "1.00", "--id", "EARLY"];
    assert_eq!(operator.refused(&pay), "imts-closed");
    let (code, text) = operator.run(&["fund", "HSBK", "1.00"]);
    assert_eq!(code, Some(2), "money without a reference: {text}");

    // The calendar alone: a date is worked, and its hours come from the command line.
    operator.ok(&[
        "hours",
        "--opens",
        "08:30",
        "--cut-off",
        "12:00",
        "--closes",
        "13:00",
    ]);
    operator.ok(&["day", "2099-01-01", "closed"]);
    let status = operator.ok(&["status"]);
    assert_eq!(status["hours"], "08:30 12:00 13:00");
    assert_eq!(status["dates"][0]["date"], "2099-01-01");
    let (code, text) = operator.run(&["hours", "--opens", "8:30"]);
    assert_eq!(code, Some(1), "{text}");
    operator.ok(&["hours", "--none"]);
    operator.ok(&["open", "--until", &in_hours(8)]);
    operator.ok(&["fund", "HSBK", "1000.00"]);
    let settled = operator.pay("HSBK", "CASP", "300.00", "ONE");
    assert_eq!(operator.end_of(&settled).0, "settled");
    let again = ["pay", "HSBK", "CASP", "300.00", "--id", "ONE"];
    assert_eq!(operator.refused(&again), "duplicate-replay");

    // Reserved, limited, without funds: each waits for another reason.
    operator.ok(&["reserve", "HSBK", "600.00"]);
    let reserved = operator.pay("HSBK", "TSES", "200.00", "TWO");
    operator.ok(&["limit", "CASP", "--towards", "IRTY", "--amount", "10.00"]);
    let limited = operator.pay("CASP", "IRTY", "50.00", "THREE");
    let poor = operator.pay("TSES", "IRTY", "999.00", "FOUR");
    let last = operator.pay("TSES", "IRTY", "1.00", "FIVE");
    let mut expected = vec![
        reserved.clone(),
        limited.clone(),
        poor.clone(),
        last.clone(),
    ];
    let mut listed = operator.queue();
    expected.sort();
    listed.sort();
    assert_eq!(listed, expected);

    // A crash loses nothing of it.
    lab.kill_switch().expect("killed");
    lab.start_switch().expect("started");
    let mut listed = operator.queue();
    listed.sort();
    assert_eq!(listed, expected);

    operator.ok(&["reserve", "HSBK", "0.00"]);
    assert_eq!(operator.end_of(&reserved).0, "settled");
    operator.ok(&["limit", "CASP", "--towards", "IRTY"]);
    assert_eq!(operator.end_of(&limited).0, "settled");
    operator.ok(&["prioritise", &last, "high"]);
    assert_eq!(operator.end_of(&last).0, "settled");
    operator.ok(&["withdraw", &poor]);
    assert_eq!(operator.end_of(&poor).0, "withdrawn");
    assert_eq!(
        operator.refused(&["to-head", &poor]),
        "queued-payment-unknown"
    );

    operator.ok(&["credit-line", "IRTY", "500.00"]);
    let borrowed = operator.pay("IRTY", "HSBK", "151.00", "SIX");
    assert_eq!(operator.end_of(&borrowed).0, "settled");
    assert_eq!(operator.account("IRTY")["balance"], "-100.00");
    let unfunded = operator.pay("TSES", "HSBK", "100000.00", "SEVEN");
    operator.ok(&["close"]);
    let (status, reason) = operator.end_of(&unfunded);
    assert_eq!(
        (status.as_str(), &reason),
        ("rejected", &"insufficient-funds".into())
    );
    assert_eq!(
        operator.account("IRTY")["balance"],
        "0.00",
        "repaid from its position"
    );
}

#[test]
fn a_circle_is_resolved_on_demand() {
    let (_dir, lab) = lab();
    let operator = Operator {
        dir: lab.folder().root().to_string_lossy().into_owned(),
    };
    operator.ok(&["open", "--until", &in_hours(1)]);
    assert_eq!(operator.ok(&["resolve"])["settled"], 0);
    for (from, to) in [("HSBK", "CASP"), ("CASP", "IRTY"), ("IRTY", "HSBK")] {
        operator.pay(from, to, "70000.00", from);
    }
    // A payment that nobody can settle, in front of one that somebody can.
    operator.pay("TSES", "CASP", "900000.00", "LARGE");
    operator.pay("TSES", "HSBK", "5.00", "SMALL");
    operator.ok(&["fund", "TSES", "5.00"]);
    let solved = operator.ok(&["resolve"]);
    assert_eq!(
        (&solved["settled"], &solved["amount"]),
        (&3.into(), &"210000.00".into())
    );
    assert_eq!(operator.queue().len(), 2);
    assert_eq!(operator.ok(&["resolve"])["settled"], 0);
    assert_eq!(operator.ok(&["resolve", "--rule", "bypass"])["settled"], 1);
    assert_eq!(operator.queue().len(), 1);
    // What the solver found stands in the log, however fast it is read.
    let replay = ["--dir", &operator.dir, "replay", "--json", "--from-genesis"];
    let plain = torap(&replay);
    assert!(plain.status.success(), "{}", stderr(&plain));
    assert_eq!(with_little_cpu(&replay), stdout(&plain));
}

/// What the program prints when it may run for one millisecond of every ten.
fn with_little_cpu(arguments: &[&str]) -> String {
    let mut child = Command::new(program())
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()
        .expect("torap runs");
    let pid = Pid::from_child(&child);
    while child.try_wait().expect("a child").is_none() {
        kill_process(pid, Signal::STOP).expect("stopped");
        thread::sleep(Duration::from_millis(9));
        kill_process(pid, Signal::CONT).expect("continued");
        thread::sleep(Duration::from_millis(1));
    }
    let output = child.wait_with_output().expect("it ended");
    assert!(output.status.success());
    stdout(&output)
}

#[test]
fn lsm_prints_json_and_tells_wrong_input_from_wrong_use() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("queue.json");
    let run = |text: &str, words: &[&str]| {
        std::fs::write(&path, text).expect("written");
        let file = path.to_string_lossy();
        let output = torap(&[&["lsm"], words, &[&file]].concat());
        (output.status.code(), stdout(&output), stderr(&output))
    };
    let circle = r#"{"banks":[{"id":"A","balance":0},{"id":"B","balance":0}],"payments":[
        {"id":"p1","from":"A","to":"B","amount":10,"priority":"high"},
        {"id":"p2","from":"B","to":"A","amount":10,"priority":"normal"}]}"#;
    for rule in ["fifo", "bypass"] {
        let (code, printed, _) = run(circle, &["--rule", rule]);
        assert_eq!(code, Some(0));
        let printed: Value = serde_json::from_str(&printed).expect("JSON");
        assert_eq!(printed["settled"], serde_json::json!(["p1", "p2"]));
        assert_eq!(
            (&printed["count"], &printed["value"]),
            (&2.into(), &20.into())
        );
    }
    let (code, printed, complaint) = run(&circle.replace("\"to\":\"A\"", "\"to\":\"X\""), &[]);
    assert_eq!((code, printed.as_str()), (Some(1), ""));
    assert!(
        complaint.contains("payments[1].to: no bank `X` is listed"),
        "{complaint}"
    );
    assert_eq!(run(circle, &["--rule", "magic"]).0, Some(2));
    assert_eq!(torap(&["lsm", "/nowhere/at/all"]).status.code(), Some(2));
}
