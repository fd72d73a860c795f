//! One day in which every kind of message is written. The world compares each text as written from what the engine had at
//! hand with the one from the log alone.

use torap_domain::Span;
use torap_engine::participants::{Direction, State};
use torap_iso20022::{
    view::{CreditTransfer, TransactionStatus},
    write,
};

use super::world::{CASP, HSBK, IRTY, TSES, World};
use crate::fixtures::{
    PAYEE_IBAN, PAYEE_IIN, PAYEE_PHONE, PAYER_IIN, answer, by_account, by_phone, confirmation,
    look_up, own_accounts, payment, payment_return, recall, resolution, status_request, written,
};

const KINDS: [&str; 19] = [
    "alias-claimed",
    "alias-released",
    "alias-suspended",
    "ceiling",
    "claim-contested",
    "command-answer",
    "confirm",
    "floor",
    "forward",
    "forward-recall",
    "forward-resolution",
    "forward-return",
    "funded",
    "look-up-answer",
    "not-received",
    "reject",
    "resolution",
    "state-changed",
    "status",
];

#[test]
fn every_kind_is_the_same_from_memory_and_from_the_log() {
    let mut world = World::new();
    directory(&mut world);
    payments(&mut world);
    exceptions(&mut world);
    world.fund(HSBK, Direction::Out, 8_000_000);
    world.fund(HSBK, Direction::In, 40_000_000);
    world.set_state(TSES, State::Closing);
    assert_eq!(world.seen.iter().copied().collect::<Vec<_>>(), KINDS);
}

fn directory(world: &mut World) {
    let entry = |command: &str, person: &str, rest: &str| {
        format!(
            r#"{{"command":"{command}","reference":"D-1","phone":"{PAYEE_PHONE}","person":"{person}"{rest}}}"#
        )
    };
    let account = |iban: &str| format!(r#","iban":"{iban}","name":"ИВАНОВ СЕРГЕЙ ПЕТРОВИЧ""#);
    let at = |code: &str| {
        let code = torap_domain::BankCode::parse(code).unwrap();
        torap_domain::Iban::for_kz(code, "0000000000001").unwrap()
    };
    world.receive_json(CASP, &entry("register", PAYEE_IIN, &account(PAYEE_IBAN)));
    world.receive_json(
        IRTY,
        &entry("register", PAYEE_IIN, &account(at("965").as_str())),
    );
    world.receive_json(IRTY, &entry("claim", PAYEE_IIN, r#","consent":"C-1""#));
    world.receive_json(CASP, &entry("contest", PAYEE_IIN, ""));
    world.receive_json(
        TSES,
        &entry("register", PAYER_IIN, &account(at("998").as_str())),
    );
    world.order_json(&entry("release", PAYEE_IIN, ""));
    let ask = written(|out| write::verification_request(out, None, &look_up()));
    world.receive(HSBK, &ask);
}

fn payments(world: &mut World) {
    let accepted =
        written(|out| write::status_report(out, None, &answer(TransactionStatus::Acsp, None)));
    world.receive(HSBK, &payment(&own_accounts()));
    let confirmed = written(|out| write::verification_report(out, None, &confirmation(true)));
    world.receive(CASP, &confirmed);
    world.receive(CASP, &accepted);
    world.receive(CASP, &accepted);
    let by_phone = CreditTransfer {
        transaction_id: "TX-2",
        uetr: "00000000-0000-4000-8000-000000000002",
        ..by_phone()
    };
    world.receive(HSBK, &payment(&by_phone));
    world.receive(HSBK, &payment(&by_phone));
    world.wait(Span::from_secs(8));
    let broken = CreditTransfer {
        creditor_iban: Some("KZ45722S000054326793"),
        ..by_account()
    };
    world.receive(HSBK, &payment(&broken));
    let unknown = torap_iso20022::view::StatusRequest {
        original: torap_iso20022::view::Original {
            transaction_id: "TX-3",
            uetr: "00000000-0000-4000-8000-000000000003",
            ..status_request().original
        },
        ..status_request()
    };
    world.receive(
        HSBK,
        &written(|out| write::status_request(out, None, &unknown)),
    );
    world.receive(
        HSBK,
        &written(|out| write::status_request(out, None, &status_request())),
    );
}

fn exceptions(world: &mut World) {
    world.receive(
        HSBK,
        &written(|out| write::cancellation_request(out, None, &recall())),
    );
    world.receive(
        HSBK,
        &written(|out| write::cancellation_request(out, None, &recall())),
    );
    world.receive(
        CASP,
        &written(|out| write::resolution(out, None, &resolution())),
    );
    world.receive(
        CASP,
        &written(|out| write::payment_return(out, None, &payment_return())),
    );
    world.receive(
        HSBK,
        &written(|out| write::cancellation_request(out, None, &recall())),
    );
}
