use torap_domain::{IinBin, MessageId, Money, QrId, Reason, Text, Time};
use torap_engine::{
    directory::{self, Account, Action},
    qr,
};

use super::*;
use crate::fixtures::{
    CASP, HSBK, PAYEE_IBAN, PAYEE_IIN, PAYEE_PHONE, Random, bic, iban, network, payee_record,
    phone, view, views,
};

fn operator() -> Source {
    Source::Operator {
        name: Text::try_from("asel").unwrap(),
        reference: Text::try_from("T-1").unwrap(),
    }
}

#[expect(clippy::result_large_err, reason = "as the function that is tested")]
fn read(source: Source, text: &str) -> Result<Command, links::Refusal> {
    command_from_json(
        source,
        text.as_bytes(),
        &network(),
        &Known::with([payee_record()]),
    )
}

fn change(source: Source, text: &str) -> directory::Change {
    match read(source, text) {
        Ok(Command::Directory(directory::Command::Change(change))) => change,
        other => panic!("{other:?}"),
    }
}

/// Refused with this reason, code, key and rule.
#[track_caller]
fn check(source: Source, text: &str, reason: Reason, code: &str, key: &str, rule: &str) {
    let refusal = read(source, text).unwrap_err();
    let found = (refusal.reason, refusal.code.as_str(), refusal.path.as_str());
    assert_eq!(found, (reason, code, key), "{}", refusal.rule);
    let name = refusal.rule.as_str().split_once(": ").unwrap().0;
    assert_eq!(name, rule, "{}", refusal.rule);
    assert!(refusal.json);
}

fn register(rest: &str) -> String {
    format!(
        r#"{{"command":"register","reference":"R-1","phone":"8 (777) 987-65-43","person":"{PAYEE_IIN}","iban":"{PAYEE_IBAN}","name":"ИВАНОВ СЕРГЕЙ"{rest}}}"#
    )
}

fn account(participant: u16, agent: &str) -> Account {
    Account {
        participant: ParticipantId(participant),
        agent: bic(agent),
        iban: iban(PAYEE_IBAN),
        name: Text::try_from("ИВАНОВ СЕРГЕЙ").unwrap(),
    }
}

#[test]
fn a_bank_registers_its_customer() {
    let found = change(source(2), &register(""));
    assert_eq!(
        (found.source, found.reference),
        (source(2), MessageId::parse("R-1").unwrap())
    );
    assert_eq!(
        (found.phone, found.person),
        (phone(PAYEE_PHONE), IinBin::parse(PAYEE_IIN).unwrap())
    );
    assert_eq!(
        found.action,
        Action::Register {
            account: account(2, CASP)
        }
    );
    assert_eq!(
        (found.found.as_of, found.found.record),
        (Position::new(90), Some(payee_record()))
    );
    let named = change(source(2), &register(r#","bank":"CASPKZKA""#));
    assert_eq!(named.action, found.action);
}

#[test]
fn every_directory_command() {
    let text = |command: &str, rest: &str| {
        format!(
            r#"{{"command":"{command}","reference":"R-1","phone":"{PAYEE_PHONE}","person":"{PAYEE_IIN}"{rest}}}"#
        )
    };
    let casp = ParticipantId(2);
    let action = |command, rest| change(source(2), &text(command, rest)).action;
    let entry = format!(r#","iban":"{PAYEE_IBAN}","name":"ИВАНОВ СЕРГЕЙ""#);
    assert_eq!(
        action("change", &entry),
        Action::Change {
            account: account(2, CASP)
        }
    );
    assert_eq!(action("remove", ""), Action::Remove { participant: casp });
    let consent = Text::try_from("C-77").unwrap();
    assert_eq!(
        action("claim", r#","consent":"C-77""#),
        Action::Claim {
            gaining: casp,
            consent
        }
    );
    assert_eq!(action("contest", ""), Action::Contest { losing: casp });
    assert_eq!(
        action("release", ""),
        Action::Release {
            participant: Some(casp)
        }
    );
    assert_eq!(
        change(operator(), &text("release", "")).action,
        Action::Release { participant: None }
    );
    let for_bank = change(operator(), &text("remove", r#","bank":"CASPKZKA""#));
    assert_eq!(
        (for_bank.action, for_bank.source),
        (Action::Remove { participant: casp }, operator())
    );
}

#[test]
fn dynamic_qr_codes() {
    let text = format!(
        r#"{{"command":"qr-register","reference":"R-2","id":"Q-42","iban":"{PAYEE_IBAN}","amount":"1250.00","expires":"2026-11-21T09:20:00+05:00"}}"#
    );
    let expected = qr::Register {
        source: source(2),
        reference: MessageId::parse("R-2").unwrap(),
        id: QrId::parse("Q-42").unwrap(),
        merchant_account: iban(PAYEE_IBAN),
        amount: Money::kzt(125_000),
        expires: Time::parse("2026-11-21T09:20:00+05:00").unwrap(),
    };
    assert_eq!(
        read(source(2), &text),
        Ok(Command::Qr(qr::Command::Register(expected)))
    );
    let cancel = r#"{"command":"qr-cancel","reference":"R-3","id":"Q-42"}"#;
    let Ok(Command::Qr(qr::Command::Cancel { id, .. })) = read(source(2), cancel) else {
        panic!()
    };
    assert_eq!(id.as_str(), "Q-42");
    let violation = Reason::ProfileViolation;
    check(
        source(2),
        &text.replace("Q-42", "STATIC-42"),
        violation,
        "CH16",
        "id",
        "qr-id-static",
    );
    check(
        source(2),
        &text.replace("1250.00", "1250.001"),
        violation,
        "CH16",
        "amount",
        "amount-too-many-decimals",
    );
    check(
        source(2),
        &text.replace("+05:00", ""),
        violation,
        "CH16",
        "expires",
        "time-offset-missing",
    );
}

#[test]
fn keys_are_refused_by_name() {
    let violation = Reason::ProfileViolation;
    let refused = |rest: &str, code: &str, key: &str, rule: &str| {
        check(source(2), &register(rest), violation, code, key, rule)
    };
    refused(r#","colour":"red""#, "CH17", "colour", "key-unknown");
    refused(r#","consent":"C-1""#, "CH17", "consent", "key-not-used");
    refused(r#","name":"again""#, "CH16", "name", "key-twice");
    refused(r#","bank":5"#, "CH16", "bank", "text-expected");
    refused(
        r#","bank":{"a":[1,null,true,{"b":2.5}]}"#,
        "CH16",
        "bank",
        "text-expected",
    );
    refused(r#","bank":"CASP""#, "CH16", "bank", "bic-length");
    let missing =
        |text: &str, key: &str| check(source(2), text, violation, "CH21", key, "key-missing");
    missing("{}", "command");
    missing(r#"{"command":"remove"}"#, "reference");
    missing(r#"{"command":"remove","reference":"R"}"#, "phone");
    missing(
        r#"{"command":"claim","reference":"R","phone":"+77779876543","person":"790305300457"}"#,
        "consent",
    );
    check(
        source(2),
        r#"{"command":"drop","reference":"R"}"#,
        violation,
        "CH16",
        "command",
        "command-unknown",
    );
    let wrong_iban = register("").replace(PAYEE_IBAN, "KZ45722S000054326793");
    check(
        source(2),
        &wrong_iban,
        violation,
        "CH16",
        "iban",
        "iban-check-digits",
    );
    let wrong_person = register("").replace(PAYEE_IIN, "790305300458");
    check(
        source(2),
        &wrong_person,
        violation,
        "CH16",
        "person",
        "iin-check-digit",
    );
    let control = register("").replace("ИВАНОВ СЕРГЕЙ", "A\\u0007B");
    check(source(2), &control, violation, "CH16", "name", "text-form");
    let long = register("").replace("ИВАНОВ СЕРГЕЙ", &"И".repeat(49));
    check(source(2), &long, violation, "CH16", "name", "text-too-long");
}

#[test]
fn the_reference_of_a_refused_command_is_repeated() {
    let refusal = read(source(2), &register(r#","consent":"C-1""#)).unwrap_err();
    assert_eq!(refusal.reference, MessageId::parse("R-1").ok());
    assert_eq!(read(source(2), "{}").unwrap_err().reference, None);
}

#[test]
fn what_is_not_one_object_of_bounded_size() {
    let malformed = Reason::MalformedMessage;
    for text in [
        "",
        "null",
        "[]",
        "\"register\"",
        "{",
        "{\"a\"}",
        "{} {}",
        "{\"command\":\"\u{1}\"}",
        "{\"a\":1e999}",
    ] {
        check(source(2), text, malformed, "FF01", "/", "not-json");
    }
    let deep = format!(r#"{{"bank":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    check(
        source(2),
        &deep,
        Reason::ProfileViolation,
        "CH16",
        "bank",
        "text-expected",
    );
    let large = register(&format!(r#","bank":"{}""#, "A".repeat(70_000)));
    check(
        source(2),
        &large,
        Reason::ProfileViolation,
        "FF01",
        "/",
        "command-too-large",
    );
    let invalid = command_from_json(
        source(2),
        b"{\"command\":\"\xff\"}",
        &network(),
        &Known::default(),
    );
    assert_eq!(invalid.unwrap_err().path.as_str(), "/");
}

#[test]
fn a_bank_speaks_for_itself_only() {
    let text = register(r#","bank":"CASPKZKA""#);
    check(
        source(1),
        &text,
        Reason::UnboundSender,
        "AG08",
        "bank",
        "unbound-sender",
    );
    check(
        operator(),
        &register(""),
        Reason::ProfileViolation,
        "CH21",
        "bank",
        "key-missing",
    );
    check(
        operator(),
        &register(r#","bank":"NBRKKZKX""#),
        Reason::UnknownParticipant,
        "RC02",
        "bank",
        "unknown-participant",
    );
    // A sponsor speaks for the bank that it sponsors.
    let mut views = views();
    let mut indirect = view(5, "MICR", "MICRKZKA", "555");
    indirect.sponsor = Some(ParticipantId(1));
    views.push(indirect);
    let network = Network::new(bic("TORPKZKA"), &views);
    let text = register(r#","bank":"MICRKZKA""#);
    let command = command_from_json(source(1), text.as_bytes(), &network, &Known::default());
    let Ok(Command::Directory(directory::Command::Change(change))) = command else {
        panic!("{command:?}")
    };
    assert_eq!(
        change.action,
        Action::Register {
            account: account(5, "MICRKZKA")
        }
    );
    let own = command_from_json(
        source(1),
        register("").as_bytes(),
        &network,
        &Known::default(),
    );
    let Ok(Command::Directory(directory::Command::Change(change))) = own else {
        panic!("{own:?}")
    };
    assert_eq!(
        change.action,
        Action::Register {
            account: account(1, HSBK)
        }
    );
}

#[test]
fn no_bytes_make_the_reader_panic() {
    let mut random = Random::new(0xfee1);
    let text = register(r#","bank":"CASPKZKA""#);
    let mut accepted = 0;
    for _ in 0..4_000 {
        let mutated = random.mutate(text.as_bytes());
        let read = command_from_json(source(2), &mutated, &network(), &Known::default());
        accepted += u32::from(read.is_ok());
    }
    assert!(accepted > 50, "{accepted}");
}
