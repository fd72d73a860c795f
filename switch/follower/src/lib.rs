//! The read side: a second engine that follows the durable log, fills the index and takes snapshots.
//!
//! Why it exists: what is asked of the switch, beside deciding commands, is answered from here, so that the core does nothing
//! but decide. The follower runs the same engine code over the same records and compares digests at every mark, so it also
//! proves while the switch runs that the log gives the state. [`recover`] brings core and follower up after any end of the
//! process before: the newest snapshot that can be used, then the rest of the log, once.
//!
//! It never decides, never writes to the log and never reads evidence. It sees durable records only, so whatever it answers
//! is final. Whoever runs it calls [`Follower::step`]; it reads no clock, and starts no thread but the one that writes the index
//! during a recovery.
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)
)]

mod card_fees;
mod error;
mod follower;
mod metering;
#[cfg(feature = "mutants")]
pub mod mutants;
mod rebuild;
mod recovery;
mod snapshot;
pub mod statements;

#[cfg(test)]
mod tests;

pub use card_fees::{CardCosts, ComparedCosts, compare_card_fees};
pub use error::{FollowerError, SnapshotError};
pub use follower::{Follower, FollowerOptions, Progress};
pub use metering::{Measured, Metered, meter};
pub use rebuild::{Rebuilt, Seen, Until, follow, rebuild};
pub use recovery::{Recovery, RecoveryReport, recover};
pub use snapshot::{Pace, Snapshot, SnapshotInfo, SnapshotStore};
