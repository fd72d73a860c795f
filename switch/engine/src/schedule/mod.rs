//! Changes of configuration with an effective time: ordered now, applied by the Tick that finds them due.
//!
//! What is scheduled is a whole command, checked by its own rules when it takes effect and not before: the state may be another
//! one by then. What came of it is remembered for the operator. Payments, directory entries and QR codes are never scheduled.
//!
//! Memory: about 500 bytes a change, bounded by [`WAITING_MAX`] and [`DONE_MAX`].

mod command;

pub use command::Command;

use std::collections::{BTreeMap, VecDeque};

use torap_domain::{Position, Reason, Span, Time};

use crate::{
    Command as Any, Event, Outcome, Output, Stamp, ancillary, clearing,
    codec::{FactsError, LayoutRule, Reader, Writer, put_nested, take_nested},
    engine, instant, reports, settlement, tariffs,
};

/// Changes that may wait.
pub const WAITING_MAX: usize = 1024;
/// Changes whose outcome is remembered.
pub const DONE_MAX: usize = 256;
/// How far ahead a change may be ordered.
pub const AHEAD_MAX: Span = Span::from_secs(400 * 24 * 3600);

/// A change that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Record of the order: its identifier.
    pub id: Position,
    pub at: Time,
    pub command: Any,
}

/// A change that has taken effect, or was refused when it should have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// Record of the order.
    pub id: Position,
    /// Record of the Tick.
    pub applied: Position,
    pub at: Time,
    pub refusal: Option<Reason>,
}

/// What waits, in the order of (effective time, order), and what came of the last ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    waiting: BTreeMap<(Time, Position), Any>,
    done: VecDeque<Done>,
}

impl State {
    pub(crate) fn new() -> State {
        State::default()
    }

    pub(crate) fn next_deadline(&self) -> Option<(Time, Position)> {
        self.waiting.first_key_value().map(|(due, _)| *due)
    }

    pub(crate) fn waiting(&self) -> impl Iterator<Item = Waiting> + '_ {
        self.waiting.iter().map(|((at, id), command)| Waiting {
            id: *id,
            at: *at,
            command: command.clone(),
        })
    }

    pub(crate) fn done(&self) -> impl Iterator<Item = Done> + '_ {
        self.done.iter().copied()
    }

    fn remember(&mut self, done: Done) {
        if self.done.len() == DONE_MAX {
            self.done.pop_front();
        }
        self.done.push_back(done);
    }

    pub(crate) fn write(&self, writer: &mut Writer<'_>) {
        writer.count(self.waiting.len());
        for ((at, id), command) in &self.waiting {
            writer.put(at);
            writer.put(id);
            put_nested(command, writer);
        }
        writer.count(self.done.len());
        for done in &self.done {
            writer.put(&done.id);
            writer.put(&done.applied);
            writer.put(&done.at);
            writer.u8(u8::from(done.refusal.is_some()));
            writer.optional(&done.refusal);
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<State, FactsError> {
        let mut state = State::new();
        for _ in 0..reader.count("scheduled changes")? {
            let offset = reader.offset();
            let due = (reader.field("effective time")?, reader.field("order")?);
            let command = take_nested(reader)?;
            let last = state.waiting.last_key_value();
            if !may_wait(&command) || last.is_some_and(|(before, _)| *before >= due) {
                return Err(reader.error("effective time", offset, LayoutRule::Value));
            }
            state.waiting.insert(due, command);
        }
        for _ in 0..reader.count("changes done")? {
            state.done.push_back(Done {
                id: reader.field("order")?,
                applied: reader.field("applied")?,
                at: reader.field("effective time")?,
                refusal: {
                    let refused = reader.tag("refused", |tag| match tag {
                        0 => Some(false),
                        1 => Some(true),
                        _ => None,
                    })?;
                    reader.optional("refusal", refused)?
                },
            });
        }
        Ok(state)
    }
}

/// Whether a command may have an effective time: what the operator configures, and money that enters or leaves the rail.
pub fn may_wait(command: &Any) -> bool {
    match command {
        Any::Participants(_) | Any::Rules { .. } | Any::Bounds { .. } => true,
        Any::Instant(command) => matches!(
            command,
            instant::Command::SetSettings { .. }
                | instant::Command::SetLimits { .. }
                | instant::Command::SetRecallRule { .. }
        ),
        Any::Cards(crate::cards::Command::Present(_)) => false,
        Any::Cards(command) => command.source().is_some(),
        Any::Settlement(command) => !matches!(
            command,
            settlement::Command::Pay { .. }
                | settlement::Command::Change { .. }
                | settlement::Command::Resolve { .. }
                | settlement::Command::Instruct(_)
                | settlement::Command::Cancel(_)
                | settlement::Command::Return(_)
                | settlement::Command::MoveLiquidity(_)
                | settlement::Command::Modify(_)
        ),
        Any::Clearing(command) => matches!(
            command,
            clearing::Command::SetSettings { .. } | clearing::Command::SetPurposes { .. }
        ),
        Any::Ancillary(command) => !matches!(
            command,
            ancillary::Command::SettleCards { .. }
                | ancillary::Command::Deliver { .. }
                | ancillary::Command::CloseDelivery { .. }
        ),
        Any::Tariffs(command) => matches!(command, tariffs::Command::Set { .. }),
        Any::Reports(command) => matches!(command, reports::Command::SetWants { .. }),
        Any::Directory(_)
        | Any::Qr(_)
        | Any::Links(_)
        | Any::Mass(_)
        | Any::Disputes(_)
        | Any::Schedule(_)
        | Any::Approval(_)
        | Any::Tick
        | Any::Start { .. }
        | Any::Mark { .. } => false,
    }
}

pub(crate) fn apply(
    state: &mut engine::State,
    stamp: Stamp,
    command: &Command,
    out: &mut Output,
) -> Outcome {
    let decision = match command {
        Command::Order {
            source,
            at,
            command,
        } => source.by_operator().and_then(|()| {
            let id = state.facts_of(stamp);
            order(&mut state.schedule, (stamp, id), *at, command)
        }),
        Command::Withdraw { source, at, id } => source
            .by_operator()
            .and_then(|()| withdraw(&mut state.schedule, *at, *id)),
    };
    match decision {
        Ok(()) => Outcome::Accepted,
        Err(reason) => {
            out.event(Event::Refused { reason });
            Outcome::Refused(reason)
        }
    }
}

/// The change itself names the operator too: nobody else's takes effect by itself. Settings are replaced as a whole, so of two
/// changes of them that wait the later would undo the earlier.
fn order(
    state: &mut State,
    (stamp, id): (Stamp, Position),
    at: Time,
    command: &Any,
) -> Result<(), Reason> {
    let source = command.asked_by().ok_or(Reason::OperatorRefused)?;
    source.by_operator()?;
    if !may_wait(command) || at <= stamp.time || at > stamp.time.saturating_add(AHEAD_MAX) {
        return Err(Reason::OperatorRefused);
    }
    if state.waiting.len() >= WAITING_MAX {
        return Err(Reason::InternalLimit);
    }
    let mut others = state.waiting.values();
    if others.any(|other| replaces_same(other, command)) {
        return Err(Reason::EntryExists);
    }
    state.waiting.insert((at, id), command.clone());
    Ok(())
}

/// What takes effect in the end: of an order with a time the command that it orders.
pub(crate) fn ordered(command: &Any) -> &Any {
    match command {
        Any::Schedule(Command::Order { command, .. }) => command,
        command => command,
    }
}

/// Whether both replace the same settings as a whole, now or at a time.
pub(crate) fn replaces_same(one: &Any, other: &Any) -> bool {
    let (one, other) = (ordered(one), ordered(other));
    sets(one) && sets(other) && std::mem::discriminant(one) == std::mem::discriminant(other)
}

fn sets(command: &Any) -> bool {
    matches!(
        command,
        Any::Instant(instant::Command::SetSettings { .. })
            | Any::Clearing(clearing::Command::SetSettings { .. })
            | Any::Ancillary(ancillary::Command::SetSettings { .. })
            | Any::Tariffs(_)
            | Any::Bounds { .. }
    )
}

fn withdraw(state: &mut State, at: Time, id: Position) -> Result<(), Reason> {
    match state.waiting.remove(&(at, id)) {
        Some(_) => Ok(()),
        None => Err(Reason::EntryUnknown),
    }
}

/// The first change that is due takes effect, by the rules of its own kind.
pub(crate) fn expire_first(state: &mut engine::State, stamp: Stamp, out: &mut Output) {
    let Some(((at, id), command)) = state.schedule.waiting.pop_first() else {
        return;
    };
    let refusal = match take_effect(state, id, stamp, &command, out) {
        Outcome::Accepted | Outcome::AlreadyApplied => None,
        Outcome::Refused(reason) => Some(reason),
    };
    state.schedule.remember(Done {
        id,
        applied: stamp.position,
        at,
        refusal,
    });
}

fn take_effect(
    state: &mut engine::State,
    id: Position,
    stamp: Stamp,
    command: &Any,
    out: &mut Output,
) -> Outcome {
    #[cfg(feature = "mutants")]
    if crate::mutants::is_on(&crate::mutants::FORGET_DUE_CHANGE) {
        return Outcome::Accepted;
    }
    state.dispatch_from(id, stamp, command, out)
}

#[cfg(test)]
mod tests;
