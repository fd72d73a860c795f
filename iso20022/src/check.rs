//! The offline validator: one call, from bytes to a label or a refusal.

use std::borrow::Cow;

use crate::encoding;
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

/// Validates one document. Under [`Profile::None`] it may be in one of a few encodings besides UTF-8.
///
/// # Errors
/// The first breach; its offset counts bytes of the document in UTF-8.
pub fn check(bytes: &[u8], profile: Profile) -> Result<MessageLabel, Refusal> {
    match profile {
        Profile::None => {
            // What cannot be turned into UTF-8 is left as it is, for the parser to refuse.
            let text = encoding::to_utf8(bytes).unwrap_or(Cow::Borrowed(bytes));
            Parser::new()
                .parse(&text, Mode::SchemaOnly)
                .map(|parsed| parsed.label())
        }
    }
}
