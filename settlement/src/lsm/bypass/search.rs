//! The search for queues that are too long for an exact answer.
//!
//! Two starts, the order-respecting set and what is left when banks that are short give up payments, and then improvements of
//! each while there are steps: a payment that fits; a payment with others that bring its payer the money (a cycle); a payment
//! in place of a smaller one of the same bank.

use crate::lsm::{Problem, Solution, fifo, selection::Selection};

/// Payments that one payment may need to be added with it.
const CHAIN_MAX: usize = 4;
/// Payments tried for each place of a chain.
const CHAIN_WIDTH_MAX: usize = 6;

struct Search<'a> {
    problem: &'a Problem,
    /// Of each bank, what it pays and what it is paid: places of payments, the largest amount first.
    pays: Vec<Vec<usize>>,
    paid: Vec<Vec<usize>>,
    order: Vec<usize>,
    steps: u64,
    steps_max: u64,
}

pub(in crate::lsm) fn solve(problem: &Problem, steps_max: u64) -> Solution {
    let mut search = Search::new(problem, steps_max);
    let start = fifo(problem);
    search.step(start.steps);
    let mut in_order = Selection::empty(problem);
    for place in &start.settled {
        in_order.add(*place as usize);
    }
    // Half of the steps for the first start, the rest for the second.
    search.steps_max = steps_max / 2;
    search.improve(&mut in_order);
    search.steps_max = steps_max;
    let mut best = in_order;
    if let Some(mut peeled) = search.peel() {
        search.improve(&mut peeled);
        if (peeled.value(), peeled.count()) > (best.value(), best.count()) {
            best = peeled;
        }
    }
    assert!(best.holds(), "a search only makes sets that hold");
    Solution {
        settled: best.places(),
        value: best.value(),
        steps: search.steps,
    }
}

impl<'a> Search<'a> {
    fn new(problem: &'a Problem, steps_max: u64) -> Search<'a> {
        let amount = |place: usize| {
            problem
                .payments
                .get(place)
                .map_or(0, |payment| payment.amount)
        };
        let mut order: Vec<usize> = (0..problem.payments.len()).collect();
        order.sort_by_key(|place| (std::cmp::Reverse(amount(*place)), *place));
        let mut pays = vec![Vec::new(); problem.funds.len()];
        let mut paid = pays.clone();
        for place in &order {
            if let Some(payment) = problem.payments.get(*place) {
                for (lists, bank) in [(&mut pays, payment.from), (&mut paid, payment.to)] {
                    if let Some(list) = lists.get_mut(bank as usize) {
                        list.push(*place);
                    }
                }
            }
        }
        Search {
            problem,
            pays,
            paid,
            order,
            steps: 0,
            steps_max,
        }
    }

    fn step(&mut self, steps: u64) {
        self.steps = self.steps.saturating_add(steps);
    }

    fn is_over(&self) -> bool {
        self.steps >= self.steps_max
    }

    fn amount(&self, place: usize) -> u64 {
        self.problem
            .payments
            .get(place)
            .map_or(0, |payment| payment.amount)
    }

    /// What is left of everything when each bank that is short or over a limit gives up the smallest payment that is enough,
    /// or its largest. None when the steps run out before it holds.
    fn peel(&mut self) -> Option<Selection<'a>> {
        let mut selection = Selection::full(self.problem);
        let mut doubtful: Vec<(u32, Option<usize>)> = Vec::new();
        for (pair, banks) in self.problem.pairs.list().iter().enumerate() {
            let (lower, higher) = banks.banks();
            doubtful.push((lower, Some(pair)));
            doubtful.push((higher, Some(pair)));
        }
        let banks = (0_u32..).zip(&self.problem.funds);
        doubtful.extend(banks.map(|(bank, _)| (bank, None)));
        while let Some((bank, pair)) = doubtful.pop() {
            loop {
                let excess = pair.map_or(0, |pair| selection.excess(pair, bank));
                let shortfall = selection.shortfall(bank);
                let (needed, within) = if excess > 0 {
                    (excess, pair)
                } else {
                    (shortfall, None)
                };
                if needed == 0 {
                    break;
                }
                let given_up = self.give_up(&selection, bank, within, needed)?;
                selection.remove(given_up);
                if let Some(payment) = self.problem.payments.get(given_up) {
                    doubtful.push((payment.to, Some(self.problem.pairs.of(given_up))));
                }
            }
        }
        Some(selection)
    }

    fn give_up(
        &mut self,
        selection: &Selection<'_>,
        bank: u32,
        within: Option<usize>,
        needed: u128,
    ) -> Option<usize> {
        if self.is_over() {
            return None;
        }
        let list = self.pays.get(bank as usize)?;
        let mut looked_at = 0_u64;
        let mut found = None;
        for place in list {
            looked_at = looked_at.saturating_add(1);
            let counts = selection.includes(*place)
                && within.is_none_or(|pair| self.problem.pairs.of(*place) == pair);
            if !counts {
                continue;
            }
            if u128::from(self.amount(*place)) < needed {
                found = found.or(Some(*place));
                break;
            }
            found = Some(*place);
        }
        self.step(looked_at);
        found
    }

    /// Improves a set that holds until nothing helps or the steps run out.
    fn improve(&mut self, selection: &mut Selection<'a>) {
        let mut improved = true;
        while improved && !self.is_over() {
            improved = false;
            for at in 0..self.order.len() {
                let Some(place) = self.order.get(at).copied() else {
                    break;
                };
                self.step(1);
                if self.is_over() {
                    break;
                }
                if selection.includes(place) {
                    continue;
                }
                improved |= self.extend(selection, place) || self.swap(selection, place);
            }
        }
    }

    /// Adds a payment, with others that bring its payer the money where it needs them; nothing changes if that fails.
    fn extend(&mut self, selection: &mut Selection<'a>, place: usize) -> bool {
        let mut added = Vec::new();
        let found = self.chain(selection, place, CHAIN_MAX, &mut added)
            && added.iter().all(|place| selection.payer_holds(*place));
        if !found {
            roll_back(selection, &mut added, 0);
        }
        found
    }

    /// Adds a payment and what its payer needs, each noted in `added`. An addition harms its payer alone.
    fn chain(
        &mut self,
        selection: &mut Selection<'a>,
        place: usize,
        depth: usize,
        added: &mut Vec<usize>,
    ) -> bool {
        let mark = added.len();
        selection.add(place);
        added.push(place);
        if selection.payer_holds(place) {
            return true;
        }
        for other in self.coming_to_payer(selection, place) {
            self.step(1);
            if depth <= 1 || self.is_over() {
                break;
            }
            let open = !selection.includes(other);
            if open
                && self.chain(selection, other, depth.saturating_sub(1), added)
                && selection.payer_holds(place)
            {
                return true;
            }
        }
        roll_back(selection, added, mark);
        false
    }

    /// The largest payments to the payer of a payment that are not in the set.
    fn coming_to_payer(&self, selection: &Selection<'_>, place: usize) -> Vec<usize> {
        let payer = self.problem.payments.get(place).map(|payment| payment.from);
        let coming = payer.and_then(|payer| self.paid.get(payer as usize));
        let coming = coming.map(Vec::as_slice).unwrap_or_default();
        let open = coming.iter().filter(|other| !selection.includes(**other));
        open.copied().take(CHAIN_WIDTH_MAX).collect()
    }

    /// Puts a payment in place of a smaller one of the same bank.
    fn swap(&mut self, selection: &mut Selection<'a>, place: usize) -> bool {
        let Some(payment) = self.problem.payments.get(place).copied() else {
            return false;
        };
        let Some(list) = self.pays.get(payment.from as usize).cloned() else {
            return false;
        };
        for other in list {
            self.step(1);
            if self.is_over() {
                return false;
            }
            if self.amount(other) >= payment.amount || !selection.includes(other) {
                continue;
            }
            selection.remove(other);
            selection.add(place);
            if selection.payee_holds(other) && selection.payer_holds(place) {
                return true;
            }
            selection.remove(place);
            selection.add(other);
        }
        false
    }
}

/// Takes out what was added after the mark, the last first.
fn roll_back(selection: &mut Selection<'_>, added: &mut Vec<usize>, mark: usize) {
    while added.len() > mark {
        if let Some(place) = added.pop() {
            selection.remove(place);
        }
    }
}
