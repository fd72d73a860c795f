//! Delivery versus payment with the simulated depository, liquidity by rule, and the solver on its timer.

use std::{
    fs,
    io::Write,
    time::{Duration, Instant},
};

use serde_json::Value;
use torap_domain::{Span, Time};
use torap_node::demo::Lab;

use crate::program::{lab, stderr, stdout, torap};

/// How long something that comes by itself may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// `torap` on a folder.
struct Folder(String);

impl Folder {
    fn of(lab: &Lab) -> Folder {
        Folder(lab.folder().root().to_string_lossy().into_owned())
    }

    fn run(&self, words: &[&str]) -> (Option<i32>, String) {
        let output = torap(&[&["--dir", &self.0], words].concat());
        let text = format!("{}{}", stdout(&output), stderr(&output));
        (output.status.code(), text)
    }

    fn json(&self, words: &[&str]) -> Value {
        let output = torap(&[&["--dir", &self.0], words].concat());
        let text = stdout(&output);
        assert!(
            output.status.success(),
            "{words:?}: {text}{}",
            stderr(&output)
        );
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{words:?}: {error}: {text}"))
    }

    fn ctl(&self, words: &[&str]) -> Value {
        self.json(&[&["ctl", "--json", "--reference", "T-1"], words].concat())
    }

    fn depository(&self, words: &[&str]) -> Value {
        self.json(&[&["depository", "--json"], words].concat())
    }

    fn block(&self, reference: &str, quantity: &str, amount: &str, expires: &str) -> Value {
        let block = ["block", reference, "KZ0001", quantity];
        let money = ["--seller", "HSBK", "--buyer", "CASP", "--amount", amount];
        self.depository(&[&block[..], &money[..], &["--expires", expires]].concat())
    }

    fn balance(&self, code: &str) -> String {
        let status = self.ctl(&["rtgs", "status"]);
        let rows = status["accounts"].as_array().expect("accounts");
        let row = rows.iter().find(|row| row["participant"] == code);
        row.expect("an account")["balance"]
            .as_str()
            .expect("text")
            .to_owned()
    }

    /// Free securities of a holder, in what `depository show` prints.
    fn free(&self, code: &str) -> u64 {
        let book = self.depository(&["show"]);
        let rows = book["holdings"].as_array().expect("holdings");
        let row = rows.iter().find(|row| row["holder"] == code);
        row.map_or(0, |row| row["free"].as_u64().expect("a number"))
    }
}

fn in_seconds(seconds: u64) -> String {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("a clock after 1970");
    let now = Time::from_nanos(u64::try_from(now.as_nanos()).expect("a clock before 2554"));
    now.saturating_add(Span::from_secs(seconds)).to_string()
}

#[test]
fn securities_wait_for_a_switch_that_was_killed_and_have_one_end() {
    let (_dir, mut lab) = lab();
    let folder = Folder::of(&lab);
    folder.ctl(&["rtgs", "open", "--until", &in_seconds(8 * 3600)]);
    folder.depository(&["issue", "KZ0001", "HSBK", "10"]);
    folder.block("D-1", "6", "100.00", &in_seconds(3600));
    // The buyer has no money: the block stays.
    let book = folder.depository(&["settle", "--once"]);
    assert_eq!(book["blocks"][0]["reference"], "D-1", "{book}");
    assert_eq!(folder.free("HSBK"), 4);

    // The link is dead, and the block stays.
    lab.kill_switch().expect("killed");
    let (code, text) = folder.run(&["depository", "settle", "--once"]);
    assert_eq!(code, Some(1), "{text}");
    assert_eq!(folder.free("HSBK"), 4);
    lab.start_switch().expect("started");

    folder.ctl(&["rtgs", "fund", "CASP", "100.00"]);
    let known = folder.ctl(&["rtgs", "deliveries", "D-1"]);
    assert_eq!(known["deliveries"][0]["state"], "settled", "{known}");
    assert_eq!(folder.balance("HSBK"), "100.00");
    let book = folder.depository(&["settle"]);
    assert_eq!(book["done"][0]["end"], "delivered", "{book}");
    assert_eq!((folder.free("HSBK"), folder.free("CASP")), (4, 6));

    // One whose time is over by the switch's clock is released, though the switch has never heard of it.
    folder.block("D-2", "4", "50.00", "2026-01-01T00:00:00+05:00");
    assert_eq!(folder.free("HSBK"), 0);
    let book = folder.depository(&["settle"]);
    assert_eq!(book["done"][1]["end"], "released", "{book}");
    assert_eq!((folder.free("HSBK"), folder.free("CASP")), (4, 6));
}

#[test]
fn the_queue_is_resolved_by_the_clock_and_a_position_topped_up() {
    let (_dir, mut lab) = lab();
    let folder = Folder::of(&lab);
    let path = lab.folder().configuration();
    let mut file = fs::File::options()
        .append(true)
        .open(path)
        .expect("torap.toml");
    file.write_all(b"\n[settlement]\nresolve_every_s = 1\n")
        .expect("written");
    lab.kill_switch().expect("killed");
    lab.start_switch().expect("started");
    folder.ctl(&["rtgs", "open", "--until", &in_seconds(8 * 3600)]);
    for (from, to) in [("HSBK", "CASP"), ("CASP", "IRTY"), ("IRTY", "HSBK")] {
        folder.ctl(&["rtgs", "pay", from, to, "70000.00", "--id", from]);
    }
    let since = Instant::now();
    while folder.ctl(&["rtgs", "queue"])["waiting"] != 0 {
        assert!(since.elapsed() < PATIENCE, "nobody resolves the queue");
    }

    let position = || {
        let shown = folder.ctl(&["positions"]);
        let rows = shown["positions"].as_array().expect("positions").clone();
        let row = rows.into_iter().find(|row| row["participant"] == "TSES");
        row.expect("a position")["available"]
            .as_str()
            .expect("text")
            .to_owned()
    };
    folder.ctl(&["defund", "TSES", &position()]);
    assert_eq!(position(), "0.00");
    folder.ctl(&[
        "rtgs", "auto", "set", "TSES", "--floor", "10.00", "--target", "25.00",
    ]);
    assert_eq!(
        folder.ctl(&["rtgs", "auto", "show"])["rules"][0]["target"],
        "25.00"
    );
    folder.ctl(&["rtgs", "fund", "TSES", "100.00"]);
    assert_eq!(
        (position(), folder.balance("TSES")),
        ("25.00".into(), "75.00".into())
    );
}
