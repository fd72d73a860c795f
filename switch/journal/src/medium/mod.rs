//! The medium a journal stands on: one folder of files.
//!
//! All logic of the journal runs over this trait, so that a simulated disk can tear, misdirect, lose or refuse what the real
//! one may. What the journal assumes of a medium is written in `docs/journal.md`.

mod archived;
mod file;
mod memory;

use std::fmt;
use std::io;

pub use archived::ArchivedMedium;
pub use file::FileMedium;
pub use memory::MemoryMedium;

/// A folder that holds the files of one journal. Names are plain file names without a path.
pub trait Medium: Send + Sync + fmt::Debug {
    /// Names of all files, in any order.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Makes a new file of `bytes` bytes that reads as zeros. Room need not be reserved: the journal writes the zeros itself.
    /// An existing file of that name is an error.
    fn create(&self, name: &str, bytes: u64) -> io::Result<Box<dyn MediumFile>>;

    /// Opens an existing file for reading and writing.
    fn open(&self, name: &str) -> io::Result<Box<dyn MediumFile>>;

    /// Gives a file another name, in one step, replacing a file that already has it.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes creations, renames and removals durable.
    fn sync_dir(&self) -> io::Result<()>;

    /// Takes the exclusive lock of that name until the guard is dropped. [`io::ErrorKind::WouldBlock`] when it is taken.
    fn lock(&self, name: &str) -> io::Result<Box<dyn MediumLock>>;
}

/// One file of a [`Medium`].
pub trait MediumFile: Send + Sync + fmt::Debug {
    /// Length in bytes.
    fn bytes(&self) -> io::Result<u64>;

    /// Reads into `buffer` from `offset`; fewer bytes than asked for only at the end of the file.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes all of `bytes` at `offset`. Not durable before [`sync`](MediumFile::sync).
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Makes everything written so far durable. After an error the state of the unsynced bytes is unknown for ever: a second
    /// call may succeed without having written them, so the journal never makes one. Each opening of the file is told of a failure,
    /// also of one that another's sync met.
    fn sync(&self) -> io::Result<()>;

    /// Says that these bytes, which are synced, will hardly be read soon: a cache may drop them. Only a hint.
    fn forget(&self, offset: u64, bytes: u64) {
        let _ = (offset, bytes);
    }
}

/// Guard of an exclusive lock; dropping it, or the end of the process, gives the lock back.
pub trait MediumLock: Send + Sync + fmt::Debug {}
