//! What has been applied and waits for its record to be durable.

use std::{collections::VecDeque, ops::Range, sync::Arc};

use bytes::Bytes;
use torap_domain::Position;
use torap_engine::{Command, Effect, Event, Outcome, Output, Stamp, cards, participants};

use crate::{
    Intake, Secrets,
    limits::{SPARE_EFFECTS_MAX, SPARE_RUNS_MAX},
};

/// One record's result, free to leave the switch: its record is durable.
#[derive(Clone, Copy, Debug)]
pub struct Released<'a> {
    /// Position and time of the record.
    pub stamp: Stamp,
    /// The submitter's own number; `None` for what the core submitted itself.
    pub ticket: Option<u64>,
    /// What the submitter is told.
    pub outcome: Outcome,
    /// The facts of the record.
    pub command: &'a Command,
    /// The original message; empty if there was none.
    pub evidence: &'a Bytes,
    /// What must not be written anywhere, if the record came by this process.
    pub secrets: &'a Secrets,
    /// What goes out to participants because of the record, in order.
    pub effects: &'a [Effect],
    /// Messages of the card rail because of the record, in order.
    pub cards: &'a [cards::Effect],
    /// What gateways must know of the card rail from this record on.
    pub published: &'a [Published],
    /// Participants that changed, signed on or off with this record, as they stand after it.
    pub views: &'a [participants::View],
}

/// A part of the card rail's state that gateways work with.
#[derive(Clone, Debug)]
pub enum Published {
    /// The BIN table that card numbers are looked up in.
    Bins(Arc<cards::BinTable>),
    /// A member's profile, connections or sign-on changed.
    Member(Box<cards::MemberView>),
}

/// Results in log order, kept in one run of buffers per step, which are used again.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    runs: VecDeque<Run>,
    spare: Vec<Run>,
    records: usize,
    bytes: usize,
}

/// The results of one step.
#[derive(Debug, Default)]
struct Run {
    entries: Vec<Entry>,
    /// How many of them have been released.
    released: usize,
    effects: Vec<Effect>,
    cards: Vec<cards::Effect>,
    published: Vec<Published>,
    views: Vec<participants::View>,
}

#[derive(Debug)]
struct Entry {
    stamp: Stamp,
    intake: Intake,
    outcome: Outcome,
    effects: Range<usize>,
    cards: Range<usize>,
    published: Range<usize>,
    views: Range<usize>,
}

impl Backlog {
    /// Records not yet released.
    pub(crate) fn records(&self) -> usize {
        self.records
    }

    /// Bytes of their originals and effects.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Everything pushed from here on belongs to a new step.
    pub(crate) fn start_run(&mut self) {
        if self.runs.back().is_none_or(|run| !run.entries.is_empty()) {
            self.runs.push_back(self.spare.pop().unwrap_or_default());
        }
    }

    /// Adds the result of the next record.
    pub(crate) fn push(
        &mut self,
        stamp: Stamp,
        intake: Intake,
        output: &Output,
        views: impl IntoIterator<Item = participants::View>,
    ) {
        let Some(run) = self.runs.back_mut() else {
            return;
        };
        let (first_effect, first_view) = (run.effects.len(), run.views.len());
        let (first_card, first_published) = (run.cards.len(), run.published.len());
        run.effects.extend_from_slice(&output.effects);
        run.cards.extend_from_slice(&output.cards);
        run.published
            .extend(output.events.iter().filter_map(published));
        run.views.extend(views);
        let entry = Entry {
            stamp,
            intake,
            outcome: output.outcome,
            effects: first_effect..run.effects.len(),
            cards: first_card..run.cards.len(),
            published: first_published..run.published.len(),
            views: first_view..run.views.len(),
        };
        self.records = self.records.saturating_add(1);
        self.bytes = self.bytes.saturating_add(entry.bytes());
        run.entries.push(entry);
    }

    /// The next result whose record is durable. What was released before is forgotten.
    pub(crate) fn release(&mut self, durable: Position) -> Option<Released<'_>> {
        while self
            .runs
            .front()
            .is_some_and(|run| run.released == run.entries.len())
        {
            let mut run = self.runs.pop_front()?;
            if self.spare.len() < SPARE_RUNS_MAX {
                run.clear();
                self.spare.push(run);
            }
        }
        let run = self.runs.front_mut()?;
        let entry = run
            .entries
            .get(run.released)
            .filter(|entry| entry.stamp.position <= durable)?;
        run.released = run.released.saturating_add(1);
        self.records = self.records.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(entry.bytes());
        Some(Released {
            stamp: entry.stamp,
            ticket: entry.intake.ticket,
            outcome: entry.outcome,
            command: &entry.intake.command,
            evidence: &entry.intake.evidence,
            secrets: &entry.intake.secrets,
            cards: run.cards.get(entry.cards.clone()).unwrap_or_default(),
            published: run
                .published
                .get(entry.published.clone())
                .unwrap_or_default(),
            effects: run.effects.get(entry.effects.clone()).unwrap_or_default(),
            views: run.views.get(entry.views.clone()).unwrap_or_default(),
        })
    }
}

impl Run {
    /// Empties the buffers and keeps the memory that an ordinary step needs.
    fn clear(&mut self) {
        self.entries.clear();
        self.released = 0;
        self.effects.clear();
        self.effects.shrink_to(SPARE_EFFECTS_MAX);
        self.cards.clear();
        self.cards.shrink_to(SPARE_EFFECTS_MAX);
        self.published.clear();
        self.views.clear();
    }
}

impl Entry {
    fn bytes(&self) -> usize {
        self.intake
            .bytes()
            .saturating_add(self.effects.len().saturating_mul(size_of::<Effect>()))
            .saturating_add(self.cards.len().saturating_mul(size_of::<cards::Effect>()))
    }
}

fn published(event: &Event) -> Option<Published> {
    match event {
        Event::Card(cards::Event::BinsChanged(table)) => Some(Published::Bins(table.clone())),
        Event::Card(cards::Event::MemberChanged(view)) => Some(Published::Member(view.clone())),
        _ => None,
    }
}
