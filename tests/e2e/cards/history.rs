//! A card transaction is found by every name that a bank's support desk has, with all that happened, and nothing of the card.

use serde_json::Value;
use torap_bank::card::Request;
use torap_node::control::Request as ControlRequest;

use super::lab::{CardLab, Keys, purchase};

fn history(lab: &CardLab, id: &str) -> Value {
    lab.told(&ControlRequest::CardTransaction { id: id.into() })
}

fn steps(history: &Value) -> Vec<(String, String)> {
    let rows = history["steps"].as_array().expect("steps").iter();
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    rows.map(|row| (text(row, "what"), text(row, "who")))
        .collect()
}

/// Of a line: the day of DE7, and DE11.
fn trace(history: &Value, what: &str) -> String {
    let rows = history["steps"].as_array().expect("steps");
    let row = rows
        .iter()
        .find(|row| row["what"] == what)
        .unwrap_or_else(|| panic!("no {what}: {history}"));
    let detail = row["detail"].as_str().expect("text");
    let trace = detail.split(' ').find(|word| word.contains('/'));
    let (transmitted, stan) = trace.and_then(|trace| trace.split_once('/')).expect(detail);
    format!("{}/{stan}", &transmitted[..4])
}

#[test]
fn a_transaction_is_found_by_every_name_and_after_the_index_was_deleted() {
    let mut lab = CardLab::start(Keys::None);
    let (reference, code) = lab.transact(purchase(1, "100.00"));
    assert_eq!(code, "00");
    let approved = [
        ("received", "ACQB"),
        ("asked-issuer", "ISSB"),
        ("answered", "ISSB"),
        ("approved", "TORAP"),
        ("posted", "TORAP"),
        ("answered-acquirer", "ACQB"),
    ];
    let owned = |rows: &[(&str, &str)]| -> Vec<(String, String)> {
        let rows = rows.iter();
        rows.map(|(what, who)| ((*what).into(), (*who).into()))
            .collect()
    };
    let by_retrieval = history(&lab, &format!("ACQB:{reference}"));
    assert_eq!(steps(&by_retrieval), owned(&approved), "{by_retrieval}");
    assert_eq!(by_retrieval["outcome"], "approved");
    assert_eq!(by_retrieval["amount"], "100.00");

    // By what the acquirer and the issuer know it by, and by the positions of request and answer.
    let acquirer_s = trace(&by_retrieval, "received");
    let issuer_s = trace(&by_retrieval, "asked-issuer");
    let rows = by_retrieval["steps"].as_array().expect("steps");
    for name in [
        format!("ACQB:{acquirer_s}"),
        format!("ISSB:{issuer_s}"),
        rows[0]["position"].to_string(),
        rows[2]["position"].to_string(),
    ] {
        assert_eq!(history(&lab, &name), by_retrieval, "{name}");
    }
    for (name, expect) in [
        ("ACQB:999999999999", "no card transaction"),
        ("ISSB:1121/999999", "no card transaction"),
        ("NOBODY:1", "NOBODY"),
        ("ACQB:1121/x", "CODE:MMDD/DE11"),
        ("1000000000", "no card transaction"),
    ] {
        let request = ControlRequest::CardTransaction { id: name.into() };
        let refused = lab.client().ask(&request).expect("an answer");
        let text = refused.expect_err("refused").text;
        assert!(text.contains(expect), "{name}: {text}");
    }

    // Its reversal belongs to it, with the letter to the issuer and its acknowledgement.
    lab.ask(
        "ACQB",
        Request::Reverse {
            reference: reference.clone(),
            stands: None,
            request: false,
        },
    );
    lab.hears("ISSB", "0420", &reference);
    let reversed = loop {
        let found = history(&lab, &format!("ACQB:{reference}"));
        if steps(&found).iter().any(|(what, _)| what == "acknowledged") {
            break found;
        }
    };
    assert_eq!(reversed["outcome"], "reversed");
    let told = steps(&reversed);
    for step in [
        ("reversed", "TORAP"),
        ("posted-back", "TORAP"),
        ("reversed-at-issuer", "ISSB"),
        ("replied", "ACQB"),
        ("acknowledged", "ISSB"),
    ] {
        assert!(told.contains(&owned(&[step])[0]), "{step:?}: {told:?}");
    }

    // Everything of it is masked.
    let text = reversed.to_string();
    let card = torap_bank::card::TestCard::new(super::lab::LOCAL, 1).expect("a card");
    assert!(!text.contains(card.pan()) && !text.contains(card.track2()));
    let messages = reversed["messages"].as_array().expect("messages");
    let shown = messages[0]["message"]["fields"]["2"].as_str();
    assert!(
        shown.is_some_and(|shown| shown.contains("******")),
        "{text}"
    );

    // The index is a projection: deleted, it is written again with these names.
    lab.switch.take().expect("a switch").kill();
    std::fs::remove_dir_all(lab.path().join("data/index")).expect("an index");
    lab.start_switch();
    assert_eq!(history(&lab, &format!("ISSB:{issuer_s}")), reversed);
}
