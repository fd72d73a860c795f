//! A load that rises above what the switch can carry, and falls again: what it refuses, what it keeps, what it holds in memory.

use std::{net::SocketAddr, sync::atomic::AtomicBool};

use serde::Serialize;
use torap_gateway::wire::Mode;
use torap_load::{Line, Outcome};

use super::{Arguments, banks, measure, memory::Memory, plan};
use crate::{
    cli::{Ending, Failure, print_line},
    control::Client,
    folder::Folder,
};

/// The code of a payment that the switch refused at its door, before anything was reserved.
const REFUSED_EARLY: &str = "ED06";
/// Codes of a payment that was taken, or came to be taken, too late to settle in time.
const LATE: [&str; 3] = ["AB05", "AB06", "TM01"];

/// One phase of the run, as it is printed.
#[derive(Debug, Serialize)]
struct PhaseLine {
    phase: &'static str,
    rate: u32,
    refused_early: u64,
    /// Taken, and not settled in time.
    late: u64,
    /// Most that the switch held resident in the phase.
    memory_bytes_max: Option<u64>,
    #[serde(flatten)]
    line: Line,
}

/// Exit status 0 only if nothing was lost in any phase, nothing that the switch took came too late, and the phases around the
/// overload settled what a sustainable rate must settle.
pub(super) fn run(
    folder: &Folder,
    arguments: &Arguments,
    switch: SocketAddr,
    mode: Mode,
    times: u32,
    stop: &AtomicBool,
) -> Result<Ending, Failure> {
    if arguments.rate == 0 {
        return Err(Failure::Usage("--overload needs a --rate".into()));
    }
    let above = arguments.rate.saturating_mul(times);
    let phases = [
        ("sustainable", arguments.rate),
        ("overload", above),
        ("recovered", arguments.rate),
    ];
    let mut is_good = true;
    for (phase, rate) in phases {
        let mut control = Client::connect(&folder.control())?;
        let banks = banks(folder, &mut control, arguments.banks)?;
        let mut plan = plan(arguments, switch, mode, banks);
        plan.rate = rate;
        let memory = Memory::watch(folder)?;
        let measured = measure(&mut control, stop, |progress| {
            torap_load::run(&plan, progress)
        });
        let memory_bytes_max = memory.finish();
        let (outcome, switch_use) = measured?;
        let late = LATE.iter().map(|code| refused(&outcome, code)).sum();
        let line = PhaseLine {
            phase,
            rate,
            refused_early: refused(&outcome, REFUSED_EARLY),
            late,
            memory_bytes_max,
            line: outcome.line(switch_use),
        };
        print_line(&serde_json::to_string(&line).map_err(|error| error.to_string())?)?;
        let is_kept = outcome.unknown == 0 && outcome.breaches == 0 && late == 0;
        let is_enough = phase == "overload" || outcome.is_good();
        is_good &= is_kept && is_enough && switch_use.conserved;
    }
    Ok(if is_good {
        Ending::Done
    } else {
        Ending::Refused
    })
}

/// Payments refused with a code, in whatever message it came.
fn refused(outcome: &Outcome, code: &str) -> u64 {
    let with_code = outcome
        .rejected
        .iter()
        .filter(|(text, _)| text.split(' ').any(|word| word == code));
    with_code.map(|(_, count)| count).sum()
}
