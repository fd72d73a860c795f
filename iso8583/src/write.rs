//! Writing a message from its values.

use crate::{
    dialect::{BitmapEncoding, Dialect},
    field_set::FieldSet,
    message::MESSAGE_BYTES_MAX,
    mti::Mti,
    refusal::{FIELD_BITMAP, FIELD_MTI, Refusal, Rule},
    wire::{self, Encoding},
};

/// Writes one message behind what a vector holds already, field after field in ascending order. Allocates only what the vector grows by.
#[derive(Debug)]
pub struct Writer<'w> {
    dialect: &'w Dialect,
    mti: Mti,
    out: &'w mut Vec<u8>,
    /// Where the message begins in `out`.
    start: usize,
    /// Where its first bitmap begins.
    bitmap: usize,
    fields: FieldSet,
    last: u8,
}

impl<'w> Writer<'w> {
    /// Begins a message.
    pub fn start(dialect: &'w Dialect, mti: Mti, out: &'w mut Vec<u8>) -> Writer<'w> {
        let start = out.len();
        write_mti(dialect, mti, out);
        let bitmap = out.len();
        out.resize(bitmap + bitmap_bytes(dialect), 0);
        Writer {
            dialect,
            mti,
            out,
            start,
            bitmap,
            fields: FieldSet::EMPTY,
            last: 1,
        }
    }

    /// Appends a field: ASCII characters, or the bytes of a binary value; the dialect encodes them.
    ///
    /// # Errors
    /// The field is not in the dialect or not above the one before it, or the value breaks the row; it has not been written then, and the
    /// writer goes on as if it had not been asked.
    pub fn field(&mut self, number: u8, value: &[u8]) -> Result<&mut Self, Refusal> {
        let row = self
            .dialect
            .field(number)
            .ok_or_else(|| Refusal::new(number, 0, Rule::UnknownField))?;
        if number <= self.last {
            return Err(Refusal::new(number, 0, Rule::Order));
        }
        let shape = row.shape;
        let written = shape.write(self.dialect.page, value, self.out);
        written.map_err(|(place, rule)| Refusal::new(number, place, rule))?;
        if number > 64 && self.last <= 64 {
            self.make_room();
        }
        self.last = number;
        self.fields = self.fields.with(number);
        Ok(self)
    }

    /// Room for the secondary bitmap behind the primary one.
    fn make_room(&mut self) {
        let width = bitmap_bytes(self.dialect);
        let end = self.out.len();
        self.out.resize(end + width, 0);
        self.out
            .copy_within(self.bitmap + width..end, self.bitmap + 2 * width);
    }

    /// Writes the bitmaps; the message is complete.
    ///
    /// # Errors
    /// The message type is not in the dialect, or the message has become too long; nothing of it is left in the vector.
    pub fn finish(self) -> Result<(), Refusal> {
        let refuse = |rule| Err(Refusal::new(FIELD_MTI, 0, rule));
        if self.dialect.message(self.mti).is_none() {
            self.out.truncate(self.start);
            return refuse(Rule::UnknownMessageType);
        }
        if self.out.len() - self.start > MESSAGE_BYTES_MAX {
            self.out.truncate(self.start);
            return Err(Refusal::new(
                FIELD_BITMAP,
                MESSAGE_BYTES_MAX,
                Rule::MessageTooLong,
            ));
        }
        write_bitmaps(self.dialect, self.fields, &mut self.out[self.bitmap..]);
        Ok(())
    }
}

/// Appends a message type.
#[inline]
pub(crate) fn write_mti(dialect: &Dialect, mti: Mti, out: &mut Vec<u8>) {
    let digits = mti.digits();
    match dialect.mti_encoding {
        Encoding::BcdRight | Encoding::BcdLeft => {
            let [a, b, c, d] = digits.map(|digit| digit & 15);
            out.extend_from_slice(&[a << 4 | b, c << 4 | d]);
        }
        Encoding::Ebcdic => out.extend(digits.iter().filter_map(|digit| dialect.page.wire(*digit))),
        _ => out.extend_from_slice(&digits),
    }
}

/// Bytes of one bitmap.
pub(crate) fn bitmap_bytes(dialect: &Dialect) -> usize {
    match dialect.bitmap_encoding {
        BitmapEncoding::Binary => 8,
        BitmapEncoding::Hex | BitmapEncoding::HexEbcdic => 16,
    }
}

/// Appends the bitmap, or both.
#[inline]
pub(crate) fn append_bitmaps(dialect: &Dialect, fields: FieldSet, out: &mut Vec<u8>) {
    let second = fields.contains_any(FieldSet::SECONDARY);
    if dialect.bitmap_encoding == BitmapEncoding::Binary {
        match second {
            true => out.extend_from_slice(&fields.with(1).bits().to_be_bytes()),
            false => out.extend_from_slice(&((fields.bits() >> 64) as u64).to_be_bytes()),
        }
        return;
    }
    let before = out.len();
    let width = bitmap_bytes(dialect);
    out.resize(before + if second { 2 * width } else { width }, 0);
    write_bitmaps(dialect, fields, &mut out[before..]);
}

/// Writes the bitmap, or both, into the room that is there for them.
#[inline]
pub(crate) fn write_bitmaps(dialect: &Dialect, fields: FieldSet, room: &mut [u8]) {
    let second = fields.contains_any(FieldSet::SECONDARY);
    let bits = if second {
        fields.with(1).bits()
    } else {
        fields.bits()
    };
    let bytes = bits.to_be_bytes();
    let bytes = if second { &bytes[..] } else { &bytes[..8] };
    match dialect.bitmap_encoding {
        BitmapEncoding::Binary => {
            for (to, from) in room.iter_mut().zip(bytes) {
                *to = *from;
            }
        }
        BitmapEncoding::Hex | BitmapEncoding::HexEbcdic => {
            let ebcdic = dialect.bitmap_encoding == BitmapEncoding::HexEbcdic;
            for (to, from) in room.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
                *to = wire::hex_digits(*from);
                if ebcdic {
                    *to = to.map(|digit| dialect.page.wire(digit).unwrap_or(digit));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
