use super::*;
use crate::{
    dialect::Dialect,
    splice::{Change, Edit},
    write::Writer,
};

/// A purchase with a magnetic stripe that is in order at the acquirer's door.
const PURCHASE: [(u8, &[u8]); 20] = [
    (2, b"4111111111111111"),
    (3, b"000000"),
    (4, b"000000125000"),
    (7, b"1121130405"),
    (11, b"000123"),
    (12, b"180405"),
    (13, b"1121"),
    (18, b"5411"),
    (22, b"901"),
    (24, b"200"),
    (25, b"00"),
    (32, b"601"),
    (35, b"4111111111111111=2812"),
    (37, b"632613000123"),
    (41, b"T0000012"),
    (42, b"M00000000000012"),
    (43, b"Magnum                   Almaty       KZ"),
    (48, b"CH03POS"),
    (49, b"398"),
    (64, &[0; 8]),
];

fn message(mti: u16, fields: &[(u8, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer::start(Dialect::national(), Mti::new(mti).unwrap(), &mut out);
    for (field, value) in fields {
        writer.field(*field, value).unwrap();
    }
    writer.finish().unwrap();
    out
}

/// The purchase with some fields changed is refused at the acquirer's door: field and code; or it is in order.
#[track_caller]
fn check(edits: &[Edit<'_>], expect: Result<(), (u8, &str)>) {
    let bytes = message(200, &PURCHASE);
    let mut out = Vec::new();
    let change = Change {
        edits,
        ..Change::default()
    };
    Message::parse(Dialect::national(), &bytes)
        .unwrap()
        .splice(&mut out, &change)
        .unwrap();
    let message = Message::parse(Dialect::national(), &out).unwrap();
    let found = check_step(&message, Step::FromAcquirer);
    assert_eq!(
        found
            .as_ref()
            .map_err(|error| (error.field(), error.code()))
            .copied(),
        expect
    );
}

#[test]
fn a_purchase_is_in_order() {
    check(&[], Ok(()));
}

#[test]
fn fields_that_are_missing_or_have_no_business_there() {
    check(
        &[Edit::Remove(3), Edit::Remove(4)],
        Err((3, "missing-field")),
    );
    check(&[Edit::Remove(41)], Err((41, "missing-field")));
    check(&[Edit::Set(15, b"1121")], Err((15, "forbidden-field")));
    check(&[Edit::Set(63, b"001001x")], Err((63, "forbidden-field")));
    check(
        &[Edit::Remove(3), Edit::Set(63, b"001001x")],
        Err((3, "missing-field")),
    );
}

#[test]
fn rules_of_a_purchase() {
    let pin = [7; 8];
    let long = [7; 16];
    check(&[Edit::Set(2, b"4111111111111112")], Err((2, "luhn")));
    check(&[Edit::Set(22, b"051")], Err((55, "chip")));
    check(
        &[Edit::Set(22, b"051"), Edit::Set(55, &[0x9C, 1, 0])],
        Ok(()),
    );
    check(&[Edit::Remove(35)], Err((35, "stripe")));
    check(
        &[Edit::Remove(35), Edit::Set(45, b"B4111111111111111^X^2812")],
        Ok(()),
    );
    check(&[Edit::Set(22, b"010"), Edit::Remove(35)], Ok(()));
    check(&[Edit::Set(52, &pin)], Err((53, "pin")));
    check(
        &[Edit::Set(52, &pin), Edit::Set(53, b"0000000100000000")],
        Ok(()),
    );
    let both = [
        Edit::Set(52, &pin),
        Edit::Set(53, b"0400000100000000"),
        Edit::Remove(64),
        Edit::Set(110, &long),
    ];
    check(&both, Err((110, "pin")));
    let format_4 = [
        Edit::Set(53, b"0400000100000000"),
        Edit::Remove(64),
        Edit::Set(110, &long),
    ];
    check(&format_4, Ok(()));
    check(
        &[Edit::Set(3, b"010000"), Edit::Set(18, b"6011")],
        Err((52, "cash-machine")),
    );
    check(&[Edit::Set(3, b"010000")], Ok(()));
    check(&[Edit::Set(48, b"FS03042")], Err((48, "channel")));
    check(&[Edit::Set(48, b"CH02PO")], Err((48, "channel")));
    check(
        &[Edit::Set(22, b"810"), Edit::Set(48, b"CH03WEB")],
        Err((48, "web")),
    );
    check(
        &[Edit::Set(22, b"810"), Edit::Set(48, b"CH03WEBEC0205")],
        Ok(()),
    );
    check(&[Edit::Set(3, b"090000")], Err((54, "cash-back")));
    check(&[Edit::Set(3, b"400000")], Err((102, "transfer")));
    check(&[Edit::Set(3, b"500000")], Err((127, "payment")));
    check(&[Edit::Set(3, b"260000")], Err((48, "sender")));
    check(
        &[Edit::Set(3, b"260000"), Edit::Set(48, b"CH03MOBSN05Aidar")],
        Ok(()),
    );
}

#[test]
fn the_code_has_its_place() {
    check(&[Edit::Set(100, b"601")], Err((64, "mac-place")));
    check(
        &[Edit::Remove(64), Edit::Set(128, &[0; 8])],
        Err((128, "mac-place-64")),
    );
    let with_128 = [
        Edit::Remove(64),
        Edit::Set(100, b"601"),
        Edit::Set(128, &[0; 8]),
    ];
    check(&with_128, Ok(()));
}

#[test]
fn a_message_has_business_at_some_steps_only() {
    let bytes = message(210, &[(11, b"000123")]);
    let answer = Message::parse(Dialect::national(), &bytes).unwrap();
    let error = check_step(&answer, Step::FromAcquirer).unwrap_err();
    assert_eq!(
        error,
        StepError::NotExpected {
            mti: Mti::new(210).unwrap(),
            step: Step::FromAcquirer
        }
    );
    assert_eq!(
        error.to_string(),
        "message type 0210 is not expected at step from-acquirer not-expected"
    );
    assert_eq!(
        check_step(&answer, Step::FromIssuer),
        Err(StepError::Missing { field: 3 })
    );
}

#[test]
fn answers_reversals_and_network_management() {
    let national = |mti, fields: &[(u8, &[u8])], step| {
        let bytes = message(mti, fields);
        let message = Message::parse(Dialect::national(), &bytes).unwrap();
        check_step(&message, step).map_err(|error| (error.field(), error.code().to_owned()))
    };
    let refused = |field, code: &str| Err((field, code.to_owned()));
    let answer = |code: &'static [u8]| -> Vec<(u8, &[u8])> {
        vec![
            (3, b"000000"),
            (4, b"000000125000"),
            (7, b"1121130405"),
            (11, b"000123"),
            (32, b"601"),
            (37, b"632613000123"),
            (39, code),
            (41, b"T0000012"),
            (49, b"398"),
        ]
    };
    assert_eq!(national(210, &answer(b"51"), Step::FromIssuer), Ok(()));
    assert_eq!(
        national(210, &answer(b"00"), Step::FromIssuer),
        refused(38, "approved")
    );
    assert_eq!(
        national(210, &answer(b"00"), Step::ToAcquirer),
        refused(38, "approved")
    );
    assert_eq!(national(430, &answer(b"00"), Step::ToAcquirer), Ok(()));
    let mut reversal: Vec<(u8, &[u8])> = PURCHASE
        .iter()
        .copied()
        .filter(|(field, _)| !matches!(field, 24 | 35 | 64))
        .collect();
    reversal.extend([(24, &b"401"[..]), (90, &[b'1'; 42])]);
    reversal.sort();
    assert_eq!(
        national(420, &reversal, Step::FromAcquirer),
        refused(95, "partial-reversal")
    );
    let network = |code: &'static [u8]| -> Vec<(u8, &[u8])> {
        vec![
            (7, b"1121130405"),
            (11, b"000123"),
            (33, b"601"),
            (70, code),
        ]
    };
    assert_eq!(
        national(800, &network(b"301"), Step::FromParticipant),
        Ok(())
    );
    assert_eq!(
        national(800, &network(b"201"), Step::ToParticipant),
        refused(15, "cut-over")
    );
    assert_eq!(
        national(800, &network(b"101"), Step::ToParticipant),
        refused(53, "key-change")
    );
    assert_eq!(
        national(800, &network(b"161"), Step::ToParticipant),
        refused(53, "key-in-use")
    );
}

#[test]
fn the_check_digit_of_packed_digits() {
    let mut out = Vec::new();
    let mut writer = Writer::start(Dialect::iso93_bcd(), Mti::new(1130).unwrap(), &mut out);
    for (field, value) in [
        (2, &b"378282246310005"[..]),
        (11, b"000123"),
        (12, b"261121180405"),
        (39, b"000"),
    ] {
        writer.field(field, value).unwrap();
    }
    writer.finish().unwrap();
    let message = Message::parse(Dialect::iso93_bcd(), &out).unwrap();
    assert_eq!(check_step(&message, Step::ToAcquirer), Ok(()));
    let mut wrong = Vec::new();
    let edits = [Edit::Set(2, b"378282246310006")];
    message
        .splice(
            &mut wrong,
            &Change {
                edits: &edits,
                ..Change::default()
            },
        )
        .unwrap();
    let message = Message::parse(Dialect::iso93_bcd(), &wrong).unwrap();
    assert_eq!(
        check_step(&message, Step::ToAcquirer).unwrap_err().code(),
        "luhn"
    );
}

#[test]
fn names_of_steps_lead_back() {
    for step in Step::ALL {
        assert_eq!(Step::named(step.name()), Some(step));
    }
    assert_eq!(Step::named("from-nobody"), None);
}
