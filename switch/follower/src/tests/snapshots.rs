//! Snapshots on the medium: what is written is read back, and nothing else is believed.

use std::sync::Arc;

use proptest::prelude::*;
use torap_domain::Position;
use torap_journal::{FileMedium, MemoryMedium};

use super::Rig;
use crate::{SnapshotError, SnapshotInfo, SnapshotStore};

fn with_snapshot() -> (Rig, SnapshotInfo) {
    let mut rig = Rig::new();
    rig.pay(9);
    let info = rig.recovered().follower.snapshot_now().unwrap();
    (rig, info)
}

#[test]
fn what_is_written_is_read_back() {
    let (rig, info) = with_snapshot();
    let snapshot = rig.snapshots.load(info.position, 5).unwrap();
    assert_eq!(snapshot.info, info);
    assert_eq!(snapshot.recovered, rig.core.recovered());
    assert_eq!(snapshot.engine.digest(), rig.core.engine().digest());
    assert_eq!(
        info.file,
        format!("snapshot-{:020}.torap", rig.last().value())
    );
    assert_eq!(
        (info.position, info.time, info.rules_version),
        (rig.last(), rig.core.last().time, 1)
    );
}

#[test]
fn the_folder_holds_two_and_nothing_unfinished() {
    let (rig, info) = with_snapshot();
    let names = || torap_journal::Medium::list(&rig.snapshot_medium).unwrap();
    assert_eq!(names(), std::slice::from_ref(&info.file));
    let recovered = rig.core.recovered();
    rig.snapshots
        .write(rig.core.engine(), &recovered, &mut |_, _| {})
        .unwrap();
    assert_eq!(
        names(),
        [info.file],
        "a second one at the same position takes the place of the first"
    );
    torap_journal::Medium::create(&rig.snapshot_medium, "snapshot.unfinished", 10).unwrap();
    torap_journal::Medium::create(&rig.snapshot_medium, "notes.txt", 10).unwrap();
    let store = SnapshotStore::open(Arc::new(rig.snapshot_medium.clone())).unwrap();
    assert_eq!(
        names().len(),
        2,
        "what was left unfinished is removed, other files are left alone"
    );
    assert_eq!(store.positions().unwrap(), [rig.last()]);
}

#[test]
fn writing_is_paced_and_the_pace_changes_nothing() {
    let mut rig = Rig::new();
    rig.pay(9);
    let mut follower = rig.recovered().follower;
    let rests = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let counted = Arc::clone(&rests);
    follower.set_pace(Box::new(move |written, bytes| {
        assert!(written <= bytes);
        counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }));
    let info = follower.snapshot_now().unwrap();
    // A rest for every 4 MiB that are durable: none for a small state.
    let expected = info.bytes / (4 << 20);
    assert_eq!(rests.load(std::sync::atomic::Ordering::Relaxed), expected);
    assert_eq!(rig.snapshots.info(info.position).unwrap(), info);
    let snapshot = rig.snapshots.load(info.position, 0).unwrap();
    assert_eq!(snapshot.engine.digest(), rig.core.engine().digest());
}

#[test]
fn a_folder_of_the_file_system_serves_as_well() {
    let (rig, _) = with_snapshot();
    let folder = tempfile::tempdir().unwrap();
    let store = SnapshotStore::open(Arc::new(FileMedium::open(folder.path()).unwrap())).unwrap();
    let info = store
        .write(rig.core.engine(), &rig.core.recovered(), &mut |_, _| {})
        .unwrap();
    assert_eq!(
        store.load(info.position, 5).unwrap().engine.digest(),
        rig.core.engine().digest()
    );
    assert_eq!(store.newest().unwrap(), rig.last());
    let missing = store.load(Position(1), 5).unwrap_err();
    assert!(
        matches!(
            missing,
            SnapshotError::Medium {
                operation: "open",
                ..
            }
        ),
        "{missing}"
    );
}

#[test]
fn every_flipped_bit_is_noticed() {
    let (rig, info) = with_snapshot();
    let bytes = rig.snapshot_medium.contents(&info.file).unwrap().len() as u64;
    assert_eq!(bytes, info.bytes + 128);
    // Every bit of the header, and bits all over the body.
    let bits = (0..128 * 8).chain((128 * 8..bytes * 8).step_by(611));
    for bit in bits {
        let flip = || {
            assert!(
                rig.snapshot_medium
                    .flip_bit(&info.file, bit / 8, (bit % 8) as u8)
            )
        };
        flip();
        let refused = rig.snapshots.load(info.position, 5).expect_err("noticed");
        assert!(refused.to_string().contains(&info.file), "{refused}");
        flip();
    }
    rig.snapshots.load(info.position, 5).expect("as it was");
}

#[test]
fn another_layout_is_refused_as_such() {
    let (rig, info) = with_snapshot();
    assert!(rig.snapshot_medium.overwrite(&info.file, 8, &[2, 0, 0, 0]));
    let refused = rig.snapshots.load(info.position, 5).unwrap_err();
    assert!(
        matches!(
            refused,
            SnapshotError::Format {
                found: 2,
                supported: 1,
                ..
            }
        ),
        "{refused}"
    );
}

#[test]
fn a_file_under_another_name_is_refused() {
    let (rig, info) = with_snapshot();
    torap_journal::Medium::rename(
        &rig.snapshot_medium,
        &info.file,
        "snapshot-00000000000000000001.torap",
    )
    .unwrap();
    let refused = rig.snapshots.load(Position(1), 5).unwrap_err();
    assert!(
        refused.to_string().contains("another position"),
        "{refused}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn files_of_any_bytes_are_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), header in any::<bool>()) {
        let medium = MemoryMedium::new();
        let name = "snapshot-00000000000000000007.torap";
        let mut bytes = bytes;
        if header && bytes.len() > 12 {
            bytes[..12].copy_from_slice(b"TORAPSNP\x01\0\0\0");
        }
        torap_journal::Medium::create(&medium, name, bytes.len() as u64).unwrap();
        medium.overwrite(name, 0, &bytes);
        let store = SnapshotStore::open(Arc::new(medium)).unwrap();
        prop_assert!(store.load(Position(7), 5).is_err());
    }
}
