//! As the tests beside it, of an engine in which ancillary settlement holds something in every part.

use torap_domain::{Money, Span, Text};

use super::{bytes_of, check_golden};
use crate::{
    Command, Engine,
    ancillary::{Command as Ancillary, Delivery, FundMove, Leg, LiquidityRule, Method, Settings},
    cards::{self, world::Rail},
    participants::Direction,
    settlement::Command as Imts,
    world::{CASP, HSBK, IRTY, operator},
};

#[test]
fn the_layout_of_ancillary_settlement_is_the_one_of_its_golden_file() {
    let mut rail = Rail::new();
    let source = operator();
    let until = rail.now().saturating_add(Span::from_secs(36_000));
    let amount = Money::kzt(70);
    let fund = |participant| Imts::Fund {
        source,
        participant,
        direction: Direction::In,
        amount,
    };
    let settings = Settings {
        card_nets: Some(Method::DebitsFirst),
        within: Span::from_secs(1_800),
        interim: vec![Span::from_secs(23 * 3_600)],
        cap_percent: 100,
    };
    let session = cards::open_session(&rail.world.engine.state).unwrap();
    rail.approved(1);
    for command in [
        Command::Ancillary(Ancillary::SetSettings { source, settings }),
        Command::Settlement(Imts::Open {
            source,
            cut_off: None,
            until,
        }),
        Command::Settlement(fund(IRTY)),
        Command::Ancillary(Ancillary::Fund {
            source,
            participant: IRTY,
            what: FundMove::Contribute(Direction::In),
            amount: Money::kzt(60),
        }),
        Command::Ancillary(Ancillary::Require {
            source,
            participant: IRTY,
            amount,
        }),
        // In between, with a default of HSBK.
        Command::Ancillary(Ancillary::SettleCards { source, session }),
    ] {
        rail.world.accept(command);
    }
    rail.tick_after(Span::from_secs(1_800));
    rail.approved(2);
    for command in [
        Command::Cards(cards::Command::CutOver { source }),
        Command::Ancillary(Ancillary::SetLiquidity {
            source,
            participant: CASP,
            rule: Some(LiquidityRule {
                floor: Money::kzt(10),
                target: Money::kzt(20),
                keep: Some(Money::kzt(30)),
                sweep_before: Span::from_secs(900),
            }),
        }),
        Command::Ancillary(Ancillary::Deliver {
            source,
            delivery: Delivery {
                reference: Text::truncated("DVP-1"),
                legs: vec![Leg {
                    from: HSBK,
                    to: CASP,
                    amount,
                }],
                expires: until,
            },
        }),
    ] {
        rail.world.accept(command);
    }
    let bytes = bytes_of(&rail.world.engine);
    check_golden("ancillary", &bytes);
    let restored = Engine::restore(&bytes, 0).unwrap();
    assert_eq!(restored.card_settlements().count(), 1);
    assert_eq!(restored.card_settlement_reports().count(), 1);
    assert_eq!(restored.card_defaults().count(), 1);
    assert_eq!(restored.guarantee_fund().count(), 1);
    assert_eq!(restored.liquidity_rules().count(), 1);
    assert_eq!(restored.deliveries().count(), 1);
    assert!(restored.next_interim().is_some());
}
