//! Any sequence of commands, checked after each.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::participants::PositionMode;

#[derive(Clone, Debug)]
enum Step {
    Fund(u16, u64),
    Pay(u16, u16, u64, u8),
    Line(u16, u64),
    Limit(u16, u16, Option<u64>),
    Reserve(u16, u64),
    Transfer(u16, bool, u64),
    Cap(u16, u64),
    Withdraw(usize),
    Move(usize, u8),
    Solve(bool),
    Wait(u64),
    Close,
    Open,
}

fn step() -> impl Strategy<Value = Step> {
    let bank = || 1_u16..=4;
    prop_oneof![
        2 => (bank(), 1_u64..60).prop_map(|(bank, amount)| Step::Fund(bank, amount)),
        12 => (bank(), 1_u16..4, 1_u64..60, 0_u8..8)
            .prop_map(|(from, shift, amount, kind)| Step::Pay(from, shift, amount, kind)),
        1 => (bank(), 0_u64..80).prop_map(|(bank, amount)| Step::Line(bank, amount)),
        2 => (bank(), 0_u16..4, prop::option::of(0_u64..80))
            .prop_map(|(bank, shift, amount)| Step::Limit(bank, shift, amount)),
        1 => (bank(), 0_u64..40).prop_map(|(bank, amount)| Step::Reserve(bank, amount)),
        2 => (bank(), any::<bool>(), 1_u64..60)
            .prop_map(|(bank, into, amount)| Step::Transfer(bank, into, amount)),
        1 => (bank(), 0_u64..50).prop_map(|(bank, cap)| Step::Cap(bank, cap)),
        1 => (0_usize..20).prop_map(Step::Withdraw),
        2 => (0_usize..20, 0_u8..4).prop_map(|(at, how)| Step::Move(at, how)),
        3 => any::<bool>().prop_map(Step::Solve),
        1 => (0_u64..4_000).prop_map(Step::Wait),
        1 => Just(Step::Close),
        2 => Just(Step::Open),
    ]
}

/// The command of a step, as the state stands.
fn command(world: &World, step: &Step, number: usize) -> Option<AnyCommand> {
    let source = operator();
    let other = |bank: u16, shift: u16| ParticipantId((bank - 1 + shift) % 4 + 1);
    let waiting = |at: &usize| {
        world
            .engine
            .settlement_queue()
            .nth(*at)
            .map(|waiting| waiting.id)
    };
    let command = match step {
        Step::Fund(bank, amount) => fund_command(ParticipantId(*bank), *amount),
        Step::Pay(from, shift, amount, kind) => {
            let now = world.now();
            pay_command(Payment {
                priority: match kind % 4 {
                    0 => Priority::High,
                    1 => Priority::CentralBank,
                    _ => Priority::Normal,
                },
                earliest: (*kind == 6).then_some(now.saturating_add(Span::from_secs(1_000))),
                latest: (*kind == 7).then_some(now.saturating_add(Span::from_secs(2_000))),
                ..payment(
                    ParticipantId(*from),
                    other(*from, *shift),
                    *amount,
                    &format!("R{number}"),
                )
            })
        }
        Step::Line(bank, amount) => line(ParticipantId(*bank), *amount),
        Step::Limit(bank, shift, amount) => Command::SetLimit {
            source,
            participant: ParticipantId(*bank),
            towards: (*shift > 0).then_some(other(*bank, *shift)),
            amount: amount.map(Money::kzt),
        },
        Step::Reserve(bank, amount) => Command::Reserve {
            source,
            participant: ParticipantId(*bank),
            amount: Money::kzt(*amount),
        },
        Step::Transfer(bank, into, amount) => Command::Transfer {
            source,
            participant: ParticipantId(*bank),
            direction: if *into { Direction::In } else { Direction::Out },
            amount: Money::kzt(*amount),
        },
        Step::Cap(bank, cap) => {
            return Some(AnyCommand::Participants(
                participants::Command::SetPositionMode {
                    source,
                    participant: ParticipantId(*bank),
                    mode: PositionMode::NetDebitCap(Money::kzt(*cap)),
                },
            ));
        }
        Step::Withdraw(at) => Command::Change {
            source,
            id: waiting(at)?,
            change: Change::Withdraw,
        },
        Step::Move(at, how) => Command::Change {
            source,
            id: waiting(at)?,
            change: match how {
                0 => Change::ToHead,
                1 => Change::ToTail,
                2 => Change::Priority(Priority::High),
                _ => Change::Priority(Priority::Normal),
            },
        },
        Step::Solve(kept) => {
            let order = if *kept {
                SolverOrder::Kept
            } else {
                SolverOrder::Bypassed
            };
            let found = solve(world, order);
            if found.is_empty() {
                return None;
            }
            resolve_command(found)
        }
        Step::Wait(_) => return Some(AnyCommand::Tick),
        Step::Close => Command::Close { source },
        Step::Open => opens(world.now().saturating_add(HOUR)),
    };
    Some(AnyCommand::Settlement(command))
}

/// What every state must be: everything that waits is really stuck, and all money is where the finished payments say.
fn check(world: &World, moved: &BTreeMap<ParticipantId, i128>) {
    for participant in [CASP, HSBK, IRTY, TSES] {
        let expected = moved.get(&participant).copied().unwrap_or(0);
        assert_eq!(balance(world, participant), expected, "{participant:?}");
    }
    let now = world.now();
    let mut heads: BTreeMap<ParticipantId, Waiting> = BTreeMap::new();
    for waiting in world.engine.settlement_queue() {
        let due = waiting
            .payment
            .earliest
            .is_none_or(|earliest| earliest <= now);
        if due {
            heads.entry(waiting.payment.from).or_insert(waiting);
        }
    }
    let accounts: BTreeMap<ParticipantId, AccountView> = world
        .engine
        .settlement_accounts()
        .map(|view| (view.participant, view))
        .collect();
    let limits: Vec<LimitView> = world.engine.settlement_limits().collect();
    for (payer, waiting) in heads {
        let account = accounts[&payer];
        let reserved = match waiting.payment.priority {
            Priority::Normal => account.reserved,
            Priority::CentralBank | Priority::High => 0,
        };
        let amount = waiting.payment.amount;
        let funded = account.available - i128::from(reserved) >= i128::from(amount.minor());
        let bound = limits.iter().any(|limit| {
            let towards = limit
                .towards
                .is_none_or(|towards| towards == waiting.payment.to);
            limit.participant == payer && towards && limit.left < amount
        });
        assert!(!funded || bound, "{waiting:?} waits without need");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// The world checks conservation, backing and the snapshot after every command.
    #[test]
    fn nothing_waits_that_could_settle_and_money_is_where_it_was_paid(
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let mut world = open();
        let mut moved: BTreeMap<ParticipantId, i128> = BTreeMap::new();
        for (number, step) in steps.iter().enumerate() {
            let Some(command) = command(&world, step, number) else {
                continue;
            };
            if let Step::Wait(seconds) = step {
                world.wait(Span::from_secs(*seconds));
            }
            let outcome = world.apply(command);
            if matches!(step, Step::Solve(_)) {
                prop_assert_eq!(outcome, Outcome::Accepted, "what the solver finds holds");
            }
            for event in &world.out.events {
                let Any::Settlement(event) = event else { continue };
                let mut book = |participant: ParticipantId, amount: i128| {
                    *moved.entry(participant).or_default() += amount;
                };
                match event {
                    Event::Funded { participant, direction, amount } => {
                        let amount = i128::from(amount.minor());
                        book(*participant, if *direction == Direction::In { amount } else { -amount });
                    }
                    Event::Transferred { participant, direction, amount } => {
                        let amount = i128::from(amount.minor());
                        book(*participant, if *direction == Direction::In { -amount } else { amount });
                    }
                    Event::Finished(done) if done.end == End::Settled => {
                        book(done.from, -i128::from(done.amount.minor()));
                        book(done.to, i128::from(done.amount.minor()));
                    }
                    _ => {}
                }
            }
            check(&world, &moved);
        }
    }
}
