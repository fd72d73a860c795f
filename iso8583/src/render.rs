//! Showing a message: values as text, with what has a masking class hidden.

use std::fmt;

use crate::{
    class::Class,
    dialect::{FieldRow, Layout},
    mask::{Mask, Unmask},
    message::Message,
    refusal::{Key, Refusal, Rule},
    subfields::{Subfield, Subfields},
    tlv::{self, DataObject},
    wire::hex_digits,
};

/// A field's value as it is shown.
pub(crate) enum Shown {
    /// As one text; bytes in hexadecimal.
    Text(String),
    /// Subfield by subfield, for fields whose subfields have keys of their own.
    Parts(Vec<(Key, String)>),
}

/// A field's value, masked unless told otherwise.
///
/// # Errors
/// The inside of a structured field is malformed.
pub(crate) fn shown(message: &Message<'_>, field: u8, unmask: Unmask) -> Result<Shown, Refusal> {
    let Some((row, _)) = message.row_and_units(field) else {
        return Ok(Shown::Text(String::new()));
    };
    let mut value = Vec::new();
    message.text_into(field, &mut value);
    let whole = text_of(row.shape.class, &value);
    match &row.layout {
        Some(Layout::Tags { .. } | Layout::Bitmap { .. } | Layout::Tlv { .. })
            if row.mask == Mask::Open =>
        {
            let mut parts = Vec::new();
            for subfield in walk(message, row, &value)? {
                let subfield = subfield?;
                parts.push((subfield.key, part(message, &subfield, row, unmask)));
            }
            Ok(Shown::Parts(parts))
        }
        Some(Layout::Positions { rows, .. }) if rows.iter().any(|row| row.mask != Mask::Open) => {
            let mut text = String::new();
            for subfield in walk(message, row, &value)? {
                text.push_str(&part(message, &subfield?, row, unmask));
            }
            Ok(Shown::Text(text))
        }
        _ => Ok(Shown::Text(row.mask.shown(&whole, unmask))),
    }
}

/// The subfields of a field: from the wire where they can be borrowed from it, else from its text.
pub(crate) fn walk<'a>(
    message: &Message<'a>,
    row: &'a FieldRow,
    text: &'a [u8],
) -> Result<Subfields<'a>, Refusal> {
    match message.subfields(row.number) {
        Err(Refusal {
            rule: Rule::Packed, ..
        }) => {
            let Some(layout) = &row.layout else {
                return Ok(Subfields::none(message.dialect()));
            };
            let offset = message.offset_of(row.number);
            Ok(Subfields::new(
                message.dialect(),
                layout,
                row.number,
                text,
                offset,
                false,
            ))
        }
        other => other,
    }
}

/// One subfield's value, masked unless told otherwise.
pub(crate) fn part(
    message: &Message<'_>,
    subfield: &Subfield<'_>,
    field: &FieldRow,
    unmask: Unmask,
) -> String {
    let mut value = Vec::new();
    subfield.text_into(message.dialect(), &mut value);
    let class = match (subfield.row, subfield.key) {
        (Some(row), _) => row.shape.class,
        (None, Key::Binary(_)) => Class::Binary,
        (None, _) => field.shape.class,
    };
    let text = text_of(class, &value);
    subfield_mask(subfield, field).shown(&text, unmask)
}

/// What is hidden of a subfield: as its row says; of a template whose inside has something to hide, everything.
fn subfield_mask(subfield: &Subfield<'_>, field: &FieldRow) -> Mask {
    let own = subfield.row.map_or(Mask::Open, |row| row.mask);
    match (own, &field.layout, subfield.key) {
        (Mask::Open, Some(layout @ Layout::Tlv { .. }), Key::Binary(tag)) => {
            let object = DataObject {
                tag,
                value: subfield.value,
                offset: 0,
            };
            if hides(&object, layout, 0) {
                Mask::Track
            } else {
                Mask::Open
            }
        }
        _ => own,
    }
}

/// Does a template hold anything that has a masking class, or anything that cannot be looked through?
pub(crate) fn hides(object: &DataObject<'_>, layout: &Layout, depth: usize) -> bool {
    if !object.is_constructed() {
        return false;
    }
    depth == tlv::DEPTH_MAX
        || tlv::Walk::new(object.value).any(|inner| match inner {
            Ok(inner) => {
                let row = layout.row(Key::Binary(inner.tag));
                row.is_some_and(|row| row.mask != Mask::Open) || hides(&inner, layout, depth + 1)
            }
            Err(_) => true,
        })
}

/// Text as it is, bytes in hexadecimal.
pub(crate) fn text_of(class: Class, value: &[u8]) -> String {
    match class {
        Class::Binary => value
            .iter()
            .flat_map(|byte| hex_digits(*byte))
            .map(char::from)
            .collect(),
        _ => value.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// One line for `Debug`, masked always.
pub(crate) fn line(message: &Message<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{} {{", message.mti())?;
    for (i, field) in message.fields().iter().enumerate() {
        write!(f, "{}{field}: ", if i == 0 { "" } else { ", " })?;
        match shown(message, field, Unmask::No) {
            Ok(Shown::Text(text)) => f.write_str(&text)?,
            Ok(Shown::Parts(parts)) => {
                f.write_str("{")?;
                for (i, (key, text)) in parts.iter().enumerate() {
                    write!(f, "{}{key}: {text}", if i == 0 { "" } else { ", " })?;
                }
                f.write_str("}")?;
            }
            // What cannot be taken apart cannot be masked either.
            Err(refusal) => write!(f, "({})", refusal.rule.code())?,
        }
    }
    f.write_str("}")
}

#[cfg(test)]
mod tests;
