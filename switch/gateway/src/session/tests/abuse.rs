//! Nothing from the wire panics, stalls or grows a session without bound.

use bytes::BytesMut;
use proptest::prelude::*;

use super::rig::*;
use crate::session::*;
use crate::wire::limits::*;

/// Feeds bytes and checks the bounds on what the session holds.
fn feed_server(pair: &mut Pair, bytes: &[u8]) {
    for chunk in bytes.chunks(8192) {
        pair.server_gets(chunk);
        assert!(pair.server.input().len() <= FRAME_BYTES_MAX + 8192);
        assert!(pair.server.input().capacity() <= 4 * FRAME_BYTES_MAX);
        let mut out = BytesMut::new();
        pair.server.poll_output(&mut out, pair.now);
        assert!(out.len() <= 64 * 1024);
        for event in pair.server_log.drain(..) {
            if let ServerEvent::Message(message) = event {
                // The driver is quick, so that the window never hides a fault.
                pair.server.acknowledge(message.sequence);
            }
        }
    }
}

/// A stream of good frames to be damaged.
fn good_stream(dice: &mut Dice) -> Vec<u8> {
    let mut pair = Pair::open();
    for sequence in 1..=20 {
        let size = if dice.one_in(5) {
            dice.below(150_000)
        } else {
            dice.below(300)
        };
        let body = dice.bytes(size as usize);
        pair.bank_sends(sequence, &body);
    }
    pair.run();
    pair.sent.0
}

#[test]
fn damaged_streams_never_panic_nor_grow() {
    for seed in 0..60 {
        let mut dice = Dice(seed);
        let mut stream = good_stream(&mut dice);
        for _ in 0..=dice.below(4) {
            let at = dice.below(stream.len() as u64) as usize;
            match dice.below(4) {
                0 => stream[at] = dice.next() as u8,
                1 => drop(stream.remove(at)),
                2 => stream.insert(at, dice.next() as u8),
                _ => {
                    let length = dice.below(500) as usize;
                    let again = stream[at..(at + length).min(stream.len())].to_vec();
                    stream.splice(at..at, again);
                }
            }
        }
        feed_server(&mut Pair::open(), &stream);
    }
}

#[test]
fn a_damaged_sign_on_never_panics() {
    let mut honest = Pair::new(client_config(), server_config());
    honest.run();
    for seed in 0..400 {
        let mut dice = Dice(seed);
        let (mut bank, mut switch) = honest.sent.clone();
        for _ in 0..=dice.below(3) {
            let (at, to) = (dice.next() as usize, dice.next() as u8);
            let (bank_length, switch_length) = (bank.len(), switch.len());
            bank[at % bank_length] = to;
            switch[at % switch_length] = to;
        }
        let mut pair = Pair::new(client_config(), server_config());
        pair.server_gets(&bank);
        let mut pair = Pair::new(client_config(), server_config());
        pair.client_gets(&switch);
    }
}

#[test]
fn an_endless_message_is_not_kept() {
    let mut pair = Pair::open();
    for part in 0..200 {
        let content_type = (part == 0).then_some(1);
        let flags = crate::wire::Flags::MORE_FOLLOWS;
        feed_server(
            &mut pair,
            &raw_data(1, flags, content_type, &[0; 48 * 1024]),
        );
    }
    assert!(format!("{:?}", pair.server).contains("Refused(42"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..3000), framed: bool) {
        let mut bytes = bytes;
        if framed && bytes.len() >= 4 {
            bytes[..3].copy_from_slice(b"TP\x01");
        }
        feed_server(&mut Pair::new(client_config(), server_config()), &bytes);
        feed_server(&mut Pair::open(), &bytes);
        Pair::new(client_config(), server_config()).client_gets(&bytes);
        Pair::open().client_gets(&bytes);
    }

    #[test]
    fn arbitrary_frames_never_panic(
        frames in proptest::collection::vec(
            (0u8..12, any::<u8>(), proptest::collection::vec((0u16..30, 0usize..40), 0..4), 0usize..100),
            0..30,
        ),
    ) {
        let mut stream = Vec::new();
        for (number, flags, headers, body) in frames {
            let mut block = Vec::new();
            for (tag, length) in headers {
                // Numbers are small most of the time, so that some sequences fit.
                let length = match tag { 2 | 3 => 8, 1 => 2, _ => length };
                block.extend_from_slice(&tag.to_be_bytes());
                block.extend_from_slice(&u16::try_from(length).unwrap().to_be_bytes());
                block.extend(std::iter::repeat_n(0, length));
                if let Some(last) = block.last_mut().filter(|_| length > 0) {
                    *last = 1;
                }
            }
            stream.extend_from_slice(&[b'T', b'P', 1, number, flags, 0]);
            stream.extend_from_slice(&u16::try_from(block.len()).unwrap().to_be_bytes());
            stream.extend_from_slice(&u32::try_from(block.len() + body).unwrap().to_be_bytes());
            stream.extend_from_slice(&block);
            stream.extend(std::iter::repeat_n(b'x', body));
        }
        feed_server(&mut Pair::open(), &stream);
        Pair::open().client_gets(&stream);
    }
}
