//! Samples of the commands about batches on the instant rail.

use super::*;
use crate::{
    clearing::{FileKey, Piece},
    instant::{Fingerprint, PaymentKey},
    mass::{Command, Fault, Item, Line, Miss, Submit, Take},
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

/// Behind a command of the clearing system, in the order of numbers.
pub(in crate::codec) fn later_commands() -> Vec<Command> {
    let file = FileKey(*b"key of the file.");
    let item = |number: u8, fault: Option<Fault>| Item {
        line: Line {
            key: PaymentKey([number; 16]),
            uetr: Uetr::from_random([number; 16]),
        },
        transaction_id: TransactionId::parse("SAL-1").unwrap(),
        instruction_id: fault.map(|_| InstructionId::parse("INSTR-1").unwrap()),
        end_to_end_id: Some(EndToEndId::parse("E2E").unwrap()),
        fault,
    };
    let fault = Fault {
        code: Text::truncated("FF07"),
        text: Text::truncated("CdtTrfTxInf[2]/Purp/Prtry: not a KNP"),
    };
    vec![
        Command::Take(Take {
            source: link(),
            message_id: MessageId::parse("1/2/SALARY").unwrap(),
            message_version: 1,
            instructing_agent: bic("CASPKZKA"),
            piece: Piece {
                file,
                number: 1,
                last: false,
            },
            starts: Some(time()),
            content: Fingerprint(*b"what lines say.."),
            lines: vec![item(1, None), item(2, Some(fault))],
        }),
        Command::Miss(Miss {
            source: Source::Switch,
            participant: ParticipantId(7),
            file,
            piece: 1,
            place: 511,
            reason: Reason::Overloaded,
        }),
    ]
}

/// The outbound message about lines.
pub(in crate::codec) fn message() -> Message {
    Message::MassStatus {
        original: Position(1000),
        first: 64,
        lines: 0x8000_0000_0000_0005,
        standing: Standing::Refused {
            reason: Reason::Overloaded,
        },
    }
}
