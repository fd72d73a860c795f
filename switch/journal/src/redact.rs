//! Erases the evidence of one record for ever, while the chain goes on verifying: the header keeps the hash of what was there.

use crate::error::{Fault, JournalError};
use crate::evidence::REDACTION_MARK;
use crate::log::LOCK_NAME;
use crate::medium::Medium;
use crate::record::HEADER_BYTES;
use crate::scan::{Check, Found, SCAN_READ_BYTES, SegmentScan, Slot};
use crate::segment::SEGMENT_HEADER_BYTES;
use crate::walk::{SegmentFile, list_segments};
use std::io;
use std::sync::Arc;

/// Overwrites the evidence of a record with a mark and makes that durable. Only in a sealed segment, because the end of the log is
/// where recovery has to tell torn from damaged; and only while no switch has the journal open. If the machine fails
/// meanwhile, do it again: the second time finishes the first.
pub fn redact(medium: &dyn Medium, sequence: u64) -> Result<(), JournalError> {
    let _lock = medium
        .lock(LOCK_NAME)
        .map_err(|source| match source.kind() {
            io::ErrorKind::WouldBlock => JournalError::Locked,
            _ => JournalError::medium("lock", LOCK_NAME, source),
        })?;
    let refused = |why| Err(JournalError::NotRedactable { sequence, why });
    let segments = list_segments(medium)?;
    let after = segments.partition_point(|segment| segment.header.first_sequence <= sequence);
    if after == segments.len() {
        return refused("its segment is not sealed yet");
    }
    let Some(segment) = after.checked_sub(1).and_then(|index| segments.get(index)) else {
        return refused("it is no longer in this folder");
    };
    let (offset, found) = find(segment, sequence)?;
    let evidence_bytes = found.header.evidence_bytes as usize;
    if evidence_bytes == 0 {
        return refused("it has no evidence");
    }
    if evidence_bytes < REDACTION_MARK.len() {
        return refused("its evidence is shorter than the mark of a redaction");
    }
    let mark: Vec<u8> = REDACTION_MARK
        .into_iter()
        .cycle()
        .take(evidence_bytes)
        .collect();
    let evidence_at = offset + (HEADER_BYTES + found.header.facts_bytes as usize) as u64;
    let (beginning, rest) = mark.split_at(REDACTION_MARK.len());
    write(segment, beginning, evidence_at)?;
    write(segment, rest, evidence_at + beginning.len() as u64)
}

fn write(segment: &SegmentFile, bytes: &[u8], offset: u64) -> Result<(), JournalError> {
    let written = segment.file.write_at(bytes, offset);
    written.map_err(|source| JournalError::medium("write", &segment.name, source))?;
    segment
        .file
        .sync()
        .map_err(|source| JournalError::medium("sync", &segment.name, source))
}

/// The record and its offset, after its header and facts were found sound. Its evidence may be half erased.
fn find(segment: &SegmentFile, sequence: u64) -> Result<(u64, Found), JournalError> {
    let header = &segment.header;
    let file = Arc::clone(&segment.file);
    let mut scan = SegmentScan::new(
        &segment.name,
        file,
        header.identity,
        header.segment_bytes,
        SCAN_READ_BYTES,
        Vec::new(),
    );
    let mut offset = SEGMENT_HEADER_BYTES as u64;
    loop {
        match scan.slot(offset, Check::Facts)? {
            Slot::Record(found) if !found.header.is_own() && found.header.sequence == sequence => {
                return Ok((offset, found));
            }
            Slot::Record(found) if found.header.sequence <= sequence => {
                offset += found.header.record_bytes()
            }
            Slot::Record(_) | Slot::Blank => {
                return Err(JournalError::damaged(
                    &segment.name,
                    offset,
                    Fault::RecordMissing,
                ));
            }
            Slot::Bad(fault) => return Err(JournalError::damaged(&segment.name, offset, fault)),
        }
    }
}
