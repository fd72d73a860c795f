use super::*;

/// HSBK owes one purchase and has `money` and `own` in the fund; IRTY and TSES have contributions. Debtors' time is over.
fn default(method: Method, money: u64, own: u64) -> Rail {
    let mut rail = rail(method);
    open(&mut rail);
    for (participant, amount) in [(HSBK, own), (IRTY, 30_000), (TSES, 10_000)] {
        if amount > 0 {
            fund(&mut rail, participant, amount);
            contribute(&mut rail, participant, amount);
        }
    }
    if money > 0 {
        fund(&mut rail, HSBK, money);
    }
    rail.approved(1);
    cut_over(&mut rail);
    assert!(!is_settled(&rail));
    rail.tick_after(Span::from_secs(1_800));
    assert!(is_settled(&rail));
    rail
}

use crate::world::TSES;

#[test]
fn the_own_contribution_covers_and_the_session_is_not_computed_again() {
    let rail = default(Method::DebitsFirst, DEBT - 1_000, 5_000);
    assert_eq!(
        (balance(&rail, HSBK), contribution(&rail, HSBK)),
        (0, 4_000)
    );
    assert_eq!(
        (contribution(&rail, IRTY), contribution(&rail, TSES)),
        (30_000, 10_000)
    );
    assert_eq!(balance(&rail, CASP), i128::from(CREDIT));
    assert_eq!(rail.world.engine.card_defaults().count(), 0);
    assert_eq!(technical(&rail), 0);
}

#[test]
fn intraday_credit_against_collateral_is_used_before_contributions() {
    let mut rail = rail(Method::Simultaneous);
    open(&mut rail);
    imts(
        &mut rail,
        imts::Command::SetCreditLine {
            source: source(),
            participant: HSBK,
            amount: Money::kzt(DEBT),
        },
    );
    rail.approved(1);
    cut_over(&mut rail);
    assert!(is_settled(&rail));
    assert_eq!(balance(&rail, HSBK), -i128::from(DEBT));
}

#[test]
fn the_fund_covers_in_proportion_and_is_called_for() {
    let mut rail = rail(Method::Simultaneous);
    open(&mut rail);
    for (participant, amount) in [(IRTY, 30_000), (TSES, 10_000)] {
        let (source, required) = (source(), Money::kzt(amount));
        ancillary(
            &mut rail,
            Command::Require {
                source,
                participant,
                amount: required,
            },
        );
        fund(&mut rail, participant, amount);
        contribute(&mut rail, participant, amount);
    }
    fund(&mut rail, HSBK, DEBT - 4_000);
    rail.approved(1);
    cut_over(&mut rail);
    rail.tick_after(Span::from_secs(1_800));
    assert_eq!(
        (contribution(&rail, IRTY), contribution(&rail, TSES)),
        (27_000, 9_000)
    );
    assert_eq!(balance(&rail, CASP), i128::from(CREDIT));
    let called: Vec<(ParticipantId, u64)> = events(&rail)
        .into_iter()
        .filter_map(|event| match event {
            Event::TopUpCalled {
                participant,
                missing,
            } => Some((participant, missing.minor())),
            _ => None,
        })
        .collect();
    assert_eq!(called, [(IRTY, 3_000), (TSES, 1_000)]);
    // The call takes what is there.
    fund(&mut rail, IRTY, 10_000);
    fund(&mut rail, TSES, 400);
    ancillary(&mut rail, Command::Call { source: source() });
    assert_eq!(
        (contribution(&rail, IRTY), contribution(&rail, TSES)),
        (30_000, 9_400)
    );
    assert_eq!((balance(&rail, IRTY), balance(&rail, TSES)), (7_000, 0));
    let missing: Vec<u64> = rail
        .world
        .engine
        .guarantee_fund()
        .map(|row| row.missing)
        .collect();
    assert_eq!(missing, [0, 600]);
}

#[test]
fn the_survivors_bear_what_is_left_and_are_paid_back_first() {
    let mut rail = default(Method::DebitsFirst, 1_000, 0);
    let short = DEBT - 1_000;
    assert_eq!(
        (contribution(&rail, IRTY), contribution(&rail, TSES)),
        (0, 0)
    );
    let lost = short - 40_000;
    let engine = &rail.world.engine;
    let borne = u64::try_from(balance(&rail, CASP) + engine.operator_settlement()).unwrap();
    assert_eq!(borne, CREDIT + FEES - lost);
    let case = engine.card_defaults().next().unwrap().clone();
    assert_eq!((case.debtor, case.short, case.left()), (HSBK, short, short));
    // The card accounts are empty: the merchants' bank has a claim on the defaulter, not on the session.
    assert_eq!((rail.balance(CASP), rail.balance(HSBK)), (0, 0));
    let recover = |amount| Command::Fund {
        source: source(),
        participant: HSBK,
        what: FundMove::Recover { default: case.id },
        amount: Money::kzt(amount),
    };
    fund(&mut rail, HSBK, short);
    ancillary(&mut rail, recover(lost));
    let engine = &rail.world.engine;
    assert_eq!(balance(&rail, CASP), i128::from(CREDIT));
    assert_eq!(engine.operator_settlement(), i128::from(FEES));
    let too_much = refused(&mut rail, recover(40_001));
    assert_eq!(too_much, Outcome::Refused(Reason::OperatorRefused));
    ancillary(&mut rail, recover(40_000));
    assert_eq!(
        (contribution(&rail, IRTY), contribution(&rail, TSES)),
        (30_000, 10_000)
    );
    assert_eq!(rail.world.engine.card_defaults().count(), 0);
    assert_eq!(balance(&rail, HSBK), 0);
}

#[test]
fn what_others_paid_first_stays_paid_when_one_defaults() {
    let mut rail = rail(Method::DebitsFirst);
    open(&mut rail);
    fund(&mut rail, IRTY, DEBT);
    rail.approved(1);
    approved_by_irty(&mut rail, 2);
    cut_over(&mut rail);
    assert_eq!(technical(&rail), i128::from(DEBT));
    rail.tick_after(Span::from_secs(1_800));
    assert_eq!(technical(&rail), 0);
    let report = rail.world.engine.card_settlement_reports().last().unwrap();
    let row = |id| {
        *report
            .rows
            .iter()
            .find(|row| row.participant == id)
            .unwrap()
    };
    assert_eq!((row(IRTY).paid, row(IRTY).short), (DEBT, 0));
    assert_eq!((row(HSBK).paid, row(HSBK).short), (0, DEBT));
    assert_eq!(row(CASP).lost + row(ParticipantId::SWITCH).lost, DEBT);
}

#[test]
fn the_end_of_the_imts_day_is_the_end_of_time() {
    let mut rail = rail(Method::Simultaneous);
    open(&mut rail);
    rail.approved(1);
    cut_over(&mut rail);
    close(&mut rail);
    assert!(is_settled(&rail));
    assert_eq!(rail.world.engine.card_defaults().count(), 1);
}

#[test]
fn only_what_is_above_the_requirement_comes_back() {
    let mut rail = rail(Method::Simultaneous);
    open(&mut rail);
    fund(&mut rail, IRTY, 100);
    contribute(&mut rail, IRTY, 100);
    let (participant, source) = (IRTY, source());
    ancillary(
        &mut rail,
        Command::Require {
            source,
            participant,
            amount: Money::kzt(70),
        },
    );
    let back = |amount| Command::Fund {
        source,
        participant,
        what: FundMove::Contribute(Direction::Out),
        amount: Money::kzt(amount),
    };
    let outcome = refused(&mut rail, back(31));
    assert_eq!(outcome, Outcome::Refused(Reason::InsufficientFunds));
    ancillary(&mut rail, back(30));
    assert_eq!((contribution(&rail, IRTY), balance(&rail, IRTY)), (70, 30));
    close(&mut rail);
    let outcome = refused(&mut rail, back(1));
    assert_eq!(outcome, Outcome::Refused(Reason::ImtsClosed));
}

#[test]
fn a_cap_is_backed_by_the_contribution() {
    let mut rail = rail(Method::Simultaneous);
    let cap = Some(Money::kzt(10 * AMOUNT));
    rail.member(
        HSBK,
        cards::Profile {
            cap,
            ..profile(HSBK)
        },
    );
    open(&mut rail);
    set(
        &mut rail,
        Settings {
            cap_percent: 200,
            ..settings(Method::Simultaneous)
        },
    );
    // No contribution: nothing may be owed.
    rail.request(1, OF_HSBK, |_| ());
    assert_eq!(rail.declined(), torap_domain::CardReason::NetDebitCap);
    fund(&mut rail, HSBK, AMOUNT);
    contribute(&mut rail, HSBK, AMOUNT / 2);
    rail.approved(2);
    rail.request(3, OF_HSBK, |_| ());
    assert_eq!(rail.declined(), torap_domain::CardReason::NetDebitCap);
}
