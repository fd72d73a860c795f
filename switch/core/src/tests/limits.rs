//! Full means refuse or hold, never grow.

use bytes::Bytes;
use torap_domain::{Position, Span};
use torap_engine::{Command, Outcome};

use super::{Rig, world};
use crate::{CoreLimits, Held, Intake, RefusedBecause};

fn bare(command: Command) -> Intake {
    Intake {
        command,
        evidence: Bytes::new(),
        secrets: crate::Secrets::NONE,
        ticket: None,
    }
}

#[test]
fn a_full_intake_gives_the_command_back() {
    let mut rig = Rig::opened(CoreLimits {
        intake_commands_max: 3,
        ..CoreLimits::default()
    });
    for number in 1..=3 {
        assert_eq!(rig.core.room(), 4 - number as usize);
        rig.offer(world::transfer(number, number, rig.now));
    }
    let one_more = bare(world::transfer(4, 4, rig.now));
    let refused = rig.core.offer(one_more.clone()).unwrap_err();
    assert_eq!(
        (refused.because, refused.intake),
        (RefusedBecause::Full, one_more.clone())
    );
    assert_eq!(
        (
            rig.core.room(),
            rig.core.waiting(),
            rig.core.counters().refused_full
        ),
        (0, 3, 1)
    );
    rig.settle();
    rig.core.offer(one_more).expect("room again");
}

#[test]
fn an_intake_is_full_by_bytes_too() {
    let limits = CoreLimits {
        intake_bytes_max: 1000,
        ..CoreLimits::default()
    };
    let mut rig = Rig::opened(limits);
    let sized = |bytes: usize| Intake {
        evidence: Bytes::from(vec![b' '; bytes]),
        ..bare(world::sign_on(world::CASPI, 1))
    };
    rig.core.offer(sized(400)).unwrap();
    rig.core.offer(sized(600)).unwrap();
    assert_eq!(rig.core.room(), 0);
    rig.core.offer(sized(0)).unwrap_err();
    rig.settle();
    rig.core
        .offer(sized(1001))
        .expect("a single large one is taken, or it never would be");
    rig.core.offer(sized(1)).unwrap_err();
}

#[test]
fn a_command_that_fits_into_no_batch_is_refused_and_leaves_no_trace() {
    let mut rig = Rig::opened(CoreLimits::default());
    let before = rig.core.last();
    let large = Intake {
        evidence: Bytes::from(vec![b' '; 64 << 10]),
        ..bare(world::transfer(1, 1, rig.now))
    };
    rig.core.offer(large).unwrap();
    rig.offer(world::transfer(2, 1, rig.now));
    assert_eq!(rig.step().records, 1);
    assert_eq!(rig.core.last().position, before.position.next());
    let refused = rig.core.refused().unwrap();
    assert_eq!(
        (refused.because, refused.intake.evidence.len()),
        (RefusedBecause::TooLarge, 64 << 10)
    );
    assert!(rig.core.refused().is_none());
    assert_eq!(rig.core.counters().refused_too_large, 1);
    rig.settle();
    assert_eq!(rig.released.len(), 1);
    assert_eq!(
        rig.released[0].outcome,
        Outcome::Accepted,
        "the sequence of the refused one was not used up"
    );
}

#[test]
fn a_batch_ends_at_its_records_and_at_its_bytes() {
    let mut rig = Rig::opened(CoreLimits {
        batch_records_max: 4,
        ..CoreLimits::default()
    });
    for number in 1..=6 {
        rig.offer(world::transfer(number, number, rig.now));
    }
    let stepped = rig.step();
    assert_eq!(
        (stepped.records, stepped.more, stepped.held),
        (4, true, None)
    );
    let stepped = rig.step();
    assert_eq!(
        (stepped.records, stepped.more, stepped.held),
        (2, false, None)
    );

    // Two of three originals fill a batch of 64 KiB; nothing is lost or put in another order.
    for number in 7..=9 {
        let command = world::transfer(number, number, rig.now);
        rig.core
            .offer(Intake {
                evidence: Bytes::from(vec![b' '; 30_000]),
                ..bare(command)
            })
            .unwrap();
    }
    assert_eq!((rig.step().records, rig.core.waiting()), (2, 1));
    rig.settle();
    assert!(
        rig.released
            .iter()
            .all(|seen| seen.outcome == Outcome::Accepted)
    );
    assert_eq!(rig.released.len(), 9);
}

#[test]
fn a_full_backlog_holds_the_intake_until_results_are_released() {
    let mut rig = Rig::opened(CoreLimits {
        backlog_records_max: 5,
        ..CoreLimits::default()
    });
    for number in 1..=8 {
        rig.offer(world::transfer(number, number, rig.now));
    }
    let stepped = rig.step();
    assert_eq!((stepped.records, stepped.held), (5, Some(Held::Backlog)));
    rig.sync();
    assert_eq!(rig.step().records, 0, "durable, but nobody has taken it");
    rig.release();
    assert_eq!(rig.step().records, 3);
    assert_eq!(rig.core.counters().held_by_backlog, 2);
}

#[test]
fn a_backlog_is_full_by_bytes_too() {
    let mut rig = Rig::opened(CoreLimits {
        backlog_bytes_max: 10_000,
        ..CoreLimits::default()
    });
    for number in 1..=3 {
        let command = world::transfer(number, number, rig.now);
        rig.core
            .offer(Intake {
                evidence: Bytes::from(vec![b' '; 6_000]),
                ..bare(command)
            })
            .unwrap();
    }
    assert_eq!(rig.step().held, Some(Held::Backlog));
    assert_eq!(rig.core.waiting(), 1);
    rig.settle();
    assert_eq!(rig.released.len(), 3);
}

#[test]
fn a_follower_that_lags_holds_commands_but_not_timers() {
    let mut rig = Rig::opened(CoreLimits {
        follower_lag_max: 4,
        ..CoreLimits::default()
    });
    for number in 1..=9 {
        rig.offer(world::transfer(number, number, rig.now));
    }
    let stepped = rig.step();
    assert_eq!(
        (stepped.records, stepped.held),
        (5, Some(Held::FollowerLag)),
        "one more than may be behind"
    );
    rig.pass(Span::from_secs(11));
    let stepped = rig.step();
    assert_eq!(
        (stepped.records, stepped.held),
        (1, Some(Held::FollowerLag)),
        "a tick"
    );
    assert_eq!(rig.core.counters().ticks, 1);
    rig.core.follower_applied(rig.core.last().position);
    rig.core.follower_applied(Position(1));
    assert_eq!(
        rig.step().records,
        4,
        "a report that comes late changes nothing"
    );
}
