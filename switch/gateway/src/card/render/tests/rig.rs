//! Effects as the engine would make them, over records that the translator made of real messages.

use bytes::Bytes;
use torap_domain::card::{Stan, Transmission};
use torap_domain::{Date, ParticipantId, Position};
use torap_engine::cards::{Command, Effect, LinkNumber, Message, Trace};

use crate::card::evidence::Evidence;
use crate::card::fixtures::{network, now, origin, shown, vault};
use crate::card::members::CardNetwork;
use crate::card::render::{CardRenderer, Record, Records, RenderError, Rendered};
use crate::card::translate::{CardTranslator, Inbound, Intake, Translated};

pub(super) const ORIGINAL: Position = Position(71);
pub(super) const SECOND: Position = Position(72);

pub(super) fn session() -> Date {
    Date::from_ymd(2026, 11, 21).unwrap()
}

/// The trace that the switch gives its own message.
pub(super) fn trace() -> Trace {
    Trace {
        transmitted: Transmission::parse(b"1121130406").unwrap(),
        stan: Stan::new(9001).unwrap(),
    }
}

/// A message as the log and the memory have it.
pub(super) fn record(participant: ParticipantId, message: &[u8]) -> Intake {
    record_in(&network(), participant, message)
}

pub(super) fn record_in(
    network: &CardNetwork,
    participant: ParticipantId,
    message: &[u8],
) -> Intake {
    let inbound = Inbound {
        origin: origin(participant),
        tpdu: None,
        message,
        wire: None,
        now: now(),
        overloaded: false,
        hsm_is_up: true,
    };
    match CardTranslator::new(vault()).translate(&inbound, network) {
        Translated::Ready(intake) => intake,
        other => panic!("not ready: {other:?}"),
    }
}

pub(super) fn borrowed(intake: &Intake) -> Record<'_> {
    Record {
        command: &intake.command,
        evidence: &intake.evidence,
        secrets: &intake.secrets,
    }
}

pub(super) fn effect(to: ParticipantId, cause: Position, message: Message) -> Effect {
    Effect {
        to,
        link: Some(LinkNumber(5)),
        cause,
        time: now(),
        message,
    }
}

pub(super) fn render_in(
    network: &CardNetwork,
    effect: &Effect,
    original: Option<&Intake>,
    second: Option<&Intake>,
) -> Result<(Vec<u8>, Rendered), RenderError> {
    let records = Records {
        original: original.map(borrowed),
        second: second.map(borrowed),
        enquired: false,
    };
    let vault = vault();
    let mut out = b"before".to_vec();
    let rendered = CardRenderer::new(vault).render(effect, &records, network, &mut out);
    assert_eq!(&out[..6], b"before");
    if rendered.is_err() {
        assert_eq!(out.len(), 6);
    }
    Ok((out.split_off(6), rendered?))
}

/// The message as text.
pub(super) fn render(effect: &Effect, original: &Intake, second: Option<&Intake>) -> String {
    let (bytes, _) = render_in(&network(), effect, Some(original), second).unwrap();
    shown(&bytes)
}

/// The same record as it comes back from the log.
pub(super) fn from_the_log(intake: &Intake) -> Intake {
    assert!(Evidence::read(&intake.evidence).is_ok());
    Intake {
        secrets: Bytes::new(),
        ..intake.clone()
    }
}

pub(super) fn route_of(intake: &Intake) -> Option<torap_engine::cards::Route> {
    match &intake.command {
        Command::Request(request) => request.transaction.route,
        _ => None,
    }
}
