//! The inside of one structured field: walked to its end or to a refusal, looked up by key, and tags set and removed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use torap_fuzz::card;
use torap_iso8583::{FieldRow, Key, Layout, Message, Writer, tlv};

fuzz_target!(|data: &[u8]| {
    let [which, place, value @ ..] = data else {
        return;
    };
    let dialect = card::dialect(*which);
    let structured = dialect.rows().iter().filter(|row| row.layout.is_some());
    let rows: Vec<&FieldRow> = structured.collect();
    let row = rows[usize::from(*place) % rows.len()];
    let mut bytes = Vec::new();
    let mti = dialect.messages()[0].mti;
    let mut writer = Writer::start(dialect, mti, &mut bytes);
    if writer.field(row.number, value).is_err() {
        return;
    }
    writer.finish().expect("one field");
    let message = Message::parse(dialect, &bytes).expect("it was written");
    let in_order = message.check_subfields().is_ok();
    let mut keys = Vec::new();
    if let Ok(subfields) = message.subfields(row.number) {
        for subfield in subfields {
            match subfield {
                Ok(subfield) => keys.push(subfield.key),
                Err(refusal) => {
                    assert!(!in_order);
                    assert_eq!(refusal.field, row.number);
                    assert!(refusal.offset as usize <= bytes.len(), "{refusal}");
                }
            }
        }
        for key in keys.iter().take(4) {
            let found = message
                .subfield(row.number, *key)
                .expect("it was walked over");
            assert_eq!(found.expect("it was walked over").key, *key);
        }
    }
    if let Some(Layout::Tags { .. }) = row.layout {
        splice(&message, row.number, &keys, in_order);
    }
    for object in tlv::Walk::new(value) {
        let _ = object.map(|object| (object.is_constructed(), format!("{object:?}")));
    }
});

/// Without its first tag, and with another at the end.
fn splice(message: &Message<'_>, field: u8, keys: &[Key], in_order: bool) {
    let Some(Key::Tag(first)) = keys.first() else {
        return;
    };
    let first: Vec<u8> = first
        .iter()
        .copied()
        .take_while(|byte| *byte != 0)
        .collect();
    let new = vec![b'9'; first.len()];
    let tags: [(&[u8], Option<&[u8]>); 2] = [(&first, None), (&new, Some(b"1"))];
    let mut out = Vec::new();
    let spliced = message.splice_tags(field, &tags, &mut out);
    match spliced {
        Ok(()) => assert!(out.windows(new.len()).any(|tag| tag == new)),
        Err(_) => assert!(out.is_empty() && (!in_order || first == new)),
    }
}
