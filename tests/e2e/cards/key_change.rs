//! Changes of zone keys that the switch begins: nothing is lost while they happen, and whatever goes wrong has a name.

use std::time::Instant;

use serde_json::Value;
use torap_bank::card::{Order, PinUse, Request};
use torap_node::control::{By, CardShow, Request as ControlRequest};

use super::lab::{CardLab, Keys, PATIENCE_MS, purchase};

fn by() -> By {
    By {
        operator: "test".into(),
        reference: "keys".into(),
    }
}

fn with_pin(card: u32) -> Order {
    Order {
        entry: None,
        pin: PinUse::Right,
        ..purchase(card, "10.00")
    }
}

fn order(code: &str) -> ControlRequest {
    ControlRequest::CardKeyChange {
        by: by(),
        code: code.into(),
        pin: false,
        mac: false,
        bits: None,
        overlap_hours: None,
    }
}

fn member(lab: &CardLab, code: &str) -> Value {
    let status = lab.show(CardShow::Status);
    let members = status["members"].as_array().expect("members");
    let member = members.iter().find(|member| member["participant"] == code);
    member.expect("a member").clone()
}

/// Asks until the member's column says so.
fn until(lab: &CardLab, code: &str, column: &str, wanted: &str, mut meanwhile: impl FnMut()) {
    let asked = Instant::now();
    loop {
        let member = member(lab, code);
        if member[column]
            .as_str()
            .is_some_and(|text| text.contains(wanted))
        {
            return;
        }
        let patient = asked.elapsed().as_millis() < u128::from(PATIENCE_MS);
        assert!(patient, "{wanted}: {member}");
        meanwhile();
    }
}

#[test]
fn keys_are_changed_under_traffic_and_nothing_is_lost() {
    let mut lab = CardLab::start(Keys::Macs);
    let pay = |lab: &CardLab| assert_eq!(lab.transact(with_pin(1)).1, "00");
    pay(&lab);
    // The operator changes the issuer's keys; the acquirer asks for its own.
    lab.client().must(&order("ISSB")).expect("an order");
    let action = "key-request".to_string();
    lab.ask("ACQB", Request::Network { action });
    for code in ["ISSB", "ACQB"] {
        until(&lab, code, "last_key_change", "set 2: in use", || pay(&lab));
    }
    for code in ["ISSB", "ACQB"] {
        let member = member(&lab, code);
        assert_eq!(member["key_set"], 2, "{member}");
        let before = member["key_set_before"].as_str();
        assert!(
            before.is_some_and(|text| text.starts_with("1 until ")),
            "{member}"
        );
    }
    pay(&lab);
    let wrong = Order {
        pin: PinUse::Wrong,
        ..with_pin(1)
    };
    assert_eq!(lab.transact(wrong).1, "55");
    lab.has_no_complaint();
    // Both sets, and what is in use, are there after a crash.
    lab.switch.take().expect("a switch").kill();
    lab.start_switch();
    for code in ["ISSB", "ACQB"] {
        lab.is_signed_on(code, true);
        assert_eq!(member(&lab, code)["key_set"], 2);
    }
    pay(&lab);
    lab.client().must(&order("ISSB")).expect("an order");
    until(&lab, "ISSB", "last_key_change", "set 3: in use", || {
        pay(&lab)
    });
    lab.has_no_complaint();
}

#[test]
fn whatever_goes_wrong_with_a_key_has_a_name_and_the_old_one_stays() {
    let mut lab = CardLab::start(Keys::Macs);
    let end = |lab: &CardLab, wanted: &str| {
        lab.client().must(&order("ISSB")).expect("an order");
        until(lab, "ISSB", "last_key_change", wanted, || ());
        assert_eq!(member(lab, "ISSB")["key_set"], 1);
        assert_eq!(lab.transact(with_pin(1)).1, "00");
    };
    lab.behave("ISSB", "key-wrong-value", 1);
    end(&lab, "set 2: the host found another check value");
    lab.behave("ISSB", "key-refuse:88", 1);
    end(&lab, "set 2: refused by the host with 88");
    // Nobody is there, and then the switch crashes: it goes on when the host comes back.
    lab.end_host("ISSB");
    lab.client().must(&order("ISSB")).expect("an order");
    until(
        &lab,
        "ISSB",
        "key_change",
        "PIN key of set 2 is being handed over",
        || (),
    );
    let twice = lab.client().ask(&order("ISSB")).expect("an answer");
    assert!(twice.is_err_and(|refusal| refusal.text.contains("under way")));
    lab.switch.take().expect("a switch").kill();
    lab.start_switch();
    lab.start_host("ISSB");
    until(&lab, "ISSB", "last_key_change", "set 2: in use", || ());
    lab.is_signed_on("ACQB", true);
    assert_eq!(lab.transact(with_pin(2)).1, "00");
    lab.has_no_complaint();
}

#[test]
fn without_an_hsm_a_change_waits_or_is_taken_back() {
    let mut lab = CardLab::start(Keys::Pins);
    let mut hsm = lab.hsm.take().expect("an HSM");
    let address = lab.show(CardShow::Status)["hsms"][0]["address"].clone();
    hsm.kill();
    lab.client().must(&order("ISSB")).expect("an order");
    until(
        &lab,
        "ISSB",
        "key_change",
        "an HSM is to make the keys",
        || (),
    );
    let cancel = ControlRequest::CardKeyCancel {
        by: by(),
        code: "ISSB".into(),
    };
    lab.client().must(&cancel).expect("taken back");
    until(&lab, "ISSB", "last_key_change", "taken back", || ());
    assert!(lab.client().ask(&cancel).expect("an answer").is_err());
    lab.client().must(&order("ISSB")).expect("an order");
    lab.start_hsm(address.as_str().expect("an address"));
    until(&lab, "ISSB", "last_key_change", "set 2: in use", || ());
    assert_eq!(lab.transact(with_pin(1)).1, "00");
    // The scheme's host has no keys that could be changed.
    let nothing = lab.client().ask(&order("SCHM")).expect("an answer");
    assert!(nothing.is_err_and(|refusal| refusal.text.contains("zmk")));
    lab.has_no_complaint();
}

/// Characters of the block of a member's MAC key of a set, as the switch keeps it.
fn mac_block_length(lab: &CardLab, code: &str, set: u64) -> usize {
    let text = std::fs::read_to_string(lab.path().join("card-keys.toml")).expect("the key file");
    let (mut member, mut number) = ("", 0);
    for line in text.lines() {
        let Some((key, value)) = line.split_once(" = ") else {
            continue;
        };
        let value = value.trim_matches('"');
        match key {
            "code" => member = value,
            "number" => number = value.parse().expect("a number"),
            "zak" if member == code && number == set => return value.len(),
            _ => {}
        }
    }
    panic!("{code} has no MAC key of set {set}")
}

#[test]
fn new_keys_are_as_long_as_ordered() {
    let lab = CardLab::start(Keys::Macs);
    let change = |bits, wanted: &str| {
        let ControlRequest::CardKeyChange { by, code, .. } = order("ISSB") else {
            panic!("an order");
        };
        let request = ControlRequest::CardKeyChange {
            by,
            code,
            pin: false,
            mac: true,
            bits,
            overlap_hours: None,
        };
        lab.client().must(&request).expect("an order");
        until(&lab, "ISSB", "last_key_change", wanted, || ());
        assert_eq!(lab.transact(with_pin(1)).1, "00");
    };
    change(Some(256), "set 2: in use");
    change(None, "set 3: in use");
    change(Some(128), "set 4: in use");
    change(None, "set 5: in use");
    let lengths: Vec<usize> = (2..6)
        .map(|set| mac_block_length(&lab, "ISSB", set))
        .collect();
    // Unless another length is ordered it stays.
    assert_eq!(lengths[0], lengths[1], "{lengths:?}");
    assert_eq!(lengths[2], lengths[3], "{lengths:?}");
    assert!(lengths[0] > lengths[2], "{lengths:?}");
    lab.has_no_complaint();
}
