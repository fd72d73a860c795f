//! How a journal is opened. Each limit has its name here.

use crate::error::JournalError;
use crate::evidence::EvidenceKey;
use crate::segment::{SEGMENT_HEADER_BYTES, WRITER_BYTES_MAX};
use ring::rand::{SecureRandom, SystemRandom};

/// Size of a segment unless configured, in bytes.
pub const SEGMENT_BYTES: u64 = 256 << 20;
/// Largest size of a segment, in bytes: places in records count units of 8 bytes in 32 bits.
pub const SEGMENT_BYTES_MAX: u64 = 32 << 30;
/// Size limit of a batch unless configured, in bytes; no record can be larger.
pub const BATCH_BYTES_MAX: usize = 4 << 20;
/// Smallest size limit of a batch, in bytes.
pub const BATCH_BYTES_MIN: usize = 1024;
/// Size limit of a group unless configured, in bytes: what is written and synced at once.
pub const GROUP_BYTES_MAX: usize = 16 << 20;
/// Least size of a group that is written while the group ahead of it is still being synced, unless configured, in bytes. Smaller
/// ones wait and gather: two syncs at a time pay when the log is what everything waits for, and cost CPU when it is not.
pub const OVERLAP_BYTES: usize = 64 << 10;
/// Segment sizes are multiples of this, in bytes.
const SEGMENT_UNIT_BYTES: u64 = 4096;

/// How to open a journal. `Options::default()` suits a live switch once `writer`, `opened_at` and `evidence_key` are set.
#[derive(Debug, Clone)]
pub struct Options {
    /// Size of new segments in bytes, a multiple of 4096. Existing segments keep theirs.
    pub segment_bytes: u64,
    /// Size limit of a batch in bytes.
    pub batch_bytes_max: usize,
    /// Size limit of a group in bytes; a group has to fit into one segment.
    pub group_bytes_max: usize,
    /// Least size in bytes of a group that is written while the group ahead of it is still being synced.
    pub overlap_bytes: usize,
    /// Key for evidence; `None` stores it clear. A journal stays with what it was made with.
    pub evidence_key: Option<EvidenceKey>,
    /// Name and version of this binary, at most 64 bytes; stands in the segments it makes.
    pub writer: String,
    /// Now, ns since 1970-01-01 UTC: the time of the epoch that this opening begins.
    pub opened_at: u64,
    /// The segment with this sequence and all later ones are verified whole before the journal opens; of earlier ones only
    /// the headers. 0 verifies everything. A switch that starts from a snapshot gives the snapshot's position.
    pub verify_from: u64,
    /// Last sequence that somebody outside has seen durable: the index, a snapshot, a follower. A log that ends before it is
    /// refused. 0 if nothing is known.
    pub must_reach: u64,
    /// Where random numbers come from.
    pub entropy: Entropy,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            segment_bytes: SEGMENT_BYTES,
            batch_bytes_max: BATCH_BYTES_MAX,
            group_bytes_max: GROUP_BYTES_MAX,
            overlap_bytes: OVERLAP_BYTES,
            evidence_key: None,
            writer: String::new(),
            opened_at: 0,
            verify_from: 0,
            must_reach: 0,
            entropy: Entropy::System,
        }
    }
}

/// Where the journal's identity and the numbers of its epochs are drawn from.
#[derive(Debug, Clone, Copy)]
pub enum Entropy {
    /// The operating system.
    System,
    /// A fixed seed, for simulation and golden files only: two journals with one seed and one key would share key and nonce.
    Fixed([u8; 32]),
}

impl Entropy {
    /// The identity of a new journal.
    pub(crate) fn identity(&self) -> Result<[u8; 32], JournalError> {
        self.draw(b"torap journal: identity", 0)
    }

    /// The number of a new epoch.
    pub(crate) fn epoch_salt(&self, epoch: u32) -> Result<u32, JournalError> {
        let drawn = self.draw(b"torap journal: epoch", epoch)?;
        Ok(u32::from_le_bytes([drawn[0], drawn[1], drawn[2], drawn[3]]))
    }

    fn draw(&self, purpose: &[u8], number: u32) -> Result<[u8; 32], JournalError> {
        match self {
            Entropy::System => {
                let mut bytes = [0; 32];
                SystemRandom::new()
                    .fill(&mut bytes)
                    .map_err(|_| JournalError::Entropy)?;
                Ok(bytes)
            }
            Entropy::Fixed(seed) => {
                let mut hasher = blake3::Hasher::new_keyed(seed);
                hasher.update(purpose);
                hasher.update(&number.to_le_bytes());
                Ok(*hasher.finalize().as_bytes())
            }
        }
    }
}

impl Options {
    /// Refuses values outside the limits, naming the field.
    pub(crate) fn check(&self) -> Result<(), JournalError> {
        let refuse = |field: &'static str, why: String| Err(JournalError::Options { field, why });
        if self.batch_bytes_max < BATCH_BYTES_MIN || self.batch_bytes_max > self.group_bytes_max {
            let most = self.group_bytes_max;
            return refuse(
                "batch_bytes_max",
                format!("must be from {BATCH_BYTES_MIN} to group_bytes_max ({most})"),
            );
        }
        let least = (SEGMENT_HEADER_BYTES + self.group_bytes_max) as u64;
        if self.segment_bytes < least || self.segment_bytes > SEGMENT_BYTES_MAX {
            return refuse(
                "segment_bytes",
                format!("must be from {least} (header and one group) to {SEGMENT_BYTES_MAX}"),
            );
        }
        if !self.segment_bytes.is_multiple_of(SEGMENT_UNIT_BYTES) {
            return refuse(
                "segment_bytes",
                format!("must be a multiple of {SEGMENT_UNIT_BYTES}"),
            );
        }
        if self.group_bytes_max > u32::MAX as usize / 2 {
            return refuse(
                "group_bytes_max",
                format!("must be at most {}", u32::MAX / 2),
            );
        }
        if self.writer.len() > WRITER_BYTES_MAX {
            return refuse(
                "writer",
                format!("must be at most {WRITER_BYTES_MAX} bytes"),
            );
        }
        Ok(())
    }
}
