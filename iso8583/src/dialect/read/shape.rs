//! Type, length and encoding of a value.

use super::place::{Keys, Place, TableError};
use crate::{
    class::Class,
    wire::{Encoding, Length, LengthEncoding, Shape, VALUE_UNITS_MAX},
};

/// Encodings of values that name none.
#[derive(Clone, Copy)]
pub(super) struct Defaults {
    number: Encoding,
    track: Encoding,
    text: Encoding,
    binary: Encoding,
    length: LengthEncoding,
}

const ENCODINGS: [(&str, Encoding); 6] = [
    ("ascii", Encoding::Ascii),
    ("ebcdic", Encoding::Ebcdic),
    ("bcd-right", Encoding::BcdRight),
    ("bcd-left", Encoding::BcdLeft),
    ("binary", Encoding::Binary),
    ("hex", Encoding::Hex),
];

const LENGTH_ENCODINGS: [(&str, LengthEncoding); 4] = [
    ("ascii", LengthEncoding::Ascii),
    ("ebcdic", LengthEncoding::Ebcdic),
    ("bcd", LengthEncoding::Bcd),
    ("binary", LengthEncoding::Binary),
];

impl Defaults {
    pub(super) fn read(root: &Keys<'_>, mti: Encoding) -> Result<Defaults, TableError> {
        let text = match mti {
            Encoding::Ebcdic => Encoding::Ebcdic,
            _ => Encoding::Ascii,
        };
        let mut defaults = Defaults {
            number: text,
            track: text,
            text,
            binary: Encoding::Binary,
            length: LengthEncoding::Ascii,
        };
        let Some(place) = root.get("defaults") else {
            return Ok(defaults);
        };
        let keys = place.keys(&["number", "track", "text", "binary", "length"])?;
        let encoding = |key, class, default| match keys.get(key) {
            None => Ok(default),
            Some(place) => encoding(&place, class),
        };
        defaults.text = encoding("text", Class::Printable, text)?;
        defaults.number = encoding("number", Class::Numeric, defaults.text)?;
        defaults.track = encoding("track", Class::Track, defaults.text)?;
        defaults.binary = encoding("binary", Class::Binary, Encoding::Binary)?;
        if let Some(place) = keys.get("length") {
            defaults.length = place.one_of(&LENGTH_ENCODINGS)?;
        }
        Ok(defaults)
    }

    fn of(&self, class: Class) -> Encoding {
        match class {
            Class::Numeric | Class::SignedAmount => self.number,
            Class::Track => self.track,
            Class::Binary => self.binary,
            _ => self.text,
        }
    }

    /// The same for subfields of a field whose characters stand in `text`.
    pub(super) fn within(&self, text: Encoding) -> Defaults {
        let length = match text {
            Encoding::Ebcdic => LengthEncoding::Ebcdic,
            _ => LengthEncoding::Ascii,
        };
        Defaults {
            number: text,
            track: text,
            text,
            binary: Encoding::Hex,
            length,
        }
    }

    /// The same for subfields of a field of bytes.
    pub(super) fn bytes(self) -> Defaults {
        Defaults {
            binary: Encoding::Binary,
            ..self
        }
    }

    pub(super) fn length(&self) -> LengthEncoding {
        self.length
    }
}

/// Type, length and encodings of a field, or of a subfield that stands like one.
pub(super) fn field(keys: &Keys<'_>, defaults: &Defaults) -> Result<Shape, TableError> {
    let shape = value(keys, defaults)?;
    match shape.length {
        Length::Bounded { .. } => keys
            .need("length")?
            .wrong("a number, or LL, LLL with least..most is expected"),
        _ => Ok(shape),
    }
}

/// Type, length and encodings of any value.
pub(super) fn value(keys: &Keys<'_>, defaults: &Defaults) -> Result<Shape, TableError> {
    let place = keys.need("type")?;
    let Some(class) = Class::named(place.text()?) else {
        return place.wrong("is none of n, a, s, an, as, ns, ans, x+n, z, track1, b");
    };
    let encoding = match keys.get("encoding") {
        None => defaults.of(class),
        Some(place) => encoding(&place, class)?,
    };
    let length_encoding = match keys.get("length_encoding") {
        None => defaults.length,
        Some(place) => place.one_of(&LENGTH_ENCODINGS)?,
    };
    let place = keys.need("length")?;
    let length = length(&place, length_encoding)?;
    let (min, max) = length.bounds();
    if class == Class::SignedAmount && min < 2 {
        return place.wrong("an amount has a sign and at least one digit");
    }
    // A byte of hexadecimal is two digits; the table counts what the length counts.
    if encoding == Encoding::Hex && (min % 2 == 1 || max % 2 == 1) {
        return place.wrong("hexadecimal digits come in twos");
    }
    Ok(Shape {
        class,
        length,
        encoding,
        length_encoding,
        sign_ebcdic: defaults.text == Encoding::Ebcdic,
    })
}

fn encoding(place: &Place<'_>, class: Class) -> Result<Encoding, TableError> {
    let encoding = place.one_of(&ENCODINGS)?;
    let packed = matches!(class, Class::Numeric | Class::SignedAmount | Class::Track);
    let fits = match encoding {
        Encoding::Ascii | Encoding::Ebcdic => class != Class::Binary,
        Encoding::BcdRight | Encoding::BcdLeft => packed,
        Encoding::Binary | Encoding::Hex => class == Class::Binary,
    };
    if fits {
        Ok(encoding)
    } else {
        place.wrong(format!("a value of type {class} cannot stand like that"))
    }
}

/// `6`, `LL 12..19`, `5..16`.
fn length(place: &Place<'_>, encoding: LengthEncoding) -> Result<Length, TableError> {
    let text = place.text()?;
    let (digits, bounds) = match text.split_once(' ') {
        Some((ls, bounds))
            if (1..=4).contains(&ls.len()) && ls.bytes().all(|byte| byte == b'L') =>
        {
            (ls.len() as u8, bounds)
        }
        _ => (0, text),
    };
    let units = |text: &str| {
        text.parse::<u16>()
            .ok()
            .filter(|units| *units <= VALUE_UNITS_MAX)
    };
    let (min, max) = match bounds.split_once("..") {
        Some((min, max)) => (units(min), units(max)),
        None if digits == 0 => (units(bounds), units(bounds)),
        None => (None, None),
    };
    let (Some(min), Some(max)) = (min, max) else {
        return place.wrong("a number, least..most, or LL, LLL with least..most is expected");
    };
    if min > max || max == 0 {
        return place.wrong("least is above most, or nothing fits");
    }
    let most = match (encoding, digits) {
        (_, 0) => VALUE_UNITS_MAX,
        (LengthEncoding::Binary, 1 | 2) => 255,
        (LengthEncoding::Binary, _) => VALUE_UNITS_MAX,
        (_, digits) => 10_u16.pow(u32::from(digits)) - 1,
    };
    if max > most {
        return place.wrong(format!("a length of that form goes to {most}"));
    }
    Ok(match (digits, bounds.contains("..")) {
        (0, false) => Length::Fixed(max),
        (0, true) => Length::Bounded { min, max },
        (digits, _) => Length::Variable { digits, min, max },
    })
}
