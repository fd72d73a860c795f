//! The real medium: a folder of the file system.

use super::{Medium, MediumFile, MediumLock};
use rustix::fs::{Advice, fadvise};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::num::NonZeroU64;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Files are for the operator's account only: evidence may be stored clear.
const FILE_MODE: u32 = 0o600;

/// A folder of the file system. Buffered writes, `fdatasync`, `flock`.
#[derive(Debug)]
pub struct FileMedium {
    folder: PathBuf,
    /// Kept open for the folder's own sync.
    handle: File,
}

impl FileMedium {
    /// Opens the folder, and makes it and its parents, durably, if they are missing.
    pub fn open(folder: &Path) -> io::Result<FileMedium> {
        make_folder(folder)?;
        FileMedium::open_existing(folder)
    }

    /// Opens a folder that has to be there: for tools, which must not make one where the operator mistyped its name.
    pub fn open_existing(folder: &Path) -> io::Result<FileMedium> {
        // Listing it tells a folder from a file.
        fs::read_dir(folder)?;
        Ok(FileMedium {
            folder: folder.to_owned(),
            handle: File::open(folder)?,
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

impl Medium for FileMedium {
    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            // A name that is not UTF-8 is none of ours.
            if let Ok(name) = entry?.file_name().into_string() {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn create(&self, name: &str, bytes: u64) -> io::Result<Box<dyn MediumFile>> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(FILE_MODE)
            .open(self.path(name))?;
        file.set_len(bytes)?;
        Ok(Box::new(DiskFile(file)))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn MediumFile>> {
        let path = self.path(name);
        let opened = OpenOptions::new().read(true).write(true).open(&path);
        let file = match opened {
            // An archive may be read-only; a writer fails at its first write.
            Err(error) if is_read_only(&error) => File::open(&path)?,
            other => other?,
        };
        Ok(Box::new(DiskFile(file)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path(from), self.path(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path(name))
    }

    fn sync_dir(&self) -> io::Result<()> {
        self.handle.sync_all()
    }

    fn lock(&self, name: &str) -> io::Result<Box<dyn MediumLock>> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(FILE_MODE)
            .open(self.path(name))?;
        match file.try_lock() {
            Ok(()) => Ok(Box::new(FileLock(file))),
            Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

#[derive(Debug)]
struct DiskFile(File);

impl MediumFile for DiskFile {
    fn bytes(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut done = 0;
        while done < buffer.len() {
            match self.0.read_at(&mut buffer[done..], offset + done as u64) {
                Ok(0) => break,
                Ok(count) => done += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn forget(&self, offset: u64, bytes: u64) {
        // A file system that cannot drop pages keeps them; nothing depends on it.
        let _ = fadvise(&self.0, offset, NonZeroU64::new(bytes), Advice::DontNeed);
    }
}

/// The lock lives as long as the open file.
#[derive(Debug)]
struct FileLock(#[expect(dead_code, reason = "held for its drop")] File);

impl MediumLock for FileLock {}

fn is_read_only(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied
    )
}

/// Makes a folder and its missing parents. Each is durable in the one above it: a journal whose folder is lost is lost.
fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    make_folder(parent)?;
    match fs::create_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    File::open(parent)?.sync_all()
}
