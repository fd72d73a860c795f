//! Takes a piece: what is wrong with it as a whole refuses it, what is wrong with a line refuses the line.

use std::collections::BTreeSet;

use torap_domain::{ParticipantId, Position, Reason, Span, Time};

use super::{
    FILES_MAX, FILES_OF_ONE_MAX, File, LINES_MAX, LINES_OF_ONE_MAX, PIECE_LINES_MAX, State, Take,
    pieces::{Entry, Known, PieceKey, Stage},
};
use crate::{
    Message, Outcome, Output, Source, Stamp, Standing, engine,
    instant::{FinalOutcome, Finished, Found, answer_again},
    links::Letter,
};

/// The latest start of a file, from now.
pub const STARTS_WITHIN: Span = Span::from_secs(7 * 24 * 3600);

/// Lines whose statuses share one message: the bits of its mask.
const BLOCK_LINES: u16 = 64;

pub(super) fn apply(
    state: &mut engine::State,
    stamp: Stamp,
    take: &Take,
    out: &mut Output,
) -> Outcome {
    let taken = sender_of(state, take).and_then(|sender| {
        let link = take.source.link().unwrap_or(sender);
        admit(state, stamp, take, sender).map(|known| (sender, link, known))
    });
    let (sender, link, known) = match taken {
        Ok(taken) => taken,
        Err(reason) => return state.links.reject(out, stamp, &take.source, reason),
    };
    let key = (sender, take.piece.file, take.piece.number);
    if known {
        again(state, stamp, take, (key, link), out);
        return Outcome::AlreadyApplied;
    }
    let position = state.facts_of(stamp);
    let standings = state.mass.insert(stamp, take, (key, link), position);
    answer(state, stamp, take, link, standings, out);
    Outcome::Accepted
}

/// The participant that instructs: on a link by the rules of links, for the operator whom the agent leads to.
fn sender_of(state: &engine::State, take: &Take) -> Result<ParticipantId, Reason> {
    match take.source {
        Source::Link { .. } => state
            .participants
            .sender(&take.source, &take.instructing_agent),
        Source::Operator { .. } => state
            .participants
            .by_bic(&take.instructing_agent)
            .ok_or(Reason::UnknownParticipant),
        Source::Switch => Err(Reason::UnboundSender),
    }
}

/// Whether the piece may be taken; true if it was taken before.
fn admit(
    state: &mut engine::State,
    stamp: Stamp,
    take: &Take,
    sender: ParticipantId,
) -> Result<bool, Reason> {
    if take.lines.is_empty() || take.lines.len() > PIECE_LINES_MAX {
        return Err(Reason::ProfileViolation);
    }
    let latest = stamp.time.saturating_add(STARTS_WITHIN);
    if take.starts.is_some_and(|starts| starts > latest) {
        return Err(Reason::ValueDateNotAllowed);
    }
    let piece = &take.piece;
    let key: PieceKey = (sender, piece.file, piece.number);
    let starts = take.starts.unwrap_or(Time::EPOCH);
    let known = state.mass.pieces.get(&key);
    let is_known = known.is_some();
    if known.is_some_and(|known| known.content != take.content) {
        return Err(Reason::DuplicateMismatch);
    }
    if is_known {
        return match has_room(state, &key, starts, stamp.time) {
            true => Ok(true),
            false => Err(Reason::Overloaded),
        };
    }
    let mass = &mut state.mass;
    // A file that goes on is not forgotten by that; one that is being forgotten goes on no more.
    let goes_on = mass.files.get(&(sender, piece.file));
    if goes_on.is_none_or(|file| file.complete) {
        mass.forget_some(stamp.time);
    }
    let file = mass.files.get(&(sender, piece.file));
    let is_next = match file {
        None => piece.number == 1,
        Some(file) => piece.number == file.next && !file.complete,
    };
    if !is_next {
        return Err(Reason::PieceOutOfOrder);
    }
    mass.check_bounds(take, sender)?;
    if has_room(state, &key, starts, stamp.time) {
        Ok(false)
    } else {
        Err(Reason::Overloaded)
    }
}

/// Whether there is room for what would wait of a piece. One that waits has its room, and one of which nothing would wait needs none.
pub(super) fn has_room(state: &engine::State, key: &PieceKey, starts: Time, now: Time) -> bool {
    let pieces = &state.mass.pieces;
    let Some(known) = pieces.get(key) else {
        return pieces.have_room(key.0, starts, now);
    };
    let revives = |entry: &Entry| matches!(stands(state, entry), Stands::Nowhere);
    pieces.is_waiting(key)
        || !known.entries.iter().any(revives)
        || pieces.have_room(key.0, known.starts, now)
}

impl State {
    pub(super) fn check_bounds(&self, take: &Take, sender: ParticipantId) -> Result<(), Reason> {
        let first = (sender, crate::clearing::FileKey([0; 16]));
        let last = (sender, crate::clearing::FileKey([u8::MAX; 16]));
        let (mut files, mut lines) = (0_usize, 0_usize);
        for (_, file) in self.files.range(first..=last) {
            files = files.saturating_add(1);
            lines = lines.saturating_add(file.lines.len());
        }
        let is_new = !self.files.contains_key(&(sender, take.piece.file));
        let more = take.lines.len();
        let room = lines.saturating_add(more) <= LINES_OF_ONE_MAX
            && self.uetrs.len().saturating_add(more) <= LINES_MAX
            && self.pieces.may_know(sender)
            && (!is_new || (files < FILES_OF_ONE_MAX && self.files.len() < FILES_MAX));
        if room {
            Ok(())
        } else {
            Err(Reason::InternalLimit)
        }
    }

    /// Takes the lines of a piece that no other line is in the way of; how each stands.
    fn insert(
        &mut self,
        stamp: Stamp,
        take: &Take,
        (key, link): (PieceKey, ParticipantId),
        position: Position,
    ) -> Vec<Standing> {
        let (mut keys, mut entries) = (BTreeSet::new(), Vec::new());
        let mut standings = Vec::with_capacity(take.lines.len());
        for (item, place) in take.lines.iter().zip(0_u16..) {
            let line = item.line;
            let is_free = self.pieces.waiting(&line.key).is_none() && !keys.contains(&line.key);
            standings.push(if item.fault.is_some() {
                Standing::Broken
            } else if is_free && self.uetrs.insert(line.uetr) {
                keys.insert(line.key);
                let stage = waiting(stamp);
                entries.push(Entry { line, place, stage });
                Standing::Accepted
            } else {
                let reason = Reason::DuplicateMismatch;
                Standing::Refused { reason }
            });
        }
        let (participant, file_key, number) = key;
        let file = self
            .files
            .entry((participant, file_key))
            .or_insert_with(|| File {
                next: 1,
                complete: false,
                at: stamp.time,
                lines: Vec::new(),
                before_last: 0,
            });
        file.before_last = file.lines.len();
        file.lines.extend(entries.iter().map(|entry| entry.line));
        file.next = number.saturating_add(1);
        file.complete = take.piece.last;
        file.at = stamp.time;
        let known = Known {
            position,
            link,
            starts: take.starts.unwrap_or(Time::EPOCH),
            content: take.content,
            entries,
        };
        self.pieces.insert(key, known);
        standings
    }
}

fn waiting(stamp: Stamp) -> Stage {
    Stage::Waiting {
        tries: 0,
        again: stamp.time,
    }
}

/// A piece that was taken before: each line is answered as it stands. One that is no payment, and one that the engine has forgotten,
/// waits once more; the instant rail makes no second payment of it.
fn again(
    state: &mut engine::State,
    stamp: Stamp,
    take: &Take,
    (key, link): (PieceKey, ParticipantId),
    out: &mut Output,
) {
    let Some(mut known) = state.mass.pieces.get(&key).cloned() else {
        return;
    };
    known.position = state.facts_of(stamp);
    known.link = link;
    let mut standings: Vec<Option<Standing>> = take
        .lines
        .iter()
        .map(|item| {
            let reason = Reason::DuplicateMismatch;
            Some(match item.fault {
                Some(_) => Standing::Broken,
                None => Standing::Refused { reason },
            })
        })
        .collect();
    let mut finished: Vec<Finished> = Vec::new();
    for entry in &mut known.entries {
        let stands = stands(state, entry);
        let standing = match stands {
            Stands::Final(outcome) => {
                finished.push(outcome);
                None
            }
            Stands::UnderWay => Some(Standing::Pending),
            Stands::Mismatch => continue,
            Stands::Waits => Some(Standing::Accepted),
            Stands::Nowhere => {
                entry.stage = waiting(stamp);
                Some(Standing::Accepted)
            }
        };
        if let Some(place) = standings.get_mut(usize::from(entry.place)) {
            *place = standing;
        }
    }
    state.mass.pieces.insert(key, known);
    answer(state, stamp, take, link, standings, out);
    for outcome in &finished {
        answer_again(state, stamp, link, outcome, None, out);
    }
}

/// Where a line is.
enum Stands {
    Waits,
    UnderWay,
    Final(Finished),
    /// Its identifier is another payment's.
    Mismatch,
    Nowhere,
}

fn stands(state: &engine::State, entry: &Entry) -> Stands {
    if matches!(entry.stage, Stage::Waiting { .. }) {
        return Stands::Waits;
    }
    let (key, uetr) = (&entry.line.key, &entry.line.uetr);
    if let Some(Found::Finished(finished)) = state.instant.payments.find_key(key) {
        let is_own = finished.uetr == *uetr && finished.outcome != FinalOutcome::Tombstone;
        return if is_own {
            Stands::Final(finished)
        } else {
            Stands::Mismatch
        };
    }
    match state.instant.under_way_by_key(key) {
        Some(payment) if payment.uetr == *uetr => Stands::UnderWay,
        Some(_) => Stands::Mismatch,
        // The line was given up, and another piece has one with its identifier, which waits.
        None if state.mass.pieces.waiting(key).is_some() => Stands::Mismatch,
        None => Stands::Nowhere,
    }
}

/// Tells how the lines stand, in messages of up to 64 lines that stand alike.
fn answer(
    state: &mut engine::State,
    stamp: Stamp,
    take: &Take,
    link: ParticipantId,
    standings: impl IntoIterator<Item = impl Into<Option<Standing>>>,
    out: &mut Output,
) {
    let original = state.facts_of(stamp);
    let mut blocks: Vec<(u16, Standing, u64)> = Vec::new();
    for (standing, place) in standings.into_iter().take(take.lines.len()).zip(0_u16..) {
        let Some(standing) = standing.into() else {
            continue;
        };
        let first = place.saturating_sub(place % BLOCK_LINES);
        let bit = 1_u64.wrapping_shl(u32::from(place % BLOCK_LINES));
        let same = |block: &&mut (u16, Standing, u64)| (block.0, block.1) == (first, standing);
        match blocks.iter_mut().find(same) {
            Some((_, _, lines)) => *lines |= bit,
            None => blocks.push((first, standing, bit)),
        }
    }
    for (first, standing, lines) in blocks {
        let message = Message::MassStatus {
            original,
            first,
            lines,
            standing,
        };
        state.links.send(out, stamp, link, Letter::new(message));
    }
}
