//! What is said about lines of files.

use bytes::Bytes;
use torap_domain::{
    Bic, EndToEndId, InstructionId, MessageId, ParticipantId, Position, Reason, Sequence, Text,
    Time, TransactionId, Uetr,
};
use torap_engine::{
    Command, Message, Outbound, Source, Standing,
    clearing::{FileKey, Piece},
    instant::{Fingerprint, PaymentKey},
    mass::{self, Fault, Item, Line, Take},
};
use torap_iso20022::{
    profile::Direction,
    view::{Body, MASS_SERVICE, Reader, line_statuses},
};

use super::world::Log;
use crate::{
    fixtures::{ACCEPTED_NS, cold, network},
    formats::formats,
    render::{RenderError, Renderer},
    translate::submission_version,
};

const TAKEN: Position = Position::new(7);

fn item(number: u8) -> Item {
    Item {
        line: Line {
            key: PaymentKey([number; 16]),
            uetr: Uetr::parse(&format!("00000000-0000-4000-8000-{number:012}")).unwrap(),
        },
        transaction_id: TransactionId::parse(&format!("TX-{number}")).unwrap(),
        instruction_id: Some(InstructionId::parse("INSTR").unwrap()),
        end_to_end_id: Some(EndToEndId::parse("E2E").unwrap()),
        fault: (number == 66).then(|| Fault {
            code: Text::truncated("FF07"),
            text: Text::truncated("CdtTrfTxInf[67]/Purp/Prtry: knp"),
        }),
    }
}

fn rendered(message: Message) -> Result<String, RenderError> {
    let take = Take {
        source: Source::Switch,
        message_id: MessageId::parse("1/2/SALARY").unwrap(),
        message_version: submission_version(),
        instructing_agent: Bic::parse("CASPKZKA").unwrap(),
        piece: Piece {
            file: FileKey([1; 16]),
            number: 1,
            last: false,
        },
        starts: None,
        content: Fingerprint([0; 16]),
        lines: (0..70).map(item).collect(),
    };
    let command = Command::Mass(mass::Command::Take(take));
    let log = Log::with([(7, command, Bytes::new())]);
    let effect = cold(Outbound {
        to: ParticipantId(1),
        sequence: Sequence::new(3),
        cause: Position::new(9),
        time: Time::from_nanos(ACCEPTED_NS),
        expires: None,
        message,
    });
    let mut out = Vec::new();
    Renderer::new().render(&effect, None, &log, &network(), false, &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

fn about(first: u16, lines: u64, standing: Standing) -> Message {
    Message::MassStatus {
        original: TAKEN,
        first,
        lines,
        standing,
    }
}

#[test]
fn every_standing_of_a_line_is_told_with_its_code() {
    let refused = Standing::Refused {
        reason: Reason::Overloaded,
    };
    for (first, lines, standing, status, reason) in [
        (0, u64::MAX, Standing::Accepted, "ACTC", None),
        (64, 0b11, Standing::Pending, "PDNG", None),
        (64, 0b10_0001, refused, "RJCT", Some("ED06")),
        (64, 0b100, Standing::Broken, "RJCT", Some("FF07")),
    ] {
        let text = rendered(about(first, lines, standing)).unwrap();
        let mut reader = Reader::new(*formats());
        let read = reader.read(text.as_bytes(), Direction::FromSwitch).unwrap();
        assert_eq!(read.body, Body::Clearing);
        assert_eq!(read.header.unwrap().service, Some(MASS_SERVICE));
        let told = line_statuses(text.as_bytes());
        assert_eq!(told.len(), lines.count_ones() as usize);
        for line in &told {
            assert_eq!((line.status, line.reason), (status, reason));
        }
        let place = first + u16::try_from(lines.trailing_zeros()).unwrap();
        assert_eq!(told[0].transaction_id, format!("TX-{place}"));
        assert!(
            text.contains("<OrgnlMsgId>1/2/SALARY</OrgnlMsgId>"),
            "{text}"
        );
    }
    let text = rendered(about(64, 0b100, Standing::Broken)).unwrap();
    assert!(text.contains("CdtTrfTxInf[67]/Purp/Prtry"), "{text}");
}

#[test]
fn lines_that_the_piece_does_not_have_are_no_text() {
    let missing = rendered(about(64, 0b100_0000, Standing::Accepted));
    assert!(matches!(missing, Err(RenderError::Facts { .. })));
    let elsewhere = rendered(Message::MassStatus {
        original: Position::new(8),
        first: 0,
        lines: 1,
        standing: Standing::Accepted,
    });
    assert!(elsewhere.is_err());
}
