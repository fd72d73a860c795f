//! Numbers tried out by paying.

use super::*;

#[test]
fn who_tries_out_numbers_by_paying_is_stopped_like_who_looks_them_up() {
    let mut world = World::new();
    let source = operator();
    let pay = |world: &mut World, number: u8, amount: u64, resolution| {
        let mut payment = world.payment(number, Service::C2cPhone, amount);
        by_phone(&mut payment, resolution);
        world.apply(command(payment))
    };
    let settings = Settings {
        lookup_capacity: 40,
        lookup_refill_per_s: 1,
        ..*world.engine.settings()
    };
    world.accept(Command::Instant(instant::Command::SetSettings {
        source,
        settings,
    }));
    let unknown = Outcome::Refused(Reason::AliasUnknown);
    for number in 1..4 {
        let told = pay(&mut world, number, 1, AliasResolution::Unknown);
        assert_eq!(told, unknown, "by version 1 it costs nothing");
    }
    world.accept(Command::Rules { source, version: 3 });
    // Nobody, and somebody whom the payer cannot pay: both tell something, and cost the same.
    let told = pay(&mut world, 11, 1, AliasResolution::Unknown);
    assert_eq!(told, unknown);
    let told = pay(&mut world, 12, u64::MAX, found());
    assert_eq!(told, Outcome::Refused(Reason::InsufficientFunds));
    // Now it tells nothing any more, whoever has the number, and remembers nothing.
    for resolution in [AliasResolution::Unknown, found()] {
        let told = pay(&mut world, 13, 1, resolution);
        let reason = Reason::LookupRefused;
        assert_eq!(told, Outcome::Refused(reason));
        let original = world.stamp.position;
        assert_eq!(world.sent_to(CASP), [Message::Reject { original, reason }]);
        assert_eq!(world.engine.find(&key(13)), None);
    }
    // What is paid costs nothing, and the bucket fills again.
    world.wait(Span::from_secs(20));
    for number in 14..18 {
        assert_eq!(pay(&mut world, number, 1, found()), Outcome::Accepted);
    }
}
