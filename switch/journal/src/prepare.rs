//! The next segments, filled with zeros before they are needed.
//!
//! Writing into blocks that already hold data leaves a sync nothing to do but the data itself; a file that grows, or is only
//! reserved, makes every sync write the file system's own journal too, four to five times slower. So the next file is filled
//! in advance, at a pace that does not disturb the syncs of the current one.

use crate::error::JournalError;
use crate::medium::{Medium, MediumFile};
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Zeros written at once, in bytes.
const WRITE_BYTES: usize = 1 << 20;
/// Zeros between two syncs while the preparation is well ahead of the log, in bytes. Few, so that a sync of the log never
/// waits behind a long one of zeros.
const CALM_BYTES: u64 = 1 << 20;
/// Zeros between two syncs when the log may soon need the segment, in bytes. Many, so that it is ready sooner.
const HURRIED_BYTES: u64 = 4 << 20;
/// Pause between two syncs while the preparation is well ahead of the log.
const PACE: Duration = Duration::from_millis(20);
/// Pause after a failure, for the disk to get room; longer while a segment is ready, since each try takes the room that others may
/// need more.
const RETRY: Duration = Duration::from_secs(1);
const RETRY_CALMLY: Duration = Duration::from_secs(60);
/// Segments that the preparer keeps filled. A burst that takes one finds another behind it, so that filling and log need not
/// share the disk while it lasts.
pub(crate) const SEGMENTS_READY: usize = 2;
const NAME_BEGINNING: &str = "standby-";
const NAME_ENDING: &str = ".new";

static ZEROS: [u8; WRITE_BYTES] = [0; WRITE_BYTES];

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

    /// Fills so many more bytes and syncs them; true when the file is full.
    fn step(&mut self, bytes: u64) -> Result<bool, JournalError> {
        let end = self.bytes.min(self.filled + bytes);
        while self.filled < end {
            let count = (end - self.filled).min(WRITE_BYTES as u64);
            self.file
                .write_at(&ZEROS[..count as usize], self.filled)
                .map_err(|source| JournalError::medium("write", &self.name, source))?;
            self.filled += count;
        }
        self.file
            .sync()
            .map_err(|source| JournalError::medium("sync", &self.name, source))?;
        // The zeros stay in the system's cache: the log then finds its pages there, and a write need not make them.
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
    /// Why the last preparation failed, until one succeeds.
    last_failure: Mutex<Option<String>>,
}

#[derive(Debug, Default)]
struct State {
    /// Oldest first.
    ready: VecDeque<StandbyFile>,
    names: u64,
    /// A preparer thread runs.
    preparing: bool,
    /// The log waits for the segment.
    awaited: bool,
    /// Why the preparer could not make the segment that the log waits for.
    failure: Option<JournalError>,
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
            last_failure: Mutex::default(),
        }
    }

    /// Tells the preparer how much of the current segment is used.
    pub(crate) fn report_used(&self, bytes: u64) {
        self.used.store(bytes, Ordering::Relaxed);
    }

    /// Segments filled so far, and preparations that failed.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (read(&self.made), read(&self.failed))
    }

    /// Why the last preparation failed; none if one has succeeded since.
    pub(crate) fn failure(&self) -> Option<String> {
        self.last_failure.lock().clone()
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.ready() > 0
    }

    /// Segments that wait for their use.
    pub(crate) fn ready(&self) -> usize {
        self.state.lock().ready.len()
    }

    /// Takes the next segment, and whether it was late. If it is not ready, waits for the preparer, which then hurries; without
    /// a preparer finishes `own`, or makes one, here and now.
    pub(crate) fn take(
        &self,
        own: &mut Option<Preparation>,
    ) -> Result<(StandbyFile, bool), JournalError> {
        let mut late = false;
        let mut state = self.state.lock();
        loop {
            state.awaited = false;
            if let Some(file) = state.ready.pop_front() {
                // Of the one behind it, which may succeed before it is needed.
                state.failure = None;
                self.report_used(0);
                self.changed.notify_all();
                return Ok((file, late));
            }
            late = true;
            if let Some(error) = state.failure.take() {
                return Err(error);
            }
            if !state.preparing {
                break;
            }
            state.awaited = true;
            self.changed.notify_all();
            self.changed.wait(&mut state);
        }
        drop(state);
        let preparation = match own.take() {
            Some(preparation) => preparation,
            None => self.begin()?,
        };
        Ok((self.finish(preparation)?, late))
    }

    pub(crate) fn begin(&self) -> Result<Preparation, JournalError> {
        let number = {
            let mut state = self.state.lock();
            state.names += 1;
            state.names
        };
        let name = format!("{NAME_BEGINNING}{number:06}{NAME_ENDING}");
        self.count_failure(Preparation::begin(&*self.medium, name, self.segment_bytes))
    }

    /// One calm step of a preparation.
    pub(crate) fn step(&self, preparation: Preparation) -> Result<Stepped, JournalError> {
        self.step_by(preparation, CALM_BYTES)
    }

    /// Finishes a preparation at once, for a log that cannot wait.
    pub(crate) fn finish(&self, mut preparation: Preparation) -> Result<StandbyFile, JournalError> {
        loop {
            match self.step_by(preparation, HURRIED_BYTES)? {
                Stepped::Full(file) => return Ok(file),
                Stepped::Unfinished(unfinished) => preparation = unfinished,
            }
        }
    }

    pub(crate) fn put(&self, file: StandbyFile) {
        self.state.lock().ready.push_back(file);
        self.changed.notify_all();
    }

    /// Says that a thread will call [`run`](Standby::run).
    pub(crate) fn expect_preparer(&self) {
        self.state.lock().preparing = true;
    }

    /// The preparer thread: keeps segments ready until it is told to stop. Goes on with an unfinished one.
    pub(crate) fn run(&self, mut unfinished: Option<Preparation>) {
        let _running = Running(self);
        while self.wait_until_wanted() {
            let pause = match self.prepare(unfinished.take()) {
                Ok(()) => Duration::ZERO,
                Err(error) => {
                    self.report(error);
                    if self.is_ready() { RETRY_CALMLY } else { RETRY }
                }
            };
            if !self.pause(pause) {
                return;
            }
        }
    }

    pub(crate) fn stop(&self) {
        self.state.lock().stop = true;
        self.changed.notify_all();
    }

    /// Makes one segment, or stops when told so.
    fn prepare(&self, unfinished: Option<Preparation>) -> Result<(), JournalError> {
        let mut preparation = match unfinished {
            Some(preparation) => preparation,
            None => self.begin()?,
        };
        loop {
            let hurried = self.is_behind(preparation.filled);
            let bytes = if hurried { HURRIED_BYTES } else { CALM_BYTES };
            preparation = match self.step_by(preparation, bytes)? {
                Stepped::Full(file) => {
                    self.put(file);
                    return Ok(());
                }
                Stepped::Unfinished(unfinished) => unfinished,
            };
            if !self.pause(if hurried { Duration::ZERO } else { PACE }) {
                return Ok(());
            }
        }
    }

    /// One step of a preparation; when it fails its file is removed, so that a full disk does not stay full of it.
    fn step_by(&self, mut preparation: Preparation, bytes: u64) -> Result<Stepped, JournalError> {
        match self.count_failure(preparation.step(bytes)) {
            Ok(true) => {
                self.made.fetch_add(1, Ordering::Relaxed);
                *self.last_failure.lock() = None;
                Ok(Stepped::Full(preparation.finish()))
            }
            Ok(false) => Ok(Stepped::Unfinished(preparation)),
            Err(error) => {
                let name = preparation.name.clone();
                drop(preparation);
                // The failure that counts is the one being reported.
                let _ = self.medium.remove(&name);
                Err(error)
            }
        }
    }

    /// Waits until a segment is wanted; false when told to stop.
    fn wait_until_wanted(&self) -> bool {
        let mut state = self.state.lock();
        while state.ready.len() >= SEGMENTS_READY && !state.stop {
            self.changed.wait(&mut state);
        }
        !state.stop
    }

    /// Whether the log waits, or has no other segment ready and filled its own nearly as far as this one is filled.
    fn is_behind(&self, filled: u64) -> bool {
        let used = self.used.load(Ordering::Relaxed);
        let state = self.state.lock();
        let last_to_come = state.ready.is_empty() && filled < used.saturating_add(used / 4);
        last_to_come || state.awaited
    }

    /// Waits, unless told to stop or the log waits for the segment; false when told to stop.
    fn pause(&self, pause: Duration) -> bool {
        let mut state = self.state.lock();
        if !state.stop && !state.awaited && !pause.is_zero() {
            self.changed.wait_for(&mut state, pause);
        }
        !state.stop
    }

    /// Tells the log of a failure, if it waits; otherwise there is time to try again.
    fn report(&self, error: JournalError) {
        let mut state = self.state.lock();
        if state.awaited {
            state.failure = Some(error);
            self.changed.notify_all();
        }
    }

    fn count_failure<T>(&self, outcome: Result<T, JournalError>) -> Result<T, JournalError> {
        if let Err(error) = &outcome {
            *self.last_failure.lock() = Some(error.to_string());
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
        outcome
    }
}

/// What a step left.
#[derive(Debug)]
pub(crate) enum Stepped {
    Full(StandbyFile),
    Unfinished(Preparation),
}

/// Takes the preparer's sign down when it ends, in whatever way.
struct Running<'a>(&'a Standby);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.state.lock().preparing = false;
        self.0.changed.notify_all();
    }
}
