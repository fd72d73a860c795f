//! Arbitrary commands about batches on the instant rail.

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::{
    clearing::{FileKey, Piece},
    mass::{Command, Line, Submit},
};

pub(in crate::codec) fn mass_command() -> BoxedStrategy<Command> {
    let piece =
        (any::<[u8; 16]>(), any::<u32>(), any::<bool>()).prop_map(|(file, number, last)| Piece {
            file: FileKey(file),
            number,
            last,
        });
    let line = (key(), uetr()).prop_map(|(key, uetr)| Line { key, uetr });
    (source(), participant(), piece, vec(line, 0..5))
        .prop_map(|(source, participant, piece, lines)| {
            Command::Submit(Submit {
                source,
                participant,
                piece,
                lines,
            })
        })
        .boxed()
}
