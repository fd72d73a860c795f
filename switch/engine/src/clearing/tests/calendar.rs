//! One business calendar: a date that is set for IMTS holds for the clearing system, its value dates, and the clocks of disputes.

use super::*;
use crate::{
    clearing::Settings,
    settlement,
    world::{CASP, HSBK},
};
use torap_domain::DayOverride;

const WEDNESDAY: &str = "2026-11-25";

fn rules(world: &mut World, version: u32) {
    let source = operator();
    world.accept(Any::Rules { source, version });
}

fn set_day(world: &mut World, text: &str, day: Option<DayOverride>) {
    world.accept(Any::Settlement(settlement::Command::SetDay {
        source: operator(),
        date: date(text),
        day,
    }));
}

fn open(world: &World) -> SessionId {
    world.engine.clearing_view().open.unwrap().0
}

fn is_worked(world: &World, text: &str) -> bool {
    let calendar = world.engine.state.clearing.calendar();
    calendar.is_business_day(date(text))
}

#[test]
fn a_holiday_is_set_once_for_all() {
    let mut world = World::new();
    rules(&mut world, 2);
    world.endow(CASP, 100);
    world.send_one(1, CASP, HSBK, 60);
    assert_eq!(open(&world), session(MONDAY, 1));
    set_day(&mut world, MONDAY, Some(DayOverride::Closed));
    assert!(!is_worked(&world, MONDAY));
    assert_eq!(open(&world), session(TUESDAY, 1));
    // Its value date cannot be given any more; what waits goes to the next session.
    let late = order(2, CASP, HSBK, 10);
    assert_eq!(late.value_date, date(MONDAY));
    assert_eq!(
        world.send(CASP, vec![late]),
        Outcome::Refused(Reason::ValueDateNotAllowed)
    );
    world.close();
    assert_eq!([world.settlement(CASP), world.settlement(HSBK)], [40, 60]);
    let closed = world.engine.clearing_reports().last().unwrap().session;
    assert_eq!(closed, session(TUESDAY, 1));
    // Given back to the rules, a date ahead is worked again; one that is over stays over.
    set_day(&mut world, WEDNESDAY, Some(DayOverride::Closed));
    assert_eq!(open(&world), session("2026-11-26", 1));
    set_day(&mut world, WEDNESDAY, None);
    set_day(&mut world, MONDAY, None);
    assert_eq!(open(&world), session(WEDNESDAY, 1));
}

#[test]
fn a_date_of_the_clearing_system_alone_counts_before_the_common_one() {
    let mut world = World::new();
    rules(&mut world, 2);
    world.send_one(1, CASP, HSBK, 60);
    set_day(&mut world, MONDAY, Some(DayOverride::Closed));
    let settings = |days| {
        Any::Clearing(Command::SetSettings {
            source: operator(),
            settings: Settings {
                days,
                ..Settings::initial()
            },
        })
    };
    world.accept(settings(vec![(date(MONDAY), DayOverride::Working)]));
    assert_eq!(open(&world), session(MONDAY, 1));
    // Settings without dates of their own leave the common ones as they are.
    world.accept(settings(Vec::new()));
    assert_eq!(open(&world), session(TUESDAY, 1));
}

#[test]
fn by_the_first_rules_each_system_has_its_own_dates() {
    let mut world = World::new();
    world.send_one(1, CASP, HSBK, 60);
    set_day(&mut world, MONDAY, Some(DayOverride::Closed));
    assert_eq!(open(&world), session(MONDAY, 1));
    // The dates that were set before count with the version, and with it they go.
    rules(&mut world, 2);
    assert_eq!(open(&world), session(TUESDAY, 1));
    rules(&mut world, 1);
    assert_eq!(open(&world), session(MONDAY, 1));
}

#[test]
fn what_is_due_closes_by_the_calendar_that_held() {
    let mut world = World::new();
    rules(&mut world, 2);
    world.endow(CASP, 100);
    world.send_one(1, CASP, HSBK, 60);
    world.stamp.time = at("2026-11-23T15:30:00+05:00");
    set_day(&mut world, MONDAY, Some(DayOverride::Closed));
    assert_eq!(world.item(1), Status::Settled);
    assert_eq!(open(&world), session(TUESDAY, 1));
}

#[test]
fn a_session_with_items_is_still_to_settle_on_its_date() {
    let mut world = World::new();
    world.endow(CASP, 100);
    let due = |world: &World| world.engine.imts_due_today(world.now());
    let until = at("2026-11-23T18:00:00+05:00");
    let source = operator();
    world.accept(Any::Settlement(settlement::Command::Open {
        source,
        cut_off: None,
        until,
    }));
    world.send_one(1, CASP, HSBK, 60);
    // On Saturday the session of Monday is not due yet.
    assert_eq!(due(&world), []);
    world.stamp.time = at("2026-11-23T10:00:00+05:00");
    let named = settlement::DueToday::Clearing {
        session: session(MONDAY, 1),
        closes: at("2026-11-23T15:00:00+05:00"),
        items: 1,
    };
    assert_eq!(due(&world), [named]);
    // Nothing is cut off by the end of a day that is not open.
    world.accept(Any::Settlement(settlement::Command::Close { source }));
    assert_eq!(due(&world), []);
}
