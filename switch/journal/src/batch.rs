//! A batch of records on its way to the log: one buffer, laid out as on the medium, filled once and sealed in place.

use crate::evidence::TAG_BYTES;
use crate::record::{ALIGN, HEADER_BYTES, KIND_FIRST};
use std::fmt;

/// Unit of the cache in which a file system keeps what is written.
const PAGE_BYTES: u64 = 4096;

/// What the caller says about a record beside its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordMeta {
    /// What the facts are; at least [`KIND_FIRST`].
    pub kind: u16,
    /// Position in the log; the first record is 1, and every record has one more than the one before.
    pub sequence: u64,
    /// Time stamp, ns since 1970-01-01 UTC.
    pub time: u64,
    /// Version of the rules by which the record is to be applied.
    pub rules_version: u32,
}

/// Records that are written together. Get one from the journal, which hands spent ones out again: a batch allocates only while
/// its buffer grows for the first time.
#[derive(Debug)]
pub struct Batch {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    bytes_max: usize,
    /// Room kept after each evidence: 16 where evidence is encrypted, 0 where it is stored clear.
    tag_bytes: usize,
}

/// A record in the buffer: its header's place and what will stand in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) at: usize,
    pub(crate) meta: RecordMeta,
    pub(crate) facts_bytes: usize,
    /// Stored form.
    pub(crate) evidence_bytes: usize,
}

/// Why a record was not taken into a batch. The batch is as it was before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchError {
    /// No room left: hand this batch over and begin another one.
    Full,
    /// The record does not even fit into an empty batch.
    RecordTooLarge {
        /// Size it would have on the medium.
        bytes: usize,
        /// Limit of a batch.
        bytes_max: usize,
    },
    /// Kinds below [`KIND_FIRST`] belong to the journal.
    ReservedKind {
        /// The kind given.
        kind: u16,
    },
    /// The sequence is not one more than the one before.
    OutOfOrder {
        /// The sequence that has to come next.
        expected: u64,
        /// The sequence given.
        found: u64,
    },
}

impl Batch {
    pub(crate) fn new(bytes_max: usize, seals_evidence: bool) -> Batch {
        let tag_bytes = if seals_evidence { TAG_BYTES } else { 0 };
        Batch {
            bytes: Vec::new(),
            entries: Vec::new(),
            bytes_max,
            tag_bytes,
        }
    }

    /// Takes a record in. No evidence is the empty slice.
    pub fn push(
        &mut self,
        meta: RecordMeta,
        facts: &[u8],
        evidence: &[u8],
    ) -> Result<(), BatchError> {
        self.push_with(meta, |buffer| buffer.extend_from_slice(facts), evidence)
    }

    /// Takes a record in whose facts are written straight into the batch. The closure only appends; what it finds in the
    /// buffer belongs to earlier records.
    pub fn push_with(
        &mut self,
        meta: RecordMeta,
        facts: impl FnOnce(&mut Vec<u8>),
        evidence: &[u8],
    ) -> Result<(), BatchError> {
        if meta.kind < KIND_FIRST {
            return Err(BatchError::ReservedKind { kind: meta.kind });
        }
        if let Some(last) = self.last_sequence()
            && meta.sequence != last + 1
        {
            return Err(BatchError::OutOfOrder {
                expected: last + 1,
                found: meta.sequence,
            });
        }
        self.add(meta, facts, evidence)
    }

    /// Takes in one of the journal's own records, which have neither facts nor evidence.
    pub(crate) fn push_own(&mut self, meta: RecordMeta) {
        let at = self.bytes.len();
        self.bytes.resize(at + HEADER_BYTES, 0);
        self.entries.push(Entry {
            at,
            meta,
            facts_bytes: 0,
            evidence_bytes: 0,
        });
    }

    fn add(
        &mut self,
        meta: RecordMeta,
        facts: impl FnOnce(&mut Vec<u8>),
        evidence: &[u8],
    ) -> Result<(), BatchError> {
        let at = self.bytes.len();
        self.bytes.resize(at + HEADER_BYTES, 0);
        let facts_at = self.bytes.len();
        facts(&mut self.bytes);
        assert!(
            self.bytes.len() >= facts_at,
            "the closure that writes the facts may only append"
        );
        let facts_bytes = self.bytes.len() - facts_at;
        let evidence_bytes = if evidence.is_empty() {
            0
        } else {
            evidence.len() + self.tag_bytes
        };
        let end = (self.bytes.len() + evidence_bytes).next_multiple_of(ALIGN);
        if end > self.bytes_max {
            self.bytes.truncate(at);
            let bytes = end - at;
            if bytes > self.bytes_max {
                return Err(BatchError::RecordTooLarge {
                    bytes,
                    bytes_max: self.bytes_max,
                });
            }
            return Err(BatchError::Full);
        }
        self.bytes.extend_from_slice(evidence);
        self.bytes.resize(end, 0);
        self.entries.push(Entry {
            at,
            meta,
            facts_bytes,
            evidence_bytes,
        });
        Ok(())
    }

    /// Whether it holds no record.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Number of records.
    pub fn records(&self) -> usize {
        self.entries.len()
    }

    /// Size on the medium.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Sequence of the first record.
    pub fn first_sequence(&self) -> Option<u64> {
        self.entries.first().map(|entry| entry.meta.sequence)
    }

    /// Sequence of the last record.
    pub fn last_sequence(&self) -> Option<u64> {
        self.entries.last().map(|entry| entry.meta.sequence)
    }

    /// Empties it and keeps its memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
    }

    /// Size of its buffer.
    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Whether it was made for a journal that encrypts evidence.
    pub(crate) fn seals_evidence(&self) -> bool {
        self.tag_bytes != 0
    }

    pub(crate) fn bytes_max(&self) -> usize {
        self.bytes_max
    }

    /// Hands over the sealed records, and zeros up to the end of the page when they go to `offset`. Nothing but zeros stands there
    /// yet, and a page that is written whole need not be read first.
    pub(crate) fn in_whole_pages<T>(&mut self, offset: u64, write: impl FnOnce(&[u8]) -> T) -> T {
        let records_bytes = self.bytes.len();
        let end = (offset + records_bytes as u64).next_multiple_of(PAGE_BYTES);
        self.bytes.resize((end - offset) as usize, 0);
        let written = write(&self.bytes);
        self.bytes.truncate(records_bytes);
        written
    }

    pub(crate) fn entries_and_bytes(&mut self) -> (&[Entry], &mut [u8]) {
        (&self.entries, &mut self.bytes)
    }
}

impl fmt::Display for BatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BatchError::Full => write!(f, "the batch is full"),
            BatchError::RecordTooLarge { bytes, bytes_max } => {
                write!(
                    f,
                    "a record of {bytes} bytes is larger than a batch may be ({bytes_max})"
                )
            }
            BatchError::ReservedKind { kind } => {
                write!(f, "record kind {kind} is reserved to the journal")
            }
            BatchError::OutOfOrder { expected, found } => {
                write!(f, "sequence {found} given, {expected} has to come next")
            }
        }
    }
}

impl std::error::Error for BatchError {}
