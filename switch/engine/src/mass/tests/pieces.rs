//! Pieces that the switch hands in itself.

use std::ops::Range;

use torap_domain::Text;

use super::*;
use crate::{
    Standing,
    instant::{Fingerprint, StatusRequest},
    world::{IRTY, bic, key, references, uetr},
};

/// The lines that become the payments of these numbers.
pub(super) fn take(source: Source, number: u32, last: bool, lines: Range<u8>) -> Take {
    Take {
        source,
        message_id: references(1).message_id,
        message_version: 0,
        instructing_agent: bic(CASP),
        piece: Piece {
            file: FileKey([1; 16]),
            number,
            last,
        },
        starts: None,
        content: Fingerprint([lines.start ^ lines.end.rotate_left(4); 16]),
        lines: lines.map(item).collect(),
    }
}

pub(super) fn item(number: u8) -> Item {
    Item {
        line: Line {
            key: key(number),
            uetr: uetr(number),
        },
        transaction_id: references(number).transaction_id,
        instruction_id: None,
        end_to_end_id: None,
        fault: None,
    }
}

pub(super) fn of(take: Take) -> Any {
    Any::Mass(Command::Take(take))
}

pub(super) fn send(world: &mut World, number: u32, last: bool, lines: Range<u8>) {
    let source = world.link(CASP);
    world.accept(of(take(source, number, last, lines)));
}

/// The statuses that the last command told CASP: place of the first line, their bits, and how they stand.
pub(super) fn told(world: &World) -> Vec<(u16, u64, Standing)> {
    let messages = world.sent_to(CASP).into_iter();
    let statuses = messages.filter_map(|message| match message {
        Message::MassStatus {
            first,
            lines,
            standing,
            ..
        } => Some((first, lines, standing)),
        _ => None,
    });
    statuses.collect()
}

pub(super) fn refused(reason: Reason) -> Standing {
    Standing::Refused { reason }
}

/// The switch hands a line in, as it is due.
pub(super) fn hand_in(world: &mut World, number: u8) -> Outcome {
    let mut payment = world.payment(number, Service::C2cAccount, 500);
    payment.source = Source::Switch;
    world.apply(Any::Instant(instant::Command::CreditTransfer(payment)))
}

pub(super) fn due(world: &World) -> Vec<u16> {
    let due = world
        .engine
        .mass_due(world.now(), 100, ParticipantId::SWITCH);
    due.into_iter().map(|due| due.place).collect()
}

#[test]
fn lines_of_a_bank_wait_until_the_switch_hands_them_in_and_never_again() {
    let mut world = World::new();
    send(&mut world, 1, true, 1..4);
    assert_eq!(told(&world), [(0, 0b111, Standing::Accepted)]);
    let position = world.stamp.position;
    assert_eq!(due(&world), [0, 1, 2]);
    assert_eq!(world.engine.oldest_referred(), Some(position));
    assert_eq!(hand_in(&mut world, 2), Outcome::Accepted);
    assert!(matches!(
        world.sent_to(HSBK).as_slice(),
        [Message::Forward { .. }]
    ));
    assert_eq!(due(&world), [0, 2]);
    // It waits no more: nobody can hand it in once more.
    let again = hand_in(&mut world, 2);
    assert_eq!(again, Outcome::Refused(Reason::UnboundSender));
    world.answer(2, Verdict::Accept);
    assert_eq!(world.status_to(CASP), (Status::Settled, false));
    assert_eq!(hand_in(&mut world, 1), Outcome::Accepted);
    assert_eq!(hand_in(&mut world, 3), Outcome::Accepted);
    assert!(due(&world).is_empty());
    let piece = world.engine.mass_piece(CASP, FileKey([1; 16]), 1);
    assert_eq!(piece.waiting, 0);
    assert_eq!(piece.taken, [(0, None), (1, None), (2, None)]);
    // What no file has the switch never pays by itself.
    let other = hand_in(&mut world, 9);
    assert_eq!(other, Outcome::Refused(Reason::UnboundSender));
}

#[test]
fn the_same_message_again_is_answered_as_each_line_stands() {
    let mut world = World::new();
    send(&mut world, 1, false, 1..5);
    assert_eq!(hand_in(&mut world, 1), Outcome::Accepted);
    assert_eq!(hand_in(&mut world, 2), Outcome::Accepted);
    world.answer(2, Verdict::Accept);
    let available = world.available(CASP);
    let source = world.link(CASP);
    let again = world.apply(of(take(source, 1, false, 1..5)));
    assert_eq!(again, Outcome::AlreadyApplied);
    let expected = [
        (0, 0b0001, Standing::Pending),
        (0, 0b1100, Standing::Accepted),
    ];
    assert_eq!(told(&world), expected);
    let settled = world.sent_to(CASP).into_iter().any(|message| {
        let status = Status::Settled;
        matches!(message, Message::Status { status: told, repeat: true, .. } if told == status)
    });
    assert!(settled);
    assert_eq!(world.available(CASP), available);
    // Its evidence is that of the newer record now.
    let oldest = world.engine.mass_due(world.now(), 1, CASP)[0].position;
    assert_eq!(oldest, world.stamp.position);

    // Other lines under the same piece; a piece that is not the next; nothing of either is known.
    for (number, lines, reason) in [
        (1, 1..4, Reason::DuplicateMismatch),
        (3, 5..6, Reason::PieceOutOfOrder),
    ] {
        let source = world.link(CASP);
        world.refuse(of(take(source, number, false, lines)), reason);
        assert!(matches!(
            world.sent_to(CASP).as_slice(),
            [Message::Reject { .. }]
        ));
    }
    send(&mut world, 2, true, 5..6);
    // The piece before, after the file has gone on.
    let source = world.link(CASP);
    let again = world.apply(of(take(source, 1, false, 1..5)));
    assert_eq!(again, Outcome::AlreadyApplied);
    let source = world.link(CASP);
    world.refuse(of(take(source, 3, true, 6..7)), Reason::PieceOutOfOrder);
}

#[test]
fn lines_that_wait_at_a_merger_are_answered_to_who_took_over() {
    for (version, answered) in [(1, CASP), (2, IRTY)] {
        let mut world = World::new();
        let source = operator();
        world.accept(Any::Rules { source, version });
        send(&mut world, 1, true, 1..2);
        world.succeed(CASP, IRTY);
        assert_eq!(hand_in(&mut world, 1), Outcome::Accepted);
        world.answer(1, Verdict::Accept);
        let settled = (Status::Settled, false);
        assert_eq!(world.status_to(answered), settled);
    }
}

#[test]
fn a_line_that_breaks_a_rule_is_refused_alone() {
    let mut world = World::new();
    send(&mut world, 1, false, 1..3);
    let source = world.link(CASP);
    let mut piece = take(source, 2, true, 2..6);
    piece.lines[1].fault = Some(Fault {
        code: Text::truncated("FF07"),
        text: Text::truncated("CdtTrfTxInf[2]/Purp/Prtry"),
    });
    // The identifier of the line before it, with another UETR.
    piece.lines[3].line.key = key(4);
    world.accept(of(piece.clone()));
    let twice = refused(Reason::DuplicateMismatch);
    let expected = [
        (0, 0b1001, twice),
        (0, 0b0010, Standing::Broken),
        (0, 0b0100, Standing::Accepted),
    ];
    assert_eq!(told(&world), expected);
    let places: Vec<(u32, u16)> = world
        .engine
        .mass_due(world.now(), 9, CASP)
        .iter()
        .map(|due| (due.piece, due.place))
        .collect();
    assert_eq!(places, [(1, 0), (1, 1), (2, 2)]);
    let file = world.engine.mass_file(CASP, FileKey([1; 16])).unwrap();
    assert_eq!((file.lines, file.complete), (3, true));
    // The same again, and the same answers.
    let source = world.link(CASP);
    let again = world.apply(of(Take { source, ..piece }));
    assert_eq!(again, Outcome::AlreadyApplied);
    assert_eq!(told(&world), expected);
}

#[test]
fn a_line_without_room_is_tried_again_and_given_up_after_so_many_tries() {
    let mut world = World::new();
    send(&mut world, 1, true, 1..3);
    let miss = |world: &mut World, reason| {
        world.apply(Any::Mass(Command::Miss(Miss {
            source: Source::Switch,
            participant: CASP,
            file: FileKey([1; 16]),
            piece: 1,
            place: 0,
            reason,
        })))
    };
    for _ in 1..TRIES_MAX {
        assert_eq!(miss(&mut world, Reason::Overloaded), Outcome::Accepted);
        assert!(told(&world).is_empty());
        assert_eq!(due(&world), [1]);
        world.wait(TRY_AGAIN_AFTER);
        assert_eq!(due(&world), [0, 1]);
    }
    assert_eq!(miss(&mut world, Reason::Overloaded), Outcome::Accepted);
    assert_eq!(told(&world), [(0, 1, refused(Reason::Overloaded))]);
    assert_eq!(due(&world), [1]);
    let piece = world.engine.mass_piece(CASP, FileKey([1; 16]), 1);
    let expected = PieceView {
        waiting: 1,
        taken: vec![(0, Some(Reason::Overloaded)), (1, None)],
    };
    assert_eq!(piece, expected);
    // It waits no more; the message again makes it wait once more.
    let gone = miss(&mut world, Reason::Overloaded);
    assert_eq!(gone, Outcome::Refused(Reason::OriginalUnknown));
    let source = world.link(CASP);
    world.apply(of(take(source, 1, true, 1..3)));
    assert_eq!(told(&world), [(0, 0b11, Standing::Accepted)]);
    assert_eq!(due(&world), [0, 1]);
    // What will not pass is given up at once.
    assert_eq!(
        miss(&mut world, Reason::MalformedMessage),
        Outcome::Accepted
    );
    assert_eq!(told(&world), [(0, 1, refused(Reason::MalformedMessage))]);
}

#[test]
fn a_refusal_that_may_pass_is_told_only_when_the_line_is_given_up() {
    let mut world = World::new();
    send(&mut world, 1, true, 1..2);
    let mut bounds = *world.engine.bounds();
    bounds.in_flight_max = 1;
    world.accept(Any::Bounds {
        source: operator(),
        bounds,
    });
    // Another payment takes the one place that there is.
    let other = world.payment(7, Service::C2cAccount, 500);
    world.accept(Any::Instant(instant::Command::CreditTransfer(other)));
    for _ in 1..TRIES_MAX {
        let full = hand_in(&mut world, 1);
        assert_eq!(full, Outcome::Refused(Reason::InFlightFull));
        assert!(world.sent_to(CASP).is_empty());
        world.wait(TRY_AGAIN_AFTER);
    }
    let full = hand_in(&mut world, 1);
    assert_eq!(full, Outcome::Refused(Reason::InFlightFull));
    let told = world.status_to(CASP);
    assert_eq!(told, (crate::world::rejected(Reason::InFlightFull), false));
    assert!(due(&world).is_empty());
}

#[test]
fn a_bank_that_asks_about_a_waiting_line_does_not_bury_it() {
    let mut world = World::new();
    send(&mut world, 1, true, 1..3);
    let source = world.link(CASP);
    world.accept(Any::Instant(instant::Command::StatusRequest(
        StatusRequest {
            source,
            key: key(2),
            references: references(2),
            instructing_agent: bic(CASP),
            original: None,
        },
    )));
    assert_eq!(told(&world), [(1, 1, Standing::Accepted)]);
    assert_eq!(hand_in(&mut world, 2), Outcome::Accepted);
}

#[test]
fn a_file_with_a_start_waits_for_it() {
    let mut world = World::new();
    let source = world.link(CASP);
    let mut piece = take(source, 1, true, 1..3);
    piece.starts = Some(world.now().saturating_add(Span::from_secs(3600)));
    world.accept(of(piece));
    assert!(due(&world).is_empty());
    world.wait(Span::from_secs(3600));
    assert_eq!(due(&world), [0, 1]);
    let source = world.link(CASP);
    let mut late = take(source, 2, true, 3..4);
    late.piece.file = FileKey([2; 16]);
    late.piece.number = 1;
    let latest = world.now().saturating_add(STARTS_WITHIN);
    late.starts = Some(latest.saturating_add(Span::from_secs(1)));
    world.refuse(of(late), Reason::ValueDateNotAllowed);
}

#[test]
fn participants_take_turns_and_none_takes_all_the_room() {
    let mut world = World::new();
    let of_file = |source, bank: ParticipantId, file: u8, lines: Range<u8>| Take {
        instructing_agent: bic(bank),
        piece: Piece {
            file: FileKey([file; 16]),
            number: 1,
            last: true,
        },
        ..take(source, 1, true, lines)
    };
    let source = world.link(CASP);
    world.accept(of(of_file(source, CASP, 1, 1..6)));
    let source = world.link(IRTY);
    world.accept(of(of_file(source, IRTY, 2, 6..9)));
    let turns = |world: &World, most, after| -> Vec<(ParticipantId, u16)> {
        let due = world.engine.mass_due(world.now(), most, after);
        due.iter().map(|due| (due.participant, due.place)).collect()
    };
    let expected = [(CASP, 0), (IRTY, 0), (CASP, 1), (IRTY, 1)];
    assert_eq!(turns(&world, 4, ParticipantId::SWITCH), expected);
    assert_eq!(turns(&world, 1, CASP), [(IRTY, 0)]);
    assert_eq!(turns(&world, 9, CASP).len(), 8);

    for file in 3..=PIECES_WAITING_OF_ONE_MAX as u8 + 1 {
        let source = world.link(CASP);
        world.accept(of(of_file(source, CASP, file, 10 + file..11 + file)));
    }
    let source = world.link(CASP);
    world.refuse(of(of_file(source, CASP, 99, 99..100)), Reason::Overloaded);
    let source = world.link(IRTY);
    world.accept(of(of_file(source, IRTY, 100, 100..101)));
    // A bank may not submit in another bank's name.
    let source = world.link(IRTY);
    world.refuse(
        of(of_file(source, CASP, 101, 101..102)),
        Reason::UnboundSender,
    );
}

#[test]
fn a_line_that_the_payees_bank_rejects_and_one_of_anothers_identifiers_are_told_as_payments() {
    let mut world = World::new();
    send(&mut world, 1, true, 1..3);
    assert_eq!(hand_in(&mut world, 1), Outcome::Accepted);
    world.answer(
        1,
        Verdict::Reject {
            agent_code: *b"AC04",
        },
    );
    let rejected = Status::Rejected {
        reason: Reason::ReceiverRejected,
        agent_code: Some(*b"AC04"),
    };
    assert_eq!(world.status_to(CASP), (rejected, false));
    // Its key is that of another payment, which the bank has sent by itself meanwhile.
    let mut other = world.payment(2, Service::C2cAccount, 700);
    other.references.uetr = uetr(9);
    other.fingerprint = Fingerprint([9; 16]);
    world.accept(Any::Instant(instant::Command::CreditTransfer(other)));
    let twice = hand_in(&mut world, 2);
    assert_eq!(twice, Outcome::Refused(Reason::DuplicateMismatch));
    let told = world.status_to(CASP);
    assert_eq!(
        told,
        (crate::world::rejected(Reason::DuplicateMismatch), false)
    );
    let piece = world.engine.mass_piece(CASP, FileKey([1; 16]), 1);
    let missed = Some(Reason::DuplicateMismatch);
    assert_eq!(
        (piece.waiting, piece.taken),
        (0, vec![(0, None), (1, missed)])
    );
}

#[test]
fn no_participant_may_have_more_files_known_than_its_share() {
    let mut world = World::new();
    // Lines that break a rule: nothing waits.
    let broken = |world: &mut World, file: u16| {
        let source = world.link(CASP);
        let mut piece = take(source, 1, true, 1..2);
        let mut key = [0; 16];
        key[..2].copy_from_slice(&file.to_be_bytes());
        piece.piece.file = FileKey(key);
        piece.lines[0].fault = Some(Fault {
            code: Text::truncated("FF07"),
            text: Text::truncated("CdtTrfTxInf[1]/Purp/Prtry"),
        });
        world.apply(of(piece))
    };
    for file in 0..FILES_OF_ONE_MAX as u16 {
        assert_eq!(broken(&mut world, file), Outcome::Accepted);
    }
    let more = broken(&mut world, FILES_OF_ONE_MAX as u16);
    assert_eq!(more, Outcome::Refused(Reason::InternalLimit));
    // In a week they are forgotten.
    world.wait(KEEP);
    let more = broken(&mut world, FILES_OF_ONE_MAX as u16);
    assert_eq!(more, Outcome::Accepted);
}
