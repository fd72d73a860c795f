//! The core: it puts commands in order, stamps them, writes them into a batch for the journal, applies them, and lets go of
//! what came out once the journal says that it is durable.
//!
//! Why it exists: order, time and durability are decided in one place, [`Core`], and nowhere else. The next batch is applied
//! while the one before it is being synced; nothing that leaves a record is handed out before that record is durable, so no
//! status leaves the switch that the journal does not hold. [`Replay`] is the way back: from records to the same state.
//!
//! It never reads a clock, never does I/O, never blocks and starts no thread: it is told the time, is given an empty batch,
//! and is asked when it wants to be called again. It grows up to named limits and then refuses ([`CoreLimits`]).
//!
//! ```text
//! offer(command) ─► intake ─► step(now, batch) ─► batch ─► journal
//!                                │ apply                     │ durable up to n
//!                                ▼                           ▼
//!                             backlog ───────────────► release(n) ─► outcomes, effects
//! ```
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::float_arithmetic
    )
)]

mod backlog;
mod core;
mod error;
mod intake;
mod limits;
#[cfg(feature = "mutants")]
pub mod mutants;
mod recovered;
mod replay;

#[cfg(test)]
mod tests;

pub use backlog::{Published, Released};
pub use core::{Core, Counters, Held, Stepped};
pub use error::{CoreError, ReplayError};
pub use intake::{Intake, Refused, RefusedBecause, Secrets};
pub use limits::CoreLimits;
pub use recovered::Recovered;
pub use replay::{Applied, Replay};
