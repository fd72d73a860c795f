//! Messages to the switch, numbered, and kept until the switch holds them durably.

use std::collections::VecDeque;

use torap_domain::Sequence;
use torap_gateway::wire::ContentType;

/// One message to the switch.
#[derive(Clone, Debug)]
pub struct Letter {
    pub content_type: ContentType,
    pub body: Vec<u8>,
}

#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    letters: VecDeque<Letter>,
    /// The newest letter, acknowledged or not.
    last: Option<Letter>,
    /// Sequence of the first letter; known from the first sign-on.
    first: Option<u64>,
}

impl Outgoing {
    pub(crate) fn push(&mut self, letter: Letter) {
        self.last = Some(letter.clone());
        self.letters.push_back(letter);
    }

    /// Takes back the newest letter; only what has not been sent yet may be taken back.
    pub(crate) fn take_back(&mut self) -> Option<Letter> {
        self.letters.pop_back()
    }

    /// The newest letter, even if the switch holds it already.
    pub(crate) fn last(&self) -> Option<&Letter> {
        self.last.as_ref()
    }

    /// The switch says what it holds: everything up to there may go, the rest is sent (again).
    pub(crate) fn signed_on(&mut self, held_by_switch: Sequence) {
        match self.first {
            None => self.first = Some(held_by_switch.value() + 1),
            Some(_) => self.acknowledged(held_by_switch),
        }
    }

    pub(crate) fn acknowledged(&mut self, upto: Sequence) {
        let Some(first) = self.first.as_mut() else {
            return;
        };
        while *first <= upto.value() && self.letters.pop_front().is_some() {
            *first += 1;
        }
    }

    pub(crate) fn get(&self, sequence: Sequence) -> Option<&Letter> {
        let place = sequence.value().checked_sub(self.first?)?;
        self.letters.get(usize::try_from(place).ok()?)
    }

    pub(crate) fn len(&self) -> usize {
        self.letters.len()
    }
}
