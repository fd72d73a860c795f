//! The first bytes of a snapshot file.

use torap_core::Recovered;
use torap_domain::{Position, Time};
use torap_engine::Stamp;

use super::SnapshotInfo;
use crate::SnapshotError;

pub(super) const HEADER_BYTES: usize = 128;
const MAGIC: [u8; 8] = *b"TORAPSNP";
/// Layout of the header. The body has versions of its own.
pub(super) const FORMAT: u32 = 1;
/// What the checksum at the end of the header covers.
const CHECKED_BYTES: usize = HEADER_BYTES - CHECKSUM_BYTES;
const CHECKSUM_BYTES: usize = 16;

/// What a snapshot file says of its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) rules_version: u32,
    pub(super) recovered: Recovered,
    pub(super) body_bytes: u64,
    /// blake3 of the body.
    pub(super) body_hash: [u8; 32],
}

impl Header {
    pub(super) fn encode(&self) -> [u8; HEADER_BYTES] {
        let Recovered {
            last,
            running,
            marked,
        } = self.recovered;
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        bytes.extend_from_slice(&self.rules_version.to_le_bytes());
        for number in [
            last.position.value(),
            last.time.nanos(),
            running,
            marked.value(),
            self.body_bytes,
        ] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&self.body_hash);
        bytes.resize(CHECKED_BYTES, 0);
        let checksum = checksum(&bytes);
        bytes.extend_from_slice(&checksum);
        let mut header = [0; HEADER_BYTES];
        header.copy_from_slice(&bytes);
        header
    }

    pub(super) fn decode(file: &str, bytes: &[u8; HEADER_BYTES]) -> Result<Header, SnapshotError> {
        let damaged = |rule: &str| SnapshotError::Damaged {
            file: file.to_owned(),
            rule: rule.to_owned(),
        };
        let short = || damaged("the header is short");
        let (checked, stored) = bytes
            .split_last_chunk::<CHECKSUM_BYTES>()
            .ok_or_else(short)?;
        let (magic, rest) = checked.split_first_chunk::<8>().ok_or_else(short)?;
        if *magic != MAGIC {
            return Err(damaged("it does not begin as a snapshot does"));
        }
        let (format, rest) = rest.split_first_chunk::<4>().ok_or_else(short)?;
        let found = u32::from_le_bytes(*format);
        if found != FORMAT {
            return Err(SnapshotError::Format {
                file: file.to_owned(),
                found,
                supported: FORMAT,
            });
        }
        if *stored != checksum(checked) {
            return Err(damaged("the checksum of the header does not match"));
        }
        let (rules_version, rest) = rest.split_first_chunk::<4>().ok_or_else(short)?;
        let (numbers, rest) = rest.split_first_chunk::<40>().ok_or_else(short)?;
        let (body_hash, reserved) = rest.split_first_chunk::<32>().ok_or_else(short)?;
        if reserved.iter().any(|byte| *byte != 0) {
            return Err(damaged("reserved bytes of the header are not zero"));
        }
        let [position, time, running, marked, body_bytes] = *numbers.as_chunks::<8>().0 else {
            return Err(short());
        };
        let number = u64::from_le_bytes;
        Ok(Header {
            rules_version: u32::from_le_bytes(*rules_version),
            recovered: Recovered {
                last: Stamp {
                    position: Position(number(position)),
                    time: Time::from_nanos(number(time)),
                },
                running: number(running),
                marked: Position(number(marked)),
            },
            body_bytes: number(body_bytes),
            body_hash: *body_hash,
        })
    }

    pub(super) fn info(&self, file: String) -> SnapshotInfo {
        let last = self.recovered.last;
        SnapshotInfo {
            file,
            position: last.position,
            time: last.time,
            rules_version: self.rules_version,
            bytes: self.body_bytes,
        }
    }
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let hash = blake3::hash(bytes);
    let mut checksum = [0; CHECKSUM_BYTES];
    checksum
        .iter_mut()
        .zip(hash.as_bytes())
        .for_each(|(to, from)| *to = *from);
    checksum
}

#[cfg(test)]
mod tests;
