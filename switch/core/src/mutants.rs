//! Deliberately broken variants of the core. The simulator has to catch each; no shipped binary holds them.

use std::sync::atomic::{AtomicBool, Ordering};

/// Releases results as soon as they are applied.
pub static SEND_BEFORE_DURABLE: AtomicBool = AtomicBool::new(false);

pub(crate) fn is_on(mutant: &AtomicBool) -> bool {
    mutant.load(Ordering::Relaxed)
}
