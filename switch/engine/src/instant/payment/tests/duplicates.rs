//! Repeats and clashes of identifiers, and what the window and the facts beyond it say of them.

use torap_domain::{Position, Reason, Service, Span};

use super::{by_phone, check, command, found, set_bounds};
use crate::{
    Command, Event, Message, Status,
    directory::{self, AliasKey},
    instant::{CreditTransfer, FinalOutcome, Fingerprint, History, PaymentKey, Verdict},
    participants::State,
    world::{CASP, FUNDS, HSBK, World, bic, iban, key, person, rejected, uetr},
};

#[test]
fn a_repeat_gets_the_first_answer_and_moves_nothing() {
    let mut world = World::new();
    let payment = world.payment(1, Service::C2cAccount, 100);
    world.accept(command(payment));
    let repeat = |world: &mut World| {
        // Other message, other acceptance time: the same payment.
        let mut again = world.payment(1, Service::C2cAccount, 100);
        again.references.message_id = torap_domain::MessageId::parse("AGAIN").unwrap();
        world.refuse(command(again), Reason::DuplicateReplay);
        assert_eq!(world.out.events, []);
        assert_eq!(world.sent_to(HSBK), []);
        assert_eq!(world.available(CASP), i128::from(FUNDS) - 100);
        assert_eq!(world.out.effects[0].references, Some(again.references));
    };
    repeat(&mut world);
    assert_eq!(world.status_to(CASP), (Status::Pending, true));
    world.answer(1, Verdict::Accept);
    let (decided, decided_at) = (world.stamp.position, world.stamp.time);
    // Even if the rules have changed since.
    world.state(HSBK, State::Closing);
    repeat(&mut world);
    let original = world.stamp.position;
    let first = Message::Status {
        original,
        status: Status::Settled,
        decided,
        decided_at,
        repeat: true,
    };
    assert_eq!(world.sent_to(CASP), [first]);
}

#[test]
fn one_identifier_with_other_content_leaves_the_original_alone() {
    let others: [fn(&mut CreditTransfer); 3] = [
        |payment| payment.fingerprint = Fingerprint([9; 16]),
        |payment| payment.references.uetr = uetr(9),
        |payment| payment.key = PaymentKey([9; 16]),
    ];
    for other in others {
        let mut world = World::new();
        let original = world.payment(1, Service::C2cAccount, 100);
        world.accept(command(original));
        let mismatch = |world: &mut World| {
            let mut payment = world.payment(1, Service::C2cAccount, 100);
            other(&mut payment);
            let reason = Reason::DuplicateMismatch;
            world.refuse(command(payment), reason);
            assert_eq!(world.status_to(CASP), (rejected(reason), false));
            assert_eq!(world.out.events, [Event::Refused { reason }]);
        };
        mismatch(&mut world);
        world.answer(1, Verdict::Accept);
        mismatch(&mut world);
        assert_eq!(
            world.engine.find(&key(1)).unwrap().outcome,
            FinalOutcome::Settled
        );
        assert_eq!(world.engine.find(&key(9)), None);
        assert_eq!(world.engine.find_uetr(&uetr(9)), None);
    }
}

#[test]
fn a_repeat_after_the_deadline_finds_the_payment_decided() {
    let mut world = World::new();
    let payment = world.payment(1, Service::C2cAccount, 100);
    world.accept(command(payment));
    world.wait(Span::from_secs(7));
    let mut again = payment;
    again.source = world.link(CASP);
    // No Tick has come. The payment is decided first, and the repeat then gets its outcome.
    world.refuse(command(again), Reason::DuplicateReplay);
    let reason = Reason::ReceiverTimeout;
    let told: Vec<_> = world.sent_to(CASP).into_iter().map(status).collect();
    assert_eq!(told, [(rejected(reason), false), (rejected(reason), true)]);
    assert_eq!(world.available(CASP), i128::from(FUNDS));
}

fn status(message: Message) -> (Status, bool) {
    match message {
        Message::Status { status, repeat, .. } => (status, repeat),
        other => panic!("{other:?}"),
    }
}

/// A world whose window has forgotten its first payments.
fn forgetful() -> World {
    let mut world = World::new();
    for number in 1..=3 {
        world.settled(number, Service::C2cAccount, 1);
    }
    set_bounds(&mut world, |bounds| bounds.duplicate_window_entries = 2);
    world.settled(4, Service::C2cAccount, 1);
    world
}

#[test]
fn beyond_the_window_a_fact_decides_and_must_be_new_enough() {
    let mut world = forgetful();
    let upto = world.engine.window_dropped_upto();
    assert_eq!(world.engine.find(&key(2)), None);
    let older = Position(upto.value() - 1);
    let mut payment = world.payment(9, Service::C2cAccount, 100);
    for history in [None, Some(History::Unknown { as_of: older })] {
        payment.source = world.link(CASP);
        payment.history = history;
        world.refuse(command(payment), Reason::RetryLater);
        assert_eq!(world.status_to(CASP), (rejected(Reason::RetryLater), false));
        assert_eq!(world.engine.find(&key(9)), None);
    }
    payment.source = world.link(CASP);
    payment.history = Some(History::Unknown { as_of: upto });
    world.accept(command(payment));
}

#[test]
fn beyond_the_window_a_repeat_is_still_a_repeat() {
    let mut world = World::new();
    let first = world.settled(1, Service::C2cAccount, 100);
    set_bounds(&mut world, |bounds| bounds.duplicate_window_entries = 1);
    world.settled(2, Service::C2cAccount, 1);
    let as_of = world.engine.window_dropped_upto();
    assert_eq!(as_of, first.decided);
    let known = |finished| Some(History::Known { as_of, finished });
    let mut again = world.payment(1, Service::C2cAccount, 100);
    again.history = known(first);
    world.refuse(command(again), Reason::DuplicateReplay);
    assert_eq!(world.status_to(CASP), (Status::Settled, true));
    again.source = world.link(CASP);
    again.fingerprint = Fingerprint([8; 16]);
    world.refuse(command(again), Reason::DuplicateMismatch);
    again.source = world.link(CASP);
    again.key = PaymentKey([8; 16]);
    world.refuse(command(again), Reason::DuplicateMismatch);
}

#[test]
fn a_look_up_that_the_directory_has_overtaken_is_refused_for_the_moment() {
    check(
        Service::C2cAccount,
        Reason::RetryLater,
        false,
        |world, payment| {
            by_phone(payment, found());
            payment.alias.as_mut().unwrap().alias = change_alias(world);
        },
    );
}

/// Registers a number, and gives its key.
fn change_alias(world: &mut World) -> AliasKey {
    let phone = torap_domain::Phone::parse("+77011234567").unwrap();
    let source = world.link(HSBK);
    let account = directory::Account {
        participant: HSBK,
        agent: bic(HSBK),
        iban: iban(HSBK, 9),
        name: torap_domain::Text::truncated("A B"),
    };
    world.accept(Command::Directory(directory::Command::Change(
        directory::Change {
            source,
            reference: torap_domain::MessageId::parse("R").unwrap(),
            phone,
            person: person(2),
            action: directory::Action::Register { account },
            found: directory::Found {
                as_of: world.stamp.position,
                record: None,
            },
        },
    )));
    AliasKey::of(phone)
}
