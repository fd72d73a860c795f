use torap_domain::{Money, ReturnId};
use torap_iso20022::write;

use super::*;
use crate::fixtures::{
    CASP, HSBK, bic, payment_return, recall, resolution, status_request, uetr, written,
};

fn instant(command: Command) -> instant::Command {
    match command {
        Command::Instant(command) => command,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_return_has_a_key_of_its_own() {
    let body = written(|out| write::payment_return(out, None, &payment_return()));
    let known = Known {
        forgets: true,
        as_of: 12,
        ..Known::default()
    };
    let instant::Command::Return(command) = instant(command_from(2, &body, &known)) else {
        panic!()
    };
    let unknown = Some(History::Unknown {
        as_of: Position::new(12),
    });
    assert_eq!(command.return_id, ReturnId::parse("RTR-1").unwrap());
    assert_eq!(
        (
            command.references.transaction_id.as_str(),
            command.references.uetr
        ),
        ("TX-1", uetr())
    );
    assert_eq!(command.references.message_id.as_str(), "CASP-RTR-1");
    assert_eq!(
        (
            command.amount,
            command.reason_code,
            command.instructing_agent
        ),
        (Money::kzt(1_525_000), *b"FOCR", bic(CASP))
    );
    assert_eq!((command.history, command.original), (unknown, unknown));
    assert_eq!(
        command.key,
        crate::translate::keys::return_key(ParticipantId(2), "RTR-1")
    );
    assert_ne!(
        command.key,
        payment_key(ParticipantId(2), "RTR-1"),
        "a payment may have the same identifier"
    );
}

#[test]
fn a_status_request_asks_by_the_key_of_the_payment() {
    let body = written(|out| write::status_request(out, None, &status_request()));
    let instant::Command::StatusRequest(command) =
        instant(command_from(1, &body, &Known::default()))
    else {
        panic!()
    };
    assert_eq!(command.key, payment_key(ParticipantId(1), "TX-1"));
    assert_eq!(
        (
            command.instructing_agent,
            command.references.uetr,
            command.original
        ),
        (bic(HSBK), uetr(), None)
    );
    assert_eq!(
        versions_name(command.references.message_version),
        "pacs.028.001.05"
    );
}

#[test]
fn a_recall_and_its_answer() {
    let body = written(|out| write::cancellation_request(out, None, &recall()));
    let instant::Command::Recall(command) = instant(command_from(1, &body, &Known::default()))
    else {
        panic!()
    };
    assert_eq!(
        (command.cancellation_id.as_str(), command.reason_code),
        ("CXL-1", *b"DUPL")
    );
    assert_eq!(
        (
            command.references.message_id.as_str(),
            command.instructing_agent
        ),
        ("HSBK-CXL-1", bic(HSBK))
    );
    let body = written(|out| write::resolution(out, None, &resolution()));
    let instant::Command::Resolution(command) = instant(command_from(2, &body, &Known::default()))
    else {
        panic!()
    };
    assert_eq!(
        (
            command.reason_code,
            command.references.uetr,
            command.instructing_agent
        ),
        (*b"CUST", uetr(), bic(CASP))
    );
    assert_eq!(
        versions_name(command.references.message_version),
        "camt.029.001.11"
    );
}

fn versions_name(number: u8) -> &'static str {
    crate::versions::message(number).unwrap().as_str()
}
