//! A payment between banks that speak different dialects: translated, rendered and taken across as the node does it, with MACs on the
//! acquirer's side.

use torap_domain::card::{ApprovalCode, Stan, Transmission};
use torap_domain::{Date, Money, ParticipantId, Position};
use torap_engine::cards::{
    Class, Command, Decider, Decision, Effect, Enrichment, MacFact, Message as Told, Trace,
};
use torap_hsm::{Request, Response, Verdict};
use torap_iso8583::{Dialect, Message, Mti, Step, check_step};

use super::samples::{Values, written};
use crate::card::crosswalk::{Crossed, Toward, covered, from_national, put_mac};
use crate::card::evidence::Evidence;
use crate::card::fixtures::{
    self, ACQUIRER, ISSUER, PAN, fields, network_with, now, origin, purchase_with, vault,
};
use crate::card::members::CardNetwork;
use crate::card::render::{CardRenderer, Record, Records, Rendered};
use crate::card::translate::{CardTranslator, Inbound, Intake, QuestionNumber, Translated};

const ORIGINAL: Position = Position(71);
const MAC: [u8; 8] = [0xEE; 8];

/// What a host's link does with a message.
fn receive(
    network: &CardNetwork,
    dialect: &'static Dialect,
    participant: ParticipantId,
    bytes: &[u8],
) -> Translated {
    let crossed = Crossed::read(dialect, bytes, Toward::Switch).unwrap();
    let inbound = Inbound {
        origin: origin(participant),
        tpdu: None,
        message: crossed.national(),
        wire: crossed.wire(),
        now: now(),
        overloaded: false,
        hsm_is_up: true,
    };
    CardTranslator::new(vault()).translate(&inbound, network)
}

fn ready(translated: Translated) -> Intake {
    match translated {
        Translated::Ready(intake) => intake,
        other => panic!("not ready: {other:?}"),
    }
}

fn record(intake: &Intake) -> Record<'_> {
    Record {
        command: &intake.command,
        evidence: &intake.evidence,
        secrets: &intake.secrets,
    }
}

fn send(
    network: &CardNetwork,
    dialect: &Dialect,
    effect: &Effect,
    original: &Intake,
    second: Option<&Intake>,
) -> (Vec<u8>, Rendered) {
    let records = Records {
        original: Some(record(original)),
        second: second.map(record),
        enquired: false,
    };
    let mut national = Vec::new();
    let rendered = CardRenderer::new(vault())
        .render(effect, &records, network, &mut national)
        .unwrap();
    let message = Message::parse(Dialect::national(), &national).unwrap();
    let mut out = Vec::new();
    from_national(&message, dialect, Toward::Host, now(), &mut out).unwrap();
    (out, rendered)
}

fn effect(to: ParticipantId, message: Told) -> Effect {
    Effect {
        to,
        link: None,
        cause: ORIGINAL,
        time: now(),
        message,
    }
}

/// A national message of a host, in the dialect of the host.
fn of_host(dialect: &Dialect, mti: u16, list: &fixtures::Fields) -> Vec<u8> {
    let bytes = fixtures::written(mti, list);
    let message = Message::parse(Dialect::national(), &bytes).unwrap();
    let mut out = Vec::new();
    from_national(&message, dialect, Toward::Switch, now(), &mut out).unwrap();
    out
}

#[track_caller]
fn in_order(dialect: &'static Dialect, step: Step, bytes: &[u8]) {
    let message = Message::parse(dialect, bytes).unwrap();
    message.check_subfields().unwrap();
    check_step(&message, step).unwrap_or_else(|error| panic!("{error}"));
}

fn text(dialect: &Dialect, bytes: &[u8], field: u8) -> String {
    let message = Message::parse(dialect, bytes).unwrap();
    let mut text = Vec::new();
    message.text_into(field, &mut text);
    text.escape_ascii().to_string()
}

/// An approved purchase from end to end.
#[track_caller]
fn pay(acquirer: &'static str, issuer: &'static str) {
    let of = |name| Dialect::built_in(name).unwrap();
    let (acquirer, issuer) = (of(acquirer), of(issuer));
    let network = network_with(ACQUIRER, |profile| profile.mac = true);

    let mut list = purchase_with(&[(53, "9900000001000004")]);
    list.push((64, vec![0; 8]));
    let mut asked = of_host(acquirer, 200, &list);
    assert!(put_mac(acquirer, &mut asked, MAC));
    in_order(acquirer, Step::FromAcquirer, &asked);

    let Translated::Ask(mut pending) = receive(&network, acquirer, ACQUIRER, &asked) else {
        panic!("nothing to ask");
    };
    assert_eq!(pending.questions(), [QuestionNumber::Mac]);
    let Some(Request::VerifyMac { data, mac, .. }) = pending.request(QuestionNumber::Mac) else {
        panic!("no MAC to verify");
    };
    // The bytes of the wire, not those of the national message.
    assert_eq!(data, covered(acquirer, &asked));
    assert_eq!(mac.first_8(), MAC);
    pending.answer(
        QuestionNumber::Mac,
        &Ok(Response::VerifyMac(Verdict::Right)),
    );
    let (question, _) = pending.finish();
    let Command::Request(request) = &question.command else {
        panic!("{:?}", question.command);
    };
    assert_eq!(request.transaction.mac, MacFact::Good);
    let references = request.transaction.references;
    // What the log keeps is national, and keeps no track.
    let evidence = Evidence::read(&question.evidence).unwrap();
    assert_eq!(evidence.dialect.name(), "national");
    assert!(
        evidence
            .message()
            .unwrap()
            .get(35)
            .unwrap()
            .iter()
            .all(|digit| *digit == b'0')
    );

    let trace = Trace {
        transmitted: Transmission::parse(b"1121130406").unwrap(),
        stan: Stan::new(9001).unwrap(),
    };
    let session = Date::from_ymd(2026, 11, 21).unwrap();
    let message = Told::Request {
        original: ORIGINAL,
        class: Class::Financial,
        trace,
        session,
        expires: now(),
        enrichment: Enrichment::NotAsked,
    };
    let (forwarded, _) = send(&network, issuer, &effect(ISSUER, message), &question, None);
    in_order(issuer, Step::ToIssuer, &forwarded);
    for (field, expected) in [
        (2, PAN),
        (4, "000000150000"),
        (11, "009001"),
        (35, fixtures::TRACK2),
        (41, "TERM0001"),
        (48, "CH03POSCV03123"),
    ] {
        assert_eq!(text(issuer, &forwarded, field), expected);
    }

    let list = fields(&[
        (3, "000000"),
        (4, "000000150000"),
        (7, "1121130406"),
        (11, "009001"),
        (12, "180405"),
        (13, "1121"),
        (32, "601"),
        (33, "722"),
        (37, "632613000417"),
        (38, "B00002"),
        (39, "00"),
        (41, "TERM0001"),
        (49, "398"),
        (62, "001003BYE"),
    ]);
    let answered = of_host(issuer, 210, &list);
    in_order(issuer, Step::FromIssuer, &answered);
    let answer = ready(receive(&network, issuer, ISSUER, &answered));

    let message = Told::Answer {
        original: ORIGINAL,
        class: Class::Financial,
        references,
        decision: Decision::Approved {
            approval: ApprovalCode::parse(b"B00002").ok(),
            amount: Money::kzt(150_000),
            by: Decider::Issuer,
        },
        answer: Some(Position(72)),
        session,
        fees: None,
        again: false,
    };
    let (mut told, rendered) = send(
        &network,
        acquirer,
        &effect(ACQUIRER, message),
        &question,
        Some(&answer),
    );
    assert!(rendered.mac.is_some());
    assert!(put_mac(acquirer, &mut told, MAC));
    in_order(acquirer, Step::ToAcquirer, &told);
    let (before, _) = Message::parse(acquirer, &told)
        .unwrap()
        .before_mac()
        .unwrap();
    assert_eq!(before, covered(acquirer, &told));
    let approved = if acquirer.year() == 1993 { "000" } else { "00" };
    for (field, expected) in [
        (4, "000000150000"),
        (11, "000417"),
        (38, "B00002"),
        (39, approved),
        (61, "001004TILL"),
    ] {
        assert_eq!(text(acquirer, &told, field), expected, "field {field}");
    }
}

#[test]
fn an_acquirer_of_1987_pays_with_a_national_issuer() {
    pay("iso87-ascii", "national");
}

#[test]
fn every_dialect_pays_with_every_other() {
    for acquirer in Dialect::BUILT_IN {
        for issuer in Dialect::BUILT_IN {
            pay(acquirer, issuer);
        }
    }
}

#[test]
fn a_mac_that_stands_in_the_wrong_place_is_none() {
    let network = network_with(ACQUIRER, |profile| profile.mac = true);
    let mut list: Values = purchase_with(&[(102, "123")]).into_iter().collect();
    list.insert(64, vec![0xEE; 8]);
    let bytes = written(Dialect::iso87_ascii(), Mti::new(200).unwrap(), &list);
    let intake = ready(receive(&network, Dialect::iso87_ascii(), ACQUIRER, &bytes));
    let Command::Request(request) = &intake.command else {
        panic!("{:?}", intake.command);
    };
    assert_eq!(request.transaction.mac, MacFact::Missing);
}
