//! Participant sessions and translation between messages and commands.
//!
//! Why it exists: what banks send is bytes, and what the core orders is typed commands; everything between
//! the two is here. It opens no sockets and reads no clock: a driver moves the bytes and passes the time.

pub mod card;
pub mod codes;
pub mod codes_action;
pub mod codes_card;
mod evidence;
#[cfg(test)]
mod fixtures;
mod formats;
mod network;
pub mod render;
pub mod session;
pub mod translate;
mod versions;
pub mod wire;

pub use formats::formats;
