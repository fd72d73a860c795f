//! Where a log ends, as the next core or follower must know it.

use torap_domain::{Position, Time};
use torap_engine::{RunningDigest, Stamp};

/// The end of a log whose records have been applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// Position and time of the last record; position 0 if there is none.
    pub last: Stamp,
    /// Value of the running digest over all records.
    pub running: u64,
    /// Position of the last mark; 0 if there is none.
    pub marked: Position,
}

impl Recovered {
    /// The end of an empty log.
    pub fn genesis() -> Recovered {
        let last = Stamp {
            position: Position::ZERO,
            time: Time::EPOCH,
        };
        Recovered {
            last,
            running: RunningDigest::new().value(),
            marked: Position::ZERO,
        }
    }
}
