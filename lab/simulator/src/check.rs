//! What must hold: after every start of the switch, now and then while it runs, and of the whole run at its end.

use std::collections::BTreeMap;

use torap_bank::Final;
use torap_core::{Recovered, Replay};
use torap_domain::{ParticipantId, Position, Sequence, Uetr};
use torap_engine::{
    Effect, Engine, Event,
    instant::{FinalOutcome, Finished, PaymentKey},
    participants::Direction,
};
use torap_gateway::{render::Renderer, wire::ContentType};
use torap_index::{Changes, Index, MemoryIndex};
use torap_journal::{Depth, Journal};

use torap_follower::SnapshotStore;

use crate::{
    card::Outcomes,
    host::first_64,
    node::Node,
    office::{Audit, Taken},
    orders::Ends,
    plan::Plan,
    world::World,
};

/// Everything that a replay of the whole log from its first record says.
struct Told {
    engine: Engine,
    recovered: Recovered,
    index: MemoryIndex,
    /// Outcomes in the order of the log, by key.
    outcomes: BTreeMap<PaymentKey, Vec<Finished>>,
    /// Money that the operator brought in less what it took out, in tiyn, by participant.
    funded: BTreeMap<ParticipantId, i128>,
    /// Outcomes of card transactions.
    cards: Outcomes,
    /// Ends of payments in IMTS, and nets of clearing sessions.
    ends: Ends,
    /// Back offices.
    audit: Audit,
}

impl World {
    /// What holds at any time: conservation, limits, and what the banks were told so far.
    pub(crate) fn check_running(&mut self) {
        let Some(node) = &self.node else {
            return;
        };
        let mut broken = Vec::new();
        for engine in [node.core().engine(), node.follower().engine()] {
            if let Err(error) = engine.conservation() {
                broken.push(format!("books: {error}"));
            }
            broken.extend(
                engine
                    .positions()
                    .filter(|position| position.available < 0)
                    .map(|position| {
                        format!(
                            "participant {} is beyond its limit by {}",
                            position.participant.value(),
                            -position.available
                        )
                    }),
            );
        }
        for host in &self.hosts {
            broken.extend(host.bank.books().violations().iter().map(|violation| {
                format!(
                    "{} saw a broken promise about {}: {}",
                    host.code, violation.uetr, violation.text
                )
            }));
        }
        let wall = self.true_time();
        broken.extend(self.cards.as_mut().and_then(|cards| cards.complaints(wall)));
        if let Some(text) = broken.into_iter().next() {
            self.fail(text);
        }
    }

    /// Everything of the run, once it has come to rest.
    pub(crate) fn check_end(&mut self) {
        self.check_running();
        let Some(node) = &self.node else {
            self.fail("the switch does not run at the end");
            return;
        };
        let snapshots = SnapshotStore::view(std::sync::Arc::new(self.machine.snapshots.clone()));
        let checked = replay(node, &self.plan).and_then(|told| {
            same_state(node, &told)?;
            self.check_outcomes(node, &told)?;
            self.check_books(&told)?;
            self.check_answers(node)?;
            told.ends.check(&told.engine)?;
            let offices = told.audit.check(
                &told.engine,
                (&self.hosts, self.office.as_ref()),
                |key| told.outcomes.get(key).map_or(0, Vec::len),
                (&node.records.0, &snapshots),
            )?;
            Ok((told.cards, told.ends.counts(), offices))
        });
        let checked = checked.map(|(cards, counts, offices)| {
            self.order_counts = counts;
            self.office_counts = offices;
            cards
        });
        let wall = self.true_time();
        let checked = checked.and_then(|told| match (&mut self.cards, &self.node) {
            (Some(cards), Some(node)) => cards.check_end(node, &told, wall),
            _ => Ok(()),
        });
        if let Err(text) = checked {
            self.fail(text);
        }
    }

    /// Every payment has exactly one final outcome, the same for both banks, journal and index.
    fn check_outcomes(&self, node: &Node, told: &Told) -> Result<(), String> {
        for (key, outcomes) in &told.outcomes {
            let [first, rest @ ..] = outcomes.as_slice() else {
                continue;
            };
            if !rest.is_empty() {
                return Err(format!(
                    "payment {} has {} outcomes in the log",
                    first.uetr,
                    outcomes.len()
                ));
            }
            let indexed = node
                .lookups
                .index
                .payment_by_key(key)
                .map_err(|error| error.to_string())?;
            let same = indexed.value.is_some_and(|found| {
                found.outcome == first.outcome && found.decided == first.decided
            });
            if !same {
                return Err(format!(
                    "payment {}: the index and the journal disagree",
                    first.uetr
                ));
            }
            if let Some(window) = node.core().engine().find(key)
                && window.outcome != first.outcome
            {
                return Err(format!(
                    "payment {}: the window and the journal disagree",
                    first.uetr
                ));
            }
        }
        for sent in &self.load.sent {
            let uetr = Uetr::parse(&sent.uetr).map_err(|error| error.to_string())?;
            let payers = self.hosts[sent.bank].bank.books().outcome(&sent.uetr);
            let found = node
                .lookups
                .index
                .payment_by_uetr(&uetr)
                .map_err(|error| error.to_string())?;
            let Some(found) = found.value else {
                if payers.is_none() {
                    // Refused as a message, never taken as a payment.
                    continue;
                }
                return Err(format!(
                    "payment {}: {:?} for its bank, unknown to the index",
                    sent.uetr, payers
                ));
            };
            let journal = match found.outcome {
                FinalOutcome::Settled => Final::Acsc,
                FinalOutcome::Rejected { .. } | FinalOutcome::Tombstone => Final::Rjct,
            };
            for (number, host) in self.hosts.iter().enumerate() {
                let outcome = host.bank.books().outcome(&sent.uetr);
                let never_taken = outcome.is_none() && found.outcome == FinalOutcome::Tombstone;
                let must = (number == sent.bank && !never_taken) || outcome.is_some();
                if must && outcome != Some(journal) {
                    return Err(format!(
                        "payment {}: {journal:?} in the journal, {outcome:?} for {}",
                        sent.uetr, host.code
                    ));
                }
                let is_payee = found.creditor_agent.index() == number + 1;
                if journal == Final::Acsc && is_payee && outcome != Some(Final::Acsc) {
                    return Err(format!(
                        "payment {} settled, and {} has not heard of it",
                        sent.uetr, host.code
                    ));
                }
            }
        }
        Ok(())
    }

    /// A bank's own books equal its position.
    fn check_books(&self, told: &Told) -> Result<(), String> {
        for position in told.engine.positions() {
            let number = position.participant.index() - 1;
            let Some(host) = self.hosts.get(number) else {
                continue;
            };
            let funded = told.funded.get(&position.participant).copied().unwrap_or(0);
            let own = funded + host.bank.books().net() + told.audit.moved(position.participant);
            if position.posted != own {
                return Err(format!(
                    "{}: its position is {}, by its own books {own}",
                    host.code, position.posted
                ));
            }
            if position.held != 0 {
                return Err(format!(
                    "{}: {} are held for no payment",
                    host.code, position.held
                ));
            }
        }
        Ok(())
    }

    /// No answer was sent that the journal does not hold: every message that a bank received is written again from the log, and
    /// comes out the same to the byte.
    fn check_answers(&self, node: &Node) -> Result<(), String> {
        let mut renderer = Renderer::new();
        let mut body = Vec::new();
        let network = node.network();
        for (number, host) in self.hosts.iter().enumerate() {
            let to = ParticipantId::new(number as u16 + 1);
            for (sequence, received) in (1..).zip(&host.received) {
                let Some(received) = received else {
                    continue;
                };
                let entry = node
                    .lookups
                    .index
                    .outbound(to, Sequence::new(sequence))
                    .map_err(|error| error.to_string())?;
                let Some(entry) = entry else {
                    return Err(format!(
                        "{} received message {sequence}, which the journal does not hold",
                        host.code
                    ));
                };
                body.clear();
                let effect = Effect::from(entry);
                let content_type = renderer
                    .render(
                        &effect,
                        None,
                        &node.records,
                        &network,
                        received.possible_duplicate,
                        &mut body,
                    )
                    .map_err(|error| {
                        format!(
                            "{}: message {sequence} cannot be written again: {error}",
                            host.code
                        )
                    })?;
                let mut hasher = blake3::Hasher::new();
                hasher.update(&[u8::from(content_type == ContentType::AnswerJson)]);
                hasher.update(&body);
                if first_64(&hasher) != received.hash {
                    return Err(format!(
                        "{} received message {sequence}, which the journal writes differently: {:?}",
                        host.code, entry.message
                    ));
                }
            }
        }
        Ok(())
    }
}

/// Applies the whole log from its first record, as a new machine would.
fn replay(node: &Node, plan: &Plan) -> Result<Told, String> {
    let seed = plan.node.seed;
    let mut replay = Replay::new(Engine::seeded(!seed), Recovered::genesis());
    let mut audit = Audit::new(plan);
    let index = MemoryIndex::new();
    let mut changes = Changes::new();
    let mut outcomes: BTreeMap<PaymentKey, Vec<Finished>> = BTreeMap::new();
    let mut funded: BTreeMap<ParticipantId, i128> = BTreeMap::new();
    let mut cards = Outcomes::default();
    let mut ends = Ends::default();
    let mut records = node
        .journal()
        .read_from(1, Depth::Facts)
        .map_err(|error| error.to_string())?;
    while let Some(record) = records.next().map_err(|error| error.to_string())? {
        let applied = replay
            .apply(&record.meta, record.facts)
            .map_err(|error| format!("replay: {error}"))?;
        ends.command(applied.stamp.position, &applied.command, applied.outcome);
        for event in applied.events.iter() {
            ends.event(event);
            match event {
                Event::PaymentFinished(finished) | Event::ReturnFinished(finished) => {
                    outcomes.entry(finished.key).or_default().push(*finished);
                }
                Event::PositionChanged {
                    participant,
                    funded: amount,
                    direction,
                } => {
                    let amount = i128::from(amount.minor());
                    *funded.entry(*participant).or_default() += match direction {
                        Direction::In => amount,
                        Direction::Out => -amount,
                    };
                }
                Event::Card(event) => cards.take(event),
                _ => {}
            }
        }
        let (stamp, command, outcome) = (applied.stamp, applied.command, applied.outcome);
        let mut events = std::mem::take(applied.events);
        let effects = applied.effects.to_vec();
        let taken = Taken {
            stamp,
            command: &command,
            outcome,
            events: &events,
            effects: &effects,
        };
        audit.record(&taken, replay.engine());
        cards.record(replay.engine(), &command, &events);
        changes.push(stamp, &command, &mut events, &effects);
        if changes.rows() > 4096 {
            index
                .apply(&changes, stamp.position)
                .map_err(|error| error.to_string())?;
            changes.clear();
        }
    }
    let (engine, recovered) = replay.into_parts();
    index
        .apply(&changes, recovered.last.position)
        .map_err(|error| error.to_string())?;
    Ok(Told {
        engine,
        recovered,
        index,
        outcomes,
        funded,
        cards,
        ends,
        audit,
    })
}

/// Replay gives the same digest as the core came to, and the same state and index.
fn same_state(node: &Node, told: &Told) -> Result<(), String> {
    let live = node.core().recovered();
    if told.recovered.last.position != Position::new(node.durable()) {
        return Err("replay ends at another record than the journal".into());
    }
    if live.running != told.recovered.running {
        return Err(format!(
            "replay comes to the running digest {:x}, the core to {:x}",
            told.recovered.running, live.running
        ));
    }
    let (core, follower) = (
        node.core().engine().digest(),
        node.follower().engine().digest(),
    );
    let replayed = told.engine.digest();
    if core != replayed || follower != replayed {
        return Err(format!(
            "state digests differ: core {core:x}, follower {follower:x}, replay {replayed:x}"
        ));
    }
    if node.lookups.index.counts() != told.index.counts() {
        return Err("the index holds something else than the log says".into());
    }
    Ok(())
}
