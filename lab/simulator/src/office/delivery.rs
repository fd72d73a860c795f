//! Deliveries versus payment: the depository hands linked payments over, and all of them settle or none does.

use std::collections::BTreeMap;

use torap_domain::{Money, ParticipantId, Position, Text, Time};
use torap_engine::{
    Command, Engine, Event, Outcome, Stamp,
    ancillary::{self, Cause, Delivery, DeliveryState, Leg},
    participants::Direction,
};

use super::{Turn, operator, participant};
use crate::{draw::Draw, plan::SECOND};

/// Legs of a delivery, at most.
const LEGS_MAX: u64 = 4;

/// The depository hands a delivery over, perhaps the same again, or closes one.
pub(super) fn act(draw: &mut Draw, turn: &Turn<'_>, commands: &mut Vec<Command>) {
    let source = operator("depository", "dvp");
    let known: Vec<_> = turn.node.follower().engine().deliveries().collect();
    let chosen = known.get(draw.index(known.len())).copied();
    let command = match (draw.index(5), chosen) {
        (0, Some(known)) => ancillary::Command::CloseDelivery {
            source,
            id: known.id,
        },
        (1, Some(known)) => ancillary::Command::Deliver {
            source,
            delivery: known.delivery.clone(),
        },
        _ => {
            let legs = (0..draw.range(1, LEGS_MAX)).map(|_| Leg {
                from: participant(draw, turn.plan),
                to: participant(draw, turn.plan),
                amount: Money::kzt(draw.range(1, 6_000_000)),
            });
            let legs = legs.collect();
            ancillary::Command::Deliver {
                source,
                delivery: Delivery {
                    reference: Text::truncated(&format!("DVP-{:08x}", draw.next() as u32)),
                    legs,
                    expires: Time::from_nanos(turn.wall + draw.range(1, 60) * SECOND),
                },
            }
        }
    };
    commands.push(Command::Ancillary(command));
}

/// What the log says of deliveries.
#[derive(Debug, Default)]
pub(super) struct Deliveries {
    taken: BTreeMap<Position, Taken>,
    pub(super) settled: u64,
}

#[derive(Debug)]
struct Taken {
    legs: Vec<Leg>,
    settled: u32,
    ended: u32,
    closed: bool,
}

impl Deliveries {
    pub(super) fn record(
        &mut self,
        stamp: Stamp,
        (command, outcome): (&Command, Outcome),
        events: &[Event],
    ) -> Result<(), String> {
        let accepted = outcome == Outcome::Accepted;
        match command {
            Command::Ancillary(ancillary::Command::Deliver { delivery, .. }) if accepted => {
                let taken = Taken {
                    legs: delivery.legs.clone(),
                    settled: 0,
                    ended: 0,
                    closed: false,
                };
                self.taken.insert(stamp.position, taken);
            }
            Command::Ancillary(ancillary::Command::CloseDelivery { id, .. }) if accepted => {
                if let Some(taken) = self.taken.get_mut(id) {
                    taken.closed = true;
                }
            }
            _ => {}
        }
        let mut moved: BTreeMap<ParticipantId, i128> = BTreeMap::new();
        for event in events {
            let Event::Ancillary(event) = event else {
                continue;
            };
            match event {
                ancillary::Event::Moved {
                    participant,
                    cause: Cause::Delivery,
                    direction,
                    amount,
                } => {
                    let amount = i128::from(amount.minor());
                    *moved.entry(*participant).or_default() += match direction {
                        Direction::In => amount,
                        Direction::Out => -amount,
                    };
                }
                ancillary::Event::DeliverySettled { id } => {
                    let Some(taken) = self.taken.get_mut(id) else {
                        return Err(format!("delivery {}: settled and never taken", id.value()));
                    };
                    taken.settled += 1;
                    self.settled += 1;
                    for leg in &taken.legs {
                        let amount = i128::from(leg.amount.minor());
                        *moved.entry(leg.from).or_default() += amount;
                        *moved.entry(leg.to).or_default() -= amount;
                    }
                }
                ancillary::Event::DeliveryEnded { id } => {
                    if let Some(taken) = self.taken.get_mut(id) {
                        taken.ended += 1;
                    }
                }
                _ => {}
            }
        }
        match moved.into_iter().find(|(_, sum)| *sum != 0) {
            Some((participant, sum)) => Err(format!(
                "record {}: what deliveries moved for participant {} differs from their legs by {sum}",
                stamp.position.value(),
                participant.value()
            )),
            None => Ok(()),
        }
    }

    /// Each has settled or ended, once, or waits.
    pub(super) fn check(&self, engine: &Engine) -> Result<(), String> {
        let known: BTreeMap<Position, DeliveryState> = engine
            .deliveries()
            .map(|known| (known.id, known.state))
            .collect();
        for (id, taken) in &self.taken {
            let state = known.get(id).copied();
            let sound = match (taken.settled, taken.ended, state) {
                (0, 0, Some(DeliveryState::Waits)) => true,
                (1, 0, Some(DeliveryState::Settled(_))) => true,
                (0, 1, Some(DeliveryState::Ended(_))) => true,
                (1, 0, None) => taken.closed,
                // What ended without money is forgotten in the end.
                (0, 1, None) => true,
                _ => false,
            };
            if !sound {
                return Err(format!(
                    "delivery {}: {} times settled, {} times ended, {state:?}",
                    id.value(),
                    taken.settled,
                    taken.ended
                ));
            }
        }
        Ok(())
    }
}
