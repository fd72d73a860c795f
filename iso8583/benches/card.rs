//! Reading, checking and forwarding one 0200 of 22 fields with 130 bytes of chip data, beside two other codecs over the same content.
//!
//! SPECIFICATION.md promises the figures and the ratios; all run in one group so that they share the machine's mood. `iso8583_rs` reads the
//! very bytes of the national dialect. `iso_8583_rs` knows hexadecimal bitmaps only: it is compared with ourselves on the national table
//! with such bitmaps, the same bytes for both.

use std::{hint::black_box, process::Command};

use criterion::{Criterion, Throughput};
use torap_iso8583::{Change, Dialect, Edit, Message, Mti, Step, check_step, tlv::Walk};

mod peers;
#[path = "../tests/codec/samples.rs"]
mod samples;

/// Where `iso8583_rs` looks for its one specification.
const SPECIFICATION: &str = "SPEC_FILE";

/// Walks chip data to its end.
fn walk(chip: Walk<'_>) -> usize {
    chip.map(|object| object.unwrap().value.len()).sum()
}

/// The STAN of the switch towards the issuer, and what it says about the clearing.
const EDITS: [Edit<'static>; 3] = [
    Edit::Set(11, b"004711"),
    Edit::Set(15, b"1121"),
    Edit::Set(
        63,
        b"001012T12611210001002010202611210100400460100500460200600612345",
    ),
];

fn ours(criterion: &mut Criterion) {
    let dialect = Dialect::national();
    let bytes = samples::purchase(dialect);
    let mut group = criterion.benchmark_group("0200 of 22 fields");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("parse and validate", |bencher| {
        bencher.iter(|| Message::parse(dialect, black_box(&bytes)).unwrap().fields());
    });
    group.bench_function("parse and validate, chip data walked", |bencher| {
        bencher.iter(|| {
            let message = Message::parse(dialect, black_box(&bytes)).unwrap();
            walk(message.tlv(55).unwrap())
        });
    });
    group.bench_function("parse, validate, check presence and rules", |bencher| {
        bencher.iter(|| {
            let message = Message::parse(dialect, black_box(&bytes)).unwrap();
            check_step(&message, Step::FromAcquirer).is_ok()
        });
    });
    let mut out = Vec::with_capacity(2 * bytes.len());
    group.bench_function("parse and forward, three fields changed", |bencher| {
        bencher.iter(|| {
            let message = Message::parse(dialect, black_box(&bytes)).unwrap();
            out.clear();
            let change = Change {
                edits: &EDITS,
                ..Change::default()
            };
            message.splice(&mut out, &change).unwrap();
            out.len()
        });
    });
    group.bench_function("write from values", |bencher| {
        let chip = samples::bytes(samples::CHIP);
        bencher.iter(|| {
            out.clear();
            let mut writer =
                torap_iso8583::Writer::start(dialect, Mti::new(200).unwrap(), &mut out);
            for (number, value) in samples::PURCHASE {
                writer.field(*number, value).unwrap();
            }
            writer.field(55, &chip).unwrap();
            writer.finish().unwrap();
        });
    });
    group.finish();
}

fn others(criterion: &mut Criterion, folder: &std::path::Path) {
    let dialect = peers::national_with_hex_bitmaps();
    let bytes = samples::purchase(&dialect);
    let file = folder.join("iso_8583_rs.yaml");
    std::fs::write(&file, peers::iso_8583_rs(&dialect)).unwrap();
    let spec = iso_8583_rs::CompiledSpec::from_file(file.to_str().unwrap()).unwrap();
    let mut group = criterion.benchmark_group("0200 of 22 fields");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("parse and validate, hexadecimal bitmaps", |bencher| {
        bencher.iter(|| {
            Message::parse(&dialect, black_box(&bytes))
                .unwrap()
                .fields()
        });
    });
    group.bench_function(
        "parse and validate by iso_8583_rs, hexadecimal bitmaps",
        |bencher| {
            bencher.iter(|| {
                iso_8583_rs::Message::parse(&spec, black_box(&bytes))
                    .unwrap()
                    .bitmap
            });
        },
    );
    let mut bytes = samples::purchase(Dialect::national());
    let spec = iso8583_rs::iso8583::iso_spec::spec("");
    group.bench_function("parse by iso8583_rs", |bencher| {
        bencher.iter(|| spec.parse(black_box(&mut bytes)).unwrap().fd_map.len());
    });
    group.finish();
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
    let mut criterion = Criterion::default().configure_from_args();
    ours(&mut criterion);
    others(&mut criterion, folder.path());
    criterion.final_summary();
}
