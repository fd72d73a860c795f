//! Presentment files of dual messages: what an acquirer collects for authorisations, and gives back, line by line.
//!
//! ```text
//!   line ──► its original ──► open authorisation ──► obligation, fees, letter to the issuer     taken
//!                          └► purchase, for a refund ► obligation the other way, letter         taken
//!   anything else                                                                             a verdict, nothing moves
//! ```
//!
//! A file comes in pieces, each one record, in their order and each once. What a line collects counts in the session that is open when
//! its piece comes, with interchange and fees as an 0220 at that moment would have. The original is found by whoever submits,
//! in index and log ([`Known`]); what the engine itself knows of it counts before that.
//!
//! A line is known by the acquirer's own reference: it is taken once, in whatever file it stands.
//!
//! A line for whose issuer too much waits is put off ([`LineVerdict::QueueFull`]), and the lines of other issuers go on. It may come again in
//! a piece numbered [`PIECE_AGAIN`].
//!
//! Memory: about 40 bytes a line, [`LINES_MAX`] lines and [`FILES_MAX`] files; a file is known for [`KEEP`] after its last piece. Complete files
//! are forgotten earlier, oldest first, if a new one needs the room.

mod again;
mod line;
mod taking;

pub use line::{Header, Known, Line, LineKind, LineVerdict, Present, Presented};
pub(super) use taking::range;

use std::collections::BTreeMap;

use torap_domain::{ParticipantId, Position, Reason, Span, Time};

use super::CardKey;
use crate::{
    Engine, Event as Any, Outcome, Output, Stamp,
    clearing::FileKey,
    codec::{FactsError, LayoutRule, Reader, Writer},
    engine,
};

/// Lines of one piece, at most.
pub const PIECE_LINES_MAX: usize = 256;
/// Lines of all files that are known.
pub const LINES_MAX: usize = 4_194_304;
/// Files that are known.
pub const FILES_MAX: usize = 4_096;
/// Number of a piece that brings again lines of a file that were put off.
pub const PIECE_AGAIN: u32 = 0;
/// The share of an issuer's queue of letters that presentments may fill: half, and one letter at least. A line that would fill more is put off.
const QUEUE_SHARE_NUMERATOR: usize = 1;
const QUEUE_SHARE_DENOMINATOR: usize = 2;
/// The first rules by which they may fill no more, and by which lines that were put off may come again.
const RULES_QUEUE_SHARE: u32 = 2;
/// How long a file is known after its last piece, unless a new one needs its room.
pub const KEEP: Span = Span::from_secs(7 * 24 * 3600);

/// The record of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PieceTaken {
    /// Number of its first line.
    pub first: u32,
    pub position: Position,
}

/// A file that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresentmentFile {
    pub header: Header,
    /// The piece that comes next.
    pub next: u32,
    pub complete: bool,
    /// Time of its first and of its last piece.
    pub began: Time,
    pub at: Time,
    pub pieces: Vec<PieceTaken>,
    pub lines: Vec<Presented>,
    /// Lines before the last piece.
    before_last: usize,
    /// Sums of its lines so far, in minor units of KZT.
    purchases: u64,
    refunds: u64,
}

impl PresentmentFile {
    /// The record that has a line.
    pub fn piece_of(&self, number: u32) -> Option<Position> {
        let after = self.pieces.partition_point(|piece| piece.first <= number);
        let piece = self.pieces.get(after.checked_sub(1)?)?;
        Some(piece.position)
    }
}

/// The files by participant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Presentments {
    files: BTreeMap<(ParticipantId, FileKey), PresentmentFile>,
    lines: usize,
}

impl Presentments {
    /// Whether no file is known; nothing is written to a snapshot then.
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Whether the piece is the next of its file: `Ok(false)` if it is the last one again.
    fn admit(&self, present: &Present) -> Result<bool, Reason> {
        let piece = &present.piece;
        let Some(file) = self.files.get(&(present.participant, piece.file)) else {
            return match piece.number {
                1 => Ok(true),
                _ => Err(Reason::PieceOutOfOrder),
            };
        };
        if file.header != present.header {
            return Err(Reason::DuplicateMismatch);
        }
        if piece.number == file.next && !file.complete {
            return Ok(true);
        }
        if piece.number == 0 || piece.number.saturating_add(1) != file.next {
            return Err(Reason::PieceOutOfOrder);
        }
        let last = file.lines.get(file.before_last..).unwrap_or_default();
        let same = last.len() == present.lines.len()
            && last.iter().zip(&present.lines).all(|(before, line)| {
                (before.number, before.kind, before.key, before.amount)
                    == (line.number, line.kind, line.key, line.amount.minor())
            });
        if same {
            Ok(false)
        } else {
            Err(Reason::DuplicateMismatch)
        }
    }

    /// Whether the lines follow those before, and come to what the file states if they are its last.
    fn check_totals(&self, present: &Present) -> Result<(), Reason> {
        let file = self.files.get(&(present.participant, present.piece.file));
        let before = file.map_or(&[][..], |file| &file.lines);
        let after = before.last().map_or(0, |line| line.number);
        let numbers = present.lines.iter().map(|line| line.number);
        let rises = numbers
            .zip(after.saturating_add(1)..)
            .all(|(is, must)| is == must);
        let (mut purchases, mut refunds) =
            file.map_or((0, 0), |file| (file.purchases, file.refunds));
        for line in &present.lines {
            add(&mut purchases, &mut refunds, line.kind, line.amount.minor());
        }
        let header = &present.header;
        let count = before.len().saturating_add(present.lines.len());
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let fits = if present.piece.last {
            count == header.lines && purchases == header.purchases && refunds == header.refunds
        } else {
            count < header.lines
        };
        if rises && fits {
            Ok(())
        } else {
            Err(Reason::ProfileViolation)
        }
    }

    /// Makes room for a new file.
    fn make_room(&mut self, stamp: Stamp, present: &Present) -> Result<(), Reason> {
        let lines = present.header.lines as usize;
        if lines > LINES_MAX {
            return Err(Reason::InternalLimit);
        }
        let is_new = present.piece.number == 1;
        if !is_new {
            return Ok(());
        }
        let now = stamp.time;
        let over: Vec<_> = self
            .files
            .iter()
            .filter(|(_, file)| file.at.saturating_add(KEEP) <= now)
            .map(|(key, _)| *key)
            .collect();
        for key in over {
            self.remove(&key);
        }
        // Lines that files which are not complete have still to bring count as well, so that each can be ended.
        while self.promised().saturating_add(lines) > LINES_MAX || self.files.len() >= FILES_MAX {
            let complete = self.files.iter().filter(|(_, file)| file.complete);
            let oldest = complete.min_by_key(|(key, file)| (file.at, **key));
            let Some(key) = oldest.map(|(key, _)| *key) else {
                return Err(Reason::InternalLimit);
            };
            self.remove(&key);
        }
        Ok(())
    }

    fn promised(&self) -> usize {
        let lines = self.files.values().map(|file| file.header.lines as usize);
        lines.fold(0, usize::saturating_add)
    }

    fn remove(&mut self, key: &(ParticipantId, FileKey)) {
        if let Some(file) = self.files.remove(key) {
            self.lines = self.lines.saturating_sub(file.lines.len());
        }
    }

    fn take(&mut self, stamp: Stamp, present: &Present, presented: Vec<Presented>) {
        let key = (present.participant, present.piece.file);
        self.lines = self.lines.saturating_add(presented.len());
        let file = self.files.entry(key).or_insert_with(|| PresentmentFile {
            header: present.header,
            next: 1,
            complete: false,
            began: stamp.time,
            at: stamp.time,
            pieces: Vec::new(),
            lines: Vec::new(),
            before_last: 0,
            purchases: 0,
            refunds: 0,
        });
        file.before_last = file.lines.len();
        for line in &presented {
            add(
                &mut file.purchases,
                &mut file.refunds,
                line.kind,
                line.amount,
            );
        }
        file.lines.extend(presented);
        file.pieces.push(PieceTaken {
            first: present.lines.first().map_or(0, |line| line.number),
            position: stamp.position,
        });
        file.next = file.next.saturating_add(1);
        file.complete = present.piece.last;
        file.at = stamp.time;
    }
}

/// Counts a line into the sum of its kind. Sums of 4 million amounts of twelve digits stay inside 64 bits.
fn add(purchases: &mut u64, refunds: &mut u64, kind: LineKind, amount: u64) {
    let sum = match kind {
        LineKind::Purchase => purchases,
        LineKind::Refund => refunds,
    };
    *sum = sum.saturating_add(amount);
}

pub(super) fn apply(
    state: &mut engine::State,
    stamp: Stamp,
    present: &Present,
    out: &mut Output,
) -> Outcome {
    match admit(state, stamp, present) {
        Ok(true) if is_again(state, present) => return again::apply(state, stamp, present, out),
        Ok(true) => {}
        Ok(false) => return Outcome::AlreadyApplied,
        Err(reason) => {
            out.event(Any::Refused { reason });
            return Outcome::Refused(reason);
        }
    }
    let mut given_back = BTreeMap::new();
    let mut presented = Vec::with_capacity(present.lines.len());
    for line in &present.lines {
        let verdict = decide(
            state,
            stamp,
            (present.participant, line),
            &mut given_back,
            out,
        );
        presented.push(Presented {
            number: line.number,
            kind: line.kind,
            verdict,
            key: line.key,
            amount: line.amount.minor(),
        });
    }
    state.cards.presentments.take(stamp, present, presented);
    Outcome::Accepted
}

/// Takes a line, or says why not. `given_back`: what stands of purchases that only the index knows, after refunds of this record.
fn decide(
    state: &mut engine::State,
    stamp: Stamp,
    (acquirer, line): (ParticipantId, &Line),
    given_back: &mut BTreeMap<CardKey, u64>,
    out: &mut Output,
) -> LineVerdict {
    let matched = match taking::judge(state, stamp, acquirer, line, given_back) {
        Ok(matched) => matched,
        Err(verdict) => return verdict,
    };
    if let Some((None, stands)) = matched.refunded {
        given_back.insert(matched.known.transaction.key, stands);
    }
    taking::take(state, stamp, acquirer, (line, &matched), out);
    LineVerdict::Taken
}

fn is_again(state: &engine::State, present: &Present) -> bool {
    present.piece.number == PIECE_AGAIN && state.rules >= RULES_QUEUE_SHARE
}

fn admit(state: &mut engine::State, stamp: Stamp, present: &Present) -> Result<bool, Reason> {
    present.source.by_operator()?;
    let member = state.cards.members.get(present.participant);
    let acquires = member.is_some_and(|member| member.profile.roles.acquirer);
    if !acquires {
        return Err(Reason::UnknownParticipant);
    }
    if present.lines.is_empty() || present.lines.len() > PIECE_LINES_MAX {
        return Err(Reason::InternalLimit);
    }
    if is_again(state, present) {
        return state.cards.presentments.admit_again(present);
    }
    let presentments = &mut state.cards.presentments;
    if !presentments.admit(present)? {
        return Ok(false);
    }
    presentments.check_totals(present)?;
    presentments.make_room(stamp, present)?;
    Ok(true)
}

/// Whether the issuer's queue has room for the letter of a line beside those of online requests, which need the rest.
fn has_room(state: &engine::State, issuer: ParticipantId) -> bool {
    let most = state.cards.settings.bounds.queue_max as usize;
    let most = most.saturating_mul(QUEUE_SHARE_NUMERATOR) / QUEUE_SHARE_DENOMINATOR;
    let reach = state.cards.members.reach(issuer);
    state.rules < RULES_QUEUE_SHARE || state.cards.queues.len(reach) < most.max(1)
}

/// Snapshot: the files by participant and key.
impl Presentments {
    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        writer.count(self.files.len());
        for ((participant, key), file) in &self.files {
            writer.put(participant);
            writer.put(&key.0);
            writer.put(&file.header);
            writer.u32(file.next);
            writer.put(&file.complete);
            writer.put(&file.began);
            writer.put(&file.at);
            writer.list(&file.pieces);
            writer.count(file.before_last);
            writer.list(&file.lines);
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Presentments, FactsError> {
        let mut presentments = Presentments::default();
        for _ in 0..reader.count("presentment files")? {
            let offset = reader.offset();
            let key = (
                reader.field("file participant")?,
                FileKey(reader.field("file key")?),
            );
            let mut file = PresentmentFile {
                header: reader.field("header")?,
                next: reader.u32("file next")?,
                complete: reader.field("file complete")?,
                began: reader.field("file began")?,
                at: reader.field("file at")?,
                pieces: reader.list("pieces")?,
                before_last: reader.count("lines before the last piece")?,
                lines: reader.list("lines")?,
                purchases: 0,
                refunds: 0,
            };
            for line in &file.lines {
                add(
                    &mut file.purchases,
                    &mut file.refunds,
                    line.kind,
                    line.amount,
                );
            }
            let last = presentments.files.last_key_value();
            let in_order = last.is_none_or(|(before, _)| *before < key);
            presentments.lines = presentments.lines.saturating_add(file.lines.len());
            let within = presentments.lines <= LINES_MAX && presentments.files.len() < FILES_MAX;
            let lines = file.lines.len();
            let counted = lines <= file.header.lines as usize
                && file.complete == (lines == file.header.lines as usize);
            if !in_order || !within || !counted || file.before_last >= lines {
                return Err(reader.error("file key", offset, LayoutRule::Value));
            }
            presentments.files.insert(key, file);
        }
        Ok(presentments)
    }
}

/// What doors and reports ask.
impl Engine {
    /// A presentment file of a participant.
    pub fn presentment_file(
        &self,
        participant: ParticipantId,
        file: FileKey,
    ) -> Option<&PresentmentFile> {
        let files = &self.state.cards.presentments.files;
        files.get(&(participant, file))
    }

    /// Numbers of the lines of a presentment file that were put off and may come again, behind a line; `most` of them. None by rules that
    /// know nothing of that.
    pub fn presentments_put_off(
        &self,
        (participant, file): (ParticipantId, FileKey),
        after: u32,
        most: usize,
    ) -> Vec<u32> {
        let file = self.presentment_file(participant, file);
        let file = file.filter(|_| self.state.rules >= RULES_QUEUE_SHARE);
        let lines = file.map_or(&[][..], |file| &file.lines);
        let behind = lines.get(after as usize..).unwrap_or_default().iter();
        let put_off = behind.filter(|line| line.verdict == LineVerdict::QueueFull);
        put_off.map(|line| line.number).take(most).collect()
    }

    /// Whether the issuer's queue has room for a line of a presentment file.
    pub fn presentments_have_room(&self, issuer: ParticipantId) -> bool {
        has_room(&self.state, issuer)
    }

    /// Every presentment file that is known, by participant.
    pub fn presentment_files(
        &self,
    ) -> impl Iterator<Item = (ParticipantId, &PresentmentFile)> + '_ {
        let files = self.state.cards.presentments.files.iter();
        files.map(|((participant, _), file)| (*participant, file))
    }
}

#[cfg(test)]
mod tests;
