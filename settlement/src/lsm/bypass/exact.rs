//! Branch and bound over every payment, the largest first.

use crate::lsm::{Problem, Solution, selection::Selection};

struct Search<'a> {
    problem: &'a Problem,
    /// Places of payments, the largest amount first.
    order: Vec<usize>,
    /// Value of everything from each place of `order` on.
    value_from: Vec<u128>,
    chosen: Selection<'a>,
    /// Value and number of payments of the best set so far.
    best: (u128, usize),
    best_places: Vec<u32>,
    steps: u64,
}

pub(super) fn solve(problem: &Problem) -> Solution {
    let mut order: Vec<usize> = (0..problem.payments.len()).collect();
    let amount = |place: usize| {
        problem
            .payments
            .get(place)
            .map_or(0, |payment| payment.amount)
    };
    order.sort_by_key(|place| (std::cmp::Reverse(amount(*place)), *place));
    let mut value_from = vec![0_u128];
    for place in order.iter().rev() {
        let after = value_from.last().copied().unwrap_or(0);
        value_from.push(after.saturating_add(u128::from(amount(*place))));
    }
    value_from.reverse();
    let mut search = Search {
        problem,
        order,
        value_from,
        chosen: Selection::empty(problem),
        best: (0, 0),
        best_places: Vec::new(),
        steps: 0,
    };
    search.branch(0);
    Solution {
        settled: search.best_places,
        value: search.best.0,
        steps: search.steps,
    }
}

impl Search<'_> {
    /// Decides the payment at `depth` of the order and all behind it. The depth is that of the queue: at most 20.
    fn branch(&mut self, depth: usize) {
        self.steps = self.steps.saturating_add(1);
        let found = (self.chosen.value(), self.chosen.count());
        if found > self.best && self.chosen.holds() {
            self.best = found;
            self.best_places = self.chosen.places();
        }
        let Some(place) = self.order.get(depth).copied() else {
            return;
        };
        let open = self.value_from.get(depth).copied().unwrap_or(0);
        let most = (
            found.0.saturating_add(open),
            found
                .1
                .saturating_add(self.order.len().saturating_sub(depth)),
        );
        if most <= self.best || !self.can_hold(depth) {
            return;
        }
        let next = depth.saturating_add(1);
        self.chosen.add(place);
        self.branch(next);
        self.chosen.remove(place);
        self.branch(next);
    }

    /// Whether every bank that is short could still be helped by payments that are not decided.
    fn can_hold(&self, depth: usize) -> bool {
        let open = self.order.get(depth..).unwrap_or_default();
        let banks = (0_u32..).zip(&self.problem.funds);
        banks
            .map(|(bank, _)| (bank, self.chosen.shortfall(bank)))
            .filter(|(_, shortfall)| *shortfall > 0)
            .all(|(bank, shortfall)| {
                let coming = open
                    .iter()
                    .filter_map(|place| self.problem.payments.get(*place))
                    .filter(|payment| payment.to == bank)
                    .fold(0_u128, |sum, payment| {
                        sum.saturating_add(u128::from(payment.amount))
                    });
                coming >= shortfall
            })
    }
}
