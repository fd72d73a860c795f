//! Hash to slot: which of an owner's entries may have this identifier.
//!
//! The table holds only slot numbers and a byte of each hash; identifiers stay with the owner, who says whether a slot is the
//! one. A bucket is one cache line, so that an identifier never seen costs one read of memory, mostly.
//!
//! It grows by linear hashing: every few inserts one bucket is split in two.

use crate::linear::{self, At, Bucket as _, Linear};

/// Slots in a bucket: 12 tags, a link and 12 slots of four bytes fill 64 bytes.
const SLOTS: usize = 12;
/// Bytes of the tags and the link.
const HEAD: usize = 16;
/// Slots for each bucket on average. Buckets that are yet to be split hold up to twice as many as those that were.
const LOAD: usize = 7;
/// Tag of an empty place; tags of slots have the highest bit set.
const EMPTY: u8 = 0;
/// A one in each byte of a tag, and the highest bit of each.
const ONES: u128 = 0x0101_0101_0101_0101_0101_0101;
const HIGHEST: u128 = ONES << 7;
/// One cache line.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Bucket {
    /// 12 tags, then the number of the bucket that takes what has no room here (4 bytes, one more than its place; 0 is none).
    /// They share an array because all tags are compared at once.
    head: [u8; HEAD],
    slots: [u32; SLOTS],
}

/// A set of slots found by hash.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    buckets: Linear<Bucket>,
    used: usize,
}

/// Hash of 16 bytes under a seed: both halves are masked and multiplied, the product's halves are folded, and both halves
/// go in once more, so that a half which happens to be zero hides nothing. Without the seed nobody can choose values that
/// collide.
pub(crate) fn hash(seed: u64, value: [u8; 16]) -> u64 {
    let value = u128::from_le_bytes(value);
    let low = value as u64 ^ seed ^ 0x9E37_79B9_7F4A_7C15;
    let high = (value >> 64) as u64 ^ seed.rotate_left(32) ^ 0xC2B2_AE3D_27D4_EB4F;
    let mixed = fold(low, high) ^ low ^ high.rotate_left(29);
    fold(mixed, 0xA076_1D64_78BD_642F)
}

fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a).wrapping_mul(u128::from(b));
    (product >> 64) as u64 ^ product as u64
}

impl Table {
    pub(crate) fn new() -> Table {
        Table {
            buckets: Linear::new(),
            used: 0,
        }
    }

    /// Makes room for so many slots in an empty table at once, which spares it the splits.
    pub(crate) fn reserve(&mut self, slots: usize) {
        while self.used == 0 && self.buckets.homes().saturating_mul(LOAD) < slots {
            self.buckets.grow(|_| 0);
        }
    }

    /// The slot with this hash that `is_it` confirms.
    #[inline]
    pub(crate) fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let (at, place) = self.search(hash, is_it)?;
        self.buckets.bucket(at)?.slots.get(place).copied()
    }

    /// Adds a slot. `hash_of` gives the hash of a slot that is in the table already; it is asked when a bucket is split.
    pub(crate) fn insert(&mut self, hash: u64, slot: u32, hash_of: impl Fn(u32) -> u64) {
        if self.used >= self.buckets.homes().saturating_mul(LOAD) {
            self.buckets.grow(|(_, slot)| hash_of(slot));
        }
        let home = self.buckets.home(hash);
        self.buckets.put(home, (tag_of(hash), slot));
        self.used = self.used.saturating_add(1);
    }

    /// Puts another slot of the same hash in the place of one; false if that was not there.
    pub(crate) fn replace(&mut self, hash: u64, old: u32, new: u32) -> bool {
        let Some((at, place)) = self.search(hash, |other| other == old) else {
            return false;
        };
        let bucket = self.buckets.bucket_mut(at);
        if let Some(slot) = bucket.and_then(|bucket| bucket.slots.get_mut(place)) {
            *slot = new;
        }
        true
    }

    /// Takes a slot out; false if it was not there.
    pub(crate) fn remove(&mut self, hash: u64, slot: u32) -> bool {
        let Some((at, place)) = self.search(hash, |other| other == slot) else {
            return false;
        };
        let mut is_empty = false;
        if let Some(bucket) = self.buckets.bucket_mut(at) {
            bucket.set_tag(place, EMPTY);
            is_empty = bucket.is_empty();
        }
        if let At::Overflow(number) = at
            && is_empty
        {
            let home = self.buckets.home(hash);
            self.buckets.give_up(home, number);
        }
        self.used = self.used.saturating_sub(1);
        true
    }

    /// Reads the bucket where `hash` begins, so that it is near when it is needed; the value means nothing.
    #[inline]
    pub(crate) fn touch(&self, hash: u64) -> u32 {
        let bucket = self.buckets.bucket(self.buckets.home(hash));
        bucket.map_or(0, |bucket| bucket.link())
    }

    /// Whether the table is so small that it stays in the processor's cache by itself.
    #[inline]
    pub(crate) fn is_near(&self) -> bool {
        self.buckets.is_near()
    }

    /// Slots in the table.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.used
    }

    /// Memory of the buckets.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.buckets.memory_bytes()
    }

    /// Bucket and place of the slot that `is_it` confirms.
    #[inline]
    fn search(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<(At, usize)> {
        let tag = tag_of(hash);
        let mut at = self.buckets.home(hash);
        loop {
            let bucket = self.buckets.bucket(at)?;
            let mut marks = bucket.marks_of(tag);
            while marks != 0 {
                let place = place_of(marks);
                if bucket.slots.get(place).is_some_and(|slot| is_it(*slot)) {
                    return Some((at, place));
                }
                marks &= marks.wrapping_sub(1);
            }
            at = bucket.next()?;
        }
    }
}

#[inline]
fn tag_of(hash: u64) -> u8 {
    (hash >> 40) as u8 | 0x80
}

/// The lowest marked place.
#[inline]
fn place_of(marks: u128) -> usize {
    (marks.trailing_zeros() / u8::BITS) as usize
}

impl Bucket {
    /// The places whose tag may be `tag`, as the highest bit of their bytes: those equal to it and, rarely, the one after such
    /// a place. Zero bytes are found by the borrow that subtracting one takes from them.
    #[inline]
    fn marks_of(&self, tag: u8) -> u128 {
        let differing = u128::from_le_bytes(self.head) ^ ONES.wrapping_mul(u128::from(tag));
        differing.wrapping_sub(ONES) & !differing & HIGHEST
    }

    fn is_empty(&self) -> bool {
        u128::from_le_bytes(self.head) & HIGHEST == 0
    }

    #[inline]
    fn set_tag(&mut self, place: usize, tag: u8) {
        if let Some(there) = self.head.get_mut(place) {
            *there = tag;
        }
    }
}

/// A slot and the tag of its hash.
impl linear::Bucket for Bucket {
    type Item = (u8, u32);

    const EMPTY: Bucket = Bucket {
        head: [EMPTY; HEAD],
        slots: [0; SLOTS],
    };

    #[inline]
    fn put(&mut self, (tag, slot): (u8, u32)) -> bool {
        // Only an empty place has a tag without its highest bit.
        let empty = !u128::from_le_bytes(self.head) & HIGHEST;
        let place = place_of(empty);
        match self.slots.get_mut(place) {
            Some(held) if empty != 0 => {
                *held = slot;
                self.set_tag(place, tag);
                true
            }
            _ => false,
        }
    }

    fn items(&self) -> impl Iterator<Item = (u8, u32)> {
        let all = self.head.into_iter().zip(self.slots);
        all.filter(|(tag, _)| *tag != EMPTY)
    }

    #[inline]
    fn link(&self) -> u32 {
        let [.., a, b, c, d] = self.head;
        u32::from_le_bytes([a, b, c, d])
    }

    fn set_link(&mut self, number: u32) {
        let [.., a, b, c, d] = &mut self.head;
        [*a, *b, *c, *d] = number.to_le_bytes();
    }
}

#[cfg(test)]
mod tests;
