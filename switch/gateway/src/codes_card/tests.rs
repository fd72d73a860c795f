use std::collections::BTreeMap;

use torap_domain::CardReason;
use torap_domain::card::ResponseCode;
use torap_iso8583::Dialect;

use super::{Meaning, meaning, response};

const DOCUMENT: &str = include_str!("../../../../docs/outcomes-cards.md");

#[test]
fn the_document_has_the_same_table() {
    let rows = DOCUMENT
        .lines()
        .skip_while(|line| *line != "<!-- codes -->")
        .take_while(|line| *line != "<!-- /codes -->");
    let documented: BTreeMap<&str, &str> = rows
        .filter_map(|line| {
            let mut cells = line
                .trim_matches('|')
                .split('|')
                .map(|cell| cell.trim().trim_matches('`'));
            let (reason, code) = (cells.next()?, cells.next()?);
            CardReason::from_name(reason)?;
            Some((reason, code))
        })
        .collect();
    for reason in CardReason::ALL {
        assert_eq!(
            documented.get(reason.name()),
            Some(&response(*reason).as_str()),
            "docs/outcomes-cards.md should have:\n| `{reason}` | `{}` |",
            response(*reason)
        );
    }
    assert_eq!(documented.len(), CardReason::ALL.len());
}

#[test]
fn every_code_has_a_meaning_in_the_national_dialect() {
    for reason in CardReason::ALL {
        let code = response(*reason);
        let meaning = Dialect::national().meaning("response", code.as_str());
        assert!(meaning.is_some(), "{reason}: {code} is not in the table");
    }
}

#[test]
fn no_reason_looks_like_an_approval() {
    for reason in CardReason::ALL {
        assert_eq!(meaning(response(*reason)), Meaning::Declined, "{reason}");
    }
}

#[test]
fn what_nobody_knows_declines() {
    for (code, expected) in [
        (b"00", Meaning::Approved),
        (b"85", Meaning::Approved),
        (b"10", Meaning::Part),
        (b"08", Meaning::Declined),
        (b"ZZ", Meaning::Declined),
    ] {
        assert_eq!(meaning(ResponseCode::parse(code).unwrap()), expected);
    }
}
