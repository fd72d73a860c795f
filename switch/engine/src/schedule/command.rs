//! Commands about changes that take effect later.

use torap_domain::{Position, Time};

use crate::{Command as Any, Source};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// `command` takes effect at `at`. Its identifier is the position of this record, or that of the proposal which it comes from.
    Order {
        source: Source,
        at: Time,
        command: Box<Any>,
    },
    /// Takes back what has not taken effect.
    Withdraw {
        source: Source,
        at: Time,
        id: Position,
    },
}

impl Command {
    /// Who asked.
    pub(crate) fn source(&self) -> &Source {
        match self {
            Command::Order { source, .. } | Command::Withdraw { source, .. } => source,
        }
    }
}
