//! Many seeds over all cores, one line of JSON each, and a summary.

use std::{
    collections::BTreeMap,
    io::Write,
    ops::Range,
    process::ExitCode,
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
};

use serde::Serialize;

use crate::{
    Counts, Fault, OfficeCounts, Options, OrderCounts, PAYMENTS, Report, Verdict, simulate,
};

/// What `--check-faults` demands of every kind over the whole range.
pub const EACH_FAULT_MIN: u64 = 20;
/// Seeds within which a broken variant has to be caught.
pub const MUTANT_SEEDS: u64 = 50;

const USAGE: &str = "usage: torap-simulator --seeds A..B [--payments N] [--minutes M] [--jobs J] [--without KIND,..] [--quiet] [--check-faults]
       torap-simulator --mutant NAME      (only built with the feature `mutants`)";

#[derive(Debug)]
struct Asked {
    seeds: Range<u64>,
    payments: u64,
    minutes: Option<u64>,
    jobs: usize,
    without: Vec<Fault>,
    quiet: bool,
    check_faults: bool,
    mutant: Option<String>,
}

/// The last line: all runs together.
#[derive(Debug, Serialize)]
struct Summary {
    seeds: u64,
    ok: u64,
    detected: u64,
    failed: u64,
    first_failed: Option<u64>,
    payments: u64,
    settled: u64,
    /// Card requests, and the seeds in which cards take part.
    cards: u64,
    card_seeds: u64,
    #[serde(flatten)]
    orders: OrderCounts,
    #[serde(flatten)]
    offices: OfficeCounts,
    commands: u64,
    crashes: u64,
    faults: BTreeMap<&'static str, u64>,
    simulated_hours: f64,
}

/// Runs the program.
pub fn main() -> ExitCode {
    let asked = match parse(std::env::args().skip(1)) {
        Ok(asked) => asked,
        Err(text) => {
            say(
                &mut std::io::stderr(),
                &format!("torap-simulator: {text}\n{USAGE}"),
            );
            return ExitCode::from(2);
        }
    };
    // A panic is a finding that the report tells; its own words would stand between the lines.
    std::panic::set_hook(Box::new(|_| {}));
    match &asked.mutant {
        Some(name) => hunt(name, &asked),
        None => all(&asked),
    }
}

fn all(asked: &Asked) -> ExitCode {
    let mut summary = Summary {
        seeds: 0,
        ok: 0,
        detected: 0,
        failed: 0,
        first_failed: None,
        payments: 0,
        settled: 0,
        cards: 0,
        card_seeds: 0,
        orders: OrderCounts::default(),
        offices: OfficeCounts::default(),
        commands: 0,
        crashes: 0,
        faults: Fault::ALL.iter().map(|fault| (fault.name(), 0)).collect(),
        simulated_hours: 0.0,
    };
    let mut seconds = 0;
    over(asked, |report| {
        summary.seeds += 1;
        match report.verdict {
            Verdict::Ok => summary.ok += 1,
            Verdict::Detected => summary.detected += 1,
            Verdict::Failed => {
                summary.failed += 1;
                summary.first_failed.get_or_insert(report.seed);
            }
        }
        summary.payments += report.payments;
        summary.settled += report.settled;
        summary.cards += report.cards;
        summary.card_seeds += u64::from(report.cards > 0);
        summary.orders.add(&report.orders);
        summary.offices.add(&report.offices);
        summary.commands += report.commands;
        summary.crashes += report.crashes;
        seconds += report.seconds;
        add(&mut summary.faults, &report.faults);
        if !asked.quiet || report.verdict == Verdict::Failed {
            print(&report);
        }
        true
    });
    summary.simulated_hours = seconds as f64 / 3600.0;
    print(&summary);
    let mut fine = summary.failed == 0;
    if asked.check_faults {
        for (name, count) in summary
            .faults
            .iter()
            .filter(|(_, count)| **count < EACH_FAULT_MIN)
        {
            fine = false;
            let text = format!(
                "torap-simulator: {name} happened {count} times, fewer than {EACH_FAULT_MIN}"
            );
            say(&mut std::io::stderr(), &text);
        }
    }
    if fine {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Runs a broken variant until a seed catches it.
fn hunt(name: &str, asked: &Asked) -> ExitCode {
    if let Err(text) = crate::mutant::choose(name) {
        say(&mut std::io::stderr(), &format!("torap-simulator: {text}"));
        return ExitCode::from(2);
    }
    let mut caught = None;
    over(asked, |report| {
        if report.verdict == Verdict::Failed {
            caught = Some(report);
        }
        caught.is_none()
    });
    match caught {
        Some(report) => {
            let text = report
                .failure
                .as_ref()
                .map_or("", |failure| failure.text.as_str());
            say(
                &mut std::io::stdout(),
                &serde_json::json!({ "mutant": name, "caught": true, "seed": report.seed, "by": text }).to_string(),
            );
            ExitCode::SUCCESS
        }
        None => {
            say(
                &mut std::io::stdout(),
                &serde_json::json!({ "mutant": name, "caught": false }).to_string(),
            );
            ExitCode::FAILURE
        }
    }
}

/// Runs all seeds over the cores and hands out their reports in the order of the seeds, until `take` has enough.
fn over(asked: &Asked, mut take: impl FnMut(Report) -> bool) {
    let next = AtomicU64::new(asked.seeds.start);
    let (sender, reports) = mpsc::sync_channel(64);
    std::thread::scope(|scope| {
        for _ in 0..asked.jobs {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= asked.seeds.end {
                        return;
                    }
                    let options = Options {
                        seed,
                        payments: asked.payments,
                        minutes: asked.minutes,
                        without: asked.without.clone(),
                    };
                    let report = match asked.mutant {
                        Some(_) => crate::run(&options, false),
                        None => simulate(&options),
                    };
                    // Nobody listens any more: enough was seen.
                    if sender.send(report).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut waiting = BTreeMap::new();
        let mut expected = asked.seeds.start;
        for report in reports {
            waiting.insert(report.seed, report);
            while let Some(report) = waiting.remove(&expected) {
                expected += 1;
                if !take(report) {
                    next.store(u64::MAX / 2, Ordering::Relaxed);
                    return;
                }
            }
        }
    });
}

fn parse(arguments: impl Iterator<Item = String>) -> Result<Asked, String> {
    let mut asked = Asked {
        seeds: 0..0,
        payments: PAYMENTS,
        minutes: None,
        jobs: std::thread::available_parallelism().map_or(1, usize::from),
        without: Vec::new(),
        quiet: false,
        check_faults: false,
        mutant: None,
    };
    let mut arguments = arguments.peekable();
    while let Some(flag) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .ok_or_else(|| format!("{flag} wants a value"))
        };
        match flag.as_str() {
            "--seeds" => asked.seeds = seeds(&value()?)?,
            "--payments" => asked.payments = number(&flag, &value()?)?,
            "--minutes" => asked.minutes = Some(number(&flag, &value()?)?),
            "--jobs" => asked.jobs = number(&flag, &value()?)? as usize,
            "--without" => {
                for name in value()?.split(',') {
                    asked
                        .without
                        .push(Fault::parse(name).ok_or_else(|| format!("no fault `{name}`"))?);
                }
            }
            "--mutant" => asked.mutant = Some(value()?),
            "--quiet" => asked.quiet = true,
            "--check-faults" => asked.check_faults = true,
            other => return Err(format!("unexpected argument `{other}`")),
        }
    }
    if asked.mutant.is_some() && asked.seeds.is_empty() {
        asked.seeds = 0..MUTANT_SEEDS;
    }
    if asked.seeds.is_empty() || asked.jobs == 0 || asked.payments == 0 {
        return Err("--seeds, --jobs and --payments must not be empty".into());
    }
    Ok(asked)
}

fn seeds(text: &str) -> Result<Range<u64>, String> {
    let (from, to) = text.split_once("..").ok_or("--seeds wants A..B")?;
    Ok(number("--seeds", from)?..number("--seeds", to)?)
}

fn number(flag: &str, text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| format!("{flag}: `{text}` is no number"))
}

fn add(total: &mut BTreeMap<&'static str, u64>, counts: &Counts) {
    for (name, count) in counts {
        *total.entry(name).or_default() += count;
    }
}

fn print(value: &impl Serialize) {
    let line = serde_json::to_string(value).unwrap_or_else(|error| error.to_string());
    say(&mut std::io::stdout(), &line);
}

/// One line; when its reader is gone, nobody is left to tell.
fn say(out: &mut dyn Write, line: &str) {
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
