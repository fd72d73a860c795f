//! Turns filled batches into one group of finished records, in place: encrypt, hash, chain.

use crate::batch::{Batch, Entry};
use crate::chain::Chain;
use crate::evidence::EpochCipher;
use crate::record::{HEADER_BYTES, RecordHeader, part_hash};

/// Under what records are written: the epoch of this opening of the journal and its cipher.
#[derive(Debug)]
pub(crate) struct Writing {
    pub(crate) epoch: u32,
    pub(crate) epoch_salt: u32,
    /// `None` stores evidence clear.
    pub(crate) cipher: Option<EpochCipher>,
}

/// Seals all records of a group that will be written from `offset` on, while `lag` groups before it may not be synced yet;
/// moves the chain behind its last record and returns the offset there. Calls `placed` with the sequence and the offset of every record that takes a sequence number.
pub(crate) fn seal_group(
    group: &mut [Batch],
    chain: &mut Chain,
    writing: &Writing,
    mut offset: u64,
    lag: u8,
    mut placed: impl FnMut(u64, u64),
) -> u64 {
    let mut left: usize = group.iter().map(Batch::records).sum();
    let number = chain.group + 1;
    for batch in group {
        let (entries, bytes) = batch.entries_and_bytes();
        for entry in entries {
            left -= 1;
            let header = seal_record(
                entry,
                bytes,
                chain,
                writing,
                Place {
                    offset,
                    group: number,
                    group_end: left == 0,
                    lag,
                },
            );
            if !header.is_own() {
                placed(header.sequence, offset);
            }
            offset += header.record_bytes();
        }
    }
    offset
}

/// What the log decides about a record.
struct Place {
    offset: u64,
    group: u64,
    group_end: bool,
    lag: u8,
}

fn seal_record(
    entry: &Entry,
    bytes: &mut [u8],
    chain: &mut Chain,
    writing: &Writing,
    place: Place,
) -> RecordHeader {
    let (head, body) = bytes[entry.at..].split_at_mut(HEADER_BYTES);
    let (facts, rest) = body.split_at_mut(entry.facts_bytes);
    let evidence = &mut rest[..entry.evidence_bytes];
    let mut sealed = false;
    if let Some(cipher) = &writing.cipher
        && !evidence.is_empty()
    {
        sealed = cipher.seal(entry.meta.sequence, evidence);
        assert!(
            sealed,
            "a batch holds no evidence longer than the cipher takes"
        );
    }
    let header = RecordHeader {
        kind: entry.meta.kind,
        group_end: place.group_end,
        evidence_sealed: sealed,
        lag: place.lag,
        epoch: writing.epoch,
        epoch_salt: writing.epoch_salt,
        sequence: entry.meta.sequence,
        time: entry.meta.time,
        rules_version: entry.meta.rules_version,
        facts_bytes: entry.facts_bytes as u32,
        evidence_bytes: entry.evidence_bytes as u32,
        offset: place.offset,
        group: place.group,
        facts_hash: part_hash(facts),
        evidence_hash: part_hash(evidence),
        previous: chain.hash,
    };
    let mut encoded = [0; HEADER_BYTES];
    let hash = header.encode(&chain.identity, &mut encoded);
    head.copy_from_slice(&encoded);
    let accepted = chain.accept(&header, hash);
    assert!(
        accepted.is_ok(),
        "the writer's own record does not continue the log: {accepted:?}"
    );
    header
}
