//! From whatever is left to the end of the log.

use std::sync::Arc;

use proptest::prelude::*;
use torap_core::Core;
use torap_domain::Position;
use torap_index::{Index, MemoryIndex};
use torap_journal::Journal;

use super::{LIMITS, Rig, open_journal, world};
use crate::{FollowerError, SnapshotError, SnapshotStore};

#[test]
fn a_new_switch_begins_with_nothing() {
    let medium = torap_journal::MemoryMedium::new();
    let journal = open_journal(&medium);
    let snapshots =
        Arc::new(SnapshotStore::open(Arc::new(torap_journal::MemoryMedium::new())).unwrap());
    let index = Arc::new(MemoryIndex::new());
    let recovery = crate::recover(&journal, snapshots, index, super::OPTIONS, &mut |_| {}).unwrap();
    assert_eq!(recovery.recovered, torap_core::Recovered::genesis());
    assert_eq!(
        (recovery.report.replayed, recovery.report.index_from),
        (0, Position::ZERO)
    );
    assert_eq!(
        recovery.report.to_string(),
        "no snapshot, 0 records replayed, index from 0"
    );
}

#[test]
fn without_a_snapshot_the_whole_log_is_replayed() {
    let mut rig = Rig::new();
    rig.pay(10);
    let recovery = rig.recovered();
    assert_eq!(
        (recovery.report.snapshot, recovery.report.replayed),
        (None, rig.last().value())
    );
    assert_eq!(rig.index.applied_upto(), rig.last());
    assert_eq!(
        rig.index.counts().payments,
        rig.core.engine().stats().window_entries as u64
    );
}

#[test]
fn with_a_snapshot_only_the_rest_is_replayed() {
    let mut rig = Rig::new();
    rig.pay(10);
    let mut follower = rig.recovered().follower;
    let info = follower.snapshot_now().unwrap();
    assert_eq!(info.position, rig.last());
    rig.pay(5);
    let recovery = rig.recovered();
    assert_eq!(
        recovery.report.replayed,
        rig.last().value() - info.position.value()
    );
    assert_eq!(recovery.report.snapshot, Some(info));
    assert_eq!(rig.index.applied_upto(), rig.last());
}

#[test]
fn core_and_follower_go_on_after_a_recovery() {
    let mut rig = Rig::new();
    rig.pay(6);
    rig.recovered().follower.snapshot_now().unwrap();
    rig.pay(6);
    let recovery = rig.recovered();
    let mut follower = recovery.follower;
    rig.core = Core::new(recovery.engine, recovery.recovered, LIMITS);
    rig.offer(world::start(2));
    rig.offer(world::sign_on(world::CASPI, 1));
    rig.offer(world::sign_on(world::HALYK, 1));
    rig.pay(30);
    follower.step(usize::MAX).unwrap();
    assert_eq!(follower.engine().digest(), rig.core.engine().digest());
    assert_eq!(follower.recovered(), rig.core.recovered());
}

#[test]
fn a_deleted_index_is_written_again_from_the_first_record() {
    let mut rig = Rig::new();
    rig.pay(10);
    let mut follower = rig.recovered().follower;
    follower.snapshot_now().unwrap();
    rig.pay(3);
    follower.step(usize::MAX).unwrap();
    let complete = std::mem::replace(&mut rig.index, Arc::new(MemoryIndex::new()));
    let recovery = rig.recovered();
    assert_eq!(
        (recovery.report.snapshot, recovery.report.index_from),
        (None, Position::ZERO)
    );
    assert_eq!(rig.index.counts(), complete.counts());
    for number in 1..=13 {
        let key = world::key(number);
        assert_eq!(
            rig.index.payment_by_key(&key).unwrap(),
            complete.payment_by_key(&key).unwrap()
        );
    }
}

#[test]
fn an_index_behind_the_newest_snapshot_begins_with_an_older_one() {
    let mut rig = Rig::new();
    let mut older = None;
    let behind = Arc::new(MemoryIndex::new());
    for round in 0..2 {
        rig.pay(5);
        let info = rig.recovered().follower.snapshot_now().unwrap();
        if round == 0 {
            // As after a crash that lost what the index had not flushed.
            let (snapshots, index) = (Arc::clone(&rig.snapshots), Arc::clone(&behind));
            crate::recover(&rig.journal, snapshots, index, super::OPTIONS, &mut |_| {}).unwrap();
            older = Some(info);
        }
    }
    rig.index = behind;
    let recovery = rig.recovered();
    assert_eq!(recovery.report.snapshot, older);
    assert!(
        recovery.report.skipped.is_empty(),
        "nothing is wrong with the newer one"
    );
}

#[test]
fn a_damaged_snapshot_is_reported_and_the_one_before_it_used() {
    let mut rig = Rig::new();
    let mut infos = Vec::new();
    for _ in 0..2 {
        rig.pay(5);
        infos.push(rig.recovered().follower.snapshot_now().unwrap());
    }
    assert!(rig.snapshot_medium.flip_bit(&infos[1].file, 1000, 3));
    let recovery = rig.recovered();
    assert_eq!(recovery.report.snapshot.as_ref(), Some(&infos[0]));
    let [SnapshotError::Damaged { file, .. }] = recovery.report.skipped.as_slice() else {
        panic!("one is reported: {}", recovery.report)
    };
    assert_eq!(file, &infos[1].file);

    assert!(rig.snapshot_medium.flip_bit(&infos[0].file, 3, 0));
    let recovery = rig.recovered();
    assert_eq!(
        (recovery.report.snapshot, recovery.report.skipped.len()),
        (None, 2)
    );
}

#[test]
fn a_log_that_lost_its_end_is_refused() {
    let mut rig = Rig::new();
    let short = Rig::new();
    rig.pay(5);
    let mut follower = rig.recovered().follower;
    rig.journal = short.journal;
    let ahead = |refused| matches!(refused, FollowerError::Ahead { what: "index", .. });
    assert!(ahead(rig.recover().unwrap_err()));
    follower.snapshot_now().unwrap();
    rig.index = Arc::new(MemoryIndex::new());
    let refused = rig.recover().unwrap_err();
    assert!(
        matches!(
            refused,
            FollowerError::Ahead {
                what: "newest snapshot",
                ..
            }
        ),
        "{refused}"
    );
}

#[test]
fn a_snapshot_of_another_log_is_not_used() {
    let mut rig = Rig::new();
    let mut other = Rig::new();
    other.now = other.now.saturating_add(torap_domain::Span::from_millis(1));
    for one in [&mut rig, &mut other] {
        one.pay(5);
    }
    let info = other.recovered().follower.snapshot_now().unwrap();
    rig.recovered();
    rig.snapshots = Arc::clone(&other.snapshots);
    let recovery = rig.recovered();
    assert_eq!(recovery.report.snapshot, None);
    assert!(
        matches!(
            recovery.report.skipped.as_slice(),
            [SnapshotError::OtherLog { .. }]
        ),
        "{}",
        recovery.report
    );
    assert!(recovery.report.to_string().contains(&info.file));
}

#[test]
fn a_snapshot_never_outlives_the_index_it_needs() {
    let mut rig = Rig::new();
    rig.pay(5);
    let info = rig.recovered().follower.snapshot_now().unwrap();
    rig.pay(3);
    rig.recovered();
    rig.index.crash();
    let recovery = rig.recovered();
    assert_eq!(
        recovery.report.index_from, info.position,
        "flushed together"
    );
    assert_eq!(recovery.report.snapshot, Some(info));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, failure_persistence: None, ..ProptestConfig::default() })]

    /// The power goes off anywhere while a snapshot is written: the switch starts again, from it or from the one before.
    #[test]
    fn a_crash_while_a_snapshot_is_written_costs_at_most_that_snapshot(operations in 1..9_u64, seed in any::<u64>()) {
        let mut rig = Rig::new();
        let mut infos = Vec::new();
        for _ in 0..2 {
            rig.pay(3);
            infos.push(rig.recovered().follower.snapshot_now().unwrap().position);
        }
        rig.pay(3);
        let mut follower = rig.recovered().follower;
        rig.snapshot_medium.power_off_after(operations);
        let written = follower.snapshot_now();
        rig.snapshot_medium.crash(seed);
        rig.snapshots = Arc::new(SnapshotStore::open(Arc::new(rig.snapshot_medium.clone())).unwrap());
        let newest = rig.snapshots.newest().unwrap();
        if let Ok(info) = written {
            prop_assert_eq!(newest, info.position);
        }
        prop_assert!(newest >= infos[1]);
        let recovery = rig.recovered();
        prop_assert!(recovery.report.skipped.is_empty(), "{}", recovery.report);
        prop_assert_eq!(recovery.report.snapshot.unwrap().position, newest);
        let mut follower = recovery.follower;
        prop_assert_eq!(follower.snapshot_now().unwrap().position, rig.last());
    }

    /// The power goes off in the middle of a batch: what the follower saw is still in the log, and all three start together.
    #[test]
    fn nothing_that_a_follower_saw_is_lost_in_a_crash(payments in 1..6_u64, journal_steps in 0..4, seed in any::<u64>()) {
        let mut rig = Rig::new();
        let mut follower = rig.recovered().follower;
        rig.pay(payments);
        follower.step(usize::MAX).unwrap();
        for more in 1..=3 {
            rig.offer(world::transfer(payments + more, payments + more, rig.now));
        }
        let mut batch = rig.journal.batch();
        rig.core.step(rig.now, &mut batch).unwrap();
        rig.journal.append(batch).unwrap();
        for _ in 0..journal_steps {
            rig.journal.step().unwrap();
        }
        follower.step(usize::MAX).unwrap();
        let seen = follower.applied_upto();
        rig.journal_medium.crash(seed);
        rig.journal = open_journal(&rig.journal_medium);
        let recovery = rig.recover().unwrap();
        prop_assert!(recovery.recovered.last.position >= seen);
        prop_assert_eq!(recovery.report.index_from, seen);
        prop_assert_eq!(recovery.engine.digest(), recovery.follower.engine().digest());
        prop_assert_eq!(rig.index.applied_upto(), recovery.recovered.last.position);
    }
}
