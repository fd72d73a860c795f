//! Files in pieces: which piece of which file comes next.
//!
//! A piece is taken once: a number below the next one was taken before, one above it leaves a gap and is refused. So a submitter
//! that crashed goes on where the switch says, and no item is taken twice.
//!
//! Memory: about 100 bytes a file and 4 for each refusal of its last piece, [`FILES_MAX`] files.

use std::collections::BTreeMap;

use torap_domain::{Date, ParticipantId, Reason};

use super::{FileKey, FileView, PIECE_ITEMS_MAX, Piece};
use crate::codec::{FactsError, LayoutRule, Reader, Writer};

/// Files that are known at once: those of the last dates, finished or not.
pub const FILES_MAX: usize = 4096;

#[derive(Clone, Debug, PartialEq, Eq)]
struct File {
    next: u32,
    accepted: u32,
    refused: u32,
    complete: bool,
    /// The clearing date of its last piece.
    date: Date,
    refusals: Vec<(u16, Reason)>,
}

/// The files by participant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Files {
    files: BTreeMap<(ParticipantId, FileKey), File>,
}

impl Files {
    pub(super) fn new() -> Files {
        Files::default()
    }

    /// Whether the piece is the next of its file: `Ok(false)` if it was taken before.
    pub(super) fn admit(&self, participant: ParticipantId, piece: &Piece) -> Result<bool, Reason> {
        let Some(file) = self.files.get(&(participant, piece.file)) else {
            if self.files.len() >= FILES_MAX {
                return Err(Reason::InternalLimit);
            }
            return match piece.number {
                1 => Ok(true),
                _ => Err(Reason::PieceOutOfOrder),
            };
        };
        if piece.number == 0 || piece.number > file.next {
            return Err(Reason::PieceOutOfOrder);
        }
        if piece.number < file.next {
            return Ok(false);
        }
        if file.complete {
            return Err(Reason::PieceOutOfOrder);
        }
        Ok(true)
    }

    /// The piece was taken.
    pub(super) fn take(
        &mut self,
        participant: ParticipantId,
        piece: &Piece,
        accepted: u32,
        refusals: Vec<(u16, Reason)>,
        date: Date,
    ) {
        let file = self
            .files
            .entry((participant, piece.file))
            .or_insert_with(|| File {
                next: 1,
                accepted: 0,
                refused: 0,
                complete: false,
                date,
                refusals: Vec::new(),
            });
        let refused = u32::try_from(refusals.len()).unwrap_or(u32::MAX);
        file.next = file.next.saturating_add(1);
        file.accepted = file.accepted.saturating_add(accepted);
        file.refused = file.refused.saturating_add(refused);
        file.complete = piece.last;
        file.date = date;
        file.refusals = refusals;
    }

    pub(super) fn view(&self, participant: ParticipantId, file: FileKey) -> Option<FileView> {
        let known = self.files.get(&(participant, file))?;
        Some(FileView {
            participant,
            file,
            next: known.next,
            accepted: known.accepted,
            refused: known.refused,
            complete: known.complete,
            refusals: known.refusals.clone(),
        })
    }

    /// Forgets the files whose last piece came before `date`.
    pub(super) fn forget(&mut self, date: Date) {
        self.files.retain(|_, file| file.date >= date);
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        writer.count(self.files.len());
        for ((participant, key), file) in &self.files {
            writer.put(participant);
            writer.put(&key.0);
            writer.u32(file.next);
            writer.u32(file.accepted);
            writer.u32(file.refused);
            writer.put(&file.complete);
            writer.put(&file.date);
            writer.count(file.refusals.len());
            for (index, reason) in &file.refusals {
                writer.u16(*index);
                writer.put(reason);
            }
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Files, FactsError> {
        let mut files = Files::new();
        for _ in 0..reader.count("files")? {
            let offset = reader.offset();
            let participant = reader.field("file participant")?;
            let key = (participant, FileKey(reader.field("file key")?));
            let mut file = File {
                next: reader.u32("file next")?,
                accepted: reader.u32("file accepted")?,
                refused: reader.u32("file refused")?,
                complete: reader.field("file complete")?,
                date: reader.field("file date")?,
                refusals: Vec::new(),
            };
            let refusals = reader.count("file refusals")?;
            for _ in 0..refusals {
                let index = reader.u16("refusal index")?;
                file.refusals.push((index, reader.field("refusal reason")?));
            }
            let last = files.files.last_key_value();
            let in_order = last.is_none_or(|(before, _)| *before < key);
            if !in_order || refusals > PIECE_ITEMS_MAX || files.files.len() >= FILES_MAX {
                return Err(reader.error("file key", offset, LayoutRule::Value));
            }
            files.files.insert(key, file);
        }
        Ok(files)
    }
}
