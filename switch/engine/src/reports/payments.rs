//! Payments of IMTS that a bank asks about: those of its account, of the open business day and the one before.
//!
//! A bank sees what it pays as long as it is known, and what it gets once that has settled: a payment that waits is nobody's news but
//! its payer's.

use torap_domain::{
    Date, EndToEndId, Money, ParticipantId, Position, Reason, Text, Time, TransactionId, Uetr,
};

use crate::{
    Engine,
    participants::Direction,
    settlement::{self, End, Known, Priority},
};

/// Payments on one page, at most: a record of the log and a message each hold one page.
pub const PAGE_PAYMENTS_MAX: usize = 64;
/// Pages of one answer, at most; what more fits is to be asked for with narrower criteria.
pub const PAYMENT_PAGES_MAX: u32 = 64;

/// What has become of a payment, as far as it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Stage {
    Waits = 1,
    Settled = 2,
    Rejected = 3,
    Withdrawn = 4,
    /// Any of the last three.
    Ended = 5,
}

/// What a payment has to be to be told; all of it holds together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Criteria {
    pub transaction_id: Option<TransactionId>,
    pub uetr: Option<Uetr>,
    pub end_to_end_id: Option<EndToEndId>,
    pub stage: Option<Stage>,
    /// `In`: what the bank gets.
    pub direction: Option<Direction>,
    pub priority: Option<Priority>,
    /// In tiyn, both included.
    pub least: u64,
    pub most: u64,
    /// On which it came, UTC+5.
    pub date: Option<Date>,
}

/// What has become of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentState {
    Waits,
    Settled,
    Withdrawn,
    /// The reason is not known any more of a payment that an older binary took.
    Rejected(Option<Reason>),
}

/// A payment as a bank is told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaymentView {
    pub id: Position,
    pub from: ParticipantId,
    pub to: ParticipantId,
    /// `In`: the bank gets it.
    pub direction: Direction,
    pub amount: Money,
    pub reference: Text<35>,
    /// None of a return, which has none of its own.
    pub uetr: Option<Uetr>,
    pub state: PaymentState,
    /// When it came to this state.
    pub since: Option<Time>,
    /// When it came.
    pub entered: Option<Time>,
    pub priority: Option<Priority>,
    /// Of a payment that waits.
    pub earliest: Option<Time>,
    pub latest: Option<Time>,
}

/// A page of payments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentPage {
    /// From 1.
    pub number: u32,
    pub is_last: bool,
    /// As of then.
    pub at: Time,
    /// In the order in which they came.
    pub payments: Vec<PaymentView>,
}

impl Criteria {
    /// Every payment.
    pub const ALL: Criteria = Criteria {
        transaction_id: None,
        uetr: None,
        end_to_end_id: None,
        stage: None,
        direction: None,
        priority: None,
        least: 0,
        most: u64::MAX,
        date: None,
    };

    fn fits(&self, known: &Known, view: &PaymentView) -> bool {
        let amount = view.amount.minor();
        let is_one = |wanted: Option<&str>| wanted.is_none_or(|id| id == known.reference.as_str());
        is_one(self.transaction_id.as_ref().map(TransactionId::as_str))
            && self.uetr.is_none_or(|uetr| uetr == known.uetr)
            && self.is_end_to_end(known)
            && self.stage.is_none_or(|stage| view.state.is_in(stage))
            && self
                .direction
                .is_none_or(|direction| direction == view.direction)
            && self
                .priority
                .is_none_or(|priority| Some(priority) == view.priority)
            && (self.least..=self.most).contains(&amount)
            && self
                .date
                .is_none_or(|date| Some(date) == view.entered.map(Date::from_time))
    }

    fn is_end_to_end(&self, known: &Known) -> bool {
        self.end_to_end_id.is_none_or(|id| {
            let of = settlement::end_to_end(id.as_str());
            known.about.is_some_and(|about| about.end_to_end == of)
        })
    }
}

impl PaymentState {
    fn is_in(self, stage: Stage) -> bool {
        match stage {
            Stage::Waits => self == PaymentState::Waits,
            Stage::Settled => self == PaymentState::Settled,
            Stage::Rejected => matches!(self, PaymentState::Rejected(_)),
            Stage::Withdrawn => self == PaymentState::Withdrawn,
            Stage::Ended => self != PaymentState::Waits,
        }
    }
}

impl Stage {
    /// The stage of a stored number.
    pub fn from_number(number: u8) -> Option<Stage> {
        let all = [
            Stage::Waits,
            Stage::Settled,
            Stage::Rejected,
            Stage::Withdrawn,
            Stage::Ended,
        ];
        all.into_iter().find(|stage| *stage as u8 == number)
    }
}

/// Payments that fit, and where to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    pub payments: Vec<PaymentView>,
    /// None: there are no more. Otherwise more may come after this record.
    pub after: Option<Position>,
}

impl Engine {
    /// Payments of the owner's account that fit, of those that came after one record and up to another; at most `most` of them, among the next
    /// `steps` payments of everybody.
    pub fn imts_payments(
        &self,
        owner: ParticipantId,
        criteria: &Criteria,
        (after, upto): (Position, Position),
        most: usize,
        steps: usize,
    ) -> Looked {
        let settlement = &self.state.settlement;
        let mut payments = Vec::new();
        if let Some(uetr) = &criteria.uetr {
            // A return has no UETR of its own, and is found by the payment that it gives back with other criteria.
            let found = settlement.known_by_uetr(uetr);
            let found = found.filter(|(id, _)| *id > after && *id <= upto);
            payments.extend(found.and_then(|(id, known)| self.fitting(owner, criteria, id, known)));
            return Looked {
                payments,
                after: None,
            };
        }
        let mut last = after;
        for (step, (id, known)) in settlement.known_after(after).enumerate() {
            if id > upto {
                break;
            }
            if step >= steps || payments.len() >= most {
                return Looked {
                    payments,
                    after: Some(last),
                };
            }
            last = id;
            payments.extend(self.fitting(owner, criteria, id, known));
        }
        Looked {
            payments,
            after: None,
        }
    }

    fn fitting(
        &self,
        owner: ParticipantId,
        criteria: &Criteria,
        id: Position,
        known: &Known,
    ) -> Option<PaymentView> {
        let participants = &self.state.participants;
        // Whoever has taken a bank over asks about its payments too.
        let is_owners = |bank: ParticipantId| {
            let heir = participants.successor(bank);
            bank == owner || (heir != bank && participants.settles_through(heir) == owner)
        };
        let pays = is_owners(known.from);
        if !pays && (!is_owners(known.to) || !known.settled) {
            return None;
        }
        let view = self.payment_view(id, known, pays);
        criteria.fits(known, &view).then_some(view)
    }

    fn payment_view(&self, id: Position, known: &Known, pays: bool) -> PaymentView {
        let waiting = self.state.settlement.waiting(id);
        let waiting = waiting.map(|waiting| waiting.payment);
        let about = known.about;
        let ended = about.and_then(|about| about.ended);
        let state = match (waiting, ended) {
            (Some(_), _) => PaymentState::Waits,
            (None, Some((End::Settled, _))) => PaymentState::Settled,
            (None, Some((End::Withdrawn, _))) => PaymentState::Withdrawn,
            (None, Some((End::Rejected(reason), _))) => PaymentState::Rejected(Some(reason)),
            (None, None) if known.settled => PaymentState::Settled,
            (None, None) => PaymentState::Rejected(None),
        };
        let entered = about.map(|about| about.entered);
        let of_waiting = waiting.map(|payment| payment.priority);
        PaymentView {
            id,
            from: known.from,
            to: known.to,
            direction: if pays { Direction::Out } else { Direction::In },
            amount: known.amount,
            reference: known.reference,
            uetr: known.gives_back.is_none().then_some(known.uetr),
            state,
            since: ended.map(|(_, at)| at).or(entered),
            entered,
            priority: of_waiting.or(about.map(|about| about.priority)),
            earliest: waiting.and_then(|payment| payment.earliest),
            latest: waiting.and_then(|payment| payment.latest),
        }
    }
}

#[cfg(test)]
mod tests;
