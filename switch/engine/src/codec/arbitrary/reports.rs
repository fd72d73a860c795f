//! Arbitrary commands about statements and enquiries.

use proptest::{collection::vec, option, prelude::*, sample::select};

use super::*;
use crate::{
    participants::Direction,
    reports::{
        Account, Answer, Command, Criteria, Entry, EntryKind, Figures, Found, Limit, Order, Page,
        PaymentPage, PaymentState, PaymentView, Query, Request, Stage, Sums, Wants,
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
        (criteria(), position()).prop_map(|(criteria, after)| Query::Payments { criteria, after }),
    ]
}

fn way(is_in: bool) -> Direction {
    if is_in { Direction::In } else { Direction::Out }
}

fn criteria() -> impl Strategy<Value = Criteria> {
    (
        (option::of(uetr()), option::of(1..=5_u8), any::<[u64; 2]>()),
        (option::of(any::<bool>()), option::of(any::<i32>())),
    )
        .prop_map(|((uetr, stage, [least, most]), (is_in, days))| Criteria {
            uetr,
            stage: stage.and_then(Stage::from_number),
            direction: is_in.map(way),
            least,
            most,
            date: days.map(Date::from_days),
            ..Criteria::ALL
        })
}

fn payment() -> impl Strategy<Value = PaymentView> {
    let state = prop_oneof![
        Just(PaymentState::Waits),
        Just(PaymentState::Settled),
        Just(PaymentState::Withdrawn),
        option::of(reason()).prop_map(PaymentState::Rejected),
    ];
    (
        (position(), participant(), participant(), any::<bool>()),
        (money(), text::<35>(), option::of(uetr()), state),
        any::<[bool; 4]>(),
        time(),
    )
        .prop_map(
            |((id, from, to, is_in), (amount, reference, uetr, state), given, time)| {
                let [since, entered, earliest, latest] = given.map(|is| is.then_some(time));
                PaymentView {
                    id,
                    from,
                    to,
                    direction: way(is_in),
                    amount,
                    reference,
                    uetr,
                    state,
                    since,
                    entered,
                    priority: None,
                    earliest,
                    latest,
                }
            },
        )
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
    let limit =
        (option::of(participant()), any::<[u64; 2]>()).prop_map(|(towards, [amount, left])| {
            Limit {
                towards,
                amount,
                left,
            }
        });
    let balances =
        (time(), vec(figures, 0..4), vec(limit, 0..3)).prop_map(|(at, figures, limits)| {
            Found::Balances {
                at,
                figures,
                limits,
            }
        });
    let payments = (any::<u32>(), any::<bool>(), time(), vec(payment(), 0..4)).prop_map(
        |(number, is_last, at, payments)| {
            Found::Payments(PaymentPage {
                number,
                is_last,
                at,
                payments,
            })
        },
    );
    prop_oneof![page, balances, payments, reason().prop_map(Found::Failed)]
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
