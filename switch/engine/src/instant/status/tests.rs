use torap_domain::{Position, Reason, Service, Span};

use crate::{
    Bounds, Command, Event, Message, Outcome, Status,
    instant::{self, FinalOutcome, History, PaymentKey, StatusRequest, Verdict},
    participants::State,
    world::{CASP, FUNDS, HSBK, IRTY, World, bic, key, operator, references, rejected, uetr},
};

fn ask(world: &mut World, change: impl FnOnce(&mut StatusRequest)) -> Outcome {
    let mut request = StatusRequest {
        source: world.link(CASP),
        references: references(1),
        key: key(1),
        instructing_agent: bic(CASP),
        original: None,
    };
    change(&mut request);
    world.apply(Command::Instant(instant::Command::StatusRequest(request)))
}

fn pay(world: &mut World) -> Outcome {
    let payment = world.payment(1, Service::C2cAccount, 100);
    world.apply(Command::Instant(instant::Command::CreditTransfer(payment)))
}

#[test]
fn a_payment_under_way_is_pending() {
    let mut world = World::new();
    assert_eq!(pay(&mut world), Outcome::Accepted);
    let original = world.stamp.position;
    assert_eq!(ask(&mut world, |_| {}), Outcome::Accepted);
    let [effect] = &world.out.effects[..] else {
        panic!("{:?}", world.out.effects);
    };
    assert_eq!(effect.references, Some(references(1)));
    let pending = Message::Status {
        original,
        status: Status::Pending,
        decided: world.stamp.position,
        decided_at: world.stamp.time,
        repeat: true,
    };
    assert_eq!(world.sent_to(CASP), [pending]);
    assert_eq!(world.out.events, []);
}

#[test]
fn a_finished_payment_gives_its_first_answer() {
    for (verdict, status) in [
        (Verdict::Accept, Status::Settled),
        (
            Verdict::Reject {
                agent_code: *b"AC06",
            },
            Status::Rejected {
                reason: Reason::ReceiverRejected,
                agent_code: Some(*b"AC06"),
            },
        ),
    ] {
        let mut world = World::new();
        assert_eq!(pay(&mut world), Outcome::Accepted);
        let original = world.stamp.position;
        world.answer(1, verdict);
        let finished = world.finished();
        // A bank that may no longer send payments may still ask.
        world.state(CASP, State::Closing);
        assert_eq!(ask(&mut world, |_| {}), Outcome::Accepted);
        let again = Message::Status {
            original,
            status,
            decided: finished.decided,
            decided_at: finished.decided_at,
            repeat: true,
        };
        assert_eq!(world.sent_to(CASP), [again]);
    }
}

#[test]
fn a_payment_past_its_deadline_is_decided_first() {
    let mut world = World::new();
    assert_eq!(pay(&mut world), Outcome::Accepted);
    world.wait(Span::from_secs(7));
    assert_eq!(ask(&mut world, |_| {}), Outcome::Accepted);
    let told: Vec<_> = world
        .sent_to(CASP)
        .into_iter()
        .map(|message| match message {
            Message::Status { status, repeat, .. } => (status, repeat),
            other => panic!("{other:?}"),
        })
        .collect();
    let status = rejected(Reason::ReceiverTimeout);
    assert_eq!(told, [(status, false), (status, true)]);
}

#[test]
fn never_received_means_never_will_be() {
    let mut world = World::new();
    assert_eq!(ask(&mut world, |_| {}), Outcome::Accepted);
    let original = world.stamp.position;
    assert_eq!(world.sent_to(CASP), [Message::NotReceived { original }]);
    assert_eq!(world.out.effects[0].references, Some(references(1)));
    let tombstone = world.finished();
    assert_eq!(tombstone.outcome, FinalOutcome::Tombstone);
    assert_eq!(
        (tombstone.submitted, tombstone.decided),
        (original, original)
    );
    // Asked again: the same answer, and nothing new is remembered.
    assert_eq!(ask(&mut world, |_| {}), Outcome::Accepted);
    assert!(matches!(
        world.sent_to(CASP)[..],
        [Message::NotReceived { .. }]
    ));
    assert_eq!(world.out.events, []);
    // The payment that comes after all is refused, however often.
    for _ in 0..2 {
        assert_eq!(pay(&mut world), Outcome::Refused(Reason::Tombstoned));
        assert_eq!(world.status_to(CASP), (rejected(Reason::Tombstoned), false));
        assert_eq!(world.available(CASP), i128::from(FUNDS));
    }
    assert_eq!(world.engine.find(&key(1)), Some(tombstone));
    // With another UETR it is another payment under the same identifier.
    let mut payment = world.payment(1, Service::C2cAccount, 100);
    payment.references.uetr = uetr(2);
    let command = Command::Instant(instant::Command::CreditTransfer(payment));
    world.refuse(command, Reason::DuplicateMismatch);
    // And the payee's bank cannot answer it.
    let answer = instant::Answer {
        source: world.link(HSBK),
        message_id: references(1).message_id,
        message_version: 0,
        uetr: uetr(1),
        transaction_id: references(1).transaction_id,
        verdict: Verdict::Accept,
    };
    let command = Command::Instant(instant::Command::Answer(answer));
    world.refuse(command, Reason::OriginalUnknown);
}

#[test]
fn only_the_instructing_side_may_ask() {
    let mut world = World::new();
    assert_eq!(pay(&mut world), Outcome::Accepted);
    let source = world.link(IRTY);
    let outcome = ask(&mut world, |request| request.source = source);
    let reason = Reason::UnboundSender;
    assert_eq!(outcome, Outcome::Refused(reason));
    let original = world.stamp.position;
    assert_eq!(world.sent_to(IRTY), [Message::Reject { original, reason }]);
    let outcome = ask(&mut world, |request| request.source = operator());
    assert_eq!(outcome, Outcome::Refused(reason));
    assert_eq!(world.out.effects, []);
}

#[test]
fn identifiers_that_belong_to_different_payments_are_refused() {
    let others: [fn(&mut StatusRequest); 2] = [
        |request| request.references.uetr = uetr(2),
        |request| request.key = PaymentKey([2; 16]),
    ];
    for other in others {
        let mut world = World::new();
        assert_eq!(pay(&mut world), Outcome::Accepted);
        for _ in 0..2 {
            let outcome = ask(&mut world, other);
            let reason = Reason::OriginalMismatch;
            assert_eq!(outcome, Outcome::Refused(reason));
            let original = world.stamp.position;
            assert_eq!(world.sent_to(CASP), [Message::Reject { original, reason }]);
            assert_eq!(world.out.events, [Event::Refused { reason }]);
            // Once under way, once finished.
            if world.engine.stats().in_flight == 1 {
                world.answer(1, Verdict::Accept);
            }
        }
        assert_eq!(world.engine.find(&key(2)), None);
        assert_eq!(world.engine.find_uetr(&uetr(2)), None);
    }
}

#[test]
fn beyond_the_window_a_fact_decides_and_must_be_new_enough() {
    let mut world = World::new();
    let first = world.settled(1, Service::C2cAccount, 100);
    let bounds = Bounds {
        duplicate_window_entries: 1,
        ..Bounds::DEFAULT
    };
    let source = operator();
    world.accept(Command::Bounds { source, bounds });
    world.settled(2, Service::C2cAccount, 100);
    let as_of = world.engine.window_dropped_upto();
    let older = Position(as_of.value() - 1);
    for original in [None, Some(History::Unknown { as_of: older })] {
        let outcome = ask(&mut world, |request| request.original = original);
        assert_eq!(outcome, Outcome::Refused(Reason::RetryLater));
        let reason = Reason::RetryLater;
        let original = world.stamp.position;
        assert_eq!(world.sent_to(CASP), [Message::Reject { original, reason }]);
    }
    let known = History::Known {
        as_of,
        finished: first,
    };
    let outcome = ask(&mut world, |request| request.original = Some(known));
    assert_eq!(outcome, Outcome::Accepted);
    assert_eq!(world.status_to(CASP), (Status::Settled, true));
    let outcome = ask(&mut world, |request| {
        request.key = key(3);
        request.references = references(3);
        request.original = Some(History::Unknown { as_of });
    });
    assert_eq!(outcome, Outcome::Accepted);
    assert!(matches!(
        world.sent_to(CASP)[..],
        [Message::NotReceived { .. }]
    ));
}
