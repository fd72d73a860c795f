//! Hash to slot: which of an owner's entries may have this identifier.
//!
//! The table holds only slot numbers and a byte of each hash; identifiers stay with the owner, who says whether a slot is the
//! one. A bucket is one cache line, so that an identifier never seen costs one read of memory. The table is cut into parts by
//! the hash, and each part doubles by itself: at 16 million entries a doubling moves some eight thousand slots (less than a
//! millisecond), and never all of them. Nothing that the engine decides depends on where a slot lies.

/// Slots in a bucket: 12 tags, a counter and 12 slots of four bytes fill 64 bytes.
const SLOTS: usize = 12;
/// Bytes of the tags and the counter.
const HEAD: usize = 16;
/// A one in each byte of a tag, and the highest bit of each.
const ONES: u128 = 0x0101_0101_0101_0101_0101_0101;
const HIGHEST: u128 = ONES << 7;
/// A part doubles when its buckets hold this many slots on average.
const FULL: usize = 9;
/// Tag of an empty place; tags of slots have the highest bit set.
const EMPTY: u8 = 0;

/// One cache line.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Bucket {
    /// 12 tags, lowest byte first, then a counter of four bytes: slots that belong here or before but lie further on, because
    /// this bucket was full. A search that finds zero ends. They share a word because all tags are compared at once.
    head: [u8; HEAD],
    slots: [u32; SLOTS],
}

const EMPTY_BUCKET: Bucket = Bucket {
    head: [EMPTY; HEAD],
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
        part.search(hash, is_it)
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

    /// Puts another slot of the same hash in the place of one; false if that was not there.
    pub(crate) fn replace(&mut self, hash: u64, old: u32, new: u32) -> bool {
        let index = self.part_of(hash);
        let Some(part) = self.parts.get_mut(index) else {
            return false;
        };
        let Some((bucket, place)) = part.search(hash, |other| other == old) else {
            return false;
        };
        let bucket = part.buckets.get_mut(bucket);
        if let Some(slot) = bucket.and_then(|bucket| bucket.slots.get_mut(place)) {
            *slot = new;
        }
        true
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
        bucket.map_or(0, |bucket| bucket.passed())
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
            let mut marks = bucket.marks_of(tag);
            while marks != 0 {
                let place = place_of(marks);
                if bucket.slots.get(place).is_some_and(|slot| is_it(*slot)) {
                    return Some((index, place));
                }
                marks &= marks.wrapping_sub(1);
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
        if let Some(bucket) = self.buckets.get_mut(end) {
            bucket.set_tag(place, EMPTY);
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
    /// The places whose tag may be `tag`, as the highest bit of their bytes: those equal to it and, rarely, the one after such
    /// a place. Zero bytes are found by the borrow that subtracting one takes from them.
    #[inline]
    fn marks_of(&self, tag: u8) -> u128 {
        let differing = u128::from_le_bytes(self.head) ^ ONES.wrapping_mul(u128::from(tag));
        differing.wrapping_sub(ONES) & !differing & HIGHEST
    }

    #[inline]
    fn passed(&self) -> u32 {
        let [.., a, b, c, d] = self.head;
        u32::from_le_bytes([a, b, c, d])
    }

    #[inline]
    fn set_passed(&mut self, passed: u32) {
        let [.., a, b, c, d] = &mut self.head;
        [*a, *b, *c, *d] = passed.to_le_bytes();
    }

    #[inline]
    fn set_tag(&mut self, place: usize, tag: u8) {
        if let Some(there) = self.head.get_mut(place) {
            *there = tag;
        }
    }

    #[inline]
    fn put(&mut self, tag: u8, slot: u32) -> bool {
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
}

/// The lowest marked place.
#[inline]
fn place_of(marks: u128) -> usize {
    (marks.trailing_zeros() / u8::BITS) as usize
}

#[cfg(test)]
mod tests;
