//! Full disks, bad options, wrong use: refused clearly, with nothing half done.

use super::bed::{append, check_readable, medium, open, open_with, push, sample, segments, small};
use crate::{
    Batch, BatchError, Entropy, EvidenceKey, FileMedium, JournalError, KIND_FIRST, Log, Medium,
    MemoryMedium, Options, Prepared, RecordMeta,
};
use std::sync::Arc;

fn full(error: &JournalError) -> bool {
    match error {
        JournalError::Full { .. } => true,
        JournalError::Fenced { cause } => full(cause),
        _ => false,
    }
}

#[test]
fn full_disk_at_the_first_segment() {
    let disk = MemoryMedium::new();
    disk.set_capacity(Some(8 << 10));
    let error = Log::open(medium(&disk), small()).expect_err("there is no room");
    assert!(full(&error), "{error}");
    assert_eq!(
        disk.list().expect("the folder is listed"),
        Vec::<String>::new(),
        "nothing stays behind"
    );
    disk.set_capacity(None);
    assert!(open(&disk).1.created);
}

#[test]
fn full_disk_at_preparation_goes_on_until_the_segment_is_used_up() {
    let disk = MemoryMedium::new();
    let (mut log, _) = open(&disk);
    disk.set_capacity(Some(20 << 10));
    let error = log.prepare_step().expect_err("there is no room");
    assert!(full(&error), "{error}");
    append(&mut log, 3);
    let mut durable = 3;
    let error = loop {
        let mut batch = log.batch();
        (log.next_sequence()..log.next_sequence() + 3)
            .for_each(|sequence| push(&mut batch, sequence));
        match log.append(std::slice::from_mut(&mut batch)) {
            Ok(_) => durable = log.sync().expect("the group is synced"),
            Err(error) => break error,
        }
    };
    assert!(full(&error), "{error}");
    assert!(durable > 20, "{durable}");
    assert_eq!(log.durable_upto(), durable);
    assert_eq!(
        check_readable(&log.reader()),
        durable,
        "what was durable can still be read"
    );
    assert!(log.failure().is_some());
    assert_eq!(segments(&disk).len(), 1);
    drop(log);
    disk.set_capacity(None);
    let (mut log, recovery) = open(&disk);
    assert_eq!((recovery.last_sequence, recovery.torn), (durable, None));
    append(&mut log, 3);
}

#[test]
fn room_made_in_time_is_used() {
    let disk = MemoryMedium::new();
    let (mut log, _) = open(&disk);
    disk.set_capacity(Some(20 << 10));
    log.prepare_step().expect_err("there is no room");
    disk.set_capacity(None);
    while log.prepare_step().expect("there is room") != Prepared::Ready {}
    while segments(&disk).len() < 3 {
        append(&mut log, 5);
    }
    assert_eq!(check_readable(&log.reader()), log.durable_upto());
    let begun = log.metrics().snapshot();
    assert_eq!(
        (begun.segments_begun, begun.segments_late),
        (2, 1),
        "the second was not prepared"
    );
}

#[test]
fn one_journal_one_process() {
    let disk = MemoryMedium::new();
    let (log, _) = open(&disk);
    assert!(matches!(
        Log::open(medium(&disk), small()),
        Err(JournalError::Locked)
    ));
    drop(log);
    open(&disk);
}

#[test]
fn one_journal_one_process_on_a_real_disk() {
    let folder = tempfile::tempdir().expect("a folder is made");
    let path = folder.path().join("journal");
    let real =
        || -> Arc<dyn Medium> { Arc::new(FileMedium::open(&path).expect("the folder opens")) };
    let (mut log, recovery) = Log::open(real(), small()).expect("the journal opens");
    assert!(recovery.created);
    assert!(matches!(
        Log::open(real(), small()),
        Err(JournalError::Locked)
    ));
    for _ in 0..20 {
        append(&mut log, 5);
    }
    drop(log);
    let (log, recovery) = Log::open(real(), small()).expect("the journal opens");
    assert_eq!(
        (recovery.last_sequence, recovery.epoch, recovery.created),
        (100, 2, false)
    );
    assert!(recovery.segments > 1);
    assert_eq!(check_readable(&log.reader()), 100);
}

#[test]
fn keys_are_checked_before_anything_is_written() {
    let disk = MemoryMedium::new();
    drop(open(&disk));
    for key in [None, Some(EvidenceKey::new([1; 32]))] {
        let before = disk.contents(&segments(&disk)[0]);
        let options = Options {
            evidence_key: key,
            ..small()
        };
        let error = Log::open(medium(&disk), options).expect_err("the key is wrong");
        assert!(matches!(error, JournalError::KeyMismatch { .. }), "{error}");
        assert_eq!(disk.contents(&segments(&disk)[0]), before);
    }
    let clear = MemoryMedium::new();
    drop(open_with(
        &clear,
        Options {
            evidence_key: None,
            ..small()
        },
    ));
    assert!(matches!(
        Log::open(medium(&clear), small()),
        Err(JournalError::KeyMismatch { .. })
    ));
}

#[test]
fn options_outside_their_limits() {
    let refused = |options: Options| match Log::open(medium(&MemoryMedium::new()), options) {
        Err(JournalError::Options { field, .. }) => field,
        other => panic!("options refused expected: {other:?}"),
    };
    assert_eq!(
        refused(Options {
            segment_bytes: 4096,
            ..small()
        }),
        "segment_bytes"
    );
    assert_eq!(
        refused(Options {
            segment_bytes: (16 << 10) + 8,
            ..small()
        }),
        "segment_bytes"
    );
    assert_eq!(
        refused(Options {
            segment_bytes: 64 << 30,
            ..small()
        }),
        "segment_bytes"
    );
    assert_eq!(
        refused(Options {
            batch_bytes_max: 0,
            ..small()
        }),
        "batch_bytes_max"
    );
    assert_eq!(
        refused(Options {
            batch_bytes_max: 16 << 10,
            ..small()
        }),
        "batch_bytes_max"
    );
    let large = 3 << 30;
    assert_eq!(
        refused(Options {
            group_bytes_max: large,
            segment_bytes: 8 << 30,
            ..small()
        }),
        "group_bytes_max"
    );
    assert_eq!(
        refused(Options {
            writer: "x".repeat(65),
            ..small()
        }),
        "writer"
    );
    assert!(Options::default().check().is_ok());
}

#[test]
fn batches_take_only_what_continues_them() {
    let mut batch = Batch::new(1 << 10, true);
    let meta = |kind, sequence| RecordMeta {
        kind,
        sequence,
        time: 0,
        rules_version: 0,
    };
    let reserved = KIND_FIRST - 1;
    assert_eq!(
        batch.push(meta(reserved, 1), b"", b""),
        Err(BatchError::ReservedKind { kind: reserved })
    );
    batch
        .push(meta(KIND_FIRST, 7), b"facts", b"")
        .expect("any sequence may begin");
    assert_eq!(
        batch.push(meta(KIND_FIRST, 9), b"", b""),
        Err(BatchError::OutOfOrder {
            expected: 8,
            found: 9
        })
    );
    assert_eq!(
        batch.push(meta(KIND_FIRST, 8), &[0; 800], b""),
        Err(BatchError::Full)
    );
    let too_large = BatchError::RecordTooLarge {
        bytes: 2160,
        bytes_max: 1 << 10,
    };
    assert_eq!(
        batch.push(meta(KIND_FIRST, 8), &[0; 2000], b""),
        Err(too_large)
    );
    let bytes = batch.bytes();
    assert_eq!(bytes, 168);
    // 160 header, 600 facts, 80 evidence, 16 tag.
    batch
        .push_with(
            meta(KIND_FIRST, 8),
            |buffer| buffer.resize(buffer.len() + 600, 1),
            &[2; 80],
        )
        .expect("there is room");
    assert_eq!(batch.bytes(), bytes + 856);
    assert_eq!(
        (
            batch.first_sequence(),
            batch.last_sequence(),
            batch.records()
        ),
        (Some(7), Some(8), 2)
    );
    batch.clear();
    assert!(batch.is_empty() && batch.bytes() == 0 && batch.first_sequence().is_none());
}

#[test]
fn a_batch_must_continue_the_log() {
    let disk = MemoryMedium::new();
    let (mut log, _) = open(&disk);
    append(&mut log, 2);
    let mut batch = log.batch();
    push(&mut batch, 5);
    let error = log
        .append(std::slice::from_mut(&mut batch))
        .expect_err("3 is missing");
    let JournalError::Fenced { cause } = error else {
        panic!("{error}")
    };
    assert!(matches!(
        *cause,
        JournalError::OutOfOrder {
            expected: 3,
            found: 5
        }
    ));
    drop(log);
    assert_eq!(open(&disk).1.last_sequence, 2);
}

#[test]
fn two_copies_that_go_on_separately_use_different_keys() {
    let disk = MemoryMedium::new();
    let (mut log, _) = open(&disk);
    append(&mut log, 1);
    drop(log);
    let copy = disk.fork();
    let evidence_of = |disk: &MemoryMedium, entropy| {
        let (mut log, recovery) = open_with(disk, Options { entropy, ..small() });
        let mut batch = log.batch();
        let meta = sample(2).meta;
        batch.push(meta, b"", &[0; 64]).expect("the batch has room");
        log.append(std::slice::from_mut(&mut batch))
            .expect("the group is written");
        log.sync().expect("the group is synced");
        let bytes = disk
            .contents(&segments(disk)[0])
            .expect("the segment is there");
        let end = bytes
            .iter()
            .rposition(|&byte| byte != 0)
            .map_or(0, |last| (last + 8) / 8 * 8);
        (recovery.epoch, bytes[end - 80..end - 16].to_vec())
    };
    let (epoch, ours) = evidence_of(&disk, Entropy::System);
    let (epoch_of_copy, theirs) = evidence_of(&copy, Entropy::System);
    assert_eq!(epoch, epoch_of_copy);
    assert_ne!(
        ours, theirs,
        "the same text under the same epoch and sequence"
    );
    assert_ne!(ours, vec![0; 64]);
}

#[test]
fn restarts_without_records_do_not_use_the_disk_up() {
    let disk = MemoryMedium::new();
    drop(open(&disk));
    for round in 2..200 {
        let (log, recovery) = open(&disk);
        assert_eq!((recovery.epoch, recovery.last_sequence), (round, 0));
        drop(log);
        assert_eq!(segments(&disk).len(), 1);
    }
    let (mut log, _) = open(&disk);
    append(&mut log, 3);
    assert_eq!(check_readable(&log.reader()), 3);
    drop(log);
    // The same in a journal's second segment.
    let (mut log, _) = open(&disk);
    while segments(&disk).len() < 2 {
        append(&mut log, 1);
    }
    let last = log.durable_upto();
    drop(log);
    for _ in 0..150 {
        assert_eq!(open(&disk).1.last_sequence, last);
    }
    let (log, _) = open(&disk);
    assert_eq!(check_readable(&log.reader()), last);
}

#[test]
fn tools_do_not_make_folders() {
    let folder = tempfile::tempdir().expect("a folder is made");
    let path = folder.path().join("a/b/journal");
    let error = FileMedium::open_existing(&path).expect_err("it is not there");
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
    assert!(!folder.path().join("a").exists());
    FileMedium::open(&path).expect("it is made");
    FileMedium::open_existing(&path).expect("it is there");
    std::fs::write(path.join("file"), b"").expect("the file is written");
    FileMedium::open_existing(&path.join("file")).expect_err("it is no folder");
    FileMedium::open(&path.join("file")).expect_err("it is no folder");
}

#[test]
fn real_files_behave_as_the_medium_promises() {
    let folder = tempfile::tempdir().expect("a folder is made");
    let medium = FileMedium::open(folder.path()).expect("the folder opens");
    let file = medium.create("a", 100).expect("the file is made");
    assert_eq!(
        medium.create("a", 1).expect_err("it exists").kind(),
        std::io::ErrorKind::AlreadyExists
    );
    assert_eq!(file.bytes().expect("it has a length"), 100);
    file.write_at(b"bytes", 97 - 5).expect("it is written");
    file.sync().expect("it is synced");
    medium.create("b", 1).expect("the file is made");
    medium
        .rename("a", "b")
        .expect("it is renamed, over the other");
    medium.sync_dir().expect("the folder is synced");
    assert_eq!(medium.list().expect("the folder is listed"), ["b"]);
    let file = medium.open("b").expect("it is there");
    let mut read = [7; 12];
    assert_eq!(
        file.read_at(&mut read, 92).expect("it is read"),
        8,
        "no further than the end"
    );
    assert_eq!(&read[..8], b"bytes\0\0\0");
    medium.remove("b").expect("it is removed");
    assert_eq!(
        medium.open("b").expect_err("it is gone").kind(),
        std::io::ErrorKind::NotFound
    );
}
