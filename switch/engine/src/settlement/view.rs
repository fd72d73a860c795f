//! IMTS as the operator and the solver see it.

use std::collections::BTreeSet;

use torap_clearing::SessionId;
use torap_domain::{Date, DayOverride, Money, ParticipantId, Position, Text, Time};
use torap_ledger::Book;
use torap_settlement::lsm::Problem;

use super::{Done, Hours, Priority, Waiting, liquidity::is_due};
use crate::{Engine, ancillary::DeliveryState};

/// The business day and the calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayView {
    /// None while no day is open.
    pub until: Option<Time>,
    /// When it stops taking payments of normal priority.
    pub cut_off: Option<Time>,
    /// When the calendar opens the next day.
    pub opens: Option<Time>,
    pub hours: Option<Hours>,
    /// Single dates that differ from the rules.
    pub dates: Vec<(Date, DayOverride)>,
    /// Whether liquidity transfers outside business days wait for the next one.
    pub keeps_liquidity: bool,
    /// Those that wait.
    pub liquidity_waiting: usize,
}

/// Something that settles on the settlement accounts on the open business day, and has not yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DueToday {
    /// A session of the clearing system that closes on this date, with items that wait for it.
    Clearing {
        session: SessionId,
        closes: Time,
        items: u32,
    },
    /// The nets of a card session; until when debtors have time, none while it waits for another one.
    Cards {
        session: Date,
        cycle: u16,
        until: Option<Time>,
    },
    /// Securities that wait for their money.
    Delivery { reference: Text<35>, expires: Time },
}

/// A settlement account, in minor units of KZT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountView {
    pub participant: ParticipantId,
    /// Below zero by the intraday credit in use.
    pub balance: i128,
    pub credit_line: u64,
    /// Balance plus credit line.
    pub available: i128,
    /// What payments of normal priority must leave.
    pub reserved: u64,
    /// Payments that wait, and their sum.
    pub queued: usize,
    pub queued_amount: u128,
}

/// A limit and what it leaves for the rest of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitView {
    pub participant: ParticipantId,
    /// None: towards all.
    pub towards: Option<ParticipantId>,
    pub amount: Money,
    pub left: Money,
}

/// What a solver does to the order of a bank's payments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SolverOrder {
    Kept,
    Bypassed,
}

/// What waits and may settle now, as a problem for a solver.
#[derive(Clone, Debug)]
pub struct Gridlock {
    pub problem: Problem,
    /// The record of each payment of the problem.
    pub ids: Vec<Position>,
}

impl Engine {
    /// The business day and the calendar.
    pub fn imts_day(&self) -> DayView {
        let settlement = &self.state.settlement;
        DayView {
            until: settlement.open_until(),
            cut_off: settlement.open.and_then(|open| open.cut_off),
            opens: settlement.opens.map(|(time, _)| time),
            hours: settlement.hours,
            dates: settlement.calendar.overrides().collect(),
            keeps_liquidity: settlement.told.keeps_liquidity,
            liquidity_waiting: settlement.told.liquidity.len(),
        }
    }

    /// What would be cut off, or have to be covered, if the open business day ended now; nothing while none is open.
    pub fn imts_due_today(&self, now: Time) -> Vec<DueToday> {
        if self.state.settlement.open.is_none() {
            return Vec::new();
        }
        let today = Date::from_time(now);
        let clearing = self.clearing_view();
        let session = clearing.open.and_then(|(session, closes)| {
            let rows = clearing.waiting.iter();
            let rows = rows.filter(|(date, _, _)| *date <= session.date);
            let items = rows.fold(0_u32, |sum, (_, items, _)| sum.saturating_add(*items));
            (items > 0 && Date::from_time(closes) == today).then_some(DueToday::Clearing {
                session,
                closes,
                items,
            })
        });
        let cards = self.card_settlements().map(|one| DueToday::Cards {
            session: one.session,
            cycle: one.cycle,
            until: one.until,
        });
        let deliveries = self
            .deliveries()
            .filter(|known| known.state == DeliveryState::Waits)
            .map(|known| DueToday::Delivery {
                reference: known.delivery.reference,
                expires: known.delivery.expires,
            });
        session.into_iter().chain(cards).chain(deliveries).collect()
    }

    /// Balances of all accounts of a book, by their owners, in minor units of KZT.
    pub fn balances(&self, book: Book) -> impl Iterator<Item = (ParticipantId, i128)> + '_ {
        let accounts = self.state.ledger.accounts();
        let of = accounts.filter(move |(_, account)| account.key().book == book);
        of.map(|(_, account)| (account.key().owner, account.balance()))
    }

    /// Who settles for a participant: its sponsor, or itself.
    pub fn settles_through(&self, participant: ParticipantId) -> ParticipantId {
        self.state.participants.settles_through(participant)
    }

    /// Settlement accounts of all participants that settle themselves.
    pub fn settlement_accounts(&self) -> impl Iterator<Item = AccountView> + '_ {
        let participants = &self.state.participants;
        let settling = move |id: &ParticipantId| participants.settles_through(*id) == *id;
        let ids = participants.ids().filter(settling);
        ids.filter_map(|id| self.settlement_account_view(id))
    }

    fn settlement_account_view(&self, participant: ParticipantId) -> Option<AccountView> {
        let account = self.state.settlement_account(participant)?;
        let account = self.state.ledger.account(account)?;
        let settlement = &self.state.settlement;
        let queued = settlement.queue.of(participant);
        let (queued, queued_amount) = queued.fold((0_usize, 0_u128), |(count, sum), waiting| {
            let amount = u128::from(waiting.payment.amount.minor());
            (count.saturating_add(1), sum.saturating_add(amount))
        });
        Some(AccountView {
            participant,
            balance: account.balance(),
            credit_line: account.credit_line(),
            available: account.available(),
            reserved: settlement.reserved.get(&participant).copied().unwrap_or(0),
            queued,
            queued_amount,
        })
    }

    /// Letters to banks about what happened in IMTS that are still to go out.
    pub fn imts_letters(&self) -> usize {
        self.state.settlement.told.letters()
    }

    /// Payments that wait, by payer and then in the order in which they settle.
    pub fn settlement_queue(&self) -> impl Iterator<Item = Waiting> + '_ {
        self.state.settlement.queue.all().copied()
    }

    /// The last payments that ended, oldest first.
    pub fn settlement_done(&self) -> impl Iterator<Item = Done> + '_ {
        self.state.settlement.done()
    }

    /// Limits of IMTS, by participant.
    pub fn settlement_limits(&self) -> impl Iterator<Item = LimitView> + '_ {
        let settlement = &self.state.settlement;
        let limits = settlement.limits.iter();
        limits.map(|((participant, towards), amount)| LimitView {
            participant: *participant,
            towards: *towards,
            amount: Money::kzt(*amount),
            left: Money::kzt(settlement.limit_left(*participant, *towards).unwrap_or(0)),
        })
    }

    /// What waits and may settle now; none if nothing does. For a solver, away from the core's thread: it copies the queue.
    /// `order` says what the solver does: one that bypasses the order gets nothing of a payer with a payment that must not be
    /// overtaken.
    pub fn gridlock(&self, order: SolverOrder) -> Option<Gridlock> {
        let now = self.state.last.time;
        let queue = || {
            let all = self.state.settlement.queue.all();
            let due = all.filter(move |waiting| is_due(&waiting.payment, now));
            due.filter(|waiting| self.state.stopped(waiting).is_none())
        };
        let kept: BTreeSet<ParticipantId> = match order {
            SolverOrder::Kept => BTreeSet::new(),
            SolverOrder::Bypassed => queue()
                .filter(|waiting| waiting.payment.priority != Priority::Normal)
                .map(|waiting| waiting.payment.from)
                .collect(),
        };
        let waiting: Vec<Waiting> = queue()
            .filter(|waiting| !kept.contains(&waiting.payment.from))
            .copied()
            .collect();
        if waiting.is_empty() {
            return None;
        }
        Some(Gridlock {
            problem: self.state.problem(&waiting)?,
            ids: waiting.iter().map(|waiting| waiting.id).collect(),
        })
    }
}
