use super::*;
use proptest::prelude::*;

fn check(text: &str, expect: Result<(), IdError>) {
    assert_eq!(
        TransactionId::parse(text).map(|id| assert_eq!(id.as_str(), text)),
        expect,
        "{text:?}"
    );
}

#[test]
fn reads_the_allowed_set() {
    check("a", Ok(()));
    check("TX-2026/11_21?:(1).,'+ x", Ok(()));
    check(&"x".repeat(35), Ok(()));
}

#[test]
fn names_the_rule_it_refuses_by() {
    check("", Err(IdError::Empty));
    check(&"x".repeat(36), Err(IdError::TooLong));
    for text in [
        "a\tb", "a\nb", "a&b", "a<b", "Ж", "a\"b", "a#b", "a\u{a0}b", "a\0",
    ] {
        check(text, Err(IdError::Characters));
    }
    for text in [" a", "a ", " "] {
        check(text, Err(IdError::Blank));
    }
}

#[test]
fn formats_without_allocating() {
    assert_eq!(
        MessageId::format(format_args!("TORAP-{:012}", 42))
            .unwrap()
            .as_str(),
        "TORAP-000000000042"
    );
    assert_eq!(
        MessageId::format(format_args!("{:040}", 1)),
        Err(IdError::TooLong)
    );
    assert_eq!(
        MessageId::format(format_args!("<{}>", 1)),
        Err(IdError::Characters)
    );
}

#[test]
fn numbers_count_up_to_their_end() {
    assert_eq!(Position::ZERO.next(), Position::FIRST);
    assert_eq!(Position(u64::MAX).next(), Position(u64::MAX));
    assert_eq!(Sequence::ZERO.next(), Sequence::new(1));
    assert_eq!(
        (ParticipantId::SWITCH.index(), ParticipantId::new(7).value()),
        (0, 7)
    );
    assert!(Epoch(1) < Epoch(2));
    assert_eq!(Position(12).to_string(), "12");
}

proptest! {
    #[test]
    fn round_trip(text in "[0-9A-Za-z/?:().,'+_-]([0-9A-Za-z/?:().,'+ _-]{0,33}[0-9A-Za-z/?:().,'+_-])?") {
        let id = EndToEndId::parse(&text).unwrap();
        prop_assert_eq!(id.to_string(), &text[..]);
        prop_assert_eq!(id.as_bytes(), text.as_bytes());
    }

    #[test]
    fn any_string_is_read_or_refused(text in ".{0,40}") {
        let _ = QrId::parse(&text);
    }
}
