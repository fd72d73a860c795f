//! Statements of money accounts: which accounts there are, and what a record moved on them.
//!
//! An entry is what a bank sees on its statement. Entries are made from the events of a record and are not kept: whoever writes a
//! statement replays the day. They explain a balance and never make one; that is the ledger's.

mod entries;
mod page;

pub use entries::{Entry, EntryKind};
pub use page::{Line, Page, Sums};

use torap_domain::{Asset, ParticipantId};
use torap_ledger::{AccountKey, Book};

use crate::Engine;

/// Entries on one page of a statement, at most: a record of the log and a message each hold one page.
pub const PAGE_ENTRIES_MAX: usize = 256;

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
}

#[cfg(test)]
pub(crate) mod tests;
