//! A message written once; a few of its values are written over for each transaction.

use torap_iso8583::{Dialect, Message, Mti, Writer};

use crate::plan::Failure;

/// Field numbers of a message.
const FIELDS: usize = 129;

/// A whole message in the national dialect, and where each field's value stands in it.
#[derive(Clone)]
pub(crate) struct Template {
    bytes: Vec<u8>,
    /// Place of each field's value; 0 if it is not there.
    places: [u16; FIELDS],
}

impl Template {
    /// Writes the message; values that are written over later only have to have the right length.
    pub(crate) fn new(mti: u16, fields: &[(u8, &[u8])]) -> Result<Template, Failure> {
        let wrong = |text: String| Failure::System(format!("template {mti:04}: {text}"));
        let national = Dialect::national();
        let kind = Mti::new(mti).ok_or_else(|| wrong("no message type".into()))?;
        let mut bytes = Vec::with_capacity(512);
        let mut writer = Writer::start(national, kind, &mut bytes);
        let mut sorted = fields.to_vec();
        sorted.sort_unstable_by_key(|(field, _)| *field);
        for (field, value) in sorted {
            writer
                .field(field, value)
                .map_err(|refusal| wrong(refusal.to_string()))?;
        }
        writer
            .finish()
            .map_err(|refusal| wrong(refusal.to_string()))?;
        let places = places(&bytes).ok_or_else(|| wrong("does not read back".into()))?;
        Ok(Template { bytes, places })
    }

    /// Appends the message with these values in place of its own; each has the length of the one that it replaces.
    #[inline]
    pub(crate) fn write(&self, values: &[(u8, &[u8])], out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&self.bytes);
        for (field, value) in values {
            let place = usize::from(self.places[usize::from(*field)]);
            let end = start + place + value.len();
            if let Some(room) = out.get_mut(start + place..end) {
                room.copy_from_slice(value);
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

fn places(bytes: &[u8]) -> Option<[u16; FIELDS]> {
    let message = Message::parse(Dialect::national(), bytes).ok()?;
    let wire = |field| message.wire(field).map_or(0, <[u8]>::len);
    let all: usize = message.fields().iter().map(wire).sum();
    let mut at = bytes.len().checked_sub(all)?;
    let mut places = [0; FIELDS];
    for field in message.fields().iter() {
        at += wire(field);
        let value = message.get(field)?.len();
        places[usize::from(field)] = u16::try_from(at - value).ok()?;
    }
    Some(places)
}

impl std::fmt::Debug for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Template({} bytes)", self.bytes.len())
    }
}

/// A number as so many decimal digits.
#[inline]
pub(crate) fn digits<const N: usize>(number: u64) -> [u8; N] {
    let mut rest = number;
    let mut text = [b'0'; N];
    for place in text.iter_mut().rev() {
        *place = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_over_where_they_stand() {
        let fields: [(u8, &[u8]); 6] = [
            (2, b"4111111111111111"),
            (4, &[b'0'; 12]),
            (7, &[b'0'; 10]),
            (11, &[b'0'; 6]),
            (37, &[b'0'; 12]),
            (90, &[b'0'; 42]),
        ];
        let template = Template::new(420, &fields).unwrap();
        let mut out = b"before".to_vec();
        let values: [(u8, &[u8]); 3] = [
            (4, &digits::<12>(1234)),
            (11, b"000042"),
            (37, &digits::<12>(987_654_321_012)),
        ];
        template.write(&values, &mut out);
        let message = Message::parse(Dialect::national(), &out[6..]).unwrap();
        assert_eq!(message.number(4), Some(1234));
        assert_eq!(message.get(11), Some(&b"000042"[..]));
        assert_eq!(message.get(37), Some(&b"987654321012"[..]));
        assert_eq!(message.get(2), Some(&b"4111111111111111"[..]));
        assert_eq!(template.bytes().len() + 6, out.len());
    }

    #[test]
    fn a_value_that_does_not_fit_the_dialect_is_named() {
        let failure = Template::new(200, &[(11, b"12345")]).unwrap_err();
        assert!(failure.to_string().contains("template 0200: field 11"));
    }
}
