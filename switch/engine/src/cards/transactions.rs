//! Every transaction the rail knows, under way or decided, found by its key, and by the trace that an answer will carry.

use torap_domain::{ParticipantId, Position, Time};

use super::{
    CardKey, LinkNumber, Trace,
    in_flight::{InFlight, Stage},
    window::{Decided, Entry, What, Window},
};
use crate::{
    codec::{FactsError, LayoutRule, Reader, Writer},
    deadlines::Deadlines,
    slab::Slab,
    table::{self, Table},
};

/// Marks a table's slot as one of the requests under way; without it, it is one of the window.
const UNDER_WAY: u32 = 1 << 31;
/// Entries dropped for one that is entered, at most: a bound that was lowered is reached step by step.
const DROPS_MAX: usize = 4;

/// Requests under way and what was decided last.
#[derive(Clone, Debug)]
pub(super) struct Transactions {
    seed: u64,
    under_way: Slab<InFlight>,
    deadlines: Deadlines,
    window: Window,
    by_key: Table,
    by_trace: Table,
}

/// A request under way; valid until it is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot(u32);

/// An entry of the window; valid until the next is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(u32);

/// What is known of a key or trace.
#[derive(Clone, Copy, Debug)]
pub(super) enum Found {
    UnderWay(Slot),
    Decided(Place, Entry),
}

impl Transactions {
    pub(super) fn new(entries_max: u32, seed: u64) -> Transactions {
        Transactions {
            seed,
            under_way: Slab::new(),
            deadlines: Deadlines::new(),
            window: Window::new(entries_max),
            by_key: Table::new(),
            by_trace: Table::new(),
        }
    }

    pub(super) fn find(&self, key: &CardKey) -> Option<Found> {
        let hash = table::hash(self.seed, key.0);
        let slot = self
            .by_key
            .find(hash, |slot| self.key_of(slot) == Some(key))?;
        self.found(slot)
    }

    /// The request that waits for an answer with this trace, or whose answer is late.
    pub(super) fn find_trace(&self, asked_of: ParticipantId, trace: &Trace) -> Option<Found> {
        let wanted = Some((asked_of, *trace));
        let hash = trace_hash(self.seed, asked_of, trace);
        let slot = self
            .by_trace
            .find(hash, |slot| self.trace_of(slot) == wanted)?;
        self.found(slot)
    }

    #[inline]
    pub(super) fn get(&self, slot: Slot) -> Option<&InFlight> {
        self.under_way.get(slot.0)
    }

    /// The answer goes to where the last repeat came from.
    pub(super) fn answer_to(&mut self, slot: Slot, link: LinkNumber) {
        if let Some(request) = self.under_way.get_mut(slot.0) {
            request.link = link;
        }
    }

    /// Adds a request that somebody is being asked about; its key is not known.
    pub(super) fn admit(&mut self, request: InFlight) -> Slot {
        let slot = self.under_way.insert(request);
        self.deadlines
            .insert(request.deadline, request.submitted, slot);
        self.enter_key(&request.transaction.key, slot | UNDER_WAY);
        self.enter_trace(request.asked_of, &request.trace, slot | UNDER_WAY);
        Slot(slot)
    }

    /// Somebody else is asked from now on, as `change` says.
    pub(super) fn ask(
        &mut self,
        slot: Slot,
        change: impl FnOnce(&mut InFlight),
    ) -> Option<InFlight> {
        let before = *self.under_way.get(slot.0)?;
        let hash = trace_hash(self.seed, before.asked_of, &before.trace);
        self.by_trace.remove(hash, slot.0 | UNDER_WAY);
        let request = self.under_way.get_mut(slot.0)?;
        change(request);
        let after = *request;
        self.deadlines
            .insert(after.deadline, after.submitted, slot.0);
        self.enter_trace(after.asked_of, &after.trace, slot.0 | UNDER_WAY);
        Some(after)
    }

    /// Takes a request out: it is decided, and [`Transactions::remember`] follows.
    pub(super) fn take(&mut self, slot: Slot) -> Option<InFlight> {
        let request = self.under_way.remove(slot.0)?;
        self.deadlines.remove(slot.0);
        let key = table::hash(self.seed, request.transaction.key.0);
        self.by_key.remove(key, slot.0 | UNDER_WAY);
        let trace = trace_hash(self.seed, request.asked_of, &request.trace);
        self.by_trace.remove(trace, slot.0 | UNDER_WAY);
        Some(request)
    }

    /// Remembers something decided; its key is not known.
    pub(super) fn remember(&mut self, entry: Entry) {
        let slot = self.window.push(entry);
        self.enter_key(&entry.key, slot);
        if let What::Transaction(decided) = &entry.what
            && let Some((asked_of, trace)) = &decided.silent
        {
            self.enter_trace(*asked_of, trace, slot);
        }
        self.drop_surplus();
    }

    /// Changes what is remembered of a transaction.
    pub(super) fn change(&mut self, place: Place, change: impl FnOnce(&mut Decided)) {
        if let Some(Entry {
            what: What::Transaction(decided),
            ..
        }) = self.window.entry_mut(place.0)
        {
            change(decided);
        }
    }

    /// The late answer to a silent ask has come; there is no other.
    pub(super) fn answered_late(&mut self, place: Place, asked_of: ParticipantId, trace: &Trace) {
        let hash = trace_hash(self.seed, asked_of, trace);
        self.by_trace.remove(hash, place.0);
        self.change(place, |decided| decided.silent = None);
    }

    /// Whether a message of this sender with this DE7 may have been remembered once and dropped since.
    #[inline]
    pub(super) fn may_have_dropped(&self, sender: ParticipantId, transmitted: Time) -> bool {
        self.window.may_have_dropped(sender, transmitted)
    }

    pub(super) fn first_due(&self) -> Option<(Time, Position, Slot)> {
        let (time, position, slot) = self.deadlines.first()?;
        Some((time, position, Slot(slot)))
    }

    /// Every request under way, in the order of their records.
    pub(super) fn in_order(&self) -> Vec<(Slot, &InFlight)> {
        let mut all: Vec<_> = self.under_way.iter().collect();
        all.sort_unstable_by_key(|(_, request)| request.submitted);
        all.into_iter()
            .map(|(slot, request)| (Slot(slot), request))
            .collect()
    }

    /// A process opened the log: nobody stands in for what is under way.
    pub(super) fn restarted(&mut self, slot: Slot) {
        if let Some(request) = self.under_way.get_mut(slot.0) {
            request.restarted = true;
        }
    }

    pub(super) fn under_way(&self) -> usize {
        self.under_way.len()
    }

    pub(super) fn remembered(&self) -> usize {
        self.window.len()
    }

    pub(super) fn set_entries_max(&mut self, entries_max: u32) {
        self.window.set_entries_max(entries_max);
    }

    /// Brings near what a look-up of this key will read; the value means nothing.
    pub(super) fn touch_key(&self, key: &CardKey) -> u64 {
        u64::from(self.by_key.touch(table::hash(self.seed, key.0)))
    }

    pub(super) fn touch_trace(&self, asked_of: ParticipantId, trace: &Trace) -> u64 {
        u64::from(self.by_trace.touch(trace_hash(self.seed, asked_of, trace)))
    }

    fn found(&self, slot: u32) -> Option<Found> {
        if slot & UNDER_WAY != 0 {
            return Some(Found::UnderWay(Slot(slot & !UNDER_WAY)));
        }
        let entry = self.window.entry(slot)?;
        Some(Found::Decided(Place(slot), *entry))
    }

    #[inline]
    fn key_of(&self, slot: u32) -> Option<&CardKey> {
        key_of(&self.under_way, &self.window, slot)
    }

    #[inline]
    fn trace_of(&self, slot: u32) -> Option<(ParticipantId, Trace)> {
        trace_of(&self.under_way, &self.window, slot)
    }

    fn enter_key(&mut self, key: &CardKey, slot: u32) {
        let (seed, under_way, window) = (self.seed, &self.under_way, &self.window);
        self.by_key.insert(table::hash(seed, key.0), slot, |slot| {
            key_of(under_way, window, slot).map_or(0, |key| table::hash(seed, key.0))
        });
    }

    fn enter_trace(&mut self, asked_of: ParticipantId, trace: &Trace, slot: u32) {
        let (seed, under_way, window) = (self.seed, &self.under_way, &self.window);
        let hash = trace_hash(seed, asked_of, trace);
        self.by_trace.insert(hash, slot, |slot| {
            trace_of(under_way, window, slot)
                .map_or(0, |(asked_of, trace)| trace_hash(seed, asked_of, &trace))
        });
    }

    fn drop_surplus(&mut self) {
        for _ in 0..DROPS_MAX.min(self.window.surplus()) {
            let Some((slot, dropped)) = self.window.drop_oldest() else {
                break;
            };
            self.by_key
                .remove(table::hash(self.seed, dropped.key.0), slot);
            if let What::Transaction(decided) = &dropped.what
                && let Some((asked_of, trace)) = &decided.silent
            {
                self.by_trace
                    .remove(trace_hash(self.seed, *asked_of, trace), slot);
            }
        }
    }
}

/// Snapshot: the requests under way, then, in pieces, the window.
impl Transactions {
    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        let requests = self.in_order();
        writer.u32(u32::try_from(requests.len()).unwrap_or(u32::MAX));
        for (_, request) in requests {
            request.write(writer);
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>, seed: u64) -> Result<Transactions, FactsError> {
        let mut transactions = Transactions::new(0, seed);
        for _ in 0..reader.u32("card requests under way")? {
            let offset = reader.offset();
            let request = InFlight::read(reader)?;
            let known = transactions.find(&request.transaction.key).is_some()
                || transactions
                    .find_trace(request.asked_of, &request.trace)
                    .is_some();
            if known || request.stage == Stage::New {
                return Err(reader.error("key", offset, LayoutRule::Value));
            }
            transactions.admit(request);
        }
        Ok(transactions)
    }

    pub(super) fn write_window(&self, scratch: &mut Vec<u8>, piece: &mut dyn FnMut(&[u8])) {
        self.window.write(scratch, piece);
    }

    pub(super) fn read_window(&mut self, reader: &mut Reader<'_>) -> Result<(), FactsError> {
        self.window = Window::read(reader)?;
        Ok(())
    }

    pub(super) fn read_entries(&mut self, reader: &mut Reader<'_>) -> Result<(), FactsError> {
        while reader.remaining() > 0 {
            let offset = reader.offset();
            let entry: Entry = reader.field("card window entry")?;
            if self.find(&entry.key).is_some() {
                return Err(reader.error("key", offset, LayoutRule::Value));
            }
            let slot = self.window.push(entry);
            self.enter_key(&entry.key, slot);
            if let What::Transaction(decided) = &entry.what
                && let Some((asked_of, trace)) = &decided.silent
            {
                self.enter_trace(*asked_of, trace, slot);
            }
        }
        Ok(())
    }
}

#[inline]
fn key_of<'a>(under_way: &'a Slab<InFlight>, window: &'a Window, slot: u32) -> Option<&'a CardKey> {
    if slot & UNDER_WAY != 0 {
        let request = under_way.get(slot & !UNDER_WAY)?;
        Some(&request.transaction.key)
    } else {
        window.entry(slot).map(|entry| &entry.key)
    }
}

#[inline]
fn trace_of(
    under_way: &Slab<InFlight>,
    window: &Window,
    slot: u32,
) -> Option<(ParticipantId, Trace)> {
    if slot & UNDER_WAY != 0 {
        let request = under_way.get(slot & !UNDER_WAY)?;
        return Some((request.asked_of, request.trace));
    }
    match &window.entry(slot)?.what {
        What::Transaction(decided) => decided.silent,
        What::Reversal { .. } | What::Blocked => None,
    }
}

fn trace_hash(seed: u64, asked_of: ParticipantId, trace: &Trace) -> u64 {
    let number = u128::from(asked_of.0) << 64
        | u128::from(trace.transmitted.value()) << 32
        | u128::from(trace.stan.value());
    table::hash(seed, number.to_le_bytes())
}
