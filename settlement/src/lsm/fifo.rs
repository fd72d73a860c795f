//! The largest set that respects every bank's order.

use super::{Problem, Solution, selection::Selection};

/// The largest set that takes one prefix of each bank's queue and holds.
///
/// Why it is found: let `F` be any such set that holds, inside the current set `S`. When a bank of `S` is short of funds, `F` has
/// fewer of its payments: with as many it would pay the same and get no more, and be short, too. When a bank of `S` owes another
/// more than its limit, `F` lacks at least its last payment to that other, by the same argument, and therefore everything
/// behind it. So the last payment of such a bank is never in `F`, and taking it out keeps `F` inside. What remains when nobody
/// is short or over is the set that contains every other, whatever the order of removal: greatest in value and in number.
///
/// Each payment is taken out at most once, so the work is proportional to the queue.
pub fn fifo(problem: &Problem) -> Solution {
    let mut selection = Selection::full(problem);
    let mut queues: Vec<Vec<usize>> = vec![Vec::new(); problem.funds.len()];
    for (place, payment) in problem.payments.iter().enumerate() {
        if let Some(queue) = queues.get_mut(payment.from as usize) {
            queue.push(place);
        }
    }
    let mut steps = problem.payments.len() as u64;
    // (bank, pair): the bank may be short, or over its limit of the pair. At first everyone may be.
    let mut doubtful: Vec<(u32, Option<usize>)> = Vec::new();
    for (pair, banks) in problem.pairs.list().iter().enumerate() {
        let (lower, higher) = banks.banks();
        for bank in [lower, higher] {
            doubtful.push((bank, Some(pair)));
        }
    }
    let banks = (0_u32..).zip(&problem.funds);
    doubtful.extend(banks.map(|(bank, _)| (bank, None)));
    while let Some((bank, pair)) = doubtful.pop() {
        let wrong = |selection: &Selection<'_>| {
            selection.shortfall(bank) > 0
                || pair.is_some_and(|pair| selection.excess(pair, bank) > 0)
        };
        while wrong(&selection) {
            let last = queues.get_mut(bank as usize).and_then(Vec::pop);
            // A bank without payments pays nothing and owes nothing, so it is never wrong.
            let Some(last) = last else {
                break;
            };
            steps = steps.saturating_add(1);
            selection.remove(last);
            if let Some(payment) = problem.payments.get(last) {
                doubtful.push((payment.to, Some(problem.pairs.of(last))));
            }
        }
    }
    Solution {
        settled: selection.places(),
        value: selection.value(),
        steps,
    }
}
