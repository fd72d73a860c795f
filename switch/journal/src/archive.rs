//! Sealed segments leave the journal's folder: to an archive on another disk, and in the end for ever.
//!
//! A sealed segment never changes but by a redaction, and its successor's header carries the hash it ends with. So it may be
//! moved while the journal is being written, and the oldest ones may be removed: the first header that is left anchors the
//! chain. Which records nobody needs any more is the caller's knowledge, given as a [`Bound`]. The order of steps keeps the
//! journal whole after any crash: a segment lies in both folders for a moment, never in none, and the oldest goes first.

use crate::chain::Chain;
use crate::error::{Fault, JournalError};
use crate::log::LOCK_NAME;
use crate::medium::{ArchivedMedium, Medium, MediumLock};
use crate::walk::{SegmentFile, list_segments, verify_sealed};
use std::io;
use std::sync::Arc;

/// Bytes copied at once.
const COPY_BYTES: usize = 1 << 20;
/// Bytes copied between two syncs: small ones, so that the syncs of a running journal on the same disk do not wait long.
const SYNC_BYTES: u64 = 4 << 20;
/// Ending of a copy that is not finished.
const PART: &str = ".part";

/// Where a journal's segments lie.
#[derive(Debug, Clone)]
pub struct Folders {
    /// The folder that is written.
    pub journal: Arc<dyn Medium>,
    /// The folder where older sealed segments are kept, perhaps on another disk.
    pub archive: Option<Arc<dyn Medium>>,
}

/// What may leave: whole segments whose records all lie at or before `sequence`, and before `time`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// Last sequence that may leave.
    pub sequence: u64,
    /// Records of this time and later stay; ns since 1970-01-01 UTC.
    pub time: u64,
}

/// A segment that has a successor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// File name.
    pub name: String,
    /// Number, 1 for the journal's first.
    pub number: u64,
    /// Sequence of its first record.
    pub first_sequence: u64,
    /// Sequence of its last record.
    pub last_sequence: u64,
    /// Time of its last record, ns since 1970-01-01 UTC.
    pub last_time: u64,
    /// Size of the file in bytes.
    pub segment_bytes: u64,
    /// Whether it lies in the archive only.
    pub archived: bool,
}

impl Sealed {
    fn is_within(&self, bound: &Bound) -> bool {
        self.last_sequence <= bound.sequence && self.last_time < bound.time
    }
}

impl Folders {
    /// Both folders as one, for readers and for the writer.
    pub fn joined(&self) -> Arc<dyn Medium> {
        match &self.archive {
            None => Arc::clone(&self.journal),
            Some(archive) => Arc::new(ArchivedMedium::new(
                Arc::clone(&self.journal),
                Arc::clone(archive),
            )),
        }
    }

    /// Keeps switches off while a tool changes the folders; [`JournalError::Locked`] while one runs.
    pub fn lock(&self) -> Result<Box<dyn MediumLock>, JournalError> {
        self.journal
            .lock(LOCK_NAME)
            .map_err(|source| match source.kind() {
                io::ErrorKind::WouldBlock => JournalError::Locked,
                _ => JournalError::medium("lock", LOCK_NAME, source),
            })
    }

    /// All sealed segments, oldest first.
    pub fn sealed(&self) -> Result<Vec<Sealed>, JournalError> {
        Ok(self.pairs()?.into_iter().map(|pair| pair.sealed).collect())
    }

    /// Moves the sealed segments within the bound from the journal's folder to the archive, oldest first. Each copy is durable
    /// and verified, chain and successor included, before its source is removed. `moved` is told of each: readers then close
    /// their files.
    pub fn archive(
        &self,
        bound: &Bound,
        moved: &mut dyn FnMut(&Sealed),
    ) -> Result<Vec<Sealed>, JournalError> {
        let Some(archive) = self.archive.as_deref() else {
            return Ok(Vec::new());
        };
        let mut done = Vec::new();
        for pair in self.pairs()? {
            if !pair.sealed.is_within(bound) {
                break;
            }
            if pair.sealed.archived {
                continue;
            }
            self.move_one(archive, &pair)?;
            moved(&pair.sealed);
            done.push(pair.sealed);
        }
        Ok(done)
    }

    /// Removes the sealed segments within the bound for ever, oldest first. `leaves` is told the first sequence that is kept
    /// before anything is removed, so that readers can say "expired" rather than "missing".
    pub fn expire(
        &self,
        bound: &Bound,
        leaves: &mut dyn FnMut(u64),
    ) -> Result<Vec<Sealed>, JournalError> {
        let mut gone = self.sealed()?;
        let count = gone
            .iter()
            .take_while(|sealed| sealed.is_within(bound))
            .count();
        gone.truncate(count);
        if let Some(last) = gone.last() {
            leaves(last.last_sequence + 1);
        }
        for sealed in &gone {
            let folders = [Some(&self.journal), self.archive.as_ref()];
            for folder in folders.into_iter().flatten() {
                remove(&**folder, &sealed.name)?;
            }
        }
        Ok(gone)
    }

    fn move_one(&self, archive: &dyn Medium, pair: &Pair) -> Result<(), JournalError> {
        let name = &pair.sealed.name;
        let part = format!("{name}{PART}");
        for stale in [&part, name] {
            remove(archive, stale)?;
        }
        copy(archive, &part, &pair.file)?;
        archive
            .rename(&part, name)
            .map_err(|source| JournalError::medium("rename", name, source))?;
        sync_dir(archive)?;
        let copied = archive
            .open(name)
            .map_err(|source| JournalError::medium("open", name, source))?;
        let copied = SegmentFile {
            name: name.clone(),
            header: pair.file.header.clone(),
            file: Arc::from(copied),
        };
        let mut chain = Chain::at_segment(&copied.header);
        let verified = verify_sealed(&copied, &pair.next, &mut chain)
            .and_then(|()| chain.enter(&pair.next.name, &pair.next.header));
        if let Err(error) = verified {
            remove(archive, name)?;
            return Err(error);
        }
        remove(&*self.journal, name)
    }

    fn pairs(&self) -> Result<Vec<Pair>, JournalError> {
        let own = self
            .journal
            .list()
            .map_err(|source| JournalError::medium("list", "", source))?;
        let files = list_segments(&*self.joined())?;
        let mut pairs = Vec::with_capacity(files.len());
        let mut files = files.into_iter();
        let Some(mut file) = files.next() else {
            return Ok(pairs);
        };
        for next in files {
            let sealed = Sealed {
                name: file.name.clone(),
                number: file.header.number,
                first_sequence: file.header.first_sequence,
                last_sequence: next.header.first_sequence - 1,
                last_time: next.header.time,
                segment_bytes: file.header.segment_bytes,
                archived: !own.contains(&file.name),
            };
            let after = SegmentFile {
                name: next.name.clone(),
                header: next.header.clone(),
                file: Arc::clone(&next.file),
            };
            pairs.push(Pair {
                sealed,
                file,
                next: after,
            });
            file = next;
        }
        Ok(pairs)
    }
}

/// A sealed segment and its successor.
struct Pair {
    sealed: Sealed,
    file: SegmentFile,
    next: SegmentFile,
}

fn copy(archive: &dyn Medium, part: &str, from: &SegmentFile) -> Result<(), JournalError> {
    let bytes = from.header.segment_bytes;
    let to = archive
        .create(part, bytes)
        .map_err(|source| JournalError::medium("create", part, source))?;
    let mut buffer = vec![0; COPY_BYTES];
    let (mut offset, mut synced) = (0, 0);
    while offset < bytes {
        let count = (bytes - offset).min(COPY_BYTES as u64) as usize;
        let read = from
            .file
            .read_at(&mut buffer[..count], offset)
            .map_err(|source| JournalError::medium("read", &from.name, source))?;
        if read < count {
            return Err(JournalError::damaged(
                &from.name,
                offset + read as u64,
                Fault::SegmentShort,
            ));
        }
        to.write_at(&buffer[..count], offset)
            .map_err(|source| JournalError::medium("write", part, source))?;
        offset += count as u64;
        if offset - synced >= SYNC_BYTES || offset == bytes {
            to.sync()
                .map_err(|source| JournalError::medium("sync", part, source))?;
            to.forget(synced, offset - synced);
            synced = offset;
        }
    }
    Ok(())
}

/// Removes a file if it is there, durably.
fn remove(folder: &dyn Medium, name: &str) -> Result<(), JournalError> {
    match folder.remove(name) {
        Ok(()) => sync_dir(folder),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(JournalError::medium("remove", name, source)),
    }
}

fn sync_dir(folder: &dyn Medium) -> Result<(), JournalError> {
    folder
        .sync_dir()
        .map_err(|source| JournalError::medium("sync folder", "", source))
}
