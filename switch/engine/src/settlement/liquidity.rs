//! Which waiting payments settle: the head of a queue, an offset between two banks, a resolution found outside.

use std::collections::{BTreeMap, BTreeSet};

use torap_domain::{ParticipantId, Position, Reason, Time};
use torap_settlement::lsm::{self, Limit, Problem};

use super::{Done, End, Payment, Priority, RESOLUTION_MAX, State, payments, queue::Waiting};
use crate::{Output, Stamp, ancillary, engine};

/// Payments that one command settles from queues, at most; the next Tick goes on.
pub(super) const CASCADE_MAX: usize = 1024;
/// Payments at the head of each of two queues that are offset against each other.
const OFFSET_MAX: usize = 32;

/// The participant may have more to pay with, or another head of its queue: settles what can settle, and what follows from it.
pub(crate) fn credited(
    state: &mut engine::State,
    stamp: Stamp,
    participant: ParticipantId,
    out: &mut Output,
) {
    state.settlement.again.insert(participant);
    go_on(state, stamp, out);
}

/// Tries the queues that are to be tried, in the order of participants.
pub(crate) fn go_on(state: &mut engine::State, stamp: Stamp, out: &mut Output) {
    let mut left = CASCADE_MAX;
    while left > 0 {
        let Some(participant) = state.settlement.again.pop_first() else {
            break;
        };
        if state.settlement.is_open().is_err() {
            continue;
        }
        ancillary::collect(state, stamp, participant, out);
        let settled = try_queue(state, stamp, participant, left, out);
        ancillary::try_deliveries(state, stamp, participant, out);
        ancillary::top_up(state, stamp, participant, out);
        left = left.saturating_sub(settled);
        if left == 0 {
            state.settlement.again.insert(participant);
        }
    }
    let rest = !state.settlement.again.is_empty();
    state.settlement.again_since = rest.then_some((stamp.time, stamp.position));
}

/// Settles from the head of a bank's queue until it cannot, and gives the number of payments that ended.
fn try_queue(
    state: &mut engine::State,
    stamp: Stamp,
    participant: ParticipantId,
    most: usize,
    out: &mut Output,
) -> usize {
    if state.is_held(participant) {
        return 0;
    }
    let mut settled = 0_usize;
    while settled < most {
        state.settlement.queue.ripen(participant, stamp.time);
        let Some(head) = state.head(participant) else {
            break;
        };
        if let Some(reason) = state.stopped(&head) {
            payments::finish(state, stamp, head.id, End::Rejected(reason), out);
            settled = settled.saturating_add(1);
            continue;
        }
        let together = if state.may_settle(&head.payment) {
            vec![head.id]
        } else {
            state.settlement.queue.ripen(head.payment.to, stamp.time);
            state.offset(participant, head.payment.to)
        };
        if together.is_empty() {
            break;
        }
        settled = settled.saturating_add(together.len());
        settle_together(state, stamp, &together, out);
    }
    settled
}

/// Settles payments that hold together, whatever each needs alone, and has the queues of their banks tried again.
fn settle_together(state: &mut engine::State, stamp: Stamp, ids: &[Position], out: &mut Output) {
    let mut parties: BTreeSet<ParticipantId> = BTreeSet::new();
    for id in ids {
        if let Some(waiting) = state.settlement.queue.get(*id) {
            parties.extend([waiting.payment.from, waiting.payment.to]);
        }
    }
    if let [id] = ids {
        settle(state, stamp, *id, out);
    } else {
        settle_all(state, stamp, ids, &parties, out);
    }
    // Whoever was paid has more money, or owes another less.
    state.settlement.again.extend(parties);
}

/// Books a set. An account may be below its line between two bookings of it, never after it.
fn settle_all(
    state: &mut engine::State,
    stamp: Stamp,
    ids: &[Position],
    parties: &BTreeSet<ParticipantId>,
    out: &mut Output,
) {
    let mut accounts = Vec::new();
    for participant in parties {
        if let Some(account) = state.settlement_account(*participant) {
            let line = state
                .ledger
                .account(account)
                .map_or(0, |account| account.credit_line());
            accounts.push((account, line));
        }
    }
    for (account, _) in &accounts {
        let widened = state.ledger.set_credit_line(*account, u64::MAX);
        assert!(widened.is_ok(), "a line can always be widened");
    }
    for id in ids {
        settle(state, stamp, *id, out);
    }
    for (account, line) in accounts {
        let restored = state.ledger.set_credit_line(account, line);
        assert!(
            restored.is_ok(),
            "a set that holds leaves no account below its line"
        );
    }
}

fn settle(state: &mut engine::State, stamp: Stamp, id: Position, out: &mut Output) {
    let Some(payment) = state
        .settlement
        .queue
        .get(id)
        .map(|waiting| waiting.payment)
    else {
        return;
    };
    let debit = state.settlement_account(payment.from);
    let Some((debit, credit)) = debit.zip(state.settlement_account(payment.to)) else {
        return;
    };
    match state.ledger.transfer(debit, credit, payment.amount) {
        Ok(()) => {
            let key = (payment.from, payment.to);
            let paid = state.settlement.paid.entry(key).or_default();
            *paid = paid.saturating_add(u128::from(payment.amount.minor()));
            payments::finish(state, stamp, id, End::Settled, out);
        }
        // A sum of the ledger is full.
        Err(refusal) => {
            let end = End::Rejected(engine::refused_by_ledger(refusal));
            payments::finish(state, stamp, id, end, out);
        }
    }
}

/// Settles what a solver found, if it still holds and overtakes nothing but payments of normal priority.
pub(super) fn resolve(
    state: &mut engine::State,
    stamp: Stamp,
    ids: &[Position],
    out: &mut Output,
) -> Result<(), Reason> {
    state.settlement.is_open()?;
    let rises = ids
        .iter()
        .zip(ids.iter().skip(1))
        .all(|(one, next)| one < next);
    if ids.is_empty() || ids.len() > RESOLUTION_MAX || !rises {
        return Err(Reason::OperatorRefused);
    }
    let mut chosen = Vec::with_capacity(ids.len());
    for id in ids {
        let waiting = state.settlement.queue.get(*id).copied();
        let waiting = waiting.filter(|waiting| is_due(&waiting.payment, stamp.time));
        let waiting = waiting.filter(|waiting| state.stopped(waiting).is_none());
        chosen.push(waiting.ok_or(Reason::ResolutionStale)?);
    }
    let gridlock = state.problem(&chosen);
    let places: Vec<u32> = (0_u32..).zip(&chosen).map(|(place, _)| place).collect();
    if !gridlock.is_some_and(|problem| problem.holds(&places)) {
        return Err(Reason::ResolutionStale);
    }
    for waiting in &chosen {
        let payer = waiting.payment.from;
        state.settlement.queue.ripen(payer, stamp.time);
    }
    if !state.keeps_priorities(&chosen) {
        return Err(Reason::OperatorRefused);
    }
    settle_together(state, stamp, ids, out);
    go_on(state, stamp, out);
    Ok(())
}

/// Whether a payment may settle by now.
pub(super) fn is_due(payment: &Payment, now: Time) -> bool {
    payment.earliest.is_none_or(|earliest| earliest <= now)
}

impl engine::State {
    /// Whether no payment is overtaken that must not be: one of normal priority may be, by others of its payer.
    fn keeps_priorities(&self, chosen: &[Waiting]) -> bool {
        let ids: BTreeSet<Position> = chosen.iter().map(|waiting| waiting.id).collect();
        let payers: BTreeSet<ParticipantId> =
            chosen.iter().map(|waiting| waiting.payment.from).collect();
        payers.into_iter().all(|payer| {
            let due = self.settlement.queue.due(payer);
            let due = due.filter(|waiting| self.stopped(waiting).is_none());
            let mut behind = due.skip_while(|waiting| {
                ids.contains(&waiting.id) || waiting.payment.priority == Priority::Normal
            });
            !behind.any(|waiting| ids.contains(&waiting.id))
        })
    }

    /// The payment of a bank that settles next.
    fn head(&self, participant: ParticipantId) -> Option<Waiting> {
        self.settlement.queue.due(participant).next().copied()
    }

    /// Whether funds and limits are enough for one payment alone.
    fn may_settle(&self, payment: &Payment) -> bool {
        let amount = payment.amount.minor();
        let reserves = payment.priority == Priority::Normal;
        let bilateral = self.settlement.limit_left(payment.from, Some(payment.to));
        let multilateral = self.settlement.limit_left(payment.from, None);
        self.imts_funds(payment.from, reserves) >= amount
            && bilateral.is_none_or(|left| left >= amount)
            && multilateral.is_none_or(|left| left >= amount)
    }

    /// What a bank may pay net, in minor units; with `reserves` its reservation stays.
    pub(crate) fn imts_funds(&self, participant: ParticipantId, reserves: bool) -> u64 {
        let available = self.imts_available(participant).max(0);
        let available = u64::try_from(available).unwrap_or(u64::MAX);
        let reserved = self.settlement.reserved.get(&participant).copied();
        if reserves {
            available.saturating_sub(reserved.unwrap_or(0))
        } else {
            available
        }
    }

    /// Payments at the heads of two banks' queues that settle when they are set against each other.
    fn offset(&self, one: ParticipantId, other: ParticipantId) -> Vec<Position> {
        let run = |from: ParticipantId, to: ParticipantId| {
            let due = self.settlement.queue.due(from);
            due.take_while(move |waiting| waiting.payment.to == to)
                .take_while(|waiting| self.stopped(waiting).is_none())
                .take(OFFSET_MAX)
                .copied()
        };
        let back: Vec<Waiting> = run(other, one).collect();
        if back.is_empty() {
            return Vec::new();
        }
        let both: Vec<Waiting> = run(one, other).chain(back).collect();
        let Some(problem) = self.problem(&both) else {
            return Vec::new();
        };
        let settled = lsm::fifo(&problem).settled;
        let ids = settled.iter().filter_map(|place| both.get(*place as usize));
        ids.map(|waiting| waiting.id).collect()
    }

    /// The problem of settling all of `waiting` at once: each payer's in its order. None if it makes no sense, which the rules
    /// for payments prevent.
    pub(super) fn problem(&self, waiting: &[Waiting]) -> Option<Problem> {
        let mut places: BTreeMap<ParticipantId, u32> = BTreeMap::new();
        for Waiting { payment, .. } in waiting {
            for participant in [payment.from, payment.to] {
                let next = u32::try_from(places.len()).unwrap_or(u32::MAX);
                places.entry(participant).or_insert(next);
            }
        }
        let mut funds = vec![0_u64; places.len()];
        for (participant, place) in &places {
            let most = self.settlement.limit_left(*participant, None);
            let available = self.imts_funds(*participant, true);
            if let Some(slot) = funds.get_mut(*place as usize) {
                *slot = available.min(most.unwrap_or(u64::MAX));
            }
        }
        let place = |participant: ParticipantId| places.get(&participant).copied();
        let payments = waiting
            .iter()
            .map(|Waiting { payment, .. }| {
                Some(lsm::Payment {
                    from: place(payment.from)?,
                    to: place(payment.to)?,
                    amount: payment.amount.minor(),
                })
            })
            .collect::<Option<Vec<_>>>()?;
        let limits: Vec<Limit> = self
            .settlement
            .limits
            .keys()
            .filter_map(|(from, to)| {
                let to = (*to)?;
                Some(Limit {
                    from: place(*from)?,
                    to: place(to)?,
                    amount: self.settlement.limit_left(*from, Some(to))?,
                })
            })
            .collect();
        Problem::new(funds, payments, &limits).ok()
    }
}

impl State {
    /// What a limit leaves for the rest of the day, in minor units; none without a limit. What was paid beyond a limit that was
    /// lowered leaves nothing.
    pub(super) fn limit_left(
        &self,
        participant: ParticipantId,
        towards: Option<ParticipantId>,
    ) -> Option<u64> {
        let limit = *self.limits.get(&(participant, towards))?;
        let signed = |amount: u128| i128::try_from(amount).unwrap_or(i128::MAX);
        let paid = match towards {
            Some(other) => {
                let paid = |from, to| signed(self.paid.get(&(from, to)).copied().unwrap_or(0));
                paid(participant, other).saturating_sub(paid(other, participant))
            }
            None => self.paid.iter().fold(0_i128, |sum, ((from, to), amount)| {
                if *from == participant {
                    sum.saturating_add(signed(*amount))
                } else if *to == participant {
                    sum.saturating_sub(signed(*amount))
                } else {
                    sum
                }
            }),
        };
        let left = i128::from(limit).saturating_sub(paid);
        Some(u64::try_from(left.max(0)).unwrap_or(u64::MAX))
    }

    /// Ended payments, oldest first.
    pub(crate) fn done(&self) -> impl Iterator<Item = Done> + '_ {
        self.done.iter().copied()
    }
}
