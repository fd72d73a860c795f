use torap_domain::Span;

use super::*;
use crate::{
    Command as Any, schedule,
    world::{CASP, NOBODY, World, operator},
};

fn table(fixed: u64) -> Table {
    let row = Row {
        item: Item::C2cPhone,
        pays: Side::Sender,
        participant: None,
        amount_from: 0,
        amount_to: u64::MAX,
        minute_from: 0,
        minute_until: DAY_MINUTES,
        rate: Rate {
            fixed,
            ..Rate::default()
        },
    };
    let minimum = Minimum {
        participant: Some(CASP),
        amount: 100,
    };
    Table::new(vec![row], vec![minimum]).unwrap()
}

fn set(source: Source, fixed: u64) -> Any {
    let table = table(fixed);
    Any::Tariffs(Command::Set { source, table })
}

fn note(participant: ParticipantId, item: Item, count: u32) -> Any {
    Any::Tariffs(Command::Note {
        source: operator(),
        participant,
        item,
        count,
    })
}

#[test]
fn a_table_is_in_force_from_its_record_on() {
    let mut world = World::new();
    assert_eq!(world.engine.tariff(), (&Table::default(), Position::ZERO));
    world.accept(set(operator(), 5));
    let since = world.stamp.position;
    assert_eq!(world.engine.tariff(), (&table(5), since));
    world.tick();
    assert_eq!(world.engine.tariff(), (&table(5), since));
    world.refuse(set(Source::Switch, 6), Reason::OperatorRefused);
    let on_a_link = world.link(CASP);
    world.refuse(set(on_a_link, 6), Reason::OperatorRefused);
    assert_eq!(world.engine.tariff(), (&table(5), since));
}

#[test]
fn a_table_may_wait_for_its_time_and_only_one_at_once() {
    let mut world = World::new();
    let at = world.now().saturating_add(Span::from_secs(60));
    let order = |fixed| {
        Any::Schedule(schedule::Command::Order {
            source: operator(),
            at,
            command: Box::new(set(operator(), fixed)),
        })
    };
    world.accept(order(7));
    world.refuse(order(8), Reason::EntryExists);
    assert_eq!(world.engine.tariff().1, Position::ZERO);
    world.stamp.time = at;
    world.tick();
    assert_eq!(world.engine.tariff(), (&table(7), world.stamp.position));
    assert!(!schedule::may_wait(&note(CASP, Item::Archive, 1)));
}

#[test]
fn only_services_are_noted_for_participants() {
    let mut world = World::new();
    world.accept(note(CASP, Item::Statement, 2));
    world.accept(note(CASP, Item::Archive, COUNT_MAX));
    world.refuse(note(NOBODY, Item::Statement, 1), Reason::UnknownParticipant);
    for (item, count) in [
        (Item::Qr, 1),
        (Item::Statement, 0),
        (Item::Statement, COUNT_MAX + 1),
    ] {
        world.refuse(note(CASP, item, count), Reason::OperatorRefused);
    }
    let on_a_link = Any::Tariffs(Command::Note {
        source: world.link(CASP),
        participant: CASP,
        item: Item::Statement,
        count: 1,
    });
    world.refuse(on_a_link, Reason::OperatorRefused);
}
