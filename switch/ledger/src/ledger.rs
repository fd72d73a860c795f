//! The accounts together, and the operations on two of them.

use crate::account::{Account, AccountId, AccountKey};
use std::collections::BTreeMap;
use std::fmt;
use torap_domain::{Asset, Money};

/// All accounts. An operation either books both its sides or refuses and changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    accounts: Vec<Account>,
    by_key: BTreeMap<AccountKey, AccountId>,
}

/// Why an operation was refused; nothing was booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LedgerRefusal {
    /// An account of that slot was never opened.
    AccountUnknown,
    /// Debit and credit name one account.
    SameAccount,
    /// The amount or one of the accounts is of another asset.
    AssetMismatch,
    /// The amount is zero.
    AmountZero,
    /// The debit account has less available than the amount.
    InsufficientFunds,
    /// Less is pending on one of the accounts than would be posted or voided.
    HoldMissing,
    /// A sum would pass what the ledger can hold.
    Overflow,
    /// The account has already used more than the new credit line.
    CreditLineInUse,
    /// The account is not constrained, so a credit line means nothing on it.
    CreditLineMeaningless,
}

/// A broken invariant of the whole ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConservationError {
    /// Posted debits and posted credits of an asset differ.
    Posted {
        /// The asset.
        asset: Asset,
        /// Sum of posted debits over all its accounts.
        debits: u128,
        /// Sum of posted credits over all its accounts.
        credits: u128,
    },
    /// Pending debits and pending credits of an asset differ.
    Pending {
        /// The asset.
        asset: Asset,
        /// Sum of pending debits over all its accounts.
        debits: u128,
        /// Sum of pending credits over all its accounts.
        credits: u128,
    },
    /// A constrained account is below its credit line.
    BelowLine {
        /// The account.
        account: AccountId,
        /// Its available amount, below zero.
        available: i128,
    },
}

/// Posted sums stay at or below `i128::MAX`, so that a balance is always an `i128`.
const POSTED_MAX: u128 = i128::MAX as u128;

impl Ledger {
    /// A ledger without accounts.
    pub fn new() -> Ledger {
        Ledger::default()
    }

    /// Opens an account with nothing on it; the account of a key that is open already is given again.
    pub fn open(&mut self, key: AccountKey) -> AccountId {
        if let Some(id) = self.find(key) {
            return id;
        }
        // A key has 16 bits of owner and a handful of books and assets, so slots never run out.
        let id = AccountId(u32::try_from(self.accounts.len()).unwrap_or(u32::MAX));
        self.accounts.push(Account::new(key));
        self.by_key.insert(key, id);
        id
    }

    /// The account of a key.
    pub fn find(&self, key: AccountKey) -> Option<AccountId> {
        self.by_key.get(&key).copied()
    }

    /// The sums of an account.
    pub fn account(&self, id: AccountId) -> Option<&Account> {
        self.accounts.get(id.0 as usize)
    }

    /// Every account in the order of opening.
    pub fn accounts(&self) -> impl Iterator<Item = (AccountId, &Account)> {
        (0..).map(AccountId).zip(&self.accounts)
    }

    /// Books `amount` from `debit` to `credit` at once.
    pub fn transfer(
        &mut self,
        debit: AccountId,
        credit: AccountId,
        amount: Money,
    ) -> Result<(), LedgerRefusal> {
        let (from, to) = self.pair(debit, credit, amount)?;
        check_funds(from, amount)?;
        book(from, to, amount)
    }

    /// Holds `amount` on `debit` in favour of `credit`.
    pub fn reserve(
        &mut self,
        debit: AccountId,
        credit: AccountId,
        amount: Money,
    ) -> Result<(), LedgerRefusal> {
        let (from, to) = self.pair(debit, credit, amount)?;
        check_funds(from, amount)?;
        let held = from
            .debits_pending
            .checked_add(amount.minor())
            .ok_or(LedgerRefusal::Overflow)?;
        let coming = to
            .credits_pending
            .checked_add(amount.minor())
            .ok_or(LedgerRefusal::Overflow)?;
        from.debits_pending = held;
        to.credits_pending = coming;
        Ok(())
    }

    /// Turns a hold into a booking. Must name the accounts and amount of an earlier [`Ledger::reserve`].
    pub fn post(
        &mut self,
        debit: AccountId,
        credit: AccountId,
        amount: Money,
    ) -> Result<(), LedgerRefusal> {
        let (from, to) = self.pair(debit, credit, amount)?;
        let (held, coming) = released(from, to, amount)?;
        book(from, to, amount)?;
        from.debits_pending = held;
        to.credits_pending = coming;
        Ok(())
    }

    /// Releases a hold. Must name the accounts and amount of an earlier [`Ledger::reserve`].
    pub fn void(
        &mut self,
        debit: AccountId,
        credit: AccountId,
        amount: Money,
    ) -> Result<(), LedgerRefusal> {
        let (from, to) = self.pair(debit, credit, amount)?;
        let (held, coming) = released(from, to, amount)?;
        from.debits_pending = held;
        to.credits_pending = coming;
        Ok(())
    }

    /// Sets how far below zero `account` may go, in minor units; refused if more than that is in use.
    pub fn set_credit_line(
        &mut self,
        account: AccountId,
        credit_line: u64,
    ) -> Result<(), LedgerRefusal> {
        let account = self
            .accounts
            .get_mut(account.0 as usize)
            .ok_or(LedgerRefusal::AccountUnknown)?;
        if !account.key.book.is_constrained() {
            return Err(LedgerRefusal::CreditLineMeaningless);
        }
        let changed = Account {
            credit_line,
            ..*account
        };
        if changed.available() < 0 {
            return Err(LedgerRefusal::CreditLineInUse);
        }
        *account = changed;
        Ok(())
    }

    /// What may still be debited, in minor units ([`Account::available`]); 0 for an account never opened.
    pub fn available(&self, account: AccountId) -> i128 {
        self.account(account).map_or(0, Account::available)
    }

    /// Posted credits less posted debits, in minor units; 0 for an account never opened.
    pub fn balance(&self, account: AccountId) -> i128 {
        self.account(account).map_or(0, Account::balance)
    }

    /// Posted debits and posted credits over all accounts of an asset, in minor units. They are equal.
    pub fn totals(&self, asset: Asset) -> (u128, u128) {
        self.sum(asset, |account| {
            (account.debits_posted, account.credits_posted)
        })
    }

    /// Pending debits and pending credits over all accounts of an asset, in minor units. They are equal.
    pub fn totals_pending(&self, asset: Asset) -> (u128, u128) {
        self.sum(asset, |account| {
            (
                u128::from(account.debits_pending),
                u128::from(account.credits_pending),
            )
        })
    }

    /// Checks that debits equal credits in every asset, posted and pending, and that no constrained account is below
    /// its credit line. Reads every account; not for the path of a payment.
    pub fn check_conservation(&self) -> Result<(), ConservationError> {
        for asset in Asset::ALL {
            let (debits, credits) = self.totals(asset);
            if debits != credits {
                return Err(ConservationError::Posted {
                    asset,
                    debits,
                    credits,
                });
            }
            let (debits, credits) = self.totals_pending(asset);
            if debits != credits {
                return Err(ConservationError::Pending {
                    asset,
                    debits,
                    credits,
                });
            }
        }
        for (id, account) in self.accounts() {
            if account.key.book.is_constrained() && account.available() < 0 {
                return Err(ConservationError::BelowLine {
                    account: id,
                    available: account.available(),
                });
            }
        }
        Ok(())
    }

    /// Puts back an account read from a snapshot; none if its key is open already.
    pub(crate) fn restore(&mut self, account: Account) -> Option<AccountId> {
        if self.find(account.key).is_some() {
            return None;
        }
        let id = self.open(account.key);
        *self.accounts.get_mut(id.0 as usize)? = account;
        Some(id)
    }

    /// The two different accounts of an operation, both of the amount's asset.
    fn pair(
        &mut self,
        debit: AccountId,
        credit: AccountId,
        amount: Money,
    ) -> Result<(&mut Account, &mut Account), LedgerRefusal> {
        if debit == credit {
            return Err(LedgerRefusal::SameAccount);
        }
        let [from, to] = self
            .accounts
            .get_disjoint_mut([debit.0 as usize, credit.0 as usize])
            .map_err(|_| LedgerRefusal::AccountUnknown)?;
        if from.key.asset != amount.asset() || to.key.asset != amount.asset() {
            return Err(LedgerRefusal::AssetMismatch);
        }
        if amount.is_zero() {
            return Err(LedgerRefusal::AmountZero);
        }
        Ok((from, to))
    }

    fn sum(&self, asset: Asset, sums: impl Fn(&Account) -> (u128, u128)) -> (u128, u128) {
        let of_asset = self
            .accounts
            .iter()
            .filter(|account| account.key.asset == asset);
        of_asset
            .map(sums)
            .fold((0, 0), |(debits, credits), (debit, credit)| {
                (debits.saturating_add(debit), credits.saturating_add(credit))
            })
    }
}

impl LedgerRefusal {
    /// Kebab-case name; stable, meant for machines.
    pub const fn name(self) -> &'static str {
        match self {
            LedgerRefusal::AccountUnknown => "account-unknown",
            LedgerRefusal::SameAccount => "same-account",
            LedgerRefusal::AssetMismatch => "asset-mismatch",
            LedgerRefusal::AmountZero => "amount-zero",
            LedgerRefusal::InsufficientFunds => "insufficient-funds",
            LedgerRefusal::HoldMissing => "hold-missing",
            LedgerRefusal::Overflow => "overflow",
            LedgerRefusal::CreditLineInUse => "credit-line-in-use",
            LedgerRefusal::CreditLineMeaningless => "credit-line-meaningless",
        }
    }
}

impl fmt::Display for LedgerRefusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            LedgerRefusal::AccountUnknown => "the account was never opened",
            LedgerRefusal::SameAccount => "debit and credit are one account",
            LedgerRefusal::AssetMismatch => "the amount and both accounts must be of one asset",
            LedgerRefusal::AmountZero => "the amount is zero",
            LedgerRefusal::InsufficientFunds => {
                "the debit account has less available than the amount"
            }
            LedgerRefusal::HoldMissing => "less is held than would be posted or voided",
            LedgerRefusal::Overflow => "a sum of the account would pass what the ledger can hold",
            LedgerRefusal::CreditLineInUse => "more than the new credit line is in use",
            LedgerRefusal::CreditLineMeaningless => {
                "a credit line means nothing on an account that is not constrained"
            }
        })
    }
}

impl fmt::Display for ConservationError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConservationError::Posted {
                asset,
                debits,
                credits,
            } => {
                write!(
                    formatter,
                    "posted {asset} debits {debits} differ from credits {credits}"
                )
            }
            ConservationError::Pending {
                asset,
                debits,
                credits,
            } => {
                write!(
                    formatter,
                    "pending {asset} debits {debits} differ from credits {credits}"
                )
            }
            ConservationError::BelowLine { account, available } => {
                write!(
                    formatter,
                    "account {} has {available} available, below zero",
                    account.0
                )
            }
        }
    }
}

impl std::error::Error for LedgerRefusal {}
impl std::error::Error for ConservationError {}

fn check_funds(from: &Account, amount: Money) -> Result<(), LedgerRefusal> {
    if from.key.book.is_constrained() && from.available() < i128::from(amount.minor()) {
        return Err(LedgerRefusal::InsufficientFunds);
    }
    Ok(())
}

/// Books both sides, or neither.
fn book(from: &mut Account, to: &mut Account, amount: Money) -> Result<(), LedgerRefusal> {
    let debits = grown(from.debits_posted, amount)?;
    let credits = grown(to.credits_posted, amount)?;
    from.debits_posted = debits;
    to.credits_posted = credits;
    Ok(())
}

fn grown(posted: u128, amount: Money) -> Result<u128, LedgerRefusal> {
    let sum = posted.checked_add(u128::from(amount.minor()));
    sum.filter(|sum| *sum <= POSTED_MAX)
        .ok_or(LedgerRefusal::Overflow)
}

/// What stays pending on both sides when `amount` is posted or voided.
fn released(from: &Account, to: &Account, amount: Money) -> Result<(u64, u64), LedgerRefusal> {
    let held = from.debits_pending.checked_sub(amount.minor());
    let coming = to.credits_pending.checked_sub(amount.minor());
    held.zip(coming).ok_or(LedgerRefusal::HoldMissing)
}

#[cfg(test)]
mod tests;
