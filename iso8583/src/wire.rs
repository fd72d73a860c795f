//! How one value stands on the wire: its length in front, its characters in an encoding. Fields and subfields are both values.

use crate::{
    class::Class,
    code_page::{self, CodePage},
    refusal::Rule,
};

/// Longest value, in units of its length: what three digits can say, and the fourth digit's first few thousand.
pub const VALUE_UNITS_MAX: u16 = 9999;

/// How characters or bytes of a value stand on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// One ASCII byte a character.
    Ascii,
    /// One byte a character in the dialect's EBCDIC code page.
    Ebcdic,
    /// Two digits a byte, to the right: an odd number of digits begins with a half-byte 0.
    BcdRight,
    /// Two digits a byte, to the left: an odd number of digits ends with a half-byte F.
    BcdLeft,
    /// Bytes as they are.
    Binary,
    /// Two hexadecimal ASCII digits (0–9, A–F) a byte; the length counts the digits.
    Hex,
}

/// How a length in front of a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LengthEncoding {
    /// ASCII digits.
    Ascii,
    /// EBCDIC digits.
    Ebcdic,
    /// Packed digits: one byte for LL, two for LLL and LLLL.
    Bcd,
    /// A big-endian number: one byte for LL, two for LLL and LLLL.
    Binary,
}

/// The length rule of a value. Units are digits of packed numbers, bytes of binary values, and characters of everything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// Always so many units.
    Fixed(u16),
    /// A length of so many digits stands in front.
    Variable {
        /// 1 to 4: `LL` is 2.
        digits: u8,
        /// Least units.
        min: u16,
        /// Most units.
        max: u16,
    },
    /// What is around it (a tag with its length) says how long it is.
    Bounded {
        /// Least units.
        min: u16,
        /// Most units.
        max: u16,
    },
}

impl Length {
    /// Least and most units.
    pub fn bounds(self) -> (u16, u16) {
        match self {
            Self::Fixed(units) => (units, units),
            Self::Variable { min, max, .. } | Self::Bounded { min, max } => (min, max),
        }
    }
}

/// Everything about how a value stands on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Its type.
    pub class: Class,
    /// Its length rule.
    pub length: Length,
    /// Its encoding.
    pub encoding: Encoding,
    /// The encoding of the length in front of it.
    pub length_encoding: LengthEncoding,
    /// The sign before packed digits is EBCDIC, not ASCII.
    pub sign_ebcdic: bool,
}

/// A breach and the byte at which it was noticed.
pub(crate) type Breach = (usize, Rule);

/// Where a value stands: without its length.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    /// First byte.
    pub start: usize,
    /// First byte behind it.
    pub end: usize,
    /// Its length in units.
    pub units: usize,
}

impl Shape {
    /// Bytes of the length in front.
    pub(crate) fn prefix_bytes(&self) -> usize {
        match (self.length, self.length_encoding) {
            (Length::Fixed(_) | Length::Bounded { .. }, _) => 0,
            (Length::Variable { digits, .. }, LengthEncoding::Ascii | LengthEncoding::Ebcdic) => {
                usize::from(digits)
            }
            (Length::Variable { digits, .. }, _) => usize::from(digits).div_ceil(2),
        }
    }

    /// Bytes on the wire of so many units.
    pub(crate) fn bytes_of(&self, units: usize) -> usize {
        match (self.encoding, self.class) {
            // The sign is a character, the digits are packed.
            (Encoding::BcdRight | Encoding::BcdLeft, Class::SignedAmount) => {
                1 + units.saturating_sub(1).div_ceil(2)
            }
            (Encoding::BcdRight | Encoding::BcdLeft, _) => units.div_ceil(2),
            _ => units,
        }
    }

    /// Units of a value of so many bytes, when what is around it has told its length.
    pub(crate) fn units_in(&self, bytes: usize) -> usize {
        match (self.encoding, self.length) {
            (Encoding::BcdRight | Encoding::BcdLeft, Length::Fixed(units)) => usize::from(units),
            (Encoding::BcdRight | Encoding::BcdLeft, _) if self.class == Class::SignedAmount => {
                (2 * bytes).saturating_sub(1)
            }
            (Encoding::BcdRight | Encoding::BcdLeft, _) => 2 * bytes,
            _ => bytes,
        }
    }

    /// Is the wire form the text itself (or the bytes of a binary value)?
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self.encoding, Encoding::Ascii | Encoding::Binary)
    }

    /// Finds and checks the value that begins at `at`.
    pub(crate) fn find(&self, page: &CodePage, bytes: &[u8], at: usize) -> Result<Found, Breach> {
        let units = self.units(page, bytes, at)?;
        let start = at + self.prefix_bytes();
        let (min, max) = self.length.bounds();
        if units > usize::from(max) {
            return Err((at, Rule::TooLong { max }));
        }
        if units < usize::from(min) {
            return Err((at, Rule::TooShort { min }));
        }
        let end = start + self.bytes_of(units);
        let value = bytes.get(start..end).ok_or((start, Rule::Truncated))?;
        self.check(page, value, units)
            .map_err(|(place, rule)| (start + place, rule))?;
        Ok(Found { start, end, units })
    }

    /// The value's length in units: by the rule, or as it stands in front.
    pub(crate) fn units(&self, page: &CodePage, bytes: &[u8], at: usize) -> Result<usize, Breach> {
        let prefix = match self.length {
            Length::Fixed(units) => return Ok(usize::from(units)),
            Length::Bounded { .. } => return Ok(bytes.len().saturating_sub(at)),
            Length::Variable { .. } => self.prefix_bytes(),
        };
        let prefix = bytes.get(at..at + prefix).ok_or((at, Rule::Truncated))?;
        let mut units = 0;
        for &byte in prefix {
            units = match self.length_encoding {
                LengthEncoding::Ascii => digit(byte).map(|digit| units * 10 + digit),
                LengthEncoding::Ebcdic => digit(page.ascii(byte)).map(|digit| units * 10 + digit),
                LengthEncoding::Bcd => match (usize::from(byte >> 4), usize::from(byte & 15)) {
                    (high @ 0..=9, low @ 0..=9) => Some(units * 100 + high * 10 + low),
                    _ => None,
                },
                LengthEncoding::Binary => Some(units * 256 + usize::from(byte)),
            }
            .ok_or((at, Rule::LengthDigits))?;
        }
        // LLL in packed digits takes two bytes, and its first half-byte is a filler.
        if let (LengthEncoding::Bcd, Length::Variable { digits, .. }) =
            (self.length_encoding, self.length)
            && digits % 2 == 1
            && prefix.first().is_some_and(|byte| byte >> 4 != 0)
        {
            return Err((at, Rule::Filler));
        }
        Ok(units)
    }

    /// Checks the characters of a value on the wire.
    pub(crate) fn check(&self, page: &CodePage, value: &[u8], units: usize) -> Result<(), Breach> {
        let wrong = |place| (place, Rule::CharacterSet(self.class));
        match self.encoding {
            Encoding::Ascii if self.class.holds(value) => Ok(()),
            Encoding::Ascii => Err(wrong(self.class.first_wrong(value).unwrap_or(0))),
            Encoding::Ebcdic => value
                .iter()
                .enumerate()
                .position(|(place, &byte)| !self.class.allows(place, page.ascii(byte)))
                .map_or(Ok(()), |place| Err(wrong(place))),
            Encoding::Binary => Ok(()),
            Encoding::Hex if units % 2 == 1 => Err((0, Rule::Truncated)),
            Encoding::Hex => value
                .iter()
                .position(|byte| !matches!(byte, b'0'..=b'9' | b'A'..=b'F'))
                .map_or(Ok(()), |place| Err(wrong(place))),
            Encoding::BcdRight | Encoding::BcdLeft => self.check_packed(page, value, units),
        }
    }

    fn check_packed(&self, page: &CodePage, value: &[u8], units: usize) -> Result<(), Breach> {
        let (sign, digits) = self.sign_and_digits(value);
        if let Some(&sign) = sign
            && !self.class.allows(0, self.sign_text(page, sign))
        {
            return Err((0, Rule::CharacterSet(self.class)));
        }
        let before = value.len() - digits.len();
        if (units - before) % 2 == 1 {
            let (place, filler, wanted) = match (self.encoding, digits.first(), digits.last()) {
                (Encoding::BcdRight, Some(first), _) => (0, first >> 4, 0),
                (_, _, Some(last)) => (digits.len() - 1, last & 15, 15),
                _ => (0, 0, 0),
            };
            if filler != wanted {
                return Err((before + place, Rule::Filler));
            }
        }
        for place in 0..units - before {
            let half = self.half(digits, place, units - before);
            if half > 9 && !(self.class == Class::Track && half == SEPARATOR) {
                return Err((before + place / 2, Rule::CharacterSet(self.class)));
            }
        }
        Ok(())
    }

    /// The sign of `x+n`, which is a character, and what is packed.
    fn sign_and_digits<'v>(&self, value: &'v [u8]) -> (Option<&'v u8>, &'v [u8]) {
        match (self.class, value.split_first()) {
            (Class::SignedAmount, Some((sign, digits))) => (Some(sign), digits),
            _ => (None, value),
        }
    }

    fn sign_text(&self, page: &CodePage, sign: u8) -> u8 {
        if self.sign_ebcdic {
            page.ascii(sign)
        } else {
            sign
        }
    }

    /// The half-byte of the digit at `place` of `units`.
    fn half(&self, digits: &[u8], place: usize, units: usize) -> u8 {
        let place = match self.encoding {
            Encoding::BcdRight => place + units % 2,
            _ => place,
        };
        let byte = digits.get(place / 2).copied().unwrap_or(0xFF);
        if place % 2 == 0 { byte >> 4 } else { byte & 15 }
    }

    /// The value as text: ASCII characters, or the bytes of a binary value. `value` has been checked. `None` if `out` is too short.
    pub(crate) fn text<'o>(
        &self,
        page: &CodePage,
        value: &[u8],
        units: usize,
        out: &'o mut [u8],
    ) -> Option<&'o [u8]> {
        let length = self.text_units(units);
        let out = out.get_mut(..length)?;
        match self.encoding {
            Encoding::Ascii | Encoding::Binary => out.copy_from_slice(value.get(..length)?),
            Encoding::Ebcdic => {
                for (to, &from) in out.iter_mut().zip(value) {
                    *to = page.ascii(from);
                }
            }
            Encoding::Hex => {
                for (to, from) in out.iter_mut().zip(value.as_chunks::<2>().0) {
                    *to = hex_value(from[0])? << 4 | hex_value(from[1])?;
                }
            }
            Encoding::BcdRight | Encoding::BcdLeft => {
                let (sign, digits) = self.sign_and_digits(value);
                let before = usize::from(sign.is_some());
                for (place, to) in out.iter_mut().enumerate() {
                    *to = match (place.checked_sub(before), sign) {
                        (Some(place), _) => match self.half(digits, place, units - before) {
                            SEPARATOR => b'=',
                            half => b'0' + half,
                        },
                        (None, sign) => sign.map_or(b' ', |sign| self.sign_text(page, *sign)),
                    };
                }
            }
        }
        Some(out)
    }

    /// Characters of the text (bytes of a binary value) that so many units make.
    pub(crate) fn text_units(&self, units: usize) -> usize {
        match self.encoding {
            Encoding::Hex => units / 2,
            _ => units,
        }
    }

    /// Appends the value with its length in front. `text` is ASCII characters, or the bytes of a binary value.
    ///
    /// # Errors
    /// Length or characters against the table; the place counts in `text`, and nothing has been appended.
    pub(crate) fn write(
        &self,
        page: &CodePage,
        text: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Breach> {
        let units = match self.encoding {
            Encoding::Hex => text.len() * 2,
            _ => text.len(),
        };
        let (min, max) = self.length.bounds();
        if units > usize::from(max) {
            return Err((0, Rule::TooLong { max }));
        }
        if units < usize::from(min) {
            return Err((0, Rule::TooShort { min }));
        }
        if !self.class.holds(text) {
            let place = self.class.first_wrong(text).unwrap_or(0);
            return Err((place, Rule::CharacterSet(self.class)));
        }
        self.write_length(page, units, out);
        match self.encoding {
            Encoding::Ascii | Encoding::Binary => out.extend_from_slice(text),
            // All characters of the text classes print.
            Encoding::Ebcdic => out.extend(
                text.iter()
                    .map(|&byte| page.wire(byte).unwrap_or(code_page::NONE)),
            ),
            Encoding::Hex => {
                for byte in text {
                    out.extend_from_slice(&hex_digits(*byte));
                }
            }
            Encoding::BcdRight | Encoding::BcdLeft => self.write_packed(page, text, out),
        }
        Ok(())
    }

    fn write_packed(&self, page: &CodePage, text: &[u8], out: &mut Vec<u8>) {
        let digits = match (self.class, text.split_first()) {
            (Class::SignedAmount, Some((sign, digits))) => {
                out.push(match self.sign_ebcdic {
                    true => page.wire(*sign).unwrap_or(code_page::NONE),
                    false => *sign,
                });
                digits
            }
            _ => text,
        };
        let half = |digit: &u8| match digit {
            b'0'..=b'9' => digit - b'0',
            _ => SEPARATOR,
        };
        let (alone, rest) = match self.encoding {
            Encoding::BcdRight => digits.split_at(digits.len() % 2),
            _ => (&[][..], digits),
        };
        out.extend(alone.iter().map(half));
        let (pairs, last) = rest.as_chunks::<2>();
        out.extend(
            pairs
                .iter()
                .map(|pair| half(&pair[0]) << 4 | half(&pair[1])),
        );
        out.extend(last.iter().map(|digit| half(digit) << 4 | 15));
    }

    fn write_length(&self, page: &CodePage, units: usize, out: &mut Vec<u8>) {
        let Length::Variable { digits, .. } = self.length else {
            return;
        };
        // At most `VALUE_UNITS_MAX`: four digits.
        let decimal = [
            units / 1000 % 10,
            units / 100 % 10,
            units / 10 % 10,
            units % 10,
        ]
        .map(|digit| b'0' + digit as u8);
        match self.length_encoding {
            LengthEncoding::Ascii => out.extend_from_slice(&decimal[4 - usize::from(digits)..]),
            LengthEncoding::Ebcdic => {
                let digits = decimal[4 - usize::from(digits)..].iter();
                out.extend(digits.map(|&digit| page.wire(digit).unwrap_or(code_page::NONE)));
            }
            LengthEncoding::Bcd => {
                let packed = [
                    decimal[0] << 4 | decimal[1] & 15,
                    decimal[2] << 4 | decimal[3] & 15,
                ];
                out.extend_from_slice(&packed[2 - self.prefix_bytes()..]);
            }
            LengthEncoding::Binary => {
                let number = (units as u16).to_be_bytes();
                out.extend_from_slice(&number[2 - self.prefix_bytes()..]);
            }
        }
    }
}

/// The half-byte of a track's separator.
const SEPARATOR: u8 = 0xD;

fn digit(byte: u8) -> Option<usize> {
    byte.is_ascii_digit().then(|| usize::from(byte - b'0'))
}

/// The value of a hexadecimal digit, upper case.
pub(crate) fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// A byte as two hexadecimal digits, upper case.
pub(crate) fn hex_digits(byte: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    [
        DIGITS[usize::from(byte >> 4)],
        DIGITS[usize::from(byte & 15)],
    ]
}

#[cfg(test)]
mod tests;
