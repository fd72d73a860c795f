//! Commands about approvals.

use torap_domain::Position;

use super::Settings;
use crate::{Command as Any, Source};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Which families need a second operator, and how long a proposal waits. Itself proposed and approved as long as any family is set.
    SetSettings { source: Source, settings: Settings },
    /// `command` waits for another operator. Its identifier is the position of this record.
    Propose { source: Source, command: Box<Any> },
    /// Another operator approves it, and it takes effect now; or anybody rejects it.
    Decide {
        source: Source,
        id: Position,
        approves: bool,
    },
}

impl Command {
    /// Who asked.
    pub(crate) fn source(&self) -> &Source {
        match self {
            Command::SetSettings { source, .. }
            | Command::Propose { source, .. }
            | Command::Decide { source, .. } => source,
        }
    }
}
