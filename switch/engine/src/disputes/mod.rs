//! Disputes about settled payments of the instant rail, and about card transactions (`card`).
//!
//! The life of a case is [`torap_clearing::dispute`]'s; here are its parties, its money and its clock. What a step moves is booked at once
//! between the two positions, in the record of the step. A claim counts as returned of its payment, whatever becomes of the case, so
//! that a return cannot give the same money back a second time.
//!
//! Memory: about 300 bytes a case and 120 for each attachment, [`CASES_MAX`] cases; one that is over is forgotten when another is opened
//! [`KEEP`] after its end.

mod card;
mod command;
mod stored;

pub use card::{CARD_DAYS, CARD_REASONS, CardSubject};
pub use command::Command;
pub use torap_clearing::dispute::{Action, Case, Days, End, Move, Refusal, Role, Stage};

use std::collections::{BTreeMap, BTreeSet};

use torap_domain::{Asset, Money, ParticipantId, Position, Reason, Span, Text, Time, Uetr};

use crate::{
    Engine, Event as Any, Outcome, Output, Stamp,
    cards::CardKey,
    engine,
    instant::{FinalOutcome, Finished, Found, History},
    participants::watch,
};

/// Cases that are known.
pub const CASES_MAX: usize = 65_536;
/// Attachments of a case.
pub const ATTACHMENTS_MAX: usize = 16;
/// Bytes of an attachment.
pub const ATTACHMENT_BYTES_MAX: u32 = 262_144;
/// How long a case is known at least after its end.
pub const KEEP: Span = Span::from_secs(400 * 24 * 3600);
/// When money that a silence moves is tried again, if there is not enough on the position.
pub const TRY_AGAIN_AFTER: Span = Span::from_secs(3600);
/// Business days of each stage.
pub const DAYS: Days = Days {
    retrieval: 10,
    answered: 10,
    chargeback: 15,
    represented: 10,
    pre_arbitration: 10,
    arbitration: 20,
};
/// Why a case may be opened, and for how long after the settlement.
pub const REASONS: [([u8; 4], Span); 8] = [
    (*b"AC03", days(60)),
    (*b"AM09", days(120)),
    (*b"CUST", days(120)),
    (*b"DUPL", days(60)),
    (*b"FRAD", days(120)),
    (*b"GOOD", days(120)),
    (*b"NCRD", days(120)),
    (*b"TECH", days(60)),
];

const fn days(count: u64) -> Span {
    Span::from_secs(count.saturating_mul(24 * 3600))
}

/// What happened to a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    pub case: Position,
    pub stage: Stage,
    /// What stands with the claimant now, and what moved to that end, in minor units of KZT.
    pub stands: u64,
    pub moved: Move,
}

/// A step that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    pub position: Position,
    pub at: Time,
    /// Where the case was afterwards, and what stood with the claimant.
    pub stage: Stage,
    pub stands: u64,
}

/// A document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// The record that has it.
    pub position: Position,
    pub participant: ParticipantId,
    pub name: Text<64>,
    pub hash: [u8; 32],
    pub bytes: u32,
}

/// What a case is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    Payment(Uetr),
    Card(CardSubject),
}

/// A case with its parties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispute {
    pub subject: Subject,
    pub claimant: ParticipantId,
    pub respondent: ParticipantId,
    pub reason_code: [u8; 4],
    pub case: Case,
    /// The first is the opening.
    pub steps: Vec<Step>,
    pub attachments: Vec<Attachment>,
}

/// The cases, by the record that opened them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    cases: BTreeMap<Position, Dispute>,
    by_uetr: BTreeMap<Uetr, Position>,
    by_card: BTreeMap<CardKey, Position>,
    due: BTreeSet<(Time, Position)>,
}

impl State {
    pub(crate) fn new() -> State {
        State::default()
    }

    /// Whether no case about a payment is known; nothing is written to a snapshot then.
    pub(crate) fn is_new(&self) -> bool {
        self.by_uetr.is_empty()
    }

    /// As [`State::is_new`], of card transactions.
    pub(crate) fn has_no_cards(&self) -> bool {
        self.by_card.is_empty()
    }

    /// Whether a case about a card transaction is not over.
    pub(crate) fn is_open(&self, key: &CardKey) -> bool {
        let case = self.by_card.get(key).and_then(|id| self.cases.get(id));
        case.is_some_and(|dispute| dispute.case.stage != Stage::Closed)
    }

    /// What was claimed of a card transaction; zero without a case.
    pub(crate) fn claimed(&self, key: &CardKey) -> u64 {
        let case = self.by_card.get(key).and_then(|id| self.cases.get(id));
        case.map_or(0, |dispute| dispute.case.claimed)
    }

    /// Less stands of a card transaction than before: no more than that may be claimed of it any more.
    pub(crate) fn less_stands(&mut self, key: &CardKey, stands: u64, interchange: u64) {
        let id = self.by_card.get(key);
        let Some(dispute) = id.and_then(|id| self.cases.get_mut(id)) else {
            return;
        };
        if matches!(dispute.case.stage, Stage::Retrieval | Stage::Answered)
            && let Subject::Card(subject) = &mut dispute.subject
        {
            dispute.case.disputable = stands;
            subject.interchange = interchange;
        }
    }

    pub(crate) fn get(&self, id: Position) -> Option<&Dispute> {
        self.cases.get(&id)
    }

    pub(crate) fn next_deadline(&self) -> Option<(Time, Position)> {
        self.due.first().copied()
    }

    fn insert(&mut self, id: Position, dispute: Dispute) {
        match &dispute.subject {
            Subject::Payment(uetr) => self.by_uetr.insert(*uetr, id),
            Subject::Card(subject) => self.by_card.insert(subject.key, id),
        };
        if let Some(deadline) = dispute.case.deadline {
            self.due.insert((deadline, id));
        }
        self.cases.insert(id, dispute);
    }

    fn remove(&mut self, id: Position) -> Option<Dispute> {
        let dispute = self.cases.remove(&id)?;
        match &dispute.subject {
            Subject::Payment(uetr) => self.by_uetr.remove(uetr),
            Subject::Card(subject) => self.by_card.remove(&subject.key),
        };
        if let Some(deadline) = dispute.case.deadline {
            self.due.remove(&(deadline, id));
        }
        Some(dispute)
    }

    /// Forgets cases that have been over for long enough.
    fn forget(&mut self, now: Time) {
        let over = self.cases.iter().filter(|(_, dispute)| {
            let last = dispute.steps.last().map_or(Time::MAX, |step| step.at);
            dispute.case.stage == Stage::Closed && last.saturating_add(KEEP) <= now
        });
        let over: Vec<Position> = over.map(|(id, _)| *id).collect();
        for id in over {
            self.remove(id);
        }
    }
}

pub(crate) fn apply(
    state: &mut engine::State,
    stamp: Stamp,
    command: &Command,
    out: &mut Output,
) -> Outcome {
    let done = command.source().by_operator().and_then(|()| match command {
        Command::Open {
            claimant,
            uetr,
            reason_code,
            claim,
            original,
            ..
        } => {
            let what = (*claimant, *uetr, *reason_code, *claim);
            open(state, stamp, what, original, out)
        }
        Command::OpenCard {
            claimant,
            reason_code,
            claim,
            known,
            ..
        } => card::open(state, stamp, (*claimant, *reason_code, *claim), known, out),
        Command::Act {
            case,
            participant,
            action,
            original,
            ..
        } => act(state, stamp, *case, (*participant, *action), original, out),
        Command::Attach {
            case,
            participant,
            name,
            hash,
            bytes,
            ..
        } => {
            let attachment = Attachment {
                position: stamp.position,
                participant: *participant,
                name: *name,
                hash: *hash,
                bytes: *bytes,
            };
            attach(state, *case, attachment)
        }
    });
    match done {
        Ok(()) => Outcome::Accepted,
        Err(reason) => {
            out.event(Any::Refused { reason });
            Outcome::Refused(reason)
        }
    }
}

fn open(
    state: &mut engine::State,
    stamp: Stamp,
    (claimant, uetr, reason_code, claim): (ParticipantId, Uetr, [u8; 4], Option<u64>),
    original: &Option<History>,
    out: &mut Output,
) -> Result<(), Reason> {
    let payment = settled(state, &uetr, original)?;
    let participants = &state.participants;
    let payer = participants.successor(payment.debtor_agent);
    let payee = participants.successor(payment.creditor_agent);
    if claimant != payer || payer == payee {
        return Err(Reason::OriginalMismatch);
    }
    let known = REASONS.iter().find(|(code, _)| *code == reason_code);
    let (_, window) = known.ok_or(Reason::RecallReasonUnknown)?;
    if stamp.time >= payment.decided_at.saturating_add(*window) {
        return Err(Reason::RecallWindowClosed);
    }
    state.disputes.forget(stamp.time);
    if state.disputes.by_uetr.contains_key(&uetr) {
        return Err(Reason::EntryExists);
    }
    if state.disputes.cases.len() >= CASES_MAX {
        return Err(Reason::InternalLimit);
    }
    let disputable = payment
        .amount
        .minor()
        .saturating_sub(payment.returned.minor());
    if disputable == 0 {
        return Err(Reason::AlreadyReturned);
    }
    let subject = Subject::Payment(uetr);
    let deadline = deadline(state, &subject, Stage::Retrieval, stamp);
    let dispute = Dispute {
        subject,
        claimant,
        respondent: payee,
        reason_code,
        case: Case::retrieval(disputable, deadline),
        steps: Vec::new(),
        attachments: Vec::new(),
    };
    match claim {
        None => {
            let case = dispute.case;
            enter(
                state,
                stamp,
                (stamp.position, dispute),
                (case, Move::Nothing),
                out,
            );
            Ok(())
        }
        Some(amount) => {
            let action = Action::Claim { amount };
            let stepped = dispute.case.step(Role::Claimant, action, stamp.time);
            let (case, moved) = stepped.map_err(|refusal| refused(refusal, action))?;
            book(state, &dispute, moved)?;
            claimed(state, stamp, &payment, amount, out)?;
            enter(state, stamp, (stamp.position, dispute), (case, moved), out);
            Ok(())
        }
    }
}

fn act(
    state: &mut engine::State,
    stamp: Stamp,
    id: Position,
    (participant, action): (Option<ParticipantId>, Action),
    original: &Option<History>,
    out: &mut Output,
) -> Result<(), Reason> {
    let dispute = state.disputes.cases.get(&id).ok_or(Reason::ClaimUnknown)?;
    let role = match participant {
        None => Role::Operator,
        Some(id) if id == dispute.claimant => Role::Claimant,
        Some(id) if id == dispute.respondent => Role::Respondent,
        Some(_) => return Err(Reason::OriginalMismatch),
    };
    let dispute = dispute.clone();
    let stepped = dispute.case.step(role, action, stamp.time);
    let (case, moved) = stepped.map_err(|refusal| refused(refusal, action))?;
    match (&dispute.subject, action) {
        (Subject::Payment(uetr), Action::Claim { amount }) => {
            claim(
                state,
                stamp,
                (&dispute, uetr),
                (amount, moved),
                original,
                out,
            )?;
        }
        (Subject::Payment(_), _) => book(state, &dispute, moved)?,
        (Subject::Card(_), action) => {
            if let Action::Claim { amount } = action {
                card::claimed(state, &dispute, id, amount, out)?;
            }
            card::book(state, stamp, &dispute, moved, out);
        }
    }
    state.disputes.remove(id);
    enter(state, stamp, (id, dispute), (case, moved), out);
    Ok(())
}

/// A claim after a question: of what has not been returned by now.
fn claim(
    state: &mut engine::State,
    stamp: Stamp,
    (dispute, uetr): (&Dispute, &Uetr),
    (amount, moved): (u64, Move),
    original: &Option<History>,
    out: &mut Output,
) -> Result<(), Reason> {
    let payment = settled(state, uetr, original)?;
    let left = payment
        .amount
        .minor()
        .saturating_sub(payment.returned.minor());
    if amount > left {
        return Err(Reason::ReturnAmountExceeds);
    }
    book(state, dispute, moved)?;
    claimed(state, stamp, &payment, amount, out)
}

fn attach(state: &mut engine::State, id: Position, attachment: Attachment) -> Result<(), Reason> {
    let dispute = state
        .disputes
        .cases
        .get_mut(&id)
        .ok_or(Reason::ClaimUnknown)?;
    let party = attachment.participant;
    if party != dispute.claimant && party != dispute.respondent {
        return Err(Reason::OriginalMismatch);
    }
    if dispute.case.stage == Stage::Closed {
        return Err(Reason::OperatorRefused);
    }
    let fits = (1..=ATTACHMENT_BYTES_MAX).contains(&attachment.bytes);
    if !fits || dispute.attachments.len() >= ATTACHMENTS_MAX {
        return Err(Reason::InternalLimit);
    }
    dispute.attachments.push(attachment);
    Ok(())
}

/// The case whose deadline comes first, which has passed, goes on without whoever was silent. If the money for it is not there, it is
/// tried again later.
pub(crate) fn expire_first(state: &mut engine::State, stamp: Stamp, out: &mut Output) {
    let Some((_, id)) = state.disputes.next_deadline() else {
        return;
    };
    let Some(dispute) = state.disputes.remove(id) else {
        return;
    };
    let Some((case, moved)) = dispute.case.expire() else {
        return;
    };
    if let Subject::Card(_) = &dispute.subject {
        card::book(state, stamp, &dispute, moved, out);
        enter(state, stamp, (id, dispute), (case, moved), out);
        return;
    }
    if book(state, &dispute, moved).is_ok() {
        enter(state, stamp, (id, dispute), (case, moved), out);
        return;
    }
    let mut dispute = dispute;
    dispute.case.deadline = Some(stamp.time.saturating_add(TRY_AGAIN_AFTER));
    state.disputes.insert(id, dispute);
}

/// The case stands as it does after a step, and the next deadline runs.
fn enter(
    state: &mut engine::State,
    stamp: Stamp,
    (id, mut dispute): (Position, Dispute),
    (mut case, moved): (Case, Move),
    out: &mut Output,
) {
    case.deadline = deadline(state, &dispute.subject, case.stage, stamp);
    dispute.case = case;
    dispute.steps.push(Step {
        position: stamp.position,
        at: stamp.time,
        stage: case.stage,
        stands: case.stands,
    });
    // What a card case moves is on no position.
    let parties = match &dispute.subject {
        Subject::Payment(_) => vec![dispute.claimant, dispute.respondent],
        Subject::Card(_) => Vec::new(),
    };
    state.disputes.insert(id, dispute);
    out.event(Any::Dispute(Event {
        case: id,
        stage: case.stage,
        stands: case.stands,
        moved,
    }));
    if moved != Move::Nothing {
        for party in parties {
            watch(state, stamp, party, out);
        }
    }
}

fn deadline(state: &engine::State, subject: &Subject, stage: Stage, stamp: Stamp) -> Option<Time> {
    let days = match subject {
        Subject::Payment(_) => DAYS,
        Subject::Card(_) => CARD_DAYS,
    };
    days.deadline(stage, stamp.time, state.clearing.calendar())
}

/// Moves the money of a step between the positions; nothing if both are one.
fn book(state: &mut engine::State, dispute: &Dispute, moved: Move) -> Result<(), Reason> {
    let account = |id| state.participants.account(id).ok_or(Reason::InternalLimit);
    let (claimant, respondent) = (account(dispute.claimant)?, account(dispute.respondent)?);
    let (debit, credit, amount) = match moved {
        Move::Nothing => return Ok(()),
        Move::ToClaimant(amount) => (respondent, claimant, amount),
        Move::ToRespondent(amount) => (claimant, respondent, amount),
    };
    if debit == credit {
        return Ok(());
    }
    let amount = Money::from_minor(amount, Asset::Kzt);
    #[cfg(feature = "mutants")]
    if crate::mutants::is_on(&crate::mutants::DISPUTE_TWICE) {
        let again = state.ledger.transfer(debit, credit, amount);
        again.map_err(engine::refused_by_ledger)?;
    }
    let booked = state.ledger.transfer(debit, credit, amount);
    booked.map_err(engine::refused_by_ledger)
}

/// The payment remembers the claim as returned.
fn claimed(
    state: &mut engine::State,
    stamp: Stamp,
    payment: &Finished,
    amount: u64,
    out: &mut Output,
) -> Result<(), Reason> {
    let returned = payment.returned.checked_add(Money::kzt(amount));
    let payment = Finished {
        returned: returned.map_err(|_| Reason::InternalLimit)?,
        ..*payment
    };
    state.instant.payments.update(&payment, stamp.position);
    out.event(Any::PaymentReturned {
        original: payment.key,
        returned: payment.returned,
    });
    Ok(())
}

/// A settled payment: of the window, or known to the index.
fn settled(
    state: &engine::State,
    uetr: &Uetr,
    beyond: &Option<History>,
) -> Result<Finished, Reason> {
    let payments = &state.instant.payments;
    let payment = match payments.find_uetr(uetr) {
        Some(Found::Finished(finished)) => finished,
        Some(Found::UnderWay(_)) => return Err(Reason::OriginalNotSettled),
        None => {
            let known = payments.beyond(beyond)?;
            let known = known.filter(|finished| finished.uetr == *uetr);
            known.ok_or(Reason::OriginalUnknown)?
        }
    };
    match payment.outcome {
        FinalOutcome::Settled => Ok(payment),
        FinalOutcome::Rejected { .. } => Err(Reason::OriginalNotSettled),
        FinalOutcome::Tombstone => Err(Reason::OriginalUnknown),
    }
}

fn refused(refusal: Refusal, action: Action) -> Reason {
    let amount = match action {
        Action::Claim { amount } | Action::Escalate { amount } => amount,
        Action::Represent { contested } => contested,
        Action::Rule { awarded } => awarded,
        Action::Answer | Action::Accept | Action::Decline | Action::Withdraw => 1,
    };
    match refusal {
        Refusal::NotYours => Reason::OriginalMismatch,
        Refusal::NotNow => Reason::OperatorRefused,
        Refusal::Amount if amount == 0 => Reason::AmountZero,
        Refusal::Amount => Reason::ReturnAmountExceeds,
        Refusal::Late => Reason::RecallWindowClosed,
    }
}

/// What doors and reports ask.
impl Engine {
    /// A case, by the record that opened it.
    pub fn dispute(&self, id: Position) -> Option<&Dispute> {
        self.state.disputes.cases.get(&id)
    }

    /// Every case that is known, oldest first.
    pub fn disputes(&self) -> impl Iterator<Item = (Position, &Dispute)> + '_ {
        self.state
            .disputes
            .cases
            .iter()
            .map(|(id, dispute)| (*id, dispute))
    }
}

#[cfg(test)]
mod tests;
