//! The walk over all segments that recovery and verification share, and the judgement of the log's end: torn or damaged.
//!
//! A record says how many groups right before its own were not known to be synced when it was written; all before those were. So
//! a sound record proves that everything up to there was durable once, and a fault there is damage. Without such a proof the end
//! is a torn write: sound records of the same group after a hole are no proof, nor are those of a group that was written while
//! this one was being synced, because what is not synced reaches the medium in any order.

use crate::chain::Chain;
use crate::error::{Damage, Fault, JournalError};
use crate::medium::{Medium, MediumFile};
use crate::scan::{Check, Found, SCAN_READ_BYTES, SegmentScan, Slot};
use crate::segment::{SEGMENT_HEADER_BYTES, SegmentHeader, first_sequence_of_name};
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

/// A segment on the medium with its header read and checked against the file.
#[derive(Debug)]
pub(crate) struct SegmentFile {
    pub(crate) name: String,
    pub(crate) header: SegmentHeader,
    pub(crate) file: Arc<dyn MediumFile>,
}

/// The end of the log as a crash left it: a group that was not durable. Nobody was told of its records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Torn {
    /// File name of the segment.
    pub segment: String,
    /// Offset where the group begins.
    pub offset: u64,
    /// Bytes up to the last one written.
    pub bytes: u64,
    /// Records among them whose headers are sound, not counting the journal's own.
    pub records: u64,
}

/// What a walk shows on its way.
pub(crate) trait Visitor {
    /// A segment begins.
    fn segment(&mut self, segment: &SegmentFile);

    /// A sound record that continues the log. Its group may still turn out to be torn.
    fn record(
        &mut self,
        offset: u64,
        found: &Found,
        scan: &mut SegmentScan,
    ) -> Result<(), JournalError>;
}

/// Looks at nothing: for whoever only wants to know where the log ends.
#[derive(Debug)]
pub(crate) struct Unseen;

impl Visitor for Unseen {
    fn segment(&mut self, _: &SegmentFile) {}

    fn record(&mut self, _: u64, _: &Found, _: &mut SegmentScan) -> Result<(), JournalError> {
        Ok(())
    }
}

/// Where the log ends.
#[derive(Debug)]
pub(crate) struct Walked {
    /// The state after the last whole group.
    pub(crate) chain: Chain,
    /// Offset in the last segment where the first whole group begins that no record behind proves to have been synced; equal to
    /// `end` if it has no group.
    pub(crate) unproven_at: u64,
    /// Offset in the last segment where the next group goes.
    pub(crate) end: u64,
    pub(crate) torn: Option<Torn>,
    /// Records of whole groups, not counting the journal's own.
    pub(crate) records: u64,
}

/// What to do where the records end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Nobody writes: tell a torn write from damage.
    Judge,
    /// A switch writes this journal meanwhile: what follows the last whole group is its business.
    Leave,
}

/// Lists the segments in order and checks that none is missing between the first and the last.
pub(crate) fn list_segments(medium: &dyn Medium) -> Result<Vec<SegmentFile>, JournalError> {
    let mut names = medium
        .list()
        .map_err(|source| JournalError::medium("list", "", source))?;
    names.retain(|name| first_sequence_of_name(name).is_some());
    names.sort();
    let mut segments: Vec<SegmentFile> = Vec::with_capacity(names.len());
    for name in names {
        let segment = open_segment(medium, name)?;
        if let Some(before) = segments.last() {
            let expected = before.header.number + 1;
            let found = segment.header.number;
            if found != expected {
                return Err(JournalError::damaged(
                    &segment.name,
                    0,
                    Fault::SegmentMissing { expected, found },
                ));
            }
            if segment.header.identity != before.header.identity {
                return Err(JournalError::damaged(&segment.name, 0, Fault::SegmentChain));
            }
        }
        segments.push(segment);
    }
    Ok(segments)
}

/// Walks from the segment that holds `from` to the end of the log. `None` if there is no segment.
pub(crate) fn walk(
    segments: &[SegmentFile],
    from: u64,
    end: End,
    visitor: &mut dyn Visitor,
) -> Result<Option<Walked>, JournalError> {
    let begin = segments
        .partition_point(|segment| segment.header.first_sequence <= from)
        .saturating_sub(1);
    let Some((first, _)) = segments.get(begin..).and_then(<[SegmentFile]>::split_first) else {
        return Ok(None);
    };
    let mut walk = Walk {
        chain: Chain::at_segment(&first.header),
        records: 0,
    };
    for (index, segment) in segments.iter().enumerate().skip(begin) {
        if index > begin {
            walk.chain.enter(&segment.name, &segment.header)?;
        }
        visitor.segment(segment);
        match segments.get(index + 1) {
            Some(next) => walk.sealed_segment(segment, next, visitor)?,
            None => return walk.last_segment(segment, end, visitor).map(Some),
        }
    }
    Ok(None)
}

/// Verifies every byte of a segment that has a successor; `chain` goes from its beginning to its end.
pub(crate) fn verify_sealed(
    segment: &SegmentFile,
    next: &SegmentFile,
    chain: &mut Chain,
) -> Result<(), JournalError> {
    let mut walk = Walk {
        chain: *chain,
        records: 0,
    };
    walk.sealed_segment(segment, next, &mut Unseen)?;
    *chain = walk.chain;
    Ok(())
}

struct Walk {
    chain: Chain,
    records: u64,
}

/// Where and why the records of a segment end.
struct Stop {
    /// Offset of the first place that holds no acceptable record.
    offset: u64,
    fault: Fault,
    /// Whether a sound record stands there which does not continue the log. No torn write leaves one.
    foreign: bool,
    /// The state after the last whole group.
    whole: Chain,
    /// Number and beginning of each whole group that is not proven to have been synced.
    unproven: VecDeque<(u64, u64)>,
    /// Offset where the last whole group ends.
    whole_end: u64,
    /// Records of the unfinished group.
    open_records: u64,
}

impl Walk {
    /// A segment with another one behind it: every byte of it was durable.
    fn sealed_segment(
        &mut self,
        segment: &SegmentFile,
        next: &SegmentFile,
        visitor: &mut dyn Visitor,
    ) -> Result<(), JournalError> {
        let mut scan = segment.scan();
        let stop = self.records_of(segment, &mut scan, visitor)?;
        let damaged = |offset, fault| Err(JournalError::damaged(&segment.name, offset, fault));
        if stop.fault != Fault::RecordMissing {
            return damaged(stop.offset, stop.fault);
        }
        if self.chain.group_open {
            return damaged(stop.offset, Fault::GroupOpen);
        }
        if next.header.first_group != self.chain.group.saturating_add(1) {
            return damaged(stop.offset, Fault::RecordMissing);
        }
        let written_end = scan.written_end(stop.offset)?;
        if written_end != stop.offset {
            return damaged(written_end - 1, Fault::Trailing);
        }
        Ok(())
    }

    fn last_segment(
        &mut self,
        segment: &SegmentFile,
        end: End,
        visitor: &mut dyn Visitor,
    ) -> Result<Walked, JournalError> {
        let mut scan = segment.scan();
        let stop = self.records_of(segment, &mut scan, visitor)?;
        let torn = match end {
            End::Judge => judge_end(segment, &mut scan, &stop, self.chain.unfinished_group())?,
            End::Leave => None,
        };
        let Stop {
            whole: chain,
            unproven,
            whole_end: end,
            ..
        } = stop;
        let unproven_at = unproven.front().map_or(end, |(_, at)| *at);
        Ok(Walked {
            chain,
            unproven_at,
            end,
            torn,
            records: self.records,
        })
    }

    /// Takes in all records of a segment up to the first place that holds none.
    fn records_of(
        &mut self,
        segment: &SegmentFile,
        scan: &mut SegmentScan,
        visitor: &mut dyn Visitor,
    ) -> Result<Stop, JournalError> {
        let mut offset = SEGMENT_HEADER_BYTES as u64;
        let mut stop = Stop {
            offset,
            fault: Fault::RecordMissing,
            foreign: false,
            whole: self.chain,
            unproven: VecDeque::new(),
            whole_end: offset,
            open_records: 0,
        };
        loop {
            stop.offset = offset;
            let found = match scan.slot(offset, Check::Whole)? {
                Slot::Record(found) => found,
                Slot::Blank => return Ok(stop),
                Slot::Bad(Fault::SegmentShort) => {
                    return Err(JournalError::damaged(
                        &segment.name,
                        offset,
                        Fault::SegmentShort,
                    ));
                }
                Slot::Bad(fault) => {
                    stop.fault = fault;
                    return Ok(stop);
                }
            };
            if let Err(fault) = self.chain.accept(&found.header, found.hash) {
                stop.fault = fault;
                stop.foreign = true;
                return Ok(stop);
            }
            visitor.record(offset, &found, scan)?;
            offset += found.header.record_bytes();
            if !found.header.is_own() {
                stop.open_records += 1;
            }
            if found.header.group_end {
                self.records += std::mem::take(&mut stop.open_records);
                stop.whole = self.chain;
                stop.unproven
                    .push_back((found.header.group, stop.whole_end));
                let proven = found.header.proves_group();
                while stop
                    .unproven
                    .front()
                    .is_some_and(|(group, _)| *group <= proven)
                {
                    stop.unproven.pop_front();
                }
                stop.whole_end = offset;
            }
        }
    }
}

impl SegmentFile {
    fn scan(&self) -> SegmentScan {
        let header = &self.header;
        let file = Arc::clone(&self.file);
        SegmentScan::new(
            &self.name,
            file,
            header.identity,
            header.segment_bytes,
            SCAN_READ_BYTES,
            Vec::new(),
        )
    }
}

/// Tells a torn write from damage at the end of the log.
fn judge_end(
    segment: &SegmentFile,
    scan: &mut SegmentScan,
    stop: &Stop,
    unfinished_group: u64,
) -> Result<Option<Torn>, JournalError> {
    let name = &segment.name;
    if stop.foreign {
        return Err(JournalError::damaged(name, stop.offset, stop.fault));
    }
    let mut records = stop.open_records;
    let mut from = stop.offset;
    while let Some((offset, header)) = scan.find_header(from)? {
        if header.offset != offset {
            return Err(JournalError::damaged(
                name,
                offset,
                Fault::Misplaced {
                    belongs_at: header.offset,
                },
            ));
        }
        #[cfg(feature = "mutants")]
        if crate::mutants::is_on(&crate::mutants::TRUNCATE_ON_DAMAGE) {
            break;
        }
        if header.proves_group() >= unfinished_group {
            let damage = Damage {
                segment: name.clone(),
                offset: stop.offset,
                fault: stop.fault,
                later_record: Some(offset),
            };
            return Err(JournalError::Damaged(damage));
        }
        if header.group < unfinished_group {
            let fault = Fault::Group {
                expected: unfinished_group,
                found: header.group,
            };
            return Err(JournalError::damaged(name, offset, fault));
        }
        records += u64::from(!header.is_own());
        from = offset + 8;
    }
    let written_end = scan.written_end(stop.whole_end)?;
    if written_end == stop.whole_end {
        return Ok(None);
    }
    Ok(Some(Torn {
        segment: name.clone(),
        offset: stop.whole_end,
        bytes: written_end - stop.whole_end,
        records,
    }))
}

fn open_segment(medium: &dyn Medium, name: String) -> Result<SegmentFile, JournalError> {
    let failed = |operation| move |source| (operation, source);
    let read = || {
        let file = medium.open(&name).map_err(failed("open"))?;
        let bytes = file.bytes().map_err(failed("open"))?;
        let mut header = [0; SEGMENT_HEADER_BYTES];
        let count = file.read_at(&mut header, 0).map_err(failed("read"))?;
        Ok((file, bytes, header, count))
    };
    let (file, bytes, header, count) =
        read().map_err(|(operation, source)| JournalError::medium(operation, &name, source))?;
    if count < SEGMENT_HEADER_BYTES {
        return Err(JournalError::damaged(&name, bytes, Fault::SegmentShort));
    }
    let header = SegmentHeader::decode(&name, &header)?;
    if bytes < header.segment_bytes {
        return Err(JournalError::damaged(&name, bytes, Fault::SegmentShort));
    }
    if bytes != header.segment_bytes || name != header.file_name() {
        return Err(JournalError::damaged(&name, 0, Fault::SegmentMismatch));
    }
    Ok(SegmentFile {
        name,
        header,
        file: Arc::from(file),
    })
}

impl fmt::Display for Torn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "torn write in segment {} at offset {}: {} bytes, {} records that nobody was told of",
            self.segment, self.offset, self.bytes, self.records
        )
    }
}
