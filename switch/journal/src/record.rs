//! A record on the medium: a fixed header, the facts, the evidence, padding. The byte picture is in `docs/journal.md`.
//!
//! The chain runs over the headers, and a header holds only the hashes of facts and evidence. So either may be encrypted,
//! erased or moved elsewhere, and the chain still verifies.

use crate::{error::Fault, evidence::TAG_BYTES};

/// A BLAKE3 hash.
pub(crate) type Hash = [u8; 32];

/// Size of a record's header.
pub(crate) const HEADER_BYTES: usize = 160;
/// Records begin at multiples of this.
pub(crate) const ALIGN: usize = 8;
/// Kinds below this are the journal's own: they take no sequence number and readers never see them.
pub const KIND_FIRST: u16 = 0x10;
/// Begins an epoch: everything after it was written by a later opening of the journal.
pub(crate) const KIND_EPOCH_START: u16 = 0x01;
/// Written when the journal is idle, so that damage to the last group of records is told from a torn write.
pub(crate) const KIND_WITNESS: u16 = 0x02;

/// The hash that stands for an absent part.
pub(crate) const NO_HASH: Hash = [0; 32];

const MAGIC: [u8; 4] = *b"TjR\x01";
const FLAG_GROUP_END: u16 = 1;
const FLAG_EVIDENCE_SEALED: u16 = 2;
/// Where the lag stands in the flags.
const LAG_SHIFT: u32 = 8;
/// The part of the header that the chain's hash covers, together with the previous hash as its key.
const CHAINED_BYTES: usize = 120;
const PREVIOUS_AT: usize = 120;
const CHECK_AT: usize = 152;

/// The header of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordHeader {
    pub(crate) kind: u16,
    /// The last record of its group; a group without one was not finished.
    pub(crate) group_end: bool,
    /// The stored evidence is encrypted and ends with its tag.
    pub(crate) evidence_sealed: bool,
    /// Groups right before this one that were not known to be synced when it was written. Those before them were: a sound record
    /// proves it.
    pub(crate) lag: u8,
    pub(crate) epoch: u32,
    /// Drawn at the start of the epoch; two copies of a journal that go on separately differ in it, and so in their keys.
    pub(crate) epoch_salt: u32,
    /// The journal's own records repeat the sequence of the record before them.
    pub(crate) sequence: u64,
    pub(crate) time: u64,
    pub(crate) rules_version: u32,
    pub(crate) facts_bytes: u32,
    /// Length of the stored form.
    pub(crate) evidence_bytes: u32,
    /// Where the record belongs in its segment.
    pub(crate) offset: u64,
    /// Number of the group; one more for every write.
    pub(crate) group: u64,
    pub(crate) facts_hash: Hash,
    /// Over the stored form.
    pub(crate) evidence_hash: Hash,
    /// Hash of the header before this one.
    pub(crate) previous: Hash,
}

impl RecordHeader {
    /// Size of the whole record with its padding.
    pub(crate) fn record_bytes(&self) -> u64 {
        record_bytes(self.facts_bytes as usize, self.evidence_bytes as usize) as u64
    }

    /// Bytes of the evidence as it was given, also when it has been erased.
    pub(crate) fn original_bytes(&self) -> u32 {
        if self.evidence_sealed {
            self.evidence_bytes.saturating_sub(TAG_BYTES as u32)
        } else {
            self.evidence_bytes
        }
    }

    /// Number of the last group that this record proves to have been synced.
    pub(crate) fn proves_group(&self) -> u64 {
        self.group.saturating_sub(1 + u64::from(self.lag))
    }

    /// Whether the journal wrote this record for itself.
    pub(crate) fn is_own(&self) -> bool {
        self.kind < KIND_FIRST
    }

    /// Writes the header and returns its hash, the next record's `previous`.
    pub(crate) fn encode(&self, identity: &Hash, into: &mut [u8; HEADER_BYTES]) -> Hash {
        let mut flags = u16::from(self.lag) << LAG_SHIFT;
        if self.group_end {
            flags |= FLAG_GROUP_END;
        }
        if self.evidence_sealed {
            flags |= FLAG_EVIDENCE_SEALED;
        }
        into[0..4].copy_from_slice(&MAGIC);
        into[4..6].copy_from_slice(&self.kind.to_le_bytes());
        into[6..8].copy_from_slice(&u16::to_le_bytes(flags));
        into[8..12].copy_from_slice(&self.epoch.to_le_bytes());
        into[12..16].copy_from_slice(&self.epoch_salt.to_le_bytes());
        into[16..24].copy_from_slice(&self.sequence.to_le_bytes());
        into[24..32].copy_from_slice(&self.time.to_le_bytes());
        into[32..36].copy_from_slice(&self.rules_version.to_le_bytes());
        into[36..40].copy_from_slice(&self.facts_bytes.to_le_bytes());
        into[40..44].copy_from_slice(&self.evidence_bytes.to_le_bytes());
        into[44..48].copy_from_slice(&((self.offset / ALIGN as u64) as u32).to_le_bytes());
        into[48..56].copy_from_slice(&self.group.to_le_bytes());
        into[56..88].copy_from_slice(&self.facts_hash);
        into[88..120].copy_from_slice(&self.evidence_hash);
        into[PREVIOUS_AT..CHECK_AT].copy_from_slice(&self.previous);
        let hash = chained_hash(identity, &self.previous, &into[..CHAINED_BYTES]);
        into[CHECK_AT..].copy_from_slice(&hash[..HEADER_BYTES - CHECK_AT]);
        hash
    }

    /// Reads a header and returns it with its hash. Refuses what no [`encode`](RecordHeader::encode) of this journal wrote.
    pub(crate) fn decode(
        identity: &Hash,
        from: &[u8; HEADER_BYTES],
    ) -> Result<(RecordHeader, Hash), Fault> {
        if from[0..4] != MAGIC {
            return Err(Fault::Header);
        }
        let previous: Hash = field(from, PREVIOUS_AT);
        let hash = chained_hash(identity, &previous, &from[..CHAINED_BYTES]);
        if from[CHECK_AT..] != hash[..HEADER_BYTES - CHECK_AT] {
            return Err(Fault::Header);
        }
        let flags = u16::from_le_bytes(field(from, 6));
        let header = RecordHeader {
            kind: u16::from_le_bytes(field(from, 4)),
            group_end: flags & FLAG_GROUP_END != 0,
            evidence_sealed: flags & FLAG_EVIDENCE_SEALED != 0,
            lag: (flags >> LAG_SHIFT) as u8,
            epoch: u32::from_le_bytes(field(from, 8)),
            epoch_salt: u32::from_le_bytes(field(from, 12)),
            sequence: u64::from_le_bytes(field(from, 16)),
            time: u64::from_le_bytes(field(from, 24)),
            rules_version: u32::from_le_bytes(field(from, 32)),
            facts_bytes: u32::from_le_bytes(field(from, 36)),
            evidence_bytes: u32::from_le_bytes(field(from, 40)),
            offset: u64::from(u32::from_le_bytes(field(from, 44))) * ALIGN as u64,
            group: u64::from_le_bytes(field(from, 48)),
            facts_hash: field(from, 56),
            evidence_hash: field(from, 88),
            previous,
        };
        Ok((header, hash))
    }
}

/// Whether a record's header could begin with these bytes: the cheap test before a hash.
pub(crate) fn begins_record(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC)
}

/// Size of a record with parts of these stored lengths.
pub(crate) fn record_bytes(facts_bytes: usize, evidence_bytes: usize) -> usize {
    (HEADER_BYTES + facts_bytes + evidence_bytes).next_multiple_of(ALIGN)
}

/// The hash of a part; a part of no bytes has the hash of zeros.
pub(crate) fn part_hash(part: &[u8]) -> Hash {
    if part.is_empty() {
        NO_HASH
    } else {
        *blake3::hash(part).as_bytes()
    }
}

/// A fixed-size piece of a fixed-size array; the offsets are constants of the layout.
pub(crate) fn field<const N: usize, const M: usize>(from: &[u8; M], at: usize) -> [u8; N] {
    let mut piece = [0; N];
    piece.copy_from_slice(&from[at..at + N]);
    piece
}

/// The previous hash is the key and not part of the text: that binds it as well, and saves one of three rounds of BLAKE3.
/// The journal's identity is mixed in so that nobody who does not know it can make bytes that look like one of its records:
/// facts and evidence come from outside, and recovery looks for records among what a torn write left behind.
fn chained_hash(identity: &Hash, previous: &Hash, text: &[u8]) -> Hash {
    let mut key = *previous;
    for (byte, secret) in key.iter_mut().zip(identity) {
        *byte ^= secret;
    }
    *blake3::keyed_hash(&key, text).as_bytes()
}
