use super::*;
use crate::{message::Message, mti::Mti, write::Writer};

/// A dialect whose one field is divided as the text says.
fn dialect(field: &str, subfields: &str) -> Dialect {
    let text = format!(
        "name = \"own\"\nversion = 1987\nmti = \"ascii\"\nbitmap = \"binary\"\n[messages]\nrows = [{{ mti = \"0200\", name = \"\" }}]\n\
         [fields]\nrows = [{{ n = 48, name = \"\", {field} }}]\n[subfields.48]\n{subfields}"
    );
    Dialect::read(&text).unwrap()
}

fn message(dialect: &Dialect, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer::start(dialect, Mti::new(200).unwrap(), &mut out);
    writer.field(48, value).unwrap();
    writer.finish().unwrap();
    out
}

/// Key and value of each subfield, and how the walk ends.
#[track_caller]
fn check(dialect: &Dialect, value: &[u8], expect: &str) {
    let bytes = message(dialect, value);
    let message = Message::parse(dialect, &bytes).unwrap();
    let mut told = Vec::new();
    for subfield in message.subfields(48).unwrap() {
        told.push(match subfield {
            Ok(subfield) => {
                let at = subfield.offset;
                assert_eq!(&bytes[at..at + subfield.value.len()], subfield.value);
                let mut text = Vec::new();
                subfield.text_into(dialect, &mut text);
                format!("{}={}", subfield.key, text.escape_ascii())
            }
            Err(refusal) => refusal.to_string(),
        });
    }
    assert_eq!(told.join(", "), expect);
}

fn tags() -> Dialect {
    dialect(
        "type = \"ans\", length = \"LLL 0..99\"",
        "layout = \"tags\"\ntag = 2\nlength = 2\nrows = [{ key = \"CH\", name = \"\", type = \"a\", length = \"3\" }]",
    )
}

#[test]
fn tags_with_and_without_a_row() {
    let tags = tags();
    check(&tags, b"CH03POSzz00Z102??", "CH=POS, zz=, Z1=??");
    check(&tags, b"", "");
    check(
        &tags,
        b"C",
        "field 48 at byte 15: the bytes end before it does truncated",
    );
    check(
        &tags,
        b"CH",
        "field 48.CH at byte 17: the bytes end before it does truncated",
    );
    check(
        &tags,
        b"CH0",
        "field 48.CH at byte 17: the bytes end before it does truncated",
    );
    check(
        &tags,
        b"CH0?POS",
        "field 48.CH at byte 17: the length is not written in digits length-digits",
    );
    check(
        &tags,
        b"CH04POS",
        "field 48.CH at byte 15: the bytes end before it does truncated",
    );
    check(
        &tags,
        b"C?03POS",
        "field 48 at byte 15: the tag is not of letters and digits tag-characters",
    );
    check(
        &tags,
        b"ZZ01ZCH02PO",
        "ZZ=Z, field 48.CH at byte 24: shorter than 3 too-short",
    );
    check(
        &tags,
        b"CH04POST",
        "field 48.CH at byte 19: longer than 3 too-long",
    );
    check(
        &tags,
        b"CH03P0S",
        "field 48.CH at byte 20: not of type a character-set",
    );
}

#[test]
fn one_tag_is_found_without_looking_into_those_before_it() {
    let tags = tags();
    let bytes = message(&tags, b"CH01?Z101AZ101BCHXXPOS");
    let parsed = Message::parse(&tags, &bytes).unwrap();
    assert_eq!(parsed.tag(48, b"Z1"), Ok(Some(&b"A"[..])));
    assert_eq!(
        parsed.tag(48, b"CH").unwrap_err().rule,
        Rule::TooShort { min: 3 }
    );
    assert_eq!(parsed.tag(48, b"Z2").unwrap_err().rule, Rule::LengthDigits);
    assert_eq!(parsed.tag(48, b"LONGER"), Ok(None));
    assert_eq!(parsed.tag(47, b"CH"), Ok(None));
}

#[test]
fn tags_of_bytes_with_lengths_of_every_kind() {
    let form = |length| {
        dialect(
            "type = \"b\", length = \"LLL 0..99\"",
            &format!(
                "layout = \"tags\"\ntag = 2\nbinary_tag = true\nlength = 2\nlength_encoding = \"{length}\"\nrows = []"
            ),
        )
    };
    check(
        &form("binary"),
        b"\x01\xFF\x02ab\x00\x07\x00",
        "01FF=ab, 07=",
    );
    check(&form("bcd"), b"\x01\xFF\x10abcdefghij", "01FF=abcdefghij");
    check(
        &form("bcd"),
        b"\x01\xFF\x1Aab",
        "field 48.01FF at byte 17: the length is not written in digits length-digits",
    );
    check(&form("ebcdic"), b"\x01\xFF\xF0\xF2ab", "01FF=ab");
}

#[test]
fn positions_once_and_repeated() {
    let rows = "rows = [{ key = \"1\", name = \"\", type = \"n\", length = \"2\" }, { key = \"2\", name = \"\", type = \"a\", length = \"1\" }]";
    let once = dialect(
        "type = \"ans\", length = \"3\"",
        &format!("layout = \"positions\"\n{rows}"),
    );
    check(&once, b"12A", "1=12, 2=A");
    check(
        &once,
        b"1?A",
        "field 48.1 at byte 13: not of type n character-set",
    );
    let repeat = dialect(
        "type = \"ans\", length = \"LL 3..9\"",
        &format!("layout = \"positions\"\nrepeat = true\n{rows}"),
    );
    check(&repeat, b"12A34B", "1=12, 2=A, 1=34, 2=B");
    check(
        &repeat,
        b"12A3",
        "1=12, 2=A, field 48.1 at byte 17: the bytes end before it does truncated",
    );
}

#[test]
fn a_bitmap_of_its_own() {
    let rows = "rows = [{ key = \"2\", name = \"\", type = \"n\", length = \"2\" }, { key = \"8\", name = \"\", type = \"ans\", length = \"LL 1..9\" }]";
    let hex = dialect(
        "type = \"ans\", length = \"LLL 0..99\"",
        &format!("layout = \"bitmap\"\nbits = 8\nbitmap = \"hex\"\n{rows}"),
    );
    check(&hex, b"411202ab", "2=12, 8=ab");
    check(&hex, b"00", "");
    check(
        &hex,
        b"0",
        "field 48 at byte 15: the bytes end before it does truncated",
    );
    check(
        &hex,
        b"4g12",
        "field 48 at byte 15: the bitmap is not hexadecimal bitmap-digits",
    );
    check(
        &hex,
        b"4012x",
        "2=12, field 48 at byte 19: bytes are left over trailing-bytes",
    );
    check(
        &hex,
        b"80",
        "field 48.1 at byte 17: the field is not in the dialect unknown-field",
    );
    let binary = dialect(
        "type = \"b\", length = \"LLL 0..99\"",
        &format!("layout = \"bitmap\"\nbits = 8\nbitmap = \"binary\"\n{rows}"),
    );
    check(&binary, b"\x411202ab", "2=12, 8=ab");
}

#[test]
fn data_objects() {
    let tlv = dialect(
        "type = \"b\", length = \"LLL 0..99\"",
        "layout = \"tlv\"\nrows = [{ key = \"9C\", name = \"\", type = \"b\", length = \"1\" }]",
    );
    check(
        &tlv,
        b"\x9C\x01\x00\x5F\x2A\x02\x03\x98",
        "9C=\\x00, 5F2A=\\x03\\x98",
    );
    check(
        &tlv,
        b"\x9C\x02\x00\x00",
        "field 48.9C at byte 17: longer than 1 too-long",
    );
    check(
        &tlv,
        b"\x9C\x01\x00\x5F",
        "9C=\\x00, field 48 at byte 18: malformed BER-TLV tag tlv-tag",
    );
    check(
        &tlv,
        b"\x5F\x2A\x02\x03",
        "field 48 at byte 17: malformed BER-TLV length tlv-length",
    );
    let bytes = message(&tlv, b"\x9C\x01\x07\x9C\x01\x08");
    let parsed = Message::parse(&tlv, &bytes).unwrap();
    let found = parsed.subfield(48, Key::Binary(0x9C)).unwrap().unwrap();
    assert_eq!((found.value, found.offset), (&b"\x07"[..], 17));
}

#[test]
fn text_in_ebcdic_is_told_in_ascii() {
    let tags = dialect(
        "type = \"ans\", length = \"LLL 0..99\", encoding = \"ebcdic\"",
        "layout = \"tags\"\ntag = 2\nlength = 2\nrows = [{ key = \"CH\", name = \"\", type = \"a\", length = \"3\" }]",
    );
    check(&tags, b"CH03POSZ102??", "CH=POS, Z1=??");
    check(
        &tags,
        b"CH03P0S",
        "field 48.CH at byte 20: not of type a character-set",
    );
}

#[test]
fn packed_digits_are_read_from_their_text() {
    let packed = dialect(
        "type = \"n\", length = \"3\", encoding = \"bcd-right\"",
        "layout = \"positions\"\nrows = [{ key = \"1\", name = \"\", type = \"n\", length = \"1\" }, { key = \"2\", name = \"\", type = \"n\", length = \"2\" }]",
    );
    let bytes = message(&packed, b"123");
    let parsed = Message::parse(&packed, &bytes).unwrap();
    assert_eq!(parsed.subfields(48).err().unwrap().rule, Rule::Packed);
    parsed.check_subfields().unwrap();
    let told = crate::explain::explain(&parsed, crate::Unmask::No).unwrap();
    let values: Vec<_> = told.fields[0]
        .subfields
        .iter()
        .map(|item| item.value.clone().unwrap())
        .collect();
    assert_eq!(values, ["1", "23"]);
}
