//! Recalls.

use torap_domain::{Position, Time};

use super::{Finished, Recall, RecallRule, Resolution};
use crate::{
    Outcome, Output, Source, Stamp,
    codec::{FactsError, Reader, Writer},
    engine,
};

#[derive(Clone, Debug, Default)]
pub(crate) struct State {}

impl State {
    pub(crate) fn new() -> State {
        State::default()
    }

    pub(crate) fn len(&self) -> usize {
        0
    }

    pub(crate) fn next_deadline(&self) -> Option<(Time, Position)> {
        None
    }

    pub(crate) fn write(&self, _: &mut Writer<'_>) {}

    pub(crate) fn read(_: &mut Reader<'_>) -> Result<State, FactsError> {
        Ok(State::new())
    }
}

pub(crate) fn expire_first(_: &mut engine::State, _: Stamp, _: &mut Output) {}

pub(crate) fn apply_recall(_: &mut engine::State, _: Stamp, _: &Recall, _: &mut Output) -> Outcome {
    Outcome::Accepted
}

pub(crate) fn apply_resolution(
    _: &mut engine::State,
    _: Stamp,
    _: &Resolution,
    _: &mut Output,
) -> Outcome {
    Outcome::Accepted
}

pub(crate) fn apply_rule(
    _: &mut engine::State,
    _: &Source,
    _: &RecallRule,
    _: &mut Output,
) -> Outcome {
    Outcome::Accepted
}

pub(crate) fn close_by_return(_: &mut engine::State, _: Stamp, _: &Finished, _: &mut Output) {}
