//! Where the log stands after a record, and what the next record must therefore be.

use crate::error::{Fault, JournalError};
use crate::record::{Hash, KIND_EPOCH_START, RecordHeader};
use crate::segment::SegmentHeader;

/// The log's state after a record. Writer and verifier keep the same one, so that what the one writes the other accepts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chain {
    pub(crate) identity: Hash,
    /// Hash of the last header.
    pub(crate) hash: Hash,
    pub(crate) next_sequence: u64,
    pub(crate) last_time: u64,
    pub(crate) epoch: u32,
    pub(crate) epoch_salt: u32,
    /// Number of the last group; an unfinished one if `group_open`.
    pub(crate) group: u64,
    pub(crate) group_open: bool,
    /// Whether the last record was a witness or an epoch start: nothing to lose before it goes unseen.
    pub(crate) witnessed: bool,
}

impl Chain {
    /// The state at the first record of a segment, taken from its header.
    pub(crate) fn at_segment(header: &SegmentHeader) -> Chain {
        Chain {
            identity: header.identity,
            hash: header.previous,
            next_sequence: header.first_sequence,
            last_time: header.time,
            epoch: header.epoch,
            epoch_salt: header.epoch_salt,
            group: header.first_group.saturating_sub(1),
            group_open: false,
            witnessed: true,
        }
    }

    /// Goes on into the next segment, whose header must continue this state.
    pub(crate) fn enter(
        &mut self,
        segment: &str,
        header: &SegmentHeader,
    ) -> Result<(), JournalError> {
        let continues = header.identity == self.identity
            && header.previous == self.hash
            && header.first_sequence == self.next_sequence
            && header.first_group == self.group.saturating_add(1)
            && header.epoch >= self.epoch
            && !self.group_open;
        if !continues {
            return Err(JournalError::damaged(segment, 0, Fault::SegmentChain));
        }
        self.epoch = header.epoch;
        self.epoch_salt = header.epoch_salt;
        self.witnessed = true;
        Ok(())
    }

    /// Takes the next record's header in, or says why it cannot be the next.
    pub(crate) fn accept(&mut self, header: &RecordHeader, hash: Hash) -> Result<(), Fault> {
        if header.previous != self.hash {
            return Err(Fault::Chain);
        }
        let group = if self.group_open {
            self.group
        } else {
            self.group.saturating_add(1)
        };
        if header.group != group {
            return Err(Fault::Group {
                expected: group,
                found: header.group,
            });
        }
        let sequence = if header.is_own() {
            self.next_sequence.saturating_sub(1)
        } else {
            self.next_sequence
        };
        if header.sequence != sequence {
            return Err(Fault::Sequence {
                expected: sequence,
                found: header.sequence,
            });
        }
        let begins_epoch =
            header.kind == KIND_EPOCH_START && header.epoch > self.epoch && !self.group_open;
        let same_epoch = header.epoch == self.epoch && header.epoch_salt == self.epoch_salt;
        if !begins_epoch && !same_epoch {
            return Err(Fault::Epoch {
                expected: self.epoch,
                found: header.epoch,
            });
        }
        self.hash = hash;
        self.epoch = header.epoch;
        self.epoch_salt = header.epoch_salt;
        self.group = group;
        self.group_open = !header.group_end;
        self.witnessed = header.is_own();
        if !header.is_own() {
            self.next_sequence = self.next_sequence.saturating_add(1);
            self.last_time = header.time;
        }
        Ok(())
    }

    /// Sequence of the last record, 0 if there is none.
    pub(crate) fn last_sequence(&self) -> u64 {
        self.next_sequence.saturating_sub(1)
    }

    /// The group that a record missing here would belong to. A sound record of a later group proves that this one was synced.
    pub(crate) fn unfinished_group(&self) -> u64 {
        if self.group_open {
            self.group
        } else {
            self.group.saturating_add(1)
        }
    }
}
