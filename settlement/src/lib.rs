//! The arithmetic of settlement: which queued payments of the RTGS can settle all at once (liquidity saving), and who bears what
//! when a session's debtor has not the money (order of loss).
//!
//! Why it exists: a solver on the read side, the check of its result in the engine, `torap lsm` and the drill of a default must come
//! to the same result, so it is found here, by functions of their arguments alone.
//!
//! It never moves money, reads a clock, a file or a socket, uses a float or the order of a hash table, and never panics on any
//! input: what does not make sense is refused when a [`lsm::Problem`] is made.
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

pub mod cover;
pub mod lsm;
