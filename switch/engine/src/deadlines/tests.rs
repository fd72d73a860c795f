use super::Deadlines;
use proptest::prelude::*;
use std::collections::BTreeSet;
use torap_domain::{Position, Time};

/// What a heap does, as a sorted set.
#[derive(Default)]
struct Model {
    set: BTreeSet<(Time, Position, u32)>,
}

impl Model {
    fn remove(&mut self, item: u32) -> bool {
        let before = self.set.len();
        self.set.retain(|(_, _, other)| *other != item);
        self.set.len() != before
    }
}

proptest! {
    #[test]
    fn agrees_with_a_sorted_set(steps in prop::collection::vec((0u8..4, 0u64..50, 0u32..40), 1..400)) {
        let mut heap = Deadlines::new();
        let mut model = Model::default();
        for (position, (what, time, item)) in steps.into_iter().enumerate() {
            let position = Position(position as u64);
            match what {
                0 | 1 => {
                    heap.insert(Time::from_nanos(time), position, item);
                    model.remove(item);
                    model.set.insert((Time::from_nanos(time), position, item));
                }
                2 => prop_assert_eq!(heap.remove(item), model.remove(item)),
                _ => {
                    if let Some((_, _, first)) = heap.first() {
                        prop_assert!(heap.remove(first));
                        model.remove(first);
                    }
                }
            }
            prop_assert_eq!(heap.first(), model.set.first().copied());
            prop_assert_eq!(heap.len(), model.set.len());
        }
        while let Some(due) = heap.first() {
            prop_assert_eq!(Some(due), model.set.pop_first());
            prop_assert!(heap.remove(due.2));
        }
        prop_assert!(model.set.is_empty());
    }
}

#[test]
fn equal_times_leave_in_the_order_of_their_records() {
    let mut heap = Deadlines::new();
    for (position, item) in [(5, 1), (3, 2), (4, 0)] {
        heap.insert(Time::from_nanos(9), Position(position), item);
    }
    let mut order = Vec::new();
    while let Some((_, _, item)) = heap.first() {
        order.push(item);
        heap.remove(item);
    }
    assert_eq!(order, [2, 0, 1]);
}
