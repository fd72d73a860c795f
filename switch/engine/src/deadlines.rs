//! Deadlines in exact order of (time, log position): a heap with four children a node that knows where each item stands, so
//! that an item can be taken out when it is decided early.
//!
//! A payment's deadline is nearly always later than all others, and then an insert moves nothing. Nothing stale stays behind,
//! so the earliest deadline is one that really waits, and memory is bounded by the items.

use torap_domain::{Position, Time};

const CHILDREN: usize = 4;
/// Place of an item that waits for nothing.
const NOWHERE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    time: Time,
    position: Position,
    item: u32,
}

/// Deadlines of items, which are dense slots of their owner; each item has at most one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Deadlines {
    heap: Vec<Due>,
    /// Place of each item in the heap.
    places: Vec<u32>,
}

impl Deadlines {
    pub(crate) fn new() -> Deadlines {
        Deadlines::default()
    }

    /// Items that wait.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }

    /// Sets the deadline of `item`; an earlier one of the same item is forgotten. Equal times are ordered by `position`, the
    /// record that set the deadline.
    pub(crate) fn insert(&mut self, time: Time, position: Position, item: u32) {
        self.remove(item);
        let slot = item as usize;
        if self.places.len() <= slot {
            self.places.resize(slot.saturating_add(1), NOWHERE);
        }
        let due = Due {
            time,
            position,
            item,
        };
        let place = self.heap.len();
        self.heap.push(due);
        self.rise(place, due);
    }

    /// Forgets the deadline of `item`; false if it had none.
    pub(crate) fn remove(&mut self, item: u32) -> bool {
        let Some(noted) = self.places.get_mut(item as usize) else {
            return false;
        };
        let place = std::mem::replace(noted, NOWHERE);
        if place == NOWHERE {
            return false;
        }
        let Some(last) = self.heap.pop() else {
            return false;
        };
        if last.item != item {
            // The last one fills the gap and moves to where it belongs, down or up.
            let place = self.sink(place as usize, last);
            self.rise(place, last);
        }
        true
    }

    /// The earliest deadline, with its record and item.
    pub(crate) fn first(&self) -> Option<(Time, Position, u32)> {
        let due = self.heap.first()?;
        Some((due.time, due.position, due.item))
    }

    /// Puts `due` at `place` or nearer to the top.
    fn rise(&mut self, mut place: usize, due: Due) {
        while let Some(above) = place.checked_sub(1).map(|before| before / CHILDREN) {
            match self.heap.get(above) {
                Some(parent) if due < *parent => {
                    let parent = *parent;
                    self.put(place, parent);
                    place = above;
                }
                _ => break,
            }
        }
        self.put(place, due);
    }

    /// Puts `due` at `place` or below, and says where.
    fn sink(&mut self, mut place: usize, due: Due) -> usize {
        loop {
            let first = place.saturating_mul(CHILDREN).saturating_add(1);
            let end = first.saturating_add(CHILDREN).min(self.heap.len());
            let children = self.heap.get(first..end).unwrap_or_default();
            let Some((child, least)) = (first..).zip(children).min_by_key(|(_, child)| **child)
            else {
                break;
            };
            if due < *least {
                break;
            }
            let least = *least;
            self.put(place, least);
            place = child;
        }
        self.put(place, due);
        place
    }

    fn put(&mut self, place: usize, due: Due) {
        if let Some(there) = self.heap.get_mut(place) {
            *there = due;
        }
        if let Some(noted) = self.places.get_mut(due.item as usize) {
            // A heap of u32 items has fewer than u32::MAX places.
            *noted = u32::try_from(place).unwrap_or(NOWHERE);
        }
    }
}

#[cfg(test)]
mod tests;
