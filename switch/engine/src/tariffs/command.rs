//! Commands about tariffs.

use torap_clearing::tariff::{Item, Table};
use torap_domain::ParticipantId;

use crate::Source;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// The table is in force from here.
    Set { source: Source, table: Table },
    /// The operator did something for a participant that the log would not tell otherwise: a duplicate, a statement, an extract
    /// of the archive.
    Note {
        source: Source,
        participant: ParticipantId,
        item: Item,
        count: u32,
    },
}

impl Command {
    /// Who asked.
    pub(crate) fn source(&self) -> &Source {
        match self {
            Command::Set { source, .. } | Command::Note { source, .. } => source,
        }
    }
}
