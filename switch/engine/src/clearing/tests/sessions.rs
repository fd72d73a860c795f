use super::*;
use crate::{
    Event,
    clearing::{self, Row},
    participants::{self, Profile},
    settlement,
    world::{CASP, HSBK, IRTY, TSES},
};
use torap_domain::{BankCode, Text};

/// What a bank was told, shortened: settled, refused, forwarded items and its report.
fn told(sent: &BTreeMap<ParticipantId, Vec<Message>>, bank: ParticipantId) -> Vec<String> {
    let messages = sent.get(&bank).map_or(&[][..], Vec::as_slice);
    let shown = messages.iter().map(|message| match message {
        Message::ClearingStatus {
            first,
            items,
            status,
            session: Some(session),
            ..
        } => format!("{status:?} {:?} in {session}", indexes(*first, *items)),
        Message::ClearingForward {
            first,
            items,
            session,
            ..
        } => format!("forward {:?} of {session}", indexes(*first, *items)),
        Message::ClearingReport {
            session,
            sent,
            debits,
            received,
            credits,
            left_out,
            left_out_amount,
        } => format!(
            "report {session}: {sent} {} {received} {} {left_out} {}",
            debits.minor(),
            credits.minor(),
            left_out_amount.minor()
        ),
        other => panic!("{other:?}"),
    });
    shown.collect()
}

#[test]
fn three_banks_and_one_without_funds() {
    let mut world = World::new();
    world.endow(CASP, 100);
    world.send_one(1, CASP, HSBK, 100);
    world.send_one(2, HSBK, IRTY, 80);
    // IRTY has nothing but what it receives.
    world.send(
        IRTY,
        vec![order(3, IRTY, CASP, 80), order(4, IRTY, HSBK, 1)],
    );
    let sent = world.close();
    let left_out = "Rejected { reason: InsufficientFunds, agent_code: None }";
    assert_eq!(
        told(&sent, CASP),
        [
            "Settled [0] in 2026-11-23/1",
            "forward [0] of 2026-11-23/1",
            "report 2026-11-23/1: 1 100 1 80 0 0",
        ]
    );
    assert_eq!(
        told(&sent, HSBK),
        [
            "forward [0] of 2026-11-23/1",
            "Settled [0] in 2026-11-23/1",
            "report 2026-11-23/1: 1 80 1 100 0 0",
        ]
    );
    assert_eq!(
        told(&sent, IRTY),
        [
            "forward [0] of 2026-11-23/1".to_owned(),
            "Settled [0] in 2026-11-23/1".to_owned(),
            format!("{left_out} [1] in 2026-11-23/1"),
            "report 2026-11-23/1: 1 80 1 80 1 1".to_owned(),
        ]
    );
    assert!(told(&sent, TSES).is_empty());
    let balances = [CASP, HSBK, IRTY].map(|bank| world.settlement(bank));
    assert_eq!(balances, [80, 20, 0]);
    assert_eq!(world.technical(), 0);
}

#[test]
fn the_sender_is_told_before_the_receiver_in_the_same_record() {
    let mut world = World::new();
    world.endow(CASP, 100);
    world.send_one(1, CASP, HSBK, 100);
    let (_, closes) = world.engine.clearing_view().open.unwrap();
    let span = closes.saturating_since(world.now());
    world.wait(span);
    world.tick();
    let order: Vec<ParticipantId> = world
        .out
        .effects
        .iter()
        .map(|effect| effect.outbound.to)
        .collect();
    assert_eq!(order, [CASP, HSBK]);
    // Nets are booked by the time anybody is told.
    assert_eq!(world.settlement(HSBK), 100);
}

#[test]
fn after_a_merger_who_took_over_is_told() {
    let mut world = World::new();
    let source = operator();
    world.accept(Any::Rules { source, version: 2 });
    world.endow(CASP, 100);
    world.send_one(1, CASP, HSBK, 100);
    world.succeed(CASP, IRTY);
    world.succeed(HSBK, TSES);
    // What the old link asks afterwards is answered on it; it pays from the account of who took over, which has nothing.
    world.send_one(2, CASP, HSBK, 7);
    let sent = world.close();
    let of = |bank| {
        let mut told = told(&sent, bank);
        told.retain(|told| !told.starts_with("report"));
        told
    };
    let left_out = "Rejected { reason: InsufficientFunds, agent_code: None }";
    assert_eq!(of(IRTY), ["Settled [0] in 2026-11-23/1"]);
    assert_eq!(of(TSES), ["forward [0] of 2026-11-23/1"]);
    assert_eq!(of(CASP), [format!("{left_out} [0] in 2026-11-23/1")]);
    assert!(of(HSBK).is_empty());
}

#[test]
fn followers_see_the_session_and_its_nets() {
    let mut world = World::new();
    world.endow(CASP, 100);
    world.send_one(1, CASP, HSBK, 100);
    world.send_one(2, CASP, HSBK, 1);
    let forecast = world.engine.clearing_forecast();
    let (_, closes) = world.engine.clearing_view().open.unwrap();
    let span = closes.saturating_since(world.now());
    world.wait(span);
    world.tick();
    let events: Vec<clearing::Event> = world
        .out
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Clearing(event) => Some(event.clone()),
            _ => None,
        })
        .collect();
    let session = session(MONDAY, 1);
    let payer = Row {
        participant: CASP,
        sent: 1,
        debits: 100,
        received: 0,
        credits: 0,
        left_out: 1,
        left_out_amount: 1,
    };
    let payee = Row {
        participant: HSBK,
        sent: 0,
        debits: 0,
        received: 1,
        credits: 100,
        left_out: 0,
        left_out_amount: 0,
    };
    assert_eq!(forecast, [payer, payee]);
    assert_eq!(
        events,
        [
            clearing::Event::SessionClosed {
                session,
                settled: 1,
                left_out: 1,
                amount: Money::kzt(100),
            },
            clearing::Event::Net {
                session,
                row: payer
            },
            clearing::Event::Net {
                session,
                row: payee
            },
        ]
    );
    let report = world.engine.clearing_reports().last().unwrap();
    assert_eq!(report.rows, forecast);
    assert_eq!(report.closed, world.stamp.position);
}

#[test]
fn items_wait_for_their_value_date() {
    let mut world = World::new();
    world.endow(CASP, 1_000);
    let mut item = order(1, CASP, HSBK, 100);
    item.value_date = date(TUESDAY);
    world.send(CASP, vec![item]);
    assert_eq!(told(&world.close(), CASP), [""; 0]);
    assert_eq!(world.item(1), Status::Pending);
    world.close();
    assert_eq!(world.item(1), Status::Settled);
    let reports: Vec<usize> = world
        .engine
        .clearing_reports()
        .map(|report| report.rows.len())
        .collect();
    assert_eq!(reports, [0, 2]);
}

#[test]
fn what_comes_at_the_very_time_of_a_close_is_for_the_next_session() {
    let mut world = World::new();
    world.endow(CASP, 1_000);
    world.send_one(1, CASP, HSBK, 100);
    let (_, closes) = world.engine.clearing_view().open.unwrap();
    world.stamp.time = closes.saturating_sub(Span::from_millis(1));
    // No Tick has come, and the stamp is the time of the close.
    let refused = Outcome::Refused(Reason::ValueDateNotAllowed);
    assert_eq!(world.send(CASP, vec![order(2, CASP, HSBK, 100)]), refused);
    assert_eq!(world.now(), closes);
    assert_eq!(world.item(1), Status::Settled);
    assert_eq!(world.settlement(HSBK), 100);
}

#[test]
fn the_operator_closes_a_session_before_its_time() {
    let mut world = World::new();
    world.endow(CASP, 1_000);
    world.send_one(1, CASP, HSBK, 100);
    let close = || {
        let source = operator();
        Any::Clearing(Command::Close { source })
    };
    let by_link = Command::Close {
        source: world.link(CASP),
    };
    world.refuse(Any::Clearing(by_link), Reason::OperatorRefused);
    world.accept(close());
    assert_eq!(world.item(1), Status::Settled);
    world.refuse(close(), Reason::RetryLater);
    world.tell();
    let open = world.engine.clearing_view().open.unwrap();
    let next = at("2026-11-24T15:00:00+05:00");
    assert_eq!(open, (session(TUESDAY, 1), next));
}

#[test]
fn a_switch_that_was_down_closes_what_it_missed_in_order() {
    let mut world = World::new();
    world.endow(CASP, 150);
    let mut later = order(2, CASP, HSBK, 60);
    later.value_date = date(TUESDAY);
    world.send(CASP, vec![order(1, CASP, HSBK, 100), later]);
    world.stamp.time = at("2026-11-25T10:00:00+05:00");
    let sent = world.tell();
    assert_eq!(
        told(&sent, HSBK),
        [
            "forward [0] of 2026-11-23/1",
            "report 2026-11-23/1: 0 0 1 100 0 0",
            "report 2026-11-24/1: 0 0 0 0 0 0",
        ]
    );
    assert_eq!(world.item(2), rejected(Reason::InsufficientFunds));
    let open = world.engine.clearing_view().open.unwrap();
    assert_eq!(open.0, session("2026-11-25", 1));
}

#[test]
fn an_indirect_bank_settles_on_its_sponsors_account() {
    let mut world = World::new();
    let source = operator();
    world.accept(Any::Participants(participants::Command::Add {
        source,
        profile: Profile {
            code: Text::truncated("SMAL"),
            name: Text::truncated("SMAL"),
            bics: vec![torap_domain::Bic::parse("SMALKZKA").unwrap()],
            bank_codes: vec![BankCode::from_value(555).unwrap()],
            sponsor: Some(CASP),
            technical_senders: Vec::new(),
            services: Vec::new(),
            floor: None,
            ceiling: None,
        },
        mode: participants::PositionMode::Prefunded,
    }));
    let small = ParticipantId(5);
    world.state(small, participants::State::Active);
    world.endow(CASP, 100);
    let mut item = order(1, CASP, HSBK, 60);
    item.debtor.agent = torap_domain::Bic::parse("SMALKZKA").unwrap();
    item.debtor.account =
        torap_domain::Iban::for_kz(BankCode::from_value(555).unwrap(), "0000000000001").unwrap();
    let mut within = order(2, CASP, CASP, 1_000);
    within.creditor = item.debtor.clone();
    let too_much = order(3, CASP, HSBK, 41);
    let items = vec![item, within, too_much];
    assert_eq!(world.send(CASP, items), Outcome::Accepted);
    world.close();
    // What stays within the sponsor's account needs no funds, and the rest shares them in the order of arrival.
    assert_eq!(world.item(1), Status::Settled);
    assert_eq!(world.item(2), Status::Settled);
    assert_eq!(world.item(3), rejected(Reason::InsufficientFunds));
    assert_eq!(world.settlement(CASP), 40);
    assert_eq!(world.settlement(small), 0);
}

#[test]
fn high_priority_is_taken_first() {
    let mut world = World::new();
    world.endow(CASP, 100);
    let mut urgent = order(2, CASP, HSBK, 90);
    urgent.priority = Priority::High;
    world.send(CASP, vec![order(1, CASP, HSBK, 90), urgent]);
    world.close();
    assert_eq!(world.item(1), rejected(Reason::InsufficientFunds));
    assert_eq!(world.item(2), Status::Settled);
}

#[test]
fn nets_that_cannot_be_booked_hold_the_session() {
    let mut world = World::new();
    world.endow(CASP, 100);
    world.send_one(1, CASP, HSBK, 100);
    // Something is left on the technical account, which no command can bring about.
    let state = &mut world.engine.state;
    let (from, technical) = (state.central_bank(), state.clearing_technical());
    let amount = Money::kzt(1);
    state.ledger.transfer(from, technical, amount).unwrap();
    let stamp = crate::Stamp {
        position: world.stamp.position,
        time: at("2026-11-23T15:00:00+05:00"),
    };
    clearing::expire_first(state, stamp, &mut world.out);
    let open = state.clearing.open.unwrap();
    assert_eq!(open.closes, at("2026-11-23T15:01:00+05:00"));
    assert_eq!(state.clearing.telling, None);
    state.ledger.transfer(technical, from, amount).unwrap();
    world.close();
    assert_eq!(world.item(1), Status::Settled);
}

#[test]
fn records_are_kept_as_long_as_items_refer_to_them() {
    let mut world = World::new();
    world.endow(CASP, 100);
    world.send_one(1, CASP, HSBK, 100);
    let position = world.stamp.position;
    world.tick();
    assert_eq!(world.engine.oldest_referred(), Some(position));
    world.close();
    assert_eq!(world.engine.oldest_referred(), None);
}

#[test]
fn what_a_session_pays_releases_a_payment_that_waits_in_imts() {
    let mut world = World::new();
    world.endow(CASP, 100);
    let until = at("2026-11-27T18:00:00+05:00");
    let source = operator();
    world.accept(Any::Settlement(settlement::Command::Open {
        source,
        cut_off: None,
        until,
    }));
    let payment = settlement::Payment {
        from: HSBK,
        to: IRTY,
        amount: Money::kzt(70),
        priority: settlement::Priority::Normal,
        reference: Text::truncated("WAITS"),
        earliest: None,
        latest: None,
    };
    world.accept(Any::Settlement(settlement::Command::Pay {
        source,
        payment,
    }));
    world.send_one(1, CASP, HSBK, 100);
    world.accept(Any::Clearing(Command::Close { source }));
    assert_eq!(
        [CASP, HSBK, IRTY].map(|bank| world.settlement(bank)),
        [0, 30, 70]
    );
}

#[test]
fn no_session_is_closed_before_its_business_date() {
    let close = || {
        let source = operator();
        Any::Clearing(Command::Close { source })
    };
    let mut world = World::new();
    world.newest_rules();
    world.endow(CASP, 1_000);
    // It is Saturday, and the first session is Monday's.
    world.refuse(close(), Reason::ValueDateNotAllowed);
    world.send_one(1, CASP, HSBK, 100);
    world.refuse(close(), Reason::ValueDateNotAllowed);
    assert_eq!(world.item(1), Status::Pending);
    world.stamp.time = at("2026-11-23T09:00:00+05:00");
    world.accept(close());
    assert_eq!(world.item(1), Status::Settled);
    world.tell();
    world.refuse(close(), Reason::ValueDateNotAllowed);
    let mut item = order(2, CASP, HSBK, 100);
    item.value_date = date(TUESDAY);
    assert_eq!(world.send(CASP, vec![item]), Outcome::Accepted);
    world.close();
    assert_eq!(world.item(2), Status::Settled);
}

#[test]
fn items_of_banks_that_are_suspended_when_the_session_closes_are_left_out() {
    for newest in [true, false] {
        let mut world = World::new();
        if newest {
            world.newest_rules();
        }
        for bank in [CASP, HSBK, TSES] {
            world.endow(bank, 100);
        }
        world.send_one(1, CASP, HSBK, 10);
        world.send_one(2, HSBK, IRTY, 20);
        world.send_one(3, TSES, HSBK, 40);
        let suspended = |debits, credits| participants::State::Suspended { debits, credits };
        world.state(CASP, suspended(true, false));
        world.state(IRTY, suspended(false, true));
        let forecast = world.engine.clearing_forecast();
        let sent = world.close();
        assert_eq!(world.item(3), Status::Settled);
        let report = world.engine.clearing_reports().last().unwrap();
        assert_eq!(report.rows, forecast);
        if !newest {
            // So was it decided before, and so it is decided again.
            assert_eq!(world.item(1), Status::Settled);
            assert_eq!(world.item(2), Status::Settled);
            continue;
        }
        assert_eq!(world.item(1), rejected(Reason::SenderSuspended));
        assert_eq!(world.item(2), rejected(Reason::ReceiverSuspended));
        let balances = [CASP, HSBK, IRTY, TSES].map(|bank| world.settlement(bank));
        assert_eq!(balances, [100, 140, 0, 60]);
        let left_out = "Rejected { reason: SenderSuspended, agent_code: None }";
        assert_eq!(
            told(&sent, CASP),
            [
                format!("{left_out} [0] in 2026-11-23/1"),
                "report 2026-11-23/1: 0 0 0 0 1 10".to_owned(),
            ]
        );
    }
}
