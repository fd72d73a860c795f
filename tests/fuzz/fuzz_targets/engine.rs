//! The engine under arbitrary commands, beside accounts kept as plainly as possible.
//!
//! The accounts follow the engine's events and know nothing of its rules, except: no position below its line, no hold without
//! money, one final outcome for each payment, no more returned than was paid, and the limits, which are set once at the start. The
//! engine is also taken through snapshots, and must come out the same.
#![no_main]

use std::collections::{BTreeMap, BTreeSet};

use libfuzzer_sys::fuzz_target;
use torap_domain::{Date, IinBin, Money, ParticipantId, Service, Span};
use torap_engine::{
    Command, Engine, Event, Outcome,
    codec::{self, Kind},
    instant::{self, CreditTransfer, FinalOutcome, Finished, Limits, PaymentKey, QrFact},
    participants::{self, Direction, PositionMode, State},
};
use torap_fuzz::world::{self, BANKS, FUNDS, INDIRECT, World, operator};

/// Steps of one run, at most.
const STEPS_MAX: usize = 400;
const SERVICES: [Service; 3] = [Service::C2cAccount, Service::Me2Me, Service::Qr];
/// Set before the first step, for every bank and service.
const LIMITS: (u64, u64, u32, u64) = (400_000, 600_000, 12, 900_000);

fuzz_target!(|data: &[u8]| {
    let mut bench = Bench::new();
    let mut input = Input(data);
    for _ in 0..STEPS_MAX {
        if bench.step(&mut input).is_none() {
            break;
        }
        bench.compare();
    }
    bench.finish();
});

/// The input as a row of choices.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn bank(&mut self) -> Option<u16> {
        Some(1 + u16::from(self.byte()?) % BANKS)
    }

    fn amount(&mut self) -> Option<u64> {
        let size = u64::from(self.byte()?);
        Some(match size {
            0 => 0,
            255 => FUNDS,
            size => size * size * 8,
        })
    }

    fn bytes(&mut self, count: usize) -> &[u8] {
        let (first, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        first
    }
}

/// A payment that holds money.
#[derive(Clone, Copy, Debug)]
struct Hold {
    debtor: ParticipantId,
    creditor: ParticipantId,
    amount: u64,
    usage: Option<(Date, IinBin, Service)>,
}

impl Hold {
    /// Nothing is held where payer and payee have one position: no money will move.
    fn held(&self) -> u64 {
        if settles(self.debtor) == settles(self.creditor) {
            0
        } else {
            self.amount
        }
    }
}

/// What was sent in a day and not rejected.
#[derive(Clone, Copy, Debug, Default)]
struct Usage {
    amount: u64,
    count: u32,
}

#[derive(Debug, Default)]
struct Accounts {
    posted: BTreeMap<ParticipantId, i128>,
    held: BTreeMap<ParticipantId, u64>,
    lines: BTreeMap<ParticipantId, u64>,
    funded: i128,
    holds: BTreeMap<PaymentKey, Hold>,
    finished: BTreeSet<PaymentKey>,
    settled: BTreeMap<PaymentKey, u64>,
    customers: BTreeMap<(Date, IinBin, Service), Usage>,
    participants: BTreeMap<(Date, ParticipantId, Service), Usage>,
}

/// Where a participant's money is.
fn settles(participant: ParticipantId) -> ParticipantId {
    match participant.0 {
        INDIRECT => ParticipantId(1),
        _ => participant,
    }
}

impl Accounts {
    fn new() -> Accounts {
        let mut accounts = Accounts::default();
        for bank in (1..=BANKS).filter(|bank| *bank != INDIRECT) {
            accounts.fund(ParticipantId(bank), i128::from(FUNDS));
        }
        accounts
    }

    fn fund(&mut self, bank: ParticipantId, amount: i128) {
        *self.posted.entry(settles(bank)).or_default() += amount;
        self.funded += amount;
        self.is_covered(bank);
    }

    fn is_covered(&self, bank: ParticipantId) {
        let bank = settles(bank);
        let posted = self.posted.get(&bank).copied().unwrap_or(0);
        let held = self.held.get(&bank).copied().unwrap_or(0);
        let line = self.lines.get(&bank).copied().unwrap_or(0);
        assert!(
            posted - i128::from(held) + i128::from(line) >= 0,
            "{bank:?}: {posted} posted, {held} held, line {line}"
        );
    }

    fn transfer(&mut self, from: ParticipantId, to: ParticipantId, amount: u64) {
        *self.posted.entry(settles(from)).or_default() -= i128::from(amount);
        *self.posted.entry(settles(to)).or_default() += i128::from(amount);
        self.is_covered(from);
    }

    fn reserve(&mut self, key: PaymentKey, hold: Hold) {
        assert!(!self.finished.contains(&key), "{key:?} held after its end");
        *self.held.entry(settles(hold.debtor)).or_default() += hold.held();
        self.is_covered(hold.debtor);
        if let Some((day, person, service)) = hold.usage {
            let (payment_max, customer_max, count_max, participant_max) = LIMITS;
            assert!(hold.amount <= payment_max);
            let customer = self.customers.entry((day, person, service)).or_default();
            customer.amount += hold.amount;
            customer.count += 1;
            assert!(customer.amount <= customer_max && customer.count <= count_max);
            let participant = self
                .participants
                .entry((day, hold.debtor, service))
                .or_default();
            participant.amount += hold.amount;
            assert!(participant.amount <= participant_max);
        }
        assert!(self.holds.insert(key, hold).is_none(), "{key:?} held twice");
    }

    fn finish(&mut self, finished: &Finished, today: Date) {
        assert!(self.finished.insert(finished.key), "two ends: {finished:?}");
        let Some(hold) = self.holds.remove(&finished.key) else {
            assert_ne!(finished.outcome, FinalOutcome::Settled, "{finished:?}");
            return;
        };
        let held = self.held.entry(settles(hold.debtor)).or_default();
        *held -= hold.held();
        if finished.outcome == FinalOutcome::Settled {
            self.transfer(hold.debtor, hold.creditor, hold.amount);
            self.settled.insert(finished.key, hold.amount);
        } else if let Some((day, person, service)) = hold.usage
            && day == today
        {
            let customer = self.customers.entry((day, person, service)).or_default();
            customer.amount -= hold.amount;
            customer.count -= 1;
            let participant = self.participants.entry((day, hold.debtor, service));
            participant.or_default().amount -= hold.amount;
        }
    }

    fn give_back(&mut self, finished: &Finished) {
        assert!(self.finished.insert(finished.key), "two ends: {finished:?}");
        if finished.outcome == FinalOutcome::Settled {
            let amount = finished.amount.minor();
            self.transfer(finished.debtor_agent, finished.creditor_agent, amount);
        }
    }
}

struct Bench {
    world: World,
    accounts: Accounts,
}

impl Bench {
    fn new() -> Bench {
        let mut bench = Bench {
            world: World::new(),
            accounts: Accounts::new(),
        };
        let (payment, customer, count, participant) = LIMITS;
        for service in Service::ALL {
            bench.apply(Command::Instant(instant::Command::SetLimits {
                source: operator(),
                service,
                participant: None,
                limits: Limits {
                    payment_max: Some(Money::kzt(payment)),
                    customer_day_amount_max: Some(Money::kzt(customer)),
                    customer_day_count_max: Some(count),
                    participant_day_amount_max: Some(Money::kzt(participant)),
                },
            }));
        }
        bench.compare();
        bench
    }

    /// One command, or a pause, as the input says; none at its end.
    fn step(&mut self, input: &mut Input<'_>) -> Option<()> {
        let (what, number) = (input.byte()?, input.byte()? % 24);
        let (one, other) = (input.bank()?, input.bank()?);
        match what % 16 {
            0..=3 => {
                let amount = input.amount()?;
                let choice = input.byte()?;
                let payment = self.payment(number, one, other, amount, choice);
                self.apply(payment);
            }
            4..=6 => {
                let command = self.world.answer(number, one, what & 0x80 == 0);
                self.apply(command);
            }
            7 => {
                let (attempt, amount) = (input.byte()?, input.amount()?);
                let command = self.world.give_back(number, attempt, one, amount);
                self.apply(command);
            }
            8 => {
                let command = self.world.recall(number, one);
                self.apply(command);
            }
            9 => {
                let command = self.world.query(number, one);
                self.apply(command);
            }
            10 => {
                let amount = input.amount()?;
                let command = match what >> 4 {
                    0..=4 => world::fund(ParticipantId(one), Direction::In, amount),
                    5..=9 => world::fund(ParticipantId(one), Direction::Out, amount),
                    _ => self.world.qr_register(number, one, amount),
                };
                self.apply(command);
            }
            11 => {
                let command = self.world.sign(ParticipantId(one), what & 0x80 == 0);
                self.apply(command);
            }
            12 => {
                let command = self.administer(ParticipantId(one), what >> 4, input.amount()?);
                self.apply(command);
            }
            13 => {
                let seconds = u64::from(input.byte()?);
                self.world.wait(Span::from_millis(seconds * seconds * 40));
                self.apply(Command::Tick);
            }
            14 => self.restart(),
            _ => {
                let kind = Kind::ALL.get(usize::from(number) % Kind::ALL.len())?;
                let length = usize::from(input.byte()?);
                let facts = input.bytes(length);
                if let Ok(command) = codec::decode(*kind as u16, facts)
                    && is_free(&command)
                {
                    self.apply(command);
                }
            }
        }
        Some(())
    }

    fn payment(&mut self, number: u8, from: u16, to: u16, amount: u64, choice: u8) -> Command {
        let service = SERVICES[usize::from(choice) % SERVICES.len()];
        let mut payment = self.world.payment(number, from, to, amount, service);
        if choice & 0x10 != 0 && service == Service::Qr {
            payment.qr = Some(QrFact {
                id: world::qr_id(number),
                dynamic: true,
            });
        }
        if choice & 0x20 != 0 {
            payment.fingerprint.0[0] ^= 1;
        }
        if choice & 0x40 != 0 {
            payment.accepted = payment.accepted.saturating_sub(Span::from_secs(8));
        }
        Command::Instant(instant::Command::CreditTransfer(payment))
    }

    fn administer(&mut self, participant: ParticipantId, what: u8, amount: u64) -> Command {
        let source = operator();
        let state = match what % 6 {
            0 => State::Closing,
            1 => State::Suspended {
                debits: true,
                credits: false,
            },
            2 => State::Suspended {
                debits: false,
                credits: true,
            },
            3 | 4 => State::Active,
            _ => {
                let mode = match amount {
                    0 => PositionMode::Prefunded,
                    amount => PositionMode::NetDebitCap(Money::kzt(amount)),
                };
                return Command::Participants(participants::Command::SetPositionMode {
                    source,
                    participant,
                    mode,
                });
            }
        };
        Command::Participants(participants::Command::SetState {
            source,
            participant,
            state,
        })
    }

    /// Applies the command and books what the engine says has happened.
    fn apply(&mut self, command: Command) {
        self.world.apply(&command);
        let today = Date::from_time(self.world.stamp.time);
        let payment = match &command {
            Command::Instant(instant::Command::CreditTransfer(payment)) => Some(payment),
            _ => None,
        };
        for event in &self.world.out.events {
            match event {
                Event::PaymentReserved {
                    key,
                    debtor_agent,
                    creditor_agent,
                    amount,
                } => {
                    let usage = |payment: &CreditTransfer| (today, payment.debtor, payment.service);
                    let hold = Hold {
                        debtor: *debtor_agent,
                        creditor: *creditor_agent,
                        amount: amount.minor(),
                        usage: payment.filter(|payment| payment.key == *key).map(usage),
                    };
                    self.accounts.reserve(*key, hold);
                }
                Event::PaymentFinished(finished) => self.accounts.finish(finished, today),
                Event::ReturnFinished(finished) => self.accounts.give_back(finished),
                Event::PaymentReturned { original, returned } => {
                    let paid = self.accounts.settled.get(original).copied();
                    assert!(Some(returned.minor()) <= paid, "{returned:?} of {paid:?}");
                }
                Event::PositionChanged {
                    participant,
                    funded,
                    direction,
                } => {
                    let amount = i128::from(funded.minor());
                    let signed = match direction {
                        Direction::In => amount,
                        Direction::Out => -amount,
                    };
                    self.accounts.fund(*participant, signed);
                }
                // No command of cards, of IMTS or of the clearing system is made here.
                Event::Card(_)
                | Event::Settlement(_)
                | Event::Clearing(_)
                | Event::Ancillary(_)
                | Event::Dispute(_)
                | Event::DirectoryChanged(_)
                | Event::DirectoryImported { .. }
                | Event::ParticipantChanged(_)
                | Event::LinkChanged { .. }
                | Event::LateAnswer { .. }
                | Event::Refused { .. } => {}
            }
        }
        if let Command::Participants(participants::Command::SetPositionMode {
            participant,
            mode,
            ..
        }) = command
            && self.world.out.outcome == Outcome::Accepted
        {
            let line = match mode {
                PositionMode::Prefunded => 0,
                PositionMode::NetDebitCap(cap) => cap.minor(),
            };
            self.accounts.lines.insert(settles(participant), line);
            self.accounts.is_covered(participant);
        }
    }

    fn restart(&mut self) {
        let mut bytes = Vec::new();
        let engine = &self.world.engine;
        engine.snapshot(&mut |piece| bytes.extend_from_slice(piece));
        let restored = Engine::restore(&bytes, self.world.stamp.position.0).expect("its own bytes");
        assert_eq!(restored.digest(), engine.digest());
        assert_eq!(restored.next_deadline(), engine.next_deadline());
        self.world.engine = restored;
    }

    fn compare(&self) {
        let engine = &self.world.engine;
        engine.conservation().expect("debits equal credits");
        assert_eq!(engine.funded(), self.accounts.funded);
        assert_eq!(engine.stats().in_flight, self.accounts.holds.len());
        for position in engine.positions() {
            let bank = position.participant;
            let posted = self.accounts.posted.get(&bank).copied().unwrap_or(0);
            let held = self.accounts.held.get(&bank).copied().unwrap_or(0);
            assert_eq!((position.posted, position.held), (posted, held), "{bank:?}");
            assert!(position.available >= 0);
        }
    }

    /// Time runs out: nothing stays held.
    fn finish(&mut self) {
        self.world.wait(Span::from_secs(3600));
        self.apply(Command::Tick);
        self.compare();
        assert!(self.accounts.holds.is_empty());
        assert!(self.accounts.held.values().all(|held| *held == 0));
        self.restart();
    }
}

/// Commands from raw bytes that leave the accounts' few assumptions alone: who settles where, the limits, the clocks and bounds.
fn is_free(command: &Command) -> bool {
    match command {
        Command::Instant(command) => !matches!(
            command,
            instant::Command::SetLimits { .. } | instant::Command::SetSettings { .. }
        ),
        Command::Directory(_) | Command::Qr(_) | Command::Links(_) | Command::Tick => true,
        _ => false,
    }
}
