//! A message as JSON: `{"mti","fields":{"2":…,"55":{tag:value}}}`.
//!
//! Values are text; bytes are hexadecimal, upper case. A field with tags, with a bitmap of its own or of BER-TLV is an object of its
//! subfields, in the order in which they stand in the message; any other field is one text, positions included. [`Document::encode`] takes
//! the same, and a structured field as one text as well.

mod encode;

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, Visitor},
    ser::SerializeMap,
};

use crate::{
    mask::Unmask,
    message::Message,
    refusal::Refusal,
    render::{Shown, shown},
};

pub use encode::JsonError;

/// A message as JSON has it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Four digits.
    pub mti: String,
    /// By field number, ascending when it was read from a message.
    pub fields: Members<Value>,
}

/// A field's value.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// One text.
    Text(String),
    /// Subfield by subfield.
    Parts(Members<String>),
}

/// Members of a JSON object in their order; a name may stand twice, as a tag may.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Members<T>(pub Vec<(String, T)>);

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It may have been read unmasked.
        let fields: Vec<&str> = self
            .fields
            .0
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        write!(f, "Document({}, {fields:?})", self.mti)
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Value(…)")
    }
}

impl<T> fmt::Debug for Members<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Members({})", self.0.len())
    }
}

/// Reads a message's values, masked unless told otherwise.
///
/// # Errors
/// The inside of a structured field is malformed.
pub fn decode(message: &Message<'_>, unmask: Unmask) -> Result<Document, Refusal> {
    let mut fields = Vec::new();
    for field in message.fields().iter() {
        let value = match shown(message, field, unmask)? {
            Shown::Text(text) => Value::Text(text),
            Shown::Parts(parts) => Value::Parts(Members(
                parts
                    .into_iter()
                    .map(|(key, text)| (key.to_string(), text))
                    .collect(),
            )),
        };
        fields.push((field.to_string(), value));
    }
    Ok(Document {
        mti: message.mti().to_string(),
        fields: Members(fields),
    })
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = serde_json::to_string(self).map_err(|_| fmt::Error)?;
        f.write_str(&text)
    }
}

impl<T: Serialize> Serialize for Members<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Parts(parts) => parts.serialize(serializer),
        }
    }
}

struct MembersVisitor<T>(std::marker::PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for MembersVisitor<T> {
    type Value = Members<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<T>, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Members<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor(std::marker::PhantomData))
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, or an object of texts")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
        MembersVisitor(std::marker::PhantomData)
            .visit_map(map)
            .map(Value::Parts)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

#[cfg(test)]
mod tests;
