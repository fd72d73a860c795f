use proptest::prelude::*;
use std::collections::BTreeMap;

use super::{Bucket, Customers, LOAD};
use crate::instant::limits::CustomerKey;

fn key(number: u64) -> CustomerKey {
    CustomerKey::from_number(number)
}

proptest! {
    #[test]
    fn agrees_with_a_map(payments in prop::collection::vec((1u64..400, 1u64..1000), 1..2000), seed in any::<u64>()) {
        let mut customers = Customers::new();
        let mut model = BTreeMap::new();
        for (number, amount) in payments {
            let customer = customers.entry(seed, key(number)).unwrap();
            customer.amount += amount;
            customer.count += 1;
            let (sent, count) = model.entry(number).or_insert((0, 0));
            *sent += amount;
            *count += 1;
            prop_assert_eq!(customers.count(), model.len());
        }
        for number in 1..400 {
            let found = customers.find(seed, key(number)).map(|found| (found.amount, found.count));
            prop_assert_eq!(found, model.get(&number).copied());
        }
        let sorted: Vec<u64> = customers.sorted().iter().map(|customer| customer.key.number()).collect();
        prop_assert_eq!(sorted, model.into_keys().collect::<Vec<_>>());
    }
}

#[test]
fn nobody_has_no_entry() {
    let mut customers = Customers::new();
    assert!(customers.entry(1, CustomerKey::NOBODY).is_none());
    // An empty place is not somebody.
    assert_eq!(customers.find(1, key(7)), None);
    assert_eq!(customers.count(), 0);
}

#[test]
fn memory_of_a_customer_is_bounded() {
    let mut customers = Customers::new();
    for number in 1..=100_000 {
        assert!(customers.entry(5, key(number << 8)).is_some());
    }
    let (homes, (behind, _)) = (customers.buckets.homes(), customers.buckets.behind());
    assert_eq!(homes, 100_000_usize.div_ceil(LOAD));
    assert!(behind < homes / 4, "{behind} behind {homes}");
    assert_eq!(size_of::<Bucket>(), 128);
    assert!(customers.buckets.memory_bytes() < 100_000 * 54);
}

#[test]
fn every_page_is_given_back() {
    let mut customers = Customers::new();
    for number in 1..=100_000 {
        assert!(customers.entry(5, key(number)).is_some());
    }
    let buckets = customers.buckets.homes() + customers.buckets.behind().0;
    let pages: Vec<_> = customers.into_pages().collect();
    assert!(pages.len() > 8);
    assert_eq!(pages.iter().map(Vec::len).sum::<usize>(), buckets);
}
