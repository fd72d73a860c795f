//! A TxId of one line in another piece or file, and what banks ask about a line that waits.

use std::ops::Range;

use torap_domain::CancellationId;

use super::{
    pieces::{due, hand_in, of, refused, send, take, told},
    *,
};
use crate::{
    Standing,
    instant::{Recall, StatusRequest},
    world::{bic, key, references, uetr},
};

/// The same identifiers with other UETRs, in the file 2.
fn other_file(world: &mut World, lines: Range<u8>) -> Take {
    let mut piece = take(world.link(CASP), 1, true, lines);
    piece.piece.file = FileKey([2; 16]);
    for item in &mut piece.lines {
        let mut bytes = [0x77; 16];
        bytes[..8].copy_from_slice(&item.line.key.0[..8]);
        item.line.uetr = Uetr::from_random(bytes);
    }
    piece
}

fn give_up(world: &mut World, file: u8) {
    let missed = world.apply(Any::Mass(Command::Miss(Miss {
        source: Source::Switch,
        participant: CASP,
        file: FileKey([file; 16]),
        piece: 1,
        place: 0,
        reason: Reason::MalformedMessage,
    })));
    assert_eq!(missed, Outcome::Accepted);
}

fn restored(world: &World) -> Engine {
    let mut bytes = Vec::new();
    let engine = &world.engine;
    engine.snapshot(&mut |piece| bytes.extend_from_slice(piece));
    let restored = Engine::restore(&bytes, 1).unwrap();
    assert_eq!(restored.digest(), engine.digest());
    restored
}

#[test]
fn a_snapshot_holds_a_key_of_two_files_of_which_one_waits() {
    for waits_first in [false, true] {
        let mut world = World::new();
        if waits_first {
            // The file 1, which a snapshot has first, is the one that waits.
            let other = other_file(&mut world, 1..2);
            world.accept(of(other));
            give_up(&mut world, 2);
            send(&mut world, 1, true, 1..2);
        } else {
            send(&mut world, 1, true, 1..2);
            give_up(&mut world, 1);
            let other = other_file(&mut world, 1..2);
            world.accept(of(other));
        }
        let engine = restored(&world);
        let file = FileKey([if waits_first { 1 } else { 2 }; 16]);
        let waits = engine.mass_lines(CASP, file)[0];
        assert_eq!(
            (waits.key, engine.mass_waits(&key(1))),
            (key(1), Some(waits.uetr))
        );
        let given_up = engine.mass_lines(CASP, FileKey([3 - file.0[0]; 16]))[0];
        assert_eq!(given_up.key, key(1));
        assert_ne!(given_up.uetr, waits.uetr);
        assert_eq!(engine.mass_due(world.now(), 9, CASP).len(), 1);
    }
}

#[test]
fn a_line_that_was_given_up_does_not_displace_one_that_waits() {
    let mut world = World::new();
    send(&mut world, 1, true, 1..3);
    give_up(&mut world, 1);
    let other = other_file(&mut world, 1..2);
    world.accept(of(other));
    let source = world.link(CASP);
    let again = world.apply(of(take(source, 1, true, 1..3)));
    assert_eq!(again, Outcome::AlreadyApplied);
    let twice = refused(Reason::DuplicateMismatch);
    assert_eq!(
        told(&world),
        [(0, 0b01, twice), (0, 0b10, Standing::Accepted)]
    );
    let files: Vec<(FileKey, u16)> = world
        .engine
        .mass_due(world.now(), 9, CASP)
        .iter()
        .map(|due| (due.file, due.place))
        .collect();
    assert_eq!(files.len(), 2);
    assert!(files.contains(&(FileKey([2; 16]), 0)) && files.contains(&(FileKey([1; 16]), 1)));
    restored(&world);
}

fn ask(world: &mut World, key_of: u8, uetr_of: u8) -> Any {
    let mut references = references(key_of);
    references.uetr = uetr(uetr_of);
    Any::Instant(instant::Command::StatusRequest(StatusRequest {
        source: world.link(CASP),
        key: key(key_of),
        references,
        instructing_agent: bic(CASP),
        original: None,
    }))
}

#[test]
fn a_question_names_both_identifiers_of_a_line_that_waits() {
    let mut world = World::new();
    send(&mut world, 1, true, 1..3);
    for (key_of, uetr_of) in [(1, 9), (9, 1), (1, 2)] {
        let asked = ask(&mut world, key_of, uetr_of);
        world.refuse(asked, Reason::OriginalMismatch);
    }
    // Nothing of it was buried.
    assert_eq!(due(&world), [0, 1]);
    assert_eq!(hand_in(&mut world, 1), Outcome::Accepted);
    assert_eq!(hand_in(&mut world, 2), Outcome::Accepted);
}

#[test]
fn a_recall_of_a_waiting_line_says_so_only_to_its_own_bank() {
    let mut world = World::new();
    send(&mut world, 1, true, 1..2);
    let recall = |world: &mut World, bank, number| {
        Any::Instant(instant::Command::Recall(Recall {
            source: world.link(bank),
            references: references(number),
            cancellation_id: CancellationId::parse("CXL-1").unwrap(),
            instructing_agent: bic(bank),
            reason_code: *b"DUPL",
            original: None,
        }))
    };
    for (bank, reason) in [
        (CASP, Reason::OriginalNotSettled),
        (HSBK, Reason::OriginalUnknown),
    ] {
        let asked = recall(&mut world, bank, 1);
        world.refuse(asked, reason);
    }
    // Given up, it is nothing any more, though its file is known.
    give_up(&mut world, 1);
    let asked = recall(&mut world, CASP, 1);
    world.refuse(asked, Reason::OriginalUnknown);
}
