//! Changes with an effective time, as the operator orders them.

use serde_json::Value;
use torap_domain::{Span, Time};

use crate::program::{lab, stderr, stdout, torap};

fn time(ahead: Span) -> String {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("a clock after 1970");
    let now = Time::from_nanos(u64::try_from(now.as_nanos()).expect("a clock before 2554"));
    now.saturating_add(ahead).to_string()
}

/// `torap ctl --json` in a folder, which must succeed.
fn ctl_json(dir: &str, words: &[&str]) -> Value {
    let mut arguments = vec!["--dir", dir, "ctl", "--json", "--reference", "T-1"];
    arguments.extend_from_slice(words);
    let output = torap(&arguments);
    let (answer, complaint) = (stdout(&output), stderr(&output));
    assert!(output.status.success(), "{words:?}: {answer}{complaint}");
    serde_json::from_str(&answer).expect("JSON")
}

#[test]
fn settings_tell_what_may_be_recalled_as_it_was_last_changed() {
    let (_dir, lab) = lab();
    let dir = lab.folder().root().to_string_lossy().into_owned();
    let days = |row: &Value, name: &str| row[name].as_u64().map(|millis| millis / 86_400_000);
    let rule = || {
        let settings = ctl_json(&dir, &["settings"]);
        let rules = settings["recall_rules"].as_array().expect("rules").clone();
        let row = rules.iter().find(|row| row["reason"] == "TECH");
        let row = row.expect("a rule for TECH");
        (days(row, "window_ms"), days(row, "answer_within_ms"))
    };
    assert_eq!(rule(), (Some(14), Some(21)));
    let change = [
        "recall-rule",
        "TECH",
        "--window-days",
        "7",
        "--answer-days",
        "3",
    ];
    ctl_json(&dir, &change);
    assert_eq!(rule(), (Some(7), Some(3)));
}

#[test]
fn what_the_switch_remembers_is_set_within_its_range_and_holds_after_a_restart() {
    let (_dir, mut lab) = lab();
    let dir = lab.folder().root().to_string_lossy().into_owned();
    let window = || ctl_json(&dir, &["settings"])["duplicate_window_entries"].clone();
    assert_eq!(window(), 16_777_216);
    for (value, most) in [("0", 33_554_432), ("33554433", 33_554_432)] {
        let words = ["--dir", &dir, "ctl", "--reference", "T-1", "set"];
        let output = torap(&[&words[..], &["duplicate_window_entries", value]].concat());
        assert_eq!(output.status.code(), Some(1));
        let complaint = stdout(&output) + &stderr(&output);
        let rule = format!("1 to {most}");
        assert!(
            complaint.contains("duplicate_window_entries") && complaint.contains(&rule),
            "{complaint}"
        );
    }
    ctl_json(&dir, &["set", "duplicate_window_entries", "1000000"]);
    assert_eq!(window(), 1_000_000);
    lab.kill_switch().expect("killed");
    lab.start_switch().expect("started");
    assert_eq!(window(), 1_000_000);
}

#[test]
fn a_change_waits_for_its_time_and_can_be_withdrawn() {
    let (_dir, lab) = lab();
    let dir = lab.folder().root().to_string_lossy().into_owned();
    let ctl = |words: &[&str]| {
        let mut arguments = vec!["--dir", &dir, "ctl", "--json", "--reference", "T-1"];
        arguments.extend_from_slice(words);
        torap(&arguments)
    };
    let json = |words: &[&str]| ctl_json(&dir, words);
    let code = json(&["participant", "list"])[0]["code"]
        .as_str()
        .expect("code")
        .to_owned();
    let state = || {
        let list = json(&["participant", "list"]);
        let rows = list.as_array().expect("a list");
        let row = rows
            .iter()
            .find(|row| row["code"] == code.as_str())
            .expect("the participant");
        row["state"].as_str().expect("state").to_owned()
    };

    let past = ctl(&[
        "--effective",
        "2020-01-01T00:00:00+05:00",
        "participant",
        "state",
        &code,
        "closing",
    ]);
    assert_eq!(past.status.code(), Some(1), "{}", stdout(&past));
    let at = time(Span::from_secs(3600));
    let now_only = ctl(&[
        "--effective",
        &at,
        "directory",
        "release",
        "+77010000001",
        "900101300017",
    ]);
    assert_eq!(now_only.status.code(), Some(1), "{}", stdout(&now_only));

    let withdrawn = json(&["--effective", &at, "participant", "state", &code, "closing"]);
    let id = withdrawn["position"].to_string();
    let soon = time(Span::from_millis(1500));
    let ordered = json(&[
        "--effective",
        &soon,
        "participant",
        "state",
        &code,
        "suspended-debits",
    ]);
    let waiting = json(&["schedule"]);
    assert_eq!(
        waiting["waiting"].as_array().map(Vec::len),
        Some(2),
        "{waiting}"
    );
    assert_eq!(waiting["waiting"][1]["reference"], "T-1");
    json(&["withdraw", &id]);
    assert_eq!(ctl(&["withdraw", &id]).status.code(), Some(1));

    // The switch tells when it is done; nothing here measures time.
    let done = loop {
        let schedule = json(&["schedule"]);
        if schedule["done"]
            .as_array()
            .is_some_and(|done| !done.is_empty())
        {
            break schedule;
        }
    };
    assert_eq!(done["done"][0]["id"], ordered["position"]);
    assert_eq!(done["done"][0]["refused"], Value::Null);
    assert_eq!(done["waiting"].as_array().map(Vec::len), Some(0));
    assert_eq!(state(), "suspended-debits");
}
