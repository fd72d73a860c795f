mod any_sequence;
mod day;
mod suspended;

use torap_domain::{DayOverride, Span};
use torap_settlement::lsm;

use super::*;
use crate::{
    Command as AnyCommand,
    world::{CASP, FUNDS, HSBK, IRTY, NOBODY, TSES, World, operator},
};

const HOUR: Span = Span::from_secs(3600);

/// A world whose business day is open for eight hours.
fn open() -> World {
    let mut world = World::new();
    let until = world.now().saturating_add(Span::from_secs(8 * 3600));
    accept(&mut world, opens(until));
    world
}

fn opens(until: Time) -> Command {
    Command::Open {
        source: operator(),
        cut_off: None,
        until,
    }
}

fn accept(world: &mut World, command: Command) {
    world.accept(AnyCommand::Settlement(command));
}

fn refuse(world: &mut World, command: Command, reason: Reason) {
    world.refuse(AnyCommand::Settlement(command), reason);
}

fn fund_command(participant: ParticipantId, amount: u64) -> Command {
    Command::Fund {
        source: operator(),
        participant,
        direction: Direction::In,
        amount: Money::kzt(amount),
    }
}

fn fund(world: &mut World, participant: ParticipantId, amount: u64) {
    accept(world, fund_command(participant, amount));
}

fn payment(from: ParticipantId, to: ParticipantId, amount: u64, reference: &str) -> Payment {
    Payment {
        from,
        to,
        amount: Money::kzt(amount),
        priority: Priority::Normal,
        reference: Text::truncated(reference),
        earliest: None,
        latest: None,
    }
}

fn pay_command(payment: Payment) -> Command {
    Command::Pay {
        source: operator(),
        payment,
    }
}

/// Sends a payment and gives its identifier.
fn pay(world: &mut World, payment: Payment) -> Position {
    accept(world, pay_command(payment));
    world.stamp.position
}

fn plain(world: &mut World, from: ParticipantId, to: ParticipantId, amount: u64) -> Position {
    let reference = format!("P{}", world.stamp.position.value());
    pay(world, self::payment(from, to, amount, &reference))
}

fn change(world: &mut World, id: Position, change: Change) {
    let source = operator();
    accept(world, Command::Change { source, id, change });
}

fn balance(world: &World, participant: ParticipantId) -> i128 {
    let mut accounts = world.engine.settlement_accounts();
    accounts
        .find(|account| account.participant == participant)
        .unwrap()
        .balance
}

fn queue(world: &World) -> Vec<Position> {
    world
        .engine
        .settlement_queue()
        .map(|waiting| waiting.id)
        .collect()
}

fn end_of(world: &World, id: Position) -> Option<End> {
    let mut done = world.engine.settlement_done();
    done.find(|done| done.id == id).map(|done| done.end)
}

fn limit(
    world: &mut World,
    participant: ParticipantId,
    towards: Option<ParticipantId>,
    amount: Option<u64>,
) {
    accept(
        world,
        Command::SetLimit {
            source: operator(),
            participant,
            towards,
            amount: amount.map(Money::kzt),
        },
    );
}

fn line(participant: ParticipantId, amount: u64) -> Command {
    Command::SetCreditLine {
        source: operator(),
        participant,
        amount: Money::kzt(amount),
    }
}

fn resolve_command(payments: Vec<Position>) -> Command {
    Command::Resolve {
        source: Source::Switch,
        payments,
    }
}

/// Asks the solver and submits what it finds, as the operator's door does.
fn solve(world: &World, order: SolverOrder) -> Vec<Position> {
    let Some(gridlock) = world.engine.gridlock(order) else {
        return Vec::new();
    };
    let settled = match order {
        SolverOrder::Kept => lsm::fifo(&gridlock.problem).settled,
        SolverOrder::Bypassed => lsm::bypass(&gridlock.problem, 10_000).solution.settled,
    };
    let mut ids: Vec<Position> = settled
        .iter()
        .map(|place| gridlock.ids[*place as usize])
        .collect();
    ids.sort_unstable();
    ids
}

#[test]
fn a_payment_settles_at_once_when_the_payer_has_the_money() {
    let mut world = open();
    fund(&mut world, CASP, 1_000);
    let id = plain(&mut world, CASP, HSBK, 400);
    assert_eq!(end_of(&world, id), Some(End::Settled));
    assert_eq!((balance(&world, CASP), balance(&world, HSBK)), (600, 400));
    assert!(queue(&world).is_empty());
}

#[test]
fn a_payment_without_money_waits_and_an_incoming_one_releases_it() {
    let mut world = open();
    let waits = plain(&mut world, HSBK, IRTY, 300);
    assert_eq!(queue(&world), vec![waits]);
    let queued = Any::Settlement(Event::Queued { id: waits });
    assert_eq!(world.out.events, vec![queued]);
    fund(&mut world, CASP, 300);
    let incoming = plain(&mut world, CASP, HSBK, 300);
    assert_eq!(end_of(&world, incoming), Some(End::Settled));
    assert_eq!(end_of(&world, waits), Some(End::Settled));
    assert_eq!(balance(&world, IRTY), 300);
}

#[test]
fn a_small_payment_does_not_overtake_a_large_one_of_its_bank() {
    let mut world = open();
    fund(&mut world, CASP, 100);
    let large = plain(&mut world, CASP, HSBK, 500);
    let small = plain(&mut world, CASP, HSBK, 50);
    assert_eq!(queue(&world), vec![large, small]);
    // Unless it is more urgent, or the operator moves it.
    let urgent = Payment {
        priority: Priority::High,
        ..payment(CASP, IRTY, 30, "URGENT")
    };
    let urgent = pay(&mut world, urgent);
    assert_eq!(end_of(&world, urgent), Some(End::Settled));
    change(&mut world, small, Change::ToHead);
    assert_eq!(end_of(&world, small), Some(End::Settled));
    assert_eq!(queue(&world), vec![large]);
}

#[test]
fn priorities_and_places_change() {
    let mut world = open();
    let ids: Vec<Position> = (0..4).map(|_| plain(&mut world, CASP, HSBK, 100)).collect();
    let [a, b, c, d] = ids[..] else { panic!() };
    change(&mut world, c, Change::Priority(Priority::High));
    assert_eq!(queue(&world), vec![c, a, b, d]);
    change(&mut world, a, Change::ToTail);
    assert_eq!(queue(&world), vec![c, b, d, a]);
    change(&mut world, d, Change::ToHead);
    assert_eq!(queue(&world), vec![c, d, b, a]);
    change(&mut world, b, Change::Priority(Priority::CentralBank));
    assert_eq!(queue(&world), vec![b, c, d, a]);
    change(&mut world, c, Change::Priority(Priority::Normal));
    assert_eq!(queue(&world), vec![b, d, a, c]);
    change(&mut world, b, Change::Withdraw);
    assert_eq!(end_of(&world, b), Some(End::Withdrawn));
    let gone = Command::Change {
        source: operator(),
        id: b,
        change: Change::ToHead,
    };
    refuse(&mut world, gone, Reason::QueuedPaymentUnknown);
}

#[test]
fn two_banks_that_owe_each_other_settle_with_the_difference() {
    let mut world = open();
    let one = plain(&mut world, CASP, HSBK, 1_000);
    assert_eq!(queue(&world).len(), 1);
    fund(&mut world, HSBK, 1);
    let other = plain(&mut world, HSBK, CASP, 1_001);
    assert_eq!(end_of(&world, one), Some(End::Settled));
    assert_eq!(end_of(&world, other), Some(End::Settled));
    assert_eq!((balance(&world, CASP), balance(&world, HSBK)), (1, 0));
}

#[test]
fn three_banks_in_a_circle_wait_until_a_resolution() {
    let mut world = open();
    let ids = [(CASP, HSBK), (HSBK, IRTY), (IRTY, CASP)]
        .map(|(from, to)| plain(&mut world, from, to, 700));
    assert_eq!(queue(&world).len(), 3);
    let found = solve(&world, SolverOrder::Kept);
    assert_eq!(found, ids);
    accept(&mut world, resolve_command(found));
    assert!(queue(&world).is_empty());
    for (participant, id) in [CASP, HSBK, IRTY].into_iter().zip(ids) {
        assert_eq!(balance(&world, participant), 0);
        assert_eq!(end_of(&world, id), Some(End::Settled));
    }
}

#[test]
fn a_resolution_is_checked_again() {
    let mut world = open();
    let a = plain(&mut world, CASP, HSBK, 700);
    let b = plain(&mut world, HSBK, IRTY, 700);
    let c = plain(&mut world, IRTY, CASP, 700);
    let stale = Reason::ResolutionStale;
    refuse(&mut world, resolve_command(vec![a, b]), stale);
    refuse(
        &mut world,
        resolve_command(vec![a, b, c, Position(9_999)]),
        stale,
    );
    refuse(&mut world, resolve_command(vec![]), Reason::OperatorRefused);
    refuse(
        &mut world,
        resolve_command(vec![b, a, c]),
        Reason::OperatorRefused,
    );
    refuse(
        &mut world,
        resolve_command(vec![a, a, b, c]),
        Reason::OperatorRefused,
    );
    limit(&mut world, HSBK, Some(IRTY), Some(699));
    refuse(&mut world, resolve_command(vec![a, b, c]), stale);
    limit(&mut world, HSBK, Some(IRTY), None);
    change(&mut world, c, Change::Withdraw);
    refuse(&mut world, resolve_command(vec![a, b, c]), stale);
    assert_eq!(queue(&world), vec![a, b]);
}

#[test]
fn a_resolution_overtakes_payments_of_normal_priority_alone() {
    for (priority, overtaken) in [(Priority::Normal, true), (Priority::High, false)] {
        let mut world = open();
        let large = Payment {
            priority,
            ..payment(CASP, HSBK, 5_000, "LARGE")
        };
        pay(&mut world, large);
        let small = Payment {
            priority,
            ..payment(CASP, HSBK, 10, "SMALL")
        };
        let small = pay(&mut world, small);
        fund(&mut world, CASP, 10);
        assert_eq!(solve(&world, SolverOrder::Kept), Vec::<Position>::new());
        let found = solve(&world, SolverOrder::Bypassed);
        if overtaken {
            assert_eq!(found, vec![small]);
            accept(&mut world, resolve_command(found));
            assert_eq!(end_of(&world, small), Some(End::Settled));
        } else {
            assert_eq!(found, Vec::<Position>::new());
            refuse(
                &mut world,
                resolve_command(vec![small]),
                Reason::OperatorRefused,
            );
        }
    }
}

#[test]
fn a_bilateral_limit_counts_what_came_back() {
    let mut world = open();
    fund(&mut world, CASP, 1_000);
    fund(&mut world, HSBK, 1_000);
    limit(&mut world, CASP, Some(HSBK), Some(100));
    let first = plain(&mut world, CASP, HSBK, 100);
    assert_eq!(end_of(&world, first), Some(End::Settled));
    let second = plain(&mut world, CASP, HSBK, 60);
    assert_eq!(queue(&world), vec![second]);
    // 50 is not enough, the next 10 are.
    plain(&mut world, HSBK, CASP, 50);
    assert_eq!(queue(&world), vec![second]);
    plain(&mut world, HSBK, CASP, 10);
    assert_eq!(end_of(&world, second), Some(End::Settled));
    let left = world.engine.settlement_limits().next().unwrap().left;
    assert_eq!(left, Money::kzt(0));
}

#[test]
fn a_multilateral_limit_counts_everyone() {
    let mut world = open();
    fund(&mut world, CASP, 1_000);
    limit(&mut world, CASP, None, Some(150));
    plain(&mut world, CASP, HSBK, 100);
    let over = plain(&mut world, CASP, IRTY, 51);
    assert_eq!(queue(&world), vec![over]);
    limit(&mut world, CASP, None, Some(151));
    assert_eq!(end_of(&world, over), Some(End::Settled));
}

#[test]
fn normal_payments_leave_the_reservation() {
    let mut world = open();
    let source = operator();
    fund(&mut world, CASP, 1_000);
    let reserve = |amount| Command::Reserve {
        source,
        participant: CASP,
        amount: Money::kzt(amount),
    };
    accept(&mut world, reserve(400));
    let normal = plain(&mut world, CASP, HSBK, 601);
    assert_eq!(queue(&world), vec![normal]);
    let high = Payment {
        priority: Priority::High,
        ..payment(CASP, HSBK, 399, "HIGH")
    };
    let high = pay(&mut world, high);
    assert_eq!(end_of(&world, high), Some(End::Settled));
    accept(&mut world, reserve(0));
    assert_eq!(end_of(&world, normal), Some(End::Settled));
}

#[test]
fn times_hold_a_payment_back_and_end_it() {
    let mut world = open();
    let now = world.now();
    let at = |hours: u64| Some(now.saturating_add(Span::from_secs(3600 * hours)));
    fund(&mut world, CASP, 100);
    let later = Payment {
        earliest: at(2),
        ..payment(CASP, HSBK, 40, "LATER")
    };
    let later = pay(&mut world, later);
    // It does not stand in the way before its time.
    let other = plain(&mut world, CASP, HSBK, 50);
    assert_eq!(end_of(&world, other), Some(End::Settled));
    let short = Payment {
        latest: at(1),
        ..payment(CASP, HSBK, 500, "SHORT")
    };
    let short = pay(&mut world, short);
    refuse(
        &mut world,
        resolve_command(vec![later]),
        Reason::ResolutionStale,
    );
    assert_eq!(world.engine.next_deadline(), at(1));
    world.wait(HOUR);
    world.tick();
    assert_eq!(
        end_of(&world, short),
        Some(End::Rejected(Reason::LatestTimePassed))
    );
    assert_eq!(world.engine.next_deadline(), at(2));
    world.wait(HOUR);
    world.tick();
    assert_eq!(end_of(&world, later), Some(End::Settled));
    let past = Payment {
        latest: Some(now),
        ..payment(CASP, HSBK, 1, "PAST")
    };
    refuse(&mut world, pay_command(past), Reason::OperatorRefused);
}

#[test]
fn intraday_credit_lets_pay_and_is_repaid_at_the_end_of_the_day() {
    let mut world = open();
    accept(&mut world, line(CASP, 500));
    accept(&mut world, line(TSES, 500));
    plain(&mut world, CASP, HSBK, 500);
    let more = plain(&mut world, CASP, HSBK, 1);
    assert_eq!((balance(&world, CASP), queue(&world)), (-500, vec![more]));
    refuse(&mut world, line(CASP, 499), Reason::OperatorRefused);
    let transfer = |direction, amount| Command::Transfer {
        source: operator(),
        participant: TSES,
        direction,
        amount: Money::kzt(amount),
    };
    // TSES has nothing left on its position to repay from.
    accept(&mut world, transfer(Direction::Out, FUNDS));
    plain(&mut world, TSES, HSBK, FUNDS + 7);
    let end = world.engine.next_deadline().unwrap();
    world.stamp.time = end;
    world.tick();
    assert_eq!(world.engine.imts_day().until, None);
    assert_eq!(
        end_of(&world, more),
        Some(End::Rejected(Reason::InsufficientFunds))
    );
    assert_eq!((balance(&world, CASP), balance(&world, TSES)), (0, -7));
    assert_eq!(world.available(CASP), i128::from(FUNDS) - 500);
    let owed = Event::Overnight {
        participant: TSES,
        amount: Money::kzt(7),
    };
    assert!(world.out.events.contains(&Any::Settlement(owed)));
    assert!(world.out.events.contains(&Any::Settlement(Event::Closed)));
    assert_eq!(world.engine.next_deadline(), None);
}

#[test]
fn money_moves_between_account_and_position_and_stays_backed() {
    let mut world = open();
    fund(&mut world, CASP, 1_000);
    let transfer = |direction, amount| Command::Transfer {
        source: operator(),
        participant: CASP,
        direction,
        amount: Money::kzt(amount),
    };
    accept(&mut world, transfer(Direction::In, 600));
    assert_eq!(world.available(CASP), i128::from(FUNDS) + 600);
    assert_eq!(balance(&world, CASP), 400);
    refuse(
        &mut world,
        transfer(Direction::In, 401),
        Reason::InsufficientFunds,
    );
    accept(&mut world, transfer(Direction::Out, FUNDS + 600));
    assert_eq!(
        (world.available(CASP), balance(&world, CASP)),
        (0, i128::from(FUNDS) + 1_000)
    );
    refuse(
        &mut world,
        transfer(Direction::Out, 1),
        Reason::InsufficientFunds,
    );
    refuse(&mut world, transfer(Direction::In, 0), Reason::AmountZero);
}

#[test]
fn a_closed_system_takes_no_payments() {
    let mut world = World::new();
    let source = operator();
    fund(&mut world, CASP, 100);
    let payment = payment(CASP, HSBK, 1, "ONE");
    refuse(&mut world, pay_command(payment), Reason::ImtsClosed);
    refuse(&mut world, Command::Close { source }, Reason::ImtsClosed);
    refuse(
        &mut world,
        resolve_command(vec![Position(1)]),
        Reason::ImtsClosed,
    );
    let past = opens(world.now());
    refuse(&mut world, past, Reason::OperatorRefused);
}

fn at(text: &str) -> Time {
    Time::parse(text).unwrap()
}

/// The clock stands at the next deadline, and it is decided.
fn next(world: &mut World) -> Time {
    let due = world.engine.next_deadline().unwrap();
    world.stamp.time = world.stamp.time.max(due);
    world.tick();
    due
}

#[test]
fn days_begin_and_end_by_the_calendar() {
    let mut world = World::new();
    let source = operator();
    let hours = Hours {
        opens: Span::from_secs(9 * 3600),
        cut_off: Span::from_secs(17 * 3600),
        closes: Span::from_secs(18 * 3600),
    };
    let set = |hours| Command::SetHours { source, hours };
    let late = Hours {
        closes: Span::from_secs(16 * 3600),
        ..hours
    };
    refuse(&mut world, set(Some(late)), Reason::OperatorRefused);
    // A Saturday: the next business day is Monday, unless that is closed and the Sunday worked for it.
    accept(&mut world, set(Some(hours)));
    let opening = |world: &World| world.engine.imts_day().opens;
    assert_eq!(opening(&world), Some(at("2026-11-23T09:00:00+05:00")));
    let day = |date: &str, day| Command::SetDay {
        source,
        date: Date::parse(date).unwrap(),
        day,
    };
    accept(&mut world, day("2026-11-23", Some(DayOverride::Closed)));
    assert_eq!(opening(&world), Some(at("2026-11-24T09:00:00+05:00")));
    accept(&mut world, day("2026-11-22", Some(DayOverride::Working)));
    assert_eq!(opening(&world), Some(at("2026-11-22T09:00:00+05:00")));
    assert_eq!(next(&mut world), at("2026-11-22T09:00:00+05:00"));
    fund(&mut world, CASP, 100);
    plain(&mut world, CASP, HSBK, 1);
    // After the cut-off only urgent payments are taken.
    world.stamp.time = at("2026-11-22T17:00:00+05:00");
    world.tick();
    let late = payment(CASP, HSBK, 1, "LATE");
    refuse(&mut world, pay_command(late), Reason::CutOffPassed);
    let urgent = Payment {
        priority: Priority::High,
        ..late
    };
    pay(&mut world, urgent);
    assert_eq!(next(&mut world), at("2026-11-22T18:00:00+05:00"));
    assert_eq!(world.engine.imts_day().until, None);
    accept(&mut world, day("2026-11-23", None));
    assert_eq!(next(&mut world), at("2026-11-23T09:00:00+05:00"));
    // Ended by hand, the same day does not begin again.
    accept(&mut world, Command::Close { source });
    assert_eq!(opening(&world), Some(at("2026-11-24T09:00:00+05:00")));
    // A day that passed while the switch stood still is skipped.
    world.stamp.time = at("2026-11-24T20:00:00+05:00");
    world.tick();
    assert_eq!(world.engine.imts_day().until, None);
    assert_eq!(opening(&world), Some(at("2026-11-25T09:00:00+05:00")));
    // Set in the middle of a business day, the hours open it at once.
    world.stamp.time = at("2026-11-25T12:00:00+05:00");
    world.tick();
    accept(&mut world, Command::Close { source });
    accept(&mut world, set(None));
    assert_eq!(world.engine.next_deadline(), None);
    world.stamp.time = at("2026-11-26T12:00:00+05:00");
    accept(&mut world, set(Some(hours)));
    world.tick();
    assert_eq!(
        world.engine.imts_day().until,
        Some(at("2026-11-26T18:00:00+05:00"))
    );
}

#[test]
fn a_day_is_extended_and_the_next_one_begins_anew() {
    let mut world = open();
    let source = operator();
    fund(&mut world, CASP, 100);
    limit(&mut world, CASP, None, Some(10));
    let one = payment(CASP, HSBK, 10, "ONE");
    pay(&mut world, one);
    refuse(&mut world, pay_command(one), Reason::DuplicateReplay);
    let other = payment(CASP, HSBK, 9, "ONE");
    refuse(&mut world, pay_command(other), Reason::DuplicateMismatch);
    let until = world.now().saturating_add(Span::from_secs(20 * 3600));
    accept(&mut world, opens(until));
    assert_eq!(world.engine.next_deadline(), Some(until));
    refuse(&mut world, pay_command(one), Reason::DuplicateReplay);
    accept(&mut world, Command::Close { source });
    let until = world.now().saturating_add(HOUR);
    accept(&mut world, opens(until));
    // Another day: the reference is free, and the limit counts from zero.
    let id = pay(&mut world, one);
    assert_eq!(end_of(&world, id), Some(End::Settled));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let mut world = open();
    fund(&mut world, CASP, 100);
    let cases = [
        (payment(CASP, CASP, 1, "SELF"), Reason::SameParticipant),
        (payment(CASP, HSBK, 0, "ZERO"), Reason::AmountZero),
        (
            payment(CASP, NOBODY, 1, "NOBODY"),
            Reason::UnknownParticipant,
        ),
        (payment(CASP, HSBK, 1, ""), Reason::OperatorRefused),
    ];
    for (payment, reason) in cases {
        refuse(&mut world, pay_command(payment), reason);
    }
    let debits = participants::State::Suspended {
        debits: true,
        credits: false,
    };
    world.state(CASP, debits);
    refuse(
        &mut world,
        pay_command(payment(CASP, HSBK, 1, "A")),
        Reason::SenderSuspended,
    );
    let source = Source::Switch;
    let (participant, amount) = (CASP, Money::kzt(1));
    let by_nobody = [
        Command::Fund {
            source,
            participant,
            direction: Direction::In,
            amount,
        },
        Command::SetCreditLine {
            source,
            participant,
            amount,
        },
        Command::Close { source },
    ];
    for command in by_nobody {
        refuse(&mut world, command, Reason::OperatorRefused);
    }
    refuse(&mut world, fund_command(CASP, 0), Reason::AmountZero);
    refuse(
        &mut world,
        fund_command(NOBODY, 1),
        Reason::UnknownParticipant,
    );
    let limit = Command::SetLimit {
        source: operator(),
        participant: CASP,
        towards: Some(CASP),
        amount: None,
    };
    refuse(&mut world, limit, Reason::SameParticipant);
}

#[test]
fn a_long_cascade_goes_on_with_the_next_tick() {
    let mut world = open();
    let waiting = liquidity::CASCADE_MAX + 10;
    for number in 0..waiting {
        pay(&mut world, payment(CASP, HSBK, 1, &format!("N{number}")));
    }
    fund(&mut world, CASP, 1_000_000);
    assert_eq!(queue(&world).len(), 10);
    assert!(world.engine.next_deadline() <= Some(world.now()));
    world.tick();
    assert!(queue(&world).is_empty());
    assert!(world.engine.next_deadline() > Some(world.now()));
}

#[test]
fn changes_may_wait_for_their_time_but_payments_may_not() {
    let source = operator();
    let until = World::new().now();
    let may = |command: Command| crate::schedule::may_wait(&AnyCommand::Settlement(command));
    assert!(may(opens(until)));
    assert!(may(line(CASP, 5)) && may(Command::Close { source }));
    assert!(!may(pay_command(payment(CASP, HSBK, 1, "A"))));
    assert!(!may(resolve_command(vec![Position(1)])));
}
