//! What happened in IMTS, into the running digest.

use super::Mix;
use crate::{
    codec::{Layout, Writer},
    participants::Direction,
    settlement::Event,
};

pub(super) fn event(mix: &mut Mix, event: &Event) {
    match event {
        Event::Funded {
            participant,
            direction,
            amount,
        } => {
            mix.word(
                0x71 << 32 | u64::from(participant.0) << 1 | u64::from(*direction == Direction::In),
            );
            mix.word(amount.minor());
        }
        Event::Transferred {
            participant,
            direction,
            amount,
        } => {
            mix.word(
                0x72 << 32 | u64::from(participant.0) << 1 | u64::from(*direction == Direction::In),
            );
            mix.word(amount.minor());
        }
        Event::Queued { id } => {
            mix.word(0x73 << 32);
            mix.word(id.0);
        }
        Event::Finished(done) => {
            let mut bytes = Vec::new();
            done.put(&mut Writer::new(&mut bytes));
            mix.word(0x74 << 32);
            mix.bytes(&bytes);
        }
        Event::Opened { until } => {
            mix.word(0x75 << 32);
            mix.word(until.nanos());
        }
        Event::Overnight {
            participant,
            amount,
        } => {
            mix.word(0x76 << 32 | u64::from(participant.0));
            mix.word(amount.minor());
        }
        Event::Closed => mix.word(0x77 << 32),
    }
}
