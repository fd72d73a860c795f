//! The order of loss: how the nets of a session are settled when somebody who owes has not the money.
//!
//! The nets stand as they are: whoever was to be paid for goods that were handed over is owed, and taking the defaulter's
//! transactions out would change the nets of all others. What a debtor does not pay is covered, in this order:
//!
//! 1. what is available on its own account (money, and credit against its collateral);
//! 2. its own contribution to the guarantee fund;
//! 3. the contributions of the others, each in proportion to it;
//! 4. those that the session pays, each in proportion to what it is paid.
//!
//! A layer is touched when the one before is used up, and all of what is missing is always covered: the fourth layer is as large
//! as all debts together.

use std::fmt;

/// Parties of one session, at most.
pub const PARTIES_MAX: usize = 65_536;

/// Whoever has a net or a contribution. Amounts are in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Party {
    /// What it is paid; below zero, what it still owes.
    pub net: i128,
    /// What its own account can pay.
    pub available: u64,
    /// What it has in the guarantee fund.
    pub contribution: u64,
}

/// What becomes of one party.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Taken from its account for what it owes.
    pub pays: u64,
    /// Taken from its contribution for what it owes.
    pub own_contribution: u64,
    /// What it owes and has not covered by the two: the loss that the others bear.
    pub short: u64,
    /// Taken from its contribution for the debts of others.
    pub fund: u64,
    /// What it was to be paid and is not.
    pub loses: u64,
    /// What it is paid.
    pub receives: u64,
}

/// Why nets cannot be settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoverError {
    TooManyParties,
    /// A net is not inside 64 bits.
    Net {
        place: usize,
    },
    /// The nets do not add up to what has been paid before.
    Unbalanced {
        /// Their sum.
        sum: i128,
    },
}

/// Settles what is left of a session. `paid` is what debtors of the session have paid before, whose nets are zero by now: the
/// nets add up to it.
///
/// ```
/// use torap_settlement::cover::{Party, cover};
///
/// let debtor = Party { net: -100, available: 60, contribution: 10 };
/// let creditor = Party { net: 100, available: 0, contribution: 20 };
/// let shares = cover(&[debtor, creditor], 0).unwrap();
/// assert_eq!((shares[0].pays, shares[0].own_contribution, shares[0].short), (60, 10, 30));
/// assert_eq!((shares[1].fund, shares[1].loses, shares[1].receives), (20, 10, 90));
/// ```
pub fn cover(parties: &[Party], paid: u64) -> Result<Vec<Share>, CoverError> {
    check(parties, paid)?;
    let mut shares: Vec<Share> = parties.iter().map(own).collect();
    let short = total(shares.iter().map(|share| share.short));
    let left: Vec<u64> = parties
        .iter()
        .zip(&shares)
        .map(|(party, share)| party.contribution.saturating_sub(share.own_contribution))
        .collect();
    let fund = short.min(total(left.iter().copied()));
    let credits: Vec<u64> = parties
        .iter()
        .map(|party| u64::try_from(party.net).unwrap_or(0))
        .collect();
    let lost = short.saturating_sub(fund);
    let from_fund = apportion(fund, &left);
    let losses = apportion(lost, &credits);
    let parts = from_fund.into_iter().zip(losses).zip(credits);
    for (share, ((fund, loses), credit)) in shares.iter_mut().zip(parts) {
        share.fund = fund;
        share.loses = loses;
        share.receives = credit.saturating_sub(loses);
    }
    Ok(shares)
}

fn check(parties: &[Party], paid: u64) -> Result<(), CoverError> {
    if parties.len() > PARTIES_MAX {
        return Err(CoverError::TooManyParties);
    }
    for (place, party) in parties.iter().enumerate() {
        if u64::try_from(party.net.unsigned_abs()).is_err() {
            return Err(CoverError::Net { place });
        }
    }
    let nets = parties.iter().map(|party| party.net);
    let sum = nets.fold(0_i128, i128::saturating_add);
    if sum == i128::from(paid) {
        Ok(())
    } else {
        Err(CoverError::Unbalanced { sum })
    }
}

/// The first two layers: what a debtor covers itself.
fn own(party: &Party) -> Share {
    let owes = u64::try_from(party.net.min(0).unsigned_abs()).unwrap_or(u64::MAX);
    let pays = owes.min(party.available);
    let rest = owes.saturating_sub(pays);
    let own_contribution = rest.min(party.contribution);
    Share {
        pays,
        own_contribution,
        short: rest.saturating_sub(own_contribution),
        ..Share::default()
    }
}

fn total(amounts: impl Iterator<Item = u64>) -> u128 {
    amounts.fold(0_u128, |sum, amount| sum.saturating_add(u128::from(amount)))
}

/// `total` in parts that are in proportion to `weights`: each the whole part of its exact share, and what is left over by units
/// to the largest fractions, the first of equal ones first. No part is above its weight, if `total` is not above their sum.
pub fn apportion(total: u128, weights: &[u64]) -> Vec<u64> {
    let sum = self::total(weights.iter().copied());
    if sum == 0 || total == 0 {
        return vec![0; weights.len()];
    }
    // Both are below 2⁸⁰ (65,536 times 2⁶⁴), a weight below 2⁶⁴: products may pass 128 bits, so they are taken in two halves.
    let exact = |weight: u64| divide(total, u128::from(weight), sum);
    let mut parts = Vec::with_capacity(weights.len());
    let mut fractions = Vec::new();
    let mut left = total;
    for (place, weight) in weights.iter().enumerate() {
        let (whole, fraction) = exact(*weight);
        left = left.saturating_sub(whole);
        parts.push(u64::try_from(whole).unwrap_or(u64::MAX));
        if fraction > 0 {
            fractions.push((std::cmp::Reverse(fraction), place));
        }
    }
    fractions.sort_unstable();
    for (_, place) in fractions {
        if left == 0 {
            break;
        }
        if let Some(part) = parts.get_mut(place) {
            *part = part.saturating_add(1);
            left = left.saturating_sub(1);
        }
    }
    parts
}

/// `a × b ÷ by` as whole part and remainder, by long multiplication of 32 bits at a time: every step stays inside 128 bits
/// because a remainder is below `by`, which is below 2⁸⁰.
fn divide(a: u128, b: u128, by: u128) -> (u128, u128) {
    let (mut whole, mut rest) = (0_u128, 0_u128);
    for step in (0..3_u32).rev() {
        let digit = a.checked_shr(step.saturating_mul(32)).unwrap_or(0) & 0xFFFF_FFFF;
        // rest < 2⁸⁰, so rest·2³² < 2¹¹²; digit·b < 2⁹⁶.
        let here = rest
            .saturating_mul(1 << 32)
            .saturating_add(digit.saturating_mul(b));
        whole = whole
            .saturating_mul(1 << 32)
            .saturating_add(here.checked_div(by).unwrap_or(0));
        rest = here.checked_rem(by).unwrap_or(0);
    }
    (whole, rest)
}

impl fmt::Display for CoverError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CoverError::TooManyParties => write!(formatter, "more than {PARTIES_MAX} parties"),
            CoverError::Net { place } => write!(formatter, "parties[{place}].net: beyond 64 bits"),
            CoverError::Unbalanced { sum } => {
                write!(
                    formatter,
                    "the nets add up to {sum}, not to what has been paid"
                )
            }
        }
    }
}

impl std::error::Error for CoverError {}

#[cfg(test)]
mod tests;
