//! A message that may be kept: the same bytes with everything that has a masking class put out of sight, still readable by its dialect.

use crate::{
    class::Class,
    dialect::{FieldRow, Layout},
    mask::{Mask, neutral},
    message::Message,
    refusal::Key,
    tlv,
    wire::{Encoding, Shape},
};

/// Where a value stands in the copy that is redacted.
struct Target<'o, 'a> {
    message: &'a Message<'a>,
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
            message: self,
            out: &mut out[start..],
        };
        for row in self
            .fields()
            .iter()
            .filter_map(|field| self.dialect().field(field))
        {
            target.field(row);
        }
    }
}

impl Target<'_, '_> {
    fn field(&mut self, row: &FieldRow) {
        let at = self.message.offset_of(row.number);
        let length = self.message.get(row.number).map_or(0, <[u8]>::len);
        let units = self
            .message
            .row_and_units(row.number)
            .map_or(0, |(_, units)| units);
        if row.mask != Mask::Open {
            return self.value(&row.shape, row.mask, at, length, units);
        }
        let Some(layout) = &row.layout else {
            return;
        };
        if layout.rows().iter().all(|row| row.mask == Mask::Open) {
            return;
        }
        let whole = |target: &mut Self| target.value(&row.shape, Mask::Track, at, length, units);
        let Ok(subfields) = self.message.subfields(row.number) else {
            // Subfields of packed digits: there is no telling a half-byte's place from outside.
            return whole(self);
        };
        for subfield in subfields {
            let Ok(subfield) = subfield else {
                return whole(self);
            };
            match subfield.row {
                Some(own) if own.mask != Mask::Open => {
                    self.value(
                        &own.shape,
                        own.mask,
                        subfield.offset,
                        subfield.value.len(),
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
            Encoding::Binary if mask == Mask::Pan => {
                // Packed digits of a card number in chip data: whole bytes, six digits in front and four behind at most.
                let hidden = mask.hidden(length * 2);
                let (from, to) = (hidden.start.div_ceil(2), hidden.end.div_ceil(2));
                self.zeros(at + from, to.saturating_sub(from));
            }
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
                    character = self
                        .message
                        .dialect()
                        .page
                        .wire(character)
                        .unwrap_or(character);
                }
                self.fill(from, to.saturating_sub(from), character);
            }
            Encoding::BcdRight | Encoding::BcdLeft => {
                let before = usize::from(shape.encoding == Encoding::BcdRight) * (units % 2);
                for place in mask.hidden(units) {
                    let half = place + before;
                    if let Some(byte) = self.out.get_mut(at + half / 2) {
                        *byte &= if half % 2 == 0 { 0x0F } else { 0xF0 };
                    }
                }
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
