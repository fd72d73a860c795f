//! The built-in simple types of XML Schema part 2 that no ISO 20022 type is made of. They can only be reached when `xsi:type`
//! names one below a lax wildcard; the checks are libxml2's.

use super::{accepts_boolean, base64, date, decimal, is_blank, trim_blanks};

/// A built-in simple type, by its local name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Builtin(&'static str);

const NAMES: &[&str] = &[
    "ENTITIES",
    "ENTITY",
    "ID",
    "IDREF",
    "IDREFS",
    "NCName",
    "NMTOKEN",
    "NMTOKENS",
    "NOTATION",
    "Name",
    "QName",
    "anySimpleType",
    "anyURI",
    "base64Binary",
    "boolean",
    "byte",
    "date",
    "dateTime",
    "decimal",
    "double",
    "duration",
    "float",
    "gDay",
    "gMonth",
    "gMonthDay",
    "gYear",
    "gYearMonth",
    "hexBinary",
    "int",
    "integer",
    "language",
    "long",
    "negativeInteger",
    "nonNegativeInteger",
    "nonPositiveInteger",
    "normalizedString",
    "positiveInteger",
    "short",
    "string",
    "time",
    "token",
    "unsignedByte",
    "unsignedInt",
    "unsignedLong",
    "unsignedShort",
];

/// Most digits of an integer; libxml2: more are refused.
const INTEGER_DIGITS_MAX: usize = 24;

impl Builtin {
    /// The type of that local name.
    pub(crate) fn from_name(name: &[u8]) -> Option<Builtin> {
        NAMES
            .iter()
            .find(|known| known.as_bytes() == name)
            .map(|known| Builtin(known))
    }

    pub(crate) fn name(self) -> &'static str {
        self.0
    }

    /// The prefix that the text of a qualified name needs to be declared.
    pub(crate) fn needed_prefix(self, text: &[u8]) -> Option<&[u8]> {
        if self.0 != "QName" {
            return None;
        }
        let colon = text.iter().position(|&byte| byte == b':')?;
        text.get(..colon)
    }

    /// Whether `text` is a value of the type; a prefix in it is taken to be declared.
    pub(crate) fn accepts(self, text: &[u8]) -> bool {
        match self.0 {
            "string" | "anySimpleType" | "normalizedString" | "token" => true,
            "decimal" => decimal::read(text).is_some(),
            "boolean" => accepts_boolean(text),
            "date" => date::is_date(text),
            "dateTime" => date::is_date_time(text),
            "time" => date::is_time(text),
            "gYear" => date::is_year(text),
            "gYearMonth" => date::is_year_month(text),
            "gMonth" => date::is_month(text),
            "gDay" => date::is_day(text),
            "gMonthDay" => date::is_month_day(text),
            "duration" => date::is_duration(text),
            "float" | "double" => is_float(text),
            "base64Binary" => base64::octets(text).is_some(),
            "hexBinary" => {
                let digits = trim_blanks(text);
                digits.len().is_multiple_of(2) && digits.iter().all(u8::is_ascii_hexdigit)
            }
            "language" => is_language(trim_blanks(text)),
            "anyURI" => is_uri_reference(trim_blanks(text)),
            "Name" => is_name(trim_blanks(text), true, true),
            "NMTOKEN" => is_name(trim_blanks(text), true, false),
            "NCName" | "ID" | "IDREF" => is_name(trim_blanks(text), false, true),
            "NMTOKENS" => items(text).all(|item| is_name(item, true, false)),
            "IDREFS" => items(text).all(|item| is_name(item, false, true)),
            "QName" => is_qualified_name(trim_blanks(text)),
            // Without a document type there are no unparsed entities, and no XSD of the standard declares a notation.
            "ENTITIES" => items(text).next().is_none(),
            "ENTITY" | "NOTATION" => false,
            _ => self.accepts_integer(text),
        }
    }

    fn accepts_integer(self, text: &[u8]) -> bool {
        // Only the unbounded types let blanks stand around the digits.
        let is_unbounded = self.0.ends_with("nteger");
        let text = if is_unbounded {
            trim_blanks(text)
        } else {
            text
        };
        let is_unsigned = self.0.starts_with("unsigned");
        let (is_negative, digits) = match text {
            [b'-', rest @ ..] if !is_unsigned => (true, rest),
            [b'+', rest @ ..] if !is_unsigned => (false, rest),
            _ => (false, text),
        };
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return false;
        }
        let significant = digits
            .iter()
            .position(|&byte| byte != b'0')
            .unwrap_or(digits.len());
        let digits = digits.get(significant..).unwrap_or_default();
        if digits.len() > INTEGER_DIGITS_MAX {
            return false;
        }
        let value = digits
            .iter()
            .fold(0i128, |value, digit| value * 10 + i128::from(digit - b'0'));
        let value = if is_negative { -value } else { value };
        match self.0 {
            "integer" => true,
            "positiveInteger" => value > 0 && !is_negative,
            "negativeInteger" => value < 0,
            "nonNegativeInteger" => value >= 0,
            "nonPositiveInteger" => value <= 0,
            "long" => i64::try_from(value).is_ok(),
            "int" => i32::try_from(value).is_ok(),
            "short" => i16::try_from(value).is_ok(),
            "byte" => i8::try_from(value).is_ok(),
            "unsignedLong" => u64::try_from(value).is_ok(),
            "unsignedInt" => u32::try_from(value).is_ok(),
            "unsignedShort" => u16::try_from(value).is_ok(),
            "unsignedByte" => u8::try_from(value).is_ok(),
            _ => false,
        }
    }
}

fn items(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|&byte| is_blank(byte))
        .filter(|item| !item.is_empty())
}

/// libxml2: the exponent may have no digits, and nothing may follow `NaN` or `INF`.
fn is_float(text: &[u8]) -> bool {
    let skip = |text: &mut &[u8], pick: fn(&u8) -> bool| {
        let len = text.iter().take_while(|byte| pick(byte)).count();
        *text = text.get(len..).unwrap_or_default();
        len
    };
    let mut rest = text;
    skip(&mut rest, |&byte| is_blank(byte));
    if rest == b"NaN" {
        return true;
    }
    let is_negative = rest.first() == Some(&b'-');
    if is_negative {
        rest = rest.get(1..).unwrap_or_default();
    }
    if rest == b"INF" {
        return true;
    }
    if !is_negative && rest.first() == Some(&b'+') {
        rest = rest.get(1..).unwrap_or_default();
    }
    let mut digits = skip(&mut rest, u8::is_ascii_digit);
    if let [b'.', after @ ..] = rest {
        rest = after;
        digits += skip(&mut rest, u8::is_ascii_digit);
    }
    if digits == 0 {
        return false;
    }
    if let [b'e' | b'E', after @ ..] = rest {
        rest = after;
        if let [b'-' | b'+', after @ ..] = rest {
            rest = after;
        }
        skip(&mut rest, u8::is_ascii_digit);
    }
    skip(&mut rest, |&byte| is_blank(byte));
    rest.is_empty()
}

fn is_language(text: &[u8]) -> bool {
    text.split(|&byte| byte == b'-')
        .enumerate()
        .all(|(i, part)| {
            (1..=8).contains(&part.len())
                && part
                    .iter()
                    .all(|byte| byte.is_ascii_alphabetic() || (i > 0 && byte.is_ascii_digit()))
        })
}

fn is_name(text: &[u8], may_have_colons: bool, needs_start: bool) -> bool {
    let is_word = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.') || !byte.is_ascii()
    };
    let is_start = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || !byte.is_ascii();
    let Some(&first) = text.first() else {
        return false;
    };
    let is_colon = |byte: u8| may_have_colons && byte == b':';
    (is_start(first) || is_colon(first) || (!needs_start && is_word(first)))
        && text.iter().all(|&byte| is_word(byte) || is_colon(byte))
}

fn is_qualified_name(text: &[u8]) -> bool {
    let mut parts = text.splitn(2, |&byte| byte == b':');
    parts.all(|part| is_name(part, false, true))
}

/// A reference as RFC 3986 defines it, after the characters that it forbids outright are set aside.
fn is_uri_reference(text: &[u8]) -> bool {
    let text: Vec<u8> = text
        .iter()
        .map(|&byte| match byte {
            0..=b' '
            | 127..
            | b'<'
            | b'>'
            | b'"'
            | b'{'
            | b'}'
            | b'|'
            | b'\\'
            | b'^'
            | b'`'
            | b'\'' => b'_',
            byte => byte,
        })
        .collect();
    let (rest, fragment) = cut(&text, b'#');
    let (rest, query) = cut(rest, b'?');
    let is_tail = |tail: Option<&[u8]>, extra: &[u8]| tail.is_none_or(|tail| is_path(tail, extra));
    if !is_tail(fragment, b"/?[]") || !is_tail(query, b"/?") {
        return false;
    }
    let scheme = rest
        .iter()
        .position(|&byte| byte == b':')
        .filter(|&colon| is_scheme(rest.get(..colon)));
    if scheme.is_some_and(|colon| is_hierarchy(rest.get(colon + 1..).unwrap_or_default())) {
        return true;
    }
    let first = rest.split(|&byte| byte == b'/').next().unwrap_or_default();
    is_hierarchy(rest) && (rest.first() == Some(&b'/') || !first.contains(&b':'))
}

fn cut(text: &[u8], at: u8) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|&byte| byte == at) {
        Some(place) => (text.get(..place).unwrap_or_default(), text.get(place + 1..)),
        None => (text, None),
    }
}

fn is_scheme(text: Option<&[u8]>) -> bool {
    text.is_some_and(|text| {
        text.first().is_some_and(u8::is_ascii_alphabetic)
            && text
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
    })
}

fn is_hierarchy(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(b"//") else {
        return is_path(text, b"/");
    };
    let end = rest
        .iter()
        .position(|&byte| byte == b'/')
        .unwrap_or(rest.len());
    is_authority(rest.get(..end).unwrap_or_default())
        && is_path(rest.get(end..).unwrap_or_default(), b"/")
}

fn is_authority(text: &[u8]) -> bool {
    let host = match text.iter().position(|&byte| byte == b'@') {
        Some(at) if is_path(text.get(..at).unwrap_or_default(), b"") => {
            text.get(at + 1..).unwrap_or_default()
        }
        _ => text,
    };
    let (name, port) = match host {
        [b'[', rest @ ..] => match rest.iter().position(|&byte| byte == b']') {
            None => return false,
            Some(end) => (&b""[..], rest.get(end + 1..).unwrap_or_default()),
        },
        _ => {
            let end = host
                .iter()
                .position(|&byte| byte == b':')
                .unwrap_or(host.len());
            (
                host.get(..end).unwrap_or_default(),
                host.get(end..).unwrap_or_default(),
            )
        }
    };
    let is_port = match port {
        [] => true,
        [b':', digits @ ..] => std::str::from_utf8(digits).is_ok_and(|digits| {
            digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<i32>().is_ok()
        }),
        _ => false,
    };
    is_port && is_path(name, b"") && !name.contains(&b'@') && !name.contains(&b':')
}

/// Whether `text` is made of path characters and those in `extra`.
fn is_path(text: &[u8], extra: &[u8]) -> bool {
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = match byte {
            b'%' => match after {
                [high, low, after @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                    after
                }
                _ => return false,
            },
            _ if byte.is_ascii_alphanumeric()
                || b"-._~!$&()*+,;=':@".contains(&byte)
                || extra.contains(&byte) =>
            {
                after
            }
            _ => return false,
        };
    }
    true
}
