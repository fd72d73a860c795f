//! What became of a payment (pacs.028): the payer's bank asks, and may act on the answer.
//!
//! "Never received" is a promise: the identifier is remembered as a tombstone, and a pacs.008 that comes after it is refused.

use torap_domain::{Asset, Money, ParticipantId, Reason, Service};

use super::{FinalOutcome, Fingerprint, Finished, Found, StatusRequest, decision};
use crate::{Message, Outcome, Output, Stamp, Status, engine, links::Letter, mass};

pub(super) fn apply(
    state: &mut engine::State,
    stamp: Stamp,
    request: &StatusRequest,
    out: &mut Output,
) -> Outcome {
    let source = &request.source;
    let sender = state
        .participants
        .sender(source, &request.instructing_agent);
    let (Ok(sender), Some(link)) = (sender, source.link()) else {
        return state
            .links
            .reject(out, stamp, source, Reason::UnboundSender);
    };
    match answer(state, stamp, link, request, out) {
        Ok(Answered::Yes) => Outcome::Accepted,
        Ok(Answered::NeverReceived) => {
            bury(state, stamp, sender, link, request, out);
            Outcome::Accepted
        }
        Err(reason) => state.links.reject(out, stamp, source, reason),
    }
}

enum Answered {
    Yes,
    NeverReceived,
}

fn answer(
    state: &mut engine::State,
    stamp: Stamp,
    link: ParticipantId,
    request: &StatusRequest,
    out: &mut Output,
) -> Result<Answered, Reason> {
    let (key, uetr) = (&request.key, &request.references.uetr);
    let known = match decision::find(state, stamp, key, uetr, out) {
        Some(Found::UnderWay(slot)) => {
            let payment = state.instant.payments.get(slot);
            let payment = payment.filter(|payment| payment.key == *key && payment.uetr == *uetr);
            let payment = payment.ok_or(Reason::OriginalMismatch)?;
            let message = Message::Status {
                original: payment.submitted,
                status: Status::Pending,
                decided: stamp.position,
                decided_at: stamp.time,
                repeat: true,
            };
            let letter = Letter::new(message)
                .references(&payment.references)
                .amount(payment.amount);
            state.links.send(out, stamp, link, letter);
            return Ok(Answered::Yes);
        }
        Some(Found::Finished(finished)) => Some(finished),
        None => state.instant.payments.beyond(&request.original)?,
    };
    let Some(finished) = known else {
        if mass::asked(state, stamp, (key, uetr), link, out)? {
            return Ok(Answered::Yes);
        }
        return Ok(Answered::NeverReceived);
    };
    if finished.key != *key || finished.uetr != *uetr {
        return Err(Reason::OriginalMismatch);
    }
    if finished.outcome == FinalOutcome::Tombstone {
        never_received(state, stamp, link, request, out);
    } else {
        decision::answer_again(state, stamp, link, &finished, None, out);
    }
    Ok(Answered::Yes)
}

/// Remembers that the identifier can no longer be used, and says so.
fn bury(
    state: &mut engine::State,
    stamp: Stamp,
    sender: ParticipantId,
    link: ParticipantId,
    request: &StatusRequest,
    out: &mut Output,
) {
    let nothing = Money::zero(Asset::Kzt);
    let tombstone = Finished {
        key: request.key,
        uetr: request.references.uetr,
        fingerprint: Fingerprint([0; 16]),
        submitted: stamp.position,
        decided: stamp.position,
        decided_at: stamp.time,
        outcome: FinalOutcome::Tombstone,
        // Nothing is known of the payment; these say nothing about it.
        service: Service::C2cAccount,
        amount: nothing,
        returned: nothing,
        debtor_agent: sender,
        creditor_agent: ParticipantId::SWITCH,
    };
    #[cfg(feature = "mutants")]
    if crate::mutants::is_on(&crate::mutants::DROP_TOMBSTONE) {
        never_received(state, stamp, link, request, out);
        return;
    }
    decision::remember(state, &tombstone, out);
    never_received(state, stamp, link, request, out);
}

fn never_received(
    state: &mut engine::State,
    stamp: Stamp,
    link: ParticipantId,
    request: &StatusRequest,
    out: &mut Output,
) {
    let message = Message::NotReceived {
        original: stamp.position,
    };
    let letter = Letter::new(message).references(&request.references);
    state.links.send(out, stamp, link, letter);
}

#[cfg(test)]
mod tests;
