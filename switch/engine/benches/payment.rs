//! One whole payment through the engine: pacs.008 in (checks, limits, reserve, forward) and the payee's bank's answer (post,
//! statuses, window), events and effects written, in thread CPU time.
//!
//! `hot`: few customers and a window of a thousand entries, which is full. `cold`: 10 million entries in the window, 1 million
//! customers drawn uniformly, all of them counted. `TORAP_BENCH_WINDOW` sets the entries of the cold case.
//!
//! `cargo bench -p torap-engine --bench payment`

#![expect(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench reads its environment and reports"
)]

mod cpu;

use std::time::Duration;

use cpu::{CpuTime, cpu_ns};
use criterion::{Criterion, criterion_group, criterion_main};
use torap_domain::{
    Bic, EndToEndId, Iban, IinBin, MessageId, Money, ParticipantId, Position, Sequence, Service,
    Span, Text, Time, TransactionId, Uetr,
};
use torap_engine::{
    Bounds, Command, Engine, Outcome, Output, References, Source, Stamp,
    instant::{self, Answer, CreditTransfer, Fingerprint, Limits, PaymentKey, Verdict},
    links,
    participants::{self, Direction, PositionMode, Profile, State},
};

const BANKS: [(&str, &str, u16); 4] = [
    ("CASP", "CASPKZKA", 722),
    ("HSBK", "HSBKKZKX", 601),
    ("IRTY", "IRTYKZKA", 965),
    ("TSES", "TSESKZKA", 998),
];
/// The allocator of the switch.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Payments whose answers follow together: as many are in flight.
const BATCH: usize = 64;
/// Commands that are warmed together before they are applied, as the core does with what has come in.
const WARMED: usize = 16;
/// Time between two commands: 10,000 payments a second.
const STEP: Span = Span::from_nanos(50_000);

/// An engine with four funded banks, and the commands of payments between them.
struct Bed {
    engine: Engine,
    out: Output,
    position: u64,
    time: Time,
    sequences: [u64; BANKS.len()],
    customers: Vec<IinBin>,
    accounts: Vec<Iban>,
    random: u64,
    number: u64,
}

impl Bed {
    fn new(window: u32, customers: usize) -> Bed {
        let accounts = BANKS.iter().map(|(_, _, code)| {
            let code = torap_domain::BankCode::from_value(*code).unwrap();
            Iban::for_kz(code, "KZT5004100100").unwrap()
        });
        let mut bed = Bed {
            engine: Engine::seeded(0x5EED),
            out: Output::new(),
            position: 0,
            time: Time::parse("2026-11-21T08:00:00+05:00").unwrap(),
            sequences: [0; BANKS.len()],
            customers: (0..).filter_map(customer).take(customers).collect(),
            accounts: accounts.collect(),
            random: 1,
            number: 0,
        };
        bed.configure(window);
        bed
    }

    fn configure(&mut self, window: u32) {
        let source = Source::Operator {
            name: Text::try_from("bench").unwrap(),
            reference: Text::EMPTY,
        };
        for (code, bic, bank_code) in BANKS {
            let profile = Profile {
                code: Text::try_from(code).unwrap(),
                name: Text::try_from(code).unwrap(),
                bics: vec![Bic::parse(bic).unwrap()],
                bank_codes: vec![torap_domain::BankCode::from_value(bank_code).unwrap()],
                sponsor: None,
                technical_senders: Vec::new(),
                services: Service::ALL.to_vec(),
                floor: Some(Money::kzt(1_000)),
                ceiling: None,
            };
            let mode = PositionMode::Prefunded;
            self.participants(participants::Command::Add {
                source,
                profile,
                mode,
            });
        }
        for id in (1..=BANKS.len() as u16).map(ParticipantId) {
            let state = State::Active;
            self.participants(participants::Command::SetState {
                source,
                participant: id,
                state,
            });
            let (direction, amount) = (Direction::In, Money::kzt(1_000_000_000_000_000));
            let fund = participants::Command::Fund {
                source,
                participant: id,
                direction,
                amount,
            };
            self.participants(fund);
            let (session, received) = (1, Sequence::ZERO);
            let up = links::Command::Up {
                participant: id,
                session,
                received,
            };
            self.accepted(Command::Links(up));
        }
        let limits = Limits {
            payment_max: Some(Money::kzt(100_000_000)),
            customer_day_amount_max: Some(Money::kzt(1_000_000_000_000)),
            customer_day_count_max: Some(u32::MAX),
            participant_day_amount_max: Some(Money::kzt(u64::MAX)),
        };
        let (service, participant) = (Service::C2cAccount, None);
        let limits = instant::Command::SetLimits {
            source,
            service,
            participant,
            limits,
        };
        self.accepted(Command::Instant(limits));
        let bounds = Bounds {
            duplicate_window_entries: window,
            ..Bounds::DEFAULT
        };
        self.accepted(Command::Bounds { source, bounds });
    }

    fn participants(&mut self, command: participants::Command) {
        self.accepted(Command::Participants(command));
    }

    fn accepted(&mut self, command: Command) {
        self.apply(&command);
        assert_eq!(self.out.outcome, Outcome::Accepted, "{command:?}");
    }

    #[inline]
    fn apply(&mut self, command: &Command) {
        self.position += 1;
        self.time = self.time.saturating_add(STEP);
        let stamp = Stamp {
            position: Position(self.position),
            time: self.time,
        };
        self.engine.apply(stamp, command, &mut self.out);
    }

    fn draw(&mut self, below: usize) -> usize {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        ((self.random >> 33) as usize) % below
    }

    fn source(&mut self, bank: usize) -> Source {
        self.sequences[bank] += 1;
        Source::Link {
            participant: ParticipantId(bank as u16 + 1),
            sequence: Sequence(self.sequences[bank]),
        }
    }

    /// A pacs.008, and the answer that the payee's bank will give.
    fn payment(&mut self) -> (Command, Command) {
        self.number += 1;
        let debtor_bank = self.draw(BANKS.len());
        let creditor_bank = (debtor_bank + 1 + self.draw(BANKS.len() - 1)) % BANKS.len();
        let debtor = self.draw(self.customers.len());
        let number = self.number;
        // Both identifiers are hashes or random in earnest.
        let spread = |salt: u64| {
            let high = (number ^ salt).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let low = high.rotate_left(31).wrapping_mul(0xC2B2_AE3D_27D4_EB4F);
            (u128::from(high) << 64 | u128::from(low)).to_le_bytes()
        };
        let transaction_id = TransactionId::format(format_args!("TX{number:020}")).unwrap();
        let uetr = Uetr::from_random(spread(2));
        let references = References {
            message_id: MessageId::format(format_args!("MSG{number:020}")).unwrap(),
            instruction_id: None,
            end_to_end_id: Some(EndToEndId::format(format_args!("E2E{number:020}")).unwrap()),
            transaction_id,
            uetr,
            message_version: 1,
        };
        let agent = |bank: usize| Bic::parse(BANKS[bank].1).unwrap();
        let transfer = CreditTransfer {
            source: self.source(debtor_bank),
            service: Service::C2cAccount,
            references,
            key: PaymentKey(spread(0)),
            fingerprint: Fingerprint(spread(1)),
            amount: Money::kzt(1 + number % 1000),
            accepted: self.time,
            instructing_agent: agent(debtor_bank),
            debtor_agent: agent(debtor_bank),
            debtor_account: self.accounts[debtor_bank],
            debtor: self.customers[debtor],
            creditor_agent: agent(creditor_bank),
            creditor_account: Some(self.accounts[creditor_bank]),
            creditor: None,
            alias: None,
            payee: None,
            qr: None,
            history: Some(instant::History::Unknown {
                as_of: Position(u64::MAX),
            }),
        };
        let answer = Answer {
            source: self.source(creditor_bank),
            message_id: references.message_id,
            message_version: 1,
            uetr,
            transaction_id,
            verdict: Verdict::Accept,
        };
        let transfer = Command::Instant(instant::Command::CreditTransfer(transfer));
        (transfer, Command::Instant(instant::Command::Answer(answer)))
    }

    /// Prepares a batch of payments outside the measured time, then applies it; nanoseconds of CPU.
    fn batch(&mut self, commands: &mut Vec<Command>, payments: usize) -> u64 {
        let (transfers, answers): (Vec<_>, Vec<_>) = (0..payments).map(|_| self.payment()).unzip();
        commands.clear();
        commands.extend(transfers);
        commands.extend(answers);
        // Sequences were drawn in the order of payments; links count in the order of the log.
        self.renumber(commands);
        let start = cpu_ns();
        self.run(commands);
        let spent = cpu_ns() - start;
        assert_eq!(self.out.effects.len(), 2, "the last payment is settled");
        spent
    }

    /// What is measured; a function of its own, so that a profiler can tell it from the preparation.
    #[inline(never)]
    fn run(&mut self, commands: &[Command]) {
        for some in commands.chunks(WARMED) {
            for command in some {
                self.engine.warm(command);
            }
            for command in some {
                self.apply(command);
            }
        }
    }

    fn renumber(&mut self, commands: &mut [Command]) {
        let mut used = [0_u64; BANKS.len()];
        for command in commands.iter() {
            used[bank_of(command)] += 1;
        }
        let mut next: Vec<u64> = self
            .sequences
            .iter()
            .zip(used)
            .map(|(last, used)| last - used)
            .collect();
        for command in commands {
            let bank = bank_of(command);
            next[bank] += 1;
            let sequence = Sequence(next[bank]);
            let participant = ParticipantId(bank as u16 + 1);
            *source_of(command) = Source::Link {
                participant,
                sequence,
            };
        }
    }
}

fn bank_of(command: &Command) -> usize {
    let link = command.source().and_then(|source| source.link());
    usize::from(link.unwrap().0) - 1
}

fn source_of(command: &mut Command) -> &mut Source {
    match command {
        Command::Instant(instant::Command::CreditTransfer(transfer)) => &mut transfer.source,
        Command::Instant(instant::Command::Answer(answer)) => &mut answer.source,
        other => panic!("not part of a payment: {other:?}"),
    }
}

/// A person's number: the check digit makes one in eleven impossible.
fn customer(number: u64) -> Option<IinBin> {
    let day = 1 + number % 28;
    let month = 1 + number / 28 % 12;
    let year = number / 336 % 100;
    let serial = number / 33_600 % 10_000;
    let born = year * 10_000 + month * 100 + day;
    IinBin::with_check(born * 100_000 + 30_000 + serial)
}

fn payments(criterion: &mut Criterion<CpuTime>) {
    let mut group = criterion.benchmark_group("payment");
    let mut commands = Vec::with_capacity(2 * BATCH);
    for (name, window, customers) in [("hot", 1_000, 1_000), ("cold", cold_window(), 1_000_000)] {
        let mut bed = Bed::new(window, customers);
        // Fill the window, and count every customer at least about once.
        for _ in 0..(window as usize * 11 / 10).div_ceil(BATCH) {
            bed.batch(&mut commands, BATCH);
        }
        println!("{name}: {:?}", bed.engine.stats());
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|payments| {
                let mut spent = 0;
                let mut left = payments as usize;
                while left > 0 {
                    let now = left.min(BATCH);
                    spent += bed.batch(&mut commands, now);
                    left -= now;
                }
                Duration::from_nanos(spent)
            });
        });
    }
    group.finish();
}

fn cold_window() -> u32 {
    let entries = std::env::var("TORAP_BENCH_WINDOW").ok();
    entries.map_or(10_000_000, |entries| {
        entries.parse().expect("a number of entries")
    })
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .with_measurement(CpuTime)
        .measurement_time(Duration::from_secs(5));
    targets = payments
}
criterion_main!(benches);
