use super::*;
use crate::participants as rail_participants;

fn rule(floor: u64, target: u64, keep: Option<u64>) -> LiquidityRule {
    LiquidityRule {
        floor: Money::kzt(floor),
        target: Money::kzt(target),
        keep: keep.map(Money::kzt),
        sweep_before: Span::from_secs(900),
    }
}

fn set_rule(rail: &mut Rail, participant: ParticipantId, rule: Option<LiquidityRule>) {
    let source = source();
    ancillary(
        rail,
        Command::SetLiquidity {
            source,
            participant,
            rule,
        },
    );
}

/// The position of CASP, which begins with [`crate::world::FUNDS`].
fn position(rail: &Rail) -> i128 {
    rail.world.available(CASP)
}

fn pay_instantly(rail: &mut Rail, number: u8, amount: u64) {
    rail.world
        .settled(number, torap_domain::Service::C2cAccount, amount);
}

const START: u64 = crate::world::FUNDS;

#[test]
fn a_position_below_its_floor_is_topped_up_to_its_target_while_imts_is_open() {
    let mut rail = Rail::new();
    let floor = START - 1_000;
    set_rule(&mut rail, CASP, Some(rule(floor, START, None)));
    fund(&mut rail, CASP, 10_000);
    // IMTS is closed: nothing moves.
    pay_instantly(&mut rail, 1, 1_001);
    assert_eq!(position(&rail), i128::from(START - 1_001));
    open(&mut rail);
    assert_eq!(position(&rail), i128::from(START));
    assert_eq!(balance(&rail, CASP), 10_000 - 1_001);
    // At the floor nothing happens, below it the position comes back at once.
    pay_instantly(&mut rail, 2, 1_000);
    assert_eq!(position(&rail), i128::from(floor));
    pay_instantly(&mut rail, 3, 1);
    assert_eq!(position(&rail), i128::from(START));
}

#[test]
fn a_top_up_takes_what_is_there_beside_the_reservation_and_goes_on_with_the_next_credit() {
    let mut rail = Rail::new();
    open(&mut rail);
    set_rule(&mut rail, CASP, Some(rule(START, START, None)));
    imts(
        &mut rail,
        imts::Command::Reserve {
            source: source(),
            participant: CASP,
            amount: Money::kzt(50),
        },
    );
    fund(&mut rail, CASP, 80);
    pay_instantly(&mut rail, 1, 100);
    assert_eq!(
        (position(&rail), balance(&rail, CASP)),
        (i128::from(START - 70), 50)
    );
    fund(&mut rail, CASP, 100);
    assert_eq!(
        (position(&rail), balance(&rail, CASP)),
        (i128::from(START), 80)
    );
    // Without the rule nothing is topped up.
    set_rule(&mut rail, CASP, None);
    pay_instantly(&mut rail, 2, 100);
    assert_eq!(position(&rail), i128::from(START - 100));
}

#[test]
fn the_excess_is_swept_once_before_the_day_ends() {
    let mut rail = Rail::new();
    set_rule(&mut rail, CASP, Some(rule(0, 0, Some(START - 600))));
    open(&mut rail);
    rail.tick_after(Span::from_secs(8 * 3600 - 902));
    assert_eq!(balance(&rail, CASP), 0);
    rail.tick_after(Span::from_secs(3));
    assert_eq!(
        (position(&rail), balance(&rail, CASP)),
        (i128::from(START - 600), 600)
    );
    // A net debit cap is no money of its own.
    rail.world.accept(Any::Participants(
        rail_participants::Command::SetPositionMode {
            source: source(),
            participant: CASP,
            mode: rail_participants::PositionMode::NetDebitCap(Money::kzt(5_000)),
        },
    ));
    rail.tick_after(Span::from_secs(60));
    assert_eq!(balance(&rail, CASP), 600);
    close(&mut rail);
    open(&mut rail);
    rail.tick_after(Span::from_secs(8 * 3600 - 800));
    assert_eq!(balance(&rail, CASP), 600);
}

#[test]
fn a_rule_that_makes_no_sense_is_refused() {
    let mut rail = Rail::new();
    for rule in [rule(2, 1, None), rule(2, 3, Some(1))] {
        let command = Command::SetLiquidity {
            source: source(),
            participant: CASP,
            rule: Some(rule),
        };
        let outcome = refused(&mut rail, command);
        assert_eq!(outcome, Outcome::Refused(Reason::OperatorRefused));
    }
}
