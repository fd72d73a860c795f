//! Samples of the commands of ancillary settlement.

use super::*;
use crate::ancillary::{Command, Delivery, FundMove, Leg, LiquidityRule, Method, Settings};

pub(super) fn commands() -> Vec<Command> {
    let (source, participant) = (operator(), ParticipantId(7));
    let amount = Money::kzt(9_876_543_210);
    vec![
        Command::SetSettings {
            source,
            settings: Settings {
                card_nets: Some(Method::DebitsFirst),
                within: Span::from_secs(1_800),
                interim: vec![Span::from_secs(10 * 3600), Span::from_secs(14 * 3600)],
                cap_percent: 250,
            },
        },
        Command::SettleCards {
            source,
            session: Date::from_days(20_789),
        },
        Command::Fund {
            source,
            participant,
            what: FundMove::Recover {
                default: Position(4711),
            },
            amount,
        },
        Command::Require {
            source,
            participant,
            amount,
        },
        Command::Call { source },
        Command::SetLiquidity {
            source,
            participant,
            rule: Some(LiquidityRule {
                floor: Money::kzt(1_000),
                target: amount,
                keep: Some(Money::kzt(2_000)),
                sweep_before: Span::from_secs(900),
            }),
        },
        Command::Deliver {
            source,
            delivery: Delivery {
                reference: Text::truncated("DVP-2026-0001"),
                legs: vec![Leg {
                    from: participant,
                    to: ParticipantId(0x0102),
                    amount,
                }],
                expires: time(),
            },
        },
        Command::CloseDelivery {
            source,
            id: Position(4711),
        },
    ]
}
