//! The alias directory's rules.

mod command;

pub use command::*;

use torap_domain::Position;

use crate::{
    Outcome, Output, Stamp,
    codec::{FactsError, Reader, Writer},
    engine,
};

#[derive(Clone, Debug, Default)]
pub(crate) struct State {}

impl State {
    pub(crate) fn new() -> State {
        State::default()
    }

    pub(crate) fn is_current(&self, _: AliasKey, _: Position) -> bool {
        true
    }

    pub(crate) fn write(&self, _: &mut Writer<'_>) {}

    pub(crate) fn read(_: &mut Reader<'_>) -> Result<State, FactsError> {
        Ok(State::new())
    }
}

pub(crate) fn apply(_: &mut engine::State, _: Stamp, _: &Command, _: &mut Output) -> Outcome {
    Outcome::Accepted
}
