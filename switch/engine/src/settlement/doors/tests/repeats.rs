//! What a bank sends again.

use super::{super::Liquidity, *};
use crate::{Receipt, settlement::Hours};
use torap_domain::MessageId;

fn newest() -> World {
    let mut world = open();
    world.newest_rules();
    world
}

/// Sends the payment again and gives what is told of it.
fn again(world: &mut World, number: u8, amount: u64) -> (Status, Time) {
    let before = balance(world, CASP);
    let instruction = instruction(world, number, amount);
    let command = Any::Settlement(Command::Instruct(instruction));
    world.refuse(command, Reason::DuplicateReplay);
    assert_eq!(balance(world, CASP), before);
    assert_eq!(world.sent_to(HSBK), []);
    match world.sent_to(CASP).as_slice() {
        [
            Message::ImtsStatus {
                original,
                status,
                decided_at,
                ..
            },
        ] => {
            assert_eq!(*original, world.stamp.position);
            (*status, *decided_at)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_payment_that_is_sent_again_gets_the_answer_that_it_has_by_now() {
    let mut world = newest();
    instruct(&mut world, 1, 400);
    let settled_at = world.now();
    assert_eq!(again(&mut world, 1, 400), (Status::Settled, settled_at));
    let waits = instruct(&mut world, 2, 900);
    assert_eq!(again(&mut world, 2, 900).0, Status::Pending);
    fund(&mut world, CASP, 300);
    assert_eq!(again(&mut world, 2, 900).0, Status::Settled);
    assert!(world.engine.settlement_done().any(|done| done.id == waits));
    // Also when the day is over, or has begun again on its date.
    instruct(&mut world, 3, 5_000);
    let source = operator();
    accept(&mut world, Command::Close { source });
    let end = rejected(Reason::InsufficientFunds);
    while world.engine.imts_letters() > 0 {
        world.wait(Span::from_millis(4));
        world.tick();
    }
    assert_eq!(again(&mut world, 3, 5_000).0, end);
    let until = world.now().saturating_add(HOUR);
    begin(&mut world, None, until);
    assert_eq!(again(&mut world, 3, 5_000).0, end);
    assert_eq!(again(&mut world, 1, 400), (Status::Settled, settled_at));
    // Other content under the identifiers is none of it.
    let other = instruction(&mut world, 1, 401);
    refused(&mut world, Reason::DuplicateMismatch, other);
}

fn transfer(world: &mut World, id: &str, amount: u64) -> Receipt {
    let source = world.link(CASP);
    world.apply(Any::Settlement(Command::MoveLiquidity(Liquidity {
        source,
        message_id: MessageId::parse(id).unwrap(),
        agent: bic(CASP),
        direction: Direction::In,
        amount: Money::kzt(amount),
    })));
    match world.sent_to(CASP).last() {
        Some(Message::ImtsReceipt { original, receipt }) => {
            assert_eq!(*original, world.stamp.position);
            *receipt
        }
        other => panic!("{other:?}"),
    }
}

fn refusal(reason: Reason) -> Receipt {
    Receipt::Refused { reason }
}

#[test]
fn a_transfer_that_is_sent_again_moves_once_and_is_answered_again() {
    let mut world = newest();
    assert_eq!(transfer(&mut world, "A", 100), Receipt::Done);
    assert_eq!(transfer(&mut world, "A", 100), Receipt::Done);
    assert_eq!(balance(&world, CASP), 900);
    let mismatch = refusal(Reason::DuplicateMismatch);
    assert_eq!(transfer(&mut world, "A", 101), mismatch);
    // What was refused may be sent again.
    let short = refusal(Reason::InsufficientFunds);
    assert_eq!(transfer(&mut world, "B", 1_000), short);
    fund(&mut world, CASP, 100);
    assert_eq!(transfer(&mut world, "B", 1_000), Receipt::Done);
    // Another date has other orders.
    accept(&mut world, Command::Close { source: operator() });
    world.wait(Span::from_secs(24 * 3600));
    world.tick();
    let until = world.now().saturating_add(HOUR);
    begin(&mut world, None, until);
    fund(&mut world, CASP, 100);
    assert_eq!(transfer(&mut world, "A", 100), Receipt::Done);
    assert_eq!(balance(&world, CASP), 0);
}

#[test]
fn a_transfer_that_waits_for_the_opening_is_kept_once() {
    let mut world = newest();
    let source = operator();
    accept(&mut world, Command::Close { source });
    let keeps = true;
    accept(&mut world, Command::KeepLiquidity { source, keeps });
    let hours = Some(Hours {
        opens: Span::from_secs(9 * 3600),
        cut_off: Span::from_secs(17 * 3600),
        closes: Span::from_secs(18 * 3600),
    });
    accept(&mut world, Command::SetHours { source, hours });
    let opens = world.engine.imts_day().opens.unwrap();
    for _ in 0..2 {
        assert_eq!(transfer(&mut world, "A", 300), Receipt::Waits { opens });
    }
    assert_eq!(transfer(&mut world, "B", 800), Receipt::Waits { opens });
    assert_eq!(world.engine.imts_day().liquidity_waiting, 2);
    world.stamp.time = opens;
    world.tick();
    assert_eq!(balance(&world, CASP), 700);
    assert_eq!(transfer(&mut world, "A", 300), Receipt::Done);
    let short = refusal(Reason::InsufficientFunds);
    assert_eq!(transfer(&mut world, "B", 800), short);
    assert_eq!(balance(&world, CASP), 700);
}

#[test]
fn by_the_rules_of_an_older_log_a_transfer_moves_again_and_a_payment_is_refused() {
    let mut world = open();
    for left in [900, 800] {
        assert_eq!(transfer(&mut world, "A", 100), Receipt::Done);
        assert_eq!(balance(&world, CASP), left);
    }
    instruct(&mut world, 1, 10);
    let again = instruction(&mut world, 1, 10);
    refused(&mut world, Reason::DuplicateReplay, again);
}
