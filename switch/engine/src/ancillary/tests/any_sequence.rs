//! Any sequence of purchases, cut-overs, funding and time. After each command money is conserved, the card accounts are what is not
//! settled, the technical account is what was paid, and the engine goes on from its own snapshot.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Buy(bool),
    Reverse,
    CutOver,
    Interim,
    Open,
    Close,
    Fund(u16, u64),
    Contribute(u16, u64, bool),
    Line(u16, u64),
    Require(u16, u64),
    Call,
    Recover(u64),
    Method(bool),
    Rule(u16, u64),
    Deliver(u16, u16, u64),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let bank = || 1_u16..=4;
    let amount = || prop_oneof![1_u64..400, Just(DEBT), Just(3 * DEBT)];
    prop_oneof![
        6 => any::<bool>().prop_map(Step::Buy),
        1 => Just(Step::Reverse),
        3 => Just(Step::CutOver),
        2 => Just(Step::Interim),
        3 => Just(Step::Open),
        1 => Just(Step::Close),
        4 => (bank(), amount()).prop_map(|(bank, amount)| Step::Fund(bank, amount)),
        3 => (bank(), amount(), any::<bool>())
            .prop_map(|(bank, amount, out)| Step::Contribute(bank, amount, out)),
        1 => (bank(), amount()).prop_map(|(bank, amount)| Step::Line(bank, amount)),
        1 => (bank(), amount()).prop_map(|(bank, amount)| Step::Require(bank, amount)),
        1 => Just(Step::Call),
        2 => amount().prop_map(Step::Recover),
        1 => any::<bool>().prop_map(Step::Method),
        2 => (bank(), 0_u64..2_000).prop_map(|(bank, above)| Step::Rule(bank, above)),
        3 => (bank(), 1_u16..4, amount())
            .prop_map(|(from, shift, amount)| Step::Deliver(from, shift, amount)),
        3 => (1_u64..4_000).prop_map(Step::Wait),
    ]
}

fn take(rail: &mut Rail, step: &Step, number: u32) {
    let source = source();
    let command = match step {
        Step::Buy(of_hsbk) => {
            if *of_hsbk {
                rail.approved(number);
            } else {
                approved_by_irty(rail, number);
            }
            return;
        }
        Step::Reverse => {
            let request = rail.approved(number);
            rail.reverse(number + 1_000, &request.transaction, None);
            return;
        }
        Step::CutOver => Any::Cards(cards::Command::CutOver { source }),
        Step::Interim => {
            let session = cards::open_session(&rail.world.engine.state).unwrap();
            Any::Ancillary(Command::SettleCards { source, session })
        }
        Step::Open => Any::Settlement(imts::Command::Open {
            source,
            cut_off: None,
            until: rail.now().saturating_add(Span::from_secs(7_200)),
        }),
        Step::Close => Any::Settlement(imts::Command::Close { source }),
        Step::Fund(bank, amount) => Any::Settlement(imts::Command::Fund {
            source,
            participant: ParticipantId(*bank),
            direction: Direction::In,
            amount: Money::kzt(*amount),
        }),
        Step::Contribute(bank, amount, out) => Any::Ancillary(Command::Fund {
            source,
            participant: ParticipantId(*bank),
            what: FundMove::Contribute(if *out { Direction::Out } else { Direction::In }),
            amount: Money::kzt(*amount),
        }),
        Step::Line(bank, amount) => Any::Settlement(imts::Command::SetCreditLine {
            source,
            participant: ParticipantId(*bank),
            amount: Money::kzt(*amount),
        }),
        Step::Require(bank, amount) => Any::Ancillary(Command::Require {
            source,
            participant: ParticipantId(*bank),
            amount: Money::kzt(*amount),
        }),
        Step::Call => Any::Ancillary(Command::Call { source }),
        Step::Recover(amount) => {
            let Some(case) = rail.world.engine.card_defaults().next().cloned() else {
                return;
            };
            Any::Ancillary(Command::Fund {
                source,
                participant: case.debtor,
                what: FundMove::Recover { default: case.id },
                amount: Money::kzt(*amount),
            })
        }
        Step::Method(first) => {
            let method = if *first {
                Method::DebitsFirst
            } else {
                Method::Simultaneous
            };
            let settings = settings(method);
            Any::Ancillary(Command::SetSettings { source, settings })
        }
        Step::Rule(bank, above) => {
            let target = crate::world::FUNDS + above;
            Any::Ancillary(Command::SetLiquidity {
                source,
                participant: ParticipantId(*bank),
                rule: (*above > 0).then_some(LiquidityRule {
                    floor: Money::kzt(target),
                    target: Money::kzt(target),
                    keep: Some(Money::kzt(target)),
                    sweep_before: Span::from_secs(600),
                }),
            })
        }
        Step::Deliver(from, shift, amount) => {
            let next = |from: u16| (from - 1 + shift) % 4 + 1;
            let leg = |from: u16| Leg {
                from: ParticipantId(from),
                to: ParticipantId(next(from)),
                amount: Money::kzt(*amount),
            };
            Any::Ancillary(Command::Deliver {
                source,
                delivery: Delivery {
                    reference: Text::truncated(&format!("D{number}")),
                    legs: vec![leg(*from), leg(next(*from))],
                    expires: rail.now().saturating_add(Span::from_secs(900)),
                },
            })
        }
        Step::Wait(seconds) => {
            rail.tick_after(Span::from_secs(*seconds));
            return;
        }
    };
    rail.world.apply(command);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn nets_settle_whole_whatever_happens(steps in prop::collection::vec(step(), 1..60)) {
        let mut rail = rail(Method::DebitsFirst);
        for (number, step) in (1..).zip(&steps) {
            take(&mut rail, step, number);
        }
        // With IMTS open and time over, nothing of a closed session is left.
        cut_over_now(&mut rail);
        for _ in 0..=steps.len() {
            open(&mut rail);
            rail.tick_after(Span::from_secs(1_800));
        }
        prop_assert_eq!(rail.world.engine.card_settlements().count(), 0);
        prop_assert_eq!(technical(&rail), 0);
        for member in [CASP, HSBK, IRTY] {
            prop_assert_eq!(rail.balance(member), 0);
        }
        // What the reports say was taken and given.
        for report in rail.world.engine.card_settlement_reports() {
            let sum = |of: fn(&Row) -> u64| report.rows.iter().map(of).sum::<u64>();
            prop_assert_eq!(
                sum(|row| row.paid + row.own_contribution + row.fund),
                sum(|row| row.received)
            );
            prop_assert_eq!(sum(|row| row.owes), sum(|row| row.owed));
            prop_assert_eq!(sum(|row| row.short), sum(|row| row.fund + row.lost));
        }
    }
}

/// The open session may be a day ahead, where the operator cannot end it.
fn cut_over_now(rail: &mut Rail) {
    let source = source();
    if rail.apply(cards::Command::CutOver { source }) != Outcome::Accepted {
        rail.tick_after(Span::from_secs(2 * 86_400));
    }
}
