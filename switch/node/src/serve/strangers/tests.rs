use std::net::{IpAddr, Ipv4Addr};

use torap_gateway::wire::Name;

use super::*;

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

#[test]
fn the_oldest_stranger_makes_room() {
    let strangers = Strangers::new(2);
    let wakes: Vec<Arc<Notify>> = (0..4).map(|_| Arc::new(Notify::new())).collect();
    let enter = |place: usize| strangers.enter(Arc::clone(&wakes[place]));
    let (first, second) = (enter(0), enter(1));
    assert!(!first.must_leave());
    let third = enter(2);
    assert!(first.must_leave() && !second.must_leave() && !third.must_leave());
    let mut notified = std::pin::pin!(wakes[0].notified());
    assert!(notified.as_mut().enable(), "it is woken to hear of it");
    // Who has proved who it is gives its place back and is never told to leave.
    drop(second);
    let fourth = enter(3);
    assert!(!third.must_leave() && !fourth.must_leave());
    drop(first);
    assert_eq!(strangers.waiting.lock().len(), 2);
}

#[test]
fn failures_are_counted_by_address_and_name() {
    let failures = Failures::new(3);
    let (here, there) = (
        IpAddr::from(Ipv4Addr::LOCALHOST),
        IpAddr::from(Ipv4Addr::new(10, 0, 0, 1)),
    );
    for _ in 0..3 {
        assert!(!failures.are_too_many((here, name("HSBK"))));
        failures.note((here, name("HSBK")));
    }
    assert!(failures.are_too_many((here, name("HSBK"))));
    assert!(!failures.are_too_many((here, name("CASP"))));
    assert!(!failures.are_too_many((there, name("HSBK"))));
}

#[test]
fn what_is_remembered_is_bounded() {
    let failures = Failures::new(1);
    let here = IpAddr::from(Ipv4Addr::LOCALHOST);
    for number in 0..FAILURES_MAX + 10 {
        failures.note((here, name(&format!("N{number}"))));
    }
    assert_eq!(failures.seen.lock().len(), FAILURES_MAX);
    assert!(failures.are_too_many((here, name(&format!("N{}", FAILURES_MAX + 9)))));
}
