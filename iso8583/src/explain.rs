//! A message in words: each field with number, name, place, value, and what codes and subfields mean.

use std::fmt;

use serde::Serialize;

use crate::{
    dialect::{Dialect, FieldRow, Layout},
    mask::{Mask, Unmask},
    message::Message,
    refusal::Refusal,
    render::{part, text_of, walk},
    subfields::Subfield,
    wire::{Length, Shape},
};

/// A message in words. `Display` gives one line a field and one a subfield; it serialises as well.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// Four digits.
    pub mti: String,
    /// The message type's name in the table.
    pub name: String,
    /// The dialect's name.
    pub dialect: String,
    /// Length of the message, in bytes.
    pub bytes: usize,
    /// Field by field, ascending.
    pub fields: Vec<Item>,
}

/// A field or subfield in words.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Item {
    /// Field number, position, bit or tag.
    pub key: String,
    /// Its name in the table; `None` for a tag that has no row.
    pub name: Option<String>,
    /// Type and length rule, as [`form`] gives them; of a subfield without a row nothing.
    pub form: Option<String>,
    /// Byte offset in the message: of a field with its length in front, of a subfield's value.
    pub offset: usize,
    /// Bytes from there.
    pub bytes: usize,
    /// Its value; `None` where the subfields show it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What the value means, if there is a table of codes and nothing is hidden.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meaning: Option<String>,
    /// In their order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subfields: Vec<Item>,
}

/// A message in words, masked unless told otherwise. The meaning of a masked value is not told.
///
/// # Errors
/// The inside of a structured field is malformed.
pub fn explain(message: &Message<'_>, unmask: Unmask) -> Result<Explanation, Refusal> {
    let dialect = message.dialect();
    let rows = message.fields().iter();
    let fields = rows
        .filter_map(|number| dialect.field(number))
        .map(|row| field(message, row, unmask))
        .collect::<Result<Vec<Item>, Refusal>>()?;
    Ok(Explanation {
        mti: message.mti().to_string(),
        name: dialect
            .message(message.mti())
            .map_or_else(String::new, |row| row.name.clone()),
        dialect: dialect.name().to_owned(),
        bytes: message.bytes().len(),
        fields,
    })
}

fn field(message: &Message<'_>, row: &FieldRow, unmask: Unmask) -> Result<Item, Refusal> {
    let mut value = Vec::new();
    message.text_into(row.number, &mut value);
    let whole = text_of(row.shape.class, &value);
    let inside = row.layout.as_ref().filter(|_| row.mask == Mask::Open);
    let by_parts = match inside {
        Some(Layout::Tags { .. } | Layout::Bitmap { .. } | Layout::Tlv { .. }) => true,
        Some(layout) => layout.rows().iter().any(|row| row.mask != Mask::Open),
        None => false,
    };
    let mut subfields = Vec::new();
    if inside.is_some() {
        for subfield in walk(message, row, &value)? {
            subfields.push(item(message, &subfield?, row, unmask));
        }
    }
    Ok(Item {
        key: row.number.to_string(),
        name: Some(row.name.clone()),
        form: Some(form(&row.shape)),
        offset: message.start_of(row.number),
        bytes: message.wire(row.number).map_or(0, <[u8]>::len),
        meaning: meaning(message.dialect(), row.mask, row.codes, &whole),
        value: (!by_parts).then(|| row.mask.shown(&whole, unmask)),
        subfields,
    })
}

fn item(message: &Message<'_>, subfield: &Subfield<'_>, field: &FieldRow, unmask: Unmask) -> Item {
    let text = part(message, subfield, field, unmask);
    let row = subfield.row;
    Item {
        key: subfield.key.to_string(),
        name: row.map(|row| row.name.clone()),
        form: row.map(|row| form(&row.shape)),
        offset: subfield.offset,
        bytes: subfield.value.len(),
        meaning: row.and_then(|row| meaning(message.dialect(), row.mask, row.codes, &text)),
        value: Some(text),
        subfields: Vec::new(),
    }
}

fn meaning(dialect: &Dialect, mask: Mask, codes: Option<usize>, text: &str) -> Option<String> {
    if mask != Mask::Open {
        return None;
    }
    dialect.meaning_of(codes, text).map(str::to_owned)
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            mti, name, dialect, ..
        } = self;
        write!(f, "{mti} {name} ({dialect}, {} bytes)", self.bytes)?;
        for field in &self.fields {
            write!(f, "\n{:>3}", field.key)?;
            field.line(f, true)?;
            for subfield in &field.subfields {
                write!(f, "\n    .{}", subfield.key)?;
                subfield.line(f, false)?;
            }
        }
        Ok(())
    }
}

impl Item {
    fn line(&self, f: &mut fmt::Formatter<'_>, with_form: bool) -> fmt::Result {
        let name = self.name.as_deref().unwrap_or("(not in the table)");
        write!(f, " {name} [")?;
        if let Some(form) = self.form.as_ref().filter(|_| with_form) {
            write!(f, "{form}, ")?;
        }
        write!(f, "bytes {}+{}]", self.offset, self.bytes)?;
        if let Some(value) = &self.value {
            write!(f, " {value}")?;
        }
        if let Some(meaning) = &self.meaning {
            write!(f, " = {meaning}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It may have been made unmasked.
        write!(f, "Explanation({}, {} fields)", self.mti, self.fields.len())
    }
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Item({})", self.key)
    }
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

#[cfg(test)]
mod tests;
