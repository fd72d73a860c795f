//! Store and forward: what must reach a member, in order, one at a time, until it is acknowledged.
//!
//! A letter has its trace from the moment it is put here, so that what follows can name it, and keeps it in every repeat. The
//! first of a queue is sent when it gets there, when the member signs on, and again each time its acknowledgement is overdue, with
//! a pause that doubles up to a bound. While the member cannot be reached the queue rests.
//!
//! Memory: about 120 bytes a letter, bounded for each member.

use std::collections::VecDeque;

use torap_domain::{ParticipantId, Position, Span, Time, card::ResponseCode};

use super::{Effect, Event, Letter, Message, Settings, Trace};
use crate::{
    Output, Stamp,
    codec::{FactsError, Reader, Writer},
    deadlines::Deadlines,
    engine,
};

/// A letter that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Waiting {
    letter: Letter,
    trace: Trace,
}

/// What waits for one member's connections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Queue {
    letters: VecDeque<Waiting>,
    /// How often the first was sent.
    sent: u32,
    /// When it is sent again, and the record that set it.
    due: Option<(Time, Position)>,
}

/// Every queue, by participant.
#[derive(Clone, Debug)]
pub(super) struct Queues {
    list: Vec<Queue>,
    deadlines: Deadlines,
}

impl Queues {
    pub(super) fn new() -> Queues {
        Queues {
            list: Vec::new(),
            deadlines: Deadlines::new(),
        }
    }

    /// Letters that wait for the connections of `id`.
    pub(super) fn len(&self, id: ParticipantId) -> usize {
        self.list
            .get(id.index())
            .map_or(0, |queue| queue.letters.len())
    }

    /// All that wait.
    pub(super) fn waiting(&self) -> usize {
        self.list.iter().map(|queue| queue.letters.len()).sum()
    }

    pub(super) fn next_deadline(&self) -> Option<(Time, Position)> {
        let (time, position, _) = self.deadlines.first()?;
        Some((time, position))
    }

    /// Records that letters are written from.
    pub(super) fn oldest_referred(&self) -> Option<Position> {
        let letters = self.list.iter().flat_map(|queue| &queue.letters);
        letters
            .filter_map(|waiting| waiting.letter.oldest_referred())
            .min()
    }

    /// The member cannot be reached: nothing is due until it signs on.
    pub(super) fn rest(&mut self, id: ParticipantId) {
        if let Some(queue) = self.list.get_mut(id.index()) {
            queue.due = None;
            self.deadlines.remove(slot_of(id));
        }
    }

    fn queue_mut(&mut self, id: ParticipantId) -> Option<&mut Queue> {
        let slots = id.index().saturating_add(1);
        if self.list.len() < slots {
            self.list.resize_with(slots, Queue::default);
        }
        self.list.get_mut(id.index())
    }
}

/// Puts a letter at the end of a member's queue and gives the trace it will carry.
pub(super) fn push(
    state: &mut engine::State,
    stamp: Stamp,
    to: ParticipantId,
    letter: Letter,
    out: &mut Output,
) -> Trace {
    let cards = &mut state.cards;
    let reach = cards.members.reach(to);
    let trace = cards.members.next_trace(reach, stamp);
    let Some(queue) = cards.queues.queue_mut(reach) else {
        return trace;
    };
    queue.letters.push_back(Waiting { letter, trace });
    if queue.letters.len() == 1 && cards.members.is_reachable(reach) {
        send_first(state, stamp, reach, out);
    }
    trace
}

/// The member signed on: the first of its queue goes out.
pub(super) fn resume(state: &mut engine::State, stamp: Stamp, id: ParticipantId, out: &mut Output) {
    if state.cards.queues.len(id) > 0 && state.cards.members.is_reachable(id) {
        send_first(state, stamp, id, out);
    }
}

/// The first letter whose acknowledgement is overdue is sent again.
pub(super) fn expire_first(state: &mut engine::State, stamp: Stamp, out: &mut Output) {
    if let Some((_, _, slot)) = state.cards.queues.deadlines.first() {
        // Slots are identifiers of participants.
        let id = ParticipantId(u16::try_from(slot).unwrap_or(u16::MAX));
        state.cards.queues.rest(id);
        resume(state, stamp, id, out);
    }
}

/// An acknowledgement with this trace: gives the letter, and the next one follows. None if the first of the queue is another.
pub(super) fn acknowledge(
    state: &mut engine::State,
    stamp: Stamp,
    id: ParticipantId,
    trace: &Trace,
    code: ResponseCode,
    out: &mut Output,
) -> Option<Letter> {
    let queue = state.cards.queues.queue_mut(id)?;
    let is_it = queue.sent > 0
        && queue
            .letters
            .front()
            .is_some_and(|first| first.trace == *trace);
    if !is_it {
        return None;
    }
    let letter = queue.letters.pop_front()?.letter;
    queue.sent = 0;
    state.cards.queues.rest(id);
    out.card_event(Event::Acknowledged {
        participant: id,
        trace: *trace,
        code,
    });
    resume(state, stamp, id, out);
    Some(letter)
}

/// Takes letters back that need not arrive any more. An answer to one that was sent belongs to nothing then.
pub(super) fn withdraw(
    state: &mut engine::State,
    stamp: Stamp,
    id: ParticipantId,
    unwanted: impl Fn(&Letter) -> bool,
    out: &mut Output,
) {
    let Some(queue) = state.cards.queues.queue_mut(id) else {
        return;
    };
    let first = queue.letters.front().copied();
    queue.letters.retain(|waiting| !unwanted(&waiting.letter));
    if first.is_some_and(|first| unwanted(&first.letter)) {
        queue.sent = 0;
        state.cards.queues.rest(id);
        resume(state, stamp, id, out);
    }
}

fn send_first(state: &mut engine::State, stamp: Stamp, id: ParticipantId, out: &mut Output) {
    let settings = state.cards.settings;
    let Some(queue) = state.cards.queues.queue_mut(id) else {
        return;
    };
    let Some(Waiting { letter, trace }) = queue.letters.front().copied() else {
        return;
    };
    let repeat = queue.sent > 0;
    queue.sent = queue.sent.saturating_add(1);
    let due = stamp.time.saturating_add(pause(&settings, queue.sent));
    queue.due = Some((due, stamp.position));
    let deadlines = &mut state.cards.queues.deadlines;
    deadlines.insert(due, stamp.position, slot_of(id));
    let message = match letter {
        Letter::Totals {
            participant,
            session,
            side,
        } => Message::ClosingTotals {
            participant,
            session,
            side,
            totals: state.cards.sessions.totals(session, participant, side),
            trace,
            repeat,
        },
        letter => Message::Queued {
            letter,
            trace,
            repeat,
        },
    };
    out.cards.push(Effect {
        to: id,
        link: None,
        cause: stamp.position,
        time: stamp.time,
        message,
    });
}

/// How long the acknowledgement may take after the letter was sent `sent` times.
fn pause(settings: &Settings, sent: u32) -> Span {
    let doublings = sent.saturating_sub(1).min(32);
    let nanos = settings
        .queue_within
        .nanos()
        .saturating_mul(1_u64.wrapping_shl(doublings));
    Span::from_nanos(nanos.min(settings.queue_within_max.nanos()))
}

fn slot_of(id: ParticipantId) -> u32 {
    u32::from(id.0)
}

impl Letter {
    /// The oldest record that the letter is written from.
    fn oldest_referred(&self) -> Option<Position> {
        match self {
            Letter::Advice { original, .. }
            | Letter::Reversal { original, .. }
            | Letter::Administrative { original, .. } => Some(*original),
            Letter::Notice(_)
            | Letter::CutOver { .. }
            | Letter::Totals { .. }
            | Letter::KeyHandedOver { .. }
            | Letter::KeyInUse { .. } => None,
        }
    }
}

/// Snapshot: the queues in the order of participants, without empty ones at the end.
impl Queues {
    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        let used = self
            .list
            .iter()
            .rposition(|queue| !queue.letters.is_empty());
        let queues = self
            .list
            .get(..used.map_or(0, |last| last.saturating_add(1)));
        let queues = queues.unwrap_or_default();
        writer.u32(u32::try_from(queues.len()).unwrap_or(u32::MAX));
        for queue in queues {
            writer.u32(u32::try_from(queue.letters.len()).unwrap_or(u32::MAX));
            for waiting in &queue.letters {
                writer.put(&waiting.letter);
                writer.put(&waiting.trace);
            }
            writer.u32(queue.sent);
            writer.put(&queue.due.is_some());
            if let Some((time, position)) = &queue.due {
                writer.put(time);
                writer.put(position);
            }
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Queues, FactsError> {
        let mut queues = Queues::new();
        for slot in 0..reader.u32("queues")? {
            let mut queue = Queue::default();
            for _ in 0..reader.u32("letters")? {
                queue.letters.push_back(Waiting {
                    letter: reader.field("letter")?,
                    trace: reader.field("letter trace")?,
                });
            }
            queue.sent = reader.u32("sent")?;
            if reader.field("queue due")? {
                let due = (reader.field("due")?, reader.field("due position")?);
                queues.deadlines.insert(due.0, due.1, slot);
                queue.due = Some(due);
            }
            queues.list.push(queue);
        }
        Ok(queues)
    }
}

#[cfg(test)]
mod tests;
