//! PIN blocks and MACs between two hosts that share their keys, as if a switch had translated them.

use torap_domain::{CardService, Time, card::Channel};
use torap_hsm_sim::Cipher;
use torap_hsm_sim::ceremony::{KeyKinds, make_keys};
use torap_hsm_sim::key_file::BankKeyFile;
use torap_hsm_sim::machine::Machine;
use torap_hsm_sim::soft::{BankKeys, SoftVault};
use torap_iso8583::{Dialect, Message};

use super::{ACQUIRER, FakeSwitch, ISSUER, NOW, PREFIX, config, order};
use crate::card::control::PinUse;
use crate::card::message::Draft;
use crate::card::security::{MacVerdict, Security};
use crate::card::{CardHost, Order, Request};

pub(super) fn key_file(pin: Cipher, mac: Cipher) -> BankKeyFile {
    let vault = SoftVault::with_master(&[7; 32], [1; 32]).unwrap();
    let mut machine = Machine::new(vault).unwrap();
    let kinds = KeyKinds {
        pin,
        mac,
        ..KeyKinds::default()
    };
    make_keys(&mut machine, "CASP", kinds).unwrap().1
}

pub(super) fn keys(file: &BankKeyFile) -> Option<BankKeys> {
    Some(BankKeys::open(file, [3; 32]).unwrap())
}

fn switch(pin: Cipher) -> FakeSwitch {
    let file = key_file(pin, Cipher::Aes);
    let hosts = [("CASP", "722", "93987220"), ("HSBK", "601", PREFIX)];
    let hosts = hosts.map(|(code, institution, prefix)| {
        CardHost::new(config(code, institution, prefix), keys(&file))
    });
    FakeSwitch::new(hosts.into(), Time::parse(NOW).unwrap())
}

fn cash(pin: PinUse) -> Order {
    Order {
        pin,
        ..order(CardService::Cash, Channel::Atm, "50.00")
    }
}

#[test]
fn right_wrong_and_unreadable_pins() {
    for cipher in [Cipher::Tdes, Cipher::Aes] {
        let mut switch = switch(cipher);
        for (pin, expect) in [
            (PinUse::Right, "approved 00 5000"),
            (PinUse::Wrong, "declined 55 0"),
            (PinUse::Garbage, "declined 81 0"),
            (PinUse::Right, "approved 00 5000"),
        ] {
            let reference = switch.transact(cash(pin));
            assert_eq!(switch.outcome(&reference), expect);
        }
        switch.all_is_well();
    }
}

#[test]
fn pin_formats_that_go_with_the_key() {
    let mut switch = switch(Cipher::Tdes);
    for format in [0, 1, 3] {
        let reference = switch.transact(Order {
            pin_format: Some(format),
            ..cash(PinUse::Right)
        });
        assert_eq!(switch.outcome(&reference), "approved 00 5000");
    }
    let refused = Order {
        pin_format: Some(4),
        ..cash(PinUse::Right)
    };
    let now = switch.now;
    let refused = switch.hosts[ACQUIRER].handle(Request::Transact(refused), now);
    assert!(refused.is_err());
    switch.all_is_well();
}

#[test]
fn every_message_but_an_echo_carries_its_mac() {
    for mac in [Cipher::Aes, Cipher::Tdes] {
        let file = key_file(Cipher::Tdes, mac);
        let security = Security::new(keys(&file), true, 1);
        let mut echo = Draft::new(800);
        echo.set(7, "1121130405").set(11, "000001").set(33, "722");
        let mut sign_on = echo.clone();
        echo.set(70, "301");
        sign_on.set(70, "001");
        let (national, now) = (Dialect::national(), Time::parse(NOW).unwrap());
        let bytes = security.sealed(&echo, national, now).unwrap();
        let message = Message::parse(national, &bytes).unwrap();
        assert!(!message.has(128));
        assert_eq!(security.mac_verdict(&message), MacVerdict::NotAgreed);
        let mut bytes = security.sealed(&sign_on, national, now).unwrap();
        let verdict = |bytes: &[u8]| {
            let message = Message::parse(national, bytes).unwrap();
            security.mac_verdict(&message)
        };
        assert_eq!(verdict(&bytes), MacVerdict::Good);
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        assert_eq!(verdict(&bytes), MacVerdict::Bad);
        let without = sign_on.write(national, now).unwrap();
        assert_eq!(verdict(&without), MacVerdict::Missing);
        for (code, expect) in [("00", MacVerdict::Missing), ("96", MacVerdict::NotAgreed)] {
            let mut answer = sign_on.retyped(810);
            answer.set(39, code);
            let without = answer.write(national, now).unwrap();
            assert_eq!(verdict(&without), expect, "a sign-on answered with {code}");
        }
    }
}

#[test]
fn nothing_that_is_shown_holds_a_card_number() {
    let mut switch = switch(Cipher::Tdes);
    switch.transact(cash(PinUse::Right));
    let card = crate::card::TestCard::new(PREFIX, 3).unwrap();
    for host in [ACQUIRER, ISSUER] {
        for request in [
            Request::Transactions,
            Request::Issued,
            Request::Books,
            Request::Totals,
            Request::Messages { since: 0 },
        ] {
            let shown = switch.ask(host, request).to_string();
            assert!(!shown.contains(card.pan()), "{shown}");
        }
        let debug = format!("{:?}", switch.hosts[host]);
        assert!(!debug.contains(card.pan()), "{debug}");
    }
}
