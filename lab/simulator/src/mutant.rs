//! Deliberately broken variants of the switch. A simulator that does not catch them proves nothing.

#[cfg(feature = "mutants")]
use std::sync::atomic::{AtomicBool, Ordering};

/// Their names.
pub const MUTANTS: [&str; 21] = [
    "skip-sync",
    "send-before-durable",
    "post-twice",
    "forget-hold",
    "truncate-on-damage",
    "drop-tombstone",
    "late-acceptance-pays",
    "lookup-at-replay",
    "forget-card-reversal",
    "forget-withdrawal",
    "statement-misses-entry",
    "recompute-nets",
    "keep-tariff",
    "dispute-pays-twice",
    "mass-line-twice",
    "approved-twice",
    "presented-twice",
    "card-dispute-twice",
    "forget-due-change",
    "figures-without-holds",
    "stale-extract",
];

/// Makes this process run the broken variant of that name.
///
/// # Errors
/// There is none of that name, or this program was built without them, as every shipped one is.
#[cfg(feature = "mutants")]
pub fn choose(name: &str) -> Result<(), String> {
    let mutant: &AtomicBool = match name {
        "skip-sync" => &torap_journal::mutants::SKIP_SYNC,
        "send-before-durable" => &torap_core::mutants::SEND_BEFORE_DURABLE,
        "post-twice" => &torap_engine::mutants::POST_TWICE,
        "forget-hold" => &torap_engine::mutants::FORGET_HOLD,
        "truncate-on-damage" => &torap_journal::mutants::TRUNCATE_ON_DAMAGE,
        "drop-tombstone" => &torap_engine::mutants::DROP_TOMBSTONE,
        "late-acceptance-pays" => &torap_engine::mutants::LATE_ACCEPTANCE_PAYS,
        "lookup-at-replay" => &torap_follower::mutants::LOOKUP_AT_REPLAY,
        "forget-card-reversal" => &torap_engine::mutants::FORGET_CARD_REVERSAL,
        "forget-withdrawal" => &torap_engine::mutants::FORGET_WITHDRAWAL,
        "statement-misses-entry" => &torap_follower::mutants::LOSE_ENTRY,
        "recompute-nets" => &torap_engine::mutants::RECOMPUTE_NETS,
        "keep-tariff" => &torap_engine::mutants::KEEP_TARIFF,
        "dispute-pays-twice" => &torap_engine::mutants::DISPUTE_TWICE,
        "mass-line-twice" => &torap_engine::mutants::LINE_TWICE,
        "approved-twice" => &torap_engine::mutants::APPROVE_TWICE,
        "presented-twice" => &torap_engine::mutants::PRESENTED_TWICE,
        "card-dispute-twice" => &torap_engine::mutants::CARD_DISPUTE_TWICE,
        "forget-due-change" => &torap_engine::mutants::FORGET_DUE_CHANGE,
        "figures-without-holds" => &torap_engine::mutants::FIGURES_WITHOUT_HOLDS,
        "stale-extract" => &torap_engine::mutants::STALE_EXTRACT,
        _ => {
            return Err(format!(
                "no mutant `{name}`; there are {}",
                MUTANTS.join(", ")
            ));
        }
    };
    mutant.store(true, Ordering::Relaxed);
    Ok(())
}

/// As above, in a program that has none.
///
/// # Errors
/// Always.
#[cfg(not(feature = "mutants"))]
pub fn choose(name: &str) -> Result<(), String> {
    let known = MUTANTS.contains(&name);
    let why = if known {
        "this program was built without the feature `mutants`"
    } else {
        "there is no such mutant"
    };
    Err(format!("`{name}`: {why}"))
}
