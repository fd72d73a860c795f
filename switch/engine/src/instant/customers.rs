//! What each payer has sent today, found by payer and service.
//!
//! By linear hashing, each entry in its bucket itself: a payer takes one read of memory, mostly. Nothing is taken out during a
//! day; the day after, the whole is put aside and freed page by page.

use super::limits::CustomerKey;
use crate::{
    linear::{self, At, Bucket as _, Linear},
    table,
};

/// Entries of a bucket: with the link they fill 128 bytes.
const ENTRIES: usize = 5;
/// Entries for each bucket on average, at most. Buckets that are yet to be split hold up to twice as many as those that were.
const LOAD: usize = 3;

/// Payers whose counts stay in the processor's cache by themselves.
const NEAR_MAX: usize = 4096;

/// A payer's day with one service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Customer {
    /// Zero: nobody. No IIN is zero.
    pub(super) key: CustomerKey,
    pub(super) amount: u64,
    pub(super) count: u32,
}

/// Two neighbouring cache lines, which processors fetch as a pair.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(128))]
pub(super) struct Bucket {
    /// Those that are somebody come first.
    entries: [Customer; ENTRIES],
    link: u32,
}

/// Today's payers.
#[derive(Clone, Debug)]
pub(super) struct Customers {
    buckets: Linear<Bucket>,
    count: usize,
}

impl Customer {
    pub(super) const NOBODY: Customer = Customer {
        key: CustomerKey::NOBODY,
        amount: 0,
        count: 0,
    };
}

impl Customers {
    pub(super) fn new() -> Customers {
        Customers {
            buckets: Linear::new(),
            count: 0,
        }
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Whether there are so few that they stay in the processor's cache by themselves.
    #[inline]
    pub(super) fn is_near(&self) -> bool {
        self.count <= NEAR_MAX
    }

    /// Brings near what counting this payer will read; the value means nothing.
    pub(super) fn touch(&self, seed: u64, key: CustomerKey) -> u64 {
        let home = self.buckets.home(hash_of(seed, key));
        let bucket = self.buckets.bucket(home);
        // The first line and the second.
        bucket.map_or(0, |bucket| {
            bucket.entries[0].amount ^ u64::from(bucket.link)
        })
    }

    #[inline]
    pub(super) fn find(&self, seed: u64, key: CustomerKey) -> Option<Customer> {
        let (at, place) = self.search(hash_of(seed, key), key)?;
        self.buckets.bucket(at)?.entries.get(place).copied()
    }

    /// The payer's entry, made if it is not there; none for the key of nobody.
    #[inline]
    pub(super) fn entry(&mut self, seed: u64, key: CustomerKey) -> Option<&mut Customer> {
        if key == CustomerKey::NOBODY {
            return None;
        }
        let hash = hash_of(seed, key);
        let (at, place) = match self.search(hash, key) {
            Some(found) => found,
            None => self.insert(seed, hash, key)?,
        };
        self.buckets.bucket_mut(at)?.entries.get_mut(place)
    }

    /// All of them, sorted by key.
    pub(super) fn sorted(&self) -> Vec<Customer> {
        let mut customers: Vec<Customer> = self
            .buckets
            .buckets()
            .flat_map(linear::Bucket::items)
            .collect();
        customers.sort_unstable_by_key(|customer| customer.key);
        customers
    }

    /// The memory, in pieces that may be freed one by one.
    pub(super) fn into_pages(self) -> impl Iterator<Item = Vec<Bucket>> {
        self.buckets.into_pages()
    }

    fn insert(&mut self, seed: u64, hash: u64, key: CustomerKey) -> Option<(At, usize)> {
        if self.count >= self.buckets.homes().saturating_mul(LOAD) {
            self.buckets.grow(|customer| hash_of(seed, customer.key));
        }
        let home = self.buckets.home(hash);
        self.buckets.put(
            home,
            Customer {
                key,
                ..Customer::NOBODY
            },
        );
        self.count = self.count.saturating_add(1);
        self.search(hash, key)
    }

    #[inline]
    fn search(&self, hash: u64, key: CustomerKey) -> Option<(At, usize)> {
        let mut at = self.buckets.home(hash);
        loop {
            let bucket = self.buckets.bucket(at)?;
            let place = bucket
                .entries
                .iter()
                .position(|customer| customer.key == key);
            if let Some(place) = place {
                return Some((at, place));
            }
            at = bucket.next()?;
        }
    }
}

impl linear::Bucket for Bucket {
    type Item = Customer;

    const EMPTY: Bucket = Bucket {
        entries: [Customer::NOBODY; ENTRIES],
        link: 0,
    };

    fn put(&mut self, customer: Customer) -> bool {
        let mut entries = self.entries.iter_mut();
        let free = entries.find(|entry| entry.key == CustomerKey::NOBODY);
        match free {
            Some(entry) => {
                *entry = customer;
                true
            }
            None => false,
        }
    }

    fn items(&self) -> impl Iterator<Item = Customer> {
        let entries = self.entries.into_iter();
        entries.filter(|customer| customer.key != CustomerKey::NOBODY)
    }

    #[inline]
    fn link(&self) -> u32 {
        self.link
    }

    fn set_link(&mut self, number: u32) {
        self.link = number;
    }
}

fn hash_of(seed: u64, key: CustomerKey) -> u64 {
    table::hash(seed, u128::from(key.number()).to_le_bytes())
}

#[cfg(test)]
mod tests;
