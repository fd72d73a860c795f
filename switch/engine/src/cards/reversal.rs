//! Reversals of acquirers (0400, 0420): answered at once, whatever the issuer's state. Money moves back in the session in which the
//! reversal comes, and what stands never falls below zero and never rises.

use torap_domain::{CardReason, Date, Money, ParticipantId, Position, Time};

use super::{
    CardKey, Class, Event, Fees, Fingerprint, Letter, Message, Reversal, ReversalCause, Trace,
    authorisations, decision,
    fees::{NONE, difference},
    postings::{self, Movement},
    queue,
    request::{self, Seen},
    rules,
    transactions::{Found, Place},
    window::{Decided, Entry, What},
};
use crate::{Outcome, Output, Stamp, engine};

pub(super) fn apply(
    state: &mut engine::State,
    stamp: Stamp,
    reversal: &Reversal,
    out: &mut Output,
) -> Outcome {
    let transmitted = match sender(state, stamp, reversal) {
        Ok(transmitted) => transmitted,
        Err(reason) => return reply(state, stamp, reversal, Some(reason), None, out),
    };
    match request::seen_before(state, stamp, &reversal.key, &reversal.fingerprint, out) {
        Seen::Never => {}
        Seen::Reversal(refusal, session) => {
            // Where it counted, which may have been before a cut-over.
            return reply(state, stamp, reversal, refusal, Some(session), out);
        }
        Seen::UnderWay(_) | Seen::Decided(_) | Seen::Blocked | Seen::Other => {
            let reason = CardReason::DuplicateMismatch;
            return reply(state, stamp, reversal, Some(reason), None, out);
        }
    }
    let sender = reversal.origin.participant;
    if state
        .cards
        .transactions
        .may_have_dropped(sender, transmitted)
    {
        let reason = CardReason::BeyondMemory;
        return reply(state, stamp, reversal, Some(reason), None, out);
    }
    let refusal = carry_out(state, stamp, reversal, out).err();
    if !refusal.is_some_and(rules::is_transient) {
        state.cards.transactions.remember(Entry {
            key: reversal.key,
            fingerprint: reversal.fingerprint,
            sender,
            transmitted,
            what: What::Reversal {
                refusal,
                session: state.cards.sessions.current(stamp.time),
            },
        });
    }
    reply(state, stamp, reversal, refusal, None, out)
}

/// A member that is signed off, suspended or closing may still undo.
fn sender(state: &engine::State, stamp: Stamp, reversal: &Reversal) -> Result<Time, CardReason> {
    let members = &state.cards.members;
    members.sender(&reversal.origin, reversal.mac)?;
    let acquirer = members.acquirer(&reversal.origin, reversal.references.acquirer)?;
    rules::check_role(state, acquirer)?;
    rules::transmitted(state, stamp, reversal.references.trace.transmitted)
}

fn carry_out(
    state: &mut engine::State,
    stamp: Stamp,
    reversal: &Reversal,
    out: &mut Output,
) -> Result<(), CardReason> {
    let stands = reversal.stands.map_or(0, Money::minor);
    match decision::find(state, stamp, &reversal.original.key, out) {
        Some(Found::UnderWay(slot)) => {
            let request = state.cards.transactions.get(slot).copied();
            let request = request.ok_or(CardReason::InternalLimit)?;
            if request.transaction.card.hash != reversal.card.hash {
                return Err(CardReason::OriginalMismatch);
            }
            if stands > 0 {
                return Err(CardReason::OriginalUndecided);
            }
            decision::cancel(state, stamp, &request, slot, out);
            Ok(())
        }
        Some(Found::Decided(place, entry)) => match &entry.what {
            What::Transaction(decided) => {
                if decided.card != reversal.card.hash {
                    return Err(CardReason::OriginalMismatch);
                }
                reverse(
                    state,
                    stamp,
                    reversal,
                    (place, &entry.key, decided),
                    stands,
                    out,
                )
            }
            // Blocked before: one reversal more changes nothing.
            What::Blocked => Ok(()),
            What::Reversal { .. } => Err(CardReason::OriginalMismatch),
        },
        None => beyond(state, stamp, reversal, stands, out),
    }
}

/// Less of a decided transaction stands than before.
fn reverse(
    state: &mut engine::State,
    stamp: Stamp,
    reversal: &Reversal,
    (place, key, decided): (Place, &CardKey, &Decided),
    stands: u64,
    out: &mut Output,
) -> Result<(), CardReason> {
    let Some(approved) = decided.approved() else {
        return Ok(());
    };
    if stands > decided.stands {
        return Err(CardReason::ReversalExceeds);
    }
    if stands == decided.stands {
        return Ok(());
    }
    rules::check_queue(state, decided.issuer)?;
    state
        .cards
        .transactions
        .change(place, |there| there.stands = stands);
    let fees = match decided.class {
        Class::Authorisation => {
            authorisations::reduce(state, key, stands, out);
            NONE
        }
        Class::Financial => give_back(state, stamp, key, decided, stands, out),
    };
    tell_issuer(
        state,
        stamp,
        reversal,
        (decided.issuer, decided.submitted, decided.asked),
        (approved, stands),
        out,
    );
    told(state, stamp, key, reversal, stands, fees, out);
    Ok(())
}

/// Moves back what no longer stands; gives the fees of what does.
fn give_back(
    state: &mut engine::State,
    stamp: Stamp,
    key: &CardKey,
    decided: &Decided,
    stands: u64,
    out: &mut Output,
) -> Fees {
    let table = &state.cards.fees;
    // A case has given back its own part of the fees of what it claimed.
    let claimed = state.disputes.claimed(key);
    let of = |stands: u64| table.fees(decided.tariff, stands.saturating_add(claimed));
    let (before, after) = (of(decided.stands), of(stands));
    let amount = decided.stands.saturating_sub(stands);
    let movement = Movement {
        key: *key,
        session: state.cards.sessions.current(stamp.time),
        direction: decided.service.direction(),
        acquirer: decided.acquirer,
        issuer: decided.issuer,
        amount,
        fees: difference(&before, &after),
        reversal: true,
    };
    postings::post(state, stamp, &movement, out);
    let interchange = after.interchange.minor();
    state.disputes.less_stands(key, stands, interchange);
    if let Some(authorisation) = &decided.completes {
        state.cards.authorisations.uncomplete(authorisation, amount);
    }
    after
}

/// An original that is not remembered: an authorisation that still lives, or one that has not come yet.
fn beyond(
    state: &mut engine::State,
    stamp: Stamp,
    reversal: &Reversal,
    stands: u64,
    out: &mut Output,
) -> Result<(), CardReason> {
    let key = reversal.original.key;
    if let Some(authorisation) = state.cards.authorisations.get(&key).copied() {
        if authorisation.card != reversal.card.hash {
            return Err(CardReason::OriginalMismatch);
        }
        if stands > authorisation.amount {
            return Err(CardReason::ReversalExceeds);
        }
        if stands == authorisation.amount {
            return Ok(());
        }
        rules::check_queue(state, authorisation.issuer)?;
        authorisations::reduce(state, &key, stands, out);
        let about = (
            authorisation.issuer,
            authorisation.submitted,
            authorisation.asked,
        );
        tell_issuer(
            state,
            stamp,
            reversal,
            about,
            (authorisation.approved, stands),
            out,
        );
        told(state, stamp, &key, reversal, stands, NONE, out);
        return Ok(());
    }
    let sender = reversal.origin.participant;
    let original = reversal.original.trace.transmitted.resolve(stamp.time);
    let original = original.ok_or(CardReason::TransmissionTime)?;
    if state.cards.transactions.may_have_dropped(sender, original) {
        return Err(CardReason::BeyondMemory);
    }
    block(state, reversal, sender, original, out);
    Ok(())
}

/// The original is declined when it comes.
fn block(
    state: &mut engine::State,
    reversal: &Reversal,
    sender: ParticipantId,
    transmitted: Time,
    out: &mut Output,
) {
    state.cards.transactions.remember(Entry {
        key: reversal.original.key,
        fingerprint: Fingerprint([0; 16]),
        sender,
        transmitted,
        what: What::Blocked,
    });
    out.card_event(Event::Blocked {
        original: reversal.original.key,
        reversal: reversal.key,
        participant: sender,
    });
}

/// A letter for the issuer, which knows the transaction as `about`.
fn tell_issuer(
    state: &mut engine::State,
    stamp: Stamp,
    reversal: &Reversal,
    (issuer, original, about): (ParticipantId, Position, Option<Trace>),
    (amount, stands): (u64, u64),
    out: &mut Output,
) {
    let Some(about) = about else {
        return;
    };
    let letter = Letter::Reversal {
        original,
        class: reversal.original.class,
        about,
        reversal: Some(stamp.position),
        amount: Money::kzt(amount),
        stands: Money::kzt(stands),
        cause: ReversalCause::Acquirer,
        session: state.cards.sessions.current(stamp.time),
    };
    queue::push(state, stamp, issuer, letter, out);
}

fn told(
    state: &engine::State,
    stamp: Stamp,
    key: &CardKey,
    reversal: &Reversal,
    stands: u64,
    fees: Fees,
    out: &mut Output,
) {
    out.card_event(Event::Reversed {
        original: *key,
        reversal: reversal.key,
        stands: Money::kzt(stands),
        fees,
        session: state.cards.sessions.current(stamp.time),
    });
}

/// Answers; `first` is the session of what is answered once more.
fn reply(
    state: &engine::State,
    stamp: Stamp,
    reversal: &Reversal,
    refusal: Option<CardReason>,
    first: Option<Date>,
    out: &mut Output,
) -> Outcome {
    let again = first.is_some();
    if let Some(reason) = refusal.filter(|_| !again) {
        out.card_event(Event::Refused {
            participant: reversal.origin.participant,
            reason,
        });
    }
    let message = Message::Reply {
        original: stamp.position,
        trace: reversal.references.trace,
        refusal,
        session: first.unwrap_or_else(|| state.cards.sessions.current(stamp.time)),
        again,
    };
    out.cards
        .push(request::reply(stamp, &reversal.origin, message));
    Outcome::Accepted
}

#[cfg(test)]
mod tests;
