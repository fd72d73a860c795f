//! The banks' own door to IMTS: what a bank instructs by pacs.009, pacs.008, camt.056, pacs.004 and camt.050.
//!
//! Each becomes what the operator's command does, after it is known in whose name the link speaks; the rules are those of
//! payments. What comes of it is told by [`told`](super::told), to the bank that sent it and, once settled, to the payee.

use torap_domain::{
    Bic, CancellationId, Date, Iban, MessageId, Money, ParticipantId, Position, Reason, ReturnId,
    Span, Time,
};

use super::{
    Change, Parties, Payment, Priority, RULES_PARTIES, direct, has_free, in_tenge, liquidity,
    payments,
    repeats::{self, Order, RULES_REPEATS},
    told::{Entrant, Known, Told, end_to_end, heir},
    transfer,
};
use crate::{
    Event as Any, Message, Outcome, Output, Receipt, References, Source, Stamp, Status, Withdrawal,
    engine,
    links::Letter,
    participants::{Direction, RULES_TAKE_OVER},
};

/// From this version of the rules on a bank withdraws what it has given itself; before, whatever its account pays.
const RULES_OWN_WITHDRAWAL: u32 = 2;
/// From this version of the rules on a bank's own transfer leaves what it owes a card session that is due, as the operator's does.
const RULES_OWED_IS_KEPT: u32 = 2;

/// Liquidity transfers that wait for the next business day, at most.
pub const LIQUIDITY_WAITING_MAX: usize = 4096;

/// A payment by pacs.009 or pacs.008.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    pub source: Source,
    pub references: References,
    /// Whose account is debited: its own, or its sponsor's.
    pub instructing_agent: Bic,
    /// The participant that gets it, where the message names one.
    pub instructed_agent: Option<Bic>,
    pub debtor_agent: Bic,
    pub creditor_agent: Bic,
    /// The payee's account, of a customer payment.
    pub creditor_account: Option<Iban>,
    pub amount: Money,
    pub priority: Priority,
    /// The business day that the bank means.
    pub date: Option<Date>,
    /// Since midnight of the business day, UTC+5.
    pub earliest: Option<Span>,
    pub latest: Option<Span>,
}

/// A camt.056: a payment that waits is to be withdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancellation {
    pub source: Source,
    /// Those of the payment, but for the identifier of the message.
    pub references: References,
    pub cancellation_id: CancellationId,
    pub instructing_agent: Bic,
}

/// A pacs.004: a settled payment is given back, in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Return {
    pub source: Source,
    /// Those of the payment, but for the identifier of the message.
    pub references: References,
    pub return_id: ReturnId,
    pub instructing_agent: Bic,
    pub amount: Money,
}

/// A camt.050: between the settlement account and the instant position; `In` credits the position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Liquidity {
    pub source: Source,
    pub message_id: MessageId,
    /// Whose accounts.
    pub agent: Bic,
    pub direction: Direction,
    pub amount: Money,
}

/// A liquidity transfer that waits for the next business day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Waits {
    pub(crate) id: Position,
    /// Who is told.
    pub(crate) to: ParticipantId,
    pub(crate) participant: ParticipantId,
    pub(crate) direction: Direction,
    pub(crate) amount: Money,
}

pub(super) fn instruct(
    state: &mut engine::State,
    stamp: Stamp,
    instruction: &Instruction,
    out: &mut Output,
) -> Outcome {
    let agent = &instruction.instructing_agent;
    let (link, sender) = match sender(state, &instruction.source, agent) {
        Ok(found) => found,
        Err(reason) => return state.links.reject(out, stamp, &instruction.source, reason),
    };
    if let Some(outcome) = answer_again(state, stamp, (link, sender), instruction) {
        return outcome;
    }
    let taken = payment_of(state, sender, instruction).and_then(|(payment, parties)| {
        let entrant = Entrant {
            answer_to: link,
            uetr: Some(instruction.references.uetr),
            gives_back: None,
            end_to_end: of_references(&instruction.references),
            parties,
        };
        payments::pay(state, stamp, &payment, entrant, out)
    });
    answer(state, stamp, link, taken, out)
}

/// The same payment once more: the answer that it has by now, whatever has become of its banks or of the day since.
fn answer_again(
    state: &mut engine::State,
    stamp: Stamp,
    (link, sender): (ParticipantId, ParticipantId),
    instruction: &Instruction,
) -> Option<Outcome> {
    if state.rules < RULES_REPEATS {
        return None;
    }
    let creditor = state.participants.by_bic(&instruction.creditor_agent)?;
    let payment = Payment {
        from: state.participants.settles_through(sender),
        to: state.participants.settles_through(creditor),
        amount: instruction.amount,
        priority: instruction.priority,
        reference: torap_domain::Text::truncated(instruction.references.transaction_id.as_str()),
        earliest: None,
        latest: None,
    };
    let references = &instruction.references;
    let settlement = &state.settlement;
    let (_, known) = settlement.told.by_uetr(&references.uetr)?;
    if !gave(state, (link, sender), known) {
        return None;
    }
    let (decided, decided_at, status) = settlement.again(stamp, &payment, references)?;
    let message = Message::ImtsStatus {
        original: stamp.position,
        status,
        decided,
        decided_at,
    };
    // Behind what the payment was told before.
    let letter = Told { to: link, message };
    state.settlement.told.push(stamp, letter);
    Some(Outcome::Refused(Reason::DuplicateReplay))
}

fn of_references(references: &References) -> u64 {
    let id = references.end_to_end_id.as_ref();
    id.map_or(0, |id| end_to_end(id.as_str()))
}

/// The link, and in whose name it speaks.
pub(super) fn sender(
    state: &engine::State,
    source: &Source,
    agent: &Bic,
) -> Result<(ParticipantId, ParticipantId), Reason> {
    let sender = state.participants.sender(source, agent)?;
    Ok((source.link().ok_or(Reason::UnboundSender)?, sender))
}

/// A payment that is refused is told at once; one that is taken is told by what becomes of it.
fn answer(
    state: &mut engine::State,
    stamp: Stamp,
    link: ParticipantId,
    taken: Result<(), Reason>,
    out: &mut Output,
) -> Outcome {
    let Err(reason) = taken else {
        return Outcome::Accepted;
    };
    let agent_code = None;
    let message = Message::ImtsStatus {
        original: stamp.position,
        status: Status::Rejected { reason, agent_code },
        decided: stamp.position,
        decided_at: stamp.time,
    };
    state.links.send(out, stamp, link, Letter::new(message));
    out.event(Any::Refused { reason });
    Outcome::Refused(reason)
}

/// The payment between settlement accounts that an instruction asks for, and its banks.
fn payment_of(
    state: &engine::State,
    sender: ParticipantId,
    instruction: &Instruction,
) -> Result<(Payment, Parties), Reason> {
    let open = state.settlement.running()?;
    let participants = &state.participants;
    let bank = |bic: &Bic| participants.by_bic(bic).ok_or(Reason::UnknownParticipant);
    let debtor = bank(&instruction.debtor_agent)?;
    let creditor = bank(&instruction.creditor_agent)?;
    let from = participants.settles_through(sender);
    let to = participants.settles_through(creditor);
    participants.may_debit(debtor)?;
    if state.rules >= RULES_PARTIES {
        participants.may_debit(sender)?;
    }
    participants.may_credit(creditor)?;
    let instructed = instruction
        .instructed_agent
        .as_ref()
        .map(bank)
        .transpose()?;
    let other = instructed.is_some_and(|instructed| participants.settles_through(instructed) != to);
    let account = instruction
        .creditor_account
        .and_then(|iban| iban.bank_code());
    let holder = account.map(|code| participants.by_bank_code(code));
    let elsewhere = holder.is_some_and(|holder| holder != Some(creditor));
    if participants.settles_through(debtor) != from || other || elsewhere {
        return Err(Reason::AccountBankMismatch);
    }
    if instruction.date.is_some_and(|date| date != open.date) {
        return Err(Reason::ValueDateNotAllowed);
    }
    let on_the_day = |span: Span| open.date.start().map(|start| start.saturating_add(span));
    let payment = Payment {
        from,
        to,
        amount: instruction.amount,
        priority: instruction.priority,
        reference: torap_domain::Text::truncated(instruction.references.transaction_id.as_str()),
        earliest: instruction.earliest.and_then(on_the_day),
        latest: instruction.latest.and_then(on_the_day),
    };
    let parties = Parties {
        sender,
        debtor,
        creditor,
    };
    Ok((payment, parties))
}

/// Whether a bank has given a payment itself, or one that it has taken over: one account pays for a sponsor and for the banks that it
/// sponsors, and each changes and withdraws its own.
pub(super) fn gave(
    state: &engine::State,
    (link, sender): (ParticipantId, ParticipantId),
    known: &Known,
) -> bool {
    let participants = &state.participants;
    let by = known.answer_to;
    let is_of = |bank: ParticipantId| {
        let from = participants.settles_through(bank);
        let acts = || from == bank && participants.acts_for(by, bank);
        known.from == from && (by == link || by == sender || acts())
    };
    let takes_over = state.rules >= RULES_TAKE_OVER;
    is_of(sender) || (takes_over && participants.taken_over_by(sender).any(is_of))
}

/// Withdraws a payment that waits; answered in every case.
pub(super) fn cancel(
    state: &mut engine::State,
    stamp: Stamp,
    cancellation: &Cancellation,
    out: &mut Output,
) -> Outcome {
    let agent = &cancellation.instructing_agent;
    let (link, sender) = match sender(state, &cancellation.source, agent) {
        Ok(found) => found,
        Err(reason) => return state.links.reject(out, stamp, &cancellation.source, reason),
    };
    let from = state.participants.settles_through(sender);
    let references = &cancellation.references;
    let known = state.settlement.told.by_uetr(&references.uetr);
    let of_account = state.rules < RULES_OWN_WITHDRAWAL;
    let own = known.filter(|(_, known)| {
        let is_own = gave(state, (link, sender), known) || (of_account && known.from == from);
        is_own && known.is_named(references)
    });
    let withdrawal = match own {
        None => Withdrawal::Unknown,
        Some((_, known)) if known.settled => Withdrawal::Settled,
        #[cfg(feature = "mutants")]
        Some((id, _))
            if crate::mutants::is_on(&crate::mutants::FORGET_WITHDRAWAL)
                && state.settlement.queue.get(id).is_some() =>
        {
            Withdrawal::Done
        }
        Some((id, _)) => match payments::change(state, stamp, id, Change::Withdraw, out) {
            Ok(()) => Withdrawal::Done,
            Err(_) => Withdrawal::Ended,
        },
    };
    let original = stamp.position;
    let message = Message::WithdrawalAnswer {
        original,
        withdrawal,
    };
    // Behind what the payment itself is told.
    state
        .settlement
        .told
        .push(stamp, Told { to: link, message });
    if withdrawal == Withdrawal::Done {
        return Outcome::Accepted;
    }
    let reason = Reason::QueuedPaymentUnknown;
    out.event(Any::Refused { reason });
    Outcome::Refused(reason)
}

pub(super) fn give_back(
    state: &mut engine::State,
    stamp: Stamp,
    back: &Return,
    out: &mut Output,
) -> Outcome {
    let (link, sender) = match sender(state, &back.source, &back.instructing_agent) {
        Ok(found) => found,
        Err(reason) => return state.links.reject(out, stamp, &back.source, reason),
    };
    let taken = returned(state, stamp, sender, back).and_then(|(original, payment)| {
        let entrant = Entrant {
            answer_to: link,
            uetr: None,
            gives_back: Some(original),
            end_to_end: of_references(&back.references),
            parties: back_from(sender, &payment),
        };
        payments::pay(state, stamp, &payment, entrant, out)
    });
    answer(state, stamp, link, taken, out)
}

/// The payment that gives another one back, and the record of that one.
fn returned(
    state: &engine::State,
    stamp: Stamp,
    sender: ParticipantId,
    back: &Return,
) -> Result<(Position, Payment), Reason> {
    state.settlement.is_open()?;
    let known = state.settlement.told.by_uetr(&back.references.uetr);
    let (original, known) = known.ok_or(Reason::OriginalUnknown)?;
    let payment = Payment {
        from: state.participants.settles_through(sender),
        to: heir_account(state, known.from),
        amount: back.amount,
        priority: Priority::Normal,
        reference: torap_domain::Text::truncated(back.return_id.as_str()),
        earliest: None,
        latest: None,
    };
    // A return that was taken before is a repetition, whatever has become of the payment since.
    let names = state.names(back_from(sender, &payment), &payment);
    payments::check(state, stamp, &payment, names)?;
    if state.rules >= RULES_PARTIES {
        state.participants.may_debit(sender)?;
    }
    let payee = heir_account(state, known.to);
    may_return((known, payee), &payment, &back.references)?;
    Ok((original, payment))
}

/// The banks of a return: it goes to the account that has paid.
fn back_from(sender: ParticipantId, payment: &Payment) -> Parties {
    Parties {
        sender,
        debtor: sender,
        creditor: payment.to,
    }
}

/// On whose account the affairs of a bank settle that settled itself: its own, or after a merger that of the bank that took it over.
fn heir_account(state: &engine::State, bank: ParticipantId) -> ParticipantId {
    let heir = heir(state, bank);
    if heir == bank {
        return bank;
    }
    state.participants.settles_through(heir)
}

/// `payee`: whose account stands for the payment's payee today.
fn may_return(
    (known, payee): (&Known, ParticipantId),
    payment: &Payment,
    references: &References,
) -> Result<(), Reason> {
    if !known.settled {
        return Err(Reason::OriginalNotSettled);
    }
    if payee != payment.from || !known.is_named(references) {
        return Err(Reason::OriginalMismatch);
    }
    if payment.amount.minor() < known.amount.minor() {
        return Err(Reason::ReturnNotAllowed);
    }
    if payment.amount != known.amount {
        return Err(Reason::ReturnAmountExceeds);
    }
    if known.given_back {
        return Err(Reason::AlreadyReturned);
    }
    Ok(())
}

/// Moves a bank's own money between its accounts, now or, if the rules say so, when IMTS opens.
pub(super) fn move_liquidity(
    state: &mut engine::State,
    stamp: Stamp,
    order: &Liquidity,
    out: &mut Output,
) -> Outcome {
    let (link, sender) = match sender(state, &order.source, &order.agent) {
        Ok(found) => found,
        Err(reason) => return state.links.reject(out, stamp, &order.source, reason),
    };
    let waits = Waits {
        id: stamp.position,
        to: link,
        participant: sender,
        direction: order.direction,
        amount: order.amount,
    };
    let receipt = match known_order(state, sender, order) {
        Some(receipt) => receipt,
        None => first_time(state, stamp, order, &waits, out),
    };
    let message = Message::ImtsReceipt {
        original: stamp.position,
        receipt,
    };
    state.links.send(out, stamp, link, Letter::new(message));
    match receipt {
        // The last is said of payments only.
        Receipt::Done | Receipt::Waits { .. } | Receipt::Unchanged { .. } => Outcome::Accepted,
        Receipt::Refused { reason } => {
            out.event(Any::Refused { reason });
            Outcome::Refused(reason)
        }
    }
}

/// What a transfer with this MsgId is answered, if there was one before.
fn known_order(state: &engine::State, sender: ParticipantId, order: &Liquidity) -> Option<Receipt> {
    if state.rules < RULES_REPEATS {
        return None;
    }
    let settlement = &state.settlement;
    let key = repeats::key(sender, order);
    let refused = |reason| Receipt::Refused { reason };
    let Some(known) = settlement.orders.get(&key) else {
        let full = settlement.orders.len() >= repeats::ORDERS_MAX;
        return full.then_some(refused(Reason::InternalLimit));
    };
    let opens = settlement.opens.map(|(time, _)| time);
    Some(match opens {
        _ if !known.is(order) => refused(Reason::DuplicateMismatch),
        _ if known.waits.is_none() => Receipt::Done,
        Some(opens) => Receipt::Waits { opens },
        // It waits, and nothing says for when.
        None => refused(Reason::DuplicateReplay),
    })
}

/// Moves the money, or keeps the order for the opening.
fn first_time(
    state: &mut engine::State,
    stamp: Stamp,
    order: &Liquidity,
    waits: &Waits,
    out: &mut Output,
) -> Receipt {
    let receipt = match state.settlement.is_open() {
        Ok(()) => moved(state, stamp, waits, out),
        Err(_) => later(state, waits),
    };
    let id = match receipt {
        Receipt::Done => None,
        Receipt::Waits { .. } => Some(waits.id),
        _ => return receipt,
    };
    if state.rules >= RULES_REPEATS {
        let key = repeats::key(waits.participant, order);
        let order = Order::of(order, id);
        state.settlement.orders.insert(key, order);
    }
    receipt
}

fn moved(state: &mut engine::State, stamp: Stamp, order: &Waits, out: &mut Output) -> Receipt {
    let done = direct(state, order.participant).and_then(|participant| {
        in_tenge(order.amount)?;
        if order.direction == Direction::In && state.rules >= RULES_OWED_IS_KEPT {
            has_free(state, participant, order.amount)?;
        }
        transfer(
            state,
            stamp,
            participant,
            order.direction,
            order.amount,
            out,
        )?;
        if order.direction == Direction::Out {
            liquidity::credited(state, stamp, participant, out);
        }
        Ok(())
    });
    match done {
        Ok(()) => Receipt::Done,
        Err(reason) => Receipt::Refused { reason },
    }
}

/// Outside a business day: kept for the next one, if it has a time and the rules keep transfers.
fn later(state: &mut engine::State, order: &Waits) -> Receipt {
    let reason = match direct(state, order.participant) {
        Err(reason) => reason,
        Ok(_) if order.amount.is_zero() => Reason::AmountZero,
        Ok(_) => Reason::ImtsClosed,
    };
    let settlement = &mut state.settlement;
    let opens: Option<Time> = settlement.opens.map(|(time, _)| time);
    match opens {
        Some(opens) if reason == Reason::ImtsClosed && settlement.told.keeps_liquidity => {
            if settlement.told.liquidity.len() >= LIQUIDITY_WAITING_MAX {
                let reason = Reason::InternalLimit;
                return Receipt::Refused { reason };
            }
            settlement.told.liquidity.push_back(*order);
            Receipt::Waits { opens }
        }
        _ => Receipt::Refused { reason },
    }
}

/// A business day has begun: the transfers that waited for it are done, in the order in which they came.
pub(super) fn move_waiting(state: &mut engine::State, stamp: Stamp, out: &mut Output) {
    let remembered = state.settlement.waiting_orders();
    while let Some(order) = state.settlement.told.liquidity.pop_front() {
        let receipt = moved(state, stamp, &order, out);
        if let Some(key) = remembered.get(&order.id) {
            let done = receipt == Receipt::Done;
            state.settlement.order_ended(key, done);
        }
        let letter = Told {
            to: order.to,
            message: Message::ImtsReceipt {
                original: order.id,
                receipt,
            },
        };
        state.settlement.told.push(stamp, letter);
    }
}

#[cfg(test)]
mod tests;
