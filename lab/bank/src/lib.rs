//! A simulated participant: accounts, customers, and scripted behaviour per payment.
//!
//! A state machine without I/O: `receive`, `handle`, `handle_timeout` in; `next_to_send`, `poll_link_order`, `poll_timeout` out. The
//! driver owns socket, clock and session. The bank checks the switch too: every payment it sent comes to exactly one final outcome,
//! it credits a customer only on ACSC, and its own books must equal its position at the switch.
//!
//! It keeps nothing on disk. After a restart it states that it holds nothing and hears the switch's whole stream again; its books
//! then cover what it received, not what an earlier life of it sent.

mod bank;
mod behaviour;
mod books;
pub mod card;
mod control;
mod customers;
mod outgoing;
mod receive;
mod send;

pub use bank::{Bank, Config, LinkOrder};
pub use behaviour::Behaviour;
pub use books::{Books, Final, Violation};
pub use control::{PayOrder, Payee, Request, Seen, SentPayment, WaitFor};
pub use customers::{Customer, customer};
pub use outgoing::Letter;
