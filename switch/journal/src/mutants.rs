//! Deliberately broken variants of the log. The simulator has to catch each; no shipped binary holds them.

use std::sync::atomic::{AtomicBool, Ordering};

/// Reports groups as durable that were never synced.
pub static SKIP_SYNC: AtomicBool = AtomicBool::new(false);
/// Takes damage at the end of the log for a torn write, and drops what follows.
pub static TRUNCATE_ON_DAMAGE: AtomicBool = AtomicBool::new(false);

pub(crate) fn is_on(mutant: &AtomicBool) -> bool {
    mutant.load(Ordering::Relaxed)
}
