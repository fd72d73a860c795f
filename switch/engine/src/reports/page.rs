//! Pages of a statement, as they stand in the log and in messages.

use crate::participants::Direction;

use super::Entry;

/// How many entries, and what they come to in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    pub debits: u64,
    pub debited: u128,
    pub credits: u64,
    pub credited: u128,
}

/// A page of a statement: its entries, and what stood before them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// From 1.
    pub number: u32,
    pub is_last: bool,
    /// Before its first entry, in minor units.
    pub before: i128,
    /// The number of its first entry on the account and day.
    pub first: u64,
    pub entries: Vec<Entry>,
    /// Of all entries of the statement up to its end.
    pub so_far: Sums,
}

/// An entry with its place on the statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// From 1 on the account and day.
    pub number: u64,
    pub entry: Entry,
    /// After it, in minor units.
    pub balance: i128,
}

impl Sums {
    /// Counts an entry.
    pub fn add(&mut self, entry: &Entry) {
        let amount = u128::from(entry.amount.minor());
        match entry.direction {
            Direction::In => {
                self.credits = self.credits.saturating_add(1);
                self.credited = self.credited.saturating_add(amount);
            }
            Direction::Out => {
                self.debits = self.debits.saturating_add(1);
                self.debited = self.debited.saturating_add(amount);
            }
        }
    }

    /// All entries.
    pub const fn entries(&self) -> u64 {
        self.debits.saturating_add(self.credits)
    }
}

impl Page {
    /// Its entries with their numbers and the balance after each.
    pub fn lines(&self) -> impl Iterator<Item = Line> + '_ {
        let mut balance = self.before;
        self.entries.iter().enumerate().map(move |(place, entry)| {
            balance = balance.saturating_add(entry.signed());
            let place = u64::try_from(place).unwrap_or(u64::MAX);
            Line {
                // A bank may ask from any number on.
                number: self.first.saturating_add(place),
                entry: *entry,
                balance,
            }
        })
    }

    /// After its last entry, in minor units.
    pub fn after(&self) -> i128 {
        let entries = self.entries.iter();
        entries.fold(self.before, |balance, entry| {
            balance.saturating_add(entry.signed())
        })
    }

    /// Of its own entries.
    pub fn sums(&self) -> Sums {
        let mut sums = Sums::default();
        for entry in &self.entries {
            sums.add(entry);
        }
        sums
    }
}
