//! Deadlines in exact order of (time, log position).
//!
//! Nearly every deadline is later than all before it, because the spans are settings and time rises: those stand in a list, to
//! whose end one is added and from which any is taken in a few steps. What comes out of order (a payment accepted some seconds
//! ago, a shorter ask) stands in a heap. Nothing stale stays behind, so the earliest deadline is one that really waits, and
//! memory is bounded by the items.

use torap_domain::{Position, Time};

/// Children of a node of the heap.
const CHILDREN: usize = 4;
/// No item, and the place of an item that is not in the heap.
const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    time: Time,
    position: Position,
    item: u32,
}

/// What is known of an item.
#[derive(Clone, Copy, Debug)]
enum Standing {
    /// Waits for nothing.
    Idle,
    /// In the list, between two others.
    Listed { due: Due, before: u32, after: u32 },
    /// In the heap, at this place.
    Heaped { place: u32 },
}

/// Deadlines of items, which are dense slots of their owner; each item has at most one.
#[derive(Clone, Debug)]
pub(crate) struct Deadlines {
    items: Vec<Standing>,
    /// First and last of the list.
    head: u32,
    tail: u32,
    heap: Vec<Due>,
}

impl Deadlines {
    pub(crate) fn new() -> Deadlines {
        Deadlines {
            items: Vec::new(),
            head: NONE,
            tail: NONE,
            heap: Vec::new(),
        }
    }

    /// Sets the deadline of `item`; an earlier one of the same item is forgotten. Equal times are ordered by `position`, the
    /// record that set the deadline.
    pub(crate) fn insert(&mut self, time: Time, position: Position, item: u32) {
        self.remove(item);
        let slot = item as usize;
        if self.items.len() <= slot {
            self.items.resize(slot.saturating_add(1), Standing::Idle);
        }
        let due = Due {
            time,
            position,
            item,
        };
        if self.listed(self.tail).is_none_or(|last| last <= due) {
            self.append(due);
        } else {
            let place = self.heap.len();
            self.heap.push(due);
            self.rise(place, due);
        }
    }

    /// Forgets the deadline of `item`; false if it had none.
    pub(crate) fn remove(&mut self, item: u32) -> bool {
        let Some(standing) = self.items.get_mut(item as usize) else {
            return false;
        };
        match std::mem::replace(standing, Standing::Idle) {
            Standing::Idle => false,
            Standing::Listed { before, after, .. } => {
                self.join(before, after);
                true
            }
            Standing::Heaped { place } => {
                self.take_from_heap(place as usize, item);
                true
            }
        }
    }

    /// The earliest deadline, with its record and item.
    pub(crate) fn first(&self) -> Option<(Time, Position, u32)> {
        let listed = self.listed(self.head);
        let heaped = self.heap.first().copied();
        let due = match (listed, heaped) {
            (Some(listed), Some(heaped)) => listed.min(heaped),
            (listed, heaped) => listed.or(heaped)?,
        };
        Some((due.time, due.position, due.item))
    }

    fn listed(&self, item: u32) -> Option<Due> {
        match self.items.get(item as usize) {
            Some(Standing::Listed { due, .. }) => Some(*due),
            _ => None,
        }
    }

    fn append(&mut self, due: Due) {
        let before = std::mem::replace(&mut self.tail, due.item);
        match self.items.get_mut(before as usize) {
            Some(Standing::Listed { after, .. }) => *after = due.item,
            _ => self.head = due.item,
        }
        if let Some(standing) = self.items.get_mut(due.item as usize) {
            *standing = Standing::Listed {
                due,
                before,
                after: NONE,
            };
        }
    }

    /// Makes two items of the list neighbours; either may be none.
    fn join(&mut self, first: u32, second: u32) {
        match self.items.get_mut(first as usize) {
            Some(Standing::Listed { after, .. }) => *after = second,
            _ => self.head = second,
        }
        match self.items.get_mut(second as usize) {
            Some(Standing::Listed { before, .. }) => *before = first,
            _ => self.tail = first,
        }
    }

    fn take_from_heap(&mut self, place: usize, item: u32) {
        let Some(last) = self.heap.pop() else {
            return;
        };
        if last.item != item {
            // The last one fills the gap and moves to where it belongs, down or up.
            let place = self.sink(place, last);
            self.rise(place, last);
        }
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
        if let Some(standing) = self.items.get_mut(due.item as usize) {
            // A heap of u32 items has fewer than u32::MAX places.
            let place = u32::try_from(place).unwrap_or(NONE);
            *standing = Standing::Heaped { place };
        }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        let waits = |standing: &&Standing| !matches!(standing, Standing::Idle);
        self.items.iter().filter(waits).count()
    }
}

#[cfg(test)]
mod tests;
