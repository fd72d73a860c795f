//! Disputes about card transactions: the same case, between the bank of the card and the bank of the merchant.
//!
//! What a step moves is an obligation of the card session that is open, counted as a reversal (to the issuer) or as a debit (to the
//! acquirer), and settles with its nets. Interchange follows the money: of what stands with the issuer its part is given back, to
//! the tiyn; fees of the switch stay. Card accounts have no line, so money is always there.

use torap_domain::{
    Money, ParticipantId, Position, Reason, Span, Time,
    card::{Direction, TruncatedPan},
};

use super::{Action, Case, Days, Dispute, Move, Role, Stage, Subject, days, enter, refused};
use crate::{
    Output, Stamp,
    cards::{self, CardKey, Class, Known, Side},
    engine,
};

/// Business days of each stage.
pub const CARD_DAYS: Days = Days {
    retrieval: 10,
    answered: 20,
    chargeback: 20,
    represented: 20,
    pre_arbitration: 10,
    arbitration: 30,
};

/// Why a case about a card transaction may be opened, and for how long after it.
pub const CARD_REASONS: [([u8; 4], Span); 12] = [
    (*b"CF01", days(120)),
    (*b"CF02", days(120)),
    (*b"CF03", days(120)),
    (*b"CA01", days(75)),
    (*b"CA02", days(75)),
    (*b"CP01", days(90)),
    (*b"CP02", days(90)),
    (*b"CP03", days(90)),
    (*b"CC01", days(120)),
    (*b"CC02", days(120)),
    (*b"CC03", days(120)),
    (*b"CC04", days(120)),
];

/// A card transaction that a case is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CardSubject {
    pub key: CardKey,
    /// Record of the transaction, or of the request that letters about it are written from.
    pub submitted: Position,
    pub at: Time,
    pub card: TruncatedPan,
    /// The interchange of what could be disputed, in minor units, and who received it.
    pub interchange: u64,
    pub interchange_to: Side,
}

impl CardSubject {
    /// The interchange that is given back while `stands` of `disputable` stands with the issuer: none if nothing could be disputed.
    fn given_back(&self, stands: u64, disputable: u64) -> u64 {
        let part = u128::from(self.interchange).saturating_mul(u128::from(stands));
        let part = part.checked_div(u128::from(disputable)).unwrap_or(0);
        // At most the interchange itself: not more stands than was disputable.
        u64::try_from(part).unwrap_or(self.interchange)
    }
}

/// The issuer opens a case about a transaction.
pub(super) fn open(
    state: &mut engine::State,
    stamp: Stamp,
    (issuer, reason_code, claim): (ParticipantId, [u8; 4], Option<u64>),
    known: &Known,
    out: &mut Output,
) -> Result<(), Reason> {
    let transaction = &known.transaction;
    let debits = transaction.service.direction() == Direction::Debit;
    if transaction.class != Class::Financial || !debits {
        return Err(Reason::OriginalNotSettled);
    }
    let stands = cards::standing(state, known)?;
    let parties = (stands.issuer, stands.acquirer);
    if issuer != parties.0 || parties.0 == parties.1 {
        return Err(Reason::OriginalMismatch);
    }
    let reason = CARD_REASONS.iter().find(|(code, _)| *code == reason_code);
    let (_, window) = reason.ok_or(Reason::RecallReasonUnknown)?;
    if stamp.time >= known.at.saturating_add(*window) {
        return Err(Reason::RecallWindowClosed);
    }
    state.disputes.forget(stamp.time);
    if state.disputes.by_card.contains_key(&transaction.key) {
        return Err(Reason::EntryExists);
    }
    if state.disputes.cases.len() >= super::CASES_MAX {
        return Err(Reason::InternalLimit);
    }
    if stands.amount == 0 {
        return Err(Reason::AlreadyReturned);
    }
    let subject = Subject::Card(CardSubject {
        key: transaction.key,
        submitted: known.submitted,
        at: known.at,
        card: transaction.card.pan,
        interchange: stands.fees.interchange.minor(),
        interchange_to: stands.fees.interchange_to,
    });
    let deadline = super::deadline(state, &subject, Stage::Retrieval, stamp);
    let dispute = Dispute {
        subject,
        claimant: issuer,
        respondent: parties.1,
        reason_code,
        case: Case::retrieval(stands.amount, deadline),
        steps: Vec::new(),
        attachments: Vec::new(),
    };
    let id = stamp.position;
    let Some(amount) = claim else {
        let case = dispute.case;
        enter(state, stamp, (id, dispute), (case, Move::Nothing), out);
        return Ok(());
    };
    let action = Action::Claim { amount };
    let stepped = dispute.case.step(Role::Claimant, action, stamp.time);
    let (case, moved) = stepped.map_err(|refusal| refused(refusal, action))?;
    claimed(state, &dispute, id, amount, out)?;
    book(state, stamp, &dispute, moved, out);
    enter(state, stamp, (id, dispute), (case, moved), out);
    Ok(())
}

/// What is claimed no longer stands of the transaction, so that a reversal or refund cannot give it back a second time.
pub(super) fn claimed(
    state: &mut engine::State,
    dispute: &Dispute,
    case: Position,
    amount: u64,
    out: &mut Output,
) -> Result<(), Reason> {
    let Subject::Card(subject) = &dispute.subject else {
        return Err(Reason::InternalLimit);
    };
    cards::claim(
        state,
        (&subject.key, case),
        (dispute.case.disputable, amount),
        out,
    )
}

/// Moves the money of a step with its interchange, as an obligation of the open session.
pub(super) fn book(
    state: &mut engine::State,
    stamp: Stamp,
    dispute: &Dispute,
    moved: Move,
    out: &mut Output,
) {
    let Subject::Card(subject) = &dispute.subject else {
        return;
    };
    let stood = dispute.case.stands;
    let (amount, stands, to_issuer) = match moved {
        Move::Nothing => return,
        Move::ToClaimant(amount) => (amount, stood.saturating_add(amount), true),
        Move::ToRespondent(amount) => (amount, stood.saturating_sub(amount), false),
    };
    let disputable = dispute.case.disputable;
    let before = subject.given_back(stood, disputable);
    let after = subject.given_back(stands, disputable);
    let movement = cards::DisputeMovement {
        key: subject.key,
        acquirer: dispute.respondent,
        issuer: dispute.claimant,
        amount,
        interchange: Money::kzt(before.abs_diff(after)),
        interchange_to: subject.interchange_to,
        to_issuer,
    };
    #[cfg(feature = "mutants")]
    if crate::mutants::is_on(&crate::mutants::CARD_DISPUTE_TWICE) {
        cards::disputed(state, stamp, &movement, out);
    }
    cards::disputed(state, stamp, &movement, out);
}

#[cfg(test)]
mod tests;
