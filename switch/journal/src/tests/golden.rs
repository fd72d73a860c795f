//! The bytes of format version 1, kept for ever: what an old binary wrote, a new one reads, and writes again bit by bit.

use super::bed::{KEY, medium, segments};
use crate::{
    Entropy, Evidence, EvidenceKey, JournalError, Log, Medium, MemoryMedium, Options, Reader,
    RecordMeta, verify,
};

const SEALED: &[u8] = include_bytes!("../../tests/golden/segment-v1-sealed-evidence.bin");
const CLEAR: &[u8] = include_bytes!("../../tests/golden/segment-v1-clear-evidence.bin");
const NAME: &str = "00000000000000000001.seg";

fn options(key: Option<EvidenceKey>) -> Options {
    Options {
        segment_bytes: 16 << 10,
        batch_bytes_max: 2 << 10,
        group_bytes_max: 4 << 10,
        evidence_key: key,
        writer: "torap 0.1.0".to_owned(),
        opened_at: 1_763_704_800_000_000_000,
        entropy: Entropy::Fixed(*b"golden golden golden golden gold"),
        ..Options::default()
    }
}

/// Facts and evidence of the golden records.
const RECORDS: [(u16, &[u8], &[u8]); 4] = [
    (
        0x10,
        b"facts of the first command",
        b"<Document>original bytes of the first command</Document>",
    ),
    (0x11, b"", b"evidence only"),
    (0x12, b"facts only", b""),
    (0x13, b"", b""),
];

fn meta(nth: u64, kind: u16) -> RecordMeta {
    RecordMeta {
        kind,
        sequence: nth + 1,
        time: 1_763_704_800_000_000_001 + nth,
        rules_version: 3,
    }
}

/// Two groups, a witness, a second opening.
fn write(key: Option<EvidenceKey>) -> MemoryMedium {
    let disk = MemoryMedium::new();
    let (mut log, _) = Log::open(medium(&disk), options(key.clone())).expect("the journal opens");
    for (group, records) in RECORDS.chunks(3).enumerate() {
        let mut batch = log.batch();
        for (nth, (kind, facts, evidence)) in records.iter().enumerate() {
            let meta = meta((group * 3 + nth) as u64, *kind);
            batch
                .push(meta, facts, evidence)
                .expect("the batch has room");
        }
        log.append(std::slice::from_mut(&mut batch))
            .expect("the group is written");
        log.sync().expect("the group is synced");
    }
    log.witness().expect("the witness is written");
    drop(log);
    drop(Log::open(medium(&disk), options(key)).expect("the journal opens"));
    disk
}

/// A disk with a golden segment; the files are stored without the zeros at their end.
fn disk_with(golden: &[u8]) -> MemoryMedium {
    let disk = MemoryMedium::new();
    disk.create(NAME, 16 << 10).expect("the file is made");
    assert!(disk.overwrite(NAME, 0, golden));
    disk
}

fn check(golden: &[u8], key: Option<EvidenceKey>, file: &str) {
    let written = write(key.clone());
    assert_eq!(segments(&written), [NAME]);
    let bytes = written.contents(NAME).expect("the segment is there");
    let end = bytes
        .iter()
        .rposition(|&byte| byte != 0)
        .map_or(0, |last| last + 1);
    if std::env::var_os("TORAP_BLESS").is_some() {
        let path = std::path::Path::new("tests/golden").join(file);
        std::fs::write(path, &bytes[..end]).expect("the golden file is written");
        return;
    }
    assert!(
        bytes[..end] == *golden,
        "the layout of format version 1 must never change"
    );
    let disk = disk_with(golden);
    let report = verify(&disk, key.as_ref(), &mut |_| {}).expect("verification runs");
    assert_eq!(
        (
            report.records,
            report.own_records,
            report.groups,
            report.damage
        ),
        (4, 2, 4, None)
    );
    let reader = Reader::open(medium(&disk), key)
        .expect("it opens")
        .expect("it is there");
    for ((kind, facts, evidence), nth) in RECORDS.into_iter().zip(0..) {
        let record = reader
            .read_record(nth + 1)
            .expect("it is sound")
            .expect("it is durable");
        assert_eq!(
            (record.meta, record.epoch, record.facts.as_slice()),
            (meta(nth, kind), 1, facts)
        );
        let expected = if evidence.is_empty() {
            Evidence::Absent
        } else {
            Evidence::Bytes(evidence.to_vec())
        };
        assert_eq!(record.evidence, expected);
    }
}

#[test]
fn segment_with_encrypted_evidence() {
    check(
        SEALED,
        Some(EvidenceKey::new(KEY)),
        "segment-v1-sealed-evidence.bin",
    );
}

#[test]
fn segment_with_clear_evidence() {
    check(CLEAR, None, "segment-v1-clear-evidence.bin");
}

#[test]
fn another_format_is_named() {
    for version in [0u32, 2] {
        let mut other = CLEAR.to_vec();
        other[8..12].copy_from_slice(&version.to_le_bytes());
        let check = *blake3::hash(&other[..4064]).as_bytes();
        other[4064..4096].copy_from_slice(&check);
        let disk = disk_with(&other);
        let error = Log::open(medium(&disk), options(None)).expect_err("it is refused");
        let JournalError::Format {
            found, expected: 1, ..
        } = &error
        else {
            panic!("{error}")
        };
        assert_eq!(*found, version);
        let told = format!(
            "segment {NAME} has format version {version}; this binary reads version 1 only"
        );
        assert_eq!(error.to_string(), told);
    }
}
