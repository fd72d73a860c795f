//! A parsed message: borrowed bytes, and where each field stands in them.

use std::fmt;

use crate::{
    class::Class,
    dialect::{BitmapEncoding, Check, Dialect, FieldRow, Form},
    field_set::FieldSet,
    mti::Mti,
    refusal::{FIELD_BITMAP, FIELD_MTI, Key, Refusal, Rule},
    subfields::{Subfield, Subfields},
    tlv,
    wire::{self, Encoding},
};

/// Longest message, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 65_535;

/// Where a value stands: without its length.
#[derive(Clone, Copy, Default)]
struct Place {
    start: u16,
    length: u16,
}

/// A message whose every length, character, bitmap and byte has been checked against its dialect; what is inside of structured fields is
/// checked when it is asked for. It borrows the bytes it was parsed from and allocates nothing. `Debug` shows it masked.
#[derive(Clone)]
pub struct Message<'a> {
    dialect: &'a Dialect,
    bytes: &'a [u8],
    fields: FieldSet,
    mti: Mti,
    /// Offset of the first field: behind the bitmaps.
    first: u16,
    /// By field number less one.
    places: [Place; 128],
}

impl<'a> Message<'a> {
    /// Parses and checks one message: all of `bytes` and nothing more.
    ///
    /// # Errors
    /// Field, offset and rule of the first breach.
    pub fn parse(dialect: &'a Dialect, bytes: &'a [u8]) -> Result<Message<'a>, Refusal> {
        if bytes.len() > MESSAGE_BYTES_MAX {
            return Err(Refusal::new(
                FIELD_MTI,
                MESSAGE_BYTES_MAX,
                Rule::MessageTooLong,
            ));
        }
        let (mti, after_mti) = read_mti(dialect, bytes)?;
        let (fields, first) = read_bitmaps(dialect, bytes, after_mti)?;
        let mut message = Message {
            dialect,
            bytes,
            fields,
            mti,
            first: first as u16,
            places: [Place::default(); 128],
        };
        let bits = fields.bits();
        let mut at = message.read_fields((bits >> 64) as u64, 0, first)?;
        if bits as u64 != 0 {
            at = message.read_fields(bits as u64, 64, at)?;
        }
        if at != bytes.len() {
            let last = 128 - bits.trailing_zeros().min(127);
            return Err(Refusal::new(last as u8, at, Rule::Trailing));
        }
        Ok(message)
    }

    /// Reads the fields of one bitmap; `base` is 0 or 64. Gives the offset behind them.
    #[inline(always)]
    fn read_fields(&mut self, bitmap: u64, base: usize, mut at: usize) -> Result<usize, Refusal> {
        let bytes = self.bytes;
        let mut rest = bitmap;
        while rest != 0 {
            let place = base + rest.leading_zeros() as usize;
            rest &= !(1 << 63 >> rest.leading_zeros());
            let op = self.dialect.ops[place & 127];
            let (start, length) = match op.form {
                Form::Fixed => (at, usize::from(op.max)),
                Form::Ll => match bytes.get(at..at + 2) {
                    Some(&[a, b]) => (at + 2, length_of([b'0', a, b])),
                    _ => return Err(self.refuse(place, at)),
                },
                Form::Lll => match bytes.get(at..at + 3) {
                    Some(&[a, b, c]) => (at + 3, length_of([a, b, c])),
                    _ => return Err(self.refuse(place, at)),
                },
                Form::Unknown | Form::Shaped => {
                    let (start, end) = self.read_shaped(place, at)?;
                    self.places[place & 127] = Place {
                        start: start as u16,
                        length: (end - start) as u16,
                    };
                    at = end;
                    continue;
                }
            };
            let end = start + length;
            let Some(value) = bytes.get(start..end) else {
                return Err(self.refuse(place, at));
            };
            let in_bounds = length >= usize::from(op.min) && length <= usize::from(op.max);
            let in_class = match op.check {
                Check::Nothing => true,
                Check::Numeric => Class::Numeric.holds(value),
                Check::Printable => Class::Printable.holds(value),
                Check::AlphaNumeric => Class::AlphaNumeric.holds(value),
                Check::Other => op.class.holds(value),
            };
            if !(in_bounds && in_class) {
                return Err(self.refuse(place, at));
            }
            self.places[place & 127] = Place {
                start: start as u16,
                length: length as u16,
            };
            at = end;
        }
        Ok(at)
    }

    /// Goes over a field again that something is wrong with, to say what.
    #[cold]
    fn refuse(&self, place: usize, at: usize) -> Refusal {
        match self.read_shaped(place, at) {
            Err(refusal) => refusal,
            // The two ways of reading agree, as a test shows.
            Ok(_) => Refusal::new(place as u8 + 1, at, Rule::Truncated),
        }
    }

    fn read_shaped(&self, place: usize, at: usize) -> Result<(usize, usize), Refusal> {
        let number = place as u8 + 1;
        let row = self
            .dialect
            .field(number)
            .ok_or_else(|| Refusal::new(number, at, Rule::UnknownField))?;
        match row.shape.find(self.dialect.page, self.bytes, at) {
            Ok(found) => Ok((found.start, found.end)),
            Err((offset, rule)) => Err(Refusal::new(number, offset, rule)),
        }
    }

    /// The dialect it was parsed by.
    pub fn dialect(&self) -> &'a Dialect {
        self.dialect
    }

    /// All bytes.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The message type.
    #[inline]
    pub fn mti(&self) -> Mti {
        self.mti
    }

    /// The fields that are there; never 1, which is a bitmap.
    #[inline]
    pub fn fields(&self) -> FieldSet {
        self.fields
    }

    /// Is the field there?
    #[inline]
    pub fn has(&self, field: u8) -> bool {
        self.fields.contains(field)
    }

    /// A field's value as it stands on the wire, without its length. In a dialect of ASCII and binary that is its text or its bytes.
    #[inline]
    pub fn get(&self, field: u8) -> Option<&'a [u8]> {
        let place = self.place(field)?;
        self.bytes
            .get(usize::from(place.start)..usize::from(place.start) + usize::from(place.length))
    }

    /// A field as it stands on the wire, its length included.
    pub fn wire(&self, field: u8) -> Option<&'a [u8]> {
        let place = self.place(field)?;
        self.bytes
            .get(self.start_of(field)..usize::from(place.start) + usize::from(place.length))
    }

    #[inline]
    fn place(&self, field: u8) -> Option<Place> {
        if !self.fields.contains(field) {
            return None;
        }
        self.places.get(usize::from(field).checked_sub(1)?).copied()
    }

    /// Offset at which a field stands, its length included; of a field that is not there, at which it would.
    #[inline]
    pub(crate) fn start_of(&self, field: u8) -> usize {
        let above = u128::MAX
            .checked_shl(u32::from(129 - field.clamp(1, 128)))
            .unwrap_or(0);
        let before = self.fields.bits() & above;
        match before {
            0 => usize::from(self.first),
            _ => {
                let last = self.places[127 - before.trailing_zeros() as usize];
                usize::from(last.start) + usize::from(last.length)
            }
        }
    }

    /// Offset behind a field; of a field that is not there, at which it would begin.
    #[inline]
    pub(crate) fn end_of(&self, field: u8) -> usize {
        match self.place(field) {
            Some(place) => usize::from(place.start) + usize::from(place.length),
            None => self.start_of(field),
        }
    }

    /// Offset of a field's value.
    pub(crate) fn offset_of(&self, field: u8) -> usize {
        self.place(field)
            .map_or(0, |place| usize::from(place.start))
    }

    /// A field's row and its length in units.
    pub(crate) fn row_and_units(&self, field: u8) -> Option<(&'a FieldRow, usize)> {
        let place = self.place(field)?;
        let row = self.dialect.field(field)?;
        let shape = &row.shape;
        let units = match shape.prefix_bytes() {
            0 => shape.length.bounds().1.into(),
            prefix => shape
                .units(
                    self.dialect.page,
                    self.bytes,
                    usize::from(place.start).checked_sub(prefix)?,
                )
                .ok()?,
        };
        Some((row, units))
    }

    /// A field's value as text whatever its encoding: ASCII characters, or the bytes of a binary value, written into `out`. `None` if the
    /// field is not there or `out` is too short for it.
    pub fn text<'o>(&self, field: u8, out: &'o mut [u8]) -> Option<&'o [u8]> {
        let (row, units) = self.row_and_units(field)?;
        row.shape
            .text(self.dialect.page, self.get(field)?, units, out)
    }

    /// The same, appended to a vector. Does nothing if the field is not there.
    pub fn text_into(&self, field: u8, out: &mut Vec<u8>) {
        let Some((row, units)) = self.row_and_units(field) else {
            return;
        };
        let before = out.len();
        out.resize(before + row.shape.text_units(units), 0);
        let value = self.get(field).unwrap_or_default();
        if row
            .shape
            .text(self.dialect.page, value, units, &mut out[before..])
            .is_none()
        {
            out.truncate(before);
        }
    }

    /// A field of digits as a number. `None` if the field is not there, holds anything else, or is above 2⁶⁴ − 1.
    pub fn number(&self, field: u8) -> Option<u64> {
        let plain = self.dialect.field(field)?.shape.is_plain();
        if plain {
            return number(self.get(field)?);
        }
        number(self.text(field, &mut [0; 32])?)
    }

    /// Up to eight characters of a field, from one place to before another, packed for comparison.
    #[inline]
    pub(crate) fn packed(&self, field: u8, from: usize, to: usize) -> Option<u64> {
        let row = self.dialect.field(field)?;
        let mut buffer = [0; 32];
        let text = match row.shape.is_plain() {
            true => self.get(field)?,
            false => self.text(field, &mut buffer)?,
        };
        crate::dialect::pack(text.get(from..to.min(text.len()))?)
    }

    /// The bytes that the message authentication code covers (all before it), and the code: field 128, or else field 64.
    pub fn before_mac(&self) -> Option<(&'a [u8], &'a [u8])> {
        let mac = self.get(128).or_else(|| self.get(64))?;
        let covered = self.bytes.len().checked_sub(mac.len())?;
        // Field 64 is the last one only without a secondary bitmap.
        let last = self.end_of(if self.has(128) { 128 } else { 64 }) == self.bytes.len();
        if last {
            Some((&self.bytes[..covered], mac))
        } else {
            None
        }
    }

    /// The subfields of a structured field, in their order.
    ///
    /// # Errors
    /// The field has no subfields in the table, or they are packed digits ([`Rule::Packed`]).
    pub fn subfields(&self, field: u8) -> Result<Subfields<'a>, Refusal> {
        let Some((row, _)) = self.row_and_units(field) else {
            return Ok(Subfields::none(self.dialect));
        };
        let offset = self.offset_of(field);
        let layout = row
            .layout
            .as_ref()
            .ok_or_else(|| Refusal::new(field, offset, Rule::NotStructured))?;
        let ebcdic = match row.shape.encoding {
            Encoding::Ascii | Encoding::Binary => false,
            Encoding::Ebcdic => true,
            Encoding::BcdLeft | Encoding::BcdRight | Encoding::Hex => {
                return Err(Refusal::new(field, offset, Rule::Packed));
            }
        };
        let value = self.get(field).unwrap_or_default();
        Ok(Subfields::new(
            self.dialect,
            layout,
            field,
            value,
            offset,
            ebcdic,
        ))
    }

    /// One subfield of a structured field; `None` if field or subfield is not there.
    ///
    /// # Errors
    /// What stands before it is malformed, or it is itself.
    pub fn subfield(&self, field: u8, key: Key) -> Result<Option<Subfield<'a>>, Refusal> {
        for subfield in self.subfields(field)? {
            let subfield = subfield?;
            if subfield.key == key {
                return Ok(Some(subfield));
            }
        }
        Ok(None)
    }

    /// The value of a text tag, as it stands on the wire.
    ///
    /// # Errors
    /// As [`Message::subfield`].
    pub fn tag(&self, field: u8, tag: &[u8]) -> Result<Option<&'a [u8]>, Refusal> {
        match Key::tag(tag) {
            Some(key) => Ok(self.subfield(field, key)?.map(|subfield| subfield.value)),
            None => Ok(None),
        }
    }

    /// The value of a position (counted from 1), or of a subfield that a bitmap names, as it stands on the wire.
    ///
    /// # Errors
    /// As [`Message::subfield`].
    pub fn part(&self, field: u8, number: u8) -> Result<Option<&'a [u8]>, Refusal> {
        Ok(self
            .subfield(field, Key::Number(number))?
            .map(|subfield| subfield.value))
    }

    /// A walk over the data objects of a BER-TLV field, chip data (55) above all. `None` if the field is not there or stands on the wire as
    /// anything but bytes.
    pub fn tlv(&self, field: u8) -> Option<tlv::Walk<'a>> {
        let row = self.dialect.field(field)?;
        let value = self.get(field)?;
        (row.shape.encoding == Encoding::Binary).then(|| tlv::Walk::new(value))
    }

    /// Walks all structured fields to their ends.
    ///
    /// # Errors
    /// The first breach in one of them.
    pub fn check_subfields(&self) -> Result<(), Refusal> {
        let mut text = Vec::new();
        for field in self.fields.iter() {
            let Some(layout) = self
                .dialect
                .field(field)
                .and_then(|row| row.layout.as_ref())
            else {
                continue;
            };
            match self.subfields(field) {
                Ok(subfields) => subfields.check()?,
                Err(Refusal {
                    rule: Rule::Packed, ..
                }) => {
                    text.clear();
                    self.text_into(field, &mut text);
                    Subfields::new(
                        self.dialect,
                        layout,
                        field,
                        &text,
                        self.offset_of(field),
                        false,
                    )
                    .check()?;
                }
                Err(refusal) => return Err(refusal),
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::render::line(self, f)
    }
}

/// A length of three ASCII digits; anything else gives more than any field allows.
#[inline(always)]
fn length_of(digits: [u8; 3]) -> usize {
    let [a, b, c] = digits.map(|digit| usize::from(digit.wrapping_sub(b'0')));
    if a > 9 || b > 9 || c > 9 {
        usize::from(u16::MAX)
    } else {
        a * 100 + b * 10 + c
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    (!digits.is_empty()).then_some(number)
}

#[inline]
fn read_mti(dialect: &Dialect, bytes: &[u8]) -> Result<(Mti, usize), Refusal> {
    let refuse = |rule| Refusal::new(FIELD_MTI, 0, rule);
    let mut digits = [0; 4];
    let length = match dialect.mti_encoding {
        Encoding::BcdRight | Encoding::BcdLeft => 2,
        _ => 4,
    };
    let wire = bytes.get(..length).ok_or_else(|| refuse(Rule::Truncated))?;
    match (dialect.mti_encoding, wire) {
        (Encoding::Ebcdic, wire) => {
            for (digit, byte) in digits.iter_mut().zip(wire) {
                *digit = dialect.page.ascii(*byte);
            }
        }
        (_, &[a, b]) => digits = [a >> 4, a & 15, b >> 4, b & 15].map(|half| half + b'0'),
        (_, wire) => digits.copy_from_slice(wire),
    }
    let mti = Mti::parse(&digits).ok_or_else(|| refuse(Rule::MessageTypeDigits))?;
    match dialect.message(mti) {
        Some(_) => Ok((mti, length)),
        None => Err(refuse(Rule::UnknownMessageType)),
    }
}

/// The fields named, and the offset of the first of them.
#[inline]
fn read_bitmaps(dialect: &Dialect, bytes: &[u8], at: usize) -> Result<(FieldSet, usize), Refusal> {
    let width = match dialect.bitmap_encoding {
        BitmapEncoding::Binary => 8,
        BitmapEncoding::Hex | BitmapEncoding::HexEbcdic => 16,
    };
    let primary = read_bitmap(dialect, bytes, at)?;
    let second = primary >> 63 == 1;
    let secondary = if second {
        read_bitmap(dialect, bytes, at + width)?
    } else {
        0
    };
    if second && secondary == 0 {
        return Err(Refusal::new(FIELD_BITMAP, at + width, Rule::EmptyBitmap));
    }
    let set =
        FieldSet::from_bits(u128::from(primary & u64::MAX >> 1) << 64 | u128::from(secondary));
    Ok((set, at + if second { 2 * width } else { width }))
}

#[inline]
fn read_bitmap(dialect: &Dialect, bytes: &[u8], at: usize) -> Result<u64, Refusal> {
    let refuse = |rule| Refusal::new(FIELD_BITMAP, at, rule);
    let rest = bytes.get(at..).unwrap_or_default();
    if dialect.bitmap_encoding == BitmapEncoding::Binary {
        let bits = rest
            .first_chunk::<8>()
            .ok_or_else(|| refuse(Rule::Truncated))?;
        return Ok(u64::from_be_bytes(*bits));
    }
    let digits = rest
        .first_chunk::<16>()
        .ok_or_else(|| refuse(Rule::Truncated))?;
    let mut bits = 0;
    for &digit in digits {
        let digit = match dialect.bitmap_encoding {
            BitmapEncoding::HexEbcdic => dialect.page.ascii(digit),
            _ => digit,
        };
        let value = wire::hex_value(digit).ok_or_else(|| refuse(Rule::BitmapDigits))?;
        bits = bits << 4 | u64::from(value);
    }
    Ok(bits)
}

#[cfg(test)]
mod tests;
