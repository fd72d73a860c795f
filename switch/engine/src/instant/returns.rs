//! Returns (pacs.004): the payee's bank gives a settled payment back. A return posts at once and is final; nobody is asked.
//!
//! What was seen before gets its first answer. Then the rules follow in the order of [`Reason`], and the first that is broken is
//! the answer. A person's payment is returned once and in full, a QR payment also in parts, and never more than it was.

use torap_domain::{Money, ParticipantId, Reason, Service, TransactionId};
use torap_ledger::AccountId;

use super::{FinalOutcome, Finished, Found, Return, decision::answer_again, payment, recalls};
use crate::{
    Event, Message, Outcome, Output, References, Stamp, Status, engine,
    links::Letter,
    participants::{Participants, State as Standing, watch},
};

pub(super) fn apply(
    state: &mut engine::State,
    stamp: Stamp,
    command: &Return,
    out: &mut Output,
) -> Outcome {
    let source = &command.source;
    let participants = &state.participants;
    let sender = participants.sender(source, &command.instructing_agent);
    let (Ok(sender), Some(link)) = (sender, source.link()) else {
        let reason = Reason::UnboundSender;
        return state.links.reject(out, stamp, source, reason);
    };
    let references = answer_references(command);
    match seen_before(state, command) {
        Ok(None) => {}
        Ok(Some(first)) => {
            answer_again(state, stamp, link, &first, references.as_ref(), out);
            return Outcome::Refused(Reason::DuplicateReplay);
        }
        Err(reason) if payment::is_postponed(state, source, reason) => {
            return state.links.reject(out, stamp, source, reason);
        }
        Err(reason) => {
            out.event(Event::Refused { reason });
            answer(state, stamp, link, command, rejected(reason), out);
            return Outcome::Refused(reason);
        }
    }
    let original = original(state, command);
    let known = original.as_ref().ok().copied();
    let outcome = original
        .and_then(|original| admit(state, stamp, command, sender, original))
        .and_then(|plan| post(state, stamp, command, &plan, out));
    let status = match outcome {
        Ok(()) => Status::Settled,
        Err(reason) if payment::is_postponed(state, source, reason) => {
            return state.links.reject(out, stamp, source, reason);
        }
        Err(reason) if payment::is_transient(reason) => {
            out.event(Event::Refused { reason });
            rejected(reason)
        }
        Err(reason) => {
            let finished = finished(stamp, command, known.as_ref(), sender, Some(reason));
            remember(state, &finished, out);
            rejected(reason)
        }
    };
    answer(state, stamp, link, command, status, out);
    match outcome {
        Ok(()) => Outcome::Accepted,
        Err(reason) => Outcome::Refused(reason),
    }
}

/// The return of this key, if it came before with the same content.
fn seen_before(state: &engine::State, command: &Return) -> Result<Option<Finished>, Reason> {
    let payments = &state.instant.payments;
    let known = match payments.find_key(&command.key) {
        Some(Found::Finished(known)) => Some(known),
        // A payment under way has this key: the return is not the same.
        Some(Found::UnderWay(_)) => return Err(Reason::DuplicateMismatch),
        None => payments.beyond(&command.history)?,
    };
    match known {
        Some(first)
            if first.key != command.key
                || first.uetr != command.references.uetr
                || first.fingerprint != command.fingerprint =>
        {
            Err(Reason::DuplicateMismatch)
        }
        known => Ok(known),
    }
}

/// The payment that is returned, settled or not.
fn original(state: &engine::State, command: &Return) -> Result<Finished, Reason> {
    find_original(state, &command.references, &command.original)
}

/// A payment named by its UETR: in the window, under way ([`Reason::OriginalNotSettled`]), or known to the index.
pub(super) fn find_original(
    state: &engine::State,
    references: &References,
    beyond: &Option<super::History>,
) -> Result<Finished, Reason> {
    let instant = &state.instant;
    match instant.payments.find_uetr(&references.uetr) {
        Some(Found::Finished(finished)) => return Ok(finished),
        Some(Found::UnderWay(_)) => return Err(Reason::OriginalNotSettled),
        None => {}
    }
    let known = instant.payments.beyond(beyond)?;
    known
        .filter(|finished| finished.uetr == references.uetr)
        .ok_or(Reason::OriginalUnknown)
}

/// Settled, and nothing else, can be given back or asked back.
pub(super) fn check_settled(original: &Finished) -> Result<(), Reason> {
    match original.outcome {
        FinalOutcome::Settled => Ok(()),
        FinalOutcome::Rejected { .. } => Err(Reason::OriginalNotSettled),
        FinalOutcome::Tombstone => Err(Reason::OriginalUnknown),
    }
}

/// What a return that breaks no rule does.
struct Plan {
    original: Finished,
    /// The payee's bank, which pays.
    returner: ParticipantId,
    /// The payer's bank, which is paid.
    payer: ParticipantId,
    /// None if both settle on one position.
    accounts: Option<(AccountId, AccountId)>,
    /// What has been returned of the original afterwards.
    returned: Money,
}

/// Checks every rule but the funds, in the order of the reasons. Links are not among them: a return posts even while the
/// payer's bank is away, and waits in its stream.
fn admit(
    state: &engine::State,
    stamp: Stamp,
    command: &Return,
    sender: ParticipantId,
    original: Finished,
) -> Result<Plan, Reason> {
    let participants = &state.participants;
    let returner = participants.successor(original.creditor_agent);
    let payer = participants.successor(original.debtor_agent);
    let theirs = participants.acts_for(sender, returner);
    if theirs {
        may_return(participants, returner)?;
        may_take_back(participants, payer)?;
    }
    let amount = command.amount;
    if amount.is_zero() {
        return Err(Reason::AmountZero);
    }
    check_settled(&original)?;
    if !theirs || amount.asset() != original.amount.asset() {
        return Err(Reason::OriginalMismatch);
    }
    let in_parts = match original.service {
        Service::C2cPhone | Service::C2cAccount | Service::Me2Me => false,
        Service::Qr => true,
    };
    if !in_parts && amount < original.amount {
        return Err(Reason::ReturnNotAllowed);
    }
    let exceeds = |returned: Money| returned > original.amount;
    let returned = original.returned.checked_add(amount);
    let in_full = original.returned >= original.amount;
    if exceeds(amount) || (!in_full && returned.is_ok_and(exceeds)) {
        return Err(Reason::ReturnAmountExceeds);
    }
    if in_full {
        return Err(Reason::AlreadyReturned);
    }
    let window = state.instant.settings.return_window;
    if stamp.time >= original.decided_at.saturating_add(window) {
        return Err(Reason::ReturnWindowClosed);
    }
    let accounts = participants
        .account(returner)
        .zip(participants.account(payer))
        .ok_or(Reason::InternalLimit)?;
    Ok(Plan {
        original,
        returner,
        payer,
        accounts: (accounts.0 != accounts.1).then_some(accounts),
        returned: returned.map_err(|_| Reason::InternalLimit)?,
    })
}

/// A bank that is closing still gives back what it owes; one whose debits are blocked gives nothing.
fn may_return(participants: &Participants, id: ParticipantId) -> Result<(), Reason> {
    standings(participants, id).try_for_each(|standing| match standing {
        Standing::Certifying => Err(Reason::SenderNotActive),
        Standing::Suspended { debits: true, .. } => Err(Reason::SenderSuspended),
        Standing::Active | Standing::Suspended { .. } | Standing::Closing => Ok(()),
    })
}

/// The same for the payer's bank, with credits.
fn may_take_back(participants: &Participants, id: ParticipantId) -> Result<(), Reason> {
    standings(participants, id).try_for_each(|standing| match standing {
        Standing::Certifying => Err(Reason::ReceiverNotActive),
        Standing::Suspended { credits: true, .. } => Err(Reason::ReceiverSuspended),
        Standing::Active | Standing::Suspended { .. } | Standing::Closing => Ok(()),
    })
}

/// The standing of a participant, and of its sponsor if it has one.
fn standings(
    participants: &Participants,
    id: ParticipantId,
) -> impl Iterator<Item = Standing> + '_ {
    let settling = participants.settles_through(id);
    let both = [Some(id), (settling != id).then_some(settling)];
    both.into_iter()
        .flatten()
        .filter_map(|id| participants.get(id).map(|participant| participant.state))
}

/// Books the return, remembers it and tells the payer's bank. Missing funds are the last reason; nothing was changed if they
/// are the one.
fn post(
    state: &mut engine::State,
    stamp: Stamp,
    command: &Return,
    plan: &Plan,
    out: &mut Output,
) -> Result<(), Reason> {
    if let Some((debit, credit)) = plan.accounts {
        state
            .ledger
            .transfer(debit, credit, command.amount)
            .map_err(engine::refused_by_ledger)?;
    }
    let original = Finished {
        returned: plan.returned,
        ..plan.original
    };
    let finished = finished(stamp, command, Some(&original), plan.returner, None);
    remember(state, &finished, out);
    state.instant.payments.update(&original, stamp.position);
    out.event(Event::PaymentReturned {
        original: original.key,
        returned: original.returned,
    });
    recalls::close_by_return(state, &original);
    let forward = Message::ForwardReturn {
        original: stamp.position,
    };
    let letter = Letter::new(forward)
        .references(&command.references)
        .amount(command.amount);
    state.links.send(out, stamp, plan.payer, letter);
    watch(state, stamp, plan.returner, out);
    watch(state, stamp, plan.payer, out);
    Ok(())
}

/// The return as it is remembered: money goes from the payee's bank to the payer's. Without an original nothing is known of
/// service and payer.
fn finished(
    stamp: Stamp,
    command: &Return,
    original: Option<&Finished>,
    returner: ParticipantId,
    refusal: Option<Reason>,
) -> Finished {
    let outcome = match refusal {
        None => FinalOutcome::Settled,
        Some(reason) => FinalOutcome::Rejected {
            reason,
            agent_code: None,
        },
    };
    Finished {
        key: command.key,
        uetr: command.references.uetr,
        fingerprint: command.fingerprint,
        submitted: stamp.position,
        decided: stamp.position,
        decided_at: stamp.time,
        outcome,
        service: original.map_or(Service::C2cAccount, |original| original.service),
        amount: command.amount,
        returned: Money::zero(command.amount.asset()),
        debtor_agent: returner,
        creditor_agent: original.map_or(ParticipantId::SWITCH, |original| original.debtor_agent),
    }
}

fn remember(state: &mut engine::State, finished: &Finished, out: &mut Output) {
    state.instant.payments.remember_return(finished);
    out.event(Event::ReturnFinished(*finished));
}

/// The pacs.002 about the return of this record, to the bank that sent it.
fn answer(
    state: &mut engine::State,
    stamp: Stamp,
    link: ParticipantId,
    command: &Return,
    status: Status,
    out: &mut Output,
) {
    let message = Message::Status {
        original: stamp.position,
        status,
        decided: stamp.position,
        decided_at: stamp.time,
        repeat: false,
    };
    let references = answer_references(command);
    let mut letter = Letter::new(message).amount(command.amount);
    if let Some(references) = &references {
        letter = letter.references(references);
    }
    state.links.send(out, stamp, link, letter);
}

/// A status about a return repeats the return's identifier where one about a payment repeats the payment's.
fn answer_references(command: &Return) -> Option<References> {
    let return_id = TransactionId::parse(command.return_id.as_str()).ok()?;
    Some(References {
        transaction_id: return_id,
        ..command.references
    })
}

fn rejected(reason: Reason) -> Status {
    Status::Rejected {
        reason,
        agent_code: None,
    }
}

#[cfg(test)]
mod tests;
