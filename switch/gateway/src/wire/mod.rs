//! The frames that travel between a bank's host and the switch, bytes ↔ typed packets.
//!
//! Why it exists: a participant's stream needs message boundaries, sequences and acknowledgements on top
//! of TCP or TLS, and both the switch and every bank must agree on them to the byte. `docs/wire.md` is the
//! rule; this module is its only implementation in the switch.
//!
//! What it never does: no sockets, no clock, no session state, and it never looks inside a body.
//!
//! - [`FrameDecoder`] cuts a bounded buffer into [`Frame`]s without copying the bodies.
//! - [`Packet`] is a frame parsed once into a type that cannot be wrong.
//! - [`FrameWriter`] writes one frame into a reusable buffer without allocating.
//! - [`ErrorCode`] is the numbered table of everything that can be refused on a link.

mod error;
mod frame;
mod header;
pub mod limits;
mod packet;
mod sign_on;
mod terms;

pub use error::{ErrorCode, WireError};
pub use frame::{Flags, Frame, FrameDecoder, FrameType, MAGIC};
pub use header::{FrameWriter, Header, Headers, Tag};
pub use packet::{Data, DataHead, Packet, PeerError, SignOff};
pub use sign_on::{Challenge, Hello, SignOn, SignedOn};
pub use terms::{ContentType, Mode, Name, Nonce, TraceId, Versions, WIRE_VERSION, Window};

#[cfg(test)]
mod tests;
