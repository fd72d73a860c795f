//! Python's pyiso8583, in a process of its own.

use std::{
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
};

use serde_json::{Map, Value, json};
use torap_iso8583::{
    BitmapEncoding, Class, Dialect, Encoding, FieldRow, Length, LengthEncoding, Shape,
};

use crate::{Codec, Content, samples};

/// Version and folder are those of xtask/src/machine.rs.
const FOLDER: &str = "pyiso8583-4.0.1";
/// Handed over as text: a path of the clone that built this program may be gone.
const PEER: &str = include_str!("pyiso8583_peer.py");
/// The code page of iso93-bcd, as Python names it.
const CODE_PAGE: &str = "cp037";

pub struct PyIso8583<'d> {
    dialect: &'d Dialect,
    python: PathBuf,
    spec: Value,
}

impl<'d> PyIso8583<'d> {
    /// # Errors
    /// Why it cannot be tried: the machine has not been set up with it.
    pub fn new(dialect: &'d Dialect) -> Result<PyIso8583<'d>, String> {
        let own = std::env::current_exe().unwrap();
        let target = own.ancestors().nth(3).unwrap();
        let python = target.join(FOLDER).join("bin/python3");
        if !python.exists() {
            return Err(format!(
                "{} is not there; `cargo xtask test` installs pyiso8583",
                python.display()
            ));
        }
        let spec = specification(dialect);
        Ok(PyIso8583 {
            dialect,
            python,
            spec,
        })
    }

    fn ask(&self, read: &[String], build: &[Value]) -> Value {
        let mut child = Command::new(&self.python)
            .args(["-c", PEER])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let request = json!({"spec": self.spec, "read": read, "build": build}).to_string();
        // Standard input closes with this statement; it reads all before it writes.
        child
            .stdin
            .take()
            .unwrap()
            .write_all(request.as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Text of ours to text of its, which has hexadecimal digits for everything that is packed.
    fn to_python(&self, number: u8, text: &str) -> String {
        let shape = self.shape(number);
        match shape.encoding {
            Encoding::BcdLeft | Encoding::BcdRight if shape.class == Class::SignedAmount => {
                let (sign, digits) = text.split_at(1);
                // C3 and C4 are C and D in EBCDIC.
                let sign = if sign == "C" { "C3" } else { "C4" };
                let odd = if digits.len() % 2 == 1 { "0" } else { "" };
                format!("{sign}{odd}{digits}")
            }
            Encoding::BcdLeft | Encoding::BcdRight => text.replace('=', "D"),
            _ => text.to_owned(),
        }
    }

    fn to_ours(&self, number: u8, text: &str) -> String {
        let shape = self.shape(number);
        match shape.encoding {
            Encoding::BcdLeft | Encoding::BcdRight if shape.class == Class::SignedAmount => {
                let (sign, digits) = text.split_at(2);
                let sign = if sign == "C3" { "C" } else { "D" };
                let digits = &digits[digits.len() + 1 - usize::from(shape.length.bounds().1)..];
                format!("{sign}{digits}")
            }
            Encoding::BcdLeft | Encoding::BcdRight => text.replace('D', "="),
            _ => text.to_owned(),
        }
    }

    fn shape(&self, number: u8) -> Shape {
        self.dialect.field(number).unwrap().shape
    }
}

impl Codec for PyIso8583<'_> {
    fn name(&self) -> &'static str {
        "pyiso8583"
    }

    fn build(&self, contents: &[Content]) -> Vec<Vec<u8>> {
        let fields = |content: &Content| {
            let mut fields = Map::new();
            fields.insert("t".to_owned(), json!(content.mti));
            for (number, text) in &content.fields {
                fields.insert(number.to_string(), json!(self.to_python(*number, text)));
            }
            Value::Object(fields)
        };
        let build: Vec<Value> = contents.iter().map(fields).collect();
        let answer = self.ask(&[], &build);
        let built = answer["built"].as_array().unwrap().iter();
        built
            .map(|hex| samples::bytes(hex.as_str().unwrap()))
            .collect()
    }

    fn read(&self, messages: &[Vec<u8>]) -> Vec<Content> {
        let hex = |bytes: &Vec<u8>| bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        let read: Vec<String> = messages.iter().map(hex).collect();
        let answer = self.ask(&read, &[]);
        let content = |read: &Value| {
            let read = read.as_object().unwrap();
            // `t`, `p` and `1` are the message type and the bitmaps.
            let number = |key: &String| key.parse::<u8>().ok().filter(|number| *number > 1);
            let mut fields: Vec<(u8, String)> = read
                .iter()
                .filter_map(|(key, value)| Some((number(key)?, value.as_str()?)))
                .map(|(number, text)| (number, self.to_ours(number, text)))
                .collect();
            fields.sort();
            Content {
                mti: read["t"].as_str().unwrap().to_owned(),
                fields,
            }
        };
        answer["read"]
            .as_array()
            .unwrap()
            .iter()
            .map(content)
            .collect()
    }
}

/// A dialect's table as pyiso8583 has it.
fn specification(dialect: &Dialect) -> Value {
    let text = |encoding| match encoding {
        Encoding::BcdLeft | Encoding::BcdRight => "b",
        Encoding::Ebcdic => CODE_PAGE,
        _ => "ascii",
    };
    let fixed = |encoding: &str, length: usize| json!({"data_enc": encoding, "len_enc": "ascii", "len_type": 0, "max_len": length, "desc": ""});
    let bitmap = match dialect.bitmap_encoding() {
        BitmapEncoding::Binary => fixed("b", 8),
        BitmapEncoding::Hex => fixed("ascii", 16),
        BitmapEncoding::HexEbcdic => fixed(CODE_PAGE, 16),
    };
    let mut spec = Map::new();
    spec.insert("h".to_owned(), fixed("b", 0));
    spec.insert("t".to_owned(), fixed(text(dialect.mti_encoding()), 4));
    spec.insert("p".to_owned(), bitmap.clone());
    spec.insert("1".to_owned(), bitmap);
    for row in dialect.rows() {
        spec.insert(row.number.to_string(), field(row));
    }
    Value::Object(spec)
}

fn field(row: &FieldRow) -> Value {
    let shape = row.shape;
    let (_, max) = shape.length.bounds();
    let (length_encoding, width) = match shape.length_encoding {
        LengthEncoding::Ascii => ("ascii", 1),
        LengthEncoding::Ebcdic => (CODE_PAGE, 1),
        LengthEncoding::Bcd => ("bcd", 2),
        LengthEncoding::Binary => ("b", 2),
    };
    let length_bytes = match shape.length {
        Length::Variable { digits, .. } => digits.div_ceil(width),
        _ => 0,
    };
    let data = match shape.encoding {
        Encoding::Ascii | Encoding::Hex => "ascii",
        Encoding::Ebcdic => CODE_PAGE,
        Encoding::Binary | Encoding::BcdLeft | Encoding::BcdRight => "b",
    };
    let mut field = json!({
        "data_enc": data, "len_enc": length_encoding, "len_type": length_bytes, "max_len": max, "desc": row.name
    });
    match shape.encoding {
        // A sign that is a character, and packed digits behind it: bytes to it.
        Encoding::BcdLeft | Encoding::BcdRight if shape.class == Class::SignedAmount => {
            field["max_len"] = json!(1 + (max - 1).div_ceil(2));
        }
        Encoding::BcdRight => {
            field["len_count"] = json!("nibbles");
            field["left_pad"] = json!("0");
        }
        Encoding::BcdLeft => {
            field["len_count"] = json!("nibbles");
            field["right_pad"] = json!("F");
        }
        _ => {}
    }
    field
}
