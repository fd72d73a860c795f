//! Tariffs: tables that change while things happen, at once or at their time, services that the operator notes, and what a month comes to.

use std::collections::{BTreeMap, BTreeSet};

use torap_domain::{Date, ParticipantId, Position, Time};
use torap_engine::{
    Command, Engine, Event, Outcome, Stamp,
    instant::FinalOutcome,
    schedule,
    tariffs::{self, DAY_MINUTES, Item, Measure, Minimum, Rate, Row, Side, Table},
};
use torap_follower::{Metered, Rebuilt, SnapshotStore, Until, meter, rebuild};
use torap_journal::Reader;

use super::{Turn, operator, participant};
use crate::{
    draw::Draw,
    plan::{Plan, SECOND},
};

/// How far ahead a table is ordered that takes effect before the day is over, in seconds at most.
const AHEAD_MAX: u64 = 60;

/// What the operator remembers of its tables.
#[derive(Debug, Default)]
pub(super) struct Prices {
    /// The last one that was ordered for a time.
    ordered: Option<(Time, Position)>,
}

impl Prices {
    /// A table, at once or at its time, one taken back, or a note. `nights` come in this run, and tables may begin with a day.
    pub(super) fn act(
        &mut self,
        draw: &mut Draw,
        turn: &Turn<'_>,
        (wall, nights): (u64, bool),
        commands: &mut Vec<Command>,
    ) {
        let source = operator("aigerim", "prices");
        let engine = turn.node.follower().engine();
        let mut waiting = engine.scheduled();
        let waiting = waiting.find(|waiting| matches!(waiting.command, Command::Tariffs(_)));
        self.ordered = waiting
            .map(|waiting| (waiting.at, waiting.id))
            .or(self.ordered);
        let command = match draw.weighted(&[35, 30, 5, 30]) {
            choice @ (0 | 1) => {
                let Some(table) = table(draw, turn.plan) else {
                    return;
                };
                let command = Command::Tariffs(tariffs::Command::Set { source, table });
                if choice == 0 {
                    command
                } else {
                    let command = Box::new(command);
                    let at = effective(draw, wall, nights);
                    Command::Schedule(schedule::Command::Order {
                        source,
                        at,
                        command,
                    })
                }
            }
            2 => {
                // It may have taken effect meanwhile.
                let Some((at, id)) = self.ordered else {
                    return;
                };
                Command::Schedule(schedule::Command::Withdraw { source, at, id })
            }
            _ => Command::Tariffs(tariffs::Command::Note {
                source,
                participant: participant(draw, turn.plan),
                item: Item::ALL[draw.index(Item::ALL.len())],
                count: draw.range(1, 40) as u32,
            }),
        };
        commands.push(command);
    }
}

/// Soon, or with one of the next days.
fn effective(draw: &mut Draw, wall: u64, nights: bool) -> Time {
    let now = Time::from_nanos(wall);
    let soon = Time::from_nanos(wall + draw.range(1, AHEAD_MAX) * SECOND);
    if !nights || draw.chance(300) {
        return soon;
    }
    let day = Date::from_time(now).add_days(draw.range(1, 3) as i32);
    day.start().unwrap_or(soon)
}

fn table(draw: &mut Draw, plan: &Plan) -> Option<Table> {
    let rows = (0..draw.range(0, 12)).map(|_| row(draw, plan)).collect();
    let minima = if draw.chance(400) {
        vec![Minimum {
            participant: None,
            amount: draw.range(1, 1_000_000),
        }]
    } else {
        Vec::new()
    };
    Table::new(rows, minima).ok()
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
    /// Tables that wait for their time, by that and the record of their order.
    waiting: BTreeMap<(Time, Position), Table>,
    /// Tables that took effect at a time of their own.
    pub(super) due: u64,
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
    /// Takes a record; `engine` is the state after it.
    pub(super) fn record(
        &mut self,
        engine: &Engine,
        stamp: Stamp,
        (command, outcome): (&Command, Outcome),
        (events, approved): (&[Event], Option<&Command>),
    ) -> Result<(), String> {
        for event in events {
            if let Event::PaymentFinished(finished) = event {
                match finished.outcome {
                    FinalOutcome::Settled => self.settled += 1,
                    FinalOutcome::Rejected { .. } => self.rejected += 1,
                    FinalOutcome::Tombstone => {}
                }
            }
        }
        if matches!(command, Command::Tick) {
            return self.tick(engine, stamp);
        }
        if outcome == Outcome::Accepted {
            self.ordered(stamp, approved.unwrap_or(command));
        }
        self.in_force(engine, stamp)
    }

    fn ordered(&mut self, stamp: Stamp, command: &Command) {
        match command {
            Command::Tariffs(tariffs::Command::Set { table, .. }) => {
                self.tables.push((stamp.position, table.clone()));
            }
            Command::Tariffs(tariffs::Command::Note { count, .. }) => {
                self.noted += u64::from(*count);
            }
            Command::Schedule(schedule::Command::Order { at, command, .. }) => {
                if let Command::Tariffs(tariffs::Command::Set { table, .. }) = &**command {
                    self.waiting.insert((*at, stamp.position), table.clone());
                }
            }
            Command::Schedule(schedule::Command::Withdraw { at, id, .. }) => {
                self.waiting.remove(&(*at, *id));
            }
            _ => {}
        }
    }

    /// The tables whose time has come take effect, each for what comes after it. A Tick does so much at once and no more, so one may wait
    /// for the next.
    fn tick(&mut self, engine: &Engine, stamp: Stamp) -> Result<(), String> {
        let left: BTreeSet<(Time, Position)> = engine
            .scheduled()
            .map(|waiting| (waiting.at, waiting.id))
            .collect();
        while let Some(entry) = self.waiting.first_entry() {
            let (at, id) = *entry.key();
            if left.contains(&(at, id)) {
                break;
            }
            if at > stamp.time {
                return Err(format!(
                    "the tariff table of record {} has gone before its time",
                    id.value()
                ));
            }
            let table = entry.remove();
            self.due += 1;
            self.tables.push((stamp.position, table));
        }
        self.in_force(engine, stamp)
    }

    fn in_force(&self, engine: &Engine, stamp: Stamp) -> Result<(), String> {
        let (_, since) = engine.tariff();
        let last = self.tables.last().map(|(set, _)| *set);
        if last.unwrap_or(Position::ZERO) == since {
            return Ok(());
        }
        Err(format!(
            "record {}: the tariff table of record {} is in force, the last that took effect is of {last:?}",
            stamp.position.value(),
            since.value()
        ))
    }

    /// The table that was in force after a record.
    fn table_at(&self, position: Position) -> Table {
        let before = self.tables.iter().rev().find(|(set, _)| *set <= position);
        before.map_or_else(Table::default, |(_, table)| table.clone())
    }

    /// What is charged is the same from the first record and from a snapshot on, by the tables that were set, for what was done.
    /// Gives what all of it comes to.
    pub(super) fn check(
        &self,
        engine: &Engine,
        (log, snapshots): (&Reader, &SnapshotStore),
    ) -> Result<u128, String> {
        let is_due = |(at, _): &&(Time, Position)| *at <= engine.last().time;
        if let Some((_, id)) = self.waiting.keys().find(is_due) {
            return Err(format!(
                "the tariff table of record {} has not taken effect at its time",
                id.value()
            ));
        }
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
