//! The switch's stream to the host: a sequence always means the same message.

use torap_gateway::wire::ContentType;

/// One sequence.
#[derive(Clone, Debug)]
pub(super) enum Letter {
    Message {
        content_type: ContentType,
        /// As it goes out first.
        body: Vec<u8>,
        /// As it goes out when it may have been delivered before.
        marked: Vec<u8>,
    },
    /// It has no message any more.
    Skip,
}

/// All letters of a run, from the sequence after `base` on.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// What the host held before the run.
    pub(super) base: u64,
    letters: Vec<Letter>,
    /// The highest sequence that ever went out.
    pub(super) sent: u64,
    /// The host holds everything up to here.
    pub(super) acknowledged: u64,
}

impl Stream {
    pub(super) fn push(&mut self, letter: Letter) {
        self.letters.push(letter);
    }

    /// The last sequence that there is.
    pub(super) fn last(&self) -> u64 {
        self.base + self.letters.len() as u64
    }

    pub(super) fn get(&self, sequence: u64) -> Option<&Letter> {
        let place = sequence.checked_sub(self.base + 1)?;
        self.letters.get(usize::try_from(place).ok()?)
    }
}
