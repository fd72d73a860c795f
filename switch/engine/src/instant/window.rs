//! The duplicate window: the last finished payments and returns, found by key and by UETR.
//!
//! It tells a repeat from a new payment without asking anybody. Entries lie in pages in the order in which they were entered;
//! the oldest is dropped when there are more than the bound. What was dropped is known to the index, whose answer travels as
//! a fact inside the command and counts only if it is at least as new as what was dropped.
//!
//! # Memory
//! `96 × entries + 2 × 64 × buckets` bytes, where a table has one bucket for 4.5 to 9 entries: **110 to 124 bytes an entry**.
//! With the default of 16,777,216 entries that is 1.8 to 2.1 GB when full; an empty window takes 0.2 MB. Pages of 4,096 entries are
//! allocated as they fill and used again when they were dropped; tables grow in 2,048 parts, each by itself.

use std::collections::VecDeque;

use torap_domain::{Asset, Money, ParticipantId, Position, Reason, Service, Time, Uetr};

use super::{FinalOutcome, Fingerprint, Finished, History, PaymentKey};
use crate::{
    codec::{FactsError, Reader, Writer},
    table::{self, Table},
};

const PAGE_ENTRIES: usize = 4096;
const TABLE_PART_BITS: u32 = 11;
/// Entries dropped for one that is entered, at most: a bound that was lowered is reached step by step.
const DROPS_MAX: usize = 4;

/// A finished payment in 96 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    key: PaymentKey,
    uetr: Uetr,
    fingerprint: Fingerprint,
    submitted: Position,
    decided: Position,
    decided_at: Time,
    amount: u64,
    /// Settled: minor units returned so far. Rejected: the reason and the payee's bank's code ([`Entry::pack`]).
    detail: u64,
    asset: Asset,
    debtor_agent: ParticipantId,
    creditor_agent: ParticipantId,
    service: Service,
    kind: Kind,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    /// Entered anew further on; nothing finds it here any more.
    Moved = 0,
    Settled = 1,
    Rejected = 2,
    Tombstone = 3,
    SettledReturn = 4,
    RejectedReturn = 5,
}

/// The last finished payments and returns.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    entries_max: usize,
    seed: u64,
    /// The first page begins with the entry of number `base`, a multiple of the page size.
    pages: VecDeque<Vec<Entry>>,
    spare: Option<Vec<Entry>>,
    base: u64,
    /// Number of the oldest entry, and of the next one. A table's slot is the lower half of an entry's number.
    first: u64,
    next: u64,
    live: usize,
    by_key: Table,
    by_uetr: Table,
    /// Entries that a return entered anew: number, and the record of the return.
    moved: VecDeque<(u64, Position)>,
    dropped_upto: Position,
}

impl Window {
    pub(crate) fn new(entries_max: u32, seed: u64) -> Window {
        Window {
            entries_max: entries_max as usize,
            seed,
            pages: VecDeque::new(),
            spare: None,
            base: 0,
            first: 0,
            next: 0,
            live: 0,
            by_key: Table::new(TABLE_PART_BITS),
            by_uetr: Table::new(TABLE_PART_BITS),
            moved: VecDeque::new(),
            dropped_upto: Position::ZERO,
        }
    }

    /// How many entries are kept from now on.
    pub(crate) fn set_entries_max(&mut self, entries_max: u32) {
        self.entries_max = entries_max as usize;
    }

    /// The payment, tombstone or return of this key.
    pub(crate) fn find_key(&self, key: &PaymentKey) -> Option<Finished> {
        self.slot_of_key(key)
            .and_then(|slot| self.entry(slot))
            .map(Entry::unpack)
    }

    /// The payment or tombstone of this UETR; a return carries its original's and is not found by it.
    pub(crate) fn find_uetr(&self, uetr: &Uetr) -> Option<Finished> {
        let hash = self.hash(uetr.bytes());
        let is_it = |slot| self.entry(slot).is_some_and(|entry| entry.uetr == *uetr);
        let slot = self.by_uetr.find(hash, is_it)?;
        self.entry(slot).map(Entry::unpack)
    }

    /// Enters a payment or a tombstone, decided now.
    pub(crate) fn insert(&mut self, finished: &Finished) {
        let kind = match finished.outcome {
            FinalOutcome::Settled => Kind::Settled,
            FinalOutcome::Rejected { .. } => Kind::Rejected,
            FinalOutcome::Tombstone => Kind::Tombstone,
        };
        self.push(Entry::pack(finished, kind));
        self.drop_surplus();
    }

    /// Enters a return, decided now; it is found by its own key alone.
    pub(crate) fn insert_return(&mut self, finished: &Finished) {
        let kind = match finished.outcome {
            FinalOutcome::Settled => Kind::SettledReturn,
            FinalOutcome::Rejected { .. } | FinalOutcome::Tombstone => Kind::RejectedReturn,
        };
        self.push(Entry::pack(finished, kind));
        self.drop_surplus();
    }

    /// A return of a settled payment was posted by the record `at`: enters the payment anew with its new `returned`, whether
    /// it was still here or not. So `returned` is right for as long as the index may not have heard of the return.
    pub(crate) fn update(&mut self, finished: &Finished, at: Position) {
        if let Some(slot) = self.slot_of_key(&finished.key) {
            self.forget(slot);
            if let Some(entry) = self.entry_mut(slot) {
                entry.kind = Kind::Moved;
            }
        }
        self.moved.push_back((self.next, at));
        self.push(Entry::pack(finished, Kind::Settled));
        self.drop_surplus();
    }

    /// The newest record among those whose entries were dropped; zero while nothing was.
    pub(crate) fn dropped_upto(&self) -> Position {
        self.dropped_upto
    }

    /// What a fact from the index says of an identifier that is neither here nor in flight: `Ok(Some)` finished,
    /// `Ok(None)` never seen, [`Reason::RetryLater`] if the fact is missing or older than what was dropped.
    pub(crate) fn beyond(&self, history: &Option<History>) -> Result<Option<Finished>, Reason> {
        let (as_of, known) = match history {
            None => (Position::ZERO, None),
            Some(History::Unknown { as_of }) => (*as_of, None),
            Some(History::Known { as_of, finished }) => (*as_of, Some(*finished)),
        };
        if as_of < self.dropped_upto {
            return Err(Reason::RetryLater);
        }
        Ok(known)
    }

    /// Entries that can be found.
    pub(crate) fn len(&self) -> usize {
        self.live
    }

    /// Memory of pages and tables.
    pub(crate) fn memory_bytes(&self) -> usize {
        let pages: usize = self.pages.iter().map(Vec::capacity).sum();
        pages
            .saturating_mul(size_of::<Entry>())
            .saturating_add(self.by_key.memory_bytes())
            .saturating_add(self.by_uetr.memory_bytes())
    }

    /// Brings near what a look-up of these identifiers will read; the value means nothing.
    pub(crate) fn touch(&self, key: &PaymentKey, uetr: &Uetr) -> u32 {
        let by_key = self.by_key.touch(self.hash(key.0));
        by_key ^ self.by_uetr.touch(self.hash(uetr.bytes()))
    }

    fn hash(&self, value: [u8; 16]) -> u64 {
        table::hash(self.seed, value)
    }

    fn slot_of_key(&self, key: &PaymentKey) -> Option<u32> {
        let is_it = |slot| self.entry(slot).is_some_and(|entry| entry.key == *key);
        self.by_key.find(self.hash(key.0), is_it)
    }

    fn entry(&self, slot: u32) -> Option<&Entry> {
        entry(&self.pages, self.base, slot)
    }

    fn entry_mut(&mut self, slot: u32) -> Option<&mut Entry> {
        let (page, place) = address(self.base, slot);
        self.pages.get_mut(page)?.get_mut(place)
    }

    fn push(&mut self, entry: Entry) {
        let slot = slot_of(self.next);
        let full = self
            .pages
            .back()
            .is_none_or(|page| page.len() >= PAGE_ENTRIES);
        if full {
            let page = self.spare.take();
            let page = page.unwrap_or_else(|| Vec::with_capacity(PAGE_ENTRIES));
            self.pages.push_back(page);
        }
        if let Some(page) = self.pages.back_mut() {
            page.push(entry);
        }
        self.next = self.next.saturating_add(1);
        self.live = self.live.saturating_add(1);
        let (seed, pages, base) = (self.seed, &self.pages, self.base);
        let hash = table::hash(seed, entry.key.0);
        self.by_key.insert(hash, slot, |slot| {
            self::entry(pages, base, slot).map_or(0, |entry| table::hash(seed, entry.key.0))
        });
        if entry.kind.has_uetr() {
            let hash = table::hash(seed, entry.uetr.bytes());
            self.by_uetr.insert(hash, slot, |slot| {
                self::entry(pages, base, slot)
                    .map_or(0, |entry| table::hash(seed, entry.uetr.bytes()))
            });
        }
    }

    /// Takes an entry out of the tables.
    fn forget(&mut self, slot: u32) {
        let Some(entry) = self.entry(slot).copied() else {
            return;
        };
        if entry.kind == Kind::Moved {
            return;
        }
        self.by_key.remove(self.hash(entry.key.0), slot);
        if entry.kind.has_uetr() {
            self.by_uetr.remove(self.hash(entry.uetr.bytes()), slot);
        }
        self.live = self.live.saturating_sub(1);
    }

    fn drop_surplus(&mut self) {
        let mut left = DROPS_MAX;
        while let Some(oldest) = self.entry(slot_of(self.first)) {
            // Moved entries are passed over whenever they come to the front, so that what is dropped depends only on what can
            // be found, before a restore and after.
            if oldest.kind != Kind::Moved {
                if left == 0 || self.live <= self.entries_max {
                    break;
                }
                left = left.saturating_sub(1);
            }
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        let slot = slot_of(self.first);
        let Some(oldest) = self.entry(slot).copied() else {
            return;
        };
        let entered = match self.moved.front() {
            Some((number, at)) if *number == self.first => {
                let at = *at;
                self.moved.pop_front();
                at
            }
            _ => oldest.decided,
        };
        if oldest.kind != Kind::Moved {
            self.forget(slot);
            self.dropped_upto = self.dropped_upto.max(entered);
        }
        self.first = self.first.saturating_add(1);
        let dropped = self.first.saturating_sub(self.base);
        if dropped >= PAGE_ENTRIES as u64
            && let Some(mut page) = self.pages.pop_front()
        {
            page.clear();
            self.spare = Some(page);
            self.base = self.first;
        }
    }
}

/// Snapshot: what can be found, in the order it was entered, 96 bytes each; and which of them were entered by a return.
impl Window {
    /// Feeds the snapshot in pieces of one page.
    pub(crate) fn write(&self, scratch: &mut Vec<u8>, piece: &mut dyn FnMut(&[u8])) {
        scratch.clear();
        let mut writer = Writer::new(scratch);
        writer.u32(u32::try_from(self.entries_max).unwrap_or(u32::MAX));
        writer.put(&self.dropped_upto);
        piece(scratch);
        scratch.clear();
        let mut moved = self.moved.iter().copied().peekable();
        let mut written: usize = 0;
        for (number, entry) in (self.base..).zip(self.pages.iter().flatten()) {
            let at = moved.next_if(|(moved, _)| *moved == number);
            if number < self.first || entry.kind == Kind::Moved {
                continue;
            }
            let mut writer = Writer::new(scratch);
            entry.write(&mut writer);
            writer.put(&at.map(|(_, at)| at));
            written = written.saturating_add(1);
            if written.is_multiple_of(PAGE_ENTRIES) {
                piece(scratch);
                scratch.clear();
            }
        }
        if !scratch.is_empty() {
            piece(scratch);
        }
    }

    /// Reads the first piece: what is not an entry.
    pub(crate) fn read(reader: &mut Reader<'_>, seed: u64) -> Result<Window, FactsError> {
        let mut window = Window::new(reader.u32("window entries_max")?, seed);
        window.dropped_upto = reader.field("window dropped_upto")?;
        Ok(window)
    }

    /// Reads the entries of a further piece.
    pub(crate) fn read_entries(&mut self, reader: &mut Reader<'_>) -> Result<(), FactsError> {
        while reader.remaining() > 0 {
            let entry = Entry::read(reader)?;
            let at: Option<Position> = reader.field("window entered_by")?;
            if let Some(at) = at {
                self.moved.push_back((self.next, at));
            }
            self.push(entry);
        }
        Ok(())
    }
}

impl Kind {
    fn has_uetr(self) -> bool {
        match self {
            Kind::Settled | Kind::Rejected | Kind::Tombstone => true,
            Kind::Moved | Kind::SettledReturn | Kind::RejectedReturn => false,
        }
    }

    fn from_number(number: u8) -> Option<Kind> {
        match number {
            1 => Some(Kind::Settled),
            2 => Some(Kind::Rejected),
            3 => Some(Kind::Tombstone),
            4 => Some(Kind::SettledReturn),
            5 => Some(Kind::RejectedReturn),
            _ => None,
        }
    }
}

impl Entry {
    /// The detail of a rejection: reason in the lowest 16 bits, then a bit that says whether there is a code, the code in the
    /// upper 32.
    fn pack(finished: &Finished, kind: Kind) -> Entry {
        let detail = match finished.outcome {
            FinalOutcome::Settled => finished.returned.minor(),
            FinalOutcome::Rejected { reason, agent_code } => {
                let code = agent_code.map_or(0, |code| {
                    u64::from(u32::from_le_bytes(code)) << 32 | CODE_PRESENT
                });
                code | u64::from(reason.code_number())
            }
            FinalOutcome::Tombstone => 0,
        };
        Entry {
            key: finished.key,
            uetr: finished.uetr,
            fingerprint: finished.fingerprint,
            submitted: finished.submitted,
            decided: finished.decided,
            decided_at: finished.decided_at,
            amount: finished.amount.minor(),
            detail,
            asset: finished.amount.asset(),
            debtor_agent: finished.debtor_agent,
            creditor_agent: finished.creditor_agent,
            service: finished.service,
            kind,
        }
    }

    fn unpack(&self) -> Finished {
        let (outcome, returned) = match self.kind {
            Kind::Settled | Kind::SettledReturn => (FinalOutcome::Settled, self.detail),
            Kind::Rejected | Kind::RejectedReturn => (self.rejection(), 0),
            Kind::Tombstone | Kind::Moved => (FinalOutcome::Tombstone, 0),
        };
        Finished {
            key: self.key,
            uetr: self.uetr,
            fingerprint: self.fingerprint,
            submitted: self.submitted,
            decided: self.decided,
            decided_at: self.decided_at,
            outcome,
            service: self.service,
            amount: Money::from_minor(self.amount, self.asset),
            returned: Money::from_minor(returned, self.asset),
            debtor_agent: self.debtor_agent,
            creditor_agent: self.creditor_agent,
        }
    }

    fn rejection(&self) -> FinalOutcome {
        let present = self.detail & CODE_PRESENT != 0;
        FinalOutcome::Rejected {
            // Packed from a reason, and checked when read from a snapshot.
            reason: Reason::from_number(self.detail as u16).unwrap_or(Reason::InternalLimit),
            agent_code: present.then_some(((self.detail >> 32) as u32).to_le_bytes()),
        }
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.put(&self.key);
        writer.put(&self.uetr);
        writer.put(&self.fingerprint);
        writer.put(&self.submitted);
        writer.put(&self.decided);
        writer.put(&self.decided_at);
        writer.u64(self.amount);
        writer.u64(self.detail);
        writer.put(&self.asset);
        writer.put(&self.debtor_agent);
        writer.put(&self.creditor_agent);
        writer.put(&self.service);
        writer.u8(self.kind as u8);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Entry, FactsError> {
        let entry = Entry {
            key: reader.field("key")?,
            uetr: reader.field("uetr")?,
            fingerprint: reader.field("fingerprint")?,
            submitted: reader.field("submitted")?,
            decided: reader.field("decided")?,
            decided_at: reader.field("decided_at")?,
            amount: reader.u64("amount")?,
            detail: reader.u64("detail")?,
            asset: reader.field("asset")?,
            debtor_agent: reader.field("debtor_agent")?,
            creditor_agent: reader.field("creditor_agent")?,
            service: reader.field("service")?,
            kind: read_kind(reader)?,
        };
        let rejected = matches!(entry.kind, Kind::Rejected | Kind::RejectedReturn);
        if rejected && Reason::from_number(entry.detail as u16).is_none() {
            let offset = reader.offset();
            return Err(reader.error("detail", offset, crate::codec::LayoutRule::Value));
        }
        Ok(entry)
    }
}

const CODE_PRESENT: u64 = 1 << 16;

fn read_kind(reader: &mut Reader<'_>) -> Result<Kind, FactsError> {
    let offset = reader.offset();
    let number = reader.u8("kind")?;
    Kind::from_number(number)
        .ok_or_else(|| reader.error("kind", offset, crate::codec::LayoutRule::Tag))
}

fn slot_of(number: u64) -> u32 {
    number as u32
}

/// Page and place of a slot. Slots are the lower halves of numbers, and far fewer than 2³² entries are held at once, so the
/// distance to the first page is exact.
fn address(base: u64, slot: u32) -> (usize, usize) {
    let distance = slot.wrapping_sub(slot_of(base)) as usize;
    (distance / PAGE_ENTRIES, distance % PAGE_ENTRIES)
}

fn entry(pages: &VecDeque<Vec<Entry>>, base: u64, slot: u32) -> Option<&Entry> {
    let (page, place) = address(base, slot);
    pages.get(page)?.get(place)
}

#[cfg(test)]
mod tests;
