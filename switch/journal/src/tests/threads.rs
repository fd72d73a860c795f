//! The journal in its thread, and the one that is driven step by step.

use super::bed::{check_readable, medium, open, push, sample, segments};
use crate::prepare::is_standby;
use crate::{
    AppendRefused, Batch, FileMedium, Journal, JournalError, Log, LogEnd, Medium, MemoryMedium,
    Options, Prepared, Step, SteppedJournal, ThreadOptions, ThreadedJournal, Ticket, verify,
};
use crossbeam::channel::{Receiver, unbounded};
use std::sync::Arc;
use std::time::Duration;

fn start(disk: &MemoryMedium, options: ThreadOptions) -> (ThreadedJournal, Receiver<u64>) {
    start_log(open(disk).0, options)
}

fn start_log(log: Log, options: ThreadOptions) -> (ThreadedJournal, Receiver<u64>) {
    let (woken, wakes) = unbounded();
    let wake = Box::new(move |durable| {
        let _ = woken.send(durable);
    });
    (
        ThreadedJournal::start(log, options, wake).expect("the threads start"),
        wakes,
    )
}

/// Every group goes behind one that is being synced, if it fits into the segment.
fn overlapping() -> Options {
    Options {
        overlap_bytes: 1,
        ..super::bed::small()
    }
}

fn filled(journal: &mut impl Journal, sequences: std::ops::Range<u64>) -> Batch {
    let mut batch = journal.batch();
    assert!(batch.is_empty());
    sequences.for_each(|sequence| push(&mut batch, sequence));
    batch
}

/// Waits for the journal to say that a sequence is durable.
fn await_durable(wakes: &Receiver<u64>, sequence: u64) {
    while wakes.recv().expect("the journal lives") < sequence {}
}

#[test]
fn what_is_told_durable_is_durable() {
    let disk = MemoryMedium::new();
    let (mut journal, wakes) = start(&disk, ThreadOptions::default());
    for first in (1..400).step_by(4) {
        let batch = filled(&mut journal, first..first + 4);
        assert_eq!(
            journal.append(batch).expect("the journal lives"),
            Ticket(first + 3)
        );
    }
    await_durable(&wakes, 400);
    assert_eq!(journal.durable_upto(), 400);
    assert_eq!(check_readable(&journal.reader()), 400);
    // What a power failure leaves of the disk at this moment.
    let after = disk.fork();
    after.crash(1);
    assert_eq!(open(&after).1.last_sequence, 400);
    journal.close().expect("nothing failed");
}

#[test]
fn what_is_told_durable_during_other_syncs_is_durable() {
    let disk = MemoryMedium::new();
    let (log, _) = super::bed::open_with(&disk, overlapping());
    let (mut journal, wakes) = start_log(log, ThreadOptions::default());
    let mut told = 0;
    for round in 0..60 {
        for first in (round * 20 + 1..round * 20 + 21).step_by(2) {
            let batch = filled(&mut journal, first..first + 2);
            journal.append(batch).expect("the journal lives");
        }
        // What a power failure leaves of the disk at any moment holds all that was told before it.
        told = wakes.try_iter().last().unwrap_or(told);
        let after = disk.fork();
        after.crash(round);
        let last = open(&after).1.last_sequence;
        assert!(last >= told, "told {told}, left {last}");
    }
    await_durable(&wakes, 1200);
    assert_eq!(check_readable(&journal.reader()), 1200);
    journal.close().expect("nothing failed");
    assert_eq!(open(&disk).1.last_sequence, 1200);
}

/// The lags of all records in the log.
fn lags(disk: &MemoryMedium) -> std::collections::BTreeSet<u8> {
    let mut lags = std::collections::BTreeSet::new();
    for segment in segments(disk) {
        let bytes = disk.contents(&segment).expect("the segment is there");
        let heads = (4096..bytes.len()).step_by(8);
        let records = heads.filter(|&at| bytes[at..].starts_with(b"TjR\x01"));
        lags.extend(records.map(|at| bytes[at + 7]));
    }
    lags
}

#[test]
fn only_groups_written_during_a_sync_say_so() {
    let disk = MemoryMedium::new();
    let (mut journal, _wakes) = start(&disk, ThreadOptions::default());
    for sequence in 1..=500 {
        let batch = filled(&mut journal, sequence..sequence + 1);
        journal.append(batch).expect("the journal lives");
    }
    journal.close().expect("nothing failed");
    assert!(lags(&disk).iter().eq(&[0]), "small groups wait");

    // Overlapping is a matter of time: goes on until it was seen, in a journal that ends when it never is.
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..1000 {
        let disk = MemoryMedium::new();
        let (log, _) = super::bed::open_with(&disk, overlapping());
        let (mut journal, _wakes) = start_log(log, ThreadOptions::default());
        for sequence in 1..=100 {
            let batch = filled(&mut journal, sequence..sequence + 1);
            journal.append(batch).expect("the journal lives");
        }
        journal.close().expect("nothing failed");
        seen.extend(lags(&disk));
        if seen.len() > 1 {
            break;
        }
    }
    assert!(seen.iter().eq(&[0, 1]), "{seen:?}");
}

#[test]
fn a_sync_that_fails_beside_another_closes_the_journal() {
    for nth in 1..12 {
        let disk = MemoryMedium::new();
        let (log, _) = super::bed::open_with(&disk, overlapping());
        let (mut journal, wakes) = start_log(log, ThreadOptions::default());
        disk.fail_sync(nth);
        let mut hit_preparer = 0;
        let mut sequence = 1;
        let mut batch = journal.batch();
        push(&mut batch, sequence);
        while journal.append(batch).is_ok() {
            // The preparer tries again; the log has to meet a failure.
            let failed = journal.preparations().1;
            if failed > hit_preparer {
                hit_preparer = failed;
                disk.fail_sync(nth);
            }
            sequence += 1;
            batch = journal.batch();
            push(&mut batch, sequence);
        }
        let told = wakes.iter().last().unwrap_or(0);
        assert!(journal.failure().is_some());
        assert_eq!(journal.durable_upto(), told);
        drop(journal);
        disk.crash(nth);
        assert!(open(&disk).1.last_sequence >= told, "failure {nth}");
    }
}

#[test]
fn groups_gather_what_waits() {
    let folder = tempfile::tempdir().expect("a folder is made");
    let real = Arc::new(FileMedium::open(folder.path()).expect("the folder opens"));
    let (log, _) = crate::Log::open(real, overlapping()).expect("the journal opens");
    let mut journal = ThreadedJournal::start(log, ThreadOptions::default(), Box::new(|_| {}))
        .expect("the threads start");
    for sequence in 1..=3000 {
        let batch = filled(&mut journal, sequence..sequence + 1);
        journal.append(batch).expect("the journal lives");
    }
    let metrics = Arc::clone(journal.metrics());
    let reader = journal.reader();
    journal.close().expect("nothing failed");
    assert_eq!(check_readable(&reader), 3000);
    let counted = metrics.snapshot();
    assert_eq!(counted.records, 3000);
    assert!(counted.groups < 3000, "{counted:?}");
    assert!(
        counted.segments_begun > 10 && counted.bytes > 0 && counted.witnesses > 0,
        "{counted:?}"
    );
    assert!(
        counted.sync_nanos >= counted.sync_nanos_max && counted.sync_nanos_max > 0,
        "{counted:?}"
    );
}

#[test]
fn spent_batches_come_back() {
    let disk = MemoryMedium::new();
    let (mut journal, wakes) = start(&disk, ThreadOptions::default());
    let batch = filled(&mut journal, 1..5);
    journal.append(batch).expect("the journal lives");
    await_durable(&wakes, 4);
    // The batch comes back right after the wake; the next group's wake is surely later.
    let batch = filled(&mut journal, 5..6);
    journal.append(batch).expect("the journal lives");
    await_durable(&wakes, 5);
    assert!(journal.batch().capacity() > 0, "it was used before");
}

#[test]
fn an_idle_journal_writes_a_witness_once() {
    let disk = MemoryMedium::new();
    let (mut journal, wakes) = start(
        &disk,
        ThreadOptions {
            witness_after: Duration::from_millis(1),
            ..Default::default()
        },
    );
    let batch = filled(&mut journal, 1..3);
    journal.append(batch).expect("the journal lives");
    await_durable(&wakes, 2);
    while journal.metrics().snapshot().witnesses == 0 {
        std::thread::yield_now();
    }
    let metrics = Arc::clone(journal.metrics());
    journal.close().expect("nothing failed");
    assert_eq!(metrics.snapshot().witnesses, 1);
    assert_eq!(
        verify(&disk, None, &mut |_| {})
            .expect("verification runs")
            .own_records,
        1
    );
}

#[test]
fn closing_makes_the_rest_durable() {
    let disk = MemoryMedium::new();
    let (mut journal, _wakes) = start(
        &disk,
        ThreadOptions {
            witness_after: Duration::from_secs(3600),
            ..Default::default()
        },
    );
    for sequence in 1..=50 {
        let batch = filled(&mut journal, sequence..sequence + 1);
        journal.append(batch).expect("the journal lives");
    }
    drop(journal);
    disk.crash(5);
    let report = verify(&disk, None, &mut |_| {}).expect("verification runs");
    assert_eq!(
        (report.records, report.own_records, report.end),
        (50, 1, LogEnd::Whole)
    );
}

#[test]
fn a_failed_sync_closes_the_journal() {
    let disk = MemoryMedium::new();
    let (mut journal, wakes) = start(&disk, ThreadOptions::default());
    let batch = filled(&mut journal, 1..3);
    journal.append(batch).expect("the journal lives");
    await_durable(&wakes, 2);
    // Everything from here on fails, whichever sync comes first.
    disk.set_capacity(Some(0));
    disk.power_off_after(1);
    let batch = filled(&mut journal, 3..5);
    journal.append(batch).expect("it is queued");
    while journal.failure().is_none() {
        wakes
            .recv()
            .expect("the journal wakes its owner when it fails");
    }
    assert_eq!(journal.durable_upto(), 2);
    let batch = filled(&mut journal, 5..6);
    assert!(matches!(
        journal.append(batch),
        Err(JournalError::Fenced { .. })
    ));
    let batch = filled(&mut journal, 5..6);
    assert!(matches!(
        journal.try_append(batch),
        Err(AppendRefused::Failed(JournalError::Fenced { .. }))
    ));
    assert!(matches!(journal.close(), Err(JournalError::Fenced { .. })));
}

#[test]
fn a_full_queue_gives_the_batch_back() {
    let disk = MemoryMedium::new();
    let (log, _) = open(&disk);
    // The wake holds the journal's thread until the test lets it go.
    let (go, held) = unbounded::<()>();
    let (entered, entries) = unbounded();
    let wake = Box::new(move |durable: u64| {
        let _ = entered.send(durable);
        let _ = held.recv();
    });
    let options = ThreadOptions {
        queue_batches: 1,
        ..ThreadOptions::default()
    };
    let mut journal = ThreadedJournal::start(log, options, wake).expect("the threads start");
    let batch = filled(&mut journal, 1..2);
    journal.append(batch).expect("the journal lives");
    entries.recv().expect("the first group is durable");
    let batch = filled(&mut journal, 2..3);
    journal.try_append(batch).expect("one may wait");
    let batch = filled(&mut journal, 3..4);
    let Err(AppendRefused::Full(batch)) = journal.try_append(batch) else {
        panic!("the queue is full")
    };
    assert_eq!(batch.first_sequence(), Some(3));
    drop(go);
    journal.append(batch).expect("it waits for room");
    let reader = journal.reader();
    journal.close().expect("nothing failed");
    assert_eq!(check_readable(&reader), 3);
}

#[test]
fn a_panic_in_the_thread_is_a_failure() {
    let disk = MemoryMedium::new();
    let (log, _) = open(&disk);
    let (woken, wakes) = unbounded();
    let wake = Box::new(move |durable: u64| {
        let _ = woken.send(durable);
        assert!(durable != 1, "the first wake breaks");
    });
    let mut journal =
        ThreadedJournal::start(log, ThreadOptions::default(), wake).expect("the threads start");
    let mut later = journal.batch();
    push(&mut later, 2);
    let batch = filled(&mut journal, 1..2);
    journal.append(batch).expect("the journal lives");
    let _ = wakes.recv();
    // The sender dies with the thread.
    while wakes.recv().is_ok() {}
    assert!(journal.failure().is_some());
    assert!(journal.append(later).is_err());
}

#[test]
fn steps_do_one_thing_each() {
    let disk = MemoryMedium::new();
    let (log, _) = open(&disk);
    let mut journal = SteppedJournal::new(log);
    let empty = journal.batch();
    assert_eq!(
        journal.append(empty).expect("an empty batch is nothing"),
        Ticket(0)
    );
    let batch = filled(&mut journal, 1..3);
    assert_eq!(journal.append(batch).expect("it is queued"), Ticket(2));
    let batch = filled(&mut journal, 3..5);
    journal.append(batch).expect("it is queued");
    assert_eq!(journal.durable_upto(), 0);
    assert_eq!(
        journal.step().expect("nothing fails"),
        Step::Wrote(Ticket(4))
    );
    let batch = filled(&mut journal, 5..6);
    journal.append(batch).expect("it is queued");
    assert_eq!(journal.durable_upto(), 0);
    assert_eq!(journal.step().expect("nothing fails"), Step::Synced(4));
    assert_eq!(journal.durable_upto(), 4);
    assert_eq!(
        journal.step().expect("nothing fails"),
        Step::Wrote(Ticket(5))
    );
    assert_eq!(journal.step().expect("nothing fails"), Step::Synced(5));
    assert_eq!(journal.step().expect("nothing fails"), Step::Witnessed);
    assert_eq!(journal.step().expect("nothing fails"), Step::Prepared);
    assert_eq!(journal.step().expect("nothing fails"), Step::Idle);
    let names = disk.list().expect("the folder is listed");
    assert!(
        names.iter().any(|name| is_standby(name)),
        "the next segment is ready"
    );
    let record = journal
        .read_record(5)
        .expect("it is sound")
        .expect("it is durable");
    super::bed::check_record(&record, 5);
    let mut stream = journal
        .read_from(1, crate::Depth::Facts)
        .expect("reading begins");
    assert_eq!(
        stream
            .next()
            .expect("it is sound")
            .expect("it is durable")
            .meta,
        sample(1).meta
    );
    disk.fail_sync(1);
    let batch = filled(&mut journal, 6..7);
    journal.append(batch).expect("it is queued");
    assert_eq!(
        journal.step().expect("the write succeeds"),
        Step::Wrote(Ticket(6))
    );
    assert!(journal.step().is_err());
    assert!(journal.failure().is_some());
    let batch = filled(&mut journal, 7..8);
    assert!(matches!(
        journal.append(batch),
        Err(JournalError::Fenced { .. })
    ));
}

#[test]
fn a_large_group_is_written_before_the_one_ahead_is_synced() {
    let disk = MemoryMedium::new();
    let (log, _) = super::bed::open_with(&disk, overlapping());
    let mut journal = SteppedJournal::new(log);
    let mut expected = Vec::new();
    for sequence in 1..=3 {
        let batch = filled(&mut journal, sequence..sequence + 1);
        journal.append(batch).expect("it is queued");
        expected.push(journal.step().expect("nothing fails"));
    }
    let batch = filled(&mut journal, 4..5);
    journal.append(batch).expect("it is queued");
    for _ in 0..3 {
        expected.push(journal.step().expect("nothing fails"));
    }
    assert_eq!(
        expected,
        [
            Step::Wrote(Ticket(1)),
            Step::Wrote(Ticket(2)),
            Step::Synced(2),
            Step::Wrote(Ticket(4)),
            Step::Synced(4),
            Step::Witnessed,
        ]
    );
}

#[test]
fn stepped_and_threaded_write_the_same_log() {
    let run = |threaded: bool| {
        let disk = MemoryMedium::new();
        let (log, _) =
            crate::Log::open(medium(&disk), super::bed::small()).expect("the journal opens");
        let mut journal: Box<dyn Journal> = if threaded {
            Box::new(
                ThreadedJournal::start(log, ThreadOptions::default(), Box::new(|_| {}))
                    .expect("the threads start"),
            )
        } else {
            Box::new(SteppedJournal::new(log))
        };
        let mut batch = journal.batch();
        (1..6).for_each(|sequence| push(&mut batch, sequence));
        journal.append(batch).expect("it is queued");
        drop(journal);
        (disk, threaded)
    };
    let (threaded, _) = run(true);
    let (stepped, _) = run(false);
    assert_eq!(segments(&threaded), segments(&stepped));
    assert_eq!(open(&threaded).1.last_sequence, 5);
    assert_eq!(
        open(&stepped).1.last_sequence,
        0,
        "nobody stepped, nothing was written"
    );
}

#[test]
fn a_full_disk_closes_the_journal_when_the_segment_is_used_up() {
    let disk = MemoryMedium::new();
    let (mut journal, wakes) = start(&disk, ThreadOptions::default());
    // The preparer may have filled the second segment already; a third one never fits.
    disk.set_capacity(Some(40 << 10));
    let mut sequence = 1;
    let mut batch = journal.batch();
    push(&mut batch, sequence);
    while journal.append(batch).is_ok() {
        sequence += 1;
        batch = journal.batch();
        push(&mut batch, sequence);
    }
    // The wakes end with the thread.
    while wakes.recv().is_ok() {}
    let cause = journal.failure().expect("it failed");
    let JournalError::Full { .. } = *cause else {
        panic!("a full disk expected: {cause}")
    };
    assert!(
        journal.preparations().1 > 0,
        "the operator could have seen it coming"
    );
    let durable = journal.durable_upto();
    assert_eq!(check_readable(&journal.reader()), durable);
    drop(journal);
    disk.set_capacity(None);
    assert_eq!(open(&disk).1.last_sequence, durable);
}

#[test]
fn the_preparer_goes_on_with_a_segment_begun_before() {
    let disk = MemoryMedium::new();
    let options = Options {
        segment_bytes: 3 << 20,
        ..super::bed::small()
    };
    let (mut log, _) = super::bed::open_with(&disk, options);
    assert_eq!(
        log.prepare_step().expect("there is room"),
        Prepared::Working
    );
    let begun = disk.list().expect("the folder is listed");
    let journal = ThreadedJournal::start(log, ThreadOptions::default(), Box::new(|_| {}))
        .expect("the threads start");
    while journal.segments_ready() == 0 {
        std::thread::yield_now();
    }
    let names = disk.list().expect("the folder is listed");
    assert!(begun.iter().all(|name| names.contains(name)), "{names:?}");
    journal.close().expect("nothing failed");
}

#[test]
fn threads_announce_themselves() {
    static STARTED: parking_lot::Mutex<Vec<&'static str>> = parking_lot::Mutex::new(Vec::new());
    let options = ThreadOptions {
        on_start: |name| STARTED.lock().push(name),
        ..Default::default()
    };
    let (journal, _wakes) = start(&MemoryMedium::new(), options);
    journal.close().expect("nothing failed");
    let mut started = STARTED.lock().clone();
    started.sort_unstable();
    assert_eq!(
        started,
        ["journal", "journal-prepare", "journal-sync", "journal-sync"]
    );
}

#[test]
fn groups_may_be_made_to_gather() {
    let options = ThreadOptions {
        group_every: Duration::from_millis(100),
        ..Default::default()
    };
    let (mut journal, wakes) = start(&MemoryMedium::new(), options);
    // All of these are handed over long before the second group may begin.
    for sequence in 1..=20 {
        let batch = filled(&mut journal, sequence..sequence + 1);
        journal.append(batch).expect("the journal lives");
    }
    await_durable(&wakes, 20);
    let groups = journal.metrics().snapshot().groups;
    assert!(groups <= 3, "{groups} groups");
    journal.close().expect("nothing failed");
}
