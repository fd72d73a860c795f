mod liquidity;
mod mergers;
mod repeats;
mod sponsored;

use torap_domain::{
    CancellationId, Date, Money, ParticipantId, Position, Reason, ReturnId, Span, Text, Time,
};

use super::{Cancellation, Instruction, Return};
use crate::{
    Command as Any, DayEvent, Message, Outcome, Status, Withdrawal,
    participants::Direction,
    settlement::{Change, Command, Payment, Priority, uetr_of_record},
    world::{
        CASP, HSBK, IRTY, NOBODY, TSES, World, bic, iban, operator, references, rejected, uetr,
    },
};

const HOUR: Span = Span::from_secs(3600);

/// Makes a good instruction a wrong one.
type Spoil = fn(&mut Instruction);

/// A world whose business day is open for eight hours; CASP has 1,000 on its settlement account.
fn open() -> World {
    let mut world = World::new();
    let until = world.now().saturating_add(Span::from_secs(8 * 3600));
    begin(&mut world, None, until);
    fund(&mut world, CASP, 1_000);
    world
}

fn begin(world: &mut World, cut_off: Option<Time>, until: Time) {
    let source = operator();
    accept(
        world,
        Command::Open {
            source,
            cut_off,
            until,
        },
    );
}

fn accept(world: &mut World, command: Command) {
    world.accept(Any::Settlement(command));
}

fn fund(world: &mut World, participant: ParticipantId, amount: u64) {
    let command = Command::Fund {
        source: operator(),
        participant,
        direction: Direction::In,
        amount: Money::kzt(amount),
    };
    accept(world, command);
}

fn balance(world: &World, participant: ParticipantId) -> i128 {
    let mut accounts = world.engine.settlement_accounts();
    accounts
        .find(|account| account.participant == participant)
        .unwrap()
        .balance
}

/// A payment from CASP to HSBK; `number` makes its identifiers.
fn instruction(world: &mut World, number: u8, amount: u64) -> Instruction {
    Instruction {
        source: world.link(CASP),
        references: references(number),
        instructing_agent: bic(CASP),
        instructed_agent: Some(bic(HSBK)),
        debtor_agent: bic(CASP),
        creditor_agent: bic(HSBK),
        creditor_account: Some(iban(HSBK, 2)),
        amount: Money::kzt(amount),
        priority: Priority::Normal,
        date: None,
        earliest: None,
        latest: None,
    }
}

/// Sends the payment and gives its record.
fn send(world: &mut World, instruction: Instruction) -> Position {
    accept(world, Command::Instruct(instruction));
    world.stamp.position
}

fn instruct(world: &mut World, number: u8, amount: u64) -> Position {
    let instruction = instruction(world, number, amount);
    send(world, instruction)
}

/// The bank is told why the payment is not taken; nobody else is told anything.
fn refused(world: &mut World, reason: Reason, instruction: Instruction) {
    world.refuse(Any::Settlement(Command::Instruct(instruction)), reason);
    let original = world.stamp.position;
    assert_eq!(
        world.sent_to(CASP),
        [told(world, original, rejected(reason))]
    );
    assert_eq!(world.out.effects.len(), 1);
}

/// What the bank is told of a payment that the last command decided.
fn told(world: &World, original: Position, status: Status) -> Message {
    Message::ImtsStatus {
        original,
        status,
        decided: world.stamp.position,
        decided_at: world.now(),
    }
}

fn forwarded(world: &World, original: Position) -> Message {
    let settled_at = world.now();
    Message::ImtsForward {
        original,
        settled_at,
    }
}

fn cancel(world: &mut World, from: ParticipantId, number: u8) -> Outcome {
    let source = world.link(from);
    world.apply(Any::Settlement(Command::Cancel(Cancellation {
        source,
        references: references(number),
        cancellation_id: CancellationId::parse("CXL-1").unwrap(),
        instructing_agent: bic(from),
    })))
}

fn give_back(world: &mut World, from: ParticipantId, number: u8, id: &str, amount: u64) -> Return {
    Return {
        source: world.link(from),
        references: references(number),
        return_id: ReturnId::parse(id).unwrap(),
        instructing_agent: bic(from),
        amount: Money::kzt(amount),
    }
}

fn returned(world: &mut World, from: ParticipantId, number: u8, id: &str, amount: u64) -> Outcome {
    let back = give_back(world, from, number, id, amount);
    world.apply(Any::Settlement(Command::Return(back)))
}

#[test]
fn a_payment_that_can_settle_is_told_to_its_payer_and_then_to_its_payee() {
    let mut world = open();
    let id = instruct(&mut world, 1, 600);
    assert_eq!(world.sent_to(CASP), [told(&world, id, Status::Settled)]);
    assert_eq!(world.sent_to(HSBK), [forwarded(&world, id)]);
    let order: Vec<ParticipantId> = world
        .out
        .effects
        .iter()
        .map(|effect| effect.outbound.to)
        .collect();
    assert_eq!(order, [CASP, HSBK]);
    assert_eq!((balance(&world, CASP), balance(&world, HSBK)), (400, 600));
}

#[test]
fn a_payment_that_waits_is_pending_and_its_payee_hears_nothing_until_a_credit_settles_it() {
    let mut world = open();
    let id = instruct(&mut world, 1, 1_500);
    assert_eq!(world.sent_to(CASP), [told(&world, id, Status::Pending)]);
    assert_eq!(world.sent_to(HSBK), []);
    fund(&mut world, CASP, 500);
    assert_eq!(world.sent_to(CASP), [told(&world, id, Status::Settled)]);
    assert_eq!(world.sent_to(HSBK), [forwarded(&world, id)]);
}

#[test]
fn the_rules_of_payments_hold_at_the_banks_door() {
    let mut world = open();
    let first = instruct(&mut world, 1, 10);
    let again = instruction(&mut world, 1, 10);
    refused(&mut world, Reason::DuplicateReplay, again);
    let other = instruction(&mut world, 1, 11);
    refused(&mut world, Reason::DuplicateMismatch, other);
    let mut same_uetr = instruction(&mut world, 2, 10);
    same_uetr.references.uetr = uetr(1);
    refused(&mut world, Reason::DuplicateMismatch, same_uetr);
    let cases: [(Reason, Spoil); 6] = [
        (Reason::AmountZero, |it| it.amount = Money::kzt(0)),
        (Reason::AccountBankMismatch, |it| {
            it.creditor_account = Some(iban(IRTY, 1));
        }),
        (Reason::AccountBankMismatch, |it| {
            it.instructed_agent = Some(bic(IRTY));
        }),
        (Reason::AccountBankMismatch, |it| {
            it.debtor_agent = bic(IRTY);
        }),
        (Reason::ValueDateNotAllowed, |it| {
            it.date = Date::parse("2026-11-24").ok();
        }),
        (Reason::SameParticipant, |it| {
            it.instructed_agent = None;
            it.creditor_agent = bic(CASP);
            it.creditor_account = None;
        }),
    ];
    for (reason, change) in cases {
        let mut wrong = instruction(&mut world, 3, 10);
        change(&mut wrong);
        refused(&mut world, reason, wrong);
    }
    assert_eq!(
        world
            .engine
            .settlement_done()
            .map(|done| done.id)
            .collect::<Vec<_>>(),
        [first]
    );
    accept(&mut world, Command::Close { source: operator() });
    let late = instruction(&mut world, 4, 10);
    refused(&mut world, Reason::ImtsClosed, late);
}

#[test]
fn a_link_speaks_for_its_own_bank_only() {
    let mut world = open();
    let mut foreign = instruction(&mut world, 1, 10);
    foreign.source = world.link(IRTY);
    world.refuse(
        Any::Settlement(Command::Instruct(foreign)),
        Reason::UnboundSender,
    );
    assert!(matches!(
        world.sent_to(IRTY).as_slice(),
        [Message::Reject { .. }]
    ));
    let mut by_operator = foreign;
    by_operator.source = operator();
    world.refuse(
        Any::Settlement(Command::Instruct(by_operator)),
        Reason::UnboundSender,
    );
    assert_eq!(world.out.effects.len(), 0);
}

#[test]
fn times_are_of_the_business_day() {
    let mut world = open();
    let midnight = Date::from_time(world.now()).start().unwrap();
    let now = world.now().saturating_since(midnight);
    let later = |hours: u64| Some(Span::from_nanos(now.nanos() + hours * HOUR.nanos()));
    let mut timed = instruction(&mut world, 1, 10);
    (timed.earliest, timed.latest) = (later(1), later(2));
    let id = send(&mut world, timed);
    assert_eq!(world.sent_to(CASP), [told(&world, id, Status::Pending)]);
    let mut hopeless = instruction(&mut world, 2, 5_000);
    hopeless.latest = later(2);
    let rejected_later = send(&mut world, hopeless);
    world.wait(HOUR);
    world.tick();
    assert_eq!(world.sent_to(HSBK), [forwarded(&world, id)]);
    world.wait(HOUR);
    world.tick();
    assert_eq!(
        world.sent_to(CASP),
        [told(
            &world,
            rejected_later,
            rejected(Reason::LatestTimePassed)
        )]
    );
}

#[test]
fn a_bank_withdraws_what_waits_and_nothing_else() {
    let mut world = open();
    let waits = instruct(&mut world, 1, 5_000);
    let cases = [
        (HSBK, 1, Withdrawal::Unknown),
        (CASP, 9, Withdrawal::Unknown),
    ];
    for (from, number, withdrawal) in cases {
        assert_eq!(
            cancel(&mut world, from, number),
            Outcome::Refused(Reason::QueuedPaymentUnknown)
        );
        let original = world.stamp.position;
        assert_eq!(
            world.sent_to(from),
            [Message::WithdrawalAnswer {
                original,
                withdrawal
            }]
        );
    }
    assert_eq!(cancel(&mut world, CASP, 1), Outcome::Accepted);
    let original = world.stamp.position;
    let withdrawal = Withdrawal::Done;
    assert_eq!(
        world.sent_to(CASP),
        [
            told(&world, waits, rejected(Reason::ItemWithdrawn)),
            Message::WithdrawalAnswer {
                original,
                withdrawal
            },
        ]
    );
    cancel(&mut world, CASP, 1);
    let original = world.stamp.position;
    let withdrawal = Withdrawal::Ended;
    assert_eq!(
        world.sent_to(CASP),
        [Message::WithdrawalAnswer {
            original,
            withdrawal
        }]
    );
    instruct(&mut world, 2, 10);
    cancel(&mut world, CASP, 2);
    let original = world.stamp.position;
    let withdrawal = Withdrawal::Settled;
    assert_eq!(
        world.sent_to(CASP),
        [Message::WithdrawalAnswer {
            original,
            withdrawal
        }]
    );
    assert_eq!(balance(&world, HSBK), 10);
}

#[test]
fn a_withdrawal_lets_the_next_one_settle() {
    let mut world = open();
    instruct(&mut world, 1, 5_000);
    let behind = instruct(&mut world, 2, 100);
    assert_eq!(world.sent_to(CASP), [told(&world, behind, Status::Pending)]);
    cancel(&mut world, CASP, 1);
    assert_eq!(world.sent_to(HSBK), [forwarded(&world, behind)]);
}

#[test]
fn a_settled_payment_is_returned_once_in_full_by_its_payee() {
    let mut world = open();
    instruct(&mut world, 1, 600);
    instruct(&mut world, 2, 5_000);
    let refusals = [
        (HSBK, 9, 600, Reason::OriginalUnknown),
        (HSBK, 2, 5_000, Reason::OriginalNotSettled),
        (IRTY, 1, 600, Reason::OriginalMismatch),
        (HSBK, 1, 599, Reason::ReturnNotAllowed),
        (HSBK, 1, 601, Reason::ReturnAmountExceeds),
    ];
    for (from, number, amount, reason) in refusals {
        assert_eq!(
            returned(&mut world, from, number, "RTR-1", amount),
            Outcome::Refused(reason)
        );
        let original = world.stamp.position;
        assert_eq!(
            world.sent_to(from),
            [told(&world, original, rejected(reason))]
        );
    }
    assert_eq!(
        returned(&mut world, HSBK, 1, "RTR-1", 600),
        Outcome::Accepted
    );
    let id = world.stamp.position;
    assert_eq!(world.sent_to(HSBK), [told(&world, id, Status::Settled)]);
    assert_eq!(world.sent_to(CASP), [forwarded(&world, id)]);
    assert_eq!((balance(&world, CASP), balance(&world, HSBK)), (1_000, 0));
    assert_eq!(
        returned(&mut world, HSBK, 1, "RTR-1", 600),
        Outcome::Refused(Reason::DuplicateReplay)
    );
    assert_eq!(
        returned(&mut world, HSBK, 1, "RTR-2", 600),
        Outcome::Refused(Reason::AlreadyReturned)
    );
}

#[test]
fn a_return_that_is_rejected_may_be_sent_again() {
    let mut world = open();
    instruct(&mut world, 1, 600);
    // The payee has spent the money.
    let spend = Payment {
        from: HSBK,
        to: TSES,
        amount: Money::kzt(600),
        priority: Priority::Normal,
        reference: Text::truncated("SPENT"),
        earliest: None,
        latest: None,
    };
    accept(
        &mut world,
        Command::Pay {
            source: operator(),
            payment: spend,
        },
    );
    assert_eq!(
        returned(&mut world, HSBK, 1, "RTR-1", 600),
        Outcome::Accepted
    );
    let waits = world.stamp.position;
    assert_eq!(world.sent_to(HSBK), [told(&world, waits, Status::Pending)]);
    assert_eq!(
        returned(&mut world, HSBK, 1, "RTR-2", 600),
        Outcome::Refused(Reason::AlreadyReturned)
    );
    let source = operator();
    accept(
        &mut world,
        Command::Change {
            source,
            id: waits,
            change: Change::Withdraw,
        },
    );
    assert_eq!(
        returned(&mut world, HSBK, 1, "RTR-3", 600),
        Outcome::Accepted
    );
}

#[test]
fn payments_are_known_until_the_end_of_the_next_business_day() {
    let mut world = open();
    instruct(&mut world, 1, 100);
    for round in 0..2 {
        accept(&mut world, Command::Close { source: operator() });
        let until = world.now().saturating_add(HOUR);
        begin(&mut world, None, until);
        fund(&mut world, HSBK, 100);
        let refused = returned(&mut world, HSBK, 1, "RTR-1", 99);
        let reason = [Reason::ReturnNotAllowed, Reason::OriginalUnknown][round];
        assert_eq!(refused, Outcome::Refused(reason));
    }
    // Then its identifiers are free.
    instruct(&mut world, 1, 100);
}

#[test]
fn what_the_operator_enters_is_told_in_the_same_way_and_may_be_returned() {
    let mut world = open();
    let payment = Payment {
        from: CASP,
        to: HSBK,
        amount: Money::kzt(70),
        priority: Priority::High,
        reference: Text::truncated("PAPER-1"),
        earliest: None,
        latest: None,
    };
    accept(
        &mut world,
        Command::Pay {
            source: operator(),
            payment,
        },
    );
    let id = world.stamp.position;
    assert_eq!(world.sent_to(CASP), [told(&world, id, Status::Settled)]);
    assert_eq!(world.sent_to(HSBK), [forwarded(&world, id)]);
    let mut back = give_back(&mut world, HSBK, 1, "RTR-1", 70);
    back.references.uetr = uetr_of_record(id);
    back.references.transaction_id = torap_domain::TransactionId::parse("PAPER-1").unwrap();
    accept(&mut world, Command::Return(back));
    assert_eq!(balance(&world, CASP), 1_000);
}

/// The operator pays a tiyn from a bank to TSES.
fn pay(from: ParticipantId, number: u32) -> Command {
    Command::Pay {
        source: operator(),
        payment: Payment {
            from,
            to: TSES,
            amount: Money::kzt(1),
            priority: Priority::Normal,
            reference: Text::truncated(&format!("P-{number}")),
            earliest: None,
            latest: None,
        },
    }
}

#[test]
fn many_letters_go_out_over_several_records() {
    let mut world = open();
    let source = operator();
    let mut sent: Vec<Position> = Vec::new();
    for number in 0..200_u32 {
        accept(&mut world, pay(IRTY, number));
        sent.push(world.stamp.position);
    }
    accept(&mut world, Command::Close { source });
    let mut told: Vec<Position> = Vec::new();
    let mut records = 0;
    loop {
        let about = world
            .sent_to(IRTY)
            .into_iter()
            .filter_map(|message| match message {
                Message::ImtsStatus { original, .. } => Some(original),
                _ => None,
            });
        told.extend(about);
        records += 1;
        assert!(world.out.effects.len() <= 16);
        if world.engine.next_deadline().is_none() {
            break;
        }
        world.wait(Span::from_millis(4));
        world.tick();
    }
    // 204 letters, 16 in a record.
    assert_eq!((told, records), (sent, 13));
    assert_eq!(
        world.sent_to(TSES),
        [Message::ImtsDay {
            event: DayEvent::Closed
        }]
    );
}

#[test]
fn what_waits_to_be_told_grows_less_with_every_payment() {
    for (version, own) in [(2, 0), (3, 5)] {
        let mut world = open();
        let source = operator();
        world.accept(Any::Rules { source, version });
        fund(&mut world, CASP, 100);
        for number in 0..50 {
            accept(&mut world, pay(IRTY, number));
        }
        // All 50 settle, and their letters are left behind it.
        fund(&mut world, IRTY, 50);
        for number in 0..3 {
            accept(&mut world, pay(CASP, number));
            assert_eq!(world.out.effects.len(), own, "by version {version}");
        }
        accept(&mut world, pay(CASP, 3));
        assert_eq!(world.out.effects.len(), 16);
    }
}

#[test]
fn everybody_is_told_of_the_business_day() {
    let mut world = World::new();
    let now = world.now();
    let at = |hours: u64| now.saturating_add(Span::from_secs(hours * 3600));
    let expect = |world: &World, event: DayEvent| {
        for bank in [CASP, HSBK, IRTY, TSES] {
            assert_eq!(world.sent_to(bank), [Message::ImtsDay { event }]);
        }
        assert_eq!(world.sent_to(NOBODY), []);
    };
    begin(&mut world, Some(at(1)), at(2));
    expect(
        &world,
        DayEvent::Opened {
            until: at(2),
            cut_off: Some(at(1)),
        },
    );
    begin(&mut world, Some(at(2)), at(3));
    expect(
        &world,
        DayEvent::Extended {
            until: at(3),
            cut_off: Some(at(2)),
        },
    );
    world.stamp.time = at(2);
    world.tick();
    expect(&world, DayEvent::CutOff);
    let mut late = instruction(&mut world, 1, 1);
    late.priority = Priority::Normal;
    refused(&mut world, Reason::CutOffPassed, late);
    world.stamp.time = at(3);
    world.tick();
    expect(&world, DayEvent::Closed);
}
