//! Our tables in the form that other codecs read, so that they and we read the same bytes.

use serde_json::{Value, json};
use torap_iso8583::{Class, Dialect, Encoding, FieldRow, Length, LengthEncoding};

/// The national table with hexadecimal bitmaps instead of binary ones: what `iso_8583_rs` can read.
pub fn national_with_hex_bitmaps() -> Dialect {
    let text = include_str!("../../dialects/national.toml");
    let text = text.replace(
        "bitmap = \"binary\"\n\n[defaults]",
        "bitmap = \"hex\"\n\n[defaults]",
    );
    let dialect = Dialect::read(&text).unwrap();
    assert_eq!(
        dialect.bitmap_encoding(),
        torap_iso8583::BitmapEncoding::Hex
    );
    dialect
}

/// Fields in the YAML of `iso_8583_rs`; JSON is YAML.
pub fn iso_8583_rs(dialect: &Dialect) -> String {
    let row = |row: &FieldRow| {
        let (min, max) = row.shape.length.bounds();
        let length = match row.shape.length {
            Length::Variable { digits: 2, .. } => "llvar",
            Length::Variable { .. } => "lllvar",
            _ => "fixed",
        };
        let class = match row.shape.class {
            // It has no other types; what it does not know it does not check.
            Class::Numeric | Class::AlphaNumeric | Class::Alpha | Class::Printable => {
                row.shape.class.name()
            }
            _ => "b",
        };
        let value = json!({"ContentType": class, "MaxLen": max, "MinLen": min, "LenType": length, "Label": row.name});
        // Keys are numbers, which JSON does not have.
        format!("{}: {value}\n", row.number)
    };
    dialect.rows().iter().map(row).collect()
}

/// A specification in the YAML of `iso8583_rs`, with one message per message type of the dialect.
pub fn iso8583_rs(dialect: &Dialect) -> String {
    let text = match dialect.mti_encoding() {
        Encoding::Ebcdic => "EBCDIC",
        Encoding::BcdRight | Encoding::BcdLeft => "BCD",
        _ => "ASCII",
    };
    let mti = json!({
        "name": "message_type", "id": 1, "type": "Fixed", "data_encoding": text,
        "len": if text == "BCD" { 2 } else { 4 }
    });
    let children: Vec<Value> = dialect.rows().iter().map(iso8583_rs_field).collect();
    let bitmap = json!({
        "name": "bitmap", "id": 2, "type": "Bitmapped", "len": 0, "data_encoding": "BINARY", "children": children
    });
    let selector: Vec<String> = dialect
        .messages()
        .iter()
        .map(|row| row.mti.to_string())
        .collect();
    let message =
        json!({"name": "any", "id": 1, "selector": selector, "fields": [mti.clone(), bitmap]});
    json!({"name": dialect.name(), "id": 1, "header_fields": [mti], "messages": [message]})
        .to_string()
}

fn iso8583_rs_field(row: &FieldRow) -> Value {
    let encoding = match row.shape.encoding {
        Encoding::Ascii | Encoding::Hex => "ASCII",
        Encoding::Ebcdic => "EBCDIC",
        Encoding::BcdRight | Encoding::BcdLeft => "BCD",
        Encoding::Binary => "BINARY",
    };
    let (_, max) = row.shape.length.bounds();
    let packed = encoding == "BCD";
    let (kind, length) = match (row.shape.length, row.shape.length_encoding) {
        (Length::Variable { digits, .. }, LengthEncoding::Bcd | LengthEncoding::Binary) => {
            ("Variable", usize::from(digits).div_ceil(2))
        }
        (Length::Variable { digits, .. }, _) => ("Variable", usize::from(digits)),
        _ if packed => ("Fixed", usize::from(max).div_ceil(2)),
        _ => ("Fixed", usize::from(max)),
    };
    let length_encoding = match row.shape.length_encoding {
        LengthEncoding::Ascii => "ASCII",
        LengthEncoding::Ebcdic => "EBCDIC",
        LengthEncoding::Bcd => "BCD",
        LengthEncoding::Binary => "BINARY",
    };
    json!({
        "name": format!("field_{}", row.number), "id": row.number, "type": kind, "len": length,
        "len_encoding": length_encoding, "data_encoding": encoding, "position": row.number
    })
}
