//! A card transaction as facts of a command: what index and log know of it, for lines of presentment files and for disputes.

use std::collections::BTreeSet;

use torap_domain::{CardService, Money, ParticipantId, Position, Time, card::Direction};
use torap_engine::cards::{
    BinTable, CardKey, Class, Command, Decision, Known, Line, LineKind, MemberView, Trace,
    Transaction,
};

use crate::{CardName, CardOf, CardStep, Index, IndexError, PAGE_MAX};

/// Where facts about card transactions come from. Members and table are those of the last record that the index has.
pub struct CardFacts<'a> {
    pub index: &'a dyn Index,
    pub members: &'a [MemberView],
    pub bins: &'a BinTable,
    /// Reads the card command of a record, and its time; none if the record has no such command, or cannot be read.
    pub record: &'a dyn Fn(Position) -> Option<(Command, Time)>,
}

impl std::fmt::Debug for CardFacts<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bins = self.bins.version();
        let facts = &mut f.debug_struct("CardFacts");
        facts.field("bins", &bins).finish_non_exhaustive()
    }
}

/// Steps of a transaction, put together.
#[derive(Default)]
struct Sum {
    approved: Option<Decision>,
    stands: Option<Money>,
    asked: Option<(ParticipantId, Trace)>,
    posted: Option<(ParticipantId, ParticipantId)>,
    decided: bool,
}

impl Sum {
    fn take(&mut self, step: CardStep) {
        match step {
            CardStep::Asked { to, trace } => self.asked = Some((to, trace)),
            CardStep::Decided(decision) => {
                self.decided = true;
                self.approved = matches!(decision, Decision::Approved { .. }).then_some(decision);
            }
            CardStep::Posted {
                debit,
                credit,
                reversal: false,
                ..
            } => self.posted = self.posted.or(Some((debit, credit))),
            CardStep::Reversed { stands } | CardStep::Reduced { stands, .. } => {
                self.stands = Some(stands);
            }
            _ => {}
        }
    }

    fn known(self, base: Known) -> Known {
        let (approval, approved) = match self.approved {
            Some(Decision::Approved {
                approval, amount, ..
            }) => (approval, amount),
            Some(Decision::Declined { .. }) | None => (None, Money::kzt(0)),
        };
        let posted = self.posted.map(|(debit, credit)| {
            if debit == base.acquirer {
                credit
            } else {
                debit
            }
        });
        Known {
            issuer: posted.unwrap_or(base.issuer),
            approval,
            approved,
            stands: self.stands.unwrap_or(approved),
            asked: self.asked.map(|(_, trace)| trace).or(base.asked),
            ..base
        }
    }
}

impl CardFacts<'_> {
    /// Every transaction of an acquirer that goes by a DE37, oldest first: requests, advices, and lines that were taken.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn by_retrieval(
        &self,
        acquirer: ParticipantId,
        retrieval: &str,
    ) -> Result<Vec<Known>, IndexError> {
        let mut found = Vec::new();
        for participant in self.senders(acquirer) {
            let name = CardName::Retrieval {
                participant,
                retrieval,
            };
            for position in self.index.card_named(&name, PAGE_MAX)? {
                found.extend(self.at(position, |named| named == retrieval)?);
            }
        }
        // A message under two names, and one that was repeated.
        let mut seen = BTreeSet::new();
        found.retain(|known| known.acquirer == acquirer && seen.insert(known.transaction.key));
        Ok(found)
    }

    /// What the record at a position is about, if it goes by a DE37 that is wanted.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn at(
        &self,
        position: Position,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<Known>, IndexError> {
        let Some((command, time)) = (self.record)(position) else {
            return Ok(Vec::new());
        };
        let (sender, transaction, approval) = match &command {
            Command::Request(request) => (request.origin.participant, request.transaction, None),
            Command::Advice(advice) => (
                advice.origin.participant,
                advice.transaction,
                advice.approval,
            ),
            Command::Present(present) => {
                let lines = present.lines.iter();
                let lines = lines.filter(|line| wanted(line.retrieval.as_str()));
                let known = lines.map(|line| self.of_line(present.participant, line, time));
                return known.filter_map(Result::transpose).collect();
            }
            _ => return Ok(Vec::new()),
        };
        if !wanted(transaction.references.retrieval.as_str()) {
            return Ok(Vec::new());
        }
        let sum = self.sum(transaction.key, Some(position))?;
        let route = transaction.route;
        let routed = route.and_then(|route| self.bins.range(route));
        let asked = sum.asked.map(|(to, _)| to);
        let issuer = routed.map(|range| range.issuer).or(asked);
        let known = sum.known(Known {
            submitted: position,
            at: time,
            transaction,
            acquirer: self.acquirer(sender, &transaction),
            issuer: issuer.unwrap_or(ParticipantId::SWITCH),
            approval,
            approved: Money::kzt(0),
            stands: Money::kzt(0),
            asked: None,
        });
        Ok(vec![known])
    }

    /// The line of this number in the piece of a presentment file at a position; none if it was not taken.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn presented(&self, position: Position, number: u32) -> Result<Option<Known>, IndexError> {
        let Some((Command::Present(present), time)) = (self.record)(position) else {
            return Ok(None);
        };
        let mut lines = present.lines.iter();
        let Some(line) = lines.find(|line| line.number == number) else {
            return Ok(None);
        };
        self.of_line(present.participant, line, time)
    }

    /// Whether a line of a presentment file was taken under this key.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn is_presented(&self, key: CardKey) -> Result<bool, IndexError> {
        let rows = self.index.card_records(CardOf::Transaction(key), 1)?;
        Ok(!rows.is_empty())
    }

    /// A line of a presentment file with what is known of its original, if there is one and `is_kept` says that its message still is.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn line(
        &self,
        acquirer: ParticipantId,
        line: Line,
        is_kept: impl Fn(&Known) -> bool,
    ) -> Result<Line, IndexError> {
        let candidates = self.by_retrieval(acquirer, line.retrieval.as_str())?;
        Ok(Line {
            presented: self.is_presented(line.key)?,
            known: choose(&candidates, &line).filter(is_kept),
            ..line
        })
    }

    /// Whose connections an acquirer's messages come on: its own, or its host's.
    fn senders(&self, acquirer: ParticipantId) -> impl Iterator<Item = ParticipantId> + '_ {
        let mut views = self.members.iter();
        let view = views.find(|view| view.participant == acquirer);
        let host = view.and_then(|view| view.profile.host);
        [Some(acquirer), host].into_iter().flatten()
    }

    fn acquirer(&self, sender: ParticipantId, transaction: &Transaction) -> ParticipantId {
        let institution = &transaction.references.acquirer;
        let mut views = self.members.iter();
        let found = views.find(|view| view.profile.institutions.contains(institution));
        found.map_or(sender, |view| view.participant)
    }

    fn sum(&self, key: CardKey, message: Option<Position>) -> Result<Sum, IndexError> {
        let of = CardOf::Transaction(key);
        let mut rows = self.index.card_records(of, PAGE_MAX)?;
        if let Some(position) = message {
            rows.extend(
                self.index
                    .card_records(CardOf::Message(position), PAGE_MAX)?,
            );
        }
        rows.sort_by_key(|row| row.position);
        let mut sum = Sum::default();
        for step in rows.iter().flat_map(|row| &row.steps) {
            sum.take(*step);
        }
        Ok(sum)
    }

    /// A line of a presentment file that was taken, as the transaction that it is.
    fn of_line(
        &self,
        acquirer: ParticipantId,
        line: &Line,
        time: Time,
    ) -> Result<Option<Known>, IndexError> {
        let sum = self.sum(line.key, None)?;
        let (Some(original), true) = (line.known, sum.decided) else {
            return Ok(None);
        };
        let service = match (line.kind, original.transaction.service) {
            (LineKind::Refund, _) => CardService::Refund,
            (LineKind::Purchase, CardService::PreAuthorisation) => CardService::Purchase,
            (LineKind::Purchase, service) => service,
        };
        let transaction = Transaction {
            class: Class::Financial,
            key: line.key,
            service,
            mcc: line.mcc,
            amount: line.amount,
            ..original.transaction
        };
        Ok(Some(sum.known(Known {
            at: time,
            transaction,
            acquirer,
            approval: line.approval,
            asked: None,
            ..original
        })))
    }
}

/// Whether a transaction is what a case may be about: it moved money from a cardholder.
pub fn is_disputable(known: &Known) -> bool {
    let transaction = &known.transaction;
    transaction.class == Class::Financial && transaction.service.direction() == Direction::Debit
}

/// Of the transactions under a line's DE37 the one that fits best: what the line is about, its card and terminal, its approval code,
/// an amount that is there, the newest.
fn choose(candidates: &[Known], line: &Line) -> Option<Known> {
    let fits = |known: &Known| {
        let transaction = &known.transaction;
        let kind = match line.kind {
            LineKind::Purchase => transaction.class == Class::Authorisation,
            LineKind::Refund => is_disputable(known),
        };
        (
            kind,
            transaction.card.pan == line.card,
            transaction.references.terminal == line.terminal,
            line.kind == LineKind::Refund || known.approval == line.approval,
            known.stands.minor() >= line.amount.minor(),
            known.submitted,
        )
    };
    candidates.iter().max_by_key(|known| fits(known)).copied()
}
