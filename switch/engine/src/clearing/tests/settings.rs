use super::*;
use crate::{
    clearing::{DAYS_MAX, ITEMS_MAX, Settings},
    world::{CASP, HSBK},
};
use torap_domain::DayOverride;

fn set(settings: Settings) -> Any {
    Any::Clearing(Command::SetSettings {
        source: operator(),
        settings,
    })
}

fn hours(hours: &[u64]) -> Vec<Span> {
    hours
        .iter()
        .map(|hour| Span::from_secs(hour * 3600))
        .collect()
}

fn closing_at(times: &[u64]) -> Settings {
    Settings {
        closes_at: hours(times),
        ..Settings::initial()
    }
}

fn open(world: &World) -> SessionId {
    world.engine.clearing_view().open.unwrap().0
}

#[test]
fn unsound_settings_change_nothing() {
    let day = |text| (date(text), DayOverride::Closed);
    let many = (0..=DAYS_MAX as i32).map(|day| (Date::from_days(day), DayOverride::Closed));
    let initial = Settings::initial;
    let mut world = World::new();
    for unsound in [
        closing_at(&[]),
        closing_at(&[15, 14]),
        Settings {
            days_ahead: 11,
            ..initial()
        },
        Settings {
            items_max: 0,
            ..initial()
        },
        Settings {
            items_max: ITEMS_MAX + 1,
            ..initial()
        },
        Settings {
            amount_max: Money::kzt(0),
            ..initial()
        },
        Settings {
            days: vec![day(TUESDAY), day(MONDAY)],
            ..initial()
        },
        Settings {
            days: many.collect(),
            ..initial()
        },
    ] {
        world.refuse(set(unsound), Reason::OperatorRefused);
        assert_eq!(world.engine.clearing_settings(), &initial());
    }
    let by_link = Command::SetSettings {
        source: world.link(CASP),
        settings: closing_at(&[10]),
    };
    world.refuse(Any::Clearing(by_link), Reason::OperatorRefused);
    assert_eq!(world.engine.clearing_view().open, None);
}

#[test]
fn a_date_may_have_several_sessions() {
    let mut world = World::new();
    world.endow(CASP, 100);
    world.accept(set(closing_at(&[11, 15])));
    assert_eq!(open(&world), session(MONDAY, 1));
    world.send_one(1, CASP, HSBK, 60);
    world.close();
    assert_eq!(world.item(1), Status::Settled);
    assert_eq!(open(&world), session(MONDAY, 2));
    world.send_one(2, CASP, HSBK, 60);
    world.send_one(3, HSBK, CASP, 20);
    let sent = world.close();
    assert_eq!(world.item(2), Status::Settled);
    // What was settled in the morning is not told again.
    assert_eq!(sent[&CASP].len(), 3);
    assert_eq!([world.settlement(CASP), world.settlement(HSBK)], [0, 100]);
    assert_eq!(open(&world), session(TUESDAY, 1));
}

#[test]
fn a_session_that_has_closed_is_not_opened_again() {
    let mut world = World::new();
    world.send_one(1, CASP, HSBK, 60);
    world.close();
    world.accept(set(closing_at(&[18])));
    assert_eq!(open(&world), session(TUESDAY, 1));
    world.accept(set(closing_at(&[15, 18])));
    assert_eq!(open(&world), session(MONDAY, 2));
}

#[test]
fn what_is_due_is_closed_by_the_rules_that_held() {
    let mut world = World::new();
    world.endow(CASP, 100);
    world.send_one(1, CASP, HSBK, 60);
    world.stamp.time = at("2026-11-23T15:30:00+05:00");
    world.accept(set(closing_at(&[18])));
    assert_eq!(world.item(1), Status::Settled);
    assert_eq!(open(&world), session(TUESDAY, 1));
}

#[test]
fn items_of_a_date_that_was_closed_afterwards_go_to_the_next() {
    let mut world = World::new();
    world.endow(CASP, 100);
    world.send_one(1, CASP, HSBK, 60);
    let days = vec![
        (date("2026-11-22"), DayOverride::Closed),
        (date(MONDAY), DayOverride::Closed),
    ];
    world.accept(set(Settings {
        days,
        ..Settings::initial()
    }));
    assert_eq!(open(&world), session(TUESDAY, 1));
    let refused = Outcome::Refused(Reason::ValueDateNotAllowed);
    assert_eq!(world.send(CASP, vec![order(2, CASP, HSBK, 1)]), refused);
    world.close();
    assert_eq!(world.settlement(HSBK), 60);
    // Its date is over, so it is forgotten at once; what is sent again is refused by its date.
    assert_eq!(world.engine.clearing_view().items, 0);
    assert_eq!(world.send(CASP, vec![order(1, CASP, HSBK, 60)]), refused);
}

#[test]
fn a_working_saturday_has_a_session() {
    let mut world = World::new();
    world.accept(set(Settings {
        days: vec![(date("2026-11-21"), DayOverride::Working)],
        ..Settings::initial()
    }));
    assert_eq!(open(&world), session("2026-11-21", 1));
}
