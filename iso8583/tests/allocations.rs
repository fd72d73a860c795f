//! Reading, walking chip data, checking a step and forwarding allocate nothing. A binary of its own: the allocator that counts is the whole
//! process's.

#[path = "codec/samples.rs"]
mod samples;

use std::hint::black_box;

use allocation_counter::measure;
use torap_iso8583::{Change, Dialect, Edit, Message, Step, check_step};

/// Allocations of one run; the dialects are read before.
#[track_caller]
fn check_nothing(what: &str, run: impl FnOnce()) {
    let counted = measure(run);
    assert_eq!(
        counted.count_total, 0,
        "{what} allocates {} bytes",
        counted.bytes_total
    );
}

#[test]
fn the_counter_counts() {
    let counted = measure(|| {
        black_box(vec![0_u8; 100]);
    });
    assert_eq!((counted.count_total, counted.bytes_total), (1, 100));
}

#[test]
fn parsing_walking_checking_and_forwarding_allocate_nothing() {
    let dialect = Dialect::national();
    let bytes = samples::purchase(dialect);
    check_nothing("parsing", || {
        black_box(Message::parse(dialect, black_box(&bytes)).unwrap());
    });
    let message = Message::parse(dialect, &bytes).unwrap();
    check_nothing("walking chip data", || {
        let objects = message.tlv(55).unwrap().map(|object| object.unwrap());
        assert_eq!(objects.map(|object| object.value.len()).sum::<usize>(), 75);
    });
    check_nothing("walking subfields", || {
        message.check_subfields().unwrap();
        assert_eq!(message.tag(48, b"CH").unwrap(), Some(&b"POS"[..]));
        assert_eq!(message.part(3, 1).unwrap(), Some(&b"00"[..]));
    });
    check_nothing("checking a step", || {
        check_step(&message, Step::FromAcquirer).unwrap();
    });
    let mut out = Vec::with_capacity(2 * bytes.len());
    check_nothing("forwarding", || {
        let edits = [
            Edit::Set(11, b"004711"),
            Edit::Set(15, b"1121"),
            Edit::Remove(52),
        ];
        let change = Change {
            edits: &edits,
            ..Change::default()
        };
        message.splice(&mut out, &change).unwrap();
    });
    assert_eq!(
        Message::parse(dialect, &out).unwrap().get(11),
        Some(&b"004711"[..])
    );
    out.clear();
    check_nothing("changing tags", || {
        let tags: [(&[u8], Option<&[u8]>); 2] = [(b"SI", Some(b"01")), (b"WA", None)];
        message.splice_tags(48, &tags, &mut out).unwrap();
    });
    assert_eq!(out, b"CH03POSFS03042SI0201");
}

#[test]
fn a_refused_message_allocates_nothing() {
    for name in Dialect::BUILT_IN {
        let dialect = Dialect::built_in(name).unwrap();
        for bytes in [
            &b""[..],
            b"0200",
            b"\x12\x00\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
            &[0x30; 400],
        ] {
            check_nothing(name, || {
                black_box(Message::parse(dialect, black_box(bytes)).err().unwrap());
            });
        }
    }
}
