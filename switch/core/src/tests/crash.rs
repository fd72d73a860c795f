//! The power goes off at any moment; whatever was released is in the log afterwards, and the log gives the same state.

use proptest::prelude::*;
use torap_domain::Span;
use torap_engine::Outcome;
use torap_journal::Journal;

use super::{Rig, Seen, open, replay, world};
use crate::{Core, CoreLimits};

#[derive(Clone, Copy, Debug)]
enum Act {
    Pay,
    Accept,
    /// Milliseconds.
    Pass(u64),
    StepCore,
    StepJournal,
    Release,
    /// With the seed that decides what the disk keeps.
    Crash(u64),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        8 => Just(Act::Pay),
        6 => Just(Act::Accept),
        2 => (0..4000_u64).prop_map(Act::Pass),
        6 => Just(Act::StepCore),
        8 => Just(Act::StepJournal),
        5 => Just(Act::Release),
        1 => any::<u64>().prop_map(Act::Crash),
    ];
    prop::collection::vec(act, 10..250)
}

/// A rig with crashes, and what the outside remembers.
struct Storm {
    rig: Rig,
    limits: CoreLimits,
    /// Everything released since the beginning.
    released: Vec<Seen>,
    epoch: u32,
    next_payment: u64,
}

impl Storm {
    fn new() -> Storm {
        let limits = CoreLimits {
            mark_every_records: 9,
            batch_records_max: 6,
            backlog_records_max: 20,
            ..CoreLimits::default()
        };
        let mut rig = Rig::opened(limits);
        rig.settle();
        Storm {
            rig,
            limits,
            released: Vec::new(),
            epoch: 1,
            next_payment: 1,
        }
    }

    fn act(&mut self, act: Act) {
        let rig = &mut self.rig;
        match act {
            Act::Pay => {
                // Banks lose what was not answered and number their messages from what the switch last took.
                let number = self.next_payment;
                self.next_payment += 1;
                let sequence = next_sequence(rig, world::CASPI);
                rig.offer(world::transfer(number, sequence, rig.now));
                rig.step();
            }
            Act::Accept => {
                let sequence = next_sequence(rig, world::HALYK);
                rig.offer(world::accept(
                    self.next_payment.saturating_sub(sequence % 3 + 1),
                    sequence,
                ));
                rig.step();
            }
            Act::Pass(millis) => rig.pass(Span::from_millis(millis)),
            Act::StepCore => drop(rig.step()),
            Act::StepJournal => drop(rig.journal.step().unwrap()),
            Act::Release => drop(rig.release()),
            Act::Crash(seed) => self.crash(seed),
        }
    }

    fn crash(&mut self, seed: u64) {
        let rig = &mut self.rig;
        rig.release();
        self.released.append(&mut rig.released);
        rig.medium.crash(seed);
        rig.journal = open(&rig.medium);
        let (replayed, seen) = replay(&rig.journal).expect("the log can be replayed");
        for released in &self.released {
            let logged = seen
                .get(released.stamp.position.value() as usize - 1)
                .expect("what was released is in the log");
            assert_eq!(
                (logged.stamp, logged.outcome, &logged.effects),
                (released.stamp, released.outcome, &released.effects)
            );
        }
        let (engine, recovered) = replayed.into_parts();
        rig.core = Core::new(engine, recovered, self.limits);
        self.epoch += 1;
        rig.offer(world::start(self.epoch));
        rig.offer(world::sign_on(world::CASPI, u64::from(self.epoch)));
        rig.offer(world::sign_on(world::HALYK, u64::from(self.epoch)));
        rig.settle();
        assert!(
            rig.released
                .iter()
                .all(|seen| seen.ticket.is_none() || seen.outcome == Outcome::Accepted)
        );
    }

    /// No more faults: everything comes to its end.
    fn heal(&mut self) {
        self.rig.settle();
        for _ in 0..40 {
            self.rig.pass(Span::from_secs(1));
            self.rig.step();
            self.rig.sync();
            self.rig.release();
        }
    }
}

fn next_sequence(rig: &Rig, participant: torap_domain::ParticipantId) -> u64 {
    rig.core
        .engine()
        .participant_view(participant)
        .unwrap()
        .inbound_last
        .value()
        + 1
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_released_survives_and_the_log_gives_the_same_state(acts in acts()) {
        let mut storm = Storm::new();
        for act in acts {
            storm.act(act);
        }
        storm.heal();
        let rig = &storm.rig;
        prop_assert_eq!(rig.core.engine().stats().in_flight, 0, "every payment is decided");
        prop_assert!(rig.core.engine().conservation().is_ok());
        prop_assert_eq!(rig.journal.durable_upto(), rig.core.last().position.value());
        let (replayed, _) = replay(&rig.journal).unwrap();
        prop_assert_eq!(replayed.engine().digest(), rig.core.engine().digest());
        prop_assert_eq!(replayed.recovered(), rig.core.recovered());
    }
}
