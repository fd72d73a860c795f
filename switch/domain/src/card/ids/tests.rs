use proptest::prelude::*;

use super::*;

fn time(text: &str) -> Time {
    Time::parse(text).unwrap()
}

#[test]
fn a_card_number_shows_its_ends_only() {
    let pan = TruncatedPan::from_pan(b"9860123456789016").unwrap();
    assert_eq!(pan.to_string(), "986012******9016");
    assert_eq!((pan.first(), pan.last(), pan.length()), (986_012, 9016, 16));
    let short = TruncatedPan::from_pan(b"000012345678").unwrap();
    assert_eq!(short.to_string(), "000012**5678");
    assert_eq!(
        TruncatedPan::from_pan(b"98601234567"),
        Err(CardIdError::Length)
    );
    assert_eq!(
        TruncatedPan::from_pan(b"98601234567x"),
        Err(CardIdError::Digits)
    );
    assert_eq!(TruncatedPan::from_parts(1_000_000, 1, 16), None);
}

#[test]
fn a_prefix_spans_the_numbers_that_begin_with_it() {
    let prefix = Prefix::parse("98601234").unwrap();
    assert_eq!(prefix.span(), (98_601_234_000, 98_601_234_999));
    assert_eq!(prefix.first(), 986_012);
    assert_eq!(prefix.to_string(), "98601234");
    let zeros = Prefix::parse("000012").unwrap();
    assert_eq!(zeros.span(), (1_200_000, 1_299_999));
    assert_eq!(zeros.to_string(), "000012");
    let whole = Prefix::parse("98601234567").unwrap();
    assert_eq!(whole.span(), (98_601_234_567, 98_601_234_567));
    assert_eq!(Prefix::parse("98601"), Err(CardIdError::Length));
    assert_eq!(Prefix::parse("986012345678"), Err(CardIdError::Length));
    assert_eq!(Prefix::parse("98601x"), Err(CardIdError::Digits));
    assert_eq!(Prefix::from_parts(1_000_000, 6), None);
}

#[test]
fn a_trace_number_goes_round_without_zero() {
    let last = Stan::new(Stan::MAX).unwrap();
    assert_eq!(last.next(), Stan(1));
    assert_eq!(Stan(41).next().to_string(), "000042");
    assert_eq!(Stan::new(1_000_000), None);
}

#[test]
fn a_transmission_time_is_in_utc_and_finds_its_year() {
    let now = time("2026-11-21T02:03:04+05:00");
    assert_eq!(Transmission::at(now).to_string(), "1120210304");
    assert_eq!(Transmission::at(now).resolve(now), Some(now));
    let new_year = time("2027-01-01T05:00:01+05:00");
    let before = Transmission::parse(b"1231235959").unwrap();
    assert_eq!(before.resolve(new_year), Some(time("2026-12-31T23:59:59Z")));
    let after = Transmission::parse(b"0101000000").unwrap();
    let eve = time("2026-12-31T23:59:59Z");
    assert_eq!(after.resolve(eve), Some(time("2027-01-01T00:00:00Z")));
    for wrong in [
        &b"1301000000"[..],
        b"0230000000",
        b"0101240000",
        b"0101006000",
        b"0101000060",
    ] {
        assert_eq!(Transmission::parse(wrong), Err(CardIdError::Range));
    }
    assert_eq!(Transmission::parse(b"010100000"), Err(CardIdError::Length));
}

#[test]
fn a_date_without_a_year_is_the_nearest() {
    let near = Date::from_ymd(2026, 1, 3).unwrap();
    let eve = MonthDay::parse(b"1231").unwrap();
    assert_eq!(eve.nearest(near), Date::from_ymd(2025, 12, 31));
    assert_eq!(MonthDay::of(near).nearest(near), Some(near));
    // There is no such day within a year of it.
    let leap = MonthDay::parse(b"0229").unwrap();
    assert_eq!(leap.nearest(near), None);
    assert_eq!(MonthDay::parse(b"0431"), Err(CardIdError::Range));
}

#[test]
fn codes_are_letters_and_digits() {
    assert_eq!(ApprovalCode::from_number(12_345_678).as_str(), "345678");
    assert_eq!(
        ApprovalCode::parse(b"A1B2C3").unwrap().to_string(),
        "A1B2C3"
    );
    assert_eq!(ApprovalCode::parse(b"A1B2C"), Err(CardIdError::Length));
    assert_eq!(
        ApprovalCode::parse(b"A1B2C\n"),
        Err(CardIdError::Characters)
    );
    assert!(ResponseCode::APPROVED.is_approval());
    assert_eq!(ResponseCode::digits(5, 1).unwrap().as_str(), "51");
    assert!(!ResponseCode::parse(b"51").unwrap().is_approval());
    assert_eq!(InstitutionId::parse("00123").unwrap().to_string(), "00123");
    assert_ne!(InstitutionId::parse("00123"), InstitutionId::parse("123"));
    assert_eq!(InstitutionId::parse(""), Err(CardIdError::Length));
}

proptest! {
    #[test]
    fn every_time_is_found_again(seconds in 86_400_u64 * 800..4_000_000_000, off in 0_u64..86_400 * 100) {
        let sent = Time::from_nanos(seconds * 1_000_000_000);
        let seen = Time::from_nanos((seconds + off) * 1_000_000_000);
        prop_assert_eq!(Transmission::at(sent).resolve(seen), Some(sent));
        prop_assert_eq!(Transmission::at(seen).resolve(sent), Some(seen));
        let value = Transmission::at(sent).value();
        prop_assert_eq!(Transmission::from_value(value), Some(Transmission::at(sent)));
    }
}
