//! What a request to the HSM costs the switch. `cargo bench -p torap-hsm`.

use std::hint::black_box;
use std::time::Duration;

use bytes::BytesMut;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use torap_hsm::wire::{Frame, decode_request, encode_response};
use torap_hsm::{
    CheckValue, Command, Diagnosis, HsmEvent, HsmLink, HsmLinkConfig, KeyRef, Pan, PaymentHsm,
    PinBlock, PinFormat, PinSource, PinTarget, Request, Response,
};

const KEY: &str = "D0112P0TB00E0000A9DE5FFAF86444BDE5189C23E8B9C62181D51569F54F76329D981A72F458115C4DA0FD7CB2A767C7F094D576C7296A34";
/// Requests that go out together.
const TOGETHER: u64 = 64;

/// A link that is up, to an HSM that this program plays.
fn link_up() -> HsmLink {
    let mut link = HsmLink::new(HsmLinkConfig::default(), 0);
    link.poll_event();
    link.handle_connected(0);
    let mut out = BytesMut::new();
    link.poll_output(&mut out);
    let (frame, _) = Frame::first(&out).expect("a frame").expect("a whole one");
    let diagnosis = Response::Diagnose(Diagnosis {
        name: "bench".into(),
        master_key: CheckValue::from_bytes(&[1, 2, 3]).expect("3 bytes"),
        in_flight_max: 4096,
    });
    answer(
        &mut link,
        Command::Diagnose,
        frame.correlation,
        &Ok(diagnosis),
    );
    assert!(matches!(link.poll_event(), Some(HsmEvent::Up(_))));
    link
}

fn answer(
    link: &mut HsmLink,
    command: Command,
    correlation: u64,
    answer: &Result<Response, torap_hsm::Status>,
) {
    let mut bytes = BytesMut::new();
    encode_response(command, correlation, answer, &mut bytes);
    let taken = link.handle_bytes(&bytes, 0);
    assert_eq!(taken, bytes.len());
}

fn port(criterion: &mut Criterion) {
    let key = KeyRef::parse(KEY).expect("a key block");
    let request = Request::TranslatePin {
        from: PinSource {
            key: key.block(),
            format: PinFormat::Iso0,
            block: PinBlock::from_bytes(&[1; 8]).expect("8 bytes"),
        },
        to: PinTarget {
            key: key.block(),
            format: PinFormat::Iso0,
        },
        pan: Pan::parse(b"9999500000000004").expect("a PAN"),
    };
    let done = Ok(Response::TranslatePin(
        PinBlock::from_bytes(&[2; 8]).expect("8 bytes"),
    ));
    let mut group = criterion.benchmark_group("port");
    let mut link = link_up();
    let (mut out, mut back) = (BytesMut::new(), BytesMut::new());
    let mut next = 1;
    group.throughput(Throughput::Elements(TOGETHER));
    group.bench_function("ask and take the answer", |bencher| {
        bencher.iter(|| {
            for _ in 0..TOGETHER {
                next = link
                    .request(black_box(&request), 1_000_000_000, 0)
                    .expect("taken")
                    .0;
            }
            out.clear();
            link.poll_output(&mut out);
            back.clear();
            for id in next + 1 - TOGETHER..=next {
                encode_response(Command::TranslatePin, id, &done, &mut back);
            }
            assert_eq!(link.handle_bytes(&back, 0), back.len());
            for _ in 0..TOGETHER {
                black_box(link.poll_event());
            }
        });
    });
    let mut frame = BytesMut::new();
    torap_hsm::wire::encode_request(&request, 1, &mut frame).expect("within the limits");
    group.throughput(Throughput::Elements(1));
    group.bench_function("read a request", |bencher| {
        bencher.iter(|| {
            let (frame, _) = Frame::first(black_box(&frame))
                .expect("a frame")
                .expect("whole");
            decode_request(&frame).expect("a request").command()
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(50).measurement_time(Duration::from_secs(3));
    targets = port
}
criterion_main!(benches);
