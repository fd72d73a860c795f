//! `--rail rtgs`: payments between settlement accounts, each an order of its own, each durable before it is answered.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use torap_load::{Histogram, Outcome, SwitchUse};

use super::{Bank, CONNECTIONS, banks, by, open_day};
use crate::{
    cli::{
        Ending, Failure,
        load::{Arguments, Report, answer, print_outcome, tell},
    },
    control::{Client, Request, RtgsChange, RtgsPriority, RtgsShow},
    folder::Folder,
    serve::wall_clock,
};

/// What all connections share.
struct Run<'r> {
    banks: &'r [Bank],
    /// Tells this run's identifiers from those of others.
    seed: u64,
    /// Payments a second; none in a closed loop.
    rate: Option<u64>,
    warm_up: Duration,
    began: Instant,
    ends: Instant,
    next: AtomicU64,
    counts: Mutex<Counts>,
    stop: &'r AtomicBool,
}

#[derive(Debug, Default)]
struct Counts {
    taken: u64,
    rejected: BTreeMap<String, u64>,
    latency: Histogram,
}

/// Pays until the time is over. Exit status 0 only if all payments settled and the books balance.
pub(super) fn run(
    folder: &Folder,
    arguments: &Arguments,
    stop: &AtomicBool,
) -> Result<Ending, Failure> {
    let mut control = Client::connect(&folder.control())?;
    let banks = banks(&mut control, arguments.banks)?;
    open_day(&mut control)?;
    let waiting_before = waiting(&mut control)?;
    let before: Report = answer(&mut control, &Request::Report)?;
    let began = Instant::now();
    let run = Run {
        banks: &banks,
        seed: wall_clock().nanos(),
        rate: Some(u64::from(arguments.rate)).filter(|rate| *rate > 0),
        warm_up: Duration::from_secs(arguments.warm_up),
        began,
        ends: began + Duration::from_secs(arguments.duration),
        next: AtomicU64::new(0),
        counts: Mutex::default(),
        stop,
    };
    let connections = (0..arguments.inflight.unwrap_or(CONNECTIONS))
        .map(|_| Client::connect(&folder.control()))
        .collect::<Result<Vec<_>, _>>()?;
    thread::scope(|scope| {
        let threads: Vec<_> = connections
            .into_iter()
            .map(|client| scope.spawn(|| run.pay(client)))
            .collect();
        threads
            .into_iter()
            .try_for_each(|thread| match thread.join() {
                Ok(ended) => ended,
                Err(_) => Err("a connection's thread panicked".to_string()),
            })
    })?;
    let elapsed = began.elapsed();
    let after: Report = answer(&mut control, &Request::Report)?;
    let queued = waiting(&mut control)?.saturating_sub(waiting_before);
    let counts = run.counts.into_inner().unwrap_or_default();
    let refused: u64 = counts.rejected.values().sum();
    let sent = counts.taken + refused;
    tell(&format!("{queued} of {sent} payments wait"));
    let outcome = Outcome {
        // A closed loop and one that keeps its rate send what they schedule.
        scheduled: run.rate.map_or(sent, |rate| rate * arguments.duration),
        sent,
        settled: counts.taken.saturating_sub(queued),
        rejected: counts.rejected,
        unknown: queued,
        elapsed,
        latency: counts.latency,
        warm_up: run.warm_up,
        repeated: 0,
        links_lost: 0,
        checked: 0,
        breaches: 0,
        breach_texts: Vec::new(),
        own_cpu: Duration::ZERO,
    };
    let switch_use = SwitchUse {
        cpu_us: after.cpu_us.saturating_sub(before.cpu_us),
        payments_finished: outcome.settled,
        conserved: before.conserved && after.conserved,
    };
    print_outcome(&outcome, switch_use)
}

impl Run<'_> {
    /// One connection: takes the next payment of all, waits until it is due, and for its answer.
    fn pay(&self, mut client: Client) -> Result<(), String> {
        let banks = self.banks.len() as u64;
        while !self.stop.load(Ordering::Relaxed) {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let due = match self.rate {
                Some(rate) => self.began + Duration::from_nanos(number * 1_000_000_000 / rate),
                None => Instant::now(),
            };
            if due >= self.ends {
                return Ok(());
            }
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let from = number % banks;
            let to = (from + 1 + number / banks % (banks - 1)) % banks;
            let code = |place: u64| self.banks[place as usize].code.clone();
            let payment = RtgsChange::Pay {
                from: code(from),
                to: code(to),
                amount: format!("{}.00", 1 + number % 1_000_000),
                priority: RtgsPriority::Normal,
                id: format!("LOAD{:x}-{number}", self.seed),
                earliest: None,
                latest: None,
            };
            let answer = client.ask(&Request::RtgsChange {
                by: by(),
                change: payment,
            })?;
            let took = due.elapsed();
            let mut counts = self
                .counts
                .lock()
                .map_err(|_| "another connection's thread panicked")?;
            match answer {
                Ok(_) => counts.taken += 1,
                Err(refusal) => *counts.rejected.entry(refusal.rule).or_default() += 1,
            }
            if due >= self.began + self.warm_up {
                let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
                counts.latency.record(us);
            }
        }
        Ok(())
    }
}

/// Payments that wait in queues.
fn waiting(control: &mut Client) -> Result<u64, Failure> {
    let what = RtgsShow::Status;
    let status = control.must(&Request::Rtgs { what })?;
    let rows = status["accounts"].as_array().into_iter().flatten();
    Ok(rows.filter_map(|row| row["queued"].as_u64()).sum())
}
