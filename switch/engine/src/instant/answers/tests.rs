use torap_domain::{MessageId, ParticipantId, Reason, Service, Span, TransactionId};

use crate::{
    Command, Event, Message, Outcome, Source, Status,
    instant::{self, Answer, ConfirmAnswer, FinalOutcome, PayeeFact, Verdict},
    participants::State,
    world::{CASP, FUNDS, HSBK, IRTY, World, key, operator, references, rejected, uetr},
};

const SECOND: Span = Span::from_secs(1);

fn answer(world: &mut World, from: ParticipantId, change: impl FnOnce(&mut Answer)) -> Outcome {
    let mut answer = Answer {
        source: world.link(from),
        message_id: MessageId::parse("ANSWER").unwrap(),
        message_version: 0,
        uetr: uetr(1),
        transaction_id: references(1).transaction_id,
        verdict: Verdict::Accept,
    };
    change(&mut answer);
    world.apply(Command::Instant(instant::Command::Answer(answer)))
}

fn confirm(world: &mut World, from: ParticipantId, confirmed: bool) -> Outcome {
    let answer = ConfirmAnswer {
        source: world.link(from),
        message_id: MessageId::parse("ANSWER").unwrap(),
        message_version: 0,
        uetr: uetr(1),
        confirmed,
    };
    world.apply(Command::Instant(instant::Command::ConfirmAnswer(answer)))
}

/// A world in which payment 1 waits for HSBK's answer.
fn waiting() -> World {
    let mut world = World::new();
    pay(&mut world, Service::C2cAccount, None);
    world
}

/// A world in which payment 1 waits for HSBK to confirm the payee.
fn unconfirmed() -> World {
    let mut world = World::new();
    pay(&mut world, Service::Me2Me, Some(PayeeFact::Unknown));
    world
}

fn pay(world: &mut World, service: Service, payee: Option<PayeeFact>) {
    let mut payment = world.payment(1, service, 100);
    payment.payee = payee;
    world.accept(Command::Instant(instant::Command::CreditTransfer(payment)));
}

/// The answer is refused, the payment goes on, and the bank is told.
fn check_refused(world: &mut World, outcome: Outcome, from: ParticipantId, reason: Reason) {
    assert_eq!(outcome, Outcome::Refused(reason));
    let original = world.stamp.position;
    assert_eq!(world.sent_to(from), [Message::Reject { original, reason }]);
    assert_eq!(world.out.effects.len(), 1);
    assert_eq!(world.out.events, [Event::Refused { reason }]);
    assert_eq!(world.engine.stats().in_flight, 1);
}

#[test]
fn a_payment_that_is_accepted_settles_and_both_are_told() {
    let mut world = waiting();
    let original = world.stamp.position;
    assert_eq!(answer(&mut world, HSBK, |_| {}), Outcome::Accepted);
    let told = Message::Status {
        original,
        status: Status::Settled,
        decided: world.stamp.position,
        decided_at: world.stamp.time,
        repeat: false,
    };
    assert_eq!(world.sent_to(CASP), [told]);
    assert_eq!(world.sent_to(HSBK), [told]);
    for effect in &world.out.effects {
        assert_eq!(effect.references, Some(references(1)));
    }
    let finished = world.finished();
    assert_eq!(finished.outcome, FinalOutcome::Settled);
    assert_eq!(
        (finished.submitted, finished.decided),
        (original, world.stamp.position)
    );
    assert_eq!(world.engine.find(&key(1)), Some(finished));
    assert_eq!(world.engine.find_uetr(&uetr(1)), Some(finished));
    assert_eq!(world.available(CASP), i128::from(FUNDS) - 100);
    assert_eq!(world.available(HSBK), i128::from(FUNDS) + 100);
    assert_eq!(world.engine.next_deadline(), None);
}

#[test]
fn a_payment_that_is_rejected_carries_the_banks_own_code() {
    let mut world = waiting();
    let agent_code = *b"AC04";
    let outcome = answer(&mut world, HSBK, |answer| {
        answer.verdict = Verdict::Reject { agent_code };
    });
    assert_eq!(outcome, Outcome::Accepted);
    let status = Status::Rejected {
        reason: Reason::ReceiverRejected,
        agent_code: Some(agent_code),
    };
    assert_eq!(world.status_to(CASP), (status, false));
    assert_eq!(world.status_to(HSBK), (status, false));
    assert_eq!(world.available(CASP), i128::from(FUNDS));
    assert_eq!(world.available(HSBK), i128::from(FUNDS));
}

#[test]
fn only_the_payees_bank_may_answer_and_strangers_learn_nothing() {
    for stranger in [CASP, IRTY] {
        let mut world = waiting();
        let outcome = answer(&mut world, stranger, |_| {});
        check_refused(&mut world, outcome, stranger, Reason::OriginalUnknown);
    }
    let mut world = waiting();
    let outcome = answer(&mut world, HSBK, |answer| answer.uetr = uetr(2));
    check_refused(&mut world, outcome, HSBK, Reason::OriginalUnknown);
    let outcome = answer(&mut world, HSBK, |answer| {
        answer.transaction_id = TransactionId::parse("OTHER").unwrap();
    });
    check_refused(&mut world, outcome, HSBK, Reason::OriginalMismatch);
    // The right one still settles.
    assert_eq!(answer(&mut world, HSBK, |_| {}), Outcome::Accepted);
    assert_eq!(world.finished().outcome, FinalOutcome::Settled);
}

#[test]
fn an_answer_comes_on_a_link() {
    for source in [operator(), Source::Switch] {
        let mut world = waiting();
        let outcome = answer(&mut world, HSBK, |answer| answer.source = source);
        assert_eq!(outcome, Outcome::Refused(Reason::UnboundSender));
        assert_eq!(world.out.effects, []);
        assert_eq!(world.engine.stats().in_flight, 1);
    }
}

#[test]
fn an_answer_after_the_decision_moves_nothing_and_gets_the_outcome() {
    for (first, status) in [
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
        let mut world = waiting();
        let original = world.stamp.position;
        assert_eq!(
            answer(&mut world, HSBK, |answer| answer.verdict = first),
            Outcome::Accepted
        );
        let decided = world.finished();
        let positions: Vec<_> = world.engine.positions().collect();
        for second in [
            Verdict::Accept,
            Verdict::Reject {
                agent_code: *b"AC04",
            },
        ] {
            let outcome = answer(&mut world, HSBK, |answer| answer.verdict = second);
            assert_eq!(outcome, Outcome::Accepted);
            let late = Event::LateAnswer {
                key: key(1),
                accepted: second == Verdict::Accept,
                decided_at: decided.decided_at,
            };
            assert_eq!(world.out.events, [late]);
            let again = Message::Status {
                original,
                status,
                decided: decided.decided,
                decided_at: decided.decided_at,
                repeat: true,
            };
            assert_eq!(world.sent_to(HSBK), [again]);
            assert_eq!(world.sent_to(CASP), []);
            assert_eq!(world.engine.positions().collect::<Vec<_>>(), positions);
        }
        // A stranger is told nothing of a decided payment either.
        let outcome = answer(&mut world, IRTY, |_| {});
        assert_eq!(outcome, Outcome::Refused(Reason::OriginalUnknown));
    }
}

#[test]
fn silence_is_decided_by_the_tick_at_the_deadline() {
    let mut world = waiting();
    let deadline = world.engine.next_deadline().unwrap();
    world.stamp.time = deadline.saturating_sub(Span::from_nanos(1_000_001));
    world.tick();
    assert_eq!(world.out.events, []);
    // The command is applied a millisecond later, exactly at the deadline.
    world.stamp.time = deadline.saturating_sub(Span::from_millis(1));
    world.tick();
    let status = rejected(Reason::ReceiverTimeout);
    assert_eq!(world.status_to(CASP), (status, false));
    assert_eq!(world.status_to(HSBK), (status, false));
    assert_eq!(world.available(CASP), i128::from(FUNDS));
    assert_eq!(world.engine.next_deadline(), None);
}

#[test]
fn in_the_moment_of_the_deadline_an_answer_is_late_though_no_tick_has_come() {
    let mut world = waiting();
    let deadline = world.engine.next_deadline().unwrap();
    world.stamp.time = deadline.saturating_sub(Span::from_millis(1));
    assert_eq!(answer(&mut world, HSBK, |_| {}), Outcome::Accepted);
    assert_eq!(world.stamp.time, deadline);
    // First the decision, told to both; then the reply to the answer.
    let status = rejected(Reason::ReceiverTimeout);
    let told = |world: &World, bank| {
        let sent = world.sent_to(bank).into_iter();
        let statuses = sent.map(|message| match message {
            Message::Status { status, repeat, .. } => (status, repeat),
            other => panic!("{other:?}"),
        });
        statuses.collect::<Vec<_>>()
    };
    assert_eq!(told(&world, CASP), [(status, false)]);
    assert_eq!(told(&world, HSBK), [(status, false), (status, true)]);
    assert!(matches!(
        world.out.events[..],
        [Event::PaymentFinished(_), Event::LateAnswer { .. }]
    ));
    assert_eq!(world.available(HSBK), i128::from(FUNDS));
}

#[test]
fn just_before_the_deadline_an_answer_counts() {
    let mut world = waiting();
    let deadline = world.engine.next_deadline().unwrap();
    world.stamp.time = deadline.saturating_sub(Span::from_nanos(1_000_001));
    assert_eq!(answer(&mut world, HSBK, |_| {}), Outcome::Accepted);
    assert_eq!(world.finished().outcome, FinalOutcome::Settled);
}

#[test]
fn when_the_whole_payments_time_is_over_it_is_the_switch_that_was_late() {
    let mut world = World::new();
    let mut payment = world.payment(1, Service::C2cAccount, 100);
    payment.accepted = world.now().saturating_sub(Span::from_secs(8));
    world.accept(Command::Instant(instant::Command::CreditTransfer(payment)));
    world.wait(Span::from_secs(2));
    world.tick();
    let status = rejected(Reason::SwitchTimeout);
    assert_eq!(world.status_to(CASP), (status, false));
    assert_eq!(world.status_to(HSBK), (status, false));
}

#[test]
fn what_was_held_before_a_suspension_still_finishes() {
    let mut world = waiting();
    let debits = true;
    let credits = true;
    world.state(CASP, State::Suspended { debits, credits });
    world.state(HSBK, State::Suspended { debits, credits });
    assert_eq!(answer(&mut world, HSBK, |_| {}), Outcome::Accepted);
    assert_eq!(world.finished().outcome, FinalOutcome::Settled);
    let mut world = waiting();
    world.state(HSBK, State::Closing);
    assert_eq!(answer(&mut world, HSBK, |_| {}), Outcome::Accepted);
    assert_eq!(world.finished().outcome, FinalOutcome::Settled);
}

#[test]
fn a_link_that_goes_down_after_the_forward_changes_nothing() {
    let mut world = waiting();
    world.sign(HSBK, false);
    world.wait(SECOND);
    world.tick();
    assert_eq!(world.engine.stats().in_flight, 1);
    world.sign(HSBK, true);
    assert_eq!(answer(&mut world, HSBK, |_| {}), Outcome::Accepted);
    assert_eq!(world.finished().outcome, FinalOutcome::Settled);
}

#[test]
fn deadlines_are_decided_in_their_order() {
    let mut world = World::new();
    // The later a payment comes here, the earlier it must be decided.
    for (number, ago) in [(1, 4), (2, 5), (3, 6)] {
        let mut payment = world.payment(number, Service::C2cAccount, 100);
        payment.accepted = world.now().saturating_sub(Span::from_secs(ago));
        world.accept(Command::Instant(instant::Command::CreditTransfer(payment)));
    }
    world.wait(Span::from_secs(60));
    world.tick();
    let finished = world.out.events.iter().map(|event| match event {
        Event::PaymentFinished(finished) => finished.key,
        other => panic!("{other:?}"),
    });
    assert_eq!(finished.collect::<Vec<_>>(), [key(3), key(2), key(1)]);
}

#[test]
fn an_unsure_payee_is_confirmed_before_the_payment_is_forwarded() {
    let mut world = unconfirmed();
    let original = world.stamp.position;
    assert_eq!(world.sent_to(HSBK), [Message::Confirm { original }]);
    let expires = world.now().saturating_add(Span::from_secs(3));
    assert_eq!(world.out.effects[0].outbound.expires, Some(expires));
    assert_eq!(world.available(CASP), i128::from(FUNDS) - 100);
    // Nobody has sent the payment itself yet, so nobody can accept it.
    let outcome = answer(&mut world, HSBK, |_| {});
    check_refused(&mut world, outcome, HSBK, Reason::OriginalUnknown);
    let outcome = confirm(&mut world, IRTY, true);
    check_refused(&mut world, outcome, IRTY, Reason::OriginalUnknown);
    assert_eq!(confirm(&mut world, HSBK, true), Outcome::Accepted);
    assert_eq!(world.sent_to(HSBK), [Message::Forward { original }]);
    let expires = world.now().saturating_add(Span::from_secs(7));
    assert_eq!(world.engine.next_deadline(), Some(expires));
    // It is confirmed once.
    let outcome = confirm(&mut world, HSBK, true);
    check_refused(&mut world, outcome, HSBK, Reason::OriginalUnknown);
    assert_eq!(answer(&mut world, HSBK, |_| {}), Outcome::Accepted);
    assert_eq!(world.finished().outcome, FinalOutcome::Settled);
}

#[test]
fn a_payee_that_is_not_confirmed_is_not_paid_and_its_bank_hears_no_more() {
    let silent = |world: &mut World| {
        world.wait(Span::from_secs(3));
        world.tick();
    };
    let refused = |world: &mut World| {
        assert_eq!(confirm(world, HSBK, false), Outcome::Accepted);
    };
    let ends: [&dyn Fn(&mut World); 2] = [&silent, &refused];
    for end in ends {
        let mut world = unconfirmed();
        end(&mut world);
        let status = rejected(Reason::ConfirmationRefused);
        assert_eq!(world.status_to(CASP), (status, false));
        assert_eq!(world.sent_to(HSBK), []);
        assert_eq!(world.available(CASP), i128::from(FUNDS));
        let outcome = confirm(&mut world, HSBK, true);
        assert_eq!(outcome, Outcome::Refused(Reason::OriginalUnknown));
    }
}

#[test]
fn a_confirmation_at_its_deadline_is_late() {
    let mut world = unconfirmed();
    world.wait(Span::from_millis(2_999));
    let outcome = confirm(&mut world, HSBK, true);
    assert_eq!(outcome, Outcome::Refused(Reason::OriginalUnknown));
    let status = rejected(Reason::ConfirmationRefused);
    assert_eq!(world.status_to(CASP), (status, false));
    let original = world.stamp.position;
    let reason = Reason::OriginalUnknown;
    assert_eq!(world.sent_to(HSBK), [Message::Reject { original, reason }]);
}

#[test]
fn the_whole_payments_deadline_holds_while_the_payee_is_confirmed() {
    let mut world = World::new();
    let mut payment = world.payment(1, Service::Me2Me, 100);
    payment.payee = Some(PayeeFact::Unknown);
    payment.accepted = world.now().saturating_sub(Span::from_secs(9));
    world.accept(Command::Instant(instant::Command::CreditTransfer(payment)));
    world.wait(SECOND);
    world.tick();
    assert_eq!(
        world.status_to(CASP),
        (rejected(Reason::SwitchTimeout), false)
    );
    assert_eq!(world.sent_to(HSBK), []);
}

#[test]
fn a_confirmation_comes_on_a_link() {
    let mut world = unconfirmed();
    let answer = ConfirmAnswer {
        source: operator(),
        message_id: MessageId::parse("ANSWER").unwrap(),
        message_version: 0,
        uetr: uetr(1),
        confirmed: true,
    };
    let command = Command::Instant(instant::Command::ConfirmAnswer(answer));
    world.refuse(command, Reason::UnboundSender);
}
