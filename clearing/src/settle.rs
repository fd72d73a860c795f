//! The booking of a session's nets between the banks' settlement accounts and the technical account.
//!
//! Debtors pay first and creditors are paid from that, so the technical account is zero before, zero after, and never below.
//! Everything is checked before anything is booked: a session is settled whole or not at all.

use std::{collections::BTreeSet, fmt};

use torap_domain::{Asset, Money};
use torap_ledger::{Account, AccountId, Ledger, LedgerRefusal};

/// Why nets are not settled; nothing was booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettleError {
    /// The nets do not add up to zero.
    Unbalanced {
        /// Their sum, in minor units.
        sum: i128,
    },
    /// The technical account holds something before the session.
    TechnicalNotZero {
        /// Its balance, in minor units.
        balance: i128,
    },
    /// One account has two nets.
    AccountTwice(AccountId),
    /// The ledger would refuse the booking of this account.
    Refused {
        /// The account.
        account: AccountId,
        /// Why.
        refusal: LedgerRefusal,
    },
}

/// Books `nets`, each an account and what it is paid (below zero: pays), in minor units of `asset`; zeros book nothing.
pub fn settle(
    ledger: &mut Ledger,
    technical: AccountId,
    asset: Asset,
    nets: &[(AccountId, i128)],
) -> Result<(), SettleError> {
    check(ledger, technical, asset, nets)?;
    let paying = nets.iter().filter(|(_, net)| *net < 0);
    for (account, net) in paying {
        transfer(ledger, *account, technical, asset, *net)?;
    }
    let paid = nets.iter().filter(|(_, net)| *net > 0);
    for (account, net) in paid {
        transfer(ledger, technical, *account, asset, *net)?;
    }
    Ok(())
}

fn check(
    ledger: &Ledger,
    technical: AccountId,
    asset: Asset,
    nets: &[(AccountId, i128)],
) -> Result<(), SettleError> {
    let refused = |account, refusal| SettleError::Refused { account, refusal };
    let unknown = |account| refused(account, LedgerRefusal::AccountUnknown);
    let sum = nets
        .iter()
        .fold(0_i128, |sum, (_, net)| sum.saturating_add(*net));
    if sum != 0 {
        return Err(SettleError::Unbalanced { sum });
    }
    let middle = ledger
        .account(technical)
        .ok_or_else(|| unknown(technical))?;
    if middle.balance() != 0 {
        let balance = middle.balance();
        return Err(SettleError::TechnicalNotZero { balance });
    }
    let mut seen = BTreeSet::new();
    let mut turnover: u128 = 0;
    for (id, net) in nets.iter().filter(|(_, net)| *net != 0) {
        let account = ledger.account(*id).ok_or_else(|| unknown(*id))?;
        if *id == technical {
            return Err(refused(*id, LedgerRefusal::SameAccount));
        }
        if !seen.insert(*id) {
            return Err(SettleError::AccountTwice(*id));
        }
        bookable(account, asset, *net).map_err(|refusal| refused(*id, refusal))?;
        turnover = turnover.saturating_add(net.unsigned_abs());
    }
    let holds = |posted: u128| posted.saturating_add(turnover) <= POSTED_MAX;
    if middle.key().asset != asset {
        return Err(refused(technical, LedgerRefusal::AssetMismatch));
    }
    if !holds(middle.debits_posted()) || !holds(middle.credits_posted()) {
        return Err(refused(technical, LedgerRefusal::Overflow));
    }
    Ok(())
}

/// What the ledger holds in a posted sum, at most.
const POSTED_MAX: u128 = i128::MAX as u128;

fn bookable(account: &Account, asset: Asset, net: i128) -> Result<(), LedgerRefusal> {
    if account.key().asset != asset {
        return Err(LedgerRefusal::AssetMismatch);
    }
    let amount = net.unsigned_abs();
    let posted = if net < 0 {
        account.debits_posted()
    } else {
        account.credits_posted()
    };
    if u64::try_from(amount).is_err() || posted.saturating_add(amount) > POSTED_MAX {
        return Err(LedgerRefusal::Overflow);
    }
    let pays = if net < 0 { net.saturating_neg() } else { 0 };
    if account.key().book.is_constrained() && account.available() < pays {
        return Err(LedgerRefusal::InsufficientFunds);
    }
    Ok(())
}

fn transfer(
    ledger: &mut Ledger,
    debit: AccountId,
    credit: AccountId,
    asset: Asset,
    net: i128,
) -> Result<(), SettleError> {
    // `bookable` has seen that it fits.
    let minor = u64::try_from(net.unsigned_abs()).unwrap_or(u64::MAX);
    ledger
        .transfer(debit, credit, Money::from_minor(minor, asset))
        .map_err(|refusal| SettleError::Refused {
            account: debit,
            refusal,
        })
}

impl fmt::Display for SettleError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SettleError::Unbalanced { sum } => {
                write!(formatter, "the nets add up to {sum}, not to zero")
            }
            SettleError::TechnicalNotZero { balance } => write!(
                formatter,
                "the technical account holds {balance} before the session"
            ),
            SettleError::AccountTwice(account) => {
                write!(formatter, "account {} has two nets", account.0)
            }
            SettleError::Refused { account, refusal } => {
                write!(formatter, "account {}: {refusal}", account.0)
            }
        }
    }
}

impl std::error::Error for SettleError {}

#[cfg(test)]
mod tests;
