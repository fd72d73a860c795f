use torap_domain::{Position, Reason, Span, Time};

use super::*;
use crate::{
    Command as Any, Source,
    instant::{Command as Instant, Settings},
    participants::{self, State as ParticipantState},
    world::{CASP, HSBK, World, operator},
};

fn suspend() -> Any {
    Any::Participants(participants::Command::SetState {
        source: operator(),
        participant: CASP,
        state: ParticipantState::Closing,
    })
}

fn settings(world: &World) -> Any {
    Any::Instant(Instant::SetSettings {
        source: operator(),
        settings: Settings {
            payment_within: Span::from_secs(19),
            ..*world.engine.settings()
        },
    })
}

fn order(at: Time, command: Any) -> Any {
    Any::Schedule(Command::Order {
        source: operator(),
        at,
        command: Box::new(command),
    })
}

fn in_a_minute(world: &World) -> Time {
    world.stamp.time.saturating_add(Span::from_secs(60))
}

fn state_of(world: &World) -> ParticipantState {
    world.engine.participant_view(CASP).unwrap().state
}

/// Ticks when the next deadline says so, as the core does.
fn tick_at(world: &mut World, time: Time) {
    world.stamp.time = time;
    world.accept(Any::Tick);
}

#[test]
fn a_change_takes_effect_at_its_time_and_not_before() {
    let mut world = World::new();
    let before = state_of(&world);
    let at = in_a_minute(&world);
    world.accept(order(at, suspend()));
    let id = world.stamp.position;
    assert_eq!(world.engine.next_deadline(), Some(at));
    let waiting: Vec<Waiting> = world.engine.scheduled().collect();
    assert_eq!(
        waiting,
        [Waiting {
            id,
            at,
            command: suspend()
        }]
    );

    let early = Time::from_nanos(at.nanos() - 2_000_000);
    tick_at(&mut world, early);
    assert_eq!(state_of(&world), before);

    tick_at(&mut world, at);
    assert_eq!(state_of(&world), ParticipantState::Closing);
    let changed =
        |event: &Event| matches!(event, Event::ParticipantChanged(view) if view.id == CASP);
    assert!(world.out.events.iter().any(changed), "gateways are told");
    assert_eq!(world.engine.scheduled().count(), 0);
    let done: Vec<Done> = world.engine.scheduled_done().collect();
    let applied = world.stamp.position;
    assert_eq!(
        done,
        [Done {
            id,
            applied,
            at,
            refusal: None
        }]
    );
    assert_eq!(world.engine.next_deadline(), None);
}

#[test]
fn changes_of_one_time_take_effect_in_the_order_of_their_records() {
    let mut world = World::new();
    let at = in_a_minute(&world);
    let state = |state| {
        Any::Participants(participants::Command::SetState {
            source: operator(),
            participant: CASP,
            state,
        })
    };
    world.accept(order(at, state(ParticipantState::Certifying)));
    world.accept(order(at, state(ParticipantState::Active)));
    tick_at(&mut world, at);
    assert_eq!(state_of(&world), ParticipantState::Active);
}

#[test]
fn a_change_that_its_own_rules_refuse_is_remembered_as_refused() {
    let mut world = World::new();
    let at = in_a_minute(&world);
    let unknown = Any::Rules {
        source: operator(),
        version: 9_999,
    };
    world.accept(order(at, unknown));
    tick_at(&mut world, at);
    let refusals: Vec<_> = world
        .engine
        .scheduled_done()
        .map(|done| done.refusal)
        .collect();
    assert_eq!(refusals, [Some(Reason::OperatorRefused)]);
}

#[test]
fn what_is_withdrawn_never_takes_effect() {
    let mut world = World::new();
    let before = state_of(&world);
    let at = in_a_minute(&world);
    world.accept(order(at, suspend()));
    let id = world.stamp.position;
    let withdraw = |id| {
        Any::Schedule(Command::Withdraw {
            source: operator(),
            at,
            id,
        })
    };
    world.refuse(withdraw(Position(1)), Reason::EntryUnknown);
    world.accept(withdraw(id));
    world.refuse(withdraw(id), Reason::EntryUnknown);
    tick_at(&mut world, at);
    assert_eq!(state_of(&world), before);
}

#[test]
fn only_what_the_operator_configures_may_wait_and_only_in_the_future() {
    let mut world = World::new();
    let at = in_a_minute(&world);
    let now = world.stamp.time;
    let far = now.saturating_add(Span::from_secs(401 * 24 * 3600));
    let by_bank = Any::Participants(participants::Command::SetState {
        source: Source::Link {
            participant: HSBK,
            sequence: torap_domain::Sequence(1),
        },
        participant: CASP,
        state: ParticipantState::Closing,
    });
    for (at, command) in [
        (now, suspend()),
        (far, suspend()),
        (at, Any::Tick),
        (at, by_bank),
        (at, order(at, suspend())),
    ] {
        let reason = Reason::OperatorRefused;
        world.refuse(order(at, command), reason);
    }
}

#[test]
fn settings_are_replaced_as_a_whole_so_only_one_change_of_them_waits() {
    let mut world = World::new();
    let at = in_a_minute(&world);
    let change = settings(&world);
    world.accept(order(at, change.clone()));
    world.refuse(order(at, change), Reason::EntryExists);
    world.accept(order(at, suspend()));
    tick_at(&mut world, at);
    assert_eq!(world.engine.settings().payment_within, Span::from_secs(19));
}

#[test]
fn the_number_of_changes_that_wait_is_bounded() {
    let mut world = World::new();
    let at = in_a_minute(&world);
    for _ in 0..WAITING_MAX {
        let mut state = std::mem::take(&mut world.engine.state.schedule);
        order_into(&mut state, &world, at);
        world.engine.state.schedule = state;
        world.stamp.position = Position(world.stamp.position.0 + 1);
    }
    world.refuse(order(at, suspend()), Reason::InternalLimit);
}

fn order_into(state: &mut State, world: &World, at: Time) {
    let stamp = world.stamp;
    super::order(state, (stamp, stamp.position), at, &suspend()).unwrap();
}
