//! What stops a core or a replay. All of it concerns the operator and us; nothing a participant sends can cause it.

use std::fmt;

use torap_domain::Position;
use torap_engine::codec::FactsError;
use torap_journal::BatchError;

/// Why a core cannot go on. The process must stop: its state may be ahead of the log.
#[derive(Debug)]
pub enum CoreError {
    /// The batch does not continue the log: a defect of the caller or of ours.
    Batch {
        position: Position,
        source: BatchError,
    },
}

/// Why a log cannot be turned into state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplayError {
    /// The record is not the next one.
    Gap { expected: Position, found: Position },
    /// The record's time does not lie after the time of the record before it.
    TimeNotRising { position: Position },
    /// The record's facts cannot be read: damage behind the checksum, or a program older than the one that wrote it.
    Facts {
        position: Position,
        source: FactsError,
    },
    /// The record was written under another version of the rules than its place in the log gives.
    RulesVersion {
        position: Position,
        expected: u32,
        found: u32,
    },
    /// The mark at this position does not agree: since the mark before it this program decided otherwise than the one that
    /// wrote the log.
    Diverged {
        position: Position,
        since: Position,
        expected: u64,
        found: u64,
    },
}

impl fmt::Display for CoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CoreError::Batch { position, source } => {
                write!(formatter, "core: record {position}: {source}")
            }
        }
    }
}

impl std::error::Error for CoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            CoreError::Batch { source, .. } => Some(source),
        }
    }
}

impl fmt::Display for ReplayError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReplayError::Gap { expected, found } => {
                write!(
                    formatter,
                    "replay: record {found} came where record {expected} belongs"
                )
            }
            ReplayError::TimeNotRising { position } => {
                write!(
                    formatter,
                    "replay: record {position}: its time is not after the time of the record before it"
                )
            }
            ReplayError::Facts { position, source } => {
                write!(formatter, "replay: record {position}: {source}")
            }
            ReplayError::RulesVersion {
                position,
                expected,
                found,
            } => write!(
                formatter,
                "replay: record {position}: written under rules {found}, but its place in the log is under rules {expected}"
            ),
            ReplayError::Diverged {
                position,
                since,
                expected,
                found,
            } => write!(
                formatter,
                "replay: the mark at record {position} says {expected:016x} and this program came to {found:016x}: a record \
                 after {since} was decided otherwise by the program that wrote it; do not go on with this one"
            ),
        }
    }
}

impl std::error::Error for ReplayError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ReplayError::Facts { source, .. } => Some(source),
            ReplayError::Gap { .. }
            | ReplayError::TimeNotRising { .. }
            | ReplayError::RulesVersion { .. }
            | ReplayError::Diverged { .. } => None,
        }
    }
}
