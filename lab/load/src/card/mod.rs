//! The card rail: hosts in one thread that acquire from each other's cards through a running switch, and what came of it.
//!
//! Every member is acquirer and issuer. As acquirer it fills a prepared 0200 of 22 fields with chip data; as issuer it approves at
//! once. What a transaction is (card, amount, whether a PIN was typed) is a function of its number, and the number stands in DE37, so
//! that nothing is kept but a number, and both the issuer's request and the acquirer's answer are checked against all of it: a request
//! comes once, to the right issuer, with the right card, amount and PIN block; an approval comes once, and only of what its issuer was
//! asked.
//!
//! PIN blocks are made before the run: format 0 gives the same block for the same card and key, so an issuer compares bytes.

mod generator;
mod ledger;
mod members;
mod plan;
mod template;
mod terms;

pub use generator::CardGenerator;
pub use plan::{CardMember, CardPlan};
