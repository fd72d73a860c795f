//! Arbitrary commands about statements and enquiries.

use proptest::{collection::vec, option, prelude::*, sample::select};

use super::*;
use crate::{
    participants::Direction,
    reports::{
        Account, Answer, Command, Entry, EntryKind, Figures, Found, Order, Page, Query, Request,
        Sums, Wants,
    },
};

fn account() -> impl Strategy<Value = Account> {
    select(Account::ALL.to_vec())
}

pub(in crate::codec) fn entry() -> impl Strategy<Value = Entry> {
    (
        (position(), time(), select(EntryKind::ALL.to_vec())),
        (option::of(participant()), text::<35>(), option::of(uetr())),
        (any::<bool>(), money()),
    )
        .prop_map(
            |((position, time, kind), (counterparty, reference, uetr), (credit, amount))| Entry {
                position,
                time,
                kind,
                counterparty,
                reference,
                uetr,
                direction: if credit {
                    Direction::In
                } else {
                    Direction::Out
                },
                amount,
            },
        )
}

fn query() -> impl Strategy<Value = Query> {
    prop_oneof![
        (account(), any::<i32>()).prop_map(|(account, days)| Query::Statement {
            account,
            date: Date::from_days(days),
        }),
        (account(), any::<u64>()).prop_map(|(account, from)| Query::Intraday { account, from }),
        Just(Query::Balances),
    ]
}

fn found() -> impl Strategy<Value = Found> {
    let sums = (any::<u64>(), any::<u128>(), any::<u64>(), any::<u128>()).prop_map(
        |(debits, debited, credits, credited)| Sums {
            debits,
            debited,
            credits,
            credited,
        },
    );
    let page = (
        (any::<u32>(), any::<bool>(), any::<i128>(), any::<u64>()),
        vec(entry(), 0..4),
        sums,
    )
        .prop_map(|((number, is_last, before, first), entries, so_far)| {
            Found::Page(Page {
                number,
                is_last,
                before,
                first,
                entries,
                so_far,
            })
        });
    let figures = (account(), any::<[i64; 2]>(), any::<[u64; 5]>()).prop_map(
        |(account, [balance, available], [held, credit_line, reserved, queued, queued_amount])| {
            Figures {
                account,
                balance: i128::from(balance),
                available: i128::from(available),
                held,
                credit_line,
                reserved,
                queued,
                queued_amount,
            }
        },
    );
    let balances =
        (time(), vec(figures, 0..4)).prop_map(|(at, figures)| Found::Balances { at, figures });
    prop_oneof![page, balances, reason().prop_map(Found::Failed)]
}

pub(in crate::codec) fn reports_command() -> BoxedStrategy<Command> {
    let request = (source(), message_id(), any::<u8>(), bic(), query()).prop_map(
        |(source, message_id, message_version, agent, query)| {
            Command::Request(Request {
                source,
                message_id,
                message_version,
                agent,
                query,
            })
        },
    );
    let order = (
        (participant(), participant(), query()),
        (option::of(position()), position(), time()),
    )
        .prop_map(|((to, owner, query), (request, upto, at))| Order {
            to,
            owner,
            query,
            request,
            upto,
            at,
        });
    let answer =
        (source(), any::<u64>(), order, found()).prop_map(|(source, number, order, found)| {
            Command::Answer(Box::new(Answer {
                source,
                number,
                order,
                found,
            }))
        });
    let wants = (source(), participant(), any::<[bool; 2]>()).prop_map(
        |(source, participant, [statements, notices])| Command::SetWants {
            source,
            participant,
            wants: Wants {
                statements,
                notices,
            },
        },
    );
    prop_oneof![request, answer, wants].boxed()
}
