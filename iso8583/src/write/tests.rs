use super::*;

fn mti(number: u16) -> Mti {
    Mti::new(number).unwrap()
}

#[test]
fn one_bitmap_or_two() {
    let mut out = b"before".to_vec();
    let mut writer = Writer::start(Dialect::national(), mti(800), &mut out);
    writer
        .field(7, b"1121130405")
        .unwrap()
        .field(11, b"000001")
        .unwrap();
    writer.finish().unwrap();
    assert_eq!(out, b"before0800\x02\x20\0\0\0\0\0\x001121130405000001");
    let mut out = Vec::new();
    let mut writer = Writer::start(Dialect::national(), mti(800), &mut out);
    writer
        .field(11, b"000001")
        .unwrap()
        .field(70, b"301")
        .unwrap()
        .field(100, b"601")
        .unwrap();
    writer.finish().unwrap();
    assert_eq!(
        out,
        b"0800\x80\x20\0\0\0\0\0\0\x04\0\0\0\x10\0\0\x0000000130103601"
    );
}

#[test]
fn the_same_message_in_three_dialects() {
    let mut out = Vec::new();
    let mut writer = Writer::start(Dialect::iso87_ascii(), mti(800), &mut out);
    writer
        .field(11, b"000001")
        .unwrap()
        .field(70, b"301")
        .unwrap();
    writer.finish().unwrap();
    assert_eq!(out, b"080080200000000000000400000000000000000001301");
    let mut out = Vec::new();
    let mut writer = Writer::start(Dialect::iso93_bcd(), mti(1804), &mut out);
    writer
        .field(2, b"41111")
        .unwrap()
        .field(11, b"000001")
        .unwrap()
        .field(38, b"A1 9  ")
        .unwrap();
    writer.finish().unwrap();
    let text = [0xC1, 0xF1, 0x40, 0xF9, 0x40, 0x40];
    let expect = [
        &[
            0x18, 0x04, 0x40, 0x20, 0, 0, 4, 0, 0, 0, 5, 4, 0x11, 0x11, 0, 0, 1,
        ][..],
        &text,
    ]
    .concat();
    assert_eq!(out, expect);
}

#[test]
fn a_refused_field_leaves_the_message_as_it_was() {
    let mut out = Vec::new();
    let mut writer = Writer::start(Dialect::national(), mti(200), &mut out);
    writer.field(4, b"000000125000").unwrap();
    let mut refuse = |field, value: &[u8], rule| {
        assert_eq!(
            writer.field(field, value).unwrap_err(),
            Refusal::new(field, 0, rule)
        );
    };
    refuse(4, b"000000125000", Rule::Order);
    refuse(3, b"000000", Rule::Order);
    refuse(8, b"00000000", Rule::UnknownField);
    refuse(11, b"12345", Rule::TooShort { min: 6 });
    refuse(35, &[b'1'; 38], Rule::TooLong { max: 37 });
    refuse(
        37,
        b"<32613000123",
        Rule::CharacterSet(crate::Class::AlphaNumeric),
    );
    refuse(70, b"x01", Rule::CharacterSet(crate::Class::Numeric));
    writer.field(11, b"000123").unwrap();
    writer.finish().unwrap();
    assert_eq!(out, b"0200\x10\x20\0\0\0\0\0\x00000000125000000123");
}

#[test]
fn a_message_type_that_is_not_in_the_table_is_not_written() {
    let mut out = b"before".to_vec();
    let refusal = Writer::start(Dialect::national(), mti(1200), &mut out)
        .finish()
        .unwrap_err();
    assert_eq!(
        (refusal.field, refusal.rule),
        (FIELD_MTI, Rule::UnknownMessageType)
    );
    assert_eq!(out, b"before");
}
