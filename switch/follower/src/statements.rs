//! Statements of accounts, from the log: every entry of a stretch with the balance after it.
//!
//! Nothing of it is kept: the stretch is replayed, entries are handed over one by one, and memory does not grow with their number. After
//! every record the balances are the engine's own: what no event explains becomes an entry of kind `Other`, so that a statement is
//! never wrong by it.

use torap_domain::{Money, ParticipantId, Position, Text};
use torap_engine::{
    Engine, Event, Stamp,
    participants::Direction,
    reports::{Account, Entry, EntryKind, Line, Page, Sums},
};
use torap_journal::Reader;

use crate::{FollowerError, Rebuilt, Until, follow};

/// One account's statement as far as it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement {
    pub owner: ParticipantId,
    pub account: Account,
    /// In minor units.
    pub opening: i128,
    pub balance: i128,
    pub sums: Sums,
}

/// What a stretch of the log came to.
#[derive(Debug)]
pub struct Stated {
    /// In the order in which the accounts were given.
    pub statements: Vec<Statement>,
    /// The state after the last record of the stretch.
    pub end: Rebuilt,
    /// Whether the log goes on behind it: nothing can be added to the stretch any more.
    pub complete: bool,
}

impl Statement {
    /// Begins with what stands on the account now; nothing, if it is not open yet.
    pub fn new(engine: &Engine, owner: ParticipantId, account: Account) -> Statement {
        let opening = engine.account_balance(owner, account).unwrap_or(0);
        Statement {
            owner,
            account,
            opening,
            balance: opening,
            sums: Sums::default(),
        }
    }

    fn add(&mut self, entry: Entry) -> Line {
        self.sums.add(&entry);
        self.balance = self.balance.saturating_add(entry.signed());
        Line {
            number: self.sums.entries(),
            entry,
            balance: self.balance,
        }
    }
}

/// Cuts a statement into pages, of which it holds one.
#[derive(Clone, Debug)]
pub struct Pages {
    entries_max: usize,
    page: Page,
    balance: i128,
}

impl Pages {
    /// Of an account with this opening balance, with so many entries on each page but the last.
    pub fn new(opening: i128, entries_max: usize) -> Pages {
        Pages {
            entries_max: entries_max.max(1),
            page: Page {
                number: 1,
                is_last: false,
                before: opening,
                first: 1,
                entries: Vec::new(),
                so_far: Sums::default(),
            },
            balance: opening,
        }
    }

    /// Adds an entry; gives the page before it if that is full.
    pub fn add(&mut self, line: &Line) -> Option<Page> {
        let full = (self.page.entries.len() >= self.entries_max).then(|| self.turn());
        #[cfg(feature = "mutants")]
        if full.is_some() && crate::mutants::LOSE_ENTRY.load(std::sync::atomic::Ordering::Relaxed) {
            self.balance = line.balance;
            return full;
        }
        if self.page.entries.is_empty() {
            self.page.first = line.number;
        }
        self.page.entries.push(line.entry);
        self.page.so_far.add(&line.entry);
        self.balance = line.balance;
        full
    }

    /// The last page; the only one, without entries, if there were none.
    pub fn end(mut self) -> Page {
        self.page.is_last = true;
        self.page
    }

    fn turn(&mut self) -> Page {
        let next = Page {
            number: self.page.number.saturating_add(1),
            is_last: false,
            before: self.balance,
            first: 1,
            entries: Vec::with_capacity(self.entries_max),
            so_far: self.page.so_far,
        };
        std::mem::replace(&mut self.page, next)
    }
}

/// Counts what a record did; `engine` is the state after it. The account of an entry is given by its place in `statements`.
pub fn record(
    statements: &mut [Statement],
    engine: &Engine,
    stamp: Stamp,
    events: &[Event],
    each: &mut dyn FnMut(usize, &Line),
) {
    if !events.is_empty() {
        engine.entries(stamp, events, &mut |owner, account, entry| {
            for (place, statement) in statements.iter_mut().enumerate() {
                if statement.owner == owner && statement.account == account {
                    let line = statement.add(entry);
                    each(place, &line);
                }
            }
        });
    }
    for (place, statement) in statements.iter_mut().enumerate() {
        let balance = engine.account_balance(statement.owner, statement.account);
        let missing = balance.unwrap_or(0).saturating_sub(statement.balance);
        if missing != 0 {
            let line = statement.add(unexplained(stamp, statement.account, missing));
            each(place, &line);
        }
    }
}

/// What moved without an event that says so: nets that leave the card accounts, contributions that are paid back.
fn unexplained(stamp: Stamp, account: Account, missing: i128) -> Entry {
    let kind = match account {
        Account::Card => EntryKind::CardNet,
        Account::Guarantee => EntryKind::Recovery,
        Account::Settlement | Account::Position => EntryKind::Other,
    };
    let direction = if missing < 0 {
        Direction::Out
    } else {
        Direction::In
    };
    Entry {
        position: stamp.position,
        time: stamp.time,
        kind,
        counterparty: None,
        reference: Text::EMPTY,
        uetr: None,
        direction,
        amount: Money::kzt(u64::try_from(missing.unsigned_abs()).unwrap_or(u64::MAX)),
    }
}

/// Goes from a state that was rebuilt to a later moment and hands over every entry of the accounts on the way, in the order of the log;
/// `each` gets the account by its place in the list.
pub fn state(
    log: &Reader,
    from: Rebuilt,
    accounts: &[(ParticipantId, Account)],
    until: Until,
    each: &mut dyn FnMut(usize, &Line),
) -> Result<Stated, FollowerError> {
    let begin = |(owner, account): &(ParticipantId, Account)| {
        Statement::new(&from.engine, *owner, *account)
    };
    let mut statements: Vec<Statement> = accounts.iter().map(begin).collect();
    let end = follow(log, from, until, &mut |seen| {
        record(&mut statements, seen.engine, seen.stamp, seen.events, each);
    })?;
    let next: Position = end.recovered.last.position.next();
    let complete = log.read_record(next.value())?.is_some();
    Ok(Stated {
        statements,
        end,
        complete,
    })
}

#[cfg(test)]
mod tests;
