//! Every payment the engine knows, under way or finished, found by key and by UETR.
//!
//! One table leads from each identifier to a payment wherever it lies, so that telling a new payment from a repeat takes two
//! look-ups, and deciding one changes a number in each table.

use torap_domain::{Position, Reason, Time, Uetr};
use torap_ledger::Ledger;

use super::{
    FinalOutcome, Finished, History, PaymentKey,
    asks::Ask,
    in_flight::{InFlight, Slab},
    window::{Entry, Kind, Window},
};
use crate::{
    Stamp,
    codec::{FactsError, LayoutRule, Reader, Writer},
    table::{self, Table},
};

/// Marks a table's slot as one of the payments under way; without it, it is one of the window.
const UNDER_WAY: u32 = 1 << 31;
/// Entries dropped for one that is entered, at most: a bound that was lowered is reached step by step.
const DROPS_MAX: usize = 4;

/// Entries of a snapshot whose places in the tables are brought near together, before the first of them is entered.
const READ_AHEAD: usize = 16;

/// How many entries ahead of the one that is dropped the tables are read.
const DROPS_AHEAD: u64 = 8;

/// Payments under way and the last finished ones.
#[derive(Clone, Debug)]
pub(crate) struct Payments {
    seed: u64,
    under_way: Slab,
    window: Window,
    by_key: Table,
    by_uetr: Table,
    /// By number of the payee's participant.
    payees: Vec<PayeeLoad>,
}

/// What a participant has to answer as the bank of payees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PayeeLoad {
    /// Payments to it that are under way.
    pub under_way: u32,
    /// Payments to it that came out of being under way, with whatever outcome, since this engine was made.
    pub decided: u64,
}

/// A payment under way; valid until it is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(u32);

/// A payment that is known.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found {
    UnderWay(Slot),
    Finished(Finished),
}

impl Payments {
    pub(crate) fn new(entries_max: u32, seed: u64) -> Payments {
        Payments {
            seed,
            under_way: Slab::new(),
            window: Window::new(entries_max),
            by_key: Table::new(),
            by_uetr: Table::new(),
            payees: Vec::new(),
        }
    }

    /// The payment, tombstone or return of this key.
    pub(crate) fn find_key(&self, key: &PaymentKey) -> Option<Found> {
        let slot = self.by_key.find(self.hash(key.0), |slot| {
            self.stored(slot).is_some_and(|stored| stored.key() == key)
        })?;
        self.found(slot)
    }

    /// The payment or tombstone of this UETR; a return carries its original's and is not found by it.
    pub(crate) fn find_uetr(&self, uetr: &Uetr) -> Option<Found> {
        let slot = self.by_uetr.find(self.hash(uetr.bytes()), |slot| {
            self.stored(slot)
                .is_some_and(|stored| stored.uetr() == uetr)
        })?;
        self.found(slot)
    }

    /// A payment under way.
    pub(crate) fn get(&self, slot: Slot) -> Option<&InFlight> {
        self.under_way.get(slot.0)
    }

    /// What a fact from the index says of an identifier that is not known here; [`Reason::RetryLater`] if the fact is missing
    /// or older than what was dropped.
    pub(crate) fn beyond(&self, history: &Option<History>) -> Result<Option<Finished>, Reason> {
        self.window.beyond(history)
    }

    /// Record of the oldest payment under way.
    pub(crate) fn oldest_under_way(&self) -> Option<Position> {
        let in_order = self.under_way.in_order();
        in_order.iter().map(|payment| payment.submitted).min()
    }

    /// Adds a payment that has been reserved; neither of its identifiers is known.
    pub(crate) fn admit(&mut self, payment: &InFlight) {
        let slot = self.under_way.insert(payment) | UNDER_WAY;
        self.enter(&payment.key, Some(&payment.uetr), slot);
        let payee = payment.creditor_agent.index();
        if payee >= self.payees.len() {
            self.payees
                .resize(payee.saturating_add(1), PayeeLoad::default());
        }
        if let Some(load) = self.payees.get_mut(payee) {
            load.under_way = load.under_way.saturating_add(1);
        }
    }

    /// What each participant has to answer, in the order of their numbers; those that never had anything may be missing.
    pub(crate) fn payee_loads(&self) -> &[PayeeLoad] {
        &self.payees
    }

    /// Makes the next ask of a payment under way.
    pub(crate) fn ask(&mut self, slot: Slot, ask: Ask, asked: Position, deadline: Time) {
        self.under_way.ask(slot.0, ask, asked, deadline);
    }

    /// Gives a payment its final outcome and remembers it.
    #[inline]
    pub(crate) fn decide(
        &mut self,
        slot: Slot,
        stamp: Stamp,
        outcome: FinalOutcome,
    ) -> Option<(InFlight, Finished)> {
        let payment = self.under_way.remove(slot.0)?;
        if let Some(load) = self.payees.get_mut(payment.creditor_agent.index()) {
            load.under_way = load.under_way.saturating_sub(1);
            load.decided = load.decided.saturating_add(1);
        }
        let finished = payment.finished(stamp, outcome);
        let entry = Entry::pack(&finished, Kind::of_payment(&outcome));
        let new = self.window.push(entry);
        let old = slot.0 | UNDER_WAY;
        let by_key = self.hash(payment.key.0);
        let by_uetr = self.hash(payment.uetr.bytes());
        self.by_key.replace(by_key, old, new);
        self.by_uetr.replace(by_uetr, old, new);
        self.drop_surplus();
        Some((payment, finished))
    }

    /// Remembers a payment that was refused at once, or a tombstone.
    pub(crate) fn remember(&mut self, finished: &Finished) {
        let entry = Entry::pack(finished, Kind::of_payment(&finished.outcome));
        let slot = self.window.push(entry);
        self.enter(&finished.key, Some(&finished.uetr), slot);
        self.drop_surplus();
    }

    /// Remembers a return, which is found by its own key alone.
    pub(crate) fn remember_return(&mut self, finished: &Finished) {
        let entry = Entry::pack(finished, Kind::of_return(&finished.outcome));
        let slot = self.window.push(entry);
        self.enter(&finished.key, None, slot);
        self.drop_surplus();
    }

    /// A return of a settled payment was posted by the record `at`: enters the payment anew with its new `returned`, whether
    /// it was still known or not. So `returned` is right for as long as the index may not have heard of the return.
    pub(crate) fn update(&mut self, finished: &Finished, at: Position) {
        let (by_key, by_uetr) = (self.hash(finished.key.0), self.hash(finished.uetr.bytes()));
        let entry = Entry::pack(finished, Kind::Settled);
        let old = self.by_key.find(by_key, |slot| {
            self.stored(slot)
                .is_some_and(|stored| stored.key() == &finished.key)
        });
        let new = self.window.push_changed(entry, at);
        match old {
            Some(old) => {
                self.window.move_away(old);
                self.by_key.replace(by_key, old, new);
                self.by_uetr.replace(by_uetr, old, new);
            }
            None => self.enter(&finished.key, Some(&finished.uetr), new),
        }
        self.drop_surplus();
    }

    /// The payment under way whose deadline comes first.
    pub(crate) fn first_due(&self) -> Option<(Time, Position, Slot)> {
        let (time, position, slot) = self.under_way.first_due()?;
        Some((time, position, Slot(slot)))
    }

    /// How many finished payments are remembered from now on.
    pub(crate) fn set_entries_max(&mut self, entries_max: u32) {
        self.window.set_entries_max(entries_max);
    }

    /// The newest record among those whose payments were forgotten; zero while none was.
    pub(crate) fn dropped_upto(&self) -> Position {
        self.window.dropped_upto()
    }

    /// Payments under way.
    pub(crate) fn under_way(&self) -> usize {
        self.under_way.len()
    }

    /// Finished payments and returns that are remembered.
    pub(crate) fn remembered(&self) -> usize {
        self.window.len()
    }

    /// Memory of the window and the tables.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.window
            .memory_bytes()
            .saturating_add(self.by_key.memory_bytes())
            .saturating_add(self.by_uetr.memory_bytes())
    }

    /// Whether the ledger's holds are exactly those of the payments under way.
    pub(crate) fn held(&self, ledger: &Ledger) -> bool {
        self.under_way.held(ledger)
    }

    /// Whether the tables are so small that nothing need be brought near.
    #[inline]
    pub(crate) fn is_near(&self) -> bool {
        self.by_key.is_near() && self.by_uetr.is_near()
    }

    /// Brings near what a look-up of these identifiers will read; the value means nothing.
    pub(crate) fn touch(&self, key: Option<&PaymentKey>, uetr: &Uetr) -> u64 {
        let by_key = key.map_or(0, |key| self.by_key.touch(self.hash(key.0)));
        u64::from(by_key ^ self.by_uetr.touch(self.hash(uetr.bytes())))
    }

    fn hash(&self, value: [u8; 16]) -> u64 {
        table::hash(self.seed, value)
    }

    #[inline]
    fn stored(&self, slot: u32) -> Option<Stored<'_>> {
        stored(&self.under_way, &self.window, slot)
    }

    fn found(&self, slot: u32) -> Option<Found> {
        match self.stored(slot)? {
            Stored::UnderWay(_) => Some(Found::UnderWay(Slot(slot & !UNDER_WAY))),
            Stored::Finished(entry) => Some(Found::Finished(entry.unpack())),
        }
    }

    fn enter(&mut self, key: &PaymentKey, uetr: Option<&Uetr>, slot: u32) {
        let (seed, under_way, window) = (self.seed, &self.under_way, &self.window);
        self.by_key.insert(table::hash(seed, key.0), slot, |slot| {
            stored(under_way, window, slot).map_or(0, |stored| table::hash(seed, stored.key().0))
        });
        if let Some(uetr) = uetr {
            let hash = table::hash(seed, uetr.bytes());
            self.by_uetr.insert(hash, slot, |slot| {
                stored(under_way, window, slot)
                    .map_or(0, |stored| table::hash(seed, stored.uetr().bytes()))
            });
        }
    }

    fn drop_surplus(&mut self) {
        for _ in 0..DROPS_MAX.min(self.window.surplus()) {
            let Some((slot, dropped)) = self.window.drop_oldest() else {
                break;
            };
            self.by_key.remove(self.hash(dropped.key.0), slot);
            if dropped.kind.has_uetr() {
                self.by_uetr.remove(self.hash(dropped.uetr.bytes()), slot);
            }
            self.touch_ahead();
        }
    }

    /// Brings near what dropping an entry will read a few entries later, so that it need not be waited for then.
    fn touch_ahead(&self) {
        if self.is_near() {
            return;
        }
        if let Some(later) = self.window.later(DROPS_AHEAD) {
            std::hint::black_box(self.touch(Some(&later.key), &later.uetr));
        }
    }
}

/// Snapshot: first the payments under way, then, in pieces, the window.
impl Payments {
    pub(crate) fn write(&self, writer: &mut Writer<'_>) {
        let payments = self.under_way.in_order();
        writer.u32(u32::try_from(payments.len()).unwrap_or(u32::MAX));
        for payment in payments {
            payment.write(writer);
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>, seed: u64) -> Result<Payments, FactsError> {
        let mut payments = Payments::new(0, seed);
        for _ in 0..reader.u32("payments under way")? {
            let offset = reader.offset();
            let payment = InFlight::read(reader)?;
            payments.check_new(&payment.key, Some(&payment.uetr), reader, offset)?;
            payments.admit(&payment);
        }
        Ok(payments)
    }

    /// Feeds the window in pieces of one page.
    pub(crate) fn write_window(&self, scratch: &mut Vec<u8>, piece: &mut dyn FnMut(&[u8])) {
        self.window.write(scratch, piece);
    }

    /// Reads the first piece of the window; the further ones have `bytes` in all.
    pub(crate) fn read_window(
        &mut self,
        reader: &mut Reader<'_>,
        bytes: usize,
    ) -> Result<(), FactsError> {
        self.window = Window::read(reader)?;
        let entries = bytes / Window::ENTRY_BYTES_MIN;
        self.by_key.reserve(entries);
        self.by_uetr.reserve(entries);
        Ok(())
    }

    /// Reads a further piece: entries.
    pub(crate) fn read_entries(&mut self, reader: &mut Reader<'_>) -> Result<(), FactsError> {
        let mut ahead = Vec::with_capacity(READ_AHEAD);
        while reader.remaining() > 0 {
            while ahead.len() < READ_AHEAD && reader.remaining() > 0 {
                let offset = reader.offset();
                let (entry, changed_at) = Window::read_entry(reader)?;
                std::hint::black_box(self.touch(Some(&entry.key), &entry.uetr));
                ahead.push((offset, entry, changed_at));
            }
            for (offset, entry, changed_at) in ahead.drain(..) {
                let uetr = entry.kind.has_uetr().then_some(&entry.uetr);
                self.check_new(&entry.key, uetr, reader, offset)?;
                let slot = match changed_at {
                    Some(at) => self.window.push_changed(entry, at),
                    None => self.window.push(entry),
                };
                self.enter(&entry.key, uetr, slot);
            }
        }
        Ok(())
    }

    /// Each identifier leads to one payment.
    fn check_new(
        &self,
        key: &PaymentKey,
        uetr: Option<&Uetr>,
        reader: &Reader<'_>,
        offset: usize,
    ) -> Result<(), FactsError> {
        let known = uetr.and_then(|uetr| self.find_uetr(uetr));
        if known.or_else(|| self.find_key(key)).is_some() {
            return Err(reader.error("identifier", offset, LayoutRule::Value));
        }
        Ok(())
    }
}

/// A payment where it lies.
enum Stored<'a> {
    UnderWay(&'a InFlight),
    Finished(&'a Entry),
}

impl<'a> Stored<'a> {
    #[inline]
    fn key(&self) -> &'a PaymentKey {
        match self {
            Stored::UnderWay(payment) => &payment.key,
            Stored::Finished(entry) => &entry.key,
        }
    }

    #[inline]
    fn uetr(&self) -> &'a Uetr {
        match self {
            Stored::UnderWay(payment) => &payment.uetr,
            Stored::Finished(entry) => &entry.uetr,
        }
    }
}

#[inline]
fn stored<'a>(under_way: &'a Slab, window: &'a Window, slot: u32) -> Option<Stored<'a>> {
    if slot & UNDER_WAY != 0 {
        under_way.get(slot & !UNDER_WAY).map(Stored::UnderWay)
    } else {
        window.entry(slot).map(Stored::Finished)
    }
}

#[cfg(test)]
mod tests;
