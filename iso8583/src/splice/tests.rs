use super::*;
use crate::{dialect::Dialect, write::Writer};

fn request(dialect: &Dialect, mti: u16) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer::start(dialect, Mti::new(mti).unwrap(), &mut out);
    writer.field(4, b"000000125000").unwrap();
    writer.field(11, b"000123").unwrap();
    writer.field(48, b"CH03POSEC0205FS03042").unwrap();
    writer.finish().unwrap();
    out
}

#[track_caller]
fn check(change: &Change<'_>, expect: &[u8]) {
    let bytes = request(Dialect::national(), 200);
    let message = Message::parse(Dialect::national(), &bytes).unwrap();
    let mut out = b"before".to_vec();
    message.splice(&mut out, change).unwrap();
    assert_eq!(out, [b"before", expect].concat());
}

#[test]
fn nothing_changed_is_the_same_message() {
    check(&Change::default(), &request(Dialect::national(), 200));
}

#[test]
fn fields_are_set_added_and_removed() {
    let edits = [
        Edit::Set(2, b"4111111111111111"),
        Edit::Remove(4),
        Edit::Remove(7),
        Edit::Set(11, b"004711"),
        Edit::Set(49, b"398"),
    ];
    let expect =
        b"0200\x40\x20\0\0\0\x01\x80\x00164111111111111111004711020CH03POSEC0205FS03042398";
    check(
        &Change {
            edits: &edits,
            ..Change::default()
        },
        expect,
    );
}

#[test]
fn a_second_bitmap_comes_and_goes() {
    let edits = [Edit::Set(90, &[b'1'; 42])];
    let change = Change {
        mti: Mti::new(420),
        keep: FieldSet::of(&[11]),
        edits: &edits,
    };
    let expect = [
        &b"0420\x80\x20\0\0\0\0\0\0\0\0\0\x40\0\0\0\x00000123"[..],
        &[b'1'; 42],
    ]
    .concat();
    check(&change, &expect);
    let message = Message::parse(Dialect::national(), &expect).unwrap();
    let mut out = Vec::new();
    let change = Change {
        edits: &[Edit::Remove(90)],
        ..Change::default()
    };
    message.splice(&mut out, &change).unwrap();
    assert_eq!(out, b"0420\0\x20\0\0\0\0\0\x00000123");
}

#[test]
fn a_splice_that_cannot_be_leaves_nothing() {
    let bytes = request(Dialect::national(), 200);
    let message = Message::parse(Dialect::national(), &bytes).unwrap();
    let refuse = |change: Change<'_>, field, rule| {
        let mut out = b"before".to_vec();
        let refusal = message.splice(&mut out, &change).unwrap_err();
        assert_eq!((refusal.field, refusal.rule), (field, rule));
        assert_eq!(out, b"before");
    };
    let edits = |edits| Change {
        edits,
        ..Change::default()
    };
    refuse(edits(&[Edit::Remove(11), Edit::Remove(4)]), 4, Rule::Order);
    refuse(edits(&[Edit::Remove(4), Edit::Set(4, b"")]), 4, Rule::Order);
    refuse(edits(&[Edit::Set(11, b"1")]), 11, Rule::TooShort { min: 6 });
    refuse(edits(&[Edit::Set(8, b"1")]), 8, Rule::UnknownField);
    let other = Change {
        mti: Mti::new(1200),
        ..Change::default()
    };
    refuse(other, FIELD_MTI, Rule::UnknownMessageType);
}

#[test]
fn tags_change_in_their_places() {
    let bytes = request(Dialect::national(), 200);
    let message = Message::parse(Dialect::national(), &bytes).unwrap();
    let splice = |field, tags: &[(&[u8], Option<&[u8]>)]| {
        let mut out = b"=".to_vec();
        message
            .splice_tags(field, tags, &mut out)
            .map(|()| String::from_utf8(out).unwrap())
    };
    let tags: [(&[u8], Option<&[u8]>); 4] = [
        (b"SI", Some(b"03")),
        (b"EC", Some(b"07")),
        (b"CH", None),
        (b"TK", None),
    ];
    assert_eq!(splice(48, &tags).as_deref(), Ok("=EC0207FS03042SI0203"));
    assert_eq!(splice(48, &[]).as_deref(), Ok("=CH03POSEC0205FS03042"));
    assert_eq!(
        splice(63, &[(b"001", Some(b"R1"))]).as_deref(),
        Ok("=001002R1")
    );
    let all: [(&[u8], Option<&[u8]>); 3] = [(b"CH", None), (b"EC", None), (b"FS", None)];
    assert_eq!(splice(48, &all).as_deref(), Ok("="));
    let rule =
        |field, tag: &[u8], value: &[u8]| splice(field, &[(tag, Some(value))]).unwrap_err().rule;
    assert_eq!(rule(48, b"EC", b"5"), Rule::TooShort { min: 2 });
    assert_eq!(
        rule(48, b"EC", b"X5"),
        Rule::CharacterSet(crate::Class::Numeric)
    );
    assert_eq!(rule(48, b"E", b"05"), Rule::TagCharacters);
    assert_eq!(rule(48, b"QQ", &[b'x'; 100]), Rule::TooLong { max: 99 });
    assert_eq!(rule(55, b"EC", b"05"), Rule::NotStructured);
    assert_eq!(rule(8, b"EC", b"05"), Rule::UnknownField);
    assert_eq!(
        splice(48, &[(&b"CH"[..], None); 65]).unwrap_err().rule,
        Rule::TooLong { max: 64 }
    );
}

#[test]
fn a_tag_that_stands_twice_is_set_once() {
    let bytes = request(Dialect::national(), 200);
    let message = Message::parse(Dialect::national(), &bytes).unwrap();
    let mut twice = Vec::new();
    let edits = [Edit::Set(48, b"SD01aCH03POSSD01b")];
    message
        .splice(
            &mut twice,
            &Change {
                edits: &edits,
                ..Change::default()
            },
        )
        .unwrap();
    let message = Message::parse(Dialect::national(), &twice).unwrap();
    let mut out = Vec::new();
    message
        .splice_tags(48, &[(b"SD", Some(b"c"))], &mut out)
        .unwrap();
    assert_eq!(out, b"SD01cCH03POS");
}

#[test]
fn tags_in_ebcdic_change_as_text() {
    let bytes = request(Dialect::iso93_bcd(), 1200);
    let message = Message::parse(Dialect::iso93_bcd(), &bytes).unwrap();
    let mut value = Vec::new();
    message
        .splice_tags(48, &[(b"EC", Some(b"07"))], &mut value)
        .unwrap();
    assert_eq!(value, b"CH03POSEC0207FS03042");
    let mut out = Vec::new();
    let edits = [Edit::Set(48, &value)];
    message
        .splice(
            &mut out,
            &Change {
                edits: &edits,
                ..Change::default()
            },
        )
        .unwrap();
    let spliced = Message::parse(Dialect::iso93_bcd(), &out).unwrap();
    assert_eq!(spliced.tag(48, b"EC"), Ok(Some(&[0xF0, 0xF7][..])));
    assert_eq!(spliced.wire(4), message.wire(4));
}
