//! Tables that change while cards are used.

use serde_json::json;
use torap_node::control::{By, CardShow, Request as ControlRequest};

use super::lab::{CardLab, Keys, purchase};

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
