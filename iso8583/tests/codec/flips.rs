//! Damage: whatever one byte is changed to, the message is refused or says something else, and nothing of it is overlooked.

use torap_iso8583::{Dialect, Message, Refusal};

use crate::{
    arbitrary::{Chance, message, values},
    round::written_again,
    samples,
};

/// Every byte to other values, `others` being what they differ by. What is taken has another content, and that content, written again, is the changed bytes: so each of them
/// was read. Gives how many changes were refused, and how many were taken.
#[track_caller]
fn flip_every_byte(dialect: &Dialect, bytes: &[u8], others: &[u8]) -> (usize, usize) {
    let original = Message::parse(dialect, bytes).unwrap();
    let before = (original.mti(), values(&original));
    let mut changed = bytes.to_vec();
    let (mut refused, mut taken) = (0, 0);
    for place in 0..bytes.len() {
        for byte in others.iter().map(|other| bytes[place] ^ other) {
            changed[place] = byte;
            match Message::parse(dialect, &changed) {
                Err(refusal) => {
                    refused += 1;
                    check_place(&refusal, bytes.len());
                }
                Ok(message) => {
                    taken += 1;
                    assert_ne!(
                        (message.mti(), values(&message)),
                        before,
                        "byte {place} to {byte:02X} is not noticed"
                    );
                    assert_eq!(
                        written_again(&message),
                        changed,
                        "byte {place} to {byte:02X} is overlooked"
                    );
                }
            }
            changed[place] = bytes[place];
        }
    }
    (refused, taken)
}

/// Each single bit, and a few of several.
const BITS: [u8; 12] = [1, 2, 4, 8, 16, 32, 64, 128, 3, 0x0F, 0xF0, 0xFF];

fn check_place(refusal: &Refusal, length: usize) {
    assert!(refusal.offset as usize <= length, "{refusal}");
    assert!(!refusal.code().is_empty());
}

#[test]
fn every_byte_of_the_purchase() {
    let all: Vec<u8> = (1..=255).collect();
    for dialect in [Dialect::national(), Dialect::iso87_ascii()] {
        let (refused, taken) = flip_every_byte(dialect, &samples::purchase(dialect), &all);
        // Binary values (chip data, PIN block) may be anything, digits may be other digits: the rest is refused.
        assert!(refused > taken, "{refused} refused, {taken} taken");
    }
}

#[test]
fn every_byte_of_messages_that_nobody_chose() {
    for name in Dialect::BUILT_IN {
        let dialect = Dialect::built_in(name).unwrap();
        let (mut refused, mut taken) = (0, 0);
        for seed in 0..5 {
            let bytes = message(dialect, &mut Chance::new(seed));
            let counts = flip_every_byte(dialect, &bytes, &BITS);
            refused += counts.0;
            taken += counts.1;
        }
        assert!(
            refused > 0 && taken > 0,
            "{name}: {refused} refused, {taken} taken"
        );
    }
}

/// Every structured field of the purchase, walked to its end: damage inside is refused or read as something else.
#[test]
fn damage_inside_of_structured_fields_is_refused_when_they_are_walked() {
    let dialect = Dialect::national();
    let bytes = samples::purchase(dialect);
    let message = Message::parse(dialect, &bytes).unwrap();
    let chip = message.get(55).unwrap();
    let at = bytes.len() - chip.len();
    let mut changed = bytes.clone();
    let mut refused = 0;
    for place in at..bytes.len() {
        for byte in 0..=255 {
            changed[place] = byte;
            let message = Message::parse(dialect, &changed).unwrap();
            refused += usize::from(message.check_subfields().is_err());
        }
        changed[place] = bytes[place];
    }
    assert!(refused > 0);
}

#[test]
fn every_shorter_and_longer_message_is_refused() {
    for name in Dialect::BUILT_IN {
        let dialect = Dialect::built_in(name).unwrap();
        for seed in 0..40 {
            let bytes = message(dialect, &mut Chance::new(seed));
            for length in 0..bytes.len() {
                assert!(
                    Message::parse(dialect, &bytes[..length]).is_err(),
                    "{name} {seed} {length}"
                );
            }
            let longer = [&bytes[..], b"0"].concat();
            assert!(Message::parse(dialect, &longer).is_err(), "{name} {seed}");
        }
    }
}
