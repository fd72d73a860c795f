//! What a bank sends again: a payment gets the answer that it has by now, and a liquidity transfer moves once.
//!
//! Transfers are remembered until IMTS opens on another date; one that waited for the opening until the one after. A refused one is not
//! remembered.

use std::collections::BTreeMap;

use torap_domain::{Money, ParticipantId, Position, Reason, Text, Time};

use super::{
    End, Liquidity, Payment, State,
    told::{About, Known},
};
use crate::{
    References, Stamp, Status,
    codec::{FactsError, LayoutRule, Reader, Writer},
    participants::Direction,
};

/// From this version of the rules on what is sent again is answered again; before, a payment was refused and a transfer moved again.
pub(super) const RULES_REPEATS: u32 = 2;
/// Liquidity transfers of one date that are remembered, at most.
pub const ORDERS_MAX: usize = 65_536;

/// Whose order, and its MsgId.
pub(super) type OrderKey = (ParticipantId, Text<35>);

/// A liquidity transfer that was done, or waits for the opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Order {
    direction: Direction,
    amount: Money,
    /// Its record, while it waits.
    pub(super) waits: Option<Position>,
}

pub(super) fn key(participant: ParticipantId, order: &Liquidity) -> OrderKey {
    let id = Text::truncated(order.message_id.as_str());
    (participant, id)
}

impl Order {
    pub(super) fn of(order: &Liquidity, waits: Option<Position>) -> Order {
        Order {
            direction: order.direction,
            amount: order.amount,
            waits,
        }
    }

    /// Whether a message says the same.
    pub(super) fn is(&self, order: &Liquidity) -> bool {
        (self.direction, self.amount) == (order.direction, order.amount)
    }
}

impl State {
    /// The transfers that wait, by their records.
    pub(super) fn waiting_orders(&self) -> BTreeMap<Position, OrderKey> {
        let orders = self.orders.iter();
        let waiting = orders.filter_map(|(key, order)| Some((order.waits?, *key)));
        waiting.collect()
    }

    /// A transfer that waited was done, or refused.
    pub(super) fn order_ended(&mut self, key: &OrderKey, done: bool) {
        if done {
            if let Some(order) = self.orders.get_mut(key) {
                order.waits = None;
            }
        } else {
            self.orders.remove(key);
        }
    }

    /// How a payment stands that was taken with the same references and content: the record and time that decided it, as far as they are
    /// known, and the status.
    pub(super) fn again(
        &self,
        stamp: Stamp,
        payment: &Payment,
        references: &References,
    ) -> Option<(Position, Time, Status)> {
        let (id, known) = self.told.by_uetr(&references.uetr)?;
        let accounts = (known.from, known.to, known.amount);
        let same = accounts == (payment.from, payment.to, payment.amount);
        if !same || !known.is_named(references) {
            return None;
        }
        if self.queue.get(id).is_some() {
            return Some((id, stamp.time, Status::Pending));
        }
        ended(stamp, id, known)
    }
}

fn ended(stamp: Stamp, id: Position, known: &Known) -> Option<(Position, Time, Status)> {
    let About { entered, ended, .. } = known.about?;
    let (end, at) = ended?;
    let rejected = |reason| Status::Rejected {
        reason,
        agent_code: None,
    };
    let status = match end {
        End::Settled => Status::Settled,
        End::Rejected(reason) => rejected(reason),
        End::Withdrawn => rejected(Reason::ItemWithdrawn),
    };
    // What was decided at once was decided by its own record.
    let decided = if at == entered { id } else { stamp.position };
    Some((decided, at, status))
}

/// Snapshot, behind how the last day ended.
impl State {
    pub(super) fn write_orders(&self, writer: &mut Writer<'_>) {
        writer.count(self.orders.len());
        for ((participant, id), order) in &self.orders {
            writer.put(participant);
            writer.put(id);
            writer.put(&order.direction);
            writer.put(&order.amount);
            writer.put(&order.waits);
        }
    }

    pub(super) fn read_orders(&mut self, reader: &mut Reader<'_>) -> Result<(), FactsError> {
        for _ in 0..reader.count("liquidity transfers")? {
            let offset = reader.offset();
            let key: OrderKey = (reader.field("participant")?, reader.field("message")?);
            let order = Order {
                direction: reader.field("direction")?,
                amount: reader.field("amount")?,
                waits: reader.field("waits")?,
            };
            let last = self.orders.last_key_value();
            if last.is_some_and(|(before, _)| *before >= key) {
                return Err(reader.error("message", offset, LayoutRule::Value));
            }
            self.orders.insert(key, order);
        }
        Ok(())
    }
}
