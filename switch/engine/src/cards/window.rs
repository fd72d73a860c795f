//! Decided transactions, reversals, and originals that a reversal blocked: the last ones, oldest first.
//!
//! Whatever is older than what was dropped can no longer be told from something new, and DE7 says so: for each sender the newest
//! DE7 among its dropped entries is kept, and a message that is not newer is refused.
//!
//! # Memory
//! About 210 bytes an entry with its places in the tables: 0.9 GB when the default of 4,194,304 entries is full.

use std::collections::VecDeque;

use torap_domain::{
    CardReason, CardService, Date, ParticipantId, Position, Time,
    card::{ApprovalCode, CardHash, ResponseCode},
};

use super::{CardKey, Class, Decider, Decision, Fingerprint, Trace};
use crate::codec::{FactsError, Layout, LayoutRule, Reader, Writer};

const PAGE_ENTRIES: usize = 4096;
/// A slot is the lowest 31 bits of an entry's number; far fewer entries are held at once.
const SLOT_MASK: u32 = u32::MAX >> 1;

/// What is remembered of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: CardKey,
    pub(super) fingerprint: Fingerprint,
    /// Whose message, and its DE7 with its year.
    pub(super) sender: ParticipantId,
    pub(super) transmitted: Time,
    pub(super) what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Transaction(Decided),
    /// A reversal, how it was answered, and the session in which it counts.
    Reversal {
        refusal: Option<CardReason>,
        session: Date,
    },
    /// A transaction whose reversal came first; the fingerprint means nothing.
    Blocked,
}

/// A request or advice with its outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decided {
    pub(super) decision: Decision,
    pub(super) submitted: Position,
    /// The issuer's or scheme's answer.
    pub(super) answer: Option<Position>,
    /// What stands of the approved amount, in minor units.
    pub(super) stands: u64,
    pub(super) card: CardHash,
    pub(super) class: Class,
    pub(super) service: CardService,
    pub(super) acquirer: ParticipantId,
    pub(super) issuer: ParticipantId,
    pub(super) session: Date,
    /// What it is charged by, if it moved money.
    pub(super) tariff: Option<u16>,
    /// How the issuer knows it.
    pub(super) asked: Option<Trace>,
    /// An ask that was not answered in time; an answer to it is late. Whose connections it went to.
    pub(super) silent: Option<(ParticipantId, Trace)>,
    /// The authorisation it completed.
    pub(super) completes: Option<CardKey>,
    /// It is an advice of the acquirer, not a request.
    pub(super) advice: bool,
}

/// The last entries.
#[derive(Clone, Debug)]
pub(super) struct Window {
    entries_max: usize,
    /// The first page begins with the entry of number `base`, a multiple of the page size.
    pages: VecDeque<Vec<Entry>>,
    spare: Option<Vec<Entry>>,
    base: u64,
    first: u64,
    next: u64,
    /// By sender, the newest DE7 among the entries that were dropped.
    dropped: Vec<Time>,
}

impl Window {
    pub(super) fn new(entries_max: u32) -> Window {
        Window {
            entries_max: entries_max as usize,
            pages: VecDeque::new(),
            spare: None,
            base: 0,
            first: 0,
            next: 0,
            dropped: Vec::new(),
        }
    }

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
        slot
    }

    #[inline]
    pub(super) fn entry(&self, slot: u32) -> Option<&Entry> {
        let (page, place) = address(self.base, slot);
        self.pages.get(page)?.get(place)
    }

    pub(super) fn entry_mut(&mut self, slot: u32) -> Option<&mut Entry> {
        let (page, place) = address(self.base, slot);
        self.pages.get_mut(page)?.get_mut(place)
    }

    pub(super) fn len(&self) -> usize {
        usize::try_from(self.next.saturating_sub(self.first)).unwrap_or(usize::MAX)
    }

    /// How many entries there are above the bound.
    #[inline]
    pub(super) fn surplus(&self) -> usize {
        self.len().saturating_sub(self.entries_max)
    }

    /// Takes out the oldest entry.
    pub(super) fn drop_oldest(&mut self) -> Option<(u32, Entry)> {
        if self.first == self.next {
            return None;
        }
        let slot = slot_of(self.first);
        let oldest = *self.entry(slot)?;
        self.note_dropped(oldest.sender, oldest.transmitted);
        self.first = self.first.saturating_add(1);
        let left = self.first.saturating_sub(self.base);
        if left >= PAGE_ENTRIES as u64
            && let Some(mut page) = self.pages.pop_front()
        {
            page.clear();
            self.spare = Some(page);
            self.base = self.first;
        }
        Some((slot, oldest))
    }

    /// Whether a message of this sender with this DE7 may have been dropped.
    #[inline]
    pub(super) fn may_have_dropped(&self, sender: ParticipantId, transmitted: Time) -> bool {
        let dropped = self.dropped.get(sender.index());
        dropped.is_some_and(|newest| transmitted <= *newest)
    }

    fn note_dropped(&mut self, sender: ParticipantId, transmitted: Time) {
        let slot = sender.index();
        if self.dropped.len() <= slot {
            self.dropped.resize(slot.saturating_add(1), Time::EPOCH);
        }
        if let Some(newest) = self.dropped.get_mut(slot) {
            *newest = (*newest).max(transmitted);
        }
    }
}

/// Snapshot: first what is not an entry, then the entries in pieces of one page.
impl Window {
    pub(super) fn write(&self, scratch: &mut Vec<u8>, piece: &mut dyn FnMut(&[u8])) {
        scratch.clear();
        let mut writer = Writer::new(scratch);
        writer.u32(u32::try_from(self.entries_max).unwrap_or(u32::MAX));
        writer.list(&self.dropped);
        piece(scratch);
        scratch.clear();
        let mut written: usize = 0;
        for (number, entry) in (self.base..).zip(self.pages.iter().flatten()) {
            if number < self.first {
                continue;
            }
            Writer::new(scratch).put(entry);
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

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Window, FactsError> {
        let mut window = Window::new(reader.u32("card window entries_max")?);
        window.dropped = reader.list("card window dropped")?;
        Ok(window)
    }
}

impl Layout for Entry {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.put(&self.key);
        writer.put(&self.fingerprint);
        writer.put(&self.sender);
        writer.put(&self.transmitted);
        match &self.what {
            What::Transaction(decided) => {
                writer.u8(1);
                writer.put(decided);
            }
            What::Reversal { refusal, session } => {
                writer.u8(2);
                writer.put(refusal);
                writer.put(session);
            }
            What::Blocked => writer.u8(3),
        }
    }

    fn take(reader: &mut Reader<'_>, _field: &'static str) -> Result<Entry, FactsError> {
        Ok(Entry {
            key: reader.field("key")?,
            fingerprint: reader.field("fingerprint")?,
            sender: reader.field("sender")?,
            transmitted: reader.field("transmitted")?,
            what: {
                let offset = reader.offset();
                match reader.u8("entry")? {
                    1 => What::Transaction(reader.field("decided")?),
                    2 => What::Reversal {
                        refusal: reader.field("refusal")?,
                        session: reader.field("session")?,
                    },
                    3 => What::Blocked,
                    _ => return Err(reader.error("entry", offset, LayoutRule::Tag)),
                }
            },
        })
    }
}

impl Layout for Decided {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.put(&self.decision);
        writer.put(&self.submitted);
        writer.put(&self.answer);
        writer.put(&self.stands);
        writer.put(&self.card);
        writer.put(&self.class);
        writer.put(&self.service);
        writer.put(&self.acquirer);
        writer.put(&self.issuer);
        writer.put(&self.session);
        writer.put(&self.tariff);
        writer.put(&self.asked);
        writer.put(&self.silent.is_some());
        if let Some((asked_of, trace)) = &self.silent {
            writer.put(asked_of);
            writer.put(trace);
        }
        writer.put(&self.completes);
        writer.put(&self.advice);
    }

    fn take(reader: &mut Reader<'_>, _field: &'static str) -> Result<Decided, FactsError> {
        Ok(Decided {
            decision: reader.field("decision")?,
            submitted: reader.field("submitted")?,
            answer: reader.field("answer")?,
            stands: reader.u64("stands")?,
            card: reader.field("card hash")?,
            class: reader.field("class")?,
            service: reader.field("service")?,
            acquirer: reader.field("acquirer")?,
            issuer: reader.field("issuer")?,
            session: reader.field("session")?,
            tariff: reader.field("tariff")?,
            asked: reader.field("asked")?,
            silent: if reader.field("silent")? {
                Some((reader.field("silent host")?, reader.field("silent trace")?))
            } else {
                None
            },
            completes: reader.field("completes")?,
            advice: reader.field("advice")?,
        })
    }
}

impl Decided {
    /// The approved amount in minor units; none if it was declined.
    pub(super) fn approved(&self) -> Option<u64> {
        match self.decision {
            Decision::Approved { amount, .. } => Some(amount.minor()),
            Decision::Declined { .. } => None,
        }
    }
}

/// An approval as it is answered.
pub(super) fn approved(
    approval: Option<ApprovalCode>,
    amount: torap_domain::Money,
    by: Decider,
) -> Decision {
    Decision::Approved {
        approval,
        amount,
        by,
    }
}

/// A decline as it is answered.
pub(super) fn declined(reason: CardReason, code: Option<ResponseCode>) -> Decision {
    Decision::Declined { reason, code }
}

fn slot_of(number: u64) -> u32 {
    number as u32 & SLOT_MASK
}

#[inline]
fn address(base: u64, slot: u32) -> (usize, usize) {
    let distance = (slot.wrapping_sub(slot_of(base)) & SLOT_MASK) as usize;
    (distance / PAGE_ENTRIES, distance % PAGE_ENTRIES)
}
