//! Delivery versus payment, model 1: securities and money change hands gross, one against the other, or neither does.
//!
//! The depository blocks the securities first and then hands the money side over: linked payments that settle all or nothing, by a
//! time. What the switch decides is final: settled, and the depository delivers; ended without money, and it releases the block. While
//! the link is dead it does neither. docs/settlement.md holds the whole of it.

use std::collections::{BTreeMap, BTreeSet};

use torap_domain::{Asset, Money, ParticipantId, Position, Reason, Text, Time};
use torap_ledger::AccountId;

use super::{Cause, Event};
use crate::{
    Output, Stamp,
    codec::{FactsError, LayoutRule, Reader, Writer},
    engine,
    participants::Direction,
    settlement,
};

/// Payments of one delivery, at most.
pub const LEGS_MAX: usize = 16;
/// Deliveries that wait, or have ended and have not been closed by the depository, at most. What has settled is never forgotten by
/// itself: a depository that asks for it would take it for one that never came.
pub const DELIVERIES_MAX: usize = 65_536;

/// A payment of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg {
    pub from: ParticipantId,
    pub to: ParticipantId,
    pub amount: Money,
}

/// The money side of a delivery whose securities are blocked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The depository's own identifier.
    pub reference: Text<35>,
    pub legs: Vec<Leg>,
    /// If it has not settled by then, it never does.
    pub expires: Time,
}

/// How a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    Waits,
    /// The money has moved: the securities are the buyer's.
    Settled(Time),
    /// No money moves any more: the block is to be released.
    Ended(Time),
}

/// A delivery that the switch knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The record that it came with.
    pub id: Position,
    pub delivery: Delivery,
    pub state: DeliveryState,
}

/// All that are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Deliveries {
    by_id: BTreeMap<Position, Known>,
    by_reference: BTreeMap<Text<35>, Position>,
    /// Those that wait, by payer and by time.
    payers: BTreeSet<(ParticipantId, Position)>,
    expires: BTreeSet<(Time, Position)>,
    ended: BTreeSet<Position>,
}

impl Deliveries {
    pub(super) fn due(&self) -> Option<(Time, Position)> {
        self.expires.first().copied()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Known> + '_ {
        self.by_id.values()
    }

    fn insert(&mut self, known: Known) {
        let id = known.id;
        self.by_reference.insert(known.delivery.reference, id);
        if known.state == DeliveryState::Waits {
            self.expires.insert((known.delivery.expires, id));
            for leg in &known.delivery.legs {
                self.payers.insert((leg.from, id));
            }
        } else {
            self.ended.insert(id);
        }
        self.by_id.insert(id, known);
    }

    fn end(&mut self, id: Position, state: DeliveryState) {
        let Some(known) = self.by_id.get_mut(&id) else {
            return;
        };
        known.state = state;
        self.expires.remove(&(known.delivery.expires, id));
        for leg in &known.delivery.legs {
            self.payers.remove(&(leg.from, id));
        }
        self.ended.insert(id);
    }

    fn forget(&mut self, id: Position) {
        self.ended.remove(&id);
        if let Some(known) = self.by_id.remove(&id) {
            self.by_reference.remove(&known.delivery.reference);
        }
    }

    fn of_payer(&self, payer: ParticipantId) -> Vec<Position> {
        let range = (payer, Position::ZERO)..=(payer, Position(u64::MAX));
        self.payers.range(range).map(|(_, id)| *id).collect()
    }
}

/// The depository has blocked the securities of a delivery.
pub(super) fn deliver(
    state: &mut engine::State,
    stamp: Stamp,
    delivery: &Delivery,
    out: &mut Output,
) -> Result<(), Reason> {
    let known = &state.ancillary.deliveries;
    if let Some(id) = known.by_reference.get(&delivery.reference) {
        let same = known
            .by_id
            .get(id)
            .is_some_and(|known| known.delivery == *delivery);
        return Err(if same {
            Reason::DuplicateReplay
        } else {
            Reason::DuplicateMismatch
        });
    }
    // One that comes after its time was released, or will be: it must never settle.
    if delivery.expires <= stamp.time {
        return Err(Reason::LatestTimePassed);
    }
    state.settlement.is_open()?;
    if delivery.legs.is_empty() || delivery.legs.len() > LEGS_MAX {
        return Err(Reason::OperatorRefused);
    }
    for leg in &delivery.legs {
        let from = settlement::direct(state, leg.from)?;
        let to = settlement::direct(state, leg.to)?;
        state.participants.may_debit(from)?;
        state.participants.may_credit(to)?;
        super::in_tenge(leg.amount)?;
        if from == to {
            return Err(Reason::SameParticipant);
        }
    }
    if known.by_id.len() >= DELIVERIES_MAX {
        return Err(Reason::InternalLimit);
    }
    let id = stamp.position;
    state.ancillary.deliveries.insert(Known {
        id,
        delivery: delivery.clone(),
        state: DeliveryState::Waits,
    });
    if try_one(state, stamp, id, out) {
        settlement::run_queues(state, stamp, out);
    }
    Ok(())
}

/// The depository has moved or released the securities: the switch may forget the delivery. Not before its time is over: until then
/// the same delivery, sent again, has to be known again.
pub(super) fn close(state: &mut engine::State, stamp: Stamp, id: Position) -> Result<(), Reason> {
    let deliveries = &mut state.ancillary.deliveries;
    let known = deliveries
        .by_id
        .get(&id)
        .filter(|_| deliveries.ended.contains(&id));
    let known = known.ok_or(Reason::QueuedPaymentUnknown)?;
    if known.delivery.expires > stamp.time {
        return Err(Reason::RetryLater);
    }
    deliveries.forget(id);
    Ok(())
}

/// A payer may have more money: tries its deliveries in the order of their arrival. The queues of whoever is paid are tried by the
/// caller.
pub(crate) fn try_deliveries(
    state: &mut engine::State,
    stamp: Stamp,
    payer: ParticipantId,
    out: &mut Output,
) {
    for id in state.ancillary.deliveries.of_payer(payer) {
        try_one(state, stamp, id, out);
    }
}

/// The first time has come.
pub(super) fn expire(state: &mut engine::State, stamp: Stamp, out: &mut Output) {
    if let Some((_, id)) = state.ancillary.deliveries.due() {
        end(state, stamp, id, out);
    }
}

/// The business day of IMTS is over: nothing waits any more.
pub(super) fn day_closed(state: &mut engine::State, stamp: Stamp, out: &mut Output) {
    let waiting = state.ancillary.deliveries.expires.iter();
    let waiting: Vec<Position> = waiting.map(|(_, id)| *id).collect();
    for id in waiting {
        end(state, stamp, id, out);
    }
}

fn end(state: &mut engine::State, stamp: Stamp, id: Position, out: &mut Output) {
    let ended = DeliveryState::Ended(stamp.time);
    state.ancillary.deliveries.end(id, ended);
    out.ancillary_event(Event::DeliveryEnded { id });
}

/// Settles all payments of a delivery, if every payer can pay what it pays net.
fn try_one(state: &mut engine::State, stamp: Stamp, id: Position, out: &mut Output) -> bool {
    let Some(known) = state.ancillary.deliveries.by_id.get(&id) else {
        return false;
    };
    let legs = known.delivery.legs.iter();
    let mut suspensions = legs.filter_map(|leg| state.suspension(leg.from, leg.to));
    if suspensions.next().is_some() {
        return false;
    }
    let mut nets: BTreeMap<ParticipantId, i128> = BTreeMap::new();
    for leg in &known.delivery.legs {
        let amount = i128::from(leg.amount.minor());
        let from = nets.entry(leg.from).or_default();
        *from = from.saturating_sub(amount);
        let to = nets.entry(leg.to).or_default();
        *to = to.saturating_add(amount);
    }
    let able = nets.iter().all(|(participant, net)| {
        let funds = i128::from(state.imts_funds(*participant, false));
        funds.saturating_add(*net) >= 0
    });
    if !able {
        return false;
    }
    let accounts: Option<Vec<(AccountId, i128)>> = nets
        .iter()
        .map(|(participant, net)| Some((state.settlement_account(*participant)?, *net)))
        .collect();
    let technical = state.clearing_technical();
    let booked = accounts.is_some_and(|accounts| {
        torap_clearing::settle(&mut state.ledger, technical, Asset::Kzt, &accounts).is_ok()
    });
    if !booked {
        return false;
    }
    for (participant, net) in nets {
        let direction = if net < 0 {
            Direction::Out
        } else {
            Direction::In
        };
        let amount = Money::kzt(u64::try_from(net.unsigned_abs()).unwrap_or(u64::MAX));
        if net != 0 {
            out.ancillary_event(Event::Moved {
                participant,
                cause: Cause::Delivery,
                direction,
                amount,
            });
        }
        if net > 0 {
            state.settlement.try_again(participant);
        }
    }
    let settled = DeliveryState::Settled(stamp.time);
    state.ancillary.deliveries.end(id, settled);
    out.ancillary_event(Event::DeliverySettled { id });
    true
}

/// Snapshot.
impl Deliveries {
    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        writer.count(self.by_id.len());
        for known in self.by_id.values() {
            writer.put(&known.id);
            writer.put(&known.delivery);
            match known.state {
                DeliveryState::Waits => writer.u8(1),
                DeliveryState::Settled(at) => {
                    writer.u8(2);
                    writer.put(&at);
                }
                DeliveryState::Ended(at) => {
                    writer.u8(3);
                    writer.put(&at);
                }
            }
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Deliveries, FactsError> {
        let mut deliveries = Deliveries::default();
        for _ in 0..reader.count("deliveries")? {
            let id = reader.field("delivery")?;
            let delivery = reader.field("delivery")?;
            let offset = reader.offset();
            let state = match reader.u8("delivery state")? {
                1 => DeliveryState::Waits,
                2 => DeliveryState::Settled(reader.field("settled at")?),
                3 => DeliveryState::Ended(reader.field("ended at")?),
                _ => return Err(reader.error("delivery state", offset, LayoutRule::Tag)),
            };
            deliveries.insert(Known {
                id,
                delivery,
                state,
            });
        }
        Ok(deliveries)
    }
}
