//! Samples of the commands about disputes.

use super::*;
use crate::disputes::{Action, Command};

pub(super) fn commands() -> Vec<Command> {
    let (source, claimant) = (operator(), ParticipantId(7));
    let case = Position(4711);
    vec![
        Command::Open {
            source,
            claimant,
            uetr: Uetr::from_random([6; 16]),
            reason_code: *b"FRAD",
            claim: Some(150_000),
            original: Some(instant::History::Known {
                as_of: Position(77),
                finished: finished(),
            }),
        },
        Command::Act {
            source,
            case,
            participant: None,
            action: Action::Rule { awarded: 1 },
            original: None,
        },
        Command::Attach {
            source,
            case,
            participant: claimant,
            name: Text::truncated("receipt.pdf"),
            hash: [0xa5; 32],
            bytes: 1024,
        },
    ]
}

pub(super) fn open_card() -> Command {
    Command::OpenCard {
        source: operator(),
        claimant: ParticipantId(8),
        reason_code: *b"CF01",
        claim: Some(150_000),
        known: Box::new(super::cards::known()),
    }
}
