//! A second pair of eyes, as two operators use it.

use serde_json::Value;
use torap_bank::{Seen, WaitFor};
use torap_domain::{Span, Time};
use torap_node::demo::Day;

use crate::program::{lab, stderr, stdout, torap};

struct Bed {
    day: Day,
    dir: String,
}

impl Bed {
    fn run(&self, operator: &str, words: &[&str]) -> (Option<i32>, Value) {
        let mut arguments = vec!["--dir", &self.dir, "ctl", "--json", "--reference", "T-1"];
        arguments.extend_from_slice(&["--operator", operator]);
        arguments.extend_from_slice(words);
        let output = torap(&arguments);
        let text = stdout(&output);
        let value = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{words:?}: {error}: {text}{}", stderr(&output)));
        (output.status.code(), value)
    }

    fn done(&self, operator: &str, words: &[&str]) -> Value {
        let (code, value) = self.run(operator, words);
        assert_eq!(code, Some(0), "{words:?}: {value}");
        value
    }

    /// The place that a refusal names.
    fn refused(&self, operator: &str, words: &[&str]) -> String {
        let (code, value) = self.run(operator, words);
        assert_eq!(code, Some(1), "{words:?}: {value}");
        let place = value["refused"]["place"].as_str();
        place.expect("a place").to_owned()
    }

    /// Puts a change forward; gives the number of the proposal.
    fn proposed(&self, operator: &str, words: &[&str]) -> String {
        let answer = self.done(operator, words);
        assert!(answer["waits_for"].is_string(), "{answer}");
        answer["proposal"].to_string()
    }

    fn position(&self) -> String {
        let positions = self.done("aigerim", &["positions"]);
        let rows = positions["positions"].as_array().expect("rows").iter();
        let mut own = rows.filter(|row| row["participant"] == "HSBK");
        own.next().expect("a position")["balance"].to_string()
    }

    fn hears(&self, status: &str) -> Seen {
        let filter = WaitFor {
            kind: Some("admi.004".into()),
            status: Some(status.into()),
            ..WaitFor::default()
        };
        self.day.wait("HSBK", filter).expect("a notice")
    }
}

/// Far enough for two commands of a slow machine.
const AHEAD: Span = Span::from_secs(8);

fn soon() -> String {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("a clock after 1970");
    let now = u64::try_from(now.as_nanos()).expect("before 2554");
    let at = Time::from_nanos(now).saturating_add(AHEAD);
    at.to_string()
}

#[test]
fn what_one_operator_puts_forward_another_approves_also_after_a_crash() {
    let (_dir, lab) = lab();
    let dir = lab.folder().root().to_string_lossy().into_owned();
    let mut bed = Bed {
        day: Day::new(lab),
        dir,
    };
    assert_eq!(bed.refused("aigerim", &["approval", "cash"]), "families");
    assert_eq!(
        bed.refused("aigerim", &["approval", "money", "--within-hours", "721"]),
        "within_hours"
    );
    bed.done("aigerim", &["approval", "money", "participants"]);

    let before = bed.position();
    let id = bed.proposed("aigerim", &["fund", "HSBK", "10.00"]);
    let scheduled = [
        "--effective",
        &soon(),
        "participant",
        "state",
        "HSBK",
        "active",
    ];
    let later = bed.proposed("aigerim", &scheduled);
    bed.day.lab.kill_switch().expect("killed");
    bed.day.lab.start_switch().expect("started");
    bed.day.lab.wait_for_links().expect("signed on");

    let listed = bed.done("daniyar", &["proposals"]);
    assert_eq!(listed["families"], "money participants");
    assert_eq!(listed["waiting"].as_array().map(Vec::len), Some(2));
    assert_eq!(listed["waiting"][0]["operator"], "aigerim");
    assert_eq!(listed["waiting"][0]["what"], "HSBK in 10.00");
    assert_eq!(bed.refused("Aigerim", &["approve", &id]), "operator");
    assert_eq!(bed.refused("daniyar", &["approve", "1"]), "id");
    assert_eq!(bed.position(), before);

    bed.done("daniyar", &["approve", &id]);
    assert_ne!(bed.position(), before);
    bed.hears("FUND");
    assert_eq!(bed.refused("daniyar", &["approve", &id]), "id");

    bed.done("daniyar", &["reject", &later]);
    let schedule = bed.done("daniyar", &["schedule"]);
    assert_eq!(schedule["waiting"].as_array().map(Vec::len), Some(0));

    // In time it is ordered, takes effect by itself, and the bank is told of it.
    let at = soon();
    let change = [
        "--effective",
        &at,
        "participant",
        "state",
        "HSBK",
        "suspended-debits",
    ];
    let id = bed.proposed("aigerim", &change);
    bed.done("daniyar", &["approve", &id]);
    bed.hears("PART");

    // Nobody takes the rule away alone; what needs none goes as always.
    let off = bed.proposed("aigerim", &["approval"]);
    bed.done("aigerim", &["set", "receiver_within_ms", "5000"]);
    bed.done("daniyar", &["approve", &off]);
    assert_eq!(bed.done("daniyar", &["proposals"])["families"], "");
    bed.done("aigerim", &["fund", "HSBK", "1.00"]);
}
