//! The reporter: writes down what banks have asked about their accounts, away from the core.
//!
//! Orders stand in the engine. The reporter takes those of one day together, replays the day once from the log, and hands each page to
//! the core as a command that holds every word of it; balances and payments it reads from the read side's engine. What a crash leaves open is done
//! after it, from the page that was not told.

use std::{cmp::Ordering, collections::HashMap, sync::Arc, time::Duration};

use tokio::sync::{mpsc, oneshot};
use torap_domain::{Date, ParticipantId, Position, Reason};
use torap_engine::{
    Command, Source,
    reports::{
        self, Account, Answer, Criteria, Found, Line, ORDERS_MAX, Open, PAGE_ENTRIES_MAX,
        PAGE_PAYMENTS_MAX, PAYMENT_PAGES_MAX, PaymentPage, PaymentView, Query,
    },
};
use torap_follower::statements::Pages;
use torap_iso20022::write::{REPORT_PAGES_MAX, REPORT_TIYN_MAX};

use super::switch::Switch;
use crate::reconcile::Log;

/// Between two looks at what is open.
const EVERY: Duration = Duration::from_millis(250);
/// Pages that wait for the core.
const PAGES_AHEAD: usize = 4;
/// A day that cannot be read so many times is given up.
const TRIES_MAX: u32 = 3;
/// Payments of IMTS that one look at the read side's engine passes over, at most.
const PAYMENT_STEPS: usize = 50_000;
/// After a day that could not be read.
const AFTER_FAILURE: Duration = Duration::from_secs(2);

type Orders = Vec<(u64, Open)>;

/// What is done beside each other, so that a long reading holds nothing else up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lane {
    /// Balances and payments, from the read side's engine.
    State,
    /// Today and yesterday: snapshots of their midnights are kept.
    Recent,
    /// Days that may be read from far back.
    Old,
}

/// Does what is open, until it is aborted.
pub(super) async fn run(switch: Arc<Switch>) {
    tokio::join!(
        enquiries(&switch),
        days(&switch, Lane::Recent),
        days(&switch, Lane::Old)
    );
}

/// What is open of a lane; the error says that the read side has ended, and so does the switch.
async fn open(switch: &Switch, lane: Lane) -> Result<Orders, String> {
    let open = move |engine: &torap_engine::Engine| -> Orders {
        let yesterday = Date::from_time(engine.last().time).add_days(-1);
        let of = |open: &Open| match open.order.query {
            Query::Balances | Query::Payments { .. } => Lane::State,
            _ if date_of(open) >= yesterday => Lane::Recent,
            _ => Lane::Old,
        };
        let orders = engine.open_orders().filter(|(_, open)| of(open) == lane);
        orders.take(ORDERS_MAX).collect()
    };
    switch.ask(open).await
}

fn looks() -> tokio::time::Interval {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ticks
}

async fn enquiries(switch: &Switch) {
    let mut ticks = looks();
    loop {
        ticks.tick().await;
        let Ok(orders) = open(switch, Lane::State).await else {
            return;
        };
        for (number, open) in orders {
            let done = match open.order.query {
                Query::Payments { criteria, after } => {
                    payments(switch, number, open, criteria, after).await
                }
                _ => balances(switch, number, open).await,
            };
            if done.is_err() {
                return;
            }
        }
    }
}

async fn days(switch: &Arc<Switch>, lane: Lane) {
    let mut ticks = looks();
    let mut tries: HashMap<Date, u32> = HashMap::new();
    loop {
        ticks.tick().await;
        let Ok(mut of_day) = open(switch, lane).await else {
            return;
        };
        let Some(date) = of_day.first().map(|(_, open)| date_of(open)) else {
            continue;
        };
        of_day.retain(|(_, open)| date_of(open) == date);
        match statements(switch, date, of_day.clone()).await {
            Ok(()) => {
                tries.remove(&date);
            }
            Err(error) => {
                let failed = tries.entry(date).or_default();
                *failed += 1;
                tracing::warn!(%date, %error, tries = *failed, "statements are not written");
                if *failed >= TRIES_MAX {
                    tries.remove(&date);
                    for (number, open) in of_day {
                        let found = Found::Failed(Reason::InternalLimit);
                        if submit(switch, number, open, found).await.is_err() {
                            return;
                        }
                    }
                    tracing::error!(%date, "statements are given up: torap ctl statement says why");
                }
                tokio::time::sleep(AFTER_FAILURE).await;
            }
        }
    }
}

fn date_of(open: &Open) -> Date {
    match open.order.query {
        Query::Statement { date, .. } => date,
        Query::Intraday { .. } | Query::Balances | Query::Payments { .. } => {
            Date::from_time(open.order.at)
        }
    }
}

/// The switch is stopping.
struct Stopping;

async fn submit(switch: &Switch, number: u64, open: Open, found: Found) -> Result<(), Stopping> {
    let answer = Answer {
        source: Source::Switch,
        number,
        order: open.order,
        found,
    };
    let command = Command::Reports(reports::Command::Answer(Box::new(answer)));
    let decided = switch.intake.decide(command).await;
    decided.map(|_| ()).map_err(|_| Stopping)
}

async fn balances(switch: &Switch, number: u64, open: Open) -> Result<(), Stopping> {
    let owner = open.order.owner;
    let found = switch
        .ask(move |engine| Found::Balances {
            at: engine.last().time,
            figures: engine.account_figures(owner),
            limits: engine.account_limits(owner),
        })
        .await
        .map_err(|_| Stopping)?;
    submit(switch, number, open, writable(found)).await
}

/// What a message can state, or that it cannot be written: the question is answered in either case.
fn writable(found: Found) -> Found {
    if found.largest() > u128::from(REPORT_TIYN_MAX) {
        Found::Failed(Reason::InternalLimit)
    } else {
        found
    }
}

/// One page of payments; the next look goes on behind it, so that questions of other banks have their turn.
async fn payments(
    switch: &Switch,
    number: u64,
    open: Open,
    criteria: Criteria,
    mut after: Position,
) -> Result<(), Stopping> {
    if open.page > PAYMENT_PAGES_MAX {
        let found = Found::Failed(Reason::InternalLimit);
        return submit(switch, number, open, found).await;
    }
    let (owner, upto) = (open.order.owner, open.order.upto);
    let mut found: Vec<PaymentView> = Vec::new();
    let (at, is_last) = loop {
        // One more than the page holds says whether it is the last.
        let most = (PAGE_PAYMENTS_MAX + 1).saturating_sub(found.len());
        let look = move |engine: &torap_engine::Engine| {
            let range = (after, upto);
            let looked = engine.imts_payments(owner, &criteria, range, most, PAYMENT_STEPS);
            (engine.last().time, looked)
        };
        let (at, looked) = switch.ask(look).await.map_err(|_| Stopping)?;
        found.extend(looked.payments);
        match looked.after {
            _ if found.len() > PAGE_PAYMENTS_MAX => break (at, false),
            Some(next) => after = next,
            None => break (at, true),
        }
    };
    found.truncate(PAGE_PAYMENTS_MAX);
    let found = Found::Payments(PaymentPage {
        number: open.page,
        is_last,
        at,
        payments: found,
    });
    submit(switch, number, open, writable(found)).await
}

/// Statements of one day, in one pass over its records.
async fn statements(switch: &Arc<Switch>, date: Date, orders: Orders) -> Result<(), String> {
    let (pages, mut written) = mpsc::channel::<(u64, Open, Found)>(PAGES_AHEAD);
    let folder = switch.folder.clone();
    let archive = switch.config.journal.archive_dir.clone();
    let work = move || {
        let archive = archive.map(|path| folder.root().join(path));
        let log = Log::open(&folder, archive)?;
        write(&log, date, orders, &pages)
    };
    // It only reads, and a day may be long: the end of the process does not wait for such a thread.
    let (done, work_done) = oneshot::channel();
    std::thread::Builder::new()
        .name("reporter".into())
        .spawn(move || {
            // Nobody listens once the switch is stopping.
            let _ = done.send(work());
        })
        .map_err(|error| format!("cannot start a thread: {error}"))?;
    while let Some((number, open, found)) = written.recv().await {
        if submit(switch, number, open, found).await.is_err() {
            return Err("the switch is stopping".into());
        }
    }
    work_done
        .await
        .map_err(|_| "the reading of the day panicked".to_string())?
}

/// One order while its day is read.
struct Writing {
    number: u64,
    open: Open,
    account: (ParticipantId, Account),
    /// From the first entry on that counts.
    pages: Option<Pages>,
    /// After the last entry that does not count; none before one came.
    balance: Option<i128>,
}

impl Writing {
    fn from(&self) -> u64 {
        match self.open.order.query {
            Query::Intraday { from, .. } => from,
            Query::Statement { .. } | Query::Balances | Query::Payments { .. } => 1,
        }
    }

    /// Counts an entry, if it is part of the order; a page that is full is given.
    fn add(&mut self, line: &Line) -> Option<reports::Page> {
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
            .get_or_insert_with(|| Pages::new(before, PAGE_ENTRIES_MAX));
        pages.add(line)
    }
}

fn write(
    log: &Log,
    date: Date,
    orders: Orders,
    pages: &mpsc::Sender<(u64, Open, Found)>,
) -> Result<(), String> {
    let mut accounts: Vec<(ParticipantId, Account)> = Vec::new();
    let mut writing = Vec::new();
    for (number, open) in orders {
        let account = match open.order.query {
            Query::Statement { account, .. } | Query::Intraday { account, .. } => account,
            Query::Balances | Query::Payments { .. } => continue,
        };
        let account = (open.order.owner, account);
        if !accounts.contains(&account) {
            accounts.push(account);
        }
        writing.push(Writing {
            number,
            open,
            account,
            pages: None,
            balance: None,
        });
    }
    let send = |order: &Writing, page: reports::Page| {
        let found = match page.number.cmp(&order.open.page) {
            // The last page is one that was told: what was counted then is not counted any more.
            Ordering::Less if page.is_last => Found::Failed(Reason::InternalLimit),
            Ordering::Less => return,
            _ if !fits(&page) => Found::Failed(Reason::InternalLimit),
            _ => Found::Page(page),
        };
        // Nobody takes pages any more once the switch is stopping; the next process goes on. What follows a failure is refused.
        let _ = pages.blocking_send((order.number, order.open, found));
    };
    let stated = log.statements(date, &accounts, &mut |place, line| {
        let account = accounts.get(place);
        for order in writing.iter_mut() {
            if Some(&order.account) == account
                && let Some(page) = order.add(line)
            {
                send(order, page);
            }
        }
    })?;
    for mut order in writing {
        // Without an entry that counts: what stood at the order's end.
        let place = accounts.iter().position(|known| *known == order.account);
        let opening = place.and_then(|place| stated.statements.get(place));
        let opening = opening.map_or(0, |statement| statement.opening);
        let balance = order.balance.unwrap_or(opening);
        let pages = order.pages.take();
        let pages = pages.unwrap_or_else(|| Pages::new(balance, PAGE_ENTRIES_MAX));
        let mut page = pages.end();
        if page.entries.is_empty() {
            page.first = order.from();
        }
        send(&order, page);
    }
    Ok(())
}

/// Whether a message can state all that is on a page.
fn fits(page: &reports::Page) -> bool {
    let most = u128::from(REPORT_TIYN_MAX);
    let balances = page.lines().map(|line| line.balance.unsigned_abs());
    let sums = [page.so_far.debited, page.so_far.credited];
    let all = balances.chain(sums).chain([page.before.unsigned_abs()]);
    page.number <= REPORT_PAGES_MAX && all.max().is_none_or(|largest| largest <= most)
}
