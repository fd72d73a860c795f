use torap_domain::{MessageId, ParticipantId, Reason, Sequence, Text};

use super::{Command, Refusal};
use crate::{
    Command as AnyCommand, Event, Message, Outcome, Source,
    instant::Verdict,
    world::{CASP, HSBK, NOBODY, World},
};
use torap_domain::Service;

fn up(participant: ParticipantId, session: u64) -> AnyCommand {
    AnyCommand::Links(Command::Up {
        participant,
        session,
        received: Sequence::ZERO,
    })
}

fn down(participant: ParticipantId, session: u64) -> AnyCommand {
    AnyCommand::Links(Command::Down {
        participant,
        session,
    })
}

fn refusal(source: Source, json: bool) -> AnyCommand {
    let refusal = Refusal {
        reason: Reason::MalformedMessage,
        reference: Some(MessageId::parse("THEIRS").unwrap()),
        json,
        path: Text::truncated("/Document"),
        rule: Text::truncated("xml-well-formed"),
        code: Text::truncated("FF01"),
    };
    AnyCommand::Links(Command::Refused { source, refusal })
}

fn link_up(world: &World, participant: ParticipantId) -> bool {
    world.engine.participant_view(participant).unwrap().link_up
}

fn changes(world: &World) -> Vec<(ParticipantId, bool)> {
    let events = world.out.events.iter();
    let changes = events.filter_map(|event| match event {
        Event::LinkChanged { participant, up } => Some((*participant, *up)),
        _ => None,
    });
    changes.collect()
}

#[test]
fn only_the_newest_session_counts() {
    let mut world = World::new();
    assert!(link_up(&world, CASP));
    // A second session takes the place of the first, whose end then means nothing.
    world.accept(up(CASP, 5));
    assert_eq!(changes(&world), [(CASP, true)]);
    world.accept(down(CASP, 1));
    assert_eq!(changes(&world), []);
    assert!(link_up(&world, CASP));
    // An older session that is told of late means nothing either.
    world.accept(up(CASP, 4));
    assert_eq!(changes(&world), []);
    world.accept(down(CASP, 5));
    assert_eq!(changes(&world), [(CASP, false)]);
    assert!(!link_up(&world, CASP));
    world.accept(up(CASP, 5));
    assert!(!link_up(&world, CASP));
}

#[test]
fn a_stranger_cannot_sign_on() {
    let mut world = World::new();
    world.refuse(up(NOBODY, 1), Reason::UnknownParticipant);
    world.accept(down(NOBODY, 1));
    let source = Source::Link {
        participant: NOBODY,
        sequence: Sequence(1),
    };
    world.refuse(refusal(source, false), Reason::UnboundSender);
    assert_eq!(world.out.effects, []);
    let source = Source::Link {
        participant: ParticipantId::SWITCH,
        sequence: Sequence(1),
    };
    world.refuse(refusal(source, false), Reason::UnboundSender);
}

#[test]
fn a_start_signs_everybody_off_and_sessions_begin_anew() {
    let mut world = World::new();
    world.accept(AnyCommand::Start {
        epoch: torap_domain::Epoch(2),
        binary: Text::truncated("torap"),
    });
    let all: Vec<_> = (1..=4).map(|id| (ParticipantId(id), false)).collect();
    assert_eq!(changes(&world), all);
    world.accept(up(CASP, 1));
    assert!(link_up(&world, CASP));
    assert!(!link_up(&world, HSBK));
}

#[test]
fn a_sequence_counts_once() {
    let mut world = World::new();
    let source = |sequence| Source::Link {
        participant: CASP,
        sequence: Sequence(sequence),
    };
    world.refuse(refusal(source(1), false), Reason::MalformedMessage);
    assert_eq!(world.out.effects.len(), 1);
    assert_eq!(
        world.apply(refusal(source(1), false)),
        Outcome::AlreadyApplied
    );
    assert_eq!((world.out.effects.len(), world.out.events.len()), (0, 0));
    // A hole is passed over: what was missing is given up.
    world.refuse(refusal(source(5), false), Reason::MalformedMessage);
    assert_eq!(
        world.apply(refusal(source(4), false)),
        Outcome::AlreadyApplied
    );
    let view = world.engine.participant_view(CASP).unwrap();
    assert_eq!(view.inbound_last, Sequence(5));
    // Another link counts for itself.
    let other = Source::Link {
        participant: HSBK,
        sequence: Sequence(1),
    };
    world.refuse(refusal(other, false), Reason::MalformedMessage);
}

#[test]
fn a_message_not_understood_is_answered_in_its_own_form() {
    let mut world = World::new();
    let source = world.link(CASP);
    world.refuse(refusal(source, false), Reason::MalformedMessage);
    let original = world.stamp.position;
    let reason = Reason::MalformedMessage;
    assert_eq!(world.sent_to(CASP), [Message::Reject { original, reason }]);
    assert_eq!(world.out.events, [Event::Refused { reason }]);
    let source = world.link(CASP);
    world.refuse(refusal(source, true), Reason::MalformedMessage);
    let original = world.stamp.position;
    let refusal = Some(reason);
    let answer = Message::CommandAnswer { original, refusal };
    assert_eq!(world.sent_to(CASP), [answer]);
}

#[test]
fn streams_are_counted_apart() {
    let mut world = World::new();
    let before: Vec<_> = [CASP, HSBK]
        .map(|id| world.engine.participant_view(id).unwrap().outbound_last.0)
        .into();
    let payment = world.payment(1, Service::C2cAccount, 100);
    world.accept(crate::Command::Instant(
        crate::instant::Command::CreditTransfer(payment),
    ));
    world.answer(1, Verdict::Accept);
    // The payer's bank got its status; the payee's bank the payment and its status.
    let last = |id| world.engine.participant_view(id).unwrap().outbound_last.0;
    assert_eq!(last(CASP), before[0] + 1);
    assert_eq!(last(HSBK), before[1] + 2);
}
