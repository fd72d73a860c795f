//! Every single bit of a small journal.

use super::bed::{append, check_readable, medium, segments, small};
use crate::{JournalError, Log, MemoryMedium, Options};

/// Segments as small as they may be, so that all their bits can be tried.
fn tiny() -> Options {
    Options {
        segment_bytes: 8 << 10,
        batch_bytes_max: 1 << 10,
        group_bytes_max: 1 << 10,
        ..small()
    }
}

/// Two segments; with or without a witness behind the last records. Returns where the last group begins.
fn journal(witness: bool) -> (MemoryMedium, u64) {
    let disk = MemoryMedium::new();
    let (mut log, _) = Log::open(medium(&disk), tiny()).expect("the journal opens");
    while segments(&disk).len() < 2 {
        append(&mut log, 2);
    }
    append(&mut log, 2);
    let end = |disk: &MemoryMedium| {
        let bytes = disk
            .contents(&segments(disk)[1])
            .expect("the segment is there");
        bytes
            .iter()
            .rposition(|&byte| byte != 0)
            .map_or(0, |last| (last as u64 + 8) / 8 * 8)
    };
    let mut last_group = end(&disk);
    if witness {
        append(&mut log, 2);
        last_group = end(&disk);
        log.witness().expect("the witness is written");
    } else {
        append(&mut log, 2);
    }
    (disk.fork(), last_group)
}

/// A journal with one bit to be flipped, and what must come of it.
struct Flip<'a> {
    disk: &'a MemoryMedium,
    segment: &'a str,
    offset: u64,
    bit: u8,
    /// A torn write could have left the log like this, so it is not refused.
    in_last_group: bool,
    /// The last sequences that the log may then end with.
    ends: [u64; 2],
}

impl Flip<'_> {
    fn check(&self) {
        let place = format!("{} {}.{}", self.segment, self.offset, self.bit);
        let flipped = self.disk.fork();
        assert!(flipped.flip_bit(self.segment, self.offset, self.bit));
        match Log::open(medium(&flipped), tiny()) {
            Err(JournalError::Damaged(damage)) => {
                assert!(
                    !self.in_last_group,
                    "{place}: a torn write may look like this: {damage}"
                );
                assert_eq!(damage.segment, self.segment, "{place}");
                // The named place is the record, or the header, that holds the bit.
                let held = damage.offset..damage.offset + 4096;
                assert!(held.contains(&self.offset), "{place}: {damage}");
            }
            Err(error) => panic!("{place}: {error}"),
            Ok((log, recovery)) => {
                assert!(self.in_last_group, "{place}: not noticed, {recovery}");
                assert!(
                    self.ends.contains(&recovery.last_sequence),
                    "{place}: {recovery}"
                );
                assert_eq!(check_readable(&log.reader()), recovery.last_sequence);
            }
        }
    }
}

/// Bits of a byte to try: all of them where records and headers are, one where the segment is empty and all alike.
fn bits(byte: u8, offset: u64) -> std::ops::Range<u8> {
    let one = (offset % 8) as u8;
    if byte == 0 { one..one + 1 } else { 0..8 }
}

#[test]
fn every_bit_before_the_witness_is_guarded() {
    let (disk, witness) = journal(true);
    let durable = Log::open(medium(&disk.fork()), tiny())
        .expect("the journal opens")
        .1
        .last_sequence;
    let names = segments(&disk);
    for segment in &names {
        let bytes = disk.contents(segment).expect("the segment is there");
        for (offset, byte) in (0..).zip(bytes) {
            let in_last_group = *segment == names[1] && offset >= witness;
            for bit in bits(byte, offset) {
                // A flip in the witness itself costs no record.
                Flip {
                    disk: &disk,
                    segment,
                    offset,
                    bit,
                    in_last_group,
                    ends: [durable, durable],
                }
                .check();
            }
        }
    }
}

#[test]
fn flips_in_the_last_group_lose_no_more_than_it() {
    let (disk, last_group) = journal(false);
    let durable = Log::open(medium(&disk.fork()), tiny())
        .expect("the journal opens")
        .1
        .last_sequence;
    let segment = &segments(&disk)[1];
    let bytes = disk.contents(segment).expect("the segment is there");
    for (offset, byte) in (0..).zip(bytes).skip(last_group as usize - 400) {
        for bit in bits(byte, offset) {
            let in_last_group = offset >= last_group;
            Flip {
                disk: &disk,
                segment,
                offset,
                bit,
                in_last_group,
                ends: [durable, durable - 2],
            }
            .check();
        }
    }
}
