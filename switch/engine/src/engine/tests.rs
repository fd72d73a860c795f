//! The whole engine against a small model of accounts, under random commands.

use std::collections::BTreeMap;

use proptest::prelude::*;
use torap_domain::{
    MessageId, Money, ParticipantId, Position, Reason, ReturnId, Sequence, Service, Span, Time,
    Uetr,
};

use super::TICK_EXPIRES_MAX;
use crate::{
    Bounds, Command, Engine, Event, Outcome, Output, RunningDigest, Stamp,
    instant::{
        self, Answer, FinalOutcome, Fingerprint, Limits, PaymentKey, Return, StatusRequest, Verdict,
    },
    links,
    participants::{self, Direction},
    world::{FUNDS, World, bic, iban, key, operator, references, uetr},
};

const BANKS: u16 = 4;
const RECEIVER_WITHIN: Span = Span::from_secs(7);

/// What happens next. Banks are numbered from 0; payments have few numbers, so that repeats and clashes are common.
#[derive(Clone, Copy, Debug)]
enum Step {
    Pay {
        number: u8,
        from: u16,
        to: u16,
        amount: u64,
        content: u8,
    },
    Answer {
        number: u8,
        accept: bool,
        stranger: bool,
    },
    Return {
        number: u8,
        all: bool,
    },
    Query {
        number: u8,
    },
    Fund {
        bank: u16,
        out: bool,
        amount: u64,
    },
    Sign {
        bank: u16,
        up: bool,
    },
    Wait {
        milliseconds: u64,
    },
    Tick,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let number = || 0..12_u8;
    let bank = || 0..BANKS;
    let amount = || prop_oneof![3 => 1..FUNDS / 2, 1 => Just(0), 1 => Just(FUNDS)];
    prop_oneof![
        8 => (number(), bank(), bank(), amount(), 0..8_u8).prop_map(|(number, from, to, amount, content)| {
            Step::Pay { number, from, to, amount, content: content / 7 }
        }),
        8 => (number(), any::<bool>(), 0..6_u8).prop_map(|(number, accept, stranger)| {
            Step::Answer { number, accept, stranger: stranger == 0 }
        }),
        2 => (number(), 0..4_u8).prop_map(|(number, part)| Step::Return { number, all: part > 0 }),
        1 => number().prop_map(|number| Step::Query { number }),
        1 => (bank(), any::<bool>(), amount()).prop_map(|(bank, out, amount)| Step::Fund { bank, out, amount }),
        1 => (bank(), any::<bool>()).prop_map(|(bank, up)| Step::Sign { bank, up }),
        2 => (0..5_000_u64).prop_map(|milliseconds| Step::Wait { milliseconds }),
        1 => Just(Step::Tick),
        1 => Just(Step::Restart),
    ]
}

/// A payment as the model knows it.
#[derive(Clone, Copy, Debug)]
struct Payment {
    from: u16,
    to: u16,
    amount: u64,
    content: u8,
    deadline: Time,
    state: PaymentState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PaymentState {
    Held,
    Settled { returned: bool },
    Rejected,
    NeverReceived,
}

/// Accounts and payments, said as plainly as possible.
struct Model {
    posted: [u64; BANKS as usize],
    held: [u64; BANKS as usize],
    up: [bool; BANKS as usize],
    payments: BTreeMap<u8, Payment>,
    /// Final outcomes that were told, by payment.
    finished: BTreeMap<PaymentKey, u32>,
}

impl Model {
    fn new() -> Model {
        Model {
            posted: [FUNDS; BANKS as usize],
            held: [0; BANKS as usize],
            up: [true; BANKS as usize],
            payments: BTreeMap::new(),
            finished: BTreeMap::new(),
        }
    }

    fn available(&self, bank: u16) -> u64 {
        self.posted[usize::from(bank)] - self.held[usize::from(bank)]
    }

    /// Gives up every payment of `numbers` whose deadline has passed.
    fn expire(&mut self, now: Time, numbers: impl Fn(u8) -> bool) {
        for (number, payment) in &mut self.payments {
            let due = payment.state == PaymentState::Held && payment.deadline <= now;
            if due && numbers(*number) {
                payment.state = PaymentState::Rejected;
                self.held[usize::from(payment.from)] -= payment.amount;
            }
        }
    }

    /// A pacs.008 comes: the outcome that must follow.
    fn pay(&mut self, number: u8, wanted: Payment) -> Outcome {
        if let Some(known) = self.payments.get(&number) {
            // Key and UETR of a number come from one bank; another bank's message has another key and the same UETR.
            let same_key = known.from == wanted.from;
            let same = same_key && known.content == wanted.content;
            return Outcome::Refused(match known.state {
                PaymentState::NeverReceived if same_key => Reason::Tombstoned,
                _ if same => Reason::DuplicateReplay,
                _ => Reason::DuplicateMismatch,
            });
        }
        let refusal = if wanted.from == wanted.to {
            Some(Reason::SameParticipant)
        } else if wanted.amount == 0 {
            Some(Reason::AmountZero)
        } else if !self.up[usize::from(wanted.to)] {
            Some(Reason::ReceiverOffline)
        } else if self.available(wanted.from) < wanted.amount {
            Some(Reason::InsufficientFunds)
        } else {
            None
        };
        let state = match refusal {
            None => {
                self.held[usize::from(wanted.from)] += wanted.amount;
                PaymentState::Held
            }
            Some(_) => PaymentState::Rejected,
        };
        self.payments.insert(number, Payment { state, ..wanted });
        refusal.map_or(Outcome::Accepted, Outcome::Refused)
    }

    /// The payee's bank, or another, answers.
    fn answer(&mut self, number: u8, accept: bool, by: u16) -> Outcome {
        let unknown = Outcome::Refused(Reason::OriginalUnknown);
        let Some(payment) = self.payments.get_mut(&number) else {
            return unknown;
        };
        if payment.state == PaymentState::NeverReceived || payment.to != by {
            return unknown;
        }
        if payment.state == PaymentState::Held {
            let (from, to) = (usize::from(payment.from), usize::from(payment.to));
            self.held[from] -= payment.amount;
            if accept {
                self.posted[from] -= payment.amount;
                self.posted[to] += payment.amount;
            }
            payment.state = match accept {
                true => PaymentState::Settled { returned: false },
                false => PaymentState::Rejected,
            };
        }
        Outcome::Accepted
    }

    /// Whether a return of the whole payment posts, if it is the first.
    fn give_back(&mut self, number: u8) -> bool {
        let Some(payment) = self.payments.get(&number).copied() else {
            return false;
        };
        let settled = payment.state == PaymentState::Settled { returned: false };
        if !settled || self.available(payment.to) < payment.amount {
            return false;
        }
        self.posted[usize::from(payment.to)] -= payment.amount;
        self.posted[usize::from(payment.from)] += payment.amount;
        let returned = Payment {
            state: PaymentState::Settled { returned: true },
            ..payment
        };
        self.payments.insert(number, returned);
        true
    }
}

/// The engine beside the model, and the log of what was applied.
struct Bench {
    world: World,
    model: Model,
    log: Vec<(Stamp, Command)>,
    running: RunningDigest,
    session: u64,
    newest: [u64; BANKS as usize],
}

impl Bench {
    fn new() -> Bench {
        Bench {
            world: World::new(),
            model: Model::new(),
            log: Vec::new(),
            running: RunningDigest::new(),
            session: 1,
            newest: [1; BANKS as usize],
        }
    }

    /// Applies a command a millisecond after the last one, without the restart that the world makes every time.
    fn apply(&mut self, command: Command) -> Outcome {
        self.world.wait(Span::from_millis(1));
        self.world.stamp.position = self.world.stamp.position.next();
        let stamp = self.world.stamp;
        self.world
            .engine
            .apply(stamp, &command, &mut self.world.out);
        self.world.out.digest_into(stamp, &mut self.running);
        for event in &self.world.out.events {
            if let Event::PaymentFinished(finished) = event {
                *self.model.finished.entry(finished.key).or_default() += 1;
            }
        }
        self.log.push((stamp, command));
        self.world.out.outcome
    }

    /// The time that the next command will have.
    fn next_time(&self) -> Time {
        self.world.now().saturating_add(Span::from_millis(1))
    }

    fn run(&mut self, step: Step) {
        match step {
            Step::Pay {
                number,
                from,
                to,
                amount,
                content,
            } => {
                self.pay(number, from, to, amount, content);
            }
            Step::Answer {
                number,
                accept,
                stranger,
            } => self.answer(number, accept, stranger),
            Step::Return { number, all } => self.give_back(number, all),
            Step::Query { number } => self.query(number),
            Step::Fund { bank, out, amount } => self.fund(bank, out, amount),
            Step::Sign { bank, up } => self.sign(bank, up),
            Step::Wait { milliseconds } => self.world.wait(Span::from_millis(milliseconds)),
            Step::Tick => {
                self.model.expire(self.next_time(), |_| true);
                assert_eq!(self.apply(Command::Tick), Outcome::Accepted);
            }
            Step::Restart => self.restart(),
        }
        self.check();
    }

    fn sign(&mut self, bank: u16, up: bool) {
        self.model.up[usize::from(bank)] = up;
        let participant = ParticipantId(bank + 1);
        // Each sign-on has a session of its own, and only the newest can end.
        self.session += u64::from(up);
        let session = self.session;
        let newest = &mut self.newest[usize::from(bank)];
        let command = if up {
            *newest = session;
            let received = Sequence::ZERO;
            links::Command::Up {
                participant,
                session,
                received,
            }
        } else {
            let session = *newest;
            links::Command::Down {
                participant,
                session,
            }
        };
        assert_eq!(self.apply(Command::Links(command)), Outcome::Accepted);
    }

    fn pay(&mut self, number: u8, from: u16, to: u16, amount: u64, content: u8) {
        let (debtor, creditor) = (ParticipantId(from + 1), ParticipantId(to + 1));
        let mut payment = self.world.payment(number, Service::C2cAccount, amount);
        payment.source = self.world.link(debtor);
        payment.key = self.key(number, from);
        payment.fingerprint = Fingerprint([content; 16]);
        payment.instructing_agent = bic(debtor);
        payment.debtor_agent = bic(debtor);
        payment.debtor_account = iban(debtor, 1);
        payment.creditor_agent = bic(creditor);
        payment.creditor_account = Some(iban(creditor, 2));
        let now = self.next_time();
        payment.accepted = now;
        let deadline = now.saturating_add(RECEIVER_WITHIN);
        let wanted = Payment {
            from,
            to,
            amount,
            content,
            deadline,
            state: PaymentState::Held,
        };
        self.model.expire(now, |other| other == number);
        let expected = self.model.pay(number, wanted);
        let command = Command::Instant(instant::Command::CreditTransfer(payment));
        assert_eq!(self.apply(command), expected, "payment {number}");
    }

    fn key(&self, number: u8, from: u16) -> PaymentKey {
        let mut bytes = key(number).0;
        bytes[15] = from as u8;
        PaymentKey(bytes)
    }

    fn answer(&mut self, number: u8, accept: bool, stranger: bool) {
        let to = self
            .model
            .payments
            .get(&number)
            .map_or(0, |payment| payment.to);
        let by = if stranger { (to + 1) % BANKS } else { to };
        let verdict = match accept {
            true => Verdict::Accept,
            false => Verdict::Reject {
                agent_code: *b"AC04",
            },
        };
        let answer = Answer {
            source: self.world.link(ParticipantId(by + 1)),
            message_id: MessageId::parse("ANSWER").unwrap(),
            message_version: 0,
            uetr: uetr(number),
            transaction_id: references(number).transaction_id,
            verdict,
        };
        // A stranger's answer decides nothing, not even what is overdue.
        if by == to {
            self.model.expire(self.next_time(), |other| other == number);
        }
        let expected = self.model.answer(number, accept, by);
        let command = Command::Instant(instant::Command::Answer(answer));
        assert_eq!(self.apply(command), expected, "answer to {number}");
    }

    fn give_back(&mut self, number: u8, all: bool) {
        let Some(payment) = self.model.payments.get(&number).copied() else {
            return;
        };
        let returner = ParticipantId(payment.to + 1);
        let command = Return {
            source: self.world.link(returner),
            references: references(number),
            return_id: ReturnId::parse(&format!("R{}", self.log.len())).unwrap(),
            key: PaymentKey((1 << 100 | self.log.len() as u128).to_be_bytes()),
            fingerprint: Fingerprint([0; 16]),
            instructing_agent: bic(returner),
            amount: Money::kzt(if all {
                payment.amount
            } else {
                payment.amount / 2
            }),
            reason_code: *b"CUST",
            history: None,
            original: None,
        };
        // Half of a person's payment is never given back.
        let posts = all && self.model.give_back(number);
        let outcome = self.apply(Command::Instant(instant::Command::Return(command)));
        assert_eq!(
            outcome == Outcome::Accepted,
            posts,
            "return of {number}: {outcome:?}"
        );
    }

    fn query(&mut self, number: u8) {
        let from = self
            .model
            .payments
            .get(&number)
            .map_or(0, |payment| payment.from);
        let request = StatusRequest {
            source: self.world.link(ParticipantId(from + 1)),
            references: references(number),
            key: self.key(number, from),
            instructing_agent: bic(ParticipantId(from + 1)),
            original: None,
        };
        let now = self.next_time();
        self.model.expire(now, |other| other == number);
        self.model.payments.entry(number).or_insert(Payment {
            from,
            to: 0,
            amount: 0,
            content: 0,
            deadline: now,
            state: PaymentState::NeverReceived,
        });
        let command = Command::Instant(instant::Command::StatusRequest(request));
        assert_eq!(self.apply(command), Outcome::Accepted);
    }

    fn fund(&mut self, bank: u16, out: bool, amount: u64) {
        let (direction, expected) = if amount == 0 {
            (Direction::In, Outcome::Refused(Reason::AmountZero))
        } else if !out {
            self.model.posted[usize::from(bank)] += amount;
            (Direction::In, Outcome::Accepted)
        } else if self.model.available(bank) >= amount {
            self.model.posted[usize::from(bank)] -= amount;
            (Direction::Out, Outcome::Accepted)
        } else {
            (Direction::Out, Outcome::Refused(Reason::InsufficientFunds))
        };
        let command = Command::Participants(participants::Command::Fund {
            source: operator(),
            participant: ParticipantId(bank + 1),
            direction,
            amount: Money::kzt(amount),
        });
        assert_eq!(self.apply(command), expected);
    }

    fn restart(&mut self) {
        let mut bytes = Vec::new();
        self.world
            .engine
            .snapshot(&mut |piece| bytes.extend_from_slice(piece));
        let restored = Engine::restore(&bytes, self.log.len() as u64).unwrap();
        assert_eq!(restored.digest(), self.world.engine.digest());
        self.world.engine = restored;
    }

    /// Engine and model agree, and money is conserved.
    fn check(&self) {
        let engine = &self.world.engine;
        engine.conservation().unwrap();
        for (bank, position) in engine.positions().enumerate() {
            let modelled = (i128::from(self.model.posted[bank]), self.model.held[bank]);
            assert_eq!((position.posted, position.held), modelled, "bank {bank}");
            assert!(position.available >= 0);
        }
        let posted: u64 = self.model.posted.iter().sum();
        assert_eq!(engine.funded(), i128::from(posted));
        let waiting = self.model.payments.values();
        let held = waiting.filter(|payment| payment.state == PaymentState::Held);
        assert_eq!(engine.stats().in_flight, held.count());
    }

    /// Time runs out for everything; every payment has come to exactly one end.
    fn finish(&mut self) {
        self.world.wait(Span::from_secs(60));
        self.run(Step::Tick);
        assert_eq!(self.world.engine.next_deadline(), None);
        for (number, payment) in &self.model.payments {
            let key = self.key(*number, payment.from);
            assert_eq!(self.model.finished.get(&key), Some(&1), "payment {number}");
            let finished = self.world.engine.find(&key).unwrap();
            let agrees = match payment.state {
                PaymentState::Held => false,
                PaymentState::Settled { .. } => finished.outcome == FinalOutcome::Settled,
                PaymentState::Rejected => {
                    matches!(finished.outcome, FinalOutcome::Rejected { .. })
                }
                PaymentState::NeverReceived => finished.outcome == FinalOutcome::Tombstone,
            };
            assert!(agrees, "{payment:?} ended as {finished:?}");
            let returned = match payment.state {
                PaymentState::Settled { returned: true } => payment.amount,
                _ => 0,
            };
            assert_eq!(finished.returned, Money::kzt(returned));
        }
    }

    /// The log gives the same engine once more, without any restart on the way.
    fn replay(&self) {
        let mut engine = World::new().engine;
        let mut out = Output::new();
        let mut running = RunningDigest::new();
        for (stamp, command) in &self.log {
            engine.warm(command);
            engine.apply(*stamp, command, &mut out);
            out.digest_into(*stamp, &mut running);
        }
        assert_eq!(running, self.running);
        assert_eq!(engine.digest(), self.world.engine.digest());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn money_moves_as_the_model_says(steps in prop::collection::vec(step(), 1..250)) {
        let mut bench = Bench::new();
        for step in steps {
            bench.run(step);
        }
        bench.finish();
        bench.replay();
    }
}

#[test]
fn a_tick_decides_a_bounded_number_and_the_next_one_the_rest() {
    let mut world = World::new();
    let mut out = Output::new();
    let payments = TICK_EXPIRES_MAX + 5;
    let mut apply = |world: &mut World, time: Time, command: &Command| {
        let position = world.stamp.position.next();
        world.stamp = Stamp { position, time };
        world.engine.apply(world.stamp, command, &mut out);
        (out.outcome, out.events.len())
    };
    let start = world.now();
    for number in 0..payments as u128 {
        let mut payment = world.payment(1, Service::C2cAccount, 1);
        payment.key = PaymentKey(number.to_le_bytes());
        payment.references.uetr = Uetr::from_random(number.to_le_bytes());
        payment.accepted = start;
        let command = Command::Instant(instant::Command::CreditTransfer(payment));
        assert_eq!(apply(&mut world, start, &command).0, Outcome::Accepted);
    }
    let later = start.saturating_add(Span::from_secs(60));
    assert_eq!(apply(&mut world, later, &Command::Tick).1, TICK_EXPIRES_MAX);
    assert!(world.engine.next_deadline().unwrap() < later);
    assert_eq!(apply(&mut world, later, &Command::Tick).1, 5);
    assert_eq!(world.engine.next_deadline(), None);
    assert_eq!(apply(&mut world, later, &Command::Tick).1, 0);
}

#[test]
#[should_panic(expected = "does not follow")]
fn a_log_out_of_order_is_not_applied() {
    let mut engine = Engine::new();
    let stamp = Stamp {
        position: Position(5),
        time: Time::from_nanos(5),
    };
    engine.apply(stamp, &Command::Tick, &mut Output::new());
    engine.apply(stamp, &Command::Tick, &mut Output::new());
}

#[test]
fn what_stands_in_an_output_is_forgotten_by_the_next_command() {
    let mut world = World::new();
    let payment = world.payment(1, Service::C2cAccount, 1);
    world.accept(Command::Instant(instant::Command::CreditTransfer(payment)));
    assert!(!world.out.events.is_empty() && !world.out.effects.is_empty());
    world.accept(Command::Tick);
    assert!(world.out.events.is_empty() && world.out.effects.is_empty());
}

#[test]
fn the_steady_state_allocates_nothing() {
    let mut world = World::new();
    let source = operator();
    let limits = Limits {
        payment_max: Some(Money::kzt(FUNDS)),
        customer_day_amount_max: Some(Money::kzt(u64::MAX)),
        customer_day_count_max: Some(u32::MAX),
        participant_day_amount_max: Some(Money::kzt(u64::MAX)),
    };
    let (service, participant) = (Service::C2cAccount, None);
    world.accept(Command::Instant(instant::Command::SetLimits {
        source,
        service,
        participant,
        limits,
    }));
    let bounds = Bounds {
        duplicate_window_entries: 500,
        ..Bounds::DEFAULT
    };
    world.accept(Command::Bounds { source, bounds });
    // Until every part of the tables and every page of the window was used once.
    let mut running = RunningDigest::new();
    for number in 0..40_000 {
        whole_payment(&mut world, &mut running, number);
    }
    let mut allocations = 0;
    for number in 40_000..50_000 {
        allocations += whole_payment(&mut world, &mut running, number);
    }
    assert_eq!(allocations, 0);
    assert_eq!(world.engine.stats().window_entries, 500);
}

/// One payment and its answer; allocations of the engine and the running digest, those of making the commands left out.
fn whole_payment(world: &mut World, running: &mut RunningDigest, number: u128) -> u64 {
    // Some are rejected, so that this path is walked, too.
    let verdict = match number % 8 {
        0 => Verdict::Reject {
            agent_code: *b"AC04",
        },
        _ => Verdict::Accept,
    };
    let mut payment = world.payment(1, Service::C2cAccount, 1);
    payment.key = PaymentKey(number.to_le_bytes());
    payment.references.uetr = Uetr::from_random(number.to_le_bytes());
    payment.history = Some(instant::History::Unknown {
        as_of: Position(u64::MAX),
    });
    let answer = Answer {
        source: world.link(ParticipantId(2)),
        message_id: payment.references.message_id,
        message_version: 0,
        uetr: payment.references.uetr,
        transaction_id: payment.references.transaction_id,
        verdict,
    };
    let commands = [
        Command::Instant(instant::Command::CreditTransfer(payment)),
        Command::Instant(instant::Command::Answer(answer)),
    ];
    let mut allocations = 0;
    for command in commands {
        world.wait(Span::from_nanos(100));
        world.stamp.position = world.stamp.position.next();
        let (stamp, out) = (world.stamp, &mut world.out);
        let engine = &mut world.engine;
        let counted = allocation_counter::measure(|| {
            engine.warm(&command);
            engine.apply(stamp, &command, out);
            out.digest_into(stamp, running);
        });
        assert_eq!(world.out.outcome, Outcome::Accepted);
        allocations += counted.count_total;
    }
    allocations
}
