use super::*;

#[test]
fn a_closed_session_settles_on_the_settlement_accounts_and_the_card_accounts_are_empty() {
    for method in [Method::DebitsFirst, Method::Simultaneous] {
        let mut rail = rail(method);
        rail.approved(1);
        open(&mut rail);
        fund(&mut rail, HSBK, DEBT);
        cut_over(&mut rail);
        assert!(is_settled(&rail));
        assert_eq!(balance(&rail, HSBK), 0);
        assert_eq!(balance(&rail, CASP), i128::from(CREDIT));
        let engine = &rail.world.engine;
        assert_eq!(engine.operator_settlement(), i128::from(FEES));
        assert_eq!((rail.balance(CASP), rail.balance(HSBK)), (0, 0));
        assert_eq!(engine.card_settlements().count(), 0);
        let report = engine.card_settlement_reports().last().unwrap();
        assert_eq!((report.session, report.cycle), (today(), 1));
        // Nothing is left to be settled elsewhere.
        let source = source();
        let session = today();
        rail.refuse(cards::Command::SettleSession { source, session });
    }
}

#[test]
fn what_is_still_to_settle_on_the_open_day_is_named() {
    let mut rail = rail(Method::Simultaneous);
    rail.approved(1);
    open(&mut rail);
    let due = |rail: &Rail| rail.world.engine.imts_due_today(rail.now());
    assert_eq!(due(&rail), []);
    cut_over(&mut rail);
    let until = rail.world.engine.card_settlements().next().unwrap().until;
    assert!(until.is_some());
    let expected = imts::DueToday::Cards {
        session: today(),
        cycle: 1,
        until,
    };
    assert_eq!(due(&rail), [expected]);
    fund(&mut rail, HSBK, DEBT);
    assert!(is_settled(&rail));
    assert_eq!(due(&rail), []);
}

#[test]
fn without_settings_sessions_settle_elsewhere_as_before() {
    let mut rail = Rail::new();
    rail.approved(1);
    open(&mut rail);
    cut_over(&mut rail);
    assert_eq!(events(&rail), []);
    let (source, session) = (source(), today());
    let settle = Command::SettleCards { source, session };
    assert!(matches!(
        refused(&mut rail, settle.clone()),
        Outcome::Refused(_)
    ));
    // One that closed before the settings said how is the operator's to settle, once.
    set(&mut rail, settings(Method::Simultaneous));
    fund(&mut rail, HSBK, DEBT);
    ancillary(&mut rail, settle.clone());
    assert!(is_settled(&rail));
    assert!(matches!(refused(&mut rail, settle), Outcome::Refused(_)));
}

#[test]
fn sessions_wait_for_imts_and_settle_in_their_order_when_it_opens() {
    let mut rail = rail(Method::Simultaneous);
    rail.approved(1);
    cut_over(&mut rail);
    assert!(!is_settled(&rail));
    rail.tick_after(Span::from_secs(20 * 3600));
    rail.approved(2);
    cut_over(&mut rail);
    let waiting: Vec<_> = rail.world.engine.card_settlements().collect();
    assert_eq!(waiting.len(), 2);
    assert!(waiting.iter().all(|one| one.until.is_none() && one.whole));
    fund(&mut rail, HSBK, DEBT);
    open(&mut rail);
    // The first settles at once; the second has its debtor's time.
    let waiting: Vec<_> = rail.world.engine.card_settlements().collect();
    assert_eq!(waiting.len(), 1);
    assert!(waiting[0].session > today() && waiting[0].until.is_some());
    fund(&mut rail, HSBK, DEBT);
    assert!(is_settled(&rail));
    assert_eq!(balance(&rail, CASP), i128::from(2 * CREDIT));
}

#[test]
fn debits_come_first_each_when_its_money_is_there() {
    let mut rail = rail(Method::DebitsFirst);
    rail.approved(1);
    approved_by_irty(&mut rail, 2);
    open(&mut rail);
    cut_over(&mut rail);
    fund(&mut rail, HSBK, DEBT + 5);
    assert_eq!(
        (balance(&rail, HSBK), technical(&rail)),
        (5, i128::from(DEBT))
    );
    assert_eq!(balance(&rail, CASP), 0);
    fund(&mut rail, IRTY, DEBT - 1);
    assert_eq!(technical(&rail), i128::from(DEBT));
    fund(&mut rail, IRTY, 1);
    assert_eq!(technical(&rail), 0);
    assert_eq!(balance(&rail, CASP), i128::from(2 * CREDIT));
}

#[test]
fn simultaneous_books_nothing_until_everybody_has_the_money() {
    let mut rail = rail(Method::Simultaneous);
    rail.approved(1);
    approved_by_irty(&mut rail, 2);
    open(&mut rail);
    cut_over(&mut rail);
    fund(&mut rail, HSBK, DEBT);
    assert_eq!(
        (balance(&rail, HSBK), technical(&rail)),
        (i128::from(DEBT), 0)
    );
    fund(&mut rail, IRTY, DEBT);
    assert_eq!((balance(&rail, HSBK), balance(&rail, IRTY)), (0, 0));
    assert_eq!(balance(&rail, CASP), i128::from(2 * CREDIT));
}

#[test]
fn what_is_owed_is_kept_from_every_other_use_and_a_payment_in_settles_it() {
    let mut rail = rail(Method::Simultaneous);
    rail.approved(1);
    approved_by_irty(&mut rail, 2);
    open(&mut rail);
    cut_over(&mut rail);
    fund(&mut rail, HSBK, DEBT + 10);
    let pay = |from, to, amount, reference: &str| imts::Command::Pay {
        source: source(),
        payment: Payment {
            from,
            to,
            amount: Money::kzt(amount),
            priority: Priority::CentralBank,
            reference: Text::truncated(reference),
            earliest: None,
            latest: None,
        },
    };
    imts(&mut rail, pay(HSBK, CASP, 11, "TOO-MUCH"));
    assert_eq!(rail.world.engine.settlement_queue().count(), 1);
    for (direction, fund) in [(Direction::In, false), (Direction::Out, true)] {
        let (source, participant, amount) = (source(), HSBK, Money::kzt(11));
        let command = if fund {
            imts::Command::Fund {
                source,
                participant,
                direction,
                amount,
            }
        } else {
            imts::Command::Transfer {
                source,
                participant,
                direction,
                amount,
            }
        };
        let reason = Reason::InsufficientFunds;
        rail.world.refuse(Any::Settlement(command), reason);
    }
    // Another bank's payment brings the last debtor its money; what HSBK had too much then pays, as CASP is paid.
    fund(&mut rail, CASP, DEBT);
    imts(&mut rail, pay(CASP, IRTY, DEBT, "HELP"));
    assert!(is_settled(&rail));
    assert_eq!((balance(&rail, HSBK), balance(&rail, IRTY)), (10, 0));
    fund(&mut rail, HSBK, 1);
    assert_eq!(rail.world.engine.settlement_queue().count(), 0);
}

/// A camt.050 of HSBK from its settlement account to its position.
fn own_transfer(rail: &mut Rail, amount: u64) -> imts::Command {
    imts::Command::MoveLiquidity(imts::Liquidity {
        source: rail.world.link(HSBK),
        message_id: torap_domain::MessageId::parse("LIQ-1").unwrap(),
        agent: crate::world::bic(HSBK),
        direction: Direction::In,
        amount: Money::kzt(amount),
    })
}

#[test]
fn a_bank_moves_nothing_away_that_it_owes_a_session_that_is_due() {
    for newest in [true, false] {
        let mut rail = rail(Method::DebitsFirst);
        if newest {
            rail.world.newest_rules();
        }
        rail.approved(1);
        approved_by_irty(&mut rail, 2);
        open(&mut rail);
        cut_over(&mut rail);
        fund(&mut rail, HSBK, DEBT - 1);
        let transfer = own_transfer(&mut rail, DEBT - 1);
        let outcome = rail.world.apply(Any::Settlement(transfer));
        if newest {
            assert_eq!(outcome, Outcome::Refused(Reason::InsufficientFunds));
            // What is beside the debt is the bank's own.
            fund(&mut rail, HSBK, 11);
            let rest = own_transfer(&mut rail, 11);
            rail.world
                .refuse(Any::Settlement(rest), Reason::InsufficientFunds);
            let rest = own_transfer(&mut rail, 10);
            imts(&mut rail, rest);
            assert_eq!(
                (balance(&rail, HSBK), technical(&rail)),
                (0, i128::from(DEBT))
            );
        } else {
            // So was it decided before, and so it is decided again.
            assert_eq!(outcome, Outcome::Accepted);
            assert_eq!(balance(&rail, HSBK), 0);
        }
    }
}

#[test]
fn a_transfer_that_waited_for_the_opening_leaves_what_is_owed_too() {
    let mut rail = rail(Method::Simultaneous);
    rail.world.newest_rules();
    let source = source();
    let keeps = true;
    imts(&mut rail, imts::Command::KeepLiquidity { source, keeps });
    let hours = Some(imts::Hours {
        opens: Span::from_secs(9 * 3600),
        cut_off: Span::from_secs(17 * 3600),
        closes: Span::from_secs(18 * 3600),
    });
    imts(&mut rail, imts::Command::SetHours { source, hours });
    rail.approved(1);
    cut_over(&mut rail);
    fund(&mut rail, HSBK, DEBT - 1);
    let transfer = own_transfer(&mut rail, 10);
    imts(&mut rail, transfer);
    let opens = rail.world.engine.imts_day().opens.unwrap();
    let span = opens.saturating_since(rail.now());
    rail.tick_after(span);
    assert!(rail.world.engine.imts_day().until.is_some());
    assert_eq!(balance(&rail, HSBK), i128::from(DEBT) - 1);
    fund(&mut rail, HSBK, 1);
    assert!(is_settled(&rail));
}

#[test]
fn the_open_session_settles_in_between_at_its_times_and_the_rest_when_it_closes() {
    let mut rail = rail(Method::Simultaneous);
    let at = |hours: u64| Span::from_secs(hours * 3600);
    set(
        &mut rail,
        Settings {
            interim: vec![at(10), at(12)],
            ..settings(Method::Simultaneous)
        },
    );
    open(&mut rail);
    fund(&mut rail, HSBK, 10 * DEBT);
    rail.approved(1);
    // It is a little after nine.
    rail.tick_after(at(1));
    assert!(is_settled(&rail));
    assert_eq!(balance(&rail, CASP), i128::from(CREDIT));
    assert_eq!((rail.balance(CASP), rail.balance(HSBK)), (0, 0));
    // Nothing new: nothing settles.
    rail.tick_after(at(2));
    assert_eq!(events(&rail), []);
    rail.approved(2);
    rail.approved(3);
    let (source, session) = (source(), today());
    ancillary(&mut rail, Command::SettleCards { source, session });
    rail.approved(4);
    cut_over(&mut rail);
    assert_eq!(balance(&rail, CASP), i128::from(4 * CREDIT));
    let reports: Vec<(u16, u64)> = rail
        .world
        .engine
        .card_settlement_reports()
        .map(|report| (report.cycle, report.rows.iter().map(|row| row.paid).sum()))
        .collect();
    assert_eq!(reports, [(1, DEBT), (2, 2 * DEBT), (3, DEBT)]);
}

#[test]
fn what_is_left_after_a_settlement_in_between_may_settle_elsewhere() {
    let mut rail = rail(Method::Simultaneous);
    open(&mut rail);
    fund(&mut rail, HSBK, DEBT);
    rail.approved(1);
    let (source, session) = (source(), today());
    ancillary(&mut rail, Command::SettleCards { source, session });
    assert!(is_settled(&rail));
    set(&mut rail, Settings::initial());
    rail.approved(2);
    cut_over(&mut rail);
    assert_eq!(rail.balance(HSBK), -i128::from(DEBT));
    rail.accept(cards::Command::SettleSession { source, session });
    assert_eq!((rail.balance(CASP), rail.balance(HSBK)), (0, 0));
    assert_eq!(balance(&rail, CASP), i128::from(CREDIT));
}

#[test]
fn a_day_that_is_too_short_for_debtors_settles_what_settles_at_once() {
    let mut rail = rail(Method::DebitsFirst);
    rail.approved(1);
    cut_over(&mut rail);
    let short = |rail: &mut Rail| {
        let until = rail.now().saturating_add(Span::from_secs(60));
        imts(
            rail,
            imts::Command::Open {
                source: source(),
                cut_off: None,
                until,
            },
        );
    };
    short(&mut rail);
    assert!(
        rail.world
            .engine
            .card_settlements()
            .all(|one| one.until.is_none())
    );
    close(&mut rail);
    assert_eq!(rail.world.engine.card_settlements().count(), 1);
    fund(&mut rail, HSBK, DEBT);
    short(&mut rail);
    assert!(is_settled(&rail));
}

#[test]
fn a_member_that_settles_through_another_is_part_of_its_net() {
    let mut rail = rail(Method::Simultaneous);
    rail.approved(1);
    // Whoever goes under a sponsor leaves no money on its own position.
    rail.world
        .accept(Any::Participants(crate::participants::Command::Fund {
            source: source(),
            participant: HSBK,
            direction: Direction::Out,
            amount: Money::kzt(crate::world::FUNDS),
        }));
    let mut profile = crate::participants::Profile {
        sponsor: Some(CASP),
        ..rail
            .world
            .engine
            .state
            .participants
            .get(HSBK)
            .unwrap()
            .profile
            .clone()
    };
    profile.floor = None;
    rail.world
        .accept(Any::Participants(crate::participants::Command::Update {
            source: source(),
            participant: HSBK,
            profile,
        }));
    open(&mut rail);
    fund(&mut rail, CASP, FEES);
    cut_over(&mut rail);
    assert!(is_settled(&rail));
    assert_eq!(balance(&rail, CASP), 0);
    assert_eq!((rail.balance(CASP), rail.balance(HSBK)), (0, 0));
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let mut rail = rail(Method::Simultaneous);
    let hours = |hours: u64| Span::from_secs(hours * 3600);
    let base = settings(Method::Simultaneous);
    for settings in [
        Settings {
            within: Span::ZERO,
            ..base.clone()
        },
        Settings {
            within: hours(25),
            ..base.clone()
        },
        Settings {
            interim: vec![hours(24)],
            ..base.clone()
        },
        Settings {
            interim: vec![hours(3), hours(3)],
            ..base.clone()
        },
    ] {
        let source = source();
        let outcome = refused(&mut rail, Command::SetSettings { source, settings });
        assert_eq!(outcome, Outcome::Refused(Reason::OperatorRefused));
    }
}
