//! The host under test, as the bench meets it.

pub mod socket;
pub mod stream;

use std::time::Duration;

use torap_domain::Time;

/// What a host is asked to begin.
#[derive(Clone, Debug)]
pub struct Ask {
    /// In words, for a person.
    pub say: String,
    /// For a simulated host: a request of its script (`torap_bank::card::Request`, `torap_bank::Request`).
    pub request: serde_json::Value,
    /// An amount in tenge is wanted for an answer; a simulated host tells it as `net_tiyn`.
    pub wants_amount: bool,
}

/// What comes from the host.
#[derive(Clone, PartialEq, Eq)]
pub enum Incoming {
    /// A connection was made; links are numbered as they come.
    Connected(usize),
    /// A message on a link.
    Message(usize, Vec<u8>),
    /// A connection ended.
    Ended(usize),
}

/// A host with its links and a clock.
pub trait Peer {
    /// The wall clock.
    fn now(&self) -> Time;
    /// The next thing from the host, waiting for it as long as stated; `None` if nothing came.
    fn next(&mut self, within: Duration) -> Option<Incoming>;
    /// Sends a message on a link.
    fn send(&mut self, link: usize, message: &[u8]);
    /// Sends a frame of length zero.
    fn keep_alive(&mut self, link: usize);
    /// Cuts every link.
    fn cut(&mut self);
    /// Asks the host to begin something.
    ///
    /// # Errors
    /// It cannot be asked, or refuses.
    fn ask(&mut self, ask: &Ask) -> Result<(), String>;
}

impl std::fmt::Debug for Incoming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Incoming::Connected(link) => write!(f, "Connected({link})"),
            Incoming::Message(link, bytes) => write!(f, "Message({link}, {} bytes)", bytes.len()),
            Incoming::Ended(link) => write!(f, "Ended({link})"),
        }
    }
}
