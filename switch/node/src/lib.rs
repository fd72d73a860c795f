//! Drives everything: sockets, clock, threads, disk, configuration, shutdown, command line.
//!
//! The rules live in the crates below; nothing here decides about a payment.

pub mod bank;
pub mod cli;
pub mod config;
pub mod control;
pub mod demo;
pub mod depository;
pub mod drill;
pub mod folder;
pub mod presentment;
pub mod reconcile;
pub mod script;
pub mod serve;
pub mod socket;
