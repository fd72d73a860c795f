use super::*;
use crate::{
    clearing::{FILES_MAX, FileKey, FileView},
    world::{CASP, HSBK, IRTY},
};

const FILE: FileKey = FileKey([9; 16]);

fn piece(source: Source, number: u32, last: bool, items: Vec<Order>) -> Any {
    Any::Clearing(Command::Submit(Submit {
        piece: Some(Piece {
            file: FILE,
            number,
            last,
        }),
        ..submit(source, CASP, items)
    }))
}

fn view(world: &World) -> FileView {
    world.engine.clearing_file(CASP, FILE).unwrap()
}

#[test]
fn pieces_are_taken_in_order_and_each_once() {
    let mut world = World::new();
    let item = |number| order(number, CASP, HSBK, 10);
    world.refuse(
        piece(operator(), 2, false, vec![item(3)]),
        Reason::PieceOutOfOrder,
    );
    assert_eq!(world.engine.clearing_file(CASP, FILE), None);
    world.accept(piece(operator(), 1, false, vec![item(1), item(2)]));
    world.refuse(
        piece(operator(), 3, false, vec![item(5)]),
        Reason::PieceOutOfOrder,
    );
    let mut wrong = item(4);
    wrong.amount = Money::kzt(0);
    world.accept(piece(operator(), 2, true, vec![item(3), wrong]));
    let done = FileView {
        participant: CASP,
        file: FILE,
        next: 3,
        accepted: 3,
        refused: 1,
        complete: true,
        refusals: vec![(1, Reason::AmountZero)],
    };
    assert_eq!(view(&world), done);
    world.refuse(
        piece(operator(), 3, true, vec![item(6)]),
        Reason::PieceOutOfOrder,
    );
    assert_eq!(
        world.engine.clearing_view().waiting,
        [(date(MONDAY), 3, 30)]
    );
}

#[test]
fn a_piece_that_was_taken_is_answered_and_changes_nothing() {
    let mut world = World::new();
    let mut wrong = order(2, CASP, HSBK, 0);
    world.accept(piece(
        operator(),
        1,
        false,
        vec![order(1, CASP, HSBK, 10), wrong.clone()],
    ));
    let before = view(&world);
    // The submitter did not hear of it, and has put its item right meanwhile: that is for another piece.
    wrong.amount = Money::kzt(5);
    let again = piece(operator(), 1, false, vec![order(1, CASP, HSBK, 10), wrong]);
    assert_eq!(world.apply(again), Outcome::AlreadyApplied);
    let position = world.stamp.position;
    assert_eq!(
        world.statuses(CASP),
        [
            (position, vec![0], Status::Pending),
            (position, vec![1], rejected(Reason::DuplicateReplay)),
        ]
    );
    assert_eq!(view(&world), before);
    assert_eq!(world.engine.clearing_view().items, 1);
}

#[test]
fn an_item_in_two_pieces_is_taken_once() {
    let mut world = World::new();
    world.accept(piece(operator(), 1, false, vec![order(1, CASP, HSBK, 10)]));
    world.accept(piece(operator(), 2, true, vec![order(1, CASP, HSBK, 10)]));
    assert_eq!(
        world.engine.clearing_view().waiting,
        [(date(MONDAY), 1, 10)]
    );
    assert_eq!((view(&world).accepted, view(&world).refused), (1, 0));
}

#[test]
fn files_of_two_banks_do_not_meet() {
    let mut world = World::new();
    world.accept(piece(operator(), 1, true, vec![order(1, CASP, HSBK, 10)]));
    let other = Submit {
        piece: Some(Piece {
            file: FILE,
            number: 1,
            last: true,
        }),
        ..submit(operator(), IRTY, vec![order(2, IRTY, HSBK, 10)])
    };
    world.accept(Any::Clearing(Command::Submit(other)));
    assert_eq!(world.engine.clearing_view().items, 2);
}

#[test]
fn files_are_bounded_and_forgotten_with_their_date() {
    let mut world = World::new();
    world.accept(piece(operator(), 1, true, vec![order(1, CASP, HSBK, 10)]));
    let files = &mut world.engine.state.clearing.files;
    for number in 1..FILES_MAX {
        let piece = Piece {
            file: FileKey(bytes(number as u32)),
            number: 1,
            last: true,
        };
        assert_eq!(files.admit(CASP, &piece), Ok(true));
        files.take(CASP, &piece, 1, Vec::new(), date(MONDAY));
    }
    let one_more = Piece {
        file: FileKey([1; 16]),
        number: 1,
        last: false,
    };
    assert_eq!(files.admit(CASP, &one_more), Err(Reason::InternalLimit));
    world.close();
    assert!(world.engine.clearing_file(CASP, FILE).is_some());
    world.close();
    assert!(world.engine.clearing_file(CASP, FILE).is_none());
}
