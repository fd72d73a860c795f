//! A member's transactions as acquirer: when each was due, whether its issuer was asked, and how it came out.

use std::collections::VecDeque;

use crate::limits::DECIDED_KEPT;

/// What an answer meant for the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// The transaction is decided now; it was due at this time.
    First { due_ns: u64, was_asked: bool },
    /// It was decided before: an answer comes once.
    Again,
    /// No such transaction was sent.
    Never,
}

/// Transactions, numbered from 0 in the order in which they were sent.
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
    was_asked: bool,
    is_told: bool,
}

impl Ledger {
    /// Number that the next transaction will have.
    pub(crate) fn next(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    /// Transactions without an answer.
    pub(crate) fn open(&self) -> u64 {
        self.open
    }

    /// The next transaction was sent.
    pub(crate) fn sent(&mut self, due_ns: u64) {
        self.entries.push_back(Entry {
            due_ns,
            was_asked: false,
            is_told: false,
        });
        self.open += 1;
    }

    /// The issuer was asked; `false` if it was before, or nothing was sent.
    pub(crate) fn ask(&mut self, number: u64) -> bool {
        self.entry(number)
            .is_some_and(|entry| !std::mem::replace(&mut entry.was_asked, true))
    }

    /// The acquirer got an answer.
    pub(crate) fn tell(&mut self, number: u64) -> Told {
        if number < self.first {
            return Told::Again;
        }
        let Some(entry) = self.entry(number) else {
            return Told::Never;
        };
        if std::mem::replace(&mut entry.is_told, true) {
            return Told::Again;
        }
        let Entry {
            due_ns, was_asked, ..
        } = *entry;
        self.open -= 1;
        self.forget();
        Told::First { due_ns, was_asked }
    }

    fn entry(&mut self, number: u64) -> Option<&mut Entry> {
        let place = number.checked_sub(self.first)?;
        self.entries.get_mut(usize::try_from(place).ok()?)
    }

    fn forget(&mut self) {
        while self.entries.len() > DECIDED_KEPT
            && self.entries.front().is_some_and(|entry| entry.is_told)
        {
            self.entries.pop_front();
            self.first += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asked_once_and_told_once() {
        let mut ledger = Ledger::default();
        ledger.sent(10);
        assert_eq!(ledger.next(), 1);
        assert!(ledger.ask(0));
        assert!(!ledger.ask(0));
        assert!(!ledger.ask(1));
        let first = Told::First {
            due_ns: 10,
            was_asked: true,
        };
        assert_eq!(ledger.tell(0), first);
        assert_eq!(ledger.tell(0), Told::Again);
        assert_eq!(ledger.tell(1), Told::Never);
        assert_eq!(ledger.open(), 0);
    }

    #[test]
    fn what_was_decided_long_ago_is_forgotten() {
        let mut ledger = Ledger::default();
        for number in 0..DECIDED_KEPT as u64 + 10 {
            ledger.sent(number);
            ledger.tell(number);
        }
        assert_eq!(ledger.entries.len(), DECIDED_KEPT);
        assert_eq!(ledger.tell(0), Told::Again);
        assert_eq!(ledger.next(), DECIDED_KEPT as u64 + 10);
    }
}
