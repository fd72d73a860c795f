//! The ordered durable log of the switch: the truth that everything else is derived from.
//!
//! A payment is final when its record is durable here, and not before. The log is a folder of segment files filled with zeros in
//! advance; groups of records are written and synced one after another; every record's header carries the hash of the one
//! before. A log that cannot be proven whole is refused with segment and offset. `docs/journal.md` has the byte picture, the
//! assumptions about the medium and the rules of recovery.
//!
//! It never interprets a record, never reads a clock to decide anything, never sees secrets, never repairs damage, and never
//! tries a failed sync again.
//!
//! [`Log`] is the synchronous state machine; [`SteppedJournal`] drives it in one thread for simulation, [`ThreadedJournal`] in its
//! own thread in a live switch; both are a [`Journal`].

mod archive;
mod batch;
mod catalog;
mod chain;
mod error;
mod evidence;
mod inspect;
mod journal;
mod log;
mod medium;
mod metrics;
#[cfg(feature = "mutants")]
pub mod mutants;
mod options;
mod prepare;
mod reader;
mod record;
mod recovery;
mod redact;
mod scan;
mod seal;
mod segment;
mod stepped;
mod syncer;
mod threaded;
mod trail;
mod walk;
mod watch;

#[cfg(test)]
mod tests;

pub use archive::{Bound, Folders, Sealed};
pub use batch::{Batch, BatchError, RecordMeta};
pub use error::{Damage, Fault, JournalError};
pub use evidence::EvidenceKey;
pub use inspect::{LogEnd, Progress, SegmentStat, StatReport, VerifyReport, dump, stat, verify};
pub use journal::Journal;
pub use log::{Log, Ticket};
pub use medium::{ArchivedMedium, FileMedium, Medium, MediumFile, MediumLock, MemoryMedium};
pub use metrics::{Metrics, MetricsSnapshot};
pub use options::{
    BATCH_BYTES_MAX, BATCH_BYTES_MIN, Entropy, GROUP_BYTES_MAX, OVERLAP_BYTES, Options,
    SEGMENT_BYTES, SEGMENT_BYTES_MAX,
};
pub use prepare::Prepared;
pub use reader::{Cursor, Depth, Evidence, OwnedRecord, Reader, Record, RecordStream};
pub use record::KIND_FIRST;
pub use recovery::Recovery;
pub use redact::redact;
pub use segment::{FORMAT_VERSION, SegmentHeader, WRITER_BYTES_MAX};
pub use stepped::{Step, SteppedJournal, WAITING_BATCHES_MAX};
pub use threaded::{AppendRefused, QUEUE_BATCHES, ThreadOptions, ThreadedJournal, WITNESS_AFTER};
pub use walk::Torn;
pub use watch::{Health, Watch};
