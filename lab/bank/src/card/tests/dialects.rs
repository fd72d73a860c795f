//! Hosts that speak other dialects, with each other and with national ones.

use torap_domain::card::Channel;
use torap_domain::{CardService, Time};
use torap_gateway::card::crosswalk::{Crossed, Toward};
use torap_hsm_sim::Cipher;
use torap_iso8583::{Dialect, Message};

use super::secured::{key_file, keys};
use super::{ACQUIRER, FakeSwitch, ISSUER, NOW, PREFIX, config, order, purchase};
use crate::card::message::Draft;
use crate::card::security::{MacVerdict, Security};
use crate::card::{CardHost, MessageClass, Order, Request, Side};

fn switch(acquirer: &str, issuer: &str) -> FakeSwitch {
    let hosts = [
        ("CASP", "722", "93987220", acquirer),
        ("HSBK", "601", PREFIX, issuer),
    ];
    let hosts = hosts.map(|(code, institution, prefix, dialect)| {
        let mut config = config(code, institution, prefix);
        config.dialect = Dialect::built_in(dialect).unwrap();
        CardHost::new(config, None)
    });
    FakeSwitch::new(hosts.into(), Time::parse(NOW).unwrap())
}

/// Every service, a refusal, silence, reversals in full and in part, a pre-authorisation with its completion, and totals.
#[track_caller]
fn a_day(acquirer: &str, issuer: &str) {
    let mut switch = switch(acquirer, issuer);
    for service in CardService::ALL {
        if *service == CardService::Cash {
            // Cash at a machine needs a PIN, which these hosts have no keys for.
            continue;
        }
        let has_amount = service.has_amount();
        let mut order = order(
            *service,
            Channel::Pos,
            if has_amount { "120.00" } else { "0.00" },
        );
        if *service == CardService::PurchaseWithCashBack {
            order.cash_back = Some("20.00".into());
        }
        let reference = switch.transact(order);
        let outcome = switch.outcome(&reference);
        assert!(outcome.starts_with("approved"), "{service}: {outcome}");
    }
    for (behaviour, expect) in [
        ("decline:54", "declined 54 0"),
        ("decline:1A", "declined 1A 0"),
        ("part:3.00", "approved 00 300"),
    ] {
        switch.behave(behaviour);
        let reference = switch.transact(Order {
            partial: true,
            ..purchase("7.00")
        });
        assert_eq!(switch.outcome(&reference), expect, "{behaviour}");
    }
    switch.behave("silent");
    let reference = switch.transact(purchase("8.00"));
    switch.pass(15);
    assert_eq!(switch.outcome(&reference), "declined 91 0");

    let reverse = |reference: &str, stands: Option<&str>| Request::Reverse {
        reference: reference.into(),
        stands: stands.map(str::to_string),
        request: false,
    };
    let first = switch.transact(purchase("9.00"));
    let second = switch.transact(purchase("10.00"));
    switch.ask(ACQUIRER, reverse(&first, None));
    switch.ask(ACQUIRER, reverse(&second, Some("4.00")));
    assert!(switch.outcome(&first).ends_with(" 0"));
    assert!(switch.outcome(&second).ends_with(" 400"));

    let hold = switch.transact(order(CardService::PreAuthorisation, Channel::Pos, "50.00"));
    switch.ask(
        ACQUIRER,
        Request::Complete {
            reference: hold,
            amount: "30.00".into(),
        },
    );
    let session = super::fake_switch::SESSION.to_string();
    switch.ask(
        ACQUIRER,
        Request::Reconcile {
            session,
            side: Side::Acquirer,
            advice: false,
            off_by_tiyn: 0,
        },
    );
    switch.all_is_well();
}

#[test]
fn an_acquirer_of_1987_with_a_national_issuer_has_a_whole_day() {
    a_day("iso87-ascii", "national");
}

#[test]
fn every_dialect_has_a_whole_day_with_every_other() {
    for acquirer in Dialect::BUILT_IN {
        for issuer in Dialect::BUILT_IN {
            a_day(acquirer, issuer);
        }
    }
}

#[test]
fn authorisations_of_an_exact_amount_stay_what_they_are() {
    for dialect in Dialect::BUILT_IN {
        let mut switch = switch(dialect, dialect);
        switch.transact(Order {
            class: Some(MessageClass::Authorisation),
            ..purchase("5.00")
        });
        let (_, forwarded) = switch
            .log
            .iter()
            .find(|(host, draft)| *host == ISSUER && draft.mti() == 100)
            .unwrap();
        assert_eq!(forwarded.text(24), "100");
    }
}

#[test]
fn macs_cover_the_bytes_of_the_hosts_own_dialect() {
    let now = Time::parse(NOW).unwrap();
    for mac in [Cipher::Aes, Cipher::Tdes] {
        let security = Security::new(keys(&key_file(Cipher::Tdes, mac)), true, 1);
        let mut sign_on = Draft::new(800);
        sign_on.set(7, "1121130405").set(11, "000001");
        sign_on.set(33, "722").set(70, "001");
        for name in Dialect::BUILT_IN {
            let dialect = Dialect::built_in(name).unwrap();
            let mut bytes = security.sealed(&sign_on, dialect, now).unwrap();
            let verdict = |bytes: &[u8]| {
                let crossed = Crossed::read(dialect, bytes, Toward::Host).unwrap();
                let message = Message::parse(Dialect::national(), crossed.national()).unwrap();
                let wire = crossed.wire().map(|wire| (wire.covered, wire.mac));
                security.mac_verdict_on(&message, wire)
            };
            assert_eq!(verdict(&bytes), MacVerdict::Good, "{name}");
            // The last digit of DE33, which every dialect has as it stands or packed.
            let covered = bytes.len() - 17;
            bytes[covered] ^= 1;
            if Message::parse(dialect, &bytes).is_ok() {
                assert_eq!(verdict(&bytes), MacVerdict::Bad, "{name}");
            }
            let without = sign_on.write(dialect, now).unwrap();
            assert_eq!(verdict(&without), MacVerdict::Missing, "{name}");
        }
    }
}
