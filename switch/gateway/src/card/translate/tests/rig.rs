//! Messages into commands, with and without questions.

use torap_domain::ParticipantId;
use torap_engine::cards::{Command, Request};

use crate::card::fixtures::{ACQUIRER, network, now, origin, vault};
use crate::card::members::CardNetwork;
use crate::card::translate::{CardTranslator, Inbound, Intake, Pending, Translated};

pub(super) fn inbound(participant: ParticipantId, message: &[u8]) -> Inbound<'_> {
    Inbound {
        origin: origin(participant),
        tpdu: None,
        message,
        wire: None,
        now: now(),
        overloaded: false,
        hsm_is_up: true,
    }
}

pub(super) fn translate_in(network: &CardNetwork, inbound: &Inbound<'_>) -> Translated {
    CardTranslator::new(vault()).translate(inbound, network)
}

pub(super) fn ready(participant: ParticipantId, message: &[u8]) -> Intake {
    ready_in(&network(), participant, message)
}

pub(super) fn ready_in(
    network: &CardNetwork,
    participant: ParticipantId,
    message: &[u8],
) -> Intake {
    match translate_in(network, &inbound(participant, message)) {
        Translated::Ready(intake) => intake,
        other => panic!("not ready: {other:?}"),
    }
}

pub(super) fn asked(network: &CardNetwork, message: &[u8]) -> Box<Pending> {
    match translate_in(network, &inbound(ACQUIRER, message)) {
        Translated::Ask(pending) => pending,
        other => panic!("nothing to ask: {other:?}"),
    }
}

pub(super) fn request(intake: &Intake) -> Request {
    match &intake.command {
        Command::Request(request) => *request,
        other => panic!("no request: {other:?}"),
    }
}
