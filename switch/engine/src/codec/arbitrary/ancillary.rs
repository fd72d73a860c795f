//! Arbitrary commands of ancillary settlement.

use proptest::{collection::vec, option, prelude::*, sample::select};

use torap_domain::{Date, Span};

use super::*;
use crate::{
    ancillary::{Command, Delivery, FundMove, Leg, LiquidityRule, Method, Settings},
    participants::Direction,
};

pub(in crate::codec) fn ancillary_command() -> BoxedStrategy<Command> {
    let method = select(vec![Method::DebitsFirst, Method::Simultaneous]);
    let span = || any::<u64>().prop_map(Span::from_nanos);
    let settings = (option::of(method), span(), vec(span(), 0..4), any::<u32>()).prop_map(
        |(card_nets, within, interim, cap_percent)| Settings {
            card_nets,
            within,
            interim,
            cap_percent,
        },
    );
    let what = prop_oneof![
        select(vec![Direction::In, Direction::Out]).prop_map(FundMove::Contribute),
        position().prop_map(|default| FundMove::Recover { default }),
    ];
    let rule = (money(), money(), option::of(money()), span()).prop_map(
        |(floor, target, keep, sweep_before)| LiquidityRule {
            floor,
            target,
            keep,
            sweep_before,
        },
    );
    let leg = (participant(), participant(), money()).prop_map(|(from, to, amount)| Leg {
        from,
        to,
        amount,
    });
    let delivery =
        (text::<35>(), vec(leg, 0..4), time()).prop_map(|(reference, legs, expires)| Delivery {
            reference,
            legs,
            expires,
        });
    prop_oneof![
        (source(), settings)
            .prop_map(|(source, settings)| Command::SetSettings { source, settings }),
        (source(), any::<u16>()).prop_map(|(source, days)| Command::SettleCards {
            source,
            session: Date::from_days(i32::from(days)),
        }),
        (source(), participant(), what, money()).prop_map(|(source, participant, what, amount)| {
            Command::Fund {
                source,
                participant,
                what,
                amount,
            }
        }),
        (source(), participant(), money()).prop_map(|(source, participant, amount)| {
            Command::Require {
                source,
                participant,
                amount,
            }
        }),
        source().prop_map(|source| Command::Call { source }),
        (source(), participant(), option::of(rule)).prop_map(|(source, participant, rule)| {
            Command::SetLiquidity {
                source,
                participant,
                rule,
            }
        }),
        (source(), delivery).prop_map(|(source, delivery)| Command::Deliver { source, delivery }),
        (source(), position()).prop_map(|(source, id)| Command::CloseDelivery { source, id }),
    ]
    .boxed()
}
