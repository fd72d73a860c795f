//! Rows of docs/outcomes.md that the switch decides by itself: the code that the payer's bank reads. The simulated banks go
//! through all rows; this holds the words of the table to the engine's decisions.

use torap_domain::{Money, ParticipantId, Service, Span};
use torap_engine::{
    Command,
    instant::{self, Limits},
    participants::{self, Direction, Profile, State},
};
use torap_iso20022::{
    view::{CreditTransfer, Return, TransactionStatus},
    write,
};

use super::world::{CASP, HSBK, IRTY, Received, TSES, World, operator};
use crate::fixtures::{
    ACCEPTED_NS, PAYEE_IBAN, PAYEE_PHONE, answer, by_account, by_phone, by_qr, own_accounts,
    payee_record, payment, payment_return, recall, written,
};

/// A payment in a prepared world is rejected with this code, to the payer's bank alone.
#[track_caller]
fn rejected(row: &str, prepare: impl FnOnce(&mut World), message: &CreditTransfer<'_>, code: &str) {
    let mut world = World::new();
    prepare(&mut world);
    let received = world.receive(HSBK, &payment(message));
    let [one] = &received[..] else {
        panic!("{row}: {received:?}")
    };
    assert_eq!(
        (one.to, one.status()),
        (HSBK, ("RJCT", Some(code.to_owned()), false)),
        "{row}"
    );
}

fn nothing(_: &mut World) {}

fn limits(limits: Limits) -> impl FnOnce(&mut World) {
    move |world| {
        let (source, service) = (operator(), Service::C2cAccount);
        let command = instant::Command::SetLimits {
            source,
            service,
            participant: None,
            limits,
        };
        world.order(Command::Instant(command));
    }
}

const NO_LIMITS: Limits = Limits {
    payment_max: None,
    customer_day_amount_max: None,
    customer_day_count_max: None,
    participant_day_amount_max: None,
};

#[test]
fn standings_and_agents() {
    let debits = State::Suspended {
        debits: true,
        credits: false,
    };
    let credits = State::Suspended {
        debits: false,
        credits: true,
    };
    let sender = |state| move |world: &mut World| drop(world.set_state(HSBK, state));
    let receiver = |state| move |world: &mut World| drop(world.set_state(CASP, state));
    rejected("O-20", |world| world.sign_off(CASP), &by_account(), "AB08");
    let rich = CreditTransfer {
        tiyn: 10_000_001,
        ..by_account()
    };
    rejected("O-21", nothing, &rich, "AM04");
    rejected("O-22", sender(debits), &by_account(), "AG10");
    rejected("O-22", sender(State::Closing), &by_account(), "DNOR");
    rejected("O-23", receiver(credits), &by_account(), "AG11");
    rejected("O-23", receiver(State::Closing), &by_account(), "CNOR");
    let inside = CreditTransfer {
        creditor_agent: "HSBKKZKX",
        instructed_agent: None,
        ..by_account()
    };
    rejected("O-24", nothing, &inside, "AG12");
    let stranger = CreditTransfer {
        creditor_agent: "NBRKKZKX",
        instructed_agent: None,
        ..by_account()
    };
    rejected("O-28", nothing, &stranger, "RC02");
    let wrong = CreditTransfer {
        creditor_agent: "IRTYKZKA",
        instructed_agent: None,
        ..by_account()
    };
    rejected("O-29", nothing, &wrong, "AGNT");
    let other = CreditTransfer {
        debtor_agent: "TSESKZKA",
        ..by_account()
    };
    rejected("O-30", nothing, &other, "AG08");
}

#[test]
fn times_and_services() {
    let accepted = |nanos: u64| CreditTransfer {
        accepted_ns: nanos,
        ..by_account()
    };
    rejected(
        "O-25",
        nothing,
        &accepted(ACCEPTED_NS - 10_000_000_000),
        "TM01",
    );
    rejected(
        "O-26",
        nothing,
        &accepted(ACCEPTED_NS + 3_000_000_000),
        "TM01",
    );
    let without = |world: &mut World| {
        let view = world.engine.participant_view(ParticipantId(CASP)).unwrap();
        let profile = Profile {
            code: view.code,
            name: view.name,
            bics: view.bics,
            bank_codes: view.bank_codes,
            sponsor: None,
            technical_senders: Vec::new(),
            services: vec![Service::Qr],
            floor: None,
            ceiling: None,
        };
        let (source, participant) = (operator(), ParticipantId(CASP));
        world.order(Command::Participants(participants::Command::Update {
            source,
            participant,
            profile,
        }));
    };
    rejected("O-27", without, &by_account(), "AG03");
}

#[test]
fn phones_and_own_accounts() {
    let with_record =
        |world: &mut World| drop(world.known.aliases.insert(77_779_876_543, payee_record()));
    rejected("O-31", nothing, &by_phone(), "BE23");
    let elsewhere = CreditTransfer {
        instructed_agent: Some("TSESKZKA"),
        ..by_phone()
    };
    rejected("O-31", with_record, &elsewhere, "BE23");
    let suspended = |world: &mut World| {
        let record = torap_engine::directory::Record {
            suspended: true,
            ..payee_record()
        };
        world.known.aliases.insert(77_779_876_543, record);
    };
    rejected("O-32", suspended, &by_phone(), "AC06");
    let another = CreditTransfer {
        creditor: by_account().creditor,
        ..own_accounts()
    };
    rejected("O-34", nothing, &another, "BE01");
    let known_otherwise = CreditTransfer {
        creditor_phone: Some(PAYEE_PHONE),
        ..own_accounts()
    };
    rejected("O-34", with_record, &known_otherwise, "BE01");
}

#[test]
fn limits_of_payment_customer_and_bank() {
    let tiyn = |tiyn| Some(Money::kzt(tiyn));
    rejected(
        "O-35",
        limits(Limits {
            payment_max: tiyn(100),
            ..NO_LIMITS
        }),
        &by_account(),
        "AM02",
    );
    rejected(
        "O-36",
        limits(Limits {
            customer_day_amount_max: tiyn(100),
            ..NO_LIMITS
        }),
        &by_account(),
        "AM14",
    );
    rejected(
        "O-37",
        limits(Limits {
            customer_day_count_max: Some(0),
            ..NO_LIMITS
        }),
        &by_account(),
        "AM21",
    );
    rejected(
        "O-38",
        limits(Limits {
            participant_day_amount_max: tiyn(100),
            ..NO_LIMITS
        }),
        &by_account(),
        "AM13",
    );
}

#[test]
fn dynamic_qr_codes() {
    let registered = |amount: &'static str, iban: &str| {
        let iban = iban.to_owned();
        move |world: &mut World| {
            let text = format!(
                r#"{{"command":"qr-register","reference":"Q-1","id":"Q-42","iban":"{iban}","amount":"{amount}","expires":"2026-11-21T10:00:00+05:00"}}"#
            );
            let answer = world.receive_json(CASP, &text);
            assert!(answer[0].text.contains("\"accepted\":true"), "{answer:?}");
        }
    };
    let other_account = torap_domain::Iban::for_kz(
        torap_domain::BankCode::parse("722").unwrap(),
        "0000000000042",
    )
    .unwrap();
    rejected("O-39", nothing, &by_qr("Q-42"), "IRNR");
    rejected(
        "O-41",
        registered("15250.01", PAYEE_IBAN),
        &by_qr("Q-42"),
        "AM09",
    );
    rejected(
        "O-44",
        registered("15250.00", other_account.as_str()),
        &by_qr("Q-42"),
        "BE01",
    );
    let mut world = World::new();
    registered("15250.00", PAYEE_IBAN)(&mut world);
    assert_eq!(
        world.receive(HSBK, &payment(&by_qr("Q-42")))[0].to,
        CASP,
        "O-08"
    );
    let second = CreditTransfer {
        transaction_id: "TX-2",
        uetr: "00000000-0000-4000-8000-000000000002",
        ..by_qr("Q-42")
    };
    let busy = world.receive(HSBK, &payment(&second));
    assert_eq!(
        busy[0].status(),
        ("RJCT", Some("ALAC".into()), false),
        "O-42"
    );
    let accepted =
        written(|out| write::status_report(out, None, &answer(TransactionStatus::Acsp, None)));
    assert_eq!(world.receive(CASP, &accepted)[0].status().0, "ACSC", "O-08");
    let third = CreditTransfer {
        transaction_id: "TX-3",
        uetr: "00000000-0000-4000-8000-000000000003",
        ..by_qr("Q-42")
    };
    let paid = world.receive(HSBK, &payment(&third));
    assert_eq!(
        paid[0].status(),
        ("RJCT", Some("APAR".into()), false),
        "O-43"
    );
    let fixed = CreditTransfer {
        transaction_id: "TX-4",
        uetr: "00000000-0000-4000-8000-000000000004",
        ..by_qr("STATIC-42")
    };
    assert_eq!(world.receive(HSBK, &payment(&fixed))[0].to, CASP, "O-07");
}

/// A world in which the payment of the fixtures, of some service, has settled.
fn settled(message: &CreditTransfer<'_>) -> World {
    let mut world = World::new();
    world.receive(HSBK, &payment(message));
    let accepted =
        written(|out| write::status_report(out, None, &answer(TransactionStatus::Acsp, None)));
    assert_eq!(world.receive(CASP, &accepted)[0].status().0, "ACSC");
    world
}

/// Status and code of the answer to a return.
fn returned(world: &mut World, from: u16, message: &Return<'_>) -> (&'static str, Option<String>) {
    let received = world.receive(
        from,
        &written(|out| write::payment_return(out, None, message)),
    );
    let own = received.iter().find(|one| one.to == from).unwrap();
    let (status, code, _) = own.status();
    (status, code)
}

fn part(return_id: &'static str, tiyn: u64) -> Return<'static> {
    Return {
        return_id,
        tiyn,
        ..payment_return()
    }
}

fn refused(code: &str) -> (&'static str, Option<String>) {
    ("RJCT", Some(code.to_owned()))
}

#[test]
fn returns_that_are_refused() {
    let mut world = settled(&by_account());
    assert_eq!(
        returned(&mut world, CASP, &part("RTR-1", 5)),
        refused("AG13"),
        "O-83"
    );
    assert_eq!(
        returned(&mut world, CASP, &part("RTR-2", 1_525_001)),
        refused("AM09"),
        "O-84"
    );
    assert_eq!(
        returned(&mut world, CASP, &part("RTR-1", 6)),
        refused("AM05"),
        "O-93"
    );
    let stranger = Return {
        instructing_agent: "IRTYKZKA",
        ..part("RTR-3", 1_525_000)
    };
    assert_eq!(
        returned(&mut world, IRTY, &stranger),
        refused("NARR"),
        "O-88"
    );
    world.fund(CASP, Direction::Out, 11_000_000);
    assert_eq!(
        returned(&mut world, CASP, &part("RTR-4", 1_525_000)),
        refused("AM04"),
        "O-90"
    );
    world.wait(Span::from_secs(396 * 86_400));
    assert_eq!(
        returned(&mut world, CASP, &part("RTR-5", 1_525_000)),
        refused("DT05"),
        "O-89"
    );
    let mut world = World::new();
    world.receive(HSBK, &payment(&by_account()));
    assert_eq!(
        returned(&mut world, CASP, &payment_return()),
        refused("FF12"),
        "O-87"
    );
    let mut world = settled(&by_account());
    world.set_state(
        CASP,
        State::Suspended {
            debits: true,
            credits: false,
        },
    );
    assert_eq!(
        returned(&mut world, CASP, &payment_return()),
        refused("AG10"),
        "O-91"
    );
    let mut world = settled(&by_account());
    world.set_state(
        HSBK,
        State::Suspended {
            debits: false,
            credits: true,
        },
    );
    assert_eq!(
        returned(&mut world, CASP, &payment_return()),
        refused("AG11"),
        "O-91"
    );
}

#[test]
fn returns_that_post() {
    let mut world = settled(&by_qr("STATIC"));
    assert_eq!(
        returned(&mut world, CASP, &part("RTR-1", 1_000_000)),
        ("ACSC", None),
        "O-81"
    );
    assert_eq!(
        returned(&mut world, CASP, &part("RTR-2", 525_001)),
        refused("AM09"),
        "O-84"
    );
    assert_eq!(
        returned(&mut world, CASP, &part("RTR-3", 525_000)),
        ("ACSC", None),
        "O-81"
    );
    let mut world = settled(&by_account());
    world.sign_off(HSBK);
    assert_eq!(
        returned(&mut world, CASP, &payment_return()),
        ("ACSC", None),
        "O-92"
    );
}

#[test]
fn recalls_that_the_switch_refuses() {
    use torap_iso20022::view::{Body, CancellationRequest};
    let ask = |world: &mut World, from: u16, request: &CancellationRequest<'_>| -> Option<String> {
        let received: Vec<Received> = world.receive(
            from,
            &written(|out| write::cancellation_request(out, None, request)),
        );
        assert_eq!(received[0].to, from);
        received[0].with(|message| match &message.body {
            Body::Resolution(resolution) => resolution.reason.map(str::to_owned),
            other => panic!("{other:?}"),
        })
    };
    let mut world = World::new();
    world.receive(HSBK, &payment(&by_account()));
    assert_eq!(
        ask(&mut world, HSBK, &recall()).as_deref(),
        Some("NARR"),
        "O-104"
    );
    let mut world = settled(&by_account());
    let unknown_reason = CancellationRequest {
        reason: "XXXX",
        ..recall()
    };
    assert_eq!(
        ask(&mut world, HSBK, &unknown_reason).as_deref(),
        Some("NARR"),
        "O-107"
    );
    let assignment = torap_iso20022::view::Assignment {
        assigner: "TSESKZKA",
        ..recall().assignment
    };
    let stranger = CancellationRequest {
        assignment,
        ..recall()
    };
    assert_eq!(
        ask(&mut world, TSES, &stranger).as_deref(),
        Some("NARR"),
        "O-110"
    );
    world.wait(Span::from_secs(15 * 86_400));
    assert_eq!(
        ask(&mut world, HSBK, &recall()).as_deref(),
        Some("NARR"),
        "O-107"
    );
}
