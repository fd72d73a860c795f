use super::{amount, time};

#[test]
fn times_are_nanoseconds_since_1970() {
    let check = |text: &str, expect: Result<u64, &'static str>| {
        assert_eq!(time::parse(text), expect, "{text}")
    };
    check("1970-01-01T00:00:00Z", Ok(0));
    check("1970-01-01T05:00:00.000000001+05:00", Ok(1));
    check("1969-12-31T23:00:00-01:00", Err("date-time-form"));
    check("1970-01-01T00:00:00+00:01", Err("date-time-range"));
    check(
        "2026-11-21T09:15:27.123+05:00",
        Ok(1_795_234_527_123_000_000),
    );
    check("2026-11-21T04:15:27.123Z", Ok(1_795_234_527_123_000_000));
    check("2024-02-29T24:00:00Z", Ok(1_709_251_200_000_000_000));
    check("2024-03-01T00:00:00Z", Ok(1_709_251_200_000_000_000));
    check("2000-02-29T12:00:00-12:30", Ok(951_870_600_000_000_000));
    check(
        "2500-12-31T23:59:59.999999999Z",
        Ok(16_756_761_599_999_999_999),
    );
    check("2501-01-01T00:00:00Z", Err("date-time-form"));
    for offsetless in ["2026-11-21T09:15:27", "2026-11-21T09:15:27.123"] {
        check(offsetless, Err("date-time-offset"));
    }
    for odd in [
        "",
        "2026-11-21",
        "2026-11-21T09:15Z",
        "2026-11-21 09:15:27Z",
        "2026-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-11-31T00:00:00Z",
        "2026-11-21T24:00:01Z",
        "2026-11-21T25:00:00Z",
        "2026-11-21T09:60:00Z",
        "2026-11-21T09:15:60Z",
        "2026-11-21T09:15:27.Z",
        "2026-11-21T09:15:27.1234567890Z",
        "2026-11-21T09:15:27+5:00",
        "2026-11-21T09:15:27+15:00",
        "2026-11-21T09:15:27+05:60",
        "2026-11-21T09:15:27z",
        "2026-11-21T09:15:27Z ",
        "-026-11-21T09:15:27Z",
        "2026-11-21T09:15:2ЖZ",
    ] {
        check(odd, Err("date-time-form"));
    }
}

#[test]
fn times_of_day_are_nanoseconds_since_local_midnight() {
    let hour = 3_600_000_000_000;
    for (text, expect) in [
        ("10:00:00+05:00", Ok(10 * hour)),
        ("05:00:00Z", Ok(10 * hour)),
        ("00:30:00.5+05:00", Ok(hour / 2 + 500_000_000)),
        ("24:00:00+05:00", Ok(0)),
        ("21:00:00Z", Ok(2 * hour)),
        ("01:00:00+06:00", Ok(0)),
        ("10:00:00", Err("date-time-offset")),
        ("24:00:01Z", Err("date-time-form")),
        ("10:00Z", Err("date-time-form")),
        ("10:00:00+5:00", Err("date-time-form")),
    ] {
        assert_eq!(time::time_of_day(text), expect, "{text}");
    }
}

#[test]
fn every_day_of_five_centuries_has_its_date() {
    let mut expected = (1970, 1, 1);
    for day in 0..194_000 {
        assert_eq!(time::civil_from_day(day), expected, "day {day}");
        let (year, month, of_month) = expected;
        let text = format!("{year:04}-{month:02}-{of_month:02}T00:00:00Z");
        if year <= 2500 {
            assert_eq!(
                time::parse(&text),
                Ok(day * time::DAY_SECONDS * 1_000_000_000),
                "{text}"
            );
            assert_eq!(time::check_date(&text[..10]), Ok(()));
        }
        let leap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0);
        let days = [
            31,
            if leap { 29 } else { 28 },
            31,
            30,
            31,
            30,
            31,
            31,
            30,
            31,
            30,
            31,
        ];
        expected = match (of_month == days[month as usize - 1], month) {
            (false, _) => (year, month, of_month + 1),
            (true, 12) => (year + 1, 1, 1),
            (true, _) => (year, month + 1, 1),
        };
    }
}

#[test]
fn amounts_are_tiyn() {
    let check = |text: &str, expect: Result<u64, &'static str>| {
        assert_eq!(amount::parse(text), expect, "{text}")
    };
    check("15250.00", Ok(1_525_000));
    check("15250", Ok(1_525_000));
    check("15250.5", Ok(1_525_050));
    check("0.01", Ok(1));
    check("00.01", Ok(1));
    check("184467440737095516.15", Ok(u64::MAX));
    check("184467440737095516.16", Err("amount-range"));
    check("99999999999999999999", Err("amount-range"));
    check("0.00", Err("amount-zero"));
    check("1.000", Err("amount-decimals"));
    for odd in [
        "", ".", "1.", ".5", "-1", "+1", " 1", "1 ", "1,5", "1.5.5", "1.0x0", "1e3", "١", "1.é",
    ] {
        check(odd, Err("amount-form"));
    }
}
