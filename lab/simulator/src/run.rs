//! A whole run: the faults, the healing, the verdict; and a smaller run that fails the same way.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Serialize;
use torap_bank::Request;

use crate::{
    corrupt::Found,
    fault::{Counts, Fault},
    host::first_64,
    office::OfficeCounts,
    orders::OrderCounts,
    plan::{Plan, SECOND},
    trace::Trace,
    world::World,
};

/// Payments of a run unless stated.
pub const PAYMENTS: u64 = 1000;
/// Simulated time in which everything has to finish once the faults are over.
const HEAL_WITHIN: u64 = 900 * SECOND;
/// Pause between two rounds of status queries for what has no outcome yet.
const ASK_EVERY: u64 = 12 * SECOND;
/// Steps between two checks of the running switch.
const CHECK_EVERY: u64 = 4096;
/// Lines of a failing run that are told.
const TRACE_LINES_MAX: usize = 60;
/// Tries to make a failing run smaller.
const SHRINKS_MAX: usize = 10;

/// What to simulate.
#[derive(Clone, Debug)]
pub struct Options {
    /// The seed: everything else follows from it.
    pub seed: u64,
    /// Payments to send.
    pub payments: u64,
    /// Simulated minutes that the load is spread over, at least.
    pub minutes: Option<u64>,
    /// Kinds of faults that are left out.
    pub without: Vec<Fault>,
}

impl Options {
    /// The usual run of a seed.
    pub fn new(seed: u64) -> Options {
        Options {
            seed,
            payments: PAYMENTS,
            minutes: None,
            without: Vec::new(),
        }
    }
}

/// How a run came out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Everything finished and every check held.
    Ok,
    /// The log was damaged, and the switch refused to start on it.
    Detected,
    /// A check failed.
    Failed,
}

/// One line about a run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub seed: u64,
    pub payments: u64,
    /// Card requests and advices that acquirers sent; 0 if cards do not take part.
    pub cards: u64,
    /// Of the payments, those whose bank was told that they are settled.
    pub settled: u64,
    /// IMTS and the clearing system; nothing in a run that ended before its last checks.
    #[serde(flatten)]
    pub orders: OrderCounts,
    /// Back offices; as above.
    #[serde(flatten)]
    pub offices: OfficeCounts,
    /// Records in the log.
    pub commands: u64,
    pub faults: Counts,
    /// Ends of the switch's process.
    pub crashes: u64,
    /// Of everything that happened: the same seed gives the same digest.
    pub digest: String,
    pub verdict: Verdict,
    /// Simulated time, in seconds.
    pub seconds: u64,
    /// Where the damage was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub damage: Option<Place>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// The place that a refusal named.
#[derive(Clone, Debug, Serialize)]
pub struct Place {
    pub segment: String,
    pub offset: u64,
}

/// What went wrong, and how to see it again.
#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    pub step: u64,
    pub text: String,
    /// The smallest run found that fails: its payments and the faults it does without.
    pub payments: u64,
    pub without: Vec<&'static str>,
    pub trace: Vec<String>,
}

/// Simulates a seed. A failing run is made smaller and told in words.
pub fn simulate(options: &Options) -> Report {
    let mut report = run(options, false);
    if report.verdict == Verdict::Failed {
        let smallest = shrink(options);
        let told = run(&smallest, true);
        if told.failure.is_some() {
            report.failure = told.failure;
        }
    }
    report
}

/// Simulates a seed once.
pub fn run(options: &Options, told: bool) -> Report {
    let plan = Plan::draw(
        options.seed,
        options.payments,
        options.minutes,
        &options.without,
    );
    let mut world = World::new(plan, Trace::new(told));
    let ended = catch_unwind(AssertUnwindSafe(|| go(&mut world)));
    let place = match ended {
        Ok(place) => place,
        Err(panic) => {
            world.fail(format!("panic: {}", text_of(panic.as_ref())));
            None
        }
    };
    report(options, world, place)
}

/// Runs the phases; gives the place of damage that was detected.
fn go(world: &mut World) -> Option<Place> {
    while world.failure.is_none() && !world.is_load_done() {
        world.advance();
        if let Some(place) = corrupt(world, false) {
            return Some(place);
        }
        if world.step.is_multiple_of(CHECK_EVERY) {
            world.check_running();
        }
    }
    while world.failure.is_none() && world.plan.corruption.is_some() {
        world.advance();
        if let Some(place) = corrupt(world, true) {
            return Some(place);
        }
        if world.now > HEAL_WITHIN + world.plan.lasts {
            world.fail("nothing could be damaged");
        }
    }
    world.heal();
    let (end, mut ask_at) = (world.now + HEAL_WITHIN, world.now + ASK_EVERY);
    while world.failure.is_none() && !world.is_at_rest() {
        world.advance();
        if world.now >= ask_at {
            ask_at = world.now + ASK_EVERY;
            world.ask_open();
        }
        if world.now > end {
            let open = world.unfinished();
            world.fail(format!("not everything finishes: {open}"));
        }
    }
    if world.failure.is_none() {
        world.check_end();
    }
    None
}

fn corrupt(world: &mut World, now: bool) -> Option<Place> {
    let (fault, permille) = world.plan.corruption?;
    let due = world.load.sent.len() as u64 * 1000 >= world.plan.payments * permille;
    // Looking for a place reads the whole log, so not at every step.
    if !(due || now) || !world.step.is_multiple_of(64) {
        return None;
    }
    match world.corrupt(fault) {
        Found::TooEarly => None,
        Found::Detected { segment, offset } => Some(Place { segment, offset }),
        Found::Missed(text) => {
            world.fail(text);
            None
        }
    }
}

impl World {
    /// Everything has come to an end: no message under way, no payment open, every bank has heard all.
    fn is_at_rest(&mut self) -> bool {
        let Some(node) = &self.node else {
            return false;
        };
        let engine = node.core().engine();
        let cards = engine.card_stats();
        if !node.is_drained() || engine.stats().in_flight > 0 {
            return false;
        }
        if cards.in_flight > 0 || cards.queued > 0 {
            return false;
        }
        let office = self.office.as_ref();
        if office.is_some_and(|office| !office.unfinished(node).is_empty()) {
            return false;
        }
        let streams: Vec<u64> = (1..=self.hosts.len())
            .map(|number| torap_domain::ParticipantId::new(number as u16))
            .map(|id| {
                node.streams
                    .get(&id)
                    .map_or(0, |stream| stream.last().value())
            })
            .collect();
        let banks_rest = self.hosts.iter_mut().zip(streams).all(|(host, last)| {
            host.is_signed_on()
                && host.held.value() == last
                && host.bank.books().open() == 0
                && unacknowledged(host) == 0
        }) && !self
            .load
            .sent
            .iter()
            .any(|sent| self.hosts[sent.bank].bank.books().is_postponed(&sent.uetr));
        let wall = self.true_time();
        let cards = self.cards.as_mut().filter(|_| banks_rest);
        banks_rest && cards.is_none_or(|cards| cards.unfinished(wall).is_empty())
    }

    /// Banks ask for the status of what has no outcome yet, as real ones do.
    fn ask_open(&mut self) {
        let wall = self.true_time();
        if let Some(cards) = &mut self.cards {
            cards.ask_open(wall);
        }
        for sent in &self.load.sent {
            let host = &mut self.hosts[sent.bank];
            if host.is_signed_on() && is_open(host, &sent.uetr) {
                let status = Request::Status {
                    uetr: sent.uetr.clone(),
                    transaction_id: sent.transaction_id.clone(),
                };
                // A bank can always ask.
                let _ = host.bank.handle(status, wall);
            }
        }
    }

    fn unfinished(&mut self) -> String {
        let mut open = Vec::new();
        match &self.node {
            None => open.push("the switch does not run".to_string()),
            Some(node) => {
                let in_flight = node.core().engine().stats().in_flight;
                let cards = node.core().engine().card_stats();
                if cards.in_flight > 0 || cards.queued > 0 {
                    open.push(format!(
                        "{} card requests under way, {} letters queued",
                        cards.in_flight, cards.queued
                    ));
                }
                open.extend(
                    self.office
                        .iter()
                        .flat_map(|office| office.unfinished(node)),
                );
                if in_flight > 0 || !node.is_drained() {
                    open.push(format!(
                        "{in_flight} payments under way, drained: {}",
                        node.is_drained()
                    ));
                }
            }
        }
        let wall = self.true_time();
        if let Some(cards) = &mut self.cards {
            open.extend(cards.unfinished(wall));
        }
        for host in &mut self.hosts {
            let waiting = unacknowledged(host);
            let (signed_on, books) = (host.is_signed_on(), host.bank.books());
            if !signed_on || books.open() > 0 || waiting > 0 {
                open.push(format!(
                    "{}: signed on {signed_on}, {} payments open, {waiting} messages not acknowledged, holds {}",
                    host.code,
                    books.open(),
                    host.held.value()
                ));
            }
        }
        let first = self
            .load
            .sent
            .iter()
            .find(|sent| is_open(&self.hosts[sent.bank], &sent.uetr));
        if let Some(sent) = first {
            open.push(format!("the first open payment is {}", sent.uetr));
        }
        open.join("; ")
    }
}

/// Whether the bank does not know what became of its payment.
fn is_open(host: &crate::host::Host, uetr: &str) -> bool {
    let books = host.bank.books();
    books.outcome(uetr).is_none() || books.is_postponed(uetr)
}

fn unacknowledged(host: &mut crate::host::Host) -> u64 {
    let books = host.bank.handle(Request::Books, 0).unwrap_or_default();
    books["unacknowledged"].as_u64().unwrap_or(0)
}

fn report(options: &Options, world: World, damage: Option<Place>) -> Report {
    let mut hasher = blake3::Hasher::new();
    let mut fold = |number: u64| {
        hasher.update(&number.to_le_bytes());
    };
    fold(world.now);
    fold(world.step);
    fold(world.load.requests);
    for (name, count) in &world.counts {
        fold(name.len() as u64);
        fold(*count);
    }
    for host in &world.hosts {
        fold(host.bank.books().net() as u64);
        for received in host.received.iter().flatten() {
            fold(received.hash);
        }
    }
    for side in world.cards.iter().flat_map(|cards| &cards.sides) {
        fold(first_64(&side.received));
    }
    let mut commands = world.durable;
    if let Some(node) = &world.node {
        let end = node.core().recovered();
        fold(end.running);
        commands = end.last.position.value();
    }
    if let Some(place) = &damage {
        fold(place.offset);
    }
    let digest = format!("{:016x}", first_64(&hasher));
    let verdict = match (&world.failure, &damage) {
        (Some(_), _) => Verdict::Failed,
        (None, Some(_)) => Verdict::Detected,
        (None, None) => Verdict::Ok,
    };
    let outcome =
        |sent: &&crate::load::Sent| world.hosts[sent.bank].bank.books().outcome(&sent.uetr);
    let settled = world
        .load
        .sent
        .iter()
        .filter(|sent| outcome(sent) == Some(torap_bank::Final::Acsc))
        .count();
    let failure = world.failure.map(|text| Failure {
        step: world.step,
        trace: world.trace.shortest(&text, TRACE_LINES_MAX),
        text,
        payments: options.payments,
        without: options.without.iter().map(|fault| fault.name()).collect(),
    });
    Report {
        seed: options.seed,
        payments: world.load.sent.len() as u64,
        cards: world.cards.map_or(0, |cards| cards.load.sent.len() as u64),
        settled: settled as u64,
        orders: world.order_counts,
        offices: world.office_counts,
        commands,
        faults: world.counts,
        crashes: world.crashes,
        digest,
        verdict,
        seconds: world.now / SECOND,
        damage,
        failure,
    }
}

/// A run with fewer payments and fewer kinds of faults that still fails.
fn shrink(options: &Options) -> Options {
    let fails = |options: &Options| run(options, false).verdict == Verdict::Failed;
    let mut smallest = options.clone();
    for divisor in [64, 16, 4, 2] {
        let fewer = Options {
            payments: (options.payments / divisor).max(1),
            ..smallest.clone()
        };
        if fails(&fewer) {
            smallest = fewer;
            break;
        }
    }
    for kinds in Fault::ALL.chunks(Fault::ALL.len().div_ceil(SHRINKS_MAX)) {
        let mut fewer = smallest.clone();
        fewer.without.extend(kinds);
        if fails(&fewer) {
            smallest = fewer;
        }
    }
    smallest
}

fn text_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("without a text")
        .to_string()
}
