//! What can go wrong with a journal, and who must act on it.
//!
//! Every error here is for the operator or for us; a peer can cause none of them. After [`Log::open`](crate::Log::open) has
//! succeeded each error is fatal: the log fences itself, and the process must stop, because nobody knows any more what the
//! medium holds.

use std::fmt;
use std::io;
use std::sync::Arc;

/// Why a journal cannot be opened, read or written.
#[derive(Debug)]
pub enum JournalError {
    /// Bytes that were once durable are no longer what was written. The switch must not start on this copy.
    Damaged(Damage),
    /// The segment was written in a layout that this binary does not read.
    Format {
        /// File name of the segment.
        segment: String,
        /// Format version found in its header.
        found: u32,
        /// Format version that this binary reads and writes.
        expected: u32,
    },
    /// Another process has this folder open as its journal.
    Locked,
    /// The medium has no room for the next segment.
    Full {
        /// File that could not be written.
        file: String,
        /// What the medium answered.
        source: io::Error,
    },
    /// The medium refused an operation.
    Medium {
        /// Operation, as a verb: `list`, `create`, `open`, `read`, `write`, `sync`, `rename`, `remove`, `sync folder`, `lock`, `start thread`.
        operation: &'static str,
        /// File it was for; empty for the folder itself.
        file: String,
        /// What the medium answered.
        source: io::Error,
    },
    /// The evidence key is not the one this journal was created with, or one was given to a journal stored clear, or none
    /// to an encrypted one that shall be written.
    KeyMismatch {
        /// File name of the segment that shows it.
        segment: String,
    },
    /// A field of [`Options`](crate::Options) is outside its limits.
    Options {
        /// Name of the field.
        field: &'static str,
        /// The rule it breaks.
        why: String,
    },
    /// A batch does not continue where the log ends: a defect of the caller.
    OutOfOrder {
        /// The sequence that had to come next.
        expected: u64,
        /// The sequence that came.
        found: u64,
    },
    /// The log ends before a sequence that somebody has already seen: its end was lost, or this is an old copy.
    BelowReach {
        /// Last sequence that the log holds.
        last: u64,
        /// Last sequence that is known to have existed ([`Options::must_reach`](crate::Options)).
        must_reach: u64,
    },
    /// The record was in a segment that has been removed from the folder.
    Expired {
        /// The sequence asked for.
        sequence: u64,
        /// First sequence still present.
        first: u64,
    },
    /// The evidence of this record cannot be erased.
    NotRedactable {
        /// The sequence asked for.
        sequence: u64,
        /// The rule that forbids it.
        why: &'static str,
    },
    /// The system gave no randomness.
    Entropy,
    /// The journal's thread ended without saying why: a defect of ours.
    ThreadDied,
    /// An earlier failure closed this journal for ever; the process must stop.
    Fenced {
        /// The failure that closed it.
        cause: Arc<JournalError>,
    },
}

/// The place where a journal is damaged, and the proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// File name of the segment.
    pub segment: String,
    /// Offset in bytes from the start of the segment.
    pub offset: u64,
    /// What is wrong there.
    pub fault: Fault,
    /// Offset of a sound record of a later group, which proves that the bad place was durable once. `None` when the fault
    /// needs no such proof: a sealed segment, a segment header, a record at a place where it does not belong.
    pub later_record: Option<u64>,
}

/// What is wrong with a place in a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The segment's header is no header, or its checksum does not match.
    SegmentHeader,
    /// A field of the segment's header contradicts the file: its name or its size.
    SegmentMismatch,
    /// The file is shorter than its header says.
    SegmentShort,
    /// A segment is missing: its number is not one more than the number before it.
    SegmentMissing {
        /// Number that had to come.
        expected: u64,
        /// Number found.
        found: u64,
    },
    /// The segment does not continue the one before it: another journal, or the hash of its last record differs.
    SegmentChain,
    /// There is nothing where a record has to be.
    RecordMissing,
    /// The record's header is no header, or its checksum does not match.
    Header,
    /// The record's lengths run past the end of the segment.
    Length,
    /// A sound record that belongs to another place: a misdirected write.
    Misplaced {
        /// Offset where the record says that it belongs.
        belongs_at: u64,
    },
    /// The hash of the facts does not match.
    Facts,
    /// The hash of the evidence does not match, and it is not redacted.
    Evidence,
    /// The padding after the record is not zero.
    Padding,
    /// The record does not carry the hash of the record before it.
    Chain,
    /// The sequence does not continue.
    Sequence {
        /// Sequence that had to come.
        expected: u64,
        /// Sequence found.
        found: u64,
    },
    /// The group number does not continue.
    Group {
        /// Group that had to come.
        expected: u64,
        /// Group found.
        found: u64,
    },
    /// The epoch changed without an epoch start, or went back.
    Epoch {
        /// Epoch in force.
        expected: u32,
        /// Epoch found.
        found: u32,
    },
    /// A group without its last record.
    GroupOpen,
    /// There are bytes after the last record of a sealed segment.
    Trailing,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::SegmentHeader => write!(f, "the segment header's checksum does not match"),
            Fault::SegmentMismatch => {
                write!(f, "the segment header contradicts the file's name or size")
            }
            Fault::SegmentShort => write!(f, "the file is shorter than its header says"),
            Fault::SegmentMissing { expected, found } => write!(
                f,
                "segment number {expected} is missing, number {found} found instead"
            ),
            Fault::SegmentChain => write!(f, "the segment does not continue the one before it"),
            Fault::RecordMissing => write!(f, "a record is missing"),
            Fault::Header => write!(f, "the record header's checksum does not match"),
            Fault::Length => write!(f, "the record runs past the end of the segment"),
            Fault::Misplaced { belongs_at } => {
                write!(f, "a record that belongs at offset {belongs_at}")
            }
            Fault::Facts => write!(f, "the hash of the facts does not match"),
            Fault::Evidence => write!(f, "the hash of the evidence does not match"),
            Fault::Padding => write!(f, "the padding is not zero"),
            Fault::Chain => write!(f, "the record does not carry the hash of the one before it"),
            Fault::Sequence { expected, found } => {
                write!(f, "sequence {found} found, {expected} expected")
            }
            Fault::Group { expected, found } => {
                write!(f, "group {found} found, {expected} expected")
            }
            Fault::Epoch { expected, found } => {
                write!(f, "epoch {found} found, {expected} expected")
            }
            Fault::GroupOpen => write!(f, "a group lacks its last record"),
            Fault::Trailing => write!(
                f,
                "there are bytes after the last record of a sealed segment"
            ),
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "segment {} offset {}: {}",
            self.segment, self.offset, self.fault
        )?;
        if let Some(later) = self.later_record {
            write!(
                f,
                "; a sound record of a later group stands at offset {later}, so this place was durable"
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JournalError::Damaged(damage) => {
                write!(
                    f,
                    "the journal is damaged: {damage}. Restore this copy from another one; do not delete anything"
                )
            }
            JournalError::Format {
                segment,
                found,
                expected,
            } => {
                write!(
                    f,
                    "segment {segment} has format version {found}; this binary reads version {expected} only"
                )
            }
            JournalError::Locked => write!(f, "another process has this journal open"),
            JournalError::Full { file, source } => {
                write!(f, "no room on the journal's disk for {file}: {source}")
            }
            JournalError::Medium {
                operation,
                file,
                source,
            } => write!(f, "cannot {operation} {file}: {source}"),
            JournalError::KeyMismatch { segment } => {
                write!(
                    f,
                    "the evidence key does not fit the journal (segment {segment}): give the key it was created with"
                )
            }
            JournalError::Options { field, why } => write!(f, "journal option {field}: {why}"),
            JournalError::OutOfOrder { expected, found } => {
                write!(
                    f,
                    "a batch begins with sequence {found}, the log continues with {expected}"
                )
            }
            JournalError::BelowReach { last, must_reach } => {
                write!(
                    f,
                    "the log ends at sequence {last}, but sequence {must_reach} is known to have been durable"
                )
            }
            JournalError::Expired { sequence, first } => {
                write!(
                    f,
                    "record {sequence} has expired: the log begins at record {first}; what was before is in an archive or a backup, if anywhere"
                )
            }
            JournalError::NotRedactable { sequence, why } => {
                write!(f, "sequence {sequence} cannot be redacted: {why}")
            }
            JournalError::Entropy => write!(f, "the system gave no randomness"),
            JournalError::ThreadDied => write!(f, "the journal's thread ended without saying why"),
            JournalError::Fenced { cause } => write!(f, "the journal is closed since: {cause}"),
        }
    }
}

impl std::error::Error for JournalError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            JournalError::Full { source, .. } | JournalError::Medium { source, .. } => Some(source),
            JournalError::Fenced { cause } => Some(cause.as_ref()),
            _ => None,
        }
    }
}

impl JournalError {
    /// The error of a refused operation; a full medium has its own variant, because the operator's remedy differs.
    pub(crate) fn medium(operation: &'static str, file: &str, source: io::Error) -> JournalError {
        let file = file.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                JournalError::Full { file, source }
            }
            _ => JournalError::Medium {
                operation,
                file,
                source,
            },
        }
    }

    /// Damage that needs no later record as proof.
    pub(crate) fn damaged(segment: &str, offset: u64, fault: Fault) -> JournalError {
        JournalError::Damaged(Damage {
            segment: segment.to_owned(),
            offset,
            fault,
            later_record: None,
        })
    }
}
