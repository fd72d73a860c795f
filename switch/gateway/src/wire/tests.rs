use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use torap_domain::{Bic, Sequence};

use super::limits::*;
use super::*;

/// docs/wire.md is the rule; its tables must be the ones in the code.
const DOCUMENT: &str = include_str!("../../../../docs/wire.md");

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn bic(text: &str) -> Bic {
    Bic::parse(text).unwrap()
}

/// Decodes one frame that must stand alone, after sign-on.
fn decode(bytes: &[u8]) -> Result<Packet, WireError> {
    let mut decoder = FrameDecoder::new();
    decoder.lift_sign_on_limit();
    let mut stream = BytesMut::from(bytes);
    let frame = decoder.next(&mut stream)?.expect("a whole frame");
    assert!(stream.is_empty(), "the frame ends where the bytes end");
    Packet::parse(&frame)
}

/// The frame has these bytes, spaces aside, and is read back as it was.
fn check_golden(write: impl FnOnce(&mut BytesMut), golden: &str, shows: &str) {
    let mut out = BytesMut::new();
    write(&mut out);
    assert_eq!(hex(&out), golden.replace([' ', '\n'], ""));
    assert_eq!(format!("{:?}", decode(&out).unwrap()), shows);
}

/// The frame is refused with this code at this byte.
fn check_refused(bytes: &[u8], code: ErrorCode, offset: usize) {
    let error = decode(bytes).unwrap_err();
    assert_eq!((error.code, error.offset), (code, offset), "{error}");
}

fn frame(frame_type: FrameType, flags: Flags, headers: &[(u16, &[u8])], body: &[u8]) -> Vec<u8> {
    let mut block = Vec::new();
    for (tag, value) in headers {
        block.extend_from_slice(&tag.to_be_bytes());
        block.extend_from_slice(&u16::try_from(value.len()).unwrap().to_be_bytes());
        block.extend_from_slice(value);
    }
    let mut bytes = vec![b'T', b'P', 1, frame_type.number(), flags.0, 0];
    bytes.extend_from_slice(&u16::try_from(block.len()).unwrap().to_be_bytes());
    bytes.extend_from_slice(
        &u32::try_from(block.len() + body.len())
            .unwrap()
            .to_be_bytes(),
    );
    bytes.extend_from_slice(&block);
    bytes.extend_from_slice(body);
    bytes
}

fn hello() -> Hello {
    Hello {
        versions: Versions::OURS,
        name: name("alatau"),
        mode: Mode::Test,
        bics: vec![bic("CASPKZKA")],
        held: Sequence(5),
        nonce: Nonce([0x11; 32]),
        heartbeat_ms: None,
        window: Window {
            messages: 100,
            bytes: 1_000_000,
        },
    }
}

#[test]
fn golden_hello() {
    let golden = "5450 01 01 00 00 0061 00000061
        0010 0002 0101  0011 0006 616c61746175  0012 0001 01  0013 0008 434153504b5a4b41
        0015 0008 0000000000000005
        0014 0020 1111111111111111111111111111111111111111111111111111111111111111
        0017 0004 00000064  0018 0004 000f4240";
    let shows = format!("{:?}", Packet::Hello(hello()));
    check_golden(
        |out| {
            hello().write(out);
        },
        golden,
        &shows,
    );
}

#[test]
fn golden_challenge() {
    let challenge = Challenge {
        version: 1,
        name: name("torap"),
        nonce: Nonce([0x22; 32]),
    };
    let golden = "5450 01 02 00 00 0033 00000033
        0010 0002 0101  0011 0005 746f726170
        0014 0020 2222222222222222222222222222222222222222222222222222222222222222";
    let shows = format!("{:?}", Packet::Challenge(challenge.clone()));
    check_golden(
        |out| {
            challenge.write(out);
        },
        golden,
        &shows,
    );
}

#[test]
fn golden_sign_on() {
    let golden = "5450 01 03 00 00 0024 00000024
        001a 0020 3333333333333333333333333333333333333333333333333333333333333333";
    let shows = format!("{:?}", Packet::SignOn(SignOn { mac: [0x33; 32] }));
    check_golden(
        |out| {
            SignOn { mac: [0x33; 32] }.write(out, 1);
        },
        golden,
        &shows,
    );
}

#[test]
fn golden_signed_on() {
    let signed_on = SignedOn {
        held: Sequence(7),
        heartbeat_ms: 5000,
        window: Window {
            messages: 100,
            bytes: 1_000_000,
        },
        message_bytes_max: 1_048_576,
        mac: [0x44; 32],
    };
    let golden = "5450 01 04 00 00 0050 00000050
        0015 0008 0000000000000007  0016 0004 00001388  0017 0004 00000064  0018 0004 000f4240
        0019 0004 00100000
        001a 0020 4444444444444444444444444444444444444444444444444444444444444444";
    let shows = format!("{:?}", Packet::SignedOn(signed_on.clone()));
    check_golden(
        |out| {
            signed_on.write(out, 1);
        },
        golden,
        &shows,
    );
}

#[test]
fn golden_data() {
    let golden = "5450 01 05 02 00 003e 00000042
        0002 0008 0000000000000009  0001 0002 0002  0003 0008 0000000000000004
        0004 0002 6331  0005 0002 7369  0006 0010 55555555555555555555555555555555
        7b7d0d0a";
    let write = |out: &mut BytesMut| {
        let mut writer = FrameWriter::begin(out, 1, FrameType::Data, Flags::POSSIBLE_DUPLICATE);
        writer.u64(Tag::Sequence, 9);
        writer.u16(Tag::ContentType, 2);
        writer.u64(Tag::Acknowledged, 4);
        writer.value(Tag::Correlation, b"c1");
        writer.value(Tag::Signature, b"si");
        writer.value(Tag::Trace, &[0x55; 16]);
        writer.finish(b"{}\r\n");
    };
    let head = DataHead {
        sequence: Sequence(9),
        content_type: Some(ContentType::CommandJson),
        acknowledged: Some(Sequence(4)),
        correlation: Some(Bytes::from_static(b"c1")),
        signature: Some(Bytes::from_static(b"si")),
        trace: Some(TraceId([0x55; 16])),
        possible_duplicate: true,
        more_follows: false,
    };
    let data = Packet::Data(Data {
        head,
        body: Bytes::from_static(b"{}\r\n"),
    });
    check_golden(write, golden, &format!("{data:?}"));
}

#[test]
fn golden_small_frames() {
    check_golden(
        |out| Packet::write_acknowledge(out, 1, Sequence(3)),
        "5450 01 06 00 00 000c 0000000c 0003 0008 0000000000000003",
        "Acknowledge(Sequence(3))",
    );
    check_golden(
        |out| Packet::write_skip(out, 1, Sequence(3)),
        "5450 01 07 00 00 000c 0000000c 0002 0008 0000000000000003",
        "Skip(Sequence(3))",
    );
    check_golden(
        |out| Packet::write_heartbeat(out, 1),
        "5450 01 08 00 00 0000 00000000",
        "Heartbeat",
    );
    let sign_off = SignOff {
        moved: vec!["a:1".into(), "b:2".into()],
    };
    check_golden(
        |out| sign_off.write(out, 1),
        "5450 01 09 00 00 000e 0000000e 0009 0003 613a31 0009 0003 623a32",
        "SignOff(SignOff { moved: [\"a:1\", \"b:2\"] })",
    );
    check_golden(
        |out| {
            PeerError::write(
                out,
                1,
                ErrorCode::SequenceGap,
                Some(Sequence(8)),
                "gap",
                true,
            )
        },
        "5450 01 0a 04 00 0019 00000019 0007 0002 0028 0002 0008 0000000000000008 0008 0003 676170",
        "Error(PeerError { number: 40, text: \"gap\", sequence: Some(Sequence(8)), closes: true })",
    );
}

#[test]
fn what_cannot_be_framed_is_refused() {
    check_refused(b"GET / HTTP/1.1\r\n", ErrorCode::BadMagic, 0);
    check_refused(
        b"TP\x02\x08\0\0\0\0\0\0\0\0",
        ErrorCode::UnsupportedVersion,
        2,
    );
    check_refused(
        b"TP\x01\x08\0\0\xff\xff\0\0\xff\xff",
        ErrorCode::BadLength,
        6,
    );
    check_refused(
        b"TP\x01\x08\0\0\0\x04\0\0\0\x03abc",
        ErrorCode::BadLength,
        8,
    );
    check_refused(
        b"TP\x01\x08\0\0\0\0\xff\xff\xff\xff",
        ErrorCode::BadLength,
        8,
    );
}

#[test]
fn sign_on_takes_small_frames_only() {
    let whole = frame(
        FrameType::Hello,
        Flags::NONE,
        &[],
        &vec![0; SIGN_ON_FRAME_BYTES_MAX],
    );
    let error = FrameDecoder::new()
        .next(&mut BytesMut::from(&whole[..]))
        .unwrap_err();
    assert_eq!((error.code, error.offset), (ErrorCode::BadLength, 8));
    let fits = frame(
        FrameType::Hello,
        Flags::NONE,
        &[],
        &vec![0; SIGN_ON_FRAME_BYTES_MAX - PREFIX_BYTES],
    );
    assert!(
        FrameDecoder::new()
            .next(&mut BytesMut::from(&fits[..]))
            .unwrap()
            .is_some()
    );
}

#[test]
fn headers_are_checked() {
    let data = |headers: &[(u16, &[u8])]| frame(FrameType::Data, Flags::NONE, headers, b"");
    let sequence: (u16, &[u8]) = (2, &[0, 0, 0, 0, 0, 0, 0, 1]);
    check_refused(&data(&[(1, &[0, 1])]), ErrorCode::BadHeaders, 6);
    check_refused(&data(&[sequence, sequence]), ErrorCode::BadHeaders, 24);
    check_refused(&data(&[(2, &[1])]), ErrorCode::BadHeaders, 12);
    check_refused(&data(&[sequence, (4, &[])]), ErrorCode::BadHeaders, 24);
    check_refused(
        &data(&[sequence, (4, &[0; CORRELATION_BYTES_MAX + 1])]),
        ErrorCode::BadHeaders,
        24,
    );
    check_refused(&data(&[sequence, (6, &[0; 15])]), ErrorCode::BadHeaders, 24);
    let many: Vec<(u16, &[u8])> = vec![(0x700, &[]); HEADERS_MAX + 1];
    check_refused(
        &data(&many),
        ErrorCode::BadHeaders,
        PREFIX_BYTES + HEADERS_MAX * HEADER_PREFIX_BYTES,
    );
    let mut runs_past = data(&[sequence]);
    runs_past[15] = 9;
    check_refused(&runs_past, ErrorCode::BadHeaders, 12);
    check_refused(
        b"TP\x01\x08\0\0\0\x03\0\0\0\x03abc",
        ErrorCode::BadHeaders,
        12,
    );
}

#[test]
fn unknown_headers_are_stepped_over_unless_critical() {
    let sequence: (u16, &[u8]) = (2, &[0, 0, 0, 0, 0, 0, 0, 1]);
    let unknown = frame(
        FrameType::Data,
        Flags(0xf0),
        &[(0x0700, b"?"), sequence],
        b"x",
    );
    assert!(
        matches!(decode(&unknown), Ok(Packet::Data(data)) if data.head.sequence == Sequence(1))
    );
    let known_as_critical = frame(FrameType::Data, Flags::NONE, &[(0x8002, sequence.1)], b"x");
    assert!(matches!(decode(&known_as_critical), Ok(Packet::Data(_))));
    let critical = frame(
        FrameType::Data,
        Flags::NONE,
        &[(0x8700, b"?"), sequence],
        b"x",
    );
    check_refused(&critical, ErrorCode::UnknownCriticalHeader, 12);
    assert_eq!(decode(&critical).unwrap_err().sequence, Some(Sequence(1)));
}

#[test]
fn unknown_types_keep_the_link() {
    let mut unknown = frame(FrameType::Heartbeat, Flags::NONE, &[], b"");
    unknown[3] = 200;
    check_refused(&unknown, ErrorCode::UnknownType, 3);
    assert!(ErrorCode::UnknownType.keeps_link());
}

#[test]
fn sign_on_frames_need_their_headers() {
    let mut whole = BytesMut::new();
    hello().write(&mut whole);
    // Each mandatory header in turn becomes an unknown one.
    for (offset, rule) in [
        (12, "HELLO needs versions"),
        (18, "HELLO needs a name"),
        (28, "HELLO needs a mode"),
        (33, "HELLO needs at least one BIC"),
        (45, "HELLO needs the sequence held"),
        (57, "HELLO needs a nonce"),
    ] {
        let mut without = whole.clone();
        without[offset] = 0x07;
        let error = decode(&without).unwrap_err();
        assert_eq!((error.code, error.rule), (ErrorCode::BadHeaders, rule));
    }
    let mac: (u16, &[u8]) = (26, &[0; 32]);
    check_refused(
        &frame(FrameType::SignOn, Flags::NONE, &[], b""),
        ErrorCode::BadHeaders,
        6,
    );
    check_refused(
        &frame(
            FrameType::SignOn,
            Flags::NONE,
            &[mac, (0x700, &[0; 32])],
            b"",
        ),
        ErrorCode::BadHeaders,
        6,
    );
    check_refused(
        &frame(FrameType::SignOn, Flags::NONE, &[mac], b"x"),
        ErrorCode::BadHeaders,
        6,
    );
}

#[test]
fn hello_values_are_checked() {
    let nonce = [1; 32];
    let check = |replaced: u16, value: &[u8]| {
        let mut headers: Vec<(u16, &[u8])> = vec![
            (16, &[1, 1]),
            (17, b"alatau"),
            (18, &[1]),
            (19, b"CASPKZKA"),
            (21, &[0; 8]),
            (20, &nonce),
        ];
        for header in &mut headers {
            if header.0 == replaced {
                header.1 = value;
            }
        }
        let error = decode(&frame(FrameType::Hello, Flags::NONE, &headers, b"")).unwrap_err();
        assert_eq!(error.code, ErrorCode::BadHeaders, "header {replaced}");
    };
    check(16, &[0, 1]);
    check(16, &[2, 1]);
    check(17, b"");
    check(17, b"two words");
    check(17, &[b'a'; NAME_BYTES_MAX + 1]);
    check(18, &[3]);
    check(19, b"CASPKZK");
    check(19, &[0xff; 8]);
    let bics: Vec<(u16, &[u8])> = vec![(19, b"CASPKZKA"); BICS_MAX + 1];
    check_refused(
        &frame(FrameType::Hello, Flags::NONE, &bics, b""),
        ErrorCode::BadHeaders,
        12 + BICS_MAX * 12,
    );
}

#[test]
fn bodies_share_the_memory_of_the_input() {
    let bytes = frame(
        FrameType::Data,
        Flags::NONE,
        &[(2, &[0, 0, 0, 0, 0, 0, 0, 1])],
        &[7; 1000],
    );
    let mut stream = BytesMut::with_capacity(4096);
    stream.extend_from_slice(&bytes);
    stream.extend_from_slice(&bytes);
    let memory = stream.as_ptr() as usize..stream.as_ptr() as usize + stream.len();
    let mut decoder = FrameDecoder::new();
    decoder.lift_sign_on_limit();
    for _ in 0..2 {
        let frame = decoder.next(&mut stream).unwrap().unwrap();
        assert!(memory.contains(&(frame.body().as_ptr() as usize)));
        assert_eq!(frame.body().len(), 1000);
    }
}

#[test]
fn a_partial_frame_makes_room_for_itself_and_no_more() {
    let bytes = frame(
        FrameType::Data,
        Flags::NONE,
        &[(2, &[0, 0, 0, 0, 0, 0, 0, 1])],
        &[7; 3000],
    );
    let mut stream = BytesMut::from(&bytes[..100]);
    assert!(FrameDecoder::new().next(&mut stream).unwrap().is_none());
    assert!(stream.capacity() >= bytes.len() && stream.capacity() <= 2 * bytes.len());
}

#[test]
fn error_text_is_cut_between_characters() {
    let mut out = BytesMut::new();
    PeerError::write(
        &mut out,
        1,
        ErrorCode::BadHeaders,
        None,
        &"я".repeat(200),
        false,
    );
    let Packet::Error(error) = decode(&out).unwrap() else {
        panic!("an ERROR")
    };
    assert_eq!(error.text, "я".repeat(TEXT_BYTES_MAX / 2));
}

#[test]
fn numbers_are_unique_and_survive() {
    for &code in ErrorCode::ALL {
        assert_eq!(ErrorCode::from_number(code.number()), Some(code));
    }
    for &tag in Tag::ALL {
        assert_eq!(Tag::from_number(tag.number()), Some(tag));
    }
    assert_eq!(ErrorCode::from_number(0), None);
    for number in [0, 1, 2, 3, 4, 0xffff] {
        assert_eq!(ContentType::from_number(number).number(), number);
    }
}

#[test]
fn the_document_lists_every_code() {
    for &code in ErrorCode::ALL {
        let link = if code.keeps_link() { "lives" } else { "closes" };
        let row = format!(
            "| {} | {} | {} | {} | {} |",
            code.number(),
            code.name(),
            link,
            code.actor().name(),
            code.text()
        );
        assert!(DOCUMENT.contains(&row), "docs/wire.md lacks the row\n{row}");
    }
}

#[test]
fn the_document_lists_every_type_tag_and_limit() {
    for number in 1..=10 {
        let frame_type = FrameType::from_number(number).unwrap();
        let row = format!("| {number} | {} |", screaming(&format!("{frame_type:?}")));
        assert!(DOCUMENT.contains(&row), "docs/wire.md lacks the row\n{row}");
    }
    for &tag in Tag::ALL {
        let row = format!("| {} | {} |", tag.number(), screaming(&format!("{tag:?}")));
        assert!(DOCUMENT.contains(&row), "docs/wire.md lacks the row\n{row}");
    }
    for (name, value) in [
        ("FRAME_BYTES_MAX", FRAME_BYTES_MAX as u64),
        ("SIGN_ON_FRAME_BYTES_MAX", SIGN_ON_FRAME_BYTES_MAX as u64),
        ("HEADERS_BYTES_MAX", HEADERS_BYTES_MAX as u64),
        ("HEADERS_MAX", HEADERS_MAX as u64),
        ("MESSAGE_BYTES_MAX", MESSAGE_BYTES_MAX as u64),
        ("FORWARD_HEADROOM_BYTES", FORWARD_HEADROOM_BYTES as u64),
        ("BANK_MESSAGE_BYTES_MAX", BANK_MESSAGE_BYTES_MAX as u64),
        ("CORRELATION_BYTES_MAX", CORRELATION_BYTES_MAX as u64),
        ("SIGNATURE_BYTES_MAX", SIGNATURE_BYTES_MAX as u64),
        ("TEXT_BYTES_MAX", TEXT_BYTES_MAX as u64),
        ("NAME_BYTES_MAX", NAME_BYTES_MAX as u64),
        ("BICS_MAX", BICS_MAX as u64),
        ("ADDRESS_BYTES_MAX", ADDRESS_BYTES_MAX as u64),
        ("ADDRESSES_MAX", ADDRESSES_MAX as u64),
        ("WINDOW_MESSAGES", WINDOW_MESSAGES.into()),
        ("WINDOW_BYTES", WINDOW_BYTES.into()),
        ("REFUSALS_MAX", REFUSALS_MAX.into()),
        ("SIGN_ON_NS_MAX", SIGN_ON_NS_MAX),
        ("HEARTBEAT_MS", HEARTBEAT_MS.into()),
        ("HEARTBEAT_MS_MIN", HEARTBEAT_MS_MIN.into()),
        ("HEARTBEAT_MS_MAX", HEARTBEAT_MS_MAX.into()),
        ("SILENT_HEARTBEATS", SILENT_HEARTBEATS),
        ("PROGRESS_NS_MAX", PROGRESS_NS_MAX),
        ("SIGN_OFF_NS_MAX", SIGN_OFF_NS_MAX),
    ] {
        let row = format!("| {name} | {value} |");
        assert!(DOCUMENT.contains(&row), "docs/wire.md lacks the row\n{row}");
    }
}

/// `SignOn` → `SIGN_ON`.
fn screaming(camel: &str) -> String {
    let mut text = String::new();
    for (at, letter) in camel.char_indices() {
        if letter.is_uppercase() && at > 0 {
            text.push('_');
        }
        text.push(letter.to_ascii_uppercase());
    }
    text
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let mut stream = BytesMut::from(&bytes[..]);
        while let Ok(Some(frame)) = FrameDecoder::new().next(&mut stream) {
            let _ = Packet::parse(&frame);
        }
    }

    #[test]
    fn arbitrary_headers_never_panic(number in 0u8..12, block in proptest::collection::vec(any::<u8>(), 0..300)) {
        let headers = u16::try_from(block.len()).unwrap().to_be_bytes();
        let mut bytes = vec![b'T', b'P', 1, number, 0, 0, headers[0], headers[1], 0, 0, headers[0], headers[1]];
        bytes.extend_from_slice(&block);
        let _ = decode(&bytes);
    }

    #[test]
    fn mutated_frames_never_panic(at in 0usize..109, to: u8) {
        let mut bytes = BytesMut::new();
        hello().write(&mut bytes);
        bytes[at] = to;
        if let Ok(Some(frame)) = FrameDecoder::new().next(&mut bytes) {
            let _ = Packet::parse(&frame);
        }
    }
}
