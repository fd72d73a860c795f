//! What banks are told of IMTS, and what is remembered for that: the payments of two business days.
//!
//! Whatever ends a payment or lets it wait leaves a letter here. Letters go out in the order in which they were left, a few in a record:
//! what one command settles may be many thousand payments, and the answers to instant payments go to the same banks over the same links.
//! The next Ticks go on, the faster the more waits.

use std::{
    collections::{BTreeMap, VecDeque},
    ops::Bound,
};

use torap_domain::{Money, ParticipantId, Position, Reason, Sequence, Span, Text, Time, Uetr};

use super::{Done, End, Parties, Payment, Priority, doors::Waits};
use crate::{
    DayEvent, Message, Outbound, Output, References, Stamp, Status,
    codec::{FactsError, LayoutRule, Reader, Writer},
    engine,
    links::Letter,
    participants::RULES_TAKE_OVER,
};

/// Letters that one record sends, at most, unless very many wait: 4,000 a second.
const LETTERS_EACH: usize = 16;
/// One in so many of those that wait goes with one record, if that is more.
const LETTERS_PART: usize = 1024;
/// What a record of IMTS sends at least, however lately letters went out: as many as one payment leaves, and one more, so that what
/// waits grows less with every payment.
const LETTERS_OWN: usize = 5;
/// From this version of the rules on.
const RULES_LETTERS_OWN: u32 = 3;
/// Between two records that send letters, if some had to be left.
const LETTERS_EVERY: Span = Span::from_millis(4);

/// Who is told of a payment, and how others may name it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entrant {
    pub(super) answer_to: ParticipantId,
    /// None: one is made from the record.
    pub(super) uetr: Option<Uetr>,
    /// The record of the payment that this one gives back.
    pub(super) gives_back: Option<Position>,
    /// [`end_to_end`] of its EndToEndId; 0 without one.
    pub(super) end_to_end: u64,
    pub(super) parties: Parties,
}

/// What banks ask about a payment beside that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct About {
    pub(crate) entered: Time,
    /// [`end_to_end`] of its EndToEndId; 0 without one.
    pub(crate) end_to_end: u64,
    /// When it came, and then when it ended.
    pub(crate) priority: Priority,
    pub(crate) ended: Option<(End, Time)>,
}

/// What an EndToEndId is found by.
pub(crate) fn end_to_end(id: &str) -> u64 {
    crate::digest::of_text(id)
}

/// A payment of the open business day or the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) from: ParticipantId,
    pub(crate) to: ParticipantId,
    pub(crate) amount: Money,
    pub(crate) reference: Text<35>,
    pub(crate) uetr: Uetr,
    pub(crate) answer_to: ParticipantId,
    pub(crate) gives_back: Option<Position>,
    pub(crate) settled: bool,
    /// A return of it waits or has settled.
    pub(crate) given_back: bool,
    /// None of a payment that a binary took which did not keep this.
    pub(crate) about: Option<About>,
}

/// A letter that has not been sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) to: ParticipantId,
    pub(super) message: Message,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    known: BTreeMap<Position, Known>,
    by_uetr: BTreeMap<Uetr, Position>,
    /// The record that opened the last business day.
    began: Option<Position>,
    letters: VecDeque<Told>,
    due: Option<(Time, Position)>,
    /// When the cut-off of the open day is told, and the record that set it.
    cut_off: Option<(Time, Position)>,
    /// Liquidity transfers outside business days wait for the next one.
    pub(super) keeps_liquidity: bool,
    pub(super) liquidity: VecDeque<Waits>,
}

/// The UETR of a payment that came without one: made from its record, so that it can be given back.
pub fn uetr_of_record(id: Position) -> Uetr {
    let mut bytes = *b"torapimt\0\0\0\0\0\0\0\0";
    if let Some(place) = bytes.last_chunk_mut::<8>() {
        *place = id.value().to_be_bytes();
    }
    Uetr::from_random(bytes)
}

impl Known {
    /// Whether a message about an earlier payment names this one.
    pub(super) fn is_named(&self, references: &References) -> bool {
        self.reference.as_str() == references.transaction_id.as_str()
    }
}

impl State {
    pub(super) fn get(&self, id: Position) -> Option<&Known> {
        self.known.get(&id)
    }

    pub(super) fn after(&self, id: Position) -> impl Iterator<Item = (Position, &Known)> {
        let from = (Bound::Excluded(id), Bound::Unbounded);
        self.known.range(from).map(|(id, known)| (*id, known))
    }

    pub(super) fn by_uetr(&self, uetr: &Uetr) -> Option<(Position, &Known)> {
        let id = *self.by_uetr.get(uetr)?;
        self.known.get(&id).map(|known| (id, known))
    }

    /// A UETR names one payment.
    pub(super) fn is_free(&self, entrant: &Entrant) -> Result<(), Reason> {
        let used = entrant
            .uetr
            .is_some_and(|uetr| self.by_uetr.contains_key(&uetr));
        if used {
            return Err(Reason::DuplicateMismatch);
        }
        Ok(())
    }

    pub(super) fn enter(&mut self, stamp: Stamp, payment: &Payment, entrant: &Entrant) {
        if let Some(original) = entrant.gives_back
            && let Some(original) = self.known.get_mut(&original)
        {
            original.given_back = true;
        }
        let id = stamp.position;
        let about = About {
            entered: stamp.time,
            end_to_end: entrant.end_to_end,
            priority: payment.priority,
            ended: None,
        };
        let known = Known {
            from: payment.from,
            to: payment.to,
            amount: payment.amount,
            reference: payment.reference,
            uetr: entrant.uetr.unwrap_or_else(|| uetr_of_record(id)),
            answer_to: entrant.answer_to,
            gives_back: entrant.gives_back,
            settled: false,
            given_back: false,
            about: Some(about),
        };
        self.insert(id, known);
    }

    /// A return is named by the payment that it gives back, and not by a UETR of its own.
    fn insert(&mut self, id: Position, known: Known) {
        if known.gives_back.is_none() {
            self.by_uetr.insert(known.uetr, id);
        }
        self.known.insert(id, known);
    }

    pub(super) fn queued(&mut self, stamp: Stamp, id: Position) {
        if let Some(known) = self.known.get(&id) {
            let to = known.answer_to;
            let message = status(stamp, id, Status::Pending);
            self.push(stamp, Told { to, message });
        }
    }

    /// The payer is told how the payment ended, and then, if it has settled, the payee.
    pub(super) fn ended(&mut self, stamp: Stamp, done: &Done, priority: Priority) {
        let Some(known) = self.known.get_mut(&done.id) else {
            return;
        };
        let agent_code = None;
        let reason = match done.end {
            End::Settled => None,
            End::Rejected(reason) => Some(reason),
            End::Withdrawn => Some(Reason::ItemWithdrawn),
        };
        known.settled = reason.is_none();
        if let Some(about) = &mut known.about {
            about.priority = priority;
            about.ended = Some((done.end, stamp.time));
        }
        let known = *known;
        let end = reason.map_or(Status::Settled, |reason| Status::Rejected {
            reason,
            agent_code,
        });
        let message = status(stamp, done.id, end);
        self.push(
            stamp,
            Told {
                to: known.answer_to,
                message,
            },
        );
        if known.settled {
            let message = Message::ImtsForward {
                original: done.id,
                settled_at: stamp.time,
            };
            self.push(
                stamp,
                Told {
                    to: known.to,
                    message,
                },
            );
        } else if let Some(original) = known.gives_back
            && let Some(original) = self.known.get_mut(&original)
        {
            original.given_back = false;
        }
    }

    pub(super) fn push(&mut self, stamp: Stamp, letter: Told) {
        self.letters.push_back(letter);
        self.due.get_or_insert((stamp.time, stamp.position));
    }

    /// As [`State::hand_over`](super::State::hand_over). What is told of an account, or of the day, is still its owner's.
    pub(super) fn hand_over(&mut self, bank: ParticipantId, heir: ParticipantId) {
        for known in self.known.values_mut() {
            replace(&mut known.answer_to, bank, heir);
        }
        for waits in &mut self.liquidity {
            replace(&mut waits.to, bank, heir);
        }
        for letter in &mut self.letters {
            if let Message::ImtsStatus { .. }
            | Message::ImtsReceipt { .. }
            | Message::WithdrawalAnswer { .. } = letter.message
            {
                replace(&mut letter.to, bank, heir);
            }
        }
    }

    /// A business day begins: the payments of the day before the last are forgotten.
    pub(super) fn day_began(&mut self, stamp: Stamp) {
        let kept = self.known.split_off(&self.began.unwrap_or(Position::ZERO));
        for known in std::mem::replace(&mut self.known, kept).values() {
            if known.gives_back.is_none() {
                self.by_uetr.remove(&known.uetr);
            }
        }
        self.began = Some(stamp.position);
    }

    pub(super) fn set_cut_off(&mut self, stamp: Stamp, cut_off: Option<Time>) {
        let ahead = cut_off.filter(|time| *time > stamp.time);
        self.cut_off = ahead.map(|time| (time, stamp.position));
    }

    /// Letters that have not been sent.
    pub(super) fn letters(&self) -> usize {
        self.letters.len()
    }

    pub(super) fn next_deadline(&self) -> Option<(Time, Position)> {
        self.due.into_iter().chain(self.cut_off).min()
    }

    /// The oldest record that something unsent is written from.
    pub(super) fn oldest_referred(&self) -> Option<Position> {
        let letters = self
            .letters
            .iter()
            .filter_map(|letter| match letter.message {
                Message::ImtsStatus { original, .. }
                | Message::ImtsForward { original, .. }
                | Message::ImtsReceipt { original, .. }
                | Message::WithdrawalAnswer { original, .. } => Some(original),
                _ => None,
            });
        letters
            .chain(self.liquidity.iter().map(|waits| waits.id))
            .min()
    }
}

fn replace(who: &mut ParticipantId, bank: ParticipantId, heir: ParticipantId) {
    if *who == bank {
        *who = heir;
    }
}

fn status(stamp: Stamp, original: Position, status: Status) -> Message {
    Message::ImtsStatus {
        original,
        status,
        decided: stamp.position,
        decided_at: stamp.time,
    }
}

/// Whose the affairs of a bank are: its own, or after a merger those of the bank that took it over.
pub(super) fn heir(state: &engine::State, bank: ParticipantId) -> ParticipantId {
    if state.rules < RULES_TAKE_OVER {
        return bank;
    }
    state.participants.successor(bank)
}

/// Sends what is due.
pub(super) fn tell(state: &mut engine::State, stamp: Stamp, out: &mut Output) {
    let told = &state.settlement.told;
    if told.due.is_some_and(|(due, _)| due <= stamp.time) {
        let most = LETTERS_EACH.max(told.letters.len() / LETTERS_PART);
        send(state, stamp, most, out);
        let more = !state.settlement.told.letters.is_empty();
        let next = stamp.time.saturating_add(LETTERS_EVERY);
        state.settlement.told.due = more.then_some((next, stamp.position));
    }
}

/// Sends what is due, and some letters in any case: a command of IMTS has been applied.
pub(super) fn tell_at_once(state: &mut engine::State, stamp: Stamp, out: &mut Output) {
    let told = &state.settlement.told;
    let waits = told.due.is_some_and(|(due, _)| due > stamp.time);
    if !waits || state.rules < RULES_LETTERS_OWN {
        return tell(state, stamp, out);
    }
    send(state, stamp, LETTERS_OWN, out);
    if state.settlement.told.letters.is_empty() {
        state.settlement.told.due = None;
    }
}

/// Sends the oldest letters.
fn send(state: &mut engine::State, stamp: Stamp, most: usize, out: &mut Output) {
    let mut left = most;
    while left > 0
        && let Some(letter) = state.settlement.told.letters.pop_front()
    {
        let to = match letter.message {
            // A payee that was taken over is reached through the bank that took over.
            Message::ImtsForward { .. } => heir(state, letter.to),
            _ => letter.to,
        };
        let message = Letter::new(letter.message);
        state.links.send(out, stamp, to, message);
        left = left.saturating_sub(1);
    }
}

/// The cut-off has come, or letters are due.
pub(super) fn go_on(state: &mut engine::State, stamp: Stamp, out: &mut Output) {
    let told = &mut state.settlement.told;
    if told.cut_off.is_some_and(|(time, _)| time <= stamp.time) {
        told.cut_off = None;
        announce(state, stamp, DayEvent::CutOff);
    }
    tell(state, stamp, out);
}

/// Tells every participant that settles itself.
pub(super) fn announce(state: &mut engine::State, stamp: Stamp, event: DayEvent) {
    for participant in state.participants.ids() {
        if state.participants.settles_through(participant) == participant {
            let message = Message::ImtsDay { event };
            let to = participant;
            state.settlement.told.push(stamp, Told { to, message });
        }
    }
}

/// Snapshot.
impl State {
    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        writer.count(self.known.len());
        for (id, known) in &self.known {
            writer.put(id);
            writer.put(known);
        }
        writer.put(&self.began);
        writer.count(self.letters.len());
        for letter in &self.letters {
            // An entry without its sequence.
            writer.put(&Outbound {
                to: letter.to,
                sequence: Sequence::ZERO,
                cause: Position::ZERO,
                time: Time::EPOCH,
                expires: None,
                message: letter.message,
            });
        }
        for deadline in [self.due, self.cut_off] {
            writer.put(&deadline.is_some());
            if let Some((time, position)) = deadline {
                writer.put(&time);
                writer.put(&position);
            }
        }
        writer.put(&self.keeps_liquidity);
        writer.count(self.liquidity.len());
        for waits in &self.liquidity {
            writer.put(waits);
        }
    }

    pub(super) fn has_about(&self) -> bool {
        self.known.values().any(|known| known.about.is_some())
    }

    pub(super) fn write_about(&self, writer: &mut Writer<'_>) {
        let about = || {
            let known = self.known.iter();
            known.filter_map(|(id, known)| known.about.map(|about| (*id, about)))
        };
        writer.count(about().count());
        for (id, about) in about() {
            writer.put(&id);
            writer.put(&about.entered);
            writer.u64(about.end_to_end);
            writer.put(&about.priority);
            writer.put(&about.ended.is_some());
            if let Some((end, at)) = about.ended {
                writer.put(&end);
                writer.put(&at);
            }
        }
    }

    pub(super) fn read_about(&mut self, reader: &mut Reader<'_>) -> Result<(), FactsError> {
        let mut last = None;
        for _ in 0..reader.count("payments")? {
            let offset = reader.offset();
            let id: Position = reader.field("payment")?;
            let known = self.known.get_mut(&id);
            let known = known.filter(|_| last.is_none_or(|last| last < id));
            let Some(known) = known else {
                return Err(reader.error("payment", offset, LayoutRule::Value));
            };
            let mut about = About {
                entered: reader.field("entered")?,
                end_to_end: reader.u64("end to end")?,
                priority: reader.field("priority")?,
                ended: None,
            };
            if reader.field("ended")? {
                about.ended = Some((reader.field("end")?, reader.field("at")?));
            }
            known.about = Some(about);
            last = Some(id);
        }
        Ok(())
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<State, FactsError> {
        let mut state = State::default();
        for _ in 0..reader.count("known payments")? {
            let offset = reader.offset();
            let id: Position = reader.field("payment")?;
            let last = state.known.last_key_value();
            if last.is_some_and(|(before, _)| *before >= id) {
                return Err(reader.error("payment", offset, LayoutRule::Value));
            }
            state.insert(id, reader.field("payment")?);
        }
        state.began = reader.field("began")?;
        for _ in 0..reader.count("letters")? {
            let entry: Outbound = reader.field("letter")?;
            state.letters.push_back(Told {
                to: entry.to,
                message: entry.message,
            });
        }
        state.due = deadline(reader)?;
        state.cut_off = deadline(reader)?;
        state.keeps_liquidity = reader.field("keeps liquidity")?;
        for _ in 0..reader.count("liquidity transfers")? {
            state
                .liquidity
                .push_back(reader.field("liquidity transfer")?);
        }
        Ok(state)
    }
}

fn deadline(reader: &mut Reader<'_>) -> Result<Option<(Time, Position)>, FactsError> {
    if reader.field("deadline")? {
        return Ok(Some((reader.field("time")?, reader.field("record")?)));
    }
    Ok(None)
}
