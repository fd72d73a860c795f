use super::*;
use proptest::prelude::*;

fn check(text: &str, expect: Result<u64, MoneyError>) {
    assert_eq!(
        Money::parse(text, Asset::Kzt).map(Money::minor),
        expect,
        "{text:?}"
    );
}

#[test]
fn reads_plain_decimals() {
    check("15250.00", Ok(1_525_000));
    check("15250", Ok(1_525_000));
    check("15250.5", Ok(1_525_050));
    check("0", Ok(0));
    check("0.01", Ok(1));
    check("007.10", Ok(710));
    check("184467440737095516.15", Ok(u64::MAX));
}

#[test]
fn names_the_rule_it_refuses_by() {
    for text in [
        "", ".", "1.", ".5", "+1", "-1", "1,00", "1 000", "1e3", "1.2.3", " 1", "1 ", "١", "1.a",
    ] {
        check(text, Err(MoneyError::NotDecimal));
    }
    check("1.50000", Err(MoneyError::TooManyDecimals));
    check("1.000", Err(MoneyError::TooManyDecimals));
    check("184467440737095516.16", Err(MoneyError::Overflow));
    check("18446744073709551616", Err(MoneyError::Overflow));
    check(&"9".repeat(10_000), Err(MoneyError::Overflow));
}

#[test]
fn writes_all_decimals() {
    for (minor, expect) in [
        (0, "0.00"),
        (7, "0.07"),
        (100, "1.00"),
        (u64::MAX, "184467440737095516.15"),
    ] {
        let mut out = Vec::new();
        Money::kzt(minor).write_decimal(&mut out);
        assert_eq!(out, expect.as_bytes());
        assert_eq!(Money::kzt(minor).to_string(), format!("{expect} KZT"));
    }
}

#[test]
fn arithmetic_is_checked() {
    let (one, max) = (Money::kzt(1), Money::kzt(u64::MAX));
    assert_eq!(one.checked_add(Money::kzt(2)), Ok(Money::kzt(3)));
    assert_eq!(max.checked_add(one), Err(MoneyError::Overflow));
    assert_eq!(max.checked_sub(one), Ok(Money::kzt(u64::MAX - 1)));
    assert_eq!(
        Money::zero(Asset::Kzt).checked_sub(one),
        Err(MoneyError::Underflow)
    );
}

#[test]
fn asset_codes_are_those_of_iso_4217() {
    assert_eq!(
        (
            Asset::Kzt.code(),
            Asset::Kzt.numeric(),
            Asset::Kzt.decimals()
        ),
        ("KZT", 398, 2)
    );
    assert_eq!(Asset::from_code("KZT"), Some(Asset::Kzt));
    assert_eq!(Asset::from_code("kzt"), None);
    for asset in Asset::ALL {
        assert_eq!(Asset::from_number(asset.number()), Some(asset));
        assert_eq!(
            asset.minor_per_major(),
            10_u64.pow(u32::from(asset.decimals()))
        );
    }
    assert_eq!(Asset::from_number(0), None);
}

proptest! {
    #[test]
    fn round_trip(minor: u64) {
        let mut out = Vec::new();
        Money::kzt(minor).write_decimal(&mut out);
        prop_assert_eq!(Money::parse(std::str::from_utf8(&out).unwrap(), Asset::Kzt), Ok(Money::kzt(minor)));
    }

    #[test]
    fn any_string_is_read_or_refused(text in ".*") {
        let _ = Money::parse(&text, Asset::Kzt);
    }

    #[test]
    fn what_is_read_is_what_is_written(text in "[0-9.+-]{0,24}") {
        if let Ok(money) = Money::parse(&text, Asset::Kzt) {
            let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
            let expect: u128 = format!("{whole}{fraction:0<2}").parse().unwrap();
            prop_assert_eq!(u128::from(money.minor()), expect);
        }
    }
}
