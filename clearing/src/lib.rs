//! The interbank clearing system: which items a session settles, and the nets that settle them.
//!
//! Why it exists: what one bank may pay depends on what the others pay it, so the answer must be one that every auditor finds
//! again. [`close`] finds the largest set of items that every bank can afford, [`settle`] books its nets, and [`Timetable`]
//! says which session an item is for.
//!
//! [`tariff`] is what the switch charges for what it did; [`dispute`] the life of a claim about a transaction.
//!
//! It is pure: no clock, no I/O, no floats, no order of a hash table; it holds nothing between calls. It never knows a message
//! or an identifier of one; clearing knows no participant either: the engine keeps the items and names the banks by dense slots.
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

mod close;
pub mod dispute;
mod settle;
pub mod tariff;
mod timetable;

pub use close::{CloseError, Closing, Item, Member, Net, Obligation, Priority, close};
pub use settle::{SettleError, settle};
pub use timetable::{DAYS_AHEAD_MAX, SESSIONS_MAX, SessionId, Timetable, TimetableError};
