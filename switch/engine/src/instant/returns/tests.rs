use torap_domain::{
    BankCode, Bic, Money, ParticipantId, Reason, ReturnId, Service, Span, Text, TransactionId,
};

use super::*;
use crate::{
    Bounds, Command as AnyCommand,
    instant::{self, CreditTransfer, Fingerprint, History, PaymentKey, Settings, Verdict},
    participants::{self, Direction, PositionMode, Profile},
    world::{CASP, FUNDS, HSBK, IRTY, TSES, World, bic, key, operator, references, rejected},
};

const AMOUNT: u64 = 1_000_000;

/// HSBK returns `amount` of the payment `number`; `name` makes the return's identifiers.
fn payment_return(world: &mut World, number: u8, name: u8, amount: u64) -> Return {
    Return {
        source: world.link(HSBK),
        references: references(number),
        return_id: ReturnId::parse(&format!("RTR-{name}")).unwrap(),
        key: return_key(name),
        fingerprint: Fingerprint([name; 16]),
        instructing_agent: bic(HSBK),
        amount: Money::kzt(amount),
        reason_code: *b"CUST",
        history: None,
        original: None,
    }
}

fn return_key(name: u8) -> PaymentKey {
    PaymentKey([0x80 | name; 16])
}

fn command(payment_return: Return) -> AnyCommand {
    AnyCommand::Instant(instant::Command::Return(payment_return))
}

/// A world in which the payment 1 from CASP to HSBK is settled.
fn settled(service: Service) -> (World, Finished) {
    let mut world = World::new();
    let original = world.settled(1, service, AMOUNT);
    (world, original)
}

fn accept(world: &mut World, payment_return: Return) {
    world.accept(command(payment_return));
    assert_eq!(world.status_to(HSBK), (Status::Settled, false));
}

/// Refused with an answer, and remembered as a finished return unless `transient`.
fn refuse(world: &mut World, payment_return: Return, reason: Reason, transient: bool) {
    let before = world.available(HSBK);
    world.refuse(command(payment_return), reason);
    assert_eq!(world.status_to(HSBK), (rejected(reason), false));
    assert_eq!(world.out.effects.len(), 1);
    assert_eq!(world.available(HSBK), before);
    if transient {
        assert_eq!(world.out.events, [Event::Refused { reason }]);
    } else {
        let finished = world.finished();
        let agent_code = None;
        assert_eq!(
            finished.outcome,
            FinalOutcome::Rejected { reason, agent_code }
        );
        assert_eq!(world.engine.find(&payment_return.key), Some(finished));
    }
}

#[test]
fn a_return_posts_at_once_and_both_banks_are_told() {
    let (mut world, original) = settled(Service::C2cAccount);
    assert_eq!(world.available(HSBK), i128::from(FUNDS + AMOUNT));
    let command = payment_return(&mut world, 1, 1, AMOUNT);
    accept(&mut world, command);
    assert_eq!(world.available(HSBK), i128::from(FUNDS));
    assert_eq!(world.available(CASP), i128::from(FUNDS));
    let at = world.stamp.position;
    assert_eq!(
        world.sent_to(CASP),
        [Message::ForwardReturn { original: at }]
    );
    let returned = Event::PaymentReturned {
        original: key(1),
        returned: Money::kzt(AMOUNT),
    };
    let finished = world.finished();
    assert_eq!(
        world.out.events,
        [Event::ReturnFinished(finished), returned]
    );
    let expected = Finished {
        key: return_key(1),
        uetr: original.uetr,
        fingerprint: command.fingerprint,
        submitted: at,
        decided: at,
        decided_at: world.now(),
        outcome: FinalOutcome::Settled,
        service: Service::C2cAccount,
        amount: Money::kzt(AMOUNT),
        returned: Money::kzt(0),
        debtor_agent: HSBK,
        creditor_agent: CASP,
    };
    assert_eq!(finished, expected);
    // The window knows how much of the payment came back.
    let known = world.engine.find(&key(1)).unwrap();
    assert_eq!(known.returned, Money::kzt(AMOUNT));
    assert_eq!(known.decided, original.decided);
}

#[test]
fn the_status_names_the_return_and_the_forward_the_payment() {
    let (mut world, _) = settled(Service::C2cAccount);
    let command = payment_return(&mut world, 1, 1, AMOUNT);
    accept(&mut world, command);
    for effect in &world.out.effects {
        let stated = effect.references.unwrap().transaction_id;
        let expected = if effect.outbound.to == HSBK {
            TransactionId::parse("RTR-1").unwrap()
        } else {
            references(1).transaction_id
        };
        assert_eq!(stated, expected);
        assert_eq!(effect.amount, Some(Money::kzt(AMOUNT)));
        assert_eq!(effect.outbound.expires, None);
    }
    assert_eq!(world.out.effects.len(), 2);
}

#[test]
fn a_repeat_gets_the_first_answer_and_moves_nothing() {
    let (mut world, _) = settled(Service::C2cAccount);
    let first = payment_return(&mut world, 1, 1, AMOUNT);
    accept(&mut world, first);
    let decided = world.stamp.position;
    let mut again = first;
    again.source = world.link(HSBK);
    world.refuse(command(again), Reason::DuplicateReplay);
    match world.sent_to(HSBK).as_slice() {
        [
            Message::Status {
                original,
                status: Status::Settled,
                decided: first_decided,
                repeat: true,
                ..
            },
        ] => {
            assert_eq!(*original, world.stamp.position);
            assert_eq!(*first_decided, decided);
        }
        other => panic!("{other:?}"),
    }
    assert!(world.sent_to(CASP).is_empty());
    assert_eq!(world.available(HSBK), i128::from(FUNDS));
    // A refused return is repeated as refused, even if it would be accepted now.
    let mut early = payment_return(&mut world, 2, 2, AMOUNT);
    refuse(&mut world, early, Reason::OriginalUnknown, false);
    world.settled(2, Service::C2cAccount, AMOUNT);
    early.source = world.link(HSBK);
    world.refuse(command(early), Reason::DuplicateReplay);
    assert_eq!(
        world.status_to(HSBK),
        (rejected(Reason::OriginalUnknown), true)
    );
}

#[test]
fn an_identifier_used_with_other_content_is_refused_and_the_first_stands() {
    let (mut world, _) = settled(Service::Qr);
    let first = payment_return(&mut world, 1, 1, AMOUNT / 2);
    accept(&mut world, first);
    let mut other = payment_return(&mut world, 1, 1, AMOUNT / 4);
    other.fingerprint = Fingerprint([9; 16]);
    refuse(&mut world, other, Reason::DuplicateMismatch, true);
    let mut elsewhere = payment_return(&mut world, 2, 1, AMOUNT / 2);
    elsewhere.fingerprint = first.fingerprint;
    refuse(&mut world, elsewhere, Reason::DuplicateMismatch, true);
    let known = world.engine.find(&return_key(1)).unwrap();
    assert_eq!(known.outcome, FinalOutcome::Settled);
}

#[test]
fn a_persons_payment_is_returned_once_and_in_full() {
    for service in [Service::C2cAccount, Service::Me2Me] {
        let (mut world, _) = settled(service);
        let part = payment_return(&mut world, 1, 1, AMOUNT - 1);
        refuse(&mut world, part, Reason::ReturnNotAllowed, false);
        let more = payment_return(&mut world, 1, 2, AMOUNT + 1);
        refuse(&mut world, more, Reason::ReturnAmountExceeds, false);
        let full = payment_return(&mut world, 1, 3, AMOUNT);
        accept(&mut world, full);
        let again = payment_return(&mut world, 1, 4, AMOUNT);
        refuse(&mut world, again, Reason::AlreadyReturned, false);
    }
}

#[test]
fn a_qr_payment_is_returned_in_parts_that_never_exceed_it() {
    let (mut world, _) = settled(Service::Qr);
    let script = [
        (AMOUNT / 2, None),
        (AMOUNT / 2 + 1, Some(Reason::ReturnAmountExceeds)),
        (AMOUNT + 1, Some(Reason::ReturnAmountExceeds)),
        (AMOUNT / 4, None),
        (AMOUNT / 4, None),
        (1, Some(Reason::AlreadyReturned)),
    ];
    for (name, (amount, refusal)) in (1..).zip(script) {
        let command = payment_return(&mut world, 1, name, amount);
        match refusal {
            None => accept(&mut world, command),
            Some(reason) => refuse(&mut world, command, reason, false),
        }
    }
    assert_eq!(world.available(CASP), i128::from(FUNDS));
}

#[test]
fn only_a_settled_payment_can_be_returned() {
    let mut world = World::new();
    let unknown = payment_return(&mut world, 1, 1, AMOUNT);
    refuse(&mut world, unknown, Reason::OriginalUnknown, false);
    // Under way.
    let payment = world.payment(2, Service::C2cAccount, AMOUNT);
    world.accept(AnyCommand::Instant(instant::Command::CreditTransfer(
        payment,
    )));
    let early = payment_return(&mut world, 2, 2, AMOUNT);
    refuse(&mut world, early, Reason::OriginalNotSettled, false);
    // Rejected.
    world.answer(
        2,
        Verdict::Reject {
            agent_code: *b"AC04",
        },
    );
    let rejected = payment_return(&mut world, 2, 3, AMOUNT);
    refuse(&mut world, rejected, Reason::OriginalNotSettled, false);
    // Declared never received.
    let request = instant::StatusRequest {
        source: world.link(CASP),
        references: references(4),
        key: key(4),
        instructing_agent: bic(CASP),
        original: None,
    };
    world.accept(AnyCommand::Instant(instant::Command::StatusRequest(
        request,
    )));
    let buried = payment_return(&mut world, 4, 4, AMOUNT);
    refuse(&mut world, buried, Reason::OriginalUnknown, false);
}

#[test]
fn only_the_payees_bank_returns() {
    let (mut world, _) = settled(Service::C2cAccount);
    let stranger = Return {
        source: world.link(IRTY),
        instructing_agent: bic(IRTY),
        ..payment_return(&mut world, 1, 1, AMOUNT)
    };
    world.refuse(command(stranger), Reason::OriginalMismatch);
    assert_eq!(
        world.status_to(IRTY),
        (rejected(Reason::OriginalMismatch), false)
    );
    // In another bank's name: not even remembered.
    let forged = Return {
        source: world.link(IRTY),
        ..payment_return(&mut world, 1, 2, AMOUNT)
    };
    world.refuse(command(forged), Reason::UnboundSender);
    let original = world.stamp.position;
    let reason = Reason::UnboundSender;
    assert_eq!(world.sent_to(IRTY), [Message::Reject { original, reason }]);
    assert_eq!(world.engine.find(&return_key(2)), None);
}

#[test]
fn an_amount_of_zero_is_refused() {
    let (mut world, _) = settled(Service::Qr);
    let nothing = payment_return(&mut world, 1, 1, 0);
    refuse(&mut world, nothing, Reason::AmountZero, false);
}

#[test]
fn the_standing_of_both_banks_counts() {
    let suspended = |debits, credits| Standing::Suspended { debits, credits };
    let cases = [
        (HSBK, Standing::Closing, None),
        (HSBK, Standing::Certifying, Some(Reason::SenderNotActive)),
        (HSBK, suspended(true, false), Some(Reason::SenderSuspended)),
        (HSBK, suspended(false, true), None),
        (CASP, Standing::Closing, None),
        (CASP, Standing::Certifying, Some(Reason::ReceiverNotActive)),
        (CASP, suspended(true, false), None),
        (
            CASP,
            suspended(false, true),
            Some(Reason::ReceiverSuspended),
        ),
    ];
    for (bank, standing, refusal) in cases {
        let (mut world, _) = settled(Service::C2cAccount);
        world.state(bank, standing);
        let command = payment_return(&mut world, 1, 1, AMOUNT);
        match refusal {
            None => accept(&mut world, command),
            Some(reason) => refuse(&mut world, command, reason, false),
        }
    }
}

#[test]
fn a_return_posts_while_the_payers_bank_is_away() {
    let (mut world, _) = settled(Service::C2cAccount);
    world.sign(CASP, false);
    let command = payment_return(&mut world, 1, 1, AMOUNT);
    accept(&mut world, command);
    assert_eq!(world.sent_to(CASP).len(), 1);
}

#[test]
fn returns_are_accepted_within_their_window() {
    let window = Settings::initial().return_window;
    let (mut world, original) = settled(Service::C2cAccount);
    let end = original.decided_at.saturating_add(window);
    // Commands come a millisecond apart.
    world.stamp.time = end.saturating_sub(Span::from_millis(1));
    let late = payment_return(&mut world, 1, 1, AMOUNT);
    refuse(&mut world, late, Reason::ReturnWindowClosed, false);
    let (mut world, original) = settled(Service::C2cAccount);
    let end = original.decided_at.saturating_add(window);
    world.stamp.time = end.saturating_sub(Span::from_millis(2));
    let just = payment_return(&mut world, 1, 1, AMOUNT);
    accept(&mut world, just);
}

#[test]
fn a_bank_returns_only_what_it_has() {
    let (mut world, _) = settled(Service::C2cAccount);
    let out = participants_fund(Direction::Out, FUNDS + 1);
    world.accept(out);
    let command = payment_return(&mut world, 1, 1, AMOUNT);
    refuse(&mut world, command, Reason::InsufficientFunds, false);
    world.accept(participants_fund(Direction::In, 1));
    // The refused one stays refused; a new one passes.
    let again = payment_return(&mut world, 1, 2, AMOUNT);
    accept(&mut world, again);
    assert_eq!(world.available(HSBK), 0);
}

fn participants_fund(direction: Direction, amount: u64) -> AnyCommand {
    AnyCommand::Participants(participants::Command::Fund {
        source: operator(),
        participant: HSBK,
        direction,
        amount: Money::kzt(amount),
    })
}

#[test]
fn beyond_the_window_the_index_knows_the_original() {
    let (mut world, original) = settled(Service::Qr);
    let history = |as_of, returned| {
        let finished = Finished {
            returned: Money::kzt(returned),
            ..original
        };
        Some(History::Known { as_of, finished })
    };
    forget(&mut world);
    assert_eq!(world.engine.find(&key(1)), None);
    let dropped = world.engine.window_dropped_upto();
    // Without facts, or with facts older than what was dropped.
    let without = payment_return(&mut world, 1, 1, AMOUNT);
    refuse(&mut world, without, Reason::RetryLater, true);
    let mut old = payment_return(&mut world, 1, 1, AMOUNT);
    old.history = Some(History::Unknown { as_of: dropped });
    old.original = history(original.submitted, 0);
    refuse(&mut world, old, Reason::RetryLater, true);
    // A final status would belie the copy that settles: by version 3 of the rules there is none.
    let source = operator();
    world.accept(AnyCommand::Rules { source, version: 3 });
    for mut postponed in [without, old] {
        postponed.source = world.link(HSBK);
        let reason = Reason::RetryLater;
        world.refuse(command(postponed), reason);
        let original = world.stamp.position;
        assert_eq!(world.sent_to(HSBK), [Message::Reject { original, reason }]);
    }
    // A fact about another payment proves nothing of this one.
    let mut other = payment_return(&mut world, 7, 2, AMOUNT);
    other.history = old.history;
    other.original = history(dropped, 0);
    refuse(&mut world, other, Reason::OriginalUnknown, false);
    let dropped = world.engine.window_dropped_upto();
    let mut fresh = payment_return(&mut world, 1, 3, AMOUNT / 2);
    fresh.history = Some(History::Unknown { as_of: dropped });
    fresh.original = history(dropped, AMOUNT / 4);
    accept(&mut world, fresh);
    let known = world.engine.find(&key(1)).unwrap();
    assert_eq!(known.returned, Money::kzt(AMOUNT / 4 + AMOUNT / 2));
    // From here on the window is right, whatever the fact says.
    let mut more = payment_return(&mut world, 1, 4, AMOUNT / 2);
    more.history = Some(History::Unknown {
        as_of: world.engine.window_dropped_upto(),
    });
    more.original = fresh.original;
    refuse(&mut world, more, Reason::ReturnAmountExceeds, false);
}

/// The window keeps two entries, and two others come.
fn forget(world: &mut World) {
    world.accept(AnyCommand::Bounds {
        source: operator(),
        bounds: Bounds {
            duplicate_window_entries: 2,
            ..Bounds::DEFAULT
        },
    });
    for number in 20..22 {
        let history = Some(History::Unknown {
            as_of: world.stamp.position,
        });
        let mut payment = world.payment(number, Service::C2cAccount, 100);
        payment.history = history;
        world.accept(AnyCommand::Instant(instant::Command::CreditTransfer(
            payment,
        )));
        world.answer(number, Verdict::Accept);
    }
}

#[test]
fn a_return_known_to_the_index_is_a_repeat() {
    let (mut world, _) = settled(Service::C2cAccount);
    let first = payment_return(&mut world, 1, 1, AMOUNT);
    accept(&mut world, first);
    let finished = world.finished();
    forget(&mut world);
    let mut again = first;
    again.source = world.link(HSBK);
    again.history = Some(History::Known {
        as_of: world.engine.window_dropped_upto(),
        finished,
    });
    world.refuse(command(again), Reason::DuplicateReplay);
    assert_eq!(world.status_to(HSBK), (Status::Settled, true));
    again.source = world.link(HSBK);
    again.fingerprint = Fingerprint([7; 16]);
    refuse(&mut world, again, Reason::DuplicateMismatch, true);
}

#[test]
fn after_mergers_the_successors_settle_the_return() {
    let (mut world, _) = settled(Service::C2cAccount);
    world.succeed(HSBK, TSES);
    world.succeed(CASP, IRTY);
    let command = Return {
        source: world.link(TSES),
        instructing_agent: bic(TSES),
        ..payment_return(&mut world, 1, 1, AMOUNT)
    };
    let before = [world.available(TSES), world.available(IRTY)];
    world.accept(self::command(command));
    let amount = i128::from(AMOUNT);
    assert_eq!(world.available(TSES), before[0] - amount);
    assert_eq!(world.available(IRTY), before[1] + amount);
    assert_eq!(world.sent_to(IRTY).len(), 1);
}

#[test]
fn between_banks_on_one_position_nothing_is_booked() {
    let mut world = World::new();
    let agent = Bic::parse("INDRKZKA").unwrap();
    let profile = Profile {
        code: Text::truncated("INDR"),
        name: Text::truncated("INDR"),
        bics: vec![agent],
        bank_codes: vec![BankCode::from_value(111).unwrap()],
        sponsor: Some(HSBK),
        technical_senders: Vec::new(),
        services: Service::ALL.to_vec(),
        floor: None,
        ceiling: None,
    };
    world.accept(AnyCommand::Participants(participants::Command::Add {
        source: operator(),
        profile,
        mode: PositionMode::Prefunded,
    }));
    world.state(ParticipantId(5), Standing::Active);
    // From the indirect participant's customer to its sponsor's, and back.
    let payment = CreditTransfer {
        source: world.link(HSBK),
        instructing_agent: agent,
        debtor_agent: agent,
        ..world.payment(1, Service::C2cAccount, AMOUNT)
    };
    world.accept(AnyCommand::Instant(instant::Command::CreditTransfer(
        payment,
    )));
    world.answer(1, Verdict::Accept);
    let back = payment_return(&mut world, 1, 1, AMOUNT);
    world.accept(command(back));
    // Both messages go out on the sponsor's stream.
    assert_eq!(world.sent_to(HSBK).len(), 2);
    assert_eq!(world.available(HSBK), i128::from(FUNDS));
    let known = world.engine.find(&key(1)).unwrap();
    assert_eq!(known.returned, Money::kzt(AMOUNT));
}
