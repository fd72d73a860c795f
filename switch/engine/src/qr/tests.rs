use torap_domain::{MessageId, Money, ParticipantId, QrId, Reason, Service, Span, Time};

use super::*;
use crate::{
    Bounds, Command as AnyCommand,
    instant::{self, CreditTransfer, Verdict},
    participants::State as Standing,
    world::{CASP, FUNDS, HSBK, IRTY, World, iban, operator, rejected},
};

const AMOUNT: u64 = 450_000;

fn id() -> QrId {
    QrId::parse("QR-1").unwrap()
}

fn reference() -> MessageId {
    MessageId::parse("REF-1").unwrap()
}

/// A code of HSBK's merchant, payable for a minute.
fn code(world: &mut World) -> Register {
    Register {
        source: world.link(HSBK),
        reference: reference(),
        id: id(),
        merchant_account: iban(HSBK, 2),
        amount: Money::kzt(AMOUNT),
        expires: world.now().saturating_add(Span::from_secs(60)),
    }
}

fn register(register: Register) -> AnyCommand {
    AnyCommand::Qr(Command::Register(register))
}

fn cancel(world: &mut World, bank: ParticipantId) -> AnyCommand {
    AnyCommand::Qr(Command::Cancel {
        source: world.link(bank),
        reference: reference(),
        id: id(),
    })
}

/// A world with one code that is free.
fn registered() -> World {
    let mut world = World::new();
    let code = code(&mut world);
    world.accept(register(code));
    assert_eq!(answer_to(&world, HSBK), None);
    world
}

fn answer_to(world: &World, bank: ParticipantId) -> Option<Reason> {
    match world.sent_to(bank).as_slice() {
        [Message::CommandAnswer { original, refusal }] => {
            assert_eq!(*original, world.stamp.position);
            *refusal
        }
        other => panic!("{other:?}"),
    }
}

fn refuse(world: &mut World, bank: ParticipantId, command: AnyCommand, reason: Reason) {
    world.refuse(command, reason);
    assert_eq!(answer_to(world, bank), Some(reason));
    assert_eq!(world.out.events, [Event::Refused { reason }]);
}

/// A payment of the code by CASP's customer.
fn payment(world: &mut World, number: u8) -> CreditTransfer {
    let mut payment = world.payment(number, Service::Qr, AMOUNT);
    payment.qr = Some(QrFact {
        id: id(),
        dynamic: true,
    });
    payment
}

fn pay(payment: CreditTransfer) -> AnyCommand {
    AnyCommand::Instant(instant::Command::CreditTransfer(payment))
}

fn start_paying(world: &mut World, number: u8) {
    let payment = payment(world, number);
    world.accept(pay(payment));
}

/// The payment is refused at once for `reason`, and nothing is forwarded.
fn refuse_payment(world: &mut World, payment: CreditTransfer, reason: Reason) {
    world.refuse(pay(payment), reason);
    assert_eq!(world.status_to(CASP), (rejected(reason), false));
    assert!(world.sent_to(HSBK).is_empty());
}

#[test]
fn a_code_is_paid_once() {
    let mut world = registered();
    start_paying(&mut world, 1);
    // The second bank at the same moment is refused at once.
    let second = payment(&mut world, 2);
    refuse_payment(&mut world, second, Reason::QrInProgress);
    world.answer(1, Verdict::Accept);
    let third = payment(&mut world, 3);
    refuse_payment(&mut world, third, Reason::QrAlreadyPaid);
    assert_eq!(world.available(CASP), i128::from(FUNDS - AMOUNT));
}

#[test]
fn a_failed_payment_frees_the_code() {
    let mut world = registered();
    start_paying(&mut world, 1);
    let agent_code = *b"AC04";
    world.answer(1, Verdict::Reject { agent_code });
    start_paying(&mut world, 2);
    // So does the payee's bank's silence.
    world.wait(Span::from_secs(8));
    world.tick();
    start_paying(&mut world, 3);
    world.answer(3, Verdict::Accept);
    let fourth = payment(&mut world, 4);
    refuse_payment(&mut world, fourth, Reason::QrAlreadyPaid);
}

#[test]
fn a_payment_that_lacks_funds_does_not_hold_the_code() {
    let mut world = World::new();
    let mut dear = code(&mut world);
    dear.amount = Money::kzt(FUNDS + 1);
    world.accept(register(dear));
    let mut first = payment(&mut world, 1);
    first.amount = dear.amount;
    refuse_payment(&mut world, first, Reason::InsufficientFunds);
    let mut second = payment(&mut world, 2);
    second.amount = dear.amount;
    refuse_payment(&mut world, second, Reason::InsufficientFunds);
}

#[test]
fn payments_that_do_not_fit_the_code_are_refused() {
    type Alter = fn(&mut CreditTransfer);
    let cases: [(Alter, Reason); 4] = [
        (|payment| payment.qr = None, Reason::QrUnknown),
        (
            |payment| {
                payment.qr = Some(QrFact {
                    id: QrId::parse("QR-2").unwrap(),
                    dynamic: true,
                });
            },
            Reason::QrUnknown,
        ),
        (
            |payment| payment.amount = Money::kzt(AMOUNT - 1),
            Reason::QrAmountMismatch,
        ),
        (
            |payment| payment.creditor_account = Some(iban(HSBK, 9)),
            Reason::QrMerchantMismatch,
        ),
    ];
    for (alter, reason) in cases {
        let mut world = registered();
        let mut payment = payment(&mut world, 1);
        alter(&mut payment);
        refuse_payment(&mut world, payment, reason);
        // The code is as free as before.
        start_paying(&mut world, 2);
    }
}

#[test]
fn an_expired_code_cannot_be_paid_and_is_then_forgotten() {
    let mut world = registered();
    world.wait(Span::from_secs(60));
    assert!(world.engine.next_deadline().unwrap() <= world.now());
    let late = payment(&mut world, 1);
    refuse_payment(&mut world, late, Reason::QrExpired);
    world.tick();
    assert_eq!(world.engine.stats().qr_codes, 0);
    assert_eq!(world.engine.next_deadline(), None);
    let later = payment(&mut world, 2);
    refuse_payment(&mut world, later, Reason::QrUnknown);
    // The identifier may be used again.
    let again = code(&mut world);
    world.accept(register(again));
}

#[test]
fn a_code_that_expires_while_it_is_paid_is_kept_until_that_is_decided() {
    for verdict in [
        Verdict::Accept,
        Verdict::Reject {
            agent_code: *b"AC04",
        },
    ] {
        let mut world = registered();
        world.wait(Span::from_secs(59));
        start_paying(&mut world, 1);
        world.wait(Span::from_secs(2));
        world.tick();
        assert_eq!(world.engine.stats().qr_codes, 1);
        world.answer(1, verdict);
        assert_eq!(world.engine.stats().qr_codes, 0);
        let later = payment(&mut world, 2);
        refuse_payment(&mut world, later, Reason::QrUnknown);
    }
}

#[test]
fn a_paid_code_is_known_as_paid_until_it_expires() {
    let mut world = registered();
    start_paying(&mut world, 1);
    world.answer(1, Verdict::Accept);
    world.wait(Span::from_secs(60));
    world.tick();
    assert_eq!(world.engine.stats().qr_codes, 0);
}

#[test]
fn codes_expire_in_the_order_of_their_expiry() {
    let mut world = World::new();
    for (number, seconds) in [(1, 30), (2, 10), (3, 20)] {
        let mut code = code(&mut world);
        code.id = QrId::parse(&format!("QR-{number}")).unwrap();
        code.expires = world.now().saturating_add(Span::from_secs(seconds));
        world.accept(register(code));
    }
    let mut left = Vec::new();
    for _ in 0..3 {
        world.stamp.time = world.engine.next_deadline().unwrap();
        world.tick();
        left.push(world.engine.stats().qr_codes);
    }
    assert_eq!(left, [2, 1, 0]);
}

#[test]
fn registrations_are_refused() {
    let now = |world: &World| world.now();
    type Alter = fn(&mut Register, Time);
    let cases: [(Alter, Reason); 5] = [
        (
            // The command comes a millisecond after `now`.
            |code, now| {
                let most = now.saturating_add(VALIDITY_MAX);
                code.expires = most.saturating_add(Span::from_millis(2));
            },
            Reason::ProfileViolation,
        ),
        (
            |code, _| code.merchant_account = Iban::parse("DE89370400440532013000").unwrap(),
            Reason::UnknownParticipant,
        ),
        (|code, _| code.amount = Money::kzt(0), Reason::AmountZero),
        (|code, now| code.expires = now, Reason::QrExpired),
        (
            |code, _| code.merchant_account = iban(CASP, 1),
            Reason::EntryNotOwned,
        ),
    ];
    for (alter, reason) in cases {
        let mut world = World::new();
        let mut code = code(&mut world);
        alter(&mut code, now(&world));
        refuse(&mut world, HSBK, register(code), reason);
        assert_eq!(world.engine.stats().qr_codes, 0);
    }
}

#[test]
fn only_who_may_be_credited_by_qr_registers() {
    let mut world = World::new();
    let cases = [
        (Standing::Certifying, Reason::ReceiverNotActive),
        (
            Standing::Suspended {
                debits: false,
                credits: true,
            },
            Reason::ReceiverSuspended,
        ),
    ];
    for (standing, reason) in cases {
        world.state(HSBK, standing);
        let code = code(&mut world);
        refuse(&mut world, HSBK, register(code), reason);
    }
    world.state(HSBK, Standing::Active);
    let view = world.engine.participant_view(HSBK).unwrap();
    let profile = crate::participants::Profile {
        code: view.code,
        name: view.name,
        bics: view.bics,
        bank_codes: view.bank_codes,
        sponsor: None,
        technical_senders: Vec::new(),
        services: vec![Service::C2cAccount],
        floor: None,
        ceiling: None,
    };
    world.accept(AnyCommand::Participants(
        crate::participants::Command::Update {
            source: operator(),
            participant: HSBK,
            profile,
        },
    ));
    let code = code(&mut world);
    refuse(&mut world, HSBK, register(code), Reason::ServiceNotAllowed);
}

#[test]
fn a_registration_once_more_changes_nothing_and_another_under_its_identifier_is_refused() {
    let mut world = World::new();
    let first = code(&mut world);
    world.accept(register(first));
    let mut again = first;
    again.source = world.link(HSBK);
    world.accept(register(again));
    assert_eq!(world.engine.stats().qr_codes, 1);
    type Alter = fn(&mut Register);
    let others: [Alter; 3] = [
        |code| code.amount = Money::kzt(AMOUNT + 1),
        |code| code.merchant_account = iban(HSBK, 3),
        |code| code.expires = code.expires.saturating_add(Span::from_secs(1)),
    ];
    for alter in others {
        let mut other = first;
        other.source = world.link(HSBK);
        alter(&mut other);
        refuse(&mut world, HSBK, register(other), Reason::EntryExists);
    }
    // Another bank's identifiers are its own.
    let theirs = Register {
        source: world.link(IRTY),
        merchant_account: iban(IRTY, 1),
        ..first
    };
    world.accept(register(theirs));
    assert_eq!(world.engine.stats().qr_codes, 2);
}

#[test]
fn codes_are_bounded() {
    let mut world = registered();
    let bounds = Bounds {
        open_qr_codes_max: 1,
        ..Bounds::DEFAULT
    };
    world.accept(AnyCommand::Bounds {
        source: operator(),
        bounds,
    });
    let mut second = code(&mut world);
    second.id = QrId::parse("QR-2").unwrap();
    refuse(&mut world, HSBK, register(second), Reason::InternalLimit);
}

#[test]
fn a_free_code_is_withdrawn_by_its_bank() {
    let mut world = registered();
    let foreign = cancel(&mut world, IRTY);
    refuse(&mut world, IRTY, foreign, Reason::QrUnknown);
    start_paying(&mut world, 1);
    let busy = cancel(&mut world, HSBK);
    refuse(&mut world, HSBK, busy, Reason::QrInProgress);
    world.answer(1, Verdict::Accept);
    let paid = cancel(&mut world, HSBK);
    refuse(&mut world, HSBK, paid, Reason::QrAlreadyPaid);

    let mut world = registered();
    let command = cancel(&mut world, HSBK);
    world.accept(command);
    assert_eq!(world.engine.next_deadline(), None);
    let payment = payment(&mut world, 1);
    refuse_payment(&mut world, payment, Reason::QrUnknown);
    let gone = cancel(&mut world, HSBK);
    refuse(&mut world, HSBK, gone, Reason::QrUnknown);
}

#[test]
fn the_operator_withdraws_any_code_and_the_switch_none() {
    let mut world = registered();
    let command = |source| {
        AnyCommand::Qr(Command::Cancel {
            source,
            reference: reference(),
            id: id(),
        })
    };
    world.refuse(command(Source::Switch), Reason::QrUnknown);
    world.accept(command(operator()));
    assert!(world.out.effects.is_empty());
    assert_eq!(world.engine.stats().qr_codes, 0);
}

#[test]
fn a_damaged_snapshot_of_the_codes_is_refused_or_read_but_never_panics() {
    let mut world = registered();
    start_paying(&mut world, 1);
    let mut second = code(&mut world);
    second.id = QrId::parse("QR-2").unwrap();
    world.accept(register(second));
    let mut bytes = Vec::new();
    world.engine.state.qr.write(&mut Writer::new(&mut bytes));
    for place in 0..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1 << bit;
            let mut reader = Reader::new("snapshot", &damaged);
            if let Ok(state) = State::read(&mut reader) {
                let mut again = Vec::new();
                state.write(&mut Writer::new(&mut again));
                assert_eq!(again, damaged[..again.len()]);
            }
        }
    }
}
