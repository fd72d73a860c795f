//! Rows of docs/outcomes-cards.md: what acquirer and issuer receive, and whose money moved.

use torap_bank::card::{MessageClass, Order, PinUse, Request, Side, WaitFor};
use torap_node::control::{By, CardNumber, CardShow, Request as ControlRequest};

use super::lab::{CardLab, FOREIGN, Keys, LOCAL, purchase};

fn pre_authorisation(card: u32, amount: &str) -> Order {
    Order {
        service: "pre-authorisation".into(),
        ..purchase(card, amount)
    }
}

/// A purchase with a PIN, for which the switch never stands in.
fn with_pin(card: u32, amount: &str) -> Order {
    Order {
        entry: None,
        pin: PinUse::Right,
        ..purchase(card, amount)
    }
}

/// What stands of a transaction in the acquirer's books, in tiyn.
fn stands(lab: &CardLab, reference: &str) -> u64 {
    lab.transaction(reference)["stands"].as_u64().expect("tiyn")
}

fn by() -> By {
    By {
        operator: "test".into(),
        reference: "rows".into(),
    }
}

/// Debits of the acquirer's side in the switch's books, in the form "count / tenge".
fn debits(lab: &CardLab) -> String {
    let sessions = lab.show(CardShow::Sessions);
    let rows = sessions["sessions"].as_array().expect("rows");
    let row = rows
        .iter()
        .find(|row| row["participant"] == "ACQB" && row["side"] == "acquirer");
    row.map_or("0 / 0.00".into(), |row| {
        row["debits"].as_str().expect("text").into()
    })
}

#[test]
fn requests_are_approved_declined_or_refused_c01_to_c21() {
    let lab = CardLab::start(Keys::None);
    // C-01, C-02, C-03, C-04, C-05
    assert_eq!(lab.transact(pre_authorisation(1, "100.00")).1, "00");
    let (reference, code) = lab.transact(purchase(1, "200.00"));
    assert_eq!((code.as_str(), stands(&lab, &reference)), ("00", 20_000));
    let fees = lab.transaction(&reference)["fees"].clone();
    assert_eq!(
        fees.to_string(),
        r#"[["IF","D00000220"],["SF","D00000200"]]"#
    );
    lab.behave("ISSB", "decline:51", 1);
    assert_eq!(lab.transact(purchase(1, "201.00")).1, "51");
    lab.behave("ISSB", "part:50.00", 2);
    let part = Order {
        partial: true,
        ..purchase(1, "202.00")
    };
    let (reference, code) = lab.transact(part);
    assert_eq!((code.as_str(), stands(&lab, &reference)), ("00", 5_000));
    let (reference, code) = lab.transact(purchase(1, "203.00"));
    assert_eq!(code, "05");
    lab.hears("ISSB", "0420", &reference);
    // C-06, C-07
    let enquiry = Order {
        service: "balance-enquiry".into(),
        ..purchase(1, "0.00")
    };
    assert_eq!(lab.transact(enquiry).1, "00");
    let deposit = Order {
        service: "deposit".into(),
        channel: "atm".into(),
        ..purchase(1, "300.00")
    };
    assert_eq!(lab.transact(deposit).1, "00");
    // C-08, C-16, C-17, C-19, C-21
    let unknown = Order {
        pan: Some("4000000000000002".into()),
        ..purchase(1, "1.00")
    };
    assert_eq!(lab.transact(unknown).1, "15");
    assert_eq!(lab.transact(purchase(1, "0.00")).1, "13");
    let financial = Order {
        class: Some(MessageClass::Financial),
        ..pre_authorisation(1, "5.00")
    };
    assert_eq!(lab.transact(financial).1, "40");
    let early = Order {
        clock_shift_ms: 600_000,
        ..purchase(1, "6.00")
    };
    assert_eq!(lab.transact(early).1, "12");
    let check_digit = Order {
        pan: Some("9999990000000010".into()),
        ..purchase(1, "7.00")
    };
    assert_eq!(lab.transact(check_digit).1, "14");
    let currency = Order {
        edits: vec![(49, Some("840".into()))],
        ..purchase(1, "8.00")
    };
    assert_eq!(lab.transact(currency).1, "12");
    // C-18
    let stop = |action: &str| Request::StopList {
        prefix: LOCAL.into(),
        card: 9,
        action: action.into(),
    };
    for (action, code) in [
        ("lost", "41"),
        ("stolen", "43"),
        ("restricted", "62"),
        ("release", "00"),
    ] {
        let stan = lab.ask("ISSB", stop(action))["stan"].clone();
        let updated = lab.wait(
            "ISSB",
            WaitFor {
                mti: Some("0312".into()),
                stan: stan.as_str().map(Into::into),
                ..WaitFor::default()
            },
        );
        assert_eq!(updated.code.as_deref(), Some("00"), "{action}");
        assert_eq!(lab.transact(purchase(9, "9.00")).1, code, "{action}");
    }
    lab.has_no_complaint();
}

#[test]
fn an_issuer_that_is_away_or_silent_is_stood_in_for_or_not_c30_to_c44() {
    let mut lab = CardLab::start(Keys::None);
    // C-34, C-40, C-33
    lab.behave("ISSB", "silent", 1);
    // Nobody stands in for these.
    let foreign = Order {
        prefix: FOREIGN.into(),
        ..purchase(3, "602.00")
    };
    let (reference, code) = lab.transact(foreign.clone());
    assert_eq!(code, "91");
    let reversal = lab.hears("ISSB", "0420", &reference);
    assert_eq!(reversal.code.as_deref(), Some("68"));
    lab.behave("ISSB", "delay:2500", 1);
    let (reference, code) = lab.transact(foreign.clone());
    assert_eq!(code, "91");
    lab.hears("ISSB", "0420", &reference);
    assert_eq!(stands(&lab, &reference), 0);
    lab.behave("ISSB", "silent", 1);
    let (reference, code) = lab.transact(purchase(1, "500.00"));
    assert_eq!(code, "00");
    let undo = lab.hears("ISSB", "0420", &reference);
    let advice = lab.hears("ISSB", "0220", &reference);
    assert!(undo.number < advice.number, "the reversal comes first");
    // C-43, C-44
    for behaviour in ["other-link", "twice"] {
        lab.behave("ISSB", behaviour, 1);
        assert_eq!(lab.transact(purchase(1, "11.00")).1, "00", "{behaviour}");
    }
    lab.behave("ISSB", "wrong-trace", 1);
    assert_eq!(lab.transact(foreign.clone()).1, "91");
    // C-30, C-31, C-32, C-73
    lab.end_host("ISSB");
    let (first, code) = lab.transact(purchase(2, "600.00"));
    assert_eq!(code, "00");
    let (second, code) = lab.transact(purchase(2, "601.00"));
    assert_eq!(code, "00");
    assert_eq!(lab.transact(purchase(2, "30000.00")).1, "61");
    let above_the_floor = purchase(2, "15000.00");
    assert_eq!(lab.transact(above_the_floor).1, "91");
    assert_eq!(lab.transact(foreign).1, "91");
    lab.start_host("ISSB");
    let first = lab.hears("ISSB", "0220", &first);
    let second = lab.hears("ISSB", "0220", &second);
    assert!(first.number < second.number, "advices come in their order");
    lab.has_no_complaint();
}

#[test]
fn reversals_undo_once_whatever_comes_first_c50_to_c59_and_c80_to_c83() {
    let lab = CardLab::start(Keys::None);
    let reverse = |reference: &str, stands: Option<&str>| {
        let stands = stands.map(Into::into);
        let sent = lab.ask(
            "ACQB",
            Request::Reverse {
                reference: reference.into(),
                stands,
                request: false,
            },
        );
        let stan = sent["stan"].as_str().expect("a trace").to_string();
        let answer = lab.wait(
            "ACQB",
            WaitFor {
                mti: Some("0430".into()),
                stan: Some(stan),
                ..WaitFor::default()
            },
        );
        answer.code.expect("a code")
    };
    // C-51, C-52, C-53, C-50, C-54
    let (reference, _) = lab.transact(purchase(1, "1000.00"));
    assert_eq!(reverse(&reference, Some("600.00")), "00");
    assert_eq!(reverse(&reference, Some("400.00")), "00");
    assert_eq!(reverse(&reference, Some("500.00")), "13");
    let partial = lab.hears("ISSB", "0420", &reference);
    assert_eq!(partial.stands, Some(60_000));
    assert_eq!(reverse(&reference, None), "00");
    assert_eq!(reverse(&reference, None), "00");
    // C-55
    let (reference, _) = lab.transact(pre_authorisation(1, "700.00"));
    assert_eq!(reverse(&reference, None), "00");
    lab.hears("ISSB", "0420", &reference);
    // C-58
    lab.behave("ISSB", "decline:05", 1);
    let (reference, _) = lab.transact(purchase(1, "12.00"));
    assert_eq!(reverse(&reference, None), "00");
    assert_eq!(lab.count("ISSB", "0420", &reference), 0);
    // C-56
    lab.behave("ISSB", "delay:1000", 1);
    let sent = lab.send(purchase(1, "13.00"));
    lab.hears("ISSB", "0200", &sent.reference);
    assert_eq!(reverse(&sent.reference, None), "00");
    lab.hears("ISSB", "0420", &sent.reference);
    // C-59
    let order = purchase(1, "14.00");
    let unsent = lab.ask("ACQB", Request::ReverseUnsent { order });
    let reference = unsent["reference"]
        .as_str()
        .expect("a reference")
        .to_string();
    assert_eq!(
        lab.hears("ACQB", "0430", &reference).code.as_deref(),
        Some("00")
    );
    lab.ask(
        "ACQB",
        Request::SendReversed {
            reference: reference.clone(),
        },
    );
    assert_eq!(lab.answer(&reference).code.as_deref(), Some("21"));
    assert_eq!(lab.count("ISSB", "0200", &reference), 0);
    // C-80, C-82
    let (reference, _) = lab.transact(purchase(1, "15.00"));
    let before = debits(&lab);
    assert_eq!(lab.again(&reference, true, None), "00");
    assert_eq!(lab.again(&reference, false, None), "00");
    assert_eq!(lab.again(&reference, false, Some("16.00")), "94");
    assert_eq!(lab.count("ISSB", "0200", &reference), 1);
    assert_eq!(debits(&lab), before);
    lab.has_no_complaint();
}

#[test]
fn advices_completions_refunds_and_sessions_c70_to_c101() {
    let lab = CardLab::start(Keys::None);
    // C-70, C-72
    lab.behave("ISSB", "letter-silent", 1);
    let offline = Order {
        offline: true,
        ..purchase(1, "100.00")
    };
    let sent = lab.send(offline);
    assert_eq!(
        lab.hears("ACQB", "0230", &sent.reference).code.as_deref(),
        Some("00")
    );
    lab.hears("ISSB", "0220", &sent.reference);
    lab.hears("ISSB", "0221", &sent.reference);
    // C-90, C-91
    let (reference, _) = lab.transact(pre_authorisation(1, "500.00"));
    for amount in ["200.00", "300.00"] {
        let sent = lab.ask(
            "ACQB",
            Request::Complete {
                reference: reference.clone(),
                amount: amount.into(),
            },
        );
        let stan = sent["stan"].as_str().map(Into::into);
        let answer = lab.wait(
            "ACQB",
            WaitFor {
                mti: Some("0230".into()),
                stan,
                ..WaitFor::default()
            },
        );
        assert_eq!(answer.code.as_deref(), Some("00"), "{amount}");
    }
    // A refund, towards the cardholder.
    let (bought, _) = lab.transact(purchase(1, "50.00"));
    let refund = lab.ask(
        "ACQB",
        Request::Refund {
            reference: bought,
            amount: "20.00".into(),
        },
    );
    let refund = refund["reference"]
        .as_str()
        .expect("a reference")
        .to_string();
    assert_eq!(lab.answer(&refund).code.as_deref(), Some("00"));
    assert_eq!(debits(&lab), "4 / 650.00");
    // The session ends; both sides agree about it.
    let session = lab.transaction(&refund)["session"]
        .as_str()
        .expect("MMDD")
        .to_string();
    let cut = lab.client().must(&ControlRequest::CardCutOver { by: by() });
    cut.expect("the session ends");
    for code in ["ACQB", "ISSB"] {
        lab.wait(
            code,
            WaitFor {
                mti: Some("0800".into()),
                purpose: Some("201".into()),
                ..WaitFor::default()
            },
        );
    }
    for (code, side) in [("ACQB", Side::Acquirer), ("ISSB", Side::Issuer)] {
        let stan = lab.ask(
            code,
            Request::Reconcile {
                session: session.clone(),
                side,
                advice: false,
                off_by_tiyn: 0,
            },
        )["stan"]
            .clone();
        let answer = lab.wait(
            code,
            WaitFor {
                mti: Some("0510".into()),
                stan: stan.as_str().map(Into::into),
                ..WaitFor::default()
            },
        );
        assert_eq!(answer.code.as_deref(), Some("00"), "{code}: {answer:?}");
        assert_eq!(
            answer.settlement.as_deref(),
            Some("1"),
            "{code}: {answer:?}"
        );
    }
    lab.has_no_complaint();
}

#[test]
fn a_scheme_is_asked_and_done_without_and_the_operator_stops_cards() {
    let mut lab = CardLab::start(Keys::None);
    let foreign = |amount: &str| Order {
        prefix: FOREIGN.into(),
        channel: "web".into(),
        entry: None,
        ..purchase(4, amount)
    };
    assert_eq!(lab.transact(foreign("100.00")).1, "00");
    let enquiries = |lab: &CardLab| {
        let books = lab.ask("SCHM", Request::Books);
        books["enquiries"].as_u64().expect("a number")
    };
    assert_eq!(enquiries(&lab), 1);
    // A local card is none of its business.
    assert_eq!(lab.transact(purchase(1, "101.00")).1, "00");
    assert_eq!(enquiries(&lab), 1);
    lab.behave("SCHM", "enquiry-silent", 1);
    assert_eq!(lab.transact(foreign("102.00")).1, "00");
    lab.end_host("SCHM");
    assert_eq!(lab.transact(foreign("103.00")).1, "00");
    let stop = |cause: Option<&str>| {
        let stopped = lab.client().must(&ControlRequest::CardStop {
            by: by(),
            pan: CardNumber(
                torap_bank::card::TestCard::new(LOCAL, 7)
                    .expect("a card")
                    .pan()
                    .into(),
            ),
            cause: cause.map(Into::into),
        });
        stopped.expect("a change");
    };
    stop(Some("stolen"));
    assert_eq!(lab.transact(purchase(7, "104.00")).1, "43");
    stop(None);
    assert_eq!(lab.transact(purchase(7, "105.00")).1, "00");
    lab.has_no_complaint();
}

#[test]
fn pins_and_macs_go_by_the_hsm_and_without_it_only_what_needs_it_stops() {
    let mut lab = CardLab::start(Keys::Pins);
    assert_eq!(lab.transact(with_pin(1, "100.00")).1, "00");
    let wrong = Order {
        pin: PinUse::Wrong,
        ..with_pin(1, "101.00")
    };
    assert_eq!(lab.transact(wrong).1, "55");
    let garbage = Order {
        pin: PinUse::Garbage,
        ..with_pin(1, "102.00")
    };
    assert_eq!(lab.transact(garbage).1, "63");
    let address = lab.show(CardShow::Status)["hsms"][0]["address"].clone();
    lab.hsm = None;
    assert_eq!(lab.transact(with_pin(1, "103.00")).1, "96");
    assert_eq!(lab.transact(purchase(1, "104.00")).1, "00");
    lab.start_hsm(address.as_str().expect("an address"));
    while lab.show(CardShow::Status)["hsms"][0]["up"] != true {}
    assert_eq!(lab.transact(with_pin(1, "105.00")).1, "00");
    lab.has_no_complaint();
}

/// Without an HSM a MAC can be neither checked nor made: what is to be said waits, and is said when one is back.
#[test]
fn an_answer_that_no_hsm_could_seal_is_sent_when_one_is_back() {
    let mut lab = CardLab::start(Keys::Macs);
    assert_eq!(lab.transact(purchase(1, "100.00")).1, "00");
    let address = lab.show(CardShow::Status)["hsms"][0]["address"].clone();
    lab.hsm = None;
    while lab.show(CardShow::Status)["hsms"][0]["up"] != false {}
    let sent = lab.send(purchase(1, "101.00"));
    // Its record is there: it could not be verified, and the answer waits for its MAC.
    let id = format!("ACQB:{}", sent.reference);
    let request = ControlRequest::CardTransaction { id };
    while lab.client().ask(&request).expect("an answer").is_err() {}
    lab.start_hsm(address.as_str().expect("an address"));
    let answer = lab.answer(&sent.reference);
    assert_eq!(answer.code.as_deref(), Some("96"));
    assert_eq!(lab.count("ACQB", "0210", &sent.reference), 1);
    assert_eq!(lab.transact(purchase(1, "102.00")).1, "00");
    lab.has_no_complaint();
}

#[test]
fn with_macs_an_answer_that_was_changed_counts_as_none() {
    let lab = CardLab::start(Keys::Macs);
    let (reference, code) = lab.transact(with_pin(1, "100.00"));
    assert_eq!((code.as_str(), stands(&lab, &reference)), ("00", 10_000));
    lab.behave("ISSB", "bad-mac", 1);
    let (reference, code) = lab.transact(with_pin(1, "101.00"));
    assert_eq!(code, "91", "an answer that cannot be believed is none");
    lab.hears("ISSB", "0420", &reference);
    lab.has_no_complaint();
}
