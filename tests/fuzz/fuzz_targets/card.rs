//! Card messages in the three dialects, as bytes and as JSON: what is read is written as it was, masked and redacted without harm, and
//! forwarded; what is refused is refused at a place in the message.
#![no_main]

use libfuzzer_sys::fuzz_target;
use torap_fuzz::card;
use torap_iso8583::{
    Change, Dialect, Edit, FIELD_MAX, FieldSet, Message, Step, Unmask, Writer, check_step, explain,
    json::{self, Document},
};

fuzz_target!(|data: &[u8]| {
    let Some((way, data)) = data.split_first() else {
        return;
    };
    let dialect = card::dialect(*way);
    if way & 0x80 == 0 {
        return read(dialect, data);
    }
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(document) = Document::parse(text) {
        let mut bytes = Vec::new();
        match document.encode(dialect, &mut bytes) {
            Ok(()) => read(dialect, &bytes),
            Err(_) => assert!(bytes.is_empty()),
        }
    }
});

fn read(dialect: &'static Dialect, bytes: &[u8]) {
    let message = match Message::parse(dialect, bytes) {
        Ok(message) => message,
        Err(refusal) => {
            assert!(refusal.offset as usize <= bytes.len(), "{refusal}");
            return;
        }
    };
    assert_eq!(written_again(&message), bytes);
    for step in Step::ALL {
        if let Err(error) = check_step(&message, step) {
            assert!(!error.to_string().is_empty());
        }
    }
    assert!(!format!("{message:?}").is_empty());
    let _ = message.before_mac();
    redact(&message);
    forward(&message);
    show(&message);
}

/// From its values.
fn written_again(message: &Message<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer::start(message.dialect(), message.mti(), &mut out);
    let mut value = Vec::new();
    for field in message.fields().iter() {
        value.clear();
        message.text_into(field, &mut value);
        writer.field(field, &value).expect("it was read");
    }
    writer.finish().expect("it was read");
    out
}

fn redact(message: &Message<'_>) {
    let mut out = Vec::new();
    message.redacted(&mut out);
    assert_eq!(out.len(), message.bytes().len());
    let redacted = Message::parse(message.dialect(), &out).expect("it still reads");
    assert_eq!(redacted.fields(), message.fields());
    let mut again = Vec::new();
    redacted.redacted(&mut again);
    assert_eq!(again, out);
}

/// With a field from itself, and without another.
fn forward(message: &Message<'_>) {
    let (first, last) = (message.fields().first(), message.fields().iter().last());
    let (Some(first), Some(last)) = (first, last) else {
        return;
    };
    let mut value = Vec::new();
    message.text_into(first, &mut value);
    let edits = [Edit::Set(first, &value), Edit::Remove(FIELD_MAX)];
    let change = Change {
        keep: FieldSet::ALL.without(last),
        edits: &edits[..if first == FIELD_MAX { 1 } else { 2 }],
        ..Change::default()
    };
    let mut out = Vec::new();
    message.splice(&mut out, &change).expect("its own value");
    let spliced = Message::parse(message.dialect(), &out).expect("it was spliced");
    let expected = message.fields().without(last).without(FIELD_MAX);
    assert_eq!(spliced.fields(), expected.with(first));
}

/// What can be taken apart is shown, and its JSON is encoded to a message that shows the same.
fn show(message: &Message<'_>) {
    let inside = message.check_subfields();
    if let Err(refusal) = inside {
        assert!(
            refusal.offset as usize <= message.bytes().len(),
            "{refusal}"
        );
    }
    for unmask in [Unmask::No, Unmask::Yes] {
        let shown = json::decode(message, unmask);
        assert_eq!(inside.is_ok(), explain::explain(message, unmask).is_ok());
        // Positions that hide nothing are shown as one text, whatever they hold.
        assert!(shown.is_ok() || inside.is_err());
    }
    let Ok(document) = json::decode(message, Unmask::Yes) else {
        return;
    };
    let mut bytes = Vec::new();
    match document.encode(message.dialect(), &mut bytes) {
        Ok(()) => {
            let again = Message::parse(message.dialect(), &bytes).expect("it was encoded");
            assert_eq!(
                json::decode(&again, Unmask::Yes).expect("it was shown"),
                document
            );
        }
        // A value that consists of stars looks as if it were masked.
        Err(error) => assert!(error.what.starts_with("is masked"), "{error}"),
    }
}
