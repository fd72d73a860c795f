//! What the log says of statements and answers about accounts, held against what stood on the accounts.

use std::collections::BTreeMap;

use torap_domain::{Date, ParticipantId, Position, Time};
use torap_engine::{
    Command, Effect, Engine, Message, Outcome, Stamp,
    reports::{self, Account, EntryKind, Figures, Found, Order, Page, Query},
};
use torap_ledger::Book;

/// What the log says of statements.
#[derive(Debug)]
pub(super) struct Reports {
    /// Balances of each account as the records of the log leave them, by day: at its end.
    closing: BTreeMap<(ParticipantId, Account), BTreeMap<Date, i128>>,
    /// Pages told of each order.
    told: BTreeMap<u64, Vec<Page>>,
    orders: BTreeMap<u64, Order>,
    /// Figures of each account, from the record on after which they were so.
    stood: BTreeMap<(ParticipantId, Account), Vec<(Stamp, Stood)>>,
    /// Sum of the notices that the first bank was sent, in tiyn.
    noticed: i128,
    pub(super) pages: u64,
    pub(super) notices: u64,
    /// Answers about balances, and extracts of a day that was not over.
    pub(super) figures: u64,
    pub(super) extracts: u64,
}

/// What the ledger has of an account, read without what answers are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Stood {
    balance: i128,
    /// Of a position: what is held on it, and what may be spent.
    held: Option<(u64, i128)>,
    /// Of a settlement account: payments that wait, and their sum.
    queued: (u64, u64),
}

/// Whose notices are all there from the beginning.
const FIRST: ParticipantId = ParticipantId::new(1);

impl Reports {
    pub(super) fn new() -> Reports {
        Reports {
            closing: BTreeMap::new(),
            told: BTreeMap::new(),
            orders: BTreeMap::new(),
            stood: BTreeMap::new(),
            noticed: 0,
            pages: 0,
            notices: 0,
            figures: 0,
            extracts: 0,
        }
    }

    /// Takes a record; `engine` is the state after it.
    pub(super) fn record(
        &mut self,
        engine: &Engine,
        stamp: Stamp,
        (command, outcome): (&Command, Outcome),
        effects: &[Effect],
        banks: usize,
    ) -> Result<(), String> {
        self.stand(engine, stamp, banks);
        let date = Date::from_time(stamp.time);
        for owner in (1..=banks as u16).map(ParticipantId::new) {
            for account in Account::ALL {
                if let Some(balance) = engine.account_balance(owner, account) {
                    let days = self.closing.entry((owner, account)).or_default();
                    days.insert(date, balance);
                }
            }
        }
        for effect in effects {
            if let Message::ImtsNotice { entry } = effect.outbound.message {
                self.notices += 1;
                if effect.outbound.to == FIRST {
                    self.noticed += entry.signed();
                }
            }
        }
        let Command::Reports(reports::Command::Answer(answer)) = command else {
            return Ok(());
        };
        if outcome != Outcome::Accepted {
            return Ok(());
        }
        match &answer.found {
            Found::Page(page) => {
                self.pages += 1;
                let is_extract = matches!(answer.order.query, Query::Intraday { .. });
                self.extracts += u64::from(is_extract && page.is_last);
                self.orders.insert(answer.number, answer.order);
                let pages = self.told.entry(answer.number).or_default();
                pages.push(page.clone());
            }
            Found::Balances { at, figures, .. } => {
                self.figures += 1;
                self.check_figures(&answer.order, *at, figures)
                    .map_err(|text| format!("balances of order {}: {text}", answer.number))?;
            }
            Found::Payments(_) | Found::Failed(_) => {}
        }
        Ok(())
    }

    /// Remembers what stands on every account after a record, where it is another than before.
    fn stand(&mut self, engine: &Engine, stamp: Stamp, banks: usize) {
        let mut now: BTreeMap<(ParticipantId, Account), Stood> = BTreeMap::new();
        for (account, book) in [
            (Account::Settlement, Book::Settlement),
            (Account::Position, Book::InstantPosition),
            (Account::Card, Book::Card),
            (Account::Guarantee, Book::GuaranteeFund),
        ] {
            for (owner, balance) in engine.balances(book) {
                let stood = Stood {
                    balance,
                    ..Stood::default()
                };
                now.insert((owner, account), stood);
            }
        }
        for position in engine.positions() {
            let key = (position.participant, Account::Position);
            if let Some(stood) = now.get_mut(&key) {
                stood.held = Some((position.held, position.available));
            }
        }
        for waiting in engine.settlement_queue() {
            if let Some(stood) = now.get_mut(&(waiting.payment.from, Account::Settlement)) {
                stood.queued.0 += 1;
                stood.queued.1 += waiting.payment.amount.minor();
            }
        }
        for (key, stood) in now {
            if key.0.index() > banks {
                continue;
            }
            let before = self.stood.entry(key).or_default();
            if before.last().is_none_or(|(_, last)| *last != stood) {
                before.push((stamp, stood));
            }
        }
    }

    /// What stood on an account after the last record that `is_before`.
    fn stood(
        &self,
        owner: ParticipantId,
        account: Account,
        is_before: impl Fn(Stamp) -> bool,
    ) -> Option<Stood> {
        let stood = self.stood.get(&(owner, account))?;
        let count = stood.partition_point(|(stamp, _)| is_before(*stamp));
        Some(stood.get(count.checked_sub(1)?)?.1)
    }

    /// An answer about balances is of every account, and what the ledger had at the time that it states, which is not before the question.
    fn check_figures(&self, order: &Order, at: Time, figures: &[Figures]) -> Result<(), String> {
        if at < order.at {
            return Err(format!("they are of {at}, before they were asked for"));
        }
        for account in Account::ALL {
            let stood = self.stood(order.owner, account, |stamp| stamp.time <= at);
            let found = figures.iter().find(|figures| figures.account == account);
            let told = found.map(|figures| Stood {
                balance: figures.balance,
                held: (account == Account::Position).then_some((figures.held, figures.available)),
                queued: (figures.queued, figures.queued_amount),
            });
            if told != stood {
                return Err(format!("{account:?}: {told:?} is told, {stood:?} it was"));
            }
        }
        Ok(())
    }

    /// Each statement is whole, begins and ends with what stood on the account, and has no gap.
    pub(super) fn check(&self, engine: &Engine) -> Result<(), String> {
        for (number, pages) in &self.told {
            let Some(order) = self.orders.get(number) else {
                continue;
            };
            self.check_order(order, pages)
                .map_err(|text| format!("statement {number} of {:?}: {text}", order.query))?;
        }
        let balance = engine.account_balance(FIRST, Account::Settlement);
        if self.notices > 0 && self.noticed != balance.unwrap_or(0) {
            return Err(format!(
                "notices of the first bank's settlement account come to {}, it has {balance:?}",
                self.noticed
            ));
        }
        Ok(())
    }

    fn check_order(&self, order: &Order, pages: &[Page]) -> Result<(), String> {
        let (mut number, mut balance, mut last) = (None, None, Position::ZERO);
        for (place, page) in (1_u32..).zip(pages) {
            if page.number != place || page.is_last != (place as usize == pages.len()) {
                return Err(format!("page {} stands at place {place}", page.number));
            }
            if number.is_some_and(|number| page.first != number)
                || balance.is_some_and(|balance| page.before != balance)
            {
                return Err(format!(
                    "page {place} does not go on where the one before ended"
                ));
            }
            for line in page.lines() {
                if line.entry.position < last {
                    return Err(format!("entry {} is out of order", line.number));
                }
                last = line.entry.position;
                if line.entry.kind == EntryKind::Other {
                    return Err(format!("entry {} is explained by no event", line.number));
                }
            }
            number = Some(page.first + page.entries.len() as u64);
            balance = Some(page.after());
        }
        let (account, date) = match order.query {
            Query::Statement { account, date } => (account, date),
            Query::Intraday { account, from } => {
                return self.check_extract(order, (account, from), pages);
            }
            Query::Balances | Query::Payments { .. } => return Ok(()),
        };
        let days = self.closing.get(&(order.owner, account));
        let at = |day: Date| {
            let before = days.and_then(|days| days.range(..=day).next_back());
            before.map_or(0, |(_, balance)| *balance)
        };
        let opening = pages.first().map(|page| page.before);
        let first = pages.first().map(|page| page.first);
        let (was, is) = (at(date.add_days(-1)), at(date));
        if opening != Some(was) || balance != Some(is) || first != Some(1) {
            return Err(format!(
                "opens with {opening:?} at entry {first:?} and closes with {balance:?}; the account had {was} and {is}"
            ));
        }
        Ok(())
    }

    /// An extract of a day that is not over ends with what stood on the account when it was asked for, and from its first entry on it
    /// begins with what stood when the day began.
    fn check_extract(
        &self,
        order: &Order,
        (account, from): (Account, u64),
        pages: &[Page],
    ) -> Result<(), String> {
        let asked = order.request.unwrap_or(order.upto);
        let at = |is_before: &dyn Fn(Stamp) -> bool| {
            let stood = self.stood(order.owner, account, is_before);
            stood.map_or(0, |stood| stood.balance)
        };
        let is = at(&|stamp| stamp.position <= asked);
        let closing = pages.last().map(Page::after);
        let start = Date::from_time(order.at).start().unwrap_or(Time::EPOCH);
        let was = at(&|stamp| stamp.time < start);
        let opening = pages.first().map(|page| page.before);
        let begins = from > 1 || opening == Some(was);
        if closing == Some(is) && begins {
            return Ok(());
        }
        Err(format!(
            "opens with {opening:?} and closes with {closing:?}; when the day began the account had {was}, and {is} at record {}",
            asked.value()
        ))
    }
}
