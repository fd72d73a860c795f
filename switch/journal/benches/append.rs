//! How fast the journal takes records on the data disk: chain, hashes, one `fdatasync` per group.
//!
//! `TORAP_BENCH_DIR` names a folder on the disk to measure; without it the build's target folder is taken. Never measure on a
//! memory file system. Beside criterion's wall times it prints the CPU time of the whole process per record.
//!
//! `bare file` is what the disk gives: the bytes of one group written to a file that is there already, and `fdatasync`, without
//! records, chain or checksum. The journal is to be judged by its ratio to that.
//!
//! `journal thread` measures bursts of 1,024 groups, each begun with the next segments ready, as in a switch that is not at its limit
//! all day. What it does when it is, with the next segments filled all the time, is printed last: `journal thread, in a row`.

use criterion::{
    BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main,
};
use crossbeam::channel::{Receiver, unbounded};
use rustix::time::{ClockId, clock_gettime};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use torap_journal::{
    Batch, EvidenceKey, FileMedium, Journal, Log, Options, Prepared, RecordMeta, SEGMENT_BYTES,
    ThreadOptions, ThreadedJournal,
};

/// One shape of load.
struct Load {
    name: &'static str,
    records: u64,
    facts_bytes: usize,
    evidence_bytes: usize,
    sealed: bool,
}

impl Load {
    /// What a record takes on the disk, its header of 160 bytes included.
    const fn record_bytes(&self) -> usize {
        self.facts_bytes + self.evidence_bytes + 160
    }
}

/// Groups in a burst: fewer than the segments that are kept ready can hold.
const BURST: u64 = 1024;

const LOADS: [Load; 5] = [
    Load {
        name: "256-byte records, 512 a sync",
        records: 512,
        // What a header of 160 bytes leaves.
        facts_bytes: 96,
        evidence_bytes: 0,
        sealed: false,
    },
    Load {
        name: "256-byte facts, 512 a sync",
        records: 512,
        facts_bytes: 256,
        evidence_bytes: 0,
        sealed: false,
    },
    Load {
        name: "256-byte facts, one a sync",
        records: 1,
        facts_bytes: 256,
        evidence_bytes: 0,
        sealed: false,
    },
    Load {
        name: "0.5 KB facts and 3.5 KB evidence encrypted, 64 a sync",
        records: 64,
        facts_bytes: 512,
        evidence_bytes: 3500,
        sealed: true,
    },
    Load {
        name: "0.5 KB facts and 3.5 KB evidence clear, 64 a sync",
        records: 64,
        facts_bytes: 512,
        evidence_bytes: 3500,
        sealed: false,
    },
];

fn append(criterion: &mut Criterion) {
    for load in &LOADS {
        let mut group = criterion.benchmark_group(load.name);
        group.throughput(Throughput::Elements(load.records));
        group
            .warm_up_time(Duration::from_secs(1))
            .measurement_time(Duration::from_secs(4))
            .sample_size(20);
        group.bench_function(BenchmarkId::from_parameter("one thread"), |bencher| {
            let bed = Bed::new(load);
            let mut log = bed.open(load);
            bencher.iter_custom(|groups| bed.one_thread(load, &mut log, groups));
        });
        group.bench_function(BenchmarkId::from_parameter("bare file"), |bencher| {
            let bed = Bed::new(load);
            let mut batch = bed.open(load).batch();
            bed.fill(load, &mut batch, 1);
            let bare = Bare::new(bed.folder.path(), batch.bytes());
            bencher.iter_custom(|groups| bare.write(load, groups));
        });
        group
            .throughput(Throughput::Elements(BURST * load.records))
            .sampling_mode(SamplingMode::Flat)
            .sample_size(10);
        group.bench_function(BenchmarkId::from_parameter("journal thread"), |bencher| {
            let bed = Bed::new(load);
            let mut driven = Driven::start(bed.open(load));
            bencher.iter_custom(|bursts| driven.bursts(&bed, load, bursts));
        });
        group.finish();
    }
}

/// A folder on the data disk, and the bytes to write.
struct Bed {
    folder: tempfile::TempDir,
    facts: Vec<u8>,
    evidence: Vec<u8>,
}

impl Bed {
    fn new(load: &Load) -> Bed {
        let parent = std::env::var_os("TORAP_BENCH_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")), PathBuf::from);
        let folder = tempfile::tempdir_in(&parent).expect("the bench folder can be written");
        Bed {
            folder,
            facts: vec![0x5a; load.facts_bytes],
            evidence: vec![0xa5; load.evidence_bytes],
        }
    }

    fn open(&self, load: &Load) -> Log {
        let group_bytes = (load.records as usize * (load.record_bytes() + 24)).max(1024);
        let options = Options {
            evidence_key: load.sealed.then(|| EvidenceKey::new([7; 32])),
            writer: "bench".to_owned(),
            // One batch fills a group, so that there are never more records to a sync than the load says.
            batch_bytes_max: group_bytes,
            group_bytes_max: group_bytes,
            verify_from: u64::MAX,
            ..Options::default()
        };
        let medium = FileMedium::open(self.folder.path()).expect("the bench folder opens");
        let (log, _) = Log::open(Arc::new(medium), options).expect("the journal opens");
        log
    }

    fn fill(&self, load: &Load, batch: &mut Batch, mut sequence: u64) {
        for _ in 0..load.records {
            let meta = RecordMeta {
                kind: 0x10,
                sequence,
                time: sequence,
                rules_version: 1,
            };
            batch
                .push(meta, &self.facts, &self.evidence)
                .expect("the batch has room");
            sequence += 1;
        }
    }

    /// Fill, seal, write, sync, in turn. The next segment is filled beside the clock, as a live switch does in another thread.
    fn one_thread(&self, load: &Load, log: &mut Log, groups: u64) -> Duration {
        let mut batch = log.batch();
        let (mut took, mut cpu) = (Duration::ZERO, Duration::ZERO);
        for _ in 0..groups {
            while log.prepare_step().expect("there is room") != Prepared::Ready {}
            let (began, cpu_began) = (Instant::now(), cpu_time());
            self.fill(load, &mut batch, log.next_sequence());
            log.append(std::slice::from_mut(&mut batch))
                .expect("the group is written");
            log.sync().expect("the group is synced");
            batch.clear();
            took += began.elapsed();
            cpu += cpu_time() - cpu_began;
        }
        report("one thread", load, groups, took, cpu);
        took
    }
}

/// A journal's thread, and how far it is durable.
struct Driven {
    journal: ThreadedJournal,
    durable: Receiver<u64>,
    sequence: u64,
}

impl Driven {
    fn start(log: Log) -> Driven {
        let sequence = log.next_sequence();
        let options = ThreadOptions {
            queue_batches: 2,
            ..ThreadOptions::default()
        };
        let (synced, durable) = unbounded();
        let wake = Box::new(move |upto| {
            // Nobody listens once the measurement has ended.
            let _ = synced.send(upto);
        });
        let journal = ThreadedJournal::start(log, options, wake).expect("the threads start");
        Driven {
            journal,
            durable,
            sequence,
        }
    }

    /// Waits until the next segments are filled.
    fn await_segments(&self) {
        while self.journal.segments_ready() < 2 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Bursts of groups; the segments for each are filled beside the clock.
    fn bursts(&mut self, bed: &Bed, load: &Load, bursts: u64) -> Duration {
        let mut all = Duration::ZERO;
        for _ in 0..bursts {
            self.await_segments();
            let (took, cpu) = self.append(bed, load, BURST);
            report("journal thread", load, BURST, took, cpu);
            all += took;
        }
        all
    }

    /// The caller fills batches, the journal's thread does the rest, a bounded number in flight; how long, and the processor's time.
    /// The caller sleeps until the last group is durable: one that spins takes a processor from the kernel's own threads, and under a
    /// real-time policy stops them altogether.
    fn append(&mut self, bed: &Bed, load: &Load, groups: u64) -> (Duration, Duration) {
        let (began, cpu) = (Instant::now(), cpu_time());
        for _ in 0..groups {
            let mut batch = self.journal.batch();
            bed.fill(load, &mut batch, self.sequence);
            self.sequence += load.records;
            self.journal.append(batch).expect("the batch is taken");
        }
        while self.durable.recv().expect("the journal lives") + 1 < self.sequence {}
        (began.elapsed(), cpu_time() - cpu)
    }
}

/// Segments in a row without a pause: log and preparer share the disk all the time.
fn in_a_row(_: &mut Criterion) {
    let is_test = std::env::args().any(|argument| argument == "--test");
    let segments = if is_test { 1 } else { 8 };
    let load = &LOADS[0];
    let bed = Bed::new(load);
    let mut driven = Driven::start(bed.open(load));
    driven.await_segments();
    let group_bytes = load.records * load.record_bytes() as u64;
    let groups = segments * SEGMENT_BYTES / group_bytes;
    let (took, cpu) = driven.append(&bed, load, groups);
    report("journal thread, in a row", load, groups, took, cpu);
}

/// A file that is written over and over, group by group.
struct Bare {
    file: std::fs::File,
    bytes: Vec<u8>,
}

impl Bare {
    /// Groups before the file begins again: enough that the disk cannot keep them together.
    const GROUPS: u64 = 1024;

    fn new(folder: &Path, bytes: usize) -> Bare {
        let file = std::fs::File::create_new(folder.join("bare")).expect("the file is made");
        let bytes = vec![0x5a; bytes];
        for group in 0..Bare::GROUPS {
            file.write_all_at(&bytes, group * bytes.len() as u64)
                .expect("the file is filled");
        }
        file.sync_all().expect("the file is synced");
        Bare { file, bytes }
    }

    fn write(&self, load: &Load, groups: u64) -> Duration {
        let (began, cpu) = (Instant::now(), cpu_time());
        for group in 0..groups {
            let offset = group % Bare::GROUPS * self.bytes.len() as u64;
            self.file
                .write_all_at(&self.bytes, offset)
                .expect("the group is written");
            self.file.sync_data().expect("the group is synced");
        }
        let took = began.elapsed();
        report("bare file", load, groups, took, cpu_time() - cpu);
        took
    }
}

/// CPU time of the whole process.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn report(driver: &str, load: &Load, groups: u64, took: Duration, cpu: Duration) {
    // Short calibration rounds say nothing.
    if took < Duration::from_millis(100) {
        return;
    }
    let records = groups * load.records;
    let rate = records as f64 / took.as_secs_f64();
    let cpu_nanos = cpu.as_nanos() / u128::from(records);
    eprintln!(
        "{} / {driver}: {rate:.0} records/s, {cpu_nanos} ns CPU a record, {groups} groups",
        load.name
    );
}

criterion_group!(benches, append, in_a_row);
criterion_main!(benches);
