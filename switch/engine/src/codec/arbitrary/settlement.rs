//! Arbitrary commands of IMTS.

use proptest::{collection::vec, option, prelude::*, sample::select};

use torap_domain::{CancellationId, Date, DayOverride, ReturnId, Span};

use super::*;
use crate::{
    DayEvent, Message, Receipt, Status, Withdrawal,
    participants::Direction,
    settlement::{
        Cancellation, Change, Command, Hours, Instruction, Liquidity, Modification, Payment,
        Priority, Return,
    },
};

pub(in crate::codec) fn settlement_command() -> BoxedStrategy<Command> {
    let direction = || select(vec![Direction::In, Direction::Out]);
    let priority = || {
        select(vec![
            Priority::CentralBank,
            Priority::High,
            Priority::Normal,
        ])
    };
    let payment = (
        (participant(), participant(), money(), priority()),
        (text::<35>(), option::of(time()), option::of(time())),
    )
        .prop_map(
            |((from, to, amount, priority), (reference, earliest, latest))| Payment {
                from,
                to,
                amount,
                priority,
                reference,
                earliest,
                latest,
            },
        );
    let change = prop_oneof![
        priority().prop_map(Change::Priority),
        Just(Change::ToHead),
        Just(Change::ToTail),
        Just(Change::Withdraw),
        (option::of(time()), option::of(time()))
            .prop_map(|(earliest, latest)| Change::Times { earliest, latest }),
    ];
    let moved = (source(), participant(), direction(), money(), any::<bool>()).prop_map(
        |(source, participant, direction, amount, fund)| {
            if fund {
                Command::Fund {
                    source,
                    participant,
                    direction,
                    amount,
                }
            } else {
                Command::Transfer {
                    source,
                    participant,
                    direction,
                    amount,
                }
            }
        },
    );
    let set = (source(), participant(), money(), any::<bool>()).prop_map(
        |(source, participant, amount, line)| {
            if line {
                Command::SetCreditLine {
                    source,
                    participant,
                    amount,
                }
            } else {
                Command::Reserve {
                    source,
                    participant,
                    amount,
                }
            }
        },
    );
    prop_oneof![
        moved,
        (source(), payment).prop_map(|(source, payment)| Command::Pay { source, payment }),
        (source(), position(), change).prop_map(|(source, id, change)| Command::Change {
            source,
            id,
            change
        }),
        set,
        (
            source(),
            participant(),
            option::of(participant()),
            option::of(money())
        )
            .prop_map(|(source, participant, towards, amount)| Command::SetLimit {
                source,
                participant,
                towards,
                amount,
            }),
        (source(), vec(position(), 0..5))
            .prop_map(|(source, payments)| Command::Resolve { source, payments }),
        (source(), option::of(time()), time()).prop_map(|(source, cut_off, until)| {
            Command::Open {
                source,
                cut_off,
                until,
            }
        }),
        (source(), option::of(any::<[u64; 3]>())).prop_map(|(source, times)| {
            let hours = times.map(|[opens, cut_off, closes]| Hours {
                opens: Span::from_nanos(opens),
                cut_off: Span::from_nanos(cut_off),
                closes: Span::from_nanos(closes),
            });
            Command::SetHours { source, hours }
        }),
        (source(), any::<u16>(), option::of(any::<bool>())).prop_map(|(source, days, works)| {
            Command::SetDay {
                source,
                date: Date::from_days(i32::from(days)),
                day: works.map(|works| {
                    if works {
                        DayOverride::Working
                    } else {
                        DayOverride::Closed
                    }
                }),
            }
        }),
        source().prop_map(|source| Command::Close { source }),
        by_bank(),
        (source(), any::<bool>())
            .prop_map(|(source, keeps)| Command::KeepLiquidity { source, keeps }),
    ]
    .boxed()
}

fn by_bank() -> BoxedStrategy<Command> {
    let span = || option::of(any::<u64>().prop_map(Span::from_nanos));
    let agents = (bic(), option::of(bic()), bic(), bic(), option::of(iban()));
    let day = (option::of(any::<u16>()), span(), span());
    let priority = select(vec![Priority::High, Priority::Normal]);
    prop_oneof![
        (
            source(),
            references(),
            agents,
            money(),
            priority.clone(),
            day
        )
            .prop_map(
                |(source, references, agents, amount, priority, (date, earliest, latest))| {
                    Command::Instruct(Instruction {
                        source,
                        references,
                        instructing_agent: agents.0,
                        instructed_agent: agents.1,
                        debtor_agent: agents.2,
                        creditor_agent: agents.3,
                        creditor_account: agents.4,
                        amount,
                        priority,
                        date: date.map(|days| Date::from_days(i32::from(days))),
                        earliest,
                        latest,
                    })
                }
            ),
        (source(), references(), message_id(), bic()).prop_map(
            |(source, references, id, instructing_agent)| {
                Command::Cancel(Cancellation {
                    source,
                    references,
                    cancellation_id: CancellationId::parse(id.as_str()).unwrap(),
                    instructing_agent,
                })
            }
        ),
        (source(), references(), message_id(), bic(), money()).prop_map(
            |(source, references, id, instructing_agent, amount)| {
                Command::Return(Return {
                    source,
                    references,
                    return_id: ReturnId::parse(id.as_str()).unwrap(),
                    instructing_agent,
                    amount,
                })
            }
        ),
        (
            source(),
            message_id(),
            bic(),
            select(vec![Direction::In, Direction::Out]),
            money()
        )
            .prop_map(|(source, message_id, agent, direction, amount)| {
                Command::MoveLiquidity(Liquidity {
                    source,
                    message_id,
                    agent,
                    direction,
                    amount,
                })
            }),
        (
            (source(), message_id(), any::<u8>(), bic(), uetr()),
            option::of(priority),
            option::of(time()),
            option::of(time())
        )
            .prop_map(
                |(
                    (source, message_id, message_version, agent, uetr),
                    priority,
                    earliest,
                    latest,
                )| {
                    Command::Modify(Modification {
                        source,
                        message_id,
                        message_version,
                        agent,
                        uetr,
                        transaction_id: None,
                        priority,
                        earliest,
                        latest,
                    })
                }
            ),
    ]
    .boxed()
}

pub(in crate::codec) fn settlement_message() -> BoxedStrategy<Message> {
    let status = prop_oneof![
        Just(Status::Pending),
        Just(Status::Settled),
        reason().prop_map(|reason| Status::Rejected {
            reason,
            agent_code: None
        }),
    ];
    let withdrawal = select(vec![
        Withdrawal::Done,
        Withdrawal::Settled,
        Withdrawal::Ended,
        Withdrawal::Unknown,
    ]);
    let receipt = prop_oneof![
        Just(Receipt::Done),
        time().prop_map(|opens| Receipt::Waits { opens }),
        reason().prop_map(|reason| Receipt::Refused { reason }),
        withdrawal
            .clone()
            .prop_map(|withdrawal| Receipt::Unchanged { withdrawal }),
    ];
    let event = prop_oneof![
        (time(), option::of(time()))
            .prop_map(|(until, cut_off)| DayEvent::Opened { until, cut_off }),
        (time(), option::of(time()))
            .prop_map(|(until, cut_off)| DayEvent::Extended { until, cut_off }),
        Just(DayEvent::CutOff),
        Just(DayEvent::Closed),
    ];
    prop_oneof![
        (position(), status, position(), time()).prop_map(
            |(original, status, decided, decided_at)| Message::ImtsStatus {
                original,
                status,
                decided,
                decided_at,
            }
        ),
        (position(), time()).prop_map(|(original, settled_at)| Message::ImtsForward {
            original,
            settled_at,
        }),
        (position(), withdrawal).prop_map(|(original, withdrawal)| Message::WithdrawalAnswer {
            original,
            withdrawal,
        }),
        (position(), receipt)
            .prop_map(|(original, receipt)| Message::ImtsReceipt { original, receipt }),
        event.prop_map(|event| Message::ImtsDay { event }),
    ]
    .boxed()
}
