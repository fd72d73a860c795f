//! Passes a received Document on under a header of the switch's own.

use std::ops::Range;

use crate::message::MessageType;
use crate::view::{BusinessHeader, Splice};

use super::xml::{BIC_CHARACTERS_MAX, IDENTIFIER_CHARACTERS_MAX, Xml, enveloped};

/// Where a payment by phone goes, as the directory resolved it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resolved<'a> {
    /// BIC of the payee's bank.
    pub bic: &'a str,
    /// IBAN of the payee's account.
    pub iban: &'a str,
    /// The phone, written into CdtrAcct/Prxy again.
    pub phone: &'a str,
}

/// Appends an Envelope of a fresh header and the Document's bytes, unaltered.
///
/// `document` is the Document element as received, from `<` to past `>`; it must be self-contained, which the national profile checks.
pub fn forward(
    out: &mut Vec<u8>,
    header: &BusinessHeader<'_>,
    message_type: MessageType,
    document: &[u8],
) {
    enveloped(out, header, message_type, |xml| xml.copy(document));
}

/// As [`forward`], of a Document in parts.
pub(crate) fn forward_parts(
    out: &mut Vec<u8>,
    header: &BusinessHeader<'_>,
    message_type: MessageType,
    parts: &[&[u8]],
) {
    enveloped(out, header, message_type, |xml| {
        for part in parts {
            xml.copy(part);
        }
    });
}

/// Appends an Envelope of a fresh header and the Document with CdtrAgt, CdtrAcct and InstdAgt replaced; every other byte is as received.
///
/// `input` is the whole message received; `document` and `splice` are ranges in it, from the same [`Message`](crate::view::Message). Returns `false`, with
/// `out` as it was, if the ranges do not belong to `input`.
#[must_use]
pub fn forward_resolved(
    out: &mut Vec<u8>,
    header: &BusinessHeader<'_>,
    message_type: MessageType,
    input: &[u8],
    document: Range<usize>,
    splice: &Splice,
    resolved: &Resolved<'_>,
) -> bool {
    let length = out.len();
    let mut is_whole = None;
    enveloped(out, header, message_type, |xml| {
        is_whole = spliced(xml, input, document, splice, resolved);
    });
    if is_whole.is_none() {
        out.truncate(length);
    }
    is_whole.is_some()
}

/// Copies the Document around the elements replaced, which stand in this order: InstdAgt, CdtrAgt, CdtrAcct (the first may also stand in the
/// transaction, which is still before CdtrAgt).
fn spliced(
    xml: &mut Xml<'_>,
    input: &[u8],
    document: Range<usize>,
    splice: &Splice,
    resolved: &Resolved<'_>,
) -> Option<()> {
    let mut from = document.start;
    if let Some(range) = &splice.instructed_agent {
        xml.copy(input.get(from..range.start)?);
        replace(xml, input.get(range.clone())?, |xml, prefix| {
            agent(xml, prefix, resolved.bic)
        })?;
        from = range.end;
    }
    xml.copy(input.get(from..splice.creditor_agent.start)?);
    replace(
        xml,
        input.get(splice.creditor_agent.clone())?,
        |xml, prefix| agent(xml, prefix, resolved.bic),
    )?;
    xml.copy(input.get(splice.creditor_agent.end..splice.creditor_account.start)?);
    replace(
        xml,
        input.get(splice.creditor_account.clone())?,
        |xml, prefix| account(xml, prefix, resolved),
    )?;
    xml.copy(input.get(splice.creditor_account.end..document.end)?);
    Some(())
}

/// Writes the element's own tags around new content, so that its namespace prefix and declarations stay.
fn replace(
    xml: &mut Xml<'_>,
    element: &[u8],
    content: impl FnOnce(&mut Xml<'_>, &str),
) -> Option<()> {
    let start_end = start_tag_end(element)?;
    let name_end = element
        .iter()
        .position(|byte| matches!(byte, b'>' | b'/' | b' ' | b'\t' | b'\r' | b'\n'))?;
    let name = std::str::from_utf8(element.get(1..name_end)?).ok()?;
    let prefix = name
        .split_once(':')
        .map_or("", |(prefix, _)| name.get(..=prefix.len()).unwrap_or(""));
    xml.copy(element.get(..start_end)?);
    content(xml, prefix);
    xml.raw("</");
    xml.raw(name);
    xml.raw(">");
    Some(())
}

/// Length of the start tag with its `>`; `None` if it is an empty-element tag, which has no content to replace.
fn start_tag_end(element: &[u8]) -> Option<usize> {
    let mut quote = None;
    for (index, byte) in element.iter().enumerate() {
        match (quote, byte) {
            (None, b'>') => {
                let is_empty =
                    index.checked_sub(1).and_then(|before| element.get(before)) == Some(&b'/');
                return (!is_empty).then_some(index + 1);
            }
            (None, b'"' | b'\'') => quote = Some(*byte),
            (Some(open), _) if open == *byte => quote = None,
            _ => {}
        }
    }
    None
}

fn agent(xml: &mut Xml<'_>, prefix: &str, bic: &str) {
    element(xml, prefix, "FinInstnId", |xml| {
        element(xml, prefix, "BICFI", |xml| {
            xml.text(bic, BIC_CHARACTERS_MAX)
        });
    });
}

fn account(xml: &mut Xml<'_>, prefix: &str, resolved: &Resolved<'_>) {
    element(xml, prefix, "Id", |xml| {
        element(xml, prefix, "IBAN", |xml| {
            xml.text(resolved.iban, IDENTIFIER_CHARACTERS_MAX)
        });
    });
    element(xml, prefix, "Prxy", |xml| {
        element(xml, prefix, "Tp", |xml| {
            element(xml, prefix, "Cd", |xml| xml.raw("TELE"))
        });
        element(xml, prefix, "Id", |xml| {
            xml.text(resolved.phone, IDENTIFIER_CHARACTERS_MAX)
        });
    });
}

fn element(xml: &mut Xml<'_>, prefix: &str, name: &str, content: impl FnOnce(&mut Xml<'_>)) {
    for part in ["<", prefix, name, ">"] {
        xml.raw(part);
    }
    content(xml);
    for part in ["</", prefix, name, ">"] {
        xml.raw(part);
    }
}
