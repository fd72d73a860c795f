use super::*;
use proptest::prelude::*;

fn check(text: &str, expect: Result<(), BicError>) {
    assert_eq!(
        Bic::parse(text).map(|bic| assert_eq!(bic.as_str(), text)),
        expect,
        "{text:?}"
    );
}

#[test]
fn reads_both_lengths() {
    for text in [
        "CASPKZKA",
        "HSBKKZKX",
        "IRTYKZKA",
        "TSESKZKA",
        "CASPKZKAXXX",
        "1A2BKZ34567",
    ] {
        check(text, Ok(()));
    }
}

#[test]
fn names_the_rule_it_refuses_by() {
    for text in ["", "CASPKZK", "CASPKZKAX", "CASPKZKAXXXX"] {
        check(text, Err(BicError::Length));
    }
    for text in ["caspKZKA", "CASP1ZKA", "CASPKZK ", "CASPKZKAxxx", "CASPKZЖ"] {
        check(text, Err(BicError::Characters));
    }
}

#[test]
fn a_branch_is_of_the_same_institution() {
    let [head, branch, other] =
        ["CASPKZKA", "CASPKZKA001", "HSBKKZKX"].map(|text| Bic::parse(text).unwrap());
    assert!(head.same_institution(&branch) && branch.same_institution(&head));
    assert!(!head.same_institution(&other));
    assert_ne!(head, branch);
    assert_eq!((branch.institution(), branch.country()), ("CASPKZKA", "KZ"));
}

proptest! {
    #[test]
    fn reads_whatever_the_schema_pattern_allows(text in "[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?") {
        prop_assert_eq!(Bic::parse(&text).unwrap().to_string(), text);
    }

    #[test]
    fn any_string_is_read_or_refused(text in "\\PC{0,12}") {
        let _ = Bic::parse(&text);
    }
}
