//! The values of a message while it is taken across: text, or bytes of binary fields, by field number.

use std::ops::Range;

use torap_iso8583::{FIELD_MAX, FieldSet, Message};
use zeroize::Zeroizing;

use super::{ABOVE_64, MAC_FIELDS};

/// Values by field. They hold card numbers and PIN blocks, and are wiped in the end.
pub(super) struct Values {
    buffer: Zeroizing<Vec<u8>>,
    places: Vec<Place>,
    fields: FieldSet,
}

#[derive(Clone, Default)]
struct Place {
    range: Range<usize>,
    /// The field of the message at hand that the value comes from.
    origin: u8,
}

impl Values {
    /// Everything that a message says.
    pub(super) fn of(message: &Message<'_>) -> Values {
        // Hexadecimal and packed digits are as long as their text, or half as long.
        let mut values = Values::empty(message.bytes().len().saturating_mul(2));
        for field in message.fields().iter() {
            let start = values.buffer.len();
            message.text_into(field, &mut values.buffer);
            values.note(field, field, start);
        }
        values
    }

    /// Nothing yet, with room for what others say and some more: the buffer hardly ever moves, and leaves no copies behind.
    pub(super) fn like(other: &Values) -> Values {
        Values::empty(other.buffer.len().saturating_mul(2))
    }

    fn empty(bytes: usize) -> Values {
        Values {
            buffer: Zeroizing::new(Vec::with_capacity(bytes.saturating_add(256))),
            places: vec![Place::default(); usize::from(FIELD_MAX) + 1],
            fields: FieldSet::EMPTY,
        }
    }

    pub(super) fn fields(&self) -> FieldSet {
        self.fields
    }

    pub(super) fn has(&self, field: u8) -> bool {
        self.fields.contains(field)
    }

    pub(super) fn get(&self, field: u8) -> Option<&[u8]> {
        let place = self.places.get(usize::from(field))?;
        self.has(field)
            .then(|| self.buffer.get(place.range.clone()))?
    }

    /// The field of the message at hand that a value comes from.
    pub(super) fn origin(&self, field: u8) -> u8 {
        let place = self.places.get(usize::from(field));
        place.map_or(field, |place| place.origin)
    }

    /// Sets a field to the parts of a value, one behind another, that come from the field `origin` of the message at hand.
    pub(super) fn set(&mut self, field: u8, origin: u8, parts: &[&[u8]]) {
        let start = self.buffer.len();
        for part in parts {
            self.buffer.extend_from_slice(part);
        }
        self.note(field, origin, start);
    }

    /// Sets a field to what another field of the message at hand says, if it is there.
    pub(super) fn take(&mut self, field: u8, from: &Values, origin: u8) {
        if let Some(value) = from.get(origin) {
            self.set(field, origin, &[value]);
        }
    }

    /// The same for fields that both have under one number.
    pub(super) fn take_all(&mut self, from: &Values, fields: FieldSet) {
        for field in from.fields.intersection(fields).iter() {
            self.take(field, from, field);
        }
    }

    pub(super) fn remove(&mut self, field: u8) {
        self.fields = self.fields.without(field);
    }

    /// Leaves out what is not among these.
    pub(super) fn keep(&mut self, fields: FieldSet) {
        self.fields = self.fields.intersection(fields);
    }

    /// Puts the MAC where it belongs among the other fields. Call it last.
    pub(super) fn put_mac(&mut self, origin: u8, mac: &[u8]) {
        self.fields = self.fields.difference(MAC_FIELDS);
        let has_second = !self.fields.intersection(ABOVE_64).is_empty();
        self.set(if has_second { 128 } else { 64 }, origin, &[mac]);
    }

    fn note(&mut self, field: u8, origin: u8, start: usize) {
        if let Some(place) = self.places.get_mut(usize::from(field)) {
            let range = start..self.buffer.len();
            *place = Place { range, origin };
            self.fields = self.fields.with(field);
        }
    }
}
