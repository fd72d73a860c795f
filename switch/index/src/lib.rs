//! The index: what identifiers, aliases and outbound sequences lead to, as a projection of the log.
//!
//! Why it exists: the engine remembers a window of payments and no alias at all; a gateway looks the rest up here before it
//! queues a command, and the answer travels in the command as a fact ([`AsOf`] names the log position it held at). Answers
//! that left memory are rebuilt from the outbound streams kept here. Originals are not kept: they are in the log, once.
//!
//! It never decides anything and never holds what the log does not: it may be deleted at any time and is written again from
//! the log. The applied position changes in the same atomic write as the content, so that after a crash the follower goes on
//! from there; what it applies a second time is skipped.
//!
//! Two implementations pass one suite of tests: [`MemoryIndex`], the obvious model, for tests and simulation, and
//! [`RocksIndex`] on disk (`docs/index.md` has its tables).
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)
)]

mod cards;
mod changes;
mod error;
mod known;
mod memory;
mod naming;
mod projection;
#[cfg(feature = "rocksdb")]
mod rocks;

#[cfg(test)]
mod check;

pub use cards::{CardLetter, CardName, CardOf, CardRecord, CardStep};
pub use changes::Changes;
pub use error::IndexError;
pub use known::{CardFacts, is_disputable};
pub use memory::MemoryIndex;
#[cfg(feature = "rocksdb")]
pub use rocks::{RocksIndex, RocksOptions};

use torap_domain::{ParticipantId, Phone, Position, Sequence, Time, Uetr};
use torap_engine::{
    Outbound, directory,
    instant::{Finished, PaymentKey},
};

/// Entries of one page or range, at most; a larger request is cut down to it.
pub const PAGE_MAX: usize = 1000;

/// Look-ups from any thread, changes from one.
pub trait Index: Send + Sync + 'static {
    /// Everything up to and including this log position is in the index. Zero for an empty one.
    fn applied_upto(&self) -> Position;

    /// Takes over `changes` and sets the applied position to `upto`, all or nothing. Entries at or before the applied
    /// position are skipped, so that applying again after a crash changes nothing. After an error the index is not to be
    /// used further. `upto` may lie beyond the last entry
    /// (records without anything for the index), but not before it: then the larger of both holds.
    fn apply(&self, changes: &Changes, upto: Position) -> Result<Added, IndexError>;

    /// Makes everything applied so far survive a power failure; gives the position up to which that holds.
    fn flush(&self) -> Result<Position, IndexError>;

    /// Says that changes come as fast as traffic makes them from now on. An index is opened for a start, which replays the log as
    /// fast as its changes can be taken. Changes how they are stored for the moment, never an answer.
    fn caught_up(&self) -> Result<(), IndexError>;

    /// The payment or return with this key.
    fn payment_by_key(&self, key: &PaymentKey) -> Result<AsOf<Option<Finished>>, IndexError>;

    /// The payment with this UETR; its returns carry the same UETR and are found by [`Index::returns_of`].
    fn payment_by_uetr(&self, uetr: &Uetr) -> Result<AsOf<Option<Finished>>, IndexError>;

    /// Returns of the payment with this UETR, oldest first, refused ones too; at most `max` and [`PAGE_MAX`].
    fn returns_of(&self, uetr: &Uetr, max: usize) -> Result<Vec<Finished>, IndexError>;

    /// One entry of a participant's outbound stream.
    fn outbound(
        &self,
        to: ParticipantId,
        sequence: Sequence,
    ) -> Result<Option<Outbound>, IndexError>;

    /// Appends the entries of a participant's outbound stream from `from` on to `out`; at most `max` and [`PAGE_MAX`].
    fn outbound_range(
        &self,
        to: ParticipantId,
        from: Sequence,
        max: usize,
        out: &mut Vec<Outbound>,
    ) -> Result<(), IndexError>;

    /// The last sequence of a participant's outbound stream; zero if nothing was ever sent.
    fn outbound_last(&self, to: ParticipantId) -> Result<Sequence, IndexError>;

    /// What the directory knows of a number.
    fn alias(&self, phone: Phone) -> Result<AsOf<Option<directory::Record>>, IndexError>;

    /// Payments and returns in which the participant is either side, by the time of their decision: from `from`
    /// (inclusive) until `until` (exclusive), after the place where the page before ended; at most `max` and [`PAGE_MAX`].
    fn payments_of(
        &self,
        participant: ParticipantId,
        from: Time,
        until: Time,
        after: Option<Place>,
        max: usize,
    ) -> Result<Page, IndexError>;

    /// Records that concern the payment with this UETR beside the one that brought it and the one that decided it: recalls,
    /// returns, questions, repeats, late answers. Oldest first; at most `max` and [`PAGE_MAX`].
    fn records_of(&self, uetr: &Uetr, max: usize) -> Result<Vec<Position>, IndexError>;

    /// Records that carry a message's, instruction's, end-to-end or cancellation identifier, oldest first; at most `max` and
    /// [`PAGE_MAX`]. Hashes are compared, so a record may carry another text: read it and compare.
    fn identified(&self, identifier: &str, max: usize) -> Result<Vec<Position>, IndexError>;

    /// Records of card messages that go by this name, oldest first; at most `max` and [`PAGE_MAX`].
    fn card_named(&self, name: &CardName<'_>, max: usize) -> Result<Vec<Position>, IndexError>;

    /// What records did to a card transaction, oldest first; at most `max` and [`PAGE_MAX`].
    fn card_records(&self, of: CardOf, max: usize) -> Result<Vec<CardRecord>, IndexError>;

    /// The entries of a participant's outbound stream that the record at `cause` brought. Causes rise with sequences, so the
    /// first one is found by halving.
    fn outbound_caused(
        &self,
        to: ParticipantId,
        cause: Position,
    ) -> Result<Vec<Outbound>, IndexError> {
        let (mut low, mut high) = (Sequence(1), self.outbound_last(to)?.next());
        while low < high {
            let middle = Sequence(low.value().midpoint(high.value()));
            match self.outbound(to, middle)? {
                Some(entry) if entry.cause < cause => low = middle.next(),
                _ => high = middle,
            }
        }
        let mut found = Vec::new();
        while let Some(entry) = self.outbound(to, low)?
            && entry.cause == cause
        {
            found.push(entry);
            low = low.next();
        }
        Ok(found)
    }

    /// How much the index holds.
    fn counts(&self) -> Counts;
}

/// The answer of a look-up: at least as new as log position `as_of`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AsOf<T> {
    /// Every record up to this position was taken into account, perhaps later ones too.
    pub as_of: Position,
    /// What was found.
    pub value: T,
}

/// Where a page ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Decision time of the last payment of the page.
    pub decided_at: Time,
    /// Its key.
    pub key: PaymentKey,
}

impl Place {
    /// The place of a payment or return in its participants' lists.
    pub fn of(finished: &Finished) -> Place {
        Place {
            decided_at: finished.decided_at,
            key: finished.key,
        }
    }
}

/// Part of a participant's payments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// In order of their decision.
    pub payments: Vec<Finished>,
    /// Pass it as `after` to go on; `None` at the end.
    pub next: Option<Place>,
}

/// How many entries the index holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Finished payments, refused ones and tombstones included.
    pub payments: u64,
    /// Finished returns.
    pub returns: u64,
    /// Entries of all outbound streams.
    pub outbound: u64,
    /// Numbers in the directory.
    pub aliases: u64,
    /// Numbers that imports added, ever.
    pub import_added: u64,
    /// Numbers that imports left alone because they were held already, ever.
    pub import_held: u64,
}

/// What one [`Index::apply`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// Entries taken over.
    pub entries: usize,
    /// Entries skipped because the index had them.
    pub skipped: usize,
}
