//! What the operator's door does one at a time: pieces of presentment files and new cases about card transactions are looked up in index
//! and log, decided, and followed by the read side before the next look-up. The counterpart of the program's lock for the same.

use std::collections::VecDeque;

use torap_domain::{ParticipantId, Position, Text};
use torap_engine::{
    Command, Outcome,
    cards::{self, Known, Line, Present},
    disputes,
};
use torap_index::{CardFacts, Index, IndexError, is_disputable};

use super::operator;
use crate::node::{Decision, Node};

/// Something that needs facts.
#[derive(Clone, Debug)]
pub(super) enum Job {
    /// A piece whose lines have not been looked up; of a second tool, nobody waits for its outcome.
    Piece {
        present: Present,
        awaited: bool,
    },
    Case(Case),
}

/// A case about a card transaction that is to be opened.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) about: About,
    /// In place of the card's bank.
    pub(super) claimant: Option<ParticipantId>,
    pub(super) reason_code: [u8; 4],
    /// Of what stands, in thousandths.
    pub(super) claim: Option<u64>,
}

/// How the operator names a card transaction.
#[derive(Clone, Debug)]
pub(super) enum About {
    Retrieval(ParticipantId, Text<12>),
    Presented(Position, u32),
}

#[derive(Debug)]
enum State {
    Deciding { ticket: u64, awaited: bool },
    Following { position: Position },
}

#[derive(Debug, Default)]
pub(super) struct Facts {
    /// With the earliest time of each.
    queue: VecDeque<(u64, Job)>,
    under_way: Option<State>,
    /// Outcomes of pieces that somebody waits for.
    pub(super) outcomes: VecDeque<Outcome>,
}

impl Facts {
    pub(super) fn add(&mut self, not_before: u64, job: Job) {
        self.queue.push_back((not_before, job));
    }

    pub(super) fn is_busy(&self) -> bool {
        !self.queue.is_empty() || self.under_way.is_some()
    }

    pub(super) fn decided(&mut self, decision: Decision) {
        if let Some(State::Deciding { ticket, awaited }) = self.under_way
            && ticket == decision.ticket
        {
            let position = decision.position;
            self.under_way = Some(State::Following { position });
            if awaited {
                self.outcomes.push_back(decision.outcome);
            }
        }
    }

    pub(super) fn process_ends(&mut self) {
        *self = Facts::default();
    }

    /// Goes on with what can go on. True if the core got something.
    pub(super) fn work(&mut self, node: &mut Node, now: u64) -> Result<bool, String> {
        let indexed = node.lookups.index.applied_upto();
        if let Some(State::Following { position }) = self.under_way
            && indexed >= position
        {
            self.under_way = None;
        }
        let is_ready =
            self.under_way.is_none() && indexed >= node.follower().engine().last().position;
        let due = self.queue.front().is_some_and(|(at, _)| *at <= now);
        if !is_ready || !due {
            return Ok(false);
        }
        let Some((_, job)) = self.queue.pop_front() else {
            return Ok(false);
        };
        let awaited = matches!(job, Job::Piece { awaited: true, .. });
        let command = command(node, job).map_err(|error| error.to_string())?;
        let Some(command) = command else {
            return Ok(false);
        };
        let ticket = node.ask(command);
        self.under_way = Some(State::Deciding { ticket, awaited });
        Ok(true)
    }
}

/// Looks at what index and log know.
pub(super) fn look<T>(node: &Node, look: impl FnOnce(&CardFacts<'_>) -> T) -> T {
    let engine = node.follower().engine();
    let members: Vec<_> = engine.card_members().collect();
    look(&CardFacts {
        index: node.lookups.index.as_ref(),
        members: &members,
        bins: &engine.card_bins(),
        record: &|position| {
            let (command, time, _) = node.records.card(position)?;
            Some((command, time))
        },
    })
}

fn command(node: &Node, job: Job) -> Result<Option<Command>, IndexError> {
    match job {
        Job::Piece { present, .. } => {
            let is_kept = |known: &Known| {
                let read = node.records.card(known.submitted);
                read.is_some_and(|(_, _, is_kept)| is_kept)
            };
            let lines: Result<Vec<Line>, IndexError> = look(node, |facts| {
                let lines = present.lines.iter();
                lines
                    .map(|line| facts.line(present.participant, *line, is_kept))
                    .collect()
            });
            let lines = lines?;
            let present = Present { lines, ..present };
            Ok(Some(Command::Cards(cards::Command::Present(present))))
        }
        Job::Case(case) => {
            let mut found = look(node, |facts| match &case.about {
                About::Retrieval(acquirer, retrieval) => {
                    facts.by_retrieval(*acquirer, retrieval.as_str())
                }
                About::Presented(position, number) => {
                    let known = facts.presented(*position, *number)?;
                    Ok(known.into_iter().collect())
                }
            })?;
            found.retain(is_disputable);
            let [known] = found.as_slice() else {
                return Ok(None);
            };
            let of = |part: u64| {
                let part = u128::from(known.stands.minor()) * u128::from(part) / 1000;
                u64::try_from(part).unwrap_or(u64::MAX)
            };
            Ok(Some(Command::Disputes(disputes::Command::OpenCard {
                source: operator("berik", "card letter"),
                claimant: case.claimant.unwrap_or(known.issuer),
                reason_code: case.reason_code,
                claim: case.claim.map(of),
                known: Box::new(*known),
            })))
        }
    }
}
