//! Intake and withdrawal of items, round the clock.
//!
//! An item that is known is answered as it stands before anything is checked. Then the rules follow in the order of [`Reason`], and
//! the first that is broken is the answer. A refused item is not remembered: it may be sent again, put right.

use torap_clearing::SessionId;
use torap_domain::{Date, ParticipantId, Position, Reason, Uetr};

use super::{
    Cancellation, Event, Order, PIECE_ITEMS_MAX, Submit,
    items::{Item, Stage},
    sessions, status_of,
};
use crate::{
    Event as Any, Message, Outcome, Output, Source, Stamp, Status, Withdrawal, engine,
    links::Letter,
};

/// Items whose statuses share one message: the bits of its mask.
pub(super) const BLOCK_ITEMS: usize = 64;

pub(super) fn apply(
    state: &mut engine::State,
    stamp: Stamp,
    submit: &Submit,
    out: &mut Output,
) -> Outcome {
    let sender = match sender_of(state, submit) {
        Ok(sender) => sender,
        Err(reason) => return state.links.reject(out, stamp, &submit.source, reason),
    };
    let count = submit.items.len().saturating_add(submit.refused.len());
    if count == 0 || count > PIECE_ITEMS_MAX {
        let reason = Reason::ProfileViolation;
        return state.links.reject(out, stamp, &submit.source, reason);
    }
    // An item that comes when a session is due belongs to the next one, even if no Tick has come yet.
    sessions::close_due(state, stamp, out);
    sessions::open(&mut state.clearing, stamp);
    let new = match &submit.piece {
        None => true,
        Some(piece) => match state.clearing.files.admit(sender, piece) {
            Ok(new) => new,
            Err(reason) => return state.links.reject(out, stamp, &submit.source, reason),
        },
    };
    let answer_to = submit.source.link().unwrap_or(sender);
    take_all(state, stamp, submit, (sender, answer_to), new, out)
}

/// The participant that instructs: on a link by the rules of links, for the operator whom the agent leads to.
fn sender_of(state: &engine::State, submit: &Submit) -> Result<ParticipantId, Reason> {
    match submit.source {
        Source::Link { .. } => state
            .participants
            .sender(&submit.source, &submit.instructing_agent),
        Source::Operator { .. } => state
            .participants
            .by_bic(&submit.instructing_agent)
            .ok_or(Reason::UnknownParticipant),
        Source::Switch => Err(Reason::UnboundSender),
    }
}

/// Takes what may be taken and answers every item. Of a piece that was taken before (`new` is false) nothing is taken.
fn take_all(
    state: &mut engine::State,
    stamp: Stamp,
    submit: &Submit,
    (sender, answer_to): (ParticipantId, ParticipantId),
    new: bool,
    out: &mut Output,
) -> Outcome {
    let mut accepted: u32 = 0;
    let mut refusals = Vec::new();
    let mut repeats: u32 = 0;
    let mut answers = Answers::about(stamp.position);
    for (index, order) in (0_u16..).zip(&submit.items) {
        let outcome = match seen_before(state, order) {
            Ok(Some(status)) => {
                repeats = repeats.saturating_add(1);
                Ok(status)
            }
            Ok(None) if new => admit(state, order, sender).map(|(debtor, creditor)| {
                let item = item(stamp, order, index, answer_to, debtor, creditor);
                state.clearing.items.insert(item);
                accepted = accepted.saturating_add(1);
                (Status::Pending, None)
            }),
            Ok(None) => Err(Reason::DuplicateReplay),
            Err(reason) => Err(reason),
        };
        let (status, session) = outcome.unwrap_or_else(|reason| {
            refusals.push((index, reason));
            let agent_code = None;
            (Status::Rejected { reason, agent_code }, None)
        });
        answers.add(index, status, session);
    }
    answers.send(state, stamp, answer_to, out);
    tell_refused(state, stamp, submit.refused.len(), answer_to, out);
    let broken = (!submit.refused.is_empty()).then_some(Reason::ProfileViolation);
    let first = refusals.first().map(|(_, reason)| *reason).or(broken);
    if let (Some(piece), true) = (&submit.piece, new) {
        let date = state.clearing.open.map(|open| open.session.date);
        let date = date.unwrap_or_else(|| Date::from_time(stamp.time));
        let files = &mut state.clearing.files;
        files.take(sender, piece, accepted, refusals, date);
    } else if !new {
        return Outcome::AlreadyApplied;
    }
    match first {
        Some(reason) if accepted == 0 && repeats == 0 => {
            out.event(Any::Refused { reason });
            Outcome::Refused(reason)
        }
        _ => Outcome::Accepted,
    }
}

/// Items that broke the usage table: up to 64 in a message, behind what became of the others.
fn tell_refused(
    state: &mut engine::State,
    stamp: Stamp,
    count: usize,
    to: ParticipantId,
    out: &mut Output,
) {
    for first in (0..count).step_by(BLOCK_ITEMS) {
        let rest = count.saturating_sub(first).min(BLOCK_ITEMS);
        let unused = BLOCK_ITEMS.saturating_sub(rest);
        let message = Message::ClearingRefused {
            original: stamp.position,
            first: u16::try_from(first).unwrap_or(u16::MAX),
            items: u64::MAX.wrapping_shr(u32::try_from(unused).unwrap_or(0)),
        };
        state.links.send(out, stamp, to, Letter::new(message));
    }
}

/// Key and UETR belong together, and to one content. An identifier of the instant rail cannot be used again here.
fn seen_before(
    state: &engine::State,
    order: &Order,
) -> Result<Option<(Status, Option<SessionId>)>, Reason> {
    let items = &state.clearing.items;
    let by_key = items.find_key(&order.key);
    let by_uetr = items.find_uetr(&order.uetr);
    match (by_key, by_uetr) {
        (Some((slot, item)), Some((other, _))) if slot == other => {
            if item.fingerprint == order.fingerprint {
                Ok(Some((status_of(item), item.session)))
            } else {
                Err(Reason::DuplicateMismatch)
            }
        }
        (None, None) => {
            let payments = &state.instant.payments;
            let elsewhere = payments.find_key(&order.key).is_some()
                || payments.find_uetr(&order.uetr).is_some();
            if elsewhere {
                return Err(Reason::DuplicateMismatch);
            }
            Ok(None)
        }
        _ => Err(Reason::DuplicateMismatch),
    }
}

/// Checks every rule, in the order of the reasons, and gives debtor's and creditor's bank.
fn admit(
    state: &engine::State,
    order: &Order,
    sender: ParticipantId,
) -> Result<(ParticipantId, ParticipantId), Reason> {
    let (participants, clearing) = (&state.participants, &state.clearing);
    let debtor = participants.by_bic(&order.debtor.agent);
    let creditor = participants.by_bic(&order.creditor.agent);
    let debtor = debtor.ok_or(Reason::UnknownParticipant)?;
    let creditor = creditor.ok_or(Reason::UnknownParticipant)?;
    if !participants.acts_for(sender, debtor) {
        return Err(Reason::NotTechnicalSender);
    }
    participants.may_debit(debtor)?;
    participants.may_credit(creditor)?;
    if debtor == creditor {
        return Err(Reason::SameParticipant);
    }
    let session = clearing.open.map(|open| open.session);
    let session = session.ok_or(Reason::ServiceNotAllowed)?;
    clearing
        .timetable
        .admit(&clearing.calendar, session, order.value_date)
        .map_err(|_| Reason::ValueDateNotAllowed)?;
    let settles = |participant| {
        let settling = participants.settles_through(participant);
        state.settlement_account(settling).is_some()
    };
    if !settles(debtor) || !settles(creditor) {
        return Err(Reason::ServiceNotAllowed);
    }
    for (party, agent) in [(&order.debtor, debtor), (&order.creditor, creditor)] {
        let code = party.account.bank_code();
        if code.and_then(|code| participants.by_bank_code(code)) != Some(agent) {
            return Err(Reason::AccountBankMismatch);
        }
    }
    let account = &order.creditor.account;
    clearing
        .purposes
        .admits(order.purpose, account, order.list.is_some())?;
    if order.amount.is_zero() {
        return Err(Reason::AmountZero);
    }
    // Amounts of another asset compare by the asset first; there is only one.
    if order.amount > clearing.settings.amount_max {
        return Err(Reason::AmountAboveServiceLimit);
    }
    if clearing.items.len() >= clearing.settings.items_max as usize {
        return Err(Reason::InFlightFull);
    }
    Ok((debtor, creditor))
}

fn item(
    stamp: Stamp,
    order: &Order,
    index: u16,
    sender: ParticipantId,
    debtor: ParticipantId,
    creditor: ParticipantId,
) -> Item {
    Item {
        key: order.key,
        uetr: order.uetr,
        fingerprint: order.fingerprint,
        submitted: stamp.position,
        amount: order.amount.minor(),
        value_date: order.value_date,
        session: None,
        index,
        sender,
        debtor,
        creditor,
        priority: order.priority,
        stage: Stage::Waiting,
    }
}

/// Takes an item back before its session has closed. `by` is the participant that asks for it; none for the operator.
pub(crate) fn withdraw(
    state: &mut engine::State,
    stamp: Stamp,
    uetr: &Uetr,
    by: Option<ParticipantId>,
    out: &mut Output,
) -> Result<(), Reason> {
    sessions::close_due(state, stamp, out);
    let items = &mut state.clearing.items;
    let (slot, item) = items.find_uetr(uetr).ok_or(Reason::OriginalUnknown)?;
    let participants = &state.participants;
    let debtor = participants.successor(item.debtor);
    if by.is_some_and(|sender| !participants.acts_for(sender, debtor)) {
        return Err(Reason::OriginalMismatch);
    }
    match item.stage {
        Stage::Waiting => {}
        Stage::Withdrawn => return Err(Reason::ItemWithdrawn),
        Stage::Settled | Stage::LeftOut | Stage::DebtorSuspended | Stage::CreditorSuspended => {
            return Err(Reason::SessionClosed);
        }
    }
    let item = *item;
    items.decide(slot, Stage::Withdrawn, None);
    out.event(Any::Clearing(Event::Withdrawn { key: item.key }));
    let reason = Reason::ItemWithdrawn;
    let agent_code = None;
    let mut answers = Answers::about(item.submitted);
    answers.add(item.index, Status::Rejected { reason, agent_code }, None);
    answers.send(state, stamp, item.sender, out);
    Ok(())
}

/// A bank takes its item back; answered in every case, after the item itself has been told.
pub(super) fn cancel(
    state: &mut engine::State,
    stamp: Stamp,
    cancellation: &Cancellation,
    out: &mut Output,
) -> Outcome {
    let source = &cancellation.source;
    let sender = state
        .participants
        .sender(source, &cancellation.instructing_agent);
    let (sender, link) = match (sender, source.link()) {
        (Ok(sender), Some(link)) => (sender, link),
        (Err(reason), _) => return state.links.reject(out, stamp, source, reason),
        (Ok(_), None) => {
            return state
                .links
                .reject(out, stamp, source, Reason::UnboundSender);
        }
    };
    sessions::close_due(state, stamp, out);
    let uetr = &cancellation.references.uetr;
    let found = state.clearing.items.find_uetr(uetr);
    let own = found.filter(|(_, item)| item.key == cancellation.key);
    let withdrawal = match own.map(|(_, item)| item.stage) {
        None => Withdrawal::Unknown,
        Some(Stage::Settled) => Withdrawal::Settled,
        Some(
            Stage::LeftOut | Stage::DebtorSuspended | Stage::CreditorSuspended | Stage::Withdrawn,
        ) => Withdrawal::Ended,
        Some(Stage::Waiting) => match withdraw(state, stamp, uetr, Some(sender), out) {
            Ok(()) => Withdrawal::Done,
            Err(_) => Withdrawal::Unknown,
        },
    };
    let message = Message::WithdrawalAnswer {
        original: stamp.position,
        withdrawal,
    };
    state.links.send(out, stamp, link, Letter::new(message));
    let reason = match withdrawal {
        Withdrawal::Done => return Outcome::Accepted,
        Withdrawal::Settled | Withdrawal::Ended => Reason::SessionClosed,
        Withdrawal::Unknown => Reason::OriginalUnknown,
    };
    out.event(Any::Refused { reason });
    Outcome::Refused(reason)
}

/// What becomes of items of one record, put together by block and status: one message says the same of up to 64 items.
#[derive(Debug)]
pub(super) struct Answers {
    /// The record that brought the items.
    about: Position,
    groups: Vec<Group>,
}

#[derive(Clone, Copy, Debug)]
struct Group {
    first: u16,
    items: u64,
    status: Status,
    session: Option<SessionId>,
}

impl Answers {
    pub(super) fn about(submission: Position) -> Answers {
        Answers {
            about: submission,
            groups: Vec::new(),
        }
    }

    /// Items come by rising index, so that what belongs together is among the last groups.
    pub(super) fn add(&mut self, index: u16, status: Status, session: Option<SessionId>) {
        let (first, bit) = place(index);
        let block = self.groups.iter_mut().rev();
        let mut block = block.take_while(|group| group.first == first);
        match block.find(|group| group.status == status && group.session == session) {
            Some(group) => group.items |= bit,
            None => self.groups.push(Group {
                first,
                items: bit,
                status,
                session,
            }),
        }
    }

    pub(super) fn send(
        &self,
        state: &mut engine::State,
        stamp: Stamp,
        to: ParticipantId,
        out: &mut Output,
    ) {
        let original = self.about;
        for group in &self.groups {
            let message = Message::ClearingStatus {
                original,
                first: group.first,
                items: group.items,
                status: group.status,
                session: group.session,
            };
            state.links.send(out, stamp, to, Letter::new(message));
        }
    }
}

/// The first index of an item's block, and its bit in it.
pub(super) fn place(index: u16) -> (u16, u64) {
    let within = usize::from(index) % BLOCK_ITEMS;
    let first = usize::from(index).saturating_sub(within);
    let bit = 1_u64.wrapping_shl(u32::try_from(within).unwrap_or(0));
    (u16::try_from(first).unwrap_or(u16::MAX), bit)
}
