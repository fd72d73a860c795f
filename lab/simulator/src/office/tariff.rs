//! Tariffs: tables that change while things happen, services that the operator notes, and what a month comes to.

use std::collections::BTreeMap;

use torap_domain::{ParticipantId, Position};
use torap_engine::{
    Command, Event, Outcome, Stamp,
    instant::FinalOutcome,
    tariffs::{self, DAY_MINUTES, Item, Measure, Minimum, Rate, Row, Side, Table},
};
use torap_follower::{Metered, Rebuilt, SnapshotStore, Until, meter, rebuild};
use torap_journal::Reader;

use super::{operator, participant};
use crate::{draw::Draw, plan::Plan};

/// A table, or a note.
pub(super) fn act(draw: &mut Draw, plan: &Plan, commands: &mut Vec<Command>) {
    let source = operator("aigerim", "prices");
    let command = if draw.chance(650) {
        let rows = (0..draw.range(0, 12)).map(|_| row(draw, plan)).collect();
        let minima = if draw.chance(400) {
            vec![Minimum {
                participant: None,
                amount: draw.range(1, 1_000_000),
            }]
        } else {
            Vec::new()
        };
        let Ok(table) = Table::new(rows, minima) else {
            return;
        };
        tariffs::Command::Set { source, table }
    } else {
        tariffs::Command::Note {
            source,
            participant: participant(draw, plan),
            item: Item::ALL[draw.index(Item::ALL.len())],
            count: draw.range(1, 40) as u32,
        }
    };
    commands.push(Command::Tariffs(command));
}

fn row(draw: &mut Draw, plan: &Plan) -> Row {
    let item = Item::ALL[draw.index(Item::ALL.len())];
    let has_amount = matches!(item.measure(), Measure::Transfer | Measure::Movement);
    let edge = draw.range(1, 1_000_000);
    let (amount_from, amount_to) = match draw.index(3) {
        0 if has_amount => (0, edge),
        1 if has_amount => (edge + 1, u64::MAX),
        _ => (0, u64::MAX),
    };
    let noon = draw.range(1, u64::from(DAY_MINUTES) - 1) as u16;
    let (minute_from, minute_until) = match draw.index(3) {
        0 => (0, noon),
        1 => (noon, DAY_MINUTES),
        _ => (0, DAY_MINUTES),
    };
    Row {
        item,
        pays: if item.measure() == Measure::Transfer && draw.chance(300) {
            Side::Receiver
        } else {
            Side::Sender
        },
        participant: draw.chance(250).then(|| participant(draw, plan)),
        amount_from,
        amount_to,
        minute_from,
        minute_until,
        rate: Rate {
            fixed: draw.range(0, 50_000),
            millionths: if has_amount {
                draw.range(0, 3_000) as u32
            } else {
                0
            },
            per_kb: if item.measure() == Measure::Message {
                draw.range(0, 100)
            } else {
                0
            },
            least: 0,
            most: draw.chance(300).then_some(60_000),
        },
    }
}

/// What the log says of tables and of what is charged for.
#[derive(Debug, Default)]
pub(super) struct Tariffs {
    /// Tables by the record that set them, in the order of the log.
    tables: Vec<(Position, Table)>,
    /// Settled and rejected instant payments.
    settled: u64,
    rejected: u64,
    noted: u64,
}

/// What the metered log comes to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sum {
    charges: BTreeMap<(ParticipantId, u8), (u64, u128)>,
    card_fees: BTreeMap<ParticipantId, i128>,
    settled: u64,
    rejected: u64,
    services: u64,
}

impl Tariffs {
    pub(super) fn record(
        &mut self,
        stamp: Stamp,
        (command, outcome): (&Command, Outcome),
        events: &[Event],
        approved: Option<&Command>,
    ) {
        for event in events {
            if let Event::PaymentFinished(finished) = event {
                match finished.outcome {
                    FinalOutcome::Settled => self.settled += 1,
                    FinalOutcome::Rejected { .. } => self.rejected += 1,
                    FinalOutcome::Tombstone => {}
                }
            }
        }
        if outcome != Outcome::Accepted {
            return;
        }
        match approved.unwrap_or(command) {
            Command::Tariffs(tariffs::Command::Set { table, .. }) => {
                self.tables.push((stamp.position, table.clone()));
            }
            Command::Tariffs(tariffs::Command::Note { count, .. }) => {
                self.noted += u64::from(*count);
            }
            _ => {}
        }
    }

    /// The table that was in force after a record.
    fn table_at(&self, position: Position) -> Table {
        let before = self.tables.iter().rev().find(|(set, _)| *set <= position);
        before.map_or_else(Table::default, |(_, table)| table.clone())
    }

    /// What is charged is the same from the first record and from a snapshot on, by the tables that were set, for what was done.
    /// Gives what all of it comes to.
    pub(super) fn check(&self, log: &Reader, snapshots: &SnapshotStore) -> Result<u128, String> {
        let failed = |error: torap_follower::FollowerError| format!("metering: {error}");
        let none = rebuild(log, None, Until::Position(Position::ZERO), &mut |_| {});
        let whole = self.sum(log, none.map_err(failed)?)?;
        if (whole.settled, whole.rejected) != (self.settled, self.rejected) {
            return Err(format!(
                "{} settled and {} rejected payments are metered, {} and {} there were",
                whole.settled, whole.rejected, self.settled, self.rejected
            ));
        }
        if whole.services != self.noted {
            return Err(format!(
                "{} services are metered, {} were noted",
                whole.services, self.noted
            ));
        }
        let newest = snapshots.newest().map_err(|error| error.to_string())?;
        let began = rebuild(log, Some(snapshots), Until::Position(newest), &mut |_| {});
        let behind = self.sum(log, began.map_err(failed)?)?;
        let mut first = Sum::default();
        let none = rebuild(log, None, Until::Position(Position::ZERO), &mut |_| {});
        self.add(log, none.map_err(failed)?, newest, &mut first)?;
        first.join(&behind);
        if first != whole {
            return Err(format!(
                "charges up to record {} and behind it are not those of the whole log",
                newest.value()
            ));
        }
        Ok(whole.charges.values().map(|(_, fee)| *fee).sum())
    }

    fn sum(&self, log: &Reader, from: Rebuilt) -> Result<Sum, String> {
        let mut sum = Sum::default();
        self.add(log, from, Position(u64::MAX), &mut sum)?;
        Ok(sum)
    }

    /// Adds what is behind `from`, up to a record.
    fn add(
        &self,
        log: &Reader,
        from: Rebuilt,
        upto: Position,
        sum: &mut Sum,
    ) -> Result<(), String> {
        let mut wrong = None;
        let mut each = |engine: &torap_engine::Engine, metered: &Metered| {
            let Metered::Usage(usage) = metered else {
                if engine.last().position <= upto
                    && let Metered::CardFee { participant, fee } = metered
                {
                    *sum.card_fees.entry(*participant).or_default() += fee;
                }
                return;
            };
            if engine.last().position > upto {
                return;
            }
            let (table, _) = engine.tariff();
            if *table != self.table_at(engine.last().position) {
                wrong.get_or_insert(engine.last().position);
            }
            match usage.item {
                Item::Rejected => sum.rejected += 1,
                Item::C2cPhone | Item::C2cAccount | Item::Me2Me | Item::Qr => sum.settled += 1,
                item if item.measure() == Measure::Service => {
                    sum.services += u64::from(usage.count);
                }
                _ => {}
            }
            for charge in table.charges(usage) {
                let key = (charge.participant, usage.item as u8);
                let (count, fee) = sum.charges.entry(key).or_default();
                *count += 1;
                *fee += u128::from(charge.fee) * u128::from(usage.count);
            }
        };
        let end = torap_domain::Time::MAX;
        meter(log, from, end, &mut each, &mut |_| {})
            .map_err(|error| format!("metering: {error}"))?;
        match wrong {
            Some(position) => Err(format!(
                "record {}: another table is in force than the last one that was set",
                position.value()
            )),
            None => Ok(()),
        }
    }
}

impl Sum {
    fn join(&mut self, other: &Sum) {
        for (key, (count, fee)) in &other.charges {
            let entry = self.charges.entry(*key).or_default();
            entry.0 += count;
            entry.1 += fee;
        }
        for (participant, fee) in &other.card_fees {
            *self.card_fees.entry(*participant).or_default() += fee;
        }
        self.settled += other.settled;
        self.rejected += other.rejected;
        self.services += other.services;
    }
}
