//! The items: those that wait for their session, and those of the last dates, so that a repeat is answered as the first.
//!
//! An item is 96 bytes in a slab; each value date has the slots of its items in the order in which they came. What an item says
//! beside its amount (names, accounts, texts) stays in the record that brought it.
//!
//! # Memory
//! **About 125 bytes an item**: 96 for the item, 4 for its place in its date and 9 to 11 for each of its two tables, each grown
//! by pieces. The bound is [`Settings::items_max`](super::Settings). A date is forgotten when the last session of the date after
//! it has closed, a few hundred items at a time, and its slots are used again: with as many items a day, memory stays as it is.

use std::collections::BTreeMap;

use torap_clearing::{Priority, SessionId};
use torap_domain::{Date, ParticipantId, Position, Uetr};

use crate::{
    codec::{FactsError, LayoutRule, Reader, Writer},
    instant::{Fingerprint, PaymentKey},
    slab::Slab,
    table::{self, Table},
};

/// Items in one piece of a snapshot.
const SNAPSHOT_ITEMS: usize = 4096;

/// Where an item is in its life. The number is written to snapshots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Stage {
    Waiting = 1,
    Withdrawn = 2,
    Settled = 3,
    LeftOut = 4,
    /// Left out as well: a suspension came after it.
    DebtorSuspended = 5,
    CreditorSuspended = 6,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) key: PaymentKey,
    pub(super) uetr: Uetr,
    pub(super) fingerprint: Fingerprint,
    pub(super) submitted: Position,
    /// In minor units of KZT.
    pub(super) amount: u64,
    pub(super) value_date: Date,
    /// The session that decided it.
    pub(super) session: Option<SessionId>,
    /// Place in its record.
    pub(super) index: u16,
    /// Who is told what becomes of it.
    pub(super) sender: ParticipantId,
    pub(super) debtor: ParticipantId,
    pub(super) creditor: ParticipantId,
    pub(super) priority: Priority,
    pub(super) stage: Stage,
}

/// The items of one value date.
#[derive(Clone, Debug, Default)]
pub(super) struct Day {
    /// In the order in which they came.
    slots: Vec<u32>,
    /// Items of sessions that have closed, and of those how many outcomes have been told.
    closed: usize,
    told: usize,
    /// Of those that wait.
    waiting: u32,
    waiting_amount: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Items {
    seed: u64,
    slab: Slab<Item>,
    by_key: Table,
    by_uetr: Table,
    days: BTreeMap<Date, Day>,
}

impl Items {
    pub(super) fn new(seed: u64) -> Items {
        Items {
            seed,
            slab: Slab::new(),
            by_key: Table::new(),
            by_uetr: Table::new(),
            days: BTreeMap::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.slab.len()
    }

    /// By value date, in the order in which they came.
    pub(super) fn all(&self) -> impl Iterator<Item = &Item> + '_ {
        let slots = self.days.values().flat_map(|day| day.slots.iter());
        slots.filter_map(|slot| self.slab.get(*slot))
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let items = self.len().saturating_mul(size_of::<Option<Item>>());
        let slots = self.days.values().map(|day| day.slots.capacity());
        let slots = slots.sum::<usize>().saturating_mul(size_of::<u32>());
        items
            .saturating_add(slots)
            .saturating_add(self.by_key.memory_bytes())
            .saturating_add(self.by_uetr.memory_bytes())
    }

    pub(super) fn find_key(&self, key: &PaymentKey) -> Option<(u32, &Item)> {
        let slot = self.by_key.find(table::hash(self.seed, key.0), |slot| {
            self.slab.get(slot).is_some_and(|item| item.key == *key)
        })?;
        Some((slot, self.slab.get(slot)?))
    }

    pub(super) fn find_uetr(&self, uetr: &Uetr) -> Option<(u32, &Item)> {
        let hash = table::hash(self.seed, uetr.bytes());
        let slot = self.by_uetr.find(hash, |slot| {
            self.slab.get(slot).is_some_and(|item| item.uetr == *uetr)
        })?;
        Some((slot, self.slab.get(slot)?))
    }

    /// Reads the places that the identifiers lead to; the value means nothing.
    pub(super) fn touch(&self, key: &PaymentKey, uetr: &Uetr) -> u64 {
        let by_key = self.by_key.touch(table::hash(self.seed, key.0));
        let by_uetr = self.by_uetr.touch(table::hash(self.seed, uetr.bytes()));
        u64::from(by_key ^ by_uetr)
    }

    /// Adds an item that waits; neither of its identifiers is known.
    pub(super) fn insert(&mut self, item: Item) {
        self.add(item);
    }

    /// What becomes of the first bank's items is told to the second one, which took it over.
    pub(super) fn hand_over(&mut self, bank: ParticipantId, heir: ParticipantId) {
        for slot in self.days.values().flat_map(|day| day.slots.iter()) {
            if let Some(item) = self.slab.get_mut(*slot)
                && item.sender == bank
            {
                item.sender = heir;
            }
        }
    }

    /// Decides an item that waits.
    pub(super) fn decide(&mut self, slot: u32, stage: Stage, session: Option<SessionId>) {
        let Some(item) = self.slab.get_mut(slot) else {
            return;
        };
        item.stage = stage;
        item.session = session;
        if let Some(day) = self.days.get_mut(&item.value_date) {
            day.waiting = day.waiting.saturating_sub(1);
            day.waiting_amount = day.waiting_amount.saturating_sub(item.amount);
        }
    }

    /// Slots of what waits for a session of `date`, earlier value dates first, each in the order in which it came.
    pub(super) fn waiting(&self, date: Date) -> impl Iterator<Item = (u32, &Item)> + '_ {
        let days = self.days.range(..=date);
        let open = days.flat_map(|(_, day)| day.slots.get(day.closed..).unwrap_or_default());
        let items = open.filter_map(|slot| Some((*slot, self.slab.get(*slot)?)));
        items.filter(|(_, item)| item.stage == Stage::Waiting)
    }

    /// By value date: how many wait and what they come to.
    pub(super) fn waiting_by_date(&self) -> impl Iterator<Item = (Date, u32, u64)> + '_ {
        let days = self.days.iter().filter(|(_, day)| day.waiting > 0);
        days.map(|(date, day)| (*date, day.waiting, day.waiting_amount))
    }

    /// A session of `date` has closed: what came later is for another.
    pub(super) fn close(&mut self, date: Date) {
        for (_, day) in self.days.range_mut(..=date) {
            day.closed = day.slots.len();
        }
    }

    /// The next items whose outcome is to be told: all of one record, and at least `most` if there are as many. They count as
    /// told. Withdrawn ones were told before and are left out.
    pub(super) fn take_untold(&mut self, most: usize, taken: &mut Vec<Item>) {
        taken.clear();
        let untold = self.days.iter_mut().find(|(_, day)| day.told < day.closed);
        let Some((_, day)) = untold else {
            return;
        };
        let slots = day.slots.get(day.told..day.closed).unwrap_or_default();
        for slot in slots {
            let Some(item) = self.slab.get(*slot) else {
                break;
            };
            let other_record = taken
                .last()
                .is_some_and(|last| last.submitted != item.submitted);
            if taken.len() >= most && other_record {
                break;
            }
            day.told = day.told.saturating_add(1);
            if item.stage != Stage::Withdrawn {
                taken.push(*item);
            }
        }
    }

    /// Whether outcomes are still to be told.
    pub(super) fn has_untold(&self) -> bool {
        self.days.values().any(|day| day.told < day.closed)
    }

    /// Forgets up to `most` items of dates before `date`; whether there are more.
    pub(super) fn forget(&mut self, date: Date, most: usize) -> bool {
        for _ in 0..most {
            let Some(mut oldest) = self.days.first_entry() else {
                return false;
            };
            if *oldest.key() >= date {
                return false;
            }
            match oldest.get_mut().slots.pop() {
                Some(slot) => self.remove(slot),
                None => {
                    oldest.remove();
                }
            }
        }
        let oldest = self.days.first_key_value();
        oldest.is_some_and(|(oldest, _)| *oldest < date)
    }

    /// The oldest record among those whose items wait or are not told.
    pub(super) fn oldest_referred(&self) -> Option<Position> {
        let open = self.days.values().filter_map(|day| {
            let slot = day.slots.get(day.told)?;
            self.slab.get(*slot)
        });
        open.map(|item| item.submitted).min()
    }

    fn remove(&mut self, slot: u32) {
        if let Some(item) = self.slab.remove(slot) {
            self.by_key.remove(table::hash(self.seed, item.key.0), slot);
            let by_uetr = table::hash(self.seed, item.uetr.bytes());
            self.by_uetr.remove(by_uetr, slot);
        }
    }

    fn add(&mut self, item: Item) -> &mut Day {
        let slot = self.slab.insert(item);
        let (seed, slab) = (self.seed, &self.slab);
        self.by_key
            .insert(table::hash(seed, item.key.0), slot, |slot| {
                slab.get(slot)
                    .map_or(0, |item| table::hash(seed, item.key.0))
            });
        self.by_uetr
            .insert(table::hash(seed, item.uetr.bytes()), slot, |slot| {
                slab.get(slot)
                    .map_or(0, |item| table::hash(seed, item.uetr.bytes()))
            });
        let day = self.days.entry(item.value_date).or_default();
        day.slots.push(slot);
        if item.stage == Stage::Waiting {
            day.waiting = day.waiting.saturating_add(1);
            day.waiting_amount = day.waiting_amount.saturating_add(item.amount);
        }
        day
    }
}

/// Snapshot: first the dates, then, in pieces, the items by date.
impl Items {
    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        writer.count(self.days.len());
        for (date, day) in &self.days {
            writer.put(date);
            for count in [day.closed, day.told] {
                writer.u32(u32::try_from(count).unwrap_or(u32::MAX));
            }
        }
    }

    /// Feeds the items in pieces; the first says how many there are.
    pub(super) fn write_items(&self, scratch: &mut Vec<u8>, piece: &mut dyn FnMut(&[u8])) {
        scratch.clear();
        let count = u32::try_from(self.len()).unwrap_or(u32::MAX);
        Writer::new(scratch).u32(count);
        piece(scratch);
        scratch.clear();
        let mut written: usize = 0;
        for slot in self.days.values().flat_map(|day| &day.slots) {
            if let Some(item) = self.slab.get(*slot) {
                item.write(&mut Writer::new(scratch));
            }
            written = written.saturating_add(1);
            if written.is_multiple_of(SNAPSHOT_ITEMS) {
                piece(scratch);
                scratch.clear();
            }
        }
        if !scratch.is_empty() {
            piece(scratch);
        }
    }

    /// Reads the dates; their items follow.
    pub(super) fn read(reader: &mut Reader<'_>, seed: u64) -> Result<Items, FactsError> {
        let mut items = Items::new(seed);
        for _ in 0..reader.count("clearing dates")? {
            let offset = reader.offset();
            let date = reader.field("clearing date")?;
            let day = Day {
                closed: reader.u32("clearing closed")? as usize,
                told: reader.u32("clearing told")? as usize,
                ..Day::default()
            };
            let last = items.days.last_key_value();
            let in_order = last.is_none_or(|(before, _)| *before < date);
            if !in_order || day.told > day.closed {
                return Err(reader.error("clearing date", offset, LayoutRule::Value));
            }
            items.days.insert(date, day);
        }
        Ok(items)
    }

    pub(super) fn read_items(&mut self, reader: &mut Reader<'_>) -> Result<(), FactsError> {
        while reader.remaining() > 0 {
            let offset = reader.offset();
            let item = Item::read(reader)?;
            let known = self.find_key(&item.key).is_some() || self.find_uetr(&item.uetr).is_some();
            if known || !self.days.contains_key(&item.value_date) {
                return Err(reader.error("clearing item", offset, LayoutRule::Value));
            }
            self.add(item);
        }
        Ok(())
    }
}

impl Item {
    fn write(&self, writer: &mut Writer<'_>) {
        writer.put(&self.key.0);
        writer.put(&self.uetr);
        writer.put(&self.fingerprint.0);
        writer.put(&self.submitted);
        writer.u64(self.amount);
        writer.put(&self.value_date);
        writer.put(&self.session);
        writer.u16(self.index);
        writer.put(&self.sender);
        writer.put(&self.debtor);
        writer.put(&self.creditor);
        writer.put(&self.priority);
        writer.u8(self.stage as u8);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Item, FactsError> {
        Ok(Item {
            key: PaymentKey(reader.field("item key")?),
            uetr: reader.field("item UETR")?,
            fingerprint: Fingerprint(reader.field("item fingerprint")?),
            submitted: reader.field("item submitted")?,
            amount: reader.u64("item amount")?,
            value_date: reader.field("item value date")?,
            session: reader.field("item session")?,
            index: reader.u16("item index")?,
            sender: reader.field("item sender")?,
            debtor: reader.field("item debtor")?,
            creditor: reader.field("item creditor")?,
            priority: reader.field("item priority")?,
            stage: reader.tag("item stage", |tag| {
                let stages = [
                    Stage::Waiting,
                    Stage::Withdrawn,
                    Stage::Settled,
                    Stage::LeftOut,
                    Stage::DebtorSuspended,
                    Stage::CreditorSuspended,
                ];
                stages.into_iter().find(|stage| *stage as u8 == tag)
            })?,
        })
    }
}
