//! The command line: one program, one subcommand per job.
//!
//! Machine output on standard output, logs on standard error. Exit status 0 = done, 1 = refused, 2 = wrong use.

mod bank;
mod card;
mod certify;
mod check;
mod ctl;
mod demo;
mod depository;
mod hsm_sim;
mod journal;
mod load;
mod lsm;
mod qr;
mod reconcile;
mod replay;
mod simulate;

use std::{
    io::{IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use rustix::process::{Signal, set_parent_process_death_signal};

pub(crate) use bank::socket_of as bank_socket;

use crate::folder::Folder;

#[derive(Debug, Parser)]
#[command(
    name = "torap",
    version,
    about = "A national payment switch: instant payments on ISO 20022",
    max_term_width = 120
)]
struct Arguments {
    /// Folder of the switch: configuration, data, secrets, control socket [default: $TORAP_DIR or ~/.local/share/torap]
    #[arg(long, global = true, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// End when the process that started this one ends, in whatever way: for laboratories
    #[arg(long, global = true, hide = true)]
    end_with_parent: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a switch on the folder
    Serve,
    /// Operate a running switch
    Ctl(ctl::Arguments),
    /// Validate ISO 20022 messages offline
    Check(check::Arguments),
    /// Read, write and explain card messages offline
    Card(card::Arguments),
    /// Make and read national QR codes
    Qr(qr::Arguments),
    /// Which payments of a queue can settle all at once (liquidity saving), offline
    Lsm(lsm::Arguments),
    /// Look into a journal, or move old segments away: verify, stat, dump, archive
    Journal(journal::Arguments),
    /// Rebuild any moment of the past from the log, without the switch
    Replay(replay::Arguments),
    /// Prove a day from the log: what records told against what moved on the accounts
    Reconcile(reconcile::Reconcile),
    /// Run a default on a copy of the day, and tell who loses what
    Drill(reconcile::Drill),
    /// A simulated securities depository: delivery against payment
    Depository(depository::Arguments),
    /// Simulated banks
    Bank(bank::Arguments),
    /// A simulated payment HSM
    HsmSim(hsm_sim::Arguments),
    /// Drive a running switch with payments through its wire
    Load(load::Arguments),
    /// Certify a participant's host: play the switch through a catalogue of cases, and sign what came of it
    Certify(certify::Arguments),
    /// Simulate a switch, its banks, its disk and its network by a seed
    Simulate(simulate::Arguments),
    /// Start a switch with four simulated banks and run a day of payments
    Demo(demo::Arguments),
}

/// How a subcommand ended.
#[derive(Debug)]
pub enum Ending {
    Done,
    /// Done, and the answer is no. What was refused has been printed.
    Refused,
}

/// Why a subcommand could not be done.
#[derive(Debug)]
pub enum Failure {
    /// Wrong flags, files or keys: exit status 2.
    Usage(String),
    /// Everything else: exit status 1.
    Failed(String),
}

impl From<String> for Failure {
    fn from(text: String) -> Failure {
        Failure::Failed(text)
    }
}

/// Runs the program.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let code = if error.use_stderr() { 2 } else { 0 };
            // Nothing is left to do when the terminal is gone.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    start_logging();
    if arguments.end_with_parent
        && let Err(error) = set_parent_process_death_signal(Some(Signal::TERM))
    {
        tracing::warn!(%error, "this process may outlive the one that started it");
    }
    let folder = Folder::choose(arguments.dir.as_deref());
    let result = match arguments.command {
        Command::Serve => crate::serve::run(folder)
            .map(|()| Ending::Done)
            .map_err(Failure::Failed),
        Command::Ctl(arguments) => ctl::run(&folder, arguments),
        Command::Check(arguments) => check::run(arguments),
        Command::Card(arguments) => card::run(arguments),
        Command::Qr(arguments) => qr::run(arguments),
        Command::Lsm(arguments) => lsm::run(arguments),
        Command::Journal(arguments) => journal::run(&folder, arguments),
        Command::Replay(arguments) => replay::run(&folder, arguments),
        Command::Reconcile(arguments) => reconcile::run(&folder, arguments),
        Command::Drill(arguments) => reconcile::run_drill(&folder, arguments),
        Command::Depository(arguments) => depository::run(&folder, arguments),
        Command::Bank(arguments) => bank::run(&folder, arguments),
        Command::HsmSim(arguments) => hsm_sim::run(&folder, arguments),
        Command::Load(arguments) => load::run(&folder, arguments),
        Command::Certify(arguments) => certify::run(&folder, arguments),
        Command::Simulate(arguments) => simulate::run(arguments),
        Command::Demo(arguments) => demo::run(arguments),
    };
    match result {
        Ok(Ending::Done) => ExitCode::SUCCESS,
        Ok(Ending::Refused) => ExitCode::FAILURE,
        Err(Failure::Usage(text)) => {
            report(&text);
            ExitCode::from(2)
        }
        Err(Failure::Failed(text)) => {
            report(&text);
            ExitCode::FAILURE
        }
    }
}

/// One line on standard output.
///
/// # Errors
/// Standard output is closed.
pub fn print_line(line: &str) -> Result<(), String> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .map_err(|error| format!("standard output: {error}"))
}

fn report(text: &str) {
    // Standard error may be closed; there is no third place to complain.
    let _ = writeln!(std::io::stderr(), "torap: {text}");
}

/// Logs go to standard error; `TORAP_LOG` selects (e.g. `debug`, `torap=trace`).
fn start_logging() {
    let filter =
        tracing_subscriber::EnvFilter::try_from_env("TORAP_LOG").unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        // Colours are for eyes: a file or the system's log gets plain text.
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}
