//! From bytes to the typed view of a payment, with schema and national profile checked, beside the bare events of quick-xml over the same
//! bytes; and the writers.
//!
//! SPECIFICATION.md promises the ratio of the first two: they run in one group so that they share the machine's mood.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use quick_xml::events::Event;
use torap_iso20022::profile::Direction;
use torap_iso20022::view::Reader;
use torap_iso20022::write;

#[path = "../tests/national/formats.rs"]
mod formats;
#[path = "../tests/national/samples.rs"]
mod samples;

const DOCUMENT: &[u8] = include_bytes!("data/pacs008-84.xml");

/// The bare events: no namespaces, no validation, nothing kept.
fn events(bytes: &[u8]) -> usize {
    let mut reader = quick_xml::reader::Reader::from_reader(bytes);
    let mut count = 0;
    loop {
        match reader.read_event() {
            Ok(Event::Eof) => return count,
            Ok(event) => {
                black_box(&event);
                count += 1;
            }
            Err(error) => panic!("{error}"),
        }
    }
}

fn read(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("pacs008-84");
    group.throughput(Throughput::Bytes(DOCUMENT.len() as u64));
    group.bench_function("bare events", |bencher| {
        bencher.iter(|| events(black_box(DOCUMENT)))
    });
    let mut reader = Reader::new(formats::formats());
    group.bench_function("typed view", |bencher| {
        bencher.iter(|| {
            let message = reader
                .read(black_box(DOCUMENT), Direction::ToSwitch)
                .unwrap();
            black_box(&message);
        });
    });
    group.finish();
}

fn write(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("write");
    let mut out = Vec::with_capacity(16 * 1024);
    for (name, body) in samples::all() {
        let header = samples::header(samples::identifier(&body));
        // One of each kind that is written for every payment.
        let wanted = [
            "pacs.002-settled",
            "pacs.002-rejected",
            "pacs.008-by-account",
        ];
        if !wanted.contains(&name) {
            continue;
        }
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                out.clear();
                samples::append(&mut out, Some(black_box(&header)), black_box(&body));
                black_box(out.len())
            });
        });
    }
    let mut reader = Reader::new(formats::formats());
    let message = reader.read(DOCUMENT, Direction::ToSwitch).unwrap();
    let header = samples::header("HSBKKZKX20261121000000000001234");
    group.bench_function("forward of a pacs.008", |bencher| {
        bencher.iter(|| {
            out.clear();
            write::forward(
                &mut out,
                black_box(&header),
                message.message_type,
                &DOCUMENT[message.document.clone()],
            );
            black_box(out.len())
        });
    });
    group.finish();
}

criterion_group!(benches, read, write);
criterion_main!(benches);
