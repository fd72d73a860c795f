//! A message in words: each field with number, name, place, value, and what codes and subfields mean.

use std::fmt::Write as _;

use crate::{
    dialect::{Dialect, FieldRow, Layout},
    mask::{Mask, Unmask},
    message::Message,
    refusal::Refusal,
    render::{part, text_of, walk},
    wire::{Length, Shape},
};

/// A message in words, one line a field and one a subfield, masked unless told otherwise. The meaning of a masked value is not told.
///
/// # Errors
/// The inside of a structured field is malformed.
pub fn explain(message: &Message<'_>, unmask: Unmask) -> Result<String, Refusal> {
    let dialect = message.dialect();
    let mut text = String::new();
    let name = dialect
        .message(message.mti())
        .map_or("", |row| row.name.as_str());
    let _ = writeln!(
        text,
        "{} {name} ({}, {} bytes)",
        message.mti(),
        dialect.name(),
        message.bytes().len()
    );
    for row in message
        .fields()
        .iter()
        .filter_map(|field| dialect.field(field))
    {
        field(message, row, unmask, &mut text)?;
    }
    Ok(text)
}

fn field(
    message: &Message<'_>,
    row: &FieldRow,
    unmask: Unmask,
    out: &mut String,
) -> Result<(), Refusal> {
    let dialect = message.dialect();
    let mut value = Vec::new();
    message.text_into(row.number, &mut value);
    let whole = text_of(row.shape.class, &value);
    let inside = row.layout.as_ref().filter(|_| row.mask == Mask::Open);
    let shown = match inside {
        Some(Layout::Tags { .. } | Layout::Bitmap { .. } | Layout::Tlv { .. }) => String::new(),
        Some(layout) if layout.rows().iter().any(|row| row.mask != Mask::Open) => String::new(),
        _ => row.mask.shown(&whole, unmask),
    };
    let meaning = if row.mask == Mask::Open {
        dialect.meaning_of(row.codes, &whole)
    } else {
        None
    };
    let start = message.start_of(row.number);
    let bytes = message.wire(row.number).map_or(0, <[u8]>::len);
    let form = form(&row.shape);
    line(
        out,
        &format!("{:>3}", row.number),
        &row.name,
        &format!("{form}, bytes {start}+{bytes}"),
        &shown,
        meaning,
    );
    if inside.is_none() {
        return Ok(());
    }
    for subfield in walk(message, row, &value)? {
        let subfield = subfield?;
        let text = part(message, &subfield, row, unmask);
        let name = subfield
            .row
            .map_or("(not in the table)", |row| row.name.as_str());
        let open = subfield.row.is_none_or(|row| row.mask == Mask::Open);
        let codes = subfield.row.and_then(|row| row.codes);
        let meaning = if open {
            dialect.meaning_of(codes, &text)
        } else {
            None
        };
        let place = format!("bytes {}+{}", subfield.offset, subfield.value.len());
        line(
            out,
            &format!("    .{}", subfield.key),
            name,
            &place,
            &text,
            meaning,
        );
    }
    Ok(())
}

fn line(
    out: &mut String,
    number: &str,
    name: &str,
    place: &str,
    value: &str,
    meaning: Option<&str>,
) {
    let _ = write!(out, "{number} {name} [{place}]");
    if !value.is_empty() {
        let _ = write!(out, " {value}");
    }
    if let Some(meaning) = meaning {
        let _ = write!(out, " = {meaning}");
    }
    out.push('\n');
}

/// Type and length rule in the notation of the tables, such as `n LL 12..19`.
pub fn form(shape: &Shape) -> String {
    let class = shape.class;
    match shape.length {
        Length::Fixed(units) => format!("{class} {units}"),
        Length::Variable { digits, min, max } => {
            format!("{class} {} {min}..{max}", "L".repeat(usize::from(digits)))
        }
        Length::Bounded { min, max } => format!("{class} {min}..{max}"),
    }
}

/// A dialect's tables as the Markdown of its document: everything between the document's marks.
pub fn tables(dialect: &Dialect) -> String {
    markdown::tables(dialect)
}

mod markdown;
