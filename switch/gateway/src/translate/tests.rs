//! Translation, message by message: what becomes of good ones, and place, rule and code of every refusal.

mod clearing;
mod exceptions;
mod json;
mod keys;
mod look_up;
mod mass;
mod payment;
mod refusals;
mod robustness;
mod settlement;

use super::*;
use crate::fixtures::{Known, network};

/// The command and evidence of an XML message on the link of a participant, as its 7th message.
fn translated_from(participant: u16, body: &Bytes, known: &Known, overloaded: bool) -> Translated {
    let inbound = Inbound {
        participant: ParticipantId(participant),
        sequence: Sequence::new(7),
        content_type: ContentType::Iso20022Xml,
        body,
    };
    Translator::new().translate(inbound, &network(), known, overloaded)
}

fn source(participant: u16) -> Source {
    Source::Link {
        participant: ParticipantId(participant),
        sequence: Sequence::new(7),
    }
}

/// A message that must become a command; its evidence is the whole message.
fn command_from(participant: u16, body: &Bytes, known: &Known) -> Command {
    let translated = translated_from(participant, body, known, false);
    if let Command::Links(links::Command::Refused { refusal, .. }) = &translated.command {
        panic!("refused: {refusal:?}");
    }
    assert_eq!(translated.evidence, *body);
    translated.command
}

/// A message that must be refused, and with what.
fn refusal_from(participant: u16, body: &Bytes, known: &Known) -> links::Refusal {
    let translated = translated_from(participant, body, known, false);
    let Command::Links(links::Command::Refused {
        source: from,
        refusal,
    }) = translated.command
    else {
        panic!("not refused: {:?}", translated.command);
    };
    assert_eq!(from, source(participant));
    refusal
}

fn transfer(command: Command) -> instant::CreditTransfer {
    match command {
        Command::Instant(instant::Command::CreditTransfer(transfer)) => transfer,
        other => panic!("not a credit transfer: {other:?}"),
    }
}
