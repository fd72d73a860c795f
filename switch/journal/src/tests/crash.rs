//! Power failures, kills and failed syncs at every point: what was synced survives, what was not is whole or gone.

use super::bed::{
    Draw, append, check_readable, check_record, medium, open, open_with, push, segments, small,
};
use crate::{JournalError, Log, LogEnd, MemoryMedium, Options, verify};

/// What the outside of the log knows: the last sequence it was told durable, and the last of each group that it handed over and
/// was not told of.
#[derive(Debug, Clone, Default)]
struct Known {
    durable: u64,
    written: Vec<u64>,
}

/// Writes groups, witnesses and standby chunks, by the seed, until something fails or the count is reached.
fn work(
    log: &mut Log,
    draw: &mut Draw,
    groups: u64,
    known: &mut Known,
) -> Result<(), JournalError> {
    for _ in 0..groups {
        let mut upto = write(log, draw, known)?;
        // Often a second group goes behind one that is not synced yet.
        if draw.below(2) == 0 {
            upto = write(log, draw, known)?;
        }
        known.durable = log.sync()?;
        known.written.clear();
        assert_eq!(known.durable, upto);
        match draw.below(4) {
            0 if log.needs_witness() => log.witness()?,
            1 => drop(log.prepare_step()?),
            _ => {}
        }
    }
    Ok(())
}

/// Writes a group, after a sync if it has to go into the next segment.
fn write(log: &mut Log, draw: &mut Draw, known: &mut Known) -> Result<u64, JournalError> {
    let mut group = vec![log.batch(), log.batch()];
    let mut sequence = log.next_sequence();
    for batch in &mut group {
        for _ in 0..1 + draw.below(3) {
            push(batch, sequence);
            sequence += 1;
        }
    }
    if !log.fits(&group) {
        known.durable = log.sync()?;
        known.written.clear();
    }
    known.written.push(sequence - 1);
    let ticket = log.append(&mut group)?;
    assert_eq!(ticket.0, sequence - 1);
    Ok(ticket.0)
}

/// After a failure the log opens, holds all that was durable and nothing but what was written, and verifies.
fn check_recovered(disk: &MemoryMedium, known: &mut Known, context: &str) -> Log {
    let (log, recovery) =
        Log::open(medium(disk), small()).unwrap_or_else(|error| panic!("{context}: {error}"));
    let last = recovery.last_sequence;
    assert!(
        last == known.durable || known.written.contains(&last),
        "{context}: {known:?}, recovered {recovery:?}"
    );
    assert_eq!(check_readable(&log.reader()), last, "{context}");
    *known = Known {
        durable: last,
        written: Vec::new(),
    };
    drop(log);
    let report =
        verify(disk, None, &mut |_| {}).unwrap_or_else(|error| panic!("{context}: {error}"));
    assert_eq!(report.damage, None, "{context}");
    assert_eq!(report.end, LogEnd::Whole, "{context}");
    assert_eq!(report.records, last, "{context}");
    Log::open(medium(disk), small())
        .unwrap_or_else(|error| panic!("{context}: {error}"))
        .0
}

#[test]
fn power_off_at_every_operation() {
    let whole = MemoryMedium::new();
    let (mut log, _) = open(&whole);
    work(&mut log, &mut Draw::new(1), 40, &mut Known::default()).expect("nothing fails");
    let operations = whole.operations();
    assert!(operations > 100, "the scenario has {operations} operations");
    for at in 1..=operations {
        for seed in 0..3 {
            let context = format!("power off at operation {at}, seed {seed}");
            let disk = MemoryMedium::new();
            disk.power_off_after(at);
            let mut known = Known::default();
            if let Ok((mut log, _)) = Log::open(medium(&disk), small()) {
                let _ = work(&mut log, &mut Draw::new(1), 40, &mut known);
            }
            assert!(disk.is_off(), "{context}");
            disk.crash(seed);
            let mut log = check_recovered(&disk, &mut known, &context);
            work(&mut log, &mut Draw::new(2), 3, &mut known)
                .unwrap_or_else(|error| panic!("{context}: {error}"));
        }
    }
}

#[test]
fn crash_after_crash() {
    for seed in 0..150 {
        let disk = MemoryMedium::new();
        let mut draw = Draw::new(seed);
        let mut known = Known::default();
        for round in 0..8 {
            let context = format!("seed {seed}, round {round}");
            disk.power_off_after(1 + draw.below(60));
            // The opening may fail too: recovery itself is interrupted.
            if let Ok((mut log, _)) = Log::open(medium(&disk), small()) {
                known.durable = log.durable_upto();
                known.written.clear();
                let _ = work(&mut log, &mut draw, 30, &mut known);
            }
            if disk.is_off() && draw.below(4) > 0 {
                disk.crash(draw.below(u64::MAX));
            } else {
                disk.kill();
            }
            if draw.below(3) == 0 {
                drop(check_recovered(&disk, &mut known, &context));
            }
        }
        disk.kill();
        check_recovered(&disk, &mut known, &format!("seed {seed}, end"));
    }
}

#[test]
fn killed_between_write_and_sync() {
    let disk = MemoryMedium::new();
    let (mut log, _) = open(&disk);
    append(&mut log, 2);
    let mut batch = log.batch();
    push(&mut batch, 3);
    log.append(std::slice::from_mut(&mut batch))
        .expect("the group is written");
    disk.kill();
    // The group stands in the cache only. Accepting it makes it durable before anything is built on it.
    let (mut log, recovery) = open(&disk);
    assert_eq!((recovery.last_sequence, recovery.torn), (3, None));
    append(&mut log, 1);
    disk.crash(0);
    let (log, recovery) = open(&disk);
    assert_eq!(recovery.last_sequence, 4);
    assert_eq!(check_readable(&log.reader()), 4);
}

/// Writes a group of so many records without a sync.
fn write_group(log: &mut Log, records: u64) {
    let mut batch = log.batch();
    let first = log.next_sequence();
    (first..first + records).for_each(|sequence| push(&mut batch, sequence));
    log.append(std::slice::from_mut(&mut batch))
        .expect("the group is written");
}

#[test]
fn two_groups_in_the_cache_are_made_durable() {
    for seed in 0..20 {
        let disk = MemoryMedium::new();
        let (mut log, _) = open(&disk);
        append(&mut log, 2);
        // The sync fails and leaves the pages marked as clean.
        disk.fail_sync(1);
        write_group(&mut log, 6);
        write_group(&mut log, 6);
        log.sync().expect_err("the sync fails");
        disk.kill();
        let (mut log, recovery) = open(&disk);
        assert_eq!((recovery.last_sequence, recovery.torn), (14, None));
        append(&mut log, 1);
        disk.crash(seed);
        let (log, recovery) = open(&disk);
        assert_eq!(recovery.last_sequence, 15);
        assert_eq!(check_readable(&log.reader()), 15);
    }
}

#[test]
fn a_whole_group_behind_a_torn_one_is_torn_with_it() {
    let disk = MemoryMedium::new();
    let (mut log, _) = open(&disk);
    append(&mut log, 2);
    let segment = segments(&disk).remove(0);
    let before = end_of(&disk, &segment);
    write_group(&mut log, 2);
    write_group(&mut log, 3);
    disk.kill();
    // The group ahead did not reach the disk, the one behind did: both were on their way, so nobody was told of either.
    disk.overwrite(&segment, before, &[0; 160]);
    let (mut log, recovery) = open(&disk);
    let torn = recovery.torn.expect("the torn end is reported");
    assert_eq!((torn.offset, torn.records), (before, 4));
    assert_eq!(recovery.last_sequence, 2);
    append(&mut log, 4);
    disk.crash(3);
    assert_eq!(check_readable(&open(&disk).0.reader()), 6);
}

fn end_of(disk: &MemoryMedium, segment: &str) -> u64 {
    let bytes = disk.contents(segment).expect("the segment is there");
    bytes
        .iter()
        .rposition(|&byte| byte != 0)
        .map_or(0, |last| (last as u64 + 8) / 8 * 8)
}

#[test]
#[should_panic(expected = "the groups before must be synced first")]
fn a_third_group_waits() {
    let disk = MemoryMedium::new();
    let (mut log, _) = open(&disk);
    (0..3).for_each(|_| write_group(&mut log, 1));
}

#[test]
fn failed_sync_stops_for_ever() {
    let disk = MemoryMedium::new();
    let (mut log, _) = open(&disk);
    append(&mut log, 2);
    disk.fail_sync(1);
    let mut batch = log.batch();
    push(&mut batch, 3);
    log.append(std::slice::from_mut(&mut batch))
        .expect("the group is written");
    let error = log.sync().expect_err("the sync fails");
    assert!(
        matches!(&error, JournalError::Fenced { cause } if matches!(**cause, JournalError::Medium { operation: "sync", .. }))
    );
    assert!(
        matches!(log.sync(), Err(JournalError::Fenced { .. })),
        "no second try"
    );
    batch.clear();
    push(&mut batch, 4);
    assert!(matches!(
        log.append(std::slice::from_mut(&mut batch)),
        Err(JournalError::Fenced { .. })
    ));
    assert!(matches!(log.witness(), Err(JournalError::Fenced { .. })));
    assert_eq!(log.durable_upto(), 2);
    assert!(log.failure().is_some());
}

#[test]
fn group_behind_a_failed_sync_is_written_again() {
    // The cache still shows the group, the disk never got it, and a further sync would succeed without writing it.
    for seed in 0..20 {
        let disk = MemoryMedium::new();
        let (mut log, _) = open(&disk);
        append(&mut log, 2);
        disk.fail_sync(1);
        let mut batch = log.batch();
        // Larger than what the next write could carry along with it.
        (3..9).for_each(|sequence| push(&mut batch, sequence));
        log.append(std::slice::from_mut(&mut batch))
            .expect("the group is written");
        log.sync().expect_err("the sync fails");
        disk.kill();
        let (mut log, recovery) = open(&disk);
        assert_eq!(recovery.last_sequence, 8);
        append(&mut log, 1);
        disk.crash(seed);
        let (log, recovery) = open(&disk);
        assert_eq!(recovery.last_sequence, 9);
        assert_eq!(check_readable(&log.reader()), 9);
    }
}

#[test]
fn failed_write_stops_with_nothing_acknowledged() {
    let disk = MemoryMedium::new();
    let (mut log, _) = open(&disk);
    append(&mut log, 2);
    disk.fail_write(1);
    let mut batch = log.batch();
    push(&mut batch, 3);
    let error = log
        .append(std::slice::from_mut(&mut batch))
        .expect_err("the write fails");
    assert!(
        matches!(&error, JournalError::Fenced { cause } if matches!(**cause, JournalError::Medium { operation: "write", .. }))
    );
    assert!(matches!(log.sync(), Err(JournalError::Fenced { .. })));
    disk.kill();
    let (log, recovery) = open(&disk);
    assert_eq!(recovery.last_sequence, 2);
    assert_eq!(check_readable(&log.reader()), 2);
}

#[test]
fn torn_end_is_reported_and_erased() {
    let disk = MemoryMedium::new();
    let (mut log, _) = open(&disk);
    append(&mut log, 2);
    let segment = segments(&disk).remove(0);
    let begin = end_of(&disk, &segment) as usize;
    let mut batch = log.batch();
    (3..6).for_each(|sequence| push(&mut batch, sequence));
    log.append(std::slice::from_mut(&mut batch))
        .expect("the group is written");
    let after = disk.contents(&segment).expect("the segment is there");
    disk.kill();
    // The first record of the group did not reach the disk, the later ones did: a hole, but no proof of damage.
    disk.overwrite(&segment, begin as u64, &[0; 160]);
    let (log, recovery) = open(&disk);
    let torn = recovery.torn.expect("the torn end is reported");
    assert_eq!(
        (torn.segment.as_str(), torn.offset),
        (segment.as_str(), begin as u64)
    );
    assert_eq!(torn.records, 2);
    assert_eq!(recovery.last_sequence, 2);
    assert_eq!(check_readable(&log.reader()), 2);
    let erased = disk.contents(&segment).expect("the segment is there");
    let behind_epoch_start = begin + 160;
    assert!(
        after[behind_epoch_start..].iter().any(|&byte| byte != 0),
        "something was there"
    );
    assert!(
        erased[behind_epoch_start..].iter().all(|&byte| byte == 0),
        "and is gone"
    );
}

#[test]
fn places_of_a_dropped_group_are_forgotten() {
    // The 33rd record is one whose place is kept in memory.
    let disk = MemoryMedium::new();
    let options = Options {
        segment_bytes: 64 << 10,
        ..small()
    };
    let (mut log, _) = open_with(&disk, options.clone());
    (0..6).for_each(|_| append(&mut log, 5));
    let mut batch = log.batch();
    (31..35).for_each(|sequence| push(&mut batch, sequence));
    log.append(std::slice::from_mut(&mut batch))
        .expect("the group is written");
    disk.kill();
    let segment = segments(&disk).remove(0);
    let bytes = disk.contents(&segment).expect("the segment is there");
    let end = bytes
        .iter()
        .rposition(|&byte| byte != 0)
        .map_or(0, |last| last as u64);
    disk.flip_bit(&segment, end, 0);
    let (mut log, recovery) = open_with(&disk, options);
    assert_eq!(
        (
            recovery.last_sequence,
            recovery.torn.map(|torn| torn.records)
        ),
        (30, Some(4))
    );
    append(&mut log, 4);
    for sequence in 28..=34 {
        let record = log.reader().read_record(sequence).expect("it is sound");
        check_record(&record.expect("it is durable"), sequence);
    }
}
