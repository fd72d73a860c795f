//! Authorisations that may still be completed: an amount, what was taken of it, and a lifetime. They move no money.
//!
//! Memory: about 150 bytes an authorisation, bounded.

use torap_domain::{
    CardReason, CardService, Money, ParticipantId, Position, Span, Time,
    card::{CardHash, Mcc},
};

use super::{CardKey, Event, LIFETIME_MAX, LIFETIME_ROWS_MAX, LifetimeRow, Trace};
use crate::{
    Output, Stamp,
    codec::{FactsError, LayoutRule, Reader, Writer},
    deadlines::Deadlines,
    engine,
    slab::Slab,
    table::{self, Table},
};

/// How long an authorisation lives if no row says otherwise.
const LIFETIME: Span = Span::from_secs(7 * 86_400);

/// An approved authorisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Authorisation {
    pub(super) key: CardKey,
    /// Its record.
    pub(super) submitted: Position,
    pub(super) card: CardHash,
    pub(super) service: CardService,
    pub(super) acquirer: ParticipantId,
    pub(super) issuer: ParticipantId,
    /// How the issuer knows it.
    pub(super) asked: Option<Trace>,
    /// What was approved, and what stands of it, in minor units.
    pub(super) approved: u64,
    pub(super) amount: u64,
    /// What completions have taken.
    pub(super) completed: u64,
    /// Completions may pass the amount by this part of it.
    above_percent: u8,
    pub(super) expires: Time,
}

/// Every authorisation that lives.
#[derive(Clone, Debug)]
pub(super) struct Authorisations {
    seed: u64,
    list: Slab<Authorisation>,
    by_key: Table,
    deadlines: Deadlines,
    lifetimes: Vec<LifetimeRow>,
}

impl Authorisations {
    pub(super) fn new(seed: u64) -> Authorisations {
        Authorisations {
            seed,
            list: Slab::new(),
            by_key: Table::new(),
            deadlines: Deadlines::new(),
            lifetimes: Vec::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn lifetimes(&self) -> &[LifetimeRow] {
        &self.lifetimes
    }

    pub(super) fn set_lifetimes(&mut self, rows: &[LifetimeRow]) {
        self.lifetimes = rows.to_vec();
    }

    pub(super) fn get(&self, key: &CardKey) -> Option<&Authorisation> {
        self.list.get(self.slot(key)?)
    }

    /// Remembers an approval; the lifetime begins at `now`.
    #[expect(clippy::too_many_arguments, reason = "each is a column of the row")]
    pub(super) fn insert(
        &mut self,
        now: Time,
        key: CardKey,
        submitted: Position,
        card: CardHash,
        (service, mcc): (CardService, Mcc),
        (acquirer, issuer): (ParticipantId, ParticipantId),
        asked: Option<Trace>,
        amount: u64,
    ) {
        let row = self.row(mcc);
        let (within, above_percent) =
            row.map_or((LIFETIME, 0), |row| (row.within, row.above_percent));
        self.enter(Authorisation {
            key,
            submitted,
            card,
            service,
            acquirer,
            issuer,
            asked,
            approved: amount,
            amount,
            completed: 0,
            above_percent,
            expires: now.saturating_add(within),
        });
    }

    fn row(&self, mcc: Mcc) -> Option<&LifetimeRow> {
        let mut rows = self.lifetimes.iter();
        rows.find(|row| (row.mcc_from..=row.mcc_to).contains(&mcc))
    }

    /// How long an authorisation of a merchant category lives.
    pub(super) fn lifetime(&self, mcc: Mcc) -> Span {
        self.row(mcc).map_or(LIFETIME, |row| row.within)
    }

    /// Whether a completion of `amount` may be taken.
    pub(super) fn may_complete(
        &self,
        key: &CardKey,
        card: CardHash,
        amount: u64,
    ) -> Result<(), CardReason> {
        let authorisation = self.get(key).ok_or(CardReason::AuthorisationUnknown)?;
        if authorisation.card != card {
            return Err(CardReason::OriginalMismatch);
        }
        if authorisation.completed.saturating_add(amount) > authorisation.most() {
            return Err(CardReason::CompletionExceeds);
        }
        Ok(())
    }

    /// A completion was taken; true if nothing is left.
    fn complete(&mut self, key: &CardKey, amount: u64) -> bool {
        let slot = self.slot(key);
        let Some(authorisation) = slot.and_then(|slot| self.list.get_mut(slot)) else {
            return false;
        };
        authorisation.completed = authorisation.completed.saturating_add(amount);
        authorisation.completed >= authorisation.amount
    }

    /// A completion was reversed in part or in full: so much may be completed again, while the authorisation lives.
    pub(super) fn uncomplete(&mut self, key: &CardKey, amount: u64) {
        let slot = self.slot(key);
        if let Some(authorisation) = slot.and_then(|slot| self.list.get_mut(slot)) {
            authorisation.completed = authorisation.completed.saturating_sub(amount);
        }
    }

    pub(super) fn next_deadline(&self) -> Option<(Time, Position)> {
        let (time, position, _) = self.deadlines.first()?;
        Some((time, position))
    }

    pub(super) fn oldest_referred(&self) -> Option<Position> {
        self.list
            .iter()
            .map(|(_, authorisation)| authorisation.submitted)
            .min()
    }

    fn slot(&self, key: &CardKey) -> Option<u32> {
        let hash = table::hash(self.seed, key.0);
        self.by_key.find(hash, |slot| {
            self.list.get(slot).is_some_and(|one| one.key == *key)
        })
    }

    fn enter(&mut self, authorisation: Authorisation) {
        let slot = self.list.insert(authorisation);
        self.deadlines
            .insert(authorisation.expires, authorisation.submitted, slot);
        let (seed, list) = (self.seed, &self.list);
        let hash = table::hash(seed, authorisation.key.0);
        self.by_key.insert(hash, slot, |slot| {
            list.get(slot).map_or(0, |one| table::hash(seed, one.key.0))
        });
    }

    fn remove(&mut self, slot: u32) -> Option<Authorisation> {
        let authorisation = self.list.remove(slot)?;
        self.deadlines.remove(slot);
        self.by_key
            .remove(table::hash(self.seed, authorisation.key.0), slot);
        Some(authorisation)
    }
}

impl Authorisation {
    /// What completions may come to.
    fn most(&self) -> u64 {
        let above = u128::from(self.amount).saturating_mul(u128::from(self.above_percent)) / 100;
        // An amount has twelve digits and a percentage eight bits.
        self.amount
            .saturating_add(u64::try_from(above).unwrap_or(u64::MAX))
    }
}

/// Whether the rows may become the table of lifetimes.
pub(super) fn are_sound(rows: &[LifetimeRow]) -> bool {
    rows.len() <= LIFETIME_ROWS_MAX
        && rows.iter().all(|row| {
            row.mcc_from <= row.mcc_to && row.within > Span::ZERO && row.within <= LIFETIME_MAX
        })
}

/// Takes a completion.
pub(super) fn complete(state: &mut engine::State, key: &CardKey, amount: u64, out: &mut Output) {
    if state.cards.authorisations.complete(key, amount) {
        end(state, key, out);
    }
}

/// Less stands of the authorisation, or nothing.
pub(super) fn reduce(state: &mut engine::State, key: &CardKey, stands: u64, out: &mut Output) {
    let authorisations = &mut state.cards.authorisations;
    let slot = authorisations.slot(key);
    let Some(authorisation) = slot.and_then(|slot| authorisations.list.get_mut(slot)) else {
        return;
    };
    authorisation.amount = stands;
    if authorisation.completed >= stands {
        end(state, key, out);
    }
}

fn end(state: &mut engine::State, key: &CardKey, out: &mut Output) {
    let authorisations = &mut state.cards.authorisations;
    let slot = authorisations.slot(key);
    if let Some(ended) = slot.and_then(|slot| authorisations.remove(slot)) {
        out.card_event(Event::AuthorisationEnded {
            key: ended.key,
            completed: Money::kzt(ended.completed),
        });
    }
}

/// The first lifetime that is over.
pub(super) fn expire_first(state: &mut engine::State, _stamp: Stamp, out: &mut Output) {
    if let Some((_, _, slot)) = state.cards.authorisations.deadlines.first() {
        let key = state.cards.authorisations.list.get(slot).map(|one| one.key);
        if let Some(key) = key {
            end(state, &key, out);
        }
    }
}

impl Authorisation {
    fn write(&self, writer: &mut Writer<'_>) {
        writer.put(&self.key);
        writer.put(&self.submitted);
        writer.put(&self.card);
        writer.put(&self.service);
        writer.put(&self.acquirer);
        writer.put(&self.issuer);
        writer.put(&self.asked);
        writer.u64(self.approved);
        writer.u64(self.amount);
        writer.u64(self.completed);
        writer.u8(self.above_percent);
        writer.put(&self.expires);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Authorisation, FactsError> {
        Ok(Authorisation {
            key: reader.field("key")?,
            submitted: reader.field("submitted")?,
            card: reader.field("card hash")?,
            service: reader.field("service")?,
            acquirer: reader.field("acquirer")?,
            issuer: reader.field("issuer")?,
            asked: reader.field("asked")?,
            approved: reader.u64("approved")?,
            amount: reader.u64("amount")?,
            completed: reader.u64("completed")?,
            above_percent: reader.u8("above percent")?,
            expires: reader.field("expires")?,
        })
    }
}

/// Snapshot: the table of lifetimes, and the authorisations in the order of their records.
impl Authorisations {
    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        writer.list(&self.lifetimes);
        let mut all: Vec<&Authorisation> = self.list.iter().map(|(_, one)| one).collect();
        all.sort_unstable_by_key(|one| one.submitted);
        writer.u32(u32::try_from(all.len()).unwrap_or(u32::MAX));
        for authorisation in all {
            authorisation.write(writer);
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>, seed: u64) -> Result<Authorisations, FactsError> {
        let mut authorisations = Authorisations::new(seed);
        let offset = reader.offset();
        authorisations.lifetimes = reader.list("lifetimes")?;
        if !are_sound(&authorisations.lifetimes) {
            return Err(reader.error("lifetimes", offset, LayoutRule::Value));
        }
        for _ in 0..reader.u32("authorisations")? {
            let offset = reader.offset();
            let authorisation = Authorisation::read(reader)?;
            if authorisations.get(&authorisation.key).is_some() {
                return Err(reader.error("key", offset, LayoutRule::Value));
            }
            authorisations.enter(authorisation);
        }
        Ok(authorisations)
    }
}
