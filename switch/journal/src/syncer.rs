//! A thread that only syncs, so that the journal's thread can seal and write the next group meanwhile.
//!
//! It is used while batches wait; a journal with nothing waiting syncs in its own thread and saves the two hand-overs.

use crate::error::JournalError;
use crate::medium::MediumFile;
use crossbeam::channel::{Receiver, Sender, bounded};
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The outcome of a sync and how long it took.
pub(crate) type Synced = (io::Result<()>, Duration);

/// The journal's side of the thread.
#[derive(Debug)]
pub(crate) struct Syncer {
    files: Option<Sender<Arc<dyn MediumFile>>>,
    outcomes: Receiver<Synced>,
    thread: Option<JoinHandle<()>>,
}

impl Syncer {
    pub(crate) fn start(on_start: fn(&'static str)) -> Result<Syncer, JournalError> {
        let (files, to_sync) = bounded::<Arc<dyn MediumFile>>(1);
        let (done, outcomes) = bounded(1);
        let work = move || {
            for file in to_sync {
                // Nobody listens only when the journal's thread has ended.
                let _ = done.send(sync(&*file));
            }
        };
        let thread = spawn("journal-sync", on_start, work)?;
        Ok(Syncer {
            files: Some(files),
            outcomes,
            thread: Some(thread),
        })
    }

    /// Begins to sync a file. The one before must be finished.
    pub(crate) fn begin(&self, file: Arc<dyn MediumFile>) -> Result<(), JournalError> {
        let sent = self
            .files
            .as_ref()
            .is_some_and(|files| files.send(file).is_ok());
        if sent {
            Ok(())
        } else {
            Err(JournalError::ThreadDied)
        }
    }

    /// Waits for the sync begun last.
    pub(crate) fn finish(&self) -> Result<Synced, JournalError> {
        self.outcomes.recv().map_err(|_| JournalError::ThreadDied)
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        self.files = None;
        if let Some(thread) = self.thread.take() {
            // A panic there has shown itself as a missing outcome.
            let _ = thread.join();
        }
    }
}

/// Syncs in this thread.
pub(crate) fn sync(file: &dyn MediumFile) -> Synced {
    let began = Instant::now();
    let outcome = file.sync();
    (outcome, began.elapsed())
}

/// Starts a thread that calls `on_start` with its name before its work.
pub(crate) fn spawn(
    name: &'static str,
    on_start: fn(&'static str),
    work: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, JournalError> {
    let spawned = thread::Builder::new().name(name.to_owned()).spawn(move || {
        on_start(name);
        work();
    });
    spawned.map_err(|source| JournalError::Medium {
        operation: "start thread",
        file: name.to_owned(),
        source,
    })
}
