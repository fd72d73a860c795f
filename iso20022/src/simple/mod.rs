//! Simple types: does this text belong to the value space that the XSD gives an element or attribute?
//!
//! Every check works on the text after references, CDATA sections and line ends are resolved, allocates nothing, and decides as
//! libxml2 does, which is not always what XML Schema part 2 says; each deviation is named where it is made, with `libxml2:`.
//! Nothing here looks at money, identifiers or any other meaning.

mod base64;
pub(crate) mod builtin;
mod date;
mod decimal;
mod pattern;
#[cfg(test)]
mod tests;

pub use pattern::Dfa;

use crate::refusal::Rule;

/// A named simple type of an XSD.
#[derive(Debug)]
pub struct SimpleType {
    /// Name of the type in the XSD.
    pub name: &'static str,
    /// What a value must satisfy.
    pub check: Check,
}

/// What a value of a simple type must satisfy: base type and facets.
#[derive(Debug, Clone, Copy)]
pub enum Check {
    /// `xs:string` with lengths in characters; `max` is `u32::MAX` when there is none.
    Text {
        /// `minLength`.
        min: u32,
        /// `maxLength`.
        max: u32,
    },
    /// `xs:string` with one `pattern` and lengths in characters.
    Pattern {
        /// The expression as the XSD writes it.
        source: &'static str,
        /// The same, compiled; it accepts nothing but printable Basic Latin.
        dfa: &'static Dfa,
        /// `minLength`.
        min: u32,
        /// `maxLength`.
        max: u32,
    },
    /// `xs:string` with an `enumeration`.
    Enumeration(&'static [&'static str]),
    /// `xs:decimal`; a facet that is absent is `u8::MAX`.
    Decimal {
        /// `totalDigits`.
        total_digits: u8,
        /// `fractionDigits`.
        fraction_digits: u8,
        /// `minInclusive` 0.
        not_negative: bool,
    },
    /// `xs:boolean`.
    Boolean,
    /// `xs:date`.
    Date,
    /// `xs:dateTime`.
    DateTime,
    /// `xs:time`.
    Time,
    /// `xs:gYear`.
    Year,
    /// `xs:gYearMonth`.
    YearMonth,
    /// `xs:base64Binary` with lengths in octets.
    Base64 {
        /// `minLength`.
        min: u32,
        /// `maxLength`.
        max: u32,
    },
}

impl SimpleType {
    /// Whether `text` is a value of this type.
    #[inline]
    pub fn accepts(&self, text: &[u8]) -> bool {
        match self.check {
            Check::Text { min, max } => accepts_length(text, min, max),
            Check::Pattern { dfa, min, max, .. } => {
                dfa.accepts(text) && text.len() >= min as usize && text.len() <= max as usize
            }
            Check::Enumeration(values) => accepts_enumerated(text, values),
            Check::Decimal {
                total_digits,
                fraction_digits,
                not_negative,
            } => decimal::read(text).is_some_and(|value| {
                value.total_digits <= u32::from(total_digits)
                    && value.fraction_digits <= u32::from(fraction_digits)
                    && !(not_negative && value.is_negative)
            }),
            Check::Boolean => accepts_boolean(text),
            Check::Date => date::is_date(text),
            Check::DateTime => date::is_date_time(text),
            Check::Time => date::is_time(text),
            Check::Year => date::is_year(text),
            Check::YearMonth => date::is_year_month(text),
            Check::Base64 { min, max } => base64::octets(text)
                .is_some_and(|octets| octets >= min as usize && octets <= max as usize),
        }
    }

    /// The rule that `text` breaks; meant for text that [`SimpleType::accepts`] refused.
    pub fn breach(&self, text: &[u8]) -> Rule {
        match self.check {
            Check::Text { min, max } => length_breach(characters(text), min, max),
            Check::Pattern {
                source,
                dfa,
                min,
                max,
            } => {
                if dfa.accepts(text) {
                    length_breach(text.len(), min, max)
                } else {
                    Rule::Pattern(source)
                }
            }
            Check::Enumeration(values) => Rule::Enumeration(values),
            Check::Decimal {
                total_digits,
                fraction_digits,
                ..
            } => match decimal::read(text) {
                None => Rule::Lexical("decimal"),
                Some(value) if value.total_digits > u32::from(total_digits) => {
                    Rule::TotalDigits(total_digits)
                }
                Some(value) if value.fraction_digits > u32::from(fraction_digits) => {
                    Rule::FractionDigits(fraction_digits)
                }
                Some(_) => Rule::NotNegative,
            },
            Check::Boolean => Rule::Lexical("boolean"),
            Check::Date => Rule::Lexical("date"),
            Check::DateTime => Rule::Lexical("dateTime"),
            Check::Time => Rule::Lexical("time"),
            Check::Year => Rule::Lexical("gYear"),
            Check::YearMonth => Rule::Lexical("gYearMonth"),
            Check::Base64 { min, max } => match base64::octets(text) {
                None => Rule::Lexical("base64Binary"),
                Some(octets) => length_breach(octets, min, max),
            },
        }
    }

    /// Whether acceptance alone proves that the text holds nothing but printable Basic Latin.
    #[inline]
    pub(crate) fn proves_characters(&self) -> bool {
        !matches!(self.check, Check::Text { .. } | Check::Base64 { .. })
    }

    /// Whether blanks around a value are no part of it (`whiteSpace` is `collapse`).
    #[inline]
    pub(crate) fn collapses_blanks(&self) -> bool {
        !matches!(
            self.check,
            Check::Text { .. } | Check::Pattern { .. } | Check::Enumeration(_)
        )
    }
}

/// Blank as XML 1.0 §2.3 defines it.
#[inline]
pub(crate) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// The text without blanks at its ends.
pub(crate) fn trim_blanks(mut text: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = text
        && is_blank(*first)
    {
        text = rest;
    }
    while let [rest @ .., last] = text
        && is_blank(*last)
    {
        text = rest;
    }
    text
}

#[inline]
fn accepts_length(text: &[u8], min: u32, max: u32) -> bool {
    // Characters are at most as many as bytes and at least a quarter of them, so most values need no counting.
    let bytes = text.len();
    let (min, max) = (min as usize, max as usize);
    if bytes < min {
        return false;
    }
    if bytes <= max && (min <= 1 || bytes / 4 >= min) {
        return true;
    }
    let characters = characters(text);
    characters >= min && characters <= max
}

fn length_breach(length: usize, min: u32, max: u32) -> Rule {
    if length < min as usize {
        Rule::MinLength(min)
    } else {
        Rule::MaxLength(max)
    }
}

/// Number of characters of well-formed UTF-8.
fn characters(text: &[u8]) -> usize {
    text.iter().filter(|&&byte| byte & 0xC0 != 0x80).count()
}

#[inline]
fn accepts_enumerated(text: &[u8], values: &[&str]) -> bool {
    // Nearly all ISO 20022 codes have four letters: compare those as integers.
    if let Ok(four) = <[u8; 4]>::try_from(text) {
        return values
            .iter()
            .any(|value| <[u8; 4]>::try_from(value.as_bytes()).is_ok_and(|value| value == four));
    }
    values.iter().any(|value| value.as_bytes() == text)
}

/// libxml2: blanks around a boolean are accepted although the value is not normalised first.
fn accepts_boolean(text: &[u8]) -> bool {
    matches!(trim_blanks(text), b"true" | b"false" | b"1" | b"0")
}
