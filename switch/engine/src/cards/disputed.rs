//! What disputes about card transactions need of the rail: what stands of a transaction, and obligations of a case's steps.

use torap_domain::{Money, ParticipantId, Position, Reason, card::Direction};

use super::{
    CardKey, Event, Fees, Known, Side,
    fees::{Charged, NONE},
    postings::{self, Movement},
    presentments,
    transactions::Found,
    window::{Decided, What},
};
use crate::{Output, Stamp, engine};

/// What stands of a transaction that moved money.
pub(crate) struct Standing {
    pub(crate) acquirer: ParticipantId,
    pub(crate) issuer: ParticipantId,
    /// In minor units.
    pub(crate) amount: u64,
    /// What that amount is charged.
    pub(crate) fees: Fees,
}

/// A step of a case that moves money.
pub(crate) struct DisputeMovement {
    pub(crate) key: CardKey,
    pub(crate) acquirer: ParticipantId,
    pub(crate) issuer: ParticipantId,
    /// In minor units.
    pub(crate) amount: u64,
    pub(crate) interchange: Money,
    /// Who received the interchange of the transaction.
    pub(crate) interchange_to: Side,
    pub(crate) to_issuer: bool,
}

/// What stands of a known transaction: by the window, and beyond it by what is known. Fees beyond it are those of the table that holds now,
/// by the rows of the transaction's time.
pub(crate) fn standing(state: &engine::State, known: &Known) -> Result<Standing, Reason> {
    let transaction = &known.transaction;
    match state.cards.transactions.find(&transaction.key) {
        Some(Found::Decided(_, entry)) => match &entry.what {
            What::Transaction(decided) => of_window(state, decided),
            What::Reversal { .. } | What::Blocked => Err(Reason::OriginalMismatch),
        },
        Some(Found::UnderWay(_)) => Err(Reason::OriginalNotSettled),
        None if known.approved.is_zero() => Err(Reason::OriginalNotSettled),
        None => {
            let amount = known.stands.minor();
            let range = presentments::range(state, known);
            let table = &state.cards.fees;
            let tariff = range.and_then(|range| {
                table.tariff(&Charged {
                    product: range.product,
                    service: transaction.service,
                    channel: transaction.channel,
                    mcc: transaction.mcc,
                    amount: known.approved.minor(),
                    at: known.at,
                })
            });
            Ok(Standing {
                acquirer: known.acquirer,
                issuer: known.issuer,
                amount,
                fees: table.fees(tariff, amount),
            })
        }
    }
}

fn of_window(state: &engine::State, decided: &Decided) -> Result<Standing, Reason> {
    if decided.approved().is_none() {
        return Err(Reason::OriginalNotSettled);
    }
    Ok(Standing {
        acquirer: decided.acquirer,
        issuer: decided.issuer,
        amount: decided.stands,
        fees: state.cards.fees.fees(decided.tariff, decided.stands),
    })
}

/// So much of a transaction is claimed; `disputable` is what stood when the case was opened. It no longer stands of it.
pub(crate) fn claim(
    state: &mut engine::State,
    (key, case): (&CardKey, Position),
    (disputable, amount): (u64, u64),
    out: &mut Output,
) -> Result<(), Reason> {
    let transactions = &mut state.cards.transactions;
    let (place, stands) = match transactions.find(key) {
        Some(Found::Decided(place, entry)) => match &entry.what {
            What::Transaction(decided) => (Some(place), decided.stands),
            What::Reversal { .. } | What::Blocked => return Err(Reason::OriginalMismatch),
        },
        Some(Found::UnderWay(_)) => return Err(Reason::OriginalNotSettled),
        None => (None, disputable),
    };
    let stands = stands.checked_sub(amount);
    let stands = stands.ok_or(Reason::ReturnAmountExceeds)?;
    if let Some(place) = place {
        transactions.change(place, |there| there.stands = stands);
    }
    out.card_event(Event::Reduced {
        original: *key,
        stands: Money::kzt(stands),
        case: Some(case),
    });
    Ok(())
}

/// Books a step of a case in the open session.
pub(crate) fn disputed(
    state: &mut engine::State,
    stamp: Stamp,
    moved: &DisputeMovement,
    out: &mut Output,
) {
    let movement = Movement {
        key: moved.key,
        session: state.cards.sessions.current(stamp.time),
        direction: Direction::Debit,
        acquirer: moved.acquirer,
        issuer: moved.issuer,
        amount: moved.amount,
        fees: Fees {
            interchange: moved.interchange,
            interchange_to: moved.interchange_to,
            ..NONE
        },
        reversal: moved.to_issuer,
    };
    postings::post(state, stamp, &movement, out);
}
