//! Samples of the commands of IMTS.

use super::*;
use crate::settlement::{
    Cancellation, Change, Command, Hours, Instruction, Liquidity, Modification, Payment, Priority,
    Return,
};
use crate::{DayEvent, Message, Receipt, Status, Withdrawal};

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
        Command::Instruct(Instruction {
            source: link(),
            references: references(),
            instructing_agent: bic("CASPKZKA"),
            instructed_agent: Some(bic("HSBKKZKX")),
            debtor_agent: bic("CASPKZKA"),
            creditor_agent: bic("HSBKKZKX"),
            creditor_account: Some(iban(601, "A000007200200")),
            amount,
            priority: Priority::High,
            date: Some(Date::from_days(20_789)),
            earliest: Some(Span::from_secs(10 * 3600)),
            latest: Some(Span::from_secs(16 * 3600)),
        }),
        Command::Cancel(Cancellation {
            source: link(),
            references: references(),
            cancellation_id: CancellationId::parse("CXL-1").unwrap(),
            instructing_agent: bic("CASPKZKA"),
        }),
        Command::Return(Return {
            source: link(),
            references: references(),
            return_id: ReturnId::parse("RTR-1").unwrap(),
            instructing_agent: bic("HSBKKZKX"),
            amount,
        }),
        Command::MoveLiquidity(Liquidity {
            source: link(),
            message_id: MessageId::parse("LQT-1").unwrap(),
            agent: bic("CASPKZKA"),
            direction: participants::Direction::In,
            amount,
        }),
    ]
}

/// Behind those of the clearing system, in the order of numbers.
pub(super) fn later_commands() -> Vec<Command> {
    vec![Command::KeepLiquidity {
        source: operator(),
        keeps: true,
    }]
}

/// A camt.007, behind all others.
pub(super) fn modification() -> Command {
    Command::Modify(Modification {
        source: link(),
        message_id: MessageId::parse("MOD-1").unwrap(),
        message_version: 24,
        agent: bic("CASPKZKA"),
        uetr: uetr(),
        transaction_id: Some(TransactionId::parse("TX-1").unwrap()),
        priority: Some(Priority::High),
        earliest: None,
        latest: Some(time()),
    })
}

pub(in crate::codec) fn messages() -> Vec<Message> {
    let original = Position(4711);
    vec![
        Message::ImtsStatus {
            original,
            status: Status::Rejected {
                reason: Reason::LatestTimePassed,
                agent_code: None,
            },
            decided: Position(4712),
            decided_at: time(),
        },
        Message::ImtsForward {
            original,
            settled_at: time(),
        },
        Message::WithdrawalAnswer {
            original,
            withdrawal: Withdrawal::Settled,
        },
        Message::ImtsReceipt {
            original,
            receipt: Receipt::Waits { opens: time() },
        },
        Message::ImtsDay {
            event: DayEvent::Extended {
                until: time(),
                cut_off: Some(time()),
            },
        },
        Message::Report { original },
        Message::ImtsNotice {
            entry: super::reports::entry(),
        },
    ]
}
