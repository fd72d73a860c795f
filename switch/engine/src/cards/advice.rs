//! Advices of acquirers (0120, 0220): what was approved offline, and completions of authorisations. Answered at once; the issuer
//! hears of them from its queue.

use torap_domain::{CardReason, Date, ParticipantId, Time, card::Direction};

use super::{
    Advice, AdvisedBy, BinRange, Class, Decider, Event, Finished, Letter, Message, authorisations,
    fees::Charged,
    postings::{self, Movement},
    queue,
    request::{self, Seen},
    rules,
    window::{Decided, Entry, What, approved, declined},
};
use crate::{Outcome, Output, Stamp, engine, participants};

pub(super) fn apply(
    state: &mut engine::State,
    stamp: Stamp,
    advice: &Advice,
    out: &mut Output,
) -> Outcome {
    let transaction = &advice.transaction;
    let (acquirer, transmitted) = match sender(state, stamp, advice) {
        Ok(prepared) => prepared,
        Err(reason) => return reply(state, stamp, advice, Some(reason), None, out),
    };
    match request::seen_before(
        state,
        stamp,
        &transaction.key,
        &transaction.fingerprint,
        out,
    ) {
        Seen::Never => {}
        Seen::Decided(decided) if decided.advice => {
            let refusal = match decided.decision {
                super::Decision::Approved { .. } => None,
                super::Decision::Declined { reason, .. } => Some(reason),
            };
            // Where it counted, which may have been before a cut-over.
            let session = Some(decided.session);
            return reply(state, stamp, advice, refusal, session, out);
        }
        Seen::Blocked => return reply(state, stamp, advice, Some(CardReason::Blocked), None, out),
        Seen::UnderWay(_) | Seen::Decided(_) | Seen::Reversal(..) | Seen::Other => {
            let reason = CardReason::DuplicateMismatch;
            return reply(state, stamp, advice, Some(reason), None, out);
        }
    }
    let sender = advice.origin.participant;
    if state
        .cards
        .transactions
        .may_have_dropped(sender, transmitted)
    {
        return reply(
            state,
            stamp,
            advice,
            Some(CardReason::BeyondMemory),
            None,
            out,
        );
    }
    match admit(state, stamp, advice, acquirer) {
        Ok(range) => {
            take(state, stamp, advice, (acquirer, transmitted), &range, out);
            reply(state, stamp, advice, None, None, out)
        }
        Err(reason) => {
            if !rules::is_transient(reason) {
                remember_refusal(state, stamp, advice, (acquirer, transmitted), reason, out);
            }
            reply(state, stamp, advice, Some(reason), None, out)
        }
    }
}

/// A member that is signed off, suspended or closing may still tell what has happened.
fn sender(
    state: &engine::State,
    stamp: Stamp,
    advice: &Advice,
) -> Result<(ParticipantId, Time), CardReason> {
    let transaction = &advice.transaction;
    let members = &state.cards.members;
    members.sender(&advice.origin, transaction.mac)?;
    let acquirer = members.acquirer(&advice.origin, transaction.references.acquirer)?;
    rules::check_role(state, acquirer)?;
    let stated = transaction.references.trace.transmitted;
    let transmitted = rules::transmitted(state, stamp, stated)?;
    Ok((acquirer, transmitted))
}

fn admit(
    state: &engine::State,
    stamp: Stamp,
    advice: &Advice,
    acquirer: ParticipantId,
) -> Result<BinRange, CardReason> {
    let transaction = &advice.transaction;
    let completes_money = advice.completes.is_none() || transaction.class == Class::Financial;
    if transaction.service.direction() == Direction::None || !completes_money {
        return Err(CardReason::FunctionNotSupported);
    }
    check_standing(state, acquirer, CardReason::SenderNotActive)?;
    let range = *rules::range(state, stamp, transaction)?;
    check_standing(state, range.issuer, CardReason::IssuerNotActive)?;
    let issuer = state.cards.members.get(range.issuer);
    if !issuer.is_some_and(|member| member.profile.roles.issuer) {
        return Err(CardReason::IssuerNotActive);
    }
    rules::check_pair(state, acquirer, range.issuer, transaction.service)?;
    rules::check_amount(transaction)?;
    let authorisations = &state.cards.authorisations;
    let most = state.cards.settings.bounds.authorisations_max as usize;
    if transaction.class == Class::Authorisation && authorisations.len() >= most {
        return Err(CardReason::AuthorisationsFull);
    }
    rules::check_queue(state, range.issuer)?;
    if let Some(original) = &advice.completes {
        let amount = transaction.amount.minor();
        authorisations.may_complete(&original.key, transaction.card.hash, amount)?;
    }
    Ok(range)
}

pub(super) fn check_standing(
    state: &engine::State,
    id: ParticipantId,
    otherwise: CardReason,
) -> Result<(), CardReason> {
    match state
        .participants
        .get(id)
        .map(|participant| participant.state)
    {
        None | Some(participants::State::Certifying) => Err(otherwise),
        Some(
            participants::State::Active
            | participants::State::Suspended { .. }
            | participants::State::Closing,
        ) => Ok(()),
    }
}

/// Books it, and puts it into the issuer's queue.
fn take(
    state: &mut engine::State,
    stamp: Stamp,
    advice: &Advice,
    (acquirer, transmitted): (ParticipantId, Time),
    range: &BinRange,
    out: &mut Output,
) {
    let transaction = &advice.transaction;
    let session = state.cards.sessions.current(stamp.time);
    let amount = transaction.amount.minor();
    let completed = advice
        .completes
        .and_then(|original| state.cards.authorisations.get(&original.key));
    let letter = Letter::Advice {
        original: stamp.position,
        class: transaction.class,
        about: completed.and_then(|authorisation| authorisation.asked),
        amount: transaction.amount,
        approval: advice.approval,
        by: match advice.completes {
            Some(_) => AdvisedBy::Completion,
            None => AdvisedBy::Offline,
        },
        session,
    };
    let asked = queue::push(state, stamp, range.issuer, letter, out);
    let financial = transaction.class == Class::Financial;
    let tariff = financial
        .then(|| {
            state.cards.fees.tariff(&Charged {
                product: range.product,
                service: transaction.service,
                channel: transaction.channel,
                mcc: transaction.mcc,
                amount,
                at: stamp.time,
            })
        })
        .flatten();
    let fees = financial.then(|| state.cards.fees.fees(tariff, amount));
    let decided = Decided {
        decision: approved(advice.approval, transaction.amount, Decider::Acquirer),
        submitted: stamp.position,
        answer: None,
        stands: amount,
        card: transaction.card.hash,
        class: transaction.class,
        service: transaction.service,
        acquirer,
        issuer: range.issuer,
        session,
        tariff,
        asked: Some(asked),
        silent: None,
        completes: advice.completes.map(|original| original.key),
        advice: true,
    };
    remember(
        state,
        stamp,
        advice,
        transmitted,
        decided,
        (range.product, fees),
        out,
    );
    match fees {
        Some(fees) => {
            let movement = Movement {
                key: transaction.key,
                session,
                direction: transaction.service.direction(),
                acquirer,
                issuer: range.issuer,
                amount,
                fees,
                reversal: false,
            };
            postings::post(state, stamp, &movement, out);
        }
        None => state.cards.authorisations.insert(
            stamp.time,
            transaction.key,
            stamp.position,
            transaction.card.hash,
            (transaction.service, transaction.mcc),
            (acquirer, range.issuer),
            Some(asked),
            amount,
        ),
    }
    if let Some(original) = &advice.completes {
        authorisations::complete(state, &original.key, amount, out);
    }
}

/// A repeat gets the same refusal.
fn remember_refusal(
    state: &mut engine::State,
    stamp: Stamp,
    advice: &Advice,
    (acquirer, transmitted): (ParticipantId, Time),
    reason: CardReason,
    out: &mut Output,
) {
    let transaction = &advice.transaction;
    let decided = Decided {
        decision: declined(reason, None),
        submitted: stamp.position,
        answer: None,
        stands: 0,
        card: transaction.card.hash,
        class: transaction.class,
        service: transaction.service,
        acquirer,
        issuer: ParticipantId::SWITCH,
        session: state.cards.sessions.current(stamp.time),
        tariff: None,
        asked: None,
        silent: None,
        completes: None,
        advice: true,
    };
    remember(state, stamp, advice, transmitted, decided, (0, None), out);
}

fn remember(
    state: &mut engine::State,
    stamp: Stamp,
    advice: &Advice,
    transmitted: Time,
    decided: Decided,
    (product, fees): (u8, Option<super::Fees>),
    out: &mut Output,
) {
    let transaction = &advice.transaction;
    state.cards.transactions.remember(Entry {
        key: transaction.key,
        fingerprint: transaction.fingerprint,
        sender: advice.origin.participant,
        transmitted,
        what: What::Transaction(decided),
    });
    out.card_event(Event::Decided(Finished {
        key: transaction.key,
        fingerprint: transaction.fingerprint,
        class: transaction.class,
        decision: decided.decision,
        submitted: stamp.position,
        decided: stamp.position,
        decided_at: stamp.time,
        references: transaction.references,
        card: transaction.card,
        service: transaction.service,
        channel: transaction.channel,
        mcc: transaction.mcc,
        product,
        amount: transaction.amount,
        acquirer: decided.acquirer,
        issuer: decided.issuer,
        asked: decided.asked,
        session: decided.session,
        fees,
    }));
}

/// Answers; `first` is the session of what is answered once more.
fn reply(
    state: &engine::State,
    stamp: Stamp,
    advice: &Advice,
    refusal: Option<CardReason>,
    first: Option<Date>,
    out: &mut Output,
) -> Outcome {
    let again = first.is_some();
    if let Some(reason) = refusal.filter(|_| !again) {
        out.card_event(Event::Refused {
            participant: advice.origin.participant,
            reason,
        });
    }
    let message = Message::Reply {
        original: stamp.position,
        trace: advice.transaction.references.trace,
        refusal,
        session: first.unwrap_or_else(|| state.cards.sessions.current(stamp.time)),
        again,
    };
    out.cards
        .push(request::reply(stamp, &advice.origin, message));
    Outcome::Accepted
}

#[cfg(test)]
mod tests;
