//! The codec as its users see it.

mod arbitrary;
mod flips;
mod peers;
mod round;
mod samples;
