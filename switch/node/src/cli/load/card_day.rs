//! `--rail card --count N`: a day of card transactions, the session cut over half-way, and whether the switch's memory stays flat.
//!
//! What grows with card traffic is bounded: the entries remembered for repeats and reversals (`[card.settings] window_entries`), open
//! authorisations (`authorisations_max`), letters (`queue_max`). A run whose window is filled early shows the level that memory has
//! from then on.

use std::{
    ops::ControlFlow,
    sync::atomic::{AtomicBool, Ordering},
};

use serde::Serialize;
use serde_json::json;
use torap_load::{Progress, SwitchUse, card::CardPlan, limits};

use super::{Report, answer, memory::Memory, show_outcome, show_progress};
use crate::{
    cli::{Ending, Failure, print_line},
    control::{By, Client, Request},
    folder::Folder,
};

/// Transactions of a run, at most.
const COUNT_MAX: u64 = 1_000_000_000;
/// How often a run tells the switch's memory.
const MARKS: u64 = 20;
/// Entries that an own switch remembers, unless told otherwise.
const WINDOW_ENTRIES: u32 = 1_048_576;

/// The switch's memory, once the transactions so far had their answers.
#[derive(Debug, Serialize)]
struct Mark {
    transactions: u64,
    elapsed_s: f64,
    /// The most since the mark before.
    memory_bytes_max: Option<u64>,
}

pub(super) fn check(count: u64) -> Result<(), Failure> {
    if (MARKS..=COUNT_MAX).contains(&count) {
        return Ok(());
    }
    let text = format!("--count: not between {MARKS} and {COUNT_MAX}");
    Err(Failure::Usage(text))
}

/// How long a run of so many transactions may take: as its rate has it; in a closed loop as long as it needs.
pub(super) fn seconds(count: u64, rate: u32) -> u64 {
    match rate {
        0 => limits::DURATION_S_MAX,
        rate => count.div_ceil(rate.into()).min(limits::DURATION_S_MAX),
    }
}

/// An own switch whose session ends by command alone, as a date may be over when the run begins.
pub(super) fn settings(window_entries: Option<u32>) -> String {
    let entries = window_entries.unwrap_or(WINDOW_ENTRIES);
    format!("\n[card.settings]\ncut_over_at = \"none\"\nwindow_entries = {entries}\n")
}

/// Runs the day; the last line is the report, the lines before it tell the memory.
pub(super) fn run(
    folder: &Folder,
    control: &mut Client,
    (plan, count): (CardPlan, u64),
    stop: &AtomicBool,
) -> Result<Ending, Failure> {
    let before: Report = answer(control, &Request::Report)?;
    let memory = Memory::watch(folder)?;
    let each = (count / MARKS).max(1);
    let mut marks: Vec<Mark> = Vec::new();
    let mut next = each;
    let mut cut_over = CutOver::new(folder, count / 2);
    let outcome = torap_load::run_cards(plan, &mut |progress: &Progress| {
        show_progress(progress);
        let answered = progress.settled + progress.rejected;
        if answered >= next {
            let mark = Mark {
                transactions: answered,
                elapsed_s: (progress.elapsed.as_secs_f64() * 10.0).round() / 10.0,
                memory_bytes_max: memory.mark(),
            };
            // Whoever does not read the marks still gets the report.
            let _ = print_line(&json!(mark).to_string());
            marks.push(mark);
            next = answered - answered % each + each;
        }
        cut_over.look(answered);
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
    let cut_over = cut_over.finish()?;
    let last = memory.finish();
    let after: Report = answer(control, &Request::Report)?;
    let switch_use = SwitchUse {
        cpu_us: after.cpu_us.saturating_sub(before.cpu_us),
        // The switch counts finished payments of the other rail.
        payments_finished: outcome.settled + outcome.rejected.values().sum::<u64>(),
        conserved: before.conserved && after.conserved,
    };
    show_outcome(&outcome);
    let line = serde_json::to_value(outcome.line(switch_use));
    let mut line = line.map_err(|error| error.to_string())?;
    let most = marks.iter().filter_map(|mark| mark.memory_bytes_max);
    line["cut_over_at"] = cut_over.into();
    line["memory_bytes_before"] = before.memory_bytes.into();
    line["memory_bytes_max"] = most.chain(last).max().into();
    line["memory_bytes_after"] = after.memory_bytes.into();
    print_line(&line.to_string())?;
    Ok(if outcome.is_good() && switch_use.conserved {
        Ending::Done
    } else {
        Ending::Refused
    })
}

/// Ends the session once, beside the load, which must not wait for it.
struct CutOver<'a> {
    folder: &'a Folder,
    after: u64,
    begun: Option<(u64, std::thread::JoinHandle<Result<(), String>>)>,
}

impl CutOver<'_> {
    fn new(folder: &Folder, after: u64) -> CutOver<'_> {
        CutOver {
            folder,
            after,
            begun: None,
        }
    }

    fn look(&mut self, answered: u64) {
        if answered < self.after || self.begun.is_some() {
            return;
        }
        let socket = self.folder.control();
        let thread = std::thread::spawn(move || {
            let mut client = Client::connect(&socket)?;
            let by = By {
                operator: "load".into(),
                reference: "load run".into(),
            };
            client.must(&Request::CardCutOver { by }).map(|_| ())
        });
        self.begun = Some((answered, thread));
    }

    /// After how many transactions the session ended; none if the run was broken off before.
    fn finish(self) -> Result<Option<u64>, Failure> {
        let Some((answered, thread)) = self.begun else {
            return Ok(None);
        };
        let done = thread
            .join()
            .map_err(|_| "the cut-over's thread panicked".to_owned());
        let done = done.and_then(|done| done);
        done.map_err(|text| Failure::Failed(format!("the session was not cut over: {text}")))?;
        Ok(Some(answered))
    }
}
