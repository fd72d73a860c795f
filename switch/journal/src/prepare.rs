//! The next segment, filled with zeros before it is needed.
//!
//! Writing into blocks that already hold data leaves a sync nothing to do but the data itself; a file that grows, or is only
//! reserved, makes every sync write the file system's own journal too, four to five times slower. So the next file is filled
//! in advance, at a pace that does not disturb the syncs of the current one.

use crate::error::JournalError;
use crate::medium::{Medium, MediumFile};
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Zeros written and synced at once, in bytes. Small, so that a sync of the log never waits behind a long one of zeros.
const CHUNK_BYTES: usize = 1 << 20;
/// Pause after each chunk while the preparation is well ahead of the log.
const PACE: Duration = Duration::from_millis(20);
/// Pause after a failure, for the disk to get room.
const RETRY: Duration = Duration::from_secs(1);
const NAME_BEGINNING: &str = "standby-";
const NAME_ENDING: &str = ".new";

static ZEROS: [u8; CHUNK_BYTES] = [0; CHUNK_BYTES];

/// How far the next segment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prepared {
    /// It waits for its use.
    Ready,
    /// Some of it is filled.
    Working,
}

/// Whether a file is an unused standby of some opening.
pub(crate) fn is_standby(name: &str) -> bool {
    name.starts_with(NAME_BEGINNING) && name.ends_with(NAME_ENDING)
}

/// A file full of durable zeros, not yet named as a segment.
#[derive(Debug)]
pub(crate) struct StandbyFile {
    pub(crate) name: String,
    pub(crate) file: Box<dyn MediumFile>,
}

/// A standby file in the making.
#[derive(Debug)]
pub(crate) struct Preparation {
    name: String,
    file: Box<dyn MediumFile>,
    bytes: u64,
    filled: u64,
}

impl Preparation {
    fn begin(medium: &dyn Medium, name: String, bytes: u64) -> Result<Preparation, JournalError> {
        match medium.create(&name, bytes) {
            Ok(file) => Ok(Preparation {
                name,
                file,
                bytes,
                filled: 0,
            }),
            Err(source) => {
                // It may have been made and then found no room.
                let _ = medium.remove(&name);
                Err(JournalError::medium("create", &name, source))
            }
        }
    }

    /// Fills one more chunk; true when the file is full.
    fn step(&mut self) -> Result<bool, JournalError> {
        let count = (self.bytes - self.filled).min(CHUNK_BYTES as u64);
        let chunk = &ZEROS[..count as usize];
        self.file
            .write_at(chunk, self.filled)
            .map_err(|source| JournalError::medium("write", &self.name, source))?;
        self.file
            .sync()
            .map_err(|source| JournalError::medium("sync", &self.name, source))?;
        self.filled += count;
        Ok(self.filled == self.bytes)
    }

    fn finish(self) -> StandbyFile {
        StandbyFile {
            name: self.name,
            file: self.file,
        }
    }
}

/// Where the preparer leaves the next segment and the log takes it.
#[derive(Debug)]
pub(crate) struct Standby {
    medium: Arc<dyn Medium>,
    segment_bytes: u64,
    state: Mutex<State>,
    changed: Condvar,
    /// Bytes used of the current segment, for the pace.
    used: AtomicU64,
    made: AtomicU64,
    failed: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    ready: Option<StandbyFile>,
    names: u64,
    stop: bool,
}

impl Standby {
    pub(crate) fn new(medium: Arc<dyn Medium>, segment_bytes: u64) -> Standby {
        Standby {
            medium,
            segment_bytes,
            state: Mutex::default(),
            changed: Condvar::new(),
            used: AtomicU64::new(0),
            made: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        }
    }

    /// Tells the preparer how much of the current segment is used.
    pub(crate) fn report_used(&self, bytes: u64) {
        self.used.store(bytes, Ordering::Relaxed);
    }

    /// Segments filled so far, and preparations that failed.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (
            self.made.load(Ordering::Relaxed),
            self.failed.load(Ordering::Relaxed),
        )
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.state.lock().ready.is_some()
    }

    /// Takes the next segment, or none if it is not ready; the preparer then begins another one.
    pub(crate) fn take(&self) -> Option<StandbyFile> {
        let taken = self.state.lock().ready.take();
        self.report_used(0);
        self.changed.notify_all();
        taken
    }

    pub(crate) fn begin(&self) -> Result<Preparation, JournalError> {
        let number = {
            let mut state = self.state.lock();
            state.names += 1;
            state.names
        };
        let begun = Preparation::begin(
            &*self.medium,
            format!("{NAME_BEGINNING}{number:06}{NAME_ENDING}"),
            self.segment_bytes,
        );
        self.count_failure(begun)
    }

    /// One step of a preparation; when it fails its file is given back, so that a full disk does not stay full of it.
    pub(crate) fn step(
        &self,
        mut preparation: Preparation,
    ) -> Result<Result<StandbyFile, Preparation>, JournalError> {
        match self.count_failure(preparation.step()) {
            Ok(true) => {
                self.made.fetch_add(1, Ordering::Relaxed);
                Ok(Ok(preparation.finish()))
            }
            Ok(false) => Ok(Err(preparation)),
            Err(error) => {
                let name = preparation.name.clone();
                drop(preparation);
                // The failure that counts is the one being reported.
                let _ = self.medium.remove(&name);
                Err(error)
            }
        }
    }

    /// Finishes a preparation at once, for a log that cannot wait.
    pub(crate) fn finish(&self, mut preparation: Preparation) -> Result<StandbyFile, JournalError> {
        loop {
            match self.step(preparation)? {
                Ok(file) => return Ok(file),
                Err(unfinished) => preparation = unfinished,
            }
        }
    }

    pub(crate) fn put(&self, file: StandbyFile) {
        self.state.lock().ready = Some(file);
    }

    /// The preparer thread: keeps one segment ready until it is told to stop.
    pub(crate) fn run(&self) {
        while self.wait_until_taken() {
            let mut pause = RETRY;
            let mut preparation = self.begin().ok();
            while let Some(unfinished) = preparation.take() {
                let filled = unfinished.filled;
                match self.step(unfinished) {
                    Ok(Ok(file)) => {
                        self.put(file);
                        pause = Duration::ZERO;
                    }
                    Ok(Err(unfinished)) if self.pause(self.pace(filled)) => {
                        preparation = Some(unfinished)
                    }
                    Ok(Err(_)) => return,
                    Err(_) => {}
                }
            }
            if !self.pause(pause) {
                return;
            }
        }
    }

    pub(crate) fn stop(&self) {
        self.state.lock().stop = true;
        self.changed.notify_all();
    }

    /// Waits until a segment is wanted; false when told to stop.
    fn wait_until_taken(&self) -> bool {
        let mut state = self.state.lock();
        while state.ready.is_some() && !state.stop {
            self.changed.wait(&mut state);
        }
        !state.stop
    }

    /// No pause while the log fills its segment faster than half as fast as the next one is filled.
    fn pace(&self, filled: u64) -> Duration {
        let needed = self
            .used
            .load(Ordering::Relaxed)
            .saturating_mul(2)
            .saturating_add(self.segment_bytes / 8);
        if filled < needed {
            Duration::ZERO
        } else {
            PACE
        }
    }

    /// Waits, unless told to stop; false when told so.
    fn pause(&self, pause: Duration) -> bool {
        let mut state = self.state.lock();
        if !state.stop && !pause.is_zero() {
            self.changed.wait_for(&mut state, pause);
        }
        !state.stop
    }

    fn count_failure<T>(&self, outcome: Result<T, JournalError>) -> Result<T, JournalError> {
        if outcome.is_err() {
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
        outcome
    }
}
