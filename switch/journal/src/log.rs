//! The log as a synchronous state machine over a [`Medium`]: write a group, sync it, write the next; or, when much is to be
//! written, write the next while the one ahead is being synced. Each record says how many groups ahead of it were not known to be
//! synced, so that recovery knows which damage a crash can explain.
//!
//! It has no thread and no clock, so that a simulation drives the very code that runs live. After any failed write or sync it
//! is fenced: what the medium holds is then unknown, and only a new opening can find out.

use crate::batch::{Batch, RecordMeta};
use crate::catalog::{Catalog, Places, Segment};
use crate::chain::Chain;
use crate::error::JournalError;
use crate::medium::{Medium, MediumFile, MediumLock};
use crate::metrics::Metrics;
use crate::options::Options;
use crate::prepare::{Preparation, Prepared, Standby, Stepped};
use crate::reader::Reader;
use crate::record::{KIND_EPOCH_START, KIND_WITNESS, NO_HASH};
use crate::recovery::{Recovered, Recovery, recover, remove_standbys};
use crate::seal::{Writing, seal_group};
use crate::segment::{SEGMENT_HEADER_BYTES, SegmentHeader};
use crate::trail::Trail;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

/// Name of the lock that keeps two processes off one journal.
pub(crate) const LOCK_NAME: &str = "journal.lock";

/// Groups that may be written and not yet synced at one time.
pub(crate) const GROUPS_UNDER_WAY: usize = 2;

/// Position of a batch's last record: it is durable when [`durable_upto`](Log::durable_upto) has reached it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// An open log with the exclusive right to append.
#[derive(Debug)]
pub struct Log {
    medium: Arc<dyn Medium>,
    _lock: Box<dyn MediumLock>,
    options: Options,
    catalog: Arc<Catalog>,
    standby: Arc<Standby>,
    /// The next segment, while it is filled step by step in this thread.
    preparation: Option<Preparation>,
    metrics: Arc<Metrics>,
    writing: Writing,
    chain: Chain,
    active: Arc<Segment>,
    /// The active segment, opened once for each sync that may be under way. A file system tells each opening of a file of a
    /// failed write-back once, so that no sync can take the error of another one away.
    files: [Arc<dyn MediumFile>; GROUPS_UNDER_WAY],
    /// Offset in the active segment where the next group is written.
    offset: u64,
    /// Offset behind the last sealed group; the same unless one is sealed and not written yet.
    sealed_end: u64,
    /// Groups ahead that the sealed group says may be unsynced when it is written.
    sealed_lag: usize,
    /// Offset behind the last synced group.
    synced_end: u64,
    /// Sequence of the last record written.
    written_upto: u64,
    trail: Trail,
    /// Groups that are written and not yet synced, oldest first.
    under_way: VecDeque<Written>,
    /// For the journal's own records.
    own: Batch,
    fenced: Option<Arc<JournalError>>,
}

/// A group on its way to the disk.
#[derive(Debug, Clone, Copy)]
struct Written {
    /// Sequence of its last record.
    upto: u64,
    /// Offset behind it.
    end: u64,
}

impl Log {
    /// Opens the journal on a medium, or makes one if there is none, and begins a new epoch. When it returns, everything in the
    /// log is durable. Refuses damage and never repairs it; a torn end is dropped and reported.
    pub fn open(
        medium: Arc<dyn Medium>,
        options: Options,
    ) -> Result<(Log, Recovery), JournalError> {
        options.check()?;
        let lock = medium
            .lock(LOCK_NAME)
            .map_err(|source| match source.kind() {
                io::ErrorKind::WouldBlock => JournalError::Locked,
                _ => JournalError::medium("lock", LOCK_NAME, source),
            })?;
        remove_standbys(&*medium)?;
        let standby = Arc::new(Standby::new(Arc::clone(&medium), options.segment_bytes));
        let recovered = recover(&*medium, &options)?;
        let created = recovered.is_none();
        let recovered = match recovered {
            Some(recovered) => recovered,
            None => create(&*medium, &standby, &options)?,
        };
        let torn = recovered.torn.clone();
        let records_verified = recovered.records_verified;
        let mut log = Log::continuing(medium, lock, options, standby, recovered)?;
        if !created {
            log.begin_epoch()?;
        }
        let recovery = Recovery {
            first_sequence: log.catalog.first_sequence(),
            last_sequence: log.chain.last_sequence(),
            last_time: log.chain.last_time,
            epoch: log.writing.epoch,
            segments: log.catalog.segments(),
            records_verified,
            torn,
            created,
        };
        Ok((log, recovery))
    }

    /// An empty batch that fits this journal.
    pub fn batch(&self) -> Batch {
        Batch::new(
            self.options.batch_bytes_max,
            self.options.evidence_key.is_some(),
        )
    }

    /// Size limit of a group in bytes.
    pub fn group_bytes_max(&self) -> usize {
        self.options.group_bytes_max
    }

    /// Least size in bytes of a group that is written while the one ahead is being synced.
    pub(crate) fn overlap_bytes(&self) -> usize {
        self.options.overlap_bytes
    }

    /// Writes batches as one group: all of it survives a crash, or nothing. Durable only after [`sync`](Log::sync). One group
    /// ahead of it may be unsynced yet, if this one [goes into the same segment](Log::fits). The batches are sealed in place;
    /// clear them for reuse.
    ///
    /// # Panics
    /// If more groups before were not synced, or the batches hold no record or more than
    /// [`group_bytes_max`](Log::group_bytes_max): defects of the caller.
    pub fn append(&mut self, group: &mut [Batch]) -> Result<Ticket, JournalError> {
        self.open_for_writing()?;
        self.check(group)?;
        assert!(
            self.under_way.len() < GROUPS_UNDER_WAY,
            "the groups before must be synced first"
        );
        if !self.fits(group) {
            let begun = self.begin_segment();
            self.fence_on_error(begun)?;
        }
        self.seal_checked(group, self.under_way.len());
        self.write(group)
    }

    /// Makes everything written durable and returns the last durable sequence. A failure is never tried again.
    pub fn sync(&mut self) -> Result<u64, JournalError> {
        self.open_for_writing()?;
        #[cfg(feature = "mutants")]
        if crate::mutants::is_on(&crate::mutants::SKIP_SYNC) {
            return self.all_synced(Ok(()));
        }
        let synced = self.files[0].sync();
        self.all_synced(synced)
    }

    fn all_synced(&mut self, outcome: io::Result<()>) -> Result<u64, JournalError> {
        self.noted(outcome)?;
        while self.publish_next() {}
        Ok(self.written_upto)
    }

    /// Whether the group fits into the current segment. One that does not is written when nothing is under way.
    pub fn fits(&self, group: &[Batch]) -> bool {
        let bytes: usize = group.iter().map(Batch::bytes).sum();
        self.sealed_end + bytes as u64 <= self.active.header.segment_bytes
    }

    /// Encrypts, hashes and chains a group that fits, without touching the medium: this may be done while the groups before are
    /// still being synced. The caller writes it when no more than `ahead` of them are under way; the records say so.
    pub(crate) fn seal(&mut self, group: &mut [Batch], ahead: usize) -> Result<(), JournalError> {
        self.check(group)?;
        assert!(self.fits(group), "a group does not span segments");
        self.seal_checked(group, ahead.min(self.under_way.len()));
        Ok(())
    }

    /// Writes the sealed group. Its end is behind everything that was sealed.
    pub(crate) fn write(&mut self, group: &mut [Batch]) -> Result<Ticket, JournalError> {
        assert!(
            self.under_way.len() <= self.sealed_lag,
            "the groups before must be synced first"
        );
        let written = self.write_sealed(group);
        self.fence_on_error(written)?;
        let bytes: usize = group.iter().map(Batch::bytes).sum();
        let records: usize = group.iter().map(Batch::records).sum();
        self.metrics.group_written(records as u64, bytes as u64);
        Ok(Ticket(self.written_upto))
    }

    /// The file whose sync makes the written groups durable, for other threads: one for each sync under way.
    pub(crate) fn file(&self, nth: usize) -> Arc<dyn MediumFile> {
        Arc::clone(&self.files[nth % GROUPS_UNDER_WAY])
    }

    /// Takes the outcome of the sync that was begun after the oldest group under way was written; it is durable now.
    pub(crate) fn synced(&mut self, outcome: io::Result<()>) -> Result<u64, JournalError> {
        self.noted(outcome)?;
        self.publish_next();
        Ok(self.durable_upto())
    }

    fn noted(&mut self, outcome: io::Result<()>) -> Result<(), JournalError> {
        let synced =
            outcome.map_err(|source| JournalError::medium("sync", &self.active.name, source));
        self.fence_on_error(synced)
    }

    /// Says that the oldest group under way is durable; false if there is none.
    fn publish_next(&mut self) -> bool {
        let Some(written) = self.under_way.pop_front() else {
            return false;
        };
        self.catalog.publish_durable(written.upto);
        self.trail.add(
            &self.files[0],
            self.synced_end,
            written.end - self.synced_end,
        );
        self.synced_end = written.end;
        true
    }

    /// Whether damage to the last group would pass for a torn write. True after records, false after a witness.
    pub fn needs_witness(&self) -> bool {
        !self.chain.witnessed
    }

    /// Writes and syncs a witness: a group of the journal's own that proves that the one before it was durable.
    pub fn witness(&mut self) -> Result<(), JournalError> {
        self.open_for_writing()?;
        assert!(
            self.under_way.is_empty(),
            "the groups before must be synced first"
        );
        let bytes = self.write_own(KIND_WITNESS, self.chain.last_time);
        let bytes = self.fence_on_error(bytes)?;
        self.metrics.witness_written(bytes);
        self.sync()?;
        Ok(())
    }

    /// Fills the next segment by one chunk, for a log that has no preparer thread. An error does not fence the log: it goes on
    /// in the current segment.
    pub fn prepare_step(&mut self) -> Result<Prepared, JournalError> {
        if self.standby.is_ready() {
            return Ok(Prepared::Ready);
        }
        let preparation = match self.preparation.take() {
            Some(preparation) => preparation,
            None => self.standby.begin()?,
        };
        match self.standby.step(preparation)? {
            Stepped::Full(file) => {
                self.standby.put(file);
                Ok(Prepared::Ready)
            }
            Stepped::Unfinished(unfinished) => {
                self.preparation = Some(unfinished);
                Ok(Prepared::Working)
            }
        }
    }

    /// The sequence that the next record must have.
    pub fn next_sequence(&self) -> u64 {
        self.chain.next_sequence
    }

    /// Last durable sequence; 0 if there is none.
    pub fn durable_upto(&self) -> u64 {
        self.catalog.durable_upto()
    }

    /// The failure that closed this log, if one did.
    pub fn failure(&self) -> Option<Arc<JournalError>> {
        self.fenced.clone()
    }

    /// A reader of everything durable, for any thread.
    pub fn reader(&self) -> Reader {
        Reader::new(Arc::clone(&self.catalog))
    }

    /// The log's counters.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// The segment that was being filled in this thread, for the preparer to go on with.
    pub(crate) fn take_preparation(&mut self) -> Option<Preparation> {
        self.preparation.take()
    }

    pub(crate) fn standby(&self) -> &Arc<Standby> {
        &self.standby
    }

    fn continuing(
        medium: Arc<dyn Medium>,
        lock: Box<dyn MediumLock>,
        options: Options,
        standby: Arc<Standby>,
        recovered: Recovered,
    ) -> Result<Log, JournalError> {
        let Recovered {
            segments,
            active,
            file,
            chain,
            end,
            ..
        } = recovered;
        let catalog = Catalog::new(
            Arc::clone(&medium),
            options.evidence_key.clone(),
            chain.identity,
            segments,
            chain.last_sequence(),
        );
        let writing = Log::writing(&options, &chain, chain.epoch, chain.epoch_salt);
        let files = [file, open_again(&*medium, &active.name)?];
        Ok(Log {
            medium,
            _lock: lock,
            options,
            catalog: Arc::new(catalog),
            standby,
            preparation: None,
            metrics: Arc::default(),
            writing,
            chain,
            active,
            files,
            offset: end,
            sealed_end: end,
            sealed_lag: 0,
            synced_end: end,
            trail: Trail::default(),
            written_upto: chain.last_sequence(),
            under_way: VecDeque::with_capacity(GROUPS_UNDER_WAY),
            own: Batch::new(0, false),
            fenced: None,
        })
    }

    fn writing(options: &Options, chain: &Chain, epoch: u32, epoch_salt: u32) -> Writing {
        let cipher = options
            .evidence_key
            .as_ref()
            .map(|key| key.epoch(&chain.identity, epoch, epoch_salt));
        Writing {
            epoch,
            epoch_salt,
            cipher,
        }
    }

    /// Begins the epoch of this opening, by a record or, where none fits, by a new segment, which states its epoch.
    fn begin_epoch(&mut self) -> Result<(), JournalError> {
        let epoch = self.chain.epoch + 1;
        let epoch_salt = self.options.entropy.epoch_salt(epoch)?;
        self.writing = Log::writing(&self.options, &self.chain, epoch, epoch_salt);
        if self.offset + OWN_RECORD_BYTES > self.active.header.segment_bytes {
            return self.begin_segment();
        }
        self.write_own(KIND_EPOCH_START, self.options.opened_at)?;
        self.files[0]
            .sync()
            .map_err(|source| JournalError::medium("sync", &self.active.name, source))?;
        while self.publish_next() {}
        Ok(())
    }

    /// A group that does not continue the log, or was made for another one, is a defect of the caller, found before a byte is
    /// written.
    fn check(&mut self, group: &[Batch]) -> Result<(), JournalError> {
        let bytes: usize = group.iter().map(Batch::bytes).sum();
        let bytes_max = self.options.group_bytes_max;
        assert!(
            bytes <= bytes_max,
            "a group of {bytes} bytes is over the limit of {bytes_max}"
        );
        let sealing = self.options.evidence_key.is_some();
        let mut records = 0;
        let mut expected = self.chain.next_sequence;
        for batch in group.iter().filter(|batch| !batch.is_empty()) {
            assert!(
                batch.seals_evidence() == sealing,
                "a batch comes from its own journal"
            );
            let found = batch.first_sequence().unwrap_or(expected);
            if found != expected {
                return self.fence_on_error(Err(JournalError::OutOfOrder { expected, found }));
            }
            records += batch.records();
            expected += batch.records() as u64;
        }
        assert!(records > 0, "a group holds at least one record");
        Ok(())
    }

    /// Writes one of the journal's own records as a group.
    fn write_own(&mut self, kind: u16, time: u64) -> Result<u64, JournalError> {
        let meta = RecordMeta {
            kind,
            sequence: self.chain.last_sequence(),
            time,
            rules_version: 0,
        };
        let mut own = std::mem::replace(&mut self.own, Batch::new(0, false));
        own.clear();
        own.push_own(meta);
        if !self.fits(std::slice::from_ref(&own)) {
            self.begin_segment()?;
        }
        self.seal_checked(std::slice::from_mut(&mut own), self.under_way.len());
        self.write_sealed(std::slice::from_mut(&mut own))?;
        self.own = own;
        Ok(OWN_RECORD_BYTES)
    }

    fn seal_checked(&mut self, group: &mut [Batch], lag: usize) {
        self.sealed_lag = lag;
        let active = &self.active;
        let placed = |sequence, offset| active.note(sequence, offset);
        self.sealed_end = seal_group(
            group,
            &mut self.chain,
            &self.writing,
            self.sealed_end,
            lag as u8,
            placed,
        );
    }

    fn write_sealed(&mut self, group: &mut [Batch]) -> Result<(), JournalError> {
        for batch in group.iter_mut().filter(|batch| !batch.is_empty()) {
            let (file, offset) = (&self.files[0], self.offset);
            let written = batch.in_whole_pages(offset, |bytes| file.write_at(bytes, offset));
            written.map_err(|source| JournalError::medium("write", &self.active.name, source))?;
            self.offset += batch.bytes() as u64;
            self.written_upto = batch.last_sequence().unwrap_or(self.written_upto);
        }
        assert!(
            self.offset == self.sealed_end,
            "everything sealed is written"
        );
        self.under_way.push_back(Written {
            upto: self.written_upto,
            end: self.offset,
        });
        self.standby.report_used(self.offset);
        Ok(())
    }

    /// Goes on in a new segment. Everything in the current one is durable by now.
    fn begin_segment(&mut self) -> Result<(), JournalError> {
        assert!(
            self.under_way.is_empty(),
            "a segment is synced whole before the next one begins"
        );
        let (standby, late) = self.standby.take(&mut self.preparation)?;
        // A segment that holds nothing but epoch starts is replaced, because its successor has the same name.
        let current = &self.active.header;
        if current.first_sequence == self.chain.next_sequence {
            self.chain = Chain::at_segment(current);
        }
        let header = SegmentHeader {
            number: if current.first_sequence == self.chain.next_sequence {
                current.number
            } else {
                current.number + 1
            },
            first_sequence: self.chain.next_sequence,
            first_group: self.chain.group + 1,
            segment_bytes: self.options.segment_bytes,
            epoch: self.writing.epoch,
            epoch_salt: self.writing.epoch_salt,
            time: self.chain.last_time,
            identity: self.chain.identity,
            previous: self.chain.hash,
            key_check: current.key_check,
            writer: self.options.writer.clone(),
        };
        install(&*self.medium, &standby.name, &*standby.file, &header)?;
        self.chain.enter(&header.file_name(), &header)?;
        self.active = Arc::new(Segment::new(header, Places::following()));
        self.catalog.add(Arc::clone(&self.active));
        self.files = [
            Arc::from(standby.file),
            open_again(&*self.medium, &self.active.name)?,
        ];
        self.offset = SEGMENT_HEADER_BYTES as u64;
        self.sealed_end = self.offset;
        self.synced_end = self.offset;
        self.metrics.segment_begun(late);
        Ok(())
    }

    fn open_for_writing(&self) -> Result<(), JournalError> {
        match &self.fenced {
            Some(cause) => Err(JournalError::Fenced {
                cause: Arc::clone(cause),
            }),
            None => Ok(()),
        }
    }

    fn fence_on_error<T>(&mut self, outcome: Result<T, JournalError>) -> Result<T, JournalError> {
        outcome.map_err(|error| {
            let cause = Arc::new(error);
            self.fenced = Some(Arc::clone(&cause));
            JournalError::Fenced { cause }
        })
    }
}

/// Size of one of the journal's own records, which have neither facts nor evidence.
const OWN_RECORD_BYTES: u64 = crate::record::HEADER_BYTES as u64;

/// Another opening of a segment's file.
fn open_again(medium: &dyn Medium, name: &str) -> Result<Arc<dyn MediumFile>, JournalError> {
    let opened = medium.open(name);
    let file = opened.map_err(|source| JournalError::medium("open", name, source))?;
    Ok(Arc::from(file))
}

/// Makes the first segment of a new journal.
fn create(
    medium: &dyn Medium,
    standby: &Standby,
    options: &Options,
) -> Result<Recovered, JournalError> {
    let identity = options.entropy.identity()?;
    let header = SegmentHeader {
        number: 1,
        first_sequence: 1,
        first_group: 1,
        segment_bytes: options.segment_bytes,
        epoch: 1,
        epoch_salt: options.entropy.epoch_salt(1)?,
        time: options.opened_at,
        identity,
        previous: NO_HASH,
        key_check: options
            .evidence_key
            .as_ref()
            .map_or([0; 16], |key| key.check(&identity)),
        writer: options.writer.clone(),
    };
    let prepared = standby.finish(standby.begin()?)?;
    install(medium, &prepared.name, &*prepared.file, &header)?;
    let chain = Chain::at_segment(&header);
    let active = Arc::new(Segment::new(header, Places::following()));
    Ok(Recovered {
        chain,
        segments: vec![Arc::clone(&active)],
        active,
        file: Arc::from(prepared.file),
        end: SEGMENT_HEADER_BYTES as u64,
        torn: None,
        records_verified: 0,
    })
}

/// Turns a standby file into a segment. Its header is durable before its name is, so that a segment without a sound header is
/// always damage.
fn install(
    medium: &dyn Medium,
    standby: &str,
    file: &dyn MediumFile,
    header: &SegmentHeader,
) -> Result<(), JournalError> {
    let name = header.file_name();
    file.write_at(&header.encode(), 0)
        .map_err(|source| JournalError::medium("write", &name, source))?;
    file.sync()
        .map_err(|source| JournalError::medium("sync", &name, source))?;
    medium
        .rename(standby, &name)
        .map_err(|source| JournalError::medium("rename", &name, source))?;
    medium
        .sync_dir()
        .map_err(|source| JournalError::medium("sync folder", "", source))
}
