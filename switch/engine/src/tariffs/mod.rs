//! Tariffs: the table that is in force, and services that the operator notes.
//!
//! The engine only keeps the table, so that every record has one that was in force, the same at every replay. Charging is the read
//! side's: [`torap_clearing::tariff`] prices what the log says was done. Nothing here costs a payment anything, and no fee moves
//! money: what a month comes to is invoiced.
//!
//! A table is set as a whole, at once or at an effective time ([`crate::schedule`]). What was done before is not priced again.

mod command;

pub use command::Command;

pub use torap_clearing::tariff::{
    COUNT_MAX, Charge, DAY_MINUTES, Due, FEE_MAX, Invoice, Item, Line, LineKey, MINIMA_MAX,
    Measure, Minimum, PER_KB_MAX, Place, ROWS_MAX, Rate, Row, Rule, Side, Table, TableError, Usage,
    minute_of_day, money,
};

use torap_domain::{Bic, ParticipantId, Position, Reason};

use crate::{
    Engine, Outcome, Output, Source, Stamp,
    codec::{FactsError, Reader, Writer},
    engine,
};

/// The table in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    table: Table,
    /// The record that set it; zero before the first.
    since: Position,
}

impl State {
    pub(crate) fn new() -> State {
        State {
            table: Table::default(),
            since: Position::ZERO,
        }
    }

    /// Whether no table was ever set; nothing is written to a snapshot then.
    pub(crate) fn is_new(&self) -> bool {
        self.since == Position::ZERO
    }

    pub(crate) fn write(&self, writer: &mut Writer<'_>) {
        writer.put(&self.since);
        writer.put(&self.table);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<State, FactsError> {
        Ok(State {
            since: reader.field("tariff since")?,
            table: reader.field("tariff table")?,
        })
    }
}

pub(crate) fn apply(
    state: &mut engine::State,
    stamp: Stamp,
    command: &Command,
    out: &mut Output,
) -> Outcome {
    match command {
        Command::Set { source, table } => state.configure(source, true, out, |state| {
            #[cfg(feature = "mutants")]
            if crate::mutants::is_on(&crate::mutants::KEEP_TARIFF) && !state.tariffs.is_new() {
                return;
            }
            state.tariffs = State {
                table: table.clone(),
                since: stamp.position,
            };
        }),
        Command::Note {
            source,
            participant,
            item,
            count,
        } => {
            let noted = note(state, source, *participant, *item, *count);
            match noted {
                Ok(()) => Outcome::Accepted,
                Err(reason) => {
                    out.event(crate::Event::Refused { reason });
                    Outcome::Refused(reason)
                }
            }
        }
    }
}

/// The record itself is the note; nothing else is kept of it.
fn note(
    state: &engine::State,
    source: &Source,
    participant: ParticipantId,
    item: Item,
    count: u32,
) -> Result<(), Reason> {
    source.by_operator()?;
    if state.participants.ids().all(|id| id != participant) {
        return Err(Reason::UnknownParticipant);
    }
    if item.measure() != Measure::Service || !(1..=COUNT_MAX).contains(&count) {
        return Err(Reason::OperatorRefused);
    }
    Ok(())
}

/// What the read side asks.
impl Engine {
    /// The tariff table in force, and the record that set it; zero before the first.
    pub fn tariff(&self) -> (&Table, Position) {
        (&self.state.tariffs.table, self.state.tariffs.since)
    }

    /// The participant that a message is from: the one of `agent`, for which the link's may send.
    pub fn instructing(&self, source: &Source, agent: &Bic) -> Option<ParticipantId> {
        self.state.participants.sender(source, agent).ok()
    }
}

#[cfg(test)]
mod tests;
