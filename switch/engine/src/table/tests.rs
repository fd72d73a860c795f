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
        part_bits in 0u32..4,
        steps in prop::collection::vec((any::<bool>(), 0u32..300), 1..1500),
    ) {
        let mut table = Table::new(part_bits);
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
    let mut table = Table::new(2);
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
    // Nothing passed any bucket any more: a search for another hash of the same part ends at its first bucket.
    assert_eq!(table.len(), 0);
    assert!((0..64).all(|low| table.touch(low) == 0));
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
