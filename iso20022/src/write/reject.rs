//! Writes admi.002.001.01.

use crate::message::MessageType;
use crate::view::{BusinessHeader, Reject};

use super::xml::{IDENTIFIER_CHARACTERS_MAX, closing, message, nested, optional};

/// Longest error location and reason description (Max350Text).
const DESCRIPTION_CHARACTERS_MAX: usize = 350;
/// Longest additional data (Max20000Text).
const ADDITIONAL_CHARACTERS_MAX: usize = 20_000;

/// Appends the refusal of a message.
pub fn reject(out: &mut Vec<u8>, header: Option<&BusinessHeader<'_>>, reject: &Reject<'_>) {
    message(out, header, MessageType::ADMI_002_001_01, |xml| {
        xml.raw("<admi.002.001.01>");
        nested!(xml, [RltdRef Ref], text(&reject.related, IDENTIFIER_CHARACTERS_MAX));
        xml.raw("<Rsn>");
        nested!(
            xml,
            [RjctgPtyRsn],
            text(&reject.reason, IDENTIFIER_CHARACTERS_MAX)
        );
        if let Some(rejected) = reject.rejected_ns {
            nested!(xml, [RjctnDtTm], time(rejected));
        }
        optional!(xml, [ErrLctn], &reject.location, DESCRIPTION_CHARACTERS_MAX);
        optional!(
            xml,
            [RsnDesc],
            &reject.description,
            DESCRIPTION_CHARACTERS_MAX
        );
        optional!(
            xml,
            [AddtlData],
            &reject.additional,
            ADDITIONAL_CHARACTERS_MAX
        );
        xml.raw("</Rsn></admi.002.001.01>");
    });
}
