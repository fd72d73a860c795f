mod document;

use bytes::BytesMut;
use proptest::prelude::*;

use super::*;
use crate::key::{CheckValue, KeyAlgorithm, KeyExport, KeyMode, KeyUsage};
use crate::key_block::KeyRef;
use crate::limits::{FIELDS_MAX, FRAME_BYTES_MAX, MAC_DATA_BYTES_MAX, PREFIX_BYTES};
use crate::mac::{Mac, MacMethod, Padding};
use crate::pan::Pan;
use crate::pin::{PinBlock, PinFormat, Pvv};
use crate::port::NotTaken;
use crate::request::{Command, KeySpec, PinSource, PinTarget, Request};
use crate::response::{Diagnosis, NewKey, Response, Verdict};
use crate::status::Status;

const ZONE: &str = "D0112P0TB00E0000A9DE5FFAF86444BDE5189C23E8B9C62181D51569F54F76329D981A72F458115C4DA0FD7CB2A767C7F094D576C7296A34";
const MAC_KEY: &str = "D0112M6AC00E0000B82679114F470F540165EDFBF7E250FCEA43F810D215F8D207E2E417C07156A27E8E31DA05F7425509593D03A457DC34";

fn key(text: &str) -> KeyRef {
    KeyRef::parse(text).expect("a key block")
}

/// One of each, by every field.
fn check_requests(check: impl Fn(&Request<'_>)) {
    let (zone, mac_key) = (key(ZONE), key(MAC_KEY));
    let pan = Pan::parse(b"9999500000000004").expect("a PAN");
    let source = |format: PinFormat, bytes: &[u8]| PinSource {
        key: zone.block(),
        format,
        block: PinBlock::from_bytes(bytes).expect("8 or 16 bytes"),
    };
    let method = MacMethod::Algorithm3(Padding::Method1);
    for request in [
        Request::Echo(b""),
        Request::Echo(&[7; 64]),
        Request::Diagnose,
        Request::TranslatePin {
            from: source(PinFormat::Iso0, &[1; 8]),
            to: PinTarget {
                key: mac_key.block(),
                format: PinFormat::Iso4,
            },
            pan,
        },
        Request::TranslatePin {
            from: source(PinFormat::Iso4, &[2; 16]),
            to: PinTarget {
                key: zone.block(),
                format: PinFormat::Other(0xFE),
            },
            pan,
        },
        Request::VerifyPin {
            from: source(PinFormat::Iso3, &[3; 8]),
            pan,
            pvk: mac_key.block(),
            pvv: Pvv::new(6, *b"0917").expect("a value"),
        },
        Request::GenerateMac {
            key: mac_key.block(),
            method: MacMethod::AesCmac,
            data: b"",
        },
        Request::GenerateMac {
            key: mac_key.block(),
            method,
            data: &[0x30; MAC_DATA_BYTES_MAX],
        },
        Request::VerifyMac {
            key: mac_key.block(),
            method: MacMethod::Algorithm3(Padding::Method2),
            data: b"0200",
            mac: Mac::from_bytes(&[9; 8]).expect("8 bytes"),
        },
        Request::ImportKey {
            kek: zone.block(),
            block: mac_key.block(),
        },
        Request::ExportKey {
            kek: zone.block(),
            key: mac_key.block(),
        },
        Request::GenerateKey(KeySpec {
            usage: KeyUsage::Other(*b"Z9"),
            algorithm: KeyAlgorithm::Aes,
            bits: 256,
            mode: KeyMode::GenerateOnly,
            export: KeyExport::Never,
        }),
        Request::CheckKey(mac_key.block()),
    ] {
        check(&request);
    }
}

fn responses() -> Vec<Response> {
    let new = NewKey {
        block: key(ZONE),
        check_value: CheckValue::from_bytes(&[1, 2, 3]).expect("3 bytes"),
    };
    let value = CheckValue::from_bytes(&[1, 2, 3, 4, 5]).expect("5 bytes");
    vec![
        Response::Echo(vec![7; 64]),
        Response::Diagnose(Diagnosis {
            name: "HSM — one".into(),
            master_key: value,
            in_flight_max: 4096,
        }),
        Response::TranslatePin(PinBlock::from_bytes(&[4; 16]).expect("16 bytes")),
        Response::VerifyPin(Verdict::Right),
        Response::VerifyPin(Verdict::Wrong),
        Response::GenerateMac(Mac::from_bytes(&[5; 16]).expect("16 bytes")),
        Response::VerifyMac(Verdict::Wrong),
        Response::ImportKey(new.clone()),
        Response::ExportKey(new.clone()),
        Response::GenerateKey(new),
        Response::CheckKey(value),
    ]
}

fn encoded(request: &Request<'_>, correlation: u64) -> BytesMut {
    let mut out = BytesMut::new();
    encode_request(request, correlation, &mut out).expect("within the limits");
    out
}

fn frame(bytes: &[u8]) -> Frame<'_> {
    let (frame, length) = Frame::first(bytes).expect("a frame").expect("a whole one");
    assert_eq!(length, bytes.len());
    frame
}

/// Everything that a request says, `Debug` hiding parts of it.
fn same_request(a: &Request<'_>, b: &Request<'_>) {
    assert_eq!(encoded(a, 1), encoded(b, 1));
}

#[test]
fn requests_come_out_as_they_went_in() {
    check_requests(|request| {
        let bytes = encoded(request, 0x0102_0304_0506_0708);
        let frame = frame(&bytes);
        assert_eq!(frame.kind, Kind::Request);
        assert_eq!(frame.version, VERSION);
        assert_eq!(frame.command, request.command());
        assert_eq!(frame.correlation, 0x0102_0304_0506_0708);
        same_request(&decode_request(&frame).expect("a request"), request);
    });
}

#[test]
fn answers_come_out_as_they_went_in() {
    for response in responses() {
        let command = response.command();
        let mut bytes = BytesMut::new();
        encode_response(command, 42, &Ok(response.clone()), &mut bytes);
        let frame = frame(&bytes);
        assert_eq!((frame.kind, frame.correlation), (Kind::Response, 42));
        let read = decode_response(&frame).expect("an answer").expect("done");
        let mut again = BytesMut::new();
        encode_response(command, 42, &Ok(read), &mut again);
        assert_eq!(bytes, again, "{response:?}");
    }
    for status in Status::ALL.iter().copied().chain([Status::Other(999)]) {
        if status == Status::Done {
            continue;
        }
        let mut bytes = BytesMut::new();
        encode_response(Command::Other(77), 43, &Err(status), &mut bytes);
        let read = decode_response(&frame(&bytes)).expect("an answer");
        assert_eq!(read.err(), Some(status));
    }
}

#[test]
fn a_frame_is_taken_when_it_is_whole() {
    let bytes = encoded(&Request::Echo(b"abc"), 5);
    for length in 0..bytes.len() {
        assert!(
            matches!(Frame::first(&bytes[..length]), Ok(None)),
            "{length}"
        );
    }
    let mut two = bytes.to_vec();
    two.extend_from_slice(&encoded(&Request::Diagnose, 6));
    let (first, length) = Frame::first(&two).expect("a frame").expect("a whole one");
    assert_eq!(first.correlation, 5);
    assert_eq!(frame(&two[length..]).correlation, 6);
}

#[test]
fn impossible_lengths_are_refused_at_once() {
    for length in [0u32, 15, 40 * 1024 - 3, u32::MAX] {
        assert!(Frame::first(&length.to_be_bytes()).is_err(), "{length}");
    }
    let longest = u32::try_from(FRAME_BYTES_MAX - 4).expect("small");
    assert!(matches!(Frame::first(&longest.to_be_bytes()), Ok(None)));
}

#[test]
fn what_is_too_long_is_not_written() {
    let mut out = BytesMut::new();
    let mac_key = key(MAC_KEY);
    for request in [
        Request::Echo(&[0; 65]),
        Request::GenerateMac {
            key: mac_key.block(),
            method: MacMethod::AesCmac,
            data: &[0; MAC_DATA_BYTES_MAX + 1],
        },
    ] {
        let told = encode_request(&request, 1, &mut out);
        assert_eq!(told, Err(NotTaken::TooLong));
        assert!(out.is_empty());
    }
}

/// The request of the field row, with these fields in place of its own.
fn with_fields(command: Command, fields: &[(u16, &[u8])]) -> Result<(), Status> {
    let mut bytes = vec![0; PREFIX_BYTES];
    bytes[4] = VERSION;
    bytes[5] = Kind::Request.code();
    bytes[6..8].copy_from_slice(&command.code().to_be_bytes());
    for (tag, value) in fields {
        bytes.extend_from_slice(&tag.to_be_bytes());
        bytes.extend_from_slice(&u16::try_from(value.len()).expect("short").to_be_bytes());
        bytes.extend_from_slice(value);
    }
    let length = u32::try_from(bytes.len() - 4).expect("short");
    bytes[..4].copy_from_slice(&length.to_be_bytes());
    decode_request(&frame(&bytes)).map(|_| ())
}

#[test]
fn fields_are_stepped_over_or_refused_by_the_rules() {
    let echo = |fields: &[(u16, &[u8])]| with_fields(Command::Echo, fields);
    assert_eq!(echo(&[(1, b"a")]), Ok(()));
    assert_eq!(echo(&[]), Err(Status::Malformed));
    assert_eq!(echo(&[(1, b"a"), (1, b"a")]), Err(Status::Malformed));
    assert_eq!(echo(&[(1, &[0; 65])]), Err(Status::Malformed));
    // Unknown: stepped over, unless critical. Known: critical or not makes no difference.
    assert_eq!(echo(&[(0x7000, b"?"), (1, b"a")]), Ok(()));
    assert_eq!(
        echo(&[(0xF000, b"?"), (1, b"a")]),
        Err(Status::UnknownField)
    );
    assert_eq!(echo(&[(0x8001, b"a")]), Ok(()));
    // A field that means nothing here
    assert_eq!(echo(&[(1, b"a"), (14, &[1])]), Ok(()));
    let many: Vec<(u16, &[u8])> = (0x100..)
        .take(FIELDS_MAX)
        .map(|tag| (tag, &b""[..]))
        .collect();
    assert_eq!(echo(&many), Err(Status::Malformed));
    let mut most = many;
    most[0] = (1, b"a");
    assert_eq!(echo(&most), Ok(()));
    most.push((0x200, b""));
    assert_eq!(echo(&most), Err(Status::Malformed));
    assert_eq!(
        with_fields(Command::Other(12), &[]),
        Err(Status::UnknownCommand)
    );
    assert_eq!(
        with_fields(Command::CheckKey, &[(2, b"D0112")]),
        Err(Status::KeyBlockInvalid)
    );
    let mac_key = (2, MAC_KEY.as_bytes());
    let verify = |method: u8, mac: &[u8]| {
        with_fields(
            Command::VerifyMac,
            &[mac_key, (12, &[method]), (1, b""), (13, mac)],
        )
    };
    assert_eq!(verify(3, &[0; 8]), Ok(()));
    assert_eq!(verify(0, &[0; 8]), Err(Status::Malformed));
    assert_eq!(verify(3, &[0; 7]), Err(Status::Malformed));
    assert_eq!(verify(3, &[0; 17]), Err(Status::Malformed));
}

#[test]
fn another_version_is_refused_with_its_status() {
    let mut bytes = encoded(&Request::Diagnose, 1);
    bytes[4] = 2;
    let told = decode_request(&frame(&bytes));
    assert_eq!(told.err(), Some(Status::UnsupportedVersion));
    let mut bytes = BytesMut::new();
    encode_response(Command::Echo, 1, &Ok(Response::Echo(vec![])), &mut bytes);
    bytes[4] = 2;
    assert!(decode_response(&frame(&bytes)).is_err());
}

#[test]
fn every_flipped_bit_is_taken_or_refused_without_harm() {
    check_requests(|request| {
        let mut bytes = encoded(request, 9);
        // The long text would only repeat itself.
        for at in 0..bytes.len().min(700) {
            for bit in 0..8 {
                bytes[at] ^= 1 << bit;
                if let Ok(Some((frame, _))) = Frame::first(&bytes) {
                    let _ = decode_request(&frame);
                    let _ = decode_response(&frame);
                }
                bytes[at] ^= 1 << bit;
            }
        }
    });
}

#[test]
fn the_limits_leave_room_for_the_largest_request() {
    check_requests(|request| assert!(encoded(request, 1).len() < FRAME_BYTES_MAX));
}

#[test]
fn nothing_secret_is_shown() {
    check_requests(|request| {
        let bytes = encoded(request, 1);
        for shown in [format!("{request:?}"), format!("{:?}", frame(&bytes))] {
            for secret in [
                "9999500000000004",
                "0917",
                "A9DE5FFA",
                "B8267911",
                "[1, 1",
                "0101",
            ] {
                assert!(!shown.contains(secret), "{shown}");
            }
        }
    });
    for response in responses() {
        let shown = format!("{response:?}");
        for secret in ["4, 4", "0404", "5, 5", "0505", "A9DE5FFA", "7, 7"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_taken_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(Some((frame, length))) = Frame::first(&bytes) {
            prop_assert!(length <= bytes.len());
            let _ = decode_request(&frame);
            let _ = decode_response(&frame);
        }
    }
}
