//! A bank's own money between its accounts.

use super::{super::Liquidity, *};
use crate::{Receipt, Source, settlement::Hours};
use torap_domain::MessageId;

fn order(world: &mut World, direction: Direction, amount: u64) -> Receipt {
    let source = world.link(CASP);
    world.apply(Any::Settlement(Command::MoveLiquidity(Liquidity {
        source,
        message_id: MessageId::parse("LIQ-1").unwrap(),
        agent: bic(CASP),
        direction,
        amount: Money::kzt(amount),
    })));
    let original = world.stamp.position;
    match world.sent_to(CASP).as_slice() {
        [
            Message::ImtsReceipt {
                original: about,
                receipt,
            },
            ..,
        ] if *about == original => *receipt,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_bank_moves_its_own_money_and_gets_a_receipt() {
    let mut world = open();
    let position = world.available(CASP);
    assert_eq!(order(&mut world, Direction::In, 400), Receipt::Done);
    assert_eq!(
        (balance(&world, CASP), world.available(CASP)),
        (600, position + 400)
    );
    let reason = Reason::InsufficientFunds;
    assert_eq!(
        order(&mut world, Direction::In, 601),
        Receipt::Refused { reason }
    );
    assert_eq!(order(&mut world, Direction::Out, 150), Receipt::Done);
    assert_eq!(
        (balance(&world, CASP), world.available(CASP)),
        (750, position + 250)
    );
    let mut foreign = Liquidity {
        source: world.link(CASP),
        message_id: MessageId::parse("LIQ-2").unwrap(),
        agent: bic(HSBK),
        direction: Direction::Out,
        amount: Money::kzt(1),
    };
    world.refuse(
        Any::Settlement(Command::MoveLiquidity(foreign)),
        Reason::UnboundSender,
    );
    foreign.source = Source::Switch;
    world.refuse(
        Any::Settlement(Command::MoveLiquidity(foreign)),
        Reason::UnboundSender,
    );
}

#[test]
fn money_that_comes_from_the_position_settles_what_waits() {
    let mut world = open();
    let waits = instruct(&mut world, 1, 1_200);
    assert_eq!(order(&mut world, Direction::Out, 200), Receipt::Done);
    assert_eq!(world.sent_to(HSBK), [forwarded(&world, waits)]);
}

#[test]
fn outside_a_business_day_a_transfer_is_refused_or_waits_as_the_rules_say() {
    let mut world = open();
    let source = operator();
    accept(&mut world, Command::Close { source });
    let closed = Receipt::Refused {
        reason: Reason::ImtsClosed,
    };
    assert_eq!(order(&mut world, Direction::In, 10), closed);
    accept(
        &mut world,
        Command::KeepLiquidity {
            source,
            keeps: true,
        },
    );
    // Nothing says when IMTS opens.
    assert_eq!(order(&mut world, Direction::In, 10), closed);
    let hours = Some(Hours {
        opens: Span::from_secs(9 * 3600),
        cut_off: Span::from_secs(17 * 3600),
        closes: Span::from_secs(18 * 3600),
    });
    accept(&mut world, Command::SetHours { source, hours });
    let opens = world.engine.imts_day().opens.unwrap();
    let reason = Reason::AmountZero;
    assert_eq!(
        order(&mut world, Direction::In, 0),
        Receipt::Refused { reason }
    );
    assert_eq!(
        order(&mut world, Direction::In, 300),
        Receipt::Waits { opens }
    );
    let first = world.stamp.position;
    assert_eq!(
        order(&mut world, Direction::In, 800),
        Receipt::Waits { opens }
    );
    let second = world.stamp.position;
    assert_eq!(world.engine.imts_day().liquidity_waiting, 2);
    world.stamp.time = opens;
    world.tick();
    let until = world.engine.imts_day().until.unwrap();
    let cut_off = world.engine.imts_day().cut_off;
    let reason = Reason::InsufficientFunds;
    assert_eq!(
        world.sent_to(CASP),
        [
            Message::ImtsDay {
                event: DayEvent::Opened { until, cut_off }
            },
            Message::ImtsReceipt {
                original: first,
                receipt: Receipt::Done
            },
            Message::ImtsReceipt {
                original: second,
                receipt: Receipt::Refused { reason }
            },
        ]
    );
    assert_eq!(balance(&world, CASP), 700);
}
