//! The set of the greatest value, whatever the order.
//!
//! Choosing it is hard in general (a bank whose funds fit some of its payments is a knapsack), so small queues are searched
//! to the end, and large ones as far as a counted number of steps goes, with an upper bound beside the result.

pub(super) mod bound;
mod exact;
pub(super) mod search;

use super::{Problem, Solution};

/// Queues up to this length are solved exactly: at most about two million steps.
pub const EXACT_PAYMENTS_MAX: usize = 20;
/// Steps of a search that is not told otherwise: about 50 ms for 10,000 payments among 30 banks.
pub const SEARCH_STEPS_MAX: u64 = 500_000;

/// A set that holds, and how far from the best it can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bypass {
    pub solution: Solution,
    /// No set that holds is worth more.
    pub upper_bound: u128,
    /// Whether the set is the best: no other is worth more, and none of the same value has more payments.
    pub exact: bool,
}

/// The set of the greatest value that holds, and of those the one with the most payments. Exact up to [`EXACT_PAYMENTS_MAX`]
/// payments; for more the best that a search of about `steps_max` steps finds, never worth less than [`super::fifo`]'s.
pub fn bypass(problem: &Problem, steps_max: u64) -> Bypass {
    if problem.payments.len() <= EXACT_PAYMENTS_MAX {
        let solution = exact::solve(problem);
        return Bypass {
            upper_bound: solution.value,
            solution,
            exact: true,
        };
    }
    let solution = search::solve(problem, steps_max);
    // Nothing is left out: no set is better.
    let exact = solution.settled.len() == problem.payments.len();
    let bound = bound::of(problem);
    assert!(solution.value <= bound, "the upper bound is one");
    Bypass {
        upper_bound: bound,
        solution,
        exact,
    }
}

impl Bypass {
    /// How much more than the set another could be worth, at most.
    pub fn gap(&self) -> u128 {
        self.upper_bound.saturating_sub(self.solution.value)
    }
}
