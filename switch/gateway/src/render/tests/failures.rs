use bytes::Bytes;
use torap_domain::{ParticipantId, Position, Reason, Sequence, Time};
use torap_engine::{Command, Effect, Message, Notice, Outbound, Status};

use super::world::{Log, kind};
use crate::{
    fixtures::{ACCEPTED_NS, Known, by_account, by_phone, cold, network, payee_record, payment},
    render::{RenderError, Renderer},
    translate::{Inbound, Translator},
    wire::ContentType,
};

fn effect(to: u16, message: Message) -> Effect {
    cold(Outbound {
        to: ParticipantId(to),
        sequence: Sequence::new(3),
        cause: Position::new(1),
        time: Time::from_nanos(ACCEPTED_NS),
        expires: None,
        message,
    })
}

/// Every kind of entry, about the record at position 1.
fn messages() -> Vec<Message> {
    let original = Position::new(1);
    let reason = Reason::OriginalUnknown;
    let decided_at = Time::from_nanos(ACCEPTED_NS);
    let status = |status| Message::Status {
        original,
        status,
        decided: original,
        decided_at,
        repeat: false,
    };
    let notices = [
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
        status(Status::Pending),
        status(Status::Settled),
        status(Status::Rejected {
            reason,
            agent_code: Some([0xff; 4]),
        }),
        Message::ForwardReturn { original },
        Message::ForwardRecall { original },
        Message::ForwardResolution { original },
        Message::Resolution { original, reason },
        Message::LookUpAnswer {
            original,
            refusal: None,
        },
        Message::Reject { original, reason },
        Message::CommandAnswer {
            original,
            refusal: Some(reason),
        },
        Message::NotReceived { original },
        Message::ClearingStatus {
            original,
            first: 0,
            items: 1,
            status: Status::Settled,
            session: None,
        },
    ];
    messages.extend(notices.map(|notice| Message::Notice { notice }));
    messages
}

fn transfer(message: &torap_iso20022::view::CreditTransfer<'_>) -> (Command, Bytes) {
    let body = payment(message);
    let known = Known::with([payee_record()]);
    let inbound = Inbound {
        participant: ParticipantId(1),
        sequence: Sequence::new(1),
        content_type: ContentType::Iso20022Xml,
        body: &body,
    };
    let translated = Translator::new().translate(inbound, &network(), &known, false);
    (translated.command, body)
}

#[track_caller]
fn fails(effect: &Effect, log: &Log) -> RenderError {
    let mut out = b"kept".to_vec();
    let error = Renderer::new()
        .render(effect, None, log, &network(), false, &mut out)
        .unwrap_err();
    assert_eq!(out, b"kept", "nothing of a failed text remains");
    assert!(!error.to_string().is_empty());
    error
}

#[test]
fn without_the_record_there_is_an_error_and_no_text() {
    for message in messages() {
        let error = fails(&effect(1, message), &Log::default());
        assert!(
            matches!(error, RenderError::Record(_)),
            "{}: {error}",
            kind(&message)
        );
    }
}

#[test]
fn a_record_of_another_kind_is_an_error() {
    let log = Log::with([(1, Command::Tick, Bytes::from_static(b"<a/>"))]);
    for message in messages() {
        // These can be about any record.
        if matches!(
            message,
            Message::Reject { .. } | Message::CommandAnswer { .. }
        ) {
            continue;
        }
        let error = fails(&effect(1, message), &log);
        assert!(
            matches!(error, RenderError::Facts { position, .. } if position == Position::new(1)),
            "{error}"
        );
    }
}

#[test]
fn an_unknown_receiver_is_an_error() {
    let (command, body) = transfer(&by_account());
    let log = Log::with([(1, command, body)]);
    let error = fails(
        &effect(
            77,
            Message::Forward {
                original: Position::new(1),
            },
        ),
        &log,
    );
    assert_eq!(error, RenderError::Receiver(ParticipantId(77)));
}

#[test]
fn an_original_that_is_not_the_message_is_an_error() {
    let forward = effect(
        2,
        Message::Forward {
            original: Position::new(1),
        },
    );
    let (by_account, _) = transfer(&by_account());
    let (by_phone, whole) = transfer(&by_phone());
    let text = String::from_utf8(whole.to_vec()).unwrap();
    for damaged in ["", "<a>", "<Envelope></Envelope>", "<Document/>"] {
        for command in [&by_account, &by_phone] {
            let log = Log::with([(
                1,
                command.clone(),
                Bytes::copy_from_slice(damaged.as_bytes()),
            )]);
            let error = fails(&forward, &log);
            assert!(
                matches!(error, RenderError::Evidence { .. } | RenderError::Record(_)),
                "{damaged}: {error}"
            );
        }
    }
    for (from, to) in [
        ("CdtrAcct", "Other"),
        ("Prxy", "Proxy"),
        ("CdtrAgt", "Agent"),
    ] {
        let damaged = text.replace(from, to);
        let log = Log::with([(1, by_phone.clone(), Bytes::from(damaged))]);
        let error = fails(&forward, &log);
        assert!(
            matches!(error, RenderError::Evidence { .. }),
            "{from}: {error}"
        );
    }
}
