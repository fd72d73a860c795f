//! Tables that change while cards are used.

use serde_json::json;
use torap_domain::Span;
use torap_node::control::{By, CardShow, Request as ControlRequest};

use super::lab::{CardLab, Keys, purchase};
use crate::program::now;

/// Changes of the table, and transactions sent between one and the next.
const CHANGES: usize = 20;
const BETWEEN: usize = 20;

/// The lab's own ranges, and one that comes and goes.
fn set_bins(lab: &CardLab, round: usize) {
    let tables = json!({ "bin": [
        { "prefix": "999999", "issuer": "ISSB", "local": true, "stand_in": 1 },
        { "prefix": "999998", "issuer": "ISSB", "scheme": 1 },
        { "prefix": format!("{}", 888_000 + round), "issuer": "ACQB" },
    ] });
    let request = ControlRequest::CardSet {
        by: By {
            operator: "test".into(),
            reference: "tables".into(),
        },
        tables: Box::new(serde_json::from_value(tables).expect("tables")),
    };
    lab.client().must(&request).expect("the table is set");
}

fn table_version(lab: &CardLab) -> u64 {
    let version = lab.show(CardShow::Status)["bin_table_version"].take();
    version.as_u64().expect("a number")
}

/// Number of the acquirer's debits in the switch's books.
fn debits(lab: &CardLab) -> usize {
    let sessions = lab.show(CardShow::Sessions);
    let rows = sessions["sessions"].as_array().expect("rows").iter();
    let counts = rows
        .filter(|row| row["participant"] == "ACQB" && row["side"] == "acquirer")
        .filter_map(|row| {
            row["debits"]
                .as_str()?
                .split(' ')
                .next()?
                .parse::<usize>()
                .ok()
        });
    counts.sum::<usize>()
}

#[test]
fn a_bin_table_that_changes_under_traffic_loses_nothing() {
    let lab = CardLab::start(Keys::None);
    let version = table_version(&lab);
    let mut sent = Vec::new();
    for round in 0..CHANGES {
        for number in 0..BETWEEN {
            let card = u32::try_from(number + 1).expect("a small number");
            sent.push(lab.send(purchase(card, "1.00")));
        }
        // While these are on their way.
        set_bins(&lab, round);
    }
    let mut again = 0;
    for one in &sent {
        let code = lab.answer(&one.reference).code.unwrap_or_default();
        // A route that two changes overtook is refused rather than followed; the repeat finds the new one.
        if code == "96" {
            again += 1;
            assert_eq!(lab.again(&one.reference, true, None), "00");
        } else {
            assert_eq!(code, "00", "{}", one.reference);
        }
    }
    assert!(again < sent.len(), "traffic went on between the changes");
    assert_eq!(debits(&lab), sent.len());
    for one in sent.iter().step_by(7) {
        assert_eq!(lab.count("ISSB", "0200", &one.reference), 1);
    }
    assert_eq!(table_version(&lab), version + CHANGES as u64);
    lab.has_no_complaint();
}

/// Every table; `within_ms` of the scheme is the last thing that can be wrong before the BIN table.
fn tables(within_ms: u32, last: &str) -> String {
    format!(
        r#"
[card.settings]
issuer_within_ms = 1400
[[card.stand_in]]
number = 3
services = ["purchase"]
amount_max = "1.00"
day_amount_max = "2.00"
day_count_max = 1
floor = "0.50"
[[card.scheme]]
number = 2
host = "SCHM"
within_ms = {within_ms}
[[card.fee]]
service = "purchase"
switch_acquirer = {{ fixed = "3.00" }}
[[card.lifetime]]
days = {last}
"#
    )
}

#[test]
fn a_file_whose_last_part_is_wrong_changes_nothing() {
    let mut lab = CardLab::start(Keys::None);
    let path = lab.path().join("tables.toml");
    let file = path.to_string_lossy().into_owned();
    let set = |lab: &CardLab, text: String, words: &[&str]| {
        std::fs::write(&path, text).expect("a file");
        let all = [
            &["ctl", "--json", "--reference", "T-1"],
            words,
            &["card", "set", &file],
        ]
        .concat();
        lab.run(&all)
    };
    let before = lab.show(CardShow::Rules);

    // What the file itself gets wrong, and what only the rules of the switch find: a scheme with more time than a whole request.
    let (code, refused) = set(&lab, tables(500, "0"), &[]);
    let text = refused["refused"]["text"].as_str().expect("a text");
    assert!(
        code == Some(1) && text.contains("card.lifetime[0]: days"),
        "{refused}"
    );
    let (code, refused) = set(&lab, tables(60_000, "30"), &[]);
    assert_eq!(code, Some(1), "{refused}");
    assert_eq!(refused["refused"]["place"], "card.scheme 2", "{refused}");
    assert_eq!(refused["refused"]["rule"], "scheme-within");
    assert_eq!(lab.show(CardShow::Rules), before);

    // Right, it is one record, and the log replays to it.
    let (code, done) = set(&lab, tables(500, "30"), &[]);
    assert_eq!(code, Some(0), "{done}");
    assert_eq!(
        done["set"],
        json!(["settings", "stand_in", "scheme", "fee", "lifetime"])
    );
    let after = lab.show(CardShow::Rules);
    assert_eq!(after["issuer_within_ms"], 1400, "{after}");
    assert_eq!(after["stand_in"].as_array().map(Vec::len), Some(2));
    assert_eq!(after["schemes"].as_array().map(Vec::len), Some(2));
    assert_eq!(after["lifetimes"][0]["days"], 30);
    lab.switch.take().expect("a switch").kill();
    lab.start_switch();
    assert_eq!(lab.show(CardShow::Rules), after);

    // A whole file may wait for its time, too.
    let in_a_month = now().saturating_add(Span::from_secs(30 * 24 * 3600));
    let in_a_month = in_a_month.to_string();
    let (code, waits) = set(&lab, tables(500, "31"), &["--effective", &in_a_month]);
    assert_eq!(code, Some(0), "{waits}");
    let schedule = lab.ctl(&["schedule"]).to_string();
    assert!(schedule.contains("card-set-tables"), "{schedule}");
    assert_eq!(lab.show(CardShow::Rules), after);
}
