//! `torap load`: drive a running switch with payments through its real wire, and report in one JSON line.

mod card_day;
mod cards;
mod gridlock;
mod memory;
mod operators;
mod overload;
mod own_switch;
mod snapshots;

use std::{
    io::Write,
    net::SocketAddr,
    ops::ControlFlow,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use clap::{Args, ValueEnum};
use serde::Deserialize;
use tokio::signal::unix::{SignalKind, signal};
use torap_domain::{BankCode, Bic, Sequence};
use torap_gateway::{
    session::Secret,
    wire::{Mode, Name},
};
use torap_load::{LoadBank, Outcome, Plan, Progress, SwitchUse, limits};

use self::{
    gridlock::Gridlock,
    own_switch::{OwnSwitch, Setup},
    snapshots::Snapshots,
};
use super::{Ending, Failure, print_line};
use crate::{
    control::{By, Client, Request},
    folder::{Folder, read_secret},
};

/// Money that each bank gets, in tenge: more than a run can move.
const FUND: &str = "50000000000.00";
/// Payments in flight of a closed loop, unless told otherwise.
const IN_FLIGHT_CLOSED: u32 = 512;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// What to load
    #[arg(long, value_enum, default_value_t = RailName::Instant)]
    rail: RailName,
    /// Banks that pay each other, 2 to 32
    #[arg(long, default_value_t = 4)]
    banks: usize,
    /// Links of each member of the card rail [default: 1]
    #[arg(long)]
    links: Option<usize>,
    /// Of so many card transactions in a hundred the cardholder types a PIN [default: 30, 0 if the members have no keys]
    #[arg(long)]
    pin_percent: Option<u32>,
    /// Every card message carries a MAC
    #[arg(long)]
    mac: bool,
    /// Payments a second, evenly spaced; 0 sends whenever fewer than --inflight are without an answer
    #[arg(long, default_value_t = 2000)]
    rate: u32,
    /// Seconds
    #[arg(long, default_value_t = 30)]
    duration: u64,
    /// Seconds of --duration at the start in which no latency is taken: the caches and buffers of a fresh process fill
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    warm_up: u64,
    /// Three phases instead of one: --rate, so many times --rate, and --rate again, each for --duration; one JSON line for each
    #[arg(long, value_name = "TIMES", num_args = 0..=1, default_missing_value = "3", value_parser = clap::value_parser!(u32).range(2..=100))]
    overload: Option<u32>,
    /// Payments without a final answer, at most [default: 512 with --rate 0, else no limit of its own; connections with --rail rtgs: 64]
    #[arg(long)]
    inflight: Option<u32>,
    /// So many card transactions instead of --duration: the session is cut over half-way, and a line tells the switch's memory twenty times
    #[arg(long)]
    count: Option<u64>,
    /// Entries that an own switch remembers for repeats and reversals in a run with --count [default: 1048576]
    #[arg(long, requires_all = ["count", "own_switch"], value_name = "ENTRIES")]
    window_entries: Option<u32>,
    /// Items of the day of --rail ics, over all banks [default: 100000]
    #[arg(long)]
    items: Option<u64>,
    /// A snapshot every so many seconds while the load runs
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    snapshot_every_s: Option<u64>,
    /// So many payments wait in IMTS without money, the solver looks at them while the load runs, and dissolves them; one JSON line more
    #[arg(long, value_name = "PAYMENTS", requires = "own_switch")]
    gridlock: Option<u32>,
    /// Of so many incoming messages one is parsed and validated in full
    #[arg(long, default_value_t = limits::CHECK_EVERY)]
    check_every: u32,
    /// The switch's ISO 20022 address; its control socket is in --dir
    #[arg(long, default_value = "127.0.0.1:7801", conflicts_with = "own_switch")]
    switch: SocketAddr,
    /// Load a switch in mode LIVE: its banks are funded on their real positions and pay each other from them
    #[arg(long, conflicts_with = "own_switch")]
    live: bool,
    /// Start a switch in a new folder for this run, and remove it afterwards
    #[arg(long)]
    own_switch: bool,
    /// Where the folder of --own-switch is made; should be on a disk [default: $CARGO_TARGET_DIR or the program's folder]
    #[arg(long, value_name = "DIR", requires = "own_switch")]
    work_dir: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RailName {
    Instant,
    Card,
    /// Payments between settlement accounts, through the operator's door
    Rtgs,
    /// A day of the clearing system: items by the operator's door, as fast as they are taken, then the close
    Ics,
}

/// A participant as the switch lists it.
#[derive(Clone, Debug, Deserialize)]
struct Participant {
    code: String,
    bics: Vec<String>,
    bank_codes: Vec<String>,
    state: String,
    link_up: bool,
    sponsor: Option<u64>,
    outbound_last: u64,
}

/// What the switch says of itself.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Report {
    cpu_us: u64,
    payments_finished: u64,
    conserved: bool,
    memory_bytes: Option<u64>,
}

/// The last line is the report, whatever happened to the payments. Exit status 0 only if none was lost, at least 999 of 1000
/// settled and the books balance.
pub(super) fn run(folder: &Folder, arguments: Arguments) -> Result<Ending, Failure> {
    let stop = catch_signals()?;
    cards::check(&arguments)?;
    operators::check(&arguments)?;
    gridlock::check(&arguments)?;
    // What can be wrong with the numbers is refused before anything starts.
    if arguments.rail == RailName::Instant {
        let placeholders = (0..arguments.banks.min(limits::BANKS_MAX + 1))
            .map(own_switch::placeholder)
            .collect();
        usage(plan(&arguments, arguments.switch, Mode::Test, placeholders).check())?;
    }
    if !arguments.own_switch && !arguments.live {
        refuse_live(folder)?;
    }
    match arguments.rail {
        RailName::Card => return cards::run(folder, &arguments, &stop),
        RailName::Rtgs | RailName::Ics => return operators::run(folder, &arguments, &stop),
        RailName::Instant => {}
    }
    if !arguments.own_switch {
        return load(folder, &arguments, arguments.switch, &stop);
    }
    let setup = Setup {
        configuration: own_switch::CONFIGURATION.into(),
        network: own_switch::network(arguments.banks),
        key_holders: Vec::new(),
    };
    let mut own = OwnSwitch::start(arguments.work_dir.as_deref(), &setup)?;
    let ending = load(own.folder(), &arguments, own.ready().iso20022, &stop);
    match (ending, own.stop()) {
        (Ok(ending), Ok(())) => Ok(ending),
        (Err(failure), _) => Err(own.with_log(failure)),
        (Ok(_), Err(text)) => Err(own.with_log(Failure::Failed(text))),
    }
}

/// Funds the banks, runs the load, prints the line.
fn load(
    folder: &Folder,
    arguments: &Arguments,
    switch: SocketAddr,
    stop: &AtomicBool,
) -> Result<Ending, Failure> {
    let mut control = Client::connect(&folder.control())?;
    let mode = mode(&mut control)?;
    let every = arguments.snapshot_every_s.map(Duration::from_secs);
    let _snapshots = every
        .map(|every| Snapshots::start(&folder.control(), every))
        .transpose()?;
    if let Some(times) = arguments.overload {
        return overload::run(folder, arguments, switch, mode, times, stop);
    }
    let banks = banks(folder, &mut control, arguments.banks)?;
    let codes: Vec<String> = banks.iter().map(|bank| bank.code.as_str().into()).collect();
    let plan = plan(arguments, switch, mode, banks);
    let gridlock = arguments
        .gridlock
        .map(|payments| Gridlock::start(&folder.control(), &codes, payments, plan.duration))
        .transpose()?;
    let (outcome, switch_use) = measure(&mut control, stop, |progress| {
        torap_load::run(&plan, progress)
    })?;
    let dissolved = match gridlock {
        None => true,
        Some(gridlock) => {
            let line = gridlock.finish()?;
            print_line(&serde_json::to_string(&line).map_err(|error| error.to_string())?)?;
            line.is_dissolved()
        }
    };
    match print_outcome(&outcome, switch_use)? {
        Ending::Done if !dissolved => Ok(Ending::Refused),
        ending => Ok(ending),
    }
}

/// The line of the report, and whether the run was good.
fn print_outcome(outcome: &Outcome, switch_use: SwitchUse) -> Result<Ending, Failure> {
    let line =
        serde_json::to_string(&outcome.line(switch_use)).map_err(|error| error.to_string())?;
    print_line(&line)?;
    Ok(if outcome.is_good() && switch_use.conserved {
        Ending::Done
    } else {
        Ending::Refused
    })
}

/// Chooses the banks and gives each more money than a run can move.
fn banks(folder: &Folder, control: &mut Client, wanted: usize) -> Result<Vec<LoadBank>, Failure> {
    let participants = answer(control, &Request::Participants)?;
    let banks = choose(
        participants,
        wanted,
        |code| folder.secret(code).exists(),
        |code| read_secret(&folder.secret(code)),
    )?;
    for bank in &banks {
        let by = By {
            operator: "load".into(),
            reference: "load run".into(),
        };
        control.must(&Request::Fund {
            by,
            code: bank.code.as_str().to_string(),
            amount: FUND.into(),
            out: false,
        })?;
    }
    Ok(banks)
}

/// Runs the load, with the switch's report before and after it.
fn measure(
    control: &mut Client,
    stop: &AtomicBool,
    run: impl FnOnce(
        &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<Outcome, torap_load::Failure>,
) -> Result<(Outcome, SwitchUse), Failure> {
    let before: Report = answer(control, &Request::Report)?;
    let outcome = run(&mut |progress| {
        show_progress(progress);
        if stop.load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    let outcome = outcome.map_err(|failure| match failure {
        torap_load::Failure::Plan { .. } => Failure::Usage(failure.to_string()),
        failure => Failure::Failed(failure.to_string()),
    })?;
    let after: Report = answer(control, &Request::Report)?;
    let switch_use = SwitchUse {
        cpu_us: after.cpu_us.saturating_sub(before.cpu_us),
        payments_finished: after
            .payments_finished
            .saturating_sub(before.payments_finished),
        conserved: before.conserved && after.conserved,
    };
    show_outcome(&outcome);
    Ok((outcome, switch_use))
}

fn plan(arguments: &Arguments, switch: SocketAddr, mode: Mode, banks: Vec<LoadBank>) -> Plan {
    let mut plan = Plan::new(
        banks,
        switch,
        mode,
        arguments.rate,
        Duration::from_secs(arguments.duration),
    );
    plan.warm_up = Duration::from_secs(arguments.warm_up);
    plan.in_flight_max = in_flight_max(arguments);
    plan.check_every = arguments.check_every;
    plan
}

fn in_flight_max(arguments: &Arguments) -> u32 {
    let usual = match arguments.rate {
        0 => IN_FLIGHT_CLOSED,
        _ => limits::IN_FLIGHT_MAX,
    };
    arguments.inflight.unwrap_or(usual)
}

fn usage(checked: Result<(), torap_load::Failure>) -> Result<(), Failure> {
    checked.map_err(|failure| Failure::Usage(format!("--{failure}")))
}

/// The first banks that can take part: active, direct, with a secret file, and without a host that would be thrown off its link.
fn choose(
    participants: Vec<Participant>,
    wanted: usize,
    has_secret: impl Fn(&str) -> bool,
    secret: impl Fn(&str) -> Result<[u8; 32], String>,
) -> Result<Vec<LoadBank>, Failure> {
    let known = participants.len();
    let fit = participants.into_iter().filter(|participant| {
        participant.state == "active"
            && participant.sponsor.is_none()
            && !participant.link_up
            && !participant.bank_codes.is_empty()
            && has_secret(&participant.code)
    });
    let chosen: Vec<Participant> = fit.take(wanted).collect();
    if chosen.len() < wanted {
        let text = format!(
            "--banks {wanted}: of {known} participants only {} are active, direct, have a bank code and a secret file in --dir, and are not signed on",
            chosen.len()
        );
        return Err(Failure::Failed(text));
    }
    let bank = |participant: Participant| {
        let code = &participant.code;
        let wrong = |what: &str| format!("participant {code}: {what}");
        let first = |texts: &[String]| texts.first().cloned().unwrap_or_default();
        Ok(LoadBank {
            code: Name::parse(code).ok_or_else(|| wrong("its code is no name for the wire"))?,
            bic: Bic::parse(&first(&participant.bics))
                .map_err(|error| wrong(&format!("BIC: {error}")))?,
            bank_code: BankCode::parse(&first(&participant.bank_codes))
                .map_err(|error| wrong(&format!("bank code: {error}")))?,
            secret: Secret::new(secret(code)?),
            held: Sequence::new(participant.outbound_last),
        })
    };
    chosen
        .into_iter()
        .map(bank)
        .collect::<Result<_, String>>()
        .map_err(Failure::Failed)
}

fn answer<T: for<'a> Deserialize<'a>>(
    control: &mut Client,
    request: &Request,
) -> Result<T, Failure> {
    let value = control.must(request)?;
    serde_json::from_value(value)
        .map_err(|error| Failure::Failed(format!("control socket: {request:?}: {error}")))
}

/// A run funds its banks and moves money between their positions, which in mode LIVE nobody may do by mistake.
fn refuse_live(folder: &Folder) -> Result<(), Failure> {
    match mode(&mut Client::connect(&folder.control())?)? {
        Mode::Test => Ok(()),
        Mode::Live => Err(Failure::Usage(
            "this switch is LIVE: a run funds its banks and moves money between their positions; --own-switch starts one for the \
             run, --live loads this one all the same"
                .into(),
        )),
    }
}

fn mode(control: &mut Client) -> Result<Mode, Failure> {
    #[derive(Deserialize)]
    struct Status {
        mode: String,
    }
    let status: Status = answer(control, &Request::Status)?;
    match status.mode.as_str() {
        "LIVE" => Ok(Mode::Live),
        "TEST" => Ok(Mode::Test),
        other => Err(Failure::Failed(format!(
            "control socket: the switch's mode is `{other}`"
        ))),
    }
}

/// Interrupt and termination end the run at the next progress report, so that an own switch is stopped and its folder removed.
fn catch_signals() -> Result<Arc<AtomicBool>, String> {
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let (mut interrupt, mut terminate) = {
        let _context = runtime.enter();
        let open = |kind| signal(kind).map_err(|error| format!("cannot wait for signals: {error}"));
        (
            open(SignalKind::interrupt())?,
            open(SignalKind::terminate())?,
        )
    };
    // Ends with the process.
    std::thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        });
        told.store(true, Ordering::Relaxed);
    });
    Ok(stop)
}

fn show_progress(progress: &Progress) {
    let p99 = progress
        .p99_us
        .map_or_else(|| "-".to_string(), milliseconds);
    tell(&format!(
        "{:>5} s  sent {}  settled {}  rejected {}  in flight {}  p99 {p99}",
        progress.elapsed.as_secs(),
        progress.sent,
        progress.settled,
        progress.rejected,
        progress.in_flight,
    ));
}

/// What the line does not say.
fn show_outcome(outcome: &Outcome) {
    tell(&format!(
        "load generator: {} us of its own a payment, {} messages checked in full, {} final answers repeated, {} links lost",
        outcome.own_cpu_us_per_payment(),
        outcome.checked,
        outcome.repeated,
        outcome.links_lost,
    ));
    if outcome.sent < outcome.scheduled {
        tell(&format!(
            "{} scheduled payments could not be sent",
            outcome.scheduled - outcome.sent
        ));
    }
    if outcome.breaches > 0 {
        tell(&format!("{} promises broken:", outcome.breaches));
        for text in &outcome.breach_texts {
            tell(&format!("  {text}"));
        }
    }
}

fn milliseconds(us: u64) -> String {
    format!("{}.{} ms", us / 1000, us % 1000 / 100)
}

fn tell(text: &str) {
    // Progress is no part of the result.
    let _ = writeln!(std::io::stderr(), "{text}");
}

#[cfg(test)]
mod tests;
