use torap_domain::{Bic, MessageId, Span};

use super::*;
use crate::{
    Command as Any, Message, Source,
    reports::{Account, Answer, Command, Figures, Found, Limit, Open, Query, Request},
    settlement::{Change, Instruction},
    world::{CASP, HSBK, IRTY, TSES, World, bic, operator, references, uetr},
};

const STEPS: usize = 1_000;

fn accept(world: &mut World, command: settlement::Command) {
    world.accept(Any::Settlement(command));
}

/// An open day; CASP has paid HSBK 100 (1), 700 waits (2), 50 was withdrawn (3); IRTY's 30 to CASP waits (4), and HSBK's 20 to CASP has settled (5).
fn day() -> (World, Vec<Position>) {
    let mut world = World::new();
    let until = world.now().saturating_add(Span::from_secs(8 * 3600));
    accept(
        &mut world,
        settlement::Command::Open {
            source: operator(),
            cut_off: None,
            until,
        },
    );
    accept(
        &mut world,
        settlement::Command::Fund {
            source: operator(),
            participant: CASP,
            direction: Direction::In,
            amount: Money::kzt(100),
        },
    );
    let ids = vec![
        pay(&mut world, 1, (CASP, HSBK), 100, Priority::High),
        pay(&mut world, 2, (CASP, HSBK), 700, Priority::Normal),
        pay(&mut world, 3, (CASP, HSBK), 50, Priority::Normal),
        pay(&mut world, 4, (IRTY, CASP), 30, Priority::Normal),
        pay(&mut world, 5, (HSBK, CASP), 20, Priority::Normal),
    ];
    accept(
        &mut world,
        settlement::Command::Change {
            source: operator(),
            id: ids[2],
            change: Change::Withdraw,
        },
    );
    (world, ids)
}

fn pay(
    world: &mut World,
    number: u8,
    (from, to): (ParticipantId, ParticipantId),
    amount: u64,
    priority: Priority,
) -> Position {
    let instruction = Instruction {
        source: world.link(from),
        references: references(number),
        instructing_agent: bic(from),
        instructed_agent: None,
        debtor_agent: bic(from),
        creditor_agent: bic(to),
        creditor_account: None,
        amount: Money::kzt(amount),
        priority,
        date: None,
        earliest: None,
        latest: None,
    };
    accept(world, settlement::Command::Instruct(instruction));
    world.stamp.position
}

fn looked(world: &World, owner: ParticipantId, criteria: &Criteria) -> Vec<Position> {
    let all = (Position::ZERO, world.stamp.position);
    let found = world.engine.imts_payments(owner, criteria, all, 100, STEPS);
    assert_eq!(found.after, None);
    found.payments.iter().map(|payment| payment.id).collect()
}

#[test]
fn criteria_choose_and_hold_together() {
    let (world, ids) = day();
    let [settled, waits, withdrawn, coming, came] = ids.try_into().unwrap();
    let check = |criteria: Criteria, expected: &[Position]| {
        assert_eq!(looked(&world, CASP, &criteria), expected, "{criteria:?}");
    };
    let all = Criteria::ALL;
    check(all, &[settled, waits, withdrawn, came]);
    let stage = |stage| Criteria {
        stage: Some(stage),
        ..all
    };
    check(stage(Stage::Waits), &[waits]);
    check(stage(Stage::Settled), &[settled, came]);
    check(stage(Stage::Withdrawn), &[withdrawn]);
    check(stage(Stage::Rejected), &[]);
    check(stage(Stage::Ended), &[settled, withdrawn, came]);
    let direction = Some(Direction::In);
    check(Criteria { direction, ..all }, &[came]);
    let priority = Some(Priority::High);
    check(Criteria { priority, ..all }, &[settled]);
    let (least, most) = (50, 100);
    check(Criteria { least, most, ..all }, &[settled, withdrawn]);
    let today = Date::from_time(world.now());
    let date = |date| Criteria {
        date: Some(date),
        ..all
    };
    check(date(today), &[settled, waits, withdrawn, came]);
    check(date(today.add_days(-1)), &[]);
    let of = references(2);
    let named = |uetr, transaction_id, end_to_end_id| Criteria {
        uetr,
        transaction_id,
        end_to_end_id,
        ..all
    };
    check(named(Some(of.uetr), None, None), &[waits]);
    check(named(None, Some(of.transaction_id), None), &[waits]);
    check(
        named(Some(of.uetr), Some(references(1).transaction_id), None),
        &[],
    );
    let end_to_end_id = EndToEndId::parse("NONE-SUCH").unwrap();
    check(named(None, None, Some(end_to_end_id)), &[]);
    if let Some(id) = of.end_to_end_id {
        assert!(looked(&world, CASP, &named(None, None, Some(id))).contains(&waits));
    }
    // Another bank's payment is nobody else's to see, and one that waits is nobody's but its payer's.
    assert_eq!(looked(&world, IRTY, &all), [coming]);
    assert_eq!(looked(&world, IRTY, &named(Some(of.uetr), None, None)), []);
    assert_eq!(looked(&world, HSBK, &all), [settled, came]);
    assert_eq!(looked(&world, HSBK, &named(Some(of.uetr), None, None)), []);
}

#[test]
fn who_took_over_asks_about_the_payments_of_both() {
    let (mut world, ids) = day();
    let [settled, waits, withdrawn, coming, came] = ids.try_into().unwrap();
    world.succeed(CASP, TSES);
    let all = Criteria::ALL;
    assert_eq!(
        looked(&world, TSES, &all),
        [settled, waits, withdrawn, came]
    );
    let uetr = Some(references(2).uetr);
    assert_eq!(looked(&world, TSES, &Criteria { uetr, ..all }), [waits]);
    let direction = Some(Direction::In);
    assert_eq!(looked(&world, TSES, &Criteria { direction, ..all }), [came]);
    // What waits is still nobody's but its payer's.
    assert_eq!(looked(&world, IRTY, &all), [coming]);
}

#[test]
fn a_view_says_what_became_of_a_payment() {
    let (world, ids) = day();
    let all = (Position::ZERO, world.stamp.position);
    let found = world
        .engine
        .imts_payments(CASP, &Criteria::ALL, all, 100, STEPS);
    let [settled, waits, withdrawn, _] = found.payments.try_into().unwrap();
    assert_eq!((settled.id, settled.state), (ids[0], PaymentState::Settled));
    assert_eq!(settled.priority, Some(Priority::High));
    assert_eq!(settled.since, settled.entered);
    assert_eq!(
        (waits.from, waits.to, waits.uetr),
        (CASP, HSBK, Some(uetr(2)))
    );
    assert_eq!(waits.state, PaymentState::Waits);
    assert_eq!(withdrawn.state, PaymentState::Withdrawn);
    assert_eq!(withdrawn.since, Some(world.now()));
}

#[test]
fn looking_stops_after_its_steps_and_goes_on_where_it_stopped() {
    let (world, ids) = day();
    let upto = world.stamp.position;
    let look = |after, most, steps| {
        let look = (after, upto);
        world
            .engine
            .imts_payments(CASP, &Criteria::ALL, look, most, steps)
    };
    let found = look(Position::ZERO, 100, 2);
    assert_eq!(found.payments.len(), 2);
    assert_eq!(found.after, Some(ids[1]));
    let found = look(ids[1], 1, STEPS);
    assert_eq!((found.payments[0].id, found.after), (ids[2], Some(ids[2])));
    let found = look(ids[2], 100, STEPS);
    assert_eq!((found.payments[0].id, found.after), (ids[4], None));
    let found =
        world
            .engine
            .imts_payments(CASP, &Criteria::ALL, (Position::ZERO, ids[0]), 9, STEPS);
    assert_eq!(
        found.payments.len(),
        1,
        "what came after the question is not told"
    );
}

fn request(world: &mut World, link: ParticipantId, agent: Bic) -> Any {
    Any::Reports(Command::Request(Request {
        source: world.link(link),
        message_id: MessageId::parse("Q-1").unwrap(),
        message_version: 23,
        agent,
        query: Query::Payments {
            criteria: Criteria::ALL,
            after: Position::ZERO,
        },
    }))
}

#[test]
fn pages_are_told_once_and_what_was_told_is_not_looked_for_again() {
    let (mut world, ids) = day();
    let asked = request(&mut world, CASP, bic(CASP));
    world.accept(asked);
    let open = |world: &World| -> Vec<(u64, Open)> { world.engine.open_orders().collect() };
    let [(number, first)] = open(&world).try_into().unwrap();
    let page = |order: Open, page: u32, is_last: bool, payments: Vec<PaymentView>| {
        Any::Reports(Command::Answer(Box::new(Answer {
            source: Source::Switch,
            number,
            order: order.order,
            found: Found::Payments(PaymentPage {
                number: page,
                is_last,
                at: order.order.at,
                payments,
            }),
        })))
    };
    let look = (Position::ZERO, first.order.upto);
    let found = world
        .engine
        .imts_payments(CASP, &Criteria::ALL, look, 1, STEPS);
    world.accept(page(first, 1, false, found.payments.clone()));
    let original = world.stamp.position;
    assert_eq!(world.sent_to(CASP), [Message::Report { original }]);
    world.refuse(
        page(first, 1, false, found.payments),
        Reason::ResolutionStale,
    );
    let [(_, second)] = open(&world).try_into().unwrap();
    assert_eq!(second.page, 2);
    let Query::Payments { after, .. } = second.order.query else {
        panic!("{second:?}");
    };
    assert_eq!(after, ids[0]);
    world.accept(page(second, 2, true, Vec::new()));
    assert_eq!(open(&world), []);
    // Nobody asks in the name of another bank.
    let asked = request(&mut world, CASP, bic(HSBK));
    world.refuse(asked, Reason::UnboundSender);
}

#[test]
fn the_largest_amount_of_an_answer_is_found_wherever_it_stands() {
    let (world, ids) = day();
    let at = world.now();
    let none = Figures {
        account: Account::Settlement,
        balance: 0,
        available: 0,
        held: 0,
        credit_line: 0,
        reserved: 0,
        queued: 9,
        queued_amount: 0,
    };
    let limit = |amount, left| Limit {
        towards: None,
        amount,
        left,
    };
    let of = |figures, limit| {
        let figures = vec![none, figures];
        let limits = vec![limit];
        let found = Found::Balances {
            at,
            figures,
            limits,
        };
        found.largest()
    };
    let small = limit(1, 1);
    assert_eq!(of(none, small), 1, "a number of payments is no amount");
    assert_eq!(
        of(
            Figures {
                balance: -7,
                ..none
            },
            small
        ),
        7
    );
    assert_eq!(
        of(
            Figures {
                available: -7,
                ..none
            },
            small
        ),
        7
    );
    assert_eq!(of(Figures { held: 7, ..none }, small), 7);
    assert_eq!(
        of(
            Figures {
                credit_line: 7,
                ..none
            },
            small
        ),
        7
    );
    assert_eq!(
        of(
            Figures {
                reserved: 7,
                ..none
            },
            small
        ),
        7
    );
    assert_eq!(
        of(
            Figures {
                queued_amount: 7,
                ..none
            },
            small
        ),
        7
    );
    assert_eq!(of(none, limit(7, 1)), 7);
    assert_eq!(of(none, limit(1, 7)), 7);
    let looked =
        world
            .engine
            .imts_payments(CASP, &Criteria::ALL, (Position::ZERO, ids[0]), 9, STEPS);
    let amount = looked.payments[0].amount.minor();
    let page = PaymentPage {
        number: 1,
        is_last: true,
        at,
        payments: looked.payments,
    };
    assert_eq!(Found::Payments(page).largest(), u128::from(amount));
}
