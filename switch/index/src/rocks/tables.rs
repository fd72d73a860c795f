//! Tables, keys and options of the index on disk. Numbers in keys are big-endian, so that RocksDB's order of bytes is theirs.

use std::path::Path;

use rocksdb::{
    BlockBasedIndexType, BlockBasedOptions, Cache, ColumnFamilyDescriptor, DB, DBCompressionType,
    LogLevel, Options, WriteBufferManager,
};
use torap_domain::{ParticipantId, Phone, Position, Sequence, Time, Uetr};
use torap_engine::instant::PaymentKey;

use super::{RocksOptions, damaged};
use crate::{CardOf, Counts, IndexError, Place, naming::IdentifierHash};

/// Layout of keys and values. A change of either is a new number; an index of another number is written again from the log.
const FORMAT: u32 = 3;

/// Key of the only row of the table `state`.
pub(super) const STATE_KEY: &[u8] = b"state";

/// Bits per key of the filters that answer "not here" without reading a block: 1 % of them are wrong.
const FILTER_BITS_PER_KEY: f64 = 10.0;
/// Smallest piece of memory that a table takes for new changes.
const ARENA_BLOCK_BYTES: usize = 128 << 10;
/// RocksDB's own diagnostic log.
const DIAGNOSTICS_BYTES_MAX: usize = 1 << 20;
const DIAGNOSTICS_FILES_MAX: usize = 2;
/// Background writes reach the disk in pieces of this size, so that they do not hold up the journal's syncs.
const BYTES_PER_SYNC: u64 = 512 << 10;

/// One kind of key each; a column family of RocksDB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    /// Layout, applied position, counts: one row.
    State,
    /// Payment key to payment or return.
    Payments,
    /// UETR to the payment's key.
    Uetrs,
    /// UETR of the original and decision to its returns.
    Returns,
    /// Participant and time of decision to payments and returns.
    History,
    /// Participant and sequence to outbound entries.
    Outbound,
    /// Phone number to directory record.
    Directory,
    /// Identifier of a message to the records that carry it.
    Identifiers,
    /// UETR to further records that concern the payment.
    Concerning,
    /// Card transaction or message to what records did to it.
    Cards,
}

impl Table {
    pub(super) const ALL: [Table; 10] = [
        Table::State,
        Table::Payments,
        Table::Uetrs,
        Table::Returns,
        Table::History,
        Table::Outbound,
        Table::Directory,
        Table::Identifiers,
        Table::Concerning,
        Table::Cards,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            // RocksDB insists on a family of this name.
            Table::State => "default",
            Table::Payments => "payments",
            Table::Uetrs => "uetrs",
            Table::Returns => "returns",
            Table::History => "history",
            Table::Outbound => "outbound",
            Table::Directory => "directory",
            Table::Identifiers => "identifiers",
            Table::Concerning => "concerning",
            Table::Cards => "cards",
        }
    }

    /// Bytes at the start of a key that tell where new rows go in memory: next to the last one that began alike. Streams and
    /// lists grow at the end of each participant's part; identifiers are scattered evenly over 256 parts.
    const fn hint_bytes(self) -> usize {
        match self {
            Table::State
            | Table::Payments
            | Table::Uetrs
            | Table::Returns
            | Table::Identifiers
            | Table::Concerning => 1,
            // Behind the byte that tells keys from positions.
            Table::Cards => 2,
            Table::History | Table::Outbound => 2,
            Table::Directory => 5,
        }
    }

    /// Whether rows are looked up by their whole key; the others are only scanned, and a filter would not help.
    const fn is_looked_up(self) -> bool {
        match self {
            Table::Payments | Table::Uetrs | Table::Outbound | Table::Directory => true,
            Table::State
            | Table::Returns
            | Table::History
            | Table::Identifiers
            | Table::Concerning
            | Table::Cards => false,
        }
    }
}

/// Files of a table that wait to be merged: from the first number on, writing is slowed down, and at the second it stops. What a
/// start has left unmerged must not hold up the traffic that follows it: 1 million payments leave about 30.
const UNMERGED_FILES_SLOW: i32 = 120;
const UNMERGED_FILES_MAX: i32 = 240;

/// Buffers of a table that may wait for their flush. The manager's bound on memory stops writing before this number does.
const UNFLUSHED_BUFFERS_MAX: i32 = 8;

/// Opens all tables under one bound of memory.
pub(super) fn open(
    folder: &Path,
    options: &RocksOptions,
) -> Result<(DB, WriteBufferManager), rocksdb::Error> {
    let buffers = WriteBufferManager::new_write_buffer_manager(options.write_buffer_bytes, true);
    let cache = Cache::new_lru_cache(options.block_cache_bytes);
    let mut families = Vec::with_capacity(Table::ALL.len());
    for table in Table::ALL {
        families.push(ColumnFamilyDescriptor::new(
            table.name(),
            family_options(table, options, &cache)?,
        ));
    }
    let db = DB::open_cf_descriptors(&database_options(options, &buffers), folder, families)?;
    Ok((db, buffers))
}

/// What a start changes of a table while it replays the log: how much it may hold in memory, and whether files that wait to be
/// merged are merged now. The replay needs both cores: merging waits until it is over.
pub(super) fn changeable(buffer_bytes: usize, merging: bool) -> [(&'static str, String); 2] {
    [
        ("write_buffer_size", buffer_bytes.to_string()),
        ("disable_auto_compactions", (!merging).to_string()),
    ]
}

fn database_options(bounds: &RocksOptions, buffers: &WriteBufferManager) -> Options {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    // Without a log of its own RocksDB must flush all tables at once, or they would stand at different positions.
    options.set_atomic_flush(true);
    options.set_write_buffer_manager(buffers);
    options.set_max_open_files(bounds.open_files_max);
    options.set_max_background_jobs(bounds.background_jobs);
    options.set_bytes_per_sync(BYTES_PER_SYNC);
    options.set_log_level(LogLevel::Warn);
    options.set_max_log_file_size(DIAGNOSTICS_BYTES_MAX);
    options.set_keep_log_file_num(DIAGNOSTICS_FILES_MAX);
    options.set_stats_dump_period_sec(0);
    options.set_stats_persist_period_sec(0);
    options
}

fn family_options(
    table: Table,
    bounds: &RocksOptions,
    cache: &Cache,
) -> Result<Options, rocksdb::Error> {
    let mut blocks = BlockBasedOptions::default();
    blocks.set_block_cache(cache);
    // Filters and indexes live in the cache, in pieces: 20 million directory entries need no more memory than the cache.
    blocks.set_cache_index_and_filter_blocks(true);
    blocks.set_cache_index_and_filter_blocks_with_high_priority(true);
    blocks.set_index_type(BlockBasedIndexType::TwoLevelIndexSearch);
    blocks.set_partition_filters(true);
    blocks.set_pin_top_level_index_and_filter(true);
    if table.is_looked_up() {
        blocks.set_bloom_filter(FILTER_BITS_PER_KEY, false);
        blocks.set_optimize_filters_for_memory(true);
    }
    // Only as text: the binding has no function for it.
    let hint = format!(
        "memtable_insert_with_hint_prefix_extractor=fixed:{}",
        table.hint_bytes()
    );
    let mut options = Options::default().get_options_from_string(hint)?;
    options.set_block_based_table_factory(&blocks);
    options.set_compression_type(DBCompressionType::Lz4);
    // The manager decides when to flush; a single table never holds more than all may.
    options.set_write_buffer_size(bounds.write_buffer_bytes);
    options.set_disable_auto_compactions(true);
    options.set_max_write_buffer_number(UNFLUSHED_BUFFERS_MAX);
    options.set_arena_block_size(ARENA_BLOCK_BYTES);
    options.set_level_zero_slowdown_writes_trigger(UNMERGED_FILES_SLOW);
    options.set_level_zero_stop_writes_trigger(UNMERGED_FILES_MAX);
    Ok(options)
}

/// The row of [`Table::State`]: part of every write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct StateRow {
    pub(super) applied: u64,
    pub(super) counts: Counts,
}

impl StateRow {
    const BYTES: usize = 60;

    pub(super) fn encode(&self) -> [u8; Self::BYTES] {
        let Counts {
            payments,
            returns,
            outbound,
            aliases,
            import_added,
            import_held,
        } = self.counts;
        let mut row = [0; Self::BYTES];
        let (format, numbers) = row.split_at_mut(4);
        format.copy_from_slice(&FORMAT.to_le_bytes());
        let values = [
            self.applied,
            payments,
            returns,
            outbound,
            aliases,
            import_added,
            import_held,
        ];
        for (place, value) in numbers.chunks_exact_mut(8).zip(values) {
            place.copy_from_slice(&value.to_le_bytes());
        }
        row
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<StateRow, IndexError> {
        let wrong = || damaged(Table::State, STATE_KEY, "the row does not have 60 bytes");
        let (format, numbers) = bytes.split_first_chunk::<4>().ok_or_else(wrong)?;
        let found = u32::from_le_bytes(*format);
        if found != FORMAT {
            return Err(IndexError::Format {
                found,
                supported: FORMAT,
            });
        }
        let (chunks, rest) = numbers.as_chunks::<8>();
        let [
            applied,
            payments,
            returns,
            outbound,
            aliases,
            import_added,
            import_held,
        ] = *chunks
        else {
            return Err(wrong());
        };
        if !rest.is_empty() {
            return Err(wrong());
        }
        let number = u64::from_le_bytes;
        Ok(StateRow {
            applied: number(applied),
            counts: Counts {
                payments: number(payments),
                returns: number(returns),
                outbound: number(outbound),
                aliases: number(aliases),
                import_added: number(import_added),
                import_held: number(import_held),
            },
        })
    }
}

/// Participant (2), sequence (8).
pub(super) fn outbound_key(to: ParticipantId, sequence: Sequence) -> [u8; 10] {
    join(&[&to.value().to_be_bytes(), &sequence.value().to_be_bytes()])
}

/// The sequence in a key of [`outbound_key`], if it is one of this participant's.
pub(super) fn outbound_sequence(to: ParticipantId, key: &[u8]) -> Option<Sequence> {
    let (participant, sequence) = key.split_first_chunk::<2>()?;
    let sequence = u64::from_be_bytes(sequence.try_into().ok()?);
    (u16::from_be_bytes(*participant) == to.value()).then_some(Sequence(sequence))
}

/// A key beyond all keys that begin with the participant.
pub(super) fn participant_end(participant: ParticipantId) -> [u8; 3] {
    match participant.value().checked_add(1) {
        Some(next) => join(&[&next.to_be_bytes(), &[0]]),
        None => [0xff; 3],
    }
}

/// Participant (2), decision time in nanoseconds (8), payment key (16).
pub(super) fn history_key(participant: ParticipantId, place: &Place) -> [u8; 26] {
    join(&[
        &participant.value().to_be_bytes(),
        &place.decided_at.nanos().to_be_bytes(),
        &place.key.0,
    ])
}

/// UETR of the original (16), decision time of the return in nanoseconds (8), key of the return (16).
pub(super) fn returns_key(uetr: &Uetr, place: &Place) -> [u8; 40] {
    join(&[
        &uetr.bytes(),
        &place.decided_at.nanos().to_be_bytes(),
        &place.key.0,
    ])
}

/// All keys of [`returns_key`] with this UETR: first and first beyond.
pub(super) fn returns_range(uetr: &Uetr) -> ([u8; 16], [u8; 41]) {
    // One byte more than the last possible key of this UETR.
    let last = Place {
        decided_at: Time::MAX,
        key: PaymentKey([0xff; 16]),
    };
    (uetr.bytes(), join(&[&returns_key(uetr, &last), &[0]]))
}

/// Hash of the identifier (8), position of the record (8).
pub(super) fn identifier_key(identifier: IdentifierHash, position: Position) -> [u8; 16] {
    join(&[&identifier.0, &position.value().to_be_bytes()])
}

/// UETR (16), position of the record (8).
pub(super) fn concerning_key(uetr: &Uetr, position: Position) -> [u8; 24] {
    join(&[&uetr.bytes(), &position.value().to_be_bytes()])
}

/// Kind (1), key or position (16), position of the record (8).
pub(super) fn card_key(of: CardOf, position: Position) -> [u8; 25] {
    let (kind, subject) = match of {
        CardOf::Transaction(key) => (1, key.0),
        CardOf::Message(message) => (2, u128::from(message.value()).to_be_bytes()),
    };
    join(&[&[kind], &subject, &position.value().to_be_bytes()])
}

/// The position at the end of a key of [`identifier_key`], [`concerning_key`] or [`card_key`].
pub(super) fn position(table: Table, row: &[u8]) -> Result<Position, IndexError> {
    let (_, position) = row
        .split_last_chunk::<8>()
        .ok_or_else(|| damaged(table, row, "the key is too short"))?;
    Ok(Position(u64::from_be_bytes(*position)))
}

/// The number as an integer (8).
pub(super) fn phone_key(phone: Phone) -> [u8; 8] {
    phone.value().to_be_bytes()
}

/// Before every place of that time.
pub(super) const fn first_place(time: Time) -> Place {
    Place {
        decided_at: time,
        key: PaymentKey([0; 16]),
    }
}

/// The place at the end of a key of [`history_key`] or [`returns_key`].
pub(super) fn place(table: Table, row: &[u8]) -> Result<Place, IndexError> {
    let parts = row
        .split_last_chunk::<16>()
        .and_then(|(front, key)| Some((front.split_last_chunk::<8>()?.1, key)));
    let (time, key) = parts.ok_or_else(|| damaged(table, row, "the key is too short"))?;
    Ok(Place {
        decided_at: Time::from_nanos(u64::from_be_bytes(*time)),
        key: PaymentKey(*key),
    })
}

/// The parts one after the other; they fill the key exactly.
fn join<const N: usize>(parts: &[&[u8]]) -> [u8; N] {
    debug_assert_eq!(
        parts.iter().map(|part| part.len()).sum::<usize>(),
        N,
        "the parts fill the key"
    );
    let mut key = [0; N];
    for (place, byte) in key
        .iter_mut()
        .zip(parts.iter().flat_map(|part| part.iter()))
    {
        *place = *byte;
    }
    key
}
