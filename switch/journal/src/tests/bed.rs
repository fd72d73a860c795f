//! What the tests share: small journals, records that anyone can predict, a seeded source of choices.

use crate::{
    Batch, Depth, Entropy, Evidence, EvidenceKey, Log, Medium, MemoryMedium, Options, OwnedRecord,
    Reader, RecordMeta, RecordStream, Recovery,
};
use std::sync::Arc;

pub(super) const KEY: [u8; 32] = [0x4b; 32];

/// Segments of 16 KiB, so that a few records begin a new one.
pub(super) fn small() -> Options {
    Options {
        segment_bytes: 16 << 10,
        batch_bytes_max: 4 << 10,
        group_bytes_max: 8 << 10,
        evidence_key: Some(EvidenceKey::new(KEY)),
        writer: "test 1".to_owned(),
        opened_at: 1_000,
        entropy: Entropy::Fixed([7; 32]),
        ..Options::default()
    }
}

pub(super) fn medium(disk: &MemoryMedium) -> Arc<dyn Medium> {
    Arc::new(disk.clone())
}

pub(super) fn open(disk: &MemoryMedium) -> (Log, Recovery) {
    open_with(disk, small())
}

pub(super) fn open_with(disk: &MemoryMedium, options: Options) -> (Log, Recovery) {
    Log::open(medium(disk), options).expect("the journal opens")
}

/// A record that follows from its sequence alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sample {
    pub(super) meta: RecordMeta,
    pub(super) facts: Vec<u8>,
    pub(super) evidence: Vec<u8>,
}

pub(super) fn sample(sequence: u64) -> Sample {
    let mut draw = Draw::new(sequence);
    let meta = RecordMeta {
        kind: 0x10 + (draw.below(5) as u16),
        sequence,
        time: 1_700_000_000_000_000_000 + sequence,
        rules_version: 1,
    };
    let facts_bytes = draw.below(120) as usize;
    let facts = draw.bytes(facts_bytes);
    let evidence_bytes = if draw.below(3) == 0 {
        0
    } else {
        8 + draw.below(200) as usize
    };
    let evidence = draw.bytes(evidence_bytes);
    Sample {
        meta,
        facts,
        evidence,
    }
}

pub(super) fn push(batch: &mut Batch, sequence: u64) {
    let Sample {
        meta,
        facts,
        evidence,
    } = sample(sequence);
    batch
        .push(meta, &facts, &evidence)
        .expect("the batch has room");
}

/// Writes and syncs a group of this many records.
pub(super) fn append(log: &mut Log, records: u64) {
    let mut batch = log.batch();
    for sequence in log.next_sequence()..log.next_sequence() + records {
        push(&mut batch, sequence);
    }
    log.append(std::slice::from_mut(&mut batch))
        .expect("the group is written");
    log.sync().expect("the group is synced");
}

/// Reads everything durable and checks it against the samples; returns the last sequence.
pub(super) fn check_readable(reader: &Reader) -> u64 {
    let mut cursor = reader
        .read_from(0, Depth::Evidence)
        .expect("reading begins");
    let mut last = 0;
    while let Some(record) = cursor.next().expect("the record is sound") {
        check_record(&record.to_owned(), last + 1);
        last += 1;
    }
    assert_eq!(last, reader.durable_upto());
    last
}

pub(super) fn check_record(record: &OwnedRecord, sequence: u64) {
    let expected = sample(sequence);
    assert_eq!(record.meta, expected.meta);
    assert_eq!(record.facts, expected.facts);
    let evidence = match expected.evidence {
        none if none.is_empty() => Evidence::Absent,
        bytes => Evidence::Bytes(bytes),
    };
    assert_eq!(record.evidence, evidence, "evidence of sequence {sequence}");
}

/// The names of the segments, in order.
pub(super) fn segments(disk: &MemoryMedium) -> Vec<String> {
    let mut names = disk.list().expect("the folder is listed");
    names.retain(|name| name.ends_with(".seg"));
    names.sort();
    names
}

/// A seeded source of choices (xorshift).
pub(super) struct Draw(u64);

impl Draw {
    pub(super) fn new(seed: u64) -> Draw {
        Draw(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }

    pub(super) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.below(256) as u8).collect()
    }
}
