//! Reads records from a segment one after another and checks each by itself. Whether it continues the log is the
//! [`Chain`](crate::chain::Chain)'s business; what a fault means is decided by who reads.

use crate::error::{Fault, JournalError};
use crate::evidence::is_redacted;
use crate::medium::MediumFile;
use crate::record::{HEADER_BYTES, Hash, RecordHeader, begins_record, part_hash};
use std::sync::Arc;

/// How much is read at once when a whole segment is scanned, in bytes.
pub(crate) const SCAN_READ_BYTES: usize = 1 << 20;
/// How much is read at once for a look-up, and first of what has just been written, in bytes.
pub(crate) const LOOKUP_READ_BYTES: usize = 64 << 10;

/// How much of a record is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    /// The header only; the body may be skipped unread.
    Header,
    /// Header, facts and padding.
    Facts,
    /// Everything.
    Whole,
}

/// What stands at an offset.
#[derive(Debug)]
pub(crate) enum Slot {
    /// A sound record.
    Record(Found),
    /// Only zeros where a header would be.
    Blank,
    /// Something, but no sound record that belongs here.
    Bad(Fault),
}

/// A sound record: its header has the right checksum and place, its parts match their hashes as far as they were checked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    pub(crate) header: RecordHeader,
    /// The header's hash.
    pub(crate) hash: Hash,
    /// The evidence was erased on purpose. Known only if the evidence was checked.
    pub(crate) redacted: bool,
}

/// A segment under a moving window.
#[derive(Debug)]
pub(crate) struct SegmentScan {
    segment: String,
    file: Arc<dyn MediumFile>,
    identity: Hash,
    /// Size of the segment: nothing is read behind it.
    end: u64,
    window: Vec<u8>,
    window_at: u64,
    /// Most that is read at once.
    read_bytes: usize,
    /// How much is read next: little after a refresh, when few records are new, and twice as much each time after.
    step_bytes: usize,
}

impl SegmentScan {
    /// Begins to read a segment; `window` is an old buffer to reuse, or an empty one.
    pub(crate) fn new(
        segment: &str,
        file: Arc<dyn MediumFile>,
        identity: Hash,
        end: u64,
        read_bytes: usize,
        mut window: Vec<u8>,
    ) -> SegmentScan {
        window.clear();
        SegmentScan {
            segment: segment.to_owned(),
            file,
            identity,
            end,
            window,
            window_at: 0,
            read_bytes,
            step_bytes: read_bytes,
        }
    }

    /// Gives the buffer back.
    pub(crate) fn into_window(self) -> Vec<u8> {
        self.window
    }

    /// Forgets what was read, so that later writes become visible.
    pub(crate) fn refresh(&mut self) {
        self.window.clear();
        self.step_bytes = self.read_bytes.min(LOOKUP_READ_BYTES);
    }

    /// What stands at `offset`, a multiple of 8.
    pub(crate) fn slot(&mut self, offset: u64, check: Check) -> Result<Slot, JournalError> {
        let identity = self.identity;
        let end = self.end;
        let head_bytes = (HEADER_BYTES as u64).min(end.saturating_sub(offset)) as usize;
        let Some(head) = self.bytes(offset, head_bytes)? else {
            return Ok(Slot::Bad(Fault::SegmentShort));
        };
        if is_blank(head) {
            return Ok(Slot::Blank);
        }
        let Some(head) = head.first_chunk::<HEADER_BYTES>() else {
            return Ok(Slot::Bad(Fault::Header));
        };
        let (header, hash) = match RecordHeader::decode(&identity, head) {
            Ok(decoded) => decoded,
            Err(fault) => return Ok(Slot::Bad(fault)),
        };
        if header.offset != offset {
            return Ok(Slot::Bad(Fault::Misplaced {
                belongs_at: header.offset,
            }));
        }
        if header.record_bytes() > end - offset {
            return Ok(Slot::Bad(Fault::Length));
        }
        let redacted = match check {
            Check::Header => false,
            Check::Facts | Check::Whole => match self.check_body(offset, &header, check)? {
                Ok(redacted) => redacted,
                Err(fault) => return Ok(Slot::Bad(fault)),
            },
        };
        Ok(Slot::Record(Found {
            header,
            hash,
            redacted,
        }))
    }

    /// Facts and stored evidence of a sound record at `offset`.
    pub(crate) fn parts(
        &mut self,
        offset: u64,
        header: &RecordHeader,
    ) -> Result<(&[u8], &[u8]), JournalError> {
        let facts_bytes = header.facts_bytes as usize;
        let parts_bytes = facts_bytes + header.evidence_bytes as usize;
        let segment = self.segment.clone();
        match self.bytes(offset + HEADER_BYTES as u64, parts_bytes)? {
            Some(parts) => Ok(parts.split_at(facts_bytes)),
            None => Err(JournalError::damaged(&segment, offset, Fault::SegmentShort)),
        }
    }

    /// The facts alone, without reading the evidence behind them.
    pub(crate) fn facts(
        &mut self,
        offset: u64,
        header: &RecordHeader,
    ) -> Result<&[u8], JournalError> {
        let segment = self.segment.clone();
        match self.bytes(offset + HEADER_BYTES as u64, header.facts_bytes as usize)? {
            Some(facts) => Ok(facts),
            None => Err(JournalError::damaged(&segment, offset, Fault::SegmentShort)),
        }
    }

    /// First offset from `from` on, in steps of 8, where a record's header with a right checksum stands, wherever it says that
    /// it belongs. `None` if there is none up to the end.
    pub(crate) fn find_header(
        &mut self,
        from: u64,
    ) -> Result<Option<(u64, RecordHeader)>, JournalError> {
        let identity = self.identity;
        let mut offset = from.next_multiple_of(8);
        while offset + HEADER_BYTES as u64 <= self.end {
            let Some(step) = self.bytes_up_to(offset)? else {
                return Ok(None);
            };
            let candidate = first_candidate(step);
            let Some(index) = candidate else {
                offset += (step.len() as u64 / 8 * 8).max(8);
                continue;
            };
            offset += index as u64;
            if offset + HEADER_BYTES as u64 > self.end {
                return Ok(None);
            }
            let Some(head) = self.bytes(offset, HEADER_BYTES)? else {
                return Ok(None);
            };
            let decoded = head
                .first_chunk()
                .and_then(|head| RecordHeader::decode(&identity, head).ok());
            if let Some((header, _)) = decoded {
                return Ok(Some((offset, header)));
            }
            offset += 8;
        }
        Ok(None)
    }

    /// Offset behind the last byte from `from` on that is not zero; `from` if all are zero.
    pub(crate) fn written_end(&mut self, from: u64) -> Result<u64, JournalError> {
        let mut written_end = from;
        let mut offset = from;
        while offset < self.end {
            let Some(step) = self.bytes_up_to(offset)? else {
                break;
            };
            if let Some(last) = last_written(step) {
                written_end = offset + last as u64 + 1;
            }
            offset += step.len() as u64;
        }
        Ok(written_end)
    }

    /// Whether the evidence is redacted, or the fault of the body of a record with a sound header.
    pub(crate) fn check_body(
        &mut self,
        offset: u64,
        header: &RecordHeader,
        check: Check,
    ) -> Result<Result<bool, Fault>, JournalError> {
        let facts_bytes = header.facts_bytes as usize;
        let evidence_bytes = header.evidence_bytes as usize;
        let wanted = match check {
            Check::Whole => (header.record_bytes() as usize) - HEADER_BYTES,
            Check::Header | Check::Facts => facts_bytes,
        };
        let Some(body) = self.bytes(offset + HEADER_BYTES as u64, wanted)? else {
            return Ok(Err(Fault::SegmentShort));
        };
        let (facts, rest) = body.split_at(facts_bytes);
        if part_hash(facts) != header.facts_hash {
            return Ok(Err(Fault::Facts));
        }
        if check != Check::Whole {
            return Ok(Ok(false));
        }
        let (evidence, padding) = rest.split_at(evidence_bytes);
        if padding.iter().any(|&byte| byte != 0) {
            return Ok(Err(Fault::Padding));
        }
        if part_hash(evidence) == header.evidence_hash {
            Ok(Ok(false))
        } else if is_redacted(evidence) {
            Ok(Ok(true))
        } else {
            Ok(Err(Fault::Evidence))
        }
    }

    /// `count` bytes from `offset` on; `None` if the file ends before.
    fn bytes(&mut self, offset: u64, count: usize) -> Result<Option<&[u8]>, JournalError> {
        let held = offset >= self.window_at
            && offset + count as u64 <= self.window_at + self.window.len() as u64;
        if !held {
            self.fill(offset, count.max(self.step_bytes))?;
        }
        let start = (offset - self.window_at) as usize;
        Ok(self.window.get(start..start + count))
    }

    /// Some bytes from `offset` on, as many as are at hand; `None` at the end of the file.
    fn bytes_up_to(&mut self, offset: u64) -> Result<Option<&[u8]>, JournalError> {
        let held =
            offset >= self.window_at && offset + 8 <= self.window_at + self.window.len() as u64;
        if !held {
            self.fill(offset, self.step_bytes)?;
        }
        let start = (offset - self.window_at) as usize;
        Ok(self.window.get(start..).filter(|bytes| !bytes.is_empty()))
    }

    fn fill(&mut self, offset: u64, count: usize) -> Result<(), JournalError> {
        self.step_bytes = (self.step_bytes * 2).min(self.read_bytes);
        let count = (count as u64).min(self.end.saturating_sub(offset)) as usize;
        self.window.resize(count, 0);
        self.window_at = offset;
        let read = self.file.read_at(&mut self.window, offset);
        match read {
            Ok(read) => {
                self.window.truncate(read);
                Ok(())
            }
            Err(source) => {
                self.window.clear();
                Err(JournalError::medium("read", &self.segment, source))
            }
        }
    }
}

/// Bytes looked at together for being all zero; the compiler turns that into wide instructions.
const BLOCK_BYTES: usize = 4096;

fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().fold(0, |any, byte| any | byte) == 0
}

/// Index of the last byte that is not zero.
fn last_written(bytes: &[u8]) -> Option<usize> {
    let (index, block) = bytes
        .chunks(BLOCK_BYTES)
        .enumerate()
        .rev()
        .find(|(_, block)| !is_blank(block))?;
    let last = block.iter().rposition(|&byte| byte != 0)?;
    Some(index * BLOCK_BYTES + last)
}

/// Index, a multiple of 8, of the first bytes that may begin a record's header.
fn first_candidate(bytes: &[u8]) -> Option<usize> {
    let blocks = bytes.chunks(BLOCK_BYTES).enumerate();
    let mut written = blocks.filter(|(_, block)| !is_blank(block));
    written.find_map(|(index, block)| {
        let nth = block.chunks_exact(8).position(begins_record)?;
        Some(index * BLOCK_BYTES + nth * 8)
    })
}
