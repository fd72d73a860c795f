//! CASP is taken over by IRTY, or HSBK by TSES, while payments of theirs wait or can still be returned.

use torap_domain::{BankCode, Bic, MessageId};

use super::*;
use crate::{
    Receipt,
    participants::{PositionMode, Profile, State},
    settlement::Modification,
};

/// As [`open`], by version 2 of the rules.
fn open_by_new_rules() -> World {
    let mut world = open();
    let source = operator();
    world.accept(Any::Rules { source, version: 2 });
    world
}

fn raise(world: &mut World, (bank, agent): (ParticipantId, Bic), number: u8) -> Any {
    Any::Settlement(Command::Modify(Modification {
        source: world.link(bank),
        message_id: MessageId::parse("MOD-1").unwrap(),
        message_version: 24,
        agent,
        uetr: uetr(number),
        transaction_id: None,
        priority: Some(Priority::High),
        earliest: None,
        latest: None,
    }))
}

/// A camt.056 of a bank that names itself by `agent`.
fn cancel_as(
    world: &mut World,
    (bank, agent): (ParticipantId, ParticipantId),
    number: u8,
) -> Outcome {
    let source = world.link(bank);
    world.apply(Any::Settlement(Command::Cancel(Cancellation {
        source,
        references: references(number),
        cancellation_id: CancellationId::parse("CXL-1").unwrap(),
        instructing_agent: bic(agent),
    })))
}

#[test]
fn who_took_over_changes_withdraws_and_is_told() {
    let mut world = open_by_new_rules();
    instruct(&mut world, 1, 5_000);
    let second = instruct(&mut world, 2, 1_200);
    instruct(&mut world, 3, 5_000);
    world.succeed(CASP, IRTY);

    let stranger = raise(&mut world, (TSES, bic(TSES)), 2);
    world.refuse(stranger, Reason::QueuedPaymentUnknown);
    // It may name itself, or the bank that it has taken over.
    for agent in [bic(IRTY), bic(CASP)] {
        let change = raise(&mut world, (IRTY, agent), 2);
        world.accept(change);
        let told = world.sent_to(IRTY);
        let receipt = Receipt::Done;
        assert!(
            matches!(told.as_slice(), [Message::ImtsReceipt { receipt: is, .. }] if *is == receipt)
        );
    }
    assert_eq!(
        cancel_as(&mut world, (TSES, TSES), 1),
        Outcome::Refused(Reason::QueuedPaymentUnknown)
    );
    assert_eq!(cancel_as(&mut world, (IRTY, IRTY), 1), Outcome::Accepted);
    assert!(world.sent_to(CASP).is_empty(), "both letters are IRTY's");
    assert_eq!(world.sent_to(IRTY).len(), 2);
    assert_eq!(cancel_as(&mut world, (IRTY, CASP), 3), Outcome::Accepted);

    // The money is still that of the account from which the payment was given.
    fund(&mut world, CASP, 200);
    assert_eq!(world.sent_to(IRTY), [told(&world, second, Status::Settled)]);
    assert_eq!(world.sent_to(HSBK), [forwarded(&world, second)]);
    assert_eq!((balance(&world, CASP), balance(&world, HSBK)), (0, 1_200));
}

#[test]
fn by_the_first_rules_all_stays_with_the_bank_that_was_taken_over() {
    let mut world = open();
    let id = instruct(&mut world, 1, 1_200);
    world.succeed(CASP, IRTY);
    assert_eq!(
        cancel_as(&mut world, (IRTY, IRTY), 1),
        Outcome::Refused(Reason::QueuedPaymentUnknown)
    );
    fund(&mut world, CASP, 200);
    assert_eq!(world.sent_to(CASP), [told(&world, id, Status::Settled)]);
    assert_eq!(
        returned(&mut world, HSBK, 1, "RTR-1", 1_200),
        Outcome::Accepted
    );
    assert_eq!((balance(&world, CASP), balance(&world, IRTY)), (1_200, 0));
}

#[test]
fn what_the_old_link_asks_afterwards_is_answered_on_it() {
    let mut world = open_by_new_rules();
    world.succeed(CASP, IRTY);
    let late = instruct(&mut world, 1, 5_000);
    assert_eq!(world.sent_to(CASP), [told(&world, late, Status::Pending)]);
    assert_eq!(cancel(&mut world, CASP, 1), Outcome::Accepted);
    assert_eq!(world.sent_to(CASP).len(), 2);
    assert!(world.sent_to(IRTY).is_empty());
}

#[test]
fn letters_and_transfers_that_wait_change_hands_as_well() {
    let mut world = open_by_new_rules();
    // More letters than one record sends are left for the next one: the day's end rejects all of these.
    for number in 1..=40 {
        instruct(&mut world, number, 5_000);
    }
    accept(&mut world, Command::Close { source: operator() });
    let first = world.sent_to(CASP).len();
    world.succeed(CASP, IRTY);
    let (mut of_casp, mut of_irty) = (0, 0);
    for _ in 0..40 {
        world.wait(Span::from_millis(4));
        world.tick();
        let statuses = |bank| {
            let sent = world.sent_to(bank).into_iter();
            sent.filter(|message| matches!(message, Message::ImtsStatus { .. }))
                .count()
        };
        of_casp += statuses(CASP);
        of_irty += statuses(IRTY);
    }
    assert!(0 < first && first < 40, "{first}");
    assert_eq!((of_casp, of_irty), (0, 40 - first));
}

#[test]
fn a_payee_that_was_taken_over_is_reached_through_who_took_over() {
    let mut world = open_by_new_rules();
    let id = instruct(&mut world, 1, 1_200);
    world.succeed(HSBK, TSES);
    fund(&mut world, CASP, 200);
    assert_eq!(world.sent_to(TSES), [forwarded(&world, id)]);
    assert!(world.sent_to(HSBK).is_empty());
    assert_eq!((balance(&world, HSBK), balance(&world, TSES)), (1_200, 0));
}

#[test]
fn who_took_over_the_payee_returns_to_who_took_over_the_payer() {
    let mut world = open_by_new_rules();
    instruct(&mut world, 1, 600);
    world.succeed(HSBK, TSES);
    world.succeed(CASP, IRTY);
    fund(&mut world, TSES, 1_000);
    assert_eq!(
        returned(&mut world, IRTY, 1, "RTR-0", 600),
        Outcome::Refused(Reason::SameParticipant)
    );
    assert_eq!(
        returned(&mut world, TSES, 1, "RTR-1", 600),
        Outcome::Accepted
    );
    let id = world.stamp.position;
    assert_eq!(world.sent_to(TSES), [told(&world, id, Status::Settled)]);
    assert_eq!(world.sent_to(IRTY), [forwarded(&world, id)]);
    let balances = [CASP, HSBK, IRTY, TSES].map(|bank| balance(&world, bank));
    assert_eq!(balances, [400, 600, 600, 400]);
}

#[test]
fn a_sponsors_other_payments_stay_its_own() {
    let mut world = open_by_new_rules();
    let small = ParticipantId(5);
    let agent = Bic::parse("SMALKZKA").unwrap();
    world.accept(Any::Participants(crate::participants::Command::Add {
        source: operator(),
        profile: Profile {
            code: Text::truncated("SMAL"),
            name: Text::truncated("SMAL"),
            bics: vec![agent],
            bank_codes: vec![BankCode::from_value(555).unwrap()],
            sponsor: Some(CASP),
            technical_senders: Vec::new(),
            services: Vec::new(),
            floor: None,
            ceiling: None,
        },
        mode: PositionMode::Prefunded,
    }));
    world.state(small, State::Active);
    world.sign(small, true);
    instruct(&mut world, 1, 5_000);
    let mut theirs = instruction(&mut world, 2, 5_000);
    theirs.source = world.link(small);
    theirs.instructing_agent = agent;
    theirs.debtor_agent = agent;
    send(&mut world, theirs);
    world.succeed(small, IRTY);
    // The indirect bank's payment leaves the account of its sponsor, and is IRTY's now; the sponsor's own is not.
    let change = raise(&mut world, (IRTY, bic(IRTY)), 1);
    world.refuse(change, Reason::QueuedPaymentUnknown);
    let change = raise(&mut world, (CASP, bic(CASP)), 2);
    world.refuse(change, Reason::QueuedPaymentUnknown);
    let change = raise(&mut world, (IRTY, agent), 2);
    world.accept(change);
    assert_eq!(cancel_as(&mut world, (IRTY, IRTY), 2), Outcome::Accepted);
}
