use torap_domain::CardReason;
use torap_engine::cards::{Command, Malformed};

use super::rig::{inbound, ready, translate_in};
use crate::card::fixtures::{ACQUIRER, ISSUER, fields, network, purchase, purchase_with, written};
use crate::card::translate::{Inbound, Translated};

fn malformed(message: &[u8]) -> Malformed {
    let intake = ready(ACQUIRER, message);
    match intake.command {
        Command::Malformed(malformed) => malformed,
        other => panic!("taken: {other:?}"),
    }
}

/// A purchase that is at fault: what the log says of it.
fn check(changes: &[(u8, &str)], reason: CardReason, field: u8, rule: &str) {
    let malformed = malformed(&written(200, &purchase_with(changes)));
    assert_eq!(
        (malformed.reason, malformed.field, malformed.rule.as_str()),
        (reason, field, rule)
    );
    assert!(malformed.trace.is_some(), "it can be answered");
}

#[test]
fn every_fault_names_field_and_rule() {
    use CardReason as R;
    check(&[(37, "")], R::ProfileViolation, 37, "missing-field");
    check(&[(39, "00")], R::ProfileViolation, 39, "forbidden-field");
    check(&[(2, "9999994712360014")], R::CheckDigitWrong, 2, "luhn");
    check(&[(49, "840")], R::CurrencyNotAllowed, 49, "currency");
    check(
        &[(3, "990000")],
        R::FunctionNotSupported,
        3,
        "transaction-type",
    );
    check(&[(48, "CH03XYZ")], R::ProfileViolation, 48, "channel");
    check(&[(22, "551")], R::ProfileViolation, 22, "entry-mode");
    check(
        &[(48, "CH03POSRC09C")],
        R::MalformedMessage,
        48,
        "truncated",
    );
}

#[test]
fn a_message_without_a_trace_is_only_logged() {
    for (change, rule) in [
        ((11, ""), "missing-field"),
        ((7, "1321130405"), "transmission-time"),
    ] {
        let malformed = malformed(&written(200, &purchase_with(&[change])));
        assert_eq!(malformed.trace, None);
        assert_eq!(malformed.rule.as_str(), rule);
    }
}

#[test]
fn an_answer_at_fault_is_never_answered() {
    let list = purchase_with(&[(39, "00"), (38, "A00001")]);
    let malformed = malformed(&written(210, &list));
    assert_eq!(malformed.trace, None);
}

#[test]
fn what_is_not_a_message_leaves_no_bytes_in_the_log() {
    let translated = translate_in(&network(), &inbound(ACQUIRER, b"0200 9999994712360013"));
    let Translated::Unreadable { intake, refusal } = translated else {
        panic!("read: {translated:?}");
    };
    assert!(intake.evidence.is_empty() && intake.secrets.is_empty());
    let Command::Malformed(malformed) = &intake.command else {
        panic!("taken: {intake:?}");
    };
    assert_eq!(malformed.reason, CardReason::MalformedMessage);
    assert_eq!(malformed.rule.as_str(), refusal.code());
}

#[test]
fn an_overloaded_switch_refuses_requests_and_takes_everything_else() {
    let overloaded = |message: &[u8]| {
        let inbound = Inbound {
            overloaded: true,
            ..inbound(ACQUIRER, message)
        };
        match translate_in(&network(), &inbound) {
            Translated::Ready(intake) => intake.command,
            other => panic!("not ready: {other:?}"),
        }
    };
    let Command::Malformed(malformed) = overloaded(&purchase()) else {
        panic!("a request was taken");
    };
    assert_eq!(malformed.reason, CardReason::Overloaded);
    let original = "020000041711211304050000000060100000000900";
    let reversal = purchase_with(&[(24, "400"), (35, ""), (48, ""), (90, original)]);
    let command = overloaded(&written(420, &reversal));
    assert!(matches!(command, Command::Reversal(_)), "{command:?}");
}

#[test]
fn messages_that_only_the_switch_sends_are_refused() {
    let list = fields(&[
        (7, "1121130405"),
        (11, "000001"),
        (33, "601"),
        (39, "00"),
        (91, "1"),
    ]);
    let list = [list, fields(&[(2, "9999994712360013"), (101, "STOP")])].concat();
    let intake = ready(ISSUER, &written(312, &list));
    let Command::Malformed(malformed) = &intake.command else {
        panic!("taken: {intake:?}");
    };
    assert_eq!(malformed.reason, CardReason::FunctionNotSupported);
}
