pub(crate) mod fake_switch;

use std::time::Duration;

use bytes::BytesMut;
use torap_domain::{BankCode, Bic, Sequence};
use torap_gateway::session::Secret;
use torap_gateway::wire::{Mode, Name, Nonce};

use self::fake_switch::{Account, Behaviour, FakeSwitch};
use super::*;
use crate::plan::LoadBank;

const WALL_NS: u64 = 1_795_234_527_000_000_000;
const SECOND: u64 = 1_000_000_000;
/// One hop of the wire takes so long in these tests.
const HOP_NS: u64 = 1_000_000;

pub(crate) fn bank(number: u8) -> LoadBank {
    LoadBank {
        code: Name::parse(&format!("BNK{number:02}")).unwrap(),
        bic: Bic::parse(&format!("BN{}KKZKA", char::from(b'A' + number))).unwrap(),
        bank_code: BankCode::from_value(900 + u16::from(number)).unwrap(),
        secret: Secret::new([number; 32]),
        held: Sequence::ZERO,
    }
}

pub(crate) fn accounts(plan: &Plan) -> Vec<Account> {
    let account = |bank: &LoadBank| Account {
        code: bank.code,
        bic: bank.bic,
        secret: bank.secret.clone(),
    };
    plan.banks.iter().map(account).collect()
}

pub(crate) fn plan(banks: u8, rate: u32, seconds: u64) -> Plan {
    let banks = (0..banks).map(bank).collect();
    let switch = ([127, 0, 0, 1], 1).into();
    let mut plan = Plan::new(
        banks,
        switch,
        Mode::Test,
        rate,
        Duration::from_secs(seconds),
    );
    plan.check_every = 1;
    plan
}

/// Generator and switch with virtual time, and a wire that takes a while and can be cut.
struct World {
    generator: Generator,
    switch: FakeSwitch,
    wires: Vec<Wire>,
    now: u64,
}

#[derive(Default)]
struct Wire {
    connection: Option<usize>,
    to_switch: BytesMut,
    to_bank: BytesMut,
}

impl World {
    fn new(plan: &Plan, behave: impl FnMut(u64) -> Behaviour + Send + 'static) -> World {
        let switch = FakeSwitch::new(accounts(plan), *torap_gateway::formats(), behave);
        World::with(plan, switch)
    }

    fn with(plan: &Plan, switch: FakeSwitch) -> World {
        World {
            generator: Generator::new(plan, 0x5eed, WALL_NS, 0).unwrap(),
            switch,
            wires: plan.banks.iter().map(|_| Wire::default()).collect(),
            now: 0,
        }
    }

    /// One hop of time: what was on the wire arrives, both sides work, what they say goes onto the wire.
    fn step(&mut self) {
        self.now += HOP_NS;
        let now = self.now;
        for (bank, wire) in self.wires.iter_mut().enumerate() {
            if self.generator.wants_link(bank) {
                let nonce = Nonce([u8::try_from(bank).unwrap(); 32]);
                *wire = Wire {
                    connection: Some(self.switch.accept(now)),
                    ..Wire::default()
                };
                self.generator.connected(bank, nonce, now);
            }
            let connection = wire.connection.unwrap();
            self.generator
                .handle_bytes(bank, &wire.to_bank.split(), now);
            self.switch
                .handle_bytes(connection, &wire.to_switch.split(), now);
            self.switch.handle_timeout(connection, now);
        }
        self.generator.advance(now);
        for (bank, wire) in self.wires.iter_mut().enumerate() {
            self.generator.poll_output(bank, &mut wire.to_switch, now);
            self.switch
                .poll_output(wire.connection.unwrap(), &mut wire.to_bank, now);
        }
    }

    /// The link breaks; what is on the wire is lost.
    fn cut(&mut self, bank: usize) {
        let wire = std::mem::take(&mut self.wires[bank]);
        self.generator.handle_end(bank, self.now);
        self.switch.handle_end(wire.connection.unwrap(), self.now);
    }

    fn run(mut self) -> (Result<Outcome, Failure>, FakeSwitch) {
        while !self.generator.is_done(self.now) {
            self.step();
        }
        self.generator.sign_off();
        (self.generator.outcome(Duration::ZERO), self.switch)
    }
}

fn every(period: u64, behaviour: Behaviour) -> impl FnMut(u64) -> Behaviour + Send + 'static {
    move |nth| {
        if nth % period == period - 1 {
            behaviour
        } else {
            Behaviour::Settle
        }
    }
}

#[test]
fn every_payment_of_the_schedule_settles_and_latency_counts_from_when_it_was_due() {
    let (outcome, switch) = World::new(&plan(4, 1000, 2), |_| Behaviour::Settle).run();
    let outcome = outcome.unwrap();
    assert_eq!(
        (outcome.scheduled, outcome.sent, outcome.settled),
        (2000, 2000, 2000)
    );
    assert!(outcome.is_good(), "{outcome:?}");
    assert_eq!(outcome.breach_texts, [""; 0]);
    assert_eq!(switch.received.len(), 2000);
    assert!(switch.received.values().all(|times| *times == 1));
    // To the switch, to the payee's bank, back, and the answer: four hops of a millisecond.
    assert_eq!(outcome.latency.total(), 2000);
    assert!((4000..4100).contains(&outcome.latency.at_per_mille(500).unwrap()));
    // Four messages came to the banks for each payment: a forward, and two reports.
    assert_eq!(outcome.checked, 6000);
    let elapsed = outcome.elapsed.as_millis();
    assert!((2000..=2010).contains(&elapsed), "{elapsed}");
}

#[test]
fn latency_of_the_warm_up_does_not_count_and_everything_else_does() {
    let mut plan = plan(4, 1000, 3);
    plan.warm_up = Duration::from_secs(1);
    let (outcome, _) = World::new(&plan, |_| Behaviour::Settle).run();
    let outcome = outcome.unwrap();
    assert_eq!((outcome.sent, outcome.settled), (3000, 3000));
    assert_eq!(outcome.latency.total(), 2000);
    assert_eq!(outcome.warm_up, plan.warm_up);
}

#[test]
fn a_closed_loop_keeps_its_payments_in_flight() {
    let mut plan = plan(3, 0, 1);
    plan.in_flight_max = 50;
    let mut world = World::new(&plan, |_| Behaviour::Settle);
    let mut most = 0;
    while !world.generator.is_done(world.now) {
        world.step();
        most = most.max(world.generator.progress(world.now).in_flight);
    }
    assert_eq!(most, 50);
    let outcome = world.generator.outcome(Duration::ZERO).unwrap();
    // A second of 1 ms hops, four for each payment, fifty at a time.
    assert!(
        (12_000..=12_600).contains(&outcome.sent),
        "{}",
        outcome.sent
    );
    assert_eq!(
        (outcome.sent, outcome.settled),
        (outcome.scheduled, outcome.sent)
    );
    assert!(outcome.is_good(), "{outcome:?}");
    assert_eq!(outcome.latency.at_per_mille(1000), Some(4000));
}

#[test]
fn a_limit_of_payments_in_flight_makes_a_rate_late_but_leaves_nothing_out() {
    let mut plan = plan(2, 1000, 1);
    // Four hops each: at most 500 a second.
    plan.in_flight_max = 2;
    let outcome = World::new(&plan, |_| Behaviour::Settle).run().0.unwrap();
    assert_eq!((outcome.sent, outcome.settled), (1000, 1000));
    let p50_ms = outcome.latency.at_per_mille(500).unwrap() / 1000;
    assert!(
        (450..600).contains(&p50_ms),
        "half of the payments waited half a second: {p50_ms}"
    );
}

#[test]
fn rejections_are_counted_by_code() {
    let behave = |nth: u64| match nth % 10 {
        0 => Behaviour::Reject("AM04"),
        1 => Behaviour::Reject("AB08"),
        2 if nth < 100 => Behaviour::NotTaken,
        _ => Behaviour::Settle,
    };
    let (outcome, _) = World::new(&plan(4, 1000, 1), behave).run();
    let outcome = outcome.unwrap();
    let rejected: Vec<(&str, u64)> = outcome
        .rejected
        .iter()
        .map(|(code, count)| (code.as_str(), *count))
        .collect();
    assert_eq!(
        rejected,
        [("AB08", 100), ("AM04", 100), ("admi.002 CH21", 10)]
    );
    assert_eq!(
        (outcome.settled, outcome.unknown, outcome.breaches),
        (790, 0, 0)
    );
    assert_eq!(outcome.latency.total(), 1000);
    assert!(!outcome.is_good());
}

#[test]
fn repeated_and_pending_answers_change_nothing() {
    for behaviour in [Behaviour::Twice, Behaviour::Pending] {
        let outcome = World::new(&plan(4, 500, 1), every(5, behaviour))
            .run()
            .0
            .unwrap();
        let repeated = if behaviour == Behaviour::Twice {
            100
        } else {
            0
        };
        assert_eq!(
            (outcome.settled, outcome.repeated),
            (500, repeated),
            "{behaviour:?}"
        );
        assert!(outcome.is_good(), "{outcome:?}");
    }
}

#[test]
fn a_payment_without_an_answer_is_unknown_after_the_drain_time() {
    let world = World::new(&plan(4, 100, 1), every(10, Behaviour::Silent));
    let (outcome, _) = world.run();
    let outcome = outcome.unwrap();
    assert_eq!(
        (outcome.sent, outcome.settled, outcome.unknown),
        (100, 90, 10)
    );
    assert!(!outcome.is_good());
}

#[test]
fn broken_promises_are_noticed() {
    for (behaviour, word) in [
        (Behaviour::Contradict, "two outcomes"),
        (Behaviour::TwoFaced, "two outcomes"),
        (Behaviour::Misroute, "wrong bank"),
        (Behaviour::Garbage, "refuses"),
        (Behaviour::WrongUetr, "do not agree"),
    ] {
        let outcome = World::new(&plan(4, 100, 1), every(100, behaviour))
            .run()
            .0
            .unwrap();
        assert!(outcome.breaches >= 1, "{behaviour:?}");
        assert!(
            outcome.breach_texts[0].contains(word),
            "{behaviour:?}: {:?}",
            outcome.breach_texts
        );
        assert!(!outcome.is_good(), "{behaviour:?}");
    }
}

#[test]
fn links_that_break_lose_and_repeat_nothing() {
    let mut plan = plan(4, 2000, 2);
    plan.check_every = 7;
    let mut world = World::new(&plan, |_| Behaviour::Settle);
    let mut steps = 0;
    while !world.generator.is_done(world.now) {
        world.step();
        steps += 1;
        if steps % 37 == 0 {
            world.cut(steps / 37 % 4);
        }
    }
    let outcome = world.generator.outcome(Duration::ZERO).unwrap();
    assert!(outcome.links_lost >= 50, "{}", outcome.links_lost);
    assert_eq!(
        (outcome.sent, outcome.settled, outcome.repeated),
        (4000, 4000, 0)
    );
    assert!(outcome.is_good(), "{outcome:?}");
    assert_eq!(world.switch.received.len(), 4000);
    assert!(world.switch.received.values().all(|times| *times == 1));
    assert_eq!(world.switch.answers_received, 4000);
}

#[test]
fn a_run_goes_on_behind_what_both_sides_hold_from_earlier_ones() {
    let mut plan = plan(2, 100, 1);
    plan.banks[0].held = Sequence::new(70);
    let switch = FakeSwitch::new(accounts(&plan), *torap_gateway::formats(), |_| {
        Behaviour::Settle
    })
    .with_history(0, 1234, 70)
    .with_history(1, 9, 0);
    let outcome = World::with(&plan, switch).run().0.unwrap();
    assert!(outcome.is_good(), "{outcome:?}");
}

#[test]
fn a_bank_that_is_turned_away_ends_the_run() {
    let mut wrong = plan(2, 100, 1);
    let switch = FakeSwitch::new(accounts(&wrong), *torap_gateway::formats(), |_| {
        Behaviour::Settle
    });
    wrong.banks[1].secret = Secret::new([77; 32]);
    let (outcome, _) = World::with(&wrong, switch).run();
    let failure = outcome.unwrap_err().to_string();
    assert!(
        failure.contains("BNK01") && failure.contains("PeerError"),
        "{failure}"
    );
}

#[test]
fn sign_on_has_a_time_limit() {
    let mut generator = Generator::new(&plan(2, 100, 1), 1, WALL_NS, 0).unwrap();
    assert_eq!(generator.poll_timeout(), Some(15 * SECOND));
    generator.advance(15 * SECOND);
    assert!(generator.is_done(15 * SECOND));
    assert!(
        generator
            .outcome(Duration::ZERO)
            .unwrap_err()
            .to_string()
            .contains("sign on in time")
    );
}

#[test]
fn wrong_plans_are_refused_with_their_place() {
    let check = |change: fn(&mut Plan)| {
        let mut plan = plan(4, 100, 1);
        change(&mut plan);
        Generator::new(&plan, 1, WALL_NS, 0)
            .err()
            .map(|failure| failure.to_string())
    };
    let refused = |place: &str, change: fn(&mut Plan)| {
        let text = check(change).unwrap_or_else(|| panic!("{place} is not refused"));
        assert!(text.starts_with(place), "{text}");
    };
    assert_eq!(check(|_| {}), None);
    refused("banks: 1 is not between 2 and 32", |plan| {
        plan.banks.truncate(1)
    });
    refused("banks: BNK01 or its BIC is named twice", |plan| {
        plan.banks[3] = bank(1)
    });
    refused("rate: 1000001", |plan| plan.rate = 1_000_001);
    refused("duration: 0", |plan| {
        plan.duration = Duration::from_millis(900)
    });
    refused("warm-up: 1 is not between 0 and 0", |plan| {
        plan.warm_up = Duration::from_secs(1)
    });
    refused("inflight: 0", |plan| plan.in_flight_max = 0);
    refused("check-every: 0", |plan| plan.check_every = 0);
}
