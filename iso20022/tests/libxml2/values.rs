//! Values of simple types: the edges of every facet from inside and outside, and the spellings on which validators differ.

use torap_iso20022::schema::{ComplexType, Model, TypeRef};
use torap_iso20022::simple::{Check, SimpleType};
use torap_iso20022::{MessageKind, MessageType};

use crate::instance::escape;
use crate::oracle::Case;
use crate::random::Random;
use crate::spellings::{BASE64, DATES};

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
