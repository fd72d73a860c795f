//! Every bound of the core, in one place. None of them influences a decision; marks, which do enter the log, decide nothing.

use torap_domain::Span;

/// Timers that one step decides, at most, in ticks of up to [`torap_engine::TICK_EXPIRES_MAX`] each. More wait for the next
/// step, so that a flood of deadlines cannot keep commands out.
pub(crate) const TICKS_PER_STEP_MAX: usize = 16;

/// Buffers of steps that are kept for the next ones; as many steps are between their write and their sync, and a few more.
pub(crate) const SPARE_RUNS_MAX: usize = 32;

/// Effects for which a kept buffer keeps room. A tick may have thousands, once in a while.
pub(crate) const SPARE_EFFECTS_MAX: usize = 4096;

/// Bounds of a [`crate::Core`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoreLimits {
    /// Commands that wait for a place in the log.
    pub intake_commands_max: usize,
    /// Bytes of their originals.
    pub intake_bytes_max: usize,
    /// Records of one step. A batch may also end earlier, when its bytes are used up.
    pub batch_records_max: usize,
    /// Records applied and not yet released.
    pub backlog_records_max: usize,
    /// Bytes of their originals and effects.
    pub backlog_bytes_max: usize,
    /// Records that the slowest follower may be behind before no further command is taken.
    pub follower_lag_max: u64,
    /// Records from one mark to the next.
    pub mark_every_records: u64,
    /// After this long without a record a mark closes the run.
    pub mark_idle_after: Span,
}

impl Default for CoreLimits {
    fn default() -> CoreLimits {
        CoreLimits {
            intake_commands_max: 8192,
            intake_bytes_max: 64 << 20,
            batch_records_max: 1024,
            backlog_records_max: 16_384,
            backlog_bytes_max: 64 << 20,
            follower_lag_max: 1_000_000,
            mark_every_records: 1024,
            mark_idle_after: Span::from_secs(1),
        }
    }
}
