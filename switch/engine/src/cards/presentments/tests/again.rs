//! Lines that are put off because too much waits for their issuer, and come again.

use super::*;
use crate::world::IRTY;
use LineVerdict::{QueueFull, Taken};

/// Makes a good piece a wrong one.
type Spoil = fn(&mut Present);

/// A rail by version 2 of the rules, with room for six letters of presentments in each queue, and an authorisation at HSBK.
fn narrow() -> (Rail, Known) {
    let mut rail = Rail::new();
    rail.world.accept(crate::Command::Rules {
        source: operator(),
        version: 2,
    });
    let request = rail.authorised(1);
    let known = known(&rail, &request);
    rail.settings(|settings| settings.bounds.queue_max = 12);
    (rail, known)
}

/// Lines of one tenge each that collect from the authorisation.
fn lines(rail: &Rail, known: Known, numbers: std::ops::RangeInclusive<u32>) -> Vec<Line> {
    let collect = |number| line(rail, number, LineKind::Purchase, Some(known), 100);
    numbers.map(collect).collect()
}

/// A refund to a cardholder of IRTY, of a purchase that only the index knows.
fn of_irty(rail: &Rail, number: u32, of: &Known) -> Line {
    let mut known = *of;
    known.issuer = IRTY;
    known.stands = Money::kzt(AMOUNT);
    known.transaction.class = Class::Financial;
    known.transaction.service = CardService::Purchase;
    known.transaction.key = key(2, 4_000 + number);
    known.transaction.card = card_of(OF_IRTY);
    known.transaction.route = None;
    Line {
        card: card_of(OF_IRTY).pan,
        ..line(rail, number, LineKind::Refund, Some(known), 100)
    }
}

/// These lines of a file once more.
fn again(whole: &Present, numbers: &[u32]) -> Present {
    let lines = numbers
        .iter()
        .map(|number| whole.lines[*number as usize - 1]);
    Present {
        piece: Piece {
            number: PIECE_AGAIN,
            last: false,
            ..whole.piece
        },
        lines: lines.collect(),
        ..whole.clone()
    }
}

fn put_off(rail: &Rail, id: u8, after: u32, most: usize) -> Vec<u32> {
    let file = (CASP, FileKey([id; 16]));
    rail.world.engine.presentments_put_off(file, after, most)
}

#[test]
fn lines_of_a_full_issuer_are_put_off_and_those_of_others_go_on() {
    let (mut rail, known) = narrow();
    let mut all = lines(&rail, known, 1..=8);
    all.push(of_irty(&rail, 9, &known));
    let whole = file(&rail, 1, all);
    rail.accept(Command::Present(whole.clone()));
    let expected = [
        Taken, Taken, Taken, Taken, Taken, Taken, QueueFull, QueueFull, Taken,
    ];
    assert_eq!(verdicts(&rail, 1), expected);
    assert_eq!(rail.world.engine.state.cards.queues.len(HSBK), 6);
    assert_eq!(put_off(&rail, 1, 0, 10), [7, 8]);
    assert_eq!(put_off(&rail, 1, 0, 1), [7]);
    assert_eq!(put_off(&rail, 1, 7, 10), [8]);
    let engine = &rail.world.engine;
    let room = [HSBK, IRTY].map(|issuer| engine.presentments_have_room(issuer));
    assert_eq!(room, [false, true]);

    // As long as the queue is full they stay put off, and nothing else is touched.
    rail.accept(Command::Present(again(&whole, &[1, 7, 8, 9])));
    assert_eq!(verdicts(&rail, 1), expected);
    // One has room; then the other one.
    rail.settings(|settings| settings.bounds.queue_max = 14);
    rail.accept(Command::Present(again(&whole, &[7, 8])));
    assert_eq!(put_off(&rail, 1, 0, 10), [8]);
    rail.settings(|settings| settings.bounds.queue_max = 40);
    rail.accept(Command::Present(again(&whole, &[6, 7, 8])));
    assert_eq!(verdicts(&rail, 1), [Taken; 9]);
    let debits = rail.totals(CASP, Side::Acquirer).debits;
    assert_eq!((debits.count, debits.amount), (8, Money::kzt(800)));
    // Nothing is put off any more.
    let once_more = Command::Present(again(&whole, &[7, 8]));
    assert_eq!(rail.apply(once_more), Outcome::AlreadyApplied);
    assert_eq!(put_off(&rail, 1, 0, 10), []);
}

#[test]
fn a_line_that_comes_again_is_judged_as_things_stand_then() {
    let (mut rail, known) = narrow();
    let whole = file(&rail, 1, lines(&rail, known, 1..=7));
    rail.accept(Command::Present(whole.clone()));
    assert_eq!(put_off(&rail, 1, 0, 10), [7]);
    // Another file has presented the same reference meanwhile.
    rail.settings(|settings| settings.bounds.queue_max = 40);
    let other = present(&mut rail, 2, vec![whole.lines[6]]);
    assert_eq!(other, [Taken]);
    rail.accept(Command::Present(again(&whole, &[7])));
    assert_eq!(verdicts(&rail, 1)[6], LineVerdict::Duplicate);
    let debits = rail.totals(CASP, Side::Acquirer).debits;
    assert_eq!(debits.count, 7);
}

#[test]
fn a_file_goes_on_between_lines_that_come_again() {
    let (mut rail, known) = narrow();
    let whole = file(&rail, 1, lines(&rail, known, 1..=9));
    let piece = |number, last, lines: &[Line]| {
        Command::Present(Present {
            piece: Piece {
                number,
                last,
                ..whole.piece
            },
            lines: lines.to_vec(),
            ..whole.clone()
        })
    };
    rail.accept(piece(1, false, &whole.lines[..8]));
    assert_eq!(put_off(&rail, 1, 0, 10), [7, 8]);
    rail.settings(|settings| settings.bounds.queue_max = 40);
    rail.accept(Command::Present(again(&whole, &[8])));
    // The piece is still the same one, whatever became of its lines since.
    let repeated = rail.apply(piece(1, false, &whole.lines[..8]));
    assert_eq!(repeated, Outcome::AlreadyApplied);
    // A line that has not come yet cannot come again.
    refuse(&mut rail, again(&whole, &[7, 9]), Reason::PieceOutOfOrder);
    rail.accept(piece(2, true, &whole.lines[8..]));
    rail.accept(Command::Present(again(&whole, &[7])));
    assert_eq!(verdicts(&rail, 1), [Taken; 9]);
}

#[test]
fn what_comes_again_must_be_what_was_put_off() {
    let (mut rail, known) = narrow();
    let whole = file(&rail, 1, lines(&rail, known, 1..=8));
    refuse(&mut rail, again(&whole, &[7]), Reason::PieceOutOfOrder);
    rail.accept(Command::Present(whole.clone()));
    let good = again(&whole, &[7, 8]);
    let spoilt: [(Reason, Spoil); 7] = [
        (Reason::DuplicateMismatch, |it| it.header.purchases += 1),
        (Reason::DuplicateMismatch, |it| {
            it.lines[0].amount = Money::kzt(99);
        }),
        (Reason::DuplicateMismatch, |it| {
            it.lines[1].kind = LineKind::Refund;
        }),
        (Reason::DuplicateMismatch, |it| it.lines[1].key = key(9, 77)),
        (Reason::ProfileViolation, |it| it.lines.reverse()),
        (Reason::ProfileViolation, |it| it.piece.last = true),
        (Reason::PieceOutOfOrder, |it| it.lines[0].number = 0),
    ];
    for (reason, spoil) in spoilt {
        let mut wrong = good.clone();
        spoil(&mut wrong);
        refuse(&mut rail, wrong, reason);
    }
    assert_eq!(put_off(&rail, 1, 0, 10), [7, 8]);
    // By the first rules no line is put off, and none comes again.
    rail.world.accept(crate::Command::Rules {
        source: operator(),
        version: 1,
    });
    assert_eq!(put_off(&rail, 1, 0, 10), []);
    refuse(&mut rail, good, Reason::PieceOutOfOrder);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// However lines come again, and whatever room there is: what moved is what is taken, and no verdict but `queue-full` changes.
    #[test]
    fn a_line_that_comes_again_is_taken_once_or_never(
        tries in prop::collection::vec((4_u32..40, prop::collection::btree_set(1_u32..=12, 1..12)), 1..12),
    ) {
        let (mut rail, known) = narrow();
        let whole = file(&rail, 1, lines(&rail, known, 1..=12));
        rail.accept(Command::Present(whole.clone()));
        let mut before = verdicts(&rail, 1);
        for (room, numbers) in tries {
            rail.settings(|settings| settings.bounds.queue_max = room);
            let numbers: Vec<u32> = numbers.into_iter().collect();
            rail.apply(Command::Present(again(&whole, &numbers)));
            let after = verdicts(&rail, 1);
            for (was, is) in before.iter().zip(&after) {
                prop_assert!(was == is || *was == QueueFull);
            }
            let taken = after.iter().filter(|verdict| **verdict == Taken).count();
            let debits = rail.totals(CASP, Side::Acquirer).debits;
            prop_assert_eq!(debits.count, taken as u64);
            before = after;
        }
    }
}
