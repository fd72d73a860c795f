//! The segments of an open journal and where records lie in them: what the writer and its readers share.

use crate::error::{Fault, JournalError};
use crate::evidence::EvidenceKey;
use crate::medium::{Medium, MediumFile};
use crate::record::Hash;
use crate::scan::{Check, SCAN_READ_BYTES, SegmentScan, Slot};
use crate::segment::{SEGMENT_HEADER_BYTES, SegmentHeader};
use parking_lot::{Mutex, RwLock};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// One in so many records has its place kept in memory, 4 bytes each.
pub(crate) const INDEX_STRIDE: u64 = 32;
/// Sealed segments kept open for look-ups.
const OPEN_FILES_MAX: usize = 64;
/// Buffers kept for look-ups.
const WINDOWS_MAX: usize = 16;

/// A segment of an open journal.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) name: String,
    pub(crate) header: SegmentHeader,
    places: RwLock<Places>,
}

/// The places of every 32nd record of a segment. Sequences have no holes, so the place alone is enough.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    /// Offsets in units of 8 bytes.
    units: Vec<u32>,
    /// Whether the segment has been read from its beginning.
    known: bool,
}

impl Places {
    /// An index that will be told of every record.
    pub(crate) fn following() -> Places {
        Places {
            units: Vec::new(),
            known: true,
        }
    }

    /// Notes where a record lies; `nth` counts the segment's records from 0.
    pub(crate) fn note(&mut self, nth: u64, offset: u64) {
        if nth.is_multiple_of(INDEX_STRIDE) && nth / INDEX_STRIDE == self.units.len() as u64 {
            self.units.push((offset / 8) as u32);
        }
    }

    /// Forgets all but the first `records` records.
    pub(crate) fn truncate(&mut self, records: u64) {
        self.units.truncate(records.div_ceil(INDEX_STRIDE) as usize);
    }

    /// Offset of the last noted record that is not behind the `nth`.
    fn before(&self, nth: u64) -> Option<u64> {
        let index = usize::try_from(nth / INDEX_STRIDE)
            .ok()?
            .min(self.units.len().checked_sub(1)?);
        Some(u64::from(*self.units.get(index)?) * 8)
    }
}

impl Segment {
    pub(crate) fn new(header: SegmentHeader, places: Places) -> Segment {
        Segment {
            name: header.file_name(),
            header,
            places: RwLock::new(places),
        }
    }

    /// Notes where a record lies.
    pub(crate) fn note(&self, sequence: u64, offset: u64) {
        let nth = sequence - self.header.first_sequence;
        if nth.is_multiple_of(INDEX_STRIDE) {
            self.places.write().note(nth, offset);
        }
    }
}

/// Where to begin to read for a sequence.
#[derive(Debug)]
pub(crate) struct Located {
    pub(crate) segment: Arc<Segment>,
    pub(crate) file: Arc<dyn MediumFile>,
    /// Offset of a record that is not behind the wanted one.
    pub(crate) offset: u64,
    /// Last sequence of the segment; `u64::MAX` for the one being written.
    pub(crate) last_sequence: u64,
}

/// All segments of an open journal.
#[derive(Debug)]
pub(crate) struct Catalog {
    medium: Arc<dyn Medium>,
    pub(crate) key: Option<EvidenceKey>,
    pub(crate) identity: Hash,
    durable: AtomicU64,
    segments: RwLock<Vec<Arc<Segment>>>,
    files: Mutex<VecDeque<(u64, Arc<dyn MediumFile>)>>,
    windows: Mutex<Vec<Vec<u8>>>,
}

impl Catalog {
    pub(crate) fn new(
        medium: Arc<dyn Medium>,
        key: Option<EvidenceKey>,
        identity: Hash,
        segments: Vec<Arc<Segment>>,
        durable: u64,
    ) -> Catalog {
        Catalog {
            medium,
            key,
            identity,
            durable: AtomicU64::new(durable),
            segments: RwLock::new(segments),
            files: Mutex::default(),
            windows: Mutex::default(),
        }
    }

    /// Last sequence that is durable.
    pub(crate) fn durable_upto(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    pub(crate) fn publish_durable(&self, sequence: u64) {
        self.durable.store(sequence, Ordering::Release);
    }

    /// Adds the segment that is now written; it takes the place of one with the same first sequence, which held no record.
    pub(crate) fn add(&self, segment: Arc<Segment>) {
        let first_sequence = segment.header.first_sequence;
        let mut segments = self.segments.write();
        if segments
            .last()
            .is_some_and(|last| last.header.first_sequence == first_sequence)
        {
            segments.pop();
            self.files
                .lock()
                .retain(|(held, _)| *held != first_sequence);
        }
        segments.push(segment);
    }

    /// Drops the segments that lie wholly before a sequence: whoever asks for their records is told that they have expired.
    /// The segment being written stays.
    pub(crate) fn forget_before(&self, sequence: u64) {
        let mut segments = self.segments.write();
        let holds = segments.partition_point(|segment| segment.header.first_sequence <= sequence);
        let gone = holds
            .saturating_sub(1)
            .min(segments.len().saturating_sub(1));
        segments.drain(..gone);
        let first = segments
            .first()
            .map_or(0, |segment| segment.header.first_sequence);
        self.files.lock().retain(|(held, _)| *held >= first);
    }

    /// Closes the sealed segments' files: look-ups open them again where they lie now.
    pub(crate) fn close_files(&self) {
        self.files.lock().clear();
    }

    /// Number of segments.
    pub(crate) fn segments(&self) -> usize {
        self.segments.read().len()
    }

    /// First sequence that the folder can still hold.
    pub(crate) fn first_sequence(&self) -> u64 {
        self.segments
            .read()
            .first()
            .map_or(1, |segment| segment.header.first_sequence)
    }

    /// Last sequence of the segment that begins with `first_sequence`; `u64::MAX` for the one being written.
    pub(crate) fn last_sequence_of(&self, first_sequence: u64) -> u64 {
        let segments = self.segments.read();
        let after =
            segments.partition_point(|segment| segment.header.first_sequence <= first_sequence);
        segments
            .get(after)
            .map_or(u64::MAX, |next| next.header.first_sequence - 1)
    }

    /// Finds the segment of a durable sequence and a place in it from which to read on.
    pub(crate) fn locate(&self, sequence: u64) -> Result<Located, JournalError> {
        let (segment, last_sequence) = {
            let segments = self.segments.read();
            let after =
                segments.partition_point(|segment| segment.header.first_sequence <= sequence);
            let Some(index) = after.checked_sub(1) else {
                let first = segments
                    .first()
                    .map_or(1, |segment| segment.header.first_sequence);
                return Err(JournalError::Expired { sequence, first });
            };
            let last_sequence = segments
                .get(after)
                .map_or(u64::MAX, |next| next.header.first_sequence - 1);
            (Arc::clone(&segments[index]), last_sequence)
        };
        let file = self.file(&segment)?;
        if !segment.places.read().known {
            self.learn_places(&segment, &file, last_sequence.min(self.durable_upto()))?;
        }
        let nth = sequence - segment.header.first_sequence;
        let offset = segment
            .places
            .read()
            .before(nth)
            .unwrap_or(SEGMENT_HEADER_BYTES as u64);
        Ok(Located {
            segment,
            file,
            offset,
            last_sequence,
        })
    }

    /// A buffer for a look-up.
    pub(crate) fn take_window(&self) -> Vec<u8> {
        self.windows.lock().pop().unwrap_or_default()
    }

    pub(crate) fn give_window(&self, window: Vec<u8>) {
        let mut windows = self.windows.lock();
        if windows.len() < WINDOWS_MAX {
            windows.push(window);
        }
    }

    /// The segment's file, opened when it is first needed.
    fn file(&self, segment: &Segment) -> Result<Arc<dyn MediumFile>, JournalError> {
        let first_sequence = segment.header.first_sequence;
        let mut files = self.files.lock();
        if let Some((_, file)) = files.iter().find(|(held, _)| *held == first_sequence) {
            return Ok(Arc::clone(file));
        }
        let opened = self
            .medium
            .open(&segment.name)
            .map_err(|source| JournalError::medium("open", &segment.name, source))?;
        let file: Arc<dyn MediumFile> = Arc::from(opened);
        if files.len() == OPEN_FILES_MAX {
            files.pop_front();
        }
        files.push_back((first_sequence, Arc::clone(&file)));
        Ok(file)
    }

    /// Reads the headers of a segment that was not verified at opening.
    fn learn_places(
        &self,
        segment: &Segment,
        file: &Arc<dyn MediumFile>,
        last_sequence: u64,
    ) -> Result<(), JournalError> {
        let (name, header) = (&segment.name, &segment.header);
        let mut places = Places::following();
        let mut scan = SegmentScan::new(
            name,
            Arc::clone(file),
            self.identity,
            header.segment_bytes,
            SCAN_READ_BYTES,
            Vec::new(),
        );
        let mut offset = SEGMENT_HEADER_BYTES as u64;
        let mut next = header.first_sequence;
        while next <= last_sequence {
            match scan.slot(offset, Check::Header)? {
                Slot::Record(found) => {
                    if !found.header.is_own() {
                        if found.header.sequence != next {
                            let fault = Fault::Sequence {
                                expected: next,
                                found: found.header.sequence,
                            };
                            return Err(JournalError::damaged(name, offset, fault));
                        }
                        places.note(next - header.first_sequence, offset);
                        next += 1;
                    }
                    offset += found.header.record_bytes();
                }
                Slot::Blank => {
                    return Err(JournalError::damaged(name, offset, Fault::RecordMissing));
                }
                Slot::Bad(fault) => return Err(JournalError::damaged(name, offset, fault)),
            }
        }
        *segment.places.write() = places;
        Ok(())
    }
}
