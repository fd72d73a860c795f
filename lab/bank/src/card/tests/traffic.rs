//! Transactions and what becomes of them.

use torap_domain::card::Channel;
use torap_domain::{CardService, Time};

use super::{ACQUIRER, ISSUER, PREFIX, order, purchase, switch};
use crate::card::{Order, Request};

#[test]
fn every_service_at_every_channel_obeys_the_rules_of_its_step() {
    let mut switch = switch();
    for service in CardService::ALL {
        for channel in Channel::ALL {
            let amount = if service.has_amount() {
                "120.00"
            } else {
                "0.00"
            };
            let mut order = order(*service, *channel, amount);
            if *service == CardService::PurchaseWithCashBack {
                order.cash_back = Some("20.00".into());
            }
            if *service == CardService::Cash && *channel == Channel::Atm {
                // Cash at a machine needs a PIN, which these hosts have no keys for.
                continue;
            }
            let reference = switch.transact(order);
            let outcome = switch.outcome(&reference);
            assert!(
                outcome.starts_with("approved"),
                "{service} {channel}: {outcome}"
            );
        }
    }
    switch.all_is_well();
}

#[test]
fn every_entry_mode_is_sent() {
    let mut switch = switch();
    for entry in [
        "manual",
        "stripe",
        "chip",
        "contactless",
        "fallback",
        "card-on-file",
    ] {
        let reference = switch.transact(Order {
            entry: Some(entry.into()),
            ..purchase("10.00")
        });
        assert_eq!(switch.outcome(&reference), "approved 00 1000", "{entry}");
    }
    switch.all_is_well();
}

#[test]
fn the_issuer_decides_by_card_balance_and_limit() {
    let mut switch = switch();
    let check = |switch: &mut super::FakeSwitch, order: Order, expect: &str| {
        let reference = switch.transact(order);
        assert_eq!(switch.outcome(&reference), expect);
    };
    check(&mut switch, purchase("500000.01"), "declined 61 0");
    switch.ask(
        ISSUER,
        Request::SetBalance {
            prefix: PREFIX.into(),
            card: 3,
            balance: "100.00".into(),
        },
    );
    check(&mut switch, purchase("100.01"), "declined 51 0");
    check(&mut switch, purchase("60.00"), "approved 00 6000");
    check(&mut switch, purchase("60.00"), "declined 51 0");
    let refund = order(CardService::Refund, Channel::Pos, "20.00");
    check(&mut switch, refund, "approved 00 2000");
    check(&mut switch, purchase("60.00"), "approved 00 6000");
    let expired = Order {
        edits: vec![(14, Some("2001".into()))],
        ..purchase("1.00")
    };
    check(&mut switch, expired, "declined 54 0");
    let nobody = Order {
        card: 5_000_000,
        ..purchase("1.00")
    };
    check(&mut switch, nobody, "declined 14 0");
    switch.all_is_well();
}

#[test]
fn scripted_answers_come_out_as_scripted() {
    let mut switch = switch();
    for (behaviour, expect) in [
        ("decline:05", "declined 05 0"),
        ("approve", "approved 00 700"),
        ("part:3.00", "approved 00 300"),
    ] {
        switch.behave(behaviour);
        let reference = switch.transact(purchase("7.00"));
        assert_eq!(switch.outcome(&reference), expect, "{behaviour}");
    }
    switch.all_is_well();
}

#[test]
fn a_silent_issuer_is_reversed_and_the_totals_agree() {
    let mut switch = switch();
    switch.behave("silent");
    let reference = switch.transact(purchase("9.00"));
    assert_eq!(switch.outcome(&reference), "open - 0");
    switch.pass(13);
    assert_eq!(switch.outcome(&reference), "declined 91 0");
    switch.all_is_well();
}

#[test]
fn an_answer_after_the_decision_changes_nothing() {
    let mut switch = switch();
    switch.behave("delay:14000");
    let reference = switch.transact(purchase("9.00"));
    switch.pass(20);
    assert_eq!(switch.outcome(&reference), "declined 91 0");
    switch.all_is_well();
}

#[test]
fn wrong_answers_count_as_none() {
    for behaviour in ["wrong-trace", "silent"] {
        let mut switch = switch();
        switch.behave(behaviour);
        let reference = switch.transact(purchase("9.00"));
        switch.pass(13);
        assert_eq!(switch.outcome(&reference), "declined 91 0");
        switch.all_is_well();
    }
}

#[test]
fn an_acquirer_that_hears_nothing_reverses_and_asks_what_became_of_it() {
    let mut switch = switch();
    switch.loses_answers = true;
    let reference = switch.transact(purchase("9.00"));
    switch.pass(24);
    assert_eq!(switch.outcome(&reference), "open - 0");
    switch.pass(2);
    assert_eq!(switch.outcome(&reference), "reversed 00 0");
    switch.all_is_well();
}

#[test]
fn reversals_in_full_and_in_part() {
    let mut switch = switch();
    let reverse = |switch: &mut super::FakeSwitch, reference: &str, stands: Option<&str>| {
        switch.ask(
            ACQUIRER,
            Request::Reverse {
                reference: reference.into(),
                stands: stands.map(String::from),
                request: false,
            },
        );
    };
    let whole = switch.transact(purchase("9.00"));
    reverse(&mut switch, &whole, None);
    assert_eq!(switch.outcome(&whole), "reversed 00 0");
    let part = switch.transact(purchase("9.00"));
    reverse(&mut switch, &part, Some("5.00"));
    assert_eq!(switch.outcome(&part), "approved 00 500");
    reverse(&mut switch, &part, Some("2.00"));
    assert_eq!(switch.outcome(&part), "approved 00 200");
    switch.all_is_well();
}

#[test]
fn a_pre_authorisation_is_completed_in_parts() {
    let mut switch = switch();
    let hold = order(CardService::PreAuthorisation, Channel::Pos, "100.00");
    let reference = switch.transact(hold);
    for amount in ["40.00", "60.00"] {
        let sent = switch.ask(
            ACQUIRER,
            Request::Complete {
                reference: reference.clone(),
                amount: amount.into(),
            },
        );
        let completion = sent["reference"].as_str().unwrap().to_string();
        let tiyn = amount.replace('.', "");
        assert_eq!(switch.outcome(&completion), format!("approved 00 {tiyn}"));
    }
    let issued = switch.ask(ISSUER, Request::Issued);
    let completions = issued.as_array().unwrap().iter();
    assert_eq!(
        completions
            .filter(|row| !row["completes"].is_null())
            .count(),
        2
    );
    switch.all_is_well();
}

#[test]
fn a_letter_that_gets_no_answer_comes_again_marked() {
    let mut switch = switch();
    let reference = switch.transact(purchase("9.00"));
    switch.behave("letter-silent");
    switch.ask(
        ACQUIRER,
        Request::Reverse {
            reference,
            stands: None,
            request: false,
        },
    );
    assert_eq!(switch.letters_left(ISSUER), 1);
    switch.pass(16);
    let types: Vec<u16> = switch
        .log
        .iter()
        .filter(|(host, draft)| *host == ISSUER && draft.mti() / 100 == 4)
        .map(|(_, draft)| draft.mti())
        .collect();
    assert_eq!(types, [420, 421]);
    switch.all_is_well();
}

#[test]
fn an_advice_is_sent_until_it_is_taken() {
    let mut switch = switch();
    switch.hosts[ACQUIRER].link_down(0, switch.now);
    let offline = Order {
        offline: true,
        ..purchase("9.00")
    };
    let reference = switch.transact(offline);
    assert_eq!(switch.outcome(&reference), "open - 0");
    let now = Time::from_nanos(switch.now.nanos() + 1);
    switch.hosts[ACQUIRER].link_up(0, now);
    switch.run();
    assert_eq!(switch.outcome(&reference), "approved 00 900");
    switch.all_is_well();
}

#[test]
fn a_repeat_gets_the_stored_answer() {
    let mut switch = switch();
    let reference = switch.transact(purchase("9.00"));
    switch.ask(
        ACQUIRER,
        Request::Again {
            reference: reference.clone(),
            repeat: true,
            amount: None,
        },
    );
    assert_eq!(switch.outcome(&reference), "approved 00 900");
    switch.all_is_well();
}

#[test]
fn a_request_needs_a_link() {
    let mut switch = switch();
    switch.hosts[ACQUIRER].link_down(0, switch.now);
    let now = switch.now;
    let refused = switch.hosts[ACQUIRER].handle(Request::Transact(purchase("1.00")), now);
    assert_eq!(refused, Err("no link is signed on".into()));
}

#[test]
fn reconciliation_compares_own_totals() {
    let mut switch = switch();
    switch.transact(purchase("9.00"));
    for (off_by_tiyn, settlement) in [(0, "1"), (1, "2")] {
        let asked = switch.ask(
            ACQUIRER,
            Request::Reconcile {
                session: super::fake_switch::SESSION.into(),
                side: crate::card::Side::Acquirer,
                advice: false,
                off_by_tiyn,
            },
        );
        let filter = crate::card::WaitFor {
            mti: Some("0510".into()),
            stan: asked["stan"].as_str().map(String::from),
            ..Default::default()
        };
        let seen = switch.hosts[ACQUIRER].find(&filter).unwrap();
        assert_eq!(seen.settlement.as_deref(), Some(settlement));
    }
}
