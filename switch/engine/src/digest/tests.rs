use torap_domain::{
    Bic, Iban, Money, ParticipantId, Phone, Position, Reason, Sequence, Service, Time, Uetr,
};

use super::{RunningDigest, StateDigest};
use crate::{
    Effect, Event, Message, Notice, Outbound, Outcome, Output, Stamp, Status, directory,
    instant::{FinalOutcome, Fingerprint, Finished, PaymentKey},
    participants::Direction,
};

const STAMP: Stamp = Stamp {
    position: Position(5),
    time: Time::from_nanos(7),
};

fn digest(output: &Output) -> u64 {
    let mut digest = RunningDigest::new();
    output.digest_into(STAMP, &mut digest);
    digest.value()
}

fn finished() -> Finished {
    Finished {
        key: PaymentKey([1; 16]),
        uetr: Uetr::from_random([2; 16]),
        fingerprint: Fingerprint([3; 16]),
        submitted: Position(4),
        decided: Position(5),
        decided_at: Time::from_nanos(6),
        outcome: FinalOutcome::Settled,
        service: Service::Qr,
        amount: Money::kzt(7),
        returned: Money::kzt(0),
        debtor_agent: ParticipantId(1),
        creditor_agent: ParticipantId(2),
    }
}

fn every_event() -> Vec<Event> {
    let key = PaymentKey([1; 16]);
    let (debtor_agent, creditor_agent) = (ParticipantId(1), ParticipantId(2));
    let amount = Money::kzt(9);
    let reserved = |amount| Event::PaymentReserved {
        key,
        debtor_agent,
        creditor_agent,
        amount,
    };
    let rejected = |reason, agent_code| FinalOutcome::Rejected { reason, agent_code };
    let with = |change: &dyn Fn(&mut Finished)| {
        let mut finished = finished();
        change(&mut finished);
        Event::PaymentFinished(finished)
    };
    let record = |changed_at| {
        Event::DirectoryChanged(Box::new(directory::Record {
            phone: Phone::parse("+77011234567").unwrap(),
            persons: Vec::new(),
            suspended: false,
            changed_at: Position(changed_at),
        }))
    };
    let participant = ParticipantId(3);
    let changed = |direction| Event::PositionChanged {
        participant,
        funded: amount,
        direction,
    };
    let late = |accepted| Event::LateAnswer {
        key,
        accepted,
        decided_at: Time::from_nanos(3),
    };
    vec![
        reserved(Money::kzt(8)),
        reserved(amount),
        with(&|_| {}),
        with(&|finished| finished.key = PaymentKey([9; 16])),
        with(&|finished| finished.uetr = Uetr::from_random([9; 16])),
        with(&|finished| finished.fingerprint = Fingerprint([9; 16])),
        with(&|finished| finished.submitted = Position(9)),
        with(&|finished| finished.decided = Position(9)),
        with(&|finished| finished.decided_at = Time::from_nanos(9)),
        with(&|finished| finished.service = Service::Me2Me),
        with(&|finished| finished.amount = amount),
        with(&|finished| finished.returned = amount),
        with(&|finished| finished.debtor_agent = ParticipantId(9)),
        with(&|finished| finished.creditor_agent = ParticipantId(9)),
        with(&|finished| finished.outcome = FinalOutcome::Tombstone),
        with(&|finished| finished.outcome = rejected(Reason::AmountZero, None)),
        with(&|finished| finished.outcome = rejected(Reason::ReceiverRejected, None)),
        with(&|finished| finished.outcome = rejected(Reason::ReceiverRejected, Some(*b"AC04"))),
        Event::ReturnFinished(finished()),
        Event::PaymentReturned {
            original: key,
            returned: amount,
        },
        record(1),
        record(2),
        Event::LinkChanged {
            participant,
            up: true,
        },
        Event::LinkChanged {
            participant,
            up: false,
        },
        changed(Direction::In),
        changed(Direction::Out),
        late(true),
        late(false),
        Event::Refused {
            reason: Reason::AmountZero,
        },
        Event::Refused {
            reason: Reason::OriginalUnknown,
        },
    ]
}

fn every_message() -> Vec<Message> {
    let original = Position(3);
    let reason = Reason::OriginalUnknown;
    let status = |status, repeat| Message::Status {
        original,
        status,
        decided: Position(4),
        decided_at: Time::from_nanos(5),
        repeat,
    };
    let rejected = |agent_code| Status::Rejected { reason, agent_code };
    let available = Money::kzt(3);
    let notices = [
        Notice::Floor { available },
        Notice::Ceiling { available },
        Notice::AliasClaimed { claim: original },
        Notice::ClaimContested { claim: original },
        Notice::AliasSuspended { claim: original },
        Notice::AliasReleased { release: original },
        Notice::StateChanged { change: original },
        Notice::Funded { funding: original },
    ];
    let mut messages = vec![
        Message::Forward { original },
        Message::Confirm { original },
        status(Status::Pending, false),
        status(Status::Settled, false),
        status(Status::Settled, true),
        status(rejected(None), false),
        status(rejected(Some(*b"AC04")), false),
        Message::ForwardReturn { original },
        Message::ForwardRecall { original },
        Message::ForwardResolution { original },
        Message::Resolution { original, reason },
        Message::LookUpAnswer {
            original,
            refusal: None,
        },
        Message::LookUpAnswer {
            original,
            refusal: Some(reason),
        },
        Message::Reject { original, reason },
        Message::CommandAnswer {
            original,
            refusal: None,
        },
        Message::CommandAnswer {
            original,
            refusal: Some(reason),
        },
        Message::NotReceived { original },
    ];
    messages.extend(notices.map(|notice| Message::Notice { notice }));
    messages
}

fn effect(message: Message) -> Effect {
    Effect {
        outbound: Outbound {
            to: ParticipantId(1),
            sequence: Sequence(2),
            cause: Position(3),
            time: Time::from_nanos(4),
            expires: None,
            message,
        },
        references: None,
        amount: None,
        resolved: None,
    }
}

fn every_effect() -> Vec<Effect> {
    let mut effects: Vec<Effect> = every_message().into_iter().map(effect).collect();
    let base = effect(Message::Forward {
        original: Position(3),
    });
    let with = |change: &dyn Fn(&mut Effect)| {
        let mut effect = base;
        change(&mut effect);
        effect
    };
    let resolved = |agent: &str| {
        let account = Iban::parse("KZ86125KZT5004100100").unwrap();
        Some((Bic::parse(agent).unwrap(), account))
    };
    effects.extend([
        with(&|effect| effect.outbound.to = ParticipantId(9)),
        with(&|effect| effect.outbound.sequence = Sequence(9)),
        with(&|effect| effect.outbound.cause = Position(9)),
        with(&|effect| effect.outbound.time = Time::from_nanos(9)),
        with(&|effect| effect.outbound.expires = Some(Time::from_nanos(9))),
        with(&|effect| effect.amount = Some(Money::kzt(9))),
        with(&|effect| effect.resolved = resolved("CASPKZKA")),
        with(&|effect| effect.resolved = resolved("HSBKKZKX")),
    ]);
    effects
}

#[test]
fn every_difference_of_an_output_counts() {
    let mut outputs = Vec::new();
    for outcome in [
        Outcome::Accepted,
        Outcome::AlreadyApplied,
        Outcome::Refused(Reason::AmountZero),
        Outcome::Refused(Reason::OriginalUnknown),
    ] {
        let mut output = Output::new();
        output.outcome = outcome;
        outputs.push(output);
    }
    for event in every_event() {
        let mut output = Output::new();
        output.event(event);
        outputs.push(output);
    }
    for effect in every_effect() {
        let mut output = Output::new();
        output.effects.push(effect);
        outputs.push(output);
    }
    for (place, output) in outputs.iter().enumerate() {
        assert_eq!(digest(output), digest(output));
        for other in &outputs[..place] {
            assert_ne!(digest(output), digest(other), "{output:?}\n{other:?}");
        }
    }
}

#[test]
fn the_stamp_and_the_order_count() {
    let output = Output::new();
    let mut first = RunningDigest::new();
    output.digest_into(STAMP, &mut first);
    let later = Stamp {
        time: Time::from_nanos(8),
        ..STAMP
    };
    let further = Stamp {
        position: Position(6),
        ..STAMP
    };
    for other in [later, further] {
        let mut second = RunningDigest::new();
        output.digest_into(other, &mut second);
        assert_ne!(first, second);
    }
    // Going on from a stored value is the same as never having stopped.
    let mut resumed = RunningDigest::resume(first.value());
    output.digest_into(further, &mut resumed);
    output.digest_into(further, &mut first);
    assert_eq!(first, resumed);
    assert_ne!(first.value(), RunningDigest::default().value());
}

#[test]
fn zeros_do_not_stop_a_chain() {
    // A state that met the same word as itself would stay at zero if nothing else were mixed in.
    let mut digest = StateDigest::new();
    let mut seen = Vec::new();
    for _ in 0..100 {
        digest.feed(&[0; 8]);
        seen.push(digest.value());
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 100);
}

#[test]
fn where_the_pieces_end_does_not_matter() {
    let bytes: Vec<u8> = (0..200_u8).collect();
    let whole = {
        let mut digest = StateDigest::new();
        digest.feed(&bytes);
        digest.value()
    };
    for size in 1..40 {
        let mut digest = StateDigest::new();
        for piece in bytes.chunks(size) {
            digest.feed(piece);
        }
        assert_eq!(digest.value(), whole, "pieces of {size}");
    }
    // Yet every byte counts, a zero at the end, too.
    let mut longer = StateDigest::new();
    longer.feed(&bytes);
    longer.feed(&[0]);
    assert_ne!(longer.value(), whole);
}
