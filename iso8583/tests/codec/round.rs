//! What is written reads back equal, what is read is written as it was, in all dialects.

use proptest::prelude::*;
use torap_iso8583::{Change, Dialect, Edit, FieldSet, Message, Unmask, Writer, json};

use crate::arbitrary::{Chance, message, values};

fn dialects() -> [&'static Dialect; 3] {
    [
        Dialect::national(),
        Dialect::iso87_ascii(),
        Dialect::iso93_bcd(),
    ]
}

/// The message written again from its values.
pub fn written_again(message: &Message<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer::start(message.dialect(), message.mti(), &mut out);
    for (field, value) in values(message) {
        writer
            .field(field, &value)
            .unwrap_or_else(|refusal| panic!("{refusal}"));
    }
    writer.finish().unwrap();
    out
}

proptest! {
    #[test]
    fn a_message_is_written_as_it_was_read(seed: u64) {
        for dialect in dialects() {
            let bytes = message(dialect, &mut Chance::new(seed));
            let parsed = Message::parse(dialect, &bytes).unwrap();
            prop_assert_eq!(&written_again(&parsed), &bytes);
            parsed.check_subfields().unwrap();
        }
    }

    #[test]
    fn json_is_encoded_to_the_message_it_was_decoded_from(seed: u64) {
        for dialect in dialects() {
            let bytes = message(dialect, &mut Chance::new(seed));
            let parsed = Message::parse(dialect, &bytes).unwrap();
            let text = json::decode(&parsed, Unmask::Yes).unwrap().to_string();
            let mut out = Vec::new();
            json::Document::parse(&text).unwrap().encode(dialect, &mut out).unwrap();
            prop_assert_eq!(&out, &bytes);
        }
    }

    /// Splicing is the same as writing all values again with some of them changed.
    #[test]
    fn a_splice_is_what_writing_it_all_again_would_be(seed: u64) {
        for dialect in dialects() {
            let mut chance = Chance::new(seed);
            let bytes = message(dialect, &mut chance);
            let other = message(dialect, &mut chance);
            let (parsed, other) = (Message::parse(dialect, &bytes).unwrap(), Message::parse(dialect, &other).unwrap());
            let keep = FieldSet::ALL.without(chance.between(2, 128) as u8).without(chance.between(2, 128) as u8);
            let mut expected = values(&parsed);
            expected.retain(|(field, _)| keep.contains(*field));
            let sources = values(&other);
            let mut edits = Vec::new();
            for row in dialect.rows().iter().filter(|_| chance.one_in(6)) {
                expected.retain(|(field, _)| *field != row.number);
                match sources.iter().find(|(field, _)| *field == row.number) {
                    Some((field, value)) => {
                        edits.push(Edit::Set(*field, value));
                        expected.push((*field, value.clone()));
                    }
                    None => edits.push(Edit::Remove(row.number)),
                }
            }
            expected.sort();
            let mut out = Vec::new();
            parsed.splice(&mut out, &Change { mti: Some(other.mti()), keep, edits: &edits }).unwrap();
            let spliced = Message::parse(dialect, &out).unwrap();
            prop_assert_eq!(spliced.mti(), other.mti());
            prop_assert_eq!(values(&spliced), expected);
            prop_assert_eq!(written_again(&spliced), &out[..]);
        }
    }

    /// A redacted message still reads, has the same fields and lengths, and says nothing that is masked.
    #[test]
    fn a_redacted_message_reads_and_redacting_it_again_changes_nothing(seed: u64) {
        for dialect in dialects() {
            let bytes = message(dialect, &mut Chance::new(seed));
            let parsed = Message::parse(dialect, &bytes).unwrap();
            let mut once = Vec::new();
            parsed.redacted(&mut once);
            let redacted = Message::parse(dialect, &once).unwrap();
            prop_assert_eq!(redacted.fields(), parsed.fields());
            prop_assert_eq!(once.len(), bytes.len());
            let mut twice = Vec::new();
            redacted.redacted(&mut twice);
            prop_assert_eq!(&twice, &once);
            let shown = json::decode(&parsed, Unmask::No).unwrap().to_string();
            let redacted = json::decode(&redacted, Unmask::No).unwrap().to_string();
            prop_assert_eq!(shown, redacted);
        }
    }
}
