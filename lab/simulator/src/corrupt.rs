//! Damage to the only copy of the log: bits that flip, and writes that land at the wrong place. The switch must not start on it.

use torap_domain::Position;
use torap_follower::SnapshotStore;
use torap_journal::{Medium, verify};

use crate::{fault::Fault, node::Node, world::World};

/// What became of a damaged log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Refused, naming segment and offset.
    Detected { segment: String, offset: u64 },
    /// Nothing could be damaged yet; try again later.
    TooEarly,
    /// The switch started, or refused without naming the place.
    Missed(String),
}

/// A record as it lies on the disk.
#[derive(Clone, Debug)]
struct Lying {
    segment: String,
    offset: usize,
    end: usize,
    sequence: u64,
    group: u64,
    /// The last group that this record proves to have been synced.
    proves: u64,
}

const SEGMENT_HEADER_BYTES: usize = 4096;
const RECORD_HEADER_BYTES: usize = 160;
const RECORD_MAGIC: &[u8; 4] = b"TjR\x01";
const SECTOR_BYTES: usize = 512;

impl World {
    /// Stops the switch, damages the log behind its back, and tries to start it.
    pub(crate) fn corrupt(&mut self, fault: Fault) -> Found {
        if self.node.is_none() {
            return Found::TooEarly;
        }
        let records = self.lying();
        let Some(proven) = records.iter().map(|record| record.proves).max() else {
            return Found::TooEarly;
        };
        let snapshots = SnapshotStore::open(std::sync::Arc::new(self.machine.snapshots.clone()));
        let from = snapshots.ok().and_then(|snapshots| snapshots.newest().ok());
        let from = from.map_or(0, Position::value);
        // Groups that nothing behind proves to have been synced are the one place where damage cannot be told from a torn
        // write. A sector that also holds a part of the proof is left alone for the same reason.
        let proof = records
            .iter()
            .find(|record| record.proves == proven)
            .cloned();
        let apart = |record: &Lying| {
            proof.as_ref().is_some_and(|proof| {
                proof.segment != record.segment
                    || record.end.next_multiple_of(SECTOR_BYTES) <= proof.offset
            })
        };
        let eligible: Vec<Lying> = records
            .into_iter()
            .filter(|record| record.group <= proven && record.sequence > from && apart(record))
            .collect();
        if eligible.len() < 2 {
            return Found::TooEarly;
        }
        self.node = None;
        self.machine.journal.kill();
        self.machine.snapshots.kill();
        self.machine.index.crash();
        let target = &eligible[self.draw.index(eligible.len())];
        let changed = match fault {
            Fault::MisdirectedWrite => self.misdirect(target, &eligible),
            _ => {
                let offset = self.draw.range(target.offset as u64, target.end as u64 - 1);
                let bit = self.draw.index(8) as u8;
                self.machine.journal.flip_bit(&target.segment, offset, bit)
            }
        };
        if !changed {
            return Found::Missed("the simulation could not damage the log".into());
        }
        self.count(fault);
        self.trace.note(self.step, self.now, || {
            format!("damage in {} at {}", target.segment, target.offset)
        });
        self.judge()
    }

    fn judge(&mut self) -> Found {
        let seed = crate::seed::seed(&self.plan);
        let started = Node::start(&self.machine, self.wall(), seed);
        let stop = match started {
            Ok(_) => return Found::Missed("the switch started on a damaged log".into()),
            Err(stop) => stop,
        };
        let Some(damage) = stop.damage() else {
            return Found::Missed(format!(
                "the switch refused without naming the place: {stop}"
            ));
        };
        let (segment, offset) = (damage.segment.clone(), damage.offset);
        // The tool sees it too.
        let key = self.machine.config.evidence_key();
        let report = verify(&self.machine.journal, key.as_ref(), &mut |_| {});
        match report {
            Ok(report) if report.damage.is_some() => Found::Detected { segment, offset },
            Ok(_) => Found::Missed("`torap journal verify` calls a damaged log sound".into()),
            Err(error) => Found::Missed(format!("`torap journal verify` fails: {error}")),
        }
    }

    /// A sector's content lands in another place of the log.
    fn misdirect(&mut self, target: &Lying, eligible: &[Lying]) -> bool {
        let to = (target.offset / SECTOR_BYTES * SECTOR_BYTES).max(SEGMENT_HEADER_BYTES);
        let Some(there) = self.machine.journal.contents(&target.segment) else {
            return false;
        };
        let there = there[to..to + SECTOR_BYTES].to_vec();
        for _ in 0..eligible.len() {
            let source = &eligible[self.draw.index(eligible.len())];
            let from = source.offset / SECTOR_BYTES * SECTOR_BYTES;
            let sector = self.machine.journal.contents(&source.segment);
            let sector = sector.map(|bytes| bytes[from..from + SECTOR_BYTES].to_vec());
            // Only another content changes anything, and only inside records that were synced.
            if let Some(sector) = sector.filter(|sector| *sector != there) {
                return self
                    .machine
                    .journal
                    .overwrite(&target.segment, to as u64, &sector);
            }
        }
        false
    }

    /// All records of the log with their places, in order.
    fn lying(&self) -> Vec<Lying> {
        let mut names: Vec<String> = self.machine.journal.list().unwrap_or_default();
        names.retain(|name| name.ends_with(".seg"));
        names.sort_unstable();
        let mut records = Vec::new();
        for segment in names {
            let Some(bytes) = self.machine.journal.contents(&segment) else {
                continue;
            };
            let mut offset = SEGMENT_HEADER_BYTES;
            while let Some(head) = bytes.get(offset..offset + RECORD_HEADER_BYTES) {
                if !head.starts_with(RECORD_MAGIC) {
                    break;
                }
                let parts = number(head, 36, 4) + number(head, 40, 4);
                let end = (offset + RECORD_HEADER_BYTES + parts as usize).next_multiple_of(8);
                records.push(Lying {
                    segment: segment.clone(),
                    offset,
                    end,
                    sequence: number(head, 16, 8),
                    group: number(head, 48, 8),
                    proves: number(head, 48, 8).saturating_sub(1 + number(head, 7, 1)),
                });
                offset = end;
            }
        }
        records
    }
}

/// A little-endian number in a record's header.
fn number(head: &[u8], at: usize, bytes: usize) -> u64 {
    head[at..at + bytes]
        .iter()
        .rev()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}
