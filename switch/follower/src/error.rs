//! What can stop a follower, or keep a snapshot from being used. All of it is for the operator.

use std::{fmt, io};

use torap_core::ReplayError;
use torap_domain::Position;
use torap_index::IndexError;
use torap_journal::JournalError;

/// Why a follower or a recovery cannot go on.
#[derive(Debug)]
pub enum FollowerError {
    /// The log cannot be read.
    Journal(JournalError),
    /// The log cannot be turned into state, or not into the state the core came to.
    Replay(ReplayError),
    /// The index cannot be read or written.
    Index(IndexError),
    /// A snapshot cannot be written, or the folder of snapshots cannot be read.
    Snapshot(SnapshotError),
    /// The log no longer holds a record that is needed, and no usable snapshot stands behind it.
    Expired {
        /// What needs it: the state, or the index.
        what: &'static str,
        /// Where that stands.
        stands: Position,
        /// The first record of the log.
        first: Position,
    },
    /// Index or snapshots know records that the log does not hold: its end was lost, or they belong to another log.
    Ahead {
        what: &'static str,
        position: Position,
        log: Position,
    },
}

/// Why a snapshot cannot be written or used.
#[derive(Debug)]
pub enum SnapshotError {
    /// The medium refused an operation.
    Medium {
        operation: &'static str,
        file: String,
        source: io::Error,
    },
    /// The file is not what was written, at the place named.
    Damaged { file: String, rule: String },
    /// The file has a layout that this program does not read.
    Format {
        file: String,
        found: u32,
        supported: u32,
    },
    /// The log has another record at the snapshot's position.
    OtherLog { file: String, position: Position },
}

impl fmt::Display for FollowerError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FollowerError::Journal(source) => write!(formatter, "follower: {source}"),
            FollowerError::Replay(source) => write!(formatter, "follower: {source}"),
            FollowerError::Index(source) => write!(formatter, "follower: {source}"),
            FollowerError::Snapshot(source) => write!(formatter, "follower: {source}"),
            FollowerError::Expired {
                what,
                stands,
                first,
            } => {
                let missing = (stands.next(), Position(first.value().saturating_sub(1)));
                write!(
                    formatter,
                    "follower: the {what} stands at record {stands}, and the log begins at record {first}: what records {} to {} \
                     brought cannot be rebuilt. ",
                    missing.0, missing.1
                )?;
                formatter.write_str(match *what {
                    "index" => {
                        "Missing are the payments, outbound entries and above all the alias directory of that time. Put the \
                         segments back (journal.archive_dir), or a copy of the index folder taken after the last of them"
                    }
                    _ => {
                        "Put the segments back (journal.archive_dir), or a sound snapshot that is newer than the last of them"
                    }
                })
            }
            FollowerError::Ahead {
                what,
                position,
                log,
            } => write!(
                formatter,
                "follower: the {what} knows record {position}, but the log ends at {log}: the end of the log was lost, or the \
                 {what} belongs to another log; do not start on this copy before that is understood"
            ),
        }
    }
}

impl std::error::Error for FollowerError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            FollowerError::Journal(source) => Some(source),
            FollowerError::Replay(source) => Some(source),
            FollowerError::Index(source) => Some(source),
            FollowerError::Snapshot(source) => Some(source),
            FollowerError::Ahead { .. } | FollowerError::Expired { .. } => None,
        }
    }
}

impl From<JournalError> for FollowerError {
    fn from(source: JournalError) -> FollowerError {
        FollowerError::Journal(source)
    }
}

impl From<ReplayError> for FollowerError {
    fn from(source: ReplayError) -> FollowerError {
        FollowerError::Replay(source)
    }
}

impl From<IndexError> for FollowerError {
    fn from(source: IndexError) -> FollowerError {
        FollowerError::Index(source)
    }
}

impl From<SnapshotError> for FollowerError {
    fn from(source: SnapshotError) -> FollowerError {
        FollowerError::Snapshot(source)
    }
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SnapshotError::Medium {
                operation,
                file,
                source,
            } => {
                write!(
                    formatter,
                    "snapshot: {operation} of {file:?} failed: {source}"
                )
            }
            SnapshotError::Damaged { file, rule } => {
                write!(formatter, "snapshot {file}: damaged: {rule}")
            }
            SnapshotError::Format {
                file,
                found,
                supported,
            } => {
                write!(
                    formatter,
                    "snapshot {file}: layout {found} is not {supported}, the one this program reads"
                )
            }
            SnapshotError::OtherLog { file, position } => {
                write!(
                    formatter,
                    "snapshot {file}: the log has another record at position {position}"
                )
            }
        }
    }
}

impl std::error::Error for SnapshotError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            SnapshotError::Medium { source, .. } => Some(source),
            SnapshotError::Damaged { .. }
            | SnapshotError::Format { .. }
            | SnapshotError::OtherLog { .. } => None,
        }
    }
}
