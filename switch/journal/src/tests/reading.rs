//! Cursors and look-ups, beside the writer and after it.

use super::bed::{append, check_readable, check_record, open, open_with, sample, segments, small};
use crate::{Depth, Evidence, JournalError, MemoryMedium, Options, Reader, RecordStream};
use std::sync::Arc;

#[test]
fn a_cursor_follows_the_writer_over_segments() {
    let disk = MemoryMedium::new();
    let (mut log, _) = open(&disk);
    let mut cursor = log
        .reader()
        .read_from(1, Depth::Evidence)
        .expect("reading begins");
    assert!(cursor.next().expect("nothing is wrong").is_none());
    let mut read = 0;
    while segments(&disk).len() < 4 {
        append(&mut log, 3);
        if log.durable_upto() % 2 == 0 {
            log.witness().expect("the witness is written");
        }
        while let Some(record) = cursor.next().expect("the record is sound") {
            check_record(&record.to_owned(), read + 1);
            read += 1;
        }
        assert_eq!(read, log.durable_upto());
    }
}

#[test]
fn written_is_not_readable_before_it_is_durable() {
    let disk = MemoryMedium::new();
    let (mut log, _) = open(&disk);
    append(&mut log, 1);
    let mut cursor = log
        .reader()
        .read_from(0, Depth::Evidence)
        .expect("reading begins");
    assert!(cursor.next().expect("nothing is wrong").is_some());
    let mut batch = log.batch();
    super::bed::push(&mut batch, 2);
    log.append(std::slice::from_mut(&mut batch))
        .expect("the group is written");
    assert!(cursor.next().expect("nothing is wrong").is_none());
    assert_eq!(log.reader().read_record(2).expect("nothing is wrong"), None);
    log.sync().expect("the group is synced");
    assert!(cursor.next().expect("nothing is wrong").is_some());
    check_record(
        &log.reader()
            .read_record(2)
            .expect("nothing is wrong")
            .expect("it is durable"),
        2,
    );
}

#[test]
fn look_ups_find_every_record() {
    let disk = MemoryMedium::new();
    let (mut log, _) = open(&disk);
    for _ in 0..100 {
        append(&mut log, 4);
    }
    let check_all = |reader: &Reader| {
        for sequence in (1..=400).rev() {
            check_record(
                &reader
                    .read_record(sequence)
                    .expect("it is sound")
                    .expect("it is durable"),
                sequence,
            );
        }
        assert_eq!(reader.read_record(0).expect("nothing is wrong"), None);
        assert_eq!(reader.read_record(401).expect("nothing is wrong"), None);
        for from in [1, 33, 200, 400] {
            let mut cursor = reader
                .read_from(from, Depth::Evidence)
                .expect("reading begins");
            check_record(
                &cursor
                    .next()
                    .expect("it is sound")
                    .expect("it is durable")
                    .to_owned(),
                from,
            );
        }
    };
    check_all(&log.reader());
    drop(log);
    let (log, recovery) = open(&disk);
    assert_eq!(recovery.records_verified, 400);
    check_all(&log.reader());
    drop(log);
    // Segments that were not verified at opening are read when they are first needed.
    let (log, recovery) = open_with(
        &disk,
        Options {
            verify_from: u64::MAX,
            ..small()
        },
    );
    assert!(recovery.records_verified < 100);
    check_all(&log.reader());
    let offline = Reader::open(super::bed::medium(&disk), small().evidence_key)
        .expect("it opens")
        .expect("it is there");
    check_all(&offline);
}

#[test]
fn facts_alone_do_not_need_the_evidence() {
    let disk = MemoryMedium::new();
    let (mut log, _) = open(&disk);
    while sample(log.next_sequence()).evidence.is_empty() {
        append(&mut log, 1);
    }
    let sequence = log.next_sequence();
    append(&mut log, 1);
    let segment = segments(&disk).remove(0);
    let bytes = disk.contents(&segment).expect("the segment is there");
    let end = bytes
        .iter()
        .rposition(|&byte| byte != 0)
        .map_or(0, |last| (last + 8) / 8 * 8);
    disk.flip_bit(&segment, end as u64 - 16, 0);
    let read = |depth| {
        let mut cursor = log
            .reader()
            .read_from(sequence, depth)
            .expect("reading begins");
        cursor
            .next()
            .map(|record| record.map(|record| record.to_owned()))
    };
    let record = read(Depth::Facts)
        .expect("the facts are sound")
        .expect("it is durable");
    assert_eq!(
        (record.facts, record.evidence),
        (sample(sequence).facts, Evidence::NotRead)
    );
    assert!(matches!(
        read(Depth::Evidence),
        Err(JournalError::Damaged(_))
    ));
    assert!(matches!(
        log.reader().read_record(sequence),
        Err(JournalError::Damaged(_))
    ));
}

#[test]
fn evidence_stays_closed_without_the_key() {
    let disk = MemoryMedium::new();
    let (mut log, _) = open(&disk);
    (0..5).for_each(|_| append(&mut log, 4));
    drop(log);
    let reader = Reader::open(super::bed::medium(&disk), None)
        .expect("it opens")
        .expect("it is there");
    for sequence in 1..=20 {
        let record = reader
            .read_record(sequence)
            .expect("it is sound")
            .expect("it is durable");
        let expected = if sample(sequence).evidence.is_empty() {
            Evidence::Absent
        } else {
            Evidence::Sealed
        };
        assert_eq!(record.evidence, expected);
    }
    let wrong = Reader::open(
        super::bed::medium(&disk),
        Some(crate::EvidenceKey::new([1; 32])),
    );
    assert!(matches!(wrong, Err(JournalError::KeyMismatch { .. })));
    assert!(
        Reader::open(Arc::new(MemoryMedium::new()), None)
            .expect("it opens")
            .is_none()
    );
}

#[test]
fn evidence_is_not_on_the_disk_in_clear() {
    let text = b"Nursultan pays Aigerim 15 250 tenge for apples";
    for (key, visible) in [(small().evidence_key, false), (None, true)] {
        let disk = MemoryMedium::new();
        let (mut log, _) = open_with(
            &disk,
            Options {
                evidence_key: key,
                ..small()
            },
        );
        let mut batch = log.batch();
        batch
            .push(sample(1).meta, b"facts", text)
            .expect("the batch has room");
        log.append(std::slice::from_mut(&mut batch))
            .expect("the group is written");
        log.sync().expect("the group is synced");
        let bytes = disk
            .contents(&segments(&disk)[0])
            .expect("the segment is there");
        assert_eq!(
            bytes.windows(text.len()).any(|window| window == text),
            visible
        );
        let record = log
            .reader()
            .read_record(1)
            .expect("it is sound")
            .expect("it is durable");
        assert_eq!(record.evidence, Evidence::Bytes(text.to_vec()));
    }
}

#[test]
fn damage_is_noticed_by_a_reader_of_a_running_journal() {
    let disk = MemoryMedium::new();
    let (mut log, _) = open(&disk);
    (0..10).for_each(|_| append(&mut log, 4));
    assert_eq!(check_readable(&log.reader()), 40);
    let segment = segments(&disk).remove(0);
    disk.flip_bit(&segment, 4096 + 20, 0);
    let mut cursor = log
        .reader()
        .read_from(1, Depth::Facts)
        .expect("reading begins");
    let JournalError::Damaged(damage) = cursor.next().expect_err("it is damaged") else {
        panic!()
    };
    assert_eq!((damage.segment, damage.offset), (segment, 4096));
}
