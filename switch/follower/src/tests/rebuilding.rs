//! Any moment from the log: with a snapshot and without the same, and clear words when the log no longer reaches back.

use std::sync::Arc;

use torap_domain::{Position, Time};
use torap_journal::{Bound, Depth, Folders, Journal, Medium, MemoryMedium, Reader};

use super::Rig;
use crate::{FollowerError, Rebuilt, SnapshotError, SnapshotStore, Until, rebuild};

fn reader(medium: &MemoryMedium) -> Reader {
    Reader::open(Arc::new(medium.clone()), None)
        .expect("readable")
        .expect("a journal")
}

fn at(rig: &Rig, snapshots: Option<&SnapshotStore>, until: Until) -> Rebuilt {
    rebuild(&reader(&rig.journal_medium), snapshots, until, &mut |_| {}).expect("rebuilt")
}

fn bytes(rebuilt: &Rebuilt) -> Vec<u8> {
    let mut bytes = Vec::new();
    rebuilt
        .engine
        .snapshot(&mut |piece| bytes.extend_from_slice(piece));
    bytes
}

/// A switch that has taken two snapshots, and where.
fn with_snapshots() -> (Rig, [Position; 2]) {
    let mut rig = Rig::new();
    let mut positions = [Position::ZERO; 2];
    for position in &mut positions {
        rig.pay(12);
        *position = rig.recovered().follower.snapshot_now().unwrap().position;
    }
    rig.pay(12);
    (rig, positions)
}

#[test]
fn every_moment_is_the_same_from_a_snapshot_and_from_the_first_record() {
    let (rig, [older, newer]) = with_snapshots();
    for position in (1..=rig.last().value()).map(Position) {
        let until = Until::Position(position);
        let quick = at(&rig, Some(&rig.snapshots), until);
        let whole = at(&rig, None, until);
        let expected = [newer, older].into_iter().find(|one| *one <= position);
        assert_eq!(quick.snapshot.as_ref().map(|info| info.position), expected);
        assert_eq!(whole.snapshot, None);
        assert_eq!(whole.replayed, position.value());
        assert_eq!(quick.recovered, whole.recovered);
        assert_eq!(quick.recovered.last.position, position);
        assert_eq!(bytes(&quick), bytes(&whole), "at {position}");
        assert_eq!(bytes(&quick), bytes(&at(&rig, Some(&rig.snapshots), until)));
    }
    let end = at(&rig, Some(&rig.snapshots), Until::End);
    assert_eq!(end.engine.digest(), rig.core.engine().digest());
    assert_eq!(end.recovered, rig.core.recovered());
}

#[test]
fn a_time_means_the_last_record_that_is_not_later() {
    let (rig, _) = with_snapshots();
    let mut records = rig.journal.read_from(1, Depth::Facts).unwrap();
    let mut before = None;
    while let Some(record) = records.next().unwrap() {
        let (position, time) = (record.meta.sequence, record.meta.time);
        for (nanos, expected) in [(time, position), (time - 1, position - 1)] {
            if before.is_none_or(|before| nanos >= before) {
                let until = Until::Time(Time::from_nanos(nanos));
                let rebuilt = at(&rig, Some(&rig.snapshots), until);
                assert_eq!(rebuilt.recovered.last.position.value(), expected);
            }
        }
        before = Some(time);
    }
}

#[test]
fn a_damaged_snapshot_is_passed_over() {
    let (rig, [older, newer]) = with_snapshots();
    let file = format!("snapshot-{:020}.torap", newer.value());
    assert!(rig.snapshot_medium.flip_bit(&file, 500, 1));
    let rebuilt = at(&rig, Some(&rig.snapshots), Until::End);
    assert_eq!(rebuilt.snapshot.map(|info| info.position), Some(older));
    assert!(
        matches!(
            rebuilt.skipped.as_slice(),
            [SnapshotError::Damaged { file: named, .. }] if *named == file
        ),
        "{:?}",
        rebuilt.skipped
    );
    assert_eq!(rebuilt.engine.digest(), rig.core.engine().digest());
}

/// Everything that may leave up to a position leaves; gives the first record that is left.
fn expire(rig: &Rig, upto: Position) -> Position {
    let folders = Folders {
        journal: Arc::new(rig.journal_medium.clone()) as Arc<dyn Medium>,
        archive: None,
    };
    let bound = Bound {
        sequence: upto.value(),
        time: u64::MAX,
    };
    let mut first = 0;
    folders.expire(&bound, &mut |one| first = one).unwrap();
    assert!(first > 1, "something has expired");
    Position(first)
}

/// A switch with small segments, so that some are sealed.
fn long() -> (Rig, Position) {
    let mut rig = Rig::with_segments(160 << 10);
    rig.pay(900);
    let snapshot = rig.recovered().follower.snapshot_now().unwrap().position;
    rig.pay(40);
    (rig, snapshot)
}

#[test]
fn what_has_expired_is_said_and_what_a_snapshot_covers_is_rebuilt() {
    let (rig, snapshot) = long();
    let first = expire(&rig, snapshot);
    let rebuilt = at(&rig, Some(&rig.snapshots), Until::End);
    assert_eq!(rebuilt.engine.digest(), rig.core.engine().digest());
    let log = reader(&rig.journal_medium);
    for (snapshots, until) in [
        (None, Until::End),
        (
            Some(&*rig.snapshots),
            Until::Position(Position(snapshot.value() - 1)),
        ),
    ] {
        let refused = rebuild(&log, snapshots, until, &mut |_| {}).unwrap_err();
        assert!(
            matches!(refused, FollowerError::Expired { what: "state", stands: Position::ZERO, first: found } if found == first),
            "{refused}"
        );
        assert!(
            refused
                .to_string()
                .contains(&format!("records 1 to {}", first.value() - 1)),
            "{refused}"
        );
    }
}

#[test]
fn an_index_that_needs_expired_records_is_refused_with_what_is_missing() {
    let (mut rig, snapshot) = long();
    let first = expire(&rig, snapshot);
    rig.reopen();
    rig.recovered();
    rig.index = Arc::new(torap_index::MemoryIndex::new());
    let refused = rig.recover().unwrap_err();
    assert!(
        matches!(refused, FollowerError::Expired { what: "index", stands: Position::ZERO, first: found } if found == first),
        "{refused}"
    );
    assert!(refused.to_string().contains("alias directory"), "{refused}");
}
