//! Reconciliation of a day from the log: what every record says it moved against what moved on the accounts.
//!
//! Per participant the movements of the instant rail, RTGS, clearing, cards and guarantee fund, and the money that entered or left, are
//! the change of its settlement account and instant position. The central bank's own accounts prove the sum. It replays the day in an
//! engine of its own, beside a running switch or without one, and writes nothing.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use serde_json::{Value, json};
use torap_domain::{Date, ParticipantId, Position, Span};
use torap_engine::{
    Engine, Event,
    reports::{self, EntryKind},
};
use torap_follower::{
    Rebuilt, SnapshotStore, Until, follow, rebuild,
    statements::{self, Stated},
};
use torap_journal::{FileMedium, Folders, Medium, Reader};
use torap_ledger::Book;

use crate::folder::Folder;

/// Records of a difference that are listed.
pub const ITEMS_MAX: usize = 1_000;

/// Which of a participant's two accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Account {
    /// In IMTS; for the switch the operator's own.
    Settlement,
    /// On the instant rail.
    Position,
}

/// What moved the money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    Instant,
    Rtgs,
    Clearing,
    Cards,
    /// The guarantee fund, and what a default had cost.
    Guarantee,
    /// Securities delivered against payment.
    Securities,
    /// Money that entered or left.
    CentralBank,
    /// Between the participant's own two accounts.
    Liquidity,
}

/// In the order of [`Source`].
const SOURCES: [(Source, &str); 8] = [
    (Source::Instant, "instant"),
    (Source::Rtgs, "rtgs"),
    (Source::Clearing, "clearing"),
    (Source::Cards, "cards"),
    (Source::Guarantee, "guarantee"),
    (Source::Securities, "securities"),
    (Source::CentralBank, "central_bank"),
    (Source::Liquidity, "liquidity"),
];

type Key = (Account, ParticipantId);

/// A movement as a record tells it, in minor units; below zero, a debit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Movement {
    pub account: Account,
    pub participant: ParticipantId,
    pub source: Source,
    pub amount: i128,
}

/// A record that moved something else than it tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    pub position: Position,
    pub kind: u16,
    pub account: Account,
    pub participant: ParticipantId,
    pub moved: i128,
    pub told: i128,
}

/// Where the day stands on the accounts at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balances {
    accounts: BTreeMap<Key, i128>,
    /// The central bank's accounts: in IMTS, and on the instant rail.
    central_bank: i128,
    mirror: i128,
    /// All other accounts of IMTS: technical ones and the guarantee fund.
    held: i128,
}

/// A day, reconciled.
#[derive(Clone, Debug)]
pub struct Reconciliation {
    before: Balances,
    after: Balances,
    told: BTreeMap<Key, BTreeMap<Source, i128>>,
    pub items: Vec<Item>,
}

impl Balances {
    pub fn of(engine: &Engine) -> Balances {
        let mut accounts = BTreeMap::new();
        let sum = |book: Book| {
            engine
                .balances(book)
                .map(|(_, balance)| balance)
                .sum::<i128>()
        };
        for (account, book) in [
            (Account::Settlement, Book::Settlement),
            (Account::Settlement, Book::OperatorSettlement),
            (Account::Position, Book::InstantPosition),
        ] {
            for (owner, balance) in engine.balances(book) {
                accounts.insert((account, owner), balance);
            }
        }
        let held = [
            Book::RailTechnical,
            Book::ClearingTechnical,
            Book::CardTechnical,
            Book::GuaranteeFund,
        ];
        Balances {
            accounts,
            central_bank: sum(Book::CentralBank),
            mirror: sum(Book::CentralBankMirror),
            held: held.into_iter().map(sum).sum(),
        }
    }

    fn at(&self, key: &Key) -> i128 {
        self.accounts.get(key).copied().unwrap_or(0)
    }

    fn sum(&self, wanted: Account) -> i128 {
        let of = self
            .accounts
            .iter()
            .filter(|((account, _), _)| *account == wanted);
        of.map(|(_, balance)| balance).sum()
    }
}

impl Reconciliation {
    /// Begins where the day does.
    pub fn new(engine: &Engine) -> Reconciliation {
        let before = Balances::of(engine);
        Reconciliation {
            after: before.clone(),
            before,
            told: BTreeMap::new(),
            items: Vec::new(),
        }
    }

    /// Counts what a record tells.
    pub fn record(&mut self, engine: &Engine, events: &[Event]) {
        for movement in movements(engine, events) {
            let key = (movement.account, movement.participant);
            *self
                .told
                .entry(key)
                .or_default()
                .entry(movement.source)
                .or_default() += movement.amount;
        }
    }

    /// The day is over.
    pub fn end(&mut self, engine: &Engine) {
        self.after = Balances::of(engine);
    }

    fn changed(&self, key: &Key) -> i128 {
        self.after.at(key) - self.before.at(key)
    }

    fn told(&self, key: &Key) -> i128 {
        self.told.get(key).map_or(0, |by| by.values().sum())
    }

    /// Accounts whose change is not what the records told.
    pub fn differences(&self) -> Vec<Key> {
        let keys = self.after.accounts.keys().chain(self.told.keys());
        let keys: std::collections::BTreeSet<Key> = keys.copied().collect();
        keys.into_iter()
            .filter(|key| self.changed(key) != self.told(key))
            .collect()
    }

    /// Whether the central bank's accounts prove the sum: what entered or left is the change of everything in IMTS, and the change of
    /// the instant positions is that of their mirror.
    pub fn is_proved(&self) -> bool {
        let (before, after) = (&self.before, &self.after);
        let imts = after.sum(Account::Settlement) + after.held
            - before.sum(Account::Settlement)
            - before.held;
        let positions = after.sum(Account::Position) - before.sum(Account::Position);
        imts == before.central_bank - after.central_bank
            && positions == before.mirror - after.mirror
    }

    pub fn agrees(&self) -> bool {
        self.is_proved() && self.differences().is_empty()
    }

    /// The day as it is printed; `code` names participants.
    pub fn shown(&self, code: &dyn Fn(ParticipantId) -> String) -> Value {
        let ids: std::collections::BTreeSet<ParticipantId> =
            self.after.accounts.keys().map(|(_, id)| *id).collect();
        let mut sums = [0_i128; SOURCES.len()];
        let mut rows = Vec::new();
        for id in ids {
            let keys = [(Account::Settlement, id), (Account::Position, id)];
            let mut row = serde_json::Map::new();
            row.insert("participant".into(), code(id).into());
            for (sum, (source, name)) in sums.iter_mut().zip(SOURCES) {
                if source == Source::Liquidity {
                    continue;
                }
                let of = keys
                    .iter()
                    .filter_map(|key| self.told.get(key)?.get(&source));
                let amount: i128 = of.sum();
                *sum += amount;
                row.insert(name.into(), tenge(amount).into());
            }
            let [settlement, position] = keys.map(|key| self.changed(&key));
            let told: i128 = keys.iter().map(|key| self.told(key)).sum();
            row.insert("settlement_change".into(), tenge(settlement).into());
            row.insert("position_change".into(), tenge(position).into());
            let wrong: i128 = keys
                .iter()
                .map(|key| (self.changed(key) - self.told(key)).abs())
                .sum();
            let difference = settlement + position - told;
            // Two wrong accounts may cancel out; then the sum of both is shown.
            let shown = if difference == 0 { wrong } else { difference };
            row.insert("difference".into(), tenge(shown).into());
            rows.push(Value::Object(row));
        }
        let (before, after) = (&self.before, &self.after);
        let items = self.items.iter().map(|item| {
            json!({
                "position": item.position.value(),
                "kind": torap_engine::codec::Kind::from_number(item.kind).map(|kind| kind.name()),
                "participant": code(item.participant),
                "account": match item.account {
                    Account::Settlement => "settlement",
                    Account::Position => "position",
                },
                "moved": tenge(item.moved),
                "told": tenge(item.told),
            })
        });
        json!({
            "agrees": self.agrees(),
            "proved": self.is_proved(),
            "central_bank_change": tenge(after.central_bank - before.central_bank),
            "settlement_accounts_change": tenge(after.sum(Account::Settlement) - before.sum(Account::Settlement)),
            "technical_and_guarantee_change": tenge(after.held - before.held),
            "mirror_change": tenge(after.mirror - before.mirror),
            "positions_change": tenge(after.sum(Account::Position) - before.sum(Account::Position)),
            "participants": rows,
            "items": items.collect::<Vec<_>>(),
        })
    }
}

/// What the events of the last record say moved on settlement accounts and instant positions.
pub fn movements(engine: &Engine, events: &[Event]) -> Vec<Movement> {
    let mut found = Vec::new();
    engine.entries(engine.last(), events, &mut |participant, account, entry| {
        let account = match account {
            reports::Account::Settlement => Account::Settlement,
            reports::Account::Position => Account::Position,
            reports::Account::Card | reports::Account::Guarantee => return,
        };
        found.push(Movement {
            account,
            participant,
            source: source(entry.kind),
            amount: entry.signed(),
        });
    });
    found
}

const fn source(kind: EntryKind) -> Source {
    match kind {
        EntryKind::InstantPayment | EntryKind::InstantReturn | EntryKind::Dispute => {
            Source::Instant
        }
        EntryKind::ImtsPayment | EntryKind::ImtsReturn => Source::Rtgs,
        EntryKind::ClearingNet => Source::Clearing,
        EntryKind::CardNet | EntryKind::CardTransaction | EntryKind::CardReversal => Source::Cards,
        EntryKind::Guarantee | EntryKind::Recovery => Source::Guarantee,
        EntryKind::Delivery => Source::Securities,
        EntryKind::CentralBank | EntryKind::Other => Source::CentralBank,
        EntryKind::Liquidity => Source::Liquidity,
    }
}

/// The log of a folder and its snapshots, beside a running switch or without one.
#[derive(Debug)]
pub struct Log {
    reader: Reader,
    snapshots: Option<SnapshotStore>,
}

impl Log {
    /// `archive` is the folder of older segments.
    ///
    /// # Errors
    /// Names the path that cannot be read.
    pub fn open(folder: &Folder, archive: Option<PathBuf>) -> Result<Log, String> {
        let store = Folders {
            journal: existing(folder.journal())?,
            archive: archive.map(existing).transpose()?,
        };
        let place = folder.journal();
        let named = |error: &dyn std::fmt::Display| format!("{}: {error}", place.display());
        let reader = Reader::open(store.joined(), None)
            .map_err(|error| named(&error))?
            .ok_or_else(|| named(&"no journal there"))?;
        let path = folder.snapshots();
        let snapshots = match path.is_dir() {
            true => Some(SnapshotStore::view(existing(path)?)),
            false => None,
        };
        Ok(Log { reader, snapshots })
    }

    /// The state at a moment.
    ///
    /// # Errors
    /// The log does not go so far back, or does not give its own state.
    pub fn state(&self, until: Until) -> Result<Rebuilt, String> {
        let quiet = &mut |_: Position| ();
        rebuild(&self.reader, self.snapshots.as_ref(), until, quiet)
            .map_err(|error| error.to_string())
    }

    /// Hands over every entry of accounts on the day of `date`, with the account's place in the list.
    ///
    /// # Errors
    /// As [`Log::state`].
    pub fn statements(
        &self,
        date: Date,
        accounts: &[(ParticipantId, reports::Account)],
        each: &mut dyn FnMut(usize, &reports::Line),
    ) -> Result<Stated, String> {
        let (from, until) = bounds(date)?;
        let began = self.state(from)?;
        let stated = statements::state(&self.reader, began, accounts, until, each);
        stated.map_err(|error| error.to_string())
    }

    /// Reconciles the day of `date`, from midnight to midnight or the end of the log, UTC+5.
    ///
    /// # Errors
    /// As [`Log::state`].
    pub fn reconcile(&self, date: Date) -> Result<Value, String> {
        let (from, until) = bounds(date)?;
        let began = self.state(from)?;
        let mut day = Reconciliation::new(&began.engine);
        let first = began.recovered.last.position;
        let ended = follow(&self.reader, began, until, &mut |seen| {
            day.record(seen.engine, seen.events);
        })
        .map_err(|error| error.to_string())?;
        day.end(&ended.engine);
        if !day.differences().is_empty() {
            self.find_items(&mut day, from, until)?;
        }
        let engine = &ended.engine;
        let code = |id: ParticipantId| match engine.participant_view(id) {
            Some(view) => view.code.as_str().to_owned(),
            None => "operator".to_owned(),
        };
        let mut value = day.shown(&code);
        value["day"] = date.to_string().into();
        value["records"] = (ended.recovered.last.position.value() - first.value()).into();
        value["until_position"] = ended.recovered.last.position.value().into();
        Ok(value)
    }

    /// The records that moved something else than they tell: a second pass, which compares after each.
    fn find_items(
        &self,
        day: &mut Reconciliation,
        from: Until,
        until: Until,
    ) -> Result<(), String> {
        let began = self.state(from)?;
        let mut last = Balances::of(&began.engine);
        let items = &mut day.items;
        follow(&self.reader, began, until, &mut |seen| {
            let now = Balances::of(seen.engine);
            let mut one = Reconciliation {
                before: std::mem::replace(&mut last, now.clone()),
                after: now,
                told: BTreeMap::new(),
                items: Vec::new(),
            };
            one.record(seen.engine, seen.events);
            for key in one.differences() {
                if items.len() < ITEMS_MAX {
                    items.push(Item {
                        position: seen.stamp.position,
                        kind: seen.kind,
                        account: key.0,
                        participant: key.1,
                        moved: one.changed(&key),
                        told: one.told(&key),
                    });
                }
            }
        })
        .map(|_| ())
        .map_err(|error| error.to_string())
    }
}

/// The last moment before a date, and the last of it.
fn bounds(date: Date) -> Result<(Until, Until), String> {
    let before = |date: Date| {
        let start = date.start()?;
        Some(Until::Time(start.saturating_sub(Span::from_nanos(1))))
    };
    before(date)
        .zip(before(date.add_days(1)))
        .ok_or_else(|| format!("{date} is before 1970"))
}

fn existing(path: PathBuf) -> Result<Arc<dyn Medium>, String> {
    let opened = FileMedium::open_existing(&path);
    let opened = opened.map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(Arc::new(opened))
}

fn tenge(tiyn: i128) -> String {
    let sign = if tiyn < 0 { "-" } else { "" };
    let size = tiyn.unsigned_abs();
    format!("{sign}{}.{:02}", size / 100, size % 100)
}

#[cfg(test)]
mod tests;
