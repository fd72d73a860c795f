//! A gridlock of 10,000 payments among 30 banks, solved by each rule (P187).

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use torap_settlement::lsm::{self, Limit, Payment, Problem};

const BANKS: u32 = 30;
const PAYMENTS: usize = 10_000;

/// A fixed sequence of numbers; the same queue in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// Banks hold about 2 in 100 of what they are to pay; every third pair has a limit.
fn gridlock() -> Problem {
    let mut numbers = Numbers(2026);
    let mut payments = Vec::new();
    let mut due = vec![0_u64; BANKS as usize];
    for _ in 0..PAYMENTS {
        let from = numbers.below(u64::from(BANKS)) as u32;
        let to = (from + 1 + numbers.below(u64::from(BANKS) - 1) as u32) % BANKS;
        // From 100 KZT to 100 million KZT, small ones much more often.
        let size = 10_u64.pow(4 + numbers.below(7) as u32);
        let amount = size + numbers.below(size);
        due[from as usize] += amount;
        payments.push(Payment { from, to, amount });
    }
    let funds = due.iter().map(|due| due / 50).collect();
    let mut limits = Vec::new();
    for from in 0..BANKS {
        for to in 0..BANKS {
            if from != to && (from + to) % 3 == 0 {
                let amount = due[from as usize] / 40;
                limits.push(Limit { from, to, amount });
            }
        }
    }
    Problem::new(funds, payments, &limits).expect("a sound problem")
}

fn solve(criterion: &mut Criterion) {
    let problem = gridlock();
    let mut group = criterion.benchmark_group("lsm");
    group.sample_size(20);
    group.bench_function("fifo 10000x30", |bencher| {
        bencher.iter(|| black_box(lsm::fifo(black_box(&problem))));
    });
    group.bench_function("bypass 10000x30", |bencher| {
        bencher.iter(|| black_box(lsm::bypass(black_box(&problem), lsm::SEARCH_STEPS_MAX)));
    });
    group.finish();
    let first = lsm::fifo(&problem);
    let best = lsm::bypass(&problem, lsm::SEARCH_STEPS_MAX);
    eprintln!(
        "fifo settles {} of {PAYMENTS} worth {}; bypass {} worth {} in {} steps, gap {}",
        first.settled.len(),
        first.value,
        best.solution.settled.len(),
        best.solution.value,
        best.solution.steps,
        best.gap()
    );
}

criterion_group!(benches, solve);
criterion_main!(benches);
