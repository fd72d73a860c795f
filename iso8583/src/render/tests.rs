use super::*;
use crate::{dialect::Dialect, mti::Mti, write::Writer};

fn message(fields: &[(u8, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer::start(Dialect::national(), Mti::new(200).unwrap(), &mut out);
    for (field, value) in fields {
        writer.field(*field, value).unwrap();
    }
    writer.finish().unwrap();
    out
}

#[track_caller]
fn check(fields: &[(u8, &[u8])], expect: &str) {
    let bytes = message(fields);
    let parsed = Message::parse(Dialect::national(), &bytes).unwrap();
    assert_eq!(format!("{parsed:?}"), expect);
}

#[test]
fn debug_is_masked() {
    check(
        &[
            (2, b"4111111111111111"),
            (11, b"000123"),
            (35, b"4111111111111111=2812"),
            (48, b"CH03WEBCV03123TK164111111111111111"),
            (52, &[0xAB; 8]),
            (
                55,
                &[
                    0x9C, 1, 0, 0x57, 2, 0x41, 0x11, 0x71, 3, 0x57, 1, 0x41, 0x72, 3, 0x9C, 1, 0,
                ],
            ),
        ],
        "0200 {2: 411111******1111, 11: 000123, 35: *********************, \
         48: {CH: WEB, CV: ***, TK: 411111******1111}, 52: ****************, \
         55: {9C: 00, 57: ****, 71: ******, 72: 9C0100}}",
    );
}

#[test]
fn what_cannot_be_taken_apart_is_not_shown() {
    check(
        &[(48, b"CV03123TK"), (55, &[0x5A, 9, 0x41])],
        "0200 {48: (truncated), 55: (tlv-length)}",
    );
}

#[test]
fn other_debug_output_shows_no_value() {
    let bytes = message(&[(48, b"CV03123"), (55, &[0x5A, 1, 0x41])]);
    let message = Message::parse(Dialect::national(), &bytes).unwrap();
    let subfield = message.subfields(48).unwrap().next().unwrap().unwrap();
    assert_eq!(format!("{subfield:?}"), "CV(3 bytes)");
    let object = message.tlv(55).unwrap().next().unwrap().unwrap();
    assert_eq!(format!("{object:?}"), "5A(1 bytes)");
    assert_eq!(
        format!("{:?}", crate::Edit::Set(52, &[1; 8])),
        "Set(52, 8 bytes)"
    );
    let edits = [crate::Edit::Set(52, &[1; 8])];
    let change = crate::Change {
        keep: crate::FieldSet::of(&[2, 3]),
        edits: &edits,
        ..crate::Change::default()
    };
    assert_eq!(format!("{change:?}"), "Change(None, keep {2 3}, edit [52])");
}
