//! Sessions: the close, its booking, and the telling of what came of it.

use std::collections::BTreeMap;

use torap_clearing::{Closing, Member, SessionId};
use torap_domain::{Asset, Date, Money, ParticipantId, Reason, Span, Time};
use torap_ledger::AccountId;

use super::{
    Event, Open, Report, Row, State, Telling,
    intake::{Answers, place},
    items::{Item, Stage},
    status_of,
};
use crate::{
    Event as Any, Message, Outcome, Output, Source, Stamp, engine, links::Letter, settlement,
};

/// Sessions whose reports are remembered.
pub const REPORTS_MAX: usize = 64;
/// Outcomes told by one record, about: it goes on to the end of the message that an item came with.
pub const TOLD_EACH: usize = 256;
/// The next outcomes are told this much later, so that other commands get their turn.
pub const TOLD_EVERY: Span = Span::from_millis(2);
/// A session whose nets could not be booked is tried again after this time.
const HELD_FOR: Span = Span::from_secs(60);

/// From this version of the rules on the operator closes no session whose business date lies ahead.
const RULES_DATE_HAS_COME: u32 = 2;

/// The first session is opened by the first item or setting.
pub(super) fn open(clearing: &mut State, stamp: Stamp) {
    if clearing.open.is_none() {
        reopen(clearing, stamp);
    }
}

/// Opens the next session by the timetable; one that has closed is never opened again.
pub(super) fn reopen(clearing: &mut State, stamp: Stamp) {
    let (timetable, calendar) = (&clearing.timetable, &clearing.calendar);
    let mut session = timetable.first_after(calendar, stamp.time);
    if let Some(closed) = clearing.last_closed {
        while session <= closed {
            session = timetable.after(calendar, session);
        }
    }
    let closes = timetable.close_of(session);
    clearing.open = closes.map(|closes| Open {
        session,
        opened: stamp.position,
        closes,
    });
}

/// Outcomes that are due are told; or else the open session closes.
pub(crate) fn expire_first(state: &mut engine::State, stamp: Stamp, out: &mut Output) {
    match state.clearing.telling {
        Some(telling) => tell(state, stamp, telling, out),
        None => close(state, stamp, out),
    }
}

/// Closes what is due. While outcomes are being told nothing closes: the next session is as much later.
pub(super) fn close_due(state: &mut engine::State, stamp: Stamp, out: &mut Output) {
    while state.clearing.telling.is_none()
        && state
            .clearing
            .open
            .is_some_and(|open| open.closes <= stamp.time)
    {
        close(state, stamp, out);
    }
}

/// The operator closes the open session before its time.
pub(super) fn apply_close(
    state: &mut engine::State,
    stamp: Stamp,
    source: &Source,
    out: &mut Output,
) -> Outcome {
    let mut refusal = match (source.by_operator(), state.clearing.telling) {
        (Err(reason), _) => Some(reason),
        (Ok(()), Some(_)) => Some(Reason::RetryLater),
        (Ok(()), None) => None,
    };
    let before = state.clearing.open;
    if refusal.is_none() {
        open(&mut state.clearing, stamp);
        let ahead = date_ahead(state, stamp.time);
        refusal = ahead.map(|_| Reason::ValueDateNotAllowed);
    }
    if let Some(reason) = refusal {
        state.clearing.open = before;
        out.event(Any::Refused { reason });
        return Outcome::Refused(reason);
    }
    close(state, stamp, out);
    Outcome::Accepted
}

/// The business date of the open session, if it has not come and the operator has to wait for it.
pub(super) fn date_ahead(state: &engine::State, now: Time) -> Option<Date> {
    let date = state.clearing.open.map(|open| open.session.date);
    let ahead = date.filter(|date| *date > Date::from_time(now));
    ahead.filter(|_| state.rules >= RULES_DATE_HAS_COME)
}

/// A session and its items as the close takes them.
struct Prepared {
    /// By member.
    participants: Vec<ParticipantId>,
    accounts: Vec<AccountId>,
    funds: Vec<u64>,
    /// Where each item lies.
    slots: Vec<u32>,
    items: Vec<torap_clearing::Item>,
    suspended: Vec<Suspended>,
}

/// An item that a suspension leaves out.
struct Suspended {
    slot: u32,
    debtor: Member,
    stage: Stage,
    amount: u64,
}

/// Everything that waits for a session of `date`, by whoever settles for the banks.
fn prepare(state: &engine::State, date: Date) -> Prepared {
    let mut prepared = Prepared {
        participants: Vec::new(),
        accounts: Vec::new(),
        funds: Vec::new(),
        slots: Vec::new(),
        items: Vec::new(),
        suspended: Vec::new(),
    };
    let participants = state.participants.ids().count().saturating_add(1);
    let mut members: Vec<Option<Member>> = vec![None; participants];
    for (slot, item) in state.clearing.items.waiting(date) {
        let debtor = prepared.member(state, &mut members, item.debtor);
        let creditor = prepared.member(state, &mut members, item.creditor);
        // Intake has seen the accounts of both, and accounts are never closed.
        let (Some(debtor), Some(creditor)) = (debtor, creditor) else {
            continue;
        };
        if let Some(reason) = state.suspension(item.debtor, item.creditor) {
            let stage = if reason == Reason::SenderSuspended {
                Stage::DebtorSuspended
            } else {
                Stage::CreditorSuspended
            };
            prepared.suspended.push(Suspended {
                slot,
                debtor,
                stage,
                amount: item.amount,
            });
            continue;
        }
        prepared.slots.push(slot);
        prepared.items.push(torap_clearing::Item {
            debtor,
            creditor,
            priority: item.priority,
            amount: item.amount,
        });
    }
    prepared
}

impl Prepared {
    /// The slot of whoever settles for a participant.
    fn member(
        &mut self,
        state: &engine::State,
        members: &mut [Option<Member>],
        participant: ParticipantId,
    ) -> Option<Member> {
        let known = members.get(participant.index()).copied().flatten();
        if known.is_some() {
            return known;
        }
        let settling = state.participants.settles_through(participant);
        let known = members.get(settling.index()).copied().flatten();
        let member = match known {
            Some(member) => member,
            None => {
                let account = state.settlement_account(settling)?;
                let member = Member(u16::try_from(self.participants.len()).ok()?);
                let available = state.imts_available(settling).max(0);
                self.participants.push(settling);
                self.accounts.push(account);
                self.funds
                    .push(u64::try_from(available).unwrap_or(u64::MAX));
                member
            }
        };
        for slot in [settling, participant] {
            if let Some(place) = members.get_mut(slot.index()) {
                *place = Some(member);
            }
        }
        Some(member)
    }

    fn close(&self) -> Option<Closing> {
        // Every member has its funds, and there are far fewer items than 2³².
        torap_clearing::close(&self.funds, &self.items).ok()
    }

    /// In the order of identifiers.
    fn rows(&self, closing: &Closing) -> Vec<Row> {
        let minor = |sum: u128| u64::try_from(sum).unwrap_or(u64::MAX);
        let nets = self.participants.iter().zip(&closing.nets);
        let mut rows: Vec<Row> = nets
            .map(|(participant, net)| Row {
                participant: *participant,
                sent: net.sent,
                debits: minor(net.debits),
                received: net.received,
                credits: minor(net.credits),
                left_out: net.left_out,
                left_out_amount: minor(net.left_out_amount),
            })
            .collect();
        for item in &self.suspended {
            if let Some(row) = rows.get_mut(usize::from(item.debtor.0)) {
                row.left_out = row.left_out.saturating_add(1);
                row.left_out_amount = row.left_out_amount.saturating_add(item.amount);
            }
        }
        rows.sort_by_key(|row| row.participant);
        rows
    }
}

pub(super) fn forecast(state: &engine::State) -> Vec<Row> {
    let Some(open) = state.clearing.open else {
        return Vec::new();
    };
    let prepared = prepare(state, open.session.date);
    let closing = prepared.close();
    closing.map_or_else(Vec::new, |closing| prepared.rows(&closing))
}

/// Decides and books the open session, and opens the next one.
fn close(state: &mut engine::State, stamp: Stamp, out: &mut Output) {
    let Some(Open { session, .. }) = state.clearing.open else {
        return;
    };
    let prepared = prepare(state, session.date);
    let booked = prepared.close().filter(|closing| {
        let nets = prepared.accounts.iter().zip(&closing.nets);
        let nets: Vec<(AccountId, i128)> = nets
            .map(|(account, net)| (*account, net.balance()))
            .collect();
        let technical = state.clearing_technical();
        torap_clearing::settle(&mut state.ledger, technical, Asset::Kzt, &nets).is_ok()
    });
    let Some(closing) = booked else {
        // Only a damaged technical account or a sum of the ledger that is full comes here: nothing was booked.
        if let Some(open) = &mut state.clearing.open {
            open.closes = stamp.time.saturating_add(HELD_FOR);
        }
        out.event(Any::Clearing(Event::SessionHeld { session }));
        return;
    };
    for (slot, taken) in prepared.slots.iter().zip(&closing.taken) {
        let stage = if *taken {
            Stage::Settled
        } else {
            Stage::LeftOut
        };
        state.clearing.items.decide(*slot, stage, Some(session));
    }
    for item in &prepared.suspended {
        let (slot, stage) = (item.slot, item.stage);
        state.clearing.items.decide(slot, stage, Some(session));
    }
    state.clearing.items.close(session.date);
    let rows = prepared.rows(&closing);
    report(out, session, &rows);
    let creditors: Vec<ParticipantId> = rows
        .iter()
        .filter(|row| row.net() > 0)
        .map(|row| row.participant)
        .collect();
    finish(&mut state.clearing, stamp, session, rows);
    // What they were paid may settle what waits in their queues of IMTS.
    for creditor in creditors {
        settlement::credited(state, stamp, creditor, out);
    }
}

fn report(out: &mut Output, session: SessionId, rows: &[Row]) {
    let settled = rows.iter().map(|row| row.sent);
    let left_out = rows.iter().map(|row| row.left_out);
    let amount = rows.iter().map(|row| row.debits);
    out.event(Any::Clearing(Event::SessionClosed {
        session,
        settled: settled.fold(0, u32::saturating_add),
        left_out: left_out.fold(0, u32::saturating_add),
        amount: Money::kzt(amount.fold(0, u64::saturating_add)),
    }));
    for row in rows {
        out.event(Any::Clearing(Event::Net { session, row: *row }));
    }
}

/// The session is decided: its outcomes are told from now on, and the next one is open.
fn finish(clearing: &mut State, stamp: Stamp, session: SessionId, rows: Vec<Row>) {
    if clearing.reports.len() >= REPORTS_MAX {
        clearing.reports.pop_front();
    }
    clearing.reports.push_back(Report {
        session,
        closed: stamp.position,
        closed_at: stamp.time,
        rows,
    });
    clearing.last_closed = Some(session);
    clearing.telling = Some(Telling {
        session,
        closed: stamp.position,
        due: stamp.time,
        reported: false,
    });
    let next = clearing.timetable.after(&clearing.calendar, session);
    let closes = clearing.timetable.close_of(next);
    clearing.open = closes.map(|closes| Open {
        session: next,
        opened: stamp.position,
        closes,
    });
    if next.date > session.date {
        clearing.forget_before = Some(session.date);
        clearing.files.forget(session.date);
    }
}

/// Tells the next outcomes; then every participant its report; then forgets a few items of dates that are over.
fn tell(state: &mut engine::State, stamp: Stamp, telling: Telling, out: &mut Output) {
    let mut more = true;
    let mut reported = telling.reported;
    if state.clearing.items.has_untold() {
        tell_items(state, stamp, telling.session, out);
    } else if !reported {
        tell_reports(state, stamp, telling.session, out);
        reported = true;
    } else {
        more = state
            .clearing
            .forget_before
            .is_some_and(|date| state.clearing.items.forget(date, TOLD_EACH));
    }
    state.clearing.telling = more.then_some(Telling {
        due: stamp.time.saturating_add(TOLD_EVERY),
        reported,
        ..telling
    });
}

/// To the senders first, and only then to the receivers.
fn tell_items(state: &mut engine::State, stamp: Stamp, session: SessionId, out: &mut Output) {
    let mut items: Vec<Item> = Vec::with_capacity(TOLD_EACH);
    state.clearing.items.take_untold(TOLD_EACH, &mut items);
    for record in items.chunk_by(|one, next| one.submitted == next.submitted) {
        let Some(first) = record.first() else {
            continue;
        };
        let mut answers = Answers::about(first.submitted);
        for item in record {
            answers.add(item.index, status_of(item), item.session);
        }
        answers.send(state, stamp, first.sender, out);
        let mut forwards: BTreeMap<(u16, ParticipantId), u64> = BTreeMap::new();
        for item in record.iter().filter(|item| item.stage == Stage::Settled) {
            let (block, bit) = place(item.index);
            *forwards.entry((block, item.creditor)).or_default() |= bit;
        }
        for ((block, creditor), mask) in forwards {
            let message = Message::ClearingForward {
                original: first.submitted,
                first: block,
                items: mask,
                session,
            };
            let receiver = state.participants.successor(creditor);
            state.links.send(out, stamp, receiver, Letter::new(message));
        }
    }
}

fn tell_reports(state: &mut engine::State, stamp: Stamp, session: SessionId, out: &mut Output) {
    let report = state.clearing.reports.back();
    let rows = report.map_or_else(Vec::new, |report| report.rows.clone());
    for row in rows {
        let message = Message::ClearingReport {
            session,
            sent: row.sent,
            debits: Money::kzt(row.debits),
            received: row.received,
            credits: Money::kzt(row.credits),
            left_out: row.left_out,
            left_out_amount: Money::kzt(row.left_out_amount),
        };
        let letter = Letter::new(message);
        state.links.send(out, stamp, row.participant, letter);
    }
    out.event(Any::Clearing(Event::SessionReported { session }));
}
