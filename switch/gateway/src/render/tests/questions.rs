use torap_iso20022::{
    view::{Body, TransactionStatus, VerificationRequest},
    write,
};

use super::world::{CASP, HSBK, Received, World};
use crate::{
    fixtures::{
        self, PAYEE_IBAN, PAYEE_IIN, PAYEE_PHONE, answer, by_phone, look_up, payment, written,
    },
    wire::ContentType,
};

fn register(bank: u16, world: &mut World, reference: &str) -> Vec<Received> {
    world.receive_json(
        bank,
        &format!(
            r#"{{"command":"register","reference":"{reference}","phone":"{PAYEE_PHONE}","person":"{PAYEE_IIN}","iban":"{PAYEE_IBAN}","name":"ИВАНОВ СЕРГЕЙ ПЕТРОВИЧ"}}"#
        ),
    )
}

#[test]
fn json_commands_are_answered_in_json() {
    let mut world = World::new();
    let [answer] = &register(CASP, &mut world, "R-1")[..] else {
        panic!()
    };
    assert_eq!(
        (answer.to, answer.content_type),
        (CASP, ContentType::AnswerJson)
    );
    let position = world.stamp.position;
    assert_eq!(
        answer.text,
        format!(r#"{{"reference":"R-1","accepted":true,"position":{position}}}"#)
    );
    let [answer] = &register(CASP, &mut world, "R-2")[..] else {
        panic!()
    };
    let position = world.stamp.position;
    assert_eq!(
        answer.text,
        format!(
            r#"{{"reference":"R-2","accepted":false,"position":{position},"reason":"entry-exists","code":"DU03","text":"The directory entry exists already.","actor":"peer"}}"#
        )
    );
    let [answer] = &world.receive_json(
        CASP,
        r#"{"command":"remove","reference":"R-3","phone":"12"}"#,
    )[..] else {
        panic!()
    };
    let position = world.stamp.position;
    assert_eq!(
        answer.text,
        format!(
            r#"{{"reference":"R-3","accepted":false,"position":{position},"reason":"profile-violation","code":"CH16","text":"The message breaks the national usage table.","actor":"peer","path":"phone","rule":"phone-length: the phone number has too few or too many digits"}}"#
        )
    );
    let [answer] = &world.receive_json(CASP, "{}}")[..] else {
        panic!()
    };
    assert!(
        answer.text.starts_with(r#"{"accepted":false,"#),
        "{}",
        answer.text
    );
}

#[test]
fn a_look_up_shows_a_masked_name_and_the_way_to_pay() {
    let mut world = World::new();
    register(CASP, &mut world, "R-1");
    let changed_at = world.stamp.position;
    let ask = |request: &VerificationRequest<'_>| {
        written(|out| write::verification_request(out, None, request))
    };
    let [hit] = &world.receive(HSBK, &ask(&look_up()))[..] else {
        panic!()
    };
    assert_eq!(hit.to, HSBK);
    let resolution_id = hit.with(|message| {
        let Body::VerificationReport(report) = &message.body else {
            panic!("{message:?}")
        };
        assert!(report.verified);
        assert_eq!(
            (report.name.as_deref(), report.agent),
            (Some("СЕРГЕЙ П. И."), Some("CASPKZKA"))
        );
        assert_eq!(
            (report.original_message_id, report.verification_id),
            (Some("HSBK-LKP-1"), "LKP-1")
        );
        assert_eq!((report.phone, report.reason), (Some(PAYEE_PHONE), None));
        report.resolution_id.unwrap().to_owned()
    });
    assert!(
        !hit.text.contains(PAYEE_IBAN)
            && !hit.text.contains("ИВАНОВ")
            && !hit.text.contains(PAYEE_IIN)
    );
    let parsed = crate::translate::resolution_id::ResolutionId::parse(&resolution_id).unwrap();
    assert_eq!(parsed.changed_at, changed_at);
    // The payment carries it back and goes through.
    let transfer = torap_iso20022::view::CreditTransfer {
        resolution_id: Some(&resolution_id),
        ..by_phone()
    };
    assert_eq!(world.receive(HSBK, &payment(&transfer))[0].to, CASP);
    // After a change of the entry it does not any more.
    let change = format!(
        r#"{{"command":"change","reference":"R-2","phone":"{PAYEE_PHONE}","person":"{PAYEE_IIN}","iban":"{PAYEE_IBAN}","name":"ИВАНОВ СЕРГЕЙ"}}"#
    );
    world.receive_json(CASP, &change);
    let later = torap_iso20022::view::CreditTransfer {
        transaction_id: "TX-2",
        uetr: "00000000-0000-4000-8000-000000000002",
        ..transfer
    };
    assert_eq!(
        world.receive(HSBK, &payment(&later))[0].status(),
        ("RJCT", Some("AC15".into()), false)
    );
}

#[test]
fn a_miss_and_a_suspended_number_say_no_more_than_that() {
    let mut world = World::new();
    let ask = written(|out| write::verification_request(out, None, &look_up()));
    let refused = |received: &[Received]| {
        received[0].with(|message| {
            let Body::VerificationReport(report) = &message.body else {
                panic!("{message:?}")
            };
            assert!(
                !report.verified
                    && report.name.is_none()
                    && report.agent.is_none()
                    && report.resolution_id.is_none()
            );
            report.reason.unwrap().to_owned()
        })
    };
    assert_eq!(refused(&world.receive(HSBK, &ask)), "AC01");
    register(CASP, &mut world, "R-1");
    let mut record = world.known.aliases.values().next().unwrap().clone();
    record.suspended = true;
    world.known.aliases.insert(record.phone.value(), record);
    assert_eq!(refused(&world.receive(HSBK, &ask)), "AG01");
    // The guard: misses cost more than the bank has.
    world.known.aliases.clear();
    let last = (0..2_000)
        .map(|_| refused(&world.receive(HSBK, &ask)))
        .find(|code| code != "AC01");
    assert_eq!(last.as_deref(), Some("NR01"));
}

#[test]
fn rejects_name_place_rule_and_who_must_act() {
    let mut world = World::new();
    let wrong = torap_iso20022::view::CreditTransfer {
        creditor_iban: Some("KZ45722S000054326793"),
        ..fixtures::by_account()
    };
    let [reject] = &world.receive(HSBK, &payment(&wrong))[..] else {
        panic!()
    };
    assert_eq!(reject.to, HSBK);
    reject.with(|message| {
        let Body::Reject(reject) = &message.body else {
            panic!("{message:?}")
        };
        assert_eq!((&*reject.related, &*reject.reason), ("HSBK-MSG-1", "AC03"));
        assert_eq!(
            reject.location.as_deref(),
            Some("/Document/FIToFICstmrCdtTrf/CdtTrfTxInf/CdtrAcct/Id/IBAN")
        );
        assert!(
            reject
                .description
                .as_deref()
                .unwrap()
                .starts_with("iban-check-digits: ")
        );
        let additional = reject.additional.as_deref().unwrap();
        assert_eq!(
            additional,
            "profile-violation; peer must act: The message breaks the national usage table."
        );
    });
    let [reject] = &world.receive(HSBK, &bytes::Bytes::from_static(b"\xff\xfe"))[..] else {
        panic!()
    };
    reject.with(|message| {
        let Body::Reject(reject) = &message.body else {
            panic!("{message:?}")
        };
        assert_eq!(&*reject.related, "UNKNOWN");
    });
    // The engine's own: an answer about a payment that does not exist.
    let stray =
        written(|out| write::status_report(out, None, &answer(TransactionStatus::Acsp, None)));
    let [reject] = &world.receive(CASP, &stray)[..] else {
        panic!()
    };
    reject.with(|message| {
        let Body::Reject(reject) = &message.body else {
            panic!("{message:?}")
        };
        assert_eq!(
            (&*reject.related, &*reject.reason, reject.location.is_none()),
            ("CASP-STS-1", "AG09", true)
        );
    });
}

/// The commands of docs/wire.md with their answers, in order.
#[test]
fn the_examples_of_the_document_are_true() {
    let document = include_str!("../../../../../docs/wire.md");
    let examples = document
        .split("```json")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .unwrap();
    let objects = serde_json::Deserializer::from_str(examples).into_iter::<serde_json::Value>();
    let objects: Vec<_> = objects.map(Result::unwrap).collect();
    assert_eq!(objects.len(), 4);
    let mut world = World::new();
    for pair in objects.chunks(2) {
        let [answer] = &world.receive_json(CASP, &pair[0].to_string())[..] else {
            panic!()
        };
        let mut expected = pair[1].clone();
        expected["position"] = world.stamp.position.value().into();
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&answer.text).unwrap(),
            expected
        );
    }
}
