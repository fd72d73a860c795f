mod bounds;
mod pieces;
mod shared_keys;

use proptest::prelude::*;
use torap_domain::Service;

use super::*;
use crate::{
    Command as Any, Message, Status,
    clearing::Piece,
    instant::{self, PaymentKey, Verdict},
    world::{CASP, HSBK, NOBODY, World, operator},
};

fn line(number: u64) -> Line {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    Line {
        key: PaymentKey(bytes),
        uetr: Uetr::from_random(bytes),
    }
}

fn piece(file: u8, number: u32, last: bool, lines: std::ops::Range<u64>) -> Submit {
    Submit {
        source: operator(),
        participant: CASP,
        piece: Piece {
            file: FileKey([file; 16]),
            number,
            last,
        },
        lines: lines.map(line).collect(),
    }
}

fn submit(submit: Submit) -> Any {
    Any::Mass(Command::Submit(submit))
}

#[test]
fn pieces_are_taken_in_their_order_and_each_once() {
    let mut world = World::new();
    let refuse = |world: &mut World, piece, reason| world.refuse(submit(piece), reason);
    refuse(
        &mut world,
        piece(1, 2, false, 0..3),
        Reason::PieceOutOfOrder,
    );
    world.accept(submit(piece(1, 1, false, 0..3)));
    assert_eq!(
        world.apply(submit(piece(1, 1, false, 0..3))),
        Outcome::AlreadyApplied
    );
    refuse(
        &mut world,
        piece(1, 1, false, 0..4),
        Reason::DuplicateMismatch,
    );
    refuse(
        &mut world,
        piece(1, 3, false, 3..5),
        Reason::PieceOutOfOrder,
    );
    // Lines of another file, or of a piece before.
    refuse(
        &mut world,
        piece(2, 1, true, 2..4),
        Reason::DuplicateMismatch,
    );
    refuse(
        &mut world,
        piece(1, 2, true, 2..4),
        Reason::DuplicateMismatch,
    );
    world.accept(submit(piece(1, 2, true, 3..5)));
    refuse(&mut world, piece(1, 3, true, 5..6), Reason::PieceOutOfOrder);
    refuse(
        &mut world,
        piece(1, 1, false, 0..3),
        Reason::PieceOutOfOrder,
    );
    let file = FileKey([1; 16]);
    let view = world.engine.mass_file(CASP, file).unwrap();
    let expected = FileView {
        next: 3,
        complete: true,
        lines: 5,
        before_last: 3,
    };
    assert_eq!(view, expected);
    let lines: Vec<Line> = (0..5).map(line).collect();
    assert_eq!(world.engine.mass_lines(CASP, file), lines);
    assert_eq!(world.engine.mass_file(HSBK, file), None);
}

#[test]
fn only_the_operator_submits_and_only_for_participants() {
    let mut world = World::new();
    let on_a_link = world.link(CASP);
    let of = |source, participant| Submit {
        source,
        participant,
        ..piece(1, 1, true, 0..1)
    };
    world.refuse(submit(of(on_a_link, CASP)), Reason::OperatorRefused);
    world.refuse(submit(of(operator(), NOBODY)), Reason::UnknownParticipant);
    world.refuse(submit(piece(1, 1, true, 0..0)), Reason::InternalLimit);
    let many = PIECE_LINES_MAX as u64 + 1;
    world.refuse(submit(piece(1, 1, true, 0..many)), Reason::InternalLimit);
}

#[test]
fn a_file_is_forgotten_after_a_while_and_its_lines_with_it() {
    let mut world = World::new();
    world.accept(submit(piece(1, 1, true, 0..3)));
    world.wait(Span::from_secs(6 * 24 * 3600));
    world.accept(submit(piece(2, 1, true, 3..4)));
    world.refuse(submit(piece(3, 1, true, 0..1)), Reason::DuplicateMismatch);
    world.wait(Span::from_secs(24 * 3600));
    world.accept(submit(piece(3, 1, true, 0..1)));
    let file = |number| world.engine.mass_file(CASP, FileKey([number; 16]));
    assert_eq!(file(1), None);
    assert!(file(2).is_some() && file(3).is_some());
}

#[test]
fn a_line_handed_in_by_the_operator_is_an_ordinary_payment_of_its_bank() {
    let mut world = World::new();
    let mut payment = world.payment(1, Service::C2cAccount, 500);
    payment.source = operator();
    let instant = |payment| Any::Instant(instant::Command::CreditTransfer(payment));
    world.accept(instant(payment));
    let asked = world.sent_to(HSBK);
    assert!(
        matches!(asked.as_slice(), [Message::Forward { .. }]),
        "{asked:?}"
    );
    world.answer(1, Verdict::Accept);
    assert_eq!(world.status_to(CASP), (Status::Settled, false));
    // Once more it is answered as it stands; nothing moves.
    let available = world.available(CASP);
    world.refuse(instant(payment), Reason::DuplicateReplay);
    assert_eq!(world.status_to(CASP), (Status::Settled, true));
    assert_eq!(world.available(CASP), available);
    payment.source = Source::Switch;
    world.refuse(instant(payment), Reason::UnboundSender);
}

proptest! {
    /// Whatever is submitted, again and in whatever order: every line is in one file, once, and pieces follow each other.
    #[test]
    fn no_line_is_ever_taken_twice(
        tries in prop::collection::vec((0_u8..3, 1_u32..5, any::<bool>(), 0_u64..12, 1_u64..5), 1..40),
    ) {
        let mut world = World::new();
        let mut taken = std::collections::BTreeMap::new();
        for (file, number, last, first, count) in tries {
            let tried = piece(file, number, last, first..first + count);
            if world.apply(submit(tried.clone())) == Outcome::Accepted {
                let lines: &mut Vec<Line> = taken.entry(file).or_default();
                lines.extend(tried.lines);
            }
        }
        let mut all = Vec::new();
        for (file, lines) in &taken {
            let file = FileKey([*file; 16]);
            prop_assert_eq!(world.engine.mass_lines(CASP, file), lines.as_slice());
            all.extend(lines.iter().map(|line| line.uetr));
        }
        let count = all.len();
        all.sort();
        all.dedup();
        prop_assert_eq!(all.len(), count);
    }
}
