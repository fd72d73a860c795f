//! Sealed segments leave the journal's folder and the rest still verifies.

use super::bed::{append, check_readable, check_record, medium, open, open_with, segments, small};
use crate::{
    Bound, Depth, Fault, Folders, JournalError, Log, MemoryMedium, Reader, RecordStream, dump,
    stat, verify,
};
use std::ops::ControlFlow;
use std::sync::Arc;

const ALL: Bound = Bound {
    sequence: u64::MAX,
    time: u64::MAX,
};

/// A journal of 150 records over several segments, and an empty archive.
fn journal() -> (MemoryMedium, MemoryMedium, Folders) {
    let (disk, archive) = (MemoryMedium::new(), MemoryMedium::new());
    let (mut log, _) = open(&disk);
    (0..50).for_each(|_| append(&mut log, 3));
    log.witness().expect("the witness is written");
    let folders = folders(&disk, &archive);
    (disk, archive, folders)
}

fn folders(disk: &MemoryMedium, archive: &MemoryMedium) -> Folders {
    Folders {
        journal: medium(disk),
        archive: Some(medium(archive)),
    }
}

fn nothing(_: &crate::Sealed) {}

#[test]
fn moved_segments_are_read_verified_and_written_on_behind() {
    let (disk, archive, folders) = journal();
    let before = segments(&disk);
    let sealed = folders.sealed().expect("listed");
    assert_eq!(sealed.len() + 1, before.len());
    let moved = folders.archive(&ALL, &mut nothing).expect("moved");
    assert_eq!(moved, sealed);
    assert_eq!(segments(&archive), before[..before.len() - 1]);
    assert_eq!(segments(&disk), before[before.len() - 1..]);
    assert!(
        folders
            .sealed()
            .expect("listed")
            .iter()
            .all(|sealed| sealed.archived)
    );

    let joined = folders.joined();
    let report = verify(&*joined, None, &mut |_| {}).expect("verified");
    assert_eq!((report.records, report.damage), (150, None));
    assert_eq!(stat(&*joined).expect("listed").segments.len(), before.len());
    let mut shown = 0;
    dump(&joined, None, 1..=u64::MAX, &mut |_| {
        shown += 1;
        ControlFlow::Continue(())
    })
    .expect("read out");
    assert_eq!(shown, 150);

    let (mut log, recovery) = Log::open(Arc::clone(&joined), small()).expect("opens");
    assert_eq!((recovery.first_sequence, recovery.last_sequence), (1, 150));
    (0..20).for_each(|_| append(&mut log, 3));
    assert_eq!(check_readable(&log.reader()), 210);
    let again = folders.archive(&ALL, &mut nothing).expect("moved");
    assert!(!again.is_empty(), "what was sealed since");
}

#[test]
fn without_the_archive_the_rest_still_verifies() {
    let (disk, _, folders) = journal();
    folders.archive(&ALL, &mut nothing).expect("moved");
    let report = verify(&disk, None, &mut |_| {}).expect("verified");
    assert_eq!(report.damage, None);
    assert!(report.first_sequence > 1);
    let (log, recovery) = open(&disk);
    assert_eq!(recovery.last_sequence, 150);
    let refused = log.reader().read_record(1).expect_err("not there");
    let JournalError::Expired { sequence: 1, first } = refused else {
        panic!("{refused}")
    };
    assert_eq!(first, report.first_sequence);
}

#[test]
fn a_running_journal_reads_what_moves_and_says_what_expired() {
    let (disk, archive) = (MemoryMedium::new(), MemoryMedium::new());
    let folders = folders(&disk, &archive);
    let (mut log, _) = Log::open(folders.joined(), small()).expect("opens");
    (0..50).for_each(|_| append(&mut log, 3));
    let reader = log.reader();
    let mut cursor = reader.read_from(1, Depth::Facts).expect("begins");
    cursor.next().expect("sound").expect("durable");
    folders
        .archive(&ALL, &mut |_| reader.close_files())
        .expect("moved");
    assert_eq!(check_readable(&reader), 150);

    let sealed = folders.sealed().expect("listed");
    let third = sealed.get(2).expect("three segments at least");
    let bound = Bound {
        sequence: third.last_sequence,
        time: third.last_time,
    };
    let mut kept_from = 0;
    let gone = folders
        .expire(&bound, &mut |first| {
            kept_from = first;
            reader.forget_before(first);
        })
        .expect("expired");
    assert_eq!(
        gone,
        sealed[..2],
        "the third has a record that is not before the time"
    );
    assert_eq!(kept_from, third.first_sequence);
    assert_eq!(segments(&archive)[0], third.name);
    let refused = reader.read_record(kept_from - 1).expect_err("expired");
    assert!(
        refused
            .to_string()
            .contains(&format!("begins at record {kept_from}")),
        "{refused}"
    );
    let record = reader.read_record(kept_from).expect("read").expect("there");
    check_record(&record, kept_from);
    let report = verify(&*folders.joined(), None, &mut |_| {}).expect("verified");
    assert_eq!(
        (report.first_sequence, report.last_sequence, report.damage),
        (kept_from, 150, None)
    );
}

#[test]
fn the_bound_keeps_what_is_needed_and_the_last_segment_always_stays() {
    let (_, _, folders) = journal();
    let sealed = folders.sealed().expect("listed");
    let second = &sealed[1];
    for (bound, leave) in [
        (
            Bound {
                sequence: second.last_sequence - 1,
                time: u64::MAX,
            },
            1,
        ),
        (
            Bound {
                sequence: second.last_sequence,
                time: u64::MAX,
            },
            2,
        ),
        (
            Bound {
                sequence: u64::MAX,
                time: sealed[0].last_time,
            },
            0,
        ),
        (ALL, sealed.len()),
    ] {
        let (_, archive, fresh) = journal();
        let gone = fresh.expire(&bound, &mut |_| {}).expect("expired");
        assert_eq!(gone.len(), leave, "{bound:?}");
        assert!(segments(&archive).is_empty());
        let report = verify(&*fresh.joined(), None, &mut |_| {}).expect("verified");
        assert_eq!((report.damage, report.last_sequence), (None, 150));
    }
}

#[test]
fn a_damaged_source_is_not_moved() {
    let (disk, archive, folders) = journal();
    let name = segments(&disk)[1].clone();
    assert!(disk.flip_bit(&name, 5_000, 3));
    let mut moved = Vec::new();
    let refused = folders
        .archive(&ALL, &mut |sealed| moved.push(sealed.name.clone()))
        .expect_err("damaged");
    let JournalError::Damaged(damage) = refused else {
        panic!("{refused}")
    };
    assert_eq!(damage.segment, name);
    assert_eq!(moved, segments(&archive), "only sound ones are there");
    assert!(segments(&disk).contains(&name));
}

#[test]
fn a_gap_that_is_not_at_the_beginning_is_damage() {
    let (_, archive, folders) = journal();
    folders.archive(&ALL, &mut nothing).expect("moved");
    let name = segments(&archive)[1].clone();
    crate::Medium::remove(&archive, &name).expect("removed");
    let refused = verify(&*folders.joined(), None, &mut |_| {})
        .expect("runs")
        .damage
        .expect("damaged");
    assert!(matches!(refused.fault, Fault::SegmentMissing { .. }));
}

#[test]
fn power_off_at_every_operation_of_a_move_loses_nothing() {
    let mut operations = 1;
    loop {
        let (disk, archive, folders) = journal();
        archive.power_off_after(operations);
        let finished = folders.archive(&ALL, &mut nothing).is_ok();
        for one in [&disk, &archive] {
            one.crash(operations);
        }
        let folders = self::folders(&disk, &archive);
        let reader = Reader::open(
            folders.joined(),
            Some(crate::EvidenceKey::new(super::bed::KEY)),
        )
        .expect("whole")
        .expect("a journal");
        assert_eq!(
            check_readable(&reader),
            150,
            "after {operations} operations"
        );
        folders.archive(&ALL, &mut nothing).expect("goes on");
        assert_eq!(segments(&disk).len(), 1);
        if finished {
            break;
        }
        operations += 1;
    }
    assert!(operations > 10, "the power went off {operations} times");
}

#[test]
fn power_off_at_every_removal_leaves_a_journal_without_gaps() {
    for operations in 1..12 {
        let (disk, _, folders) = journal();
        disk.power_off_after(operations);
        let _ = folders.expire(&ALL, &mut |_| {});
        disk.crash(operations);
        let (log, recovery) = open_with(&disk, small());
        assert_eq!(recovery.last_sequence, 150);
        assert!(log.reader().read_record(150).expect("read").is_some());
    }
}

#[test]
fn tools_keep_off_a_journal_that_a_switch_has_open() {
    let (disk, archive) = (MemoryMedium::new(), MemoryMedium::new());
    let folders = folders(&disk, &archive);
    let (log, _) = Log::open(folders.joined(), small()).expect("opens");
    assert!(matches!(folders.lock(), Err(JournalError::Locked)));
    drop(log);
    folders.lock().expect("free");
}
