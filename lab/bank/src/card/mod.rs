//! The card side of a simulated participant: acquirer, issuer and scheme host in one.
//!
//! A [`CardHost`] is a state machine without I/O: `link_up`, `link_down`, `receive`, `handle`, `handle_timeout` in; `poll_output`,
//! `poll_timeout` out. Its driver owns sockets, frames and clock. As acquirer it sends whatever a terminal, cash machine, shop or
//! application would; as issuer it decides by cards, PINs, limits and balances, or as a script says.
//!
//! It checks the switch: every message obeys the rules of its step; every transaction it sent comes to one outcome; a request comes
//! once, letters come one at a time and are marked when they come again; its own totals of a session are those of the switch.
//!
//! Card numbers, PINs and keys are test data, and are masked in everything it shows.

mod accounts;
mod acquirer;
mod behaviour;
mod books;
mod control;
mod host;
mod issuer;
mod message;
mod pan;
mod recent;
mod scheme;
mod security;
mod terminal;
#[cfg(test)]
mod tests;
mod totals;

pub use acquirer::Patience;
pub use behaviour::{Aim, Behaviour, Toward};
pub use books::Breach;
pub use control::{MessageClass, Order, PinUse, Request, Seen, SentTransaction, Side, WaitFor};
pub use host::{CardHost, Config, Output};
pub use message::{Draft, Trace, amount, national_mti, original, tag};
pub use pan::{EXPIRY, TestCard};
pub use security::{MacVerdict, PinVerdict, Security};
pub use terminal::{Identity, set_times, transaction};
pub use torap_hsm_sim::soft::{KeyAge, ZoneKey};
pub use totals::{SessionBook, Sum, Totals, about_session, direction};
