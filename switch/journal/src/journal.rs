//! The journal as the core sees it: hand over batches, learn what is durable, read it back.
//!
//! Positions are sequence numbers, never offsets, and a batch is fenced or durable as a whole, so that a replicated log can
//! stand behind the same trait.

use crate::batch::Batch;
use crate::error::JournalError;
use crate::log::Ticket;
use crate::reader::{Depth, OwnedRecord, RecordStream};
use std::sync::Arc;

/// An ordered durable log.
pub trait Journal {
    /// An empty batch, one that was used before where possible.
    fn batch(&mut self) -> Batch;

    /// Hands a batch over. It is durable once [`durable_upto`](Journal::durable_upto) reaches the ticket. Batches become durable in
    /// the order in which they were handed over. Waits only while the bounded queue is full. An error is fatal.
    fn append(&mut self, batch: Batch) -> Result<Ticket, JournalError>;

    /// Last sequence that is durable; 0 if there is none.
    fn durable_upto(&self) -> u64;

    /// The failure that closed this journal for ever. The process must stop.
    fn failure(&self) -> Option<Arc<JournalError>>;

    /// The records from a sequence on; 0 begins with the first one there is.
    fn read_from(&self, sequence: u64, depth: Depth)
    -> Result<Box<dyn RecordStream>, JournalError>;

    /// One record; `None` if it is not durable.
    fn read_record(&self, sequence: u64) -> Result<Option<OwnedRecord>, JournalError>;
}
