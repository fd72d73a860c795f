//! The two codecs from crates.io.

use std::process::Command;

use torap_iso8583::{Class, Dialect};

use crate::{Codec, Content, peers, samples};

/// Where `iso8583_rs` looks for the one specification that it holds.
const SPECIFICATION: &str = "SPEC_FILE";

/// Runs a test in a process of its own, whose environment names the national table in the form of `iso8583_rs`.
pub fn with_specification(test: &str, body: impl FnOnce()) {
    if std::env::var_os(SPECIFICATION).is_some() {
        return body();
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("iso8583_rs.yaml");
    std::fs::write(&file, peers::iso8583_rs(Dialect::national())).unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(SPECIFICATION, file)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    let ran = String::from_utf8_lossy(&output.stdout).contains("1 passed");
    assert!(output.status.success() && ran, "{told}");
    for line in told.lines().filter(|line| line.starts_with("skipped")) {
        eprintln!("{line}");
    }
}

/// `iso8583_rs` with the national table.
pub struct Iso8583Rs(&'static iso8583_rs::iso8583::iso_spec::Spec);

impl Iso8583Rs {
    pub fn new() -> Iso8583Rs {
        Iso8583Rs(iso8583_rs::iso8583::iso_spec::spec(""))
    }
}

impl Codec for Iso8583Rs {
    fn name(&self) -> &'static str {
        "iso8583_rs"
    }

    fn build(&self, contents: &[Content]) -> Vec<Vec<u8>> {
        let build = |content: &Content| {
            let segment = self.0.get_message_from_header(&content.mti).ok().unwrap();
            let mut message = iso8583_rs::iso8583::iso_spec::new_msg(self.0, segment);
            message.set("message_type", &content.mti).ok().unwrap();
            for (number, text) in &content.fields {
                message.set_on(u32::from(*number), text).ok().unwrap();
            }
            message.assemble().ok().unwrap()
        };
        contents.iter().map(build).collect()
    }

    fn read(&self, messages: &[Vec<u8>]) -> Vec<Content> {
        let read = |bytes: &Vec<u8>| {
            let message = self.0.parse(&mut bytes.clone()).ok().unwrap();
            let mti = message.get_field_value(&"message_type".to_owned());
            let present = (2..=128).filter(|number| message.bmp.is_on(u32::from(*number)));
            let value = |number: u8| {
                let text = message.bmp_child_value(u32::from(number)).ok().unwrap();
                let row = Dialect::national().field(number).unwrap();
                // It tells bytes in lower case.
                match row.shape.class {
                    Class::Binary => (number, text.to_uppercase()),
                    _ => (number, text),
                }
            };
            Content {
                mti: mti.ok().unwrap(),
                fields: present.map(value).collect(),
            }
        };
        messages.iter().map(read).collect()
    }
}

/// `iso_8583_rs` with the table of a dialect in ASCII with hexadecimal bitmaps.
pub struct Iso8583RsCompiled<'d> {
    dialect: &'d Dialect,
    spec: iso_8583_rs::CompiledSpec,
}

impl<'d> Iso8583RsCompiled<'d> {
    pub fn new(dialect: &'d Dialect) -> Iso8583RsCompiled<'d> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("iso_8583_rs.yaml");
        std::fs::write(&file, peers::iso_8583_rs(dialect)).unwrap();
        let spec = iso_8583_rs::CompiledSpec::from_file(file.to_str().unwrap()).unwrap();
        Iso8583RsCompiled { dialect, spec }
    }

    /// Bytes stand as bytes: hexadecimal digits of a dialect that writes them so are text to it.
    fn is_bytes(&self, number: u8) -> bool {
        let shape = self.dialect.field(number).unwrap().shape;
        shape.encoding == torap_iso8583::Encoding::Binary
    }
}

impl Codec for Iso8583RsCompiled<'_> {
    fn name(&self) -> &'static str {
        "iso_8583_rs"
    }

    fn build(&self, contents: &[Content]) -> Vec<Vec<u8>> {
        let build = |content: &Content| {
            let value = |(number, text): &(u8, String)| match self.is_bytes(*number) {
                true => (*number, samples::bytes(text)),
                false => (*number, text.clone().into_bytes()),
            };
            let values: Vec<(u8, Vec<u8>)> = content.fields.iter().map(value).collect();
            let mut builder =
                iso_8583_rs::Builder::new(&self.spec, content.mti.as_bytes()).unwrap();
            for (number, value) in &values {
                builder.set(usize::from(*number), value).unwrap();
            }
            let mut out = Vec::new();
            builder.pack_into(&mut out);
            out
        };
        contents.iter().map(build).collect()
    }

    fn read(&self, messages: &[Vec<u8>]) -> Vec<Content> {
        let read = |bytes: &Vec<u8>| {
            let message = iso_8583_rs::Message::parse(&self.spec, bytes).unwrap();
            let value = |(number, value): (usize, &[u8])| {
                let number = number as u8;
                match self.is_bytes(number) {
                    true => (
                        number,
                        value.iter().map(|byte| format!("{byte:02X}")).collect(),
                    ),
                    false => (number, String::from_utf8(value.to_vec()).unwrap()),
                }
            };
            Content {
                mti: String::from_utf8(message.mti.to_vec()).unwrap(),
                fields: message.fields().map(value).collect(),
            }
        };
        messages.iter().map(read).collect()
    }
}
