//! Arbitrary and mutated bytes never panic, whoever reads them.

use super::bed::{Draw, append, medium, open, segments, small};
use crate::record::{HEADER_BYTES, RecordHeader, begins_record};
use crate::segment::{SEGMENT_HEADER_BYTES, SegmentHeader, first_sequence_of_name};
use crate::{Depth, Log, Medium, MemoryMedium, Reader, RecordStream, dump, stat, verify};
use std::ops::ControlFlow;

/// Lets everything that reads a journal read this one.
fn read_in_every_way(disk: &MemoryMedium) {
    let _ = verify(disk, small().evidence_key.as_ref(), &mut |_| {});
    let _ = stat(disk);
    let _ = dump(
        &medium(disk),
        small().evidence_key.as_ref(),
        0..=u64::MAX,
        &mut |_| ControlFlow::Continue(()),
    );
    if let Ok(Some(reader)) = Reader::open(medium(disk), None) {
        for depth in [Depth::Facts, Depth::Evidence] {
            let mut cursor = reader
                .read_from(0, depth)
                .expect("the first is always there");
            while matches!(cursor.next(), Ok(Some(_))) {}
        }
        let _ = reader.read_record(reader.durable_upto());
    }
    if let Ok((mut log, _)) = Log::open(medium(disk), small()) {
        append(&mut log, 3);
    }
}

#[test]
fn mutated_segments() {
    let whole = MemoryMedium::new();
    let (mut log, _) = open(&whole);
    while segments(&whole).len() < 2 {
        append(&mut log, 5);
    }
    append(&mut log, 5);
    drop(log);
    let names = segments(&whole);
    let mut draw = Draw::new(11);
    for _ in 0..1_500 {
        let disk = whole.fork();
        for _ in 0..=draw.below(4) {
            let name = &names[draw.below(names.len() as u64) as usize];
            let bytes = disk.contents(name).expect("the segment is there");
            let written = bytes.iter().rposition(|&byte| byte != 0).unwrap_or(0) as u64;
            let at = draw.below(written + 64);
            let count = 1 + draw.below(40) as usize;
            match draw.below(4) {
                0 => drop(disk.overwrite(name, at, &draw.bytes(count))),
                1 => drop(disk.overwrite(name, at, &[0; 300][..count * 7])),
                2 => drop(disk.flip_bit(name, at, draw.below(8) as u8)),
                _ => {
                    // A piece of the log copied elsewhere.
                    let from = draw.below(written) as usize / 8 * 8;
                    let piece = bytes[from..(from + 512).min(bytes.len())].to_vec();
                    disk.overwrite(name, at / 8 * 8, &piece);
                }
            }
        }
        read_in_every_way(&disk);
    }
}

#[test]
fn segments_of_noise() {
    let mut draw = Draw::new(12);
    for _ in 0..100 {
        let disk = MemoryMedium::new();
        let bytes = 4096 * (draw.below(5) as usize);
        let name = format!("{:020}.seg", draw.below(3));
        disk.create(&name, bytes as u64).expect("the file is made");
        disk.overwrite(&name, 0, &draw.bytes(bytes));
        read_in_every_way(&disk);
    }
}

#[test]
fn headers_survive_no_mutation() {
    let identity = [3; 32];
    let header = RecordHeader {
        kind: 0x10,
        group_end: true,
        evidence_sealed: true,
        lag: 2,
        epoch: 4,
        epoch_salt: 5,
        sequence: 6,
        time: 7,
        rules_version: 8,
        facts_bytes: 9,
        evidence_bytes: 10,
        offset: 4096,
        group: 11,
        facts_hash: [12; 32],
        evidence_hash: [13; 32],
        previous: [14; 32],
    };
    let mut bytes = [0; HEADER_BYTES];
    let hash = header.encode(&identity, &mut bytes);
    assert_eq!(RecordHeader::decode(&identity, &bytes), Ok((header, hash)));
    assert!(begins_record(&bytes));
    assert!(
        RecordHeader::decode(&[4; 32], &bytes).is_err(),
        "another journal's record"
    );
    for at in 0..HEADER_BYTES {
        for bit in 0..8 {
            let mut flipped = bytes;
            flipped[at] ^= 1 << bit;
            assert!(
                RecordHeader::decode(&identity, &flipped).is_err(),
                "byte {at} bit {bit}"
            );
        }
    }
    let mut draw = Draw::new(13);
    for _ in 0..2_000 {
        let noise = draw.bytes(HEADER_BYTES);
        let noise = noise.first_chunk().expect("it is long enough");
        assert!(RecordHeader::decode(&identity, noise).is_err());
    }
}

#[test]
fn segment_headers_survive_no_mutation() {
    let header = SegmentHeader {
        number: 1,
        first_sequence: 2,
        first_group: 3,
        segment_bytes: 4,
        epoch: 5,
        epoch_salt: 6,
        time: 7,
        identity: [8; 32],
        previous: [9; 32],
        key_check: [10; 16],
        writer: "torap 0.1.0".to_owned(),
    };
    let bytes: [u8; SEGMENT_HEADER_BYTES] =
        *header.encode().first_chunk().expect("it is long enough");
    assert_eq!(
        SegmentHeader::decode("x", &bytes).expect("it is sound"),
        header
    );
    let mut draw = Draw::new(14);
    for at in 0..SEGMENT_HEADER_BYTES {
        let mut flipped = bytes;
        flipped[at] ^= 1 << draw.below(8);
        assert!(SegmentHeader::decode("x", &flipped).is_err(), "byte {at}");
    }
}

#[test]
fn only_our_names_are_segments() {
    assert_eq!(first_sequence_of_name("00000000000000000042.seg"), Some(42));
    for name in [
        "",
        "42.seg",
        "0000000000000000004x.seg",
        "00000000000000000042.seg.old",
        "+0000000000000000042.seg",
    ] {
        assert_eq!(first_sequence_of_name(name), None, "{name}");
    }
    assert_eq!(
        first_sequence_of_name("99999999999999999999.seg"),
        None,
        "no such sequence"
    );
}
