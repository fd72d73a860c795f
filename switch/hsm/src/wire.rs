//! The bytes between the switch and an HSM: frames, fields, and what requests and answers look like in them.
//! docs/hsm.md says the same for the reader outside, with a worked example that a test checks.
//!
//! ```text
//! 0        4    5    6         8        10         12            20
//! +--------+----+----+---------+--------+----------+-------------+--------...-+
//! | length | v  |kind| command | status | 0        | correlation | fields     |
//! +--------+----+----+---------+--------+----------+-------------+--------...-+
//!  u32       u8   u8   u16       u16      u16        u64           tag u16, length u16, value
//! ```
//! `length` counts what is behind it. Numbers are big-endian. Nothing here allocates when reading a request.

mod field;
mod frame;
mod request;
mod response;

pub use field::Field;
pub use frame::{Frame, FrameError, Kind, VERSION};
pub use request::{decode_request, encode_request};
pub use response::{Undecodable, decode_response, encode_response};

#[cfg(test)]
mod tests;
