//! How much of files is known and waits at once, and how it is forgotten.

use torap_domain::Text;

use super::{
    pieces::{hand_in, of, send, take},
    *,
};
use crate::{
    mass::pieces::{Entry, Known},
    world::{IRTY, bic},
};

/// One piece of a file of its own, with one line.
fn one_line(world: &mut World, bank: ParticipantId, number: u32) -> Take {
    let mut bytes = [0xb0; 16];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    let mut piece = take(world.link(bank), 1, true, 1..2);
    piece.instructing_agent = bic(bank);
    piece.piece.file = FileKey(bytes);
    piece.lines[0].line = Line {
        key: PaymentKey(bytes),
        uetr: Uetr::from_random(bytes),
    };
    piece
}

/// [`line`] has no room for thousands beside the version of a UETR.
fn far_line(number: u64) -> Line {
    line(number.rotate_left(32))
}

fn break_line(piece: &mut Take) {
    piece.lines[0].fault = Some(Fault {
        code: Text::truncated("FF07"),
        text: Text::truncated("CdtTrfTxInf[1]/Purp/Prtry"),
    });
}

#[test]
fn pieces_without_a_good_line_are_bounded_too() {
    let mut state = State::new();
    let mut world = World::new();
    let mut piece = one_line(&mut world, CASP, 1);
    break_line(&mut piece);
    let known = Known {
        position: Position::new(1),
        link: CASP,
        starts: Time::EPOCH,
        content: piece.content,
        entries: Vec::new(),
    };
    let file = piece.piece.file;
    let mut fill = |bank: ParticipantId, count: usize| {
        for number in 0..count as u32 {
            state.pieces.insert((bank, file, number), known.clone());
        }
        let last = count as u32;
        let room = state.check_bounds(&piece, bank);
        state.pieces.insert((bank, file, last), known.clone());
        (room, state.check_bounds(&piece, bank))
    };
    let full = Err(Reason::InternalLimit);
    assert_eq!(fill(CASP, PIECES_OF_ONE_MAX - 1), (Ok(()), full));
    assert_eq!(fill(HSBK, PIECES_OF_ONE_MAX - 1), (Ok(()), full));
    assert_eq!(fill(IRTY, PIECES_OF_ONE_MAX - 1), (Ok(()), full));
    // All of them together: the last may not have its whole share more.
    assert_eq!(fill(NOBODY, PIECES_OF_ONE_MAX - 1), (Ok(()), full));
    let other = ParticipantId::new(77);
    assert_eq!(state.check_bounds(&piece, other), full);
}

#[test]
fn pieces_with_a_start_take_no_room_of_those_that_go_in() {
    let mut world = World::new();
    let later = world.now().saturating_add(Span::from_secs(3600));
    let most = PIECES_STARTING_LATER_OF_ONE_MAX as u32;
    for number in 0..most {
        let mut piece = one_line(&mut world, CASP, number);
        piece.starts = Some(later);
        world.accept(of(piece));
    }
    let mut piece = one_line(&mut world, CASP, most);
    piece.starts = Some(later);
    world.refuse(of(piece), Reason::Overloaded);
    let more = PIECES_WAITING_OF_ONE_MAX as u32;
    for number in 0..more {
        let piece = one_line(&mut world, CASP, 1000 + number);
        world.accept(of(piece));
    }
    let piece = one_line(&mut world, CASP, 1000 + more);
    world.refuse(of(piece), Reason::Overloaded);
}

#[test]
fn a_participant_of_which_nothing_waits_always_has_room() {
    let mut pieces = Pieces::default();
    let (now, then) = (Time::EPOCH, Time::EPOCH.saturating_add(Span::from_secs(1)));
    let stage = Stage::Waiting {
        tries: 0,
        again: now,
    };
    let mut number = 0_u64;
    for bank in 1..=PIECES_WAITING_MAX / PIECES_WAITING_OF_ONE_MAX {
        for piece in 0..PIECES_WAITING_OF_ONE_MAX as u32 {
            number += 1;
            let entry = Entry {
                line: line(number),
                place: 0,
                stage,
            };
            let known = Known {
                position: Position::new(number),
                link: CASP,
                starts: now,
                content: instant::Fingerprint([0; 16]),
                entries: vec![entry],
            };
            let bank = ParticipantId::new(1000 + bank as u16);
            pieces.insert((bank, FileKey([1; 16]), piece), known);
        }
    }
    let full = ParticipantId::new(1001);
    assert!(!pieces.have_room(full, now, now));
    assert!(pieces.have_room(full, then, now));
    let new = ParticipantId::new(999);
    assert!(pieces.have_room(new, now, now));
    let entry = Entry {
        line: line(0),
        place: 0,
        stage,
    };
    let known = Known {
        position: Position::new(9999),
        link: CASP,
        starts: now,
        content: instant::Fingerprint([0; 16]),
        entries: vec![entry],
    };
    pieces.insert((new, FileKey([1; 16]), 1), known);
    // It has its one, and the shared room is full.
    assert!(!pieces.have_room(new, now, now));
}

#[test]
fn a_piece_again_needs_room_only_if_something_of_it_would_wait() {
    let mut world = World::new();
    send(&mut world, 1, true, 1..2);
    assert_eq!(hand_in(&mut world, 1), Outcome::Accepted);
    for number in 0..PIECES_WAITING_OF_ONE_MAX as u32 {
        let piece = one_line(&mut world, CASP, number);
        world.accept(of(piece));
    }
    let piece = (CASP, FileKey([1; 16]), 1);
    assert!(world.engine.mass_has_room(piece, None, world.now()));
    let source = world.link(CASP);
    let again = world.apply(of(take(source, 1, true, 1..2)));
    assert_eq!(again, Outcome::AlreadyApplied);
    let next = (CASP, FileKey([1; 16]), 2);
    assert!(!world.engine.mass_has_room(next, None, world.now()));
}

#[test]
fn a_large_file_is_forgotten_with_several_commands_and_the_oldest_first() {
    let mut state = State::new();
    let many = FORGOTTEN_AT_ONCE_MAX as u64 + 10;
    let mut add = |file: u8, seconds: u64, lines: std::ops::Range<u64>| {
        let lines: Vec<Line> = lines.map(far_line).collect();
        state.uetrs.extend(lines.iter().map(|line| line.uetr));
        let at = Time::EPOCH.saturating_add(Span::from_secs(seconds));
        let file_of = File {
            next: 2,
            complete: false,
            at,
            before_last: lines.len(),
            lines,
        };
        state.files.insert((CASP, FileKey([file; 16])), file_of);
    };
    add(1, 2, many..many + 5);
    add(2, 1, 0..many);
    add(3, 1000, many + 5..many + 6);
    let now = Time::EPOCH
        .saturating_add(KEEP)
        .saturating_add(Span::from_secs(10));
    let known = |state: &State| -> Vec<(u8, usize)> {
        let files = state.files.iter();
        files
            .map(|((_, key), file)| (key.0[0], file.lines.len()))
            .collect()
    };
    state.forget_some(now);
    assert_eq!(known(&state), [(1, 5), (2, 10), (3, 1)]);
    let file = state.files.get(&(CASP, FileKey([2; 16]))).unwrap();
    assert!(file.complete && file.before_last == 10);
    assert_eq!(state.uetrs.len(), 16);
    state.forget_some(now);
    assert_eq!(known(&state), [(3, 1)]);
    assert_eq!(state.uetrs.len(), 1);
}
