//! The index on disk: RocksDB, one table (column family) per kind of key. `docs/index.md` has keys and values.
//!
//! RocksDB's own log is off: the journal is the log. All tables are flushed together, and the applied position is part of
//! every write, so after a crash the tables stand at one position, perhaps an earlier one, and the follower applies the rest
//! again. Memory is bounded by the options, whatever the index holds.

mod batch;
mod tables;

use std::{
    fmt,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use parking_lot::{Mutex, RwLock};
use rocksdb::{ColumnFamily, DB, FlushOptions, ReadOptions, WriteBufferManager};
use torap_domain::{ParticipantId, Phone, Position, Sequence, Time, Uetr};
use torap_engine::{
    Outbound,
    codec::Stored,
    directory::Record,
    instant::{Finished, PaymentKey},
};

use crate::{
    Added, AsOf, CardName, CardOf, CardRecord, Changes, Counts, Index, IndexError, PAGE_MAX, Page,
    Place, cards, error::Hex, naming::IdentifierHash, projection::project,
};
use batch::Batch;
use tables::{StateRow, Table};

/// Bounds of the index on disk. They change speed and memory, never an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RocksOptions {
    /// Data, index and filter blocks kept in memory, all tables together.
    pub block_cache_bytes: usize,
    /// Changes kept in memory before they are flushed, all tables together. Writing waits when flushing falls behind.
    pub write_buffer_bytes: usize,
    /// The same while a start replays the log: large, so that a flush runs beside the replay instead of holding it up.
    pub catch_up_buffer_bytes: usize,
    /// Files kept open.
    pub open_files_max: i32,
    /// Threads for flushing and compaction.
    pub background_jobs: i32,
}

impl Default for RocksOptions {
    /// About 100 MB when all of it is in use, a few when the index is empty; while a start replays the log, up to 200 MB more.
    fn default() -> RocksOptions {
        RocksOptions {
            block_cache_bytes: 64 << 20,
            write_buffer_bytes: 32 << 20,
            catch_up_buffer_bytes: 192 << 20,
            open_files_max: 256,
            background_jobs: 2,
        }
    }
}

/// Flushes that find room in the buffer of a start: one is being written, one waits, and one is being filled; what the tables
/// need beside the rows themselves is less than as much again.
const FLUSHES_IN_BUFFER: usize = 6;

/// An index in a folder of its own.
pub struct RocksIndex {
    db: DB,
    /// Follows the state row, so that look-ups need not read it. Stored after the write it speaks of.
    applied: AtomicU64,
    counts: RwLock<Counts>,
    /// Held while changes are written: there is one writer.
    writer: Mutex<Unflushed>,
    /// Bounds what all tables together hold in memory.
    buffers: WriteBufferManager,
    options: RocksOptions,
}

/// What was written since the last flush began; counted only while a start replays the log.
#[derive(Debug, Default)]
struct Unflushed {
    bytes: usize,
    /// A flush begins at so many bytes, long before writing would have to wait for it.
    flush_at: Option<usize>,
}

impl RocksIndex {
    /// Opens the index in `folder`, and makes it if there is none; as for a start, so nothing is merged before
    /// [`Index::caught_up`] says that it is over. Another process that has it open, damage and another
    /// layout are errors.
    pub fn open(folder: &Path, options: RocksOptions) -> Result<RocksIndex, IndexError> {
        let (db, buffers) = tables::open(folder, &options).map_err(storage("open"))?;
        let state = match db.get_pinned(tables::STATE_KEY).map_err(storage("read"))? {
            Some(bytes) => StateRow::decode(&bytes)?,
            None => StateRow::default(),
        };
        let index = RocksIndex {
            db,
            applied: AtomicU64::new(state.applied),
            counts: RwLock::new(state.counts),
            writer: Mutex::default(),
            buffers,
            options,
        };
        index.set_catching_up(true)?;
        Ok(index)
    }

    fn set_catching_up(&self, catching: bool) -> Result<(), IndexError> {
        let mut unflushed = self.writer.lock();
        let bytes = if catching {
            self.options.catch_up_buffer_bytes
        } else {
            self.options.write_buffer_bytes
        };
        for table in Table::ALL {
            self.db
                .set_options_cf(
                    self.family(table)?,
                    &tables::changeable(bytes, !catching)
                        .each_ref()
                        .map(|(name, value)| (*name, value.as_str())),
                )
                .map_err(storage("set options"))?;
        }
        self.buffers.set_buffer_size(bytes);
        unflushed.flush_at = catching.then_some(bytes / FLUSHES_IN_BUFFER);
        unflushed.bytes = 0;
        Ok(())
    }

    /// Flushes all tables to one position; without `wait` the flush goes on in RocksDB's own threads.
    fn flush_tables(&self, wait: bool) -> Result<(), IndexError> {
        let mut families = Vec::with_capacity(Table::ALL.len());
        for table in Table::ALL {
            families.push(self.family(table)?);
        }
        let mut options = FlushOptions::default();
        options.set_wait(wait);
        self.db
            .flush_cfs_opt(&families, &options)
            .map_err(storage("flush"))
    }

    fn family(&self, table: Table) -> Result<&ColumnFamily, IndexError> {
        // All families are made when the index is opened.
        self.db
            .cf_handle(table.name())
            .ok_or_else(|| IndexError::Storage {
                operation: "read",
                detail: format!("table {} is missing", table.name()),
            })
    }

    fn value<T: Stored>(&self, table: Table, key: &[u8]) -> Result<Option<T>, IndexError> {
        match self
            .db
            .get_pinned_cf(self.family(table)?, key)
            .map_err(storage("read"))?
        {
            Some(bytes) => stored(table, key, &bytes).map(Some),
            None => Ok(None),
        }
    }

    /// Calls `each` with the keys and values of `table` from `from` (inclusive) to `until` (exclusive) until it says stop.
    fn scan(
        &self,
        table: Table,
        from: &[u8],
        until: &[u8],
        mut each: impl FnMut(&[u8], &[u8]) -> Result<bool, IndexError>,
    ) -> Result<(), IndexError> {
        let mut read = ReadOptions::default();
        read.set_iterate_upper_bound(until);
        let mut rows = self.db.raw_iterator_cf_opt(self.family(table)?, read);
        rows.seek(from);
        while let Some((key, value)) = rows.item() {
            if !each(key, value)? {
                return Ok(());
            }
            rows.next();
        }
        rows.status().map_err(storage("scan"))
    }

    /// The payments and returns that the ends of `keys` name, in the same order.
    fn finished_all(&self, keys: &[PaymentKey]) -> Result<Vec<Finished>, IndexError> {
        let family = self.family(Table::Payments)?;
        let values = self
            .db
            .batched_multi_get_cf(family, keys.iter().map(|key| &key.0), false);
        let found =
            keys.iter()
                .zip(values)
                .map(|(key, value)| match value.map_err(storage("read"))? {
                    Some(bytes) => stored(Table::Payments, &key.0, &bytes),
                    None => Err(damaged(Table::Payments, &key.0, "listed, but not stored")),
                });
        found.collect()
    }

    /// The positions at the ends of the keys of a range, oldest first.
    fn positions(
        &self,
        table: Table,
        from: &[u8],
        until: &[u8],
        max: usize,
    ) -> Result<Vec<Position>, IndexError> {
        let max = max.min(PAGE_MAX);
        let mut positions = Vec::new();
        self.scan(table, from, until, |row, _| {
            if positions.len() < max {
                positions.push(tables::position(table, row)?);
            }
            Ok(positions.len() < max)
        })?;
        Ok(positions)
    }

    fn as_of<T>(
        &self,
        look: impl FnOnce() -> Result<T, IndexError>,
    ) -> Result<AsOf<T>, IndexError> {
        // Read before the look-up: what is found may be newer than this, never older.
        let as_of = self.applied_upto();
        Ok(AsOf {
            as_of,
            value: look()?,
        })
    }
}

impl Index for RocksIndex {
    fn applied_upto(&self) -> Position {
        Position(self.applied.load(Ordering::Acquire))
    }

    fn apply(&self, changes: &Changes, upto: Position) -> Result<Added, IndexError> {
        let mut unflushed = self.writer.lock();
        let applied = self.applied_upto();
        let mut batch = Batch::new(self, changes.has_returns())?;
        let added = project(changes, applied, &mut batch)?;
        let state = StateRow {
            applied: applied.max(upto).max(changes.last()).value(),
            counts: batch.counts,
        };
        let bytes = batch.write(&state)?;
        *self.counts.write() = state.counts;
        self.applied.store(state.applied, Ordering::Release);
        unflushed.bytes = unflushed.bytes.saturating_add(bytes);
        if unflushed.flush_at.is_some_and(|at| unflushed.bytes >= at) {
            unflushed.bytes = 0;
            self.flush_tables(false)?;
        }
        Ok(added)
    }

    fn flush(&self) -> Result<Position, IndexError> {
        let applied = self.applied_upto();
        self.flush_tables(true)?;
        Ok(applied)
    }

    fn caught_up(&self) -> Result<(), IndexError> {
        self.set_catching_up(false)
    }

    fn payment_by_key(&self, key: &PaymentKey) -> Result<AsOf<Option<Finished>>, IndexError> {
        self.as_of(|| self.value(Table::Payments, &key.0))
    }

    fn payment_by_uetr(&self, uetr: &Uetr) -> Result<AsOf<Option<Finished>>, IndexError> {
        self.as_of(|| {
            let row = self
                .db
                .get_pinned_cf(self.family(Table::Uetrs)?, uetr.bytes())
                .map_err(storage("read"))?;
            match row {
                Some(key) => self.value(Table::Payments, &key),
                None => Ok(None),
            }
        })
    }

    fn returns_of(&self, uetr: &Uetr, max: usize) -> Result<Vec<Finished>, IndexError> {
        let mut keys = Vec::new();
        let (from, until) = tables::returns_range(uetr);
        self.scan(Table::Returns, &from, &until, |row, _| {
            if keys.len() < max.min(PAGE_MAX) {
                keys.push(tables::place(Table::Returns, row)?.key);
            }
            Ok(keys.len() < max.min(PAGE_MAX))
        })?;
        self.finished_all(&keys)
    }

    fn outbound(
        &self,
        to: ParticipantId,
        sequence: Sequence,
    ) -> Result<Option<Outbound>, IndexError> {
        self.value(Table::Outbound, &tables::outbound_key(to, sequence))
    }

    fn outbound_range(
        &self,
        to: ParticipantId,
        from: Sequence,
        max: usize,
        out: &mut Vec<Outbound>,
    ) -> Result<(), IndexError> {
        let mut left = max.min(PAGE_MAX);
        let (from, until) = (tables::outbound_key(to, from), tables::participant_end(to));
        self.scan(Table::Outbound, &from, &until, |row, value| {
            if left > 0 {
                out.push(stored(Table::Outbound, row, value)?);
                left -= 1;
            }
            Ok(left > 0)
        })
    }

    fn outbound_last(&self, to: ParticipantId) -> Result<Sequence, IndexError> {
        let mut rows = self.db.raw_iterator_cf(self.family(Table::Outbound)?);
        rows.seek_for_prev(tables::outbound_key(to, Sequence(u64::MAX)));
        rows.status().map_err(storage("scan"))?;
        Ok(rows
            .key()
            .and_then(|row| tables::outbound_sequence(to, row))
            .unwrap_or(Sequence::ZERO))
    }

    fn alias(&self, phone: Phone) -> Result<AsOf<Option<Record>>, IndexError> {
        self.as_of(|| self.value(Table::Directory, &tables::phone_key(phone)))
    }

    fn payments_of(
        &self,
        participant: ParticipantId,
        from: Time,
        until: Time,
        after: Option<Place>,
        max: usize,
    ) -> Result<Page, IndexError> {
        let max = max.min(PAGE_MAX);
        let start = after
            .filter(|after| after.decided_at >= from)
            .unwrap_or(tables::first_place(from));
        let from = tables::history_key(participant, &start);
        let until = tables::history_key(participant, &tables::first_place(until));
        let mut places = Vec::new();
        self.scan(Table::History, &from, &until, |row, _| {
            let place = tables::place(Table::History, row)?;
            if after.is_none_or(|after| place > after) {
                places.push(place);
            }
            // One more than the page holds tells whether there is a next one.
            Ok(places.len() <= max)
        })?;
        let more = places.len() > max;
        places.truncate(max);
        let keys: Vec<PaymentKey> = places.iter().map(|place| place.key).collect();
        let next = if more { places.last().copied() } else { None };
        Ok(Page {
            payments: self.finished_all(&keys)?,
            next,
        })
    }

    fn records_of(&self, uetr: &Uetr, max: usize) -> Result<Vec<Position>, IndexError> {
        let from = tables::concerning_key(uetr, Position::ZERO);
        let until = tables::concerning_key(uetr, Position(u64::MAX));
        self.positions(Table::Concerning, &from, &until, max)
    }

    fn identified(&self, identifier: &str, max: usize) -> Result<Vec<Position>, IndexError> {
        let hash = IdentifierHash::of(identifier);
        let from = tables::identifier_key(hash, Position::ZERO);
        let until = tables::identifier_key(hash, Position(u64::MAX));
        self.positions(Table::Identifiers, &from, &until, max)
    }

    fn card_named(&self, name: &CardName<'_>, max: usize) -> Result<Vec<Position>, IndexError> {
        self.identified(&name.text(), max)
    }

    fn card_records(&self, of: CardOf, max: usize) -> Result<Vec<CardRecord>, IndexError> {
        let max = max.min(PAGE_MAX);
        let from = tables::card_key(of, Position::ZERO);
        let until = tables::card_key(of, Position(u64::MAX));
        let mut records = Vec::new();
        self.scan(Table::Cards, &from, &until, |row, steps| {
            if records.len() < max {
                records.push(CardRecord {
                    position: tables::position(Table::Cards, row)?,
                    steps: cards::read(steps).map_err(IndexError::CardSteps)?,
                });
            }
            Ok(records.len() < max)
        })?;
        Ok(records)
    }

    fn counts(&self) -> Counts {
        *self.counts.read()
    }
}

impl fmt::Debug for RocksIndex {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RocksIndex")
            .field("folder", &self.db.path())
            .field("applied", &self.applied)
            .finish()
    }
}

/// The error of a storage operation.
fn storage(operation: &'static str) -> impl Fn(rocksdb::Error) -> IndexError {
    move |error| IndexError::Storage {
        operation,
        detail: error.into_string(),
    }
}

fn stored<T: Stored>(table: Table, key: &[u8], bytes: &[u8]) -> Result<T, IndexError> {
    T::decode(bytes).map_err(|error| damaged(table, key, &error.to_string()))
}

fn damaged(table: Table, key: &[u8], rule: &str) -> IndexError {
    IndexError::Damaged {
        table: table.name(),
        key: Hex(key).to_string(),
        rule: rule.to_owned(),
    }
}

#[cfg(test)]
mod tests;
