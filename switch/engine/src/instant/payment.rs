//! A new payment (pacs.008): repeat or new, admitted or refused.
//!
//! What was seen before is answered before anything is checked, so that a repeat gets the first answer even if a participant or
//! a limit has changed since. Then the rules follow in the order of [`Reason`], and the first that is broken is the answer.
//! Nothing is changed before all of them hold.

use torap_domain::{Date, Iban, Money, ParticipantId, Reason, Service};
use torap_ledger::AccountId;

use super::{
    AliasFact, AliasResolution, CreditTransfer, FinalOutcome, Finished, Found, PayeeFact, asks,
    decision, in_flight::InFlight, limits::Usage,
};
use crate::{
    Event, Message, Outcome, Output, Source, Stamp, Status, directory, engine, links::Letter, mass,
    participants::watch,
};

/// From this version of the rules on a payment by phone that is refused at once costs its bank what a look-up of nobody costs: it tells
/// as much.
const RULES_GUARDED: u32 = 2;

/// From this version of the rules on what is refused for the moment is answered as a message that was not carried out (admi.002), not with a
/// final status: the copy of a message whose answer is on its way may settle, and a payment has one final status.
const RULES_POSTPONED: u32 = 3;

pub(super) fn apply(
    state: &mut engine::State,
    stamp: Stamp,
    transfer: &CreditTransfer,
    out: &mut Output,
) -> Outcome {
    let Some((sender, link)) = sender_of(state, transfer) else {
        let source = &transfer.source;
        return state
            .links
            .reject(out, stamp, source, Reason::UnboundSender);
    };
    match seen_before(state, stamp, transfer, out) {
        Ok(Seen::Never) => {}
        Ok(Seen::UnderWay) => {
            let message = status(stamp, Status::Pending, true);
            reply(state, stamp, link, transfer, message, out);
            return Outcome::Refused(Reason::DuplicateReplay);
        }
        Ok(Seen::Finished(first)) => {
            let references = Some(&transfer.references);
            decision::answer_again(state, stamp, link, &first, references, out);
            return Outcome::Refused(Reason::DuplicateReplay);
        }
        Err(reason) => return refuse(state, stamp, link, transfer, reason, out),
    }
    let guarded = state.rules >= RULES_GUARDED && transfer.alias.is_some();
    if guarded && !directory::answers(state, stamp, sender) {
        return refuse(state, stamp, link, transfer, Reason::LookupRefused, out);
    }
    let parties = Parties::of(state, transfer, sender);
    let reason = match admit(state, stamp, transfer, sender, &parties) {
        Ok(plan) => match reserve(state, stamp, transfer, link, &plan, out) {
            Ok(()) => return Outcome::Accepted,
            Err(reason) => reason,
        },
        Err(reason) => reason,
    };
    if guarded && reason != Reason::RetryLater {
        directory::charge_miss(state, stamp, sender);
    }
    if is_transient(reason) {
        return refuse(state, stamp, link, transfer, reason, out);
    }
    let finished = finished(stamp, transfer, &parties, sender, reason);
    decision::remember(state, &finished, out);
    let rejected = Status::Rejected {
        reason,
        agent_code: None,
    };
    let message = status(stamp, rejected, false);
    reply(state, stamp, link, transfer, message, out);
    Outcome::Refused(reason)
}

/// The bank that instructs, and whose stream has the answers. A line of a file, which the switch hands in while it waits, is its bank's
/// own payment; in older logs the operator handed lines in.
fn sender_of(
    state: &engine::State,
    transfer: &CreditTransfer,
) -> Option<(ParticipantId, ParticipantId)> {
    let (source, agent) = (&transfer.source, &transfer.instructing_agent);
    let participants = &state.participants;
    match source {
        Source::Link { participant, .. } => {
            let sender = participants.sender(source, agent).ok()?;
            Some((sender, *participant))
        }
        Source::Operator { .. } => participants.by_bic(agent).map(|sender| (sender, sender)),
        Source::Switch => {
            let link = mass::link_of(state, &transfer.key)?;
            participants.by_bic(agent).map(|sender| (sender, link))
        }
    }
}

/// Whether nothing became of a bank's message and it may send the same again, so that no status is told.
pub(super) fn is_postponed(state: &engine::State, source: &Source, reason: Reason) -> bool {
    state.rules >= RULES_POSTPONED && is_transient(reason) && source.link().is_some()
}

/// Reasons that may be gone in a moment: the identifier is not remembered and may be sent again.
pub(crate) fn is_transient(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::Overloaded
            | Reason::RetryLater
            | Reason::CustomerTableFull
            | Reason::InFlightFull
            | Reason::InternalLimit
            | Reason::LookupRefused
    )
}

/// What the switch knows of an identifier.
enum Seen {
    Never,
    UnderWay,
    Finished(Finished),
}

/// Key and UETR belong together, and to one content: anything that shares one of them and is not the same is a mismatch, and
/// the original stays as it is.
fn seen_before(
    state: &mut engine::State,
    stamp: Stamp,
    transfer: &CreditTransfer,
    out: &mut Output,
) -> Result<Seen, Reason> {
    let (key, uetr) = (&transfer.key, &transfer.references.uetr);
    let known = match decision::find(state, stamp, key, uetr, out) {
        Some(Found::UnderWay(slot)) => {
            let payment = state.instant.payments.get(slot);
            let same = payment.is_some_and(|payment| {
                payment.key == *key
                    && payment.uetr == *uetr
                    && payment.fingerprint == transfer.fingerprint
            });
            return if same {
                Ok(Seen::UnderWay)
            } else {
                Err(Reason::DuplicateMismatch)
            };
        }
        Some(Found::Finished(finished)) => Some(finished),
        None => state.instant.payments.beyond(&transfer.history)?,
    };
    #[cfg(feature = "mutants")]
    if crate::mutants::is_on(&crate::mutants::LINE_TWICE) && transfer.source.link().is_none() {
        return Ok(Seen::Never);
    }
    let Some(first) = known else {
        return Ok(Seen::Never);
    };
    if first.key != *key || first.uetr != *uetr {
        return Err(Reason::DuplicateMismatch);
    }
    if first.outcome == FinalOutcome::Tombstone {
        return Err(Reason::Tombstoned);
    }
    if first.fingerprint != transfer.fingerprint {
        return Err(Reason::DuplicateMismatch);
    }
    Ok(Seen::Finished(first))
}

/// The banks of a payment, as far as its codes lead to any.
struct Parties {
    debtor: Option<ParticipantId>,
    creditor: Option<ParticipantId>,
}

/// Everything that a payment which breaks no rule needs to be reserved.
struct Plan {
    debtor: ParticipantId,
    creditor: ParticipantId,
    /// None if both sides settle on one position.
    hold: Option<(AccountId, AccountId)>,
    usage: Usage,
}

impl Parties {
    fn of(state: &engine::State, transfer: &CreditTransfer, sender: ParticipantId) -> Parties {
        let participants = &state.participants;
        let debtor = if transfer.debtor_agent == transfer.instructing_agent {
            Some(sender)
        } else {
            participants.by_bic(&transfer.debtor_agent)
        };
        let agent = match resolution(transfer) {
            None => Some(&transfer.creditor_agent),
            Some(AliasResolution::Found { agent, .. }) => Some(agent),
            Some(AliasResolution::Unknown | AliasResolution::Suspended) => None,
        };
        Parties {
            debtor,
            creditor: agent.and_then(|agent| participants.by_bic(agent)),
        }
    }
}

/// What the directory knew of a payment by phone.
fn resolution(transfer: &CreditTransfer) -> Option<&AliasResolution> {
    transfer.alias.as_ref().map(|fact| &fact.resolution)
}

/// The payee's account, stated or resolved.
fn creditor_account(transfer: &CreditTransfer) -> Option<&Iban> {
    match resolution(transfer) {
        Some(AliasResolution::Found { iban, .. }) => Some(iban),
        Some(AliasResolution::Unknown | AliasResolution::Suspended) => None,
        None => transfer.creditor_account.as_ref(),
    }
}

/// Checks every rule, in the order of the reasons.
fn admit(
    state: &mut engine::State,
    stamp: Stamp,
    transfer: &CreditTransfer,
    sender: ParticipantId,
    parties: &Parties,
) -> Result<Plan, Reason> {
    check_alias_is_current(state, transfer)?;
    let resolvable = matches!(
        resolution(transfer),
        None | Some(AliasResolution::Found { .. })
    );
    let debtor = parties.debtor.ok_or(Reason::UnknownParticipant)?;
    if resolvable && parties.creditor.is_none() {
        return Err(Reason::UnknownParticipant);
    }
    let participants = &state.participants;
    if !participants.acts_for(sender, debtor) {
        return Err(Reason::NotTechnicalSender);
    }
    participants.may_debit(debtor)?;
    if let Some(creditor) = parties.creditor {
        participants.may_credit(creditor)?;
        if creditor == debtor && !state.instant.settings.same_participant_allowed {
            return Err(Reason::SameParticipant);
        }
    }
    check_times(state, stamp, transfer)?;
    let offered = participants.offers(debtor, transfer.service);
    let taken = parties
        .creditor
        .is_none_or(|creditor| participants.offers(creditor, transfer.service));
    if !offered || !taken {
        return Err(Reason::ServiceNotAllowed);
    }
    check_alias(transfer)?;
    let creditor = parties.creditor.ok_or(Reason::UnknownParticipant)?;
    check_payee(state, transfer, creditor)?;
    let usage = check_amount(state, stamp, transfer, debtor)?;
    check_code(state, stamp, transfer, creditor)?;
    if !state.links.is_up(creditor) {
        return Err(Reason::ReceiverOffline);
    }
    if state.instant.payments.under_way() >= state.bounds.in_flight_max as usize {
        return Err(Reason::InFlightFull);
    }
    let accounts = state
        .participants
        .account(debtor)
        .zip(state.participants.account(creditor))
        .ok_or(Reason::InternalLimit)?;
    Ok(Plan {
        debtor,
        creditor,
        hold: (accounts.0 != accounts.1).then_some(accounts),
        usage,
    })
}

/// A fact that the directory has overtaken proves nothing, not even that the alias is unknown.
fn check_alias_is_current(state: &engine::State, transfer: &CreditTransfer) -> Result<(), Reason> {
    match &transfer.alias {
        Some(AliasFact { alias, as_of, .. }) if !state.directory.is_current(*alias, *as_of) => {
            Err(Reason::RetryLater)
        }
        _ => Ok(()),
    }
}

/// The payment's clock starts at its acceptance time.
fn check_times(
    state: &engine::State,
    stamp: Stamp,
    transfer: &CreditTransfer,
) -> Result<(), Reason> {
    let settings = &state.instant.settings;
    if stamp.time >= transfer.accepted.saturating_add(settings.payment_within) {
        return Err(Reason::AcceptanceTooOld);
    }
    if transfer.accepted > stamp.time.saturating_add(settings.clock_skew_max) {
        return Err(Reason::AcceptanceInFuture);
    }
    Ok(())
}

fn check_alias(transfer: &CreditTransfer) -> Result<(), Reason> {
    let Some(fact) = &transfer.alias else {
        // By phone there is always a fact: that nothing is known is one, too.
        return match transfer.service {
            Service::C2cPhone => Err(Reason::AliasUnknown),
            Service::C2cAccount | Service::Me2Me | Service::Qr => Ok(()),
        };
    };
    match fact.resolution {
        AliasResolution::Unknown => Err(Reason::AliasUnknown),
        AliasResolution::Suspended => Err(Reason::AliasSuspended),
        AliasResolution::Found { .. } => match fact.expected {
            Some(expected) if expected != fact.changed_at => Err(Reason::AliasChanged),
            _ => Ok(()),
        },
    }
}

/// The payee's account is at the payee's bank and, for a payment to oneself, one's own.
fn check_payee(
    state: &engine::State,
    transfer: &CreditTransfer,
    creditor: ParticipantId,
) -> Result<(), Reason> {
    if transfer.service == Service::Me2Me {
        let payee = match resolution(transfer) {
            Some(AliasResolution::Found { person, .. }) => Some(*person),
            _ => transfer.creditor,
        };
        let known_otherwise = transfer.payee == Some(PayeeFact::Mismatch);
        if payee != Some(transfer.debtor) || known_otherwise {
            return Err(Reason::OwnAccountsMismatch);
        }
    }
    if transfer.alias.is_some() {
        // The directory took the account from the bank that keeps it.
        return Ok(());
    }
    let account = transfer.creditor_account.as_ref();
    let code = account.and_then(Iban::bank_code);
    let keeper = code.and_then(|code| state.participants.by_bank_code(code));
    if keeper == Some(creditor) {
        Ok(())
    } else {
        Err(Reason::AccountBankMismatch)
    }
}

fn check_amount(
    state: &mut engine::State,
    stamp: Stamp,
    transfer: &CreditTransfer,
    debtor: ParticipantId,
) -> Result<Usage, Reason> {
    if transfer.amount.is_zero() {
        return Err(Reason::AmountZero);
    }
    state.instant.limits.check(
        Date::from_time(stamp.time),
        debtor,
        transfer.debtor,
        transfer.service,
        transfer.amount,
        state.bounds.customers_per_day_max,
    )
}

fn check_code(
    state: &engine::State,
    stamp: Stamp,
    transfer: &CreditTransfer,
    creditor: ParticipantId,
) -> Result<(), Reason> {
    match (&transfer.qr, transfer.service) {
        (None, Service::Qr) => Err(Reason::QrUnknown),
        (None, _) => Ok(()),
        (Some(fact), _) => {
            let account = creditor_account(transfer).ok_or(Reason::QrMerchantMismatch)?;
            let amount = transfer.amount;
            state.qr.admit(fact, creditor, account, amount, stamp.time)
        }
    }
}

/// Holds the money and asks the payee's bank. Missing funds are the last reason; nothing was changed if they are the one.
fn reserve(
    state: &mut engine::State,
    stamp: Stamp,
    transfer: &CreditTransfer,
    link: ParticipantId,
    plan: &Plan,
    out: &mut Output,
) -> Result<(), Reason> {
    if let Some((debit, credit)) = plan.hold {
        state
            .ledger
            .reserve(debit, credit, transfer.amount)
            .map_err(engine::refused_by_ledger)?;
    }
    state.instant.limits.charge(&plan.usage);
    let code = transfer.qr.filter(|code| code.dynamic).map(|code| code.id);
    if let Some(code) = &code {
        state.qr.hold(plan.creditor, code);
    }
    let settings = &state.instant.settings;
    let payment_deadline = transfer.accepted.saturating_add(settings.payment_within);
    let ask = asks::first(transfer);
    let payment = InFlight {
        key: transfer.key,
        uetr: transfer.references.uetr,
        fingerprint: transfer.fingerprint,
        submitted: stamp.position,
        service: transfer.service,
        amount: transfer.amount,
        debtor_agent: plan.debtor,
        creditor_agent: plan.creditor,
        reply_to: link,
        hold: plan.hold,
        ask,
        deadline: ask.deadline(settings, stamp.time, payment_deadline),
        asked: stamp.position,
        payment_deadline,
        usage: plan.usage,
        qr: code,
        resolved: match resolution(transfer) {
            Some(AliasResolution::Found { agent, iban, .. }) => Some((*agent, *iban)),
            _ => None,
        },
        references: transfer.references,
    };
    out.event(Event::PaymentReserved {
        key: payment.key,
        debtor_agent: payment.debtor_agent,
        creditor_agent: payment.creditor_agent,
        amount: payment.amount,
    });
    send_ask(state, stamp, &payment, out);
    state.instant.payments.admit(&payment);
    watch(state, stamp, plan.debtor, out);
    Ok(())
}

/// Sends the payee's bank what the payment now waits for.
pub(super) fn send_ask(
    state: &mut engine::State,
    stamp: Stamp,
    payment: &InFlight,
    out: &mut Output,
) {
    let letter = Letter::new(payment.ask.message(payment.submitted))
        .expires(payment.deadline)
        .references(&payment.references)
        .amount(payment.amount)
        .resolved(payment.resolved.as_ref());
    state.links.send(out, stamp, payment.creditor_agent, letter);
}

fn finished(
    stamp: Stamp,
    transfer: &CreditTransfer,
    parties: &Parties,
    sender: ParticipantId,
    reason: Reason,
) -> Finished {
    Finished {
        key: transfer.key,
        uetr: transfer.references.uetr,
        fingerprint: transfer.fingerprint,
        submitted: stamp.position,
        decided: stamp.position,
        decided_at: stamp.time,
        outcome: FinalOutcome::Rejected {
            reason,
            agent_code: None,
        },
        service: transfer.service,
        amount: transfer.amount,
        returned: Money::zero(transfer.amount.asset()),
        debtor_agent: parties.debtor.unwrap_or(sender),
        creditor_agent: parties.creditor.unwrap_or(ParticipantId::SWITCH),
    }
}

/// Refuses without remembering the identifier.
fn refuse(
    state: &mut engine::State,
    stamp: Stamp,
    link: ParticipantId,
    transfer: &CreditTransfer,
    reason: Reason,
    out: &mut Output,
) -> Outcome {
    if mass::tries_again(state, transfer, reason) {
        out.event(Event::Refused { reason });
        return Outcome::Refused(reason);
    }
    if is_postponed(state, &transfer.source, reason) {
        return state.links.reject(out, stamp, &transfer.source, reason);
    }
    out.event(Event::Refused { reason });
    let rejected = Status::Rejected {
        reason,
        agent_code: None,
    };
    let message = status(stamp, rejected, false);
    reply(state, stamp, link, transfer, message, out);
    Outcome::Refused(reason)
}

fn reply(
    state: &mut engine::State,
    stamp: Stamp,
    link: ParticipantId,
    transfer: &CreditTransfer,
    message: Message,
    out: &mut Output,
) {
    let letter = Letter::new(message)
        .references(&transfer.references)
        .amount(transfer.amount);
    state.links.send(out, stamp, link, letter);
}

/// An answer to the message of this record.
fn status(stamp: Stamp, status: Status, repeat: bool) -> Message {
    Message::Status {
        original: stamp.position,
        status,
        decided: stamp.position,
        decided_at: stamp.time,
        repeat,
    }
}

#[cfg(test)]
mod tests;
