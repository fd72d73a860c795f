//! The only source of chance in a simulation: SplitMix64, so that a seed is a whole run.

use torap_domain::Uetr;

/// A seeded source of draws.
#[derive(Clone, Debug)]
pub struct Draw(u64);

impl Draw {
    /// The draws of a seed.
    pub fn new(seed: u64) -> Draw {
        Draw(seed ^ 0x746f_7261_7020_7369)
    }

    /// A source of its own for one part of the run, so that more draws there change nothing elsewhere.
    pub fn fork(&mut self) -> Draw {
        Draw(self.next())
    }

    /// The next 64 bits.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `low` to `high`, both included.
    pub fn range(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high.saturating_sub(low) + 1)
    }

    /// A place in a list of `len` entries; 0 for an empty one.
    pub fn index(&mut self, len: usize) -> usize {
        (self.next() % len.max(1) as u64) as usize
    }

    /// True `permille` times in a thousand.
    pub fn chance(&mut self, permille: u64) -> bool {
        self.next() % 1000 < permille
    }

    /// A time from `low` up, seldom far above it: mostly within eight times, up to `high`.
    pub fn span(&mut self, low: u64, high: u64) -> u64 {
        let octave = self.range(0, 3) * self.range(0, 2);
        let top = low.saturating_mul(2 << octave.min(16)).min(high);
        self.range(low.min(top), top)
    }

    /// A place drawn by weights; the last one if all are zero.
    pub fn weighted(&mut self, weights: &[u64]) -> usize {
        let total: u64 = weights.iter().sum();
        let mut left = self.next() % total.max(1);
        for (place, weight) in weights.iter().enumerate() {
            if left < *weight {
                return place;
            }
            left -= weight;
        }
        weights.len().saturating_sub(1)
    }
}

/// A UETR (version 4) made of a number.
pub(crate) fn uetr_of(number: u64) -> Uetr {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    bytes[8..].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    Uetr::from_random(bytes)
}
