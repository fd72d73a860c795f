//! The quick pass over a message's fields: finds where each stands, and whether all is in order. What is wrong is for the slow pass to say.

use super::Place;
use crate::{
    class::Class,
    dialect::{Check, Dialect, Op},
    field_set::FieldSet,
};

/// Neighbouring fields that hold the same kind of characters are one run, checked in one sweep. Lengths between them are digits, which belong
/// to every kind that runs.
struct Scan<'s> {
    dialect: &'s Dialect,
    bytes: &'s [u8],
    places: &'s mut [Place; 128],
    /// Where the next field begins.
    at: usize,
    /// The run: what it holds, and where it begins.
    check: Check,
    start: usize,
}

/// Notes where each field stands. `true` if every length, every character and the end of the message are in order.
pub(super) fn scan(
    dialect: &Dialect,
    bytes: &[u8],
    fields: FieldSet,
    first: usize,
    places: &mut [Place; 128],
) -> bool {
    let mut scan = Scan {
        dialect,
        bytes,
        places,
        at: first,
        check: Check::Nothing,
        start: first,
    };
    let bits = fields.bits();
    let (primary, secondary) = ((bits >> 64) as u64, bits as u64);
    scan.bitmap(primary, 0).is_some()
        && (secondary == 0 || scan.bitmap(secondary, 64).is_some())
        && scan.at == bytes.len()
        && scan.run_is_in_order()
}

impl Scan<'_> {
    /// The fields of one bitmap; nothing if something is wrong.
    #[inline(always)]
    fn bitmap(&mut self, bitmap: u64, base: usize) -> Option<()> {
        // The lowest bit is found and cleared in fewer instructions than the highest.
        let mut rest = bitmap.reverse_bits();
        let mut at = self.at;
        while rest != 0 {
            let place = (base + rest.trailing_zeros() as usize) & 127;
            rest &= rest.wrapping_sub(1);
            let op = &self.dialect.ops[place];
            if op.check != self.check {
                self.at = at;
                if !self.run_is_in_order() {
                    return None;
                }
                self.check = op.check;
                self.start = at;
            }
            if op.prefix == 0 {
                let end = at.wrapping_add(usize::from(op.max));
                self.places[place] = Place::of(at, end);
                at = end;
            } else if op.prefix == Op::LONG_WAY {
                let row = self.dialect.field(place as u8 + 1)?;
                let found = row.shape.find(self.dialect.page, self.bytes, at).ok()?;
                self.places[place] = Place::of(found.start, found.end);
                at = found.end;
            } else {
                let start = at.wrapping_add(usize::from(op.prefix));
                let end = start.wrapping_add(length(self.bytes.get(at..start)?, op)?);
                self.places[place] = Place::of(start, end);
                if op.check == Check::Other && !op.class.holds(self.bytes.get(start..end)?) {
                    return None;
                }
                at = end;
            }
        }
        self.at = at;
        Some(())
    }

    /// Is the run that ends here in order?
    #[inline(always)]
    fn run_is_in_order(&self) -> bool {
        let text = self.bytes.get(self.start..self.at);
        match (self.check, text) {
            (Check::Nothing | Check::Other, _) => true,
            (_, None) => false,
            (Check::Numeric, Some(text)) => Class::Numeric.holds(text),
            (Check::Printable, Some(text)) => Class::Printable.holds(text),
            (Check::AlphaNumeric, Some(text)) => Class::AlphaNumeric.holds(text),
        }
    }
}

/// A length of two or three ASCII digits, within the field's bounds.
#[inline(always)]
fn length(digits: &[u8], op: &Op) -> Option<usize> {
    let digit = |byte: u8| usize::from(byte.wrapping_sub(b'0'));
    let (length, right) = match *digits {
        [tens, ones] => {
            let (tens, ones) = (digit(tens), digit(ones));
            (tens * 10 + ones, (tens <= 9) & (ones <= 9))
        }
        [hundreds, tens, ones] => {
            let (hundreds, tens, ones) = (digit(hundreds), digit(tens), digit(ones));
            let right = (hundreds <= 9) & (tens <= 9) & (ones <= 9);
            (hundreds * 100 + tens * 10 + ones, right)
        }
        _ => return None,
    };
    let bounds = usize::from(op.min)..=usize::from(op.max);
    (right && bounds.contains(&length)).then_some(length)
}
