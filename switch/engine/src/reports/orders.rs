//! What has been asked and what is due, until the read side has answered.
//!
//! The engine keeps no history, so it cannot write a statement; the read side does, from the log, and its answer comes back as a command
//! that holds every word of it. An order that is open at a crash is answered after it, from the page that was not told.

use std::collections::{BTreeMap, BTreeSet};

use torap_domain::{Date, ParticipantId, Position, Reason, Span, Time};

use super::{Account, Answer, Command, Found, Order, Query, Request, Wants, of_events};
use crate::{
    Engine, Event as Any, Message, Outcome, Output, Receipt, Source, Stamp,
    codec::{FactsError, LayoutRule, Reader, Writer},
    engine,
    links::Letter,
};

/// Requests of one participant that are open, at most.
pub const REQUESTS_EACH_MAX: usize = 8;
/// Orders that are open, at most; statements of further days wait until there are fewer.
pub const ORDERS_MAX: usize = 65_536;
/// How many days back a statement may be asked for.
pub const DAYS_BACK_MAX: i32 = 400;

/// An order and how far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    pub order: Order,
    /// The page that comes next, from 1.
    pub page: u32,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    wants: BTreeMap<ParticipantId, Wants>,
    /// Who gets every entry: looked at for each record.
    notices: BTreeSet<ParticipantId>,
    /// The day whose statements are sent when it is over, and the record that set it.
    day: Option<(Date, Position)>,
    open: BTreeMap<u64, Open>,
    /// Orders so far.
    orders: u64,
}

impl State {
    pub(crate) fn new() -> State {
        State::default()
    }

    /// Whether nothing was ever asked or set; nothing is written to a snapshot then.
    pub(crate) fn is_new(&self) -> bool {
        *self == State::default()
    }

    /// When the next day is over, while somebody is sent its statement.
    pub(crate) fn next_deadline(&self) -> Option<(Time, Position)> {
        let (day, position) = self.day?;
        let wanted = self.wants.values().any(|wants| wants.statements);
        let end = day.add_days(1).start()?;
        (wanted && self.open.len() < ORDERS_MAX).then_some((end, position))
    }

    /// The oldest record that an answer is written from.
    pub(crate) fn oldest_referred(&self) -> Option<Position> {
        let requests = self.open.values();
        requests.filter_map(|open| open.order.request).min()
    }

    fn add(&mut self, order: Order) {
        self.orders = self.orders.saturating_add(1);
        self.open.insert(self.orders, Open { order, page: 1 });
    }
}

pub(crate) fn apply(
    state: &mut engine::State,
    stamp: Stamp,
    command: &Command,
    out: &mut Output,
) -> Outcome {
    let done = match command {
        Command::Request(request) => return ask(state, stamp, request, out),
        Command::Answer(found) => answer(state, stamp, found, out),
        Command::SetWants {
            source,
            participant,
            wants,
        } => source
            .by_operator()
            .and_then(|()| set(state, stamp, *participant, *wants)),
    };
    match done {
        Ok(()) => Outcome::Accepted,
        Err(reason) => {
            out.event(Any::Refused { reason });
            Outcome::Refused(reason)
        }
    }
}

fn set(
    state: &mut engine::State,
    stamp: Stamp,
    participant: ParticipantId,
    wants: Wants,
) -> Result<(), Reason> {
    if state.participants.get(participant).is_none() {
        return Err(Reason::UnknownParticipant);
    }
    let reports = &mut state.reports;
    if wants == Wants::default() {
        reports.wants.remove(&participant);
    } else {
        reports.wants.insert(participant, wants);
    }
    if wants.notices {
        reports.notices.insert(participant);
    } else {
        reports.notices.remove(&participant);
    }
    let today = (Date::from_time(stamp.time), stamp.position);
    let someone = reports.wants.values().any(|wants| wants.statements);
    reports.day = someone.then(|| reports.day.unwrap_or(today));
    Ok(())
}

/// A bank's question: an order for the read side, or its refusal.
fn ask(state: &mut engine::State, stamp: Stamp, request: &Request, out: &mut Output) -> Outcome {
    let sender = state.participants.sender(&request.source, &request.agent);
    let both = sender.and_then(|sender| {
        let link = request.source.link().ok_or(Reason::UnboundSender)?;
        Ok((link, sender))
    });
    let (link, sender) = match both {
        Ok(both) => both,
        Err(reason) => return state.links.reject(out, stamp, &request.source, reason),
    };
    let owner = state.participants.settles_through(sender);
    // Who speaks for an indirect participant does not see the accounts of its sponsor.
    if owner != sender && owner != link {
        let reason = Reason::UnboundSender;
        return state.links.reject(out, stamp, &request.source, reason);
    }
    let upto = stamp.position;
    #[cfg(feature = "mutants")]
    let upto = if crate::mutants::is_on(&crate::mutants::STALE_EXTRACT) {
        Position::new(upto.value().saturating_sub(40))
    } else {
        upto
    };
    let Err(reason) = may_ask(state, stamp, link, owner, &request.query) else {
        state.reports.add(Order {
            to: link,
            owner,
            query: request.query,
            request: Some(stamp.position),
            upto,
            at: stamp.time,
        });
        return Outcome::Accepted;
    };
    refuse(state, stamp, link, stamp.position, reason, out);
    out.event(Any::Refused { reason });
    Outcome::Refused(reason)
}

/// camt.025 about a request.
fn refuse(
    state: &mut engine::State,
    stamp: Stamp,
    to: ParticipantId,
    original: Position,
    reason: Reason,
    out: &mut Output,
) {
    let message = Message::ImtsReceipt {
        original,
        receipt: Receipt::Refused { reason },
    };
    state.links.send(out, stamp, to, Letter::new(message));
}

fn may_ask(
    state: &engine::State,
    stamp: Stamp,
    link: ParticipantId,
    owner: ParticipantId,
    query: &Query,
) -> Result<(), Reason> {
    let today = Date::from_time(stamp.time);
    let account = match query {
        Query::Statement { account, date } => {
            let is_over = *date < today;
            if !is_over || *date < today.add_days(0_i32.saturating_sub(DAYS_BACK_MAX)) {
                return Err(Reason::ValueDateNotAllowed);
            }
            *account
        }
        Query::Intraday { account, .. } => *account,
        Query::Balances | Query::Payments { .. } => Account::Settlement,
    };
    if state.ledger.find(account.key(owner)).is_none() {
        return Err(Reason::OperatorRefused);
    }
    let open = state.reports.open.values();
    let own = open.filter(|open| open.order.to == link && open.order.request.is_some());
    let (mut count, mut is_open) = (0_usize, false);
    for open in own {
        count = count.saturating_add(1);
        is_open |= open.order.owner == owner && is_same(&open.order.query, query);
    }
    if is_open || count >= REQUESTS_EACH_MAX || state.reports.open.len() >= ORDERS_MAX {
        return Err(Reason::InternalLimit);
    }
    Ok(())
}

/// Whether two questions read the same day of the same account: the second waits until the first is answered.
fn is_same(one: &Query, other: &Query) -> bool {
    match (one, other) {
        (Query::Intraday { account, .. }, Query::Intraday { account: other, .. }) => {
            account == other
        }
        (Query::Statement { .. }, Query::Statement { .. }) => one == other,
        _ => false,
    }
}

/// What the read side found is told, if it is what is still wanted.
fn answer(
    state: &mut engine::State,
    stamp: Stamp,
    answer: &Answer,
    out: &mut Output,
) -> Result<(), Reason> {
    if answer.source != Source::Switch {
        return Err(Reason::OperatorRefused);
    }
    let open = state.reports.open.get_mut(&answer.number);
    let open = open.ok_or(Reason::ResolutionStale)?;
    if open.order != answer.order {
        return Err(Reason::ResolutionStale);
    }
    let ends = match &answer.found {
        Found::Page(page) => {
            if page.number != open.page {
                return Err(Reason::ResolutionStale);
            }
            open.page = open.page.saturating_add(1);
            page.is_last
        }
        Found::Payments(page) => {
            let Query::Payments { after, .. } = &mut open.order.query else {
                return Err(Reason::ResolutionStale);
            };
            if page.number != open.page {
                return Err(Reason::ResolutionStale);
            }
            // What was told is not looked for again.
            *after = page.payments.last().map_or(*after, |last| last.id);
            open.page = open.page.saturating_add(1);
            page.is_last
        }
        Found::Balances { .. } | Found::Failed(_) => true,
    };
    if ends {
        state.reports.open.remove(&answer.number);
    }
    let to = answer.order.to;
    match (&answer.found, answer.order.request) {
        (Found::Failed(reason), Some(request)) => {
            refuse(state, stamp, to, request, *reason, out);
        }
        // Nobody asked, so nobody waits; the read side has told the operator.
        (Found::Failed(_), None) => {}
        (Found::Page(_) | Found::Balances { .. } | Found::Payments(_), _) => {
            let original = stamp.position;
            let message = Message::Report { original };
            state.links.send(out, stamp, to, Letter::new(message));
        }
    }
    Ok(())
}

/// A day is over: its statements are due.
pub(crate) fn expire_first(state: &mut engine::State, stamp: Stamp) {
    let Some((date, position)) = state.reports.day else {
        return;
    };
    let end = date.add_days(1).start().unwrap_or(stamp.time);
    let wants = state.reports.wants.iter();
    let due: Vec<ParticipantId> = wants
        .filter(|(_, wants)| wants.statements)
        .map(|(participant, _)| *participant)
        .collect();
    for owner in due {
        for account in Account::ALL {
            if state.ledger.find(account.key(owner)).is_some() {
                state.reports.add(Order {
                    to: owner,
                    owner,
                    query: Query::Statement { account, date },
                    request: None,
                    upto: stamp.position,
                    at: end,
                });
            }
        }
    }
    state.reports.day = Some((date.add_days(1), position));
}

/// Tells those who want it what the record moved on their settlement accounts, in the order of IMTS' other letters.
pub(crate) fn notify(state: &mut engine::State, stamp: Stamp, out: &Output) {
    if state.reports.notices.is_empty() || out.events.is_empty() {
        return;
    }
    let mut letters = Vec::new();
    of_events(state, stamp, &out.events, &mut |owner, account, entry| {
        if account == Account::Settlement && state.reports.notices.contains(&owner) {
            letters.push((owner, Message::ImtsNotice { entry }));
        }
    });
    for (to, message) in letters {
        state.settlement.tell_later(stamp, to, message);
    }
}

impl Engine {
    /// What waits for the read side, oldest first.
    pub fn open_orders(&self) -> impl Iterator<Item = (u64, Open)> + '_ {
        let open = self.state.reports.open.iter();
        open.map(|(number, open)| (*number, *open))
    }

    /// What participants are sent without asking.
    pub fn report_wants(&self) -> impl Iterator<Item = (ParticipantId, Wants)> + '_ {
        let wants = self.state.reports.wants.iter();
        wants.map(|(participant, wants)| (*participant, *wants))
    }
}

/// Snapshot.
impl State {
    pub(crate) fn write(&self, writer: &mut Writer<'_>) {
        writer.count(self.wants.len());
        for (participant, wants) in &self.wants {
            writer.put(participant);
            writer.put(wants);
        }
        writer.put(&self.day.is_some());
        if let Some((date, position)) = &self.day {
            writer.put(date);
            writer.put(position);
        }
        writer.count(self.open.len());
        for (number, open) in &self.open {
            writer.u64(*number);
            writer.put(&open.order);
            writer.u32(open.page);
        }
        writer.u64(self.orders);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<State, FactsError> {
        let mut state = State::new();
        for _ in 0..reader.count("wants")? {
            let offset = reader.offset();
            let participant: ParticipantId = reader.field("participant")?;
            let wants: Wants = reader.field("wants")?;
            let last = state.wants.last_key_value();
            if wants == Wants::default() || last.is_some_and(|(last, _)| *last >= participant) {
                return Err(reader.error("wants", offset, LayoutRule::Value));
            }
            if wants.notices {
                state.notices.insert(participant);
            }
            state.wants.insert(participant, wants);
        }
        if reader.field("day")? {
            state.day = Some((reader.field("date")?, reader.field("record")?));
        }
        for _ in 0..reader.count("orders")? {
            let offset = reader.offset();
            let number = reader.u64("number")?;
            let order = reader.field("order")?;
            let page = reader.u32("page")?;
            let last = state.open.last_key_value();
            if page == 0 || last.is_some_and(|(last, _)| *last >= number) {
                return Err(reader.error("order", offset, LayoutRule::Value));
            }
            state.open.insert(number, Open { order, page });
        }
        let offset = reader.offset();
        state.orders = reader.u64("orders")?;
        let last = state.open.last_key_value();
        if last.is_some_and(|(last, _)| *last > state.orders) {
            return Err(reader.error("orders", offset, LayoutRule::Value));
        }
        Ok(state)
    }
}

/// The last moment of a day, and the last before it.
pub fn bounds(date: Date) -> Option<(Time, Time)> {
    let before = |date: Date| {
        let start = date.start()?;
        Some(start.saturating_sub(Span::from_nanos(1)))
    };
    before(date).zip(before(date.add_days(1)))
}

#[cfg(test)]
mod tests;
