use torap_domain::Reason;
use torap_engine::directory::{self, LookUp, LookUpFound};
use torap_iso20022::{
    view::{Party, PersonNumber, VerificationReport, VerificationRequest},
    write,
};

use super::*;
use crate::fixtures::{
    CASP, HSBK, PAYEE_IBAN, PAYEE_IIN, PAYEE_PHONE, PAYER_IIN, bic, confirmation, iin, look_up,
    payee_record, phone, uetr, written,
};

fn asked(request: &VerificationRequest<'_>, known: &Known) -> LookUp {
    let body = written(|out| write::verification_request(out, None, request));
    match command_from(1, &body, known) {
        Command::Directory(directory::Command::LookUp(look_up)) => look_up,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_look_up_carries_only_the_masked_name() {
    let found = asked(&look_up(), &Known::with([payee_record()]));
    assert_eq!(
        (found.message_id.as_str(), found.verification_id.as_str()),
        ("HSBK-LKP-1", "LKP-1")
    );
    assert_eq!(
        (found.phone, found.person, found.chosen),
        (phone(PAYEE_PHONE), None, None)
    );
    assert_eq!(
        (found.instructing_agent, found.as_of),
        (bic(HSBK), Position::new(90))
    );
    let LookUpFound::Hit {
        agent,
        masked_name,
        changed_at,
    } = found.found
    else {
        panic!("{:?}", found.found)
    };
    assert_eq!(
        (agent, masked_name.as_str(), changed_at),
        (bic(CASP), "СЕРГЕЙ П. И.", Position::new(77))
    );
    assert!(!format!("{found:?}").contains(PAYEE_IBAN) && !format!("{found:?}").contains("ИВАНОВ"));
}

#[test]
fn a_look_up_may_be_narrowed() {
    let known = Known::with([payee_record()]);
    let person = |digits| Party {
        number: Some(PersonNumber::Iin(digits)),
        ..Party::default()
    };
    let chosen = asked(
        &VerificationRequest {
            agent: Some("IRTYKZKA"),
            ..look_up()
        },
        &known,
    );
    assert_eq!(chosen.chosen, Some(bic("IRTYKZKA")));
    assert!(matches!(chosen.found, LookUpFound::Hit { agent, .. } if agent == bic("IRTYKZKA")));
    let hit = asked(
        &VerificationRequest {
            party: person(PAYEE_IIN),
            ..look_up()
        },
        &known,
    );
    assert_eq!(hit.person, Some(iin(PAYEE_IIN)));
    assert!(matches!(hit.found, LookUpFound::Hit { .. }));
    let miss = asked(
        &VerificationRequest {
            party: person(PAYER_IIN),
            ..look_up()
        },
        &known,
    );
    assert_eq!(miss.found, LookUpFound::Miss);
    assert_eq!(
        asked(&look_up(), &Known::default()).found,
        LookUpFound::Miss
    );
    let mut suspended = payee_record();
    suspended.suspended = true;
    assert_eq!(
        asked(&look_up(), &Known::with([suspended])).found,
        LookUpFound::Suspended
    );
    let default = asked(
        &VerificationRequest {
            agent: Some("TORPKZKA"),
            ..look_up()
        },
        &known,
    );
    assert_eq!(
        default.chosen, None,
        "the switch itself means the default bank"
    );
}

#[test]
fn an_account_is_not_looked_up() {
    let party = Party {
        number: Some(PersonNumber::Iin(PAYEE_IIN)),
        ..Party::default()
    };
    let request = VerificationRequest {
        iban: Some(PAYEE_IBAN),
        phone: None,
        party,
        ..look_up()
    };
    let body = written(|out| write::verification_request(out, None, &request));
    let refusal = refusal_from(1, &body, &Known::default());
    assert_eq!(
        (refusal.reason, refusal.code.as_str()),
        (Reason::ProfileViolation, "CH17")
    );
    assert!(
        refusal.rule.as_str().starts_with("look-up-by-phone: "),
        "{}",
        refusal.rule
    );
    assert_eq!(refusal.reference.unwrap().as_str(), "HSBK-LKP-1");
}

#[test]
fn a_confirmation_is_matched_by_the_uetr_in_its_identification() {
    let answer = |verified| {
        let body = written(|out| write::verification_report(out, None, &confirmation(verified)));
        match command_from(2, &body, &Known::default()) {
            Command::Instant(instant::Command::ConfirmAnswer(answer)) => answer,
            other => panic!("{other:?}"),
        }
    };
    let confirmed = answer(true);
    assert_eq!(
        (
            confirmed.uetr,
            confirmed.confirmed,
            confirmed.message_id.as_str()
        ),
        (uetr(), true, "CASP-CNF-1")
    );
    assert!(!answer(false).confirmed);
    for wrong in [
        "LKP-1",
        "f47ac10b-58cc-4372-a567-0e02b2c3d479",
        "F47AC10B58CC4372A5670E02B2C3D479",
        "f47ac10b58cc1372a5670e02b2c3d479",
    ] {
        // An identification has at most 35 characters; the writer cuts the longer one.
        let report = VerificationReport {
            verification_id: wrong,
            ..confirmation(true)
        };
        let body = written(|out| write::verification_report(out, None, &report));
        let refusal = refusal_from(2, &body, &Known::default());
        assert_eq!(refusal.path.as_str(), "/Document/IdVrfctnRpt/Rpt/OrgnlId");
        assert!(
            refusal.rule.as_str().starts_with("verification-id: "),
            "{}",
            refusal.rule
        );
    }
}
