//! Damage that no crash explains is refused, with segment and offset.

use super::bed::{append, check_readable, medium, open, open_with, push, segments, small};
use crate::{Damage, Fault, JournalError, Log, Medium, MemoryMedium, Options, verify};

/// A journal of three segments and more, ended by a witness.
fn three_segments() -> MemoryMedium {
    let disk = MemoryMedium::new();
    let (mut log, _) = open(&disk);
    while segments(&disk).len() < 3 {
        append(&mut log, 6);
    }
    append(&mut log, 6);
    log.witness().expect("the witness is written");
    drop(log);
    disk
}

fn refused(disk: &MemoryMedium) -> Damage {
    let before: Vec<_> = segments(disk)
        .iter()
        .map(|name| disk.contents(name))
        .collect();
    let error = Log::open(medium(disk), small()).expect_err("the journal is refused");
    let JournalError::Damaged(damage) = error else {
        panic!("damage expected: {error}")
    };
    let after: Vec<_> = segments(disk)
        .iter()
        .map(|name| disk.contents(name))
        .collect();
    assert!(before == after, "a refused journal is left as it is");
    let report = verify(disk, None, &mut |_| {}).expect("verification runs");
    assert_eq!(
        report.damage.as_ref(),
        Some(&damage),
        "verify and start agree"
    );
    damage
}

/// Offset of the n-th record of a segment.
fn record_at(disk: &MemoryMedium, segment: &str, nth: usize) -> u64 {
    let bytes = disk.contents(segment).expect("the segment is there");
    let mut places = (4096..bytes.len())
        .step_by(8)
        .filter(|&at| bytes[at..].starts_with(b"TjR\x01"));
    places.nth(nth).expect("the record is there") as u64
}

#[test]
fn flip_in_the_middle() {
    let disk = three_segments();
    let segment = &segments(&disk)[2];
    let first = record_at(&disk, segment, 0);
    disk.flip_bit(segment, first + 20, 3);
    let damage = refused(&disk);
    assert_eq!(
        (damage.segment.as_str(), damage.offset, damage.fault),
        (segment.as_str(), first, Fault::Header)
    );
    assert!(damage.later_record.is_some(), "the proof is named");
}

#[test]
fn flip_in_a_body_of_a_sealed_segment() {
    let disk = three_segments();
    let segment = &segments(&disk)[0];
    let first = record_at(&disk, segment, 0);
    disk.flip_bit(segment, first + 160, 0);
    let damage = refused(&disk);
    assert_eq!(
        (damage.segment.as_str(), damage.offset, damage.fault),
        (segment.as_str(), first, Fault::Facts)
    );
}

#[test]
fn zeroed_record_before_a_later_group() {
    let disk = three_segments();
    let segment = &segments(&disk)[2];
    let first = record_at(&disk, segment, 0);
    let bytes = (record_at(&disk, segment, 1) - first) as usize;
    disk.overwrite(segment, first, &vec![0; bytes]);
    let damage = refused(&disk);
    assert_eq!((damage.offset, damage.fault), (first, Fault::RecordMissing));
}

#[test]
fn lost_end_of_a_sealed_segment() {
    let disk = three_segments();
    let segment = &segments(&disk)[1];
    let bytes = disk.contents(segment).expect("the segment is there");
    let lost = record_at(&disk, segment, 6);
    disk.overwrite(segment, lost, &vec![0; bytes.len() - lost as usize]);
    let damage = refused(&disk);
    assert_eq!(
        (damage.segment.as_str(), damage.offset, damage.fault),
        (segment.as_str(), lost, Fault::RecordMissing)
    );
}

#[test]
fn missing_segment_in_the_middle() {
    let disk = three_segments();
    let names = segments(&disk);
    disk.remove(&names[1]).expect("the segment is removed");
    let damage = refused(&disk);
    assert_eq!(
        (damage.segment.as_str(), damage.fault),
        (
            names[2].as_str(),
            Fault::SegmentMissing {
                expected: 2,
                found: 3
            }
        )
    );
}

#[test]
fn missing_first_segments_are_an_archive_elsewhere() {
    let disk = three_segments();
    let names = segments(&disk);
    disk.remove(&names[0]).expect("the segment is removed");
    let (log, recovery) = open(&disk);
    assert!(recovery.first_sequence > 1);
    let error = log.reader().read_record(1).expect_err("it is elsewhere");
    assert!(matches!(error, JournalError::Expired { sequence: 1, .. }));
    let first = recovery.first_sequence;
    let record = log
        .reader()
        .read_record(first)
        .expect("it is here")
        .expect("it is durable");
    super::bed::check_record(&record, first);
}

#[test]
fn missing_last_segment_is_noticed_by_whoever_saw_it() {
    let disk = three_segments();
    let (log, recovery) = open(&disk.fork());
    drop(log);
    let names = segments(&disk);
    disk.remove(&names[2]).expect("the segment is removed");
    let options = Options {
        must_reach: recovery.last_sequence,
        ..small()
    };
    let error = Log::open(medium(&disk), options).expect_err("the journal is refused");
    let JournalError::BelowReach { last, must_reach } = error else {
        panic!("{error}")
    };
    assert!(last < must_reach);
    assert_eq!(must_reach, recovery.last_sequence);
}

#[test]
fn emptied_folder_is_noticed_by_whoever_saw_it() {
    let options = Options {
        must_reach: 5,
        ..small()
    };
    let error =
        Log::open(medium(&MemoryMedium::new()), options).expect_err("the journal is refused");
    assert!(matches!(
        error,
        JournalError::BelowReach {
            last: 0,
            must_reach: 5
        }
    ));
}

#[test]
fn segment_of_zeros_behind() {
    let disk = three_segments();
    let name = format!("{:020}.seg", 1_000);
    disk.create(&name, 16 << 10).expect("the file is made");
    let damage = refused(&disk);
    assert_eq!(
        (damage.segment, damage.offset, damage.fault),
        (name, 0, Fault::SegmentHeader)
    );
}

#[test]
fn segment_of_another_journal() {
    let disk = three_segments();
    let other = MemoryMedium::new();
    let (mut log, _) = open_with(
        &other,
        Options {
            entropy: crate::Entropy::Fixed([9; 32]),
            ..small()
        },
    );
    while segments(&other).len() < 3 {
        append(&mut log, 6);
    }
    drop(log);
    let names = segments(&disk);
    assert_eq!(names[2], segments(&other)[2], "the same sequences");
    disk.overwrite(
        &names[2],
        0,
        &other.contents(&names[2]).expect("the segment is there"),
    );
    let damage = refused(&disk);
    assert_eq!(
        (damage.segment.as_str(), damage.offset, damage.fault),
        (names[2].as_str(), 0, Fault::SegmentChain)
    );
}

#[test]
fn truncated_segment() {
    let disk = three_segments();
    let names = segments(&disk);
    let bytes = disk.contents(&names[0]).expect("the segment is there");
    disk.remove(&names[0]).expect("the segment is removed");
    disk.create(&names[0], 8 << 10).expect("the file is made");
    disk.overwrite(&names[0], 0, &bytes[..8 << 10]);
    let damage = refused(&disk);
    assert_eq!(
        (damage.segment.as_str(), damage.fault),
        (names[0].as_str(), Fault::SegmentShort)
    );
}

#[test]
fn renamed_segment() {
    let disk = three_segments();
    let names = segments(&disk);
    let name = format!("{:020}.seg", 2);
    disk.rename(&names[0], &name)
        .expect("the segment is renamed");
    let damage = refused(&disk);
    assert_eq!(
        (damage.segment, damage.fault),
        (name, Fault::SegmentMismatch)
    );
}

#[test]
fn misdirected_write_behind_the_end() {
    let disk = three_segments();
    let segment = &segments(&disk)[2];
    let bytes = disk.contents(segment).expect("the segment is there");
    let first = record_at(&disk, segment, 0) as usize;
    let record = bytes[first..record_at(&disk, segment, 1) as usize].to_vec();
    let elsewhere = (bytes.len() - 2048) as u64;
    disk.overwrite(segment, elsewhere, &record);
    let damage = refused(&disk);
    assert_eq!(
        (damage.offset, damage.fault),
        (
            elsewhere,
            Fault::Misplaced {
                belongs_at: first as u64
            }
        )
    );
}

#[test]
fn misdirected_write_over_an_older_record() {
    let disk = three_segments();
    let segment = &segments(&disk)[2];
    let bytes = disk.contents(segment).expect("the segment is there");
    let (first, third) = (record_at(&disk, segment, 0), record_at(&disk, segment, 2));
    disk.overwrite(segment, first, &bytes[third as usize..third as usize + 160]);
    let damage = refused(&disk);
    assert_eq!(damage.offset, first);
    assert_eq!(damage.fault, Fault::Misplaced { belongs_at: third });
}

#[test]
fn lost_last_group_before_a_witness() {
    let disk = MemoryMedium::new();
    let (mut log, _) = open(&disk);
    append(&mut log, 2);
    append(&mut log, 2);
    log.witness().expect("the witness is written");
    drop(log);
    let segment = &segments(&disk)[0];
    let (third, witness) = (record_at(&disk, segment, 2), record_at(&disk, segment, 4));
    disk.overwrite(segment, third, &vec![0; (witness - third) as usize]);
    let damage = refused(&disk);
    assert_eq!(damage.fault, Fault::RecordMissing);
    assert_eq!((damage.offset, damage.later_record), (third, Some(witness)));
}

#[test]
fn a_group_written_during_a_sync_is_guarded_by_the_next() {
    let disk = MemoryMedium::new();
    let (mut log, _) = open(&disk);
    append(&mut log, 2);
    for first in [3, 5] {
        let mut batch = log.batch();
        (first..first + 2).for_each(|sequence| push(&mut batch, sequence));
        log.append(std::slice::from_mut(&mut batch))
            .expect("the group is written");
    }
    log.sync().expect("both are synced");
    let unguarded = disk.fork();
    log.witness().expect("the witness is written");
    drop(log);
    let segment = &segments(&disk)[0];
    for nth in [2, 4] {
        let damaged = disk.fork();
        let at = record_at(&disk, segment, nth);
        damaged.flip_bit(segment, at + 20, 3);
        assert_eq!(refused(&damaged).offset, at);
    }
    // Before the witness nothing proves that either was synced: the documented limit.
    unguarded.flip_bit(segment, record_at(&unguarded, segment, 2) + 20, 3);
    let (log, recovery) = open(&unguarded);
    assert_eq!(recovery.last_sequence, 2);
    assert!(recovery.torn.is_some(), "it is reported as torn");
    assert_eq!(check_readable(&log.reader()), 2);
}

#[test]
fn last_group_before_its_witness_is_the_documented_limit() {
    let disk = MemoryMedium::new();
    let (mut log, _) = open(&disk);
    append(&mut log, 2);
    append(&mut log, 2);
    assert!(log.needs_witness());
    drop(log);
    let segment = &segments(&disk)[0];
    disk.flip_bit(segment, record_at(&disk, segment, 2) + 50, 1);
    let (log, recovery) = open(&disk);
    assert_eq!(recovery.last_sequence, 2);
    assert!(recovery.torn.is_some(), "it is reported as torn");
    assert_eq!(check_readable(&log.reader()), 2);
    let options = Options {
        must_reach: 4,
        ..small()
    };
    drop(log);
    let error = Log::open(medium(&disk), options).expect_err("whoever saw it refuses");
    assert!(matches!(
        error,
        JournalError::BelowReach {
            last: 2,
            must_reach: 4
        }
    ));
}

#[test]
fn stale_records_of_an_older_life_are_refused() {
    // An old copy of the end of the segment comes back, as from a disk that lost its newest writes.
    let disk = MemoryMedium::new();
    let (mut log, _) = open(&disk);
    append(&mut log, 2);
    let mut batch = log.batch();
    push(&mut batch, 3);
    log.append(std::slice::from_mut(&mut batch))
        .expect("the group is written");
    let segment = segments(&disk)[0].clone();
    let old = disk.contents(&segment).expect("the segment is there");
    disk.crash(3);
    let (mut log, recovery) = open(&disk);
    assert_eq!(recovery.last_sequence, 2, "the seed loses the write");
    append(&mut log, 1);
    append(&mut log, 1);
    drop(log);
    let stale_at = record_at(&disk, &segment, 2);
    disk.overwrite(
        &segment,
        stale_at,
        &old[stale_at as usize..stale_at as usize + 160],
    );
    let damage = refused(&disk);
    assert_eq!(damage.offset, stale_at);
}

#[test]
fn bytes_made_to_look_like_a_record_prove_nothing() {
    // A peer sends a whole record image as evidence of a payment; stored clear, then torn in front of it.
    let options = Options {
        evidence_key: None,
        ..small()
    };
    let stranger = MemoryMedium::new();
    let (mut log, _) = open_with(
        &stranger,
        Options {
            entropy: crate::Entropy::Fixed([9; 32]),
            ..options.clone()
        },
    );
    append(&mut log, 1);
    append(&mut log, 1);
    append(&mut log, 1);
    let image = stranger
        .contents(&segments(&stranger)[0])
        .expect("the segment is there")[4096..5096]
        .to_vec();
    let disk = MemoryMedium::new();
    let (mut log, _) = open_with(&disk, options.clone());
    let mut batch = log.batch();
    let meta = super::bed::sample(1).meta;
    batch
        .push(meta, b"facts it!", &image)
        .expect("the batch has room");
    log.append(std::slice::from_mut(&mut batch))
        .expect("the group is written");
    disk.kill();
    let segment = segments(&disk)[0].clone();
    disk.flip_bit(&segment, 4096 + 30, 0);
    let (_, recovery) = open_with(&disk, options);
    assert_eq!(recovery.last_sequence, 0);
    assert!(recovery.torn.is_some(), "torn, not damaged");
}

#[test]
fn bytes_behind_the_last_record_of_a_sealed_segment() {
    let disk = three_segments();
    let segment = &segments(&disk)[0];
    disk.overwrite(segment, (16 << 10) - 9, b"x");
    let damage = refused(&disk);
    assert_eq!(damage.segment.as_str(), segment.as_str());
    assert_eq!(
        (damage.offset, damage.fault),
        ((16 << 10) - 9, Fault::Trailing)
    );
}

#[test]
fn stale_records_behind_the_end_are_refused() {
    // A group was torn and erased. Later one of its records comes back, at its own place.
    let disk = MemoryMedium::new();
    let (mut log, _) = open(&disk);
    append(&mut log, 2);
    let mut batch = log.batch();
    (3..9).for_each(|sequence| push(&mut batch, sequence));
    log.append(std::slice::from_mut(&mut batch))
        .expect("the group is written");
    disk.kill();
    let segment = &segments(&disk)[0];
    let (third, eighth) = (record_at(&disk, segment, 2), record_at(&disk, segment, 7));
    let stale = disk.contents(segment).expect("the segment is there")[eighth as usize..].to_vec();
    disk.overwrite(segment, third, &[0; 160]);
    let (mut log, recovery) = open(&disk);
    assert!(recovery.torn.is_some());
    append(&mut log, 1);
    drop(log);
    disk.overwrite(segment, eighth, &stale);
    let damage = refused(&disk);
    // Groups so far: two records, epoch start, one record.
    assert_eq!(
        (damage.offset, damage.fault),
        (
            eighth,
            Fault::Group {
                expected: 4,
                found: 2
            }
        )
    );
}

#[test]
fn records_of_a_copy_that_went_on_separately_are_refused() {
    let disk = MemoryMedium::new();
    let (mut log, _) = open(&disk);
    append(&mut log, 2);
    drop(log);
    let copy = disk.fork();
    let apart = || Options {
        entropy: crate::Entropy::System,
        ..small()
    };
    drop(open_with(&disk, apart()));
    let (mut log, _) = open_with(&copy, apart());
    append(&mut log, 1);
    drop(log);
    let segment = &segments(&disk)[0];
    let end = record_at(&copy, segment, 3);
    let theirs = copy.contents(segment).expect("the segment is there");
    disk.overwrite(segment, end, &theirs[end as usize..]);
    let damage = refused(&disk);
    assert_eq!((damage.offset, damage.fault), (end, Fault::Chain));
}
