//! How fast a snapshot is written: the disk and the cores belong to the payments.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::watch;
use torap_follower::Pace;

use super::switch::Published;

/// Rests after each piece so that no more than `bytes_per_s` are written, but never while the read side lags `lag_max` records
/// behind, and not when the switch stops.
pub(super) fn pace(
    bytes_per_s: u64,
    lag_max: u64,
    published: Arc<Published>,
    applied: Arc<AtomicU64>,
    stop: watch::Receiver<bool>,
) -> Box<Pace> {
    let (mut rested, mut before) = (Instant::now(), 0);
    Box::new(move |written, _| {
        // Fewer than before: another snapshot has begun.
        let piece = written.checked_sub(before).unwrap_or(written);
        before = written;
        let durable = published.durable.load(Ordering::Acquire);
        let lag = durable.saturating_sub(applied.load(Ordering::Acquire));
        if lag < lag_max && !*stop.borrow() {
            let due = duration_of(piece, bytes_per_s);
            std::thread::sleep(due.saturating_sub(rested.elapsed()));
        }
        rested = Instant::now();
    })
}

fn duration_of(bytes: u64, bytes_per_s: u64) -> Duration {
    let nanos = u128::from(bytes).saturating_mul(1_000_000_000) / u128::from(bytes_per_s.max(1));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}
