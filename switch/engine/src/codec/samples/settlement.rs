//! Samples of the commands of IMTS.

use super::*;
use crate::settlement::{Change, Command, Hours, Payment, Priority};

pub(super) fn commands() -> Vec<Command> {
    let (source, participant) = (operator(), ParticipantId(7));
    let amount = Money::kzt(9_876_543_210);
    vec![
        Command::Fund {
            source,
            participant,
            direction: participants::Direction::In,
            amount,
        },
        Command::Transfer {
            source,
            participant,
            direction: participants::Direction::Out,
            amount,
        },
        Command::Pay {
            source,
            payment: Payment {
                from: participant,
                to: ParticipantId(0x0102),
                amount,
                priority: Priority::High,
                reference: Text::truncated("PAY-2026-0001"),
                earliest: None,
                latest: Some(time()),
            },
        },
        Command::Change {
            source,
            id: Position(4711),
            change: Change::Priority(Priority::CentralBank),
        },
        Command::SetCreditLine {
            source,
            participant,
            amount,
        },
        Command::SetLimit {
            source,
            participant,
            towards: Some(ParticipantId(9)),
            amount: Some(amount),
        },
        Command::Reserve {
            source,
            participant,
            amount,
        },
        Command::Resolve {
            source: Source::Switch,
            payments: vec![Position(12), Position(4711)],
        },
        Command::Open {
            source,
            cut_off: Some(time()),
            until: time(),
        },
        Command::Close { source },
        Command::SetHours {
            source,
            hours: Some(Hours {
                opens: Span::from_secs(9 * 3600),
                cut_off: Span::from_secs(17 * 3600),
                closes: Span::from_secs(18 * 3600),
            }),
        },
        Command::SetDay {
            source,
            date: Date::from_days(20_789),
            day: Some(DayOverride::Working),
        },
    ]
}
