//! A disk in memory, for simulation and tests: it keeps apart what was written and what was synced, and breaks on request.
//!
//! It is deterministic: the same calls and the same seeds give the same bytes. It never stands under a live switch.

use super::{Medium, MediumFile, MediumLock};
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Unit that a crash keeps or loses as a whole.
pub(super) const SECTOR_BYTES: usize = 512;

/// A folder in memory with hooks for faults. Clones share the same disk.
#[derive(Debug, Clone, Default)]
pub struct MemoryMedium {
    disk: Arc<Mutex<Disk>>,
}

impl MemoryMedium {
    /// An empty disk without a limit.
    pub fn new() -> MemoryMedium {
        MemoryMedium::default()
    }

    /// A second disk with the same contents that shares nothing with this one. Handles and locks stay behind.
    pub fn fork(&self) -> MemoryMedium {
        let mut disk = self.disk.lock().clone();
        disk.generation += 1;
        disk.locks.clear();
        disk.faults = Faults::default();
        MemoryMedium {
            disk: Arc::new(Mutex::new(disk)),
        }
    }

    /// Loses the power and comes back. Of every unsynced sector one version survives, drawn by the seed among the synced one
    /// and all written since; of the unsynced names a prefix survives. Open handles and locks die; faults that were asked for
    /// are forgotten.
    pub fn crash(&self, seed: u64) {
        let mut disk = self.disk.lock();
        let mut draw = Draw(seed);
        let kept_names = draw.below(disk.name_changes.len() as u64 + 1) as usize;
        let changes: Vec<NameChange> = disk.name_changes.drain(..).take(kept_names).collect();
        for change in &changes {
            change.apply(&mut disk.synced_names);
        }
        disk.names = disk.synced_names.clone();
        for contents in disk.files.values_mut() {
            contents.settle(&mut draw);
        }
        disk.forget_unnamed();
        disk.generation += 1;
        disk.locks.clear();
        disk.faults = Faults::default();
    }

    /// The process dies, the machine lives: everything written stays, open handles and locks die.
    pub fn kill(&self) {
        let mut disk = self.disk.lock();
        disk.generation += 1;
        disk.locks.clear();
        disk.faults = Faults::default();
    }

    /// The power goes off at the n-th changing operation from now (1 = the next one): that write may be torn, as the seed of
    /// the coming [`crash`](MemoryMedium::crash) decides, and everything after it fails.
    pub fn power_off_after(&self, operations: u64) {
        self.disk.lock().faults.power_off_in = Some(operations);
    }

    /// Whether the power has gone off since it was asked for.
    pub fn is_off(&self) -> bool {
        self.disk.lock().faults.off
    }

    /// The n-th sync of a file from now fails (1 = the next one), and what it should have made durable is lost at the next
    /// crash even if a later sync succeeds, as on Linux.
    pub fn fail_sync(&self, nth: u64) {
        self.disk.lock().faults.sync_fails_in = Some(nth);
    }

    /// The n-th write from now fails without writing (1 = the next one).
    pub fn fail_write(&self, nth: u64) {
        self.disk.lock().faults.write_fails_in = Some(nth);
    }

    /// Room for this many bytes of written sectors in all files; `None` = no limit. A write that does not fit writes what
    /// fits and fails, as real ones do.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.disk.lock().capacity = bytes;
    }

    /// Flips one bit of a file, on the medium and in what readers see. False if there is no such bit.
    pub fn flip_bit(&self, name: &str, offset: u64, bit: u8) -> bool {
        self.change(name, |contents| {
            contents.change(offset, |byte| *byte ^= 1 << (bit & 7))
        })
    }

    /// Puts bytes into a file behind the journal's back, durably: a misdirected write, for one. False if they do not fit.
    pub fn overwrite(&self, name: &str, offset: u64, bytes: &[u8]) -> bool {
        self.change(name, |contents| {
            bytes
                .iter()
                .zip(offset..)
                .all(|(&new, at)| contents.change(at, |byte| *byte = new))
        })
    }

    /// The bytes of a file as a reader sees them.
    pub fn contents(&self, name: &str) -> Option<Vec<u8>> {
        let disk = self.disk.lock();
        Some(disk.files.get(disk.names.get(name)?)?.current.clone())
    }

    /// Number of changing operations so far (create, write, sync, rename, remove, folder sync).
    pub fn operations(&self) -> u64 {
        self.disk.lock().operations
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut Contents) -> bool) -> bool {
        let mut disk = self.disk.lock();
        let Some(id) = disk.names.get(name).copied() else {
            return false;
        };
        disk.files.get_mut(&id).is_some_and(change)
    }
}

impl Medium for MemoryMedium {
    fn list(&self) -> io::Result<Vec<String>> {
        let disk = self.disk.lock();
        disk.powered()?;
        Ok(disk.names.keys().cloned().collect())
    }

    fn create(&self, name: &str, bytes: u64) -> io::Result<Box<dyn MediumFile>> {
        let mut disk = self.disk.lock();
        disk.operate()?;
        if disk.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let bytes = usize::try_from(bytes).map_err(|_| io::ErrorKind::FileTooLarge)?;
        disk.next_id += 1;
        let id = disk.next_id;
        disk.files.insert(id, Contents::zeros(bytes));
        disk.change_names(NameChange::Set(name.to_owned(), id));
        Ok(Box::new(MemoryFile {
            disk: Arc::clone(&self.disk),
            id,
            generation: disk.generation,
            failures_told: AtomicU64::new(disk.failed_syncs(id)),
        }))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn MediumFile>> {
        let disk = self.disk.lock();
        disk.powered()?;
        let id = disk
            .names
            .get(name)
            .copied()
            .ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(MemoryFile {
            disk: Arc::clone(&self.disk),
            id,
            generation: disk.generation,
            failures_told: AtomicU64::new(disk.failed_syncs(id)),
        }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut disk = self.disk.lock();
        disk.operate()?;
        if !disk.names.contains_key(from) {
            return Err(io::ErrorKind::NotFound.into());
        }
        disk.change_names(NameChange::Move(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut disk = self.disk.lock();
        disk.operate()?;
        if !disk.names.contains_key(name) {
            return Err(io::ErrorKind::NotFound.into());
        }
        disk.change_names(NameChange::Remove(name.to_owned()));
        Ok(())
    }

    fn sync_dir(&self) -> io::Result<()> {
        let mut disk = self.disk.lock();
        disk.operate()?;
        disk.synced_names = disk.names.clone();
        disk.name_changes.clear();
        disk.forget_unnamed();
        Ok(())
    }

    fn lock(&self, name: &str) -> io::Result<Box<dyn MediumLock>> {
        let mut disk = self.disk.lock();
        disk.powered()?;
        if !disk.locks.insert(name.to_owned()) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(MemoryLock {
            disk: Arc::clone(&self.disk),
            name: name.to_owned(),
            generation: disk.generation,
        }))
    }
}

#[derive(Debug, Clone, Default)]
struct Disk {
    files: BTreeMap<u64, Contents>,
    names: BTreeMap<String, u64>,
    synced_names: BTreeMap<String, u64>,
    name_changes: Vec<NameChange>,
    next_id: u64,
    capacity: Option<u64>,
    operations: u64,
    generation: u64,
    locks: BTreeSet<String>,
    faults: Faults,
}

/// Faults asked for that have not happened yet.
#[derive(Debug, Clone, Default)]
struct Faults {
    power_off_in: Option<u64>,
    off: bool,
    sync_fails_in: Option<u64>,
    write_fails_in: Option<u64>,
}

#[derive(Debug, Clone)]
enum NameChange {
    Set(String, u64),
    Move(String, String),
    Remove(String),
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<String, u64>) {
        match self {
            NameChange::Set(name, id) => {
                names.insert(name.clone(), *id);
            }
            NameChange::Move(from, to) => {
                if let Some(id) = names.remove(from) {
                    names.insert(to.clone(), id);
                }
            }
            NameChange::Remove(name) => {
                names.remove(name);
            }
        }
    }
}

impl Disk {
    fn powered(&self) -> io::Result<()> {
        if self.faults.off {
            Err(power_is_off())
        } else {
            Ok(())
        }
    }

    /// Counts a changing operation. When the power goes off in this one, it is carried out (its fate is drawn at the crash)
    /// but reports failure.
    fn operate(&mut self) -> io::Result<()> {
        self.powered()?;
        self.operations += 1;
        if let Some(left) = &mut self.faults.power_off_in {
            *left = left.saturating_sub(1);
            self.faults.off = *left == 0;
        }
        self.powered()
    }

    fn change_names(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.name_changes.push(change);
    }

    /// Frees files that no name leads to, now or after a crash.
    fn forget_unnamed(&mut self) {
        let Disk {
            files,
            names,
            synced_names,
            name_changes,
            ..
        } = self;
        if name_changes.is_empty() {
            files.retain(|id, _| {
                names
                    .values()
                    .chain(synced_names.values())
                    .any(|named| named == id)
            });
        }
    }

    fn written_bytes(&self) -> u64 {
        self.files
            .values()
            .map(|contents| contents.written.len() as u64 * SECTOR_BYTES as u64)
            .sum()
    }

    fn write(&mut self, id: u64, bytes: &[u8], offset: usize) -> io::Result<()> {
        let mut room = self
            .capacity
            .map(|capacity| capacity.saturating_sub(self.written_bytes()));
        let contents = self.files.get_mut(&id).ok_or(io::ErrorKind::NotFound)?;
        let end = offset
            .checked_add(bytes.len())
            .ok_or(io::ErrorKind::InvalidInput)?;
        if end > contents.current.len() {
            // The journal never grows a file; a medium that let it would hide a defect.
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let mut at = offset;
        while at < end {
            let sector = at / SECTOR_BYTES;
            let sector_end = ((sector + 1) * SECTOR_BYTES).min(end);
            if !contents.written.contains(&sector) {
                match &mut room {
                    Some(left) if *left < SECTOR_BYTES as u64 => {
                        return Err(io::ErrorKind::StorageFull.into());
                    }
                    Some(left) => *left -= SECTOR_BYTES as u64,
                    None => {}
                }
                contents.written.insert(sector);
            }
            contents.current[at..sector_end]
                .copy_from_slice(&bytes[at - offset..sector_end - offset]);
            let version = contents.sector(sector).to_vec();
            contents.unsynced.entry(sector).or_default().push(version);
            at = sector_end;
        }
        Ok(())
    }

    fn failed_syncs(&self, id: u64) -> u64 {
        self.files
            .get(&id)
            .map_or(0, |contents| contents.failed_syncs)
    }

    fn sync(&mut self, id: u64) -> io::Result<()> {
        let fails = countdown(&mut self.faults.sync_fails_in);
        let contents = self.files.get_mut(&id).ok_or(io::ErrorKind::NotFound)?;
        let unsynced = std::mem::take(&mut contents.unsynced);
        if fails {
            contents.failed_syncs += 1;
            return Err(io::Error::other("the disk could not write"));
        }
        for sector in unsynced.into_keys() {
            contents.keep(sector, None);
        }
        Ok(())
    }
}

/// A file: what readers see, what the medium holds for sure, and every version of a sector in between.
#[derive(Debug, Clone)]
struct Contents {
    current: Vec<u8>,
    synced: Vec<u8>,
    unsynced: BTreeMap<usize, Vec<Vec<u8>>>,
    written: BTreeSet<usize>,
    failed_syncs: u64,
}

impl Contents {
    fn zeros(bytes: usize) -> Contents {
        Contents {
            current: vec![0; bytes],
            synced: vec![0; bytes],
            unsynced: BTreeMap::new(),
            written: BTreeSet::new(),
            failed_syncs: 0,
        }
    }

    fn range(&self, sector: usize) -> std::ops::Range<usize> {
        let start = sector * SECTOR_BYTES;
        start..(start + SECTOR_BYTES).min(self.current.len())
    }

    fn sector(&self, sector: usize) -> &[u8] {
        &self.current[self.range(sector)]
    }

    /// Makes a version of a sector durable; `None` = the one readers see.
    fn keep(&mut self, sector: usize, version: Option<&[u8]>) {
        let range = self.range(sector);
        match version {
            Some(bytes) => self.synced[range].copy_from_slice(bytes),
            None => self.synced[range.clone()].copy_from_slice(&self.current[range]),
        }
    }

    /// After a crash: every unsynced sector becomes one of its versions.
    fn settle(&mut self, draw: &mut Draw) {
        for (sector, versions) in std::mem::take(&mut self.unsynced) {
            let kept = draw.below(versions.len() as u64 + 1) as usize;
            if let Some(version) = versions.get(kept) {
                self.keep(sector, Some(version));
            }
        }
        self.current = self.synced.clone();
    }

    fn change(&mut self, offset: u64, change: impl Fn(&mut u8)) -> bool {
        let Ok(at) = usize::try_from(offset) else {
            return false;
        };
        let (Some(current), Some(synced)) = (self.current.get_mut(at), self.synced.get_mut(at))
        else {
            return false;
        };
        change(current);
        change(synced);
        true
    }
}

#[derive(Debug)]
struct MemoryFile {
    disk: Arc<Mutex<Disk>>,
    id: u64,
    generation: u64,
    /// Failed syncs of the file that this opening knows of: each is told to each opening once, as real systems do.
    failures_told: AtomicU64,
}

impl MemoryFile {
    /// A handle from before a crash belongs to a dead process.
    fn alive(&self, disk: &Disk) -> io::Result<()> {
        disk.powered()?;
        if disk.generation == self.generation {
            Ok(())
        } else {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }
}

impl MediumFile for MemoryFile {
    fn bytes(&self) -> io::Result<u64> {
        let disk = self.disk.lock();
        self.alive(&disk)?;
        Ok(disk
            .files
            .get(&self.id)
            .ok_or(io::ErrorKind::NotFound)?
            .current
            .len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let disk = self.disk.lock();
        self.alive(&disk)?;
        let current = &disk
            .files
            .get(&self.id)
            .ok_or(io::ErrorKind::NotFound)?
            .current;
        let start = usize::try_from(offset)
            .map_err(|_| io::ErrorKind::InvalidInput)?
            .min(current.len());
        let count = buffer.len().min(current.len() - start);
        buffer[..count].copy_from_slice(&current[start..start + count]);
        Ok(count)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut disk = self.disk.lock();
        self.alive(&disk)?;
        let powered = disk.operate();
        if countdown(&mut disk.faults.write_fails_in) {
            return Err(io::Error::other("the disk could not write"));
        }
        let offset = usize::try_from(offset).map_err(|_| io::ErrorKind::InvalidInput)?;
        disk.write(self.id, bytes, offset)?;
        powered
    }

    fn sync(&self) -> io::Result<()> {
        let mut disk = self.disk.lock();
        self.alive(&disk)?;
        disk.operate()?;
        let outcome = disk.sync(self.id);
        let failures = disk.failed_syncs(self.id);
        if self.failures_told.swap(failures, Ordering::Relaxed) < failures {
            return outcome.and(Err(io::Error::other("the disk could not write before")));
        }
        outcome
    }
}

#[derive(Debug)]
struct MemoryLock {
    disk: Arc<Mutex<Disk>>,
    name: String,
    generation: u64,
}

impl MediumLock for MemoryLock {}

impl Drop for MemoryLock {
    fn drop(&mut self) {
        let mut disk = self.disk.lock();
        if disk.generation == self.generation {
            disk.locks.remove(&self.name);
        }
    }
}

/// A seeded source of draws (SplitMix64).
#[derive(Debug)]
struct Draw(u64);

impl Draw {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit.max(1)
    }
}

/// True when the counter reaches its end with this call.
fn countdown(counter: &mut Option<u64>) -> bool {
    match counter {
        Some(left) => {
            *left = left.saturating_sub(1);
            let due = *left == 0;
            if due {
                *counter = None;
            }
            due
        }
        None => false,
    }
}

fn power_is_off() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the power is off")
}
