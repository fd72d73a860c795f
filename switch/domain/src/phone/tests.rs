use super::*;
use proptest::prelude::*;

fn check(text: &str, expect: Result<u64, PhoneError>) {
    assert_eq!(Phone::parse(text).map(Phone::value), expect, "{text:?}");
}

#[test]
fn every_usual_spelling_comes_to_one_form() {
    for text in [
        "+77011234567",
        "+7-7011234567",
        "+7 701 123-45-67",
        "+7 (701) 123 45 67",
        "+7(701)1234567",
        "+7.701.123.45.67",
        "77011234567",
        "7 701 123 45 67",
        "87011234567",
        "8(701)1234567",
        "8 (701) 123-45-67",
        "8-701-123-45-67",
        "7011234567",
        "701 123 45 67",
        "(701) 123-45-67",
        "0077011234567",
        "007 701 123 45 67",
        "+7\u{a0}701\u{a0}123\u{2011}45\u{2011}67",
        "+7 701 123\u{2013}45\u{2013}67",
        " +77011234567 ",
    ] {
        check(text, Ok(77_011_234_567));
    }
    assert_eq!(
        Phone::parse("8(701)1234567").unwrap().to_string(),
        "+77011234567"
    );
}

#[test]
fn the_national_plan() {
    let open = |prefix: u64| Phone::from_value(70_000_000_000 + prefix * 10_000_000).is_some();
    let mobile: Vec<u64> = (0..1000).filter(|prefix| open(*prefix)).collect();
    let expect = [
        700, 701, 702, 705, 706, 707, 708, 747, 760, 761, 762, 763, 764, 771, 775, 776, 777, 778,
        785,
    ];
    assert_eq!(mobile, expect);
}

#[test]
fn names_the_rule_it_refuses_by() {
    for text in [
        "+7701123456A",
        "tel:+77011234567",
        "+7+7011234567",
        "7701+1234567",
        "+7 701 123 45 6٧",
        "7#",
        "++7",
    ] {
        check(text, Err(PhoneError::Characters));
    }
    for text in [
        "",
        "+",
        "701123456",
        "+7701123456",
        "+770112345678",
        "770112345678",
        "00770112345678",
        "12345678901234",
    ] {
        check(text, Err(PhoneError::Length));
    }
    check(&" ".repeat(41), Err(PhoneError::Length));
    for text in [
        "+87011234567",
        "+17011234567",
        "97011234567",
        "0097011234567",
        "+0077011234567",
    ] {
        check(text, Err(PhoneError::Country));
    }
    for text in [
        "+79161234567",
        "+77271234567",
        "87031234567",
        "7041234567",
        "2345678901",
    ] {
        check(text, Err(PhoneError::NotMobile));
    }
}

#[test]
fn only_whole_numbers_are_phones() {
    for value in [0, 7_011_234_567, 87_011_234_567, 177_011_234_567, u64::MAX] {
        assert_eq!(Phone::from_value(value), None, "{value}");
    }
}

const PREFIXES: [&str; 19] = [
    "700", "701", "702", "705", "706", "707", "708", "747", "760", "761", "762", "763", "764",
    "771", "775", "776", "777", "778", "785",
];

proptest! {
    #[test]
    fn any_spelling_of_any_number(
        prefix in proptest::sample::select(&PREFIXES[..]),
        rest in "[0-9]{7}",
        opening in proptest::sample::select(&["+7", "7", "8", "", "007"][..]),
        marks in proptest::collection::vec(proptest::sample::select(&["", "", " ", "-", "(", ") ", ".", "\u{a0}"][..]), 10),
    ) {
        let national = format!("{prefix}{rest}");
        let mut text = opening.to_owned();
        for (digit, mark) in national.chars().zip(marks) {
            text.push_str(mark);
            text.push(digit);
        }
        prop_assume!(text.len() <= PHONE_TEXT_BYTES_MAX);
        let phone = Phone::parse(&text).unwrap();
        prop_assert_eq!(phone.to_string(), format!("+7{national}"));
        prop_assert_eq!(Phone::parse(&phone.to_string()), Ok(phone));
        prop_assert_eq!(Phone::from_value(phone.value()), Some(phone));
    }

    #[test]
    fn any_string_is_read_or_refused(text in "\\PC{0,45}", shaped in "\\+?[0-9() .-]{0,24}") {
        let _ = Phone::parse(&text);
        if let Ok(phone) = Phone::parse(&shaped) {
            prop_assert_eq!(Phone::from_value(phone.value()), Some(phone));
        }
    }
}
