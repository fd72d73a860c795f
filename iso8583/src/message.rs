//! A parsed message: borrowed bytes, and where each field stands in them.

mod scan;

use std::{fmt, ops::Range};

use crate::{
    dialect::{BitmapEncoding, Dialect, FieldRow, Op},
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
pub(crate) struct Place {
    start: u16,
    length: u16,
}

impl Place {
    /// Both are within [`MESSAGE_BYTES_MAX`] in a message that is in order.
    #[inline(always)]
    pub(crate) fn of(start: usize, end: usize) -> Place {
        Place {
            start: start as u16,
            length: end.wrapping_sub(start) as u16,
        }
    }
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
    // Always: a call would hand the message back as a copy.
    #[inline(always)]
    pub fn parse(dialect: &'a Dialect, bytes: &'a [u8]) -> Result<Message<'a>, Refusal> {
        let Head { mti, fields, first } = head(dialect, bytes)?;
        // Made where the caller wants it: its places are not copied.
        let mut message = Message {
            dialect,
            bytes,
            fields,
            mti,
            first,
            places: [Place::default(); 128],
        };
        message.read_fields()?;
        Ok(message)
    }

    #[inline]
    fn read_fields(&mut self) -> Result<(), Refusal> {
        let first = usize::from(self.first);
        match scan::scan(
            self.dialect,
            self.bytes,
            self.fields,
            first,
            &mut self.places,
        ) {
            true => Ok(()),
            false => self.go_over(first),
        }
    }

    /// Reads the fields one by one, each by its row: finds out what is wrong with a message that the scan did not like. It decides; the scan
    /// is quicker and must agree, as a test shows.
    #[cold]
    fn go_over(&mut self, first: usize) -> Result<(), Refusal> {
        let mut at = first;
        let mut last = FIELD_BITMAP;
        for field in self.fields.iter() {
            let row = self
                .dialect
                .field(field)
                .ok_or_else(|| Refusal::new(field, at, Rule::UnknownField))?;
            let found = row.shape.find(self.dialect.page, self.bytes, at);
            let found = found.map_err(|(offset, rule)| Refusal::new(field, offset, rule))?;
            if let Some(place) = self.places.get_mut(usize::from(field) - 1) {
                *place = Place::of(found.start, found.end);
            }
            at = found.end;
            last = field;
        }
        if at == self.bytes.len() {
            Ok(())
        } else {
            Err(Refusal::new(last, at, Rule::Trailing))
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

    /// Offset of the first field: behind the bitmaps.
    #[inline]
    pub(crate) fn first(&self) -> u16 {
        self.first
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
        match self.has(field) {
            true => self.bytes.get(self.span(field)),
            false => None,
        }
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
        self.span(field).start
    }

    /// Where a field stands, its length included; of a field that is not there, the place at which it would, with nothing in it.
    #[inline]
    pub(crate) fn span(&self, field: u8) -> Range<usize> {
        let Some(place) = self.place(field) else {
            let at = self.end_before(field);
            return at..at;
        };
        let start = usize::from(place.start);
        let prefix = match self.dialect.ops.get(usize::from(field).wrapping_sub(1)) {
            Some(op) if op.prefix != Op::LONG_WAY => usize::from(op.prefix),
            _ => self.long_prefix(field),
        };
        start.saturating_sub(prefix)..start + usize::from(place.length)
    }

    fn long_prefix(&self, field: u8) -> usize {
        let row = self.dialect.field(field);
        row.map_or(0, |row| row.shape.prefix_bytes())
    }

    /// Offset behind the last field that is below this one.
    #[inline]
    fn end_before(&self, field: u8) -> usize {
        let bits = self.fields.bits();
        let (primary, secondary) = ((bits >> 64) as u64, bits as u64);
        let field = field.clamp(1, 128);
        // A half at a time: wide shifts cost more than everything else here.
        let below = |half: u64, number: u8| half & !(u64::MAX >> (number.wrapping_sub(1) & 63));
        let (half, last) = match field {
            65.. if below(secondary, field - 64) != 0 => (below(secondary, field - 64), 127),
            65.. => (primary, 63),
            _ => (below(primary, field), 63),
        };
        if half == 0 {
            return usize::from(self.first);
        }
        let place = self.places[(last - half.trailing_zeros() as usize) & 127];
        usize::from(place.start) + usize::from(place.length)
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
        let mut buffer = [0; 32];
        let text = match self.dialect.plain.contains(field) {
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
        let last = self.span(if self.has(128) { 128 } else { 64 }).end == self.bytes.len();
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
        let (Some(value), Some(row)) = (self.get(field), self.dialect.field(field)) else {
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
        Ok(Subfields::new(
            self.dialect,
            layout,
            field,
            value,
            offset,
            ebcdic,
        ))
    }

    /// One subfield of a structured field; `None` if field or subfield is not there. Values before it are stepped over unseen.
    ///
    /// # Errors
    /// What stands before it cannot be taken apart, or it is itself malformed.
    pub fn subfield(&self, field: u8, key: Key) -> Result<Option<Subfield<'a>>, Refusal> {
        self.subfields(field)?.first_of(key)
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

/// What stands before the fields.
struct Head {
    mti: Mti,
    fields: FieldSet,
    first: u16,
}

fn head(dialect: &Dialect, bytes: &[u8]) -> Result<Head, Refusal> {
    if bytes.len() > MESSAGE_BYTES_MAX {
        let rule = Rule::MessageTooLong;
        return Err(Refusal::new(FIELD_MTI, MESSAGE_BYTES_MAX, rule));
    }
    let (mti, after_mti) = read_mti(dialect, bytes)?;
    let (fields, first) = read_bitmaps(dialect, bytes, after_mti)?;
    Ok(Head {
        mti,
        fields,
        first: first as u16,
    })
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
