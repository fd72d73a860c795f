//! What is known of every piece: which of its lines are still to be handed in, and from which record.

use std::collections::{BTreeMap, BTreeSet};

use torap_domain::{ParticipantId, Position, Reason, Span, Time, Uetr};

use super::{LINES_MAX, Line, PIECE_LINES_MAX};
use crate::{
    clearing::FileKey,
    codec::{FactsError, LayoutRule, Reader, Writer},
    instant::{Fingerprint, PaymentKey},
};

/// Pieces with lines that wait, of all participants, without those whose start is yet to come. A participant that has none may have one
/// even so.
pub const PIECES_WAITING_MAX: usize = 256;
/// Those of one participant.
pub const PIECES_WAITING_OF_ONE_MAX: usize = 64;
/// Pieces of one participant whose start is yet to come.
pub const PIECES_STARTING_LATER_OF_ONE_MAX: usize = 64;
/// Pieces that are known, whether or not a line of them is good.
pub const PIECES_MAX: usize = 16_384;
/// Those of one participant.
pub const PIECES_OF_ONE_MAX: usize = 4_096;
/// How often a line is handed in while the switch has no room for it, or its payee's bank has too much to answer.
pub const TRIES_MAX: u8 = 20;
/// How long between two tries.
pub const TRY_AGAIN_AFTER: Span = Span::from_millis(250);

/// A piece: whose, of which file, and its number.
pub(super) type PieceKey = (ParticipantId, FileKey, u32);

/// How far a line has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Waiting {
        tries: u8,
        /// Not before.
        again: Time,
    },
    /// The instant rail has it.
    HandedIn,
    /// It was given up before it became a payment.
    Missed(Reason),
}

/// A line that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) line: Line,
    /// In the message.
    pub(super) place: u16,
    pub(super) stage: Stage,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    /// The record whose evidence has the lines.
    pub(super) position: Position,
    /// Whose stream has the answers.
    pub(super) link: ParticipantId,
    pub(super) starts: Time,
    pub(super) content: Fingerprint,
    /// By place, rising.
    pub(super) entries: Vec<Entry>,
}

/// A line that is due to be handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    pub participant: ParticipantId,
    pub file: FileKey,
    pub piece: u32,
    /// The record whose evidence has the line.
    pub position: Position,
    /// Place of the line in its message, from 0.
    pub place: u16,
    pub line: Line,
}

/// The pieces by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pieces {
    known: BTreeMap<PieceKey, Known>,
    /// Those with lines that wait, by record. Follows from `known`.
    open: BTreeMap<Position, PieceKey>,
    /// The lines that wait, and their place among the entries. Follows from `known`.
    waiting: BTreeMap<PaymentKey, (PieceKey, usize)>,
    /// Their UETRs. Follows from `known`.
    waiting_uetrs: BTreeMap<Uetr, PaymentKey>,
}

impl Pieces {
    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// What becomes of the first bank's lines is told to the second one, which took it over.
    pub(super) fn hand_over(&mut self, bank: ParticipantId, heir: ParticipantId) {
        for known in self.known.values_mut() {
            if known.link == bank {
                known.link = heir;
            }
        }
    }

    pub(super) fn get(&self, key: &PieceKey) -> Option<&Known> {
        self.known.get(key)
    }

    /// The piece that a waiting line belongs to, and the line's entry.
    pub(super) fn waiting(&self, key: &PaymentKey) -> Option<(PieceKey, &Known, Entry)> {
        let (piece, index) = self.waiting.get(key)?;
        let known = self.known.get(piece)?;
        Some((*piece, known, *known.entries.get(*index)?))
    }

    /// Whose line with this UETR waits.
    pub(super) fn waiting_of(&self, uetr: &Uetr) -> Option<ParticipantId> {
        let ((owner, _, _), _, _) = self.waiting(self.waiting_uetrs.get(uetr)?)?;
        Some(owner)
    }

    /// Whether a piece of this participant may begin to wait, which starts at this time.
    pub(super) fn have_room(&self, participant: ParticipantId, starts: Time, now: Time) -> bool {
        let (mut all, mut own, mut own_later) = (0_usize, 0_usize, 0_usize);
        for key in self.open.values() {
            let is_later = self.known.get(key).is_some_and(|known| known.starts > now);
            let is_own = usize::from(key.0 == participant);
            if is_later {
                own_later = own_later.saturating_add(is_own);
            } else {
                all = all.saturating_add(1);
                own = own.saturating_add(is_own);
            }
        }
        if starts > now {
            return own_later < PIECES_STARTING_LATER_OF_ONE_MAX;
        }
        own == 0 || (all < PIECES_WAITING_MAX && own < PIECES_WAITING_OF_ONE_MAX)
    }

    /// Whether one more piece of this participant may be known.
    pub(super) fn may_know(&self, participant: ParticipantId) -> bool {
        let first = (participant, FileKey([0; 16]), 0);
        let last = (participant, FileKey([u8::MAX; 16]), u32::MAX);
        self.known.len() < PIECES_MAX && self.known.range(first..=last).count() < PIECES_OF_ONE_MAX
    }

    /// The files with lines that wait.
    pub(super) fn files_that_wait(&self) -> BTreeSet<(ParticipantId, FileKey)> {
        let open = self.open.values();
        open.map(|(owner, file, _)| (*owner, *file)).collect()
    }

    pub(super) fn is_waiting(&self, key: &PieceKey) -> bool {
        let known = self.known.get(key);
        known.is_some_and(|known| self.open.contains_key(&known.position))
    }

    /// The oldest record that lines are still handed in from.
    pub(super) fn oldest(&self) -> Option<Position> {
        self.open.first_key_value().map(|(position, _)| *position)
    }

    /// Sets what is known of a piece.
    pub(super) fn insert(&mut self, key: PieceKey, known: Known) {
        self.remove(&key);
        let mut waits = false;
        for (index, entry) in known.entries.iter().enumerate() {
            if matches!(entry.stage, Stage::Waiting { .. }) {
                waits = true;
                self.waiting.insert(entry.line.key, (key, index));
                self.waiting_uetrs.insert(entry.line.uetr, entry.line.key);
            }
        }
        if waits {
            self.open.insert(known.position, key);
        }
        self.known.insert(key, known);
    }

    fn remove(&mut self, key: &PieceKey) -> Option<Known> {
        let known = self.known.remove(key)?;
        self.open.remove(&known.position);
        for entry in &known.entries {
            if matches!(entry.stage, Stage::Waiting { .. }) {
                self.waiting.remove(&entry.line.key);
                self.waiting_uetrs.remove(&entry.line.uetr);
            }
        }
        Some(known)
    }

    /// Forgets up to `most` pieces of a file; how many.
    pub(super) fn forget(
        &mut self,
        participant: ParticipantId,
        file: FileKey,
        most: usize,
    ) -> usize {
        let range = (participant, file, 0)..=(participant, file, u32::MAX);
        let known = self.known.range(range).take(most);
        let keys: Vec<PieceKey> = known.map(|(key, _)| *key).collect();
        for key in &keys {
            self.remove(key);
        }
        keys.len()
    }

    /// Whether lines of a file wait.
    pub(super) fn file_waits(&self, participant: ParticipantId, file: FileKey) -> bool {
        let mut open = self.open.values();
        open.any(|(owner, of, _)| (*owner, *of) == (participant, file))
    }

    /// Changes how far a waiting line has come.
    pub(super) fn set(&mut self, key: &PaymentKey, stage: Stage) {
        let Some((piece, index)) = self.waiting.get(key).copied() else {
            return;
        };
        let Some(known) = self.known.get_mut(&piece) else {
            return;
        };
        if let Some(entry) = known.entries.get_mut(index) {
            entry.stage = stage;
            if !matches!(stage, Stage::Waiting { .. }) {
                self.waiting_uetrs.remove(&entry.line.uetr);
            }
        }
        if matches!(stage, Stage::Waiting { .. }) {
            return;
        }
        self.waiting.remove(key);
        let mut entries = known.entries.iter();
        if !entries.any(|entry| matches!(entry.stage, Stage::Waiting { .. })) {
            self.open.remove(&known.position);
        }
    }

    /// Up to `most` lines that are due, one of each participant in turn, beginning behind `after`.
    pub(super) fn due(&self, now: Time, most: usize, after: ParticipantId) -> Vec<Due> {
        let mut rows: BTreeMap<(bool, ParticipantId), Vec<Due>> = BTreeMap::new();
        for (position, key) in &self.open {
            let (participant, file, piece) = *key;
            let Some(known) = self.known.get(key).filter(|known| known.starts <= now) else {
                continue;
            };
            let row = rows.entry((participant <= after, participant)).or_default();
            let due = known.entries.iter().filter(
                |entry| matches!(entry.stage, Stage::Waiting { again, .. } if again <= now),
            );
            let room = most.saturating_sub(row.len());
            row.extend(due.take(room).map(|entry| Due {
                participant,
                file,
                piece,
                position: *position,
                place: entry.place,
                line: entry.line,
            }));
        }
        let turns = 0..most;
        let by_turn = turns.flat_map(|turn| rows.values().filter_map(move |row| row.get(turn)));
        by_turn.take(most).copied().collect()
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        writer.count(self.known.len());
        for ((participant, file, number), known) in &self.known {
            writer.put(participant);
            writer.put(&file.0);
            writer.u32(*number);
            writer.put(&known.position);
            writer.put(&known.link);
            writer.put(&known.starts);
            writer.put(&known.content.0);
            writer.count(known.entries.len());
            for entry in &known.entries {
                writer.put(&entry.line);
                writer.u16(entry.place);
                match entry.stage {
                    Stage::Waiting { tries, again } => {
                        writer.u8(1);
                        writer.u8(tries);
                        writer.put(&again);
                    }
                    Stage::HandedIn => writer.u8(2),
                    Stage::Missed(reason) => {
                        writer.u8(3);
                        writer.put(&reason);
                    }
                }
            }
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Pieces, FactsError> {
        let mut pieces = Pieces::default();
        let mut lines: usize = 0;
        for _ in 0..reader.count("mass pieces")? {
            let offset = reader.offset();
            let key: PieceKey = (
                reader.field("piece participant")?,
                FileKey(reader.field("piece file")?),
                reader.u32("piece number")?,
            );
            let mut known = Known {
                position: reader.field("piece position")?,
                link: reader.field("piece link")?,
                starts: reader.field("piece starts")?,
                content: Fingerprint(reader.field("piece content")?),
                entries: Vec::new(),
            };
            let count = reader.count("piece lines")?;
            lines = lines.saturating_add(count);
            let last = pieces.known.last_key_value();
            let in_order = last.is_none_or(|(before, _)| *before < key);
            let bounded =
                count <= PIECE_LINES_MAX && lines <= LINES_MAX && pieces.known.len() < PIECES_MAX;
            let free = !pieces.open.contains_key(&known.position);
            if !in_order || !bounded || !free {
                return Err(reader.error("piece", offset, LayoutRule::Value));
            }
            // A line that waits is alone with its key; one that does not may share it with a line of another piece.
            let mut keys = BTreeSet::new();
            for _ in 0..count {
                let entry = read_entry(reader)?;
                let before = known.entries.last();
                let rises = before.is_none_or(|before| before.place < entry.place);
                let waits = matches!(entry.stage, Stage::Waiting { .. });
                let (key, uetr) = (entry.line.key, entry.line.uetr);
                let is_alone = !pieces.waiting.contains_key(&key)
                    && !pieces.waiting_uetrs.contains_key(&uetr)
                    && keys.insert(key);
                if !rises || (waits && !is_alone) {
                    return Err(reader.error("piece line", offset, LayoutRule::Value));
                }
                known.entries.push(entry);
            }
            pieces.insert(key, known);
        }
        Ok(pieces)
    }
}

fn read_entry(reader: &mut Reader<'_>) -> Result<Entry, FactsError> {
    let line = reader.field("line")?;
    let place = reader.u16("line place")?;
    let offset = reader.offset();
    let stage = match reader.u8("line stage")? {
        1 => Stage::Waiting {
            tries: reader.u8("line tries")?,
            again: reader.field("line again")?,
        },
        2 => Stage::HandedIn,
        3 => Stage::Missed(reader.field("line reason")?),
        _ => return Err(reader.error("line stage", offset, LayoutRule::Tag)),
    };
    Ok(Entry { line, place, stage })
}
