//! A card transaction as facts of a command: what index and log know of it, for lines of presentment files and for disputes.

use std::sync::Arc;

use torap_domain::{CardService, Money, ParticipantId, Position, Time};
use torap_engine::{
    Command,
    cards::{
        self, BinTable, CardKey, Class, Decision, Known, Line, LineKind, MemberView, Trace,
        Transaction,
    },
};
use torap_index::{CardName, CardOf, CardStep, Index};

use super::{RECORDS_MAX, Wanted};
use crate::{
    control::Refusal,
    serve::{
        control::show::{self, unreadable},
        switch::Switch,
    },
};

/// What look-ups need of the engine: members and the BIN table, as of the last record.
pub(in crate::serve::control) struct Members {
    views: Vec<MemberView>,
    bins: Arc<BinTable>,
}

impl Members {
    /// Asks the engine, and waits until the index has everything up to there.
    pub(in crate::serve::control) async fn gather(switch: &Switch) -> Result<Members, Refusal> {
        let (views, bins, last) = show::ask(switch, |engine| {
            let views = engine.card_members().collect();
            (views, engine.card_bins(), engine.last().position)
        })
        .await?;
        // A read side that has ended ends the switch, which says so.
        let _ = switch.follower.ask(last, |_| ()).await;
        Ok(Members { views, bins })
    }

    /// Whose connections an acquirer's messages come on: its own, or its host's.
    fn senders(&self, acquirer: ParticipantId) -> impl Iterator<Item = ParticipantId> + '_ {
        let view = self.views.iter().find(|view| view.participant == acquirer);
        let host = view.and_then(|view| view.profile.host);
        [Some(acquirer), host].into_iter().flatten()
    }

    fn acquirer(&self, sender: ParticipantId, transaction: &Transaction) -> ParticipantId {
        let institution = &transaction.references.acquirer;
        let mut views = self.views.iter();
        let found = views.find(|view| view.profile.institutions.contains(institution));
        found.map_or(sender, |view| view.participant)
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
    fn of(switch: &Switch, key: CardKey, message: Option<Position>) -> Result<Sum, Refusal> {
        let mut rows = switch
            .index
            .card_records(CardOf::Transaction(key), RECORDS_MAX)
            .map_err(unreadable)?;
        if let Some(position) = message {
            let more = switch
                .index
                .card_records(CardOf::Message(position), RECORDS_MAX);
            rows.extend(more.map_err(unreadable)?);
        }
        rows.sort_by_key(|row| row.position);
        let mut sum = Sum::default();
        for step in rows.iter().flat_map(|row| &row.steps) {
            match *step {
                CardStep::Asked { to, trace } => sum.asked = Some((to, trace)),
                CardStep::Decided(decision) => {
                    sum.decided = true;
                    sum.approved =
                        matches!(decision, Decision::Approved { .. }).then_some(decision);
                }
                CardStep::Posted {
                    debit,
                    credit,
                    reversal: false,
                    ..
                } => sum.posted = sum.posted.or(Some((debit, credit))),
                CardStep::Reversed { stands } | CardStep::Reduced { stands, .. } => {
                    sum.stands = Some(stands);
                }
                _ => {}
            }
        }
        Ok(sum)
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

/// Every transaction of an acquirer that goes by a DE37, oldest first: requests, advices, and lines that were taken.
pub(in crate::serve::control) fn by_retrieval(
    switch: &Switch,
    members: &Members,
    acquirer: ParticipantId,
    retrieval: &str,
) -> Result<Vec<Known>, Refusal> {
    let mut found = Vec::new();
    for sender in members.senders(acquirer) {
        let name = CardName::Retrieval {
            participant: sender,
            retrieval,
        };
        let positions = switch.index.card_named(&name, RECORDS_MAX);
        for position in positions.map_err(unreadable)? {
            let of_position = at(switch, members, position, |named| named == retrieval)?;
            found.extend(of_position);
        }
    }
    // A message under two names, and one that was repeated.
    let mut seen = std::collections::BTreeSet::new();
    found.retain(|known: &Known| known.acquirer == acquirer && seen.insert(known.transaction.key));
    Ok(found)
}

/// The transactions that go by an operator's identifier of one, or the line `POSITION/LINE` of a presentment file.
pub(in crate::serve::control) fn by_id(
    switch: &Switch,
    members: &Members,
    id: &str,
) -> Result<Vec<Known>, Refusal> {
    if let Some((position, number)) = id.split_once('/')
        && let (Ok(position), Ok(number)) = (position.parse(), number.parse::<u32>())
    {
        let wrong = || Refusal::of_request("id", "no presentment was taken there");
        let position = Position(position);
        let (present, time) = presented(switch, position).ok_or_else(wrong)?;
        let line = present.lines.iter().find(|line| line.number == number);
        let known = line.map(|line| of_line(switch, present.participant, line, time));
        let known = known.transpose()?.flatten();
        return Ok(vec![known.ok_or_else(wrong)?]);
    }
    match Wanted::parse(switch, id)? {
        Wanted::At(position) => at(switch, members, position, |_| true),
        Wanted::Retrieval(acquirer, retrieval) => {
            by_retrieval(switch, members, acquirer, &retrieval)
        }
        wanted @ Wanted::Trace(..) => {
            let mut found = Vec::new();
            for position in super::keys(switch, &wanted)?.into_values() {
                found.extend(at(switch, members, position, |_| true)?);
            }
            Ok(found)
        }
    }
}

/// The index has a line with this key.
pub(in crate::serve::control) fn is_presented(
    switch: &Switch,
    key: CardKey,
) -> Result<bool, Refusal> {
    let rows = switch.index.card_records(CardOf::Transaction(key), 1);
    Ok(!rows.map_err(unreadable)?.is_empty())
}

/// What the record at a position is about, if it goes by that DE37.
fn at(
    switch: &Switch,
    members: &Members,
    position: Position,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<Known>, Refusal> {
    let Ok((Command::Cards(command), time, _)) = switch.records().read(position) else {
        return Ok(Vec::new());
    };
    let (sender, transaction, approval) = match &command {
        cards::Command::Request(request) => (request.origin.participant, request.transaction, None),
        cards::Command::Advice(advice) => (
            advice.origin.participant,
            advice.transaction,
            advice.approval,
        ),
        cards::Command::Present(present) => {
            let time = Time::from_nanos(time);
            let lines = present.lines.iter();
            let lines = lines.filter(|line| wanted(line.retrieval.as_str()));
            let known = lines.map(|line| of_line(switch, present.participant, line, time));
            return known.filter_map(Result::transpose).collect();
        }
        _ => return Ok(Vec::new()),
    };
    if !wanted(transaction.references.retrieval.as_str()) {
        return Ok(Vec::new());
    }
    let sum = Sum::of(switch, transaction.key, Some(position))?;
    let route = transaction.route;
    let routed = route.and_then(|route| members.bins.range(route));
    let asked = sum.asked.map(|(to, _)| to);
    let issuer = routed.map(|range| range.issuer).or(asked);
    let known = sum.known(Known {
        submitted: position,
        at: Time::from_nanos(time),
        transaction,
        acquirer: members.acquirer(sender, &transaction),
        issuer: issuer.unwrap_or(ParticipantId::SWITCH),
        approval,
        approved: Money::kzt(0),
        stands: Money::kzt(0),
        asked: None,
    });
    Ok(vec![known])
}

/// A line of a presentment file that was taken, as the transaction that it is.
fn of_line(
    switch: &Switch,
    acquirer: ParticipantId,
    line: &Line,
    time: Time,
) -> Result<Option<Known>, Refusal> {
    let sum = Sum::of(switch, line.key, None)?;
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

fn presented(switch: &Switch, position: Position) -> Option<(cards::Present, Time)> {
    match switch.records().read(position) {
        Ok((Command::Cards(cards::Command::Present(present)), time, _)) => {
            Some((present, Time::from_nanos(time)))
        }
        _ => None,
    }
}
