//! ISO 20022 messages in XML: bytes to a validated, typed view and back.
//!
//! One pass over the bytes checks that a document is well-formed, validates it against its XSD and notes where the fields that the
//! caller asked for stand. The tables behind it are generated from the XSDs of the standard. Nothing is copied out of the document
//! unless it is asked for, and parsing allocates nothing per element.
//!
//! This crate knows no switch: it neither routes nor decides, keeps no state between documents, does no I/O, and computes no money.

pub mod capture;
pub mod check;
mod encoding;
#[rustfmt::skip]
pub mod generated;
pub mod limits;
pub mod message;
pub mod parse;
pub mod profile;
pub mod refusal;
pub mod schema;
pub mod simple;
pub mod view;
pub mod write;

pub use capture::{CaptureSet, CaptureTable, SlotId, Slots};
pub use message::{MessageKind, MessageLabel, MessageType};
pub use parse::{Mode, Parsed, Parser, Part};
pub use refusal::{Refusal, Rule};
