use super::*;
use crate::{Withdrawal, clearing::Cancellation};
use crate::{
    instant::{self},
    participants,
    world::{CASP, HSBK, IRTY, NOBODY, TSES, key, uetr},
};
use torap_domain::{Bic, CancellationId, Service};

#[test]
fn an_item_is_pending_until_its_session() {
    let mut world = World::new();
    world.send_one(1, CASP, HSBK, 100);
    let position = world.stamp.position;
    assert_eq!(world.statuses(CASP), [(position, vec![0], Status::Pending)]);
    assert!(world.sent_to(HSBK).is_empty());
    let view = world.engine.clearing_view();
    let closes = at("2026-11-23T15:00:00+05:00");
    assert_eq!(view.open, Some((session(MONDAY, 1), closes)));
    assert_eq!(view.waiting, [(date(MONDAY), 1, 100)]);
    assert_eq!(world.engine.next_deadline(), Some(closes));
}

/// One item, changed, and the reason for which it is refused.
fn check(change: impl FnOnce(&mut Order), reason: Reason) {
    let mut world = World::new();
    let mut item = order(1, CASP, HSBK, 100);
    change(&mut item);
    assert_eq!(world.send(CASP, vec![item]), Outcome::Refused(reason));
    let position = world.stamp.position;
    assert_eq!(
        world.statuses(CASP),
        [(position, vec![0], rejected(reason))]
    );
    assert_eq!(world.engine.clearing_view().items, 0);
    // It was not remembered: put right, it is taken.
    world.send_one(1, CASP, HSBK, 100);
}

#[test]
fn the_first_rule_that_is_broken_is_the_answer() {
    let stranger = Bic::parse("AAAAKZKA").unwrap();
    check(
        |item| item.debtor.agent = stranger,
        Reason::UnknownParticipant,
    );
    check(
        |item| item.creditor.agent = stranger,
        Reason::UnknownParticipant,
    );
    check(
        |item| item.debtor = party(IRTY, 1),
        Reason::NotTechnicalSender,
    );
    check(
        |item| item.creditor = party(CASP, 1),
        Reason::SameParticipant,
    );
    for day in ["2026-11-20", "2026-11-21", "2026-11-27"] {
        let value_date = date(day);
        check(
            |item| item.value_date = value_date,
            Reason::ValueDateNotAllowed,
        );
    }
    check(
        |item| item.creditor.account = iban(TSES, 1),
        Reason::AccountBankMismatch,
    );
    check(
        |item| item.debtor.account = iban(TSES, 1),
        Reason::AccountBankMismatch,
    );
    check(|item| item.amount = Money::kzt(0), Reason::AmountZero);
    let above = Money::kzt(500_000_001);
    check(|item| item.amount = above, Reason::AmountAboveServiceLimit);
}

#[test]
fn five_million_tenge_three_days_ahead_are_taken() {
    let mut world = World::new();
    let mut item = order(1, CASP, HSBK, 500_000_000);
    item.value_date = date("2026-11-26");
    assert_eq!(world.send(CASP, vec![item]), Outcome::Accepted);
}

#[test]
fn banks_that_are_suspended_send_or_receive_nothing_new() {
    let mut world = World::new();
    let suspended = participants::State::Suspended {
        debits: true,
        credits: false,
    };
    world.state(CASP, suspended);
    let refused = Outcome::Refused(Reason::SenderSuspended);
    assert_eq!(world.send(CASP, vec![order(1, CASP, HSBK, 1)]), refused);
    world.send_one(2, HSBK, CASP, 1);
    world.state(HSBK, participants::State::Closing);
    let refused = Outcome::Refused(Reason::ReceiverNotActive);
    assert_eq!(world.send(IRTY, vec![order(3, IRTY, HSBK, 1)]), refused);
}

#[test]
fn a_message_of_many_items_is_answered_by_what_became_of_each() {
    let mut world = World::new();
    let mut items: Vec<Order> = (0..130)
        .map(|number| order(number, CASP, HSBK, 100))
        .collect();
    items[3].amount = Money::kzt(0);
    items[5].amount = Money::kzt(0);
    items[66].value_date = date("2026-11-20");
    assert_eq!(world.send(CASP, items), Outcome::Accepted);
    let position = world.stamp.position;
    let but = |range: std::ops::Range<u16>, not: &[u16]| -> Vec<u16> {
        range.filter(|index| !not.contains(index)).collect()
    };
    assert_eq!(
        world.statuses(CASP),
        [
            (position, but(0..64, &[3, 5]), Status::Pending),
            (position, vec![3, 5], rejected(Reason::AmountZero)),
            (position, but(64..128, &[66]), Status::Pending),
            (position, vec![66], rejected(Reason::ValueDateNotAllowed)),
            (position, vec![128, 129], Status::Pending),
        ]
    );
    assert_eq!(world.engine.clearing_view().items, 127);
}

#[test]
fn a_repeat_is_answered_as_the_first_and_taken_once() {
    let mut world = World::new();
    world.send_one(1, CASP, HSBK, 100);
    world.send_one(1, CASP, HSBK, 100);
    let position = world.stamp.position;
    assert_eq!(world.statuses(CASP), [(position, vec![0], Status::Pending)]);
    assert_eq!(world.engine.clearing_view().items, 1);
    world.endow(CASP, 1_000);
    world.close();
    world.send_one(1, CASP, HSBK, 100);
    let position = world.stamp.position;
    assert_eq!(world.statuses(CASP), [(position, vec![0], Status::Settled)]);
    assert_eq!(world.settlement(CASP), 900);
    // Twice in one message.
    let twice = vec![order(2, CASP, HSBK, 7), order(2, CASP, HSBK, 7)];
    let twice = twice.into_iter().map(|item| Order {
        value_date: date(TUESDAY),
        ..item
    });
    assert_eq!(world.send(CASP, twice.collect()), Outcome::Accepted);
    assert_eq!(
        world.engine.clearing_view().waiting,
        [(date(TUESDAY), 1, 7)]
    );
}

#[test]
fn an_identifier_belongs_to_one_content() {
    let mismatch = Outcome::Refused(Reason::DuplicateMismatch);
    let mut world = World::new();
    world.send_one(1, CASP, HSBK, 100);
    assert_eq!(world.send(CASP, vec![order(1, CASP, HSBK, 101)]), mismatch);
    let mut other_key = order(1, CASP, HSBK, 100);
    other_key.key = PaymentKey(bytes(2));
    assert_eq!(world.send(CASP, vec![other_key]), mismatch);
    let mut other_uetr = order(1, CASP, HSBK, 100);
    other_uetr.uetr = item_uetr(2);
    assert_eq!(world.send(CASP, vec![other_uetr]), mismatch);
    assert_eq!(
        world.engine.clearing_view().waiting,
        [(date(MONDAY), 1, 100)]
    );
}

#[test]
fn an_identifier_of_an_instant_payment_is_not_used_again() {
    let mut world = World::new();
    world.settled(9, Service::C2cAccount, 100);
    for (change, number) in [(true, 1), (false, 2)] {
        let mut item = order(number, CASP, HSBK, 100);
        if change {
            item.key = key(9);
        } else {
            item.uetr = uetr(9);
        }
        let mismatch = Outcome::Refused(Reason::DuplicateMismatch);
        assert_eq!(world.send(CASP, vec![item]), mismatch);
    }
    assert!(matches!(
        world.engine.find(&key(9)),
        Some(instant::Finished { .. })
    ));
}

#[test]
fn who_may_not_send_for_the_agent_is_turned_away_as_a_whole() {
    let mut world = World::new();
    let source = world.link(HSBK);
    let command = Command::Submit(submit(source, CASP, vec![order(1, CASP, HSBK, 1)]));
    world.refuse(Any::Clearing(command), Reason::UnboundSender);
    assert!(matches!(world.sent_to(HSBK)[..], [Message::Reject { .. }]));
    for count in [0, super::super::PIECE_ITEMS_MAX + 1] {
        let items = (0..count).map(|number| order(number as u32, CASP, HSBK, 1));
        let refused = Outcome::Refused(Reason::ProfileViolation);
        assert_eq!(world.send(CASP, items.collect()), refused);
    }
    let command = Command::Submit(submit(Source::Switch, CASP, vec![order(1, CASP, HSBK, 1)]));
    world.refuse(Any::Clearing(command), Reason::UnboundSender);
    assert_eq!(world.engine.clearing_view().items, 0);
}

#[test]
fn the_operator_submits_for_a_bank_which_is_told() {
    let mut world = World::new();
    let items = vec![order(1, CASP, HSBK, 1)];
    world.accept(Any::Clearing(Command::Submit(submit(
        operator(),
        CASP,
        items,
    ))));
    let position = world.stamp.position;
    assert_eq!(world.statuses(CASP), [(position, vec![0], Status::Pending)]);
    let mut nobody = submit(operator(), CASP, vec![order(2, CASP, HSBK, 1)]);
    nobody.instructing_agent = Bic::parse("AAAAKZKA").unwrap();
    let command = Any::Clearing(Command::Submit(nobody));
    world.refuse(command, Reason::UnknownParticipant);
}

#[test]
fn an_item_is_withdrawn_until_its_session_closes() {
    let mut world = World::new();
    world.endow(CASP, 1_000);
    world.send(
        CASP,
        vec![order(1, CASP, HSBK, 100), order(2, CASP, HSBK, 200)],
    );
    let submitted = world.stamp.position;
    let withdraw = |number| {
        Any::Clearing(Command::Withdraw {
            source: operator(),
            uetr: item_uetr(number),
        })
    };
    world.accept(withdraw(2));
    let withdrawn = rejected(Reason::ItemWithdrawn);
    assert_eq!(world.statuses(CASP), [(submitted, vec![1], withdrawn)]);
    world.refuse(withdraw(2), Reason::ItemWithdrawn);
    world.refuse(withdraw(3), Reason::OriginalUnknown);
    let by_link = Command::Withdraw {
        source: world.link(CASP),
        uetr: item_uetr(1),
    };
    world.refuse(Any::Clearing(by_link), Reason::OperatorRefused);
    world.close();
    assert_eq!(world.item(1), Status::Settled);
    assert_eq!(world.item(2), withdrawn);
    assert_eq!(world.settlement(HSBK), 100);
    world.refuse(withdraw(1), Reason::SessionClosed);
}

#[test]
fn nobody_withdraws_the_item_of_another() {
    let mut world = World::new();
    world.send_one(1, CASP, HSBK, 100);
    let (stamp, uetr) = (world.stamp, item_uetr(1));
    let mut withdraw = |by| {
        let world = &mut world;
        super::super::intake::withdraw(
            &mut world.engine.state,
            stamp,
            &uetr,
            Some(by),
            &mut world.out,
        )
    };
    assert_eq!(withdraw(HSBK), Err(Reason::OriginalMismatch));
    assert_eq!(withdraw(NOBODY), Err(Reason::OriginalMismatch));
    assert_eq!(withdraw(CASP), Ok(()));
}

#[test]
fn no_more_items_are_known_than_the_settings_say() {
    let mut world = World::new();
    let settings = super::super::Settings {
        items_max: 2,
        ..super::super::Settings::initial()
    };
    world.accept(Any::Clearing(Command::SetSettings {
        source: operator(),
        settings,
    }));
    let items = (1..=3).map(|number| order(number, CASP, HSBK, 1)).collect();
    assert_eq!(world.send(CASP, items), Outcome::Accepted);
    let position = world.stamp.position;
    assert_eq!(
        world.statuses(CASP),
        [
            (position, vec![0, 1], Status::Pending),
            (position, vec![2], rejected(Reason::InFlightFull)),
        ]
    );
}

#[test]
fn a_bank_takes_its_item_back_and_is_answered() {
    let mut world = World::new();
    world.endow(CASP, 100);
    let items = (1..=3)
        .map(|number| order(number, CASP, HSBK, 100))
        .collect();
    world.send(CASP, items);
    let submitted = world.stamp.position;
    let ask = |world: &mut World, from, number: u32, key: u32| {
        let source = world.link(from);
        let mut references = crate::world::references(1);
        references.uetr = item_uetr(number);
        let asked = world.apply(Any::Clearing(Command::Cancel(Cancellation {
            source,
            key: PaymentKey(bytes(key)),
            references,
            cancellation_id: CancellationId::parse("CXL-1").unwrap(),
            instructing_agent: bic(from),
        })));
        (asked, world.sent_to(from).last().copied())
    };
    let answer = |world: &World, withdrawal| {
        let original = world.stamp.position;
        Some(Message::WithdrawalAnswer {
            original,
            withdrawal,
        })
    };
    let unknown = Outcome::Refused(Reason::OriginalUnknown);
    for (from, number, key) in [(HSBK, 2, 2), (CASP, 9, 9), (CASP, 2, 1)] {
        let asked = ask(&mut world, from, number, key);
        assert_eq!(asked, (unknown, answer(&world, Withdrawal::Unknown)));
    }
    let asked = ask(&mut world, CASP, 2, 2);
    assert_eq!(asked, (Outcome::Accepted, answer(&world, Withdrawal::Done)));
    let withdrawn = rejected(Reason::ItemWithdrawn);
    assert_eq!(world.statuses(CASP), [(submitted, vec![1], withdrawn)]);
    let closed = Outcome::Refused(Reason::SessionClosed);
    let asked = ask(&mut world, CASP, 2, 2);
    assert_eq!(asked, (closed, answer(&world, Withdrawal::Ended)));
    world.close();
    let asked = ask(&mut world, CASP, 1, 1);
    assert_eq!(asked, (closed, answer(&world, Withdrawal::Settled)));
    let asked = ask(&mut world, CASP, 3, 3);
    assert_eq!(
        asked,
        (closed, answer(&world, Withdrawal::Ended)),
        "left out"
    );
    let by_operator = Command::Cancel(Cancellation {
        source: operator(),
        key: PaymentKey(bytes(1)),
        references: crate::world::references(1),
        cancellation_id: CancellationId::parse("CXL-1").unwrap(),
        instructing_agent: bic(CASP),
    });
    world.refuse(Any::Clearing(by_operator), Reason::UnboundSender);
}

#[test]
fn items_that_break_the_table_are_told_and_the_others_stand() {
    let mut world = World::new();
    let refused = |number: u16| RefusedOrder {
        number,
        instruction_id: None,
        end_to_end_id: None,
        transaction_id: Some(Text::truncated("TX-9")),
        uetr: None,
        code: Text::truncated("AC03"),
        text: Text::truncated("CdtTrfTxInf[2]/CdtrAcct/Id/IBAN"),
        lines: Vec::new(),
        more: 0,
    };
    let mut send = |items: Vec<Order>, count: u16| {
        let source = world.link(CASP);
        let submit = Submit {
            refused: (0..count).map(refused).collect(),
            ..submit(source, CASP, items)
        };
        let outcome = world.apply(Any::Clearing(Command::Submit(submit)));
        let original = world.stamp.position;
        let told: Vec<(u16, u64)> = world
            .sent_to(CASP)
            .into_iter()
            .filter_map(|message| match message {
                Message::ClearingRefused {
                    original: of,
                    first,
                    items,
                } => {
                    assert_eq!(of, original);
                    Some((first, items))
                }
                _ => None,
            })
            .collect();
        (outcome, told, world.statuses(CASP))
    };
    let item = order(1, CASP, HSBK, 100);
    let (outcome, told, statuses) = send(vec![item.clone()], 2);
    assert_eq!((outcome, told), (Outcome::Accepted, vec![(0, 0b11)]));
    assert_eq!(statuses[0].2, Status::Pending);
    // The message again: the item as it stands, the others refused as before.
    let (outcome, told, statuses) = send(vec![item], 2);
    assert_eq!((outcome, told), (Outcome::Accepted, vec![(0, 0b11)]));
    assert_eq!(statuses[0].2, Status::Pending);
    // Nothing but refused items, more than one message holds.
    let (outcome, told, statuses) = send(Vec::new(), 65);
    assert_eq!(outcome, Outcome::Refused(Reason::ProfileViolation));
    assert_eq!((told, statuses.len()), (vec![(0, u64::MAX), (64, 1)], 0));
    // Together they are as many as a message may have.
    let (outcome, _, _) = send(vec![order(2, CASP, HSBK, 100)], 512);
    assert_eq!(outcome, Outcome::Refused(Reason::ProfileViolation));
    assert_eq!(world.engine.clearing_items().count(), 1);
}
