use torap_domain::Span;
use torap_iso20022::{
    view::{Body, CreditTransfer, TransactionStatus},
    write,
};

use super::world::{CASP, HSBK, Received, World};
use crate::fixtures::{
    self, BENCH, PAYEE_IBAN, PAYEE_PHONE, SWITCH, UETR, answer, by_account, by_phone, confirmation,
    own_accounts, payee_record, payment, status_request, written,
};

fn accepted() -> bytes::Bytes {
    written(|out| write::status_report(out, None, &answer(TransactionStatus::Acsp, None)))
}

fn rejected(code: &'static str) -> bytes::Bytes {
    written(|out| write::status_report(out, None, &answer(TransactionStatus::Rjct, Some(code))))
}

fn to(received: &[Received]) -> Vec<u16> {
    received.iter().map(|one| one.to).collect()
}

#[test]
fn a_settled_payment() {
    let mut world = World::new();
    let sent = payment(&by_account());
    let forwarded = world.receive(HSBK, &sent);
    assert_eq!(to(&forwarded), [CASP]);
    let document = |text: &str| {
        text[text.find("<Document").unwrap()..text.find("</Envelope>").unwrap()].to_owned()
    };
    let original = String::from_utf8(sent.to_vec()).unwrap();
    assert_eq!(
        document(&forwarded[0].text),
        document(&original),
        "the Document is the payer's bank's, byte for byte"
    );
    forwarded[0].with(|message| assert_eq!(message.header.unwrap().message_id, "HSBK-MSG-1"));
    // Again while it is in flight.
    let repeated = world.receive(HSBK, &sent);
    assert_eq!(
        (to(&repeated), repeated[0].status()),
        (vec![HSBK], ("PDNG", None, false))
    );
    let settled = world.receive(CASP, &accepted());
    assert_eq!(to(&settled), [HSBK, CASP]);
    for one in &settled {
        assert_eq!(one.status(), ("ACSC", None, true));
        one.with(|message| {
            let Body::StatusReport(report) = &message.body else {
                panic!()
            };
            assert_eq!(report.original, fixtures::original());
            assert_eq!(report.settlement_date, Some("2026-11-21"));
            assert_eq!(
                report.clearing_reference,
                Some(&*world.stamp.position.to_string())
            );
        });
    }
    // Again afterwards: the first answer.
    let repeated = world.receive(HSBK, &sent);
    assert_eq!(repeated[0].status(), ("ACSC", None, true));
}

#[test]
fn the_bench_document_is_forwarded_as_it_came() {
    let mut world = World::new();
    let forwarded = world.receive(HSBK, &bytes::Bytes::from_static(BENCH));
    let bench = std::str::from_utf8(BENCH).unwrap();
    let document = &bench[bench.find("<Document").unwrap()..bench.rfind('>').unwrap() + 1];
    assert!(forwarded[0].text.contains(document));
}

#[test]
fn a_payment_by_phone_gets_its_bank_and_account() {
    let mut world = World::new();
    world
        .known
        .aliases
        .insert(fixtures::phone(PAYEE_PHONE).value(), payee_record());
    let message = CreditTransfer {
        instructed_agent: Some(SWITCH),
        creditor_phone: Some("8 (777) 987-65-43"),
        ..by_phone()
    };
    let forwarded = world.receive(HSBK, &payment(&message));
    assert_eq!(to(&forwarded), [CASP]);
    forwarded[0].with(|message| {
        let Body::CreditTransfer(transfer) = &message.body else {
            panic!()
        };
        assert_eq!(
            (transfer.creditor_agent, transfer.instructed_agent),
            ("CASPKZKA", Some("CASPKZKA"))
        );
        assert_eq!(
            (transfer.creditor_iban, transfer.creditor_phone),
            (Some(PAYEE_IBAN), Some("8 (777) 987-65-43"))
        );
        assert_eq!(
            (transfer.uetr, transfer.tiyn, transfer.message_id),
            (UETR, 1_525_000, "HSBK-MSG-1")
        );
    });
    assert!(forwarded[0].effect.resolved.is_some());
}

#[test]
fn rejections_carry_code_and_sentence() {
    let mut world = World::new();
    world.receive(HSBK, &payment(&by_account()));
    let refused = world.receive(CASP, &rejected("AC04"));
    assert_eq!(to(&refused), [HSBK, CASP]);
    assert_eq!(refused[0].status(), ("RJCT", Some("AC04".into()), false));
    assert!(
        refused[0].text.contains("The payee&apos;s bank")
            || refused[0].text.contains("The payee's bank")
    );
    let short = world_with_rejection("X1");
    assert_eq!(short[0].status(), ("RJCT", Some("X1".into()), false));
    let mut world = World::new();
    let rich = CreditTransfer {
        tiyn: 10_000_001,
        ..by_account()
    };
    let refused = world.receive(HSBK, &payment(&rich));
    assert_eq!(
        (to(&refused), refused[0].status()),
        (vec![HSBK], ("RJCT", Some("AM04".into()), false))
    );
    world.sign_off(CASP);
    let offline = CreditTransfer {
        transaction_id: "TX-2",
        uetr: "00000000-0000-4000-8000-000000000002",
        ..by_account()
    };
    assert_eq!(
        world.receive(HSBK, &payment(&offline))[0].status(),
        ("RJCT", Some("AB08".into()), false)
    );
}

fn world_with_rejection(code: &'static str) -> Vec<Received> {
    let mut world = World::new();
    world.receive(HSBK, &payment(&by_account()));
    world.receive(CASP, &rejected(code))
}

#[test]
fn silence_is_told_to_both() {
    let mut world = World::new();
    world.receive(HSBK, &payment(&by_account()));
    let expired = world.wait(Span::from_secs(8));
    assert_eq!(to(&expired), [HSBK, CASP]);
    assert_eq!(expired[0].status(), ("RJCT", Some("AB05".into()), false));
    // An answer that comes too late is told the outcome.
    let late = world.receive(CASP, &accepted());
    assert_eq!(
        (to(&late), late[0].status()),
        (vec![CASP], ("RJCT", Some("AB05".into()), false))
    );
}

#[test]
fn the_same_identifier_with_other_content() {
    let mut world = World::new();
    world.receive(HSBK, &payment(&by_account()));
    let other = CreditTransfer {
        tiyn: 99,
        message_id: "HSBK-MSG-2",
        ..by_account()
    };
    let refused = world.receive(HSBK, &payment(&other));
    assert_eq!(
        (to(&refused), refused[0].status()),
        (vec![HSBK], ("RJCT", Some("AM05".into()), false))
    );
    refused[0].with(|message| {
        let Body::StatusReport(report) = &message.body else {
            panic!()
        };
        assert_eq!(
            report.original.message_id,
            Some("HSBK-MSG-2"),
            "the answer is about the message refused"
        );
    });
}

#[test]
fn me2me_asks_the_payees_bank_first() {
    let mut world = World::new();
    let asked = world.receive(HSBK, &payment(&own_accounts()));
    assert_eq!(to(&asked), [CASP]);
    asked[0].with(|message| {
        let Body::VerificationRequest(request) = &message.body else {
            panic!("{message:?}")
        };
        assert_eq!(request.verification_id, "f47ac10b58cc4372a5670e02b2c3d479");
        assert_eq!(
            (request.iban, request.agent, request.phone),
            (Some(PAYEE_IBAN), Some("CASPKZKA"), None)
        );
        assert_eq!(request.party.number.unwrap().digits(), fixtures::PAYER_IIN);
    });
    // What the bank answers with is what the translator understands.
    let confirmed = written(|out| write::verification_report(out, None, &confirmation(true)));
    let forwarded = world.receive(CASP, &confirmed);
    assert_eq!(to(&forwarded), [CASP]);
    forwarded[0].with(|message| assert!(matches!(message.body, Body::CreditTransfer(_))));
    assert_eq!(
        world.receive(CASP, &accepted())[0].status(),
        ("ACSC", None, true)
    );
}

#[test]
fn me2me_by_phone_confirms_the_resolved_account() {
    use torap_iso20022::view::Party;
    let mut world = World::new();
    let mut record = payee_record();
    record.persons[0].person = fixtures::iin(fixtures::PAYER_IIN);
    world.known.aliases.insert(record.phone.value(), record);
    let message = CreditTransfer {
        creditor_agent: SWITCH,
        creditor_iban: None,
        creditor_phone: Some(PAYEE_PHONE),
        instructed_agent: None,
        creditor: Party {
            name: None,
            ..own_accounts().creditor
        },
        ..own_accounts()
    };
    let message = CreditTransfer {
        creditor: own_accounts().creditor,
        ..message
    };
    let forwarded = world.receive(HSBK, &payment(&message));
    forwarded[0].with(|message| {
        let Body::CreditTransfer(transfer) = &message.body else {
            panic!("{message:?}")
        };
        assert_eq!(
            (transfer.creditor_iban, transfer.creditor_agent),
            (Some(PAYEE_IBAN), "CASPKZKA")
        );
    });
}

#[test]
fn a_status_request() {
    let mut world = World::new();
    let ask = written(|out| write::status_request(out, None, &status_request()));
    let never = world.receive(HSBK, &ask);
    assert_eq!(
        (to(&never), never[0].status()),
        (vec![HSBK], ("RJCT", Some("AG09".into()), false))
    );
    assert!(world.seen.contains("not-received"));
    never[0].with(|message| {
        let Body::StatusReport(report) = &message.body else {
            panic!()
        };
        assert_eq!(
            (report.original.message_id, report.original.message_name),
            (Some("HSBK-ASK-1"), Some("pacs.028.001.05"))
        );
        assert_eq!(
            (report.original.transaction_id, report.original.uetr),
            ("TX-1", UETR)
        );
    });
    // Afterwards the identifier can no longer be used.
    let refused = world.receive(HSBK, &payment(&by_account()));
    assert_eq!(refused[0].status(), ("RJCT", Some("AG09".into()), false));
    let mut world = World::new();
    world.receive(HSBK, &payment(&by_account()));
    assert_eq!(world.receive(HSBK, &ask)[0].status(), ("PDNG", None, false));
    world.receive(CASP, &accepted());
    assert_eq!(world.receive(HSBK, &ask)[0].status(), ("ACSC", None, true));
}
