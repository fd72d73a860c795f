use std::collections::{BTreeMap, BTreeSet};

use torap_domain::CardReason;
use torap_domain::card::ResponseCode;
use torap_iso8583::Dialect;

use super::{ACTIONS_ONLY, CODES_ONLY, PAIRS, action, national};
use crate::codes_card::{Meaning, meaning, response};

const DOCUMENT: &str = include_str!("../../../../docs/cards.md");

fn codes(dialect: &'static Dialect, table: &str) -> Vec<&'static str> {
    let table = dialect.codes().iter().find(|codes| codes.name == table);
    let rows = table.unwrap().rows.iter();
    rows.map(|row| row.code.as_str()).collect()
}

#[test]
fn every_reason_and_every_national_code_has_an_action_code_of_the_dialect() {
    let reasons = CardReason::ALL.iter().map(|reason| response(*reason));
    let mut all: Vec<Vec<u8>> = reasons.map(|code| code.bytes().to_vec()).collect();
    let listed = codes(Dialect::national(), "response");
    all.extend(listed.iter().map(|code| code.as_bytes().to_vec()));
    for class in [1, 2, 3, 4, 5, 6, 8] {
        for code in &all {
            let known = PAIRS.iter().chain(&CODES_ONLY);
            assert!(known.map(|row| row.0).any(|row| row == code.as_slice()));
            let action = format!("{:03}", action(class, code));
            let meaning = Dialect::iso93_bcd().meaning("action", &action);
            assert!(meaning.is_some(), "{code:?} in class {class}: {action}");
        }
    }
}

#[test]
fn every_action_code_of_the_dialect_has_a_national_code() {
    for action in codes(Dialect::iso93_bcd(), "action") {
        let number: u16 = action.parse().unwrap();
        let known = PAIRS.iter().map(|row| row.1);
        let mut known = known.chain(ACTIONS_ONLY.iter().map(|row| row.0));
        assert!(known.any(|row| row == number), "{action} is in no table");
        let code = std::str::from_utf8(national(number)).unwrap();
        let meaning = Dialect::national().meaning("response", code);
        assert!(meaning.is_some(), "{action}: {code}");
    }
}

#[test]
fn pairs_are_pairs_and_no_number_stands_twice() {
    let codes: Vec<&[u8; 2]> = PAIRS.iter().chain(&CODES_ONLY).map(|row| row.0).collect();
    assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len());
    let pairs = PAIRS.iter().map(|row| row.1);
    let actions: Vec<u16> = pairs.chain(ACTIONS_ONLY.iter().map(|row| row.0)).collect();
    assert_eq!(actions.iter().collect::<BTreeSet<_>>().len(), actions.len());
    for (code, number) in PAIRS {
        assert_eq!(action(2, code), number);
        assert_eq!(national(number), code);
    }
}

#[test]
fn an_approval_stays_one_and_nothing_else_becomes_one() {
    let is_approval = |code: &[u8; 2]| {
        let code = ResponseCode::parse(code).unwrap();
        meaning(code) != Meaning::Declined
    };
    for (code, number) in PAIRS.iter().chain(&CODES_ONLY) {
        assert_eq!(is_approval(code), *number < 100, "{number}");
        for class in [1, 2, 3, 4, 5, 6, 8] {
            let back = national(action(class, code.as_slice()));
            assert_eq!(is_approval(code), is_approval(back), "{number} in {class}");
        }
    }
    for number in 0..1000 {
        let accepted = number % 100 == 0 && matches!(number, 300..=800 | 900);
        let approved = number <= 7 || accepted || matches!(number, 303 | 901);
        assert_eq!(is_approval(national(number)), approved, "{number}");
    }
}

#[test]
fn what_nobody_knows_declines() {
    assert_eq!(action(2, b"ZZ"), 100);
    assert_eq!(action(2, b""), 100);
    assert_eq!(national(50), b"05");
    assert_eq!(national(150), b"05");
    assert_eq!(national(250), b"04");
    assert_eq!(national(999), b"96");
}

#[test]
fn the_document_has_the_same_table() {
    let rows = DOCUMENT
        .lines()
        .skip_while(|line| *line != "<!-- actions -->")
        .take_while(|line| *line != "<!-- /actions -->");
    let documented: BTreeMap<String, String> = rows
        .filter_map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let code = cells.first()?.strip_prefix('`')?.strip_suffix('`')?;
            Some((code.to_string(), cells.get(1..)?.join("|")))
        })
        .collect();
    for (code, number) in PAIRS.iter().chain(&CODES_ONLY) {
        let code = std::str::from_utf8(code.as_slice()).unwrap();
        let others = ACTIONS_ONLY.iter().filter(|row| row.1 == code.as_bytes());
        let others: Vec<String> = others.map(|row| format!("{:03}", row.0)).collect();
        let expected = format!("{number:03}|{}", others.join(" "));
        assert_eq!(
            documented.get(code),
            Some(&expected),
            "docs/cards.md should have:\n| `{code}` | {number:03} | {} |",
            others.join(" ")
        );
    }
    assert_eq!(documented.len(), PAIRS.len() + CODES_ONLY.len());
}
