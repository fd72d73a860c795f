//! Records to state, and everything that must stop a replay.

use torap_domain::Position;
use torap_engine::{Command, Engine, codec};
use torap_journal::{Depth, Journal, RecordMeta};

use super::{Rig, replay, world};
use crate::{CoreLimits, Recovered, Replay, ReplayError};

/// Payments, some accepted, some left to their deadline, with marks between them.
fn a_morning() -> Rig {
    let mut rig = Rig::opened(CoreLimits {
        mark_every_records: 7,
        ..CoreLimits::default()
    });
    for number in 1..=30 {
        rig.offer(world::transfer(number, number, rig.now));
        rig.settle();
        if number % 3 != 0 {
            rig.offer(world::accept(number, number - number / 3));
        }
        rig.pass(torap_domain::Span::from_millis(700));
        rig.settle();
    }
    rig.pass(torap_domain::Span::from_secs(20));
    rig.step();
    rig.sync();
    rig.release();
    rig
}

#[test]
fn a_replay_comes_to_the_same_state_results_and_digest() {
    let rig = a_morning();
    let (replayed, mut seen) = replay(&rig.journal).unwrap();
    assert_eq!(replayed.engine().digest(), rig.core.engine().digest());
    assert_eq!(replayed.recovered(), rig.core.recovered());
    let opening = world::opening().len();
    assert!(rig.core.counters().ticks > 0 && rig.core.counters().marks > 5);
    // Tickets are the callers' and views are for gateways; neither is logged.
    let mut released = rig.released.clone();
    for result in &mut released {
        (result.ticket, result.views) = (None, 0);
    }
    assert_eq!(
        seen.split_off(opening + 1),
        released[released.len() + opening + 1 - rig.core.last().position.value() as usize..]
    );
}

#[test]
fn a_core_goes_on_where_a_replay_ends() {
    let mut rig = a_morning();
    let (replayed, _) = replay(&rig.journal).unwrap();
    let (engine, recovered) = replayed.into_parts();
    rig.core = crate::Core::new(engine, recovered, CoreLimits::default());
    rig.offer(world::start(2));
    rig.offer(world::sign_on(world::CASPI, 1));
    rig.offer(world::sign_on(world::HALYK, 1));
    rig.offer(world::transfer(31, 31, rig.now));
    rig.settle();
    assert_eq!(rig.released.last().unwrap().effects.len(), 1, "forwarded");
    let (replayed, _) = replay(&rig.journal).unwrap();
    assert_eq!(replayed.engine().digest(), rig.core.engine().digest());
    assert_eq!(replayed.recovered(), rig.core.recovered());
}

/// The records of a morning, as (meta, facts).
fn records() -> Vec<(RecordMeta, Vec<u8>)> {
    let rig = a_morning();
    let mut stream = rig.journal.read_from(1, Depth::Facts).unwrap();
    let mut records = Vec::new();
    while let Some(record) = stream.next().unwrap() {
        records.push((record.meta, record.facts.to_vec()));
    }
    records
}

fn run(records: &[(RecordMeta, Vec<u8>)]) -> Result<Recovered, ReplayError> {
    let mut replay = Replay::new(Engine::new(), Recovered::genesis());
    for (meta, facts) in records {
        replay.apply(meta, facts)?;
    }
    Ok(replay.recovered())
}

#[test]
fn a_gap_and_a_repetition_are_refused() {
    let mut records = records();
    assert!(run(&records).is_ok());
    let removed = records.remove(20);
    let gap = ReplayError::Gap {
        expected: Position(21),
        found: Position(22),
    };
    assert_eq!(run(&records), Err(gap));
    records.insert(20, removed.clone());
    records.insert(20, removed);
    let repeated = ReplayError::Gap {
        expected: Position(22),
        found: Position(21),
    };
    assert_eq!(run(&records), Err(repeated));
}

#[test]
fn time_that_does_not_rise_is_refused() {
    let mut records = records();
    records[20].0.time = records[19].0.time;
    assert_eq!(
        run(&records),
        Err(ReplayError::TimeNotRising {
            position: Position(21)
        })
    );
}

#[test]
fn facts_that_cannot_be_read_are_refused_with_their_place() {
    let mut records = records();
    records[20].1.clear();
    let refused = run(&records).unwrap_err();
    assert!(
        matches!(
            refused,
            ReplayError::Facts {
                position: Position(21),
                ..
            }
        ),
        "{refused}"
    );
    records[20].0.kind = 0xfff0;
    assert!(matches!(
        run(&records),
        Err(ReplayError::Facts {
            position: Position(21),
            ..
        })
    ));
}

#[test]
fn other_rules_than_the_place_in_the_log_gives_are_refused() {
    let mut records = records();
    records[20].0.rules_version += 1;
    assert!(matches!(
        run(&records),
        Err(ReplayError::RulesVersion {
            position: Position(21),
            ..
        })
    ));
}

#[test]
fn a_record_that_decides_otherwise_is_noticed_at_the_next_mark() {
    let records = records();
    let marks: Vec<usize> = (0..records.len())
        .filter(|at| {
            matches!(
                codec::decode(records[*at].0.kind, &records[*at].1),
                Ok(Command::Mark { .. })
            )
        })
        .collect();
    for (at, (meta, facts)) in records.iter().enumerate() {
        let Ok(Command::Instant(torap_engine::instant::Command::CreditTransfer(mut transfer))) =
            codec::decode(meta.kind, facts)
        else {
            continue;
        };
        let Some(mark) = marks.iter().find(|mark| **mark > at) else {
            break;
        };
        transfer.amount = torap_domain::Money::kzt(transfer.amount.minor() + 1);
        let mut changed = records.clone();
        changed[at].1.clear();
        codec::encode(
            &Command::Instant(torap_engine::instant::Command::CreditTransfer(transfer)),
            &mut changed[at].1,
        );
        let refused = run(&changed).unwrap_err();
        let ReplayError::Diverged {
            position, since, ..
        } = refused
        else {
            panic!("{refused}")
        };
        assert_eq!(position.value() as usize, mark + 1);
        assert!(since.value() as usize <= at);
    }
}
