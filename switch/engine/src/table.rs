//! Hash to slot: which of an owner's entries may have this identifier.
//!
//! The table holds only slot numbers and a byte of each hash; identifiers stay with the owner, who says whether a slot is the
//! one. A bucket is one cache line, so that an identifier never seen costs one read of memory. The table is cut into parts by
//! the hash, and each part doubles by itself: at 16 million entries a doubling moves some eight thousand slots (less than a
//! millisecond), and never all of them. Nothing that the engine decides depends on where a slot lies.

/// Slots in a bucket: 12 tags, a counter and 12 slots of four bytes fill 64 bytes.
const SLOTS: usize = 12;
/// Bits of the places that hold slots, in a comparison of all 16 bytes of a head.
const PLACES: u32 = (1 << SLOTS) - 1;
/// A part doubles when its buckets hold this many slots on average.
const FULL: usize = 9;
/// Tag of an empty place; tags of slots have the highest bit set.
const EMPTY: u8 = 0;

/// One cache line.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Bucket {
    /// 12 tags, then a counter of four bytes: slots that belong here or before but lie further on, because this bucket was
    /// full. A search that finds zero ends. They share an array because 16 bytes are compared in one instruction.
    head: [u8; 16],
    slots: [u32; SLOTS],
}

const EMPTY_BUCKET: Bucket = Bucket {
    head: [EMPTY; 16],
    slots: [0; SLOTS],
};

/// One part of the table: buckets in a power of two, and how many slots they hold.
#[derive(Clone, Debug, Default)]
struct Part {
    buckets: Vec<Bucket>,
    used: usize,
}

/// A set of slots found by hash.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    parts: Vec<Part>,
    /// Bits of the hash that choose the part.
    part_bits: u32,
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
    /// An empty table of two to the power of `part_bits` parts.
    pub(crate) fn new(part_bits: u32) -> Table {
        Table {
            parts: vec![Part::default(); 1_usize << part_bits],
            part_bits,
        }
    }

    /// The slot with this hash that `is_it` confirms.
    #[inline]
    pub(crate) fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let part = self.parts.get(self.part_of(hash))?;
        part.search(hash, |slot| is_it(slot))
            .and_then(|(bucket, place)| part.buckets.get(bucket)?.slots.get(place).copied())
    }

    /// Adds a slot. `hash_of` gives the hash of a slot that is in the table already; it is asked when a part doubles.
    pub(crate) fn insert(&mut self, hash: u64, slot: u32, hash_of: impl Fn(u32) -> u64) {
        let index = self.part_of(hash);
        if let Some(part) = self.parts.get_mut(index) {
            if part.used >= part.buckets.len().saturating_mul(FULL) {
                part.double(hash_of);
            }
            part.place(hash, slot);
        }
    }

    /// Takes a slot out; false if it was not there.
    pub(crate) fn remove(&mut self, hash: u64, slot: u32) -> bool {
        let index = self.part_of(hash);
        match self.parts.get_mut(index) {
            Some(part) => part.remove(hash, slot),
            None => false,
        }
    }

    /// Reads the bucket where `hash` begins, so that it is near when it is needed; the value means nothing.
    #[inline]
    pub(crate) fn touch(&self, hash: u64) -> u32 {
        let part = self.parts.get(self.part_of(hash));
        let bucket = part.and_then(|part| part.buckets.get(part.home(hash)));
        bucket.map_or(0, Bucket::passed)
    }

    /// Slots in the table.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.parts.iter().map(|part| part.used).sum()
    }

    /// Memory of the buckets.
    pub(crate) fn memory_bytes(&self) -> usize {
        let buckets: usize = self.parts.iter().map(|part| part.buckets.capacity()).sum();
        buckets.saturating_mul(size_of::<Bucket>())
    }

    /// The highest bits choose the part, the lowest the bucket, some between are the tag.
    #[inline]
    fn part_of(&self, hash: u64) -> usize {
        hash.checked_shr(u64::BITS.saturating_sub(self.part_bits))
            .unwrap_or(0) as usize
    }
}

#[inline]
fn tag_of(hash: u64) -> u8 {
    (hash >> 40) as u8 | 0x80
}

impl Part {
    #[inline]
    fn home(&self, hash: u64) -> usize {
        hash as usize & self.buckets.len().wrapping_sub(1)
    }

    #[inline]
    fn after(&self, bucket: usize) -> usize {
        bucket.wrapping_add(1) & self.buckets.len().wrapping_sub(1)
    }

    /// Bucket and place of the slot that `is_it` confirms.
    #[inline]
    fn search(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<(usize, usize)> {
        let tag = tag_of(hash);
        let mut index = self.home(hash);
        // The load leaves empty places in every part; the bound holds even so.
        for _ in 0..self.buckets.len() {
            let bucket = self.buckets.get(index)?;
            let mut places = bucket.places_of(tag);
            while places != 0 {
                let place = places.trailing_zeros() as usize;
                if bucket.slots.get(place).is_some_and(|slot| is_it(*slot)) {
                    return Some((index, place));
                }
                places &= places.wrapping_sub(1);
            }
            if bucket.passed() == 0 {
                return None;
            }
            index = self.after(index);
        }
        None
    }

    /// Puts a slot into the first bucket from its home on that has room, and notes in the full ones that it passed.
    fn place(&mut self, hash: u64, slot: u32) {
        let mut index = self.home(hash);
        for _ in 0..self.buckets.len() {
            let Some(bucket) = self.buckets.get_mut(index) else {
                return;
            };
            if bucket.put(tag_of(hash), slot) {
                self.used = self.used.saturating_add(1);
                return;
            }
            bucket.set_passed(bucket.passed().saturating_add(1));
            index = self.after(index);
        }
    }

    fn remove(&mut self, hash: u64, slot: u32) -> bool {
        let Some((end, place)) = self.search(hash, |other| other == slot) else {
            return false;
        };
        let mut index = self.home(hash);
        while index != end {
            if let Some(bucket) = self.buckets.get_mut(index) {
                bucket.set_passed(bucket.passed().saturating_sub(1));
            }
            index = self.after(index);
        }
        let bucket = self.buckets.get_mut(end);
        if let Some(tag) = bucket.and_then(|bucket| bucket.head.get_mut(place)) {
            *tag = EMPTY;
        }
        self.used = self.used.saturating_sub(1);
        true
    }

    fn double(&mut self, hash_of: impl Fn(u32) -> u64) {
        let buckets = self.buckets.len().saturating_mul(2).max(1);
        let old = std::mem::replace(&mut self.buckets, vec![EMPTY_BUCKET; buckets]);
        self.used = 0;
        for bucket in &old {
            for (tag, slot) in bucket.head.iter().zip(&bucket.slots) {
                if *tag != EMPTY {
                    self.place(hash_of(*slot), *slot);
                }
            }
        }
    }
}

impl Bucket {
    /// The places whose tag is `tag`, as bits.
    #[inline]
    fn places_of(&self, tag: u8) -> u32 {
        let mut places: u32 = 0;
        for (bit, other) in (0_u32..16).zip(&self.head) {
            places |= u32::from(*other == tag) << (bit & 15);
        }
        places & PLACES
    }

    #[inline]
    fn passed(&self) -> u32 {
        let [.., a, b, c, d] = self.head;
        u32::from_le_bytes([a, b, c, d])
    }

    fn set_passed(&mut self, passed: u32) {
        let [.., a, b, c, d] = &mut self.head;
        [*a, *b, *c, *d] = passed.to_le_bytes();
    }

    #[inline]
    fn put(&mut self, tag: u8, slot: u32) -> bool {
        let empty = self.places_of(EMPTY);
        let place = empty.trailing_zeros() as usize;
        match (self.head.get_mut(place), self.slots.get_mut(place)) {
            (Some(there), Some(held)) if empty != 0 => {
                *there = tag;
                *held = slot;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
