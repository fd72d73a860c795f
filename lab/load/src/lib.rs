//! Load over the real wire: many banks in one thread that pay each other through a running switch, and what came of it.
//!
//! Why it exists: a switch is measured from outside, by a separate process that speaks the real protocol with real messages and
//! keeps its own books. The generator shares a machine with the switch, so it must be cheap and still honest:
//!
//! - Latency runs from the moment at which a payment was *scheduled* to its final answer. A switch that stalls makes every payment
//!   that was due meanwhile late; none is left out.
//! - A payment is written by filling a prepared text; its identifiers, parties and amount are a function of its number, so that
//!   nothing has to be kept but a number, and an answer is checked against all of it.
//! - Incoming messages are searched for the few elements that matter; every so many of them is also parsed and validated in full,
//!   and the two must agree.
//!
//! It never looks into the switch: positions, conservation and the switch's processor time come from its operator's door, which
//! is the caller's business.
//!
//! [`Generator`] is a state machine without sockets and clock; [`run`] drives it over TCP. [`card`] is the same for card traffic, driven
//! by [`run_cards`].

pub mod limits;

mod bank;
pub mod card;
mod customers;
mod driver;
mod generator;
mod histogram;
mod identity;
mod incoming;
mod ledger;
mod outcome;
mod payment;
mod plan;
mod scan;
mod schedule;
#[cfg(test)]
mod serving;
mod tally;

pub use driver::{run, run_cards};
pub use generator::Generator;
pub use histogram::Histogram;
pub use outcome::{LatencyMs, Line, Outcome, Progress, SwitchUse};
pub use plan::{Failure, LoadBank, Plan};
