//! What a usage table says, as the validator walks it.

use crate::capture::{CaptureTable, SlotId};

use super::facts::{Breach, Facts};

/// The usage table of one message, or of one service of a message.
#[derive(Debug)]
pub(crate) struct Table {
    /// The fields of the message.
    pub(crate) fields: &'static CaptureTable,
    /// Fields checked one by one, in document order.
    pub(crate) rows: &'static [Row],
    /// Rules over several fields, checked after the rows.
    pub(crate) rules: &'static [RuleEntry],
}

/// How one field is used.
#[derive(Debug)]
pub(crate) struct Row {
    /// The field.
    pub(crate) slot: SlotId,
    /// The other place where it may stand; never both.
    pub(crate) other: Option<SlotId>,
    /// Whether it must be there.
    pub(crate) is_mandatory: bool,
    /// Whether it may occur more than once; only the first counts.
    pub(crate) may_repeat: bool,
    /// What it holds.
    pub(crate) format: Format,
    /// The values allowed, for [`Format::Code`].
    pub(crate) values: &'static [&'static str],
    /// Status reason when it is wrong.
    pub(crate) wrong: &'static str,
    /// Status reason when it is missing.
    pub(crate) missing: &'static str,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// A decimal of tenge above zero with at most two decimals.
    Amount,
    /// A BIC.
    Bic,
    /// `true`, `false`, `1` or `0`; the schema has checked it.
    Boolean,
    /// One of the values of the row.
    Code,
    /// `YYYY-MM-DD`.
    Date,
    /// A dateTime with an offset.
    DateTime,
    /// Children; only its number counts.
    Element,
    /// An IBAN.
    Iban,
    /// An identifier in the character set of identifiers.
    Identifier,
    /// A national payment purpose code.
    Knp,
    /// A phone.
    Phone,
    /// An external code: one to four upper-case letters or digits.
    Reason,
    /// Free text.
    Text,
    /// A time of day with an offset.
    Time,
    /// A UETR; the schema has checked it.
    Uetr,
}

/// A rule over several fields.
#[derive(Debug)]
pub(crate) struct RuleEntry {
    /// Stable kebab-case code.
    pub(crate) code: &'static str,
    /// The rule in words.
    pub(crate) text: &'static str,
    /// Status reason when a field is wrong.
    pub(crate) wrong: &'static str,
    /// Status reason when a field is missing.
    pub(crate) missing: &'static str,
    /// The check.
    pub(crate) check: fn(&Facts<'_, '_, '_>) -> Result<(), Breach>,
}
