//! Linear hashing (W. Litwin, 1980): buckets that hashes lead to, which grow by one at a time.
//!
//! Every few inserts one bucket is split in two, and never more than that, so no command waits for a table to grow, however
//! large it is. Nothing that the engine decides depends on where something lies.

/// Buckets are allocated by so many, and never moved.
const PAGE_BUCKETS: usize = 4096;

/// A few things that a hash leads to, and the number of the bucket that takes what has no room here.
pub(crate) trait Bucket: Copy {
    /// What is in it.
    type Item: Copy;

    const EMPTY: Self;

    /// False if there is no room.
    fn put(&mut self, item: Self::Item) -> bool;

    fn items(&self) -> impl Iterator<Item = Self::Item>;

    /// One more than the place of the bucket behind this one; 0: there is none.
    fn link(&self) -> u32;

    fn set_link(&mut self, number: u32);

    #[inline]
    fn next(&self) -> Option<At> {
        match self.link() {
            0 => None,
            number => Some(At::Overflow(number)),
        }
    }
}

/// A bucket: in the homes or in the overflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    Home(usize),
    Overflow(u32),
}

/// Buckets by hash.
#[derive(Clone, Debug)]
pub(crate) struct Linear<B> {
    /// The buckets that hashes lead to: two to the power of a level, and one more for each that was split at this level.
    homes: Pages<B>,
    /// Buckets behind others.
    overflow: Pages<B>,
    /// Buckets of `overflow` that are behind none.
    free: Vec<u32>,
    /// Lowest bits of a hash that lead to a bucket which was not split at this level.
    mask: usize,
    /// The next bucket to be split.
    split: usize,
}

/// Buckets in pages.
#[derive(Clone, Debug)]
struct Pages<B> {
    pages: Vec<Vec<B>>,
    count: usize,
}

impl<B: Bucket> Linear<B> {
    pub(crate) fn new() -> Linear<B> {
        let mut linear = Linear {
            homes: Pages::new(),
            overflow: Pages::new(),
            free: Vec::new(),
            mask: 0,
            split: 0,
        };
        linear.homes.push();
        linear
    }

    /// Buckets that hashes lead to.
    #[inline]
    pub(crate) fn homes(&self) -> usize {
        self.homes.count
    }

    /// Buckets behind others, and how many of these are not used.
    #[cfg(test)]
    pub(crate) fn behind(&self) -> (usize, usize) {
        (self.overflow.count, self.free.len())
    }

    /// Whether there is so little that it stays in the processor's cache by itself.
    #[inline]
    pub(crate) fn is_near(&self) -> bool {
        self.homes.pages.len() <= 1
    }

    /// Memory of the buckets.
    pub(crate) fn memory_bytes(&self) -> usize {
        let buckets = self.homes.count.saturating_add(self.overflow.count);
        buckets.saturating_mul(size_of::<B>())
    }

    /// Every bucket, in no order.
    pub(crate) fn buckets(&self) -> impl Iterator<Item = &B> {
        let pages = self.homes.pages.iter().chain(&self.overflow.pages);
        pages.flatten()
    }

    /// The memory, in pieces that may be freed one by one.
    pub(crate) fn into_pages(self) -> impl Iterator<Item = Vec<B>> {
        self.homes.pages.into_iter().chain(self.overflow.pages)
    }

    /// The bucket a hash leads to: buckets below `split` have been split and take one bit more.
    #[inline]
    pub(crate) fn home(&self, hash: u64) -> At {
        let home = hash as usize & self.mask;
        At::Home(if home < self.split {
            hash as usize & self.mask.wrapping_mul(2).wrapping_add(1)
        } else {
            home
        })
    }

    #[inline]
    pub(crate) fn bucket(&self, at: At) -> Option<&B> {
        match at {
            At::Home(index) => self.homes.get(index),
            At::Overflow(number) => self.overflow.get(index_of(number)),
        }
    }

    #[inline]
    pub(crate) fn bucket_mut(&mut self, at: At) -> Option<&mut B> {
        match at {
            At::Home(index) => self.homes.get_mut(index),
            At::Overflow(number) => self.overflow.get_mut(index_of(number)),
        }
    }

    /// Puts an item into the first bucket from `at` on that has room, adding one behind the last if none has.
    pub(crate) fn put(&mut self, mut at: At, item: B::Item) {
        while let Some(bucket) = self.bucket_mut(at) {
            if bucket.put(item) {
                return;
            }
            at = match bucket.next() {
                Some(next) => next,
                None => self.add_behind(at),
            };
        }
    }

    /// Takes an empty overflow bucket out of the row behind `home`.
    pub(crate) fn give_up(&mut self, home: At, number: u32) {
        let emptied = self.bucket(At::Overflow(number));
        let link = emptied.map_or(0, |bucket| bucket.link());
        let mut at = home;
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

    /// Splits the next bucket: what is in it and behind it stays or goes to a new bucket, by one more bit of the hash.
    pub(crate) fn grow(&mut self, hash_of: impl Fn(B::Item) -> u64) {
        let old = self.split;
        self.homes.push();
        self.split = self.split.saturating_add(1);
        let Some(bucket) = self.homes.get_mut(old) else {
            return;
        };
        let mut moving = std::mem::replace(bucket, B::EMPTY);
        loop {
            for item in moving.items() {
                self.put(self.home(hash_of(item)), item);
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

    fn add_behind(&mut self, at: At) -> At {
        let number = self.free.pop().unwrap_or_else(|| self.overflow.push());
        if let Some(bucket) = self.bucket_mut(at) {
            bucket.set_link(number);
        }
        At::Overflow(number)
    }

    fn release(&mut self, number: u32) {
        if let Some(bucket) = self.overflow.get_mut(index_of(number)) {
            *bucket = B::EMPTY;
        }
        self.free.push(number);
    }
}

/// Place of the overflow bucket of a number; numbers begin at 1.
#[inline]
fn index_of(number: u32) -> usize {
    (number as usize).wrapping_sub(1)
}

impl<B: Bucket> Pages<B> {
    fn new() -> Pages<B> {
        Pages {
            pages: Vec::new(),
            count: 0,
        }
    }

    #[inline]
    fn get(&self, index: usize) -> Option<&B> {
        let page = self.pages.get(index / PAGE_BUCKETS)?;
        page.get(index % PAGE_BUCKETS)
    }

    #[inline]
    fn get_mut(&mut self, index: usize) -> Option<&mut B> {
        let page = self.pages.get_mut(index / PAGE_BUCKETS)?;
        page.get_mut(index % PAGE_BUCKETS)
    }

    /// Adds an empty bucket and gives its number, one more than its place.
    fn push(&mut self) -> u32 {
        if self.count.is_multiple_of(PAGE_BUCKETS) {
            self.pages.push(Vec::with_capacity(PAGE_BUCKETS));
        }
        if let Some(page) = self.pages.last_mut() {
            page.push(B::EMPTY);
        }
        self.count = self.count.saturating_add(1);
        // There are fewer buckets than items, whose number has 32 bits.
        u32::try_from(self.count).unwrap_or(u32::MAX)
    }
}
