//! Values of simple types: the edges of every facet from inside and outside, and the spellings on which validators differ.

use torap_iso20022::schema::{ComplexType, Model, TypeRef};
use torap_iso20022::simple::{Check, SimpleType};
use torap_iso20022::{MessageKind, MessageType};

use crate::instance::escape;
use crate::oracle::Case;
use crate::random::Random;

/// Longest text written out in full.
const LENGTH_MAX: u32 = 2_100;

/// Some valid values of a type.
pub(crate) fn valid(ty: &SimpleType) -> Vec<String> {
    let values: Vec<String> = candidates(ty)
        .into_iter()
        .filter(|value| ty.accepts(value.as_bytes()))
        .collect();
    assert!(!values.is_empty(), "no valid value of {}", ty.name);
    values
}

/// Values of a type, valid and not.
pub(crate) fn candidates(ty: &SimpleType) -> Vec<String> {
    match ty.check {
        Check::Text { min, max } => text(min, max),
        Check::Pattern { source, .. } => pattern(source),
        Check::Enumeration(values) => {
            let mut all: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
            all.extend(["", "NOPE", "nope", " ", "\u{416}"].map(str::to_owned));
            all.push(format!(" {}", values[0]));
            all.push(format!("{}\n", values[0]));
            all.push(format!("{}X", values[0]));
            all
        }
        Check::Decimal {
            total_digits,
            fraction_digits,
            ..
        } => decimal(total_digits, fraction_digits),
        Check::Boolean => owned(&[
            "true", "false", "1", "0", " true", "false\n", "\t1 ", "TRUE", "yes", "", " ", "01",
            "tru e",
        ]),
        Check::Date | Check::DateTime | Check::Time | Check::Year | Check::YearMonth => {
            owned(DATES)
        }
        Check::Base64 { .. } => owned(BASE64),
    }
}

fn owned(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

fn text(min: u32, max: u32) -> Vec<String> {
    let mut all = owned(&[
        "A",
        "Ж",
        "a b",
        " ",
        "\n",
        "\r",
        "\t x",
        "]]",
        "&<>\"'",
        "\u{10FFFF}",
        "\u{FFFD}",
        "\u{7F}\u{80}",
        "",
    ]);
    for length in [min, max, max.saturating_add(1)] {
        if length <= LENGTH_MAX {
            for letter in ["x", "ё", "€", "😀"] {
                all.push(letter.repeat(length as usize));
            }
        }
    }
    all
}

fn pattern(source: &str) -> Vec<String> {
    let mut all = owned(&["", " ", "\n", "ё", "A", "0", "a"]);
    let good: &[&str] = match source {
        "[0-9]{1,15}" => &["1", "123456789012345", "0"],
        "[0-9]{2}" => &["12", "00"],
        "[A-Z0-9]{18,18}[0-9]{2,2}" => &["5493001KJTIIGC8Y1R12", "00000000000000000000"],
        "[A-Z0-9]{4,4}[A-Z]{2,2}[A-Z0-9]{2,2}([A-Z0-9]{3,3}){0,1}" => &["CASPKZKA", "HSBKKZKXXXX"],
        "[A-Z]{2,2}" => &["KZ", "US"],
        "[A-Z]{2,2}[0-9]{2,2}[a-zA-Z0-9]{1,30}" => &[
            "KZ86125KZT5004100100",
            "DE891",
            "AA00aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        ],
        "[A-Z]{3,3}" => &["KZT", "USD"],
        "[a-f0-9]{8}-[a-f0-9]{4}-4[a-f0-9]{3}-[89ab][a-f0-9]{3}-[a-f0-9]{12}" => {
            &["f47ac10b-58cc-4372-a567-0e02b2c3d479"]
        }
        "[a-zA-Z0-9]{1,4}" => &["a", "Z9z9"],
        "[a-zA-Z0-9]{4}" => &["INST", "0a1B"],
        "\\+[0-9]{1,3}-[0-9()+\\-]{1,30}" => &[
            "+7-7011234567",
            "+999-(1)-+",
            "+1-000000000000000000000000000000",
        ],
        "[a-z]{2,2}" => &["kk", "en"],
        "[\\+]{0,1}[0-9]{1,15}" => &["+1", "123456789012345"],
        "[A-Z]{2,2}[A-Z0-9]{9,9}[0-9]{1,1}" => &["KZ0000000001", "US0378331005"],
        "[0-9]{8,28}" => &["12345678", "1234567890123456789012345678"],
        "[0-9]{3}" => &["398"],
        "[0-9]{3,4}" => &["123", "1234"],
        "[0-9]{2,3}" => &["12", "123"],
        "[0-9]" => &["7"],
        "[0-9]{1,3}" => &["1", "123"],
        "[0-9]{1,5}" => &["1", "12345"],
        "[BEOVW]{1,1}[0-9]{2,2}|DUM" => &["B12", "DUM"],
        other => panic!("no examples of {other}"),
    };
    for value in good {
        all.push((*value).to_owned());
        all.push(format!("{value}1"));
        all.push(format!(" {value}"));
        all.push(format!("{value}\n"));
        all.push(value.to_lowercase());
        all.push(value.chars().skip(1).collect());
        all.push(value.chars().rev().collect());
        all.push(format!("{value}{value}"));
    }
    all
}

fn decimal(total: u8, fraction: u8) -> Vec<String> {
    let mut all = owned(&[
        "0",
        "1",
        "-1",
        "+1",
        "0.0",
        "-0",
        "-0.00",
        "1.",
        ".1",
        ".",
        "-",
        "+",
        "",
        " ",
        " 1",
        "1 ",
        "\n1.50\t",
        "- ",
        "+ ",
        "-\n",
        "1e3",
        "1,5",
        "0x1",
        "--1",
        "+-1",
        "1.2.3",
        "INF",
        "NaN",
        "00012",
        "1 2",
        "00.",
        "-.",
        "0.",
        " .0 ",
        "٣",
        ".00",
        "000000000000000000000000000000000000001",
        "0.000000000000000000000001",
        "0.0000000000000000000000001",
        "1.00000000000000000000000",
        "1.000000000000000000000000",
        "100000000000000000.000000",
        "100000000000000000.0000000",
        "123456789012345678901234",
        "1234567890123456789012345",
        "12345678901234567890123.4",
        "123456789012345678901234.",
    ]);
    if total < u8::MAX {
        all.push("9".repeat(usize::from(total)));
        all.push("9".repeat(usize::from(total) + 1));
        all.push(format!("{}.0", "9".repeat(usize::from(total))));
    }
    if fraction < u8::MAX {
        let fraction = usize::from(fraction);
        all.push(format!("1.{}", "1".repeat(fraction)));
        all.push(format!("1.{}", "1".repeat(fraction + 1)));
        all.push(format!("1.{}0", "1".repeat(fraction)));
        all.push(format!("0.{}1", "0".repeat(fraction.saturating_sub(1))));
        all.push(format!("0.{}1", "0".repeat(fraction)));
        all.push(format!("-1.{}", "1".repeat(fraction)));
    }
    all
}

const DATES: &[&str] = &[
    "2026-11-21",
    "2026-11-21Z",
    "2026-11-21+05:00",
    "2026-11-21-05:00",
    "2024-02-29",
    "2026-02-29",
    "1900-02-29",
    "2000-02-29",
    "2026-13-01",
    "2026-00-01",
    "2026-04-31",
    "2026-04-00",
    "0000-01-01",
    "-0001-01-01",
    "12026-01-01",
    "02026-01-01",
    "026-01-01",
    "+2026-01-01",
    "99999999999999999999-01-01",
    "9223372036854775807-01-01",
    "9223372036854775808-01-01",
    "-2024-02-29",
    " 2026-11-21",
    "2026-11-21 ",
    "2026-11-21Z ",
    "2026-11-21z",
    "2026-1-21",
    "2026-11-21+14:00",
    "2026-11-21+14:01",
    "2026-11-21-14:00",
    "2026-11-21+24:00",
    "2026-11-21+05",
    "2026-11-21+05:60",
    "2026-11-21T09:15:27",
    "2026-11-21T09:15:27Z",
    "2026-11-21T09:15:27.123+05:00",
    "2026-11-21T09:15:27+05:00 ",
    "2026-11-21T09:15:27Z\n\t",
    "2026-11-21T09:15:27 ",
    " 2026-11-21T09:15:27Z",
    "2026-11-21T24:00:00",
    "2026-11-21T24:00:00.0",
    "2026-11-21T24:00:00.1",
    "2026-11-21T24:00:01",
    "2026-11-21T24:01:00",
    "2026-11-21T25:00:00",
    "2026-11-21T23:59:59.999999999",
    "2026-11-21T23:59:59.9999999999999",
    "2026-11-21T23:59:59.99999999999999999999",
    "2026-11-21T23:59:60",
    "2026-11-21T23:60:00",
    "2026-11-21T09:15",
    "2026-11-21T09:15:27.",
    "2026-11-21T9:15:27",
    "2026-11-21t09:15:27",
    "2026-11-21 09:15:27",
    "2026-02-30T09:15:27",
    "2026-11-21T09:15:27Z+05:00",
    "09:15:27",
    "09:15:27Z",
    "09:15:27.5-03:00",
    " 09:15:27",
    "\n09:15:27Z",
    "09:15:27 ",
    "09:15:27Z ",
    "24:00:00",
    "24:00:00.000",
    "24:00:00.0001",
    "23:59:60",
    "23:59:59.999999999999999",
    "9:15:27",
    "09:15",
    "2026",
    "2026Z",
    "2026+05:00",
    "2026-05:00",
    " 2026",
    "2026 ",
    "0000",
    "-2026",
    "20260",
    "02026",
    "202",
    "2026-11",
    "2026-11Z",
    "2026-11-05:00",
    "2026-11+05:00",
    "2026-13",
    "2026-11 ",
    "2026-1",
    "--11",
    "---21",
    "--11-21",
    "",
    " ",
    "x",
    "２０２６",
    "2026-11-21T09:15:27.1234567890123456789012345678901234567890Z",
];

const BASE64: &[&str] = &[
    "QQ==",
    "QUI=",
    "QUJD",
    "",
    " ",
    "QQ",
    "Q",
    "QQ=",
    "QR==",
    "QUJ=",
    "Q U J D",
    "QUJD\nQUJD",
    "QQ= =",
    "=QQ=",
    "QQ==QQ==",
    "QQ===",
    "Q-U_J.D",
    "QUJDé",
    "\u{416}QUJD",
    "====",
    "+/+/",
    "A===",
    "AA==",
    "AAA=",
    "AAAA",
    "QQ==!",
];

/// Values of built-in types, as content of an element: the name of the type and the text.
pub(crate) const BUILTIN: &[(&str, &str)] = &[
    ("string", " x\ny "),
    ("normalizedString", "a\tb"),
    ("token", " a  b "),
    ("anySimpleType", "x"),
    ("boolean", " 1 "),
    ("boolean", "y"),
    ("decimal", " 1.5 "),
    ("decimal", "1.5x"),
    ("integer", " 12 "),
    ("integer", "1.0"),
    ("integer", "+12"),
    ("integer", "--1"),
    ("integer", "999999999999999999999999"),
    ("integer", "9999999999999999999999999"),
    ("nonNegativeInteger", "-0"),
    ("nonNegativeInteger", "-1"),
    ("positiveInteger", "0"),
    ("positiveInteger", "1"),
    ("positiveInteger", "-1"),
    ("negativeInteger", "-1"),
    ("negativeInteger", "0"),
    ("negativeInteger", "-0"),
    ("nonPositiveInteger", "0"),
    ("nonPositiveInteger", "1"),
    ("int", "2147483647"),
    ("int", "2147483648"),
    ("int", "-2147483648"),
    ("int", "-2147483649"),
    ("int", " 1"),
    ("long", "9223372036854775807"),
    ("long", "9223372036854775808"),
    ("long", "-9223372036854775808"),
    ("short", "32767"),
    ("short", "32768"),
    ("byte", "-128"),
    ("byte", "128"),
    ("byte", "+1"),
    ("unsignedByte", "255"),
    ("unsignedByte", "256"),
    ("unsignedByte", "+1"),
    ("unsignedShort", "65536"),
    ("unsignedInt", "4294967295"),
    ("unsignedInt", "4294967296"),
    ("unsignedLong", "18446744073709551615"),
    ("unsignedLong", "18446744073709551616"),
    ("float", "1"),
    ("float", "-1.5E+3"),
    ("float", "1e"),
    ("float", ".5"),
    ("float", "."),
    ("float", "INF"),
    ("float", "-INF"),
    ("float", "+INF"),
    ("float", " NaN"),
    ("float", "NaN "),
    ("float", " 1 "),
    ("double", "1e5x"),
    ("date", "2026-11-21"),
    ("dateTime", "2026-11-21T24:00:00Z "),
    ("time", " 09:15:27"),
    ("gYear", "2026"),
    ("gYearMonth", "2026-11"),
    ("gMonth", "--11"),
    ("gMonth", "--13"),
    ("gMonth", "--11-05:00"),
    ("gMonth", " --11Z"),
    ("gDay", "---31"),
    ("gDay", "---32"),
    ("gDay", "---01+05:00"),
    ("gMonthDay", "--02-29"),
    ("gMonthDay", "--02-30"),
    ("gMonthDay", "--12-31Z"),
    ("gMonthDay", "--04-31"),
    ("duration", "P1Y2M3DT4H5M6.7S"),
    ("duration", "P"),
    ("duration", "-P1D"),
    ("duration", "PT"),
    ("duration", "P1DT"),
    ("duration", "PT1H"),
    ("duration", "P1H"),
    ("duration", "P1.5D"),
    ("duration", "PT.5S"),
    ("duration", "P1D "),
    ("duration", " P1D"),
    ("duration", "P1M1Y"),
    ("base64Binary", "QQ=="),
    ("base64Binary", "QQ"),
    ("hexBinary", "0aF9"),
    ("hexBinary", "0aF"),
    ("hexBinary", " 0A "),
    ("hexBinary", "0g"),
    ("language", "en"),
    ("language", " en-GB "),
    ("language", "e1"),
    ("language", "en-123456789"),
    ("language", ""),
    ("anyURI", "urn:a:b"),
    ("anyURI", "http://u@h:80/p?q#f"),
    ("anyURI", "http://h:x/"),
    ("anyURI", "a b\u{416}"),
    ("anyURI", "%zz"),
    ("anyURI", "%41"),
    ("anyURI", ":a"),
    ("anyURI", "1:a"),
    ("anyURI", "a:b:c"),
    ("anyURI", "a/b:c"),
    ("anyURI", "#a#b"),
    ("anyURI", "?a?b"),
    ("anyURI", "[a]"),
    ("anyURI", "//[::1]:8/"),
    ("anyURI", "//[::1"),
    ("anyURI", ""),
    ("anyURI", "//h:99999999999"),
    ("Name", "a:b"),
    ("Name", "1a"),
    ("Name", " a "),
    ("NMTOKEN", "1a"),
    ("NMTOKEN", "a b"),
    ("NMTOKENS", "a b"),
    ("NMTOKENS", ""),
    ("NMTOKENS", "a &lt;"),
    ("NCName", "a"),
    ("NCName", "a:b"),
    ("ID", "a"),
    ("ID", "1"),
    ("IDREF", "a"),
    ("IDREFS", "a b"),
    ("IDREFS", "a 1"),
    ("QName", "a"),
    ("QName", "xs:a"),
    ("QName", "no:a"),
    ("QName", "a:b:c"),
    ("QName", " xs:a"),
    ("QName", "xs:a "),
    ("QName", ""),
    ("ENTITY", "a"),
    ("ENTITIES", "a"),
    ("ENTITIES", ""),
    ("NOTATION", "a"),
];

/// A small document around each value of each simple type that the messages use.
pub(crate) fn cases(random: &mut Random) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut seen = Vec::new();
    for kind in MessageKind::ALL {
        for message in kind.versions() {
            let root = message.table().root;
            visit(
                message,
                root.name,
                root.ty,
                &mut seen,
                &mut cases,
                random,
                &mut Vec::new(),
            );
        }
    }
    cases
}

type Path = Vec<(&'static ComplexType, usize)>;

fn visit(
    message: MessageType,
    _name: &'static str,
    ty: TypeRef,
    seen: &mut Vec<usize>,
    cases: &mut Vec<Case>,
    random: &mut Random,
    path: &mut Path,
) {
    let (id, simple) = match ty {
        TypeRef::Complex(ty) => (std::ptr::from_ref(ty) as usize, None),
        TypeRef::Simple(ty) => (std::ptr::from_ref(ty) as usize, Some(ty)),
        TypeRef::Attributed(ty) => (std::ptr::from_ref(ty) as usize, Some(ty.content)),
    };
    if seen.contains(&id) {
        return;
    }
    seen.push(id);
    if let Some(simple) = simple {
        for value in candidates(simple) {
            cases.push(Case {
                message,
                bytes: around(message, path, &escape(&value), "KZT"),
            });
            if random.once_in(4) {
                let raw = format!("<![CDATA[{value}]]>");
                cases.push(Case {
                    message,
                    bytes: around(message, path, &raw, "KZT"),
                });
            }
        }
        if let TypeRef::Attributed(ty) = ty {
            for value in candidates(ty.attributes[0].ty) {
                let value = escape(&value).replace('"', "&quot;");
                cases.push(Case {
                    message,
                    bytes: around(message, path, "1", &value),
                });
            }
        }
        return;
    }
    let TypeRef::Complex(ty) = ty else {
        return;
    };
    if matches!(ty.model, Model::Any(_)) {
        return;
    }
    for (position, particle) in ty.particles.iter().enumerate() {
        path.push((ty, position));
        visit(
            message,
            particle.name,
            particle.ty,
            seen,
            cases,
            random,
            path,
        );
        path.pop();
    }
}

/// The smallest document that holds the element at `path`, with that text and currency.
fn around(message: MessageType, path: &Path, text: &str, currency: &str) -> Vec<u8> {
    let root = message.table().root;
    let mut out = format!("<{} xmlns=\"{}\">", root.name, message.namespace());
    down(path, text, currency, &mut out);
    out += &format!("</{}>", root.name);
    out.into_bytes()
}

fn down(path: &[(&'static ComplexType, usize)], text: &str, currency: &str, out: &mut String) {
    let Some(((ty, wanted), rest)) = path.split_first() else {
        *out += text;
        return;
    };
    for (position, particle) in ty.particles.iter().enumerate() {
        if position == *wanted {
            let amount = matches!(particle.ty, TypeRef::Attributed(_));
            let attribute = if amount {
                format!(" Ccy=\"{currency}\"")
            } else {
                String::new()
            };
            *out += &format!("<{}{attribute}>", particle.name);
            down(rest, text, currency, out);
            *out += &format!("</{}>", particle.name);
        } else if ty.model == Model::Sequence && particle.min > 0 {
            smallest(particle.name, particle.ty, out);
        }
    }
}

fn smallest(name: &str, ty: TypeRef, out: &mut String) {
    match ty {
        TypeRef::Simple(simple) => {
            *out += &format!("<{name}>{}</{name}>", escape(&valid(simple)[0]))
        }
        TypeRef::Attributed(ty) => {
            *out += &format!("<{name} Ccy=\"KZT\">{}</{name}>", valid(ty.content)[0])
        }
        TypeRef::Complex(ty) => {
            *out += &format!("<{name}>");
            match ty.model {
                Model::Any(wildcard) => {
                    *out += &format!("<x xmlns=\"{}\"/>", wildcard.namespace.unwrap_or("urn:x"));
                }
                Model::Choice => smallest(ty.particles[0].name, ty.particles[0].ty, out),
                Model::Sequence => {
                    for particle in ty.particles.iter().filter(|particle| particle.min > 0) {
                        smallest(particle.name, particle.ty, out);
                    }
                }
            }
            *out += &format!("</{name}>");
        }
    }
}
