//! Peers that mean harm, or are merely broken: nothing from the wire stops, stalls or grows the switch, or troubles another bank.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use torap_bank::{PayOrder, Payee, Request as BankRequest, WaitFor};
use torap_gateway::{
    session::CloseReason,
    wire::{ContentType, ErrorCode, PeerError},
};
use torap_node::{
    control::{ParticipantForm, Request},
    demo::{Day, customer_of},
};

use crate::{
    program::lab,
    raw_bank::{RawBank, SignOn},
};

/// The number of the error with which the switch ended the session.
fn error_of(bank: &mut RawBank) -> u16 {
    match bank.closed() {
        CloseReason::PeerError(error) => error.number,
        other => panic!("{other:?}"),
    }
}

fn pays(day: &Day) -> String {
    let customer = customer_of("HSBK", 9).expect("customer");
    let payee = Payee::Account {
        bank: "HSBKKZKX".into(),
        iban: customer.iban.as_str().into(),
        name: customer.name,
        person: None,
    };
    let sent = day
        .pay_with("CASP", PayOrder::new(9, payee, Some("5.00")))
        .expect("payment");
    day.outcome("CASP", &sent).expect("outcome")
}

/// Reads until the switch closes the connection.
fn is_closed(mut stream: TcpStream) -> bool {
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .expect("timeout");
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }
}

#[test]
fn strangers_bytes_close_their_own_connection_and_nothing_else() {
    let (_dir, lab) = lab();
    let address = lab.address();
    let day = Day::new(lab);
    let mut random = 0x1234_5678_9abc_def0_u64;
    for round in 0..20_usize {
        let mut stream = TcpStream::connect(address).expect("connect");
        let bytes: Vec<u8> = (0..round * 97 + 1)
            .map(|_| {
                random = random
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                (random >> 33) as u8
            })
            .collect();
        // The switch may close before everything is written.
        let _ = stream.write_all(&bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        assert!(is_closed(stream), "round {round}");
    }
    assert_eq!(pays(&day), "ACSC");
}

#[test]
fn silent_connections_are_dropped_and_hold_nobody_up() {
    let (_dir, lab) = lab();
    let address = lab.address();
    let day = Day::new(lab);
    let idle: Vec<TcpStream> = (0..50)
        .map(|_| TcpStream::connect(address).expect("connect"))
        .collect();
    assert_eq!(pays(&day), "ACSC");
    for stream in idle {
        assert!(
            is_closed(stream),
            "a connection that never signs on must not stay"
        );
    }
}

#[test]
fn a_bank_that_sends_nonsense_keeps_its_link_and_harms_only_itself() {
    let (_dir, lab) = lab();
    let day = Day::new(lab);
    for text in [
        "",
        "<",
        "<a>",
        "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
        "\u{0}",
        "{}",
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pacs.008.001.10\"/>",
    ] {
        day.ask("TSES", &BankRequest::Raw { text: text.into() })
            .expect("sent");
    }
    let depth = "<a>".repeat(100_000);
    day.ask("TSES", &BankRequest::Raw { text: depth })
        .expect("sent");
    // Every one of them is answered, in order, and the link is still the same one.
    for number in 0..8 {
        let since = number + 1;
        day.wait(
            "TSES",
            WaitFor {
                since,
                kind: Some("admi.002".into()),
                ..WaitFor::default()
            },
        )
        .expect("a refusal");
    }
    assert_eq!(pays(&day), "ACSC");
    let status = day.ctl(&Request::Status).expect("status");
    assert_eq!(status["conserved"], true);
}

#[test]
fn json_commands_that_are_wrong_are_refused_by_place_and_rule() {
    let (_dir, lab) = lab();
    let day = Day::new(lab);
    for command in [
        serde_json::json!({ "command": "register" }),
        serde_json::json!({ "command": "explode", "phone": "+77011234567" }),
        serde_json::json!({ "command": "register", "phone": "12", "person": "1", "iban": "KZ", "name": "" }),
        serde_json::json!({ "command": "qr-register", "id": "A", "iban": "KZ", "amount": "-1", "expires": "yesterday" }),
    ] {
        let answer = day.command("HSBK", command.clone()).expect("an answer");
        assert!(answer.starts_with("refused "), "{command}: {answer}");
    }
    assert_eq!(pays(&day), "ACSC");
}

#[test]
fn failed_sign_ons_are_told_to_wait_and_keep_no_bank_out() {
    let (_dir, lab) = lab();
    let _ = lab.bank("HSBK", &BankRequest::Stop);
    // Everybody here has one address, as behind a TLS terminator.
    for name in ["NOBODY", "HSBK"] {
        let wrong = SignOn {
            secret_of: "CASP",
            ..SignOn::new(name, &["HSBKKZKX"])
        };
        for _ in 0..30 {
            assert_eq!(error_of(&mut wrong.connect(&lab)), 23);
        }
        assert_eq!(error_of(&mut wrong.connect(&lab)), 29);
    }
    RawBank::sign_on(&lab, "HSBK", "HSBKKZKX");
}

#[test]
fn idle_strangers_make_room_for_a_bank() {
    let (_dir, lab) = lab();
    let _ = lab.bank("HSBK", &BankRequest::Stop);
    // A quarter of the 1,024 places is theirs.
    let mut idle: Vec<TcpStream> = (0..300)
        .map(|_| TcpStream::connect(lab.address()).expect("connect"))
        .collect();
    RawBank::sign_on(&lab, "HSBK", "HSBKKZKX");
    // The oldest was told: 62 is `overloaded`, in the header CODE (tag 7, two bytes).
    let mut said = Vec::new();
    let oldest = &mut idle[0];
    oldest
        .set_read_timeout(Some(Duration::from_secs(5)))
        .expect("timeout");
    oldest.read_to_end(&mut said).expect("the end");
    assert!(
        said.windows(6).any(|bytes| bytes == [0, 7, 0, 2, 0, 62]),
        "{said:?}"
    );
}

#[test]
fn a_sign_on_that_holds_too_much_leaves_the_good_session_alone() {
    let (_dir, lab) = lab();
    let _ = lab.bank("HSBK", &BankRequest::Stop);
    let mut good = RawBank::sign_on(&lab, "HSBK", "HSBKKZKX");
    let ahead = SignOn {
        held: 1_000_000,
        ..SignOn::new("HSBK", &["HSBKKZKX"])
    };
    assert_eq!(error_of(&mut ahead.connect(&lab)), 26);
    good.send(b"<a/>").expect("still open");
    good.message(&["admi.002"]);
}

#[test]
fn the_last_word_arrives_though_the_bank_goes_on_talking() {
    let (_dir, lab) = lab();
    let _ = lab.bank("HSBK", &BankRequest::Stop);
    let mut bank = RawBank::sign_on(&lab, "HSBK", "HSBKKZKX");
    // Frames of a type that nobody knows, more than are borne, and much behind them.
    let unknown = [b'T', b'P', 1, 99, 0, 0, 0, 0, 0, 0, 0, 0];
    bank.send_raw(&unknown.repeat(200_000));
    assert_eq!(error_of(&mut bank), 45);
}

#[test]
fn what_a_bank_reports_makes_no_lines_of_its_own_in_the_log() {
    let (_dir, lab) = lab();
    let _ = lab.bank("HSBK", &BankRequest::Stop);
    let mut bank = RawBank::sign_on(&lab, "HSBK", "HSBKKZKX");
    let mut error = bytes::BytesMut::new();
    let text = "no\n2026-11-29T00:00:00Z  INFO ledger conserved=false \u{1b}[31m";
    PeerError::write(&mut error, 1, ErrorCode::UnknownType, None, text, false);
    bank.send_raw(&error);
    // Answered after it was read.
    bank.send(b"<a/>").expect("open");
    bank.message(&["admi.002"]);
    let log = std::fs::read_to_string(lab.folder().root().join("switch.log")).expect("a log");
    let told = log
        .lines()
        .find(|line| line.contains("the bank reports an error"));
    assert!(
        told.is_some_and(|line| line.contains("\\n2026") && line.contains("\\u{1b}")),
        "{log}"
    );
}

#[test]
fn an_indirect_participant_is_reached_through_its_sponsor_only() {
    let (_dir, lab) = lab();
    let by = torap_node::demo::Lab::by();
    let participant = ParticipantForm {
        code: "INDR".into(),
        name: "Indirect".into(),
        bics: vec!["INDRKZKA".into()],
        bank_codes: vec!["777".into()],
        services: None,
        sponsor: Some("CASP".into()),
        technical_senders: Vec::new(),
        floor: None,
        ceiling: None,
    };
    lab.ctl(&Request::ParticipantAdd {
        by,
        participant,
        net_debit_cap: None,
    })
    .expect("added");
    let mut bank = SignOn::new("INDR", &["INDRKZKA"]).connect(&lab);
    assert_eq!(error_of(&mut bank), 27);
    // The sponsor speaks for both.
    let _ = lab.bank("CASP", &BankRequest::Stop);
    let mut sponsor = SignOn::new("CASP", &["CASPKZKA", "INDRKZKA"]).connect(&lab);
    sponsor.signed_on();
}

#[test]
fn a_session_sends_for_the_banks_that_it_listed_only() {
    let (_dir, lab) = lab();
    let _ = lab.bank("CASP", &BankRequest::Stop);
    // Kaspi may send for Halyk from now on.
    let halyk = ParticipantForm {
        code: "HSBK".into(),
        name: "Halyk".into(),
        bics: vec!["HSBKKZKX".into()],
        bank_codes: vec!["601".into()],
        services: None,
        sponsor: None,
        technical_senders: vec!["CASP".into()],
        floor: None,
        ceiling: None,
    };
    let by = torap_node::demo::Lab::by();
    lab.ctl(&Request::ParticipantUpdate {
        by,
        participant: halyk,
    })
    .expect("changed");
    // Each with a reference of its own: the second session is sent the first one's answer again.
    for (reference, listed, expected) in [
        ("R-1", &["CASPKZKA"][..], "unbound-sender"),
        ("R-2", &["CASPKZKA", "HSBKKZKX"][..], "qr-unknown"),
    ] {
        let command = format!(
            r#"{{"command":"qr-cancel","reference":"{reference}","id":"NONE","bank":"HSBKKZKX"}}"#
        );
        let mut bank = SignOn::new("CASP", listed).connect(&lab);
        bank.signed_on();
        bank.send_as(ContentType::CommandJson, command.as_bytes())
            .expect("sent");
        let answer = bank.message(&[reference]);
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(text.contains(expected), "{listed:?}: {text}");
    }
}
