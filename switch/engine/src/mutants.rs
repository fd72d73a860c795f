//! Deliberately broken variants of the rules. The simulator has to catch each; no shipped binary holds them.

use std::sync::atomic::{AtomicBool, Ordering};

/// Books a settled payment a second time.
pub static POST_TWICE: AtomicBool = AtomicBool::new(false);
/// Leaves the hold of a rejected payment where it is.
pub static FORGET_HOLD: AtomicBool = AtomicBool::new(false);
/// Says "never received", and does not remember it.
pub static DROP_TOMBSTONE: AtomicBool = AtomicBool::new(false);
/// Lets an acceptance after the decision move the money.
pub static LATE_ACCEPTANCE_PAYS: AtomicBool = AtomicBool::new(false);
/// Says nothing to an issuer whose answer does not count.
pub static FORGET_CARD_REVERSAL: AtomicBool = AtomicBool::new(false);
/// Answers a withdrawal of a payment of IMTS with yes, and lets the payment wait on.
pub static FORGET_WITHDRAWAL: AtomicBool = AtomicBool::new(false);
/// Computes the nets of a card session again without those who are short.
pub static RECOMPUTE_NETS: AtomicBool = AtomicBool::new(false);
/// Keeps the first tariff table.
pub static KEEP_TARIFF: AtomicBool = AtomicBool::new(false);
/// Moves the money of a step of a dispute twice.
pub static DISPUTE_TWICE: AtomicBool = AtomicBool::new(false);
/// Pays a line of a file again that is a payment already.
pub static LINE_TWICE: AtomicBool = AtomicBool::new(false);
/// Lets an order that was approved wait on, and be approved again.
pub static APPROVE_TWICE: AtomicBool = AtomicBool::new(false);

/// Takes a line of a presentment file again that was taken already.
pub static PRESENTED_TWICE: AtomicBool = AtomicBool::new(false);
/// Books the obligation of a step of a case about a card transaction twice.
pub static CARD_DISPUTE_TWICE: AtomicBool = AtomicBool::new(false);
/// Forgets a change whose time has come, and says that it took effect.
pub static FORGET_DUE_CHANGE: AtomicBool = AtomicBool::new(false);
/// Tells what may be spent of an account without what is held on it.
pub static FIGURES_WITHOUT_HOLDS: AtomicBool = AtomicBool::new(false);
/// Ends an extract of the day some records before it was asked for.
pub static STALE_EXTRACT: AtomicBool = AtomicBool::new(false);

pub(crate) fn is_on(mutant: &AtomicBool) -> bool {
    mutant.load(Ordering::Relaxed)
}
