//! What the parser needs of a field, small enough that a whole dialect stays in the nearest cache.

use crate::{
    class::Class,
    wire::{Encoding, Length, LengthEncoding, Shape},
};

/// How the parser takes a field off the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Form {
    /// The dialect has no such field.
    Unknown,
    /// Fixed length, one byte a unit.
    Fixed,
    /// Two ASCII digits, then one byte a unit.
    Ll,
    /// Three ASCII digits, then one byte a unit.
    Lll,
    /// Everything else goes by the row's shape.
    Shaped,
}

/// How the parser checks a value of one ASCII byte a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Check {
    Nothing,
    Numeric,
    Printable,
    AlphaNumeric,
    /// By its class.
    Other,
}

/// One field for the parser.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Op {
    pub form: Form,
    pub check: Check,
    pub min: u16,
    pub max: u16,
    pub class: Class,
}

impl Op {
    pub(crate) const UNKNOWN: Op = Op {
        form: Form::Unknown,
        check: Check::Nothing,
        min: 0,
        max: 0,
        class: Class::Binary,
    };

    pub(crate) fn of(shape: &Shape) -> Op {
        let (min, max) = shape.length.bounds();
        let plain = shape.is_plain();
        let form = match (shape.length, shape.length_encoding) {
            (Length::Fixed(_), _) if plain => Form::Fixed,
            (Length::Variable { digits: 2, .. }, LengthEncoding::Ascii) if plain => Form::Ll,
            (Length::Variable { digits: 3, .. }, LengthEncoding::Ascii) if plain => Form::Lll,
            _ => Form::Shaped,
        };
        let check = match (shape.encoding, shape.class) {
            (Encoding::Binary, _) | (_, Class::Binary) => Check::Nothing,
            (_, Class::Numeric) => Check::Numeric,
            (_, Class::Printable) => Check::Printable,
            (_, Class::AlphaNumeric) => Check::AlphaNumeric,
            _ => Check::Other,
        };
        Op {
            form,
            check,
            min,
            max,
            class: shape.class,
        }
    }
}
