use torap_domain::{Money, Reason, Span, Text, Time};

use super::*;
use crate::{
    Command as Any, Message, Notice, Source,
    participants::{self, Direction},
    world::{CASP, HSBK, World, operator},
};

/// The operator of [`operator`] is somebody; this is somebody else.
fn other() -> Source {
    named("other")
}

fn named(name: &str) -> Source {
    Source::Operator {
        name: Text::truncated(name),
        reference: Text::truncated("T-2"),
    }
}

fn name_of(source: &Source) -> Text<35> {
    match source {
        Source::Operator { name, .. } => *name,
        source => panic!("{source:?}"),
    }
}

fn guarded(families: &[Family]) -> World {
    let mut world = World::new();
    world.accept(settings(operator(), families));
    world
}

fn settings(source: Source, families: &[Family]) -> Any {
    Any::Approval(Command::SetSettings {
        source,
        settings: Settings {
            families: Families::of(families),
            within: Span::from_secs(3600),
        },
    })
}

fn fund(source: Source, tenge: u64) -> Any {
    Any::Participants(participants::Command::Fund {
        source,
        participant: CASP,
        direction: Direction::In,
        amount: Money::kzt(tenge * 100),
    })
}

fn propose(source: Source, command: Any) -> Any {
    Any::Approval(Command::Propose {
        source,
        command: Box::new(command),
    })
}

fn decide(source: Source, id: Position, approves: bool) -> Any {
    Any::Approval(Command::Decide {
        source,
        id,
        approves,
    })
}

fn funded(world: &World) -> i128 {
    world.engine.funded()
}

fn ends(world: &World) -> Vec<(Position, End)> {
    let done = world.engine.proposals_done();
    done.map(|done| (done.id, done.end)).collect()
}

#[test]
fn without_a_setting_nothing_needs_approval() {
    let mut world = World::new();
    let before = funded(&world);
    world.accept(fund(operator(), 10));
    assert_eq!(funded(&world), before + 1_000);
    assert!(world.engine.approval_settings().families.is_empty());
}

#[test]
fn a_guarded_command_takes_effect_once_when_another_operator_approves_it() {
    let mut world = guarded(&[Family::Money]);
    let before = funded(&world);
    world.refuse(fund(operator(), 10), Reason::OperatorRefused);
    world.accept(propose(operator(), fund(operator(), 10)));
    let id = world.stamp.position;
    assert_eq!(funded(&world), before);
    let waiting: Vec<Proposal> = world.engine.proposals().collect();
    assert_eq!(waiting[0].command, fund(operator(), 10));
    assert_eq!(world.engine.oldest_referred(), Some(id));

    // Not by the proposer, in whatever letters, and not by a bank.
    let own = name_of(&operator());
    world.refuse(decide(operator(), id, true), Reason::OperatorRefused);
    let shouted = named(&own.as_str().to_uppercase());
    world.refuse(decide(shouted, id, true), Reason::OperatorRefused);
    world.refuse(decide(Source::Switch, id, true), Reason::OperatorRefused);
    assert_eq!(funded(&world), before);

    world.accept(decide(other(), id, true));
    assert_eq!(funded(&world), before + 1_000);
    // The bank is told from the record that holds the facts.
    let told = world.sent_to(CASP);
    assert!(
        told.contains(&Message::Notice {
            notice: Notice::Funded { funding: id }
        }),
        "{told:?}"
    );
    assert_eq!(ends(&world), [(id, End::Approved)]);
    world.refuse(decide(other(), id, true), Reason::EntryUnknown);
    assert_eq!(funded(&world), before + 1_000);
    // Another family is free.
    world.accept(Any::Rules {
        source: operator(),
        version: 1,
    });
}

#[test]
fn a_proposal_is_rejected_or_comes_to_nothing_in_time() {
    let mut world = guarded(&[Family::Money]);
    let before = funded(&world);
    world.accept(propose(operator(), fund(operator(), 10)));
    let rejected = world.stamp.position;
    // Whoever proposed it may take it back.
    world.accept(decide(operator(), rejected, false));
    world.accept(propose(operator(), fund(operator(), 20)));
    let expired = world.stamp.position;
    let due = world.engine.proposals().next().unwrap().expires;
    assert_eq!(world.engine.next_deadline(), Some(due));
    world.stamp.time = Time::from_nanos(due.nanos());
    world.tick();
    world.refuse(decide(other(), expired, true), Reason::EntryUnknown);
    assert_eq!(
        ends(&world),
        [(rejected, End::Rejected), (expired, End::Expired)]
    );
    assert_eq!(funded(&world), before);
}

#[test]
fn what_its_own_rules_refuse_at_its_approval_changes_nothing_and_waits_on() {
    let mut world = guarded(&[Family::Money]);
    let all = u64::try_from(funded(&world)).unwrap();
    let out = Any::Participants(participants::Command::Fund {
        source: operator(),
        participant: CASP,
        direction: Direction::Out,
        amount: Money::kzt(all * 2),
    });
    world.accept(propose(operator(), out));
    let id = world.stamp.position;
    world.refuse(decide(other(), id, true), Reason::InsufficientFunds);
    assert_eq!(world.engine.proposals().count(), 1);
    world.accept(decide(other(), id, false));
}

#[test]
fn a_change_with_an_effective_time_is_approved_before_it_waits() {
    let mut world = guarded(&[Family::Money]);
    let before = funded(&world);
    let at = world.stamp.time.saturating_add(Span::from_secs(60));
    let order = Any::Schedule(schedule::Command::Order {
        source: operator(),
        at,
        command: Box::new(fund(operator(), 10)),
    });
    world.refuse(order.clone(), Reason::OperatorRefused);
    world.accept(propose(operator(), order));
    let id = world.stamp.position;
    assert_eq!(world.engine.scheduled().count(), 0);
    world.accept(decide(other(), id, true));
    // It keeps the number of its proposal.
    assert_eq!(world.engine.scheduled().next().unwrap().id, id);
    world.stamp.time = at;
    world.tick();
    assert_eq!(funded(&world), before + 1_000);
    let told = world.sent_to(CASP);
    assert!(told.contains(&Message::Notice {
        notice: Notice::Funded { funding: id }
    }));
}

#[test]
fn nobody_switches_it_off_alone() {
    let mut world = guarded(&[Family::Keys]);
    world.refuse(settings(operator(), &[]), Reason::OperatorRefused);
    world.accept(propose(operator(), settings(operator(), &[])));
    let id = world.stamp.position;
    world.accept(decide(other(), id, true));
    assert!(world.engine.approval_settings().families.is_empty());
    world.accept(settings(operator(), &[Family::Money]));
}

#[test]
fn only_what_has_a_family_is_proposed_under_its_own_name_and_no_more_than_the_bound() {
    let mut world = guarded(&[Family::Money]);
    world.refuse(propose(operator(), Any::Tick), Reason::OperatorRefused);
    world.refuse(
        propose(other(), fund(operator(), 1)),
        Reason::OperatorRefused,
    );
    let within = Settings {
        families: Families::of(&[Family::Money]),
        within: Span::from_secs(WITHIN_MAX.secs() + 1),
    };
    let mut free = World::new();
    free.refuse(
        Any::Approval(Command::SetSettings {
            source: operator(),
            settings: within,
        }),
        Reason::OperatorRefused,
    );
    for _ in 0..PROPOSALS_MAX {
        world.accept(propose(operator(), fund(operator(), 1)));
    }
    world.refuse(
        propose(operator(), fund(operator(), 1)),
        Reason::InternalLimit,
    );
}

/// What takes effect at once and never waits for a time: payments, deliveries, ends of sessions, notes.
fn at_once(source: Source) -> Vec<(Family, Any)> {
    let payment = settlement::Payment {
        from: HSBK,
        to: CASP,
        amount: Money::kzt(100),
        priority: settlement::Priority::Normal,
        reference: Text::truncated("PAPER-1"),
        earliest: None,
        latest: None,
    };
    let session = torap_domain::Date::from_days(20_000);
    let note = tariffs::Command::Note {
        source,
        participant: CASP,
        item: tariffs::Item::Duplicate,
        count: 1,
    };
    vec![
        (
            Family::Money,
            Any::Settlement(settlement::Command::Pay { source, payment }),
        ),
        (
            Family::Clearing,
            Any::Clearing(clearing::Command::Close { source }),
        ),
        (
            Family::Cards,
            Any::Ancillary(ancillary::Command::SettleCards { source, session }),
        ),
        (Family::Tariffs, Any::Tariffs(note)),
    ]
}

#[test]
fn what_takes_effect_at_once_needs_approval_by_version_2_of_the_rules() {
    for (family, command) in at_once(operator()) {
        assert_eq!(Family::of(&command), Some(family));
        let settings = Settings {
            families: Families::of(&[family]),
            within: WITHIN,
        };
        assert!(settings.guard(2, &command), "{command:?}");
        assert!(!settings.guard(1, &command), "{command:?}");
        let mut world = guarded(&[family]);
        world.accept(Any::Rules {
            source: operator(),
            version: 2,
        });
        world.refuse(command.clone(), Reason::OperatorRefused);
        world.accept(propose(operator(), command));
    }
}

#[test]
fn every_family_has_one_name_and_bit() {
    let mut set = Families::NONE;
    for family in Family::ALL {
        assert_eq!(Family::from_name(family.name()), Some(family));
        assert!(!set.has(family));
        set = Families(set.0 | Families::of(&[family]).0);
    }
    assert_eq!(set, Families::ALL);
    assert_eq!(Family::from_name("stop-list"), None);
}
