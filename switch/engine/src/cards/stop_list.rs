//! Cards that no request may use, as their issuers or the operator say.
//!
//! Memory: about 50 bytes a card, bounded.

use torap_domain::{CardReason, ParticipantId, Reason, card::CardHash};

use super::{Card, Event, StopAction, StopCause};
use crate::{
    Outcome, Output, Source,
    codec::{FactsError, LayoutRule, Reader, Writer},
    engine,
    slab::Slab,
    table::{self, Table},
};

/// A stopped card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stopped {
    card: CardHash,
    issuer: ParticipantId,
    cause: StopCause,
}

/// Every stopped card.
#[derive(Clone, Debug)]
pub(super) struct StopList {
    seed: u64,
    list: Slab<Stopped>,
    by_card: Table,
}

impl StopList {
    pub(super) fn new(seed: u64) -> StopList {
        StopList {
            seed,
            list: Slab::new(),
            by_card: Table::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// Refuses a stopped card with the reason of its cause.
    #[inline]
    pub(super) fn check(&self, card: CardHash) -> Result<(), CardReason> {
        if self.list.len() == 0 {
            return Ok(());
        }
        let stopped = self.slot(card).and_then(|slot| self.list.get(slot));
        match stopped.map(|stopped| stopped.cause) {
            None => Ok(()),
            Some(StopCause::Lost) => Err(CardReason::CardLost),
            Some(StopCause::Stolen) => Err(CardReason::CardStolen),
            Some(StopCause::Restricted) => Err(CardReason::CardRestricted),
        }
    }

    fn slot(&self, card: CardHash) -> Option<u32> {
        let hash = table::hash(self.seed, card.0);
        self.by_card.find(hash, |slot| {
            self.list.get(slot).is_some_and(|one| one.card == card)
        })
    }

    fn enter(&mut self, stopped: Stopped) {
        let slot = self.list.insert(stopped);
        let (seed, list) = (self.seed, &self.list);
        self.by_card
            .insert(table::hash(seed, stopped.card.0), slot, |slot| {
                list.get(slot)
                    .map_or(0, |one| table::hash(seed, one.card.0))
            });
    }
}

/// Changes the list for a card of `issuer`.
pub(super) fn change(
    state: &mut engine::State,
    card: &Card,
    issuer: ParticipantId,
    action: StopAction,
    out: &mut Output,
) -> Result<(), CardReason> {
    let most = state.cards.settings.bounds.stop_list_max as usize;
    let list = &mut state.cards.stop_list;
    let slot = list.slot(card.hash);
    let known = slot.and_then(|slot| list.list.get_mut(slot));
    match (action, known) {
        (_, Some(stopped)) if stopped.issuer != issuer => return Err(CardReason::EntryNotOwned),
        (StopAction::Stop { cause }, Some(stopped)) => stopped.cause = cause,
        (StopAction::Stop { cause }, None) => {
            if list.len() >= most {
                return Err(CardReason::StopListFull);
            }
            list.enter(Stopped {
                card: card.hash,
                issuer,
                cause,
            });
        }
        (StopAction::Release, Some(_)) => {
            if let Some(slot) = slot {
                list.by_card
                    .remove(table::hash(list.seed, card.hash.0), slot);
                list.list.remove(slot);
            }
        }
        (StopAction::Release, None) => return Err(CardReason::EntryUnknown),
    }
    out.card_event(Event::StopList {
        card: *card,
        stopped: matches!(action, StopAction::Stop { .. }),
    });
    Ok(())
}

/// The operator's change.
pub(super) fn apply(
    state: &mut engine::State,
    source: &Source,
    card: &Card,
    issuer: ParticipantId,
    action: StopAction,
    out: &mut Output,
) -> Outcome {
    let known = state
        .cards
        .members
        .get(issuer)
        .is_some_and(|member| member.profile.roles.issuer);
    let allowed = source.by_operator().is_ok() && known;
    if allowed && change(state, card, issuer, action, out).is_ok() {
        return Outcome::Accepted;
    }
    let reason = Reason::OperatorRefused;
    out.event(crate::Event::Refused { reason });
    Outcome::Refused(reason)
}

/// Snapshot: the cards in the order of their hashes.
impl StopList {
    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        let mut all: Vec<&Stopped> = self.list.iter().map(|(_, one)| one).collect();
        all.sort_unstable_by_key(|one| one.card);
        writer.u32(u32::try_from(all.len()).unwrap_or(u32::MAX));
        for stopped in all {
            writer.put(&stopped.card);
            writer.put(&stopped.issuer);
            writer.u8(stopped.cause as u8);
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>, seed: u64) -> Result<StopList, FactsError> {
        let mut list = StopList::new(seed);
        let mut last = None;
        for _ in 0..reader.u32("stop list")? {
            let offset = reader.offset();
            let stopped = Stopped {
                card: reader.field("stopped card")?,
                issuer: reader.field("stopped issuer")?,
                cause: reader.tag("stop cause", StopCause::from_number)?,
            };
            if last.is_some_and(|before| before >= stopped.card) {
                return Err(reader.error("stopped card", offset, LayoutRule::Value));
            }
            last = Some(stopped.card);
            list.enter(stopped);
        }
        Ok(list)
    }
}
