//! The journal's recovery: whatever is done to the bytes of a journal, it is refused, or it opens with what was written, less an end
//! that nothing proves: a group that is damaged, with no sound record behind it.
#![no_main]

use std::{
    ops::{ControlFlow, Range},
    sync::{Arc, LazyLock},
};

use libfuzzer_sys::fuzz_target;
use torap_fuzz::Mutations;
use torap_journal::{
    Depth, Entropy, JournalError, Log, Medium, MemoryMedium, Options, RecordMeta, RecordStream,
    dump, stat, verify,
};

/// Records that a group holds, here.
const GROUP: u64 = 2;
const SEGMENT_HEADER: usize = 4096;
const RECORD_HEADER: usize = 160;

/// Two segments of 8 KiB, the last group without a witness.
static JOURNAL: LazyLock<(MemoryMedium, u64)> = LazyLock::new(|| {
    let disk = MemoryMedium::new();
    let (mut log, _) = Log::open(Arc::new(disk.clone()), options()).expect("opens");
    while segments(&disk).len() < 2 || log.durable_upto() < 30 {
        let mut batch = log.batch();
        for sequence in log.next_sequence()..log.next_sequence() + GROUP {
            let facts = facts(sequence);
            batch.push(meta(sequence), &facts, &facts).expect("room");
        }
        log.append(std::slice::from_mut(&mut batch))
            .expect("written");
        log.sync().expect("synced");
    }
    let last = log.durable_upto();
    (disk, last)
});

fuzz_target!(|data: &[u8]| {
    let Some((way, data)) = data.split_first() else {
        return;
    };
    let (journal, last) = &*JOURNAL;
    let disk = journal.fork();
    let names = segments(&disk);
    let name = &names[usize::from(way % 2).min(names.len() - 1)];
    let before = disk.contents(name).expect("the segment");
    let mut bytes = before.clone();
    if way & 0x80 != 0 {
        // The file is the input, padded with zeros.
        bytes.fill(0);
        let length = data.len().min(bytes.len());
        bytes[..length].copy_from_slice(&data[..length]);
    } else {
        Mutations::read(data).apply(&mut bytes);
    }
    disk.remove(name).expect("the segment");
    let file = disk.create(name, bytes.len() as u64).expect("room");
    file.write_at(&bytes, 0).expect("room");
    file.sync().expect("synced");
    disk.sync_dir().expect("synced");
    inspect(&disk);
    match Log::open(Arc::new(disk.clone()), options()) {
        Ok((log, recovery)) => {
            let found = recovery.last_sequence;
            assert!(found <= *last && found % GROUP == 0, "{recovery}");
            assert_eq!(read(&log), found);
            // Had one record behind the first lost group been sound, it would have proved the damage.
            for (sequence, place) in records(&before) {
                if sequence > found + GROUP {
                    assert_ne!(bytes.get(place.clone()), before.get(place), "{recovery}");
                }
            }
        }
        Err(JournalError::Damaged(damage)) => assert!(!damage.to_string().is_empty()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});

fn options() -> Options {
    Options {
        segment_bytes: 8 << 10,
        batch_bytes_max: 1 << 10,
        group_bytes_max: 1 << 10,
        writer: "fuzz".to_owned(),
        opened_at: 1_000,
        entropy: Entropy::Fixed([7; 32]),
        ..Options::default()
    }
}

fn meta(sequence: u64) -> RecordMeta {
    RecordMeta {
        kind: 0x10,
        sequence,
        time: 1_700_000_000_000_000_000 + sequence,
        rules_version: 1,
    }
}

fn facts(sequence: u64) -> Vec<u8> {
    format!("facts of {sequence}").into_bytes()
}

fn segments(disk: &MemoryMedium) -> Vec<String> {
    let mut names = disk.list().expect("listed");
    names.retain(|name| name.ends_with(".seg"));
    names.sort();
    names
}

/// Where each of our records stands in a segment, by the layout of docs/journal.md.
fn records(segment: &[u8]) -> Vec<(u64, Range<usize>)> {
    let mut found = Vec::new();
    let mut at = SEGMENT_HEADER;
    while let Some(header) = segment.get(at..at + RECORD_HEADER) {
        let number = |place: usize, bytes: usize| {
            let digits = header[place..place + bytes].iter().rev();
            digits.fold(0, |number, digit| number << 8 | u64::from(*digit))
        };
        if !header.starts_with(b"TjR\x01") {
            break;
        }
        let payload = (number(36, 4) + number(40, 4)) as usize;
        let end = at + RECORD_HEADER + payload.next_multiple_of(8);
        if number(4, 2) >= 0x10 {
            found.push((number(16, 8), at..end));
        }
        at = end;
    }
    found
}

/// The tools beside the switch only look.
fn inspect(disk: &MemoryMedium) {
    let medium: Arc<dyn Medium> = Arc::new(disk.clone());
    let _ = stat(&*medium);
    let _ = verify(&*medium, None, &mut |_| {});
    let _ = dump(&medium, None, 1..=u64::MAX, &mut |_| {
        ControlFlow::Continue(())
    });
}

/// Reads everything and compares it with what was written; gives the last sequence.
fn read(log: &Log) -> u64 {
    let reader = log.reader();
    let mut cursor = reader.read_from(0, Depth::Evidence).expect("reads");
    let mut last = 0;
    while let Some(record) = cursor.next().expect("sound") {
        let record = record.to_owned();
        last += 1;
        assert_eq!(record.meta, meta(last));
        assert_eq!(record.facts, facts(last));
    }
    last
}
