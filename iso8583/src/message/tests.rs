use super::*;
use crate::{class::Class, write::Writer};

/// A purchase request without chip or PIN.
fn request() -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer::start(Dialect::national(), Mti::new(200).unwrap(), &mut out);
    for (field, value) in [
        (2, &b"4111111111111111"[..]),
        (4, b"000000125000"),
        (11, b"000123"),
        (37, b"632613000123"),
        (48, b"CH03POSEC0205"),
        (90, &[b'7'; 42]),
        (102, b"KZ86125KZT5004100100"),
        (128, &[0xA0, 1, 2, 3, 4, 5, 6, 7]),
    ] {
        writer.field(field, value).unwrap();
    }
    writer.finish().unwrap();
    out
}

/// The bytes are refused: field, offset, rule.
#[track_caller]
fn refuse(bytes: &[u8], expect: (u8, usize, Rule)) {
    let refusal = Message::parse(Dialect::national(), bytes).unwrap_err();
    assert_eq!(
        (refusal.field, refusal.offset as usize, refusal.rule),
        expect,
        "{refusal}"
    );
}

/// With some bytes changed.
fn with(bytes: &[u8], at: usize, change: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at..at + change.len()].copy_from_slice(change);
    bytes
}

#[test]
fn values_are_borrowed_from_the_bytes() {
    let bytes = request();
    let message = Message::parse(Dialect::national(), &bytes).unwrap();
    assert_eq!(message.mti(), Mti::new(200).unwrap());
    assert_eq!(
        message.fields(),
        FieldSet::of(&[2, 4, 11, 37, 48, 90, 102, 128])
    );
    assert_eq!(message.get(2), Some(&b"4111111111111111"[..]));
    assert_eq!(message.wire(2), Some(&b"164111111111111111"[..]));
    assert_eq!(message.wire(4), message.get(4));
    assert_eq!(message.number(4), Some(125_000));
    assert_eq!(message.number(48), None);
    assert_eq!(message.get(3), None);
    assert_eq!(
        (message.get(0), message.get(1), message.get(200)),
        (None, None, None)
    );
    assert_eq!(
        message.text(102, &mut [0; 28]),
        Some(&b"KZ86125KZT5004100100"[..])
    );
    assert_eq!(message.tag(48, b"EC"), Ok(Some(&b"05"[..])));
    assert_eq!(message.tag(48, b"TK"), Ok(None));
    assert_eq!(message.tag(61, b"001"), Ok(None));
    assert_eq!(message.part(90, 2), Ok(Some(&b"777777"[..])));
    assert_eq!(message.tlv(55).map(Iterator::count), None);
}

#[test]
fn fields_stand_one_behind_the_other() {
    let bytes = request();
    let message = Message::parse(Dialect::national(), &bytes).unwrap();
    let mut at = 20;
    for field in message.fields().iter() {
        assert_eq!(message.start_of(field), at, "{field}");
        at = message.span(field).end;
        assert_eq!(
            &bytes[message.start_of(field)..at],
            message.wire(field).unwrap()
        );
    }
    assert_eq!(at, bytes.len());
    // One that is not there would stand before the next that is.
    assert_eq!(message.start_of(3), message.start_of(4));
    assert_eq!(message.span(3).end, message.start_of(4));
    assert_eq!((message.start_of(0), message.start_of(1)), (20, 20));
    assert_eq!(message.start_of(127), message.start_of(128));
}

#[test]
fn the_code_stands_behind_what_it_covers() {
    let bytes = request();
    let message = Message::parse(Dialect::national(), &bytes).unwrap();
    let (covered, mac) = message.before_mac().unwrap();
    assert_eq!([covered, mac].concat(), bytes);
    assert_eq!(mac, [0xA0, 1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn a_code_in_field_64_with_fields_behind_it_is_none() {
    let mut bytes = Vec::new();
    let mut writer = Writer::start(Dialect::national(), Mti::new(800).unwrap(), &mut bytes);
    writer
        .field(64, &[7; 8])
        .unwrap()
        .field(70, b"301")
        .unwrap();
    writer.finish().unwrap();
    let message = Message::parse(Dialect::national(), &bytes).unwrap();
    assert_eq!(message.before_mac(), None);
}

#[test]
fn what_stands_before_the_fields() {
    let bytes = request();
    refuse(b"", (FIELD_MTI, 0, Rule::Truncated));
    refuse(b"020", (FIELD_MTI, 0, Rule::Truncated));
    refuse(
        &with(&bytes, 1, b"x"),
        (FIELD_MTI, 0, Rule::MessageTypeDigits),
    );
    refuse(
        &with(&bytes, 0, b"1"),
        (FIELD_MTI, 0, Rule::UnknownMessageType),
    );
    refuse(
        &with(&bytes, 0, b"0299"),
        (FIELD_MTI, 0, Rule::UnknownMessageType),
    );
    refuse(&bytes[..11], (FIELD_BITMAP, 4, Rule::Truncated));
    refuse(&bytes[..19], (FIELD_BITMAP, 12, Rule::Truncated));
    refuse(
        &with(&bytes, 12, &[0; 8]),
        (FIELD_BITMAP, 12, Rule::EmptyBitmap),
    );
    // Field 8 and field 65 are not in the dialect.
    refuse(
        &with(&bytes, 4, &[bytes[4] | 1]),
        (8, 50, Rule::UnknownField),
    );
    refuse(
        &with(&bytes, 12, &[bytes[12] | 0x80]),
        (65, 84, Rule::UnknownField),
    );
    let long = vec![b'0'; MESSAGE_BYTES_MAX + 1];
    refuse(&long, (FIELD_MTI, MESSAGE_BYTES_MAX, Rule::MessageTooLong));
}

#[test]
fn fields_that_are_wrong() {
    let bytes = request();
    refuse(&with(&bytes, 20, b"1x"), (2, 20, Rule::LengthDigits));
    refuse(
        &with(&bytes, 20, b"11"),
        (2, 20, Rule::TooShort { min: 12 }),
    );
    refuse(&with(&bytes, 20, b"20"), (2, 20, Rule::TooLong { max: 19 }));
    refuse(
        &with(&bytes, 25, b" "),
        (2, 25, Rule::CharacterSet(Class::Numeric)),
    );
    // A length that is wrong within its bounds moves what is behind it.
    refuse(&with(&bytes, 20, b"19"), (48, 71, Rule::LengthDigits));
    refuse(
        &with(&bytes, 57, b"-"),
        (37, 57, Rule::CharacterSet(Class::AlphaNumeric)),
    );
    refuse(
        &with(&bytes, 75, &[0x80]),
        (48, 75, Rule::CharacterSet(Class::Printable)),
    );
    let end = bytes.len();
    refuse(&bytes[..end - 1], (128, end - 8, Rule::Truncated));
    refuse(&[&bytes[..], &[0]].concat(), (128, end, Rule::Trailing));
}

/// The quick pass and the slow one agree on every message: whatever is changed in it, and wherever it ends.
#[test]
fn both_passes_agree() {
    for dialect in Dialect::BUILT_IN.map(|name| Dialect::built_in(name).unwrap()) {
        let mut bytes = sample(dialect);
        let length = bytes.len();
        for place in 0..length {
            let before = bytes[place];
            for byte in 0..=255 {
                bytes[place] = byte;
                agree(dialect, &bytes);
            }
            bytes[place] = before;
            agree(dialect, &bytes[..place]);
        }
    }
}

/// A message with a field of every shape, of lengths that stay small.
fn sample(dialect: &Dialect) -> Vec<u8> {
    let mut out = Vec::new();
    let mti = dialect.messages()[0].mti;
    let mut writer = Writer::start(dialect, mti, &mut out);
    for row in dialect.rows() {
        let (min, max) = row.shape.length.bounds();
        let units = usize::from(min).max(2).min(usize::from(max));
        let units = if row.shape.encoding == Encoding::Hex {
            units / 2
        } else {
            units
        };
        let mut value = vec![b'0'; units];
        if row.shape.class == Class::SignedAmount {
            value[0] = b'D';
        }
        writer.field(row.number, &value).unwrap();
    }
    writer.finish().unwrap();
    out
}

#[track_caller]
fn agree(dialect: &Dialect, bytes: &[u8]) {
    let Ok(Head { mti, fields, first }) = head(dialect, bytes) else {
        return;
    };
    let blank = Message {
        dialect,
        bytes,
        fields,
        mti,
        first,
        places: [Place::default(); 128],
    };
    let (mut quick, mut slow) = (blank.clone(), blank);
    let taken = scan::scan(
        dialect,
        bytes,
        fields,
        usize::from(first),
        &mut quick.places,
    );
    let decided = slow.go_over(usize::from(first));
    assert_eq!(taken, decided.is_ok(), "{decided:?}");
    if taken {
        for field in fields.iter() {
            assert_eq!(quick.get(field), slow.get(field), "field {field}");
        }
    }
}
