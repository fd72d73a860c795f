//! What a gateway does for one payment beside moving bytes: the bench document to a command, its forward, the final answer.
//!
//! `cargo bench -p torap-gateway --bench translate`

use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use torap_domain::{
    BankCode, Bic, Iban, ParticipantId, Phone, Position, Sequence, Service, Text, Time, Uetr,
};
use torap_engine::{
    Command, Effect, Message, Outbound, Status,
    directory::Record,
    instant::{self, CreditTransfer, History, PaymentKey},
    participants::{State, View},
};
use torap_gateway::{
    render::{RecordError, Records, Renderer},
    translate::{Inbound, Lookups, Network, Translator},
    wire::ContentType,
};

/// No directory, and an engine that has forgotten nothing.
struct Nothing;

impl Lookups for Nothing {
    fn alias(&self, _: Phone) -> (Position, Option<Record>) {
        (Position::ZERO, None)
    }

    fn by_key(&self, _: &PaymentKey) -> Option<History> {
        None
    }

    fn by_uetr(&self, _: &Uetr) -> Option<History> {
        None
    }

    fn is_congested(&self, _: ParticipantId) -> bool {
        false
    }
}

impl Records for Nothing {
    fn facts(&self, position: Position) -> Result<Command, RecordError> {
        Err(RecordError::new(
            position,
            "the hot path reads no record".into(),
        ))
    }

    fn evidence(&self, position: Position) -> Result<Bytes, RecordError> {
        Err(RecordError::new(
            position,
            "the hot path reads no record".into(),
        ))
    }
}

fn network() -> Network {
    let bank = |id, code: &str, bic: &str, bank_code: u16| View {
        id: ParticipantId(id),
        code: Text::truncated(code),
        name: Text::truncated(code),
        bics: vec![Bic::parse(bic).expect("a BIC")],
        bank_codes: BankCode::from_value(bank_code).into_iter().collect(),
        sponsor: None,
        technical_senders: Vec::new(),
        services: Service::ALL.to_vec(),
        state: State::Active,
        successor: None,
        link_up: true,
        inbound_last: Sequence::ZERO,
        outbound_last: Sequence::ZERO,
    };
    let banks = [
        bank(1, "HSBK", "HSBKKZKX", 601),
        bank(2, "CASP", "CASPKZKA", 722),
    ];
    Network::new(Bic::parse("TORPKZKA").expect("a BIC"), &banks)
}

fn document() -> Bytes {
    let path = "../../iso20022/benches/data/pacs008-84.xml";
    Bytes::from(std::fs::read(path).expect("the bench document"))
}

/// The bench document, paid by phone.
fn by_phone(document: &Bytes) -> Bytes {
    let text = std::str::from_utf8(document).expect("UTF-8");
    let (before, account) = text.split_at(text.find("<CdtrAcct>").expect("an account"));
    let account = account.replacen(
        "<Id>\n          <IBAN>KZ45722S000054326792</IBAN>\n        </Id>",
        "",
        1,
    );
    let agent = "<CdtrAgt>\n        <FinInstnId>\n          <BICFI>";
    let before = before.replace(&format!("{agent}CASPKZKA"), &format!("{agent}TORPKZKA"));
    Bytes::from(before + &account)
}

fn inbound(body: &Bytes) -> Inbound<'_> {
    Inbound {
        participant: ParticipantId(1),
        sequence: Sequence::new(1),
        content_type: ContentType::Iso20022Xml,
        body,
    }
}

fn transfer(body: &Bytes, network: &Network) -> CreditTransfer {
    let translated = Translator::new().translate(inbound(body), network, &Nothing, false);
    match translated.command {
        Command::Instant(instant::Command::CreditTransfer(transfer)) => transfer,
        other => panic!("the bench document is a payment, not {other:?}"),
    }
}

fn effect(to: u16, message: Message, transfer: &CreditTransfer) -> Effect {
    let outbound = Outbound {
        to: ParticipantId(to),
        sequence: Sequence::new(1_234_567),
        cause: Position::new(7_654_321),
        time: transfer.accepted,
        expires: None,
        message,
    };
    Effect {
        outbound,
        references: Some(transfer.references),
        amount: Some(transfer.amount),
        resolved: None,
    }
}

fn translate(criterion: &mut Criterion) {
    let (network, document) = (network(), document());
    let phone = by_phone(&document);
    let mut translator = Translator::new();
    let mut group = criterion.benchmark_group("translate");
    for (name, body) in [
        ("pacs.008 by account", &document),
        ("pacs.008 by phone", &phone),
    ] {
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(name, |bencher| {
            bencher
                .iter(|| translator.translate(black_box(inbound(body)), &network, &Nothing, false));
        });
    }
    group.bench_function("pacs.008 refused as overloaded", |bencher| {
        bencher
            .iter(|| translator.translate(black_box(inbound(&document)), &network, &Nothing, true));
    });
    group.finish();
}

fn render(criterion: &mut Criterion) {
    let (network, document) = (network(), document());
    let phone = by_phone(&document);
    let payment = transfer(&document, &network);
    let original = Position::new(7_654_000);
    let settled = Message::Status {
        original,
        status: Status::Settled,
        decided: Position::new(7_654_321),
        decided_at: Time::from_nanos(1_795_234_527_101_000_000),
        repeat: false,
    };
    let iban = Iban::parse("KZ45722S000054326792").expect("an IBAN");
    let resolved = Some((Bic::parse("CASPKZKA").expect("a BIC"), iban));
    let forward = effect(2, Message::Forward { original }, &payment);
    let rows = [
        ("ACSC", effect(1, settled, &payment), None),
        ("forward", forward, Some(&document)),
        (
            "forward by phone",
            Effect {
                resolved,
                ..forward
            },
            Some(&phone),
        ),
    ];
    let mut renderer = Renderer::new();
    let mut out = Vec::with_capacity(8192);
    let mut group = criterion.benchmark_group("render");
    for (name, effect, evidence) in &rows {
        let evidence = evidence.map(|bytes| &bytes[..]);
        // Once before, also when a filter leaves the measurement out: what is measured must write something.
        out.clear();
        let written = renderer.render(effect, evidence, &Nothing, &network, false, &mut out);
        assert!(written.is_ok() && !out.is_empty(), "{name} is not written");
        group.bench_function(*name, |bencher| {
            bencher.iter(|| {
                out.clear();
                renderer.render(
                    black_box(effect),
                    evidence,
                    &Nothing,
                    &network,
                    false,
                    &mut out,
                )
            });
        });
    }
    group.finish();
}

criterion_group!(benches, translate, render);
criterion_main!(benches);
