//! Arbitrary commands about tariffs.

use proptest::{collection::vec, option, prelude::*, sample::select};

use super::*;
use crate::tariffs::{Command, Item, Measure, Minimum, Rate, Row, Side, Table};

pub(in crate::codec) fn tariffs_command() -> BoxedStrategy<Command> {
    let note = (source(), participant(), select(Item::ALL), any::<u32>()).prop_map(
        |(source, participant, item, count)| Command::Note {
            source,
            participant,
            item,
            count,
        },
    );
    prop_oneof![
        2 => (source(), table()).prop_map(|(source, table)| Command::Set { source, table }),
        1 => note,
    ]
    .boxed()
}

/// Rows that would make the table unsound are left out.
fn table() -> BoxedStrategy<Table> {
    let minimum =
        (option::of(participant()), 0_u64..1_000_000).prop_map(|(participant, amount)| Minimum {
            participant,
            amount,
        });
    (vec(row(), 0..5), vec(minimum, 0..4))
        .prop_map(|(rows, minima)| {
            let (mut sound, mut least) = (Vec::new(), Vec::new());
            for row in rows {
                sound.push(row);
                if Table::new(sound.clone(), Vec::new()).is_err() {
                    sound.pop();
                }
            }
            for minimum in minima {
                least.push(minimum);
                if Table::new(Vec::new(), least.clone()).is_err() {
                    least.pop();
                }
            }
            Table::new(sound, least).unwrap()
        })
        .boxed()
}

fn row() -> BoxedStrategy<Row> {
    let rate = (
        0_u64..1_000_000,
        0_u32..=1_000_000,
        0_u64..1_000_000,
        option::of(0_u64..1_000_000),
    );
    let amounts = option::of((any::<u32>(), any::<u32>()));
    let minutes = (0_u16..1440, 1_u16..=1440);
    let whose = (select(Item::ALL), any::<bool>(), option::of(participant()));
    (whose, amounts, minutes, rate)
        .prop_map(|(whose, amounts, minutes, rate)| {
            let (item, receiver, participant) = whose;
            let (fixed, millionths, least, most) = rate;
            let has_amount = matches!(item.measure(), Measure::Transfer | Measure::Movement);
            let amounts = amounts.filter(|_| has_amount);
            Row {
                item,
                pays: if receiver && item.measure() == Measure::Transfer {
                    Side::Receiver
                } else {
                    Side::Sender
                },
                participant,
                amount_from: amounts.map_or(0, |(from, _)| u64::from(from)),
                amount_to: amounts
                    .map_or(u64::MAX, |(from, more)| u64::from(from) + u64::from(more)),
                minute_from: minutes.0,
                minute_until: minutes.1,
                rate: Rate {
                    fixed,
                    millionths: if has_amount { millionths } else { 0 },
                    per_kb: if item == Item::Message { fixed } else { 0 },
                    least,
                    most,
                },
            }
        })
        .boxed()
}
