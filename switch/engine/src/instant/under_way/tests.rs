use torap_domain::Service;

use crate::{
    Command, Outcome,
    instant::{self, Verdict},
    world::{CASP, HSBK, World, key, uetr},
};

#[test]
fn a_payment_is_seen_from_its_reserve_to_its_decision() {
    let mut world = World::new();
    assert_eq!(world.engine.under_way(&uetr(1)), None);
    assert_eq!(world.engine.oldest_referred(), None);
    let payment = world.payment(1, Service::C2cAccount, 100);
    let command = Command::Instant(instant::Command::CreditTransfer(payment));
    assert_eq!(world.apply(command), Outcome::Accepted);
    let submitted = world.stamp.position;
    let seen = world.engine.under_way(&uetr(1)).expect("under way");
    assert_eq!(
        (seen.submitted, seen.debtor_agent, seen.creditor_agent),
        (submitted, CASP, HSBK)
    );
    assert_eq!(seen.amount, payment.amount);
    assert!(seen.deadline > world.now());
    assert_eq!(world.engine.under_way_by_key(&key(1)), Some(seen));
    let later = world.payment(2, Service::C2cAccount, 100);
    let command = Command::Instant(instant::Command::CreditTransfer(later));
    assert_eq!(world.apply(command), Outcome::Accepted);
    assert_eq!(world.engine.oldest_referred(), Some(submitted));
    world.answer(1, Verdict::Accept);
    assert_eq!(world.engine.under_way(&uetr(1)), None);
    assert_eq!(world.engine.under_way_by_key(&key(1)), None);
    assert!(world.engine.oldest_referred() > Some(submitted));
}
