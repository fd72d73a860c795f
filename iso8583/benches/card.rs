//! Reading, checking and forwarding one 0200 of 22 fields with 130 bytes of chip data, beside two other codecs over the same content.
//!
//! SPECIFICATION.md promises the figures and the ratios; all run in one group so that they share the machine's mood. `iso8583_rs` reads the
//! very bytes of the national dialect. `iso_8583_rs` knows hexadecimal bitmaps only: it is compared with ourselves on the national table
//! with such bitmaps, the same bytes for both.
//!
//! A last line gives the best of many short batches, taken in turns: what each costs while nothing else takes the processor, and ratios that
//! a busy machine does not bend.

use std::{fmt::Write, hint::black_box, process::Command, time::Instant};

use criterion::{Criterion, Throughput};
use torap_iso8583::{Change, Dialect, Edit, Message, Mti, Step, Writer, check_step};

mod peers;
#[path = "../tests/codec/samples.rs"]
mod samples;

/// Where `iso8583_rs` looks for its one specification.
const SPECIFICATION: &str = "SPEC_FILE";
/// Batches of each case, and runs of a batch: one takes some microseconds, less than the scheduler's tick.
const BATCHES: usize = 4000;
const RUNS: u32 = 40;

/// The STAN of the switch towards the issuer, and what it says about the clearing.
const EDITS: [Edit<'static>; 3] = [
    Edit::Set(11, b"004711"),
    Edit::Set(15, b"1121"),
    Edit::Set(
        63,
        b"001012T12611210001002010202611210100400460100500460200600612345",
    ),
];

fn parse(dialect: &Dialect, bytes: &[u8]) -> u32 {
    Message::parse(dialect, bytes).unwrap().fields().len()
}

/// Walks chip data to its end.
fn walk(dialect: &Dialect, bytes: &[u8]) -> usize {
    let message = Message::parse(dialect, bytes).unwrap();
    let chip = message.tlv(55).unwrap();
    chip.map(|object| object.unwrap().value.len()).sum()
}

fn forward(dialect: &Dialect, bytes: &[u8], out: &mut Vec<u8>) -> usize {
    let message = Message::parse(dialect, bytes).unwrap();
    out.clear();
    let change = Change {
        edits: &EDITS,
        ..Change::default()
    };
    message.splice(out, &change).unwrap();
    out.len()
}

/// The two other codecs, each set up with our table.
struct Others {
    /// The national table with hexadecimal bitmaps, and the purchase by it.
    dialect: Dialect,
    bytes: Vec<u8>,
    iso_8583_rs: iso_8583_rs::CompiledSpec,
    iso8583_rs: &'static iso8583_rs::iso8583::iso_spec::Spec,
}

impl Others {
    fn new(folder: &std::path::Path) -> Others {
        let dialect = peers::national_with_hex_bitmaps();
        let file = folder.join("iso_8583_rs.yaml");
        std::fs::write(&file, peers::iso_8583_rs(&dialect)).unwrap();
        Others {
            bytes: samples::purchase(&dialect),
            iso_8583_rs: iso_8583_rs::CompiledSpec::from_file(file.to_str().unwrap()).unwrap(),
            iso8583_rs: iso8583_rs::iso8583::iso_spec::spec(""),
            dialect,
        }
    }

    fn iso_8583_rs(&self) -> u128 {
        let message = iso_8583_rs::Message::parse(&self.iso_8583_rs, black_box(&self.bytes));
        message.unwrap().bitmap
    }

    fn iso8583_rs(&self, bytes: &mut Vec<u8>) -> usize {
        self.iso8583_rs
            .parse(black_box(bytes))
            .unwrap()
            .fd_map
            .len()
    }
}

fn ours(criterion: &mut Criterion) {
    let dialect = Dialect::national();
    let bytes = samples::purchase(dialect);
    let mut group = criterion.benchmark_group("card, 0200 of 22 fields");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("parse and validate", |bencher| {
        bencher.iter(|| parse(dialect, black_box(&bytes)));
    });
    group.bench_function("parse and validate, chip data walked", |bencher| {
        bencher.iter(|| walk(dialect, black_box(&bytes)));
    });
    group.bench_function("parse, validate, check presence and rules", |bencher| {
        bencher.iter(|| {
            let message = Message::parse(dialect, black_box(&bytes)).unwrap();
            check_step(&message, Step::FromAcquirer).is_ok()
        });
    });
    let mut out = Vec::with_capacity(2 * bytes.len());
    group.bench_function("parse and forward, three fields changed", |bencher| {
        bencher.iter(|| forward(dialect, black_box(&bytes), &mut out));
    });
    group.bench_function("write from values", |bencher| {
        let chip = samples::bytes(samples::CHIP);
        bencher.iter(|| {
            out.clear();
            let mut writer = Writer::start(dialect, Mti::new(200).unwrap(), &mut out);
            for (number, value) in samples::PURCHASE {
                writer.field(*number, value).unwrap();
            }
            writer.field(55, &chip).unwrap();
            writer.finish().unwrap();
        });
    });
    group.finish();
}

fn beside_others(criterion: &mut Criterion, others: &Others) {
    let mut group = criterion.benchmark_group("card, 0200 of 22 fields");
    group.throughput(Throughput::Bytes(others.bytes.len() as u64));
    group.bench_function("parse and validate, hexadecimal bitmaps", |bencher| {
        bencher.iter(|| parse(&others.dialect, black_box(&others.bytes)));
    });
    group.bench_function(
        "parse and validate by iso_8583_rs, hexadecimal bitmaps",
        |bencher| bencher.iter(|| others.iso_8583_rs()),
    );
    let mut bytes = samples::purchase(Dialect::national());
    group.bench_function("parse by iso8583_rs", |bencher| {
        bencher.iter(|| others.iso8583_rs(&mut bytes));
    });
    group.finish();
}

/// One thing that is timed.
struct Case<'c> {
    name: &'static str,
    run: Box<dyn FnMut() + 'c>,
    /// Of the best batch, a run.
    nanoseconds: f64,
}

fn case<'c>(name: &'static str, run: impl FnMut() + 'c) -> Case<'c> {
    Case {
        name,
        run: Box::new(run),
        nanoseconds: f64::INFINITY,
    }
}

fn best_of_batches(others: &Others) {
    let dialect = Dialect::national();
    let bytes = samples::purchase(dialect);
    let (mut out, mut theirs) = (Vec::with_capacity(2 * bytes.len()), bytes.clone());
    let mut cases = [
        case("parse", || {
            black_box(parse(dialect, black_box(&bytes)));
        }),
        case("walked", || {
            black_box(walk(dialect, black_box(&bytes)));
        }),
        case("forward", || {
            black_box(forward(dialect, black_box(&bytes), &mut out));
        }),
        case("iso8583_rs", || {
            black_box(others.iso8583_rs(&mut theirs));
        }),
        case("parse with hexadecimal bitmaps", || {
            black_box(parse(&others.dialect, black_box(&others.bytes)));
        }),
        case("iso_8583_rs", || {
            black_box(others.iso_8583_rs());
        }),
    ];
    for _ in 0..BATCHES {
        for case in &mut cases {
            let start = Instant::now();
            (0..RUNS).for_each(|_| (case.run)());
            let taken = start.elapsed().as_nanos() as f64 / f64::from(RUNS);
            case.nanoseconds = case.nanoseconds.min(taken);
        }
    }
    let mut line = format!("best of {BATCHES} batches of {RUNS}, ns:");
    for case in &cases {
        write!(line, " {} {:.0},", case.name, case.nanoseconds).unwrap();
    }
    let [parse, _, _, slow, hexadecimal, quick] = cases.map(|case| case.nanoseconds);
    eprintln!(
        "{line} ratios {:.0} and {:.2}",
        slow / parse,
        quick / hexadecimal
    );
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    if std::env::var_os(SPECIFICATION).is_none() {
        let file = folder.path().join("iso8583_rs.yaml");
        std::fs::write(&file, peers::iso8583_rs(Dialect::national())).unwrap();
        let mut again = Command::new(std::env::current_exe().unwrap());
        let status = again
            .args(std::env::args_os().skip(1))
            .env(SPECIFICATION, file)
            .status()
            .unwrap();
        assert!(status.success());
        return;
    }
    let others = Others::new(folder.path());
    let mut criterion = Criterion::default().configure_from_args();
    ours(&mut criterion);
    beside_others(&mut criterion, &others);
    criterion.final_summary();
    // Neither when the bodies are only tried, nor when something else is wanted of them.
    let mut arguments = std::env::args();
    if !arguments
        .any(|argument| ["--test", "--list", "--profile-time"].contains(&argument.as_str()))
    {
        best_of_batches(&others);
    }
}
