//! Pairs of banks that have payments between them, with their limits.

use super::{Limit, Payment, ProblemError};

/// One pair: the bank with the lower place first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    lower: u32,
    higher: u32,
    /// Limit of the lower towards the higher, and the other way round.
    forward: Option<u64>,
    backward: Option<u64>,
}

/// All pairs with a payment, and the pair of each payment.
#[derive(Clone, Debug)]
pub(super) struct Pairs {
    list: Vec<Pair>,
    of_payment: Vec<u32>,
}

impl Pairs {
    pub(super) fn new(payments: &[Payment], limits: &[Limit]) -> Result<Pairs, ProblemError> {
        let mut keys: Vec<(u32, u32)> = payments
            .iter()
            .map(|payment| ordered(payment.from, payment.to))
            .collect();
        keys.sort_unstable();
        keys.dedup();
        let mut list: Vec<Pair> = keys
            .iter()
            .map(|(lower, higher)| Pair {
                lower: *lower,
                higher: *higher,
                forward: None,
                backward: None,
            })
            .collect();
        let mut named: Vec<(u32, u32, usize)> = limits
            .iter()
            .enumerate()
            .map(|(place, limit)| (limit.from, limit.to, place))
            .collect();
        named.sort_unstable();
        let twice = named
            .iter()
            .zip(named.iter().skip(1))
            .filter(|(first, second)| (first.0, first.1) == (second.0, second.1))
            .map(|(_, second)| second.2)
            .min();
        if let Some(place) = twice {
            return Err(ProblemError::LimitTwice { place });
        }
        for limit in limits {
            // A limit without payments between the two decides nothing.
            let Ok(place) = keys.binary_search(&ordered(limit.from, limit.to)) else {
                continue;
            };
            if let Some(pair) = list.get_mut(place) {
                let side = if limit.from == pair.lower {
                    &mut pair.forward
                } else {
                    &mut pair.backward
                };
                *side = Some(limit.amount);
            }
        }
        let place_of = |payment: &Payment| {
            let place = keys.binary_search(&ordered(payment.from, payment.to));
            // Every payment's pair is in the list, and there are fewer pairs than payments.
            u32::try_from(place.unwrap_or(0)).unwrap_or(0)
        };
        let of_payment = payments.iter().map(place_of).collect();
        Ok(Pairs { list, of_payment })
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn list(&self) -> &[Pair] {
        &self.list
    }

    /// Place of the pair of the payment at `place`.
    pub(super) fn of(&self, place: usize) -> usize {
        self.of_payment.get(place).map_or(0, |pair| *pair as usize)
    }

    pub(super) fn get(&self, pair: usize) -> Option<&Pair> {
        self.list.get(pair)
    }
}

impl Pair {
    pub(super) fn banks(&self) -> (u32, u32) {
        (self.lower, self.higher)
    }

    /// Whether `bank` is the one that a net above zero means as the debtor.
    pub(super) fn is_lower(&self, bank: u32) -> bool {
        bank == self.lower
    }

    /// The limit of `bank` towards the other.
    pub(super) fn limit_of(&self, bank: u32) -> Option<u64> {
        if self.is_lower(bank) {
            self.forward
        } else {
            self.backward
        }
    }
}

fn ordered(one: u32, other: u32) -> (u32, u32) {
    (one.min(other), one.max(other))
}
