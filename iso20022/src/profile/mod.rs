//! The national profile: what docs/messages.md demands beyond the schemas.
//!
//! The tables in `generated` come from `iso20022/usage` by `cargo xtask codegen`; the document comes from the same files. A field that a
//! table does not list is ignored. Whether an agent exists, is the sender of the session or is the switch, whether an account is open
//! or a payment known: none of that is decided here, only the message itself is looked at.

mod facts;
#[rustfmt::skip]
pub(crate) mod generated;
mod rules;
mod table;
mod walk;

#[cfg(test)]
mod tests;

use crate::message::MessageKind;

pub use crate::view::reader::check;
pub(crate) use facts::{Breach, Facts};
pub(crate) use table::Table;
pub(crate) use walk::{missing, walk, walk_batch_item};

/// Checks of national identifiers, which this crate does not know by itself.
///
/// Each takes the text as it stands in the message and returns the code of the rule that it breaks, in kebab case, such as `iban-check-digits`.
#[derive(Debug, Clone, Copy)]
pub struct Formats {
    /// Business identifier code of 8 or 11 characters.
    pub bic: fn(&str) -> Result<(), &'static str>,
    /// International bank account number.
    pub iban: fn(&str) -> Result<(), &'static str>,
    /// IIN or BIN: twelve digits with a check digit.
    pub person_number: fn(&str) -> Result<(), &'static str>,
    /// Phone in any usual spelling.
    pub phone: fn(&str) -> Result<(), &'static str>,
    /// National payment purpose code: three digits.
    pub knp: fn(&str) -> Result<(), &'static str>,
    /// KOD or KBE: residency and sector, two digits.
    pub sector_code: fn(&str) -> Result<(), &'static str>,
    /// Identifier: at most 35 characters of the set allowed.
    pub identifier: fn(&str) -> Result<(), &'static str>,
}

/// Who sent the message to whom. The tables differ in the statuses allowed and in what the switch may leave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// A bank to the switch.
    ToSwitch,
    /// The switch to a bank.
    FromSwitch,
    /// Not known, as for a file: whatever either may send.
    Either,
}

/// The usage table of a message without services; `None` for pacs.008, whose service decides, and for messages outside the profile.
pub(crate) fn table_of(kind: MessageKind) -> Option<&'static Table> {
    match kind {
        MessageKind::Head001 => Some(&generated::HEADER),
        MessageKind::Pacs009 => Some(&generated::BANK_TRANSFER),
        MessageKind::Camt050 => Some(&generated::LIQUIDITY_TRANSFER),
        MessageKind::Camt025 => Some(&generated::RECEIPT),
        MessageKind::Camt060 => Some(&generated::ACCOUNT_REQUEST),
        MessageKind::Camt003 => Some(&generated::ACCOUNT_QUERY),
        MessageKind::Camt005 => Some(&generated::PAYMENT_QUERY),
        MessageKind::Camt007 => Some(&generated::PAYMENT_CHANGE),
        MessageKind::Pacs002 => Some(&generated::STATUS_REPORT),
        MessageKind::Pacs004 => Some(&generated::PAYMENT_RETURN),
        MessageKind::Pacs028 => Some(&generated::STATUS_REQUEST),
        MessageKind::Camt056 => Some(&generated::RECALL),
        MessageKind::Camt029 => Some(&generated::RECALL_ANSWER),
        MessageKind::Acmt023 => Some(&generated::LOOK_UP),
        MessageKind::Acmt024 => Some(&generated::LOOK_UP_ANSWER),
        MessageKind::Admi002 => Some(&generated::REJECT),
        MessageKind::Admi004 => Some(&generated::EVENT_NOTICE),
        MessageKind::Admi011 => Some(&generated::EVENT_ACKNOWLEDGEMENT),
        _ => None,
    }
}
