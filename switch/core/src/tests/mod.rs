//! The core against a real journal on a disk in memory, and back again by replay.

mod crash;
mod limits;
mod replay;
mod time;
mod world;

use std::sync::Arc;

use bytes::Bytes;
use torap_domain::{Position, Span, Time};
use torap_engine::{Command, Effect, Engine, Outcome, Stamp};
use torap_journal::{Depth, Entropy, Journal, Log, MemoryMedium, Options, SteppedJournal};

use crate::{Core, CoreLimits, Intake, Recovered, Replay, ReplayError, Stepped};
use world::MORNING;

/// A core with its journal, in one thread.
struct Rig {
    medium: MemoryMedium,
    journal: SteppedJournal,
    core: Core,
    now: Time,
    released: Vec<Seen>,
}

/// A released result.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    stamp: Stamp,
    ticket: Option<u64>,
    outcome: Outcome,
    effects: Vec<Effect>,
    views: usize,
}

impl Rig {
    fn new(limits: CoreLimits) -> Rig {
        let medium = MemoryMedium::new();
        let journal = open(&medium);
        let core = Core::new(Engine::new(), Recovered::genesis(), limits);
        Rig {
            medium,
            journal,
            core,
            now: MORNING,
            released: Vec::new(),
        }
    }

    /// A rig whose banks are open for business, with everything released.
    fn opened(limits: CoreLimits) -> Rig {
        let mut rig = Rig::new(limits);
        for command in world::opening() {
            rig.offer(command);
            rig.settle();
        }
        let refused = rig
            .released
            .iter()
            .find(|seen| seen.outcome != Outcome::Accepted);
        assert_eq!(refused, None, "the opening is accepted");
        rig.released.clear();
        rig
    }

    fn offer(&mut self, command: Command) {
        self.offer_ticket(command, 0);
    }

    fn offer_ticket(&mut self, command: Command, ticket: u64) {
        let intake = Intake {
            command,
            evidence: Bytes::from_static(b"<Document/>"),
            secrets: crate::Secrets::NONE,
            ticket: Some(ticket),
        };
        self.core.offer(intake).expect("room in the intake");
    }

    /// One step of the core at the rig's time, handed to the journal.
    fn step(&mut self) -> Stepped {
        let mut batch = self.journal.batch();
        let stepped = self.core.step(self.now, &mut batch).expect("stepped");
        assert_eq!(batch.records(), stepped.records);
        if !batch.is_empty() {
            self.journal.append(batch).expect("appended");
        }
        stepped
    }

    /// Takes what may be released.
    fn release(&mut self) -> usize {
        let durable = Position(self.journal.durable_upto());
        let before = self.released.len();
        while let Some(released) = self.core.release(durable) {
            assert!(
                released.stamp.position <= durable,
                "released before it was durable"
            );
            self.released.push(Seen {
                stamp: released.stamp,
                ticket: released.ticket,
                outcome: released.outcome,
                effects: released.effects.to_vec(),
                views: released.views.len(),
            });
        }
        self.released.len() - before
    }

    /// Works everything off: intake, journal, releases, follower.
    fn settle(&mut self) {
        while self.core.waiting() > 0 || self.core.backlog() > 0 {
            self.step();
            self.sync();
            self.release();
            self.core.follower_applied(self.core.last().position);
        }
    }

    fn sync(&mut self) {
        while self.journal.durable_upto() < self.core.last().position.value() {
            self.journal.step().expect("the journal works");
        }
    }

    fn pass(&mut self, span: Span) {
        self.now = self.now.saturating_add(span);
    }
}

fn open(medium: &MemoryMedium) -> SteppedJournal {
    let options = Options {
        segment_bytes: 1 << 20,
        batch_bytes_max: 64 << 10,
        group_bytes_max: 256 << 10,
        writer: "torap test".to_owned(),
        opened_at: MORNING.nanos(),
        entropy: Entropy::Fixed([7; 32]),
        ..Options::default()
    };
    let (log, _) = Log::open(Arc::new(medium.clone()), options).expect("opened");
    SteppedJournal::new(log)
}

/// Applies everything the journal holds, from the beginning.
fn replay(journal: &dyn Journal) -> Result<(Replay, Vec<Seen>), ReplayError> {
    let mut replay = Replay::new(Engine::new(), Recovered::genesis());
    let mut seen = Vec::new();
    let mut records = journal.read_from(1, Depth::Facts).expect("readable");
    while let Some(record) = records.next().expect("readable") {
        let applied = replay.apply(&record.meta, record.facts)?;
        seen.push(Seen {
            stamp: applied.stamp,
            ticket: None,
            outcome: applied.outcome,
            effects: applied.effects.to_vec(),
            views: 0,
        });
    }
    Ok((replay, seen))
}

#[test]
fn nothing_is_released_before_its_record_is_durable() {
    let mut rig = Rig::opened(CoreLimits::default());
    for number in 1..=5 {
        rig.offer_ticket(world::transfer(number, number, rig.now), 100 + number);
    }
    assert_eq!(rig.step().records, 5);
    assert_eq!(rig.release(), 0, "applied, not even written");
    // One step of the journal writes, another one syncs.
    while rig.journal.durable_upto() < rig.core.last().position.value() {
        assert_eq!(rig.release(), 0);
        rig.journal.step().unwrap();
    }
    assert_eq!(rig.release(), 5);
    let tickets: Vec<_> = rig.released.iter().map(|seen| seen.ticket).collect();
    assert_eq!(
        tickets,
        [Some(101), Some(102), Some(103), Some(104), Some(105)],
        "in order, with the caller's numbers"
    );
    assert!(
        rig.released
            .iter()
            .all(|seen| seen.outcome == Outcome::Accepted && seen.effects.len() == 1)
    );
    assert_eq!(rig.release(), 0, "each once");
    assert_eq!(rig.core.backlog(), 0);
}

#[test]
fn a_batch_is_applied_while_the_one_before_it_is_synced() {
    let mut rig = Rig::opened(CoreLimits::default());
    rig.offer(world::transfer(1, 1, rig.now));
    rig.step();
    rig.offer(world::accept(1, 1));
    rig.step();
    assert_eq!(rig.core.backlog(), 2);
    let first = rig.core.last().position.value() - 1;
    while rig.journal.durable_upto() < first {
        rig.journal.step().unwrap();
    }
    rig.release();
    rig.sync();
    rig.release();
    let effects: Vec<_> = rig.released.iter().map(|seen| seen.effects.len()).collect();
    assert_eq!(effects, [1, 2], "a forward, then the outcome to both banks");
}

#[test]
fn released_results_carry_facts_original_and_views() {
    let mut rig = Rig::opened(CoreLimits::default());
    let transfer = world::transfer(1, 1, rig.now);
    rig.offer(transfer.clone());
    rig.offer(Command::Links(torap_engine::links::Command::Down {
        participant: world::HALYK,
        session: 1,
    }));
    rig.step();
    rig.sync();
    let durable = rig.core.last().position;
    let released = rig.core.release(durable).unwrap();
    assert_eq!(
        (released.command, released.evidence.as_ref()),
        (&transfer, b"<Document/>".as_slice())
    );
    assert_eq!(released.views.len(), 0);
    let released = rig.core.release(durable).unwrap();
    let [view] = released.views else {
        panic!("signing off changes one participant")
    };
    assert_eq!((view.id, view.link_up), (world::HALYK, false));
}
