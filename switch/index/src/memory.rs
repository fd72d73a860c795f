//! The obvious index: ordered maps in memory. The model that the index on disk is held against, and the index of simulations.
//! It bounds nothing, and survives nothing but a simulated crash.

use std::collections::{BTreeMap, BTreeSet};

use parking_lot::RwLock;
use torap_domain::{ParticipantId, Phone, Position, Sequence, Time, Uetr};
use torap_engine::{
    Outbound,
    directory::Record,
    instant::{Finished, PaymentKey},
};

use crate::{
    Added, AsOf, CardName, CardOf, CardRecord, Changes, Counts, Index, IndexError, PAGE_MAX, Page,
    Place, cards,
    naming::IdentifierHash,
    projection::{Tables, project},
};

/// An index in memory.
#[derive(Debug, Default)]
pub struct MemoryIndex {
    maps: RwLock<Maps>,
    /// As they were at the last flush.
    flushed: RwLock<Maps>,
}

#[derive(Clone, Debug, Default)]
struct Maps {
    /// Log position of the last record applied.
    applied: u64,
    counts: Counts,
    finished: BTreeMap<PaymentKey, Finished>,
    uetrs: BTreeMap<Uetr, PaymentKey>,
    returns: BTreeSet<(Uetr, Place)>,
    history: BTreeSet<(ParticipantId, Place)>,
    outbound: BTreeMap<(ParticipantId, Sequence), Outbound>,
    identifiers: BTreeSet<(IdentifierHash, Position)>,
    concerning: BTreeSet<(Uetr, Position)>,
    cards: BTreeMap<(CardOf, Position), Vec<u8>>,
    aliases: BTreeMap<Phone, Record>,
}

impl MemoryIndex {
    /// An empty index.
    pub fn new() -> MemoryIndex {
        MemoryIndex::default()
    }

    /// Loses the power and comes back: everything since the last flush is gone.
    pub fn crash(&self) {
        *self.maps.write() = self.flushed.read().clone();
    }
}

impl Index for MemoryIndex {
    fn applied_upto(&self) -> Position {
        Position(self.maps.read().applied)
    }

    fn apply(&self, changes: &Changes, upto: Position) -> Result<Added, IndexError> {
        let mut maps = self.maps.write();
        let applied = Position(maps.applied);
        let added = project(changes, applied, &mut *maps)?;
        maps.applied = applied.max(upto).max(changes.last()).value();
        Ok(added)
    }

    fn flush(&self) -> Result<Position, IndexError> {
        let maps = self.maps.read().clone();
        let applied = Position(maps.applied);
        *self.flushed.write() = maps;
        Ok(applied)
    }

    fn caught_up(&self) -> Result<(), IndexError> {
        Ok(())
    }

    fn payment_by_key(&self, key: &PaymentKey) -> Result<AsOf<Option<Finished>>, IndexError> {
        let maps = self.maps.read();
        Ok(AsOf {
            as_of: Position(maps.applied),
            value: maps.finished.get(key).copied(),
        })
    }

    fn payment_by_uetr(&self, uetr: &Uetr) -> Result<AsOf<Option<Finished>>, IndexError> {
        let maps = self.maps.read();
        let value = maps
            .uetrs
            .get(uetr)
            .and_then(|key| maps.finished.get(key))
            .copied();
        Ok(AsOf {
            as_of: Position(maps.applied),
            value,
        })
    }

    fn returns_of(&self, uetr: &Uetr, max: usize) -> Result<Vec<Finished>, IndexError> {
        let maps = self.maps.read();
        let places = maps.returns.range((*uetr, FIRST)..=(*uetr, LAST));
        Ok(places
            .take(max.min(PAGE_MAX))
            .filter_map(|(_, place)| maps.finished.get(&place.key))
            .copied()
            .collect())
    }

    fn outbound(
        &self,
        to: ParticipantId,
        sequence: Sequence,
    ) -> Result<Option<Outbound>, IndexError> {
        Ok(self.maps.read().outbound.get(&(to, sequence)).copied())
    }

    fn outbound_range(
        &self,
        to: ParticipantId,
        from: Sequence,
        max: usize,
        out: &mut Vec<Outbound>,
    ) -> Result<(), IndexError> {
        let maps = self.maps.read();
        let entries = maps.outbound.range((to, from)..=(to, Sequence(u64::MAX)));
        out.extend(entries.take(max.min(PAGE_MAX)).map(|(_, entry)| *entry));
        Ok(())
    }

    fn outbound_last(&self, to: ParticipantId) -> Result<Sequence, IndexError> {
        let maps = self.maps.read();
        let last = maps
            .outbound
            .range((to, Sequence::ZERO)..=(to, Sequence(u64::MAX)))
            .next_back();
        Ok(last.map_or(Sequence::ZERO, |((_, sequence), _)| *sequence))
    }

    fn alias(&self, phone: Phone) -> Result<AsOf<Option<Record>>, IndexError> {
        let maps = self.maps.read();
        Ok(AsOf {
            as_of: Position(maps.applied),
            value: maps.aliases.get(&phone).cloned(),
        })
    }

    fn payments_of(
        &self,
        participant: ParticipantId,
        from: Time,
        until: Time,
        after: Option<Place>,
        max: usize,
    ) -> Result<Page, IndexError> {
        let maps = self.maps.read();
        let start = Place {
            decided_at: from,
            ..FIRST
        };
        let mut page = Page {
            payments: Vec::new(),
            next: None,
        };
        for (_, place) in maps
            .history
            .range((participant, start)..=(participant, LAST))
        {
            if place.decided_at >= until {
                break;
            }
            if after.is_some_and(|after| *place <= after) {
                continue;
            }
            if page.payments.len() == max.min(PAGE_MAX) {
                page.next = page.payments.last().map(Place::of);
                break;
            }
            page.payments.extend(maps.finished.get(&place.key));
        }
        Ok(page)
    }

    fn records_of(&self, uetr: &Uetr, max: usize) -> Result<Vec<Position>, IndexError> {
        let maps = self.maps.read();
        let rows = maps
            .concerning
            .range((*uetr, Position::ZERO)..=(*uetr, Position(u64::MAX)));
        Ok(rows
            .take(max.min(PAGE_MAX))
            .map(|(_, position)| *position)
            .collect())
    }

    fn identified(&self, identifier: &str, max: usize) -> Result<Vec<Position>, IndexError> {
        let hash = IdentifierHash::of(identifier);
        let maps = self.maps.read();
        let rows = maps
            .identifiers
            .range((hash, Position::ZERO)..=(hash, Position(u64::MAX)));
        Ok(rows
            .take(max.min(PAGE_MAX))
            .map(|(_, position)| *position)
            .collect())
    }

    fn card_named(&self, name: &CardName<'_>, max: usize) -> Result<Vec<Position>, IndexError> {
        self.identified(&name.text(), max)
    }

    fn card_records(&self, of: CardOf, max: usize) -> Result<Vec<CardRecord>, IndexError> {
        let maps = self.maps.read();
        let rows = maps
            .cards
            .range((of, Position::ZERO)..=(of, Position(u64::MAX)));
        rows.take(max.min(PAGE_MAX))
            .map(|((_, position), steps)| {
                Ok(CardRecord {
                    position: *position,
                    steps: cards::read(steps).map_err(IndexError::CardSteps)?,
                })
            })
            .collect()
    }

    fn counts(&self) -> Counts {
        self.maps.read().counts
    }
}

const FIRST: Place = Place {
    decided_at: Time::EPOCH,
    key: PaymentKey([0; 16]),
};
const LAST: Place = Place {
    decided_at: Time::MAX,
    key: PaymentKey([0xff; 16]),
};

impl Tables for Maps {
    fn finished(&self, key: &PaymentKey) -> Result<Option<Finished>, IndexError> {
        Ok(self.finished.get(key).copied())
    }

    fn put_finished(&mut self, finished: &Finished) {
        self.finished.insert(finished.key, *finished);
    }

    fn put_uetr(&mut self, payment: &Finished) {
        self.uetrs.insert(payment.uetr, payment.key);
    }

    fn put_return(&mut self, payment_return: &Finished) {
        self.returns
            .insert((payment_return.uetr, Place::of(payment_return)));
    }

    fn put_history(&mut self, participant: ParticipantId, finished: &Finished) {
        self.history.insert((participant, Place::of(finished)));
    }

    fn put_outbound(&mut self, outbound: &Outbound) {
        self.outbound
            .insert((outbound.to, outbound.sequence), *outbound);
    }

    fn put_identifier(&mut self, identifier: IdentifierHash, position: Position) {
        self.identifiers.insert((identifier, position));
    }

    fn put_concerning(&mut self, uetr: &Uetr, position: Position) {
        self.concerning.insert((*uetr, position));
    }

    fn put_card(&mut self, of: CardOf, position: Position, steps: &[u8]) {
        self.cards.insert((of, position), steps.to_vec());
    }

    fn held(&self, phones: &[Phone], held: &mut Vec<bool>) -> Result<(), IndexError> {
        held.extend(phones.iter().map(|phone| self.aliases.contains_key(phone)));
        Ok(())
    }

    fn put_alias(&mut self, record: &Record) {
        self.aliases.insert(record.phone, record.clone());
    }

    fn remove_alias(&mut self, phone: Phone) {
        self.aliases.remove(&phone);
    }

    fn counts(&mut self) -> &mut Counts {
        &mut self.counts
    }
}

#[cfg(test)]
mod tests;
