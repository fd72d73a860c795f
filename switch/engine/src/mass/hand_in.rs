//! Lines become payments: the switch hands them in one by one, and what comes of each try is counted here.

use torap_domain::{ParticipantId, Reason, Uetr};

use super::{
    Miss,
    pieces::{Stage, TRIES_MAX, TRY_AGAIN_AFTER},
};
use crate::{
    Event, Message, Outcome, Output, Source, Stamp, Standing, engine,
    instant::{CreditTransfer, PaymentKey, is_transient},
    links::Letter,
};

/// Whose stream has the answers of a line that waits; none if none waits under the key.
pub(crate) fn link_of(state: &engine::State, key: &PaymentKey) -> Option<ParticipantId> {
    let (_, known, _) = state.mass.pieces.waiting(key)?;
    Some(known.link)
}

/// Whether a refusal of a line that is handed in is not told, because it is handed in again.
pub(crate) fn tries_again(
    state: &engine::State,
    transfer: &CreditTransfer,
    reason: Reason,
) -> bool {
    transfer.source == Source::Switch
        && is_transient(reason)
        && tries(state, &transfer.key) < TRIES_MAX
}

/// How often a waiting line has been tried, this time included.
fn tries(state: &engine::State, key: &PaymentKey) -> u8 {
    match state.mass.pieces.waiting(key) {
        Some((_, _, entry)) => match entry.stage {
            Stage::Waiting { tries, .. } => tries.saturating_add(1),
            Stage::HandedIn | Stage::Missed(_) => TRIES_MAX,
        },
        None => TRIES_MAX,
    }
}

/// The instant rail has decided about a line that the switch handed in.
pub(crate) fn decided(
    state: &mut engine::State,
    stamp: Stamp,
    transfer: &CreditTransfer,
    outcome: Outcome,
    out: &mut Output,
) {
    if transfer.source != Source::Switch {
        return;
    }
    let key = &transfer.key;
    let stage = match outcome {
        Outcome::Accepted | Outcome::AlreadyApplied => Stage::HandedIn,
        Outcome::Refused(reason) if is_transient(reason) => {
            let tries = tries(state, key);
            if tries < TRIES_MAX {
                let again = stamp.time.saturating_add(TRY_AGAIN_AFTER);
                Stage::Waiting { tries, again }
            } else {
                Stage::Missed(reason)
            }
        }
        // These are not remembered as payments.
        Outcome::Refused(reason @ (Reason::DuplicateMismatch | Reason::Tombstoned)) => {
            Stage::Missed(reason)
        }
        // No bank stands behind the agent any more, so the rail has told nobody.
        Outcome::Refused(reason @ Reason::UnboundSender) => {
            give_up(state, stamp, key, reason, out);
            return;
        }
        Outcome::Refused(_) => Stage::HandedIn,
    };
    state.mass.pieces.set(key, stage);
}

/// A line could not be handed in: it is tried again, or given up and told.
pub(super) fn missed(
    state: &mut engine::State,
    stamp: Stamp,
    miss: &Miss,
    out: &mut Output,
) -> Outcome {
    let piece = (miss.participant, miss.file, miss.piece);
    let known = state.mass.pieces.get(&piece);
    let entry = known.and_then(|known| {
        let mut entries = known.entries.iter();
        entries.find(|entry| entry.place == miss.place)
    });
    let line = entry.map(|entry| entry.line.key);
    let waits = line.filter(|key| {
        let found = state.mass.pieces.waiting(key);
        found.is_some_and(|(of, _, _)| of == piece)
    });
    let Some(key) = waits.filter(|_| miss.source == Source::Switch) else {
        let reason = Reason::OriginalUnknown;
        out.event(Event::Refused { reason });
        return Outcome::Refused(reason);
    };
    let tries = tries(state, &key);
    if is_transient(miss.reason) && tries < TRIES_MAX {
        let again = stamp.time.saturating_add(TRY_AGAIN_AFTER);
        state.mass.pieces.set(&key, Stage::Waiting { tries, again });
    } else {
        give_up(state, stamp, &key, miss.reason, out);
    }
    Outcome::Accepted
}

/// The line will be no payment; its bank is told.
fn give_up(
    state: &mut engine::State,
    stamp: Stamp,
    key: &PaymentKey,
    reason: Reason,
    out: &mut Output,
) {
    let Some((_, known, entry)) = state.mass.pieces.waiting(key) else {
        return;
    };
    let message = Message::MassStatus {
        original: known.position,
        first: entry.place,
        lines: 1,
        standing: Standing::Refused { reason },
    };
    let link = known.link;
    state.mass.pieces.set(key, Stage::Missed(reason));
    out.event(Event::Refused { reason });
    state.links.send(out, stamp, link, Letter::new(message));
}

/// A bank asks about a line that waits: it is told that, and nothing is buried. False if none waits.
///
/// # Errors
/// One identifier is that of a waiting line, and the other is not.
pub(crate) fn asked(
    state: &mut engine::State,
    stamp: Stamp,
    (key, uetr): (&PaymentKey, &Uetr),
    link: ParticipantId,
    out: &mut Output,
) -> Result<bool, Reason> {
    let pieces = &state.mass.pieces;
    let Some((_, known, entry)) = pieces.waiting(key) else {
        return match pieces.waiting_of(uetr) {
            Some(_) => Err(Reason::OriginalMismatch),
            None => Ok(false),
        };
    };
    if entry.line.uetr != *uetr {
        return Err(Reason::OriginalMismatch);
    }
    let message = Message::MassStatus {
        original: known.position,
        first: entry.place,
        lines: 1,
        standing: Standing::Accepted,
    };
    state.links.send(out, stamp, link, Letter::new(message));
    Ok(true)
}
