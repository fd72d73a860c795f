use proptest::prelude::*;
use torap_domain::Service;

use super::*;
use crate::{
    Command as Any, Source, Status,
    instant::{self, Return},
    world::{CASP, FUNDS, HSBK, IRTY, World, bic, key, operator, references, uetr},
};

fn open(number: u8, claim: Option<u64>) -> Any {
    Any::Disputes(Command::Open {
        source: operator(),
        claimant: CASP,
        uetr: uetr(number),
        reason_code: *b"FRAD",
        claim,
        original: None,
    })
}

fn act(case: Position, participant: Option<ParticipantId>, action: Action) -> Any {
    Any::Disputes(Command::Act {
        source: operator(),
        case,
        participant,
        action,
        original: None,
    })
}

fn position(world: &World, bank: ParticipantId) -> i128 {
    world.available(bank)
}

/// A settled payment of 1,000 tiyn, a case about it with a claim, and its identifier.
fn claimed(world: &mut World, claim: u64) -> Position {
    world.settled(1, Service::C2cAccount, 1_000);
    world.accept(open(1, Some(claim)));
    world.stamp.position
}

/// The time of the next deadline comes.
fn wait_for_deadline(world: &mut World) {
    let due = world.engine.next_deadline().unwrap();
    world.stamp.time = world.stamp.time.max(due);
    world.tick();
}

#[test]
fn a_case_moves_its_money_at_each_stage() {
    let mut world = World::new();
    let case = claimed(&mut world, 900);
    let funds = i128::from(FUNDS);
    assert_eq!(
        (position(&world, CASP), position(&world, HSBK)),
        (funds - 100, funds + 100)
    );
    world.accept(act(case, Some(HSBK), Action::Represent { contested: 700 }));
    assert_eq!(position(&world, CASP), funds - 800);
    world.accept(act(case, Some(CASP), Action::Escalate { amount: 500 }));
    world.accept(act(case, Some(HSBK), Action::Decline));
    assert_eq!(position(&world, CASP), funds - 800);
    world.accept(act(case, None, Action::Rule { awarded: 450 }));
    assert_eq!(
        (position(&world, CASP), position(&world, HSBK)),
        (funds - 550, funds + 550)
    );
    let dispute = world.engine.dispute(case).unwrap();
    assert_eq!(dispute.case.end, Some(End::Ruled));
    let stages: Vec<(Stage, u64)> = dispute
        .steps
        .iter()
        .map(|step| (step.stage, step.stands))
        .collect();
    let expected = [
        (Stage::Chargeback, 900),
        (Stage::Represented, 200),
        (Stage::PreArbitration, 200),
        (Stage::Arbitration, 200),
        (Stage::Closed, 450),
    ];
    assert_eq!(stages, expected);
}

#[test]
fn silence_is_decided_by_the_clock() {
    let mut world = World::new();
    world.settled(1, Service::C2cAccount, 1_000);
    world.accept(open(1, None));
    let case = world.stamp.position;
    wait_for_deadline(&mut world);
    assert_eq!(
        world.engine.dispute(case).unwrap().case.stage,
        Stage::Answered
    );
    world.accept(act(case, Some(CASP), Action::Claim { amount: 1_000 }));
    world.accept(act(
        case,
        Some(HSBK),
        Action::Represent { contested: 1_000 },
    ));
    world.accept(act(case, Some(CASP), Action::Escalate { amount: 1_000 }));
    let before = position(&world, CASP);
    wait_for_deadline(&mut world);
    let dispute = world.engine.dispute(case).unwrap();
    assert_eq!(
        (dispute.case.end, dispute.case.stands),
        (Some(End::Silence), 1_000)
    );
    assert_eq!(position(&world, CASP), before + 1_000);
    assert_eq!(world.engine.next_deadline(), None);
    world.refuse(
        act(case, Some(HSBK), Action::Accept),
        Reason::OperatorRefused,
    );
}

#[test]
fn silence_without_funds_is_tried_again() {
    let mut world = World::new();
    let case = claimed(&mut world, 1_000);
    world.accept(act(
        case,
        Some(HSBK),
        Action::Represent { contested: 1_000 },
    ));
    world.accept(act(case, Some(CASP), Action::Escalate { amount: 1_000 }));
    let all = u64::try_from(position(&world, HSBK)).unwrap();
    let fund = |direction, amount| {
        Any::Participants(crate::participants::Command::Fund {
            source: operator(),
            participant: HSBK,
            direction,
            amount: Money::kzt(amount),
        })
    };
    world.accept(fund(crate::participants::Direction::Out, all));
    wait_for_deadline(&mut world);
    assert_eq!(
        world.engine.dispute(case).unwrap().case.stage,
        Stage::PreArbitration
    );
    let due = world.engine.next_deadline().unwrap();
    assert_eq!(due, world.stamp.time.saturating_add(TRY_AGAIN_AFTER));
    world.accept(fund(crate::participants::Direction::In, 1_000));
    wait_for_deadline(&mut world);
    assert_eq!(world.engine.dispute(case).unwrap().case.stands, 1_000);
    assert_eq!(position(&world, HSBK), 0);
}

#[test]
fn what_is_claimed_is_not_returned_besides() {
    let mut world = World::new();
    claimed(&mut world, 900);
    let payment_return = Return {
        source: world.link(HSBK),
        references: references(1),
        return_id: torap_domain::ReturnId::parse("RET-1").unwrap(),
        key: key(200),
        fingerprint: instant::Fingerprint([200; 16]),
        instructing_agent: bic(HSBK),
        amount: Money::kzt(1_000),
        reason_code: *b"CUST",
        history: None,
        original: None,
    };
    world.apply(Any::Instant(instant::Command::Return(payment_return)));
    let (status, _) = world.status_to(HSBK);
    assert!(
        matches!(
            status,
            Status::Rejected {
                reason: Reason::ReturnAmountExceeds,
                ..
            }
        ),
        "{status:?}"
    );
}

#[test]
fn what_cannot_be_opened_or_done_is_refused() {
    let mut world = World::new();
    world.refuse(open(1, Some(1)), Reason::OriginalUnknown);
    let finished = world.settled(1, Service::C2cAccount, 1_000);
    let of = |claimant, reason_code: [u8; 4]| {
        Any::Disputes(Command::Open {
            source: operator(),
            claimant,
            uetr: uetr(1),
            reason_code,
            claim: Some(1),
            original: None,
        })
    };
    world.refuse(of(HSBK, *b"FRAD"), Reason::OriginalMismatch);
    world.refuse(of(CASP, *b"NOPE"), Reason::RecallReasonUnknown);
    world.refuse(open(1, Some(0)), Reason::AmountZero);
    world.refuse(open(1, Some(1_001)), Reason::ReturnAmountExceeds);
    world.accept(open(1, Some(1_000)));
    let case = world.stamp.position;
    world.refuse(open(1, Some(1)), Reason::EntryExists);
    world.refuse(
        act(Position(1), Some(CASP), Action::Withdraw),
        Reason::ClaimUnknown,
    );
    world.refuse(
        act(case, Some(IRTY), Action::Accept),
        Reason::OriginalMismatch,
    );
    world.refuse(
        act(case, Some(CASP), Action::Accept),
        Reason::OriginalMismatch,
    );
    world.refuse(
        act(case, Some(HSBK), Action::Decline),
        Reason::OperatorRefused,
    );
    let on_a_link = Any::Disputes(Command::Act {
        source: Source::Switch,
        case,
        participant: Some(HSBK),
        action: Action::Accept,
        original: None,
    });
    world.refuse(on_a_link, Reason::OperatorRefused);
    let late = finished.decided_at.saturating_add(days(120));
    world.settled(2, Service::C2cAccount, 1_000);
    world.stamp.time = late.saturating_add(days(1));
    world.refuse(open(2, Some(1)), Reason::RecallWindowClosed);
}

#[test]
fn documents_are_named_bounded_and_of_the_parties() {
    let mut world = World::new();
    let case = claimed(&mut world, 10);
    let attach = |participant, bytes| {
        Any::Disputes(Command::Attach {
            source: operator(),
            case,
            participant,
            name: Text::truncated("receipt.pdf"),
            hash: [7; 32],
            bytes,
        })
    };
    world.refuse(attach(IRTY, 5), Reason::OriginalMismatch);
    world.refuse(attach(CASP, 0), Reason::InternalLimit);
    world.refuse(
        attach(CASP, ATTACHMENT_BYTES_MAX + 1),
        Reason::InternalLimit,
    );
    for _ in 0..ATTACHMENTS_MAX {
        world.accept(attach(HSBK, 5));
    }
    world.refuse(attach(HSBK, 5), Reason::InternalLimit);
    let dispute = world.engine.dispute(case).unwrap();
    assert_eq!(dispute.attachments.len(), ATTACHMENTS_MAX);
    assert_eq!(dispute.attachments[0].hash, [7; 32]);
    world.accept(act(case, Some(CASP), Action::Withdraw));
    world.refuse(attach(HSBK, 5), Reason::OperatorRefused);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever the parties try, in whatever order and with whatever silence: the positions differ from the payment's by exactly
    /// what stands.
    #[test]
    fn the_positions_hold_what_stands(
        tries in prop::collection::vec((0_u8..9, 0_u64..1_100), 1..16),
    ) {
        let mut world = World::new();
        let case = claimed(&mut world, 800);
        let before = i128::from(FUNDS) - 1_000;
        for (what, amount) in tries {
            let command = match what {
                0 => act(case, Some(HSBK), Action::Accept),
                1 | 2 => act(case, Some(HSBK), Action::Represent { contested: amount }),
                3 | 4 => act(case, Some(CASP), Action::Escalate { amount }),
                5 => act(case, Some(HSBK), Action::Decline),
                6 => act(case, Some(CASP), Action::Withdraw),
                7 => act(case, None, Action::Rule { awarded: amount }),
                _ => {
                    if world.engine.next_deadline().is_some() {
                        wait_for_deadline(&mut world);
                    }
                    Any::Tick
                }
            };
            world.apply(command);
            let stands = world.engine.dispute(case).unwrap().case.stands;
            prop_assert_eq!(position(&world, CASP), before + i128::from(stands));
            prop_assert_eq!(position(&world, HSBK), i128::from(FUNDS) + 1_000 - i128::from(stands));
        }
    }
}
