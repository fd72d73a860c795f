//! National → another dialect → national: what comes back is what went, but for what the other dialect cannot say.

use torap_iso8583::{Dialect, Message, Mti};

use super::samples::{Chance, Sample, Values, all, values};
use crate::card::crosswalk::{Toward, from_national, to_national};
use crate::card::fixtures::now;

const SEEDS: u64 = 40;

/// There and back again.
fn back(sample: &Sample, dialect: &Dialect) -> (Mti, Values, Vec<u8>) {
    let bytes = sample.bytes();
    let message = Message::parse(Dialect::national(), &bytes).unwrap();
    let mut there = b"before".to_vec();
    from_national(&message, dialect, sample.toward, now(), &mut there)
        .unwrap_or_else(|refusal| panic!("{}: {refusal}", sample.mti));
    let there = there.split_off(6);
    let crossed = Message::parse(dialect, &there)
        .unwrap_or_else(|refusal| panic!("{}: {refusal}", sample.mti));
    crossed
        .check_subfields()
        .unwrap_or_else(|refusal| panic!("{}: {refusal}", sample.mti));
    let mut back = Vec::new();
    to_national(&crossed, sample.toward, &mut back)
        .unwrap_or_else(|refusal| panic!("{}: {refusal}", sample.mti));
    let message = Message::parse(Dialect::national(), &back).unwrap();
    (message.mti(), values(&message), there)
}

#[track_caller]
fn check(dialect: &'static Dialect, carried: impl Fn(&Sample) -> Values) {
    let (mut messages, mut fields) = (0, std::collections::BTreeSet::new());
    for seed in 0..SEEDS {
        for sample in all(&mut Chance::new(seed)) {
            let (mti, values, _) = back(&sample, dialect);
            assert_eq!(mti, sample.mti);
            let expected = carried(&sample);
            for field in 2..=128 {
                let text = |values: &Values| {
                    let value = values.get(&field);
                    value.map(|value| value.escape_ascii().to_string())
                };
                assert_eq!(
                    text(&values),
                    text(&expected),
                    "field {field} of {mti} {:?}, seed {seed}",
                    sample.toward
                );
            }
            messages += 1;
            fields.extend(values.into_keys());
        }
    }
    // The samples are of all types and steps, and have all fields that can be carried.
    assert!(messages > SEEDS as usize * 60, "{messages}");
    let rows = Dialect::national().rows().iter().map(|row| row.number);
    let missing: Vec<u8> = rows.filter(|row| !fields.contains(row)).collect();
    let never: &[u8] = &[40];
    assert_eq!(missing, never);
}

#[test]
fn in_hexadecimal_1987_everything_comes_back_but_long_words_and_function_codes_of_answers() {
    check(Dialect::iso87_ascii(), |sample| {
        let mut values = sample.values.clone();
        if let Some(words) = values.get_mut(&44) {
            words.truncate(25);
        }
        if sample.mti.is_answer() {
            values.remove(&24);
        }
        values
    });
}

#[test]
fn in_packed_1993_everything_comes_back_but_what_it_states_otherwise() {
    let national = Dialect::national();
    check(Dialect::iso93_bcd(), |sample| {
        let mut values = sample.values.clone();
        let steps = national.presences().iter();
        let allowed = |field: u8| {
            steps.clone().any(|presence| {
                presence.mtis().contains(&sample.mti) && presence.allowed().contains(field)
            })
        };
        // A message has both, or neither.
        for (field, sent) in [(12, "130405"), (13, "1121")] {
            if allowed(field) {
                let sent = sent.as_bytes().to_vec();
                values.entry(field).or_insert(sent);
            }
        }
        // They are parts of one field.
        if !values.contains_key(&22) {
            values.remove(&25);
            values.remove(&26);
        } else if allowed(25) {
            values.entry(25).or_insert(b"00".to_vec());
        }
        if sample.mti.class() != 4 {
            values.remove(&95);
        }
        // An outcome of a reconciliation that is "accepted" says that it is in balance.
        let is_accepted = values.get(&39).is_some_and(|code| code == b"00");
        if sample.mti.class() == 5 && is_accepted && allowed(66) {
            values.entry(66).or_insert(b"1".to_vec());
        }
        // Without it the MAC may stand in DE64.
        if values.range(65..128).next().is_none()
            && let Some(mac) = values.remove(&128)
        {
            values.insert(64, mac);
        }
        values
    });
}

#[test]
fn a_national_message_crosses_to_the_national_dialect_as_it_is() {
    for sample in all(&mut Chance::new(1)) {
        let (_, _, bytes) = back(&sample, Dialect::national());
        assert_eq!(bytes, sample.bytes());
    }
}

#[test]
fn what_must_not_be_lost_is_refused_by_name() {
    let mut sample = sample_of(200, Toward::Host);
    sample.values.remove(&52);
    sample.values.insert(110, vec![7; 16]);
    let table = include_str!("../../../../../../iso8583/dialects/iso87-ascii.toml");
    let row = table
        .lines()
        .find(|line| line.contains("n = 123,"))
        .unwrap();
    // A table whose field is no place for a PIN block.
    let open = row.replace(", mask = \"pin\"", "");
    let without = Dialect::read(&table.replace(row, &open)).unwrap();
    assert_refused(
        &sample,
        &without,
        "field 110 at byte 0: the other dialect has no place for it no-place",
    );
    let mut sample = sample_of(200, Toward::Host);
    sample.values.insert(55, vec![0x9A; 256]);
    assert_refused(
        &sample,
        Dialect::iso93_bcd(),
        "field 55 at byte 0: longer than 255 too-long",
    );
    let mut sample = sample_of(800, Toward::Host);
    for field in [7, 12, 13] {
        sample.values.remove(&field);
    }
    assert_refused(
        &sample,
        Dialect::iso93_bcd(),
        "field 12 at byte 0: it must be there in the other dialect missing-field",
    );
    assert_refused(
        &sample,
        Dialect::iso87_ascii(),
        "field 7 at byte 0: it must be there in the other dialect missing-field",
    );
}

#[test]
fn a_pin_block_of_format_4_stands_in_field_123_of_both_as_its_table_says() {
    let mut sample = sample_of(200, Toward::Host);
    sample.values.remove(&52);
    sample.values.insert(110, (0xA0..0xB0).collect());
    for (dialect, wire) in [
        (
            Dialect::iso87_ascii(),
            &b"A0A1A2A3A4A5A6A7A8A9AAABACADAEAF"[..],
        ),
        (Dialect::iso93_bcd(), &sample.values[&110].clone()[..]),
    ] {
        let (_, values, there) = back(&sample, dialect);
        assert_eq!(values[&110], sample.values[&110]);
        let crossed = Message::parse(dialect, &there).unwrap();
        assert_eq!(crossed.get(123), Some(wire));
        assert!(!crossed.has(52) && !crossed.has(110));
        let shown = torap_iso8583::Mask::Pin;
        assert_eq!(dialect.field(123).unwrap().mask, shown);
        // An answer has no PIN block, and its table no room for one.
        let answers = dialect
            .presences()
            .iter()
            .filter(|presence| presence.steps().contains(&torap_iso8583::Step::ToAcquirer));
        assert!(answers.clone().count() > 0);
        for presence in answers {
            assert!(!presence.allowed().contains(123));
        }
    }
}

fn sample_of(mti: u16, toward: Toward) -> Sample {
    let mut samples = all(&mut Chance::new(3)).into_iter();
    let is_it = |sample: &Sample| sample.mti.number() == mti && sample.toward == toward;
    samples.find(is_it).unwrap()
}

#[track_caller]
fn assert_refused(sample: &Sample, dialect: &Dialect, expected: &str) {
    let bytes = sample.bytes();
    let message = Message::parse(Dialect::national(), &bytes).unwrap();
    let mut out = b"before".to_vec();
    let refused = from_national(&message, dialect, sample.toward, now(), &mut out);
    assert_eq!(refused.unwrap_err().to_string(), expected);
    assert_eq!(out, b"before");
}
