//! What no set that holds can be worth more than.
//!
//! Amounts are taken as if they could be split. What a bank pays another is at most what is queued between them, and at most its
//! limit plus what comes back; what a bank pays in all is at most its funds plus what it can get. Each bound lowers others, so
//! they are taken in rounds; any number of rounds gives a bound.

use crate::lsm::Problem;

/// More rounds lower a bound by little.
const ROUNDS_MAX: usize = 64;

/// The most that can flow in each direction of a pair.
#[derive(Clone, Copy)]
struct Flow {
    lower: u32,
    higher: u32,
    forward: u128,
    backward: u128,
}

pub(in crate::lsm) fn of(problem: &Problem) -> u128 {
    let pairs = problem.pairs.list();
    let mut flows: Vec<Flow> = pairs
        .iter()
        .map(|pair| {
            let (lower, higher) = pair.banks();
            Flow {
                lower,
                higher,
                forward: 0,
                backward: 0,
            }
        })
        .collect();
    for (place, payment) in problem.payments.iter().enumerate() {
        if let Some(flow) = flows.get_mut(problem.pairs.of(place)) {
            let side = if payment.from == flow.lower {
                &mut flow.forward
            } else {
                &mut flow.backward
            };
            *side = side.saturating_add(u128::from(payment.amount));
        }
    }
    let mut paid = most_paid(problem, &flows);
    for _ in 0..ROUNDS_MAX {
        let mut changed = false;
        for (flow, pair) in flows.iter_mut().zip(pairs) {
            let before = (flow.forward, flow.backward);
            let limit = |bank| pair.limit_of(bank).map_or(u128::MAX, u128::from);
            let most = |bank: u32| paid.get(bank as usize).copied().unwrap_or(0);
            flow.forward = flow
                .forward
                .min(limit(flow.lower).saturating_add(flow.backward))
                .min(most(flow.lower));
            flow.backward = flow
                .backward
                .min(limit(flow.higher).saturating_add(flow.forward))
                .min(most(flow.higher));
            changed |= before != (flow.forward, flow.backward);
        }
        let next = most_paid(problem, &flows);
        changed |= next != paid;
        paid = next;
        if !changed {
            break;
        }
    }
    paid.iter().fold(0, |sum, most| sum.saturating_add(*most))
}

/// The most that each bank can pay: what flows out, and no more than its funds and what flows in.
fn most_paid(problem: &Problem, flows: &[Flow]) -> Vec<u128> {
    let mut out = vec![0_u128; problem.funds.len()];
    let mut covered: Vec<u128> = problem
        .funds
        .iter()
        .map(|funds| u128::from(*funds))
        .collect();
    for flow in flows {
        for (from, to, amount) in [
            (flow.lower, flow.higher, flow.forward),
            (flow.higher, flow.lower, flow.backward),
        ] {
            if let Some(sum) = out.get_mut(from as usize) {
                *sum = sum.saturating_add(amount);
            }
            if let Some(sum) = covered.get_mut(to as usize) {
                *sum = sum.saturating_add(amount);
            }
        }
    }
    out.iter()
        .zip(&covered)
        .map(|(out, covered)| *out.min(covered))
        .collect()
}
