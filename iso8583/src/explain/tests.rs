use super::*;
use crate::{mti::Mti, write::Writer};

#[track_caller]
fn check(fields: &[(u8, &[u8])], unmask: Unmask, expect: &[&str]) {
    let mut bytes = Vec::new();
    let mut writer = Writer::start(Dialect::national(), Mti::new(210).unwrap(), &mut bytes);
    for (field, value) in fields {
        writer.field(*field, value).unwrap();
    }
    writer.finish().unwrap();
    let message = Message::parse(Dialect::national(), &bytes).unwrap();
    let told = explain(&message, unmask).unwrap().to_string();
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines, expect);
}

#[test]
fn names_forms_places_values_and_meanings() {
    check(
        &[(11, b"000123"), (39, b"51"), (48, b"CH03POSZZ01?")],
        Unmask::No,
        &[
            "0210 Financial answer (national, 35 bytes)",
            " 11 System trace audit number (STAN) [n 6, bytes 12+6] 000123",
            " 39 Response code [an 2, bytes 18+2] 51 = Not enough funds",
            " 48 Additional data, tagged [ans LLL 4..999, bytes 20+15]",
            "    .CH Channel [bytes 27+3] POS = Terminal of a merchant",
            "    .ZZ (not in the table) [bytes 34+1] ?",
        ],
    );
}

#[test]
fn a_value_that_is_not_in_the_table_of_codes_has_no_meaning() {
    check(
        &[(39, b"ZZ")],
        Unmask::No,
        &[
            "0210 Financial answer (national, 14 bytes)",
            " 39 Response code [an 2, bytes 12+2] ZZ",
        ],
    );
}

#[test]
fn secrets_are_hidden_unless_they_are_asked_for() {
    let fields: [(u8, &[u8]); 2] = [
        (2, b"4000001234567899"),
        (55, b"\x57\x02\x41\x11\x71\x03\x57\x01\x41"),
    ];
    check(
        &fields,
        Unmask::No,
        &[
            "0210 Financial answer (national, 42 bytes)",
            "  2 Primary account number [n LL 12..19, bytes 12+18] 400000******7899",
            " 55 Chip data (EMV), BER-TLV [b LLL 3..512, bytes 30+12]",
            "    .57 Track 2 equivalent data [bytes 35+2] ****",
            "    .71 Issuer script template 1 [bytes 39+3] ******",
        ],
    );
    check(
        &fields,
        Unmask::Yes,
        &[
            "0210 Financial answer (national, 42 bytes)",
            "  2 Primary account number [n LL 12..19, bytes 12+18] 4000001234567899",
            " 55 Chip data (EMV), BER-TLV [b LLL 3..512, bytes 30+12]",
            "    .57 Track 2 equivalent data [bytes 35+2] 4111",
            "    .71 Issuer script template 1 [bytes 39+3] 570141",
        ],
    );
}

#[test]
fn the_inside_that_cannot_be_taken_apart_is_refused() {
    let mut bytes = Vec::new();
    let mut writer = Writer::start(Dialect::national(), Mti::new(210).unwrap(), &mut bytes);
    writer.field(48, b"CH09POS").unwrap();
    writer.finish().unwrap();
    let message = Message::parse(Dialect::national(), &bytes).unwrap();
    let refusal = explain(&message, Unmask::Yes).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "field 48.CH at byte 15: the bytes end before it does truncated"
    );
}

#[test]
fn an_explanation_shows_nothing_when_it_is_debugged() {
    let mut bytes = Vec::new();
    let mut writer = Writer::start(Dialect::national(), Mti::new(210).unwrap(), &mut bytes);
    writer.field(2, b"4000001234567899").unwrap();
    writer.finish().unwrap();
    let message = Message::parse(Dialect::national(), &bytes).unwrap();
    let told = explain(&message, Unmask::Yes).unwrap();
    assert_eq!(
        format!("{told:?} {:?}", told.fields),
        "Explanation(0210, 1 fields) [Item(2)]"
    );
}

#[test]
fn forms_are_told_as_the_tables_write_them() {
    let dialect = Dialect::iso93_bcd();
    let shape = |number| form(&dialect.field(number).unwrap().shape);
    assert_eq!(
        (shape(2), shape(3)),
        ("n LL 1..19".to_owned(), "n 6".to_owned())
    );
}
