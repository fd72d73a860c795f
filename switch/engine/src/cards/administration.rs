//! Messages about no transaction: network management (0800), the stop list (0302), administrative messages (0600, 0620),
//! reconciliation (0500, 0520), and what could not be understood.

use torap_domain::{CardReason, ParticipantId};

use super::{
    Administrative, Event, FileUpdate, Letter, Malformed, Message, Network, NetworkAction, Notice,
    Origin, Reconciliation, Totals, Trace, keys, members, queue, request, rules, stop_list,
};
use crate::{Outcome, Output, Stamp, engine};

/// 0800.
pub(super) fn apply_network(
    state: &mut engine::State,
    stamp: Stamp,
    network: &Network,
    out: &mut Output,
) -> Outcome {
    let member = state.cards.members.get(network.origin.participant);
    // A further link of a member that is there already gives no reason to send anything again.
    let comes_back = network.action == NetworkAction::SignOn
        && member.is_some_and(|member| !member.is_signed_on());
    let refusal = manage(state, stamp, network, out).err();
    let outcome = reply(state, stamp, &network.origin, &network.trace, refusal, out);
    if refusal.is_none() && comes_back {
        queue::resume(state, stamp, network.origin.participant, out);
    }
    outcome
}

fn manage(
    state: &mut engine::State,
    stamp: Stamp,
    network: &Network,
    out: &mut Output,
) -> Result<(), CardReason> {
    let participant = network.origin.participant;
    let members = &mut state.cards.members;
    members.sender(&network.origin, network.mac)?;
    let member = members.get_mut(participant).ok_or(CardReason::NotMember)?;
    match network.action {
        NetworkAction::Echo => return Ok(()),
        NetworkAction::CutOver => return Err(CardReason::FunctionNotSupported),
        NetworkAction::SignOn => member.sign(true),
        NetworkAction::SignOff => {
            member.sign(false);
            state.cards.queues.rest(participant);
        }
        NetworkAction::KeyChange { key_set } => {
            keys::put_into_use(state, stamp, participant, key_set)?;
        }
        NetworkAction::KeyRequest { uses } => keys::ask(state, stamp, participant, uses)?,
    }
    members::changed(state, participant, out);
    Ok(())
}

/// 0302.
pub(super) fn apply_file_update(
    state: &mut engine::State,
    stamp: Stamp,
    update: &FileUpdate,
    out: &mut Output,
) -> Outcome {
    let refusal = update_file(state, update, out).err();
    reply(state, stamp, &update.origin, &update.trace, refusal, out)
}

fn update_file(
    state: &mut engine::State,
    update: &FileUpdate,
    out: &mut Output,
) -> Result<(), CardReason> {
    let cards = &state.cards;
    cards.members.signed_on(&update.origin, update.mac)?;
    let route = update.route.ok_or(CardReason::RouteUnknown)?;
    let range = cards.bins.range(route).ok_or(CardReason::RouteOutdated)?;
    if range.prefix.first() != update.card.pan.first() {
        return Err(CardReason::RouteMismatch);
    }
    let issuer = range.issuer;
    if cards.members.reach(issuer) != update.origin.participant {
        return Err(CardReason::EntryNotOwned);
    }
    stop_list::change(state, &update.card, issuer, update.action, out)
}

/// 0600 and 0620.
pub(super) fn apply_administrative(
    state: &mut engine::State,
    stamp: Stamp,
    message: &Administrative,
    out: &mut Output,
) -> Outcome {
    let refusal = pass_on(state, stamp, message, out).err();
    reply(state, stamp, &message.origin, &message.trace, refusal, out)
}

fn pass_on(
    state: &mut engine::State,
    stamp: Stamp,
    message: &Administrative,
    out: &mut Output,
) -> Result<(), CardReason> {
    state
        .cards
        .members
        .signed_on(&message.origin, message.mac)?;
    let Some(institution) = message.to else {
        return Ok(());
    };
    let to = state.cards.members.by_institution(institution);
    let to = to.ok_or(CardReason::RecipientUnknown)?;
    rules::check_queue(state, to)?;
    let original = stamp.position;
    queue::push(
        state,
        stamp,
        to,
        Letter::Administrative { original, to },
        out,
    );
    Ok(())
}

/// 0500 and 0520.
pub(super) fn apply_reconciliation(
    state: &mut engine::State,
    stamp: Stamp,
    reconciliation: &Reconciliation,
    out: &mut Output,
) -> Outcome {
    let origin = &reconciliation.origin;
    let trace = reconciliation.trace;
    let participant = match whose(state, reconciliation) {
        Ok(participant) => participant,
        Err(reason) => return reply(state, stamp, origin, &trace, Some(reason), out),
    };
    let session = match state.cards.sessions.find(reconciliation.session) {
        Some((session, true)) => session,
        Some((_, false)) => {
            return reply(
                state,
                stamp,
                origin,
                &trace,
                Some(CardReason::SessionOpen),
                out,
            );
        }
        None => {
            return reply(
                state,
                stamp,
                origin,
                &trace,
                Some(CardReason::SessionUnknown),
                out,
            );
        }
    };
    let side = reconciliation.side;
    let totals = state.cards.sessions.totals(session, participant, side);
    let in_balance = agree(&totals, &reconciliation.totals);
    out.card_event(Event::Reconciled {
        participant,
        session,
        side,
        in_balance,
    });
    let message = Message::Reconciled {
        original: stamp.position,
        trace,
        session,
        totals,
        in_balance,
    };
    out.cards.push(request::reply(stamp, origin, message));
    if !in_balance && rules::check_queue(state, participant).is_ok() {
        let notice = Notice::OutOfBalance {
            participant,
            session,
            side,
        };
        queue::push(state, stamp, participant, Letter::Notice(notice), out);
    }
    Outcome::Accepted
}

fn whose(
    state: &engine::State,
    reconciliation: &Reconciliation,
) -> Result<ParticipantId, CardReason> {
    let members = &state.cards.members;
    members.signed_on(&reconciliation.origin, reconciliation.mac)?;
    match reconciliation.institution {
        None => Ok(reconciliation.origin.participant),
        Some(institution) => members.acquirer(&reconciliation.origin, institution),
    }
}

/// Numbers and amounts count; fees are told and not compared.
fn agree(ours: &Totals, theirs: &Totals) -> bool {
    ours.debits == theirs.debits
        && ours.debit_reversals == theirs.debit_reversals
        && ours.credits == theirs.credits
        && ours.credit_reversals == theirs.credit_reversals
}

/// A message that could not be understood is answered if there is anything to answer to.
pub(super) fn apply_malformed(
    state: &mut engine::State,
    stamp: Stamp,
    malformed: &Malformed,
    out: &mut Output,
) -> Outcome {
    let reason = malformed.reason;
    match &malformed.trace {
        Some(trace) => reply(state, stamp, &malformed.origin, trace, Some(reason), out),
        None => {
            refused(&malformed.origin, reason, out);
            Outcome::Accepted
        }
    }
}

fn reply(
    state: &engine::State,
    stamp: Stamp,
    origin: &Origin,
    trace: &Trace,
    refusal: Option<CardReason>,
    out: &mut Output,
) -> Outcome {
    if let Some(reason) = refusal {
        refused(origin, reason, out);
    }
    let message = Message::Reply {
        original: stamp.position,
        trace: *trace,
        refusal,
        session: state.cards.sessions.current(stamp.time),
        again: false,
    };
    out.cards.push(request::reply(stamp, origin, message));
    Outcome::Accepted
}

fn refused(origin: &Origin, reason: CardReason, out: &mut Output) {
    out.card_event(Event::Refused {
        participant: origin.participant,
        reason,
    });
}

#[cfg(test)]
mod tests;
