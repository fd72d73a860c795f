//! Reading what is durable, from any thread, while the log is written.

use crate::batch::RecordMeta;
use crate::catalog::{Catalog, Located, Places, Segment};
use crate::error::{Fault, JournalError};
use crate::evidence::{EpochCipher, EvidenceKey};
use crate::medium::Medium;
use crate::record::{Hash, RecordHeader};
use crate::scan::{Check, LOOKUP_READ_BYTES, SCAN_READ_BYTES, SegmentScan, Slot};
use crate::segment::SEGMENT_HEADER_BYTES;
use crate::walk::{End, Unseen, list_segments, walk};
use std::sync::Arc;

/// How much of the records a cursor reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Facts only; evidence is neither checked nor decrypted. For replay.
    Facts,
    /// Facts and evidence.
    Evidence,
}

/// The evidence of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence<B> {
    /// The record was written without evidence.
    Absent,
    /// The original bytes.
    Bytes(B),
    /// It was erased on purpose.
    Redacted,
    /// It is encrypted and no key was given.
    Sealed,
    /// It was not asked for.
    NotRead,
}

/// A record as read, borrowed from the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record<'a> {
    /// Kind, sequence, time and rules version.
    pub meta: RecordMeta,
    /// Epoch in which it was written.
    pub epoch: u32,
    /// The facts.
    pub facts: &'a [u8],
    /// The evidence.
    pub evidence: Evidence<&'a [u8]>,
    /// Bytes that the evidence has, or had before it was erased; known without reading it.
    pub evidence_bytes: u32,
}

/// A record as read, with its own bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedRecord {
    /// Kind, sequence, time and rules version.
    pub meta: RecordMeta,
    /// Epoch in which it was written.
    pub epoch: u32,
    /// The facts.
    pub facts: Vec<u8>,
    /// The evidence.
    pub evidence: Evidence<Vec<u8>>,
}

/// Records in order, one after another.
pub trait RecordStream: Send {
    /// The next record; `None` when everything durable has been read. Later calls go on when there is more.
    fn next(&mut self) -> Result<Option<Record<'_>>, JournalError>;
}

/// Reads an open journal. Clones share what they know of it.
#[derive(Debug, Clone)]
pub struct Reader {
    catalog: Arc<Catalog>,
}

impl Reader {
    pub(crate) fn new(catalog: Arc<Catalog>) -> Reader {
        Reader { catalog }
    }

    /// Opens an existing journal for reading only, also while a switch writes it: it shows the log up to the last group that was
    /// whole at this moment, and does not judge what follows. `None` if the folder holds no journal.
    pub fn open(
        medium: Arc<dyn Medium>,
        key: Option<EvidenceKey>,
    ) -> Result<Option<Reader>, JournalError> {
        let files = list_segments(&*medium)?;
        let Some(walked) = walk(&files, u64::MAX, End::Leave, &mut Unseen)? else {
            return Ok(None);
        };
        let chain = walked.chain;
        if let (Some(key), Some(last)) = (&key, files.last())
            && key.check(&chain.identity) != last.header.key_check
        {
            return Err(JournalError::KeyMismatch {
                segment: last.name.clone(),
            });
        }
        let segments = files
            .into_iter()
            .map(|file| Arc::new(Segment::new(file.header, Places::default())))
            .collect();
        let catalog = Catalog::new(medium, key, chain.identity, segments, chain.last_sequence());
        Ok(Some(Reader::new(Arc::new(catalog))))
    }

    /// Last durable sequence; 0 if there is none.
    pub fn durable_upto(&self) -> u64 {
        self.catalog.durable_upto()
    }

    /// First sequence that the folder can still hold.
    pub fn first_sequence(&self) -> u64 {
        self.catalog.first_sequence()
    }

    /// Forgets the segments that lie wholly before a sequence, because they are about to be removed.
    pub fn forget_before(&self, sequence: u64) {
        self.catalog.forget_before(sequence);
    }

    /// Closes the files of segments, because some have moved: look-ups open them again where they lie now.
    pub fn close_files(&self) {
        self.catalog.close_files();
    }

    /// A cursor that begins at a sequence; 0 begins with the first record there is. The sequence need not be durable yet.
    pub fn read_from(&self, sequence: u64, depth: Depth) -> Result<Cursor, JournalError> {
        let first = self.catalog.first_sequence();
        if sequence != 0 && sequence < first {
            return Err(JournalError::Expired { sequence, first });
        }
        Ok(Cursor {
            catalog: Arc::clone(&self.catalog),
            depth,
            read_bytes: SCAN_READ_BYTES,
            next: sequence.max(first),
            durable: 0,
            at: None,
            opener: Opener::default(),
        })
    }

    /// One record; `None` if it is not durable, or will never be. An error if it is no longer in the folder.
    pub fn read_record(&self, sequence: u64) -> Result<Option<OwnedRecord>, JournalError> {
        if sequence == 0 || sequence > self.durable_upto() {
            return Ok(None);
        }
        let mut cursor = self.read_from(sequence, Depth::Evidence)?;
        cursor.read_bytes = LOOKUP_READ_BYTES;
        let record = cursor.next()?.map(|record| record.to_owned());
        cursor.release();
        Ok(record)
    }
}

impl Record<'_> {
    /// A copy with its own bytes.
    pub fn to_owned(&self) -> OwnedRecord {
        let evidence = match self.evidence {
            Evidence::Absent => Evidence::Absent,
            Evidence::Bytes(bytes) => Evidence::Bytes(bytes.to_vec()),
            Evidence::Redacted => Evidence::Redacted,
            Evidence::Sealed => Evidence::Sealed,
            Evidence::NotRead => Evidence::NotRead,
        };
        OwnedRecord {
            meta: self.meta,
            epoch: self.epoch,
            facts: self.facts.to_vec(),
            evidence,
        }
    }
}

/// Reads records in order and verifies each: header, parts, place, sequence, and the chain from the second one on.
#[derive(Debug)]
pub struct Cursor {
    catalog: Arc<Catalog>,
    depth: Depth,
    read_bytes: usize,
    /// The next sequence to give.
    next: u64,
    /// What was durable when the window was last filled.
    durable: u64,
    at: Option<At>,
    opener: Opener,
}

/// Where a cursor stands.
#[derive(Debug)]
struct At {
    scan: SegmentScan,
    segment: String,
    first_sequence: u64,
    offset: u64,
    last_sequence: u64,
    /// Hash of the header before `offset`, if it was read.
    previous: Option<Hash>,
}

impl RecordStream for Cursor {
    fn next(&mut self) -> Result<Option<Record<'_>>, JournalError> {
        let durable = self.catalog.durable_upto();
        if self.next > durable {
            return Ok(None);
        }
        if durable > self.durable {
            self.durable = durable;
            if let Some(at) = &mut self.at {
                at.scan.refresh();
                at.last_sequence = self.catalog.last_sequence_of(at.first_sequence);
            }
        }
        let (offset, header, redacted) = self.advance()?;
        self.next += 1;
        self.record(offset, &header, redacted).map(Some)
    }
}

impl Cursor {
    /// Sequence of the record that comes next.
    pub fn next_sequence(&self) -> u64 {
        self.next
    }

    /// Moves behind the record `self.next` and returns where it begins, its header, and whether its evidence is redacted.
    fn advance(&mut self) -> Result<(u64, RecordHeader, bool), JournalError> {
        let check = match self.depth {
            Depth::Facts => Check::Facts,
            Depth::Evidence => Check::Whole,
        };
        let next = self.next;
        let at = self.position()?;
        loop {
            let offset = at.offset;
            let damaged = |at: &At, fault| Err(JournalError::damaged(&at.segment, offset, fault));
            let found = match at.scan.slot(offset, Check::Header)? {
                Slot::Record(found) => found,
                Slot::Blank => return damaged(at, Fault::RecordMissing),
                Slot::Bad(fault) => return damaged(at, fault),
            };
            let header = found.header;
            if at
                .previous
                .is_some_and(|previous| previous != header.previous)
            {
                return damaged(at, Fault::Chain);
            }
            at.previous = Some(found.hash);
            at.offset += header.record_bytes();
            if header.is_own() || header.sequence < next {
                continue;
            }
            if header.sequence > next {
                return damaged(
                    at,
                    Fault::Sequence {
                        expected: next,
                        found: header.sequence,
                    },
                );
            }
            return match at.scan.check_body(offset, &header, check)? {
                Ok(redacted) => Ok((offset, header, redacted)),
                Err(fault) => damaged(at, fault),
            };
        }
    }

    /// Where to read on for `self.next`, which is durable.
    fn position(&mut self) -> Result<&mut At, JournalError> {
        let at = match self.at.take() {
            Some(at) if self.next <= at.last_sequence => at,
            left => {
                let window =
                    left.map_or_else(|| self.catalog.take_window(), |at| at.scan.into_window());
                self.locate(window)?
            }
        };
        Ok(self.at.insert(at))
    }

    fn locate(&self, window: Vec<u8>) -> Result<At, JournalError> {
        let Located {
            segment,
            file,
            offset,
            last_sequence,
        } = self.catalog.locate(self.next)?;
        let header = &segment.header;
        let begins = offset == SEGMENT_HEADER_BYTES as u64;
        Ok(At {
            scan: SegmentScan::new(
                &segment.name,
                file,
                header.identity,
                header.segment_bytes,
                self.read_bytes,
                window,
            ),
            segment: segment.name.clone(),
            first_sequence: header.first_sequence,
            offset,
            last_sequence,
            previous: begins.then_some(header.previous),
        })
    }

    /// The record at `offset`, whose parts have been checked.
    fn record(
        &mut self,
        offset: u64,
        header: &RecordHeader,
        redacted: bool,
    ) -> Result<Record<'_>, JournalError> {
        let Some(at) = &mut self.at else {
            return Err(JournalError::damaged("", offset, Fault::RecordMissing));
        };
        let meta = RecordMeta {
            kind: header.kind,
            sequence: header.sequence,
            time: header.time,
            rules_version: header.rules_version,
        };
        let epoch = header.epoch;
        if self.depth == Depth::Facts {
            let facts = at.scan.facts(offset, header)?;
            return Ok(Record {
                meta,
                epoch,
                facts,
                evidence: Evidence::NotRead,
                evidence_bytes: header.original_bytes(),
            });
        }
        let segment = &at.segment;
        let (facts, stored) = at.scan.parts(offset, header)?;
        let evidence = if stored.is_empty() {
            Evidence::Absent
        } else if redacted {
            Evidence::Redacted
        } else if !header.evidence_sealed {
            Evidence::Bytes(stored)
        } else {
            let opened = self.opener.open(
                self.catalog.key.as_ref(),
                &self.catalog.identity,
                header,
                stored,
            );
            opened.map_err(|WrongKey| JournalError::KeyMismatch {
                segment: segment.clone(),
            })?
        };
        Ok(Record {
            meta,
            epoch,
            facts,
            evidence,
            evidence_bytes: header.original_bytes(),
        })
    }

    /// Gives the buffer back for the next look-up.
    fn release(mut self) {
        if let Some(at) = self.at.take() {
            self.catalog.give_window(at.scan.into_window());
        }
    }
}

/// Decrypts evidence into a buffer of its own and remembers the cipher of the last epoch.
#[derive(Debug, Default)]
pub(crate) struct Opener {
    cipher: Option<EpochCipher>,
    clear: Vec<u8>,
}

/// The evidence was not sealed with this key.
#[derive(Debug)]
pub(crate) struct WrongKey;

impl Opener {
    pub(crate) fn open(
        &mut self,
        key: Option<&EvidenceKey>,
        identity: &Hash,
        header: &RecordHeader,
        stored: &[u8],
    ) -> Result<Evidence<&[u8]>, WrongKey> {
        let Some(key) = key else {
            return Ok(Evidence::Sealed);
        };
        let cipher = match self.cipher.take().filter(|cipher| cipher.fits(header)) {
            Some(cipher) => cipher,
            None => key.epoch(identity, header.epoch, header.epoch_salt),
        };
        self.clear.clear();
        self.clear.extend_from_slice(stored);
        let opened = self
            .cipher
            .insert(cipher)
            .open(header.sequence, &mut self.clear);
        opened.map(Evidence::Bytes).ok_or(WrongKey)
    }
}
