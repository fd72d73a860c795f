use bytes::BytesMut;
use proptest::prelude::*;

use super::{Frame, Framing, FramingError, FramingRule, LengthHeader, Tpdu};
use crate::card::limits::MESSAGE_BYTES_MAX;

const ADDRESSED: Tpdu = Tpdu([0x60, 0x01, 0x02, 0x03, 0x04]);

fn framing(header: LengthHeader, tpdu: bool) -> Framing {
    Framing { header, tpdu }
}

fn all() -> impl Iterator<Item = Framing> {
    LengthHeader::ALL
        .into_iter()
        .flat_map(|header| [false, true].map(|tpdu| framing(header, tpdu)))
}

/// Bytes that a message of `length` bytes starts with.
fn check_header(header: LengthHeader, length: usize, expected: &[u8]) {
    let mut out = Vec::new();
    assert!(framing(header, false).write(None, &vec![b'x'; length], &mut out));
    assert_eq!(&out[..header.bytes()], expected, "{header:?}");
}

#[test]
fn every_length_header_is_written_as_its_table_says() {
    check_header(LengthHeader::Binary2, 258, &[0x01, 0x02]);
    check_header(LengthHeader::Binary4, 258, &[0, 0, 0x01, 0x02]);
    check_header(LengthHeader::Ascii4, 258, b"0258");
    check_header(LengthHeader::Bcd2, 258, &[0x02, 0x58]);
    check_header(LengthHeader::Ascii4, 8192, b"8192");
    check_header(LengthHeader::Bcd2, 8192, &[0x81, 0x92]);
}

#[test]
fn the_length_counts_the_tpdu_and_not_itself() {
    let mut out = Vec::new();
    assert!(framing(LengthHeader::Binary2, true).write(Some(ADDRESSED), b"0800", &mut out));
    assert_eq!(out, b"\x00\x09\x60\x01\x02\x03\x040800");
}

#[test]
fn an_answer_goes_back_to_where_the_question_came_from() {
    assert_eq!(ADDRESSED.swapped(), Tpdu([0x60, 0x03, 0x04, 0x01, 0x02]));
    assert_eq!(ADDRESSED.swapped().swapped(), ADDRESSED);
}

#[test]
fn a_length_of_zero_is_a_keep_alive_in_every_framing() {
    for framing in all() {
        let mut out = Vec::new();
        framing.write_keep_alive(&mut out);
        assert_eq!(out.len(), framing.header.bytes());
        let mut stream = BytesMut::from(&out[..]);
        assert_eq!(framing.next(&mut stream), Ok(Some(Frame::KeepAlive)));
        assert!(stream.is_empty());
    }
}

fn check_refused(framing: Framing, bytes: &[u8], rule: FramingRule, length: usize) {
    let mut stream = BytesMut::from(bytes);
    let expected = Err(FramingError { rule, length });
    assert_eq!(framing.next(&mut stream), expected, "{framing:?} {bytes:?}");
}

#[test]
fn what_cannot_be_framed_is_refused_before_its_message_has_come() {
    use FramingRule::{LengthNotDecimal, TooLong, TooShort};
    let plain = |header| framing(header, false);
    check_refused(plain(LengthHeader::Binary2), &[0xff, 0xff], TooLong, 65_535);
    check_refused(plain(LengthHeader::Binary4), b"GET ", TooLong, 0x4745_5420);
    check_refused(plain(LengthHeader::Ascii4), b"02x8", LengthNotDecimal, 0);
    check_refused(plain(LengthHeader::Ascii4), b" 258", LengthNotDecimal, 0);
    check_refused(
        plain(LengthHeader::Bcd2),
        &[0x0a, 0x00],
        LengthNotDecimal,
        0,
    );
    check_refused(
        plain(LengthHeader::Bcd2),
        &[0x02, 0x5f],
        LengthNotDecimal,
        0,
    );
    check_refused(plain(LengthHeader::Ascii4), b"8193", TooLong, 8193);
    check_refused(framing(LengthHeader::Ascii4, true), b"8198", TooLong, 8198);
    check_refused(framing(LengthHeader::Binary2, true), &[0, 5], TooShort, 5);
    check_refused(framing(LengthHeader::Bcd2, true), &[0, 0x03], TooShort, 3);
}

#[test]
fn the_largest_message_passes_and_a_larger_one_is_not_written() {
    for framing in all() {
        let mut out = b"before".to_vec();
        assert!(!framing.write(None, &vec![1; MESSAGE_BYTES_MAX + 1], &mut out));
        assert!(!framing.write(None, b"", &mut out));
        assert_eq!(out, b"before");
        let message = vec![1; MESSAGE_BYTES_MAX];
        out.clear();
        assert!(framing.write(None, &message, &mut out));
        let mut stream = BytesMut::from(&out[..]);
        let Ok(Some(Frame::Message { message: read, .. })) = framing.next(&mut stream) else {
            panic!("{framing:?}: the largest message does not pass");
        };
        assert_eq!(read, message);
    }
}

#[test]
fn a_frame_does_not_show_its_message() {
    let frame = Frame::Message {
        tpdu: Some(ADDRESSED),
        message: b"9999990000000015".as_slice().into(),
    };
    assert_eq!(
        format!("{frame:?}"),
        "Message { tpdu: Some(6001020304), bytes: 16 }"
    );
}

fn any_framing() -> impl Strategy<Value = Framing> {
    (0..LengthHeader::ALL.len(), any::<bool>())
        .prop_map(|(header, tpdu)| framing(LengthHeader::ALL[header], tpdu))
}

proptest! {
    /// Messages and keep-alives come out as they went in, however the stream is cut.
    #[test]
    fn frames_survive_any_cut(
        framing in any_framing(),
        messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..20),
        cut in 1_usize..50,
    ) {
        let mut out = Vec::new();
        for message in &messages {
            if message.is_empty() {
                framing.write_keep_alive(&mut out);
            } else {
                prop_assert!(framing.write(Some(ADDRESSED), message, &mut out));
            }
        }
        let mut stream = BytesMut::new();
        let mut read = Vec::new();
        for chunk in out.chunks(cut) {
            stream.extend_from_slice(chunk);
            while let Some(frame) = framing.next(&mut stream).unwrap() {
                match frame {
                    Frame::KeepAlive => read.push(Vec::new()),
                    Frame::Message { tpdu, message } => {
                        prop_assert_eq!(tpdu, framing.tpdu.then_some(ADDRESSED));
                        read.push(message.to_vec());
                    }
                }
            }
        }
        prop_assert_eq!(read, messages);
        prop_assert!(stream.is_empty());
    }

    /// Any bytes either end in a refusal or leave less than one frame; the decoder never asks for more than one.
    #[test]
    fn any_bytes_are_framed_or_refused(
        framing in any_framing(),
        bytes in prop::collection::vec(any::<u8>(), 0..2000),
    ) {
        let mut stream = BytesMut::from(&bytes[..]);
        let mut taken = 0;
        loop {
            let before = stream.len();
            match framing.next(&mut stream) {
                Ok(Some(_)) => taken += before - stream.len(),
                Ok(None) => {
                    prop_assert!(stream.len() < framing.prefix_bytes() + MESSAGE_BYTES_MAX);
                    break;
                }
                Err(_) => break,
            }
        }
        prop_assert!(taken <= bytes.len());
    }
}
