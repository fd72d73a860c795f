//! IMTS, the real-time gross settlement system: settlement accounts at the central bank, payments between them, and the queue.
//!
//! A payment settles at once and finally when its payer has the money and nothing of the payer stands before it; otherwise it
//! waits. A credit moves the queue of the bank that got it, also by offsetting it against the payments that come back. A solver
//! outside may find a set that settles all at once ([`Engine::gridlock`](crate::Engine::gridlock)); it comes back as a command
//! and is checked again here. docs/settlement.md holds the rules and the codes.

mod changes;
mod command;
mod day;
mod doors;
mod event;
mod liquidity;
mod parties;
mod payments;
mod queue;
mod repeats;
mod told;
mod view;

pub use changes::Modification;
pub use command::{Change, Command, Hours, Payment, Priority, RESOLUTION_MAX};
pub use day::DATES_MAX;
pub(crate) use doors::Waits;
pub use doors::{Cancellation, Instruction, LIQUIDITY_WAITING_MAX, Liquidity, Return};
pub use event::{Done, End, Event};
pub(crate) use liquidity::{credited, go_on as run_queues};
pub(crate) use parties::RULES_PARTIES;
pub use queue::{QUEUE_MAX, Waiting};
pub use repeats::ORDERS_MAX;
pub use told::uetr_of_record;
pub(crate) use told::{Known, end_to_end};
pub use view::{AccountView, DayView, DueToday, Gridlock, LimitView, SolverOrder};

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use torap_domain::{
    Calendar, Date, DayOverride, Money, ParticipantId, Position, Reason, Text, Time,
};

use crate::{
    Event as Any, Message, Outcome, Output, Source, Stamp, clearing,
    codec::{FactsError, Reader, Writer},
    engine,
    participants::{self, Direction},
};
use parties::Parties;
use queue::Queue;

/// Ended payments that are remembered for the operator.
pub const DONE_MAX: usize = 1024;
/// Payments of one business day, at most: their references are remembered until the next.
pub const DAY_PAYMENTS_MAX: usize = 4_194_304;

/// An open business day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Open {
    /// The date on which it was opened.
    pub(crate) date: Date,
    pub(crate) cut_off: Option<Time>,
    pub(crate) until: Time,
    /// The record that set the end.
    pub(crate) set: Position,
}

/// What a reference stands for on this day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    to: ParticipantId,
    amount: Money,
}

/// The state of IMTS beside its accounts, which the ledger keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    open: Option<Open>,
    hours: Option<Hours>,
    calendar: Calendar,
    /// When the calendar opens the next day, and the record that set it; none while a day is open.
    opens: Option<(Time, Position)>,
    /// The date of the last day that ended or was skipped.
    last_day: Option<Date>,
    /// That of the last one that ended, whose references and limits are remembered.
    ended: Option<Date>,
    /// When more of what waits is rejected, and the record that set it: the day is at its end.
    ending: Option<(Time, Position)>,
    queue: Queue,
    /// Payments of the day by payer and the payer's reference.
    seen: BTreeMap<(ParticipantId, Text<35>), Seen>,
    /// What a participant pays net in a day, at most: towards one other, or (none) towards all.
    limits: BTreeMap<(ParticipantId, Option<ParticipantId>), u64>,
    reserved: BTreeMap<ParticipantId, u64>,
    /// What the first has paid the second on this day; both directions are counted.
    paid: BTreeMap<(ParticipantId, ParticipantId), u128>,
    /// Participants whose queue is to be tried again by the next Tick, and since when.
    again: BTreeSet<ParticipantId>,
    /// The banks of payments that are known, where they are not those of the accounts.
    parties: BTreeMap<Position, Parties>,
    again_since: Option<(Time, Position)>,
    /// Liquidity transfers of the date, by whose they are and their MsgId.
    orders: BTreeMap<repeats::OrderKey, repeats::Order>,
    done: VecDeque<Done>,
    told: told::State,
}

impl State {
    pub(crate) fn new() -> State {
        State::default()
    }

    /// When something is decided without being asked, with the record that set the time.
    pub(crate) fn next_deadline(&self) -> Option<(Time, Position)> {
        let end = self.open.map(|open| (open.until, open.set));
        let end = self.ending.or(end);
        let waiting = self.queue.first_time();
        let told = self.told.next_deadline();
        let times = [end, self.opens, waiting, self.again_since, told];
        times.into_iter().flatten().min()
    }

    /// Single dates of the business calendar.
    pub(crate) fn days(&self) -> impl Iterator<Item = (Date, DayOverride)> + '_ {
        self.calendar.overrides()
    }

    /// When the open business day ends.
    pub(crate) fn open_until(&self) -> Option<Time> {
        self.running().ok().map(|open| open.until)
    }

    /// A payment of the open business day or the one before.
    pub(crate) fn known(&self, id: Position) -> Option<&Known> {
        self.told.get(id)
    }

    /// Payments of the open business day or the one before whose records come after `id`, in the order in which they came.
    pub(crate) fn known_after(&self, id: Position) -> impl Iterator<Item = (Position, &Known)> {
        self.told.after(id)
    }

    /// The payment of a UETR, of the open business day or the one before.
    pub(crate) fn known_by_uetr(&self, uetr: &torap_domain::Uetr) -> Option<(Position, &Known)> {
        self.told.by_uetr(uetr)
    }

    /// A payment that waits.
    pub(crate) fn waiting(&self, id: Position) -> Option<&Waiting> {
        self.queue.get(id)
    }

    /// Snapshot, in a part of its own that came later: what else is known of payments.
    pub(crate) fn has_about(&self) -> bool {
        self.told.has_about()
    }

    pub(crate) fn write_about(&self, writer: &mut Writer<'_>) {
        self.told.write_about(writer);
    }

    pub(crate) fn read_about(&mut self, reader: &mut Reader<'_>) -> Result<(), FactsError> {
        self.told.read_about(reader)
    }

    /// A letter behind those that wait; the next Tick sends it.
    pub(crate) fn tell_later(&mut self, stamp: Stamp, to: ParticipantId, message: Message) {
        self.told.push(stamp, told::Told { to, message });
    }

    /// What is told of the first bank's payments and transfers is told to the second one, which took it over.
    pub(crate) fn hand_over(&mut self, bank: ParticipantId, heir: ParticipantId) {
        self.told.hand_over(bank, heir);
    }

    /// The participant's queue is tried again by [`run_queues`].
    pub(crate) fn try_again(&mut self, participant: ParticipantId) {
        self.again.insert(participant);
    }

    /// The oldest record that is still written from: what waits, and what has not been told.
    pub(crate) fn oldest_referred(&self) -> Option<Position> {
        let waiting = self.queue.first_id();
        waiting.into_iter().chain(self.told.oldest_referred()).min()
    }

    fn remember(&mut self, done: Done) {
        if self.done.len() == DONE_MAX {
            self.done.pop_front();
        }
        self.done.push_back(done);
    }
}

pub(crate) fn apply(
    state: &mut engine::State,
    stamp: Stamp,
    command: &Command,
    out: &mut Output,
) -> Outcome {
    let outcome = match command {
        Command::Instruct(instruction) => doors::instruct(state, stamp, instruction, out),
        Command::Cancel(cancellation) => doors::cancel(state, stamp, cancellation, out),
        Command::Return(back) => doors::give_back(state, stamp, back, out),
        Command::MoveLiquidity(order) => doors::move_liquidity(state, stamp, order, out),
        Command::Modify(modification) => changes::modify(state, stamp, modification, out),
        _ => match change(state, stamp, command, out) {
            Ok(()) => Outcome::Accepted,
            Err(reason) => {
                out.event(Any::Refused { reason });
                Outcome::Refused(reason)
            }
        },
    };
    told::tell_at_once(state, stamp, out);
    outcome
}

fn change(
    state: &mut engine::State,
    stamp: Stamp,
    command: &Command,
    out: &mut Output,
) -> Result<(), Reason> {
    let by_solver = matches!(
        command,
        Command::Resolve {
            source: Source::Switch,
            ..
        }
    );
    if !by_solver {
        command.source().by_operator()?;
    }
    match command {
        Command::Fund {
            participant,
            direction,
            amount,
            ..
        } => fund(state, stamp, *participant, *direction, *amount, out),
        Command::Transfer {
            participant,
            direction,
            amount,
            ..
        } => {
            state.settlement.is_open()?;
            let participant = direct(state, *participant)?;
            if *direction == Direction::In {
                has_free(state, participant, *amount)?;
            }
            transfer(state, stamp, participant, *direction, *amount, out)?;
            if *direction == Direction::Out {
                liquidity::credited(state, stamp, participant, out);
            }
            Ok(())
        }
        Command::Pay { payment, .. } => {
            let entrant = told::Entrant {
                answer_to: payment.from,
                uetr: None,
                gives_back: None,
                end_to_end: 0,
                parties: Parties::of(payment),
            };
            payments::pay(state, stamp, payment, entrant, out)
        }
        Command::Change { id, change, .. } => payments::change(state, stamp, *id, *change, out),
        Command::SetCreditLine {
            participant,
            amount,
            ..
        } => {
            let participant = direct(state, *participant)?;
            let account = state.settlement_account(participant);
            let account = account.ok_or(Reason::UnknownParticipant)?;
            in_tenge(*amount)?;
            let set = state.ledger.set_credit_line(account, amount.minor());
            // A line below what is in use.
            set.map_err(|_| Reason::OperatorRefused)?;
            liquidity::credited(state, stamp, participant, out);
            Ok(())
        }
        Command::SetLimit {
            participant,
            towards,
            amount,
            ..
        } => set_limit(state, stamp, *participant, *towards, *amount, out),
        Command::Reserve {
            participant,
            amount,
            ..
        } => {
            let participant = direct(state, *participant)?;
            in_tenge(*amount)?;
            let reserved = &mut state.settlement.reserved;
            if amount.is_zero() {
                reserved.remove(&participant);
            } else {
                reserved.insert(participant, amount.minor());
            }
            liquidity::credited(state, stamp, participant, out);
            Ok(())
        }
        Command::Resolve { payments, .. } => liquidity::resolve(state, stamp, payments, out),
        Command::Open { cut_off, until, .. } => day::open(state, stamp, *cut_off, *until, out),
        Command::Close { .. } => {
            state.settlement.is_open()?;
            day::close(state, stamp, out);
            Ok(())
        }
        Command::SetHours { hours, .. } => day::set_hours(state, stamp, *hours),
        Command::SetDay { date, day, .. } => {
            day::set_day(state, stamp, *date, *day)?;
            clearing::calendar_changed(state, stamp, out);
            Ok(())
        }
        Command::KeepLiquidity { keeps, .. } => {
            state.settlement.told.keeps_liquidity = *keeps;
            Ok(())
        }
        // A bank's own commands are not the operator's.
        Command::Instruct(_)
        | Command::Cancel(_)
        | Command::Return(_)
        | Command::MoveLiquidity(_)
        | Command::Modify(_) => Err(Reason::OperatorRefused),
    }
}

/// A participant that settles itself; indirect ones have no settlement account in use.
pub(crate) fn direct(state: &engine::State, id: ParticipantId) -> Result<ParticipantId, Reason> {
    if state.participants.get(id).is_none() {
        return Err(Reason::UnknownParticipant);
    }
    if state.participants.settles_through(id) == id {
        Ok(id)
    } else {
        Err(Reason::OperatorRefused)
    }
}

/// Refuses to move what a participant owes a card session that is being settled.
fn has_free(
    state: &engine::State,
    participant: ParticipantId,
    amount: Money,
) -> Result<(), Reason> {
    if state.imts_available(participant) >= i128::from(amount.minor()) {
        Ok(())
    } else {
        Err(Reason::InsufficientFunds)
    }
}

fn in_tenge(amount: Money) -> Result<(), Reason> {
    if amount.asset() == torap_domain::Asset::Kzt {
        Ok(())
    } else {
        Err(Reason::OperatorRefused)
    }
}

/// Money enters and leaves IMTS between the central bank's account and a settlement account.
fn fund(
    state: &mut engine::State,
    stamp: Stamp,
    participant: ParticipantId,
    direction: Direction,
    amount: Money,
    out: &mut Output,
) -> Result<(), Reason> {
    let participant = direct(state, participant)?;
    let account = state.settlement_account(participant);
    let account = account.ok_or(Reason::UnknownParticipant)?;
    let central_bank = state.central_bank();
    let (debit, credit) = match direction {
        Direction::In => (central_bank, account),
        Direction::Out => {
            has_free(state, participant, amount)?;
            (account, central_bank)
        }
    };
    let booked = state.ledger.transfer(debit, credit, amount);
    booked.map_err(engine::refused_by_ledger)?;
    out.settlement_event(Event::Funded {
        participant,
        direction,
        amount,
    });
    if direction == Direction::In {
        liquidity::credited(state, stamp, participant, out);
    }
    Ok(())
}

/// Moves a participant's own money between its settlement account and its instant position.
pub(crate) fn transfer(
    state: &mut engine::State,
    stamp: Stamp,
    participant: ParticipantId,
    direction: Direction,
    amount: Money,
    out: &mut Output,
) -> Result<(), Reason> {
    let funds = state.settlement_account(participant);
    let accounts = funds.zip(state.participants.account(participant));
    let (funds, position) = accounts.ok_or(Reason::UnknownParticipant)?;
    state
        .move_to_rail(direction, position, funds, amount)
        .map_err(engine::refused_by_ledger)?;
    out.event(Any::PositionChanged {
        participant,
        funded: amount,
        direction,
    });
    out.settlement_event(Event::Transferred {
        participant,
        direction,
        amount,
    });
    participants::watch(state, stamp, participant, out);
    Ok(())
}

fn set_limit(
    state: &mut engine::State,
    stamp: Stamp,
    participant: ParticipantId,
    towards: Option<ParticipantId>,
    amount: Option<Money>,
    out: &mut Output,
) -> Result<(), Reason> {
    let participant = direct(state, participant)?;
    let towards = towards.map(|other| direct(state, other)).transpose()?;
    if towards == Some(participant) {
        return Err(Reason::SameParticipant);
    }
    let limits = &mut state.settlement.limits;
    match amount {
        Some(amount) => {
            in_tenge(amount)?;
            limits.insert((participant, towards), amount.minor());
        }
        None => {
            limits.remove(&(participant, towards));
        }
    }
    liquidity::credited(state, stamp, participant, out);
    Ok(())
}

/// Decides the first thing that is due.
pub(crate) fn expire_first(state: &mut engine::State, stamp: Stamp, out: &mut Output) {
    let settlement = &mut state.settlement;
    let Some(due) = settlement.next_deadline() else {
        return;
    };
    if settlement.again_since == Some(due) {
        liquidity::go_on(state, stamp, out);
    } else if settlement.queue.first_time() == Some(due) {
        payments::expire(state, stamp, out);
    } else if settlement.told.next_deadline() == Some(due) {
        told::go_on(state, stamp, out);
    } else if settlement.opens == Some(due) {
        day::open_by_calendar(state, stamp, out);
    } else {
        day::close(state, stamp, out);
    }
    told::tell(state, stamp, out);
}

/// Snapshot.
impl State {
    pub(crate) fn write(&self, writer: &mut Writer<'_>) {
        writer.put(&self.open.is_some());
        if let Some(open) = &self.open {
            writer.put(open);
        }
        writer.put(&self.hours);
        day::put_calendar(&self.calendar, writer);
        writer.put(&self.opens.is_some());
        if let Some((time, position)) = self.opens {
            writer.put(&time);
            writer.put(&position);
        }
        writer.put(&self.last_day);
        self.queue.write(writer);
        writer.count(self.seen.len());
        for ((payer, reference), seen) in &self.seen {
            writer.put(payer);
            writer.put(reference);
            writer.put(&seen.to);
            writer.put(&seen.amount);
        }
        writer.count(self.limits.len());
        for ((participant, towards), amount) in &self.limits {
            writer.put(participant);
            writer.put(towards);
            writer.u64(*amount);
        }
        writer.count(self.reserved.len());
        for (participant, amount) in &self.reserved {
            writer.put(participant);
            writer.u64(*amount);
        }
        writer.count(self.paid.len());
        for ((from, to), amount) in &self.paid {
            writer.put(from);
            writer.put(to);
            writer.bytes(&amount.to_le_bytes());
        }
        writer.count(self.again.len());
        for participant in &self.again {
            writer.put(participant);
        }
        writer.put(&self.again_since.is_some());
        if let Some((time, position)) = self.again_since {
            writer.put(&time);
            writer.put(&position);
        }
        writer.count(self.done.len());
        for done in &self.done {
            writer.put(done);
        }
        self.told.write(writer);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<State, FactsError> {
        let mut state = State::new();
        if reader.field("open")? {
            state.open = Some(reader.field("open day")?);
        }
        state.hours = reader.field("hours")?;
        state.calendar = day::take_calendar(reader)?;
        if reader.field("opens")? {
            state.opens = Some((reader.field("opening")?, reader.field("record")?));
        }
        state.last_day = reader.field("last day")?;
        state.queue = Queue::read(reader)?;
        for _ in 0..reader.count("payments of the day")? {
            let key = (reader.field("payer")?, reader.field("reference")?);
            let seen = Seen {
                to: reader.field("payee")?,
                amount: reader.field("amount")?,
            };
            state.seen.insert(key, seen);
        }
        for _ in 0..reader.count("limits")? {
            let key = (reader.field("participant")?, reader.field("towards")?);
            state.limits.insert(key, reader.u64("limit")?);
        }
        for _ in 0..reader.count("reservations")? {
            let participant = reader.field("participant")?;
            state.reserved.insert(participant, reader.u64("reserved")?);
        }
        for _ in 0..reader.count("paid")? {
            let key = (reader.field("payer")?, reader.field("payee")?);
            let amount = u128::from_le_bytes(reader.array("paid")?);
            state.paid.insert(key, amount);
        }
        for _ in 0..reader.count("queues to try")? {
            state.again.insert(reader.field("participant")?);
        }
        if reader.field("again")? {
            state.again_since = Some((reader.field("since")?, reader.field("record")?));
        }
        for _ in 0..reader.count("payments done")? {
            state.done.push_back(reader.field("payment done")?);
        }
        state.told = told::State::read(reader)?;
        Ok(state)
    }
}

#[cfg(test)]
mod tests;
