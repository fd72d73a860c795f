//! A message that may be kept: the same bytes with everything that has a masking class put out of sight, still readable by its dialect.

use crate::{
    class::Class,
    dialect::{Dialect, FieldRow, Layout},
    mask::{Mask, neutral},
    message::Message,
    refusal::Key,
    subfields::Subfields,
    tlv,
    wire::{Encoding, Shape, hex_digits},
};

/// The copy that is redacted: of a message, or of one field's bytes that stand in it as hexadecimal digits.
struct Target<'o, 'd> {
    dialect: &'d Dialect,
    out: &'o mut [u8],
}

impl Message<'_> {
    /// Appends the message with every masked value replaced: digits of a card number between the first six and the last four become zeros,
    /// everything else that has a class becomes zeros (blanks in fields of letters). Lengths stay, and what is not masked stays byte for
    /// byte. A structured field that has masked subfields and cannot be taken apart is replaced as a whole.
    pub fn redacted(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(self.bytes());
        let mut target = Target {
            dialect: self.dialect(),
            out: &mut out[start..],
        };
        for field in self.fields().iter() {
            if let Some((row, units)) = self.row_and_units(field) {
                target.field(self, row, units);
            }
        }
    }
}

impl Target<'_, '_> {
    fn field(&mut self, message: &Message<'_>, row: &FieldRow, units: usize) {
        let at = message.offset_of(row.number);
        let length = message.get(row.number).map_or(0, <[u8]>::len);
        if row.mask != Mask::Open {
            return self.value(&row.shape, row.mask, at, length, units);
        }
        let Some(layout) = &row.layout else {
            return;
        };
        if layout.rows().iter().all(|row| row.mask == Mask::Open) {
            return;
        }
        let redacted = match row.shape.encoding {
            Encoding::Hex => self.digits(message, row, layout, at),
            _ => match message.subfields(row.number) {
                Ok(subfields) => self.subfields(subfields, layout),
                // Packed digits: the place of a subfield in half-bytes is not told.
                Err(_) => None,
            },
        };
        if redacted.is_none() {
            self.value(&row.shape, Mask::Track, at, length, units);
        }
    }

    /// A field of hexadecimal digits: redacted as bytes, and written back.
    fn digits(
        &mut self,
        message: &Message<'_>,
        row: &FieldRow,
        layout: &Layout,
        at: usize,
    ) -> Option<()> {
        let mut bytes = Vec::new();
        message.text_into(row.number, &mut bytes);
        let mut redacted = bytes.clone();
        let subfields = Subfields::new(self.dialect, layout, row.number, &bytes, 0, false);
        let mut inner = Target {
            dialect: self.dialect,
            out: &mut redacted,
        };
        inner.subfields(subfields, layout)?;
        let room = self.out.get_mut(at..at + 2 * redacted.len())?;
        for (digits, byte) in room.as_chunks_mut::<2>().0.iter_mut().zip(&redacted) {
            *digits = hex_digits(*byte);
        }
        Some(())
    }

    /// Subfield by subfield; nothing if they cannot all be taken apart.
    fn subfields(&mut self, subfields: Subfields<'_>, layout: &Layout) -> Option<()> {
        for subfield in subfields {
            let subfield = subfield.ok()?;
            match subfield.row {
                Some(own) if own.mask != Mask::Open => {
                    let length = subfield.value.len();
                    self.value(
                        &own.shape,
                        own.mask,
                        subfield.offset,
                        length,
                        subfield.units,
                    );
                }
                _ => {
                    if let (Key::Binary(tag), Layout::Tlv { .. }) = (subfield.key, layout) {
                        let object = tlv::DataObject {
                            tag,
                            value: subfield.value,
                            offset: 0,
                        };
                        self.template(&object, layout, subfield.offset, 0);
                    }
                }
            }
        }
        Some(())
    }

    /// Data objects inside of a template; one that cannot be taken apart is replaced as a whole.
    fn template(&mut self, object: &tlv::DataObject<'_>, layout: &Layout, at: usize, depth: usize) {
        if !object.is_constructed() {
            return;
        }
        let whole = |target: &mut Self| target.zeros(at, object.value.len());
        if depth == tlv::DEPTH_MAX {
            return whole(self);
        }
        for inner in tlv::Walk::new(object.value) {
            let Ok(inner) = inner else {
                return whole(self);
            };
            match layout.row(Key::Binary(inner.tag)) {
                Some(row) if row.mask != Mask::Open => {
                    let length = inner.value.len();
                    self.value(&row.shape, row.mask, at + inner.offset, length, length);
                }
                _ => self.template(&inner, layout, at + inner.offset, depth + 1),
            }
        }
    }

    /// Replaces what is hidden of one value.
    fn value(&mut self, shape: &Shape, mask: Mask, at: usize, length: usize, units: usize) {
        match shape.encoding {
            // A card number in chip data is packed digits.
            Encoding::Binary if mask == Mask::Pan => self.halves(at, mask.hidden(length * 2)),
            Encoding::Binary => self.zeros(at, length),
            Encoding::Hex => self.fill(at, length, b'0'),
            Encoding::Ascii | Encoding::Ebcdic => {
                let hidden = mask.hidden(length);
                let mut character = neutral(shape.class);
                let (mut from, to) = (at + hidden.start, at + hidden.end);
                if shape.class == Class::SignedAmount && hidden.start == 0 {
                    from += 1;
                }
                if shape.encoding == Encoding::Ebcdic {
                    character = self.dialect.page.wire(character).unwrap_or(character);
                }
                self.fill(from, to.saturating_sub(from), character);
            }
            Encoding::BcdRight | Encoding::BcdLeft => {
                // A sign takes the room of two digits, and stays.
                let sign = usize::from(shape.class == Class::SignedAmount);
                let digits = units.saturating_sub(sign);
                let before =
                    sign * 2 + usize::from(shape.encoding == Encoding::BcdRight) * (digits % 2);
                let hidden = mask.hidden(digits);
                self.halves(at, hidden.start + before..hidden.end + before);
            }
        }
    }

    /// Half-bytes become zeros.
    fn halves(&mut self, at: usize, halves: std::ops::Range<usize>) {
        for half in halves {
            if let Some(byte) = self.out.get_mut(at + half / 2) {
                *byte &= if half % 2 == 0 { 0x0F } else { 0xF0 };
            }
        }
    }

    fn zeros(&mut self, at: usize, length: usize) {
        self.fill(at, length, 0);
    }

    fn fill(&mut self, at: usize, length: usize, byte: u8) {
        if let Some(room) = self.out.get_mut(at..at + length) {
            room.fill(byte);
        }
    }
}

#[cfg(test)]
mod tests;
