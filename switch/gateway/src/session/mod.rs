//! The two ends of a bank's link as state machines: [`ServerSession`] in the switch, [`ClientSession`] in a
//! bank's host (the simulated bank, the load generator).
//!
//! Why it exists: sign-on, sequences, acknowledgements, windows, liveness and sign-off are rules worth
//! running under a simulator, so they live apart from sockets, clocks and threads. A driver feeds bytes and
//! time and takes bytes and events; `now` is nanoseconds of any clock that never goes back. A session works
//! on any byte stream that keeps order, plain TCP or TLS; the TLS exporter value goes into the sign-on as
//! the channel binding.
//!
//! What it never does: no I/O, no clock, no randomness (nonces are passed in), and it never looks inside a
//! message. It keeps no message either: what has to survive the link (the bank's outbox, the switch's
//! outbound stream) belongs to the driver, which is told the sequence to go on from.
//!
//! One turn of a driver:
//! ```text
//! read the socket into input() → handle_input(now) → poll_event() until None
//!   → acknowledge/confirm what is safe, send() while wants() → poll_output() → write the socket
//! and handle_timeout(now) when poll_timeout() has come
//! ```
//! Frames are decoded one at a time inside `poll_event`, so a driver that stops asking stops the intake:
//! nothing is queued inside beyond the bytes already read.

#[macro_use]
mod driving;

mod client;
mod inbound;
mod link;
mod outbound;
mod proof;
mod server;

pub use client::{ClientConfig, ClientEvent, ClientSession};
pub use inbound::Message;
pub use link::CloseReason;
pub use outbound::{Outgoing, SendError, Wants};
pub use proof::{Secret, SecretError};
pub use server::{Admission, Credentials, Sent, ServerConfig, ServerEvent, ServerSession};

#[cfg(test)]
mod tests;
