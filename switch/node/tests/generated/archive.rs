//! Old segments move to the archive and expire beside a running switch, and everything says so that needs to.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use serde_json::Value;
use torap_node::folder::Folder;

use crate::bed;

const PROGRAM: &str = env!("CARGO_BIN_EXE_torap");
/// Small segments, all ports of the system's choice, a day's patience.
const CONFIGURATION: &str = "[listen]\niso20022 = \"127.0.0.1:0\"\nmetrics = \"127.0.0.1:0\"\n\n[journal]\nsegment_mib = 17\n\
    archive_dir = \"archive\"\narchive_after_days = 1\nkeep_days = 1\n";
/// Enough for a few segments of 17 MiB.
const PAYMENTS: u64 = 90_000;

/// A running `torap serve`, killed when dropped.
struct Switch(Child);

impl Switch {
    fn start(root: &Path) -> Switch {
        let mut child = Command::new(PROGRAM)
            .arg("--dir")
            .arg(root)
            .arg("serve")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("torap runs");
        let out = child.stdout.take().expect("standard output");
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line).expect("a line");
        assert!(line.contains("\"ready\":true"), "it does not start: {line}");
        Switch(child)
    }

    fn stop(mut self, root: &Path) {
        assert!(torap(root, &["ctl", "stop"]).status.success());
        assert!(self.0.wait().expect("ended").success());
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn torap(root: &Path, arguments: &[&str]) -> Output {
    Command::new(PROGRAM)
        .arg("--dir")
        .arg(root)
        .args(arguments)
        .output()
        .expect("torap runs")
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn json(root: &Path, arguments: &[&str]) -> Value {
    let output = torap(root, arguments);
    assert!(output.status.success(), "{}", text(&output));
    serde_json::from_slice(&output.stdout).expect("one JSON line")
}

fn segments(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("listed")
        .map(|entry| {
            entry
                .expect("entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .filter(|name| name.ends_with(".seg"))
        .collect();
    names.sort();
    names
}

#[test]
fn segments_move_and_expire_beside_a_running_switch_and_the_chain_still_verifies() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let root = folder.path();
    fs::write(root.join("torap.toml"), CONFIGURATION).expect("written");
    bed::run(root, PAYMENTS, PAYMENTS / 10, &mut || {}).expect("generated");
    let journal = Folder::choose(Some(root)).journal();
    let before = segments(&journal);
    assert!(before.len() >= 4, "{before:?}");
    let replayed = json(root, &["replay", "--json"]);

    let switch = Switch::start(root);
    let first = |arguments: &[&str]| json(root, arguments)["steps"][0]["what"].clone();
    let oldest = ["ctl", "payment", "CASP:T0", "--json"];
    assert_eq!(first(&oldest), "received");
    let moved = json(root, &["ctl", "journal", "archive", "--json"]);
    let archived = segments(&root.join("archive"));
    assert_eq!(moved["moved"], serde_json::json!(archived));
    assert_eq!(archived, before[..archived.len()]);
    assert!(!archived.is_empty());
    assert_eq!(
        first(&oldest),
        "received",
        "the reader finds it in the archive"
    );
    for verb in ["verify", "stat"] {
        let output = torap(root, &["journal", verb]);
        assert!(output.status.success(), "{}", text(&output));
        assert!(!text(&output).contains("damaged"));
    }

    // Nothing may go while one snapshot alone stands for the state.
    let expire = ["ctl", "journal", "expire", "--json"];
    let refused = torap(root, &expire);
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused));
    assert!(
        text(&refused).contains("two snapshots"),
        "{}",
        text(&refused)
    );
    assert!(torap(root, &["ctl", "snapshot"]).status.success());
    // The banks have never signed on: what they lack is kept.
    let kept = json(root, &expire);
    assert_eq!(kept["expired"], serde_json::json!([]));
    assert!(kept["needs"].to_string().contains("HSBK"), "{kept}");
    let without = [&expire[..], &["--without", "CASP", "--without", "HSBK"]].concat();
    let dry = json(root, &[&without[..], &["--dry-run"]].concat());
    assert_eq!(segments(&root.join("archive")), archived, "only said");
    let gone = json(root, &without);
    assert_eq!(gone["expired"], dry["expired"]);
    let expired = gone["expired"].as_array().expect("names").len();
    assert!(expired > 0, "{gone}");
    assert_eq!(segments(&root.join("archive")), archived[expired..]);

    // What is left verifies, and what is gone is said to have expired.
    let verified = torap(root, &["journal", "verify"]);
    assert!(verified.status.success(), "{}", text(&verified));
    let begins = gone["log_begins"].as_u64().expect("a position");
    let history = json(root, &oldest);
    assert_eq!(history["outcome"], "settled", "the index still knows it");
    assert_eq!(history["steps"][0]["what"], "gone");
    assert!(
        history["steps"][0].to_string().contains("has expired"),
        "{history}"
    );
    let dump = torap(
        root,
        &[
            "journal",
            "dump",
            "--from",
            "1",
            "--to",
            &begins.to_string(),
        ],
    );
    assert!(dump.status.success(), "{}", text(&dump));
    switch.stop(root);

    // A start goes on from the snapshots; what needs the beginning is refused with what is missing.
    let again = json(root, &["replay", "--json"]);
    assert_eq!(again["positions"], replayed["positions"]);
    let whole = torap(root, &["replay", "--from-genesis"]);
    assert_eq!(whole.status.code(), Some(1));
    let missing = format!("records 1 to {}", begins - 1);
    assert!(text(&whole).contains(&missing), "{}", text(&whole));
    Switch::start(root).stop(root);
    fs::remove_dir_all(Folder::choose(Some(root)).index()).expect("removed");
    let refused = torap(root, &["serve"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        text(&refused).contains(&missing) && text(&refused).contains("alias directory"),
        "{}",
        text(&refused)
    );
}

#[test]
fn the_tool_moves_segments_while_no_switch_runs() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let root = folder.path();
    fs::write(root.join("torap.toml"), CONFIGURATION).expect("written");
    bed::run(root, PAYMENTS / 2, 1_000, &mut || {}).expect("generated");
    let journal = Folder::choose(Some(root)).journal();
    let before = segments(&journal);
    let before_replay = json(root, &["replay", "--json", "--from-genesis"]);
    let elsewhere = root.join("tapes");
    let elsewhere = elsewhere.to_string_lossy();
    let moved = torap(root, &["journal", "--archive", &elsewhere, "archive"]);
    assert!(moved.status.success(), "{}", text(&moved));
    assert_eq!(segments(&journal), before[before.len() - 1..]);
    let stat = torap(root, &["journal", "--archive", &elsewhere, "stat"]);
    for name in &before {
        assert!(text(&stat).contains(name), "{}", text(&stat));
    }
    let replayed = [
        "replay",
        "--json",
        "--from-genesis",
        "--archive",
        &elsewhere,
    ];
    assert_eq!(json(root, &replayed), before_replay);
    let refused = torap(root, &["replay", "--from-genesis"]);
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused));
}
