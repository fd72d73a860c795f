//! The header of a segment file: who wrote it, and how it continues the segment before it.

use crate::error::{Fault, JournalError};
use crate::record::field;

/// Size of a segment's header; the first record follows it. One page, never written again, so that no later write shares
/// a sector with it.
pub(crate) const SEGMENT_HEADER_BYTES: usize = 4096;
/// Version of the layout of segments and records.
pub const FORMAT_VERSION: u32 = 1;
/// Longest name of a writing binary, in bytes.
pub const WRITER_BYTES_MAX: usize = 64;

const MAGIC: [u8; 8] = *b"TORAPJNL";
const CHECK_AT: usize = SEGMENT_HEADER_BYTES - 32;
const NAME_ENDING: &str = ".seg";
const NAME_DIGITS: usize = 20;

/// The header of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentHeader {
    /// 1 for the journal's first segment; one more for each.
    pub number: u64,
    /// Sequence of the first record that this segment can hold.
    pub first_sequence: u64,
    /// Number of the first group of records that this segment can hold.
    pub first_group: u64,
    /// Size of the file.
    pub segment_bytes: u64,
    /// Epoch in force where the segment begins.
    pub epoch: u32,
    /// Number drawn at the start of that epoch.
    pub epoch_salt: u32,
    /// Time of the record before this segment, or of the opening that made the journal; ns since 1970-01-01 UTC.
    pub time: u64,
    /// Drawn when the journal was made; the same in all its segments.
    pub identity: [u8; 32],
    /// Hash of the header of the last record before this segment.
    pub previous: [u8; 32],
    /// Tells a wrong evidence key; zeros when evidence is stored clear.
    pub key_check: [u8; 16],
    /// Name and version of the binary that made the segment.
    pub writer: String,
}

impl SegmentHeader {
    /// File name of the segment.
    pub(crate) fn file_name(&self) -> String {
        format!(
            "{:0width$}{NAME_ENDING}",
            self.first_sequence,
            width = NAME_DIGITS
        )
    }

    /// Whether evidence is encrypted in this journal.
    pub(crate) fn seals_evidence(&self) -> bool {
        self.key_check != [0; 16]
    }

    /// The bytes on the medium.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![0; SEGMENT_HEADER_BYTES];
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        put(0, &MAGIC);
        put(8, &FORMAT_VERSION.to_le_bytes());
        put(12, &(SEGMENT_HEADER_BYTES as u32).to_le_bytes());
        put(16, &self.number.to_le_bytes());
        put(24, &self.first_sequence.to_le_bytes());
        put(32, &self.first_group.to_le_bytes());
        put(40, &self.segment_bytes.to_le_bytes());
        put(48, &self.epoch.to_le_bytes());
        put(52, &self.epoch_salt.to_le_bytes());
        put(56, &self.time.to_le_bytes());
        put(64, &self.identity);
        put(96, &self.previous);
        put(128, &self.key_check);
        let writer = &self.writer.as_bytes()[..self.writer.len().min(WRITER_BYTES_MAX)];
        put(144, &(writer.len() as u16).to_le_bytes());
        put(146, writer);
        let check = *blake3::hash(&bytes[..CHECK_AT]).as_bytes();
        bytes[CHECK_AT..].copy_from_slice(&check);
        bytes
    }

    /// Reads a header. `segment` is the file's name, for the error.
    pub(crate) fn decode(
        segment: &str,
        from: &[u8; SEGMENT_HEADER_BYTES],
    ) -> Result<SegmentHeader, JournalError> {
        let damaged = |offset: u64| JournalError::damaged(segment, offset, Fault::SegmentHeader);
        if from[0..8] != MAGIC {
            return Err(damaged(0));
        }
        // The version stands before the checksum in every format, so that an old or new one is named and not called damage.
        // A single flipped bit of the version itself would look like one; only a sound header is allowed to say it.
        let version = u32::from_le_bytes(field(from, 8));
        let sound = from[CHECK_AT..] == blake3::hash(&from[..CHECK_AT]).as_bytes()[..];
        if version != FORMAT_VERSION && sound {
            return Err(JournalError::Format {
                segment: segment.to_owned(),
                found: version,
                expected: FORMAT_VERSION,
            });
        }
        if !sound || u32::from_le_bytes(field(from, 12)) as usize != SEGMENT_HEADER_BYTES {
            return Err(damaged(0));
        }
        let header = SegmentHeader::fields(from);
        if header.number == 0 || header.first_sequence == 0 || header.first_group == 0 {
            return Err(damaged(16));
        }
        Ok(header)
    }

    fn fields(from: &[u8; SEGMENT_HEADER_BYTES]) -> SegmentHeader {
        let writer_bytes = usize::from(u16::from_le_bytes(field(from, 144))).min(WRITER_BYTES_MAX);
        SegmentHeader {
            number: u64::from_le_bytes(field(from, 16)),
            first_sequence: u64::from_le_bytes(field(from, 24)),
            first_group: u64::from_le_bytes(field(from, 32)),
            segment_bytes: u64::from_le_bytes(field(from, 40)),
            epoch: u32::from_le_bytes(field(from, 48)),
            epoch_salt: u32::from_le_bytes(field(from, 52)),
            time: u64::from_le_bytes(field(from, 56)),
            identity: field(from, 64),
            previous: field(from, 96),
            key_check: field(from, 128),
            writer: String::from_utf8_lossy(&from[146..146 + writer_bytes]).into_owned(),
        }
    }
}

/// The first sequence that a file name states, or `None` if it is no segment's name.
pub(crate) fn first_sequence_of_name(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(NAME_ENDING)?;
    if digits.len() != NAME_DIGITS || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}
