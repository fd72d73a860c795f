//! Hash to slot: which of an owner's entries may have this identifier.
//!
//! The table holds only slot numbers and a byte of each hash; identifiers stay with the owner, who says whether a slot is the
//! one. A bucket is one cache line, so that an identifier never seen costs one read of memory, mostly.
//!
//! It grows by linear hashing (W. Litwin, 1980): every few inserts one bucket is split in two, and never more than that, so no
//! command waits for a table to grow, however large it is. Nothing that the engine decides depends on where a slot lies.

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
/// Buckets are allocated by so many (256 KiB), and never moved.
const PAGE_BUCKETS: usize = 4096;

/// One cache line.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Bucket {
    /// 12 tags, then the number of the bucket that takes what has no room here (4 bytes, one more than its place; 0 is none).
    /// They share an array because all tags are compared at once.
    head: [u8; HEAD],
    slots: [u32; SLOTS],
}

const EMPTY_BUCKET: Bucket = Bucket {
    head: [EMPTY; HEAD],
    slots: [0; SLOTS],
};

/// A set of slots found by hash.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// The buckets that hashes lead to: two to the power of a level, and one more for each that was split at this level.
    homes: Buckets,
    /// Buckets behind others.
    overflow: Buckets,
    /// Buckets of `overflow` that are behind none.
    free: Vec<u32>,
    /// Lowest bits of a hash that lead to a bucket which was not split at this level.
    mask: usize,
    /// The next bucket to be split.
    split: usize,
    used: usize,
}

/// Buckets in pages.
#[derive(Clone, Debug)]
struct Buckets {
    pages: Vec<Vec<Bucket>>,
    count: usize,
}

/// A bucket: in the homes or in the overflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Home(usize),
    Overflow(u32),
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
        let mut table = Table {
            homes: Buckets::new(),
            overflow: Buckets::new(),
            free: Vec::new(),
            mask: 0,
            split: 0,
            used: 0,
        };
        table.homes.push();
        table
    }

    /// Makes room for so many slots in an empty table at once, which spares it the splits.
    pub(crate) fn reserve(&mut self, slots: usize) {
        while self.used == 0 && self.homes.count.saturating_mul(LOAD) < slots {
            self.grow(|_| 0);
        }
    }

    /// The slot with this hash that `is_it` confirms.
    #[inline]
    pub(crate) fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let (at, place) = self.search(hash, is_it)?;
        self.bucket(at)?.slots.get(place).copied()
    }

    /// Adds a slot. `hash_of` gives the hash of a slot that is in the table already; it is asked when a bucket is split.
    pub(crate) fn insert(&mut self, hash: u64, slot: u32, hash_of: impl Fn(u32) -> u64) {
        if self.used >= self.homes.count.saturating_mul(LOAD) {
            self.grow(hash_of);
        }
        self.put(self.home(hash), tag_of(hash), slot);
        self.used = self.used.saturating_add(1);
    }

    /// Puts another slot of the same hash in the place of one; false if that was not there.
    pub(crate) fn replace(&mut self, hash: u64, old: u32, new: u32) -> bool {
        let Some((at, place)) = self.search(hash, |other| other == old) else {
            return false;
        };
        let bucket = self.bucket_mut(at);
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
        if let Some(bucket) = self.bucket_mut(at) {
            bucket.set_tag(place, EMPTY);
        }
        if let At::Overflow(number) = at {
            self.give_up_if_empty(self.home(hash), number);
        }
        self.used = self.used.saturating_sub(1);
        true
    }

    /// Reads the bucket where `hash` begins, so that it is near when it is needed; the value means nothing.
    #[inline]
    pub(crate) fn touch(&self, hash: u64) -> u32 {
        let bucket = self.homes.get(self.home(hash));
        bucket.map_or(0, Bucket::link)
    }

    /// Whether the table is so small that it stays in the processor's cache by itself.
    #[inline]
    pub(crate) fn is_near(&self) -> bool {
        self.homes.count <= PAGE_BUCKETS
    }

    /// Slots in the table.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.used
    }

    /// Memory of the buckets.
    pub(crate) fn memory_bytes(&self) -> usize {
        let buckets = self.homes.count.saturating_add(self.overflow.count);
        buckets.saturating_mul(size_of::<Bucket>())
    }

    /// The bucket a hash leads to: buckets below `split` have been split and take one bit more.
    #[inline]
    fn home(&self, hash: u64) -> usize {
        let home = hash as usize & self.mask;
        if home < self.split {
            hash as usize & self.mask.wrapping_mul(2).wrapping_add(1)
        } else {
            home
        }
    }

    #[inline]
    fn bucket(&self, at: At) -> Option<&Bucket> {
        match at {
            At::Home(index) => self.homes.get(index),
            At::Overflow(number) => self.overflow.get(index_of(number)),
        }
    }

    #[inline]
    fn bucket_mut(&mut self, at: At) -> Option<&mut Bucket> {
        match at {
            At::Home(index) => self.homes.get_mut(index),
            At::Overflow(number) => self.overflow.get_mut(index_of(number)),
        }
    }

    /// Bucket and place of the slot that `is_it` confirms.
    #[inline]
    fn search(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<(At, usize)> {
        let tag = tag_of(hash);
        let mut at = At::Home(self.home(hash));
        loop {
            let bucket = self.bucket(at)?;
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

    /// Puts a slot into the first bucket from `home` on that has room, adding one behind the last if none has.
    fn put(&mut self, home: usize, tag: u8, slot: u32) {
        let mut at = At::Home(home);
        while let Some(bucket) = self.bucket_mut(at) {
            if bucket.put(tag, slot) {
                return;
            }
            at = match bucket.next() {
                Some(next) => next,
                None => self.add_behind(at),
            };
        }
    }

    fn add_behind(&mut self, at: At) -> At {
        let number = self.free.pop().unwrap_or_else(|| self.overflow.push());
        if let Some(bucket) = self.bucket_mut(at) {
            bucket.set_link(number);
        }
        At::Overflow(number)
    }

    /// Takes an overflow bucket out of the row behind `home` if nothing is left in it.
    fn give_up_if_empty(&mut self, home: usize, number: u32) {
        let emptied = self.bucket(At::Overflow(number));
        let Some(link) = emptied.filter(|bucket| bucket.is_empty()).map(Bucket::link) else {
            return;
        };
        let mut at = At::Home(home);
        while let Some(bucket) = self.bucket_mut(at) {
            if bucket.link() == number {
                bucket.set_link(link);
                break;
            }
            match bucket.next() {
                Some(next) => at = next,
                None => return,
            }
        }
        self.release(number);
    }

    fn release(&mut self, number: u32) {
        if let Some(bucket) = self.overflow.get_mut(index_of(number)) {
            *bucket = EMPTY_BUCKET;
        }
        self.free.push(number);
    }

    /// Splits the next bucket: what is in it and behind it stays or goes to a new bucket, by one more bit of the hash.
    fn grow(&mut self, hash_of: impl Fn(u32) -> u64) {
        let old = self.split;
        self.homes.push();
        self.split = self.split.saturating_add(1);
        let Some(bucket) = self.homes.get_mut(old) else {
            return;
        };
        let mut moving = std::mem::replace(bucket, EMPTY_BUCKET);
        loop {
            for (tag, slot) in moving.head.iter().zip(moving.slots) {
                if *tag != EMPTY {
                    let home = self.home(hash_of(slot));
                    self.put(home, *tag, slot);
                }
            }
            let number = moving.link();
            let Some(bucket) = self.overflow.get(index_of(number)).filter(|_| number != 0) else {
                break;
            };
            moving = *bucket;
            self.release(number);
        }
        if self.split > self.mask {
            self.mask = self.mask.wrapping_mul(2).wrapping_add(1);
            self.split = 0;
        }
    }
}

#[inline]
fn tag_of(hash: u64) -> u8 {
    (hash >> 40) as u8 | 0x80
}

/// Place of the overflow bucket of a number; numbers begin at 1.
#[inline]
fn index_of(number: u32) -> usize {
    (number as usize).wrapping_sub(1)
}

/// The lowest marked place.
#[inline]
fn place_of(marks: u128) -> usize {
    (marks.trailing_zeros() / u8::BITS) as usize
}

impl Buckets {
    fn new() -> Buckets {
        Buckets {
            pages: Vec::new(),
            count: 0,
        }
    }

    #[inline]
    fn get(&self, index: usize) -> Option<&Bucket> {
        let page = self.pages.get(index / PAGE_BUCKETS)?;
        page.get(index % PAGE_BUCKETS)
    }

    #[inline]
    fn get_mut(&mut self, index: usize) -> Option<&mut Bucket> {
        let page = self.pages.get_mut(index / PAGE_BUCKETS)?;
        page.get_mut(index % PAGE_BUCKETS)
    }

    /// Adds an empty bucket and gives its number, one more than its place.
    fn push(&mut self) -> u32 {
        if self.count.is_multiple_of(PAGE_BUCKETS) {
            self.pages.push(Vec::with_capacity(PAGE_BUCKETS));
        }
        if let Some(page) = self.pages.last_mut() {
            page.push(EMPTY_BUCKET);
        }
        self.count = self.count.saturating_add(1);
        // There are fewer buckets than slots, and slots have 32 bits.
        u32::try_from(self.count).unwrap_or(u32::MAX)
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

    fn is_empty(&self) -> bool {
        u128::from_le_bytes(self.head) & HIGHEST == 0
    }

    #[inline]
    fn link(&self) -> u32 {
        let [.., a, b, c, d] = self.head;
        u32::from_le_bytes([a, b, c, d])
    }

    #[inline]
    fn next(&self) -> Option<At> {
        match self.link() {
            0 => None,
            number => Some(At::Overflow(number)),
        }
    }

    fn set_link(&mut self, number: u32) {
        let [.., a, b, c, d] = &mut self.head;
        [*a, *b, *c, *d] = number.to_le_bytes();
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

#[cfg(test)]
mod tests;
