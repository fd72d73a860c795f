//! What one command did: events for those who follow the log, effects for participants, and the outcome for the submitter.

use crate::{Effect, Event, Outcome, Stamp, ancillary, cards, digest::RunningDigest, settlement};

/// Filled by [`crate::Engine::apply`]; cleared and used again by the core, so that the steady state allocates nothing.
#[derive(Debug)]
pub struct Output {
    /// In the order they happened.
    pub events: Vec<Event>,
    /// In the order of their sequences within each stream.
    pub effects: Vec<Effect>,
    /// Messages of the card rail, in the order they happened.
    pub cards: Vec<cards::Effect>,
    /// What the submitter is told.
    pub outcome: Outcome,
}

impl Output {
    /// An empty output.
    pub fn new() -> Output {
        Output {
            events: Vec::new(),
            effects: Vec::new(),
            cards: Vec::new(),
            outcome: Outcome::Accepted,
        }
    }

    /// Forgets everything, keeps the memory.
    pub fn clear(&mut self) {
        self.events.clear();
        self.effects.clear();
        self.cards.clear();
        self.outcome = Outcome::Accepted;
    }

    /// Folds what the command did into the digest over everything applied so far.
    pub fn digest_into(&self, stamp: Stamp, digest: &mut RunningDigest) {
        digest.fold_output(stamp, self);
    }

    pub(crate) fn event(&mut self, event: Event) {
        self.events.push(event);
    }

    pub(crate) fn card_event(&mut self, event: cards::Event) {
        self.events.push(Event::Card(event));
    }

    pub(crate) fn settlement_event(&mut self, event: settlement::Event) {
        self.events.push(Event::Settlement(event));
    }

    pub(crate) fn ancillary_event(&mut self, event: ancillary::Event) {
        self.events.push(Event::Ancillary(event));
    }
}

impl Default for Output {
    fn default() -> Output {
        Output::new()
    }
}
