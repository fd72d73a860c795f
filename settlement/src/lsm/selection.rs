//! A set of payments, with what it leaves every bank and what every pair of banks owes.

use super::{Payment, Problem};

/// A set of payments under construction; it need not hold.
#[derive(Clone, Debug)]
pub(super) struct Selection<'a> {
    problem: &'a Problem,
    included: Vec<bool>,
    /// Funds plus what comes in less what goes out; below zero means: has not the money.
    left: Vec<i128>,
    /// What the lower bank of each pair owes the higher, net.
    owed: Vec<i128>,
    value: u128,
    count: usize,
}

impl<'a> Selection<'a> {
    pub(super) fn empty(problem: &'a Problem) -> Selection<'a> {
        Selection {
            problem,
            included: vec![false; problem.payments.len()],
            left: problem
                .funds
                .iter()
                .map(|funds| i128::from(*funds))
                .collect(),
            owed: vec![0; problem.pairs.len()],
            value: 0,
            count: 0,
        }
    }

    /// Every payment.
    pub(super) fn full(problem: &'a Problem) -> Selection<'a> {
        let mut selection = Selection::empty(problem);
        for place in 0..problem.payments.len() {
            selection.add(place);
        }
        selection
    }

    pub(super) fn includes(&self, place: usize) -> bool {
        self.included.get(place).copied().unwrap_or(false)
    }

    pub(super) fn value(&self) -> u128 {
        self.value
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Adds a payment that is not in the set.
    pub(super) fn add(&mut self, place: usize) {
        if let Some(payment) = self.book(place, true) {
            self.value = self.value.saturating_add(u128::from(payment.amount));
            self.count = self.count.saturating_add(1);
        }
    }

    /// Takes out a payment that is in the set.
    pub(super) fn remove(&mut self, place: usize) {
        if let Some(payment) = self.book(place, false) {
            self.value = self.value.saturating_sub(u128::from(payment.amount));
            self.count = self.count.saturating_sub(1);
        }
    }

    /// How much a bank pays beyond its funds; 0 if it has the money.
    pub(super) fn shortfall(&self, bank: u32) -> u128 {
        let left = self.left.get(bank as usize).copied().unwrap_or(0);
        left.min(0).unsigned_abs()
    }

    /// How much a bank owes the other of a pair beyond its limit; 0 within it.
    pub(super) fn excess(&self, pair: usize, bank: u32) -> u128 {
        let Some(banks) = self.problem.pairs.get(pair) else {
            return 0;
        };
        let Some(limit) = banks.limit_of(bank) else {
            return 0;
        };
        let owed = self.owed.get(pair).copied().unwrap_or(0);
        let owed = if banks.is_lower(bank) {
            owed
        } else {
            0_i128.saturating_sub(owed)
        };
        owed.saturating_sub(i128::from(limit)).max(0).unsigned_abs()
    }

    /// Whether the payer of a payment is within funds and limit.
    pub(super) fn payer_holds(&self, place: usize) -> bool {
        self.problem.payments.get(place).is_some_and(|payment| {
            self.shortfall(payment.from) == 0
                && self.excess(self.problem.pairs.of(place), payment.from) == 0
        })
    }

    /// As [`Selection::payer_holds`], of the payee.
    pub(super) fn payee_holds(&self, place: usize) -> bool {
        self.problem.payments.get(place).is_some_and(|payment| {
            self.shortfall(payment.to) == 0
                && self.excess(self.problem.pairs.of(place), payment.to) == 0
        })
    }

    /// Whether every bank is within its funds and limits.
    pub(super) fn holds(&self) -> bool {
        let funds = self.left.iter().all(|left| *left >= 0);
        funds
            && self
                .problem
                .pairs
                .list()
                .iter()
                .enumerate()
                .all(|(pair, banks)| {
                    let (lower, higher) = banks.banks();
                    self.excess(pair, lower) == 0 && self.excess(pair, higher) == 0
                })
    }

    /// The places in the set, rising.
    pub(super) fn places(&self) -> Vec<u32> {
        let included = (0_u32..).zip(&self.included);
        included
            .filter_map(|(place, included)| included.then_some(place))
            .collect()
    }

    fn book(&mut self, place: usize, add: bool) -> Option<Payment> {
        let payment = *self.problem.payments.get(place)?;
        let included = self.included.get_mut(place)?;
        debug_assert_ne!(*included, add, "a payment is added or taken out once");
        *included = add;
        let amount = i128::from(payment.amount);
        let signed = if add { amount } else { amount.saturating_neg() };
        if let Some(left) = self.left.get_mut(payment.from as usize) {
            *left = left.saturating_sub(signed);
        }
        if let Some(left) = self.left.get_mut(payment.to as usize) {
            *left = left.saturating_add(signed);
        }
        let pair = self.problem.pairs.of(place);
        let banks = self.problem.pairs.get(pair)?;
        let forward = banks.is_lower(payment.from);
        if let Some(owed) = self.owed.get_mut(pair) {
            *owed = if forward {
                owed.saturating_add(signed)
            } else {
                owed.saturating_sub(signed)
            };
        }
        Some(payment)
    }
}
