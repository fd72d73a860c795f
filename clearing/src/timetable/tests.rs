use super::*;

fn date(text: &str) -> Date {
    Date::parse(text).unwrap()
}

fn session(text: &str, number: u8) -> SessionId {
    SessionId {
        date: date(text),
        number,
    }
}

fn hours(hours: &[u64]) -> Vec<Span> {
    hours
        .iter()
        .map(|hour| Span::from_secs(hour * 3600))
        .collect()
}

/// The session that is open at a time, and the one after it.
fn check(closes_at: &[u64], time: &str, expect: [SessionId; 2]) {
    let calendar = Calendar::kazakhstan();
    let timetable = Timetable::new(hours(closes_at), 3).unwrap();
    let first = timetable.first_after(&calendar, Time::parse(time).unwrap());
    let second = timetable.after(&calendar, first);
    assert_eq!([first, second], expect, "{time}");
}

#[test]
fn the_default_closes_at_15_and_takes_three_days_ahead() {
    let timetable = Timetable::default();
    let same = Timetable::new(hours(&[15]), 3).unwrap();
    assert_eq!(timetable, same);
    let close = timetable.close_of(session("2026-11-23", 1));
    assert_eq!(close, Time::parse("2026-11-23T15:00:00+05:00").ok());
    assert_eq!(timetable.close_of(session("2026-11-23", 2)), None);
    assert_eq!(timetable.close_of(session("2026-11-23", 0)), None);
}

#[test]
fn sessions_follow_each_other_over_the_day_and_the_weekend() {
    let monday = session("2026-11-23", 1);
    let friday = session("2026-11-20", 1);
    check(&[15], "2026-11-20T14:59:59+05:00", [friday, monday]);
    // A session that closes at this very moment has closed.
    let tuesday = session("2026-11-24", 1);
    check(&[15], "2026-11-20T15:00:00+05:00", [monday, tuesday]);
    check(&[15], "2026-11-21T09:00:00+05:00", [monday, tuesday]);
    let noon = session("2026-11-20", 2);
    check(
        &[10, 12, 15],
        "2026-11-20T11:00:00+05:00",
        [noon, session("2026-11-20", 3)],
    );
    check(&[10, 12], "2026-11-20T11:00:00+05:00", [noon, monday]);
}

#[test]
fn holidays_have_no_session() {
    // 16 December is Independence Day, a Wednesday.
    check(
        &[15],
        "2026-12-15T16:00:00+05:00",
        [session("2026-12-17", 1), session("2026-12-18", 1)],
    );
}

#[test]
fn value_dates_are_business_days_from_the_current_one_to_three_ahead() {
    let calendar = Calendar::kazakhstan();
    let timetable = Timetable::default();
    let current = session("2026-11-20", 1);
    for (value_date, expect) in [
        ("2026-11-19", Err(TimetableError::ValueDatePassed)),
        ("2026-11-20", Ok(())),
        ("2026-11-21", Err(TimetableError::ValueDateClosed)),
        ("2026-11-23", Ok(())),
        ("2026-11-25", Ok(())),
        ("2026-11-26", Err(TimetableError::ValueDateTooFar)),
        ("2026-11-28", Err(TimetableError::ValueDateTooFar)),
    ] {
        let admitted = timetable.admit(&calendar, current, date(value_date));
        assert_eq!(admitted, expect, "{value_date}");
    }
}

#[test]
fn timetables_are_checked() {
    let many: Vec<Span> = (0..=SESSIONS_MAX as u64).map(Span::from_secs).collect();
    for (closes_at, days_ahead, expect) in [
        (vec![], 3, TimetableError::Sessions),
        (many, 3, TimetableError::Sessions),
        (hours(&[15, 15]), 3, TimetableError::ClosingTimes),
        (hours(&[15, 10]), 3, TimetableError::ClosingTimes),
        (hours(&[24]), 3, TimetableError::ClosingTimes),
        (hours(&[15]), DAYS_AHEAD_MAX + 1, TimetableError::DaysAhead),
    ] {
        assert_eq!(Timetable::new(closes_at, days_ahead), Err(expect));
    }
}

#[test]
fn a_session_is_written_with_its_date_and_number() {
    assert_eq!(session("2026-11-03", 2).to_string(), "2026-11-03/2");
}
