//! Arbitrary commands of IMTS.

use proptest::{collection::vec, option, prelude::*, sample::select};

use torap_domain::{Date, DayOverride, Span};

use super::*;
use crate::{
    participants::Direction,
    settlement::{Change, Command, Hours, Payment, Priority},
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
    ]
    .boxed()
}
