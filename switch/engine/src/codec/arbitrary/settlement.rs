//! Arbitrary commands of IMTS.

use proptest::{collection::vec, option, prelude::*, sample::select};

use super::*;
use crate::{
    participants::Direction,
    settlement::{Change, Command, Payment, Priority},
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
        (source(), time()).prop_map(|(source, until)| Command::Open { source, until }),
        source().prop_map(|source| Command::Close { source }),
    ]
    .boxed()
}
