//! Messages while they are made, and short ways to read them.

use std::collections::BTreeMap;

use torap_domain::Time;
use torap_gateway::card::crosswalk::{Toward, from_national, is_national};
use torap_iso8583::{Dialect, Message, Mti, Refusal, Writer};

/// A message type that no dialect has.
const NO_TYPE: Mti = match Mti::new(9999) {
    Some(mti) => mti,
    None => panic!("four digits"),
};

/// A message that is being made, in fields of the national dialect: values as text or bytes, whatever the host's dialect does with them.
#[derive(Clone)]
pub struct Draft {
    /// Type in the national dialect.
    mti: u16,
    fields: BTreeMap<u8, Vec<u8>>,
}

/// DE7 and DE11 as numbers: what names a message on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Trace {
    pub transmitted: u64,
    pub stan: u64,
}

impl Draft {
    pub fn new(mti: u16) -> Draft {
        Draft {
            mti,
            fields: BTreeMap::new(),
        }
    }

    /// The same fields, of another type.
    pub fn retyped(&self, mti: u16) -> Draft {
        Draft {
            mti,
            fields: self.fields.clone(),
        }
    }

    pub fn mti(&self) -> u16 {
        self.mti
    }

    pub fn set(&mut self, field: u8, value: impl AsRef<[u8]>) -> &mut Draft {
        self.fields.insert(field, value.as_ref().to_vec());
        self
    }

    pub fn remove(&mut self, field: u8) -> &mut Draft {
        self.fields.remove(&field);
        self
    }

    pub fn get(&self, field: u8) -> Option<&[u8]> {
        self.fields.get(&field).map(Vec::as_slice)
    }

    /// The value as text; empty if there is none.
    pub fn text(&self, field: u8) -> String {
        String::from_utf8_lossy(self.get(field).unwrap_or_default()).into_owned()
    }

    /// Keeps these fields and no others.
    pub fn keep(&mut self, fields: &[u8]) -> &mut Draft {
        self.fields.retain(|field, _| fields.contains(field));
        self
    }

    /// Appends a tag of DE48: two characters, two digits of length, value.
    pub fn tag(&mut self, tag: &str, value: &str) -> &mut Draft {
        let text = format!("{tag}{:02}{value}", value.len());
        self.fields
            .entry(48)
            .or_default()
            .extend_from_slice(text.as_bytes());
        self
    }

    pub(crate) fn has_above_64(&self) -> bool {
        self.fields.range(65..128).next().is_some()
    }

    /// The message's bytes in a host's dialect. `now` tells the years of dates that have none in the national dialect.
    ///
    /// # Errors
    /// Field and rule: a value does not fit the dialect, or has no place in it.
    pub fn write(&self, dialect: &Dialect, now: Time) -> Result<Vec<u8>, Refusal> {
        // A type that is in no dialect is refused by the writer.
        let mti = Mti::new(self.mti).unwrap_or(NO_TYPE);
        let mut bytes = Vec::with_capacity(512);
        let mut writer = Writer::start(Dialect::national(), mti, &mut bytes);
        for (field, value) in &self.fields {
            writer.field(*field, value)?;
        }
        writer.finish()?;
        if is_national(dialect) {
            return Ok(bytes);
        }
        let national = Message::parse(Dialect::national(), &bytes)?;
        let mut crossed = Vec::with_capacity(bytes.len().saturating_mul(2));
        from_national(&national, dialect, Toward::Switch, now, &mut crossed)?;
        Ok(crossed)
    }

    /// What a message says, field by field.
    pub fn of(message: &Message<'_>) -> Draft {
        let mut draft = Draft::new(national_mti(message));
        for field in message.fields().iter() {
            let mut value = Vec::new();
            message.text_into(field, &mut value);
            draft.fields.insert(field, value);
        }
        draft
    }
}

impl std::fmt::Debug for Draft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Values may be card numbers.
        let fields: Vec<&u8> = self.fields.keys().collect();
        write!(f, "Draft({:04}, fields {fields:?})", self.mti)
    }
}

impl Trace {
    /// The trace of a message; `None` if it has none.
    pub fn of(message: &Message<'_>) -> Option<Trace> {
        Some(Trace {
            transmitted: message.number(7)?,
            stan: message.number(11)?,
        })
    }

    /// The same of a message that is not written yet.
    pub(crate) fn of_draft(draft: &Draft) -> Option<Trace> {
        Some(Trace {
            transmitted: draft.text(7).parse().ok()?,
            stan: draft.text(11).parse().ok()?,
        })
    }

    /// As DE90 has it, parts 2 and 3.
    pub fn of_original(message: &Message<'_>) -> Option<Trace> {
        let text = text(message, 90);
        Some(Trace {
            stan: text.get(4..10)?.parse().ok()?,
            transmitted: text.get(10..20)?.parse().ok()?,
        })
    }
}

impl std::fmt::Display for Trace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:010}/{:06}", self.transmitted, self.stan)
    }
}

/// The national type of a message, whatever its dialect's version is.
pub fn national_mti(message: &Message<'_>) -> u16 {
    let (mti, national) = (message.mti(), Dialect::national());
    if national.message(mti).is_some() {
        return mti.number();
    }
    let mut rows = national.messages().iter();
    rows.find(|row| national.equivalent(row.mti) == Some(mti))
        .map_or(mti.number(), |row| row.mti.number())
}

/// A field's value as text, blanks at the end cut off; empty if there is none.
pub(crate) fn text(message: &Message<'_>, field: u8) -> String {
    let mut out = Vec::new();
    message.text_into(field, &mut out);
    let text = String::from_utf8_lossy(&out);
    text.trim_end().to_string()
}

/// A tag of DE48 or another tagged field, as text.
pub fn tag(message: &Message<'_>, field: u8, tag: &str) -> Option<String> {
    let value = message.tag(field, tag.as_bytes()).ok()??;
    Some(String::from_utf8_lossy(value).into_owned())
}

/// Tiyn as twelve digits, as in DE4.
pub fn amount(tiyn: u64) -> String {
    format!("{tiyn:012}")
}

/// DE90 of the message that names another as its original.
pub fn original(mti: u16, trace: Trace, acquirer: &str) -> String {
    format!(
        "{mti:04}{:06}{:010}{acquirer:0>11}{:011}",
        trace.stan, trace.transmitted, 0
    )
}
