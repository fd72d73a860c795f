//! A warm core allocates nothing for a command.

#[path = "../src/tests/world.rs"]
mod world;

use std::sync::Arc;

use allocation_counter::measure;
use bytes::Bytes;
use torap_core::{Core, CoreLimits, Intake, Recovered};
use torap_domain::{Position, Span, Time};
use torap_engine::{
    Bounds, Command, Engine, Outcome,
    instant::{self, History},
};
use torap_journal::{Batch, Entropy, Log, MemoryMedium, Options};

const PAYMENTS_PER_ROUND: u64 = 64;

/// Offers commands, steps, and releases everything at once, as if it were durable.
fn pass(core: &mut Core, batch: &mut Batch, commands: Vec<Command>, now: Time) {
    for command in commands {
        let intake = Intake {
            command,
            evidence: Bytes::from_static(b"<Document/>"),
            secrets: torap_core::Secrets::NONE,
            ticket: Some(1),
        };
        assert!(core.offer(intake).is_ok());
    }
    while core.waiting() > 0 {
        batch.clear();
        core.step(now, batch).expect("stepped");
        let last = core.last().position;
        while let Some(released) = core.release(last) {
            assert_eq!(released.outcome, Outcome::Accepted);
        }
    }
}

/// As a gateway writes it once the engine has forgotten payments: the index was asked.
fn looked_up(command: Command, as_of: Position) -> Command {
    match command {
        Command::Instant(instant::Command::CreditTransfer(mut transfer)) => {
            transfer.history = Some(History::Unknown { as_of });
            Command::Instant(instant::Command::CreditTransfer(transfer))
        }
        other => other,
    }
}

#[test]
fn a_warm_core_allocates_nothing_for_a_command() {
    let options = Options {
        entropy: Entropy::Fixed([7; 32]),
        ..Options::default()
    };
    let (log, _) = Log::open(Arc::new(MemoryMedium::new()), options).expect("opened");
    let mut batch = log.batch();
    let mut core = Core::new(Engine::new(), Recovered::genesis(), CoreLimits::default());
    let mut now = world::MORNING;
    pass(&mut core, &mut batch, world::opening(), now);
    let bounds = Bounds {
        duplicate_window_entries: 1000,
        ..Bounds::DEFAULT
    };
    pass(
        &mut core,
        &mut batch,
        vec![Command::Bounds {
            source: world::operator(),
            bounds,
        }],
        now,
    );

    let mut round = |number: u64| {
        let payments =
            || (1..=PAYMENTS_PER_ROUND).map(move |payment| number * PAYMENTS_PER_ROUND + payment);
        let last = core.last().position;
        let transfers = payments()
            .map(|payment| looked_up(world::transfer(payment, payment, now), last))
            .collect();
        let answers = payments()
            .map(|payment| world::accept(payment, payment))
            .collect();
        let allocations = measure(|| {
            pass(&mut core, &mut batch, transfers, now);
            pass(&mut core, &mut batch, answers, now);
        });
        now = now.saturating_add(Span::from_millis(10));
        allocations.count_total
    };
    let cold: u64 = (0..80).map(&mut round).sum();
    assert!(cold > 0, "the counter counts");
    let rounds = 40;
    let warm: u64 = (80..80 + rounds).map(&mut round).sum();
    // The engine's tables have thousands of parts that grow each by itself, and a few still do. One allocation for a command,
    // an original or an effect would be ten times as many.
    let commands = 2 * rounds * PAYMENTS_PER_ROUND;
    assert!(
        warm < commands / 10,
        "{warm} allocations for {commands} commands"
    );
    assert_eq!(
        core.last().position,
        Position(core.counters().commands + core.counters().marks)
    );
}
