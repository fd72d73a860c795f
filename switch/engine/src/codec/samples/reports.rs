//! Samples of the commands about statements and enquiries.

use super::*;
use crate::{
    participants::Direction,
    reports::{
        Account, Answer, Command, Criteria, Entry, EntryKind, Figures, Found, Limit, Order, Page,
        PaymentPage, PaymentState, PaymentView, Query, Request, Stage, Sums, Wants,
    },
};

pub(in crate::codec) fn entry() -> Entry {
    Entry {
        position: Position(4711),
        time: time(),
        kind: EntryKind::ImtsPayment,
        counterparty: Some(ParticipantId(7)),
        reference: Text::truncated("TX-1"),
        uetr: Some(uetr()),
        direction: Direction::Out,
        amount: Money::kzt(1_525_000),
    }
}

fn order(query: Query) -> Order {
    Order {
        to: ParticipantId(1),
        owner: ParticipantId(2),
        query,
        request: Some(Position(4000)),
        upto: Position(4000),
        at: time(),
    }
}

/// An answer with balances and one that failed, then a question about payments and its answer; commands have one with a page.
pub(in crate::codec) fn answers() -> Vec<Command> {
    let answer = |found| {
        Command::Answer(Box::new(Answer {
            source: Source::Switch,
            number: 3,
            order: order(Query::Balances),
            found,
        }))
    };
    let figures = Figures {
        account: Account::Settlement,
        balance: -5,
        available: 95,
        held: 1,
        credit_line: 100,
        reserved: 2,
        queued: 3,
        queued_amount: 4_000,
    };
    vec![
        answer(Found::Balances {
            at: time(),
            figures: vec![figures],
            limits: Vec::new(),
        }),
        answer(Found::Failed(Reason::InternalLimit)),
        answer(Found::Balances {
            at: time(),
            figures: vec![figures],
            limits: vec![Limit {
                towards: Some(ParticipantId(9)),
                amount: 700,
                left: 300,
            }],
        }),
        Command::Request(Request {
            source: link(),
            message_id: MessageId::parse("RQ-2").unwrap(),
            message_version: 23,
            agent: bic("CASPKZKA"),
            query: payments(),
        }),
        Command::Answer(Box::new(Answer {
            source: Source::Switch,
            number: 3,
            order: order(payments()),
            found: Found::Payments(PaymentPage {
                number: 1,
                is_last: true,
                at: time(),
                payments: vec![payment()],
            }),
        })),
    ]
}

fn payments() -> Query {
    Query::Payments {
        criteria: Criteria {
            uetr: Some(uetr()),
            stage: Some(Stage::Ended),
            direction: Some(Direction::Out),
            date: Some(Date::from_days(20_789)),
            ..Criteria::ALL
        },
        after: Position(4_000),
    }
}

fn payment() -> PaymentView {
    PaymentView {
        id: Position(4_711),
        from: ParticipantId(2),
        to: ParticipantId(7),
        direction: Direction::Out,
        amount: Money::kzt(1_525_000),
        reference: Text::truncated("TX-1"),
        uetr: Some(uetr()),
        state: PaymentState::Rejected(Some(Reason::LatestTimePassed)),
        since: Some(time()),
        entered: Some(time()),
        priority: Some(crate::settlement::Priority::High),
        earliest: None,
        latest: Some(time()),
    }
}

pub(super) fn commands() -> Vec<Command> {
    let account = Account::Settlement;
    vec![
        Command::Request(Request {
            source: link(),
            message_id: MessageId::parse("RQ-1").unwrap(),
            message_version: 21,
            agent: bic("CASPKZKA"),
            query: Query::Intraday { account, from: 7 },
        }),
        Command::Answer(Box::new(Answer {
            source: Source::Switch,
            number: 3,
            order: order(Query::Statement {
                account,
                date: Date::from_days(20_789),
            }),
            found: Found::Page(Page {
                number: 2,
                is_last: true,
                before: -100,
                first: 257,
                entries: vec![entry()],
                so_far: Sums {
                    debits: 1,
                    debited: 1_525_000,
                    credits: 256,
                    credited: 999,
                },
            }),
        })),
        Command::SetWants {
            source: operator(),
            participant: ParticipantId(7),
            wants: Wants {
                statements: true,
                notices: false,
            },
        },
    ]
}
