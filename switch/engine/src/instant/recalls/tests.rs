use torap_domain::{CancellationId, Money, Reason, ReturnId, Service, Span};

use super::*;
use crate::{
    Bounds, Command as AnyCommand,
    instant::{self, Fingerprint, PaymentKey, Return, Verdict},
    world::{BANK_IDS, CASP, HSBK, IRTY, TSES, World, bic, key, operator, references},
};

const AMOUNT: u64 = 1_000_000;

/// CASP asks the payment `number` back.
fn recall(world: &mut World, number: u8, code: &[u8; 4]) -> Recall {
    Recall {
        source: world.link(CASP),
        references: references(number),
        cancellation_id: CancellationId::parse("CXL-1").unwrap(),
        instructing_agent: bic(CASP),
        reason_code: *code,
        original: None,
    }
}

fn command(recall: Recall) -> AnyCommand {
    AnyCommand::Instant(instant::Command::Recall(recall))
}

/// HSBK refuses the recall of the payment `number`.
fn resolution(world: &mut World, number: u8) -> Resolution {
    Resolution {
        source: world.link(HSBK),
        references: references(number),
        instructing_agent: bic(HSBK),
        reason_code: *b"CUST",
    }
}

fn resolve_by(resolution: Resolution) -> AnyCommand {
    AnyCommand::Instant(instant::Command::Resolution(resolution))
}

/// A world in which the payment 1 from CASP to HSBK is settled.
fn settled(service: Service) -> (World, Finished) {
    let mut world = World::new();
    let original = world.settled(1, service, AMOUNT);
    (world, original)
}

/// A world in which the payment 1 is recalled, and the record of the recall.
fn recalled(service: Service) -> (World, Position) {
    let (mut world, _) = settled(service);
    let recall = recall(&mut world, 1, b"DUPL");
    world.accept(command(recall));
    let original = world.stamp.position;
    assert_eq!(world.sent_to(HSBK), [Message::ForwardRecall { original }]);
    assert!(world.sent_to(CASP).is_empty());
    (world, original)
}

/// The switch answers the recall of this record itself.
fn refuse(world: &mut World, recall: Recall, reason: Reason) {
    world.refuse(command(recall), reason);
    let original = world.stamp.position;
    assert_eq!(
        world.sent_to(CASP),
        [Message::Resolution { original, reason }]
    );
    assert_eq!(world.out.events, [Event::Refused { reason }]);
    assert_eq!(world.out.effects.len(), 1);
}

/// The message is not carried out at all.
fn reject(world: &mut World, bank: ParticipantId, command: AnyCommand, reason: Reason) {
    world.refuse(command, reason);
    let original = world.stamp.position;
    assert_eq!(world.sent_to(bank), [Message::Reject { original, reason }]);
    assert_eq!(world.out.effects.len(), 1);
}

fn give_back(world: &mut World, name: u8, amount: u64) {
    let payment_return = Return {
        source: world.link(HSBK),
        references: references(1),
        return_id: ReturnId::parse(&format!("RTR-{name}")).unwrap(),
        key: PaymentKey([0x80 | name; 16]),
        fingerprint: Fingerprint([name; 16]),
        instructing_agent: bic(HSBK),
        amount: Money::kzt(amount),
        reason_code: *b"FOCR",
        history: None,
        original: None,
    };
    world.accept(AnyCommand::Instant(instant::Command::Return(
        payment_return,
    )));
}

#[test]
fn a_recall_is_passed_on_and_moves_no_money() {
    let (world, _) = recalled(Service::C2cAccount);
    assert_eq!(world.engine.stats().open_recalls, 1);
    let (before, _) = settled(Service::C2cAccount);
    for bank in [CASP, HSBK] {
        assert_eq!(world.available(bank), before.available(bank));
    }
    let references = world.out.effects[0].references;
    assert_eq!(references, Some(self::references(1)));
}

#[test]
fn a_refusal_of_the_payees_bank_is_passed_on_and_closes_the_recall() {
    let (mut world, _) = recalled(Service::C2cAccount);
    let refusal = resolution(&mut world, 1);
    world.accept(resolve_by(refusal));
    let original = world.stamp.position;
    assert_eq!(
        world.sent_to(CASP),
        [Message::ForwardResolution { original }]
    );
    assert_eq!(world.engine.stats().open_recalls, 0);
    assert_eq!(world.engine.next_deadline(), None);
    // The second answer finds no recall; a second recall may follow.
    let again = resolution(&mut world, 1);
    reject(&mut world, HSBK, resolve_by(again), Reason::OriginalUnknown);
    let once_more = recall(&mut world, 1, b"FRAD");
    world.accept(command(once_more));
}

#[test]
fn only_the_bank_that_was_asked_answers() {
    let (mut world, _) = recalled(Service::C2cAccount);
    let stranger = Resolution {
        source: world.link(IRTY),
        instructing_agent: bic(IRTY),
        ..resolution(&mut world, 1)
    };
    reject(
        &mut world,
        IRTY,
        resolve_by(stranger),
        Reason::OriginalUnknown,
    );
    let forged = Resolution {
        source: world.link(IRTY),
        ..resolution(&mut world, 1)
    };
    reject(&mut world, IRTY, resolve_by(forged), Reason::UnboundSender);
    let other = resolution(&mut world, 2);
    reject(&mut world, HSBK, resolve_by(other), Reason::OriginalUnknown);
    assert_eq!(world.engine.stats().open_recalls, 1);
}

#[test]
fn a_return_answers_the_recall() {
    for (service, amount) in [(Service::C2cAccount, AMOUNT), (Service::Qr, AMOUNT / 2)] {
        let (mut world, _) = recalled(service);
        give_back(&mut world, 1, amount);
        assert_eq!(world.engine.stats().open_recalls, 0);
        assert_eq!(world.engine.next_deadline(), None);
        let original = world.stamp.position;
        assert_eq!(world.sent_to(CASP), [Message::ForwardReturn { original }]);
    }
}

#[test]
fn silence_is_answered_by_the_switch_when_the_time_is_over() {
    let (mut world, original) = recalled(Service::C2cAccount);
    let asked = world.now();
    let deadline = asked.saturating_add(Span::from_secs(21 * 86_400));
    assert_eq!(world.engine.next_deadline(), Some(deadline));
    world.stamp.time = deadline.saturating_sub(Span::from_millis(2));
    world.tick();
    assert!(world.out.effects.is_empty());
    world.tick();
    let reason = Reason::ReceiverTimeout;
    assert_eq!(
        world.sent_to(CASP),
        [Message::Resolution { original, reason }]
    );
    assert_eq!(world.engine.stats().open_recalls, 0);
    let late = resolution(&mut world, 1);
    reject(&mut world, HSBK, resolve_by(late), Reason::OriginalUnknown);
}

#[test]
fn an_answer_at_the_deadline_is_late_even_before_the_tick() {
    let (mut world, original) = recalled(Service::C2cAccount);
    let deadline = world.engine.next_deadline().unwrap();
    world.stamp.time = deadline.saturating_sub(Span::from_millis(1));
    let late = resolution(&mut world, 1);
    reject(&mut world, HSBK, resolve_by(late), Reason::OriginalUnknown);
    world.tick();
    let reason = Reason::ReceiverTimeout;
    assert_eq!(
        world.sent_to(CASP),
        [Message::Resolution { original, reason }]
    );
}

#[test]
fn recalls_expire_in_the_order_of_their_deadlines() {
    let mut world = World::new();
    for (number, code) in [(1, b"DUPL"), (2, b"FAST"), (3, b"CUST")] {
        world.settled(number, Service::C2cAccount, AMOUNT);
        world.accept(set_rule(*b"FAST", 1_000, 60));
        let recall = recall(&mut world, number, code);
        world.accept(command(recall));
    }
    let mut left = Vec::new();
    for _ in 0..3 {
        world.stamp.time = world.engine.next_deadline().unwrap();
        world.tick();
        assert_eq!(world.sent_to(CASP).len(), 1);
        left.push(world.engine.stats().open_recalls);
    }
    assert_eq!(left, [2, 1, 0]);
}

fn set_rule(reason_code: [u8; 4], window_seconds: u64, answer_seconds: u64) -> AnyCommand {
    AnyCommand::Instant(instant::Command::SetRecallRule {
        source: operator(),
        rule: RecallRule {
            reason_code,
            window: Span::from_secs(window_seconds),
            answer_within: Span::from_secs(answer_seconds),
        },
    })
}

#[test]
fn what_is_not_settled_cannot_be_recalled() {
    let mut world = World::new();
    let unknown = recall(&mut world, 1, b"DUPL");
    refuse(&mut world, unknown, Reason::OriginalUnknown);
    let payment = world.payment(1, Service::C2cAccount, AMOUNT);
    world.accept(AnyCommand::Instant(instant::Command::CreditTransfer(
        payment,
    )));
    let early = recall(&mut world, 1, b"DUPL");
    refuse(&mut world, early, Reason::OriginalNotSettled);
    world.answer(
        1,
        Verdict::Reject {
            agent_code: *b"AC04",
        },
    );
    let rejected = recall(&mut world, 1, b"DUPL");
    refuse(&mut world, rejected, Reason::OriginalNotSettled);
    let request = instant::StatusRequest {
        source: world.link(CASP),
        references: references(2),
        key: key(2),
        instructing_agent: bic(CASP),
        original: None,
    };
    world.accept(AnyCommand::Instant(instant::Command::StatusRequest(
        request,
    )));
    let buried = recall(&mut world, 2, b"DUPL");
    refuse(&mut world, buried, Reason::OriginalUnknown);
}

#[test]
fn only_the_payers_bank_recalls() {
    let (mut world, _) = settled(Service::C2cAccount);
    let stranger = Recall {
        source: world.link(IRTY),
        instructing_agent: bic(IRTY),
        ..recall(&mut world, 1, b"DUPL")
    };
    world.refuse(command(stranger), Reason::OriginalMismatch);
    let forged = Recall {
        source: world.link(IRTY),
        ..recall(&mut world, 1, b"DUPL")
    };
    reject(&mut world, IRTY, command(forged), Reason::UnboundSender);
}

#[test]
fn a_payment_returned_in_full_cannot_be_recalled_and_one_returned_in_part_can() {
    let (mut world, _) = settled(Service::Qr);
    give_back(&mut world, 1, AMOUNT / 2);
    let part = recall(&mut world, 1, b"DUPL");
    world.accept(command(part));
    give_back(&mut world, 2, AMOUNT / 2);
    let full = recall(&mut world, 1, b"DUPL");
    refuse(&mut world, full, Reason::AlreadyReturned);
}

#[test]
fn each_reason_has_its_window() {
    let days = |days: u64| Span::from_secs(days * 86_400);
    let cases = [
        (b"DUPL", 14),
        (b"TECH", 14),
        (b"AC03", 14),
        (b"FRAD", 395),
        (b"CUST", 395),
        (b"AM09", 395),
    ];
    for (code, window) in cases {
        let (mut world, original) = settled(Service::C2cAccount);
        let end = original.decided_at.saturating_add(days(window));
        // Commands come a millisecond apart.
        world.stamp.time = end.saturating_sub(Span::from_millis(2));
        let just = recall(&mut world, 1, code);
        world.accept(command(just));
        let refusal = resolution(&mut world, 1);
        world.accept(resolve_by(refusal));
        let late = recall(&mut world, 1, code);
        refuse(&mut world, late, Reason::RecallWindowClosed);
    }
    let (mut world, _) = settled(Service::C2cAccount);
    let unknown = recall(&mut world, 1, b"XXXX");
    refuse(&mut world, unknown, Reason::RecallReasonUnknown);
}

#[test]
fn one_recall_of_a_payment_is_open_at_a_time() {
    let (mut world, _) = recalled(Service::C2cAccount);
    for code in [b"DUPL", b"FRAD"] {
        let second = recall(&mut world, 1, code);
        refuse(&mut world, second, Reason::RecallInProgress);
    }
    assert_eq!(world.engine.stats().open_recalls, 1);
}

#[test]
fn open_recalls_are_bounded() {
    let (mut world, _) = recalled(Service::C2cAccount);
    world.accept(AnyCommand::Bounds {
        source: operator(),
        bounds: Bounds {
            open_recalls_max: 1,
            ..Bounds::DEFAULT
        },
    });
    world.settled(2, Service::C2cAccount, AMOUNT);
    let second = recall(&mut world, 2, b"DUPL");
    refuse(&mut world, second, Reason::InternalLimit);
}

#[test]
fn beyond_the_window_the_fact_must_be_new_enough() {
    let (mut world, original) = settled(Service::C2cAccount);
    world.accept(AnyCommand::Bounds {
        source: operator(),
        bounds: Bounds {
            duplicate_window_entries: 1,
            ..Bounds::DEFAULT
        },
    });
    world.settled(2, Service::C2cAccount, AMOUNT);
    let without = recall(&mut world, 1, b"DUPL");
    reject(&mut world, CASP, command(without), Reason::RetryLater);
    let mut known = recall(&mut world, 1, b"DUPL");
    known.original = Some(instant::History::Known {
        as_of: world.engine.window_dropped_upto(),
        finished: original,
    });
    world.accept(command(known));
}

#[test]
fn rules_are_the_operators_and_bounded() {
    let mut world = World::new();
    let by_bank = AnyCommand::Instant(instant::Command::SetRecallRule {
        source: world.link(CASP),
        rule: RecallRule {
            reason_code: *b"DUPL",
            window: Span::from_secs(1),
            answer_within: Span::from_secs(1),
        },
    });
    world.refuse(by_bank, Reason::OperatorRefused);
    for (code, answer) in [(*b"dupl", 1), (*b"DU L", 1), (*b"DUPL", 0)] {
        world.refuse(set_rule(code, 1, answer), Reason::OperatorRefused);
    }
    // A window of nothing forbids recalls for the reason.
    world.settled(1, Service::C2cAccount, AMOUNT);
    world.accept(set_rule(*b"DUPL", 0, 1));
    let forbidden = recall(&mut world, 1, b"DUPL");
    refuse(&mut world, forbidden, Reason::RecallWindowClosed);
    let free = RULES_MAX - INITIAL_RULES.len();
    for number in 0..free {
        let code = format!("X{number:03}");
        let code: [u8; 4] = code.as_bytes().try_into().unwrap();
        world.accept(set_rule(code, 1, 1));
    }
    world.refuse(set_rule(*b"Y000", 1, 1), Reason::OperatorRefused);
    world.accept(set_rule(*b"X000", 2, 2));
}

#[test]
fn after_mergers_the_successors_are_asked_and_answered() {
    let (mut world, _) = settled(Service::C2cAccount);
    world.succeed(CASP, IRTY);
    world.succeed(HSBK, TSES);
    let recall = Recall {
        source: world.link(IRTY),
        instructing_agent: bic(IRTY),
        ..recall(&mut world, 1, b"DUPL")
    };
    world.accept(command(recall));
    assert_eq!(world.sent_to(TSES).len(), 1);
    let refusal = Resolution {
        source: world.link(TSES),
        instructing_agent: bic(TSES),
        ..resolution(&mut world, 1)
    };
    world.accept(resolve_by(refusal));
    assert_eq!(world.sent_to(IRTY).len(), 1);
}

#[test]
fn a_recall_that_is_open_at_a_merger_is_answered_to_who_took_over() {
    for (version, answered) in [(1, CASP), (2, IRTY)] {
        let (mut world, _) = settled(Service::C2cAccount);
        let source = operator();
        world.accept(AnyCommand::Rules { source, version });
        let recall = recall(&mut world, 1, b"DUPL");
        world.accept(command(recall));
        world.succeed(CASP, IRTY);
        let refusal = resolution(&mut world, 1);
        world.accept(resolve_by(refusal));
        let told = BANK_IDS.map(|bank| world.sent_to(bank).len());
        assert_eq!(told, BANK_IDS.map(|bank| usize::from(bank == answered)));
    }
}

#[test]
fn a_damaged_snapshot_of_the_recalls_is_refused_or_read_but_never_panics() {
    let (mut world, _) = recalled(Service::C2cAccount);
    world.settled(2, Service::C2cAccount, AMOUNT);
    let second = recall(&mut world, 2, b"FRAD");
    world.accept(command(second));
    let mut bytes = Vec::new();
    let recalls = &world.engine.state.instant.recalls;
    recalls.write(&mut Writer::new(&mut bytes));
    for place in 0..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1 << bit;
            let mut reader = Reader::new("snapshot", &damaged);
            if let Ok(state) = State::read(&mut reader) {
                let mut again = Vec::new();
                state.write(&mut Writer::new(&mut again));
                assert_eq!(again, damaged[..again.len()]);
            }
        }
    }
}
