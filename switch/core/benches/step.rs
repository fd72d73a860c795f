//! What a command costs on its way through the core: `cargo bench -p torap-core`.
//!
//! One line of JSON: CPU time of the core's thread for a whole payment (a pacs.008 of 3,310 bytes and its answer), offered,
//! written into batches, applied and released; of the same commands applied by the engine alone; and of their records replayed.

#![allow(clippy::print_stdout, reason = "the figures are this program's output")]

#[path = "../src/tests/world.rs"]
mod world;

use std::sync::Arc;

use bytes::Bytes;
use rustix::time::{ClockId, clock_gettime};
use torap_core::{Core, CoreLimits, Intake, Recovered, Replay};
use torap_domain::{Position, Span, Time};
use torap_engine::{Command, Engine, Output, Stamp, codec};
use torap_journal::{Batch, Log, MemoryMedium, Options, RecordMeta};

const ROUNDS: u64 = 400;
const PAYMENTS_PER_ROUND: u64 = 500;
/// Bytes of the bench document.
const ORIGINAL_BYTES: usize = 3310;

fn main() {
    let (core_ns, bytes) = core();
    let payments = ROUNDS * PAYMENTS_PER_ROUND;
    let per_payment = |ns: u64| ns as f64 / payments as f64 / 1000.0;
    println!(
        "{{\"payments\":{payments},\"core_us_per_payment\":{:.3},\"engine_us_per_payment\":{:.3},\
         \"replay_us_per_payment\":{:.3},\"log_bytes_beside_the_original\":{}}}",
        per_payment(core_ns),
        per_payment(engine()),
        per_payment(replay()),
        bytes / payments,
    );
}

fn core() -> (u64, u64) {
    let (log, _) = Log::open(Arc::new(MemoryMedium::new()), Options::default()).expect("opened");
    let mut batch = log.batch();
    let mut core = Core::new(Engine::new(), Recovered::genesis(), CoreLimits::default());
    pass(&mut core, &mut batch, world::opening(), world::MORNING);
    let (mut spent, mut bytes) = (0, 0);
    for (commands, now) in rounds() {
        let start = cpu_ns();
        bytes += pass(&mut core, &mut batch, commands, now);
        spent += cpu_ns() - start;
    }
    (
        spent,
        bytes - ROUNDS * PAYMENTS_PER_ROUND * (ORIGINAL_BYTES as u64),
    )
}

/// Offers, steps and releases; gives the bytes written into batches.
fn pass(core: &mut Core, batch: &mut Batch, commands: Vec<Command>, now: Time) -> u64 {
    let original = Bytes::from(vec![b'x'; ORIGINAL_BYTES]);
    let mut bytes = 0;
    for command in commands {
        let is_transfer = matches!(
            command,
            Command::Instant(torap_engine::instant::Command::CreditTransfer(_))
        );
        let evidence = if is_transfer {
            original.clone()
        } else {
            Bytes::new()
        };
        assert!(
            core.offer(Intake {
                command,
                evidence,
                secrets: torap_core::Secrets::NONE,
                ticket: Some(1)
            })
            .is_ok()
        );
    }
    while core.waiting() > 0 {
        batch.clear();
        core.step(now, batch).expect("stepped");
        bytes += batch.bytes() as u64;
        let last = core.last().position;
        while core.release(last).is_some() {}
    }
    bytes
}

fn engine() -> u64 {
    let (mut engine, mut output) = (Engine::new(), Output::new());
    let mut position = Position::ZERO;
    let mut apply = |commands: &[Command], now: Time| {
        for command in commands {
            position = position.next();
            engine.apply(
                Stamp {
                    position,
                    time: now,
                },
                command,
                &mut output,
            );
        }
    };
    apply(&world::opening(), world::MORNING);
    let mut spent = 0;
    for (commands, now) in rounds() {
        let start = cpu_ns();
        apply(&commands, now);
        spent += cpu_ns() - start;
    }
    spent
}

fn replay() -> u64 {
    let mut replay = Replay::new(Engine::new(), Recovered::genesis());
    let (mut spent, mut records, mut facts) = (0, Vec::new(), Vec::new());
    let mut sequence = 0;
    for (commands, now) in std::iter::once((world::opening(), world::MORNING)).chain(rounds()) {
        records.clear();
        for command in &commands {
            facts.clear();
            sequence += 1;
            let kind = codec::encode(command, &mut facts);
            let meta = RecordMeta {
                kind,
                sequence,
                time: now.nanos() + sequence,
                rules_version: 1,
            };
            records.push((meta, facts.clone()));
        }
        let start = cpu_ns();
        for (meta, facts) in &records {
            replay.apply(meta, facts).expect("applied");
        }
        spent += cpu_ns() - start;
    }
    spent
}

/// Payments and their answers, round by round.
fn rounds() -> impl Iterator<Item = (Vec<Command>, Time)> {
    (0..ROUNDS).map(|round| {
        let now = world::MORNING.saturating_add(Span::from_millis(50 * (round + 1)));
        let payments =
            || (1..=PAYMENTS_PER_ROUND).map(move |payment| round * PAYMENTS_PER_ROUND + payment);
        let transfers = payments().map(|payment| world::transfer(payment, payment, now));
        (
            transfers
                .chain(payments().map(|payment| world::accept(payment, payment)))
                .collect(),
            now,
        )
    })
}

/// Nanoseconds of this thread's CPU time.
fn cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
