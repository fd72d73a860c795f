//! Arbitrary days of the rail against books kept as plainly as possible: from the events alone.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*, sample::select};
use torap_domain::{Date, Money, ParticipantId, Span, Text};

use super::{world::*, *};
use crate::world::{CASP, HSBK, IRTY, TSES, operator};

/// One thing that may happen.
#[derive(Clone, Debug)]
enum Step {
    Request {
        number: u32,
        foreign: bool,
        class: Class,
        amount: u64,
        pin: bool,
    },
    Advise {
        number: u32,
        class: Class,
        amount: u64,
        completes: Option<u32>,
    },
    Reverse {
        number: u32,
        of: u32,
        class: Class,
        stands: u64,
    },
    /// The issuer answers one of the requests it was sent, again perhaps.
    Answer {
        which: usize,
        part: Option<u64>,
        declines: bool,
    },
    /// It acknowledges one of the letters it was sent, again perhaps.
    Acknowledge {
        which: usize,
    },
    Wait {
        millis: u64,
    },
    Connect {
        up: bool,
    },
    CutOver,
    Settle {
        day: u8,
    },
    Restart,
}

fn step() -> BoxedStrategy<Step> {
    let number = || 1_u32..12;
    let class = || select(vec![Class::Authorisation, Class::Financial]);
    let amount = || 0..2 * AMOUNT;
    prop_oneof![
        6 => (number(), any::<bool>(), class(), amount(), any::<bool>()).prop_map(
            |(number, foreign, class, amount, pin)| Step::Request { number, foreign, class, amount, pin }
        ),
        3 => (number(), class(), amount(), proptest::option::of(number())).prop_map(
            |(number, class, amount, completes)| Step::Advise { number, class, amount, completes }
        ),
        4 => (number(), number(), class(), amount()).prop_map(
            |(number, of, class, stands)| Step::Reverse { number, of, class, stands: stands.saturating_sub(AMOUNT) }
        ),
        6 => (0_usize..12, proptest::option::of(amount()), any::<bool>()).prop_map(
            |(which, part, declines)| Step::Answer { which, part, declines }
        ),
        4 => (0_usize..12).prop_map(|which| Step::Acknowledge { which }),
        3 => select(vec![1, 500, 800, 12_000, 40_000, 3_600_000]).prop_map(|millis| Step::Wait { millis }),
        1 => any::<bool>().prop_map(|up| Step::Connect { up }),
        1 => Just(Step::CutOver),
        1 => (20_u8..26).prop_map(|day| Step::Settle { day }),
        1 => Just(Step::Restart),
    ]
    .boxed()
}

/// What the events say.
#[derive(Default)]
struct Books {
    /// By day and member: what it is owed.
    nets: BTreeMap<(Date, ParticipantId), i128>,
    fees: BTreeMap<Date, i128>,
    /// By key: the decision's amount, and what stands.
    decided: BTreeMap<CardKey, (u64, u64)>,
    /// By key: what the postings of its reversals came to.
    returned: BTreeMap<CardKey, u64>,
    sent: Vec<(Class, Trace)>,
    letters: Vec<Trace>,
}

impl Books {
    fn note(&mut self, rail: &Rail) {
        for event in rail.events() {
            match event {
                Event::Decided(finished) => {
                    let amount = match finished.decision {
                        Decision::Approved { amount, .. } => amount.minor(),
                        Decision::Declined { .. } => 0,
                    };
                    let before = self.decided.insert(finished.key, (amount, amount));
                    assert_eq!(before, None, "one outcome");
                }
                Event::Reversed {
                    original, stands, ..
                } => {
                    if let Some((_, standing)) = self.decided.get_mut(&original) {
                        assert!(stands.minor() < *standing, "what stands only falls");
                        *standing = stands.minor();
                    }
                }
                Event::Posted(posting) => self.post(&posting),
                Event::SessionSettled { session } => {
                    self.nets.retain(|(day, _), _| *day != session);
                    self.fees.remove(&session);
                }
                _ => {}
            }
        }
        for effect in &rail.world.out.cards {
            match effect.message {
                Message::Request { class, trace, .. } => self.sent.push((class, trace)),
                Message::Queued { trace, .. } | Message::ClosingTotals { trace, .. }
                    if effect.to == HSBK =>
                {
                    self.letters.push(trace);
                }
                _ => {}
            }
        }
    }

    fn post(&mut self, posting: &Posting) {
        let issuer = if posting.acquirer == posting.debit {
            posting.credit
        } else {
            posting.debit
        };
        let mut book = |id: ParticipantId, amount: i128| {
            *self.nets.entry((posting.session, id)).or_default() += amount;
        };
        let minor = |money: Money| i128::from(money.minor());
        book(posting.debit, -minor(posting.amount));
        book(posting.credit, minor(posting.amount));
        let sign = if posting.reversal { -1 } else { 1 };
        let fees = posting.fees;
        let (receiver, payer) = match fees.interchange_to {
            Side::Issuer => (issuer, posting.acquirer),
            Side::Acquirer => (posting.acquirer, issuer),
        };
        book(receiver, sign * minor(fees.interchange));
        book(payer, -sign * minor(fees.interchange));
        book(posting.acquirer, -sign * minor(fees.switch_acquirer));
        book(issuer, -sign * minor(fees.switch_issuer));
        let taken = sign * (minor(fees.switch_acquirer) + minor(fees.switch_issuer));
        *self.fees.entry(posting.session).or_default() += taken;
        if posting.reversal {
            *self.returned.entry(posting.key).or_default() += posting.amount.minor();
        }
    }

    fn check(&self, rail: &Rail) {
        for id in [CASP, HSBK, IRTY, TSES] {
            let nets = self.nets.iter().filter(|((_, member), _)| *member == id);
            let total: i128 = nets.map(|(_, net)| net).sum();
            assert_eq!(rail.balance(id), total, "{id}");
        }
        let state = &rail.world.engine.state;
        let fees = state
            .ledger
            .find(members::FEES)
            .map_or(0, |account| state.ledger.balance(account));
        assert_eq!(fees, self.fees.values().sum::<i128>());
        let all: i128 = self.nets.values().sum::<i128>() + fees;
        assert_eq!(all, 0, "debits are credits");
        for (key, returned) in &self.returned {
            let (approved, stands) = self.decided[key];
            assert_eq!(
                *returned,
                approved - stands,
                "reversals never pass the original"
            );
        }
    }
}

fn carry_out(rail: &mut Rail, books: &Books, step: &Step) {
    match *step {
        Step::Request {
            number,
            foreign,
            class,
            amount,
            pin,
        } => {
            let card = if foreign { FOREIGN } else { OF_HSBK };
            rail.request(number, card, |request| {
                request.transaction.class = class;
                request.transaction.key = key(class.number(), number);
                request.transaction.amount = Money::kzt(amount);
                request.partial_supported = true;
                request.token = foreign;
                if pin {
                    request.pin = PinFact::Translated;
                }
            });
        }
        Step::Advise {
            number,
            class,
            amount,
            completes,
        } => {
            rail.advise(number, |advice| {
                advice.transaction.class = class;
                advice.transaction.key = key(class.number(), 100 + number);
                advice.transaction.amount = Money::kzt(amount);
                advice.completes = completes.map(|number| Original {
                    key: key(1, number),
                    class: Class::Authorisation,
                    trace: advice.transaction.references.trace,
                });
            });
        }
        Step::Reverse {
            number,
            of,
            class,
            stands,
        } => {
            let mut original = rail.transaction(of, OF_HSBK);
            original.class = class;
            original.key = key(class.number(), of);
            rail.reverse(number, &original, Some(stands));
        }
        Step::Answer {
            which,
            part,
            declines,
        } => {
            if let Some((class, trace)) = books.sent.iter().rev().nth(which) {
                let verdict = if declines {
                    decline("05")
                } else {
                    Verdict::Approve {
                        approval: None,
                        part: part.map(Money::kzt),
                    }
                };
                rail.answer_of(HSBK, *class, *trace, verdict);
            }
        }
        Step::Acknowledge { which } => {
            if let Some(trace) = books.letters.iter().rev().nth(which) {
                rail.acknowledge(HSBK, *trace);
            }
        }
        Step::Wait { millis } => rail.tick_after(Span::from_millis(millis)),
        Step::Connect { up: true } => rail.connect(HSBK, 2),
        Step::Connect { up: false } => rail.disconnect(HSBK),
        Step::CutOver => {
            rail.apply(Command::CutOver { source: operator() });
        }
        Step::Settle { day } => {
            let session = Date::from_ymd(2026, 11, day).unwrap();
            rail.apply(Command::SettleSession {
                source: operator(),
                session,
            });
        }
        Step::Restart => rail.world.accept(crate::Command::Start {
            epoch: torap_domain::Epoch(2),
            binary: Text::truncated("torap"),
        }),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Balances are the sums of the sessions that are not settled (also checked at every restore), every transaction has one
    /// outcome, what stands only falls, and reversals never pass their original.
    #[test]
    fn arbitrary_days_agree_with_plain_books(steps in vec(step(), 1..60)) {
        let mut rail = Rail::new();
        let mut books = Books::default();
        for step in &steps {
            rail.world.out.clear();
            carry_out(&mut rail, &books, step);
            books.note(&rail);
            books.check(&rail);
            if matches!(step, Step::Restart) {
                rail.connect(CASP, 1);
            }
        }
        // Whatever is under way comes to its end.
        rail.world.wait(Span::from_secs(3600));
        rail.world.tick();
        books.note(&rail);
        books.check(&rail);
        prop_assert_eq!(rail.world.engine.card_stats().in_flight, 0);
    }
}

#[test]
fn a_warm_rail_allocates_nothing_for_a_transaction() {
    let mut rail = Rail::new();
    rail.settings(|settings| settings.bounds.window_entries = 500);
    let mut running = crate::RunningDigest::new();
    for number in 0..40_000 {
        whole_transaction(&mut rail, &mut running, number);
    }
    let mut allocations = 0;
    for number in 40_000..50_000 {
        allocations += whole_transaction(&mut rail, &mut running, number);
    }
    assert_eq!(allocations, 0);
    assert_eq!(rail.world.engine.card_stats().window_entries, 500);
}

/// A purchase and its answer; allocations of the engine and the running digest, those of making the commands left out.
fn whole_transaction(rail: &mut Rail, running: &mut crate::RunningDigest, number: u32) -> u64 {
    let request = Request {
        origin: origin(CASP),
        repeat: false,
        transaction: Transaction {
            key: key(2, number),
            ..rail.transaction(number, OF_HSBK)
        },
        pin: PinFact::Absent,
        chip: ChipFact::Absent,
        token: false,
        partial_supported: false,
    };
    let mut allocations = counted(rail, running, Command::Request(request));
    let answer = Answer {
        origin: origin(HSBK),
        class: Class::Financial,
        trace: rail.forwarded(),
        mac: MacFact::NotRequired,
        // Some are declined, so that this path is walked, too.
        verdict: if number.is_multiple_of(8) {
            decline("51")
        } else {
            approve()
        },
    };
    allocations += counted(rail, running, Command::Answer(answer));
    assert_eq!(rail.sent_to(CASP).len(), 1);
    allocations
}

fn counted(rail: &mut Rail, running: &mut crate::RunningDigest, command: Command) -> u64 {
    let world = &mut rail.world;
    let command = crate::Command::Cards(command);
    world.wait(Span::from_millis(50));
    world.stamp.position = world.stamp.position.next();
    let (stamp, out) = (world.stamp, &mut world.out);
    let engine = &mut world.engine;
    let counted = allocation_counter::measure(|| {
        engine.warm(&command);
        engine.apply(stamp, &command, out);
        out.digest_into(stamp, running);
    });
    counted.count_total
}
