//! A fixed histogram of durations, log-linear, to about three significant digits. Recording touches one counter.
//!
//! Values below 2048 µs have a bucket each; above, every power of two is split into 1024 buckets, so a bucket is never wider than
//! 1/1024 of its values.

/// Bits of a value that a bucket keeps.
const KEPT_BITS: u32 = 11;
/// Values below this have a bucket each.
const LINEAR: u64 = 1 << KEPT_BITS;
/// Buckets of each further power of two.
const HALF: u64 = LINEAR / 2;
/// Values from 2^27 µs (134 s) on share the last bucket; the largest value is kept beside it.
const TOP_BITS: u32 = 27;
const BUCKETS: usize = (LINEAR + HALF * (TOP_BITS - KEPT_BITS) as u64) as usize;

/// Counts durations in microseconds.
#[derive(Debug, Clone)]
pub struct Histogram {
    counts: Box<[u64]>,
    total: u64,
    max_us: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram {
            counts: vec![0; BUCKETS].into_boxed_slice(),
            total: 0,
            max_us: 0,
        }
    }
}

impl Histogram {
    /// Counts one duration.
    pub fn record(&mut self, us: u64) {
        let bucket = bucket_of(us).min(BUCKETS - 1);
        if let Some(count) = self.counts.get_mut(bucket) {
            *count += 1;
        }
        self.total += 1;
        self.max_us = self.max_us.max(us);
    }

    /// How many durations were counted.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The largest duration, exact.
    pub fn max_us(&self) -> u64 {
        self.max_us
    }

    /// The duration that `share` per mille of all durations do not exceed, rounded up to the end of its bucket; `None` if nothing
    /// was counted.
    pub fn at_per_mille(&self, share: u64) -> Option<u64> {
        if self.total == 0 {
            return None;
        }
        let wanted = u128::from(self.total) * u128::from(share);
        let wanted = u64::try_from(wanted.div_ceil(1000))
            .unwrap_or(self.total)
            .max(1);
        let mut below = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            below += count;
            if below >= wanted {
                let last = bucket + 1 == BUCKETS;
                return Some(if last {
                    self.max_us
                } else {
                    last_of(bucket).min(self.max_us)
                });
            }
        }
        Some(self.max_us)
    }
}

fn bucket_of(us: u64) -> usize {
    let bits = u64::BITS - us.leading_zeros();
    let index = match bits.checked_sub(KEPT_BITS) {
        None | Some(0) => us,
        Some(shift) => LINEAR + HALF * u64::from(shift - 1) + ((us >> shift) - HALF),
    };
    usize::try_from(index).unwrap_or(usize::MAX)
}

/// The largest value of a bucket.
fn last_of(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    let Some(above) = bucket.checked_sub(LINEAR) else {
        return bucket;
    };
    let shift = above / HALF + 1;
    let kept = HALF + above % HALF;
    ((kept + 1) << shift) - 1
}

#[cfg(test)]
mod tests;
