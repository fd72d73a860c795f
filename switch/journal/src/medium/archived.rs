//! A journal whose older segments lie in an archive: two folders that read as one.

use super::{Medium, MediumFile, MediumLock};
use crate::segment::first_sequence_of_name;
use std::io;
use std::sync::Arc;

/// The journal's folder and its archive. Files are made, renamed and removed in the journal's folder alone; a segment is read
/// from wherever it lies, and from the journal's folder while it lies in both.
#[derive(Debug)]
pub struct ArchivedMedium {
    journal: Arc<dyn Medium>,
    archive: Arc<dyn Medium>,
}

impl ArchivedMedium {
    /// Joins the two.
    pub fn new(journal: Arc<dyn Medium>, archive: Arc<dyn Medium>) -> ArchivedMedium {
        ArchivedMedium { journal, archive }
    }
}

impl Medium for ArchivedMedium {
    fn list(&self) -> io::Result<Vec<String>> {
        // The archive first: a segment that moves meanwhile is then seen twice rather than never.
        let archived = self.archive.list()?;
        let mut names = self.journal.list()?;
        for name in archived {
            if first_sequence_of_name(&name).is_some() && !names.contains(&name) {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn create(&self, name: &str, bytes: u64) -> io::Result<Box<dyn MediumFile>> {
        self.journal.create(name, bytes)
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn MediumFile>> {
        match self.journal.open(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.archive.open(name),
            opened => opened,
        }
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.journal.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.journal.remove(name)
    }

    fn sync_dir(&self) -> io::Result<()> {
        self.journal.sync_dir()
    }

    fn lock(&self, name: &str) -> io::Result<Box<dyn MediumLock>> {
        self.journal.lock(name)
    }
}
