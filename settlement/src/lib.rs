//! Rules of the RTGS that need no engine: liquidity saving, the queue, the business day.
//!
//! Why it exists: what may settle, in which order and until when is decided here, by functions of their arguments alone, so
//! that a solver on a follower, the engine and `torap lsm` come to the same result.
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

pub mod lsm;
