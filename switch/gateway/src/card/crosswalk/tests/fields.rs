//! What stands where, by the documented places.

use torap_iso8583::{Dialect, Message, Mti};

use super::samples::{Values, values, written};
use crate::card::crosswalk::{Toward, covered, from_national, put_mac, to_national};
use crate::card::fixtures::{self, Fields, fields, now, purchase_with};

/// A national message in another dialect, as text.
fn there(dialect: &Dialect, mti: u16, list: &Fields, toward: Toward) -> String {
    let bytes = fixtures::written(mti, list);
    let message = Message::parse(Dialect::national(), &bytes).unwrap();
    let mut out = Vec::new();
    from_national(&message, dialect, toward, now(), &mut out)
        .unwrap_or_else(|refusal| panic!("{refusal}"));
    shown(dialect, &out)
}

/// A message of another dialect in the national one, as text.
fn here(dialect: &Dialect, mti: u16, list: &[(u8, &str)]) -> Result<String, String> {
    let list: Values = fields(list).into_iter().collect();
    let bytes = written(dialect, Mti::new(mti).unwrap(), &list);
    let message = Message::parse(dialect, &bytes).unwrap();
    let mut out = Vec::new();
    to_national(&message, Toward::Switch, &mut out).map_err(|refusal| refusal.to_string())?;
    Ok(shown(Dialect::national(), &out))
}

fn shown(dialect: &Dialect, bytes: &[u8]) -> String {
    let message = Message::parse(dialect, bytes).unwrap();
    let mut text = message.mti().to_string();
    for (field, value) in values(&message) {
        text.push_str(&format!(" {field}={}", value.escape_ascii()));
    }
    text
}

#[test]
fn a_purchase_of_1993() {
    let list = purchase_with(&[(26, "06"), (53, "0000000401000004"), (28, "D00000500")]);
    assert_eq!(
        there(Dialect::iso93_bcd(), 200, &list, Toward::Switch),
        "1200 2=9999994712360013 3=000000 4=000000150000 7=1121130405 11=000417 12=261121180405 14=2912 22=010101200006 \
         24=200 26=5411 32=601 35=9999994712360013=29122011432100000 37=632613000417 41=TERM0001 42=SHOP00000000001 \
         43=TEST SHOP                ALMATY       KZ 46=00398D0000050000000000C00000000000 48=CH03POSCV03123 49=398 \
         53=\\x00\\x00\\x00\\x04\\x01\\x00\\x00\\x04 61=001004TILL"
    );
}

#[test]
fn a_reversal_in_part_of_1993() {
    let list = fields(&[
        (2, fixtures::PAN),
        (3, "000000"),
        (4, "000000150000"),
        (7, "1121130505"),
        (11, "000418"),
        (12, "180505"),
        (13, "1121"),
        (15, "0101"),
        (24, "401"),
        (32, "601"),
        (37, "632613000417"),
        (39, "17"),
        (41, "TERM0001"),
        (42, "SHOP00000000001"),
        (49, "398"),
        (90, "020000041712312359590000000060100000000000"),
        (95, "000000050000000000000000C00000000C00000000"),
    ]);
    assert_eq!(
        there(Dialect::iso93_bcd(), 420, &list, Toward::Host),
        // The original of 31 December is of this year, the session of 1 January is of the next.
        "1420 2=9999994712360013 3=000000 4=000000050000 7=1121130505 11=000418 12=261121180505 15=270101 24=401 25=4000 \
         30=000000150000000000000000 32=601 37=632613000417 41=TERM0001 42=SHOP00000000001 49=398 \
         56=120000041726123123595903601"
    );
}

#[test]
fn network_messages_of_1993_have_their_purpose_in_the_function_code() {
    for (purpose, function) in [
        ("001", "801"),
        ("002", "802"),
        ("101", "811"),
        ("161", "891"),
        ("162", "892"),
        ("201", "821"),
        ("301", "831"),
    ] {
        let list = fields(&[
            (7, "1121130405"),
            (11, "000001"),
            (33, "900"),
            (70, purpose),
        ]);
        assert_eq!(
            there(Dialect::iso93_bcd(), 800, &list, Toward::Host),
            format!("1804 7=1121130405 11=000001 12=261121130405 24={function} 33=900")
        );
        let list = [
            (7, "1121130405"),
            (11, "000001"),
            (12, "261121180405"),
            (24, function),
            (33, "601"),
        ];
        assert_eq!(
            here(Dialect::iso93_bcd(), 1804, &list).unwrap(),
            format!("0800 7=1121130405 11=000001 12=180405 13=1121 33=601 70={purpose}")
        );
    }
    let list = [(11, "000001"), (12, "261121180405"), (24, "850")];
    assert_eq!(
        here(Dialect::iso93_bcd(), 1804, &list).unwrap(),
        "0800 11=000001 12=180405 13=1121 70=850"
    );
}

#[test]
fn a_cut_over_and_totals_of_1993_have_the_session_in_de28() {
    let list = fields(&[
        (7, "1121130405"),
        (11, "000001"),
        (15, "1122"),
        (33, "900"),
        (70, "201"),
    ]);
    assert_eq!(
        there(Dialect::iso93_bcd(), 800, &list, Toward::Host),
        "1804 7=1121130405 11=000001 12=261121130405 24=821 28=261122 33=900"
    );
    for (action, code, settlement) in [
        ("500", "00", "1"),
        ("501", "95", "2"),
        ("502", "95", "2"),
        ("503", "95", "3"),
    ] {
        let list = [
            (7, "1121130405"),
            (11, "000001"),
            (28, "261121"),
            (39, action),
        ];
        assert_eq!(
            here(Dialect::iso93_bcd(), 1530, &list).unwrap(),
            format!("0530 7=1121130405 11=000001 15=1121 39={code} 66={settlement}")
        );
    }
}

#[test]
fn the_stop_list_of_1993_has_its_action_in_the_function_code() {
    for (function, action) in [("301", "1"), ("302", "2"), ("303", "3"), ("305", "5")] {
        let list = [
            (2, fixtures::PAN),
            (7, "1121130405"),
            (11, "000001"),
            (24, function),
            (33, "601"),
            (101, "STOPLIST"),
            (120, "RS0201"),
        ];
        assert_eq!(
            here(Dialect::iso93_bcd(), 1304, &list).unwrap(),
            format!(
                "0302 2={} 7=1121130405 11=000001 33=601 91={action} 101=STOPLIST 120=RS0201",
                fixtures::PAN
            )
        );
    }
}

#[test]
fn a_host_of_plain_1987_needs_no_function_code_and_no_channel() {
    let plain = |changes: &[(u8, &'static str)]| {
        let mut list = vec![
            (3, "000000"),
            (4, "000000150000"),
            (7, "1121130405"),
            (11, "000417"),
            (18, "5411"),
            (22, "901"),
        ];
        list.extend(changes);
        list
    };
    let check = |mti, changes: &[(u8, &'static str)], expected: &str| {
        let text = here(Dialect::iso87_ascii(), mti, &plain(changes)).unwrap();
        assert!(text.ends_with(expected), "{text}");
    };
    // Its own DE24 is the network's, and says nothing here.
    check(200, &[(24, "003")], "22=901 24=200 48=CH03POS");
    check(100, &[], "22=901 24=100 48=CH03POS");
    check(100, &[(48, "FN03101")], "22=901 24=101 48=CH03POS");
    check(
        200,
        &[(48, "EC0205"), (49, "398")],
        "24=200 48=EC0205CH03POS 49=398",
    );
    check(
        220,
        &[
            (38, "A00001"),
            (90, "020000041711211304050000000060100000000000"),
        ],
        "24=202 38=A00001 48=CH03POS 90=020000041711211304050000000060100000000000",
    );
    let list = [(3, "010000"), (18, "6011"), (22, "051")];
    let text = here(Dialect::iso87_ascii(), 200, &list).unwrap();
    assert_eq!(text, "0200 3=010000 18=6011 22=051 24=200 48=CH03ATM");
    let list = [(3, "310000"), (22, "811")];
    let text = here(Dialect::iso87_ascii(), 100, &list).unwrap();
    assert_eq!(text, "0100 3=310000 22=811 24=108 48=CH03WEB");
}

#[test]
fn a_refusal_names_the_field_of_the_hosts_own_message() {
    let list = [(2, "999999"), (3, "000000")];
    let refused = here(Dialect::iso93_bcd(), 1200, &list).unwrap_err();
    assert_eq!(refused, "field 2 at byte 0: shorter than 12 too-short");
    let list = [(3, "000000"), (126, "short")];
    let refused = here(Dialect::iso93_bcd(), 1200, &list).unwrap_err();
    assert_eq!(refused, "field 126 at byte 0: shorter than 17 too-short");
    let list = [(3, "000000"), (56, "12000004172612312359590460")];
    let refused = here(Dialect::iso93_bcd(), 1420, &list).unwrap_err();
    assert_eq!(
        refused,
        "field 56 at byte 0: the length is not written in digits length-digits"
    );
    let refused = here(Dialect::iso93_bcd(), 1824, &[(11, "000001")]).unwrap_err();
    assert_eq!(
        refused,
        "message type at byte 0: the message type is not in the dialect unknown-message-type"
    );
}

#[test]
fn a_mac_has_its_room_at_the_end_in_the_encoding_of_the_dialect() {
    let mut list = purchase_with(&[]);
    list.push((64, vec![0; 8]));
    let bytes = fixtures::written(200, &list);
    let national = Message::parse(Dialect::national(), &bytes).unwrap();
    for dialect in [
        Dialect::national(),
        Dialect::iso87_ascii(),
        Dialect::iso93_bcd(),
    ] {
        let mut out = Vec::new();
        from_national(&national, dialect, Toward::Host, now(), &mut out).unwrap();
        let before = covered(dialect, &out).to_vec();
        let mac = *b"\x01\x9a\xbc\xde\xf0\xff\x00\x7f";
        assert!(put_mac(dialect, &mut out, mac));
        let message = Message::parse(dialect, &out).unwrap();
        assert_eq!(message.before_mac().unwrap().0, before);
        assert_eq!(message.text(64, &mut [0; 8]).unwrap(), mac);
    }
    assert!(!put_mac(Dialect::iso87_ascii(), &mut [0; 15], [0; 8]));
}
