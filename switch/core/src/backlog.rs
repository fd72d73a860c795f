//! What has been applied and waits for its record to be durable.

use std::{collections::VecDeque, ops::Range};

use bytes::Bytes;
use torap_domain::Position;
use torap_engine::{Command, Effect, Outcome, Stamp, participants};

use crate::{
    Intake,
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
    /// What goes out to participants because of the record, in order.
    pub effects: &'a [Effect],
    /// Participants that changed, signed on or off with this record, as they stand after it.
    pub views: &'a [participants::View],
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
    views: Vec<participants::View>,
}

#[derive(Debug)]
struct Entry {
    stamp: Stamp,
    intake: Intake,
    outcome: Outcome,
    effects: Range<usize>,
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
        outcome: Outcome,
        effects: &[Effect],
        views: impl IntoIterator<Item = participants::View>,
    ) {
        let Some(run) = self.runs.back_mut() else {
            return;
        };
        let (first_effect, first_view) = (run.effects.len(), run.views.len());
        run.effects.extend_from_slice(effects);
        run.views.extend(views);
        let entry = Entry {
            stamp,
            intake,
            outcome,
            effects: first_effect..run.effects.len(),
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
        self.views.clear();
    }
}

impl Entry {
    fn bytes(&self) -> usize {
        self.intake
            .evidence
            .len()
            .saturating_add(self.effects.len().saturating_mul(size_of::<Effect>()))
    }
}
