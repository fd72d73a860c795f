//! What became of a card transaction, from index and log: who said what when, what the switch did, and the messages, masked.
//!
//! A transaction goes by the position of one of its messages, by its acquirer and DE37, or by a participant and the day of DE7 and DE11,
//! as the acquirer sent them or as the switch sent them to issuer or scheme.

pub(super) mod known;
mod steps;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use torap_domain::{ParticipantId, Position, card::Stan};
use torap_engine::{
    Command,
    cards::{self, CardKey, Trace},
};
use torap_gateway::card::evidence::Evidence;
use torap_index::{CardName, CardOf, CardStep, Index};
use torap_iso8583::{Unmask, json as card_json};

use super::{change, show::unreadable};
use crate::{control::Refusal, serve::switch::Switch};

/// Records read for one transaction or one name, at most.
const RECORDS_MAX: usize = 1000;

/// The transaction that `id` names: a position, `CODE:DE37`, or `CODE:MMDD/DE11`.
pub(super) fn transaction(switch: &Switch, id: &str) -> Result<Value, Refusal> {
    let wanted = Wanted::parse(switch, id)?;
    let keys = keys(switch, &wanted)?;
    let mut keys = keys.into_iter();
    match (keys.next(), keys.next()) {
        (Some((key, _)), None) => History::gather(switch, key)?.tell(switch),
        (None, _) => {
            let text = format!(
                "no card transaction `{id}` up to log position {}",
                switch.index.applied_upto().value()
            );
            Err(Refusal::of_request("id", text))
        }
        (Some((_, first)), Some((_, second))) => {
            let mut positions = vec![first, second];
            positions.extend(keys.map(|(_, position)| position));
            let positions: Vec<String> = positions
                .iter()
                .map(|position| position.value().to_string())
                .collect();
            let text = format!(
                "several transactions go by `{id}`; name one by its position: {}",
                positions.join(", ")
            );
            Err(Refusal::of_request("id", text))
        }
    }
}

/// What was asked for.
enum Wanted {
    At(Position),
    Retrieval(ParticipantId, String),
    Trace(ParticipantId, u32, Stan),
}

impl Wanted {
    fn parse(switch: &Switch, id: &str) -> Result<Wanted, Refusal> {
        let wrong = || {
            let text = "a position, CODE:DE37, or CODE:MMDD/DE11, as ACQB:1121/000123";
            Refusal::of_request("id", text)
        };
        let Some((code, name)) = id.split_once(':') else {
            let position = id.parse().map_err(|_| wrong())?;
            return Ok(Wanted::At(Position(position)));
        };
        let participant = change::participant(switch, code)?.id;
        let Some((day, stan)) = name.split_once('/') else {
            return Ok(Wanted::Retrieval(participant, name.trim_end().into()));
        };
        let digits = day.len() == 4 && day.bytes().all(|byte| byte.is_ascii_digit());
        let day: u32 = day.parse().map_err(|_| wrong())?;
        if !digits || !(1..=12).contains(&(day / 100)) || !(1..=31).contains(&(day % 100)) {
            return Err(wrong());
        }
        let stan = stan.parse().ok().and_then(Stan::new).ok_or_else(wrong)?;
        Ok(Wanted::Trace(participant, day, stan))
    }

    /// Whether the record carries the name, or may have been sent under it.
    fn fits(&self, command: &cards::Command) -> bool {
        if let cards::Command::Present(present) = command {
            return self.fits_piece(present);
        }
        let Some((participant, references)) = references(command) else {
            return false;
        };
        match self {
            Wanted::At(_) => true,
            Wanted::Retrieval(wanted, retrieval) => {
                participant == *wanted && references.retrieval.as_str() == retrieval
            }
            Wanted::Trace(wanted, day, stan) => {
                let trace = references.trace;
                let is_own = trace.transmitted.value() / 1_000_000 == *day && trace.stan == *stan;
                // To anybody else it was sent by the switch, under a trace that the steps have.
                participant != *wanted || is_own
            }
        }
    }
}

impl Wanted {
    /// Whether a line of the piece carries the name.
    fn fits_piece(&self, present: &cards::Present) -> bool {
        match self {
            Wanted::At(_) | Wanted::Trace(..) => false,
            Wanted::Retrieval(wanted, retrieval) => {
                let mut lines = present.lines.iter();
                present.participant == *wanted
                    && lines.any(|line| line.retrieval.as_str() == retrieval)
            }
        }
    }

    /// The transactions that lines of a piece are about.
    fn originals(&self, present: &cards::Present) -> Vec<CardKey> {
        let Wanted::Retrieval(_, retrieval) = self else {
            return Vec::new();
        };
        let lines = present.lines.iter();
        let lines = lines.filter(|line| line.retrieval.as_str() == retrieval);
        lines
            .filter_map(|line| Some(line.known?.transaction.key))
            .collect()
    }
}

/// The transactions that go by the name, with the record that led there.
fn keys(switch: &Switch, wanted: &Wanted) -> Result<BTreeMap<CardKey, Position>, Refusal> {
    let named = |name: CardName<'_>| switch.index.card_named(&name, RECORDS_MAX);
    let positions = match wanted {
        Wanted::At(position) => match card_command(switch, *position) {
            // An answer is known by what it answers.
            Some(cards::Command::Answer(answer)) => {
                named(CardName::trace(answer.origin.participant, answer.trace))
            }
            Some(cards::Command::SchemeAnswer(answer)) => {
                named(CardName::trace(answer.origin.participant, answer.trace))
            }
            Some(cards::Command::Acknowledged(one)) => {
                named(CardName::trace(one.origin.participant, one.trace))
            }
            _ => Ok(vec![*position]),
        },
        Wanted::Retrieval(participant, retrieval) => named(CardName::Retrieval {
            participant: *participant,
            retrieval,
        }),
        Wanted::Trace(participant, day, stan) => named(CardName::Trace {
            participant: *participant,
            day: *day,
            stan: *stan,
        }),
    };
    let mut keys = BTreeMap::new();
    for position in positions.map_err(unreadable)? {
        let command = card_command(switch, position);
        let fitting = command.filter(|command| wanted.fits(command));
        let about = match &fitting {
            Some(cards::Command::Present(present)) => wanted.originals(present),
            Some(command) => subject(command).into_iter().collect(),
            None => Vec::new(),
        };
        for key in about {
            keys.entry(key).or_insert(position);
        }
    }
    Ok(keys)
}

fn card_command(switch: &Switch, position: Position) -> Option<cards::Command> {
    match switch.records().read(position) {
        Ok((Command::Cards(command), _, _)) => Some(command),
        _ => None,
    }
}

/// The transaction that a message is about: a reversal's and a completion's is its original.
fn subject(command: &cards::Command) -> Option<CardKey> {
    match command {
        cards::Command::Request(request) => Some(request.transaction.key),
        cards::Command::Advice(advice) => Some(
            advice
                .completes
                .map_or(advice.transaction.key, |original| original.key),
        ),
        cards::Command::Reversal(reversal) => Some(reversal.original.key),
        _ => None,
    }
}

/// The message's own key.
fn own_key(command: &cards::Command) -> Option<CardKey> {
    match command {
        cards::Command::Request(request) => Some(request.transaction.key),
        cards::Command::Advice(advice) => Some(advice.transaction.key),
        cards::Command::Reversal(reversal) => Some(reversal.key),
        _ => None,
    }
}

fn references(command: &cards::Command) -> Option<(ParticipantId, cards::References)> {
    match command {
        cards::Command::Request(request) => {
            Some((request.origin.participant, request.transaction.references))
        }
        cards::Command::Advice(advice) => {
            Some((advice.origin.participant, advice.transaction.references))
        }
        cards::Command::Reversal(reversal) => {
            Some((reversal.origin.participant, reversal.references))
        }
        _ => None,
    }
}

/// Everything that records did to a transaction and to what is about it.
struct History {
    key: CardKey,
    rows: BTreeMap<Position, Vec<CardStep>>,
}

impl History {
    fn gather(switch: &Switch, key: CardKey) -> Result<History, Refusal> {
        let mut history = History {
            key,
            rows: BTreeMap::new(),
        };
        history.add(switch, CardOf::Transaction(key))?;
        let messages: Vec<Position> = history.rows.keys().copied().collect();
        let mut lines = BTreeSet::new();
        for position in messages {
            let command = card_command(switch, position);
            if let Some(cards::Command::Present(present)) = &command {
                let about = present
                    .lines
                    .iter()
                    .filter(|line| line.known.is_some_and(|known| known.transaction.key == key));
                for line in about {
                    // A line that stands there twice was taken once.
                    if lines.insert(line.key) {
                        history.add(switch, CardOf::Transaction(line.key))?;
                    }
                }
                continue;
            }
            if let Some(own) = command.as_ref().and_then(own_key) {
                if own != key {
                    history.add(switch, CardOf::Transaction(own))?;
                }
                history.add(switch, CardOf::Message(position))?;
            }
        }
        history.add_acknowledgements(switch)?;
        Ok(history)
    }

    fn add(&mut self, switch: &Switch, of: CardOf) -> Result<(), Refusal> {
        let rows = switch.index.card_records(of, RECORDS_MAX);
        for row in rows.map_err(unreadable)? {
            self.rows.entry(row.position).or_default().extend(row.steps);
        }
        Ok(())
    }

    /// Acknowledgements name nothing but the letter that they answer.
    fn add_acknowledgements(&mut self, switch: &Switch) -> Result<(), Refusal> {
        let sent: BTreeSet<(ParticipantId, Trace)> = self
            .rows
            .values()
            .flatten()
            .filter_map(|step| match step {
                CardStep::Sent { to, trace, .. } => Some((*to, *trace)),
                _ => None,
            })
            .collect();
        for (to, trace) in sent {
            let named = switch
                .index
                .card_named(&CardName::trace(to, trace), RECORDS_MAX);
            for position in named.map_err(unreadable)? {
                if let Some(cards::Command::Acknowledged(one)) = card_command(switch, position)
                    && (one.origin.participant, one.trace) == (to, trace)
                {
                    self.rows.entry(position).or_default();
                }
            }
        }
        Ok(())
    }

    fn tell(self, switch: &Switch) -> Result<Value, Refusal> {
        let mut value = json!({ "transaction": hex(&self.key.0) });
        let (mut told, mut messages) = (Vec::new(), Vec::new());
        for (position, steps) in &self.rows {
            let (command, time, original) = match switch.records().read(*position) {
                Ok(read) => read,
                Err(error) => {
                    told.push(json!({
                        "time": null, "position": position.value(), "what": "gone", "who": "TORAP",
                        "detail": error.to_string(),
                    }));
                    continue;
                }
            };
            let teller = steps::Teller::new(switch, *position, time);
            if let Command::Cards(command) = &command {
                steps::describe(switch, command, self.key, &mut value);
                told.extend(teller.received(command));
                messages.extend(original.and_then(|bytes| {
                    Some(json!({
                        "time": teller.time(),
                        "position": position.value(),
                        "from": teller.sender(command),
                        "message": masked(&bytes)?,
                    }))
                }));
            } else if let Command::Disputes(command) = &command {
                told.push(teller.disputed(command));
            } else {
                told.push(teller.clock());
            }
            told.extend(steps.iter().map(|step| teller.step(step)));
        }
        value["outcome"] = steps::outcome(self.rows.values().flatten()).into();
        value["steps"] = told.into();
        value["messages"] = messages.into();
        Ok(value)
    }
}

/// A message as the log keeps it: tracks, PIN block, codes and keys are not in it, and the card number is cut.
fn masked(bytes: &[u8]) -> Option<Value> {
    let message = Evidence::read(bytes).ok()?.message().ok()?;
    let document = card_json::decode(&message, Unmask::No).ok()?;
    serde_json::to_value(&document).ok()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
