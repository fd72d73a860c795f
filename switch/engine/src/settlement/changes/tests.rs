use torap_domain::{BankCode, CancellationId, MessageId, Money, Span, Text, TransactionId};

use super::*;
use crate::{
    Command as Any, Status,
    participants::{self, Direction},
    settlement::{Cancellation, Change, Command, Instruction, Payment},
    world::{CASP, HSBK, World, bic, operator, references, uetr},
};

const HOUR: Span = Span::from_secs(3600);

fn accept(world: &mut World, command: Command) {
    world.accept(Any::Settlement(command));
}

/// A world whose business day is open for eight hours; nobody has money.
fn open() -> World {
    let mut world = World::new();
    let until = world.now().saturating_add(Span::from_secs(8 * 3600));
    let source = operator();
    let cut_off = None;
    accept(
        &mut world,
        Command::Open {
            source,
            cut_off,
            until,
        },
    );
    world
}

fn fund(world: &mut World, amount: u64) {
    let command = Command::Fund {
        source: operator(),
        participant: CASP,
        direction: Direction::In,
        amount: Money::kzt(amount),
    };
    accept(world, command);
}

/// A payment from CASP to HSBK that waits; `number` makes its identifiers.
fn pay(world: &mut World, number: u8, amount: u64) -> Position {
    let instruction = Instruction {
        source: world.link(CASP),
        references: references(number),
        instructing_agent: bic(CASP),
        instructed_agent: None,
        debtor_agent: bic(CASP),
        creditor_agent: bic(HSBK),
        creditor_account: None,
        amount: Money::kzt(amount),
        priority: Priority::Normal,
        date: None,
        earliest: None,
        latest: None,
    };
    accept(world, Command::Instruct(instruction));
    world.stamp.position
}

fn of(world: &mut World, bank: ParticipantId, number: u8) -> Modification {
    named(world, (bank, bic(bank)), number)
}

fn named(world: &mut World, (bank, agent): (ParticipantId, Bic), number: u8) -> Modification {
    Modification {
        source: world.link(bank),
        message_id: MessageId::parse("MOD-1").unwrap(),
        message_version: 24,
        agent,
        uetr: uetr(number),
        transaction_id: None,
        priority: None,
        earliest: None,
        latest: None,
    }
}

fn queue(world: &World) -> Vec<Position> {
    let waiting = world.engine.settlement_queue();
    waiting.map(|waiting| waiting.id).collect()
}

/// What the sender is told of the change, before what becomes of the payment.
fn receipt(world: &World, bank: ParticipantId) -> Receipt {
    let told = world.sent_to(bank);
    match told.first() {
        Some(Message::ImtsReceipt { original, receipt }) => {
            assert_eq!(*original, world.stamp.position);
            *receipt
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_higher_priority_overtakes_and_settles_at_once() {
    let mut world = open();
    let first = pay(&mut world, 1, 700);
    let second = pay(&mut world, 2, 100);
    fund(&mut world, 150);
    assert_eq!(queue(&world), [first, second], "nothing overtakes");
    let mut change = of(&mut world, CASP, 2);
    change.priority = Some(Priority::High);
    accept(&mut world, Command::Modify(change));
    assert_eq!(queue(&world), [first]);
    assert_eq!(receipt(&world, CASP), Receipt::Done);
    let [_, settled] = world.sent_to(CASP).try_into().unwrap();
    assert!(
        matches!(settled, Message::ImtsStatus { original, status: Status::Settled, .. } if original == second),
        "{settled:?}"
    );
}

#[test]
fn other_times_hold_back_let_go_and_end() {
    let mut world = open();
    let first = pay(&mut world, 1, 700);
    let second = pay(&mut world, 2, 100);
    fund(&mut world, 150);
    let mut change = of(&mut world, CASP, 1);
    let later = world.now().saturating_add(HOUR);
    change.earliest = Some(later);
    accept(&mut world, Command::Modify(change));
    assert_eq!(
        queue(&world),
        [first],
        "what is not due is not in the way of {second:?}"
    );
    // Alone: it falls to the latest time, given by the operator's change of the same kind.
    let latest = later.saturating_add(HOUR);
    let change = Change::Times {
        earliest: None,
        latest: Some(latest),
    };
    let source = operator();
    accept(
        &mut world,
        Command::Change {
            source,
            id: first,
            change,
        },
    );
    let waiting = world.engine.settlement_queue().next().unwrap().payment;
    assert_eq!(
        (waiting.earliest, waiting.latest),
        (Some(later), Some(latest))
    );
    world.wait(HOUR);
    world.tick();
    assert_eq!(queue(&world), [first]);
    world.wait(HOUR);
    world.tick();
    assert_eq!(queue(&world), []);
    let [rejected] = world.sent_to(CASP).try_into().unwrap();
    let reason = Reason::LatestTimePassed;
    assert!(
        matches!(rejected, Message::ImtsStatus { status: Status::Rejected { reason: found, .. }, .. } if found == reason)
    );
}

#[test]
fn what_cannot_be_changed_says_why() {
    let mut world = open();
    pay(&mut world, 1, 700);
    let unchanged = |withdrawal| Receipt::Unchanged { withdrawal };
    let check = |world: &mut World, bank, change: Modification, expected: Receipt| {
        let before = queue(world);
        let reason = match expected {
            Receipt::Refused { reason } => reason,
            _ => Reason::QueuedPaymentUnknown,
        };
        world.refuse(Any::Settlement(Command::Modify(change)), reason);
        assert_eq!(receipt(world, bank), expected);
        assert_eq!(queue(world), before);
    };
    let high = |world: &mut World, bank, number| Modification {
        priority: Some(Priority::High),
        ..of(world, bank, number)
    };
    // Unknown, another bank's, and one whose TxId does not agree.
    let change = high(&mut world, CASP, 9);
    check(&mut world, CASP, change, unchanged(Withdrawal::Unknown));
    let change = high(&mut world, HSBK, 1);
    check(&mut world, HSBK, change, unchanged(Withdrawal::Unknown));
    let mut change = high(&mut world, CASP, 1);
    change.transaction_id = Some(TransactionId::parse("ANOTHER").unwrap());
    check(&mut world, CASP, change, unchanged(Withdrawal::Unknown));
    // Times that have passed, or cross each other.
    let mut change = of(&mut world, CASP, 1);
    change.latest = Some(world.now());
    let refused = |reason| Receipt::Refused { reason };
    check(&mut world, CASP, change, refused(Reason::LatestTimePassed));
    let mut change = of(&mut world, CASP, 1);
    change.latest = Some(world.now().saturating_add(HOUR));
    change.earliest = change.latest;
    check(&mut world, CASP, change, refused(Reason::OperatorRefused));
    // Settled, and withdrawn.
    fund(&mut world, 700);
    let change = high(&mut world, CASP, 1);
    check(&mut world, CASP, change, unchanged(Withdrawal::Settled));
    let second = pay(&mut world, 2, 100);
    let source = operator();
    let change = Change::Withdraw;
    accept(
        &mut world,
        Command::Change {
            source,
            id: second,
            change,
        },
    );
    let change = high(&mut world, CASP, 2);
    check(&mut world, CASP, change, unchanged(Withdrawal::Ended));
}

#[test]
fn a_payment_of_the_central_bank_is_not_a_banks_to_change() {
    let mut world = open();
    let payment = Payment {
        from: CASP,
        to: HSBK,
        amount: Money::kzt(100),
        priority: Priority::CentralBank,
        reference: torap_domain::Text::truncated("CB-1"),
        earliest: None,
        latest: None,
    };
    let source = operator();
    accept(&mut world, Command::Pay { source, payment });
    let mut change = of(&mut world, CASP, 1);
    change.uetr = crate::settlement::uetr_of_record(Position(world.stamp.position.value()));
    change.priority = Some(Priority::Normal);
    let reason = Reason::OperatorRefused;
    world.refuse(Any::Settlement(Command::Modify(change)), reason);
    assert_eq!(receipt(&world, CASP), Receipt::Refused { reason });
}

#[test]
fn the_priority_that_it_has_already_leaves_a_payment_in_its_place() {
    let mut world = open();
    let first = pay(&mut world, 1, 700);
    let second = pay(&mut world, 2, 100);
    let mut change = of(&mut world, CASP, 1);
    change.priority = Some(Priority::Normal);
    accept(&mut world, Command::Modify(change));
    assert_eq!(receipt(&world, CASP), Receipt::Done);
    assert_eq!(queue(&world), [first, second]);
}

#[test]
fn a_sponsor_and_its_indirect_banks_change_and_withdraw_each_what_it_has_given() {
    let mut world = open();
    let source = operator();
    world.accept(Any::Rules { source, version: 2 });
    for (code, bank_code) in [("SMAL", 555), ("TINY", 556)] {
        let agent = format!("{code}KZKA");
        world.accept(Any::Participants(participants::Command::Add {
            source,
            profile: participants::Profile {
                code: Text::truncated(code),
                name: Text::truncated(code),
                bics: vec![Bic::parse(&agent).unwrap()],
                bank_codes: vec![BankCode::from_value(bank_code).unwrap()],
                sponsor: Some(CASP),
                technical_senders: Vec::new(),
                services: Vec::new(),
                floor: None,
                ceiling: None,
            },
            mode: participants::PositionMode::Prefunded,
        }));
    }
    let (small, tiny) = (ParticipantId(5), ParticipantId(6));
    let agents = [
        (small, Bic::parse("SMALKZKA").unwrap()),
        (tiny, Bic::parse("TINYKZKA").unwrap()),
        (CASP, bic(CASP)),
    ];
    for bank in [small, tiny] {
        world.state(bank, participants::State::Active);
        world.sign(bank, true);
    }
    for (number, (bank, agent)) in (1..).zip(agents) {
        let instruction = Instruction {
            source: world.link(bank),
            references: references(number),
            instructing_agent: agent,
            instructed_agent: None,
            debtor_agent: agent,
            creditor_agent: bic(HSBK),
            creditor_account: None,
            amount: Money::kzt(100),
            priority: Priority::Normal,
            date: None,
            earliest: None,
            latest: None,
        };
        accept(&mut world, Command::Instruct(instruction));
    }
    for (bank, agent) in agents {
        for (number, (payer, _)) in (1..).zip(agents) {
            let change = Modification {
                priority: Some(Priority::High),
                ..named(&mut world, (bank, agent), number)
            };
            let command = Any::Settlement(Command::Modify(change));
            let expected = if payer == bank {
                world.accept(command);
                Receipt::Done
            } else {
                world.refuse(command, Reason::QueuedPaymentUnknown);
                Receipt::Unchanged {
                    withdrawal: Withdrawal::Unknown,
                }
            };
            // The indirect banks' letters go through their sponsor's stream.
            assert_eq!(receipt(&world, CASP), expected, "{bank:?} of {payer:?}");
        }
    }
    for (bank, agent) in agents {
        for (number, (payer, _)) in (1..).zip(agents) {
            let cancellation = Cancellation {
                source: world.link(bank),
                references: references(number),
                cancellation_id: CancellationId::parse("CXL-1").unwrap(),
                instructing_agent: agent,
            };
            let command = Any::Settlement(Command::Cancel(cancellation));
            if payer != bank {
                world.refuse(command, Reason::QueuedPaymentUnknown);
            }
        }
    }
    for (number, (bank, agent)) in (1..).zip(agents) {
        let cancellation = Cancellation {
            source: world.link(bank),
            references: references(number),
            cancellation_id: CancellationId::parse("CXL-2").unwrap(),
            instructing_agent: agent,
        };
        accept(&mut world, Command::Cancel(cancellation));
    }
}
