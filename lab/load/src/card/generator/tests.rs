pub(crate) mod fake_switch;

use std::ops::ControlFlow;
use std::time::Duration;

use bytes::BytesMut;

use self::fake_switch::{Behaviour, FakeCardSwitch, plan};
use super::*;
use crate::serving::{Answering, Served};

const WALL_NS: u64 = 1_795_234_527_000_000_000;
/// One hop of the wire takes so long in these tests.
const HOP_NS: u64 = 1_000_000;

/// Generator and switch with virtual time.
struct World {
    generator: CardGenerator,
    switch: FakeCardSwitch,
    wires: Vec<Wires>,
    now: u64,
}

#[derive(Default)]
struct Wires {
    connection: Option<usize>,
    to_switch: BytesMut,
    to_host: BytesMut,
}

fn whole(members: u32, rate: u32, seconds: u64) -> CardPlan {
    let mut plan = plan(members, rate, Duration::from_secs(seconds));
    plan.check_every = 1;
    plan.drain = Duration::from_secs(2);
    plan
}

impl World {
    fn new(plan: CardPlan, behave: impl FnMut(u64) -> Behaviour + Send + 'static) -> World {
        let switch = FakeCardSwitch::new(&plan, behave);
        let generator = CardGenerator::new(plan, 0x5eed, WALL_NS, 0).unwrap();
        let wires = (0..generator.links()).map(|_| Wires::default()).collect();
        World {
            generator,
            switch,
            wires,
            now: 0,
        }
    }

    /// One hop of time: what was on the wire arrives, both sides work, what they say goes onto the wire.
    fn step(&mut self) {
        self.now += HOP_NS;
        let now = self.now;
        for (link, wire) in self.wires.iter_mut().enumerate() {
            if self.generator.wants_link(link) {
                *wire = Wires {
                    connection: Some(self.switch.accept(now)),
                    ..Wires::default()
                };
                self.generator.connected(link, [0; 32], now);
            }
            let connection = wire.connection.unwrap();
            self.generator
                .handle_bytes(link, &wire.to_host.split(), now);
            self.switch
                .handle_bytes(connection, &wire.to_switch.split(), now);
        }
        self.generator.advance(now);
        for (link, wire) in self.wires.iter_mut().enumerate() {
            self.generator.poll_output(link, &mut wire.to_switch, now);
            self.switch
                .poll_output(wire.connection.unwrap(), &mut wire.to_host, now);
        }
    }

    fn cut(&mut self, link: usize) {
        let wire = std::mem::take(&mut self.wires[link]);
        self.generator.handle_end(link, self.now);
        self.switch.handle_end(wire.connection.unwrap(), self.now);
    }

    fn run(mut self) -> (Result<Outcome, Failure>, FakeCardSwitch) {
        while !self.generator.is_done(self.now) {
            self.step();
        }
        self.generator.sign_off();
        (self.generator.outcome(Duration::ZERO), self.switch)
    }
}

fn once(behaviour: Behaviour) -> impl FnMut(u64) -> Behaviour + Send + 'static {
    move |nth| {
        if nth == 5 {
            behaviour
        } else {
            Behaviour::Approve
        }
    }
}

#[test]
fn every_transaction_of_the_schedule_is_approved_and_latency_counts_from_when_it_was_due() {
    for mac in [false, true] {
        let mut plan = whole(4, 1000, 2);
        plan.mac = mac;
        let (outcome, _) = World::new(plan, |_| Behaviour::Approve).run();
        let outcome = outcome.unwrap();
        assert_eq!(outcome.breach_texts, [""; 0]);
        assert_eq!(
            (outcome.scheduled, outcome.sent, outcome.settled),
            (2000, 2000, 2000)
        );
        assert!(outcome.is_good(), "{outcome:?}");
        // To the switch, to the issuer, back, and the answer: four hops of a millisecond.
        assert!((4000..4100).contains(&outcome.latency.at_per_mille(500).unwrap()));
        // A request and an answer each, and the answers to four sign-ons.
        assert_eq!(outcome.checked, 4004);
    }
}

#[test]
fn a_run_with_a_count_sends_so_many_and_no_more_with_a_rate_and_without() {
    for rate in [0, 1000] {
        let mut plan = whole(3, rate, 10);
        plan.in_flight_max = 50;
        plan.count_max = Some(1_001);
        let (outcome, _) = World::new(plan, |_| Behaviour::Approve).run();
        let outcome = outcome.unwrap();
        assert_eq!(
            (outcome.scheduled, outcome.sent, outcome.settled),
            (1_001, 1_001, 1_001)
        );
        assert!(outcome.is_good(), "{outcome:?}");
    }
}

#[test]
fn a_closed_loop_over_several_links_keeps_its_transactions_in_flight() {
    let mut plan = whole(3, 0, 1);
    plan.in_flight_max = 50;
    plan.links = 3;
    let mut world = World::new(plan, |_| Behaviour::Approve);
    let mut most = 0;
    while !world.generator.is_done(world.now) {
        world.step();
        most = most.max(world.generator.progress(world.now).in_flight);
    }
    assert_eq!(most, 50);
    let outcome = world.generator.outcome(Duration::ZERO).unwrap();
    assert!(outcome.is_good(), "{outcome:?}");
    assert!(
        (12_000..=12_600).contains(&outcome.sent),
        "{}",
        outcome.sent
    );
}

#[test]
fn declines_are_counted_by_code() {
    let behave = |nth: u64| match nth % 10 {
        0 => Behaviour::Decline(b"91"),
        1 => Behaviour::Decline(b"96"),
        _ => Behaviour::Approve,
    };
    let outcome = World::new(whole(2, 100, 1), behave).run().0.unwrap();
    assert_eq!((outcome.sent, outcome.settled), (100, 80));
    assert_eq!(outcome.rejected.get("91"), Some(&10));
    assert_eq!(outcome.rejected.get("96"), Some(&10));
    assert!(!outcome.is_good());
}

#[test]
fn what_stays_without_an_answer_is_unknown() {
    let outcome = World::new(whole(2, 100, 1), once(Behaviour::Silent)).run();
    let outcome = outcome.0.unwrap();
    assert_eq!(
        (outcome.sent, outcome.settled, outcome.unknown),
        (100, 99, 1)
    );
    assert!(!outcome.is_good());
}

#[test]
fn a_switch_that_breaks_a_promise_is_found_out() {
    for (behaviour, expect) in [
        (Behaviour::Twice, "was answered twice"),
        (Behaviour::AskTwice, "was asked twice"),
        (Behaviour::Unasked, "was approved unasked"),
        (Behaviour::OtherAmount, "is answered with other content"),
        (
            Behaviour::WrongIssuer,
            "reached its issuer with other content",
        ),
        (Behaviour::LeaveOut(63), "field 63: must be there"),
    ] {
        let outcome = World::new(whole(3, 100, 1), once(behaviour)).run();
        let outcome = outcome.0.unwrap();
        let texts = outcome.breach_texts.join("; ");
        assert!(texts.contains(expect), "{behaviour:?}: {texts}");
        assert!(!outcome.is_good());
    }
}

#[test]
fn reversals_are_acknowledged() {
    let (outcome, switch) = World::new(whole(2, 100, 1), once(Behaviour::Reverse)).run();
    assert_eq!(outcome.unwrap().breach_texts, [""; 0]);
    assert_eq!(switch.acknowledged, 1);
}

#[test]
fn a_lost_link_comes_back() {
    let mut world = World::new(whole(2, 500, 2), |_| Behaviour::Approve);
    while world.now < 1_000_000_000 {
        world.step();
    }
    world.cut(0);
    let outcome = world.run().0.unwrap();
    assert_eq!(outcome.links_lost, 1);
    // What was on the wire is lost with the link, the rest goes on.
    assert!(outcome.unknown < 10 && outcome.settled > 980, "{outcome:?}");
}

#[test]
fn a_member_that_is_turned_away_ends_the_run() {
    let plan = whole(2, 100, 1);
    let mut world = World::new(plan.clone(), |_| Behaviour::Approve);
    let mut others = plan;
    others.members[0].institution = "999".into();
    world.switch = FakeCardSwitch::new(&others, |_| Behaviour::Approve);
    let failure = world.run().0.unwrap_err().to_string();
    assert_eq!(failure, "bank BNK00: the sign-on is refused with 58");
}

#[test]
fn plans_that_are_wrong_are_refused() {
    let check = |change: fn(&mut CardPlan), expect: &str| {
        let mut plan = whole(2, 100, 1);
        change(&mut plan);
        assert_eq!(plan.check().unwrap_err().to_string(), expect);
    };
    check(
        |plan| plan.members.truncate(1),
        "banks: 1 is not between 2 and 32",
    );
    check(
        |plan| plan.pin_percent = 101,
        "pin-percent: 101 is not between 0 and 100",
    );
    check(|plan| plan.links = 0, "links: 0 is not between 1 and 16");
    check(
        |plan| plan.members[1].keys = None,
        "banks: BNK01 has no keys for PINs and MACs",
    );
    check(
        |plan| plan.members[1].prefix = plan.members[0].prefix.clone(),
        "banks: BNK01 or its institution or prefix is named twice",
    );
}

#[test]
fn a_run_over_sockets_comes_out_whole() {
    let mut plan = whole(4, 0, 1);
    plan.in_flight_max = 64;
    plan.mac = true;
    let served = Served::start(FakeCardSwitch::new(&plan, |_| Behaviour::Approve));
    for member in &mut plan.members {
        member.door = served.address;
    }
    let outcome = crate::run_cards(plan, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(outcome.breach_texts, [""; 0]);
    assert!(outcome.is_good(), "{outcome:?}");
}
