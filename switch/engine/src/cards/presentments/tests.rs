mod again;

use std::collections::BTreeMap;

use proptest::prelude::*;
use torap_domain::{CardService, Date, Money, Reason, Span, Text, card::Mcc};

use super::*;
use crate::{
    Outcome, Source,
    cards::{world::*, *},
    clearing::Piece,
    participants,
    world::{CASP, HSBK, operator},
};

const RETRIEVAL: &str = "632500000001";
const TERMINAL: &str = "TERM0001";

/// What index and log would say of an approved request.
fn known(rail: &Rail, request: &Request) -> Known {
    let transaction = request.transaction;
    Known {
        submitted: torap_domain::Position(1),
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

use torap_domain::card::ApprovalCode;

/// A line about `known` with the reference of `number`.
fn line(rail: &Rail, number: u32, kind: LineKind, known: Option<Known>, amount: u64) -> Line {
    Line {
        number,
        kind,
        key: key(9, number),
        reference: Text::truncated("ARN"),
        retrieval: Text::truncated(RETRIEVAL),
        terminal: Text::truncated(TERMINAL),
        card: card_of(OF_HSBK).pan,
        approval: match kind {
            LineKind::Purchase => ApprovalCode::parse(b"ISS001").ok(),
            LineKind::Refund => None,
        },
        amount: Money::kzt(amount),
        date: Date::from_time(rail.now()),
        mcc: Mcc::new(5411).unwrap(),
        presented: false,
        known,
    }
}

/// The whole file in one piece.
fn file(rail: &Rail, id: u8, lines: Vec<Line>) -> Present {
    let sum = |kind| {
        let lines = lines.iter().filter(|line: &&Line| line.kind == kind);
        lines.map(|line| line.amount.minor()).sum()
    };
    Present {
        source: operator(),
        participant: CASP,
        piece: Piece {
            file: FileKey([id; 16]),
            number: 1,
            last: true,
        },
        header: Header {
            file_id: Text::truncated("FILE"),
            date: Date::from_time(rail.now()),
            lines: lines.len() as u32,
            purchases: sum(LineKind::Purchase),
            refunds: sum(LineKind::Refund),
        },
        lines: lines
            .into_iter()
            .zip(1..)
            .map(|(line, number)| Line { number, ..line })
            .collect(),
    }
}

fn present(rail: &mut Rail, id: u8, lines: Vec<Line>) -> Vec<LineVerdict> {
    let present = file(rail, id, lines);
    rail.accept(Command::Present(present));
    verdicts(rail, id)
}

fn verdicts(rail: &Rail, id: u8) -> Vec<LineVerdict> {
    let file = rail.world.engine.presentment_file(CASP, FileKey([id; 16]));
    let lines = &file.unwrap().lines;
    lines.iter().map(|line| line.verdict).collect()
}

fn refuse(rail: &mut Rail, present: Present, reason: Reason) {
    let command = crate::Command::Cards(Command::Present(present));
    rail.world.refuse(command, reason);
}

#[test]
fn a_line_collects_as_an_advice_would_have_and_the_issuer_is_told() {
    let mut rail = Rail::new();
    let request = rail.authorised(1);
    let known = known(&rail, &request);
    let lines = vec![line(&rail, 1, LineKind::Purchase, Some(known), AMOUNT)];
    assert_eq!(present(&mut rail, 1, lines), [LineVerdict::Taken]);
    assert_eq!(
        (rail.balance(CASP), rail.balance(HSBK)),
        (acquired(), issued())
    );
    let totals = rail.totals(CASP, Side::Acquirer);
    assert_eq!(
        (totals.debits.count, totals.debits.amount),
        (1, Money::kzt(AMOUNT))
    );
    let (letter, _) = rail.letter(HSBK);
    assert!(
        matches!(
            letter,
            Letter::Advice {
                by: AdvisedBy::Presentment,
                class: Class::Financial,
                original: torap_domain::Position(1),
                ..
            }
        ),
        "{letter:?}"
    );
    let events = rail.events();
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::AuthorisationEnded { .. }))
    );
    assert!(events.iter().any(|event| matches!(event, Event::Posted(_))));
    assert!(events.iter().any(
        |event| matches!(event, Event::Decided(finished) if finished.key == key(9, 1) && finished.fees.is_some())
    ));
}

#[test]
fn lines_together_take_what_was_authorised_with_its_tolerance_and_no_more() {
    let mut rail = Rail::new();
    let rows = vec![LifetimeRow {
        mcc_from: Mcc::new(5400).unwrap(),
        mcc_to: Mcc::new(5499).unwrap(),
        within: Span::from_secs(7 * 86_400),
        above_percent: 20,
    }];
    let source = operator();
    rail.accept(Command::SetLifetimes { source, rows });
    let request = rail.authorised(1);
    let known = Some(known(&rail, &request));
    let part = |rail: &Rail, number, amount| line(rail, number, LineKind::Purchase, known, amount);
    let lines = vec![
        part(&rail, 1, AMOUNT / 2),
        part(&rail, 2, AMOUNT),
        part(&rail, 3, AMOUNT / 4),
        part(&rail, 4, AMOUNT / 4 + AMOUNT / 5),
        part(&rail, 5, 1),
        part(&rail, 1, AMOUNT / 2),
    ];
    use LineVerdict::{Completed, Duplicate, OverTolerance, Taken};
    assert_eq!(
        present(&mut rail, 1, lines),
        [Taken, OverTolerance, Taken, Taken, Completed, Duplicate]
    );
    let taken = AMOUNT + AMOUNT / 5;
    assert_eq!(
        rail.totals(CASP, Side::Acquirer).debits.amount,
        Money::kzt(taken)
    );
    // In another file, and when the window has forgotten it but the index has not.
    let mut forgotten = part(&rail, 77, 1);
    forgotten.presented = true;
    let lines = vec![part(&rail, 3, AMOUNT / 4), forgotten];
    assert_eq!(present(&mut rail, 2, lines), [Duplicate, Duplicate]);
}

#[test]
fn a_line_counts_in_the_session_in_which_its_piece_comes() {
    let mut rail = Rail::new();
    let request = rail.authorised(1);
    let known = known(&rail, &request);
    let source = operator();
    rail.accept(Command::CutOver { source });
    let lines = vec![line(&rail, 1, LineKind::Purchase, Some(known), AMOUNT)];
    assert_eq!(present(&mut rail, 1, lines), [LineVerdict::Taken]);
    assert_eq!(rail.totals(CASP, Side::Acquirer).debits.count, 1);
    let sessions = rail.world.engine.card_sessions();
    assert!(sessions.filter(|row| row.participant == CASP).count() == 1);
}

#[test]
fn what_a_line_may_not_be_is_told_and_moves_nothing() {
    use LineVerdict::*;
    let mut rail = Rail::new();
    let request = rail.authorised(1);
    let authorised = known(&rail, &request);
    let purchase = rail.approved(2);
    let purchased = known(&rail, &purchase);
    let before = (rail.balance(CASP), rail.balance(HSBK));
    let base = line(&rail, 1, LineKind::Purchase, Some(authorised), AMOUNT);
    let tomorrow = base.date.add_days(1);
    let with = |change: &dyn Fn(&mut Line)| {
        let mut line = base;
        change(&mut line);
        line
    };
    let of = |change: &dyn Fn(&mut Known)| {
        let mut known = authorised;
        change(&mut known);
        with(&|line| line.known = Some(known))
    };
    let cases: Vec<(LineVerdict, Line)> = vec![
        (Unmatched, with(&|line| line.known = None)),
        (
            Mismatch,
            with(&|line| line.terminal = Text::truncated("OTHER")),
        ),
        (Mismatch, with(&|line| line.card = card_of(OF_IRTY).pan)),
        (Mismatch, with(&|line| line.approval = None)),
        (
            Mismatch,
            of(&|known| {
                known.acquirer = HSBK;
                known.transaction.key = key(1, 99);
            }),
        ),
        (
            Mismatch,
            of(&|known| known.transaction.card.hash = torap_domain::card::CardHash([7; 16])),
        ),
        (NotApproved, of(&|known| known.approved = Money::kzt(0))),
        (
            NotApproved,
            of(&|known| {
                known.transaction.key = key(1, 99);
                known.stands = Money::kzt(0);
            }),
        ),
        (Completed, of(&|known| known.transaction.key = key(1, 99))),
        (WrongKind, with(&|line| line.known = Some(purchased))),
        (WrongKind, with(&|line| line.kind = LineKind::Refund)),
        (WrongDate, with(&|line| line.date = tomorrow)),
        (WrongDate, with(&|line| line.date = line.date.add_days(-2))),
        (AmountNotAllowed, with(&|line| line.amount = Money::kzt(0))),
        (
            OverTolerance,
            with(&|line| line.amount = Money::kzt(AMOUNT + 1)),
        ),
        (
            NotAllowed,
            with(&|line| {
                line.kind = LineKind::Refund;
                let mut known = purchased;
                known.issuer = CASP;
                known.transaction.key = key(2, 99);
                line.known = Some(known);
            }),
        ),
    ];
    for ((expected, line), id) in cases.into_iter().zip(1..) {
        let told = present(&mut rail, id, vec![line]);
        assert_eq!(told, [expected], "case {id}");
    }
    rail.world.state(HSBK, participants::State::Certifying);
    assert_eq!(present(&mut rail, 100, vec![base]), [NotActive]);
    assert_eq!((rail.balance(CASP), rail.balance(HSBK)), before);
    rail.world.state(HSBK, participants::State::Active);
    rail.world.wait(Span::from_secs(7 * 86_400));
    assert_eq!(present(&mut rail, 101, vec![base]), [Late]);
    rail.world.tick();
    assert_eq!(present(&mut rail, 102, vec![base]), [Late]);
}

#[test]
fn refunds_go_the_other_way_and_together_are_never_more_than_the_purchase() {
    use LineVerdict::{RefundExceeds, Taken};
    let mut rail = Rail::new();
    let purchase = rail.approved(1);
    let known = known(&rail, &purchase);
    let give =
        |rail: &Rail, number, amount| line(rail, number, LineKind::Refund, Some(known), amount);
    let lines = vec![
        give(&rail, 1, AMOUNT / 2),
        give(&rail, 2, AMOUNT),
        give(&rail, 3, AMOUNT / 2),
        give(&rail, 4, 1),
    ];
    assert_eq!(
        present(&mut rail, 1, lines),
        [Taken, RefundExceeds, Taken, RefundExceeds]
    );
    let totals = rail.totals(CASP, Side::Acquirer);
    assert_eq!(
        (totals.credits.count, totals.credits.amount),
        (2, Money::kzt(AMOUNT))
    );
    // Only fees stay: what was bought has been given back.
    assert!(rail.balance(CASP).abs() < 5_000 && rail.balance(HSBK).abs() < 5_000);
    // Nor can it be reversed besides.
    rail.reverse(50, &purchase.transaction, None);
    let debits = rail.totals(CASP, Side::Acquirer).debit_reversals.count;
    assert_eq!(debits, 0);
}

#[test]
fn a_purchase_that_only_the_index_knows_is_refunded_up_to_what_stands() {
    use LineVerdict::{RefundExceeds, Taken};
    let mut rail = Rail::new();
    let purchase = rail.approved(1);
    let mut known = known(&rail, &purchase);
    known.transaction.key = key(2, 4_000);
    known.stands = Money::kzt(AMOUNT / 2);
    let give =
        |rail: &Rail, number, amount| line(rail, number, LineKind::Refund, Some(known), amount);
    let lines = vec![
        give(&rail, 1, AMOUNT / 2 + 1),
        give(&rail, 2, AMOUNT / 4),
        give(&rail, 3, AMOUNT / 4),
        give(&rail, 4, 1),
    ];
    assert_eq!(
        present(&mut rail, 1, lines),
        [RefundExceeds, Taken, Taken, RefundExceeds]
    );
}

#[test]
fn pieces_are_taken_in_their_order_each_once_and_come_to_what_the_file_states() {
    let mut rail = Rail::new();
    let request = rail.authorised(1);
    let known = Some(known(&rail, &request));
    let lines: Vec<Line> = (1..=3)
        .map(|number| line(&rail, number, LineKind::Purchase, known, 100))
        .collect();
    let whole = file(&rail, 1, lines);
    let piece = |number, last, lines: &[Line]| Present {
        piece: Piece {
            number,
            last,
            ..whole.piece
        },
        lines: lines.to_vec(),
        ..whole.clone()
    };
    let lines = &whole.lines;
    refuse(
        &mut rail,
        piece(2, false, &lines[..2]),
        Reason::PieceOutOfOrder,
    );
    refuse(
        &mut rail,
        piece(1, false, &lines[1..]),
        Reason::ProfileViolation,
    );
    refuse(
        &mut rail,
        piece(1, true, &lines[..2]),
        Reason::ProfileViolation,
    );
    rail.accept(Command::Present(piece(1, false, &lines[..2])));
    let again = Command::Present(piece(1, false, &lines[..2]));
    assert_eq!(rail.apply(again), Outcome::AlreadyApplied);
    refuse(
        &mut rail,
        piece(1, false, &lines[..1]),
        Reason::DuplicateMismatch,
    );
    refuse(
        &mut rail,
        piece(3, true, &lines[2..]),
        Reason::PieceOutOfOrder,
    );
    let mut other = piece(2, true, &lines[2..]);
    other.header.purchases += 1;
    refuse(&mut rail, other, Reason::DuplicateMismatch);
    let mut more = piece(2, true, &lines[2..]);
    more.lines[0].amount = Money::kzt(101);
    refuse(&mut rail, more, Reason::ProfileViolation);
    rail.accept(Command::Present(piece(2, true, &lines[2..])));
    assert_eq!(verdicts(&rail, 1), [LineVerdict::Taken; 3]);
    refuse(
        &mut rail,
        piece(3, true, &lines[2..]),
        Reason::PieceOutOfOrder,
    );
    let amount = rail.totals(CASP, Side::Acquirer).debits.amount;
    assert_eq!(amount, Money::kzt(300));
    let by_a_link = Present {
        source: Source::Switch,
        ..file(&rail, 9, whole.lines.clone())
    };
    refuse(&mut rail, by_a_link, Reason::OperatorRefused);
    let of_an_issuer = Present {
        participant: HSBK,
        ..file(&rail, 9, whole.lines.clone())
    };
    refuse(&mut rail, of_an_issuer, Reason::UnknownParticipant);
}

#[test]
fn a_file_is_forgotten_after_a_while_and_its_lines_are_still_duplicates() {
    let mut rail = Rail::new();
    let request = rail.authorised(1);
    let known = Some(known(&rail, &request));
    let collect = |rail: &Rail| vec![line(rail, 1, LineKind::Purchase, known, 100)];
    let lines = collect(&rail);
    assert_eq!(present(&mut rail, 1, lines), [LineVerdict::Taken]);
    rail.world.wait(KEEP);
    let lines = collect(&rail);
    assert_eq!(present(&mut rail, 2, lines), [LineVerdict::Duplicate]);
    let file = rail.world.engine.presentment_file(CASP, FileKey([1; 16]));
    assert_eq!(file, None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is presented, again and in whatever order: no reference is taken twice, and of no authorisation more than its amount.
    #[test]
    fn no_line_is_taken_twice_and_no_authorisation_above_its_amount(
        tries in prop::collection::vec((0_u32..12, 0_usize..3, 1_u64..AMOUNT), 1..30),
    ) {
        let mut rail = Rail::new();
        let known: Vec<Known> = (1..=3)
            .map(|number| {
                let request = rail.authorised(number);
                known(&rail, &request)
            })
            .collect();
        let mut taken: BTreeMap<CardKey, u64> = BTreeMap::new();
        let mut collected = [0; 3];
        for ((reference, of, amount), id) in tries.into_iter().zip(1..) {
            let line = line(&rail, 100 + reference, LineKind::Purchase, Some(known[of]), amount);
            if present(&mut rail, id, vec![line]) == [LineVerdict::Taken] {
                prop_assert!(taken.insert(line.key, amount).is_none());
                collected[of] += amount;
            }
        }
        prop_assert!(collected.iter().all(|sum| *sum <= AMOUNT));
        let amount = rail.totals(CASP, Side::Acquirer).debits.amount.minor();
        prop_assert_eq!(amount, taken.values().sum::<u64>());
    }
}

#[test]
fn a_completion_of_a_pre_authorisation_is_a_purchase() {
    let mut rail = Rail::new();
    let request = rail.authorised(1);
    assert_eq!(request.transaction.service, CardService::PreAuthorisation);
    let known = known(&rail, &request);
    let lines = vec![line(&rail, 1, LineKind::Purchase, Some(known), AMOUNT)];
    present(&mut rail, 1, lines);
    let purchase = rail.events().into_iter().find_map(|event| match event {
        Event::Decided(finished) => Some(finished.service),
        _ => None,
    });
    assert_eq!(purchase, Some(CardService::Purchase));
}
