//! What the log has written lately, so that the file system's cache forgets it in the end.
//!
//! Followers read what was just written; hardly anybody reads what is older. Without this the log fills the whole memory with
//! its own past, always taking fresh pages: dearer for the kernel than using the same ones again, above all in a virtual
//! machine.

use crate::medium::MediumFile;
use std::collections::VecDeque;
use std::sync::Arc;

/// Latest part of the log that stays in the cache, in bytes.
const KEPT_BYTES: u64 = 128 << 20;
/// The cache is told to forget in pieces of this size, in bytes.
const PIECE_BYTES: u64 = 8 << 20;

/// The part of the log that the cache still holds, oldest piece first.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    pieces: VecDeque<Piece>,
    bytes: u64,
}

#[derive(Debug)]
struct Piece {
    file: Arc<dyn MediumFile>,
    offset: u64,
    bytes: u64,
}

impl Trail {
    /// Adds what was written and synced; forgets what is old.
    pub(crate) fn add(&mut self, file: &Arc<dyn MediumFile>, offset: u64, bytes: u64) {
        self.bytes += bytes;
        match self.pieces.back_mut() {
            Some(last) if last.offset + last.bytes == offset && last.bytes < PIECE_BYTES => {
                last.bytes += bytes
            }
            _ => self.pieces.push_back(Piece {
                file: Arc::clone(file),
                offset,
                bytes,
            }),
        }
        while self.bytes > KEPT_BYTES + PIECE_BYTES {
            let Some(oldest) = self.pieces.pop_front() else {
                return;
            };
            self.bytes -= oldest.bytes;
            oldest.file.forget(oldest.offset, oldest.bytes);
        }
    }
}
