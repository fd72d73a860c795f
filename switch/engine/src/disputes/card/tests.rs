use proptest::prelude::*;
use torap_domain::card::ApprovalCode;

use super::*;
use crate::{
    Command as Any,
    cards::{
        Command as Card, Event as CardEvent, Request,
        world::{AMOUNT, INTERCHANGE, OF_HSBK, Rail, acquired, issued, key, named},
    },
    disputes::{Command, End},
    world::{CASP, HSBK, IRTY, operator},
};

fn known(rail: &Rail, request: &Request) -> Known {
    let transaction = request.transaction;
    Known {
        submitted: Position(1),
        at: rail.now(),
        transaction,
        acquirer: CASP,
        issuer: HSBK,
        approval: ApprovalCode::parse(b"ISS001").ok(),
        approved: transaction.amount,
        stands: transaction.amount,
        asked: None,
    }
}

fn open_of(claimant: ParticipantId, known: Known, claim: Option<u64>) -> Any {
    Any::Disputes(Command::OpenCard {
        source: operator(),
        claimant,
        reason_code: *b"CF01",
        claim,
        known: Box::new(known),
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

/// A purchase of [`AMOUNT`], a case about it with a claim, and its identifier.
fn claimed(rail: &mut Rail, claim: u64) -> (Request, Position) {
    let purchase = rail.approved(1);
    let known = known(rail, &purchase);
    rail.world.accept(open_of(HSBK, known, Some(claim)));
    (purchase, rail.world.stamp.position)
}

/// What of the interchange of a whole purchase belongs to a part of it.
fn interchange(part: u64) -> i128 {
    i128::from(part) * i128::from(INTERCHANGE) / i128::from(AMOUNT)
}

/// What a part moves with its interchange.
fn with_interchange(part: u64) -> i128 {
    i128::from(part) - interchange(part)
}

fn balances(rail: &Rail) -> (i128, i128) {
    (rail.balance(CASP), rail.balance(HSBK))
}

fn stand_at(rail: &Rail, stands: u64) {
    let moved = with_interchange(stands);
    assert_eq!(balances(rail), (acquired() - moved, issued() + moved));
}

#[test]
fn a_case_moves_its_money_and_interchange_at_each_stage() {
    let mut rail = Rail::new();
    let (_, case) = claimed(&mut rail, AMOUNT);
    stand_at(&rail, AMOUNT);
    let totals = rail.totals(CASP, Side::Acquirer);
    assert_eq!(totals.debit_reversals.count, 1);
    let contest = Action::Represent { contested: 70_001 };
    rail.world.accept(act(case, Some(CASP), contest));
    stand_at(&rail, AMOUNT - 70_001);
    rail.world
        .accept(act(case, Some(HSBK), Action::Escalate { amount: 50_000 }));
    rail.world.accept(act(case, Some(CASP), Action::Decline));
    stand_at(&rail, AMOUNT - 70_001);
    rail.world
        .accept(act(case, None, Action::Rule { awarded: 45_000 }));
    stand_at(&rail, 45_000);
    let dispute = rail.world.engine.dispute(case).unwrap();
    assert_eq!((dispute.claimant, dispute.respondent), (HSBK, CASP));
    assert_eq!(dispute.case.end, Some(End::Ruled));
    assert_eq!(dispute.steps.len(), 5);
}

#[test]
fn a_step_counts_in_the_session_that_is_open() {
    let mut rail = Rail::new();
    let purchase = rail.approved(1);
    let known = known(&rail, &purchase);
    let source = operator();
    rail.accept(Card::CutOver { source });
    rail.world.accept(open_of(HSBK, known, Some(AMOUNT)));
    let totals = rail.totals(HSBK, Side::Issuer);
    assert_eq!((totals.debits.count, totals.debit_reversals.count), (0, 1));
    assert_eq!(totals.debit_reversals.amount, Money::kzt(AMOUNT));
}

#[test]
fn silence_is_decided_by_the_clock() {
    let mut rail = Rail::new();
    let purchase = rail.approved(1);
    let known = known(&rail, &purchase);
    rail.world.accept(open_of(HSBK, known, None));
    let case = rail.world.stamp.position;
    stand_at(&rail, 0);
    let stage = |rail: &Rail| rail.world.engine.dispute(case).unwrap().case.stage;
    let wait = |rail: &mut Rail| {
        let due = rail.world.engine.dispute(case).unwrap().case.deadline;
        rail.world.stamp.time = rail.world.stamp.time.max(due.unwrap());
        rail.world.tick();
    };
    wait(&mut rail);
    assert_eq!(stage(&rail), Stage::Answered);
    rail.world
        .accept(act(case, Some(HSBK), Action::Claim { amount: AMOUNT }));
    rail.world.accept(act(
        case,
        Some(CASP),
        Action::Represent { contested: AMOUNT },
    ));
    stand_at(&rail, 0);
    rail.world.accept(act(
        case,
        Some(HSBK),
        Action::Escalate { amount: AMOUNT / 2 },
    ));
    wait(&mut rail);
    assert_eq!(stage(&rail), Stage::Closed);
    stand_at(&rail, AMOUNT / 2);
}

#[test]
fn what_is_claimed_is_neither_reversed_nor_refunded_besides() {
    let mut rail = Rail::new();
    let (purchase, case) = claimed(&mut rail, AMOUNT - 400);
    assert!(rail.events().iter().any(
        |event| matches!(event, CardEvent::Reduced { stands, case: Some(of), .. } if *stands == Money::kzt(400) && *of == case)
    ));
    let before = balances(&rail);
    rail.reverse(9, &purchase.transaction, None);
    assert_eq!(rail.replied(), None);
    // 400 tiyn and their fees.
    assert!(before.0 - rail.balance(CASP) <= 400);
    let original = named(&purchase.transaction);
    assert_eq!(original.key, purchase.transaction.key);
    let again = known(&rail, &purchase);
    let reason = Reason::EntryExists;
    rail.world.refuse(open_of(HSBK, again, None), reason);
}

#[test]
fn who_may_not_open_a_case_and_about_what() {
    let mut rail = Rail::new();
    let purchase = rail.approved(1);
    let authorised = rail.authorised(2);
    let base = known(&rail, &purchase);
    let refuse = |rail: &mut Rail, command, reason| rail.world.refuse(command, reason);
    refuse(
        &mut rail,
        open_of(CASP, base, None),
        Reason::OriginalMismatch,
    );
    refuse(
        &mut rail,
        open_of(IRTY, base, None),
        Reason::OriginalMismatch,
    );
    let authorised = known(&rail, &authorised);
    refuse(
        &mut rail,
        open_of(HSBK, authorised, None),
        Reason::OriginalNotSettled,
    );
    let above = open_of(HSBK, base, Some(AMOUNT + 1));
    refuse(&mut rail, above, Reason::ReturnAmountExceeds);
    refuse(&mut rail, open_of(HSBK, base, Some(0)), Reason::AmountZero);
    let unknown_reason = Any::Disputes(Command::OpenCard {
        source: operator(),
        claimant: HSBK,
        reason_code: *b"FRAD",
        claim: None,
        known: Box::new(base),
    });
    refuse(&mut rail, unknown_reason, Reason::RecallReasonUnknown);
    let (declined, trace) = rail.asked(3);
    rail.answer(HSBK, trace, crate::cards::world::decline("51"));
    let declined = known(&rail, &declined);
    refuse(
        &mut rail,
        open_of(HSBK, declined, None),
        Reason::OriginalNotSettled,
    );
    rail.world.wait(days(120));
    refuse(
        &mut rail,
        open_of(HSBK, base, None),
        Reason::RecallWindowClosed,
    );
    assert_eq!(balances(&rail), (acquired(), issued()));
}

#[test]
fn a_transaction_beyond_the_window_is_disputed_as_it_is_known() {
    let mut rail = Rail::new();
    let purchase = rail.approved(1);
    let mut known = known(&rail, &purchase);
    known.transaction.key = key(2, 4_000);
    known.stands = Money::kzt(AMOUNT / 2);
    let above = open_of(HSBK, known, Some(AMOUNT / 2 + 1));
    rail.world.refuse(above, Reason::ReturnAmountExceeds);
    rail.world.accept(open_of(HSBK, known, Some(AMOUNT / 2)));
    stand_at(&rail, AMOUNT / 2);
    let card = rail.transaction(1, OF_HSBK).card.pan;
    let case = rail.world.stamp.position;
    let dispute = rail.world.engine.dispute(case).unwrap();
    assert!(matches!(dispute.subject, Subject::Card(subject) if subject.card == card));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Over any steps the card accounts hold what stands with its interchange, and no more is ever given back than was taken.
    #[test]
    fn the_card_accounts_hold_what_stands(
        claim in 1_u64..=AMOUNT,
        steps in prop::collection::vec((0_u8..7, 0_u64..=AMOUNT), 0..12),
    ) {
        let mut rail = Rail::new();
        let (_, case) = claimed(&mut rail, claim);
        for (action, amount) in steps {
            let (party, action) = match action {
                0 => (Some(CASP), Action::Accept),
                1 => (Some(CASP), Action::Represent { contested: amount }),
                2 => (Some(HSBK), Action::Escalate { amount }),
                3 => (Some(CASP), Action::Decline),
                4 => (None, Action::Rule { awarded: amount }),
                5 => (Some(HSBK), Action::Withdraw),
                _ => {
                    rail.world.wait(days(40));
                    rail.world.tick();
                    continue;
                }
            };
            rail.world.apply(act(case, party, action));
            let stands = rail.world.engine.dispute(case).unwrap().case.stands;
            stand_at(&rail, stands);
        }
    }
}
