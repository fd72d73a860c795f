use torap_domain::{
    EndToEndId, InstructionId, MessageId, Money, QrId, Service, Time, TransactionId,
};
use torap_engine::{
    References,
    directory::AliasKey,
    instant::{
        AliasFact, AliasResolution, CreditTransfer, FinalOutcome, Fingerprint, Finished, PayeeFact,
        PaymentKey, QrFact, Verdict,
    },
};
use torap_iso20022::{view::TransactionStatus, write};

use super::*;
use crate::fixtures::{
    self, BENCH, CASP, HSBK, PAYEE_IBAN, PAYEE_IIN, PAYEE_PHONE, PAYER_IBAN, PAYER_IIN, SWITCH,
    answer, bic, by_account, by_phone, by_qr, iban, iin, own_accounts, payee_record, payment,
    phone, uetr, written,
};

#[test]
fn the_bench_document_becomes_this_command() {
    let command = command_from(1, &Bytes::from_static(BENCH), &Known::default());
    let expected = CreditTransfer {
        source: source(1),
        service: Service::C2cAccount,
        references: References {
            message_id: MessageId::parse("HSBKKZKX20261121000000000001234").unwrap(),
            instruction_id: Some(InstructionId::parse("HSBKKZKX-INSTR-0000001234").unwrap()),
            end_to_end_id: Some(EndToEndId::parse("E2E-20261121-0000001234").unwrap()),
            transaction_id: TransactionId::parse("TX20261121091527123000001234").unwrap(),
            uetr: uetr(),
            message_version: 1,
        },
        // Both hashes stand in journals: a change of these values is a change of every identifier ever stored.
        key: PaymentKey(0x6c2f_59a2_ec1b_4131_7148_01bf_d688_0761_u128.to_be_bytes()),
        fingerprint: Fingerprint(0xcaa5_abc5_b94e_8364_af89_c07f_9248_2397_u128.to_be_bytes()),
        amount: Money::kzt(1_525_000),
        accepted: Time::parse("2026-11-21T09:15:27.101+05:00").unwrap(),
        instructing_agent: bic(HSBK),
        debtor_agent: bic(HSBK),
        debtor_account: iban(PAYER_IBAN),
        debtor: iin(PAYER_IIN),
        creditor_agent: bic(CASP),
        creditor_account: Some(iban(PAYEE_IBAN)),
        creditor: Some(iin(PAYEE_IIN)),
        alias: None,
        payee: None,
        qr: None,
        history: None,
    };
    assert_eq!(transfer(command), expected);
}

#[test]
fn a_payment_by_phone_carries_what_the_directory_says() {
    let known = Known::with([payee_record()]);
    let translated = transfer(command_from(1, &payment(&by_phone()), &known));
    let found = AliasResolution::Found {
        agent: bic(CASP),
        iban: iban(PAYEE_IBAN),
        person: iin(PAYEE_IIN),
    };
    let alias = AliasFact {
        alias: AliasKey::of(phone(PAYEE_PHONE)),
        as_of: Position::new(90),
        changed_at: Position::new(77),
        expected: None,
        resolution: found,
    };
    assert_eq!(translated.service, Service::C2cPhone);
    assert_eq!(translated.alias, Some(alias));
    assert_eq!(
        (translated.creditor_agent, translated.creditor_account),
        (bic(SWITCH), None)
    );
}

#[test]
fn the_payer_may_choose_a_bank_and_narrow_the_person() {
    let known = Known::with([payee_record()]);
    let resolution = |message: &torap_iso20022::view::CreditTransfer<'_>| {
        transfer(command_from(1, &payment(message), &known))
            .alias
            .unwrap()
            .resolution
    };
    let chosen = |bank| torap_iso20022::view::CreditTransfer {
        instructed_agent: Some(bank),
        ..by_phone()
    };
    let at = |found: AliasResolution| match found {
        AliasResolution::Found { agent, .. } => agent.as_str().to_owned(),
        other => format!("{other:?}"),
    };
    assert_eq!(at(resolution(&chosen("IRTYKZKA"))), "IRTYKZKA");
    assert_eq!(
        at(resolution(&chosen(SWITCH))),
        CASP,
        "the switch itself means the default"
    );
    assert_eq!(
        at(resolution(&chosen("TSESKZKA"))),
        "Unknown",
        "no account in that bank"
    );
    let person = |number| torap_iso20022::view::CreditTransfer {
        creditor: fixtures::party("С.", number),
        ..by_phone()
    };
    assert_eq!(at(resolution(&person(PAYEE_IIN))), CASP);
    assert_eq!(
        at(resolution(&person(PAYER_IIN))),
        "Unknown",
        "the number is another person's"
    );
    let mut suspended = payee_record();
    suspended.suspended = true;
    let known = Known::with([suspended]);
    let alias = transfer(command_from(1, &payment(&by_phone()), &known))
        .alias
        .unwrap();
    assert_eq!(alias.resolution, AliasResolution::Suspended);
    let nobody = transfer(command_from(1, &payment(&by_phone()), &Known::with([])))
        .alias
        .unwrap();
    assert_eq!(
        (nobody.resolution, nobody.changed_at),
        (AliasResolution::Unknown, Position::ZERO)
    );
}

#[test]
fn a_resolution_identifier_says_what_the_payer_was_shown() {
    let known = Known::with([payee_record()]);
    let id = resolution_id::ResolutionId {
        alias: AliasKey::of(phone(PAYEE_PHONE)),
        changed_at: Position::new(70),
    };
    let text = id.text();
    let message = torap_iso20022::view::CreditTransfer {
        resolution_id: Some(text.as_str()),
        ..by_phone()
    };
    let alias = transfer(command_from(1, &payment(&message), &known))
        .alias
        .unwrap();
    assert_eq!(
        (alias.expected, alias.changed_at),
        (Some(Position::new(70)), Position::new(77))
    );
    // By account nothing is resolved, and the field is carried along.
    let message = torap_iso20022::view::CreditTransfer {
        resolution_id: Some("ANYTHING"),
        ..by_account()
    };
    assert_eq!(
        transfer(command_from(1, &payment(&message), &known)).alias,
        None
    );
}

#[test]
fn me2me_is_compared_with_the_directory() {
    let own = |phone| torap_iso20022::view::CreditTransfer {
        debtor: torap_iso20022::view::Party {
            phone,
            ..own_accounts().debtor
        },
        ..own_accounts()
    };
    let fact = |message: &torap_iso20022::view::CreditTransfer<'_>, known: &Known| {
        transfer(command_from(1, &payment(message), known)).payee
    };
    let mut matched = payee_record();
    matched.persons[0].person = iin(PAYER_IIN);
    let mut suspended = matched.clone();
    suspended.suspended = true;
    let written = Some("+7-7779876543");
    assert_eq!(
        fact(&own(written), &Known::with([matched.clone()])),
        Some(PayeeFact::Matched)
    );
    assert_eq!(
        fact(&own(written), &Known::with([payee_record()])),
        Some(PayeeFact::Mismatch)
    );
    assert_eq!(
        fact(&own(written), &Known::with([suspended])),
        Some(PayeeFact::Unknown)
    );
    assert_eq!(
        fact(&own(written), &Known::default()),
        Some(PayeeFact::Unknown)
    );
    let known = Known::with([matched.clone()]);
    assert_eq!(
        fact(&own(None), &known),
        Some(PayeeFact::Unknown),
        "without a phone nothing can be looked up"
    );
    assert_eq!(known.aliases_asked.get(), 0);
    // One number under several spellings is looked up once.
    let message = torap_iso20022::view::CreditTransfer {
        creditor: torap_iso20022::view::Party {
            phone: Some("+7-7779876543"),
            ..own_accounts().creditor
        },
        creditor_phone: Some(PAYEE_PHONE),
        ..own(written)
    };
    assert_eq!(fact(&message, &known), Some(PayeeFact::Matched));
    assert_eq!(known.aliases_asked.get(), 1);
    // By phone the search is narrowed to the payer's own number.
    let by_phone = torap_iso20022::view::CreditTransfer {
        creditor_agent: SWITCH,
        creditor_iban: None,
        creditor_phone: Some(PAYEE_PHONE),
        instructed_agent: None,
        ..own_accounts()
    };
    assert_eq!(
        fact(&by_phone, &Known::with([matched])),
        Some(PayeeFact::Matched)
    );
    assert_eq!(
        fact(&by_phone, &Known::with([payee_record()])),
        Some(PayeeFact::Unknown)
    );
    assert_eq!(
        fact(&by_account(), &Known::default()),
        None,
        "only Me2Me is compared"
    );
}

#[test]
fn qr_codes_are_static_by_their_mark() {
    let qr =
        |id: &'static str| transfer(command_from(1, &payment(&by_qr(id)), &Known::default())).qr;
    let fact = |id, dynamic| {
        Some(QrFact {
            id: QrId::parse(id).unwrap(),
            dynamic,
        })
    };
    assert_eq!(qr("Q-42"), fact("Q-42", true));
    assert_eq!(qr("STATIC"), fact("STATIC", false));
    assert_eq!(qr("STATIC-42"), fact("STATIC-42", false));
    assert_eq!(qr("STATICS"), fact("STATICS", true));
    assert_eq!(
        transfer(command_from(1, &payment(&by_account()), &Known::default())).qr,
        None
    );
}

#[test]
fn identifiers_the_engine_may_have_forgotten_are_looked_up() {
    let history = |known: &Known| transfer(command_from(1, &payment(&by_account()), known)).history;
    assert_eq!(history(&Known::default()), None);
    let mut known = Known {
        forgets: true,
        as_of: 55,
        ..Known::default()
    };
    let unknown = History::Unknown {
        as_of: Position::new(55),
    };
    assert_eq!(history(&known), Some(unknown));
    let key = payment_key(ParticipantId(1), "TX-1");
    let finished = |key| Finished {
        key,
        uetr: uetr(),
        fingerprint: Fingerprint([1; 16]),
        submitted: Position::new(3),
        decided: Position::new(4),
        decided_at: Time::from_nanos(9),
        outcome: FinalOutcome::Settled,
        service: Service::C2cAccount,
        amount: Money::kzt(5),
        returned: Money::kzt(0),
        debtor_agent: ParticipantId(1),
        creditor_agent: ParticipantId(2),
    };
    let by_uetr = History::Known {
        as_of: Position::new(54),
        finished: finished(PaymentKey([9; 16])),
    };
    known.by_uetr.push((uetr(), by_uetr));
    assert_eq!(
        history(&known),
        Some(by_uetr),
        "another key with the same UETR is what makes a mismatch"
    );
    let by_key = History::Known {
        as_of: Position::new(53),
        finished: finished(key),
    };
    known.by_key.push((key, by_key));
    assert_eq!(history(&known), Some(by_key));
}

#[test]
fn an_answer_of_the_payees_bank() {
    let body =
        |status, reason| written(|out| write::status_report(out, None, &answer(status, reason)));
    let verdict = |body: &Bytes| match command_from(2, body, &Known::default()) {
        Command::Instant(instant::Command::Answer(answer)) => {
            assert_eq!(
                (answer.source, answer.uetr, answer.message_version),
                (source(2), uetr(), 4)
            );
            assert_eq!(
                (answer.message_id.as_str(), answer.transaction_id.as_str()),
                ("CASP-STS-1", "TX-1")
            );
            answer.verdict
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(
        verdict(&body(TransactionStatus::Acsp, None)),
        Verdict::Accept
    );
    assert_eq!(
        verdict(&body(TransactionStatus::Rjct, Some("AC04"))),
        Verdict::Reject {
            agent_code: *b"AC04"
        }
    );
    assert_eq!(
        verdict(&body(TransactionStatus::Rjct, Some("X1"))),
        Verdict::Reject {
            agent_code: *b"X1  "
        }
    );
}
