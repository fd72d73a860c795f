use torap_domain::Reason;
use torap_iso20022::{
    view::{BusinessHeader, CreditTransfer, EventNotice, Parameters, TransactionStatus},
    write::{self, Carried},
};

use super::*;
use crate::fixtures::{
    CASP, HSBK, PAYEE_IBAN, PAYEE_PHONE, SWITCH, answer, by_account, by_phone, header,
    payee_record, payment, recall, status_request, written,
};

/// Refused by the link of participant 1, with this reason, code, path and rule.
#[track_caller]
fn check(body: &Bytes, reason: Reason, code: &str, path: &str, rule: &str) {
    check_on(1, body, reason, code, path, rule);
}

#[track_caller]
fn check_on(link: u16, body: &Bytes, reason: Reason, code: &str, path: &str, rule: &str) {
    let refusal = refusal_from(link, body, &Known::default());
    let found = (refusal.reason, refusal.code.as_str(), refusal.path.as_str());
    assert_eq!(found, (reason, code, path), "{}", refusal.rule);
    let (name, text) = refusal.rule.as_str().split_once(": ").unwrap();
    assert_eq!(name, rule, "{text}");
    assert!(!text.is_empty() && !refusal.json);
}

fn with_header(header: &BusinessHeader<'_>, transfer: &CreditTransfer<'_>) -> Bytes {
    written(|out| write::credit_transfer(out, Some(header), transfer, &Carried::default()))
}

#[test]
fn what_is_no_message() {
    let malformed = Reason::MalformedMessage;
    check(
        &Bytes::from_static(b""),
        malformed,
        "FF01",
        "/",
        "not-well-formed",
    );
    check(
        &Bytes::from_static(b"hello"),
        malformed,
        "FF01",
        "/",
        "not-well-formed",
    );
    check(
        &Bytes::from_static(b"<!DOCTYPE a><a/>"),
        malformed,
        "FF01",
        "/",
        "doctype",
    );
    check(
        &Bytes::from_static(b"<a/>"),
        malformed,
        "FF01",
        "/a",
        "unknown-message",
    );
    let whole = payment(&by_account());
    let text = std::str::from_utf8(&whole).unwrap();
    let broken = |from: &str, to: &str| Bytes::from(text.replacen(from, to, 1));
    let group = "/Document/FIToFICstmrCdtTrf/GrpHdr";
    check(
        &broken("<NbOfTxs>1</NbOfTxs>", ""),
        malformed,
        "CH17",
        &format!("{group}/SttlmInf"),
        "unexpected-element",
    );
    let account = "/Document/FIToFICstmrCdtTrf/CdtTrfTxInf/DbtrAgt/FinInstnId";
    check(
        &broken(
            "<DbtrAgt><FinInstnId><BICFI>HSBKKZKX</BICFI></FinInstnId>",
            "<DbtrAgt>",
        ),
        malformed,
        "CH21",
        account.trim_end_matches("/FinInstnId"),
        "missing-element",
    );
    check(
        &broken("<NbOfTxs>1<", "<NbOfTxs>one<"),
        malformed,
        "CH16",
        &format!("{group}/NbOfTxs"),
        "pattern",
    );
}

#[test]
fn what_breaks_the_usage_tables() {
    let transaction = "/Document/FIToFICstmrCdtTrf/CdtTrfTxInf";
    let wrong = CreditTransfer {
        creditor_iban: Some("KZ45722S000054326793"),
        ..by_account()
    };
    let path = format!("{transaction}/CdtrAcct/Id/IBAN");
    check(
        &payment(&wrong),
        Reason::ProfileViolation,
        "AC03",
        &path,
        "iban-check-digits",
    );
    let wrong = CreditTransfer {
        creditor_phone: Some("12345"),
        ..by_phone()
    };
    let path = format!("{transaction}/CdtrAcct/Prxy/Id");
    check(
        &payment(&wrong),
        Reason::ProfileViolation,
        "BE23",
        &path,
        "phone-length",
    );
}

#[test]
fn the_reference_of_a_refused_message_is_kept() {
    let wrong = CreditTransfer {
        creditor_iban: Some("KZ45722S000054326793"),
        ..by_account()
    };
    let refusal = refusal_from(1, &payment(&wrong), &Known::default());
    assert_eq!(refusal.reference.unwrap().as_str(), "HSBK-MSG-1");
    assert_eq!(
        refusal_from(1, &Bytes::from_static(b"<a/>"), &Known::default()).reference,
        None
    );
}

#[test]
fn who_speaks_must_be_bound_to_the_link() {
    let unbound = Reason::UnboundSender;
    let path = "/Document/FIToFICstmrCdtTrf/GrpHdr/InstgAgt/FinInstnId/BICFI";
    check_on(
        2,
        &payment(&by_account()),
        unbound,
        "AG08",
        path,
        "unbound-sender",
    );
    let stranger = CreditTransfer {
        instructing_agent: "NBRKKZKX",
        ..by_account()
    };
    check(&payment(&stranger), unbound, "AG08", path, "unbound-sender");
    let from = "/AppHdr/Fr/FIId/FinInstnId/BICFI";
    check(
        &with_header(&header(CASP, "HSBK-MSG-1"), &by_account()),
        unbound,
        "AG08",
        from,
        "unbound-sender",
    );
    check(
        &with_header(&header("NBRKKZKX", "HSBK-MSG-1"), &by_account()),
        unbound,
        "AG08",
        from,
        "unbound-sender",
    );
    // Without an instructing agent the header speaks.
    let bare = torap_iso20022::view::StatusReport {
        instructing_agent: None,
        ..answer(TransactionStatus::Acsp, None)
    };
    let body =
        |from| written(|out| write::status_report(out, Some(&header(from, "CASP-STS-1")), &bare));
    check_on(2, &body(HSBK), unbound, "AG08", from, "unbound-sender");
    command_from(2, &body(CASP), &Known::default());
    let assigner = "/Document/FIToFIPmtCxlReq/Assgnmt/Assgnr/Agt/FinInstnId/BICFI";
    let body = written(|out| write::cancellation_request(out, None, &recall()));
    check_on(2, &body, unbound, "AG08", assigner, "unbound-sender");
    let body = written(|out| write::status_request(out, None, &status_request()));
    let path = "/Document/FIToFIPmtStsReq/GrpHdr/InstgAgt/FinInstnId/BICFI";
    check_on(2, &body, unbound, "AG08", path, "unbound-sender");
}

#[test]
fn a_session_speaks_for_what_it_listed_and_nothing_else() {
    let on = |listed: &str, content_type, body: &Bytes| {
        let mut translator = Translator::new();
        translator.bind(vec![Bic::parse(listed).unwrap()]);
        let inbound = Inbound {
            participant: ParticipantId(1),
            sequence: Sequence::new(7),
            content_type,
            body,
        };
        let translated = translator.translate(inbound, &network(), &Known::default(), false);
        match translated.command {
            Command::Links(links::Command::Refused { refusal, .. }) => {
                Some((refusal.reason, refusal.path.as_str().to_owned()))
            }
            _ => None,
        }
    };
    let message = payment(&by_account());
    let command = Bytes::from_static(br#"{"command":"qr-cancel","reference":"R-1","id":"A"}"#);
    let (xml, json) = (ContentType::Iso20022Xml, ContentType::CommandJson);
    assert_eq!(on(HSBK, xml, &message), None);
    assert_eq!(on(HSBK, json, &command), None);
    let path = "/Document/FIToFICstmrCdtTrf/GrpHdr/InstgAgt/FinInstnId/BICFI";
    let unbound = |path: &str| Some((Reason::UnboundSender, path.to_owned()));
    assert_eq!(on("MICRKZKA", xml, &message), unbound(path));
    assert_eq!(on("MICRKZKA", json, &command), unbound("bank"));
}

#[test]
fn messages_are_addressed_to_the_switch() {
    let elsewhere = BusinessHeader {
        to: CASP,
        ..header(HSBK, "HSBK-MSG-1")
    };
    let path = "/AppHdr/To/FIId/FinInstnId/BICFI";
    check(
        &with_header(&elsewhere, &by_account()),
        Reason::ProfileViolation,
        "AGNT",
        path,
        "header-to-switch",
    );
}

#[test]
fn account_and_phone_name_different_agents() {
    let path = "/Document/FIToFICstmrCdtTrf/CdtTrfTxInf/CdtrAgt/FinInstnId/BICFI";
    let violation = Reason::ProfileViolation;
    let wrong = CreditTransfer {
        creditor_agent: CASP,
        ..by_phone()
    };
    check(
        &payment(&wrong),
        violation,
        "RC04",
        path,
        "creditor-agent-by-phone",
    );
    let wrong = CreditTransfer {
        creditor_agent: SWITCH,
        creditor_iban: Some(PAYEE_IBAN),
        ..by_account()
    };
    check(
        &payment(&wrong),
        violation,
        "RC04",
        path,
        "creditor-agent-by-account",
    );
}

#[test]
fn a_resolution_identifier_belongs_to_its_phone() {
    use torap_engine::directory::AliasKey;
    let path = "/Document/FIToFICstmrCdtTrf/CdtTrfTxInf/PmtId/ClrSysRef";
    let violation = Reason::ProfileViolation;
    let right = AliasKey::of(crate::fixtures::phone(PAYEE_PHONE));
    let text = |alias| {
        resolution_id::ResolutionId {
            alias,
            changed_at: Position::new(5),
        }
        .text()
    };
    let other = text(AliasKey(right.0 ^ 1));
    let wrong = CreditTransfer {
        resolution_id: Some(other.as_str()),
        ..by_phone()
    };
    check(&payment(&wrong), violation, "BE23", path, "resolution-id");
    let wrong = CreditTransfer {
        resolution_id: Some("R1"),
        ..by_phone()
    };
    check(&payment(&wrong), violation, "BE23", path, "resolution-id");
}

#[test]
fn a_bank_sends_no_notices() {
    let notice = EventNotice {
        code: "FLOR",
        parameters: Parameters::default(),
        description: None,
        time_ns: None,
    };
    let body = written(|out| write::event_notice(out, None, &notice));
    check(
        &body,
        Reason::ProfileViolation,
        "FF03",
        "/Document",
        "message-not-on-rail",
    );
}

#[test]
fn rejects_and_acknowledgements_are_noted_and_never_answered() {
    let reject = torap_iso20022::view::Reject {
        related: "T0001-5".into(),
        reason: "FF01".into(),
        rejected_ns: None,
        location: None,
        description: None,
        additional: None,
    };
    let body = written(|out| write::reject(out, None, &reject));
    assert_eq!(
        command_from(1, &body, &Known::default()),
        Command::Links(links::Command::Noted { source: source(1) })
    );
    let acknowledgement = torap_iso20022::view::EventAcknowledgement {
        message_id: "HSBK-ACK-1",
        originator_reference: Some("T0001-5"),
        code: Some("FLOR"),
        parameters: Parameters::default(),
    };
    let body = written(|out| {
        write::event_acknowledgement(out, Some(&header(HSBK, "HSBK-ACK-1")), &acknowledgement)
    });
    assert_eq!(
        command_from(1, &body, &Known::default()),
        Command::Links(links::Command::Noted { source: source(1) })
    );
}

#[test]
fn overloaded_refuses_payments_and_nothing_else() {
    let translated = translated_from(1, &payment(&by_account()), &Known::default(), true);
    let Command::Links(links::Command::Refused { refusal, .. }) = translated.command else {
        panic!()
    };
    assert_eq!(
        (refusal.reason, refusal.code.as_str()),
        (Reason::Overloaded, "ED06")
    );
    assert_eq!(refusal.reference.unwrap().as_str(), "HSBK-MSG-1");
    let report =
        written(|out| write::status_report(out, None, &answer(TransactionStatus::Acsp, None)));
    let translated = translated_from(2, &report, &Known::default(), true);
    assert!(matches!(
        translated.command,
        Command::Instant(instant::Command::Answer(_))
    ));
}

#[test]
fn a_payment_to_a_congested_bank_is_refused_however_it_names_that_bank() {
    let congested = |payee| Known {
        congested: Some(ParticipantId(payee)),
        ..Known::with([payee_record()])
    };
    for body in [payment(&by_account()), payment(&by_phone())] {
        let refusal = refusal_from(1, &body, &congested(2));
        assert_eq!(
            (refusal.reason, refusal.code.as_str()),
            (Reason::Overloaded, "ED06")
        );
        assert_eq!(
            refusal.path.as_str(),
            "/Document/FIToFICstmrCdtTrf/CdtTrfTxInf/CdtrAgt/FinInstnId/BICFI"
        );
        command_from(1, &body, &congested(3));
    }
}

#[test]
fn a_refused_message_leaves_a_bounded_piece_in_the_journal() {
    let large = Bytes::from(vec![b' '; 100_000]);
    let translated = translated_from(1, &large, &Known::default(), false);
    assert_eq!(translated.evidence.len(), REFUSED_EVIDENCE_BYTES_MAX);
    let small = Bytes::from_static(b"<a/>");
    assert_eq!(
        translated_from(1, &small, &Known::default(), false).evidence,
        small
    );
}

#[test]
fn other_content_types_and_the_session_s_own_refusals() {
    let inbound = Inbound {
        participant: ParticipantId(1),
        sequence: Sequence::new(7),
        content_type: ContentType::Unknown(9),
        body: &Bytes::from_static(b"?"),
    };
    let translated = Translator::new().translate(inbound, &network(), &Known::default(), false);
    let Command::Links(links::Command::Refused { refusal, .. }) = translated.command else {
        panic!()
    };
    assert_eq!(
        (refusal.reason, refusal.code.as_str()),
        (Reason::MalformedMessage, "FF01")
    );
    for code in ErrorCode::ALL {
        let Command::Links(links::Command::Refused {
            source: from,
            refusal,
        }) = refused_by_session(source(1), *code)
        else {
            panic!()
        };
        assert_eq!(from, source(1));
        assert_eq!(
            refusal.rule.as_str(),
            format!("{}: {}", code.name(), code.text())
        );
    }
}
