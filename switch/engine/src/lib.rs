//! The deterministic rules of the switch.
//!
//! [`Engine::apply`] is the only way state changes: the same commands with the same stamps give the same state, events and
//! effects, on every machine and after every restart. The modules below are siblings of one shape: `Command`, `State`,
//! `apply`, `write`/`read` (snapshot, and digest of the same bytes), and `next_deadline`/`expire_first` where time decides.
//!
//! It never reads a clock, randomness, a file or a socket, never uses a float or the order of a hash table, and never looks
//! anything up outside its own state: what lives outside travels as a fact inside the command.
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

pub mod ancillary;
pub mod approval;
pub mod cards;
pub mod clearing;
pub mod codec;
pub mod directory;
pub mod disputes;
pub mod instant;
mod linear;
pub mod links;
pub mod mass;
pub mod participants;
pub mod qr;
pub mod reports;
pub mod schedule;
pub mod settlement;
pub mod tariffs;

mod bounds;
mod command;
mod deadlines;
mod digest;
mod engine;
mod event;
#[cfg(feature = "mutants")]
pub mod mutants;
mod notices;
mod outbound;
mod output;
mod slab;
mod snapshot;
mod table;
#[cfg(test)]
mod world;

pub use bounds::Bounds;
pub use command::{Command, Source, Stamp};
pub use digest::RunningDigest;
pub use engine::{Engine, Imbalance, RULES_NEWEST, RULES_OLDEST, Stats, TICK_EXPIRES_MAX};
pub use event::Event;
pub use notices::{CardCycle, CaseNotice, CaseStep, CaseSubject};
pub use outbound::{
    DayEvent, Effect, Message, Notice, Outbound, Outcome, Receipt, References, Standing, Status,
    Withdrawal,
};
pub use output::Output;
pub use snapshot::SnapshotError;
