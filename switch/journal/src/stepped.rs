//! The journal in one thread: every step is at most one write of a group or one sync, so that a simulation can stop, fail
//! or cut the power between any two.

use crate::batch::Batch;
use crate::error::JournalError;
use crate::journal::Journal;
use crate::log::{GROUPS_UNDER_WAY, Log, Ticket};
use crate::reader::{Depth, OwnedRecord, RecordStream};
use std::sync::Arc;

/// Batches that may wait before `append` works one off itself.
pub const WAITING_BATCHES_MAX: usize = 1024;

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Wrote a group up to this ticket.
    Wrote(Ticket),
    /// Everything up to this sequence is durable now.
    Synced(u64),
    /// Wrote and synced a witness, because nothing else was to do.
    Witnessed,
    /// Filled a piece of the next segment.
    Prepared,
    /// There is nothing to do.
    Idle,
}

/// A [`Log`] with its queue.
#[derive(Debug)]
pub struct SteppedJournal {
    log: Log,
    waiting: Vec<Batch>,
    /// Written and not yet synced.
    written: Vec<Batch>,
    groups_written: usize,
    spent: Vec<Batch>,
    accepted: u64,
}

impl SteppedJournal {
    /// Takes a log over.
    pub fn new(log: Log) -> SteppedJournal {
        let accepted = log.next_sequence() - 1;
        SteppedJournal {
            log,
            waiting: Vec::new(),
            written: Vec::new(),
            groups_written: 0,
            spent: Vec::new(),
            accepted,
        }
    }

    /// Does the next piece of work: sync what is written, or write what waits, or witness, or fill the next segment.
    pub fn step(&mut self) -> Result<Step, JournalError> {
        let count = group_of(&self.waiting, self.log.group_bytes_max());
        if self.groups_written > 0 && !self.overlaps(count) {
            let durable = self.log.sync()?;
            for mut batch in self.written.drain(..) {
                batch.clear();
                self.spent.push(batch);
            }
            self.groups_written = 0;
            return Ok(Step::Synced(durable));
        }
        if !self.waiting.is_empty() {
            let mut group: Vec<Batch> = self.waiting.drain(..count).collect();
            let wrote = self.log.append(&mut group).map(Step::Wrote);
            self.written.append(&mut group);
            self.groups_written += 1;
            return wrote;
        }
        if self.log.needs_witness() {
            self.log.witness()?;
            return Ok(Step::Witnessed);
        }
        // A failed preparation is tried again with a later step; only a segment that is needed and cannot be had is fatal.
        if !self.log.standby().is_ready() && self.log.prepare_step().is_ok() {
            return Ok(Step::Prepared);
        }
        Ok(Step::Idle)
    }

    /// Whether so many of the waiting batches are written before what is written is synced.
    fn overlaps(&self, count: usize) -> bool {
        let group = &self.waiting[..count];
        let bytes: usize = group.iter().map(Batch::bytes).sum();
        count > 0
            && self.groups_written < GROUPS_UNDER_WAY
            && bytes >= self.log.overlap_bytes()
            && self.log.fits(group)
    }

    /// The log below.
    pub fn log(&self) -> &Log {
        &self.log
    }
}

impl Journal for SteppedJournal {
    fn batch(&mut self) -> Batch {
        self.spent.pop().unwrap_or_else(|| self.log.batch())
    }

    fn append(&mut self, batch: Batch) -> Result<Ticket, JournalError> {
        if let Some(cause) = self.log.failure() {
            return Err(JournalError::Fenced { cause });
        }
        let Some(last_sequence) = batch.last_sequence() else {
            self.spent.push(batch);
            return Ok(Ticket(self.accepted));
        };
        while self.waiting.len() >= WAITING_BATCHES_MAX {
            self.step()?;
        }
        self.accepted = last_sequence;
        self.waiting.push(batch);
        Ok(Ticket(last_sequence))
    }

    fn durable_upto(&self) -> u64 {
        self.log.durable_upto()
    }

    fn failure(&self) -> Option<Arc<JournalError>> {
        self.log.failure()
    }

    fn read_from(
        &self,
        sequence: u64,
        depth: Depth,
    ) -> Result<Box<dyn RecordStream>, JournalError> {
        Ok(Box::new(self.log.reader().read_from(sequence, depth)?))
    }

    fn read_record(&self, sequence: u64) -> Result<Option<OwnedRecord>, JournalError> {
        self.log.reader().read_record(sequence)
    }
}

/// How many of the waiting batches fit into one group; at least one if there is any, since a batch is never larger than a group.
fn group_of(waiting: &[Batch], group_bytes_max: usize) -> usize {
    let mut bytes = 0;
    let fitting = waiting.iter().take_while(|batch| {
        bytes += batch.bytes();
        bytes <= group_bytes_max
    });
    fitting.count().max(1).min(waiting.len())
}
