//! Answers of issuers and schemes, and acknowledgements of what waited in a queue.
//!
//! They are matched by the trace that the switch gave, whatever connection they come on. An answer after the decision is absorbed:
//! nothing follows from it.

use torap_domain::{CardReason, Money, ParticipantId};

use super::{
    Acknowledged, Answer, Enrichment, Event, KeyAnswer, MacFact, Origin, ReversalCause,
    SchemeAnswer, Trace, Verdict, decision,
    in_flight::{InFlight, Stage},
    keys, queue, request,
    transactions::{Found, Slot},
    window::{What, declined},
};
use crate::{Outcome, Output, Stamp, engine};

/// 0110 or 0210 of an issuer.
pub(super) fn apply(
    state: &mut engine::State,
    stamp: Stamp,
    answer: &Answer,
    out: &mut Output,
) -> Outcome {
    let participant = answer.origin.participant;
    let unverifiable = match check_mac(state, &answer.origin, answer.mac, out) {
        Mac::Good => false,
        Mac::Unavailable => true,
        Mac::Refused => return Outcome::Accepted,
    };
    match state
        .cards
        .transactions
        .find_trace(participant, &answer.trace)
    {
        Some(Found::UnderWay(slot)) => {
            let request = state.cards.transactions.get(slot).copied();
            let waiting = request.filter(|request| {
                request.stage == Stage::Issuer && request.transaction.class == answer.class
            });
            match waiting {
                Some(request) if unverifiable => {
                    decision::reverse(state, stamp, &request, ReversalCause::Unverifiable, out);
                    let decline = declined(CardReason::AnswerUnverifiable, None);
                    let answered = Some(stamp.position);
                    decision::decline(state, stamp, &request, Some(slot), decline, answered, out);
                }
                Some(request) => decide(state, stamp, slot, &request, &answer.verdict, out),
                None => unmatched(participant, &answer.trace, out),
            }
        }
        Some(Found::Decided(place, entry)) => {
            let issuer = match &entry.what {
                What::Transaction(decided) => decided.issuer,
                What::Reversal { .. } | What::Blocked => participant,
            };
            out.card_event(Event::LateAnswer {
                key: entry.key,
                issuer,
                approved: matches!(answer.verdict, Verdict::Approve { .. }),
            });
            let transactions = &mut state.cards.transactions;
            transactions.answered_late(place, participant, &answer.trace);
        }
        None => unmatched(participant, &answer.trace, out),
    }
    Outcome::Accepted
}

fn decide(
    state: &mut engine::State,
    stamp: Stamp,
    slot: Slot,
    request: &InFlight,
    verdict: &Verdict,
    out: &mut Output,
) {
    let answered = Some(stamp.position);
    if request.deadline <= stamp.time {
        let approved = matches!(verdict, Verdict::Approve { .. });
        if approved {
            decision::reverse(state, stamp, request, ReversalCause::TooLate, out);
        }
        let decline = declined(CardReason::AnswerTooLate, None);
        decision::decline(state, stamp, request, Some(slot), decline, answered, out);
        return;
    }
    match verdict {
        Verdict::Decline { code } => {
            let decline = declined(CardReason::IssuerDeclined, Some(*code));
            decision::decline(state, stamp, request, Some(slot), decline, answered, out);
        }
        Verdict::Approve { approval, part } => match usable(request, *part) {
            Some(amount) => {
                decision::approve(state, stamp, request, slot, *approval, amount, out);
            }
            None => {
                decision::reverse(state, stamp, request, ReversalCause::PartialUnusable, out);
                let decline = declined(CardReason::PartialNotSupported, None);
                decision::decline(state, stamp, request, Some(slot), decline, answered, out);
            }
        },
    }
}

/// The approved amount, if the acquirer can use it.
fn usable(request: &InFlight, part: Option<Money>) -> Option<Money> {
    let whole = request.transaction.amount;
    match part {
        None => Some(whole),
        Some(part) if part == whole => Some(whole),
        Some(part) => {
            let sound = request.partial_supported && !part.is_zero() && part < whole;
            sound.then_some(part)
        }
    }
}

/// A scheme's answer.
pub(super) fn apply_scheme(
    state: &mut engine::State,
    stamp: Stamp,
    answer: &SchemeAnswer,
    out: &mut Output,
) -> Outcome {
    let participant = answer.origin.participant;
    // An answer that cannot be verified counts as none: the scheme's own short deadline is near.
    if !matches!(check_mac(state, &answer.origin, answer.mac, out), Mac::Good) {
        return Outcome::Accepted;
    }
    let found = state
        .cards
        .transactions
        .find_trace(participant, &answer.trace);
    let Some(Found::UnderWay(slot)) = found else {
        unmatched(participant, &answer.trace, out);
        return Outcome::Accepted;
    };
    let request = state.cards.transactions.get(slot).copied();
    let Some(mut request) = request.filter(|request| request.stage == Stage::Scheme) else {
        unmatched(participant, &answer.trace, out);
        return Outcome::Accepted;
    };
    if decision::expire_if_due(state, stamp, slot, out) {
        unmatched(participant, &answer.trace, out);
        return Outcome::Accepted;
    }
    match answer.declines {
        Some(code) => {
            let decline = declined(CardReason::SchemeDeclined, Some(code));
            let answered = Some(stamp.position);
            decision::decline(state, stamp, &request, Some(slot), decline, answered, out);
        }
        None => {
            request.enrichment = Enrichment::Answered(stamp.position);
            request::ask_issuer(state, stamp, request, Some(slot), out);
        }
    }
    Outcome::Accepted
}

/// An answer to a letter of the queue.
pub(super) fn apply_acknowledged(
    state: &mut engine::State,
    stamp: Stamp,
    acknowledged: &Acknowledged,
    out: &mut Output,
) -> Outcome {
    let answer = KeyAnswer {
        origin: acknowledged.origin,
        trace: acknowledged.trace,
        mac: acknowledged.mac,
        code: acknowledged.code,
        check_value: None,
    };
    apply_key_answer(state, stamp, &answer, out)
}

/// The same, with the check value of a key that a letter handed over.
pub(super) fn apply_key_answer(
    state: &mut engine::State,
    stamp: Stamp,
    answer: &KeyAnswer,
    out: &mut Output,
) -> Outcome {
    let participant = answer.origin.participant;
    if !matches!(check_mac(state, &answer.origin, answer.mac, out), Mac::Good) {
        return Outcome::Accepted;
    }
    let (trace, code) = (&answer.trace, answer.code);
    match queue::acknowledge(state, stamp, participant, trace, code, out) {
        Some(letter) if letter.is_about_keys() => {
            let value = answer.check_value;
            keys::acknowledged(state, stamp, participant, &letter, code, value, out);
        }
        Some(_) => {}
        None => unmatched(participant, trace, out),
    }
    Outcome::Accepted
}

enum Mac {
    Good,
    /// As agreed, but nobody could verify it.
    Unavailable,
    /// The message is from nobody, or not as agreed; followers were told.
    Refused,
}

fn check_mac(state: &engine::State, origin: &Origin, mac: MacFact, out: &mut Output) -> Mac {
    match state.cards.members.sender(origin, mac) {
        Ok(_) => Mac::Good,
        Err(CardReason::MacUnavailable) => Mac::Unavailable,
        Err(reason) => {
            out.card_event(Event::Refused {
                participant: origin.participant,
                reason,
            });
            Mac::Refused
        }
    }
}

fn unmatched(participant: ParticipantId, trace: &Trace, out: &mut Output) {
    out.card_event(Event::Unmatched {
        participant,
        trace: *trace,
    });
}

#[cfg(test)]
mod tests;
