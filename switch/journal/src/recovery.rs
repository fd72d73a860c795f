//! Finds the log on a medium after any end of the process before, and makes it ready to be continued.
//!
//! Recovery never guesses: a log is either whole up to a point behind which nothing was acknowledged, or it is refused with
//! segment and offset. It removes nothing but standby files and a torn end, and the latter only when all checks are passed.

use crate::catalog::{Places, Segment};
use crate::chain::Chain;
use crate::error::JournalError;
use crate::medium::{Medium, MediumFile};
use crate::options::Options;
use crate::prepare::is_standby;
use crate::scan::{Found, SegmentScan};
use crate::walk::{End, SegmentFile, Torn, Visitor, Walked, list_segments, walk};
use std::fmt;
use std::sync::Arc;

/// Zeros written at once over a torn end, in bytes.
const ERASE_BYTES: u64 = 1 << 20;

/// What an opening found and did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// First sequence that the folder can hold.
    pub first_sequence: u64,
    /// Last sequence in the log, all of it durable; 0 if there is no record.
    pub last_sequence: u64,
    /// Time of the last record, ns since 1970-01-01 UTC.
    pub last_time: u64,
    /// Epoch that this opening began.
    pub epoch: u32,
    /// Segments in the folder.
    pub segments: usize,
    /// Records verified whole, not counting the journal's own.
    pub records_verified: u64,
    /// The torn end that was dropped.
    pub torn: Option<Torn>,
    /// The folder held no journal and a new one was made.
    pub created: bool,
}

/// A log found on the medium.
#[derive(Debug)]
pub(crate) struct Recovered {
    pub(crate) segments: Vec<Arc<Segment>>,
    /// The last of them.
    pub(crate) active: Arc<Segment>,
    /// The last segment's file, which is written on.
    pub(crate) file: Arc<dyn MediumFile>,
    pub(crate) chain: Chain,
    /// Offset where the next group goes.
    pub(crate) end: u64,
    pub(crate) torn: Option<Torn>,
    pub(crate) records_verified: u64,
}

/// Reads and judges the log, then makes it durable and clean up to its end. `None` if the folder holds no journal.
pub(crate) fn recover(
    medium: &dyn Medium,
    options: &Options,
) -> Result<Option<Recovered>, JournalError> {
    let files = list_segments(medium)?;
    let mut index = IndexBuilder::default();
    let walked = walk(&files, options.verify_from, End::Judge, &mut index)?;
    let (Some(walked), Some(last)) = (walked, files.last()) else {
        if options.must_reach > 0 {
            return Err(JournalError::BelowReach {
                last: 0,
                must_reach: options.must_reach,
            });
        }
        return Ok(None);
    };
    let chain = walked.chain;
    if chain.last_sequence() < options.must_reach {
        return Err(JournalError::BelowReach {
            last: chain.last_sequence(),
            must_reach: options.must_reach,
        });
    }
    let key_check = options
        .evidence_key
        .as_ref()
        .map_or([0; 16], |key| key.check(&chain.identity));
    if key_check != last.header.key_check {
        return Err(JournalError::KeyMismatch {
            segment: last.name.clone(),
        });
    }
    settle(medium, last, &walked)?;
    let file = Arc::clone(&last.file);
    let segments = index.segments(files, &chain);
    let Some(active) = segments.last().map(Arc::clone) else {
        return Ok(None);
    };
    Ok(Some(Recovered {
        segments,
        active,
        file,
        chain,
        end: walked.end,
        torn: walked.torn,
        records_verified: walked.records,
    }))
}

/// Removes what earlier openings prepared and did not use.
pub(crate) fn remove_standbys(medium: &dyn Medium) -> Result<(), JournalError> {
    let names = medium
        .list()
        .map_err(|source| JournalError::medium("list", "", source))?;
    for name in names.iter().filter(|name| is_standby(name)) {
        medium
            .remove(name)
            .map_err(|source| JournalError::medium("remove", name, source))?;
    }
    Ok(())
}

/// Makes the accepted end durable and erases the torn one.
///
/// The groups that nothing proves to have been synced may stand in the page cache only: the process was killed before the sync, or
/// the sync failed and left the pages marked as clean. Reading cannot tell, and a sync alone would skip such pages, so they are
/// written again.
fn settle(medium: &dyn Medium, last: &SegmentFile, walked: &Walked) -> Result<(), JournalError> {
    let write_failed = |source| JournalError::medium("write", &last.name, source);
    let groups = read_exactly(last, walked.unproven_at, walked.end)?;
    last.file
        .write_at(&groups, walked.unproven_at)
        .map_err(write_failed)?;
    if let Some(torn) = &walked.torn {
        let zeros = vec![0; ERASE_BYTES.min(torn.bytes) as usize];
        let mut offset = torn.offset;
        let end = torn.offset + torn.bytes;
        while offset < end {
            let count = (end - offset).min(ERASE_BYTES);
            last.file
                .write_at(&zeros[..count as usize], offset)
                .map_err(write_failed)?;
            offset += count;
        }
    }
    last.file
        .sync()
        .map_err(|source| JournalError::medium("sync", &last.name, source))?;
    medium
        .sync_dir()
        .map_err(|source| JournalError::medium("sync folder", "", source))
}

fn read_exactly(segment: &SegmentFile, from: u64, to: u64) -> Result<Vec<u8>, JournalError> {
    let mut bytes = vec![0; (to - from) as usize];
    let read = segment.file.read_at(&mut bytes, from);
    match read {
        Ok(count) if count == bytes.len() => Ok(bytes),
        Ok(_) => Err(JournalError::damaged(
            &segment.name,
            from,
            crate::error::Fault::SegmentShort,
        )),
        Err(source) => Err(JournalError::medium("read", &segment.name, source)),
    }
}

/// Collects the places of records while a walk passes them.
#[derive(Debug, Default)]
struct IndexBuilder {
    /// First sequence and places of each segment walked over.
    walked: Vec<(u64, Places)>,
}

impl Visitor for IndexBuilder {
    fn segment(&mut self, segment: &SegmentFile) {
        self.walked
            .push((segment.header.first_sequence, Places::following()));
    }

    fn record(
        &mut self,
        offset: u64,
        found: &Found,
        _: &mut SegmentScan,
    ) -> Result<(), JournalError> {
        if let Some((first_sequence, places)) = self.walked.last_mut()
            && !found.header.is_own()
        {
            places.note(found.header.sequence - *first_sequence, offset);
        }
        Ok(())
    }
}

impl IndexBuilder {
    /// All segments, with the places of those walked over; records of a torn group are forgotten.
    fn segments(mut self, files: Vec<SegmentFile>, chain: &Chain) -> Vec<Arc<Segment>> {
        if let Some((first_sequence, places)) = self.walked.last_mut() {
            places.truncate(chain.next_sequence.saturating_sub(*first_sequence));
        }
        let unread = files.len() - self.walked.len();
        let unknown = std::iter::repeat_n(Places::default(), unread);
        let places = unknown.chain(self.walked.into_iter().map(|(_, places)| places));
        files
            .into_iter()
            .zip(places)
            .map(|(file, places)| Arc::new(Segment::new(file.header, places)))
            .collect()
    }
}

impl fmt::Display for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.created {
            return write!(f, "new journal, epoch {}", self.epoch);
        }
        write!(
            f,
            "sequences {} to {} in {} segments, {} records verified, epoch {}",
            self.first_sequence,
            self.last_sequence,
            self.segments,
            self.records_verified,
            self.epoch
        )?;
        match &self.torn {
            Some(torn) => write!(f, "; dropped a {torn}"),
            None => Ok(()),
        }
    }
}
