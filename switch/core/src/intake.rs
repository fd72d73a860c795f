//! What is offered to the core, and how it is given back.

use std::{collections::VecDeque, fmt};

use bytes::Bytes;
use torap_engine::Command;

/// A command on its way into the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intake {
    /// Its facts.
    pub command: Command,
    /// The original message, logged beside the facts; empty if there is none.
    pub evidence: Bytes,
    /// What must never be written anywhere: handed on with the result, forgotten after it.
    pub secrets: Secrets,
    /// The caller's own number, given back with the outcome. It is not logged.
    pub ticket: Option<u64>,
}

/// Bytes that exist in memory only: a message to be forwarded with its card number, PIN block or codes. The log never holds
/// them and nothing shows them; a process that starts again does not have them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets(pub Bytes);

/// A command that was not taken. It left no trace in the log.
#[derive(Debug)]
pub struct Refused {
    /// Why.
    pub because: RefusedBecause,
    /// The command, given back.
    pub intake: Intake,
}

/// Why a command was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusedBecause {
    /// As many commands, or bytes, wait as may; answer `Overloaded`. The caller may try again.
    Full,
    /// It fits into no batch of the journal; answer `InternalLimit`. Trying again is of no use.
    TooLarge,
}

impl Secrets {
    /// None.
    pub const NONE: Secrets = Secrets(Bytes::new());
}

impl fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Secrets({} bytes)", self.0.len())
    }
}

impl Intake {
    /// Bytes that it keeps in memory beside the command.
    pub(crate) fn bytes(&self) -> usize {
        self.evidence.len().saturating_add(self.secrets.0.len())
    }
}

impl fmt::Display for RefusedBecause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            RefusedBecause::Full => "the intake is full",
            RefusedBecause::TooLarge => "the command is larger than a record may be",
        })
    }
}

/// Commands that wait, in order, bounded by number and bytes.
#[derive(Debug)]
pub(crate) struct Waiting {
    commands: VecDeque<Intake>,
    bytes: usize,
    commands_max: usize,
    bytes_max: usize,
}

impl Waiting {
    pub(crate) fn new(commands_max: usize, bytes_max: usize) -> Waiting {
        Waiting {
            commands: VecDeque::with_capacity(commands_max),
            bytes: 0,
            commands_max,
            bytes_max,
        }
    }

    /// Commands that are sure to be taken if they have no originals.
    pub(crate) fn room(&self) -> usize {
        if self.bytes < self.bytes_max {
            self.commands_max.saturating_sub(self.commands.len())
        } else {
            0
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.commands.len()
    }

    /// Whether a command with an original and secrets of `bytes` together may wait. An empty queue takes one of any size, or it never would be.
    pub(crate) fn fits(&self, bytes: usize) -> bool {
        let total = self.bytes.saturating_add(bytes);
        self.room() > 0 && (total <= self.bytes_max || self.commands.is_empty())
    }

    pub(crate) fn push(&mut self, intake: Intake) {
        self.bytes = self.bytes.saturating_add(intake.bytes());
        self.commands.push_back(intake);
    }

    pub(crate) fn first(&self) -> Option<&Intake> {
        self.commands.front()
    }

    pub(crate) fn take(&mut self) -> Option<Intake> {
        let intake = self.commands.pop_front()?;
        self.bytes = self.bytes.saturating_sub(intake.bytes());
        Some(intake)
    }
}
