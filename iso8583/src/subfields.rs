//! Subfields of a structured field, decoded one by one when they are asked for.

use crate::{
    dialect::{Dialect, Layout, SubfieldRow, TagForm},
    refusal::{Key, Refusal, Rule},
    tlv,
    wire::{LengthEncoding, hex_value},
};

/// One subfield.
#[derive(Clone, Copy)]
pub struct Subfield<'a> {
    /// Position, bit, or tag.
    pub key: Key,
    /// Its row; a tag may have none.
    pub row: Option<&'a SubfieldRow>,
    /// Its value as it stands on the wire, without tag and length.
    pub value: &'a [u8],
    /// Its length in units.
    pub units: usize,
    /// Offset of the value in the message.
    pub offset: usize,
    /// Characters of a value without a row are in the dialect's EBCDIC code page.
    ebcdic: bool,
}

impl Subfield<'_> {
    /// Appends the value as text whatever its encoding: ASCII characters, or the bytes of a binary value.
    pub fn text_into(&self, dialect: &Dialect, out: &mut Vec<u8>) {
        match self.row {
            Some(row) => {
                let before = out.len();
                out.resize(before + row.shape.text_units(self.units), 0);
                if row
                    .shape
                    .text(dialect.page, self.value, self.units, &mut out[before..])
                    .is_none()
                {
                    out.truncate(before);
                }
            }
            None if self.ebcdic => {
                out.extend(self.value.iter().map(|byte| dialect.page.ascii(*byte)))
            }
            None => out.extend_from_slice(self.value),
        }
    }
}

impl std::fmt::Debug for Subfield<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A value may be secret: only its length is shown.
        write!(f, "{}({} bytes)", self.key, self.value.len())
    }
}

/// The subfields of one field, in their order. After an error there is nothing more.
#[derive(Clone, Debug)]
pub struct Subfields<'a> {
    dialect: &'a Dialect,
    field: u8,
    bytes: &'a [u8],
    /// Offset of `bytes` in the message.
    base: usize,
    at: usize,
    /// Characters are in the dialect's EBCDIC code page.
    ebcdic: bool,
    kind: Kind<'a>,
}

#[derive(Clone, Debug)]
enum Kind<'a> {
    Nothing,
    Positions {
        rows: &'a [SubfieldRow],
        next: usize,
        repeat: bool,
    },
    Tags {
        layout: &'a Layout,
        form: TagForm,
    },
    /// The bits that are still to come; none before the bitmap has been read.
    Bitmap {
        layout: &'a Layout,
        bits: u8,
        hex: bool,
        rest: Option<u64>,
    },
    Tlv {
        layout: &'a Layout,
    },
}

impl<'a> Subfields<'a> {
    pub(crate) fn none(dialect: &'a Dialect) -> Subfields<'a> {
        Subfields {
            dialect,
            field: 0,
            bytes: &[],
            base: 0,
            at: 0,
            ebcdic: false,
            kind: Kind::Nothing,
        }
    }

    pub(crate) fn new(
        dialect: &'a Dialect,
        layout: &'a Layout,
        field: u8,
        bytes: &'a [u8],
        base: usize,
        ebcdic: bool,
    ) -> Subfields<'a> {
        let kind = match layout {
            Layout::Positions { rows, repeat } => Kind::Positions {
                rows,
                next: 0,
                repeat: *repeat,
            },
            Layout::Tags { form, .. } => Kind::Tags {
                layout,
                form: *form,
            },
            Layout::Bitmap { bits, hex, .. } => Kind::Bitmap {
                layout,
                bits: *bits,
                hex: *hex,
                rest: None,
            },
            Layout::Tlv { .. } => Kind::Tlv { layout },
        };
        Subfields {
            dialect,
            field,
            bytes,
            base,
            at: 0,
            ebcdic,
            kind,
        }
    }

    /// Walks to the end.
    ///
    /// # Errors
    /// The first breach.
    pub fn check(self) -> Result<(), Refusal> {
        for subfield in self {
            subfield?;
        }
        Ok(())
    }

    /// Bytes that have been walked over: behind the subfield given last.
    pub(crate) fn walked(&self) -> usize {
        self.at
    }

    #[cold]
    fn refuse(&self, key: Option<Key>, at: usize, rule: Rule) -> Refusal {
        Refusal::within(self.field, key, self.base + at, rule)
    }

    fn step(&mut self) -> Result<Option<Subfield<'a>>, Refusal> {
        match self.kind {
            Kind::Nothing => Ok(None),
            Kind::Positions { rows, next, repeat } => self.position(rows, next, repeat),
            Kind::Tags { layout, form } => self.tagged(layout, form),
            Kind::Bitmap {
                layout,
                bits,
                hex,
                rest,
            } => self.mapped(layout, bits, hex, rest),
            Kind::Tlv { layout } => self.data_object(layout),
        }
    }

    fn position(
        &mut self,
        rows: &'a [SubfieldRow],
        next: usize,
        repeat: bool,
    ) -> Result<Option<Subfield<'a>>, Refusal> {
        let next = if repeat && next == rows.len() && self.at < self.bytes.len() {
            0
        } else {
            next
        };
        let Some(row) = rows.get(next) else {
            return self.end();
        };
        self.kind = Kind::Positions {
            rows,
            next: next + 1,
            repeat,
        };
        self.shaped(row).map(Some)
    }

    /// A subfield that stands like a field, by its own length rule.
    fn shaped(&mut self, row: &'a SubfieldRow) -> Result<Subfield<'a>, Refusal> {
        let found = row.shape.find(self.dialect.page, self.bytes, self.at);
        let found = found.map_err(|(at, rule)| self.refuse(Some(row.key), at, rule))?;
        self.at = found.end;
        Ok(Subfield {
            key: row.key,
            row: Some(row),
            value: &self.bytes[found.start..found.end],
            units: found.units,
            offset: self.base + found.start,
            ebcdic: self.ebcdic,
        })
    }

    fn end(&self) -> Result<Option<Subfield<'a>>, Refusal> {
        match self.at == self.bytes.len() {
            true => Ok(None),
            false => Err(self.refuse(None, self.at, Rule::Trailing)),
        }
    }

    fn tagged(
        &mut self,
        layout: &'a Layout,
        form: TagForm,
    ) -> Result<Option<Subfield<'a>>, Refusal> {
        if self.at == self.bytes.len() {
            return Ok(None);
        }
        let subfield = self.next_tag(form)?;
        self.by_its_row(layout, subfield).map(Some)
    }

    /// Tag, length and value, whatever they hold.
    #[inline]
    fn next_tag(&mut self, form: TagForm) -> Result<Subfield<'a>, Refusal> {
        let at = self.at;
        let width = usize::from(form.tag);
        let wire = self.bytes.get(at..at + width);
        let wire = wire.ok_or_else(|| self.refuse(None, at, Rule::Truncated))?;
        let key = self.key(wire, form);
        let key = key.ok_or_else(|| self.refuse(None, at, Rule::TagCharacters))?;
        let length = self
            .bytes
            .get(at + width..at + width + usize::from(form.length));
        let (units, prefix) = match (form.length_encoding, length) {
            (LengthEncoding::Ascii, Some(digits)) => {
                let digit = |sum: Option<usize>, byte: &u8| {
                    let digit = usize::from(byte.wrapping_sub(b'0'));
                    if digit > 9 {
                        None
                    } else {
                        Some(sum? * 10 + digit)
                    }
                };
                let units = digits.iter().fold(Some(0), digit);
                let refuse = || self.refuse(Some(key), at + width, Rule::LengthDigits);
                (units.ok_or_else(refuse)?, digits.len())
            }
            _ => {
                let shape = form.shape();
                let units = shape.units(self.dialect.page, self.bytes, at + width);
                let refuse = |(at, rule)| self.refuse(Some(key), at, rule);
                (units.map_err(refuse)?, shape.prefix_bytes())
            }
        };
        let start = at + width + prefix;
        let value = self.bytes.get(start..start + units);
        let value = value.ok_or_else(|| self.refuse(Some(key), at, Rule::Truncated))?;
        self.at = start + units;
        Ok(Subfield {
            key,
            row: None,
            value,
            units,
            offset: self.base + start,
            ebcdic: self.ebcdic,
        })
    }

    /// The subfield with its row, if it has one, checked by it.
    fn by_its_row(
        &self,
        layout: &'a Layout,
        mut subfield: Subfield<'a>,
    ) -> Result<Subfield<'a>, Refusal> {
        if let Some(row) = layout.row(subfield.key) {
            self.check_value(row, subfield.value, subfield.offset - self.base)?;
            subfield.row = Some(row);
            subfield.units = row.shape.units_in(subfield.value.len());
        }
        Ok(subfield)
    }

    /// The first subfield of that key from here on. Values before it are stepped over unseen.
    ///
    /// # Errors
    /// What stands before it cannot be taken apart, or it is itself malformed.
    pub fn first_of(mut self, key: Key) -> Result<Option<Subfield<'a>>, Refusal> {
        if let Kind::Tags { layout, form } = self.kind {
            while self.at < self.bytes.len() {
                let subfield = self.next_tag(form)?;
                if subfield.key == key {
                    return self.by_its_row(layout, subfield).map(Some);
                }
            }
            return Ok(None);
        }
        if let (Kind::Tlv { layout }, Key::Binary(tag)) = (&self.kind, key) {
            for object in tlv::Walk::new(self.bytes) {
                let object = object.map_err(|(at, rule)| self.refuse(None, at, rule))?;
                if object.tag == tag {
                    let subfield = self.of_object(object, 0);
                    return self.by_its_row(layout, subfield).map(Some);
                }
            }
            return Ok(None);
        }
        for subfield in self {
            let subfield = subfield?;
            if subfield.key == key {
                return Ok(Some(subfield));
            }
        }
        Ok(None)
    }

    fn key(&self, wire: &[u8], form: TagForm) -> Option<Key> {
        let mut bytes = [0; 4];
        if form.binary {
            bytes[4 - wire.len()..].copy_from_slice(wire);
            return Some(Key::Binary(u32::from_be_bytes(bytes)));
        }
        for (to, from) in bytes.iter_mut().zip(wire) {
            *to = if self.ebcdic {
                self.dialect.page.ascii(*from)
            } else {
                *from
            };
            if !to.is_ascii_alphanumeric() {
                return None;
            }
        }
        Some(Key::Tag(bytes))
    }

    /// A value whose length something else has told.
    fn check_value(&self, row: &SubfieldRow, value: &[u8], start: usize) -> Result<(), Refusal> {
        let (min, max) = row.shape.length.bounds();
        let refuse = |at, rule| Err(self.refuse(Some(row.key), at, rule));
        if value.len() > row.shape.bytes_of(usize::from(max)) {
            return refuse(start, Rule::TooLong { max });
        }
        if value.len() < row.shape.bytes_of(usize::from(min)) {
            return refuse(start, Rule::TooShort { min });
        }
        match row
            .shape
            .check(self.dialect.page, value, row.shape.units_in(value.len()))
        {
            Ok(()) => Ok(()),
            Err((place, rule)) => refuse(start + place, rule),
        }
    }

    fn mapped(
        &mut self,
        layout: &'a Layout,
        bits: u8,
        hex: bool,
        rest: Option<u64>,
    ) -> Result<Option<Subfield<'a>>, Refusal> {
        let rest = match rest {
            Some(rest) => rest,
            None => self.bitmap(bits, hex)?,
        };
        if rest == 0 {
            self.kind = Kind::Bitmap {
                layout,
                bits,
                hex,
                rest: Some(0),
            };
            return self.end();
        }
        let number = rest.leading_zeros() as u8 + 1;
        let key = Key::Number(number);
        self.kind = Kind::Bitmap {
            layout,
            bits,
            hex,
            rest: Some(rest & !(1 << 63 >> (number - 1))),
        };
        match layout.row(key) {
            Some(row) => self.shaped(row).map(Some),
            None => Err(self.refuse(Some(key), self.at, Rule::UnknownField)),
        }
    }

    /// The bitmap in front, its first bit uppermost.
    fn bitmap(&mut self, bits: u8, hex: bool) -> Result<u64, Refusal> {
        let width = usize::from(bits) / if hex { 4 } else { 8 };
        let wire = self
            .bytes
            .get(..width)
            .ok_or_else(|| self.refuse(None, 0, Rule::Truncated))?;
        let mut map = 0_u64;
        for &byte in wire {
            map = if hex {
                let digit = if self.ebcdic {
                    self.dialect.page.ascii(byte)
                } else {
                    byte
                };
                let value =
                    hex_value(digit).ok_or_else(|| self.refuse(None, 0, Rule::BitmapDigits))?;
                map << 4 | u64::from(value)
            } else {
                map << 8 | u64::from(byte)
            };
        }
        self.at = width;
        Ok(map << (64 - u32::from(bits)))
    }

    fn data_object(&mut self, layout: &'a Layout) -> Result<Option<Subfield<'a>>, Refusal> {
        let at = self.at;
        let mut walk = tlv::Walk::new(self.bytes.get(at..).unwrap_or_default());
        let Some(object) = walk.next() else {
            return Ok(None);
        };
        let object = object.map_err(|(place, rule)| self.refuse(None, at + place, rule))?;
        self.at = at + object.offset + object.value.len();
        let subfield = self.of_object(object, at);
        self.by_its_row(layout, subfield).map(Some)
    }

    fn of_object(&self, object: tlv::DataObject<'a>, at: usize) -> Subfield<'a> {
        Subfield {
            key: Key::Binary(object.tag),
            row: None,
            value: object.value,
            units: object.value.len(),
            offset: self.base + at + object.offset,
            ebcdic: self.ebcdic,
        }
    }
}

impl<'a> Iterator for Subfields<'a> {
    type Item = Result<Subfield<'a>, Refusal>;

    fn next(&mut self) -> Option<Self::Item> {
        let step = self.step();
        if step.is_err() {
            self.kind = Kind::Nothing;
        }
        step.transpose()
    }
}

#[cfg(test)]
mod tests;
