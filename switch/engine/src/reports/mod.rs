//! Statements of money accounts: which accounts there are, what a record moved on them, and what banks ask about them.
//!
//! An entry is what a bank sees on its statement. Entries are made from the events of a record and are not kept: whoever writes a
//! statement replays the day. They explain a balance and never make one; that is the ledger's.

mod command;
mod entries;
mod orders;
mod page;
mod payments;

pub use command::{Answer, Command, Figures, Found, Limit, Order, Query, Request, Wants};
pub use entries::{Entry, EntryKind};
pub use orders::{DAYS_BACK_MAX, ORDERS_MAX, Open, REQUESTS_EACH_MAX, bounds};
pub use page::{Line, Page, Sums};
pub use payments::{
    Criteria, Looked, PAGE_PAYMENTS_MAX, PAYMENT_PAGES_MAX, PaymentPage, PaymentState, PaymentView,
    Stage,
};

pub(crate) use entries::of_events;
pub(crate) use orders::{State, apply, expire_first, notify};

use torap_domain::{Asset, ParticipantId};
use torap_ledger::{AccountKey, Book};

use crate::Engine;

/// Entries on one page of a statement, at most: a record of the log and a message each hold one page.
pub const PAGE_ENTRIES_MAX: usize = 256;

/// Limits of an account that one answer tells, at most: that towards all, and then those towards single participants, lowest numbers first. A
/// camt.004 with so many stays below 1 MiB.
pub const LIMITS_TOLD_MAX: usize = 2_048;

/// A participant's accounts that have statements. The number is stored and never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Account {
    /// In IMTS; of the switch, the operator's own.
    Settlement = 1,
    /// On the instant rail.
    Position = 2,
    /// Card traffic that has not been settled; of the switch, its fees.
    Card = 3,
    /// The contribution to the guarantee fund.
    Guarantee = 4,
}

impl Account {
    /// Every account, in the order of the numbers.
    pub const ALL: [Account; 4] = [
        Account::Settlement,
        Account::Position,
        Account::Card,
        Account::Guarantee,
    ];

    /// The name in messages, as in camt.050.
    pub const fn code(self) -> &'static str {
        match self {
            Account::Settlement => "IMTS",
            Account::Position => "INST",
            Account::Card => "CARD",
            Account::Guarantee => "FUND",
        }
    }

    /// The account of a name in messages.
    pub fn from_code(code: &str) -> Option<Account> {
        Account::ALL
            .into_iter()
            .find(|account| account.code() == code)
    }

    /// The account of a stored number.
    pub fn from_number(number: u8) -> Option<Account> {
        Account::ALL
            .into_iter()
            .find(|account| *account as u8 == number)
    }

    const fn key(self, owner: ParticipantId) -> AccountKey {
        let of_switch = owner.value() == ParticipantId::SWITCH.value();
        let book = match self {
            Account::Settlement if of_switch => Book::OperatorSettlement,
            Account::Settlement => Book::Settlement,
            Account::Position => Book::InstantPosition,
            Account::Card if of_switch => Book::CardFees,
            Account::Card => Book::Card,
            Account::Guarantee => Book::GuaranteeFund,
        };
        AccountKey {
            owner,
            book,
            asset: Asset::Kzt,
        }
    }
}

impl Engine {
    /// What stands on an account, in minor units of KZT; none if it was never opened.
    pub fn account_balance(&self, owner: ParticipantId, account: Account) -> Option<i128> {
        let id = self.state.ledger.find(account.key(owner))?;
        Some(self.state.ledger.balance(id))
    }

    /// What stands on all accounts of a participant, and what limits it.
    pub fn account_figures(&self, owner: ParticipantId) -> Vec<Figures> {
        let ledger = &self.state.ledger;
        let mut imts = self.settlement_accounts();
        let imts = imts.find(|view| view.participant == owner);
        let of = |account: Account| {
            let found = ledger.account(ledger.find(account.key(owner))?)?;
            let available = found.available();
            #[cfg(feature = "mutants")]
            let available = if crate::mutants::is_on(&crate::mutants::FIGURES_WITHOUT_HOLDS) {
                available.saturating_add(i128::from(found.debits_pending()))
            } else {
                available
            };
            let figures = Figures {
                account,
                balance: found.balance(),
                available,
                held: found.debits_pending(),
                credit_line: found.credit_line(),
                reserved: 0,
                queued: 0,
                queued_amount: 0,
            };
            let queue = imts.filter(|_| account == Account::Settlement);
            Some(queue.map_or(figures, |view| Figures {
                reserved: view.reserved,
                queued: u64::try_from(view.queued).unwrap_or(u64::MAX),
                queued_amount: u64::try_from(view.queued_amount).unwrap_or(u64::MAX),
                ..figures
            }))
        };
        Account::ALL.into_iter().filter_map(of).collect()
    }

    /// What a participant's settlement account pays net in a business day, at most: towards all, then towards single ones; the first
    /// [`LIMITS_TOLD_MAX`], and one more if there are more, so that the bank can be told so.
    pub fn account_limits(&self, owner: ParticipantId) -> Vec<Limit> {
        let limits = self.settlement_limits();
        let own = limits.filter(|limit| limit.participant == owner);
        let own = own.take(LIMITS_TOLD_MAX.saturating_add(1));
        own.map(|limit| Limit {
            towards: limit.towards,
            amount: limit.amount.minor(),
            left: limit.left.minor(),
        })
        .collect()
    }
}

#[cfg(test)]
pub(crate) mod tests;
