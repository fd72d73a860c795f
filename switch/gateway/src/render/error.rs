//! Why an entry cannot be written. All of it is ours to act on: the log lacks what the entry names.

use std::fmt;

use torap_domain::{ParticipantId, Position};

/// A record that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordError {
    position: Position,
    text: String,
}

impl RecordError {
    /// What went wrong with the record at a position, for our own log.
    pub fn new(position: Position, text: String) -> RecordError {
        RecordError { position, text }
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "record {}: {}", self.position, self.text)
    }
}

impl std::error::Error for RecordError {}

/// An entry of an outbound stream that cannot be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RenderError {
    /// A record that the entry names cannot be read.
    Record(RecordError),
    /// The record is not of the kind that the entry says.
    Facts {
        /// Which record.
        position: Position,
        /// What it should be.
        expected: &'static str,
    },
    /// The original message of the record does not have what a forward needs.
    Evidence {
        /// Which record.
        position: Position,
        /// What is missing.
        missing: &'static str,
    },
    /// The receiver is not among the participants, or has no BIC.
    Receiver(ParticipantId),
}

impl fmt::Display for RenderError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RenderError::Record(error) => error.fmt(formatter),
            RenderError::Facts { position, expected } => {
                write!(formatter, "record {position}: its facts are not {expected}")
            }
            RenderError::Evidence { position, missing } => {
                write!(
                    formatter,
                    "record {position}: its original has no {missing}"
                )
            }
            RenderError::Receiver(participant) => {
                write!(
                    formatter,
                    "participant {participant}: unknown, or without a BIC"
                )
            }
        }
    }
}

impl std::error::Error for RenderError {}

impl From<RecordError> for RenderError {
    fn from(error: RecordError) -> RenderError {
        RenderError::Record(error)
    }
}
