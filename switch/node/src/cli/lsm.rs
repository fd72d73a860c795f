//! `torap lsm FILE`: which payments of a queue can settle all at once.

mod json;
mod problem;

use std::{io::Read, time::Instant};

use clap::{Args, ValueEnum};
use serde::Serialize;
use torap_settlement::lsm;

use super::{Ending, Failure, print_line};
use json::Json;
use problem::Input;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// `fifo` keeps the order of each bank's payments; `bypass` takes the greatest value in any order
    #[arg(long, value_enum, default_value_t = Rule::Fifo)]
    rule: Rule,
    /// Payments looked at by `bypass` in a queue of more than 20, at most
    #[arg(long, default_value_t = lsm::SEARCH_STEPS_MAX, value_name = "STEPS")]
    steps_max: u64,
    /// Banks and payments as JSON (docs/settlement.md); `-` is standard input
    #[arg(value_name = "FILE")]
    file: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Rule {
    Fifo,
    Bypass,
}

/// Largest input, in bytes.
const INPUT_BYTES_MAX: u64 = 512 << 20;

/// What is printed; amounts in tiyn.
#[derive(Debug, Serialize)]
struct Output<'a> {
    /// In the order of the queue.
    settled: Vec<&'a str>,
    count: usize,
    value: u128,
    steps: u64,
    micros: u64,
    #[serde(flatten)]
    bound: Option<Bound>,
}

/// How good a result of `bypass` is.
#[derive(Debug, Serialize)]
struct Bound {
    exact: bool,
    upper_bound: u128,
    gap: u128,
}

pub(super) fn run(arguments: Arguments) -> Result<Ending, Failure> {
    let name = if arguments.file == "-" {
        "standard input"
    } else {
        &arguments.file
    };
    let text = read(&arguments.file).map_err(|error| Failure::Usage(format!("{name}: {error}")))?;
    let refused = |error: String| Failure::Failed(format!("{name}: {error}"));
    let json: Json = serde_json::from_slice(&text).map_err(|error| refused(error.to_string()))?;
    drop(text);
    let input = Input::read(&json).map_err(refused)?;
    print_line(&solve(&input, arguments.rule, arguments.steps_max)?)?;
    Ok(Ending::Done)
}

fn solve(input: &Input<'_>, rule: Rule, steps_max: u64) -> Result<String, String> {
    let started = Instant::now();
    let (solution, bound) = match rule {
        Rule::Fifo => (lsm::fifo(&input.problem), None),
        Rule::Bypass => {
            let result = lsm::bypass(&input.problem, steps_max);
            let bound = Bound {
                exact: result.exact,
                upper_bound: result.upper_bound,
                gap: result.gap(),
            };
            (result.solution, Some(bound))
        }
    };
    let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    let ids = solution
        .settled
        .iter()
        .filter_map(|place| input.payment_ids.get(*place as usize));
    let settled: Vec<&str> = ids.copied().collect();
    let output = Output {
        count: settled.len(),
        settled,
        value: solution.value,
        steps: solution.steps,
        micros,
        bound,
    };
    serde_json::to_string(&output).map_err(|error| error.to_string())
}

fn read(file: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut limited: Box<dyn Read> = if file == "-" {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(std::fs::File::open(file).map_err(|error| error.to_string())?)
    };
    limited
        .by_ref()
        .take(INPUT_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    if bytes.len() as u64 > INPUT_BYTES_MAX {
        return Err(format!("more than {INPUT_BYTES_MAX} bytes"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
