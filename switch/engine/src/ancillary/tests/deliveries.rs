use super::*;
use crate::world::TSES;

fn delivery(
    rail: &Rail,
    reference: &str,
    legs: &[(ParticipantId, ParticipantId, u64)],
) -> Delivery {
    Delivery {
        reference: Text::truncated(reference),
        legs: legs
            .iter()
            .map(|(from, to, amount)| Leg {
                from: *from,
                to: *to,
                amount: Money::kzt(*amount),
            })
            .collect(),
        expires: rail.now().saturating_add(Span::from_secs(600)),
    }
}

fn deliver(delivery: Delivery) -> Command {
    let source = source();
    Command::Deliver { source, delivery }
}

fn state_of(rail: &Rail, reference: &str) -> Option<DeliveryState> {
    let mut all = rail.world.engine.deliveries();
    let known = all.find(|known| known.delivery.reference.as_str() == reference);
    known.map(|known| known.state)
}

fn is_done(rail: &Rail, reference: &str) -> bool {
    matches!(state_of(rail, reference), Some(DeliveryState::Settled(_)))
}

#[test]
fn a_delivery_that_waits_is_still_to_settle_today() {
    let mut rail = Rail::new();
    open(&mut rail);
    let one = delivery(&rail, "ONE", &[(CASP, HSBK, 100)]);
    let due = imts::DueToday::Delivery {
        reference: one.reference,
        expires: one.expires,
    };
    ancillary(&mut rail, deliver(one));
    assert_eq!(rail.world.engine.imts_due_today(rail.now()), [due]);
    fund(&mut rail, CASP, 100);
    assert!(is_done(&rail, "ONE"));
    assert_eq!(rail.world.engine.imts_due_today(rail.now()), []);
}

#[test]
fn the_money_settles_at_once_or_when_the_buyer_has_it() {
    let mut rail = Rail::new();
    open(&mut rail);
    fund(&mut rail, CASP, 100);
    let first = delivery(&rail, "ONE", &[(CASP, HSBK, 100)]);
    ancillary(&mut rail, deliver(first));
    assert!(is_done(&rail, "ONE"));
    let second = delivery(&rail, "TWO", &[(CASP, HSBK, 40)]);
    ancillary(&mut rail, deliver(second));
    assert_eq!(state_of(&rail, "TWO"), Some(DeliveryState::Waits));
    fund(&mut rail, CASP, 39);
    assert_eq!(state_of(&rail, "TWO"), Some(DeliveryState::Waits));
    fund(&mut rail, CASP, 1);
    assert!(is_done(&rail, "TWO"));
    assert_eq!((balance(&rail, CASP), balance(&rail, HSBK)), (0, 140));
}

#[test]
fn linked_payments_settle_all_or_none_by_what_each_pays_net() {
    let mut rail = Rail::new();
    open(&mut rail);
    let circle = [(CASP, HSBK, 100), (HSBK, IRTY, 100), (IRTY, TSES, 30)];
    let linked = delivery(&rail, "LINKED", &circle);
    ancillary(&mut rail, deliver(linked));
    fund(&mut rail, CASP, 100);
    // IRTY is paid more than it pays, HSBK as much: CASP alone needed money.
    assert!(is_done(&rail, "LINKED"));
    let balances = [CASP, HSBK, IRTY, TSES].map(|id| balance(&rail, id));
    assert_eq!(balances, [0, 0, 70, 30]);
    let poor = [(TSES, CASP, 30), (IRTY, CASP, 71)];
    let linked = delivery(&rail, "POOR", &poor);
    ancillary(&mut rail, deliver(linked));
    assert_eq!(balance(&rail, TSES), 30);
}

#[test]
fn what_has_expired_never_settles_and_the_block_may_be_released() {
    let mut rail = Rail::new();
    open(&mut rail);
    let one = delivery(&rail, "ONE", &[(CASP, HSBK, 100)]);
    ancillary(&mut rail, deliver(one.clone()));
    rail.tick_after(Span::from_secs(600));
    assert!(matches!(
        state_of(&rail, "ONE"),
        Some(DeliveryState::Ended(_))
    ));
    fund(&mut rail, CASP, 100);
    assert_eq!(balance(&rail, CASP), 100);
    // A message that was on its way for too long finds its time over, known or not.
    let outcome = refused(&mut rail, deliver(one.clone()));
    assert_eq!(outcome, Outcome::Refused(Reason::DuplicateReplay));
    let id = rail.world.engine.deliveries().next().unwrap().id;
    let source = source();
    ancillary(&mut rail, Command::CloseDelivery { source, id });
    assert_eq!(rail.world.engine.deliveries().count(), 0);
    let outcome = refused(&mut rail, deliver(one));
    assert_eq!(outcome, Outcome::Refused(Reason::LatestTimePassed));
}

#[test]
fn a_delivery_that_comes_twice_settles_once() {
    let mut rail = Rail::new();
    open(&mut rail);
    fund(&mut rail, CASP, 300);
    let one = delivery(&rail, "ONE", &[(CASP, HSBK, 100)]);
    ancillary(&mut rail, deliver(one.clone()));
    let outcome = refused(&mut rail, deliver(one.clone()));
    assert_eq!(outcome, Outcome::Refused(Reason::DuplicateReplay));
    let other = Delivery {
        legs: vec![Leg {
            from: CASP,
            to: HSBK,
            amount: Money::kzt(99),
        }],
        ..one.clone()
    };
    let outcome = refused(&mut rail, deliver(other));
    assert_eq!(outcome, Outcome::Refused(Reason::DuplicateMismatch));
    // Closed too early, it would not be known again.
    let id = rail.world.engine.deliveries().next().unwrap().id;
    let source = source();
    let outcome = refused(&mut rail, Command::CloseDelivery { source, id });
    assert_eq!(outcome, Outcome::Refused(Reason::RetryLater));
    assert_eq!(balance(&rail, HSBK), 100);
}

#[test]
fn nothing_waits_over_the_end_of_the_day_and_nothing_comes_outside_it() {
    let mut rail = Rail::new();
    let one = delivery(&rail, "ONE", &[(CASP, HSBK, 100)]);
    let outcome = refused(&mut rail, deliver(one));
    assert_eq!(outcome, Outcome::Refused(Reason::ImtsClosed));
    open(&mut rail);
    let two = delivery(&rail, "TWO", &[(CASP, HSBK, 100)]);
    ancillary(&mut rail, deliver(two));
    close(&mut rail);
    assert!(matches!(
        state_of(&rail, "TWO"),
        Some(DeliveryState::Ended(_))
    ));
    let none = delivery(&rail, "THREE", &[]);
    open(&mut rail);
    let outcome = refused(&mut rail, deliver(none));
    assert_eq!(outcome, Outcome::Refused(Reason::OperatorRefused));
    let itself = delivery(&rail, "FOUR", &[(CASP, CASP, 1)]);
    let outcome = refused(&mut rail, deliver(itself));
    assert_eq!(outcome, Outcome::Refused(Reason::SameParticipant));
}
