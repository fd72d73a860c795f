//! The archive and the end of old segments, by the policy of `torap.toml`.
//!
//! Moving loses nothing: readers find a segment in the archive. Expiry is for ever, so it stops before the first record that
//! anyone still needs: the older of the two newest snapshots (and with it the index, which is flushed before a snapshot),
//! what waits in the state, and what a bank has not received yet.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use torap_domain::{ParticipantId, Position, Sequence};
use torap_engine::{Message, Notice, Outbound};
use torap_follower::SnapshotStore;
use torap_index::{Index, PAGE_MAX, RocksIndex};
use torap_journal::{Bound, FileMedium, Sealed};

use super::{
    change,
    show::{ask, unreadable},
};
use crate::{
    control::Refusal,
    serve::switch::{Switch, wall_clock},
};

const DAY: Duration = Duration::from_secs(24 * 3600);
/// Snapshots behind which everything is kept: the newest one may turn out to be damaged.
const SNAPSHOTS_NEEDED: usize = 2;

/// Somebody who needs the log from a record on.
struct Need {
    who: String,
    from: Position,
}

/// Moves the sealed segments that are old enough to the archive.
pub(super) async fn archive(switch: &Switch) -> Result<Value, Refusal> {
    let store = switch.store.clone();
    if store.archive.is_none() {
        return Err(Refusal::of_request(
            "journal.archive_dir",
            "torap.toml names no archive",
        ));
    }
    let bound = Bound {
        sequence: u64::MAX,
        time: days_ago(switch.config.journal.archive_after_days),
    };
    let reader = switch.records().reader();
    let moved = blocking(move || {
        store
            .archive(&bound, &mut |_| reader.close_files())
            .map_err(|error| failed("journal", &error))
    })
    .await?;
    tracing::info!(segments = moved.len(), "segments archived");
    Ok(json!({ "moved": names(&moved) }))
}

/// Removes the sealed segments beyond the policy that nobody needs; with `dry_run` only says which. What the banks `without`
/// have not received is not kept.
pub(super) async fn expire(
    switch: &Switch,
    without: &[String],
    dry_run: bool,
) -> Result<Value, Refusal> {
    let Some(keep_days) = switch.config.journal.keep_days else {
        return Err(Refusal::of_request(
            "journal.keep_days",
            "torap.toml says to keep everything",
        ));
    };
    let needs = needs(switch, without).await?;
    let first_needed = needs.iter().map(|need| need.from).min();
    let bound = Bound {
        sequence: first_needed.map_or(0, |from| from.value().saturating_sub(1)),
        time: days_ago(keep_days),
    };
    let (store, reader) = (switch.store.clone(), switch.records().reader());
    let gone = blocking(move || {
        if dry_run {
            let sealed = store.sealed().map_err(|error| failed("journal", &error))?;
            return Ok(sealed
                .into_iter()
                .take_while(|one| one.last_sequence <= bound.sequence && one.last_time < bound.time)
                .collect());
        }
        store
            .expire(&bound, &mut |first| reader.forget_before(first))
            .map_err(|error| failed("journal", &error))
    })
    .await?;
    if !dry_run {
        tracing::warn!(segments = gone.len(), "segments expired");
    }
    let needs: Vec<Value> = needs
        .iter()
        .map(|need| json!({ "needed_by": need.who, "from": need.from.value() }))
        .collect();
    Ok(json!({
        "expired": names(&gone),
        "dry_run": dry_run,
        "log_begins": gone.last().map(|last| last.last_sequence + 1),
        "needs": needs,
    }))
}

async fn needs(switch: &Switch, without: &[String]) -> Result<Vec<Need>, Refusal> {
    let mut needs = vec![snapshots(switch)?];
    let referred = ask(switch, |engine| engine.oldest_referred()).await?;
    needs.extend(referred.map(|from| Need {
        who: "what waits in the state".into(),
        from,
    }));
    let index = Arc::clone(&switch.index);
    let flushed = blocking(move || index.flush().map_err(unreadable)).await?;
    needs.push(Need {
        who: "index".into(),
        from: flushed.next(),
    });
    let mut left_out = Vec::new();
    for code in without {
        left_out.push(change::participant(switch, code)?.id);
    }
    for view in switch.published.views() {
        let last = switch.index.outbound_last(view.id).map_err(unreadable)?;
        if left_out.contains(&view.id) || last == Sequence::ZERO {
            continue;
        }
        let code = view.code.as_str().to_owned();
        let Some(held) = switch.outbox.stream(view.id).held_by_bank() else {
            let who = format!("{code}, which has not signed on since the start");
            let from = Position(1);
            needs.push(Need { who, from });
            continue;
        };
        let (index, id) = (Arc::clone(&switch.index), view.id);
        let oldest = blocking(move || oldest_unheld(&index, id, held)).await?;
        needs.extend(oldest.map(|from| Need { who: code, from }));
    }
    Ok(needs)
}

/// The records behind the older of the two newest snapshots.
fn snapshots(switch: &Switch) -> Result<Need, Refusal> {
    let folder = switch.folder.snapshots();
    let medium = FileMedium::open_existing(&folder).map_err(|error| failed("snapshots", &error))?;
    let store = SnapshotStore::view(Arc::new(medium));
    let positions = store
        .positions()
        .map_err(|error| failed("snapshots", &error))?;
    let mut sound = Vec::new();
    for position in positions.into_iter().take(SNAPSHOTS_NEEDED) {
        sound.push(
            store
                .info(position)
                .map_err(|error| failed("snapshots", &error))?
                .position,
        );
    }
    match sound.as_slice() {
        [_, older] => Ok(Need {
            who: "the two newest snapshots".into(),
            from: older.next(),
        }),
        _ => Err(Refusal::of_request(
            "snapshots",
            "two snapshots are needed before anything may expire: `torap ctl snapshot`",
        )),
    }
}

/// The oldest record that an entry behind what the bank holds is written from.
fn oldest_unheld(
    index: &RocksIndex,
    participant: ParticipantId,
    held: Sequence,
) -> Result<Option<Position>, Refusal> {
    let mut oldest: Option<Position> = None;
    let mut from = held.next();
    let mut entries = Vec::new();
    loop {
        entries.clear();
        index
            .outbound_range(participant, from, PAGE_MAX, &mut entries)
            .map_err(unreadable)?;
        let Some(last) = entries.last() else {
            return Ok(oldest);
        };
        from = last.sequence.next();
        let needed = entries.iter().map(needed_by).min();
        oldest = oldest.into_iter().chain(needed).min();
    }
}

fn needed_by(entry: &Outbound) -> Position {
    let named = match entry.message {
        Message::Forward { original }
        | Message::Confirm { original }
        | Message::Status { original, .. }
        | Message::ForwardReturn { original }
        | Message::ForwardRecall { original }
        | Message::ForwardResolution { original }
        | Message::Resolution { original, .. }
        | Message::LookUpAnswer { original, .. }
        | Message::Reject { original, .. }
        | Message::CommandAnswer { original, .. }
        | Message::NotReceived { original }
        | Message::MassStatus { original, .. }
        | Message::ClearingStatus { original, .. }
        | Message::ClearingForward { original, .. }
        | Message::ClearingRefused { original, .. }
        | Message::ImtsStatus { original, .. }
        | Message::ImtsForward { original, .. }
        | Message::WithdrawalAnswer { original, .. }
        | Message::ImtsReceipt { original, .. }
        | Message::Report { original } => original,
        Message::ClearingReport { .. } | Message::ImtsDay { .. } | Message::ImtsNotice { .. } => {
            entry.cause
        }
        Message::Notice { notice } => match notice {
            Notice::Floor { .. }
            | Notice::Ceiling { .. }
            | Notice::CardNet { .. }
            | Notice::Defaulted { .. }
            | Notice::FundUsed { .. }
            | Notice::NetLost { .. }
            | Notice::TopUpCalled { .. }
            | Notice::Case(_) => entry.cause,
            Notice::AliasClaimed { claim }
            | Notice::ClaimContested { claim }
            | Notice::AliasSuspended { claim } => claim,
            Notice::AliasReleased { release } => release,
            Notice::StateChanged { change } => change,
            Notice::Funded { funding } => funding,
        },
    };
    named.min(entry.cause)
}

/// Work on the disk, off the threads that serve the banks.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| failed("switch", &error))?
}

fn names(segments: &[Sealed]) -> Vec<&str> {
    segments.iter().map(|one| one.name.as_str()).collect()
}

/// Nanoseconds since 1970 UTC, so many days before now.
fn days_ago(days: u64) -> u64 {
    let span = DAY.as_nanos().saturating_mul(u128::from(days));
    let nanos = u128::from(wall_clock().nanos()).saturating_sub(span);
    u64::try_from(nanos).unwrap_or(u64::MAX)
}

fn failed(place: &str, error: &dyn std::fmt::Display) -> Refusal {
    Refusal {
        place: place.into(),
        rule: "failed".into(),
        text: error.to_string(),
        actor: "operator".into(),
    }
}
