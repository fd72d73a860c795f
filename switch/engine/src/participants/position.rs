//! Positions: what a participant has on the rail, and the notices when it passes the agreed floor or ceiling.

use torap_domain::{Money, ParticipantId};

use crate::{Message, Notice, Output, Stamp, ancillary, engine, links::Letter};

/// A participant's position, in minor units of KZT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PositionView {
    pub participant: ParticipantId,
    /// Posted credits less posted debits; below zero within a net debit cap.
    pub posted: i128,
    /// Reserved for payments under way.
    pub held: u64,
    /// Posted less held plus the credit line; never below zero.
    pub available: i128,
    /// How far below zero the position may go.
    pub credit_line: u64,
}

/// Tells the participant that settles for `participant` when its available position has passed floor or ceiling. Each is told
/// once until the position has come back.
pub(crate) fn watch(
    state: &mut engine::State,
    stamp: Stamp,
    participant: ParticipantId,
    out: &mut Output,
) {
    ancillary::top_up(state, stamp, participant, out);
    let settling = state.participants.settles_through(participant);
    let Some(watched) = state.participants.get_mut(settling) else {
        return;
    };
    let (floor, ceiling) = (watched.profile.floor, watched.profile.ceiling);
    if floor.is_none() && ceiling.is_none() {
        return;
    }
    let available = state.ledger.available(watched.account);
    let asset = floor.or(ceiling).map(Money::asset);
    let shown = Money::from_minor(
        u64::try_from(available.max(0)).unwrap_or(u64::MAX),
        asset.unwrap_or(torap_domain::Asset::Kzt),
    );
    let below = floor.is_some_and(|floor| available < i128::from(floor.minor()));
    let above = ceiling.is_some_and(|ceiling| available > i128::from(ceiling.minor()));
    let fell = below && !watched.below_floor;
    let rose = above && !watched.above_ceiling;
    watched.below_floor = below;
    watched.above_ceiling = above;
    let notices = [
        fell.then_some(Notice::Floor { available: shown }),
        rose.then_some(Notice::Ceiling { available: shown }),
    ];
    for notice in notices.into_iter().flatten() {
        let letter = Letter::new(Message::Notice { notice });
        state.links.send(out, stamp, settling, letter);
    }
}

impl engine::State {
    /// The position that a participant settles on; for an indirect one its sponsor's.
    pub(crate) fn position(&self, participant: ParticipantId) -> Option<PositionView> {
        let account = self.participants.account(participant)?;
        let account = self.ledger.account(account)?;
        Some(PositionView {
            participant,
            posted: account.balance(),
            held: account.debits_pending(),
            available: account.available(),
            credit_line: account.credit_line(),
        })
    }
}
