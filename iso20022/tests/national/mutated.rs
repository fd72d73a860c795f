//! Whatever arrives, reading ends in a message or a refusal; and what is read can be written again.

use torap_iso20022::profile::Direction;
use torap_iso20022::view::{Body, Reader};
use torap_iso20022::{Mode, Parser};

use crate::formats::formats;
use crate::samples::{all, header, identifier};
use crate::written;

const SEED: u64 = 0x7072_6f66_696c_6531;
const MUTATIONS_PER_MESSAGE: usize = 500;

/// xorshift64: enough to scatter mutations, the same on every run.
struct Scatter(u64);

impl Scatter {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below.max(1) as u64) as usize
    }
}

/// Bytes that mean something to XML or to the profile.
const BYTES: &[u8] = b"<>/&;'\" =:!?-.0129AZaz\n\0\xD0\xFF";

fn mutate(bytes: &mut Vec<u8>, scatter: &mut Scatter) {
    for _ in 0..=scatter.next(2) {
        let at = scatter.next(bytes.len());
        let until = (at + 1 + scatter.next(40)).min(bytes.len());
        match scatter.next(16) {
            0 => bytes[at] = BYTES[scatter.next(BYTES.len())],
            1 => bytes.insert(at, BYTES[scatter.next(BYTES.len())]),
            2 => drop(bytes.drain(at..until)),
            3 => bytes[at] = bytes[at].wrapping_add(1),
            4 => {
                let copy = bytes[at..until].to_vec();
                let to = scatter.next(bytes.len());
                bytes.splice(to..to, copy);
            }
            _ => {
                // Text by text: the likeliest to stay well-formed.
                let is_text = |pair: &[u8]| pair[0] == b'>' && pair[1] != b'<';
                let Some(start) = bytes[at..]
                    .windows(2)
                    .position(is_text)
                    .map(|place| at + place + 1)
                else {
                    continue;
                };
                let Some(end) = bytes[start..]
                    .iter()
                    .position(|byte| *byte == b'<')
                    .map(|place| start + place)
                else {
                    continue;
                };
                let values: [&[u8]; 8] = [
                    b"C2C2",
                    b"KZT",
                    b"0.01",
                    b"1",
                    "Ж".as_bytes(),
                    b"TELE",
                    b"2026-11-21T09:15:27Z",
                    b"&amp;",
                ];
                bytes.splice(
                    start..end,
                    values[scatter.next(values.len())].iter().copied(),
                );
            }
        }
    }
}

#[test]
fn mutated_messages_are_read_or_refused() {
    let mut scatter = Scatter(SEED);
    let mut reader = Reader::new(formats());
    let (mut read, mut refused_by_profile, mut refused) = (0, 0, 0);
    for (name, body) in all() {
        let source = written(Some(&header(identifier(&body))), &body);
        for round in 0..MUTATIONS_PER_MESSAGE {
            let mut bytes = source.clone();
            mutate(&mut bytes, &mut scatter);
            let _ = reader.identify(&bytes);
            match reader.read(&bytes, Direction::Either) {
                Ok(message) => {
                    read += 1;
                    if message.body != Body::Other {
                        let again = written(message.header.as_ref(), &message.body);
                        let verdict = Parser::new().parse(&again, Mode::SchemaOnly).map(|_| ());
                        assert_eq!(
                            verdict,
                            Ok(()),
                            "{name} round {round}: {}",
                            String::from_utf8_lossy(&again)
                        );
                    }
                }
                Err(refusal) if refusal.reason().is_some() => refused_by_profile += 1,
                Err(_) => refused += 1,
            }
        }
    }
    // The mutations reach all three ends.
    assert!(
        read > 500 && refused_by_profile > 500 && refused > 500,
        "{read} {refused_by_profile} {refused}"
    );
}
