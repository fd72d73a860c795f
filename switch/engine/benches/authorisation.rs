//! One whole card purchase through the engine: 0200 in (checks, route, forward) and the issuer's answer (post, fees, session, window,
//! answer), events and effects written, in thread CPU time.
//!
//! `hot`: a window of 50,000 transactions, some seconds of them, which is full, and one BIN range a bank. (DE7 counts seconds; with a window
//! shorter than that nothing could be told from a repeat of what was dropped.) `cold`: 10 million transactions in the window, and
//! 60,000 BIN ranges of which requests draw. `TORAP_BENCH_WINDOW` sets the entries of the cold case.
//!
//! `cargo bench -p torap-engine --bench authorisation`

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
    Bic, CardService, Money, ParticipantId, Position, Service, Span, Text, Time,
    card::{
        ApprovalCode, CardHash, Channel, EntryMode, InstitutionId, Mcc, Prefix, Stan, Transmission,
        TruncatedPan,
    },
};
use torap_engine::{
    Command, Engine, Outcome, Output, Source, Stamp,
    cards::{
        self, Answer, BinRange, Card, CardKey, ChipFact, Class, FeeRow, Fingerprint, LinkNumber,
        MacFact, Message, Network, NetworkAction, Origin, PinFact, Profile, Rate, References,
        Request, Roles, Route, Services, Side, Tariff, Trace, Transaction, Verdict,
    },
    participants::{self, PositionMode, State},
};

const BANKS: [(&str, &str, u16); 4] = [
    ("CASP", "CASPKZKA", 722),
    ("HSBK", "HSBKKZKX", 601),
    ("IRTY", "IRTYKZKA", 965),
    ("TSES", "TSESKZKA", 998),
];
/// Purchases whose answers follow together: as many are in flight.
const BATCH: usize = 64;
/// Commands that are warmed together before they are applied, as the core does with what has come in.
const WARMED: usize = 16;
/// Time between two commands: 20,000 authorisations a second.
const STEP: Span = Span::from_nanos(25_000);
/// BIN ranges of the cold case.
const RANGES_COLD: usize = 60_000;
/// First six digits of the first range; ranges have eight.
const PREFIX_FIRST: u32 = 40_000_000;

/// An engine with four members of the card rail, and the commands of purchases between them.
struct Bed {
    engine: Engine,
    out: Output,
    position: u64,
    time: Time,
    ranges: usize,
    random: u64,
    number: u64,
}

impl Bed {
    fn new(window: u32, ranges: usize) -> Bed {
        let mut bed = Bed {
            engine: Engine::seeded(0x5EED),
            out: Output::new(),
            position: 0,
            time: Time::parse("2026-11-21T08:00:00+05:00").unwrap(),
            ranges,
            random: 1,
            number: 0,
        };
        bed.configure(window);
        bed
    }

    fn configure(&mut self, window: u32) {
        let source = operator();
        for (code, bic, bank_code) in BANKS {
            let profile = participants::Profile {
                code: Text::try_from(code).unwrap(),
                name: Text::try_from(code).unwrap(),
                bics: vec![Bic::parse(bic).unwrap()],
                bank_codes: vec![torap_domain::BankCode::from_value(bank_code).unwrap()],
                sponsor: None,
                technical_senders: Vec::new(),
                services: Service::ALL.to_vec(),
                floor: None,
                ceiling: None,
            };
            let mode = PositionMode::Prefunded;
            self.accepted(&Command::Participants(participants::Command::Add {
                source,
                profile,
                mode,
            }));
        }
        for participant in (1..=BANKS.len() as u16).map(ParticipantId) {
            let state = State::Active;
            self.accepted(&Command::Participants(participants::Command::SetState {
                source,
                participant,
                state,
            }));
            self.card(cards::Command::SetMember {
                source,
                participant,
                profile: profile(participant),
            });
            let link = LinkNumber(u32::from(participant.0));
            self.card(cards::Command::LinkUp { participant, link });
            let trace = self.trace(u32::from(participant.0));
            self.card(cards::Command::Network(Network {
                origin: origin(participant),
                trace,
                mac: MacFact::NotRequired,
                action: NetworkAction::SignOn,
            }));
        }
        let mut settings = *self.engine.card_settings();
        settings.bounds.window_entries = window;
        settings.cut_over_at = None;
        self.card(cards::Command::SetSettings { source, settings });
        self.card(cards::Command::SetBins {
            source,
            version: 1,
            ranges: (0..self.ranges).map(range).collect(),
        });
        self.card(cards::Command::SetFees {
            source,
            rows: vec![fee_row()],
        });
    }

    fn card(&mut self, command: cards::Command) {
        self.accepted(&Command::Cards(command));
    }

    fn accepted(&mut self, command: &Command) {
        self.apply(command);
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

    fn trace(&self, stan: u32) -> Trace {
        Trace {
            transmitted: Transmission::at(self.time),
            stan: Stan::new(stan % 1_000_000).unwrap(),
        }
    }

    fn purchase(&mut self) -> Command {
        self.number += 1;
        let number = self.number;
        let at = self.draw(self.ranges);
        let acquirer = self.draw(BANKS.len() - 1) + 1;
        let acquirer = (at % BANKS.len() + acquirer) % BANKS.len();
        // Keys and hashes are scattered in earnest.
        let spread = |salt: u64| {
            let high = (number ^ salt).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let low = high.rotate_left(31).wrapping_mul(0xC2B2_AE3D_27D4_EB4F);
            (u128::from(high) << 64 | u128::from(low)).to_le_bytes()
        };
        let pan = format!(
            "{:08}{:08}",
            PREFIX_FIRST as usize + at,
            number % 100_000_000
        );
        let id = ParticipantId(acquirer as u16 + 1);
        Command::Cards(cards::Command::Request(Request {
            origin: origin(id),
            repeat: false,
            transaction: Transaction {
                class: Class::Financial,
                key: CardKey(spread(0)),
                fingerprint: Fingerprint(spread(1)),
                references: References {
                    trace: self.trace((number % 1_000_000) as u32),
                    acquirer: institution(id),
                    retrieval: Text::format(format_args!("{number:012}")).unwrap(),
                    terminal: Text::truncated("TERM0001"),
                },
                card: Card {
                    hash: CardHash(spread(2)),
                    pan: TruncatedPan::from_pan(pan.as_bytes()).unwrap(),
                },
                route: Some(Route {
                    version: 1,
                    range: at as u32,
                }),
                service: CardService::Purchase,
                channel: Channel::Pos,
                entry: EntryMode::Contactless,
                mcc: Mcc::new(5411).unwrap(),
                amount: Money::kzt(1 + number % 100_000),
                cash_back: Money::kzt(0),
                mac: MacFact::NotRequired,
            },
            pin: PinFact::Absent,
            chip: ChipFact::Unchecked,
            token: false,
            partial_supported: false,
        }))
    }

    /// Whom the last command asked, and under which trace.
    #[inline]
    fn asked(&self) -> Option<(ParticipantId, Trace)> {
        let mut effects = self.out.cards.iter();
        effects.find_map(|effect| match effect.message {
            Message::Request { trace, .. } => Some((effect.to, trace)),
            _ => None,
        })
    }

    /// Prepares a batch of purchases outside the measured time, then applies it, and then their answers; nanoseconds of CPU.
    fn batch(&mut self, commands: &mut Vec<Command>, purchases: usize) -> u64 {
        commands.clear();
        commands.extend((0..purchases).map(|_| self.purchase()));
        let mut asked = Vec::with_capacity(purchases);
        let start = cpu_ns();
        self.run(commands, |bed| asked.extend(bed.asked()));
        let mut spent = cpu_ns() - start;
        assert_eq!(asked.len(), purchases, "every issuer is asked");
        commands.clear();
        commands.extend(asked.into_iter().map(answer));
        let start = cpu_ns();
        self.run(commands, |_| ());
        spent += cpu_ns() - start;
        let mut effects = self.out.cards.iter();
        let is_answered = effects.any(|effect| matches!(effect.message, Message::Answer { .. }));
        assert!(is_answered, "the last purchase is answered");
        spent
    }

    /// What is measured; `after` only notes who was asked.
    #[inline(never)]
    fn run(&mut self, commands: &[Command], mut after: impl FnMut(&Bed)) {
        for some in commands.chunks(WARMED) {
            for command in some {
                self.engine.warm(command);
            }
            for command in some {
                self.apply(command);
                after(self);
            }
        }
    }
}

fn answer((issuer, trace): (ParticipantId, Trace)) -> Command {
    Command::Cards(cards::Command::Answer(Answer {
        origin: origin(issuer),
        class: Class::Financial,
        trace,
        mac: MacFact::NotRequired,
        verdict: Verdict::Approve {
            approval: ApprovalCode::parse(b"ISS001").ok(),
            part: None,
        },
    }))
}

fn operator() -> Source {
    Source::Operator {
        name: Text::try_from("bench").unwrap(),
        reference: Text::EMPTY,
    }
}

fn origin(participant: ParticipantId) -> Origin {
    Origin {
        participant,
        link: LinkNumber(u32::from(participant.0)),
    }
}

fn institution(id: ParticipantId) -> InstitutionId {
    InstitutionId::parse(&format!("7000{}", id.0)).unwrap()
}

fn profile(id: ParticipantId) -> Profile {
    Profile {
        roles: Roles {
            acquirer: true,
            issuer: true,
            scheme: false,
        },
        institutions: vec![institution(id)],
        host: None,
        dialect: Text::truncated("national"),
        mac: false,
        key_set: 1,
        services: Services::ALL,
        cap: None,
    }
}

/// Ranges go round among the banks.
fn range(at: usize) -> BinRange {
    BinRange {
        prefix: Prefix::parse(&format!("{:08}", PREFIX_FIRST as usize + at)).unwrap(),
        issuer: ParticipantId((at % BANKS.len()) as u16 + 1),
        product: 1,
        scheme: 0,
        local: true,
        stand_in: 0,
        from: Time::EPOCH,
        until: None,
    }
}

/// 1.1 % to the issuer, and something for the switch.
fn fee_row() -> FeeRow {
    let rate = |fixed, millionths| Rate {
        fixed: Money::kzt(fixed),
        millionths,
        least: Money::kzt(0),
        most: None,
    };
    FeeRow {
        product: Some(1),
        service: None,
        channel: None,
        mcc_from: Mcc::NONE,
        mcc_to: Mcc::new(9999).unwrap(),
        amount_from: Money::kzt(0),
        amount_to: Money::kzt(cards::AMOUNT_MAX),
        from: Time::EPOCH,
        until: None,
        tariff: Tariff {
            interchange: rate(0, 11_000),
            interchange_to: Side::Issuer,
            switch_acquirer: rate(50, 0),
            switch_issuer: rate(20, 0),
        },
    }
}

fn authorisations(criterion: &mut Criterion<CpuTime>) {
    let mut group = criterion.benchmark_group("authorisation");
    let mut commands = Vec::with_capacity(BATCH);
    for (name, window, ranges) in [
        ("hot", 50_000, BANKS.len()),
        ("cold", cold_window(), RANGES_COLD),
    ] {
        let mut bed = Bed::new(window, ranges);
        // Fill the window.
        for _ in 0..(window as usize * 11 / 10).div_ceil(BATCH) {
            bed.batch(&mut commands, BATCH);
        }
        println!("{name}: {:?}", bed.engine.card_stats());
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|purchases| {
                let mut spent = 0;
                let mut left = purchases as usize;
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
    targets = authorisations
}
criterion_main!(benches);
