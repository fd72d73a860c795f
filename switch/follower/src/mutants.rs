//! Deliberately broken variants of the read side. The simulator has to catch each; no shipped binary holds them.

use std::sync::atomic::{AtomicBool, Ordering};

use torap_engine::{
    Command, codec,
    instant::{self, History},
};
use torap_index::{AsOf, Index};

/// Looks facts up again while it replays, in place of those in the record.
pub static LOOKUP_AT_REPLAY: AtomicBool = AtomicBool::new(false);

/// Loses the first entry of each page of a statement but the first.
pub static LOSE_ENTRY: AtomicBool = AtomicBool::new(false);

/// The facts of a payment with its history as the index knows it now.
pub(crate) fn looked_up_again(index: &impl Index, kind: u16, facts: &[u8]) -> Option<Vec<u8>> {
    if !LOOKUP_AT_REPLAY.load(Ordering::Relaxed) {
        return None;
    }
    let Ok(Command::Instant(instant::Command::CreditTransfer(mut transfer))) =
        codec::decode(kind, facts)
    else {
        return None;
    };
    let AsOf { as_of, value } = index.payment_by_key(&transfer.key).ok()?;
    transfer.history = Some(match value {
        Some(finished) => History::Known { as_of, finished },
        None => History::Unknown { as_of },
    });
    let mut facts = Vec::new();
    let transfer = Command::Instant(instant::Command::CreditTransfer(transfer));
    codec::encode(&transfer, &mut facts);
    Some(facts)
}
