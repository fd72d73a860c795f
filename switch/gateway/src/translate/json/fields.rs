//! A flat JSON object of texts, key by key.

use std::{borrow::Cow, fmt};

use serde::{
    Deserializer,
    de::{Deserialize, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use torap_domain::Reason;

use super::JsonBreach;

/// Every key that some command has.
const KEYS: [&str; 11] = [
    "command",
    "reference",
    "bank",
    "phone",
    "person",
    "iban",
    "name",
    "consent",
    "id",
    "amount",
    "expires",
];

/// The values of an object, each until it is taken.
#[derive(Debug, Default)]
pub(super) struct Fields<'a> {
    values: [Option<Cow<'a, str>>; KEYS.len()],
}

/// Reads one object.
pub(super) fn read(bytes: &[u8]) -> Result<Fields<'_>, JsonBreach<'_>> {
    match serde_json::from_slice::<Object<'_>>(bytes) {
        Ok(Object {
            breach: Some(breach),
            ..
        }) => Err(breach),
        Ok(Object {
            fields,
            breach: None,
        }) => Ok(fields),
        Err(error) => Err(JsonBreach {
            reason: Reason::MalformedMessage,
            code: None,
            ..JsonBreach::new(
                "/",
                "not-json",
                format!("one JSON object is expected: {error}"),
            )
        }),
    }
}

/// A key that the command needs is not there.
pub(super) fn missing<'a>(key: &'static str) -> JsonBreach<'a> {
    JsonBreach {
        code: Some("CH21"),
        ..JsonBreach::new(key, "key-missing", "the command needs this key")
    }
}

impl<'a> Fields<'a> {
    /// The text of a key, left in its place.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.values.get(place(key)?)?.as_deref()
    }

    /// The text of a key; afterwards it counts as used.
    pub(super) fn take(&mut self, key: &str) -> Option<Cow<'a, str>> {
        self.values.get_mut(place(key)?)?.take()
    }

    /// As [`Fields::take`], of a key that must be there.
    pub(super) fn required(&mut self, key: &'static str) -> Result<Cow<'a, str>, JsonBreach<'a>> {
        self.take(key).ok_or_else(|| missing(key))
    }

    /// Refuses what no part of the command has used.
    pub(super) fn finish(&self) -> Result<(), JsonBreach<'a>> {
        let left = KEYS
            .iter()
            .zip(&self.values)
            .find(|(_, value)| value.is_some());
        match left {
            None => Ok(()),
            Some((key, _)) => Err(JsonBreach {
                code: Some("CH17"),
                ..JsonBreach::new(*key, "key-not-used", "this command has no such key")
            }),
        }
    }
}

fn place(key: &str) -> Option<usize> {
    KEYS.iter().position(|known| *known == key)
}

/// What was read, and the first thing wrong with it.
struct Object<'a> {
    fields: Fields<'a>,
    breach: Option<JsonBreach<'a>>,
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Object<'de>, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
        let mut object = Object {
            fields: Fields::default(),
            breach: None,
        };
        while let Some(Word(key)) = map.next_key()? {
            if object.breach.is_some() {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            object.breach = match (
                place(&key).and_then(|place| object.fields.values.get_mut(place)),
                map.next_value()?,
            ) {
                (None, _) => Some(JsonBreach {
                    code: Some("CH17"),
                    ..JsonBreach::new(key, "key-unknown", "no command has such a key")
                }),
                (Some(Some(_)), _) => {
                    Some(JsonBreach::new(key, "key-twice", "the key is given twice"))
                }
                (Some(_), Value(None)) => Some(JsonBreach::new(
                    key,
                    "text-expected",
                    "the value is a text in quotes",
                )),
                (Some(slot), Value(text)) => {
                    *slot = text;
                    None
                }
            };
        }
        Ok(object)
    }
}

/// A text, borrowed unless it has escapes.
struct Word<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Word<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Word<'de>, D::Error> {
        match Value::deserialize(deserializer)? {
            Value(Some(text)) => Ok(Word(text)),
            Value(None) => Err(serde::de::Error::custom("a key is a text")),
        }
    }
}

/// A text; none for any other value.
struct Value<'a>(Option<Cow<'a, str>>);

impl<'de> Deserialize<'de> for Value<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Value<'de>, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value(Some(Cow::Borrowed(text))))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value(Some(Cow::Owned(text.to_owned()))))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value<'de>, E> {
        Ok(Value(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Value<'de>, E> {
        Ok(Value(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Value<'de>, E> {
        Ok(Value(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value<'de>, E> {
        Ok(Value(None))
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Value<'de>, A::Error> {
        while values.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut values: A) -> Result<Value<'de>, A::Error> {
        while values.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value(None))
    }
}
