//! The journal in its own thread, which encrypts, hashes, writes and syncs off the core's thread. More help it: one fills
//! the next segment, two sync while the next groups are sealed and written.
//!
//! While a group syncs, batches gather in the queue; all of them become the next group. So one sync serves the more
//! records the busier the switch is. A large group does not wait for the sync of the one ahead of it: the disk then has two
//! syncs at a time, and never idles while the next group is sealed.

use crate::batch::Batch;
use crate::error::JournalError;
use crate::journal::Journal;
use crate::log::{GROUPS_UNDER_WAY, Log, Ticket};
use crate::metrics::Metrics;
use crate::prepare::Standby;
use crate::reader::{Depth, OwnedRecord, Reader, RecordStream};
use crate::syncer::{Synced, Syncer, spawn, sync};
use crate::watch::Watch;
use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Batches that wait for the journal's thread unless configured.
pub const QUEUE_BATCHES: usize = 64;
/// How long the journal is idle before it writes a witness, unless configured.
pub const WITNESS_AFTER: Duration = Duration::from_millis(50);

/// How the threads run.
#[derive(Debug, Clone, Copy)]
pub struct ThreadOptions {
    /// Batches that may wait before `append` does.
    pub queue_batches: usize,
    /// Idle time after which a witness is written. Until then damage to the last group passes for a torn write.
    pub witness_after: Duration,
    /// Least time between the beginnings of two groups; zero writes at once whatever waits. A sync costs the kernel tens of
    /// microseconds of CPU, however little it writes: a switch that needs its cores lets more records gather.
    pub group_every: Duration,
    /// Called first in each thread with its name: `journal`, `journal-sync`, `journal-prepare`. For its priority, above all: on
    /// saturated cores a sync waits for the end of a scheduler tick (4 ms) unless the first two run with a real-time policy.
    pub on_start: fn(&'static str),
}

impl Default for ThreadOptions {
    fn default() -> ThreadOptions {
        ThreadOptions {
            queue_batches: QUEUE_BATCHES,
            witness_after: WITNESS_AFTER,
            group_every: Duration::ZERO,
            on_start: |_| {},
        }
    }
}

/// Why a batch was not taken.
#[derive(Debug)]
pub enum AppendRefused {
    /// The queue is full; the batch comes back.
    Full(Batch),
    /// The journal is closed for ever.
    Failed(JournalError),
}

/// A [`Log`] driven by its own thread.
#[derive(Debug)]
pub struct ThreadedJournal {
    queue: Option<Sender<Batch>>,
    spent: Receiver<Batch>,
    reader: Reader,
    metrics: Arc<Metrics>,
    standby: Arc<Standby>,
    failure: Arc<Mutex<Option<Arc<JournalError>>>>,
    worker: Option<JoinHandle<()>>,
    preparer: Option<JoinHandle<()>>,
    batch_bytes_max: usize,
    seals_evidence: bool,
    accepted: u64,
}

impl ThreadedJournal {
    /// Moves the log into its thread. `wake` is called there with the last durable sequence after every sync, and once
    /// when the journal fails; it must be quick.
    pub fn start(
        mut log: Log,
        options: ThreadOptions,
        wake: Box<dyn Fn(u64) + Send>,
    ) -> Result<ThreadedJournal, JournalError> {
        let (queue, waiting) = bounded(options.queue_batches.max(1));
        let (spent_in, spent) = bounded(options.queue_batches.max(1) * 2);
        let failure = Arc::default();
        let standby = Arc::clone(log.standby());
        let unfinished = log.take_preparation();
        let empty = log.batch();
        let mut journal = ThreadedJournal {
            queue: Some(queue),
            spent,
            reader: log.reader(),
            metrics: Arc::clone(log.metrics()),
            standby: Arc::clone(&standby),
            failure: Arc::clone(&failure),
            worker: None,
            preparer: None,
            batch_bytes_max: empty.bytes_max(),
            seals_evidence: empty.seals_evidence(),
            accepted: log.next_sequence() - 1,
        };
        let worker = Worker {
            log,
            waiting,
            spent: spent_in,
            failure,
            wake,
            witness_after: options.witness_after,
            group_every: options.group_every,
            group_began: Instant::now(),
            syncers: [
                Syncer::start(options.on_start)?,
                Syncer::start(options.on_start)?,
            ],
            turn: 0,
            group: Vec::new(),
            syncing: VecDeque::with_capacity(GROUPS_UNDER_WAY),
            emptied: Vec::new(),
            left_over: None,
        };
        standby.expect_preparer();
        journal.preparer = Some(spawn("journal-prepare", options.on_start, move || {
            standby.run(unfinished);
        })?);
        journal.worker = Some(spawn("journal", options.on_start, move || worker.run())?);
        Ok(journal)
    }

    /// Hands a batch over without waiting.
    pub fn try_append(&mut self, batch: Batch) -> Result<Ticket, AppendRefused> {
        let ticket = Ticket(batch.last_sequence().unwrap_or(self.accepted));
        if batch.is_empty() {
            return Ok(ticket);
        }
        let Some(queue) = &self.queue else {
            return Err(AppendRefused::Failed(self.fenced()));
        };
        match queue.try_send(batch) {
            Ok(()) => {
                self.accepted = ticket.0;
                Ok(ticket)
            }
            Err(TrySendError::Full(batch)) => Err(AppendRefused::Full(batch)),
            Err(TrySendError::Disconnected(_)) => Err(AppendRefused::Failed(self.fenced())),
        }
    }

    /// A reader of everything durable, for any thread.
    pub fn reader(&self) -> Reader {
        self.reader.clone()
    }

    /// The journal's counters.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Segments filled in advance, and attempts that failed: a growing second number means that the disk is nearly full.
    pub fn preparations(&self) -> (u64, u64) {
        self.standby.counts()
    }

    /// Looks at the journal from other threads.
    pub fn watch(&self) -> Watch {
        Watch {
            metrics: Arc::clone(&self.metrics),
            standby: Arc::clone(&self.standby),
        }
    }

    /// Segments that are filled and wait for their use; two unless the log has just begun one.
    pub fn segments_ready(&self) -> usize {
        self.standby.ready()
    }

    /// Makes everything handed over durable, witnesses it and ends the threads. Dropping the journal does the same, but tells
    /// nobody of a failure.
    pub fn close(mut self) -> Result<(), JournalError> {
        self.stop();
        match self.failure() {
            Some(cause) => Err(JournalError::Fenced { cause }),
            None => Ok(()),
        }
    }

    fn stop(&mut self) {
        self.queue = None;
        // The preparer ends last: the journal's thread may still need a segment for what waits.
        self.join(|journal| &mut journal.worker);
        self.standby.stop();
        self.join(|journal| &mut journal.preparer);
    }

    fn join(&mut self, thread: impl Fn(&mut ThreadedJournal) -> &mut Option<JoinHandle<()>>) {
        let died = thread(self)
            .take()
            .is_some_and(|thread| thread.join().is_err());
        if died {
            let mut failure = self.failure.lock();
            failure.get_or_insert_with(|| Arc::new(JournalError::ThreadDied));
        }
    }

    fn fenced(&self) -> JournalError {
        let cause = self
            .failure()
            .unwrap_or_else(|| Arc::new(JournalError::ThreadDied));
        JournalError::Fenced { cause }
    }
}

impl Journal for ThreadedJournal {
    fn batch(&mut self) -> Batch {
        self.spent
            .try_recv()
            .unwrap_or_else(|_| Batch::new(self.batch_bytes_max, self.seals_evidence))
    }

    fn append(&mut self, batch: Batch) -> Result<Ticket, JournalError> {
        match self.try_append(batch) {
            Ok(ticket) => Ok(ticket),
            Err(AppendRefused::Failed(error)) => Err(error),
            Err(AppendRefused::Full(batch)) => {
                let ticket = Ticket(batch.last_sequence().unwrap_or(self.accepted));
                let sent = self
                    .queue
                    .as_ref()
                    .is_some_and(|queue| queue.send(batch).is_ok());
                if !sent {
                    return Err(self.fenced());
                }
                self.accepted = ticket.0;
                Ok(ticket)
            }
        }
    }

    fn durable_upto(&self) -> u64 {
        self.reader.durable_upto()
    }

    fn failure(&self) -> Option<Arc<JournalError>> {
        self.failure.lock().clone()
    }

    fn read_from(
        &self,
        sequence: u64,
        depth: Depth,
    ) -> Result<Box<dyn RecordStream>, JournalError> {
        Ok(Box::new(self.reader.read_from(sequence, depth)?))
    }

    fn read_record(&self, sequence: u64) -> Result<Option<OwnedRecord>, JournalError> {
        self.reader.read_record(sequence)
    }
}

impl Drop for ThreadedJournal {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The journal's thread.
struct Worker {
    log: Log,
    waiting: Receiver<Batch>,
    spent: Sender<Batch>,
    failure: Arc<Mutex<Option<Arc<JournalError>>>>,
    wake: Box<dyn Fn(u64) + Send>,
    witness_after: Duration,
    group_every: Duration,
    group_began: Instant,
    syncers: [Syncer; GROUPS_UNDER_WAY],
    /// Which of them syncs the next group.
    turn: usize,
    /// The group being sealed and written.
    group: Vec<Batch>,
    /// The groups being synced, oldest first.
    syncing: VecDeque<Syncing>,
    /// Lists of batches to be used again.
    emptied: Vec<Vec<Batch>>,
    /// A batch that did not fit into the last group.
    left_over: Option<Batch>,
}

/// A group that a helper syncs.
struct Syncing {
    batches: Vec<Batch>,
    syncer: usize,
}

impl Worker {
    fn run(mut self) {
        let worked =
            catch_unwind(AssertUnwindSafe(|| self.work())).unwrap_or(Err(JournalError::ThreadDied));
        if let Err(error) = worked {
            let cause = match error {
                JournalError::Fenced { cause } => cause,
                other => Arc::new(other),
            };
            *self.failure.lock() = Some(cause);
            // Closes the queue: whoever waits to hand a batch over learns of the failure.
            let Worker {
                log, wake, waiting, ..
            } = self;
            drop(waiting);
            wake(log.durable_upto());
        }
    }

    fn work(&mut self) -> Result<(), JournalError> {
        while self.gather()? {
            if self.log.fits(&self.group) {
                // The costly part runs while the groups before are on their way to the disk; the write waits for room.
                let ahead = self.overlaps();
                self.log.seal(&mut self.group, ahead)?;
                self.await_syncs(ahead)?;
                self.log.write(&mut self.group)?;
            } else {
                self.await_syncs(0)?;
                self.log.append(&mut self.group)?;
            }
            let empty = self.emptied.pop().unwrap_or_default();
            let written = std::mem::replace(&mut self.group, empty);
            let nothing_waits = self.waiting.is_empty() && self.left_over.is_none();
            if nothing_waits && self.syncing.is_empty() {
                let synced = sync(&*self.log.file(0));
                self.synced(written, synced)?;
            } else {
                self.begin_sync(written)?;
            }
        }
        if self.log.needs_witness() {
            self.log.witness()?;
        }
        Ok(())
    }

    /// How many groups may be under way to the disk when the gathered one is written.
    fn overlaps(&self) -> usize {
        let bytes: usize = self.group.iter().map(Batch::bytes).sum();
        if bytes >= self.log.overlap_bytes() {
            GROUPS_UNDER_WAY - 1
        } else {
            0
        }
    }

    fn begin_sync(&mut self, batches: Vec<Batch>) -> Result<(), JournalError> {
        let syncer = self.turn;
        self.turn = (syncer + 1) % GROUPS_UNDER_WAY;
        self.syncers[syncer].begin(self.log.file(syncer))?;
        self.syncing.push_back(Syncing { batches, syncer });
        Ok(())
    }

    /// Waits, oldest first, until no more than `left` groups are being synced. In order: a sync that succeeds tells nothing of
    /// what an earlier one may still report.
    fn await_syncs(&mut self, left: usize) -> Result<(), JournalError> {
        while self.syncing.len() > left {
            let Some(Syncing { batches, syncer }) = self.syncing.pop_front() else {
                break;
            };
            let synced = self.syncers[syncer].finish()?;
            self.synced(batches, synced)?;
        }
        Ok(())
    }

    /// The oldest written group is durable: tells so and gives its batches back.
    fn synced(
        &mut self,
        mut batches: Vec<Batch>,
        (outcome, took): Synced,
    ) -> Result<(), JournalError> {
        let durable = self.log.synced(outcome)?;
        self.log.metrics().synced(took);
        (self.wake)(durable);
        for mut batch in batches.drain(..) {
            batch.clear();
            // A full return channel means that there are batches enough.
            let _ = self.spent.try_send(batch);
        }
        self.emptied.push(batches);
        Ok(())
    }

    /// Takes all waiting batches as the next group; writes a witness while there is none. False when no more will come.
    fn gather(&mut self) -> Result<bool, JournalError> {
        let first = match self.left_over.take() {
            Some(batch) => batch,
            None => match self.first_batch()? {
                Some(batch) => batch,
                None => return Ok(false),
            },
        };
        let mut bytes = first.bytes();
        self.group.push(first);
        if self.group_began.elapsed() < self.group_every {
            // Nothing that is durable meanwhile waits for the pause to be told.
            self.await_syncs(0)?;
            thread::sleep(self.group_every.saturating_sub(self.group_began.elapsed()));
        }
        self.group_began = Instant::now();
        while let Ok(batch) = self.waiting.try_recv() {
            bytes += batch.bytes();
            if bytes > self.log.group_bytes_max() {
                self.left_over = Some(batch);
                break;
            }
            self.group.push(batch);
        }
        Ok(true)
    }

    /// The first batch of the next group. Only waits when nothing is being synced.
    fn first_batch(&mut self) -> Result<Option<Batch>, JournalError> {
        if !self.syncing.is_empty() {
            return match self.waiting.try_recv() {
                Ok(batch) => Ok(Some(batch)),
                Err(_) => {
                    // The oldest only: what comes meanwhile need not wait for the others.
                    self.await_syncs(self.syncing.len() - 1)?;
                    self.first_batch()
                }
            };
        }
        if self.log.needs_witness() {
            match self.waiting.recv_timeout(self.witness_after) {
                Ok(batch) => return Ok(Some(batch)),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) => self.log.witness()?,
            }
        }
        Ok(self.waiting.recv().ok())
    }
}
