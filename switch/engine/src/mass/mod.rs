//! Batches on the instant rail: salaries, social payments. A file comes in pieces; each line becomes an ordinary payment.
//!
//! ```text
//!   piece in the log ──► its lines wait ──► each is handed in as a payment, one record each ──► done
//!        │                                     └─ no room: tried again, and given up after so many tries
//!        └─ a line that breaks a rule of messages: refused alone
//! ```
//!
//! A piece is a message with many transactions, which is the evidence of its record. What waits to be handed in is part of the
//! state, so whoever hands it in needs to remember nothing: after a crash it goes on with what waits. A line is handed in by the
//! switch alone and only while it waits, and waits no more once the instant rail has it. That a payment of the same identifiers is
//! never made twice is the instant rail's own rule, and holds besides.
//!
//! Payments themselves, their limits, clocks and answers, are the [`instant`](crate::instant) module's; nothing of them is here.
//! `taking` takes a piece, `hand_in` counts what comes of its lines, `pieces` is what is known of them.
//!
//! Memory: about 110 bytes a line, [`LINES_MAX`] lines and [`FILES_MAX`] files; a file is known for [`KEEP`] after its last piece, and as
//! long as a line of it waits.

mod command;
mod hand_in;
mod pieces;
mod taking;

pub use command::{Command, Fault, Item, Line, Miss, PIECE_LINES_MAX, Submit, Take};
pub use pieces::{
    Due, PIECES_MAX, PIECES_OF_ONE_MAX, PIECES_STARTING_LATER_OF_ONE_MAX, PIECES_WAITING_MAX,
    PIECES_WAITING_OF_ONE_MAX, TRIES_MAX, TRY_AGAIN_AFTER,
};
pub use taking::STARTS_WITHIN;

pub(crate) use hand_in::{asked, decided, link_of, tries_again};

use std::collections::{BTreeMap, BTreeSet};

use torap_domain::{ParticipantId, Position, Reason, Span, Time, Uetr};

use crate::{
    Engine, Event, Outcome, Output, Source, Stamp,
    clearing::FileKey,
    codec::{FactsError, LayoutRule, Reader, Writer},
    engine,
    instant::PaymentKey,
};
use pieces::{Pieces, Stage};

/// Lines of all files that are known.
pub const LINES_MAX: usize = 1_048_576;
/// Lines of the files of one participant.
pub const LINES_OF_ONE_MAX: usize = 262_144;
/// Files that are known.
pub const FILES_MAX: usize = 1024;
/// Files of one participant.
pub const FILES_OF_ONE_MAX: usize = 256;
/// How long a file is known at least, after its last piece; then it is forgotten when a new one begins.
pub const KEEP: Span = Span::from_secs(7 * 24 * 3600);
/// Lines, pieces and files that one command forgets at most; a large file goes with several.
pub const FORGOTTEN_AT_ONCE_MAX: usize = 4_096;

#[derive(Clone, Debug, PartialEq, Eq)]
struct File {
    next: u32,
    complete: bool,
    /// Of its last piece.
    at: Time,
    lines: Vec<Line>,
    /// Lines before the last piece.
    before_last: usize,
}

/// How far a file has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileView {
    /// The piece that comes next.
    pub next: u32,
    pub complete: bool,
    /// That were taken.
    pub lines: usize,
    /// Lines of all pieces but the last.
    pub before_last: usize,
}

/// How far the lines of a piece have come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PieceView {
    /// Lines that wait to be handed in.
    pub waiting: usize,
    /// Lines that were taken: place in the message, from 0, and why one was given up before it became a payment.
    pub taken: Vec<(u16, Option<Reason>)>,
}

/// The files by participant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    files: BTreeMap<(ParticipantId, FileKey), File>,
    /// Of every line of every file.
    uetrs: BTreeSet<Uetr>,
    pieces: Pieces,
}

impl State {
    pub(crate) fn new() -> State {
        State::default()
    }

    /// Whether no file is known; nothing is written to a snapshot then.
    pub(crate) fn is_new(&self) -> bool {
        self.files.is_empty()
    }

    /// Whether no piece is known that the switch hands in itself.
    pub(crate) fn has_no_pieces(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Whose line with this UETR waits to be handed in.
    pub(crate) fn waiting_of(&self, uetr: &Uetr) -> Option<ParticipantId> {
        self.pieces.waiting_of(uetr)
    }

    /// What becomes of the first bank's lines is told to the second one, which took it over.
    pub(crate) fn hand_over(&mut self, bank: ParticipantId, heir: ParticipantId) {
        self.pieces.hand_over(bank, heir);
    }

    /// The oldest record that lines are still handed in from.
    pub(crate) fn oldest_referred(&self) -> Option<Position> {
        self.pieces.oldest()
    }

    pub(crate) fn write_pieces(&self, writer: &mut Writer<'_>) {
        self.pieces.write(writer);
    }

    pub(crate) fn read_pieces(&mut self, reader: &mut Reader<'_>) -> Result<(), FactsError> {
        self.pieces = Pieces::read(reader)?;
        Ok(())
    }

    /// Takes the next piece of a file whose submitter hands it in; `Ok(false)` if it is the last one again.
    fn take(
        &mut self,
        stamp: Stamp,
        participant: ParticipantId,
        submit: &Submit,
    ) -> Result<bool, Reason> {
        let piece = &submit.piece;
        let key = (participant, piece.file);
        match self.files.get(&key) {
            None if piece.number != 1 => return Err(Reason::PieceOutOfOrder),
            None => self.forget(stamp.time),
            Some(file) if piece.number == file.next && !file.complete => {}
            Some(file) if piece.number != 0 && piece.number.saturating_add(1) == file.next => {
                return match file.lines.get(file.before_last..) {
                    Some(lines) if lines == submit.lines.as_slice() => Ok(false),
                    _ => Err(Reason::DuplicateMismatch),
                };
            }
            Some(_) => return Err(Reason::PieceOutOfOrder),
        }
        let lines = self.uetrs.len().saturating_add(submit.lines.len());
        let is_new = !self.files.contains_key(&key);
        if lines > LINES_MAX || (is_new && self.files.len() >= FILES_MAX) {
            return Err(Reason::InternalLimit);
        }
        let own: BTreeSet<Uetr> = submit.lines.iter().map(|line| line.uetr).collect();
        let each_once = own.len() == submit.lines.len();
        if !each_once || own.iter().any(|uetr| self.uetrs.contains(uetr)) {
            return Err(Reason::DuplicateMismatch);
        }
        self.uetrs.extend(own);
        let file = self.files.entry(key).or_insert_with(|| File {
            next: 1,
            complete: false,
            at: stamp.time,
            lines: Vec::new(),
            before_last: 0,
        });
        file.before_last = file.lines.len();
        file.lines.extend_from_slice(&submit.lines);
        file.next = file.next.saturating_add(1);
        file.complete = piece.last;
        file.at = stamp.time;
        Ok(true)
    }

    /// Forgets of the files that have been known for long enough, the oldest first, so much as one command may: the pieces of a file, then
    /// its lines, then the file. From the first of it on the file is complete.
    fn forget_some(&mut self, now: Time) {
        let old = |file: &File| file.at.saturating_add(KEEP) <= now;
        let files = self.files.iter().filter(|(_, file)| old(file));
        let mut files: Vec<(Time, (ParticipantId, FileKey))> =
            files.map(|(key, file)| (file.at, *key)).collect();
        if files.is_empty() {
            return;
        }
        files.sort_unstable();
        let waits = self.pieces.files_that_wait();
        let mut most = FORGOTTEN_AT_ONCE_MAX;
        for (_, key) in files.into_iter().filter(|(_, key)| !waits.contains(key)) {
            let Some(file) = self.files.get_mut(&key) else {
                continue;
            };
            file.complete = true;
            most = most.saturating_sub(self.pieces.forget(key.0, key.1, most));
            let keep = file.lines.len().saturating_sub(most);
            for line in file.lines.drain(keep..) {
                self.uetrs.remove(&line.uetr);
                most = most.saturating_sub(1);
            }
            file.before_last = file.before_last.min(keep);
            if most == 0 {
                return;
            }
            most = most.saturating_sub(1);
            self.files.remove(&key);
        }
    }

    /// Forgets the files that have been known for long enough, all at once, as when their submitters handed their lines in.
    fn forget(&mut self, now: Time) {
        let (uetrs, pieces) = (&mut self.uetrs, &mut self.pieces);
        self.files.retain(|(participant, key), file| {
            let keeps = file.at.saturating_add(KEEP) > now || pieces.file_waits(*participant, *key);
            if !keeps {
                pieces.forget(*participant, *key, usize::MAX);
                for line in &file.lines {
                    uetrs.remove(&line.uetr);
                }
            }
            keeps
        });
    }

    pub(crate) fn write(&self, writer: &mut Writer<'_>) {
        writer.count(self.files.len());
        for ((participant, key), file) in &self.files {
            writer.put(participant);
            writer.put(&key.0);
            writer.u32(file.next);
            writer.put(&file.complete);
            writer.put(&file.at);
            writer.count(file.before_last);
            writer.list(&file.lines);
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<State, FactsError> {
        let mut state = State::new();
        for _ in 0..reader.count("mass files")? {
            let offset = reader.offset();
            let key = (
                reader.field("file participant")?,
                FileKey(reader.field("file key")?),
            );
            let next = reader.u32("file next")?;
            let complete = reader.field("file complete")?;
            let at = reader.field("file at")?;
            let before_last = reader.count("lines before the last piece")?;
            let lines: Vec<Line> = reader.list("lines")?;
            let last = state.files.last_key_value();
            let in_order = last.is_none_or(|(before, _)| *before < key);
            let known = state.uetrs.len().saturating_add(lines.len());
            state.uetrs.extend(lines.iter().map(|line| line.uetr));
            let each_once = state.uetrs.len() == known;
            let sound = in_order && each_once && known <= LINES_MAX && before_last <= lines.len();
            if !sound || state.files.len() >= FILES_MAX {
                return Err(reader.error("file key", offset, LayoutRule::Value));
            }
            state.files.insert(
                key,
                File {
                    next,
                    complete,
                    at,
                    lines,
                    before_last,
                },
            );
        }
        Ok(state)
    }
}

pub(crate) fn apply(
    state: &mut engine::State,
    stamp: Stamp,
    command: &Command,
    out: &mut Output,
) -> Outcome {
    let submit = match command {
        Command::Take(take) => return taking::apply(state, stamp, take, out),
        Command::Miss(miss) => return hand_in::missed(state, stamp, miss, out),
        Command::Submit(submit) => submit,
    };
    let taken =
        admit(state, submit).and_then(|participant| state.mass.take(stamp, participant, submit));
    match taken {
        Ok(true) => Outcome::Accepted,
        Ok(false) => Outcome::AlreadyApplied,
        Err(reason) => {
            out.event(Event::Refused { reason });
            Outcome::Refused(reason)
        }
    }
}

fn admit(state: &engine::State, submit: &Submit) -> Result<ParticipantId, Reason> {
    let source: &Source = &submit.source;
    source.by_operator()?;
    if state.participants.ids().all(|id| id != submit.participant) {
        return Err(Reason::UnknownParticipant);
    }
    if submit.lines.is_empty() || submit.lines.len() > PIECE_LINES_MAX {
        return Err(Reason::InternalLimit);
    }
    Ok(submit.participant)
}

/// What doors and reports ask.
impl Engine {
    /// How far a participant's file of instant payments has come.
    pub fn mass_file(&self, participant: ParticipantId, file: FileKey) -> Option<FileView> {
        let file = self.state.mass.files.get(&(participant, file))?;
        Some(FileView {
            next: file.next,
            complete: file.complete,
            lines: file.lines.len(),
            before_last: file.before_last,
        })
    }

    /// How far the lines of a piece have come; nothing waits of one that is not known.
    pub fn mass_piece(&self, participant: ParticipantId, file: FileKey, number: u32) -> PieceView {
        let mut view = PieceView::default();
        let known = self.state.mass.pieces.get(&(participant, file, number));
        for entry in known.iter().flat_map(|known| &known.entries) {
            let missed = match entry.stage {
                Stage::Waiting { .. } => {
                    view.waiting = view.waiting.saturating_add(1);
                    None
                }
                Stage::HandedIn => None,
                Stage::Missed(reason) => Some(reason),
            };
            view.taken.push((entry.place, missed));
        }
        view
    }

    /// Whether there is room for what would wait of a piece that starts at this time, were it submitted now.
    pub fn mass_has_room(
        &self,
        (participant, file, number): (ParticipantId, FileKey, u32),
        starts: Option<Time>,
        now: Time,
    ) -> bool {
        let starts = starts.unwrap_or(Time::EPOCH);
        taking::has_room(&self.state, &(participant, file, number), starts, now)
    }

    /// The UETR of the line with this key that waits to be handed in; another line with the same key, of another piece, was given up.
    pub fn mass_waits(&self, key: &PaymentKey) -> Option<Uetr> {
        let (_, _, entry) = self.state.mass.pieces.waiting(key)?;
        Some(entry.line.uetr)
    }

    /// Up to `most` lines that are due to be handed in, one of each participant in turn, beginning behind `after`.
    pub fn mass_due(&self, now: Time, most: usize, after: ParticipantId) -> Vec<Due> {
        self.state.mass.pieces.due(now, most, after)
    }

    /// The lines of a file, in their order.
    pub fn mass_lines(&self, participant: ParticipantId, file: FileKey) -> &[Line] {
        let file = self.state.mass.files.get(&(participant, file));
        file.map_or(&[], |file| &file.lines)
    }
}

#[cfg(test)]
mod tests;
