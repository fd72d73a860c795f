//! Dynamic QR codes: registered by the merchant's bank, paid at most once.

mod command;

pub use command::{Command, Register};

use torap_domain::{Iban, Money, ParticipantId, Position, QrId, Reason, Time};

use crate::{
    Outcome, Output, Stamp,
    codec::{FactsError, Reader, Writer},
    engine,
    instant::QrFact,
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

    pub(crate) fn admit(
        &self,
        _: &QrFact,
        _: ParticipantId,
        _: &Iban,
        _: Money,
        _: Time,
    ) -> Result<(), Reason> {
        Ok(())
    }

    pub(crate) fn hold(&mut self, _: ParticipantId, _: &QrId) {}

    pub(crate) fn release(&mut self, _: ParticipantId, _: &QrId, _: Time) {}

    pub(crate) fn pay(&mut self, _: ParticipantId, _: &QrId, _: Time) {}

    pub(crate) fn next_deadline(&self) -> Option<(Time, Position)> {
        None
    }

    pub(crate) fn write(&self, _: &mut Writer<'_>) {}

    pub(crate) fn read(_: &mut Reader<'_>) -> Result<State, FactsError> {
        Ok(State::new())
    }
}

pub(crate) fn expire_first(_: &mut engine::State, _: Stamp, _: &mut Output) {}

pub(crate) fn apply(_: &mut engine::State, _: Stamp, _: &Command, _: &mut Output) -> Outcome {
    Outcome::Accepted
}
