//! Payments that wait, each payer's in the order of priority, then place; and the times that decide about them.

use std::collections::{BTreeMap, BTreeSet};

use torap_domain::{ParticipantId, Position, Time};

use super::command::{Payment, Priority};
use crate::codec::{FactsError, LayoutRule, Reader, Writer};

/// Payments that may wait.
pub const QUEUE_MAX: usize = 1_000_000;

/// Where a payment stands in its payer's queue: priority, then place. The place is the record of its arrival until it is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Standing {
    payer: ParticipantId,
    priority: Priority,
    place: i64,
    id: Position,
}

/// A payment that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Record of the payment: its identifier.
    pub id: Position,
    pub payment: Payment,
    place: i64,
}

/// All that wait. The tables hold the same payments: by standing, by identifier, and by the times that decide.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Queue {
    order: BTreeSet<Standing>,
    by_id: BTreeMap<Position, Waiting>,
    times: BTreeSet<(Time, Position)>,
}

impl Waiting {
    fn standing(&self) -> Standing {
        Standing {
            payer: self.payment.from,
            priority: self.payment.priority,
            place: self.place,
            id: self.id,
        }
    }
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// The oldest that waits.
    pub(super) fn first_id(&self) -> Option<Position> {
        self.by_id.first_key_value().map(|(id, _)| *id)
    }

    pub(super) fn get(&self, id: Position) -> Option<&Waiting> {
        self.by_id.get(&id)
    }

    /// Adds a payment behind all others of its payer and priority.
    pub(super) fn push(&mut self, id: Position, payment: Payment) {
        let place = i64::try_from(id.value()).unwrap_or(i64::MAX);
        self.insert(Waiting { id, payment, place });
    }

    pub(super) fn remove(&mut self, id: Position) -> Option<Waiting> {
        let waiting = self.by_id.remove(&id)?;
        self.order.remove(&waiting.standing());
        for time in times(&waiting.payment) {
            self.times.remove(&(time, id));
        }
        Some(waiting)
    }

    /// Gives a payment another priority, at the end of it: `now` is the record that asks for it.
    pub(super) fn set_priority(&mut self, id: Position, priority: Priority, now: Position) -> bool {
        self.again(id, |waiting| {
            waiting.payment.priority = priority;
            waiting.place = i64::try_from(now.value()).unwrap_or(i64::MAX);
        })
    }

    /// Gives a payment other times; none: as it is. Its place stays.
    pub(super) fn set_times(
        &mut self,
        id: Position,
        earliest: Option<Time>,
        latest: Option<Time>,
    ) -> bool {
        let Some(mut waiting) = self.remove(id) else {
            return false;
        };
        let payment = &mut waiting.payment;
        payment.earliest = earliest.or(payment.earliest);
        payment.latest = latest.or(payment.latest);
        self.insert(waiting);
        true
    }

    /// Puts a payment behind all others of its payer and priority.
    pub(super) fn move_to_tail(&mut self, id: Position, now: Position) -> bool {
        self.again(id, |waiting| {
            waiting.place = i64::try_from(now.value()).unwrap_or(i64::MAX);
        })
    }

    /// Puts a payment before all others of its payer and priority.
    pub(super) fn move_to_head(&mut self, id: Position) -> bool {
        let Some(waiting) = self.by_id.get(&id).copied() else {
            return false;
        };
        let first = self
            .of(waiting.payment.from)
            .find(|other| other.payment.priority == waiting.payment.priority)
            .map_or(waiting.place, |other| other.place);
        self.again(id, |waiting| waiting.place = first.saturating_sub(1))
    }

    /// A payer's payments in the order in which they settle.
    pub(super) fn of(&self, payer: ParticipantId) -> impl Iterator<Item = &Waiting> + '_ {
        let first = Standing {
            payer,
            priority: Priority::CentralBank,
            place: i64::MIN,
            id: Position::ZERO,
        };
        let standings = self.order.range(first..);
        standings
            .take_while(move |standing| standing.payer == payer)
            .filter_map(|standing| self.by_id.get(&standing.id))
    }

    /// Every payment, by payer and then in the order in which they settle.
    pub(super) fn all(&self) -> impl Iterator<Item = &Waiting> + '_ {
        let standings = self.order.iter();
        standings.filter_map(|standing| self.by_id.get(&standing.id))
    }

    /// The earliest time that decides about a payment, later than `after`.
    pub(super) fn first_time(&self) -> Option<(Time, Position)> {
        self.times.first().copied()
    }

    /// Forgets the first time.
    pub(super) fn pop_time(&mut self) -> Option<(Time, Position)> {
        self.times.pop_first()
    }

    fn insert(&mut self, waiting: Waiting) {
        self.order.insert(waiting.standing());
        for time in times(&waiting.payment) {
            self.times.insert((time, waiting.id));
        }
        self.by_id.insert(waiting.id, waiting);
    }

    fn again(&mut self, id: Position, change: impl FnOnce(&mut Waiting)) -> bool {
        let Some(mut waiting) = self.by_id.get(&id).copied() else {
            return false;
        };
        self.order.remove(&waiting.standing());
        change(&mut waiting);
        self.order.insert(waiting.standing());
        self.by_id.insert(id, waiting);
        true
    }

    /// Snapshot: the payments in the order of their records, and the times that have not come.
    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        writer.count(self.by_id.len());
        for waiting in self.by_id.values() {
            writer.put(&waiting.id);
            writer.put(&waiting.payment);
            writer.bytes(&waiting.place.to_le_bytes());
        }
        writer.count(self.times.len());
        for (time, id) in &self.times {
            writer.put(time);
            writer.put(id);
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Queue, FactsError> {
        let mut queue = Queue::default();
        for _ in 0..reader.count("queued payments")? {
            let offset = reader.offset();
            let waiting = Waiting {
                id: reader.field("payment")?,
                payment: reader.field("payment")?,
                place: i64::from_le_bytes(reader.array("place")?),
            };
            let last = queue.by_id.last_key_value();
            if last.is_some_and(|(before, _)| *before >= waiting.id) {
                return Err(reader.error("payment", offset, LayoutRule::Value));
            }
            queue.insert(waiting);
        }
        let mut coming = BTreeSet::new();
        for _ in 0..reader.count("times")? {
            let offset = reader.offset();
            let time = (reader.field("time")?, reader.field("payment")?);
            let rises = coming.last().is_none_or(|before| *before < time);
            if !rises || !queue.times.contains(&time) {
                return Err(reader.error("time", offset, LayoutRule::Value));
            }
            coming.insert(time);
        }
        queue.times = coming;
        Ok(queue)
    }
}

fn times(payment: &Payment) -> impl Iterator<Item = Time> + use<> {
    [payment.earliest, payment.latest].into_iter().flatten()
}
