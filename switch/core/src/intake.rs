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
    /// The caller's own number, given back with the outcome. It is not logged.
    pub ticket: Option<u64>,
}

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

    /// Whether a command with an original of `bytes` may wait. An empty queue takes one of any size, or it never would be.
    pub(crate) fn fits(&self, bytes: usize) -> bool {
        let total = self.bytes.saturating_add(bytes);
        self.room() > 0 && (total <= self.bytes_max || self.commands.is_empty())
    }

    pub(crate) fn push(&mut self, intake: Intake) {
        self.bytes = self.bytes.saturating_add(intake.evidence.len());
        self.commands.push_back(intake);
    }

    pub(crate) fn first(&self) -> Option<&Intake> {
        self.commands.front()
    }

    pub(crate) fn take(&mut self) -> Option<Intake> {
        let intake = self.commands.pop_front()?;
        self.bytes = self.bytes.saturating_sub(intake.evidence.len());
        Some(intake)
    }
}
