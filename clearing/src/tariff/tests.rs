use proptest::prelude::*;
use torap_domain::{ParticipantId, Position, Time};

use super::*;

const CASP: ParticipantId = ParticipantId(1);
const HSBK: ParticipantId = ParticipantId(2);

fn row(item: Item, pays: Side, fixed: u64) -> Row {
    Row {
        item,
        pays,
        participant: None,
        amount_from: 0,
        amount_to: u64::MAX,
        minute_from: 0,
        minute_until: DAY_MINUTES,
        rate: Rate {
            fixed,
            ..Rate::default()
        },
    }
}

fn usage(item: Item, amount: u64, at: &str) -> Usage {
    Usage {
        position: Position(7),
        at: Time::parse(at).unwrap(),
        item,
        sender: CASP,
        receiver: HSBK,
        amount,
        bytes: 0,
        count: 1,
    }
}

const NOON: &str = "2026-11-28T12:00:00+05:00";

fn fees(table: &Table, usage: &Usage) -> Vec<(ParticipantId, u16, u64)> {
    let charges = table.charges(usage);
    charges
        .map(|charge| (charge.participant, charge.row, charge.fee))
        .collect()
}

fn refused(rows: Vec<Row>, minima: Vec<Minimum>) -> (Place, Rule) {
    let error = Table::new(rows, minima).unwrap_err();
    (error.place, error.rule)
}

#[test]
fn numbers_and_names_lead_back() {
    for item in Item::ALL {
        assert_eq!(Item::from_number(*item as u8), Some(*item));
        assert_eq!(Item::from_name(item.name()), Some(*item));
    }
    assert_eq!(Item::from_number(0), None);
    for side in Side::ALL {
        assert_eq!(Side::from_number(side as u8), Some(side));
    }
}

#[test]
fn the_first_row_that_fits_counts_for_each_side() {
    let mut own = row(Item::C2cPhone, Side::Sender, 100);
    own.participant = Some(HSBK);
    let mut small = row(Item::C2cPhone, Side::Sender, 200);
    small.amount_to = 99_999;
    let rows = vec![
        own,
        small,
        row(Item::C2cPhone, Side::Sender, 500),
        row(Item::C2cPhone, Side::Receiver, 50),
    ];
    let table = Table::new(rows, Vec::new()).unwrap();
    let paid = usage(Item::C2cPhone, 99_999, NOON);
    assert_eq!(fees(&table, &paid), [(CASP, 1, 200), (HSBK, 3, 50)]);
    let larger = Usage {
        amount: 100_000,
        ..paid
    };
    assert_eq!(fees(&table, &larger), [(CASP, 2, 500), (HSBK, 3, 50)]);
    let back = Usage {
        sender: HSBK,
        receiver: CASP,
        ..paid
    };
    assert_eq!(fees(&table, &back), [(HSBK, 0, 100), (CASP, 3, 50)]);
    assert_eq!(fees(&table, &usage(Item::Qr, 1, NOON)), []);
    let unknown = Usage {
        receiver: ParticipantId::SWITCH,
        ..paid
    };
    assert_eq!(fees(&table, &unknown), [(CASP, 1, 200)]);
}

#[test]
fn hours_are_those_of_the_country() {
    let mut night = row(Item::RtgsPayment, Side::Sender, 10);
    night.minute_until = 9 * 60;
    let table = Table::new(vec![night], Vec::new()).unwrap();
    let at = |text| fees(&table, &usage(Item::RtgsPayment, 5, text));
    assert_eq!(at("2026-11-28T08:59:59+05:00"), [(CASP, 0, 10)]);
    assert_eq!(at("2026-11-28T09:00:00+05:00"), []);
    assert_eq!(at("2026-11-27T19:00:00+00:00"), [(CASP, 0, 10)]);
    assert_eq!(at("2026-11-27T18:59:59+00:00"), []);
}

#[test]
fn a_part_is_rounded_half_up_and_bounded() {
    let rate = Rate {
        fixed: 10,
        millionths: 1_500,
        least: 30,
        most: Some(1_000),
        per_kb: 0,
    };
    // 0.15 % of 123.00 is 18.45 tiyn, of 130.00 19.5 tiyn.
    assert_eq!(rate.of(12_300, 0), 30);
    assert_eq!(rate.of(13_000, 0), 30);
    assert_eq!(rate.of(13_666, 0), 30);
    assert_eq!(rate.of(13_667, 0), 31);
    assert_eq!(rate.of(u64::MAX, 0), 1_000);
    let sized = Rate {
        per_kb: 7,
        ..Rate::default()
    };
    let kilobytes = [0, 1, 1024, 1025].map(|bytes| sized.of(0, bytes));
    assert_eq!(kilobytes, [0, 7, 7, 14]);
}

#[test]
fn services_are_charged_by_their_number() {
    let table = Table::new(vec![row(Item::Archive, Side::Sender, 250)], Vec::new()).unwrap();
    let three = Usage {
        count: 3,
        receiver: ParticipantId::SWITCH,
        ..usage(Item::Archive, 0, NOON)
    };
    assert_eq!(fees(&table, &three), [(CASP, 0, 750)]);
}

#[test]
fn a_table_that_breaks_a_rule_is_refused_with_its_place() {
    let fine = row(Item::C2cPhone, Side::Sender, 1);
    let broken = |change: &dyn Fn(&mut Row)| {
        let mut other = row(Item::Qr, Side::Receiver, 1);
        change(&mut other);
        let (place, rule) = refused(vec![fine, other], Vec::new());
        assert_eq!(place, Place::Row(1));
        rule
    };
    assert_eq!(
        broken(&|row| (row.amount_from, row.amount_to) = (2, 1)),
        Rule::AmountOrder
    );
    assert_eq!(broken(&|row| row.minute_until = 0), Rule::Hours);
    assert_eq!(broken(&|row| row.minute_until = 1441), Rule::Hours);
    assert_eq!(broken(&|row| row.rate.fixed = FEE_MAX + 1), Rule::TooLarge);
    assert_eq!(
        broken(&|row| row.rate.millionths = 1_000_001),
        Rule::AboveWhole
    );
    assert_eq!(
        broken(&|row| {
            row.rate.least = 2;
            row.rate.most = Some(1);
        }),
        Rule::BoundsOrder
    );
    assert_eq!(broken(&|row| row.rate.per_kb = 1), Rule::NoSize);
    assert_eq!(broken(&|row| row.item = Item::LookUp), Rule::NoReceiver);
    assert_eq!(
        broken(&|row| {
            row.item = Item::LookUp;
            row.pays = Side::Sender;
            row.amount_from = 1;
        }),
        Rule::NoAmount
    );
    assert_eq!(broken(&|row| *row = fine), Rule::Unreachable { before: 0 });
    let minimum = |participant, amount| Minimum {
        participant,
        amount,
    };
    assert_eq!(
        refused(Vec::new(), vec![minimum(None, 1), minimum(Some(CASP), 2)]),
        (Place::Minimum(1), Rule::Unreachable { before: 0 })
    );
    assert_eq!(
        refused(Vec::new(), vec![minimum(None, FEE_MAX + 1)]),
        (Place::Minimum(0), Rule::TooLarge)
    );
    assert_eq!(
        refused(vec![fine; ROWS_MAX + 1], Vec::new()),
        (Place::Row(ROWS_MAX), Rule::TooMany)
    );
}

#[test]
fn what_is_missing_to_the_minimum_is_topped_up() {
    let minima = vec![
        Minimum {
            participant: Some(HSBK),
            amount: 40,
        },
        Minimum {
            participant: None,
            amount: 1_000,
        },
    ];
    let rows = vec![
        row(Item::Qr, Side::Sender, 300),
        row(Item::Qr, Side::Receiver, 50),
    ];
    let table = Table::new(rows, minima).unwrap();
    let mut invoice = Invoice::new();
    let paid = usage(Item::Qr, 5, NOON);
    for charge in table.charges(&paid) {
        invoice.add(&paid, &charge, Position(3));
    }
    invoice.add_taken(CASP, 70);
    invoice.add_taken(CASP, -20);
    let due = invoice.due(CASP, &table);
    assert_eq!((due.charged, due.top_up, due.taken), (300, 700, 50));
    assert_eq!(due.total(), 1_000);
    assert_eq!(invoice.due(HSBK, &table).total(), 50);
    assert_eq!(invoice.due(ParticipantId(9), &table).total(), 1_000);
}

fn any_usage() -> impl Strategy<Value = Usage> {
    (
        0..Item::ALL.len(),
        0_u64..2_000_000,
        0_u64..200_000,
        1_u16..4,
        0_u16..4,
    )
        .prop_map(|(item, amount, seconds, sender, receiver)| Usage {
            position: Position(1),
            at: Time::from_nanos(seconds * 1_000_000_000),
            item: Item::ALL[item],
            sender: ParticipantId(sender),
            receiver: ParticipantId(receiver),
            amount,
            bytes: u32::try_from(amount % 5000).unwrap(),
            count: 1,
        })
}

fn any_table() -> impl Strategy<Value = Table> {
    let row = (
        0..Item::ALL.len(),
        any::<bool>(),
        prop::option::of(1_u16..4),
        (0_u64..1_000_000, 0_u64..2_000_000),
        (0_u16..1440, 1_u16..=1440),
        (0_u64..1000, 0_u32..=1_000_000, 0_u64..100),
    );
    prop::collection::vec(row, 0..24).prop_map(|rows| {
        let mut kept = Vec::new();
        for (item, receiver, participant, amounts, minutes, rate) in rows {
            kept.push(Row {
                item: Item::ALL[item],
                pays: if receiver {
                    Side::Receiver
                } else {
                    Side::Sender
                },
                participant: participant.map(ParticipantId),
                amount_from: amounts.0,
                amount_to: amounts.0 + amounts.1,
                minute_from: minutes.0,
                minute_until: minutes.1,
                rate: Rate {
                    fixed: rate.0,
                    millionths: rate.1,
                    per_kb: rate.2,
                    least: 0,
                    most: None,
                },
            });
            if Table::new(kept.clone(), Vec::new()).is_err() {
                kept.pop();
            }
        }
        Table::new(kept, Vec::new()).unwrap()
    })
}

proptest! {
    /// Every charge is that of the first fitting row, and lines sum to exactly what was charged, in whatever order.
    #[test]
    fn an_invoice_is_the_sum_of_its_charges(
        table in any_table(),
        usages in prop::collection::vec(any_usage(), 0..60),
    ) {
        let mut forward = Invoice::new();
        let mut backward = Invoice::new();
        let mut total = 0_u128;
        for usage in &usages {
            for charge in table.charges(usage) {
                let row = table.rows()[usize::from(charge.row)];
                let minute = minute_of_day(usage.at);
                prop_assert!(row.fits(usage, charge.side, charge.participant, minute));
                prop_assert!(
                    table.rows()[..usize::from(charge.row)]
                        .iter()
                        .all(|row| !row.fits(usage, charge.side, charge.participant, minute))
                );
                total += u128::from(charge.fee);
                forward.add(usage, &charge, Position(1));
            }
        }
        for usage in usages.iter().rev() {
            for charge in table.charges(usage) {
                backward.add(usage, &charge, Position(1));
            }
        }
        prop_assert_eq!(&forward, &backward);
        let due: u128 = (1..4)
            .map(|id| forward.due(ParticipantId(id), &table).total())
            .sum();
        prop_assert_eq!(due, total);
    }
}
