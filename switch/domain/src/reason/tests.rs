use super::*;
use std::collections::BTreeSet;

#[test]
fn precedence_is_the_order_of_the_numbers() {
    assert!(
        Reason::ALL
            .windows(2)
            .all(|pair| pair[0] < pair[1] && pair[0].code_number() < pair[1].code_number())
    );
}

#[test]
fn numbers_and_names_lead_back() {
    for reason in Reason::ALL {
        assert_eq!(Reason::from_number(reason.code_number()), Some(*reason));
        assert_eq!(Reason::from_name(reason.name()), Some(*reason));
    }
    let known = (0..=u16::MAX)
        .filter(|number| Reason::from_number(*number).is_some())
        .count();
    assert_eq!(known, Reason::ALL.len());
    assert_eq!(Reason::from_name("unheard-of"), None);
}

#[test]
fn names_are_the_variants_in_kebab_case() {
    for reason in Reason::ALL {
        let mut expect = String::new();
        for character in format!("{reason:?}").chars() {
            if character.is_ascii_uppercase() && !expect.is_empty() {
                expect.push('-');
            }
            expect.push(character.to_ascii_lowercase());
        }
        assert_eq!(reason.name(), expect);
        assert_eq!(reason.to_string(), expect);
    }
}

#[test]
fn every_sentence_is_one_and_its_own() {
    let sentences: BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.text()).collect();
    assert_eq!(sentences.len(), Reason::ALL.len());
    for sentence in sentences {
        assert!(
            sentence.starts_with(char::is_uppercase) && sentence.ends_with('.'),
            "{sentence}"
        );
        assert_eq!(sentence.matches('.').count(), 1, "{sentence}");
    }
}

#[test]
fn stored_numbers_do_not_move() {
    // The journal holds these numbers; a change here breaks every journal written before it.
    let numbers: Vec<u16> = Reason::ALL
        .iter()
        .map(|reason| reason.code_number())
        .collect();
    let expect: Vec<u16> = [
        101..=103,
        111..=113,
        121..=123,
        131..=133,
        141..=145,
        151..=153,
        161..=169,
        171..=176,
        181..=186,
        201..=211,
        221..=223,
        231..=236,
        241..=242,
        251..=260,
        261..=261,
    ]
    .into_iter()
    .flatten()
    .collect();
    assert_eq!(numbers, expect);
    for (reason, number) in [
        (Reason::MalformedMessage, 101),
        (Reason::DuplicateMismatch, 131),
        (Reason::AliasUnknown, 162),
        (Reason::QrAlreadyPaid, 185),
        (Reason::AlreadyReturned, 206),
        (Reason::InsufficientFunds, 223),
        (Reason::SwitchTimeout, 232),
        (Reason::InternalLimit, 261),
    ] {
        assert_eq!(reason.code_number(), number);
    }
}

#[test]
fn who_must_act() {
    assert_eq!(Reason::InsufficientFunds.actor(), Actor::Peer);
    assert_eq!(Reason::SenderSuspended.actor(), Actor::Operator);
    assert_eq!(Reason::Overloaded.actor().to_string(), "us");
}
