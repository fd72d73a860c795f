//! Card nets in IMTS, the guarantee fund, a drill and a day proved, as the operator uses them.

use serde_json::Value;
use torap_domain::{Span, Time};

use super::lab::{CardLab, Keys, purchase};
use crate::program::{stderr, stdout, torap};

impl CardLab {
    /// `torap` on the lab's folder: exit status and the answer.
    pub(super) fn run(&self, words: &[&str]) -> (Option<i32>, Value) {
        let dir = self.path().to_string_lossy().into_owned();
        let output = torap(&[&["--dir", &dir], words].concat());
        let text = stdout(&output);
        let value = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{words:?}: {error}: {text}{}", stderr(&output)));
        (output.status.code(), value)
    }

    /// `torap ctl`, which must succeed.
    pub(super) fn ctl(&self, words: &[&str]) -> Value {
        let all = [&["ctl", "--json", "--reference", "T-1"], words].concat();
        let (code, value) = self.run(&all);
        assert_eq!(code, Some(0), "{words:?}: {value}");
        value
    }

    fn rows(&self, what: &str, words: &[&str]) -> Vec<Value> {
        let shown = self.ctl(words);
        shown[what].as_array().expect("rows").clone()
    }
}

fn row<'a>(rows: &'a [Value], code: &str) -> &'a Value {
    let row = rows.iter().find(|row| row["participant"] == code);
    row.unwrap_or_else(|| panic!("no {code} in {rows:?}"))
}

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key]
        .as_str()
        .unwrap_or_else(|| panic!("no {key} in {row}"))
}

fn in_hours(hours: u64) -> String {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("a clock after 1970");
    let now = Time::from_nanos(u64::try_from(now.as_nanos()).expect("a clock before 2554"));
    now.saturating_add(Span::from_secs(hours * 3600))
        .to_string()
}

fn approved(lab: &CardLab, amount: &str) {
    assert_eq!(lab.transact(purchase(1, amount)).1, "00");
}

#[test]
fn a_fee_table_is_tried_on_the_day_before_it_is_set() {
    let lab = CardLab::start(Keys::None);
    approved(&lab, "100.00");
    approved(&lab, "50.00");
    let file = lab.path().join("fees.toml");
    let fees = r#"
[[card.fee]]
service = "purchase"
interchange = { percent = "2.0", to = "issuer" }
switch_acquirer = { fixed = "3.00" }
"#;
    std::fs::write(&file, fees).expect("written");
    let file = file.to_string_lossy().into_owned();
    let now = Time::parse(&in_hours(0)).expect("a time");
    let today = torap_domain::Date::from_time(now).to_string();
    let try_it = |file: &str| lab.run(&["ctl", "--json", "tariff", "try", file, "--day", &today]);
    let (code, tried) = try_it(&file);
    assert_eq!(code, Some(0), "{tried}");
    let rows = tried["participants"].as_array().expect("rows").clone();
    let of = |code: &str| {
        let row = row(&rows, code);
        [
            "interchange_in_force",
            "interchange_tried",
            "switch_in_force",
            "switch_tried",
            "difference",
        ]
        .map(|key| text(row, key).to_owned())
    };
    assert_eq!(of("ACQB"), ["1.65", "3.00", "4.00", "6.00", "3.35"]);
    assert_eq!(of("ISSB"), ["-1.65", "-3.00", "0.00", "0.00", "-1.35"]);

    // Once it is set there is no difference for what comes, and the day up to then stays as it was.
    lab.ctl(&["card", "set", &file]);
    approved(&lab, "100.00");
    let (_, tried) = try_it(&file);
    let rows = tried["participants"].as_array().expect("rows").clone();
    assert_eq!(text(row(&rows, "ACQB"), "difference"), "3.35");

    let other = lab.path().join("more.toml");
    std::fs::write(&other, format!("{fees}[card.settings]\nqueue_max = 1\n")).expect("written");
    let dir = lab.path().to_string_lossy().into_owned();
    let other = other.to_string_lossy().into_owned();
    let words = [
        "--dir", &dir, "ctl", "tariff", "try", &other, "--day", &today,
    ];
    let output = torap(&words);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("card: only [[card.fee]]"));
}

#[test]
fn card_nets_wait_for_imts_settle_after_a_crash_and_the_day_reconciles() {
    let mut lab = CardLab::start(Keys::None);
    lab.ctl(&["card", "settlement", "debits-first", "--within", "60"]);
    approved(&lab, "100.00");
    lab.ctl(&["card", "cut-over"]);
    // IMTS is closed: the nets are known and queued.
    let shown = lab.ctl(&["card", "session"]);
    assert_eq!(shown["card_nets"], "debits-first");
    let session = text(&shown["sessions"][0], "session").to_owned();
    assert_eq!(shown["sessions"][0]["stage"], "closed", "{shown}");
    let waiting = shown["waiting"].as_array().expect("rows").clone();
    let issuer = row(&waiting, "ISSB");
    assert_eq!(issuer["state"], "queued", "{shown}");
    let owes = text(issuer, "net").trim_start_matches('-').to_owned();
    let credit = text(row(&waiting, "ACQB"), "net").to_owned();

    // It is taken up when IMTS opens, and waits for the debtor's money, also over a crash.
    lab.ctl(&["rtgs", "open", "--until", &in_hours(8)]);
    let waiting = lab.rows("waiting", &["card", "session", &session]);
    assert_eq!(row(&waiting, "ISSB")["state"], "due");
    lab.switch.take().expect("a switch").kill();
    lab.start_switch();
    let waiting = lab.rows("waiting", &["card", "session", &session]);
    assert_eq!(row(&waiting, "ISSB")["paid"], false);

    lab.ctl(&["rtgs", "fund", "ISSB", &owes]);
    let settled = lab.rows("settled", &["card", "session", &session]);
    assert_eq!(text(row(&settled, "ISSB"), "paid"), owes);
    assert_eq!(text(row(&settled, "ACQB"), "received"), credit);
    let accounts = lab.rows("accounts", &["rtgs", "status"]);
    assert_eq!(row(&accounts, "ISSB")["balance"], "0.00");
    assert_eq!(text(row(&accounts, "ACQB"), "balance"), credit);

    // The day is proved through both doors, while the switch runs.
    let today = &in_hours(0)[..10];
    for words in [
        &["ctl", "--json", "reconcile", "--day", today][..],
        &["reconcile", "--json", "--day", today][..],
    ] {
        let (code, day) = lab.run(words);
        assert_eq!(code, Some(0), "{day}");
        assert_eq!(day["agrees"], true, "{day}");
        let rows = day["participants"].as_array().expect("rows");
        let issuer = row(rows, "ISSB");
        assert_eq!(text(issuer, "central_bank"), owes);
        assert_eq!(text(issuer, "cards"), format!("-{owes}"));
        assert_eq!(issuer["difference"], "0.00");
        assert_eq!(text(row(rows, "ACQB"), "cards"), credit);
    }
}

#[test]
fn a_default_is_drilled_on_a_copy_and_borne_in_its_order() {
    let lab = CardLab::start(Keys::None);
    lab.ctl(&["card", "settlement", "simultaneous", "--within", "1"]);
    lab.ctl(&["rtgs", "open", "--until", &in_hours(8)]);
    lab.ctl(&["rtgs", "fund", "ISSB", "500.00"]);
    lab.ctl(&["rtgs", "fund", "SCHM", "20.00"]);
    lab.ctl(&["guarantee", "require", "SCHM", "20.00"]);
    lab.ctl(&["guarantee", "contribute", "SCHM", "20.00"]);
    lab.ctl(&["guarantee", "contribute", "ISSB", "30.00"]);
    approved(&lab, "100.00");
    let before = lab.run(&["replay", "--json"]).1["position"].clone();

    let (code, drill) = lab.run(&["drill", "--default", "ISSB", "--json"]);
    assert_eq!(code, Some(0), "{drill}");
    assert_eq!(drill["taken_from_its_account_first"], "470.00");
    assert_eq!(drill["paid_from_own_contributions"], "30.00");
    assert_eq!(drill["borne_by_the_fund"], "20.00");
    assert_eq!(drill["conserved"], true);
    let participants = drill["participants"].as_array().expect("rows");
    assert_eq!(text(row(participants, "ISSB"), "paid"), "0.00");
    assert_ne!(text(row(participants, "ACQB"), "lost"), "0.00");
    // Nothing was written, and whoever can pay pays.
    assert_eq!(lab.run(&["replay", "--json"]).1["position"], before);
    lab.ctl(&["card", "cut-over"]);
    let shown = lab.ctl(&["guarantee", "show"]);
    assert_eq!(shown["fund"], "50.00", "{shown}");
    let settled = lab.rows("settled", &["card", "session"]);
    assert_eq!(row(&settled, "ISSB")["short"], "0.00");
    assert_eq!(row(&settled, "ACQB")["lost"], "0.00");
}
