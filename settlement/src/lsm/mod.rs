//! Liquidity saving: which of the queued payments can settle all at once.
//!
//! A set of payments *holds* when, after all of it, no bank has paid more net than its funds, and no bank owes another more net
//! than its bilateral limit towards it; both count the payments of the set alone. Two rules choose a set that holds:
//!
//! - [`fifo`] takes one prefix of each bank's queue: nobody's payment overtakes an earlier one of the same bank. The largest
//!   such set is unique (Bech and Soramäki, "Gridlock resolution in interbank payment systems", Bank of Finland, 2001).
//! - [`bypass`] takes any set, of the greatest value and then of the most payments; exact for up to [`EXACT_PAYMENTS_MAX`].
//!
//! Work is counted in steps (payments looked at), never in time: every machine comes to the same set.

mod bypass;
mod fifo;
mod pairs;
mod selection;

use std::fmt;

pub use bypass::{Bypass, EXACT_PAYMENTS_MAX, SEARCH_STEPS_MAX, bypass};
pub use fifo::fifo;

use pairs::Pairs;
use selection::Selection;

/// Banks of one problem, at most: as many as there can be participants.
pub const BANKS_MAX: usize = 65_536;
/// Payments of one problem, at most.
pub const PAYMENTS_MAX: usize = 4_194_304;

/// A queued payment. Banks are places in the list of funds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payment {
    /// The bank that pays.
    pub from: u32,
    /// The bank that is paid.
    pub to: u32,
    /// In minor units; above zero.
    pub amount: u64,
}

/// The most that a bank is willing to owe another, net, by the payments of the set; in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Whose limit it is.
    pub from: u32,
    /// Towards whom.
    pub to: u32,
    /// 0 means: pays no more than it gets from that bank.
    pub amount: u64,
}

/// Banks with their funds, their limits, and the queue; consistent by construction.
#[derive(Clone, Debug)]
pub struct Problem {
    funds: Vec<u64>,
    payments: Vec<Payment>,
    /// Pair of banks of each payment.
    pairs: Pairs,
}

/// What of the arguments does not make sense. `place` is the place in its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemError {
    TooManyBanks,
    TooManyPayments,
    /// A payment names a bank that is not in the list.
    PaymentBank {
        place: usize,
    },
    /// A payment from a bank to itself.
    PaymentToSelf {
        place: usize,
    },
    /// A payment of nothing.
    PaymentZero {
        place: usize,
    },
    /// A limit names a bank that is not in the list.
    LimitBank {
        place: usize,
    },
    /// A limit of a bank towards itself.
    LimitToSelf {
        place: usize,
    },
    /// A second limit of a bank towards the same other.
    LimitTwice {
        place: usize,
    },
}

/// A set of payments that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Solution {
    /// Places in the queue, rising.
    pub settled: Vec<u32>,
    /// Sum of their amounts.
    pub value: u128,
    /// Payments looked at.
    pub steps: u64,
}

impl Problem {
    /// `funds`: what each bank may pay net, in minor units. `payments` in the order of the queue: of two payments of one bank
    /// the earlier goes first under [`fifo`]. A bank without a limit towards another has none.
    pub fn new(
        funds: Vec<u64>,
        payments: Vec<Payment>,
        limits: &[Limit],
    ) -> Result<Problem, ProblemError> {
        if funds.len() > BANKS_MAX {
            return Err(ProblemError::TooManyBanks);
        }
        if payments.len() > PAYMENTS_MAX {
            return Err(ProblemError::TooManyPayments);
        }
        let known = |bank: u32| (bank as usize) < funds.len();
        for (place, payment) in payments.iter().enumerate() {
            if !known(payment.from) || !known(payment.to) {
                return Err(ProblemError::PaymentBank { place });
            }
            if payment.from == payment.to {
                return Err(ProblemError::PaymentToSelf { place });
            }
            if payment.amount == 0 {
                return Err(ProblemError::PaymentZero { place });
            }
        }
        for (place, limit) in limits.iter().enumerate() {
            if !known(limit.from) || !known(limit.to) {
                return Err(ProblemError::LimitBank { place });
            }
            if limit.from == limit.to {
                return Err(ProblemError::LimitToSelf { place });
            }
        }
        let pairs = Pairs::new(&payments, limits)?;
        Ok(Problem {
            funds,
            payments,
            pairs,
        })
    }

    /// The queue.
    pub fn payments(&self) -> &[Payment] {
        &self.payments
    }

    /// What each bank may pay net.
    pub fn funds(&self) -> &[u64] {
        &self.funds
    }

    /// Whether the payments at `places`, all at once, keep every bank within its funds and limits. Places that rise strictly
    /// only; otherwise false.
    pub fn holds(&self, places: &[u32]) -> bool {
        let mut selection = Selection::empty(self);
        let mut last = None;
        for place in places {
            if last >= Some(*place) || *place as usize >= self.payments.len() {
                return false;
            }
            last = Some(*place);
            selection.add(*place as usize);
        }
        selection.holds()
    }
}

impl fmt::Display for ProblemError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProblemError::TooManyBanks => write!(formatter, "more than {BANKS_MAX} banks"),
            ProblemError::TooManyPayments => {
                write!(formatter, "more than {PAYMENTS_MAX} payments")
            }
            ProblemError::PaymentBank { place } => {
                write!(formatter, "payment {place} names an unknown bank")
            }
            ProblemError::PaymentToSelf { place } => {
                write!(formatter, "payment {place} goes from a bank to itself")
            }
            ProblemError::PaymentZero { place } => {
                write!(formatter, "payment {place} has the amount zero")
            }
            ProblemError::LimitBank { place } => {
                write!(formatter, "limit {place} names an unknown bank")
            }
            ProblemError::LimitToSelf { place } => {
                write!(formatter, "limit {place} is of a bank towards itself")
            }
            ProblemError::LimitTwice { place } => {
                write!(formatter, "limit {place} is the second of its two banks")
            }
        }
    }
}

impl std::error::Error for ProblemError {}

#[cfg(test)]
mod tests;
