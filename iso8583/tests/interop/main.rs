//! Other codecs and ours read each other's messages, field by field: every builder with every reader of a dialect that both can express.
//!
//! `iso8583_rs` reads a bitmap of bytes only and `iso_8583_rs` one of hexadecimal digits only, so the national dialect is tried with both.
//! Python's pyiso8583 can express all of our tables; it is left out, with the reason printed, where `cargo xtask test` has not installed it.

mod python;
mod rust;

#[path = "../codec/arbitrary.rs"]
mod arbitrary;
#[path = "../../benches/peers/mod.rs"]
mod peers;
#[path = "../codec/samples.rs"]
mod samples;

use arbitrary::Chance;
use torap_iso8583::{
    Class, Dialect, Message,
    json::{Document, Members, Value},
};

/// Messages with values that nobody chose, for each dialect.
const SEEDS: std::ops::Range<u64> = 0..60;

/// A message's content: its type, and each field as text, bytes in upper-case hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    mti: String,
    fields: Vec<(u8, String)>,
}

/// A codec set up with a dialect's tables.
trait Codec {
    fn name(&self) -> &'static str;
    fn build(&self, contents: &[Content]) -> Vec<Vec<u8>>;
    fn read(&self, messages: &[Vec<u8>]) -> Vec<Content>;
}

/// Ours.
struct Torap<'d>(&'d Dialect);

impl Codec for Torap<'_> {
    fn name(&self) -> &'static str {
        "torap-iso8583"
    }

    fn build(&self, contents: &[Content]) -> Vec<Vec<u8>> {
        let build = |content: &Content| {
            let field =
                |(number, text): &(u8, String)| (number.to_string(), Value::Text(text.clone()));
            let document = Document {
                mti: content.mti.clone(),
                fields: Members(content.fields.iter().map(field).collect()),
            };
            let mut bytes = Vec::new();
            document.encode(self.0, &mut bytes).unwrap();
            bytes
        };
        contents.iter().map(build).collect()
    }

    fn read(&self, messages: &[Vec<u8>]) -> Vec<Content> {
        messages
            .iter()
            .map(|bytes| content(self.0, bytes))
            .collect()
    }
}

fn content(dialect: &Dialect, bytes: &[u8]) -> Content {
    let message = Message::parse(dialect, bytes).unwrap();
    let fields = arbitrary::values(&message).into_iter();
    let fields = fields.map(|(number, value)| {
        let text = match dialect.field(number).unwrap().shape.class {
            Class::Binary => value.iter().map(|byte| format!("{byte:02X}")).collect(),
            _ => String::from_utf8(value).unwrap(),
        };
        (number, text)
    });
    Content {
        mti: message.mti().to_string(),
        fields: fields.collect(),
    }
}

/// What the codecs are tried with: the purchase where the dialect has it, and messages that nobody chose.
fn contents(dialect: &Dialect) -> Vec<Content> {
    let mut messages: Vec<Vec<u8>> = SEEDS
        .map(|seed| arbitrary::message(dialect, &mut Chance::new(seed)))
        .collect();
    if dialect.name() == "national" {
        messages.push(samples::purchase(dialect));
    }
    messages
        .iter()
        .map(|bytes| content(dialect, bytes))
        .collect()
}

#[track_caller]
fn check(dialect: &Dialect, codecs: &[&dyn Codec]) {
    let contents = contents(dialect);
    for builder in codecs {
        let messages = builder.build(&contents);
        assert_eq!(messages.len(), contents.len());
        for reader in codecs {
            let read = reader.read(&messages);
            assert_eq!(read.len(), contents.len());
            for (place, content) in contents.iter().enumerate() {
                assert_eq!(
                    read[place],
                    *content,
                    "built by {}, read by {}: {:02X?}",
                    builder.name(),
                    reader.name(),
                    messages[place]
                );
            }
        }
    }
}

/// Ours, pyiso8583 if it is there, and others.
fn check_with_python(dialect: &Dialect, others: &[&dyn Codec]) {
    let torap = Torap(dialect);
    let python = python::PyIso8583::new(dialect);
    let mut codecs: Vec<&dyn Codec> = vec![&torap];
    codecs.extend(others);
    match &python {
        Ok(python) => codecs.push(python),
        Err(reason) => eprintln!("skipped for {}: {reason}", dialect.name()),
    }
    assert!(codecs.len() > 1 || python.is_err());
    check(dialect, &codecs);
}

#[test]
fn the_national_dialect_with_iso8583_rs_and_pyiso8583() {
    rust::with_specification("the_national_dialect_with_iso8583_rs_and_pyiso8583", || {
        let dialect = Dialect::national();
        check_with_python(dialect, &[&rust::Iso8583Rs::new()]);
    });
}

#[test]
fn the_national_dialect_with_hexadecimal_bitmaps_with_iso_8583_rs_and_pyiso8583() {
    let dialect = peers::national_with_hex_bitmaps();
    check_with_python(&dialect, &[&rust::Iso8583RsCompiled::new(&dialect)]);
}

#[test]
fn the_ascii_dialect_with_iso_8583_rs_and_pyiso8583() {
    let dialect = Dialect::iso87_ascii();
    check_with_python(dialect, &[&rust::Iso8583RsCompiled::new(dialect)]);
}

#[test]
fn the_packed_dialect_with_pyiso8583() {
    check_with_python(Dialect::iso93_bcd(), &[]);
}
