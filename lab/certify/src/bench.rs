//! The way through a catalogue, the same for every rail.

use std::time::Duration;

use torap_domain::Time;

use crate::catalogue::{Case, Catalogue};
use crate::report::{Line, Outcome, Verdict};

/// What a run wants of the catalogue.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// Only cases whose identifier begins so; none: all.
    pub only: Vec<String>,
    /// Leave out those that wait for a clock of the host's own.
    pub skip_slow: bool,
    /// Wait at least so long for what the host is asked to begin: a person takes longer than a script.
    pub patience: Duration,
}

/// A bench that knows the steps of one rail.
pub(crate) trait Rail {
    type Step;

    /// The wall clock.
    fn now(&self) -> Time;
    /// Forgets the case before; waits as long as stated for what the host is asked to begin.
    fn begin_case(&mut self, patience: Duration);
    /// Why the case does not suit the participant.
    fn unsuited(&self, case: &Case<Self::Step>) -> Option<&'static str>;
    /// Goes one step.
    ///
    /// # Errors
    /// What the host did wrong, or the catalogue.
    fn step(&mut self, step: &Self::Step) -> Result<(), String>;
    /// Takes what still comes of a case that failed.
    fn settle_down(&mut self);
    /// What went to and fro in the case.
    fn take_lines(&mut self) -> Vec<Line>;
}

/// Goes through the catalogue; `progress` is called after each case.
pub(crate) fn run<R: Rail>(
    rail: &mut R,
    catalogue: &Catalogue<R::Step>,
    choice: &Choice,
    progress: &mut dyn FnMut(&Outcome),
) -> Vec<Outcome> {
    let is_chosen = |case: &&Case<R::Step>| {
        let mut only = choice.only.iter();
        choice.only.is_empty() || only.any(|only| case.id.starts_with(only.as_str()))
    };
    let mut outcomes = Vec::new();
    for case in catalogue.cases.iter().filter(is_chosen) {
        let outcome = run_case(rail, case, choice);
        progress(&outcome);
        outcomes.push(outcome);
    }
    outcomes
}

fn run_case<R: Rail>(rail: &mut R, case: &Case<R::Step>, choice: &Choice) -> Outcome {
    let began = rail.now();
    rail.begin_case(choice.patience);
    let verdict = match left_out(rail, case, choice) {
        Some(reason) => Verdict::LeftOut(reason.into()),
        None => match go_through(rail, case) {
            Ok(()) => Verdict::Passed,
            Err(text) => Verdict::Failed(text),
        },
    };
    if let Verdict::Failed(_) = verdict {
        rail.settle_down();
    }
    let took = rail.now().saturating_since(began);
    Outcome {
        id: case.id.clone(),
        title: case.title.clone(),
        kind: case.kind.name().into(),
        rows: case.rows.clone(),
        verdict,
        took_ms: took.millis(),
        messages: rail.take_lines(),
    }
}

fn left_out<R: Rail>(rail: &R, case: &Case<R::Step>, choice: &Choice) -> Option<&'static str> {
    let slow = "it waits for a clock of the host's own, and such cases were not wanted";
    rail.unsuited(case)
        .or((case.slow && choice.skip_slow).then_some(slow))
}

fn go_through<R: Rail>(rail: &mut R, case: &Case<R::Step>) -> Result<(), String> {
    for (place, step) in case.steps.iter().enumerate() {
        rail.step(step)
            .map_err(|text| format!("step {}: {text}", place + 1))?;
    }
    Ok(())
}
