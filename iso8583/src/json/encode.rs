//! From JSON to a message.

use std::fmt;

use super::{Document, Members, Value};
use crate::{
    class::Class,
    code_page::CODE_PAGES,
    dialect::{Dialect, FieldRow, Layout, SubfieldRow, TagForm},
    mask::{Mask, Unmask},
    mti::Mti,
    refusal::{Key, Refusal},
    splice::write_tag,
    tlv,
    wire::{self, Encoding, LengthEncoding, Shape},
    write::Writer,
};

/// Longest JSON text that is read, in bytes.
const TEXT_BYTES_MAX: usize = 64 << 20;

/// What is wrong with a JSON message, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// Such as `fields.48.EC`; empty for text that is no such JSON at all.
    pub path: String,
    /// What is wrong; holds no value of a field.
    pub what: String,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => f.write_str(&self.what),
            path => write!(f, "{path}: {}", self.what),
        }
    }
}

impl std::error::Error for JsonError {}

fn wrong<T>(path: impl Into<String>, what: impl Into<String>) -> Result<T, JsonError> {
    Err(JsonError {
        path: path.into(),
        what: what.into(),
    })
}

impl Document {
    /// Reads one JSON text.
    ///
    /// # Errors
    /// The text is no JSON of that form; the error names line and column.
    pub fn parse(text: &str) -> Result<Document, JsonError> {
        let mut documents = Document::parse_all(text)?;
        match (documents.pop(), documents.is_empty()) {
            (Some(document), true) => Ok(document),
            _ => wrong("", "one JSON object is expected"),
        }
    }

    /// Reads JSON texts, one behind the other with blanks or line ends between them.
    ///
    /// # Errors
    /// One of them is no JSON of that form; the error names line and column.
    pub fn parse_all(text: &str) -> Result<Vec<Document>, JsonError> {
        if text.len() > TEXT_BYTES_MAX {
            return wrong("", format!("more than {TEXT_BYTES_MAX} bytes"));
        }
        let documents = serde_json::Deserializer::from_str(text).into_iter();
        let read: Result<Vec<Document>, serde_json::Error> = documents.collect();
        read.or_else(|error| {
            // The error's own text may quote a value.
            let what = match error.classify() {
                serde_json::error::Category::Data => {
                    "not of the form {\"mti\",\"fields\":{\"2\":…,\"55\":{tag:value}}}"
                }
                _ => "not JSON",
            };
            wrong(
                "",
                format!("line {} column {}: {what}", error.line(), error.column()),
            )
        })
    }

    /// Appends the message to a vector; fields may stand in any order.
    ///
    /// # Errors
    /// The path of the first member that is wrong; nothing has been appended then.
    pub fn encode(&self, dialect: &Dialect, out: &mut Vec<u8>) -> Result<(), JsonError> {
        let before = out.len();
        let encoded = self.encode_all(dialect, out);
        if encoded.is_err() {
            out.truncate(before);
        }
        encoded
    }

    fn encode_all(&self, dialect: &Dialect, out: &mut Vec<u8>) -> Result<(), JsonError> {
        let Some(mti) =
            Mti::parse(self.mti.as_bytes()).filter(|mti| dialect.message(*mti).is_some())
        else {
            return wrong("mti", format!("is no message type of {}", dialect.name()));
        };
        let mut fields = Vec::with_capacity(self.fields.0.len());
        for (name, value) in &self.fields.0 {
            let number = name
                .parse::<u8>()
                .ok()
                .filter(|number| number.to_string() == *name);
            let Some(row) = number.and_then(|number| dialect.field(number)) else {
                return wrong(
                    format!("fields.{name}"),
                    format!("is no field of {}", dialect.name()),
                );
            };
            fields.push((row, value));
        }
        fields.sort_by_key(|(row, _)| row.number);
        let mut writer = Writer::start(dialect, mti, out);
        for (row, value) in fields {
            let path = format!("fields.{}", row.number);
            let value = match value {
                Value::Text(text) => {
                    masked(row.mask, text, &path)?;
                    value_of(row.shape.class, text, &path)?
                }
                Value::Parts(parts) => structured(row, parts, &path)?,
            };
            writer
                .field(row.number, &value)
                .or_else(|refusal| wrong(&path, reason(&refusal)))?;
        }
        writer
            .finish()
            .or_else(|refusal| wrong("fields", reason(&refusal)))
    }
}

fn reason(refusal: &Refusal) -> String {
    format!("{} {}", refusal.rule, refusal.rule.code())
}

/// Masked output must not come back as a value: one whose hidden characters are all stars.
fn masked(mask: Mask, text: &str, path: &str) -> Result<(), JsonError> {
    let stars = text.contains('*') && mask.shown(text, Unmask::No) == text;
    if mask != Mask::Open && stars {
        return wrong(path, "is masked; decode with --unmask to have the value");
    }
    Ok(())
}

/// Text to characters or bytes.
fn value_of(class: Class, text: &str, path: &str) -> Result<Vec<u8>, JsonError> {
    if class != Class::Binary {
        return Ok(text.as_bytes().to_vec());
    }
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| {
        let [high, low] = pair.map(|digit| wire::hex_value(digit.to_ascii_uppercase()));
        Some(high? << 4 | low?)
    };
    match pairs.iter().map(byte).collect::<Option<Vec<u8>>>() {
        Some(bytes) if rest.is_empty() => Ok(bytes),
        _ => wrong(path, "hexadecimal digits in twos are expected"),
    }
}

/// The text of a structured field from its subfields.
fn structured(row: &FieldRow, parts: &Members<String>, path: &str) -> Result<Vec<u8>, JsonError> {
    let mut out = Vec::new();
    match &row.layout {
        None => wrong(path, "has no subfields"),
        Some(layout @ Layout::Positions { rows, .. }) => {
            for (place, (name, text)) in parts.0.iter().enumerate() {
                let path = format!("{path}.{name}");
                let Some(own) = rows
                    .get(place % rows.len())
                    .filter(|own| own.key.to_string() == *name)
                else {
                    return wrong(path, "positions are expected one after the other");
                };
                put(own, text, &plain(&own.shape, row), &path, &mut out)?;
            }
            if !parts.0.len().is_multiple_of(layout.rows().len()) {
                return wrong(path, "a position is missing");
            }
            Ok(out)
        }
        Some(layout @ Layout::Tags { form, .. }) => {
            for (name, text) in &parts.0 {
                tagged(
                    layout,
                    *form,
                    row,
                    name,
                    text,
                    &format!("{path}.{name}"),
                    &mut out,
                )?;
            }
            Ok(out)
        }
        Some(layout @ Layout::Tlv { .. }) => {
            for (name, text) in &parts.0 {
                let path = format!("{path}.{name}");
                let Ok(tag) = u32::from_str_radix(name, 16) else {
                    return wrong(path, "is no tag in hexadecimal");
                };
                let own = layout.row(Key::Binary(tag));
                masked(own.map_or(Mask::Open, |own| own.mask), text, &path)?;
                let value = value_of(Class::Binary, text, &path)?;
                tlv::write(&mut out, tag, &value).or_else(|rule| wrong(&path, rule.to_string()))?;
            }
            Ok(out)
        }
        Some(layout @ Layout::Bitmap { bits, hex, .. }) => {
            mapped(layout, (*bits, *hex), row, parts, path)
        }
    }
}

/// A subfield's shape inside of the text that its field is written from.
fn plain(shape: &Shape, field: &FieldRow) -> Shape {
    match field.shape.encoding {
        Encoding::Ebcdic => Shape {
            encoding: if shape.encoding == Encoding::Ebcdic {
                Encoding::Ascii
            } else {
                shape.encoding
            },
            length_encoding: LengthEncoding::Ascii,
            ..*shape
        },
        _ => *shape,
    }
}

fn put(
    row: &SubfieldRow,
    text: &str,
    shape: &Shape,
    path: &str,
    out: &mut Vec<u8>,
) -> Result<(), JsonError> {
    masked(row.mask, text, path)?;
    let value = value_of(row.shape.class, text, path)?;
    let written = shape.write(&CODE_PAGES[0], &value, out);
    written.or_else(|(_, rule)| wrong(path, format!("{rule} {}", rule.code())))
}

fn tagged(
    layout: &Layout,
    form: TagForm,
    row: &FieldRow,
    name: &str,
    text: &str,
    path: &str,
    out: &mut Vec<u8>,
) -> Result<(), JsonError> {
    let key = match form.binary {
        true => u32::from_str_radix(name, 16)
            .ok()
            .filter(|_| name.len() == 2 * usize::from(form.tag))
            .map(Key::Binary),
        false => Key::tag(name.as_bytes()),
    };
    let Some(key) = key else {
        return wrong(path, "is no tag");
    };
    let own = layout.row(key);
    masked(own.map_or(Mask::Open, |own| own.mask), text, path)?;
    if row.shape.encoding != Encoding::Binary {
        let value = value_of(
            own.map_or(row.shape.class, |own| own.shape.class),
            text,
            path,
        )?;
        let written = write_tag(layout, form, row.number, name.as_bytes(), &value, out);
        return written.or_else(|refusal| wrong(path, reason(&refusal)));
    }
    match key {
        Key::Binary(tag) => out.extend_from_slice(&tag.to_be_bytes()[4 - usize::from(form.tag)..]),
        _ => out.extend_from_slice(name.as_bytes()),
    }
    let mut value = Vec::new();
    match own {
        Some(own) => put(own, text, &own.shape, path, &mut value)?,
        None => value = value_of(Class::Binary, text, path)?,
    }
    let written = form.shape().write(&CODE_PAGES[0], &value, out);
    written.or_else(|(_, rule)| wrong(path, format!("{rule} {}", rule.code())))
}

fn mapped(
    layout: &Layout,
    (bits, hex): (u8, bool),
    row: &FieldRow,
    parts: &Members<String>,
    path: &str,
) -> Result<Vec<u8>, JsonError> {
    let mut map = 0_u64;
    let mut body = Vec::new();
    let mut last = 0;
    for (name, text) in &parts.0 {
        let path = format!("{path}.{name}");
        let number = name.parse::<u8>().ok();
        let Some((number, own)) =
            number.and_then(|number| Some((number, layout.row(Key::Number(number))?)))
        else {
            return wrong(path, "is no such subfield");
        };
        if number <= last {
            return wrong(path, "subfields are expected in ascending order");
        }
        last = number;
        map |= 1 << 63 >> (number - 1);
        put(own, text, &plain(&own.shape, row), &path, &mut body)?;
    }
    let bytes = &map.to_be_bytes()[..usize::from(bits / 8)];
    let mut out = match hex {
        true => bytes
            .iter()
            .flat_map(|byte| wire::hex_digits(*byte))
            .collect(),
        false => bytes.to_vec(),
    };
    out.append(&mut body);
    Ok(out)
}
