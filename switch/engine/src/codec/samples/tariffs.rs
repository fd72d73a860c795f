//! Samples of the commands about tariffs.

use super::*;
use crate::tariffs::{Command, DAY_MINUTES, Item, Minimum, Rate, Row, Side, Table};

pub(super) fn commands() -> Vec<Command> {
    let source = operator();
    let participant = ParticipantId(7);
    let banded = Row {
        item: Item::Qr,
        pays: Side::Receiver,
        participant: Some(participant),
        amount_from: 100_000,
        amount_to: 5_000_000,
        minute_from: 540,
        minute_until: DAY_MINUTES,
        rate: Rate {
            fixed: 250,
            millionths: 1_500,
            per_kb: 0,
            least: 300,
            most: Some(90_000),
        },
    };
    let sized = Row {
        item: Item::Message,
        pays: Side::Sender,
        participant: None,
        amount_from: 0,
        amount_to: u64::MAX,
        minute_from: 0,
        minute_until: DAY_MINUTES,
        rate: Rate {
            per_kb: 12,
            ..Rate::default()
        },
    };
    let minimum = Minimum {
        participant: None,
        amount: 10_000_000,
    };
    // It is sound; a table that is not would fail every test of samples.
    let table = Table::new(vec![banded, sized], vec![minimum]).unwrap();
    vec![
        Command::Set { source, table },
        Command::Note {
            source,
            participant,
            item: Item::Archive,
            count: 3,
        },
    ]
}
