//! The codec as its users see it.

mod arbitrary;
mod flips;
mod round;
mod samples;
