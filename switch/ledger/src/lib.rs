//! Double-entry accounts: transfer, reserve, post, void.
//!
//! Why it exists: this is the only place where money moves. Every operation books one amount on two accounts of one
//! asset, so that debits equal credits whatever happens; and on a constrained account
//! `posted − held + credit line ≥ 0` holds after every operation. A refused operation changes nothing.
//!
//! It never knows a payment, a participant's state, a limit or a clock; it never prints, allocates per operation or
//! panics. Which hold belongs to which payment is the engine's state: the ledger keeps sums only.
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

mod account;
mod ledger;
mod snapshot;

pub use account::{Account, AccountId, AccountKey, Book};
pub use ledger::{ConservationError, Ledger, LedgerRefusal};
pub use snapshot::LedgerDecodeError;
