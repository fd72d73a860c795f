//! The second pair of eyes: operators propose, approve, reject and race, and an order runs once or never.

use std::collections::BTreeMap;

use torap_domain::{Money, Position, Span, Time};
use torap_engine::{
    Command, Engine, Event, Outcome, Source, Stamp,
    approval::{self, End, Families, Family, Settings},
    participants::{self, Direction},
    schedule, settlement,
};

use super::{operator, participant};
use crate::{
    draw::Draw,
    plan::{Plan, SECOND},
};

/// Two of them are one operator: capitals make nobody another.
const NAMES: [&str; 4] = ["aigerim", "Berik", "BERIK", "dana"];

/// Something of the operators, often at once.
pub(super) fn act(
    draw: &mut Draw,
    (plan, wall): (&Plan, u64),
    engine: &Engine,
    commands: &mut Vec<Command>,
) {
    let settings = engine.approval_settings();
    let name = NAMES[draw.index(NAMES.len())];
    let source = operator(name, "four eyes");
    let waiting: Vec<Position> = engine.proposals().map(|proposal| proposal.id).collect();
    let done: Vec<Position> = engine.proposals_done().map(|done| done.id).collect();
    let mut push = |command| commands.push(Command::Approval(command));
    match draw.weighted(&[12, 14, 3, 4, 2, 3]) {
        0 => {
            for _ in 0..draw.range(1, 3) {
                let command = Box::new(order(draw, plan, wall, source));
                push(approval::Command::Propose { source, command });
            }
        }
        choice @ 1..=3 => {
            let from = if choice == 3 { &done } else { &waiting };
            let Some(id) = from.get(draw.index(from.len())).copied() else {
                return;
            };
            // Sometimes everybody at the same moment, and one of them twice.
            let together = if draw.chance(400) {
                draw.range(2, 4)
            } else {
                1
            };
            for _ in 0..together {
                let name = NAMES[draw.index(NAMES.len())];
                push(approval::Command::Decide {
                    source: operator(name, "four eyes"),
                    id,
                    approves: choice != 2 && draw.chance(900),
                });
            }
        }
        4 => {
            let families = if settings.families.is_empty() {
                [
                    Families::of(&[Family::Money]),
                    Families::of(&[Family::Imts]),
                    Families::of(&[Family::Money, Family::Participants, Family::Tariffs]),
                ][draw.index(3)]
            } else {
                Families::NONE
            };
            let within = Span::from_secs(draw.range(1, 60));
            let settings_of = |families| Settings { families, within };
            let command = approval::Command::SetSettings {
                source,
                settings: settings_of(families),
            };
            if settings.families.is_empty() {
                push(command);
            } else {
                let command = Box::new(Command::Approval(command));
                push(approval::Command::Propose { source, command });
            }
        }
        _ => commands.push(order(draw, plan, wall, source)),
    }
}

/// An order of some family.
fn order(draw: &mut Draw, plan: &Plan, wall: u64, source: Source) -> Command {
    let participant = participant(draw, plan);
    let direction = if draw.chance(700) {
        Direction::In
    } else {
        Direction::Out
    };
    let amount = Money::kzt(draw.range(1, 3_000_000));
    let command = match draw.index(3) {
        0 => Command::Participants(participants::Command::Fund {
            source,
            participant,
            direction,
            amount,
        }),
        1 => Command::Settlement(settlement::Command::Fund {
            source,
            participant,
            direction,
            amount,
        }),
        _ => Command::Settlement(settlement::Command::SetCreditLine {
            source,
            participant,
            amount,
        }),
    };
    if draw.chance(800) {
        return command;
    }
    // Later, after its approval.
    Command::Schedule(schedule::Command::Order {
        source,
        at: Time::from_nanos(wall + draw.range(1, 40) * SECOND),
        command: Box::new(command),
    })
}

/// What the log says of proposals.
#[derive(Debug)]
pub(super) struct Approvals {
    /// Before the record.
    settings: Settings,
    proposals: BTreeMap<Position, Seen>,
    pub(super) ran: u64,
}

#[derive(Debug)]
struct Seen {
    command: Command,
    runs: u32,
    rejections: u32,
}

impl Approvals {
    pub(super) fn new() -> Approvals {
        Approvals {
            settings: Settings::INITIAL,
            proposals: BTreeMap::new(),
            ran: 0,
        }
    }

    /// Takes a record; `engine` is the state after it.
    pub(super) fn record(
        &mut self,
        engine: &Engine,
        stamp: Stamp,
        (command, outcome): (&Command, Outcome),
        events: &[Event],
    ) -> Result<(), String> {
        let at = stamp.position.value();
        let before = std::mem::replace(&mut self.settings, engine.approval_settings());
        if outcome != Outcome::Accepted {
            return Ok(());
        }
        match command {
            Command::Approval(approval::Command::Propose { command, .. }) => {
                let seen = Seen {
                    command: (**command).clone(),
                    runs: 0,
                    rejections: 0,
                };
                self.proposals.insert(stamp.position, seen);
            }
            Command::Approval(approval::Command::Decide {
                source,
                id,
                approves,
            }) => {
                let Some(seen) = self.proposals.get_mut(id) else {
                    return Err(format!(
                        "record {at} decides about order {}, which nobody proposed",
                        id.value()
                    ));
                };
                if !approves {
                    seen.rejections += 1;
                } else {
                    seen.runs += 1;
                    self.ran += 1;
                    let by = seen.command.source();
                    if by.is_none_or(|by| name_of(&by) == name_of(source)) {
                        return Err(format!("record {at}: who proposed an order approves it"));
                    }
                    moved_as_ordered(&seen.command, events)
                        .map_err(|text| format!("record {at}, an approval: {text}"))?;
                }
                if seen.runs + seen.rejections > 1 {
                    return Err(format!(
                        "order {}: approved {} times and rejected {} times",
                        id.value(),
                        seen.runs,
                        seen.rejections
                    ));
                }
            }
            other => {
                let is_operator = matches!(other.source(), Some(Source::Operator { .. }));
                if is_operator && before.guard(engine.rules_version(), other) {
                    return Err(format!("record {at}: an order ran without its approval"));
                }
            }
        }
        Ok(())
    }

    /// Each proposal has ended once or waits.
    pub(super) fn check(&self, engine: &Engine) -> Result<(), String> {
        let waiting: Vec<Position> = engine.proposals().map(|proposal| proposal.id).collect();
        let done: BTreeMap<Position, End> = engine
            .proposals_done()
            .map(|done| (done.id, done.end))
            .collect();
        for (id, seen) in &self.proposals {
            let ended = seen.runs + seen.rejections;
            let end = done.get(id).copied();
            let sound = match (waiting.contains(id), ended, end) {
                (true, 0, None) => true,
                (false, 1, Some(End::Approved)) => seen.runs == 1,
                (false, 1, Some(End::Rejected)) => seen.rejections == 1,
                (false, 0, Some(End::Expired)) => true,
                // What is remembered of ends is bounded.
                (false, 0 | 1, None) => done.len() >= approval::DONE_MAX,
                _ => false,
            };
            if !sound {
                return Err(format!(
                    "order {}: waits {}, approved {} times, rejected {} times, ended {end:?}",
                    id.value(),
                    waiting.contains(id),
                    seen.runs,
                    seen.rejections
                ));
            }
        }
        Ok(())
    }
}

/// An order to move money has moved it, once.
fn moved_as_ordered(command: &Command, events: &[Event]) -> Result<(), String> {
    let wanted = match command {
        Command::Participants(participants::Command::Fund { amount, .. })
        | Command::Settlement(settlement::Command::Fund { amount, .. }) => *amount,
        _ => return Ok(()),
    };
    let moved: Vec<Money> = events
        .iter()
        .filter_map(|event| match event {
            Event::PositionChanged { funded, .. } => Some(*funded),
            Event::Settlement(settlement::Event::Funded { amount, .. }) => Some(*amount),
            _ => None,
        })
        .collect();
    if moved != [wanted] {
        return Err(format!("{wanted:?} were ordered, {moved:?} moved"));
    }
    Ok(())
}

fn name_of(source: &Source) -> String {
    match source {
        Source::Operator { name, .. } => name.as_str().to_lowercase(),
        Source::Link { .. } | Source::Switch => String::new(),
    }
}
