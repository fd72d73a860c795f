use super::{Table, hash};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// An owner whose entries are numbers: entry `slot` has the identifier `slot / 2`, so that two slots share each one.
fn hash_of(slot: u32) -> u64 {
    hash(7, u128::from(slot).to_le_bytes())
}

proptest! {
    #[test]
    fn agrees_with_a_map(
        steps in prop::collection::vec((any::<bool>(), 0u32..300), 1..1500),
    ) {
        let mut table = Table::new();
        let mut model = BTreeMap::new();
        for (insert, slot) in steps {
            if insert && !model.contains_key(&slot) {
                table.insert(hash_of(slot), slot, hash_of);
                model.insert(slot, ());
            } else {
                prop_assert_eq!(table.remove(hash_of(slot), slot), model.remove(&slot).is_some());
            }
            prop_assert_eq!(table.len(), model.len());
        }
        for slot in 0..300 {
            let found = table.find(hash_of(slot), |other| other == slot);
            prop_assert_eq!(found.is_some(), model.contains_key(&slot));
        }
    }
}

#[test]
fn colliding_hashes_are_told_apart_and_leave_no_trace() {
    let mut table = Table::new();
    let same = |_slot: u32| 42;
    for slot in 0..500 {
        table.insert(42, slot, same);
    }
    for slot in 0..500 {
        assert_eq!(table.find(42, |other| other == slot), Some(slot));
    }
    for slot in 0..500 {
        assert!(table.remove(42, slot));
        assert!(!table.remove(42, slot));
    }
    assert_eq!(table.find(42, |_| true), None);
    // Nothing is left behind any bucket: a search ends at its first one.
    assert_eq!(table.len(), 0);
    assert!((0..64).all(|low| table.touch(low) == 0));
    let (behind, free) = table.buckets.behind();
    assert!(behind > 10);
    assert_eq!(free, behind);
}

#[test]
fn growth_moves_a_few_slots_at_a_time_and_keeps_the_load() {
    let mut table = Table::new();
    let asked = std::cell::Cell::new(0);
    for slot in 0..100_000 {
        asked.set(0);
        table.insert(hash_of(slot), slot, |slot| {
            asked.set(asked.get() + 1);
            hash_of(slot)
        });
        assert!(asked.get() < 60, "{} slots moved at once", asked.get());
    }
    for slot in 0..100_000 {
        assert_eq!(table.find(hash_of(slot), |other| other == slot), Some(slot));
    }
    // Seven slots to a bucket, and few buckets behind others.
    let (homes, (behind, _)) = (table.buckets.homes(), table.buckets.behind());
    assert_eq!(homes, 100_000 / 7 + 1);
    assert!(behind < homes / 5, "{behind}");
    assert_eq!(table.memory_bytes(), (homes + behind) * 64);
}

#[test]
fn room_made_at_once_spares_the_splits() {
    let (mut reserved, mut grown) = (Table::new(), Table::new());
    reserved.reserve(50_000);
    for slot in 0..50_000 {
        reserved.insert(hash_of(slot), slot, |_| panic!("nothing is split"));
        grown.insert(hash_of(slot), slot, hash_of);
    }
    assert_eq!(reserved.buckets.homes(), grown.buckets.homes());
    for slot in 0..60_000 {
        let found = reserved.find(hash_of(slot), |other| other == slot);
        assert_eq!(found, (slot < 50_000).then_some(slot));
    }
    // A table in use is left as it is, and one that was given room goes on growing.
    reserved.reserve(1_000_000);
    assert_eq!(reserved.buckets.homes(), grown.buckets.homes());
    for slot in 50_000..60_000 {
        reserved.insert(hash_of(slot), slot, hash_of);
    }
    assert!((0..60_000).all(|slot| {
        reserved
            .find(hash_of(slot), |other| other == slot)
            .is_some()
    }));
}

#[test]
fn a_seed_moves_every_identifier() {
    let value = 5_u128.to_le_bytes();
    assert_ne!(hash(1, value), hash(2, value));
    // Either half alone decides, under any seed.
    for seed in [0, 1, u64::MAX, 0x9E37_79B9_7F4A_7C15] {
        let hashes: Vec<u64> = (0..1000_u128)
            .flat_map(|number| [number, number << 64])
            .map(|number| hash(seed, number.to_le_bytes()))
            .collect();
        let mut sorted = hashes.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), hashes.len() - 1, "only zero occurs twice");
    }
}
