use super::*;
use crate::Reason;

#[test]
fn precedence_is_the_order_of_the_numbers_and_none_is_a_reason_of_the_instant_rail() {
    let numbers: Vec<u16> = CardReason::ALL
        .iter()
        .map(|reason| reason.code_number())
        .collect();
    assert!(numbers.is_sorted_by(|one, next| one < next));
    for reason in CardReason::ALL {
        assert_eq!(CardReason::from_number(reason.code_number()), Some(*reason));
        assert_eq!(CardReason::from_name(reason.name()), Some(*reason));
        assert_eq!(Reason::from_number(reason.code_number()), None);
        assert!(reason.text().ends_with('.'), "{reason}");
    }
}

#[test]
fn names_are_the_variants_in_kebab_case() {
    for reason in CardReason::ALL {
        let mut expect = String::new();
        for character in format!("{reason:?}").chars() {
            if character.is_ascii_uppercase() && !expect.is_empty() {
                expect.push('-');
            }
            expect.push(character.to_ascii_lowercase());
        }
        assert_eq!(reason.name(), expect);
    }
}
