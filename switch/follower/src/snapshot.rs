//! Snapshots of the state in a folder of their own. `docs/snapshots.md` has the byte table.
//!
//! A snapshot saves time and holds nothing that the log does not: it may be deleted, and a damaged one is passed over. It is
//! written under another name, made durable, and then renamed, so that a file with a snapshot's name is whole; a checksum
//! over header and body says whether it stayed so.

mod header;

use std::{io, sync::Arc, thread};

use torap_core::Recovered;
use torap_domain::{Date, Position, Time};
use torap_engine::Engine;
use torap_journal::{Medium, MediumFile};

use crate::SnapshotError;
use header::{HEADER_BYTES, Header};

/// Snapshots kept: a damaged newest one leaves the one before it.
const KEPT: usize = 2;
/// Midnights, UTC+5, whose last snapshot before is kept beside.
const MIDNIGHTS_KEPT: i32 = 2;
const PREFIX: &str = "snapshot-";
const SUFFIX: &str = ".torap";
/// Bytes that go to the medium at once.
const WRITE_BYTES: usize = 1 << 20;
/// Bytes between two syncs: many small ones, so that a sync of the journal on the same disk waits for little.
const SYNC_BYTES: u64 = 4 << 20;
/// Name while it is being written; there is one writer.
const UNFINISHED: &str = "snapshot.unfinished";

/// A folder of snapshots.
#[derive(Debug)]
pub struct SnapshotStore {
    medium: Arc<dyn Medium>,
}

/// What a snapshot is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotInfo {
    /// Name of the file in the folder.
    pub file: String,
    /// The last record in it.
    pub position: Position,
    /// Time of that record.
    pub time: Time,
    /// Version of the rules then.
    pub rules_version: u32,
    /// Size of the state in bytes.
    pub bytes: u64,
}

/// Called while a snapshot is written, after every few MiB that are durable, with the bytes so far and in all: whoever runs the
/// follower may rest there, so that disk and cores stay with the payments.
pub type Pace = dyn FnMut(u64, u64) + Send;

/// A state read back.
#[derive(Debug)]
pub struct Snapshot {
    /// What it is of.
    pub info: SnapshotInfo,
    /// The state.
    pub engine: Engine,
    /// Its place in the log.
    pub recovered: Recovered,
}

impl SnapshotStore {
    /// Opens the folder and removes what an interrupted process left unfinished.
    pub fn open(medium: Arc<dyn Medium>) -> Result<SnapshotStore, SnapshotError> {
        let store = SnapshotStore { medium };
        if store.names()?.iter().any(|name| name == UNFINISHED) {
            store.remove(UNFINISHED)?;
            store.sync_folder()?;
        }
        Ok(store)
    }

    /// A folder that another process may be writing: nothing is removed, and nothing may be written.
    pub fn view(medium: Arc<dyn Medium>) -> SnapshotStore {
        SnapshotStore { medium }
    }

    /// Writes a snapshot; `recovered` is where `engine` stands. Afterwards the two newest ones are kept.
    pub fn write(
        &self,
        engine: &Engine,
        recovered: &Recovered,
        pace: &mut Pace,
    ) -> Result<SnapshotInfo, SnapshotError> {
        // The file is made with its final size, as every medium can, so the state is written out twice: once to count its
        // bytes, once to the medium. It is never in memory as a whole. The header holds the hash and is written last.
        let mut body_bytes = 0;
        engine.snapshot(&mut |piece| body_bytes += piece.len() as u64);
        let file = name_of(recovered.last.position);
        if self.names()?.iter().any(|name| name == UNFINISHED) {
            self.remove(UNFINISHED)?;
        }
        let bytes = HEADER_BYTES as u64 + body_bytes;
        let handle = self
            .medium
            .create(UNFINISHED, bytes)
            .map_err(failed("create", UNFINISHED))?;
        let mut writer = PieceWriter::new(handle.as_ref(), bytes, pace);
        engine.snapshot(&mut |piece| writer.put(piece));
        let body_hash = writer.finish().map_err(failed("write", UNFINISHED))?;
        let header = Header {
            rules_version: engine.rules_version(),
            recovered: *recovered,
            body_bytes,
            body_hash,
        };
        handle
            .write_at(&header.encode(), 0)
            .map_err(failed("write", UNFINISHED))?;
        handle.sync().map_err(failed("sync", UNFINISHED))?;
        self.medium
            .rename(UNFINISHED, &file)
            .map_err(failed("rename", &file))?;
        self.sync_folder()?;
        self.remove_old(recovered.last.time)?;
        Ok(header.info(file))
    }

    /// Removes all but the newest, and the newest before each of the last midnights: statements of those days begin there.
    fn remove_old(&self, now: Time) -> Result<(), SnapshotError> {
        let today = Date::from_time(now);
        let mut midnights: Vec<Time> = (0..MIDNIGHTS_KEPT)
            .filter_map(|days| today.add_days(-days).start())
            .collect();
        for old in self.positions()?.into_iter().skip(KEPT) {
            let before = midnights.len();
            if let Ok(info) = self.info(old) {
                midnights.retain(|midnight| info.time >= *midnight);
            }
            if midnights.len() == before {
                self.remove(&name_of(old))?;
            }
        }
        Ok(())
    }

    /// Positions of the snapshots there are, newest first. Nothing is said about their soundness.
    pub fn positions(&self) -> Result<Vec<Position>, SnapshotError> {
        let mut positions: Vec<Position> = self
            .names()?
            .iter()
            .filter_map(|name| position_of(name))
            .collect();
        positions.sort_unstable_by(|one, other| other.cmp(one));
        Ok(positions)
    }

    /// Position of the newest snapshot: the log must reach at least that far. Zero if there is none.
    pub fn newest(&self) -> Result<Position, SnapshotError> {
        Ok(self.positions()?.first().copied().unwrap_or(Position::ZERO))
    }

    /// What a snapshot is of, from its header alone.
    pub fn info(&self, position: Position) -> Result<SnapshotInfo, SnapshotError> {
        let file = name_of(position);
        let (_, header) = self.header(&file, position)?;
        Ok(header.info(file))
    }

    /// Reads a snapshot back; `seed` is the engine's (`torap_engine::Engine::seeded`). A file that is not exactly what was
    /// written is refused.
    pub fn load(&self, position: Position, seed: u64) -> Result<Snapshot, SnapshotError> {
        let file = name_of(position);
        let damaged = |rule: &str| SnapshotError::Damaged {
            file: file.clone(),
            rule: rule.to_owned(),
        };
        let (handle, header) = self.header(&file, position)?;
        // The length is compared before it is believed: nothing is reserved for a body that is not there.
        let size = handle.bytes().map_err(failed("read", &file))?;
        if Some(size) != header.body_bytes.checked_add(HEADER_BYTES as u64) {
            return Err(damaged(
                "the file does not have the size that the header gives",
            ));
        }
        let body = read_body(handle.as_ref(), &file, header.body_bytes)?;
        // Both read the whole body and neither needs the other: whatever the bytes are, a state is made of them or refused.
        let (hash, engine) = thread::scope(|scope| {
            let hash = scope.spawn(|| blake3::hash(&body));
            let engine = Engine::restore(&body, seed);
            (hash.join(), engine)
        });
        let hash = hash.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        if *hash.as_bytes() != header.body_hash {
            return Err(damaged("the checksum of the body does not match"));
        }
        let engine = engine.map_err(|error| damaged(&error.to_string()))?;
        if engine.rules_version() != header.rules_version || engine.last() != header.recovered.last
        {
            return Err(damaged("the body is of another state than the header says"));
        }
        Ok(Snapshot {
            info: header.info(file),
            engine,
            recovered: header.recovered,
        })
    }

    /// The file and its header, which is of that position.
    fn header(
        &self,
        file: &str,
        position: Position,
    ) -> Result<(Box<dyn MediumFile>, Header), SnapshotError> {
        let damaged = |rule: &str| SnapshotError::Damaged {
            file: file.to_owned(),
            rule: rule.to_owned(),
        };
        let handle = self.medium.open(file).map_err(failed("open", file))?;
        let mut bytes = [0; HEADER_BYTES];
        let read = handle
            .read_at(&mut bytes, 0)
            .map_err(failed("read", file))?;
        if read != HEADER_BYTES {
            return Err(damaged("the file is shorter than a header"));
        }
        let header = Header::decode(file, &bytes)?;
        if header.recovered.last.position != position {
            return Err(damaged(
                "the header names another position than the file name",
            ));
        }
        Ok((handle, header))
    }

    fn names(&self) -> Result<Vec<String>, SnapshotError> {
        self.medium.list().map_err(failed("list", ""))
    }

    fn remove(&self, file: &str) -> Result<(), SnapshotError> {
        self.medium.remove(file).map_err(failed("remove", file))
    }

    fn sync_folder(&self) -> Result<(), SnapshotError> {
        self.medium.sync_dir().map_err(failed("sync folder", ""))
    }
}

/// Writes the body behind the room for the header: gathers small pieces into writes of a good size, hashes them, and makes them
/// durable step by step. After an error it writes nothing more and reports that error.
struct PieceWriter<'a> {
    handle: &'a dyn MediumFile,
    pace: &'a mut Pace,
    bytes: u64,
    offset: u64,
    synced: u64,
    hasher: blake3::Hasher,
    gathered: Vec<u8>,
    error: Option<io::Error>,
}

impl<'a> PieceWriter<'a> {
    fn new(handle: &'a dyn MediumFile, bytes: u64, pace: &'a mut Pace) -> PieceWriter<'a> {
        PieceWriter {
            handle,
            pace,
            bytes,
            offset: HEADER_BYTES as u64,
            synced: 0,
            hasher: blake3::Hasher::new(),
            gathered: Vec::with_capacity(2 * WRITE_BYTES),
            error: None,
        }
    }

    fn put(&mut self, piece: &[u8]) {
        self.gathered.extend_from_slice(piece);
        if self.gathered.len() >= WRITE_BYTES {
            self.write();
        }
    }

    fn write(&mut self) {
        if self.error.is_none() {
            self.hasher.update(&self.gathered);
            self.error = self.write_and_sync().err();
        }
        self.gathered.clear();
    }

    fn write_and_sync(&mut self) -> io::Result<()> {
        self.handle.write_at(&self.gathered, self.offset)?;
        self.offset += self.gathered.len() as u64;
        if self.offset - self.synced >= SYNC_BYTES {
            self.handle.sync()?;
            // The cache is the journal's and the index'; a snapshot is read at the next start, if ever.
            self.handle.forget(self.synced, self.offset - self.synced);
            self.synced = self.offset;
            (self.pace)(self.offset, self.bytes);
        }
        Ok(())
    }

    fn finish(mut self) -> io::Result<[u8; 32]> {
        self.write();
        match self.error {
            None => Ok(*self.hasher.finalize().as_bytes()),
            Some(error) => Err(error),
        }
    }
}

fn read_body(handle: &dyn MediumFile, file: &str, bytes: u64) -> Result<Vec<u8>, SnapshotError> {
    let bytes = usize::try_from(bytes).map_err(|_| too_large(file))?;
    let mut body = Vec::new();
    body.try_reserve_exact(bytes).map_err(|_| too_large(file))?;
    body.resize(bytes, 0);
    let read = handle
        .read_at(&mut body, HEADER_BYTES as u64)
        .map_err(failed("read", file))?;
    body.truncate(read);
    Ok(body)
}

fn too_large(file: &str) -> SnapshotError {
    SnapshotError::Damaged {
        file: file.to_owned(),
        rule: "the body is larger than this machine's memory".to_owned(),
    }
}

fn failed(operation: &'static str, file: &str) -> impl FnOnce(io::Error) -> SnapshotError {
    let file = file.to_owned();
    move |source| SnapshotError::Medium {
        operation,
        file,
        source,
    }
}

/// Twenty digits, so that names sort like positions.
fn name_of(position: Position) -> String {
    format!("{PREFIX}{:020}{SUFFIX}", position.value())
}

fn position_of(name: &str) -> Option<Position> {
    let digits = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    let is_ours = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_ours.then(|| digits.parse().ok().map(Position)).flatten()
}
