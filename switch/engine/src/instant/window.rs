//! The duplicate window: the last finished payments and returns, oldest first.
//!
//! Entries lie in pages in the order in which they were entered; the oldest is dropped when there are more than the bound.
//! What was dropped is known to the index, whose answer travels as a fact inside the command and counts only if it is at least
//! as new as what was dropped. [`super::payments`] finds entries by their identifiers.
//!
//! # Memory
//! `96 × entries + 2 × 64 × buckets` bytes, where a table has a bucket for every 7 entries and up to a fifth more behind them:
//! **116 to 119 bytes an entry**. With the default of 16,777,216 entries that is 2.0 GB when full; an empty window takes nothing.
//! Pages of 4,096 entries are allocated as they fill and used again when they were dropped; the tables grow by a bucket at a
//! time.

use std::collections::VecDeque;

use torap_domain::{Asset, Money, ParticipantId, Position, Reason, Service, Time, Uetr};

use super::{FinalOutcome, Fingerprint, Finished, History, PaymentKey};
use crate::codec::{FactsError, LayoutRule, Reader, Writer};

const PAGE_ENTRIES: usize = 4096;

/// A finished payment in 96 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: PaymentKey,
    pub(super) uetr: Uetr,
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
    pub(super) kind: Kind,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
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
pub(super) struct Window {
    entries_max: usize,
    /// The first page begins with the entry of number `base`, a multiple of the page size.
    pages: VecDeque<Vec<Entry>>,
    spare: Option<Vec<Entry>>,
    base: u64,
    /// Number of the oldest entry, and of the next one. A slot is the lowest 31 bits of an entry's number.
    first: u64,
    next: u64,
    live: usize,
    /// Entries that a return entered anew: number, and the record of the return.
    moved: VecDeque<(u64, Position)>,
    dropped_upto: Position,
}

/// Bits of an entry's number that make its slot; far fewer entries are held at once.
const SLOT_MASK: u32 = u32::MAX >> 1;

impl Window {
    pub(super) fn new(entries_max: u32) -> Window {
        Window {
            entries_max: entries_max as usize,
            pages: VecDeque::new(),
            spare: None,
            base: 0,
            first: 0,
            next: 0,
            live: 0,
            moved: VecDeque::new(),
            dropped_upto: Position::ZERO,
        }
    }

    /// How many entries are kept from now on.
    pub(super) fn set_entries_max(&mut self, entries_max: u32) {
        self.entries_max = entries_max as usize;
    }

    /// Adds an entry, which is found at the slot given back.
    pub(super) fn push(&mut self, entry: Entry) -> u32 {
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
        slot
    }

    /// Adds an entry that the record `at` changed: it counts as old as that record.
    pub(super) fn push_changed(&mut self, entry: Entry, at: Position) -> u32 {
        self.moved.push_back((self.next, at));
        self.push(entry)
    }

    /// Marks the entry as entered anew further on; it is no longer found here.
    pub(super) fn move_away(&mut self, slot: u32) {
        let (page, place) = address(self.base, slot);
        let page = self.pages.get_mut(page);
        if let Some(entry) = page.and_then(|page| page.get_mut(place))
            && entry.kind != Kind::Moved
        {
            entry.kind = Kind::Moved;
            self.live = self.live.saturating_sub(1);
        }
    }

    #[inline]
    pub(super) fn entry(&self, slot: u32) -> Option<&Entry> {
        let (page, place) = address(self.base, slot);
        self.pages.get(page)?.get(place)
    }

    /// How many entries there are above the bound.
    #[inline]
    pub(super) fn surplus(&self) -> usize {
        self.live.saturating_sub(self.entries_max)
    }

    /// Takes out the oldest entry that can be found.
    pub(super) fn drop_oldest(&mut self) -> Option<(u32, Entry)> {
        // Moved entries count for nothing, so that what is dropped is the same before a restore and after.
        while self.drop_moved() {}
        let slot = slot_of(self.first);
        let oldest = *self.entry(slot)?;
        self.dropped_upto = self.dropped_upto.max(self.entered(&oldest));
        self.live = self.live.saturating_sub(1);
        self.step();
        Some((slot, oldest))
    }

    /// The entry that is `ahead` entries younger than the oldest.
    pub(super) fn later(&self, ahead: u64) -> Option<&Entry> {
        self.entry(slot_of(self.first.saturating_add(ahead)))
    }

    /// The newest record among those whose entries were dropped; zero while nothing was.
    pub(super) fn dropped_upto(&self) -> Position {
        self.dropped_upto
    }

    /// What a fact from the index says of an identifier that is neither here nor under way: `Ok(Some)` finished,
    /// `Ok(None)` never seen, [`Reason::RetryLater`] if the fact is missing or older than what was dropped.
    pub(super) fn beyond(&self, history: &Option<History>) -> Result<Option<Finished>, Reason> {
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
    pub(super) fn len(&self) -> usize {
        self.live
    }

    /// Memory of the pages.
    pub(super) fn memory_bytes(&self) -> usize {
        let pages: usize = self.pages.iter().map(Vec::capacity).sum();
        pages.saturating_mul(size_of::<Entry>())
    }

    /// The record that entered the oldest entry.
    fn entered(&self, oldest: &Entry) -> Position {
        match self.moved.front() {
            Some((number, at)) if *number == self.first => *at,
            _ => oldest.decided,
        }
    }

    fn drop_moved(&mut self) -> bool {
        let oldest = self.entry(slot_of(self.first));
        let moved = oldest.is_some_and(|entry| entry.kind == Kind::Moved);
        if moved {
            self.step();
        }
        moved
    }

    /// Goes on to the next oldest entry; a page that is left behind is kept for the next one.
    fn step(&mut self) {
        if self
            .moved
            .front()
            .is_some_and(|(number, _)| *number == self.first)
        {
            self.moved.pop_front();
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

/// Snapshot: what can be found, in the order it was entered, and which of it was entered by a return.
impl Window {
    /// An entry takes at least so many bytes in a snapshot.
    pub(super) const ENTRY_BYTES_MIN: usize = 97;

    /// Feeds the snapshot in pieces of one page.
    pub(super) fn write(&self, scratch: &mut Vec<u8>, piece: &mut dyn FnMut(&[u8])) {
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
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Window, FactsError> {
        let mut window = Window::new(reader.u32("window entries_max")?);
        window.dropped_upto = reader.field("window dropped_upto")?;
        Ok(window)
    }

    /// Reads an entry of a further piece, and the record that entered it if it was a return.
    pub(super) fn read_entry(
        reader: &mut Reader<'_>,
    ) -> Result<(Entry, Option<Position>), FactsError> {
        Ok((Entry::read(reader)?, reader.field("window entered_by")?))
    }
}

impl Kind {
    /// Whether the entry is found by its UETR: a return carries its original's and is found by its own key alone.
    pub(super) fn has_uetr(self) -> bool {
        match self {
            Kind::Settled | Kind::Rejected | Kind::Tombstone => true,
            Kind::Moved | Kind::SettledReturn | Kind::RejectedReturn => false,
        }
    }

    /// What a payment or tombstone of this outcome is entered as.
    pub(super) fn of_payment(outcome: &FinalOutcome) -> Kind {
        match outcome {
            FinalOutcome::Settled => Kind::Settled,
            FinalOutcome::Rejected { .. } => Kind::Rejected,
            FinalOutcome::Tombstone => Kind::Tombstone,
        }
    }

    /// What a return of this outcome is entered as.
    pub(super) fn of_return(outcome: &FinalOutcome) -> Kind {
        match outcome {
            FinalOutcome::Settled => Kind::SettledReturn,
            FinalOutcome::Rejected { .. } | FinalOutcome::Tombstone => Kind::RejectedReturn,
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
    pub(super) fn pack(finished: &Finished, kind: Kind) -> Entry {
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

    pub(super) fn unpack(&self) -> Finished {
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
            return Err(reader.error("detail", offset, LayoutRule::Value));
        }
        Ok(entry)
    }
}

const CODE_PRESENT: u64 = 1 << 16;

fn read_kind(reader: &mut Reader<'_>) -> Result<Kind, FactsError> {
    let offset = reader.offset();
    let number = reader.u8("kind")?;
    Kind::from_number(number).ok_or_else(|| reader.error("kind", offset, LayoutRule::Tag))
}

fn slot_of(number: u64) -> u32 {
    number as u32 & SLOT_MASK
}

/// Page and place of a slot; exact, because far fewer than 2³¹ entries are held at once.
#[inline]
fn address(base: u64, slot: u32) -> (usize, usize) {
    let distance = (slot.wrapping_sub(slot_of(base)) & SLOT_MASK) as usize;
    (distance / PAGE_ENTRIES, distance % PAGE_ENTRIES)
}
