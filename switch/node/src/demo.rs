//! A scripted day: one switch, four simulated banks with their card hosts, a scheme's host and an HSM as separate processes over loopback TCP, and lines that each send something,
//! expect something, and compare. `torap demo` shows it to a newcomer; the end-to-end tests run the same lines.

mod day;
mod lab;
mod lines;

pub use day::{Day, Report, Told, customer_of};
pub use lab::{BANKS, BankRow, CARD_HOSTS, CardHostRow, Lab, Options, SCHEME_HOST};
pub use lines::{CARD_LINES, LINES, Line, RTGS_LINES};
