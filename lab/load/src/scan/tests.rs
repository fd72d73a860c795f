use torap_iso20022::profile::Direction;
use torap_iso20022::view::{
    Body, BusinessHeader, EventNotice, Message, Original, Parameters, Reader, Reject, StatusReport,
};
use torap_iso20022::write;

use super::*;
use crate::identity::mixed;
use crate::incoming::Inspector;

const UETR: &str = "f47ac10b-58cc-4372-a567-0e02b2c3d479";
const HEADER: BusinessHeader<'_> = BusinessHeader {
    from: "TORPKZKA",
    to: "HSBKKZKX",
    message_id: "T000000000001",
    service: Some("torap.inst.1"),
    created_ns: 1_795_234_527_123_000_000,
    possible_duplicate: true,
};

fn report<'a>(status: TransactionStatus, reason: Option<&'a str>, full: bool) -> StatusReport<'a> {
    StatusReport {
        message_id: HEADER.message_id,
        created_ns: HEADER.created_ns,
        instructing_agent: full.then_some("TORPKZKA"),
        instructed_agent: full.then_some("HSBKKZKX"),
        status_id: full.then_some("S1"),
        original: Original {
            message_id: full.then_some("HSBKKZKX20261121000000000001234"),
            message_name: full.then_some("pacs.008.001.10"),
            instruction_id: full.then_some("I1"),
            end_to_end_id: full.then_some("E1"),
            transaction_id: "TX20261121091527123000001234",
            uetr: UETR,
        },
        status,
        reason,
        reason_text: full.then(|| "because <of> & that".into()),
        accepted_ns: full.then_some(HEADER.created_ns),
        settlement_date: full.then_some("2026-11-21"),
        clearing_reference: full.then_some("77"),
    }
}

fn status_reports() -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    for full in [false, true] {
        for (status, reason) in [
            (TransactionStatus::Acsc, None),
            (TransactionStatus::Pdng, None),
            (TransactionStatus::Rjct, Some("AM04")),
            (TransactionStatus::Rjct, Some("AB08")),
        ] {
            let mut body = Vec::new();
            write::status_report(&mut body, Some(&HEADER), &report(status, reason, full));
            messages.push(body);
        }
    }
    messages
}

/// A payment of a bank, wrapped as the switch forwards it.
fn forward() -> Vec<u8> {
    let identity = crate::identity::Identity::new(99);
    let banks = ["HSBKKZKX", "CASPKZKA"].map(|bic| torap_domain::Bic::parse(bic).unwrap());
    let code = torap_domain::BankCode::from_value(601).unwrap();
    let mut writer = crate::payment::Writer::new(identity, banks.map(|bic| (bic, code)).to_vec());
    let mut body = Vec::new();
    writer.write_payment(42, HEADER.created_ns, &mut body);
    let mut reader = Reader::new(*torap_gateway::formats());
    let Message {
        message_type,
        document,
        body: view,
        ..
    } = reader.read(&body, Direction::ToSwitch).unwrap();
    let Body::CreditTransfer(transfer) = view else {
        panic!("{view:?}")
    };
    let header = BusinessHeader {
        message_id: transfer.message_id,
        ..HEADER
    };
    let mut forward = Vec::new();
    write::forward(&mut forward, &header, message_type, &body[document]);
    forward
}

#[test]
fn what_is_found_is_what_the_parser_reads() {
    // With every message checked in full, the inspector fails on any difference.
    let mut inspector = Inspector::new(1);
    let scanner = Scanner::default();
    let mut messages = status_reports();
    messages.push(forward());
    for message in &messages {
        let text = String::from_utf8_lossy(message);
        let found = scanner
            .scan(message)
            .unwrap_or_else(|| panic!("nothing found in {text}"));
        let (inspected, _) = inspector.inspect(message).unwrap();
        assert_eq!(inspected, found, "{text}");
    }
    assert_eq!(inspector.checked, messages.len() as u64);
    let forward = forward();
    let payee = inspector.inspect(&forward).unwrap().1.unwrap();
    assert_eq!(payee.agent, "CASPKZKA");
}

#[test]
fn other_messages_are_left_to_the_parser() {
    let scanner = Scanner::default();
    let mut inspector = Inspector::new(1000);
    let mut reject = Vec::new();
    let rejected = Reject {
        related: "M1".into(),
        reason: "CH21".into(),
        rejected_ns: None,
        location: None,
        description: None,
        additional: None,
    };
    write::reject(&mut reject, Some(&HEADER), &rejected);
    let mut notice = Vec::new();
    let event = EventNotice {
        code: "FLOR",
        parameters: Parameters::default(),
        description: None,
        time_ns: None,
    };
    write::event_notice(&mut notice, Some(&HEADER), &event);
    let mut bare = Vec::new();
    write::status_report(
        &mut bare,
        None,
        &report(TransactionStatus::Acsc, None, true),
    );
    for message in [&reject, &notice, &bare] {
        assert_eq!(scanner.scan(message), None);
    }
    let read = inspector.inspect(&reject).unwrap().0;
    assert_eq!(
        read,
        Incoming::Rejected {
            related: "M1".into(),
            reason: "CH21".into()
        }
    );
    assert_eq!(inspector.inspect(&notice).unwrap().0, Incoming::Other);
    assert!(matches!(
        inspector.inspect(&bare).unwrap().0,
        Incoming::Status(_)
    ));
}

#[test]
fn one_message_in_so_many_is_checked_in_full() {
    let message = &status_reports()[0];
    for (every, messages, checked) in [(1, 10, 10), (2, 10, 5), (10, 10, 1), (10, 11, 2)] {
        let mut inspector = Inspector::new(every);
        for _ in 0..messages {
            inspector.inspect(message).unwrap();
        }
        assert_eq!(inspector.checked, checked, "one in {every} of {messages}");
    }
}

#[test]
fn a_comment_that_looks_like_an_element_is_a_breach() {
    let text = String::from_utf8(status_reports()[0].clone()).unwrap();
    let trap = text.replace(
        "<OrgnlTxId>",
        "<!--<OrgnlTxId>TXFALSE</OrgnlTxId>--><OrgnlTxId>",
    );
    assert_ne!(trap, text);
    let error = Inspector::new(1).inspect(trap.as_bytes()).unwrap_err();
    assert!(error.contains("TXFALSE"), "{error}");
}

#[test]
fn any_bytes_are_taken_without_panic() {
    let scanner = Scanner::default();
    let mut inspector = Inspector::new(1);
    let mut seeds = status_reports();
    seeds.push(forward());
    for round in 0..5_000_u64 {
        let mut bytes = seeds[(mixed(round) % seeds.len() as u64) as usize].clone();
        for change in 0..1 + mixed(round ^ 1) % 4 {
            let random = mixed(round << 8 | change);
            let place = (random >> 32) as usize % bytes.len();
            match random % 3 {
                0 => bytes[place] = random as u8,
                1 => bytes.truncate(place.max(1)),
                _ => {
                    let end = bytes.len().min(place + (random % 64) as usize);
                    bytes.drain(place..end);
                    bytes.push(b'<');
                }
            }
        }
        let _ = scanner.scan(&bytes);
        if round % 10 == 0 {
            let _ = inspector.inspect(&bytes);
        }
    }
}
