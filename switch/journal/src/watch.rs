//! How a running journal does, for any thread: its owner keeps the journal, and others look.

use std::sync::Arc;

use crate::metrics::{Metrics, MetricsSnapshot};
use crate::prepare::Standby;

/// Looks at a journal whose threads run; clones are cheap.
#[derive(Debug, Clone)]
pub struct Watch {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) standby: Arc<Standby>,
}

/// A journal at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// What it has written.
    pub counts: MetricsSnapshot,
    /// Segments that are filled and wait for their use; two unless the log has just begun one.
    pub segments_ready: usize,
    /// Segments filled in advance.
    pub preparations: u64,
    /// Attempts to fill one that failed: a growing number means that the disk is nearly full, or ill.
    pub preparations_failed: u64,
    /// Why the last attempt failed; none once one has succeeded since.
    pub failure: Option<String>,
}

impl Watch {
    /// The journal as it is now.
    pub fn health(&self) -> Health {
        let (preparations, preparations_failed) = self.standby.counts();
        Health {
            counts: self.metrics.snapshot(),
            segments_ready: self.standby.ready(),
            preparations,
            preparations_failed,
            failure: self.standby.failure(),
        }
    }
}
