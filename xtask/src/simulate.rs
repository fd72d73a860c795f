//! `cargo xtask simulate`: the simulator over many seeds, and over every broken variant of the switch.
//!
//! The broken variants are built into a target folder of their own: their feature must never reach the shipped program, and
//! nothing else is rebuilt for it.

use std::{path::PathBuf, process::Command};

use crate::run::{Failure, must, plain_cargo, target_dir};

/// Seeds in CI.
const CI_SEEDS: &str = "0..200";
/// Every broken variant; `lab/simulator/src/mutant.rs` says what each does.
const MUTANTS: [&str; 21] = [
    "skip-sync",
    "send-before-durable",
    "post-twice",
    "forget-hold",
    "truncate-on-damage",
    "drop-tombstone",
    "late-acceptance-pays",
    "lookup-at-replay",
    "forget-card-reversal",
    "forget-withdrawal",
    "statement-misses-entry",
    "recompute-nets",
    "keep-tariff",
    "dispute-pays-twice",
    "mass-line-twice",
    "approved-twice",
    "presented-twice",
    "card-dispute-twice",
    "forget-due-change",
    "figures-without-holds",
    "stale-extract",
];

/// `--seeds A..B [...]` or `--mutant NAME`; everything is handed on to the simulator.
pub(crate) fn run(rest: &[String]) -> Result<(), Failure> {
    if rest.is_empty() {
        return Err(Failure::Usage(
            "simulate wants --seeds A..B or --mutant NAME".into(),
        ));
    }
    let broken = rest.iter().any(|argument| argument == "--mutant");
    let mut command = Command::new(build(broken)?);
    command.args(rest);
    must(command)
}

/// What CI runs: 200 seeds in which every kind of fault happens often enough, and every broken variant caught.
pub(crate) fn ci() -> Result<(), Failure> {
    let mut seeds = Command::new(build(false)?);
    seeds.args(["--seeds", CI_SEEDS, "--check-faults", "--quiet"]);
    must(seeds)?;
    let broken = build(true)?;
    for name in MUTANTS {
        let mut command = Command::new(&broken);
        command.args(["--mutant", name]);
        must(command)?;
    }
    Ok(())
}

/// Builds the simulator, whole or broken, and gives the place of the program.
fn build(broken: bool) -> Result<PathBuf, Failure> {
    let mut arguments = vec!["build", "--release", "--package", "torap-simulator"];
    let mut target = target_dir();
    if broken {
        arguments.extend(["--features", "mutants"]);
        target.push("mutants");
    }
    let mut command = plain_cargo(&arguments);
    command.env("CARGO_TARGET_DIR", &target);
    must(command)?;
    Ok(target.join("release/torap-simulator"))
}
