//! Developer commands of the workspace: `cargo xtask <command>`.
//!
//! Builds nothing that needs RocksDB by itself: it prepares the machine, then calls cargo and the program `torap`.
#![expect(
    clippy::print_stdout,
    reason = "a command-line tool prints its results"
)]

mod bench;
mod ci;
mod codegen;
mod demo;
mod fuzz;
mod machine;
mod rocksdb;
mod run;
mod simulate;
mod test;
mod tidy;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask <command>

  demo [--exit] [--keep DIR]   prepare the machine, build, start a switch with four simulated banks and run a day of payments
  test [ARGS…]                 prepare the machine and run all tests (ARGS go to `cargo test`)
  ci                           exactly what CI runs: fmt, clippy, tidy, codegen, deny, test, doc, bench smoke, demo
  bench [NAME…]                all criterion benches, or those whose name contains NAME
  bench e2e --rail instant --rate R --duration D [--inflight N] [--banks B]
                               build, start a switch in a temporary folder, drive it through its wire, print one JSON line
  fuzz [--seconds N] [TARGET…]
                               build the fuzz targets of tests/fuzz and run all of them, or those named, for 60 seconds each
  simulate --seeds A..B [--payments N] [--minutes M] [--quiet] [--check-faults]
                               a switch with banks, disk and network in one thread, once per seed; one JSON line each and a summary
  simulate --mutant NAME       a deliberately broken switch; succeeds if it is caught within 50 seeds
  codegen [--check]            message tables and docs/messages.md from the XSDs and usage tables
  tidy                         house rules: dependency edges, file lengths, links, promises

CARGO_TARGET_DIR is honoured; without it, ~/.cache/torap/target is used.
";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    let result = match command.as_str() {
        "demo" => demo::run(&rest),
        "test" => test::run(&rest),
        "ci" => no_arguments(&rest).and_then(|()| ci::run()),
        "bench" => bench::run(&rest),
        "fuzz" => fuzz::run(&rest),
        "simulate" => simulate::run(&rest),
        "codegen" => codegen_command(&rest),
        "tidy" => no_arguments(&rest).and_then(|()| tidy::run()),
        "" | "help" | "-h" | "--help" => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        other => Err(run::Failure::Usage(format!("no command `{other}`"))),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(run::Failure::Usage(text)) => {
            eprintln!("xtask: {text}\n\n{HELP}");
            ExitCode::from(2)
        }
        Err(run::Failure::Refused(text)) => {
            eprintln!("xtask: {text}");
            ExitCode::FAILURE
        }
    }
}

fn no_arguments(rest: &[String]) -> Result<(), run::Failure> {
    match rest.first() {
        None => Ok(()),
        Some(argument) => Err(run::Failure::Usage(format!(
            "unexpected argument `{argument}`"
        ))),
    }
}

fn codegen_command(rest: &[String]) -> Result<(), run::Failure> {
    let check_only = match rest {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => return Err(run::Failure::Usage("codegen takes only --check".into())),
    };
    codegen::run(check_only).map_err(run::Failure::Refused)
}
