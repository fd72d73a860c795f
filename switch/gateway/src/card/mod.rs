//! The card side: ISO 8583 messages on TCP links, and what they become.
//!
//! Why it exists: a card host sends bare messages behind a length, without sequences or acknowledgements; what it may rely on is
//! time. Everything between such a stream and the engine's card commands is here, as state machines without sockets, clocks or
//! threads, so that a simulated bank and a simulator run the same code as the switch.
//!
//! What it never does: no I/O, no clock, no randomness, and no message is ever repeated by a link. What has to survive a link is
//! the engine's matter, which keeps it in the log.

pub mod crosswalk;
pub mod evidence;
mod facts;
#[cfg(test)]
mod fixtures;
pub mod framing;
pub mod keys;
pub mod limits;
pub mod link;
pub mod members;
pub mod network;
pub mod render;
pub mod secrets;
pub mod translate;
pub mod transport;
pub mod vault;
