use torap_domain::{Money, QrId, Service};
use torap_engine::directory::AliasKey;

use super::super::{
    keys::{PaymentFields, payment_fingerprint, return_fingerprint, return_key},
    resolution_id::ResolutionId,
};
use super::*;
use crate::fixtures::{
    CASP, HSBK, PAYEE_IBAN, PAYEE_IIN, PAYEE_PHONE, PAYER_IBAN, Random, bic, by_account, by_phone,
    by_qr, iban, own_accounts, payment, phone, uetr,
};

fn fingerprint(message: &torap_iso20022::view::CreditTransfer<'_>) -> instant::Fingerprint {
    transfer(command_from(1, &payment(message), &Known::default())).fingerprint
}

#[test]
fn hashes_are_made_as_documented() {
    let cut =
        |input: &[u8]| -> [u8; 16] { blake3::hash(input).as_bytes()[..16].try_into().unwrap() };
    let key = payment_key(ParticipantId(258), "TX-1");
    assert_eq!(
        key.0,
        cut(b"\x00\x13torap key payment 1\x00\x02\x01\x02\x00\x04TX-1")
    );
    let fingerprint = return_fingerprint(Money::kzt(5), &bic(HSBK), "TX-1", uetr());
    let mut input = b"\x00\x0etorap return 1\x00\x02\x00\x01\x00\x08\0\0\0\0\0\0\0\x05\x00\x08HSBKKZKX\x00\x04TX-1\x00\x10".to_vec();
    input.extend(uetr().bytes());
    assert_eq!(fingerprint.0, cut(&input));
}

#[test]
fn a_key_depends_on_participant_kind_and_identifier() {
    let keys = [
        payment_key(ParticipantId(1), "TX-1"),
        payment_key(ParticipantId(2), "TX-1"),
        payment_key(ParticipantId(1), "TX-2"),
        payment_key(ParticipantId(1), ""),
        payment_key(ParticipantId(1), &"9".repeat(4000)),
        return_key(ParticipantId(1), "TX-1"),
    ];
    for (place, key) in keys.iter().enumerate() {
        assert!(!keys[..place].contains(key), "{place}");
    }
}

#[test]
fn what_is_not_business_does_not_change_the_fingerprint() {
    use torap_iso20022::view::CreditTransfer;
    let first = fingerprint(&by_account());
    let same = [
        CreditTransfer {
            message_id: "OTHER",
            ..by_account()
        },
        CreditTransfer {
            created_ns: 1_795_000_000_000_000_000,
            ..by_account()
        },
        CreditTransfer {
            accepted_ns: 1_795_000_000_000_000_000,
            ..by_account()
        },
        CreditTransfer {
            instruction_id: None,
            end_to_end_id: "E2E-2",
            ..by_account()
        },
        CreditTransfer {
            remittance: None,
            knp: "110",
            ..by_account()
        },
        CreditTransfer {
            transaction_id: "TX-9",
            ..by_account()
        },
        CreditTransfer {
            creditor: crate::fixtures::party("ДРУГОЙ", PAYEE_IIN),
            ..by_account()
        },
    ];
    for message in &same {
        assert_eq!(fingerprint(message), first, "{message:?}");
    }
}

#[test]
fn every_business_field_changes_the_fingerprint() {
    use torap_iso20022::view::CreditTransfer;
    let other_account = "KZ86125KZT5004100100";
    let messages = [
        by_account(),
        by_phone(),
        own_accounts(),
        by_qr("Q-1"),
        by_qr("Q-2"),
        CreditTransfer {
            tiyn: 1_525_001,
            ..by_account()
        },
        CreditTransfer {
            debtor_agent: CASP,
            ..by_account()
        },
        CreditTransfer {
            debtor_iban: other_account,
            ..by_account()
        },
        CreditTransfer {
            creditor_agent: "IRTYKZKA",
            ..by_account()
        },
        CreditTransfer {
            creditor_iban: Some(other_account),
            ..by_account()
        },
        CreditTransfer {
            creditor_phone: Some("+77011234567"),
            ..by_phone()
        },
        CreditTransfer {
            instructed_agent: Some("IRTYKZKA"),
            ..by_phone()
        },
    ];
    let fingerprints: Vec<_> = messages.iter().map(fingerprint).collect();
    for (place, one) in fingerprints.iter().enumerate() {
        assert!(
            !fingerprints[..place].contains(one),
            "{:?}",
            messages[place]
        );
    }
    // Another spelling of the same number is the same payment.
    let respelt = CreditTransfer {
        creditor_phone: Some("8 (777) 987-65-43"),
        ..by_phone()
    };
    assert_eq!(fingerprint(&respelt), fingerprint(&by_phone()));
}

#[test]
fn neighbouring_fields_do_not_run_into_each_other() {
    let (payer, payee) = (iban(PAYER_IBAN), iban(PAYEE_IBAN));
    let (hsbk, casp) = (bic(HSBK), bic(CASP));
    let fields = PaymentFields {
        service: Service::Qr,
        amount: Money::kzt(1),
        debtor_agent: &hsbk,
        debtor_account: &payer,
        creditor_agent: &casp,
        creditor_account: Some(&payee),
        proxy: None,
        qr: None,
    };
    let id = QrId::parse(PAYEE_IBAN).unwrap();
    let shifted = PaymentFields {
        creditor_account: None,
        qr: Some(&id),
        ..fields
    };
    assert_ne!(payment_fingerprint(&fields), payment_fingerprint(&shifted));
    let amount = Money::kzt(5);
    let one = return_fingerprint(amount, &hsbk, "TX-1", uetr());
    assert_ne!(
        one,
        return_fingerprint(Money::kzt(6), &hsbk, "TX-1", uetr())
    );
    assert_ne!(one, return_fingerprint(amount, &casp, "TX-1", uetr()));
    assert_ne!(one, return_fingerprint(amount, &hsbk, "TX-2", uetr()));
}

#[test]
fn a_resolution_identifier_reads_back() {
    let longest = ResolutionId {
        alias: AliasKey(u64::MAX),
        changed_at: Position::new((1 << 60) - 1),
    };
    let shortest = ResolutionId {
        alias: AliasKey(0),
        changed_at: Position::ZERO,
    };
    let usual = ResolutionId {
        alias: AliasKey::of(phone(PAYEE_PHONE)),
        changed_at: Position::new(77),
    };
    for id in [longest, shortest, usual] {
        let text = id.text();
        assert!((20..=34).contains(&text.len()), "{text}");
        assert!(
            torap_domain::ResolutionId::parse(text.as_str()).is_ok(),
            "{text} fits ClrSysRef"
        );
        assert_eq!(ResolutionId::parse(text.as_str()), Some(id));
    }
    assert_eq!(shortest.text().as_str(), "R0000000000000000027");
}

#[test]
fn a_resolution_identifier_with_any_wrong_character_is_refused() {
    let id = ResolutionId {
        alias: AliasKey::of(phone(PAYEE_PHONE)),
        changed_at: Position::new(1_234_567),
    };
    let text = id.text().as_str().to_owned();
    for place in 0..text.len() {
        for replacement in "0123456789ABCDEFRabcdef-é ".chars() {
            let mut wrong: Vec<char> = text.chars().collect();
            if wrong[place] == replacement {
                continue;
            }
            wrong[place] = replacement;
            let wrong: String = wrong.into_iter().collect();
            assert_eq!(ResolutionId::parse(&wrong), None, "{wrong}");
        }
    }
    for wrong in [
        "",
        "R",
        "R00",
        "47",
        &text[1..],
        &text[..text.len() - 1],
        "R00000000000000000079",
        "R9F3C52AA01B7E6D4+147",
    ] {
        assert_eq!(ResolutionId::parse(wrong), None, "{wrong}");
    }
    let mut random = Random::new(0x1d);
    for _ in 0..20_000 {
        let wrong = random.mutate(text.as_bytes());
        let parsed = std::str::from_utf8(&wrong)
            .ok()
            .and_then(ResolutionId::parse);
        if let Some(other) = parsed {
            assert_eq!(
                other.text().as_str().as_bytes(),
                wrong,
                "one value has one form"
            );
        }
    }
}
