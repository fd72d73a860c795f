//! Peers that mean harm, or are merely broken: nothing from the wire stops, stalls or grows the switch, or troubles another bank.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use torap_bank::{PayOrder, Payee, Request as BankRequest, WaitFor};
use torap_node::{
    control::Request,
    demo::{Day, customer_of},
};

use crate::program::lab;

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
