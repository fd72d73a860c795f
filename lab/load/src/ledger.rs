//! A bank's payments: when each was due, and how it came out.

use std::collections::VecDeque;

use crate::limits::DECIDED_KEPT;

/// A final answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Final {
    Settled,
    Rejected,
}

/// What a final answer meant for the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// The payment is decided now; it was due at this time.
    First { due_ns: u64 },
    /// The same answer has come before, or the payment was decided too long ago to know.
    Again,
    /// The two sides of the payment, or two answers to one side, do not agree.
    Contradiction,
    /// No such payment was sent.
    Never,
}

/// The payments of one bank, numbered from 0 in the order in which they were sent.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Number of the first entry; everything before it is decided.
    first: u64,
    entries: VecDeque<Entry>,
    open: u64,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    due_ns: u64,
    payer_told: Option<Final>,
    payee_told: Option<Final>,
}

impl Ledger {
    /// Number that the next payment will have.
    pub(crate) fn next(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    /// Payments without a final answer.
    pub(crate) fn open(&self) -> u64 {
        self.open
    }

    /// The next payment was sent.
    pub(crate) fn sent(&mut self, due_ns: u64) {
        self.entries.push_back(Entry {
            due_ns,
            payer_told: None,
            payee_told: None,
        });
        self.open += 1;
    }

    /// The payer's bank got a final answer.
    pub(crate) fn tell_payer(&mut self, number: u64, outcome: Final) -> Told {
        let told = self.tell(number, outcome, |entry| &mut entry.payer_told);
        if let Told::First { .. } = told {
            self.open -= 1;
            self.forget();
        }
        told
    }

    /// The payee's bank got a final answer.
    pub(crate) fn tell_payee(&mut self, number: u64, outcome: Final) -> Told {
        self.tell(number, outcome, |entry| &mut entry.payee_told)
    }

    fn tell(
        &mut self,
        number: u64,
        outcome: Final,
        side: impl Fn(&mut Entry) -> &mut Option<Final>,
    ) -> Told {
        let Some(place) = number.checked_sub(self.first) else {
            return Told::Again;
        };
        let entry = usize::try_from(place)
            .ok()
            .and_then(|place| self.entries.get_mut(place));
        let Some(entry) = entry else {
            return Told::Never;
        };
        if [entry.payer_told, entry.payee_told]
            .into_iter()
            .flatten()
            .any(|told| told != outcome)
        {
            return Told::Contradiction;
        }
        let due_ns = entry.due_ns;
        match side(entry).replace(outcome) {
            None => Told::First { due_ns },
            Some(_) => Told::Again,
        }
    }

    fn forget(&mut self) {
        while self.entries.len() > DECIDED_KEPT
            && self
                .entries
                .front()
                .is_some_and(|entry| entry.payer_told.is_some())
        {
            self.entries.pop_front();
            self.first += 1;
        }
    }
}
