//! The certification bench: what a participant's host must show before it is connected.
//!
//! The bench plays the switch. The host connects to it as it would to the switch, and the bench goes through a written catalogue of
//! cases ([`catalogue`]; the same data is printed into docs/certification.md): positive ones, and negative ones in which the bench
//! behaves as a bad day would. A case that the host has to begin itself is asked for: of a simulated host over its script, of a person
//! in words. What comes out is a report ([`report`]) with every case and every message, cards and customers masked, signed by the
//! operator ([`signature`]). [`card`] and [`instant`] are the two rails.
//!
//! What it never does: it connects to no switch and moves no money; it never shows a card number, an account, a person, a PIN or a key.

mod bench;
pub mod card;
pub mod catalogue;
pub mod instant;
pub mod peer;
pub mod report;
pub mod signature;
pub mod subject;

pub use bench::Choice;
pub use report::{Outcome, Report, Verdict};
