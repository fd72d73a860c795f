//! The operator's view of a journal on a medium: verify it, count it, read it out. Works on a journal at rest and, up to the
//! last whole group, on one that a switch is writing.

use crate::error::{Damage, JournalError};
use crate::evidence::EvidenceKey;
use crate::log::LOCK_NAME;
use crate::medium::{Medium, MediumLock};
use crate::reader::{Depth, Opener, Reader, Record, RecordStream, WrongKey};
use crate::scan::{Found, SegmentScan};
use crate::walk::{End, SegmentFile, Torn, Unseen, Visitor, list_segments, walk};
use std::fmt;
use std::io;
use std::ops::{ControlFlow, RangeInclusive};
use std::sync::Arc;

/// What a verification found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// Segments verified.
    pub segments: u64,
    /// Records verified, without the journal's own.
    pub records: u64,
    /// Epoch starts and witnesses verified.
    pub own_records: u64,
    /// Groups: writes with one sync each.
    pub groups: u64,
    /// Sequence of the first record; 0 if there is none.
    pub first_sequence: u64,
    /// Sequence of the last record; 0 if there is none.
    pub last_sequence: u64,
    /// Time of the first record, ns since 1970-01-01 UTC.
    pub first_time: u64,
    /// Time of the last record, ns since 1970-01-01 UTC.
    pub last_time: u64,
    /// Bytes of facts.
    pub facts_bytes: u64,
    /// Bytes of evidence as stored.
    pub evidence_bytes: u64,
    /// Records whose evidence was decrypted with the given key.
    pub evidence_opened: u64,
    /// Records whose evidence was erased on purpose.
    pub redacted: u64,
    /// How the log ends.
    pub end: LogEnd,
    /// The first damaged place; everything counted above lies before it.
    pub damage: Option<Damage>,
}

/// How a log ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum LogEnd {
    /// With a whole group, and zeros behind it.
    #[default]
    Whole,
    /// With a torn group, which the next start will drop.
    Torn(Torn),
    /// A switch is writing it; what follows the last whole group was left alone.
    Live,
}

/// How far a verification is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of segments done.
    pub bytes_done: u64,
    /// Bytes of all segments.
    pub bytes_total: u64,
}

/// The segments of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatReport {
    /// In order.
    pub segments: Vec<SegmentStat>,
    /// Last sequence of the last whole group; 0 if there is none.
    pub last_sequence: u64,
    /// Time of that record, ns since 1970-01-01 UTC.
    pub last_time: u64,
    /// Epoch in force at the end.
    pub epoch: u32,
    /// Whether a switch has the journal open.
    pub live: bool,
}

/// One segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentStat {
    /// File name.
    pub name: String,
    /// Number, 1 for the journal's first.
    pub number: u64,
    /// Sequence of its first record.
    pub first_sequence: u64,
    /// Records in it, without the journal's own.
    pub records: u64,
    /// Size of the file in bytes.
    pub segment_bytes: u64,
    /// Epoch in force where it begins.
    pub epoch: u32,
    /// Time of the record before it, ns since 1970-01-01 UTC.
    pub time: u64,
    /// Binary that made it.
    pub writer: String,
    /// Whether its evidence is encrypted.
    pub evidence_sealed: bool,
}

/// Verifies every byte of a journal: checksums, hashes, chain, order. Damage is part of the report; an error means that the
/// verification itself could not be done. With a key it also decrypts all evidence.
pub fn verify(
    medium: &dyn Medium,
    key: Option<&EvidenceKey>,
    progress: &mut dyn FnMut(Progress),
) -> Result<VerifyReport, JournalError> {
    let (end, _lock) = end_of(medium)?;
    let mut verifier = Verifier::new(key, progress);
    let walked = list_segments(medium).and_then(|segments| {
        verifier.bytes_total = segments
            .iter()
            .map(|segment| segment.header.segment_bytes)
            .sum();
        walk(&segments, 0, end, &mut verifier)
    });
    let mut report = verifier.whole;
    match walked {
        Ok(walked) => {
            report.end = match walked.and_then(|walked| walked.torn) {
                Some(torn) => LogEnd::Torn(torn),
                None if end == End::Leave => LogEnd::Live,
                None => LogEnd::Whole,
            };
        }
        Err(JournalError::Damaged(damage)) => report.damage = Some(damage),
        Err(error) => return Err(error),
    }
    Ok(report)
}

/// Lists the segments with their contents in numbers. Reads the headers of all and the whole of the last one.
pub fn stat(medium: &dyn Medium) -> Result<StatReport, JournalError> {
    let (end, _lock) = end_of(medium)?;
    let files = list_segments(medium)?;
    let chain = walk(&files, u64::MAX, End::Leave, &mut Unseen)?.map(|walked| walked.chain);
    let end_sequence = chain.map_or(1, |chain| chain.next_sequence);
    let next_first = files
        .iter()
        .skip(1)
        .map(|next| next.header.first_sequence)
        .chain([end_sequence]);
    let segments = files
        .iter()
        .zip(next_first)
        .map(|(file, next_first)| SegmentStat {
            name: file.name.clone(),
            number: file.header.number,
            first_sequence: file.header.first_sequence,
            records: next_first.saturating_sub(file.header.first_sequence),
            segment_bytes: file.header.segment_bytes,
            epoch: file.header.epoch,
            time: file.header.time,
            writer: file.header.writer.clone(),
            evidence_sealed: file.header.seals_evidence(),
        });
    Ok(StatReport {
        segments: segments.collect(),
        last_sequence: end_sequence - 1,
        last_time: chain.map_or(0, |chain| chain.last_time),
        epoch: chain.map_or(0, |chain| chain.epoch),
        live: end == End::Leave,
    })
}

/// Shows the records of a range in order until there are no more or the sink breaks off. Sequences that are not there are
/// skipped. If the log is damaged, the sound records before the damage are shown first.
pub fn dump(
    medium: &Arc<dyn Medium>,
    key: Option<&EvidenceKey>,
    range: RangeInclusive<u64>,
    sink: &mut dyn FnMut(&Record<'_>) -> ControlFlow<()>,
) -> Result<(), JournalError> {
    let Some(reader) = Reader::open(Arc::clone(medium), key.cloned())? else {
        return Ok(());
    };
    let mut cursor = reader.read_from(
        (*range.start()).max(reader.first_sequence()),
        Depth::Evidence,
    )?;
    while cursor.next_sequence() <= *range.end() {
        let Some(record) = cursor.next()? else {
            let (end, _lock) = end_of(&**medium)?;
            let files = list_segments(&**medium)?;
            return walk(&files, u64::MAX, end, &mut Unseen).map(|_| ());
        };
        if sink(&record).is_break() {
            break;
        }
    }
    Ok(())
}

/// How to treat the end of the log, and the lock that keeps a switch from starting meanwhile.
fn end_of(medium: &dyn Medium) -> Result<(End, Option<Box<dyn MediumLock>>), JournalError> {
    match medium.lock(LOCK_NAME) {
        Ok(lock) => Ok((End::Judge, Some(lock))),
        Err(source) => match source.kind() {
            io::ErrorKind::WouldBlock => Ok((End::Leave, None)),
            // Nobody writes an archive on a read-only medium.
            io::ErrorKind::ReadOnlyFilesystem => Ok((End::Judge, None)),
            // Whoever may only read cannot know whether a switch is writing.
            io::ErrorKind::PermissionDenied => Ok((End::Leave, None)),
            _ => Err(JournalError::medium("lock", LOCK_NAME, source)),
        },
    }
}

/// Progress is reported in steps of so many bytes.
const PROGRESS_BYTES: u64 = 16 << 20;

/// Counts while a walk verifies.
struct Verifier<'a> {
    key: Option<&'a EvidenceKey>,
    progress: &'a mut dyn FnMut(Progress),
    opener: Opener,
    segment: Option<(String, [u8; 32])>,
    /// Counts up to the last whole group.
    whole: VerifyReport,
    /// The same with the group that is not finished yet.
    current: VerifyReport,
    /// Bytes of the segments before this one.
    bytes_before: u64,
    /// Size of this segment.
    segment_bytes: u64,
    bytes_total: u64,
    bytes_reported: u64,
}

impl<'a> Verifier<'a> {
    fn new(key: Option<&'a EvidenceKey>, progress: &'a mut dyn FnMut(Progress)) -> Verifier<'a> {
        Verifier {
            key,
            progress,
            opener: Opener::default(),
            segment: None,
            whole: VerifyReport::default(),
            current: VerifyReport::default(),
            bytes_before: 0,
            segment_bytes: 0,
            bytes_total: 0,
            bytes_reported: 0,
        }
    }

    fn count_evidence(
        &mut self,
        offset: u64,
        found: &Found,
        scan: &mut SegmentScan,
    ) -> Result<(), JournalError> {
        self.current.evidence_bytes += u64::from(found.header.evidence_bytes);
        self.current.redacted += u64::from(found.redacted);
        if !found.header.evidence_sealed || found.redacted {
            return Ok(());
        }
        if let (Some(key), Some((segment, identity))) = (self.key, &self.segment) {
            let (_, stored) = scan.parts(offset, &found.header)?;
            let opened = self.opener.open(Some(key), identity, &found.header, stored);
            opened.map_err(|WrongKey| JournalError::KeyMismatch {
                segment: segment.clone(),
            })?;
            self.current.evidence_opened += 1;
        }
        Ok(())
    }
}

impl Visitor for Verifier<'_> {
    fn segment(&mut self, segment: &SegmentFile) {
        self.segment = Some((segment.name.clone(), segment.header.identity));
        self.bytes_before += self.segment_bytes;
        self.segment_bytes = segment.header.segment_bytes;
        self.whole.segments += 1;
        self.current.segments += 1;
    }

    fn record(
        &mut self,
        offset: u64,
        found: &Found,
        scan: &mut SegmentScan,
    ) -> Result<(), JournalError> {
        let header = &found.header;
        if header.is_own() {
            self.current.own_records += 1;
        } else {
            if self.current.records == 0 {
                self.current.first_sequence = header.sequence;
                self.current.first_time = header.time;
            }
            self.current.records += 1;
            self.current.last_sequence = header.sequence;
            self.current.last_time = header.time;
            self.current.facts_bytes += u64::from(header.facts_bytes);
            self.count_evidence(offset, found, scan)?;
        }
        if header.group_end {
            self.current.groups += 1;
            self.whole = self.current.clone();
            let bytes_done = self.bytes_before + offset;
            if bytes_done >= self.bytes_reported + PROGRESS_BYTES {
                self.bytes_reported = bytes_done;
                (self.progress)(Progress {
                    bytes_done,
                    bytes_total: self.bytes_total,
                });
            }
        }
        Ok(())
    }
}

impl fmt::Display for VerifyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "segments   {}", self.segments)?;
        writeln!(
            f,
            "records    {} ({} to {})",
            self.records, self.first_sequence, self.last_sequence
        )?;
        writeln!(
            f,
            "own        {} epoch starts and witnesses",
            self.own_records
        )?;
        writeln!(f, "groups     {}", self.groups)?;
        writeln!(
            f,
            "time       {} to {} ns since 1970",
            self.first_time, self.last_time
        )?;
        writeln!(f, "facts      {} bytes", self.facts_bytes)?;
        writeln!(
            f,
            "evidence   {} bytes as stored, {} decrypted, {} redacted",
            self.evidence_bytes, self.evidence_opened, self.redacted
        )?;
        match &self.damage {
            Some(damage) => write!(f, "verdict    damaged: {damage}"),
            None => write!(f, "verdict    {}", self.end),
        }
    }
}

impl fmt::Display for LogEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LogEnd::Whole => write!(f, "whole"),
            LogEnd::Torn(torn) => write!(f, "whole up to a {torn}"),
            LogEnd::Live => write!(f, "whole up to the last group; a switch is writing on"),
        }
    }
}

impl fmt::Display for StatReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in &self.segments {
            writeln!(f, "{segment}")?;
        }
        let live = if self.live { ", open in a switch" } else { "" };
        write!(
            f,
            "last sequence {} at {} ns since 1970, epoch {}{live}",
            self.last_sequence, self.last_time, self.epoch
        )
    }
}

impl fmt::Display for SegmentStat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let evidence = if self.evidence_sealed {
            "encrypted"
        } else {
            "clear"
        };
        write!(
            f,
            "{} number {} records {} bytes {} epoch {} evidence {evidence} writer {}",
            self.name, self.number, self.records, self.segment_bytes, self.epoch, self.writer
        )
    }
}
