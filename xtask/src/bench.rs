//! `cargo xtask bench`: criterion suites, and the end-to-end load run.

use std::process::Command;

use crate::{
    machine,
    run::{Failure, build_torap, cargo, must, torap},
};

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    machine::prepare_demo()?;
    if arguments.first().is_some_and(|first| first == "e2e") {
        return end_to_end(&arguments[1..]);
    }
    if arguments.first().is_some_and(|first| first == "recovery") {
        return recovery(&arguments[1..]);
    }
    let mut command = suites();
    command.arg("--").args(arguments);
    must(command)
}

/// Writes the log of many payments straight to the disk and starts on it; one line of JSON.
fn recovery(arguments: &[String]) -> Result<(), Failure> {
    let mut command = cargo(&["bench", "-p", "torap-node", "--bench", "recovery", "--"]);
    command.args(arguments);
    must(command)
}

/// The criterion suites. `switch/index` has a program of its own, which measures how a folder grows.
const SUITES: &[&str] = &[
    "parse",
    "view",
    "clearing",
    "payment",
    "authorisation",
    "step",
    "append",
    "translate",
    "generator",
    "port",
    "hsm",
    "card",
    "lsm",
    "liquidity",
];

fn suites() -> Command {
    let mut command = cargo(&["bench", "--workspace"]);
    for suite in SUITES {
        command.args(["--bench", suite]);
    }
    command
}

/// Every bench body once, and two seconds of load on each rail: they still work, nothing is measured.
pub(crate) fn smoke() -> Result<(), Failure> {
    let mut command = suites();
    command
        .args(["--", "--test"])
        .env("TORAP_BENCH_WINDOW", "100000");
    must(command)?;
    for rail in ["instant", "card"] {
        end_to_end(&["--rail", rail, "--rate", "500", "--duration", "2"].map(String::from))?;
    }
    Ok(())
}

/// The program starts its own switch in a temporary folder and ends it; the JSON line is the last it prints.
fn end_to_end(arguments: &[String]) -> Result<(), Failure> {
    build_torap()?;
    let mut command = Command::new(torap());
    command.args(["load", "--own-switch"]).args(arguments);
    must(command)
}
