//! Obligations: what a decided transaction moves between the card accounts of two members and the operator's, and what a reversal
//! moves back.

use torap_domain::{Date, Money, ParticipantId, card::Direction};
use torap_ledger::AccountId;

use super::{
    CardKey, Event, Fees, Posting, Side,
    members::{self, FEES},
    sessions::Count,
};
use crate::{Output, Stamp, engine};

/// One movement.
#[derive(Clone, Copy, Debug)]
pub(super) struct Movement {
    pub(super) key: CardKey,
    pub(super) session: Date,
    pub(super) direction: Direction,
    pub(super) acquirer: ParticipantId,
    pub(super) issuer: ParticipantId,
    /// In minor units.
    pub(super) amount: u64,
    /// Charged, or given back by a reversal.
    pub(super) fees: Fees,
    pub(super) reversal: bool,
}

/// Moves the money and counts it. Nothing if the service moves none.
pub(super) fn post(state: &mut engine::State, stamp: Stamp, movement: &Movement, out: &mut Output) {
    let Movement {
        key,
        session,
        direction,
        acquirer,
        issuer,
        amount,
        fees,
        reversal,
    } = *movement;
    let debit = match direction {
        Direction::Debit => true,
        Direction::Credit => false,
        Direction::None => return,
    };
    let account = |id: ParticipantId| state.cards.members.get(id).map(|member| member.account);
    let accounts = account(acquirer)
        .zip(account(issuer))
        .zip(state.ledger.find(FEES));
    let Some(((acquirer_account, issuer_account), fee_account)) = accounts else {
        return;
    };
    let issuer_pays = debit != reversal;
    let (from, to) = if issuer_pays {
        (issuer_account, acquirer_account)
    } else {
        (acquirer_account, issuer_account)
    };
    book(state, from, to, Money::kzt(amount));
    let issuer_receives = (fees.interchange_to == Side::Issuer) != reversal;
    let (payer, receiver) = if issuer_receives {
        (acquirer_account, issuer_account)
    } else {
        (issuer_account, acquirer_account)
    };
    book(state, payer, receiver, fees.interchange);
    for (account, fee) in [
        (acquirer_account, fees.switch_acquirer),
        (issuer_account, fees.switch_issuer),
    ] {
        if reversal {
            book(state, fee_account, account, fee);
        } else {
            book(state, account, fee_account, fee);
        }
    }
    state.cards.sessions.count(&Count {
        session,
        acquirer,
        issuer,
        debit,
        reversal,
        amount,
        fees,
    });
    let (debtor, creditor) = if issuer_pays {
        (issuer, acquirer)
    } else {
        (acquirer, issuer)
    };
    out.card_event(Event::Posted(Posting {
        key,
        session,
        debit: debtor,
        credit: creditor,
        amount: Money::kzt(amount),
        acquirer,
        fees,
        reversal,
    }));
    members::watch_cap(state, stamp, issuer, out);
    members::watch_cap(state, stamp, acquirer, out);
}

fn book(state: &mut engine::State, debit: AccountId, credit: AccountId, amount: Money) {
    if amount.is_zero() {
        return;
    }
    let booked = state.ledger.transfer(debit, credit, amount);
    // Card accounts have no line that could refuse and are never one and the same; if the ledger refuses all the same, its sums
    // are wrong and no further decision may be built on them.
    assert!(booked.is_ok(), "booking an obligation: {booked:?}");
}
