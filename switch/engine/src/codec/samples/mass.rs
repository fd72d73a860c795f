//! Samples of the commands about batches on the instant rail.

use super::*;
use crate::{
    clearing::{FileKey, Piece},
    instant::PaymentKey,
    mass::{Command, Line, Submit},
};

pub(super) fn commands() -> Vec<Command> {
    let line = |number: u8| Line {
        key: PaymentKey([number; 16]),
        uetr: Uetr::from_random([number; 16]),
    };
    vec![Command::Submit(Submit {
        source: operator(),
        participant: ParticipantId(7),
        piece: Piece {
            file: FileKey(*b"key of the file."),
            number: 2,
            last: true,
        },
        lines: vec![line(1), line(2)],
    })]
}
