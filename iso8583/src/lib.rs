//! ISO 8583 card messages: bytes to a checked, borrowed view and back, by dialects that are tables.
//!
//! A [`Dialect`] says how each field stands on the wire. [`Message::parse`] checks every length, character set, bitmap and trailing byte in
//! one pass over the bytes and allocates nothing; subfields are decoded when they are asked for. [`check_step`] adds what must and may
//! stand in a message at a step of its way. [`Message::splice`] forwards a message with some fields changed and everything else byte for
//! byte; [`Writer`] writes one from its values.
//!
//! ```
//! use torap_iso8583::{Dialect, Message, Mti, Writer};
//!
//! let mut bytes = Vec::new();
//! let mut writer = Writer::start(Dialect::national(), Mti::new(800).unwrap(), &mut bytes);
//! writer.field(7, b"1121130405")?;
//! writer.field(11, b"000001")?;
//! writer.field(33, b"601")?;
//! writer.field(70, b"301")?;
//! writer.finish()?;
//!
//! let message = Message::parse(Dialect::national(), &bytes)?;
//! assert_eq!(message.get(70), Some(&b"301"[..]));
//! # Ok::<(), torap_iso8583::Refusal>(())
//! ```
//!
//! Card numbers, tracks, PIN blocks, verification values, codes and keys have a masking class in the table, and no rendering shows them
//! unless it is told to ([`Unmask`]). This crate knows no switch: it neither routes nor decides, keeps no state between messages, does no
//! I/O, and knows no key.

mod class;
mod code_page;
mod dialect;
pub mod explain;
mod field_set;
pub mod json;
mod luhn;
mod mask;
mod message;
mod mti;
mod redact;
mod refusal;
mod render;
mod splice;
mod step;
mod subfields;
pub mod tlv;
mod wire;
mod write;

pub use class::Class;
pub use code_page::{CODE_PAGES, CodePage};
pub use dialect::{
    BitmapEncoding, CodeRow, CodeTable, Condition, Dialect, FieldRow, Layout, MessageRow, Presence,
    StepRule, SubfieldRow, TableError, TagForm,
};
pub use field_set::{FIELD_MAX, FieldSet};
pub use luhn::{check_digit, luhn};
pub use mask::{Mask, Unmask};
pub use message::{MESSAGE_BYTES_MAX, Message};
pub use mti::Mti;
pub use refusal::{FIELD_BITMAP, FIELD_MTI, Key, Refusal, Rule};
pub use splice::{Change, Edit};
pub use step::{Step, StepError, check_step};
pub use subfields::{Subfield, Subfields};
pub use wire::{Encoding, Length, LengthEncoding, Shape, VALUE_UNITS_MAX};
pub use write::Writer;
