//! What the parser needs of a field, small enough that a whole dialect stays in the nearest cache.

use crate::{
    class::Class,
    wire::{Encoding, Length, LengthEncoding, Shape},
};

/// How the parser checks a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Check {
    /// Bytes, or checked already.
    Nothing,
    /// Together with its neighbours, if they are of the same kind.
    Numeric,
    Printable,
    AlphaNumeric,
    /// Alone, by its class.
    Other,
}

/// One field for the parser.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Op {
    /// ASCII digits of the length in front, 0 for a fixed length; [`Op::LONG_WAY`] for everything that goes by the row's shape, and for a
    /// field that the dialect does not have.
    pub prefix: u8,
    pub check: Check,
    pub class: Class,
    pub min: u16,
    pub max: u16,
}

impl Op {
    /// Not for the quick pass: read by the row's shape, if there is a row.
    pub(crate) const LONG_WAY: u8 = u8::MAX;

    pub(crate) const UNKNOWN: Op = Op {
        prefix: Op::LONG_WAY,
        check: Check::Nothing,
        class: Class::Binary,
        min: 0,
        max: 0,
    };

    pub(crate) fn of(shape: &Shape) -> Op {
        let (min, max) = shape.length.bounds();
        let check = match shape.class {
            Class::Binary => Check::Nothing,
            Class::Numeric => Check::Numeric,
            Class::Printable => Check::Printable,
            Class::AlphaNumeric => Check::AlphaNumeric,
            _ => Check::Other,
        };
        let plain = matches!(shape.encoding, Encoding::Ascii | Encoding::Binary);
        let prefix = match (shape.length, shape.length_encoding) {
            // A fixed value that is checked alone takes the long way.
            (Length::Fixed(_), _) if plain && check != Check::Other => 0,
            (Length::Variable { digits: 2 | 3, .. }, LengthEncoding::Ascii) if plain => {
                shape.prefix_bytes() as u8
            }
            _ => return Op::UNKNOWN,
        };
        Op {
            prefix,
            check,
            class: shape.class,
            min,
            max,
        }
    }

    /// Appends a value with its length, if it is one for the quick pass and in order. `false` if not, with nothing appended.
    #[inline]
    pub(crate) fn append(&self, value: &[u8], out: &mut Vec<u8>) -> bool {
        let length = value.len();
        if self.prefix == Op::LONG_WAY
            || length < usize::from(self.min)
            || length > usize::from(self.max)
            || !self.class.holds(value)
        {
            return false;
        }
        let digit = |number: usize| b'0' + (number % 10) as u8;
        match self.prefix {
            2 => out.extend_from_slice(&[digit(length / 10), digit(length)]),
            3 => out.extend_from_slice(&[digit(length / 100), digit(length / 10), digit(length)]),
            _ => {}
        }
        out.extend_from_slice(value);
        true
    }
}
