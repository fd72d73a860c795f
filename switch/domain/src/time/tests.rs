use super::*;
use proptest::prelude::*;

fn check(text: &str, expect: Result<&str, TimeError>) {
    assert_eq!(
        Time::parse(text).map(|time| time.to_string()),
        expect.map(str::to_owned),
        "{text:?}"
    );
}

#[test]
fn reads_every_offset_and_writes_utc_plus_5() {
    check(
        "2026-11-21T09:15:27.123+05:00",
        Ok("2026-11-21T09:15:27.123+05:00"),
    );
    check(
        "2026-11-21T04:15:27.123Z",
        Ok("2026-11-21T09:15:27.123+05:00"),
    );
    check(
        "2026-11-20T23:15:27-05:00",
        Ok("2026-11-21T09:15:27.000+05:00"),
    );
    check(
        "2026-11-21T09:45:27+05:30",
        Ok("2026-11-21T09:15:27.000+05:00"),
    );
    check(
        "2026-12-31T20:00:00.9999Z",
        Ok("2027-01-01T01:00:00.999+05:00"),
    );
    check(
        "2026-11-21T24:00:00+05:00",
        Ok("2026-11-22T00:00:00.000+05:00"),
    );
    check(
        "2026-11-21T24:00:00.000Z",
        Ok("2026-11-22T05:00:00.000+05:00"),
    );
    check("2024-02-29T00:00:00Z", Ok("2024-02-29T05:00:00.000+05:00"));
    check("1970-01-01T00:00:00Z", Ok("1970-01-01T05:00:00.000+05:00"));
    check(
        "2554-01-01T00:00:00+14:00",
        Ok("2553-12-31T15:00:00.000+05:00"),
    );
}

#[test]
fn keeps_nanoseconds() {
    assert_eq!(
        Time::parse("1970-01-01T00:00:01.000000007Z"),
        Ok(Time::from_nanos(1_000_000_007))
    );
    assert_eq!(
        Time::parse("1970-01-01T00:00:00.1Z"),
        Ok(Time::from_nanos(100_000_000))
    );
    assert_eq!(
        Time::parse("2000-03-01T00:00:00Z").map(Time::nanos),
        Ok(951_868_800_000_000_000)
    );
}

#[test]
fn names_the_rule_it_refuses_by() {
    for text in [
        "",
        "2026-11-21",
        "2026-11-21 09:15:27Z",
        "2026-11-21t09:15:27Z",
        "2026-11-21T9:15:27Z",
        "T",
        "2026-11-21T09:15Z",
        "26-11-21T09:15:27Z",
        "+2026-11-21T09:15:27Z",
    ] {
        check(text, Err(TimeError::Shape));
    }
    check("2026-11-21T09:15:27", Err(TimeError::OffsetMissing));
    check("2026-11-21T09:15:27.5", Err(TimeError::OffsetMissing));
    for text in [
        "2026-11-21T09:15:27z",
        "2026-11-21T09:15:27+5",
        "2026-11-21T09:15:27+0500",
        "2026-11-21T09:15:27+14:01",
        "2026-11-21T09:15:27-15:00",
        "2026-11-21T09:15:27+05:60",
        "2026-11-21T09:15:27Z ",
    ] {
        check(text, Err(TimeError::Offset));
    }
    for text in [
        "2026-02-29T09:15:27Z",
        "2026-13-01T09:15:27Z",
        "2026-00-10T09:15:27Z",
        "2026-01-00T09:15:27Z",
        "0000-01-01T00:00:00Z",
        "2100-02-29T00:00:00Z",
    ] {
        check(text, Err(TimeError::NoSuchDate));
    }
    for text in [
        "2026-11-21T24:00:01Z",
        "2026-11-21T24:00:00.001Z",
        "2026-11-21T25:00:00Z",
        "2026-11-21T09:60:00Z",
        "2026-11-21T09:15:60Z",
    ] {
        check(text, Err(TimeError::NoSuchTime));
    }
    for text in ["2026-11-21T09:15:27.Z", "2026-11-21T09:15:27.0123456789Z"] {
        check(text, Err(TimeError::Fraction));
    }
    for text in [
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+05:00",
        "2600-01-01T00:00:00Z",
        "9999-12-31T24:00:00-14:00",
    ] {
        check(text, Err(TimeError::OutOfRange));
    }
}

#[test]
fn spans_saturate_and_times_are_checked() {
    let time = Time::from_nanos(5);
    assert_eq!(
        time.saturating_since(Time::from_nanos(2)),
        Span::from_nanos(3)
    );
    assert_eq!(time.saturating_since(Time::from_nanos(9)), Span::ZERO);
    assert_eq!(Time::MAX.checked_add(Span::from_nanos(1)), None);
    assert_eq!(
        time.checked_add(Span::from_millis(1)),
        Some(Time::from_nanos(1_000_005))
    );
    assert_eq!(Time::MAX.saturating_add(Span::from_secs(1)), Time::MAX);
    assert_eq!(time.saturating_sub(Span::from_secs(1)), Time::EPOCH);
    assert_eq!(
        (Span::from_secs(2).millis(), Span::from_millis(2999).secs()),
        (2000, 2)
    );
    assert_eq!(Span::from_secs(u64::MAX).nanos(), u64::MAX);
}

#[test]
fn the_last_time_is_written_like_any_other() {
    assert_eq!(Time::MAX.to_string(), "2554-07-22T04:34:33.709+05:00");
}

#[test]
fn the_business_date_turns_at_19_utc() {
    let before = Time::parse("2026-11-20T18:59:59.999999999Z").unwrap();
    let after = Time::parse("2026-11-20T19:00:00Z").unwrap();
    assert_eq!(Date::from_time(before).to_string(), "2026-11-20");
    assert_eq!(Date::from_time(after).to_string(), "2026-11-21");
    assert_eq!(Date::from_time(after).start(), Some(after));
    assert_eq!(Date::from_days(0).start(), None);
}

#[test]
fn dates() {
    assert_eq!(Date::parse("1970-01-01"), Ok(Date::from_days(0)));
    assert_eq!(Date::parse("2000-02-29").map(Date::days), Ok(11_016));
    assert_eq!(Date::parse("1900-02-29"), Err(TimeError::NoSuchDate));
    for text in ["", "2026-1-01", "2026/01/01", "2026-01-01Z", "2O26-01-01"] {
        assert_eq!(Date::parse(text), Err(TimeError::DateShape), "{text:?}");
    }
    assert_eq!(
        Date::parse("1970-01-01").unwrap().weekday(),
        Weekday::Thursday
    );
    assert_eq!(
        Date::parse("2026-11-21").unwrap().weekday(),
        Weekday::Saturday
    );
    assert_eq!(
        Date::parse("1969-12-28").unwrap().weekday(),
        Weekday::Sunday
    );
    assert_eq!(
        Date::parse("2026-12-31").unwrap().add_days(1).to_string(),
        "2027-01-01"
    );
    assert_eq!(Date::from_ymd(10_000, 1, 1), None);
    for extreme in [i32::MIN, i32::MAX] {
        assert!(!Date::from_days(extreme).to_string().is_empty());
    }
}

#[test]
fn days_follow_one_another_through_four_centuries() {
    let mut expect = (1900, 1, 1);
    let first = Date::from_ymd(1900, 1, 1).unwrap().days();
    for days in first..first + 146_097 {
        let date = Date::from_days(days);
        assert_eq!(date.ymd(), expect);
        assert_eq!(Date::from_ymd(expect.0, expect.1, expect.2), Some(date));
        let (year, month, day) = expect;
        expect = if day < days_in_month(year, month).unwrap() {
            (year, month, day + 1)
        } else if month < 12 {
            (year, month + 1, 1)
        } else {
            (year + 1, 1, 1)
        };
    }
    assert_eq!(expect, (2300, 1, 1));
}

proptest! {
    #[test]
    fn what_is_written_is_read_back_to_the_millisecond(nanos in 0..u64::MAX - 18_000_000_000_000) {
        let time = Time::from_nanos(nanos);
        let read = Time::parse(&time.to_string()).unwrap();
        prop_assert_eq!(read.nanos(), nanos / 1_000_000 * 1_000_000);
        prop_assert_eq!(&time.to_string()[..10], Date::from_time(time).to_string());
    }

    #[test]
    fn any_string_is_read_or_refused(text in "\\PC{0,40}", shaped in "[0-9T:.+Z-]{0,36}") {
        let _ = (Time::parse(&text), Time::parse(&shaped), Date::parse(&text), Date::parse(&shaped));
    }

    #[test]
    fn a_broken_character_anywhere_never_panics(place in 0_usize..29, byte in 0_u8..128) {
        let mut bytes = b"2026-11-21T09:15:27.123+05:00".to_vec();
        bytes[place] = byte;
        let _ = Time::parse(std::str::from_utf8(&bytes).unwrap());
    }
}
