//! The offline validator: one call, from bytes to a label or a refusal.

use crate::message::MessageLabel;
use crate::parse::{Mode, Parser};
use crate::refusal::Refusal;

/// Which rules a document is held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Profile {
    /// The XSD alone.
    None,
}

/// Validates one document.
///
/// # Errors
/// The first breach.
pub fn check(bytes: &[u8], profile: Profile) -> Result<MessageLabel, Refusal> {
    let mode = match profile {
        Profile::None => Mode::SchemaOnly,
    };
    Parser::new()
        .parse(bytes, mode)
        .map(|parsed| parsed.label())
}
