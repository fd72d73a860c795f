use proptest::prelude::*;
use torap_domain::{
    CardService, Money, Time,
    card::{Channel, Mcc},
};

use super::*;
use crate::cards::world::fee_row;

fn charged(amount: u64) -> Charged {
    Charged {
        product: 1,
        service: CardService::Purchase,
        channel: Channel::Pos,
        mcc: Mcc::new(5411).unwrap(),
        amount,
        at: Time::parse("2026-11-21T09:00:00+05:00").unwrap(),
    }
}

fn rate(fixed: u64, millionths: u32, least: u64, most: Option<u64>) -> Rate {
    Rate {
        fixed: Money::kzt(fixed),
        millionths,
        least: Money::kzt(least),
        most: most.map(Money::kzt),
    }
}

#[test]
fn a_rate_rounds_half_up_and_keeps_its_bounds() {
    let one_percent = rate(0, 10_000, 0, None);
    assert_eq!(one_percent.of(149), Money::kzt(1));
    assert_eq!(one_percent.of(150), Money::kzt(2));
    let bounded = rate(10, 10_000, 100, Some(200));
    assert_eq!(bounded.of(1), Money::kzt(100));
    assert_eq!(bounded.of(15_000), Money::kzt(160));
    assert_eq!(bounded.of(1_000_000), Money::kzt(200));
    assert_eq!(
        rate(AMOUNT_MAX, 1_000_000, 0, None).of(AMOUNT_MAX),
        Money::kzt(2 * AMOUNT_MAX)
    );
}

#[test]
fn the_first_row_that_fits_counts() {
    let base = fee_row();
    let with = |millionths| Tariff {
        interchange: rate(0, millionths, 0, None),
        ..base.tariff
    };
    let rows = [
        FeeRow {
            channel: Some(Channel::Atm),
            tariff: with(1),
            ..base
        },
        FeeRow {
            service: Some(CardService::Refund),
            tariff: with(2),
            ..base
        },
        FeeRow {
            product: Some(2),
            tariff: with(3),
            ..base
        },
        FeeRow {
            mcc_from: Mcc::new(6000).unwrap(),
            tariff: with(4),
            ..base
        },
        FeeRow {
            amount_from: Money::kzt(1000),
            tariff: with(5),
            ..base
        },
        FeeRow {
            from: Time::parse("2027-01-01T00:00:00+05:00").unwrap(),
            tariff: with(6),
            ..base
        },
        FeeRow {
            until: Time::parse("2026-01-01T00:00:00+05:00").ok(),
            tariff: with(7),
            ..base
        },
        FeeRow {
            tariff: with(8),
            ..base
        },
        FeeRow {
            tariff: with(9),
            ..base
        },
    ];
    let mut table = FeeTable::new();
    assert!(table.accepts(&rows));
    table.set(&rows);
    let millionths = |charged: &Charged| {
        let number = table.tariff(charged)?;
        table
            .tariffs
            .get(usize::from(number))
            .map(|tariff| tariff.interchange.millionths)
    };
    assert_eq!(millionths(&charged(10)), Some(8));
    assert_eq!(millionths(&charged(1000)), Some(5));
    assert_eq!(
        millionths(&Charged {
            channel: Channel::Atm,
            ..charged(1000)
        }),
        Some(1)
    );
    assert_eq!(
        millionths(&Charged {
            service: CardService::Refund,
            ..charged(1)
        }),
        Some(2)
    );
    assert_eq!(
        millionths(&Charged {
            product: 2,
            ..charged(1)
        }),
        Some(3)
    );
    assert_eq!(
        millionths(&Charged {
            product: 3,
            ..charged(1)
        }),
        None
    );
    assert_eq!(
        millionths(&Charged {
            mcc: Mcc::new(6011).unwrap(),
            ..charged(1)
        }),
        Some(4)
    );
    let next_year = Time::parse("2027-06-01T00:00:00+05:00").unwrap();
    assert_eq!(
        millionths(&Charged {
            at: next_year,
            ..charged(1)
        }),
        Some(6)
    );
}

#[test]
fn a_tariff_keeps_its_number_when_the_table_changes() {
    let mut table = FeeTable::new();
    table.set(&[fee_row()]);
    let old = table.tariff(&charged(100_000));
    assert_eq!(old, Some(0));
    let mut row = fee_row();
    row.tariff.interchange.millionths = 20_000;
    table.set(&[row]);
    assert_eq!(table.tariff(&charged(100_000)), Some(1));
    assert_eq!(table.fees(old, 50_000).interchange, Money::kzt(500));
    table.set(&[fee_row(), row]);
    assert_eq!(
        table.tariff(&charged(100_000)),
        old,
        "the same tariff again"
    );
    assert_eq!(table.tariffs.len(), 2);
    assert_eq!(
        table.fees(old, 0),
        Fees {
            interchange_to: Side::Issuer,
            ..NONE
        }
    );
}

#[test]
fn rows_that_make_no_sense_are_refused() {
    let table = FeeTable::new();
    let base = fee_row();
    let wrong = [
        FeeRow {
            mcc_from: Mcc::new(2).unwrap(),
            mcc_to: Mcc::new(1).unwrap(),
            ..base
        },
        FeeRow {
            amount_from: Money::kzt(2),
            amount_to: Money::kzt(1),
            ..base
        },
        FeeRow {
            until: Some(base.from),
            ..base
        },
        FeeRow {
            tariff: Tariff {
                interchange: rate(AMOUNT_MAX + 1, 0, 0, None),
                ..base.tariff
            },
            ..base
        },
        FeeRow {
            tariff: Tariff {
                switch_issuer: rate(0, 0, 5, Some(4)),
                ..base.tariff
            },
            ..base
        },
    ];
    assert!(table.accepts(&[base]));
    for row in wrong {
        assert!(!table.accepts(&[row]), "{row:?}");
    }
    assert!(!table.accepts(&vec![base; FEE_ROWS_MAX + 1]));
}

proptest! {
    /// So that what is given back by partial reversals is never negative, and together never more than was taken.
    #[test]
    fn no_fee_falls_when_the_amount_rises(
        fixed in 0..=AMOUNT_MAX, millionths in 0..=1_000_000_u32, least in 0..=AMOUNT_MAX, more in 0..=AMOUNT_MAX,
        bounded in any::<bool>(), one in 0..=AMOUNT_MAX, other in 0..=AMOUNT_MAX,
    ) {
        let most = bounded.then(|| least.saturating_add(more).min(AMOUNT_MAX));
        let rate = rate(fixed, millionths, least, most);
        prop_assert!(rate.of(one.min(other)) <= rate.of(one.max(other)));
    }
}
