//! What a run of records brings for the index: a buffer that the follower fills and reuses.

use std::ops::Range;

use torap_domain::Position;
use torap_engine::{Command, Effect, Event, Outbound, Stamp, cards};

use crate::{
    cards::{CardOf, CardRows},
    naming::{IdentifierHash, Naming, namings},
};

/// Events and outbound entries of some records, in log order.
#[derive(Debug, Default)]
pub struct Changes {
    entries: Vec<Entry>,
    events: Vec<Event>,
    outbound: Vec<Outbound>,
    namings: Vec<Naming>,
    /// What records did to card transactions, with the place of its steps in `card_bytes`.
    cards: Vec<(CardOf, Range<usize>)>,
    card_bytes: Vec<u8>,
    card_rows: CardRows,
    rows: usize,
}

/// What one record brings.
pub(crate) struct Brought<'a> {
    pub(crate) position: Position,
    pub(crate) events: &'a [Event],
    pub(crate) outbound: &'a [Outbound],
    pub(crate) namings: &'a [Naming],
    pub(crate) cards: &'a [(CardOf, Range<usize>)],
    /// What the ranges of `cards` are of.
    pub(crate) card_bytes: &'a [u8],
}

/// One record's part of a [`Changes`].
#[derive(Debug)]
struct Entry {
    position: Position,
    events: Range<usize>,
    outbound: Range<usize>,
    namings: Range<usize>,
    cards: Range<usize>,
}

impl Changes {
    /// An empty buffer.
    pub fn new() -> Changes {
        Changes::default()
    }

    /// Adds one record: what its command names, its events, which are taken out of `events`, and the outbound part of its
    /// effects. Records must come in log order; a record without anything for the index takes no room.
    pub fn push(
        &mut self,
        stamp: Stamp,
        command: &Command,
        events: &mut Vec<Event>,
        effects: &[Effect],
    ) {
        self.push_with_cards(stamp, command, events, effects, &[]);
    }

    /// As [`Changes::push`], of a record that may have brought messages of the card rail too.
    pub fn push_with_cards(
        &mut self,
        stamp: Stamp,
        command: &Command,
        events: &mut Vec<Event>,
        effects: &[Effect],
        cards: &[cards::Effect],
    ) {
        debug_assert!(
            self.entries
                .last()
                .is_none_or(|last| last.position < stamp.position),
            "records in log order"
        );
        let (first_event, first_outbound) = (self.events.len(), self.outbound.len());
        let (first_naming, first_card) = (self.namings.len(), self.cards.len());
        namings(stamp.position, command, events, &mut self.namings);
        self.gather_cards(stamp, command, events, cards);
        self.events
            .extend(events.drain(..).filter(|event| rows(event) > 0));
        self.outbound
            .extend(effects.iter().map(|effect| effect.outbound));
        self.rows += self
            .events
            .iter()
            .skip(first_event)
            .map(rows)
            .sum::<usize>()
            + effects.len()
            + (self.namings.len() - first_naming)
            + (self.cards.len() - first_card);
        let brings_rows = self.events.len() > first_event
            || self.outbound.len() > first_outbound
            || self.namings.len() > first_naming
            || self.cards.len() > first_card;
        if brings_rows {
            self.entries.push(Entry {
                position: stamp.position,
                events: first_event..self.events.len(),
                outbound: first_outbound..self.outbound.len(),
                namings: first_naming..self.namings.len(),
                cards: first_card..self.cards.len(),
            });
        }
    }

    fn gather_cards(
        &mut self,
        stamp: Stamp,
        command: &Command,
        events: &[Event],
        effects: &[cards::Effect],
    ) {
        let rows = &mut self.card_rows;
        rows.gather(stamp.position, command, events, effects);
        let names = rows.names.iter();
        let names = names.map(|(text, position)| Naming::Card(IdentifierHash::of(text), *position));
        self.namings.extend(names);
        let (cards, bytes) = (&mut self.cards, &mut self.card_bytes);
        rows.each(|of, steps| {
            let first = bytes.len();
            bytes.extend_from_slice(steps);
            cards.push((of, first..bytes.len()));
        });
    }

    /// How many records brought something.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many rows the records bring, about: what decides the size of a write.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Whether there is nothing to apply.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Empties the buffer and keeps its memory.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.events.clear();
        self.outbound.clear();
        self.namings.clear();
        self.cards.clear();
        self.card_bytes.clear();
        self.rows = 0;
    }

    /// Position of the last record that brought something; zero for none.
    pub(crate) fn last(&self) -> Position {
        self.entries
            .last()
            .map_or(Position::ZERO, |entry| entry.position)
    }

    /// The records, with what they bring.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Brought<'_>> {
        self.entries.iter().map(|entry| {
            let events = self.events.get(entry.events.clone()).unwrap_or_default();
            let outbound = self
                .outbound
                .get(entry.outbound.clone())
                .unwrap_or_default();
            Brought {
                position: entry.position,
                events,
                outbound,
                namings: self.namings.get(entry.namings.clone()).unwrap_or_default(),
                cards: self.cards.get(entry.cards.clone()).unwrap_or_default(),
                card_bytes: &self.card_bytes,
            }
        })
    }

    /// Whether a record changes a payment, which an earlier record of this buffer may have written.
    #[cfg(feature = "rocksdb")]
    pub(crate) fn has_returns(&self) -> bool {
        self.events
            .iter()
            .any(|event| matches!(event, Event::PaymentReturned { .. }))
    }
}

/// How many rows the index keeps of an event.
fn rows(event: &Event) -> usize {
    match event {
        // By key, by UETR, and in the lists of both sides.
        Event::PaymentFinished(_) | Event::ReturnFinished(_) => 4,
        Event::PaymentReturned { .. } | Event::DirectoryChanged(_) => 1,
        Event::DirectoryImported { entries, .. } => entries.len().max(1),
        Event::PaymentReserved { .. }
        | Event::ParticipantChanged(_)
        | Event::LinkChanged { .. }
        | Event::PositionChanged { .. }
        | Event::LateAnswer { .. }
        | Event::Refused { .. }
        | Event::Card(_)
        | Event::Settlement(_)
        | Event::Clearing(_)
        | Event::Ancillary(_)
        | Event::Dispute(_) => 0,
    }
}
