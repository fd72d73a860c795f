//! Hosts that speak other dialects than the national one, through a real switch.

use torap_bank::card::{Order, PinUse, Request};

use super::lab::{CardLab, Keys, purchase};

/// Approvals, refusals, silence with its reversal, reversals in full and in part, a pre-authorisation with its completion.
fn a_day(keys: Keys, acquirer: &'static str, issuer: &'static str) {
    let lab = CardLab::start_speaking(keys, acquirer, issuer);
    let stands = |reference: &str| lab.transaction(reference)["stands"].as_u64().expect("tiyn");
    let (reference, code) = lab.transact(purchase(1, "200.00"));
    assert_eq!((code.as_str(), stands(&reference)), ("00", 20_000));
    let part = Request::Reverse {
        reference: reference.clone(),
        stands: Some("50.00".into()),
        request: false,
    };
    lab.ask("ACQB", part);
    lab.hears("ISSB", "0420", &reference);
    lab.behave("ISSB", "decline:54", 1);
    assert_eq!(lab.transact(purchase(1, "201.00")).1, "54");
    lab.behave("ISSB", "silent", 1);
    let order = Order {
        pin: if keys == Keys::Macs {
            PinUse::Right
        } else {
            PinUse::None
        },
        entry: None,
        service: "cash".into(),
        channel: "pos".into(),
        ..purchase(1, "202.00")
    };
    let (reference, code) = lab.transact(order);
    assert_eq!(code, "91");
    lab.hears("ISSB", "0420", &reference);
    let hold = Order {
        service: "pre-authorisation".into(),
        ..purchase(1, "100.00")
    };
    let (reference, code) = lab.transact(hold);
    assert_eq!(code, "00");
    let completed = lab.ask(
        "ACQB",
        Request::Complete {
            reference,
            amount: "80.00".into(),
        },
    );
    let completed = completed["reference"].as_str().expect("a reference");
    // The host's name of it is DE37 with the trace number behind.
    let reference = completed.split('/').next().unwrap_or_default();
    lab.hears("ISSB", "0220", reference);
    lab.has_no_complaint();
}

#[test]
fn an_acquirer_of_1987_pays_with_an_issuer_of_1993() {
    a_day(Keys::None, "iso87-ascii", "iso93-bcd");
}

#[test]
fn an_acquirer_of_1993_pays_with_a_national_issuer_under_macs() {
    a_day(Keys::Macs, "iso93-bcd", "national");
}

#[test]
fn an_acquirer_of_1987_pays_with_a_national_issuer_under_macs() {
    a_day(Keys::Macs, "iso87-ascii", "national");
}

/// A right and a wrong PIN, under keys that make the acquirer's block one format and the issuer's another.
fn pins_cross(acquirer: &'static str, issuer: &'static str, pins: [&str; 2]) {
    let lab = CardLab::start_with_pins(Keys::Pins, acquirer, issuer, pins);
    let with_pin = |pin, amount| Order {
        pin,
        entry: None,
        service: "cash".into(),
        channel: "pos".into(),
        ..purchase(1, amount)
    };
    assert_eq!(lab.transact(with_pin(PinUse::Right, "210.00")).1, "00");
    assert_eq!(lab.transact(with_pin(PinUse::Wrong, "211.00")).1, "55");
    lab.has_no_complaint();
}

#[test]
fn pin_blocks_of_format_4_cross_between_dialects_and_to_format_0() {
    pins_cross("iso87-ascii", "iso93-bcd", ["aes", "aes"]);
    pins_cross("iso93-bcd", "iso87-ascii", ["aes", "tdes"]);
    pins_cross("iso87-ascii", "national", ["tdes", "aes"]);
}
