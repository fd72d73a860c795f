//! Statements and enquiries: what banks ask about their accounts, and the reporter that writes the answers from the log.
//!
//! The counterpart of the program's reporter: orders of one day are read in one pass, and page after page goes to the core; a process that
//! ends forgets what it read, and the next one goes on with the page that was not told.

use std::{cmp::Ordering, collections::VecDeque};

use torap_bank::Request;
use torap_domain::{Date, ParticipantId};
use torap_engine::{
    Command, Source,
    reports::{self, Account, Answer, Found, Line, Open, Order, Page, PaymentPage, Query, Wants},
};
use torap_follower::{
    SnapshotStore, Until, rebuild,
    statements::{self, Pages},
};
use torap_iso20022::{
    view::{AccountQuery, AccountRequest, PaymentQuery, SETTLEMENT_SERVICE},
    write,
};
use torap_journal::Reader;

use super::{
    Turn, operator,
    wire::{header, written},
};
use crate::{
    draw::Draw,
    node::Node,
    plan::{MILLI, Plan},
};

/// Between two looks at what is open.
const EVERY: u64 = 250 * MILLI;
/// Payments of a page, few so that there are more pages, and payments looked at to find them.
const PAGE_PAYMENTS: usize = 3;
const PAYMENT_STEPS: usize = 4096;

/// The first bank has everything from the beginning, the others some of it, and it changes.
pub(super) fn seed(plan: &Plan) -> Vec<Command> {
    let wants = |bank: usize| Wants {
        statements: bank != 1,
        notices: bank == 0 || bank == 2,
    };
    (0..plan.banks)
        .map(|bank| {
            Command::Reports(reports::Command::SetWants {
                source: operator("dana", "statements"),
                participant: ParticipantId::new(bank as u16 + 1),
                wants: wants(bank),
            })
        })
        .collect()
}

/// A bank asks, or what it is sent changes.
pub(super) fn ask(draw: &mut Draw, turn: &mut Turn<'_>, number: u64, commands: &mut Vec<Command>) {
    let bank = draw.index(turn.hosts.len());
    if bank != 0 && draw.chance(80) {
        commands.push(Command::Reports(reports::Command::SetWants {
            source: operator("dana", "statements"),
            participant: ParticipantId::new(bank as u16 + 1),
            wants: Wants {
                statements: draw.chance(700),
                notices: draw.chance(500),
            },
        }));
        return;
    }
    let id = format!("Q{number}");
    let from = &turn.hosts[bank];
    let today = Date::from_time(torap_domain::Time::from_nanos(turn.wall));
    let day = today.add_days(-(draw.range(0, 3) as i32)).to_string();
    let header = header(from, &id, turn.wall, SETTLEMENT_SERVICE);
    let account = Account::ALL[draw.weighted(&[5, 5, 2, 1])].code();
    let text = match draw.index(4) {
        0 => {
            let query = AccountQuery {
                message_id: &id,
                created_ns: turn.wall,
                owner: from.bic.as_str(),
            };
            written(|out| write::account_query(out, Some(&header), &query))
        }
        3 => {
            let statuses = [None, Some("PSTL"), Some("FINL"), Some("STLD"), Some("RJTD")];
            let query = PaymentQuery {
                message_id: &id,
                created_ns: turn.wall,
                status: statuses[draw.index(statuses.len())],
                is_credit: draw.chance(300).then(|| draw.chance(500)),
                ..PaymentQuery::default()
            };
            written(|out| write::payment_query(out, Some(&header), &query))
        }
        choice => {
            let is_statement = choice == 1;
            let request = AccountRequest {
                message_id: &id,
                created_ns: turn.wall,
                is_statement,
                account,
                owner: from.bic.as_str(),
                date: is_statement.then_some(day.as_str()),
                from_sequence: (!is_statement && draw.chance(400)).then(|| draw.range(1, 40)),
            };
            written(|out| write::account_request(out, Some(&header), &request))
        }
    };
    if let Some(text) = text {
        // A bank can always ask.
        let _ = turn.hosts[bank]
            .bank
            .handle(Request::Raw { text }, turn.wall);
    }
}

/// Pages on their way to the core; lost with the process.
#[derive(Debug)]
pub(super) struct Reporter {
    page_entries: usize,
    looks_at: u64,
    waiting: VecDeque<(u64, Open, Found)>,
    /// The page that the core has and has not decided.
    ticket: Option<u64>,
}

impl Reporter {
    pub(super) fn new(page_entries: usize) -> Reporter {
        Reporter {
            page_entries,
            looks_at: 0,
            waiting: VecDeque::new(),
            ticket: None,
        }
    }

    pub(super) fn decided(&mut self, ticket: u64) {
        if self.ticket == Some(ticket) {
            self.ticket = None;
        }
    }

    pub(super) fn process_ends(&mut self) {
        self.waiting.clear();
        self.ticket = None;
    }

    /// One page to the core, or a look at what is open. True if the core got something.
    pub(super) fn work(
        &mut self,
        node: &mut Node,
        snapshots: &SnapshotStore,
        now: u64,
    ) -> Result<bool, String> {
        if self.ticket.is_some() {
            return Ok(false);
        }
        if self.waiting.is_empty() {
            if now < self.looks_at {
                return Ok(false);
            }
            self.looks_at = now + EVERY;
            self.look(node, snapshots)?;
        }
        let Some((number, open, found)) = self.waiting.pop_front() else {
            return Ok(false);
        };
        let answer = Answer {
            source: Source::Switch,
            number,
            order: open.order,
            found,
        };
        let command = Command::Reports(reports::Command::Answer(Box::new(answer)));
        self.ticket = Some(node.ask(command));
        Ok(true)
    }

    fn look(&mut self, node: &Node, snapshots: &SnapshotStore) -> Result<(), String> {
        let engine = node.follower().engine();
        let open: Vec<(u64, Open)> = engine.open_orders().collect();
        for (number, open) in &open {
            let owner = open.order.owner;
            let found = match open.order.query {
                Query::Balances => Found::Balances {
                    at: engine.last().time,
                    figures: engine.account_figures(owner),
                    limits: engine.account_limits(owner),
                },
                Query::Payments { criteria, after } => {
                    let range = (after, open.order.upto);
                    let most = PAGE_PAYMENTS + 1;
                    let looked = engine.imts_payments(owner, &criteria, range, most, PAYMENT_STEPS);
                    let mut payments = looked.payments;
                    let is_last = payments.len() < most;
                    payments.truncate(PAGE_PAYMENTS);
                    Found::Payments(PaymentPage {
                        number: open.page,
                        is_last,
                        at: engine.last().time,
                        payments,
                    })
                }
                Query::Statement { .. } | Query::Intraday { .. } => continue,
            };
            self.waiting.push_back((*number, *open, found));
        }
        let days = || {
            let of_day = |query| matches!(query, Query::Statement { .. } | Query::Intraday { .. });
            open.iter()
                .filter(move |(_, open)| of_day(open.order.query))
        };
        let Some(date) = days().map(|(_, open)| date_of(&open.order)).next() else {
            return Ok(());
        };
        let of_day: Vec<(u64, Open)> = days()
            .filter(|(_, open)| date_of(&open.order) == date)
            .copied()
            .collect();
        self.write(&node.records.0, snapshots, date, of_day)
    }

    /// Statements of one day, in one pass over its records.
    fn write(
        &mut self,
        log: &Reader,
        snapshots: &SnapshotStore,
        date: Date,
        orders: Vec<(u64, Open)>,
    ) -> Result<(), String> {
        let Some((from, until)) = reports::bounds(date) else {
            return Ok(());
        };
        let began = rebuild(log, Some(snapshots), Until::Time(from), &mut |_| {})
            .map_err(|error| format!("statements of {date}: {error}"))?;
        let mut writing: Vec<Writing> = orders
            .into_iter()
            .filter_map(|(number, open)| Writing::new(number, open))
            .collect();
        let mut accounts: Vec<(ParticipantId, Account)> =
            writing.iter().map(|order| order.account).collect();
        accounts.sort_unstable();
        accounts.dedup();
        let mut pages = Vec::new();
        let entries = self.page_entries;
        let stated = statements::state(
            log,
            began,
            &accounts,
            Until::Time(until),
            &mut |place, line| {
                for order in writing.iter_mut() {
                    if accounts.get(place) == Some(&order.account)
                        && let Some(page) = order.add(line, entries)
                    {
                        pages.push((order.number, order.open, page));
                    }
                }
            },
        )
        .map_err(|error| format!("statements of {date}: {error}"))?;
        for order in writing {
            let place = accounts.iter().position(|known| *known == order.account);
            let opening = place.and_then(|place| stated.statements.get(place));
            let balance = order
                .balance
                .unwrap_or(opening.map_or(0, |statement| statement.opening));
            let (number, open, from) = (order.number, order.open, order.from());
            let ended = order.pages.unwrap_or_else(|| Pages::new(balance, entries));
            let mut page = ended.end();
            if page.entries.is_empty() {
                page.first = from;
            }
            pages.push((number, open, page));
        }
        for (number, open, page) in pages {
            match page.number.cmp(&open.page) {
                Ordering::Less if page.is_last => {
                    return Err(format!("order {number}: its last page was told before"));
                }
                Ordering::Less => {}
                Ordering::Equal | Ordering::Greater => {
                    self.waiting.push_back((number, open, Found::Page(page)));
                }
            }
        }
        Ok(())
    }
}

fn date_of(order: &Order) -> Date {
    match order.query {
        Query::Statement { date, .. } => date,
        Query::Intraday { .. } | Query::Balances | Query::Payments { .. } => {
            Date::from_time(order.at)
        }
    }
}

/// One order while its day is read.
struct Writing {
    number: u64,
    open: Open,
    account: (ParticipantId, Account),
    pages: Option<Pages>,
    /// After the last entry that does not count.
    balance: Option<i128>,
}

impl Writing {
    fn new(number: u64, open: Open) -> Option<Writing> {
        let account = match open.order.query {
            Query::Statement { account, .. } | Query::Intraday { account, .. } => account,
            Query::Balances | Query::Payments { .. } => return None,
        };
        Some(Writing {
            number,
            open,
            account: (open.order.owner, account),
            pages: None,
            balance: None,
        })
    }

    fn from(&self) -> u64 {
        match self.open.order.query {
            Query::Intraday { from, .. } => from,
            Query::Statement { .. } | Query::Balances | Query::Payments { .. } => 1,
        }
    }

    fn add(&mut self, line: &Line, entries: usize) -> Option<Page> {
        let is_day = matches!(self.open.order.query, Query::Statement { .. });
        if !is_day && line.entry.position > self.open.order.upto {
            return None;
        }
        if line.number < self.from() {
            self.balance = Some(line.balance);
            return None;
        }
        let before = line.balance.saturating_sub(line.entry.signed());
        let pages = self
            .pages
            .get_or_insert_with(|| Pages::new(before, entries));
        pages.add(line)
    }
}
