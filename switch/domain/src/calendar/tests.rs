use super::*;
use proptest::prelude::*;

fn date(text: &str) -> Date {
    Date::parse(text).unwrap()
}

fn check(calendar: &Calendar, text: &str, business: bool) {
    assert_eq!(calendar.is_business_day(date(text)), business, "{text}");
}

#[test]
fn weekends_and_fixed_holidays_are_off() {
    let calendar = Calendar::kazakhstan();
    for text in [
        "2026-11-21",
        "2026-11-22",
        "2027-12-16",
        "2026-01-01",
        "2026-01-02",
        "2026-01-07",
        "2027-08-30",
    ] {
        check(&calendar, text, false);
    }
    for text in [
        "2026-11-20",
        "2026-11-23",
        "2026-01-05",
        "2026-01-06",
        "2026-01-08",
    ] {
        check(&calendar, text, true);
    }
}

#[test]
fn a_holiday_on_a_weekend_makes_the_next_working_day_off() {
    let calendar = Calendar::kazakhstan();
    // Nauryz 2026 is Saturday to Monday: two days are made up for on Tuesday and Wednesday.
    for text in [
        "2026-03-21",
        "2026-03-22",
        "2026-03-23",
        "2026-03-24",
        "2026-03-25",
    ] {
        check(&calendar, text, false);
    }
    check(&calendar, "2026-03-26", true);
    // New Year 2022: Saturday and Sunday, made up for on Monday and Tuesday.
    check(&calendar, "2022-01-03", false);
    check(&calendar, "2022-01-04", false);
    check(&calendar, "2022-01-05", true);
    // 8 March 2026 is a Sunday.
    check(&calendar, "2026-03-09", false);
    check(&calendar, "2026-03-10", true);
}

#[test]
fn orthodox_christmas_does_not_carry_over() {
    // 7 January 2024 was a Sunday.
    check(&Calendar::kazakhstan(), "2024-01-08", true);
}

#[test]
fn single_dates_override_the_rules() {
    let mut calendar = Calendar::kazakhstan();
    let (kurban_ait, working_saturday) = (date("2026-05-27"), date("2026-11-21"));
    calendar.set(kurban_ait, Some(DayOverride::Closed));
    calendar.set(working_saturday, Some(DayOverride::Working));
    check(&calendar, "2026-05-27", false);
    check(&calendar, "2026-11-21", true);
    let listed: Vec<_> = calendar.overrides().collect();
    assert_eq!(
        listed,
        [
            (kurban_ait, DayOverride::Closed),
            (working_saturday, DayOverride::Working)
        ]
    );
    calendar.set(kurban_ait, None);
    check(&calendar, "2026-05-27", true);
}

#[test]
fn counts_business_days() {
    let calendar = Calendar::default();
    assert_eq!(
        calendar.next_business_day(date("2026-11-20")),
        date("2026-11-23")
    );
    assert_eq!(
        calendar.next_business_day(date("2026-03-20")),
        date("2026-03-26")
    );
    assert_eq!(
        calendar.add_business_days(date("2026-11-20"), 0),
        date("2026-11-20")
    );
    assert_eq!(
        calendar.add_business_days(date("2026-11-20"), 10),
        date("2026-12-04")
    );
}

#[test]
fn the_ends_of_time_do_not_hang() {
    let calendar = Calendar::kazakhstan();
    let end = Date::from_days(i32::MAX);
    assert_eq!(calendar.next_business_day(end), end);
    assert!(calendar.next_business_day(Date::from_days(i32::MIN)) > Date::from_days(i32::MIN));
}

proptest! {
    #[test]
    fn a_year_has_as_many_days_off_as_the_rules_give(year in 2000_i32..2100) {
        // Every carried holiday costs a working day wherever it falls; Christmas only when it is not on a weekend.
        let calendar = Calendar::kazakhstan();
        let day = |month, day| Date::from_ymd(year, month, day).unwrap();
        let days = || (day(1, 1).days()..=day(12, 31).days()).map(Date::from_days);
        let weekend = |date: &Date| matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
        let weekdays_off = days().filter(|date| !weekend(date) && !calendar.is_business_day(*date)).count();
        let christmas = usize::from(!weekend(&day(1, 7)));
        prop_assert_eq!(weekdays_off, 13 + christmas);
    }

    #[test]
    fn the_next_business_day_skips_days_off_only(days in -40_000_i32..80_000) {
        let calendar = Calendar::kazakhstan();
        let (from, next) = (Date::from_days(days), calendar.next_business_day(Date::from_days(days)));
        prop_assert!(next > from && calendar.is_business_day(next));
        for between in days + 1..next.days() {
            prop_assert!(!calendar.is_business_day(Date::from_days(between)));
        }
    }
}
