//! A scripted day: one switch and four simulated banks as separate processes over loopback TCP, and lines that each send something,
//! expect something, and compare. `torap demo` shows it to a newcomer; the end-to-end tests run the same lines.

mod day;
mod lab;
mod lines;

pub use day::{Day, Report, Told, customer_of};
pub use lab::{BANKS, BankRow, Lab, Options};
pub use lines::{LINES, Line};
