//! A whole switch with its banks, its disk and its network in one thread, reproduced by a seed.
//!
//! Why it exists: what a payment system promises about loss can only be shown on its worst day, so this makes worst days by the
//! thousand. Engine, core, journal, follower, index, sessions, translation, rendering and banks are the real ones; clock, network and
//! disk are simulated, and everything that chance decides comes from one seed. `docs/simulation.md` has the faults and the checks.
//!
//! It never reads a clock, draws a random number that the seed does not give, or depends on the order of a hash table.

mod card;
mod check;
pub mod command_line;
mod corrupt;
mod draw;
mod fault;
mod gate;
mod host;
mod inject;
mod load;
pub mod mutant;
mod net;
mod node;
mod office;
mod orders;
mod plan;
mod records;
mod run;
mod seed;
mod stream;
mod trace;
mod world;

#[cfg(test)]
mod tests;

pub use fault::{Counts, Fault};
pub use office::OfficeCounts;
pub use orders::OrderCounts;
pub use run::{Failure, Options, PAYMENTS, Place, Report, Verdict, run, simulate};
