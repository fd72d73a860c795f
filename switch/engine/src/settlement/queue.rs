//! Payments that wait, each payer's in the order of priority, then place; and the times that decide about them.
//!
//! Those whose earliest time has not come stand in a table of their own: they do not stand in the way, and nobody who looks for the head of
//! a queue walks past them. [`Queue::ripen`] moves what has become due, once for each payment, before anybody looks.

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

/// All that wait: by identifier, by standing, and by the times that decide.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    by_id: BTreeMap<Position, Waiting>,
    /// What was due when its payer's queue was last looked at.
    due: BTreeSet<Standing>,
    /// The others, and when they become due.
    later: BTreeSet<Standing>,
    coming: BTreeSet<(ParticipantId, Time, Position)>,
    times: BTreeSet<(Time, Position)>,
}

/// When somebody last looked makes no difference.
impl PartialEq for Queue {
    fn eq(&self, other: &Queue) -> bool {
        self.by_id == other.by_id && self.times == other.times
    }
}

impl Eq for Queue {}

impl Waiting {
    fn standing(&self) -> Standing {
        Standing {
            payer: self.payment.from,
            priority: self.payment.priority,
            place: self.place,
            id: self.id,
        }
    }

    /// When it becomes due.
    fn comes(&self) -> (ParticipantId, Time, Position) {
        let earliest = self.payment.earliest.unwrap_or(Time::EPOCH);
        (self.payment.from, earliest, self.id)
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
        let standing = waiting.standing();
        if !self.due.remove(&standing) {
            self.later.remove(&standing);
            self.coming.remove(&waiting.comes());
        }
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
        let head = Standing {
            place: i64::MIN,
            id: Position::ZERO,
            ..waiting.standing()
        };
        let first_of = |table: &BTreeSet<Standing>| {
            let first = table.range(head..).next().copied();
            first.filter(|first| (first.payer, first.priority) == (head.payer, head.priority))
        };
        let firsts = [&self.due, &self.later].into_iter().filter_map(first_of);
        let first = firsts.map(|first| first.place).min();
        let first = first.unwrap_or(waiting.place);
        self.again(id, |waiting| waiting.place = first.saturating_sub(1))
    }

    /// What of a payer has become due by `now` stands in its order from here on. Asked before [`Queue::due`].
    pub(super) fn ripen(&mut self, payer: ParticipantId, now: Time) {
        let first = (payer, Time::EPOCH, Position::ZERO);
        while let Some(comes) = self.coming.range(first..).next().copied()
            && comes.0 == payer
            && comes.1 <= now
        {
            looked();
            self.coming.remove(&comes);
            if let Some(waiting) = self.by_id.get(&comes.2) {
                let standing = waiting.standing();
                self.later.remove(&standing);
                self.due.insert(standing);
            }
        }
    }

    /// What of a payer was due by the last [`Queue::ripen`], in the order in which it settles.
    pub(super) fn due(&self, payer: ParticipantId) -> impl Iterator<Item = &Waiting> + '_ {
        self.standings(&self.due, payer)
    }

    /// A payer's payments: first those that are due, in the order in which they settle.
    pub(super) fn of(&self, payer: ParticipantId) -> impl Iterator<Item = &Waiting> + '_ {
        let later = self.standings(&self.later, payer);
        self.due(payer).chain(later)
    }

    fn standings<'a>(
        &'a self,
        table: &'a BTreeSet<Standing>,
        payer: ParticipantId,
    ) -> impl Iterator<Item = &'a Waiting> + 'a {
        let first = Standing {
            payer,
            priority: Priority::CentralBank,
            place: i64::MIN,
            id: Position::ZERO,
        };
        let standings = table.range(first..);
        standings
            .take_while(move |standing| standing.payer == payer)
            .inspect(|_| looked())
            .filter_map(|standing| self.by_id.get(&standing.id))
    }

    /// Every payment, by payer and then in the order in which they settle.
    pub(super) fn all(&self) -> impl Iterator<Item = &Waiting> + '_ {
        let standings = self.due.union(&self.later);
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
        if waiting.payment.earliest.is_some() {
            self.later.insert(waiting.standing());
            self.coming.insert(waiting.comes());
        } else {
            self.due.insert(waiting.standing());
        }
        for time in times(&waiting.payment) {
            self.times.insert((time, waiting.id));
        }
        self.by_id.insert(waiting.id, waiting);
    }

    fn again(&mut self, id: Position, change: impl FnOnce(&mut Waiting)) -> bool {
        let Some(mut waiting) = self.by_id.get(&id).copied() else {
            return false;
        };
        let is_due = self.due.remove(&waiting.standing());
        let table = if is_due {
            &mut self.due
        } else {
            self.later.remove(&waiting.standing());
            &mut self.later
        };
        change(&mut waiting);
        table.insert(waiting.standing());
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

/// A payment was looked at, or moved to those that are due: tests count the steps of a look.
#[cfg(test)]
pub(super) fn looked() {
    LOOKS.set(LOOKS.get() + 1);
}

#[cfg(not(test))]
fn looked() {}

#[cfg(test)]
thread_local! {
    pub(super) static LOOKS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}
