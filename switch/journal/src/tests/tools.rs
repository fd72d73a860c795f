//! Verification, statistics, reading out, redaction.

use super::bed::{KEY, append, check_record, medium, open, sample, segments, small};
use crate::{
    Evidence, EvidenceKey, JournalError, LogEnd, MemoryMedium, Options, Reader, dump, redact, stat,
    verify,
};
use std::ops::ControlFlow;

/// A journal of 120 records over several segments, ended by a witness, reopened once.
fn journal() -> MemoryMedium {
    let disk = MemoryMedium::new();
    let (mut log, _) = open(&disk);
    (0..20).for_each(|_| append(&mut log, 3));
    drop(log);
    let (mut log, _) = open(&disk);
    (0..20).for_each(|_| append(&mut log, 3));
    log.witness().expect("the witness is written");
    drop(log);
    disk
}

#[test]
fn verification_counts() {
    let disk = journal();
    let report =
        verify(&disk, Some(&EvidenceKey::new(KEY)), &mut |_| {}).expect("verification runs");
    assert_eq!(
        (report.first_sequence, report.last_sequence, report.records),
        (1, 120, 120)
    );
    assert_eq!((report.own_records, report.groups), (2, 42));
    assert_eq!(
        (report.first_time, report.last_time),
        (sample(1).meta.time, sample(120).meta.time)
    );
    let facts: usize = (1..=120).map(|sequence| sample(sequence).facts.len()).sum();
    assert_eq!(report.facts_bytes, facts as u64);
    let with_evidence = (1..=120)
        .filter(|&sequence| !sample(sequence).evidence.is_empty())
        .count();
    assert_eq!(
        (report.evidence_opened, report.redacted),
        (with_evidence as u64, 0)
    );
    assert_eq!(
        (report.end.clone(), report.damage.clone()),
        (LogEnd::Whole, None)
    );
    assert_eq!(report.segments, segments(&disk).len() as u64);
    let shown = report.to_string();
    assert!(
        shown.contains("120 (1 to 120)") && shown.ends_with("verdict    whole"),
        "{shown}"
    );
    let wrong = verify(&disk, Some(&EvidenceKey::new([1; 32])), &mut |_| {});
    assert!(matches!(wrong, Err(JournalError::KeyMismatch { .. })));
}

#[test]
fn verification_of_an_empty_folder() {
    let report = verify(&MemoryMedium::new(), None, &mut |_| {}).expect("verification runs");
    assert_eq!(
        (report.segments, report.records, report.damage),
        (0, 0, None)
    );
}

#[test]
fn verification_tells_torn_and_damaged_places() {
    let disk = journal();
    let last = segments(&disk).pop().expect("there are segments");
    disk.overwrite(&last, (16 << 10) - 64, b"left over");
    let report = verify(&disk, None, &mut |_| {}).expect("verification runs");
    assert!(
        matches!(&report.end, LogEnd::Torn(torn) if torn.segment == last),
        "{report:?}"
    );
    assert_eq!((report.records, &report.damage), (120, &None));
    assert!(report.to_string().contains("torn write in segment"));
    let first = segments(&disk).remove(0);
    disk.flip_bit(&first, 5000, 0);
    let report = verify(&disk, None, &mut |_| {}).expect("verification runs");
    let damage = report.damage.clone().expect("the damage is found");
    assert_eq!(damage.segment, first);
    assert!(report.records < 60, "counts stop at the damage");
    assert!(report.to_string().contains(&format!(
        "damaged: segment {first} offset {}",
        damage.offset
    )));
}

#[test]
fn verification_of_a_running_journal_leaves_its_end_alone() {
    let disk = journal();
    let (mut log, _) = open(&disk);
    let mut batch = log.batch();
    super::bed::push(&mut batch, 121);
    log.append(std::slice::from_mut(&mut batch))
        .expect("the group is written");
    let last = segments(&disk).pop().expect("there are segments");
    disk.overwrite(&last, (16 << 10) - 64, b"being written");
    let report = verify(&disk, None, &mut |_| {}).expect("verification runs");
    assert_eq!((report.end, report.damage), (LogEnd::Live, None));
    assert!(stat(&disk).expect("it is read").live);
}

#[test]
fn verification_shows_progress() {
    let disk = MemoryMedium::new();
    let large = || Options {
        segment_bytes: 24 << 20,
        ..small()
    };
    let (mut log, _) = super::bed::open_with(
        &disk,
        Options {
            batch_bytes_max: 4 << 20,
            group_bytes_max: 8 << 20,
            ..large()
        },
    );
    for sequence in 1..=10 {
        let mut batch = log.batch();
        let meta = crate::RecordMeta {
            kind: 0x10,
            sequence,
            time: sequence,
            rules_version: 1,
        };
        batch
            .push(meta, &vec![1; 3 << 20], b"")
            .expect("there is room");
        log.append(std::slice::from_mut(&mut batch))
            .expect("the group is written");
        log.sync().expect("the group is synced");
    }
    drop(log);
    let mut seen = Vec::new();
    verify(&disk, None, &mut |progress| seen.push(progress)).expect("verification runs");
    assert!(!seen.is_empty());
    assert!(
        seen.iter()
            .all(|progress| progress.bytes_done < progress.bytes_total
                && progress.bytes_total == 48 << 20)
    );
    assert!(seen.is_sorted_by_key(|progress| progress.bytes_done));
}

#[test]
fn statistics() {
    let disk = journal();
    let report = stat(&disk).expect("it is read");
    assert_eq!(
        (report.last_sequence, report.epoch, report.live),
        (120, 2, false)
    );
    assert_eq!(report.last_time, sample(120).meta.time);
    assert_eq!(
        report
            .segments
            .iter()
            .map(|segment| segment.records)
            .sum::<u64>(),
        120
    );
    let names: Vec<_> = report
        .segments
        .iter()
        .map(|segment| segment.name.clone())
        .collect();
    assert_eq!(names, segments(&disk));
    let last = report.segments.last().expect("there are segments");
    assert_eq!(
        (
            last.writer.as_str(),
            last.evidence_sealed,
            last.segment_bytes
        ),
        ("test 1", true, 16 << 10)
    );
    assert_eq!(last.number, report.segments.len() as u64);
    assert!(report.to_string().ends_with(&format!(
        "last sequence 120 at {} ns since 1970, epoch 2",
        sample(120).meta.time
    )));
    assert_eq!(
        stat(&MemoryMedium::new()).expect("it is read").segments,
        Vec::new()
    );
}

#[test]
fn reading_out() {
    let disk = journal();
    let read_out = |range, limit: usize| {
        let mut seen = Vec::new();
        let outcome = dump(
            &medium(&disk),
            Some(&EvidenceKey::new(KEY)),
            range,
            &mut |record| {
                seen.push(record.to_owned());
                if seen.len() == limit {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            },
        );
        (seen, outcome)
    };
    let (seen, outcome) = read_out(40..=60, usize::MAX);
    outcome.expect("all is sound");
    assert_eq!(seen.len(), 21);
    seen.iter()
        .zip(40..)
        .for_each(|(record, sequence)| check_record(record, sequence));
    assert_eq!(read_out(0..=u64::MAX, usize::MAX).0.len(), 120);
    assert_eq!(read_out(1..=u64::MAX, 5).0.len(), 5);
    assert_eq!(read_out(500..=600, usize::MAX).0.len(), 0);
    // The end is damaged: what is sound is shown, and then the damage.
    let last = segments(&disk).pop().expect("there are segments");
    let bytes = disk.contents(&last).expect("the segment is there");
    let mut places = (4096..bytes.len())
        .step_by(8)
        .filter(|&at| bytes[at..].starts_with(b"TjR\x01"));
    disk.flip_bit(
        &last,
        places.next().expect("there are records") as u64 + 50,
        0,
    );
    let (seen, outcome) = read_out(1..=u64::MAX, usize::MAX);
    assert!(matches!(outcome, Err(JournalError::Damaged(damage)) if damage.segment == last));
    assert!(seen.len() > 80 && seen.len() < 120, "{}", seen.len());
    assert!(
        dump(&medium(&MemoryMedium::new()), None, 1..=2, &mut |_| {
            ControlFlow::Continue(())
        })
        .is_ok()
    );
}

#[test]
fn redaction_erases_evidence_and_keeps_the_chain() {
    let disk = journal();
    let sequence = (5..)
        .find(|&sequence| sample(sequence).evidence.len() > 40)
        .expect("one has evidence");
    let before = disk
        .contents(&segments(&disk)[0])
        .expect("the segment is there");
    redact(&disk, sequence).expect("it is redacted");
    redact(&disk, sequence).expect("twice is no error");
    let after = disk
        .contents(&segments(&disk)[0])
        .expect("the segment is there");
    let changed = before
        .iter()
        .zip(&after)
        .filter(|(old, new)| old != new)
        .count();
    assert!(
        changed > 0 && changed <= sample(sequence).evidence.len() + 16,
        "{changed}"
    );
    let report =
        verify(&disk, Some(&EvidenceKey::new(KEY)), &mut |_| {}).expect("verification runs");
    assert_eq!(
        (report.redacted, report.damage, report.end),
        (1, None, LogEnd::Whole)
    );
    let (log, recovery) = open(&disk);
    assert_eq!(recovery.last_sequence, 120);
    let record = log
        .reader()
        .read_record(sequence)
        .expect("it is sound")
        .expect("it is durable");
    assert_eq!(
        (record.facts, record.evidence),
        (sample(sequence).facts, Evidence::Redacted)
    );
    check_record(
        &log.reader()
            .read_record(sequence + 1)
            .expect("it is sound")
            .expect("it is durable"),
        sequence + 1,
    );
    assert!(matches!(redact(&disk, sequence), Err(JournalError::Locked)));
}

#[test]
fn redaction_is_refused_where_it_cannot_be_done() {
    let disk = journal();
    let none = (1..)
        .find(|&sequence| sample(sequence).evidence.is_empty())
        .expect("one has no evidence");
    for sequence in [none, 120, 500] {
        let refused = redact(&disk, sequence);
        assert!(
            matches!(refused, Err(JournalError::NotRedactable { sequence: named, .. }) if named == sequence)
        );
    }
    assert!(redact(&disk, 0).is_err());
}

#[test]
fn redaction_survives_a_power_failure_at_every_operation() {
    let sequence = (5..)
        .find(|&sequence| sample(sequence).evidence.len() > 40)
        .expect("one has evidence");
    let whole = journal();
    for at in 1..5 {
        for seed in 0..8 {
            let disk = whole.fork();
            disk.power_off_after(at);
            assert_eq!(redact(&disk, sequence).is_ok(), at == 5, "operation {at}");
            disk.crash(seed);
            let report = verify(&disk, None, &mut |_| {}).expect("verification runs");
            assert_eq!(report.damage, None, "half erased is not damaged");
            redact(&disk, sequence).expect("the second time finishes the first");
            let report = verify(&disk, None, &mut |_| {}).expect("verification runs");
            assert_eq!((report.redacted, report.damage), (1, None));
            let key = Some(EvidenceKey::new(KEY));
            let reader = Reader::open(medium(&disk), key)
                .expect("it opens")
                .expect("it is there");
            let record = reader
                .read_record(sequence)
                .expect("it is sound")
                .expect("it is durable");
            assert_eq!(record.evidence, Evidence::Redacted);
        }
    }
}
