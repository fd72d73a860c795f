//! Whatever a host sends: it is refused, or becomes a national message that can be read.

use torap_iso8583::{Dialect, Message};

use super::samples::{Chance, all, senseless};
use crate::card::crosswalk::{Crossed, Toward, from_national, to_national};
use crate::card::fixtures::now;

const DIALECTS: [&str; 2] = ["iso87-ascii", "iso93-bcd"];

/// What a byte is changed by.
const BITS: [u8; 2] = [0x01, 0x50];

/// Takes bytes across; gives whether they could be.
fn cross(dialect: &Dialect, bytes: &[u8]) -> bool {
    let Ok(message) = Message::parse(dialect, bytes) else {
        return false;
    };
    for toward in [Toward::Switch, Toward::Host] {
        let mut national = b"before".to_vec();
        match to_national(&message, toward, &mut national) {
            Ok(()) => {
                let crossed = Message::parse(Dialect::national(), &national[6..]).unwrap();
                // And back: refused or readable, too.
                let mut again = Vec::new();
                if from_national(&crossed, dialect, toward, now(), &mut again).is_ok() {
                    Message::parse(dialect, &again).unwrap();
                }
            }
            Err(_) => assert_eq!(national, b"before"),
        }
    }
    Crossed::read(dialect, bytes, Toward::Switch).is_ok()
}

#[test]
fn every_byte_of_every_message_may_be_changed() {
    for name in DIALECTS {
        let dialect = Dialect::built_in(name).unwrap();
        let (mut refused, mut taken) = (0, 0);
        for sample in all(&mut Chance::new(11)) {
            let bytes = sample.bytes();
            let message = Message::parse(Dialect::national(), &bytes).unwrap();
            let mut there = Vec::new();
            from_national(&message, dialect, sample.toward, now(), &mut there).unwrap();
            for place in 0..there.len() {
                for bits in BITS {
                    let mut changed = there.clone();
                    changed[place] ^= bits;
                    match cross(dialect, &changed) {
                        true => taken += 1,
                        false => refused += 1,
                    }
                }
            }
        }
        assert!(refused > 1000 && taken > 1000, "{refused} {taken}");
    }
}

#[test]
fn messages_that_make_no_sense_are_taken_or_refused() {
    for name in DIALECTS {
        let dialect = Dialect::built_in(name).unwrap();
        let mut taken = 0;
        for seed in 0..1_000 {
            let bytes = senseless(dialect, &mut Chance::new(seed));
            Message::parse(dialect, &bytes).unwrap();
            taken += usize::from(cross(dialect, &bytes));
        }
        assert!((30..970).contains(&taken), "{name}: {taken}");
    }
}
