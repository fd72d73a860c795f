//! Arbitrary commands about batches on the instant rail.

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::{Message, Standing};
use crate::{
    clearing::{FileKey, Piece},
    instant::Fingerprint,
    mass::{Command, Fault, Item, Line, Miss, Submit, Take},
};

pub(in crate::codec) fn mass_command() -> BoxedStrategy<Command> {
    prop_oneof![submit(), take(), miss()].boxed()
}

pub(in crate::codec) fn mass_message() -> BoxedStrategy<Message> {
    let standing = prop_oneof![
        Just(Standing::Accepted),
        Just(Standing::Pending),
        reason().prop_map(|reason| Standing::Refused { reason }),
        Just(Standing::Broken),
    ];
    (position(), any::<u16>(), any::<u64>(), standing)
        .prop_map(|(original, first, lines, standing)| Message::MassStatus {
            original,
            first,
            lines,
            standing,
        })
        .boxed()
}

fn piece() -> impl Strategy<Value = Piece> {
    (any::<[u8; 16]>(), any::<u32>(), any::<bool>()).prop_map(|(file, number, last)| Piece {
        file: FileKey(file),
        number,
        last,
    })
}

fn line() -> impl Strategy<Value = Line> {
    (key(), uetr()).prop_map(|(key, uetr)| Line { key, uetr })
}

fn submit() -> BoxedStrategy<Command> {
    (source(), participant(), piece(), vec(line(), 0..5))
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

fn take() -> BoxedStrategy<Command> {
    let fault = ("[A-Z]{2}[0-9]{2}", "[A-Za-z/:]{1,105}").prop_map(|(code, text)| Fault {
        code: Text::truncated(&code),
        text: Text::truncated(&text),
    });
    let item =
        (line(), references(), option::of(fault)).prop_map(|(line, references, fault)| Item {
            line,
            transaction_id: references.transaction_id,
            instruction_id: references.instruction_id,
            end_to_end_id: references.end_to_end_id,
            fault,
        });
    let message = (message_id(), any::<u8>(), bic());
    (
        source(),
        message,
        piece(),
        option::of(time()),
        any::<[u8; 16]>(),
        vec(item, 0..4),
    )
        .prop_map(
            |(
                source,
                (message_id, message_version, instructing_agent),
                piece,
                starts,
                content,
                lines,
            )| {
                Command::Take(Take {
                    source,
                    message_id,
                    message_version,
                    instructing_agent,
                    piece,
                    starts,
                    content: Fingerprint(content),
                    lines,
                })
            },
        )
        .boxed()
}

fn miss() -> BoxedStrategy<Command> {
    (source(), participant(), piece(), any::<u16>(), reason())
        .prop_map(|(source, participant, piece, place, reason)| {
            Command::Miss(Miss {
                source,
                participant,
                file: piece.file,
                piece: piece.number,
                place,
                reason,
            })
        })
        .boxed()
}
